//! Passkeys (WebAuthn level 3): two ceremonies, to add one and to come in with one.
//!
//! A browser offers passkeys under a name, never under an address of numbers, and only when it trusts the certificate:
//! so they are there on `localhost` and under the name that the operator gave the hub (`hub serve --host-name`), and
//! passwords stay for everybody else. What is asked is ours; how it is checked is the library's.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential, RegisterPublicKeyCredential, Url, Uuid, Webauthn,
    WebauthnBuilder,
};
use yenban_protocol::crypto::{Hash, sha256};
use yenban_protocol::id::MemberNo;
use yenban_protocol::text::{Limit, fold};

use super::{Session, Shut, begin_noted};
use crate::app::Hub;
use crate::entropy;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{CEREMONIES_MAX, CEREMONY_TTL_MS};
use crate::store::{AccountChange, PasskeyRow};

/// What a browser is waiting for.
enum Ceremony {
    Adding { session: Hash, member: MemberNo, label: String, state: PasskeyRegistration },
    ComingIn { member: MemberNo, state: PasskeyAuthentication },
}

/// Ceremonies under way, each good for one answer.
pub(crate) struct Ceremonies {
    under_way: Mutex<HashMap<String, (i64, Ceremony)>>,
    /// Credentials offered for logins that have none follow from this, so that the same login is answered the same.
    unknown: [u8; 32],
}

impl Default for Ceremonies {
    fn default() -> Self {
        Self { under_way: Mutex::default(), unknown: entropy::array() }
    }
}

impl Ceremonies {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, (i64, Ceremony)>> {
        // No holder can panic half-way through a change.
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self, ceremony: Ceremony, now_ms: i64) -> String {
        let mut under_way = self.under_way();
        under_way.retain(|_, (until_ms, _)| *until_ms > now_ms);
        if under_way.len() >= CEREMONIES_MAX {
            let oldest = under_way.iter().min_by_key(|(_, (until_ms, _))| *until_ms).map(|(id, _)| id.clone());
            oldest.and_then(|id| under_way.remove(&id));
        }
        let id = BASE64URL_NOPAD.encode(&entropy::array::<16>());
        under_way.insert(id.clone(), (now_ms + CEREMONY_TTL_MS, ceremony));
        id
    }

    fn end(&self, id: &str, now_ms: i64) -> Option<Ceremony> {
        self.under_way().remove(id).filter(|(until_ms, _)| *until_ms > now_ms).map(|(_, ceremony)| ceremony)
    }
}

/// The name in `name:port`.
pub fn without_port(host: &str) -> &str {
    host.rsplit_once(':').map_or(host, |(name, _)| name)
}

/// The checker for the host a browser asked under; `None` where passkeys cannot be.
fn checker(hub: &Hub, host: &str) -> Option<Webauthn> {
    let name = without_port(host);
    let served = name == "localhost" || hub.doors.host_name().is_some_and(|known| known.eq_ignore_ascii_case(name));
    if !served {
        return None;
    }
    let origin = Url::parse(&format!("https://{host}")).ok()?;
    WebauthnBuilder::new(name, &origin).ok()?.rp_name(&hub.identity().name).build().ok()
}

/// Whether passkeys can be used under this host.
pub fn offered(hub: &Hub, host: &str) -> bool {
    checker(hub, host).is_some()
}

fn unfit(reason: &str) -> HubError {
    Refusal::Invalid { field: "passkey", reason: reason.to_owned() }.into()
}

fn body_of(passkey: &Passkey) -> Result<Vec<u8>> {
    serde_json::to_vec(passkey).map_err(|e| HubError::Store(format!("passkey: {e}")))
}

async fn kept(hub: &Hub, member: MemberNo) -> Result<Vec<Passkey>> {
    let rows = hub.store.passkeys(member).await?;
    Ok(rows.iter().filter_map(|row| serde_json::from_slice(&row.body).ok()).collect())
}

/// Begins to add a passkey: what the browser is asked.
pub async fn add(hub: &Hub, session: &Session, host: &str, label: &str) -> Result<Value> {
    let checker = checker(hub, host).ok_or_else(|| unfit("cannot be used under this address"))?;
    let Some(account) = hub.store.account(session.member).await? else { return Err(unfit("needs an account")) };
    let there = kept(hub, session.member).await?.iter().map(|passkey| passkey.cred_id().clone()).collect();
    // The browser keeps this number beside the key: the same for every key of one account, and nothing else.
    let number = format!("yb1/user {} {}", hub.commune(), session.member.0);
    let user = Uuid::from_bytes(sha256(number.as_bytes())[..16].try_into().map_err(|_| unfit("has no user"))?);
    let (asked, state) = checker
        .start_passkey_registration(user, &account.login, &session.officer, Some(there))
        .map_err(|e| HubError::Store(format!("passkey: {e}")))?;
    let label = Limit::NAME.cut(label.trim()).to_owned();
    let ceremony = Ceremony::Adding { session: session.key, member: session.member, label, state };
    let id = hub.doors.ceremonies.begin(ceremony, hub.now_ms());
    Ok(json!({ "ceremony": id, "asked": asked }))
}

/// Ends it: the browser's answer is checked and the passkey kept.
pub async fn added(hub: &Hub, session: &Session, host: &str, ceremony: &str, answer: Value) -> Result<()> {
    let checker = checker(hub, host).ok_or_else(|| unfit("cannot be used under this address"))?;
    let now_ms = hub.now_ms();
    let Some(Ceremony::Adding { session: begun_by, member, label, state }) = hub.doors.ceremonies.end(ceremony, now_ms) else {
        return Err(unfit("took too long"));
    };
    let answer: RegisterPublicKeyCredential = serde_json::from_value(answer).map_err(|_| unfit("was not answered"))?;
    let passkey = checker.finish_passkey_registration(&answer, &state).map_err(|_| unfit("did not hold"))?;
    if begun_by != session.key || member != session.member {
        return Err(unfit("was begun by somebody else"));
    }
    let row = PasskeyRow { id: sha256(passkey.cred_id()), label, body: body_of(&passkey)?, made_ms: now_ms, used_ms: None };
    if !hub.store.change_account(member, AccountChange::Passkey(row)).await? {
        return Err(unfit("is here already, or too many are"));
    }
    hub.note(&session.officer, "passkey added", &member.0.to_string(), "").await
}

/// Begins to come in: what the browser is asked. A login that nobody has, or without passkeys, is answered alike.
pub async fn ask(hub: &Hub, host: &str, login: &str) -> Result<Value> {
    let checker = checker(hub, host).ok_or_else(|| unfit("cannot be used under this address"))?;
    let account = hub.store.account_called(login.trim().to_owned()).await?.filter(|account| account.closed_ms.is_none());
    let keys = match &account {
        Some(account) => kept(hub, account.member).await?,
        None => Vec::new(),
    };
    if let Some(account) = account.filter(|_| !keys.is_empty()) {
        let (asked, state) = checker.start_passkey_authentication(&keys).map_err(|e| HubError::Store(format!("passkey: {e}")))?;
        let id = hub.doors.ceremonies.begin(Ceremony::ComingIn { member: account.member, state }, hub.now_ms());
        return Ok(json!({ "ceremony": id, "asked": asked }));
    }
    let seed = [&hub.doors.ceremonies.unknown[..], fold(login).as_bytes()].concat();
    let asked = json!({ "publicKey": {
        "challenge": BASE64URL_NOPAD.encode(&entropy::array::<32>()),
        "timeout": 300_000,
        "rpId": without_port(host),
        "allowCredentials": [{ "type": "public-key", "id": BASE64URL_NOPAD.encode(&sha256(&seed)) }],
        "userVerification": "required",
    }});
    Ok(json!({ "ceremony": BASE64URL_NOPAD.encode(&entropy::array::<16>()), "asked": asked }))
}

/// Ends it: the value of the session's cookie.
pub async fn come_in(hub: &Hub, host: &str, ceremony: &str, answer: Value) -> Result<std::result::Result<String, Shut>> {
    let checker = checker(hub, host).ok_or_else(|| unfit("cannot be used under this address"))?;
    let now_ms = hub.now_ms();
    if !hub.doors.open(now_ms) {
        return Ok(Err(Shut::Busy));
    }
    let checked = match hub.doors.ceremonies.end(ceremony, now_ms) {
        Some(Ceremony::ComingIn { member, state }) => serde_json::from_value::<PublicKeyCredential>(answer)
            .ok()
            .and_then(|answer| checker.finish_passkey_authentication(&answer, &state).ok())
            .map(|result| (member, result)),
        _ => None,
    };
    let Some((member, result)) = checked else {
        hub.doors.failed();
        return Ok(Err(Shut::Proofs));
    };
    // Only a passkey that is still there comes in, however long the ceremony took.
    let used = kept(hub, member).await?.into_iter().find_map(|mut passkey| passkey.update_credential(&result).map(|_| passkey));
    let Some(passkey) = used else { return Ok(Err(Shut::Proofs)) };
    let change = AccountChange::PasskeyUsed(sha256(passkey.cred_id()), body_of(&passkey)?, now_ms);
    if !hub.store.change_account(member, change).await? {
        return Ok(Err(Shut::Proofs));
    }
    begin_noted(hub, member, "passkey").await.map(Ok)
}

/// Takes a passkey of this session's own account away.
pub async fn remove(hub: &Hub, session: &Session, id: Hash) -> Result<bool> {
    let gone = hub.store.change_account(session.member, AccountChange::PasskeyGone(id)).await?;
    if gone {
        hub.note(&session.officer, "passkey removed", &session.member.0.to_string(), "").await?;
    }
    Ok(gone)
}
