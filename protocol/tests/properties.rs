//! Properties that hold for every value and every input: what is written is read again, packing gives back
//! the same bytes, erasure never breaks a chain, and no decoder panics or runs away.

mod common;

use common::{LOG, Seeded, check_ins, run};
use proptest::prelude::*;
use yenban_protocol::cbor::{Reader, Writer, check};
use yenban_protocol::chain::{Body, Class, Part, StoredBody};
use yenban_protocol::crypto::{SecretKey, Signer as _};
use yenban_protocol::limits::{MAX_OPENED_BYTES, MAX_SEGMENT_ENTRIES};
use yenban_protocol::range::RangeSet;
use yenban_protocol::{Error, alert, cert, enrol, feed, keys, pack, parcel, receipt, record, seal, segment, signed, sms, wire};

/// Any deterministic CBOR item.
fn item() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        any::<u64>().prop_map(|n| Writer::new().uint(n).as_bytes().to_vec()),
        any::<u64>().prop_map(|n| Writer::new().nint(n).as_bytes().to_vec()),
        any::<i32>().prop_map(|n| Writer::new().int(n.into()).as_bytes().to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|b| Writer::new().bytes(&b).as_bytes().to_vec()),
        ".{0,12}".prop_map(|s| Writer::new().text(&s).as_bytes().to_vec()),
        any::<bool>().prop_map(|b| Writer::new().bool(b).as_bytes().to_vec()),
        Just(vec![0xf6]),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        let list = proptest::collection::vec(inner.clone(), 0..6).prop_map(|items| {
            let mut w = Writer::new();
            w.array(items.len());
            for item in &items {
                w.raw(item);
            }
            w.into_bytes()
        });
        let map = proptest::collection::btree_map(inner.clone(), inner, 0..6).prop_map(|pairs| {
            let mut w = Writer::new();
            w.map(pairs.len());
            for (key, value) in &pairs {
                w.raw(key).raw(value);
            }
            w.into_bytes()
        });
        prop_oneof![list, map]
    })
}

fn body() -> impl Strategy<Value = Body> {
    let part = (any::<u8>(), item()).prop_map(|(class, bytes)| Part { class: Class(class), bytes });
    (any::<[u8; 16]>(), proptest::collection::vec(part, 1..=8)).prop_map(|(salt, parts)| Body::new(salt, parts).expect("valid parts"))
}

/// Every decoder of the crate, on the same bytes. None may panic; errors are fine.
fn decode_everything(bytes: &[u8]) {
    let _ = check(bytes);
    let _ = StoredBody::from_bytes(bytes);
    let _ = seal::SealedBody::from_bytes(bytes);
    let _ = seal::SessionWrap::read(&mut Reader::new(bytes));
    let _ = segment::sealed_to(bytes);
    let _ = segment::Head::read(&mut Reader::new(bytes));
    let _ = signed::Signed::<receipt::Receipt>::trusted(bytes);
    let _ = signed::Signed::<keys::KeyHistory>::trusted(bytes);
    let _ = signed::Signed::<cert::DeviceCertificate>::trusted(bytes);
    let _ = signed::Signed::<cert::RequestCertificate>::trusted(bytes);
    let _ = signed::Signed::<cert::Token>::trusted(bytes);
    let _ = signed::Signed::<feed::FeedItem>::trusted(bytes);
    let _ = signed::Signed::<enrol::EnrolRequest>::trusted(bytes);
    let _ = signed::Signed::<wire::FeedRequest>::trusted(bytes);
    let _ = alert::Alert::read(&mut Reader::new(bytes));
    let _ = wire::KeysAnswer::from_bytes(bytes);
    let _ = wire::FeedAnswer::from_bytes(bytes);
    let _ = wire::AuthorisedRequest::from_bytes(bytes);
    let _ = enrol::EnrolAnswer::from_bytes(bytes);
    let _ = signed::Signed::<parcel::CourierRequest>::trusted(bytes);
    let _ = parcel::file(bytes);
    let _ = sms::Sms::from_text(&sms::tidied(&String::from_utf8_lossy(bytes)));
    let _ = enrol::EnrolmentCode::from_text(&String::from_utf8_lossy(bytes));
    let part = Part { class: Class::DUTY, bytes: bytes.to_vec() };
    let _ = record::Record::from_parts(&[Some(&part), Some(&part)]);
    let (columns, salts) = bytes.split_at(bytes.len() / 2);
    let _ = pack::unpack(columns, salts);
    // What a hostile sender can do with a valid deflate stream around arbitrary columns.
    let _ = pack::unpack(&miniz_oxide::deflate::compress_to_vec(bytes, 1), &[0; 16 * 5]);
}

fn golden_files() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/v1");
    let files = std::fs::read_dir(folder).expect("golden files").map(|f| f.expect("a file").path());
    let text = files.map(|path| std::fs::read_to_string(path).expect("readable").split_whitespace().collect::<String>());
    text.map(|hex| data_encoding::HEXLOWER.decode(hex.as_bytes()).expect("hexadecimal")).collect()
}

proptest! {
    #[test]
    fn bodies_are_read_as_written(body in body()) {
        let stored = StoredBody::Whole(body);
        prop_assert_eq!(StoredBody::from_bytes(&stored.to_bytes()).expect("decodes"), stored);
    }

    #[test]
    fn packing_gives_back_the_same_or_refuses(bodies in proptest::collection::vec(body(), 1..30)) {
        if let Some(packed) = pack::pack(&bodies) {
            prop_assert_eq!(pack::unpack(&packed.columns, &packed.salts).expect("unpacks"), bodies);
        }
    }

    #[test]
    fn every_segment_opens_to_what_was_sealed(bodies in proptest::collection::vec(body(), 1..12), first in 0u64..1_000) {
        let mut rng = Seeded::new("segments");
        let (device, hub) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
        let run = run(bodies, first, &device, None);
        let sealed = run.seal(&mut rng, &hub.public_key()).expect("seals");
        let (opened, _) = segment::open(&sealed, &hub).expect("opens");
        prop_assert_eq!(&opened, &run);
        prop_assert!(opened.verify(&yenban_protocol::crypto::SoftwareVerifier, |_| Some(device.public_key())).is_ok());
        prop_assert!(opened.verify(&yenban_protocol::crypto::SoftwareVerifier, |_| Some(hub.public_key())).is_err());
    }

    #[test]
    fn erasing_never_breaks_a_chain(bodies in proptest::collection::vec(body(), 1..8), erased in proptest::collection::vec((0usize..8, 0usize..10), 0..12)) {
        let mut previous = [0; 32];
        let whole: Vec<_> = bodies.iter().enumerate().map(|(i, b)| { previous = b.link(LOG, i as u64, &previous); previous }).collect();
        let mut stored: Vec<StoredBody> = bodies.into_iter().map(StoredBody::Whole).collect();
        for (entry, part) in erased {
            if let Some(slot) = stored.get_mut(entry) {
                let (before, taken) = (slot.len(), slot.clone().erase(part));
                prop_assert_eq!(taken.len(), before);
                prop_assert!(part >= before || taken.part(part).is_none(), "what is erased is gone");
                *slot = StoredBody::from_bytes(&taken.to_bytes()).expect("decodes");
            }
        }
        let mut previous = [0; 32];
        for (i, (body, link)) in stored.iter().zip(&whole).enumerate() {
            previous = yenban_protocol::chain::link(LOG, i as u64, &previous, &body.commit());
            prop_assert_eq!(&previous, link);
        }
    }

    #[test]
    fn decoders_never_panic_on_anything(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        decode_everything(&bytes);
    }

    #[test]
    fn decoders_never_panic_on_damaged_golden_bytes(which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), value in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let files = golden_files();
        let mut bytes = which.get(&files).clone();
        let at = at.index(bytes.len());
        bytes[at] = value;
        decode_everything(&bytes);
        bytes.truncate(cut.index(bytes.len()));
        decode_everything(&bytes);
    }

    #[test]
    fn the_strict_reader_accepts_only_what_the_writer_writes(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        // Whatever passes the check and is packed comes back as the same bytes: there is one encoding.
        if check(&bytes).is_ok() {
            let body = Body::new([0; 16], vec![Part { class: Class::DUTY, bytes }]).expect("a body");
            if let Some(packed) = pack::pack(std::slice::from_ref(&body)) {
                prop_assert_eq!(pack::unpack(&packed.columns, &packed.salts).expect("unpacks"), vec![body]);
            }
        }
    }

    #[test]
    fn range_sets_are_sets(inserted in proptest::collection::vec((0u64..60, 0u64..12), 0..20)) {
        let mut model = std::collections::BTreeSet::new();
        let mut ranges = RangeSet::new();
        for (first, n) in inserted {
            ranges.insert(first, first + n);
            model.extend(first..=first + n);
        }
        prop_assert_eq!(ranges.count(), model.len() as u64);
        for seq in 0..80 {
            prop_assert_eq!(ranges.contains(seq), model.contains(&seq));
        }
        let listed: Vec<_> = ranges.iter().collect();
        prop_assert!(listed.windows(2).all(|w| w[0].1 + 1 < w[1].0), "sorted, disjoint, not adjacent");
        let missing: u64 = ranges.missing_below(80).iter().map(|(f, l)| l - f + 1).sum();
        prop_assert_eq!(missing + ranges.count(), 80);
    }
}

#[test]
fn a_bomb_costs_what_the_limits_say() {
    let over = |result: Result<Vec<Body>, Error>| assert!(result.is_err(), "must be refused");
    // A deflate stream that grows a thousandfold.
    over(pack::unpack(&miniz_oxide::deflate::compress_to_vec(&vec![0; 64 * MAX_OPENED_BYTES], 6), &[0; 16]));
    // One large text, then "same as above" for every further entry.
    let mut columns = vec![1, 3, 0, 0xe2, 0xff];
    columns.extend(std::iter::repeat_n(0, MAX_SEGMENT_ENTRIES));
    let large = vec![b'a'; 60_000];
    columns.extend([0xe1, 0xd4, 0x03]);
    columns.extend(&large);
    columns.extend(std::iter::repeat_n(0, MAX_SEGMENT_ENTRIES - 1));
    over(pack::unpack(&miniz_oxide::deflate::compress_to_vec(&columns, 6), &vec![0; 16 * MAX_SEGMENT_ENTRIES]));
    // More entries than a segment may have.
    over(pack::unpack(&[], &vec![0; 16 * (MAX_SEGMENT_ENTRIES + 1)]));
    // Claims without content: a list of 2^32 items, a string of 2^63 bytes, nesting without end.
    for claim in [&[0x9a, 0xff, 0xff, 0xff, 0xff][..], &[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0x81; 5_000]] {
        assert!(check(claim).is_err());
        decode_everything(claim);
    }
}

#[test]
fn only_the_one_encoding_is_read() {
    let refused: [&[u8]; 12] = [
        &[0x18, 0x17],                   // 23 in two bytes
        &[0x19, 0x00, 0xff],             // 255 in three
        &[0x9f, 0xff],                   // indefinite array
        &[0xbf, 0xff],                   // indefinite map
        &[0x5f, 0xff],                   // indefinite bytes
        &[0xc2, 0x41, 0x01],             // a bignum
        &[0xf9, 0x3c, 0x00],             // a float
        &[0xf7],                         // undefined
        &[0xa2, 0x01, 0x00, 0x00, 0x00], // keys out of order
        &[0xa2, 0x01, 0x00, 0x01, 0x00], // the same key twice
        &[0x62, 0xc3, 0x28],             // not UTF-8
        &[0x00, 0x00],                   // something follows
    ];
    for bytes in refused {
        assert!(check(bytes).is_err(), "{bytes:02x?} must be refused");
    }
    assert!(check(&[0xa2, 0x01, 0x00, 0x18, 0x18, 0xf5]).is_ok());
}

#[test]
fn any_altered_byte_of_a_segment_is_noticed() {
    let mut rng = Seeded::new("altered");
    let (device, hub) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
    let run = run(check_ins(&mut rng, 3), 0, &device, None);
    let sealed = run.seal(&mut rng, &hub.public_key()).expect("seals");
    for at in 0..sealed.len() {
        let mut altered = sealed.clone();
        altered[at] ^= 1;
        assert!(segment::open(&altered, &hub).is_err(), "byte {at}");
    }
    for len in 0..sealed.len() {
        assert!(segment::open(&sealed[..len], &hub).is_err(), "cut at {len}");
    }
}
