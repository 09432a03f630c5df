//! The store itself: nothing in clear, nothing lost by kill or full disk, nothing foreign touched.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::*;
use yenban_core::app::{CheckIn, IfAbsent, Report, Said};
use yenban_core::clock::{SystemClock, VirtualClock};
use yenban_core::keys::SeededKeyStore;
use yenban_core::store::Folder;
use yenban_core::{Error, ErrorKind, Phone};

fn files_under(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for item in std::fs::read_dir(dir).unwrap().flatten() {
        match item.file_type().unwrap().is_dir() {
            true => files.extend(files_under(&item.path())),
            false => files.push(item.path()),
        }
    }
    files
}

/// Names and hashes: enough to see a change, short enough to print.
fn picture(dir: &Path) -> Vec<(PathBuf, usize, String)> {
    let mut all: Vec<_> = contents(dir)
        .into_iter()
        .filter(|(p, b)| !(p.ends_with("lock") && b.is_empty()))
        .map(|(p, b)| (p, b.len(), data_encoding::HEXLOWER.encode(&yenban_protocol::crypto::sha256(&b)[..4])))
        .collect();
    all.sort();
    all
}

fn contents(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    files_under(dir).into_iter().map(|p| (p.clone(), std::fs::read(p).unwrap())).collect()
}

/// The forms in which a text could lie on a disk.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let base64 = data_encoding::BASE64_NOPAD.encode(text.as_bytes());
    vec![
        text.as_bytes().to_vec(),
        text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        // The middle of it: base64 of a text inside another begins at any of three places.
        base64.as_bytes()[4..base64.len() - 4].to_vec(),
    ]
}

/// Whether `bytes` hold `text` in any of its forms.
fn holds(bytes: &[u8], text: &str) -> bool {
    forms(text).iter().filter(|f| f.len() > 5).any(|form| bytes.windows(form.len()).any(|w| w == form.as_slice()))
}

#[test]
fn no_file_of_a_store_is_clear_text() {
    // The scan can find: text inside text, in each form.
    let inside = format!("một hai CANARY-NOTE {}", "ba");
    assert!(holds(inside.as_bytes(), "CANARY-NOTE"));
    assert!(holds(data_encoding::BASE64.encode(b"CANARY-NOTE and more").as_bytes(), "CANARY-NOTE"));
    assert!(holds(&inside.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(), "CANARY-NOTE"));
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("store");
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(&store, &clock);
    phone.patrol_start(&[], None).unwrap();
    phone
        .check_in(&CheckIn {
            place: Some(place(0)),
            checkpoint: Some("CANARY-CHECKPOINT-CODE".into()),
            note: Some("CANARY-NOTE-ghi-chu".into()),
        })
        .unwrap();
    let report = Report {
        kind: "missing_person".into(),
        urgent: true,
        statements: vec![Said { basis: "heard".into(), text: "CANARY-STATEMENT suối đá".into() }],
        place: Some(place(5)),
        photos: 0,
    };
    let incident = phone.report(&report).unwrap();
    phone.amend(&incident, &[Said { basis: "think".into(), text: "CANARY-AMENDMENT".into() }]).unwrap();
    let photo = dir.path().join("CANARY-FILE-NAME.jpg");
    std::fs::write(&photo, [&[0xFF, 0xD8, 0xFF, 0xE0][..], &b"CANARY-PIXELS".repeat(20_000)].concat()).unwrap();
    phone.capture_photo(&photo, Some(&incident), false).unwrap();
    phone.set_pin("739168").unwrap();
    let mut canaries = vec![
        "CANARY-CHECKPOINT-CODE",
        "CANARY-NOTE-ghi-chu",
        "CANARY-STATEMENT",
        "CANARY-AMENDMENT",
        "CANARY-FILE-NAME",
        "CANARY-PIXELS",
        "missing_person",
        "739168",
        "Lò Văn Páo",
        "Nà Phòn",
        "canary statement",
        "CREATE TABLE",
        "SQLite format 3",
        "127.0.0.1:8443",
    ];
    canaries.retain(|c| c.len() > 5);
    let scan = |state: &str| {
        let files = contents(&store);
        assert!(files.len() >= 8, "{files:?}");
        for (path, bytes) in files {
            if path.ends_with("reserve") {
                // Room and nothing else; searching it for words would take most of the test.
                assert!(bytes.iter().all(|b| *b == 0), "{state}");
                continue;
            }
            for canary in &canaries {
                assert!(!holds(&bytes, canary), "{state}: {canary} in {}", path.display());
            }
            assert!(!bytes.windows(4).any(|w| w == [0xFF, 0xD8, 0xFF, 0xE0]), "{state}: a photo in {}", path.display());
        }
    };
    scan("open");
    phone.lock().unwrap();
    phone.check_in(&CheckIn { note: Some("CANARY-NOTE-ghi-chu".into()), ..CheckIn::default() }).unwrap();
    scan("locked");
    drop(phone);
    scan("closed");
}

#[test]
fn foreign_and_damaged_files_give_one_clear_error_and_stay_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let clock = || Box::new(SystemClock::new());
    let clock_v = VirtualClock::starting_at(EVENING_MS);
    let good = dir.path().join("good");
    drop(enrolled(&good, &clock_v));
    let spool = std::fs::read(good.join("spool.db")).unwrap();
    let key = std::fs::read(good.join("spool.key")).unwrap();

    let make = |name: &str, damage: &dyn Fn(&Path)| -> PathBuf {
        let copy = dir.path().join(name);
        for path in files_under(&good) {
            let to = copy.join(path.strip_prefix(&good).unwrap());
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            std::fs::copy(&path, to).unwrap();
        }
        damage(&copy);
        copy
    };
    let cases: Vec<(PathBuf, ErrorKind)> = vec![
        (make("text", &|d| std::fs::write(d.join("spool.db"), "xin chào, đây không phải kho\n".repeat(99)).unwrap()), ErrorKind::Damaged),
        (make("short", &|d| std::fs::write(d.join("spool.db"), "abc").unwrap()), ErrorKind::Damaged),
        (
            make("folder", &|d| {
                std::fs::remove_file(d.join("spool.db")).unwrap();
                std::fs::create_dir(d.join("spool.db")).unwrap();
            }),
            ErrorKind::Damaged,
        ),
        (
            make("plain", &|d| {
                for f in ["spool.db", "spool.db-wal"] {
                    let _ = std::fs::remove_file(d.join(f));
                }
                rusqlite::Connection::open(d.join("spool.db")).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
            }),
            ErrorKind::Damaged,
        ),
        (
            make("first-page", &|d| {
                let mut bytes = spool.clone();
                bytes[40] ^= 1;
                let _ = std::fs::remove_file(d.join("spool.db-wal"));
                std::fs::write(d.join("spool.db"), bytes).unwrap();
            }),
            ErrorKind::Damaged,
        ),
        (make("key-cut", &|d| std::fs::write(d.join("spool.key"), &key[..20]).unwrap()), ErrorKind::Damaged),
        (make("key-gone", &|d| std::fs::remove_file(d.join("spool.key")).unwrap()), ErrorKind::Damaged),
        (
            make("other-keys", &|d| {
                std::fs::remove_dir_all(d.join("keys")).unwrap();
                yenban_core::keys::SoftwareKeyStore::create(&d.join("keys")).unwrap();
            }),
            ErrorKind::Damaged,
        ),
        (
            make("home", &|d| {
                std::fs::remove_file(d.join("spool.db")).unwrap();
                std::fs::write(d.join("thư.txt"), "của tôi").unwrap();
            }),
            ErrorKind::Damaged,
        ),
    ];
    for (path, kind) in cases {
        let before = picture(&path);
        let error = Phone::open_software(Folder::at(&path), clock(), IfAbsent::Create).err().unwrap();
        assert_eq!(error.kind(), kind, "{}: {error}", path.display());
        assert_eq!(picture(&path), before, "{} was changed: {error}", path.display());
    }
    let file = dir.path().join("file");
    std::fs::write(&file, "x").unwrap();
    assert_eq!(Phone::open_software(Folder::at(&file), clock(), IfAbsent::Create).err().unwrap().kind(), ErrorKind::Damaged);
    let nowhere = dir.path().join("nowhere");
    assert!(matches!(Phone::open_software(Folder::at(&nowhere), clock(), IfAbsent::Refuse), Err(Error::NoStore { .. })));
    assert!(!nowhere.exists());
    // A key store of another phone does not open it either.
    let other = Phone::open(Folder::at(&good), Box::new(SeededKeyStore::new(1)), clock(), IfAbsent::Refuse);
    assert!(matches!(other, Err(Error::KeyMismatch)));
}

#[test]
fn a_missing_or_other_marker_begins_a_new_log_and_throws_nothing_away() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    phone.check_in(&CheckIn { place: Some(place(0)), ..CheckIn::default() }).unwrap();
    let first = phone.status().unwrap();
    drop(phone);
    let old_marker = std::fs::read(dir.path().join("marker")).unwrap();

    std::fs::remove_file(dir.path().join("marker")).unwrap();
    let mut phone = open(dir.path(), &clock);
    let second = phone.status().unwrap();
    assert_ne!(second.log, first.log);
    // The start of the log, and the patrol that goes on in it.
    assert_eq!(second.entries, first.entries + 2);
    phone.check_in(&CheckIn { place: Some(place(200)), ..CheckIn::default() }).unwrap();
    drop(phone);

    std::fs::write(dir.path().join("marker"), old_marker).unwrap();
    let mut phone = open(dir.path(), &clock);
    let third = phone.status().unwrap();
    assert!(third.log != second.log && third.log != first.log);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.verified == check.entries, "{check:?}");
    assert_eq!(phone.patrols(None, 10).unwrap().len(), 3);
    drop(phone);
    assert_eq!(open(dir.path(), &clock).status().unwrap().log, third.log);
}

#[test]
fn a_full_disk_is_an_error_to_the_caller_and_the_log_goes_on_afterwards() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    phone.limit_spool_for_test(Some(60)).unwrap();
    let long = CheckIn { note: Some("ghi chú ".repeat(300)), ..CheckIn::default() };
    let mut saved = 0;
    let error = loop {
        match phone.check_in(&long) {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
        assert!(saved < 1_000);
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    phone.limit_spool_for_test(None).unwrap();
    phone.check_in(&long).unwrap();
    saved += 1;
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty(), "{check:?}");
    assert_eq!(phone.patrol(&id).unwrap().check_ins, saved);
    assert_eq!(check.entries, saved + 2);
    drop(phone);
    assert_eq!(open(dir.path(), &clock).patrol(&id).unwrap().check_ins, saved);
}

const CHILD: &str = "YENBAN_TEST_CAPTURE_UNTIL_KILLED";

/// The child of the next test: captures and says so, until it is killed.
#[test]
fn child_that_captures_until_killed() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let clock = Box::new(SystemClock::new());
    let mut phone = Phone::open_software(Folder::at(PathBuf::from(dir)), clock, IfAbsent::Refuse).unwrap();
    for n in 0.. {
        let name = phone.check_in(&CheckIn { place: Some(place(n % 5_000)), ..CheckIn::default() }).unwrap();
        println!("\nack {name}");
    }
}

#[test]
fn kill_during_capture_loses_nothing_acknowledged_and_doubles_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    drop(phone);
    let mut acknowledged = Vec::new();
    for round in 0..12_usize {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["child_that_captures_until_killed", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acks = lines.map_while(Result::ok).filter_map(|l| l.strip_prefix("ack ").map(str::to_owned));
        acknowledged.extend(acks.by_ref().take(3 + round * 7));
        child.kill().unwrap();
        // What it said between our last look and its death counts too.
        acknowledged.extend(acks);
        child.wait().unwrap();
    }
    let mut phone = open(dir.path(), &clock);
    let mut names = Vec::new();
    loop {
        let page = phone.check_ins(&id, names.last().map(String::as_str), 500).unwrap();
        if page.is_empty() {
            break;
        }
        names.extend(page.into_iter().map(|c| c.id));
    }
    let distinct: std::collections::BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len());
    let missing: Vec<_> = acknowledged.iter().filter(|name| !distinct.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    // At most the one entry in flight at each kill is there without its acknowledgement.
    assert!(names.len() >= acknowledged.len() && names.len() <= acknowledged.len() + 12);
    assert!(acknowledged.len() > 400);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.verified == check.entries, "{check:?}");
}

#[test]
fn a_killed_photo_capture_leaves_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    drop(enrolled(dir.path(), &clock));
    let left = dir.path().join("objects/.unfinished-0011223344556677");
    std::fs::write(&left, [9; 1_000]).unwrap();
    let mut phone = open(dir.path(), &clock);
    assert!(!left.exists());
    let empty = dir.path().join("../empty-photo.jpg");
    let empty = std::env::temp_dir().join(empty.file_name().unwrap());
    std::fs::write(&empty, []).unwrap();
    assert_eq!(phone.capture_photo(&empty, None, false).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(phone.capture_photo(dir.path(), None, false).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(std::fs::read_dir(dir.path().join("objects")).unwrap().count(), 0);
}

#[test]
fn an_altered_photo_is_noticed_by_check_and_not_opened() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let source = dir.path().with_extension("source.jpg");
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| (n * 31 % 251) as u8).collect();
    std::fs::write(&source, &bytes).unwrap();
    let name = phone.capture_photo(&source, None, false).unwrap();
    let again = phone.capture_photo(&source, None, false).unwrap();
    std::fs::remove_file(&source).unwrap();
    // Equal bytes, two captures: they stay two.
    assert_ne!(name, again);
    assert_eq!(phone.status().unwrap().evidence_captured, 2);
    let mut out = Vec::new();
    phone.open_photo(&name, &mut out).unwrap();
    assert_eq!(out, bytes);
    assert!(phone.photos(None).unwrap()[0].original_name.is_some());
    let object = std::fs::read_dir(dir.path().join("objects")).unwrap().flatten().next().unwrap().path();
    let mut sealed = std::fs::read(&object).unwrap();
    for change in [sealed.len() / 2, sealed.len() - 1] {
        sealed[change] ^= 1;
        std::fs::write(&object, &sealed).unwrap();
        assert_eq!(phone.check().unwrap().faults.len(), 1);
        sealed[change] ^= 1;
    }
    std::fs::write(&object, &sealed[..sealed.len() - 65_552]).unwrap();
    let failed = [&name, &again].iter().filter(|n| phone.open_photo(n, &mut Vec::new()).is_err()).count();
    assert_eq!(failed, 1);
    std::fs::remove_file(&object).unwrap();
    assert_eq!(phone.check().unwrap().faults.len(), 1);
}

#[cfg(unix)]
#[test]
fn every_file_of_a_store_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let store = dir.path().join("phone");
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(&store, &clock);
    phone.patrol_start(&[], None).unwrap();
    drop(phone);
    for file in files_under(&store) {
        let mode = std::fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{}: {mode:o}", file.display());
    }
}

#[test]
fn a_store_that_lost_its_log_is_never_taken_for_a_new_one() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    for damage in ["emptied spool", "missing write-ahead log"] {
        let store = dir.path().join(damage);
        let mut phone = enrolled(&store, &clock);
        phone.patrol_start(&[], None).unwrap();
        drop(phone);
        let wal = store.join("spool.db-wal");
        let kept = std::fs::read(&wal).unwrap();
        assert!(!kept.is_empty(), "everything still stands in the write-ahead log");
        match damage {
            "emptied spool" => std::fs::write(store.join("spool.db"), b"").unwrap(),
            _ => std::fs::remove_file(&wal).unwrap(),
        }
        let before = contents(&store);
        let folder = yenban_core::store::Folder::at(&store);
        let error = Phone::open_software(folder, Box::new(clock.clone()), IfAbsent::Refuse).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Damaged, "{damage}: {error}");
        if damage == "emptied spool" {
            assert!(contents(&store) == before, "nothing was changed");
            assert_eq!(std::fs::read(&wal).unwrap(), kept);
        }
    }
}
