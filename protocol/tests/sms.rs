//! One message of 160 GSM-7 characters: what goes in comes out, whatever is altered is refused, nothing can be read on
//! the way.

mod common;

use common::{DEVICE, LOG, Seeded, stamp};
use proptest::prelude::*;
use yenban_protocol::crypto::{PublicKey, SecretKey, Signature, Signer, SoftwareVerifier, Verifier as _};
use yenban_protocol::id::{DeviceId, EntryName, MemberNo};
use yenban_protocol::record::{Act, Basis, Common, Position, Provider, Record, Statement};
use yenban_protocol::sms::{Claim, Clock, KINDS, SMS_BYTES, Sms, SmsError, TEXT_CHARS, tidied};
use yenban_protocol::{Error, Result};

/// GSM 03.38, the basic set; a blank stands for the escape, which is no symbol of ours either.
const GSM7: &str =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";

const RECEIVED_MS: i64 = 1_763_744_700_000;

struct Keys {
    device: SecretKey,
    seal: SecretKey,
    hub: SecretKey,
}

fn keys() -> Keys {
    let mut rng = Seeded::new("a message");
    let mut key = || SecretKey::generate(&mut rng);
    Keys { device: key(), seal: key(), hub: key() }
}

fn report(kind: &str, position: Option<Position>) -> Record {
    let common = Common { author: MemberNo(7), unconfirmed: true, stamp: stamp(1_763_744_400_123, 3_600_456), position };
    let statements = vec![Statement { basis: Basis::Seen, text: "nhà ông Sùng ở suối Nánh".into() }];
    Record { common, act: Act::IncidentReported { kind: kind.into(), urgent: true, attachments: 1, statements } }
}

fn landslide() -> Claim {
    let mut position = Position::new(206_601_234, 1_050_834_567, Provider::Gnss).expect("on earth");
    position.accuracy_cm = Some(1_200);
    Claim::of(&report("landslide", Some(position)), EntryName { log: LOG, seq: 12 }, DEVICE).expect("a report")
}

fn seal(keys: &Keys, claim: &Claim) -> Sms {
    Sms::seal(claim, &keys.seal, &keys.hub.public_key(), &keys.device).expect("seals")
}

fn open(keys: &Keys, sms: &Sms) -> Result<Claim> {
    sms.open(&keys.hub, &keys.seal.public_key(), &keys.device.public_key(), &SoftwareVerifier, RECEIVED_MS)
}

#[test]
fn a_landslide_in_one_message() {
    let (keys, claim) = (keys(), landslide());
    let text = seal(&keys, &claim).to_text();
    assert_eq!(text.chars().count(), TEXT_CHARS);
    assert!(text.chars().all(|c| GSM7.contains(c)), "one septet a character: {text}");
    let sms = Sms::from_text(&text).unwrap();
    assert_eq!(sms.to_bytes().len(), SMS_BYTES);
    let read = open(&keys, &sms).unwrap();
    assert_eq!(read, claim);
    assert_eq!((read.kind, read.urgent, read.unconfirmed, read.clock), (Some("landslide"), true, true, Clock::Anchored));
    let place = read.place.unwrap();
    // 1,000 e-7 degrees are 11 m: the centre of the cell is at most half of that away.
    assert!((place.lat_e7 - 206_601_234).abs() <= 500 && (place.lon_e7 - 1_050_834_567).abs() <= 500, "{place:?}");
    assert_eq!(place.accuracy_m, Some(16), "12 m rounded up to a power of two");
    assert!(claim.at_ms % 60_000 == 0 && (1_763_744_400_123 - claim.at_ms).abs() < 120_000 + 200_000, "{}", claim.at_ms);
}

#[test]
fn any_single_bit_of_the_160_septets_is_refused() {
    let keys = keys();
    let text = seal(&keys, &landslide()).to_text();
    let gsm: Vec<char> = GSM7.chars().collect();
    let septets: Vec<usize> = text.chars().map(|c| gsm.iter().position(|g| *g == c).unwrap()).collect();
    let mut refused = 0;
    for (place, bit) in (0..septets.len()).flat_map(|place| (0..7).map(move |bit| (place, bit))) {
        let mut altered: Vec<char> = text.chars().collect();
        altered[place] = gsm[septets[place] ^ (1 << bit)];
        let altered: String = altered.into_iter().collect();
        assert!(Sms::from_text(&altered).is_err(), "character {place}, bit {bit}");
        // Tidied it may be what was meant (a small letter for a capital), and never anything else.
        if let Ok(sms) = Sms::from_text(&tidied(&altered)) {
            assert_eq!(sms.to_text(), text);
        }
        refused += 1;
    }
    assert_eq!(refused, 1_120);
}

#[test]
fn any_single_bit_of_the_95_bytes_is_refused_even_with_right_check_symbols() {
    let (keys, claim) = (keys(), landslide());
    let bytes = seal(&keys, &claim).to_bytes();
    for bit in 0..SMS_BYTES * 8 {
        let mut altered = bytes;
        altered[bit / 8] ^= 1 << (bit % 8);
        let sms = Sms::from_text(&Sms::from_bytes(&altered).to_text()).unwrap();
        assert_eq!(open(&keys, &sms), Err(Error::Signature { what: "message" }), "bit {bit}");
    }
}

#[test]
fn other_keys_open_nothing_and_the_other_half_of_a_signature_is_none() {
    let (keys, claim) = (keys(), landslide());
    let sms = seal(&keys, &claim);
    let mut rng = Seeded::new("others");
    let other = SecretKey::generate(&mut rng);
    let open = |hub: &SecretKey, seal: PublicKey, sign: PublicKey| sms.open(hub, &seal, &sign, &SoftwareVerifier, RECEIVED_MS);
    let (seal_key, sign_key) = (keys.seal.public_key(), keys.device.public_key());
    assert!(open(&keys.hub, seal_key, sign_key).is_ok());
    assert!(open(&other, seal_key, sign_key).is_err());
    assert!(open(&keys.hub, other.public_key(), sign_key).is_err());
    assert!(open(&keys.hub, seal_key, other.public_key()).is_err());
    assert!(open(&keys.hub, PublicKey([0; 33]), sign_key).is_err());

    // What was signed for another purpose is no message: the signature of a message covers its own purpose only.
    struct Blind<'a>(&'a SecretKey);
    impl Signer for Blind<'_> {
        fn public_key(&self) -> PublicKey {
            self.0.public_key()
        }
        fn sign(&self, message: &[u8]) -> Result<Signature> {
            let mut other = message.to_vec();
            other[2] = b'Y';
            self.0.sign(&other)
        }
    }
    let foreign = Sms::seal(&claim, &keys.seal, &keys.hub.public_key(), &Blind(&keys.device)).unwrap();
    assert!(foreign.open(&keys.hub, &seal_key, &sign_key, &SoftwareVerifier, RECEIVED_MS).is_err());
}

#[test]
fn nobody_on_the_way_reads_what_or_where() {
    let keys = keys();
    let claim = landslide();
    let elsewhere = Claim { kind: Some("theft"), place: None, urgent: false, ..claim };
    let (a, b) = (seal(&keys, &claim).to_bytes(), seal(&keys, &elsewhere).to_bytes());
    assert_eq!(a[..20], b[..20], "device and entry are in clear");
    // The same fields under another entry's name are sealed otherwise.
    let next = seal(&keys, &Claim { name: EntryName { log: LOG, seq: 13 }, ..claim }).to_bytes();
    assert_ne!(a[20..31], next[20..31]);
    // A guess at the fields cannot be tried against the signature: it covers what only the two sides can derive.
    let signature = Signature(a[31..].try_into().unwrap());
    let mut w = yenban_protocol::crypto::message("yb1/sms", 4);
    w.bytes(&DEVICE.0).bytes(&LOG.0).uint(12).bytes(&a[20..31]);
    assert!(!SoftwareVerifier.verify(&keys.device.public_key(), w.as_bytes(), &signature));
}

#[test]
fn nothing_of_the_text_and_nobody_s_number_goes_along() {
    let one = report("dispute", None);
    let mut two = one.clone();
    two.common.author = MemberNo(8);
    let Act::IncidentReported { statements, .. } = &mut two.act else { panic!("a report") };
    statements[0].text = "chuyện khác".into();
    let name = EntryName { log: LOG, seq: 1 };
    assert_eq!(Claim::of(&one, name, DEVICE).unwrap(), Claim::of(&two, name, DEVICE).unwrap());
}

#[test]
fn what_is_no_message_is_refused_in_words() {
    let text = seal(&keys(), &landslide()).to_text();
    let refused = |text: &str| Sms::from_text(text).unwrap_err();
    assert_eq!(refused(""), SmsError::NotOurs);
    assert_eq!(refused("Chào công an xã"), SmsError::NotOurs);
    assert_eq!(refused(&text.replacen("V1", "V2", 1)), SmsError::Version);
    assert_eq!(refused(&text[..159]), SmsError::Length { found: 159 });
    assert_eq!(refused(&format!("{text}0")), SmsError::Length { found: 161 });
    assert_eq!(refused(&text.replacen('*', "*U", 1)[..160]), SmsError::Symbol { place: 4 });
    let mut swapped: Vec<char> = text.chars().collect();
    let at = (10..150).find(|i| swapped[*i] != swapped[i + 1]).unwrap();
    swapped.swap(at, at + 1);
    assert_eq!(refused(&swapped.iter().collect::<String>()), SmsError::Check);
    assert_eq!(refused(&"ế".repeat(160)), SmsError::NotOurs);
    assert_eq!(refused(&format!("V1*{}", "ế".repeat(157))), SmsError::Symbol { place: 4 });
    for error in [SmsError::NotOurs, SmsError::Version, SmsError::Length { found: 3 }, SmsError::Symbol { place: 9 }, SmsError::Check] {
        assert!(error.to_string().len() > 20);
    }
}

#[test]
fn what_people_and_phones_add_is_left_out() {
    let text = seal(&keys(), &landslide()).to_text();
    let typed = text.to_lowercase().replace('0', "o").replace('1', "l");
    for untidy in
        [format!("  {text}\n"), format!("Tu 0912345678: {} {}", &text[..70], &text[70..]), format!("{text}\n-- \nGui tu dien thoai"), typed]
    {
        assert_eq!(tidied(&untidy), text, "{untidy}");
    }
    assert!(tidied(&"ấ".repeat(100_000)).len() <= 1_024);
}

#[test]
fn a_minute_is_the_one_nearest_to_its_arrival() {
    let keys = keys();
    let wrap_ms = (1_i64 << 24) * 60_000;
    for years in 0..6 {
        // The same message, believed at arrival: reports of 2025, 2057, 2089 ... are told apart by when they come.
        let at_ms = landslide().at_ms + years * wrap_ms;
        let sms = seal(&keys, &Claim { at_ms, ..landslide() });
        for off_ms in [0, 15 * 365 * 86_400_000, -15 * 365 * 86_400_000] {
            let read = sms.open(&keys.hub, &keys.seal.public_key(), &keys.device.public_key(), &SoftwareVerifier, at_ms + off_ms);
            assert_eq!(read.unwrap().at_ms, at_ms);
        }
    }
    for received_ms in [i64::MIN, i64::MAX, 0] {
        let _ =
            seal(&keys, &landslide()).open(&keys.hub, &keys.seal.public_key(), &keys.device.public_key(), &SoftwareVerifier, received_ms);
    }
}

#[test]
fn only_incident_reports_whose_number_fits() {
    let other = Record { act: Act::PatrolStarted { crew: vec![] }, ..report("fire", None) };
    assert!(Claim::of(&other, EntryName { log: LOG, seq: 1 }, DEVICE).is_err());
    let far = EntryName { log: LOG, seq: 1 << 32 };
    assert!(Claim::of(&report("fire", None), far, DEVICE).is_err());
    let unknown = Claim::of(&report("a kind of 2031", None), EntryName { log: LOG, seq: u32::MAX.into() }, DEVICE).unwrap();
    assert_eq!(unknown.kind, None);
    assert_eq!(open(&keys(), &seal(&keys(), &unknown)).unwrap(), unknown);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_claim_reads_back(
        device in any::<[u8; 8]>(),
        seq in any::<u32>(),
        kind in 0..=KINDS.len(),
        flags in any::<(bool, bool)>(),
        place in proptest::option::of((-900_000_000..=900_000_000_i32, -1_800_000_000..=1_800_000_000_i32, proptest::option::of(any::<u32>()), 0..9_u8)),
    ) {
        let position = place.map(|(lat, lon, accuracy_cm, provider)| {
            let mut position = Position::new(lat, lon, Provider::from_number(provider)).unwrap();
            position.accuracy_cm = accuracy_cm;
            position
        });
        let mut record = report(KINDS.get(kind).copied().unwrap_or("later"), position);
        record.common.unconfirmed = flags.0;
        if let Act::IncidentReported { urgent, .. } = &mut record.act {
            *urgent = flags.1;
        }
        let claim = Claim::of(&record, EntryName { log: LOG, seq: seq.into() }, DeviceId(device)).unwrap();
        let keys = keys();
        let sms = Sms::from_text(&seal(&keys, &claim).to_text()).unwrap();
        prop_assert_eq!(open(&keys, &sms).unwrap(), claim);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,200}", symbols in "V1\\*[0-9A-Z]{152}\\*[0-9A-Z]{4}") {
        let _ = Sms::from_text(&text);
        let _ = Sms::from_text(&tidied(&text));
        let _ = Sms::from_text(&symbols);
    }
}
