//! Without network: everything that waits, in parcels that somebody carries; and what the hub answers to them.
//!
//! Nothing is decided here that a sync would decide otherwise: the same plan, the same segments, the same checks of
//! receipts and items. An answer is no contact, so it sets no clock; and it may be old: it then closes no stream, opens
//! none, and does not bring another life of the hub's database back.

use std::collections::VecDeque;

use yenban_protocol::cert::Token;
use yenban_protocol::crypto::PublicKey;
use yenban_protocol::feed::Scope;
use yenban_protocol::keys::Purpose;
use yenban_protocol::limits::{MAX_PARCEL_OBJECT_BYTES, MAX_PARCEL_OBJECTS, MAX_PARCEL_SEGMENTS};
use yenban_protocol::parcel::Parcel;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::FeedAnswer;

use super::feed::feed_request;
use super::machine::Sync;
use super::outcome::{Outcome, Reason};
use super::plan::{Plan, Span};
use super::seal::{Sender, prepare};
use super::store::SyncStore;
use crate::error::{Error, Result};
use crate::keys::{DeviceSigner, Drawn, Swift};
use crate::limits::{COURIER_FILE_MAX_BYTES, COURIER_FILES_MAX, PARCEL_AIM_BYTES, PARCELS_MADE_MAX, RESCUE_FILES_MAX, RESCUE_PARCELS_MAX};

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Sealed parcels; at least one, so that the hub's answer is asked for.
    pub parcels: Vec<Vec<u8>>,
    /// Entries in them.
    pub entries: u64,
    /// Files in them.
    pub files: u64,
    /// Something more waits than fits: it goes with the next courier.
    pub more: bool,
}

/// How much is packed at once.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Parcels.
    pub parcels: usize,
    /// Files.
    pub files: usize,
    /// Bytes of one file.
    pub file_bytes: u64,
}

impl Bounds {
    /// For the road of a courier, which may be a slow network.
    pub const COURIER: Bounds = Bounds { parcels: PARCELS_MADE_MAX, files: COURIER_FILES_MAX, file_bytes: COURIER_FILE_MAX_BYTES };
    /// As much as parcels can hold.
    pub const RESCUE: Bounds = Bounds { parcels: RESCUE_PARCELS_MAX, files: RESCUE_FILES_MAX, file_bytes: MAX_PARCEL_OBJECT_BYTES as u64 };
}

/// Parcels being filled one after another.
struct Packer {
    parcels_max: usize,
    request: Vec<u8>,
    hub: PublicKey,
    current: Parcel,
    sealed: Vec<Vec<u8>>,
}

impl Packer {
    fn is_full(&self) -> bool {
        self.sealed.len() + 1 >= self.parcels_max
    }

    fn is_empty(&self) -> bool {
        self.current.segments.is_empty() && self.current.objects.is_empty()
    }

    /// Makes room for `bytes` more; `false` when no further parcel may be begun.
    fn room(&mut self, store: &dyn SyncStore, bytes: usize) -> Result<bool> {
        let fits = self.current.content_bytes_with(bytes) <= PARCEL_AIM_BYTES
            && self.current.segments.len() < MAX_PARCEL_SEGMENTS
            && self.current.objects.len() < MAX_PARCEL_OBJECTS;
        if fits || self.is_empty() {
            return Ok(true);
        }
        if self.is_full() {
            return Ok(false);
        }
        self.close(store)?;
        Ok(true)
    }

    fn close(&mut self, store: &dyn SyncStore) -> Result<()> {
        let empty = Parcel { request: self.request.clone(), segments: Vec::new(), objects: Vec::new() };
        let parcel = std::mem::replace(&mut self.current, empty);
        let sealed = parcel.seal(&mut Drawn::new(store.keys())?, &self.hub);
        self.sealed.push(sealed.map_err(|e| Error::untrusted("key history", e))?);
        Ok(())
    }
}

/// Packs everything that waits. What is given along counts as sent, not as received.
pub fn pack(store: &mut dyn SyncStore, bounds: Bounds) -> Result<Packed> {
    let identity = store.identity()?;
    let hub = identity.history.value.current(Purpose::Seal).ok_or_else(|| Error::untrusted("key history", "it has no sealing key"))?.key;
    let request = Parcel::new(feed_request(&identity, store)?, &DeviceSigner(store.keys())).map_err(|e| Error::KeyStore(e.to_string()))?;
    let mut packer = Packer { parcels_max: bounds.parcels, request: request.request.clone(), hub, current: request, sealed: Vec::new() };
    let token = store.token()?;
    let mut plan = Plan::default();
    plan.load(store)?;
    let (mut taken, mut packed_spans, mut halves) = (Vec::new(), Vec::new(), VecDeque::new());
    let mut more = false;
    while let Some(span) = halves.pop_front().or_else(|| plan.next(&taken).map(|piece| piece.span)) {
        taken.push(span);
        let sender = Sender { device: identity.device, hub, token: token.as_ref() };
        let made = match prepare(store, &sender, span) {
            Ok(Some(job)) => {
                let part = job.span;
                if part.last < span.last {
                    halves.push_front(Span { first: part.last + 1, ..span });
                }
                job.seal().map(|bytes| Some((part, bytes)))
            }
            Ok(None) => Ok(None),
            Err(e) => Err(e),
        };
        match made {
            Ok(Some((part, bytes))) => {
                if !packer.room(store, bytes.len())? {
                    more = true;
                    break;
                }
                packer.current.segments.push(bytes);
                packed_spans.push(part);
            }
            // Pruned: from what is still here on.
            Ok(None) => {
                let present = store.entries(span.log, span.first, 1)?.first().map(|entry| entry.seq);
                halves.extend(present.filter(|seq| (span.first + 1..=span.last).contains(seq)).map(|first| Span { first, ..span }));
            }
            // What this phone cannot read itself keeps nothing else back; a sync sets it apart and says why.
            Err(Error::LogBroken { .. }) if span.count() > 1 => {
                let (a, b) = span.halves();
                halves.extend([a, b]);
            }
            Err(Error::LogBroken { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    let (files, left) = pack_files(store, &mut packer, bounds)?;
    more |= left;
    if packer.sealed.is_empty() || !packer.is_empty() {
        packer.close(store)?;
    }
    for span in &packed_spans {
        store.note_unanswered(span.log, span.first, span.last)?;
    }
    Ok(Packed { parcels: packer.sealed, entries: packed_spans.iter().map(Span::count).sum(), files, more })
}

fn pack_files(store: &mut dyn SyncStore, packer: &mut Packer, bounds: Bounds) -> Result<(u64, bool)> {
    let mut files = 0;
    let waiting = store.small_files(bounds.files + 1, bounds.file_bytes)?;
    let left = waiting.len() > bounds.files;
    for file in waiting.into_iter().take(bounds.files) {
        // One that cannot be read stays for a sync, which says so; the others go.
        let Ok(bytes) = std::fs::read(&file.path) else { continue };
        if bytes.len() as u64 != file.size_bytes {
            continue;
        }
        if !packer.room(store, bytes.len())? {
            return Ok((files, true));
        }
        packer.current.objects.push(bytes);
        files += 1;
    }
    Ok((files, left))
}

/// Takes the hub's answer to a parcel, whenever it comes.
pub fn take_answer(answer: &FeedAnswer, store: &mut dyn SyncStore) -> Result<Outcome> {
    let mut sync = Sync::new();
    sync.identity = Some(store.identity()?);
    sync.plan.load(store)?;
    sync.on_courier_answer(answer, store)?;
    sync.finish(store)
}

impl Sync {
    fn on_courier_answer(&mut self, answer: &FeedAnswer, store: &mut dyn SyncStore) -> Result<()> {
        if let Some(history) = &answer.history
            && !self.take_history(history, store)?
        {
            return Ok(());
        }
        let key_of = |token: &Token, id| self.identity.as_ref().and_then(|i| i.history.value.signing_key_at(id, token.hub_time_ms));
        let Ok(token) = Signed::verify(&answer.token, &Swift, key_of) else {
            self.halt(Reason::new("untrusted_token", "the hub's time is not signed by the hub"));
            return Ok(());
        };
        let newest_ms = store.token()?.map_or(i64::MIN, |known| known.value.hub_time_ms);
        // As new as the newest counts as new: no contact lies between the two.
        let is_newest = token.value.hub_time_ms >= newest_ms;
        if is_newest {
            if store.epoch()? != Some(token.value.epoch) {
                self.begin_epoch(token.value.epoch, store)?;
            }
            store.keep_token(&token)?;
        } else if store.epoch()? != Some(token.value.epoch) {
            // Of a life of the hub's database that is over: what it still says of us was asked again since.
            return Ok(());
        }
        for receipt in &answer.receipts {
            self.on_receipt(receipt, store)?;
        }
        let mut open: Vec<Scope> = answer.streams.iter().map(|s| s.scope).collect();
        if !is_newest {
            let known = store.streams()?;
            open.retain(|scope| known.iter().any(|s| s.scope == *scope));
        }
        // It may answer what this phone asked in a life that was taken back since: what lies between is not skipped.
        self.take_items(&answer.items, &open, false, store).map(drop)
    }
}
