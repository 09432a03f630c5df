//! What is at the hub, for people, for programs and for maps.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use serde_json::{Value, json};
use yenban_core::clock::{Clock, SystemClock};
use yenban_core::incident::KINDS;
use yenban_hub::admin::ListKind;
use yenban_hub::exchange::{Format, Scope};
use yenban_hub::store::{AUDIT_DONE, ListQuery};
use yenban_locales::{Lang, Words};
use yenban_protocol::id::EntryName;
use yenban_protocol::text::Limit;

use super::Job;
use crate::args::{duration_ms, invalid, nearest_choice};
use crate::fault::{Fault, Result};
use crate::files;
use crate::output::clean;
use crate::reason::{code, refused};

/// What the operator's own looks are for, as the read log keeps it.
const PURPOSE: &str = "operator";
/// Formats a file can have.
const FORMATS: [&str; 4] = ["geojson", "gpx", "csv", BUNDLE];
/// The format that is not a table: photographs with everything that proves them.
const BUNDLE: &str = "bundle";
/// Fields of a row that tell people most, in this order; the document has them all.
const TOLD: [&str; 17] = [
    "id",
    "at",
    "actor",
    "action",
    "kind",
    "headline",
    "member",
    "hamlet",
    "role",
    "state",
    "reason",
    "severity",
    "check_ins",
    "started",
    "sent",
    "recorded_at",
    "original_name",
];

/// `status`.
pub(super) fn status(job: &Job<'_>) -> Result<()> {
    let totals = job.at_the_hub(async |admin| admin.status().await)?;
    job.out.document(&json!(totals))?;
    let in_use = totals.devices.saturating_sub(totals.revoked);
    job.out.say("cli-hub-devices", &[("devices", in_use.into()), ("revoked", totals.revoked.into())])?;
    let held = [("entries", totals.entries.into()), ("patrols", totals.patrols.into()), ("check-ins", totals.check_ins.into())];
    job.out.say("cli-hub-entries", &held)?;
    let evidence = totals.evidence;
    let figures = [
        ("incidents", totals.incidents.into()),
        ("verified", evidence.verified.into()),
        ("expected", evidence.expected.into()),
        ("missing", evidence.missing.into()),
        ("altered", evidence.altered.into()),
        ("erased", evidence.erased.into()),
    ];
    job.out.say("cli-hub-incidents", &figures)?;
    let figures = [("alerts", totals.alerts.into()), ("receipts", totals.receipts.into()), ("quarantine", totals.quarantine.into())];
    job.out.say("cli-hub-alerts", &figures)?;
    job.out.say("warn-status-delivered", &[("delivered", totals.delivered.into()), ("answers", totals.answers.into())])?;
    match (totals.chains_ok, evidence.missing + evidence.altered) {
        (false, _) => job.out.line(&job.words().word("cli-hub-chains-differ")),
        (true, 0) => job.out.line(&job.words().word("cli-all-agrees")),
        (true, _) => {
            let figures = [("missing", evidence.missing.into()), ("altered", evidence.altered.into())];
            job.out.say("cli-hub-evidence-missing", &figures)
        }
    }
}

/// `list`.
pub(super) fn list(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("what")?;
    let what = ListKind::from_code(typed).ok_or_else(|| Fault::usage("error-command-unknown").told("command", typed))?;
    let rows: Vec<Value> = job.at_the_hub(async |admin| admin.list(what, ListQuery::default(), PURPOSE).await)?;
    for row in &rows {
        job.out.line(&told(row, job.words()))?;
    }
    if rows.is_empty() {
        job.out.line(&job.words().word("cli-hub-list-empty"))?;
    }
    job.out.document(&Value::Array(rows))
}

/// A row as one line: what tells most, then where; times and kinds as people say them.
fn told(row: &Value, words: Words) -> String {
    let said = |field: &str, text: &str| match (field, text.parse::<Timestamp>()) {
        (_, Ok(at)) => words.date_time(at.as_millisecond()),
        ("kind", _) if KINDS.iter().any(|(code, _)| *code == text) => words.kind(text),
        ("severity", _) => words.word(&format!("word-severity-{}", text.to_ascii_lowercase())),
        ("actor", _) if ["operator", "hub"].contains(&text) => words.word(&format!("minute-actor-{text}")),
        ("role" | "state" | "action", _) => clean(&code(field, text, words)),
        ("reason", _) => clean(&refused(text, text, words)),
        _ => clean(text),
    };
    let text = |field: &str| match &row[field] {
        Value::String(text) if !text.is_empty() => Some(said(field, text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let place = match (row["lat"].as_f64(), row["lon"].as_f64()) {
        (Some(lat), Some(lon)) => Some(format!("{lat:.5}, {lon:.5}")),
        _ => None,
    };
    let mut parts: Vec<String> = TOLD.iter().filter_map(|field| text(field)).chain(place).collect();
    // So far only a message tells of it.
    parts.extend(match row["report"].as_str() {
        Some("to_come") => Some(words.word("console-sms-to-come")),
        Some("contradicted") => Some(words.word("console-sms-contradicted")),
        _ => None,
    });
    if row["id"].is_null()
        && let (Some(log), Some(seq)) = (text("log"), text("seq"))
    {
        parts.insert(0, format!("{log}:{seq}"));
    }
    parts.extend((row["urgent"] == true).then(|| words.word("word-urgent")));
    parts.extend(photos(row, words));
    parts.extend(kept(row, words));
    parts.extend(rungs(row, words));
    parts.extend(row.get("outcome").map(|outcome| ended(outcome, words)));
    parts.join(" · ")
}

/// How many members stand on each rung of an alert.
fn rungs(row: &Value, words: Words) -> Option<String> {
    let rungs = row["rungs"].as_object()?;
    let number = |rung: &'static str| (rung, rungs.get(rung).and_then(Value::as_u64).unwrap_or(0).into());
    Some(words.say("warn-list-rungs", &["addressed", "none", "delivered", "seen", "going", "cannot", "done"].map(number)))
}

/// Until when a photograph is held, or when it was destroyed. A hold that is over holds nothing.
fn kept(row: &Value, words: Words) -> Option<String> {
    let ms = |field: &str| row[field].as_str().and_then(|at| at.parse::<Timestamp>().ok()).map(Timestamp::as_millisecond);
    if let Some(at) = ms("erased_at") {
        return Some(words.say("cli-list-erased", &[("at", words.date_time(at).into())]));
    }
    let until = ms("held_until").filter(|until| *until > SystemClock::new().wall_ms())?;
    let case = clean(row["hold_case"].as_str().unwrap_or_default());
    Some(words.say("cli-list-held", &[("until", words.date_time(until).into()), ("case", case.into())]))
}

/// How something that the record of reads and orders tells of ended.
fn ended(outcome: &Value, words: Words) -> String {
    match outcome.as_str() {
        Some(AUDIT_DONE) => words.word("cli-audit-done"),
        Some(code) => words.say("cli-audit-not-done", &[("why", clean(&refused(code, code, words)).into())]),
        None => words.word("cli-audit-open"),
    }
}

/// What is here of the photographs of an incident; nothing where there are none.
fn photos(row: &Value, words: Words) -> Vec<String> {
    let number = |field: &str| row[field].as_u64().unwrap_or(0);
    let named = |field: &str| row[field].as_array().map_or(0, Vec::len) as u64;
    // What other phones sent comes on top of what this report announced.
    let all = number("attachments").max(number("photos") + number("unnamed"));
    let sorts = [
        ("cli-photos-lacking", named("missing")),
        ("cli-photos-altered", named("altered")),
        ("cli-photos-erased", number("erased")),
        ("cli-photos-unnamed", number("unnamed")),
    ];
    let told = sorts.iter().filter(|(_, n)| *n > 0).map(|(id, n)| words.say(id, &[("n", (*n).into()), ("all", all.into())]));
    match (all, told.collect::<Vec<_>>()) {
        (0, _) => Vec::new(),
        (_, told) if told.is_empty() => vec![words.say("cli-photos-complete", &[("all", all.into())])],
        (_, told) => told,
    }
}

/// `export`.
pub(super) fn export(job: &Job<'_>) -> Result<()> {
    let typed = nearest_choice("format", job.values.need("format")?, FORMATS)?;
    let incident = job.values.text("incident").map(incident).transpose()?;
    let since_ms = job.values.text("since").map(since_ms).transpose()?;
    let out = job.values.need_path("out")?;
    files::free(&out)?;
    let purpose = job.values.bounded("purpose", Limit::NAME)?;
    if typed == BUNDLE {
        return bundle(job, Scope { since_ms, incident }, &out, purpose);
    }
    let format = Format::from_code(typed).ok_or_else(|| invalid("format", typed, "geojson"))?;
    let (purpose, stated) = (stated(purpose), purpose.is_some());
    let written = job.at_the_hub(async |admin| admin.export(format, Scope { since_ms, incident }, &out, &purpose).await)?;
    job.out.document(&json!({
        "file": out.display().to_string(), "format": typed, "patrols": written.patrols, "check_ins": written.check_ins,
        "incidents": written.incidents,
    }))?;
    let figures = [
        ("patrols", written.patrols.into()),
        ("check-ins", written.check_ins.into()),
        ("incidents", written.incidents.into()),
        ("path", out.display().to_string().into()),
    ];
    job.out.say("cli-exported", &figures)?;
    unstated(job, stated)
}

/// What the records say that an export was for. They are Vietnamese, whatever language the operator reads.
fn stated(purpose: Option<&str>) -> String {
    purpose.map_or_else(|| Words::new(Lang::Vi).word("cli-purpose-none"), str::to_owned)
}

/// Tells that nobody said what it was for, and how that is said.
fn unstated(job: &Job<'_>, stated: bool) -> Result<()> {
    if stated { Ok(()) } else { job.out.line(&job.words().word("cli-export-unstated")) }
}

/// An evidence bundle.
fn bundle(job: &Job<'_>, scope: Scope, out: &Path, purpose: Option<&str>) -> Result<()> {
    let (purpose, stated) = (stated(purpose), purpose.is_some());
    let written = job.at_the_hub(async |admin| admin.bundle(scope, out, &purpose).await)?;
    job.out.document(&json!({
        "file": out.display().to_string(), "format": BUNDLE, "incidents": written.incidents, "photos": written.photos,
        "originals": written.originals, "members": written.members, "size_bytes": written.size_bytes, "root": written.root,
        "lacking": written.lacking,
    }))?;
    let figures = [
        ("photos", written.photos.into()),
        ("originals", written.originals.into()),
        ("incidents", written.incidents.into()),
        ("path", out.display().to_string().into()),
        ("size", job.words().size(written.size_bytes).into()),
    ];
    job.out.say("cli-bundle-written", &figures)?;
    for one in &written.lacking {
        let id = match one.state.as_str() {
            "altered" => "cli-bundle-altered",
            "missing" => "cli-bundle-missing",
            _ => "cli-bundle-expected",
        };
        let file = job.words().word(&format!("minute-file-{}", one.file));
        job.out.say(id, &[("item", one.item.as_str().into()), ("file", file.into()), ("phone", one.device.as_str().into())])?;
    }
    job.out.say("cli-bundle-root", &[("root", written.root.as_str().into())])?;
    unstated(job, stated)
}

fn incident(typed: &str) -> Result<String> {
    let name: EntryName = typed.parse().map_err(|_| invalid("incident", typed, "0123456789abcdef:7"))?;
    Ok(name.to_string())
}

/// From when: a date or time in Vietnam, a time with its zone, or so long ago.
fn since_ms(typed: &str) -> Result<i64> {
    let vietnam = TimeZone::fixed(Offset::constant(7));
    if let Some(ago_ms) = duration_ms(typed) {
        return Ok(SystemClock::new().wall_ms().saturating_sub_unsigned(ago_ms));
    }
    if let Ok(at) = typed.parse::<Timestamp>() {
        return Ok(at.as_millisecond());
    }
    // A date alone is its midnight.
    let at = typed.parse::<DateTime>().ok().and_then(|civil| vietnam.to_timestamp(civil).ok());
    at.map(Timestamp::as_millisecond).ok_or_else(|| invalid("since", typed, "2026-11-22, 24h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        assert_eq!(since_ms("2026-11-22").unwrap(), since_ms("2026-11-21T17:00:00Z").unwrap());
        assert_eq!(since_ms("2026-11-22T21:52").unwrap(), 1_795_359_120_000);
        assert!(since_ms("24h").unwrap() < since_ms("1h").unwrap());
        for bad in ["", "yesterday", "2026-13-01", "22/11"] {
            assert!(since_ms(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_row_is_one_line() {
        let row = json!({ "log": "0a", "seq": 3, "lat": 20.66, "lon": 105.0, "headline": "a\nb", "kind": "landslide",
            "recorded_at": "2026-11-22T21:52:00+07:00" });
        assert_eq!(told(&row, Words::new(Lang::Vi)), "0a:3 · Sạt lở · a b · 22/11/2026 21:52 · 20.66000, 105.00000");
    }

    #[test]
    fn an_incident_says_whether_its_photographs_are_here() {
        let say = |row: Value| told(&row, Words::new(Lang::Vi));
        let none = json!({ "id": "a:1", "attachments": 0, "photos": 0, "missing": [], "unnamed": 0 });
        assert_eq!(say(none), "a:1");
        let whole = json!({ "id": "a:1", "attachments": 2, "photos": 2, "missing": [], "unnamed": 0 });
        assert_eq!(say(whole), "a:1 · đủ 2 ảnh");
        let lacking = json!({ "id": "a:1", "attachments": 2, "photos": 3, "missing": [{}], "unnamed": 0 });
        assert_eq!(say(lacking), "a:1 · thiếu 1/3 ảnh");
        let altered = json!({ "id": "a:1", "attachments": 2, "photos": 2, "missing": [], "altered": [{}], "erased": 0 });
        assert_eq!(say(altered), "a:1 · 1/2 ảnh bị thay đổi");
        let destroyed = json!({ "id": "a:1", "attachments": 2, "photos": 2, "missing": [], "altered": [], "erased": 2 });
        assert_eq!(say(destroyed), "a:1 · đã hủy 2/2 ảnh");
        let killed = json!({ "id": "a:1", "attachments": 3, "photos": 1, "missing": [{}, {}], "unnamed": 2 });
        assert_eq!(say(killed), "a:1 · thiếu 2/3 ảnh · 2 ảnh báo trước chưa thấy ghi");
    }

    #[test]
    fn what_is_urgent_held_or_destroyed_says_so() {
        let say = |row: Value| told(&row, Words::new(Lang::Vi));
        assert_eq!(say(json!({ "id": "a:1", "urgent": true })), "a:1 · Khẩn");
        assert_eq!(say(json!({ "id": "a:1", "urgent": false })), "a:1");
        let held = json!({ "id": "a:2", "held_until": "2999-01-02T03:04:00+07:00", "hold_case": "12/2026" });
        assert_eq!(say(held), "a:2 · giữ tới 02/01/2999 03:04 cho vụ án 12/2026");
        assert_eq!(say(json!({ "id": "a:2", "held_until": "2020-01-02T03:04:00+07:00", "hold_case": "12/2026" })), "a:2");
        let destroyed = json!({ "id": "a:2", "state": "erased", "erased_at": "2026-11-22T21:52:00+07:00" });
        assert_eq!(say(destroyed), "a:2 · đã hủy · hủy lúc 22/11/2026 21:52");
    }

    #[test]
    fn the_record_tells_what_was_refused_from_what_was_done() {
        let say = |outcome: Value| told(&json!({ "action": "erase", "outcome": outcome }), Words::new(Lang::Vi));
        assert_eq!(say(json!("done")), "hủy ảnh · đã làm");
        assert_eq!(say(json!("held")), "hủy ảnh · không làm: đang giữ cho vụ án");
        assert_eq!(say(Value::Null), "hủy ảnh · không rõ kết quả");
    }
}
