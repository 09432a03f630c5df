//! The feed: what a device may receive, pulled by cursor with a certified request key. A phone that stays connected waits
//! with its request until one of its streams has something new ([`crate::waiting`]).

use std::sync::Arc;

use yenban_protocol::feed::Scope;
use yenban_protocol::id::DeviceId;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest};

use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::limits::{FEED_PAGE_BYTES, FEED_PAGE_MAX, REQUEST_KEY_SKEW_MS};
use crate::orders;
use crate::store::{Device, WHOLE_COMMUNE};

/// The streams of a device: only these, whatever it asks for.
pub fn scopes(hub: &Hub, device: &Device) -> Vec<Scope> {
    let mut scopes = vec![Scope::Device(device.id), Scope::Member(device.member), Scope::Role(device.role)];
    if device.hamlet != WHOLE_COMMUNE {
        scopes.push(Scope::Hamlet(device.hamlet));
    }
    scopes.push(Scope::Commune(hub.commune()));
    scopes
}

/// A request that was verified, and the device that made it.
pub(crate) struct Asked {
    pub(crate) device: Arc<Device>,
    pub(crate) request: FeedRequest,
}

/// Answers a request for the feed.
pub async fn pull(hub: &Hub, body: &[u8]) -> Result<FeedAnswer> {
    let asked = asked(hub, body).await?;
    confirmed(hub, asked.device.id, &asked.request).await?;
    answer(hub, &asked.device, &asked.request, hub.now_ms()).await
}

/// Verifies a request: who asks may receive now.
pub(crate) async fn asked(hub: &Hub, body: &[u8]) -> Result<Asked> {
    let request = AuthorisedRequest::from_bytes(body)?;
    // Who asks stands in the request itself; nothing of it is used before its signatures hold.
    let claimed = Signed::<yenban_protocol::cert::RequestCertificate>::trusted(&request.certificate)?.value.device;
    let device = hub.store.device(claimed).await?.ok_or(Refusal::UnknownDevice)?;
    let now_ms = hub.now_ms();
    let request = request
        .verify(
            &hub.verifier,
            |id| (id == device.id).then_some(device.sign_key),
            |id| hub.keys.history.value.signing_key(id),
            // A little beyond the day, so that a phone on a thin line can finish what it began.
            now_ms.saturating_sub(REQUEST_KEY_SKEW_MS),
        )
        .map_err(|e| match e {
            yenban_protocol::Error::Signature { what: "expired request key" } => Refusal::RequestKey,
            other => other.into(),
        })?
        .value;
    may_receive(&device, now_ms)?;
    Ok(Asked { device, request })
}

/// Whether a device may receive at all.
pub(crate) fn may_receive(device: &Device, now_ms: i64) -> Result<()> {
    if device.revoked_ms.is_some() {
        return Err(Refusal::Revoked.into());
    }
    if device.waiting {
        return Err(Refusal::Unconfirmed.into());
    }
    if device.expires_ms < now_ms {
        return Err(Refusal::CertificateExpired.into());
    }
    Ok(())
}

/// Takes what a request says the phone has stored. Only a change is written: most requests say what the last one said.
pub(crate) async fn confirmed(hub: &Hub, device: DeviceId, request: &FeedRequest) -> Result<()> {
    if hub.waiting.said_before(device, &request.cursors) {
        return Ok(());
    }
    hub.store.note_pulled(device, request.cursors.clone(), hub.now_ms()).await?;
    hub.waiting.said(device, &request.cursors);
    Ok(())
}

/// The answer to a verified request.
pub(crate) async fn answer(hub: &Hub, device: &Device, request: &FeedRequest, now_ms: i64) -> Result<FeedAnswer> {
    let found = look(hub, device, request).await?;
    signed(hub, device, request, found, now_ms).await
}

/// What there is for a device, unsigned yet: whoever waits on is told nothing, and nothing is signed for that.
pub(crate) async fn look(hub: &Hub, device: &Device, request: &FeedRequest) -> Result<FeedAnswer> {
    let most = u32::try_from(request.limit).unwrap_or(u32::MAX).clamp(1, FEED_PAGE_MAX) as usize;
    let (mut items, mut streams, mut bytes, mut more) = (Vec::new(), Vec::new(), 0, false);
    let after = |scope| request.cursors.iter().find(|c| c.scope == scope).map(|c| (c.epoch, c.number));
    let scopes = scopes(hub, device);
    let wanted = orders::lost(hub, &scopes, &request.held).await?;
    let places: Vec<_> = scopes.into_iter().map(|scope| (scope, after(scope))).collect();
    // One more than fits tells whether there is more.
    let pages = hub.store.feed_pages(places.clone(), most as u32 + 1).await?;
    for ((scope, _), page) in places.into_iter().zip(pages) {
        let (epoch, number) = page.head.unwrap_or((hub.epoch(), 0));
        streams.push(Cursor { scope, epoch, number });
        let room = most - items.len();
        more |= page.items.len() > room;
        for row in page.items.into_iter().take(room) {
            if bytes + row.bytes.len() > FEED_PAGE_BYTES && !items.is_empty() {
                more = true;
                break;
            }
            bytes += row.bytes.len();
            items.push(row.bytes);
        }
    }
    let history = &hub.keys.history;
    let history = (history.value.number > request.history_number).then(|| history.bytes().to_vec());
    Ok(FeedAnswer { items, streams, more, token: Vec::new(), receipts: Vec::new(), history, wanted })
}

/// What was found, with the hub's time and the receipts of the device's logs.
pub(crate) async fn signed(hub: &Hub, device: &Device, request: &FeedRequest, found: FeedAnswer, now_ms: i64) -> Result<FeedAnswer> {
    let mut receipts = Vec::new();
    for log in &request.logs {
        if let Some(state) = hub.store.log_state(*log).await?.filter(|state| state.device == device.id) {
            receipts.push(hub.receipt(&state, now_ms, false)?);
        }
    }
    Ok(FeedAnswer { token: hub.token()?, receipts, ..found })
}
