//! One alert: who stands on which rung, who is silent since when, what replaced it; its update, its end, and it as CAP.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use yenban_locales::Words;
use yenban_protocol::id::HamletNo;
use yenban_protocol::text::{CollationKey, display_safe};

use super::alert_form::{self, Draft, LIVES_H};
use super::alerts::{self, Card};
use super::chrome::{Chrome, Section, failed, refused, rendered};
use super::guard::{Asked, May, Read, Warn};
use super::{Hub, facts};
use crate::access::Session;
use crate::cap;
use crate::error::Result;
use crate::escalate::silent_from_ms;
use crate::store::ladder::{self, MemberRung};
use crate::store::{AlertListing, AlertRow, ListQuery, People};

/// A member and the rung.
struct Row {
    who: String,
    hamlet: String,
    rung: String,
    at: String,
    silent: bool,
}

/// Another alert, by a link.
struct Link {
    path: String,
    word: String,
}

#[derive(Template)]
#[template(path = "alert.html")]
struct Page {
    c: Chrome,
    card: Card,
    path: String,
    rows: Vec<Row>,
    silent: Option<String>,
    before: Vec<Link>,
    after: Vec<Link>,
    may_change: bool,
}

/// The word of a rung.
fn rung(words: Words, rung: &str) -> String {
    match rung {
        "none" | "delivered" => words.word(&format!("warn-rung-{rung}")),
        answer => words.word(&format!("word-answer-{answer}")),
    }
}

async fn listing(hub: &Hub, session: &Session, id: String) -> Result<Option<AlertListing>> {
    Ok(hub.store.alerts(ListQuery { name: Some(id), limit: 1, ..session.query() }).await?.pop())
}

/// Whoever is silent first, then by hamlet and name.
fn rows(words: Words, ladder: Vec<MemberRung>, people: &People) -> Vec<Row> {
    let mut ladder: Vec<_> = ladder.into_iter().map(|member| (people.hamlet_name(HamletNo(member.hamlet)), member)).collect();
    ladder.sort_by_cached_key(|(hamlet, member)| {
        (!member.is_silent(), member.rung != "none", CollationKey::new(hamlet), CollationKey::new(&member.member), member.member_no)
    });
    ladder
        .into_iter()
        .map(|(hamlet, member)| Row {
            who: facts::person(words, &member.member, member.member_no),
            hamlet: facts::hamlet(words, &hamlet),
            rung: rung(words, member.rung),
            at: member.at.as_deref().map(|at| facts::moment(words, at)).unwrap_or_default(),
            silent: member.is_silent(),
        })
        .collect()
}

/// The page. Who answered what is about people: the record has it.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>, Path(id): Path<String>) -> Response {
    let shown = async {
        let Some(row) = listing(&hub, &session, id).await? else {
            return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here"));
        };
        hub.note(&session.officer, "read alert", &row.id, "").await?;
        let (words, people) = (asked.words, hub.store.people().await?);
        let ladder = ladder::of(&row, &people, &session.reach);
        let silent = ladder.iter().filter(|member| member.is_silent()).count();
        let since = silent_from_ms(&row).filter(|from| *from <= asked.now_ms && silent > 0);
        let reminded = hub.store.reminded(row.id.clone()).await?.len();
        let silent = since.map(|from_ms| {
            let figures = [("n", silent.into()), ("since", words.date_time(from_ms).into()), ("reminded", reminded.into())];
            words.say("warn-silent-since", &figures)
        });
        let link = |word: &str| {
            let word = words.word(word);
            move |id: &String| Link { path: alerts::path(id), word: format!("{word} {}", display_safe(id)) }
        };
        // Its headline leads nowhere: this is the page.
        let card = Card { path: String::new(), ..alerts::card(words, &row, asked.now_ms, Some(&people)) };
        let page = Page {
            c: Chrome::new(&asked, &session, Section::Alerts, words.word("warn-alert")),
            path: alerts::path(&row.id),
            rows: rows(words, ladder, &people),
            silent,
            before: row.references.iter().map(link("warn-before")).collect(),
            after: row.replaced_by.iter().map(link("warn-after")).collect(),
            may_change: card.live && session.may(crate::access::rights::Right::Warn),
            card,
        };
        Ok(rendered(StatusCode::OK, &page))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// The form for what replaces an alert, filled with what it said.
fn draft(words: Words, row: &AlertRow, kind: &str) -> Draft {
    let alert = &row.alert;
    let life_h = (alert.expires_ms - alert.sent_ms) / crate::clock::HOUR_MS;
    let cancel = kind == "Cancel";
    let headline =
        if cancel { words.say("warn-cancel-headline", &[("headline", alert.headline.as_str().into())]) } else { alert.headline.clone() };
    Draft {
        headline: headline.chars().take(crate::limits::HEADLINE_MAX_CHARS).collect(),
        description: if cancel { String::new() } else { alert.description.clone() },
        instruction: if cancel { words.word("warn-cancel-instruction") } else { alert.instruction.clone() },
        severity: alert.severity.code().to_owned(),
        hours: LIVES_H.into_iter().find(|hours| *hours >= life_h).unwrap_or(LIVES_H[LIVES_H.len() - 1]).to_string(),
        drill: alert.is_drill(),
        whole: alert.hamlets.is_empty(),
        hamlets: alert.hamlets.iter().map(|no| no.0).collect(),
        kind: kind.to_owned(),
        references: alert.identifier.clone(),
        note: words.say(if cancel { "warn-cancel-of" } else { "warn-update-of" }, &[("headline", display_safe(&alert.headline).into())]),
        ..Draft::default()
    }
}

/// The form that updates it or takes it back.
pub(super) async fn change(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Warn>,
    Path((id, what)): Path<(String, String)>,
) -> Response {
    let nothing = || refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here");
    let kind = match what.as_str() {
        "update" => "Update",
        "cancel" => "Cancel",
        "cap" => return document(&hub, &asked, &session, id).await.unwrap_or_else(|error| failed(&asked, &error)),
        _ => return nothing(),
    };
    let shown = async {
        let (Some(_), Some(row)) = (listing(&hub, &session, id.clone()).await?, hub.store.alert(id).await?) else { return Ok(nothing()) };
        let people = hub.store.people().await?;
        Ok(alert_form::compose(&asked, &session, &people, draft(asked.words, &row, kind), &[]))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// It as a CAP document.
async fn document(hub: &Hub, asked: &Asked, session: &Session, id: String) -> Result<Response> {
    let (Some(_), Some(row)) = (listing(hub, session, id.clone()).await?, hub.store.alert(id).await?) else {
        return Ok(refused(asked, StatusCode::NOT_FOUND, "console-nothing-here"));
    };
    let bytes = written(hub, &row).await?;
    let headers = [(CONTENT_TYPE, cap::MEDIA_TYPE), (CONTENT_DISPOSITION, "attachment; filename=\"alert.cap\"")];
    Ok((headers, bytes).into_response())
}

/// An alert as a CAP document of this hub.
pub(super) async fn written(hub: &Hub, row: &AlertRow) -> Result<Vec<u8>> {
    let people = hub.store.people().await?;
    let commune = hub.commune().to_string();
    // What it refers to is named as the document has it that it was read from, else as our own alerts are.
    let read = row.cap.as_deref().and_then(|bytes| cap::read(bytes).ok());
    let mut references = read.map(|document| document.references).unwrap_or_default();
    if references.is_empty() {
        for identifier in row.alert.references.clone() {
            if let Some(before) = hub.store.alert(identifier.clone()).await? {
                references.push(cap::Reference { sender: cap::sender(&commune), identifier, sent_ms: before.alert.sent_ms });
            }
        }
    }
    let place = |no: &HamletNo| {
        let centre_e7 = people.hamlet(*no).and_then(|hamlet| hamlet.centre_e7);
        cap::Place { name: people.hamlet_name(*no), centre_e7 }
    };
    let places: Vec<cap::Place> = row.alert.hamlets.iter().map(place).collect();
    cap::write(&row.alert, &commune, &hub.identity().name, &references, &places)
}
