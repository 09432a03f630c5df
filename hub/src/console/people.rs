//! Hamlets' people and their phones. Only what the commune's list of its groups makes public: name, role, hamlet,
//! group; and of a phone what the commune must know to trust or revoke it.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::id::Role;
use yenban_protocol::text::{CollationKey, Limit, display_safe, fold, folded_contains, script_warning};

use super::chrome::{Chrome, Section, failed, query_value, rendered};
use super::codes::{self, Waiting};
use super::devices::{self, Phone};
use super::guard::{Asked, May, Phones};
use super::{Hub, facts};
use crate::access::Session;
use crate::error::Result;
use crate::limits::CONSOLE_PAGE;
use crate::store::{DeviceListing, MemberRow, People as Known};

/// What may stand in the address of the list.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: u32,
}

/// A person.
#[derive(Debug, Clone)]
struct Person {
    path: String,
    name: String,
    odd: bool,
    role: String,
    hamlet: String,
    group: String,
    phones: String,
}

#[derive(Template)]
#[template(path = "people.html")]
struct People {
    c: Chrome,
    query: String,
    count: String,
    people: Vec<Person>,
    waiting: Vec<Waiting>,
    phones: Vec<Phone>,
    next: Option<String>,
}

/// The list.
pub(super) async fn page(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Phones>,
    wanted: std::result::Result<Query<Wanted>, QueryRejection>,
) -> Response {
    let Query(wanted) = wanted.unwrap_or_default();
    match listed(&hub, &asked, &session, &wanted).await {
        Ok(page) => rendered(StatusCode::OK, &page),
        Err(error) => failed(&asked, &error),
    }
}

async fn listed(hub: &Hub, asked: &Asked, session: &Session, wanted: &Wanted) -> Result<People> {
    let words = asked.words;
    let query = Limit::QUERY.cut(wanted.q.trim()).to_owned();
    hub.note(&session.officer, "list people", &query, "").await?;
    let known = hub.store.people().await?;
    let in_reach = devices::phones_in_reach(hub, asked, session).await?;
    let devices: Vec<&DeviceListing> = in_reach.iter().map(|(device, _)| device).collect();
    let folded = fold(&query);
    let group =
        |member: &MemberRow| known.groups.iter().find(|group| group.no == member.group).map(|group| group.name.clone()).unwrap_or_default();
    let mut found: Vec<&MemberRow> = known
        .members
        .iter()
        .filter(|member| session.reach.sees(member.hamlet))
        .filter(|member| {
            folded.is_empty() || folded_contains(&member.name, &query) || folded_contains(&known.hamlet_name(member.hamlet), &query)
        })
        .collect();
    found
        .sort_by_cached_key(|member| (CollationKey::new(&known.hamlet_name(member.hamlet)), member.group, CollationKey::new(&member.name)));
    let size = CONSOLE_PAGE as usize;
    let first = (wanted.page as usize).saturating_mul(size);
    let shown = found.iter().skip(first).take(size);
    let people = shown.map(|member| person(words, member, group(member), &known, &devices)).collect();
    let next = (found.len() > first.saturating_add(size))
        .then(|| format!("/console/people?q={}&page={}", query_value(&query), wanted.page.saturating_add(1)));
    let phones: Vec<Phone> = in_reach
        .iter()
        .filter(|(device, _)| folded.is_empty() || folded_contains(&device.member, &query) || folded_contains(&device.hamlet, &query))
        .take(size)
        .map(|(device, awaited)| devices::phone(asked, device, *awaited))
        .collect();
    Ok(People {
        c: Chrome::new(asked, session, Section::People, words.word("console-people")),
        count: words.say("console-people-count", &[("n", found.len().into()), ("hamlets", known.hamlets.len().into())]),
        query,
        people,
        waiting: codes::waiting(hub, asked, session).await?,
        phones,
        next,
    })
}

fn person(words: Words, member: &MemberRow, group: String, known: &Known, devices: &[&DeviceListing]) -> Person {
    let phones: Vec<&str> =
        devices.iter().filter(|device| device.member_no == member.no.0).map(|device| facts::short_device(&device.id)).collect();
    let police = matches!(member.role, Role::Officer | Role::Chief | Role::Auditor);
    Person {
        path: format!("/console/people/{}", member.no.0),
        name: facts::person(words, &member.name, member.no.0),
        odd: script_warning(&member.name).is_some(),
        role: facts::role(words, member.role.code()),
        hamlet: if police { words.word("console-commune") } else { facts::hamlet(words, &known.hamlet_name(member.hamlet)) },
        group: display_safe(&group),
        phones: phones.join(", "),
    }
}
