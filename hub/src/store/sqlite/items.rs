//! Items of evidence as a whole: holds, and the end of their time.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::chain::{Class, StoredBody};
use yenban_protocol::custody::{Action, Commit, Who};
use yenban_protocol::id::{DeviceId, EntryName, LogId};
use yenban_protocol::limits::MAX_PARTS;

use super::{HubError, Result, custody, objects, seq_from_sql, seq_to_sql, sql};
use crate::store::CustodyNote;
use crate::store::objects::{Ending, Erased, Erasure, Hold, HoldOrder, ItemHeld, ItemName, ItemRow};

/// Note of a custody record that says: destroyed because its time was over.
const EXPIRED: &str = "expired";
/// Note of a custody record that says: destroyed by an order.
const ORDERED: &str = "ordered";

fn item_row(row: &Row<'_>) -> rusqlite::Result<ItemRow> {
    let hold: (Option<String>, Option<String>, Option<i64>) = (row.get(6)?, row.get(7)?, row.get(8)?);
    let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(2)?) };
    Ok(ItemRow {
        name: ItemName { entry, branch: row.get(1)? },
        device: DeviceId(row.get(3)?),
        expires_ms: row.get(4)?,
        erased_ms: row.get(5)?,
        hold: hold.0.zip(hold.1).zip(hold.2).map(|((case, officers), until_ms)| Hold { case, officers, until_ms }),
    })
}

/// An item.
pub(super) fn item(c: &Connection, name: ItemName) -> Result<Option<ItemRow>> {
    c.prepare_cached(
        "SELECT log, branch, seq, device, expires_ms, erased_ms, hold_case, hold_officers, hold_until_ms FROM photo
         WHERE log = ?1 AND branch = ?2 AND seq = ?3",
    )
    .and_then(|mut s| {
        let seq = i64::try_from(name.entry.seq).unwrap_or(i64::MAX);
        s.query_row(params![name.entry.log.0, name.branch, seq], item_row).optional()
    })
    .map_err(sql)
}

/// How an item ended that was destroyed at `at_ms`.
fn ending(c: &Connection, name: ItemName, at_ms: i64) -> Result<Ending> {
    let chain = custody::chain(c, name, i64::MAX)?;
    let deleted = chain.into_iter().rev().find(|row| row.facts.action == Action::Deleted);
    let expired = deleted.as_ref().is_some_and(|row| row.facts.note.as_deref() == Some(EXPIRED));
    let who = deleted.and_then(|row| match row.record.who {
        Commit::Told { who, .. } => Who::from_bytes(&who).ok(),
        Commit::Erased(_) => None,
    });
    Ok(Ending { at_ms, expired, reason: who.map(|who| who.purpose).unwrap_or_default() })
}

/// Puts a hold on an item or takes it off.
pub(super) fn hold(c: &Connection, order: &HoldOrder) -> Result<ItemHeld> {
    let (name, hold) = (order.item, order.hold.as_ref());
    if let Some(at_ms) = item(c, name)?.and_then(|item| item.erased_ms) {
        return Ok(ItemHeld::Destroyed(ending(c, name, at_ms)?));
    }
    let changed = c
        .prepare_cached(
            "UPDATE photo SET hold_case = ?4, hold_officers = ?5, hold_until_ms = ?6
             WHERE log = ?1 AND branch = ?2 AND seq = ?3 AND (?4 IS NOT NULL OR hold_case IS NOT NULL)",
        )
        .and_then(|mut s| {
            let seq = i64::try_from(name.entry.seq).unwrap_or(i64::MAX);
            let (case, officers) = (hold.map(|h| &h.case), hold.map(|h| &h.officers));
            s.execute(params![name.entry.log.0, name.branch, seq, case, officers, hold.map(|h| h.until_ms)])
        })
        .map_err(sql)?;
    if changed == 0 {
        return Ok(ItemHeld::NotFound);
    }
    let note = CustodyNote {
        item: name,
        action: if hold.is_some() { Action::Held } else { Action::Released },
        at_ms: order.at_ms,
        about: None,
        code: hold.map(|hold| hold.case.clone()),
        actor: order.actor.clone(),
        purpose: order.reason.clone(),
    };
    custody::append(c, &[note])?;
    Ok(ItemHeld::Done)
}

/// Items whose time is over and that nothing holds.
pub(super) fn expired(c: &Connection, now_ms: i64, limit: u32) -> Result<Vec<ItemName>> {
    let mut statement = c
        .prepare_cached(
            "SELECT log, branch, seq FROM photo WHERE erased_ms IS NULL AND expires_ms <= ?1 AND ifnull(hold_until_ms, 0) <= ?1
             ORDER BY expires_ms LIMIT ?2",
        )
        .map_err(sql)?;
    let rows = statement.query_map(params![now_ms, limit], |row| {
        let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(2)?) };
        Ok(ItemName { entry, branch: row.get(1)? })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

/// Destroys an item. The bytes in storage are removed after the commit: without their key they are noise already.
pub(super) fn erase(c: &Connection, erasure: &Erasure) -> Result<Erased> {
    let Some(item) = item(c, erasure.item)? else { return Ok(Erased::NotFound) };
    if let Some(at_ms) = item.erased_ms {
        return Ok(Erased::Already(ending(c, item.name, at_ms)?));
    }
    if let Some(hold) = item.hold.filter(|hold| hold.until_ms > erasure.at_ms) {
        return Ok(Erased::Held(hold.until_ms));
    }
    let files = objects::of_item(c, item.name)?;
    let mut entries: Vec<ItemName> = files.iter().map(|file| file.named_by).collect();
    entries.push(item.name);
    entries.sort_by_key(|name| (name.entry.log, name.branch, name.entry.seq));
    entries.dedup();
    for name in &entries {
        erase_facts(c, *name)?;
    }
    let note = CustodyNote {
        item: item.name,
        action: Action::Deleted,
        at_ms: erasure.at_ms,
        about: None,
        code: Some(if erasure.expired { EXPIRED } else { ORDERED }.to_owned()),
        actor: erasure.actor.clone(),
        purpose: erasure.reason.clone(),
    };
    custody::append(c, &[note])?;
    let freed = objects::erase_rows(c, &files)?;
    c.prepare_cached(
        "UPDATE photo SET erased_ms = ?4, original_name = NULL, hold_case = NULL, hold_officers = NULL, hold_until_ms = NULL
         WHERE log = ?1 AND branch = ?2 AND seq = ?3",
    )
    .and_then(|mut s| {
        let name = item.name;
        s.execute(params![name.entry.log.0, name.branch, i64::try_from(name.entry.seq).unwrap_or(i64::MAX), erasure.at_ms])
    })
    .map_err(sql)?;
    Ok(Erased::Done(freed))
}

/// Erases every part of class evidence from an entry. Its commitment, and so the chain, stays as it was.
pub(super) fn erase_facts(c: &Connection, name: ItemName) -> Result<()> {
    let seq = seq_to_sql(name.entry.seq)?;
    let body: Option<Vec<u8>> = c
        .prepare_cached("SELECT body FROM entry WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| s.query_row(params![name.entry.log.0, name.branch, seq], |row| row.get(0)).optional())
        .map_err(sql)?;
    let Some(body) = body else { return Ok(()) };
    let mut body = StoredBody::from_bytes(&body).map_err(|e| HubError::Store(format!("{name}: {e}")))?;
    let commit = body.commit();
    for index in 0..MAX_PARTS {
        if body.part(index).is_some_and(|part| part.class == Class::EVIDENCE) {
            body = body.erase(index);
        }
    }
    if body.commit() != commit {
        return Err(HubError::Store(format!("{name}: its commitment would change; nothing was erased")));
    }
    c.prepare_cached("UPDATE entry SET body = ?4 WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| s.execute(params![name.entry.log.0, name.branch, seq, body.to_bytes()]))
        .map_err(sql)?;
    Ok(())
}
