//! Golden bytes of version 1 for what proves evidence: custody records, sealed files, a whole bundle. As in golden.rs, what
//! stands under tests/golden decodes for ever, and a file that exists is never written again.

mod common;
mod golden_files;

use std::path::PathBuf;

use common::village::{Shape, Village, unpack};
use common::{LOG, Seeded};
use data_encoding::HEXLOWER;
use golden_files::{exact, keys};
use yenban_protocol::bundle::tar::Scanner;
use yenban_protocol::bundle::{CustodyFile, Manifest, Trust, judge, write_statements};
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::crypto::{Signer as _, SoftwareVerifier};
use yenban_protocol::custody::{Action, CustodyFacts, CustodyRecord, DayHead, Item, Leaf, Proof, Who};
use yenban_protocol::feed::{FeedItem, Item as FeedKind, Scope};
use yenban_protocol::id::{EntryName, Epoch};
use yenban_protocol::object;
use yenban_protocol::signed::Signed;
use yenban_protocol::upload::{ObjectState, ObjectsAnswer, ObjectsQuestion};
use zeroize::Zeroizing;

#[test]
fn custody_and_objects() {
    let keys = keys();
    let item = Item { entry: EntryName { log: LOG, seq: 13 }, branch: 0 };
    let facts = CustodyFacts { action: Action::Viewed, at_ms: 1_763_744_500_000, sha256: [1; 32], size_bytes: 1_957_448, note: None };
    let who = Who { actor: "officer 7".into(), purpose: "vụ 12/2025".into() };
    let record = CustodyRecord::new(&facts, [0x42; 16], &who);
    for (name, record) in [("custody_record", record.clone()), ("custody_record_erased", record.erased())] {
        let mut w = Writer::new();
        record.write(&mut w);
        let bytes = exact(name, w.as_bytes());
        let (read, said) = CustodyRecord::read(&mut Reader::new(&bytes)).expect("decodes");
        assert_eq!((read.link(&item, 2, &[7; 32]), said), (record.link(&item, 2, &[7; 32]), facts.clone()));
        exact("custody_link", &record.link(&item, 2, &[7; 32]));
    }
    exact("custody_leaf", &Leaf { item, records: 3, link: [7; 32] }.hash());
    let proof = Proof { head: 41, records: 3, index: 5, path: vec![[1; 32], [2; 32]] };
    let file = CustodyFile { item, records: vec![(record, facts)], proofs: vec![proof] };
    assert_eq!(CustodyFile::from_bytes(&exact("custody_file", &file.to_bytes())).expect("decodes"), file);

    let head = DayHead { day: 20_251_121, items: 12, root: [5; 32], previous: [6; 32], at_ms: 1_763_744_500_000, number: 41 };
    exact("custody_head_hash", &head.hash());
    let items = [FeedKind::CustodyHead(head), FeedKind::ObjectsWanted { objects: vec![[5; 32], [6; 32]] }];
    for (number, item) in (6u64..).zip(items) {
        let scope = Scope::Commune("05200".parse().expect("a code"));
        let name = format!("item_{}", item.code());
        let value = FeedItem { scope, epoch: Epoch([3; 8]), number, previous: [6; 32], issued_ms: 1_763_744_500_000, item };
        let made = Signed::sign(value.clone(), &keys.hub).expect("signs");
        let read = Signed::verify(&exact(&name, made.bytes()), &SoftwareVerifier, |_: &FeedItem, _| Some(keys.hub.public_key()));
        assert_eq!(read.expect("verifies").value, value);
    }

    let question = ObjectsQuestion { objects: vec![[5; 32], [6; 32]] };
    let bytes = exact("objects_question", &question.to_bytes());
    assert_eq!(ObjectsQuestion::from_bytes(&bytes).expect("decodes"), question);
    let states = vec![ObjectState::NotNamed, ObjectState::Partial(65_536), ObjectState::Verified, ObjectState::Erased];
    let answer = ObjectsAnswer { states, receipts: vec![vec![1, 2, 3]] };
    assert_eq!(ObjectsAnswer::from_bytes(&exact("objects_answer", &answer.to_bytes())).expect("decodes"), answer);

    let mut rng = Seeded::new("sealed file");
    let key = Zeroizing::new([8; 32]);
    let sealed = object::Head::seal(&mut rng, &key, [4; 7], [&keys.seal.public_key(), &keys.device.public_key()]).expect("seals");
    let bytes = exact("object_head", sealed.bytes());
    let read = object::Head::read(bytes.as_slice().try_into().expect("its length")).expect("a head");
    assert_eq!(*read.open(&keys.seal).expect("opens"), *key);
    assert_eq!(*read.open(&keys.device).expect("opens"), *key);
}

#[test]
fn a_bundle_and_what_a_verifier_says_of_it() {
    let mut village = Village::new("golden bundle 9", Shape { phones: 1, incidents: 2, photos: 2, others: 3, days: 2, photo_bytes: 200 });
    let incident = village.incidents[1];
    let made = village.bundle(Some(incident)).to_tar(&village.hub);
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden/bundle");
    let kept = |name: &str, made: &[u8]| {
        let path = folder.join(name);
        if !path.exists() && std::env::var_os("YENBAN_WRITE_GOLDEN").is_some() {
            std::fs::create_dir_all(&folder).expect("folder");
            std::fs::write(&path, made).expect("written");
        }
        assert!(std::fs::read(&path).expect("a golden file") == made, "{name}: today's bytes differ from those of version 1");
    };
    kept("good.tar", &made);
    let witness = village.witness();
    kept("witness.cbor", &write_statements(witness.iter().map(Vec::as_slice)));
    kept("root.txt", format!("{}\n", HEXLOWER.encode(&village.fingerprint())).as_bytes());
    let mut scanner = Scanner::default();
    scanner.feed(&made);
    let report = judge(&scanner.finish(), Trust::default(), &SoftwareVerifier);
    let lines: Vec<String> = report
        .lines
        .iter()
        .map(|line| {
            let reason = line.reason.map_or("null".to_owned(), |reason| format!("\"{reason}\""));
            format!(
                "  {{\"id\": \"{}\", \"kind\": \"{}\", \"verdict\": \"{}\", \"reason\": {reason}}}",
                line.id,
                line.kind.code(),
                line.verdict.code()
            )
        })
        .collect();
    kept("good.json", format!("[\n{}\n]\n", lines.join(",\n")).as_bytes());
    let manifest = unpack(&made).remove(0).1;
    let read = Signed::<Manifest>::verify(&exact("bundle_manifest", &manifest), &SoftwareVerifier, |_, _| Some(village.hub.public_key()));
    assert_eq!(read.expect("verifies").value.incidents, Some(vec![incident]));
}
