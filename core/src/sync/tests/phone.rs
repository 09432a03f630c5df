//! A phone's store in memory: what sync asks of it, with real sealing and a real chain.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use yenban_protocol::cert::Token;
use yenban_protocol::chain::{Body, Class, FIRST_LINK, Link, Part};
use yenban_protocol::crypto::{Hash, PublicKey, SecretKey, Signer as _, sha256};
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{DeviceId, EntryName, Epoch, LogId};
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::range::RangeSet;
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::seal::{SessionKey, SessionWrap};
use yenban_protocol::segment::Head;
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;
use yenban_protocol::wire::{Cursor, ItemRange};

use crate::clock::{Clock, VirtualClock};
use crate::error::{Error, Result};
use crate::keys::{Drawn, KeyStore, SeededKeyStore};
use crate::sync::store::{Gap, Identity, LogDoubt, LogState, StoredEntry, StoredRequestKey, StreamState, SyncStore, WaitingFile};
use crate::sync::{Body as Carried, Request};

/// A sealed file as the phone has it.
#[derive(Debug, Clone)]
pub(super) struct MemoryFile {
    pub hash: Hash,
    pub bytes: Vec<u8>,
    pub log: LogId,
    pub seq: u64,
    pub kind: u8,
    pub urgent: bool,
    pub here: bool,
    pub received: bool,
    pub rejections: u32,
    pub parked: Option<String>,
    pub reason: Option<String>,
    pub wanted_ms: Option<i64>,
}

pub(super) struct MemoryLog {
    pub log: LogId,
    pub entries: BTreeMap<u64, StoredEntry>,
    pub len: u64,
    pub link: Link,
    pub urgent: BTreeSet<u64>,
    pub heads: Vec<Head>,
    pub received: RangeSet,
    pub parked: BTreeMap<u64, String>,
}

pub(super) struct Phone {
    pub identity: Identity,
    pub logs: Vec<MemoryLog>,
    pub locked: bool,
    pub token: Option<Signed<Token>>,
    pub contact: Option<Anchor>,
    pub epoch: Option<Epoch>,
    pub request_key: Option<StoredRequestKey>,
    pub rejections: BTreeMap<(LogId, u64, u64), u32>,
    pub unanswered: Vec<(LogId, u64, u64)>,
    pub doubts: Vec<LogDoubt>,
    pub streams: Vec<StreamState>,
    pub items: BTreeMap<(Scope, Epoch, u64), Vec<u8>>,
    pub given_back: Option<Epoch>,
    pub gaps: Vec<Gap>,
    pub receipts_applied: usize,
    pub files: Vec<MemoryFile>,
    session: SessionKey,
    wrap: SessionWrap,
    pub keys: SeededKeyStore,
    pub clock: std::sync::Arc<VirtualClock>,
}

pub(super) const LOG: LogId = LogId([7; 8]);
pub(super) const DEVICE: DeviceId = DeviceId([3; 8]);

impl Phone {
    pub(super) fn new(history: Signed<KeyHistory>, token: Signed<Token>, seed: u64) -> Phone {
        let keys = SeededKeyStore::new(seed);
        let hub = history.value.current(yenban_protocol::keys::Purpose::Seal).unwrap().key;
        let (session, wrap) = new_session(&keys, LOG, &hub);
        let root_hash = yenban_protocol::keys::root_hash(&history.value.root);
        Phone {
            identity: Identity { device: DEVICE, root_hash, history },
            logs: vec![MemoryLog::new(LOG)],
            locked: false,
            epoch: Some(token.value.epoch),
            token: Some(token),
            contact: None,
            request_key: None,
            rejections: BTreeMap::new(),
            unanswered: Vec::new(),
            doubts: Vec::new(),
            streams: Vec::new(),
            items: BTreeMap::new(),
            given_back: None,
            gaps: Vec::new(),
            receipts_applied: 0,
            files: Vec::new(),
            session,
            wrap,
            keys,
            clock: VirtualClock::starting_at(0),
        }
    }

    pub(super) fn device_key(&self) -> PublicKey {
        self.keys.device_key()
    }

    /// Records an entry; its content tells its number, so that a mix-up shows.
    pub(super) fn record(&mut self, urgent: bool) -> u64 {
        let mut random = Drawn::new(&self.keys).unwrap();
        let log = self.logs.last_mut().unwrap();
        let seq = log.len;
        let mut w = yenban_protocol::cbor::Writer::new();
        w.map(2).uint(0).uint(2).uint(1).uint(seq);
        let mut salt = [0; 16];
        rand_core::Rng::fill_bytes(&mut random, &mut salt);
        let body = Body::new(salt, vec![Part { class: Class::DUTY, bytes: w.into_bytes() }]).unwrap();
        let link = body.link(log.log, seq, &log.link);
        let sealed = self.session.seal(&mut random, EntryName { log: log.log, seq }, &body).unwrap();
        let size_bytes = sealed.to_bytes().len();
        log.entries.insert(seq, StoredEntry { seq, link, session: 1, body: sealed, size_bytes });
        log.link = link;
        log.len += 1;
        if urgent {
            log.urgent.insert(seq);
        }
        seq
    }

    pub(super) fn record_many(&mut self, count: u64) {
        for _ in 0..count {
            self.record(false);
        }
    }

    /// Records an entry that names a sealed file of so many bytes; its content tells which it is.
    pub(super) fn photograph(&mut self, size_bytes: usize, kind: u8, urgent: bool) -> Hash {
        let seq = self.record(false);
        let log = self.logs.last().unwrap().log;
        let mut bytes: Vec<u8> = (0..size_bytes).map(|n| (n as u64).wrapping_mul(2_654_435_761).to_le_bytes()[1] ^ seq as u8).collect();
        let name = [log.0.as_slice(), &seq.to_le_bytes()].concat();
        bytes.iter_mut().zip(name).for_each(|(byte, of)| *byte = of);
        let hash = sha256(&bytes);
        self.files.push(MemoryFile {
            hash,
            bytes,
            log,
            seq,
            kind,
            urgent,
            here: true,
            received: false,
            rejections: 0,
            parked: None,
            reason: None,
            wanted_ms: None,
        });
        hash
    }

    pub(super) fn file(&mut self, hash: &Hash) -> &mut MemoryFile {
        self.files.iter_mut().find(|f| f.hash == *hash).unwrap()
    }

    /// What a request carries, read from "disk".
    pub(super) fn read(&self, request: &Request) -> Vec<u8> {
        let Carried::File(part) = &request.body else { return request.body.bytes().to_vec() };
        let file = self.files.iter().find(|f| path_of(&f.hash) == part.path).unwrap();
        file.bytes[part.offset as usize..][..part.length as usize].to_vec()
    }

    /// Signs the newest entry, as at a photograph or a finish.
    pub(super) fn sign_head(&mut self) {
        let token = self.token.as_ref().map(|t| t.bytes().to_vec());
        let log = self.logs.last_mut().unwrap();
        let name = EntryName { log: log.log, seq: log.len - 1 };
        log.heads.push(Head::sign(name, &log.link, DEVICE, token, &crate::keys::DeviceSigner(&self.keys)).unwrap());
    }

    pub(super) fn begin_log(&mut self, log: LogId) {
        let hub = self.identity.history.value.current(yenban_protocol::keys::Purpose::Seal).unwrap().key;
        self.logs.push(MemoryLog::new(log));
        (self.session, self.wrap) = new_session(&self.keys, log, &hub);
    }

    pub(super) fn log(&self) -> &MemoryLog {
        &self.logs[0]
    }

    fn find(&self, log: LogId) -> &MemoryLog {
        self.logs.iter().find(|l| l.log == log).unwrap()
    }

    fn find_mut(&mut self, log: LogId) -> &mut MemoryLog {
        self.logs.iter_mut().find(|l| l.log == log).unwrap()
    }
}

fn path_of(hash: &Hash) -> PathBuf {
    PathBuf::from(data_encoding::HEXLOWER.encode(hash))
}

fn new_session(keys: &SeededKeyStore, log: LogId, hub: &PublicKey) -> (SessionKey, SessionWrap) {
    let mut random = Drawn::new(keys).unwrap();
    let session = SessionKey::generate(&mut random);
    let wrap = session.wrap(&mut random, log, hub).unwrap();
    (session, wrap)
}

impl MemoryLog {
    fn new(log: LogId) -> Self {
        MemoryLog {
            log,
            entries: BTreeMap::new(),
            len: 0,
            link: FIRST_LINK,
            urgent: BTreeSet::new(),
            heads: Vec::new(),
            received: RangeSet::new(),
            parked: BTreeMap::new(),
        }
    }
}

impl SyncStore for Phone {
    fn keys(&self) -> &dyn KeyStore {
        &self.keys
    }
    fn clock(&self) -> &dyn Clock {
        &self.clock
    }
    fn identity(&self) -> Result<Identity> {
        Ok(self.identity.clone())
    }
    fn set_history(&mut self, history: &Signed<KeyHistory>) -> Result<()> {
        self.identity.history = history.clone();
        Ok(())
    }
    fn token(&self) -> Result<Option<Signed<Token>>> {
        Ok(self.token.clone())
    }
    fn set_token(&mut self, token: &Signed<Token>, contact: Anchor) -> Result<()> {
        self.token = Some(token.clone());
        self.contact = Some(contact);
        Ok(())
    }
    fn epoch(&self) -> Result<Option<Epoch>> {
        Ok(self.epoch)
    }
    fn begin_epoch(&mut self, epoch: Epoch) -> Result<()> {
        self.epoch = Some(epoch);
        self.streams.clear();
        self.logs.iter_mut().for_each(|l| l.received = RangeSet::new());
        self.files.iter_mut().for_each(|f| f.received = false);
        Ok(())
    }
    fn request_key(&self) -> Result<Option<StoredRequestKey>> {
        Ok(self.request_key.clone())
    }
    fn set_request_key(&mut self, key: &StoredRequestKey) -> Result<()> {
        self.request_key = Some(key.clone());
        Ok(())
    }
    fn logs(&self) -> Result<Vec<LogState>> {
        Ok(self.logs.iter().map(|l| LogState { log: l.log, len: l.len }).collect())
    }
    fn received(&self, log: LogId) -> Result<RangeSet> {
        Ok(self.find(log).received.clone())
    }
    fn parked(&self, log: LogId) -> Result<RangeSet> {
        Ok(self.find(log).parked.keys().map(|s| (*s, *s)).collect())
    }
    fn unanswered(&self, log: LogId) -> Result<RangeSet> {
        Ok(self.unanswered.iter().filter(|run| run.0 == log).map(|run| (run.1, run.2)).collect())
    }
    fn urgent(&self, log: LogId, from: u64) -> Result<Vec<u64>> {
        Ok(self.find(log).urgent.range(from..).copied().collect())
    }
    fn link(&self, log: LogId, seq: u64) -> Result<Option<Link>> {
        Ok(self.find(log).entries.get(&seq).map(|e| e.link))
    }
    fn entries(&self, log: LogId, first: u64, limit: u32) -> Result<Vec<StoredEntry>> {
        Ok(self.find(log).entries.range(first..).take(limit as usize).map(|(_, e)| e.clone()).collect())
    }
    fn heads(&self, log: LogId, first: u64, last: u64) -> Result<Vec<Head>> {
        let log = self.find(log);
        Ok(log.heads.iter().filter(|h| (first..=last).contains(&h.seq)).cloned().collect())
    }
    fn session_wrap(&self, _: i64) -> Result<SessionWrap> {
        Ok(self.wrap.clone())
    }
    fn session_key(&mut self, _: i64) -> Result<Option<SessionKey>> {
        Ok((!self.locked).then(|| self.session.clone()))
    }
    fn apply_receipt(&mut self, receipt: &Signed<Receipt>, held: &[Held]) -> Result<()> {
        if self.epoch != Some(receipt.value.epoch) {
            return Err(Error::untrusted("receipt", "of another epoch"));
        }
        self.receipts_applied += 1;
        let named = |f: &MemoryFile| receipt.value.objects.contains(&(f.hash, f.bytes.len() as u64));
        let fresh = |f: &MemoryFile| f.wanted_ms.is_none_or(|ms| ms <= receipt.value.hub_time_ms);
        for file in self.files.iter_mut().filter(|f| f.log == receipt.value.log && named(f) && fresh(f)) {
            (file.received, file.parked) = (true, None);
        }
        let log = self.find_mut(receipt.value.log);
        held.iter().for_each(|h| log.received.insert(h.first, h.last));
        Ok(())
    }
    fn note_unanswered(&mut self, log: LogId, first: u64, last: u64) -> Result<()> {
        self.unanswered.push((log, first, last));
        Ok(())
    }
    fn note_rejection(&mut self, log: LogId, first: u64, last: u64, _: &str) -> Result<u32> {
        let count = self.rejections.entry((log, first, last)).or_default();
        *count += 1;
        Ok(*count)
    }
    fn park(&mut self, log: LogId, seq: u64, reason: &str) -> Result<()> {
        self.find_mut(log).parked.insert(seq, reason.to_owned());
        Ok(())
    }
    fn files(&self, limit: usize) -> Result<Vec<WaitingFile>> {
        let offered = |f: &&MemoryFile| !f.received && f.parked.is_none() && self.find(f.log).received.contains(f.seq);
        let mut files: Vec<&MemoryFile> = self.files.iter().filter(offered).collect();
        files.sort_by_key(|f| (!f.here, !f.urgent, f.kind, f.seq));
        let waiting =
            |f: &MemoryFile| WaitingFile { sealed_sha256: f.hash, size_bytes: f.bytes.len() as u64, path: path_of(&f.hash), here: f.here };
        Ok(files.into_iter().take(limit).map(waiting).collect())
    }
    fn file_waits(&self, file: &Hash) -> Result<bool> {
        Ok(self.files.iter().any(|f| f.hash == *file && !f.received))
    }
    fn files_waiting(&self) -> Result<u64> {
        Ok(self.files.iter().filter(|f| !f.received && f.parked.is_none() && f.here).count() as u64)
    }
    fn is_file_whole(&self, file: &Hash) -> Result<bool> {
        Ok(self.files.iter().any(|f| f.hash == *file && yenban_protocol::crypto::sha256(&f.bytes) == *file))
    }
    fn note_file(&mut self, file: &Hash, why: &str) -> Result<()> {
        self.file(file).reason = Some(why.to_owned());
        Ok(())
    }
    fn note_file_rejection(&mut self, file: &Hash, reason: &str) -> Result<u32> {
        let file = self.file(file);
        file.reason = Some(reason.to_owned());
        file.rejections += 1;
        Ok(file.rejections)
    }
    fn park_file(&mut self, file: &Hash, reason: &str) -> Result<()> {
        self.file(file).parked = Some(reason.to_owned());
        Ok(())
    }
    fn doubt(&mut self, doubt: LogDoubt) -> Result<()> {
        self.doubts.push(doubt);
        Ok(())
    }
    fn streams(&self) -> Result<Vec<StreamState>> {
        Ok(self.streams.clone())
    }
    fn apply_items(&mut self, items: &[Signed<FeedItem>], streams: &[StreamState], gaps: &[Gap]) -> Result<u64> {
        let before = self.items.len();
        for item in items {
            let v = &item.value;
            if let Item::ObjectsWanted { objects } = &v.item {
                for file in self.files.iter_mut().filter(|f| objects.contains(&f.hash) && f.here) {
                    (file.received, file.parked, file.wanted_ms) = (false, None, Some(v.issued_ms));
                }
            }
            self.items.entry((v.scope, v.epoch, v.number)).or_insert_with(|| item.bytes().to_vec());
        }
        for s in streams {
            self.streams.retain(|old| old.scope != s.scope);
            self.streams.push(*s);
        }
        self.gaps.extend_from_slice(gaps);
        Ok((self.items.len() - before) as u64)
    }
    fn keep_streams(&mut self, open: &[Scope]) -> Result<()> {
        self.streams.retain(|s| open.contains(&s.scope));
        self.items.retain(|(scope, ..), _| open.contains(scope));
        Ok(())
    }
    fn small_files(&self, limit: usize, most_bytes: u64) -> Result<Vec<WaitingFile>> {
        let files = self.files.iter().filter(|f| f.here && !f.received && f.parked.is_none() && f.bytes.len() as u64 <= most_bytes);
        let waiting =
            |f: &MemoryFile| WaitingFile { sealed_sha256: f.hash, size_bytes: f.bytes.len() as u64, path: path_of(&f.hash), here: true };
        Ok(files.take(limit).map(waiting).collect())
    }
    fn keep_token(&mut self, token: &Signed<Token>) -> Result<()> {
        self.token = Some(token.clone());
        Ok(())
    }
    fn earlier_items(&self) -> Result<Vec<Cursor>> {
        let mut newest: BTreeMap<(Scope, Epoch), u64> = BTreeMap::new();
        for (scope, epoch, number) in self.items.keys().filter(|item| Some(item.1) != self.epoch && self.given_back != self.epoch) {
            newest.insert((*scope, *epoch), *number);
        }
        Ok(newest.into_iter().map(|((scope, epoch), number)| Cursor { scope, epoch, number }).collect())
    }
    fn items_in(&self, range: &ItemRange) -> Result<Vec<Vec<u8>>> {
        let ItemRange { scope, epoch, first, last } = *range;
        Ok(self.items.range((scope, epoch, first)..=(scope, epoch, last)).map(|(_, item)| item.clone()).collect())
    }
    fn given_back(&mut self) -> Result<()> {
        self.given_back = self.epoch;
        Ok(())
    }
    fn make_room(&mut self) {}
}

/// A key made from a number, for hubs in tests.
pub(super) fn key(number: u8) -> SecretKey {
    let key = SecretKey::from_scalar(&[number.max(1); 32]).unwrap();
    let _ = key.public_key();
    key
}
