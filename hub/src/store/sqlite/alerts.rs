//! Alerts and their answers in the embedded database.

use rusqlite::{Connection, OptionalExtension as _, params};
use yenban_protocol::alert::Alert;
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::id::{DeviceId, MemberNo};
use yenban_protocol::record::Answer;

use super::{HubError, Result, sql};
use crate::clock::rfc3339;
use crate::store::feed_rows::AlertRow;
use crate::store::lists::{AlertListing, AnswerListing, ListQuery};
use crate::store::people::People;

/// Keeps an alert; `false`: its identifier is there already.
pub(super) fn put(c: &Connection, row: &AlertRow) -> Result<bool> {
    let mut body = Writer::new();
    row.alert.write(&mut body);
    let inserted = c
        .prepare_cached("INSERT OR IGNORE INTO alert VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut s| s.execute(params![row.alert.identifier, row.alert.sent_ms, body.as_bytes(), row.officer, row.second]))
        .map_err(sql)?;
    Ok(inserted == 1)
}

fn decode(body: &[u8]) -> Result<Alert> {
    Alert::read(&mut Reader::new(body)).map_err(|e| HubError::Store(format!("alert in the database: {e}")))
}

/// One alert.
pub(super) fn get(c: &Connection, id: &str) -> Result<Option<AlertRow>> {
    let found: Option<(Vec<u8>, String, Option<String>)> = c
        .prepare_cached("SELECT body, officer, second FROM alert WHERE alert = ?")
        .and_then(|mut s| s.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional())
        .map_err(sql)?;
    found.map(|(body, officer, second)| Ok(AlertRow { alert: decode(&body)?, officer, second })).transpose()
}

/// Alerts with their answers, newest first.
pub(super) fn list(c: &Connection, query: &ListQuery, limit: u32, people: &People) -> Result<Vec<AlertListing>> {
    let mut statement = c
        .prepare_cached(
            "SELECT body, officer, second FROM alert WHERE ?1 IS NULL OR sent_ms >= ?1 ORDER BY sent_ms DESC LIMIT ?2 OFFSET ?3",
        )
        .map_err(sql)?;
    let rows: Vec<(Vec<u8>, String, Option<String>)> = statement
        .query_map(params![query.since_ms, limit, query.offset], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(sql)?;
    let seen = rows.into_iter().map(|(body, officer, second)| Ok((decode(&body)?, officer, second)));
    let in_reach = |alert: &Alert| alert.hamlets.is_empty() || alert.hamlets.iter().any(|no| query.sees(*no));
    seen.filter(|row: &Result<_>| row.as_ref().map_or(true, |(alert, ..)| in_reach(alert)))
        .map(|row| {
            let (alert, officer, second) = row?;
            let answers = answers(c, &alert.identifier, people)?;
            Ok(AlertListing { answers, ..AlertRow { alert, officer, second }.listing(people) })
        })
        .collect()
}

fn answers(c: &Connection, alert: &str, people: &People) -> Result<Vec<AnswerListing>> {
    let mut statement =
        c.prepare_cached("SELECT member, device, answer, best_ms FROM answer WHERE alert = ? ORDER BY best_ms, log, seq").map_err(sql)?;
    let rows = statement.query_map([alert], |row| {
        let member = MemberNo(row.get(0)?);
        let answer: u32 = row.get(2)?;
        Ok(AnswerListing {
            member: people.member_name(member),
            member_no: member.0,
            device: DeviceId(row.get(1)?).to_string(),
            answer: Answer::ALL.get(answer as usize).map_or("unknown", |a| a.code()).to_owned(),
            at: rfc3339(row.get(3)?),
        })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}
