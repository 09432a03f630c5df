//! The phones of one member, and giving one up: lost, or taken back. One tap leads to a page that says what will happen,
//! a second one does it; from that moment the hub trusts nothing that phone says.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_protocol::id::{DeviceId, MemberNo};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::codes::{self, Waiting};
use super::facts;
use super::guard::{Asked, May, Phones};
use crate::access::Session;
use crate::app::Hub;
use crate::error::Result;
use crate::phones;
use crate::store::{Awaited, Device, DeviceListing, MemberRow};

/// A phone as lists of this part show it.
#[derive(Debug, Clone)]
pub(super) struct Phone {
    /// The device.
    pub id: String,
    /// The first four digits, as phones show it.
    pub short: String,
    /// The page of its member.
    pub path: String,
    /// Who it was made for.
    pub member: String,
    /// Where.
    pub hamlet: String,
    /// In words.
    pub state: String,
    /// The hub takes what it says.
    pub trusted: bool,
    /// It can be given up.
    pub held: bool,
    /// When it last delivered; empty: never.
    pub last: String,
    /// Entries here.
    pub entries: String,
    /// What is known not to have come; empty: nothing.
    pub awaited: String,
    /// Its certificate holds until.
    pub expires: String,
}

/// A phone as lists show it.
pub(super) fn phone(asked: &Asked, device: &DeviceListing, awaited: Awaited) -> Phone {
    let words = asked.words;
    let state = match device.state.as_str() {
        "active" => "console-phone-active",
        "waiting" => "phones-state-waiting",
        "expired" => "console-phone-expired",
        "lost" => "console-phone-lost",
        _ => "console-phone-revoked",
    };
    let parts = [("phones-awaited-entries", awaited.entries), ("phones-awaited-files", awaited.files)];
    let awaited = parts.into_iter().filter(|(_, n)| *n > 0).map(|(id, n)| words.say(id, &[("n", n.into())]));
    Phone {
        id: device.id.clone(),
        short: facts::short_device(&device.id).to_owned(),
        path: format!("/console/people/{}", device.member_no),
        member: facts::person(words, &device.member, device.member_no),
        hamlet: facts::hamlet(words, &device.hamlet),
        state: words.word(state),
        trusted: device.state == "active",
        held: !matches!(device.state.as_str(), "lost" | "revoked"),
        last: device.last_contact.as_deref().map_or_else(String::new, |at| facts::moment(words, at)),
        entries: words.number(i64::try_from(device.entries).unwrap_or(i64::MAX)),
        awaited: awaited.collect::<Vec<_>>().join(", "),
        expires: facts::moment(words, &device.expires),
    }
}

/// Phones in reach, newest first.
pub(super) async fn phones_in_reach(hub: &Hub, asked: &Asked, session: &Session) -> Result<Vec<(DeviceListing, Awaited)>> {
    let awaited = hub.store.awaited().await?;
    let of = |id: &str| awaited.iter().find(|(device, _)| device.to_string() == id).map(|(_, awaited)| *awaited).unwrap_or_default();
    let rows = hub.store.device_list(session.query(), asked.now_ms).await?;
    Ok(rows.into_iter().map(|row| (row.clone(), of(&row.id))).collect())
}

#[derive(Template)]
#[template(path = "member.html")]
struct Member {
    c: Chrome,
    role: String,
    hamlet: String,
    phones: Vec<Phone>,
    waiting: Vec<Waiting>,
    no: u32,
    token: String,
}

/// One member and the phones of that member.
pub(super) async fn member(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Phones>, Path(no): Path<u32>) -> Response {
    let shown = async {
        let people = hub.store.people().await?;
        let found: Option<&MemberRow> = people.member(MemberNo(no)).filter(|member| session.reach.sees(member.hamlet));
        let Some(member) = found else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        hub.note(&session.officer, "list phones", &no.to_string(), "").await?;
        let all = phones_in_reach(&hub, &asked, &session).await?;
        let own: Vec<Phone> =
            all.iter().filter(|(row, _)| row.member_no == no).map(|(row, awaited)| phone(&asked, row, *awaited)).collect();
        let waiting = codes::waiting(&hub, &asked, &session).await?;
        let page = Member {
            c: Chrome::new(&asked, &session, Section::People, facts::person(asked.words, &member.name, no)),
            role: facts::role(asked.words, member.role.code()),
            hamlet: facts::hamlet(asked.words, &people.hamlet_name(member.hamlet)),
            waiting: waiting.into_iter().filter(|waiting| own.iter().any(|phone| waiting.path.ends_with(&phone.id))).collect(),
            phones: own,
            no,
            token: session.form_token.clone(),
        };
        Ok(rendered(StatusCode::OK, &page))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What may stand in the address of the confirmation.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    act: String,
}

#[derive(Template)]
#[template(path = "phone_gone.html")]
struct Gone {
    c: Chrome,
    path: String,
    back: String,
    phone: Phone,
    act: String,
    lost: bool,
}

async fn device(hub: &Hub, session: &Session, id: &str) -> Result<Option<Arc<Device>>> {
    let Ok(id) = id.parse::<DeviceId>() else { return Ok(None) };
    Ok(hub.store.device(id).await?.filter(|device| session.reach.decides(device.hamlet)))
}

/// What will happen when this phone is given up.
pub(super) async fn gone(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Phones>,
    Path(id): Path<String>,
    Query(wanted): Query<Wanted>,
) -> Response {
    let shown = async {
        let Some(device) = device(&hub, &session, &id).await? else {
            return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here"));
        };
        let lost = wanted.act != "revoke";
        let all = phones_in_reach(&hub, &asked, &session).await?;
        let found = all.iter().find(|(row, _)| row.id == device.id.to_string()).map(|(row, awaited)| phone(&asked, row, *awaited));
        let Some(phone) = found else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        let page = Gone {
            c: Chrome::new(&asked, &session, Section::People, asked.words.word(if lost { "phones-lost" } else { "phones-revoke" })),
            path: format!("/console/people/phones/{}", device.id),
            back: phone.path.clone(),
            phone,
            act: if lost { "lost" } else { "revoke" }.to_owned(),
            lost,
        };
        Ok(rendered(StatusCode::OK, &page))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What the confirmation sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sure {
    token: String,
    act: String,
}

/// Gives the phone up.
pub(super) async fn give_up(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Phones>,
    Path(id): Path<String>,
    form: std::result::Result<Form<Sure>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let done = async {
        let Some(device) = device(&hub, &session, &id).await? else {
            return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here"));
        };
        let lost = match form.act.as_str() {
            "lost" => true,
            "revoke" => false,
            _ => return Ok(refused(&asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken")),
        };
        phones::revoke(&hub, &session.officer, device.id, lost).await?;
        Ok(see_other(&format!("/console/people/{}", device.member.0)))
    };
    done.await.unwrap_or_else(|error| failed(&asked, &error))
}
