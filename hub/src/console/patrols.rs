//! Patrols: a list, and one as a sketch with its table. A place that was not known is said, never drawn over.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::id::{EntryName, MemberNo};
use yenban_protocol::text::display_safe;

use super::chrome::{Chrome, Section, failed, query_value, rendered};
use super::figure::{self, Figure};
use super::guard::{Asked, May, Read};
use super::plans::{self, Standings};
use super::sketch::{self, Mark};
use super::{Hub, facts};
use crate::access::Session;
use crate::error::{Refusal, Result};
use crate::exchange::track::{Track, distance_m, millis};
use crate::limits::{CONSOLE_CHECK_INS_MAX, CONSOLE_PAGE};
use crate::store::{CheckInRow, CheckpointRow, IncidentListing, ListQuery, PatrolListing};

/// What may stand in the address of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    after: String,
}

/// One patrol of a list.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub path: String,
    pub hamlet: String,
    pub author: String,
    pub when: String,
    pub state: String,
    pub walking: bool,
    pub check_ins: String,
    pub count: String,
    pub distance: String,
    pub last: String,
}

#[derive(Template)]
#[template(path = "patrols.html")]
struct Patrols {
    c: Chrome,
    s: Option<Standings>,
    lines: Vec<Line>,
    next: Option<String>,
}

/// One check-in of the table.
#[derive(Debug, Clone)]
struct Row {
    number: String,
    when: String,
    place: String,
    note: String,
    gap_before: Option<String>,
}

/// An incident of the same phone in the same time.
#[derive(Debug, Clone)]
struct Event {
    path: String,
    shape: &'static str,
    urgent: bool,
    kind: String,
    when: String,
}

#[derive(Template)]
#[template(path = "patrol.html")]
struct One {
    c: Chrome,
    line: Line,
    crew: Vec<String>,
    map: Option<Figure>,
    sketch: Option<String>,
    gaps: Vec<String>,
    events: Vec<Event>,
    rows: Vec<Row>,
    cut: Option<String>,
}

/// The list.
pub(super) async fn page(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    wanted: std::result::Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Query(wanted) = wanted.unwrap_or_default();
    let first = wanted.after.is_empty();
    let after = (!first).then_some(wanted.after);
    let query = ListQuery { limit: CONSOLE_PAGE + 1, after, ..session.query() };
    let shown = async {
        let mut rows = hub.store.patrols(query).await?;
        let more = rows.len() > CONSOLE_PAGE as usize;
        rows.truncate(CONSOLE_PAGE as usize);
        let next = rows
            .last()
            .filter(|_| more)
            .map(|last| format!("/console/patrols?after={}", query_value(&format!("{}/{}", last.id, last.branch))));
        let c = Chrome::new(&asked, &session, Section::Patrols, asked.words.word("console-patrols"));
        let lines = rows.iter().map(|row| line(asked.words, row)).collect();
        // Later pages are the list alone.
        let s = if first { Some(plans::standings(&hub, &asked, &session).await?) } else { None };
        Ok(rendered(StatusCode::OK, &Patrols { c, s, lines, next }))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// A patrol as lists show it.
pub(super) fn line(words: Words, row: &PatrolListing) -> Line {
    let started = row.started.as_deref().map(|at| facts::moment(words, at));
    let ended = row.finished.as_deref().and_then(millis).map(|ms| words.time(ms));
    let when = match (started, ended) {
        (Some(from), Some(to)) => format!("{from}–{to}"),
        (Some(from), None) => from,
        (None, _) => words.word("console-time-unknown"),
    };
    let state = match row.state.as_str() {
        "finished" => words.word("console-patrol-finished"),
        "paused" => words.word("console-patrol-paused"),
        _ => words.word("console-patrol-running"),
    };
    Line {
        path: format!("/console/patrols/{}", row.id),
        hamlet: facts::hamlet(words, &row.hamlet),
        author: if row.author.trim().is_empty() { words.word("console-name-unknown") } else { display_safe(&row.author) },
        when,
        state,
        walking: row.state != "finished",
        count: words.number(i64::try_from(row.check_ins).unwrap_or(i64::MAX)),
        check_ins: words.say("console-check-ins", &[("n", row.check_ins.into())]),
        distance: row.distance_m.map_or_else(String::new, |m| words.distance(m as f64)),
        last: row.last_check_in.as_deref().map_or_else(String::new, |at| facts::moment(words, at)),
    }
}

/// One patrol.
pub(super) async fn one(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>, Path(id): Path<String>) -> Response {
    match found(&hub, &asked, &session, &id).await {
        Ok(page) => rendered(StatusCode::OK, &page),
        Err(error) => failed(&asked, &error),
    }
}

async fn found(hub: &Hub, asked: &Asked, session: &Session, id: &str) -> Result<One> {
    let words = asked.words;
    let missing = || Refusal::NotFound { what: "patrol", name: id.to_owned() };
    let name: EntryName = id.parse().map_err(|_| missing())?;
    let query = ListQuery { name: Some(name.to_string()), ..session.query() };
    let patrol = hub.store.patrols(ListQuery { limit: 1, ..query.clone() }).await?.into_iter().next().ok_or_else(missing)?;
    // Where somebody walked is personal data: the line stands in the read log before the page is made.
    hub.note(&session.officer, "read patrol", &patrol.id, "").await?;
    let check_ins = hub.store.check_ins(ListQuery { limit: CONSOLE_CHECK_INS_MAX, ..query }).await?;
    let incidents = incidents_on(hub, &patrol, &check_ins).await?;
    let people = hub.store.people().await?;
    let crew = patrol.crew.iter().map(|no| facts::person(words, &people.member_name(MemberNo(*no)), *no)).collect();

    let track = Track::of(&check_ins);
    let marks: Vec<Mark> = incidents.iter().filter_map(|row| mark(words, row)).collect();
    let mut line = line(words, &patrol);
    if line.distance.is_empty() {
        line.distance = words.distance(walked_m(&track));
    }
    let gaps: Vec<String> = track.gaps.iter().map(|gap| words.unknown_between(gap.from.at_ms, gap.to.at_ms)).collect();
    let title = format!("{} · {}", words.word("word-patrol"), line.hamlet);
    let spoken = words.say(
        "console-sketch-patrol",
        &[("n", check_ins.len().into()), ("distance", line.distance.clone().into()), ("gaps", gaps.len().into())],
    );
    let live = (patrol.finished.is_none()).then(|| line.hamlet.clone());
    let mut features = figure::track(&track, words, live.as_deref());
    let on_map = marks.iter().zip(incidents.iter().filter(|row| row.lat.is_some() && row.lon.is_some()));
    features.extend(on_map.map(|(mark, row)| figure::incident(mark, Some(&format!("/console/incidents/{}", row.id)))));
    Ok(One {
        map: Figure::of(features, spoken.clone()),
        c: Chrome::new(asked, session, Section::Patrols, title),
        crew,
        sketch: sketch::draw(&track, &marks, &spoken, words),
        events: incidents.iter().map(|row| event(words, row)).collect(),
        rows: rows(words, &check_ins, &track, &gaps, &hub.store.checkpoints().await?),
        cut: (patrol.check_ins > check_ins.len() as u64)
            .then(|| words.say("console-check-ins-cut", &[("n", check_ins.len().into()), ("all", patrol.check_ins.into())])),
        gaps,
        line,
    })
}

/// Distance along the stretches; nothing is added across a gap.
fn walked_m(track: &Track) -> f64 {
    let legs = track.stretches.iter().flat_map(|stretch| stretch.windows(2));
    legs.filter_map(|leg| Some(distance_m((leg.first()?.lat, leg.first()?.lon), (leg.last()?.lat, leg.last()?.lon)))).sum()
}

/// Incidents that the patrol's phone recorded while it walked.
async fn incidents_on(hub: &Hub, patrol: &PatrolListing, check_ins: &[CheckInRow]) -> Result<Vec<IncidentListing>> {
    let last_seq = check_ins.last().map_or(patrol.seq, |row| row.seq);
    let Some(since_ms) = patrol.started.as_deref().and_then(millis) else { return Ok(Vec::new()) };
    let log = Some(patrol.log.clone());
    let query = ListQuery { log, since_ms: Some(since_ms), limit: CONSOLE_CHECK_INS_MAX, ..ListQuery::default() };
    let mut rows = hub.store.incidents(query).await?;
    let until_ms = patrol.finished.as_deref().and_then(millis);
    rows.retain(|row| {
        let in_time = until_ms.is_none_or(|until| millis(&row.recorded_at).is_some_and(|at| at <= until)) || row.seq <= last_seq;
        row.log == patrol.log && row.seq > patrol.seq && in_time
    });
    rows.sort_by_key(|row| row.seq);
    Ok(rows)
}

fn mark(words: Words, row: &IncidentListing) -> Option<Mark> {
    Some(Mark { lat: row.lat?, lon: row.lon?, accuracy_m: row.accuracy_m, urgent: row.urgent, label: facts::kind(words, &row.kind) })
}

fn event(words: Words, row: &IncidentListing) -> Event {
    Event {
        path: format!("/console/incidents/{}", row.id),
        shape: facts::incident_shape(row),
        urgent: row.urgent,
        kind: facts::kind(words, &row.kind),
        when: facts::between(words, &row.time_earliest, &row.time_latest),
    }
}

fn rows(words: Words, check_ins: &[CheckInRow], track: &Track, gaps: &[String], checkpoints: &[CheckpointRow]) -> Vec<Row> {
    let name = |code: &str| checkpoints.iter().find(|row| row.code.to_string() == code).map(|row| display_safe(&row.name));
    let gap_before = |row: usize| track.gaps.iter().position(|gap| gap.to.row == row).and_then(|at| gaps.get(at)).cloned();
    check_ins
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let mut notes = Vec::new();
            if let Some(code) = &row.checkpoint {
                let name = name(code).map_or_else(String::new, |name| format!(" ({name})"));
                notes.push(format!("{} {}{name}", words.word("word-checkpoint"), display_safe(code)));
            }
            if row.provider.as_deref() == Some("mock") {
                notes.push(words.word("word-mock-gps"));
            }
            if row.time_conflict {
                notes.push(words.word("word-clock-wrong"));
            }
            Row {
                number: words.number(index as i64 + 1),
                when: facts::between(words, &row.time_earliest, &row.time_latest),
                place: facts::place(words, row.lat, row.lon, row.accuracy_m),
                note: notes.join(" · "),
                gap_before: gap_before(index),
            }
        })
        .collect()
}
