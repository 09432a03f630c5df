//! Parcels that couriers bring, and the answers they take back.
//!
//! What is in a parcel proves itself and is taken as if it had come alone: one part that is refused keeps no other back.
//! The answer is what the feed would answer now, sealed to the device that asked. The newest request of each device is
//! remembered, so an answer can be made again for the next courier: lost, late and doubled ones do no harm.

use std::sync::Arc;

use axum::body::Body;
use serde::{Deserialize, Serialize};
use yenban_protocol::crypto::{Hash, sha256};
use yenban_protocol::limits::MAX_STREAMS;
use yenban_protocol::parcel::{CourierRequest, Outer, Parcel, seal_answer};
use yenban_protocol::signed::Signed;
use yenban_protocol::upload::ObjectsQuestion;
use yenban_protocol::wire::{FeedAnswer, FeedRequest};

use crate::app::Hub;
use crate::entropy::Entropy;
use crate::error::{HubError, Result};
use crate::limits::COURIER_ASKED_MS;
use crate::store::{CourierAsked, Device};
use crate::{feed, ingest, upload};

/// What became of a parcel.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelTaken {
    /// The device whose request was in it; `null`: none that could be believed.
    pub device: Option<String>,
    /// Segments in it.
    pub segments: u64,
    /// Entries that were not here before.
    pub new_entries: u64,
    /// Files that are here now, new or not.
    pub files: u64,
    /// Parts that were refused.
    pub refused: Vec<RefusedPart>,
    /// The sealed answer for its sender.
    #[serde(with = "base64", default)]
    pub answer: Option<Vec<u8>>,
}

/// A part of a parcel that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedPart {
    /// `segment`, `file` or `request`.
    pub part: String,
    /// The code of the refusal.
    pub code: String,
    /// One sentence.
    pub reason: String,
}

/// A sealed answer for a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The device.
    pub device: String,
    /// The parcel, base64.
    pub parcel_base64: String,
}

/// Bytes in JSON.
mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(bytes: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        bytes.as_ref().map(|bytes| BASE64.encode(bytes)).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        let text: Option<String> = Option::deserialize(from)?;
        text.map(|text| BASE64.decode(text.as_bytes()).map_err(D::Error::custom)).transpose()
    }
}

fn refused(part: &str, error: HubError) -> Result<RefusedPart> {
    match error {
        HubError::Refused(refusal) => {
            Ok(RefusedPart { part: part.to_owned(), code: refusal.code().to_owned(), reason: refusal.to_string() })
        }
        // Ours, not the sender's: the parcel stays with the courier and comes again.
        other => Err(other),
    }
}

/// Takes a parcel: whole or not at all as a parcel, part by part in what is in it.
pub async fn take(hub: &Arc<Hub>, bytes: &[u8]) -> Result<ParcelTaken> {
    let parcel = Parcel::open(&Outer::of(bytes)?, &hub.keys.opener)?;
    let mut taken = ParcelTaken { segments: parcel.segments.len() as u64, ..ParcelTaken::default() };
    for segment in &parcel.segments {
        match ingest::deliver(hub, segment).await {
            Ok(delivered) => taken.new_entries += delivered.new,
            Err(error) => taken.refused.push(refused("segment", error)?),
        }
    }
    let mut objects = Vec::new();
    for object in &parcel.objects {
        let sealed = sha256(object);
        match take_object(hub, sealed, object).await {
            Ok(()) => taken.files += 1,
            Err(error) => taken.refused.push(refused("file", error)?),
        }
        objects.push(sealed);
    }
    match requester(hub, &parcel).await {
        Ok((device, request)) => {
            let asked = CourierAsked { device: device.id, request: parcel.request.clone(), objects, asked_ms: hub.now_ms() };
            hub.store.note_courier(asked.clone()).await?;
            if feed::may_receive(&device, hub.now_ms()).is_ok() {
                feed::confirmed(hub, device.id, &request).await?;
            }
            taken.device = Some(device.id.to_string());
            taken.answer = Some(answer(hub, &device, &request, &asked.objects).await?);
        }
        Err(error) => taken.refused.push(refused("request", error)?),
    }
    Ok(taken)
}

/// Takes a whole file as the one chunk of its upload; what came of it before stays.
async fn take_object(hub: &Arc<Hub>, sealed: Hash, object: &[u8]) -> Result<()> {
    let standing = upload::begin(hub, sealed, object.len() as u64).await?;
    if standing.receipt.is_some() {
        return Ok(());
    }
    let from = usize::try_from(standing.offset).unwrap_or(usize::MAX);
    let rest = object.get(from..).unwrap_or_default().to_vec();
    let received = upload::receive(Arc::clone(hub), sealed, standing.offset, None, Body::from(rest)).await?;
    received.refused.map_or(Ok(()), Err)
}

/// Who asks, and what. The signature is the device's own.
async fn requester(hub: &Hub, parcel: &Parcel) -> Result<(Arc<Device>, FeedRequest)> {
    // Who asks stands in the request itself; nothing else of it is used before its signature holds.
    let claimed = Signed::<CourierRequest>::trusted(&parcel.request)?.value.0.device;
    let device = hub.store.device(claimed).await?.ok_or(crate::error::Refusal::UnknownDevice)?;
    let request = parcel.verify_request(&hub.verifier, |request| (request.device == device.id).then_some(device.sign_key))?;
    if device.waiting && device.revoked_ms.is_none() {
        return Err(crate::error::Refusal::Unconfirmed.into());
    }
    Ok((device, request.value.0))
}

/// The answer for a device, sealed to it. Whoever may not receive learns what of his is here, and nothing else.
async fn answer(hub: &Hub, device: &Device, request: &FeedRequest, objects: &[Hash]) -> Result<Vec<u8>> {
    let now_ms = hub.now_ms();
    let mut answer = if feed::may_receive(device, now_ms).is_ok() {
        feed::answer(hub, device, request, now_ms).await?
    } else {
        only_receipts(hub, device, request, now_ms).await?
    };
    if !objects.is_empty() {
        let question = ObjectsQuestion { objects: objects.to_vec() };
        answer.receipts.extend(upload::asked(hub, &question).await?.receipts);
        answer.receipts.truncate(MAX_STREAMS);
    }
    Ok(seal_answer(&mut Entropy, &device.seal_key, &answer)?)
}

async fn only_receipts(hub: &Hub, device: &Device, request: &FeedRequest, now_ms: i64) -> Result<FeedAnswer> {
    let mut receipts = Vec::new();
    for log in &request.logs {
        if let Some(state) = hub.store.log_state(*log).await?.filter(|state| state.device == device.id) {
            receipts.push(hub.receipt(&state, now_ms, device.revoked_ms.is_some())?);
        }
    }
    Ok(FeedAnswer { items: Vec::new(), streams: Vec::new(), more: false, token: hub.token()?, receipts, history: None, wanted: Vec::new() })
}

/// Answers of now for every device that asked through a courier not too long ago.
pub async fn answers(hub: &Hub) -> Result<Vec<Answer>> {
    let mut answers = Vec::new();
    for asked in hub.store.courier_asked(hub.now_ms().saturating_sub(COURIER_ASKED_MS)).await? {
        let Some(device) = hub.store.device(asked.device).await? else { continue };
        let request = Signed::<CourierRequest>::trusted(&asked.request)?.value.0;
        let parcel = answer(hub, &device, &request, &asked.objects).await?;
        answers.push(Answer { device: device.id.to_string(), parcel_base64: data_encoding::BASE64.encode(&parcel) });
    }
    Ok(answers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_parcel_travels_in_json() {
        for answer in [None, Some(vec![0, 255, 7])] {
            let taken = ParcelTaken { answer, ..ParcelTaken::default() };
            let json = serde_json::to_string(&taken).expect("json");
            assert_eq!(serde_json::from_str::<ParcelTaken>(&json).expect("reads"), taken);
        }
    }
}
