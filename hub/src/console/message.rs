//! A report by message, pasted or typed in by the officer who has the receiving phone. It leads to the incident, which says
//! that so far a message alone tells of it.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::Words;
use yenban_protocol::sms::SmsError;

use super::chrome::{Chrome, Message, failed, refused, rendered, see_other};
use super::guard::{Asked, May, Read};
use crate::app::Hub;
use crate::error::{HubError, Refusal};
use crate::sms;

/// What the form sends.
#[derive(Debug, Deserialize)]
pub(super) struct MessageForm {
    #[serde(default)]
    token: String,
    #[serde(default)]
    text: String,
}

/// Takes the message.
pub(super) async fn take(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    May(session, _): May<Read>,
    form: Result<Form<MessageForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    let taken = match sms::take(&hub, &form.text).await {
        Ok(taken) => taken,
        Err(error) => return told(&asked, &error),
    };
    if let Err(error) = hub.note(&session.officer, "sms", &taken.incident, "").await {
        return failed(&asked, &error);
    }
    match taken.state.as_str() {
        "quarantined" => refused(&asked, StatusCode::OK, "console-sms-set-aside"),
        _ => see_other(&format!("/console/incidents/{}", taken.incident)),
    }
}

/// Why it was not taken, in a sentence that says what to do.
fn told(asked: &Asked, error: &HubError) -> Response {
    match sentence(asked.words, error) {
        Some(text) => rendered(StatusCode::UNPROCESSABLE_ENTITY, &Message { c: Chrome::outside(asked, "console-not-done"), text }),
        None => failed(asked, error),
    }
}

fn sentence(words: Words, error: &HubError) -> Option<String> {
    let HubError::Refused(refusal) = error else { return None };
    Some(match refusal {
        Refusal::Sms(SmsError::NotOurs) => words.word("error-sms-not-ours"),
        Refusal::Sms(SmsError::Version) => words.word("error-sms-version"),
        Refusal::Sms(SmsError::Length { found }) => words.say("error-sms-length", &[("found", (*found).into())]),
        Refusal::Sms(SmsError::Symbol { place }) => words.say("error-sms-symbol", &[("place", (*place).into())]),
        Refusal::Sms(SmsError::Check) => words.word("error-sms-check"),
        Refusal::Signature(_) => words.word("error-sms-signature"),
        Refusal::UnknownDevice => words.word("error-sms-unknown-device"),
        Refusal::Conflict(_) => words.word("error-sms-differs"),
        Refusal::WrongDevice => words.word("error-sms-wrong-device"),
        _ => return None,
    })
}
