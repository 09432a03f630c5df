//! OGC API – Features 1.0 (core, GeoJSON): patrols, check-ins and incidents as QGIS and others open them.
//!
//! Under the console's session and the right to take data out, within the reader's reach; each page that is read stands in
//! the read log first. A page may hold fewer features than asked for, never more; its link `next` goes on.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use yenban_protocol::id::EntryName;

use super::chrome::query_value;
use super::guard::{Asked, Export, May};
use crate::access::Session;
use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{HubError, Problem, Refusal, Result};
use crate::exchange::Exporter as _;
use crate::exchange::geojson::GeoJson;
use crate::exchange::track::millis;
use crate::limits::{CONSOLE_CHECK_INS_MAX, FEATURES_MAX, FEATURES_USUAL};
use crate::store::{IncidentListing, ListQuery};

/// Where these pages stand.
pub(super) const ROOT: &str = "/console/features";
const CONFORMANCE: [&str; 3] = [
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/geojson",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/oas30",
];
/// Longitude and latitude on WGS 84.
const CRS84: &str = "http://www.opengis.net/def/crs/OGC/1.3/CRS84";
const GEOJSON: &str = "application/geo+json";
const JSON: &str = "application/json";

/// What can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collection {
    Incidents,
    CheckIns,
    Patrols,
}

impl Collection {
    const ALL: [Collection; 3] = [Collection::Incidents, Collection::CheckIns, Collection::Patrols];

    fn id(self) -> &'static str {
        match self {
            Collection::Incidents => "incidents",
            Collection::CheckIns => "check-ins",
            Collection::Patrols => "patrols",
        }
    }

    fn named(id: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|collection| collection.id() == id);
        found.ok_or_else(|| Refusal::NotFound { what: "collection", name: id.to_owned() }.into())
    }

    fn title(self, asked: &Asked) -> String {
        asked.words.word(match self {
            Collection::Incidents => "console-inbox",
            Collection::CheckIns => "console-check-ins-title",
            Collection::Patrols => "console-patrols",
        })
    }

    fn described(self, asked: &Asked) -> Value {
        let path = format!("{ROOT}/collections/{}", self.id());
        json!({
            "id": self.id(), "title": self.title(asked), "itemType": "feature", "crs": [CRS84],
            "extent": { "spatial": { "bbox": [[-180, -90, 180, 90]], "crs": CRS84 } },
            "links": [link(asked, "self", &path, JSON), link(asked, "items", &format!("{path}/items"), GEOJSON)],
        })
    }
}

/// A link with its whole address: QGIS before 3.38 cannot follow one that is relative to its page (qgis/QGIS 58089).
fn link(asked: &Asked, rel: &str, path: &str, kind: &str) -> Value {
    let href = if asked.host.is_empty() { path.to_owned() } else { format!("https://{}{path}", asked.host) };
    json!({ "rel": rel, "href": href, "type": kind })
}

fn answer(status: StatusCode, kind: &'static str, document: &Value) -> Response {
    (status, [(CONTENT_TYPE, kind)], document.to_string()).into_response()
}

/// An answer, or the problem document of what stood in its way.
fn answered(kind: &'static str, document: Result<Value>) -> Response {
    match document {
        Ok(document) => answer(StatusCode::OK, kind, &document),
        Err(error) => {
            let problem = Problem::from(&error);
            if !matches!(error, HubError::Refused(_)) {
                tracing::error!(code = error.code(), %error, "features could not be read");
            }
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            answer(status, "application/problem+json", &json!(problem))
        }
    }
}

/// Landing page.
pub(super) async fn landing(asked: Asked, May(_, _): May<Export>) -> Response {
    let document = json!({
        "title": asked.hub_name,
        "description": asked.words.word("features-about"),
        "links": [
            link(&asked, "self", ROOT, JSON),
            link(&asked, "conformance", &format!("{ROOT}/conformance"), JSON),
            link(&asked, "data", &format!("{ROOT}/collections"), JSON),
            link(&asked, "service-desc", "/openapi.json", "application/vnd.oai.openapi+json;version=3.1"),
        ],
    });
    answer(StatusCode::OK, JSON, &document)
}

/// What is kept to.
pub(super) async fn conformance(May(_, _): May<Export>) -> Response {
    answer(StatusCode::OK, JSON, &json!({ "conformsTo": CONFORMANCE }))
}

/// Everything that can be asked for.
pub(super) async fn collections(asked: Asked, May(_, _): May<Export>) -> Response {
    let all: Vec<Value> = Collection::ALL.into_iter().map(|collection| collection.described(&asked)).collect();
    let document = json!({ "links": [link(&asked, "self", &format!("{ROOT}/collections"), JSON)], "collections": all });
    answer(StatusCode::OK, JSON, &document)
}

/// One of them.
pub(super) async fn collection(asked: Asked, May(_, _): May<Export>, Path(id): Path<String>) -> Response {
    answered(JSON, Collection::named(&id).map(|collection| collection.described(&asked)))
}

/// What may be asked of items.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Wanted {
    bbox: Option<String>,
    datetime: Option<String>,
    limit: Option<u32>,
    /// Ours: the row after which the page begins, as the link `next` says.
    after: Option<String>,
    /// The language, as on every page.
    lang: Option<String>,
}

/// South, west, north, east in 1e-7 degree.
pub(super) type BoxE7 = (i32, i32, i32, i32);

fn invalid(field: &'static str, reason: &str) -> HubError {
    Refusal::Invalid { field, reason: reason.to_owned() }.into()
}

/// `west,south,east,north`, or six numbers with heights, which are passed over.
pub(super) fn box_of(typed: &str) -> Result<BoxE7> {
    let wrong = || invalid("bbox", "is four or six numbers: west,south,east,north in degrees");
    let numbers: Vec<f64> = typed.split(',').map(|part| part.trim().parse().map_err(|_| wrong())).collect::<Result<_>>()?;
    let (west, south, east, north) = match numbers[..] {
        [west, south, east, north] | [west, south, _, east, north, _] => (west, south, east, north),
        _ => return Err(wrong()),
    };
    let in_range = |value: f64, most: f64| value.is_finite() && value.abs() <= most;
    if !(in_range(west, 180.0) && in_range(east, 180.0) && in_range(south, 90.0) && in_range(north, 90.0) && south <= north) {
        return Err(wrong());
    }
    if west > east {
        return Err(invalid("bbox", "goes over the 180th meridian, which no commune does"));
    }
    let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
    Ok((e7(south), e7(west), e7(north), e7(east)))
}

/// A moment, or `from/to` where either end may be `..` or empty; in milliseconds, both included.
fn times_of(typed: &str) -> Result<(i64, i64)> {
    let wrong = || invalid("datetime", "is a moment (RFC 3339) or two with / between, .. for an open end");
    let moment = |text: &str| millis(text).ok_or_else(wrong);
    match typed.split_once('/') {
        None => moment(typed).map(|at| (at, at)),
        Some((from, to)) => {
            let open = |text: &str| text.is_empty() || text == "..";
            if open(from) && open(to) {
                return Err(wrong());
            }
            let from_ms = if open(from) { i64::MIN } else { moment(from)? };
            let to_ms = if open(to) { i64::MAX } else { moment(to)? };
            if from_ms > to_ms { Err(wrong()) } else { Ok((from_ms, to_ms)) }
        }
    }
}

/// Features of a page: `FeatureCollection`, with the name of its last row when the page is full.
async fn features(
    hub: &Hub,
    session: &Session,
    collection: Collection,
    query: ListQuery,
    wanted: &Selection,
) -> Result<(Value, Option<String>)> {
    let limit = query.limit as usize;
    let within = |lat: Option<f64>, lon: Option<f64>| wanted.holds_place(lat, lon);
    let mut bytes = Vec::new();
    let mut writer = GeoJson::new(&mut bytes);
    let (count, last) = match collection {
        Collection::Incidents => {
            let rows = hub.store.incidents(ListQuery { box_e7: wanted.place, ..query }).await?;
            for row in rows.iter().filter(|row| wanted.holds_time(Some(&row.recorded_at))) {
                // What was said, and by whom, opens for a purpose on the report's own page.
                writer.incident(&IncidentListing { statements: Vec::new(), author: String::new(), ..row.clone() })?;
            }
            (rows.len(), rows.last().map(|row| format!("{}/{}", row.id, row.branch)))
        }
        Collection::CheckIns => {
            let rows = hub.store.check_ins(query).await?;
            for row in rows.iter().filter(|row| wanted.holds_time(Some(&row.recorded_at)) && within(row.lat, row.lon)) {
                writer.check_in(row)?;
            }
            (rows.len(), rows.last().map(|row| format!("{}:{}/{}", row.log, row.seq, row.branch)))
        }
        Collection::Patrols => {
            let rows = hub.store.patrols(query).await?;
            for row in rows.iter().filter(|row| wanted.holds_time(row.started.as_deref())) {
                let of = ListQuery { name: Some(row.id.clone()), limit: CONSOLE_CHECK_INS_MAX, ..session.query() };
                let check_ins = hub.store.check_ins(of).await?;
                if wanted.place.is_none() || check_ins.iter().any(|check_in| within(check_in.lat, check_in.lon)) {
                    writer.patrol(row, &check_ins)?;
                }
            }
            (rows.len(), rows.last().map(|row| format!("{}/{}", row.id, row.branch)))
        }
    };
    writer.finish()?;
    drop(writer);
    let document = serde_json::from_slice(&bytes).map_err(|e| HubError::Store(format!("GeoJSON: {e}")))?;
    Ok((document, last.filter(|_| count == limit)))
}

/// Which features are wanted.
#[derive(Debug, Clone, Copy)]
struct Selection {
    place: Option<BoxE7>,
    times: Option<(i64, i64)>,
}

impl Selection {
    fn holds_time(&self, at: Option<&str>) -> bool {
        self.times.is_none_or(|(from, to)| at.and_then(millis).is_some_and(|at| (from..=to).contains(&at)))
    }

    fn holds_place(&self, lat: Option<f64>, lon: Option<f64>) -> bool {
        let Some((south, west, north, east)) = self.place else { return true };
        let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
        lat.zip(lon).is_some_and(|(lat, lon)| (south..=north).contains(&e7(lat)) && (west..=east).contains(&e7(lon)))
    }
}

/// Items of a collection.
pub(super) async fn items(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Export>,
    Path(id): Path<String>,
    wanted: std::result::Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let listed = async {
        let collection = Collection::named(&id)?;
        // A parameter that is not known is told, not passed over: whoever mistypes `bbox` must not get everything.
        let Query(wanted) = wanted.map_err(|_| invalid("query", "has only bbox, datetime, limit and after"))?;
        let selection = Selection {
            place: wanted.bbox.as_deref().map(box_of).transpose()?,
            times: wanted.datetime.as_deref().map(times_of).transpose()?,
        };
        let limit = wanted.limit.unwrap_or(FEATURES_USUAL).clamp(1, FEATURES_MAX);
        hub.note(&session.officer, "export features", collection.id(), "").await?;
        let since_ms = selection.times.map(|(from, _)| from).filter(|from| *from != i64::MIN);
        let query = ListQuery { limit, since_ms, after: wanted.after.clone(), ..session.query() };
        let (mut document, next) = features(&hub, &session, collection, query, &selection).await?;
        let path = format!("{ROOT}/collections/{id}/items");
        let mut links = vec![link(&asked, "self", &path, GEOJSON), link(&asked, "collection", &format!("{ROOT}/collections/{id}"), JSON)];
        if let Some(next) = next {
            let mut query = format!("limit={limit}&after={}", query_value(&next));
            for (name, value) in [("bbox", &wanted.bbox), ("datetime", &wanted.datetime)] {
                if let Some(value) = value {
                    query.push_str(&format!("&{name}={}", query_value(value)));
                }
            }
            links.push(link(&asked, "next", &format!("{path}?{query}"), GEOJSON));
        }
        document["numberReturned"] = json!(document["features"].as_array().map_or(0, Vec::len));
        document["timeStamp"] = json!(rfc3339(hub.now_ms()));
        document["links"] = json!(links);
        Ok(document)
    };
    answered(GEOJSON, listed.await)
}

/// One item by its name.
pub(super) async fn item(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Export>,
    Path((id, name)): Path<(String, String)>,
) -> Response {
    let found = async {
        let collection = Collection::named(&id)?;
        let not_there = || HubError::from(Refusal::NotFound { what: "feature", name: name.clone() });
        hub.note(&session.officer, "export features", &name, "").await?;
        let query = match (collection, name.parse::<EntryName>()) {
            // A name among check-ins is that of their patrol: the row is found as the one after the row before it.
            (Collection::CheckIns, Ok(EntryName { log, seq: seq @ 1.. })) => {
                ListQuery { after: Some(EntryName { log, seq: seq - 1 }.to_string()), limit: 1, ..session.query() }
            }
            (Collection::CheckIns, _) | (_, Err(_)) => return Err(not_there()),
            (_, Ok(_)) => ListQuery { name: Some(name.clone()), limit: FEATURES_USUAL, ..session.query() },
        };
        let all = Selection { place: None, times: None };
        let (mut document, _) = features(&hub, &session, collection, query, &all).await?;
        let features = document["features"].as_array_mut().ok_or_else(not_there)?;
        let at = features.iter().position(|feature| feature["id"] == json!(name)).ok_or_else(not_there)?;
        let mut feature = features.swap_remove(at);
        feature["links"] = json!([
            link(&asked, "self", &format!("{ROOT}/collections/{id}/items/{name}"), GEOJSON),
            link(&asked, "collection", &format!("{ROOT}/collections/{id}"), JSON),
        ]);
        Ok(feature)
    };
    answered(GEOJSON, found.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_and_times_are_read_as_the_standard_has_them() {
        assert_eq!(box_of("105,20.5,105.5,21").unwrap(), (205_000_000, 1_050_000_000, 210_000_000, 1_055_000_000));
        assert_eq!(box_of("105,20,0,106,21,9").unwrap(), box_of("105,20,106,21").unwrap());
        for wrong in ["", "1,2,3", "a,b,c,d", "105,91,106,92", "106,20,105,21", "105,21,106,20", "NaN,0,1,1", "inf,0,1,1", "1,2,3,4,5"] {
            assert!(box_of(wrong).is_err(), "{wrong}");
        }
        let at = millis("2026-11-22T21:00:00+07:00").unwrap();
        assert_eq!(times_of("2026-11-22T14:00:00Z").unwrap(), (at, at));
        assert_eq!(times_of("../2026-11-22T14:00:00Z").unwrap(), (i64::MIN, at));
        assert_eq!(times_of("2026-11-22T14:00:00Z/").unwrap(), (at, i64::MAX));
        for wrong in ["", "/", "../..", "yesterday", "2026-11-22T14:00:00Z/2026-11-21T14:00:00Z"] {
            assert!(times_of(wrong).is_err(), "{wrong}");
        }
    }
}
