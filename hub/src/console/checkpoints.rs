//! Checkpoints: entered with name, hamlet and position, given a code, printed as a sheet to hang up.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use yenban_protocol::id::HamletNo;
use yenban_protocol::text::code::CheckpointCode;
use yenban_protocol::text::degrees::LatLon;
use yenban_protocol::text::{CollationKey, display_safe};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::codes::{Act, Sent};
use super::facts;
use super::guard::{Asked, May, Plan};
use crate::access::Session;
use crate::app::Hub;
use crate::enrol::checked_name;
use crate::entropy;
use crate::error::Result;
use crate::limits::{CHECKPOINT_DRAWS_MAX, NAME_MAX_CHARS};
use crate::store::{CheckpointRow, People};
use crate::{paper, qr};

#[derive(Debug, Clone)]
struct Line {
    path: String,
    name: String,
    hamlet: String,
    code: String,
    place: String,
}

#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "checkpoints.html")]
struct Page {
    c: Chrome,
    wrong: Option<String>,
    lines: Vec<Line>,
    hamlets: Vec<Choice>,
    name: String,
    lat: String,
    lon: String,
    name_max: usize,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    token: String,
    name: String,
    hamlet: u32,
    lat: String,
    lon: String,
}

/// Checkpoints in reach that stand, by hamlet and name.
async fn standing(hub: &Hub, session: &Session, people: &People) -> Result<Vec<CheckpointRow>> {
    let mut rows = hub.store.checkpoints().await?;
    rows.retain(|row| row.closed_ms.is_none() && session.reach.sees(row.hamlet));
    rows.sort_by_cached_key(|row| (CollationKey::new(&people.hamlet_name(row.hamlet)), CollationKey::new(&row.name)));
    Ok(rows)
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, filled: &Filled, wrong: Option<&'static str>) -> Result<Response> {
    let words = asked.words;
    let people = hub.store.people().await?;
    let rows = standing(hub, session, &people).await?;
    let mut hamlets: Vec<_> = people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)).collect();
    hamlets.sort_by_cached_key(|hamlet| CollationKey::new(&hamlet.name));
    let line = |row: &CheckpointRow| Line {
        path: format!("/console/patrols/checkpoints/{}", row.code),
        name: display_safe(&row.name),
        hamlet: facts::hamlet(words, &people.hamlet_name(row.hamlet)),
        code: row.code.to_string(),
        place: words.coordinates(row.place_e7.0, row.place_e7.1),
    };
    let page = Page {
        c: Chrome::new(asked, session, Section::Patrols, words.word("plans-checkpoints")),
        wrong: wrong.map(|id| words.word(id)),
        lines: rows.iter().map(line).collect(),
        hamlets: hamlets
            .into_iter()
            .map(|hamlet| Choice {
                value: hamlet.no.0.to_string(),
                word: facts::hamlet(words, &hamlet.name),
                chosen: hamlet.no.0 == filled.hamlet,
            })
            .collect(),
        name: filled.name.clone(),
        lat: filled.lat.clone(),
        lon: filled.lon.clone(),
        name_max: NAME_MAX_CHARS,
    };
    Ok(rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// The list, and a form for another.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Plan>) -> Response {
    shown(&hub, &asked, &session, &Filled::default(), None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// Enters a checkpoint.
pub(super) async fn add(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Plan>, form: Sent<Filled>) -> Response {
    let Ok(Form(filled)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&filled.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    added(&hub, &asked, &session, &filled).await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn added(hub: &Hub, asked: &Asked, session: &Session, filled: &Filled) -> Result<Response> {
    let people = hub.store.people().await?;
    let hamlet = HamletNo(filled.hamlet);
    if people.hamlet(hamlet).is_none() || !session.reach.sees(hamlet) {
        return shown(hub, asked, session, filled, Some("phones-code-needs-hamlet")).await;
    }
    let Some(name) = checked_name("name", &filled.name).ok().filter(|name| !name.is_empty()) else {
        return shown(hub, asked, session, filled, Some("plans-checkpoint-needs-name")).await;
    };
    // Two fields, so that a comma can only be the decimal one of this country.
    let decimal = |typed: &str| typed.trim().replace(',', ".");
    let Ok(place) = LatLon::parse(&decimal(&filled.lat), &decimal(&filled.lon)) else {
        return shown(hub, asked, session, filled, Some("plans-checkpoint-needs-place")).await;
    };
    for _ in 0..CHECKPOINT_DRAWS_MAX {
        let drawn = u32::from_be_bytes(entropy::array()) % CheckpointCode::NUMBERS;
        let Some(code) = CheckpointCode::new(drawn) else { continue };
        let place_e7 = (place.lat_e7(), place.lon_e7());
        let row = CheckpointRow { code, hamlet, name: name.clone(), place_e7, made_ms: hub.now_ms(), closed_ms: None };
        if hub.store.add_checkpoint(row, hub.item_signer()).await? {
            hub.note(&session.officer, "checkpoint added", &code.to_string(), "").await?;
            return Ok(see_other("/console/patrols/checkpoints"));
        }
    }
    shown(hub, asked, session, filled, Some("plans-checkpoints-full")).await
}

/// Takes a checkpoint away.
pub(super) async fn close(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Plan>,
    Path(code): Path<String>,
    form: Sent<Act>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let done = async {
        let people = hub.store.people().await?;
        let rows = standing(&hub, &session, &people).await?;
        let found = CheckpointCode::parse(&code).ok().filter(|code| rows.iter().any(|row| row.code == *code));
        let Some(code) = found else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        if hub.store.close_checkpoint(code, hub.now_ms(), hub.item_signer()).await? {
            hub.note(&session.officer, "checkpoint closed", &code.to_string(), "").await?;
        }
        Ok(see_other("/console/patrols/checkpoints"))
    };
    done.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// A card of the sheet.
#[derive(Debug, Clone)]
struct Card {
    name: String,
    hamlet: String,
    code: String,
    qr: String,
}

#[derive(Template)]
#[template(path = "checkpoint_sheet.html")]
struct Sheet {
    c: Chrome,
    cards: Vec<Card>,
}

/// The same as a PDF.
pub(super) async fn sheet_pdf(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Plan>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let made = async {
        let people = hub.store.people().await?;
        let one = CheckpointCode::parse(&wanted.code).ok();
        let rows = standing(&hub, &session, &people).await?;
        let card = |row: &CheckpointRow| {
            let hamlet = facts::hamlet(asked.words, &people.hamlet_name(row.hamlet));
            paper::Card {
                name: display_safe(&row.name),
                about: format!("{} · {hamlet}", asked.words.word("word-checkpoint")),
                code: row.code.to_string(),
                qr: row.code.qr_text(),
            }
        };
        let cards: Vec<_> = rows.iter().filter(|row| one.is_none_or(|code| row.code == code)).map(card).collect();
        paper::sheet(&asked.words.word("plans-sheet"), &cards)
    };
    match made.await {
        Ok(pdf) => {
            let name = HeaderValue::from_static("inline; filename=\"checkpoints.pdf\"");
            ([(CONTENT_TYPE, HeaderValue::from_static("application/pdf")), (CONTENT_DISPOSITION, name)], pdf).into_response()
        }
        Err(error) => failed(&asked, &error),
    }
}

/// What may stand in the address of the sheet.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    code: String,
}

/// Codes to print and hang up: all, or one.
pub(super) async fn sheet(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Plan>, Query(wanted): Query<Wanted>) -> Response {
    let shown = async {
        let people = hub.store.people().await?;
        let one = CheckpointCode::parse(&wanted.code).ok();
        let rows = standing(&hub, &session, &people).await?;
        let card = |row: &CheckpointRow| Card {
            name: display_safe(&row.name),
            hamlet: facts::hamlet(asked.words, &people.hamlet_name(row.hamlet)),
            code: row.code.to_string(),
            qr: qr::for_paper(&row.code.qr_text(), &asked.words.word("word-checkpoint")),
        };
        let page = Sheet {
            c: Chrome::new(&asked, &session, Section::Patrols, asked.words.word("plans-sheet")),
            cards: rows.iter().filter(|row| one.is_none_or(|code| row.code == code)).map(card).collect(),
        };
        Ok(rendered(StatusCode::OK, &page))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}
