//! Photographs on their way, as the real store keeps them: when they are offered, what marks them, what people see.
#![allow(clippy::unwrap_used)]

mod support;

use support::*;
use yenban_core::app::{Report, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::sync::store::{StreamState, SyncStore};
use yenban_core::{Error, Phone};
use yenban_protocol::cbor::Reader;
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::DayHead;
use yenban_protocol::feed::{FeedItem, Item, Scope, item_hash};
use yenban_protocol::id::{CommuneCode, Epoch, LogId};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;

const NOW_MS: i64 = EVENING_MS + 60_000;

fn log_of(phone: &mut Phone) -> LogId {
    phone.status().unwrap().log.parse().unwrap()
}

/// What the hub says of `log`: entries up to `last`, and these files.
fn receipt(commune: &Commune, log: LogId, held: &[Held], objects: &[(Hash, u64)]) -> Receipt {
    Receipt {
        log,
        epoch: commune.epoch,
        ranges: held.to_vec(),
        floating: Vec::new(),
        objects: objects.to_vec(),
        hub_time_ms: NOW_MS,
        hold_s: 14 * 86_400,
        fork_at: None,
        quarantined: false,
    }
}

fn take(phone: &mut Phone, commune: &Commune, receipt: &Receipt) {
    let signed = Signed::sign(receipt.clone(), &commune.sign).unwrap();
    phone.apply_receipt(&signed, &receipt.ranges).unwrap();
}

/// Every entry has arrived, no file has.
fn entries_arrive(phone: &mut Phone, commune: &Commune) -> LogId {
    let log = log_of(phone);
    let last = phone.status().unwrap().entries - 1;
    let last_link = phone.link(log, last).unwrap().unwrap();
    take(phone, commune, &receipt(commune, log, &[Held { first: 0, last, last_link }], &[]));
    log
}

/// A phone of this epoch with a report and `photos` photographs of it.
fn reported(dir: &std::path::Path, clock: &std::sync::Arc<VirtualClock>, commune: &Commune, photos: u8) -> (Phone, String, Vec<String>) {
    let mut phone = enrolled(dir, clock);
    phone.begin_epoch(commune.epoch).unwrap();
    let said = vec![Said { basis: "seen".into(), text: "Mất trâu".into() }];
    let incident =
        phone.report(&Report { kind: "theft".into(), urgent: false, statements: said, photos: u32::from(photos), place: None }).unwrap();
    let taken = (0..photos).map(|n| {
        let path = dir.join(format!("anh{n}.jpg"));
        std::fs::write(&path, [0xFF, 0xD8, 0xFF, n].repeat(500)).unwrap();
        phone.capture_photo(&path, Some(&incident), false).unwrap()
    });
    let taken = taken.collect();
    (phone, incident, taken)
}

fn outbox_of(phone: &mut Phone, entry: &str) -> (&'static str, String) {
    let found = phone.outbox(100).unwrap().into_iter().find(|item| format!("{}:{}", item.log, item.seq) == entry).unwrap();
    (found.state, found.reason)
}

fn item(commune: &Commune, scope: Scope, number: u64, issued_ms: i64, item: Item) -> Signed<FeedItem> {
    let value = FeedItem { scope, epoch: commune.epoch, number, previous: [0; 32], issued_ms, item };
    Signed::sign(value, &commune.sign).unwrap()
}

fn feed(phone: &mut Phone, items: &[Signed<FeedItem>]) {
    let last = items.last().unwrap();
    let v = &last.value;
    let stream = StreamState { scope: v.scope, epoch: v.epoch, number: v.number, hash: item_hash(last) };
    phone.apply_items(items, &[stream], &[]).unwrap();
}

#[test]
fn a_report_has_arrived_when_its_photographs_have() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let (mut phone, incident, photos) = reported(dir.path(), &clock, &commune, 2);
    assert!(phone.files(100).unwrap().is_empty(), "a file goes after the entry that names it");
    assert_eq!(outbox_of(&mut phone, &photos[0]).0, "unsent");
    let log = entries_arrive(&mut phone, &commune);
    let files = phone.files(100).unwrap();
    assert!(files.iter().all(|f| f.here && std::fs::metadata(&f.path).unwrap().len() == f.size_bytes));
    assert_eq!(phone.files(1).unwrap(), files[..1]);
    let (state, reason) = outbox_of(&mut phone, &photos[0]);
    assert_eq!((state, reason.starts_with("file_on_its_way")), ("sent", true), "{reason}");
    assert_eq!(phone.incident(&incident).unwrap().state, "sent");
    let status = phone.status().unwrap();
    assert_eq!((status.received, status.unsent, status.evidence_captured, status.evidence_uploaded), (status.entries, 0, 2, 0));
    // Each of them is told apart; the report waits for the last.
    let named: Vec<(Hash, u64)> = files.iter().map(|f| (f.sealed_sha256, f.size_bytes)).collect();
    take(&mut phone, &commune, &receipt(&commune, log, &[], &named[..named.len() - 1]));
    assert_eq!((phone.incident(&incident).unwrap().state, phone.files_waiting().unwrap()), ("sent", 1));
    take(&mut phone, &commune, &receipt(&commune, log, &[], &named));
    assert_eq!(phone.incident(&incident).unwrap().state, "received");
    assert_eq!(outbox_of(&mut phone, &photos[1]), ("received", String::new()));
    assert_eq!((phone.status().unwrap().evidence_uploaded, phone.files_waiting().unwrap()), (2, 0));
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert!(phone.files(100).unwrap().is_empty());
    // Another life of the hub: everything is asked about again.
    phone.begin_epoch(Epoch([9; 8])).unwrap();
    assert_eq!((phone.files_waiting().unwrap(), phone.status().unwrap().evidence_uploaded), (named.len() as u64, 0));
}

#[test]
fn no_receipt_of_another_log_size_life_or_time_marks_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let (mut phone, _, _) = reported(dir.path(), &clock, &commune, 1);
    let log = entries_arrive(&mut phone, &commune);
    phone.doubt(yenban_core::sync::store::LogDoubt::Fork).unwrap();
    phone.check_in(&yenban_core::app::CheckIn::default()).unwrap_err();
    phone.patrol_start(&[], None).unwrap();
    let newer = log_of(&mut phone);
    assert_ne!(newer, log);
    let file = phone.files(1).unwrap().remove(0);
    let (hash, size) = (file.sealed_sha256, file.size_bytes);
    let good = receipt(&commune, log, &[], &[(hash, size)]);
    let mut rng = Seeded(22);
    let mut draw = || rand_core::TryRng::try_next_u64(&mut rng).unwrap();
    for n in 0..600 {
        let mut other = good.clone();
        match n % 5 {
            0 => other.objects = vec![(hash, size.wrapping_add(1 + draw() % 9_999))],
            1 => other.objects[0].0[(draw() % 32) as usize] ^= 1 << (draw() % 8),
            2 => other.epoch = Epoch(draw().to_be_bytes()),
            3 => other.log = newer,
            _ => other.objects.clear(),
        }
        take(&mut phone, &commune, &other);
        assert!(phone.file_waits(&hash).unwrap(), "{other:?}");
    }
    // The hub asks for it: what it said before counts no more, what it says since does.
    let scope = Scope::Commune(CommuneCode::new(5_200).unwrap());
    take(&mut phone, &commune, &good);
    assert!(!phone.file_waits(&hash).unwrap());
    feed(&mut phone, &[item(&commune, scope, 1, NOW_MS + 1, Item::ObjectsWanted { objects: vec![hash] })]);
    assert!(phone.file_waits(&hash).unwrap());
    take(&mut phone, &commune, &good);
    assert!(phone.file_waits(&hash).unwrap(), "a receipt from before it was lost");
    take(&mut phone, &commune, &Receipt { hub_time_ms: NOW_MS + 2, ..good });
    assert!(!phone.file_waits(&hash).unwrap());
}

#[test]
fn a_file_that_is_set_aside_is_told_and_can_be_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let (mut phone, _, photos) = reported(dir.path(), &clock, &commune, 1);
    entries_arrive(&mut phone, &commune);
    let file = phone.files(1).unwrap().remove(0).sealed_sha256;
    let original = |phone: &Phone| phone.files(100).unwrap().iter().any(|f| f.sealed_sha256 == file);
    phone.note_file(&file, "not_named: no entry yet").unwrap();
    let all: Vec<Hash> = phone.files(100).unwrap().iter().map(|f| f.sealed_sha256).collect();
    for hash in all {
        for n in 1..=5 {
            assert_eq!(phone.note_file_rejection(&hash, "wrong_hash: spoilt").unwrap(), n);
        }
        phone.park_file(&hash, "wrong_hash: spoilt").unwrap();
    }
    assert!(!original(&phone) && phone.file_waits(&file).unwrap());
    assert_eq!(phone.files_waiting().unwrap(), 0);
    assert_eq!(outbox_of(&mut phone, &photos[0]), ("parked", "wrong_hash: spoilt".to_owned()));
    // Files are counted in evidence, never among entries.
    assert_eq!((phone.status().unwrap().parked, phone.status().unwrap().unsent), (0, 0));
    phone.send_again(&photos[0]).unwrap();
    assert!(original(&phone) || phone.files_waiting().unwrap() > 0);
    assert!(matches!(phone.send_again(&photos[0]), Err(Error::Unknown { .. })));
}

#[test]
fn heads_of_custody_are_remembered_for_good_and_two_of_one_number_tell_of_the_hub() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    let scope = Scope::Commune(CommuneCode::new(5_200).unwrap());
    let head = |number: u64, root: u8, before: Option<&DayHead>| {
        let previous = before.map_or([0; 32], DayHead::hash);
        DayHead { day: 20_261_120 + number as u32, items: 3, root: [root; 32], previous, at_ms: EVENING_MS, number }
    };
    let first = head(0, 1, None);
    let second = head(1, 2, Some(&first));
    let items: Vec<Signed<FeedItem>> = (0..1_200u64)
        .map(|n| {
            let what = match n {
                0 => Item::CustodyHead(first),
                1 => Item::CustodyHead(second),
                _ => Item::Unknown { kind: 99 },
            };
            item(&commune, scope, n + 1, EVENING_MS, what)
        })
        .collect();
    feed(&mut phone, &items);
    assert_eq!(phone.feed().unwrap().len(), 1_000, "the feed itself is pruned");
    phone.keep_streams(&[]).unwrap();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    let told = |phone: &Phone| -> Vec<(u64, bool)> { phone.witness().unwrap().iter().map(|w| (w.number, w.contradicted)).collect() };
    assert_eq!(told(&phone), [(0, false), (1, false)]);
    // The same head in another item says nothing new; another head of that day does.
    let again = item(&commune, scope, 1_201, EVENING_MS, Item::CustodyHead(second));
    let contradiction = item(&commune, scope, 1_202, EVENING_MS, Item::CustodyHead(head(1, 7, Some(&first))));
    feed(&mut phone, &[again, contradiction.clone()]);
    assert_eq!(told(&phone), [(0, false), (1, true), (1, true)]);
    // One that follows none of those before it contradicts them as well.
    feed(&mut phone, &[item(&commune, scope, 1_203, EVENING_MS, Item::CustodyHead(head(2, 9, Some(&first))))]);
    assert_eq!(told(&phone)[3], (2, true));
    // What is exported are the items as they were signed.
    let bytes = phone.witness_export().unwrap();
    let mut r = Reader::new(&bytes);
    let count = r.array(10, "witness").unwrap();
    let kept: Vec<Vec<u8>> = (0..count).map(|_| r.bytes("item").unwrap().to_vec()).collect();
    r.end("witness").unwrap();
    assert!(kept.contains(&items[0].bytes().to_vec()) && kept.contains(&contradiction.bytes().to_vec()));
    // A hub that signs heads without end fills no phone.
    let flood: Vec<_> =
        (0..40).map(|n| item(&commune, scope, 1_300 + n, EVENING_MS, Item::CustodyHead(head(1, 50 + n as u8, Some(&first))))).collect();
    feed(&mut phone, &flood);
    assert_eq!(phone.witness().unwrap().len(), 1 + 8 + 1);
}
