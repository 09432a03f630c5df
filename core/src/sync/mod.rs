//! Sync: what to send, and what to make of the answers, without doing any of it.
//!
//! [`Sync`] is a state machine without I/O and without waiting. Whoever carries bytes asks it for the
//! [`Step::Send`]s it wants in the air, carries them in any order over any road, and feeds back what came:
//! [`Sync::on_reply`] or [`Sync::on_failure`]. A lost, late, repeated or reordered answer is harmless,
//! because what is sent is derived each time from what the hub signed that it holds.
//!
//! The order: the feed first (hub time, receipts, orders, keys), then urgent entries in runs of their own,
//! then everything else in runs of up to 512, several in the air at once. A rejected run is halved until the
//! one entry that is refused stands alone; after five rejections it is parked with its reason, and the rest
//! has gone. Being offline is no rejection.
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

mod feed;
mod machine;
mod outcome;
mod plan;
mod receipts;
mod seal;
pub mod store;

#[cfg(test)]
mod tests;

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
    /// With a body of `application/cbor`.
    Post,
}

/// Something to carry to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Names it within this sync; the answer comes back under the same number.
    pub id: u64,
    /// How.
    pub method: Method,
    /// Where: a path of [`yenban_protocol::wire::path`].
    pub path: &'static str,
    /// The body.
    pub body: Vec<u8>,
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
    Lost(String),
    /// Whoever answers is not the hub of the pinned commune. Nothing was sent to it.
    WrongHub(String),
}
