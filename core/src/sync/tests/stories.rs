//! Sending, told as what happens to a phone in the hills.

use std::collections::BTreeSet;

use yenban_protocol::id::LogId;
use yenban_protocol::segment::Mode;
use yenban_protocol::wire::path;

use super::hub::{Hub, epoch};
use super::phone::LOG;
use super::road::{Luck, drive, fail, next, reply, sync};
use super::stories_along::sent;
use crate::sync::store::LogDoubt;
use crate::sync::{Failure, Reply, Step, Sync, Verdict};

fn all(count: u64) -> Vec<u64> {
    (0..count).collect()
}

#[test]
fn ten_thousand_check_ins_leave_in_twenty_one_requests() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(1);
    phone.record_many(10_000);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.parked), (Verdict::UpToDate, 0, 0));
    assert_eq!((outcome.pushed_entries, outcome.resent_bytes), (10_000, 0));
    assert!(outcome.requests <= 21, "{} requests", outcome.requests);
    assert_eq!(hub.holds(LOG), all(10_000));
    // What is there is not sent again: one question for the feed.
    let again = sync(&mut phone, &mut hub);
    assert_eq!((again.requests, again.pushed_entries, again.verdict), (1, 0, Verdict::UpToDate));
}

#[test]
fn an_urgent_report_overtakes_what_waits_before_it() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(2);
    phone.record_many(700);
    let urgent = phone.record(true);
    phone.record_many(20);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.verdict, Verdict::UpToDate);
    assert_eq!((hub.got[0].first, hub.got[0].count), (urgent, 1));
    assert_eq!(hub.holds(LOG), all(721));
}

#[test]
fn what_is_recorded_during_a_sync_goes_with_it() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(3);
    phone.record_many(600);
    let mut run = Sync::with_in_flight(1);
    let Step::Send(feed) = next(&mut run, &mut phone) else { panic!("no feed request") };
    let answer = hub.handle(&feed, &phone);
    reply(&mut run, &mut phone, feed.id, answer);
    let urgent = phone.record(true);
    let outcome = drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, Luck::Through));
    assert_eq!(outcome.verdict, Verdict::UpToDate);
    assert_eq!(hub.got[0].first, urgent);
}

#[test]
fn several_requests_fly_and_the_feed_goes_first() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(4);
    phone.record_many(5_000);
    let mut run = Sync::new();
    let Step::Send(feed) = next(&mut run, &mut phone) else { panic!("no feed request") };
    assert_eq!(feed.path, path::FEED);
    assert_eq!(sent(&mut run, &mut phone).len(), 3, "along with the feed");
    let answer = hub.handle(&feed, &phone);
    reply(&mut run, &mut phone, feed.id, answer);
    assert_eq!(sent(&mut run, &mut phone).len(), 1, "four in the air");
}

#[test]
fn each_reply_lost_once_loses_nothing_and_doubles_nothing() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(5);
    phone.record_many(3_000);
    let mut lost: BTreeSet<(String, usize)> = BTreeSet::new();
    let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, request| {
        let first_time = lost.insert((request.path.clone(), request.body.bytes().len()));
        (0, if first_time { Luck::ReplyLost } else { Luck::Through })
    });
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0));
    assert!(hub.stored.values().all(|n| *n == 1));
    assert_eq!(hub.holds(LOG), all(3_000));
    assert!(outcome.resent_bytes > 0);
    assert!(phone.rejections.is_empty(), "a lost reply is no rejection");
}

#[test]
fn a_kill_in_the_middle_leaves_nothing_busy() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(6);
    phone.record_many(4_000);
    let mut run = Sync::new();
    let mut arrived = 0;
    while arrived < 5 {
        let Step::Send(request) = next(&mut run, &mut phone) else { break };
        let answer = hub.handle(&request, &phone);
        arrived += 1;
        if arrived < 4 {
            reply(&mut run, &mut phone, request.id, answer);
        }
    }
    // The process dies: its state machine is gone, one run arrived without its answer being heard.
    drop(run);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0));
    assert!(hub.stored.values().all(|n| *n == 1));
    assert_eq!(outcome.resent_bytes, 0, "receipts of the feed tell what arrived");
}

#[test]
fn one_poisoned_entry_is_parked_with_its_reason_and_the_rest_flows() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(7);
    phone.record_many(2_000);
    hub.poison.insert(777);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent, outcome.parked), (Verdict::Partial, 0, 1));
    assert_eq!(phone.log().parked.keys().copied().collect::<Vec<_>>(), [777]);
    assert!(phone.log().parked[&777].starts_with("chain"));
    assert_eq!(hub.holds(LOG).len(), 1_999);
    let before = hub.requests;
    sync(&mut phone, &mut hub);
    assert_eq!(hub.requests, before + 1, "what is parked is not offered again");
}

#[test]
fn a_hub_that_refuses_everything_parks_nothing() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(8);
    phone.record_many(2_000);
    hub.reject_all = true;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.parked, outcome.unsent), (Verdict::Refused, 0, 2_000));
    hub.reject_all = false;
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
}

#[test]
fn offline_is_said_at_once_and_counts_against_nothing() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(9);
    phone.record_many(10);
    for _ in 0..20 {
        let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, _| (0, Luck::NoRoad));
        assert_eq!((outcome.verdict, outcome.unsent, outcome.requests), (Verdict::Offline, 10, 2));
    }
    assert!(phone.rejections.is_empty() && phone.log().parked.is_empty());
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
}

#[test]
fn a_cut_in_the_middle_is_partial_and_the_next_sync_ends_it() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(10);
    phone.record_many(3_000);
    let mut left = 3;
    let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, _| {
        left -= 1;
        (0, if left >= 0 { Luck::Through } else { Luck::NoRoad })
    });
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Partial, 3_000 - 1_024));
    assert_eq!(outcome.reason.unwrap().code, "unreachable");
    assert_eq!(sync(&mut phone, &mut hub).pushed_entries, 3_000 - 1_024);
}

#[test]
fn an_answer_lost_in_an_earlier_sync_is_counted_when_it_is_heard_of() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(24);
    phone.record_many(100);
    let mut times = 0;
    let outcome = drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, request| {
        times += 1;
        (0, if request.path == path::FEED { Luck::Through } else { [Luck::Lost, Luck::ReplyLost][times % 2] })
    });
    assert_eq!((outcome.pushed_entries, outcome.unsent), (0, 100));
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.pushed_entries, outcome.requests, outcome.verdict), (100, 1, Verdict::UpToDate));
    phone.record_many(10);
    drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, request| {
        (0, if request.path == path::FEED { Luck::Through } else { Luck::Lost })
    });
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.pushed_entries, outcome.resent_bytes), (10, outcome.pushed_bytes));
}

#[test]
fn a_locked_vault_sends_what_is_stored() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(11);
    phone.record_many(100);
    phone.locked = true;
    assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
    assert!(hub.got.iter().all(|g| g.mode == Mode::AsStored));
    phone.locked = false;
    phone.record(false);
    sync(&mut phone, &mut hub);
    assert_eq!(hub.got.last().unwrap().mode, Mode::Packed);
    assert_eq!(hub.holds(LOG), all(101));
}

#[test]
fn heads_that_were_signed_on_the_way_travel_with_their_entries() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(23);
    for _ in 0..100 {
        phone.record_many(2);
        phone.sign_head();
        phone.record_many(3);
        phone.sign_head();
        hub.now_ms += 900_000;
        phone.token = Some(hub.token());
    }
    phone.record_many(2);
    sync(&mut phone, &mut hub);
    assert_eq!(hub.got[0].heads.len(), 64, "as many as a segment takes");
    assert_eq!(hub.got[0].heads[60..], [489, 494, 499, 501], "one for each token that was known on the way");
    phone.record(false);
    phone.sign_head();
    sync(&mut phone, &mut hub);
    assert_eq!(hub.got[1].heads, [502], "not signed twice");
}

#[test]
fn a_restored_hub_is_offered_what_it_forgot() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(12);
    phone.record_many(1_500);
    sync(&mut phone, &mut hub);
    hub.restore(400, epoch(2));
    phone.record_many(10);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, phone.epoch), (Verdict::UpToDate, Some(epoch(2))));
    assert_eq!(outcome.pushed_entries, 1_110);
    assert_eq!(hub.holds(LOG), all(1_510));
}

#[test]
fn a_restore_during_a_sync_is_noticed_by_the_receipt() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(13);
    phone.record_many(3_000);
    let mut count = 0;
    let outcome = {
        let mut run = Sync::new();
        loop {
            match next(&mut run, &mut phone) {
                Step::Send(request) => {
                    count += 1;
                    if count == 4 {
                        hub.restore(0, epoch(9));
                    }
                    let answer = hub.handle(&request, &phone);
                    reply(&mut run, &mut phone, request.id, answer);
                }
                Step::Wait { .. } => panic!("nothing is in the air"),
                Step::Done(outcome) => break outcome,
            }
        }
    };
    assert_eq!((outcome.verdict, phone.epoch), (Verdict::UpToDate, Some(epoch(9))));
    assert_eq!(hub.holds(LOG), all(3_000));
}

#[test]
fn a_receipt_of_an_old_life_has_no_say() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(14);
    phone.record_many(50);
    sync(&mut phone, &mut hub);
    let old = hub.receipt(LOG);
    hub.restore(0, epoch(2));
    let mut run = Sync::new();
    let Step::Send(feed) = next(&mut run, &mut phone) else { panic!("no feed request") };
    let answer = hub.handle(&feed, &phone);
    reply(&mut run, &mut phone, feed.id, answer);
    let Step::Send(segment) = next(&mut run, &mut phone) else { panic!("nothing offered") };
    reply(&mut run, &mut phone, segment.id, Reply { status: 200, body: old, ..Reply::default() });
    assert!(phone.log().received.is_empty());
    drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, Luck::Through));
    assert_eq!(hub.holds(LOG), all(50));
}

#[test]
fn forged_receipts_are_refused() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(15);
    phone.record_many(50);
    hub.forge_receipts = true;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Refused, 50));
    assert_eq!(outcome.reason.unwrap().code, "untrusted_receipt");
}

#[test]
fn a_receipt_for_another_log_is_refused() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(16);
    phone.record_many(5);
    let mut run = Sync::new();
    let Step::Send(feed) = next(&mut run, &mut phone) else { panic!("no feed request") };
    let answer = hub.handle(&feed, &phone);
    reply(&mut run, &mut phone, feed.id, answer);
    let Step::Send(segment) = next(&mut run, &mut phone) else { panic!("nothing offered") };
    let other = LogId([1; 8]);
    hub.plant(other, 0);
    reply(&mut run, &mut phone, segment.id, Reply { status: 200, body: hub.receipt(other), ..Reply::default() });
    assert!(phone.log().received.is_empty());
    let Step::Done(outcome) = next(&mut run, &mut phone) else { panic!("it goes on") };
    assert_eq!(outcome.verdict, Verdict::Refused);
}

#[test]
fn a_hub_that_knows_more_of_our_log_puts_it_in_doubt() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(17);
    phone.record_many(5);
    sync(&mut phone, &mut hub);
    // A copy of this store wrote on elsewhere.
    hub.plant(LOG, 5);
    phone.record_many(1);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.doubt, Some(LogDoubt::Fork));
    assert_eq!(phone.doubts, [LogDoubt::Fork]);
    assert_eq!(outcome.unsent, 0, "the hub keeps both branches");
    hub.plant(LOG, 6);
    hub.plant(LOG, 7);
    phone.doubts.clear();
    phone.begin_log(LogId([8; 8]));
    phone.record_many(3);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.doubt, outcome.verdict), (None, Verdict::UpToDate));
    assert_eq!(hub.holds(LogId([8; 8])), all(3));
}

#[test]
fn a_hub_ahead_of_us_is_told_even_when_nothing_waits() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(18);
    phone.record_many(2);
    sync(&mut phone, &mut hub);
    hub.plant(LOG, 9);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.doubt, Some(LogDoubt::HubAhead));
    assert_eq!(outcome.unsent, 0);
}

#[test]
fn a_revoked_phone_is_refused_and_keeps_its_data() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(19);
    phone.record_many(600);
    hub.revoked = true;
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Refused, 600));
    assert_eq!(outcome.reason.unwrap().code, "revoked");
    assert_eq!(hub.got.iter().map(|g| g.count).sum::<usize>(), 600, "each run is delivered once");
    assert_eq!(phone.log().entries.len(), 600);
}

#[test]
fn a_busy_hub_is_asked_again_when_it_says() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(20);
    phone.record_many(10);
    hub.busy = 2;
    let before = crate::clock::Clock::monotonic_ms(&phone.clock);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.verdict, Verdict::UpToDate);
    assert!(crate::clock::Clock::monotonic_ms(&phone.clock) - before >= 3_000);
    hub.busy = u32::MAX;
    phone.record(false);
    assert_eq!(sync(&mut phone, &mut hub).unsent, 1);
}

#[test]
fn a_stranger_in_the_hubs_place_ends_the_sync_loudly() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(21);
    phone.record(false);
    let mut run = Sync::new();
    let Step::Send(request) = next(&mut run, &mut phone) else { panic!("no request") };
    fail(&mut run, &mut phone, request.id, Failure::WrongHub("another key".into()));
    let Step::Done(outcome) = next(&mut run, &mut phone) else { panic!("it goes on") };
    assert_eq!((outcome.verdict, outcome.reason.unwrap().code.as_str()), (Verdict::Refused, "hub_mismatch"));
}

#[test]
fn pruned_entries_are_passed_over_after_a_restore() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(22);
    phone.record_many(100);
    sync(&mut phone, &mut hub);
    phone.logs[0].entries.retain(|seq, _| *seq >= 59);
    hub.restore(0, epoch(3));
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.parked, 1, "the first one left has lost its previous link");
    assert_eq!(hub.holds(LOG), (60..100).collect::<Vec<_>>());
}
