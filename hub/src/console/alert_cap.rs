//! A warning of another service: its CAP document, chosen as a file or pasted, fills the form for an alert, which is looked
//! at, given its hamlets and sent as any other. What cannot be taken says why; what must not be lost is set aside.

use std::sync::Arc;

use askama::Template;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use yenban_locales::Words;
use yenban_protocol::alert::{Alert, MessageType, Status};
use yenban_protocol::id::HamletNo;
use yenban_protocol::text::{display_safe, fold};

use super::alert_form::{self, Draft, LIVES_H};
use super::chrome::{Chrome, Section, failed, refused, rendered};
use super::guard::{Asked, May, Warn};
use super::{Hub, alert_page, form};
use crate::access::Session;
use crate::access::rights::Right;
use crate::cap::{self, COMMUNE_CODE, Document, Info};
use crate::clock::HOUR_MS;
use crate::error::Result;
use crate::limits::{CAP_MAX_BYTES, CAP_SENT_AHEAD_MS, CONSOLE_FORM_MAX_BYTES, HEADLINE_MAX_CHARS};
use crate::store::{CapKept, HamletRow, People};

#[derive(Template)]
#[template(path = "alert_cap.html")]
struct Page {
    c: Chrome,
    wrong: Option<String>,
}

/// The longest form that may come: a document and what is around it.
pub(super) fn limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(CAP_MAX_BYTES + CONSOLE_FORM_MAX_BYTES)
}

fn shown(asked: &Asked, session: &Session, wrong: Option<String>) -> Response {
    let status = if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    rendered(status, &Page { c: Chrome::new(asked, session, Section::Alerts, asked.words.word("warn-cap-read")), wrong })
}

/// The page.
pub(super) async fn page(asked: Asked, May(session, _): May<Warn>) -> Response {
    shown(&asked, &session, None)
}

/// Reads a document and shows it as the form for an alert.
pub(super) async fn read(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Warn>,
    headers: HeaderMap,
    body: std::result::Result<Bytes, BytesRejection>,
) -> Response {
    let Ok(body) = body else { return shown(&asked, &session, Some(asked.words.word("warn-cap-too-large"))) };
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some(fields) = form::fields(kind, &body) else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let field = |name: &str| fields.iter().find(|(known, bytes)| known == name && !bytes.is_empty()).map(|(_, bytes)| bytes.as_slice());
    if !session.sent(&String::from_utf8_lossy(field("token").unwrap_or_default())) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let Some(bytes) = field("file").or(field("text")) else {
        return shown(&asked, &session, Some(asked.words.word("warn-cap-nothing")));
    };
    match taken(&hub, &asked, &session, bytes).await {
        Ok(response) => response,
        Err(error) => failed(&asked, &error),
    }
}

async fn taken(hub: &Hub, asked: &Asked, session: &Session, bytes: &[u8]) -> Result<Response> {
    let words = asked.words;
    let no = |wrong: String| Ok(shown(asked, session, Some(wrong)));
    let document = match cap::read(bytes) {
        Ok(document) => document,
        Err(fault) => return no(words.say(&format!("warn-cap-{}", fault.code.replace('_', "-")), &[("element", fault.element.into())])),
    };
    let Some(info) = &document.info else { return no(words.word("warn-cap-no-info")) };
    let kept = |reason: &str| CapKept {
        alert: document.identifier.clone(),
        reason: reason.to_owned(),
        officer: session.officer.clone(),
        at_ms: hub.now_ms(),
        body: bytes.to_vec(),
    };
    let known = known(hub, &document).await?;
    if known == Known::Sent {
        return no(words.word("warn-cap-known"));
    }
    if known == Known::Differs {
        // One name, two warnings: one of them is false, and neither replaces the other by itself.
        hub.store.keep_cap(kept("identifier")).await?;
        hub.note(&session.officer, "cap set aside", &document.identifier, "identifier").await?;
        return no(words.word("warn-cap-differs"));
    }
    if document.sent_ms > hub.now_ms() + CAP_SENT_AHEAD_MS {
        hub.store.keep_cap(kept("future")).await?;
        hub.note(&session.officer, "cap set aside", &document.identifier, "future").await?;
        return no(words.say("warn-cap-future", &[("at", words.date_time(document.sent_ms).into())]));
    }
    if taken_back(hub, &document).await? {
        return no(words.word("warn-cap-cancelled"));
    }
    if info.expires_ms.is_some_and(|until| until <= hub.now_ms()) && document.message_type != MessageType::Cancel {
        return no(words.word("warn-cap-expired"));
    }
    hub.store.keep_cap(kept(READ)).await?;
    let people = hub.store.people().await?;
    let mut before = Vec::new();
    for reference in &document.references {
        before.extend(hub.store.alert(reference.identifier.clone()).await?.map(|row| row.alert));
    }
    let draft = draft(hub, session, words, &people, &document, info, &before);
    Ok(alert_form::compose(asked, session, &people, draft, &[]))
}

/// Why a document is kept that was read for sending.
pub(super) const READ: &str = "read";

/// What is known of a document's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Nothing that says anything else.
    New,
    /// It was sent as it is.
    Sent,
    /// Something else has this name: it was sent, or read to be sent.
    Differs,
}

/// Documents are compared by what they say: one that was pasted has other line ends than its file.
async fn known(hub: &Hub, document: &Document) -> Result<Known> {
    let same = |bytes: &[u8]| cap::read(bytes).as_ref() == Ok(document);
    if let Some(row) = hub.store.alert(document.identifier.clone()).await? {
        let sent = match &row.cap {
            Some(bytes) => same(bytes),
            // One of our own, come back.
            None => same(&alert_page::written(hub, &row).await?),
        };
        return Ok(if sent { Known::Sent } else { Known::Differs });
    }
    let differs = hub.store.caps(document.identifier.clone()).await?.iter().any(|kept| !same(&kept.body));
    Ok(if differs { Known::Differs } else { Known::New })
}

/// Whether its end came before it.
async fn taken_back(hub: &Hub, document: &Document) -> Result<bool> {
    for id in hub.store.alerts_referring(document.identifier.clone()).await? {
        if hub.store.alert(id).await?.is_some_and(|later| later.alert.message_type == MessageType::Cancel) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Texts as people read them: documents are often indented.
fn lines(text: &str) -> String {
    text.trim().lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>().join("\n")
}

/// The form for it: its words, the hamlets that lie in its areas and those that had what it replaces (`before`), and a drill
/// where it is not real.
fn draft(hub: &Hub, session: &Session, words: Words, people: &People, document: &Document, info: &Info, before: &[Alert]) -> Draft {
    let whole = session.may(Right::WarnAll) && (is_whole(hub, info) || before.iter().any(|alert| alert.hamlets.is_empty()));
    let places: Vec<String> = info.areas.iter().map(|area| display_safe(&area.name)).collect();
    let sender = if info.sender_name.is_empty() { &document.sender } else { &info.sender_name };
    let from = [("sender", display_safe(sender).into()), ("places", places.join("; ").into())];
    let mut chosen = hamlets(session, people, info);
    let shaped = info.areas.iter().any(|area| !area.polygons.is_empty() || !area.circles.is_empty());
    let unplaced = people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no) && hamlet.centre_e7.is_none()).count();
    let mut remarks = vec![words.say("warn-cap-from", &from)];
    if document.further > 0 {
        remarks.push(words.say("warn-cap-further", &[("n", document.further.into())]));
    }
    if !whole && chosen.is_empty() && !info.areas.is_empty() {
        remarks.push(words.word("warn-cap-no-hamlet"));
    }
    if !whole && shaped && unplaced > 0 {
        remarks.push(words.say("warn-cap-no-centre", &[("n", unplaced.into())]));
    }
    chosen.extend(before.iter().flat_map(|alert| &alert.hamlets).filter(|no| session.reach.sees(**no)).map(|no| no.0));
    chosen.sort_unstable();
    chosen.dedup();
    let left_h = info.expires_ms.map(|until| (until - hub.now_ms()).div_euclid(HOUR_MS) + 1);
    let hours = left_h.map(|left| LIVES_H.into_iter().find(|hours| *hours >= left).unwrap_or(LIVES_H[LIVES_H.len() - 1]));
    let said = if info.headline.is_empty() { &info.event } else { &info.headline };
    Draft {
        headline: said.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(HEADLINE_MAX_CHARS).collect(),
        description: lines(&info.description),
        instruction: lines(&info.instruction),
        severity: info.severity.code().to_owned(),
        hours: hours.map(|hours| hours.to_string()).unwrap_or_default(),
        drill: document.status != Status::Actual,
        whole,
        hamlets: if whole { Vec::new() } else { chosen },
        kind: if document.message_type == MessageType::Alert { String::new() } else { document.message_type.code().to_owned() },
        references: document.references.iter().map(|one| one.identifier.clone()).collect::<Vec<_>>().join(" "),
        identifier: document.identifier.clone(),
        sender: sender.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(crate::limits::NAME_MAX_CHARS).collect(),
        note: remarks.join(" "),
        ..Draft::default()
    }
}

/// Whether an area is this commune by its official number, and no shape makes it smaller.
fn is_whole(hub: &Hub, info: &Info) -> bool {
    let commune = hub.commune().to_string();
    let ours = |(scheme, value): &(String, String)| scheme.trim().eq_ignore_ascii_case(COMMUNE_CODE) && value.trim() == commune;
    info.areas.iter().any(|area| area.polygons.is_empty() && area.circles.is_empty() && area.geocodes.iter().any(ours))
}

/// A text as words between spaces, as people compare them.
fn words_of(text: &str) -> String {
    let text = fold(text);
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!(" {} ", words.join(" "))
}

/// The hamlets that a place's description names, word by word, the longest name first: "Bản Nà Phòn" names no hamlet "Nà".
fn named(people: &People, description: &str) -> Vec<HamletNo> {
    let mut names: Vec<(HamletNo, String)> = people.hamlets.iter().map(|hamlet| (hamlet.no, words_of(&hamlet.name))).collect();
    names.retain(|(_, name)| !name.trim().is_empty());
    names.sort_by_key(|(_, name)| std::cmp::Reverse(name.len()));
    let mut left = words_of(description);
    let mut found = Vec::new();
    for (no, name) in names {
        if left.contains(&name) {
            found.push(no);
            left = left.replace(&name, " , ");
        }
    }
    found
}

/// The hamlets in reach that an area names, or in one of whose shapes their centre lies.
fn hamlets(session: &Session, people: &People, info: &Info) -> Vec<u32> {
    let named: Vec<HamletNo> = info.areas.iter().flat_map(|area| named(people, &area.name)).collect();
    let degrees = |e7: i32| f64::from(e7) / 1e7;
    let within = |(lat, lon): (i32, i32)| info.areas.iter().any(|area| area.holds(degrees(lat), degrees(lon)));
    let meant = |hamlet: &HamletRow| session.reach.sees(hamlet.no) && (named.contains(&hamlet.no) || hamlet.centre_e7.is_some_and(within));
    people.hamlets.iter().filter(|hamlet| meant(hamlet)).map(|hamlet| hamlet.no.0).collect()
}
