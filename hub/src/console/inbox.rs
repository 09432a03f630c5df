//! The inbox: what was reported, urgent first, then newest. It shows what an officer needs to choose (kind, hamlet,
//! time, what is here of the photographs), not what was said: that opens for a purpose.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::text::{Limit, display_safe};

use super::chrome::{Chrome, Section, failed, query_value, rendered, see_other};
use super::facts;
use super::guard::{Asked, SignedIn};
use super::{alerts, oversight, patrols, thread};
use crate::access::Session;
use crate::access::rights::Right;
use crate::app::Hub;
use crate::error::Result;
use crate::limits::CONSOLE_PAGE;
use crate::store::{DeviceListing, EvidenceListing, IncidentListing, ListQuery, Triage};

/// Patrols under way shown beside the inbox.
const PATROLS_BESIDE: u32 = 5;

/// What may stand in the address of the inbox.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    after: String,
    /// Anything: also what is done.
    #[serde(default)]
    all: String,
}

/// One line of the inbox.
#[derive(Debug, Clone)]
struct Line {
    path: String,
    shape: &'static str,
    urgent: bool,
    kind: String,
    hamlet: String,
    when: String,
    photos: String,
    amended: Option<String>,
    branch: bool,
    by_message: Option<String>,
    state: String,
    is_new: bool,
    closed: bool,
    assigned: Option<String>,
    linked: Option<String>,
    steps: u32,
}

#[derive(Template)]
#[template(path = "inbox.html")]
struct Inbox {
    c: Chrome,
    query: String,
    found: Option<String>,
    every: bool,
    answers: bool,
    lines: Vec<Line>,
    next: Option<String>,
    walking: Vec<patrols::Line>,
    live: Vec<alerts::Card>,
}

/// The inbox.
pub(super) async fn page(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    wanted: std::result::Result<Query<Wanted>, QueryRejection>,
) -> Response {
    if !session.may(Right::Read) {
        // The way in is the same for everybody; this is where it ends for somebody who sees no content.
        return see_other(oversight::INSTEAD_OF_INBOX);
    }
    let Query(wanted) = wanted.unwrap_or_default();
    match inbox(&hub, &asked, &session, &wanted).await {
        Ok((lines, next, walking, live)) => {
            let query = Limit::QUERY.cut(wanted.q.trim()).to_owned();
            let found = (!query.is_empty()).then(|| asked.words.say("console-found", &[("query", display_safe(&query).into())]));
            let (every, answers) = (!wanted.all.is_empty(), session.may(Right::Answer));
            let c = Chrome::new(&asked, &session, Section::Inbox, asked.words.word("console-inbox"));
            rendered(StatusCode::OK, &Inbox { c, query, found, every, answers, lines, next, walking, live })
        }
        Err(error) => failed(&asked, &error),
    }
}

type Found = (Vec<Line>, Option<String>, Vec<patrols::Line>, Vec<alerts::Card>);

async fn inbox(hub: &Hub, asked: &Asked, session: &Session, wanted: &Wanted) -> Result<Found> {
    let words = asked.words;
    let text = Limit::QUERY.cut(wanted.q.trim());
    if !text.is_empty() {
        // Who looked for which words is what a review of reads asks first.
        hub.note(&session.officer, "search incidents", text, "").await?;
    }
    let query = ListQuery {
        // One more than shown tells whether there is a next page.
        limit: CONSOLE_PAGE + 1,
        // What is done would stand above what is new: it is found by searching, or asked for.
        open: text.is_empty() && wanted.all.is_empty(),
        text: (!text.is_empty()).then(|| text.to_owned()),
        after: (!wanted.after.is_empty()).then(|| wanted.after.clone()),
        ..session.query()
    };
    let mut rows = hub.store.incidents(query).await?;
    let more = rows.len() > CONSOLE_PAGE as usize;
    rows.truncate(CONSOLE_PAGE as usize);
    let next = rows.last().filter(|_| more).map(|last| {
        let search = if text.is_empty() { String::new() } else { format!("q={}&", query_value(text)) };
        let search = if wanted.all.is_empty() { search } else { format!("{search}all=1&") };
        format!("/console/?{search}after={}", query_value(&format!("{}/{}", last.id, last.branch)))
    });
    let devices = hub.store.device_list(ListQuery::default(), asked.now_ms).await?;
    let mut lines = Vec::with_capacity(rows.len());
    for row in &rows {
        let photos = match row.photos {
            0 => Vec::new(),
            _ => hub.store.evidence(ListQuery { name: Some(row.id.clone()), ..ListQuery::default() }).await?,
        };
        lines.push(line(words, row, &photos, &devices));
    }
    let beside = ListQuery { limit: PATROLS_BESIDE, ..session.query() };
    let walking = hub.store.patrols(beside.clone()).await?;
    let walking = walking.iter().filter(|row| row.state != "finished").map(|row| patrols::line(words, row)).collect();
    let live = hub.store.alerts(beside).await?;
    let live = live.iter().map(|row| alerts::card(words, row, asked.now_ms, None)).filter(|card| card.live).collect();
    Ok((lines, next, walking, live))
}

fn line(words: Words, row: &IncidentListing, photos: &[EvidenceListing], devices: &[DeviceListing]) -> Line {
    Line {
        path: format!("/console/incidents/{}", row.id),
        shape: facts::incident_shape(row),
        urgent: row.urgent,
        kind: facts::kind(words, &row.kind),
        hamlet: facts::hamlet(words, &row.hamlet),
        when: facts::between(words, &row.time_earliest, &row.time_latest),
        photos: facts::photos(words, row, photos, &phone(words, devices, &row.device), |photo| phone(words, devices, &photo.device)),
        amended: (row.amendments > 0).then(|| words.say("console-amended", &[("n", row.amendments.into())])),
        branch: row.branch > 0,
        by_message: facts::by_message(words, row),
        state: thread::state(words, &row.state),
        is_new: row.state == Triage::New.code(),
        closed: Triage::from_code(&row.state).is_some_and(Triage::is_closed),
        assigned: row.assigned.as_deref().map(display_safe),
        linked: (row.linked > 0).then(|| words.say("incident-linked-n", &[("n", row.linked.into())])),
        steps: row.steps,
    }
}

/// The phone that holds what is not here: its hamlet and short name ("Nà Phòn-2f1a").
pub(super) fn phone(words: Words, devices: &[DeviceListing], device: &str) -> String {
    let hamlet = devices.iter().find(|known| known.id == device).map(|known| facts::hamlet(words, &known.hamlet));
    let short = facts::short_device(device);
    hamlet.map_or_else(|| short.to_owned(), |hamlet| format!("{hamlet}-{short}"))
}
