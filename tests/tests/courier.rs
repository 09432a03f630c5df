//! Without network, end to end through files: phone, stick or another phone, hub, and back. Whatever happens to the
//! parcels on the way, the hub has everything once and the phone knows it.
#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use commune::{Commune, check_in, sync, walk};
use yenban_core::Phone;
use yenban_core::app::{Report, Said};
use yenban_core::sync::Verdict;
use yenban_core::transport::{Deliverer, Handed};
use yenban_hub::alert::AlertWanted;
use yenban_hub::courier::{ParcelTaken, take};
use yenban_hub::store::{IncidentListing, ListQuery};
use yenban_protocol::parcel::{Kind, Outer, file};

/// What the hub says to each parcel of a file.
fn deliver(commune: &Commune, bytes: &[u8]) -> Vec<Result<ParcelTaken, String>> {
    let taken = |found: yenban_protocol::parcel::Found<'_>| {
        let outer = found.parcel.map_err(|e| e.to_string())?;
        commune.runtime.block_on(take(commune.hub(), outer.bytes())).map_err(|e| e.code().to_owned())
    };
    file(bytes).into_iter().map(taken).collect()
}

fn out(phone: &mut Phone) -> Vec<u8> {
    phone.courier_out().unwrap().parcels.concat()
}

fn landslide() -> Report {
    let said = vec![Said { basis: "seen".into(), text: "đất lấp đường ở suối Nánh".into() }];
    let mut place = yenban_core::app::Place::new(206_601_234, 1_050_834_567, yenban_protocol::record::Provider::Gnss);
    place.accuracy_cm = Some(1_200);
    Report { kind: "landslide".into(), urgent: true, statements: said, place: Some(place), photos: 0 }
}

fn incidents(commune: &Commune) -> Vec<IncidentListing> {
    commune.runtime.block_on(commune.hub().store.incidents(ListQuery::default())).unwrap()
}

fn sms(commune: &Commune, text: &str) -> String {
    commune.runtime.block_on(yenban_hub::sms::take(commune.hub(), text)).unwrap().state
}

#[test]
fn a_stick_takes_everything_there_and_the_receipts_back() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 200);
    phone.report(&landslide()).unwrap();
    let photo = commune.temp.path().join("anh.jpg");
    std::fs::write(&photo, b"\xff\xd8\xff\xe0 not much of a picture").unwrap();
    phone.capture_photo(&photo, None, false).unwrap();
    let entries = phone.status().unwrap().unsent;
    let alert = AlertWanted {
        headline: "Nước lên ở suối Đá Bạn".into(),
        description: "Không qua ngầm.".into(),
        severity: "Severe".into(),
        hamlets: vec!["Nà Phòn".into()],
        ..AlertWanted::default()
    };
    commune.runtime.block_on(yenban_hub::alert::send(commune.hub(), alert)).unwrap();

    let packed = phone.courier_out().unwrap();
    assert_eq!((packed.own, packed.entries, packed.files, packed.carried, packed.more), (1, entries, 1, 0, false));
    let stick = packed.parcels.concat();
    println!("{entries} entries and a photograph: {} bytes in one parcel", stick.len());
    assert!(phone.outbox(10).unwrap().iter().all(|item| item.state == "sent"), "on its way, no receipt");
    let taken = deliver(&commune, &stick).remove(0).unwrap();
    assert_eq!((taken.new_entries, taken.files, taken.refused.len()), (entries, 1, 0), "{:?}", taken.refused);

    let done = phone.courier_in(&taken.answer.unwrap()).unwrap();
    assert_eq!((done.answers, done.received_entries, done.refused.len()), (1, entries, 0), "{:?}", done.refused);
    let status = phone.status().unwrap();
    assert_eq!((status.unsent, status.received, status.evidence_uploaded), (0, entries, 1));
    assert!(phone.outbox(10).unwrap().iter().all(|item| item.state == "received"));
    assert_eq!(phone.alerts().unwrap().len(), 1, "the alert came along");
    // Nothing is left for the network but to say so.
    let outcome = sync(&mut phone);
    assert_eq!((outcome.verdict, outcome.pushed_bytes, outcome.evidence_bytes), (Verdict::UpToDate, 0, 0), "{:?}", outcome.reason);
    // Nothing waits: the parcel still asks.
    let idle = phone.courier_out().unwrap();
    assert_eq!((idle.own, idle.entries, idle.files), (1, 0, 0));
}

#[test]
fn parcels_lost_doubled_reordered_cut_and_altered() {
    let mut commune = Commune::start();
    for seed in 0..12_u64 {
        let mut phone = commune.phone();
        let before = commune.totals().entries;
        let mut chance = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |n: u64| {
            chance ^= chance << 13;
            chance ^= chance >> 7;
            chance ^= chance << 17;
            chance % n
        };
        let (mut on_the_way, mut coming_back): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        phone.patrol_start(&[], None).unwrap();
        for round in 0..8 {
            for n in 0..below(6) {
                check_in(&mut phone, (round * 10 + n) as u32);
            }
            let file = out(&mut phone);
            match below(5) {
                // Lost.
                0 => {}
                // Cut off or altered on the stick, and tried all the same.
                1 => {
                    let mut bad = file.clone();
                    let at = below(bad.len() as u64) as usize;
                    if below(2) == 0 {
                        bad.truncate(at)
                    } else {
                        bad[at] ^= 1 << below(8)
                    };
                    assert!(deliver(&commune, &bad).iter().all(Result::is_err), "seed {seed}");
                    assert_eq!(phone.courier_in(&bad).unwrap().answers, 0);
                }
                // Doubled.
                2 => on_the_way.extend([file.clone(), file]),
                _ => on_the_way.push(file),
            }
            // Delivered in no order, some later, some answers lost.
            while !on_the_way.is_empty() && below(3) > 0 {
                let file = on_the_way.swap_remove(below(on_the_way.len() as u64) as usize);
                for taken in deliver(&commune, &file) {
                    let answer = taken.unwrap().answer.unwrap();
                    match below(4) {
                        0 => {}
                        1 => coming_back.extend([answer.clone(), answer]),
                        _ => coming_back.push(answer),
                    }
                }
            }
            while !coming_back.is_empty() && below(3) > 0 {
                let answer = coming_back.swap_remove(below(coming_back.len() as u64) as usize);
                let done = phone.courier_in(&answer).unwrap();
                assert!(done.refused.is_empty(), "seed {seed}: {:?}", done.refused);
            }
        }
        phone.patrol_finish().unwrap();
        // One whole round ends it, the old parcels after it as well.
        let last = out(&mut phone);
        for file in on_the_way.into_iter().chain([last]) {
            coming_back.extend(deliver(&commune, &file).into_iter().map(|taken| taken.unwrap().answer.unwrap()));
        }
        coming_back.rotate_left(1);
        for answer in coming_back {
            assert!(phone.courier_in(&answer).unwrap().refused.is_empty(), "seed {seed}");
        }
        let status = phone.status().unwrap();
        assert_eq!((status.unsent, status.parked), (0, 0), "seed {seed}");
        let totals = commune.totals();
        assert_eq!((totals.entries - before, totals.forked, totals.chains_ok), (status.entries, 0, true), "seed {seed}");
        assert_eq!(sync(&mut phone).pushed_bytes, 0, "seed {seed}");
    }
}

#[test]
fn another_phone_carries_what_it_cannot_read() {
    let mut commune = Commune::start();
    let (mut phone, mut carrier) = (commune.phone(), commune.phone());
    sync(&mut carrier);
    walk(&mut phone, 30);
    phone.report(&landslide()).unwrap();
    let entries = phone.status().unwrap().unsent;
    let given = out(&mut phone);
    let done = carrier.courier_in(&given).unwrap();
    assert_eq!((done.carried, done.answers, done.refused.len()), (1, 0, 0));
    assert_eq!(carrier.courier_in(&given).unwrap().known, 1, "the same again");
    assert!(carrier.incidents(None, 10).unwrap().is_empty(), "it reads nothing of it");
    assert_eq!(phone.courier_in(&given).unwrap().known, 1, "nobody carries his own");

    // It has network: it delivers, and brings the answer.
    let enrolment = carrier.enrolment().unwrap().clone();
    let road = Deliverer::new(&enrolment.history.value, &enrolment.addresses).unwrap();
    let parcel = carrier.parcel_to_deliver(None).unwrap().unwrap();
    let Handed::Taken(answer) = road.hand(parcel.bytes).unwrap() else { panic!("the hub is there") };
    carrier.parcel_delivered(&parcel.name, &answer).unwrap();
    assert!(carrier.parcel_to_deliver(None).unwrap().is_none());
    assert_eq!(commune.totals().entries, entries + 1, "and the carrier's own first");
    assert_eq!(carrier.carried().unwrap().iter().map(|c| c.to_hub).collect::<Vec<_>>(), [false]);
    let back = carrier.courier_out().unwrap();
    assert_eq!((back.own, back.carried), (1, 1));
    let done = phone.courier_in(&back.parcels.concat()).unwrap();
    assert_eq!((done.answers, done.received_entries, done.carried), (1, entries, 1), "its answer, and a parcel of the other");
    assert_eq!(phone.status().unwrap().unsent, 0);

    // What is for another commune is not carried.
    let mut elsewhere = Commune::start();
    let mut stranger = elsewhere.phone();
    walk(&mut stranger, 2);
    let done = carrier.courier_in(&out(&mut stranger)).unwrap();
    assert_eq!((done.carried, done.refused.len(), done.refused[0].1), (0, 1, "other_hub"));
}

#[test]
fn a_locked_phone_gives_along_and_takes_back() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 5);
    phone.set_pin("271828").unwrap();
    phone.lock().unwrap();
    phone.report(&landslide()).unwrap();
    let taken = deliver(&commune, &out(&mut phone)).remove(0).unwrap();
    assert_eq!(phone.courier_in(&taken.answer.unwrap()).unwrap().answers, 1);
    assert!(phone.is_locked());
    assert_eq!((phone.status().unwrap().unsent, commune.totals().incidents), (0, 1));
}

#[test]
fn an_old_answer_brings_nothing_old_back() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 3);
    let early = deliver(&commune, &out(&mut phone)).remove(0).unwrap().answer.unwrap();
    walk(&mut phone, 3);
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
    let (status, token) = (phone.status().unwrap(), phone.enrolment().unwrap().token.as_ref().unwrap().value);
    let feed = phone.feed().unwrap().len();
    let done = phone.courier_in(&early).unwrap();
    assert_eq!((done.answers, done.received_entries, done.items, done.refused.len()), (1, 0, 0, 0));
    let after = phone.status().unwrap();
    assert_eq!((after.unsent, after.received, phone.feed().unwrap().len()), (status.unsent, status.received, feed));
    assert_eq!(phone.enrolment().unwrap().token.as_ref().unwrap().value, token, "the newest time stays");

    // The hub's database begins another life; what the old one answered says nothing of it.
    let late = deliver(&commune, &out(&mut phone)).remove(0).unwrap().answer.unwrap();
    commune.close();
    commune.open();
    let epoch = yenban_protocol::id::Epoch([7; 8]);
    let now_ms = commune.hub().now_ms();
    commune.runtime.block_on(commune.hub().store.begin_epoch(epoch, now_ms)).unwrap();
    commune.close();
    commune.open();
    std::thread::sleep(std::time::Duration::from_millis(5));
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
    assert!(phone.courier_in(&late).unwrap().refused.is_empty());
    assert_eq!(phone.enrolment().unwrap().token.as_ref().unwrap().value.epoch, epoch);
    assert_eq!(phone.status().unwrap().unsent, 0);
    assert_eq!(sync(&mut phone).pushed_bytes, 0);
}

#[test]
fn an_answer_is_no_contact() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 1);
    let message = |phone: &mut Phone| phone.report_with_message(&landslide()).unwrap().1.unwrap();
    let before = message(&mut phone);
    let taken = deliver(&commune, &out(&mut phone)).remove(0).unwrap();
    phone.courier_in(&taken.answer.unwrap()).unwrap();
    let after = message(&mut phone);
    for text in [before, after] {
        let sms = yenban_protocol::sms::Sms::from_text(&text).unwrap();
        let device = commune.runtime.block_on(commune.hub().store.device(sms.device)).unwrap().unwrap();
        let hub = commune.hub();
        let claim = sms.open(&hub.keys.agreements[0], &device.seal_key, &device.sign_key, &hub.verifier, hub.now_ms()).unwrap();
        assert_eq!(claim.clock, yenban_protocol::sms::Clock::Wall);
    }
}

#[test]
fn one_message_tells_of_what_the_courier_brings_later() {
    let mut commune = Commune::start();
    for order in ["sms parcel", "parcel sms", "sms sms parcel sms parcel"] {
        let mut phone = commune.phone();
        walk(&mut phone, 2);
        let (name, text) = phone.report_with_message(&landslide()).unwrap();
        let text = text.unwrap();
        assert_eq!((text.chars().count(), phone.message_of(&name).unwrap().get(..53)), (160, text.get(..53)), "the same claim again");
        let parcel = out(&mut phone);
        let mut seen = Vec::new();
        for step in order.split(' ') {
            match step {
                "sms" => seen.push(sms(&commune, &text)),
                _ => drop(deliver(&commune, &parcel)),
            }
            let rows: Vec<_> = incidents(&commune).into_iter().filter(|row| row.id == name).collect();
            assert_eq!(rows.len(), 1, "{order}");
            let whole = rows[0].report == "here";
            assert_eq!(rows[0].statements.len(), usize::from(whole), "{order}");
        }
        let row = incidents(&commune).into_iter().find(|row| row.id == name).unwrap();
        assert_eq!((row.report.as_str(), row.kind.as_str(), row.sms_at.is_some()), ("here", "landslide", true), "{order}");
        assert_eq!(seen[0], if order.starts_with("sms") { "to_come" } else { "here" }, "{order}");
    }
}

#[test]
fn a_locked_phone_makes_its_message() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    phone.set_pin("271828").unwrap();
    phone.lock().unwrap();
    let (name, text) = phone.report_with_message(&landslide()).unwrap();
    assert_eq!(sms(&commune, &text.unwrap()), "to_come");
    assert_eq!(incidents(&commune)[0].id, name);
    assert!(matches!(phone.message_of(&name), Err(yenban_core::Error::Locked)), "what is saved opens with the vault");
}

#[test]
fn what_a_phone_carries_is_bounded() {
    let mut commune = Commune::start();
    let (mut phone, mut carrier) = (commune.phone(), commune.phone());
    let most = yenban_core::limits::CARRIED_MAX;
    for _ in 0..most + 10 {
        // Each time sealed anew, so each is another parcel.
        carrier.courier_in(&out(&mut phone)).unwrap();
    }
    assert_eq!(carrier.carried().unwrap().len() as u32, most);
    let parcels = carrier.courier_out().unwrap().parcels;
    let kinds: Vec<Kind> = parcels.iter().map(|parcel| Outer::of(parcel).unwrap().kind).collect();
    assert!(kinds.iter().all(|kind| *kind == Kind::ToHub));
}
