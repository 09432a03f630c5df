//! The ways in and out: signing in, opening an account by its link, the operator's link, leaving.
//!
//! Whatever was wrong at the door, the answer is one sentence that does not say which proof it was.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use serde::Deserialize;
use yenban_protocol::text::{display_safe, fold};

use super::chrome::{Chrome, Message, failed, query_value, refused, rendered, see_other};
use super::guard::{Asked, COOKIE_NAME, SignedIn, TokenForm};
use crate::access::{self, Shut, Wanted, passkey, proofs};
use crate::app::Hub;
use crate::limits::{CONSOLE_SESSION_TTL_MS, LOGIN_MAX_CHARS, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS};
use crate::store::MemberRow;

/// The address of the sign-in page that leads back to `uri`.
pub(super) fn address(uri: &Uri) -> String {
    let back = uri.path_and_query().map_or("/", |path| path.as_str());
    if back == "/" { "/console/sign-in".to_owned() } else { format!("/console/sign-in?to={}", query_value(back)) }
}

/// Where to after signing in: a path of the console and nothing else, whatever was written in the address.
fn way(to: &str) -> String {
    let plain = to.starts_with('/') && !to.starts_with("//") && !to.contains(['\\', '\n', '\r']) && to.len() <= 512 && to.is_ascii();
    let inner = to.strip_prefix("/console").unwrap_or(to);
    if plain && !inner.starts_with("/sign-in") { format!("/console{inner}") } else { "/console/".to_owned() }
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct Way {
    #[serde(default)]
    to: String,
}

#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn {
    c: Chrome,
    to: String,
    login: String,
    wrong: Option<String>,
    passkeys: bool,
    login_max: usize,
    password_max: usize,
}

fn sign_in_page(hub: &Hub, asked: &Asked, status: StatusCode, to: &str, login: &str, wrong: Option<String>) -> Response {
    let page = SignIn {
        c: Chrome::outside(asked, "console-sign-in"),
        to: way(to),
        login: display_safe(login),
        wrong,
        passkeys: passkey::offered(hub, &asked.host),
        login_max: LOGIN_MAX_CHARS,
        password_max: PASSWORD_MAX_CHARS,
    };
    rendered(status, &page)
}

/// The form.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, way: std::result::Result<Query<Way>, QueryRejection>) -> Response {
    let Query(way) = way.unwrap_or_default();
    sign_in_page(&hub, &asked, StatusCode::OK, &way.to, "", None)
}

/// What the form sends.
#[derive(Deserialize)]
pub(super) struct Proofs {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    code: String,
    #[serde(default)]
    to: String,
}

/// Comes in.
pub(super) async fn sign_in(State(hub): State<Arc<Hub>>, asked: Asked, form: Result<Form<Proofs>, FormRejection>) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if form.login.chars().count() > LOGIN_MAX_CHARS || form.password.chars().count() > PASSWORD_MAX_CHARS {
        let wrong = Some(asked.words.word("console-proofs-wrong"));
        return sign_in_page(&hub, &asked, StatusCode::UNAUTHORIZED, &form.to, "", wrong);
    }
    match access::sign_in(&hub, &form.login, form.password, &form.code).await {
        Ok(Ok(cookie)) => inside(see_other(&way(&form.to)), &cookie),
        Ok(Err(shut)) => {
            let (status, wrong) = told(&asked, &shut);
            sign_in_page(&hub, &asked, status, &form.to, &form.login, Some(wrong))
        }
        Err(error) => failed(&asked, &error),
    }
}

/// Why a door stayed shut, in words.
pub(super) fn told(asked: &Asked, shut: &Shut) -> (StatusCode, String) {
    match shut {
        Shut::Proofs => (StatusCode::UNAUTHORIZED, asked.words.word("console-proofs-wrong")),
        Shut::Link => (StatusCode::UNAUTHORIZED, asked.words.word("console-link-closed")),
        Shut::Busy => (StatusCode::TOO_MANY_REQUESTS, asked.words.word("console-too-many-tries")),
        Shut::Wait(left_ms) => {
            // Rounded up: nobody is told to try at a moment that is too early.
            let wait = asked.words.duration(left_ms.unsigned_abs().div_ceil(1000).max(1) * 1000);
            (StatusCode::TOO_MANY_REQUESTS, asked.words.say("console-wait", &[("wait", wait.into())]))
        }
    }
}

#[derive(Template)]
#[template(path = "join.html")]
struct Join {
    c: Chrome,
    path: String,
    name: String,
    role: String,
    login: String,
    secret: String,
    secret_groups: String,
    qr: String,
    wrong: Option<String>,
    login_max: usize,
    password_min: usize,
    password_max: usize,
}

fn join_form(hub: &Hub, asked: &Asked, token: &str, member: &MemberRow, filled: &Wanted, wrong: Option<&'static str>) -> Response {
    let secret = proofs::secret_from_text(&filled.secret).unwrap_or_else(proofs::new_secret);
    let login = if filled.login.is_empty() { suggested(&member.name) } else { filled.login.clone() };
    let text = proofs::secret_text(&secret);
    let groups: Vec<&str> = (0..text.len()).step_by(4).filter_map(|at| text.get(at..(at + 4).min(text.len()))).collect();
    let page = Join {
        c: Chrome::outside(asked, "console-join"),
        path: format!("/console/join/{token}"),
        name: display_safe(&access::name_of(member)),
        role: super::facts::role(asked.words, member.role.code()),
        qr: crate::qr::svg(&proofs::secret_address(&secret, &hub.identity().name, &login), &asked.words.word("console-join-qr")),
        login: display_safe(&login),
        secret_groups: groups.join(" "),
        secret: text,
        wrong: wrong.map(|id| asked.words.word(id)),
        login_max: LOGIN_MAX_CHARS,
        password_min: PASSWORD_MIN_CHARS,
        password_max: PASSWORD_MAX_CHARS,
    };
    rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page)
}

/// A login that can be typed on any keyboard: the name without diacritics, dots between.
fn suggested(name: &str) -> String {
    fold(name).split_whitespace().collect::<Vec<_>>().join(".")
}

/// The form that opens an account.
pub(super) async fn join_page(State(hub): State<Arc<Hub>>, asked: Asked, Path(token): Path<String>) -> Response {
    match access::join_for(&hub, &token).await {
        Ok(Ok(member)) => join_form(&hub, &asked, &token, &member, &Wanted::default(), None),
        Ok(Err(shut)) => shut_page(&asked, &shut),
        Err(error) => failed(&asked, &error),
    }
}

fn shut_page(asked: &Asked, shut: &Shut) -> Response {
    let (status, text) = told(asked, shut);
    rendered(status, &Message { c: Chrome::outside(asked, "console-door"), text })
}

/// What that form sends.
#[derive(Deserialize)]
pub(super) struct JoinForm {
    #[serde(default)]
    login: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    again: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    code: String,
}

#[derive(Template)]
#[template(path = "recovery.html")]
pub(super) struct Recovery {
    /// The frame.
    pub c: Chrome,
    /// The codes, shown this once.
    pub codes: Vec<String>,
}

/// Opens the account, shows its recovery codes and comes in.
pub(super) async fn join(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    Path(token): Path<String>,
    form: Result<Form<JoinForm>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    let member = match access::join_for(&hub, &token).await {
        Ok(Ok(member)) => member,
        Ok(Err(shut)) => return shut_page(&asked, &shut),
        Err(error) => return failed(&asked, &error),
    };
    let wanted = Wanted { login: form.login, password: form.password, secret: form.secret, code: form.code };
    if wanted.password != form.again {
        return join_form(&hub, &asked, &token, &member, &wanted, Some("console-passwords-differ"));
    }
    match access::join(&hub, &token, wanted.clone()).await {
        Ok(Ok(opened)) => {
            let page = Recovery { c: Chrome::outside(&asked, "console-recovery"), codes: opened.recovery };
            inside(rendered(StatusCode::OK, &page), &opened.cookie)
        }
        Ok(Err(wrong)) => join_form(&hub, &asked, &token, &member, &wanted, Some(wrong)),
        Err(error) => failed(&asked, &error),
    }
}

/// The operator's link becomes a session.
pub(super) async fn enter(State(hub): State<Arc<Hub>>, asked: Asked, Path(token): Path<String>) -> Response {
    match access::enter(&hub, &token).await {
        Ok(Ok(cookie)) => inside(see_other("/console/"), &cookie),
        Ok(Err(shut)) => shut_page(&asked, &shut),
        Err(error) => failed(&asked, &error),
    }
}

/// Ends the session.
pub(super) async fn leave(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    form: Result<Form<TokenForm>, FormRejection>,
) -> Response {
    if !form.is_ok_and(|Form(form)| session.sent(&form.token)) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    if let Err(error) = hub.store.end_session(session.key).await {
        return failed(&asked, &error);
    }
    let page = Message { c: Chrome::outside(&asked, "console-left"), text: asked.words.word("console-left-more") };
    let gone = format!("{COOKIE_NAME}=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Strict");
    with_cookie(rendered(StatusCode::OK, &page), &gone)
}

/// An answer that gives its reader the session's cookie.
pub(super) fn inside(response: Response, value: &str) -> Response {
    let max_age_s = CONSOLE_SESSION_TTL_MS / 1000;
    with_cookie(response, &format!("{COOKIE_NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; Secure; SameSite=Strict"))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    // Made of a fixed text and base64: always a header's value.
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_after_signing_in_stays_here() {
        assert_eq!(way("/incidents/1:2?lang=en"), "/console/incidents/1:2?lang=en");
        assert_eq!(way("/console/alerts"), "/console/alerts");
        for away in ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a\r\nSet-Cookie: x", "/sign-in?to=/sign-in"] {
            assert_eq!(way(away), "/console/", "{away}");
        }
    }

    #[test]
    fn a_login_is_suggested_that_any_keyboard_can_type() {
        assert_eq!(suggested("Lò Văn Páo"), "lo.van.pao");
        assert_eq!(suggested(""), "");
    }
}
