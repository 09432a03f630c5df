//! What somebody wrote while the session ended: nothing of it was sent, and nothing of it is lost.
//!
//! The answer to such a form is a page that has the words, to be copied into the form once inside again. They go back to
//! the browser that sent them and are kept nowhere.

use askama::Template;
use axum::Form;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest as _, Request};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::chrome::{Chrome, query_value, rendered};
use super::guard::Over;
use crate::limits::CONSOLE_FORM_MAX_BYTES;

/// Fields that people write sentences into.
const WRITTEN: [&str; 6] = ["headline", "instruction", "description", "note", "keep", "text"];

const FORM: &str = "application/x-www-form-urlencoded";

#[derive(Template)]
#[template(path = "unsent.html")]
struct Unsent {
    c: Chrome,
    way: String,
    written: Vec<String>,
}

/// Answers a request; a form that came too late is given back with its words.
pub(super) async fn kept(request: Request, next: Next) -> Response {
    if !is_short_form(&request) {
        return next.run(request).await;
    }
    let path = request.uri().path().to_owned();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, CONSOLE_FORM_MAX_BYTES).await else {
        return next.run(Request::from_parts(parts, Body::empty())).await;
    };
    let response = next.run(Request::from_parts(parts, Body::from(bytes.clone()))).await;
    let Some(Over(asked)) = response.extensions().get::<Over>().cloned() else { return response };
    let mut read = Request::new(Body::from(bytes));
    *read.method_mut() = Method::POST;
    read.headers_mut().insert(CONTENT_TYPE, axum::http::HeaderValue::from_static(FORM));
    let Ok(Form(fields)) = Form::<Vec<(String, String)>>::from_request(read, &()).await else { return response };
    let written: Vec<String> = fields
        .into_iter()
        .filter(|(name, value)| WRITTEN.contains(&name.as_str()) && !value.trim().is_empty())
        .map(|(_, value)| value)
        .collect();
    if written.is_empty() {
        return response;
    }
    let way = format!("/console/sign-in?to={}", query_value(&back(&path)));
    rendered(StatusCode::UNAUTHORIZED, &Unsent { c: Chrome::outside(&asked, "console-door"), way, written })
}

/// Whether it is a form, of a length that pages of ours send.
fn is_short_form(request: &Request) -> bool {
    let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
    let size = header(CONTENT_LENGTH).and_then(|size| size.parse::<usize>().ok());
    request.method() == Method::POST
        && header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(FORM))
        && size.is_some_and(|size| size <= CONSOLE_FORM_MAX_BYTES)
}

/// The page that has the form which was sent to `path`.
fn back(path: &str) -> String {
    let inner = path.strip_prefix("/console").unwrap_or(path);
    if inner.starts_with("/alerts/") {
        return "/alerts/new".to_owned();
    }
    if let Some(incident) = inner.strip_prefix("/incidents/").and_then(|rest| rest.split('/').next()) {
        return format!("/incidents/{incident}");
    }
    "/".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_a_page_that_has_the_form() {
        assert_eq!(back("/console/incidents/0102:3/answer"), "/incidents/0102:3");
        assert_eq!(back("/alerts/send"), "/alerts/new");
        assert_eq!(back("/console/sms"), "/");
    }
}
