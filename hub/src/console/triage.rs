//! Answering from the console: states and lines to the reporter, who is to go, reports of one event. Whoever decides on an
//! older view than the newest is told what was decided in between, with what was typed kept.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::chrome::{failed, refused, see_other};
use super::guard::{Answer, Asked, May};
use super::{incident, thread};
use crate::access::Session;
use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::store::{IncidentListing, StepRow, Stepped, Triage};
use crate::triage::{Decider, Line, Unfit, answer, assign, assignee, find, link};

/// What the forms of a report send; each uses its part of it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    seen: String,
    /// `inbox`: back there.
    from: String,
    /// A state's code; empty: as it is.
    state: String,
    note: String,
    keep: String,
    /// Who is to go.
    to: String,
    /// The other report.
    other: String,
    /// `unlink`: not one event after all.
    act: String,
}

/// What is shown again when something was not taken.
#[derive(Debug, Clone, Default)]
pub(super) struct Again {
    /// Why.
    pub told: Option<String>,
    /// The state that was chosen.
    pub state: String,
    /// The line as typed.
    pub note: String,
    /// The reason as typed.
    pub keep: String,
    /// The line speaks of people, faith or illness.
    pub sensitive: bool,
}

impl Again {
    fn of(sent: &Sent, told: String, sensitive: bool) -> Self {
        Self { told: Some(told), state: sent.state.clone(), note: sent.note.clone(), keep: sent.keep.clone(), sensitive }
    }
}

type Posted = std::result::Result<Form<Sent>, FormRejection>;

struct Asking<'a> {
    hub: &'a Arc<Hub>,
    asked: &'a Asked,
    session: &'a Session,
    sent: Sent,
    row: IncidentListing,
    by: Decider,
}

/// Everything that all these forms are held to: whole, of this session, about a report in reach.
async fn begin<'a>(
    hub: &'a Arc<Hub>,
    asked: &'a Asked,
    session: &'a Session,
    id: &str,
    form: Posted,
) -> std::result::Result<Asking<'a>, Box<Response>> {
    let Ok(Form(sent)) = form else { return Err(Box::new(refused(asked, StatusCode::BAD_REQUEST, "console-not-taken"))) };
    if !session.sent(&sent.token) {
        return Err(Box::new(refused(asked, StatusCode::FORBIDDEN, "console-form-old")));
    }
    let row = find(hub, id, session.query()).await.map_err(|error| Box::new(failed(asked, &error)))?;
    // A form without the number was not made by our page: it has seen nothing.
    let seen = Some(sent.seen.parse().unwrap_or(0));
    let by = Decider { member: session.member, name: session.officer.clone(), seen };
    Ok(Asking { hub, asked, session, sent, row, by })
}

impl Asking<'_> {
    async fn ended(self, stepped: Result<Stepped>) -> Response {
        match stepped {
            Ok(Stepped::Done(_) | Stepped::Same) if self.sent.from == "inbox" => see_other("/console/"),
            Ok(Stepped::Done(_) | Stepped::Same) => see_other(&format!("/console/incidents/{}", self.row.id)),
            Ok(Stepped::Since(step)) => {
                let told = self.since(&step);
                self.again(StatusCode::CONFLICT, told, false).await
            }
            Ok(Stepped::Missing) => refused(self.asked, StatusCode::NOT_FOUND, "console-nothing-here"),
            Err(HubError::Refused(Refusal::Quota(_))) => {
                let told = self.asked.words.word("incident-too-many");
                self.again(StatusCode::UNPROCESSABLE_ENTITY, told, false).await
            }
            Err(error) => failed(self.asked, &error),
        }
    }

    /// What somebody decided in between.
    fn since(&self, step: &StepRow) -> String {
        let words = self.asked.words;
        let values = [
            ("who", thread::officer(words, &step.officer).into()),
            ("when", words.date_time(step.at_ms).into()),
            ("state", thread::state(words, step.state.code()).into()),
        ];
        words.say("incident-since", &values)
    }

    async fn again(self, status: StatusCode, told: String, sensitive: bool) -> Response {
        let again = Again::of(&self.sent, told, sensitive);
        // As it stands now, not as it stood before somebody decided.
        match find(self.hub, &self.row.id, self.session.query()).await {
            Ok(row) => incident::shown(self.hub, self.asked, self.session, &row, status, again).await,
            Err(error) => failed(self.asked, &error),
        }
    }
}

/// Tells the reporter a state, a line, or both.
pub(super) async fn answered(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Answer>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    let asking = match begin(&hub, &asked, &session, &id, form).await {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let words = asked.words;
    let state = match asking.sent.state.as_str() {
        "" => None,
        code => match Triage::from_code(code).filter(|state| Triage::ANSWERS.contains(state)) {
            Some(state) => Some(state),
            None => return refused(&asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken"),
        },
    };
    let line = match Line::of(&asking.sent.note, &asking.sent.keep) {
        Ok(line) => line,
        Err(unfit) => {
            let id = match unfit {
                Unfit::Long => "incident-note-long",
                Unfit::Control => "incident-note-control",
                Unfit::Sensitive(_) => "phone-sensitive-words",
            };
            return asking.again(StatusCode::UNPROCESSABLE_ENTITY, words.word(id), matches!(unfit, Unfit::Sensitive(_))).await;
        }
    };
    // The same click again, from a page that had not seen the first one: what was wanted stands already.
    let stands = state.is_some_and(|state| state.code() == asking.row.state) && asking.by.seen.is_some_and(|seen| seen < asking.row.steps);
    if line.note.is_empty() && stands {
        return asking.ended(Ok(Stepped::Same)).await;
    }
    if line.note.is_empty() && state.is_none_or(|state| state.code() == asking.row.state) {
        let told = words.word("incident-nothing-said");
        return asking.again(StatusCode::UNPROCESSABLE_ENTITY, told, false).await;
    }
    if state == Some(Triage::NeedsMore) && line.note.is_empty() {
        // Asked for more without a question, nobody knows what to look for.
        let told = words.word("incident-ask-what");
        return asking.again(StatusCode::UNPROCESSABLE_ENTITY, told, false).await;
    }
    let stepped = answer(&hub, &asking.row, &asking.by, state, line).await;
    asking.ended(stepped).await
}

/// Says who is to go, or takes it back.
pub(super) async fn assigned(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Answer>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    let asking = match begin(&hub, &asked, &session, &id, form).await {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let to = match assignee(&hub, &asking.sent.to).await {
        Ok(to) => to,
        Err(error) => return failed(&asked, &error),
    };
    // Whoever sees some hamlets sends nobody of another.
    if to.is_some_and(|to| !session.reach.sees(to.hamlet)) {
        return refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here");
    }
    let stepped = assign(&hub, &asking.row, &asking.by, to).await;
    asking.ended(stepped).await
}

/// Says that two reports tell of one event, or that they do not.
pub(super) async fn linked(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Answer>,
    Path(id): Path<String>,
    form: Posted,
) -> Response {
    let asking = match begin(&hub, &asked, &session, &id, form).await {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let on = asking.sent.act != "unlink";
    let other = match find(&hub, asking.sent.other.trim(), session.query()).await {
        Ok(other) => other,
        Err(HubError::Refused(_)) => {
            let told = asked.words.word("incident-link-unknown");
            return asking.again(StatusCode::UNPROCESSABLE_ENTITY, told, false).await;
        }
        Err(error) => return failed(&asked, &error),
    };
    let stepped = link(&hub, &asking.row, &other, &asking.by, on).await;
    asking.ended(stepped).await
}
