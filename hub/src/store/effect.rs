//! What an entry changes beside its own row: the few facts that lists and screens need at once.
//!
//! A check-in has no row of its own but the entry's: a second one would double the cost of the most frequent write.

use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{EntryName, MemberNo};
use yenban_protocol::record::{Answer, Position};

use super::objects::ObjectKind;

/// When and where, as lists show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WhenWhere {
    /// Who, as the phone said.
    pub author: MemberNo,
    /// Best single moment.
    pub best_ms: i64,
    /// Not before.
    pub earliest_ms: i64,
    /// Not after.
    pub latest_ms: i64,
    /// Where.
    pub position: Option<Position>,
}

/// What a report says, prepared for lists and search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportRow {
    /// Folded text of all statements, for search; the text itself stands in the entry alone.
    pub folded: String,
}

/// A file that an entry names and that will be delivered for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileNamed {
    /// What it is.
    pub kind: ObjectKind,
    /// SHA-256 of its bytes.
    pub sha256: Hash,
    /// Their length.
    pub size_bytes: u64,
    /// SHA-256 of the sealed file: the name under which it will be delivered.
    pub sealed_sha256: Hash,
    /// Length of the sealed file.
    pub sealed_size_bytes: u64,
}

/// Facts of a photograph that an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoRow {
    /// Incident or patrol it belongs to.
    pub subject: Option<EntryName>,
    /// The file as the camera gave it.
    pub original: FileNamed,
    /// Media type.
    pub media_type: String,
    /// The name it had when it was brought in.
    pub original_name: Option<String>,
}

/// An answer to an alert.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerRow {
    /// The alert.
    pub alert: String,
    /// The answer.
    pub answer: Answer,
}

/// What an entry changes beside its own row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A patrol began; it has this entry's name.
    PatrolStarted {
        /// When and where.
        at: WhenWhere,
        /// Members walking.
        crew: Vec<MemberNo>,
    },
    /// Presence at a place, on a patrol of the same log or outside one.
    CheckIn {
        /// The patrol.
        patrol_seq: Option<u64>,
        /// Best moment.
        best_ms: i64,
    },
    /// A patrol's pause began.
    PatrolPaused {
        /// The patrol.
        patrol_seq: u64,
    },
    /// A patrol's pause ended.
    PatrolResumed {
        /// The patrol.
        patrol_seq: u64,
    },
    /// A patrol ended.
    PatrolFinished {
        /// The patrol.
        patrol_seq: u64,
        /// Best moment.
        best_ms: i64,
        /// Distance as the phone reckoned it, metres.
        distance_m: u32,
    },
    /// The crew of a patrol changed.
    CrewChanged {
        /// The patrol.
        patrol_seq: u64,
        /// Who joined.
        joined: Vec<MemberNo>,
        /// Who left.
        left: Vec<MemberNo>,
    },
    /// An incident; it has this entry's name.
    Incident {
        /// When and where.
        at: WhenWhere,
        /// Code of the kind.
        kind: String,
        /// Urgent.
        urgent: bool,
        /// What it says.
        report: ReportRow,
        /// How many photographs the report says it has.
        attachments: u32,
    },
    /// More on an incident.
    Amendment {
        /// The incident.
        incident: EntryName,
        /// When and where.
        at: WhenWhere,
        /// What it says.
        report: ReportRow,
    },
    /// A photograph that will be delivered as a file.
    Photo {
        /// When and where.
        at: WhenWhere,
        /// Its facts.
        photo: PhotoRow,
    },
    /// Smaller copies of a photograph, or why there are none.
    Previews {
        /// The entry of the photograph.
        photo: EntryName,
        /// The copies.
        files: Vec<FileNamed>,
        /// Why there are none, as a code.
        missing: Option<String>,
    },
    /// An answer to an alert.
    Answer {
        /// When and where.
        at: WhenWhere,
        /// The answer.
        answer: AnswerRow,
    },
    /// The phone went to another member.
    HandedOver {
        /// Best moment.
        best_ms: i64,
        /// From whom.
        from: MemberNo,
        /// To whom.
        to: MemberNo,
    },
}
