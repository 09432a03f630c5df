//! What sync asks of the phone's store, and nothing more: narrow enough that tests put memory behind it.
//!
//! Send state is derived: an entry is unsent while no receipt of the current epoch covers it and it is not
//! parked. Nothing here says "busy", so nothing can stay busy after a kill.

use std::path::PathBuf;

use yenban_protocol::cert::Token;
use yenban_protocol::chain::Link;
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{FeedItem, Scope};
use yenban_protocol::id::{DeviceId, Epoch, LogId};
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::range::RangeSet;
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::seal::{SealedBody, SessionKey, SessionWrap};
use yenban_protocol::segment::Head;
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;
use yenban_protocol::wire::{Cursor, ItemRange};

use crate::clock::Clock;
use crate::error::Result;
use crate::keys::KeyStore;

/// Who this phone is to its hub.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The device, as its certificate names it.
    pub device: DeviceId,
    /// Hash of the commune root that the enrolment code pinned.
    pub root_hash: Hash,
    /// The newest key history, verified under that root.
    pub history: Signed<KeyHistory>,
}

/// One log of this store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// The log.
    pub log: LogId,
    /// Number of entries ever written to it (the next sequence number).
    pub len: u64,
}

/// An entry as the spool keeps it.
#[derive(Debug, Clone)]
pub struct StoredEntry {
    /// Sequence number.
    pub seq: u64,
    /// Its link.
    pub link: Link,
    /// The session it was sealed under, by the store's own number.
    pub session: i64,
    /// The sealed body.
    pub body: SealedBody,
    /// Bytes of the sealed body.
    pub size_bytes: usize,
}

/// The request key: software P-256, wrapped by the key store, and its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRequestKey {
    /// The secret scalar, wrapped for [`super::REQUEST_KEY_PURPOSE`].
    pub wrapped: Vec<u8>,
    /// `Signed<RequestCertificate>`.
    pub certificate: Vec<u8>,
}

/// Where a stream of the feed stands on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamState {
    /// The stream.
    pub scope: Scope,
    /// Epoch of the newest item.
    pub epoch: Epoch,
    /// Number of the newest item.
    pub number: u64,
    /// Hash of the newest item, which the next one names.
    pub hash: Hash,
}

/// Items of a stream that should be there and are not: told to people, never passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The stream.
    pub scope: Scope,
    /// Epoch of the item that showed the gap.
    pub epoch: Epoch,
    /// First missing number.
    pub first: u64,
    /// Last missing number.
    pub last: u64,
}

/// A sealed file that no receipt of the current epoch names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingFile {
    /// Its hash, by which the hub knows it.
    pub sealed_sha256: Hash,
    /// Its length.
    pub size_bytes: u64,
    /// Where it lies.
    pub path: PathBuf,
    /// Still on this phone. One that left after an earlier receipt can be asked about, not sent.
    pub here: bool,
}

/// Why the phone can no longer be sure that it alone writes its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogDoubt {
    /// The hub holds entries of this log that this phone does not have.
    HubAhead,
    /// The hub holds other entries under the same numbers.
    Fork,
}

/// The store as sync sees it. Every method that changes something commits before it returns.
pub trait SyncStore {
    /// The phone's keys.
    fn keys(&self) -> &dyn KeyStore;
    /// The phone's clocks.
    fn clock(&self) -> &dyn Clock;

    /// Called before each step: a store that failed is opened again here, if it can be.
    fn ready(&mut self) -> Result<()> {
        Ok(())
    }
    /// Who this phone is. Fails with `NotEnrolled` before enrolment.
    fn identity(&self) -> Result<Identity>;
    /// Keeps a newer key history, verified by the caller.
    fn set_history(&mut self, history: &Signed<KeyHistory>) -> Result<()>;
    /// The newest time token.
    fn token(&self) -> Result<Option<Signed<Token>>>;
    /// Keeps a token, verified by the caller, and the contact it came with.
    fn set_token(&mut self, token: &Signed<Token>, contact: Anchor) -> Result<()>;
    /// The epoch under which receipts and cursors stand; `None` before the first sync.
    fn epoch(&self) -> Result<Option<Epoch>>;
    /// Begins another epoch in one commit: what was received counts no more, cursors start again. Items
    /// and entries stay.
    fn begin_epoch(&mut self, epoch: Epoch) -> Result<()>;
    /// The request key, if one was made.
    fn request_key(&self) -> Result<Option<StoredRequestKey>>;
    /// Keeps a request key.
    fn set_request_key(&mut self, key: &StoredRequestKey) -> Result<()>;

    /// All logs, oldest first; the last one is being written.
    fn logs(&self) -> Result<Vec<LogState>>;
    /// What the hub holds of `log` under the current epoch.
    fn received(&self, log: LogId) -> Result<RangeSet>;
    /// What was set aside of `log`.
    fn parked(&self, log: LogId) -> Result<RangeSet>;
    /// What of `log` was sent and not answered, in this sync or an earlier one.
    fn unanswered(&self, log: LogId) -> Result<RangeSet>;
    /// Urgent entries of `log` from `from` on, ascending.
    fn urgent(&self, log: LogId, from: u64) -> Result<Vec<u64>>;
    /// The link of an entry; `None` when it is not here.
    fn link(&self, log: LogId, seq: u64) -> Result<Option<Link>>;
    /// Up to `limit` entries of `log` from `first`, ascending; pruned ones are absent. May end where the bodies
    /// pass `SEGMENT_SEALED_BODIES_MAX_BYTES`, which is more than one segment takes.
    fn entries(&self, log: LogId, first: u64, limit: u32) -> Result<Vec<StoredEntry>>;
    /// Heads of `log` between two entries that the device key signed when they were the newest, ascending.
    fn heads(&self, log: LogId, first: u64, last: u64) -> Result<Vec<Head>>;
    /// The wrap of a session's key to the hub.
    fn session_wrap(&self, session: i64) -> Result<SessionWrap>;
    /// A session's key, when the vault that can open it is open. Asked for every run, so an implementation keeps
    /// the last one, and forgets it when the vault closes.
    fn session_key(&mut self, session: i64) -> Result<Option<SessionKey>>;

    /// Applies what a verified receipt says of `log`, in a transaction of its own: `held` is what of it this
    /// phone could compare with its own links. A file counts as received where an entry of that log names it, of
    /// that size, under the current epoch, and the hub has not asked for it again since.
    fn apply_receipt(&mut self, receipt: &Signed<Receipt>, held: &[Held]) -> Result<()>;
    /// Notes that a run was sent and not answered, for the outbox to show.
    fn note_unanswered(&mut self, log: LogId, first: u64, last: u64) -> Result<()>;
    /// Counts a rejection of a run by the hub; answers how many there were of exactly this run.
    fn note_rejection(&mut self, log: LogId, first: u64, last: u64, reason: &str) -> Result<u32>;
    /// Sets an entry aside.
    fn park(&mut self, log: LogId, seq: u64, reason: &str) -> Result<()>;

    /// Up to `limit` files that wait and whose entry the hub holds: those of urgent subjects first, thumbnails
    /// before previews before originals, oldest first; those that are not here any more come last. Parked ones
    /// are absent.
    fn files(&self, limit: usize) -> Result<Vec<WaitingFile>>;
    /// Whether a file has no receipt of the current epoch.
    fn file_waits(&self, file: &Hash) -> Result<bool>;
    /// How many files wait that are here and not parked, whether or not their entry has arrived.
    fn files_waiting(&self) -> Result<u64>;
    /// Reads a file once more: whether it still has the bytes that its name stands for.
    fn is_file_whole(&self, file: &Hash) -> Result<bool>;
    /// Notes why a file waits, for the outbox to show.
    fn note_file(&mut self, file: &Hash, why: &str) -> Result<()>;
    /// Counts a rejection of a file by the hub; answers how many there were.
    fn note_file_rejection(&mut self, file: &Hash, reason: &str) -> Result<u32>;
    /// Sets a file aside.
    fn park_file(&mut self, file: &Hash, reason: &str) -> Result<()>;

    /// Remembers that the newest log is in doubt: the next entry starts a new one.
    fn doubt(&mut self, doubt: LogDoubt) -> Result<()>;

    /// Where the streams stand.
    fn streams(&self) -> Result<Vec<StreamState>>;
    /// Keeps items (verified, ascending within a stream), moves the cursors and records gaps, in one
    /// transaction; files that a new item wants are offered again, a head of custody is remembered for
    /// good. Items that are here already change nothing. Answers how many were new.
    fn apply_items(&mut self, items: &[Signed<FeedItem>], streams: &[StreamState], gaps: &[Gap]) -> Result<u64>;
    /// Closes every stream but these: their items go.
    fn keep_streams(&mut self, open: &[Scope]) -> Result<()>;

    /// The newest order (an alert, a revocation, what became of an incident) that is kept of each stream in each epoch before
    /// the current one; none once they were given back under the current epoch.
    fn earlier_items(&self) -> Result<Vec<Cursor>>;
    /// The orders of a range that are here, as they were signed, ascending.
    fn items_in(&self, range: &ItemRange) -> Result<Vec<Vec<u8>>>;
    /// The hub has all of [`SyncStore::earlier_items`] that can be read now.
    fn given_back(&mut self) -> Result<()>;

    /// Up to `limit` files of at most `most_bytes` that are here, wait and are not parked, whether or not their entry has
    /// arrived: what a courier may take along, in the order of [`SyncStore::files`].
    fn small_files(&self, limit: usize, most_bytes: u64) -> Result<Vec<WaitingFile>>;
    /// Keeps a token that came without a contact: it says "not before" and sets no clock.
    fn keep_token(&mut self, token: &Signed<Token>) -> Result<()>;

    /// A sync has ended: what the hub has signed for may make room. Nothing of it can spoil the sync.
    fn make_room(&mut self);
}

impl<S: SyncStore + ?Sized> SyncStore for &mut S {
    fn keys(&self) -> &dyn KeyStore {
        (**self).keys()
    }
    fn clock(&self) -> &dyn Clock {
        (**self).clock()
    }
    fn ready(&mut self) -> Result<()> {
        (**self).ready()
    }
    fn identity(&self) -> Result<Identity> {
        (**self).identity()
    }
    fn set_history(&mut self, history: &Signed<KeyHistory>) -> Result<()> {
        (**self).set_history(history)
    }
    fn token(&self) -> Result<Option<Signed<Token>>> {
        (**self).token()
    }
    fn set_token(&mut self, token: &Signed<Token>, contact: Anchor) -> Result<()> {
        (**self).set_token(token, contact)
    }
    fn epoch(&self) -> Result<Option<Epoch>> {
        (**self).epoch()
    }
    fn begin_epoch(&mut self, epoch: Epoch) -> Result<()> {
        (**self).begin_epoch(epoch)
    }
    fn request_key(&self) -> Result<Option<StoredRequestKey>> {
        (**self).request_key()
    }
    fn set_request_key(&mut self, key: &StoredRequestKey) -> Result<()> {
        (**self).set_request_key(key)
    }
    fn logs(&self) -> Result<Vec<LogState>> {
        (**self).logs()
    }
    fn received(&self, log: LogId) -> Result<RangeSet> {
        (**self).received(log)
    }
    fn parked(&self, log: LogId) -> Result<RangeSet> {
        (**self).parked(log)
    }
    fn unanswered(&self, log: LogId) -> Result<RangeSet> {
        (**self).unanswered(log)
    }
    fn urgent(&self, log: LogId, from: u64) -> Result<Vec<u64>> {
        (**self).urgent(log, from)
    }
    fn link(&self, log: LogId, seq: u64) -> Result<Option<Link>> {
        (**self).link(log, seq)
    }
    fn entries(&self, log: LogId, first: u64, limit: u32) -> Result<Vec<StoredEntry>> {
        (**self).entries(log, first, limit)
    }
    fn heads(&self, log: LogId, first: u64, last: u64) -> Result<Vec<Head>> {
        (**self).heads(log, first, last)
    }
    fn session_wrap(&self, session: i64) -> Result<SessionWrap> {
        (**self).session_wrap(session)
    }
    fn session_key(&mut self, session: i64) -> Result<Option<SessionKey>> {
        (**self).session_key(session)
    }
    fn apply_receipt(&mut self, receipt: &Signed<Receipt>, held: &[Held]) -> Result<()> {
        (**self).apply_receipt(receipt, held)
    }
    fn note_unanswered(&mut self, log: LogId, first: u64, last: u64) -> Result<()> {
        (**self).note_unanswered(log, first, last)
    }
    fn note_rejection(&mut self, log: LogId, first: u64, last: u64, reason: &str) -> Result<u32> {
        (**self).note_rejection(log, first, last, reason)
    }
    fn park(&mut self, log: LogId, seq: u64, reason: &str) -> Result<()> {
        (**self).park(log, seq, reason)
    }
    fn files(&self, limit: usize) -> Result<Vec<WaitingFile>> {
        (**self).files(limit)
    }
    fn file_waits(&self, file: &Hash) -> Result<bool> {
        (**self).file_waits(file)
    }
    fn files_waiting(&self) -> Result<u64> {
        (**self).files_waiting()
    }
    fn is_file_whole(&self, file: &Hash) -> Result<bool> {
        (**self).is_file_whole(file)
    }
    fn note_file(&mut self, file: &Hash, why: &str) -> Result<()> {
        (**self).note_file(file, why)
    }
    fn note_file_rejection(&mut self, file: &Hash, reason: &str) -> Result<u32> {
        (**self).note_file_rejection(file, reason)
    }
    fn park_file(&mut self, file: &Hash, reason: &str) -> Result<()> {
        (**self).park_file(file, reason)
    }
    fn doubt(&mut self, doubt: LogDoubt) -> Result<()> {
        (**self).doubt(doubt)
    }
    fn streams(&self) -> Result<Vec<StreamState>> {
        (**self).streams()
    }
    fn apply_items(&mut self, items: &[Signed<FeedItem>], streams: &[StreamState], gaps: &[Gap]) -> Result<u64> {
        (**self).apply_items(items, streams, gaps)
    }
    fn keep_streams(&mut self, open: &[Scope]) -> Result<()> {
        (**self).keep_streams(open)
    }
    fn earlier_items(&self) -> Result<Vec<Cursor>> {
        (**self).earlier_items()
    }
    fn items_in(&self, range: &ItemRange) -> Result<Vec<Vec<u8>>> {
        (**self).items_in(range)
    }
    fn given_back(&mut self) -> Result<()> {
        (**self).given_back()
    }
    fn small_files(&self, limit: usize, most_bytes: u64) -> Result<Vec<WaitingFile>> {
        (**self).small_files(limit, most_bytes)
    }
    fn keep_token(&mut self, token: &Signed<Token>) -> Result<()> {
        (**self).keep_token(token)
    }
    fn make_room(&mut self) {
        (**self).make_room();
    }
}
