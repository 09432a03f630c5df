//! OASIS CAP 1.2, read and written: warnings of other services come in by it, ours go out as it.
//!
//! A document is read whole or refused with the reason and the element. Nothing in it is fetched, no entity is expanded but
//! XML's own five, and a document with a DTD is refused before anything else is looked at. CAP 1.1, which many services
//! still send, has the same elements and is read too.

mod read;
mod write;

use yenban_protocol::alert::{MessageType, Severity, Status, Urgency};

pub use read::{is_name, read};
pub use write::{Place, sender, write};

/// Media type of a document.
pub const MEDIA_TYPE: &str = "application/cap+xml; charset=utf-8";
/// Namespace of what is written.
pub const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
const NAMESPACE_BEFORE: &str = "urn:oasis:names:tc:emergency:cap:1.1";
/// Scheme of a `geocode` that is the official number of a commune, five digits.
pub const COMMUNE_CODE: &str = "VN-GSO-XA";

/// A document, as far as it matters here.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// `identifier`.
    pub identifier: String,
    /// `sender`.
    pub sender: String,
    /// `sent`, milliseconds since 1970 UTC.
    pub sent_ms: i64,
    /// `status`; a draft is read as a test: neither is ever real.
    pub status: Status,
    /// `msgType`.
    pub message_type: MessageType,
    /// `references`.
    pub references: Vec<Reference>,
    /// `info`: the first in Vietnamese, else the first.
    pub info: Option<Info>,
    /// How many more it has in that language: they are about other hazards or places.
    pub further: usize,
}

/// An alert that a document refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Who sent it.
    pub sender: String,
    /// Its identifier.
    pub identifier: String,
    /// When, milliseconds since 1970 UTC.
    pub sent_ms: i64,
}

/// What a document says in one language.
#[derive(Debug, Clone, PartialEq)]
pub struct Info {
    /// `event`.
    pub event: String,
    /// `urgency`.
    pub urgency: Urgency,
    /// `severity`.
    pub severity: Severity,
    /// `expires`, milliseconds since 1970 UTC.
    pub expires_ms: Option<i64>,
    /// `senderName`.
    pub sender_name: String,
    /// `headline`.
    pub headline: String,
    /// `description`.
    pub description: String,
    /// `instruction`.
    pub instruction: String,
    /// `area`.
    pub areas: Vec<Area>,
}

/// A place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Area {
    /// `areaDesc`.
    pub name: String,
    /// `polygon`: corners in degrees (latitude, longitude), the first one again at the end.
    pub polygons: Vec<Vec<(f64, f64)>>,
    /// `circle`: centre in degrees and radius in kilometres.
    pub circles: Vec<(f64, f64, f64)>,
    /// `geocode`: name of the scheme and value.
    pub geocodes: Vec<(String, String)>,
}

impl Area {
    /// Whether a place (degrees) lies in one of its shapes.
    pub fn holds(&self, lat: f64, lon: f64) -> bool {
        self.polygons.iter().any(|corners| inside(corners, lat, lon))
            || self.circles.iter().any(|(centre_lat, centre_lon, km)| distance_km(*centre_lat, *centre_lon, lat, lon) <= *km)
    }
}

/// Ray casting on degrees: areas of alerts are small against the earth.
fn inside(corners: &[(f64, f64)], lat: f64, lon: f64) -> bool {
    let crosses = |pair: &[(f64, f64)]| match pair {
        [(lat1, lon1), (lat2, lon2)] if (*lat1 > lat) != (*lat2 > lat) => lon < (lon2 - lon1) * (lat - lat1) / (lat2 - lat1) + lon1,
        _ => false,
    };
    corners.windows(2).filter(|pair| crosses(pair)).count() % 2 == 1
}

/// Along the great circle: a circle of a storm or an earthquake may be hundreds of kilometres wide.
fn distance_km(lat1: f64, lon1: f64, lat2: f64, lon2: f64) -> f64 {
    const EARTH_KM: f64 = 6_371.0;
    let half = |from: f64, to: f64| ((to - from) / 2.0).to_radians().sin().powi(2);
    let share = half(lat1, lat2) + lat1.to_radians().cos() * lat2.to_radians().cos() * half(lon1, lon2);
    2.0 * EARTH_KM * share.clamp(0.0, 1.0).sqrt().asin()
}

/// Why a document was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Stable code: `too_large`, `encoding`, `dtd`, `malformed`, `not_cap`, `missing`, `value`, `not_for_people`, `no_info`.
    pub code: &'static str,
    /// The element, where one is meant; empty otherwise.
    pub element: String,
}

impl Fault {
    fn new(code: &'static str, element: &str) -> Self {
        Self { code, element: element.to_owned() }
    }
}
