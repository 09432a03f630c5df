//! What waits for a second person: an alert for the whole commune, looked at and agreed to, or not, by another officer.
//!
//! The alert goes out first and the decision is noted after it: a hub that dies between the two leaves an alert that was
//! sent and a question that can be answered once more, without a second alert (its identifier is one). The other way round
//! would leave an alarm that everybody believes was given.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_protocol::alert::Alert;
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::text::display_safe;

use super::alerts::{self, Card};
use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::guard::{Asked, May, WarnAll};
use crate::access::{self, Session};
use crate::app::Hub;
use crate::clock::whole_second_ms;
use crate::error::{HubError, Refusal, Result};
use crate::limits::PROPOSAL_TTL_MS;
use crate::store::{AlertRow, ProposalKind, ProposalRow};

/// Something that waits, as a line beside alerts and inbox.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// Its page.
    pub path: String,
    /// The alert.
    pub card: Card,
    /// Who asked for what, until when.
    pub asks: String,
    /// The same in short.
    pub waits: String,
    /// The reader asked for it.
    pub own: bool,
}

#[derive(Template)]
#[template(path = "second.html")]
struct Page {
    c: Chrome,
    waiting: Waiting,
    open: bool,
    told: Option<String>,
}

/// Asks for a second person; the path of the page where that person answers.
pub(super) async fn ask(hub: &Hub, session: &Session, alert: &Alert) -> Result<String> {
    let mut body = Writer::new();
    alert.write(&mut body);
    let made_ms = hub.now_ms();
    let row = ProposalRow {
        no: 0,
        kind: ProposalKind::Alert,
        body: body.as_bytes().to_vec(),
        by: session.member,
        made_ms,
        expires_ms: made_ms + PROPOSAL_TTL_MS,
        decided: None,
    };
    hub.note(&session.officer, "alert proposed", &alert.identifier, "").await?;
    let no = hub.store.propose(row).await?.ok_or(Refusal::Quota("acts that wait for a second person"))?;
    Ok(format!("/console/alerts/second/{no}"))
}

fn alert_of(row: &ProposalRow) -> Result<Alert> {
    Alert::read(&mut Reader::new(&row.body)).map_err(|e| HubError::Store(format!("proposal in the database: {e}")))
}

/// An alert is sent when the second person agrees, and holds as long as was asked for.
fn at_this_moment(alert: Alert, now_ms: i64) -> Alert {
    let sent_ms = whole_second_ms(now_ms);
    Alert { sent_ms, expires_ms: sent_ms + (alert.expires_ms - alert.sent_ms), ..alert }
}

async fn waiting(hub: &Hub, asked: &Asked, session: &Session, row: &ProposalRow) -> Result<Waiting> {
    let people = hub.store.people().await?;
    let by = people.member(row.by).map(access::name_of).unwrap_or_default();
    let until = asked.words.date_time(row.expires_ms);
    let told = |id| asked.words.say(id, &[("by", display_safe(&by).into()), ("until", until.clone().into())]);
    let shown = AlertRow { alert: alert_of(row)?, officer: by.clone(), second: None, cap: None };
    let life_ms = (shown.alert.expires_ms - shown.alert.sent_ms).unsigned_abs();
    let mut card = alerts::card(asked.words, &shown.listing(&people), asked.now_ms, None);
    if row.decided.is_none() {
        // Nothing went out yet, and what goes out holds from that moment on.
        card.state = asked.words.word("warn-not-sent");
        card.times = asked.words.say("warn-will-hold", &[("life", asked.words.duration(life_ms).into())]);
    }
    Ok(Waiting {
        path: format!("/console/alerts/second/{}", row.no),
        card,
        asks: told("console-second-asks"),
        waits: told("console-second-open"),
        own: row.by == session.member,
    })
}

/// What waits now; nothing for somebody who may not decide.
pub(super) async fn all(hub: &Hub, asked: &Asked, session: &Session) -> Result<Vec<Waiting>> {
    if !session.may(crate::access::rights::Right::WarnAll) {
        return Ok(Vec::new());
    }
    let mut all = Vec::new();
    for row in hub.store.proposals(asked.now_ms).await?.iter().filter(|row| row.kind == ProposalKind::Alert) {
        all.push(waiting(hub, asked, session, row).await?);
    }
    Ok(all)
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, row: &ProposalRow, told: Option<&'static str>) -> Result<Response> {
    let ended = match row.decided {
        Some((_, true, _)) => Some("console-second-agreed"),
        Some((_, false, _)) => Some("console-second-not"),
        None if row.expires_ms <= asked.now_ms => Some("console-second-late"),
        None => None,
    };
    let page = Page {
        c: Chrome::new(asked, session, Section::Alerts, asked.words.word("console-second")),
        waiting: waiting(hub, asked, session, row).await?,
        open: ended.is_none(),
        told: told.or(ended).map(|id| asked.words.word(id)),
    };
    Ok(rendered(if told.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// The page.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<WarnAll>, Path(no): Path<i64>) -> Response {
    let found = async {
        match hub.store.proposal(no).await?.filter(|row| row.kind == ProposalKind::Alert) {
            Some(row) => shown(&hub, &asked, &session, &row, None).await,
            None => Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")),
        }
    };
    found.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What its forms send.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    token: String,
    act: String,
}

/// Agrees, or does not.
pub(super) async fn decide(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<WarnAll>,
    Path(no): Path<i64>,
    form: std::result::Result<Form<Answer>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let agrees = match form.act.as_str() {
        "agree" => true,
        "not" => false,
        _ => return refused(&asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken"),
    };
    decided(&hub, &asked, &session, no, agrees).await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn decided(hub: &Hub, asked: &Asked, session: &Session, no: i64, agrees: bool) -> Result<Response> {
    let found = hub.store.proposal(no).await?.filter(|row| row.kind == ProposalKind::Alert);
    let Some(row) = found else { return Ok(refused(asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
    let open = row.decided.is_none() && row.expires_ms > hub.now_ms();
    if !open {
        return shown(hub, asked, session, &row, None).await;
    }
    if agrees && row.by == session.member {
        return shown(hub, asked, session, &row, Some("console-second-own")).await;
    }
    let alert = alert_of(&row)?;
    let people = hub.store.people().await?;
    let first = people.member(row.by).map(access::name_of).unwrap_or_default();
    hub.note(&session.officer, if agrees { "alert agreed" } else { "alert not agreed" }, &alert.identifier, &first).await?;
    if agrees {
        let alert = at_this_moment(alert, hub.now_ms());
        let same = AlertRow { alert, officer: first, second: Some(session.officer.clone()), cap: None };
        if !crate::alert::raise_once(hub, same.clone()).await? {
            // Sent before, by a decision that the hub did not live to note; or another one took the name meanwhile.
            let there = hub.store.alert(same.alert.identifier.clone()).await?;
            let sent = |row: AlertRow| at_this_moment(row.alert, same.alert.sent_ms) == same.alert;
            if !there.is_some_and(sent) {
                return Ok(refused(asked, StatusCode::CONFLICT, "warn-taken"));
            }
        }
    }
    // Whatever became of it stands on that page; a decision of somebody who was faster counts as well.
    hub.store.decide(no, session.member, agrees, hub.now_ms()).await?;
    Ok(see_other("/console/alerts"))
}
