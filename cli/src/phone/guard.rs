//! Who may look: PIN, lock, hand-over; and whether everything on the phone still agrees.

use serde_json::json;
use yenban_core::app::KeepOpen;

use super::Job;
use crate::args::invalid;
use crate::fault::{Fault, Result};
use crate::output::clean;
use crate::reason::found;

fn need_pin<'a>(job: &Job<'a>) -> Result<&'a str> {
    job.pin.ok_or_else(|| Fault::usage("error-pin-needed"))
}

/// `set-pin`. The vault must be open: the PIN of a locked one cannot be changed by who does not know it.
pub(super) fn set_pin(job: &Job<'_>) -> Result<()> {
    let pin = need_pin(job)?;
    let mut phone = super::open(job.store, yenban_core::app::IfAbsent::Refuse, job.words())?;
    phone.set_pin(pin).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "pin": true }))?;
    job.out.line(&job.words().word("cli-pin-set"))
}

/// `lock`.
pub(super) fn lock(job: &Job<'_>) -> Result<()> {
    let mut phone = super::open(job.store, yenban_core::app::IfAbsent::Refuse, job.words())?;
    phone.lock().map_err(|error| job.fault(&error))?;
    job.out.document(&json!({ "locked": true }))?;
    job.out.line(&job.words().word("phone-locked"))
}

/// `unlock`: until `lock`, hand-over or a restart of the machine.
pub(super) fn unlock(job: &Job<'_>) -> Result<()> {
    let mut phone = super::open(job.store, yenban_core::app::IfAbsent::Refuse, job.words())?;
    if phone.is_locked() || phone.has_pin().map_err(|error| job.fault(&error))? {
        phone.unlock(need_pin(job)?, KeepOpen::UntilLocked).map_err(|error| job.fault(&error))?;
    }
    job.settle(phone)?;
    job.out.document(&json!({ "locked": false }))?;
    job.out.line(&job.words().word("cli-unlocked"))
}

/// `handover`.
pub(super) fn hand_over(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("member")?;
    let to: u32 = typed.parse().ok().filter(|number| *number > 0).ok_or_else(|| invalid("member", typed, "2"))?;
    let mut phone = job.open()?;
    phone.hand_over(to).map_err(|error| job.fault(&error))?;
    job.settle(phone)?;
    job.out.document(&json!({ "member": to }))?;
    job.out.say("cli-handed-over", &[("member", to.into())])?;
    job.out.line(&job.words().word("phone-hand-over-kept"))
}

/// `check`.
pub(super) fn check(job: &Job<'_>) -> Result<()> {
    let mut phone = job.open()?;
    let report = phone.check().map_err(|error| job.fault(&error))?;
    job.out.document(&json!({
        "ok": report.faults.is_empty(), "entries": report.entries, "verified": report.verified, "sealed": report.sealed,
        "files": report.files, "projection_rows": report.projection_rows, "faults": report.faults,
        "unnamed": report.unnamed,
    }))?;
    let figures = [
        ("entries", report.entries.into()),
        ("verified", report.verified.into()),
        ("sealed", report.sealed.into()),
        ("files", report.files.into()),
    ];
    job.out.say("cli-checked", &figures)?;
    for file in &report.unnamed {
        job.out.line(&format!("  · {}", clean(&found(file, job.words()))))?;
    }
    for fault in &report.faults {
        job.out.line(&format!("  ✗ {}", clean(&found(fault, job.words()))))?;
    }
    if report.faults.is_empty() {
        return job.out.line(&job.words().word("cli-all-agrees"));
    }
    Err(Fault::no("error-check").at(job.store).count("n", report.faults.len() as u64))
}
