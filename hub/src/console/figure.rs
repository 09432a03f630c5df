//! What a page gives its map: features as GeoJSON, in an attribute that the page's script reads. The page says all of it in
//! words or as a sketch beside, so nobody needs the map.

use serde_json::{Value, json};
use yenban_locales::Words;

use super::sketch::Mark;
use crate::exchange::track::{Fix, Track};
use crate::limits::SKETCH_DOTS_MAX;

/// A map of a page.
#[derive(Debug, Clone)]
pub(super) struct Figure {
    /// `shown`: what the page gives it; `commune`: it asks for what lies in its frame.
    pub what: &'static str,
    /// Features that it is given, as GeoJSON.
    pub features: String,
    /// Its name for who cannot see it.
    pub name: String,
}

impl Figure {
    /// A map of these features; `None` where there are none.
    pub(super) fn of(features: Vec<Value>, name: String) -> Option<Self> {
        let any = !features.is_empty();
        any.then(|| Self { what: "shown", features: json!({ "type": "FeatureCollection", "features": features }).to_string(), name })
    }

    /// The map of the commune.
    pub(super) fn of_commune(name: String) -> Self {
        Self { what: "commune", features: String::new(), name }
    }
}

/// Degrees of 1e-7 degree.
pub(super) fn degrees(e7: i32) -> f64 {
    f64::from(e7) / 1e7
}

fn feature(geometry: Value, properties: Value) -> Value {
    json!({ "type": "Feature", "geometry": geometry, "properties": properties })
}

/// A point with its properties.
pub(super) fn point(lat: f64, lon: f64, properties: Value) -> Value {
    feature(json!({ "type": "Point", "coordinates": [lon, lat] }), properties)
}

/// A place, with the circle in which it lies when that is known.
pub(super) fn place(lat: f64, lon: f64, accuracy_m: Option<f64>, mut properties: Value) -> Value {
    if let Some(metres) = accuracy_m {
        properties["accuracy"] = json!(metres);
    }
    point(lat, lon, properties)
}

/// An incident by its shape and word.
pub(super) fn incident(mark: &Mark, path: Option<&str>) -> Value {
    let properties = json!({ "what": "incident", "urgent": mark.urgent, "label": mark.label, "path": path });
    place(mark.lat, mark.lon, mark.accuracy_m, properties)
}

/// A patrol's way: a line for each stretch, dots, first and last place, and two caps for each gap with the words at the
/// first. Nothing is drawn across a gap.
pub(super) fn track(track: &Track, words: Words, live: Option<&str>) -> Vec<Value> {
    let at = |fix: &Fix| json!([fix.lon, fix.lat]);
    let mut all = Vec::new();
    for stretch in track.stretches.iter().filter(|stretch| stretch.len() > 1) {
        let line: Vec<Value> = stretch.iter().map(at).collect();
        all.push(feature(json!({ "type": "LineString", "coordinates": line }), json!({ "what": "way", "live": live.is_some() })));
    }
    let fixes: Vec<&Fix> = track.stretches.iter().flatten().collect();
    for fix in fixes.iter().step_by(fixes.len().div_ceil(SKETCH_DOTS_MAX).max(1)) {
        all.push(place(fix.lat, fix.lon, fix.accuracy_m, json!({ "what": "dot" })));
    }
    for gap in &track.gaps {
        let said = words.unknown_between(gap.from.at_ms, gap.to.at_ms);
        all.push(point(gap.from.lat, gap.from.lon, json!({ "what": "gap", "label": said })));
        all.push(point(gap.to.lat, gap.to.lon, json!({ "what": "gap", "label": "" })));
    }
    let named = |fix: &Fix, what: &str, label: String| point(fix.lat, fix.lon, json!({ "what": what, "label": label }));
    match (fixes.first(), fixes.last(), live) {
        (_, Some(last), Some(who)) => all.push(named(last, "walking", who.to_owned())),
        (Some(first), Some(last), None) => {
            all.push(named(first, "start", words.word("console-sketch-start")));
            if first.row != last.row {
                all.push(named(last, "finish", words.word("console-sketch-end")));
            }
        }
        _ => {}
    }
    all
}

#[cfg(test)]
mod tests {
    use yenban_locales::Lang;

    use super::*;
    use crate::exchange::track::tests::check_in;

    #[test]
    fn no_line_crosses_a_gap_and_the_gap_is_said() {
        let rows = [
            check_in(2, 0, Some((20.6600, 105.0830))),
            check_in(3, 5, Some((20.6610, 105.0840))),
            check_in(4, 40, Some((20.6650, 105.0880))),
            check_in(5, 45, Some((20.6660, 105.0890))),
        ];
        let all = track(&Track::of(&rows), Words::for_pages(Lang::Vi), None);
        let of = |what: &str| all.iter().filter(|f| f["properties"]["what"] == what).cloned().collect::<Vec<_>>();
        let lines = of("way");
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line["geometry"]["coordinates"].as_array().unwrap().len() == 2));
        let gaps = of("gap");
        assert_eq!(gaps.len(), 2, "a cap where the way ends and one where it goes on");
        assert!(gaps[0]["properties"]["label"].as_str().unwrap().contains("20:05"));
        assert_eq!((of("start").len(), of("finish").len(), of("dot").len()), (1, 1, 4));
    }
}
