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
use yenban_protocol::text::{display_safe, display_safe_lines};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::figure::{self, Figure};
use super::guard::{Asked, May, Read};
use super::inbox::phone;
use super::photos::{self, Files};
use super::sketch::{self, Mark};
use super::thread::{self, Moment, Word};
use super::triage::Again;
use super::{Hub, facts};
use crate::access::rights::Right;
use crate::access::{self, Session};
use crate::clock::DAY_MS;
use crate::error::{HubError, Result};
use crate::exchange::track::{Track, millis};
use crate::limits::{ANSWER_NOTE_MAX_CHARS, PURPOSE_MAX_CHARS, REASON_MAX_CHARS};
use crate::store::{CustodyNote, EvidenceListing, IncidentListing, IncidentName, ItemName, ListQuery, People, Triage};
use crate::triage::find;

/// Reports offered to be linked to one.
const OTHERS_OFFERED: u32 = 30;

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
    files: Files,
    spoken: String,
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
    /// Where it stands with the police.
    state: String,
    /// Nobody looked at it yet.
    is_new: bool,
    /// Who is to go.
    assigned: Option<String>,
    /// How many steps this page has seen.
    steps: u32,
    /// Its reader may answer.
    answers: bool,
}

/// Something to choose from.
#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

/// Another report.
#[derive(Debug, Clone)]
struct Twin {
    id: String,
    path: String,
    name: String,
}

#[derive(Template)]
#[template(path = "incident_ask.html")]
struct Ask {
    c: Chrome,
    head: Head,
    purposes: Vec<String>,
    again: bool,
    told: Option<String>,
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
    map: Option<Figure>,
    sketch: Option<String>,
    photos: Vec<Photo>,
    photos_said: String,
    amended: Option<String>,
    again: Again,
    states: Vec<Choice>,
    groups: Vec<Choice>,
    others: Vec<Twin>,
    twins: Vec<Twin>,
    talk: Vec<Word>,
    timeline: Vec<Moment>,
    note_longest: usize,
    keep_longest: usize,
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
    let row = match find(&hub, &id, session.query()).await {
        Ok(row) => row,
        Err(error) => return failed(&asked, &error),
    };
    shown(&hub, &asked, &session, &row, StatusCode::OK, Again::default()).await
}

/// The incident as its reader may see it now, with what was not taken.
pub(super) async fn shown(
    hub: &Hub,
    asked: &Asked,
    session: &Session,
    row: &IncidentListing,
    status: StatusCode,
    again: Again,
) -> Response {
    match access::view(hub, session, &row.id).await {
        Err(error) => failed(asked, &error),
        Ok(None) => ask(asked, session, row, status, false, again.told),
        Ok(Some(purpose)) => match open(hub, asked, session, row, purpose, again).await {
            Ok(page) => rendered(status, &page),
            Err(error) => failed(asked, &error),
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
    let row = match find(&hub, &id, session.query()).await {
        Ok(row) => row,
        Err(error) => return failed(&asked, &error),
    };
    let said = if form.other.trim().is_empty() { form.purpose.trim() } else { form.other.trim() };
    if said.is_empty() || said.chars().count() > PURPOSE_MAX_CHARS {
        return ask(&asked, &session, &row, StatusCode::UNPROCESSABLE_ENTITY, true, None);
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

fn head(words: Words, session: &Session, row: &IncidentListing) -> Head {
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
        state: thread::state(words, &row.state),
        is_new: row.state == Triage::New.code(),
        assigned: row.assigned.as_deref().map(display_safe),
        steps: row.steps,
        answers: session.may(Right::Answer),
    }
}

fn ask(asked: &Asked, session: &Session, row: &IncidentListing, status: StatusCode, again: bool, told: Option<String>) -> Response {
    let head = head(asked.words, session, row);
    let title = format!("{} · {}", head.kind, head.hamlet);
    let purposes = PURPOSES.iter().map(|id| asked.words.word(id)).collect();
    let c = Chrome::new(asked, session, Section::Inbox, title);
    rendered(status, &Ask { c, head, purposes, again, told, longest: PURPOSE_MAX_CHARS })
}

/// Writes the read log, then shows the content: in this order, so that no content is seen unlogged.
async fn open(hub: &Hub, asked: &Asked, session: &Session, row: &IncidentListing, purpose: String, again: Again) -> Result<Open> {
    hub.note(&session.officer, "read incident", &row.id, &purpose).await?;
    let words = asked.words;
    let evidence = hub.store.evidence(ListQuery { name: Some(row.id.clone()), ..ListQuery::default() }).await?;
    let devices = hub.store.device_list(ListQuery::default(), asked.now_ms).await?;
    let head = head(words, session, row);
    let people = hub.store.people().await?;
    let talked = hub.store.thread(crate::triage::name_of(row)?).await?;
    let twins = twins(hub, words, session, &talked.twins).await?;
    let others = if head.answers { others(hub, words, session, row, &twins).await? } else { Vec::new() };
    let marks = match (row.lat, row.lon) {
        (Some(lat), Some(lon)) => {
            vec![Mark { lat, lon, accuracy_m: row.accuracy_m, urgent: row.urgent, label: head.kind.clone() }]
        }
        _ => Vec::new(),
    };
    let place = facts::place(words, row.lat, row.lon, row.accuracy_m);
    let spoken = words.say("console-sketch-of", &[("what", head.kind.clone().into()), ("place", place.clone().into())]);
    let holder = |photo: &EvidenceListing| phone(words, &devices, &photo.device);
    let mut pictures = Vec::with_capacity(evidence.len());
    for (index, photo) in evidence.iter().enumerate() {
        let files = photos::files(hub, words, row, photo).await?;
        pictures.push(listed(words, index, photo, holder(photo), files));
    }
    let reporter = phone(words, &devices, &row.device);
    Ok(Open {
        c: Chrome::new(asked, session, Section::Inbox, format!("{} · {}", head.kind, head.hamlet)),
        purpose: display_safe_lines(&purpose),
        facts: said(words, row, &[("seen", "word-basis-seen"), ("heard", "word-basis-heard"), ("unstated", "console-basis-unstated")]),
        opinions: said(words, row, &[("think", "word-basis-think")]),
        author: facts::person(words, &row.author, row.author_no),
        place,
        map: Figure::of(marks.iter().map(|mark| figure::incident(mark, None)).collect(), spoken.clone()),
        sketch: sketch::draw(&Track::default(), &marks, &spoken, words),
        photos_said: facts::photos(words, row, &evidence, &reporter, holder),
        photos: pictures,
        amended: (row.amendments > 0).then(|| words.say("console-amended", &[("n", row.amendments.into())])),
        states: states(words, row, &again),
        groups: groups(words, session, &people, row),
        others,
        twins,
        talk: thread::talk(words, &talked),
        timeline: thread::timeline(words, row, &talked, &evidence, &people),
        note_longest: ANSWER_NOTE_MAX_CHARS,
        keep_longest: REASON_MAX_CHARS,
        again,
        head,
    })
}

/// The states that a reporter can be told; the one that holds is chosen.
fn states(words: Words, row: &IncidentListing, again: &Again) -> Vec<Choice> {
    let now = if again.state.is_empty() { row.state.as_str() } else { again.state.as_str() };
    let choice = |state: Triage| {
        let code = state.code();
        Choice { value: code.to_owned(), word: thread::state(words, code), chosen: code == now }
    };
    Triage::ANSWERS.into_iter().map(choice).collect()
}

/// Groups of the hamlets in reach, and hamlets that have none; nobody first.
fn groups(words: Words, session: &Session, people: &People, row: &IncidentListing) -> Vec<Choice> {
    let choice = |value: String, to: crate::store::Assigned| {
        let name = people.assigned_name(to);
        Choice { value, chosen: row.assigned.as_deref() == Some(name.as_str()), word: display_safe(&name) }
    };
    let nobody = Choice { value: String::new(), word: words.word("incident-nobody"), chosen: row.assigned.is_none() };
    let mut all = vec![nobody];
    for hamlet in people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)) {
        let own: Vec<_> = people.groups.iter().filter(|group| group.hamlet == hamlet.no).collect();
        if own.is_empty() {
            all.push(choice(format!("h{}", hamlet.no.0), crate::store::Assigned { hamlet: hamlet.no, group: 0 }));
        }
        let of_group = |group: &&crate::store::GroupRow| crate::store::Assigned { hamlet: hamlet.no, group: group.no };
        all.extend(own.iter().map(|group| choice(format!("g{}", group.no), of_group(group))));
    }
    all
}

fn twin(words: Words, row: &IncidentListing) -> Twin {
    let when = facts::between(words, &row.time_earliest, &row.time_latest);
    Twin {
        id: row.id.clone(),
        path: format!("/console/incidents/{}", row.id),
        name: format!("{} · {} · {when}", facts::kind(words, &row.kind), facts::hamlet(words, &row.hamlet)),
    }
}

/// Reports of the same event that this reader may see.
async fn twins(hub: &Hub, words: Words, session: &Session, names: &[IncidentName]) -> Result<Vec<Twin>> {
    let mut all = Vec::new();
    for name in names {
        match find(hub, &name.entry.to_string(), session.query()).await {
            Ok(row) => all.push(twin(words, &row)),
            // In another officer's reach.
            Err(HubError::Refused(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(all)
}

/// Reports that may tell of the same event: the newest that are not linked to this one yet.
async fn others(hub: &Hub, words: Words, session: &Session, row: &IncidentListing, linked: &[Twin]) -> Result<Vec<Twin>> {
    let since_ms = millis(&row.recorded_at).map(|at_ms| at_ms - DAY_MS);
    let query = ListQuery { limit: OTHERS_OFFERED, since_ms, ..session.query() };
    let rows = hub.store.incidents(query).await?;
    let other = |other: &&IncidentListing| other.id != row.id && linked.iter().all(|twin| twin.id != other.id);
    Ok(rows.iter().filter(other).map(|row| twin(words, row)).collect())
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

fn listed(words: Words, index: usize, photo: &EvidenceListing, phone: String, files: Files) -> Photo {
    let name = photo.original_name.as_deref().map(yenban_protocol::text::display_safe);
    Photo {
        name: name.unwrap_or_else(|| words.say("console-photo-number", &[("n", (index + 1).into())])),
        state: match &photo.erased_at {
            Some(at) => words.say("console-photo-erased-at", &[("at", facts::moment(words, at).into())]),
            None => facts::photo_state(words, &photo.state),
        },
        here: photo.state == "verified",
        files,
        spoken: words.say("incident-photo-spoken", &[("n", (index + 1).into())]),
        file: photo.erased_at.is_none().then(|| File { size: words.size(photo.size_bytes), phone, sha256: photo.sha256.clone() }),
    }
}
