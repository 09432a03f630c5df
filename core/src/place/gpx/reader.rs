//! From XML events to tracks: a stack of the elements that matter, everything else passed over.

use std::io::BufRead;

use quick_xml::{
    Reader, XmlVersion,
    errors::Error as XmlError,
    events::{BytesStart, Event},
};
use yenban_protocol::text::degrees::{Axis, DegreesError, LatLon, parse_scaled};

use super::{GpxError, GpxFault, Recording, Track, TrackPoint, Waypoint, source::Source, time::parse_time_ms};
use crate::place::limits::{GPX_MAX_DEPTH, GPX_MAX_GROUPS, GPX_MAX_POINTS, GPX_TEXT_MAX_BYTES};

/// Heights beyond this many centimetres are no heights.
const ELEVATION_MAX_CM: i64 = 10_000_000;
/// Dilutions beyond this, in hundredths, say no more than this one.
const HDOP_MAX_E2: i64 = 10_000_000;

/// The elements that matter, by where they stand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Element {
    Gpx,
    Track,
    TrackName,
    Segment,
    Point,
    PointTime,
    PointElevation,
    PointHdop,
    Waypoint,
    WaypointName,
    Route,
    /// Passed over, with all it holds.
    Other,
}

pub(super) fn read(file: impl BufRead) -> Result<Recording, GpxError> {
    let mut xml = Reader::from_reader(Source::new(file));
    xml.config_mut().expand_empty_elements = true;
    let mut building = Building::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let line = xml.get_ref().line;
        xml.get_mut().next_token();
        let event = xml.read_event_into(&mut buffer);
        let outcome = match event {
            Ok(Event::Eof) => return building.finish().map_err(|fault| GpxError { line, fault }),
            Ok(event) => building.take(event),
            Err(error) => Err(xml.get_mut().stopped.take().unwrap_or_else(|| fault_of(&error))),
        };
        // A control character is named before what the parser made of it.
        if let Some(control_line) = xml.get_ref().control_line() {
            return Err(GpxError { line: control_line, fault: GpxFault::ControlCharacter });
        }
        outcome.map_err(|fault| GpxError { line, fault })?;
    }
}

fn fault_of(error: &XmlError) -> GpxFault {
    match error {
        XmlError::Encoding(_) => GpxFault::Encoding,
        XmlError::Io(error) => GpxFault::Io(error.to_string()),
        XmlError::Escape(_) => GpxFault::Entity,
        XmlError::Syntax(_) => GpxFault::CutShort,
        other => malformed(&other.to_string()),
    }
}

/// The parser's words may quote the file: they are cut and made safe to show.
fn malformed(words: &str) -> GpxFault {
    let shown: String = yenban_protocol::text::display_safe(words).chars().take(120).collect();
    GpxFault::Malformed(shown)
}

#[derive(Default)]
struct Building {
    recording: Recording,
    stack: Vec<Element>,
    /// Text of the element on top of the stack, as far as it is looked at.
    text: String,
    groups: usize,
    points: usize,
    root_seen: bool,
}

impl Building {
    fn take(&mut self, event: Event<'_>) -> Result<(), GpxFault> {
        match event {
            Event::Start(tag) => self.open(&tag),
            Event::End(_) => self.close(),
            Event::Text(text) => self.add_text(&text),
            Event::CData(text) => self.add_text(&text),
            Event::GeneralRef(reference) => {
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => character,
                    Ok(None) => predefined(&reference).ok_or(GpxFault::Entity)?,
                    Err(_) => return Err(GpxFault::Entity),
                };
                if character.is_control() && !matches!(character, '\t' | '\n' | '\r') {
                    return Err(GpxFault::ControlCharacter);
                }
                self.add_text(character.encode_utf8(&mut [0; 4]))
            }
            Event::Decl(declaration) => match declaration.encoding() {
                Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") && !name.eq_ignore_ascii_case("us-ascii") => Err(GpxFault::Encoding),
                Some(Err(error)) => Err(malformed(&error.to_string())),
                Some(Ok(_)) | None => Ok(()),
            },
            Event::DocType(_) => Err(GpxFault::Dtd),
            Event::Comment(_) | Event::PI(_) | Event::Empty(_) | Event::Eof => Ok(()),
        }
    }

    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), GpxFault> {
        if self.stack.len() >= GPX_MAX_DEPTH {
            return Err(GpxFault::TooDeep);
        }
        let local = tag.local_name();
        let element = match (self.stack.last(), local.as_ref()) {
            (None, "gpx") if !self.root_seen => {
                check_version(tag)?;
                self.root_seen = true;
                Element::Gpx
            }
            (None, _) => return Err(GpxFault::NotGpx),
            (Some(Element::Gpx), "trk") => Element::Track,
            (Some(Element::Gpx), "wpt") => Element::Waypoint,
            (Some(Element::Gpx), "rte") => Element::Route,
            (Some(Element::Track), "name") => Element::TrackName,
            (Some(Element::Track), "trkseg") => Element::Segment,
            (Some(Element::Segment), "trkpt") => Element::Point,
            (Some(Element::Point), "time") => Element::PointTime,
            (Some(Element::Point), "ele") => Element::PointElevation,
            (Some(Element::Point), "hdop") => Element::PointHdop,
            (Some(Element::Waypoint), "name") => Element::WaypointName,
            (Some(_), _) => Element::Other,
        };
        self.begin(element, tag)?;
        self.text.clear();
        self.stack.push(element);
        Ok(())
    }

    fn begin(&mut self, element: Element, tag: &BytesStart<'_>) -> Result<(), GpxFault> {
        if matches!(element, Element::Track | Element::Segment | Element::Waypoint | Element::Route) {
            self.groups += 1;
            if self.groups > GPX_MAX_GROUPS {
                return Err(GpxFault::TooManyGroups);
            }
        }
        match element {
            Element::Track => self.recording.tracks.push(Track::default()),
            Element::Segment => {
                if let Some(track) = self.recording.tracks.last_mut() {
                    track.segments.push(Vec::new());
                }
            }
            Element::Point => {
                self.points += 1;
                if self.points > GPX_MAX_POINTS {
                    return Err(GpxFault::TooManyPoints);
                }
                let point = TrackPoint { place: place_of(tag)?, time_ms: None, elevation_cm: None, hdop_e2: None };
                if let Some(segment) = self.segment() {
                    segment.push(point);
                }
            }
            Element::Waypoint => {
                let place = place_of(tag)?;
                self.recording.waypoints.push(Waypoint { name: None, place });
            }
            Element::Route => self.recording.routes += 1,
            _ => {}
        }
        Ok(())
    }

    fn add_text(&mut self, text: &str) -> Result<(), GpxFault> {
        match self.stack.last() {
            // Text around the root, but white space, is no XML.
            None if !text.trim().is_empty() && text != "\u{FEFF}" => Err(GpxFault::NotGpx),
            None | Some(Element::Other) => Ok(()),
            Some(_) => {
                let room = GPX_TEXT_MAX_BYTES.saturating_sub(self.text.len());
                self.text.extend(text.chars().scan(0, |used, c| {
                    *used += c.len_utf8();
                    (*used <= room).then_some(c)
                }));
                Ok(())
            }
        }
    }

    fn close(&mut self) -> Result<(), GpxFault> {
        let Some(element) = self.stack.pop() else { return Ok(()) };
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        match element {
            Element::PointTime if !text.is_empty() => {
                let time_ms = parse_time_ms(text).ok_or(GpxFault::Time)?;
                self.point(|point| point.time_ms = Some(time_ms));
            }
            // Height and dilution are extras: when they are nonsense they are left out, the fix counts without them.
            Element::PointElevation => {
                let elevation = parse_scaled(text, 2, ELEVATION_MAX_CM).and_then(|cm| i32::try_from(cm).ok());
                self.point(|point| point.elevation_cm = elevation);
            }
            Element::PointHdop => {
                let hdop = parse_scaled(text, 2, HDOP_MAX_E2).and_then(|hdop| u32::try_from(hdop).ok());
                self.point(|point| point.hdop_e2 = hdop);
            }
            Element::TrackName if !text.is_empty() => {
                if let Some(track) = self.recording.tracks.last_mut() {
                    track.name = Some(text.to_owned());
                }
            }
            Element::WaypointName if !text.is_empty() => {
                if let Some(waypoint) = self.recording.waypoints.last_mut() {
                    waypoint.name = Some(text.to_owned());
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn segment(&mut self) -> Option<&mut Vec<TrackPoint>> {
        self.recording.tracks.last_mut()?.segments.last_mut()
    }

    fn point(&mut self, change: impl FnOnce(&mut TrackPoint)) {
        if let Some(point) = self.segment().and_then(|segment| segment.last_mut()) {
            change(point);
        }
    }

    fn finish(mut self) -> Result<Recording, GpxFault> {
        if !self.stack.is_empty() {
            return Err(GpxFault::CutShort);
        }
        if !self.root_seen {
            return Err(GpxFault::NotGpx);
        }
        for track in &mut self.recording.tracks {
            track.segments.retain(|segment| !segment.is_empty());
        }
        self.recording.tracks.retain(|track| !track.segments.is_empty());
        Ok(self.recording)
    }
}

fn check_version(tag: &BytesStart<'_>) -> Result<(), GpxFault> {
    match attribute(tag, "version")? {
        None => Ok(()),
        Some(version) if matches!(version.trim(), "1.0" | "1.1" | "1" | "") => Ok(()),
        Some(_) => Err(GpxFault::Version),
    }
}

fn place_of(tag: &BytesStart<'_>) -> Result<LatLon, GpxFault> {
    let axis = |name, axis| match attribute(tag, name)? {
        Some(value) => Ok(value),
        None => Err(GpxFault::Place(DegreesError::Empty(axis))),
    };
    let (lat, lon) = (axis("lat", Axis::Latitude)?, axis("lon", Axis::Longitude)?);
    LatLon::parse(&lat, &lon).map_err(GpxFault::Place)
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, GpxFault> {
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| malformed(&error.to_string()))?;
        if attribute.key.as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(|error| fault_of(&error))?;
            return Ok(Some(value.into_owned()));
        }
    }
    Ok(None)
}

/// The five entities XML itself defines.
fn predefined(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => None,
    }
}
