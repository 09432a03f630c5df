//! Flat records that cross to the faces: names as text, times in milliseconds since 1970 UTC, places
//! in 1e-7 degree. Nothing here has behaviour beyond checking its own ranges.

use yenban_protocol::record::{Position, Provider};

use crate::error::{Error, Result};

/// A place as the shell got it. All ranges are checked when it is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Latitude, 1e-7 degree.
    pub lat_e7: i32,
    /// Longitude, 1e-7 degree.
    pub lon_e7: i32,
    /// Radius of 68 % confidence, centimetres.
    pub accuracy_cm: Option<u32>,
    /// Age of the fix, milliseconds.
    pub fix_age_ms: Option<u32>,
    /// Where it came from.
    pub provider: Provider,
    /// Satellite time of the fix, milliseconds since 1970; counts for places of satellites and recorded tracks.
    pub gnss_ms: Option<i64>,
}

impl Place {
    /// A place with nothing more known.
    pub fn new(lat_e7: i32, lon_e7: i32, provider: Provider) -> Place {
        Place { lat_e7, lon_e7, accuracy_cm: None, fix_age_ms: None, provider, gnss_ms: None }
    }

    /// What the satellites' clock said when this place was used. A live fix may be half an hour old, so its
    /// age is added; the time of a fix that other apps or masts made is no satellite's.
    pub(crate) fn satellite_ms(&self) -> Option<i64> {
        match self.provider {
            Provider::Imported => self.gnss_ms,
            Provider::Gnss => self.gnss_ms.map(|ms| ms.saturating_add(self.fix_age_ms.unwrap_or(0).into())),
            _ => None,
        }
    }

    pub(crate) fn position(&self) -> Result<Position> {
        let checked = Position::new(self.lat_e7, self.lon_e7, self.provider)
            .map_err(|_| Error::invalid("place", "latitude is within ±90, longitude within ±180 degrees"))?;
        Ok(Position { accuracy_cm: self.accuracy_cm, fix_age_ms: self.fix_age_ms, ..checked })
    }
}

/// A check-in to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckIn {
    /// Where, if known.
    pub place: Option<Place>,
    /// Code of the checkpoint that was scanned.
    pub checkpoint: Option<String>,
    /// A note, as typed.
    pub note: Option<String>,
}

/// One statement of a report: its basis (`unstated`, `seen`, `heard`, `think`) and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// On what it rests.
    pub basis: String,
    /// As typed.
    pub text: String,
}

/// A report to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Code of the kind of incident.
    pub kind: String,
    /// Urgent: overtakes everything when sending.
    pub urgent: bool,
    /// What is said; may be empty in an urgent report.
    pub statements: Vec<Said>,
    /// Where, if known.
    pub place: Option<Place>,
    /// How many photographs are still to follow, each by a call of its own, besides those that are given with it: it
    /// counts as complete when the hub has them all.
    pub photos: u32,
}

/// What is known when a capture is prepared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaptureStart {
    /// Entry of the incident or patrol that the photograph belongs to.
    pub subject: Option<String>,
    /// Taken with the camera of the app; otherwise the shell copies a file of elsewhere to the path.
    pub from_camera: bool,
    /// Where, if known.
    pub place: Option<Place>,
    /// Direction of the camera, hundredths of a degree clockwise from true north, 0 to 35,999.
    pub heading_cdeg: Option<u32>,
}

/// A capture that is prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// Its name, 16 hexadecimal digits.
    pub id: String,
    /// Where the camera writes its one file.
    pub path: std::path::PathBuf,
}

/// What is known when the camera has written its file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shutter {
    /// Where, if known; else the place of the start counts.
    pub place: Option<Place>,
    /// Direction of the camera; else that of the start counts.
    pub heading_cdeg: Option<u32>,
    /// What the camera software said of the file.
    pub declared: Option<yenban_protocol::record::Declared>,
    /// The name it had, if it was brought in.
    pub original_name: Option<String>,
}

/// Room on the phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be written.
    pub free_bytes: u64,
    /// Bytes kept for text and a capture in hand.
    pub reserve_bytes: u64,
    /// Bytes of sealed originals that lie here.
    pub originals_bytes: u64,
    /// Most of them.
    pub originals_quota_bytes: u64,
    /// Bytes of sealed previews and thumbnails that lie here.
    pub previews_bytes: u64,
    /// Most of them.
    pub previews_quota_bytes: u64,
    /// Whether a photograph can be taken now.
    pub can_capture: bool,
    /// Why not: `disk` or `quota`.
    pub reason: Option<&'static str>,
    /// How much room is missing for a photograph, in bytes.
    pub missing_bytes: u64,
}

/// What was removed from the phone because the hub has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Evicted {
    /// Sealed files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// A patrol as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatrolInfo {
    /// Name of its first entry.
    pub id: String,
    /// Member who started it.
    pub author: u32,
    /// `walking`, `paused` or `finished`.
    pub state: &'static str,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Check-ins so far.
    pub check_ins: u64,
    /// Metres walked.
    pub distance_m: u32,
    /// Time of the last check-in.
    pub last_check_in_ms: Option<i64>,
    /// Members walking now.
    pub crew: Vec<u32>,
}

/// A check-in as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckInInfo {
    /// Entry name.
    pub id: String,
    /// Best estimate of when.
    pub at_ms: i64,
    /// Not before; `None` when nothing bounds it.
    pub earliest_ms: Option<i64>,
    /// Not after; `None` when nothing bounds it.
    pub latest_ms: Option<i64>,
    /// Latitude, 1e-7 degree.
    pub lat_e7: Option<i32>,
    /// Longitude, 1e-7 degree.
    pub lon_e7: Option<i32>,
    /// Accuracy, centimetres.
    pub accuracy_cm: Option<u32>,
    /// Recorded while locked and not confirmed yet.
    pub unconfirmed: bool,
    /// Checkpoint code.
    pub checkpoint: Option<String>,
    /// Note.
    pub note: Option<String>,
}

/// An incident as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncidentInfo {
    /// Name of its first entry.
    pub id: String,
    /// Code of its kind.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
    /// Member who reported.
    pub author: u32,
    /// Recorded while locked and not confirmed yet.
    pub unconfirmed: bool,
    /// Best estimate of when.
    pub at_ms: i64,
    /// Not before; `None` when nothing bounds it.
    pub earliest_ms: Option<i64>,
    /// Not after; `None` when nothing bounds it.
    pub latest_ms: Option<i64>,
    /// Latitude, 1e-7 degree.
    pub lat_e7: Option<i32>,
    /// Longitude, 1e-7 degree.
    pub lon_e7: Option<i32>,
    /// Accuracy, centimetres.
    pub accuracy_cm: Option<u32>,
    /// How often something was added.
    pub amendments: u32,
    /// Photographs.
    pub photos: u32,
    /// Its first line.
    pub headline: String,
    /// Send state of its first entry: `unsent`, `sent`, `received` or `parked`.
    pub state: &'static str,
    /// What the police said became of it (`received`, `in_hand`, ...), if they did.
    pub fate: Option<String>,
    /// Their line to the reporter.
    pub fate_note: Option<String>,
}

/// A statement as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementInfo {
    /// Entry it was said in.
    pub entry: String,
    /// `unstated`, `seen`, `heard` or `think`.
    pub basis: &'static str,
    /// As typed.
    pub text: String,
}

/// A pin on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinInfo {
    /// Incident.
    pub id: String,
    /// Latitude, 1e-7 degree.
    pub lat_e7: i32,
    /// Longitude, 1e-7 degree.
    pub lon_e7: i32,
    /// Code of its kind.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
    /// When.
    pub at_ms: i64,
}

/// A photograph as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhotoInfo {
    /// Entry name.
    pub id: String,
    /// Incident or patrol it belongs to.
    pub subject: Option<String>,
    /// When.
    pub at_ms: i64,
    /// SHA-256 of the original bytes, hexadecimal.
    pub sha256: String,
    /// Length of the original in bytes.
    pub size_bytes: u64,
    /// Media type by its first bytes.
    pub media_type: String,
    /// Taken with the camera of the app.
    pub from_camera: bool,
    /// The name it was brought in with.
    pub original_name: Option<String>,
    /// What is remarkable about the file (`truncated`, `gps_conflict` ..), as codes.
    pub flags: Vec<String>,
    /// Taken in at a later start, because the app ended between shutter and entry.
    pub recovered: bool,
    /// The hub has the original.
    pub received: bool,
    /// The original was removed from this phone after that.
    pub evicted: bool,
    /// Its smaller copies.
    pub previews: Vec<PreviewInfo>,
    /// Why there are none, as a code; `None` also while nobody has tried yet.
    pub previews_missing: Option<String>,
}

/// A smaller copy of a photograph as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewInfo {
    /// `preview` or `thumbnail`.
    pub kind: String,
    /// Width, px.
    pub width_px: u32,
    /// Height, px.
    pub height_px: u32,
    /// Length of the copy in bytes.
    pub size_bytes: u64,
    /// The hub has it.
    pub received: bool,
    /// It was removed from this phone after that.
    pub evicted: bool,
}

/// An alert as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertInfo {
    /// CAP identifier.
    pub id: String,
    /// Stream it came in.
    pub scope: String,
    /// Its number in that stream.
    pub number: u64,
    /// Who sent it.
    pub sender_name: String,
    /// When.
    pub sent_ms: i64,
    /// Until when.
    pub expires_ms: i64,
    /// CAP severity.
    pub severity: &'static str,
    /// CAP urgency.
    pub urgency: &'static str,
    /// One line.
    pub headline: String,
    /// What happens.
    pub description: String,
    /// What to do.
    pub instruction: String,
    /// A drill or a test: never sounds as real.
    pub drill: bool,
    /// `live`, `expired`, `updated` or `cancelled`.
    pub state: &'static str,
    /// Newest answer of this member: `seen`, `going`, `cannot`, `done`.
    pub answer: Option<&'static str>,
    /// Hamlets by number; empty for the whole commune.
    pub hamlets: Vec<u32>,
}

/// One line of the feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInfo {
    /// Stream.
    pub scope: String,
    /// Number in the stream.
    pub number: u64,
    /// Word of the kind.
    pub kind: &'static str,
    /// When it was issued.
    pub issued_ms: i64,
    /// One line for people: headline, state, name.
    pub line: String,
}

/// One line of the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    /// Log, 16 hexadecimal digits.
    pub log: String,
    /// Sequence number.
    pub seq: u64,
    /// Word of the kind; `sealed` while it cannot be read.
    pub kind: &'static str,
    /// `unsent`, `sent`, `received` or `parked`.
    pub state: &'static str,
    /// Why it is parked or was not taken; empty otherwise.
    pub reason: String,
    /// How often it was offered.
    pub attempts: u32,
}

/// The open patrol in [`Status`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusPatrol {
    /// Name of its first entry.
    pub id: String,
    /// When it began; `None` while locked.
    pub started_ms: Option<i64>,
    /// Check-ins; `None` while locked.
    pub check_ins: Option<u64>,
    /// Metres; `None` while locked.
    pub distance_m: Option<u32>,
    /// Paused.
    pub paused: bool,
}

/// The figures of `phone status`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Device id, 16 hexadecimal digits; empty before enrolment.
    pub device: String,
    /// Log, 16 hexadecimal digits; empty before enrolment.
    pub log: String,
    /// Whether the phone has joined.
    pub enrolled: bool,
    /// Whether the vault is locked.
    pub locked: bool,
    /// Member who has the phone.
    pub member: u32,
    /// Entries of all logs of this store.
    pub entries: u64,
    /// Entries the hub has not confirmed, parked ones not among them.
    pub unsent: u64,
    /// Entries the hub has confirmed.
    pub received: u64,
    /// Entries set aside.
    pub parked: u64,
    /// The open patrol.
    pub patrol: Option<StatusPatrol>,
    /// Alerts without an answer, live ones only.
    pub alerts_unread: u64,
    /// Alerts in all.
    pub alerts_total: u64,
    /// Photographs captured.
    pub evidence_captured: u64,
    /// Photographs delivered.
    pub evidence_uploaded: u64,
    /// Photographs that the hub has destroyed and will not take: neither delivered nor waiting.
    pub evidence_destroyed: u64,
    /// Room on the phone.
    pub space: Space,
    /// Link of the newest entry, hexadecimal; empty before enrolment.
    pub chain_head: String,
}

/// Who this phone is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Device id.
    pub device: String,
    /// Commune code.
    pub commune: String,
    /// Name of the hub, for people.
    pub hub_name: String,
    /// Hamlet's name.
    pub hamlet_name: String,
    /// Member it was enrolled for.
    pub member: u32,
    /// That member's name.
    pub member_name: String,
    /// Role word.
    pub role: &'static str,
    /// Addresses of the hub.
    pub addresses: Vec<String>,
}

/// What `check` found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Entries in all logs.
    pub entries: u64,
    /// Entries whose content was opened and whose link was recomputed.
    pub verified: u64,
    /// Entries sealed for other members or not readable now.
    pub sealed: u64,
    /// Sealed files compared with the log.
    pub files: u64,
    /// Rows of projections compared with a rebuild; 0 while locked.
    pub projection_rows: u64,
    /// One sentence per sealed file that no entry names, where nothing speaks for lost entries: a kill leaves such
    /// files. When the hub has confirmed the log and a day is over, one whose bytes are kept under a name goes, and any
    /// other is taken in as recovered.
    pub unnamed: Vec<String>,
    /// One sentence per fault; empty when everything holds.
    pub faults: Vec<String>,
}
