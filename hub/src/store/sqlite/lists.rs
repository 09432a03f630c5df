//! Lists for people: incidents, patrols, check-ins, photographs, devices and the record of reads.

use rusqlite::{Connection, Row, params, params_from_iter, types::Value};
use yenban_protocol::id::{DeviceId, EntryName, HamletNo, LogId, MemberNo};
use yenban_protocol::record::Act;
use yenban_protocol::text::fold;

use super::after::{self, After};
use super::read::{degrees, entry, interval, metres, provider, record};
use super::{Result, evidence, seq_from_sql, sql, triage};
use crate::clock::rfc3339;
use crate::error::Refusal;
use crate::limits::SEARCH_HITS_FEW;
use crate::store::lists::{AuditRow, CheckInRow, DeviceListing, IncidentListing, ListQuery, PatrolListing, StatementListing};
use crate::store::people::People;

pub(super) fn name(log: LogId, seq: u64) -> String {
    EntryName { log, seq }.to_string()
}

pub(super) fn wanted_name(query: &ListQuery) -> Result<Option<EntryName>> {
    let invalid = |_| Refusal::Invalid { field: "name", reason: "not a name of the form log:seq".to_owned() }.into();
    query.name.as_deref().map(|text| text.parse::<EntryName>().map_err(invalid)).transpose()
}

/// A condition and its values, joined by AND.
#[derive(Default)]
pub(super) struct Filter {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Filter {
    pub(super) fn add(&mut self, condition: &str, values: impl IntoIterator<Item = Value>) {
        self.conditions.push(condition.to_owned());
        self.values.extend(values);
    }

    /// Only of the hamlets that the asker sees, and of the commune itself.
    pub(super) fn within(&mut self, column: &str, query: &ListQuery) {
        self.within_any(&format!("({column}"), query);
    }

    /// As [`Filter::within`], for rows that may be of several hamlets: `open` is a condition up to and with its column, with
    /// one bracket open.
    pub(super) fn within_any(&mut self, open: &str, query: &ListQuery) {
        if !query.within.is_empty() {
            let numbers: Vec<String> = query.within.iter().map(u32::to_string).collect();
            self.add(&format!("{open} IN (SELECT value FROM json_each(?)))"), [format!("[0,{}]", numbers.join(",")).into()]);
        }
    }

    fn after(&mut self, after: After) {
        if let Some((condition, values)) = after {
            self.add(condition, values);
        }
    }

    pub(super) fn sql(&self) -> String {
        if self.conditions.is_empty() { "1".to_owned() } else { self.conditions.join(" AND ") }
    }

    pub(super) fn values(self) -> Vec<Value> {
        self.values
    }

    pub(super) fn page(mut self, limit: u32, offset: u32) -> Vec<Value> {
        self.values.extend([Value::from(limit), Value::from(offset)]);
        self.values
    }
}

/// Words of a search as FTS5 takes them: each folded word as a prefix, all of them, quoted so that nothing is an operator.
fn match_words(text: &str) -> String {
    let folded = fold(text);
    folded.split_whitespace().map(|word| format!("\"{}\"*", word.replace('"', ""))).collect::<Vec<_>>().join(" ")
}

/// From the few reports that have the words to their incidents.
const FROM_WORDS: &str = "incident IN (SELECT i.incident FROM report_text t JOIN report r ON r.report = t.rowid JOIN incident i
   ON i.log = r.incident_log AND i.branch = r.incident_branch AND i.seq = r.incident_seq WHERE report_text MATCH ?)";
/// Along the list, looking at each whether it is one of the many that have them: a page is full soon.
const IN_ORDER: &str = "EXISTS (SELECT 1 FROM report r WHERE r.incident_log = incident.log AND r.incident_branch = incident.branch
   AND r.incident_seq = incident.seq AND r.report IN (SELECT rowid FROM report_text WHERE report_text MATCH ?))";

/// Whether so many reports have the words that looking up each of them takes longer than going along the list.
fn many_have(c: &Connection, words: &str) -> Result<bool> {
    let found: u32 = c
        .prepare_cached("SELECT count(*) FROM (SELECT 1 FROM report_text WHERE report_text MATCH ?1 LIMIT ?2)")
        .and_then(|mut s| s.query_row(params![words, SEARCH_HITS_FEW + 1], |row| row.get(0)))
        .map_err(sql)?;
    Ok(found > SEARCH_HITS_FEW)
}

/// Incidents, urgent first, then newest.
pub(super) fn incidents(c: &Connection, query: &ListQuery, limit: u32, people: &People) -> Result<Vec<IncidentListing>> {
    let mut filter = Filter::default();
    if let Some(since) = query.since_ms {
        filter.add("best_ms >= ?", [since.into()]);
    }
    if let Some(hamlet) = query.hamlet {
        filter.add("hamlet = ?", [hamlet.into()]);
    }
    filter.within("hamlet", query);
    if query.open {
        // As the partial index has it.
        filter.add("state < 4", []);
    }
    if let Some((south, west, north, east)) = query.box_e7 {
        filter.add("lat_e7 BETWEEN ? AND ? AND lon_e7 BETWEEN ? AND ?", [south.into(), north.into(), west.into(), east.into()]);
    }
    if let Some(EntryName { log, seq }) = wanted_name(query)? {
        filter.add("log = ? AND seq = ?", [log.0.to_vec().into(), i64::try_from(seq).unwrap_or(i64::MAX).into()]);
    }
    if let Some(log) = query.log.as_deref() {
        filter.add("log = ?", [log.parse::<LogId>()?.0.to_vec().into()]);
    }
    if let Some(words) = query.text.as_deref().map(match_words).filter(|words| !words.is_empty()) {
        filter.add(if many_have(c, &words)? { IN_ORDER } else { FROM_WORDS }, [words.into()]);
    }
    filter.after(after::incidents(c, query)?);
    let statement = format!(
        "SELECT log, branch, seq, device, hamlet, author, kind, urgent, lat_e7, lon_e7, accuracy_cm, best_ms, earliest_ms, latest_ms,
           received_ms, attachments, sms_ms, CASE WHEN NOT sms_only THEN 'here'
             WHEN EXISTS (SELECT 1 FROM entry e WHERE e.log = incident.log AND e.branch = 0 AND e.seq = incident.seq) THEN 'contradicted'
             ELSE 'to_come' END, state, steps, assigned_hamlet, assigned_group,
           (SELECT count(*) FROM twin WHERE one = incident OR other = incident) FROM incident WHERE {} ORDER BY urgent DESC, best_ms DESC, incident LIMIT ? OFFSET ?",
        filter.sql()
    );
    let mut statement = c.prepare_cached(&statement).map_err(sql)?;
    let rows: Vec<IncidentListing> = statement
        .query_map(params_from_iter(filter.page(limit, query.offset)), |row| incident_row(row, people))
        .and_then(Iterator::collect)
        .map_err(sql)?;
    rows.into_iter().map(|incident| evidence::with_photos(c, with_reports(c, incident)?, people)).collect()
}

fn incident_row(row: &Row<'_>, people: &People) -> rusqlite::Result<IncidentListing> {
    let (log, seq) = (LogId(row.get(0)?), seq_from_sql(row.get(2)?));
    let author = MemberNo(row.get(5)?);
    Ok(IncidentListing {
        id: name(log, seq),
        device: DeviceId(row.get(3)?).to_string(),
        log: log.to_string(),
        seq,
        branch: row.get(1)?,
        kind: row.get(6)?,
        urgent: row.get(7)?,
        hamlet: people.hamlet_name(HamletNo(row.get(4)?)),
        author: people.member_name(author),
        author_no: author.0,
        lat: row.get::<_, Option<i32>>(8)?.map(degrees),
        lon: row.get::<_, Option<i32>>(9)?.map(degrees),
        accuracy_m: row.get::<_, Option<u32>>(10)?.map(metres),
        recorded_at: rfc3339(row.get(11)?),
        time_earliest: rfc3339(row.get(12)?),
        time_latest: rfc3339(row.get(13)?),
        received_at: rfc3339(row.get(14)?),
        statements: Vec::new(),
        amendments: 0,
        photos: 0,
        attachments: row.get::<_, i64>(15)?.max(0) as u64,
        complete: false,
        sms_at: row.get::<_, Option<i64>>(16)?.map(rfc3339),
        report: row.get(17)?,
        erased: 0,
        missing: Vec::new(),
        altered: Vec::new(),
        unnamed: 0,
        state: triage::state_of(row.get(18)?).code().to_owned(),
        steps: row.get(19)?,
        assigned: triage::assigned(row, 20, people)?.map(|(_, name)| name),
        linked: row.get::<_, i64>(22)?.max(0) as u64,
    })
}

/// Adds what was said.
fn with_reports(c: &Connection, mut incident: IncidentListing) -> Result<IncidentListing> {
    let log: LogId = incident.log.parse()?;
    let seq = incident.seq as i64;
    let mut reports = c
        .prepare_cached(
            "SELECT log, branch, seq FROM report WHERE incident_log = ?1 AND incident_branch = ?2 AND incident_seq = ?3 ORDER BY report",
        )
        .map_err(sql)?;
    let named: Vec<(LogId, u32, i64)> = reports
        .query_map(params![log.0, incident.branch, seq], |row| Ok((LogId(row.get(0)?), row.get(1)?, row.get(2)?)))
        .and_then(Iterator::collect)
        .map_err(sql)?;
    for (report_log, branch, report_seq) in named {
        match entry(c, report_log, branch, report_seq)?.map(|r| r.act) {
            Some(Act::IncidentReported { statements, .. }) => {
                incident.statements.splice(0..0, statements.into_iter().map(listed)).for_each(drop)
            }
            Some(Act::IncidentAmended { statements, .. }) => {
                incident.amendments += 1;
                incident.statements.extend(statements.into_iter().map(listed));
            }
            _ => {}
        }
    }
    Ok(incident)
}

pub(super) fn listed(statement: yenban_protocol::record::Statement) -> StatementListing {
    StatementListing { basis: statement.basis.code().to_owned(), text: statement.text }
}

/// Patrols, newest first.
pub(super) fn patrols(c: &Connection, query: &ListQuery, limit: u32, people: &People) -> Result<Vec<PatrolListing>> {
    let mut filter = Filter::default();
    if query.open {
        // As the partial index has it: patrols under way are few, whatever was walked before.
        filter.add("finished_ms IS NULL", []);
    }
    if let Some(since) = query.since_ms {
        filter.add("ifnull(last_ms, started_ms) >= ?", [since.into()]);
    }
    if let Some(hamlet) = query.hamlet {
        filter.add("hamlet = ?", [hamlet.into()]);
    }
    filter.within("hamlet", query);
    if let Some(EntryName { log, seq }) = wanted_name(query)? {
        filter.add("log = ? AND seq = ?", [log.0.to_vec().into(), i64::try_from(seq).unwrap_or(i64::MAX).into()]);
    }
    filter.after(after::patrols(c, query)?);
    let statement = format!(
        "SELECT log, branch, seq, device, hamlet, author, started_ms, finished_ms, distance_m, check_ins, last_ms,
           ifnull(paused_seq, 0) > ifnull(resumed_seq, 0) FROM patrol WHERE {} ORDER BY started_ms DESC, log, branch, seq LIMIT ? OFFSET ?",
        filter.sql()
    );
    let mut statement = c.prepare_cached(&statement).map_err(sql)?;
    let mut crew =
        c.prepare_cached("SELECT member FROM patrol_member WHERE log = ?1 AND branch = ?2 AND seq = ?3 ORDER BY member").map_err(sql)?;
    let mut rows = statement.query(params_from_iter(filter.page(limit, query.offset))).map_err(sql)?;
    let mut patrols = Vec::new();
    while let Some(row) = rows.next().map_err(sql)? {
        let mut patrol = patrol_row(row, people).map_err(sql)?;
        let log: LogId = patrol.log.parse()?;
        patrol.crew =
            crew.query_map(params![log.0, patrol.branch, patrol.seq as i64], |row| row.get(0)).and_then(Iterator::collect).map_err(sql)?;
        patrols.push(patrol);
    }
    Ok(patrols)
}

fn patrol_row(row: &Row<'_>, people: &People) -> rusqlite::Result<PatrolListing> {
    let (log, seq) = (LogId(row.get(0)?), seq_from_sql(row.get(2)?));
    let finished: Option<i64> = row.get(7)?;
    let state = match (finished, row.get(11)?) {
        (Some(_), _) => "finished",
        (None, true) => "paused",
        (None, false) => "running",
    };
    Ok(PatrolListing {
        id: name(log, seq),
        device: DeviceId(row.get(3)?).to_string(),
        log: log.to_string(),
        seq,
        branch: row.get(1)?,
        hamlet: people.hamlet_name(HamletNo(row.get(4)?)),
        author: people.member_name(MemberNo(row.get(5)?)),
        crew: Vec::new(),
        started: row.get::<_, Option<i64>>(6)?.map(rfc3339),
        finished: finished.map(rfc3339),
        state: state.to_owned(),
        check_ins: row.get::<_, i64>(9)?.max(0) as u64,
        distance_m: row.get::<_, Option<i64>>(8)?.map(|m| m.max(0) as u64),
        last_check_in: row.get::<_, Option<i64>>(10)?.map(rfc3339),
    })
}

/// Check-ins in the order of their logs; read from the entries themselves.
pub(super) fn check_ins(c: &Connection, query: &ListQuery, limit: u32) -> Result<Vec<CheckInRow>> {
    const CHECK_IN: i64 = 2;
    let mut filter = Filter::default();
    filter.add("e.kind = ?", [CHECK_IN.into()]);
    if let Some(since) = query.since_ms {
        filter.add("e.received_ms >= ?", [since.into()]);
    }
    if let Some(hamlet) = query.hamlet {
        filter.add("d.hamlet = ?", [hamlet.into()]);
    }
    filter.within("d.hamlet", query);
    let patrol = wanted_name(query)?;
    if let Some(EntryName { log, seq }) = patrol {
        filter.add("e.log = ? AND e.seq > ?", [log.0.to_vec().into(), i64::try_from(seq).unwrap_or(i64::MAX).into()]);
    }
    filter.after(after::check_ins(query)?);
    let statement = format!(
        "SELECT l.device, e.log, e.branch, e.seq, e.received_ms, e.body, ifnull(d.enrolled_ms, 0) FROM entry e JOIN log l ON l.log = e.log
           LEFT JOIN device d ON d.device = l.device WHERE {} ORDER BY e.log, e.branch, e.seq LIMIT ? OFFSET ?",
        filter.sql()
    );
    let mut statement = c.prepare_cached(&statement).map_err(sql)?;
    let mut rows = statement.query(params_from_iter(filter.page(limit, query.offset))).map_err(sql)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next().map_err(sql)? {
        let check_in = check_in_row(row).map_err(sql)?;
        let of_patrol = patrol.is_none_or(|wanted| check_in.patrol.as_deref() == Some(wanted.to_string().as_str()));
        found.extend(of_patrol.then_some(check_in));
    }
    Ok(found)
}

fn check_in_row(row: &Row<'_>) -> rusqlite::Result<CheckInRow> {
    let (log, received_ms, enrolled_ms) = (LogId(row.get(1)?), row.get(4)?, row.get(6)?);
    let mut listing = CheckInRow {
        device: DeviceId(row.get(0)?).to_string(),
        log: log.to_string(),
        seq: seq_from_sql(row.get(3)?),
        branch: row.get(2)?,
        patrol: None,
        lat: None,
        lon: None,
        accuracy_m: None,
        recorded_at: rfc3339(received_ms),
        received_at: rfc3339(received_ms),
        time_earliest: rfc3339(enrolled_ms),
        time_latest: rfc3339(received_ms),
        checkpoint: None,
        author_no: 0,
        provider: None,
        time_conflict: false,
    };
    // An erased part leaves the row with what the hub itself knows.
    let Some(record) = record(row.get_ref(5)?.as_blob()?) else { return Ok(listing) };
    let when = interval(&record, enrolled_ms, received_ms);
    listing.recorded_at = rfc3339(when.best_ms);
    listing.time_earliest = rfc3339(when.earliest_ms);
    listing.time_latest = rfc3339(when.latest_ms);
    listing.time_conflict = when.gnss_conflict;
    listing.author_no = record.common.author.0;
    if let Some(position) = &record.common.position {
        listing.lat = Some(position.lat_deg());
        listing.lon = Some(position.lon_deg());
        listing.accuracy_m = position.accuracy_cm.map(metres);
        listing.provider = Some(provider(position));
    }
    if let Act::CheckIn { patrol_seq, checkpoint, .. } = record.act {
        listing.patrol = patrol_seq.map(|seq| name(log, seq));
        listing.checkpoint = checkpoint;
    }
    Ok(listing)
}

/// Devices, newest first. `now_ms` tells an expired certificate.
pub(super) fn devices(c: &Connection, query: &ListQuery, limit: u32, now_ms: i64, people: &People) -> Result<Vec<DeviceListing>> {
    let mut devices = super::people::all_devices(c)?;
    let reach = query.reach();
    devices.retain(|d| {
        reach.sees(d.hamlet) && query.hamlet.is_none_or(|h| d.hamlet.0 == h) && query.since_ms.is_none_or(|since| d.enrolled_ms >= since)
    });
    devices.sort_by_key(|d| (std::cmp::Reverse(d.enrolled_ms), d.id));
    let mut logs = c.prepare_cached("SELECT log, entries, last_ms FROM log WHERE device = ? ORDER BY began_ms, log").map_err(sql)?;
    let page = devices.into_iter().skip(query.offset as usize).take(limit as usize);
    page.map(|d| {
        let rows: Vec<(LogId, i64, i64)> = logs
            .query_map([&d.id.0[..]], |row| Ok((LogId(row.get(0)?), row.get(1)?, row.get(2)?)))
            .and_then(Iterator::collect)
            .map_err(sql)?;
        let state = match (d.revoked_ms, d.lost) {
            (Some(_), true) => "lost",
            (Some(_), false) => "revoked",
            (None, _) if d.waiting => "waiting",
            (None, _) if d.expires_ms < now_ms => "expired",
            (None, _) => "active",
        };
        Ok(DeviceListing {
            id: d.id.to_string(),
            member: people.member_name(d.member),
            member_no: d.member.0,
            hamlet: people.hamlet_name(d.hamlet),
            role: d.role.code().to_owned(),
            enrolled: rfc3339(d.enrolled_ms),
            expires: rfc3339(d.expires_ms),
            state: state.to_owned(),
            logs: rows.iter().map(|(log, ..)| log.to_string()).collect(),
            entries: rows.iter().map(|(_, entries, _)| (*entries).max(0) as u64).sum(),
            last_contact: rows.iter().map(|(.., last)| *last).max().map(rfc3339),
        })
    })
    .collect()
}

/// The record of who read and did what, newest first.
pub(super) fn audit(c: &Connection, query: &ListQuery, limit: u32) -> Result<Vec<AuditRow>> {
    let mut statement = c
        .prepare_cached(
            "SELECT at_ms, actor, action, subject, purpose, outcome FROM audit WHERE (?1 IS NULL OR at_ms >= ?1) AND (?4 IS NULL OR actor = ?4)
               ORDER BY audit DESC LIMIT ?2 OFFSET ?3",
        )
        .map_err(sql)?;
    let rows = statement.query_map(params![query.since_ms, limit, query.offset, query.name], |row| {
        let at_ms = row.get(0)?;
        Ok(AuditRow {
            at: rfc3339(at_ms),
            at_ms,
            actor: row.get(1)?,
            action: row.get(2)?,
            subject: row.get(3)?,
            purpose: row.get(4)?,
            outcome: row.get(5)?,
        })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

/// Appends to the record; the row's number.
pub(super) fn note_audit(c: &Connection, row: &AuditRow) -> Result<i64> {
    c.prepare_cached("INSERT INTO audit (at_ms, actor, action, subject, purpose, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| s.insert(params![row.at_ms, row.actor, row.action, row.subject, row.purpose, row.outcome]))
        .map_err(sql)
}

/// Notes how something ended; once, never again.
pub(super) fn end_audit(c: &Connection, row: i64, outcome: &str) -> Result<()> {
    c.prepare_cached("UPDATE audit SET outcome = ?2 WHERE audit = ?1 AND outcome IS NULL")
        .and_then(|mut s| s.execute(params![row, outcome]))
        .map_err(sql)?;
    Ok(())
}
