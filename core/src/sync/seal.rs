//! Makes the segment of a run: packed while the vault is open, as stored while it is locked.

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
use crate::keys::{DeviceSigner, Drawn, KeyStore};
use crate::limits::{SEGMENT_ENTRIES_MAX, SEGMENT_SEALED_BODIES_MAX_BYTES};

/// Who seals to whom.
pub(super) struct Sender<'a> {
    pub keys: &'a dyn KeyStore,
    pub device: DeviceId,
    pub hub: PublicKey,
    pub token: Option<&'a Signed<Token>>,
}

/// A sealed run.
pub(super) struct SealedRun {
    /// What the segment really holds: cut where bytes or sessions reach their bound.
    pub span: Span,
    pub bytes: Vec<u8>,
}

/// Seals as much of `span` as one segment takes; `None` when its first entry is not here any more.
pub(super) fn seal_run(store: &dyn SyncStore, sender: &Sender<'_>, span: Span) -> Result<Option<SealedRun>> {
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
    let name = EntryName { log: span.log, seq: span.last };
    let mut heads = store.heads(span.log, span.first, span.last)?;
    if heads.last().is_none_or(|head| head.seq != span.last) {
        let token = sender.token.map(|t| t.bytes().to_vec());
        let head = Head::sign(name, &end.link, sender.device, token, &DeviceSigner(sender.keys));
        heads.push(head.map_err(|e| Error::KeyStore(e.to_string()))?);
    }
    let mut run = Run { log: span.log, first: span.first, previous, bodies: Vec::new(), heads: telling(heads) };
    let mut rng = Drawn::new(sender.keys)?;
    let sealed = match open_bodies(store, span, &entries)? {
        Some(bodies) => {
            run.bodies = bodies;
            run.seal(&mut rng, &sender.hub)
        }
        None => {
            let (wraps, bodies) = as_stored(store, entries)?;
            run.seal_as_stored(&mut rng, &sender.hub, &wraps, &bodies)
        }
    };
    let bytes = sealed.map_err(|e| Error::LogBroken { at: name.to_string(), why: e.to_string() })?;
    Ok(Some(SealedRun { span, bytes }))
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

/// The readable bodies, or `None` when a session's key cannot be had or a box does not open: then the hub,
/// which has its own wrap of the key, is the one to say what is wrong.
fn open_bodies(store: &dyn SyncStore, span: Span, entries: &[StoredEntry]) -> Result<Option<Vec<Body>>> {
    let mut keys: HashMap<i64, SessionKey> = HashMap::new();
    let mut bodies = Vec::with_capacity(entries.len());
    for entry in entries {
        let key = match keys.entry(entry.session) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => match store.session_key(entry.session)? {
                Some(key) => place.insert(key),
                None => return Ok(None),
            },
        };
        match key.open(EntryName { log: span.log, seq: entry.seq }, &entry.body) {
            Ok(body) => bodies.push(body),
            Err(_) => return Ok(None),
        }
    }
    Ok(Some(bodies))
}

type AsStored = (Vec<SessionWrap>, Vec<(SessionIndex, SealedBody)>);

fn as_stored(store: &dyn SyncStore, entries: Vec<StoredEntry>) -> Result<AsStored> {
    let mut sessions: Vec<i64> = Vec::new();
    let mut bodies = Vec::with_capacity(entries.len());
    for entry in entries {
        let known = sessions.iter().position(|s| *s == entry.session);
        let index = known.unwrap_or(sessions.len());
        if known.is_none() {
            sessions.push(entry.session);
        }
        // At most MAX_WRAPS sessions, see `fitting`.
        bodies.push((SessionIndex::try_from(index).unwrap_or(SessionIndex::MAX), entry.body));
    }
    let wraps = sessions.iter().map(|s| store.session_wrap(*s)).collect::<Result<_>>()?;
    Ok((wraps, bodies))
}
