//! Who may open the console: one-use links, the sessions they become, and the token that guards every form.
//!
//! This first console has one way in: a link that the operator of the hub asks for. Log-ins with roles and second
//! factors come with their own issue and change this file alone: pages know only [`Session`].
//!
//! Nothing that opens a door is kept: of link, session and form tokens only hashes stay, in memory. A restart of the
//! hub ends every session.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use yenban_protocol::text::Limit;

use crate::entropy;
use crate::limits::{
    CONSOLE_ENTRY_TTL_MS, CONSOLE_LINKS_MAX, CONSOLE_SESSION_TTL_MS, CONSOLE_SESSIONS_MAX, CONSOLE_TRIES_PER_MINUTE, CONSOLE_VIEW_TTL_MS,
    CONSOLE_VIEWS_MAX,
};

/// Name of the session's cookie. The prefix makes browsers refuse it unless it is secure and of this host alone.
pub(super) const COOKIE: &str = "__Host-yenban";

const MINUTE_MS: i64 = 60_000;

type TokenHash = [u8; 32];

fn hash(purpose: &str, token: &str) -> TokenHash {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(token).finalize().into()
}

fn new_token() -> String {
    BASE64URL_NOPAD.encode(&entropy::array::<32>())
}

/// An open link.
#[derive(Debug)]
struct Link {
    officer: String,
    expires_ms: i64,
}

/// What a page may know of who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Who, as the read log will say.
    pub officer: String,
    /// Stands in every form of this session.
    pub form_token: String,
    key: TokenHash,
}

#[derive(Debug)]
struct Kept {
    officer: String,
    expires_ms: i64,
    /// Content that was opened for a purpose: subject, purpose, until when.
    views: Vec<(String, String, i64)>,
}

#[derive(Debug, Default)]
struct Doors {
    links: HashMap<TokenHash, Link>,
    sessions: HashMap<TokenHash, Kept>,
    tries: (i64, u32),
}

/// The console's doors.
#[derive(Debug, Default)]
pub struct Access(Mutex<Doors>);

/// Why a link did not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Unknown, used or too late: the three look alike from outside.
    Link,
    /// Too many wrong links in a minute.
    TooManyTries,
}

impl Access {
    fn doors(&self) -> MutexGuard<'_, Doors> {
        // No holder can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new one-use link: the path that `officer` opens within 30 minutes, to be shown to that person alone.
    pub fn new_link(&self, officer: &str, now_ms: i64) -> String {
        let token = new_token();
        let mut doors = self.doors();
        doors.links.retain(|_, link| link.expires_ms > now_ms);
        if doors.links.len() >= CONSOLE_LINKS_MAX {
            // The oldest goes: whoever asks now is here now.
            let oldest = doors.links.iter().min_by_key(|(_, link)| link.expires_ms).map(|(key, _)| *key);
            oldest.and_then(|key| doors.links.remove(&key));
        }
        let link = Link { officer: Limit::NAME.cut(officer).to_owned(), expires_ms: now_ms + CONSOLE_ENTRY_TTL_MS };
        doors.links.insert(hash("link", &token), link);
        format!("/console/enter/{token}")
    }

    /// Exchanges a link for a session: its cookie's value. A link works once.
    pub(super) fn enter(&self, token: &str, now_ms: i64) -> Result<String, Refused> {
        let mut doors = self.doors();
        let minute = now_ms.div_euclid(MINUTE_MS);
        if doors.tries.0 != minute {
            doors.tries = (minute, 0);
        }
        if doors.tries.1 >= CONSOLE_TRIES_PER_MINUTE {
            return Err(Refused::TooManyTries);
        }
        let link = doors.links.remove(&hash("link", token)).filter(|link| link.expires_ms > now_ms);
        let Some(link) = link else {
            doors.tries.1 += 1;
            return Err(Refused::Link);
        };
        doors.sessions.retain(|_, kept| kept.expires_ms > now_ms);
        if doors.sessions.len() >= CONSOLE_SESSIONS_MAX {
            let oldest = doors.sessions.iter().min_by_key(|(_, kept)| kept.expires_ms).map(|(key, _)| *key);
            oldest.and_then(|key| doors.sessions.remove(&key));
        }
        let value = new_token();
        let kept = Kept { officer: link.officer, expires_ms: now_ms + CONSOLE_SESSION_TTL_MS, views: Vec::new() };
        doors.sessions.insert(hash("session", &value), kept);
        Ok(value)
    }

    /// The session of a cookie's value.
    pub(super) fn session(&self, value: &str, now_ms: i64) -> Option<Session> {
        let key = hash("session", value);
        let doors = self.doors();
        let kept = doors.sessions.get(&key).filter(|kept| kept.expires_ms > now_ms)?;
        // Derived from the cookie's value, so it need not be kept; one-way, so a page that leaks gives no session.
        let form_token = BASE64URL_NOPAD.encode(&hash("form", value));
        Some(Session { officer: kept.officer.clone(), form_token, key })
    }

    /// Ends a session.
    pub(super) fn leave(&self, session: &Session) {
        self.doors().sessions.remove(&session.key);
    }

    /// Remembers that this session opened `subject` for `purpose`, for ten minutes.
    pub(super) fn open_view(&self, session: &Session, subject: &str, purpose: &str, now_ms: i64) {
        if let Some(kept) = self.doors().sessions.get_mut(&session.key) {
            kept.views.retain(|(opened, _, until_ms)| opened != subject && *until_ms > now_ms);
            if kept.views.len() >= CONSOLE_VIEWS_MAX {
                kept.views.remove(0);
            }
            kept.views.push((subject.to_owned(), purpose.to_owned(), now_ms + CONSOLE_VIEW_TTL_MS));
        }
    }

    /// The purpose for which this session may see `subject` now.
    pub(super) fn view(&self, session: &Session, subject: &str, now_ms: i64) -> Option<String> {
        let doors = self.doors();
        let views = &doors.sessions.get(&session.key)?.views;
        views.iter().find(|(opened, _, until_ms)| opened == subject && *until_ms > now_ms).map(|(_, purpose, _)| purpose.clone())
    }
}

impl Session {
    /// Whether a form carries this session's token; compared in constant time.
    pub(super) fn sent(&self, token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(token.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_359_120_000;

    fn token(link: &str) -> &str {
        link.strip_prefix("/console/enter/").unwrap()
    }

    #[test]
    fn a_link_opens_once_and_for_half_an_hour() {
        let access = Access::default();
        let link = access.new_link("Công an xã", NOW);
        let value = access.enter(token(&link), NOW + CONSOLE_ENTRY_TTL_MS - 1).unwrap();
        assert_eq!(access.enter(token(&link), NOW), Err(Refused::Link));
        assert_eq!(access.session(&value, NOW).unwrap().officer, "Công an xã");
        let late = access.new_link("Công an xã", NOW);
        assert_eq!(access.enter(token(&late), NOW + CONSOLE_ENTRY_TTL_MS), Err(Refused::Link));
    }

    #[test]
    fn a_session_ends_after_its_day_or_when_left() {
        let access = Access::default();
        let value = access.enter(token(&access.new_link("A", NOW)), NOW).unwrap();
        let session = access.session(&value, NOW + CONSOLE_SESSION_TTL_MS - 1).unwrap();
        assert!(access.session(&value, NOW + CONSOLE_SESSION_TTL_MS).is_none());
        access.leave(&session);
        assert!(access.session(&value, NOW).is_none());
        assert!(access.session("", NOW).is_none());
    }

    #[test]
    fn wrong_links_are_counted_by_the_minute() {
        let access = Access::default();
        let good = access.new_link("A", NOW);
        for _ in 0..CONSOLE_TRIES_PER_MINUTE {
            assert_eq!(access.enter("wrong", NOW), Err(Refused::Link));
        }
        assert_eq!(access.enter(token(&good), NOW), Err(Refused::TooManyTries));
        assert!(access.enter(token(&good), NOW + MINUTE_MS).is_ok(), "waiting helps, the link is not lost");
    }

    #[test]
    fn nothing_that_opens_a_door_is_kept() {
        let access = Access::default();
        let link = access.new_link("A", NOW);
        assert!(!format!("{access:?}").contains(token(&link)));
        let value = access.enter(token(&link), NOW).unwrap();
        let session = access.session(&value, NOW).unwrap();
        assert!(!format!("{access:?}").contains(&value));
        assert_ne!(session.form_token, value);
        assert!(session.sent(&session.form_token.clone()) && !session.sent("") && !session.sent(&value));
    }

    #[test]
    fn doors_are_bounded() {
        let access = Access::default();
        for n in 0..CONSOLE_LINKS_MAX as i64 + 5 {
            access.new_link("A", NOW + n);
        }
        assert_eq!(access.doors().links.len(), CONSOLE_LINKS_MAX);
        for n in 0..CONSOLE_SESSIONS_MAX as i64 + 5 {
            let link = access.new_link("A", NOW + n);
            access.enter(token(&link), NOW + n).unwrap();
        }
        assert_eq!(access.doors().sessions.len(), CONSOLE_SESSIONS_MAX);
    }

    #[test]
    fn a_view_is_for_one_subject_one_purpose_and_ten_minutes() {
        let access = Access::default();
        let value = access.enter(token(&access.new_link("A", NOW)), NOW).unwrap();
        let session = access.session(&value, NOW).unwrap();
        assert_eq!(access.view(&session, "a:1", NOW), None);
        access.open_view(&session, "a:1", "trực ban", NOW);
        assert_eq!(access.view(&session, "a:1", NOW).as_deref(), Some("trực ban"));
        assert_eq!(access.view(&session, "a:2", NOW), None);
        assert_eq!(access.view(&session, "a:1", NOW + CONSOLE_VIEW_TTL_MS), None);
    }
}
