//! Officers' accounts as the store keeps them: who may come into the console, by which proofs, and who is inside.
//!
//! Nothing that opens a door by itself is kept: of links, sessions and recovery codes only hashes, of a password only
//! its Argon2id string. The secret of one-time codes must be kept to be checked; it lies in the encrypted database alone.

use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{HamletNo, MemberNo};

use super::Reply;

/// An account; its role stands in the member's row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Whose.
    pub member: MemberNo,
    /// The name typed at the door; compared folded, used by one account. Empty until a link opened the account.
    pub login: String,
    /// The hamlets whose affairs this account sees; none: the whole commune.
    pub reach: Vec<HamletNo>,
    /// Argon2id in its usual string form.
    pub password: Option<String>,
    /// Secret of one-time codes (RFC 6238).
    pub totp: Option<Vec<u8>>,
    /// Recovery codes that are not used yet.
    pub recovery_left: u32,
    /// Wrong tries since the last right one.
    pub failed: u32,
    /// The last of them, hub time.
    pub failed_ms: i64,
    /// Opened at, hub time.
    pub made_ms: i64,
    /// Closed at: its holder left or lost the role.
    pub closed_ms: Option<i64>,
}

/// What a one-use link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkKind {
    /// Opens an account, or gives it new proofs when all were lost.
    Join,
    /// Comes in once, given out by whoever holds the hub's machine.
    Enter,
}

/// An open one-use link. The token itself is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// SHA-256 of its token.
    pub token_hash: Hash,
    /// For whom.
    pub member: MemberNo,
    /// For what.
    pub kind: LinkKind,
    /// Until when, hub time.
    pub expires_ms: i64,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyRow {
    /// SHA-256 of its credential id.
    pub id: Hash,
    /// The name its owner gave it.
    pub label: String,
    /// The credential, as the library writes it.
    pub body: Vec<u8>,
    /// Added at, hub time.
    pub made_ms: i64,
    /// Last used at, hub time.
    pub used_ms: Option<i64>,
}

/// The proofs of a new account, or those that replace all that an account had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proofs {
    /// The name typed at the door.
    pub login: String,
    /// Argon2id string.
    pub password: String,
    /// Secret of one-time codes.
    pub totp: Vec<u8>,
    /// The step of the code that proved it: no earlier one is taken.
    pub totp_step: i64,
    /// Hashes of the recovery codes.
    pub recovery: Vec<Hash>,
}

/// What became of a link that should open an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Joined {
    /// The account is open.
    Open(MemberNo),
    /// No such open link.
    NoLink,
    /// Somebody else has this login.
    LoginTaken,
}

/// One change to an account. The answer says whether it could be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountChange {
    /// It sees these hamlets; none: the whole commune. Ends its sessions.
    Reach(Vec<HamletNo>),
    /// A new password. Ends its other sessions, all but this one.
    Password(String, Hash),
    /// A new secret of one-time codes, and the step of the code that proved it.
    Totp(Vec<u8>, i64),
    /// The code of this step was shown; `false` when it, or a later one, was shown before.
    TotpUsed(i64),
    /// New recovery codes, instead of all older ones.
    Recovery(Vec<Hash>),
    /// This recovery code was shown; `false` when it is none, or was used.
    RecoveryUsed(Hash),
    /// A wrong try, at this time.
    Failed(i64),
    /// A right one.
    Succeeded,
    /// A further passkey; `false` when it is there, or too many are.
    Passkey(PasskeyRow),
    /// A passkey was used: its new body, when.
    PasskeyUsed(Hash, Vec<u8>, i64),
    /// A passkey is taken away.
    PasskeyGone(Hash),
    /// The account is closed: no proof of it holds any more, its sessions end.
    Closed(i64),
}

/// Somebody inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRow {
    /// SHA-256 of the cookie's value.
    pub key: Hash,
    /// Who.
    pub member: MemberNo,
    /// How that person came in: `password`, `passkey`, `recovery`, `link` or `join`.
    pub how: String,
    /// Since when, hub time.
    pub began_ms: i64,
    /// Last asked for a page, hub time (to the minute).
    pub seen_ms: i64,
}

/// What the store promises of accounts; part of [`HubStore`](super::HubStore) and its conformance suite.
pub trait AccessStore: Send + Sync + 'static {
    /// Keeps a one-use link; older ones of the same kind for the same member no longer open.
    fn put_link(&self, link: LinkRow, now_ms: i64) -> Reply<'_, ()>;

    /// The link with this token, when it is open.
    fn link(&self, token_hash: Hash, now_ms: i64) -> Reply<'_, Option<LinkRow>>;

    /// Uses a link of the kind [`LinkKind::Enter`]: of any number of calls with one link exactly one gets it.
    fn use_link(&self, token_hash: Hash, now_ms: i64) -> Reply<'_, Option<LinkRow>>;

    /// Uses a link of the kind [`LinkKind::Join`]: the account has these proofs and no others, the reach that it had or was
    /// planned with, and nobody is inside.
    fn join(&self, token_hash: Hash, proofs: Proofs, now_ms: i64) -> Reply<'_, Joined>;

    /// An account that a link will open has this reach; one that was closed may be opened again.
    fn plan_account(&self, member: MemberNo, reach: Vec<HamletNo>, now_ms: i64) -> Reply<'_, ()>;

    /// All accounts, closed ones and planned ones (without login) too.
    fn accounts(&self) -> Reply<'_, Vec<AccountRow>>;

    /// The account of a member.
    fn account(&self, member: MemberNo) -> Reply<'_, Option<AccountRow>>;

    /// The account with this login, compared folded.
    fn account_called(&self, login: String) -> Reply<'_, Option<AccountRow>>;

    /// Changes an account; `false`: it could not be, and nothing changed.
    fn change_account(&self, member: MemberNo, change: AccountChange) -> Reply<'_, bool>;

    /// The passkeys of an account, oldest first.
    fn passkeys(&self, member: MemberNo) -> Reply<'_, Vec<PasskeyRow>>;

    /// Begins a session; expired ones (begun before `expired_ms`) go on the way.
    fn begin_session(&self, session: SessionRow, expired_ms: i64) -> Reply<'_, ()>;

    /// The session with this key, and the reach of its account (none: the whole commune).
    fn session(&self, key: Hash) -> Reply<'_, Option<(SessionRow, Vec<HamletNo>)>>;

    /// The sessions of a member, newest first.
    fn sessions_of(&self, member: MemberNo) -> Reply<'_, Vec<SessionRow>>;

    /// A page was asked for.
    fn session_seen(&self, key: Hash, at_ms: i64) -> Reply<'_, ()>;

    /// Ends a session.
    fn end_session(&self, key: Hash) -> Reply<'_, ()>;

    /// Remembers that a session opened `subject` for `purpose`, until `until_ms`.
    fn open_view(&self, session: Hash, subject: String, purpose: String, until_ms: i64) -> Reply<'_, ()>;

    /// The purpose for which a session may see `subject` now.
    fn view(&self, session: Hash, subject: String, now_ms: i64) -> Reply<'_, Option<String>>;
}
