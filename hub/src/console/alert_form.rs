//! Composing an alert: write, look at it as phones will show it, send. One for the whole commune waits for a second
//! officer ([`second`]).

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::HEXLOWER;
use yenban_locales::Words;
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::id::{HamletNo, Role};
use yenban_protocol::text::{CollationKey, display_safe, display_safe_lines};

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::guard::{Asked, May, Warn};
use super::{Hub, alerts, facts, second};
use crate::access::Session;
use crate::access::rights::Right;
use crate::alert::{Amiss, amiss};
use crate::cap;
use crate::clock::{HOUR_MS, whole_second_ms};
use crate::entropy;
use crate::error::Result;
use crate::limits::{ALERT_REFERENCES_MAX, DESCRIPTION_MAX_CHARS, HEADLINE_MAX_CHARS, NAME_MAX_CHARS};
use crate::store::{AlertRow, People};

/// The fields of a form, if it was one.
type Sent = std::result::Result<Form<Vec<(String, String)>>, FormRejection>;

/// Lives of an alert that can be chosen, hours; the second is chosen beforehand.
pub(super) const LIVES_H: [i64; 6] = [2, 6, 12, 24, 48, 72];

/// What is written in the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) token: String,
    pub(super) headline: String,
    pub(super) description: String,
    pub(super) instruction: String,
    pub(super) severity: String,
    pub(super) hours: String,
    pub(super) drill: bool,
    pub(super) whole: bool,
    pub(super) hamlets: Vec<u32>,
    /// CAP's word where it is no new alert; empty: it is one.
    pub(super) kind: String,
    /// Identifiers of the alerts it updates or takes back, a space between two.
    pub(super) references: String,
    /// The identifier it came with; empty: it is written here.
    pub(super) identifier: String,
    /// Who says it, where that is not this commune.
    pub(super) sender: String,
    /// What stands above the form; nothing of it is sent.
    pub(super) note: String,
}

impl Draft {
    /// Reads the fields. Repeated ones (the hamlets) are why this is not left to a derive.
    fn read(fields: Vec<(String, String)>) -> Self {
        let mut draft = Self::default();
        for (name, value) in fields {
            // Browsers send line breaks of text fields as CR LF.
            let value = value.replace("\r\n", "\n");
            match name.as_str() {
                "token" => draft.token = value,
                "headline" => draft.headline = value.trim().to_owned(),
                "description" => draft.description = value.trim().to_owned(),
                "instruction" => draft.instruction = value.trim().to_owned(),
                "severity" => draft.severity = value,
                "hours" => draft.hours = value,
                "kind" => draft.kind = value,
                "references" => draft.references = value,
                "identifier" => draft.identifier = value,
                "sender" => draft.sender = value.trim().to_owned(),
                "drill" => draft.drill = true,
                "whole" => draft.whole = true,
                "hamlet" => draft.hamlets.extend(value.parse::<u32>().ok()),
                _ => {}
            }
        }
        if draft.whole {
            draft.hamlets.clear();
        }
        draft.hamlets.sort_unstable();
        draft.hamlets.dedup();
        draft
    }

    /// The alert, or the ids of what is still missing.
    fn checked(&self, hub: &Hub, session: &Session, people: &People) -> std::result::Result<Alert, Vec<&'static str>> {
        let mut wrong = Vec::new();
        let too_long = |text: &str, most: usize| text.chars().count() > most;
        if self.headline.is_empty() || too_long(&self.headline, HEADLINE_MAX_CHARS) {
            wrong.push("console-alert-needs-headline");
        }
        if self.instruction.is_empty() || too_long(&self.instruction, DESCRIPTION_MAX_CHARS) {
            wrong.push("console-alert-needs-instruction");
        }
        if too_long(&self.description, DESCRIPTION_MAX_CHARS) {
            wrong.push("console-alert-too-long");
        }
        // A control character would steer the screens that show it.
        let steers = |text: &str| text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r'));
        let references: Vec<String> = self.references.split_whitespace().map(str::to_owned).collect();
        let kind = match self.kind.as_str() {
            "" => Some(MessageType::Alert),
            kind => MessageType::from_code(kind).filter(|kind| *kind != MessageType::Alert),
        };
        let named = kind.is_some_and(|kind| references.is_empty() == (kind == MessageType::Alert))
            && references.len() <= ALERT_REFERENCES_MAX
            && references.iter().chain((!self.identifier.is_empty()).then_some(&self.identifier)).all(|id| cap::is_name(id));
        if self.headline.contains(['\n', '\r'])
            || self.sender.contains(['\n', '\r'])
            || self.sender.chars().count() > NAME_MAX_CHARS
            || [&self.headline, &self.description, &self.instruction, &self.sender].into_iter().any(|text| steers(text))
            || !named
        {
            wrong.push("console-not-taken");
        }
        let severity = Severity::from_code(&self.severity);
        if severity.is_none() {
            wrong.push("console-alert-needs-severity");
        }
        let known = |no: &u32| people.hamlet(HamletNo(*no)).is_some() && session.reach.sees(HamletNo(*no));
        if self.whole != self.hamlets.is_empty() || !self.hamlets.iter().all(known) || (self.whole && !session.may(Right::WarnAll)) {
            wrong.push("console-alert-needs-hamlet");
        }
        let hours = self.hours.parse::<i64>().ok().filter(|hours| LIVES_H.contains(hours));
        let (Some(severity), Some(hours), true) = (severity, hours, wrong.is_empty()) else {
            if wrong.is_empty() {
                wrong.push("console-alert-needs-life");
            }
            return Err(wrong);
        };
        let sent_ms = whole_second_ms(hub.now_ms());
        Ok(Alert {
            identifier: match self.identifier.as_str() {
                "" => format!("yb-{}-{}", hub.commune(), HEXLOWER.encode(&entropy::array::<8>())),
                known => known.to_owned(),
            },
            sender_name: if self.sender.is_empty() { hub.identity().name.clone() } else { self.sender.clone() },
            sent_ms,
            expires_ms: sent_ms + hours * HOUR_MS,
            status: if self.drill { Status::Exercise } else { Status::Actual },
            message_type: kind.unwrap_or(MessageType::Alert),
            severity,
            urgency: if severity == Severity::Extreme { Urgency::Immediate } else { Urgency::Expected },
            headline: self.headline.clone(),
            description: self.description.clone(),
            instruction: self.instruction.clone(),
            hamlets: self.hamlets.iter().map(|no| HamletNo(*no)).collect(),
            references,
        })
    }
}

/// A choice of the form.
#[derive(Debug, Clone)]
struct Choice {
    value: String,
    word: String,
    shape: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "alert_form.html")]
struct Compose {
    c: Chrome,
    draft: Draft,
    wrong: Vec<String>,
    severities: Vec<Choice>,
    lives: Vec<Choice>,
    hamlets: Vec<Choice>,
    whole: bool,
    headline_max: usize,
    text_max: usize,
}

#[derive(Template)]
#[template(path = "alert_preview.html")]
struct Preview {
    c: Chrome,
    draft: Draft,
    shape: &'static str,
    severity: String,
    severity_class: &'static str,
    headline: String,
    description: String,
    instruction: String,
    replaces: Vec<String>,
    sender: String,
    places: String,
    until: String,
    phones: String,
}

pub(super) fn compose(asked: &Asked, session: &Session, people: &People, draft: Draft, wrong: &[&'static str]) -> Response {
    let words = asked.words;
    let severities = Severity::ALL
        .iter()
        .map(|severity| {
            let (shape, word) = facts::severity(words, severity.code());
            Choice { value: severity.code().to_owned(), word, shape, chosen: draft.severity == severity.code() }
        })
        .collect();
    let mut hamlets: Vec<_> = people.hamlets.iter().filter(|hamlet| session.reach.sees(hamlet.no)).collect();
    hamlets.sort_by_cached_key(|hamlet| CollationKey::new(&hamlet.name));
    let hamlets = hamlets
        .into_iter()
        .map(|hamlet| Choice {
            value: hamlet.no.0.to_string(),
            word: facts::hamlet(words, &hamlet.name),
            shape: "",
            chosen: draft.hamlets.contains(&hamlet.no.0),
        })
        .collect();
    let chosen_h = draft.hours.parse().unwrap_or(LIVES_H[1]);
    let lives = LIVES_H
        .iter()
        .map(|hours| Choice {
            value: hours.to_string(),
            word: words.duration((hours * HOUR_MS).unsigned_abs()),
            shape: "",
            chosen: *hours == chosen_h,
        })
        .collect();
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut draft = draft;
    if draft.note.is_empty() {
        // A form that comes back still says that it replaces something, and whose words it has.
        let kind = match draft.kind.as_str() {
            "Update" => Some("warn-form-update"),
            "Cancel" => Some("warn-form-cancel"),
            _ => None,
        };
        let from = (!draft.sender.is_empty()).then(|| words.say("warn-form-from", &[("sender", display_safe(&draft.sender).into())]));
        draft.note = kind.map(|id| words.word(id)).into_iter().chain(from).collect::<Vec<_>>().join(" ");
    }
    let c = Chrome::new(asked, session, Section::Alerts, words.word("console-alert-new"));
    let wrong = wrong.iter().map(|id| words.word(id)).collect();
    let whole = session.may(Right::WarnAll);
    let page =
        Compose { c, draft, wrong, severities, lives, hamlets, whole, headline_max: HEADLINE_MAX_CHARS, text_max: DESCRIPTION_MAX_CHARS };
    rendered(status, &page)
}

/// The empty form.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Warn>) -> Response {
    match hub.store.people().await {
        Ok(people) => compose(&asked, &session, &people, Draft::default(), &[]),
        Err(error) => failed(&asked, &error),
    }
}

/// The form with what was written in it, from the preview.
pub(super) async fn again(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Warn>, form: Sent) -> Response {
    let Ok(Form(fields)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let draft = Draft::read(fields);
    if !session.sent(&draft.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    match hub.store.people().await {
        Ok(people) => compose(&asked, &session, &people, draft, &[]),
        Err(error) => failed(&asked, &error),
    }
}

/// Lines that say what an alert replaces: by its headline, or by its name where it is not known here.
async fn replaces(hub: &Hub, words: Words, alert: &Alert) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    for reference in &alert.references {
        let known = hub.store.alert(reference.clone()).await?;
        let (id, what) = match &known {
            Some(before) => ("warn-replaces", &before.alert.headline),
            None => ("warn-replaces-unknown", reference),
        };
        lines.push(words.say(id, &[("what", display_safe(what).into())]));
    }
    Ok(lines)
}

/// The alert as phones will show it, or the form again with what is missing.
pub(super) async fn preview(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Warn>, form: Sent) -> Response {
    with_draft(&hub, &asked, &session, form, |people, draft, alert, replaces| {
        let words = asked.words;
        let (shape, severity) = facts::severity(words, alert.severity.code());
        let mut places: Vec<String> = alert.hamlets.iter().map(|no| facts::hamlet(words, &people.hamlet_name(*no))).collect();
        if draft.whole {
            places.push(words.word("console-whole-commune"));
        }
        let volunteers = people.members.iter().filter(|member| matches!(member.role, Role::Leader | Role::Member));
        let for_members = volunteers.filter(|member| draft.whole || alert.hamlets.contains(&member.hamlet)).count();
        let page = Preview {
            c: Chrome::new(&asked, &session, Section::Alerts, words.word("console-alert-preview")),
            shape,
            severity,
            severity_class: alerts::severity_class(alert.severity.code()),
            headline: display_safe(&alert.headline),
            description: display_safe_lines(&alert.description),
            instruction: display_safe_lines(&alert.instruction),
            replaces,
            sender: display_safe(&alert.sender_name),
            places: places.join(", "),
            until: words.date_time(alert.expires_ms),
            phones: words.say("console-alert-for-n", &[("n", for_members.into())]),
            draft,
        };
        rendered(StatusCode::OK, &page)
    })
    .await
}

/// Sends it.
pub(super) async fn send(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Warn>, form: Sent) -> Response {
    let mut checked = None;
    let answer = with_draft(&hub, &asked, &session, form, |_, _, alert, _| {
        checked = Some(alert);
        see_other("/console/alerts")
    })
    .await;
    match checked {
        None => answer,
        Some(alert) if alert.hamlets.is_empty() => match second::ask(&hub, &session, &alert).await {
            Ok(path) => see_other(&path),
            Err(error) => failed(&asked, &error),
        },
        Some(alert) => match raise(&hub, &session, alert).await {
            Ok(()) => answer,
            Err(error) => failed(&asked, &error),
        },
    }
}

async fn with_draft(
    hub: &Hub,
    asked: &Asked,
    session: &Session,
    form: Sent,
    then: impl FnOnce(&People, Draft, Alert, Vec<String>) -> Response,
) -> Response {
    let Ok(Form(fields)) = form else { return refused(asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let draft = Draft::read(fields);
    if !session.sent(&draft.token) {
        return refused(asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let people = match hub.store.people().await {
        Ok(people) => people,
        Err(error) => return failed(asked, &error),
    };
    let alert = match draft.checked(hub, session, &people) {
        Ok(alert) => alert,
        Err(wrong) => return compose(asked, session, &people, draft, &wrong),
    };
    let known = async { Ok((amiss(hub, &alert).await?, replaces(hub, asked.words, &alert).await?)) };
    match known.await {
        Ok((None, replaces)) => then(&people, draft, alert, replaces),
        Ok((Some(Amiss::Places), _)) => compose(asked, session, &people, draft, &["warn-needs-all-places"]),
        Ok((Some(Amiss::Drill), _)) => compose(asked, session, &people, draft, &["warn-needs-same-drill"]),
        Err(error) => failed(asked, &error),
    }
}

/// The read log has the alert before anybody has.
async fn raise(hub: &Hub, session: &Session, alert: Alert) -> Result<()> {
    let action = if alert.is_drill() { "drill" } else { "alert" };
    hub.note(&session.officer, action, &alert.identifier, "").await?;
    crate::alert::raise(hub, AlertRow { alert, officer: session.officer.clone(), second: None, cap: None }).await
}
