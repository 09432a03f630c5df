//! Drives the state machine over the network: asks it what to send, carries it beside, brings back answers.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::runtime::Runtime;

use super::client::HubClient;
use crate::error::{Error, Result};
use crate::limits::{
    ANSWER_WAIT_MAX_MS, NEWS_GRACE_MS, NEWS_PAUSE_MS, NEWS_WAIT_MAX_S, NEWS_WAIT_MIN_MS, TRANSPORT_WORKERS, UNTIL_EMPTY_PAUSE_MS,
};
use crate::sync::store::Identity;
use crate::sync::{Failure, Outcome, Reply, Request, Step, Sync, SyncStore, Verdict};

/// Lends out a phone for one short step at a time, so that nobody who captures has to wait for the network.
pub trait Shared {
    /// Runs `work` with the phone's store.
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn SyncStore) -> Result<()>) -> Result<()>;
}

/// A phone that this thread has to itself.
impl<S: SyncStore> Shared for S {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn SyncStore) -> Result<()>) -> Result<()> {
        work(self)
    }
}

/// A phone that others use meanwhile: held only for the length of a step.
impl<S: SyncStore> Shared for &Mutex<S> {
    fn with(&mut self, work: &mut dyn FnMut(&mut dyn SyncStore) -> Result<()>) -> Result<()> {
        work(&mut *self.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// How long a sync goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// What can be done now.
    Once,
    /// Until nothing waits, over outages too.
    Empty,
}

/// The network's threads, started once and never stopped.
pub(super) fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    let start =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(TRANSPORT_WORKERS).thread_name("yenban-net").enable_all().build();
    RUNTIME.get_or_init(start).as_ref().map_err(|e| Error::Offline(e.to_string()))
}

type Answer = (u64, Result<Reply, Failure>);

/// Syncs over the network. Blocks; the phone is free between steps. `addresses` are tried in order;
/// `max_ms` bounds the whole, by the monotonic clock.
///
/// # Errors
/// Those of the store and the key store. Being offline or refused is an [`Outcome`], not an error.
pub fn run(phone: &mut dyn Shared, addresses: &[String], until: Until, max_ms: Option<u64>) -> Result<Outcome> {
    let mut drive = Drive::on(phone, addresses);
    let now_ms = drive.now_ms()?;
    drive.deadline_ms = max_ms.map(|ms| now_ms.saturating_add(ms));
    let mut outcome = drive.once(Sync::new())?;
    let waits = |o: &Outcome| o.unsent > 0 || o.evidence_waiting > 0;
    while until == Until::Empty && matches!(outcome.verdict, Verdict::Offline | Verdict::Partial) && waits(&outcome) {
        let left_ms = drive.left_ms()?.unwrap_or(u64::MAX);
        if left_ms <= UNTIL_EMPTY_PAUSE_MS {
            break;
        }
        std::thread::sleep(Duration::from_millis(UNTIL_EMPTY_PAUSE_MS));
        drive.kept = None;
        outcome = outcome.then(drive.once(Sync::new())?);
    }
    Ok(outcome)
}

/// Stays connected for `for_ms` milliseconds: syncs, then waits at the hub for news, takes them in, and waits again, over
/// outages too. `heard` gets the phone and what each round did. Blocks; the phone is free between steps.
///
/// # Errors
/// Those of the store and the key store, and of `heard`. Being offline or refused is an [`Outcome`]; a refusal ends it.
pub fn stay<P: Shared>(
    phone: &mut P,
    addresses: &[String],
    for_ms: u64,
    heard: &mut dyn FnMut(&mut P, &Outcome) -> Result<()>,
) -> Result<Outcome> {
    let began_ms = Drive::on(phone, addresses).now_ms()?;
    let mut kept = None;
    let mut all: Option<Outcome> = None;
    loop {
        let mut drive = Drive { kept: kept.take(), ..Drive::on(phone, addresses) };
        let asked_ms = drive.now_ms()?;
        let left_ms = for_ms.saturating_sub(asked_ms.saturating_sub(began_ms));
        let wait_s = (left_ms / 1_000).min(NEWS_WAIT_MAX_S);
        let sync = match &all {
            None => Sync::new(),
            Some(outcome) if wait_s == 0 => return Ok(outcome.clone()),
            Some(_) => Sync::waiting(wait_s),
        };
        drive.deadline_ms = Some(asked_ms.saturating_add(left_ms).saturating_add(NEWS_GRACE_MS));
        let outcome = drive.once(sync)?;
        let took_ms = drive.now_ms()?.saturating_sub(asked_ms);
        kept = drive.kept.take();
        heard(phone, &outcome)?;
        let first = all.is_none();
        let in_vain = outcome.pulled_items == 0 && took_ms < NEWS_WAIT_MIN_MS;
        let (verdict, pause_ms) = (outcome.verdict, outcome.pause_ms);
        all = Some(match all {
            None => outcome,
            Some(before) => before.then(outcome),
        });
        let pause_ms = match verdict {
            Verdict::Refused => return Ok(all.unwrap_or_else(Outcome::nothing_yet)),
            // A road that broke may hold its connection for long.
            Verdict::Offline | Verdict::Partial => {
                kept = None;
                pause_ms.unwrap_or(NEWS_PAUSE_MS)
            }
            Verdict::UpToDate if in_vain && !first => pause_ms.unwrap_or(NEWS_PAUSE_MS),
            Verdict::UpToDate => 0,
        };
        let left_ms = left_ms.saturating_sub(took_ms);
        std::thread::sleep(Duration::from_millis(pause_ms.min(left_ms)));
    }
}

struct Drive<'a> {
    phone: &'a mut dyn Shared,
    addresses: &'a [String],
    deadline_ms: Option<u64>,
    /// The client of the sync before: its connection still stands.
    kept: Option<Arc<HubClient>>,
}

impl<'a> Drive<'a> {
    fn on(phone: &'a mut dyn Shared, addresses: &'a [String]) -> Self {
        Drive { phone, addresses, deadline_ms: None, kept: None }
    }

    fn with<T>(&mut self, mut work: impl FnMut(&mut dyn SyncStore) -> Result<T>) -> Result<T> {
        let mut out = None;
        self.phone.with(&mut |store| {
            out = Some(work(store)?);
            Ok(())
        })?;
        Ok(out.expect("the phone ran the work, or gave back an error"))
    }

    fn now_ms(&mut self) -> Result<u64> {
        self.with(|store| Ok(store.clock().monotonic_ms()))
    }

    fn left_ms(&mut self) -> Result<Option<u64>> {
        let now_ms = self.now_ms()?;
        Ok(self.deadline_ms.map(|deadline| deadline.saturating_sub(now_ms)))
    }

    fn identity(&mut self) -> Result<Identity> {
        self.with(|store| store.identity())
    }

    fn client(&mut self) -> Result<Arc<HubClient>> {
        let history = self.identity()?.history;
        HubClient::pinned(&history.value, self.addresses).map(Arc::new)
    }

    fn once(&mut self, mut sync: Sync) -> Result<Outcome> {
        let runtime = runtime()?;
        let mut client = match self.kept.take() {
            Some(client) => client,
            None => self.client()?,
        };
        let (sender, answers): (Sender<Answer>, Receiver<Answer>) = channel();
        let mut flying = tokio::task::JoinSet::new();
        // What asking for newer keys ended with, for all that left before.
        let mut refreshed: Option<(u64, Failure)> = None;
        let mut newest_id = 0;
        loop {
            match self.with(|store| sync.next(store))? {
                Step::Send(request) => {
                    newest_id = request.id;
                    let promise = Promise::new(request.id, sender.clone());
                    flying.spawn_on(carry(Arc::clone(&client), request, promise), runtime.handle());
                }
                Step::Done(outcome) => {
                    self.kept = Some(client);
                    return Ok(outcome);
                }
                Step::Wait { for_ms } => {
                    let (id, answer) = match self.wait(&answers, for_ms)? {
                        Waited::Answer(id, answer) => (id, answer),
                        Waited::Pause => continue,
                        // Dropping the set ends what is in the air.
                        Waited::Deadline => return self.with(|store| sync.stop_now(store)),
                        Waited::TooLong => {
                            flying.abort_all();
                            client = self.client()?;
                            self.with(|store| sync.give_up_waiting(store))?;
                            continue;
                        }
                    };
                    let answer = match answer {
                        Err(Failure::WrongHub(why)) => match &refreshed {
                            None => {
                                let known = self.refresh_keys(&mut sync, why)?;
                                client = self.client()?;
                                refreshed = Some((newest_id, known.clone()));
                                Err(known)
                            }
                            Some((before, known)) if id <= *before => Err(known.clone()),
                            Some(_) => Err(Failure::WrongHub(why)),
                        },
                        // A road that broke may hold its connection for long: the next request takes another.
                        Err(lost @ Failure::Lost { .. }) => {
                            client = self.client()?;
                            Err(lost)
                        }
                        other => other,
                    };
                    self.take(&mut sync, id, answer)?;
                }
            }
        }
    }

    fn take(&mut self, sync: &mut Sync, id: u64, answer: Result<Reply, Failure>) -> Result<()> {
        let mut answer = Some(answer);
        self.with(|store| match answer.take() {
            Some(Ok(reply)) => sync.on_reply(id, reply, store),
            Some(Err(failure)) => sync.on_failure(id, failure, store),
            None => Ok(()),
        })
    }

    /// The hub may have a new TLS key that this phone has not heard of: ask for its history, believe it only
    /// under the commune root. What comes back is the failure to report.
    fn refresh_keys(&mut self, sync: &mut Sync, why: String) -> Result<Failure> {
        let identity = self.identity()?;
        let found = runtime()?.block_on(HubClient::bootstrap(&identity.root_hash, self.addresses));
        match found {
            Ok(history) if history.value.number > identity.history.value.number => {
                self.with(|store| {
                    store.set_history(&history)?;
                    sync.keys_changed(store)
                })?;
                Ok(Failure::lost("the hub has a new key; it was verified under the commune root"))
            }
            Ok(_) => Ok(Failure::WrongHub(why)),
            Err(Error::Refused { detail, .. }) => Ok(Failure::WrongHub(detail)),
            Err(other) => Ok(Failure::Unreachable(other.to_string())),
        }
    }

    /// Waits for an answer, a pause to end, or the deadline. Nothing is waited for without a bound.
    fn wait(&mut self, answers: &Receiver<Answer>, for_ms: Option<u64>) -> Result<Waited> {
        // Each address may take its time to connect and to answer, one after the other.
        let bound_ms = for_ms.unwrap_or(ANSWER_WAIT_MAX_MS.saturating_mul(self.addresses.len() as u64));
        let left_ms = self.left_ms()?.unwrap_or(u64::MAX);
        Ok(match answers.recv_timeout(Duration::from_millis(bound_ms.min(left_ms))) {
            Ok((id, answer)) => Waited::Answer(id, answer),
            Err(_) if left_ms <= bound_ms => Waited::Deadline,
            Err(_) if for_ms.is_some() => Waited::Pause,
            Err(_) => Waited::TooLong,
        })
    }
}

/// What a wait ended with.
enum Waited {
    Answer(u64, Result<Reply, Failure>),
    Pause,
    Deadline,
    TooLong,
}

/// Answers for a request in any case: also when the task that carries it ends without.
struct Promise {
    id: u64,
    answers: Sender<Answer>,
    kept: bool,
}

impl Promise {
    fn new(id: u64, answers: Sender<Answer>) -> Self {
        Promise { id, answers, kept: false }
    }

    fn keep(mut self, answer: Result<Reply, Failure>) {
        self.kept = true;
        // Nobody listens any more when the time was up: the receipt will come with the next feed.
        let _ = self.answers.send((self.id, answer));
    }
}

impl Drop for Promise {
    fn drop(&mut self) {
        if !self.kept {
            let _ = self.answers.send((self.id, Err(Failure::lost("the task that carried this request ended without an answer"))));
        }
    }
}

async fn carry(client: Arc<HubClient>, request: Request, promise: Promise) {
    promise.keep(client.carry(&request).await);
}
