//! Receiving: items, gaps, closed streams, request keys, key changes.

use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{DeviceId, HamletNo};
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{FeedAnswer, path};

use super::hub::{Hub, epoch};
use super::phone::{DEVICE, LOG};
use super::road::{next, reply, sync};
use crate::sync::store::Gap;
use crate::sync::{Reply, Step, Sync, Verdict, take_answer};

const OURS: Scope = Scope::Device(DEVICE);
const HAMLET: Scope = Scope::Hamlet(HamletNo(4));

fn news(n: u8) -> Item {
    Item::Revocation { device: DeviceId([n; 8]), lost: false }
}

#[test]
fn items_come_once_over_as_many_pages_as_it_takes() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(30);
    hub.open.push(HAMLET);
    hub.page = 4;
    for n in 0..5 {
        hub.issue(OURS, news(n));
        hub.issue(HAMLET, news(n));
    }
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.pulled_items, outcome.requests, outcome.verdict), (10, 3, Verdict::UpToDate));
    assert!(phone.gaps.is_empty());
    assert_eq!(sync(&mut phone, &mut hub).pulled_items, 0);
}

#[test]
fn a_gap_is_recorded_and_what_follows_is_taken() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(31);
    for n in 0..5 {
        hub.issue(OURS, news(n));
    }
    hub.feed.remove(2);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!(outcome.pulled_items, 4);
    assert_eq!(phone.gaps, [Gap { scope: OURS, epoch: epoch(1), first: 3, last: 3 }]);
}

#[test]
fn an_item_that_does_not_follow_is_not_taken() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(32);
    hub.issue(OURS, news(1));
    hub.issue(OURS, news(2));
    // The hub says something else under number 1 after number 2 named the first.
    let second = hub.feed.pop().unwrap();
    hub.feed.clear();
    hub.issue(OURS, news(3));
    hub.feed.push(second);
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.pulled_items, outcome.verdict), (1, Verdict::Refused));
    assert_eq!(outcome.reason.unwrap().code, "broken_stream");
}

#[test]
fn an_altered_item_is_not_taken_and_blocks_nobody() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(33);
    phone.record_many(3);
    hub.issue(OURS, news(1));
    let mut run = Sync::new();
    let Step::Send(feed) = next(&mut run, &mut phone) else { panic!("no feed request") };
    let mut answer = FeedAnswer::from_bytes(&hub.handle(&feed, &phone).body).unwrap();
    let last = answer.items[0].len() - 1;
    answer.items[0][last] ^= 1;
    reply(&mut run, &mut phone, feed.id, Reply { status: 200, body: answer.to_bytes(), ..Reply::default() });
    let outcome = super::road::drive(&mut run, &mut phone, &mut hub, &mut |_, _| (0, super::road::Luck::Through));
    assert_eq!((outcome.pulled_items, outcome.verdict), (0, Verdict::Refused));
    assert_eq!(hub.holds(LOG).len(), 3, "reports still leave");
}

#[test]
fn a_stream_that_is_closed_takes_its_items_along() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(34);
    hub.open.push(HAMLET);
    hub.issue(OURS, news(1));
    hub.issue(HAMLET, news(2));
    sync(&mut phone, &mut hub);
    assert_eq!(phone.items.len(), 2);
    hub.open.pop();
    sync(&mut phone, &mut hub);
    assert!(phone.items.keys().all(|(scope, ..)| *scope == OURS));
}

#[test]
fn items_are_not_taken_twice_after_a_restore() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(35);
    for n in 0..3 {
        hub.issue(OURS, news(n));
    }
    sync(&mut phone, &mut hub);
    hub.restore(0, epoch(2));
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.pulled_items, phone.items.len()), (0, 3));
    hub.issue(OURS, news(9));
    assert_eq!(sync(&mut phone, &mut hub).pulled_items, 1);
}

#[test]
fn an_answer_to_what_an_earlier_life_asked_skips_nothing() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(36);
    for n in 0..3 {
        hub.issue(OURS, news(n));
    }
    sync(&mut phone, &mut hub);
    hub.issue(OURS, news(3));
    let mut asked = Sync::new();
    let Step::Send(feed) = next(&mut asked, &mut phone) else { panic!("no feed request") };
    let answer = FeedAnswer::from_bytes(&hub.handle(&feed, &phone).body).unwrap();
    assert_eq!(answer.items.len(), 1);
    // The phone is put back to before its first contact; then a courier brings the answer.
    phone.streams.clear();
    phone.items.clear();
    assert_eq!(take_answer(&answer, &mut phone).unwrap().pulled_items, 0);
    assert!(phone.gaps.is_empty() && phone.streams.is_empty());
    assert_eq!(sync(&mut phone, &mut hub).pulled_items, 4);
    assert!(phone.gaps.is_empty());
}

#[test]
fn a_restored_hub_is_given_back_once_what_it_had_signed_and_lost() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(37);
    for n in 0..=700 {
        hub.issue(OURS, news(n as u8));
    }
    hub.page = 500;
    sync(&mut phone, &mut hub);
    // The first item stands in the backup.
    hub.restore(0, epoch(2));
    let lost = hub.feed.split_off(1);
    let outcome = sync(&mut phone, &mut hub);
    let bytes = |items: &[Signed<FeedItem>]| items.iter().map(|item| item.bytes().to_vec()).collect::<Vec<_>>();
    assert_eq!((bytes(&hub.returned), outcome.verdict), (bytes(&lost), Verdict::UpToDate));
    assert_eq!(phone.given_back, Some(epoch(2)));
    assert_eq!(sync(&mut phone, &mut hub).requests, 1, "said once");
    // A phone that was cut off in the middle begins anew.
    phone.given_back = None;
    hub.returned.clear();
    super::road::drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, request| match request.path.as_str() {
        path::ITEMS => (0, super::road::Luck::ReplyLost),
        _ => (0, super::road::Luck::Through),
    });
    assert_eq!(phone.given_back, None);
    sync(&mut phone, &mut hub);
    assert_eq!(phone.given_back, Some(epoch(2)));
}

#[test]
fn a_request_key_that_is_too_old_is_renewed_with_a_fresh_token() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(36);
    sync(&mut phone, &mut hub);
    hub.now_ms += 3 * 24 * 3_600_000;
    phone.record_many(2);
    let outcome = sync(&mut phone, &mut hub);
    // Refused, keys, feed, segment.
    assert_eq!((outcome.verdict, outcome.requests), (Verdict::UpToDate, 4));
}

#[test]
fn a_request_key_serves_for_hours() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(37);
    sync(&mut phone, &mut hub);
    let key = phone.request_key.clone();
    hub.now_ms += 6 * 3_600_000;
    sync(&mut phone, &mut hub);
    assert_eq!(phone.request_key, key);
}

#[test]
fn a_changed_hub_key_is_learnt_from_the_history() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(38);
    phone.record_many(3);
    hub.rotate_keys();
    // The old request key names a token that the new signing key did not sign: the fake hub knows no old
    // keys, so this is the hardest case; the answer is the same as for an old key.
    let outcome = sync(&mut phone, &mut hub);
    assert_eq!((outcome.verdict, phone.identity.history.value.number), (Verdict::UpToDate, 2));
    assert_eq!(hub.holds(LOG).len(), 3);
}

#[test]
fn the_contact_is_kept_for_honest_time() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(39);
    sync(&mut phone, &mut hub);
    let contact = phone.contact.unwrap();
    assert_eq!(contact.rtt_ms, 20);
    assert_eq!(contact.hub_ms, hub.now_ms);
}

#[test]
fn years_away_while_the_hubs_keys_changed_twice() {
    const YEAR_MS: i64 = 365 * 24 * 3_600_000;
    for locked in [false, true] {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(61);
        phone.record_many(3);
        sync(&mut phone, &mut hub);
        // Signed with the first keys, and sealed to them: both wait until somebody comes by.
        hub.issue(OURS, news(1));
        phone.record_many(4);
        for n in 2..4 {
            hub.now_ms += 2 * YEAR_MS;
            hub.retire_keys(20 * n);
            hub.issue(OURS, news(n));
        }
        hub.now_ms += YEAR_MS;
        phone.locked = locked;
        let outcome = sync(&mut phone, &mut hub);
        assert_eq!((outcome.verdict, outcome.pulled_items, outcome.unsent), (Verdict::UpToDate, 3, 0), "{:?}", outcome.reason);
        assert_eq!((phone.identity.history.value.number, phone.gaps.len()), (3, 0));
        assert_eq!(hub.holds(LOG), (0..7).collect::<Vec<_>>());
        assert!(hub.stored.values().all(|times| *times == 1));
        // From now on everything is for the newest keys, and a key of before has no word any more.
        phone.record_many(1);
        let before = hub.got.len();
        assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::UpToDate);
        assert_eq!((hub.got.len(), hub.holds(LOG).len()), (before + 1, 8));
        hub.speak_with_a_retired_key();
        phone.record_many(1);
        assert_eq!(sync(&mut phone, &mut hub).verdict, Verdict::Refused);
    }
}

/// An answer that the hub takes back before the report it is about is an answer to nothing.
#[test]
fn orders_wait_for_the_reports_in_the_air() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(39);
    for n in 0..5 {
        hub.issue(OURS, news(n));
    }
    phone.record_many(5);
    sync(&mut phone, &mut hub);
    hub.restore(0, epoch(2));
    hub.feed.truncate(1);
    let (mut machine, mut air) = (Sync::new(), Vec::new());
    for _ in 0..40 {
        match next(&mut machine, &mut phone) {
            Step::Send(request) => air.push(request),
            Step::Done(_) => break,
            // Everything but the segments is answered at once.
            Step::Wait { .. } => {
                let Some(at) = air.iter().position(|request| request.path != path::SEGMENTS) else { break };
                let request = air.remove(at);
                let answer = hub.handle(&request, &phone);
                reply(&mut machine, &mut phone, request.id, answer);
            }
        }
        let on = |wanted: &str| air.iter().any(|request| request.path == wanted);
        assert!(!(on(path::ITEMS) && on(path::SEGMENTS)), "both are in the air");
    }
    assert!(air.iter().any(|request| request.path == path::SEGMENTS), "the test is about something");
}
