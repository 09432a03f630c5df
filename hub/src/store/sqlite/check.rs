//! Recomputing every chain from the stored bodies, and copying the database.

use std::path::Path;

use rusqlite::Connection;
use yenban_protocol::chain::{Link, StoredBody, link};
use yenban_protocol::id::{EntryName, LogId};

use super::{DatabaseKey, HubError, Result, seq_from_sql, settings, sql};
use crate::store::{Wrong, WrongCode};

/// Entries whose stored body does not give the link that was signed, and rows that are missing.
pub(super) fn chains(c: &Connection) -> Result<Vec<Wrong>> {
    let mut wrong = Vec::new();
    let mut runs = c.prepare("SELECT log, branch, first, last, previous, last_link FROM run ORDER BY log, branch, first").map_err(sql)?;
    let mut entries = c
        .prepare("SELECT seq, link, body FROM entry WHERE log = ?1 AND branch = ?2 AND seq BETWEEN ?3 AND ?4 ORDER BY seq")
        .map_err(sql)?;
    let mut rows = runs.query([]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        let run = || -> rusqlite::Result<_> {
            Ok((LogId(row.get(0)?), row.get::<_, u32>(1)?, row.get::<_, i64>(2)?, row.get::<_, i64>(3)?, row.get(4)?, row.get(5)?))
        };
        let (log, branch, first, last, mut previous, last_link): (LogId, u32, i64, i64, Link, Link) = run().map_err(sql)?;
        let mut next = first;
        let mut found = entries.query(rusqlite::params![log.0, branch, first, last]).map_err(sql)?;
        while let Some(entry) = found.next().map_err(sql)? {
            let seq: i64 = entry.get(0).map_err(sql)?;
            let kept: Link = entry.get(1).map_err(sql)?;
            let body: Vec<u8> = entry.get(2).map_err(sql)?;
            let name = EntryName { log, seq: seq_from_sql(seq) };
            if seq != next {
                wrong.push(Wrong::new(WrongCode::EntriesMissing, name));
            }
            let computed = StoredBody::from_bytes(&body).map(|body| link(log, seq_from_sql(seq), &previous, &body.commit()));
            if computed.as_ref() != Ok(&kept) {
                wrong.push(Wrong::new(WrongCode::EntryLink, name));
            }
            previous = kept;
            next = seq + 1;
        }
        if next != last + 1 || previous != last_link {
            wrong.push(Wrong::new(WrongCode::RunEnd, EntryName { log, seq: seq_from_sql(last) }));
        }
    }
    Ok(wrong)
}

/// Writes a consistent copy, encrypted with the same key. Page by page in one step: a reader's snapshot does not move,
/// and `VACUUM INTO` would encrypt with other settings.
pub(super) fn copy(c: &Connection, path: &Path, key: &DatabaseKey) -> Result<()> {
    let mut target = settings::open_copy(path, key)?;
    let backup = rusqlite::backup::Backup::new(c, &mut target).map_err(sql)?;
    match backup.step(-1).map_err(sql)? {
        rusqlite::backup::StepResult::Done => Ok(()),
        _ => Err(HubError::Store("the copy did not come to its end; try again".to_owned())),
    }
}
