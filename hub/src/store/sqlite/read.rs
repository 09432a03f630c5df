//! Reading entries again: from the stored body to what it says, and from its clocks to an honest interval.

use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::chain::{Part, StoredBody};
use yenban_protocol::id::LogId;
use yenban_protocol::record::{Position, Provider, Record};
use yenban_protocol::time::{Bounds, Interval};

use super::{Result, sql};

/// What a stored body says; `None` when its first part was erased or its kind was never understood.
pub(super) fn record(body: &[u8]) -> Option<Record> {
    let stored = StoredBody::from_bytes(body).ok()?;
    let parts: Vec<Option<&Part>> = (0..stored.len()).map(|index| stored.part(index)).collect();
    Record::from_parts(&parts).ok()
}

/// The record of one entry.
pub(super) fn entry(c: &Connection, log: LogId, branch: u32, seq: i64) -> Result<Option<Record>> {
    let body: Option<Vec<u8>> = c
        .prepare_cached("SELECT body FROM entry WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| s.query_row(params![log.0, branch, seq], |row| row.get(0)).optional())
        .map_err(sql)?;
    Ok(body.and_then(|body| record(&body)))
}

/// The interval in which an entry happened, given when its device was enrolled and when the hub had it.
pub(super) fn interval(record: &Record, enrolled_ms: i64, received_ms: i64) -> Interval {
    crate::ingest::interval_of(&record.common, Bounds { not_before_ms: Some(enrolled_ms), not_after_ms: Some(received_ms) })
}

/// Degrees of a coordinate in 1e-7 degree. The nearest double to the decimal figure, so it prints with seven places.
pub(super) fn degrees(e7: i32) -> f64 {
    f64::from(e7) / 1e7
}

/// Metres of an accuracy in centimetres.
pub(super) fn metres(cm: u32) -> f64 {
    f64::from(cm) / 100.0
}

/// The word for where a position came from.
pub(super) fn provider(position: &Position) -> String {
    match position.provider {
        Provider::Gnss => "gnss",
        Provider::Network => "network",
        Provider::Typed => "typed",
        Provider::Imported => "imported",
        Provider::Mock => "mock",
        Provider::Other(_) => "other",
    }
    .to_owned()
}
