//! Photographs on the road, told as what happens to them.

use proptest::prelude::*;
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::LogId;
use yenban_protocol::receipt::Receipt;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::path;

use super::hub::{Hub, epoch};
use super::phone::{DEVICE, LOG, Phone, key};
use super::road::{Luck, drive, next, reply, sync};
use crate::limits::{CHUNK_FIRST_BYTES, SEGMENTS_BEFORE_A_CHUNK};
use crate::sync::{Method, Outcome, Request, Step, Sync, Verdict};

pub(super) fn arrived(phone: &Phone, hub: &Hub) -> bool {
    phone.files.iter().all(|f| f.received && hub.uploads.verified(&f.hash) == Some(&f.bytes))
}

pub(super) fn is_chunk(request: &Request) -> bool {
    request.method == Method::Patch
}

/// A sync in which each chunk, in its order, has the luck that `lucks` gives; everything else goes through.
fn with_lucky_chunks(phone: &mut Phone, hub: &mut Hub, lucks: &mut dyn Iterator<Item = Luck>) -> Outcome {
    drive(&mut Sync::with_in_flight(1), phone, hub, &mut |_, request| {
        (0, if is_chunk(request) { lucks.next().unwrap_or(Luck::Through) } else { Luck::Through })
    })
}

#[test]
fn text_goes_before_thumbnails_before_previews_before_originals_and_urgent_ones_first() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(1);
    let original = phone.photograph(300_000, 2, false);
    let (preview, thumbnail) = (phone.photograph(40_000, 1, false), phone.photograph(9_000, 0, false));
    let urgent = [phone.photograph(70_000, 2, true), phone.photograph(5_000, 0, true)];
    phone.record_many(30);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.evidence_waiting), (Verdict::UpToDate, 0, 0), "{:?}", outcome.reason);
    assert!(arrived(&phone, &hub));
    let mut begun: Vec<Hash> = hub.uploads.heard.iter().filter(|h| h.0 == Method::Post).filter_map(|h| h.1).collect();
    begun.dedup();
    assert_eq!(begun, [urgent[1], urgent[0], thumbnail, preview, original]);
    assert_eq!((outcome.evidence_bytes, outcome.resent_bytes), (300_000 + 40_000 + 9_000 + 70_000 + 5_000, 0));
    // One question for all of them, one request to begin each, and no more when all is there.
    assert_eq!(hub.uploads.heard.iter().filter(|h| h.1.is_none()).count(), 1);
    assert_eq!(sync(&mut phone, &mut hub).requests, 1);
}

#[test]
fn a_cut_at_any_byte_costs_what_was_in_the_air_and_nothing_else() {
    const SIZE: u64 = 16 * 1024;
    const AIR: u64 = 3_000;
    for round in 0..=(SIZE / 64) {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(round + 1);
        let cuts: Vec<u64> = (0..64).map(|n| round * 64 + n).filter(|cut| *cut <= SIZE).collect();
        for _ in &cuts {
            phone.photograph(SIZE as usize, 2, false);
        }
        let mut lucks = cuts.iter().flat_map(|cut| [Luck::Cut(*cut, AIR), Luck::Through]);
        // What is cut after its last byte has its receipt, so its second chunk is another one's first: count by file.
        let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, request| {
            let offset = request.headers.iter().find(|(n, _)| *n == "upload-offset").map(|(_, v)| v.as_str());
            let first = is_chunk(request) && offset == Some("0");
            (0, if first { lucks.next().unwrap_or(Luck::Through) } else { Luck::Through })
        });
        assert!(arrived(&phone, &hub), "round {round}: {outcome:?}");
        assert_eq!((outcome.verdict, hub.uploads.doubled), (Verdict::UpToDate, 0));
        assert!(outcome.resent_bytes <= AIR * cuts.len() as u64, "{} bytes sent twice", outcome.resent_bytes);
    }
}

#[test]
fn what_was_in_the_air_is_counted_and_nothing_is_sent_before_the_hub_was_asked() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(3);
    let hash = phone.photograph(200_000, 2, false);
    let mut lucks = [Luck::Cut(10_000, 20_000), Luck::ReplyLost, Luck::Lost].into_iter();
    let outcome = with_lucky_chunks(&mut phone, &mut hub, &mut lucks);
    assert!(arrived(&phone, &hub) && hub.uploads.doubled == 0);
    assert_eq!((outcome.resent_bytes, outcome.verdict), (20_000, Verdict::UpToDate));
    assert_eq!(outcome.evidence_bytes, 220_000);
    let chunks = hub.uploads.heard.iter().enumerate().filter(|(_, h)| h.0 == Method::Patch);
    let before: Vec<_> = chunks.skip(1).take(2).map(|(n, _)| hub.uploads.heard[n - 1]).collect();
    assert_eq!(before, [(Method::Post, None, 1); 2], "a question goes before each chunk after a cut");
    assert!(phone.file(&hash).received);
}

#[test]
fn a_sync_that_dies_anywhere_goes_on_where_the_hub_stands() {
    for steps in 0..24 {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(4);
        phone.photograph(400_000, 2, false);
        phone.photograph(100, 0, false);
        let mut dying = Sync::with_in_flight(1);
        for _ in 0..steps {
            if let Step::Send(request) = next(&mut dying, &mut phone) {
                let answer = hub.handle(&request, &phone);
                reply(&mut dying, &mut phone, request.id, answer);
            }
        }
        drop(dying);
        assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
        assert!(arrived(&phone, &hub) && hub.uploads.doubled == 0, "{steps} steps");
    }
}

#[test]
fn an_urgent_report_leaves_before_the_next_chunk_ends() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(5);
    for _ in 0..500 {
        phone.photograph(30_000, 2, false);
    }
    for case in 0..200u64 {
        // How many requests the sync makes before somebody reports.
        let after = 1 + case * 7 % 23;
        let mut run = Sync::new();
        let mut air: Vec<Request> = Vec::new();
        let (mut made, mut chunks_since, mut reported) = (0, 0, None);
        loop {
            match next(&mut run, &mut phone) {
                Step::Send(request) => {
                    made += 1;
                    chunks_since += u32::from(reported.is_some() && is_chunk(&request));
                    let segment = request.path == path::SEGMENTS;
                    air.push(request);
                    if segment && reported.is_some() {
                        break;
                    }
                }
                Step::Wait { .. } => {
                    if made >= after && reported.is_none() {
                        reported = Some(phone.record(true));
                    }
                    let request = air.remove(0);
                    phone.clock.advance_ms(900);
                    let answer = hub.handle(&request, &phone);
                    reply(&mut run, &mut phone, request.id, answer);
                }
                Step::Done(_) => panic!("case {case}: done before the report left"),
            }
        }
        assert_eq!(chunks_since, 0, "case {case}: a chunk went before the report");
        for request in air {
            let answer = hub.handle(&request, &phone);
            reply(&mut run, &mut phone, request.id, answer);
        }
        assert!(phone.log().received.contains(reported.unwrap()), "case {case}");
        if phone.files.iter().filter(|f| !f.received).count() < 30 {
            for _ in 0..100 {
                phone.photograph(30_000, 2, false);
            }
        }
    }
}

#[test]
fn text_without_end_does_not_stop_files_for_ever() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(6);
    for _ in 0..5 {
        phone.photograph(100_000, 2, false);
    }
    sync_text_only(&mut phone, &mut hub);
    let mut run = Sync::new();
    let (mut requests, mut air): (u32, Vec<Request>) = (0, Vec::new());
    while phone.files.iter().any(|f| !f.received) {
        // Somebody writes whenever the sync looks.
        phone.record(false);
        match next(&mut run, &mut phone) {
            Step::Send(request) => air.push(request),
            _ => {
                let request = air.remove(0);
                phone.clock.advance_ms(20);
                let answer = hub.handle(&request, &phone);
                reply(&mut run, &mut phone, request.id, answer);
                requests += 1;
            }
        }
        assert!(requests < 40 * SEGMENTS_BEFORE_A_CHUNK, "files wait for ever");
    }
    assert!(arrived(&phone, &hub));
}

/// Sends entries, and no file: the road is gone when their turn comes.
pub(super) fn sync_text_only(phone: &mut Phone, hub: &mut Hub) {
    let luck = |request: &Request| if super::uploads::Uploads::is_about(request) { Luck::NoRoad } else { Luck::Through };
    drive(&mut Sync::with_in_flight(1), phone, hub, &mut |_, request| (0, luck(request)));
}

#[test]
fn an_upload_that_was_given_up_at_the_hub_begins_again() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(10);
    phone.photograph(500_000, 2, false);
    let mut chunks = 0;
    let outcome = drive(&mut Sync::with_in_flight(1), &mut phone, &mut hub, &mut |_, request| {
        chunks += u32::from(is_chunk(request));
        (0, if chunks == 2 && is_chunk(request) { Luck::NoRoad } else { Luck::Through })
    });
    assert_eq!(outcome.verdict, Verdict::UpToDate);
    // In the middle of a second one, all that was begun is gone.
    phone.photograph(500_000, 2, false);
    let mut run = Sync::with_in_flight(1);
    let mut patches = 0;
    loop {
        match next(&mut run, &mut phone) {
            Step::Send(request) => {
                patches += u32::from(is_chunk(&request));
                if patches == 2 {
                    hub.uploads.expire();
                }
                let answer = hub.handle(&request, &phone);
                phone.clock.advance_ms(20);
                reply(&mut run, &mut phone, request.id, answer);
            }
            Step::Wait { for_ms } => phone.clock.advance_ms(for_ms.unwrap()),
            Step::Done(outcome) => break assert_eq!(outcome.verdict, Verdict::UpToDate),
        }
    }
    assert!(arrived(&phone, &hub));
}

#[test]
fn another_sender_moved_the_offset_and_the_hub_says_where_it_is() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(11);
    let hash = phone.photograph(CHUNK_FIRST_BYTES as usize * 3, 2, false);
    let mut run = Sync::with_in_flight(1);
    let mut twice = true;
    loop {
        match next(&mut run, &mut phone) {
            Step::Send(request) => {
                // The first chunk arrives twice (a background transfer lived on), the later answer comes back.
                let mut answer = hub.handle(&request, &phone);
                if is_chunk(&request) && std::mem::take(&mut twice) {
                    answer = hub.handle(&request, &phone);
                    assert_eq!(answer.status, 409);
                }
                reply(&mut run, &mut phone, request.id, answer.clone());
                // A late repetition changes nothing.
                reply(&mut run, &mut phone, request.id, answer);
            }
            Step::Wait { for_ms } => phone.clock.advance_ms(for_ms.unwrap()),
            Step::Done(outcome) => break assert_eq!((outcome.verdict, outcome.resent_bytes), (Verdict::UpToDate, 0)),
        }
    }
    assert_eq!(hub.uploads.verified(&hash).map(<[u8]>::len), Some(CHUNK_FIRST_BYTES as usize * 3));
    assert_eq!(hub.uploads.doubled, CHUNK_FIRST_BYTES);
}

#[test]
fn a_restored_hub_is_asked_about_every_file_again_and_gets_what_it_lacks() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(13);
    let (kept, lost, gone) = (phone.photograph(50_000, 2, false), phone.photograph(50_000, 2, false), phone.photograph(50_000, 2, false));
    sync(&mut phone, &mut hub);
    hub.restore(10, epoch(2));
    hub.uploads.lose(&lost);
    hub.uploads.lose(&gone);
    phone.file(&gone).here = false;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.verdict, Verdict::UpToDate, "what is not here cannot be waited for");
    assert_eq!(outcome.evidence_bytes, 50_000);
    assert!(phone.file(&kept).received && phone.file(&lost).received && !phone.file(&gone).received);
}

#[test]
fn files_that_the_hub_wants_again_are_sent_again() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(14);
    let files: Vec<Hash> = (0..3).map(|_| phone.photograph(50_000, 2, false)).collect();
    sync(&mut phone, &mut hub);
    let old = hub.file_receipt(LOG, &files);
    hub.uploads.lose(&files[1]);
    hub.issue(Scope::Device(DEVICE), Item::ObjectsWanted { objects: vec![files[1], [9; 32]] });
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.evidence_bytes), (Verdict::UpToDate, 50_000));
    assert!(arrived(&phone, &hub));
    // A receipt from before does not settle what was asked for since.
    hub.uploads.lose(&files[1]);
    hub.now_ms += 60_000;
    hub.issue(Scope::Device(DEVICE), Item::ObjectsWanted { objects: vec![files[1]] });
    let luck = |request: &Request| if super::uploads::Uploads::is_about(request) { Luck::NoRoad } else { Luck::Through };
    drive(&mut Sync::with_in_flight(1), &mut phone, &mut hub, &mut |_, request| (0, luck(request)));
    let mut run = super::forgeries::ready(&mut phone);
    assert!(run.take_file_receipt(&old, &mut phone).unwrap());
    assert!(!phone.file(&files[1]).received);
}

#[test]
fn files_of_two_logs_go_with_receipts_of_their_own() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(15);
    phone.photograph(20_000, 2, false);
    // Its entry goes while its session is the newest of this phone.
    sync_text_only(&mut phone, &mut hub);
    phone.begin_log(LogId([8; 8]));
    phone.photograph(20_000, 2, false);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.verdict, Verdict::UpToDate, "{:?}", outcome.reason);
    assert!(arrived(&phone, &hub));
    hub.restore(10, epoch(3));
    assert_eq!(sync(&mut phone, &mut hub).evidence_bytes, 0, "one question brings both receipts back");
    assert!(arrived(&phone, &hub));
}

/// Another phone's entries may name the same file; its receipts are true and say nothing of ours.
#[test]
fn a_receipt_about_the_log_of_another_phone_stops_nothing() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(29);
    let file = phone.photograph(20_000, 2, false);
    sync(&mut phone, &mut hub);
    let value = Receipt { log: LogId([0x77; 8]), objects: vec![(file, 20_000)], ..hub.state(LOG) };
    let foreign = |epoch| Signed::sign(Receipt { epoch, ..value.clone() }, &key(2)).unwrap().into_bytes();
    let mut run = super::forgeries::ready(&mut phone);
    phone.file(&file).received = false;
    assert!(run.take_file_receipt(&foreign(hub.epoch), &mut phone).unwrap());
    assert!(run.take_file_receipt(&foreign(epoch(9)), &mut phone).unwrap());
    assert!(!run.stopping && run.epochs == 0 && !phone.file(&file).received);
    phone.record_many(3);
    let outcome = drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, Luck::Through));
    assert_eq!((outcome.verdict, phone.file(&file).received), (Verdict::UpToDate, true), "{:?}", outcome.reason);
}

#[test]
fn nothing_waits_for_ever_for_an_answer_that_never_comes() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(17);
    phone.photograph(20_000, 2, false);
    let mut run = Sync::new();
    let (mut sent, mut steps) = (0, 0);
    let outcome = loop {
        steps += 1;
        assert!(steps < 100, "it goes on for ever");
        match next(&mut run, &mut phone) {
            Step::Send(_) => sent += 1,
            Step::Wait { for_ms: Some(ms) } => phone.clock.advance_ms(ms),
            Step::Wait { for_ms: None } => run.give_up_waiting(&mut phone).unwrap(),
            Step::Done(outcome) => break outcome,
        }
    };
    assert_eq!((outcome.verdict, sent > 1), (Verdict::Offline, true));
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![
        6 => Just(Luck::Through),
        1 => Just(Luck::Lost),
        2 => Just(Luck::ReplyLost),
        1 => Just(Luck::Twice),
        1 => Just(Luck::NoRoad),
        3 => (0..80_000u64, 0..65_536u64).prop_map(|(arrived, air)| Luck::Cut(arrived, air)),
    ]
}

#[derive(Debug, Clone)]
enum Event {
    Photograph { size_bytes: usize, kind: u8, urgent: bool },
    Record(u64),
    Sync(Vec<(usize, Luck)>),
    Killed(usize),
    Expire,
    Restore(u64),
    Lose(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        5 => (1_000..400_000usize, 0..3u8, any::<bool>()).prop_map(|(size_bytes, kind, urgent)| Event::Photograph { size_bytes, kind, urgent }),
        1 => (1..40u64).prop_map(Event::Record),
        4 => prop::collection::vec((0..4usize, luck()), 0..60).prop_map(Event::Sync),
        1 => (0..20usize).prop_map(Event::Killed),
        1 => Just(Event::Expire),
        1 => (0..20u64).prop_map(Event::Restore),
        1 => (0..9usize).prop_map(Event::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_every_file_is_verified_and_known(events in prop::collection::vec(event(), 1..16)) {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(99);
        let mut life = 1;
        for event in events {
            match event {
                Event::Photograph { size_bytes, kind, urgent } => { phone.photograph(size_bytes, kind, urgent); }
                Event::Record(count) => phone.record_many(count),
                Event::Sync(lucks) => {
                    let mut lucks = lucks.into_iter();
                    drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, _| lucks.next().unwrap_or((0, Luck::Through)));
                }
                Event::Killed(steps) => {
                    let mut run = Sync::new();
                    for step in 0..steps {
                        if let Step::Send(request) = next(&mut run, &mut phone) {
                            let answer = hub.handle(&request, &phone);
                            if step % 3 > 0 {
                                reply(&mut run, &mut phone, request.id, answer);
                            }
                        }
                    }
                }
                Event::Expire => hub.uploads.expire(),
                Event::Restore(kept) => {
                    life += 1;
                    hub.restore(kept, epoch(life));
                }
                Event::Lose(index) => {
                    let Some(hash) = phone.files.get(index).map(|f| f.hash) else { continue };
                    hub.uploads.lose(&hash);
                    hub.now_ms += 1;
                    hub.issue(Scope::Device(DEVICE), Item::ObjectsWanted { objects: vec![hash] });
                }
            }
        }
        let outcome = sync(&mut phone, &mut hub);
        prop_assert_eq!((outcome.unsent, outcome.evidence_waiting), (0, 0), "{:?}", outcome);
        prop_assert!(arrived(&phone, &hub));
        prop_assert!(phone.files.iter().all(|f| f.rejections == 0 && f.parked.is_none()), "bad luck on the road is no rejection");
    }
}
