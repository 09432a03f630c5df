//! What couriers bring to the hub and take back, and reports by message.

use std::path::Path;

use serde_json::{Value, json};
use yenban_hub::HubError;
use yenban_hub::admin::Admin;
use yenban_hub::sms::SmsTaken;
use yenban_protocol::parcel::{Kind, file};
use yenban_protocol::sms::{Sms, SmsError, tidied};

use super::Job;
use crate::fault::{Fault, Result};
use crate::parcels;

/// What became of what a courier brought.
#[derive(Default)]
struct Brought {
    parcels: u64,
    /// On their way back to phones: not for the hub.
    answers: u64,
    new_entries: u64,
    files: u64,
    devices: Vec<String>,
    refused: Vec<Value>,
}

impl Brought {
    async fn take(&mut self, admin: &mut Admin, from: &Path, bytes: &[u8]) -> yenban_hub::Result<()> {
        for found in file(bytes) {
            let mut refuse = |part: &str, code: &str, reason: &str| {
                self.refused
                    .push(json!({ "file": from.display().to_string(), "at": found.at, "part": part, "code": code, "reason": reason }));
            };
            let outer = match &found.parcel {
                Ok(outer) if outer.kind == Kind::Answer => {
                    self.answers += 1;
                    continue;
                }
                Ok(outer) => outer,
                Err(error) => {
                    refuse("parcel", "damaged", &error.to_string());
                    continue;
                }
            };
            match admin.parcel(outer.bytes()).await {
                Ok(parcel) => {
                    self.parcels += 1;
                    self.new_entries += parcel.new_entries;
                    self.files += parcel.files;
                    parcel.refused.iter().for_each(|part| refuse(&part.part, &part.code, &part.reason));
                    self.devices.extend(parcel.device);
                }
                Err(error) if is_about_the_parcel(&error) => refuse("parcel", error.code(), &error.to_string()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// `courier in`.
pub(super) fn take(job: &Job<'_>) -> Result<()> {
    let path = job.values.need_path("path")?;
    job.need_hub()?;
    let found = parcels::listed(&path, job.words())?;
    let mut all = Brought::default();
    let done: Result<()> = super::wait_for(async {
        let mut admin = Admin::open(job.dir).await.map_err(|error| job.fault(&error))?;
        let mut done = Ok(());
        for from in &found {
            done = match parcels::read(from, job.words()) {
                Ok(bytes) => all.take(&mut admin, from, &bytes).await.map_err(|error| job.fault(&error)),
                Err(fault) => Err(fault),
            };
            if done.is_err() {
                break;
            }
        }
        admin.close().await.map_err(|error| job.fault(&error))?;
        done
    })?;
    done?;
    all.devices.sort();
    all.devices.dedup();
    let refusals = all.refused.len() as u64;
    job.out.document(&json!({
        "path": path.display().to_string(), "parcels": all.parcels, "answers": all.answers, "new_entries": all.new_entries,
        "files": all.files, "devices": all.devices, "refused": all.refused,
    }))?;
    let figures = [("parcels", all.parcels.into()), ("entries", all.new_entries.into()), ("files", all.files.into())];
    job.out.say("cli-hub-courier-in", &figures)?;
    if refusals > 0 { Err(Fault::no("error-hub-courier-refused").at(&path).count("n", refusals)) } else { Ok(()) }
}

fn is_about_the_parcel(error: &HubError) -> bool {
    ["malformed", "too_large", "unsealed"].contains(&error.code())
}

/// `courier out`.
pub(super) fn out(job: &Job<'_>) -> Result<()> {
    let path = job.values.need_path("path")?;
    if !path.is_dir() {
        crate::files::free(&path)?;
    }
    let answers = job.at_the_hub(async |admin| admin.courier_answers().await)?;
    let decoded = answers.iter().map(|answer| data_encoding::BASE64.decode(answer.parcel_base64.as_bytes()));
    let decoded: Vec<Vec<u8>> =
        decoded.collect::<Result<_, _>>().map_err(|error| Fault::could_not("error-inside").with("reason", error))?;
    let written_bytes = match decoded.is_empty() {
        true => 0,
        false => parcels::write(&path, &decoded, job.words())?,
    };
    let devices: Vec<&str> = answers.iter().map(|answer| answer.device.as_str()).collect();
    job.out.document(
        &json!({ "path": path.display().to_string(), "answers": decoded.len(), "devices": devices, "written_bytes": written_bytes }),
    )?;
    match decoded.len() {
        0 => job.out.line(&job.words().word("cli-hub-courier-none")),
        n => job.out.say("cli-hub-courier-out", &[("n", n.into()), ("path", path.display().to_string().into())]),
    }
}

/// `sms`.
pub(super) fn sms(job: &Job<'_>) -> Result<()> {
    let text = job.values.need("text")?;
    // Told here in the person's language, before anybody is asked.
    Sms::from_text(&tidied(text)).map_err(unreadable)?;
    let taken: SmsTaken = match job.at_the_hub(async |admin| Ok(admin.sms(text).await)) {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => return Err(refused(job, &error)),
        Err(fault) => return Err(fault),
    };
    job.out.document(&json!(taken))?;
    let kind = job.words().kind(&taken.kind);
    let figures = [("kind", kind.into()), ("id", taken.incident.clone().into()), ("device", taken.device.clone().into())];
    let told = match taken.state.as_str() {
        "to_come" => "cli-sms-to-come",
        "here" => "cli-sms-here",
        "known" => "cli-sms-known",
        _ => "cli-sms-quarantined",
    };
    job.out.say(told, &figures)
}

fn unreadable(error: SmsError) -> Fault {
    match error {
        SmsError::NotOurs => Fault::usage("error-sms-not-ours"),
        SmsError::Version => Fault::usage("error-sms-version"),
        SmsError::Length { found } => Fault::usage("error-sms-length").count("found", found as u64),
        SmsError::Symbol { place } => Fault::usage("error-sms-symbol").count("place", place as u64),
        SmsError::Check => Fault::usage("error-sms-check"),
    }
}

fn refused(job: &Job<'_>, error: &HubError) -> Fault {
    match error.code() {
        "signature" => Fault::no("error-sms-signature"),
        "unknown_device" => Fault::no("error-sms-unknown-device"),
        "conflict" => Fault::no("error-sms-differs"),
        "wrong_device" => Fault::no("error-sms-wrong-device"),
        _ => job.fault(error),
    }
}
