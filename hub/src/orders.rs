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
use crate::error::Result;
use crate::store::triage::Act;
use crate::store::{AlertRow, IncidentName, NOBODY, NewStep, ReturnedRow, Triage};
use crate::{admin, alert};

/// Who sent an alert that came back: its item does not say.
const NOT_KNOWN: &str = "—";
/// Who gave orders back: phones did, and none of them need be believed.
const PHONES: &str = "phones";

/// Of what a device says it holds, what is lost here; `scopes`: the streams that it may know.
pub(crate) async fn lost(hub: &Hub, scopes: &[Scope], held: &[Cursor]) -> Result<Vec<ItemRange>> {
    let held: Vec<Cursor> = held.iter().copied().filter(|c| scopes.contains(&c.scope) && c.number > 0).collect();
    if held.is_empty() { Ok(Vec::new()) } else { hub.store.lost_items(held).await }
}

/// Takes items that are given back. Those that this hub never signed, or that are no orders, are left.
pub async fn take_back(hub: &Hub, body: &[u8]) -> Result<ReturnedAnswer> {
    let mut rows = Vec::new();
    for bytes in ReturnedItems::from_bytes(body)?.0 {
        let key_of = |item: &FeedItem, id| hub.keys.history.value.signing_key_at(id, item.issued_ms);
        let Ok(item) = Signed::verify(&bytes, &hub.verifier, key_of) else { continue };
        let FeedItem { scope, epoch, number, issued_ms, item, .. } = item.value;
        let ours = !matches!(scope, Scope::Commune(code) if code != hub.commune());
        if epoch == hub.epoch() || !ours || !obeyed(hub, item, issued_ms).await? {
            continue;
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
                admin::revoke(hub, device, lost).await?;
            }
        }
        Item::Alert(alert) => {
            let row = AlertRow { alert, officer: NOT_KNOWN.to_owned(), second: None, cap: None };
            alert::raise_once(hub, row).await?;
        }
        Item::Fate(fate) => answered(hub, fate, issued_ms).await?,
        // Kept as it came: what the restored hub knows under this number may be somebody else.
        Item::Membership { .. } => {}
        Item::Directory(_) | Item::CustodyHead(_) | Item::ObjectsWanted { .. } | Item::Unknown { .. } => return Ok(false),
    }
    Ok(true)
}

/// Puts an answer back into the history of its report, unless something newer stands there.
async fn answered(hub: &Hub, fate: Fate, issued_ms: i64) -> Result<()> {
    let incident = IncidentName { entry: fate.incident, branch: 0 };
    let thread = hub.store.thread(incident).await?;
    if thread.steps.last().is_some_and(|step| step.at_ms >= issued_ms) {
        return Ok(());
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
    // Of a report that is not here there is nothing to say; it comes with its phone, and the answer is kept as it came.
    hub.store.take_step(step, hub.item_signer()).await.map(drop)
}
