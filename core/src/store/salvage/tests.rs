//! Damaged spools, made page by page and byte by byte: what the other pages hold is read, whatever becomes of one.

use std::path::PathBuf;

use super::*;

const KEY: [u8; 32] = [3; 32];

fn key() -> Secret32 {
    zeroize::Zeroizing::new(KEY)
}

/// A spool with rows in every table: 60 entries in one log and three sessions, every tenth so long that it overflows.
fn filled(folded: bool) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("spool.db");
    let mut spool = Spool::open(Arc::new(RealDisk), path.clone(), key()).unwrap();
    let blob = |n: usize, len: usize| -> Vec<u8> { (0..len).map(|i| (i * 31 + n * 7) as u8).collect() };
    for n in 0..60_usize {
        let entry = Key::new(1, n as u64).0;
        let body = blob(n, if n % 10 == 9 { 9_000 } else { 260 });
        if n == 45 {
            // The write-ahead log has the last quarter.
            spool.fold().unwrap();
        }
        spool
            .transaction("fill", |tx| {
                if n == 0 {
                    tx.execute("INSERT INTO log VALUES (1, ?1, ?2, 'enrolled')", (blob(1, 8), blob(2, 16)))?;
                }
                if n % 20 == 0 {
                    let session = (1 + n as i64 / 20, blob(n, 8), blob(n, 150), blob(n, 150));
                    tx.execute("INSERT INTO session VALUES (?1, ?2, 1, 7, ?3, ?4)", session.clone())?;
                    tx.execute("INSERT INTO session_again VALUES (?1, ?2, 1, 7, ?3, ?4)", session)?;
                }
                tx.execute(
                    "INSERT INTO entry VALUES (?1, ?2, ?3, 1, 7, 0, NULL, 0, ?4, ?5)",
                    (entry, blob(n, 32), 1 + n as i64 / 20, &body, blob(n + 1, 32)),
                )?;
                if n % 3 > 0 && n < 59 {
                    return Ok(());
                }
                tx.execute("INSERT INTO head VALUES (?1, ?2)", (entry, blob(n, 120)))?;
                tx.execute("INSERT INTO meta VALUES (?1, ?2)", (format!("setting {n}"), blob(n, 90)))?;
                let file = "INSERT INTO file(sealed_sha256, entry, photo, kind, size_bytes, urgent) VALUES (?1, ?2, ?2, 2, 77, 1)";
                tx.execute(file, (blob(n, 32), entry))?;
                tx.execute("INSERT INTO witness VALUES (?1, ?2, ?3)", (n as i64, blob(n, 32), blob(n, 200)))?;
                tx.execute("INSERT INTO carried VALUES (?1, 2, ?2, ?3, 5)", (blob(n, 32), blob(n, 8), blob(n, 400)))?;
                tx.execute("INSERT INTO feed_item VALUES (?1, ?2, ?3, 4, 0, ?4)", (blob(1, 3), blob(1, 8), n as i64, blob(n, 300)))?;
                tx.execute("INSERT INTO received VALUES (1, ?1, ?1, ?2)", (n as i64, blob(n, 32)))?;
                Ok(())
            })
            .unwrap();
    }
    spool
        .transaction("fill", |tx| {
            tx.execute(
                "INSERT INTO member VALUES (7, ?1, ?2, ?3, ?4, 0, 0, NULL, NULL)",
                (blob(1, 33), blob(2, 60), blob(3, 16), blob(4, 90)),
            )?;
            tx.execute("INSERT INTO capture VALUES (?1, NULL, 1, 5, 6, ?2, NULL, NULL)", (blob(1, 8), blob(2, 8))).map(drop)
        })
        .unwrap();
    if folded {
        spool.fold().unwrap();
    }
    drop(spool);
    (dir, path)
}

fn count(found: &Found, table: Table) -> usize {
    let rows = found.rows.iter().filter(|(of, _)| *of == table);
    rows.map(|(table, row)| primary(*table, row)).collect::<BTreeSet<_>>().len()
}

fn wal(path: &Path) -> PathBuf {
    path.with_extension("db-wal")
}

/// Entries that go with each page, as the database library itself says.
fn entries_by_page(path: &Path) -> BTreeMap<u32, usize> {
    let spool = Spool::open(Arc::new(RealDisk), path.to_path_buf(), key()).unwrap();
    let conn = spool.conn().unwrap();
    let mut pages = conn.prepare("SELECT pageno, pagetype, ncell FROM dbstat WHERE name = 'entry' AND pagetype <> 'internal'").unwrap();
    let rows = pages.query_map([], |r| {
        let cells = if r.get::<_, String>(1)? == "leaf" { r.get::<_, u32>(2)? as usize } else { 1 };
        Ok((r.get(0)?, cells))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn shapes_are_told_apart() {
    for folded in [true, false] {
        let (_dir, path) = filled(folded);
        assert_eq!(std::fs::metadata(wal(&path)).is_ok_and(|m| m.len() > 0), !folded);
        let found = read(&path, &key()).unwrap();
        assert_eq!((found.unreadable, found.log_damaged), (0, false), "of {} pages", found.pages);
        assert_eq!(count(&found, Table::Entry), 60);
        for table in [Table::Head, Table::File, Table::Witness, Table::Carried, Table::FeedItem, Table::Meta, Table::Received] {
            assert_eq!(count(&found, table), 21, "{table:?}");
        }
        let few = [Table::Log, Table::Session, Table::Member, Table::Capture, Table::Object].map(|table| count(&found, table));
        assert_eq!(few, [1, 3, 1, 1, 0]);
        let spool = Spool::open(Arc::new(RealDisk), path.clone(), key()).unwrap();
        let body: Vec<u8> = spool.entry(Key::new(1, 9)).unwrap().unwrap().body;
        let read_back = found.rows.iter().rfind(|(table, row)| *table == Table::Entry && integer(row, 0) == Some(Key::new(1, 9).0));
        assert_eq!(read_back.unwrap().1[8], Value::Blob(body), "over {} overflowing bytes", 9_000);
    }
}

#[test]
fn whatever_page_is_damaged_every_entry_of_the_others_is_read() {
    let (dir, path) = filled(true);
    let whole = std::fs::read(&path).unwrap();
    let pages = whole.len() / 2_048;
    let held = entries_by_page(&path);
    let bad = dir.path().join("bad.db");
    for page in 1..=pages {
        let range = (page - 1) * 2_048..page * 2_048;
        for damage in [page % 4, 0] {
            let mut bytes = whole.clone();
            match damage {
                0 => bytes[range.clone()].fill(0),
                1 => bytes[range.clone()].fill(0xA5),
                2 => bytes[range.start + page * 13 % 2_048] ^= 1,
                // Another page in its place, whole as it is.
                _ => bytes.copy_within((page % pages) * 2_048..(page % pages) * 2_048 + 2_048, range.start),
            }
            std::fs::write(&bad, &bytes).unwrap();
            let found = read(&bad, &key()).unwrap();
            assert!(found.unreadable > 0, "page {page}, damage {damage} is not seen");
            let expected = 60 - held.get(&(page as u32)).copied().unwrap_or(0);
            assert_eq!(count(&found, Table::Entry), expected, "page {page}, damage {damage}");
            let (rows, mended) = chosen(found, Beside { newest_log: Some(LogId([9; 8])), meta: Vec::new() });
            assert_eq!(mended.entries, expected as u64, "page {page}, damage {damage}");
            let missing: u64 = mended.missing.iter().map(|m| m.last - m.first + 1).sum();
            assert_eq!(mended.entries + missing, 60, "page {page}, damage {damage}: told");
            assert!(rows.iter().all(|(table, _)| *table != Table::Received));
        }
    }
    // Cut off after any page, and in the middle of one.
    for len in (0..=pages).flat_map(|page| [page * 2_048, page * 2_048 + 700]) {
        std::fs::write(&bad, &whole[..len.min(whole.len())]).unwrap();
        let found = read(&bad, &key()).unwrap();
        let gone: usize = held.iter().filter(|(page, _)| **page as usize > len / 2_048).map(|(_, n)| *n).sum();
        assert!(count(&found, Table::Entry) >= 60_usize.saturating_sub(gone), "cut at {len}");
    }
}

#[test]
fn whatever_byte_of_the_write_ahead_log_is_damaged_at_most_its_page_is_lost() {
    let (dir, path) = filled(false);
    let (database, whole) = (std::fs::read(&path).unwrap(), std::fs::read(wal(&path)).unwrap());
    let bad = dir.path().join("bad.db");
    std::fs::write(&bad, database).unwrap();
    for at in (0..whole.len()).step_by(whole.len() / 300 + 1) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        std::fs::write(wal(&bad), &bytes).unwrap();
        let found = read(&bad, &key()).unwrap();
        // An older version of the page stands in the log too, so at most its newest entry is lost.
        let entries = count(&found, Table::Entry);
        assert!(entries >= 59, "byte {at} of {}: {entries}", whole.len());
        assert!(found.log_damaged || found.unreadable > 0, "byte {at} is not seen");
    }
}

#[test]
fn noise_and_a_wrong_key_are_read_without_harm() {
    let (dir, path) = filled(true);
    let bad = dir.path().join("bad.db");
    let noise: Vec<u8> = (0..100_000_u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect();
    for bytes in [noise.clone(), noise[..70].to_vec(), Vec::new()] {
        std::fs::write(&bad, &bytes).unwrap();
        std::fs::write(wal(&bad), &bytes).unwrap();
        assert_eq!(count(&read(&bad, &key()).unwrap(), Table::Entry), 0);
    }
    let found = read(&path, &zeroize::Zeroizing::new([4; 32])).unwrap();
    assert_eq!((count(&found, Table::Entry), found.unreadable), (0, found.pages));
    // A newer program's store is none of ours to take apart.
    let conn = Spool::open(Arc::new(RealDisk), path.clone(), key()).unwrap();
    conn.conn().unwrap().pragma_update(None, "user_version", 99).unwrap();
    conn.fold().unwrap();
    assert!(matches!(read(&path, &key()), Err(Error::SchemaTooNew { .. })));
}
