//! Sync over real TLS against the real hub: joining, sending, receiving, cuts, strangers.
#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;
#[path = "support/roads.rs"]
mod roads;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use commune::{Commune, Seventies, check_in, join, sync, walk};
use yenban_core::app::{CheckIn, Report, Said};
use yenban_core::sync::Verdict;
use yenban_core::transport::{self, Until};
use yenban_core::{Error, ErrorKind};
use yenban_hub::alert::AlertWanted;
use yenban_hub::enrol::{CodeWanted, make_waiting_code};
use yenban_hub::store::{CheckpointRow, ListQuery};
use yenban_protocol::id::{MemberNo, Role};
use yenban_protocol::text::code::CheckpointCode;

#[test]
fn a_patrol_arrives_once_and_is_known_to_have() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 600);
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.parked), (Verdict::UpToDate, 0, 0), "{:?}", outcome.reason);
    assert_eq!(outcome.pushed_entries, 603, "log, start, check-ins, finish");
    let totals = commune.totals();
    assert_eq!((totals.entries, totals.check_ins, totals.patrols, totals.chains_ok), (603, 600, 1, true));
    let again = sync(&mut phone);
    assert_eq!((again.requests, again.pushed_bytes, again.verdict), (1, 0, Verdict::UpToDate));
    assert_eq!(phone.status().unwrap().unsent, 0);
}

#[test]
fn an_urgent_report_leaves_while_the_vault_is_locked() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 40);
    phone.set_pin("271828").unwrap();
    phone.lock().unwrap();
    let said = vec![Said { basis: "seen".into(), text: "Lửa ở bìa rừng".into() }];
    phone.report(&Report { kind: "fire".into(), urgent: true, statements: said, place: None, photos: 0 }).unwrap();
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0), "{:?}", outcome.reason);
    assert_eq!((commune.totals().incidents, commune.totals().entries), (1, outcome.pushed_entries));
    assert!(phone.is_locked());
}

#[test]
fn an_alert_comes_back_with_the_feed_once() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    sync(&mut phone);
    let wanted = AlertWanted {
        headline: "Nước lên ở suối Đá Bạn".into(),
        description: "Không qua ngầm.".into(),
        severity: "Severe".into(),
        hamlets: vec!["Nà Phòn".into()],
        ..AlertWanted::default()
    };
    commune.runtime.block_on(yenban_hub::alert::send(commune.hub(), wanted)).unwrap();
    let outcome = sync(&mut phone);
    assert!(outcome.pulled_items >= 1, "{outcome:?}");
    assert_eq!(phone.alerts().unwrap().len(), 1);
    assert_eq!(sync(&mut phone).pulled_items, 0);
}

#[test]
fn a_hub_that_is_away_is_offline_and_back_is_back() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 10);
    commune.close();
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Offline, 13));
    commune.open();
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
    assert_eq!(commune.totals().entries, 13);
}

#[test]
fn the_second_address_serves_when_the_first_does_not() {
    let mut commune = Commune::start();
    let live = commune.address.to_string();
    let mut phone = commune.phone_at(vec!["127.0.0.1:9".into(), live]);
    walk(&mut phone, 3);
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
}

#[test]
fn connections_that_break_anywhere_lose_and_double_nothing() {
    let mut commune = Commune::start();
    let road = roads::breaking(commune.address, &[200, 900, 1_400, 1_800, 2_300, 3_000, 1_500, 2_600, 5_000]);
    let live = commune.address.to_string();
    let mut phone = commune.phone_at(vec![live]);
    walk(&mut phone, 2_000);
    let outcome = transport::run(&mut phone, &[road.to_string()], Until::Empty, Some(60_000)).unwrap();
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0), "{:?}", outcome.reason);
    let totals = commune.totals();
    assert_eq!((totals.entries, totals.check_ins, totals.forked), (2_003, 2_000, 0));
    assert!(outcome.requests > 5, "the road did break");
}

#[test]
fn time_that_is_up_ends_a_sync_and_keeps_what_was_heard() {
    let mut commune = Commune::start();
    let silent = roads::silent();
    let mut phone = commune.new_phone(Box::new(Seventies::now()));
    join(&mut phone, &commune.code(vec![commune.address.to_string()])).unwrap();
    walk(&mut phone, 5);
    let started = Instant::now();
    let outcome = transport::run(&mut phone, &[silent.to_string()], Until::Empty, Some(700)).unwrap();
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Offline, 8));
}

#[test]
fn capture_goes_on_while_a_sync_waits_for_the_network() {
    let mut commune = Commune::start();
    let silent = roads::silent();
    let mut phone = commune.new_phone(Box::new(Seventies::now()));
    join(&mut phone, &commune.code(vec![commune.address.to_string()])).unwrap();
    phone.patrol_start(&[], None).unwrap();
    let phone = Mutex::new(phone);
    std::thread::scope(|threads| {
        let syncing = threads.spawn(|| transport::run(&mut &phone, &[silent.to_string()], Until::Once, Some(1_500)));
        let started = Instant::now();
        for n in 0..20 {
            check_in(&mut phone.lock().unwrap(), n);
        }
        assert!(started.elapsed() < Duration::from_secs(1), "capture waited for the network");
        assert!(!syncing.is_finished());
        syncing.join().unwrap().unwrap();
    });
}

#[test]
fn a_stranger_at_the_address_gets_nothing() {
    let (mut commune, stranger) = (Commune::start(), Commune::start());
    let mut phone = commune.phone();
    walk(&mut phone, 5);
    let outcome = transport::run(&mut phone, &[stranger.address.to_string()], Until::Once, None).unwrap();
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Refused, 8));
    assert_eq!(outcome.reason.unwrap().code, "hub_mismatch");
    assert_eq!((stranger.totals().entries, stranger.totals().quarantine), (0, 0));
    // Nor does an enrolment code hand its token to one.
    let mut newcomer = commune.new_phone(Box::new(Seventies::now()));
    let error = join(&mut newcomer, &commune.code(vec![stranger.address.to_string()])).unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "hub_mismatch"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Refused);
}

#[test]
fn a_relay_with_its_own_key_is_not_believed_even_with_the_right_history() {
    let (mut commune, other) = (Commune::start(), Commune::start());
    let relay = roads::relay(&commune, &other);
    let mut newcomer = commune.new_phone(Box::new(Seventies::now()));
    let error = join(&mut newcomer, &commune.code(vec![relay.to_string()])).unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "hub_mismatch"), "{error}");
    assert!(error.to_string().contains("between"), "the history was right, the connection was not: {error}");
    let mut phone = commune.phone();
    walk(&mut phone, 2);
    let outcome = transport::run(&mut phone, &[relay.to_string()], Until::Once, None).unwrap();
    assert_eq!(outcome.reason.unwrap().code, "hub_mismatch");
}

#[test]
fn a_code_serves_once() {
    let mut commune = Commune::start();
    let code = commune.code(vec![commune.address.to_string()]);
    let (mut first, mut second) = (commune.new_phone(Box::new(Seventies::now())), commune.new_phone(Box::new(Seventies::now())));
    join(&mut first, &code).unwrap();
    let error = join(&mut second, &code).unwrap_err();
    assert!(matches!(&error, Error::Refused { code, .. } if code == "token_used"), "{error}");
}

/// Entered at the hub, known to the phone by its directory, and what was scanned comes back.
#[test]
fn a_checkpoint_goes_out_with_the_directory_and_comes_back_in_a_check_in() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    let people = commune.runtime.block_on(commune.hub().store.people()).unwrap();
    let hamlet = people.hamlet_named("Nà Phòn").unwrap().no;
    let code = CheckpointCode::new(1_234_567).unwrap();
    let place_e7 = (206_601_200, 1_050_834_500);
    let row = CheckpointRow { code, hamlet, name: "Cầu treo".into(), place_e7, made_ms: commune.hub().now_ms(), closed_ms: None };
    let signer = commune.hub().item_signer();
    assert!(commune.runtime.block_on(commune.hub().store.add_checkpoint(row, signer)).unwrap());
    sync(&mut phone);
    let known = phone.directory().unwrap().checkpoints;
    assert_eq!(known.iter().map(|known| (known.code.as_str(), known.name.as_str())).collect::<Vec<_>>(), [("15N-M7J", "Cầu treo")]);
    phone.patrol_start(&[], None).unwrap();
    phone.check_in(&CheckIn { place: None, checkpoint: Some(known[0].code.clone()), note: None }).unwrap();
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
    let rows = commune.runtime.block_on(commune.hub().store.check_ins(ListQuery::default())).unwrap();
    assert_eq!(rows[0].checkpoint.as_deref(), Some("15N-M7J"));
}

/// A code of the console: until its four words are compared the phone is refused, records on and loses nothing.
#[test]
fn a_phone_that_waits_keeps_everything_and_delivers_it_once_confirmed() {
    let mut commune = Commune::start();
    let wanted = CodeWanted {
        hamlet: "Nà Phòn".into(),
        create: true,
        role: Role::Member,
        name: "Lò Văn Páo".into(),
        addresses: vec![commune.address.to_string()],
    };
    let code = commune.runtime.block_on(make_waiting_code(commune.hub(), wanted, MemberNo(0))).unwrap().text;
    let mut phone = commune.new_phone(Box::new(Seventies::now()));
    join(&mut phone, &code).unwrap();
    walk(&mut phone, 4);
    for _ in 0..7 {
        // More often than an entry that is refused for itself would be tried before it is set aside.
        let outcome = sync(&mut phone);
        assert_eq!((outcome.verdict, outcome.unsent, outcome.parked), (Verdict::Refused, 7, 0));
        assert_eq!(outcome.reason.unwrap().code, "unconfirmed");
    }
    walk(&mut phone, 2);
    assert_eq!(commune.totals().entries, 0);
    let device = phone.enrolment().unwrap().device;
    assert!(commune.runtime.block_on(yenban_hub::phones::confirm(commune.hub(), "Hà Văn Sơn", device)).unwrap());
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.parked), (Verdict::UpToDate, 0, 0), "{:?}", outcome.reason);
    let totals = commune.totals();
    assert_eq!((totals.entries, totals.check_ins, totals.quarantine), (outcome.pushed_entries, 6, 0));
}

#[test]
fn a_revoked_phone_is_told_and_delivers_into_quarantine() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 4);
    sync(&mut phone);
    let device = phone.enrolment().unwrap().device;
    commune.runtime.block_on(yenban_hub::admin::revoke(commune.hub(), device, true)).unwrap();
    walk(&mut phone, 4);
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Refused, 6));
    assert_eq!(outcome.reason.unwrap().code, "revoked");
    assert_eq!((commune.totals().quarantine, commune.totals().check_ins), (1, 4));
}
