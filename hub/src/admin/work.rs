//! Carrying operations out.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use yenban_locales::{Lang, Words};
use yenban_protocol::id::{DeviceId, Role};

use super::{Answered, BackedUp, Checked, ConsoleLink, EnrolMade, EnrolWanted, ListKind, Operation, Revoked};
use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{HubError, Refusal, Result};
use crate::folder::read_small;
use crate::limits::{CONSOLE_ENTRY_TTL_MS, DEFAULT_LISTEN, PURPOSE_MAX_CHARS};
use crate::store::{ListQuery, NOBODY, Triage};
use crate::{access, alert, backup, courier, enrol, exchange, phones, retention, scrub, sms, triage, upload};

const OPERATOR: &str = "operator";
/// Files between two lines of progress in the log.
const CHECK_TOLD_EVERY: u64 = 1_000;

fn invalid(field: &'static str, reason: &str) -> HubError {
    Refusal::Invalid { field, reason: reason.to_owned() }.into()
}

fn value<T: Serialize>(answer: T) -> Result<Value> {
    serde_json::to_value(answer).map_err(|e| HubError::Store(format!("answer: {e}")))
}

/// Does what is asked; answers the JSON of the type that [`Operation`] names.
pub async fn perform(hub: &Arc<Hub>, operation: Operation) -> Result<Value> {
    match operation {
        Operation::Enrol(wanted) => value(make_code(hub, wanted).await?),
        Operation::Alert(wanted) => value(alert::send(hub, wanted).await?),
        Operation::Revoke { device, lost } => {
            let id: DeviceId = device.parse().map_err(|_| invalid("device", "is 16 hexadecimal digits, as `hub list devices` shows"))?;
            let already = !revoke(hub, id, lost).await?;
            value(Revoked { device, lost, already })
        }
        Operation::Console { officer } => value(console_link(hub, &officer).await?),
        Operation::Status => value(hub.store.totals().await?),
        Operation::List { what, query, purpose } => list(hub, what, query, &purpose).await,
        Operation::Import { file_base64, lang } => import(hub, &file_base64, &lang).await,
        Operation::Export { format, scope, out, purpose } => {
            let purpose = purpose_of(&purpose)?;
            value(exchange::export(hub, format, &scope, &out, OPERATOR, &purpose).await?)
        }
        Operation::Bundle { scope, out, purpose } => {
            let purpose = if purpose.trim().is_empty() { String::new() } else { purpose_of(&purpose)? };
            value(exchange::bundle::export(hub, &scope, &out, OPERATOR, &purpose).await?)
        }
        Operation::Fate { incident, state, note, keep } => value(fate(hub, &incident, &state, &note, &keep).await?),
        Operation::Check => value(check(hub).await?),
        Operation::Hold(order) => value(retention::hold(hub, order).await?),
        Operation::Release(order) => value(retention::release(hub, order).await?),
        Operation::Erase(order) => value(retention::erase(hub, order).await?),
        Operation::Parcel { parcel_base64 } => {
            let parcel = data_encoding::BASE64.decode(parcel_base64.as_bytes()).map_err(|_| invalid("parcel", "did not arrive whole"))?;
            let taken = courier::take(hub, &parcel).await?;
            hub.note(OPERATOR, "courier in", taken.device.as_deref().unwrap_or_default(), "").await?;
            value(taken)
        }
        Operation::CourierAnswers => {
            let answers = courier::answers(hub).await?;
            hub.note(OPERATOR, "courier out", "", "").await?;
            value(answers)
        }
        Operation::Sms { text } => {
            let taken = sms::take(hub, &text).await?;
            hub.note(OPERATOR, "sms", &taken.incident, "").await?;
            value(taken)
        }
        Operation::Backup { file } => {
            let backup::Written { size_bytes, unread } = backup::write(hub, &file).await?;
            hub.note(OPERATOR, "backup", "", "").await?;
            value(BackedUp { file, size_bytes, unread })
        }
    }
}

async fn check(hub: &Hub) -> Result<Checked> {
    let mut wrong = hub.store.check_chains().await?;
    wrong.extend(hub.store.check_custody().await?);
    let files = scrub::objects(hub, |read| {
        if read % CHECK_TOLD_EVERY == 0 {
            tracing::info!(files = read, "reading files again");
        }
    })
    .await?;
    wrong.extend(files.wrong);
    wrong.extend(upload::check(hub));
    hub.note(OPERATOR, "check", "", "").await?;
    Ok(Checked {
        ok: wrong.is_empty(),
        entries: hub.store.totals().await?.entries,
        wrong,
        objects: files.objects,
        asked: files.asked,
        orphans: files.orphans,
    })
}

async fn make_code(hub: &Hub, wanted: EnrolWanted) -> Result<EnrolMade> {
    let role: Role = wanted.role.parse().map_err(|_| invalid("role", "is one of member, leader, officer, chief, auditor"))?;
    let address = match wanted.address {
        Some(address) => checked_address(&address)?,
        None => known_address(hub)?,
    };
    let addresses = vec![address.clone()];
    let wanted = enrol::CodeWanted { hamlet: wanted.hamlet, create: wanted.create, role, name: wanted.name, addresses };
    let made = enrol::make_code(hub, wanted).await?;
    hub.note(OPERATOR, "enrol", role.code(), "").await?;
    let expires_at = rfc3339(made.expires_ms);
    Ok(EnrolMade { code: made.text, hamlet: made.hamlet, role: role.code().to_owned(), address, expires_at })
}

/// A one-use link for an officer. The read log says that it was made and for whom, not what it is.
async fn console_link(hub: &Hub, officer: &str) -> Result<ConsoleLink> {
    let officer = enrol::checked_name("officer", officer)?;
    let address = listening_address(hub)?;
    let path = access::enter_link(hub, &officer).await?;
    hub.note(OPERATOR, "console link", &officer, "").await?;
    let now_ms = hub.now_ms();
    let link = format!("https://{address}{path}");
    Ok(ConsoleLink { link, expires_at: rfc3339(now_ms + CONSOLE_ENTRY_TTL_MS) })
}

pub(crate) fn checked_address(address: &str) -> Result<String> {
    let good = address.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok_and(|p| p > 0));
    if good && address.len() <= 255 && !address.contains(char::is_whitespace) {
        Ok(address.to_owned())
    } else {
        Err(invalid("address", "has the form host:port"))
    }
}

/// Where the hub listens, or last did, or will when nothing else is said.
pub(crate) fn listening_address(hub: &Hub) -> Result<String> {
    let path = hub.folder.address();
    let written = if path.exists() { read_small(&path)? } else { Vec::new() };
    let address = String::from_utf8(written).unwrap_or_default();
    Ok(if address.is_empty() { DEFAULT_LISTEN.to_owned() } else { address.trim().to_owned() })
}

/// The address that phones are given.
fn known_address(hub: &Hub) -> Result<String> {
    let address = listening_address(hub)?;
    if address.parse::<std::net::SocketAddr>().is_ok_and(|a| a.ip().is_unspecified()) {
        return Err(invalid("address", "the hub listens on every address of this machine: say with --address which one phones reach"));
    }
    checked_address(&address)
}

/// Revokes a device from this moment; `false`: it was revoked before.
pub async fn revoke(hub: &Hub, device: DeviceId, lost: bool) -> Result<bool> {
    phones::revoke(hub, OPERATOR, device, lost).await
}

fn purpose_of(purpose: &str) -> Result<String> {
    let purpose = purpose.trim();
    if purpose.chars().count() > PURPOSE_MAX_CHARS {
        return Err(invalid("purpose", "is too long"));
    }
    Ok(if purpose.is_empty() { "work at the hub".to_owned() } else { purpose.to_owned() })
}

async fn list(hub: &Hub, what: ListKind, query: ListQuery, purpose: &str) -> Result<Value> {
    let purpose = purpose_of(purpose)?;
    // Reading the record of reads is no reading of personal data; everything else may name people or places.
    if what != ListKind::Audit {
        let subject = query.name.clone().or_else(|| query.hamlet.map(|h| format!("hamlet {h}"))).unwrap_or_else(|| "all".to_owned());
        hub.note(OPERATOR, &format!("list {}", what.code()), &subject, &purpose).await?;
    }
    let store = &hub.store;
    match what {
        ListKind::Incidents => value(store.incidents(query).await?),
        ListKind::Patrols => value(store.patrols(query).await?),
        ListKind::CheckIns => value(store.check_ins(query).await?),
        ListKind::Evidence => value(store.evidence(query).await?),
        ListKind::Alerts => value(store.alerts(query).await?),
        ListKind::Devices => value(store.device_list(query, hub.now_ms()).await?),
        ListKind::Quarantine => value(store.quarantine(query).await?),
        ListKind::Audit => value(store.audit(query).await?),
    }
}

async fn import(hub: &Hub, file_base64: &str, lang: &str) -> Result<Value> {
    let bytes = data_encoding::BASE64.decode(file_base64.as_bytes()).map_err(|_| invalid("file", "did not arrive whole"))?;
    let words = Words::new(if lang == "en" { Lang::En } else { Lang::Vi });
    let file = exchange::people::read(&bytes, words)?;
    let totals = hub.store.import_people(file.rows, hub.now_ms(), hub.commune(), hub.item_signer()).await?;
    hub.note(OPERATOR, "import", "", "").await?;
    value(totals)
}

async fn fate(hub: &Hub, incident: &str, state: &str, note: &str, keep: &str) -> Result<Answered> {
    let told = Triage::from_code(state).filter(|state| Triage::ANSWERS.contains(state));
    let told = told.ok_or_else(|| invalid("state", "is one of received, in_hand, needs_more, resolved, not_for_us"))?;
    let line = triage::Line::of_operator(note, keep)?;
    let row = triage::find(hub, incident, ListQuery::default()).await?;
    let by = triage::Decider { member: NOBODY, name: OPERATOR.to_owned(), seen: None };
    triage::answer(hub, &row, &by, Some(told), line).await?;
    Ok(Answered { incident: row.id, before: row.state, state: told.code().to_owned() })
}
