//! A code for a chief: asked for by one officer, made and shown when another agrees (THREATS.md, T-09).

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use yenban_protocol::id::{MemberNo, Role};
use yenban_protocol::text::display_safe;

use super::chrome::{Chrome, Section, failed, refused, rendered};
use super::codes::{Act, Sent, show_new};
use super::guard::{Asked, May, Phones};
use crate::access::{self, Session};
use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::limits::PROPOSAL_TTL_MS;
use crate::store::{Decided, MemberRow, People, ProposalKind, ProposalRow, WHOLE_COMMUNE};

/// A wish for a chief's code that waits for a second officer.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    /// The page where a second officer answers.
    pub path: String,
    /// Who asks for whom, until when.
    pub asks: String,
    /// The reader asked for it.
    pub own: bool,
}

/// For whom a chief's code is wanted, as it waits for a second officer.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct ChiefWanted {
    member: u32,
    name: String,
}

/// Asks for a second officer; the page where that one answers.
pub(super) async fn propose(hub: &Hub, session: &Session, meant: &MemberRow) -> Result<String> {
    let wanted = ChiefWanted { member: meant.no.0, name: meant.name.clone() };
    let body = serde_json::to_vec(&wanted).map_err(|e| HubError::Store(format!("wish: {e}")))?;
    let made_ms = hub.now_ms();
    let expires_ms = made_ms + PROPOSAL_TTL_MS;
    hub.note(&session.officer, "chief proposed", &meant.no.0.to_string(), "").await?;
    let row = ProposalRow { no: 0, kind: ProposalKind::Chief, body, by: session.member, made_ms, expires_ms, decided: None };
    let no = hub.store.propose(row).await?.ok_or(Refusal::Quota("acts that wait for a second person"))?;
    Ok(format!("/console/people/chief/{no}"))
}

fn wanted_of(row: &ProposalRow) -> Result<ChiefWanted> {
    serde_json::from_slice(&row.body).map_err(|e| HubError::Store(format!("wish in the database: {e}")))
}

fn wish(asked: &Asked, people: &People, session: &Session, row: &ProposalRow) -> Result<Wish> {
    let by = people.member(row.by).map(access::name_of).unwrap_or_default();
    let values = [
        ("by", display_safe(&by).into()),
        ("name", display_safe(&wanted_of(row)?.name).into()),
        ("until", asked.words.date_time(row.expires_ms).into()),
    ];
    Ok(Wish {
        path: format!("/console/people/chief/{}", row.no),
        asks: asked.words.say("phones-chief-asks", &values),
        own: row.by == session.member,
    })
}

/// What waits for a second officer, for whoever may be that one.
pub(super) async fn wishes(hub: &Hub, asked: &Asked, session: &Session) -> Result<Vec<Wish>> {
    if !session.reach.is_whole() {
        return Ok(Vec::new());
    }
    let people = hub.store.people().await?;
    let rows = hub.store.proposals(asked.now_ms).await?;
    rows.iter().filter(|row| row.kind == ProposalKind::Chief).map(|row| wish(asked, &people, session, row)).collect()
}

#[derive(Template)]
#[template(path = "chief.html")]
struct Chief {
    c: Chrome,
    wish: Wish,
    open: bool,
    told: Option<String>,
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, no: i64, told: Option<&'static str>) -> Result<Response> {
    let found = hub.store.proposal(no).await?.filter(|row| row.kind == ProposalKind::Chief && session.reach.is_whole());
    let Some(row) = found else { return Ok(refused(asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
    let ended = match row.decided {
        Some((_, true, _)) => Some("phones-chief-agreed"),
        Some((_, false, _)) => Some("phones-chief-not"),
        None if row.expires_ms <= asked.now_ms => Some("phones-chief-late"),
        None => None,
    };
    let page = Chief {
        c: Chrome::new(asked, session, Section::People, asked.words.word("phones-chief")),
        wish: wish(asked, &*hub.store.people().await?, session, &row)?,
        open: ended.is_none(),
        told: told.or(ended).map(|id| asked.words.word(id)),
    };
    Ok(rendered(if told.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// A wish for a chief's code.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Phones>, Path(no): Path<i64>) -> Response {
    shown(&hub, &asked, &session, no, None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// A second officer agrees, and has the code; or not.
pub(super) async fn decide(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Phones>,
    Path(no): Path<i64>,
    form: Sent<Act>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let decided = async {
        let found = hub.store.proposal(no).await?.filter(|row| row.kind == ProposalKind::Chief && session.reach.is_whole());
        let Some(row) = found else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        let agrees = match form.act.as_str() {
            "agree" => true,
            "not" => false,
            _ => return Ok(refused(&asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken")),
        };
        // Noted first and decided before the code is made: a hub that dies between the two leaves nothing but a wish that
        // has to be asked for again.
        hub.note(&session.officer, if agrees { "chief agreed" } else { "chief not agreed" }, &no.to_string(), "").await?;
        match hub.store.decide(no, session.member, agrees, hub.now_ms()).await? {
            Decided::Own => shown(&hub, &asked, &session, no, Some("console-second-own")).await,
            Decided::Counts if agrees => {
                let ChiefWanted { member, name } = wanted_of(&row)?;
                let meant = MemberRow { no: MemberNo(member), name, role: Role::Chief, hamlet: WHOLE_COMMUNE, group: 0 };
                show_new(&hub, &asked, &session, &meant).await
            }
            Decided::Counts | Decided::Gone => shown(&hub, &asked, &session, no, None).await,
        }
    };
    decided.await.unwrap_or_else(|error| failed(&asked, &error))
}
