//! What reading everything again changes: rows of files that are altered or gone, phones that are asked for them, bytes
//! that nothing names.

use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::Action;
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::DeviceId;
use yenban_protocol::limits::MAX_OBJECTS_ASKED;

use super::objects::{HUB, belongs, named, select};
use super::{Result, custody, feed, sql};
use crate::storage::ObjectName;
use crate::store::objects::{Found, ObjectRow, ObjectState};
use crate::store::{CustodyNote, ItemDraft, ItemSigner};

/// Whether a row names these bytes in storage.
pub(super) fn is_named(c: &Connection, stored: ObjectName) -> Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM object WHERE stored = ?)")
        .and_then(|mut s| s.query_row([stored.to_string()], |row| row.get(0)))
        .map_err(sql)
}

/// Of these names in storage the ones that no row names.
pub(super) fn unnamed(c: &Connection, names: Vec<ObjectName>) -> Result<Vec<ObjectName>> {
    let mut free = Vec::new();
    for name in names {
        if !is_named(c, name)? {
            free.push(name);
        }
    }
    Ok(free)
}

/// Rows of files that are or were in storage.
pub(super) fn stored(c: &Connection, after: i64, limit: u32) -> Result<Vec<ObjectRow>> {
    select(c, "object > ?1 AND stored IS NOT NULL ORDER BY object LIMIT ?2", &[&after, &limit])
}

/// What reading files again found. A row that was erased or delivered anew meanwhile is left alone.
pub(super) fn checked(c: &Connection, found: &[Found], at_ms: i64) -> Result<()> {
    let mut update = c
        .prepare_cached("UPDATE object SET state = ?3, checked_ms = ?4 WHERE object = ?1 AND stored IS ?2 AND state <> 'erased'")
        .map_err(sql)?;
    for Found { row, state, bytes } in found {
        let stored = row.stored.as_ref().map(|s| s.name.to_string());
        let changed = update.execute(params![row.id, stored, state.code(), at_ms]).map_err(sql)? > 0;
        let action = match state {
            ObjectState::Missing => Action::FoundMissing,
            ObjectState::Altered => Action::FoundAltered,
            _ => Action::Verified,
        };
        // Only what changed is noted: a record of every quiet night would fill the chain.
        if changed && *state != row.state && belongs(c, row.item, row.device)? {
            let note = CustodyNote {
                item: row.item,
                action,
                at_ms,
                about: Some(bytes.unwrap_or((row.sha256, row.size_bytes))),
                code: Some(row.kind.code().to_owned()),
                actor: HUB.to_owned(),
                purpose: String::new(),
            };
            custody::append(c, &[note])?;
        }
    }
    Ok(())
}

/// Asks phones for files that are missing or altered.
pub(super) fn want(c: &Connection, now_ms: i64, asked_before_ms: i64, signer: &ItemSigner) -> Result<u64> {
    let mut lost = c
        .prepare_cached(
            "SELECT o.device, o.sealed_sha256 FROM object o JOIN device d ON d.device = o.device
             WHERE o.state IN ('missing', 'altered') AND ifnull(o.asked_ms, ?1) <= ?1 AND d.revoked_ms IS NULL
             GROUP BY o.device, o.sealed_sha256 ORDER BY o.device, min(o.object)",
        )
        .map_err(sql)?;
    let rows: Vec<(DeviceId, Hash)> =
        lost.query_map([asked_before_ms], |row| Ok((DeviceId(row.get(0)?), row.get(1)?))).and_then(Iterator::collect).map_err(sql)?;
    let mut drafts = Vec::new();
    for of_device in rows.chunk_by(|a, b| a.0 == b.0) {
        for part in of_device.chunks(MAX_OBJECTS_ASKED) {
            let Some((device, _)) = part.first() else { continue };
            let item = Item::ObjectsWanted { objects: part.iter().map(|(_, hash)| *hash).collect() };
            drafts.push(ItemDraft { scope: Scope::Device(*device), item, issued_ms: now_ms });
        }
    }
    feed::append(c, &drafts, signer)?;
    for (device, hash) in &rows {
        let first = |row: &&ObjectRow| row.device == *device && matches!(row.state, ObjectState::Missing | ObjectState::Altered);
        for row in named(c, hash)?.iter().filter(first) {
            note_asked(c, row, now_ms)?;
        }
    }
    let mut note = c
        .prepare_cached("UPDATE object SET asked_ms = ?3 WHERE device = ?1 AND sealed_sha256 = ?2 AND state IN ('missing', 'altered')")
        .map_err(sql)?;
    for (device, hash) in &rows {
        note.execute(params![device.0, hash, now_ms]).map_err(sql)?;
    }
    Ok(rows.len() as u64)
}

/// Notes that phones were asked for a file: the first time, not every day after.
fn note_asked(c: &Connection, row: &ObjectRow, at_ms: i64) -> Result<()> {
    let asked: Option<i64> = c
        .prepare_cached("SELECT asked_ms FROM object WHERE object = ?")
        .and_then(|mut s| s.query_row([row.id], |row| row.get(0)))
        .map_err(sql)?;
    if asked.is_some() || !belongs(c, row.item, row.device)? {
        return Ok(());
    }
    let note = CustodyNote {
        item: row.item,
        action: Action::Asked,
        at_ms,
        about: Some((row.sha256, row.size_bytes)),
        code: Some(row.kind.code().to_owned()),
        actor: HUB.to_owned(),
        purpose: format!("device {}", row.device),
    };
    custody::append(c, &[note])
}

/// Forgets names of bytes that were removed.
pub(super) fn swept(c: &Connection, names: &[ObjectName]) -> Result<()> {
    let mut forget = c.prepare_cached("DELETE FROM orphan WHERE stored = ?").map_err(sql)?;
    for name in names {
        forget.execute([name.to_string()]).map_err(sql)?;
    }
    Ok(())
}

/// Names in storage that no row names and that were seen so before; others are noted.
pub(super) fn orphans(c: &Connection, names: &[ObjectName], now_ms: i64, since_ms: i64) -> Result<Vec<ObjectName>> {
    let mut old = Vec::new();
    let mut seen = c.prepare_cached("SELECT since_ms FROM orphan WHERE stored = ?").map_err(sql)?;
    let mut note = c.prepare_cached("INSERT OR IGNORE INTO orphan VALUES (?1, ?2)").map_err(sql)?;
    let mut forget = c.prepare_cached("DELETE FROM orphan WHERE stored = ?").map_err(sql)?;
    for name in names {
        let stored = name.to_string();
        if is_named(c, *name)? {
            forget.execute([&stored]).map_err(sql)?;
            continue;
        }
        let since: Option<i64> = seen.query_row([&stored], |row| row.get(0)).optional().map_err(sql)?;
        match since {
            Some(since) if since <= since_ms => old.push(*name),
            Some(_) => {}
            None => drop(note.execute(params![stored, now_ms]).map_err(sql)?),
        }
    }
    Ok(old)
}
