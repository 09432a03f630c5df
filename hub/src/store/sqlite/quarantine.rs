//! Segments that are kept sealed because nobody may take them for normal.

use rusqlite::{Connection, params};
use yenban_protocol::crypto::sha256;

use super::{Result, sql};
use crate::clock::rfc3339;
use crate::limits::{QUARANTINE_PER_DEVICE_BYTES_MAX, QUARANTINE_PER_DEVICE_MAX, QUARANTINE_UNKNOWN_BYTES_MAX, QUARANTINE_UNKNOWN_MAX};
use crate::store::lists::{ListQuery, QuarantineListing};
use crate::store::run::{QuarantineReason, QuarantinedSegment};
use yenban_protocol::id::{DeviceId, LogId};

/// Keeps a segment; `false`: its sender's quota is used up.
pub(super) fn keep(c: &Connection, segment: &QuarantinedSegment) -> Result<bool> {
    let hash = sha256(&segment.sealed);
    let there = c.prepare_cached("SELECT 1 FROM quarantine WHERE sha256 = ?").and_then(|mut s| s.exists([&hash[..]])).map_err(sql)?;
    if there {
        return Ok(true);
    }
    let of_one = "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM quarantine WHERE device = ? AND reason = 'revoked'";
    let of_all = "SELECT count(*), coalesce(sum(length(sealed)), 0) FROM quarantine WHERE reason = 'unknown_device'";
    let device = &segment.device.0[..];
    let (text, of, most, most_bytes): (_, &[&dyn rusqlite::ToSql], _, _) = match segment.reason {
        QuarantineReason::Revoked => (of_one, &[&device], QUARANTINE_PER_DEVICE_MAX, QUARANTINE_PER_DEVICE_BYTES_MAX),
        QuarantineReason::UnknownDevice => (of_all, &[], QUARANTINE_UNKNOWN_MAX, QUARANTINE_UNKNOWN_BYTES_MAX),
    };
    let (held, bytes): (u32, i64) =
        c.prepare_cached(text).and_then(|mut s| s.query_row(of, |row| Ok((row.get(0)?, row.get(1)?)))).map_err(sql)?;
    if held >= most || bytes.unsigned_abs().saturating_add(segment.sealed.len() as u64) > most_bytes {
        return Ok(false);
    }
    c.prepare_cached(
        "INSERT INTO quarantine (sha256, reason, device, log, first, count, received_ms, sealed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .and_then(|mut s| {
        s.execute(params![
            hash,
            segment.reason.code(),
            segment.device.0,
            segment.log.0,
            i64::try_from(segment.first).unwrap_or(i64::MAX),
            i64::try_from(segment.count).unwrap_or(i64::MAX),
            segment.received_ms,
            segment.sealed
        ])
    })
    .map_err(sql)?;
    Ok(true)
}

/// Segments in quarantine, newest first.
pub(super) fn list(c: &Connection, query: &ListQuery, limit: u32) -> Result<Vec<QuarantineListing>> {
    let mut statement = c
        .prepare_cached(
            "SELECT quarantine, reason, device, log, first, count, length(sealed), received_ms FROM quarantine
             WHERE ?1 IS NULL OR received_ms >= ?1 ORDER BY quarantine DESC LIMIT ?2 OFFSET ?3",
        )
        .map_err(sql)?;
    let rows = statement.query_map(params![query.since_ms, limit, query.offset], |row| {
        Ok(QuarantineListing {
            id: row.get::<_, i64>(0)?.max(0) as u64,
            reason: row.get(1)?,
            device: DeviceId(row.get(2)?).to_string(),
            log: LogId(row.get(3)?).to_string(),
            first: row.get::<_, i64>(4)?.max(0) as u64,
            count: row.get::<_, i64>(5)?.max(0) as u64,
            size_bytes: row.get::<_, i64>(6)?.max(0) as u64,
            received_at: rfc3339(row.get(7)?),
        })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}
