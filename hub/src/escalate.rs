//! Silence: who was warned and does not answer is reminded by another way than the phone's own network.
//!
//! A message goes out once per alert and member, after a time that the severity sets. It carries the headline and the place
//! and nothing about anybody; drills and tests never send one. Who has which telephone number the hub does not know: a
//! message names the member's number, and what carries it (a gateway, an officer who calls) knows the rest.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use serde::Serialize;
use yenban_locales::{Lang, Words};
use yenban_protocol::alert::Severity;
use yenban_protocol::id::MemberNo;
use yenban_protocol::text::display_safe;

use crate::access::rights::Reach;
use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{HubError, Refusal, Result};
use crate::exchange::track::millis;
use crate::limits::{
    ALERT_TTL_MAX_MS, MESSAGES_FILE_MAX_BYTES, REMINDED_ALERTS_MAX, SILENCE_EXTREME_MS, SILENCE_MODERATE_MS, SILENCE_SEVERE_MS,
};
use crate::orders;
use crate::store::{AlertListing, ListQuery, ladder};

/// Who did it, in the record.
const HUB: &str = "hub";

/// A short message to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The member's number.
    pub to: u32,
    /// The alert.
    pub alert: String,
    /// When, RFC 3339.
    pub at: String,
    /// What it says.
    pub text: String,
}

/// Something that carries short messages.
pub trait Messenger: Send + Sync + 'static {
    /// Takes a message; once this returns without an error it is kept.
    fn send(&self, message: &Message) -> Result<()>;
}

/// Writes each message as a line of JSON into a file, which a gateway follows or an officer reads.
#[derive(Debug)]
pub struct MessageFile(PathBuf);

impl MessageFile {
    /// Messages go to `path`, which is made when the first one comes.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }
}

impl Messenger for MessageFile {
    fn send(&self, message: &Message) -> Result<()> {
        let told = |e: std::io::Error| HubError::folder(&self.0, e.to_string());
        let mut line = serde_json::to_vec(message).map_err(|e| HubError::Store(format!("message: {e}")))?;
        line.push(b'\n');
        let mut file = OpenOptions::new().create(true).append(true).mode(0o600).open(&self.0).map_err(told)?;
        if file.metadata().map_err(told)?.len() + line.len() as u64 > MESSAGES_FILE_MAX_BYTES {
            return Err(Refusal::Quota("messages that nobody fetched").into());
        }
        file.write_all(&line).and_then(|()| file.sync_data()).map_err(told)
    }
}

/// After how long without an answer a member is reminded; `None`: never.
pub fn silence_ms(severity: &str) -> Option<i64> {
    match Severity::from_code(severity)? {
        Severity::Extreme => Some(SILENCE_EXTREME_MS),
        // A level that nobody knows may be the worse one.
        Severity::Severe | Severity::Unknown => Some(SILENCE_SEVERE_MS),
        Severity::Moderate => Some(SILENCE_MODERATE_MS),
        Severity::Minor => None,
    }
}

/// Since when the silence of an alert's members counts, milliseconds; `None`: nobody is waited for.
pub fn silent_from_ms(alert: &AlertListing) -> Option<i64> {
    let asks = !alert.drill && alert.message_type != "Cancel" && alert.replaced_by.is_empty();
    let from_ms = millis(&alert.sent)? + silence_ms(&alert.severity)?;
    (asks && millis(&alert.expires)? > from_ms).then_some(from_ms)
}

/// Reminds whoever is silent on an alert that still holds; how many.
///
/// A message is sent before it is noted: one that goes out twice disturbs, one that never goes out may cost more.
pub async fn remind(hub: &Hub) -> Result<u64> {
    let now_ms = hub.now_ms();
    let since_ms = Some(now_ms - ALERT_TTL_MAX_MS);
    let recent = ListQuery { since_ms, live_at_ms: Some(now_ms), limit: REMINDED_ALERTS_MAX, ..ListQuery::default() };
    let people = hub.store.people().await?;
    let mut all = 0;
    for alert in hub.store.alerts(recent).await? {
        // One that phones gave back may have been taken back or answered long ago, by words that are still on their way.
        if alert.officer == orders::NOT_KNOWN || silent_from_ms(&alert).is_none_or(|from| from > now_ms) {
            continue;
        }
        let before: Vec<MemberNo> = hub.store.reminded(alert.id.clone()).await?.into_iter().map(|(member, _)| member).collect();
        let silent = ladder::of(&alert, &people, &Reach::WHOLE).into_iter().filter(ladder::MemberRung::is_silent);
        let wanted: Vec<MemberNo> = silent.map(|member| MemberNo(member.member_no)).filter(|no| !before.contains(no)).collect();
        if wanted.is_empty() {
            continue;
        }
        let text = text(&alert, &hub.identity().name);
        for member in &wanted {
            let (to, alert, at) = (member.0, alert.id.clone(), rfc3339(now_ms));
            hub.messenger.send(&Message { to, alert, at, text: text.clone() })?;
        }
        let count = hub.store.remind(alert.id.clone(), wanted, now_ms).await?.len();
        hub.note(HUB, "alert reminder", &alert.id, &count.to_string()).await?;
        tracing::warn!(alert = alert.id, members = count, "no answer: reminded");
        all += count as u64;
    }
    Ok(all)
}

/// Level, headline and place.
fn text(alert: &AlertListing, commune: &str) -> String {
    let words = Words::new(Lang::Vi);
    let severity = words.word(&format!("word-severity-{}", alert.severity.to_ascii_lowercase()));
    let place = if alert.hamlets.is_empty() { commune.to_owned() } else { alert.hamlets.join(", ") };
    words.say("warn-message", &[("severity", severity.into()), ("headline", display_safe(&alert.headline).into()), ("place", place.into())])
}
