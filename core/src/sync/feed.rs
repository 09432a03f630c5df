//! The feed and the keys: the request that asks for everything new, and what its answer may change.

use yenban_protocol::cert::{RequestCertificate, Token};
use yenban_protocol::crypto::{SecretKey, Signer as _};
use yenban_protocol::feed::{FeedItem, Item, Scope, item_hash};
use yenban_protocol::id::Epoch;
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::limits::MAX_STREAMS;
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest, KeysAnswer};

use super::REQUEST_KEY_PURPOSE;
use super::machine::Sync;
use super::outcome::Reason;
use super::store::{Gap, Identity, StoredRequestKey, StreamState, SyncStore};
use crate::error::{Error, Result};
use crate::keys::{self, DeviceSigner, Drawn, KeyStore, Swift};
use crate::limits::{FEED_ITEMS_PER_ANSWER, REQUEST_KEY_RENEW_MS};

/// The body of the next feed request; `None` when there is no token yet to certify a request key with.
pub(super) fn request(sync: &mut Sync, store: &mut dyn SyncStore) -> Result<Option<Vec<u8>>> {
    let Some(identity) = &sync.identity else { return Ok(None) };
    let Some((key, certificate)) = request_key(identity, sync.renew_request_key, store)? else { return Ok(None) };
    let held = store.earlier_items()?;
    sync.orders.offered = !held.is_empty();
    let request = FeedRequest { held, ..feed_request(identity, store)? };
    let body = AuthorisedRequest::new(&certificate, request, &key).map_err(|e| Error::KeyStore(e.to_string()))?;
    Ok(Some(body.to_bytes()))
}

/// What is asked: everything after what is here.
pub(super) fn feed_request(identity: &Identity, store: &dyn SyncStore) -> Result<FeedRequest> {
    let cursor = |s: StreamState| Cursor { scope: s.scope, epoch: s.epoch, number: s.number };
    let logs = store.logs()?;
    Ok(FeedRequest {
        device: identity.device,
        cursors: store.streams()?.into_iter().take(MAX_STREAMS).map(cursor).collect(),
        limit: FEED_ITEMS_PER_ANSWER,
        // The newest logs, if ever there are more than one request may name.
        logs: logs.iter().rev().take(MAX_STREAMS).map(|s| s.log).collect(),
        history_number: identity.history.value.number,
        held: Vec::new(),
    })
}

type RequestKey = (SecretKey, Signed<RequestCertificate>);

/// The request key, made anew when it is missing, refused, or so old that it would soon be.
fn request_key(identity: &Identity, renew: bool, store: &mut dyn SyncStore) -> Result<Option<RequestKey>> {
    let Some(token) = store.token()? else { return Ok(None) };
    if let Some(stored) = store.request_key()?
        && let Some((key, certificate)) = load_request_key(&stored, store.keys())
        && let Ok(certified) = Signed::<Token>::trusted(&certificate.value.token)
    {
        let age_ms = token.value.hub_time_ms.saturating_sub(certified.value.hub_time_ms);
        let refused = renew && age_ms > 0;
        if certificate.value.device == identity.device && age_ms < REQUEST_KEY_RENEW_MS && !refused {
            return Ok(Some((key, certificate)));
        }
    }
    let key = SecretKey::generate(&mut Drawn::new(store.keys())?);
    let value = RequestCertificate { device: identity.device, key: key.public_key(), token: token.into_bytes() };
    let certificate = Signed::sign(value, &DeviceSigner(store.keys())).map_err(|e| Error::KeyStore(e.to_string()))?;
    let wrapped = store.keys().wrap(REQUEST_KEY_PURPOSE, key.scalar().as_ref())?;
    store.set_request_key(&StoredRequestKey { wrapped, certificate: certificate.bytes().to_vec() })?;
    Ok(Some((key, certificate)))
}

/// A key that no longer unwraps is made anew: it proves nothing that the device key could not prove again.
fn load_request_key(stored: &StoredRequestKey, keys: &dyn KeyStore) -> Option<RequestKey> {
    let scalar = keys::unwrap32(keys, REQUEST_KEY_PURPOSE, &stored.wrapped).ok()?;
    Some((SecretKey::from_scalar(&scalar).ok()?, Signed::trusted(&stored.certificate).ok()?))
}

impl Sync {
    /// The answer to a request for keys.
    pub(super) fn on_keys(&mut self, body: &[u8], store: &mut dyn SyncStore, asked_ms: u64, now_ms: u64) -> Result<()> {
        let Ok(answer) = KeysAnswer::from_bytes(body) else {
            self.halt(Reason::new("malformed_answer", "the hub's answer with its keys cannot be read"));
            return Ok(());
        };
        if self.take_history(&answer.history, store)? {
            self.take_token(&answer.token, store, asked_ms, now_ms)?;
        }
        Ok(())
    }

    /// The answer to a feed request.
    pub(super) fn on_feed(&mut self, body: &[u8], store: &mut dyn SyncStore, asked_ms: u64, now_ms: u64) -> Result<()> {
        let Ok(answer) = FeedAnswer::from_bytes(body) else {
            self.halt(Reason::new("malformed_answer", "the hub's answer with the feed cannot be read"));
            return Ok(());
        };
        if let Some(history) = &answer.history
            && !self.take_history(history, store)?
        {
            return Ok(());
        }
        let (epoch, offered) = (store.epoch()?, std::mem::take(&mut self.orders.offered));
        if !self.take_token(&answer.token, store, asked_ms, now_ms)? {
            return Ok(());
        }
        if store.epoch()? != epoch {
            // What is held of the epoch that has just ended is said with the next request.
            self.feed_wanted |= !store.earlier_items()?.is_empty();
        } else if offered {
            self.give_back(&answer.wanted, store)?;
        }
        for receipt in &answer.receipts {
            self.on_receipt(receipt, store)?;
        }
        let open: Vec<Scope> = answer.streams.iter().map(|s| s.scope).collect();
        let before = store.streams()?;
        if before.iter().any(|s| !open.contains(&s.scope)) {
            store.keep_streams(&open)?;
        }
        let moved = self.take_items(&answer.items, &open, true, store)?;
        // More without anything new would go round for ever.
        self.feed_wanted |= answer.more && moved;
        Ok(())
    }

    /// Verifies a key history and keeps it if it is newer. False stops what depends on it.
    pub(super) fn take_history(&mut self, bytes: &[u8], store: &mut dyn SyncStore) -> Result<bool> {
        let Some(identity) = &mut self.identity else { return Ok(false) };
        match KeyHistory::verify(bytes, &Swift, &identity.root_hash) {
            // A lower number is an old document: what we know stays.
            Ok(history) if history.value.number > identity.history.value.number => {
                store.set_history(&history)?;
                identity.history = history;
                self.seal_anew();
                Ok(true)
            }
            Ok(_) => Ok(true),
            Err(_) => {
                self.halt(Reason::new("hub_mismatch", "the hub's keys are not signed by the commune of the enrolment code"));
                Ok(false)
            }
        }
    }

    /// Verifies a token, keeps it if it is the newest, and begins its epoch if that is another one.
    fn take_token(&mut self, bytes: &[u8], store: &mut dyn SyncStore, asked_ms: u64, now_ms: u64) -> Result<bool> {
        let key_of = |token: &Token, id| self.identity.as_ref().and_then(|i| i.history.value.signing_key_at(id, token.hub_time_ms));
        let Ok(token) = Signed::verify(bytes, &Swift, key_of) else {
            self.halt(Reason::new("untrusted_token", "the hub's time is not signed by the hub"));
            return Ok(false);
        };
        if store.epoch()? != Some(token.value.epoch) {
            self.begin_epoch(token.value.epoch, store)?;
        }
        let contact = Anchor {
            hub_ms: token.value.hub_time_ms,
            monotonic_ms: now_ms,
            rtt_ms: if planted(Bug::RoundTripIgnored) { 0 } else { now_ms.saturating_sub(asked_ms) },
        };
        store.set_token(&token, contact)?;
        Ok(true)
    }

    pub(super) fn begin_epoch(&mut self, epoch: Epoch, store: &mut dyn SyncStore) -> Result<()> {
        store.begin_epoch(epoch)?;
        self.seal_anew();
        self.files.forget_all();
        self.plan.load(store)
    }

    /// Verifies items and hands them to the store. Answers whether anything moved. `asked_here`: for what came to the
    /// question of this very phone a gap is the hub's, and is noted; else it may be this phone's own, and the items behind
    /// it are left for the next answer.
    pub(super) fn take_items(&mut self, items: &[Vec<u8>], open: &[Scope], asked_here: bool, store: &mut dyn SyncStore) -> Result<bool> {
        let mut streams = store.streams()?;
        let (mut new, mut gaps) = (Vec::new(), Vec::new());
        for bytes in items {
            let key_of = |item: &FeedItem, id| self.identity.as_ref().and_then(|i| i.history.value.signing_key_at(id, item.issued_ms));
            let Ok(item) = Signed::verify(bytes, &Swift, key_of) else {
                self.refuse(Reason::new("untrusted_item", "an item of the feed is not signed by the hub; it was not taken"));
                continue;
            };
            if !open.contains(&item.value.scope) {
                continue;
            }
            match follow(&streams, &item.value) {
                Follows::Seen => continue,
                Follows::After(_) if !asked_here => continue,
                Follows::Next => {}
                Follows::After(gap) => gaps.push(gap),
                Follows::Contradicts => {
                    let detail = format!(
                        "item {} of the stream {} does not follow the one before it; it was not taken",
                        item.value.number, item.value.scope
                    );
                    self.refuse(Reason::new("broken_stream", detail));
                    continue;
                }
            }
            move_on(&mut streams, &item);
            new.push(item);
        }
        if new.is_empty() {
            return Ok(false);
        }
        streams.retain(|s| new.iter().any(|item| item.value.scope == s.scope));
        self.outcome.pulled_items += store.apply_items(&new, &streams, &gaps)?;
        for item in &new {
            if let Item::ObjectsWanted { objects } = &item.value.item {
                objects.iter().for_each(|file| self.files.forget(file));
            }
        }
        Ok(true)
    }
}

/// How an item stands to what we have of its stream.
enum Follows {
    Seen,
    Next,
    After(Gap),
    Contradicts,
}

/// Compares an item with its stream.
fn follow(streams: &[StreamState], item: &FeedItem) -> Follows {
    let FeedItem { scope, epoch, number, previous, .. } = *item;
    let gap = |first: u64| Gap { scope, epoch, first, last: number.saturating_sub(1) };
    let Some(state) = streams.iter().find(|s| s.scope == scope) else {
        return if number <= 1 { Follows::Next } else { Follows::After(gap(1)) };
    };
    let (same_epoch, next) = (state.epoch == epoch, state.number.saturating_add(1));
    // A hub that was restored goes on from what its backup had: it may count again what we have seen.
    match (same_epoch, previous == state.hash) {
        (true, _) if number < next => Follows::Seen,
        (_, true) => Follows::Next,
        (true, false) if number == next => Follows::Contradicts,
        (false, false) if number <= next => Follows::Next,
        (_, false) => Follows::After(gap(next)),
    }
}

/// The stream of an item that is taken ends with it.
fn move_on(streams: &mut Vec<StreamState>, item: &Signed<FeedItem>) {
    let FeedItem { scope, epoch, number, .. } = item.value;
    streams.retain(|s| s.scope != scope);
    streams.push(StreamState { scope, epoch, number, hash: item_hash(item) });
}
