//! Reports by message until their entries come, and requests of couriers, in the embedded database.
//!
//! A claim is the incident's row itself: lists, pages and searches need not know of it, and when the entry comes the row
//! is filled ([`super::effects`]). Claims of one entry by several devices, of which at most one can own the log, stand in
//! branches of their own until it is known whose log it is: nobody can take another's place.

use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{DeviceId, LogId};

use super::{Result, seq_to_sql, sql};
use crate::limits::COURIER_OBJECTS_MAX;
use crate::store::courier::{Claimed, CourierAsked, NewClaim};

/// Takes a claim inside the writer's transaction.
pub(super) fn take(c: &Connection, claim: &NewClaim) -> Result<Claimed> {
    let known: Option<(Option<i64>, u32)> = c
        .prepare_cached("SELECT revoked_ms, hamlet FROM device WHERE device = ?")
        .and_then(|mut s| s.query_row([&claim.device.0[..]], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(sql)?;
    let hamlet = match known {
        None => return Ok(Claimed::UnknownDevice),
        Some((Some(_), _)) => return Ok(Claimed::Revoked),
        Some((None, hamlet)) => hamlet,
    };
    let owner: Option<DeviceId> = c
        .prepare_cached("SELECT device FROM log WHERE log = ?")
        .and_then(|mut s| s.query_row([&claim.name.log.0[..]], |row| row.get(0).map(DeviceId)).optional())
        .map_err(sql)?;
    if owner.is_some_and(|owner| owner != claim.device) {
        return Ok(Claimed::WrongDevice);
    }
    let (log, seq) = (claim.name.log.0, seq_to_sql(claim.name.seq)?);
    let there: Option<(i64, Option<Vec<u8>>)> = c
        .prepare_cached("SELECT incident, sms_fields FROM incident WHERE log = ?1 AND seq = ?2 AND device = ?3 ORDER BY branch LIMIT 1")
        .and_then(|mut s| s.query_row(params![log, seq, claim.device.0], |row| Ok((row.get(0)?, row.get(1)?))).optional())
        .map_err(sql)?;
    match there {
        Some((_, Some(fields))) if fields == claim.fields => Ok(Claimed::Known),
        Some((_, Some(_))) => Ok(Claimed::Differs),
        Some((incident, None)) => {
            c.prepare_cached("UPDATE incident SET sms_ms = ?2, sms_fields = ?3 WHERE incident = ?1")
                .and_then(|mut s| s.execute(params![incident, claim.received_ms, claim.fields]))
                .map_err(sql)?;
            Ok(Claimed::Here)
        }
        None => insert(c, claim, hamlet, seq).map(|()| Claimed::New),
    }
}

fn insert(c: &Connection, claim: &NewClaim, hamlet: u32, seq: i64) -> Result<()> {
    let at = &claim.at;
    c.prepare_cached(
        "INSERT INTO incident (log, branch, seq, device, hamlet, author, kind, urgent, lat_e7, lon_e7, accuracy_cm, best_ms,
           earliest_ms, latest_ms, received_ms, sms_ms, sms_fields, sms_only)
         VALUES (?1, (SELECT ifnull(max(branch) + 1, 0) FROM incident WHERE log = ?1 AND seq = ?2), ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10,
           ?11, ?12, ?13, ?14, ?14, ?15, 1)",
    )
    .and_then(|mut s| {
        s.execute(params![
            claim.name.log.0,
            seq,
            claim.device.0,
            hamlet,
            at.author.0,
            claim.kind,
            claim.urgent,
            at.position.map(|p| p.lat_e7),
            at.position.map(|p| p.lon_e7),
            at.position.and_then(|p| p.accuracy_cm),
            at.best_ms,
            at.earliest_ms,
            at.latest_ms,
            claim.received_ms,
            claim.fields
        ])
    })
    .map_err(sql)?;
    Ok(())
}

/// Removes what devices claimed about an entry of a log that is not theirs.
pub(super) fn clear_of_others(c: &Connection, log: LogId, seq: i64, owner: DeviceId) -> Result<()> {
    c.prepare_cached("DELETE FROM incident WHERE log = ?1 AND seq = ?2 AND sms_only = 1 AND device <> ?3")
        .and_then(|mut s| s.execute(params![log.0, seq, owner.0]))
        .map_err(sql)?;
    Ok(())
}

/// Remembers what a device asked; of its files the newest.
pub(super) fn note_courier(c: &Connection, asked: &CourierAsked) -> Result<()> {
    let before: Option<Vec<u8>> = c
        .prepare_cached("SELECT objects FROM courier WHERE device = ?")
        .and_then(|mut s| s.query_row([&asked.device.0[..]], |row| row.get(0)).optional())
        .map_err(sql)?;
    let mut objects = hashes(&before.unwrap_or_default());
    objects.retain(|object| !asked.objects.contains(object));
    objects.extend(&asked.objects);
    let objects = &objects[objects.len().saturating_sub(COURIER_OBJECTS_MAX)..];
    c.prepare_cached("INSERT OR REPLACE INTO courier (device, request, objects, asked_ms) VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| s.execute(params![asked.device.0, asked.request, objects.concat(), asked.asked_ms]))
        .map_err(sql)?;
    Ok(())
}

/// What devices asked since then.
pub(super) fn courier_asked(c: &Connection, since_ms: i64) -> Result<Vec<CourierAsked>> {
    let mut statement =
        c.prepare_cached("SELECT device, request, objects, asked_ms FROM courier WHERE asked_ms >= ? ORDER BY device").map_err(sql)?;
    let rows = statement.query_map([since_ms], |row| {
        let objects: Vec<u8> = row.get(2)?;
        Ok(CourierAsked { device: DeviceId(row.get(0)?), request: row.get(1)?, objects: hashes(&objects), asked_ms: row.get(3)? })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

fn hashes(bytes: &[u8]) -> Vec<Hash> {
    bytes.chunks_exact(32).filter_map(|hash| hash.try_into().ok()).collect()
}
