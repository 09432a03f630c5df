//! Taking a run of entries: what is new, what was here, what joins, what contradicts.

use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::chain::Link;
use yenban_protocol::id::{DeviceId, LogId};
use yenban_protocol::planted::{Bug, planted};

use super::{Result, effects, seq_from_sql, seq_to_sql, sql};
use crate::error::Refusal;
use crate::limits::{FORKS_PER_LOG_MAX, RUNS_PER_LOG_MAX};
use crate::store::run::{Held, LogState, NewRun, Taken};

/// A stretch of the new run that is not held yet.
#[derive(Clone, Copy)]
struct Piece {
    first: u64,
    last: u64,
}

/// Takes a run inside the writer's transaction.
pub(super) fn take(c: &Connection, run: &NewRun) -> Result<Taken> {
    let mut device = c.prepare_cached("SELECT revoked_ms, hamlet FROM device WHERE device = ?").map_err(sql)?;
    let known: Option<(Option<i64>, u32)> =
        device.query_row([&run.device.0[..]], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(sql)?;
    let hamlet = match known {
        None => return Ok(Taken::UnknownDevice),
        Some((Some(_), _)) => return Ok(Taken::Revoked),
        Some((None, hamlet)) => hamlet,
    };
    match owner(c, run.log)? {
        Some(owner) if owner != run.device => return Ok(Taken::WrongDevice),
        Some(_) => {}
        None => begin_log(c, run)?,
    }
    let mut held = held(c, run.log)?;
    let (mut new, mut loose, mut forked) = (0, 0, false);
    for piece in pieces(c, run, &held)? {
        // An error, not an answer: what was written for the pieces before it is rolled back.
        let branch = place(run, piece, &held).ok_or(Refusal::Quota("runs of one log"))?;
        forked |= branch > 0;
        if planted(Bug::BranchDropped) && branch > 0 {
            continue;
        }
        insert(c, run, piece, branch)?;
        join(c, run, piece, branch, &mut held)?;
        let branch_first = held.iter().filter(|h| h.branch == branch).map(|h| h.first).min().unwrap_or(0);
        let context = effects::Context { run, hamlet, branch, branch_first };
        if planted(Bug::EffectForgotten) && piece.first > 0 && held.len() == 1 && new == 0 && piece.last == run.last() {
            new += piece.last - piece.first + 1;
            continue;
        }
        loose += effects::apply(c, &context, piece.first, piece.last)?;
        new += piece.last - piece.first + 1;
    }
    let mut update = c
        .prepare_cached(
            "UPDATE log SET last_ms = max(last_ms, ?2), entries = entries + ?3, loose_check_ins = loose_check_ins + ?4,
             receipts = receipts + 1 WHERE log = ?1",
        )
        .map_err(sql)?;
    update.execute(params![run.log.0, run.received_ms, seq_to_sql(new)?, loose]).map_err(sql)?;
    Ok(Taken::Kept { new, forked, state: LogState { log: run.log, device: run.device, held } })
}

fn owner(c: &Connection, log: LogId) -> Result<Option<DeviceId>> {
    let mut statement = c.prepare_cached("SELECT device FROM log WHERE log = ?").map_err(sql)?;
    statement.query_row([&log.0[..]], |row| row.get(0).map(DeviceId)).optional().map_err(sql)
}

fn begin_log(c: &Connection, run: &NewRun) -> Result<()> {
    c.prepare_cached("INSERT INTO log VALUES (?1, ?2, ?3, ?3, 0, 0, 0)")
        .and_then(|mut s| s.execute(params![run.log.0, run.device.0, run.received_ms]))
        .map_err(sql)?;
    Ok(())
}

/// Every run that is held of a log.
pub(super) fn held(c: &Connection, log: LogId) -> Result<Vec<Held>> {
    let mut statement =
        c.prepare_cached("SELECT branch, first, last, previous, last_link FROM run WHERE log = ? ORDER BY branch, first").map_err(sql)?;
    let rows = statement.query_map([&log.0[..]], |row| {
        Ok(Held {
            branch: row.get(0)?,
            first: seq_from_sql(row.get(1)?),
            last: seq_from_sql(row.get(2)?),
            previous: row.get(3)?,
            last_link: row.get(4)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

/// The state of a log, if it is known.
pub(super) fn state(c: &Connection, log: LogId) -> Result<Option<LogState>> {
    let Some(device) = owner(c, log)? else { return Ok(None) };
    Ok(Some(LogState { log, device, held: held(c, log)? }))
}

/// The stretches of `run` that are not held in any branch. An entry is held when its link is: the link commits
/// to the entry and to everything before it.
fn pieces(c: &Connection, run: &NewRun, held: &[Held]) -> Result<Vec<Piece>> {
    let whole = Piece { first: run.first, last: run.last() };
    let overlapping: Vec<&Held> = held.iter().filter(|h| h.first <= whole.last && h.last >= whole.first).collect();
    if overlapping.is_empty() || planted(Bug::TakenTwice) {
        return Ok(vec![whole]);
    }
    let mut known = vec![false; run.entries.len()];
    let mut links =
        c.prepare_cached("SELECT seq, link FROM entry WHERE log = ?1 AND branch = ?2 AND seq BETWEEN ?3 AND ?4").map_err(sql)?;
    for h in overlapping {
        let (from, to) = (h.first.max(whole.first), h.last.min(whole.last));
        let rows = links
            .query_map(params![run.log.0, h.branch, seq_to_sql(from)?, seq_to_sql(to)?], |row| {
                Ok((seq_from_sql(row.get(0)?), row.get::<_, Link>(1)?))
            })
            .map_err(sql)?;
        for row in rows {
            let (seq, link) = row.map_err(sql)?;
            let at = (seq - run.first) as usize;
            if run.entries.get(at).is_some_and(|entry| entry.link == link) {
                known[at] = true;
            }
        }
    }
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, _) in known.iter().enumerate().filter(|(_, known)| !**known) {
        let seq = run.first + at as u64;
        match pieces.last_mut() {
            Some(piece) if piece.last + 1 == seq => piece.last = seq,
            _ => pieces.push(Piece { first: seq, last: seq }),
        }
    }
    Ok(pieces)
}

/// How a piece stands to the runs of one branch.
enum Fit {
    /// A neighbour's link agrees and none contradicts.
    Joins,
    /// No neighbour, no overlap.
    Apart,
    /// Overlaps with other entries, or a neighbour's link differs.
    Contradicts,
}

fn fit(run: &NewRun, piece: Piece, held: &[Held], branch: u32) -> Fit {
    let (previous, last_link) = (run.link_before(piece.first), run.link_before(piece.last + 1));
    let mut fit = Fit::Apart;
    for h in held.iter().filter(|h| h.branch == branch) {
        if h.first <= piece.last && h.last >= piece.first {
            return Fit::Contradicts;
        }
        let agrees = if h.last + 1 == piece.first {
            h.last_link == previous
        } else if piece.last + 1 == h.first {
            h.previous == last_link
        } else {
            continue;
        };
        if !agrees {
            return Fit::Contradicts;
        }
        fit = Fit::Joins;
    }
    fit
}

/// The branch a piece belongs to: one it joins, else the log itself, else a new branch. `None`: no room for one more.
fn place(run: &NewRun, piece: Piece, held: &[Held]) -> Option<u32> {
    let highest = held.iter().map(|h| h.branch).max().unwrap_or(0);
    if let Some(branch) = (0..=highest).find(|branch| matches!(fit(run, piece, held, *branch), Fit::Joins)) {
        return Some(branch);
    }
    // What joins needs no room, and makes some.
    if held.len() >= RUNS_PER_LOG_MAX {
        return None;
    }
    if matches!(fit(run, piece, held, 0), Fit::Apart) {
        return Some(0);
    }
    (highest < FORKS_PER_LOG_MAX).then_some(highest + 1)
}

fn insert(c: &Connection, run: &NewRun, piece: Piece, branch: u32) -> Result<()> {
    let mut statement = c.prepare_cached("INSERT INTO entry VALUES (NULL, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)").map_err(sql)?;
    let from = (piece.first - run.first) as usize;
    for (seq, entry) in (piece.first..=piece.last).zip(run.entries.iter().skip(from)) {
        let kind = i64::try_from(entry.kind).unwrap_or(i64::MAX);
        statement
            .execute(params![run.log.0, branch, seq_to_sql(seq)?, kind, run.received_ms, entry.link, entry.body, entry.head])
            .map_err(sql)?;
    }
    Ok(())
}

/// Enters the piece into its branch's runs, joined with its neighbours, in the table and in `held`.
fn join(c: &Connection, run: &NewRun, piece: Piece, branch: u32, held: &mut Vec<Held>) -> Result<()> {
    let mut joined = Held {
        branch,
        first: piece.first,
        last: piece.last,
        previous: run.link_before(piece.first),
        last_link: run.link_before(piece.last + 1),
    };
    let before = held.iter().position(|h| h.branch == branch && h.last + 1 == piece.first);
    if let Some(at) = before {
        let h = held.remove(at);
        (joined.first, joined.previous) = (h.first, h.previous);
    }
    let after = held.iter().position(|h| h.branch == branch && h.first == piece.last + 1);
    if let Some(at) = after {
        let h = held.remove(at);
        (joined.last, joined.last_link) = (h.last, h.last_link);
        c.prepare_cached("DELETE FROM run WHERE log = ?1 AND branch = ?2 AND first = ?3")
            .and_then(|mut s| s.execute(params![run.log.0, branch, h.first as i64]))
            .map_err(sql)?;
    }
    let written = if before.is_some() && planted(Bug::RangeLost) {
        Ok(0)
    } else if before.is_some() {
        c.prepare_cached("UPDATE run SET last = ?4, last_link = ?5 WHERE log = ?1 AND branch = ?2 AND first = ?3")
            .and_then(|mut s| s.execute(params![run.log.0, branch, joined.first as i64, joined.last as i64, joined.last_link]))
    } else {
        c.prepare_cached("INSERT INTO run VALUES (?1, ?2, ?3, ?4, ?5, ?6)").and_then(|mut s| {
            s.execute(params![run.log.0, branch, joined.first as i64, joined.last as i64, joined.previous, joined.last_link])
        })
    };
    written.map_err(sql)?;
    let at = held.partition_point(|h| (h.branch, h.first) < (branch, joined.first));
    held.insert(at, joined);
    Ok(())
}
