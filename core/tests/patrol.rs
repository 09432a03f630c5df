//! A night patrol on one phone: what is recorded is shown, survives restarts, and can be derived again.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use yenban_core::app::{CheckIn, Place, Report, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::{Error, ErrorKind};
use yenban_protocol::record::Provider;

fn seen(text: &str) -> Said {
    Said { basis: "seen".into(), text: text.into() }
}

fn theft(text: &str) -> Report {
    Report { kind: "theft".into(), urgent: false, statements: vec![seen(text)], place: Some(place(40)), photos: 0 }
}

#[test]
fn a_phone_may_move_to_another_thread() {
    fn needs_send<T: Send>() {}
    needs_send::<yenban_core::Phone>();
}

#[test]
fn nothing_can_be_captured_before_enrolment() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = open(dir.path(), &clock);
    for error in [
        phone.patrol_start(&[], None).unwrap_err(),
        phone.check_in(&CheckIn::default()).unwrap_err(),
        phone.report(&theft("x")).unwrap_err(),
        phone.outbox(10).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::NotEnrolled, "{error}");
    }
    let status = phone.status().unwrap();
    assert!(!status.enrolled && status.entries == 0 && status.chain_head.is_empty());
}

#[test]
fn an_answer_that_the_pinned_root_did_not_sign_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = open(dir.path(), &clock);
    let mut commune = Commune::new();
    let (code, request) = phone.enrol_request(&commune.code_text()).unwrap();
    let mut other_root = code.clone();
    other_root.root_hash[0] ^= 1;
    let answer = commune.answer(&request, 7);
    assert_eq!(phone.enrolled(&other_root, &answer).unwrap_err().kind(), ErrorKind::Refused);
    let mut cut = answer.clone();
    let last = cut.certificate.len() - 1;
    cut.certificate[last] ^= 1;
    assert_eq!(phone.enrolled(&code, &cut).unwrap_err().kind(), ErrorKind::Refused);
    assert!(phone.identity().is_none());
    // Another phone's certificate is not ours.
    let dir_b = tempfile::tempdir().unwrap();
    let mut other = open(dir_b.path(), &clock);
    let (_, other_request) = other.enrol_request(&commune.code_text()).unwrap();
    let foreign = commune.answer(&other_request, 7);
    assert_eq!(phone.enrolled(&code, &foreign).unwrap_err().kind(), ErrorKind::Refused);
    phone.enrolled(&code, &answer).unwrap();
    assert!(matches!(phone.enrolled(&other_root, &answer), Err(Error::AlreadyEnrolled)));
    assert!(matches!(phone.enrol_request(&other_root.to_text()), Err(Error::AlreadyEnrolled)));
    assert_eq!(phone.identity().unwrap().hamlet_name, "Bản Nà Phòn");
    assert!(dir.path().join("spool.rescue").exists());
}

#[test]
fn a_patrol_from_start_to_finish() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[8, 9, 7], None).unwrap();
    assert!(matches!(phone.patrol_start(&[], None), Err(Error::PatrolUnderWay { .. })));
    for n in 0..6 {
        clock.advance_ms(180_000);
        let note = (n == 3).then(|| "Đèn cầu treo hỏng".to_owned());
        phone.check_in(&CheckIn { place: Some(place(n * 200)), note, checkpoint: None }).unwrap();
    }
    phone.patrol_pause().unwrap();
    assert!(matches!(phone.check_in(&CheckIn::default()), Err(Error::PatrolPaused)));
    phone.patrol_resume().unwrap();
    phone.patrol_crew(&[10], &[9]).unwrap();
    // A command each: the patrol goes on over restarts.
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    clock.advance_ms(180_000);
    phone.check_in(&CheckIn { place: Some(place(1_200)), ..CheckIn::default() }).unwrap();
    let status = phone.status().unwrap();
    let open_patrol = status.patrol.unwrap();
    assert_eq!((open_patrol.id.as_str(), open_patrol.check_ins), (id.as_str(), Some(7)));
    phone.patrol_finish().unwrap();
    assert!(matches!(phone.patrol_finish(), Err(Error::NoPatrol)));
    let patrol = phone.patrol(&id).unwrap();
    assert_eq!((patrol.state, patrol.check_ins), ("finished", 7));
    assert_eq!(patrol.crew, [7, 8, 10]);
    assert!((1_100..=1_300).contains(&patrol.distance_m), "{} m", patrol.distance_m);
    let check_ins = phone.check_ins(&id, None, 100).unwrap();
    assert_eq!(check_ins.len(), 7);
    assert_eq!(check_ins[3].note.as_deref(), Some("Đèn cầu treo hỏng"));
    assert_eq!(check_ins[6].lat_e7, Some(206_601_200 + 1_200 * 90));
    let page = phone.check_ins(&id, Some(&check_ins[4].id), 100).unwrap();
    assert_eq!(page, check_ins[5..]);
    let report = phone.check().unwrap();
    assert!(report.faults.is_empty(), "{:?}", report.faults);
    assert_eq!(report.verified, report.entries);
    assert_eq!(phone.status().unwrap().unsent, report.entries);
}

#[test]
fn a_place_off_the_earth_is_refused_and_leaves_no_entry() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    let before = phone.status().unwrap().entries;
    let mut nowhere = place(0);
    nowhere.lat_e7 = 910_000_000;
    let error = phone.check_in(&CheckIn { place: Some(nowhere), ..CheckIn::default() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    let long = CheckIn { note: Some("x".repeat(20_000)), ..CheckIn::default() };
    assert_eq!(phone.check_in(&long).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(phone.status().unwrap().entries, before);
    phone.check_in(&CheckIn::default()).unwrap();
}

#[test]
fn reports_are_found_without_diacritics_and_keep_what_was_said_first() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let first = phone.report(&theft("Mất hai con gà ở suối đá bạn")).unwrap();
    clock.advance_ms(1_000);
    let fire = Report { kind: "fire".into(), urgent: true, statements: vec![], place: None, photos: 0 };
    let urgent = phone.report(&fire).unwrap();
    clock.advance_ms(1_000);
    phone.report(&theft("Không có gì lạ")).unwrap();
    phone.amend(&first, &[Said { basis: "heard".into(), text: "Có người thấy xe lạ \"NEAR\" OR *".into() }]).unwrap();

    let found = phone.search("suoi da ban", 10).unwrap();
    assert_eq!(found.iter().map(|i| i.id.as_str()).collect::<Vec<_>>(), [first.as_str()]);
    assert_eq!(phone.search("xe la near", 10).unwrap().len(), 1);
    assert!(phone.search("trâu", 10).unwrap().is_empty());
    assert!(phone.search("\"' ( *", 10).unwrap().is_empty());

    let list = phone.incidents(None, 10).unwrap();
    assert_eq!(list[0].id, urgent);
    assert_eq!(list[2].id, first);
    assert_eq!(list[2].amendments, 1);
    assert_eq!(phone.incidents(Some(&list[0].id), 1).unwrap(), list[1..2]);
    let said = phone.statements(&first).unwrap();
    assert_eq!((said[0].basis, said[1].basis), ("seen", "heard"));
    assert_eq!(said[0].text, "Mất hai con gà ở suối đá bạn");

    let pins = phone.pins(206_000_000, 1_050_000_000, 207_000_000, 1_051_000_000, 50).unwrap();
    assert_eq!(pins.len(), 2);
    assert!(phone.pins(100_000_000, 1_050_000_000, 101_000_000, 1_051_000_000, 50).unwrap().is_empty());

    for (kind, text) in [("thefts", "x"), ("theft", "  ")] {
        let mut report = theft(text);
        report.kind = kind.into();
        assert_eq!(phone.report(&report).unwrap_err().kind(), ErrorKind::Invalid);
    }
    for name in ["0000000000000000:1", "x", "0000000000000000:99999999999999999999"] {
        assert!(matches!(phone.amend(name, &[seen("y")]), Err(Error::Unknown { .. })), "{name}");
    }
    let outbox = phone.outbox(100).unwrap();
    assert!(outbox.iter().all(|item| item.state == "unsent" && item.attempts == 0));
    assert_eq!(outbox.iter().filter(|i| i.kind == "incident_reported").count(), 3);
}

#[test]
fn a_vault_that_is_gone_or_damaged_is_derived_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    for n in 0..300 {
        clock.advance_ms(60_000);
        phone.check_in(&CheckIn { place: Some(place(n * 60)), ..CheckIn::default() }).unwrap();
    }
    phone.report(&theft("Mất cắp")).unwrap();
    let (patrol, incidents) = (phone.patrol(&id).unwrap(), phone.incidents(None, 10).unwrap());
    phone.rebuild().unwrap();
    assert_eq!(phone.patrol(&id).unwrap(), patrol);
    drop(phone);

    std::fs::write(dir.path().join("vault-7.db"), b"not a database at all").unwrap();
    let mut phone = open(dir.path(), &clock);
    assert_eq!((phone.patrol(&id).unwrap(), phone.incidents(None, 10).unwrap()), (patrol.clone(), incidents.clone()));
    drop(phone);
    // Set aside, not deleted.
    assert!(std::fs::read_dir(dir.path()).unwrap().flatten().any(|f| f.file_name().to_string_lossy().contains("damaged-")));

    for name in ["vault-7.db", "vault-7.db-wal"] {
        let _ = std::fs::remove_file(dir.path().join(name));
    }
    let mut phone = open(dir.path(), &clock);
    assert_eq!((phone.patrol(&id).unwrap(), phone.incidents(None, 10).unwrap()), (patrol, incidents));
    assert!(phone.check().unwrap().faults.is_empty());
}

#[test]
fn times_are_honest_over_a_restart_of_the_phone() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(0);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    phone.check_in(&CheckIn { place: Some(place(0)), ..CheckIn::default() }).unwrap();
    clock.reboot();
    clock.set_wall_ms(EVENING_MS);
    let mut fix = place(10);
    fix.gnss_ms = Some(EVENING_MS + 500);
    phone.check_in(&CheckIn { place: Some(fix), ..CheckIn::default() }).unwrap();
    let rows = phone.check_ins(&id, None, 10).unwrap();
    assert_eq!((rows[0].at_ms, rows[0].earliest_ms, rows[0].latest_ms), (0, None, None));
    assert_eq!(rows[1].at_ms, EVENING_MS + 500);
    assert_eq!(rows[1].latest_ms, Some(EVENING_MS + 2_500));
}

#[test]
fn a_recorded_track_without_times_has_a_length() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let patrol = phone.patrol_start(&[], None).unwrap();
    for step in 0..=10 {
        // Played back: two hundred metres in a millisecond, with no time of its own.
        clock.advance_ms(1);
        let mut at = place(step * 200);
        (at.provider, at.accuracy_cm) = (yenban_protocol::record::Provider::Imported, None);
        phone.check_in(&CheckIn { place: Some(at), ..CheckIn::default() }).unwrap();
    }
    phone.patrol_finish().unwrap();
    let distance_m = phone.patrol(&patrol).unwrap().distance_m;
    assert!((1_980..=2_020).contains(&distance_m), "{distance_m} m of about 2,000");
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert_eq!(phone.patrol(&patrol).unwrap().distance_m, distance_m);
    assert!(phone.check().unwrap().faults.is_empty());
}

#[test]
fn an_old_fix_and_the_time_of_other_apps_do_not_move_an_entry() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    let half_an_hour_ms = 1_800_000_u32;
    let old = Place { gnss_ms: Some(EVENING_MS - 1_800_000), fix_age_ms: Some(half_an_hour_ms), ..place(0) };
    let mock = Place { gnss_ms: Some(EVENING_MS - 400 * 86_400_000), provider: Provider::Mock, ..place(5) };
    for place in [old, mock] {
        phone.check_in(&CheckIn { place: Some(place), ..CheckIn::default() }).unwrap();
    }
    let rows = phone.check_ins(&id, None, 10).unwrap();
    assert!(rows[0].earliest_ms.unwrap() <= EVENING_MS && EVENING_MS <= rows[0].latest_ms.unwrap(), "{:?}", rows[0]);
    assert_eq!((rows[1].at_ms, rows[1].earliest_ms, rows[1].latest_ms), (EVENING_MS, None, None));
}
