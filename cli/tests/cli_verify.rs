//! From the shutter to the verdict with the real commands: captured, delivered, exported, verified without the hub.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Ended, Serving, run, yenban};

fn said(ended: &Ended) -> Value {
    serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{} {}", ended.out, ended.err))
}

fn verdict(file: &Path, more: &[&str]) -> (i32, String, Value) {
    let file = file.display().to_string();
    let mut args = vec!["--json", "verify", file.as_str()];
    args.extend(more);
    let ended = run(&args);
    let told = said(&ended);
    (ended.code, told["verdict"].as_str().unwrap().to_owned(), told)
}

#[test]
fn what_leaves_the_hub_is_verified_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (hub, phone, out) = (at("xa"), at("may-1"), folder.path().join("vu.tar"));
    assert_eq!(run(&["hub", "init", "--dir", &hub, "--commune", "05200", "--name", "Công an xã Mai Châu"]).code, 0);
    let mut serve = yenban();
    serve.args(["hub", "serve", "--dir", &hub, "--listen", "127.0.0.1:0"]);
    let serving = Serving::begin(serve);
    let made = run(&["hub", "enrol", "--dir", &hub, "--hamlet", "Nà Phòn", "--create", "--role", "member", "--name", "Lò Văn Páo"]);
    let code = made.out.lines().last().unwrap().to_owned();
    assert_eq!(run(&["phone", "--store", &phone, "enrol", &code]).code, 0);
    std::fs::write(at("anh.jpg"), [b"\xff\xd8\xff\xe0 a picture".as_slice(), &[7; 5_000]].concat()).unwrap();
    let text = "Đất lấp nửa đường ở suối Nánh.";
    let photo = at("anh.jpg");
    assert_eq!(
        run(&["phone", "--store", &phone, "report", "--kind", "landslide", "--text", text, "--basis", "seen", "--photo", &photo]).code,
        0
    );
    let secret = "bí mật của nhà khác";
    assert_eq!(run(&["phone", "--store", &phone, "report", "--kind", "theft", "--text", secret, "--basis", "heard"]).code, 0);
    assert_eq!(run(&["phone", "--store", &phone, "sync", "--until-empty", "--max-seconds", "60"]).code, 0);
    let incidents = said(&run(&["--json", "hub", "list", "--dir", &hub, "incidents"]));
    let incident = incidents.as_array().unwrap().iter().find(|row| row["kind"] == "landslide").unwrap()["id"].as_str().unwrap().to_owned();
    let path = out.display().to_string();
    let export =
        ["--json", "hub", "export", "--dir", &hub, "--format", "bundle", "--incident", &incident, "--purpose", "vụ 12", "--out", &path];
    let written = said(&run(&export));
    assert_eq!((&written["photos"], &written["originals"]), (&Value::from(1), &Value::from(1)));
    drop(serving);
    std::fs::remove_dir_all(&hub).unwrap();

    let root = written["root"].as_str().unwrap();
    let (code, word, told) = verdict(&out, &["--root", root]);
    assert_eq!((code, word.as_str()), (0, "intact"), "{told}");
    assert_eq!((told["purpose"].as_str(), told["root"].as_str()), (Some("vụ 12"), Some(root)));
    assert!(told["items"].as_array().unwrap().iter().any(|item| item["kind"] == "photo" && item["not_after"].is_string()));
    let good = std::fs::read(&out).unwrap();
    assert!(!String::from_utf8_lossy(&good).contains(secret), "the neighbours' words stay at the hub");

    let (code, word, told) = verdict(&out, &["--root", &"0".repeat(64)]);
    assert_eq!((code, word.as_str()), (1, "altered"), "another root");
    assert!(told["hub"].is_null() && told["commune"].is_null(), "names that nothing proves: {told}");
    the_second_verifier_says_the_same(folder.path(), &out, root);
    let bad = folder.path().join("bad.tar");
    let original = good.windows(11).position(|window| window == b" a picture\x07").unwrap();
    let mut changed = good.clone();
    changed[original] ^= 1;
    std::fs::write(&bad, &changed).unwrap();
    let (code, word, told) = verdict(&bad, &[]);
    assert_eq!((code, word.as_str()), (1, "altered"));
    assert!(told["items"].as_array().unwrap().iter().any(|item| item["kind"] == "photo" && item["reason"] == "bytes"), "{told}");
    std::fs::write(&bad, &good[..good.len() - 700]).unwrap();
    let (code, word, _) = verdict(&bad, &[]);
    assert_eq!((code, word.as_str()), (1, "incomplete"));

    let person = run(&["verify", &path]);
    assert_eq!(person.code, 0, "{}", person.err);
    assert!(person.out.starts_with("✓ Nguyên vẹn"), "{}", person.out);
    let person = run(&["--lang", "en", "verify", &bad.display().to_string()]);
    assert_eq!((person.code, person.err.lines().count()), (1, 1), "{}", person.err);
    assert_eq!(run(&["verify", &at("none.tar")]).code, 3);
    assert_eq!(run(&["verify", &path, "--root", "zz"]).code, 3);
    assert_eq!(run(&["verify", &path, "--witness", &path]).code, 3);
    assert_eq!(run(&["verify", &path, "--root", &path]).code, 3);
    assert_eq!(run(&["verify"]).code, 2);

    // The whole bundle is named once, and an altered photograph is not given the times of the one that was signed.
    let mut changed = good.clone();
    changed[512] ^= 1;
    std::fs::write(&bad, &changed).unwrap();
    let person = run(&["verify", &bad.display().to_string()]);
    assert!(person.out.contains("✗ Cả gói · bị thay đổi: ") && !(person.out + &person.err).contains("bundle"), "{}", person.err);
    let mut changed = good;
    changed[original] ^= 1;
    std::fs::write(&bad, &changed).unwrap();
    let person = run(&["verify", &bad.display().to_string()]);
    assert!(person.out.contains(" · ảnh đã được ký, không phải những byte này: "), "{}", person.out);
}

/// What the second verifier ended with: its code and what it wrote. It must end by itself.
fn second(args: &[&str]) -> (i32, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/verifier/verify.py");
    let mut child = Command::new("python3").arg(script).args(args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > until {
            child.kill().unwrap();
            panic!("it never ends: {args:?}");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let done = child.wait_with_output().unwrap();
    (done.status.code().unwrap_or(-1), String::from_utf8(done.stdout).unwrap())
}

/// The documents of both are equal, key by key, and so are their exit codes.
fn the_second_verifier_says_the_same(folder: &Path, good: &Path, root: &str) {
    let version = Command::new("python3").args(["-c", "import sys; print(sys.version_info >= (3, 11))"]).output();
    if !version.is_ok_and(|output| output.stdout.starts_with(b"True")) {
        println!("skipped: there is no python3 of 3.11 or later, the two verifiers were not compared");
        return;
    }
    let bytes = std::fs::read(good).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(folder.join(name), bytes).unwrap();
        folder.join(name).display().to_string()
    };
    let mut changed = bytes.clone();
    changed[512] ^= 1;
    let manifest = write("manifest.tar", &changed);
    let mut changed = bytes.clone();
    let last = bytes.len() - 3_000;
    changed[last] ^= 1;
    let (member, cut) = (write("member.tar", &changed), write("cut.tar", &bytes[..bytes.len() / 2]));
    let (empty, text) = (write("empty.tar", b""), write("text.tar", b"no bundle at all"));
    let pipe = folder.join("pipe").display().to_string();
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (good, here) = (good.display().to_string(), folder.display().to_string());
    let (elsewhere, none) = ("0".repeat(64), folder.join("none").display().to_string());
    let asks: [&[&str]; 16] = [
        &[&good],
        &[&good, "--root", root],
        &[&good, "--root", &elsewhere],
        &[&manifest],
        &[&manifest, "--root", root],
        &[&member, "--root", root],
        &[&cut],
        &[&empty],
        &[&text],
        &[&none],
        &[&here],
        &[&pipe],
        &["/dev/zero"],
        &[&good, "--root", &good],
        &[&good, "--witness", &pipe],
        &[&good, "--witness", "/dev/zero"],
    ];
    for ask in asks {
        let mut args = vec!["--json", "verify"];
        args.extend(ask);
        let first = run(&args);
        let (code, out) = second(&[ask, &["--json"]].concat());
        assert_eq!(first.code, code, "{ask:?}: {}", first.err);
        let document = |text: &str| serde_json::from_str::<Value>(text).ok();
        assert_eq!(document(&first.out), document(&out), "{ask:?}");
        assert_eq!(document(&out).is_some(), code < 2, "{ask:?}");
    }
}
