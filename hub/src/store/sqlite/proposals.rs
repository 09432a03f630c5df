//! Acts that wait for a second person, in the embedded database.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::id::MemberNo;

use super::{HubError, Result, SqliteStore, sql};
use crate::limits::PROPOSALS_MAX;
use crate::store::Reply;
use crate::store::proposals::{Decided, ProposalKind, ProposalRow, ProposalStore};

const COLUMNS: &str = "proposal, kind, body, member, made_ms, expires_ms, decided_by, agreed, decided_ms";

fn row(row: &Row<'_>) -> rusqlite::Result<(ProposalRow, String)> {
    let decided = match (row.get::<_, Option<u32>>(6)?, row.get::<_, Option<bool>>(7)?, row.get::<_, Option<i64>>(8)?) {
        (Some(by), Some(agreed), Some(at_ms)) => Some((MemberNo(by), agreed, at_ms)),
        _ => None,
    };
    let proposal = ProposalRow {
        no: row.get(0)?,
        kind: ProposalKind::Alert,
        body: row.get(2)?,
        by: MemberNo(row.get(3)?),
        made_ms: row.get(4)?,
        expires_ms: row.get(5)?,
        decided,
    };
    Ok((proposal, row.get(1)?))
}

fn with_kind((proposal, code): (ProposalRow, String)) -> Result<ProposalRow> {
    let kind = ProposalKind::ALL.into_iter().find(|kind| kind.code() == code);
    let kind = kind.ok_or_else(|| HubError::Store("kind of a proposal in the database".to_owned()))?;
    Ok(ProposalRow { kind, ..proposal })
}

fn find(c: &Connection, no: i64) -> Result<Option<ProposalRow>> {
    let text = format!("SELECT {COLUMNS} FROM proposal WHERE proposal = ?1");
    let found = c.prepare_cached(&text).and_then(|mut s| s.query_row([no], row).optional()).map_err(sql)?;
    found.map(with_kind).transpose()
}

fn waiting(c: &Connection, now_ms: i64) -> Result<Vec<ProposalRow>> {
    let text = format!("SELECT {COLUMNS} FROM proposal WHERE agreed IS NULL AND expires_ms > ?1 ORDER BY proposal");
    let rows: Vec<_> = c.prepare_cached(&text).and_then(|mut s| s.query_map([now_ms], row)?.collect()).map_err(sql)?;
    rows.into_iter().map(with_kind).collect()
}

fn propose(c: &Connection, new: &ProposalRow) -> Result<Option<i64>> {
    if waiting(c, new.made_ms)?.len() >= PROPOSALS_MAX {
        return Ok(None);
    }
    let text = "INSERT INTO proposal (kind, body, member, made_ms, expires_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
    let values = params![new.kind.code(), new.body, new.by.0, new.made_ms, new.expires_ms];
    c.prepare_cached(text).and_then(|mut s| s.insert(values)).map(Some).map_err(sql)
}

fn decide(c: &Connection, no: i64, by: MemberNo, agrees: bool, now_ms: i64) -> Result<Decided> {
    let Some(found) = find(c, no)?.filter(|found| found.decided.is_none() && found.expires_ms > now_ms) else {
        return Ok(Decided::Gone);
    };
    // Whoever asked may take it back, never agree to it.
    if agrees && found.by == by {
        return Ok(Decided::Own);
    }
    let text = "UPDATE proposal SET decided_by = ?2, agreed = ?3, decided_ms = ?4 WHERE proposal = ?1";
    c.prepare_cached(text).and_then(|mut s| s.execute(params![no, by.0, agrees, now_ms])).map_err(sql)?;
    Ok(Decided::Counts)
}

impl ProposalStore for SqliteStore {
    fn propose(&self, new: ProposalRow) -> Reply<'_, Option<i64>> {
        Box::pin(self.write(move |c| propose(c, &new), |_| ()))
    }

    fn proposal(&self, no: i64) -> Reply<'_, Option<ProposalRow>> {
        Box::pin(self.read(move |c| find(c, no)))
    }

    fn proposals(&self, now_ms: i64) -> Reply<'_, Vec<ProposalRow>> {
        Box::pin(self.read(move |c| waiting(c, now_ms)))
    }

    fn decide(&self, no: i64, by: MemberNo, agrees: bool, now_ms: i64) -> Reply<'_, Decided> {
        Box::pin(self.write(move |c| decide(c, no, by, agrees, now_ms), |_| ()))
    }
}
