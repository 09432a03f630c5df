//! GPX 1.1 for navigation devices and map programs: a track per patrol, a new segment after each gap, incidents as
//! waypoints. Times are UTC with `Z`, as the schema asks.

use std::io::Write;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event};
use yenban_protocol::text::display_safe;

use super::outgoing::Exporter;
use super::track::{Fix, Track, millis};
use crate::error::{HubError, Result};
use crate::store::{CheckInRow, IncidentListing, PatrolListing};

/// Writes a GPX document, one track at a time.
///
/// The schema puts waypoints before tracks: give incidents first (a later one is told as an error, not written
/// where no reader finds it).
pub struct Gpx<W: Write> {
    writer: Writer<W>,
    begun: bool,
    tracks: bool,
}

impl<W: Write> Gpx<W> {
    /// A document written to `out`.
    pub fn new(out: W) -> Self {
        Self { writer: Writer::new(out), begun: false, tracks: false }
    }

    fn event(&mut self, event: Event<'_>) -> Result<()> {
        self.writer.write_event(event).map_err(failed)
    }

    fn begin(&mut self) -> Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        self.event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let root = BytesStart::new("gpx").with_attributes([
            ("version", "1.1"),
            ("creator", "Yên Bản"),
            ("xmlns", "http://www.topografix.com/GPX/1/1"),
            ("xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"),
            ("xsi:schemaLocation", "http://www.topografix.com/GPX/1/1 http://www.topografix.com/GPX/1/1/gpx.xsd"),
        ]);
        self.event(Event::Start(root))
    }

    fn open(&mut self, name: &str) -> Result<()> {
        self.event(Event::Start(BytesStart::new(name)))
    }

    fn close(&mut self, name: &str) -> Result<()> {
        self.event(Event::End(BytesEnd::new(name)))
    }

    fn text(&mut self, name: &str, text: &str) -> Result<()> {
        self.open(name)?;
        // XML 1.0 has no way to write control characters at all.
        self.event(Event::Text(BytesText::new(&display_safe(text))))?;
        self.close(name)
    }

    fn place(&mut self, name: &'static str, lat: f64, lon: f64) -> Result<()> {
        let (lat, lon) = (lat.to_string(), lon.to_string());
        self.event(Event::Start(BytesStart::new(name).with_attributes([("lat", lat.as_str()), ("lon", lon.as_str())])))
    }

    fn fix(&mut self, fix: &Fix) -> Result<()> {
        self.place("trkpt", fix.lat, fix.lon)?;
        self.time(fix.at_ms)?;
        self.close("trkpt")
    }

    fn time(&mut self, at_ms: i64) -> Result<()> {
        match jiff::Timestamp::from_millisecond(at_ms) {
            Ok(moment) => self.text("time", &moment.to_string()),
            // A year that no calendar has: a place without a time is still a place.
            Err(_) => Ok(()),
        }
    }
}

fn failed(error: impl std::fmt::Display) -> HubError {
    HubError::Store(format!("GPX: {error}"))
}

impl<W: Write + Send> Exporter for Gpx<W> {
    fn patrol(&mut self, patrol: &PatrolListing, check_ins: &[CheckInRow]) -> Result<()> {
        self.begin()?;
        let track = Track::of(check_ins);
        if track.stretches.is_empty() {
            return Ok(());
        }
        self.tracks = true;
        self.open("trk")?;
        self.text("name", &format!("{} {}", patrol.hamlet, patrol.started.as_deref().unwrap_or_default()))?;
        self.text("desc", &patrol.id)?;
        self.text("type", "patrol")?;
        for stretch in &track.stretches {
            self.open("trkseg")?;
            for fix in stretch {
                self.fix(fix)?;
            }
            self.close("trkseg")?;
        }
        self.close("trk")
    }

    /// Check-ins are points of their patrol's track; one outside a patrol has none and is a waypoint, if tracks
    /// have not begun.
    fn check_in(&mut self, row: &CheckInRow) -> Result<()> {
        let (Some(lat), Some(lon), None, false) = (row.lat, row.lon, &row.patrol, self.tracks) else { return Ok(()) };
        self.begin()?;
        self.place("wpt", lat, lon)?;
        if let Some(at_ms) = millis(&row.recorded_at) {
            self.time(at_ms)?;
        }
        self.text("name", &format!("{}:{}", row.log, row.seq))?;
        self.text("type", "check_in")?;
        self.close("wpt")
    }

    fn incident(&mut self, row: &IncidentListing) -> Result<()> {
        self.begin()?;
        let (Some(lat), Some(lon)) = (row.lat, row.lon) else { return Ok(()) };
        if self.tracks {
            return Err(failed("a waypoint after the tracks"));
        }
        self.place("wpt", lat, lon)?;
        if let Some(at_ms) = millis(&row.recorded_at) {
            self.time(at_ms)?;
        }
        self.text("name", &format!("{} {}", row.kind, row.hamlet))?;
        self.text("desc", &row.id)?;
        self.text("type", if row.urgent { "incident urgent" } else { "incident" })?;
        self.close("wpt")
    }

    fn finish(&mut self) -> Result<()> {
        self.begin()?;
        self.close("gpx")?;
        self.writer.get_mut().flush().map_err(failed)
    }

    fn points_first(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::outgoing::tests::{check_ins, incident, patrol};
    use super::*;

    fn written(write: impl FnOnce(&mut Gpx<&mut Vec<u8>>)) -> (String, ::gpx::Gpx) {
        let mut out = Vec::new();
        let mut writer = Gpx::new(&mut out);
        write(&mut writer);
        writer.finish().unwrap();
        drop(writer);
        let read = ::gpx::read(out.as_slice()).unwrap();
        (String::from_utf8(out).unwrap(), read)
    }

    #[test]
    fn a_patrol_reads_back_as_a_track_cut_at_its_gap() {
        let (text, read) = written(|gpx| {
            gpx.incident(&incident()).unwrap();
            gpx.patrol(&patrol(), &check_ins()).unwrap();
        });
        assert_eq!(read.version, ::gpx::GpxVersion::Gpx11);
        let segments: Vec<usize> = read.tracks[0].segments.iter().map(|s| s.points.len()).collect();
        assert_eq!(segments, [3, 2]);
        let first = read.tracks[0].segments[0].points[0].point();
        assert_eq!((first.x(), first.y()), (105.083_456_7, 20.660_123_4));
        assert!(text.contains("<time>2026-11-22T13:00:00Z</time>"), "{text}");
        assert_eq!(read.waypoints.len(), 1);
    }

    #[test]
    fn names_are_escaped_and_without_controls() {
        let (text, read) = written(|gpx| {
            gpx.patrol(&PatrolListing { hamlet: "Nà <Phòn> & \u{1}\u{202E}".into(), ..patrol() }, &check_ins()).unwrap();
        });
        assert!(text.contains("Nà &lt;Phòn&gt; &amp; "), "{text}");
        assert!(read.tracks[0].name.as_ref().unwrap().starts_with("Nà <Phòn> & "));
        assert!(!text.contains(['\u{1}', '\u{202E}']));
    }

    #[test]
    fn nothing_is_a_document_without_tracks() {
        let (_, read) = written(|_| {});
        assert!(read.tracks.is_empty() && read.waypoints.is_empty());
    }

    #[test]
    fn waypoints_come_before_tracks_or_not_at_all() {
        let mut writer = Gpx::new(Vec::new());
        writer.patrol(&patrol(), &check_ins()).unwrap();
        assert!(writer.incident(&incident()).is_err());
    }
}
