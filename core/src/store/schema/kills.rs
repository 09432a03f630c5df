//! Upgrades that are cut off: from every released schema, at every place of what the upgrade writes.
//!
//! An upgrade writes its pages to the end of the write-ahead log, one after another, and only then into the database. So a
//! death leaves a beginning of that log beside the old database, and later the whole log beside a database of which some
//! pages are new. Each of these is made here and opened.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::types::Value;

use super::*;
use crate::store::cipher::{self, Settings};

const KEY: [u8; 32] = [6; 32];
const PAGE: usize = 2_048;
/// Where the log is cut: closer than any header or page of it.
const STEP: usize = 1_000;

fn open(path: &Path, application_id: i32) -> Connection {
    let settings = Settings { synchronous: "FULL", cache_kib: 512, application_id };
    cipher::open(path, &zeroize::Zeroizing::new(KEY), settings).unwrap()
}

fn wal(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

/// Rows as the program of that schema wrote them; 50 of each kind.
fn fill(conn: &Connection, spool: bool, version: usize) {
    conn.execute_batch("BEGIN").unwrap();
    for n in 0..50_i64 {
        let blob = |len: usize| -> Vec<u8> { (0..len).map(|i| (i as i64 * 7 + n) as u8).collect() };
        if !spool {
            let photo = "INSERT INTO photo(key, at_ms, sha256, size_bytes, sealed_sha256, sealed_size_bytes, media_type, from_camera)
                 VALUES (?1, 5, ?2, 6, ?2, 7, 'image/jpeg', 1)";
            conn.execute(photo, (n, blob(32))).unwrap();
            conn.execute("INSERT INTO statement VALUES (?1, ?1, 0, 1, ?2)", (n, format!("lời kể {n}"))).unwrap();
            conn.execute("INSERT INTO incident_text(rowid, folded) VALUES (?1, ?2)", (n, format!("loi ke {n}"))).unwrap();
            continue;
        }
        let entry = "INSERT INTO entry(key, link, session, lane, author, unconfirmed, patrol, paused, body)
             VALUES (?1, ?2, 1, 1, 7, 0, NULL, 0, ?3)";
        conn.execute(entry, (n, blob(32), blob(300))).unwrap();
        conn.execute("INSERT INTO meta VALUES (?1, ?2)", (format!("setting {n}"), blob(80))).unwrap();
        conn.execute("INSERT INTO received VALUES (1, ?1, ?1, ?2)", (n, blob(32))).unwrap();
        if version == 1 {
            conn.execute("INSERT INTO object VALUES (?1, ?2, 9, 1)", (n, blob(32))).unwrap();
        } else {
            let file = "INSERT INTO file(sealed_sha256, entry, photo, kind, size_bytes, urgent) VALUES (?1, ?2, ?2, 2, 9, 0)";
            conn.execute(file, (blob(32), n)).unwrap();
        }
        if version >= 3 {
            conn.execute("INSERT INTO witness VALUES (?1, ?2, ?3)", (n, blob(32), blob(150))).unwrap();
        }
        if version >= 4 {
            conn.execute("INSERT INTO carried VALUES (?1, 2, ?2, ?3, 5)", (blob(32), blob(8), blob(200))).unwrap();
        }
    }
    conn.execute_batch("COMMIT").unwrap();
}

/// Everything that a database says, in one order.
fn said(conn: &Connection) -> Vec<String> {
    let mut tables =
        conn.prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'incident_text_%' ORDER BY name").unwrap();
    let names: Vec<String> = tables.query_map([], |r| r.get(0)).unwrap().map(Result::unwrap).collect();
    let mut said = Vec::new();
    for name in names {
        let mut rows = conn.prepare(&format!("SELECT * FROM {name}")).unwrap();
        let columns = rows.column_count();
        let rows = rows.query_map([], |r| (0..columns).map(|c| r.get::<_, Value>(c)).collect::<rusqlite::Result<Vec<_>>>());
        let mut lines: Vec<String> = rows.unwrap().map(|row| format!("{name} {:?}", row.unwrap())).collect();
        lines.sort();
        said.extend(lines);
    }
    said
}

fn version_of(conn: &Connection) -> usize {
    conn.query_row("PRAGMA user_version", [], |r| r.get::<_, u32>(0)).unwrap() as usize
}

/// Upgrades from `version`; answers in how many states it was cut off.
fn cut_everywhere(dir: &Path, spool: bool, version: usize) -> usize {
    let (id, all) = if spool { (SPOOL_ID, SPOOL) } else { (VAULT_ID, VAULT) };
    let migrate = if spool { migrate_spool } else { migrate_vault };
    let path = dir.join(format!("{version}.db"));
    let mut conn = open(&path, id);
    Migrations::from_slice(&all[..version]).to_latest(&mut conn).unwrap();
    fill(&conn, spool, version);
    cipher::checkpoint(&conn).unwrap();
    drop(conn);
    let old = std::fs::read(&path).unwrap();
    let mut conn = open(&path, id);
    migrate(&mut conn, &path).unwrap();
    let expected = said(&conn);
    // Whatever table it stands in now.
    for table in if spool { ["entry ", "file ", "meta ", "received "].as_slice() } else { &["photo ", "statement ", "incident_text "] } {
        assert_eq!(expected.iter().filter(|line| line.starts_with(table)).count(), 50, "from {version}: {table}");
    }
    drop(conn);
    let log = std::fs::read(wal(&path)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), old, "nothing is written into the database before the commit");
    let mut conn = open(&path, id);
    migrate(&mut conn, &path).unwrap();
    cipher::checkpoint(&conn).unwrap();
    drop(conn);
    let new = std::fs::read(&path).unwrap();

    let beginnings = (0..=log.len()).step_by(STEP).chain([log.len()]).map(|len| (old.clone(), log[..len].to_vec()));
    let pages = new.len() / PAGE;
    let mixed = (0..=pages).flat_map(|n| {
        let forwards = [&new[..n * PAGE], old.get(n * PAGE..).unwrap_or_default()].concat();
        let mut backwards = new.clone();
        let kept = (n * PAGE).min(old.len());
        backwards[..kept].copy_from_slice(&old[..kept]);
        [forwards, backwards].map(|database| (database, log.clone()))
    });
    let (mut states, mut before, mut after) = (0, 0, 0);
    let cut = dir.join("cut.db");
    for (database, log) in beginnings.chain(mixed) {
        std::fs::write(&cut, database).unwrap();
        std::fs::write(wal(&cut), log).unwrap();
        let mut conn = open(&cut, id);
        let found = version_of(&conn);
        assert!(found == version || found == all.len(), "from {version}: {found} is neither");
        if found == version {
            before += 1
        } else {
            after += 1
        }
        migrate(&mut conn, &cut).unwrap();
        assert_eq!((version_of(&conn), said(&conn) == expected), (all.len(), true), "from {version}, state {states}");
        let verdict: String = conn.query_row("PRAGMA integrity_check", [], |r| r.get(0)).unwrap();
        assert_eq!(verdict, "ok");
        states += 1;
    }
    assert!(before > 1 && after > 1, "from {version}: {before} before, {after} after");
    states
}

#[test]
fn an_upgrade_that_is_cut_off_anywhere_is_done_again_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut states = 0;
    for version in 1..SPOOL.len() {
        states += cut_everywhere(dir.path(), true, version);
    }
    for version in 1..VAULT.len() {
        states += cut_everywhere(tempfile::tempdir().unwrap().path(), false, version);
    }
    println!("{} released schemas of the spool, {} of the vault, {states} cuts", SPOOL.len() - 1, VAULT.len() - 1);
}

#[test]
fn a_store_of_a_newer_program_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    for (name, id, migrate) in
        [("spool", SPOOL_ID, migrate_spool as fn(&mut Connection, &Path) -> Result<()>), ("vault", VAULT_ID, migrate_vault)]
    {
        let path = dir.path().join(format!("{name}.db"));
        let mut conn = open(&path, id);
        migrate(&mut conn, &path).unwrap();
        conn.execute_batch("CREATE TABLE of_tomorrow(x); PRAGMA user_version = 99").unwrap();
        cipher::checkpoint(&conn).unwrap();
        drop(conn);
        let before = std::fs::read(&path).unwrap();
        for _ in 0..2 {
            let mut conn = open(&path, id);
            assert!(matches!(migrate(&mut conn, &path), Err(Error::SchemaTooNew { .. })), "{name}");
        }
        assert_eq!(std::fs::read(&path).unwrap(), before, "{name}");
    }
}
