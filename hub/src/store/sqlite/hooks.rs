//! Reports to tell of, in the embedded database. Triggers enter them (`schema`), in the transaction that made them complete.

use rusqlite::{Connection, params};
use yenban_protocol::id::{EntryName, LogId};

use super::{Result, SqliteStore, seq_from_sql, sql};
use crate::store::Reply;
use crate::store::hooks::{HookEnd, HookRow, HookStore};
use crate::store::triage::IncidentName;

fn due(c: &Connection, now_ms: i64, limit: u32) -> Result<Vec<HookRow>> {
    let mut statement = c
        .prepare_cached(
            "SELECT i.log, i.seq, i.branch, h.tries FROM hook h JOIN incident i ON i.incident = h.incident
               WHERE h.over = 0 AND h.next_ms <= ?1 ORDER BY h.next_ms, h.incident LIMIT ?2",
        )
        .map_err(sql)?;
    let row = |row: &rusqlite::Row<'_>| {
        let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(1)?) };
        Ok(HookRow { incident: IncidentName { entry, branch: row.get(2)? }, tries: row.get(3)? })
    };
    statement.query_map(params![now_ms, limit], row).and_then(Iterator::collect).map_err(sql)
}

fn ended(c: &Connection, incident: IncidentName, end: HookEnd) -> Result<()> {
    let (change, next_ms) = match end {
        HookEnd::Over => ("UPDATE hook SET over = 1, next_ms = ?4", 0),
        HookEnd::Again { next_ms } => ("UPDATE hook SET tries = tries + 1, next_ms = ?4", next_ms),
        HookEnd::NotYet => ("DELETE FROM hook WHERE ?4 = 0 AND over = 0 AND", 0),
    };
    let of = "incident = (SELECT incident FROM incident WHERE log = ?1 AND branch = ?2 AND seq = ?3)";
    let text = if end == HookEnd::NotYet { format!("{change} {of}") } else { format!("{change} WHERE {of}") };
    let seq = i64::try_from(incident.entry.seq).unwrap_or(i64::MAX);
    c.prepare_cached(&text).and_then(|mut s| s.execute(params![incident.entry.log.0, incident.branch, seq, next_ms])).map_err(sql)?;
    Ok(())
}

impl HookStore for SqliteStore {
    fn hooks_due(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<HookRow>> {
        Box::pin(self.read(move |c| due(c, now_ms, limit)))
    }

    fn hook_ended(&self, incident: IncidentName, end: HookEnd) -> Reply<'_, ()> {
        Box::pin(self.write(move |c| ended(c, incident, end), |()| ()))
    }

    fn forget_hooks(&self) -> Reply<'_, ()> {
        let forget = |c: &Connection| c.execute("DELETE FROM hook WHERE over = 0", []).map(drop).map_err(sql);
        Box::pin(self.write(forget, |()| ()))
    }
}
