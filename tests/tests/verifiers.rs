//! Two verifiers, one verdict: `bundle::judge` (what `yenban verify` runs) and `tests/verifier/verify.py`, which was written from
//! docs/EVIDENCE.md alone, judge the same bundles, and everything they tell must agree: verdict, root, commune, hub, time, purpose, and
//! of every line id, kind, verdict, reason, times. Bundles that the
//! Rust side wrote and bundles that the Python side wrote; good ones, ones with losses, and ones that were changed, also before
//! they were signed, so that what lies behind the signatures is compared too.
//!
//! `YENBAN_LONG=1` asks for more: four values for each byte instead of one, ten times the random changes and mutants.
//! Without Python 3.11 nothing is compared, and that is said aloud.

#[path = "../../protocol/tests/common/mod.rs"]
mod common;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use common::Seeded;
use common::village::{Bundle, Gone, MIDDLE, SMALL, Shape, Village, pack, unpack};
use serde_json::{Value, json};
use yenban_protocol::bundle::tar::Scanner;
use yenban_protocol::bundle::{Report, Trust, judge, read_statements, write_statements};
use yenban_protocol::crypto::{Hash, PublicKey, Signature, SoftwareVerifier, Verifier, sha256};

/// A key, the hash of a message, a signature.
type Asked = (PublicKey, Hash, [u8; 64]);

/// Remembers what it verified: mutations ask the same again and again.
#[derive(Default)]
struct Memo(RefCell<HashMap<Asked, bool>>);

impl Verifier for Memo {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let asked = (*key, sha256(message), signature.0);
        *self.0.borrow_mut().entry(asked).or_insert_with(|| SoftwareVerifier.verify(key, message, signature))
    }
}

/// What both are asked.
enum Ask {
    /// This bundle, with what the verifier knows from elsewhere.
    Open { tar: Vec<u8>, root: Option<Hash>, witness: Option<Vec<Vec<u8>>> },
    /// The bundle asked last, so changed: (offset, bytes removed, bytes put in), ascending, offsets of the unchanged one.
    Edit(Vec<(usize, usize, Vec<u8>)>),
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

fn edited(tar: &[u8], edits: &[(usize, usize, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut at) = (Vec::with_capacity(tar.len()), 0);
    for (offset, removed, put) in edits {
        out.extend_from_slice(&tar[at..*offset]);
        out.extend_from_slice(put);
        at = offset + removed;
    }
    out.extend_from_slice(&tar[at..]);
    out
}

fn first_verdict(tar: &[u8], root: Option<Hash>, witness: Option<&[Vec<u8>]>, verifier: &Memo) -> Value {
    let mut scanner = Scanner::default();
    scanner.feed(tar);
    let witness: Vec<&[u8]> = witness.unwrap_or_default().iter().map(Vec::as_slice).collect();
    let Report { verdict, root, about, lines } = judge(&scanner.finish(), Trust { root, witness: &witness }, verifier);
    let items: Vec<Value> = lines
        .iter()
        .map(|line| {
            json!({"id": line.id, "kind": line.kind.code(), "verdict": line.verdict.code(), "reason": line.reason,
                   "not_before": line.not_before_ms, "not_after": line.not_after_ms})
        })
        .collect();
    let about = about.as_ref();
    json!({"verdict": verdict.code(), "root": root.map(|root| hex(&root)), "commune": about.map(|about| about.commune.get()),
           "hub": about.map(|about| &about.hub), "exported_at": about.map(|about| about.exported_ms),
           "purpose": about.map(|about| &about.purpose), "items": items})
}

fn script(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("verifier").join(name)
}

/// Whether there is a Python to ask; says so when not, past the test runner that keeps what passing tests print.
fn python_is_there(test: &str) -> bool {
    let asked = Command::new("python3").args(["-c", "import sys; print(sys.version_info >= (3, 11))"]).output();
    let why = match asked {
        Ok(output) if output.stdout.starts_with(b"True") => return true,
        Ok(_) => "python3 is older than 3.11".to_owned(),
        Err(error) => format!("python3 does not start: {error}"),
    };
    let _ = writeln!(std::io::stderr(), "SKIPPED {test}: {why}; the two verifiers were not compared");
    false
}

fn long() -> bool {
    std::env::var_os("YENBAN_LONG").is_some()
}

/// Asks both and returns how often each (kind, reason) came, "intact" for whole bundles; fails where they differ.
fn agree(test: &str, asks: impl IntoIterator<Item = Ask>) -> BTreeMap<String, usize> {
    let folder = tempfile::tempdir().expect("a folder");
    let mut asked = std::io::BufWriter::new(File::create(folder.path().join("asks")).expect("a file"));
    let mut kept = Vec::new();
    for (n, ask) in asks.into_iter().enumerate() {
        let line = match &ask {
            Ask::Open { tar, root, witness } => {
                let put = |name: String, bytes: &[u8]| {
                    let path = folder.path().join(name);
                    fs::write(&path, bytes).expect("written");
                    path
                };
                let statements = witness.as_ref().map(|kept| write_statements(kept.iter().map(Vec::as_slice)));
                json!({"path": put(format!("{n}.tar"), tar), "root": root.map(|root| hex(&root)),
                       "witness": statements.map(|bytes| put(format!("{n}.witness"), &bytes))})
            }
            Ask::Edit(edits) => {
                json!({"edits": edits.iter().map(|(at, removed, put)| json!([at, removed, hex(put)])).collect::<Vec<_>>()})
            }
        };
        writeln!(asked, "{line}").expect("written");
        kept.push(ask);
    }
    asked.flush().expect("written");
    drop(asked);

    let begun = Instant::now();
    let second = {
        let folder = folder.path().to_owned();
        thread::spawn(move || {
            let output = Command::new("python3")
                .arg(script("verify.py"))
                .arg("--batch")
                .stdin(File::open(folder.join("asks")).expect("opened"))
                .stdout(File::create(folder.join("answers")).expect("a file"))
                .stderr(Stdio::inherit())
                .status();
            assert!(output.expect("python3 starts").success(), "verify.py failed");
            (fs::read_to_string(folder.join("answers")).expect("answers"), begun.elapsed())
        })
    };
    let verifier = Memo::default();
    let (mut base, mut base_root, mut base_witness) = (Vec::new(), None, None);
    let firsts: Vec<Value> = kept
        .into_iter()
        .map(|ask| match ask {
            Ask::Open { tar, root, witness } => {
                (base, base_root, base_witness) = (tar, root, witness);
                first_verdict(&base, base_root, base_witness.as_deref(), &verifier)
            }
            Ask::Edit(edits) => first_verdict(&edited(&base, &edits), base_root, base_witness.as_deref(), &verifier),
        })
        .collect();
    let first_took = begun.elapsed();
    let (answers, second_took) = second.join().expect("asked");

    let (mut told, mut differ) = (BTreeMap::new(), Vec::new());
    assert_eq!(answers.lines().count(), firsts.len(), "one answer each");
    for (n, (first, answer)) in firsts.iter().zip(answers.lines()).enumerate() {
        let second: Value = serde_json::from_str(answer).expect("JSON");
        let keys = |answer: &Value| answer.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(keys(first), keys(&second), "ask {n}: the same keys");
        for key in keys(first) {
            if first[&key] != second[&key] {
                differ.push(format!("ask {n}, {key}: {}", difference(&first[&key], &second[&key])));
            }
        }
        for line in first["items"].as_array().expect("lines") {
            if let Some(reason) = line["reason"].as_str() {
                *told.entry(format!("{} {reason}", line["kind"].as_str().expect("a kind"))).or_insert(0) += 1;
            }
        }
        *told.entry(first["verdict"].as_str().expect("a verdict").to_owned()).or_insert(0) += 1;
    }
    println!("{test}: {} bundles, Rust {first_took:?}, Python {second_took:?}, {told:?}", firsts.len());
    assert!(
        differ.is_empty(),
        "{test}: {} of {} differ (Rust | Python)\n{}",
        differ.len(),
        firsts.len(),
        differ[..differ.len().min(20)].join("\n")
    );
    told
}

fn difference(first: &Value, second: &Value) -> String {
    let (Some(firsts), Some(seconds)) = (first.as_array(), second.as_array()) else {
        return format!("{first} | {second}");
    };
    let only = |these: &[Value], those: &[Value]| {
        these.iter().filter(|line| !those.contains(line)).map(Value::to_string).collect::<Vec<_>>().join(", ")
    };
    match (only(firsts, seconds), only(seconds, firsts)) {
        (one, other) if one.is_empty() && other.is_empty() => "other order of lines".to_owned(),
        (one, other) => format!("{one} | {other}"),
    }
}

fn open(tar: Vec<u8>, village: &Village) -> Ask {
    Ask::Open { tar, root: Some(village.fingerprint()), witness: None }
}

/// Where each member begins and ends, header and padding with it.
fn spans(tar: &[u8]) -> Vec<Range<usize>> {
    let mut at = 0;
    unpack(tar)
        .iter()
        .map(|(_, content)| {
            let start = at;
            at += 512 + content.len().next_multiple_of(512);
            start..at
        })
        .collect()
}

fn member(name: &str, content: &[u8]) -> Vec<u8> {
    let mut bytes = pack(&[(name, content)]);
    bytes.truncate(bytes.len() - 1_024);
    bytes
}

/// Bytes changed, put in or taken out, up to three, anywhere.
fn scattered(rng: &mut Seeded, tar: &[u8]) -> Vec<(usize, usize, Vec<u8>)> {
    let mut places: Vec<usize> = (0..=rng.below(3)).map(|_| below(rng, tar.len())).collect();
    places.sort_unstable();
    places.dedup();
    let change = |at: usize| match rng.below(5) {
        0 => (at, 1, Vec::new()),
        1 => (at, 0, vec![rng.bytes::<1>()[0]]),
        2 => (at, 1, vec![tar[at].wrapping_add(rng.below(255) as u8 + 1)]),
        _ => (at, 1, vec![tar[at] ^ 1 << rng.below(8)]),
    };
    places.into_iter().map(change).collect()
}

fn below(rng: &mut Seeded, n: usize) -> usize {
    usize::try_from(rng.below(n as u64)).expect("below a usize")
}

/// Members taken out, doubled, swapped, cut or given the content of another; the file stays an archive.
fn rearranged(rng: &mut Seeded, tar: &[u8]) -> Vec<(usize, usize, Vec<u8>)> {
    let (members, spans) = (unpack(tar), spans(tar));
    let (one, other) = (below(rng, members.len()), below(rng, members.len()));
    let (name, content) = &members[one];
    let span = spans[one].clone();
    match rng.below(6) {
        0 => vec![(span.start, span.len(), Vec::new())],
        1 => vec![(span.end, 0, tar[span].to_vec())],
        2 if one + 1 < members.len() => {
            let next = spans[one + 1].clone();
            vec![(span.start, span.len() + next.len(), [&tar[next], &tar[span]].concat())]
        }
        3 => vec![(span.start, span.len(), member(name, &members[other].1))],
        4 => vec![(span.start, span.len(), member(&members[other].0, content))],
        5 => vec![(below(rng, tar.len()), 0, Vec::new())].into_iter().map(|(at, _, put)| (at, tar.len() - at, put)).collect(),
        _ => vec![(span.start, span.len(), member(name, &content[..below(rng, content.len() + 1)]))],
    }
}

/// A member changed by the hub itself, which then signs a manifest over it.
fn signed_again(rng: &mut Seeded, tar: &[u8], bundle: &Bundle, village: &Village) -> Vec<(usize, usize, Vec<u8>)> {
    let names: Vec<&String> = bundle.members.keys().collect();
    let name = names[below(rng, names.len())].clone();
    let mut changed = Bundle { members: bundle.members.clone(), manifest: bundle.manifest.clone() };
    let content = changed.members.get_mut(&name).expect("there");
    if !content.is_empty() {
        *content = edited(content, &scattered(rng, content));
    }
    let changed = changed.to_tar(&village.hub);
    // The same members in the same order: one edit for each that differs.
    let pairs = spans(tar).into_iter().zip(spans(&changed));
    pairs
        .filter(|(old, new)| tar[old.clone()] != changed[new.clone()])
        .map(|(old, new)| (old.start, old.len(), changed[new].to_vec()))
        .collect()
}

#[test]
fn they_agree_on_every_changed_byte_of_a_small_bundle() {
    let test = "every byte";
    if !python_is_there(test) {
        return;
    }
    let mut village = Village::new("small", SMALL);
    let good = village.bundle(None).to_tar(&village.hub);
    let mut rng = Seeded::new("values");
    let mut asks = vec![open(good.clone(), &village)];
    for (at, byte) in good.iter().enumerate() {
        let values: Vec<u8> = if long() { vec![0x01, 0x20, 0x80, 0xff] } else { vec![1 << rng.below(8)] };
        asks.extend(values.into_iter().map(|change| Ask::Edit(vec![(at, 1, vec![byte ^ change])])));
    }
    let told = agree(test, asks);
    assert_eq!(told["intact"], 1, "only the unchanged one is intact");
}

#[test]
fn they_agree_on_random_changes() {
    let test = "random changes";
    if !python_is_there(test) {
        return;
    }
    let mut village = Village::new("middle", MIDDLE);
    let bundle = village.bundle(None);
    let good = bundle.to_tar(&village.hub);
    let mut rng = Seeded::new("changes");
    let mut asks = vec![open(good.clone(), &village)];
    for _ in 0..if long() { 200_000 } else { 20_000 } {
        asks.push(Ask::Edit(match rng.below(10) {
            0 | 1 => signed_again(&mut rng, &good, &bundle, &village),
            2 | 3 => rearranged(&mut rng, &good),
            _ => scattered(&mut rng, &good),
        }));
    }
    agree(test, asks);
}

#[test]
fn they_raise_no_alarm_about_a_thousand_good_bundles() {
    let test = "good bundles";
    if !python_is_there(test) {
        return;
    }
    let mut rng = Seeded::new("shapes");
    let asks = (0..1_000).map(|n| {
        let shape = Shape {
            phones: rng.below(3) + 1,
            incidents: rng.below(3) + 1,
            photos: rng.below(3) + 1,
            others: rng.below(5),
            days: rng.below(4) + 1,
            photo_bytes: rng.below(2_000) + 1,
        };
        let mut village = Village::new(&format!("good {n}"), shape);
        let one = village.incidents[below(&mut rng, village.incidents.len())];
        let tar = village.bundle((rng.below(2) == 0).then_some(one)).to_tar(&village.hub);
        Ask::Open { tar, root: Some(village.fingerprint()), witness: Some(village.witness()) }
    });
    let told = agree(test, asks.collect::<Vec<_>>());
    assert_eq!(told, BTreeMap::from([("intact".to_owned(), 1_000)]));
}

#[test]
fn they_agree_on_what_is_gone() {
    let test = "losses";
    if !python_is_there(test) {
        return;
    }
    let mut asks = Vec::new();
    for n in 0..40 {
        for gone in [Gone::Erased, Gone::NotReceived, Gone::Missing] {
            let mut village = Village::with_loss(&format!("loss {n}"), MIDDLE, gone);
            let tar = village.bundle(None).to_tar(&village.hub);
            let mut witness = village.witness();
            if n % 4 == 0 {
                // Heads of another village: of the same commune, but not signed by this hub.
                witness = Village::new("elsewhere", SMALL).witness();
            }
            asks.push(Ask::Open { tar, root: (n % 3 != 0).then(|| village.fingerprint()), witness: (n % 2 == 0).then_some(witness) });
        }
    }
    let told = agree(test, asks);
    assert!(told.contains_key("erased") && told.contains_key("incomplete"), "{told:?}");
}

/// What nothing proves is told by neither: not under another root, not by a manifest that the hub did not sign.
#[test]
fn they_tell_no_names_that_nothing_proves() {
    let test = "unproved names";
    if !python_is_there(test) {
        return;
    }
    let mut village = Village::new("names", SMALL);
    let good = village.bundle(None).to_tar(&village.hub);
    let names = ["commune", "hub", "exported_at", "purpose"];
    let told = first_verdict(&good, Some(village.fingerprint()), None, &Memo::default());
    assert!(names.iter().all(|name| !told[name].is_null()), "{told}");
    let mut changed = good.clone();
    changed[512 + 40] ^= 1;
    let elsewhere = Village::new("other names", SMALL).fingerprint();
    for (tar, root) in [(&good, Some(elsewhere)), (&changed, None), (&changed, Some(village.fingerprint()))] {
        let told = first_verdict(tar, root, None, &Memo::default());
        assert!(names.iter().all(|name| told[name].is_null()) && !told["root"].is_null(), "{told}");
        agree(test, [Ask::Open { tar: tar.clone(), root, witness: None }]);
    }
}

#[test]
fn they_agree_on_bundles_that_the_second_one_wrote() {
    let test = "bundles from Python";
    if !python_is_there(test) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let mutants = if long() { "30000" } else { "3000" };
    let output =
        Command::new("python3").arg(script("bundles.py")).arg(folder.path()).args([mutants, "1"]).output().expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let written = String::from_utf8(output.stdout).expect("text");
    let asks = written.lines().map(|line| {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let read = |key: &str| line[key].as_str().map(|path| fs::read(path).expect("read"));
        let root = line["root"].as_str().map(|digits| {
            let byte = |n: usize| u8::from_str_radix(&digits[2 * n..2 * n + 2], 16).expect("hex");
            std::array::from_fn(byte)
        });
        let witness = read("witness").map(|bytes| read_statements(&bytes).expect("statements").into_iter().map(<[u8]>::to_vec).collect());
        Ask::Open { tar: read("path").expect("a bundle"), root, witness }
    });
    let told = agree(test, asks.collect::<Vec<_>>());
    // Each finding of the document is among them: `bundles.py` writes one for each.
    assert!(told.len() > 60, "{told:?}");
}
