//! The four calls of the two passkey ceremonies, as JSON for the page's script.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::door;
use super::guard::{Asked, SignedIn};
use crate::access::passkey;
use crate::app::Hub;
use crate::error::{HubError, Refusal};

/// A name and whose.
#[derive(Deserialize)]
pub(super) struct Ask {
    #[serde(default)]
    token: String,
    #[serde(default)]
    login: String,
    #[serde(default)]
    label: String,
}

/// What the browser answered.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    token: String,
    #[serde(default)]
    ceremony: String,
    #[serde(default)]
    answer: Value,
}

fn told(status: StatusCode, text: String) -> Response {
    (status, Json(json!({ "wrong": text }))).into_response()
}

fn failed(asked: &Asked, error: &HubError) -> Response {
    if let HubError::Refused(Refusal::Invalid { .. }) = error {
        return told(StatusCode::UNPROCESSABLE_ENTITY, asked.words.word("console-passkey-not"));
    }
    tracing::error!(code = error.code(), %error, "a passkey could not be looked at");
    told(StatusCode::INTERNAL_SERVER_ERROR, asked.words.word("console-hub-trouble"))
}

fn unread(asked: &Asked) -> Response {
    told(StatusCode::BAD_REQUEST, asked.words.word("console-not-taken"))
}

fn old(asked: &Asked) -> Response {
    told(StatusCode::FORBIDDEN, asked.words.word("console-form-old"))
}

/// Begins to come in.
pub(super) async fn ask(State(hub): State<Arc<Hub>>, asked: Asked, body: Result<Json<Ask>, JsonRejection>) -> Response {
    let Ok(Json(ask)) = body else { return unread(&asked) };
    match passkey::ask(&hub, &asked.host, &ask.login).await {
        Ok(value) => Json(value).into_response(),
        Err(error) => failed(&asked, &error),
    }
}

/// Comes in.
pub(super) async fn come_in(State(hub): State<Arc<Hub>>, asked: Asked, body: Result<Json<Answer>, JsonRejection>) -> Response {
    let Ok(Json(answer)) = body else { return unread(&asked) };
    match passkey::come_in(&hub, &asked.host, &answer.ceremony, answer.answer).await {
        Ok(Ok(cookie)) => door::inside(Json(json!({})).into_response(), &cookie),
        Ok(Err(shut)) => {
            let (status, text) = door::told(&asked, &shut);
            told(status, text)
        }
        Err(error) => failed(&asked, &error),
    }
}

/// Begins to add one.
pub(super) async fn add(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    body: Result<Json<Ask>, JsonRejection>,
) -> Response {
    let Ok(Json(ask)) = body else { return unread(&asked) };
    if !session.sent(&ask.token) {
        return old(&asked);
    }
    match passkey::add(&hub, &session, &asked.host, &ask.label).await {
        Ok(value) => Json(value).into_response(),
        Err(error) => failed(&asked, &error),
    }
}

/// Adds it.
pub(super) async fn added(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    body: Result<Json<Answer>, JsonRejection>,
) -> Response {
    let Ok(Json(answer)) = body else { return unread(&asked) };
    if !session.sent(&answer.token) {
        return old(&asked);
    }
    match passkey::added(&hub, &session, &asked.host, &answer.ceremony, answer.answer).await {
        Ok(()) => Json(json!({})).into_response(),
        Err(error) => failed(&asked, &error),
    }
}
