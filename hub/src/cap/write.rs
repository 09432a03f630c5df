//! Writing: an alert of ours as a document, elements in the schema's order.

use jiff::Timestamp;
use jiff::tz::{TimeZone, offset};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use yenban_protocol::alert::{Alert, Severity};

use super::{COMMUNE_CODE, NAMESPACE, Reference};
use crate::error::{HubError, Result};

/// Longest headline that CAP recommends, characters.
const HEADLINE_CHARS: usize = 160;

/// A hamlet that an alert is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub name: String,
    /// Its centre, latitude and longitude in degrees times 1e7.
    pub centre_e7: Option<(i32, i32)>,
}

fn failed(error: impl std::fmt::Display) -> HubError {
    HubError::Store(format!("CAP: {error}"))
}

/// Whole seconds and an offset in numbers.
fn moment(ms: i64) -> Result<String> {
    let moment = Timestamp::from_millisecond(ms).map_err(failed)?;
    Ok(moment.to_zoned(TimeZone::fixed(offset(7))).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

struct Out(Writer<Vec<u8>>);

impl Out {
    fn open(&mut self, name: &str) -> Result<()> {
        self.0.write_event(Event::Start(BytesStart::new(name))).map_err(failed)
    }

    fn close(&mut self, name: &str) -> Result<()> {
        self.0.write_event(Event::End(BytesEnd::new(name))).map_err(failed)
    }

    fn text(&mut self, name: &str, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.open(name)?;
        self.0.write_event(Event::Text(BytesText::new(text))).map_err(failed)?;
        self.close(name)
    }
}

/// Writes an alert of the hub of `commune` (five digits). `references`: those it updates or takes back; `places`: its
/// hamlets, none for the whole commune, which is then named by `name` and by its official number. A hamlet has no such number:
/// it is given as a circle of no size around its centre, because a number of the commune would warn everybody.
///
/// # Errors
/// A moment beyond the year 9999.
pub fn write(alert: &Alert, commune: &str, name: &str, references: &[Reference], places: &[Place]) -> Result<Vec<u8>> {
    let mut out = Out(Writer::new_with_indent(Vec::new(), b' ', 1));
    out.0.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None))).map_err(failed)?;
    out.0.write_event(Event::Start(BytesStart::new("alert").with_attributes([("xmlns", NAMESPACE)]))).map_err(failed)?;
    out.text("identifier", &alert.identifier)?;
    out.text("sender", &sender(commune))?;
    out.text("sent", &moment(alert.sent_ms)?)?;
    out.text("status", alert.status.code())?;
    out.text("msgType", alert.message_type.code())?;
    out.text("scope", "Public")?;
    let triple = |r: &Reference| Ok(format!("{},{},{}", r.sender, r.identifier, moment(r.sent_ms)?));
    out.text("references", &references.iter().map(triple).collect::<Result<Vec<_>>>()?.join(" "))?;
    out.open("info")?;
    out.text("language", "vi-VN")?;
    out.text("category", "Safety")?;
    let headline: String = alert.headline.chars().take(HEADLINE_CHARS).collect();
    out.text("event", &headline)?;
    out.text("urgency", alert.urgency.code())?;
    out.text("severity", alert.severity.code())?;
    // What an officer warns of is not said to be seen or guessed.
    out.text("certainty", if alert.severity == Severity::Unknown { "Unknown" } else { "Likely" })?;
    out.text("expires", &moment(alert.expires_ms)?)?;
    out.text("senderName", &alert.sender_name)?;
    out.text("headline", &headline)?;
    out.text("description", &alert.description)?;
    out.text("instruction", &alert.instruction)?;
    for place in places {
        out.open("area")?;
        out.text("areaDesc", &place.name)?;
        if let Some((lat, lon)) = place.centre_e7 {
            out.text("circle", &format!("{:.7},{:.7} 0", f64::from(lat) / 1e7, f64::from(lon) / 1e7))?;
        }
        out.close("area")?;
    }
    if places.is_empty() {
        out.open("area")?;
        out.text("areaDesc", name)?;
        out.open("geocode")?;
        out.text("valueName", COMMUNE_CODE)?;
        out.text("value", commune)?;
        out.close("geocode")?;
        out.close("area")?;
    }
    out.close("info")?;
    out.close("alert")?;
    Ok(out.0.into_inner())
}

/// The name under which a commune's hub sends.
pub fn sender(commune: &str) -> String {
    format!("yenban.xa.{commune}")
}
