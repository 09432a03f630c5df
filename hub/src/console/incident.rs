//! One incident. What was said opens only after the reader said what for; then facts (seen, heard) stand apart from
//! opinions, time and place carry their doubt, and every photograph says whether it is here or on which phone.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::custody::Action;
use yenban_protocol::id::EntryName;
use yenban_protocol::text::display_safe_lines;

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::guard::{Asked, May, Read};
use super::inbox::phone;
use super::sketch::{self, Mark};
use super::{Hub, facts};
use crate::access::{self, Session};
use crate::error::{Refusal, Result};
use crate::exchange::track::Track;
use crate::limits::PURPOSE_MAX_CHARS;
use crate::store::{CustodyNote, EvidenceListing, IncidentListing, ItemName, ListQuery};

/// Purposes offered; any other can be written.
const PURPOSES: [&str; 3] = ["console-purpose-duty", "console-purpose-verify", "console-purpose-help"];

/// Statements of one basis.
#[derive(Debug, Clone)]
struct Said {
    heading: String,
    texts: Vec<String>,
}

/// One photograph.
#[derive(Debug, Clone)]
struct Photo {
    name: String,
    state: String,
    here: bool,
    /// `None`: it was destroyed, and that is all that is told of it.
    file: Option<File>,
}

/// What is known of a photograph that was not destroyed.
#[derive(Debug, Clone)]
struct File {
    size: String,
    phone: String,
    sha256: String,
}

/// Head of an incident: what stands in the inbox too.
#[derive(Debug, Clone)]
struct Head {
    id: String,
    shape: &'static str,
    urgent: bool,
    kind: String,
    advice: Option<String>,
    hamlet: String,
    when: String,
    received: String,
    branch: bool,
    by_message: Option<String>,
}

#[derive(Template)]
#[template(path = "incident_ask.html")]
struct Ask {
    c: Chrome,
    head: Head,
    purposes: Vec<String>,
    again: bool,
    longest: usize,
}

#[derive(Template)]
#[template(path = "incident.html")]
struct Open {
    c: Chrome,
    head: Head,
    purpose: String,
    facts: Vec<Said>,
    opinions: Vec<Said>,
    author: String,
    place: String,
    sketch: Option<String>,
    photos: Vec<Photo>,
    photos_said: String,
    amended: Option<String>,
}

/// What the purpose form sends.
#[derive(Debug, Deserialize)]
pub(super) struct PurposeForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    purpose: String,
    #[serde(default)]
    other: String,
}

/// The incident, or the question what for.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>, Path(id): Path<String>) -> Response {
    let row = match find(&hub, &session, &id).await {
        Ok(row) => row,
        Err(error) => return failed(&asked, &error),
    };
    match access::view(&hub, &session, &row.id).await {
        Err(error) => failed(&asked, &error),
        Ok(None) => ask(&asked, &session, &row, StatusCode::OK, false),
        Ok(Some(purpose)) => match open(&hub, &asked, &session, &row, purpose).await {
            Ok(page) => rendered(StatusCode::OK, &page),
            Err(error) => failed(&asked, &error),
        },
    }
}

/// The answer to what for.
pub(super) async fn purpose(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    Path(id): Path<String>,
    form: std::result::Result<Form<PurposeForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let row = match find(&hub, &session, &id).await {
        Ok(row) => row,
        Err(error) => return failed(&asked, &error),
    };
    let said = if form.other.trim().is_empty() { form.purpose.trim() } else { form.other.trim() };
    if said.is_empty() || said.chars().count() > PURPOSE_MAX_CHARS {
        return ask(&asked, &session, &row, StatusCode::UNPROCESSABLE_ENTITY, true);
    }
    if let Err(error) = note_viewed(&hub, &session, &row, said).await {
        return failed(&asked, &error);
    }
    if let Err(error) = access::open_view(&hub, &session, &row.id, said).await {
        return failed(&asked, &error);
    }
    see_other(&format!("/console/incidents/{}", row.id))
}

/// Notes in the custody record of each photograph that is here that an officer opened what is known of it. Before it is
/// shown: nobody sees it unnoted.
async fn note_viewed(hub: &Hub, session: &Session, row: &IncidentListing, purpose: &str) -> Result<()> {
    let query = ListQuery { name: Some(row.id.clone()), ..ListQuery::default() };
    let photos = hub.store.evidence(query).await?;
    let viewed = |photo: EvidenceListing| {
        Ok(CustodyNote {
            item: ItemName { entry: photo.id.parse()?, branch: photo.branch },
            action: Action::Viewed,
            at_ms: hub.now_ms(),
            about: None,
            code: None,
            actor: session.officer.clone(),
            purpose: purpose.to_owned(),
        })
    };
    let notes = photos.into_iter().filter(|photo| photo.state == "verified").map(viewed).collect::<Result<Vec<_>>>()?;
    hub.store.note_custody(notes).await
}

async fn find(hub: &Hub, session: &Session, id: &str) -> Result<IncidentListing> {
    let missing = || Refusal::NotFound { what: "incident", name: id.to_owned() };
    let name: EntryName = id.parse().map_err(|_| missing())?;
    let rows = hub.store.incidents(ListQuery { name: Some(name.to_string()), limit: 1, ..session.query() }).await?;
    Ok(rows.into_iter().next().ok_or_else(missing)?)
}

fn head(words: Words, row: &IncidentListing) -> Head {
    let known = words.has(&format!("kind-do-{}", row.kind));
    Head {
        id: row.id.clone(),
        shape: facts::incident_shape(row),
        urgent: row.urgent,
        kind: facts::kind(words, &row.kind),
        advice: known.then(|| words.kind_advice(&row.kind)),
        hamlet: facts::hamlet(words, &row.hamlet),
        when: facts::between(words, &row.time_earliest, &row.time_latest),
        received: facts::moment(words, &row.received_at),
        branch: row.branch > 0,
        by_message: facts::by_message(words, row),
    }
}

fn ask(asked: &Asked, session: &Session, row: &IncidentListing, status: StatusCode, again: bool) -> Response {
    let head = head(asked.words, row);
    let title = format!("{} · {}", head.kind, head.hamlet);
    let purposes = PURPOSES.iter().map(|id| asked.words.word(id)).collect();
    let c = Chrome::new(asked, session, Section::Inbox, title);
    rendered(status, &Ask { c, head, purposes, again, longest: PURPOSE_MAX_CHARS })
}

/// Writes the read log, then shows the content: in this order, so that no content is seen unlogged.
async fn open(hub: &Hub, asked: &Asked, session: &Session, row: &IncidentListing, purpose: String) -> Result<Open> {
    hub.note(&session.officer, "read incident", &row.id, &purpose).await?;
    let words = asked.words;
    let evidence = hub.store.evidence(ListQuery { name: Some(row.id.clone()), ..ListQuery::default() }).await?;
    let devices = hub.store.device_list(ListQuery::default(), asked.now_ms).await?;
    let head = head(words, row);
    let marks = match (row.lat, row.lon) {
        (Some(lat), Some(lon)) => {
            vec![Mark { lat, lon, accuracy_m: row.accuracy_m, urgent: row.urgent, label: head.kind.clone() }]
        }
        _ => Vec::new(),
    };
    let place = facts::place(words, row.lat, row.lon, row.accuracy_m);
    let spoken = words.say("console-sketch-of", &[("what", head.kind.clone().into()), ("place", place.clone().into())]);
    let holder = |photo: &EvidenceListing| phone(words, &devices, &photo.device);
    let reporter = phone(words, &devices, &row.device);
    Ok(Open {
        c: Chrome::new(asked, session, Section::Inbox, format!("{} · {}", head.kind, head.hamlet)),
        purpose: display_safe_lines(&purpose),
        facts: said(words, row, &[("seen", "word-basis-seen"), ("heard", "word-basis-heard"), ("unstated", "console-basis-unstated")]),
        opinions: said(words, row, &[("think", "word-basis-think")]),
        author: facts::person(words, &row.author, row.author_no),
        place,
        sketch: sketch::draw(&Track::default(), &marks, &spoken, words),
        photos_said: facts::photos(words, row, &evidence, &reporter, holder),
        photos: evidence.iter().enumerate().map(|(index, photo)| listed(words, index, photo, holder(photo))).collect(),
        amended: (row.amendments > 0).then(|| words.say("console-amended", &[("n", row.amendments.into())])),
        head,
    })
}

/// Statements by their basis; a basis nobody used has no heading.
fn said(words: Words, row: &IncidentListing, bases: &[(&str, &str)]) -> Vec<Said> {
    bases
        .iter()
        .map(|(basis, id)| Said {
            heading: words.word(id),
            texts: row.statements.iter().filter(|s| s.basis == *basis).map(|s| display_safe_lines(&s.text)).collect(),
        })
        .filter(|said| !said.texts.is_empty())
        .collect()
}

fn listed(words: Words, index: usize, photo: &EvidenceListing, phone: String) -> Photo {
    let name = photo.original_name.as_deref().map(yenban_protocol::text::display_safe);
    Photo {
        name: name.unwrap_or_else(|| words.say("console-photo-number", &[("n", (index + 1).into())])),
        state: match &photo.erased_at {
            Some(at) => words.say("console-photo-erased-at", &[("at", facts::moment(words, at).into())]),
            None => facts::photo_state(words, &photo.state),
        },
        here: photo.state == "verified",
        file: photo.erased_at.is_none().then(|| File { size: words.size(photo.size_bytes), phone, sha256: photo.sha256.clone() }),
    }
}
