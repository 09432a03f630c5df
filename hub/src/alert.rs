//! Sending an alert: what an officer typed becomes one signed item in the stream of everybody it concerns.

use serde::{Deserialize, Serialize};
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{HamletNo, Role};
use yenban_protocol::limits::{MAX_NAME_BYTES, MAX_TEXT_BYTES};
use yenban_protocol::text::{nearest, same};

use crate::app::Hub;
use crate::clock::{rfc3339, whole_second_ms};
use crate::entropy;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{ALERT_TTL_MAX_MS, ALERT_TTL_MS, DESCRIPTION_MAX_CHARS, HEADLINE_MAX_CHARS, NEAREST_NAMES};
use crate::store::{AlertRow, ItemDraft, MemberRow, People};

/// What an officer wants to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertWanted {
    /// One line.
    pub headline: String,
    /// What happens.
    pub description: String,
    /// What to do.
    #[serde(default)]
    pub instruction: String,
    /// CAP's word: Extreme, Severe, Moderate, Minor or Unknown.
    pub severity: String,
    /// Names of hamlets; none: the whole commune.
    #[serde(default)]
    pub hamlets: Vec<String>,
    /// How long it holds, ms; `None`: 6 hours.
    #[serde(default)]
    pub ttl_ms: Option<i64>,
    /// A drill: never sounds as real.
    #[serde(default)]
    pub drill: bool,
    /// Who sends; empty: the operator at the hub.
    #[serde(default)]
    pub officer: String,
    /// The second officer, needed for the whole commune: the name, or the number of one who has no name yet.
    #[serde(default)]
    pub second: Option<String>,
    /// Identifiers of alerts this one updates or cancels.
    #[serde(default)]
    pub references: Vec<String>,
    /// It takes back those it refers to.
    #[serde(default)]
    pub cancel: bool,
}

/// An alert that was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertSent {
    /// Its identifier.
    pub id: String,
    /// Names of the hamlets; none: the whole commune.
    pub hamlets: Vec<String>,
    /// When.
    pub sent: String,
    /// Until when it holds.
    pub expires: String,
    /// A drill.
    pub drill: bool,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> HubError {
    Refusal::Invalid { field, reason: reason.into() }.into()
}

/// A text as typed, not too long and without invisible controls.
fn text(field: &'static str, typed: &str, most_chars: usize, needed: bool) -> Result<String> {
    let typed = typed.trim();
    if needed && typed.is_empty() {
        return Err(invalid(field, "is empty"));
    }
    if typed.chars().count() > most_chars || typed.len() > MAX_TEXT_BYTES {
        return Err(invalid(field, format!("is longer than {most_chars} characters")));
    }
    if typed.chars().any(|c| c.is_control() && c != '\n') {
        return Err(invalid(field, "has control characters"));
    }
    Ok(typed.to_owned())
}

fn hamlets(people: &People, names: &[String]) -> Result<Vec<HamletNo>> {
    let mut found = Vec::new();
    for name in names {
        let Some(hamlet) = people.hamlet_named(name.trim()) else {
            let all = people.hamlets.iter().map(|h| h.name.as_str());
            let nearest = nearest(name, all, NEAREST_NAMES).into_iter().map(|near| near.text.to_owned()).collect();
            return Err(Refusal::UnknownHamlet { name: name.clone(), nearest }.into());
        };
        if !found.contains(&hamlet.no) {
            found.push(hamlet.no);
        }
    }
    Ok(found)
}

/// The second officer as this hub knows that person: an officer here, and another person than the sender.
fn second_officer(people: &People, wanted: &AlertWanted) -> Result<Option<String>> {
    let Some(typed) = &wanted.second else {
        return if wanted.hamlets.is_empty() { Err(Refusal::SecondOfficer.into()) } else { Ok(None) };
    };
    let typed = text("second", typed, MAX_NAME_BYTES / 4, true)?;
    let officers = || people.members.iter().filter(|m| matches!(m.role, Role::Officer | Role::Chief));
    // The officer made with the hub may have a number alone.
    let meant = |m: &&MemberRow| if m.name.is_empty() { m.no.0.to_string() == typed } else { same(&m.name, &typed) };
    let Some(second) = officers().find(meant) else {
        let names = officers().map(|m| m.name.as_str()).filter(|name| !name.is_empty());
        let nearest = nearest(&typed, names, NEAREST_NAMES).into_iter().map(|near| near.text.to_owned()).collect();
        return Err(Refusal::UnknownOfficer { name: typed, nearest }.into());
    };
    if same(&typed, wanted.officer.trim()) {
        return Err(invalid("second", "is the officer who sends: it takes two"));
    }
    Ok(Some(if second.name.is_empty() { typed } else { second.name.clone() }))
}

/// Sends an alert.
pub async fn send(hub: &Hub, wanted: AlertWanted) -> Result<AlertSent> {
    let headline = text("headline", &wanted.headline, HEADLINE_MAX_CHARS, true)?;
    if headline.contains('\n') {
        return Err(invalid("headline", "is one line"));
    }
    let description = text("description", &wanted.description, DESCRIPTION_MAX_CHARS, true)?;
    let instruction = text("instruction", &wanted.instruction, DESCRIPTION_MAX_CHARS, false)?;
    let officer = text("officer", &wanted.officer, MAX_NAME_BYTES / 4, false)?;
    let severity =
        Severity::from_code(&wanted.severity).ok_or_else(|| invalid("severity", "is one of Extreme, Severe, Moderate, Minor, Unknown"))?;
    let ttl_ms = wanted.ttl_ms.unwrap_or(ALERT_TTL_MS);
    if ttl_ms <= 0 || ttl_ms > ALERT_TTL_MAX_MS {
        return Err(invalid("expires", "is between one second and 30 days"));
    }
    let message_type = match (wanted.references.is_empty(), wanted.cancel) {
        (true, true) => return Err(invalid("cancel", "needs the alert it takes back")),
        (true, false) => MessageType::Alert,
        (false, true) => MessageType::Cancel,
        (false, false) => MessageType::Update,
    };
    for reference in &wanted.references {
        if hub.store.alert(reference.clone()).await?.is_none() {
            return Err(Refusal::NotFound { what: "alert", name: reference.clone() }.into());
        }
    }
    let people = hub.store.people().await?;
    let second = second_officer(&people, &wanted)?;
    let hamlets = hamlets(&people, &wanted.hamlets)?;
    let sent_ms = whole_second_ms(hub.now_ms());
    let random: [u8; 8] = entropy::array();
    let alert = Alert {
        identifier: format!("yb-{}-{}", hub.commune(), data_encoding::HEXLOWER.encode(&random)),
        sender_name: hub.identity().name.clone(),
        sent_ms,
        expires_ms: sent_ms + ttl_ms,
        status: if wanted.drill { Status::Exercise } else { Status::Actual },
        message_type,
        severity,
        urgency: if severity == Severity::Extreme { Urgency::Immediate } else { Urgency::Expected },
        headline,
        description,
        instruction,
        hamlets: hamlets.clone(),
        references: wanted.references,
    };
    match amiss(hub, &alert).await? {
        Some(Amiss::Places) => return Err(invalid("hamlet", "must name every hamlet that had the alert before")),
        Some(Amiss::Drill) => return Err(invalid("drill", "must be as in the alert before: a drill replaces nothing real")),
        None => {}
    }
    let sent = AlertSent {
        id: alert.identifier.clone(),
        hamlets: hamlets.iter().map(|no| people.hamlet_name(*no)).collect(),
        sent: rfc3339(alert.sent_ms),
        expires: rfc3339(alert.expires_ms),
        drill: wanted.drill,
    };
    raise(hub, AlertRow { alert, officer: officer.clone(), second, cap: None }).await?;
    hub.note(if officer.is_empty() { "operator" } else { &officer }, "alert", &sent.id, "").await?;
    tracing::info!(alert = sent.id, drill = sent.drill, hamlets = sent.hamlets.len(), "alert sent");
    Ok(sent)
}

/// Why an update or a cancel must not replace what it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amiss {
    /// It leaves out somebody who was told before, who would go on believing what was.
    Places,
    /// One is a drill and the other is not: a drill must not take a real warning off the phones.
    Drill,
}

/// What is wrong with replacing what an alert refers to, as far as that is known here. Whoever may not warn all who had
/// it cannot take it back either.
pub(crate) async fn amiss(hub: &Hub, alert: &Alert) -> Result<Option<Amiss>> {
    for reference in &alert.references {
        let Some(before) = hub.store.alert(reference.clone()).await?.map(|row| row.alert) else { continue };
        if before.is_drill() != alert.is_drill() {
            return Ok(Some(Amiss::Drill));
        }
        let named = !before.hamlets.is_empty() && before.hamlets.iter().all(|no| alert.hamlets.contains(no));
        if !alert.hamlets.is_empty() && !named {
            return Ok(Some(Amiss::Places));
        }
    }
    Ok(None)
}

/// Keeps an alert that was composed and puts it into the stream of every hamlet it names, or of the commune.
pub async fn raise(hub: &Hub, row: AlertRow) -> Result<()> {
    if raise_once(hub, row).await? { Ok(()) } else { Err(Refusal::Conflict("an alert with this identifier").into()) }
}

/// As [`raise`]; `false`: an alert with this identifier is here, and nothing was changed.
pub(crate) async fn raise_once(hub: &Hub, row: AlertRow) -> Result<bool> {
    let item = |scope| ItemDraft { scope, item: Item::Alert(row.alert.clone()), issued_ms: hub.now_ms() };
    let items = match row.alert.hamlets.as_slice() {
        [] => vec![item(Scope::Commune(hub.commune()))],
        hamlets => hamlets.iter().map(|no| item(Scope::Hamlet(*no))).collect(),
    };
    let read = hub.store.caps(row.alert.identifier.clone()).await?.into_iter().find(|kept| kept.reason == "read");
    let row = AlertRow { cap: read.map(|kept| kept.body), ..row };
    hub.store.raise_alert(row, items, hub.item_signer()).await
}
