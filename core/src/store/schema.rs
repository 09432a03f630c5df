//! Numbered migrations of both databases, each in its own transaction.
//!
//! A released migration never changes; a new one is added at the end. A database with a higher number
//! was written by a newer program and is refused politely.

use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::{M, Migrations};

use crate::error::{Error, Result};

/// SQLite application id of a spool ("YBsp").
pub(crate) const SPOOL_ID: i32 = 0x5942_7370;
/// SQLite application id of a vault ("YBva").
pub(crate) const VAULT_ID: i32 = 0x5942_7661;

const SPOOL_1: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE log(
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, nonce BLOB NOT NULL, reason TEXT NOT NULL);
CREATE TABLE session(
    id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, log INTEGER NOT NULL, member INTEGER NOT NULL,
    for_hub BLOB NOT NULL, for_vault BLOB);
CREATE TABLE entry(
    key INTEGER PRIMARY KEY, link BLOB NOT NULL, session INTEGER NOT NULL, lane INTEGER NOT NULL,
    author INTEGER NOT NULL, unconfirmed INTEGER NOT NULL, patrol INTEGER, paused INTEGER NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE object(
    entry INTEGER PRIMARY KEY, sealed_sha256 BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    delivered INTEGER NOT NULL DEFAULT 0);
CREATE TABLE member(
    member INTEGER PRIMARY KEY, vault_key BLOB NOT NULL, hardware BLOB NOT NULL, salt BLOB NOT NULL,
    sealed BLOB NOT NULL, has_pin INTEGER NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
    kept_open BLOB, kept_open_boot BLOB);
CREATE TABLE received(
    log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, last_link BLOB NOT NULL,
    PRIMARY KEY(log, first)) WITHOUT ROWID;
CREATE TABLE receipt(
    log INTEGER PRIMARY KEY, epoch BLOB NOT NULL, hub_ms INTEGER NOT NULL, hold_s INTEGER NOT NULL,
    bytes BLOB NOT NULL);
CREATE TABLE attempt(
    log INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, sent INTEGER NOT NULL,
    attempts INTEGER NOT NULL, rejections INTEGER NOT NULL, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL,
    PRIMARY KEY(log, first, last)) WITHOUT ROWID;
CREATE TABLE head(key INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE parked(entry INTEGER PRIMARY KEY, reason TEXT NOT NULL, wall_ms INTEGER NOT NULL);
CREATE TABLE stream(
    scope BLOB PRIMARY KEY, epoch BLOB NOT NULL, number INTEGER NOT NULL, hash BLOB NOT NULL)
    WITHOUT ROWID;
CREATE TABLE gap(
    scope BLOB NOT NULL, epoch BLOB NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
    PRIMARY KEY(scope, epoch, first)) WITHOUT ROWID;
CREATE TABLE feed_item(
    scope BLOB NOT NULL, epoch BLOB NOT NULL, number INTEGER NOT NULL, kind INTEGER NOT NULL,
    sealed INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(scope, epoch, number)) WITHOUT ROWID;
";

/// Captures under way; sealed files by size class, with the receipt that names them. What an older program
/// noted of a file's delivery named no epoch, so those are asked about again.
const SPOOL_2: &str = "
CREATE TABLE capture(
    id BLOB PRIMARY KEY, subject BLOB, from_camera INTEGER NOT NULL, wall_ms INTEGER NOT NULL,
    monotonic_ms INTEGER NOT NULL, boot BLOB NOT NULL, position BLOB, heading_cdeg INTEGER) WITHOUT ROWID;
-- kind: 0 thumbnail, 1 preview, 2 original. entry: who names it; photo: whose copy it is.
-- epoch, hub_ms, hold_s: of the receipt that names it; NULL: not received.
CREATE TABLE file(
    sealed_sha256 BLOB PRIMARY KEY, entry INTEGER NOT NULL, photo INTEGER NOT NULL, kind INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL, urgent INTEGER NOT NULL, epoch BLOB, hub_ms INTEGER, hold_s INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, parked TEXT, evicted_ms INTEGER) WITHOUT ROWID;
CREATE INDEX file_waiting ON file(urgent DESC, kind, entry) WHERE epoch IS NULL;
CREATE INDEX file_entry ON file(entry);
CREATE INDEX file_photo ON file(photo);
INSERT INTO file(sealed_sha256, entry, photo, kind, size_bytes, urgent)
    SELECT sealed_sha256, entry, entry, 2, size_bytes, 0 FROM object;
DROP TABLE object;
";

/// Why a file waits, since when the hub wants it again, and the heads of custody, which are kept for good.
const SPOOL_3: &str = "
ALTER TABLE file ADD COLUMN reason TEXT;
ALTER TABLE file ADD COLUMN wanted_ms INTEGER;
-- head: hash of the head. Two of one number: the hub contradicts itself, and both are the proof.
CREATE TABLE witness(
    number INTEGER NOT NULL, head BLOB NOT NULL, item BLOB NOT NULL, PRIMARY KEY(number, head)) WITHOUT ROWID;
";

/// What is carried for other phones. kind: 2 a parcel to the hub, 3 an answer, 0 the name of an own parcel; key: which key
/// opens it.
const SPOOL_4: &str = "
CREATE TABLE carried(
    name BLOB PRIMARY KEY, kind INTEGER NOT NULL, key BLOB NOT NULL, bytes BLOB NOT NULL, since_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX carried_oldest ON carried(since_ms);
";

/// What a damaged log needs to be sent from any entry that is left: the link before each, and the keys of its sessions on a
/// second page, because one page of them would cost every entry under them.
const SPOOL_5: &str = "
ALTER TABLE entry ADD COLUMN previous BLOB;
CREATE TABLE session_again(
    id INTEGER PRIMARY KEY, name BLOB NOT NULL, log INTEGER NOT NULL, member INTEGER NOT NULL, for_hub BLOB NOT NULL, for_vault BLOB);
INSERT INTO session_again SELECT id, name, log, member, for_hub, for_vault FROM session;
";

const VAULT_1: &str = "
CREATE TABLE watermark(log INTEGER PRIMARY KEY, next_seq INTEGER NOT NULL);
CREATE TABLE patrol(
    key INTEGER PRIMARY KEY, author INTEGER NOT NULL, state INTEGER NOT NULL, started_ms INTEGER NOT NULL,
    ended_ms INTEGER, check_ins INTEGER NOT NULL, distance_m INTEGER NOT NULL, last_check_in_ms INTEGER,
    pauses INTEGER NOT NULL);
CREATE TABLE crew(
    patrol INTEGER NOT NULL, member INTEGER NOT NULL, joined INTEGER NOT NULL, left INTEGER,
    PRIMARY KEY(patrol, member, joined)) WITHOUT ROWID;
CREATE TABLE check_in(
    patrol INTEGER NOT NULL, key INTEGER NOT NULL, at_ms INTEGER NOT NULL, lat_e7 INTEGER, lon_e7 INTEGER,
    accuracy_cm INTEGER, provider INTEGER, earliest_ms INTEGER NOT NULL, latest_ms INTEGER NOT NULL,
    unconfirmed INTEGER NOT NULL, checkpoint TEXT, note TEXT, PRIMARY KEY(patrol, key)) WITHOUT ROWID;
-- Lies in the order of its list, so a page is read in one go.
CREATE TABLE incident(
    key INTEGER NOT NULL UNIQUE, kind TEXT NOT NULL, urgent INTEGER NOT NULL, author INTEGER NOT NULL,
    unconfirmed INTEGER NOT NULL, at_ms INTEGER NOT NULL, earliest_ms INTEGER NOT NULL,
    latest_ms INTEGER NOT NULL, lat_e7 INTEGER, lon_e7 INTEGER, accuracy_cm INTEGER, provider INTEGER,
    amendments INTEGER NOT NULL, photos INTEGER NOT NULL, headline TEXT NOT NULL,
    PRIMARY KEY(urgent DESC, at_ms DESC, key DESC)) WITHOUT ROWID;
CREATE TABLE statement(
    incident INTEGER NOT NULL, entry INTEGER NOT NULL, place INTEGER NOT NULL, basis INTEGER NOT NULL,
    text TEXT NOT NULL, PRIMARY KEY(incident, entry, place)) WITHOUT ROWID;
CREATE TABLE telling(entry INTEGER PRIMARY KEY, incident INTEGER NOT NULL);
CREATE VIRTUAL TABLE incident_text USING fts5(folded, tokenize='unicode61 remove_diacritics 0');
INSERT INTO incident_text(incident_text, rank) VALUES('secure-delete', 1);
CREATE TABLE pin(
    cell INTEGER NOT NULL, key INTEGER NOT NULL, lat_e7 INTEGER NOT NULL, lon_e7 INTEGER NOT NULL,
    kind TEXT NOT NULL, urgent INTEGER NOT NULL, at_ms INTEGER NOT NULL, PRIMARY KEY(cell, key)) WITHOUT ROWID;
CREATE TABLE photo(
    key INTEGER PRIMARY KEY, subject INTEGER, at_ms INTEGER NOT NULL, sha256 BLOB, size_bytes INTEGER NOT NULL,
    sealed_sha256 BLOB, sealed_size_bytes INTEGER NOT NULL, media_type TEXT NOT NULL,
    from_camera INTEGER NOT NULL, original_name TEXT);
CREATE TABLE answer(
    alert TEXT NOT NULL, key INTEGER NOT NULL, answer INTEGER NOT NULL, at_ms INTEGER NOT NULL,
    PRIMARY KEY(alert, key)) WITHOUT ROWID;
CREATE TABLE handover(
    key INTEGER PRIMARY KEY, author INTEGER NOT NULL, to_member INTEGER NOT NULL, at_ms INTEGER NOT NULL);
CREATE TABLE confirmed(
    key INTEGER PRIMARY KEY, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, at_ms INTEGER NOT NULL);
";

/// Smaller copies of photographs, and what is remarkable about them. No entry of an older program says any of it, so a
/// vault that has followed the log so far has missed nothing.
const VAULT_2: &str = "
ALTER TABLE photo ADD COLUMN flags TEXT NOT NULL DEFAULT '';
ALTER TABLE photo ADD COLUMN recovered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE photo ADD COLUMN turn INTEGER NOT NULL DEFAULT 1;
-- NULL: not looked at yet; empty: there are previews; else why there are none.
ALTER TABLE photo ADD COLUMN previews_missing TEXT;
CREATE INDEX photo_without_previews ON photo(key) WHERE previews_missing IS NULL;
CREATE TABLE preview(
    photo INTEGER NOT NULL, kind TEXT NOT NULL, sha256 BLOB NOT NULL, size_bytes INTEGER NOT NULL,
    sealed_sha256 BLOB NOT NULL, width_px INTEGER NOT NULL, height_px INTEGER NOT NULL,
    PRIMARY KEY(photo, kind)) WITHOUT ROWID;
";

/// The migrations of a spool, and of a vault: their number is the schema's.
const SPOOL: &[M<'_>] = &[M::up(SPOOL_1), M::up(SPOOL_2), M::up(SPOOL_3), M::up(SPOOL_4), M::up(SPOOL_5)];
const VAULT: &[M<'_>] = &[M::up(VAULT_1), M::up(VAULT_2)];

/// The number of this program's schema of a spool.
pub(crate) fn spool_schema() -> u32 {
    u32::try_from(SPOOL.len()).unwrap_or(u32::MAX)
}

/// Brings a spool to this program's schema.
pub(crate) fn migrate_spool(conn: &mut Connection, path: &Path) -> Result<()> {
    migrate(conn, path, &Migrations::from_slice(SPOOL))
}

/// Brings a vault to this program's schema.
pub(crate) fn migrate_vault(conn: &mut Connection, path: &Path) -> Result<()> {
    migrate(conn, path, &Migrations::from_slice(VAULT))
}

fn migrate(conn: &mut Connection, path: &Path, migrations: &Migrations<'_>) -> Result<()> {
    use rusqlite_migration::{Error as Migration, MigrationDefinitionError};
    migrations.to_latest(conn).map_err(|e| match e {
        Migration::MigrationDefinition(MigrationDefinitionError::DatabaseTooFarAhead) => Error::SchemaTooNew { path: path.to_path_buf() },
        Migration::RusqliteError { err, .. } => match err.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DiskFull) => Error::StorageFull,
            _ => Error::Sql { what: "upgrade the database", source: err },
        },
        other => Error::StoreDamaged { path: path.to_path_buf(), why: format!("its schema is not known: {other}") },
    })
}

#[cfg(test)]
mod kills;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_well_formed() {
        Migrations::from_slice(SPOOL).validate().unwrap();
        Migrations::from_slice(VAULT).validate().unwrap();
    }

    #[test]
    fn sealed_files_of_an_older_store_are_kept_and_asked_about_again() {
        let mut conn = Connection::open_in_memory().unwrap();
        Migrations::from_slice(&[M::up(SPOOL_1)]).to_latest(&mut conn).unwrap();
        conn.execute("INSERT INTO object(entry, sealed_sha256, size_bytes, delivered) VALUES (7, x'AA', 9, 1)", []).unwrap();
        migrate_spool(&mut conn, Path::new("spool.db")).unwrap();
        let row: (i64, i64, u8, i64, Option<Vec<u8>>) = conn
            .query_row("SELECT entry, photo, kind, size_bytes, epoch FROM file WHERE sealed_sha256 = x'AA'", [], |r| {
                Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))
            })
            .unwrap();
        assert_eq!(row, (7, 7, 2, 9, None));
    }

    #[test]
    fn a_newer_schema_is_refused() {
        let mut conn = Connection::open_in_memory().unwrap();
        migrate_spool(&mut conn, Path::new("spool.db")).unwrap();
        conn.pragma_update(None, "user_version", 99).unwrap();
        let error = migrate_spool(&mut conn, Path::new("spool.db")).unwrap_err();
        assert!(matches!(error, Error::SchemaTooNew { .. }), "{error}");
    }
}
