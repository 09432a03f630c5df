//! Reports by message: one SMS, typed in or pasted by whoever has the receiving phone.
//!
//! A message claims an entry that will come. Until it does the incident stands in the lists by the message's few fields
//! and says so; when it comes, before or after, there is one incident (docs/PROTOCOL.md, One message).

use serde::{Deserialize, Serialize};
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Position, Provider};
use yenban_protocol::sms::{Claim, Place, Sms, tidied};

use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::live::Happened;
use crate::store::{Claimed, Device, NewClaim, QuarantineReason, QuarantinedSegment, WhenWhere};

/// Half the diagonal of a message's cell, centimetres: what the cell adds to the accuracy of the place.
const CELL_CM: u32 = 800;
/// A kind without a number: the report will name it.
const KIND_TO_COME: &str = "other";

/// A report by message that was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SmsTaken {
    /// The incident, `log:seq`.
    pub incident: String,
    /// `to_come`: the full report is awaited; `here`: it is here already; `known`: this message came before; `quarantined`.
    pub state: String,
    /// The device that signed.
    pub device: String,
    /// Code of the kind; empty in quarantine.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
}

/// Takes the text of a message.
pub async fn take(hub: &Hub, text: &str) -> Result<SmsTaken> {
    let received_ms = hub.now_ms();
    let sms = Sms::from_text(&tidied(text)).map_err(Refusal::Sms)?;
    let Some(device) = hub.store.device(sms.device).await? else {
        quarantine(hub, &sms, QuarantineReason::UnknownDevice, received_ms).await?;
        return Err(Refusal::UnknownDevice.into());
    };
    let open = |key| sms.open(key, &device.seal_key, &device.sign_key, &hub.verifier, received_ms);
    // A message names no key; a phone that has not heard of a newer one used an older one. What the first says is told.
    let [newest, older @ ..] = hub.keys.agreements.as_slice() else { return Err(HubError::Keys("no key to open with".to_owned())) };
    let claim = open(newest).or_else(|error| older.iter().find_map(|key| open(key).ok()).ok_or(error))?;
    if device.waiting && device.revoked_ms.is_none() {
        return Err(Refusal::Unconfirmed.into());
    }
    let taken = |state: &str| SmsTaken {
        incident: claim.name.to_string(),
        state: state.to_owned(),
        device: device.id.to_string(),
        kind: kind(&claim).to_owned(),
        urgent: claim.urgent,
    };
    match hub.store.take_claim(claimed(&claim, &device, received_ms)).await? {
        Claimed::New => {
            hub.live.tell(Happened::Arrived);
            Ok(taken("to_come"))
        }
        Claimed::Here => Ok(taken("here")),
        Claimed::Known => Ok(taken("known")),
        Claimed::Differs => Err(Refusal::Conflict("a report by message about this entry").into()),
        Claimed::WrongDevice => Err(Refusal::WrongDevice.into()),
        Claimed::Revoked => quarantine(hub, &sms, QuarantineReason::Revoked, received_ms).await,
        Claimed::UnknownDevice => Err(Refusal::UnknownDevice.into()),
    }
}

fn kind(claim: &Claim) -> &'static str {
    claim.kind.unwrap_or(KIND_TO_COME)
}

fn claimed(claim: &Claim, device: &Device, received_ms: i64) -> NewClaim {
    // What a message says of its time binds nobody: signed are the day the device was enrolled and this arrival.
    let earliest_ms = device.enrolled_ms.min(received_ms);
    let at = WhenWhere {
        author: device.member,
        best_ms: claim.at_ms.clamp(earliest_ms, received_ms),
        earliest_ms,
        latest_ms: received_ms,
        position: claim.place.as_ref().and_then(position),
    };
    NewClaim {
        device: claim.device,
        name: claim.name,
        kind: kind(claim).to_owned(),
        urgent: claim.urgent,
        at,
        fields: claim.fields(),
        received_ms,
    }
}

fn position(place: &Place) -> Option<Position> {
    let accuracy_cm = place.accuracy_m.map(|metres| metres.saturating_mul(100).saturating_add(CELL_CM));
    let provider: Provider = place.provider;
    Position::new(place.lat_e7, place.lon_e7, provider).ok().map(|position| Position { accuracy_cm, ..position })
}

/// Keeps the message as it came beside the segments that may not be shown as normal.
async fn quarantine(hub: &Hub, sms: &Sms, reason: QuarantineReason, received_ms: i64) -> Result<SmsTaken> {
    let EntryName { log, seq } = sms.name;
    let sealed = sms.to_bytes().to_vec();
    let kept = QuarantinedSegment { reason, device: sms.device, log, first: seq, count: 1, received_ms, sealed };
    if !hub.store.keep_in_quarantine(kept).await? {
        return Err(Refusal::Quota("quarantined segments of this device").into());
    }
    hub.metrics.quarantined.inc();
    Ok(SmsTaken {
        incident: sms.name.to_string(),
        state: "quarantined".to_owned(),
        device: sms.device.to_string(),
        kind: String::new(),
        urgent: false,
    })
}
