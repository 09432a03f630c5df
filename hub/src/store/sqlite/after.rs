//! Where a page of a list goes on: after a named row, in the list's own order. Unlike a count of rows to skip, this
//! neither repeats nor misses a row when others arrive in between, and costs the same at the end as at the start.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::id::EntryName;

use super::{Result, sql};
use crate::error::Refusal;
use crate::store::lists::ListQuery;

/// A condition on the rows that come after, and its values.
pub(super) type After = Option<(&'static str, Vec<Value>)>;

/// The row after which a page begins: its entry and, for a log that contradicts itself, the branch
/// (`log:seq` or `log:seq/branch`).
fn named(query: &ListQuery) -> Result<Option<(EntryName, u32)>> {
    let Some(text) = query.after.as_deref() else { return Ok(None) };
    let invalid = || Refusal::Invalid { field: "after", reason: "not a name of the form log:seq".to_owned() };
    let (name, branch) = match text.split_once('/') {
        Some((name, branch)) => (name, branch.parse().map_err(|_| invalid())?),
        None => (text, 0),
    };
    Ok(Some((name.parse().map_err(|_| invalid())?, branch)))
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn gone(name: EntryName) -> crate::error::HubError {
    Refusal::NotFound { what: "row", name: name.to_string() }.into()
}

/// Incidents after one: urgent first, then newest, then as they came.
pub(super) fn incidents(c: &Connection, query: &ListQuery) -> Result<After> {
    let Some((name, branch)) = named(query)? else { return Ok(None) };
    let found: Option<(bool, i64, i64)> = c
        .prepare_cached("SELECT urgent, best_ms, incident FROM incident WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| {
            s.query_row(params![name.log.0, branch, number(name.seq)], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()
        })
        .map_err(sql)?;
    let (urgent, best_ms, incident) = found.ok_or_else(|| gone(name))?;
    // The first half is a range of the index; the second takes out what stands at the same moment before it.
    let condition = "(urgent, best_ms) <= (?, ?) AND NOT (urgent = ? AND best_ms = ? AND incident <= ?)";
    let values = vec![urgent.into(), best_ms.into(), urgent.into(), best_ms.into(), incident.into()];
    Ok(Some((condition, values)))
}

/// Patrols after one: newest first; those whose beginning is not here yet stand last.
pub(super) fn patrols(c: &Connection, query: &ListQuery) -> Result<After> {
    let Some((name, branch)) = named(query)? else { return Ok(None) };
    let found: Option<Option<i64>> = c
        .prepare_cached("SELECT started_ms FROM patrol WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| s.query_row(params![name.log.0, branch, number(name.seq)], |row| row.get(0)).optional())
        .map_err(sql)?;
    let mut key = vec![Value::from(name.log.0.to_vec()), branch.into(), number(name.seq).into()];
    Ok(Some(match found.ok_or_else(|| gone(name))? {
        Some(started_ms) => {
            let mut values = vec![started_ms.into(), started_ms.into()];
            values.append(&mut key);
            ("(started_ms <= ? OR started_ms IS NULL) AND NOT (started_ms IS ? AND (log, branch, seq) <= (?, ?, ?))", values)
        }
        None => ("started_ms IS NULL AND (log, branch, seq) > (?, ?, ?)", key),
    }))
}

/// Check-ins after one, in the order of their logs. The row itself need not be there.
pub(super) fn check_ins(query: &ListQuery) -> Result<After> {
    let Some((name, branch)) = named(query)? else { return Ok(None) };
    Ok(Some(("(e.log, e.branch, e.seq) > (?, ?, ?)", vec![name.log.0.to_vec().into(), branch.into(), number(name.seq).into()])))
}
