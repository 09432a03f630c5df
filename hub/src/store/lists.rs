//! What lists show. Fields named in the command line's contract keep their names; others may be added.

use serde::{Deserialize, Serialize};
use yenban_protocol::id::HamletNo;

use super::ladder::Rungs;
use crate::access::rights::Reach;

/// Which rows of a list are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListQuery {
    /// At most so many rows; 0: as many as a page may have.
    #[serde(default)]
    pub limit: u32,
    /// Skip so many rows.
    #[serde(default)]
    pub offset: u32,
    /// Only what happened at or after this hub time.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Only of this hamlet.
    #[serde(default)]
    pub hamlet: Option<u32>,
    /// Only what contains these words, compared without diacritics (incidents).
    #[serde(default)]
    pub text: Option<String>,
    /// Only what is not done yet (incidents), what has not ended (patrols).
    #[serde(default)]
    pub open: bool,
    /// Only within this box: south, west, north, east in 1e-7 degree (incidents).
    #[serde(default)]
    pub box_e7: Option<(i32, i32, i32, i32)>,
    /// Only of these hamlets and of the commune itself, as the asker's reach is; none: all.
    #[serde(default)]
    pub within: Vec<u32>,
    /// Only the incident, patrol, alert or log of this name; in the record of reads, only what this person did.
    #[serde(default)]
    pub name: Option<String>,
    /// Only what stands in this log (incidents).
    #[serde(default)]
    pub log: Option<String>,
    /// Only rows that stand after the row of this name (`log:seq`, an alert's identifier) in the list's order: pages
    /// that neither skip nor repeat a row while others arrive, and as fast at the end as at the start.
    #[serde(default)]
    pub after: Option<String>,
    /// Only what still holds at this hub time (alerts, of the newest `limit`).
    #[serde(default)]
    pub live_at_ms: Option<i64>,
}

impl ListQuery {
    /// The hamlets of which rows are wanted at all.
    pub(crate) fn reach(&self) -> Reach {
        Reach::of(self.within.iter().copied().map(HamletNo).collect())
    }
}

/// Figures of evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceTotals {
    /// Delivered, and the hash agrees.
    pub verified: u64,
    /// Named by an entry, not delivered yet.
    pub expected: u64,
    /// Delivered once, not there any more.
    pub missing: u64,
    /// Delivered once, not what it was.
    #[serde(default)]
    pub altered: u64,
    /// Destroyed when their time was over or by an order.
    #[serde(default)]
    pub erased: u64,
}

/// The figures of `hub status`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Devices enrolled, revoked ones among them.
    pub devices: u64,
    /// Devices revoked, of these.
    pub revoked: u64,
    /// Entries held, branches included.
    pub entries: u64,
    /// Patrols.
    pub patrols: u64,
    /// Check-ins.
    pub check_ins: u64,
    /// Incidents.
    pub incidents: u64,
    /// Photographs.
    pub evidence: EvidenceTotals,
    /// Segments in quarantine.
    pub quarantine: u64,
    /// Alerts sent.
    pub alerts: u64,
    /// Receipts signed for segments.
    pub receipts: u64,
    /// No log contradicts itself and every chain agreed when it was taken.
    pub chains_ok: bool,
    /// Runs that wait for what comes before them.
    pub floating: u64,
    /// Logs that contradict themselves.
    pub forked: u64,
    /// Answers to alerts.
    pub answers: u64,
    /// Alerts known to be on a phone, each counted once per phone.
    #[serde(default)]
    pub delivered: u64,
    /// Incidents of which so far a message alone tells.
    #[serde(default)]
    pub by_sms: u64,
}

/// A statement of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementListing {
    /// `unstated`, `seen`, `heard` or `think`.
    pub basis: String,
    /// As typed.
    pub text: String,
}

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IncidentListing {
    /// Its name, `log:seq`.
    pub id: String,
    /// The device.
    pub device: String,
    /// Its log.
    pub log: String,
    /// Its place in the log.
    pub seq: u64,
    /// 0; above: from a branch of a log that contradicts itself.
    pub branch: u32,
    /// Code of the kind.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
    /// The hamlet's name.
    pub hamlet: String,
    /// The author's name.
    pub author: String,
    /// The author's number.
    pub author_no: u32,
    /// Degrees.
    pub lat: Option<f64>,
    /// Degrees.
    pub lon: Option<f64>,
    /// Metres.
    pub accuracy_m: Option<f64>,
    /// Best single moment.
    pub recorded_at: String,
    /// When the hub had it.
    pub received_at: String,
    /// Not before.
    pub time_earliest: String,
    /// Not after.
    pub time_latest: String,
    /// What was said, amendments included, oldest first.
    pub statements: Vec<StatementListing>,
    /// How many amendments.
    pub amendments: u64,
    /// How many photographs.
    pub photos: u64,
    /// How many photographs the report says it has.
    #[serde(default)]
    pub attachments: u64,
    /// Every photograph of it is here and verified. `false` also where one was destroyed, in order or not: what is not
    /// here any more completes nothing.
    #[serde(default)]
    pub complete: bool,
    /// Photographs of it that were destroyed, because their time was over or by an order; among `photos`.
    #[serde(default)]
    pub erased: u64,
    /// When a report by message told of it.
    #[serde(default)]
    pub sms_at: Option<String>,
    /// `here`; `to_come`: so far a message alone tells of it; `contradicted`: another entry stands where the message said
    /// that the report would.
    #[serde(default)]
    pub report: String,
    /// Photographs that are not here, and who has them.
    #[serde(default)]
    pub missing: Vec<MissingListing>,
    /// Photographs of which the bytes here are not what they were, and who may still have them.
    #[serde(default)]
    pub altered: Vec<MissingListing>,
    /// Photographs that the phone announced and no entry that came tells of: not taken yet, not sent yet, or the phone went
    /// off in between, and then they never come unless the author adds them. Each is among `missing` without a name.
    #[serde(default)]
    pub unnamed: u64,
    /// Where it stands with the police: `new`, `received`, `in_hand`, `needs_more`, `resolved` or `not_for_us`.
    #[serde(default)]
    pub state: String,
    /// How many steps were taken on it; whoever decides says how many were seen.
    #[serde(default)]
    pub steps: u32,
    /// The group or hamlet that is to go.
    #[serde(default)]
    pub assigned: Option<String>,
    /// Other reports of the same event.
    #[serde(default)]
    pub linked: u64,
}

/// A photograph that is not here, or not as it was, and who has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingListing {
    /// Its name, `log:seq`; `null`: its entry has not come either.
    pub id: Option<String>,
    /// `expected`, `partial`, `missing` or `altered`.
    pub state: String,
    /// The device that has it.
    pub device: String,
    /// The name of the member it was enrolled for.
    pub member: String,
    /// That member's number.
    pub member_no: u32,
}

/// A patrol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PatrolListing {
    /// Its name, `log:seq`.
    pub id: String,
    /// The device.
    pub device: String,
    /// Its log.
    pub log: String,
    /// Its place in the log.
    pub seq: u64,
    /// 0; above: from a branch of a log that contradicts itself.
    pub branch: u32,
    /// The hamlet's name.
    pub hamlet: String,
    /// The author's name.
    pub author: String,
    /// Numbers of those who walked.
    pub crew: Vec<u32>,
    /// When it began; `null` while its first entry is not here yet.
    pub started: Option<String>,
    /// When it ended.
    pub finished: Option<String>,
    /// `running`, `paused` or `finished`.
    pub state: String,
    /// How many check-ins.
    pub check_ins: u64,
    /// As the phone reckoned it, once finished.
    pub distance_m: Option<u64>,
    /// Newest sign of life.
    pub last_check_in: Option<String>,
}

/// A check-in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CheckInRow {
    /// The device.
    pub device: String,
    /// Its log.
    pub log: String,
    /// Its place in the log.
    pub seq: u64,
    /// 0; above: from a branch of a log that contradicts itself.
    pub branch: u32,
    /// The patrol's name.
    pub patrol: Option<String>,
    /// Degrees, exact to 1e-7.
    pub lat: Option<f64>,
    /// Degrees, exact to 1e-7.
    pub lon: Option<f64>,
    /// Metres.
    pub accuracy_m: Option<f64>,
    /// Best single moment.
    pub recorded_at: String,
    /// When the hub had it.
    pub received_at: String,
    /// Not before.
    pub time_earliest: String,
    /// Not after.
    pub time_latest: String,
    /// Code of the checkpoint that was scanned.
    pub checkpoint: Option<String>,
    /// The author's number.
    pub author_no: u32,
    /// Where the position came from.
    pub provider: Option<String>,
    /// Satellite time contradicts what the hub's signatures allow.
    pub time_conflict: bool,
}

/// A photograph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceListing {
    /// Its name, `log:seq`.
    pub id: String,
    /// The incident or patrol it belongs to.
    pub incident: Option<String>,
    /// The device.
    pub device: String,
    /// Its log.
    pub log: String,
    /// Its place in the log.
    pub seq: u64,
    /// SHA-256 of the camera's bytes, hexadecimal; empty once it was destroyed: only its custody record still has it,
    /// whose chain commits to it (docs/EVIDENCE.md).
    pub sha256: String,
    /// Their length; 0 once it was destroyed.
    pub size_bytes: u64,
    /// `expected`, `partial`, `verified`, `missing`, `altered` or `erased`.
    pub state: String,
    /// The name it had when it was brought in.
    pub original_name: Option<String>,
    /// Media type.
    pub media_type: String,
    /// SHA-256 of the sealed file, hexadecimal; empty once it was destroyed.
    pub sealed_sha256: String,
    /// 0; above: from a branch of a log that contradicts itself.
    #[serde(default)]
    pub branch: u32,
    /// The member its device was enrolled for: who has the original while it is not here.
    #[serde(default)]
    pub member: String,
    /// That member's number.
    #[serde(default)]
    pub member_no: u32,
    /// When it was verified for the first time.
    #[serde(default)]
    pub received_at: Option<String>,
    /// When its time is over, unless a case holds it.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// When it was destroyed.
    #[serde(default)]
    pub erased_at: Option<String>,
    /// Until when it is held for a case.
    #[serde(default)]
    pub held_until: Option<String>,
    /// The case it is held for.
    #[serde(default)]
    pub hold_case: Option<String>,
    /// The smaller copies: `thumbnail` and `preview`, and the state of each.
    #[serde(default)]
    pub previews: Vec<PreviewListing>,
    /// Why there are no smaller copies, as a code.
    #[serde(default)]
    pub no_previews: Option<String>,
}

/// A smaller copy of a photograph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewListing {
    /// `thumbnail` or `preview`.
    pub kind: String,
    /// Its state, as that of a photograph.
    pub state: String,
    /// SHA-256 of its bytes, hexadecimal.
    pub sha256: String,
    /// Their length.
    pub size_bytes: u64,
}

/// An answer to an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerListing {
    /// The member's name.
    pub member: String,
    /// The member's number.
    pub member_no: u32,
    /// The device.
    pub device: String,
    /// `seen`, `going`, `cannot` or `done`.
    pub answer: String,
    /// When.
    pub at: String,
}

/// A phone that has an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryListing {
    /// The name of the member it was enrolled for.
    pub member: String,
    /// That member's number.
    pub member_no: u32,
    /// The device.
    pub device: String,
    /// Since when the hub knows, whatever carried it.
    pub at: String,
}

/// An alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertListing {
    /// Its identifier.
    pub id: String,
    /// One line.
    pub headline: String,
    /// What happens.
    pub description: String,
    /// What to do.
    pub instruction: String,
    /// CAP's word.
    pub severity: String,
    /// CAP's word.
    pub message_type: String,
    /// A drill or test.
    pub drill: bool,
    /// Names of the hamlets; empty: the whole commune.
    pub hamlets: Vec<String>,
    /// Who sent it.
    pub officer: String,
    /// The second officer.
    pub second: Option<String>,
    /// When.
    pub sent: String,
    /// Until when it holds.
    pub expires: String,
    /// Answers, the newest of each member last.
    pub answers: Vec<AnswerListing>,
    /// Numbers of the hamlets; empty: the whole commune.
    #[serde(default)]
    pub hamlet_nos: Vec<u32>,
    /// Phones that have it, first come first.
    #[serde(default)]
    pub delivered: Vec<DeliveryListing>,
    /// How many members stand on each rung.
    #[serde(default)]
    pub rungs: Rungs,
    /// Alerts that it updates or takes back.
    #[serde(default)]
    pub references: Vec<String>,
    /// Alerts that update it or take it back, oldest first.
    #[serde(default)]
    pub replaced_by: Vec<String>,
}

/// A device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceListing {
    /// Its name.
    pub id: String,
    /// The member it was enrolled for.
    pub member: String,
    /// The member's number.
    pub member_no: u32,
    /// The hamlet's name.
    pub hamlet: String,
    /// `member`, `leader`, `officer`, `chief` or `auditor`.
    pub role: String,
    /// When.
    pub enrolled: String,
    /// Until when the certificate holds.
    pub expires: String,
    /// `waiting` (for the four words), `active`, `expired`, `revoked` or `lost`.
    pub state: String,
    /// Its logs.
    pub logs: Vec<String>,
    /// Entries held of it.
    pub entries: u64,
    /// When it last delivered.
    pub last_contact: Option<String>,
}

/// A segment in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantineListing {
    /// Its number.
    pub id: u64,
    /// `revoked` or `unknown_device`.
    pub reason: String,
    /// The device it names.
    pub device: String,
    /// The log it names.
    pub log: String,
    /// First sequence number it names.
    pub first: u64,
    /// Entries it names.
    pub count: u64,
    /// Bytes, sealed.
    pub size_bytes: u64,
    /// When it came.
    pub received_at: String,
}

/// One line of the record of who read and did what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// When.
    pub at: String,
    /// Hub time.
    pub at_ms: i64,
    /// Who.
    pub actor: String,
    /// What was done (`list incidents`, `enrol`, `revoke`, ...).
    pub action: String,
    /// On what: a name or a filter, never content.
    pub subject: String,
    /// For what purpose.
    pub purpose: String,
    /// How it ended: `done`, or the code of what stood in the way. `null`: nobody noted that; it is still being done, or
    /// the hub ended over it.
    #[serde(default)]
    pub outcome: Option<String>,
}

/// [`AuditRow::outcome`] of what was done.
pub const AUDIT_DONE: &str = "done";
