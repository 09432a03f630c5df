//! Codes with which phones join: made for a member, shown as QR and text, and what became of them.
//!
//! A phone that redeems one waits until an officer has compared four words with whoever holds it (THREATS.md, T-09): a
//! code on a screen can be photographed by a bystander, who then has the code and other words. A code for a chief is made
//! when a second officer agrees.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_protocol::id::{DeviceId, HamletNo, MemberNo, Role};
use yenban_protocol::text::{CollationKey, display_safe, script_warning};

use super::chief::{self, Wish};
use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::facts;
use super::guard::{Asked, May, Phones};
use crate::access::rights::Right;
use crate::access::{self, Session};
use crate::admin::{checked_address, listening_address};
use crate::app::Hub;
use crate::enrol::{CODE_USED_AGAIN, CodeMade, CodeWanted, checked_name, code_name, make_waiting_code};
use crate::error::Result;
use crate::limits::{CODES_SHOWN_MS, NAME_MAX_CHARS};
use crate::store::{CodeRow, Device, ListQuery, MemberRow, NOBODY, People, WHOLE_COMMUNE};
use crate::{phones, qr};

/// A phone that waits for somebody to compare its words.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    /// Where its forms go.
    pub path: String,
    /// Who it was made for, and where.
    pub who: String,
    /// The name or hamlet has letters that look like others.
    pub odd: bool,
    /// The short name of the device.
    pub device: String,
    /// The four words.
    pub words: String,
    /// When it came.
    pub since: String,
}

/// A code of the last day.
#[derive(Debug, Clone)]
struct Code {
    path: String,
    who: String,
    odd: bool,
    role: String,
    state: String,
    on: bool,
}

/// One of several to choose from.
#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "codes.html")]
struct Codes {
    c: Chrome,
    wrong: Option<String>,
    told: Option<String>,
    waiting: Vec<Waiting>,
    wishes: Vec<Wish>,
    members: Vec<Choice>,
    hamlets: Vec<Choice>,
    roles: Vec<Choice>,
    name: String,
    new_hamlet: String,
    /// Whether its reader may write down a hamlet that is not on the list.
    may_found: bool,
    name_max: usize,
    codes: Vec<Code>,
    again: Vec<String>,
}

#[derive(Template)]
#[template(path = "code.html")]
struct One {
    c: Chrome,
    who: String,
    odd: bool,
    role: String,
    /// QR and text, while they are shown: once.
    shown: Option<(String, String)>,
    until: String,
    state: String,
    open: bool,
    path: String,
    waiting: Vec<Waiting>,
    again: Vec<String>,
}

/// What the form of this page sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Filled {
    token: String,
    member: u32,
    name: String,
    hamlet: u32,
    /// A hamlet that is not on the list yet, in place of `hamlet`.
    new_hamlet: String,
    role: String,
}

/// The fields of a form, if it was one.
pub(super) type Sent<T> = std::result::Result<Form<T>, FormRejection>;

/// Name, hamlet and whether one of them may be mistaken for another.
fn who(asked: &Asked, name: &str, hamlet: &str) -> (String, bool) {
    let odd = script_warning(name).is_some() || script_warning(hamlet).is_some();
    let name = if name.trim().is_empty() { asked.words.word("console-name-unknown") } else { display_safe(name) };
    (format!("{name} · {}", facts::hamlet(asked.words, hamlet)), odd)
}

async fn waits(hub: &Hub, asked: &Asked, people: &People, device: &Device) -> Result<Waiting> {
    let (who, odd) = who(asked, &people.member_name(device.member), &people.hamlet_name(device.hamlet));
    Ok(Waiting {
        path: format!("/console/people/words/{}", device.id),
        who,
        odd,
        device: facts::short_device(&device.id.to_string()).to_owned(),
        words: phones::words(hub, device).await?,
        since: asked.words.date_time(device.enrolled_ms),
    })
}

/// Phones in reach that wait, oldest first.
pub(super) async fn waiting(hub: &Hub, asked: &Asked, session: &Session) -> Result<Vec<Waiting>> {
    let people = hub.store.people().await?;
    let mut devices = hub.store.devices().await?;
    devices.retain(|device| device.waiting && device.revoked_ms.is_none() && session.reach.decides(device.hamlet));
    devices.sort_by_key(|device| (device.enrolled_ms, device.id));
    let mut all = Vec::with_capacity(devices.len());
    for device in &devices {
        all.push(waits(hub, asked, &people, device).await?);
    }
    Ok(all)
}

/// What became of a code, and whether that is good.
async fn state_of(hub: &Hub, asked: &Asked, row: &CodeRow) -> Result<(String, bool)> {
    let words = asked.words;
    let Some((device, at_ms)) = row.used else {
        let until = [("until", words.date_time(row.code.expires_ms).into())];
        let open = row.code.expires_ms >= asked.now_ms;
        return Ok((words.say(if open { "phones-code-open" } else { "phones-code-over" }, &until), open));
    };
    let known = hub.store.device(device).await?;
    let id = match known.as_deref() {
        Some(device) if device.revoked_ms.is_some() => "phones-code-revoked",
        Some(device) if device.waiting => "phones-code-waits",
        _ => "phones-code-used",
    };
    let device = facts::short_device(&device.to_string()).to_owned();
    let joined = known.is_some_and(|device| device.revoked_ms.is_none() && !device.waiting);
    Ok((words.say(id, &[("phone", device.into()), ("at", words.date_time(at_ms).into())]), joined))
}

/// When used codes were tried by other phones: the chief must know that somebody else has them.
async fn tried_again(hub: &Hub, asked: &Asked, code: Option<&str>) -> Result<Vec<String>> {
    let since_ms = Some(asked.now_ms.saturating_sub(CODES_SHOWN_MS));
    let query = ListQuery { name: Some("hub".to_owned()), since_ms, ..ListQuery::default() };
    let rows = hub.store.audit(query).await?;
    let tries = rows.iter().filter(|row| row.action == CODE_USED_AGAIN && code.is_none_or(|code| row.subject == code));
    Ok(tries.map(|row| asked.words.say("phones-code-again", &[("at", asked.words.date_time(row.at_ms).into())])).collect())
}

fn choices(asked: &Asked, session: &Session, people: &People, filled: &Filled) -> (Vec<Choice>, Vec<Choice>, Vec<Choice>) {
    let words = asked.words;
    let mut members: Vec<&MemberRow> = people.members.iter().filter(|member| may_make(session, member.role, member.hamlet)).collect();
    members.sort_by_cached_key(|m| (CollationKey::new(&people.hamlet_name(m.hamlet)), CollationKey::new(&m.name)));
    let member = |member: &&MemberRow| Choice {
        value: member.no.0.to_string(),
        word: format!(
            "{} · {} · {}",
            facts::hamlet(words, &people.hamlet_name(member.hamlet)),
            facts::person(words, &member.name, member.no.0),
            facts::role(words, member.role.code())
        ),
        chosen: member.no.0 == filled.member,
    };
    let mut hamlets: Vec<_> = people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)).collect();
    hamlets.sort_by_cached_key(|hamlet| CollationKey::new(&hamlet.name));
    let hamlet = |hamlet: &&crate::store::HamletRow| Choice {
        value: hamlet.no.0.to_string(),
        word: facts::hamlet(words, &hamlet.name),
        chosen: hamlet.no.0 == filled.hamlet,
    };
    let role = |role: Role| Choice {
        value: role.code().to_owned(),
        word: facts::role(words, role.code()),
        chosen: role.code() == filled.role || (filled.role.is_empty() && role == Role::Member),
    };
    let roles = [Role::Member, Role::Leader, Role::Officer, Role::Chief].into_iter().filter(|role| may_name(session, *role));
    (members.iter().map(member).collect(), hamlets.iter().map(hamlet).collect(), roles.map(role).collect())
}

/// Whether this session may make a code for somebody of this role in this hamlet. An auditor needs no phone.
fn may_make(session: &Session, role: Role, hamlet: HamletNo) -> bool {
    match role {
        Role::Member | Role::Leader => hamlet != WHOLE_COMMUNE && session.reach.decides(hamlet),
        Role::Officer | Role::Chief => session.reach.is_whole(),
        Role::Auditor => false,
    }
}

/// Whether this session may give somebody new this role.
fn may_name(session: &Session, role: Role) -> bool {
    match role {
        Role::Member | Role::Leader => true,
        Role::Officer | Role::Chief => session.reach.is_whole() && session.may(Right::Accounts),
        Role::Auditor => false,
    }
}

async fn list(
    hub: &Hub,
    asked: &Asked,
    session: &Session,
    filled: &Filled,
    wrong: Option<&'static str>,
    told: Option<&'static str>,
) -> Result<Response> {
    hub.note(&session.officer, "list codes", "", "").await?;
    let people = hub.store.people().await?;
    let (members, hamlets, roles) = choices(asked, session, &people, filled);
    let mut codes = Vec::new();
    for row in hub.store.codes(asked.now_ms.saturating_sub(CODES_SHOWN_MS)).await? {
        if !session.reach.decides(row.code.hamlet) {
            continue;
        }
        let (who, odd) = who(asked, &row.code.name, &row.code.hamlet_name);
        let (state, on) = state_of(hub, asked, &row).await?;
        let role = facts::role(asked.words, row.code.role.code());
        codes.push(Code { path: format!("/console/people/codes/{}", code_name(&row.code.token_hash)), who, odd, role, state, on });
    }
    let page = Codes {
        c: Chrome::new(asked, session, Section::People, asked.words.word("word-enrolment-code")),
        wrong: wrong.map(|id| asked.words.word(id)),
        told: told.map(|id| asked.words.word(id)),
        waiting: waiting(hub, asked, session).await?,
        wishes: chief::wishes(hub, asked, session).await?,
        members,
        hamlets,
        roles,
        name: filled.name.clone(),
        new_hamlet: filled.new_hamlet.clone(),
        may_found: session.reach.is_whole(),
        name_max: NAME_MAX_CHARS,
        codes,
        again: if session.reach.is_whole() { tried_again(hub, asked, None).await? } else { Vec::new() },
    };
    Ok(rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// The page.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Phones>) -> Response {
    list(&hub, &asked, &session, &Filled::default(), None, None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// Makes a code, or asks for the second officer whom a chief's needs.
pub(super) async fn make(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Phones>, form: Sent<Filled>) -> Response {
    let Ok(Form(filled)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&filled.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    made(&hub, &asked, &session, filled).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// For whom a code is, when it may be made.
fn meant(session: &Session, people: &People, filled: &Filled) -> std::result::Result<MemberRow, &'static str> {
    if filled.member != 0 {
        let found = people.member(MemberNo(filled.member)).filter(|member| may_make(session, member.role, member.hamlet));
        return found.cloned().ok_or("console-not-taken");
    }
    let name = checked_name("name", &filled.name).map_err(|_| "phones-code-needs-name")?;
    if name.is_empty() {
        return Err("phones-code-needs-name");
    }
    let role = Role::ALL.into_iter().find(|role| role.code() == filled.role).ok_or("console-not-taken")?;
    let of_the_commune = matches!(role, Role::Officer | Role::Chief);
    let hamlet = if of_the_commune { WHOLE_COMMUNE } else { HamletNo(filled.hamlet) };
    if !of_the_commune && people.hamlet(hamlet).is_none() {
        return Err("phones-code-needs-hamlet");
    }
    if !may_make(session, role, hamlet) || !may_name(session, role) {
        return Err("console-not-taken");
    }
    Ok(MemberRow { no: NOBODY, name, role, hamlet, group: 0 })
}

/// Writes down the hamlet of somebody new that is not on the list yet; only who sees the whole commune may. What else the
/// form says is looked at first, so that a slip leaves no hamlet behind.
async fn founded(hub: &Hub, session: &Session, filled: &mut Filled) -> Result<std::result::Result<(), &'static str>> {
    let in_a_hamlet = [Role::Member, Role::Leader].iter().any(|role| role.code() == filled.role);
    if filled.member != 0 || filled.new_hamlet.trim().is_empty() || !in_a_hamlet {
        return Ok(Ok(()));
    }
    if !session.reach.is_whole() {
        return Ok(Err("console-not-taken"));
    }
    if !checked_name("name", &filled.name).is_ok_and(|name| !name.is_empty()) {
        return Ok(Err("phones-code-needs-name"));
    }
    let Ok(name) = checked_name("hamlet", &filled.new_hamlet) else { return Ok(Err("phones-code-needs-hamlet")) };
    let people = hub.store.people().await?;
    filled.hamlet = match people.hamlet_named(&name) {
        Some(known) => known.no.0,
        None => {
            hub.note(&session.officer, "hamlet added", &name, "").await?;
            hub.store.add_hamlet(name, hub.now_ms(), hub.commune(), hub.item_signer()).await?.no.0
        }
    };
    Ok(Ok(()))
}

async fn made(hub: &Hub, asked: &Asked, session: &Session, mut filled: Filled) -> Result<Response> {
    let founded = founded(hub, session, &mut filled).await?;
    let people = hub.store.people().await?;
    if let Err(wrong) = founded {
        return list(hub, asked, session, &filled, Some(wrong), None).await;
    }
    let meant = match meant(session, &people, &filled) {
        Ok(meant) => meant,
        Err(wrong) => return list(hub, asked, session, &filled, Some(wrong), None).await,
    };
    if meant.role == Role::Chief {
        return Ok(see_other(&chief::propose(hub, session, &meant).await?));
    }
    show_new(hub, asked, session, &meant).await
}

/// Where phones are told to find this hub: as it listens, and as the officer's browser found it.
fn addresses(hub: &Hub, asked: &Asked) -> Result<Vec<String>> {
    let listening = listening_address(hub)?;
    let unspecified = listening.parse::<std::net::SocketAddr>().is_ok_and(|address| address.ip().is_unspecified());
    let host = if access::passkey::without_port(&asked.host) == asked.host { format!("{}:443", asked.host) } else { asked.host.clone() };
    let mut addresses: Vec<String> = (!unspecified).then_some(listening).into_iter().collect();
    addresses.extend(checked_address(&host).ok().filter(|host| !addresses.contains(host)));
    Ok(addresses)
}

/// Makes the code and shows it, this once.
pub(super) async fn show_new(hub: &Hub, asked: &Asked, session: &Session, meant: &MemberRow) -> Result<Response> {
    let people = hub.store.people().await?;
    let hamlet = people.hamlet_name(meant.hamlet);
    let subject = format!("{} {}", meant.role.code(), meant.no.0);
    hub.note(&session.officer, "code made", &subject, "").await?;
    let addresses = addresses(hub, asked)?;
    let wanted = CodeWanted { hamlet: hamlet.clone(), create: false, role: meant.role, name: meant.name.clone(), addresses };
    let CodeMade { text, expires_ms, token_hash, .. } = make_waiting_code(hub, wanted, meant.no).await?;
    let (who, odd) = who(asked, &meant.name, &hamlet);
    let page = One {
        c: Chrome::new(asked, session, Section::People, asked.words.word("word-enrolment-code")),
        who,
        odd,
        role: facts::role(asked.words, meant.role.code()),
        shown: Some((qr::svg(&text, &asked.words.word("phones-code-qr")), text)),
        until: asked.words.time(expires_ms),
        state: String::new(),
        open: true,
        path: format!("/console/people/codes/{}", code_name(&token_hash)),
        waiting: Vec::new(),
        again: Vec::new(),
    };
    Ok(rendered(StatusCode::OK, &page))
}

/// What became of one code.
pub(super) async fn one(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Phones>, Path(name): Path<String>) -> Response {
    let shown = async {
        let rows = hub.store.codes(asked.now_ms.saturating_sub(CODES_SHOWN_MS)).await?;
        let found = rows.into_iter().find(|row| code_name(&row.code.token_hash) == name && session.reach.decides(row.code.hamlet));
        let Some(row) = found else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        let (who, odd) = who(&asked, &row.code.name, &row.code.hamlet_name);
        let (state, _) = state_of(&hub, &asked, &row).await?;
        let people = hub.store.people().await?;
        let device = match row.used {
            Some((device, _)) => hub.store.device(device).await?.filter(|device| device.waiting && device.revoked_ms.is_none()),
            None => None,
        };
        let waiting = match &device {
            Some(device) => vec![waits(&hub, &asked, &people, device).await?],
            None => Vec::new(),
        };
        let page = One {
            c: Chrome::new(&asked, &session, Section::People, asked.words.word("word-enrolment-code")),
            who,
            odd,
            role: facts::role(asked.words, row.code.role.code()),
            shown: None,
            until: asked.words.time(row.code.expires_ms),
            state,
            open: row.used.is_none() && row.code.expires_ms >= asked.now_ms,
            path: format!("/console/people/codes/{name}"),
            waiting,
            again: tried_again(&hub, &asked, Some(&name)).await?,
        };
        Ok(rendered(StatusCode::OK, &page))
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What forms of one button send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Act {
    pub token: String,
    pub act: String,
}

/// The words agree, or they do not.
pub(super) async fn compared(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Phones>,
    Path(device): Path<String>,
    form: Sent<Act>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let decided = async {
        let device = match device.parse::<DeviceId>() {
            Ok(id) => hub.store.device(id).await?.filter(|device| session.reach.decides(device.hamlet)),
            Err(_) => None,
        };
        let Some(device) = device else { return Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
        let told = match form.act.as_str() {
            "agree" if phones::confirm(&hub, &session.officer, device.id).await? => "phones-words-agreed",
            "differ" if device.waiting => {
                hub.note(&session.officer, "words differ", &device.id.to_string(), "").await?;
                phones::revoke(&hub, &session.officer, device.id, false).await?;
                "phones-words-differed"
            }
            "agree" | "differ" => "phones-words-late",
            _ => return Ok(refused(&asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken")),
        };
        list(&hub, &asked, &session, &Filled::default(), None, Some(told)).await
    };
    decided.await.unwrap_or_else(|error| failed(&asked, &error))
}
