//! Checkpoints, plans and what was walked, in the embedded database.

use rusqlite::{Connection, Row, params};
use yenban_protocol::id::{HamletNo, MemberNo};
use yenban_protocol::text::code::CheckpointCode;
use yenban_protocol::text::compare_key;

use super::{HubError, Result, SqliteStore, people, sql};
use crate::limits::{CHECKPOINTS_PER_HAMLET_MAX, PLANS_MAX, WEEK_MS};
use crate::store::plans::{CheckpointRow, Coverage, PlanRow, PlanStore, Walked};
use crate::store::{ItemSigner, Reply};

const CHECKPOINT: &str = "checkpoint, hamlet, name, lat_e7, lon_e7, made_ms, closed_ms";
const PLAN: &str = "plan, hamlet, hamlet_group, member, days, from_min, to_min, checkpoints, made_ms, ended_ms";

fn wrong_code() -> HubError {
    HubError::Store("number of a checkpoint in the database".to_owned())
}

fn checkpoints_where(c: &Connection, condition: &str, value: i64) -> Result<Vec<CheckpointRow>> {
    let text = format!("SELECT {CHECKPOINT} FROM checkpoint WHERE {condition} ORDER BY checkpoint");
    let row = |row: &Row<'_>| {
        let number: u32 = row.get(0)?;
        let place_e7 = (row.get(3)?, row.get(4)?);
        let (hamlet, name, made_ms, closed_ms) = (HamletNo(row.get(1)?), row.get(2)?, row.get(5)?, row.get(6)?);
        Ok(CheckpointCode::new(number).map(|code| CheckpointRow { code, hamlet, name, place_e7, made_ms, closed_ms }))
    };
    let rows: Vec<_> = c.prepare_cached(&text).and_then(|mut s| s.query_map([value], row)?.collect()).map_err(sql)?;
    rows.into_iter().map(|row| row.ok_or_else(wrong_code)).collect()
}

/// Checkpoints of a hamlet that stand.
pub(super) fn checkpoints_of(c: &Connection, hamlet: HamletNo) -> Result<Vec<CheckpointRow>> {
    checkpoints_where(c, "hamlet = ?1 AND closed_ms IS NULL", hamlet.0.into())
}

fn add_checkpoint(c: &Connection, new: &CheckpointRow, signer: &ItemSigner) -> Result<bool> {
    if checkpoints_of(c, new.hamlet)?.len() >= CHECKPOINTS_PER_HAMLET_MAX {
        return Ok(false);
    }
    let text = "INSERT OR IGNORE INTO checkpoint (checkpoint, hamlet, name, name_key, lat_e7, lon_e7, made_ms) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let (lat, lon) = new.place_e7;
    let values = params![new.code.number(), new.hamlet.0, new.name, compare_key(&new.name), lat, lon, new.made_ms];
    if c.prepare_cached(text).and_then(|mut s| s.execute(values)).map_err(sql)? == 0 {
        return Ok(false);
    }
    people::publish(c, None, &[new.hamlet], new.made_ms, signer)?;
    Ok(true)
}

fn close_checkpoint(c: &Connection, code: CheckpointCode, at_ms: i64, signer: &ItemSigner) -> Result<bool> {
    let Some(row) = checkpoints_where(c, "checkpoint = ?1 AND closed_ms IS NULL", code.number().into())?.pop() else { return Ok(false) };
    let text = "UPDATE checkpoint SET closed_ms = ?2 WHERE checkpoint = ?1";
    c.prepare_cached(text).and_then(|mut s| s.execute(params![code.number(), at_ms])).map_err(sql)?;
    people::publish(c, None, &[row.hamlet], at_ms, signer)?;
    Ok(true)
}

fn add_plan(c: &Connection, new: &PlanRow) -> Result<Option<i64>> {
    let held: u32 = c
        .prepare_cached("SELECT count(*) FROM plan WHERE ended_ms IS NULL")
        .and_then(|mut s| s.query_row([], |row| row.get(0)))
        .map_err(sql)?;
    if held as usize >= PLANS_MAX {
        return Ok(None);
    }
    let checkpoints: Vec<u8> = new.checkpoints.iter().flat_map(|code| code.number().to_be_bytes()).collect();
    let text = "INSERT INTO plan (hamlet, hamlet_group, member, days, from_min, to_min, checkpoints, made_ms) \
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let values = params![new.hamlet.0, new.group, new.member.0, new.days, new.from_min, new.to_min, checkpoints, new.made_ms];
    c.prepare_cached(text).and_then(|mut s| s.insert(values)).map(Some).map_err(sql)
}

fn plans(c: &Connection, since_ms: i64) -> Result<Vec<PlanRow>> {
    let text = format!("SELECT {PLAN} FROM plan WHERE ended_ms IS NULL OR ended_ms > ?1 ORDER BY plan");
    let row = |row: &Row<'_>| {
        let checkpoints: Vec<u8> = row.get(7)?;
        let plan = PlanRow {
            no: row.get(0)?,
            hamlet: HamletNo(row.get(1)?),
            group: row.get(2)?,
            member: MemberNo(row.get(3)?),
            days: row.get(4)?,
            from_min: row.get(5)?,
            to_min: row.get(6)?,
            checkpoints: Vec::new(),
            made_ms: row.get(8)?,
            ended_ms: row.get(9)?,
        };
        Ok((plan, checkpoints))
    };
    let rows: Vec<_> = c.prepare_cached(&text).and_then(|mut s| s.query_map([since_ms], row)?.collect()).map_err(sql)?;
    let code = |bytes: &[u8]| bytes.try_into().ok().and_then(|bytes| CheckpointCode::new(u32::from_be_bytes(bytes))).ok_or_else(wrong_code);
    rows.into_iter().map(|(plan, bytes)| Ok(PlanRow { checkpoints: bytes.chunks(4).map(code).collect::<Result<_>>()?, ..plan })).collect()
}

fn walked(c: &Connection, from_ms: i64, to_ms: i64) -> Result<Vec<Walked>> {
    let mut crew = c.prepare_cached("SELECT member FROM patrol_member WHERE log = ?1 AND branch = ?2 AND seq = ?3").map_err(sql)?;
    let mut statement = c
        .prepare_cached(
            "SELECT hamlet, author, started_ms, ifnull(finished_ms, max(ifnull(last_ms, started_ms), started_ms)), finished_ms IS NULL,
               log, branch, seq
             FROM patrol WHERE started_ms <= ?2 AND ifnull(finished_ms, ifnull(last_ms, started_ms)) >= ?1 ORDER BY started_ms",
        )
        .map_err(sql)?;
    let mut rows = statement.query([from_ms, to_ms]).map_err(sql)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next().map_err(sql)? {
        let mut read = || {
            let name: (Vec<u8>, i64, i64) = (row.get(5)?, row.get(6)?, row.get(7)?);
            let mut members: Vec<MemberNo> =
                crew.query_map(params![name.0, name.1, name.2], |row| row.get(0).map(MemberNo))?.collect::<rusqlite::Result<_>>()?;
            members.push(MemberNo(row.get(1)?));
            let (from_ms, to_ms, under_way) = (row.get(2)?, row.get(3)?, row.get(4)?);
            Ok(Walked { hamlet: HamletNo(row.get(0)?), members, from_ms, to_ms, under_way })
        };
        all.push(read().map_err(sql)?);
    }
    Ok(all)
}

fn coverage(c: &Connection, from_ms: i64, weeks: u32) -> Result<Vec<Coverage>> {
    let to_ms = from_ms.saturating_add(WEEK_MS.saturating_mul(weeks.into()));
    let text = "SELECT hamlet, (started_ms - ?1) / ?3, count(*), sum(check_ins) FROM patrol WHERE started_ms >= ?1 AND started_ms < ?2
                GROUP BY 1, 2 ORDER BY 1, 2";
    let row = |row: &Row<'_>| {
        let count = |n: i64| n.max(0).unsigned_abs();
        let (patrols, check_ins) = (count(row.get(2)?), count(row.get(3)?));
        Ok(Coverage { hamlet: HamletNo(row.get(0)?), week: row.get(1)?, patrols, check_ins })
    };
    c.prepare_cached(text).and_then(|mut s| s.query_map([from_ms, to_ms, WEEK_MS], row)?.collect()).map_err(sql)
}

impl PlanStore for SqliteStore {
    fn add_checkpoint(&self, new: CheckpointRow, signer: ItemSigner) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| add_checkpoint(c, &new, &signer), |_| ()))
    }

    fn close_checkpoint(&self, code: CheckpointCode, at_ms: i64, signer: ItemSigner) -> Reply<'_, bool> {
        Box::pin(self.write(move |c| close_checkpoint(c, code, at_ms, &signer), |_| ()))
    }

    fn checkpoints(&self) -> Reply<'_, Vec<CheckpointRow>> {
        Box::pin(self.read(|c| checkpoints_where(c, "checkpoint >= ?1", 0)))
    }

    fn add_plan(&self, new: PlanRow) -> Reply<'_, Option<i64>> {
        Box::pin(self.write(move |c| add_plan(c, &new), |_| ()))
    }

    fn end_plan(&self, no: i64, at_ms: i64) -> Reply<'_, bool> {
        let text = "UPDATE plan SET ended_ms = ?2 WHERE plan = ?1 AND ended_ms IS NULL";
        let work = move |c: &Connection| c.prepare_cached(text).and_then(|mut s| s.execute([no, at_ms])).map(|n| n > 0).map_err(sql);
        Box::pin(self.write(work, |_| ()))
    }

    fn plans(&self, since_ms: i64) -> Reply<'_, Vec<PlanRow>> {
        Box::pin(self.read(move |c| plans(c, since_ms)))
    }

    fn walked(&self, from_ms: i64, to_ms: i64) -> Reply<'_, Vec<Walked>> {
        Box::pin(self.read(move |c| walked(c, from_ms, to_ms)))
    }

    fn coverage(&self, from_ms: i64, weeks: u32) -> Reply<'_, Vec<Coverage>> {
        Box::pin(self.read(move |c| coverage(c, from_ms, weeks)))
    }
}
