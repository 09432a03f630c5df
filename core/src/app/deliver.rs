//! The store as sync sees it, and the heads that the device key signs.

use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::cert::Token;
use yenban_protocol::chain::Link;
use yenban_protocol::crypto::{self, Hash};
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{BootId, EntryName, Epoch, LogId};
use yenban_protocol::keys::{KeyHistory, Purpose};
use yenban_protocol::limits::MAX_STREAMS;
use yenban_protocol::range::RangeSet;
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::seal::{SealedBody, SessionKey, SessionWrap};
use yenban_protocol::segment::Head;
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;
use yenban_protocol::wire::{Cursor, ItemRange};

use super::Phone;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::evidence::object_path;
use crate::evidence::seal::hash_file;
use crate::keys::{DeviceSigner, Drawn, KeyStore};
use crate::limits::SEGMENT_SEALED_BODIES_MAX_BYTES;
use crate::log::{Lane, broken};
use crate::store::Key;
use crate::store::marker::Doubt;
use crate::store::spool::Spool;
use crate::store::spool_feed::{Effect, NewItem};
use crate::store::spool_send::ReceiptRow;
use crate::sync::store::{Gap, Identity, LogDoubt, LogState, StoredEntry, StoredRequestKey, StreamState, SyncStore, WaitingFile};

/// What a feed item is sealed to the vault for.
pub(super) const ITEM_INFO: &[u8] = b"yb1/feed-item-at-rest";

/// In the spool: the epoch under which the hub has been given back what it lost.
const GIVEN_BACK: &str = "given_back";
/// Kinds of items that are orders: an alert, what became of an incident, a revocation, a change of a member's role.
const ORDERS: [u64; 4] = [1, 2, 3, 4];

pub(super) fn load_anchor(spool: &Spool) -> Result<Option<(BootId, Anchor)>> {
    let Some(bytes) = spool.meta("anchor")? else { return Ok(None) };
    let mut r = Reader::new(&bytes);
    let read = r.tuple(2, "anchor").and_then(|()| Ok((BootId(r.fixed("boot")?), Anchor::read(&mut r)?)));
    // An anchor that cannot be read is as good as none: times become wider, never wrong.
    Ok(read.ok())
}

impl Phone {
    /// Signs the newest head with the device key and keeps it; it vouches for everything up to there.
    /// May take a second on slow hardware, so it comes after the tick, never before.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], [`Error::KeyStore`], or not saved.
    pub fn sign_head(&mut self) -> Result<()> {
        let enrolment = self.enrolled_or_refuse()?;
        let head = *self.log.head().ok_or(Error::NotEnrolled)?;
        let Some(seq) = head.next_seq.checked_sub(1) else { return Ok(()) };
        let name = EntryName { log: LogId(head.name), seq };
        let token = enrolment.token.as_ref().map(|t| t.bytes().to_vec());
        let signed = Head::sign(name, &head.link, enrolment.device, token, &DeviceSigner(self.keys.as_ref()))
            .map_err(|e| Error::KeyStore(e.to_string()))?;
        let mut w = Writer::new();
        signed.write(&mut w);
        self.log.spool.put_head(Key::new(head.log, seq), w.as_bytes())?;
        self.head_signed_ms = Some(self.clock.monotonic_ms());
        Ok(())
    }

    /// As [`Phone::sign_head`] after a capture that is saved already: a key store that fails now must
    /// not look like a capture that failed. The head is signed again at the next occasion.
    pub(super) fn sign_head_if_possible(&mut self) {
        let _ = self.sign_head();
    }

    /// Signed heads of a log between two entries, ascending.
    pub fn heads(&self, log: LogId, first: u64, last: u64) -> Result<Vec<Head>> {
        let Some(number) = self.log.log_number(log)? else { return Ok(Vec::new()) };
        let rows = self.log.spool.heads(number, first, last)?;
        rows.iter().map(|bytes| Head::read(&mut Reader::new(bytes)).map_err(|e| broken(log.to_string(), e))).collect()
    }

    fn number_of(&self, log: LogId) -> Result<u32> {
        self.log.log_number(log)?.ok_or(Error::Unknown { what: "log", name: log.to_string() })
    }

    /// The newest receipt of a log, as the hub signed it.
    pub fn receipt(&self, log: LogId) -> Result<Option<Vec<u8>>> {
        self.log.spool.receipt(self.number_of(log)?)
    }

    /// Takes an entry, or files that it names, back from where they were set aside, to be sent again.
    ///
    /// # Errors
    /// [`Error::Unknown`] when it was not set aside.
    pub fn send_again(&mut self, entry: &str) -> Result<()> {
        let (_, key) = self.find_entry("entry", entry)?;
        let files = self.log.spool.unpark_files(key)?;
        if self.log.spool.unpark(key)? || files {
            return Ok(());
        }
        Err(Error::Unknown { what: "set-aside entry", name: entry.to_owned() })
    }

    /// Whose vault opens an item: the member it names, where this phone knows him or her, whoever has the
    /// phone when it comes; else who has it now.
    fn reader_of(&self, scope: Scope) -> Result<Option<crypto::PublicKey>> {
        let named = match scope {
            Scope::Member(member) => self.log.spool.member(member.0)?,
            _ => None,
        };
        Ok(named.map(|row| crypto::PublicKey(row.vault_key)).or(self.vault_key))
    }

    fn kept_item(&self, item: &Signed<FeedItem>) -> Result<NewItem> {
        let value = &item.value;
        // What is for one member or role is not readable before that vault opens.
        let sealed = matches!(value.scope, Scope::Member(_) | Scope::Role(_));
        let body = match (sealed, self.reader_of(value.scope)?) {
            (true, Some(key)) => {
                let mut random = Drawn::new(self.keys.as_ref())?;
                let boxed = crypto::seal(&mut random, &key, ITEM_INFO, b"", item.bytes()).map_err(|e| Error::KeyStore(e.to_string()))?;
                [&boxed.enc[..], &boxed.ciphertext].concat()
            }
            (true, None) => return Err(Error::NotEnrolled),
            (false, _) => item.bytes().to_vec(),
        };
        let effect = match &value.item {
            Item::ObjectsWanted { objects } => {
                let mut here = objects.clone();
                here.retain(|hash| self.lies_here(hash));
                Effect::Wanted { files: objects.clone(), here, issued_ms: value.issued_ms }
            }
            Item::CustodyHead(head) => Effect::Head { number: head.number, hash: head.hash(), item: item.bytes().to_vec() },
            _ => Effect::None,
        };
        let (scope, epoch, number, kind) = (value.scope.to_bytes(), value.epoch.0, value.number, value.item.kind());
        Ok(NewItem { scope, epoch, number, kind, sealed, body, effect })
    }
}

impl SyncStore for Phone {
    fn keys(&self) -> &dyn KeyStore {
        self.keys.as_ref()
    }

    fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    fn ready(&mut self) -> Result<()> {
        self.log.ready()
    }

    fn identity(&self) -> Result<Identity> {
        let enrolment = self.enrolled_or_refuse()?;
        Ok(Identity { device: enrolment.device, root_hash: enrolment.root_hash, history: enrolment.history.clone() })
    }

    fn set_history(&mut self, history: &Signed<KeyHistory>) -> Result<()> {
        let enrolment = self.enrolment.as_mut().ok_or(Error::NotEnrolled)?;
        let seal = history.value.current(Purpose::Seal);
        let seal = seal.ok_or_else(|| Error::untrusted("key history", "it has no sealing key"))?;
        if history.value.number < enrolment.history.value.number {
            return Err(Error::untrusted("key history", "it is older than the one at hand"));
        }
        self.log.spool.set_meta(&[("history", Some(history.bytes()))])?;
        enrolment.hub_seal_key = seal.key;
        enrolment.history = history.clone();
        Ok(())
    }

    fn token(&self) -> Result<Option<Signed<Token>>> {
        Ok(self.enrolment.as_ref().and_then(|e| e.token.clone()))
    }

    fn set_token(&mut self, token: &Signed<Token>, contact: Anchor) -> Result<()> {
        let boot = BootId(self.clock.boot_id());
        let mut w = Writer::new();
        w.array(2).bytes(&boot.0);
        contact.write(&mut w);
        self.log.spool.set_meta(&[("token", Some(token.bytes())), ("anchor", Some(w.as_bytes()))])?;
        self.anchor = Some((boot, contact));
        if let Some(enrolment) = self.enrolment.as_mut() {
            enrolment.token = Some(token.clone());
        }
        Ok(())
    }

    fn epoch(&self) -> Result<Option<Epoch>> {
        let bytes = self.log.spool.meta("epoch")?;
        Ok(bytes.and_then(|b| b.as_slice().try_into().ok()).map(Epoch))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.log.spool.begin_epoch(epoch.0)
    }

    fn request_key(&self) -> Result<Option<StoredRequestKey>> {
        let wrapped = self.log.spool.meta("request_key")?;
        let certificate = self.log.spool.meta("request_certificate")?;
        Ok(wrapped.zip(certificate).map(|(wrapped, certificate)| StoredRequestKey { wrapped, certificate }))
    }

    fn set_request_key(&mut self, key: &StoredRequestKey) -> Result<()> {
        self.log.spool.set_meta(&[("request_key", Some(&key.wrapped)), ("request_certificate", Some(&key.certificate))])
    }

    fn logs(&self) -> Result<Vec<LogState>> {
        let logs = self.log.spool.logs()?;
        logs.into_iter().map(|(number, name, _)| Ok(LogState { log: LogId(name), len: self.log.spool.len_of(number)? })).collect()
    }

    fn received(&self, log: LogId) -> Result<RangeSet> {
        self.log.spool.received(self.number_of(log)?)
    }

    fn parked(&self, log: LogId) -> Result<RangeSet> {
        let parked = self.log.spool.parked(self.number_of(log)?)?;
        Ok(parked.into_iter().map(|(seq, _)| (seq, seq)).collect())
    }

    fn unanswered(&self, log: LogId) -> Result<RangeSet> {
        let attempts = self.log.spool.attempts(self.number_of(log)?)?;
        Ok(attempts.into_iter().map(|run| (run.first, run.last)).collect())
    }

    fn urgent(&self, log: LogId, from: u64) -> Result<Vec<u64>> {
        self.log.spool.in_lane(self.number_of(log)?, Lane::Urgent as u8, from)
    }

    fn link(&self, log: LogId, seq: u64) -> Result<Option<Link>> {
        match self.log.key_of(EntryName { log, seq })? {
            Some(key) => self.log.spool.link(key),
            None => Ok(None),
        }
    }

    fn entries(&self, log: LogId, first: u64, limit: u32) -> Result<Vec<StoredEntry>> {
        let rows = self.log.spool.entries_to_send(self.number_of(log)?, first, limit, SEGMENT_SEALED_BODIES_MAX_BYTES)?;
        rows.into_iter()
            .map(|row| {
                let name = EntryName { log, seq: row.key.seq() };
                let body = SealedBody::from_bytes(&row.body).map_err(|e| broken(name.to_string(), e))?;
                let size_bytes = row.body.len();
                Ok(StoredEntry { seq: name.seq, link: row.link, session: row.session, body, size_bytes })
            })
            .collect()
    }

    fn heads(&self, log: LogId, first: u64, last: u64) -> Result<Vec<Head>> {
        Phone::heads(self, log, first, last)
    }

    fn session_wrap(&self, session: i64) -> Result<SessionWrap> {
        let at = || format!("session {session}");
        let row = self.log.spool.session(session)?.ok_or_else(|| broken(at(), "it is not in the spool"))?;
        SessionWrap::read(&mut Reader::new(&row.for_hub)).map_err(|e| broken(at(), e))
    }

    fn session_key(&mut self, session: i64) -> Result<Option<SessionKey>> {
        match &mut self.open {
            // A wrap that is damaged for the vault may be whole for the hub: sent as stored, it decides.
            Some(open) => match super::session_key(&self.log, self.member, open, session) {
                Err(Error::LogBroken { .. }) => Ok(None),
                found => found,
            },
            None => Ok(None),
        }
    }

    fn apply_receipt(&mut self, receipt: &Signed<Receipt>, held: &[Held]) -> Result<()> {
        let value = &receipt.value;
        let held: Vec<_> = held.iter().map(|h| (h.first, h.last, h.last_link)).collect();
        let row = ReceiptRow {
            log: self.number_of(value.log)?,
            epoch: value.epoch.0,
            hub_ms: value.hub_time_ms,
            hold_s: value.hold_s,
            bytes: receipt.bytes(),
            held: &held,
            objects: &value.objects,
        };
        self.log.spool.apply_receipt(&row)?;
        // Doubt is raised before a receipt is applied.
        self.hub_agrees = self.doubt.is_none() && self.log.head().is_some_and(|head| head.name == value.log.0);
        Ok(())
    }

    fn note_unanswered(&mut self, log: LogId, first: u64, last: u64) -> Result<()> {
        let (number, now_ms) = (self.number_of(log)?, self.clock.wall_ms());
        self.log.spool.note_attempt(number, first, last, None, now_ms).map(|_| ())
    }

    fn note_rejection(&mut self, log: LogId, first: u64, last: u64, reason: &str) -> Result<u32> {
        let (number, now_ms) = (self.number_of(log)?, self.clock.wall_ms());
        self.log.spool.note_attempt(number, first, last, Some(reason), now_ms)
    }

    fn park(&mut self, log: LogId, seq: u64, reason: &str) -> Result<()> {
        let key = Key::new(self.number_of(log)?, seq);
        let now_ms = self.clock.wall_ms();
        self.log.spool.park(key, reason, now_ms)
    }

    fn files(&self, limit: usize) -> Result<Vec<WaitingFile>> {
        let objects = self.folder.objects();
        let rows = self.log.spool.files_to_offer(limit)?;
        let waiting = |(sealed_sha256, size_bytes, here)| WaitingFile {
            sealed_sha256,
            size_bytes,
            path: object_path(&objects, &sealed_sha256),
            here,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    fn file_waits(&self, file: &Hash) -> Result<bool> {
        self.log.spool.file_waits(file)
    }

    fn files_waiting(&self) -> Result<u64> {
        self.log.spool.files_waiting()
    }

    fn is_file_whole(&self, file: &Hash) -> Result<bool> {
        match hash_file(self.disk.as_ref(), &object_path(&self.folder.objects(), file)) {
            Ok((hash, _)) => Ok(hash == *file),
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(false),
            // Not known now: then the hub's word counts.
            Err(_) => Ok(true),
        }
    }

    fn note_file(&mut self, file: &Hash, why: &str) -> Result<()> {
        self.log.spool.note_file(file, why)
    }

    fn note_file_rejection(&mut self, file: &Hash, reason: &str) -> Result<u32> {
        self.log.spool.note_file_rejection(file, reason)
    }

    fn park_file(&mut self, file: &Hash, reason: &str) -> Result<()> {
        self.log.spool.park_file(file, reason)
    }

    fn doubt(&mut self, doubt: LogDoubt) -> Result<()> {
        let doubt = match doubt {
            LogDoubt::HubAhead => Doubt::HubAhead,
            LogDoubt::Fork => Doubt::Fork,
        };
        self.raise_doubt(doubt)
    }

    fn streams(&self) -> Result<Vec<StreamState>> {
        let rows = self.log.spool.streams()?;
        rows.into_iter()
            .map(|(scope, epoch, number, hash)| {
                let scope = Scope::from_bytes(&scope).map_err(|e| broken("feed".into(), e))?;
                Ok(StreamState { scope, epoch: Epoch(epoch), number, hash })
            })
            .collect()
    }

    fn apply_items(&mut self, items: &[Signed<FeedItem>], streams: &[StreamState], gaps: &[Gap]) -> Result<u64> {
        let kept = items.iter().map(|item| self.kept_item(item)).collect::<Result<Vec<_>>>()?;
        let streams: Vec<_> = streams.iter().map(|s| (s.scope.to_bytes(), s.epoch.0, s.number, s.hash)).collect();
        let gaps: Vec<_> = gaps.iter().map(|g| (g.scope.to_bytes(), g.epoch.0, g.first, g.last)).collect();
        self.log.spool.apply_items(&kept, &streams, &gaps)
    }

    fn keep_streams(&mut self, open: &[Scope]) -> Result<()> {
        let open: Vec<_> = open.iter().map(Scope::to_bytes).collect();
        self.log.spool.keep_streams(&open)
    }

    fn small_files(&self, limit: usize, most_bytes: u64) -> Result<Vec<WaitingFile>> {
        let objects = self.folder.objects();
        let rows = self.log.spool.small_files(limit, most_bytes)?;
        let waiting = |(sealed_sha256, size_bytes)| WaitingFile {
            sealed_sha256,
            size_bytes,
            path: object_path(&objects, &sealed_sha256),
            here: true,
        };
        Ok(rows.into_iter().map(waiting).collect())
    }

    fn keep_token(&mut self, token: &Signed<Token>) -> Result<()> {
        self.log.spool.set_meta(&[("token", Some(token.bytes()))])?;
        if let Some(enrolment) = self.enrolment.as_mut() {
            enrolment.token = Some(token.clone());
        }
        Ok(())
    }

    fn earlier_items(&self) -> Result<Vec<Cursor>> {
        let Some(epoch) =
            self.epoch()?.filter(|epoch| self.log.spool.meta(GIVEN_BACK).is_ok_and(|done| done.as_deref() != Some(&epoch.0[..])))
        else {
            return Ok(Vec::new());
        };
        let rows = self.log.spool.earlier_items(epoch.0, &ORDERS, self.open.is_some())?;
        let cursor = |(scope, epoch, number): (Vec<u8>, [u8; 8], u64)| {
            let scope = Scope::from_bytes(&scope).map_err(|e| broken("the feed".to_owned(), e))?;
            Ok(Cursor { scope, epoch: Epoch(epoch), number })
        };
        rows.into_iter().take(MAX_STREAMS).map(cursor).collect()
    }

    fn items_in(&self, range: &ItemRange) -> Result<Vec<Vec<u8>>> {
        let rows = self.log.spool.items_in(&range.scope.to_bytes(), range.epoch.0, (range.first, range.last), &ORDERS)?;
        Ok(rows.into_iter().filter_map(|row| self.signed_item(row)).collect())
    }

    fn given_back(&mut self) -> Result<()> {
        let Some(epoch) = self.epoch()? else { return Ok(()) };
        // While the vault is locked, what is sealed to it was not among them: it is asked about again.
        if self.open.is_none() && !self.log.spool.earlier_items(epoch.0, &ORDERS, true)?.is_empty() {
            return Ok(());
        }
        self.log.spool.set_meta(&[(GIVEN_BACK, Some(&epoch.0))])
    }

    fn make_room(&mut self) {
        // What cannot go now goes another time.
        let _ = self.evict_what_may_go();
        let _ = self.settle_unnamed_when_sure();
    }
}
