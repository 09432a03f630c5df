//! A member's vault: what screens show, derived from the spool and never ahead of it.
//!
//! Its write transaction stays open between captures. It may, because nothing here is acknowledged:
//! the spool is, and the watermark inside the same transaction says how far the vault has followed.
//! So a capture costs one fsync, not two, and a kill only means that some entries are read again.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use super::cipher::{self, Settings};
use super::{Key, schema};
use crate::error::{Error, Result, SqlContext};
use crate::keys::Secret32;
use crate::limits::{VAULT_BATCH_ENTRIES, VAULT_CACHE_KIB};

/// Size of a pin's cell: 0.004 degree, about 400 metres. What a map shows is read in rows of cells, so a cell is
/// small against a screen and large against the distance of two incidents.
pub(crate) const CELL_E7: i64 = 40_000;
/// Cells from west to east.
pub(crate) const CELLS_ACROSS: i64 = 3_600_000_000 / CELL_E7 + 1;

/// Number of the cell in which a place lies.
pub(crate) fn cell(lat_e7: i32, lon_e7: i32) -> i64 {
    let row = (i64::from(lat_e7) + 900_000_000) / CELL_E7;
    let column = (i64::from(lon_e7) + 1_800_000_000) / CELL_E7;
    row * CELLS_ACROSS + column
}

/// Where and how well known, flat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PlaceColumns {
    pub lat_e7: Option<i32>,
    pub lon_e7: Option<i32>,
    pub accuracy_cm: Option<u32>,
    pub provider: Option<u8>,
}

/// When, as it is shown: best estimate and interval, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeColumns {
    pub at_ms: i64,
    pub earliest_ms: i64,
    pub latest_ms: i64,
}

/// A check-in to be shown.
#[derive(Debug)]
pub(crate) struct CheckInRow<'a> {
    pub patrol: Key,
    pub key: Key,
    pub time: TimeColumns,
    pub place: PlaceColumns,
    pub unconfirmed: bool,
    pub checkpoint: Option<&'a str>,
    pub note: Option<&'a str>,
}

/// An incident to be shown.
#[derive(Debug)]
pub(crate) struct IncidentRow<'a> {
    pub key: Key,
    pub kind: &'a str,
    pub urgent: bool,
    pub author: u32,
    pub unconfirmed: bool,
    pub time: TimeColumns,
    pub place: PlaceColumns,
    pub headline: &'a str,
}

/// A photograph to be shown.
#[derive(Debug)]
pub(crate) struct PhotoRow<'a> {
    pub key: Key,
    pub subject: Option<Key>,
    pub at_ms: i64,
    pub sha256: [u8; 32],
    pub size_bytes: u64,
    pub sealed_sha256: [u8; 32],
    pub sealed_size_bytes: u64,
    pub media_type: &'a str,
    pub from_camera: bool,
    pub original_name: Option<&'a str>,
    /// Codes, with spaces between them.
    pub flags: &'a str,
    pub recovered: bool,
    /// EXIF orientation that turns it upright.
    pub turn: u8,
}

/// A smaller copy of a photograph.
#[derive(Debug)]
pub(crate) struct PreviewRow {
    pub photo: Key,
    /// `preview` or `thumbnail`.
    pub kind: &'static str,
    pub sha256: [u8; 32],
    pub size_bytes: u64,
    pub sealed_sha256: [u8; 32],
    pub size_px: (u32, u32),
}

/// An open vault.
pub(crate) struct Vault {
    conn: Connection,
    in_batch: u32,
    open_tx: bool,
    watermarks: BTreeMap<u32, u64>,
}

impl Vault {
    /// Opens or creates the vault at `path`.
    pub(crate) fn open(path: &Path, key: &Secret32) -> Result<Vault> {
        let settings = Settings { synchronous: "NORMAL", cache_kib: VAULT_CACHE_KIB, application_id: schema::VAULT_ID };
        let mut conn = cipher::open(path, key, settings)?;
        schema::migrate_vault(&mut conn, path)?;
        Self::over(conn)
    }

    /// A vault in memory, for rebuilding and comparing.
    pub(crate) fn in_memory() -> Result<Vault> {
        cipher::start_library();
        let mut conn = Connection::open_in_memory().doing("open a database in memory")?;
        schema::migrate_vault(&mut conn, Path::new(":memory:"))?;
        Self::over(conn)
    }

    fn over(conn: Connection) -> Result<Vault> {
        let mut vault = Vault { conn, in_batch: 0, open_tx: false, watermarks: BTreeMap::new() };
        vault.read_watermarks()?;
        Ok(vault)
    }

    fn read_watermarks(&mut self) -> Result<()> {
        let mut statement = self.conn.prepare("SELECT log, next_seq FROM watermark").doing("read the watermark")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned())));
        self.watermarks = rows.and_then(Iterator::collect).doing("read the watermark")?;
        Ok(())
    }

    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    /// First entry of `log` that this vault has not followed yet.
    pub(crate) fn watermark(&self, log: u32) -> u64 {
        self.watermarks.get(&log).copied().unwrap_or(0)
    }

    /// Whether every page of the file can be read and fits the others.
    pub(crate) fn is_whole(&self) -> bool {
        self.conn.query_row("PRAGMA quick_check(1)", [], |row| row.get::<_, String>(0)).is_ok_and(|verdict| verdict == "ok")
    }

    /// Opens the transaction that collects changes, unless it is open.
    pub(crate) fn begin(&mut self) -> Result<()> {
        if !self.open_tx {
            self.conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut s| s.execute([])).doing("change the vault")?;
            self.open_tx = true;
        }
        Ok(())
    }

    /// Notes that the vault has followed `key`; commits when enough has collected.
    pub(crate) fn followed(&mut self, key: Key) -> Result<()> {
        self.watermarks.insert(key.log(), key.seq() + 1);
        self.in_batch += 1;
        if self.in_batch >= VAULT_BATCH_ENTRIES {
            self.commit()?;
        }
        Ok(())
    }

    /// Commits what has collected. On an error nothing of it stays, neither here nor in the file: the
    /// watermark stands again where the file says, and what was lost is followed again.
    pub(crate) fn commit(&mut self) -> Result<()> {
        if !self.open_tx {
            return Ok(());
        }
        let done = self.try_commit();
        if done.is_err() {
            self.abandon()?;
        }
        done
    }

    /// Gives up the open transaction. An entry that was followed half-way must never be committed: it
    /// would be followed once more and counted twice.
    pub(crate) fn abandon(&mut self) -> Result<()> {
        // A full disk may have ended the transaction already; then nothing is left to roll back.
        if !self.conn.is_autocommit() {
            self.conn.execute_batch("ROLLBACK").doing("take back a change of the vault")?;
        }
        self.open_tx = false;
        self.in_batch = 0;
        self.read_watermarks()
    }

    fn try_commit(&mut self) -> Result<()> {
        if self.conn.is_autocommit() {
            // The database ended the transaction by itself; a watermark written now would be ahead of the rows.
            return Err(Error::Sql { what: "save the vault", source: rusqlite::Error::InvalidQuery });
        }
        for (log, next) in &self.watermarks {
            self.conn
                .prepare_cached("INSERT INTO watermark(log, next_seq) VALUES (?1, ?2) ON CONFLICT(log) DO UPDATE SET next_seq = ?2")
                .and_then(|mut s| s.execute(params![log, next.cast_signed()]))
                .doing("set the watermark")?;
        }
        self.conn.prepare_cached("COMMIT").and_then(|mut s| s.execute([])).doing("save the vault")?;
        self.open_tx = false;
        self.in_batch = 0;
        Ok(())
    }

    /// Commits and leaves no content in the write-ahead log: at lock and hand-over.
    pub(crate) fn settle(&mut self) -> Result<()> {
        self.commit()?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).doing("settle the vault")
    }

    /// Forgets everything derived, in the open transaction, so that following starts from the first
    /// entry. Killed before the commit, the vault is as it was.
    pub(crate) fn clear(&mut self) -> Result<()> {
        self.commit()?;
        self.begin()?;
        let tables: Vec<&str> = super::vault_dump::TABLES.iter().map(|t| t.0).collect();
        for table in tables.iter().chain(&["watermark"]) {
            self.conn.execute(&format!("DELETE FROM {table}"), []).doing("clear the vault")?;
        }
        self.watermarks.clear();
        Ok(())
    }

    fn execute(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        self.conn.prepare_cached(sql).and_then(|mut s| s.execute(values)).doing("change the vault")
    }

    pub(crate) fn put_patrol(&self, key: Key, author: u32, started_ms: i64, crew: &[u32]) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO patrol(key, author, state, started_ms, check_ins, distance_m, pauses)
             VALUES (?1, ?2, 0, ?3, 0, 0, 0)",
            params![key.0, author, started_ms],
        )?;
        for member in crew {
            self.put_crew(key, *member, key, true)?;
        }
        Ok(())
    }

    pub(crate) fn put_crew(&self, patrol: Key, member: u32, at: Key, joined: bool) -> Result<()> {
        if joined {
            self.execute("INSERT OR REPLACE INTO crew(patrol, member, joined) VALUES (?1, ?2, ?3)", params![patrol.0, member, at.0])?;
        } else {
            self.execute("UPDATE crew SET left = ?3 WHERE patrol = ?1 AND member = ?2 AND left IS NULL", params![patrol.0, member, at.0])?;
        }
        Ok(())
    }

    /// `state`: 0 walking, 1 paused, 2 finished.
    pub(crate) fn set_patrol_state(&self, patrol: Key, state: u8) -> Result<()> {
        self.execute("UPDATE patrol SET state = ?2, pauses = pauses + (?2 = 1) WHERE key = ?1", params![patrol.0, state])?;
        Ok(())
    }

    pub(crate) fn finish_patrol(&self, patrol: Key, ended_ms: i64, distance_m: u32) -> Result<()> {
        self.execute(
            "UPDATE patrol SET state = 2, ended_ms = ?2, distance_m = ?3 WHERE key = ?1",
            params![patrol.0, ended_ms, distance_m],
        )?;
        Ok(())
    }

    pub(crate) fn put_check_in(&self, row: &CheckInRow<'_>, distance_m: u32) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO check_in(patrol, at_ms, key, lat_e7, lon_e7, accuracy_cm, provider, earliest_ms,
             latest_ms, unconfirmed, checkpoint, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
            params![
                row.patrol.0,
                row.time.at_ms,
                row.key.0,
                row.place.lat_e7,
                row.place.lon_e7,
                row.place.accuracy_cm,
                row.place.provider,
                row.time.earliest_ms,
                row.time.latest_ms,
                row.unconfirmed,
                row.checkpoint,
                row.note
            ],
        )?;
        self.execute(
            "UPDATE patrol SET check_ins = check_ins + 1, last_check_in_ms = ?2, distance_m = ?3 WHERE key = ?1",
            params![row.patrol.0, row.time.at_ms, distance_m],
        )?;
        Ok(())
    }

    pub(crate) fn put_incident(&self, row: &IncidentRow<'_>) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO incident(key, kind, urgent, author, unconfirmed, at_ms, earliest_ms, latest_ms,
             lat_e7, lon_e7, accuracy_cm, provider, amendments, photos, headline)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 0, 0, ?13)",
            params![
                row.key.0,
                row.kind,
                row.urgent,
                row.author,
                row.unconfirmed,
                row.time.at_ms,
                row.time.earliest_ms,
                row.time.latest_ms,
                row.place.lat_e7,
                row.place.lon_e7,
                row.place.accuracy_cm,
                row.place.provider,
                row.headline
            ],
        )?;
        if let (Some(lat), Some(lon)) = (row.place.lat_e7, row.place.lon_e7) {
            self.execute(
                "INSERT OR REPLACE INTO pin(cell, key, lat_e7, lon_e7, kind, urgent, at_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![cell(lat, lon), row.key.0, lat, lon, row.kind, row.urgent, row.time.at_ms],
            )?;
        }
        Ok(())
    }

    /// Adds one statement of entry `entry` to its incident.
    pub(crate) fn put_statement(&self, incident: Key, entry: Key, place: usize, basis: u8, text: &str) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO statement(incident, entry, place, basis, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![incident.0, entry.0, i64::try_from(place).unwrap_or(i64::MAX), basis, text],
        )?;
        Ok(())
    }

    /// Makes the words of entry `entry` findable as words of `incident`.
    pub(crate) fn index_text(&self, incident: Key, entry: Key, folded: &str) -> Result<()> {
        self.execute("INSERT OR REPLACE INTO telling(entry, incident) VALUES (?1, ?2)", [entry.0, incident.0])?;
        // Numbered downwards, so that the newest stands first: the index reads forwards twice as fast as backwards.
        self.execute("INSERT INTO incident_text(rowid, folded) VALUES (-?1, ?2)", params![entry.0, folded])?;
        Ok(())
    }

    pub(crate) fn count_amendment(&self, incident: Key) -> Result<()> {
        self.execute("UPDATE incident SET amendments = amendments + 1 WHERE key = ?1", [incident.0])?;
        Ok(())
    }

    pub(crate) fn put_photo(&self, row: &PhotoRow<'_>) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO photo(key, subject, at_ms, sha256, size_bytes, sealed_sha256, sealed_size_bytes,
             media_type, from_camera, original_name, flags, recovered, turn)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
            params![
                row.key.0,
                row.subject.map(|k| k.0),
                row.at_ms,
                row.sha256,
                row.size_bytes.cast_signed(),
                row.sealed_sha256,
                row.sealed_size_bytes.cast_signed(),
                row.media_type,
                row.from_camera,
                row.original_name,
                row.flags,
                row.recovered,
                row.turn
            ],
        )?;
        if let Some(subject) = row.subject {
            self.execute("UPDATE incident SET photos = photos + 1 WHERE key = ?1", [subject.0])?;
        }
        Ok(())
    }

    pub(crate) fn put_preview(&self, row: &PreviewRow) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO preview(photo, kind, sha256, size_bytes, sealed_sha256, width_px, height_px)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![row.photo.0, row.kind, row.sha256, row.size_bytes.cast_signed(), row.sealed_sha256, row.size_px.0, row.size_px.1],
        )?;
        Ok(())
    }

    /// The question of a photograph's previews is answered: they were made (`missing` is empty), or why not.
    pub(crate) fn settle_previews(&self, photo: Key, missing: &str) -> Result<()> {
        self.execute("UPDATE photo SET previews_missing = ?2 WHERE key = ?1", params![photo.0, missing])?;
        Ok(())
    }

    pub(crate) fn put_answer(&self, alert: &str, key: Key, answer: u8, at_ms: i64) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO answer(alert, key, answer, at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![alert, key.0, answer, at_ms],
        )?;
        Ok(())
    }

    pub(crate) fn put_handover(&self, key: Key, author: u32, to: u32, at_ms: i64) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO handover(key, author, to_member, at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![key.0, author, to, at_ms],
        )?;
        Ok(())
    }

    pub(crate) fn put_confirmed(&self, key: Key, first_seq: u64, last_seq: u64, at_ms: i64) -> Result<()> {
        self.execute(
            "INSERT OR REPLACE INTO confirmed(key, first_seq, last_seq, at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![key.0, first_seq.cast_signed(), last_seq.cast_signed(), at_ms],
        )?;
        let (first, last) = (Key::new(key.log(), first_seq).0, Key::new(key.log(), last_seq).0);
        for table in ["check_in", "incident"] {
            self.execute(&format!("UPDATE {table} SET unconfirmed = 0 WHERE key BETWEEN ?1 AND ?2 AND unconfirmed = 1"), [first, last])?;
        }
        Ok(())
    }

    /// Last sequence number of `log` that was confirmed, if any.
    pub(crate) fn confirmed_to(&self, log: u32) -> Result<Option<u64>> {
        let last: Option<i64> = self
            .conn
            .query_row(
                "SELECT max(last_seq) FROM confirmed WHERE key BETWEEN ?1 AND ?2",
                [Key::new(log, 0).0, Key::new(log, crate::limits::SEQ_MAX).0],
                |r| r.get(0),
            )
            .optional()
            .doing("read confirmations")?
            .flatten();
        Ok(last.map(i64::cast_unsigned))
    }
}

impl Drop for Vault {
    fn drop(&mut self) {
        // A failure only means that these entries are followed again at the next opening.
        let _: Result<(), Error> = self.commit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(vault: &mut Vault, seq: u64) -> Result<()> {
        let key = Key::new(1, seq);
        vault.begin()?;
        vault.index_text(key, key, &"suoi da ban ".repeat(400))?;
        vault.followed(key)
    }

    fn rows(vault: &Vault) -> u64 {
        let count: i64 = vault.conn.query_row("SELECT count(*) FROM telling", [], |r| r.get(0)).unwrap();
        count.cast_unsigned()
    }

    #[test]
    fn a_commit_that_fails_leaves_no_watermark_ahead_of_the_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vault-7.db");
        let key = zeroize::Zeroizing::new([7; 32]);
        let mut vault = Vault::open(&path, &key).unwrap();
        put(&mut vault, 0).unwrap();
        vault.commit().unwrap();
        let pages: u32 = vault.conn.query_row("PRAGMA page_count", [], |r| r.get(0)).unwrap();
        let limit = |vault: &Vault, pages: u32| vault.conn.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(())).unwrap();
        limit(&vault, pages + 4);
        let failed = (1..2_000).find(|seq| put(&mut vault, *seq).is_err());
        assert!(failed.is_some());
        // There is room again for something small before anyone has looked at the vault.
        limit(&vault, pages + 10_000);
        drop(vault);
        let vault = Vault::open(&path, &key).unwrap();
        assert_eq!(vault.watermark(1), rows(&vault));
    }

    #[test]
    fn what_was_followed_half_way_is_taken_back() {
        let mut vault = Vault::in_memory().unwrap();
        put(&mut vault, 0).unwrap();
        vault.commit().unwrap();
        put(&mut vault, 1).unwrap();
        vault.index_text(Key::new(1, 2), Key::new(1, 2), "mot nua").unwrap();
        vault.abandon().unwrap();
        assert_eq!((vault.watermark(1), rows(&vault)), (1, 1));
        put(&mut vault, 1).unwrap();
        put(&mut vault, 2).unwrap();
        vault.commit().unwrap();
        assert_eq!((vault.watermark(1), rows(&vault)), (3, 3));
    }
}
