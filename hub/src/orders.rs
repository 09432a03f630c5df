//! Taking back what this hub had signed and lost: phones are the backup of its own orders.
//!
//! After a restore each phone says once what it holds of earlier epochs. What is lost here comes back as it was signed, so
//! nobody need be believed. Every item is kept as it came, and the orders hold again: a revocation, which is told anew to
//! every phone; an alert, which goes out anew, because a phone that had not heard it cannot be told from one that had (a
//! phone shows an alert once, however often it comes); an answer, in the history of its report.

use yenban_protocol::feed::{Fate, FeedItem, Item, Scope};
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{Cursor, ItemRange, ReturnedAnswer, ReturnedItems};

use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::limits::FORGED_ITEMS_MAX;
use crate::store::triage::Act;
use crate::store::{AlertRow, IncidentName, NOBODY, NewStep, ReturnedRow, Stepped, Triage};
use crate::{alert, phones};

/// Who sent an alert that came back: its item does not say.
pub(crate) const NOT_KNOWN: &str = "—";
/// Who gave orders back: phones did, and none of them need be believed.
const PHONES: &str = "phones";

/// Of what a device says it holds, what is lost here; `scopes`: the streams that it may know.
pub(crate) async fn lost(hub: &Hub, scopes: &[Scope], held: &[Cursor]) -> Result<Vec<ItemRange>> {
    let held: Vec<Cursor> = held.iter().copied().filter(|c| scopes.contains(&c.scope) && c.number > 0).collect();
    if held.is_empty() { Ok(Vec::new()) } else { hub.store.lost_items(held).await }
}

/// Takes items that are given back. Those that this hub never signed, or that are no orders, are left.
pub async fn take_back(hub: &Hub, body: &[u8]) -> Result<ReturnedAnswer> {
    let items = ReturnedItems::from_bytes(body)?.0;
    // What stands here already, or twice in one request, is not worth a look at its signature: anybody may send it.
    let named = items.iter().filter_map(|bytes| Signed::<FeedItem>::trusted(bytes).ok()).map(|item| item.value);
    let named = named.map(|FeedItem { scope, epoch, number, .. }| Cursor { scope, epoch, number }).collect();
    let mut lacking = hub.store.not_here(named).await?;
    let (mut rows, mut forged) = (Vec::new(), 0);
    for bytes in items {
        let Ok(claimed) = Signed::<FeedItem>::trusted(&bytes).map(|item| item.value) else { continue };
        let name = Cursor { scope: claimed.scope, epoch: claimed.epoch, number: claimed.number };
        if !lacking.contains(&name) {
            continue;
        }
        let key_of = |item: &FeedItem, id| hub.keys.history.value.signing_key_at(id, item.issued_ms);
        let Ok(item) = Signed::verify(&bytes, &hub.verifier, key_of) else {
            // Some may be signed with keys that got lost; whoever sends nothing else is not worth the work.
            forged += 1;
            if forged > FORGED_ITEMS_MAX {
                break;
            }
            continue;
        };
        let FeedItem { scope, epoch, number, issued_ms, item, .. } = item.value;
        let ours = !matches!(scope, Scope::Commune(code) if code != hub.commune());
        lacking.retain(|other| *other != name);
        if epoch == hub.epoch() || !ours {
            continue;
        }
        match obeyed(hub, item, issued_ms).await {
            Ok(true) => {}
            Ok(false) => continue,
            // What cannot be obeyed here takes nobody with it, and may be given back by another phone.
            Err(HubError::Refused(refusal)) => {
                tracing::warn!(%scope, number, code = refusal.code(), "an order that was given back cannot be obeyed");
                continue;
            }
            Err(error) => return Err(error),
        }
        rows.push(ReturnedRow { scope, epoch, number, bytes });
    }
    let taken = hub.store.keep_returned(rows, hub.now_ms()).await?;
    if taken > 0 {
        hub.note(PHONES, "take back", &taken.to_string(), "").await?;
        tracing::info!(taken, "orders were given back");
    }
    Ok(ReturnedAnswer { taken })
}

/// Lets an order of this time (hub time, ms) hold again; `false`: it is none. Obeying twice changes nothing.
async fn obeyed(hub: &Hub, item: Item, issued_ms: i64) -> Result<bool> {
    match item {
        Item::Revocation { device, lost } => {
            // A device that joined after the backup is not known here, and joins again by a person's word alone.
            if hub.store.device(device).await?.is_some() {
                phones::revoke(hub, PHONES, device, lost).await?;
            }
        }
        Item::Alert(alert) => {
            let row = AlertRow { alert, officer: NOT_KNOWN.to_owned(), second: None, cap: None };
            alert::raise_once(hub, row).await?;
        }
        Item::Fate(fate) => return answered(hub, fate, issued_ms).await,
        // Kept as it came: what the restored hub knows under this number may be somebody else.
        Item::Membership { .. } => {}
        Item::Directory(_) | Item::CustodyHead(_) | Item::ObjectsWanted { .. } | Item::Unknown { .. } => return Ok(false),
    }
    Ok(true)
}

/// Puts an answer back into the history of its report, unless something newer stands there; `false`: the report is not here
/// yet, so the answer is left to the phone that brings it.
async fn answered(hub: &Hub, fate: Fate, issued_ms: i64) -> Result<bool> {
    let incident = IncidentName { entry: fate.incident, branch: 0 };
    let thread = hub.store.thread(incident).await?;
    if thread.steps.last().is_some_and(|step| step.at_ms >= issued_ms) {
        return Ok(true);
    }
    let step = NewStep {
        incident,
        seen: None,
        at_ms: issued_ms,
        member: NOBODY,
        officer: NOT_KNOWN.to_owned(),
        act: Act::Answered,
        state: Triage::from_code(&fate.state),
        note: fate.note,
        kept: String::new(),
        told: None,
    };
    Ok(!matches!(hub.store.take_step(step, hub.item_signer()).await?, Stepped::Missing))
}
