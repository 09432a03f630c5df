//! What arrives and cannot be taken: one sentence, the right exit code, no effect.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{Commune, Guarded, bytes_of, json, made_track, ok, run, wait_until, yenban};

/// Asserts the form of a refusal, in both languages and as a document.
fn refused(args: &[&str], code: i32) {
    for lang in ["vi", "en"] {
        let mut all = vec!["--lang", lang];
        all.extend_from_slice(args);
        let ended = run(&all);
        assert_eq!(ended.code, code, "{args:?}: {ended:?}");
        assert_eq!(ended.out, "", "{args:?}");
        let sentence = ended.err.trim_end();
        assert_eq!(sentence.lines().count(), 1, "one sentence: {ended:?}");
        assert!(sentence.ends_with(['.', '?', '`', ')', '!']), "{sentence}");
        assert!(sentence.chars().count() > 12 && sentence.chars().count() < 600, "{sentence}");
        for stranger in ["panicked", "RUST_BACKTRACE", "Error(", "{ $", "error:", "Usage:", "error-", "Some("] {
            assert!(!sentence.contains(stranger), "{stranger}: {sentence}");
        }
    }
    let mut all = vec!["--json"];
    all.extend_from_slice(args);
    let ended = run(&all);
    assert_eq!((ended.code, ended.out.as_str()), (code, ""), "{args:?}: {ended:?}");
    let problem: serde_json::Value = serde_json::from_str(&ended.err).unwrap_or_else(|error| panic!("{error}: {ended:?}"));
    for name in ["type", "title", "detail"] {
        assert!(problem[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {problem}");
    }
}

#[test]
fn the_command_line() {
    for args in [
        &["nonsense"][..],
        &["phon"],
        &[],
        &["phone"],
        &["hub", "list", "--dir", "x", "people"],
        &["demo", "--opne"],
        &["demo", "--lang", "fr"],
        &["phone", "--store", "", "status"],
        &["phone", "status"],
        &["phone", "--store"],
        &["hub", "init", "--dir", "x"],
        &["phone", "--store", "x", "sync", "--once", "--until-empty"],
        &["phone", "--store", "x", "status", "extra"],
        &["hub", "export", "--dir", "x", "--format", "xlsx", "--out", "y"],
        // What comes with later issues is not there yet, and not half there.
        &["phone", "--store", "x", "courier", "out", "y"],
        &["hub", "report", "--dir", "x", "--period", "2026-11"],
    ] {
        refused(args, 2);
    }
}

#[test]
fn values_leave_the_store_as_it_was() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    ok(&["phone", "--store", &phone, "patrol", "start"]);
    let path = |name: &str, bytes: &[u8]| {
        let path = commune.path(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let long = "đ".repeat(17_000);
    let empty = path("empty.jpg", b"");
    let no_points = path("none.gpx", b"<gpx version=\"1.1\"><trk><trkseg/></trk></gpx>");
    let cut = path("cut.gpx", b"<gpx version=\"1.1\"><trk><trkseg><trkpt lat=\"1\" lon=\"2\"/>");
    let dtd = path("dtd.gpx", b"<!DOCTYPE gpx [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><gpx><trk><name>&a;</name></trk></gpx>");
    let far = path("far.gpx", b"<gpx version=\"1.1\"><trk><trkseg><trkpt lat=\"91\" lon=\"181\"/></trkseg></trk></gpx>");
    let utf16 = path("utf16.gpx", &[0xff, 0xfe, b'<', 0, b'g', 0]);
    let nul = path("nul.gpx", b"\0\0\0\0");
    let good = commune.path("good.gpx");
    made_track(std::path::Path::new(&good), 10, 100.0);
    let before = json(&["phone", "--store", &phone, "status"]);
    let bytes = bytes_of(&phone);
    let cases: &[&[&str]] = &[
        &["patrol", "check-in", "--lat", "91", "--lon", "105"],
        &["patrol", "check-in", "--lat", "20", "--lon", "180.00000001"],
        &["patrol", "check-in", "--lat", "NaN", "--lon", "105"],
        &["patrol", "check-in", "--lat", "20,66", "--lon", "105"],
        &["patrol", "check-in", "--lat", "20"],
        &["patrol", "check-in", "--lat", "20", "--lon", "105", "--accuracy-m", "-3"],
        &["patrol", "check-in", "--accuracy-m", "3"],
        &["patrol", "check-in", "--checkpoint", "15N-M7K"],
        &["patrol", "check-in", "--note", "  "],
        &["patrol", "check-in", "--note", &long],
        &["patrol", "start"],
        &["patrol", "resume"],
        &["report", "--kind", "thef", "--text", "x"],
        &["report", "--kind", "Nghi mat trom", "--text", "x"],
        &["report", "--kind", "theft"],
        &["report", "--kind", "theft", "--text", " \n"],
        &["report", "--kind", "theft", "--text", &long],
        &["report", "--kind", "theft", "--text", "x", "--basis", "sure"],
        &["report", "--kind", "theft", "--text", "x", "--photo", &empty],
        &["amend", "0123456789abcdef:7", "--text", "x"],
        &["amend", "../../etc/passwd", "--text", "x"],
        &["alert", "seen", "no-such-alert"],
        &["handover", "0"],
        &["handover", "hai"],
        &["replay", &no_points],
        &["replay", &cut],
        &["replay", &dtd],
        &["replay", &far],
        &["replay", &utf16],
        &["replay", &nul],
        &["replay", &good, "--every", "0m"],
        &["replay", &good, "--every", "often"],
        &["sync", "--max-seconds", "soon"],
        &["search", ""],
        &["lock"],
        &["set-pin"],
        &["enrol", "yb1.AAAA"],
    ];
    for case in cases {
        let mut args = vec!["phone", "--store", phone.as_str()];
        args.extend_from_slice(case);
        refused(&args, 2);
    }
    for case in [&["report", "--kind", "theft", "--text", "x", "--photo", "no/such.jpg"][..], &["replay", "no/such.gpx"], &["replay", "/"]]
    {
        let mut args = vec!["phone", "--store", phone.as_str()];
        args.extend_from_slice(case);
        refused(&args, 3);
    }
    assert_eq!(json(&["phone", "--store", &phone, "status"]), before);
    let names = |files: &[(std::path::PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    let after = bytes_of(&phone);
    assert_eq!(names(&after), names(&bytes));
    let log =
        |files: Vec<(std::path::PathBuf, Vec<u8>)>| files.into_iter().filter(|(path, _)| path.ends_with("spool.db")).collect::<Vec<_>>();
    assert!(log(after) == log(bytes), "the log's bytes are as they were");
}

#[test]
fn weak_pins_and_wrong_ones() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let with_pin = |pin: &str, command: &str| {
        let status = yenban().env("YENBAN_PIN", pin).args(["phone", "--store", &phone, command]).output().unwrap();
        status.status.code().unwrap()
    };
    for weak in ["123456", "12", "abcdef", "111111", "0123456789012345"] {
        assert_eq!(with_pin(weak, "set-pin"), 2, "{weak}");
    }
    assert_eq!(with_pin("739146", "set-pin"), 0);
    ok(&["phone", "--store", &phone, "lock"]);
    refused(&["phone", "--store", &phone, "incidents"], 2);
    assert_eq!(with_pin("739147", "unlock"), 1);
    // Locked, an urgent report is saved all the same.
    ok(&["phone", "--store", &phone, "report", "--kind", "fire", "--urgent"]);
    assert_eq!(with_pin("739146", "unlock"), 0);
    assert_eq!(json(&["phone", "--store", &phone, "incidents"]).as_array().unwrap().len(), 1);
}

#[test]
fn codes_of_a_group() {
    let commune = Commune::serving();
    let other = Commune::serving();
    let dir = commune.dir();
    let code = |more: &[&str]| {
        let mut args = vec!["hub", "enrol", "--dir", dir.as_str(), "--hamlet", "Nà Phòn", "--create", "--role", "member"];
        args.extend_from_slice(more);
        ok(&args).last_line()
    };
    let used = code(&[]);
    let first = commune.path("may-1");
    ok(&["phone", "--store", &first, "enrol", &used]);
    refused(&["phone", "--store", &commune.path("may-2"), "enrol", &used], 1);
    // The same phone again, a code of nobody, half a code, a code that leads elsewhere, a code that leads nowhere.
    refused(&["phone", "--store", &first, "enrol", &used], 2);
    for bad in ["", "hello", "yb1.", "yb1.AAAA", &used[..used.len() / 2], &"yb1.A".repeat(900)] {
        refused(&["phone", "--store", &commune.path("may-3"), "enrol", bad], 2);
    }
    assert!(!std::path::Path::new(&commune.path("may-3")).exists(), "nothing is made for a code that is none");
    let elsewhere = code(&["--address", &other.address]);
    refused(&["phone", "--store", &commune.path("may-4"), "enrol", &elsewhere], 1);
    let nowhere = code(&["--address", "127.0.0.1:9"]);
    refused(&["phone", "--store", &commune.path("may-5"), "enrol", &nowhere], 3);
    // A hamlet mistyped is no new hamlet; composed or decomposed letters are the same name.
    refused(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phon", "--role", "member"], 2);
    ok(&["hub", "enrol", "--dir", &dir, "--hamlet", "Na\u{300} Pho\u{300}n", "--role", "member"]);
    refused(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--role", "general"], 2);
    refused(&["hub", "enrol", "--dir", &dir, "--hamlet", " ", "--create", "--role", "member"], 2);
    assert_eq!(json(&["hub", "status", "--dir", &dir])["devices"], 1);
}

#[test]
fn files_given_as_stores_and_hubs() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::create_dir_all(at("home")).unwrap();
    std::fs::write(at("home/letter.txt"), "dear").unwrap();
    std::fs::write(at("file"), "a file").unwrap();
    std::fs::create_dir_all(at("plain")).unwrap();
    std::fs::write(at("plain/spool.db"), [b"SQLite format 3\0".as_slice(), &[0; 4_000]].concat()).unwrap();
    std::fs::create_dir_all(at("noise")).unwrap();
    std::fs::write(at("noise/spool.db"), [0x5a; 8_192]).unwrap();
    let before = bytes_of(folder.path().to_str().unwrap());
    for name in ["home", "file", "plain", "noise"] {
        refused(&["phone", "--store", &at(name), "status"], 3);
    }
    refused(&["phone", "--store", &at("nothing"), "status"], 2);
    for name in ["home", "file", "nothing"] {
        let ended = run(&["hub", "status", "--dir", &at(name)]);
        assert!([2, 3].contains(&ended.code), "{ended:?}");
        refused(&["hub", "status", "--dir", &at(name)], ended.code);
        refused(&["hub", "serve", "--dir", &at(name), "--listen", "127.0.0.1:0"], ended.code);
    }
    for (code, name) in [("99999", "X"), ("5200", "X"), ("abc", "X"), ("05200", " ")] {
        refused(&["hub", "init", "--dir", &at("new"), "--commune", code, "--name", name], 2);
    }
    let ended = run(&["hub", "init", "--dir", &at("home"), "--commune", "05200", "--name", "X"]);
    assert!([2, 3].contains(&ended.code), "{ended:?}");
    let kept: Vec<_> = before.iter().filter(|(path, _)| !path.ends_with("lock")).cloned().collect();
    let after: Vec<_> = bytes_of(folder.path().to_str().unwrap()).into_iter().filter(|(path, _)| !path.ends_with("lock")).collect();
    assert_eq!(after, kept);
}

#[test]
fn what_an_operator_may_mistype() {
    let commune = Commune::serving();
    let dir = commune.dir();
    ok(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--create", "--role", "member"]);
    let csv = commune.path("list.csv");
    std::fs::write(&csv, "hamlet,member,role\nNà Phòn,Lò Văn Páo,tổ viên\n,,\nNà Phòn,Hà Thị Liên,vua\n").unwrap();
    let latin = commune.path("latin.csv");
    std::fs::write(&latin, b"hamlet\nN\xe0 Ph\xf2n\n").unwrap();
    let before = json(&["hub", "status", "--dir", &dir]);
    let alert = |more: &[&'static str]| {
        let mut args = vec!["hub", "alert", "--dir", dir.as_str()];
        args.extend_from_slice(more);
        refused(&args, 2);
    };
    alert(&["--headline", " ", "--description", "x", "--severity", "Severe", "--hamlet", "Nà Phòn"]);
    alert(&["--headline", "x", "--description", "x", "--severity", "Sever", "--hamlet", "Nà Phòn"]);
    alert(&["--headline", "x", "--description", "x", "--severity", "Severe", "--hamlet", "Nà Phon"]);
    alert(&["--headline", "x", "--description", "x", "--severity", "Severe", "--hamlet", "Nà Phòn", "--expires", "tomorrow"]);
    alert(&["--headline", "x", "--description", "x", "--severity", "Severe", "--hamlet", "Nà Phòn", "--expires", "300d"]);
    refused(&["hub", "revoke", "--dir", &dir, "xyz"], 2);
    refused(&["hub", "revoke", "--dir", &dir, "0123456789abcdef"], 2);
    refused(&["hub", "import", "--dir", &dir, &csv], 2);
    refused(&["hub", "import", "--dir", &dir, &latin], 2);
    refused(&["hub", "import", "--dir", &dir, "no/such.csv"], 3);
    refused(&["hub", "export", "--dir", &dir, "--format", "csv", "--since", "yesterday", "--out", &commune.path("x")], 2);
    refused(&["hub", "export", "--dir", &dir, "--format", "csv", "--out", "/no/such/folder/x.csv"], 3);
    refused(&["hub", "restore", "--dir", &commune.path("new"), "--file", "no/such"], 3);
    refused(&["hub", "restore", "--dir", &dir, "--file", &csv], 3);
    refused(&["hub", "serve", "--dir", &dir, "--listen", "nowhere"], 2);
    assert_eq!(json(&["hub", "status", "--dir", &dir]), before);
}

#[test]
fn a_second_command_waits_and_then_says_so() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let lock = std::fs::File::options().read(true).write(true).create(true).truncate(false).open(format!("{phone}/lock")).unwrap();
    lock.lock().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let store = phone.clone();
    std::thread::spawn(move || sender.send(run(&["phone", "--store", &store, "status"])).unwrap());
    let early = receiver.recv_timeout(std::time::Duration::from_secs(3));
    assert!(early.is_err(), "it waits: {early:?}");
    let ended = receiver.recv_timeout(std::time::Duration::from_secs(10)).expect("and then says so");
    assert_eq!((ended.code, ended.err.lines().count()), (3, 1), "{ended:?}");
    // Released in time, the second command is none the wiser.
    let mut second = yenban();
    second.args(["phone", "--store", &phone, "status"]).stdout(std::process::Stdio::null());
    let mut second = Guarded(second.spawn().unwrap());
    let opened = format!("/proc/{}/fd", second.0.id());
    let at_the_lock = || {
        let Ok(open) = std::fs::read_dir(&opened) else { return false };
        open.flatten().any(|file| std::fs::read_link(file.path()).is_ok_and(|path| path.ends_with("lock")))
    };
    wait_until("the second command stands before the lock", at_the_lock);
    assert!(second.0.try_wait().unwrap().is_none(), "it waits");
    drop(lock);
    assert_eq!(second.0.wait().unwrap().code(), Some(0));
}

#[test]
fn a_second_officer_is_an_officer_of_this_hub() {
    let commune = Commune::new();
    let dir = commune.path("hub-2");
    let name = "Hà Văn Sơn";
    ok(&["hub", "init", "--dir", &dir, "--commune", "05200", "--name", "Công an xã Mai Châu", "--officer", name]);
    let alert = |second| {
        let text = ["--headline", "Mưa lớn", "--description", "Suối dâng", "--severity", "Severe", "--second", second];
        [&["hub", "alert", "--dir", &dir][..], &text].concat()
    };
    refused(&alert("Ai Đó"), 2);
    refused(&alert("1"), 2);
    let near = run(&alert("ha van son"));
    assert!(near.code == 2 && near.err.contains(name), "{near:?}");
    let listed = || json(&["hub", "list", "--dir", &dir, "alerts"]).as_array().map(Vec::len);
    assert_eq!(listed(), Some(0), "what was refused had no effect");
    ok(&alert(name));
    assert_eq!(listed(), Some(1));
    // An officer who was made without a name has a number.
    let text = ["--headline", "Mưa lớn", "--description", "Suối dâng", "--severity", "Severe", "--second", "1"];
    ok(&[&["hub", "alert", "--dir", &commune.dir()][..], &text].concat());
}

#[test]
fn reasons_are_told_in_the_language_of_the_sentence() {
    let commune = Commune::new();
    let (dir, other) = (commune.dir(), commune.path("other"));
    ok(&["hub", "init", "--dir", &other, "--commune", "05200", "--name", "X"]);
    ok(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--create", "--role", "member"]);
    let backup = commune.path("backup");
    ok(&["hub", "backup", "--dir", &dir, "--file", &backup]);
    let key = commune.path("other.recovery");
    let new = commune.path("new");
    let long = "x".repeat(300);
    let alert = ["hub", "alert", "--dir", &dir, "--hamlet", "Nà Phòn", "--description", "b", "--severity", "Severe", "--headline"];
    let told = |args: &[&str], code: i32| {
        let ended = run(args);
        assert_eq!(ended.code, code, "{ended:?}");
        for english in [" is ", " has ", " not ", " the ", " was "] {
            assert!(!ended.err.contains(english), "{ended:?}");
        }
    };
    told(&[&alert[..], &[&long]].concat(), 2);
    told(&[&alert[..], &["a\nb"]].concat(), 2);
    told(&[&alert[..], &["a", "--expires", "40d"]].concat(), 2);
    told(&["hub", "enrol", "--dir", &dir, "--hamlet", "Nà Phòn", "--role", "member", "--address", "x"], 2);
    told(&["hub", "restore", "--dir", &new, "--file", &backup, "--recovery-file", &key], 3);
    told(&["hub", "restore", "--dir", &new, "--file", &key, "--recovery-file", &key], 3);
    told(&["hub", "init", "--dir", &new, "--commune", "05200", "--name", "X", "--recovery-file", &key], 3);
    assert!(!std::path::Path::new(&new).exists());
    std::fs::remove_file(format!("{dir}/hub.db")).unwrap();
    told(&["hub", "status", "--dir", &dir], 3);
}
