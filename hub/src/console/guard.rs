//! What stands around every page: the policy that browsers hold, who asks, in which language, and the token of forms.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use serde::Deserialize;
use yenban_locales::{Lang, Words};

use super::access::{self, Session};
use super::chrome::refused;
use crate::app::Hub;

/// Everything is forbidden but our own style sheet, our own picture and our own forms.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Cookie that keeps the chosen language; nothing secret.
const LANGUAGE_COOKIE: &str = "__Host-yenban-lang";

/// A year, seconds.
const LANGUAGE_KEPT_S: u32 = 365 * 24 * 3600;

/// Sets the headers of every answer of the console.
pub(super) async fn headers(request: Request, next: Next) -> Response {
    let chosen = language_asked(request.uri().query().unwrap_or_default());
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    if let Some(lang) = chosen
        && let Ok(cookie) = HeaderValue::from_str(&format!(
            "{LANGUAGE_COOKIE}={}; Path=/; Max-Age={LANGUAGE_KEPT_S}; HttpOnly; Secure; SameSite=Strict",
            lang.tag()
        ))
    {
        headers.append(SET_COOKIE, cookie);
    }
    response
}

fn language_asked(query: &str) -> Option<Lang> {
    query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::from_tag)
}

fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    let values = parts.headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The language a reader asks for: in the address, chosen before, or said by the browser (the first of ours in its
/// list); Vietnamese otherwise.
fn language(parts: &Parts) -> Lang {
    let said = || {
        let list = parts.headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
        list.split(',').find_map(|tag| Lang::from_tag(tag.split(';').next()?.trim()))
    };
    language_asked(parts.uri.query().unwrap_or_default())
        .or_else(|| cookie(parts, LANGUAGE_COOKIE).and_then(Lang::from_tag))
        .or_else(said)
        .unwrap_or_default()
}

/// A request as every page needs it.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Words in the reader's language.
    pub words: Words,
    /// The path under the console, for links back to the same page.
    pub path: String,
    /// The hub's name.
    pub hub_name: String,
    /// Hub time, milliseconds.
    pub now_ms: i64,
}

impl FromRequestParts<Arc<Hub>> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Infallible> {
        Ok(Self {
            words: Words::for_pages(language(parts)),
            path: parts.uri.path().to_owned(),
            hub_name: hub.identity().name.clone(),
            now_ms: hub.now_ms(),
        })
    }
}

/// Somebody with a session; anybody else gets a page without content that says how to come in.
#[derive(Debug, Clone)]
pub(super) struct SignedIn(pub Session);

impl FromRequestParts<Arc<Hub>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Response> {
        let session = cookie(parts, access::COOKIE).and_then(|value| hub.console.session(value, hub.now_ms()));
        match session {
            Some(session) => Ok(Self(session)),
            None => match Asked::from_request_parts(parts, hub).await {
                Ok(asked) => Err(refused(&asked, StatusCode::UNAUTHORIZED, "console-come-in")),
            },
        }
    }
}

/// A form that carries nothing but its token.
#[derive(Debug, Deserialize)]
pub(super) struct TokenForm {
    /// The session's token.
    #[serde(default)]
    pub token: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(uri: &str, headers: &[(HeaderName, &str)]) -> Parts {
        let mut builder = axum::http::Request::builder().uri(uri);
        for (name, value) in headers {
            builder = builder.header(name, *value);
        }
        builder.body(()).unwrap().into_parts().0
    }

    #[test]
    fn vietnamese_first_english_when_asked() {
        assert_eq!(language(&parts("/console/", &[])), Lang::Vi);
        assert_eq!(language(&parts("/console/?lang=en", &[(ACCEPT_LANGUAGE, "vi")])), Lang::En);
        assert_eq!(language(&parts("/console/", &[(ACCEPT_LANGUAGE, "fr, en-GB;q=0.8, vi;q=0.5")])), Lang::En);
        assert_eq!(language(&parts("/console/", &[(COOKIE, "a=b; __Host-yenban-lang=en"), (ACCEPT_LANGUAGE, "vi")])), Lang::En);
        assert_eq!(language(&parts("/console/?lang=xx", &[(ACCEPT_LANGUAGE, "fr")])), Lang::Vi);
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let parts = parts("/", &[(COOKIE, "x__Host-yenban=1; __Host-yenban-lang=vi; __Host-yenban=abc")]);
        assert_eq!(cookie(&parts, access::COOKIE), Some("abc"));
        assert_eq!(cookie(&parts, "none"), None);
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_nothing_foreign() {
        assert!(POLICY.starts_with("default-src 'none'"));
        for never in ["unsafe", "http", "*", "data:", "script-src"] {
            assert!(!POLICY.contains(never), "{never}");
        }
    }
}
