//! The end of evidence: its time is over or an order says so, unless a case holds it.
//!
//! Destroying an item destroys its keys first, in one transaction with the facts of its entries; its bytes are noise
//! from then on and are removed after. The chain stays verifiable: commitments stay where content was.

use serde::{Deserialize, Serialize};
use yenban_protocol::id::Role;
use yenban_protocol::limits::MAX_NAME_BYTES;
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::text::{nearest, same};

use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{CUSTODY_NAMES_MS, EVIDENCE_RETENTION_MS, EXPIRY_PAGE, HOLD_MAX_MS, NAMES_PAGE, NEAREST_NAMES, REASON_MAX_CHARS};
use crate::store::{Ending, Erased, Erasure, Freed, Hold, HoldOrder, ItemHeld, ItemName, MemberRow, People};
use crate::upload;

/// Why the hub destroys by itself, as its records say: the rule that ends the time of evidence.
pub const RETENTION_RULE: &str = "R-21";

/// What two officers order for an item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemOrder {
    /// The item, `log:seq` as `hub list evidence` shows it.
    pub id: String,
    /// Number of the case (hold), or why (erasure, end of a hold).
    pub reason: String,
    /// Who orders.
    pub officer: String,
    /// The second officer.
    pub second: String,
    /// How long a hold lasts, ms; `None`: as long as one may.
    #[serde(default)]
    pub for_ms: Option<i64>,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemOrdered {
    /// The item.
    pub id: String,
    /// `held`, `released` or `erased`.
    pub done: String,
    /// Until when it is held.
    pub until: Option<String>,
    /// The officers, as the record names them.
    pub officers: String,
}

fn invalid(field: &'static str, reason: impl Into<String>) -> HubError {
    Refusal::Invalid { field, reason: reason.into() }.into()
}

/// An officer of this hub by name, or by number where there is no name yet.
fn officer(people: &People, field: &'static str, typed: &str) -> Result<MemberRow> {
    let typed = typed.trim();
    if typed.is_empty() || typed.len() > MAX_NAME_BYTES {
        return Err(invalid(field, "is missing: it takes two officers of this hub"));
    }
    let officers = || people.members.iter().filter(|m| matches!(m.role, Role::Officer | Role::Chief));
    let meant = |m: &&MemberRow| if m.name.is_empty() { m.no.0.to_string() == typed } else { same(&m.name, typed) };
    if let Some(found) = officers().find(meant) {
        return Ok(found.clone());
    }
    let names = officers().map(|m| m.name.as_str()).filter(|name| !name.is_empty());
    let nearest = nearest(typed, names, NEAREST_NAMES).into_iter().map(|near| near.text.to_owned()).collect();
    Err(Refusal::UnknownOfficer { name: typed.to_owned(), nearest }.into())
}

/// Item, officers and reason of an order, checked.
async fn checked(hub: &Hub, order: &ItemOrder) -> Result<(ItemName, String, String)> {
    let item: ItemName =
        order.id.trim().parse().map_err(|_| invalid("id", "is a name of the form log:seq, as `hub list evidence` shows it"))?;
    let reason = order.reason.trim();
    if reason.is_empty() || reason.chars().count() > REASON_MAX_CHARS || reason.chars().any(char::is_control) {
        return Err(invalid("reason", format!("is one line of at most {REASON_MAX_CHARS} characters and says why, or for which case")));
    }
    let people = hub.store.people().await?;
    let (first, second) = (officer(&people, "officer", &order.officer)?, officer(&people, "second", &order.second)?);
    if first.no == second.no {
        return Err(invalid("second", "is the officer who orders: it takes two"));
    }
    let name = |m: &MemberRow| if m.name.is_empty() { m.no.0.to_string() } else { m.name.clone() };
    Ok((item, format!("{}, {}", name(&first), name(&second)), reason.to_owned()))
}

fn not_found(item: ItemName) -> HubError {
    Refusal::NotFound { what: "item of evidence", name: item.to_string() }.into()
}

/// That an item was destroyed: when, and why.
fn destroyed(ending: Ending) -> HubError {
    let why = match (ending.expired, ending.reason.as_str()) {
        (true, _) => ", because its time was over".to_owned(),
        (false, "") => " by an order".to_owned(),
        (false, reason) => format!(" by an order: {reason}"),
    };
    Refusal::Destroyed { at: rfc3339(ending.at_ms), why }.into()
}

/// Carries out a hold or its end; `what` is not there when there is nothing to hold or to end.
async fn ordered(hub: &Hub, order: HoldOrder, what: &'static str) -> Result<()> {
    let item = order.item;
    match hub.store.hold_item(order).await? {
        ItemHeld::Done => Ok(()),
        ItemHeld::NotFound => Err(Refusal::NotFound { what, name: item.to_string() }.into()),
        ItemHeld::Destroyed(ending) => Err(destroyed(ending)),
    }
}

/// Holds an item for a case: neither time nor an order destroys it until then. A hold on a held item renews it.
pub async fn hold(hub: &Hub, order: ItemOrder) -> Result<ItemOrdered> {
    let (item, officers, case) = checked(hub, &order).await?;
    let for_ms = order.for_ms.unwrap_or(HOLD_MAX_MS);
    if for_ms <= 0 || for_ms > HOLD_MAX_MS {
        return Err(invalid("until", "is between now and six months from now; a hold can be renewed"));
    }
    let at_ms = hub.now_ms();
    let until_ms = at_ms.saturating_add(for_ms);
    let hold = Hold { case: case.clone(), officers: officers.clone(), until_ms };
    let wanted = HoldOrder { item, hold: Some(hold), actor: officers.clone(), reason: case.clone(), at_ms };
    hub.noted(&officers, "hold", &item.to_string(), &case, ordered(hub, wanted, "item of evidence")).await?;
    Ok(ItemOrdered { id: item.to_string(), done: "held".to_owned(), until: Some(rfc3339(until_ms)), officers })
}

/// Ends a hold.
pub async fn release(hub: &Hub, order: ItemOrder) -> Result<ItemOrdered> {
    let (item, officers, reason) = checked(hub, &order).await?;
    let wanted = HoldOrder { item, hold: None, actor: officers.clone(), reason: reason.clone(), at_ms: hub.now_ms() };
    hub.noted(&officers, "release", &item.to_string(), &reason, ordered(hub, wanted, "hold on")).await?;
    Ok(ItemOrdered { id: item.to_string(), done: "released".to_owned(), until: None, officers })
}

/// Destroys an item by an order.
pub async fn erase(hub: &Hub, order: ItemOrder) -> Result<ItemOrdered> {
    let (item, officers, reason) = checked(hub, &order).await?;
    let erasure = Erasure { item, actor: officers.clone(), expired: false, reason: reason.clone(), at_ms: hub.now_ms() };
    let work = async {
        match hub.store.erase_item(erasure).await? {
            Erased::Done(freed) => {
                remove(hub, freed).await;
                Ok(())
            }
            Erased::NotFound => Err(not_found(item)),
            Erased::Already(ending) => Err(destroyed(ending)),
            Erased::Held(until_ms) => Err(Refusal::Held { until: rfc3339(until_ms) }.into()),
        }
    };
    // The record has it before it is done: an erasure that nobody can find out about must not be possible.
    hub.noted(&officers, "erase", &item.to_string(), &reason, work).await?;
    fold(hub).await?;
    tracing::warn!(%item, "an item of evidence was destroyed by an order");
    Ok(ItemOrdered { id: item.to_string(), done: "erased".to_owned(), until: None, officers })
}

/// Removes what nothing names any more. What cannot be removed now is an orphan for the nightly look.
async fn remove(hub: &Hub, freed: Freed) {
    for name in freed.stored {
        if let Err(e) = hub.storage.remove(name).await {
            tracing::error!(%name, error = %e, "bytes of destroyed evidence could not be removed; nobody can open them");
        }
    }
    if let Err(e) = upload::destroy(hub, &freed.uploads).await {
        tracing::error!(error = %e, "what came of a destroyed file could not be removed");
    }
}

/// Lets no older state of the database keep the keys that were destroyed. A reader may stand in the way: then the next
/// hour does it.
pub async fn fold(hub: &Hub) -> Result<()> {
    if !hub.store.fold().await? {
        tracing::warn!("the write-ahead log could not be emptied now; it is tried again within the hour");
    }
    Ok(())
}

/// Destroys items whose time is over; how many. One that cannot be destroyed is told and stays; the others go.
pub async fn expire(hub: &Hub) -> Result<u64> {
    let mut expired = 0;
    let mut passed_over: Vec<ItemName> = Vec::new();
    loop {
        let page = EXPIRY_PAGE.saturating_add(u32::try_from(passed_over.len()).unwrap_or(u32::MAX));
        let mut items =
            hub.store.expired_items(hub.now_ms() + if planted(Bug::ExpiresEarly) { EVIDENCE_RETENTION_MS } else { 0 }, page).await?;
        items.retain(|item| !passed_over.contains(item));
        if items.is_empty() {
            return Ok(expired + strays(hub).await?);
        }
        for item in items {
            let reason = RETENTION_RULE.to_owned();
            let erasure = Erasure { item, actor: "hub".to_owned(), expired: true, reason, at_ms: hub.now_ms() };
            match hub.store.erase_item(erasure).await {
                Ok(Erased::Done(freed)) => {
                    // Its custody record has it already, in the transaction that destroyed it.
                    hub.note("hub", "expire", &item.to_string(), RETENTION_RULE).await?;
                    remove(hub, freed).await;
                    expired += 1;
                }
                Err(HubError::Stopping) => return Err(HubError::Stopping),
                outcome => {
                    tracing::error!(%item, ?outcome, "an item whose time is over could not be destroyed");
                    passed_over.push(item);
                }
            }
        }
    }
}

/// Destroys copies that belong to no photograph and whose time is over.
async fn strays(hub: &Hub) -> Result<u64> {
    let mut all = 0;
    loop {
        let (count, freed) = hub.store.expire_strays(hub.now_ms() - EVIDENCE_RETENTION_MS, EXPIRY_PAGE).await?;
        remove(hub, freed).await;
        all += count;
        if count < u64::from(EXPIRY_PAGE) {
            return Ok(all);
        }
    }
}

/// Erases who did what with evidence once that is older than [`CUSTODY_NAMES_MS`]; what was done, and every link, stays.
pub async fn erase_names(hub: &Hub) -> Result<u64> {
    let mut erased = 0;
    loop {
        let now = hub.store.erase_custody_names(hub.now_ms() - CUSTODY_NAMES_MS, NAMES_PAGE).await?;
        erased += now;
        if now < u64::from(NAMES_PAGE) {
            return Ok(erased);
        }
    }
}
