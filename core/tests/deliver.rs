//! The store as sync sees it: receipts, feed, tokens, doubt; what people then see of it.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use yenban_core::Error;
use yenban_core::app::{CheckIn, Report, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::sync::store::{Gap, LogDoubt, StreamState, SyncStore};
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::crypto::SoftwareVerifier;
use yenban_protocol::feed::{Fate, FeedItem, Item, Scope, item_hash};
use yenban_protocol::id::{CommuneCode, Epoch, LogId, MemberNo};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;

fn log_of(phone: &mut yenban_core::Phone) -> LogId {
    phone.status().unwrap().log.parse().unwrap()
}

fn receipt(commune: &Commune, log: LogId, held: &[Held]) -> Signed<Receipt> {
    let value = Receipt {
        log,
        epoch: commune.epoch,
        ranges: held.to_vec(),
        floating: Vec::new(),
        objects: Vec::new(),
        hub_time_ms: EVENING_MS + 9_000,
        hold_s: 14 * 86_400,
        fork_at: None,
        quarantined: false,
    };
    Signed::sign(value, &commune.sign).unwrap()
}

fn alert(id: &str, kind: MessageType, references: &[&str]) -> Item {
    Item::Alert(Alert {
        identifier: id.into(),
        sender_name: "Công an xã".into(),
        sent_ms: EVENING_MS,
        expires_ms: EVENING_MS + 3_600_000,
        status: Status::Actual,
        message_type: kind,
        severity: Severity::Severe,
        urgency: Urgency::Immediate,
        headline: format!("Mưa lớn {id}"),
        description: String::new(),
        instruction: "Rời chân dốc".into(),
        hamlets: Vec::new(),
        references: references.iter().map(|r| (*r).to_owned()).collect(),
    })
}

fn item(commune: &Commune, scope: Scope, number: u64, item: Item) -> Signed<FeedItem> {
    let value = FeedItem { scope, epoch: commune.epoch, number, previous: [0; 32], issued_ms: EVENING_MS, item };
    Signed::sign(value, &commune.sign).unwrap()
}

fn stream(commune: &Commune, item: &Signed<FeedItem>) -> StreamState {
    StreamState { scope: item.value.scope, epoch: commune.epoch, number: item.value.number, hash: item_hash(item) }
}

#[test]
fn send_state_is_derived_from_receipts_and_parking() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    for n in 0..8 {
        phone.check_in(&CheckIn { place: Some(place(n)), ..CheckIn::default() }).unwrap();
    }
    let log = log_of(&mut phone);
    assert_eq!(phone.logs().unwrap()[0].len, 10);
    phone.note_unanswered(log, 0, 4).unwrap();
    assert_eq!(phone.note_rejection(log, 7, 7, "too_large").unwrap(), 1);
    assert_eq!(phone.note_rejection(log, 7, 7, "too_large").unwrap(), 2);
    SyncStore::park(&mut phone, log, 7, "too_large").unwrap();
    let link = phone.link(log, 4).unwrap().unwrap();
    let signed = receipt(&commune, log, &[Held { first: 0, last: 4, last_link: link }]);
    SyncStore::apply_receipt(&mut phone, &signed, &signed.value.ranges).unwrap();
    // The same again, and an older one that knows less: nothing changes.
    SyncStore::apply_receipt(&mut phone, &signed, &signed.value.ranges).unwrap();
    SyncStore::apply_receipt(&mut phone, &signed, &[Held { first: 0, last: 2, last_link: link }]).unwrap();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    let status = phone.status().unwrap();
    assert_eq!((status.entries, status.received, status.parked, status.unsent), (10, 5, 1, 4));
    let outbox = phone.outbox(100).unwrap();
    assert_eq!(outbox.len(), 10);
    assert_eq!((outbox[0].seq, outbox[0].state, outbox[0].reason.as_str()), (7, "parked", "too_large"));
    assert_eq!(outbox.iter().filter(|i| i.state == "received").count(), 5);
    assert!(outbox.iter().all(|i| i.kind != "sealed"));
    let name = format!("{log}:7");
    phone.send_again(&name).unwrap();
    assert!(matches!(phone.send_again(&name), Err(Error::Unknown { .. })));
    assert_eq!(phone.status().unwrap().parked, 0);
    // What was parked and arrives after all is received.
    SyncStore::park(&mut phone, log, 8, "odd").unwrap();
    let last = phone.link(log, 9).unwrap().unwrap();
    SyncStore::apply_receipt(&mut phone, &signed, &[Held { first: 5, last: 9, last_link: last }]).unwrap();
    let status = phone.status().unwrap();
    assert_eq!((status.received, status.parked, status.unsent), (10, 0, 0));
    assert_eq!(phone.received(log).unwrap().iter().collect::<Vec<_>>(), [(0, 9)]);
    // A restored hub: everything is to be offered again, nothing is gone.
    phone.begin_epoch(Epoch([9; 8])).unwrap();
    assert_eq!(phone.epoch().unwrap(), Some(Epoch([9; 8])));
    assert_eq!(phone.status().unwrap().unsent, 10);
}

#[test]
fn entries_open_with_their_sessions_and_at_the_hub() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    phone.set_pin("739168").unwrap();
    phone.lock().unwrap();
    phone.check_in(&CheckIn::default()).unwrap();
    let log = log_of(&mut phone);
    let entries = phone.entries(log, 0, 10).unwrap();
    assert_eq!(entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [0, 1, 2]);
    // Locking began another session; locked, the phone itself opens nothing, but the hub does.
    assert_ne!(entries[1].session, entries[2].session);
    let mut previous = [0; 32];
    for entry in &entries {
        assert!(phone.session_key(entry.session).unwrap().is_none());
        let key = phone.session_wrap(entry.session).unwrap().open(log, &commune.seal).unwrap();
        let name = yenban_protocol::id::EntryName { log, seq: entry.seq };
        let body = key.open(name, &entry.body).unwrap();
        assert_eq!(body.link(log, entry.seq, &previous), entry.link);
        previous = entry.link;
    }
    // The head that was signed at lock verifies with the device's key.
    let heads = phone.heads(log, 0, 10).unwrap();
    let device_key = phone.enrolment().unwrap().certificate.value.sign_key;
    assert_eq!(heads[0].seq, 1);
    assert!(heads[0].token.is_some());
    assert!(heads[0].verify(log, &entries[1].link, &device_key, &SoftwareVerifier));
}

#[test]
fn alerts_live_end_and_are_answered_in_whatever_order_they_came() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    let everyone = Scope::Commune(CommuneCode::new(5_200).unwrap());
    let items = [
        item(&commune, everyone, 1, alert("c2", MessageType::Cancel, &["a2"])),
        item(&commune, everyone, 2, alert("a1", MessageType::Alert, &[])),
        item(&commune, everyone, 3, alert("a2", MessageType::Alert, &[])),
        item(&commune, everyone, 5, alert("u1", MessageType::Update, &["a1"])),
    ];
    let gap = Gap { scope: everyone, epoch: commune.epoch, first: 4, last: 4 };
    let streams = [stream(&commune, &items[3])];
    assert_eq!(phone.apply_items(&items, &streams, &[gap]).unwrap(), 4);
    assert_eq!(phone.apply_items(&items, &streams, &[]).unwrap(), 0);
    let shown = |phone: &mut yenban_core::Phone| -> Vec<(String, &'static str)> {
        phone.alerts().unwrap().into_iter().map(|a| (a.id, a.state)).collect()
    };
    let states = shown(&mut phone);
    assert_eq!(states[0], ("u1".to_owned(), "live"));
    assert!(states.contains(&("a1".to_owned(), "updated")) && states.contains(&("a2".to_owned(), "cancelled")));
    assert_eq!(phone.feed_gaps().unwrap(), [("commune.05200".to_owned(), 4, 4)]);
    let status = phone.status().unwrap();
    assert_eq!((status.alerts_unread, status.alerts_total), (1, 3));

    phone.answer_alert("u1", "seen").unwrap();
    phone.answer_alert("5", "going").unwrap();
    assert!(matches!(phone.answer_alert("u9", "seen"), Err(Error::Unknown { .. })));
    assert!(phone.answer_alert("u1", "maybe").is_err());
    assert_eq!(phone.alerts().unwrap()[0].answer, Some("going"));
    assert_eq!(phone.status().unwrap().alerts_unread, 0);

    // The wall clock runs wild; the hub's time by the anchor of this boot decides.
    let contact = Anchor { hub_ms: EVENING_MS, monotonic_ms: 1_000, rtt_ms: 40 };
    phone.set_token(&commune.token(EVENING_MS), contact).unwrap();
    clock.set_wall_ms(EVENING_MS + 10 * 365 * 86_400_000);
    assert_eq!(shown(&mut phone)[0].1, "live");
    clock.advance_ms(2 * 3_600_000);
    assert!(shown(&mut phone).contains(&("u1".to_owned(), "expired")));

    phone.keep_streams(&[]).unwrap();
    assert!(phone.alerts().unwrap().is_empty() && phone.streams().unwrap().is_empty());
}

#[test]
fn what_is_for_one_member_waits_for_that_member() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    let said = vec![Said { basis: "seen".into(), text: "Mất gà".into() }];
    let report = Report { kind: "theft".into(), urgent: false, statements: said, place: None, photos: 0 };
    let incident = phone.report(&report).unwrap();
    let fate = Fate { incident: incident.parse().unwrap(), state: "needs_more".into(), note: "Gà màu gì?".into() };
    let mine = item(&commune, Scope::Member(MemberNo(7)), 1, Item::Fate(fate));
    phone.apply_items(std::slice::from_ref(&mine), &[stream(&commune, &mine)], &[]).unwrap();
    let shown = phone.incident(&incident).unwrap();
    assert_eq!((shown.fate.as_deref(), shown.fate_note.as_deref()), (Some("needs_more"), Some("Gà màu gì?")));
    assert_eq!(phone.feed().unwrap().len(), 1);
    phone.hand_over(8).unwrap();
    assert!(phone.feed().unwrap().is_empty());
    phone.hand_over(7).unwrap();
    assert_eq!(phone.feed().unwrap().len(), 1);
    phone.set_pin("739168").unwrap();
    phone.lock().unwrap();
    assert!(phone.feed().unwrap().is_empty());
}

#[test]
fn doubt_begins_a_new_log_with_the_next_entry() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    let before = log_of(&mut phone);
    phone.doubt(LogDoubt::HubAhead).unwrap();
    assert_eq!(log_of(&mut phone), before);
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert_eq!(log_of(&mut phone), before);
    phone.check_in(&CheckIn::default()).unwrap();
    let after = log_of(&mut phone);
    assert_ne!(after, before);
    assert_eq!(phone.logs().unwrap().iter().map(|l| l.len).collect::<Vec<_>>(), [2, 3]);
    phone.check_in(&CheckIn::default()).unwrap();
    assert_eq!(log_of(&mut phone), after);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.verified == check.entries, "{check:?}");
}

#[test]
fn times_are_bounded_by_contacts_of_the_same_boot_only() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(0);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    let id = phone.patrol_start(&[], None).unwrap();
    let contact = Anchor { hub_ms: EVENING_MS, monotonic_ms: 1_000, rtt_ms: 200 };
    phone.set_token(&commune.token(EVENING_MS), contact).unwrap();
    clock.advance_ms(3_600_000);
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    phone.check_in(&CheckIn::default()).unwrap();
    clock.reboot();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    phone.check_in(&CheckIn::default()).unwrap();
    let rows = phone.check_ins(&id, None, 10).unwrap();
    let truth = EVENING_MS + 3_600_000;
    let (earliest, latest) = (rows[0].earliest_ms.unwrap(), rows[0].latest_ms.unwrap());
    assert!(earliest <= truth && truth <= latest && latest - earliest < 2_000, "{earliest}..{latest}");
    assert_eq!((rows[1].earliest_ms, rows[1].latest_ms), (None, None));
}

#[test]
fn what_is_for_one_member_waits_for_that_member_whoever_has_the_phone() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    phone.hand_over(8).unwrap();
    let fate = Fate { incident: "0101010101010101:4".parse().unwrap(), state: "needs_more".into(), note: "Ai báo?".into() };
    let mine = item(&commune, Scope::Member(MemberNo(7)), 1, Item::Fate(fate));
    phone.apply_items(std::slice::from_ref(&mine), &[stream(&commune, &mine)], &[]).unwrap();
    assert!(phone.feed().unwrap().is_empty());
    phone.hand_over(7).unwrap();
    assert_eq!(phone.feed().unwrap().len(), 1);
}

#[test]
fn long_reports_are_read_a_segment_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let said = || Said { basis: "seen".into(), text: "suối ".repeat(2_300) };
    let long = Report { kind: "theft".into(), urgent: false, statements: vec![said(), said(), said()], place: None, photos: 0 };
    (0..30).for_each(|_| drop(phone.report(&long).unwrap()));
    let log = log_of(&mut phone);
    let mut next = 0;
    while next < 31 {
        let run = SyncStore::entries(&phone, log, next, 512).unwrap();
        let size_bytes: usize = run.iter().map(|entry| entry.size_bytes).sum();
        assert!(size_bytes < 320 * 1024, "{size_bytes} bytes for one segment");
        assert!(run.iter().zip(next..).all(|(entry, seq)| entry.seq == seq));
        next += run.len() as u64;
    }
    // More than fits a part is refused as a whole, with nothing saved.
    let more = Report { statements: (0..5).map(|_| said()).collect(), ..long };
    assert_eq!(phone.report(&more).unwrap_err().kind(), yenban_core::ErrorKind::Invalid);
    assert_eq!(phone.status().unwrap().entries, 31);
}
