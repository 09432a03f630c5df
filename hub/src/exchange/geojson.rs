//! GeoJSON (RFC 7946) for maps: check-ins and incidents as points, a patrol as lines that stop at each gap.

use std::io::Write;

use ::geojson::feature::Id;
use ::geojson::{Feature, FeatureWriter, Geometry, GeometryValue, JsonObject};
use serde_json::{Value, json};

use super::outgoing::Exporter;
use super::track::Track;
use crate::error::{HubError, Result};
use crate::store::{CheckInRow, IncidentListing, PatrolListing};

/// Writes a feature collection, one feature at a time.
pub struct GeoJson<W: Write> {
    writer: FeatureWriter<W>,
}

impl<W: Write> GeoJson<W> {
    /// A collection written to `out`.
    pub fn new(out: W) -> Self {
        Self { writer: FeatureWriter::from_writer(out) }
    }

    fn feature(&mut self, id: String, geometry: Option<GeometryValue>, properties: Value) -> Result<()> {
        let properties = match properties {
            Value::Object(members) => members.into_iter().filter(|(_, value)| !value.is_null()).collect(),
            _ => JsonObject::new(),
        };
        let feature = Feature {
            bbox: None,
            geometry: geometry.map(Geometry::new),
            id: Some(Id::String(id)),
            properties: Some(properties),
            foreign_members: None,
        };
        self.writer.write_feature(&feature).map_err(failed)
    }
}

fn failed(error: ::geojson::Error) -> HubError {
    HubError::Store(format!("GeoJSON: {error}"))
}

/// RFC 7946 writes longitude first.
fn point(lat: Option<f64>, lon: Option<f64>) -> Option<GeometryValue> {
    Some(GeometryValue::new_point([lon?, lat?]))
}

impl<W: Write + Send> Exporter for GeoJson<W> {
    fn patrol(&mut self, patrol: &PatrolListing, check_ins: &[CheckInRow]) -> Result<()> {
        let lines: Vec<Vec<[f64; 2]>> = Track::of(check_ins)
            .stretches
            .iter()
            // A line has two ends; a place between two gaps is a point alone.
            .filter(|stretch| stretch.len() > 1)
            .map(|stretch| stretch.iter().map(|fix| [fix.lon, fix.lat]).collect())
            .collect();
        let geometry = (!lines.is_empty()).then(|| GeometryValue::new_multi_line_string(lines));
        self.feature(
            patrol.id.clone(),
            geometry,
            json!({
                "type": "patrol", "hamlet": patrol.hamlet, "author": patrol.author, "device": patrol.device,
                "started": patrol.started, "finished": patrol.finished, "state": patrol.state,
                "check_ins": patrol.check_ins, "distance_m": patrol.distance_m,
            }),
        )
    }

    fn check_in(&mut self, row: &CheckInRow) -> Result<()> {
        self.feature(
            format!("{}:{}", row.log, row.seq),
            point(row.lat, row.lon),
            json!({
                "type": "check_in", "patrol": row.patrol, "device": row.device, "log": row.log, "seq": row.seq,
                "accuracy_m": row.accuracy_m, "provider": row.provider, "checkpoint": row.checkpoint,
                "recorded_at": row.recorded_at, "received_at": row.received_at,
                "time_earliest": row.time_earliest, "time_latest": row.time_latest,
                "branch": (row.branch > 0).then_some(row.branch),
            }),
        )
    }

    fn incident(&mut self, row: &IncidentListing) -> Result<()> {
        let statements: Vec<Value> = row.statements.iter().map(|s| json!({ "basis": s.basis, "text": s.text })).collect();
        self.feature(
            row.id.clone(),
            point(row.lat, row.lon),
            json!({
                "type": "incident", "kind": row.kind, "urgent": row.urgent, "hamlet": row.hamlet, "author": row.author,
                "device": row.device, "log": row.log, "seq": row.seq, "accuracy_m": row.accuracy_m,
                "recorded_at": row.recorded_at, "received_at": row.received_at,
                "time_earliest": row.time_earliest, "time_latest": row.time_latest,
                "statements": statements, "amendments": row.amendments, "photos": row.photos,
                "branch": (row.branch > 0).then_some(row.branch),
            }),
        )
    }

    fn finish(&mut self) -> Result<()> {
        self.writer.finish().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use ::geojson::FeatureCollection;

    use super::super::outgoing::tests::{check_ins, incident, patrol};
    use super::*;

    #[test]
    fn what_is_written_reads_back_as_geojson() {
        let mut out = Vec::new();
        let mut writer = GeoJson::new(&mut out);
        let rows = check_ins();
        for row in &rows {
            writer.check_in(row).unwrap();
        }
        writer.patrol(&patrol(), &rows).unwrap();
        writer.incident(&incident()).unwrap();
        writer.finish().unwrap();
        drop(writer);

        let text = String::from_utf8(out).unwrap();
        let read: FeatureCollection = text.parse().unwrap();
        assert_eq!(read.features.len(), rows.len() + 2);
        let first = &read.features[0];
        assert_eq!(first.geometry.as_ref().unwrap().value, GeometryValue::new_point([105.083_456_7, 20.660_123_4]));
        assert!(text.contains("[105.0834567,20.6601234]"), "every digit of 1e-7 degree");

        let lines = &read.features[rows.len()];
        match &lines.geometry.as_ref().unwrap().value {
            GeometryValue::MultiLineString { coordinates } => {
                assert_eq!(coordinates.iter().map(Vec::len).collect::<Vec<_>>(), [3, 2], "a new line after the gap");
            }
            other => panic!("{other:?}"),
        }
        let told = read.features.last().unwrap().properties.as_ref().unwrap();
        assert_eq!(told["statements"][0]["text"], "Đất lấp đường, \"cầu\" Suối Nánh </script>");
        assert!(!told.contains_key("branch"));
    }

    #[test]
    fn nothing_is_an_empty_collection() {
        let mut out = Vec::new();
        GeoJson::new(&mut out).finish().unwrap();
        let read: FeatureCollection = String::from_utf8(out).unwrap().parse().unwrap();
        assert!(read.features.is_empty());
    }

    #[test]
    fn a_place_that_is_not_known_is_null_and_not_the_gulf_of_guinea() {
        let mut out = Vec::new();
        let mut writer = GeoJson::new(&mut out);
        writer.incident(&IncidentListing { lat: None, lon: None, ..incident() }).unwrap();
        writer.finish().unwrap();
        drop(writer);
        let read: FeatureCollection = String::from_utf8(out).unwrap().parse().unwrap();
        assert!(read.features[0].geometry.is_none());
    }
}
