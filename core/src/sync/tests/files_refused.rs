//! Photographs that the hub refuses, has no room for or gets wrong, and those that are damaged here: nothing is sent for
//! ever, and none keeps another waiting.

use yenban_protocol::crypto::Hash;
use yenban_protocol::wire::path;

use super::files::{arrived, is_chunk, sync_text_only};
use super::hub::Hub;
use super::phone::LOG;
use super::road::{Luck, drive, fail, next, reply, sync};
use crate::sync::{Failure, Step, Sync, Verdict};

#[test]
fn a_file_that_comes_out_wrong_is_sent_once_more_then_parked_and_blocks_nobody() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(7);
    let (spoilt, bad) = (phone.photograph(90_000, 2, false), phone.photograph(90_000, 2, false));
    let good = phone.photograph(90_000, 2, false);
    hub.uploads.spoils.insert(spoilt, 1);
    hub.uploads.spoils.insert(bad, u32::MAX);
    let outcome = sync(&mut phone, &mut hub);
    assert!(phone.file(&spoilt).received && phone.file(&good).received && !phone.file(&bad).received);
    assert_eq!((outcome.verdict, outcome.evidence_waiting, phone.file(&bad).rejections), (Verdict::Partial, 1, 1));
    assert_eq!(outcome.reason.unwrap().code, "wrong_hash");
    let verdicts: Vec<Verdict> = (0..4).map(|_| sync(&mut phone, &mut hub).verdict).collect();
    assert_eq!(verdicts, [Verdict::Partial, Verdict::Partial, Verdict::Partial, Verdict::UpToDate]);
    assert!(phone.file(&bad).parked.as_deref().unwrap().starts_with("wrong_hash"));
    let heard = hub.uploads.heard.len();
    sync(&mut phone, &mut hub);
    assert_eq!(hub.uploads.heard.len(), heard, "what was set aside is not offered");
}

#[test]
fn answers_that_want_patience_get_it() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(8);
    for _ in 0..3 {
        phone.photograph(150_000, 2, false);
    }
    hub.uploads.locked = 4;
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
    assert!(arrived(&phone, &hub));
    // Held by somebody for good: the sync ends all the same, and nothing counts as a rejection.
    let held = phone.photograph(10_000, 2, false);
    hub.uploads.locked = u32::MAX;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.reason.unwrap().code.as_str()), (Verdict::Partial, "locked"));
    assert_eq!(phone.file(&held).rejections, 0);
    hub.uploads.locked = 0;
    hub.busy = 2;
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
}

#[test]
fn a_hub_too_busy_for_files_keeps_no_report_waiting() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(18);
    phone.photograph(50_000, 2, false);
    hub.uploads.busy = u32::MAX;
    let mut run = Sync::new();
    let mut reported = None;
    let outcome = loop {
        match next(&mut run, &mut phone) {
            Step::Send(request) => {
                let answer = hub.handle(&request, &phone);
                reply(&mut run, &mut phone, request.id, answer.clone());
                if answer.status == 503 && reported.is_none() {
                    reported = Some((phone.record(true), hub.now_ms));
                    assert!(matches!(next(&mut run, &mut phone), Step::Send(request) if request.path == path::SEGMENTS));
                    run.give_up_waiting(&mut phone).unwrap();
                }
            }
            Step::Wait { for_ms } => phone.clock.advance_ms(for_ms.unwrap()),
            Step::Done(outcome) => break outcome,
        }
    };
    assert_eq!((outcome.verdict, outcome.unsent, outcome.evidence_waiting), (Verdict::Partial, 0, 1));
    assert_eq!(outcome.reason.unwrap().code, "busy");
    hub.uploads.busy = 3;
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
}

#[test]
fn a_hub_that_fails_with_one_file_gets_the_others() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(27);
    let broken: Vec<Hash> = (0..10).map(|_| phone.photograph(20_000, 0, true)).collect();
    let fine = phone.photograph(20_000, 2, false);
    hub.uploads.failing.extend(&broken);
    let outcome = sync(&mut phone, &mut hub);
    assert!(phone.file(&fine).received, "{:?}", outcome.reason);
    assert_eq!((outcome.verdict, outcome.evidence_waiting), (Verdict::Partial, 10));
    assert!(phone.file(&broken[0]).reason.as_deref().unwrap().starts_with("internal"));
    hub.uploads.failing.clear();
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
    // One that fails with every file is asked no more than a bounded number of times.
    let many: Vec<Hash> = (0..200).map(|_| phone.photograph(500, 2, false)).collect();
    hub.uploads.failing.extend(&many);
    let heard = hub.uploads.heard.len();
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::Partial);
    assert!(hub.uploads.heard.len() - heard < 50);
}

#[test]
fn a_file_on_which_the_road_always_breaks_lets_the_others_pass() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(28);
    let (cursed, fine) = (phone.photograph(20_000, 0, true), phone.photograph(20_000, 2, false));
    let name = data_encoding::HEXLOWER.encode(&cursed);
    let outcome = drive(&mut Sync::with_in_flight(1), &mut phone, &mut hub, &mut |_, request| {
        (0, if is_chunk(request) && request.path.ends_with(&name) { Luck::Lost } else { Luck::Through })
    });
    assert!(phone.file(&fine).received, "{:?}", outcome.reason);
    assert_eq!((outcome.verdict, outcome.evidence_waiting, phone.file(&cursed).rejections), (Verdict::Partial, 1, 0));
}

#[test]
fn a_hub_without_room_takes_text_and_gets_files_later() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(9);
    let (fits, never) = (phone.photograph(5_000, 0, false), phone.photograph(700_000, 2, false));
    hub.uploads.full = true;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.evidence_waiting), (Verdict::Partial, 0, 2));
    assert_eq!(outcome.reason.unwrap().code, "no_room");
    assert!(phone.file(&fits).reason.as_deref().unwrap().starts_with("no_room"));
    hub.uploads.full = false;
    hub.uploads.too_large.insert(never);
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
    assert!(phone.file(&fits).received);
    assert!(phone.file(&never).parked.as_deref().unwrap().starts_with("too_large"));
}

#[test]
fn what_no_entry_names_waits_and_says_why_and_what_was_destroyed_is_not_offered_again() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(12);
    let (orphan, erased, fine) = (phone.photograph(4_000, 2, false), phone.photograph(4_000, 2, false), phone.photograph(4_000, 2, false));
    sync_text_only(&mut phone, &mut hub);
    hub.uploads.erased.insert(erased);
    phone.file(&orphan).seq = 0;
    hub.uploads.named.clear();
    hub.reads(&phone);
    // The hub's log begins later than the phone believes: it names nothing under that number.
    hub.forget(LOG, 0);
    let outcome = sync(&mut phone, &mut hub);
    assert!(phone.file(&fine).received && !phone.file(&orphan).received && !phone.file(&erased).received);
    assert_eq!((outcome.evidence_waiting, outcome.reason.unwrap().code.as_str()), (1, "not_named"));
    assert!(phone.file(&orphan).reason.as_deref().unwrap().starts_with("not_named"));
    assert!(phone.file(&erased).parked.as_deref().unwrap().starts_with("erased"));
}

#[test]
fn a_file_that_cannot_be_read_here_is_parked_in_the_end() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(16);
    let (broken, fine) = (phone.photograph(20_000, 0, false), phone.photograph(20_000, 2, false));
    for _ in 0..5 {
        let mut run = Sync::with_in_flight(1);
        loop {
            match next(&mut run, &mut phone) {
                Step::Send(request) if is_chunk(&request) && request.path.ends_with(&data_encoding::HEXLOWER.encode(&broken)) => {
                    fail(&mut run, &mut phone, request.id, Failure::NoFile("it is cut".into()));
                }
                Step::Send(request) => {
                    let answer = hub.handle(&request, &phone);
                    reply(&mut run, &mut phone, request.id, answer);
                }
                Step::Wait { for_ms } => phone.clock.advance_ms(for_ms.unwrap()),
                Step::Done(_) => break,
            }
        }
    }
    assert!(phone.file(&fine).received);
    assert!(phone.file(&broken).parked.as_deref().unwrap().starts_with("damaged"));
}

/// The bytes changed on the phone's own disk: sending them again would be in vain.
#[test]
fn a_file_that_is_damaged_here_is_set_aside_at_once_and_sent_no_second_time() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(30);
    let (damaged, fine) = (phone.photograph(90_000, 1, false), phone.photograph(90_000, 2, false));
    phone.file(&damaged).bytes[40_000] ^= 1;
    let outcome = sync(&mut phone, &mut hub);
    assert!(phone.file(&fine).received && !phone.file(&damaged).received);
    assert!(phone.file(&damaged).parked.as_deref().unwrap().starts_with("damaged_here"));
    assert_eq!((outcome.verdict, outcome.evidence_bytes, phone.file(&damaged).rejections), (Verdict::UpToDate, 180_000, 0));
}
