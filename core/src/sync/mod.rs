//! Sync: what to send, and what to make of the answers, without doing any of it.
//!
//! [`Sync`] is a state machine without I/O and without waiting. Whoever carries bytes asks it for the
//! [`Step::Send`]s it wants in the air, carries them in any order over any road, and feeds back what came:
//! [`Sync::on_reply`] or [`Sync::on_failure`]. A lost, late, repeated or reordered answer is harmless,
//! because what is sent is derived each time from what the hub signed that it holds.
//!
//! The order: the feed first (hub time, receipts, orders, keys), then urgent entries in runs of their own,
//! then everything else in runs of up to 512, several in the air at once. The first of these leave along with the
//! feed; nothing is made of their answers before the feed's (docs/adr/0015). A rejected run is halved until the
//! one entry that is refused stands alone; after five rejections it is parked with its reason, and the rest
//! has gone. Being offline is no rejection.
//!
//! Sealed files go when no entry is left to send, in chunks, one in the air at a time: before each of them
//! new entries are looked for, so an urgent one waits for the rest of one chunk at most. The hub is asked for
//! the offset before anything is sent again.
//!
//! ```text
//! loop {
//!     match sync.next(store)? {
//!         Step::Send(request) => carry(request),           // keeps its id
//!         Step::Wait { for_ms } => wait for an answer, at most so long,
//!         Step::Done(outcome) => break outcome,
//!     }
//! }
//! ```

mod along;
mod courier;
mod feed;
mod files;
mod machine;
mod orders;
mod outcome;
mod pace;
mod plan;
mod receipts;
mod seal;
mod segments;
pub mod store;
mod upload;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

pub use courier::{Bounds, Packed, pack, take_answer};
pub use machine::Sync;
pub use outcome::{Outcome, Reason, Verdict};
pub use store::SyncStore;

/// What the wrapped request key is bound to.
pub const REQUEST_KEY_PURPOSE: &str = "request-key";

/// How a request is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Without a body.
    Get,
    /// With a body of `application/cbor`, or without one.
    Post,
    /// With a chunk of a file.
    Patch,
    /// Without a body.
    Delete,
}

/// What a request carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// These bytes; none at all for most methods.
    Bytes(Vec<u8>),
    /// A part of a file, so that a carrier outside this process can take it from the disk.
    File(FileSlice),
}

/// Consecutive bytes of a file on this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSlice {
    /// The file.
    pub path: PathBuf,
    /// First byte.
    pub offset: u64,
    /// Number of bytes.
    pub length: u64,
}

impl Body {
    /// The bytes in hand; empty for a slice of a file.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Body::Bytes(bytes) => bytes,
            Body::File(_) => &[],
        }
    }
}

/// Something to carry to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it within this sync; the answer comes back under the same number.
    pub id: u64,
    /// How.
    pub method: Method,
    /// Where: a path of [`yenban_protocol::wire::path`] or [`yenban_protocol::upload`].
    pub path: String,
    /// Headers beside those that every request has.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl Request {
    /// A request outside a sync, with bytes or nothing as its body.
    pub(crate) fn alone(method: Method, path: &str, body: Vec<u8>) -> Self {
        Request { id: 0, method, path: path.to_owned(), headers: Vec::new(), body: Body::Bytes(body) }
    }
}

/// What to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Carry this, then ask again: more may be wanted in the air.
    Send(Request),
    /// Nothing to send now. Ask again when an answer came, or after `for_ms` where it is given.
    Wait {
        /// Milliseconds by the monotonic clock.
        for_ms: Option<u64>,
    },
    /// All is done that can be done now.
    Done(Outcome),
}

/// An answer of the hub.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, unless it is a problem document.
    pub body: Vec<u8>,
    /// The problem document (RFC 9457), if that is what came.
    pub problem: Option<Problem>,
    /// The hub's wish when to ask again, milliseconds.
    pub retry_after_ms: Option<u64>,
    /// `Upload-Offset`: how many bytes of the file the hub has.
    pub upload_offset: Option<u64>,
    /// The signed receipt of [`yenban_protocol::upload::RECEIPT_HEADER`], decoded.
    pub receipt: Option<Vec<u8>>,
    /// Bytes of a file slice that were handed to the road before the answer came.
    pub handed_bytes: u64,
}

/// What a problem document says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// No connection came about; nothing was sent.
    Unreachable(String),
    /// Sent, whole or in part, and no answer came: the hub may have it.
    Lost {
        /// One sentence.
        why: String,
        /// Bytes of a file slice that were handed to the road; how many arrived, the hub knows.
        handed_bytes: u64,
    },
    /// Whoever answers is not the hub of the pinned commune. Nothing was sent to it.
    WrongHub(String),
    /// The file to be sent cannot be read. Nothing was sent.
    NoFile(String),
}

impl Failure {
    /// Lost, with nothing of a file in it.
    pub(crate) fn lost(why: impl Into<String>) -> Self {
        Failure::Lost { why: why.into(), handed_bytes: 0 }
    }
}
