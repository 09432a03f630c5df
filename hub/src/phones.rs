//! Phones of the commune: what two people compare when one joins, who confirms it, and how one is given up.
//!
//! What an officer confirms or takes away holds from the moment of the commit: whatever asks later is answered by it.

use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::DeviceId;
use yenban_protocol::words::four_words;

use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::store::{Device, ItemDraft};

/// The four words that a phone shows when it joined this hub with these keys.
pub async fn words(hub: &Hub, device: &Device) -> Result<String> {
    let (root_hash, sign_key) = (hub.keys.root_hash(), device.sign_key);
    let words = tokio::task::spawn_blocking(move || four_words(&root_hash, &sign_key).join(" ")).await;
    words.map_err(|e| HubError::Store(format!("four words: {e}")))
}

/// The words on both screens agree: the phone belongs to the commune from this moment; `false`: it does not wait.
pub async fn confirm(hub: &Hub, officer: &str, device: DeviceId) -> Result<bool> {
    hub.note(officer, "words agree", &device.to_string(), "").await?;
    let confirmed = hub.store.confirm_device(device, hub.now_ms(), hub.item_signer()).await?;
    tracing::info!(%device, confirmed, "four words agree");
    Ok(confirmed)
}

/// Revokes a device from this moment; `false`: it was revoked before.
pub async fn revoke(hub: &Hub, actor: &str, device: DeviceId, lost: bool) -> Result<bool> {
    if hub.store.device(device).await?.is_none() {
        return Err(Refusal::NotFound { what: "device", name: device.to_string() }.into());
    }
    let now_ms = hub.now_ms();
    let item = |scope| ItemDraft { scope, item: Item::Revocation { device, lost }, issued_ms: now_ms };
    let items = vec![item(Scope::Device(device)), item(Scope::Commune(hub.commune()))];
    let revoked = hub.store.revoke(device, now_ms, lost, items, hub.item_signer()).await?;
    if revoked {
        hub.note(actor, if lost { "revoke lost" } else { "revoke" }, &device.to_string(), "").await?;
        tracing::warn!(%device, lost, "device revoked");
    }
    Ok(revoked)
}
