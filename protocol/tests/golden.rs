//! Golden bytes of version 1. They decode for ever: a phone that was away for years speaks them.
//!
//! Each file under tests/golden/v1 holds one value in hexadecimal, made with seeded keys. The test reads the
//! file, decodes it, compares with the value built here, and (where the encoding has one form) encodes it
//! again. To add a file for a new kind: `YENBAN_WRITE_GOLDEN=1 cargo test -p yenban-protocol --test golden`;
//! a file that exists is never written again. Custody and bundles are in golden_evidence.rs.

mod common;
mod golden_files;

use common::{DEVICE, LOG, Seeded, check_ins, run, stamp};
use data_encoding::HEXLOWER;
use golden_files::{exact, golden, keys};
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::cert::{DeviceCertificate, RequestCertificate, Token};
use yenban_protocol::chain::{self, Body, FIRST_LINK, Part, StoredBody};
use yenban_protocol::crypto::{PublicKey, SecretKey, Signer as _, SoftwareVerifier};
use yenban_protocol::enrol::{EnrolAnswer, EnrolRequest, EnrolmentCode};
use yenban_protocol::feed::{CheckpointEntry, Directory, Fate, FeedItem, HamletEntry, Item as FeedKind, MemberEntry, Scope};
use yenban_protocol::id::{BootId, CommuneCode, EntryName, Epoch, HamletNo, MemberNo, Role};
use yenban_protocol::keys::{HubKey, KeyHistory, Purpose, root_hash};
use yenban_protocol::parcel::{self, CourierRequest, Outer, Parcel};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::record::{
    Act, Answer, Basis, Begun, Common, CrewChange, Declared, Exif, PhotoFacts, Position, Preview, PreviewKind, Previews, Provider, Record,
    Statement,
};
use yenban_protocol::seal::{SealedBody, SessionKey};
use yenban_protocol::segment::{self, Mode};
use yenban_protocol::signed::{Signed, Statement as _};
use yenban_protocol::sms::{Claim, Sms};
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest, ItemRange, KeysAnswer, ReturnedAnswer, ReturnedItems};

fn acts(device_key: PublicKey) -> Vec<Act> {
    let incident = EntryName { log: LOG, seq: 12 };
    let statements = vec![
        Statement { basis: Basis::Seen, text: "đất lấp đường ở suối Nánh".into() },
        Statement { basis: Basis::Heard, text: "còn nhà dưới dốc".into() },
    ];
    vec![
        Act::LogStarted { device_key, continues: Some(EntryName { log: LOG, seq: 99 }), reason: "marker_missing".into() },
        Act::PatrolStarted { crew: vec![MemberNo(7), MemberNo(8)] },
        Act::CheckIn { patrol_seq: Some(1), checkpoint: Some("7K3M2".into()), note: Some("bản yên".into()) },
        Act::PatrolPaused { patrol_seq: 1 },
        Act::PatrolResumed { patrol_seq: 1 },
        Act::PatrolFinished { patrol_seq: 1, distance_m: 3_412 },
        Act::CrewChanged { patrol_seq: 1, change: CrewChange { joined: vec![MemberNo(9)], left: vec![MemberNo(8)] } },
        Act::IncidentReported { kind: "landslide".into(), urgent: true, attachments: 0, statements: statements.clone() },
        Act::IncidentAmended { incident, statements },
        Act::PhotoCaptured {
            subject: Some(incident),
            photo: Some(PhotoFacts {
                sha256: [1; 32],
                size_bytes: 1_957_448,
                sealed_sha256: [2; 32],
                sealed_size_bytes: 1_957_999,
                media_type: "image/jpeg".into(),
                from_camera: true,
                original_name: Some("suối.jpg".into()),
                ..PhotoFacts::default()
            }),
        },
        Act::AlertAnswered { alert: "VN-05200-0a1b-42".into(), answer: Answer::Going },
        Act::PhoneHandedOver { to: MemberNo(8) },
        Act::AuthorConfirmed { first_seq: 20, last_seq: 29 },
    ]
}

fn records() -> Vec<Record> {
    let mut position = Position::new(206_601_234, 1_050_834_567, Provider::Gnss).expect("on earth");
    position.accuracy_cm = Some(1_200);
    let mut stamp = stamp(1_763_744_400_123, 3_600_456);
    stamp.gnss_ms = Some(1_763_744_400_000);
    let common = Common { author: MemberNo(7), unconfirmed: true, stamp, position: Some(position) };
    acts(keys().device.public_key()).into_iter().map(|act| Record { common: common.clone(), act }).collect()
}

#[test]
fn entries_of_every_kind() {
    let mut rng = Seeded::new("entries");
    let mut previous = FIRST_LINK;
    for (seq, record) in records().into_iter().enumerate() {
        let name = Act::kind_code(record.act.kind());
        let body = Body::new(rng.bytes(), record.to_parts().expect("parts")).expect("body");
        let stored = StoredBody::Whole(body.clone());
        let bytes = exact(&format!("entry_{name}"), &stored.to_bytes());
        let read = StoredBody::from_bytes(&bytes).expect("decodes");
        assert_eq!(read, stored);
        let parts: Vec<Option<&Part>> = (0..read.len()).map(|i| read.part(i)).collect();
        assert_eq!(Record::from_parts(&parts).expect("record"), record);
        previous = body.link(LOG, seq as u64, &previous);
        exact(&format!("link_{name}"), &previous);
    }
}

#[test]
fn an_erased_part() {
    let mut rng = Seeded::new("erased");
    let record = &records()[7];
    let body = Body::new(rng.bytes(), record.to_parts().expect("parts")).expect("body");
    let erased = StoredBody::Whole(body.clone()).erase(1);
    let read = StoredBody::from_bytes(&exact("entry_erased", &erased.to_bytes())).expect("decodes");
    assert_eq!(read, erased);
    assert_eq!(read.commit(), body.commit());
}

#[test]
fn sealed_bodies_and_session_wraps() {
    let keys = keys();
    let mut rng = Seeded::new("sealed");
    let session = SessionKey::generate(&mut rng);
    let name = EntryName { log: LOG, seq: 3 };
    let body = check_ins(&mut rng, 1).remove(0);
    let sealed = session.seal(&mut rng, name, &body).expect("seals");
    let read = SealedBody::from_bytes(&exact("sealed_body", &sealed.to_bytes())).expect("decodes");
    assert_eq!(session.open(name, &read).expect("opens"), body);
    let wrap = session.wrap(&mut rng, LOG, &keys.seal.public_key()).expect("wraps");
    let mut w = yenban_protocol::cbor::Writer::new();
    wrap.write(&mut w);
    let bytes = exact("session_wrap", w.as_bytes());
    let read = yenban_protocol::seal::SessionWrap::read(&mut yenban_protocol::cbor::Reader::new(&bytes)).expect("decodes");
    let opened = read.open(LOG, &keys.seal).expect("opens");
    assert_eq!(opened.open(name, &sealed).expect("opens"), body);
}

#[test]
fn segments_of_each_mode() {
    let keys = keys();
    let mut rng = Seeded::new("segments");
    let token = Signed::sign(Token { hub_time_ms: 1_763_740_800_000, epoch: Epoch([3; 8]) }, &keys.hub).expect("signs").into_bytes();
    let packed = run(check_ins(&mut rng, 30), 0, &keys.device, Some(token));
    // Deflate may find a shorter form one day: the bytes must decode, not be made again.
    let bytes = golden("segment_packed", &packed.seal(&mut rng, &keys.seal.public_key()).expect("seals"));
    let (read, mode) = segment::open(&bytes, &keys.seal).expect("opens");
    assert_eq!((read.bodies.len(), mode), (30, Mode::Packed));
    assert_eq!(read, packed);
    read.verify(&SoftwareVerifier, |device| (device == DEVICE).then(|| keys.device.public_key())).expect("verifies");

    let mut rng = Seeded::new("segment as stored");
    let session = SessionKey::generate(&mut rng);
    let wrap = session.wrap(&mut rng, LOG, &keys.seal.public_key()).expect("wraps");
    let whole = run(check_ins(&mut rng, 3), 5, &keys.device, None);
    let sealed: Vec<(u32, SealedBody)> = (5u64..)
        .zip(&whole.bodies)
        .map(|(seq, body)| (0, session.seal(&mut rng, EntryName { log: LOG, seq }, body).expect("seals")))
        .collect();
    let empty = segment::Run { bodies: Vec::new(), ..whole.clone() };
    let made = empty.seal_as_stored(&mut rng, &keys.seal.public_key(), &[wrap], &sealed).expect("seals");
    let (read, mode) = segment::open(&exact("segment_as_stored", &made), &keys.seal).expect("opens");
    assert_eq!((read, mode), (whole, Mode::AsStored));
}

#[test]
fn statements_of_hub_device_and_root() {
    let keys = keys();
    let verifier = SoftwareVerifier;
    let hub = Some(keys.hub.public_key());
    let commune: CommuneCode = "05200".parse().expect("a code");

    let receipt = Receipt {
        log: LOG,
        epoch: Epoch([3; 8]),
        ranges: vec![Held { first: 0, last: 499, last_link: [7; 32] }],
        floating: vec![Held { first: 600, last: 600, last_link: [8; 32] }],
        objects: vec![([5; 32], 1_957_999)],
        hub_time_ms: 1_763_744_500_000,
        hold_s: 1_209_600,
        fork_at: Some(601),
        quarantined: true,
    };
    let made = Signed::sign(receipt.clone(), &keys.hub).expect("signs");
    let read = Signed::verify(&exact("receipt", made.bytes()), &verifier, |_: &Receipt, _| hub).expect("verifies");
    assert_eq!(read.value, receipt);

    let root = keys.root.public_key();
    let key = |purpose, key: &SecretKey, retired_ms| HubKey { purpose, key: key.public_key(), since_ms: 1_763_000_000_000, retired_ms };
    let history = KeyHistory {
        commune,
        name: "Công an xã Bao La".into(),
        root,
        number: 2,
        keys: vec![
            key(Purpose::Sign, &keys.device, Some(1_763_500_000_000)),
            key(Purpose::Tls, &keys.hub, None),
            key(Purpose::Seal, &keys.seal, None),
            key(Purpose::Sign, &keys.hub, None),
        ],
    };
    let signed_history = Signed::sign(history.clone(), &keys.root).expect("signs");
    let bytes = exact("key_history", signed_history.bytes());
    assert_eq!(KeyHistory::verify(&bytes, &verifier, &root_hash(&root)).expect("verifies").value, history);
    exact("root_hash", &root_hash(&root));

    let certificate = DeviceCertificate {
        device: DEVICE,
        sign_key: keys.device.public_key(),
        seal_key: keys.seal.public_key(),
        commune,
        hamlet: HamletNo(3),
        member: MemberNo(7),
        role: Role::Leader,
        issued_ms: 1_763_740_800_000,
        expires_ms: 1_779_292_800_000,
    };
    let signed_certificate = Signed::sign(certificate.clone(), &keys.hub).expect("signs");
    let read = Signed::verify(&exact("device_certificate", signed_certificate.bytes()), &verifier, |_: &DeviceCertificate, _| hub);
    assert_eq!(read.expect("verifies").value, certificate);

    let token = Signed::sign(Token { hub_time_ms: 1_763_740_800_000, epoch: Epoch([3; 8]) }, &keys.hub).expect("signs");
    exact("token", token.bytes());

    let mut rng = Seeded::new("request key");
    let request_key = SecretKey::generate(&mut rng);
    let grant = RequestCertificate { device: DEVICE, key: request_key.public_key(), token: token.bytes().to_vec() };
    let grant = Signed::sign(grant, &keys.device).expect("signs");
    let cursor = Cursor { scope: Scope::Hamlet(HamletNo(3)), epoch: Epoch([3; 8]), number: 41 };
    let request = FeedRequest { device: DEVICE, cursors: vec![cursor], limit: 200, logs: vec![LOG], history_number: 2, held: Vec::new() };
    let asked = AuthorisedRequest::new(&grant, request.clone(), &request_key).expect("signs");
    let read = AuthorisedRequest::from_bytes(&exact("feed_request", &asked.to_bytes())).expect("decodes");
    let now = 1_763_740_800_000 + 3_600_000;
    let device = |id| (id == DEVICE).then(|| keys.device.public_key());
    assert_eq!(read.verify(&verifier, device, |_| hub, now).expect("verifies").value, request);
    let tomorrow = now + 24 * 3_600_000;
    assert!(read.verify(&verifier, device, |_| hub, tomorrow).is_err(), "a request key serves for 24 hours");

    let enrol = EnrolRequest {
        token: [4; 16],
        root_hash: root_hash(&root),
        hamlet: "Nà Phòn".into(),
        role: Role::Member,
        sign_key: keys.device.public_key(),
        seal_key: keys.seal.public_key(),
        log: LOG,
    };
    let signed = Signed::sign(enrol.clone(), &keys.device).expect("signs");
    let read = Signed::verify(&exact("enrol_request", signed.bytes()), &verifier, |r: &EnrolRequest, _| Some(r.sign_key));
    assert_eq!(read.expect("verifies").value, enrol);

    let answer = EnrolAnswer {
        certificate: signed_certificate.into_bytes(),
        history: signed_history.bytes().to_vec(),
        token: token.bytes().to_vec(),
        member: MemberNo(7),
        member_name: "Lò Văn Páo".into(),
        hamlet: HamletNo(3),
        hamlet_name: "Nà Phòn".into(),
    };
    assert_eq!(EnrolAnswer::from_bytes(&exact("enrol_answer", &answer.to_bytes())).expect("decodes"), answer);
    let answer = KeysAnswer { history: signed_history.into_bytes(), token: token.bytes().to_vec() };
    assert_eq!(KeysAnswer::from_bytes(&exact("keys_answer", &answer.to_bytes())).expect("decodes"), answer);

    let code = EnrolmentCode {
        addresses: vec!["127.0.0.1:8443".into()],
        root_hash: root_hash(&root),
        token: [4; 16],
        commune,
        hamlet: "Nà Phòn".into(),
        role: Role::Member,
        expires_ms: 1_763_741_400_000,
    };
    let text = exact("enrolment_code", code.to_text().as_bytes());
    assert_eq!(EnrolmentCode::from_text(std::str::from_utf8(&text).expect("text")).expect("decodes"), code);
}

#[test]
fn feed_items_of_every_kind() {
    let keys = keys();
    let items = [
        FeedKind::Directory(Directory {
            hamlets: vec![HamletEntry { no: HamletNo(3), name: "Bản Nà Phòn".into(), centre_e7: Some((206_600_000, 1_050_800_000)) }],
            members: vec![MemberEntry { no: MemberNo(7), name: "Lò Văn Páo".into(), role: Role::Leader }],
            checkpoints: vec![CheckpointEntry {
                code: "7K3M2".into(), name: "Đầu cầu".into(), place_e7: (206_611_111, 1_050_822_222)
            }],
        }),
        FeedKind::Alert(Alert {
            identifier: "VN-05200-0a1b-42".into(),
            sender_name: "Công an xã Bao La".into(),
            sent_ms: 1_763_744_500_000,
            expires_ms: 1_763_766_100_000,
            status: Status::Exercise,
            message_type: MessageType::Alert,
            severity: Severity::Extreme,
            urgency: Urgency::Immediate,
            headline: "Sạt lở ở suối Nánh".into(),
            description: "Mưa lớn, đất trượt.".into(),
            instruction: "Rời chân dốc. Lên nhà văn hóa.".into(),
            hamlets: vec![HamletNo(3)],
            references: vec!["VN-05200-0a1b-41".into()],
        }),
        FeedKind::Fate(Fate { incident: EntryName { log: LOG, seq: 12 }, state: "in_hand".into(), note: "Đang tới".into() }),
        FeedKind::Revocation { device: DEVICE, lost: true },
        FeedKind::Membership { member: MemberNo(7), role: Role::Leader, hamlet: HamletNo(3) },
    ];
    let mut sent = Vec::new();
    for (number, item) in (1u64..).zip(items) {
        let name = format!("item_{}", item.code());
        let value = FeedItem {
            scope: Scope::Hamlet(HamletNo(3)),
            epoch: Epoch([3; 8]),
            number,
            previous: [6; 32],
            issued_ms: 1_763_744_500_000,
            item,
        };
        let made = Signed::sign(value.clone(), &keys.hub).expect("signs");
        let bytes = exact(&name, made.bytes());
        let read = Signed::verify(&bytes, &SoftwareVerifier, |_: &FeedItem, _| Some(keys.hub.public_key())).expect("verifies");
        assert_eq!(read.value, value);
        sent.push(bytes);
    }
    let answer = FeedAnswer {
        items: sent,
        streams: vec![Cursor { scope: Scope::Device(DEVICE), epoch: Epoch([3; 8]), number: 5 }],
        more: true,
        token: vec![1, 2, 3],
        receipts: vec![vec![4, 5]],
        history: Some(vec![6]),
        wanted: Vec::new(),
    };
    assert_eq!(FeedAnswer::from_bytes(&exact("feed_answer", &answer.to_bytes())).expect("decodes"), answer);
    // After the hub was restored: what a phone holds of an earlier epoch, what of it was lost, and that given back.
    let (scope, epoch) = (Scope::Device(DEVICE), Epoch([2; 8]));
    let held = vec![Cursor { scope, epoch, number: 9 }];
    let request = FeedRequest { device: DEVICE, cursors: Vec::new(), limit: 200, logs: Vec::new(), history_number: 2, held };
    let mut w = Writer::new();
    request.write(&mut w);
    assert_eq!(FeedRequest::read(&mut Reader::new(&exact("feed_request_held", w.as_bytes()))).expect("decodes"), request);
    let answer = FeedAnswer { wanted: vec![ItemRange { scope, epoch, first: 7, last: 9 }], items: Vec::new(), ..answer };
    assert_eq!(FeedAnswer::from_bytes(&exact("feed_answer_wanted", &answer.to_bytes())).expect("decodes"), answer);
    let returned = ReturnedItems(vec![vec![1, 2], vec![3]]);
    assert_eq!(ReturnedItems::from_bytes(&exact("returned_items", &returned.to_bytes())).expect("decodes"), returned);
    exact("returned_answer", &ReturnedAnswer { taken: 2 }.to_bytes());
}

#[test]
fn a_photograph_with_all_its_facts_and_its_smaller_copies() {
    let mut rng = Seeded::new("photographs");
    let photo = PhotoFacts {
        sha256: [1; 32],
        size_bytes: 1_957_448,
        sealed_sha256: [2; 32],
        sealed_size_bytes: 1_957_999,
        media_type: "image/jpeg".into(),
        from_camera: true,
        original_name: None,
        begun: Some(Begun { wall_ms: 1_763_744_399_000, monotonic_ms: 3_599_333, boot: BootId([9; 8]) }),
        heading_cdeg: Some(27_150),
        declared: Some(Declared { media_type: Some("image/jpeg".into()), size_px: Some((4_000, 3_000)), rotation_deg: Some(90) }),
        exif: Some(Exif {
            taken: Some("2025:11:21 21:00:00".into()),
            offset: Some("+07:00".into()),
            place_e7: Some((206_601_234, 1_050_834_567)),
            make: Some("Samsung".into()),
            model: Some("SM-A055F".into()),
            orientation: Some(6),
            size_px: Some((4_000, 3_000)),
        }),
        flags: vec!["gps_conflict".into()],
        recovered: true,
    };
    let made = |kind, n: u8, size_px| Preview {
        kind,
        sha256: [n; 32],
        size_bytes: 90_000 / u64::from(n),
        sealed_sha256: [n + 1; 32],
        sealed_size_bytes: 90_269,
        size_px,
    };
    let previews = Previews {
        parent_sha256: [1; 32],
        tool: "yenban 1".into(),
        made: vec![made(PreviewKind::Preview, 3, (1_200, 1_600)), made(PreviewKind::Thumbnail, 5, (192, 256))],
        missing: None,
    };
    let none = Previews { parent_sha256: [1; 32], tool: "yenban 1".into(), made: Vec::new(), missing: Some("truncated".into()) };
    let name = EntryName { log: LOG, seq: 13 };
    let statements = vec![Statement { basis: Basis::Seen, text: "đất lấp đường".into() }];
    let acts = [
        ("entry_photo_captured_full", Act::PhotoCaptured { subject: Some(EntryName { log: LOG, seq: 12 }), photo: Some(photo) }),
        ("entry_previews_made", Act::PreviewsMade { photo: name, previews: Some(previews) }),
        ("entry_previews_missing", Act::PreviewsMade { photo: name, previews: Some(none) }),
        ("entry_incident_with_attachments", Act::IncidentReported { kind: "landslide".into(), urgent: false, attachments: 3, statements }),
    ];
    for (file, act) in acts {
        let common = Common { author: MemberNo(7), unconfirmed: false, stamp: stamp(1_763_744_400_123, 3_600_456), position: None };
        let record = Record { common, act };
        let stored = StoredBody::Whole(Body::new(rng.bytes(), record.to_parts().expect("parts")).expect("body"));
        let read = StoredBody::from_bytes(&exact(file, &stored.to_bytes())).expect("decodes");
        let parts: Vec<Option<&Part>> = (0..read.len()).map(|i| read.part(i)).collect();
        assert_eq!(Record::from_parts(&parts).expect("record"), record);
    }
}

#[test]
fn parcels_and_messages() {
    let keys = keys();
    let mut rng = Seeded::new("courier");
    let cursor = Cursor { scope: Scope::Hamlet(HamletNo(3)), epoch: Epoch([3; 8]), number: 41 };
    let request = FeedRequest { device: DEVICE, cursors: vec![cursor], limit: 100, logs: vec![LOG], history_number: 1, held: Vec::new() };
    let mut parcel = Parcel::new(request.clone(), &keys.device).expect("signs");
    let signed = exact("courier_request", &parcel.request);
    let read = Signed::verify(&signed, &SoftwareVerifier, |_: &CourierRequest, _| Some(keys.device.public_key())).expect("verifies");
    assert_eq!(read.value.0, request);
    let run = run(check_ins(&mut rng, 2), 0, &keys.device, None);
    parcel.segments.push(run.seal(&mut rng, &keys.hub.public_key()).expect("seals"));
    parcel.objects.push(vec![8; 40]);
    let bytes = exact("parcel", &parcel.seal(&mut rng, &keys.hub.public_key()).expect("seals"));
    assert_eq!(Parcel::open(&Outer::of(&bytes).expect("whole"), &keys.hub).expect("opens"), parcel);

    let answer = FeedAnswer {
        items: vec![vec![1]],
        streams: vec![cursor],
        more: false,
        token: vec![2],
        receipts: vec![vec![3]],
        history: None,
        wanted: Vec::new(),
    };
    let bytes = exact("answer_parcel", &parcel::seal_answer(&mut rng, &keys.seal.public_key(), &answer).expect("seals"));
    assert_eq!(parcel::open_answer(&Outer::of(&bytes).expect("whole"), &keys.seal).expect("opens"), answer);

    let report = records().into_iter().find(|r| matches!(r.act, Act::IncidentReported { .. })).expect("a report");
    let claim = Claim::of(&report, EntryName { log: LOG, seq: 12 }, DEVICE).expect("an incident");
    let sms = Sms::seal(&claim, &keys.seal, &keys.hub.public_key(), &keys.device).expect("seals");
    let bytes = exact("sms", &sms.to_bytes());
    let text = exact("sms_text", sms.to_text().as_bytes());
    let read = Sms::from_text(std::str::from_utf8(&text).expect("text")).expect("a message");
    assert_eq!(read, Sms::from_bytes(bytes.as_slice().try_into().expect("95 bytes")));
    let opened = read.open(&keys.hub, &keys.seal.public_key(), &keys.device.public_key(), &SoftwareVerifier, 1_763_744_500_000);
    assert_eq!(opened.expect("opens"), claim);
    // Numbers of kinds are the wire's: a list that grows keeps what it had.
    let kinds = yenban_protocol::sms::KINDS.join(" ");
    exact("sms_kinds", kinds.as_bytes());
}

#[test]
fn the_chain_formulas_by_hand() {
    // Computed by an independent program from docs/PROTOCOL.md (tests/golden/chain.py).
    let salt = [0x42; 16];
    let part = Part { class: chain::Class::DUTY, bytes: vec![0xa1, 0x00, 0x02] };
    let body = Body::new(salt, vec![part]).expect("body");
    let link = body.link(LOG, 300, &[0x24; 32]);
    assert_eq!(HEXLOWER.encode(&chain::part_salt(&salt, 0)), include_str!("golden/chain_salt.txt").trim());
    assert_eq!(HEXLOWER.encode(&body.commit()), include_str!("golden/chain_commit.txt").trim());
    assert_eq!(HEXLOWER.encode(&link), include_str!("golden/chain_link.txt").trim());
}
