//! A hub in memory, written from the protocol: it opens, verifies, holds and signs, and can be told to be
//! wrong, busy, restored or hostile.

use std::collections::{BTreeMap, BTreeSet};

use yenban_protocol::cert::Token;
use yenban_protocol::chain::{FIRST_LINK, Link};
use yenban_protocol::crypto::{ENC_BYTES, Hash, Opener, PublicKey, SecretKey, Signer as _, SoftwareVerifier};
use yenban_protocol::feed::{FeedItem, Item, Scope, item_hash};
use yenban_protocol::id::{CommuneCode, DeviceId, Epoch, KeyId, LogId};
use yenban_protocol::keys::{HubKey, KeyHistory, Purpose};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::segment::{self, Mode};
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, ItemRange, KeysAnswer, ReturnedAnswer, ReturnedItems, path};

use zeroize::Zeroizing;

use super::phone::{DEVICE, Phone, key};
use super::uploads::{Said, Uploads};
use crate::sync::{Method, Problem, Reply, Request};

/// What a segment held, in the order in which the hub got them.
pub(super) struct Got {
    pub first: u64,
    pub count: usize,
    pub mode: Mode,
    pub heads: Vec<u64>,
}

#[derive(Clone)]
struct HeldEntry {
    link: Link,
    previous: Link,
}

pub(super) struct Hub {
    root: SecretKey,
    sign: SecretKey,
    seal: SecretKey,
    /// Keys of before: for signing and sealing, since when and until when.
    retired: Vec<(SecretKey, SecretKey, i64, i64)>,
    since_ms: i64,
    pub number: u64,
    pub epoch: Epoch,
    pub now_ms: i64,
    device: Option<PublicKey>,
    logs: BTreeMap<LogId, BTreeMap<u64, HeldEntry>>,
    forks: BTreeMap<LogId, u64>,
    pub poison: BTreeSet<u64>,
    pub reject_all: bool,
    pub revoked: bool,
    pub busy: u32,
    pub forge_receipts: bool,
    pub got: Vec<Got>,
    /// How often each entry was stored as new: must never be more than once a life.
    pub stored: BTreeMap<(LogId, u64), u32>,
    pub requests: u32,
    pub feed: Vec<Signed<FeedItem>>,
    pub open: Vec<Scope>,
    /// Items that were given back.
    pub returned: Vec<Signed<FeedItem>>,
    pub page: usize,
    pub uploads: Uploads,
}

pub(super) fn epoch(n: u8) -> Epoch {
    Epoch([n; 8])
}

impl Hub {
    pub(super) fn new() -> Hub {
        Hub {
            root: key(1),
            sign: key(2),
            seal: key(3),
            retired: Vec::new(),
            since_ms: 0,
            number: 1,
            epoch: epoch(1),
            now_ms: 1_800_000_000_000,
            device: None,
            logs: BTreeMap::new(),
            forks: BTreeMap::new(),
            poison: BTreeSet::new(),
            reject_all: false,
            revoked: false,
            busy: 0,
            forge_receipts: false,
            got: Vec::new(),
            stored: BTreeMap::new(),
            requests: 0,
            feed: Vec::new(),
            open: vec![Scope::Device(DEVICE)],
            returned: Vec::new(),
            page: 100,
            uploads: Uploads::default(),
        }
    }

    /// Knows what the entries of a phone name: a hub reads it in them.
    pub(super) fn reads(&mut self, phone: &Phone) {
        self.uploads.named.extend(phone.files.iter().map(|f| (f.hash, (f.log, f.seq))));
    }

    /// A phone that has joined this hub.
    pub(super) fn enrol(&mut self, seed: u64) -> Phone {
        let phone = Phone::new(self.history(), self.token(), seed);
        self.device = Some(phone.device_key());
        phone
    }

    pub(super) fn history(&self) -> Signed<KeyHistory> {
        let hub_key = |purpose, key: &SecretKey, since_ms, retired_ms| HubKey { purpose, key: key.public_key(), since_ms, retired_ms };
        let before = self.retired.iter().flat_map(|(sign, seal, since_ms, retired_ms)| {
            [(Purpose::Sign, sign), (Purpose::Seal, seal)].map(|(purpose, key)| hub_key(purpose, key, *since_ms, Some(*retired_ms)))
        });
        let now = [(Purpose::Sign, &self.sign), (Purpose::Seal, &self.seal)];
        let value = KeyHistory {
            commune: CommuneCode::new(5200).unwrap(),
            name: "Công an xã".into(),
            root: self.root.public_key(),
            number: self.number,
            keys: before.chain(now.map(|(purpose, key)| hub_key(purpose, key, self.since_ms, None))).collect(),
        };
        Signed::sign(value, &self.root).unwrap()
    }

    /// The keys are replaced; phones learn it from the history.
    pub(super) fn rotate_keys(&mut self) {
        (self.sign, self.seal, self.number) = (key(12), key(13), self.number + 1);
    }

    /// The keys are replaced as THREATS.md wants it: what the old ones signed in their time counts, what was sealed to them
    /// opens.
    pub(super) fn retire_keys(&mut self, seed: u8) {
        let (sign, seal) = (key(seed), key(seed + 1));
        let (sign, seal) = (std::mem::replace(&mut self.sign, sign), std::mem::replace(&mut self.seal, seal));
        self.retired.push((sign, seal, self.since_ms, self.now_ms));
        (self.since_ms, self.number) = (self.now_ms, self.number + 1);
    }

    /// Whoever has an old key speaks for the hub.
    pub(super) fn speak_with_a_retired_key(&mut self) {
        if let Some((sign, ..)) = self.retired.first() {
            self.sign = SecretKey::from_scalar(sign.scalar()).unwrap();
        }
    }

    /// Comes back from a backup taken when it held `kept` entries of each log.
    pub(super) fn restore(&mut self, kept: u64, new: Epoch) {
        self.epoch = new;
        self.logs.values_mut().for_each(|log| log.retain(|seq, _| *seq < kept));
        self.stored.clear();
    }

    pub(super) fn token(&self) -> Signed<Token> {
        Signed::sign(Token { hub_time_ms: self.now_ms, epoch: self.epoch }, &self.sign).unwrap()
    }

    pub(super) fn holds(&self, log: LogId) -> Vec<u64> {
        self.logs.get(&log).map(|l| l.keys().copied().collect()).unwrap_or_default()
    }

    /// The link held at `seq`.
    pub(super) fn link(&self, log: LogId, seq: u64) -> Option<Link> {
        self.logs.get(&log)?.get(&seq).map(|e| e.link)
    }

    /// Loses an entry without a trace.
    pub(super) fn forget(&mut self, log: LogId, seq: u64) {
        self.logs.entry(log).or_default().remove(&seq);
    }

    /// Holds an entry that no phone here wrote: another copy of the store did.
    pub(super) fn plant(&mut self, log: LogId, seq: u64) {
        let entry = HeldEntry { link: [seq as u8; 32], previous: [seq.wrapping_sub(1) as u8; 32] };
        self.logs.entry(log).or_default().insert(seq, entry);
    }

    /// Issues an item.
    pub(super) fn issue(&mut self, scope: Scope, item: Item) {
        let last = self.feed.iter().rev().find(|i| i.value.scope == scope && i.value.epoch == self.epoch);
        let (number, previous) = last.map_or((1, [0; 32]), |l| (l.value.number + 1, item_hash(l)));
        let value = FeedItem { scope, epoch: self.epoch, number, previous, issued_ms: self.now_ms, item };
        self.feed.push(Signed::sign(value, &self.sign).unwrap());
    }

    /// Answers a request whose body came whole.
    pub(super) fn handle(&mut self, request: &Request, phone: &Phone) -> Reply {
        self.reads(phone);
        let body = phone.read(request);
        let reply = self.handle_body(request, &body);
        Reply { handed_bytes: if request.method == Method::Patch { body.len() as u64 } else { 0 }, ..reply }
    }

    /// Answers a request of whose body so much came.
    pub(super) fn handle_body(&mut self, request: &Request, body: &[u8]) -> Reply {
        self.requests += 1;
        if self.busy > 0 {
            self.busy -= 1;
            return Reply { retry_after_ms: Some(1_500), ..problem(503, "busy") };
        }
        self.now_ms += 1_000;
        if Uploads::is_about(request) {
            return self.files(request, body);
        }
        match (request.method, request.path.as_str()) {
            (Method::Get, path::KEYS) => {
                ok(KeysAnswer { history: self.history().into_bytes(), token: self.token().into_bytes() }.to_bytes())
            }
            (Method::Post, path::FEED) => self.pull(body),
            (Method::Post, path::SEGMENTS) => self.take(body),
            (Method::Post, path::ITEMS) => {
                let items = ReturnedItems::from_bytes(body).unwrap().0;
                self.returned
                    .extend(items.iter().map(|item| Signed::verify(item, &SoftwareVerifier, |_, _| Some(self.sign.public_key())).unwrap()));
                ok(ReturnedAnswer { taken: items.len() as u64 }.to_bytes())
            }
            _ => problem(404, "not_found"),
        }
    }

    fn files(&mut self, request: &Request, body: &[u8]) -> Reply {
        let Hub { uploads, logs, .. } = self;
        let holds = |name: &(LogId, u64)| logs.get(&name.0).is_some_and(|log| log.contains_key(&name.1));
        match uploads.handle(request, body, &holds) {
            Said::Reply(reply) => reply,
            Said::Complete(reply, hash) => Reply { receipt: Some(self.file_receipt(self.uploads.named[&hash].0, &[hash])), ..reply },
            Said::Answer(mut answer, asked) => {
                let logs: BTreeSet<LogId> = asked.iter().filter_map(|hash| Some(self.uploads.named.get(hash)?.0)).collect();
                let of_log = |log: &LogId| !self.uploads.objects(*log, &asked).is_empty();
                answer.receipts = logs.into_iter().filter(of_log).map(|log| self.file_receipt(log, &asked)).collect();
                ok(answer.to_bytes())
            }
        }
    }

    /// A receipt that names of these what the hub holds of `log`.
    pub(super) fn file_receipt(&self, log: LogId, asked: &[Hash]) -> Vec<u8> {
        let signer = if self.forge_receipts { &key(99) } else { &self.sign };
        let receipt = Receipt { objects: self.uploads.objects(log, asked), ..self.state(log) };
        Signed::sign(receipt, signer).unwrap().into_bytes()
    }

    fn pull(&mut self, body: &[u8]) -> Reply {
        let request = AuthorisedRequest::from_bytes(body).unwrap();
        let history = self.history().value;
        let sign_key = |id: KeyId| history.signing_key(id);
        let device_key = |id: DeviceId| self.device.filter(|_| id == DEVICE);
        let Ok(request) = request.verify(&SoftwareVerifier, device_key, sign_key, self.now_ms) else {
            return problem(403, "request_key");
        };
        if self.revoked {
            return problem(403, "revoked");
        }
        let request = request.value;
        let after = |item: &&Signed<FeedItem>| {
            let v = &item.value;
            let cursor = request.cursors.iter().find(|c| c.scope == v.scope);
            self.open.contains(&v.scope) && cursor.is_none_or(|c| c.epoch != v.epoch || c.number < v.number)
        };
        let mut items: Vec<Vec<u8>> = self.feed.iter().filter(after).map(|i| i.bytes().to_vec()).collect();
        let more = items.len() > self.page;
        items.truncate(self.page);
        let streams = self.open.iter().map(|s| Cursor { scope: *s, epoch: self.epoch, number: 0 }).collect();
        let known = request.logs.iter().filter(|l| self.logs.contains_key(*l)).copied().collect::<Vec<_>>();
        let receipts = known.into_iter().map(|log| self.receipt(log)).collect();
        let history = (self.number > request.history_number).then(|| self.history().into_bytes());
        let lost = |c: &Cursor| {
            let ours = self.feed.iter().chain(&self.returned).map(|i| &i.value);
            let newest = ours.filter(|i| (i.scope, i.epoch) == (c.scope, c.epoch)).map(|i| i.number).max().unwrap_or(0);
            (newest < c.number).then_some(ItemRange { scope: c.scope, epoch: c.epoch, first: newest + 1, last: c.number })
        };
        let wanted = request.held.iter().filter_map(lost).collect();
        ok(FeedAnswer { items, streams, more, token: self.token().into_bytes(), receipts, history, wanted }.to_bytes())
    }

    fn take(&mut self, sealed: &[u8]) -> Reply {
        let opened = segment::open(sealed, self);
        let Ok((run, mode)) = opened else { return problem(422, "unsealed") };
        let device = self.device;
        let Ok(links) = run.verify(&SoftwareVerifier, |_| device) else { return problem(422, "signature") };
        self.got.push(Got { first: run.first, count: run.bodies.len(), mode, heads: run.heads.iter().map(|h| h.seq).collect() });
        let span = run.first..=run.last();
        if self.reject_all || self.poison.iter().any(|p| span.contains(p)) {
            return problem(422, "chain");
        }
        if self.revoked {
            let receipt = Receipt { quarantined: true, ranges: Vec::new(), floating: Vec::new(), ..self.state(run.log) };
            return ok(Signed::sign(receipt, &self.sign).unwrap().into_bytes());
        }
        let held = self.logs.entry(run.log).or_default();
        let mut previous = run.previous;
        let mut fork = None;
        for (seq, link) in span.zip(&links) {
            match held.get(&seq) {
                Some(known) if known.link != *link => fork = fork.or(Some(seq)),
                Some(_) => {}
                None if fork.is_some() => {}
                None => {
                    held.insert(seq, HeldEntry { link: *link, previous });
                    *self.stored.entry((run.log, seq)).or_default() += 1;
                }
            }
            previous = *link;
        }
        if let Some(at) = fork {
            self.forks.entry(run.log).or_insert(at);
            return Reply { status: 409, ..ok(self.receipt(run.log)) };
        }
        ok(self.receipt(run.log))
    }

    pub(super) fn state(&self, log: LogId) -> Receipt {
        let mut runs: Vec<Held> = Vec::new();
        for (seq, entry) in self.logs.get(&log).into_iter().flatten() {
            match runs.last_mut() {
                Some(run) if run.last + 1 == *seq && run.last_link == entry.previous => (run.last, run.last_link) = (*seq, entry.link),
                _ => runs.push(Held { first: *seq, last: *seq, last_link: entry.link }),
            }
        }
        let starts = |run: &Held| run.first == 0 && self.logs[&log][&0].previous == FIRST_LINK;
        let (ranges, floating) = runs.into_iter().partition(starts);
        Receipt {
            log,
            epoch: self.epoch,
            ranges,
            floating,
            objects: Vec::new(),
            hub_time_ms: self.now_ms,
            hold_s: 3_600,
            fork_at: self.forks.get(&log).copied(),
            quarantined: false,
        }
    }

    pub(super) fn receipt(&self, log: LogId) -> Vec<u8> {
        let signer = if self.forge_receipts { &key(99) } else { &self.sign };
        Signed::sign(self.state(log), signer).unwrap().into_bytes()
    }
}

impl Opener for Hub {
    fn open(
        &self,
        key: KeyId,
        enc: &[u8; ENC_BYTES],
        info: &[u8],
        aad: &[u8],
        sealed: &[u8],
    ) -> yenban_protocol::Result<Zeroizing<Vec<u8>>> {
        let old = self.retired.iter().map(|(_, seal, ..)| seal);
        let opener = old.chain([&self.seal]).find(|seal| seal.public_key().id() == key).unwrap_or(&self.seal);
        opener.open(key, enc, info, aad, sealed)
    }
}

fn ok(body: Vec<u8>) -> Reply {
    Reply { status: 200, body, ..Reply::default() }
}

fn problem(status: u16, code: &str) -> Reply {
    Reply { status, problem: Some(Problem { code: code.into(), detail: "no".into() }), ..Reply::default() }
}
