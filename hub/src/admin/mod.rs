//! What officers and operators do, as one set of operations with two carriers: in this process on a stopped hub, or
//! as lines of JSON over the control socket of a running one. Both end in [`perform`].

mod client;
mod socket;
mod work;

use serde::{Deserialize, Serialize};

pub use client::Admin;
pub use socket::{Control, listen};
pub(crate) use work::{checked_address, listening_address};
pub use work::{perform, revoke};

use crate::alert::AlertWanted;
use crate::exchange::{Format, Scope as ExportScope};
use crate::retention::ItemOrder;
use crate::store::{ListQuery, Wrong};

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ListKind {
    /// Incidents.
    Incidents,
    /// Patrols.
    Patrols,
    /// Check-ins.
    CheckIns,
    /// Photographs.
    Evidence,
    /// Alerts.
    Alerts,
    /// Devices.
    Devices,
    /// Quarantined segments.
    Quarantine,
    /// The record of who read and did what.
    Audit,
}

impl ListKind {
    /// All lists, in the order of the command line.
    pub const ALL: [ListKind; 8] =
        [Self::Incidents, Self::Patrols, Self::CheckIns, Self::Evidence, Self::Alerts, Self::Devices, Self::Quarantine, Self::Audit];

    /// The word of the command line.
    pub fn code(self) -> &'static str {
        match self {
            Self::Incidents => "incidents",
            Self::Patrols => "patrols",
            Self::CheckIns => "check-ins",
            Self::Evidence => "evidence",
            Self::Alerts => "alerts",
            Self::Devices => "devices",
            Self::Quarantine => "quarantine",
            Self::Audit => "audit",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }
}

/// For whom an enrolment code is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolWanted {
    /// The hamlet's name; empty for the commune itself (officers).
    pub hamlet: String,
    /// Make the hamlet if it is not there.
    #[serde(default)]
    pub create: bool,
    /// `member`, `leader`, `officer`, `chief` or `auditor`.
    pub role: String,
    /// The person; may be empty.
    #[serde(default)]
    pub name: String,
    /// The address in the code; `None`: where the hub listens, or last did.
    #[serde(default)]
    pub address: Option<String>,
}

/// An enrolment code that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolMade {
    /// The text of the QR.
    pub code: String,
    /// The hamlet's name as it is kept.
    pub hamlet: String,
    /// The role.
    pub role: String,
    /// The address in the code.
    pub address: String,
    /// Until when it may be used.
    pub expires_at: String,
}

/// A device that was revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    /// The device.
    pub device: String,
    /// Out of its owner's hands.
    pub lost: bool,
    /// It had been revoked before.
    pub already: bool,
}

/// An answer that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answered {
    /// The incident.
    pub incident: String,
    /// Its state before.
    pub before: String,
    /// Its state now.
    pub state: String,
}

/// A way into the console. Whoever has it comes in: it is shown to one person and never logged.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsoleLink {
    /// The whole address, good for one opening.
    pub link: String,
    /// Until when it opens.
    pub expires_at: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Nothing is wrong.
    pub ok: bool,
    /// Entries held.
    pub entries: u64,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
    /// Files read again.
    #[serde(default)]
    pub objects: u64,
    /// Files that phones were asked for now, because they are missing or altered.
    #[serde(default)]
    pub asked: u64,
    /// Files in storage that nothing names; the nightly look removes them when they have lain there for a week.
    #[serde(default)]
    pub orphans: u64,
}

/// A backup that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackedUp {
    /// The file.
    pub file: std::path::PathBuf,
    /// Its size.
    pub size_bytes: u64,
    /// Files of evidence that could not be read and are not in it, or not whole.
    #[serde(default)]
    pub unread: u64,
}

/// Everything an operator can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "kebab-case")]
pub enum Operation {
    /// Make an enrolment code; answers [`EnrolMade`].
    Enrol(EnrolWanted),
    /// Send an alert; answers [`crate::alert::AlertSent`].
    Alert(AlertWanted),
    /// Revoke a device; answers [`Revoked`].
    Revoke {
        /// The device, 16 hexadecimal digits.
        device: String,
        /// Out of its owner's hands.
        lost: bool,
    },
    /// A way into the console of a running hub; answers [`ConsoleLink`].
    Console {
        /// Who comes in, as the read log will say; empty: the operator.
        officer: String,
    },
    /// Figures; answers [`crate::store::Totals`].
    Status,
    /// A list; answers an array of the rows of `crate::store`.
    List {
        /// Which.
        what: ListKind,
        /// Which rows.
        query: ListQuery,
        /// What the reading is for; kept in the record.
        purpose: String,
    },
    /// Hamlets, groups and members from a table; answers [`crate::store::ImportTotals`].
    Import {
        /// The file's bytes, base64.
        file_base64: String,
        /// Language of sentences about bad rows: `vi` or `en`.
        lang: String,
    },
    /// Write a file of what is held; answers [`crate::exchange::ExportTotals`].
    Export {
        /// Its format.
        format: Format,
        /// What it covers.
        scope: ExportScope,
        /// Where to, an absolute path.
        out: std::path::PathBuf,
        /// What the reading is for; kept in the record.
        purpose: String,
    },
    /// Write an evidence bundle; answers [`crate::exchange::bundle::BundleTotals`].
    Bundle {
        /// What it covers.
        scope: ExportScope,
        /// Where to, an absolute path.
        out: std::path::PathBuf,
        /// What it is for; kept in the record, and in every photograph's custody.
        purpose: String,
    },
    /// Tell the reporter of an incident what became of it; answers [`Answered`].
    Fate {
        /// The incident, `log:seq`.
        incident: String,
        /// `received`, `in_hand`, `needs_more`, `resolved` or `not_for_us`.
        state: String,
        /// A line to the reporter.
        note: String,
        /// Why words about ethnicity, religion or illness stay in it.
        #[serde(default)]
        keep: String,
    },
    /// Recompute every chain and read every file again; answers [`Checked`].
    Check,
    /// Hold an item of evidence for a case; answers [`crate::retention::ItemOrdered`].
    Hold(ItemOrder),
    /// End a hold; answers [`crate::retention::ItemOrdered`].
    Release(ItemOrder),
    /// Destroy an item of evidence; answers [`crate::retention::ItemOrdered`].
    Erase(ItemOrder),
    /// Take one parcel that a courier brought; answers [`crate::courier::ParcelTaken`].
    Parcel {
        /// The parcel's bytes, base64.
        parcel_base64: String,
    },
    /// Answers for every device that asked through a courier; answers an array of [`crate::courier::Answer`].
    CourierAnswers,
    /// Take a report by message; answers [`crate::sms::SmsTaken`].
    Sms {
        /// The text as it came.
        text: String,
    },
    /// Write a backup; answers [`BackedUp`].
    Backup {
        /// Where to, an absolute path that does not exist yet.
        file: std::path::PathBuf,
    },
}
