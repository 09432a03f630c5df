//! The routes: what may be asked for, by which method, with which body.
//!
//! The console's pages have their place under `/console` ([`router`] merges them in); everything for phones is `/v1`.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use yenban_protocol::limits::{MAX_PARCEL_BYTES, MAX_REQUEST_BYTES, MAX_SEGMENT_BYTES};
use yenban_protocol::parcel::PARCELS_PATH;
use yenban_protocol::upload::{OBJECTS_PATH, UPLOADS_PATH};
use yenban_protocol::wire::{KeysAnswer, MEDIA_TYPE, path};

use super::{answer, leftover, uploads};
use crate::app::Hub;
use crate::clock::Stopwatch;
use crate::error::{Problem, Refusal, Result};
use crate::limits::{FEED_WAIT_MAX, NO_ROOM_TO_WAIT_S, PARCELS_AT_ONCE_MAX, REQUEST_TIMEOUT, REQUESTS_MAX, RETURNED_BODY_MAX_BYTES};
use crate::{courier, enrol, feed, ingest, openapi, orders, waiting};

/// The figures' name of everything about uploads.
const UPLOADS: &str = "uploads";

/// What every route works with.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) hub: Arc<Hub>,
    room: Arc<Semaphore>,
    parcel_room: Arc<Semaphore>,
}

/// The room that a request has which will wait: dropped with it, or before it waits.
#[derive(Clone)]
struct Inside(#[expect(dead_code, reason = "held, not looked at")] Arc<OwnedSemaphorePermit>);

/// All routes of a hub.
pub fn router(hub: Arc<Hub>) -> Router {
    let room = |requests| Arc::new(Semaphore::new(requests));
    let shared = Shared { hub: Arc::clone(&hub), room: room(REQUESTS_MAX), parcel_room: room(PARCELS_AT_ONCE_MAX) };
    Router::new()
        .route(path::KEYS, get(keys))
        .route(path::ENROL, post(enrol))
        .route(path::SEGMENTS, post(segments))
        .route(path::FEED, post(pull))
        .route(path::ITEMS, post(items))
        .route(PARCELS_PATH, post(parcels))
        .merge(uploads::router())
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route(openapi::PATH, get(openapi))
        .merge(crate::console::router(hub))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(middleware::from_fn_with_state(shared.clone(), guard))
        .with_state(shared)
}

/// Around every request: room, time, figures, no compressed bodies, and an answer that arrives whatever is left unread.
async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    let started = Stopwatch::start();
    let request = leftover::care(request);
    let route = route_name(request.uri().path());
    let mut response = admit(&shared, request, next).await;
    if route == UPLOADS {
        uploads::say_version(&mut response);
    }
    shared.hub.metrics.answered(route, response.status().as_u16(), started.elapsed());
    response
}

/// Lets a request in, or says why not.
async fn admit(shared: &Shared, mut request: Request, next: Next) -> Response {
    // A chunk may take as long as a thin line needs, and has room of its own: slow ones never keep reports out.
    if uploads::is_chunk(request.method(), request.uri().path()) {
        return match shared.hub.uploads.chunk_room() {
            None => Refusal::Busy.into_response(),
            Some(_) if request.headers().contains_key(CONTENT_ENCODING) => Refusal::Encoding.into_response(),
            Some(_room) => next.run(request).await,
        };
    }
    match Arc::clone(&shared.room).try_acquire_owned() {
        Err(_) => Refusal::Busy.into_response(),
        Ok(_) if request.headers().contains_key(CONTENT_ENCODING) => Refusal::Encoding.into_response(),
        // Whoever waits for news comes in as everybody else and gives this room back before it waits.
        Ok(permit) if request.uri().path() == path::FEED && wait_wanted(request.headers()).is_some() => {
            request.extensions_mut().insert(Inside(Arc::new(permit)));
            in_time(next.run(request)).await
        }
        Ok(_permit) => in_time(next.run(request)).await,
    }
}

/// The answer, if it comes within the time for one.
async fn in_time(work: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, work).await {
        Ok(response) => response,
        Err(_) => answer::problem(&Problem::new("timeout", 408, "the request took too long; try again")),
    }
}

/// A path's name for the figures: known ones by name, all others together.
fn route_name(path: &str) -> &'static str {
    match path {
        path::KEYS => "keys",
        path::ENROL => "enrol",
        path::SEGMENTS => "segments",
        path::FEED => "feed",
        path::ITEMS => "items",
        OBJECTS_PATH => "objects",
        PARCELS_PATH => "parcels",
        _ if path.starts_with(UPLOADS_PATH) => UPLOADS,
        "/healthz" => "healthz",
        "/metrics" => "metrics",
        _ if path.starts_with("/console") => "console",
        _ => "other",
    }
}

/// Reads a CBOR body of at most `limit` bytes, counted on the stream whatever the headers claim.
pub(super) async fn body(request: Request, limit: usize) -> Result<Vec<u8>> {
    let headers = request.headers();
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != MEDIA_TYPE.as_bytes()) {
        return Err(Refusal::MediaType.into());
    }
    let too_large = || Refusal::TooLarge(format!("a body of at most {limit} bytes is taken here"));
    let claimed = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if claimed.is_some_and(|n| n > limit) {
        return Err(too_large().into());
    }
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(e) if e.downcast_ref::<LengthLimitError>().is_some() => Err(too_large().into()),
        Err(_) => Err(Refusal::Malformed("the body did not arrive whole".to_owned()).into()),
    }
}

async fn keys(State(Shared { hub, .. }): State<Shared>) -> Result<Response> {
    let answer = KeysAnswer { history: hub.keys.history.bytes().to_vec(), token: hub.token()? };
    Ok(answer::cbor(StatusCode::OK, answer.to_bytes()))
}

async fn enrol(State(Shared { hub, .. }): State<Shared>, request: Request) -> Result<Response> {
    let body = body(request, MAX_REQUEST_BYTES).await?;
    Ok(answer::cbor(StatusCode::OK, enrol::redeem(&hub, &body).await?.to_bytes()))
}

/// The receipt is the answer also to a contradiction (409): both branches are kept and it says what is held.
async fn segments(State(Shared { hub, .. }): State<Shared>, request: Request) -> Result<Response> {
    let body = body(request, MAX_SEGMENT_BYTES).await?;
    let delivered = ingest::deliver(&hub, &body).await?;
    let status = if delivered.forked { StatusCode::CONFLICT } else { StatusCode::OK };
    Ok(answer::cbor(status, delivered.receipt))
}

async fn pull(State(Shared { hub, .. }): State<Shared>, mut request: Request) -> Result<Response> {
    let (wait, inside) = (wait_wanted(request.headers()), request.extensions_mut().remove::<Inside>());
    let body = body(request, MAX_REQUEST_BYTES * 2).await?;
    let Some(wait) = wait else { return Ok(answer::cbor(StatusCode::OK, feed::pull(&hub, &body).await?.to_bytes())) };
    let heard = waiting::pull(&hub, &body, wait, inside).await?;
    let mut response = answer::cbor(StatusCode::OK, heard.answer.to_bytes());
    let headers = response.headers_mut();
    if heard.turned_away {
        headers.insert(RETRY_AFTER, HeaderValue::from(NO_ROOM_TO_WAIT_S));
    } else if let Ok(applied) = HeaderValue::from_str(&format!("wait={}", wait.as_secs())) {
        headers.insert(PREFERENCE_APPLIED, applied);
    }
    Ok(response)
}

const PREFER: HeaderName = HeaderName::from_static("prefer");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// How long a request would wait for news, by `Prefer: wait=N` (RFC 7240, seconds), no longer than it may.
fn wait_wanted(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(PREFER).iter().filter_map(|value| value.to_str().ok());
    let seconds = lines.flat_map(|line| line.split([',', ';'])).find_map(|one| {
        let (name, value) = one.trim().split_once('=')?;
        name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse::<u64>().ok()).flatten()
    })?;
    (seconds > 0).then(|| Duration::from_secs(seconds).min(FEED_WAIT_MAX))
}

async fn items(State(Shared { hub, .. }): State<Shared>, request: Request) -> Result<Response> {
    let body = body(request, RETURNED_BODY_MAX_BYTES).await?;
    Ok(answer::cbor(StatusCode::OK, orders::take_back(&hub, &body).await?.to_bytes()))
}

/// The parcel of a phone that has no network, brought by one that has. The answer is for its sender alone; without one
/// (204) the sender is not known here, or its request could not be believed.
async fn parcels(State(Shared { hub, parcel_room, .. }): State<Shared>, request: Request) -> Result<Response> {
    let Ok(_room) = parcel_room.try_acquire() else { return Err(Refusal::Busy.into()) };
    let body = body(request, MAX_PARCEL_BYTES).await?;
    Ok(match courier::take(&hub, &body).await?.answer {
        Some(answer) => answer::cbor(StatusCode::OK, answer),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn healthz() -> Response {
    answer::text("text/plain; charset=utf-8", "ok\n".to_owned())
}

async fn metrics(State(Shared { hub, .. }): State<Shared>) -> Response {
    answer::text("application/openmetrics-text; version=1.0.0; charset=utf-8", hub.metrics.text())
}

async fn openapi() -> Response {
    answer::text("application/vnd.oai.openapi+json;version=3.1", crate::openapi::document().to_string())
}

async fn not_found() -> Response {
    answer::problem(&Problem::new("not_found", 404, "there is nothing at this address"))
}

async fn method_not_allowed(method: Method) -> Response {
    let detail = format!("{} is not possible here", if method.as_str().len() <= 8 { method.as_str() } else { "this method" });
    answer::problem(&Problem::new("method_not_allowed", 405, detail))
}
