//! A patrol, step by step.

use serde_json::json;
use yenban_core::app::{CheckIn, Place};
use yenban_core::place::CheckpointCode;
use yenban_protocol::record::Provider;
use yenban_protocol::text::Limit;

use super::Job;
use crate::args::Values;
use crate::fault::{Fault, Result};

/// `patrol start|check-in|pause|resume|finish`.
pub(super) fn run(job: &Job<'_>, step: &str) -> Result<()> {
    match step {
        "start" => start(job),
        "check-in" => check_in(job),
        "pause" => simple(job, "cli-patrol-paused", |phone| phone.patrol_pause()),
        "resume" => simple(job, "cli-patrol-resumed", |phone| phone.patrol_resume()),
        "finish" => finish(job),
        _ => Err(Fault::usage("error-command-missing")),
    }
}

/// A place typed by a person.
pub(super) fn typed_place(values: Values<'_>) -> Result<Option<Place>> {
    let accuracy_cm = values.centimetres("accuracy-m")?;
    let Some(at) = values.place()? else {
        return match accuracy_cm {
            Some(_) => Err(Fault::usage("error-option-missing").with("option", "--lat, --lon")),
            None => Ok(None),
        };
    };
    Ok(Some(Place { accuracy_cm, ..Place::new(at.lat_e7(), at.lon_e7(), Provider::Typed) }))
}

fn start(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let id = phone.patrol_start(&[], None).map_err(|error| job.fault(&error))?;
    let time = job.words().date_time(phone.clock().wall_ms());
    job.settle(phone)?;
    job.out.document(&json!({ "patrol": id }))?;
    job.out.say("cli-patrol-started", &[("time", time.into())])
}

fn check_in(job: &Job<'_>) -> Result<()> {
    let note = job.values.bounded("note", Limit::NOTE)?.map(str::to_owned);
    let checkpoint = job.values.text("checkpoint").map(checkpoint).transpose()?;
    let check_in = CheckIn { place: typed_place(job.values)?, checkpoint, note };
    let mut phone = job.open()?;
    let id = phone.check_in(&check_in).map_err(|error| job.fault(&error))?;
    let time = job.words().date_time(phone.clock().wall_ms());
    job.settle(phone)?;
    job.out.document(&json!({ "check_in": id }))?;
    job.out.say("cli-checked-in", &[("time", time.into())])?;
    match check_in.place {
        Some(_) => Ok(()),
        None => job.out.line(&job.words().word("phone-no-place")),
    }
}

fn checkpoint(typed: &str) -> Result<String> {
    let refuse = |_| Fault::usage("error-checkpoint").told("code", typed);
    let (code, _) = CheckpointCode::parse_qr(typed).map_err(refuse)?;
    Ok(code.to_string())
}

fn simple(job: &Job<'_>, said: &str, step: impl FnOnce(&mut yenban_core::app::Phone) -> yenban_core::error::Result<String>) -> Result<()> {
    let mut phone = job.open()?;
    let entry = step(&mut phone).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "entry": entry }))?;
    job.out.line(&job.words().word(said))
}

fn finish(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let under_way = phone.status().map_err(|error| job.fault(&error))?.patrol;
    let entry = phone.patrol_finish().map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    let check_ins = under_way.as_ref().and_then(|patrol| patrol.check_ins).unwrap_or(0);
    let distance_m = under_way.as_ref().and_then(|patrol| patrol.distance_m).unwrap_or(0);
    let id = under_way.map(|patrol| patrol.id);
    job.out.document(&json!({ "entry": entry, "patrol": id, "check_ins": check_ins, "distance_m": distance_m }))?;
    let distance = job.words().distance(f64::from(distance_m));
    job.out.say("cli-patrol-finished", &[("check-ins", check_ins.into()), ("distance", distance.into())])
}
