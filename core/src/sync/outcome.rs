//! What one sync did, in the words of `phone sync --json`.

use super::store::LogDoubt;

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The hub holds everything of this phone, and this phone everything of its streams.
    UpToDate,
    /// Something went through, not everything.
    Partial,
    /// The hub was not reached.
    Offline,
    /// The hub said no, or could not be believed; [`Outcome::reason`] says which. Nothing was dropped.
    Refused,
}

impl Verdict {
    /// The word in JSON.
    pub fn code(self) -> &'static str {
        match self {
            Verdict::UpToDate => "up_to_date",
            Verdict::Partial => "partial",
            Verdict::Offline => "offline",
            Verdict::Refused => "refused",
        }
    }
}

/// What one sync did. Bytes are those of bodies as they travelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Entries that receipts newly cover.
    pub pushed_entries: u64,
    /// Bytes of segments sent, again-sent ones included.
    pub pushed_bytes: u64,
    /// Feed items that were new.
    pub pulled_items: u64,
    /// Bytes of feed answers.
    pub pulled_bytes: u64,
    /// Requests sent.
    pub requests: u64,
    /// Bytes of sealed files handed to the road, again-sent ones included.
    pub evidence_bytes: u64,
    /// Bytes sent again: of segments in which an entry was sent before, and of files what was handed to the road
    /// beyond the offset that the hub then named.
    pub resent_bytes: u64,
    /// Sealed files that are here and have no receipt, those set aside not counted.
    pub evidence_waiting: u64,
    /// Entries without a receipt, parked ones not counted.
    pub unsent: u64,
    /// Entries set aside after repeated rejection.
    pub parked: u64,
    /// How it ended.
    pub verdict: Verdict,
    /// Code and sentence behind a verdict other than up to date.
    pub reason: Option<Reason>,
    /// When the hub wants to be asked for news again, milliseconds: it had no room to let this phone wait.
    pub pause_ms: Option<u64>,
    /// The newest log is in doubt: the app starts a new one.
    pub doubt: Option<LogDoubt>,
}

/// Why something was refused or could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Stable code.
    pub code: String,
    /// One sentence.
    pub detail: String,
}

impl Reason {
    pub(crate) fn new(code: &str, detail: impl Into<String>) -> Self {
        Reason { code: code.to_owned(), detail: detail.into() }
    }

    /// As the outbox shows it.
    pub(crate) fn told(&self) -> String {
        format!("{}: {}", self.code, self.detail)
    }
}

impl Outcome {
    pub(crate) fn nothing_yet() -> Self {
        Outcome {
            pushed_entries: 0,
            pushed_bytes: 0,
            pulled_items: 0,
            pulled_bytes: 0,
            requests: 0,
            evidence_bytes: 0,
            resent_bytes: 0,
            evidence_waiting: 0,
            unsent: 0,
            parked: 0,
            verdict: Verdict::Partial,
            reason: None,
            pause_ms: None,
            doubt: None,
        }
    }

    /// Joins a later attempt of the same sync: work adds up, the state is the later one.
    pub fn then(self, later: Outcome) -> Outcome {
        let verdict = match later.verdict {
            // Losing the hub after something went through is "partial", not "offline".
            Verdict::Offline if self.requests_answered() => Verdict::Partial,
            other => other,
        };
        Outcome {
            pushed_entries: self.pushed_entries + later.pushed_entries,
            pushed_bytes: self.pushed_bytes + later.pushed_bytes,
            pulled_items: self.pulled_items + later.pulled_items,
            pulled_bytes: self.pulled_bytes + later.pulled_bytes,
            requests: self.requests + later.requests,
            evidence_bytes: self.evidence_bytes + later.evidence_bytes,
            resent_bytes: self.resent_bytes + later.resent_bytes,
            evidence_waiting: later.evidence_waiting,
            unsent: later.unsent,
            parked: later.parked,
            verdict,
            reason: later.reason,
            pause_ms: later.pause_ms,
            doubt: later.doubt.or(self.doubt),
        }
    }

    fn requests_answered(&self) -> bool {
        matches!(self.verdict, Verdict::Partial | Verdict::UpToDate)
    }
}
