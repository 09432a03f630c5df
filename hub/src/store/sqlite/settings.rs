//! How connections are opened: encryption, durability, caches. The measurements behind each setting stand in
//! docs/BENCHMARKS.md.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use yenban_protocol::planted::{Bug, planted};

use super::{DatabaseKey, HubError, Result, sql};
use crate::disk::Disk;
use crate::folder;
use crate::limits::{READER_CACHE_KIB, WRITER_CACHE_KIB};

/// Statements kept prepared on each connection.
const CACHED_STATEMENTS: usize = 128;

/// Starts the database library, once: left to itself it lets a second thread go on while the first is still
/// starting it, and that thread finds no encryption.
fn start_library() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    // A library that cannot start says so at the connection that is asked for next.
    STARTED.call_once(|| drop(Connection::open_in_memory()));
}

fn open(path: &Path, key: &DatabaseKey, flags: OpenFlags) -> Result<Connection> {
    start_library();
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(sql)?;
    let hex = zeroize::Zeroizing::new(data_encoding::HEXLOWER.encode(key.as_ref()));
    let statement = zeroize::Zeroizing::new(format!(
        "PRAGMA cipher_log_level = NONE; PRAGMA key = \"x'{}'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;",
        hex.as_str()
    ));
    connection.execute_batch(&statement).map_err(sql)?;
    // The first read tells a wrong key or a foreign file from a good one.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|e| match e.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt) => {
            HubError::folder(path, "cannot be read with this hub's key: another hub's database, or damaged; restore a backup")
        }
        _ => sql(e),
    })?;
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF;").map_err(sql)?;
    Ok(connection)
}

/// Makes an empty file that only its owner may read; SQLite gives its journals the same mode. One that is there stays.
fn create_private(path: &Path) -> Result<()> {
    match folder::create_private(path) {
        Err(e) if e.kind() != std::io::ErrorKind::AlreadyExists => Err(HubError::file(path)(e)),
        _ => Ok(()),
    }
}

/// The writer's connection: durable at every commit. No other is open.
pub(super) fn open_writer(disk: &dyn Disk, path: &Path, key: &DatabaseKey) -> Result<Connection> {
    create_private(path)?;
    // What a killed program had written and not synced can be read, and what a failed sync was for no later one covers: it
    // would be signed for and lost with the next power cut, which could also bring older bytes of the log back over a newer
    // database. So it is durable before anybody reads it, on a full disk too.
    if !planted(Bug::HubFoldSkipped) {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        disk.renew(Path::new(&log)).map_err(HubError::file(path))?;
    }
    let connection = open(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(sql)?;
    if mode != "wal" {
        return Err(HubError::folder(path, "the file system cannot keep a write-ahead log; put the hub on a local disk"));
    }
    let level = if planted(Bug::HubWithoutSync) { "OFF" } else { "FULL" };
    connection
        .execute_batch(&format!("PRAGMA synchronous = {level}; PRAGMA wal_autocheckpoint = 4000; PRAGMA cache_size = -{WRITER_CACHE_KIB};"))
        .map_err(sql)?;
    if planted(Bug::HubFoldSkipped) {
        return Ok(connection);
    }
    match checkpoint(&connection) {
        Ok(_) => Ok(connection),
        // The log stays. A full disk must not keep the hub from showing what it has, and from the work that makes room.
        Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull) => Ok(connection),
        Err(e) => Err(sql(e)),
    }
}

/// A new database that a copy goes into.
pub(super) fn open_copy(path: &Path, key: &DatabaseKey) -> Result<Connection> {
    create_private(path)?;
    open(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// Folds the write-ahead log back and empties it; `false`: a reader still needs it.
pub(super) fn fold(c: &Connection) -> Result<bool> {
    checkpoint(c).map_err(sql)
}

/// As [`fold`], with the library's own error.
fn checkpoint(c: &Connection) -> rusqlite::Result<bool> {
    c.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| Ok(row.get::<_, i64>(0)? == 0))
}

/// A reader's connection.
pub(super) fn open_reader(path: &Path, key: &DatabaseKey) -> Result<Connection> {
    let connection = open(path, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection
        .execute_batch(&format!("PRAGMA query_only = ON; PRAGMA busy_timeout = 5000; PRAGMA cache_size = -{READER_CACHE_KIB};"))
        .map_err(sql)?;
    Ok(connection)
}
