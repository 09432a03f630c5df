//! The commune police's pages: what came in from the hamlets, patrols on a map sketch, alerts, people and phones.
//!
//! Made on the server: they open on an old computer, print, and work with a screen reader and without scripts, but for
//! passkeys. All words come from `locales`; no page loads anything from elsewhere, and the policy of every answer forbids
//! it. What a page needs to be allowed stands in its signature (`guard::May`).
//! Content of a report is shown after its reader said what for, and the read log has the line before the page has it.
//!
//! | path under `/console` | page |
//! |---|---|
//! | `/` | incidents: urgent first, then newest; search without diacritics |
//! | `/incidents/{id}` | one incident, after its purpose was asked |
//! | `/incidents/{id}/answer`, `/assign`, `/link` | what became of it, who is to go, reports of one event |
//! | `/incidents/{id}/photos/{photo}/{file}` | a smaller copy, or the original to be saved, noted in its custody record |
//! | `/incidents/{id}/print` | its minute on A4, a draft until it is signed |
//! | `/live` | what comes and changes while the inbox stays open |
//! | `/sms` | takes a report by message, then shows its incident |
//! | `/patrols`, `/patrols/{id}` | patrols; one on a sketch and as a table |
//! | `/patrols/plans`, `/patrols/checkpoints`, `/patrols/checkpoints/sheet`, `/patrols/checkpoints/sheet.pdf` | who walks when; spots worth passing, as a list and to print |
//! | `/map` | incidents and patrols under way on a map that needs no internet; `/map/data`, `/map/ground`, `/map/base` are for its script |
//! | `/alerts`, `/alerts/new` | alerts with their answers; compose, preview, send |
//! | `/alerts/one/{id}` | one alert: who has it, who answered, who is silent; `/update`, `/cancel` and `/cap` under it |
//! | `/alerts/cap` | reads a CAP document into the form |
//! | `/alerts/second/{no}` | an alert for the whole commune, for a second officer to agree to |
//! | `/people`, `/people/{member}` | hamlets' people and their phones |
//! | `/people/codes`, `/people/words/{device}`, `/people/chief/{no}` | codes with which phones join; the four words compared |
//! | `/people/phones/{device}` | a phone is given up: lost, or taken back |
//! | `/accounts`, `/accounts/{member}` | who may come in, with which role and reach; links to open accounts |
//! | `/account` | one's own password, codes, passkeys and sessions |
//! | `/features/...` | patrols, check-ins, incidents for maps (OGC API – Features) |
//! | `/figures`, `/reads` | counts without content; who read and did what, and why |
//! | `/sign-in`, `/join/{token}`, `/enter/{token}`, `/leave` | the ways in and out ([`crate::access`]) |

mod account;
mod accounts;
mod alert_cap;
mod alert_form;
mod alert_page;
mod alerts;
mod checkpoints;
mod chief;
mod chrome;
mod codes;
mod devices;
mod door;
mod facts;
mod features;
mod figure;
mod form;
mod ground;
mod guard;
mod inbox;
mod incident;
mod live;
mod map;
mod message;
mod oversight;
mod passkeys;
mod patrols;
mod people;
mod photos;
mod plans;
mod print;
mod second;
mod sketch;
mod thread;
mod triage;
mod unsent;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::middleware;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};

use crate::app::Hub;
use crate::limits::CONSOLE_FORM_MAX_BYTES;
pub(crate) use chrome::query_value;
use chrome::{refused, see_other};
use guard::Asked;

/// The console of a hub, to be merged into its routes.
pub fn router<S: Clone + Send + Sync + 'static>(hub: Arc<Hub>) -> Router<S> {
    let pages = Router::new()
        .route("/", get(inbox::page))
        .route("/incidents/{id}", get(incident::page).post(incident::purpose))
        .route("/incidents/{id}/answer", post(triage::answered))
        .route("/incidents/{id}/assign", post(triage::assigned))
        .route("/incidents/{id}/link", post(triage::linked))
        .route("/incidents/{id}/print", get(print::page))
        .route("/incidents/{id}/photos/{photo}/{file}", get(photos::file))
        .route("/live", get(live::stream))
        .route("/sms", post(message::take))
        .route("/patrols", get(patrols::page))
        .route("/patrols/{id}", get(patrols::one))
        .route("/patrols/plans", get(plans::page).post(plans::add))
        .route("/patrols/plans/{no}", post(plans::end))
        .route("/patrols/checkpoints", get(checkpoints::page).post(checkpoints::add))
        .route("/patrols/checkpoints/sheet", get(checkpoints::sheet))
        .route("/patrols/checkpoints/sheet.pdf", get(checkpoints::sheet_pdf))
        .route("/patrols/checkpoints/{code}", post(checkpoints::close))
        .route("/map", get(map::page))
        .route("/map/data", get(map::data))
        .route("/map/ground", get(ground::own))
        .route("/map/base", get(ground::base))
        .route("/alerts", get(alerts::page))
        .route("/alerts/new", get(alert_form::page).post(alert_form::again))
        .route("/alerts/preview", post(alert_form::preview))
        .route("/alerts/send", post(alert_form::send))
        .route("/alerts/cap", get(alert_cap::page).post(alert_cap::read).layer(alert_cap::limit()))
        .route("/alerts/one/{id}", get(alert_page::page))
        .route("/alerts/one/{id}/{what}", get(alert_page::change))
        .route("/alerts/second/{no}", get(second::page).post(second::decide))
        .route("/people", get(people::page))
        .route("/people/{member}", get(devices::member))
        .route("/people/codes", get(codes::page).post(codes::make))
        .route("/people/codes/{name}", get(codes::one))
        .route("/people/words/{device}", post(codes::compared))
        .route("/people/chief/{no}", get(chief::page).post(chief::decide))
        .route("/people/phones/{device}", get(devices::gone).post(devices::give_up))
        .route("/accounts", get(accounts::page).post(accounts::add))
        .route("/accounts/{member}", get(accounts::one).post(accounts::change))
        .route("/account", get(account::page).post(account::change))
        .route("/account/passkeys/ask", post(passkeys::add))
        .route("/account/passkeys/answer", post(passkeys::added))
        .route("/features", get(features::landing))
        .route("/features/conformance", get(features::conformance))
        .route("/features/collections", get(features::collections))
        .route("/features/collections/{id}", get(features::collection))
        .route("/features/collections/{id}/items", get(features::items))
        .route("/features/collections/{id}/items/{name}", get(features::item))
        .route("/figures", get(oversight::figures))
        .route("/reads", get(oversight::reads))
        .route("/sign-in", get(door::page).post(door::sign_in))
        .route("/sign-in/ask", post(passkeys::ask))
        .route("/sign-in/answer", post(passkeys::come_in))
        .route("/join/{token}", get(door::join_page).post(door::join))
        .route("/enter/{token}", get(door::enter))
        .route("/leave", post(door::leave))
        .route("/assets/console.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/console.css"))))
        .route("/assets/print.css", get(|| asset("text/css; charset=utf-8", include_str!("../../assets/print.css"))))
        .route("/assets/inbox.js", get(|| asset("text/javascript; charset=utf-8", include_str!("../../assets/inbox.js"))))
        .route("/assets/passkeys.js", get(|| asset("text/javascript; charset=utf-8", include_str!("../../assets/passkeys.js"))))
        .route("/assets/map.js", get(|| asset("text/javascript; charset=utf-8", include_str!("../../assets/map.js"))))
        .route("/assets/communes.csv", get(|| asset("text/csv; charset=utf-8", ground::COMMUNES)))
        .route("/assets/vendor/{name}", get(ground::vendored))
        .route("/assets/mark.svg", get(|| asset("image/svg+xml", include_str!("../../assets/mark.svg"))))
        .fallback(nothing_here)
        .layer(DefaultBodyLimit::max(CONSOLE_FORM_MAX_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&hub), guard::headers));
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

#[cfg(test)]
mod tests;
