//! What was sent, received, refused and set aside. Send state is derived from ranges: an entry's row is
//! written once and never again.

use rusqlite::{OptionalExtension, params};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::range::RangeSet;

use super::Key;
use super::spool::{EntryRow, Spool, read_entry, select_entries};
use super::spool_files::mark_received;
use crate::error::{Result, SqlContext};
use crate::limits::SEQ_MAX;

/// How a run fared so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptRow {
    pub first: u64,
    pub last: u64,
    pub attempts: u32,
    pub rejections: u32,
    pub reason: String,
}

/// What a receipt adds to a log.
pub(crate) struct ReceiptRow<'a> {
    pub log: u32,
    pub epoch: [u8; 8],
    pub hub_ms: i64,
    pub hold_s: u64,
    pub bytes: &'a [u8],
    /// Runs as (first, last, link of the last).
    pub held: &'a [(u64, u64, [u8; 32])],
    /// Sealed files as (hash, size).
    pub objects: &'a [([u8; 32], u64)],
}

impl Spool {
    /// What the hub holds of log `log`.
    pub(crate) fn received(&self, log: u32) -> Result<RangeSet> {
        self.ranges("SELECT first, last FROM received WHERE log = ?1 ORDER BY first", log)
    }

    fn ranges(&self, sql: &str, log: u32) -> Result<RangeSet> {
        let mut statement = self.conn()?.prepare_cached(sql).doing("read ranges")?;
        let rows = statement.query_map([log], |r| Ok((r.get::<_, i64>(0)?.cast_unsigned(), r.get::<_, i64>(1)?.cast_unsigned())));
        rows.and_then(Iterator::collect).doing("read ranges")
    }

    /// Entries of log `log` that were set aside, with the reasons.
    pub(crate) fn parked(&self, log: u32) -> Result<Vec<(u64, String)>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT entry, reason FROM parked WHERE entry BETWEEN ?1 AND ?2 ORDER BY entry")
            .doing("read what is parked")?;
        let rows = statement.query_map([Key::new(log, 0).0, Key::new(log, SEQ_MAX).0], |r| Ok((Key(r.get(0)?).seq(), r.get(1)?)));
        rows.and_then(Iterator::collect).doing("read what is parked")
    }

    /// Sets an entry aside.
    pub(crate) fn park(&mut self, key: Key, reason: &str, wall_ms: i64) -> Result<()> {
        self.transaction("set an entry aside", |tx| {
            tx.prepare_cached("INSERT OR REPLACE INTO parked(entry, reason, wall_ms) VALUES (?1, ?2, ?3)")?
                .execute(params![key.0, reason, wall_ms])?;
            Ok(())
        })
    }

    /// Takes an entry back from where it was set aside; `false` when it was not there.
    pub(crate) fn unpark(&mut self, key: Key) -> Result<bool> {
        self.transaction("take an entry back", |tx| {
            tx.prepare_cached("DELETE FROM attempt WHERE log = ?1 AND first = ?2 AND last = ?2")?
                .execute(params![key.log(), key.seq().cast_signed()])?;
            Ok(tx.prepare_cached("DELETE FROM parked WHERE entry = ?1")?.execute([key.0])? > 0)
        })
    }

    /// Up to `limit` entries of `log` from `first`, in order, ending with the one whose sealed body passes
    /// `max_bytes` in all: of long reports a segment takes few, and reading hundreds for each would cost a
    /// sync of thousands most of its time.
    pub(crate) fn entries_to_send(&self, log: u32, first: u64, limit: u32, max_bytes: usize) -> Result<Vec<EntryRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached(select_entries!("WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3"))
            .doing("read entries to send")?;
        let range = (Key::new(log, first.min(SEQ_MAX)).0, Key::new(log, SEQ_MAX).0, limit);
        let rows = statement.query_map(range, read_entry).doing("read entries to send")?;
        let (mut entries, mut size_bytes) = (Vec::new(), 0);
        for row in rows {
            let row = row.doing("read entries to send")?;
            size_bytes += row.body.len();
            entries.push(row);
            if size_bytes > max_bytes {
                break;
            }
        }
        Ok(entries)
    }

    /// Sequence numbers of entries of `log` in lane `lane` from `from` on.
    pub(crate) fn in_lane(&self, log: u32, lane: u8, from: u64) -> Result<Vec<u64>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT key FROM entry WHERE key BETWEEN ?1 AND ?2 AND lane = ?3 ORDER BY key")
            .doing("read a lane")?;
        let range = (Key::new(log, from.min(SEQ_MAX)).0, Key::new(log, SEQ_MAX).0, lane);
        let rows = statement.query_map(range, |r| Ok(Key(r.get(0)?).seq()));
        rows.and_then(Iterator::collect).doing("read a lane")
    }

    /// Link of an entry; where the entry is lost, as the one after it says.
    pub(crate) fn link(&self, key: Key) -> Result<Option<[u8; 32]>> {
        self.conn()?
            .prepare_cached(
                "SELECT link FROM entry WHERE key = ?1
                 UNION ALL SELECT previous FROM entry WHERE key = ?1 + 1 AND previous IS NOT NULL LIMIT 1",
            )
            .and_then(|mut s| s.query_row([key.0], |r| r.get(0)).optional())
            .doing("read a link")
    }

    /// Applies a receipt in one transaction: what is held grows, what was parked and arrived is no
    /// longer parked, attempts at it are forgotten.
    pub(crate) fn apply_receipt(&mut self, receipt: &ReceiptRow<'_>) -> Result<()> {
        let log = receipt.log;
        let mut held = self.received(log)?;
        for (first, last, _) in receipt.held {
            held.insert(*first, *last + u64::from(planted(Bug::ReceiptOneMore)));
        }
        let attempts = self.attempts(log)?;
        self.transaction("apply a receipt", |tx| {
            // The link that ends each run: from this receipt, or the one that was kept.
            let mut links = Vec::new();
            for (first, last) in held.iter() {
                let own = tx
                    .prepare_cached("SELECT link FROM entry WHERE key = ?1")?
                    .query_row([Key::new(log, last).0], |r| r.get::<_, [u8; 32]>(0))
                    .optional()?;
                let named = receipt.held.iter().find(|h| h.1 == last).map(|h| h.2);
                links.push((first, last, own.or(named).unwrap_or([0; 32])));
            }
            tx.prepare_cached("DELETE FROM received WHERE log = ?1")?.execute([log])?;
            for (first, last, link) in links {
                tx.prepare_cached("INSERT INTO received(log, first, last, last_link) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                    log,
                    first.cast_signed(),
                    last.cast_signed(),
                    link
                ])?;
                tx.prepare_cached("DELETE FROM parked WHERE entry BETWEEN ?1 AND ?2")?
                    .execute([Key::new(log, first).0, Key::new(log, last).0])?;
            }
            for run in attempts.iter().filter(|a| (a.first..=a.last).all(|seq| held.contains(seq))) {
                tx.prepare_cached("DELETE FROM attempt WHERE log = ?1 AND first = ?2 AND last = ?3")?.execute(params![
                    log,
                    run.first.cast_signed(),
                    run.last.cast_signed()
                ])?;
            }
            mark_received(tx, receipt)?;
            // A receipt about files alone says nothing of entries, and takes the place of none that does.
            if receipt.held.is_empty() {
                return Ok(());
            }
            tx.prepare_cached(
                "INSERT INTO receipt(log, epoch, hub_ms, hold_s, bytes) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT(log) DO UPDATE SET epoch = ?2, hub_ms = ?3, hold_s = ?4, bytes = ?5
                 WHERE epoch <> ?2 OR hub_ms <= ?3",
            )?
            .execute(params![log, receipt.epoch, receipt.hub_ms, receipt.hold_s.cast_signed(), receipt.bytes])?;
            Ok(())
        })
    }

    /// The newest receipt of a log, as it was signed.
    pub(crate) fn receipt(&self, log: u32) -> Result<Option<Vec<u8>>> {
        self.conn()?
            .prepare_cached("SELECT bytes FROM receipt WHERE log = ?1")
            .and_then(|mut s| s.query_row([log], |r| r.get(0)).optional())
            .doing("read a receipt")
    }

    /// How runs of `log` fared.
    pub(crate) fn attempts(&self, log: u32) -> Result<Vec<AttemptRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT first, last, attempts, rejections, reason FROM attempt WHERE log = ?1 ORDER BY first")
            .doing("read attempts")?;
        let rows = statement.query_map([log], |r| {
            Ok(AttemptRow {
                first: r.get::<_, i64>(0)?.cast_unsigned(),
                last: r.get::<_, i64>(1)?.cast_unsigned(),
                attempts: r.get(2)?,
                rejections: r.get(3)?,
                reason: r.get(4)?,
            })
        });
        rows.and_then(Iterator::collect).doing("read attempts")
    }

    /// Counts that a run was offered; with `rejected`, that the hub refused it and why. Answers the
    /// number of rejections of exactly this run.
    pub(crate) fn note_attempt(&mut self, log: u32, first: u64, last: u64, rejected: Option<&str>, wall_ms: i64) -> Result<u32> {
        self.transaction("note an attempt", |tx| {
            let run = (log, first.cast_signed(), last.cast_signed());
            tx.prepare_cached(
                "INSERT INTO attempt(log, first, last, sent, attempts, rejections, reason, wall_ms)
                 VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7)
                 ON CONFLICT(log, first, last) DO UPDATE SET sent = ?4, attempts = attempts + 1,
                     rejections = rejections + ?5, reason = ?6, wall_ms = ?7",
            )?
            .execute(params![
                run.0,
                run.1,
                run.2,
                rejected.is_none(),
                u32::from(rejected.is_some()),
                rejected.unwrap_or(""),
                wall_ms
            ])?;
            tx.prepare_cached("SELECT rejections FROM attempt WHERE log = ?1 AND first = ?2 AND last = ?3")?.query_row(run, |r| r.get(0))
        })
    }

    /// Keeps a signed head.
    pub(crate) fn put_head(&mut self, key: Key, bytes: &[u8]) -> Result<()> {
        self.transaction("keep a signed head", |tx| {
            tx.prepare_cached("INSERT OR REPLACE INTO head(key, bytes) VALUES (?1, ?2)")?.execute(params![key.0, bytes])?;
            Ok(())
        })
    }

    /// Signed heads of `log` from `first` to `last`, ascending.
    pub(crate) fn heads(&self, log: u32, first: u64, last: u64) -> Result<Vec<Vec<u8>>> {
        let mut statement =
            self.conn()?.prepare_cached("SELECT bytes FROM head WHERE key BETWEEN ?1 AND ?2 ORDER BY key").doing("read heads")?;
        let rows = statement.query_map([Key::new(log, first).0, Key::new(log, last.min(SEQ_MAX)).0], |r| r.get(0));
        rows.and_then(Iterator::collect).doing("read heads")
    }
}
