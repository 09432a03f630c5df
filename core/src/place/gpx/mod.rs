//! Recorded walks: GPX 1.0 and 1.1 as real devices write them.
//!
//! The reader is our own on top of quick-xml and not a GPX library, because a walk becomes evidence: coordinates are
//! read from their decimal digits, a fault is named by its line, memory is bounded whatever the file claims, and times
//! without a zone, with too many digits or from another century are taken as they are. What a patrol does not need
//! (extensions, links, routes) is passed over.

mod reader;
mod source;
mod time;

use std::{fmt, io::BufRead};

use yenban_protocol::text::degrees::{DegreesError, LatLon};

use super::limits::{GPX_MAX_BYTES, GPX_MAX_DEPTH, GPX_MAX_GROUPS, GPX_MAX_POINTS, GPX_TOKEN_MAX_BYTES};

/// Metres of error for one unit of horizontal dilution: what a phone's receiver makes of a good sky.
const METRES_PER_HDOP: f64 = 5.0;
/// A worse figure than this says nothing more.
const ACCURACY_MAX_M: f64 = 100_000.0;

/// What a GPX file holds, as far as a patrol is concerned.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Tracks that have at least one point.
    pub tracks: Vec<Track>,
    /// Marked places.
    pub waypoints: Vec<Waypoint>,
    /// Planned routes, which nobody walked: counted, so that a file of routes can be told from an empty one.
    pub routes: usize,
}

/// One recorded walk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Track {
    /// Its name, as written.
    pub name: Option<String>,
    /// Runs without a break, none of them empty; between two of them lies a gap.
    pub segments: Vec<Vec<TrackPoint>>,
}

/// One fix of a recorded walk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrackPoint {
    /// Where.
    pub place: LatLon,
    /// When, by the receiver: milliseconds since 1970 UTC, before it negative. A time without a zone is UTC, as GPX has it.
    pub time_ms: Option<i64>,
    /// Height above sea level in centimetres.
    pub elevation_cm: Option<i32>,
    /// Horizontal dilution of precision, in hundredths.
    pub hdop_e2: Option<u32>,
}

impl TrackPoint {
    /// Roughly how far off the fix may be, in metres, when the receiver said anything about it.
    pub fn accuracy_m(&self) -> Option<f64> {
        let hdop = f64::from(self.hdop_e2?) / 100.0;
        Some((hdop * METRES_PER_HDOP).min(ACCURACY_MAX_M))
    }
}

/// A marked place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waypoint {
    /// Its name, as written.
    pub name: Option<String>,
    /// Where.
    pub place: LatLon,
}

impl Recording {
    /// Reads a file from its beginning to its end.
    ///
    /// # Errors
    /// [`GpxError`] with the line of the first fault. Nothing of a faulty file is handed out.
    ///
    /// ```
    /// use yenban_core::place::gpx::Recording;
    /// let file = br#"<gpx version="1.1"><trk><trkseg><trkpt lat="20.66012" lon="105.08345"/></trkseg></trk></gpx>"#;
    /// let recording = Recording::read(&file[..])?;
    /// assert_eq!(recording.points().next().map(|point| point.place.lat_e7()), Some(206_601_200));
    /// # Ok::<(), yenban_core::place::gpx::GpxError>(())
    /// ```
    pub fn read(file: impl BufRead) -> Result<Recording, GpxError> {
        reader::read(file)
    }

    /// All points of all tracks, in the order of the file.
    pub fn points(&self) -> impl Iterator<Item = &TrackPoint> {
        self.segments().flatten()
    }

    /// All runs of all tracks, in the order of the file.
    pub fn segments(&self) -> impl Iterator<Item = &[TrackPoint]> {
        self.tracks.iter().flat_map(|track| track.segments.iter().map(Vec::as_slice))
    }
}

/// Why a file was refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GpxError {
    /// The line on which the faulty thing begins, from 1.
    pub line: u64,
    /// What is wrong.
    pub fault: GpxFault,
}

/// What can be wrong with a GPX file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GpxFault {
    /// The file could not be read; the operating system's words.
    Io(String),
    /// More than [`GPX_MAX_BYTES`].
    TooLarge,
    /// A tag, comment or text longer than [`GPX_TOKEN_MAX_BYTES`].
    TokenTooLong,
    /// Elements nested deeper than [`GPX_MAX_DEPTH`].
    TooDeep,
    /// More than [`GPX_MAX_POINTS`].
    TooManyPoints,
    /// More than [`GPX_MAX_GROUPS`] tracks, segments, routes and waypoints.
    TooManyGroups,
    /// Not UTF-8: another encoding, or bytes that are no text.
    Encoding,
    /// A control character.
    ControlCharacter,
    /// A document type definition, which may define anything.
    Dtd,
    /// An entity that XML does not know by itself.
    Entity,
    /// Not well-formed XML; the parser's words.
    Malformed(String),
    /// The file ends before its elements do.
    CutShort,
    /// Something else than GPX, or nothing at all.
    NotGpx,
    /// A version of GPX that is not 1.0 or 1.1.
    Version,
    /// A point without a usable place.
    Place(DegreesError),
    /// A time that is none.
    Time,
}

impl fmt::Display for GpxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.fault)
    }
}

impl fmt::Display for GpxFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(words) => write!(f, "the file could not be read: {words}"),
            Self::TooLarge => write!(f, "the file is larger than {} MiB", GPX_MAX_BYTES / (1024 * 1024)),
            Self::TokenTooLong => write!(f, "a tag or text is longer than {} KiB", GPX_TOKEN_MAX_BYTES / 1024),
            Self::TooDeep => write!(f, "elements are nested deeper than {GPX_MAX_DEPTH}"),
            Self::TooManyPoints => write!(f, "the file has more than {GPX_MAX_POINTS} track points"),
            Self::TooManyGroups => write!(f, "the file has more than {GPX_MAX_GROUPS} tracks, segments and waypoints"),
            Self::Encoding => f.write_str("the file is not UTF-8 text: save it as UTF-8"),
            Self::ControlCharacter => f.write_str("a control character stands in the text"),
            Self::Dtd => f.write_str("the file has a document type definition, which is not accepted"),
            Self::Entity => f.write_str("the text uses an entity that XML does not define"),
            Self::Malformed(words) => write!(f, "the file is not well-formed XML: {words}"),
            Self::CutShort => f.write_str("the file ends in the middle"),
            Self::NotGpx => f.write_str("this is not a GPX file"),
            Self::Version => f.write_str("this is a version of GPX other than 1.0 and 1.1"),
            Self::Place(error) => error.fmt(f),
            Self::Time => f.write_str("the time is not a date and time such as 2026-11-22T14:52:00Z"),
        }
    }
}

impl std::error::Error for GpxError {}

#[cfg(test)]
mod tests;
