//! Carrying out what entries bear, in the transaction that keeps them.

use rusqlite::{Connection, params};

use super::{Result, claims, objects, seq_to_sql, sql};
use crate::store::effect::{Effect, ReportRow, WhenWhere};
use crate::store::run::NewRun;
use yenban_protocol::id::{EntryName, MemberNo};

/// Where effects happen.
pub(super) struct Context<'a> {
    /// The run.
    pub(super) run: &'a NewRun,
    /// The hamlet of its device.
    pub(super) hamlet: u32,
    /// The branch its piece went to.
    pub(super) branch: u32,
    /// Where that branch begins: what lies before belongs to the log itself.
    pub(super) branch_first: u64,
}

impl Context<'_> {
    /// The branch in which entry `seq` of this log stands.
    pub(super) fn branch_of(&self, seq: u64) -> u32 {
        if seq >= self.branch_first { self.branch } else { 0 }
    }
}

/// Check-ins of one patrol within a piece, counted before they are written.
struct Presence {
    patrol_seq: u64,
    count: i64,
    last_ms: i64,
}

/// Applies the effects of entries `first..=last`; gives how many check-ins belong to no patrol.
pub(super) fn apply(c: &Connection, context: &Context<'_>, first: u64, last: u64) -> Result<i64> {
    let mut presence: Vec<Presence> = Vec::new();
    let mut loose = 0;
    let from = (first - context.run.first) as usize;
    for (seq, entry) in (first..=last).zip(context.run.entries.iter().skip(from)) {
        match &entry.effect {
            None => {}
            Some(Effect::CheckIn { patrol_seq: None, .. }) => loose += 1,
            Some(Effect::CheckIn { patrol_seq: Some(patrol_seq), best_ms }) => {
                match presence.iter_mut().find(|p| p.patrol_seq == *patrol_seq) {
                    Some(p) => {
                        p.count += 1;
                        p.last_ms = p.last_ms.max(*best_ms);
                    }
                    None => presence.push(Presence { patrol_seq: *patrol_seq, count: 1, last_ms: *best_ms }),
                }
            }
            Some(effect) => one(c, context, seq, effect)?,
        }
    }
    for p in presence {
        let mut statement = c
            .prepare_cached(
                "INSERT INTO patrol (log, branch, seq, device, hamlet, check_ins, last_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
                 ON CONFLICT DO UPDATE SET check_ins = check_ins + excluded.check_ins,
                   last_ms = max(ifnull(last_ms, excluded.last_ms), excluded.last_ms)",
            )
            .map_err(sql)?;
        let key = params![
            context.run.log.0,
            context.branch_of(p.patrol_seq),
            seq_to_sql(p.patrol_seq)?,
            context.run.device.0,
            context.hamlet,
            p.count,
            p.last_ms
        ];
        statement.execute(key).map_err(sql)?;
    }
    Ok(loose)
}

fn one(c: &Connection, context: &Context<'_>, seq: u64, effect: &Effect) -> Result<()> {
    match effect {
        Effect::PatrolStarted { at, crew } => {
            change_patrol(c, context, seq, "author = ?6, started_ms = ?7", &[&at.author.0, &at.best_ms])?;
            crew.iter().try_for_each(|member| join_crew(c, context, seq, *member))
        }
        Effect::PatrolPaused { patrol_seq } => {
            change_patrol(c, context, *patrol_seq, "paused_seq = max(ifnull(paused_seq, 0), ?6)", &[&seq_to_sql(seq)?])
        }
        Effect::PatrolResumed { patrol_seq } => {
            change_patrol(c, context, *patrol_seq, "resumed_seq = max(ifnull(resumed_seq, 0), ?6)", &[&seq_to_sql(seq)?])
        }
        Effect::PatrolFinished { patrol_seq, best_ms, distance_m } => {
            change_patrol(c, context, *patrol_seq, "finished_ms = ?6, distance_m = ?7", &[best_ms, distance_m])
        }
        Effect::CrewChanged { patrol_seq, joined, left: _ } => {
            // Whoever left did walk: the crew of a patrol is everybody who took part.
            change_patrol(c, context, *patrol_seq, "hamlet = hamlet", &[])?;
            joined.iter().try_for_each(|member| join_crew(c, context, *patrol_seq, *member))
        }
        Effect::Incident { at, kind, urgent, report, attachments } => {
            incident(c, context, seq, at, kind, *urgent, *attachments)?;
            let name = EntryName { log: context.run.log, seq };
            said(c, context, seq, name, context.branch, report)
        }
        Effect::Amendment { incident, report, .. } => {
            let branch = if incident.log == context.run.log { context.branch_of(incident.seq) } else { 0 };
            said(c, context, seq, *incident, branch, report)
        }
        Effect::Photo { at, photo } => objects::photo(c, context, seq, at.best_ms, photo),
        Effect::Previews { photo, files, missing } => objects::previews(c, context, seq, *photo, files, missing.as_deref()),
        Effect::Answer { at, answer } => {
            let run = context.run;
            c.prepare_cached("INSERT INTO answer VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
                .and_then(|mut s| {
                    let row = params![
                        answer.alert,
                        run.log.0,
                        context.branch,
                        seq as i64,
                        run.device.0,
                        at.author.0,
                        answer.answer as u8,
                        at.best_ms
                    ];
                    s.execute(row)
                })
                .map_err(sql)?;
            Ok(())
        }
        Effect::HandedOver { best_ms, from, to } => {
            c.prepare_cached("INSERT INTO hand_over VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
                .and_then(|mut s| s.execute(params![context.run.log.0, context.branch, seq as i64, best_ms, from.0, to.0]))
                .map_err(sql)?;
            Ok(())
        }
        Effect::CheckIn { .. } => Ok(()),
    }
}

/// Changes a patrol's row, or makes it: entries of a patrol may come before its first one.
fn change_patrol(c: &Connection, context: &Context<'_>, seq: u64, set: &str, values: &[&dyn rusqlite::ToSql]) -> Result<()> {
    let run = context.run;
    let (branch, seq) = (context.branch_of(seq), seq_to_sql(seq)?);
    let key: [&dyn rusqlite::ToSql; 5] = [&run.log.0, &branch, &seq, &run.device.0, &context.hamlet];
    c.prepare_cached("INSERT OR IGNORE INTO patrol (log, branch, seq, device, hamlet) VALUES (?1, ?2, ?3, ?4, ?5)")
        .and_then(|mut s| s.execute(key))
        .map_err(sql)?;
    let statement = format!("UPDATE patrol SET {set} WHERE log = ?1 AND branch = ?2 AND seq = ?3 AND ?4 IS NOT NULL AND ?5 IS NOT NULL");
    let all: Vec<&dyn rusqlite::ToSql> = key.into_iter().chain(values.iter().copied()).collect();
    c.prepare_cached(&statement).and_then(|mut s| s.execute(&all[..])).map_err(sql)?;
    Ok(())
}

fn join_crew(c: &Connection, context: &Context<'_>, patrol_seq: u64, member: MemberNo) -> Result<()> {
    c.prepare_cached("INSERT OR IGNORE INTO patrol_member VALUES (?1, ?2, ?3, ?4)")
        .and_then(|mut s| s.execute(params![context.run.log.0, context.branch_of(patrol_seq), patrol_seq as i64, member.0]))
        .map_err(sql)?;
    Ok(())
}

/// The incident's row: the one that a message claimed, filled, or a new one. A claim of another device about an entry of
/// this log was none of its business.
fn incident(c: &Connection, context: &Context<'_>, seq: u64, at: &WhenWhere, kind: &str, urgent: bool, attachments: u32) -> Result<()> {
    let run = context.run;
    claims::clear_of_others(c, run.log, seq_to_sql(seq)?, run.device)?;
    let values = params![
        run.log.0,
        context.branch,
        seq as i64,
        run.device.0,
        context.hamlet,
        at.author.0,
        kind,
        urgent,
        at.position.map(|p| p.lat_e7),
        at.position.map(|p| p.lon_e7),
        at.position.and_then(|p| p.accuracy_cm),
        at.best_ms,
        at.earliest_ms,
        at.latest_ms,
        run.received_ms,
        attachments
    ];
    let claimed = c
        .prepare_cached(
            "UPDATE incident SET sms_only = 0, branch = ?2, hamlet = ?5, author = ?6, kind = ?7, urgent = ?8, lat_e7 = ?9, lon_e7 = ?10,
               accuracy_cm = ?11, best_ms = ?12, earliest_ms = ?13, latest_ms = ?14, received_ms = ?15, attachments = ?16
             WHERE log = ?1 AND seq = ?3 AND device = ?4 AND sms_only = 1",
        )
        .and_then(|mut s| s.execute(values))
        .map_err(sql)?;
    if claimed > 0 {
        return Ok(());
    }
    c.prepare_cached(
        "INSERT INTO incident (log, branch, seq, device, hamlet, author, kind, urgent, lat_e7, lon_e7, accuracy_cm, best_ms,
           earliest_ms, latest_ms, received_ms, attachments)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
    )
    .and_then(|mut s| s.execute(values))
    .map_err(sql)?;
    Ok(())
}

/// Enters what was said on an incident into the search.
fn said(c: &Connection, context: &Context<'_>, seq: u64, incident: EntryName, incident_branch: u32, report: &ReportRow) -> Result<()> {
    let run = context.run;
    c.prepare_cached("INSERT INTO report (incident_log, incident_branch, incident_seq, log, branch, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")
        .and_then(|mut s| {
            s.execute(params![
                incident.log.0,
                incident_branch,
                i64::try_from(incident.seq).unwrap_or(i64::MAX),
                run.log.0,
                context.branch,
                seq as i64
            ])
        })
        .map_err(sql)?;
    if !report.folded.is_empty() {
        c.prepare_cached("INSERT INTO report_text (rowid, folded) VALUES (?1, ?2)")
            .and_then(|mut s| s.execute(params![c.last_insert_rowid(), report.folded]))
            .map_err(sql)?;
    }
    Ok(())
}
