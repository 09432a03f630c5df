//! What leaves along with the feed: sooner, and never taken for anything it is not.

use yenban_protocol::wire::path;

use super::hub::{Hub, epoch};
use super::phone::{LOG, Phone};
use super::road::{Luck, drive, fail, next, reply, sync};
use crate::sync::{Failure, Request, Step, Sync, Verdict};

/// Everything that a sync wants in the air now.
pub(super) fn sent(run: &mut Sync, phone: &mut Phone) -> Vec<Request> {
    std::iter::from_fn(|| match next(run, phone) {
        Step::Send(request) => Some(request),
        _ => None,
    })
    .collect()
}

/// Answers that come in the wrong order: the segment's before the feed's.
fn crossed(phone: &mut Phone, hub: &mut Hub, between: impl FnOnce(&mut Sync, &mut Phone)) -> crate::sync::Outcome {
    let mut run = Sync::new();
    let air = sent(&mut run, phone);
    assert_eq!(air.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), [path::FEED, path::SEGMENTS]);
    let answers: Vec<_> = air.iter().map(|request| hub.handle(request, phone)).collect();
    let [feed, segment] = <[_; 2]>::try_from(answers).unwrap();
    reply(&mut run, phone, air[1].id, segment.clone());
    reply(&mut run, phone, air[1].id, segment);
    between(&mut run, phone);
    reply(&mut run, phone, air[0].id, feed);
    drive(&mut run, phone, hub, &mut |_, _| (0, Luck::Through))
}

#[test]
fn one_round_trip_is_enough() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(50);
    phone.record_many(200);
    let outcome = crossed(&mut phone, &mut hub, |run, phone| {
        assert!(phone.log().received.is_empty(), "nothing is made of it before the feed");
        assert_eq!(next(run, phone), Step::Wait { for_ms: None }, "and nothing is sent again");
        fail(run, phone, 1, Failure::lost("late news of what was answered"));
    });
    assert_eq!((outcome.verdict, outcome.pushed_entries, outcome.requests), (Verdict::UpToDate, 200, 2));
    assert_eq!((outcome.resent_bytes, hub.got.len()), (0, 1));
}

#[test]
fn a_restored_hub_is_met_by_a_segment_first() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(51);
    phone.record_many(100);
    sync(&mut phone, &mut hub);
    hub.restore(40, epoch(2));
    phone.record_many(10);
    let outcome = crossed(&mut phone, &mut hub, |_, phone| assert_eq!(phone.epoch, Some(epoch(1))));
    assert_eq!((outcome.verdict, outcome.pushed_entries, phone.epoch), (Verdict::UpToDate, 70, Some(epoch(2))));
    assert_eq!(hub.holds(LOG), (0..110).collect::<Vec<_>>());
    assert!(hub.stored.values().all(|n| *n == 1));
}

#[test]
fn keys_that_changed_meanwhile_count_against_no_entry() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(52);
    phone.record_many(3);
    let mut run = Sync::new();
    let air = sent(&mut run, &mut phone);
    // Heard with the old keys, answered with the new ones: signed with a key unknown here, or not to be opened at all.
    let feed = hub.handle(&air[0], &phone);
    hub.rotate_keys();
    let segment = hub.handle(&air[1], &phone);
    assert_eq!(segment.problem.as_ref().unwrap().code, "unsealed");
    reply(&mut run, &mut phone, air[1].id, segment);
    reply(&mut run, &mut phone, air[0].id, feed);
    let outcome = drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, Luck::Through));
    assert!(phone.rejections.is_empty() && phone.log().parked.is_empty());
    assert_eq!((outcome.verdict, hub.holds(LOG).len()), (Verdict::UpToDate, 3));
}

#[test]
fn a_refusal_counts_only_once_the_feed_was_heard() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(53);
    phone.record_many(1);
    hub.poison.insert(0);
    let outcome = crossed(&mut phone, &mut hub, |_, phone| assert!(phone.rejections.is_empty()));
    assert_eq!((outcome.parked, outcome.unsent), (1, 0));
    assert_eq!(hub.got.len(), 6, "once for nothing, five times until it is set aside");
}

#[test]
fn what_has_no_answer_waits_for_the_feed() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(54);
    phone.record_many(20);
    let mut run = Sync::new();
    let air = sent(&mut run, &mut phone);
    hub.handle(&air[1], &phone);
    for request in &air {
        fail(&mut run, &mut phone, request.id, Failure::lost("cut"));
    }
    phone.clock.advance_ms(10_000);
    assert_eq!(sent(&mut run, &mut phone).iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), [path::FEED], "after a failure");
    drop(run);
    let mut run = Sync::new();
    let air = sent(&mut run, &mut phone);
    assert_eq!(air.len(), 1, "in the next sync as well");
    let feed = hub.handle(&air[0], &phone);
    reply(&mut run, &mut phone, air[0].id, feed);
    let outcome = drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, Luck::Through));
    assert_eq!((outcome.pushed_entries, outcome.pushed_bytes), (20, 0), "the feed's receipts say that it is there");
}

#[test]
fn an_answer_counts_also_when_the_feed_has_none() {
    for forged in [false, true] {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(55);
        sync(&mut phone, &mut hub);
        phone.record_many(20);
        hub.forge_receipts = forged;
        let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |waiting, request| {
            (usize::from(waiting > 1), if waiting > 1 || request.path == path::SEGMENTS { Luck::Through } else { Luck::Lost })
        });
        let expected = if forged { (20, false) } else { (0, true) };
        assert_eq!((outcome.unsent, phone.log().received.contains(19)), expected);
        assert_eq!((outcome.verdict, outcome.reason.unwrap().code.as_str()), (Verdict::Partial, "no_answer"));
    }
}
