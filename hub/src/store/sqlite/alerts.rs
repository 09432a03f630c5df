//! Alerts in the embedded database: for whom each is, which phones have it, and how it was answered.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};
use rusqlite_migration::{HookError, HookResult};
use yenban_protocol::alert::Alert;
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::crypto::sha256;
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{DeviceId, HamletNo, MemberNo};
use yenban_protocol::record::Answer;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::Cursor;

use super::lists::Filter;
use super::{HubError, Result, feed, seq_to_sql, sql};
use crate::access::rights::Reach;
use crate::clock::rfc3339;
use crate::limits::CAPS_KEPT_MAX;
use crate::store::WHOLE_COMMUNE;
use crate::store::feed_rows::{AlertRow, CapKept, FeedRow, ItemDraft, ItemSigner};
use crate::store::ladder;
use crate::store::lists::{AlertListing, AnswerListing, DeliveryListing, ListQuery};
use crate::store::people::People;

/// Keeps an alert and appends its items; `false`: its identifier is there already.
pub(super) fn raise(c: &Connection, row: &AlertRow, items: &[ItemDraft], signer: &ItemSigner) -> Result<bool> {
    let new = put(c, row)?;
    if new {
        let rows = feed::append(c, items, signer)?;
        items.iter().zip(&rows).try_for_each(|(item, at)| place(c, &row.alert.identifier, item.scope, at))?;
    }
    Ok(new)
}

/// Keeps an alert; `false`: its identifier is there already.
pub(super) fn put(c: &Connection, row: &AlertRow) -> Result<bool> {
    let mut body = Writer::new();
    row.alert.write(&mut body);
    let inserted = c
        .prepare_cached("INSERT OR IGNORE INTO alert (alert, sent_ms, body, officer, second, cap) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| s.execute(params![row.alert.identifier, row.alert.sent_ms, body.as_bytes(), row.officer, row.second, row.cap]))
        .map_err(sql)?;
    if inserted == 1 {
        refer(c, &row.alert).map_err(sql)?;
    }
    Ok(inserted == 1)
}

fn refer(c: &Connection, alert: &Alert) -> rusqlite::Result<()> {
    let mut statement = c.prepare_cached("INSERT OR IGNORE INTO alert_reference (refers, alert) VALUES (?1, ?2)")?;
    alert.references.iter().try_for_each(|refers| statement.execute(params![refers, alert.identifier]).map(drop))
}

/// Notes where in the streams an alert stands.
fn place(c: &Connection, alert: &str, scope: Scope, at: &FeedRow) -> Result<()> {
    let text = "INSERT OR IGNORE INTO alert_item SELECT ?1, place, ?3, ?4, ?5 FROM epoch WHERE epoch = ?2";
    let row = params![at.scope, &at.epoch.0[..], seq_to_sql(at.number)?, hamlet_of(scope).0, alert];
    c.prepare_cached(text).and_then(|mut s| s.execute(row)).map_err(sql)?;
    Ok(())
}

fn hamlet_of(scope: Scope) -> HamletNo {
    if let Scope::Hamlet(no) = scope { no } else { WHOLE_COMMUNE }
}

/// What an older hub kept: the places and references of its alerts stand in bodies alone.
pub(super) fn enter_older(c: &Transaction<'_>) -> HookResult {
    let told = |error: HubError| HookError::Hook(error.to_string());
    let bodies = c.prepare("SELECT body FROM alert")?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<Vec<u8>>>>()?;
    for body in bodies {
        refer(c, &decode(&body).map_err(told)?)?;
    }
    let mut items = c.prepare("SELECT i.scope, e.epoch, i.number, i.hash, i.bytes FROM item i JOIN epoch e ON e.place = i.epoch")?;
    let rows = items.query_map([], feed::row)?;
    for row in rows {
        let row = row?;
        if let Ok(item) = Signed::<FeedItem>::trusted(&row.bytes)
            && let Item::Alert(alert) = &item.value.item
        {
            place(c, &alert.identifier, item.value.scope, &row).map_err(told)?;
        }
    }
    Ok(())
}

fn decode(body: &[u8]) -> Result<Alert> {
    Alert::read(&mut Reader::new(body)).map_err(|e| HubError::Store(format!("alert in the database: {e}")))
}

type Raw = (Vec<u8>, String, Option<String>, Option<Vec<u8>>);

const COLUMNS: &str = "body, officer, second, cap";

fn raw(row: &Row<'_>) -> rusqlite::Result<Raw> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn decoded((body, officer, second, cap): Raw) -> Result<AlertRow> {
    Ok(AlertRow { alert: decode(&body)?, officer, second, cap })
}

/// One alert.
pub(super) fn get(c: &Connection, id: &str) -> Result<Option<AlertRow>> {
    let found = c
        .prepare_cached(&format!("SELECT {COLUMNS} FROM alert WHERE alert = ?"))
        .and_then(|mut s| s.query_row([id], raw).optional())
        .map_err(sql)?;
    found.map(decoded).transpose()
}

/// Identifiers of the alerts that update this one or take it back.
pub(super) fn referring(c: &Connection, id: &str) -> Result<Vec<String>> {
    c.prepare_cached(
        "SELECT r.alert FROM alert_reference r JOIN alert a ON a.alert = r.alert WHERE r.refers = ? ORDER BY a.sent_ms, r.alert",
    )
    .and_then(|mut s| s.query_map([id], |row| row.get(0))?.collect())
    .map_err(sql)
}

/// A phone has stored its streams up to these places: what of alerts lies there has reached it. How many that are newly
/// known to have.
pub(super) fn pulled(c: &Connection, device: DeviceId, cursors: &[Cursor], at_ms: i64) -> Result<u64> {
    let mut statement = c
        .prepare_cached(
            "INSERT OR IGNORE INTO delivery SELECT i.alert, ?1, ?2 FROM alert_item i JOIN epoch e ON e.epoch = ?4
             WHERE i.scope = ?3 AND (i.epoch, i.number) <= (e.place, ?5)",
        )
        .map_err(sql)?;
    let mut new = 0;
    for cursor in cursors {
        // Nobody has what was not written yet; of a life that a backup cut off there may well be more than is here.
        let beyond = feed::epoch(c)? == Some(cursor.epoch)
            && feed::head(c, cursor.scope)?.is_none_or(|(epoch, number)| epoch != cursor.epoch || number < cursor.number);
        if !beyond {
            let row = params![&device.0[..], at_ms, cursor.scope.to_bytes(), &cursor.epoch.0[..], seq_to_sql(cursor.number)?];
            new += statement.execute(row).map_err(sql)? as u64;
        }
    }
    Ok(new)
}

/// Alerts with the rungs they are on, newest first.
pub(super) fn list(c: &Connection, query: &ListQuery, limit: u32, people: &People) -> Result<Vec<AlertListing>> {
    let mut filter = Filter::default();
    if let Some(since) = query.since_ms {
        filter.add("sent_ms >= ?", [since.into()]);
    }
    if let Some(name) = &query.name {
        filter.add("alert = ?", [Value::from(name.clone())]);
    }
    filter.within_any("alert IN (SELECT alert FROM alert_item WHERE hamlet", query);
    let text = format!("SELECT {COLUMNS} FROM alert WHERE {} ORDER BY sent_ms DESC, alert LIMIT ? OFFSET ?", filter.sql());
    let mut statement = c.prepare_cached(&text).map_err(sql)?;
    let values = filter.page(limit, query.offset);
    let rows: Vec<Raw> = statement.query_map(rusqlite::params_from_iter(values), raw).and_then(Iterator::collect).map_err(sql)?;
    let mut rows: Vec<AlertRow> = rows.into_iter().map(decoded).collect::<Result<_>>()?;
    // Before anything is looked up: of a year of alerts a few still hold.
    rows.retain(|row| query.live_at_ms.is_none_or(|at| row.alert.expires_ms > at));
    let reach = query.reach();
    rows.into_iter().map(|row| listing(c, row, people, &reach)).collect()
}

fn listing(c: &Connection, row: AlertRow, people: &People, reach: &Reach) -> Result<AlertListing> {
    let mut listing = row.listing(people);
    listing.answers = answers(c, &listing.id, people, reach)?;
    listing.delivered = deliveries(c, &listing.id, people, reach)?;
    listing.replaced_by = referring(c, &listing.id)?;
    listing.rungs = ladder::count(&ladder::of(&listing, people, reach));
    Ok(listing)
}

/// Which phones have it, of the hamlets in reach.
fn deliveries(c: &Connection, alert: &str, people: &People, reach: &Reach) -> Result<Vec<DeliveryListing>> {
    let mut statement = c
        .prepare_cached(
            "SELECT d.device, d.at_ms, v.member, v.hamlet FROM delivery d JOIN device v ON v.device = d.device
             WHERE d.alert = ? ORDER BY d.at_ms, d.device",
        )
        .map_err(sql)?;
    let rows = statement.query_map([alert], |row| {
        let (device, at_ms, member, hamlet): ([u8; 8], i64, u32, u32) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
        let (member, device, at) = (MemberNo(member), DeviceId(device).to_string(), rfc3339(at_ms));
        Ok((HamletNo(hamlet), DeliveryListing { member: people.member_name(member), member_no: member.0, device, at }))
    });
    let rows: Vec<(HamletNo, DeliveryListing)> = rows.and_then(Iterator::collect).map_err(sql)?;
    let found = rows.into_iter().filter(|(hamlet, _)| reach.sees(*hamlet)).map(|(_, delivery)| delivery).collect();
    Ok(found)
}

/// How members of the hamlets in reach answered.
fn answers(c: &Connection, alert: &str, people: &People, reach: &Reach) -> Result<Vec<AnswerListing>> {
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
    let mut rows: Vec<AnswerListing> = rows.and_then(Iterator::collect).map_err(sql)?;
    let hamlet = |row: &AnswerListing| people.member(MemberNo(row.member_no)).map_or(WHOLE_COMMUNE, |member| member.hamlet);
    rows.retain(|row| reach.sees(hamlet(row)));
    Ok(rows)
}

/// Notes who is reminded of an alert; those who were not before.
pub(super) fn remind(c: &Connection, alert: &str, members: &[MemberNo], at_ms: i64) -> Result<Vec<MemberNo>> {
    let mut statement = c.prepare_cached("INSERT OR IGNORE INTO reminder (alert, member, at_ms) VALUES (?1, ?2, ?3)").map_err(sql)?;
    let mut new = Vec::new();
    for member in members {
        if statement.execute(params![alert, member.0, at_ms]).map_err(sql)? == 1 {
            new.push(*member);
        }
    }
    Ok(new)
}

/// Who was reminded of an alert, and when.
pub(super) fn reminded(c: &Connection, alert: &str) -> Result<Vec<(MemberNo, i64)>> {
    c.prepare_cached("SELECT member, at_ms FROM reminder WHERE alert = ? ORDER BY member")
        .and_then(|mut s| s.query_map([alert], |row| Ok((MemberNo(row.get(0)?), row.get(1)?)))?.collect())
        .map_err(sql)
}

/// Keeps a CAP document.
///
/// When there are too many, the oldest goes, one that was only looked at first: a warning that comes now must not be refused
/// for what came last year, and what was sent keeps its document itself.
pub(super) fn keep_cap(c: &Connection, cap: &CapKept) -> Result<()> {
    c.prepare_cached(
        "DELETE FROM cap_aside WHERE sha256 IN (SELECT sha256 FROM cap_aside ORDER BY reason = 'read' DESC, at_ms, sha256
         LIMIT max(0, (SELECT count(*) FROM cap_aside) - ?))",
    )
    .and_then(|mut s| s.execute([CAPS_KEPT_MAX.saturating_sub(1)]))
    .map_err(sql)?;
    let row = params![&sha256(&cap.body)[..], cap.alert, cap.reason, cap.officer, cap.at_ms, cap.body];
    c.prepare_cached("INSERT OR REPLACE INTO cap_aside (sha256, alert, reason, officer, at_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| s.execute(row))
        .map_err(sql)?;
    Ok(())
}

/// CAP documents of an identifier, newest first.
pub(super) fn caps(c: &Connection, alert: &str) -> Result<Vec<CapKept>> {
    c.prepare_cached("SELECT alert, reason, officer, at_ms, body FROM cap_aside WHERE alert = ? ORDER BY at_ms DESC, sha256")
        .and_then(|mut s| {
            let row = |row: &Row<'_>| {
                Ok(CapKept { alert: row.get(0)?, reason: row.get(1)?, officer: row.get(2)?, at_ms: row.get(3)?, body: row.get(4)? })
            };
            s.query_map([alert], row)?.collect()
        })
        .map_err(sql)
}
