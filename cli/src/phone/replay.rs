//! A whole patrol from a recorded walk: what somebody did with another device, or a test with none.
//!
//! A replay that was cut off (a flat battery, a kill) goes on where it stopped when it is run again: the check-ins
//! that the open patrol has are compared with the walk, and only what is missing is recorded.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde_json::json;
use yenban_core::app::{CheckIn, CheckInInfo, Phone, Place};
use yenban_core::error::Error;
use yenban_core::place::gpx::{GpxError, GpxFault, Recording};
use yenban_core::place::{Picked, Spacing, SpacingError, every};
use yenban_locales::Words;
use yenban_protocol::record::Provider;

use super::Job;
use crate::args::invalid;
use crate::fault::{Fault, Result, position_phrase};
use crate::files;
use crate::limits::{PAGE_ROWS, PAUSE_GAP_MS, TRACK_MAX_BYTES};

/// What a replay did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Replayed {
    /// The patrol.
    pub(crate) patrol: String,
    /// Check-ins that were recorded by this run.
    pub(crate) check_ins: u64,
    /// Check-ins that stood there already.
    pub(crate) found: u64,
    /// Pauses.
    pub(crate) pauses: u64,
}

/// `replay`.
pub(super) fn run(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("every")?;
    let spacing = Spacing::parse(typed).map_err(|_| invalid("every", typed, "200m, 5min"))?;
    let path = PathBuf::from(job.values.need("track")?);
    let recording = read(&path, job.words())?;
    let picked = thin(&recording, spacing, &path, job.words())?;
    let mut phone = job.open()?;
    let progress = job.out.progress();
    let total = picked.len() as u64;
    let done = replay(&mut phone, &picked, |n| {
        progress.step(|| job.words().say("cli-progress", &[("done", n.into()), ("total", total.into())]));
    });
    drop(progress);
    let done = done.map_err(|error| job.fault(&error))?;
    let distance_m = distance_m(&mut phone, &done.patrol).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    let points = recording.points().count();
    job.out.document(&json!({
        "patrol": done.patrol, "points": points, "check_ins": done.check_ins + done.found, "recorded": done.check_ins,
        "already_there": done.found, "pauses": done.pauses, "distance_m": distance_m,
    }))?;
    let words = job.words();
    if done.found > 0 {
        job.out.say("cli-replay-went-on", &[("n", done.found.into())])?;
    }
    job.out.say("cli-replayed", &[("points", points.into()), ("pauses", done.pauses.into()), ("id", done.patrol.into())])?;
    let distance = words.distance(f64::from(distance_m));
    let check_ins = done.check_ins + done.found;
    job.out.say("cli-patrol-finished", &[("check-ins", check_ins.into()), ("distance", distance.into())])
}

fn distance_m(phone: &mut Phone, patrol: &str) -> Result<u32, Error> {
    phone.patrol(patrol).map(|patrol| patrol.distance_m)
}

/// Reads a recorded walk.
pub(crate) fn read(path: &Path, words: Words) -> Result<Recording> {
    let file = files::open(path, words)?;
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if length > TRACK_MAX_BYTES {
        let fault = Fault::usage("error-file-too-big").at(path).with("size", words.size(length));
        return Err(fault.with("limit", words.size(TRACK_MAX_BYTES)));
    }
    Recording::read(BufReader::new(file)).map_err(|error| unreadable_track(path, &error, words))
}

/// The points of a walk at which somebody would have checked in.
pub(crate) fn thin(recording: &Recording, spacing: Spacing, path: &Path, words: Words) -> Result<Vec<Picked>> {
    every(recording, spacing).map_err(|error| {
        let reason = match error {
            SpacingError::NoTrack { routes: 0 } => words.word("error-gpx-no-track"),
            SpacingError::NoTrack { routes } => words.say("error-gpx-only-routes", &[("n", routes.into())]),
            SpacingError::NoTimes { without, .. } => words.say("error-gpx-no-times", &[("n", without.into())]),
            SpacingError::Unreadable => words.word("error-gpx-no-track"),
        };
        Fault::usage("error-gpx-unreadable").at(path).with("reason", reason)
    })
}

fn unreadable_track(path: &Path, error: &GpxError, words: Words) -> Fault {
    let reason = match &error.fault {
        GpxFault::Io(said) => said.clone(),
        GpxFault::TooLarge | GpxFault::TokenTooLong | GpxFault::TooDeep | GpxFault::TooManyPoints | GpxFault::TooManyGroups => {
            words.word("error-gpx-too-much")
        }
        GpxFault::Encoding => words.word("error-gpx-encoding"),
        GpxFault::ControlCharacter => words.word("error-gpx-control"),
        GpxFault::Dtd | GpxFault::Entity => words.word("error-gpx-dtd"),
        GpxFault::Malformed(_) => words.word("error-gpx-malformed"),
        GpxFault::CutShort => words.word("error-gpx-cut"),
        GpxFault::NotGpx => words.word("error-gpx-other"),
        GpxFault::Version => words.word("error-gpx-version"),
        GpxFault::Place(error) => position_phrase(*error, words),
        GpxFault::Time => words.word("error-gpx-time"),
    };
    let exit = if matches!(error.fault, GpxFault::Io(_)) { Fault::could_not } else { Fault::usage };
    exit("error-gpx-line").at(path).count("line", error.line).with("reason", reason)
}

/// Records the walk as one patrol and tells `told` how many check-ins are there.
pub(crate) fn replay(phone: &mut Phone, picked: &[Picked], told: impl Fn(u64)) -> Result<Replayed, Error> {
    let (patrol, found) = start_or_go_on(phone, picked)?;
    let mut done = Replayed { patrol, check_ins: 0, found: found as u64, pauses: 0 };
    let mut before = found.checked_sub(1).and_then(|last| picked.get(last));
    for point in &picked[found..] {
        if before.is_some_and(|before| is_rest(before, point)) {
            phone.patrol_pause()?;
            phone.patrol_resume()?;
            done.pauses += 1;
        }
        phone.check_in(&CheckIn { place: Some(place(point)), ..CheckIn::default() })?;
        done.check_ins += 1;
        told(done.found + done.check_ins);
        before = Some(point);
    }
    phone.patrol_finish()?;
    Ok(done)
}

/// A break of the recording in which much time passed was a rest; a short one is a lost signal.
fn is_rest(before: &Picked, after: &Picked) -> bool {
    match (after.after_gap, before.point.time_ms, after.point.time_ms) {
        (true, Some(from), Some(to)) => to.saturating_sub(from) >= PAUSE_GAP_MS,
        _ => false,
    }
}

fn place(picked: &Picked) -> Place {
    let at = picked.point.place;
    let accuracy_cm = picked.point.accuracy_m().map(|metres| (metres * 100.0).round() as u32);
    let gnss_ms = picked.point.time_ms;
    Place { accuracy_cm, gnss_ms, ..Place::new(at.lat_e7(), at.lon_e7(), Provider::Imported) }
}

/// A new patrol, or the open one when its check-ins are the beginning of this walk; with how many there are.
fn start_or_go_on(phone: &mut Phone, picked: &[Picked]) -> Result<(String, usize), Error> {
    let Some(open) = phone.status()?.patrol else { return Ok((phone.patrol_start(&[], None)?, 0)) };
    let there = check_ins(phone, &open.id)?;
    let same = |(known, picked): (&CheckInInfo, &Picked)| {
        known.lat_e7 == Some(picked.point.place.lat_e7()) && known.lon_e7 == Some(picked.point.place.lon_e7())
    };
    if there.len() > picked.len() || !there.iter().zip(picked).all(same) {
        return Err(Error::PatrolUnderWay { patrol: open.id });
    }
    if open.paused {
        phone.patrol_resume()?;
    }
    Ok((open.id, there.len()))
}

/// All check-ins of a patrol, in the order in which they were recorded.
pub(crate) fn check_ins(phone: &mut Phone, patrol: &str) -> Result<Vec<CheckInInfo>, Error> {
    let mut all: Vec<CheckInInfo> = Vec::new();
    loop {
        let after = all.last().map(|last| last.id.clone());
        let page = phone.check_ins(patrol, after.as_deref(), PAGE_ROWS)?;
        let last = page.len() < PAGE_ROWS as usize;
        all.extend(page);
        if last {
            return Ok(all);
        }
    }
}
