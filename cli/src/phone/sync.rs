//! Sending what was saved, and fetching what the commune says.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use yenban_core::app::{AlertInfo, Phone};
use yenban_core::error::Error;
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};

use super::{Job, courier, fault, show};
use crate::args::invalid;
use crate::fault::{Fault, Result};

/// Longest sync that can be asked for, in seconds: a day.
const SECONDS_MAX: u64 = 86_400;

/// The document of `sync --json`.
pub(crate) fn document(outcome: &Outcome) -> Value {
    json!({
        "pushed_entries": outcome.pushed_entries, "pushed_bytes": outcome.pushed_bytes, "pulled_items": outcome.pulled_items,
        "pulled_bytes": outcome.pulled_bytes, "requests": outcome.requests, "evidence_bytes": outcome.evidence_bytes,
        "resent_bytes": outcome.resent_bytes, "unsent": outcome.unsent, "evidence_waiting": outcome.evidence_waiting,
        "parked": outcome.parked, "outcome": outcome.verdict.code(),
        "reason": outcome.reason.as_ref().map(|reason| json!({ "code": reason.code, "detail": reason.detail })),
    })
}

/// `sync`.
pub(super) fn run(job: &Job<'_>) -> Result<()> {
    let seconds = job.values.number("max-seconds", "60")?;
    if let Some(seconds) = seconds.filter(|seconds| !(1..=SECONDS_MAX).contains(seconds)) {
        return Err(invalid("max-seconds", &seconds.to_string(), "60"));
    }
    let wait = job.values.number("wait", "60")?;
    if let Some(wait) = wait.filter(|wait| !(1..=SECONDS_MAX).contains(wait)) {
        return Err(invalid("wait", &wait.to_string(), "60"));
    }
    let until = if job.values.on("until-empty") { Until::Empty } else { Until::Once };
    let mut phone = job.open()?;
    let (outcome, came) = match wait {
        Some(wait) => stay(job, &mut phone, wait * 1_000)?,
        None => (sync(&mut phone, until, seconds.map(|seconds| seconds * 1_000)).map_err(|error| job.fault(&error))?, Vec::new()),
    };
    // Whoever has network delivers for those who have none; what cannot go now stays.
    let carried = match outcome.verdict {
        Verdict::Offline => courier::Delivered::default(),
        _ => courier::deliver(&mut phone).map_err(|error| job.fault(&error))?,
    };
    let destroyed = phone.status().map_err(|error| job.fault(&error))?.evidence_destroyed;
    job.settle(phone)?;
    let mut told = document(&outcome);
    told["carried"] = carried.document();
    if wait.is_some() {
        told["alerts"] = json!(came);
    }
    job.out.document(&told)?;
    let words = job.words();
    if carried.delivered > 0 {
        job.out.say("cli-courier-delivered", &[("n", carried.delivered.into())])?;
    }
    if outcome.pushed_entries > 0 || outcome.pulled_items > 0 {
        let sent = words.size(outcome.pushed_bytes);
        let figures = [("pushed", outcome.pushed_entries.into()), ("pulled", outcome.pulled_items.into()), ("sent", sent.into())];
        job.out.say("cli-sync-done", &figures)?;
    }
    match outcome.verdict {
        Verdict::UpToDate if destroyed > 0 => {
            job.out.line(&words.word(show::nothing_waits(destroyed)))?;
            show::destroyed(job, destroyed)
        }
        Verdict::UpToDate => job.out.line(&words.word("cli-sync-up-to-date")),
        Verdict::Partial => Err(partial(&outcome)),
        Verdict::Offline => Err(Fault::could_not("phone-offline").coded("offline")),
        Verdict::Refused => Err(match &outcome.reason {
            Some(reason) => fault::refused(&reason.code, &reason.detail, words),
            None => fault::refused("malformed_answer", "", words),
        }),
    }
}

/// Stays connected and tells of each alert as it comes; what came, by identifier.
fn stay(job: &Job<'_>, phone: &mut Phone, for_ms: u64) -> Result<(Outcome, Vec<String>)> {
    let addresses = phone.identity().ok_or(Error::NotEnrolled).map_err(|error| job.fault(&error))?.addresses;
    let mut known: BTreeSet<String> = live(phone).map_err(|error| job.fault(&error))?.into_iter().map(|alert| alert.id).collect();
    let (mut came, mut unsaid) = (Vec::new(), None);
    let mut heard = |phone: &mut Phone, outcome: &Outcome| {
        if outcome.pulled_items > 0 {
            for alert in live(phone)?.into_iter().filter(|alert| known.insert(alert.id.clone())) {
                // A terminal that is gone ends nothing: what comes is taken in all the same.
                unsaid = super::alerts::say(job, &alert).err().or(unsaid.take());
                came.push(alert.id);
            }
        }
        Ok(())
    };
    let outcome = transport::stay(phone, &addresses, for_ms, &mut heard).map_err(|error| job.fault(&error))?;
    unsaid.map_or(Ok((outcome, came)), Err)
}

fn live(phone: &mut Phone) -> Result<Vec<AlertInfo>, Error> {
    Ok(phone.alerts()?.into_iter().filter(|alert| alert.state == "live").collect())
}

/// What waits: entries, and files where there are any.
fn partial(outcome: &Outcome) -> Fault {
    let key = if outcome.evidence_waiting > 0 { "cli-sync-partial-files" } else { "cli-sync-partial" };
    Fault::no(key).count("unsent", outcome.unsent).count("files", outcome.evidence_waiting).coded("partial")
}

/// Syncs a phone over the network.
pub(crate) fn sync(phone: &mut Phone, until: Until, max_ms: Option<u64>) -> Result<Outcome, Error> {
    let addresses = phone.identity().ok_or(Error::NotEnrolled)?.addresses;
    transport::run(phone, &addresses, until, max_ms)
}
