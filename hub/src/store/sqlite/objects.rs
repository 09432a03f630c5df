//! Files that entries name: their rows when the entry comes, when the file comes, and when it is read again.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{DeviceId, EntryName, LogId};
use yenban_protocol::limits::MAX_OBJECTS_ASKED;
use zeroize::Zeroizing;

use super::effects::Context;
use super::{Result, feed, runs, seq_from_sql, seq_to_sql, sql};
use crate::limits::EVIDENCE_RETENTION_MS;
use crate::storage::ObjectName;
use crate::store::effect::{FileNamed, PhotoRow};
use crate::store::objects::{Arrival, Arrived, ItemName, ObjectKind, ObjectRow, ObjectState, StoredAs};
use crate::store::{ItemDraft, ItemSigner};

const COLUMNS: &str = "object, device, log, branch, seq, kind, photo_log, photo_branch, photo_seq, sealed_sha256, sealed_size_bytes,
  sha256, size_bytes, state, stored, content_key, stored_size_bytes, receipt, received_ms";

/// A length as SQLite keeps it; nothing real is longer.
fn size_to_sql(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

fn item_name(row: &Row<'_>, log: &str, branch: &str, seq: &str) -> rusqlite::Result<ItemName> {
    let entry = EntryName { log: LogId(row.get(log)?), seq: seq_from_sql(row.get(seq)?) };
    Ok(ItemName { entry, branch: row.get(branch)? })
}

fn object_row(row: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    let key: Option<[u8; 32]> = row.get("content_key")?;
    let stored: Option<String> = row.get("stored")?;
    let stored_size: Option<i64> = row.get("stored_size_bytes")?;
    let state: String = row.get("state")?;
    Ok(ObjectRow {
        id: row.get("object")?,
        device: DeviceId(row.get("device")?),
        named_by: item_name(row, "log", "branch", "seq")?,
        kind: ObjectKind::from_number(row.get("kind")?),
        item: item_name(row, "photo_log", "photo_branch", "photo_seq")?,
        sealed_sha256: row.get("sealed_sha256")?,
        sealed_size_bytes: seq_from_sql(row.get("sealed_size_bytes")?),
        sha256: row.get("sha256")?,
        size_bytes: seq_from_sql(row.get("size_bytes")?),
        // Written by this crate alone; a word of a later version is not taken for something that is there.
        state: ObjectState::from_code(&state).unwrap_or(ObjectState::Missing),
        stored: stored.as_deref().and_then(ObjectName::parse).zip(key).zip(stored_size).map(|((name, key), size)| StoredAs {
            name,
            key: Zeroizing::new(key),
            size_bytes: seq_from_sql(size),
        }),
        receipt: row.get("receipt")?,
        received_ms: row.get("received_ms")?,
    })
}

fn select(c: &Connection, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<ObjectRow>> {
    let mut statement = c.prepare_cached(&format!("SELECT {COLUMNS} FROM object WHERE {condition}")).map_err(sql)?;
    statement.query_map(values, object_row).and_then(Iterator::collect).map_err(sql)
}

/// Rows that name a sealed file, oldest first.
pub(super) fn named(c: &Connection, sealed: &Hash) -> Result<Vec<ObjectRow>> {
    select(c, "sealed_sha256 = ?1 ORDER BY object", &[sealed])
}

/// The files of an item, smallest kind first. What another device claims to have made of it is none of them.
pub(super) fn of_item(c: &Connection, item: ItemName) -> Result<Vec<ObjectRow>> {
    let seq = seq_to_sql(item.entry.seq)?;
    select(
        c,
        "photo_log = ?1 AND photo_branch = ?2 AND photo_seq = ?3
           AND device = (SELECT device FROM photo WHERE log = ?1 AND branch = ?2 AND seq = ?3) ORDER BY kind, object",
        &[&item.entry.log.0, &item.branch, &seq],
    )
}

/// A photograph's entry came: its item, and its original as a file that is expected.
pub(super) fn photo(c: &Connection, context: &Context<'_>, seq: u64, best_ms: i64, photo: &PhotoRow) -> Result<()> {
    let run = context.run;
    let subject_seq = photo.subject.map(|s| seq_to_sql(s.seq)).transpose()?;
    c.prepare_cached(
        "INSERT INTO photo (log, branch, seq, device, subject_log, subject_seq, media_type, original_name, best_ms, expires_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )
    .and_then(|mut s| {
        s.execute(params![
            run.log.0,
            context.branch,
            seq_to_sql(seq).unwrap_or(i64::MAX),
            run.device.0,
            photo.subject.map(|s| s.log.0),
            subject_seq,
            photo.media_type,
            photo.original_name,
            best_ms,
            run.received_ms.saturating_add(EVIDENCE_RETENTION_MS)
        ])
    })
    .map_err(sql)?;
    let item = ItemName { entry: EntryName { log: run.log, seq }, branch: context.branch };
    expect_file(c, context, seq, item, &photo.original)
}

/// The entry of smaller copies came, which may be before the photograph's own.
pub(super) fn previews(
    c: &Connection,
    context: &Context<'_>,
    seq: u64,
    photo: EntryName,
    files: &[FileNamed],
    missing: Option<&str>,
) -> Result<()> {
    let run = context.run;
    let branch = if photo.log == run.log { context.branch_of(photo.seq) } else { 0 };
    if let Some(reason) = missing {
        c.prepare_cached("INSERT OR IGNORE INTO no_previews VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
            .and_then(|mut s| {
                let photo_seq = size_to_sql(photo.seq);
                s.execute(params![run.log.0, context.branch, size_to_sql(seq), photo.log.0, branch, photo_seq, run.device.0, reason])
            })
            .map_err(sql)?;
    }
    files.iter().try_for_each(|file| expect_file(c, context, seq, ItemName { entry: photo, branch }, file))
}

/// A row for a file that is expected; when the same sealed file came for another row, it is here already.
fn expect_file(c: &Connection, context: &Context<'_>, seq: u64, item: ItemName, file: &FileNamed) -> Result<()> {
    let run = context.run;
    c.prepare_cached(
        "INSERT OR IGNORE INTO object (log, branch, seq, kind, device, photo_log, photo_branch, photo_seq, sealed_sha256,
           sealed_size_bytes, sha256, size_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )
    .and_then(|mut s| {
        s.execute(params![
            run.log.0,
            context.branch,
            size_to_sql(seq),
            file.kind.number(),
            run.device.0,
            item.entry.log.0,
            item.branch,
            size_to_sql(item.entry.seq),
            file.sealed_sha256,
            size_to_sql(file.sealed_size_bytes),
            file.sha256,
            size_to_sql(file.size_bytes)
        ])
    })
    .map_err(sql)?;
    c.prepare_cached(
        "UPDATE object SET (state, stored, content_key, stored_size_bytes, received_ms) =
           (SELECT state, stored, content_key, stored_size_bytes, ?4 FROM object o WHERE o.sealed_sha256 = ?1 AND o.state = 'verified'
              AND o.sha256 = ?2 AND o.size_bytes = ?3 LIMIT 1)
         WHERE sealed_sha256 = ?1 AND sha256 = ?2 AND size_bytes = ?3 AND state = 'expected' AND EXISTS (SELECT 1 FROM object o
              WHERE o.sealed_sha256 = ?1 AND o.state = 'verified' AND o.sha256 = ?2 AND o.size_bytes = ?3)",
    )
    .and_then(|mut s| s.execute(params![file.sealed_sha256, file.sha256, size_to_sql(file.size_bytes), run.received_ms]))
    .map_err(sql)?;
    Ok(())
}

/// Notes that an upload was begun or dropped.
pub(super) fn begun(c: &Connection, sealed: &Hash, begun: bool) -> Result<()> {
    let (from, to) = if begun { (ObjectState::Expected, ObjectState::Partial) } else { (ObjectState::Partial, ObjectState::Expected) };
    c.prepare_cached("UPDATE object SET state = ?3 WHERE sealed_sha256 = ?1 AND state = ?2")
        .and_then(|mut s| s.execute(params![sealed, from.code(), to.code()]))
        .map_err(sql)?;
    Ok(())
}

/// A file came whole: every row that names it with these hashes has it now.
pub(super) fn arrived(c: &Connection, arrival: &Arrival) -> Result<Arrived> {
    let all = named(c, &arrival.sealed_sha256)?;
    let meant = |row: &&ObjectRow| {
        row.sha256 == arrival.sha256
            && row.size_bytes == arrival.size_bytes
            && row.sealed_size_bytes == arrival.sealed_size_bytes
            && row.state != ObjectState::Erased
    };
    let rows: Vec<&ObjectRow> = all.iter().filter(meant).collect();
    let mut unnamed = Vec::new();
    // Two uploaders at once: what is verified stays where it is, and the second copy is let go.
    let verified = rows.iter().find(|row| row.state == ObjectState::Verified).and_then(|row| row.stored.as_ref());
    let stored = verified.unwrap_or(&arrival.stored);
    if stored.name != arrival.stored.name || rows.is_empty() {
        unnamed.push(arrival.stored.name);
    }
    let mut receipts: Vec<(LogId, Vec<u8>)> = Vec::new();
    for row in rows {
        let log = row.named_by.entry.log;
        let receipt = match receipts.iter().find(|(of, _)| *of == log) {
            Some((_, receipt)) => receipt.clone(),
            None => {
                let Some(state) = runs::state(c, log)? else { continue };
                let receipt = (arrival.receipt)(&state, &[(arrival.sealed_sha256, arrival.sealed_size_bytes)])?;
                receipts.push((log, receipt.clone()));
                receipt
            }
        };
        if row.state == ObjectState::Verified {
            continue;
        }
        unnamed.extend(row.stored.as_ref().map(|old| old.name));
        c.prepare_cached(
            "UPDATE object SET state = 'verified', stored = ?2, content_key = ?3, stored_size_bytes = ?4, receipt = ?5,
               received_ms = ifnull(received_ms, ?6), checked_ms = ?6, asked_ms = NULL WHERE object = ?1",
        )
        .and_then(|mut s| {
            let size = size_to_sql(stored.size_bytes);
            s.execute(params![row.id, stored.name.to_string(), stored.key.as_ref(), size, receipt, arrival.received_ms])
        })
        .map_err(sql)?;
        let expires_ms = arrival.received_ms.saturating_add(EVIDENCE_RETENTION_MS);
        c.prepare_cached("UPDATE photo SET expires_ms = max(expires_ms, ?4) WHERE log = ?1 AND branch = ?2 AND seq = ?3 AND device = ?5")
            .and_then(|mut s| {
                let item = row.item;
                s.execute(params![item.entry.log.0, item.branch, size_to_sql(item.entry.seq), expires_ms, row.device.0])
            })
            .map_err(sql)?;
    }
    unnamed.sort();
    unnamed.dedup();
    let mut free = Vec::new();
    for name in unnamed {
        if !is_named(c, name)? {
            free.push(name);
        }
    }
    Ok(Arrived { receipts, unnamed: free })
}

/// Whether a row names these bytes in storage.
pub(super) fn is_named(c: &Connection, stored: ObjectName) -> Result<bool> {
    c.prepare_cached("SELECT EXISTS (SELECT 1 FROM object WHERE stored = ?)")
        .and_then(|mut s| s.query_row([stored.to_string()], |row| row.get(0)))
        .map_err(sql)
}

/// Rows of files that are or were in storage.
pub(super) fn stored(c: &Connection, after: i64, limit: u32) -> Result<Vec<ObjectRow>> {
    select(c, "object > ?1 AND stored IS NOT NULL ORDER BY object LIMIT ?2", &[&after, &limit])
}

/// What reading files again found. A row that was erased or delivered anew meanwhile is left alone.
pub(super) fn checked(c: &Connection, found: &[(ObjectRow, ObjectState)], at_ms: i64) -> Result<()> {
    let mut update = c
        .prepare_cached("UPDATE object SET state = ?3, checked_ms = ?4 WHERE object = ?1 AND stored IS ?2 AND state <> 'erased'")
        .map_err(sql)?;
    for (row, state) in found {
        let stored = row.stored.as_ref().map(|s| s.name.to_string());
        update.execute(params![row.id, stored, state.code(), at_ms]).map_err(sql)?;
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
    let mut note = c
        .prepare_cached("UPDATE object SET asked_ms = ?3 WHERE device = ?1 AND sealed_sha256 = ?2 AND state IN ('missing', 'altered')")
        .map_err(sql)?;
    for (device, hash) in &rows {
        note.execute(params![device.0, hash, now_ms]).map_err(sql)?;
    }
    Ok(rows.len() as u64)
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
