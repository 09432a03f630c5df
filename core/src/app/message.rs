//! One message that tells of an incident where nothing else goes through (docs/PROTOCOL.md, One message). It is made, never
//! sent: the shell opens the system's composer, and people see what leaves and what it costs.

use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, Record};
use yenban_protocol::sms::{Claim, Sms};

use super::{Phone, Report, Reported};
use crate::error::{Error, Result};
use crate::keys::DeviceSigner;
use crate::log::{open_body, read_record};

impl Phone {
    /// As [`Phone::report`], and the one message that tells of it where nothing else goes through. Works while locked, as
    /// an urgent report does.
    ///
    /// # Errors
    /// As [`Phone::report`]. The report is saved when only the message cannot be made: [`Phone::message_of`] tries again.
    pub fn report_with_message(&mut self, report: &Report) -> Result<(String, Result<String>)> {
        let reported = self.report_with_photos(report, &[])?;
        let message = self.message_for(&reported);
        Ok((reported.id, message))
    }

    /// The one message that tells of a report which was just saved. Works while locked.
    ///
    /// # Errors
    /// The key store or the protocol refuses; the report is saved all the same.
    pub fn message_for(&mut self, reported: &Reported) -> Result<String> {
        self.message(reported.name, &reported.record)
    }

    /// The message about an incident of this phone, again.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that is no incident here, [`Error::Locked`], or the store cannot be read.
    pub fn message_of(&mut self, incident: &str) -> Result<String> {
        self.vault()?;
        let (name, key) = self.find_entry("incident", incident)?;
        let unknown = || Error::Unknown { what: "incident", name: incident.to_owned() };
        let row = self.log.spool.entry(key)?.ok_or_else(unknown)?;
        let (member, log) = (self.member, &self.log);
        let open = self.open.as_mut().ok_or(Error::Locked)?;
        let session = super::session_key(log, member, open, row.session)?.ok_or_else(unknown)?;
        let record = read_record(name, &open_body(&session, name, &row.body)?)?;
        match record.act {
            Act::IncidentReported { .. } => self.message(name, &record),
            _ => Err(unknown()),
        }
    }

    fn message(&mut self, name: EntryName, record: &Record) -> Result<String> {
        let own = self.seal_key()?;
        let enrolment = self.enrolled_or_refuse()?;
        let cannot = |e: yenban_protocol::Error| Error::KeyStore(e.to_string());
        let claim = Claim::of(record, name, enrolment.device).map_err(cannot)?;
        let sms = Sms::seal(&claim, &own, &enrolment.hub_seal_key, &DeviceSigner(self.keys.as_ref())).map_err(cannot)?;
        Ok(sms.to_text())
    }
}
