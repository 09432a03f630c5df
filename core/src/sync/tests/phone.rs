//! A phone's store in memory: what sync asks of it, with real sealing and a real chain.

use std::collections::{BTreeMap, BTreeSet};

use yenban_protocol::cert::Token;
use yenban_protocol::chain::{Body, Class, FIRST_LINK, Link, Part};
use yenban_protocol::crypto::{PublicKey, SecretKey, Signer as _};
use yenban_protocol::feed::{FeedItem, Scope};
use yenban_protocol::id::{DeviceId, EntryName, Epoch, LogId};
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::range::RangeSet;
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::seal::{SessionKey, SessionWrap};
use yenban_protocol::segment::Head;
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;

use crate::clock::{Clock, VirtualClock};
use crate::error::{Error, Result};
use crate::keys::{Drawn, KeyStore, SeededKeyStore};
use crate::sync::store::{Gap, Identity, LogDoubt, LogState, StoredEntry, StoredRequestKey, StreamState, SyncStore};

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
    pub gaps: Vec<Gap>,
    pub receipts_applied: usize,
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
            gaps: Vec::new(),
            receipts_applied: 0,
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
}

/// A key made from a number, for hubs in tests.
pub(super) fn key(number: u8) -> SecretKey {
    let key = SecretKey::from_scalar(&[number.max(1); 32]).unwrap();
    let _ = key.public_key();
    key
}
