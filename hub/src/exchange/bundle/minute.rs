//! Biên bản: what a bundle holds, for people. Vietnamese first, English beside it, on A4, complete in one file.
//!
//! It says what stands in the members it is signed with and nothing else; what counts are those members.

use askama::Template;
use data_encoding::{BASE64, HEXLOWER};
use yenban_locales::{Lang, Words};
use yenban_protocol::bundle::{CustodyFile, LogFile, Manifest, Step};
use yenban_protocol::chain::{Part, StoredBody};
use yenban_protocol::crypto::Signer as _;
use yenban_protocol::custody::{Action, Commit, CustodyFacts, CustodyRecord, ORIGINAL_NOTE, Who};
use yenban_protocol::id::EntryName;
use yenban_protocol::keys::root_hash;
use yenban_protocol::record::{Act, Position, PreviewKind, Provider, Record};
use yenban_protocol::text::{display_safe, display_safe_lines};
use yenban_protocol::time::{Bounds, Interval};

use super::chains::Custody;
use super::{Photo, files};
use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::exchange::track::millis;
use crate::exchange::under_way::FAILED_NOTE;
use crate::ingest::interval_of;
use crate::limits::{MINUTE_COPIES_MAX_BYTES, MINUTE_COPY_MAX_BYTES};
use crate::retention::RETENTION_RULE;
use crate::store::{IncidentListing, ListQuery};

/// Words for a remark that has none.
const OTHER_FLAG: &str = "photo-flag-other";

/// What the minute tells of.
pub(super) struct Told<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) photos: &'a [Photo],
    pub(super) logs: &'a [LogFile],
    pub(super) custody: &'a Custody,
    pub(super) actor: &'a str,
}

/// A text in both languages.
struct Both {
    vi: String,
    en: String,
}

/// Words and figures in both languages.
#[derive(Clone, Copy)]
struct Tongues {
    vi: Words,
    en: Words,
}

impl Tongues {
    fn word(self, id: &str) -> Both {
        Both { vi: self.vi.word(id), en: self.en.word(id) }
    }

    fn with(self, say: impl Fn(Words) -> String) -> Both {
        Both { vi: say(self.vi), en: say(self.en) }
    }
}

struct Said {
    basis: Both,
    text: String,
}

struct IncidentView {
    id: String,
    kind: Both,
    urgent: bool,
    hamlet: String,
    author: String,
    when: Both,
    place: String,
    said: Vec<Said>,
    /// What of its photographs is not here, not as it was, or destroyed; empty where all are here.
    lacking: Vec<Both>,
}

struct CustodyView {
    number: usize,
    at: String,
    action: Both,
    /// Which file it is about.
    file: Option<Both>,
    /// Its length, where that tells it apart.
    size: Option<String>,
    who: Option<(String, String)>,
}

struct PhotoView {
    place_in_list: usize,
    id: String,
    subject: Option<String>,
    picture: Option<String>,
    file: Option<String>,
    state: Both,
    sha256: Option<String>,
    size: Option<String>,
    source: Option<Both>,
    recovered: bool,
    flags: Vec<Both>,
    when: Option<Both>,
    received: Option<String>,
    place: Option<String>,
    device: String,
    author: Option<String>,
    custody: Vec<CustodyView>,
}

#[derive(Template)]
#[template(path = "minute.html")]
struct Page<'a> {
    t: Tongues,
    manifest: &'a Manifest,
    exported: String,
    scope: Both,
    actor: String,
    purpose: String,
    /// There is an original of which something is claimed.
    claimed: bool,
    root: String,
    key: String,
    incidents: Vec<IncidentView>,
    photos: Vec<PhotoView>,
    heads: usize,
    head: String,
}

/// How many incidents a bundle discloses.
pub(super) fn incidents(logs: &[LogFile], manifest: &Manifest) -> u64 {
    names(logs, manifest).len() as u64
}

fn names(logs: &[LogFile], manifest: &Manifest) -> Vec<EntryName> {
    if let Some(incidents) = &manifest.incidents {
        return incidents.clone();
    }
    let mut names = Vec::new();
    for file in logs {
        for run in &file.runs {
            for (seq, step) in (run.first..).zip(&run.steps) {
                if let Step::Body(body) = step
                    && let Some(Act::IncidentReported { .. }) = record(body).map(|record| record.act)
                {
                    names.push(EntryName { log: file.log, seq });
                }
            }
        }
    }
    names.sort();
    names.dedup();
    names
}

fn record(body: &StoredBody) -> Option<Record> {
    let parts: Vec<Option<&Part>> = (0..body.len()).map(|index| body.part(index)).collect();
    Record::from_parts(&parts).ok()
}

/// The page.
pub(super) async fn write(hub: &Hub, told: &Told<'_>) -> Result<Vec<u8>> {
    let t = Tongues { vi: Words::new(Lang::Vi), en: Words::new(Lang::En) };
    let manifest = told.manifest;
    let mut incidents = Vec::new();
    for name in names(told.logs, manifest) {
        let query = ListQuery { limit: 1, name: Some(name.to_string()), ..ListQuery::default() };
        incidents.extend(hub.store.incidents(query).await?.iter().map(|row| incident(t, row)));
    }
    let (mut photos, mut room) = (Vec::new(), MINUTE_COPIES_MAX_BYTES);
    for (index, found) in told.photos.iter().enumerate() {
        let picture = picture(hub, found, &mut room).await?;
        photos.push(photo(hub, t, index + 1, found, picture, told.custody.chains.get(&found.item())).await?);
    }
    let newest = told.custody.heads.last();
    let page = Page {
        t,
        manifest,
        exported: t.vi.date_time(manifest.exported_ms),
        scope: match &manifest.incidents {
            None => t.word("minute-scope-all"),
            Some(names) => t.with(|w| w.say("minute-scope-incidents", &[("n", names.len().into())])),
        },
        actor: actor(t, told.actor),
        purpose: display_safe(&manifest.purpose),
        claimed: told.photos.iter().any(|photo| photo.original.is_some()),
        root: grouped(&HEXLOWER.encode(&root_hash(&hub.keys.history.value.root))),
        key: hub.keys.signer.public_key().id().to_string(),
        incidents,
        photos,
        heads: told.custody.heads.len(),
        head: newest.map(|row| grouped(&HEXLOWER.encode(&row.head.root))).unwrap_or_default(),
    };
    page.render().map(String::into_bytes).map_err(|e| HubError::Store(format!("minute: {e}")))
}

/// A fingerprint in groups of eight, so that it can be compared by eye and aloud.
fn grouped(hex: &str) -> String {
    let groups: Vec<&str> = hex.as_bytes().chunks(8).filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(" ")
}

/// The interval between two moments that are known; what is not known stays open.
fn between(t: Tongues, interval: Interval) -> Both {
    t.with(|w| match (interval.earliest_ms > i64::MIN, interval.latest_ms < i64::MAX) {
        (true, true) => span(w, interval.earliest_ms, interval.latest_ms),
        (false, true) => w.say("minute-not-after", &[("at", w.date_time(interval.latest_ms).into())]),
        (true, false) => w.say("minute-not-before", &[("at", w.date_time(interval.earliest_ms).into())]),
        (false, false) => w.word("console-time-unknown"),
    })
}

/// Both ends with their dates: a minute is read long after the day it tells of.
fn span(w: Words, from_ms: i64, to_ms: i64) -> String {
    let (from, to) = (w.date_time(from_ms), w.date_time(to_ms));
    if from == to { from } else { format!("{from} – {to}") }
}

fn place(t: Tongues, lat_e7: i32, lon_e7: i32, accuracy_m: Option<f64>) -> String {
    let accuracy = accuracy_m.map(|metres| format!(" ± {}", t.vi.distance(metres))).unwrap_or_default();
    format!("{}{accuracy}", t.vi.coordinates(lat_e7, lon_e7))
}

fn incident(t: Tongues, row: &IncidentListing) -> IncidentView {
    let e7 = |degrees: f64| (degrees * 1e7).round() as i32;
    let when = match (millis(&row.time_earliest), millis(&row.time_latest)) {
        (Some(from), Some(to)) => t.with(|w| span(w, from, to)),
        _ => t.word("console-time-unknown"),
    };
    let kind = if t.vi.has(&format!("kind-{}", row.kind)) { row.kind.as_str() } else { "other" };
    let basis = |code: &str| match code {
        "seen" | "heard" | "think" => t.word(&format!("word-basis-{code}")),
        _ => t.word("console-basis-unstated"),
    };
    IncidentView {
        id: row.id.clone(),
        kind: t.with(|w| w.kind(kind)),
        urgent: row.urgent,
        hamlet: display_safe(&row.hamlet),
        author: author(&row.author, row.author_no),
        when,
        place: match (row.lat, row.lon) {
            (Some(lat), Some(lon)) => place(t, e7(lat), e7(lon), row.accuracy_m),
            _ => t.vi.word("word-gps-gap"),
        },
        lacking: [
            ("minute-photos-missing", row.missing.len() as u64),
            ("minute-photos-altered", row.altered.len() as u64),
            ("minute-photos-erased", row.erased),
        ]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(id, n)| t.with(|w| w.say(id, &[("n", n.into())])))
        .collect(),
        said: row.statements.iter().map(|s| Said { basis: basis(&s.basis), text: display_safe_lines(&s.text) }).collect(),
    }
}

fn author(name: &str, number: u32) -> String {
    if name.trim().is_empty() { format!("№ {number}") } else { display_safe(name) }
}

/// Who did something: the record has short names for whoever works at the hub itself.
fn actor(t: Tongues, name: &str) -> String {
    if let Some(device) = name.strip_prefix("device ") {
        return format!("{} {}", t.vi.word("minute-actor-device"), display_safe(device));
    }
    let id = format!("minute-actor-{name}");
    if t.vi.has(&id) { t.vi.word(&id) } else { display_safe(name) }
}

/// What something was done for. What the hub does by itself it notes in short.
fn purpose(t: Tongues, purpose: &str) -> String {
    match purpose {
        RETENTION_RULE => t.vi.word("minute-purpose-retention"),
        _ if purpose.starts_with("device ") => actor(t, purpose),
        _ => display_safe(purpose),
    }
}

/// A small copy to look at, as a data URI; none when there is none, or no room is left.
async fn picture(hub: &Hub, photo: &Photo, room: &mut u64) -> Result<Option<String>> {
    let fits = |size: u64| size <= MINUTE_COPY_MAX_BYTES.min(*room);
    let small = photo.copies.iter().filter(|(kind, ..)| *kind == PreviewKind::Thumbnail);
    let Some((_, stored, ending)) = small.chain(&photo.copies).find(|(_, stored, _)| fits(stored.size_bytes())) else { return Ok(None) };
    let media = match *ending {
        "jpg" => "jpeg",
        "png" | "webp" => ending,
        _ => return Ok(None),
    };
    *room -= stored.size_bytes();
    let mut bytes = Vec::new();
    files::write(hub, stored, &mut bytes).await?;
    Ok(Some(format!("data:image/{media};base64,{}", BASE64.encode(&bytes))))
}

async fn photo(
    hub: &Hub,
    t: Tongues,
    place_in_list: usize,
    found: &Photo,
    picture: Option<String>,
    chain: Option<&CustodyFile>,
) -> Result<PhotoView> {
    let item = found.item();
    let rows = hub.store.entries(item.entry.log, item.branch, item.entry.seq, 1).await?;
    let row = rows.first().filter(|row| row.seq == item.entry.seq);
    let record = row.and_then(|row| StoredBody::from_bytes(&row.body).ok()).and_then(|body| record(&body));
    let device = match hub.store.log_state(item.entry.log).await? {
        Some(state) => hub.store.device(state.device).await?,
        None => None,
    };
    let bounds = Bounds { not_before_ms: device.as_ref().map(|d| d.enrolled_ms), not_after_ms: row.map(|row| row.received_ms) };
    let (subject, facts) = match record.as_ref().map(|record| &record.act) {
        Some(Act::PhotoCaptured { subject, photo }) => (*subject, photo.as_ref()),
        _ => (None, None),
    };
    let people = hub.store.people().await?;
    let named = |no| people.members.iter().find(|member| member.no == no).map(|member| member.name.clone()).unwrap_or_default();
    Ok(PhotoView {
        place_in_list,
        id: item.to_string(),
        subject: subject.map(|name| name.to_string()),
        picture,
        file: found.original.as_ref().map(|(_, ending)| files::original_name(&item, ending)),
        state: state(t, found, chain),
        sha256: facts.map(|facts| grouped(&HEXLOWER.encode(&facts.sha256))),
        size: facts.map(|facts| bytes(t, facts.size_bytes)),
        source: facts.map(|facts| t.word(if facts.from_camera { "minute-source-camera" } else { "minute-source-import" })),
        recovered: facts.is_some_and(|facts| facts.recovered),
        flags: facts.map(|facts| flags(t, &facts.flags)).unwrap_or_default(),
        when: record.as_ref().map(|record| between(t, interval_of(&record.common, bounds))),
        received: row.map(|row| t.vi.date_time(row.received_ms)),
        place: record.as_ref().and_then(|record| record.common.position).map(|position| position_told(t, &position)),
        device: device.map(|device| device.id.to_string()).unwrap_or_default(),
        author: record.as_ref().map(|record| author(&named(record.common.author), record.common.author.0)),
        custody: chain.map(|chain| custody(t, chain)).unwrap_or_default(),
    })
}

/// What the phone remarked about a file. A phone of a later version may remark what has no words here yet.
fn flags(t: Tongues, codes: &[String]) -> Vec<Both> {
    let id = |code: &String| format!("photo-flag-{}", code.replace('_', "-"));
    let mut ids: Vec<String> = codes.iter().map(id).map(|id| if t.vi.has(&id) { id } else { OTHER_FLAG.to_owned() }).collect();
    ids.dedup();
    ids.iter().map(|id| t.word(id)).collect()
}

fn bytes(t: Tongues, size_bytes: u64) -> String {
    format!("{} byte", t.vi.number(i64::try_from(size_bytes).unwrap_or(i64::MAX)))
}

fn position_told(t: Tongues, position: &Position) -> String {
    let source = match position.provider {
        Provider::Gnss => "minute-place-satellites",
        Provider::Network => "minute-place-network",
        _ => "minute-place-claimed",
    };
    let told = place(t, position.lat_e7, position.lon_e7, position.accuracy_cm.map(|cm| f64::from(cm) / 100.0));
    format!("{told} ({})", t.vi.word(source))
}

fn state(t: Tongues, found: &Photo, chain: Option<&CustodyFile>) -> Both {
    if found.original.is_some() {
        return t.word("minute-state-here");
    }
    // A record of the same chain may be about a smaller copy: that says nothing of the original.
    let tells = |facts: &CustodyFacts| match facts.action {
        Action::Deleted => true,
        Action::Received | Action::FoundAltered | Action::FoundMissing => facts.note.as_deref() == Some(ORIGINAL_NOTE),
        _ => false,
    };
    let last = chain.and_then(|chain| chain.records.iter().rev().map(|(_, facts)| facts).find(|facts| tells(facts)));
    let last = last.map(|facts| facts.action);
    t.word(match last {
        Some(Action::Deleted) => "minute-state-deleted",
        Some(Action::FoundAltered) => "minute-state-altered",
        Some(Action::FoundMissing) => "minute-state-missing",
        _ => "minute-state-not-received",
    })
}

fn custody(t: Tongues, chain: &CustodyFile) -> Vec<CustodyView> {
    let row = |(number, (record, facts)): (usize, &(CustodyRecord, CustodyFacts))| {
        let who = match &record.who {
            Commit::Told { who, .. } => Who::from_bytes(who).ok(),
            Commit::Erased(_) => None,
        };
        CustodyView {
            number: number + 1,
            at: t.vi.date_time(facts.at_ms),
            action: t.word(&match (facts.action, facts.note.as_deref()) {
                (Action::Exported, Some(FAILED_NOTE)) => "custody-export-failed".to_owned(),
                (action, _) => format!("custody-{}", action.code().replace('_', "-")),
            }),
            file: facts.note.as_deref().map(|note| format!("minute-file-{note}")).filter(|id| t.vi.has(id)).map(|id| t.word(&id)),
            size: matches!(facts.action, Action::Received | Action::Verified | Action::Derived).then(|| bytes(t, facts.size_bytes)),
            who: who.map(|who| (actor(t, &who.actor), purpose(t, &who.purpose))),
        }
    };
    chain.records.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tongues() -> Tongues {
        Tongues { vi: Words::new(Lang::Vi), en: Words::new(Lang::En) }
    }

    /// The remarks that a phone of this version makes, read where they are written.
    fn remarks() -> Vec<String> {
        let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/src/evidence.rs");
        let text = std::fs::read_to_string(source).expect("the phone's remarks");
        let (_, flags) = text.split_once("mod flags {").expect("remarks");
        let (flags, _) = flags.split_once("\n}").expect("their end");
        flags.lines().filter(|line| line.contains("const ")).filter_map(|line| line.split('"').nth(1)).map(str::to_owned).collect()
    }

    #[test]
    fn every_remark_of_a_phone_has_words_and_no_code_is_printed() {
        let known = remarks();
        assert!(known.len() >= 8, "{known:?}");
        for code in &known {
            let told = flags(tongues(), std::slice::from_ref(code)).remove(0);
            let other = tongues().word(OTHER_FLAG);
            for (told, other) in [(told.vi, other.vi), (told.en, other.en)] {
                assert!(told != other && !told.contains('_') && !told.contains("photo-flag"), "{code}: {told}");
            }
        }
        // A phone of a later version, or one that wants to print something here.
        for strange in ["novel_remark", "", "other", "<b>x</b>", "{$n}"] {
            assert_eq!(flags(tongues(), &[strange.to_owned()])[0].vi, tongues().vi.word(OTHER_FLAG), "{strange}");
        }
    }

    #[test]
    fn what_the_hub_notes_in_short_is_told_in_words() {
        let t = tongues();
        assert_eq!(purpose(t, RETENTION_RULE), t.vi.word("minute-purpose-retention"));
        assert_eq!(purpose(t, "device 0b"), format!("{} 0b", t.vi.word("minute-actor-device")));
        assert_eq!(purpose(t, "vụ 12/2026"), "vụ 12/2026");
    }
}
