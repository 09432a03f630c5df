//! The figures of `hub status`.

use rusqlite::Connection;

use super::{Result, sql};
use crate::store::lists::{EvidenceTotals, Totals};

/// Counts everything. Entries and check-ins come from sums kept beside each log and patrol, not from counting rows.
pub(super) fn totals(c: &Connection) -> Result<Totals> {
    let count = |statement: &str| -> Result<u64> {
        let n: i64 = c.prepare_cached(statement).and_then(|mut s| s.query_row([], |row| row.get(0))).map_err(sql)?;
        Ok(n.max(0) as u64)
    };
    let photos = |state: &str| -> Result<u64> {
        let mut statement = c.prepare_cached("SELECT count(*) FROM object WHERE kind = 2 AND state = ?").map_err(sql)?;
        let n: i64 = statement.query_row([state], |row| row.get(0)).map_err(sql)?;
        Ok(n.max(0) as u64)
    };
    let forked = count("SELECT count(DISTINCT log) FROM run WHERE branch > 0")?;
    Ok(Totals {
        devices: count("SELECT count(*) FROM device")?,
        revoked: count("SELECT count(*) FROM device WHERE revoked_ms IS NOT NULL")?,
        entries: count("SELECT ifnull(sum(entries), 0) FROM log")?,
        patrols: count("SELECT count(*) FROM patrol")?,
        check_ins: count("SELECT (SELECT ifnull(sum(check_ins), 0) FROM patrol) + (SELECT ifnull(sum(loose_check_ins), 0) FROM log)")?,
        incidents: count("SELECT count(*) FROM incident")?,
        evidence: EvidenceTotals {
            verified: photos("verified")?,
            expected: photos("expected")? + photos("partial")?,
            missing: photos("missing")?,
            altered: photos("altered")?,
            erased: photos("erased")?,
        },
        quarantine: count("SELECT count(*) FROM quarantine")?,
        alerts: count("SELECT count(*) FROM alert")?,
        receipts: count("SELECT ifnull(sum(receipts), 0) FROM log")?,
        chains_ok: forked == 0,
        floating: count("SELECT count(*) FROM run WHERE branch = 0 AND first > 0")?,
        forked,
        answers: count("SELECT count(*) FROM answer")?,
        delivered: count("SELECT count(*) FROM delivery")?,
        by_sms: count("SELECT count(*) FROM incident WHERE sms_only = 1")?,
    })
}
