//! Parcels: what a courier brings is taken as if it had come alone; the answer is for its sender.

mod support;

use support::phone::{Phone, Random, is_mine};
use support::{NIGHT_MS, TestHub};
use yenban_hub::courier::{answers, take};
use yenban_protocol::crypto::SoftwareVerifier;
use yenban_protocol::feed::FeedItem;
use yenban_protocol::parcel::{Outer, PARCELS_PATH, Parcel, open_answer};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{FeedAnswer, FeedRequest};

fn request(phone: &Phone) -> FeedRequest {
    FeedRequest { device: phone.device, cursors: Vec::new(), limit: 100, logs: vec![phone.log], history_number: 1, held: Vec::new() }
}

fn parcel(phone: &Phone, spans: &[(u64, u64)]) -> Parcel {
    let mut parcel = Parcel::new(request(phone), &phone.sign).expect("signs");
    parcel.segments.extend(spans.iter().map(|(first, last)| phone.segment(*first, *last)));
    parcel
}

fn sealed(phone: &Phone, parcel: &Parcel) -> Vec<u8> {
    parcel.seal(&mut Random, &phone.hub_key()).expect("seals")
}

fn opened(phone: &Phone, answer: &[u8]) -> (FeedAnswer, Vec<Receipt>) {
    let answer = open_answer(&Outer::of(answer).expect("a parcel"), &phone.seal).expect("for this phone");
    let history = &phone.history.as_ref().expect("enrolled").value;
    let receipt =
        |bytes: &Vec<u8>| Signed::verify(bytes, &SoftwareVerifier, |_: &Receipt, id| history.signing_key(id)).expect("signed").value;
    let receipts = answer.receipts.iter().map(receipt).collect();
    for item in &answer.items {
        let item = Signed::verify(item, &SoftwareVerifier, |_: &FeedItem, id| history.signing_key(id)).expect("signed");
        assert!(is_mine(phone, &item.value.scope));
    }
    (answer, receipts)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_is_taken_once_however_often_it_comes() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    for _ in 0..9 {
        phone.check_in(None);
    }
    let one = sealed(&phone, &parcel(&phone, &[(0, 4), (5, 9)]));
    for round in 0..3 {
        let taken = take(&hub.hub, &one).await.expect("taken");
        assert_eq!((taken.segments, taken.new_entries, taken.refused.len()), (2, if round == 0 { 10 } else { 0 }, 0));
        let (answer, receipts) = opened(&phone, &taken.answer.expect("an answer"));
        assert_eq!((receipts[0].ranges[0].first, receipts[0].ranges[0].last), (0, 9));
        assert!(!answer.streams.is_empty());
    }
    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.entries, totals.check_ins, totals.chains_ok), (10, 9, true));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parcels_come_in_any_order_and_lost_ones_are_missed() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    for _ in 0..29 {
        phone.check_in(None);
    }
    let ranges = |receipts: &[Receipt]| (receipts[0].ranges.len(), receipts[0].floating.len());
    for (span, expected) in [((20, 29), (0, 1)), ((0, 9), (1, 1)), ((10, 19), (1, 0))] {
        let taken = take(&hub.hub, &sealed(&phone, &parcel(&phone, &[span]))).await.expect("taken");
        assert_eq!(ranges(&opened(&phone, &taken.answer.expect("an answer")).1), expected);
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_part_keeps_no_other_back() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    let mut mixed = parcel(&phone, &[(0, 1)]);
    mixed.segments.insert(0, vec![7; 300]);
    mixed.objects.push(vec![9; 400]);
    let taken = take(&hub.hub, &sealed(&phone, &mixed)).await.expect("taken");
    let codes: Vec<&str> = taken.refused.iter().map(|part| part.code.as_str()).collect();
    assert_eq!((taken.new_entries, codes), (2, vec!["malformed", "not_named"]));
    assert!(taken.answer.is_some());

    // A request that was made up: the entries prove themselves, nobody is answered.
    let (stranger, _) = hub.phone("Piềng Vế").await;
    let mut forged = parcel(&phone, &[]);
    forged.request = Parcel::new(request(&phone), &stranger.sign).expect("signs").request;
    phone.check_in(None);
    forged.segments.push(phone.segment(2, 2));
    let taken = take(&hub.hub, &sealed(&phone, &forged)).await.expect("taken");
    assert_eq!((taken.new_entries, taken.refused[0].part.as_str(), taken.answer), (1, "request", None));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_altered_or_for_another_hub_is_refused_whole() {
    let (hub, elsewhere) = (TestHub::start().await, TestHub::start().await);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    let good = sealed(&phone, &parcel(&phone, &[(0, 1)]));
    for cut in [0, 3, 40, 100, good.len() - 1] {
        assert!(take(&hub.hub, &good[..cut]).await.is_err(), "cut at {cut}");
    }
    for at in (0..good.len()).step_by(7) {
        let mut altered = good.clone();
        altered[at] ^= 1;
        assert!(take(&hub.hub, &altered).await.is_err(), "byte {at}");
    }
    assert_eq!(take(&elsewhere.hub, &good).await.expect_err("another hub").code(), "unsealed");
    assert_eq!(hub.hub.store.totals().await.expect("totals").entries, 0);
    hub.stop().await;
    elsewhere.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_but_the_sender_reads_the_answer() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let (carrier, _) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    let good = sealed(&phone, &parcel(&phone, &[(0, 1)]));
    let answer = take(&hub.hub, &good).await.expect("taken").answer.expect("an answer");
    let outer = Outer::of(&answer).expect("whole");
    for key in [&carrier.seal, &carrier.sign, &phone.sign] {
        assert!(open_answer(&outer, key).is_err());
        assert!(Parcel::open(&Outer::of(&good).expect("whole"), key).is_err());
    }
    // Neither in what goes nor in what comes back stand the names of device or log.
    for name in [phone.device.0, phone.log.0] {
        assert!(!good.windows(8).chain(answer.windows(8)).any(|window| window == name));
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_and_expired_phones_get_receipts_and_nothing_else() {
    let hub = TestHub::start().await;
    let (mut revoked, _) = hub.phone("Nà Phòn").await;
    let (mut expired, _) = hub.phone("Nà Phòn").await;
    yenban_hub::admin::revoke(&hub.hub, revoked.device, false).await.expect("revoked");
    revoked.check_in(None);
    let taken = take(&hub.hub, &sealed(&revoked, &parcel(&revoked, &[(0, 1)]))).await.expect("taken");
    assert_eq!(taken.new_entries, 0);
    let (answer, _) = opened(&revoked, &taken.answer.expect("an answer"));
    assert!(answer.items.is_empty() && answer.streams.is_empty());
    assert_eq!(hub.hub.store.totals().await.expect("totals").quarantine, 1);

    hub.clock.pass(400 * 24 * 3_600_000);
    expired.check_in(None);
    let taken = take(&hub.hub, &sealed(&expired, &parcel(&expired, &[(0, 1)]))).await.expect("taken");
    let (answer, receipts) = opened(&expired, &taken.answer.expect("an answer"));
    assert_eq!((taken.new_entries, receipts[0].ranges.len()), (2, 1));
    assert!(answer.items.is_empty() && answer.streams.is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_made_again_for_the_next_courier() {
    let mut hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    take(&hub.hub, &sealed(&phone, &parcel(&phone, &[(0, 0)]))).await.expect("taken");
    hub = hub.restart().await;
    // What came meanwhile by another road is told as well.
    yenban_hub::ingest::deliver(&hub.hub, &phone.segment(1, 1)).await.expect("delivered");
    let made = answers(&hub.hub).await.expect("answers");
    assert_eq!((made.len(), made[0].device.clone()), (1, phone.device.to_string()));
    let bytes = data_encoding::BASE64.decode(made[0].parcel_base64.as_bytes()).expect("base64");
    let (_, receipts) = opened(&phone, &bytes);
    assert_eq!(receipts[0].ranges[0].last, 1);
    hub.clock.pass(61 * 24 * 3_600_000);
    assert!(answers(&hub.hub).await.expect("answers").is_empty(), "not for ever");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_with_network_delivers_for_one_without() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let (_, mut road) = hub.phone("Piềng Vế").await;
    phone.check_in(None);
    let good = sealed(&phone, &parcel(&phone, &[(0, 1)]));
    let answer = road.post(PARCELS_PATH, &good).await.expect("answer");
    assert_eq!((answer.status, answer.kind.as_str()), (200, "application/cbor"));
    assert_eq!(opened(&phone, &answer.body).1[0].ranges[0].last, 1);
    assert_eq!(road.post(PARCELS_PATH, &good[..50]).await.expect("answer").status, 400);
    let mut stranger = Phone::new(NIGHT_MS);
    stranger.history = phone.history.clone();
    stranger.start_log();
    let unknown = road.post(PARCELS_PATH, &sealed(&stranger, &parcel(&stranger, &[(0, 0)]))).await.expect("answer");
    assert_eq!((unknown.status, unknown.body.len()), (204, 0));
    assert_eq!(hub.hub.store.totals().await.expect("totals").quarantine, 1, "kept apart, as it would be on any road");
    hub.stop().await;
}
