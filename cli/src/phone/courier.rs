//! Without network: giving along what waits, carrying what others gave, taking what came back.

use std::path::PathBuf;

use serde_json::{Value, json};
use yenban_core::app::Phone;
use yenban_core::error::Error;
use yenban_core::transport::{Deliverer, Handed};

use super::Job;
use crate::fault::{Fault, Result};
use crate::parcels;

/// The path, alone or after `--to`.
fn path(job: &Job<'_>) -> Result<PathBuf> {
    match job.values.path("to")? {
        Some(path) => Ok(path),
        None => job.values.need_path("path"),
    }
}

/// `courier out`.
pub(super) fn out(job: &Job<'_>) -> Result<()> {
    let path = path(job)?;
    if !path.is_dir() {
        crate::files::free(&path)?;
    }
    let mut phone = job.open()?;
    let packed = phone.courier_out().map_err(|error| job.fault(&error))?;
    let written_bytes = parcels::write(&path, &packed.parcels, job.words())?;
    job.settle(phone)?;
    job.out.document(&json!({
        "path": path.display().to_string(), "parcels": packed.parcels.len(), "own": packed.own, "entries": packed.entries,
        "files": packed.files, "carried": packed.carried, "written_bytes": written_bytes, "more": packed.more,
    }))?;
    let figures = [
        ("entries", packed.entries.into()),
        ("files", packed.files.into()),
        ("carried", packed.carried.into()),
        ("path", path.display().to_string().into()),
    ];
    job.out.say("cli-courier-out", &figures)?;
    if packed.more { job.out.line(&job.words().word("cli-courier-more")) } else { Ok(()) }
}

/// `courier in`.
pub(super) fn take(job: &Job<'_>) -> Result<()> {
    let path = path(job)?;
    let mut phone = job.open()?;
    let (mut answers, mut received, mut items, mut carried, mut known) = (0, 0, 0, 0, 0);
    let mut refused: Vec<Value> = Vec::new();
    for file in parcels::listed(&path, job.words())? {
        let done = phone.courier_in(&parcels::read(&file, job.words())?).map_err(|error| job.fault(&error))?;
        answers += done.answers;
        received += done.received_entries;
        items += done.items;
        carried += done.carried;
        known += done.known;
        refused.extend(
            done.refused
                .into_iter()
                .map(|(at, code, reason)| json!({ "file": file.display().to_string(), "at": at, "code": code, "reason": reason })),
        );
    }
    job.settle(phone)?;
    let refusals = refused.len() as u64;
    let other_hub = refused.iter().filter(|part| part["code"] == "other_hub").count() as u64;
    job.out.document(&json!({
        "path": path.display().to_string(), "answers": answers, "received_entries": received, "items": items, "carried": carried,
        "known": known, "refused": refused,
    }))?;
    if answers > 0 {
        job.out.say("cli-courier-answers", &[("received", received.into()), ("items", items.into())])?;
    }
    if carried > 0 || (answers == 0 && refusals == 0) {
        job.out.say("cli-courier-carried", &[("n", carried.into()), ("known", known.into())])?;
    }
    match (refusals, other_hub) {
        (0, _) => Ok(()),
        (all, other) if all == other => Err(Fault::no("error-courier-other-hub").at(&path)),
        (n, _) => Err(Fault::no("error-courier-damaged").at(&path).count("n", n)),
    }
}

/// What was delivered for phones without network.
#[derive(Debug, Default)]
pub(super) struct Delivered {
    pub(super) delivered: u64,
    pub(super) refused: u64,
    pub(super) left: u64,
}

impl Delivered {
    pub(super) fn document(&self) -> Value {
        json!({ "delivered": self.delivered, "refused": self.refused, "left": self.left })
    }
}

/// Hands what is carried for others to the hub, as far as it goes now.
pub(super) fn deliver(phone: &mut Phone) -> Result<Delivered, Error> {
    let mut done = Delivered::default();
    let mut after = None;
    let mut deliverer = None;
    while let Some(parcel) = phone.parcel_to_deliver(after.as_ref())? {
        after = Some(parcel.name);
        let road = match &deliverer {
            Some(road) => road,
            None => {
                let enrolment = phone.enrolment().ok_or(Error::NotEnrolled)?;
                deliverer.insert(Deliverer::new(&enrolment.history.value, &enrolment.addresses)?)
            }
        };
        match road.hand(parcel.bytes)? {
            // An answer that is no parcel is not the hub's: the parcel stays.
            Handed::Taken(answer) => match phone.parcel_delivered(&parcel.name, &answer) {
                Ok(()) => done.delivered += 1,
                Err(Error::Untrusted { .. }) => {}
                Err(other) => return Err(other),
            },
            Handed::Refused { .. } => {
                phone.parcel_refused(&parcel.name)?;
                done.refused += 1;
            }
            Handed::NotNow(_) => break,
        }
    }
    done.left = phone.carried()?.iter().filter(|carried| carried.to_hub).count() as u64;
    Ok(done)
}
