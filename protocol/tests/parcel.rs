//! Parcels: whole or refused, readable for whom they are and nobody else, harmless however often and in whatever
//! order they come.

mod common;

use common::{DEVICE, LOG, Seeded, check_ins, run};
use proptest::prelude::*;
use yenban_protocol::crypto::{SecretKey, Signer as _, SoftwareVerifier};
use yenban_protocol::limits::{MAX_FILE_PARCELS, MAX_PARCEL_BYTES, MAX_PARCEL_OBJECT_BYTES, MAX_PARCEL_OBJECTS, MAX_PARCEL_SEGMENTS};
use yenban_protocol::parcel::{CourierRequest, Kind, Outer, Parcel, file, open_answer, seal_answer};
use yenban_protocol::segment;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{FeedAnswer, FeedRequest};

struct World {
    rng: Seeded,
    device: SecretKey,
    seal: SecretKey,
    hub: SecretKey,
    carrier: SecretKey,
}

fn world(seed: &str) -> World {
    let mut rng = Seeded::new(seed);
    let mut key = || SecretKey::generate(&mut rng);
    let (device, seal, hub, carrier) = (key(), key(), key(), key());
    World { rng, device, seal, hub, carrier }
}

fn request() -> FeedRequest {
    FeedRequest { device: DEVICE, cursors: Vec::new(), limit: 100, logs: vec![LOG], history_number: 1, held: Vec::new() }
}

fn parcel(w: &mut World, entries: usize) -> Parcel {
    let mut parcel = Parcel::new(request(), &w.device).expect("signs");
    let run = run(check_ins(&mut w.rng, entries), 0, &w.device, None);
    parcel.segments.push(run.seal(&mut w.rng, &w.hub.public_key()).expect("seals"));
    parcel.objects.push(vec![7; 300]);
    parcel
}

#[test]
fn the_hub_opens_a_parcel_and_the_carrier_does_not() {
    let mut w = world("carried");
    let parcel = parcel(&mut w, 20);
    let sealed = parcel.seal(&mut w.rng, &w.hub.public_key()).unwrap();
    let outer = Outer::of(&sealed).unwrap();
    assert_eq!((outer.kind, outer.key), (Kind::ToHub, w.hub.public_key().id()));
    let opened = Parcel::open(&outer, &w.hub).unwrap();
    assert_eq!(opened, parcel);
    assert!(segment::open(&opened.segments[0], &w.hub).is_ok());
    for other in [&w.carrier, &w.device, &w.seal] {
        assert!(Parcel::open(&outer, other).is_err());
    }
    let request = opened.verify_request(&SoftwareVerifier, |r| (r.device == DEVICE).then(|| w.device.public_key())).unwrap();
    assert_eq!(request.value.0, self::request());
    assert!(opened.verify_request(&SoftwareVerifier, |_| Some(w.carrier.public_key())).is_err());
    // Nothing of the sender stands in the clear part: neither log, nor device, nor the segment's own head.
    for secret in [&LOG.0[..], &DEVICE.0[..], &parcel.segments[0][..12]] {
        assert!(!sealed.windows(secret.len()).any(|window| window == secret));
    }
    println!("parcel of 20 check-ins: segment {} bytes, parcel {} bytes", parcel.segments[0].len(), sealed.len());
}

#[test]
fn a_request_of_the_feed_is_no_courier_request() {
    let w = world("purposes");
    let feed = Signed::sign(request(), &w.device).unwrap();
    let as_courier = Signed::<CourierRequest>::verify(feed.bytes(), &SoftwareVerifier, |_, _| Some(w.device.public_key()));
    assert!(as_courier.is_err());
}

#[test]
fn an_answer_is_for_the_device_that_asked() {
    let mut w = world("answered");
    let answer = FeedAnswer {
        items: vec![vec![1; 40]],
        streams: Vec::new(),
        more: false,
        token: vec![2; 30],
        receipts: vec![vec![3; 50]],
        history: None,
        wanted: Vec::new(),
    };
    let sealed = seal_answer(&mut w.rng, &w.seal.public_key(), &answer).unwrap();
    let outer = Outer::of(&sealed).unwrap();
    assert_eq!((outer.kind, outer.key), (Kind::Answer, w.seal.public_key().id()));
    assert_eq!(open_answer(&outer, &w.seal).unwrap(), answer);
    assert!(open_answer(&outer, &w.carrier).is_err());
    assert!(Parcel::open(&outer, &w.seal).is_err(), "an answer is no parcel for the hub");
}

#[test]
fn cut_and_altered_parcels_are_noticed_by_whoever_has_them() {
    let mut w = world("cut");
    let parcel = parcel(&mut w, 3);
    let sealed = parcel.seal(&mut w.rng, &w.hub.public_key()).unwrap();
    for len in 0..sealed.len() {
        assert!(Outer::of(&sealed[..len]).is_err(), "cut at {len}");
    }
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut altered = sealed.clone();
            altered[at] ^= 1 << bit;
            assert!(Outer::of(&altered).is_err(), "byte {at} bit {bit}");
        }
    }
    let mut longer = sealed.clone();
    longer.push(0);
    assert!(Outer::of(&longer).is_err());
}

#[test]
fn a_hash_made_right_again_does_not_help_a_forger() {
    let mut w = world("forger");
    let parcel = parcel(&mut w, 3);
    let sealed = parcel.seal(&mut w.rng, &w.hub.public_key()).unwrap();
    let body = sealed.len() - 32;
    for at in 3..body {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        let hash = yenban_protocol::crypto::sha256(&altered[..body]);
        altered[body..].copy_from_slice(&hash);
        assert!(Outer::of(&altered).and_then(|outer| Parcel::open(&outer, &w.hub)).is_err(), "byte {at}");
    }
}

#[test]
fn a_file_gives_every_whole_parcel() {
    let mut w = world("file");
    let parcels: Vec<Vec<u8>> = (1..5)
        .map(|n| {
            let parcel = parcel(&mut w, n);
            parcel.seal(&mut w.rng, &w.hub.public_key()).unwrap()
        })
        .collect();
    let whole = parcels.concat();
    let read = |bytes: &[u8]| -> Vec<bool> { file(bytes).iter().map(|found| found.parcel.is_ok()).collect() };
    assert_eq!(read(&whole), [true; 4]);
    assert_eq!(read(&[]), []);
    assert_eq!(read(&whole[..whole.len() - 1]), [true, true, true, false]);
    // A damaged one is passed over: its neighbours are whole.
    let mut damaged = whole.clone();
    damaged[parcels[0].len() + 200] ^= 1;
    assert_eq!(read(&damaged), [true, false, true, true]);
    // Without a head nobody knows where the next begins.
    let mut headless = whole.clone();
    headless[parcels[0].len()] ^= 1;
    assert_eq!(read(&headless), [true, false]);
    assert_eq!(file(&headless)[1].at, parcels[0].len());
    let names: std::collections::BTreeSet<_> = file(&whole).into_iter().map(|found| found.parcel.unwrap().name()).collect();
    assert_eq!(names.len(), 4);
    let many = parcels[0].repeat(MAX_FILE_PARCELS + 5);
    let found = file(&many);
    assert!(found.len() == MAX_FILE_PARCELS + 1 && found.last().unwrap().parcel.is_err());
}

#[test]
fn a_later_version_and_a_claim_beyond_the_limit_are_refused_in_words() {
    let mut w = world("later");
    let sealed = parcel(&mut w, 1).seal(&mut w.rng, &w.hub.public_key()).unwrap();
    let with = |at: usize, bytes: &[u8]| {
        let mut altered = sealed.clone();
        altered[at..at + bytes.len()].copy_from_slice(bytes);
        Outer::of(&altered).unwrap_err().to_string()
    };
    assert_eq!(with(2, &[2]), "unknown version 2");
    assert!(with(3, &[1]).contains("kind of parcel"));
    assert!(with(0, b"PK").contains("malformed parcel"));
    assert!(with(4, &[0xff; 4]).contains("at most"), "{}", with(4, &[0xff; 4]));
}

#[test]
fn more_than_a_parcel_may_have_is_refused() {
    let mut w = world("full");
    let hub = w.hub.public_key();
    let empty = Parcel::new(request(), &w.device).unwrap();
    let mut with = |segments: Vec<Vec<u8>>, objects: Vec<Vec<u8>>| {
        Parcel { request: empty.request.clone(), segments, objects }.seal(&mut w.rng, &hub).map(|bytes| bytes.len())
    };
    assert!(with(vec![vec![0; 8]; MAX_PARCEL_SEGMENTS], vec![vec![0; 8]; MAX_PARCEL_OBJECTS]).is_ok());
    assert!(with(vec![vec![0; 8]; MAX_PARCEL_SEGMENTS + 1], vec![]).is_err());
    assert!(with(vec![], vec![vec![0; 8]; MAX_PARCEL_OBJECTS + 1]).is_err());
    assert!(with(vec![], vec![vec![0; MAX_PARCEL_OBJECT_BYTES + 1]]).is_err());
    assert!(with(vec![], vec![vec![0; MAX_PARCEL_OBJECT_BYTES]; 4]).is_err());
    let largest = with(vec![], vec![vec![0; MAX_PARCEL_OBJECT_BYTES - 1_000]; 4]).unwrap();
    assert!(largest <= MAX_PARCEL_BYTES);
    assert!(empty.content_bytes_with(0) < 1_024);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 2..4_u8, len in 0..300_u32) {
        let key = SecretKey::from_scalar(&[7; 32]).unwrap();
        let mut headed = vec![b'Y', b'B', 1, kind];
        headed.extend(len.to_be_bytes());
        headed.extend(&bytes);
        for bytes in [&bytes, &headed] {
            for found in file(bytes) {
                if let Ok(outer) = found.parcel {
                    let _ = Parcel::open(&outer, &key);
                    let _ = open_answer(&outer, &key);
                }
            }
        }
    }
}
