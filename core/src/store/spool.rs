//! The spool: the sealed log. One commit here, synced to the disk, is the tick on the screen.
//!
//! After a failed commit nobody knows what the disk holds: the system may have dropped the pages it
//! could not write and reported the failure once. So the connection is thrown away, and the next
//! append starts by opening the file again, writing anew whatever the write-ahead log holds (see
//! [`Disk::renew`]) and reading where the log truly stands.

use std::cell::{Cell, OnceCell};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use yenban_protocol::planted::{Bug, planted};

use super::cipher::{self, Settings};
use super::spool_capture::{NewFile, insert_files, remove_capture};
use super::{Key, schema};
use crate::disk::Disk;
use crate::error::{Error, Result, SqlContext, troubles};
use crate::keys::Secret32;
use crate::limits::SPOOL_CACHE_KIB;

/// Where the log stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// Local number of the log.
    pub log: u32,
    /// The log's name.
    pub name: [u8; 8],
    /// Sequence number of the next entry.
    pub next_seq: u64,
    /// Link of the last entry, or zeros.
    pub link: [u8; 32],
    /// The open patrol's first entry, in this log.
    pub patrol: Option<u64>,
    /// Whether that patrol is paused.
    pub paused: bool,
}

/// A log to be started together with its first entry.
#[derive(Debug, Clone)]
pub(crate) struct NewLog {
    pub id: u32,
    pub name: [u8; 8],
    pub nonce: [u8; 16],
    pub reason: &'static str,
}

/// A sealing session to be stored together with the first entry sealed under it.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub id: i64,
    pub name: [u8; 8],
    pub log: u32,
    pub member: u32,
    pub for_hub: Vec<u8>,
    pub for_vault: Option<Vec<u8>>,
}

/// One entry as the spool keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EntryRow {
    pub key: Key,
    pub link: [u8; 32],
    pub session: i64,
    pub lane: u8,
    pub author: u32,
    pub unconfirmed: bool,
    /// The open patrol after this entry, by its sequence number in this log.
    pub patrol: Option<u64>,
    pub paused: bool,
    /// Sealed body.
    pub body: Vec<u8>,
    /// The link before it: with it an entry proves its place even where the one before it is lost. `None`: written by an
    /// older program.
    pub previous: Option<[u8; 32]>,
}

/// What stands in one commit with an entry.
#[derive(Debug, Default)]
pub(crate) struct Commit<'a> {
    pub log: Option<&'a NewLog>,
    pub session: Option<&'a NewSession>,
    pub files: &'a [NewFile],
    /// The capture that this entry ends.
    pub capture: Option<[u8; 8]>,
    pub handover: Option<HandOver>,
}

impl Commit<'_> {
    fn is_entry_alone(&self) -> bool {
        self.log.is_none() && self.session.is_none() && self.files.is_empty() && self.capture.is_none() && self.handover.is_none()
    }
}

/// The phone changes hands: what the log says of it and what the next start believes are one commit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HandOver {
    pub from: u32,
    pub to: u32,
}

/// A session read back.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    pub log: u32,
    pub member: u32,
    pub for_hub: Vec<u8>,
    pub for_vault: Option<Vec<u8>>,
}

/// A log: (local number, name, nonce of its marker).
pub(crate) type LogRow = (u32, [u8; 8], [u8; 16]);

/// The open spool.
pub(crate) struct Spool {
    /// Empty after a failure, until the file was opened again.
    conn: OnceCell<Connection>,
    disk: Arc<dyn Disk>,
    path: PathBuf,
    key: Secret32,
    relaxed: bool,
    /// Most pages of the file, for tests.
    page_limit: Option<u32>,
    /// Opened again since the head was read last.
    reopened: Cell<bool>,
    /// [`troubles`] when the connection was opened.
    troubles: Cell<u64>,
}

/// Reads entries as [`read_entry`] takes them.
macro_rules! select_entries {
    ($which:literal) => {
        concat!("SELECT key, link, session, lane, author, unconfirmed, patrol, paused, body, previous FROM entry ", $which)
    };
}
pub(super) use select_entries;

const INSERT_ENTRY: &str = "INSERT INTO entry(key, link, session, lane, author, unconfirmed, patrol, paused, body, previous)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

impl Spool {
    /// Opens or creates the spool at `path`.
    pub(crate) fn open(disk: Arc<dyn Disk>, path: PathBuf, key: Secret32) -> Result<Spool> {
        let spool = Spool {
            conn: OnceCell::new(),
            disk,
            path,
            key,
            relaxed: false,
            page_limit: None,
            reopened: Cell::new(false),
            troubles: Cell::new(0),
        };
        let conn = spool.connect()?;
        Ok(Spool { conn: OnceCell::from(conn), ..spool })
    }

    fn connect(&self) -> Result<Connection> {
        self.troubles.set(troubles());
        let settings = Settings {
            synchronous: if self.relaxed || planted(Bug::TickWithoutSync) { "OFF" } else { "FULL" },
            cache_kib: SPOOL_CACHE_KIB,
            application_id: schema::SPOOL_ID,
        };
        self.renew_log()?;
        let mut conn = cipher::open(&self.path, &self.key, settings)?;
        schema::migrate_spool(&mut conn, &self.path)?;
        cipher::fold(&conn)?;
        self.page_limit.map_or(Ok(()), |pages| limit_pages(&conn, pages))?;
        Ok(conn)
    }

    /// Makes durable what the write-ahead log holds, before anything of it is read, built upon or let go. What a program that
    /// was killed had written and not synced can be read, and what a failed sync was for no later one covers: it would be
    /// acknowledged and lost with the next power cut, which could also bring older bytes of the log back over a newer
    /// database. Nothing grows, so that a full disk does not keep it from being done.
    fn renew_log(&self) -> Result<()> {
        if planted(Bug::FoldSkipped) {
            return Ok(());
        }
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        self.disk.renew(Path::new(&log)).map_err(|e| Error::io("write again", Path::new(&log), e))
    }

    /// For benchmarks that seed a large log: `true` stops syncing. Never on a phone.
    pub(crate) fn set_relaxed(&mut self, relaxed: bool) -> Result<()> {
        self.relaxed = relaxed;
        let level = if relaxed { "OFF" } else { "FULL" };
        self.conn()?.execute_batch(&format!("PRAGMA synchronous={level}")).doing("change syncing")
    }

    /// Bounds the file, as a full disk does. For tests.
    pub(crate) fn limit_pages(&mut self, pages: Option<u32>) -> Result<()> {
        self.page_limit = pages;
        // SQLite takes the largest number for "no limit".
        limit_pages(self.conn()?, pages.unwrap_or(u32::MAX - 1))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts everything from the write-ahead log into the database, synced.
    pub(crate) fn fold(&self) -> Result<()> {
        cipher::fold(self.conn()?)
    }

    /// The connection; after a failure the file is opened again here, by whoever comes first.
    pub(crate) fn conn(&self) -> Result<&Connection> {
        if let Some(conn) = self.conn.get() {
            return Ok(conn);
        }
        let conn = self.open_again()?;
        Ok(self.conn.get_or_init(|| conn))
    }

    /// Opens the file again if a database failed since it was opened: the connection may have been what failed.
    pub(crate) fn refresh(&mut self) -> Result<()> {
        if self.troubles.get() != troubles() {
            self.lose_connection();
        }
        self.conn().map(|_| ())
    }

    /// Whether the file was opened again, so that a head read before may be behind what the disk holds.
    pub(crate) fn was_reopened(&self) -> bool {
        self.reopened.get()
    }

    /// The head was read anew.
    pub(crate) fn head_is_known(&mut self) {
        self.reopened.set(false);
    }

    /// Throws the connection away after a failure and tries at once to have another. What cannot be opened now is
    /// tried again by whoever comes next.
    fn lose_connection(&mut self) {
        if planted(Bug::GoOnAfterFailure) {
            return;
        }
        self.conn = OnceCell::new();
        let _ = self.conn();
    }

    /// Opens the file again after a failure and verifies it.
    fn open_again(&self) -> Result<Connection> {
        self.reopened.set(true);
        let conn = self.connect()?;
        self.verify_on(&conn)?;
        Ok(conn)
    }

    /// Looks at every page.
    pub(crate) fn verify(&self) -> Result<()> {
        self.verify_on(self.conn()?)
    }

    fn verify_on(&self, conn: &Connection) -> Result<()> {
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).doing("verify the spool")?;
        if verdict != "ok" {
            return Err(Error::StoreDamaged { path: self.path.clone(), why: verdict });
        }
        Ok(())
    }

    /// Stores entries and what belongs to each in one synced commit: all of them or none. After an error the file
    /// has been opened again, or is before the next append; the head has to be read anew either way.
    pub(crate) fn append(&mut self, entries: &[(EntryRow, Commit<'_>)]) -> Result<()> {
        let done = self.try_append(entries);
        done.map_err(|source| {
            self.lose_connection();
            match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => Error::StorageFull,
                _ => Error::NotSaved { source },
            }
        })
    }

    fn try_append(&mut self, entries: &[(EntryRow, Commit<'_>)]) -> rusqlite::Result<()> {
        if planted(Bug::ReportApart) && entries.len() > 1 {
            return entries.chunks(1).try_for_each(|one| self.try_append(one));
        }
        // Whoever appends made sure of a connection before.
        let conn = self.conn.get_mut().ok_or(rusqlite::Error::SqliteSingleThreadedMode)?;
        if let [(row, with)] = entries
            && with.is_entry_alone()
        {
            // The common case is one statement, which commits by itself.
            return insert_entry(conn, row);
        }
        let tx = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        entries.iter().try_for_each(|(row, with)| insert_with(&tx, row, with))?;
        tx.commit()?;
        if planted(Bug::FileRowApart) {
            let apart = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            entries.iter().try_for_each(|(row, with)| insert_files(&apart, row.key, with.files))?;
            return apart.commit();
        }
        Ok(())
    }

    /// Runs `work` in one synced transaction.
    pub(crate) fn transaction<T>(&mut self, what: &'static str, work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T> {
        self.conn()?;
        let conn = self.conn.get_mut().ok_or(Error::NotSaved { source: rusqlite::Error::SqliteSingleThreadedMode })?;
        let done = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).and_then(|tx| {
            let out = work(&tx)?;
            tx.commit()?;
            Ok(out)
        });
        if done.is_err() {
            self.lose_connection();
        }
        done.doing(what)
    }

    /// Where the newest log stands; `None` before the first.
    pub(crate) fn head(&self) -> Result<Option<Head>> {
        let conn = self.conn()?;
        let newest = conn
            .query_row("SELECT id, name FROM log ORDER BY id DESC LIMIT 1", [], |r| Ok((r.get(0)?, r.get(1)?)))
            .optional()
            .doing("read the log's name")?;
        let Some((log, name)) = newest else {
            return Ok(None);
        };
        let last = conn
            .query_row(
                "SELECT key, link, patrol, paused FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1",
                [Key::new(log, 0).0, Key::new(log, crate::limits::SEQ_MAX).0],
                |r| Ok((Key(r.get(0)?), r.get(1)?, r.get::<_, Option<i64>>(2)?, r.get(3)?)),
            )
            .optional()
            .doing("read the head of the log")?;
        Ok(Some(match last {
            None => Head { log, name, next_seq: 0, link: [0; 32], patrol: None, paused: false },
            Some((key, link, patrol, paused)) => {
                Head { log, name, next_seq: key.seq() + 1, link, patrol: patrol.map(i64::cast_unsigned), paused }
            }
        }))
    }

    /// The patrol that was under way at the end of log `log`.
    pub(crate) fn patrol_at_end_of(&self, log: u32) -> Result<Option<u64>> {
        let patrol: Option<Option<i64>> = self
            .conn()?
            .prepare_cached("SELECT patrol FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key DESC LIMIT 1")
            .and_then(|mut s| s.query_row([Key::new(log, 0).0, Key::new(log, crate::limits::SEQ_MAX).0], |r| r.get(0)).optional())
            .doing("read the end of a log")?;
        Ok(patrol.flatten().map(i64::cast_unsigned))
    }

    /// All logs of this store, oldest first: (local number, name, nonce).
    pub(crate) fn logs(&self) -> Result<Vec<LogRow>> {
        let conn = self.conn()?;
        let mut statement = conn.prepare_cached("SELECT id, name, nonce FROM log ORDER BY id").doing("list logs")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)));
        rows.and_then(Iterator::collect).doing("list logs")
    }

    /// Number of entries in log `log`.
    pub(crate) fn len_of(&self, log: u32) -> Result<u64> {
        let last: Option<i64> = self
            .conn()?
            .prepare_cached("SELECT max(key) FROM entry WHERE key BETWEEN ?1 AND ?2")
            .and_then(|mut s| s.query_row([Key::new(log, 0).0, Key::new(log, crate::limits::SEQ_MAX).0], |r| r.get(0)))
            .doing("count entries")?;
        Ok(last.map_or(0, |key| Key(key).seq() + 1))
    }

    /// Up to `limit` entries of `log` from `first`, in order.
    pub(crate) fn entries(&self, log: u32, first: u64, limit: u32) -> Result<Vec<EntryRow>> {
        let conn = self.conn()?;
        let mut statement =
            conn.prepare_cached(select_entries!("WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3")).doing("read entries")?;
        let range = (Key::new(log, first).0, Key::new(log, crate::limits::SEQ_MAX).0, limit);
        let rows = statement.query_map(range, read_entry);
        rows.and_then(Iterator::collect).doing("read entries")
    }

    /// One entry.
    pub(crate) fn entry(&self, key: Key) -> Result<Option<EntryRow>> {
        self.conn()?
            .prepare_cached(select_entries!("WHERE key = ?1"))
            .and_then(|mut s| s.query_row([key.0], read_entry).optional())
            .doing("read an entry")
    }

    /// First and last entry of `log` that `member` recorded while locked, from `from` on.
    pub(crate) fn unconfirmed(&self, log: u32, member: u32, from: u64) -> Result<Vec<u64>> {
        let conn = self.conn()?;
        let mut statement = conn
            .prepare_cached("SELECT key FROM entry WHERE key BETWEEN ?1 AND ?2 AND unconfirmed = 1 AND author = ?3 ORDER BY key")
            .doing("read unconfirmed entries")?;
        let range = (Key::new(log, from).0, Key::new(log, crate::limits::SEQ_MAX).0, member);
        let rows = statement.query_map(range, |r| Ok(Key(r.get(0)?).seq()));
        rows.and_then(Iterator::collect).doing("read unconfirmed entries")
    }

    /// A session by its local number.
    pub(crate) fn session(&self, id: i64) -> Result<Option<SessionRow>> {
        self.conn()?
            .prepare_cached("SELECT log, member, for_hub, for_vault FROM session WHERE id = ?1")
            .and_then(|mut s| {
                s.query_row([id], |r| Ok(SessionRow { log: r.get(0)?, member: r.get(1)?, for_hub: r.get(2)?, for_vault: r.get(3)? }))
                    .optional()
            })
            .doing("read a session")
    }

    /// The next free session number.
    pub(crate) fn next_session(&self) -> Result<i64> {
        self.conn()?.query_row("SELECT coalesce(max(id), 0) + 1 FROM session", [], |r| r.get(0)).doing("number a session")
    }

    /// A value of the phone itself (enrolment, anchor, token).
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.conn()?
            .prepare_cached("SELECT value FROM meta WHERE key = ?1")
            .and_then(|mut s| s.query_row([key], |r| r.get(0)).optional())
            .doing("read a setting")
    }

    /// Stores values of the phone itself, all or none; `None` removes.
    pub(crate) fn set_meta(&mut self, values: &[(&str, Option<&[u8]>)]) -> Result<()> {
        self.transaction("store a setting", |tx| {
            for (key, value) in values {
                match value {
                    Some(value) => tx
                        .prepare_cached("INSERT INTO meta(key, value) VALUES (?1, ?2) ON CONFLICT(key) DO UPDATE SET value = ?2")?
                        .execute(params![key, value])?,
                    None => tx.prepare_cached("DELETE FROM meta WHERE key = ?1")?.execute([key])?,
                };
            }
            Ok(())
        })
    }

    /// Leaves no older page in the write-ahead log: there a vault's key would still lie as it was wrapped
    /// before a PIN was set, or while "unlocked until locked" held.
    pub(crate) fn forget_old_pages(&self) {
        // What cannot be copied now goes with the next checkpoint; that it failed is counted.
        let _ = self.conn().and_then(|conn| cipher::checkpoint(conn).doing("empty the write-ahead log"));
    }
}

fn limit_pages(conn: &Connection, pages: u32) -> Result<()> {
    conn.query_row(&format!("PRAGMA max_page_count={pages}"), [], |_| Ok(())).doing("limit the database")
}

fn insert_with(tx: &Transaction<'_>, row: &EntryRow, with: &Commit<'_>) -> rusqlite::Result<()> {
    if let Some(log) = with.log {
        tx.prepare_cached("INSERT INTO log(id, name, nonce, reason) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![log.id, log.name, log.nonce, log.reason])?;
    }
    if let Some(s) = with.session {
        for table in ["session", "session_again"] {
            let sql = format!("INSERT INTO {table}(id, name, log, member, for_hub, for_vault) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
            tx.prepare_cached(&sql)?.execute(params![s.id, s.name, s.log, s.member, s.for_hub, s.for_vault])?;
        }
    }
    insert_entry(tx, row)?;
    if !planted(Bug::FileRowApart) {
        insert_files(tx, row.key, with.files)?;
    }
    if let Some(id) = with.capture {
        remove_capture(tx, id)?;
    }
    if let Some(HandOver { from, to }) = with.handover {
        tx.prepare_cached("INSERT INTO meta(key, value) VALUES ('holder', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1")?
            .execute([to.to_be_bytes()])?;
        tx.prepare_cached("UPDATE member SET kept_open = NULL, kept_open_boot = NULL WHERE member = ?1")?.execute([from])?;
    }
    Ok(())
}

fn insert_entry(conn: &Connection, row: &EntryRow) -> rusqlite::Result<()> {
    conn.prepare_cached(INSERT_ENTRY)?.execute(params![
        row.key.0,
        row.link,
        row.session,
        row.lane,
        row.author,
        row.unconfirmed,
        row.patrol.map(u64::cast_signed),
        row.paused,
        row.body,
        row.previous
    ])?;
    Ok(())
}

pub(super) fn read_entry(r: &rusqlite::Row<'_>) -> rusqlite::Result<EntryRow> {
    Ok(EntryRow {
        key: Key(r.get(0)?),
        link: r.get(1)?,
        session: r.get(2)?,
        lane: r.get(3)?,
        author: r.get(4)?,
        unconfirmed: r.get(5)?,
        patrol: r.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
        paused: r.get(7)?,
        body: r.get(8)?,
        previous: r.get(9)?,
    })
}
