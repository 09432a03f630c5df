//! What the commune police did about a report, step by step: seen, answered, given to somebody, linked to another report
//! of the same event. Steps are added and never changed; the incident's row carries where the last one left it.

use serde::{Deserialize, Serialize};
use yenban_protocol::id::{EntryName, HamletNo, MemberNo};

use super::feed_rows::{ItemDraft, ItemSigner};
use super::lists::StatementListing;
use super::{ListQuery, Reply};

/// Where a report stands with the police.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Triage {
    /// Nobody looked at it yet.
    #[default]
    New,
    /// Seen.
    Received,
    /// Somebody works on it.
    InHand,
    /// The reporter is asked for more.
    NeedsMore,
    /// Done.
    Resolved,
    /// Passed on to whom it concerns.
    PassedOn,
}

impl Triage {
    /// All states, in their order in the store.
    pub const ALL: [Triage; 6] = [Triage::New, Triage::Received, Triage::InHand, Triage::NeedsMore, Triage::Resolved, Triage::PassedOn];

    /// What a reporter can be told.
    pub const ANSWERS: [Triage; 5] = [Triage::Received, Triage::InHand, Triage::NeedsMore, Triage::Resolved, Triage::PassedOn];

    /// Its word in feeds, lists and the command line.
    pub fn code(self) -> &'static str {
        match self {
            Triage::New => "new",
            Triage::Received => "received",
            Triage::InHand => "in_hand",
            Triage::NeedsMore => "needs_more",
            Triage::Resolved => "resolved",
            Triage::PassedOn => "not_for_us",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// Nothing more is to be done here.
    pub fn is_closed(self) -> bool {
        matches!(self, Triage::Resolved | Triage::PassedOn)
    }
}

/// A report among those of its name: a log that contradicts itself has one in each branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IncidentName {
    /// The entry that reported it.
    pub entry: EntryName,
    /// 0; above: from a branch.
    pub branch: u32,
}

/// Who is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assigned {
    /// The hamlet.
    pub hamlet: HamletNo,
    /// The group's number; 0: the hamlet as a whole.
    pub group: u32,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// The reporter was told something: a state, a line, or both.
    Answered,
    /// It was given to somebody; `None`: taken back.
    Assigned(Option<Assigned>),
    /// Both reports tell of one event.
    Linked(IncidentName),
    /// They do not after all.
    Unlinked(IncidentName),
}

/// A step to be taken.
#[derive(Debug, Clone)]
pub struct NewStep {
    /// The report.
    pub incident: IncidentName,
    /// How many steps whoever decides has seen; `None`: decided without a look.
    pub seen: Option<u32>,
    /// Hub time, ms.
    pub at_ms: i64,
    /// Who; nobody: the operator at the hub.
    pub member: MemberNo,
    /// The name, as the record has it.
    pub officer: String,
    /// What.
    pub act: Act,
    /// The state after it; `None`: as it was.
    pub state: Option<Triage>,
    /// A line to the reporter.
    pub note: String,
    /// Why words about ethnicity, religion or illness stay in the line.
    pub kept: String,
    /// What its reporter is told, in the same transaction. Its state is the incident's after the step.
    pub told: Option<ItemDraft>,
}

/// A step that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRow {
    /// Its number in the history of its report, from 1.
    pub number: u32,
    /// Hub time, ms.
    pub at_ms: i64,
    /// Who, by name.
    pub officer: String,
    /// What.
    pub act: Act,
    /// The state after it.
    pub state: Triage,
    /// The line to the reporter.
    pub note: String,
    /// Why words about ethnicity, religion or illness stay in the line.
    pub kept: String,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stepped {
    /// Taken.
    Done(StepRow),
    /// Somebody decided in between: the newest step. Nothing was changed.
    Since(StepRow),
    /// Nothing to do: it was so already (linked twice, not linked).
    Same,
    /// There is no such report.
    Missing,
}

/// What the field said on a report: the report itself, or an amendment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldWord {
    /// Its entry.
    pub id: String,
    /// The first word; others are amendments.
    pub is_report: bool,
    /// The author's name.
    pub author: String,
    /// The author's number.
    pub author_no: u32,
    /// Not before.
    pub time_earliest: String,
    /// Not after.
    pub time_latest: String,
    /// When the hub had it, ms.
    pub received_ms: i64,
    /// Best single moment, ms.
    pub best_ms: i64,
    /// What was said; empty where it was erased.
    pub statements: Vec<StatementListing>,
}

/// Everything that was said and done about a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Thread {
    /// By the police, in order.
    pub steps: Vec<StepRow>,
    /// By the field, in the order in which it came.
    pub field: Vec<FieldWord>,
    /// Other reports of the same event.
    pub twins: Vec<IncidentName>,
}

/// What the store promises of it; part of [`HubStore`](super::HubStore) and its conformance suite.
pub trait TriageStore: Send + Sync + 'static {
    /// Takes a step if nobody took one that its officer has not seen; history, state and what the reporter is told stand
    /// or fall together.
    fn take_step(&self, step: NewStep, signer: ItemSigner) -> Reply<'_, Stepped>;

    /// What was said and done about a report; empty when there is none.
    fn thread(&self, incident: IncidentName) -> Reply<'_, Thread>;

    /// How many reports of the asker's reach nobody has looked at, and how many of them are urgent.
    fn waiting(&self, query: ListQuery) -> Reply<'_, (u64, u64)>;
}
