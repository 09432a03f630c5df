//! Acts that wait for a second person: asked for by one officer, done when another agrees.

use yenban_protocol::id::MemberNo;

use super::Reply;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProposalKind {
    /// Warn the whole commune, or take such a warning back; the body is the alert.
    Alert,
    /// Make an enrolment code for a chief; the body says for whom.
    Chief,
}

impl ProposalKind {
    /// All kinds.
    pub const ALL: [ProposalKind; 2] = [ProposalKind::Alert, ProposalKind::Chief];

    /// Its word in the store.
    pub fn code(self) -> &'static str {
        match self {
            ProposalKind::Alert => "alert",
            ProposalKind::Chief => "chief",
        }
    }
}

/// An act that waits, or waited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProposalRow {
    /// Its number, given by the store.
    pub no: i64,
    /// What is to be done.
    pub kind: ProposalKind,
    /// With what.
    pub body: Vec<u8>,
    /// Who asked.
    pub by: MemberNo,
    /// When, hub time.
    pub made_ms: i64,
    /// It waits until, hub time.
    pub expires_ms: i64,
    /// Who decided, whether that person agreed, and when.
    pub decided: Option<(MemberNo, bool, i64)>,
}

/// What became of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decided {
    /// It counts: the first one does.
    Counts,
    /// Whoever asked cannot be the second person.
    Own,
    /// Decided before, too late, or never asked for.
    Gone,
}

/// What the store promises of them; part of [`HubStore`](super::HubStore) and its conformance suite.
pub trait ProposalStore: Send + Sync + 'static {
    /// Keeps an act that waits (number and decision of `row` are the store's); `None`: too many wait.
    fn propose(&self, row: ProposalRow) -> Reply<'_, Option<i64>>;

    /// The act with this number.
    fn proposal(&self, no: i64) -> Reply<'_, Option<ProposalRow>>;

    /// Acts that wait at `now_ms`, oldest first.
    fn proposals(&self, now_ms: i64) -> Reply<'_, Vec<ProposalRow>>;

    /// The second person agrees or does not: of any number of decisions one counts.
    fn decide(&self, no: i64, by: MemberNo, agrees: bool, now_ms: i64) -> Reply<'_, Decided>;
}
