//! Streams of the feed in the embedded database.

use std::cell::RefCell;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::Scope;
use yenban_protocol::id::Epoch;
use yenban_protocol::limits::MAX_STREAMS;
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::wire::{Cursor, ItemRange};

use super::{HubError, Result, people, seq_from_sql, seq_to_sql, sql};
use crate::store::feed_rows::{FeedRow, ItemDraft, ItemSigner, ReturnedRow, StreamPage};

thread_local! {
    /// Streams that the transaction under way appends to: only the writer's thread appends.
    static APPENDED: RefCell<Vec<Scope>> = const { RefCell::new(Vec::new()) };
}

/// Streams that this thread appended to since it was last asked.
pub(super) fn appended() -> Vec<Scope> {
    APPENDED.take()
}

/// The current epoch's place and name.
fn current(c: &Connection) -> Result<(i64, Epoch)> {
    epoch_row(c)?.ok_or_else(|| HubError::Store("no epoch was begun".to_owned()))
}

fn epoch_row(c: &Connection) -> Result<Option<(i64, Epoch)>> {
    c.prepare_cached("SELECT place, epoch FROM epoch ORDER BY place DESC LIMIT 1")
        .and_then(|mut s| s.query_row([], |row| Ok((row.get(0)?, Epoch(row.get(1)?)))).optional())
        .map_err(sql)
}

/// The current epoch.
pub(super) fn epoch(c: &Connection) -> Result<Option<Epoch>> {
    Ok(epoch_row(c)?.map(|(_, epoch)| epoch))
}

/// Begins a new epoch; one after another is that of a database that comes from a backup.
pub(super) fn begin_epoch(c: &Connection, epoch: Epoch, at_ms: i64) -> Result<()> {
    if epoch_row(c)?.is_some() {
        people::begin_again(c, epoch)?;
    }
    c.execute("INSERT INTO epoch (epoch, began_ms) VALUES (?1, ?2)", params![epoch.0, at_ms]).map_err(sql)?;
    Ok(())
}

/// Appends items, each numbered and chained within its stream.
pub(super) fn append(c: &Connection, drafts: &[ItemDraft], signer: &ItemSigner) -> Result<Vec<FeedRow>> {
    if drafts.is_empty() {
        return Ok(Vec::new());
    }
    let (place, epoch) = current(c)?;
    let mut newest =
        c.prepare_cached("SELECT number, hash FROM item WHERE scope = ?1 AND epoch = ?2 ORDER BY number DESC LIMIT 1").map_err(sql)?;
    let mut insert = c.prepare_cached("INSERT INTO item VALUES (?1, ?2, ?3, ?4, ?5)").map_err(sql)?;
    let mut rows = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let scope = draft.scope.to_bytes();
        let last: Option<(i64, Hash)> =
            newest.query_row(params![scope, place], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(sql)?;
        let (number, previous) = last.map_or((1, [0; 32]), |(number, hash)| (seq_from_sql(number) + 1, hash));
        let item = signer(draft, number, previous)?;
        if item.epoch != epoch {
            return Err(HubError::Store("an item was signed for another epoch".to_owned()));
        }
        insert.execute(params![scope, place, seq_to_sql(number)?, item.hash, item.bytes]).map_err(sql)?;
        rows.push(FeedRow { scope, epoch, number, hash: item.hash, bytes: item.bytes });
        APPENDED.with_borrow_mut(|appended| appended.push(draft.scope));
    }
    Ok(rows)
}

/// Items of a stream after a place in it.
pub(super) fn page(c: &Connection, scope: Scope, after: Option<(Epoch, u64)>, limit: u32) -> Result<Vec<FeedRow>> {
    let place: Option<i64> = match after {
        None => None,
        Some((epoch, _)) => c
            .prepare_cached("SELECT place FROM epoch WHERE epoch = ?")
            .and_then(|mut s| s.query_row([&epoch.0[..]], |row| row.get(0)).optional())
            .map_err(sql)?,
    };
    // An epoch that is not known here: the phone's items came from a life of the hub that was lost. From the start.
    let (place, number) = place.zip(after.map(|(_, number)| number)).unwrap_or((0, 0));
    let mut statement = c
        .prepare_cached(
            "SELECT i.scope, e.epoch, i.number, i.hash, i.bytes FROM item i JOIN epoch e ON e.place = i.epoch
             WHERE i.scope = ?1 AND (i.epoch, i.number) > (?2, ?3) ORDER BY i.epoch, i.number LIMIT ?4",
        )
        .map_err(sql)?;
    let number = number + u64::from(planted(Bug::PageSkips) && number > 0);
    let scope = scope.to_bytes();
    let rows = statement.query_map(params![scope, place, i64::try_from(number).unwrap_or(i64::MAX), limit], row);
    rows.and_then(Iterator::collect).map_err(sql)
}

/// Scope, epoch, number, hash and bytes of an item.
pub(super) fn row(row: &Row<'_>) -> rusqlite::Result<FeedRow> {
    let (scope, epoch, hash, bytes) = (row.get(0)?, Epoch(row.get(1)?), row.get(3)?, row.get(4)?);
    Ok(FeedRow { scope, epoch, number: seq_from_sql(row.get(2)?), hash, bytes })
}

/// Heads of streams and what comes after a place in each.
pub(super) fn pages(c: &Connection, wanted: &[(Scope, Option<(Epoch, u64)>)], limit: u32) -> Result<Vec<StreamPage>> {
    let mut pages = Vec::with_capacity(wanted.len());
    for (scope, after) in wanted {
        let head = head(c, *scope)?;
        let items = if head.is_none() || head == *after { Vec::new() } else { page(c, *scope, *after, limit)? };
        pages.push(StreamPage { head, items });
    }
    Ok(pages)
}

/// Where a stream stands.
pub(super) fn head(c: &Connection, scope: Scope) -> Result<Option<(Epoch, u64)>> {
    c.prepare_cached(
        "SELECT e.epoch, i.number FROM item i JOIN epoch e ON e.place = i.epoch WHERE i.scope = ?
         ORDER BY i.epoch DESC, i.number DESC LIMIT 1",
    )
    .and_then(|mut s| s.query_row([scope.to_bytes()], |row| Ok((Epoch(row.get(0)?), seq_from_sql(row.get(1)?)))).optional())
    .map_err(sql)
}

/// Of the items up to these places the ones that are neither here nor were given back.
pub(super) fn lost(c: &Connection, held: &[Cursor]) -> Result<Vec<ItemRange>> {
    let (now, _) = current(c)?;
    let mut ranges = Vec::new();
    for &Cursor { scope, epoch, number } in held {
        let place: Option<i64> = c
            .prepare_cached("SELECT place FROM epoch WHERE epoch = ?")
            .and_then(|mut s| s.query_row([&epoch.0[..]], |row| row.get(0)).optional())
            .map_err(sql)?;
        if place == Some(now) {
            continue;
        }
        // Items of an epoch begin at 1 and have no gap.
        let newest: i64 = c
            .prepare_cached("SELECT ifnull(max(number), 0) FROM item WHERE scope = ?1 AND epoch = ?2")
            .and_then(|mut s| s.query_row(params![scope.to_bytes(), place], |row| row.get(0)))
            .map_err(sql)?;
        let mut first = seq_from_sql(newest) + 1;
        let mut here = c
            .prepare_cached("SELECT number FROM returned WHERE scope = ?1 AND epoch = ?2 AND number BETWEEN ?3 AND ?4 ORDER BY number")
            .map_err(sql)?;
        let last = number.min(i64::MAX.cast_unsigned());
        let numbers = here.query_map(params![scope.to_bytes(), epoch.0, seq_to_sql(first)?, seq_to_sql(last)?], |row| row.get(0));
        let numbers: Vec<i64> = numbers.and_then(Iterator::collect).map_err(sql)?;
        let (begun, lost_from) = (ranges.len(), first);
        for number in numbers.into_iter().map(seq_from_sql) {
            if first < number {
                ranges.push(ItemRange { scope, epoch, first, last: number - 1 });
            }
            first = number + 1;
        }
        if first <= last {
            ranges.push(ItemRange { scope, epoch, first, last });
        }
        // What is no order is never given back and stays a hole. Many of them would crowd out whole streams: then all of this
        // one is asked for again, and what is here is not kept twice.
        if ranges.len() - begun > (MAX_STREAMS / held.len()).max(1) {
            ranges.truncate(begun);
            ranges.push(ItemRange { scope, epoch, first: lost_from, last });
        }
    }
    ranges.truncate(MAX_STREAMS);
    Ok(ranges)
}

/// Of these items the ones that are neither here nor were given back.
pub(super) fn not_here(c: &Connection, items: Vec<Cursor>) -> Result<Vec<Cursor>> {
    let mut here = c
        .prepare_cached(
            "SELECT 1 FROM returned WHERE scope = ?1 AND epoch = ?2 AND number = ?3 UNION ALL
             SELECT 1 FROM item i JOIN epoch e ON e.place = i.epoch WHERE i.scope = ?1 AND e.epoch = ?2 AND i.number = ?3",
        )
        .map_err(sql)?;
    let mut lacking = Vec::new();
    for item in items {
        // A number that no stream reaches is nothing that was signed.
        let Ok(number) = seq_to_sql(item.number) else { continue };
        if !lacking.contains(&item) && !here.exists(params![item.scope.to_bytes(), &item.epoch.0[..], number]).map_err(sql)? {
            lacking.push(item);
        }
    }
    Ok(lacking)
}

/// Keeps items that were given back; how many of them were not here.
pub(super) fn keep_returned(c: &Connection, items: &[ReturnedRow], at_ms: i64) -> Result<u64> {
    let mut insert = c
        .prepare_cached(
            "INSERT OR IGNORE INTO returned (scope, epoch, number, bytes, at_ms) SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (
               SELECT 1 FROM item i JOIN epoch e ON e.place = i.epoch WHERE i.scope = ?1 AND e.epoch = ?2 AND i.number = ?3)",
        )
        .map_err(sql)?;
    let mut new = 0;
    for item in items {
        let row = params![item.scope.to_bytes(), item.epoch.0, seq_to_sql(item.number)?, item.bytes, at_ms];
        new += insert.execute(row).map_err(sql)? as u64;
    }
    Ok(new)
}
