//! What an officer does: codes, alerts, lists of people, revocations.

use jiff::Timestamp;
use serde_json::json;
use yenban_hub::HubError;
use yenban_hub::admin::EnrolWanted;
use yenban_hub::alert::AlertWanted;
use yenban_hub::retention::ItemOrder;
use yenban_hub::store::Triage;
use yenban_protocol::alert::Severity;
use yenban_protocol::id::{DeviceId, EntryName, Role};
use yenban_protocol::text::Limit;

use super::{Job, fault};
use crate::args::{duration_ms, invalid, nearest_choice};
use crate::fault::{Fault, Result};
use crate::limits::LIST_MAX_BYTES;
use crate::output::clean;
use crate::reason::code;
use crate::{files, qr};

/// `enrol`. The last line printed is the code.
pub(super) fn enrol(job: &Job<'_>) -> Result<()> {
    let role = nearest_choice("role", job.values.need("role")?, Role::ALL.map(Role::code))?;
    let hamlet = job.values.bounded("hamlet", Limit::NAME)?.unwrap_or_default();
    if hamlet.is_empty() && ["member", "leader"].contains(&role) {
        return Err(Fault::usage("error-option-missing").with("option", "--hamlet"));
    }
    let wanted = EnrolWanted {
        hamlet: hamlet.to_owned(),
        create: job.values.on("create"),
        role: role.to_owned(),
        name: job.values.bounded("name", Limit::NAME)?.unwrap_or_default().to_owned(),
        address: job.values.text("address").map(str::to_owned),
    };
    let png = job.values.path("png")?;
    let made = job.at_the_hub(async |admin| admin.enrol(wanted).await)?;
    if let Some(png) = &png {
        qr::write_png(&made.code, png, job.words())?;
    }
    job.out.document(&json!(made))?;
    if !job.out.json {
        job.out.line(&qr::for_terminal(&made.code)?)?;
    }
    let place = if made.hamlet.is_empty() { "–".to_owned() } else { clean(&made.hamlet) };
    job.out.say(
        "cli-code-made",
        &[("place", place.into()), ("role", code("role", &made.role, job.words()).into()), ("address", made.address.into())],
    )?;
    job.out.line(&made.code)
}

/// `alert`.
pub(super) fn alert(job: &Job<'_>) -> Result<()> {
    let severity = nearest_choice("severity", job.values.need("severity")?, Severity::ALL.iter().map(|level| level.code()))?;
    let text = |name| job.values.bounded(name, Limit::REPORT).map(|text| text.unwrap_or_default().to_owned());
    let ttl_ms = match job.values.text("expires") {
        Some(typed) => Some(duration_ms(typed).and_then(|ms| i64::try_from(ms).ok()).ok_or_else(|| invalid("expires", typed, "6h"))?),
        None => None,
    };
    let wanted = AlertWanted {
        headline: text("headline")?,
        description: text("description")?,
        instruction: text("instruction")?,
        severity: severity.to_owned(),
        hamlets: job.values.all("hamlet").into_iter().map(str::to_owned).collect(),
        ttl_ms,
        drill: job.values.on("drill"),
        second: job.values.bounded("second", Limit::NAME)?.map(str::to_owned),
        ..AlertWanted::default()
    };
    let sent = job.at_the_hub(async |admin| admin.alert(wanted).await)?;
    job.out.document(&json!(sent))?;
    let words = job.words();
    let place = if sent.hamlets.is_empty() { words.word("cli-whole-commune") } else { clean(&sent.hamlets.join(", ")) };
    let drill = if sent.drill { format!("{} · ", words.word("word-drill")) } else { String::new() };
    let told = words.say("cli-alert-sent", &[("place", place.into()), ("id", sent.id.into())]);
    job.out.line(&format!("{drill}{told}"))
}

/// `revoke`.
pub(super) fn revoke(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("device")?;
    let device: DeviceId = typed.parse().map_err(|_| Fault::usage("error-device-unreadable").told("device", typed))?;
    let lost = job.values.on("lost");
    let revoked = job.at_the_hub(async |admin| admin.revoke(&device.to_string(), lost).await)?;
    job.out.document(&json!(revoked))?;
    let said = if revoked.already { "cli-revoked-before" } else { "cli-revoked" };
    job.out.say(said, &[("device", revoked.device.into())])
}

/// `answer`.
pub(super) fn answer(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("incident")?;
    let name: EntryName = typed.parse().map_err(|_| invalid("incident", typed, "0123456789abcdef:7"))?;
    let state = nearest_choice("state", job.values.need("state")?, Triage::ANSWERS.map(Triage::code))?;
    let note = job.values.bounded("note", Limit::NOTE)?.unwrap_or_default();
    let keep = job.values.bounded("keep", Limit::NOTE)?.unwrap_or_default();
    let answered = job.at_the_hub(async |admin| admin.answer(&name.to_string(), state, note, keep).await)?;
    job.out.document(&json!(answered))?;
    let words = job.words();
    let figures = [
        ("id", answered.incident.as_str().into()),
        ("before", code("state", &answered.before, words).into()),
        ("state", code("state", &answered.state, words).into()),
    ];
    job.out.say("cli-report-answered", &figures)
}

/// What two officers order for an item.
fn order(job: &Job<'_>, reason: &str) -> Result<ItemOrder> {
    Ok(ItemOrder {
        id: job.values.need("item")?.to_owned(),
        reason: reason.to_owned(),
        officer: job.values.need_bounded("officer", Limit::NAME)?.to_owned(),
        second: job.values.need_bounded("second", Limit::NAME)?.to_owned(),
        for_ms: None,
    })
}

/// `hold`, and the end of one.
pub(super) fn hold(job: &Job<'_>) -> Result<()> {
    let release = job.values.on("release");
    let reason = job.values.need_bounded(if release { "why" } else { "case" }, Limit::REPORT)?;
    let for_ms = match job.values.text("for") {
        Some(typed) => Some(duration_ms(typed).and_then(|ms| i64::try_from(ms).ok()).ok_or_else(|| invalid("for", typed, "90d"))?),
        None => None,
    };
    let wanted = ItemOrder { for_ms, ..order(job, reason)? };
    let done = match release {
        true => job.at_the_hub(async |admin| admin.release(wanted).await)?,
        false => job.at_the_hub(async |admin| admin.hold(wanted).await)?,
    };
    job.out.document(&json!(done))?;
    match &done.until {
        Some(until) => {
            let until = until.parse::<Timestamp>().map_or_else(|_| until.clone(), |at| job.words().date_time(at.as_millisecond()));
            job.out.say("cli-item-held", &[("id", done.id.clone().into()), ("until", until.into())])
        }
        None => job.out.say("cli-item-released", &[("id", done.id.clone().into())]),
    }
}

/// `erase`.
pub(super) fn erase(job: &Job<'_>) -> Result<()> {
    let wanted = order(job, job.values.need_bounded("why", Limit::REPORT)?)?;
    let done = job.at_the_hub(async |admin| admin.erase(wanted).await)?;
    job.out.document(&json!(done))?;
    job.out.say("cli-item-erased", &[("id", done.id.into())])
}

/// `console`. The last line printed is the way in.
pub(super) fn console(job: &Job<'_>) -> Result<()> {
    let officer = job.values.bounded("officer", Limit::NAME)?.unwrap_or_default();
    let link = job.at_the_hub(async |admin| admin.console(officer).await)?;
    let link = link.ok_or_else(|| Fault::could_not("error-hub-not-running").at(job.dir))?;
    job.out.document(&json!(link))?;
    job.out.say("cli-console-link", &[])?;
    job.out.line(&link.link)
}

/// `import`.
pub(super) fn import(job: &Job<'_>) -> Result<()> {
    let path = job.values.need_path("file")?;
    let bytes = files::read_bounded(&path, LIST_MAX_BYTES, job.words())?;
    job.need_hub()?;
    let lang = job.words().lang().tag();
    let imported = super::wait_for(async {
        let mut admin = yenban_hub::admin::Admin::open(job.dir).await?;
        let imported = admin.import(&bytes, lang).await;
        admin.close().await?;
        Ok(imported)
    })?
    .map_err(|error: HubError| job.fault(&error))?;
    // Refused rows are those of the file, whatever folder the hub is in.
    let imported = imported.map_err(|error| fault::of(&error, if is_rows(&error) { &path } else { job.dir }, job.words()))?;
    job.out.document(&json!(imported))?;
    let figures = [
        ("hamlets", imported.hamlets.into()),
        ("groups", imported.groups.into()),
        ("members", imported.members.into()),
        ("unchanged", imported.unchanged.into()),
    ];
    job.out.say("cli-imported", &figures)
}

fn is_rows(error: &HubError) -> bool {
    error.code() == "bad_rows"
}
