//! Alerts on their way: which phones have one, by whatever road it came, and phones that wait for one.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

mod support;

use std::time::{Duration, Instant};

use support::TestHub;
use support::phone::{Conn, Phone, Random};
use yenban_hub::admin::Admin;
use yenban_hub::alert::{AlertSent, AlertWanted};
use yenban_hub::limits::FEED_WAIT_MAX;
use yenban_hub::store::{AlertListing, ListQuery};
use yenban_protocol::cert::RequestCertificate;
use yenban_protocol::crypto::{SecretKey, Signer as _};
use yenban_protocol::id::Role;
use yenban_protocol::parcel::{CourierRequest, Parcel};
use yenban_protocol::record::{Act, Answer};
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest, path};

/// Long enough for everything but a wait that nothing ends.
const SOON: Duration = Duration::from_secs(10);

async fn warn(hub: &TestHub, hamlets: &[&str]) -> AlertSent {
    let wanted = AlertWanted {
        headline: "Mưa lớn đêm nay".to_owned(),
        description: "Suối Nánh dâng nhanh.".to_owned(),
        instruction: "Lên nhà văn hóa.".to_owned(),
        severity: "Severe".to_owned(),
        hamlets: hamlets.iter().map(|name| (*name).to_owned()).collect(),
        second: hamlets.is_empty().then(|| "Hà Văn Sơn".to_owned()),
        ..AlertWanted::default()
    };
    Admin::here(hub.hub.clone()).alert(wanted).await.unwrap()
}

async fn listing(hub: &TestHub, sent: &AlertSent, within: Vec<u32>) -> AlertListing {
    let query = ListQuery { name: Some(sent.id.clone()), within, ..ListQuery::default() };
    hub.hub.store.alerts(query).await.unwrap().remove(0)
}

/// The body of a request of a phone that knows the newest keys: only items are news to it.
fn body(phone: &Phone, cursors: Vec<Cursor>) -> Vec<u8> {
    let key = SecretKey::generate(&mut Random);
    let certificate = RequestCertificate { device: phone.device, key: key.public_key(), token: phone.token.clone() };
    let certificate = Signed::sign(certificate, &phone.sign).unwrap();
    let history_number = phone.history.as_ref().unwrap().value.number;
    let request = FeedRequest { device: phone.device, cursors, limit: 100, logs: vec![phone.log], history_number, held: Vec::new() };
    AuthorisedRequest::new(&certificate, request, &key).unwrap().to_bytes()
}

/// A request that waits `seconds` for news.
async fn wait(phone: &Phone, conn: &mut Conn, cursors: Vec<Cursor>, seconds: &str) -> FeedAnswer {
    let headers = format!("content-type: application/cbor\r\nprefer: wait={seconds}\r\n");
    let answer = conn.send("POST", path::FEED, &headers, &body(phone, cursors)).await.unwrap();
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    FeedAnswer::from_bytes(&answer.body).unwrap()
}

async fn waiters(hub: &TestHub, number: usize) {
    let started = Instant::now();
    while hub.hub.waiting.waiters() != number {
        assert!(started.elapsed() < SOON, "{} wait, not {number}", hub.hub.waiting.waiters());
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_climbs_its_ladder_and_a_restored_phone_takes_nothing_back() {
    let hub = TestHub::start().await;
    let (mut near, mut conn) = hub.phone("Nà Phòn").await;
    let (_silent, _) = hub.phone("Nà Phòn").await;
    let (far, mut far_conn) = hub.phone("Piềng Vế").await;
    let (before, _) = near.pull(&mut conn, Vec::new(), 100).await;
    let (far_before, _) = far.pull(&mut far_conn, Vec::new(), 100).await;
    let sent = warn(&hub, &["Nà Phòn", "Piềng Vế"]).await;
    let rungs = listing(&hub, &sent, Vec::new()).await.rungs;
    assert_eq!((rungs.addressed, rungs.none), (3, 3));

    // What was sent is not what was stored: a reply can be lost. The next request says what is there.
    let (answer, items) = near.pull(&mut conn, before.streams.clone(), 100).await;
    assert_eq!(items.len(), 1);
    assert_eq!(listing(&hub, &sent, Vec::new()).await.rungs.delivered, 0, "sent is not stored");
    near.pull(&mut conn, answer.streams.clone(), 100).await;
    let row = listing(&hub, &sent, Vec::new()).await;
    assert_eq!((row.rungs.none, row.rungs.delivered), (2, 1));
    assert_eq!((row.delivered[0].member_no, row.delivered[0].device.clone()), (near.member.0, near.device.to_string()));

    // The phone is put back to an image of before: it asks from there, and the alert stays delivered.
    near.pull(&mut conn, before.streams.clone(), 100).await;
    near.pull(&mut conn, Vec::new(), 100).await;
    assert_eq!(listing(&hub, &sent, Vec::new()).await.rungs.delivered, 1);

    for (answer, seen, going) in [(Answer::Seen, 1, 0), (Answer::Going, 0, 1)] {
        let seq = near.record(Act::AlertAnswered { alert: sent.id.clone(), answer });
        assert_eq!(near.push(&mut conn, 0, seq).await.status, 200);
        let rungs = listing(&hub, &sent, Vec::new()).await.rungs;
        assert_eq!((rungs.none, rungs.delivered, rungs.seen, rungs.going), (2, 0, seen, going), "each member stands on one rung");
    }

    // An officer of the other hamlet sees that hamlet's members and phones, and nobody else's.
    let (answer, _) = far.pull(&mut far_conn, far_before.streams, 100).await;
    far.pull(&mut far_conn, answer.streams, 100).await;
    let row = listing(&hub, &sent, vec![far.certificate.as_ref().unwrap().value.hamlet.0]).await;
    assert_eq!((row.rungs.addressed, row.rungs.delivered, row.rungs.going), (1, 1, 0));
    assert_eq!((row.answers.len(), row.delivered.len()), (0, 1));
    assert_eq!(hub.hub.store.totals().await.unwrap().delivered, 2);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_courier_brings_back_counts_as_delivered() {
    let hub = TestHub::start().await;
    let (phone, mut conn) = hub.phone("Nà Phòn").await;
    let sent = warn(&hub, &["Nà Phòn"]).await;
    let (answer, _) = phone.pull(&mut conn, Vec::new(), 100).await;
    assert_eq!(listing(&hub, &sent, Vec::new()).await.rungs.delivered, 0);
    // Its next request goes by a colleague's phone.
    let request = FeedRequest {
        device: phone.device,
        cursors: answer.streams,
        limit: 100,
        logs: vec![phone.log],
        history_number: 0,
        held: Vec::new(),
    };
    let request = Signed::sign(CourierRequest(request), &phone.sign).unwrap().into_bytes();
    let parcel = Parcel { request, segments: Vec::new(), objects: Vec::new() };
    let sealed = parcel.seal(&mut Random, &phone.hub_key()).unwrap();
    yenban_hub::courier::take(&hub.hub, &sealed).await.unwrap();
    assert_eq!(listing(&hub, &sent, Vec::new()).await.rungs.delivered, 1);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_waits_has_its_alert_at_once_and_one_of_another_hamlet_waits_on() {
    let hub = TestHub::start().await;
    let (near, mut conn) = hub.phone("Nà Phòn").await;
    let (far, mut far_conn) = hub.phone("Piềng Vế").await;
    let (near_before, _) = near.pull(&mut conn, Vec::new(), 100).await;
    let (far_before, _) = far.pull(&mut far_conn, Vec::new(), 100).await;
    // With something to tell there is no wait, however long was asked for.
    let started = Instant::now();
    assert!(!wait(&near, &mut conn, Vec::new(), "3600").await.items.is_empty());
    assert!(started.elapsed() < SOON);

    let far_waits = tokio::spawn(async move {
        let answer = wait(&far, &mut far_conn, far_before.streams, "3").await;
        (answer, Instant::now())
    });
    let near_waits = tokio::spawn(async move {
        let answer = wait(&near, &mut conn, near_before.streams, "3600").await;
        (answer, Instant::now(), near, conn)
    });
    waiters(&hub, 2).await;
    let started = Instant::now();
    let sent = warn(&hub, &["Nà Phòn"]).await;
    let (answer, heard, near, mut conn) = near_waits.await.unwrap();
    assert_eq!(answer.items.len(), 1);
    assert!(heard.duration_since(started) < Duration::from_secs(2), "{:?}", heard.duration_since(started));
    let (nothing, ended) = far_waits.await.unwrap();
    assert!(nothing.items.is_empty() && ended > heard, "what is for others ends no wait");
    // Its next wait says that it has it.
    let again = tokio::spawn(async move { wait(&near, &mut conn, answer.streams, "1").await });
    waiters(&hub, 1).await;
    assert_eq!(listing(&hub, &sent, Vec::new()).await.rungs.delivered, 1);
    again.await.unwrap();
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_wait_ends_the_older_one_and_a_stop_ends_all() {
    let hub = TestHub::start().await;
    let (phone, mut conn) = hub.phone("Nà Phòn").await;
    let (before, _) = phone.pull(&mut conn, Vec::new(), 100).await;
    let phone = std::sync::Arc::new(phone);
    #[expect(clippy::async_yields_async, reason = "the request goes on waiting while the next one comes")]
    let waits = async |hub: &TestHub| {
        let (phone, cursors, mut conn) = (std::sync::Arc::clone(&phone), before.streams.clone(), hub.connect().await);
        tokio::spawn(async move { wait(&phone, &mut conn, cursors, "25").await })
    };
    let started = Instant::now();
    let older = waits(&hub).await;
    waiters(&hub, 1).await;
    let newer = waits(&hub).await;
    assert!(older.await.unwrap().items.is_empty());
    waiters(&hub, 1).await;
    hub.stop().await;
    assert!(newer.await.unwrap().items.is_empty(), "an ordinary answer");
    assert!(started.elapsed() < FEED_WAIT_MAX, "nobody waited to the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_revoked_while_waiting_is_told() {
    let hub = TestHub::start().await;
    let (phone, mut conn) = hub.phone("Nà Phòn").await;
    let (before, _) = phone.pull(&mut conn, Vec::new(), 100).await;
    let device = phone.device;
    let waits = tokio::spawn(async move {
        let headers = "content-type: application/cbor\r\nprefer: respond-async, wait=25\r\n";
        conn.send("POST", path::FEED, headers, &body(&phone, before.streams)).await.unwrap()
    });
    waiters(&hub, 1).await;
    yenban_hub::admin::revoke(&hub.hub, device, true).await.unwrap();
    let answer = waits.await.unwrap();
    assert_eq!((answer.status, answer.code().as_str()), (403, "revoked"));
    waiters(&hub, 0).await;
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_commune_hears_also_officers_who_are_not_waited_for() {
    let hub = TestHub::start().await;
    let (_member, _) = hub.phone("Nà Phòn").await;
    let mut officer = Phone::new(support::NIGHT_MS);
    let mut conn = hub.connect().await;
    let code = hub.code("", Role::Officer).await;
    assert_eq!(officer.enrol(&mut conn, &code).await.status, 200);
    let sent = warn(&hub, &[]).await;
    let (answer, items) = officer.pull(&mut conn, Vec::new(), 100).await;
    assert!(items.iter().any(|item| item.item.code() == "alert"));
    officer.pull(&mut conn, answer.streams, 100).await;
    let row = listing(&hub, &sent, Vec::new()).await;
    assert_eq!((row.rungs.addressed, row.rungs.none, row.delivered.len()), (1, 1, 1));
    hub.stop().await;
}
