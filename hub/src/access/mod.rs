//! The doors of the console: links, proofs, sessions. Pages know only [`Session`].
//!
//! | door | who opens it | what it asks |
//! |---|---|---|
//! | join link | `hub init` for the first officer, then the chief | a login, a password, a one-time code; used once, 24 h |
//! | sign-in | anybody with an account | login, password and one-time or recovery code; or a passkey |
//! | enter link | whoever holds the hub's machine (`yenban hub console`) | nothing more; used once, 30 min |
//!
//! Of what opens a door only hashes are kept. An unknown login costs the same time and gives the same answer as a wrong
//! password. Wrong tries make the account wait (15 s doubling to 15 min), never lock it: a stranger must not be able to
//! keep the duty officer out in the night; passkeys are not slowed by them.

pub mod passkey;
pub mod proofs;
pub mod rights;

use std::sync::{Mutex, OnceLock, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;
use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{MemberNo, Role};
use yenban_protocol::text::{fold, nearest, same};

use crate::app::Hub;
use crate::entropy;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{
    CONSOLE_ENTRY_TTL_MS, CONSOLE_IDLE_MS, CONSOLE_SESSION_TTL_MS, CONSOLE_TRIES_PER_MINUTE, CONSOLE_VIEW_TTL_MS, FREE_TRIES, JOIN_TTL_MS,
    LOGIN_MAX_CHARS, NEAREST_NAMES, PASSWORDS_AT_ONCE, TRY_WAIT_MAX_MS, TRY_WAIT_MS,
};
use crate::store::{AccountChange, AccountRow, Joined, LinkKind, LinkRow, ListQuery, MemberRow, People, Proofs, SessionRow};
use rights::{Reach, Right};

const MINUTE_MS: i64 = 60_000;

fn hash(purpose: &str, token: &str) -> Hash {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(token).finalize().into()
}

fn new_token() -> String {
    BASE64URL_NOPAD.encode(&entropy::array::<32>())
}

/// What a page may know of who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who.
    pub member: MemberNo,
    /// The name, as the record of reads will say.
    pub officer: String,
    /// What that person may do.
    pub role: Role,
    /// Whose affairs that person sees.
    pub reach: Reach,
    /// How that person came in.
    pub how: String,
    /// Stands in every form of this session.
    pub form_token: String,
    /// The name of this session in the store.
    pub key: Hash,
}

impl Session {
    /// Whether its holder may. Only who sees the whole commune may warn it.
    pub fn may(&self, right: Right) -> bool {
        rights::may(self.role, right) && (right != Right::WarnAll || self.reach.is_whole())
    }

    /// A list as this session may see it.
    pub fn query(&self) -> ListQuery {
        ListQuery { within: self.reach.hamlets().iter().map(|no| no.0).collect(), ..ListQuery::default() }
    }

    /// Whether a form carries this session's token; compared in constant time.
    pub fn sent(&self, token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

/// Why a door stayed shut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shut {
    /// The link is unknown, used or too late: the three look alike from outside.
    Link,
    /// Login, password or code; which of them is not said.
    Proofs,
    /// This account waits after wrong tries, so many milliseconds more.
    Wait(i64),
    /// Too many wrong tries in this minute, over everybody.
    Busy,
}

/// What the doors remember besides the store.
pub struct Doors {
    /// Minute and wrong tries in it.
    tries: Mutex<(i64, u32)>,
    /// Passwords are looked at a few at a time: each takes memory.
    passwords: Semaphore,
    /// Passkey ceremonies under way.
    pub(crate) ceremonies: passkey::Ceremonies,
    /// The name under which browsers find this hub, when it has one.
    host_name: OnceLock<String>,
}

impl Default for Doors {
    fn default() -> Self {
        Self {
            tries: Mutex::default(),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
            ceremonies: passkey::Ceremonies::default(),
            host_name: OnceLock::new(),
        }
    }
}

impl Doors {
    /// Browsers find this hub under `name`, with a certificate that they trust: passkeys can be used there.
    pub fn found_as(&self, name: &str) {
        // Said once, at the start.
        let _ = self.host_name.set(name.to_owned());
    }

    /// That name.
    pub fn host_name(&self) -> Option<&str> {
        self.host_name.get().map(String::as_str)
    }

    fn open(&self, now_ms: i64) -> bool {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = now_ms.div_euclid(MINUTE_MS);
        if tries.0 != minute {
            *tries = (minute, 0);
        }
        tries.1 < CONSOLE_TRIES_PER_MINUTE
    }

    fn failed(&self) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        tries.1 = tries.1.saturating_add(1);
    }
}

/// The officer meant by a name or a number; the first chief when nothing is said.
fn officer_meant<'a>(people: &'a People, typed: &str) -> Result<&'a MemberRow> {
    let officers = || people.members.iter().filter(|m| rights::has_account(m.role));
    let found = match typed.trim() {
        "" => officers().find(|m| m.role == Role::Chief),
        typed => officers().find(|m| same(&m.name, typed) || m.no.0.to_string() == typed),
    };
    found.ok_or_else(|| {
        let names = officers().map(|m| m.name.as_str()).filter(|name| !name.is_empty());
        let nearest = nearest(typed, names, NEAREST_NAMES).into_iter().map(|near| near.text.to_owned()).collect();
        Refusal::UnknownOfficer { name: typed.to_owned(), nearest }.into()
    })
}

/// A one-use link: its path under the hub's address, to be shown to that person alone.
async fn new_link(hub: &Hub, member: MemberNo, kind: LinkKind) -> Result<String> {
    let token = new_token();
    let now_ms = hub.now_ms();
    let (ttl_ms, path) = match kind {
        LinkKind::Join => (JOIN_TTL_MS, "join"),
        LinkKind::Enter => (CONSOLE_ENTRY_TTL_MS, "enter"),
    };
    let link = LinkRow { token_hash: hash("link", &token), member, kind, expires_ms: now_ms + ttl_ms };
    hub.store.put_link(link, now_ms).await?;
    Ok(format!("/console/{path}/{token}"))
}

/// A link for an officer named by the operator (empty: the first chief) to come in once, within 30 minutes.
pub async fn enter_link(hub: &Hub, officer: &str) -> Result<String> {
    let people = hub.store.people().await?;
    new_link(hub, officer_meant(&people, officer)?.no, LinkKind::Enter).await
}

/// A link with which a member opens an account, or gives it new proofs, within 24 hours.
pub async fn join_link(hub: &Hub, member: MemberNo) -> Result<String> {
    let people = hub.store.people().await?;
    if !people.member(member).is_some_and(|m| rights::has_account(m.role)) {
        return Err(Refusal::Invalid { field: "role", reason: "has no way into the console".to_owned() }.into());
    }
    new_link(hub, member, LinkKind::Join).await
}

/// Who a join link is for, while it is open.
pub async fn join_for(hub: &Hub, token: &str) -> Result<std::result::Result<MemberRow, Shut>> {
    let now_ms = hub.now_ms();
    if !hub.doors.open(now_ms) {
        return Ok(Err(Shut::Busy));
    }
    let link = hub.store.link(hash("link", token), now_ms).await?.filter(|link| link.kind == LinkKind::Join);
    let people = hub.store.people().await?;
    let Some(member) = link.and_then(|link| people.member(link.member).cloned()) else {
        hub.doors.failed();
        return Ok(Err(Shut::Link));
    };
    Ok(Ok(member))
}

/// What somebody wants to open an account with.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The name to type at the door.
    pub login: String,
    /// The password.
    pub password: String,
    /// The secret of one-time codes, as the page showed it.
    pub secret: String,
    /// A code of that secret, of this moment.
    pub code: String,
}

/// What is wrong with it, by the id of its sentence.
pub type Wrong = &'static str;

/// An account that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The value of the session's cookie.
    pub cookie: String,
    /// Recovery codes, shown this once.
    pub recovery: Vec<String>,
}

/// Opens an account by its join link.
pub async fn join(hub: &Hub, token: &str, wanted: Wanted) -> Result<std::result::Result<Opened, Wrong>> {
    let member = match join_for(hub, token).await? {
        Ok(member) => member,
        Err(Shut::Busy) => return Ok(Err("console-too-many-tries")),
        Err(_) => return Ok(Err("console-link-closed")),
    };
    let login = wanted.login.trim().to_owned();
    let fits = (2..=LOGIN_MAX_CHARS).contains(&login.chars().count()) && !login.chars().any(char::is_control) && !fold(&login).is_empty();
    if !fits {
        return Ok(Err("console-login-unfit"));
    }
    if let Err(weak) = proofs::password_strength(&wanted.password, &[&login, &member.name, &hub.identity().name]) {
        return Ok(Err(weak_word(weak)));
    }
    let now_ms = hub.now_ms();
    let step =
        proofs::secret_from_text(&wanted.secret).and_then(|secret| Some((proofs::code_step(&secret, &wanted.code, now_ms)?, secret)));
    let Some((totp_step, totp)) = step else { return Ok(Err("console-code-wrong")) };
    let password = hashed(hub, wanted.password).await?;
    let (recovery, hashes) = proofs::new_recovery_codes();
    let proofs = Proofs { login: login.clone(), password, totp, totp_step, recovery: hashes };
    match hub.store.join(hash("link", token), proofs, now_ms).await? {
        Joined::Open(no) => {
            hub.note(&name_of(&member), "account opened", &no.0.to_string(), "").await?;
            Ok(Ok(Opened { cookie: begin(hub, no, "join").await?, recovery }))
        }
        Joined::NoLink => Ok(Err("console-link-closed")),
        Joined::LoginTaken => Ok(Err("console-login-taken")),
    }
}

/// The sentence about a password that is not taken.
pub fn weak_word(weak: proofs::Weak) -> Wrong {
    match weak {
        proofs::Weak::Short => "console-password-short",
        proofs::Weak::Long => "console-password-long",
        proofs::Weak::Guessable => "console-password-guessable",
    }
}

/// Whether this is the account's password; looked at beside what serves. Without an account it takes as long as with one.
pub async fn holds(hub: &Hub, account: Option<&AccountRow>, password: String) -> Result<bool> {
    let kept = account.and_then(|account| account.password.clone());
    beside(hub, move || proofs::password_holds(&password, kept.as_deref())).await
}

/// Hashes a password beside what serves, a few at a time.
pub async fn hashed(hub: &Hub, password: String) -> Result<String> {
    beside(hub, move || proofs::hash_password(&password)).await?
}

async fn beside<T: Send + 'static>(hub: &Hub, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let _permit = hub.doors.passwords.acquire().await.map_err(|_| HubError::Stopping)?;
    tokio::task::spawn_blocking(work).await.map_err(|_| HubError::Stopping)
}

/// The name of a member for the record: the name, or the number of one who has none yet.
pub fn name_of(member: &MemberRow) -> String {
    if member.name.is_empty() { member.no.0.to_string() } else { member.name.clone() }
}

/// How long an account waits still after wrong tries, ms.
fn wait_left(account: &AccountRow, now_ms: i64) -> i64 {
    if account.failed < FREE_TRIES {
        return 0;
    }
    let doublings = (account.failed - FREE_TRIES).min(20);
    let wait_ms = TRY_WAIT_MS.saturating_mul(1 << doublings).min(TRY_WAIT_MAX_MS);
    // A clock that was put back must not keep anybody out for longer than the longest wait.
    (account.failed_ms + wait_ms - now_ms).clamp(0, wait_ms)
}

/// Comes in with a password and a one-time code, or a recovery code instead of that; the value of the session's cookie.
pub async fn sign_in(hub: &Hub, login: &str, password: String, code: &str) -> Result<std::result::Result<String, Shut>> {
    let now_ms = hub.now_ms();
    if !hub.doors.open(now_ms) {
        return Ok(Err(Shut::Busy));
    }
    let account = hub.store.account_called(login.trim().to_owned()).await?.filter(|account| account.closed_ms.is_none());
    if let Some(left_ms) = account.as_ref().map(|account| wait_left(account, now_ms)).filter(|left_ms| *left_ms > 0) {
        return Ok(Err(Shut::Wait(left_ms)));
    }
    let holds = holds(hub, account.as_ref(), password).await?;
    let Some(account) = account else {
        hub.doors.failed();
        return Ok(Err(Shut::Proofs));
    };
    let how = if holds { second_proof(hub, &account, code, now_ms).await? } else { None };
    let Some(how) = how else {
        hub.doors.failed();
        hub.store.change_account(account.member, AccountChange::Failed(now_ms)).await?;
        return Ok(Err(Shut::Proofs));
    };
    hub.store.change_account(account.member, AccountChange::Succeeded).await?;
    begin_noted(hub, account.member, how).await.map(Ok)
}

/// Which second proof this is, used up by looking.
async fn second_proof(hub: &Hub, account: &AccountRow, code: &str, now_ms: i64) -> Result<Option<&'static str>> {
    if let Some(step) = account.totp.as_deref().and_then(|secret| proofs::code_step(secret, code, now_ms)) {
        let fresh = hub.store.change_account(account.member, AccountChange::TotpUsed(step)).await?;
        return Ok(fresh.then_some("password"));
    }
    let Some(code) = proofs::recovery_hash(code) else { return Ok(None) };
    let used = hub.store.change_account(account.member, AccountChange::RecoveryUsed(code)).await?;
    Ok(used.then_some("recovery"))
}

/// Begins a session and notes who came in, and how.
pub(crate) async fn begin_noted(hub: &Hub, member: MemberNo, how: &str) -> Result<String> {
    let people = hub.store.people().await?;
    let name = people.member(member).map(name_of).unwrap_or_default();
    hub.note(&name, "signed in", how, "").await?;
    begin(hub, member, how).await
}

async fn begin(hub: &Hub, member: MemberNo, how: &str) -> Result<String> {
    let value = new_token();
    let now_ms = hub.now_ms();
    let session = SessionRow { key: hash("session", &value), member, how: how.to_owned(), began_ms: now_ms, seen_ms: now_ms };
    hub.store.begin_session(session, now_ms - CONSOLE_SESSION_TTL_MS).await?;
    Ok(value)
}

/// Exchanges an enter link for a session: its cookie's value. A link works once.
pub async fn enter(hub: &Hub, token: &str) -> Result<std::result::Result<String, Shut>> {
    let now_ms = hub.now_ms();
    if !hub.doors.open(now_ms) {
        return Ok(Err(Shut::Busy));
    }
    match hub.store.use_link(hash("link", token), now_ms).await? {
        Some(link) => begin_noted(hub, link.member, "link").await.map(Ok),
        None => {
            hub.doors.failed();
            Ok(Err(Shut::Link))
        }
    }
}

/// The session of a cookie's value: begun less than 12 hours ago, used in the last hour, of somebody who still has a role.
pub async fn session(hub: &Hub, value: &str) -> Result<Option<Session>> {
    let key = hash("session", value);
    let now_ms = hub.now_ms();
    let Some((row, reach)) = hub.store.session(key).await? else { return Ok(None) };
    if row.began_ms + CONSOLE_SESSION_TTL_MS <= now_ms || row.seen_ms + CONSOLE_IDLE_MS <= now_ms {
        return Ok(None);
    }
    let people = hub.store.people().await?;
    let Some(member) = people.member(row.member).filter(|member| rights::has_account(member.role)) else { return Ok(None) };
    if row.seen_ms + MINUTE_MS <= now_ms {
        hub.store.session_seen(key, now_ms).await?;
    }
    Ok(Some(Session {
        member: row.member,
        officer: name_of(member),
        role: member.role,
        reach: Reach::of(reach),
        how: row.how,
        // Derived from the cookie's value, so it need not be kept; one-way, so a page that leaks gives no session.
        form_token: BASE64URL_NOPAD.encode(&hash("form", value)),
        key,
    }))
}

/// Remembers that this session opened `subject` for `purpose`, for ten minutes.
pub async fn open_view(hub: &Hub, session: &Session, subject: &str, purpose: &str) -> Result<()> {
    let until_ms = hub.now_ms() + CONSOLE_VIEW_TTL_MS;
    hub.store.open_view(session.key, subject.to_owned(), purpose.to_owned(), until_ms).await
}

/// The purpose for which this session may see `subject` now.
pub async fn view(hub: &Hub, session: &Session, subject: &str) -> Result<Option<String>> {
    hub.store.view(session.key, subject.to_owned(), hub.now_ms()).await
}
