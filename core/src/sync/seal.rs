//! Makes the segment of a run: packed while the vault is open, as stored while it is locked.
//!
//! In two steps: [`prepare`] takes what the store and the device key have to give; [`Job::seal`] is pure work
//! (opening, packing, sealing), most of what a sync costs the phone, and runs beside others of its kind.

use std::collections::HashMap;

use yenban_protocol::cert::Token;
use yenban_protocol::chain::{Body, FIRST_LINK};
use yenban_protocol::crypto::PublicKey;
use yenban_protocol::id::{DeviceId, EntryName};
use yenban_protocol::limits::{MAX_HEADS, MAX_WRAPS};
use yenban_protocol::seal::{SealedBody, SessionKey, SessionWrap};
use yenban_protocol::segment::{Head, Run, SessionIndex};
use yenban_protocol::signed::Signed;

use super::plan::Span;
use super::store::{StoredEntry, SyncStore};
use crate::error::{Error, Result};
use crate::keys::{DeviceSigner, Drawn, Swift};
use crate::limits::{SEGMENT_ENTRIES_MAX, SEGMENT_SEALED_BODIES_MAX_BYTES};

/// From whom to whom.
pub(super) struct Sender<'a> {
    pub device: DeviceId,
    pub hub: PublicKey,
    pub token: Option<&'a Signed<Token>>,
}

/// A run that is ready to be sealed.
pub(super) struct Job {
    /// What the segment will hold: cut where bytes or sessions reach their bound.
    pub span: Span,
    run: Run,
    entries: Vec<StoredEntry>,
    sessions: HashMap<i64, Session>,
    hub: PublicKey,
    random: Drawn,
}

struct Session {
    /// While the vault that opens it is open.
    key: Option<SessionKey>,
    wrap: SessionWrap,
}

/// Takes from the store as much of `span` as one segment holds; `None` when its first entry is not here any
/// more.
pub(super) fn prepare(store: &mut dyn SyncStore, sender: &Sender<'_>, span: Span) -> Result<Option<Job>> {
    let limit = u32::try_from(span.count().min(SEGMENT_ENTRIES_MAX)).unwrap_or(u32::MAX);
    let mut entries = store.entries(span.log, span.first, limit)?;
    entries.truncate(fitting(&entries, span.first));
    let Some(end) = entries.last() else { return Ok(None) };
    let span = Span { last: end.seq, ..span };
    let previous = match span.first.checked_sub(1) {
        None => FIRST_LINK,
        Some(before) => store.link(span.log, before)?.ok_or_else(|| Error::LogBroken {
            at: EntryName { log: span.log, seq: before }.to_string(),
            why: "its link is gone, so what follows cannot be sent".into(),
        })?,
    };
    let mut heads = store.heads(span.log, span.first, span.last)?;
    // Signed under a name that this phone had before it joined once more: a hub that does not know it believes none of the run.
    heads.retain(|head| head.device == sender.device);
    if heads.last().is_none_or(|head| head.seq != span.last) {
        let name = EntryName { log: span.log, seq: span.last };
        let token = sender.token.map(|t| t.bytes().to_vec());
        let head = Head::sign(name, &end.link, sender.device, token, &DeviceSigner(store.keys()));
        heads.push(head.map_err(|e| Error::KeyStore(e.to_string()))?);
    }
    let mut sessions = HashMap::new();
    for id in entries.iter().map(|entry| entry.session) {
        if let std::collections::hash_map::Entry::Vacant(place) = sessions.entry(id) {
            place.insert(Session { key: store.session_key(id)?, wrap: store.session_wrap(id)? });
        }
    }
    let run = Run { log: span.log, first: span.first, previous, bodies: Vec::new(), heads: telling(heads) };
    Ok(Some(Job { span, run, entries, sessions, hub: sender.hub, random: Drawn::new(store.keys())? }))
}

impl Job {
    /// The sealed segment.
    pub(super) fn seal(mut self) -> Result<Vec<u8>> {
        let sealed = match self.open_bodies() {
            Some(bodies) => {
                self.run.bodies = bodies;
                self.run.seal(&mut self.random, &self.hub)
            }
            None => {
                let (wraps, bodies) = as_stored(&self.sessions, self.entries);
                self.run.seal_as_stored(&mut self.random, &self.hub, &wraps, &bodies)
            }
        };
        let name = EntryName { log: self.span.log, seq: self.span.last };
        sealed.map_err(|e| Error::LogBroken { at: name.to_string(), why: e.to_string() })
    }

    /// The readable bodies, or `None` when a session's key cannot be had or a box does not open: then the hub,
    /// which has its own wrap of the key, is the one to say what is wrong.
    fn open_bodies(&self) -> Option<Vec<Body>> {
        let open = |entry: &StoredEntry| {
            let key = self.sessions.get(&entry.session)?.key.as_ref()?;
            key.open_with(EntryName { log: self.span.log, seq: entry.seq }, &entry.body, &Swift).ok()
        };
        self.entries.iter().map(open).collect()
    }
}

/// Seals jobs side by side, each with its result.
pub(super) fn seal_all<T: Send>(jobs: Vec<(T, Job)>) -> Vec<(T, Result<Vec<u8>>)> {
    std::thread::scope(|threads| {
        let mut jobs = jobs.into_iter();
        let first = jobs.next();
        let others: Vec<_> = jobs.map(|(of, job)| (of, threads.spawn(|| job.seal()))).collect();
        // This thread works too.
        let mut sealed: Vec<_> = first.into_iter().map(|(of, job)| (of, job.seal())).collect();
        for (of, thread) in others {
            let stopped = |_| Err(Error::LogBroken { at: "segment".into(), why: "sealing it stopped".into() });
            sealed.push((of, thread.join().unwrap_or_else(stopped)));
        }
        sealed
    })
}

/// The heads worth their 200 bytes. A token is all that dates a head, so of those with the same token the last
/// one says as much as all of them; of too many the newest go.
fn telling(mut heads: Vec<Head>) -> Vec<Head> {
    let mut later: Option<Option<Vec<u8>>> = None;
    let mut kept = Vec::new();
    while let Some(head) = heads.pop()
        && kept.len() < MAX_HEADS
    {
        if later.as_ref() != Some(&head.token) {
            later = Some(head.token.clone());
            kept.push(head);
        }
    }
    kept.reverse();
    kept
}

/// How many of `entries` follow each other from `first` and fit one segment; at least one if any is there.
fn fitting(entries: &[StoredEntry], first: u64) -> usize {
    let mut bytes = 0;
    let mut sessions: Vec<i64> = Vec::new();
    for (index, (entry, expected)) in entries.iter().zip(first..).enumerate() {
        bytes += entry.size_bytes;
        if !sessions.contains(&entry.session) {
            sessions.push(entry.session);
        }
        let full = bytes > SEGMENT_SEALED_BODIES_MAX_BYTES || sessions.len() > MAX_WRAPS;
        if entry.seq != expected || (full && index > 0) {
            return index;
        }
    }
    entries.len()
}

type AsStored = (Vec<SessionWrap>, Vec<(SessionIndex, SealedBody)>);

fn as_stored(sessions: &HashMap<i64, Session>, entries: Vec<StoredEntry>) -> AsStored {
    let mut order: Vec<i64> = Vec::new();
    let mut bodies = Vec::with_capacity(entries.len());
    for entry in entries {
        let known = order.iter().position(|s| *s == entry.session);
        let index = known.unwrap_or(order.len());
        if known.is_none() {
            order.push(entry.session);
        }
        // At most MAX_WRAPS sessions, see `fitting`.
        bodies.push((SessionIndex::try_from(index).unwrap_or(SessionIndex::MAX), entry.body));
    }
    let wraps = order.iter().filter_map(|id| sessions.get(id)).map(|session| session.wrap.clone()).collect();
    (wraps, bodies)
}
