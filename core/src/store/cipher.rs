//! Opening an encrypted database with the settings that were measured, and proving that it is one.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use yenban_protocol::planted::{Bug, planted};
use zeroize::Zeroizing;

use crate::error::{Error, Result, SqlContext};
use crate::keys::{Secret32, files};
use crate::limits::{PAGE_SIZE_BYTES, STATEMENT_CACHE, WAL_CHECKPOINT_PAGES};

/// What differs between spool and vault.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    /// `FULL` for anything acknowledged, `NORMAL` for what can be derived again.
    pub synchronous: &'static str,
    /// Page cache in KiB.
    pub cache_kib: u32,
    /// SQLite's application id: a spool is not taken for a vault.
    pub application_id: i32,
}

/// Starts the database library, once. Left to itself it lets a second thread go on as soon as the first has
/// begun to start it, and that thread finds no encryption yet: "an error occurred with PRAGMA key".
pub(crate) fn start_library() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    // A library that cannot start says so at the connection that is asked for next.
    STARTED.call_once(|| drop(Connection::open_in_memory()));
}

/// Opens or creates the database at `path`. With a wrong key, a foreign or a damaged file the error
/// comes from a read, before anything was written.
pub(crate) fn open(path: &Path, key: &Secret32, settings: Settings) -> Result<Connection> {
    start_library();
    let exists = std::fs::metadata(path).is_ok_and(|m| m.len() > 0);
    if exists {
        assert_sealed(path)?;
    }
    if !path.exists() {
        // The library would make it readable for others; its write-ahead log takes over these rights.
        files::private_new().open(path).map_err(|e| Error::io("make", path, e))?;
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags).doing("open database")?;
    // Keeps the write-ahead log when the last connection closes: short sessions would otherwise pay
    // for its creation each time. It is what SQLITE_FCNTL_PERSIST_WAL does, without unsafe code.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing("configure database")?;
    unlock(&conn, key)?;
    // Before the first read, else reading makes a shared-memory file beside what may be no database.
    pragma_value(&conn, "locking_mode", "EXCLUSIVE")?;
    read_first_page(&conn, path)?;
    pragma_value(&conn, "journal_mode", "WAL")?;
    let batch = format!(
        "PRAGMA synchronous={};PRAGMA cache_size=-{};PRAGMA wal_autocheckpoint={WAL_CHECKPOINT_PAGES};
         PRAGMA temp_store=MEMORY;PRAGMA secure_delete=ON;PRAGMA trusted_schema=OFF;",
        settings.synchronous, settings.cache_kib
    );
    conn.execute_batch(&batch).doing("configure database")?;
    conn.set_prepared_statement_cache_capacity(STATEMENT_CACHE);
    check_application(&conn, path, exists, settings.application_id)?;
    Ok(conn)
}

fn unlock(conn: &Connection, key: &Secret32) -> Result<()> {
    let hex = Zeroizing::new(data_encoding::HEXLOWER.encode(key.as_ref()));
    let text = Zeroizing::new(format!(
        "PRAGMA key=\"x'{}'\";PRAGMA cipher_page_size={PAGE_SIZE_BYTES};
         PRAGMA cipher_hmac_algorithm=HMAC_SHA256;PRAGMA cipher_memory_security=OFF;
         PRAGMA cipher_log_level=NONE;",
        hex.as_str()
    ));
    conn.execute_batch(&text).doing("give the database its key")?;
    let version: Option<String> = conn.query_row("PRAGMA cipher_version", [], |row| row.get(0)).ok();
    match version {
        Some(version) if !version.is_empty() => Ok(()),
        // A build without encryption must never write a byte of a store.
        _ => Err(Error::KeyStore("this build has no database encryption".into())),
    }
}

fn read_first_page(conn: &Connection, path: &Path) -> Result<()> {
    conn.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())).map_err(|source| match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            Error::StoreDamaged { path: path.to_path_buf(), why: "it does not open with this store's key".into() }
        }
        _ => Error::Sql { what: "read the database", source },
    })
}

fn pragma_value(conn: &Connection, name: &str, value: &str) -> Result<()> {
    let got: String = conn.query_row(&format!("PRAGMA {name}={value}"), [], |row| row.get(0)).doing("configure database")?;
    if got.eq_ignore_ascii_case(value) {
        return Ok(());
    }
    Err(Error::KeyStore(format!("the database did not take {name}={value}")))
}

fn check_application(conn: &Connection, path: &Path, exists: bool, id: i32) -> Result<()> {
    let found: i32 = conn.query_row("PRAGMA application_id", [], |row| row.get(0)).doing("read database header")?;
    if found == id {
        return Ok(());
    }
    if exists && found != 0 {
        return Err(Error::NotAStore { path: path.to_path_buf(), why: "the database belongs to something else" });
    }
    conn.pragma_update(None, "application_id", id).doing("write database header")
}

/// Puts everything from the write-ahead log into the database, synced, so that the next opening finds little to write again.
/// An empty log costs nothing.
pub(crate) fn fold(conn: &Connection) -> Result<()> {
    if planted(Bug::FoldSkipped) {
        return Ok(());
    }
    match checkpoint(conn) {
        // On a full disk words are still recorded, in room that the log has. It is no failure of this connection.
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => Ok(()),
        done => done.doing("fold the write-ahead log"),
    }
}

/// Puts the write-ahead log into the database and empties it, with the library's own error.
pub(crate) fn checkpoint(conn: &Connection) -> rusqlite::Result<()> {
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
}

/// Proves, on the bytes of the file, that the database is not clear text. Never beside an open connection: the system
/// drops all locks that a process has on a file as soon as it closes any descriptor of that file.
pub(crate) fn assert_sealed(path: &Path) -> Result<()> {
    use std::io::Read;
    let mut head = [0; 16];
    let mut file = std::fs::File::open(path).map_err(|e| Error::io("open", path, e))?;
    // Right after creation everything may still stand in the write-ahead log.
    match file.read_exact(&mut head) {
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(()),
        other => other.map_err(|e| Error::io("read", path, e))?,
    }
    if head.starts_with(b"SQLite format 3") {
        return Err(Error::StoreDamaged { path: path.to_path_buf(), why: "it is not encrypted".into() });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: Settings = Settings { synchronous: "FULL", cache_kib: 2_048, application_id: 7 };

    fn key(n: u8) -> Secret32 {
        Zeroizing::new([n; 32])
    }

    #[test]
    fn a_wrong_key_and_garbage_change_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let conn = open(&path, &key(1), SETTINGS).unwrap();
        conn.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES ('canary')").unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        drop(conn);
        assert_sealed(&path).unwrap();
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(open(&path, &key(2), SETTINGS), Err(Error::StoreDamaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::write(&path, vec![0xA5; 8_192]).unwrap();
        assert!(matches!(open(&path, &key(1), SETTINGS), Err(Error::StoreDamaged { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), vec![0xA5; 8_192]);
    }

    #[test]
    fn the_write_ahead_log_stays_and_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let conn = open(&path, &key(1), SETTINGS).unwrap();
        conn.execute_batch("CREATE TABLE t(x); INSERT INTO t VALUES (41)").unwrap();
        drop(conn);
        assert!(dir.path().join("x.db-wal").exists());
        let conn = open(&path, &key(1), SETTINGS).unwrap();
        let x: i64 = conn.query_row("SELECT x FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(x, 41);
        let other = Settings { application_id: 8, ..SETTINGS };
        drop(conn);
        assert!(matches!(open(&path, &key(1), other), Err(Error::NotAStore { .. })));
    }
}
