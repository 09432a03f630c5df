//! The commune police's pages: what came in from the hamlets, patrols on a map sketch, alerts, people and phones.
//!
//! Made on the server, without scripts: they open on an old computer, print, and work with a screen reader as they
//! are. All words come from `locales`; no page loads anything from elsewhere, and the policy of every answer forbids it.
//! Content of a report is shown after its reader said what for, and the read log has the line before the page has it.
//!
//! | path under `/console` | page |
//! |---|---|
//! | `/` | incidents: urgent first, then newest; search without diacritics |
//! | `/incidents/{id}` | one incident, after its purpose was asked |
//! | `/sms` | takes a report by message, then shows its incident |
//! | `/patrols`, `/patrols/{id}` | patrols; one on a sketch and as a table |
//! | `/alerts`, `/alerts/new` | alerts with their answers; compose, preview, send |
//! | `/people` | hamlets' people and their phones |
//! | `/enter/{token}`, `/leave` | the way in and out ([`access`]) |

pub mod access;
mod alert_form;
mod alerts;
mod chrome;
mod facts;
mod guard;
mod inbox;
mod incident;
mod message;
mod patrols;
mod people;
mod sketch;

use std::sync::Arc;

use axum::Form;
use axum::Router;
use axum::extract::rejection::FormRejection;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::app::Hub;
use crate::limits::{CONSOLE_FORM_MAX_BYTES, CONSOLE_SESSION_TTL_MS};
use access::{COOKIE, Refused};
use chrome::{Chrome, refused, rendered, see_other};
use guard::{Asked, SignedIn, TokenForm};

/// The console of a hub, to be merged into its routes.
pub fn router<S: Clone + Send + Sync + 'static>(hub: Arc<Hub>) -> Router<S> {
    let pages = Router::new()
        .route("/", get(inbox::page))
        .route("/incidents/{id}", get(incident::page).post(incident::purpose))
        .route("/sms", post(message::take))
        .route("/patrols", get(patrols::page))
        .route("/patrols/{id}", get(patrols::one))
        .route("/alerts", get(alerts::page))
        .route("/alerts/new", get(alert_form::page))
        .route("/alerts/preview", post(alert_form::preview))
        .route("/alerts/send", post(alert_form::send))
        .route("/people", get(people::page))
        .route("/enter/{token}", get(enter))
        .route("/leave", post(leave))
        .route("/assets/console.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/console.css"))))
        .route("/assets/mark.svg", get(|| asset("image/svg+xml", include_str!("../../assets/mark.svg"))))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(CONSOLE_FORM_MAX_BYTES))
        .layer(middleware::from_fn(guard::headers));
    Router::new()
        .route("/", get(|| async { see_other("/console/") }))
        .route("/console", get(|| async { see_other("/console/") }))
        .nest("/console/", pages)
        .with_state(hub)
}

async fn asset(kind: &'static str, text: &'static str) -> Response {
    // The one thing that may be kept: it holds nothing of anybody. An hour, so that an update shows the same duty.
    let headers = [(CONTENT_TYPE, kind), (CACHE_CONTROL, "max-age=3600")];
    (headers, text).into_response()
}

async fn nothing_here(asked: Asked) -> Response {
    refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here")
}

/// A link becomes a session.
async fn enter(State(hub): State<Arc<Hub>>, asked: Asked, Path(token): Path<String>) -> Response {
    match hub.console.enter(&token, hub.now_ms()) {
        Ok(value) => {
            let max_age_s = CONSOLE_SESSION_TTL_MS / 1000;
            let cookie = format!("{COOKIE}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; Secure; SameSite=Strict");
            with_cookie(see_other("/console/"), &cookie)
        }
        Err(Refused::Link) => refused(&asked, StatusCode::UNAUTHORIZED, "console-link-closed"),
        Err(Refused::TooManyTries) => refused(&asked, StatusCode::TOO_MANY_REQUESTS, "console-too-many-tries"),
    }
}

async fn leave(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Response {
    if !form.is_ok_and(|Form(form)| session.sent(&form.token)) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    hub.console.leave(&session);
    let page = chrome::Message { c: Chrome::outside(&asked, "console-left"), text: asked.words.word("console-left-more") };
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
    with_cookie(rendered(StatusCode::OK, &page), &gone)
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // Made of a fixed text and base64: always a header's value.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests;
