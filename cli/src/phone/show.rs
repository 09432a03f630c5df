//! What is on the phone, for people and as the JSON others rely on.

use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use yenban_core::app::{IncidentInfo, OutboxItem, Status};
use yenban_core::sync::SyncStore;
use yenban_protocol::text::Limit;

use super::Job;
use crate::args::bounded;
use crate::fault::Result;
use crate::limits::LIST_ROWS_MAX;
use crate::output::clean;
use crate::reason::{code, kept};
use crate::time::{rfc3339, rfc3339_opt};

/// Degrees of a coordinate: the nearest double, which gives back every unit of 1e-7.
pub(super) fn degrees(e7: i32) -> f64 {
    f64::from(e7) / 1e7
}

fn status_document(status: &Status, root: Option<&str>, words: Option<[&str; 4]>) -> Value {
    let patrol = status.patrol.as_ref().map(|patrol| {
        json!({
            "id": patrol.id, "started": rfc3339_opt(patrol.started_ms), "check_ins": patrol.check_ins,
            "distance_m": patrol.distance_m, "paused": patrol.paused,
        })
    });
    json!({
        "device": status.device, "log": status.log, "enrolled": status.enrolled, "entries": status.entries,
        "unsent": status.unsent, "received": status.received, "parked": status.parked, "patrol": patrol,
        "alerts": { "unread": status.alerts_unread, "total": status.alerts_total },
        "evidence": { "captured": status.evidence_captured, "uploaded": status.evidence_uploaded },
        "evidence_destroyed": status.evidence_destroyed,
        "space": {
            "can_capture": status.space.can_capture, "reason": status.space.reason, "missing_bytes": status.space.missing_bytes,
            "reserve_bytes": status.space.reserve_bytes, "originals_bytes": status.space.originals_bytes,
            "originals_quota_bytes": status.space.originals_quota_bytes, "previews_bytes": status.space.previews_bytes,
            "previews_quota_bytes": status.space.previews_quota_bytes,
        },
        "chain_head": status.chain_head, "root": root, "words": words, "locked": status.locked, "member": status.member,
    })
}

/// `status`.
pub(super) fn status(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let status = phone.status().map_err(|error| job.fault(&error))?;
    let root = SyncStore::identity(&phone).ok().map(|identity| HEXLOWER.encode(&identity.root_hash));
    job.out.document(&status_document(&status, root.as_deref(), super::enrol::four_words(&phone)))?;
    let words = job.words();
    if !status.enrolled {
        return job.out.line(&words.word("cli-not-joined"));
    }
    if let Some(identity) = phone.identity() {
        job.out.line(&format!("{} · {} · {}", clean(&identity.hamlet_name), clean(&identity.member_name), clean(&identity.hub_name)))?;
    }
    if let Some(root) = &root {
        job.out.say("cli-status-root", &[("root", root.as_str().into())])?;
    }
    if status.locked {
        job.out.line(&words.word("phone-locked"))?;
    }
    let photos_waiting = status.evidence_captured.saturating_sub(status.evidence_uploaded).saturating_sub(status.evidence_destroyed);
    if status.unsent == 0 && status.parked == 0 && photos_waiting == 0 {
        job.out.line(&words.word(nothing_waits(status.evidence_destroyed)))?;
    } else {
        let figures = [("unsent", status.unsent.into()), ("received", status.received.into()), ("parked", status.parked.into())];
        job.out.say("cli-status-outbox", &figures)?;
    }
    if let Some(patrol) = &status.patrol {
        let time = patrol.started_ms.map(|ms| words.date_time(ms)).unwrap_or_else(|| "–".to_owned());
        let distance = words.distance(f64::from(patrol.distance_m.unwrap_or(0)));
        let check_ins = patrol.check_ins.unwrap_or(0);
        job.out.say("cli-status-patrol", &[("time", time.into()), ("check-ins", check_ins.into()), ("distance", distance.into())])?;
    }
    job.out.say("cli-status-alerts", &[("unread", status.alerts_unread.into()), ("total", status.alerts_total.into())])?;
    job.out.say("cli-status-photos", &[("captured", status.evidence_captured.into()), ("uploaded", status.evidence_uploaded.into())])?;
    destroyed(job, status.evidence_destroyed)?;
    let space = &status.space;
    let mb = |bytes: u64| bytes.div_ceil(1_000_000);
    if !space.can_capture {
        job.out.say("cli-status-no-room", &[("mb", mb(space.missing_bytes).into())])?;
    }
    job.out.say(
        "cli-status-space",
        &[
            ("originals", mb(space.originals_bytes).into()),
            ("quota", mb(space.originals_quota_bytes).into()),
            ("free", mb(space.free_bytes).into()),
        ],
    )
}

/// That nothing waits. Everything has arrived only where the hub destroyed nothing of it beforehand.
pub(super) fn nothing_waits(destroyed: u64) -> &'static str {
    if destroyed == 0 { "phone-empty-outbox" } else { "cli-nothing-waits" }
}

/// Says how many photographs the hub has destroyed: what it will never have must not pass for what has arrived.
pub(super) fn destroyed(job: &Job<'_>, n: u64) -> Result<()> {
    if n == 0 { Ok(()) } else { job.out.say("cli-photos-destroyed", &[("n", n.into())]) }
}

/// `outbox`.
pub(super) fn outbox(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let items = phone.outbox(LIST_ROWS_MAX).map_err(|error| job.fault(&error))?;
    let row = |item: &OutboxItem| {
        json!({
            "log": item.log, "seq": item.seq, "kind": item.kind, "state": item.state,
            "reason": item.reason, "attempts": item.attempts,
        })
    };
    job.out.document(&json!(items.iter().map(row).collect::<Vec<_>>()))?;
    // What the hub destroyed before it had it waits for nothing, and has a reason all the same.
    let destroyed = items.iter().filter(|item| item.state == "received" && !item.reason.is_empty()).count() as u64;
    if items.iter().all(|item| item.state == "received") {
        job.out.line(&job.words().word(nothing_waits(destroyed)))?;
        return self::destroyed(job, destroyed);
    }
    for item in items.iter().filter(|item| item.state != "received") {
        let state = job.words().word(&format!("word-{}", item.state));
        let reason = if item.reason.is_empty() { String::new() } else { format!(" · {}", clean(&kept(&item.reason, job.words()))) };
        let kind = code("entry", item.kind, job.words());
        job.out.line(&format!("{state} · {kind} {}:{}{reason}", item.log, item.seq))?;
    }
    Ok(())
}

fn incident_document(incident: &IncidentInfo) -> Value {
    json!({
        "id": incident.id, "kind": incident.kind, "urgent": incident.urgent, "author": incident.author,
        "unconfirmed": incident.unconfirmed, "recorded_at": rfc3339(incident.at_ms),
        "time_earliest": rfc3339_opt(incident.earliest_ms), "time_latest": rfc3339_opt(incident.latest_ms),
        "lat": incident.lat_e7.map(degrees), "lon": incident.lon_e7.map(degrees),
        "accuracy_m": incident.accuracy_cm.map(|cm| f64::from(cm) / 100.0),
        "headline": incident.headline, "amendments": incident.amendments, "photos": incident.photos,
        "state": incident.state, "fate": incident.fate, "fate_note": incident.fate_note,
    })
}

fn tell_incidents(job: &Job<'_>, incidents: &[IncidentInfo]) -> Result<()> {
    let words = job.words();
    job.out.document(&json!(incidents.iter().map(incident_document).collect::<Vec<_>>()))?;
    for incident in incidents {
        let urgent = if incident.urgent { format!(" · {}", words.word("word-urgent")) } else { String::new() };
        let state = words.word(&format!("word-{}", incident.state));
        let time = words.date_time(incident.at_ms);
        job.out.line(&format!("{}{urgent} · {time} · {state}", words.kind(&incident.kind)))?;
        let headline = clean(&incident.headline);
        let photos = words.say("cli-photos-of", &[("n", incident.photos.into())]);
        job.out.line(&format!("  {} · {headline} · {photos}", incident.id))?;
        if let Some(fate) = &incident.fate {
            let note = incident.fate_note.as_deref().map(|note| format!(": {}", clean(note))).unwrap_or_default();
            job.out.line(&format!("  {} · {}{note}", words.word("word-commune-police"), code("state", fate, words)))?;
        }
    }
    Ok(())
}

/// `incidents`.
pub(super) fn incidents(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let incidents = phone.incidents(None, LIST_ROWS_MAX).map_err(|error| job.fault(&error))?;
    tell_incidents(job, &incidents)?;
    if incidents.is_empty() { job.out.line(&job.words().word("phone-empty-reports")) } else { Ok(()) }
}

/// `search`.
pub(super) fn search(job: &Job<'_>) -> Result<()> {
    let text = bounded(job.values.need("text")?, Limit::QUERY)?;
    let mut phone = job.open()?;
    let found = phone.search(text, LIST_ROWS_MAX).map_err(|error| job.fault(&error))?;
    tell_incidents(job, &found)?;
    if found.is_empty() { job.out.line(&job.words().word("cli-nothing-found")) } else { Ok(()) }
}

/// `patrols`.
pub(super) fn patrols(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let patrols = phone.patrols(None, LIST_ROWS_MAX).map_err(|error| job.fault(&error))?;
    let rows: Vec<Value> = patrols
        .iter()
        .map(|patrol| {
            json!({
                "id": patrol.id, "author": patrol.author, "state": patrol.state, "started": rfc3339(patrol.started_ms),
                "finished": rfc3339_opt(patrol.ended_ms), "check_ins": patrol.check_ins, "distance_m": patrol.distance_m,
                "last_check_in": rfc3339_opt(patrol.last_check_in_ms), "crew": patrol.crew,
            })
        })
        .collect();
    job.out.document(&json!(rows))?;
    if patrols.is_empty() {
        return job.out.line(&job.words().word("cli-no-patrols"));
    }
    for patrol in &patrols {
        let words = job.words();
        let distance = words.distance(f64::from(patrol.distance_m));
        let time = words.date_time(patrol.started_ms);
        let args = [("time", time.into()), ("check-ins", patrol.check_ins.into()), ("distance", distance.into())];
        job.out.line(&format!("{} · {}", words.say("cli-patrol-line", &args), patrol.id))?;
    }
    Ok(())
}
