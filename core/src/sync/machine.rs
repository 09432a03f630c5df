//! The state machine itself: what is in the air, what has to come first, when to stop.

use std::collections::{BTreeMap, VecDeque};

use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::wire::path;

use super::files::{FileErrand, Files, Stands};
use super::orders::Orders;
use super::outcome::{Outcome, Reason, Verdict};
use super::plan::{Piece, Plan, Span};
use super::store::{Identity, LogDoubt, SyncStore};
use super::{Body, Failure, Method, Problem, Reply, Request, Step, feed};
use crate::error::Result;
use crate::limits::{
    NEWS_WAIT_MAX_S, SEGMENTS_BEFORE_A_CHUNK, SYNC_BACKOFF_MS, SYNC_BUSY_MAX, SYNC_FAILURES_MAX, SYNC_IN_FLIGHT, SYNC_REQUESTS_MAX,
};

/// Why a request is in the air.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Keys,
    Feed,
    Orders,
    Segment(Piece),
    File(FileErrand),
}

impl Errand {
    pub(super) fn span(self) -> Option<Span> {
        match self {
            Errand::Segment(piece) => Some(piece.span),
            Errand::Keys | Errand::Feed | Errand::Orders | Errand::File(_) => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Flight {
    pub(super) errand: Errand,
    asked_ms: u64,
    /// The round of failures in which it left: one outage that hits all flights is one failure.
    round: u32,
    /// Left along with the feed, before its answer was known.
    pub(super) along: bool,
    /// Its answer, which came before the feed's and waits for it.
    pub(super) kept: Option<Reply>,
}

/// One sync. See the module for how it is driven.
#[derive(Debug)]
pub struct Sync {
    pub(super) in_flight: usize,
    next_id: u64,
    pub(super) flying: BTreeMap<u64, Flight>,
    pub(super) plan: Plan,
    /// Sealed for the room that there is in the air; sent by the next calls.
    pub(super) ready: VecDeque<(Piece, Vec<u8>)>,
    pub(super) files: Files,
    pub(super) orders: Orders,
    pub(super) identity: Option<Identity>,
    /// The feed has been heard or refused.
    pub(super) feed_heard: bool,
    /// Segments may leave before the feed is heard.
    pub(super) may_go_along: bool,
    pub(super) feed_wanted: bool,
    /// How long the first request for the feed may wait at the hub for news, seconds.
    news_wait_s: Option<u64>,
    pub(super) keys_wanted: bool,
    keys_asked: bool,
    pub(super) renew_request_key: bool,
    feed_refused: bool,
    pub(super) epochs: u32,
    round: u32,
    failures: u32,
    busy: u32,
    pub(super) rejections_in_row: u32,
    answered: bool,
    pub(super) stopping: bool,
    wait_until_ms: u64,
    pub(super) outcome: Outcome,
    pub(super) refused: Option<Reason>,
    trouble: Option<Reason>,
}

impl Default for Sync {
    fn default() -> Self {
        Self::new()
    }
}

/// A request that was chosen.
pub(super) struct Chosen {
    pub errand: Errand,
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Body,
}

impl Chosen {
    pub(super) fn bytes(errand: Errand, method: Method, path: &str, body: Vec<u8>) -> Self {
        Chosen { errand, method, path: path.to_owned(), headers: Vec::new(), body: Body::Bytes(body) }
    }
}

impl Sync {
    /// A sync that has yet to look at anything.
    pub fn new() -> Self {
        Self::with_in_flight(SYNC_IN_FLIGHT)
    }

    /// As [`Sync::new`], with another number of requests in the air at once (at least one).
    pub fn with_in_flight(in_flight: usize) -> Self {
        Sync {
            in_flight: in_flight.max(1),
            next_id: 0,
            flying: BTreeMap::new(),
            plan: Plan::default(),
            ready: VecDeque::new(),
            files: Files::new(),
            orders: Orders::default(),
            identity: None,
            feed_heard: false,
            may_go_along: true,
            feed_wanted: true,
            news_wait_s: None,
            keys_wanted: false,
            keys_asked: false,
            renew_request_key: false,
            feed_refused: false,
            epochs: 0,
            round: 0,
            failures: 0,
            busy: 0,
            rejections_in_row: 0,
            answered: false,
            stopping: false,
            wait_until_ms: 0,
            outcome: Outcome::nothing_yet(),
            refused: None,
            trouble: None,
        }
    }

    /// A sync that waits at the hub until there is news for this phone, at most `wait_s` seconds, and then goes on as any
    /// other. Nothing leaves before the hub has answered: made after a sync that left nothing to send.
    pub fn waiting(wait_s: u64) -> Self {
        Sync { news_wait_s: Some(wait_s.min(NEWS_WAIT_MAX_S)), ..Self::new() }
    }

    /// What to do next. Errors are those of the store and the key store; the sync may be asked again.
    pub fn next(&mut self, store: &mut dyn SyncStore) -> Result<Step> {
        store.ready()?;
        if self.identity.is_none() {
            self.identity = Some(store.identity()?);
            self.plan.load(store)?;
            // Of what had no answer yet, the feed says whether it is there.
            self.may_go_along = self.news_wait_s.is_none() && !self.plan.awaits_answers();
        }
        self.take_kept(store)?;
        if !self.stopping {
            let now_ms = store.clock().monotonic_ms();
            if now_ms < self.wait_until_ms {
                return Ok(Step::Wait { for_ms: Some(self.wait_until_ms - now_ms) });
            }
            if self.outcome.requests >= SYNC_REQUESTS_MAX {
                self.stop(Reason::new("too_many_requests", "this sync took more requests than it may"));
            } else if self.flying.len() < self.in_flight
                && let Some(chosen) = self.choose(store, now_ms)?
            {
                return Ok(Step::Send(self.send(chosen, now_ms)));
            } else if self.flying.is_empty() && self.files.waits(now_ms) && store.files_waiting()? > 0 {
                return Ok(Step::Wait { for_ms: Some(self.files.wait_until_ms - now_ms) });
            }
        }
        if self.flying.is_empty() { self.finish(store).map(Step::Done) } else { Ok(Step::Wait { for_ms: None }) }
    }

    fn send(&mut self, chosen: Chosen, now_ms: u64) -> Request {
        let Chosen { errand, method, path, headers, body } = chosen;
        let id = self.next_id;
        self.next_id += 1;
        let along = !self.feed_heard && errand.span().is_some();
        self.flying.insert(id, Flight { errand, asked_ms: now_ms, round: self.round, along, kept: None });
        self.outcome.requests += 1;
        Request { id, method, path, headers, body }
    }

    fn choose(&mut self, store: &mut dyn SyncStore, now_ms: u64) -> Result<Option<Chosen>> {
        let asking = self.flying.values().any(|f| matches!(f.errand, Errand::Keys | Errand::Feed));
        if self.feed_wanted && !self.keys_wanted && !asking {
            match feed::request(self, store)? {
                Some(body) => {
                    self.feed_wanted = false;
                    let mut chosen = Chosen::bytes(Errand::Feed, Method::Post, path::FEED, body);
                    // RFC 7240. Once: whatever else this sync asks for is wanted at once.
                    chosen.headers.extend(self.news_wait_s.take().map(|seconds| ("prefer", format!("wait={seconds}"))));
                    return Ok(Some(chosen));
                }
                // Without a token no request key can be certified.
                None => self.keys_wanted = true,
            }
        }
        if self.keys_wanted && !asking {
            self.keys_wanted = false;
            self.keys_asked = true;
            return Ok(Some(Chosen::bytes(Errand::Keys, Method::Get, path::KEYS, Vec::new())));
        }
        // Sealed to keys that are just being asked for, a segment would only be refused again.
        if self.keys_wanted || self.flying.values().any(|f| f.errand == Errand::Keys) {
            return Ok(None);
        }
        if !self.feed_heard {
            return if self.goes_along() { self.choose_segment(store) } else { Ok(None) };
        }
        if self.chunk_has_its_turn(store)?
            && let Some(chosen) = self.choose_file(store, now_ms)?
        {
            return Ok(Some(chosen));
        }
        match self.choose_segment(store)? {
            Some(chosen) => {
                self.files.segments_since = self.files.segments_since.saturating_add(1);
                Ok(Some(chosen))
            }
            // Behind the reports that they speak of, before the files.
            None => match self.choose_orders() {
                Some(chosen) => Ok(Some(chosen)),
                None => self.choose_file(store, now_ms),
            },
        }
    }

    /// Text goes first, yet text without end must not stop files for ever. What is urgent waits for nothing.
    fn chunk_has_its_turn(&mut self, store: &dyn SyncStore) -> Result<bool> {
        if self.files.segments_since < SEGMENTS_BEFORE_A_CHUNK || !self.ready.is_empty() {
            return Ok(false);
        }
        self.plan.look(store)?;
        let flying: Vec<Span> = self.flying.values().filter_map(|f| f.errand.span()).collect();
        Ok(!self.plan.urgent_waits(&flying))
    }

    pub(super) fn asks_or_carries_a_file(&self) -> bool {
        self.flying.values().any(|f| !matches!(f.errand, Errand::Segment(_)))
    }

    /// Takes an answer. One that is not waited for (late, repeated) changes nothing.
    pub fn on_reply(&mut self, id: u64, reply: Reply, store: &mut dyn SyncStore) -> Result<()> {
        store.ready()?;
        let Some(flight) = self.flying.get_mut(&id).filter(|flight| flight.kept.is_none()) else { return Ok(()) };
        self.answered = true;
        self.failures = 0;
        if flight.along && !self.feed_heard {
            flight.kept = Some(reply);
            return Ok(());
        }
        let Some(flight) = self.flying.remove(&id) else { return Ok(()) };
        self.take(flight, reply, store)?;
        self.take_kept(store)
    }

    pub(super) fn take(&mut self, flight: Flight, reply: Reply, store: &mut dyn SyncStore) -> Result<()> {
        let now_ms = store.clock().monotonic_ms();
        if let Errand::File(errand) = flight.errand {
            return self.on_file_reply(errand, &reply, store, flight.asked_ms, now_ms);
        }
        if let Some(problem) = Self::problem_of(&reply) {
            return self.on_problem(&flight, &reply, problem, store, now_ms);
        }
        self.busy = 0;
        let asked_ms = flight.asked_ms;
        match flight.errand {
            Errand::Keys => self.on_keys(&reply.body, store, asked_ms, now_ms),
            Errand::Feed => {
                self.feed_heard = true;
                self.outcome.pulled_bytes += reply.body.len() as u64;
                self.outcome.pause_ms = reply.retry_after_ms;
                self.on_feed(&reply.body, store, asked_ms, now_ms)
            }
            Errand::Orders => self.given_back_if_all(store),
            Errand::Segment(piece) => self.on_receipt_for(piece, &reply.body, store),
            Errand::File(_) => Ok(()),
        }
    }

    /// A fork is told with 409 and a receipt; everything else that is not 200 is a problem.
    pub(super) fn problem_of(reply: &Reply) -> Option<Problem> {
        if reply.problem.is_none() && matches!(reply.status, 200 | 409) && !reply.body.is_empty() {
            return None;
        }
        let unnamed = || Problem { code: format!("status_{}", reply.status), detail: format!("the hub answered {}", reply.status) };
        Some(reply.problem.clone().unwrap_or_else(unnamed))
    }

    fn on_problem(&mut self, flight: &Flight, reply: &Reply, problem: Problem, store: &mut dyn SyncStore, now_ms: u64) -> Result<()> {
        let errand = flight.errand;
        let reason = Reason { code: problem.code, detail: problem.detail };
        let later = matches!(reply.status, 408 | 500..) || reply.retry_after_ms.is_some();
        if later {
            return self.busy(errand, reply, reason, now_ms);
        }
        match errand {
            Errand::Feed if reason.code == "request_key" && !self.renew_request_key => {
                // The key is older than a day by the hub's clock: a fresh token certifies a new one.
                (self.renew_request_key, self.keys_wanted, self.feed_wanted) = (true, true, true);
            }
            Errand::Feed | Errand::Keys => {
                // Whoever may not receive may still deliver.
                (self.feed_heard, self.feed_refused, self.feed_wanted) = (true, true, false);
                self.refuse(reason);
            }
            // What cannot be taken back now will not be another time.
            Errand::Orders => {
                self.keep_orders();
                store.given_back()?;
            }
            Errand::File(_) => {}
            Errand::Segment(piece) => match (reply.status, reason.code.as_str()) {
                // Sealed under what was known before the feed: it counts when it is refused again.
                (400 | 413 | 422, _) if flight.along => self.plan.give_back(piece),
                (422, "unsealed") if !self.keys_asked => {
                    // Sealed to a key that this hub retired: its newest keys, then again.
                    self.keys_wanted = true;
                    self.plan.give_back(piece);
                }
                (400 | 413 | 422, _) => self.reject(store, piece, reason)?,
                _ => {
                    self.refuse(reason);
                    self.stopping = true;
                }
            },
        }
        Ok(())
    }

    /// The hub asks to be asked later.
    fn busy(&mut self, errand: Errand, reply: &Reply, reason: Reason, now_ms: u64) -> Result<()> {
        self.busy += 1;
        self.put_back(errand);
        let wait_ms = reply.retry_after_ms.unwrap_or_else(|| backoff_ms(self.busy));
        self.wait_until_ms = self.wait_until_ms.max(now_ms.saturating_add(wait_ms));
        if self.busy > SYNC_BUSY_MAX {
            self.stop(reason);
        }
        Ok(())
    }

    /// Takes the news that a request has no answer. It is no try: what went out may be there already.
    pub fn on_failure(&mut self, id: u64, failure: Failure, store: &mut dyn SyncStore) -> Result<()> {
        let Some(flight) = self.flying.get(&id).filter(|flight| flight.kept.is_none()) else { return Ok(()) };
        let (errand, round) = (flight.errand, flight.round);
        self.flying.remove(&id);
        self.may_go_along = false;
        match (errand, &failure) {
            (Errand::Segment(piece), Failure::Lost { .. }) if planted(Bug::OfflineCounts) => {
                let rejected = store.note_rejection(piece.span.log, piece.span.first, piece.span.last, "no answer")?;
                if rejected >= 5 {
                    (piece.span.first..=piece.span.last).try_for_each(|seq| store.park(piece.span.log, seq, "no answer"))?;
                }
            }
            (Errand::Segment(piece), Failure::Lost { .. }) => {
                store.note_unanswered(piece.span.log, piece.span.first, piece.span.last)?;
            }
            (Errand::File(errand), _) => self.on_file_failure(errand, &failure, store)?,
            _ => {}
        }
        self.put_back(errand);
        let (reason, worth_again) = match failure {
            Failure::WrongHub(detail) => {
                self.refuse(Reason::new("hub_mismatch", detail));
                self.stopping = true;
                return Ok(());
            }
            // Nothing heard yet and no connection: that is being offline, not a hiccup.
            Failure::Unreachable(detail) => (Reason::new("unreachable", detail), self.answered),
            Failure::Lost { why, .. } => (Reason::new("no_answer", why), true),
            // The road has no part in it.
            Failure::NoFile(_) => return Ok(()),
        };
        if round != self.round {
            return Ok(());
        }
        self.round += 1;
        self.failures += 1;
        if !worth_again || self.failures >= SYNC_FAILURES_MAX {
            self.stop(reason);
        } else {
            self.wait_until_ms = self.wait_until_ms.max(store.clock().monotonic_ms().saturating_add(backoff_ms(self.failures)));
        }
        Ok(())
    }

    /// Nothing came for longer than a carrier may take: whatever is in the air counts as lost.
    pub fn give_up_waiting(&mut self, store: &mut dyn SyncStore) -> Result<()> {
        let flying: Vec<u64> = self.flying.keys().copied().collect();
        flying.into_iter().try_for_each(|id| self.on_failure(id, Failure::lost("no answer within the time for one"), store))
    }

    /// Ends this sync now: what is in the air counts as not answered, what was heard stays.
    pub fn stop_now(&mut self, store: &mut dyn SyncStore) -> Result<Outcome> {
        self.stop(Reason::new("time_is_up", "the time for this sync is up"));
        self.take_kept(store)?;
        for span in std::mem::take(&mut self.flying).into_values().filter_map(|f| f.errand.span()) {
            store.note_unanswered(span.log, span.first, span.last)?;
        }
        self.finish(store)
    }

    /// Reads the hub's keys anew from the store before the next request: the carrier has verified newer ones.
    pub fn keys_changed(&mut self, store: &dyn SyncStore) -> Result<()> {
        self.seal_anew();
        self.identity = Some(store.identity()?);
        Ok(())
    }

    fn put_back(&mut self, errand: Errand) {
        match errand {
            Errand::Keys => self.keys_wanted = true,
            Errand::Feed => self.feed_wanted = true,
            Errand::Orders => self.keep_orders(),
            Errand::Segment(piece) => self.plan.give_back(piece),
            Errand::File(errand) => {
                if let Some(file) = errand.file() {
                    self.files.learn(file, Stands::Unsure);
                }
            }
        }
    }

    /// The hub lives another life than the receipts here: hear from it before going on.
    pub(super) fn ask_again(&mut self) {
        if self.feed_refused {
            self.keys_wanted = true;
        } else {
            self.feed_wanted = true;
        }
    }

    pub(super) fn refuse(&mut self, reason: Reason) {
        self.refused.get_or_insert(reason);
    }

    pub(super) fn stop(&mut self, reason: Reason) {
        self.trouble.get_or_insert(reason);
        self.stopping = true;
    }

    pub(super) fn halt(&mut self, reason: Reason) {
        self.refuse(reason);
        self.stopping = true;
    }

    pub(super) fn in_doubt(&mut self, store: &mut dyn SyncStore, doubt: LogDoubt) -> Result<()> {
        if self.outcome.doubt.is_none() {
            store.doubt(doubt)?;
            self.outcome.doubt = Some(doubt);
        }
        Ok(())
    }

    pub(super) fn finish(&mut self, store: &mut dyn SyncStore) -> Result<Outcome> {
        self.plan.look(store)?;
        let mut outcome = self.outcome.clone();
        outcome.unsent = self.plan.unsettled();
        outcome.parked = 0;
        for state in store.logs()? {
            outcome.parked += store.parked(state.log)?.count();
        }
        outcome.evidence_waiting = store.files_waiting()?;
        store.make_room();
        let all_there = outcome.unsent == 0 && outcome.parked == 0 && outcome.evidence_waiting == 0;
        (outcome.verdict, outcome.reason) = match (&self.refused, &self.trouble) {
            (Some(reason), _) => (Verdict::Refused, Some(reason.clone())),
            (None, Some(reason)) if !self.answered => (Verdict::Offline, Some(reason.clone())),
            (None, Some(reason)) => (Verdict::Partial, Some(reason.clone())),
            (None, None) if all_there => (Verdict::UpToDate, None),
            (None, None) => (Verdict::Partial, self.files.reason.clone()),
        };
        Ok(outcome)
    }
}

pub(super) fn backoff_ms(times: u32) -> u64 {
    SYNC_BACKOFF_MS << times.saturating_sub(1).min(6)
}
