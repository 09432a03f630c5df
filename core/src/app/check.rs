//! Checking the store against itself: chain, projections, files.

use yenban_protocol::chain::FIRST_LINK;
use yenban_protocol::crypto::SecretKey;
use yenban_protocol::id::{EntryName, LogId};

use super::{CheckReport, OpenVault, Phone, follow, session_key};
use crate::error::{Error, Result};
use crate::evidence::object_path;
use crate::evidence::seal::hash_file;
use crate::log::{open_body, read_record};
use crate::patrol::Walk;
use crate::store::vault::Vault;

const PAGE: u32 = 256;
/// Faults that are told one by one; more of the same help nobody.
const FAULTS_TOLD: usize = 100;

impl Phone {
    /// Recomputes every link that can be opened, compares the projections with a rebuild in memory, and
    /// every sealed file with the log. Changes nothing.
    ///
    /// # Errors
    /// The store cannot be read at all; what does not fit stands in the report.
    pub fn check(&mut self) -> Result<CheckReport> {
        let mut report = CheckReport::default();
        if self.enrolment.is_none() {
            return Ok(report);
        }
        self.log.ready()?;
        self.check_chains(&mut report)?;
        self.check_files(&mut report)?;
        self.check_projections(&mut report)?;
        report.faults.truncate(FAULTS_TOLD);
        Ok(report)
    }

    fn check_chains(&mut self, report: &mut CheckReport) -> Result<()> {
        let member = self.member;
        for (number, name, _) in self.log.spool.logs()? {
            let (mut next, mut previous) = (0, FIRST_LINK);
            loop {
                let rows = self.log.spool.entries(number, next, PAGE)?;
                for row in &rows {
                    let name = EntryName { log: LogId(name), seq: row.key.seq() };
                    if name.seq != next {
                        report.faults.push(format!("{name}: entries from {next} on are missing before it"));
                        previous = row.previous.unwrap_or(previous);
                    }
                    let session = match self.open.as_mut() {
                        Some(open) => session_key(&self.log, member, open, row.session),
                        None => Ok(None),
                    };
                    let body = session.and_then(|s| s.map(|key| open_body(&key, name, &row.body)).transpose());
                    // What cannot be read is shown nowhere, so it has to be told here.
                    let body = body.and_then(|body| body.map(|body| read_record(name, &body).map(|_| body)).transpose());
                    match body {
                        Ok(Some(body)) if body.link(name.log, name.seq, &previous) == row.link => report.verified += 1,
                        Ok(Some(_)) => report.faults.push(format!("{name}: its link does not follow from its content")),
                        Ok(None) => report.sealed += 1,
                        Err(e) => report.faults.push(e.to_string()),
                    }
                    report.entries += 1;
                    next = name.seq + 1;
                    previous = row.link;
                }
                if rows.len() < PAGE as usize {
                    break;
                }
            }
        }
        Ok(())
    }

    fn check_files(&self, report: &mut CheckReport) -> Result<()> {
        for file in self.log.spool.files()? {
            // Removed after its receipt: the log says so, and the hub has it.
            if file.evicted_ms.is_some() {
                continue;
            }
            let path = object_path(&self.folder.objects(), &file.sealed_sha256);
            let name = self.log.name_of(file.entry)?;
            report.files += 1;
            match hash_file(self.disk.as_ref(), &path) {
                Ok((hash, size)) if hash == file.sealed_sha256 && size == file.size_bytes => {}
                Ok(_) => report.faults.push(format!("{name}: its file {} was altered", path.display())),
                Err(e) => report.faults.push(format!("{name}: {e}")),
            }
        }
        let objects = self.folder.objects();
        // What a kill leaves looks the same as what a spool that lost its end no longer names.
        let (told, then) = if self.follows_its_vault()? {
            (&mut report.unnamed, "it is kept, and comes into the log as recovered when its bytes are kept nowhere else")
        } else {
            (&mut report.faults, "it stays, because entries may be lost")
        };
        for name in self.unnamed(&self.disk.list(&objects).map_err(|e| Error::io("list", &objects, e))?)? {
            told.push(format!("the log does not name the sealed file {}: {then}", objects.join(name).display()));
        }
        for name in self.stray_clear_files()? {
            report.faults.push(format!("no capture is under way for the clear file {}", self.folder.capturing().join(name).display()));
        }
        Ok(())
    }

    fn check_projections(&mut self, report: &mut CheckReport) -> Result<()> {
        self.settle()?;
        let Some(open) = self.open.as_ref() else { return Ok(()) };
        let mut again = OpenVault {
            vault: Vault::in_memory()?,
            opener: SecretKey::from_scalar(open.opener.scalar()).map_err(|_| crate::Error::KeyMismatch)?,
            troubles: open.troubles,
            walk: Walk::default(),
            secrets: open.secrets.clone(),
            session: None,
        };
        if let Err(e) = follow(&self.log, self.member, &mut again) {
            report.faults.push(format!("the projections cannot be rebuilt: {e}"));
            return Ok(());
        }
        for (ours, rebuilt) in open.vault.digest()?.iter().zip(again.vault.digest()?) {
            report.projection_rows += ours.rows;
            if *ours != rebuilt {
                report.faults.push(format!(
                    "the projection {} has {} rows and differs from a rebuild with {} rows",
                    ours.table, ours.rows, rebuilt.rows
                ));
            }
        }
        Ok(())
    }
}
