//! Answers: CBOR for phones, problem documents for whatever goes wrong.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use yenban_protocol::wire::MEDIA_TYPE;

use crate::error::{HubError, Problem, Refusal};

const PROBLEM_TYPE: &str = "application/problem+json";
/// When to try again after a refusal for lack of room, seconds.
const RETRY_AFTER_S: &str = "5";

/// A CBOR answer.
pub(super) fn cbor(status: StatusCode, bytes: Vec<u8>) -> Response {
    with_type(status, MEDIA_TYPE, bytes)
}

/// A problem document.
pub(super) fn problem(problem: &Problem) -> Response {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A problem is plain strings and numbers, which JSON always takes.
    let mut response = with_type(status, PROBLEM_TYPE, serde_json::to_vec(problem).unwrap_or_default());
    if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER_S));
    }
    response
}

/// Text, such as the figures.
pub(super) fn text(kind: &'static str, text: String) -> Response {
    with_type(StatusCode::OK, kind, text.into_bytes())
}

fn with_type(status: StatusCode, kind: &'static str, bytes: Vec<u8>) -> Response {
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

impl IntoResponse for HubError {
    fn into_response(self) -> Response {
        match &self {
            Self::Refused(refusal) => tracing::debug!(code = refusal.code(), "refused"),
            Self::Stopping => {}
            other => tracing::error!(code = other.code(), error = %other, "request failed"),
        }
        problem(&Problem::from(&self))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        HubError::from(self).into_response()
    }
}
