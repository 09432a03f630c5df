//! The feed: what a device may receive, pulled by cursor with a certified request key.

use yenban_protocol::feed::Scope;
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

/// Answers a request for the feed.
pub async fn pull(hub: &Hub, body: &[u8]) -> Result<FeedAnswer> {
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
    if device.revoked_ms.is_some() {
        return Err(Refusal::Revoked.into());
    }
    if device.expires_ms < now_ms {
        return Err(Refusal::CertificateExpired.into());
    }
    answer(hub, &device, &request, now_ms).await
}

pub(crate) async fn answer(hub: &Hub, device: &Device, request: &FeedRequest, now_ms: i64) -> Result<FeedAnswer> {
    let most = u32::try_from(request.limit).unwrap_or(u32::MAX).clamp(1, FEED_PAGE_MAX) as usize;
    let (mut items, mut streams, mut bytes, mut more) = (Vec::new(), Vec::new(), 0, false);
    let scopes = scopes(hub, device);
    let wanted = orders::lost(hub, &scopes, &request.held).await?;
    for scope in scopes {
        let Some((epoch, number)) = hub.store.feed_head(scope).await? else {
            streams.push(Cursor { scope, epoch: hub.epoch(), number: 0 });
            continue;
        };
        streams.push(Cursor { scope, epoch, number });
        let after = request.cursors.iter().find(|c| c.scope == scope).map(|c| (c.epoch, c.number));
        if after == Some((epoch, number)) {
            continue;
        }
        // One more than fits tells whether there is more.
        let room = most - items.len();
        let page = hub.store.feed_page(scope, after, room as u32 + 1).await?;
        more |= page.len() > room;
        for row in page.into_iter().take(room) {
            if bytes + row.bytes.len() > FEED_PAGE_BYTES && !items.is_empty() {
                more = true;
                break;
            }
            bytes += row.bytes.len();
            items.push(row.bytes);
        }
    }
    let mut receipts = Vec::new();
    for log in &request.logs {
        if let Some(state) = hub.store.log_state(*log).await?.filter(|state| state.device == device.id) {
            receipts.push(hub.receipt(&state, now_ms, false)?);
        }
    }
    let history = &hub.keys.history;
    let history = (history.value.number > request.history_number).then(|| history.bytes().to_vec());
    Ok(FeedAnswer { items, streams, more, token: hub.token()?, receipts, history, wanted })
}
