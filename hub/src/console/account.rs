//! One's own account: password, one-time codes, recovery codes, passkeys, and where one is signed in.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::StatusCode;
use axum::response::Response;
use data_encoding::HEXLOWER;
use serde::Deserialize;
use yenban_protocol::crypto::Hash;
use yenban_protocol::text::display_safe;

use super::chrome::{Chrome, Section, failed, refused, rendered, see_other};
use super::door::Recovery;
use super::guard::{Asked, SignedIn};
use crate::access::{self, Session, passkey, proofs};
use crate::app::Hub;
use crate::error::Result;
use crate::limits::{NAME_MAX_CHARS, PASSWORD_MAX_CHARS, PASSWORD_MIN_CHARS};
use crate::store::AccountChange;

#[derive(Debug, Clone)]
struct Key {
    id: String,
    label: String,
    made: String,
    used: String,
}

#[derive(Debug, Clone)]
struct Place {
    id: String,
    how: String,
    since: String,
    seen: String,
    here: bool,
}

#[derive(Template)]
#[template(path = "account.html")]
struct Account {
    c: Chrome,
    login: String,
    role: String,
    has_account: bool,
    recovery: String,
    passkeys: Vec<Key>,
    passkeys_offered: bool,
    places: Vec<Place>,
    wrong: Option<String>,
    done: Option<String>,
    password_min: usize,
    password_max: usize,
    label_max: usize,
}

async fn shown(hub: &Hub, asked: &Asked, session: &Session, wrong: Option<&'static str>, done: Option<&'static str>) -> Result<Response> {
    let words = asked.words;
    let account = hub.store.account(session.member).await?;
    let keys = hub.store.passkeys(session.member).await?;
    let places = hub.store.sessions_of(session.member).await?;
    let how = |how: &str| match how {
        "password" => words.word("console-how-password"),
        "passkey" => words.word("console-how-passkey"),
        "recovery" => words.word("console-how-recovery"),
        "link" => words.word("console-how-link"),
        "join" => words.word("console-how-join"),
        other => display_safe(other),
    };
    let page = Account {
        c: Chrome::new(asked, session, Section::Own, words.word("console-account")),
        login: account.as_ref().map(|account| display_safe(&account.login)).unwrap_or_default(),
        role: super::facts::role(words, session.role.code()),
        has_account: account.as_ref().is_some_and(|account| account.password.is_some()),
        recovery: words.say("console-recovery-left", &[("n", account.map_or(0, |account| account.recovery_left).into())]),
        passkeys: keys
            .into_iter()
            .map(|key| Key {
                id: HEXLOWER.encode(&key.id),
                label: display_safe(&key.label),
                made: words.date_time(key.made_ms),
                used: key.used_ms.map(|at| words.date_time(at)).unwrap_or_default(),
            })
            .collect(),
        passkeys_offered: passkey::offered(hub, &asked.host),
        places: places
            .into_iter()
            .map(|place| Place {
                id: HEXLOWER.encode(&place.key),
                how: how(&place.how),
                since: words.date_time(place.began_ms),
                seen: words.date_time(place.seen_ms),
                here: place.key == session.key,
            })
            .collect(),
        wrong: wrong.map(|id| words.word(id)),
        done: done.map(|id| words.word(id)),
        password_min: PASSWORD_MIN_CHARS,
        password_max: PASSWORD_MAX_CHARS,
        label_max: NAME_MAX_CHARS,
    };
    Ok(rendered(if wrong.is_none() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }, &page))
}

/// The page.
pub(super) async fn page(State(hub): State<Arc<Hub>>, asked: Asked, SignedIn(session): SignedIn) -> Response {
    shown(&hub, &asked, &session, None, None).await.unwrap_or_else(|error| failed(&asked, &error))
}

/// What its forms send.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Sent {
    token: String,
    act: String,
    old: String,
    password: String,
    again: String,
    id: String,
}

/// Changes one thing.
pub(super) async fn change(
    State(hub): State<Arc<Hub>>,
    asked: Asked,
    SignedIn(session): SignedIn,
    form: std::result::Result<Form<Sent>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else { return refused(&asked, StatusCode::BAD_REQUEST, "console-not-taken") };
    if !session.sent(&form.token) {
        return refused(&asked, StatusCode::FORBIDDEN, "console-form-old");
    }
    changed(&hub, &asked, &session, form).await.unwrap_or_else(|error| failed(&asked, &error))
}

async fn changed(hub: &Hub, asked: &Asked, session: &Session, form: Sent) -> Result<Response> {
    let back = see_other("/console/account");
    let id = || HEXLOWER.decode(form.id.as_bytes()).ok().and_then(|bytes| Hash::try_from(bytes.as_slice()).ok());
    match form.act.as_str() {
        "password" => password(hub, asked, session, form).await,
        "recovery" => {
            let (codes, hashes) = proofs::new_recovery_codes();
            hub.note(&session.officer, "recovery codes made", &session.member.0.to_string(), "").await?;
            if !hub.store.change_account(session.member, AccountChange::Recovery(hashes)).await? {
                return Ok(refused(asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken"));
            }
            let c = Chrome::new(asked, session, Section::Own, asked.words.word("console-recovery"));
            Ok(rendered(StatusCode::OK, &Recovery { c, codes }))
        }
        "passkey-gone" => {
            if let Some(id) = id() {
                passkey::remove(hub, session, id).await?;
            }
            Ok(back)
        }
        "end" => {
            // Of the own sessions only: a name of somebody else's ends nothing.
            let own = hub.store.sessions_of(session.member).await?;
            if let Some(place) = own.iter().find(|place| Some(place.key) == id()) {
                hub.store.end_session(place.key).await?;
            }
            Ok(back)
        }
        _ => Ok(refused(asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken")),
    }
}

/// A new password asks for the old one: a screen left open must not give the account away.
async fn password(hub: &Hub, asked: &Asked, session: &Session, form: Sent) -> Result<Response> {
    let Some(account) = hub.store.account(session.member).await? else {
        return Ok(refused(asked, StatusCode::UNPROCESSABLE_ENTITY, "console-not-taken"));
    };
    let wrong = |id| shown(hub, asked, session, Some(id), None);
    if form.password != form.again {
        return wrong("console-passwords-differ").await;
    }
    if let Err(weak) = proofs::password_strength(&form.password, &[&account.login, &session.officer, &hub.identity().name]) {
        return wrong(access::weak_word(weak)).await;
    }
    if !access::holds(hub, Some(&account), form.old).await? {
        return wrong("console-old-password-wrong").await;
    }
    let phc = access::hashed(hub, form.password).await?;
    hub.note(&session.officer, "password changed", &session.member.0.to_string(), "").await?;
    hub.store.change_account(session.member, AccountChange::Password(phc, session.key)).await?;
    shown(hub, asked, session, None, Some("console-password-changed")).await
}
