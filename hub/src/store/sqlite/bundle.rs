//! What an evidence bundle reads of the embedded database.

use rusqlite::{Connection, Row, params};
use yenban_protocol::id::{EntryName, LogId};

use super::{Result, seq_from_sql, seq_to_sql, sql};
use crate::store::bundle::{Belongings, EntryRow};
use crate::store::objects::ItemName;

fn name(row: &Row<'_>) -> rusqlite::Result<ItemName> {
    let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(2)?) };
    Ok(ItemName { entry, branch: row.get(1)? })
}

/// Entries of a log from `first` on, in their order.
pub(super) fn entries(c: &Connection, log: LogId, branch: u32, first: u64, limit: u32) -> Result<Vec<EntryRow>> {
    let mut statement = c
        .prepare_cached(
            "SELECT seq, link, body, head, received_ms FROM entry WHERE log = ?1 AND branch = ?2 AND seq >= ?3 ORDER BY seq LIMIT ?4",
        )
        .map_err(sql)?;
    let rows = statement.query_map(params![log.0, branch, seq_to_sql(first)?, limit], |row| {
        Ok(EntryRow { seq: seq_from_sql(row.get(0)?), link: row.get(1)?, body: row.get(2)?, head: row.get(3)?, received_ms: row.get(4)? })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

/// Every log.
pub(super) fn logs(c: &Connection) -> Result<Vec<LogId>> {
    let mut statement = c.prepare_cached("SELECT log FROM log ORDER BY log").map_err(sql)?;
    statement.query_map([], |row| row.get(0).map(LogId)).and_then(Iterator::collect).map_err(sql)
}

/// Every photograph.
pub(super) fn items(c: &Connection) -> Result<Vec<ItemName>> {
    let mut statement = c.prepare_cached("SELECT log, branch, seq FROM photo ORDER BY log, seq, branch").map_err(sql)?;
    statement.query_map([], name).and_then(Iterator::collect).map_err(sql)
}

/// What belongs to an incident, on whatever phone it was written.
pub(super) fn belongings(c: &Connection, incident: EntryName) -> Result<Belongings> {
    let mut found = Belongings::default();
    let of_incident = [
        // A report by message has no entry yet, and so nothing that proves it.
        "SELECT log, branch, seq FROM incident WHERE log = ?1 AND seq = ?2 AND sms_only = 0",
        "SELECT log, branch, seq FROM report WHERE incident_log = ?1 AND incident_seq = ?2",
    ];
    for query in of_incident {
        found.entries.extend(select(c, query, incident)?);
    }
    found.photos = select(c, "SELECT log, branch, seq FROM photo WHERE subject_log = ?1 AND subject_seq = ?2", incident)?;
    let of_photo = [
        "SELECT log, branch, seq FROM object WHERE photo_log = ?1 AND photo_seq = ?2",
        "SELECT log, branch, seq FROM no_previews WHERE photo_log = ?1 AND photo_seq = ?2",
    ];
    for photo in &found.photos {
        found.entries.push(*photo);
        for query in of_photo {
            found.entries.extend(select(c, query, photo.entry)?);
        }
    }
    for names in [&mut found.entries, &mut found.photos] {
        names.sort_by_key(|name| (name.entry, name.branch));
        names.dedup();
    }
    Ok(found)
}

fn select(c: &Connection, query: &str, of: EntryName) -> Result<Vec<ItemName>> {
    let mut statement = c.prepare_cached(query).map_err(sql)?;
    statement.query_map(params![of.log.0, seq_to_sql(of.seq)?], name).and_then(Iterator::collect).map_err(sql)
}
