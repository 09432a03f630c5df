//! Who may come in: officers and auditors, with role and reach; links that open accounts. For the chief.
//!
//! A link is shown once, to be handed over in person: whoever has it becomes that officer. A new chief needs a second
//! person (THREATS.md, T-09): the wish waits on this page until another officer confirms it.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use yenban_protocol::id::{HamletNo, MemberNo, Role};
use yenban_protocol::text::{CollationKey, display_safe, same};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::guard::{Accounts, Asked, May};
use super::{facts, oversight};
use crate::access::rights::{self, Reach};
use crate::access::{self, Session};
use crate::app::Hub;
use crate::enrol::checked_name;
use crate::error::Result;
use crate::limits::{JOIN_TTL_MS, NAME_MAX_CHARS};
use crate::store::{AccountChange, AccountRow, MemberRow, NOBODY, People, WHOLE_COMMUNE};

/// The fields of a form, if it was one.
type Sent = std::result::Result<Form<Vec<(String, String)>>, FormRejection>;

#[derive(Debug, Clone)]
struct Officer {
    path: String,
    name: String,
    role: String,
    reach: String,
    login: String,
    state: String,
    open: bool,
}

#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "accounts.html")]
struct List {
    c: Chrome,
    officers: Vec<Officer>,
    wrong: Option<String>,
    name: String,
    roles: Vec<Choice>,
    hamlets: Vec<Choice>,
    name_max: usize,
}

#[derive(Template)]
#[template(path = "account_of.html")]
struct One {
    c: Chrome,
    path: String,
    officer: Officer,
    own: bool,
    link: Option<String>,
    link_until: String,
    hamlets: Vec<Choice>,
    reads: Vec<oversight::Line>,
}

fn reach_words(asked: &Asked, people: &People, reach: &[HamletNo]) -> String {
    if reach.is_empty() {
        return asked.words.word("console-whole-commune");
    }
    let mut names: Vec<String> = reach.iter().map(|no| facts::hamlet(asked.words, &people.hamlet_name(*no))).collect();
    names.sort_by_cached_key(|name| CollationKey::new(name));
    names.join(", ")
}

fn officer(asked: &Asked, people: &People, member: &MemberRow, account: Option<&AccountRow>) -> Officer {
    let open = account.is_some_and(|account| account.closed_ms.is_none() && !account.login.is_empty());
    let state = match account {
        Some(_) if open => "console-account-open",
        Some(account) if account.closed_ms.is_some() => "console-account-closed",
        _ => "console-account-none",
    };
    Officer {
        path: format!("/console/accounts/{}", member.no.0),
        name: facts::person(asked.words, &member.name, member.no.0),
        role: facts::role(asked.words, member.role.code()),
        reach: reach_words(asked, people, account.map_or(&[], |account| &account.reach)),
        login: account.filter(|_| open).map(|account| display_safe(&account.login)).unwrap_or_default(),
        state: asked.words.word(state),
        open,
    }
}

fn hamlet_choices(asked: &Asked, people: &People, chosen: &[HamletNo]) -> Vec<Choice> {
    let mut hamlets: Vec<_> = people.hamlets.iter().collect();
    hamlets.sort_by_cached_key(|hamlet| CollationKey::new(&hamlet.name));
    let choice = |hamlet: &crate::store::HamletRow| Choice {
        value: hamlet.no.0.to_string(),
        word: facts::hamlet(asked.words, &hamlet.name),
        chosen: chosen.contains(&hamlet.no),
    };
    hamlets.into_iter().map(choice).collect()
}

async fn list(hub: &Hub, asked: &Asked, session: &Session, filled: &Filled, wrong: Option<&'static str>) -> Result<Response> {
    let people = hub.store.people().await?;
    let accounts = hub.store.accounts().await?;
    let account = |no: MemberNo| accounts.iter().find(|account| account.member == no);
    let mut members: Vec<&MemberRow> = people.members.iter().filter(|member| rights::has_account(member.role)).collect();
    members.sort_by_cached_key(|member| (std::cmp::Reverse(member.role == Role::Chief), CollationKey::new(&member.name)));
    let page = List {
        c: Chrome::new(asked, session, Section::Accounts, asked.words.word("console-accounts")),
        officers: members.into_iter().map(|member| officer(asked, &people, member, account(member.no))).collect(),
        wrong: wrong.map(|id| asked.words.word(id)),
        name: display_safe(&filled.name),
        roles: [Role::Officer, Role::Auditor]
            .map(|role| Choice {
                value: role.code().to_owned(),
                word: facts::role(asked.words, role.code()),
                chosen: filled.role.map_or(role == Role::Officer, |chosen| chosen == role),
            })
            .to_vec(),
        hamlets: hamlet_choices(asked, &people, &filled.reach),
        name_max: NAME_MAX_CHARS,
    };
    Ok(rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// All of them.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Accounts>) -> Response {
    list(&hub, &asked, &session, &Filled::default(), None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What the forms of these pages send. Repeated fields (the hamlets) are why this is not left to a derive.
#[derive(Debug, Default)]
struct Filled {
    token: String,
    name: String,
    role: Option<Role>,
    reach: Vec<HamletNo>,
    act: String,
}

impl Filled {
    fn read(fields: Vec<(String, String)>) -> Self {
        let mut filled = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "token" => filled.token = value,
                "name" => filled.name = value.trim().to_owned(),
                "role" => filled.role = Role::ALL.into_iter().find(|role| role.code() == value),
                "hamlet" => filled.reach.extend(value.parse().ok().map(HamletNo)),
                "act" => filled.act = value,
                _ => {}
            }
        }
        filled.reach = Reach::of(filled.reach).hamlets().to_vec();
        filled
    }
}

/// Adds an officer or auditor and shows the link that opens the account.
pub(super) async fn add(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Accounts>, form: Sent) -> Response {
    let Ok(Form(fields)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let filled = Filled::read(fields);
    if !session.sent(&filled.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    added(&hub, &asked, &session, filled).await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn added(hub: &Hub, asked: &Asked, session: &Session, filled: Filled) -> Result<Response> {
    let people = hub.store.people().await?;
    let unknown = filled.reach.iter().any(|no| people.hamlet(*no).is_none());
    let role = filled.role.filter(|role| matches!(role, Role::Officer | Role::Auditor));
    let Some(role) = role.filter(|_| !unknown) else { return list(hub, asked, session, &filled, Some("console-not-taken")).await };
    if filled.name.is_empty() || checked_name("name", &filled.name).is_err() {
        return list(hub, asked, session, &filled, Some("console-account-needs-name")).await;
    }
    if people.members.iter().any(|member| rights::has_account(member.role) && same(&member.name, &filled.name)) {
        return list(hub, asked, session, &filled, Some("console-account-name-taken")).await;
    }
    let row = MemberRow { no: NOBODY, name: filled.name, role, hamlet: WHOLE_COMMUNE, group: 0 };
    let member = hub.store.add_member(row).await?;
    hub.store.plan_account(member.no, filled.reach, hub.now_ms()).await?;
    hub.note(&session.officer, "officer added", &member.no.0.to_string(), role.code()).await?;
    one_page(hub, asked, session, &member, true).await
}

/// One of them.
pub(super) async fn one(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Accounts>, Path(no): Path<u32>) -> Response {
    let shown = async {
        match member(&hub, no).await? {
            Some(member) => one_page(&hub, &asked, &session, &member, false).await,
            None => Ok(refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")),
        }
    };
    shown.await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn member(hub: &Hub, no: u32) -> Result<Option<MemberRow>> {
    let people = hub.store.people().await?;
    Ok(people.member(MemberNo(no)).filter(|member| rights::has_account(member.role)).cloned())
}

async fn one_page(hub: &Hub, asked: &Asked, session: &Session, member: &MemberRow, with_link: bool) -> Result<Response> {
    let people = hub.store.people().await?;
    let account = hub.store.account(member.no).await?;
    let link = if with_link {
        hub.note(&session.officer, "join link", &member.no.0.to_string(), "").await?;
        Some(format!("https://{}{}", asked.host, access::join_link(hub, member.no).await?))
    } else {
        None
    };
    let page = One {
        c: Chrome::new(asked, session, Section::Accounts, facts::person(asked.words, &member.name, member.no.0)),
        path: format!("/console/accounts/{}", member.no.0),
        officer: officer(asked, &people, member, account.as_ref()),
        own: member.no == session.member,
        link,
        link_until: asked.words.date_time(hub.now_ms() + JOIN_TTL_MS),
        hamlets: hamlet_choices(asked, &people, account.as_ref().map_or(&[], |account| &account.reach)),
        reads: oversight::lines_of(hub, asked, &access::name_of(member)).await?,
    };
    Ok(rendered(StatusCode::OK, &page))
}

/// A new link, another reach, or the account closed.
pub(super) async fn change(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Accounts>,
    Path(no): Path<u32>,
    form: Sent,
) -> Response {
    let Ok(Form(fields)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let filled = Filled::read(fields);
    if !session.sent(&filled.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    changed(&hub, &asked, &session, no, filled).await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn changed(hub: &Hub, asked: &Asked, session: &Session, no: u32, filled: Filled) -> Result<Response> {
    let Some(member) = member(hub, no).await? else { return Ok(refused(asked, StatusCode::NOT_FOUND, "console-nothing-here")) };
    let people = hub.store.people().await?;
    let back = see_other(&format!("/console/accounts/{no}"));
    let subject = no.to_string();
    // Nobody shuts the last door from inside, or takes the whole commune from the own sight.
    let own = member.no == session.member;
    match filled.act.as_str() {
        "link" => one_page(hub, asked, session, &member, true).await,
        "reach" if !own && filled.reach.iter().all(|no| people.hamlet(*no).is_some()) => {
            let words: Vec<String> = filled.reach.iter().map(|no| no.0.to_string()).collect();
            hub.note(&session.officer, "reach changed", &subject, &words.join(" ")).await?;
            hub.store.change_account(member.no, AccountChange::Reach(filled.reach)).await?;
            Ok(back)
        }
        "close" if !own => {
            hub.note(&session.officer, "account closed", &subject, "").await?;
            hub.store.change_account(member.no, AccountChange::Closed(hub.now_ms())).await?;
            Ok(back)
        }
        _ => Ok(refused(asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken")),
    }
}
