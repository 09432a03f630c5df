//! Reporting what happened, and adding to it.

use std::path::PathBuf;

use serde_json::json;
use yenban_core::app::{LeftOut, Phone, Report, Said};
use yenban_core::incident::KINDS;
use yenban_protocol::text::{Limit, nearest};

use super::Job;
use crate::args::nearest_choice;
use crate::fault::{Fault, Result};
use crate::files;
use crate::limits::NEAREST_NAMES;

const BASES: [&str; 4] = ["unstated", "seen", "heard", "think"];

fn said(job: &Job<'_>) -> Result<Vec<Said>> {
    let basis = match job.values.text("basis") {
        Some(typed) => nearest_choice("basis", typed, BASES)?,
        None => BASES[0],
    };
    let text = job.values.bounded("text", Limit::REPORT)?;
    Ok(text.map(|text| Said { basis: basis.to_owned(), text: text.to_owned() }).into_iter().collect())
}

/// The code of a kind, or a refusal that names the nearest codes, looked for among codes and names.
fn kind(job: &Job<'_>, typed: &str) -> Result<String> {
    if KINDS.iter().any(|(code, _)| *code == typed) {
        return Ok(typed.to_owned());
    }
    let codes: Vec<&str> = KINDS.iter().map(|(code, _)| *code).collect();
    let names: Vec<String> = codes.iter().map(|code| job.words().kind(code)).collect();
    let known = codes.iter().copied().chain(names.iter().map(String::as_str));
    let mut near: Vec<&str> = Vec::new();
    for found in nearest(typed, known, 2 * NEAREST_NAMES) {
        let code = codes[found.index % codes.len()];
        if !near.contains(&code) {
            near.push(code);
        }
    }
    near.truncate(NEAREST_NAMES);
    let kinds = if near.is_empty() { codes.join(", ") } else { near.join(", ") };
    Err(Fault::usage("error-kind-unknown").told("kind", typed).with("kinds", kinds))
}

/// `report`.
pub(super) fn report(job: &Job<'_>) -> Result<()> {
    let urgent = job.values.on("urgent");
    let statements = said(job)?;
    if statements.is_empty() && !urgent {
        return Err(Fault::usage("error-text-empty"));
    }
    let kind = kind(job, job.values.need("kind")?)?;
    let files_given: Vec<PathBuf> = job.values.all("photo").into_iter().map(PathBuf::from).collect();
    let report = Report { kind, urgent, statements, place: super::patrol::typed_place(job.values)?, photos: 0 };
    // Every file is looked at before anything is saved: a slip of a path is told as such, of an urgent report too.
    let mut phone = job.open()?;
    look_at(job, &phone, &files_given)?;
    let reported = phone.report_with_photos(&report, &files_given).map_err(|error| job.fault(&error))?;
    let message = job.values.on("sms").then(|| phone.message_for(&reported));
    job.settle(phone)?;
    // The report is saved whatever becomes of the message.
    let message = message.transpose().map_err(|error| job.fault(&error))?;
    let mut left_out: Vec<Fault> = reported.left_out.iter().map(|left| left_out(job, &reported.id, left)).collect();
    let told: Vec<_> = left_out.iter().map(|fault| fault.document(job.words())).collect();
    job.out.document(&json!({ "incident": reported.id, "photos": reported.photos, "left_out": told, "sms": message }))?;
    let kind = job.words().kind(&report.kind);
    job.out.say("cli-report-saved", &[("kind", kind.into()), ("id", reported.id.into())])?;
    if !reported.photos.is_empty() {
        job.out.say("cli-photos-saved", &[("n", reported.photos.len().into())])?;
    }
    job.out.line(&format!("{} {}", job.words().word("kind-safety-first"), job.words().kind_advice(&report.kind)))?;
    if let Some(message) = message {
        told_message(job, &message)?;
    }
    let Some(last) = left_out.pop() else { return Ok(()) };
    left_out.iter().try_for_each(|fault| job.out.line(&fault.sentence(job.words())))?;
    Err(last)
}

/// A photograph that an urgent report went without, told with the way to add it later.
fn left_out(job: &Job<'_>, incident: &str, left: &LeftOut) -> Fault {
    let why = job.fault(&left.error).sentence(job.words());
    Fault::could_not("error-photo-left-out").at(&left.path).with("id", incident).with("reason", why)
}

/// The last line printed is the message itself.
fn told_message(job: &Job<'_>, message: &str) -> Result<()> {
    job.out.say("cli-sms-made", &[])?;
    job.out.line(message)
}

/// `sms`: the message about a report, again.
pub(super) fn sms(job: &Job<'_>) -> Result<()> {
    let incident = job.values.need("incident")?;
    let mut phone = job.open()?;
    let message = phone.message_of(incident).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "incident": incident, "sms": message }))?;
    told_message(job, &message)
}

fn look_at(job: &Job<'_>, phone: &Phone, photos: &[PathBuf]) -> Result<()> {
    for photo in photos {
        let file = files::open(photo, job.words())?;
        if file.metadata().is_ok_and(|metadata| metadata.len() == 0) {
            return Err(Fault::usage("error-file-empty").at(photo));
        }
        phone.check_photo(photo).map_err(|error| job.fault(&error).at(photo))?;
    }
    Ok(())
}

/// `amend`.
pub(super) fn amend(job: &Job<'_>) -> Result<()> {
    let statements = said(job)?;
    let incident = job.values.need("incident")?;
    let photos: Vec<PathBuf> = job.values.all("photo").into_iter().map(PathBuf::from).collect();
    if statements.is_empty() && photos.is_empty() {
        return Err(Fault::usage("error-text-empty"));
    }
    let mut phone = job.open()?;
    look_at(job, &phone, &photos)?;
    let amended = phone.amend_with_photos(incident, &statements, &photos).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "incident": incident, "entry": amended.id, "photos": amended.photos }))?;
    if !amended.photos.is_empty() {
        job.out.say("cli-photos-saved", &[("n", amended.photos.len().into())])?;
    }
    match amended.id {
        Some(_) => job.out.line(&job.words().word("cli-amended")),
        None => Ok(()),
    }
}
