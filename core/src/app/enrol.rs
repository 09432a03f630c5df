//! Joining a group: asking with a code, believing the answer, keeping who this phone is.

use std::path::Path;

use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::cert::{DeviceCertificate, Token};
use yenban_protocol::crypto::{self, PublicKey, SecretKey, SoftwareVerifier, Verifier};
use yenban_protocol::enrol::{EnrolAnswer, EnrolRequest, EnrolmentCode};
use yenban_protocol::id::{DeviceId, EntryName, LogId};
use yenban_protocol::keys::{KeyHistory, Purpose};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::record::{Act, Common, Record};
use yenban_protocol::signed::Signed;

use super::{Identity, Phone};
use crate::error::{Error, Result};
use crate::keys::{DeviceSigner, Drawn, KeyStore, files, random, unwrap32};
use crate::limits::JOINED_MAX_BYTES;
use crate::log::{Recipients, Writing};
use crate::store::Folder;
use crate::store::marker::{self, Doubt, Marker};
use crate::store::spool::Spool;

const SEAL_KEY_PURPOSE: &str = "yb1/device-seal-key";
const JOINED_PURPOSE: &str = "yb1/joined";
/// The settings that are kept twice.
const JOINED: [&str; 3] = ["enrol.code", "enrol.answer", "seal_key"];

/// What [`Phone::write_joined`] kept; nothing where it is not there or not readable.
pub(super) fn read_joined(folder: &Folder, keys: &dyn KeyStore) -> Vec<(String, Vec<u8>)> {
    let read = || {
        let wrapped = files::read_small(&folder.joined(), JOINED_MAX_BYTES).ok()?;
        let bytes = keys.unwrap(JOINED_PURPOSE, &wrapped).ok()?;
        let mut r = Reader::new(&bytes);
        let settings = r.array(JOINED.len(), "settings").ok()?;
        let mut setting = || {
            r.tuple(2, "setting").ok()?;
            Some((r.text("name").ok()?.to_owned(), r.bytes("value").ok()?.to_vec()))
        };
        (0..settings).map(|_| setting()).collect::<Option<Vec<_>>>()
    };
    read().unwrap_or_default()
}

/// What the phone knows of its place in the commune, verified when it came.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The device.
    pub device: DeviceId,
    /// The device's certificate.
    pub certificate: Signed<DeviceCertificate>,
    /// The newest key history.
    pub history: Signed<KeyHistory>,
    /// The newest time token of the hub.
    pub token: Option<Signed<Token>>,
    /// Hash of the commune root that the code pinned.
    pub root_hash: crypto::Hash,
    /// Where the hub listens, first one first.
    pub addresses: Vec<String>,
    /// What is sealed to the hub is sealed to this key.
    pub hub_seal_key: PublicKey,
    /// Member it was enrolled for.
    pub member: u32,
    /// That member's name.
    pub member_name: String,
    /// Hamlet's name.
    pub hamlet_name: String,
}

impl Enrolment {
    pub(super) fn load(spool: &Spool) -> Result<Option<Enrolment>> {
        let (Some(code), Some(answer)) = (spool.meta("enrol.code")?, spool.meta("enrol.answer")?) else {
            return Ok(None);
        };
        let damaged =
            |e: yenban_protocol::Error| Error::StoreDamaged { path: spool.path().to_path_buf(), why: format!("its enrolment: {e}") };
        let code = EnrolmentCode::from_text(&String::from_utf8_lossy(&code)).map_err(damaged)?;
        let answer = EnrolAnswer::from_bytes(&answer).map_err(damaged)?;
        let history = spool.meta("history")?.unwrap_or(answer.history);
        let token = spool.meta("token")?.unwrap_or(answer.token);
        let certificate = spool.meta("certificate")?.unwrap_or(answer.certificate);
        let certificate = Signed::<DeviceCertificate>::trusted(&certificate).map_err(damaged)?;
        let history = Signed::<KeyHistory>::trusted(&history).map_err(damaged)?;
        Ok(Some(Enrolment {
            device: certificate.value.device,
            hub_seal_key: seal_key_of(&history.value)?,
            token: Signed::<Token>::trusted(&token).ok(),
            certificate,
            history,
            root_hash: code.root_hash,
            addresses: code.addresses,
            member: answer.member.0,
            member_name: answer.member_name,
            hamlet_name: answer.hamlet_name,
        }))
    }
}

fn seal_key_of(history: &KeyHistory) -> Result<PublicKey> {
    history.current(Purpose::Seal).map(|k| k.key).ok_or_else(|| Error::untrusted("key history", "it has no sealing key"))
}

impl Phone {
    /// The request that redeems `code`, signed by the device key: send its bytes to the hub and give
    /// the answer to [`Phone::enrolled`]. Asking again with another code is allowed, and so is joining the same commune
    /// once more: a hub that was restored from a backup may not know this phone, and one that does refuses it.
    ///
    /// # Errors
    /// [`Error::AlreadyEnrolled`] for the code of another commune; [`Error::Invalid`] for a text that is no code.
    pub fn enrol_request(&mut self, code_text: &str) -> Result<(EnrolmentCode, Vec<u8>)> {
        let code = EnrolmentCode::from_text(code_text).map_err(|e| Error::invalid("enrolment code", e.to_string()))?;
        self.same_commune_or_refuse(&code)?;
        let seal_key = self.seal_key()?;
        // Joined before, its logs are what they are; the name only has to be nobody's.
        let log = if self.enrolment.is_some() { LogId(random(self.keys.as_ref())?) } else { self.next_log()? };
        let request = EnrolRequest {
            token: code.token,
            root_hash: code.root_hash,
            hamlet: code.hamlet.clone(),
            role: code.role,
            sign_key: self.keys.device_key(),
            seal_key: crypto::Signer::public_key(&seal_key),
            log,
        };
        let signed = Signed::sign(request, &DeviceSigner(self.keys.as_ref())).map_err(|e| Error::KeyStore(e.to_string()))?;
        Ok((code, signed.into_bytes()))
    }

    /// Believes, keeps and acts on the hub's answer: everything in it is verified under the commune
    /// root that the code pinned; then the log begins and capture works, for ever.
    ///
    /// # Errors
    /// [`Error::Untrusted`] when something does not verify, [`Error::AlreadyEnrolled`] when it says what is known; nothing
    /// is kept then.
    pub fn enrolled(&mut self, code: &EnrolmentCode, answer: &EnrolAnswer) -> Result<()> {
        self.same_commune_or_refuse(code)?;
        let verifier = SoftwareVerifier;
        let history = KeyHistory::verify(&answer.history, &verifier, &code.root_hash).map_err(|e| Error::untrusted("key history", e))?;
        seal_key_of(&history.value)?;
        let certificate = verify_certificate(&answer.certificate, &history.value, &verifier)?;
        let own_seal_key = crypto::Signer::public_key(&self.seal_key()?);
        if certificate.value.sign_key != self.keys.device_key() || certificate.value.seal_key != own_seal_key {
            return Err(Error::untrusted("certificate", "it is for another device"));
        }
        if certificate.value.member != answer.member || answer.member.0 == 0 {
            return Err(Error::untrusted("certificate", "it is for another member"));
        }
        if self.enrolment.as_ref().is_some_and(|known| known.device == certificate.value.device) {
            // Its own code a second time: whoever has the phone now keeps it.
            return Err(Error::AlreadyEnrolled);
        }
        verify_token(&answer.token, &history.value, &verifier)?;
        // A hub from a backup may know fewer of its own keys than this phone does.
        let newer = self.enrolment.as_ref().map(|e| &e.history).filter(|known| known.value.number > history.value.number);
        let history = newer.unwrap_or(&history).bytes().to_vec();
        self.ensure_member(answer.member.0)?;
        let holder = answer.member.0.to_be_bytes();
        self.log.spool.set_meta(&[
            ("enrol.code", Some(code.to_text().as_bytes())),
            ("enrol.answer", Some(&answer.to_bytes())),
            ("certificate", Some(&answer.certificate)),
            ("history", Some(&history)),
            ("token", Some(&answer.token)),
            ("holder", Some(&holder)),
        ])?;
        // Whose vault was open is not said by who has the phone now.
        self.open = None;
        self.log.end_session();
        for side in [self.folder.spool_rescue(), self.folder.joined()] {
            // Made anew when the phone loads; one that stays says who it was before.
            let _ = std::fs::remove_file(side);
        }
        self.load()
    }

    fn same_commune_or_refuse(&self, code: &EnrolmentCode) -> Result<()> {
        match &self.enrolment {
            Some(known) if known.root_hash != code.root_hash => Err(Error::AlreadyEnrolled),
            _ => Ok(()),
        }
    }

    /// Who this phone is; `None` before enrolment.
    pub fn identity(&self) -> Option<Identity> {
        self.enrolment.as_ref().map(|e| Identity {
            device: e.device.to_string(),
            commune: e.certificate.value.commune.to_string(),
            hub_name: e.history.value.name.clone(),
            hamlet_name: e.hamlet_name.clone(),
            member: e.member,
            member_name: e.member_name.clone(),
            role: e.certificate.value.role.code(),
            addresses: e.addresses.clone(),
        })
    }

    /// Everything that was verified at enrolment and since; `None` before.
    pub fn enrolment(&self) -> Option<&Enrolment> {
        self.enrolment.as_ref()
    }

    /// The device's sealing key (software, wrapped by the key store), made on first use.
    pub(crate) fn seal_key(&mut self) -> Result<SecretKey> {
        if let Some(wrapped) = self.log.spool.meta("seal_key")? {
            let scalar = unwrap32(self.keys.as_ref(), SEAL_KEY_PURPOSE, &wrapped)?;
            return SecretKey::from_scalar(&scalar).map_err(|_| Error::KeyMismatch);
        }
        let key = SecretKey::generate(&mut Drawn::new(self.keys.as_ref())?);
        let wrapped = self.keys.wrap(SEAL_KEY_PURPOSE, key.scalar().as_ref())?;
        self.log.spool.set_meta(&[("seal_key", Some(&wrapped))])?;
        Ok(key)
    }

    /// The name of the log that will begin at enrolment, made on first use.
    fn next_log(&mut self) -> Result<LogId> {
        if let Some(bytes) = self.log.spool.meta("log.next")?
            && let Ok(name) = bytes.as_slice().try_into()
        {
            return Ok(LogId(name));
        }
        let name: [u8; 8] = random(self.keys.as_ref())?;
        self.log.spool.set_meta(&[("log.next", Some(&name))])?;
        Ok(LogId(name))
    }

    /// The spool's key sealed to the hub, beside the spool: when the phone's key hardware is lost, the
    /// old file leaves whole and the hub can open it.
    pub(super) fn write_rescue_key(&self) -> Result<()> {
        let enrolment = self.enrolled_or_refuse()?;
        let key = super::spool_key(&self.folder, self.keys.as_ref())?;
        let mut random = Drawn::new(self.keys.as_ref())?;
        let sealed = crypto::seal(&mut random, &enrolment.hub_seal_key, b"yb1/spool-rescue", &enrolment.device.0, key.as_ref())
            .map_err(|e| Error::untrusted("key history", e))?;
        let bytes = [&enrolment.hub_seal_key.id().0[..], &sealed.enc, &sealed.ciphertext].concat();
        files::write_private(&self.folder.spool_rescue(), &bytes)
    }

    /// Keeps a second time, wrapped by the key store, what cannot be asked for again once its page is lost.
    pub(super) fn write_joined(&self) -> Result<()> {
        let mut w = Writer::new();
        w.array(JOINED.len());
        for key in JOINED {
            w.array(2).text(key).bytes(&self.log.spool.meta(key)?.ok_or(Error::NotEnrolled)?);
        }
        files::write_private(&self.folder.joined(), &self.keys.wrap(JOINED_PURPOSE, w.as_bytes())?)
    }

    /// Begins the log after enrolment, or a new one when the store may be a copy of itself.
    pub(super) fn settle_doubt(&mut self) -> Result<()> {
        let Some(head) = self.log.head().copied() else {
            let name = self.next_log()?;
            return self.begin_log(name, "enrolled", None);
        };
        let nonce = self.log.spool.logs()?.last().map(|(_, _, nonce)| *nonce);
        let expected = Marker { log: LogId(head.name), nonce: nonce.unwrap_or([0; 16]) };
        let found = marker::read(&self.folder.marker())?;
        match marker::compare(&expected, found.as_ref()).filter(|_| !planted(Bug::MarkerIgnored)) {
            None => Ok(()),
            // What is known already says more than that the marker is gone.
            Some(doubt) => self.begin_another_log(self.doubt.unwrap_or(doubt)),
        }
    }

    /// Remembers that the newest log is in doubt; the next entry begins another.
    pub(super) fn raise_doubt(&mut self, doubt: Doubt) -> Result<()> {
        self.enrolled_or_refuse()?;
        // First here: a disk with no room for the note must not make this process go on with the old log.
        self.doubt = Some(doubt);
        self.hub_agrees = false;
        self.log.spool.set_meta(&[("doubt", Some(doubt.code().as_bytes()))])
    }

    /// Everything that comes before an entry: enrolled, spool open, no doubt left.
    pub(super) fn ready(&mut self) -> Result<()> {
        self.enrolled_or_refuse()?;
        self.log.ready()?;
        if self.log.head().is_none() {
            // Enrolled, but the log could not begin then.
            self.settle_doubt()?;
        }
        if let Some(doubt) = self.doubt {
            self.begin_another_log(doubt)?;
        }
        self.go_on_walking()
    }

    fn begin_another_log(&mut self, doubt: Doubt) -> Result<()> {
        let Some(old) = self.log.head().copied() else { return Ok(()) };
        let continues = EntryName { log: LogId(old.name), seq: old.next_seq.saturating_sub(1) };
        let name = LogId(random(self.keys.as_ref())?);
        self.begin_log(name, doubt.code(), Some(continues))?;
        // Only now: if it could not begin, the doubt stays.
        self.doubt = None;
        self.log.spool.set_meta(&[("doubt", None)])
    }

    /// Who was walking goes on walking: the patrol begins again in the new log. Read from the disk, not
    /// remembered, so that a kill after the new log's first entry loses no patrol.
    pub(super) fn go_on_walking(&mut self) -> Result<()> {
        let Some(head) = self.log.head().filter(|h| h.next_seq == 1 && h.patrol.is_none() && h.log > 1) else {
            return Ok(());
        };
        if self.log.spool.patrol_at_end_of(head.log - 1)?.is_some() {
            self.patrol_start_unchecked()?;
        }
        Ok(())
    }

    fn begin_log(&mut self, name: LogId, reason: &'static str, continues: Option<EntryName>) -> Result<()> {
        let to: Recipients = self.recipients()?;
        let act = Act::LogStarted { device_key: self.keys.device_key(), continues, reason: reason.to_owned() };
        // The phone's own act: nobody has to confirm it.
        let common = Common { unconfirmed: false, ..self.common(None)? };
        let record = Record { common, act };
        let marker: &Path = &self.folder.marker();
        let ctx = Writing { keys: self.keys.as_ref(), clock: self.clock.as_ref(), to };
        let written = self.log.start(&ctx, name, reason, &record, marker)?;
        self.follow_written(written.key, &record);
        Ok(())
    }
}

/// Verifies a device certificate under a verified history.
pub(super) fn verify_certificate(bytes: &[u8], history: &KeyHistory, verifier: &dyn Verifier) -> Result<Signed<DeviceCertificate>> {
    Signed::verify(bytes, verifier, |certificate: &DeviceCertificate, id| history.signing_key_at(id, certificate.issued_ms))
        .map_err(|e| Error::untrusted("certificate", e))
}

/// Verifies a time token under a verified history.
pub(super) fn verify_token(bytes: &[u8], history: &KeyHistory, verifier: &dyn Verifier) -> Result<Signed<Token>> {
    Signed::verify(bytes, verifier, |token: &Token, id| history.signing_key_at(id, token.hub_time_ms))
        .map_err(|e| Error::untrusted("token", e))
}
