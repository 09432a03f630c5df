//! Evidence that is held, destroyed, lost or refused, as the real commands tell it; and a hub that ends over a command.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;

use serde_json::Value;
use support::{Commune, json, ok, run};

/// A hub with a second officer, a phone, and a report of two photographs; the second may stay away.
fn told_of(commune: &Commune, both: bool) -> (String, String) {
    let dir = commune.dir();
    let phone = commune.phone("may-1", "Nà Phòn");
    let made = ok(&["hub", "enrol", "--dir", &dir, "--role", "officer", "--name", "Lò Thị Hoa"]);
    ok(&["phone", "--store", &commune.path("can-bo"), "enrol", &made.last_line()]);
    let photos: Vec<String> = (0..2).map(|n| commune.path(&format!("anh-{n}.jpg"))).collect();
    for (n, path) in photos.iter().enumerate() {
        std::fs::write(path, [b"\xff\xd8\xff\xe0 picture".as_slice(), &[n as u8; 5_000]].concat()).unwrap();
    }
    let mut report = vec!["phone", "--store", &phone, "report", "--kind", "fire", "--urgent", "--text", "Cháy", "--basis", "seen"];
    report.extend(["--photo", &photos[0]]);
    if both {
        report.extend(["--photo", &photos[1]]);
    }
    let incident = json(&report)["incident"].as_str().unwrap().to_owned();
    (phone, incident)
}

fn item(commune: &Commune, n: usize) -> String {
    commune.list("evidence")[n]["id"].as_str().unwrap().to_owned()
}

fn order<'a>(dir: &'a str, what: &'a str, item: &'a str, why: [&'a str; 2]) -> Vec<&'a str> {
    let mut args = vec!["hub", what, "--dir", dir, item];
    args.extend(why);
    args.extend(["--officer", "Hà Văn Sơn", "--second", "Lò Thị Hoa"]);
    args
}

#[test]
fn lists_say_what_was_held_destroyed_and_refused() {
    let mut commune = Commune::with_officer("Hà Văn Sơn");
    commune.serve();
    let dir = commune.dir();
    let (phone, _) = told_of(&commune, true);
    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    let text = |what: &str| ok(&["hub", "list", "--dir", &dir, what]).out;
    assert!(text("incidents").contains("Khẩn") && text("incidents").contains("đủ 2 ảnh"), "{}", text("incidents"));

    let first = item(&commune, 0);
    ok(&order(&dir, "hold", &first, ["--case", "12/2026"]));
    assert!(text("evidence").contains("cho vụ án 12/2026"), "{}", text("evidence"));
    assert_eq!(run(&order(&dir, "erase", &first, ["--why", "Quyết định 15"])).code, 1);
    let mut release = order(&dir, "hold", &first, ["--why", "án đã xong"]);
    release.push("--release");
    ok(&release);
    ok(&order(&dir, "erase", &first, ["--why", "Quyết định 15"]));
    let again = run(&order(&dir, "hold", &first, ["--case", "13/2026"]));
    assert_eq!(again.code, 1);
    assert!(again.err.contains("hủy lúc") && again.err.contains("theo quyết định: Quyết định 15"), "{}", again.err);

    let listed = &commune.list("incidents")[0];
    assert_eq!((&listed["complete"], &listed["erased"], &listed["photos"]), (&Value::from(false), &1.into(), &2.into()));
    assert!(text("incidents").contains("đã hủy 1/2 ảnh") && !text("incidents").contains("đủ"), "{}", text("incidents"));
    assert!(ok(&["hub", "status", "--dir", &dir]).out.contains("1 đã hủy"));
    let orders: Vec<(String, String)> = commune
        .list("audit")
        .iter()
        .filter(|row| ["erase", "hold"].contains(&row["action"].as_str().unwrap()))
        .map(|row| (row["action"].as_str().unwrap().to_owned(), row["outcome"].as_str().unwrap().to_owned()))
        .collect();
    let told = |action: &str, outcome: &str| (action.to_owned(), outcome.to_owned());
    assert_eq!(orders, [told("hold", "erased"), told("erase", "done"), told("erase", "held"), told("hold", "done")]);
    let audit = text("audit");
    let line = |part: &str| audit.lines().filter(|line| line.contains(part)).count();
    assert_eq!((line("hủy ảnh · "), line("không làm: đang giữ cho vụ án"), line("không làm: máy xã đã hủy rồi")), (2, 1, 1), "{audit}");

    // A photograph that was lost and one that was altered are not the same thing.
    let stored = || {
        let all = std::fs::read_dir(commune.path("hub/objects")).unwrap().map(|entry| entry.unwrap().path());
        all.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
    };
    let path = stored();
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[1_000] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    let checked = run(&["hub", "check", "--dir", &dir]);
    assert_eq!(checked.code, 1);
    assert!(checked.err.contains("1 tệp ảnh bị thay đổi") && !checked.err.contains("mất"), "{}", checked.err);
    let checked = run(&["--json", "hub", "check", "--dir", &dir]).json();
    assert_eq!((&checked["wrong"][0]["code"], &checked["wrong"][0]["file"]), (&"file_altered".into(), &"original".into()), "{checked}");
    let status = ok(&["hub", "status", "--dir", &dir]).out;
    assert!(status.contains("0 mất, 1 bị thay đổi") && status.contains("0 ảnh bị mất, 1 ảnh bị thay đổi"), "{status}");
    assert!(text("incidents").contains("1/2 ảnh bị thay đổi") && !text("incidents").contains("thiếu"), "{}", text("incidents"));
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(commune.path("hub/objects/lạ")).unwrap();
    let checked = run(&["hub", "check", "--dir", &dir]);
    assert!(checked.err.contains("1 tệp ảnh bị mất, 1 thứ không phải tệp") && !checked.err.contains("thay đổi"), "{}", checked.err);
    assert!(checked.err.contains("Chuyển") && !checked.err.contains("Giữ nguyên"), "one advice: {}", checked.err);
}

#[test]
fn what_the_hub_destroyed_has_not_reached_it() {
    let mut commune = Commune::with_officer("Hà Văn Sơn");
    commune.serve();
    let dir = commune.dir();
    let (phone, incident) = told_of(&commune, false);
    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    // The hub knows of a second photograph, and destroys it before it has come.
    let photo = commune.path("anh-1.jpg");
    ok(&["phone", "--store", &phone, "amend", &incident, "--photo", &photo]);
    let (uploads, away) = (commune.path("hub/uploads"), commune.path("away"));
    std::fs::rename(&uploads, &away).unwrap();
    std::fs::write(&uploads, b"no folder").unwrap();
    let _ = run(&["phone", "--store", &phone, "sync"]);
    let rows = commune.list("evidence");
    let waiting = rows.iter().find(|row| row["state"] != "verified").unwrap_or_else(|| panic!("{rows:?}"));
    ok(&order(&dir, "erase", waiting["id"].as_str().unwrap(), ["--why", "Quyết định 15"]));
    std::fs::remove_file(&uploads).unwrap();
    std::fs::rename(&away, &uploads).unwrap();
    let synced = ok(&["phone", "--store", &phone, "sync", "--until-empty"]).out;
    let status = ok(&["phone", "--store", &phone, "status"]).out;
    let outbox = ok(&["phone", "--store", &phone, "outbox"]).out;
    for told in [&synced, &status, &outbox] {
        assert!(!told.contains("Tất cả đã tới xã"), "{told}");
        assert!(told.contains("Không còn gì chờ gửi") && told.contains("đã hủy 1 ảnh của máy này"), "{told}");
    }
    assert!(status.contains("2 đã chụp, 1 đã tới xã"), "{status}");
    let told = json(&["phone", "--store", &phone, "status"]);
    assert_eq!((&told["evidence"]["uploaded"], &told["evidence_destroyed"]), (&1.into(), &1.into()));
}

#[test]
fn a_hub_that_ends_over_a_command_is_told_as_that() {
    let commune = Commune::new();
    let dir = commune.dir();
    let out = commune.path("a.tar");
    // What a hub looks like that is killed while it works: it took the command and its socket closes.
    let hub = UnixListener::bind(commune.path("hub/control.sock")).unwrap();
    let answers = std::thread::spawn(move || {
        for answer in [&b""[..], b"{\"done\":", b"[1,2]\n"] {
            let (mut stream, _) = hub.accept().unwrap();
            BufReader::new(stream.try_clone().unwrap()).read_line(&mut String::new()).unwrap();
            stream.write_all(answer).unwrap();
        }
    });
    let export = ["hub", "export", "--dir", &dir, "--format", "bundle", "--purpose", "vụ 12", "--out", &out];
    for _ in 0..2 {
        let ended = run(&export);
        assert_eq!(ended.code, 3);
        assert!(ended.err.contains("dừng giữa chừng") && ended.err.contains("yenban hub serve"), "{}", ended.err);
        assert!(!ended.err.contains("--listen"), "{}", ended.err);
    }
    let other = run(&export);
    assert_eq!(other.code, 3);
    assert!(other.err.contains("cùng một phiên bản") && !other.err.contains("--listen"), "{}", other.err);
    answers.join().unwrap();
}

#[test]
fn an_export_says_what_it_is_for_or_that_nobody_said() {
    let commune = Commune::new();
    let dir = commune.dir();
    let export = |format: &str, purpose: &[&str], name: &str| {
        let out = commune.path(name);
        let mut args = vec!["hub", "export", "--dir", &dir, "--format", format, "--out", &out];
        args.extend(purpose);
        let ended = run(&args);
        (ended.code, std::path::Path::new(&out).exists(), ended.out + &ended.err)
    };
    for format in ["bundle", "csv"] {
        let (code, there, told) = export(format, &[], &format!("{format}.1"));
        assert_eq!((code, there), (0, true), "{told}");
        assert!(told.contains("Chưa nêu mục đích") && told.contains("--purpose"), "{told}");
        let (code, there, told) = export(format, &["--purpose", "vụ 12"], &format!("{format}.2"));
        assert_eq!((code, there), (0, true), "{told}");
        assert!(!told.contains("--purpose"), "{told}");
        for nothing in ["", "   "] {
            let (code, there, told) = export(format, &["--purpose", nothing], &format!("{format}.3"));
            assert_eq!((code, there), (2, false), "{told}");
            assert!(told.contains("--purpose"), "{told}");
        }
    }
}
