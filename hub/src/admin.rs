//! Operations for officers and operators.

use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::DeviceId;

use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::store::ItemDraft;

/// Revokes a device.
pub async fn revoke(hub: &Hub, device: DeviceId, lost: bool) -> Result<()> {
    let known = hub.store.device(device).await?;
    if known.is_none() {
        return Err(Refusal::NotFound { what: "device", name: device.to_string() }.into());
    }
    let now_ms = hub.now_ms();
    let item = |scope| ItemDraft { scope, item: Item::Revocation { device, lost }, issued_ms: now_ms };
    let items = vec![item(Scope::Device(device)), item(Scope::Commune(hub.commune()))];
    hub.store.revoke(device, now_ms, lost, items, hub.item_signer()).await?;
    Ok(())
}
