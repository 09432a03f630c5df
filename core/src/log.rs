//! The log: one step of the chain and sealing an entry, one synced commit for what belongs together.
//!
//! The head in memory moves only after the commit. After a failed commit nobody knows what the disk
//! holds, so the next append opens the spool again and takes the head from there.

use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::chain::{self, Body, Part, SALT_BYTES};
use yenban_protocol::crypto::PublicKey;
use yenban_protocol::id::{EntryName, LogId, MemberNo};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::record::{Act, Record};
use yenban_protocol::seal::{SealedBody, SessionKey, SessionWrap};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::keys::{Drawn, KeyStore};
use crate::limits::{LOGS_MAX, SEQ_MAX, SESSION_MAX_ENTRIES, SESSION_MAX_MS};
use crate::store::Key;
use crate::store::marker::{self, Marker};
use crate::store::spool::{Commit, EntryRow, HandOver, Head, NewLog, NewSession, Spool};
use crate::store::spool_capture::NewFile;

/// Order of sending: an urgent entry overtakes, evidence comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// An urgent incident and what belongs to it.
    Urgent,
    /// Everything written.
    Text,
    /// Entries that name a sealed file.
    Evidence,
}

/// Who writes, for whom it is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipients {
    /// The hub's sealing key.
    pub hub: PublicKey,
    /// The author's vault key.
    pub vault: PublicKey,
    /// The author.
    pub member: MemberNo,
}

/// An entry to be written.
pub(crate) struct Draft<'a> {
    pub record: &'a Record,
    pub lane: Lane,
    /// The open patrol after this entry.
    pub patrol: Option<u64>,
    pub paused: bool,
    pub files: &'a [NewFile],
    /// The capture that this entry ends.
    pub capture: Option<[u8; 8]>,
    pub handover: Option<HandOver>,
}

/// An entry that is on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Written {
    pub key: Key,
    pub name: EntryName,
}

struct Session {
    id: i64,
    key: SessionKey,
    for_whom: Recipients,
    log: u32,
    boot: [u8; 8],
    since_ms: u64,
    entries: u32,
    /// Not on the disk yet: goes with the next entry.
    pending: Option<NewSession>,
}

/// The log of this store and the spool under it.
pub(crate) struct Log {
    pub spool: Spool,
    head: Option<Head>,
    session: Option<Session>,
}

impl Log {
    /// Takes over an open spool.
    pub(crate) fn open(spool: Spool) -> Result<Log> {
        let head = spool.head()?;
        Ok(Log { spool, head, session: None })
    }

    /// Where the log stands; `None` before enrolment.
    pub(crate) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    /// The log's name; `None` before enrolment.
    pub(crate) fn name(&self) -> Option<LogId> {
        self.head.map(|h| LogId(h.name))
    }

    /// Forgets the session key: at lock, hand-over and start.
    pub(crate) fn end_session(&mut self) {
        self.session = None;
    }

    /// Makes sure that the spool is open and the head is what the disk says.
    pub(crate) fn ready(&mut self) -> Result<()> {
        self.spool.refresh()?;
        if self.spool.was_reopened() {
            if !planted(Bug::HeadNotReadAgain) {
                self.head = self.spool.head()?;
            }
            // A session whose row may not be on the disk must not seal anything more.
            self.session = self.session.take().filter(|_| planted(Bug::SessionSurvives));
            self.spool.head_is_known();
        }
        Ok(())
    }

    /// Starts a log with its first entry. The marker is written first: if the commit then fails, the
    /// next start finds a difference and begins another log, which is safe; the reverse is not.
    pub(crate) fn start(
        &mut self,
        ctx: &Writing<'_>,
        name: LogId,
        reason: &'static str,
        record: &Record,
        marker_path: &std::path::Path,
    ) -> Result<Written> {
        self.ready()?;
        let id = self.head.map_or(1, |h| h.log + 1);
        if id >= LOGS_MAX {
            return Err(Error::invalid("log", "this store has begun too many logs"));
        }
        let nonce = crate::keys::random(ctx.keys)?;
        marker::write(marker_path, &Marker { log: name, nonce })?;
        let log = NewLog { id, name: name.0, nonce, reason };
        let head = Head { log: id, name: name.0, next_seq: 0, link: chain::FIRST_LINK, patrol: None, paused: false };
        self.session = None;
        let draft = Draft { record, lane: Lane::Text, patrol: None, paused: false, files: &[], capture: None, handover: None };
        let written = self.write(ctx, head, &[draft], Some(&log))?;
        written.first().copied().ok_or(Error::NotEnrolled)
    }

    /// The name that the next entry gets; certain only right after [`Log::ready`].
    pub(crate) fn next_name(&self) -> Option<EntryName> {
        self.head.map(|head| EntryName { log: LogId(head.name), seq: head.next_seq })
    }

    /// Appends entries in one synced commit, each a step of the chain and sealed. When this returns `Ok` all of them
    /// are on the disk, in their order; on an error they must be taken as not saved, none of them.
    pub(crate) fn append(&mut self, ctx: &Writing<'_>, drafts: &[Draft<'_>]) -> Result<Vec<Written>> {
        self.ready()?;
        let head = self.head.ok_or(Error::NotEnrolled)?;
        self.write(ctx, head, drafts, None)
    }

    fn write(&mut self, ctx: &Writing<'_>, mut head: Head, drafts: &[Draft<'_>], log: Option<&NewLog>) -> Result<Vec<Written>> {
        if head.next_seq.saturating_add(drafts.len() as u64) > SEQ_MAX {
            return Err(Error::invalid("log", "this log is full"));
        }
        let log_name = LogId(head.name);
        let more = u32::try_from(drafts.len()).unwrap_or(u32::MAX);
        self.ensure_session(ctx, head.log, log_name, more)?;
        let session = self.session.as_mut().ok_or(Error::NotEnrolled)?;
        let (mut entries, mut written) = (Vec::with_capacity(drafts.len()), Vec::with_capacity(drafts.len()));
        for draft in drafts {
            let first = entries.is_empty();
            // Drawn anew: one drawing is for one sealing.
            let mut random = Drawn::new(ctx.keys)?;
            let name = EntryName { log: log_name, seq: head.next_seq };
            let key = Key::new(head.log, head.next_seq);
            let body = new_body(&mut random, draft.record.to_parts().map_err(bad_record)?)?;
            let link = body.link(name.log, name.seq, &head.link);
            let sealed = session.key.seal(&mut random, name, &body).map_err(bad_record)?;
            let row = EntryRow {
                key,
                link,
                session: session.id,
                lane: draft.lane as u8,
                author: draft.record.common.author.0,
                unconfirmed: draft.record.common.unconfirmed,
                patrol: draft.patrol,
                paused: draft.paused,
                body: sealed.to_bytes(),
                previous: Some(head.link),
            };
            // Log and session stand before the first entry that names them.
            let (log, new) = if first { (log, session.pending.as_ref()) } else { (None, None) };
            let with = Commit { log, session: new, files: draft.files, capture: draft.capture, handover: draft.handover };
            entries.push((row, with));
            written.push(Written { key, name });
            head = Head { next_seq: head.next_seq + 1, link, patrol: draft.patrol, paused: draft.paused, ..head };
        }
        self.spool.append(&entries)?;
        session.pending = None;
        session.entries = session.entries.saturating_add(more);
        self.head = Some(head);
        Ok(written)
    }

    /// A session that takes `more` entries.
    fn ensure_session(&mut self, ctx: &Writing<'_>, log: u32, log_name: LogId, more: u32) -> Result<()> {
        let (boot, now_ms) = (ctx.clock.boot_id(), ctx.clock.monotonic_ms());
        let fits = self.session.as_ref().is_some_and(|s| {
            s.log == log
                && s.for_whom == ctx.to
                && s.boot == boot
                && now_ms.saturating_sub(s.since_ms) < SESSION_MAX_MS
                && s.entries.saturating_add(more) <= SESSION_MAX_ENTRIES
        });
        if fits {
            return Ok(());
        }
        let mut random = Drawn::new(ctx.keys)?;
        let key = SessionKey::generate(&mut random);
        let mut wrap = |to: &PublicKey| -> Result<Vec<u8>> {
            let wrap = key.wrap(&mut random, log_name, to).map_err(bad_record)?;
            let mut w = Writer::new();
            wrap.write(&mut w);
            Ok(w.into_bytes())
        };
        let (for_hub, for_vault) = (wrap(&ctx.to.hub)?, wrap(&ctx.to.vault)?);
        let id = self.spool.next_session()?;
        let pending = NewSession { id, name: key.id.0, log, member: ctx.to.member.0, for_hub, for_vault: Some(for_vault) };
        self.session = Some(Session { id, key, for_whom: ctx.to, log, boot, since_ms: now_ms, entries: 0, pending: Some(pending) });
        Ok(())
    }

    /// The key of session `id`: the one in use, or opened with the vault's key. `None` when it was
    /// sealed for another member.
    pub(crate) fn session_key(&self, id: i64, vault: &VaultOpener<'_>) -> Result<Option<SessionKey>> {
        let Some(row) = self.spool.session(id)? else {
            return Err(broken(format!("session {id}"), "it is not in the spool"));
        };
        let Some(bytes) = row.for_vault.filter(|_| row.member == vault.member) else {
            return Ok(None);
        };
        let log = self.log_name(row.log)?;
        let wrap = SessionWrap::read(&mut Reader::new(&bytes)).map_err(|e| broken(format!("session {id}"), e))?;
        wrap.open(log, vault.opener).map(Some).map_err(|e| broken(format!("session {id}"), e))
    }

    /// Name of the log with local number `log`.
    pub(crate) fn log_name(&self, log: u32) -> Result<LogId> {
        if let Some(head) = self.head.filter(|h| h.log == log) {
            return Ok(LogId(head.name));
        }
        let logs = self.spool.logs()?;
        let found = logs.iter().find(|(id, ..)| *id == log);
        found.map(|(_, name, _)| LogId(*name)).ok_or_else(|| broken(format!("log {log}"), "it is not in the spool"))
    }

    /// Local number of a log of this store.
    pub(crate) fn log_number(&self, name: LogId) -> Result<Option<u32>> {
        if let Some(head) = self.head.filter(|h| h.name == name.0) {
            return Ok(Some(head.log));
        }
        let logs = self.spool.logs()?;
        Ok(logs.iter().find(|(_, n, _)| *n == name.0).map(|(id, ..)| *id))
    }

    /// The key of a named entry, if its log is one of this store.
    pub(crate) fn key_of(&self, name: EntryName) -> Result<Option<Key>> {
        if name.seq > SEQ_MAX {
            return Ok(None);
        }
        Ok(self.log_number(name.log)?.map(|log| Key::new(log, name.seq)))
    }

    /// The name of an entry of this store.
    pub(crate) fn name_of(&self, key: Key) -> Result<EntryName> {
        Ok(EntryName { log: self.log_name(key.log())?, seq: key.seq() })
    }
}

/// What writing an entry needs from outside.
pub(crate) struct Writing<'a> {
    pub keys: &'a dyn KeyStore,
    pub clock: &'a dyn Clock,
    pub to: Recipients,
}

/// The open vault's sealing key.
pub(crate) struct VaultOpener<'a> {
    pub member: u32,
    pub opener: &'a yenban_protocol::crypto::SecretKey,
}

fn new_body(random: &mut Drawn, parts: Vec<Part>) -> Result<Body> {
    use rand_core::Rng;
    let mut salt = [0; SALT_BYTES];
    random.fill_bytes(&mut salt);
    if planted(Bug::SaltRepeated) {
        salt = [7; SALT_BYTES];
    }
    Body::new(salt, parts).map_err(bad_record)
}

/// Opens a stored body.
pub(crate) fn open_body(session: &SessionKey, name: EntryName, body: &[u8]) -> Result<Body> {
    SealedBody::from_bytes(body).and_then(|sealed| session.open(name, &sealed)).map_err(|e| broken(name.to_string(), e))
}

/// Reads what an opened body says.
pub(crate) fn read_record(name: EntryName, body: &Body) -> Result<Record> {
    let parts: Vec<Option<&Part>> = body.parts.iter().map(Some).collect();
    Record::from_parts(&parts).map_err(|e| broken(name.to_string(), e))
}

pub(crate) fn broken(at: String, why: impl ToString) -> Error {
    Error::LogBroken { at, why: why.to_string() }
}

/// An entry that the protocol does not accept: a limit that the caller's input passed.
fn bad_record(e: yenban_protocol::Error) -> Error {
    Error::invalid("entry", e.to_string())
}

/// The lane of an act.
pub(crate) fn lane_of(act: &Act) -> Lane {
    match act {
        Act::IncidentReported { urgent: true, .. } => Lane::Urgent,
        Act::PhotoCaptured { .. } => Lane::Evidence,
        _ => Lane::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::VirtualClock;
    use crate::keys::SeededKeyStore;
    use crate::store::spool_capture::FileKind;
    use yenban_protocol::id::BootId;
    use yenban_protocol::record::Common;
    use yenban_protocol::time::Stamp;

    fn record(act: Act) -> Record {
        let stamp = Stamp { wall_ms: 0, monotonic_ms: 0, boot: BootId([1; 8]), anchor: None, gnss_ms: None };
        Record { common: Common { author: MemberNo(7), unconfirmed: false, stamp, position: None }, act }
    }

    fn draft(record: &Record) -> Draft<'_> {
        Draft { record, lane: Lane::Text, patrol: None, paused: false, files: &[], capture: None, handover: None }
    }

    /// A log with its first entry; what it is written with.
    fn started(dir: &std::path::Path, keys: &SeededKeyStore, clock: &dyn Clock) -> (Log, Recipients) {
        let spool =
            Spool::open(std::sync::Arc::new(crate::disk::RealDisk), dir.join("spool.db"), zeroize::Zeroizing::new([3; 32])).unwrap();
        let mut log = Log::open(spool).unwrap();
        let to = Recipients { hub: keys.device_key(), vault: keys.device_key(), member: MemberNo(7) };
        let first = record(Act::LogStarted { device_key: keys.device_key(), continues: None, reason: "enrolled".into() });
        log.start(&Writing { keys, clock, to }, LogId([9; 8]), "enrolled", &first, &dir.join("marker")).unwrap();
        (log, to)
    }

    #[test]
    fn a_commit_that_landed_though_it_was_told_as_failed_costs_no_further_capture() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, clock) = (SeededKeyStore::new(1), VirtualClock::starting_at(0));
        let (mut log, to) = started(dir.path(), &keys, &clock);
        // Entry 1 is on the disk and this log does not know it.
        let landed = EntryRow { key: Key::new(1, 1), link: [8; 32], ..log.spool.entry(Key::new(1, 0)).unwrap().unwrap() };
        let landed = [(landed, Commit::default())];
        log.spool.append(&landed).unwrap();
        assert!(log.spool.append(&landed).is_err());
        // Something else uses the spool before the next capture.
        log.spool.set_meta(&[("anchor", Some(b"x"))]).unwrap();
        let check_in = record(Act::CheckIn { patrol_seq: None, checkpoint: None, note: None });
        let written = log.append(&Writing { keys: &keys, clock: &clock, to }, &[draft(&check_in)]).unwrap();
        assert_eq!(written[0].name.seq, 2);
        assert_eq!(log.head().unwrap().next_seq, 3);
    }

    #[test]
    fn entries_of_one_commit_are_all_there_or_none_and_name_their_session_once() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, clock) = (SeededKeyStore::new(1), VirtualClock::starting_at(0));
        let (mut log, to) = started(dir.path(), &keys, &clock);
        let ctx = Writing { keys: &keys, clock: &clock, to };
        let said = record(Act::CheckIn { patrol_seq: None, checkpoint: None, note: None });
        let named = |hash: u8| [NewFile { sealed_sha256: [hash; 32], size_bytes: 1, kind: FileKind::Original, photo: None, urgent: false }];
        let (one, two) = (named(1), named(2));
        let before = *log.head().unwrap();
        // The last of them names a file that another names already.
        let drafts = [draft(&said), Draft { files: &one, ..draft(&said) }, Draft { files: &one, ..draft(&said) }];
        assert!(log.append(&ctx, &drafts).is_err());
        log.ready().unwrap();
        assert_eq!((log.spool.head().unwrap(), log.spool.files().unwrap().len()), (Some(before), 0));
        // Forty: more than one drawing of random bytes would serve.
        let many: Vec<Draft<'_>> = (0..38).map(|_| draft(&said)).collect();
        let named = [Draft { files: &one, ..draft(&said) }, Draft { files: &two, ..draft(&said) }];
        let drafts: Vec<Draft<'_>> = many.into_iter().chain(named).collect();
        let written = log.append(&ctx, &drafts).unwrap();
        assert_eq!(written.iter().map(|w| w.name.seq).collect::<Vec<_>>(), (1..=40).collect::<Vec<_>>());
        assert_eq!(log.spool.head().unwrap().as_ref(), log.head());
        let rows = log.spool.entries(1, 1, 99).unwrap();
        assert!(rows.len() == 40 && rows.iter().all(|row| row.session == rows[0].session));
        let session = log.spool.session(rows[0].session).unwrap().unwrap();
        assert_eq!((session.log, session.member), (1, 7));
        let links: std::collections::HashSet<_> = rows.iter().map(|row| row.link).collect();
        assert_eq!((links.len(), log.spool.files().unwrap()[1].entry), (40, written[39].key));
    }

    #[test]
    fn a_hand_over_and_its_entry_are_one_commit() {
        let dir = tempfile::tempdir().unwrap();
        let (keys, clock) = (SeededKeyStore::new(1), VirtualClock::starting_at(0));
        let (mut log, to) = started(dir.path(), &keys, &clock);
        let taken = log.spool.entry(Key::new(1, 0)).unwrap().unwrap();
        let handover = Some(HandOver { from: 7, to: 8 });
        assert!(log.spool.append(&[(taken, Commit { handover, ..Commit::default() })]).is_err());
        assert_eq!(log.spool.meta("holder").unwrap(), None);
        let over = record(Act::PhoneHandedOver { to: MemberNo(8) });
        log.append(&Writing { keys: &keys, clock: &clock, to }, &[Draft { handover, ..draft(&over) }]).unwrap();
        assert_eq!(log.spool.meta("holder").unwrap(), Some(8_u32.to_be_bytes().to_vec()));
    }
}
