//! Steps of triage in the embedded database. An incident's row carries its state and how many steps there are, so that
//! lists cost nothing more; the steps themselves stand beside it and go with it.

use rusqlite::{Connection, OptionalExtension as _, Row, params, params_from_iter};
use yenban_protocol::feed::Item;
use yenban_protocol::id::{EntryName, HamletNo, LogId, MemberNo};

use super::lists::{Filter, listed, name};
use super::read::{interval, record};
use super::{HubError, Result, SqliteStore, feed, seq_from_sql, sql};
use crate::clock::rfc3339;
use crate::error::Refusal;
use crate::limits::{STEPS_PER_INCIDENT_MAX, TWINS_PER_INCIDENT_MAX};
use crate::store::people::People;
use crate::store::triage::{Act, Assigned, FieldWord, IncidentName, NewStep, StepRow, Stepped, Thread, Triage, TriageStore};
use crate::store::{ItemSigner, ListQuery, Reply};

const COLUMNS: &str = "number, at_ms, officer, act, state, note, kept, hamlet, hamlet_group, other_log, other_branch, other_seq";

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

pub(super) fn state_of(n: i64) -> Triage {
    usize::try_from(n).ok().and_then(|n| Triage::ALL.get(n)).copied().unwrap_or_default()
}

fn state_number(state: Triage) -> i64 {
    Triage::ALL.iter().position(|known| *known == state).unwrap_or_default() as i64
}

/// Row, state and steps of a report.
fn find(c: &Connection, incident: IncidentName) -> Result<Option<(i64, Triage, u32)>> {
    c.prepare_cached("SELECT incident, state, steps FROM incident WHERE log = ?1 AND branch = ?2 AND seq = ?3")
        .and_then(|mut s| {
            let key = params![incident.entry.log.0, incident.branch, number(incident.entry.seq)];
            s.query_row(key, |row| Ok((row.get(0)?, state_of(row.get(1)?), row.get(2)?))).optional()
        })
        .map_err(sql)
}

fn step_row(row: &Row<'_>) -> rusqlite::Result<StepRow> {
    let code: String = row.get(3)?;
    let other = || -> rusqlite::Result<IncidentName> {
        let entry = EntryName { log: LogId(row.get(9)?), seq: seq_from_sql(row.get(11)?) };
        Ok(IncidentName { entry, branch: row.get(10)? })
    };
    let act = match code.as_str() {
        "assigned" => Act::Assigned(match row.get::<_, Option<u32>>(7)? {
            Some(hamlet) => Some(Assigned { hamlet: HamletNo(hamlet), group: row.get(8)? }),
            None => None,
        }),
        "linked" => Act::Linked(other()?),
        "unlinked" => Act::Unlinked(other()?),
        _ => Act::Answered,
    };
    Ok(StepRow {
        number: row.get(0)?,
        at_ms: row.get(1)?,
        officer: row.get(2)?,
        act,
        state: state_of(row.get(4)?),
        note: row.get(5)?,
        kept: row.get(6)?,
    })
}

fn steps(c: &Connection, incident: i64) -> Result<Vec<StepRow>> {
    let text = format!("SELECT {COLUMNS} FROM step WHERE incident = ?1 ORDER BY number");
    c.prepare_cached(&text).and_then(|mut s| s.query_map([incident], step_row)?.collect()).map_err(sql)
}

fn newest(c: &Connection, incident: i64) -> Result<Option<StepRow>> {
    let text = format!("SELECT {COLUMNS} FROM step WHERE incident = ?1 ORDER BY number DESC LIMIT 1");
    c.prepare_cached(&text).and_then(|mut s| s.query_row([incident], step_row).optional()).map_err(sql)
}

fn insert(c: &Connection, incident: i64, step: &NewStep, row: &StepRow) -> Result<()> {
    let (code, assigned, other) = match row.act {
        Act::Answered => ("answered", None, None),
        Act::Assigned(to) => ("assigned", to, None),
        Act::Linked(other) => ("linked", None, Some(other)),
        Act::Unlinked(other) => ("unlinked", None, Some(other)),
    };
    c.prepare_cached(
        "INSERT INTO step (incident, number, at_ms, member, officer, act, state, note, kept, hamlet, hamlet_group, other_log, other_branch,
           other_seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )
    .and_then(|mut s| {
        s.execute(params![
            incident,
            row.number,
            row.at_ms,
            step.member.0,
            row.officer,
            code,
            state_number(row.state),
            row.note,
            row.kept,
            assigned.map(|to| to.hamlet.0),
            assigned.map_or(0, |to| to.group),
            other.map(|other| other.entry.log.0),
            other.map(|other| other.branch),
            other.map(|other| number(other.entry.seq)),
        ])
    })
    .map_err(sql)?;
    c.prepare_cached("UPDATE incident SET state = ?2, steps = ?3 WHERE incident = ?1")
        .and_then(|mut s| s.execute(params![incident, state_number(row.state), row.number]))
        .map_err(sql)?;
    Ok(())
}

/// Both ends of a link, the lower row first; whether it changed anything.
fn link(c: &Connection, one: i64, other: i64, on: bool) -> Result<bool> {
    let ends = params![one.min(other), one.max(other)];
    let done = if on {
        let count: i64 = c
            .prepare_cached("SELECT count(*) FROM twin WHERE one IN (?1, ?2) OR other IN (?1, ?2)")
            .and_then(|mut s| s.query_row(ends, |row| row.get(0)))
            .map_err(sql)?;
        if count >= i64::from(TWINS_PER_INCIDENT_MAX) {
            return Err(Refusal::Quota("links of a report").into());
        }
        c.prepare_cached("INSERT OR IGNORE INTO twin VALUES (?1, ?2)").and_then(|mut s| s.execute(ends))
    } else {
        c.prepare_cached("DELETE FROM twin WHERE one = ?1 AND other = ?2").and_then(|mut s| s.execute(ends))
    };
    Ok(done.map_err(sql)? > 0)
}

fn take(c: &Connection, step: &NewStep, signer: &ItemSigner) -> Result<Stepped> {
    let Some((incident, before, count)) = find(c, step.incident)? else { return Ok(Stepped::Missing) };
    if step.seen.is_some_and(|seen| seen != count) {
        let since = newest(c, incident)?;
        return since.map(Stepped::Since).ok_or_else(|| HubError::Store("steps of an incident are gone".to_owned()));
    }
    if count >= STEPS_PER_INCIDENT_MAX {
        return Err(Refusal::Quota("steps of a report").into());
    }
    let row = StepRow {
        number: count + 1,
        at_ms: step.at_ms,
        officer: step.officer.clone(),
        act: step.act,
        state: step.state.unwrap_or(before),
        note: step.note.clone(),
        kept: step.kept.clone(),
    };
    match step.act {
        Act::Answered => {}
        Act::Assigned(to) => {
            c.prepare_cached("UPDATE incident SET assigned_hamlet = ?2, assigned_group = ?3 WHERE incident = ?1")
                .and_then(|mut s| s.execute(params![incident, to.map(|to| to.hamlet.0), to.map_or(0, |to| to.group)]))
                .map_err(sql)?;
        }
        Act::Linked(with) | Act::Unlinked(with) => {
            let Some((other, other_state, other_count)) = find(c, with)? else { return Ok(Stepped::Missing) };
            let on = matches!(step.act, Act::Linked(_));
            if other_count >= STEPS_PER_INCIDENT_MAX {
                return Err(Refusal::Quota("steps of a report").into());
            }
            if other == incident || !link(c, incident, other, on)? {
                return Ok(Stepped::Same);
            }
            // The history of the other one says so too.
            let act = if on { Act::Linked(step.incident) } else { Act::Unlinked(step.incident) };
            let there = StepRow { number: other_count + 1, act, state: other_state, ..row.clone() };
            insert(c, other, step, &there)?;
        }
    }
    insert(c, incident, step, &row)?;
    if let Some(draft) = &step.told {
        let mut draft = draft.clone();
        if let Item::Fate(fate) = &mut draft.item {
            row.state.code().clone_into(&mut fate.state);
        }
        feed::append(c, &[draft], signer)?;
    }
    Ok(Stepped::Done(row))
}

fn twins(c: &Connection, incident: i64) -> Result<Vec<IncidentName>> {
    c.prepare_cached(
        "SELECT log, branch, seq FROM incident WHERE incident IN
           (SELECT other FROM twin WHERE one = ?1 UNION SELECT one FROM twin WHERE other = ?1) ORDER BY incident",
    )
    .and_then(|mut s| {
        let twin = |row: &Row<'_>| {
            let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(2)?) };
            Ok(IncidentName { entry, branch: row.get(1)? })
        };
        s.query_map([incident], twin)?.collect()
    })
    .map_err(sql)
}

/// What the report and its amendments say, each with its author and its times.
fn field(c: &Connection, incident: IncidentName, people: &People) -> Result<Vec<FieldWord>> {
    let mut statement = c
        .prepare_cached(
            "SELECT r.log, r.branch, r.seq, e.body, e.received_ms, ifnull(d.enrolled_ms, 0) FROM report r
               JOIN entry e ON e.log = r.log AND e.branch = r.branch AND e.seq = r.seq
               JOIN log l ON l.log = r.log LEFT JOIN device d ON d.device = l.device
             WHERE r.incident_log = ?1 AND r.incident_branch = ?2 AND r.incident_seq = ?3 ORDER BY r.report",
        )
        .map_err(sql)?;
    let key = params![incident.entry.log.0, incident.branch, number(incident.entry.seq)];
    let mut rows = statement.query(key).map_err(sql)?;
    let mut words = Vec::new();
    while let Some(row) = rows.next().map_err(sql)? {
        words.push(field_word(row, incident, people).map_err(sql)?);
    }
    Ok(words)
}

fn field_word(row: &Row<'_>, incident: IncidentName, people: &People) -> rusqlite::Result<FieldWord> {
    use yenban_protocol::record::Act as Said;
    let (log, branch, seq) = (LogId(row.get(0)?), row.get::<_, u32>(1)?, seq_from_sql(row.get(2)?));
    let (received_ms, enrolled_ms) = (row.get(4)?, row.get(5)?);
    let said = record(row.get_ref(3)?.as_blob()?);
    let when = said.as_ref().map(|said| interval(said, enrolled_ms, received_ms));
    let author = said.as_ref().map_or(MemberNo(0), |said| said.common.author);
    let statements = match said.map(|said| said.act) {
        Some(Said::IncidentReported { statements, .. } | Said::IncidentAmended { statements, .. }) => statements,
        _ => Vec::new(),
    };
    Ok(FieldWord {
        id: name(log, seq),
        is_report: IncidentName { entry: EntryName { log, seq }, branch } == incident,
        author: people.member_name(author),
        author_no: author.0,
        time_earliest: rfc3339(when.map_or(enrolled_ms, |when| when.earliest_ms)),
        time_latest: rfc3339(when.map_or(received_ms, |when| when.latest_ms)),
        received_ms,
        best_ms: when.map_or(received_ms, |when| when.best_ms),
        statements: statements.into_iter().map(listed).collect(),
    })
}

fn thread(c: &Connection, incident: IncidentName, people: &People) -> Result<Thread> {
    let Some((row, ..)) = find(c, incident)? else { return Ok(Thread::default()) };
    Ok(Thread { steps: steps(c, row)?, field: field(c, incident, people)?, twins: twins(c, row)? })
}

fn arrived(c: &Connection, query: &ListQuery, since: i64) -> Result<(i64, u64, u64)> {
    let mut filter = Filter::default();
    filter.add("incident > ?", [since.into()]);
    filter.within("hamlet", query);
    let text = format!(
        "SELECT (SELECT ifnull(max(incident), 0) FROM incident), count(*), ifnull(sum(urgent), 0) FROM incident WHERE {}",
        filter.sql()
    );
    let (newest, all, urgent): (i64, i64, i64) = c
        .prepare_cached(&text)
        .and_then(|mut s| s.query_row(params_from_iter(filter.values()), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))))
        .map_err(sql)?;
    Ok((newest, all.max(0) as u64, urgent.max(0) as u64))
}

impl TriageStore for SqliteStore {
    fn take_step(&self, step: NewStep, signer: ItemSigner) -> Reply<'_, Stepped> {
        Box::pin(self.write(move |c| take(c, &step, &signer), |_| ()))
    }

    fn thread(&self, incident: IncidentName) -> Reply<'_, Thread> {
        Box::pin(async move {
            use crate::store::HubStore as _;
            let people = self.people().await?;
            self.read(move |c| thread(c, incident, &people)).await
        })
    }

    fn arrived(&self, query: ListQuery, since: i64) -> Reply<'_, (i64, u64, u64)> {
        Box::pin(self.read(move |c| arrived(c, &query, since)))
    }
}

/// The name of whoever an incident was given to, from its row.
pub(super) fn assigned(row: &Row<'_>, at: usize, people: &People) -> rusqlite::Result<Option<(Assigned, String)>> {
    let Some(hamlet) = row.get::<_, Option<u32>>(at)? else { return Ok(None) };
    let to = Assigned { hamlet: HamletNo(hamlet), group: row.get(at + 1)? };
    Ok(Some((to, people.assigned_name(to))))
}
