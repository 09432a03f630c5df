//! What stands around every page: the policy that browsers hold, who asks, in which language, and the token of forms.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_SECURITY_POLICY, COOKIE, HOST, REFERRER_POLICY, SET_COOKIE, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use data_encoding::BASE64URL_NOPAD;
use serde::Deserialize;
use yenban_locales::{Lang, Words};

use super::chrome::{failed, refused, see_other};
use super::unsent;
use crate::access::rights::Right;
use crate::access::{self, Session};
use crate::app::Hub;
use crate::entropy;
use crate::limits::AUDIT_PATH_MAX_CHARS;

/// Name of the session's cookie. The prefix makes browsers refuse it unless it is secure and of this host alone.
pub(super) const COOKIE_NAME: &str = "__Host-yenban";

/// Everything is forbidden but our own style sheet, our own pictures and forms, and the scripts that the page itself
/// names with the number of this answer: what was stored by somebody cannot know it. The map draws in a worker, which has no
/// such number and is a file of ours.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'nonce-{nonce}'; connect-src 'self'; worker-src 'self'; form-action 'self'; \
         frame-ancestors 'none'; base-uri 'none'"
    )
}

/// The number that scripts of one answer carry.
#[derive(Debug, Clone)]
struct Nonce(String);

/// Cookie that keeps the chosen language; nothing secret.
const LANGUAGE_COOKIE: &str = "__Host-yenban-lang";

/// A year, seconds.
const LANGUAGE_KEPT_S: u32 = 365 * 24 * 3600;

/// What was asked for without the right to it stands in the record already.
#[derive(Debug, Clone)]
struct Noted;

/// An answer to somebody whose session is over.
#[derive(Debug, Clone)]
pub(super) struct Over(pub Asked);

/// Sets the headers of every answer of the console, and notes who asked for what is not there: whoever looks for affairs
/// of another hamlet is answered as if they did not exist, and stands in the record.
pub(super) async fn headers(State(hub): State<Arc<Hub>>, request: Request, next: Next) -> Response {
    let path = request.uri().path().chars().take(AUDIT_PATH_MAX_CHARS).collect::<String>();
    let session = cookie_in(request.headers(), COOKIE_NAME).map(str::to_owned);
    let mut response = answered(request, next).await;
    if response.status() == StatusCode::NOT_FOUND
        && response.extensions().get::<Noted>().is_none()
        && let Some(value) = session
        && let Ok(Some(session)) = access::session(&hub, &value).await
        && let Err(error) = hub.note(&session.officer, "not there", &path, "").await
    {
        tracing::error!(code = error.code(), %error, "what was asked for could not be noted");
        response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    response
}

async fn answered(mut request: Request, next: Next) -> Response {
    let chosen = language_asked(request.uri().query().unwrap_or_default());
    let nonce = BASE64URL_NOPAD.encode(&entropy::array::<16>());
    if !sent_from_here(&request) {
        return StatusCode::FORBIDDEN.into_response();
    }
    request.extensions_mut().insert(Nonce(nonce.clone()));
    let mut response = unsent::kept(request, next).await;
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
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

/// Whether something that changes comes from a page of this hub: a browser says where a form was, and no page of
/// somebody else may fill in ours, the door's among them (which no session's token guards).
fn sent_from_here(request: &Request) -> bool {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return true;
    }
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = header("sec-fetch-site") {
        return site == "same-origin";
    }
    match (header("origin"), host(request.headers(), request.uri())) {
        (Some(origin), Some(host)) => origin.strip_prefix("https://").is_some_and(|from| from.eq_ignore_ascii_case(&host)),
        // No browser: a program has no cookie that somebody else could make it send.
        (None, _) => true,
        _ => false,
    }
}

/// The host and port that were asked for.
fn host(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let written = || headers.get(HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    uri.authority().map(|authority| authority.as_str().to_owned()).or_else(written)
}

fn language_asked(query: &str) -> Option<Lang> {
    query.split('&').find_map(|pair| pair.strip_prefix("lang=")).and_then(Lang::from_tag)
}

fn cookie<'a>(parts: &'a Parts, name: &str) -> Option<&'a str> {
    cookie_in(&parts.headers, name)
}

fn cookie_in<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
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
    /// What scripts of this page carry.
    pub nonce: String,
    /// Host and port that were asked for.
    pub host: String,
}

impl FromRequestParts<Arc<Hub>> for Asked {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Infallible> {
        Ok(Self {
            words: Words::for_pages(language(parts)),
            path: parts.uri.path().to_owned(),
            hub_name: hub.identity().name.clone(),
            now_ms: hub.now_ms(),
            nonce: parts.extensions.get::<Nonce>().map(|nonce| nonce.0.clone()).unwrap_or_default(),
            host: host(&parts.headers, &parts.uri).unwrap_or_default(),
        })
    }
}

/// Somebody with a session; anybody else gets a page without content that says how to come in.
#[derive(Debug, Clone)]
pub(super) struct SignedIn(pub Session);

impl FromRequestParts<Arc<Hub>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Response> {
        let session = match cookie(parts, COOKIE_NAME) {
            Some(value) => access::session(hub, value).await,
            None => Ok(None),
        };
        if let Ok(Some(session)) = session {
            return Ok(Self(session));
        }
        let asked = asked(parts, hub).await;
        Err(match session {
            Err(error) => failed(&asked, &error),
            // Back to the same page once inside; only after a look, nothing is sent twice.
            _ if parts.method == Method::GET => see_other(&super::door::address(&parts.uri)),
            _ => {
                let mut response = refused(&asked, StatusCode::UNAUTHORIZED, "console-come-in");
                response.extensions_mut().insert(Over(asked));
                response
            }
        })
    }
}

async fn asked(parts: &mut Parts, hub: &Arc<Hub>) -> Asked {
    let Ok(asked) = Asked::from_request_parts(parts, hub).await;
    asked
}

/// A right as a type, so that a page names it where nobody can overlook it.
pub(super) trait Needs {
    /// The right.
    const RIGHT: Right;
}

macro_rules! needs {
    ($($name:ident => $right:ident),*) => {
        $(
            #[doc = concat!("[`Right::", stringify!($right), "`].")]
            #[derive(Debug, Clone, Copy)]
            pub(super) struct $name;
            impl Needs for $name {
                const RIGHT: Right = Right::$right;
            }
        )*
    };
}

needs!(Read => Read, Warn => Warn, WarnAll => WarnAll, Phones => Phones, Plan => Answer, Accounts => Accounts, ReadLog => ReadLog, Figures => Figures, Export => Export);

/// Somebody with a session and this right. To anybody else inside the page is not there, and the attempt is noted.
#[derive(Debug, Clone)]
pub(super) struct May<N>(pub Session, pub PhantomData<N>);

impl<N: Needs> FromRequestParts<Arc<Hub>> for May<N> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, hub: &Arc<Hub>) -> Result<Self, Response> {
        let SignedIn(session) = SignedIn::from_request_parts(parts, hub).await?;
        if session.may(N::RIGHT) {
            return Ok(Self(session, PhantomData));
        }
        let asked = asked(parts, hub).await;
        match hub.note(&session.officer, "not allowed", parts.uri.path(), N::RIGHT.code()).await {
            Ok(()) => {
                let mut response = refused(&asked, StatusCode::NOT_FOUND, "console-nothing-here");
                response.extensions_mut().insert(Noted);
                Err(response)
            }
            Err(error) => Err(failed(&asked, &error)),
        }
    }
}

needs!(Answer => Answer);

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
    fn a_form_of_another_site_is_not_ours() {
        let request = |headers: &[(&str, &str)]| {
            let mut builder = axum::http::Request::builder().method("POST").uri("/console/sign-in").header("host", "hub.example:8443");
            for (name, value) in headers {
                builder = builder.header(*name, *value);
            }
            builder.body(axum::body::Body::empty()).unwrap()
        };
        assert!(sent_from_here(&request(&[("sec-fetch-site", "same-origin")])));
        assert!(sent_from_here(&request(&[("origin", "https://HUB.example:8443")])));
        assert!(sent_from_here(&request(&[])), "a program");
        for site in ["cross-site", "same-site", "none"] {
            assert!(!sent_from_here(&request(&[("sec-fetch-site", site)])), "{site}");
        }
        for origin in ["https://hub.example", "http://hub.example:8443", "null", "https://evil.example:8443"] {
            assert!(!sent_from_here(&request(&[("origin", origin)])), "{origin}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let parts = parts("/", &[(COOKIE, "x__Host-yenban=1; __Host-yenban-lang=vi; __Host-yenban=abc")]);
        assert_eq!(cookie(&parts, COOKIE_NAME), Some("abc"));
        assert_eq!(cookie(&parts, "none"), None);
    }

    #[test]
    fn the_policy_allows_nothing_inline_and_nothing_foreign() {
        let policy = policy("abc");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("script-src 'nonce-abc';"));
        for never in ["unsafe", "http", "*", "data:", "blob:", "strict-dynamic"] {
            assert!(!policy.contains(never), "{never}");
        }
    }
}
