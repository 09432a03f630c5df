//! Lock, PIN, hand-over: capture goes on, looking does not.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use yenban_core::app::{CheckIn, KeepOpen, Report, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::{Error, ErrorKind};

const PIN: &str = "739168";

fn urgent() -> Report {
    Report { kind: "fire".into(), urgent: true, statements: vec![], place: None, photos: 0 }
}

#[test]
fn capture_works_while_locked_and_shows_after_unlock() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    assert!(matches!(phone.lock(), Err(Error::NoPin)));
    assert!(matches!(phone.set_pin("123456"), Err(Error::PinRefused { .. })));
    phone.set_pin(PIN).unwrap();
    phone.check_in(&CheckIn { place: Some(place(0)), ..CheckIn::default() }).unwrap();
    phone.lock().unwrap();
    assert!(phone.is_locked());

    phone.check_in(&CheckIn { place: Some(place(300)), ..CheckIn::default() }).unwrap();
    phone.report(&urgent()).unwrap();
    let photo = dir.path().join("..").join("photo-locked.jpg");
    let photo = std::env::temp_dir().join(photo.file_name().unwrap());
    std::fs::write(&photo, [&[0xFF, 0xD8, 0xFF][..], &vec![7; 200_000]].concat()).unwrap();
    let captured = phone.capture_photo(&photo, None, true).unwrap();
    let quiet = Report { urgent: false, statements: vec![Said { basis: "seen".into(), text: "x".into() }], ..urgent() };
    for error in [
        phone.report(&quiet).unwrap_err(),
        phone.patrol_pause().unwrap_err(),
        phone.patrol_finish().unwrap_err(),
        phone.patrols(None, 10).unwrap_err(),
        phone.incidents(None, 10).unwrap_err(),
        phone.hand_over(8).unwrap_err(),
        phone.set_pin("904817").unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::Locked, "{error}");
    }
    let status = phone.status().unwrap();
    assert!(status.locked && status.patrol.unwrap().check_ins.is_none());
    assert!(phone.outbox(100).unwrap().iter().all(|i| i.kind == "sealed"));
    // Each command is a process of its own: a restart stays locked.
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert!(phone.is_locked());
    phone.check_in(&CheckIn { place: Some(place(600)), ..CheckIn::default() }).unwrap();

    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    let rows = phone.check_ins(&id, None, 10).unwrap();
    assert_eq!(rows.iter().map(|r| r.unconfirmed).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(phone.incidents(None, 10).unwrap().len(), 1);
    let mut bytes = Vec::new();
    phone.open_photo(&captured, &mut bytes).unwrap();
    assert_eq!(bytes, std::fs::read(&photo).unwrap());
    assert_eq!(phone.confirm_locked_captures().unwrap(), 4);
    assert_eq!(phone.confirm_locked_captures().unwrap(), 0);
    assert!(phone.check_ins(&id, None, 10).unwrap().iter().all(|r| !r.unconfirmed));
    let report = phone.check().unwrap();
    assert!(report.faults.is_empty() && report.verified == report.entries, "{report:?}");
}

#[test]
fn pin_tries_are_counted_on_the_disk_and_end_without_wiping() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    phone.set_pin(PIN).unwrap();
    phone.lock().unwrap();
    for left in [9, 8, 7] {
        match phone.unlock("904817", KeepOpen::ThisProcess) {
            Err(Error::PinWrong { left: told }) => assert_eq!(told, left),
            other => panic!("{other:?}"),
        }
    }
    // The right one sets the count back.
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    phone.lock().unwrap();
    for _ in 0..9 {
        drop(phone);
        phone = open(dir.path(), &clock);
        assert!(matches!(phone.unlock("904817", KeepOpen::ThisProcess), Err(Error::PinWrong { .. })));
    }
    assert!(matches!(phone.unlock("904817", KeepOpen::ThisProcess), Err(Error::PinDisabled)));
    assert!(matches!(phone.unlock(PIN, KeepOpen::ThisProcess), Err(Error::PinDisabled)));
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    clock.set_wall_ms(EVENING_MS + 400 * 86_400_000);
    assert!(matches!(phone.unlock(PIN, KeepOpen::ThisProcess), Err(Error::PinDisabled)));
    phone.check_in(&CheckIn::default()).unwrap();
    assert_eq!(phone.status().unwrap().entries, 3);
}

#[test]
fn a_headless_phone_can_stay_open_until_it_is_locked_or_restarted() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.set_pin(PIN).unwrap();
    phone.unlock(PIN, KeepOpen::UntilLocked).unwrap();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert!(!phone.is_locked());
    phone.lock().unwrap();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert!(phone.is_locked());
    phone.unlock(PIN, KeepOpen::UntilLocked).unwrap();
    drop(phone);
    clock.reboot();
    assert!(open(dir.path(), &clock).is_locked());
}

#[test]
fn the_next_member_cannot_read_what_the_last_one_wrote() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[8], None).unwrap();
    let theft = Report {
        kind: "theft".into(),
        urgent: false,
        statements: vec![Said { basis: "seen".into(), text: "Mất gà nhà ông Páo".into() }],
        place: None,
        photos: 0,
    };
    let incident = phone.report(&theft).unwrap();
    for wrong in [0, 7] {
        assert_eq!(phone.hand_over(wrong).unwrap_err().kind(), ErrorKind::Invalid);
    }
    phone.hand_over(8).unwrap();
    assert_eq!(phone.member(), 8);
    assert!(phone.incidents(None, 10).unwrap().is_empty());
    assert!(phone.search("ga", 10).unwrap().is_empty());
    assert!(matches!(phone.patrol(&id), Err(Error::Unknown { .. })));
    assert!(matches!(phone.amend(&incident, &theft.statements), Err(Error::Unknown { .. })));
    // The shift goes on: the patrol is still open, and its check-ins are the next member's.
    phone.check_in(&CheckIn { place: Some(place(0)), ..CheckIn::default() }).unwrap();
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.sealed == 4, "{check:?}");
    assert_eq!(phone.status().unwrap().entries, check.entries);
    phone.hand_over(7).unwrap();
    assert_eq!(phone.incidents(None, 10).unwrap()[0].headline, "Mất gà nhà ông Páo");
    assert!(phone.check().unwrap().faults.is_empty());
}

const CHILD: &str = "YENBAN_TEST_UNLOCK_UNTIL_KILLED";
/// A log that was emptied begins with a header, written and synced before the first page.
const WAL_HEADER_BYTES: usize = 32;

/// The child of the next test: tries a PIN; what it says first means that the try has begun.
#[test]
fn child_that_tries_a_pin() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = open(std::path::Path::new(&dir), &clock);
    println!("\ntrying");
    let _ = phone.unlock("904817", KeepOpen::ThisProcess);
    println!("\nchecked");
}

#[test]
fn a_kill_while_the_pin_is_checked_does_not_give_the_try_back() {
    use std::io::{BufRead, BufReader};
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.set_pin(PIN).unwrap();
    drop(phone);
    let wal = dir.path().join("spool.db-wal");
    let mut counted = 0;
    for _ in 0..4 {
        let before = std::fs::read(&wal).unwrap();
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["child_that_tries_a_pin", "--exact", "--nocapture", "--test-threads=1"])
            .env(CHILD, dir.path())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        assert!(lines.any(|line| line == "trying"));
        // Killed as soon as the count is on the disk and nothing more is being written: the check
        // itself, which takes far longer, has begun.
        let mut last = before.clone();
        loop {
            let now = std::fs::read(&wal).unwrap();
            if now.len() > WAL_HEADER_BYTES && now != before && now == last {
                break;
            }
            last = now;
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        counted += 1;
    }
    let mut phone = open(dir.path(), &clock);
    match phone.unlock("904817", KeepOpen::ThisProcess) {
        Err(Error::PinWrong { left }) => assert_eq!(left, 10 - counted - 1),
        other => panic!("{other:?}"),
    }
}
