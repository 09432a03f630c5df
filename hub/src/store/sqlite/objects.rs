//! Files that entries name: their rows when the entry comes, when the file comes, and when its time is over.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::Action;
use yenban_protocol::id::{DeviceId, EntryName, LogId};
use yenban_protocol::planted::{Bug, planted};
use zeroize::Zeroizing;

use super::effects::Context;
use super::scrubbed::{self, is_named};
use super::{Result, custody, items, runs, seq_from_sql, seq_to_sql, sql};
use crate::limits::{COPIES_PER_ITEM_MAX, EVIDENCE_RETENTION_MS};
use crate::storage::ObjectName;
use crate::store::CustodyNote;
use crate::store::effect::{FileNamed, PhotoRow};
use crate::store::objects::{Arrival, Arrived, Freed, ItemName, ObjectKind, ObjectRow, ObjectState, StoredAs};

const COLUMNS: &str = "object, device, log, branch, seq, kind, photo_log, photo_branch, photo_seq, sealed_sha256, sealed_size_bytes,
  sha256, size_bytes, state, stored, content_key, stored_size_bytes, receipt, received_ms";

/// Who acts when the hub itself does.
pub(super) const HUB: &str = "hub";

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

pub(super) fn select(c: &Connection, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<ObjectRow>> {
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

/// Destroys rows with their keys. The bytes in storage are removed after the commit: without a key they are noise.
pub(super) fn erase_rows(c: &Connection, files: &[ObjectRow]) -> Result<Freed> {
    let mut erase = c
        .prepare_cached(
            "UPDATE object SET state = 'erased', stored = NULL, content_key = NULL, stored_size_bytes = NULL, receipt = NULL
             WHERE object = ?",
        )
        .map_err(sql)?;
    let mut wanted = c.prepare_cached("SELECT EXISTS (SELECT 1 FROM object WHERE sealed_sha256 = ? AND state <> 'erased')").map_err(sql)?;
    let mut freed = Freed::default();
    for file in files {
        erase.execute([file.id]).map_err(sql)?;
        if let Some(stored) = &file.stored
            && !is_named(c, stored.name)?
        {
            freed.stored.push(stored.name);
        }
        if !wanted.query_row([file.sealed_sha256], |row| row.get::<_, bool>(0)).map_err(sql)? {
            freed.uploads.push(file.sealed_sha256);
        }
    }
    Ok(freed)
}

/// Destroys rows of copies that belong to no photograph of their device, once their time is over; how many, and what is
/// free now. No item's end takes them along, so they have one of their own.
pub(super) fn expire_strays(c: &Connection, before_ms: i64, limit: u32) -> Result<(u64, Freed)> {
    let strays = select(
        c,
        "state <> 'erased' AND NOT EXISTS (SELECT 1 FROM photo p WHERE p.log = photo_log AND p.branch = photo_branch
           AND p.seq = photo_seq AND p.device = object.device)
         AND ifnull(received_ms, (SELECT e.received_ms FROM entry e WHERE e.log = object.log AND e.branch = object.branch
           AND e.seq = object.seq)) <= ?1 ORDER BY object LIMIT ?2",
        &[&before_ms, &limit],
    )?;
    for stray in &strays {
        if let Err(e) = items::erase_facts(c, stray.named_by) {
            tracing::error!(entry = %stray.named_by, error = %e, "the facts of a copy whose time is over could not be erased");
        }
    }
    Ok((strays.len() as u64, erase_rows(c, &strays)?))
}

/// Whether a copy that is named now is wanted: not of a photograph that was destroyed, and not when its photograph has
/// more copies already than any phone makes.
fn is_wanted(c: &Connection, context: &Context<'_>, item: ItemName, kind: ObjectKind) -> Result<Wanted> {
    if kind == ObjectKind::Original {
        return Ok(Wanted::Yes);
    }
    let (log, branch, seq) = (item.entry.log.0, item.branch, size_to_sql(item.entry.seq));
    let destroyed: bool = c
        .prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM photo WHERE log = ?1 AND branch = ?2 AND seq = ?3 AND device = ?4 AND erased_ms IS NOT NULL)",
        )
        .and_then(|mut s| s.query_row(params![log, branch, seq, context.run.device.0], |row| row.get(0)))
        .map_err(sql)?;
    if destroyed {
        return Ok(Wanted::Destroyed);
    }
    let copies: u32 = c
        .prepare_cached(
            "SELECT count(*) FROM object WHERE photo_log = ?1 AND photo_branch = ?2 AND photo_seq = ?3 AND kind <> ?5 AND device = ?4",
        )
        .and_then(|mut s| s.query_row(params![log, branch, seq, context.run.device.0, ObjectKind::Original.number()], |row| row.get(0)))
        .map_err(sql)?;
    Ok(if copies < COPIES_PER_ITEM_MAX { Wanted::Yes } else { Wanted::TooMany })
}

/// Whether a file that an entry names is to come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Yes,
    Destroyed,
    TooMany,
}

/// A row for a file that is expected; when the same sealed file came for another row, it is here already.
fn expect_file(c: &Connection, context: &Context<'_>, seq: u64, item: ItemName, file: &FileNamed) -> Result<()> {
    let run = context.run;
    let wanted = is_wanted(c, context, item, file.kind)?;
    let state = if wanted == Wanted::Yes { ObjectState::Expected } else { ObjectState::Erased };
    c.prepare_cached(
        "INSERT OR IGNORE INTO object (log, branch, seq, kind, device, photo_log, photo_branch, photo_seq, sealed_sha256,
           sealed_size_bytes, sha256, size_bytes, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
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
            size_to_sql(file.size_bytes),
            state.code()
        ])
    })
    .map_err(sql)?;
    if wanted == Wanted::Destroyed {
        // What tells of it goes where the photograph went.
        items::erase_facts(c, ItemName { entry: EntryName { log: run.log, seq }, branch: context.branch })?;
    }
    if wanted != Wanted::Yes {
        return Ok(());
    }
    let all = named(c, &file.sealed_sha256)?;
    let same = |row: &&ObjectRow| row.sha256 == file.sha256 && row.size_bytes == file.size_bytes;
    let twin = all.iter().filter(same).find(|row| row.state == ObjectState::Verified).and_then(|row| row.stored.as_ref());
    let Some(twin) = twin else { return Ok(()) };
    for row in all.iter().filter(same).filter(|row| row.state == ObjectState::Expected) {
        c.prepare_cached(
            "UPDATE object SET state = 'verified', stored = ?2, content_key = ?3, stored_size_bytes = ?4, received_ms = ?5 WHERE object = ?1",
        )
        .and_then(|mut s| {
            let size = size_to_sql(twin.size_bytes);
            s.execute(params![row.id, twin.name.to_string(), twin.key.as_ref(), size, run.received_ms])
        })
        .map_err(sql)?;
        note_arrival(c, row, run.received_ms)?;
    }
    Ok(())
}

/// Whether a file belongs to the item it claims: made by the device that took the photograph, or the photograph's own
/// entry is not here yet.
pub(super) fn belongs(c: &Connection, item: ItemName, device: DeviceId) -> Result<bool> {
    let of: Option<[u8; 8]> = c
        .prepare_cached("SELECT device FROM photo WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| s.query_row(params![item.entry.log.0, item.branch, size_to_sql(item.entry.seq)], |row| row.get(0)).optional())
        .map_err(sql)?;
    Ok(of.is_none_or(|of| of == device.0))
}

/// Notes in the custody record of its item that a file came.
fn note_arrival(c: &Connection, row: &ObjectRow, at_ms: i64) -> Result<()> {
    if !belongs(c, row.item, row.device)? {
        return Ok(());
    }
    let note = |action, actor: String| CustodyNote {
        item: row.item,
        action,
        at_ms,
        about: Some((row.sha256, row.size_bytes)),
        code: Some(row.kind.code().to_owned()),
        actor,
        purpose: String::new(),
    };
    let device = || format!("device {}", row.device);
    let mut notes = vec![note(Action::Received, device()), note(Action::Verified, HUB.to_owned())];
    if row.kind != ObjectKind::Original {
        notes.push(note(Action::Derived, device()));
    }
    custody::append(c, &notes)
}

/// Notes that an upload was begun or dropped.
pub(super) fn begun(c: &Connection, sealed: &Hash, begun: bool) -> Result<()> {
    let (from, to) = if begun { (ObjectState::Expected, ObjectState::Partial) } else { (ObjectState::Partial, ObjectState::Expected) };
    c.prepare_cached("UPDATE object SET state = ?3 WHERE sealed_sha256 = ?1 AND state = ?2")
        .and_then(|mut s| s.execute(params![sealed, from.code(), to.code()]))
        .map_err(sql)?;
    Ok(())
}

/// Sealed files of which an upload was begun and not ended.
pub(super) fn all_begun(c: &Connection) -> Result<Vec<Hash>> {
    let mut statement = c.prepare_cached("SELECT DISTINCT sealed_sha256 FROM object WHERE state = ? ORDER BY 1").map_err(sql)?;
    statement.query_map([ObjectState::Partial.code()], |row| row.get(0)).and_then(Iterator::collect).map_err(sql)
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
        if !planted(Bug::CustodyLost) {
            note_arrival(c, row, arrival.received_ms)?;
        }
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
    Ok(Arrived { receipts, unnamed: scrubbed::unnamed(c, unnamed)? })
}
