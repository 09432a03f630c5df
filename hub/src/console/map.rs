//! The map of the commune: incidents by state and urgency, counted by squares where they are many, and patrols under way
//! with their gaps. Beside it the same as a list, for whoever uses no map.
//!
//! What it shows is content of reports and of patrols: opening it stands in the read log, once for as long as the session
//! keeps looking ([`crate::limits::CONSOLE_VIEW_TTL_MS`]), not once for each turn of a wheel.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use yenban_locales::Words;

use super::chrome::{Chrome, Section, failed, rendered};
use super::features::{BoxE7, box_of};
use super::figure::{self, Figure};
use super::guard::{Asked, May, Read};
use super::patrols::{self, Line};
use super::thread;
use super::{Hub, facts};
use crate::access::{self, Session};
use crate::clock::rfc3339;
use crate::error::{Problem, Refusal, Result};
use crate::exchange::track::Track;
use crate::limits::{
    MAP_CELL_MIN, MAP_CELLS_ACROSS_MAX, MAP_CHECK_INS_MAX, MAP_LISTED, MAP_PATROL_SILENT_MS, MAP_PATROLS_MAX, MAP_PINS_MAX, MAP_ZOOM_MAX,
};
use crate::store::{ListQuery, MapPin, MapQuery, OnMap, PatrolListing, People};

/// What the session opened, in its views.
const SUBJECT: &str = "map";

/// One incident of the list.
#[derive(Debug, Clone)]
struct Listed {
    path: String,
    shape: &'static str,
    urgent: bool,
    kind: String,
    hamlet: String,
    when: String,
    state: String,
}

#[derive(Template)]
#[template(path = "map.html")]
struct Page {
    c: Chrome,
    map: Figure,
    every: bool,
    incidents: Vec<Listed>,
    walking: Vec<Line>,
    unplaced: Option<String>,
    count: String,
}

/// What may stand in the address of the map.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    /// Anything: also what is done.
    all: String,
}

/// What may be asked of its data.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Frame {
    bbox: String,
    zoom: u32,
    all: String,
}

/// Notes that this session looks at the map, once in a while.
async fn noted(hub: &Hub, session: &Session) -> Result<()> {
    if access::view(hub, session, SUBJECT).await?.is_none() {
        hub.note(&session.officer, "read map", "", "").await?;
        access::open_view(hub, session, SUBJECT, "").await?;
    }
    Ok(())
}

fn query(session: &Session, box_e7: BoxE7, zoom: u32, open: bool) -> MapQuery {
    let (south, west, north, east) = box_e7;
    let across = north.abs_diff(south).max(east.abs_diff(west));
    // A square is about 64 pixels wide, and never so small that a wide frame has thousands.
    let by_zoom = (3_600_000_000_u64 >> (zoom.min(MAP_ZOOM_MAX) + 3)) as u32;
    let cell_e7 = by_zoom.max(across / MAP_CELLS_ACROSS_MAX).max(1);
    MapQuery { box_e7, cell_e7, open, within: session.query().within, pins_max: MAP_PINS_MAX, cell_min: MAP_CELL_MIN }
}

/// The page.
pub(super) async fn page(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    wanted: std::result::Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Query(wanted) = wanted.unwrap_or_default();
    match shown(&hub, &asked, &session, !wanted.all.is_empty()).await {
        Ok(page) => rendered(StatusCode::OK, &page),
        Err(error) => failed(&asked, &error),
    }
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, every: bool) -> Result<Page> {
    noted(hub, session).await?;
    let words = asked.words;
    let listed = hub.store.incidents(ListQuery { limit: MAP_LISTED, open: !every, ..session.query() }).await?;
    let incidents = listed.iter().map(|row| Listed {
        path: format!("/console/incidents/{}", row.id),
        shape: facts::incident_shape(row),
        urgent: row.urgent,
        kind: facts::kind(words, &row.kind),
        hamlet: facts::hamlet(words, &row.hamlet),
        when: facts::between(words, &row.time_earliest, &row.time_latest),
        state: thread::state(words, &row.state),
    });
    // A frame of nothing: only what no map can show is asked for.
    let nowhere = MapQuery { box_e7: (0, 0, -1, -1), ..query(session, (0, 0, 0, 0), 0, !every) };
    let unplaced = hub.store.on_map(nowhere).await?.unplaced;
    let walking = under_way(hub, session, asked.now_ms).await?;
    let title = words.word("console-map");
    Ok(Page {
        map: Figure::of_commune(words.word("map-of-commune")),
        c: Chrome::new(asked, session, Section::Map, title),
        every,
        count: words.say("map-listed", &[("n", listed.len().into())]),
        incidents: incidents.collect(),
        walking: walking.iter().map(|row| patrols::line(words, row)).collect(),
        unplaced: (unplaced > 0).then(|| words.say("map-unplaced", &[("n", unplaced.into())])),
    })
}

/// Patrols under way of which something came lately.
async fn under_way(hub: &Hub, session: &Session, now_ms: i64) -> Result<Vec<PatrolListing>> {
    let since_ms = Some(now_ms - MAP_PATROL_SILENT_MS);
    hub.store.patrols(ListQuery { open: true, since_ms, limit: MAP_PATROLS_MAX, ..session.query() }).await
}

/// The newest part of the way of a patrol.
async fn way(hub: &Hub, session: &Session, patrol: &PatrolListing) -> Result<Track> {
    // At least so many entries follow its beginning as it has check-ins: the oldest need not be read.
    let from = patrol.seq + patrol.check_ins.saturating_sub(MAP_CHECK_INS_MAX);
    let after = format!("{}:{from}/{}", patrol.log, patrol.branch);
    let query = ListQuery { name: Some(patrol.id.clone()), after: Some(after), limit: 2 * MAP_CHECK_INS_MAX as u32, ..session.query() };
    Ok(Track::of(&hub.store.check_ins(query).await?))
}

/// Everything in a frame, as GeoJSON with the sum in words.
pub(super) async fn data(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    frame: std::result::Result<Query<Frame>, QueryRejection>,
) -> Response {
    let found = async {
        let wrong = || Refusal::Invalid { field: "query", reason: "has bbox, zoom and all".to_owned() };
        let Query(frame) = frame.map_err(|_| wrong())?;
        let query = query(&session, box_of(&frame.bbox)?, frame.zoom, frame.all.is_empty());
        noted(&hub, &session).await?;
        let people = hub.store.people().await?;
        let on_map = hub.store.on_map(query).await?;
        let mut features = incidents(asked.words, &people, &on_map);
        for patrol in under_way(&hub, &session, asked.now_ms).await? {
            let who = patrols::line(asked.words, &patrol).hamlet;
            features.extend(figure::track(&way(&hub, &session, &patrol).await?, asked.words, Some(&who)));
        }
        let said = asked.words.say("map-in-frame", &[("n", on_map.count.into()), ("urgent", on_map.urgent.into())]);
        Ok(json!({ "type": "FeatureCollection", "features": features, "said": said, "timeStamp": rfc3339(asked.now_ms) }))
    };
    match found.await {
        Ok(document) => (StatusCode::OK, [(CONTENT_TYPE, "application/geo+json")], document.to_string()).into_response(),
        Err(error) => {
            let problem = Problem::from(&error);
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            if status.is_server_error() {
                tracing::error!(code = error.code(), %error, "the map's data could not be read");
            }
            (status, [(CONTENT_TYPE, "application/problem+json")], json!(problem).to_string()).into_response()
        }
    }
}

fn incidents(words: Words, people: &People, on_map: &OnMap) -> Vec<Value> {
    let pin = |pin: &MapPin| {
        let (lat, lon) = pin.place_e7;
        let hamlet = facts::hamlet(words, &people.hamlet_name(pin.hamlet));
        let properties = json!({
            "what": "incident", "urgent": pin.urgent, "label": facts::kind(words, &pin.kind), "new": pin.state.code() == "new",
            "path": format!("/console/incidents/{}", pin.entry),
            "said": format!("{hamlet} · {} · {}", words.date_time(pin.best_ms), thread::state(words, pin.state.code())),
        });
        figure::place(figure::degrees(lat), figure::degrees(lon), pin.accuracy_m, properties)
    };
    let cells = on_map.cells.iter().map(|cell| {
        let (lat, lon) = cell.place_e7;
        let said = words.say("map-in-square", &[("n", cell.count.into()), ("urgent", cell.urgent.into())]);
        let label = words.number(i64::try_from(cell.count).unwrap_or(i64::MAX));
        let properties = json!({ "what": "many", "count": cell.count, "urgent": cell.urgent > 0, "label": label, "said": said });
        figure::point(figure::degrees(lat), figure::degrees(lon), properties)
    });
    on_map.pins.iter().map(pin).chain(cells).collect()
}
