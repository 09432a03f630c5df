//! Bundles are judged as docs/EVIDENCE.md says: good ones without a false alarm, every change found, erased and
//! incomplete ones told as such, neighbours kept secret.

mod common;

use std::cell::RefCell;
use std::collections::HashMap;

use common::Seeded;
use common::village::{EXPORTED, Gone, MIDDLE, SMALL, Shape, Village, pack, unpack};
use yenban_protocol::bundle::tar::{Contents, End, Scanner};
use yenban_protocol::bundle::{CustodyFile, LogFile, Manifest, Report, Step, Trust, Verdict, judge};
use yenban_protocol::crypto::{Hash, PublicKey, SecretKey, Signature, SoftwareVerifier, Verifier, sha256};
use yenban_protocol::signed::Signed;

/// A key, the hash of a message, a signature.
type Asked = (PublicKey, Hash, [u8; 64]);

/// Remembers what it verified: tests of many mutations ask the same again and again.
#[derive(Default)]
struct Memo(RefCell<HashMap<Asked, bool>>);

impl Verifier for Memo {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let asked = (*key, sha256(message), signature.0);
        if let Some(known) = self.0.borrow().get(&asked) {
            return *known;
        }
        let answer = SoftwareVerifier.verify(key, message, signature);
        self.0.borrow_mut().insert(asked, answer);
        answer
    }
}

fn scan(tar: &[u8]) -> Contents {
    let mut scanner = Scanner::default();
    scanner.feed(tar);
    scanner.finish()
}

fn verdict_of(tar: &[u8], verifier: &dyn Verifier) -> Report {
    judge(&scan(tar), Trust::default(), verifier)
}

fn verdict(tar: &[u8]) -> Report {
    verdict_of(tar, &SoftwareVerifier)
}

/// Lines that are not intact: (id, verdict, reason).
fn told(report: &Report) -> Vec<(String, &'static str, &'static str)> {
    let bad = report.lines.iter().filter(|line| line.verdict > Verdict::Intact);
    bad.map(|line| (line.id.clone(), line.verdict.code(), line.reason.expect("a reason"))).collect()
}

fn shape(rng: &mut Seeded) -> Shape {
    Shape {
        phones: rng.below(3) + 1,
        incidents: rng.below(3) + 1,
        photos: rng.below(3) + 1,
        others: rng.below(5),
        days: rng.below(4) + 1,
        photo_bytes: rng.below(2_000) + 1,
    }
}

#[test]
fn a_thousand_good_bundles_raise_no_alarm() {
    let mut rng = Seeded::new("shapes");
    for n in 0..1_000 {
        let shape = shape(&mut rng);
        let mut village = Village::new(&format!("good {n}"), shape);
        let one = village.incidents[rng.below(village.incidents.len() as u64) as usize];
        let incident = (rng.below(2) == 0).then_some(one);
        let tar = village.bundle(incident).to_tar(&village.hub);
        let witness = village.witness();
        let witness: Vec<&[u8]> = witness.iter().map(Vec::as_slice).collect();
        let report = judge(&scan(&tar), Trust { root: Some(village.fingerprint()), witness: &witness }, &SoftwareVerifier);
        assert_eq!(told(&report), [], "bundle {n}, {shape:?}, {incident:?}");
        assert_eq!(report.verdict, Verdict::Intact);
    }
}

#[test]
fn every_changed_byte_of_a_small_bundle_is_found() {
    let mut village = Village::new("small", SMALL);
    let good = village.bundle(None).to_tar(&village.hub);
    let verifier = Memo::default();
    assert_eq!(verdict_of(&good, &verifier).verdict, Verdict::Intact);
    let mut tar = good.clone();
    for at in 0..good.len() {
        for change in [0x01, 0x20, 0x80, 0xff] {
            tar[at] = good[at] ^ change;
            let report = verdict_of(&tar, &verifier);
            assert!(report.verdict >= Verdict::Incomplete, "byte {at} changed by {change:#x} is not found");
        }
        tar[at] = good[at];
    }
}

#[test]
fn every_cut_and_every_addition_is_found() {
    let mut village = Village::new("small", SMALL);
    let good = village.bundle(None).to_tar(&village.hub);
    let verifier = Memo::default();
    for length in 0..good.len() {
        let report = verdict_of(&good[..length], &verifier);
        assert_eq!(report.verdict, Verdict::Incomplete, "cut at {length}");
        assert_eq!(report.lines[0].reason, Some("cut"), "cut at {length}");
    }
    for more in [&[0u8; 1][..], &[0; 512], &[1; 512]] {
        let report = verdict_of(&[&good, more].concat(), &verifier);
        assert_eq!((report.verdict, report.lines[0].reason), (Verdict::Altered, Some("form")));
    }
}

#[test]
fn however_a_file_is_cut_into_pieces_it_is_read_the_same() {
    let mut village = Village::new("pieces", MIDDLE);
    let good = village.bundle(None).to_tar(&village.hub);
    let mut rng = Seeded::new("pieces");
    for _ in 0..50 {
        let mut scanner = Scanner::default();
        let mut rest = good.as_slice();
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(rest.len().min(rng.below(1_500) as usize + 1));
            scanner.feed(piece);
            rest = after;
        }
        assert_eq!(scanner.finish(), scan(&good));
    }
}

/// Changes of structure: every one keeps a well-formed file.
fn restructured(rng: &mut Seeded, good: &[u8]) -> Vec<u8> {
    let mut members = unpack(good);
    let at = rng.below(members.len() as u64) as usize;
    let other = rng.below(members.len() as u64) as usize;
    match rng.below(5) {
        0 => members.swap(at, other),
        1 => drop(members.remove(at)),
        2 => members.insert(at, members[at].clone()),
        3 => {
            let content = members[other].1.clone();
            if members[at].1 == content {
                members[at].1.push(0);
            } else {
                members[at].1 = content;
            }
        }
        _ => {
            let length = rng.below(members[at].1.len() as u64) as usize;
            members[at].1.truncate(length);
        }
    }
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    pack(&members)
}

#[test]
fn twenty_thousand_random_changes_are_found() {
    let mut village = Village::new("middle", MIDDLE);
    let good = village.bundle(None).to_tar(&village.hub);
    let verifier = Memo::default();
    let mut rng = Seeded::new("changes");
    let rounds = if std::env::var_os("YENBAN_LONG").is_some() { 200_000 } else { 20_000 };
    for round in 0..rounds {
        let mut tar = match rng.below(4) {
            0 => restructured(&mut rng, &good),
            _ => good.clone(),
        };
        if tar == good {
            for _ in 0..rng.below(3) + 1 {
                let at = rng.below(tar.len() as u64) as usize;
                match rng.below(4) {
                    0 => tar[at] ^= 1 << rng.below(8),
                    1 => tar[at] = tar[at].wrapping_add(rng.below(255) as u8 + 1),
                    2 => drop(tar.remove(at)),
                    _ => tar.insert(at, rng.below(256) as u8),
                }
            }
        }
        if tar != good {
            assert!(verdict_of(&tar, &verifier).verdict >= Verdict::Incomplete, "round {round}");
        }
    }
}

#[test]
fn bytes_that_are_no_bundle_are_judged_all_the_same() {
    let mut rng = Seeded::new("noise");
    for _ in 0..2_000 {
        let noise: Vec<u8> = (0..rng.below(3_000)).map(|_| rng.below(256) as u8).collect();
        assert!(verdict(&noise).verdict >= Verdict::Incomplete);
        // Noise as the members that are read.
        let (manifest, keys) = noise.split_at(noise.len() / 2);
        assert_eq!(verdict(&pack(&[("manifest.cbor", manifest), ("keys.cbor", keys)])).verdict, Verdict::Altered);
    }
    assert_eq!(verdict(&[0; 1_024]).lines[0].reason, Some("manifest_missing"));
}

#[test]
fn ten_thousand_members_are_the_most() {
    let names: Vec<String> = (0..10_001).map(|n| format!("x/{n:05}")).collect();
    let mut members = vec![("manifest.cbor", &b""[..])];
    members.extend(names.iter().map(|name| (name.as_str(), &b""[..])));
    assert_eq!(scan(&pack(&members[..10_000])).end, End::Whole);
    assert_eq!(scan(&pack(&members[..10_001])).end, End::Form { at: 10_000 * 512 });
}

/// A bundle with one change that its maker, the hub, signed again.
fn resigned(change: impl FnOnce(&mut common::village::Bundle)) -> (Report, Village) {
    let mut village = Village::new("resigned", MIDDLE);
    let mut bundle = village.bundle(None);
    change(&mut bundle);
    (verdict(&bundle.to_tar(&village.hub)), village)
}

fn first(bundle: &common::village::Bundle, folder: &str) -> String {
    bundle.members.keys().find(|name| name.starts_with(folder)).expect("a member").clone()
}

#[test]
fn another_key_signs_no_manifest() {
    let mut village = Village::new("other key", SMALL);
    let bundle = village.bundle(None);
    let thief = SecretKey::generate(&mut village.rng);
    let report = verdict(&bundle.to_tar(&thief));
    assert_eq!(told(&report), [("bundle".into(), "altered", "manifest")]);
    let trust = Trust { root: Some([7; 32]), witness: &[] };
    let report = judge(&scan(&bundle.to_tar(&village.hub)), trust, &SoftwareVerifier);
    assert_eq!(told(&report), [("bundle".into(), "altered", "other_root")]);
    assert_eq!(report.root, Some(village.fingerprint()));
}

#[test]
fn the_hub_itself_cannot_change_an_original() {
    let (report, _) = resigned(|bundle| {
        let name = first(bundle, "originals/");
        bundle.members.get_mut(&name).expect("there")[0] ^= 1;
    });
    assert_eq!(told(&report).iter().map(|(_, verdict, reason)| (*verdict, *reason)).collect::<Vec<_>>(), [("altered", "bytes")]);
}

#[test]
fn the_hub_itself_cannot_change_a_log() {
    let edit = |change: fn(&mut LogFile)| {
        let (report, _) = resigned(|bundle| {
            let name = first(bundle, "logs/");
            let mut file = LogFile::from_bytes(&bundle.members[&name]).expect("a log");
            change(&mut file);
            bundle.members.insert(name, file.to_bytes());
        });
        assert!(report.lines.iter().any(|line| line.reason == Some("chain")), "photographs of that log fall with it");
        report.lines.into_iter().find(|line| line.kind.code() == "log" && line.verdict > Verdict::Intact).and_then(|line| line.reason)
    };
    assert_eq!(edit(|file| drop(file.runs[0].steps.remove(1))), Some("order"));
    assert_eq!(edit(|file| file.runs[0].steps.swap(1, 2)), Some("head"));
    assert_eq!(edit(|file| file.runs[0].steps[1] = Step::Commit([9; 32])), Some("head"));
    assert_eq!(edit(|file| file.runs[0].previous = [1; 32]), Some("order"));
    assert_eq!(edit(|file| drop(file.runs[0].heads.pop())), Some("no_head"));
    assert_eq!(edit(|file| file.runs[0].heads[0].device.0[0] ^= 1), Some("device"));
    assert_eq!(edit(|file| file.runs[0].heads[0].signature.0[40] ^= 1), Some("head"));
}

#[test]
fn the_hub_itself_cannot_change_custody_under_its_heads() {
    let edit = |change: fn(&mut CustodyFile)| {
        let (report, _) = resigned(|bundle| {
            let name = first(bundle, "custody/");
            let mut file = CustodyFile::from_bytes(&bundle.members[&name]).expect("a chain");
            change(&mut file);
            bundle.members.insert(name, file.to_bytes());
        });
        let bad = told(&report);
        assert_eq!(bad.len(), 1, "{bad:?}");
        bad[0].2
    };
    assert_eq!(edit(|file| drop(file.records.remove(0))), "custody_proof");
    assert_eq!(edit(|file| drop(file.records.pop())), "custody_order");
    assert_eq!(edit(|file| file.records.swap(0, 1)), "custody_proof");
    assert_eq!(edit(|file| file.records.insert(0, file.records[0].clone())), "custody_proof");
    assert_eq!(edit(|file| file.records.push(file.records[0].clone())), "custody_uncovered");
    assert_eq!(edit(|file| file.records[0].0.facts[2] ^= 1), "custody_proof");
    assert_eq!(edit(|file| drop(file.proofs.pop())), "custody_uncovered");
    assert_eq!(edit(|file| file.proofs.clear()), "custody_unproved");
    assert_eq!(edit(|file| file.proofs.reverse()), "custody_order");
}

#[test]
fn older_heads_do_not_pass_for_the_newest() {
    let mut village = Village::new("older", MIDDLE);
    let mut bundle = village.bundle(None);
    let witness = village.witness();
    let newest: Vec<&[u8]> = witness.iter().map(Vec::as_slice).collect();
    bundle.members.insert("heads.cbor".into(), yenban_protocol::bundle::write_statements(newest[..2].iter().copied()));
    let report = verdict(&bundle.to_tar(&village.hub));
    assert_eq!(report.verdict, Verdict::Altered);
    assert!(told(&report).iter().all(|(_, _, reason)| *reason == "custody_uncovered"));
}

#[test]
fn what_a_witness_kept_contradicts_a_rewritten_record() {
    // The same hub, the same photographs, another history of custody: everything signed again.
    let mut honest = Village::new("witness", MIDDLE);
    let kept = honest.witness();
    let kept: Vec<&[u8]> = kept.iter().map(Vec::as_slice).collect();
    let trust = Trust { root: None, witness: &kept };
    let tar = honest.bundle(None).to_tar(&honest.hub);
    assert_eq!(judge(&scan(&tar), trust, &SoftwareVerifier).verdict, Verdict::Intact);
    let mut liar = Village::new("witness", Shape { days: 2, ..MIDDLE });
    let tar = liar.bundle(None).to_tar(&liar.hub);
    assert_eq!(verdict(&tar).verdict, Verdict::Intact, "without a witness nothing is seen");
    let report = judge(&scan(&tar), trust, &SoftwareVerifier);
    assert_eq!(told(&report), [("heads".into(), "altered", "witness")]);
    let foreign = Village::new("foreign", SMALL).witness();
    let foreign: Vec<&[u8]> = foreign.iter().map(Vec::as_slice).collect();
    let report = judge(&scan(&tar), Trust { root: None, witness: &foreign }, &SoftwareVerifier);
    assert_eq!(told(&report), [("heads".into(), "incomplete", "witness")]);
}

#[test]
fn what_is_gone_is_told_as_what_it_is() {
    for (gone, verdict, reason) in [
        (Gone::Erased, "erased", "facts_erased"),
        (Gone::Missing, "incomplete", "missing_at_hub"),
        (Gone::NotReceived, "incomplete", "not_received"),
    ] {
        let mut village = Village::with_loss("gone", MIDDLE, gone);
        let tar = village.bundle(None).to_tar(&village.hub);
        let report = self::verdict(&tar);
        let photos: Vec<_> = report.lines.iter().filter(|line| line.kind.code() == "photo" && line.reason.is_some()).collect();
        assert_eq!(photos.len(), 1, "{gone:?}");
        assert_eq!((photos[0].verdict.code(), photos[0].reason), (verdict, Some(reason)));
        assert_eq!(report.verdict.code(), verdict);
    }
}

#[test]
fn a_bundle_of_one_incident_holds_nothing_of_its_neighbours() {
    let mut village = Village::new("secrets", MIDDLE);
    let whole = village.bundle(None);
    let incident = village.incidents[1];
    let tar = Village::new("secrets", MIDDLE).bundle(Some(incident)).to_tar(&village.hub);
    assert_eq!(verdict(&tar).verdict, Verdict::Intact);
    let holds = |needle: &[u8]| tar.windows(needle.len()).any(|window| window == needle);
    let mut neighbours = 0;
    for (name, bytes) in whole.members.iter().filter(|(name, _)| name.starts_with("logs/")) {
        let file = LogFile::from_bytes(bytes).expect("a log");
        for run in &file.runs {
            for (seq, step) in (run.first..).zip(&run.steps) {
                let Step::Body(body) = step else { panic!("{name} is whole") };
                let part = &body.part(body.len() - 1).expect("there").bytes;
                let shown = holds(part);
                let mine = yenban_protocol::id::EntryName { log: file.log, seq } == incident;
                assert!(!mine || shown, "the report itself is disclosed");
                let says = String::from_utf8_lossy(part);
                let other = says.contains("bí mật") || says.contains("đất lấp") && !mine;
                assert!(!(other && shown), "entry {seq} of {} stands in the bundle of another incident", file.log);
                neighbours += u32::from(other);
            }
        }
    }
    assert!(neighbours > 3, "there were neighbours to be kept secret");
    let originals = whole.members.iter().filter(|(name, _)| name.starts_with("originals/"));
    let shown = originals.filter(|(_, bytes)| bytes.len() > 8 && holds(bytes)).count();
    let mine = unpack(&tar).iter().filter(|(name, bytes)| name.starts_with("originals/") && bytes.len() > 8).count();
    assert_eq!(shown, mine);
}

#[test]
fn a_photograph_that_the_manifest_hides_is_missed() {
    let (report, _) = resigned(|bundle| {
        let hidden = bundle.manifest.items.remove(0).item;
        bundle.manifest.copies.retain(|copy| copy.item != hidden);
    });
    assert!(told(&report).iter().any(|(_, verdict, reason)| (*verdict, *reason) == ("incomplete", "not_listed")));
}

#[test]
fn a_later_version_is_told_as_such() {
    let village = Village::new("version", SMALL);
    let mut w = yenban_protocol::cbor::Writer::new();
    w.array(2).text("yb1/bundle").map(1).uint(0).uint(2);
    let signature = yenban_protocol::crypto::Signer::sign(&village.hub, w.as_bytes()).expect("signs");
    let mut envelope = yenban_protocol::cbor::Writer::new();
    let id = yenban_protocol::crypto::Signer::public_key(&village.hub).id();
    envelope.array(3).bytes(&id.0).bytes(w.as_bytes()).bytes(&signature.0);
    assert!(Signed::<Manifest>::trusted(envelope.as_bytes()).is_err());
    let mut again = Village::new("version", SMALL);
    let keys = again.bundle(None).members["keys.cbor"].clone();
    let report = verdict(&pack(&[("manifest.cbor", envelope.as_bytes()), ("keys.cbor", &keys)]));
    assert_eq!(told(&report), [("bundle".into(), "altered", "version")]);
}

#[test]
fn times_of_a_photograph_lie_between_token_and_receipt() {
    let (report, _) = resigned(|_| {});
    assert_eq!(report.about.expect("told").exported_ms, EXPORTED);
    let photos = report.lines.iter().filter(|line| line.kind.code() == "photo");
    for photo in photos {
        let not_after = photo.not_after_ms.expect("a receipt");
        assert!(photo.not_before_ms.is_none_or(|not_before| not_before < not_after));
    }
}
