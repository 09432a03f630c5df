//! Help says what there is, in both languages, and its examples run as they stand.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{Serving, made_track, run, yenban};

/// The help of a command and of all below it, by their names.
fn helps(lang: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut open = vec![Vec::<String>::new()];
    while let Some(path) = open.pop() {
        let mut args = vec!["--lang".to_owned(), lang.to_owned()];
        args.extend(path.iter().cloned());
        args.push("--help".to_owned());
        let ended = run(&args);
        assert_eq!((ended.code, ended.err.as_str()), (0, ""), "{args:?}");
        let heading = if lang == "vi" { "Lệnh:" } else { "Commands:" };
        let names = ended.out.lines().skip_while(|line| *line != heading).skip(1).take_while(|line| line.starts_with("  "));
        for name in names.filter(|line| !line.starts_with("   ")).filter_map(|line| line.split_whitespace().next()) {
            open.push(path.iter().cloned().chain([name.to_owned()]).collect());
        }
        found.insert(path.join(" "), ended.out);
    }
    found
}

/// The example lines of a help.
fn examples(help: &str) -> Vec<String> {
    let after = help.lines().skip_while(|line| !["Ví dụ:", "Example:"].contains(line)).skip(1);
    after.filter(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_command_is_explained_with_an_example_in_both_languages() {
    let (vi, en) = (helps("vi"), helps("en"));
    assert_eq!(vi.keys().collect::<Vec<_>>(), en.keys().collect::<Vec<_>>());
    assert!(vi.len() > 40, "{:?}", vi.keys());
    for (name, help) in vi.iter().chain(&en) {
        let examples = examples(help);
        assert!(!examples.is_empty(), "{name}: {help}");
        assert!(examples.iter().all(|example| example.contains("yenban")), "{name}: {examples:?}");
        assert!(!help.contains("help-") && !help.contains("[OPTIONS]") || name.is_empty() || help.contains("OPTIONS"), "{name}: {help}");
    }
    for (name, help) in &vi {
        for foreign in ["Usage:", "Options:", "Commands:", "Print help", "[OPTIONS]", "default:"] {
            assert!(!help.contains(foreign), "{foreign} in the Vietnamese help of {name}:\n{help}");
        }
    }
    // What comes later is not promised.
    let all: String = vi.values().cloned().collect();
    for later in ["activity", "forms", "--cap", "postgres", "s3:"] {
        assert!(!all.contains(later), "{later}");
    }
}

#[test]
fn the_version_is_told() {
    let ended = run(&["--version"]);
    assert_eq!(ended.out.trim(), format!("yenban {}", env!("CARGO_PKG_VERSION")));
}

/// Runs a line as a person would, in a shell.
fn shell(line: &str, folder: &Path) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_yenban"));
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new("sh");
    command.args(["-c", line]).current_dir(folder).env("PATH", path).stdin(Stdio::null());
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "YENBAN_PIN"] {
        command.env_remove(name);
    }
    let output = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap_or(-1), told)
}

/// Commands in the order of one evening; the demonstration has a test of its own, `hub serve` is the stage.
const EVENING: [&str; 55] = [
    "hub",
    "hub init",
    "hub import",
    "hub console",
    "hub enrol",
    "phone enrol",
    "phone",
    "phone sync",
    "phone patrol",
    "phone patrol check-in",
    "phone patrol pause",
    "phone patrol resume",
    "phone patrol finish",
    "phone patrol start",
    "phone replay",
    "phone report",
    "phone amend",
    "phone courier",
    "phone courier out",
    "phone rescue",
    "hub courier",
    "hub courier in",
    "hub courier out",
    "phone courier in",
    "phone sms",
    "hub sms",
    "phone status",
    "phone outbox",
    "hub answer",
    "phone incidents",
    "phone patrols",
    "phone search",
    "hub alert",
    "phone alerts",
    "phone alert",
    "phone alert seen",
    "phone alert going",
    "phone alert cannot",
    "phone alert done",
    "phone feed",
    "phone set-pin",
    "phone lock",
    "phone unlock",
    "phone check",
    "phone handover",
    "hub status",
    "hub list",
    "hub export",
    "verify",
    "phone witness",
    "hub hold",
    "hub erase",
    "hub check",
    "hub revoke",
    "hub backup",
];

#[test]
fn the_examples_run_as_they_stand() {
    let helps = helps("vi");
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    made_track(&at("dem-qua.gpx"), 60, 40.0);
    std::fs::write(at("anh.jpg"), b"\xff\xd8\xff\xe0 a picture").unwrap();
    std::fs::write(at("danh-sach.csv"), "hamlet,group,member,role\nNà Phòn,Tổ Nà Phòn,Hà Thị Liên,tổ trưởng\n").unwrap();
    let mut hub = None;
    let mut done: Vec<&str> = vec!["", "demo", "hub serve"];
    for name in EVENING.into_iter().chain(["hub restore", "hub replace-keys"]) {
        if name == "hub import" {
            let mut serve = yenban();
            serve.args(["hub", "serve", "--dir", "xa-mai-chau", "--listen", "127.0.0.1:0"]).current_dir(folder.path());
            let serving = Serving::begin(serve);
            assert!(serving.told.contains("127.0.0.1:"), "{}", serving.told);
            hub = Some(serving);
        }
        if name == "hub replace-keys" {
            // Nobody changes the keys of a hub that runs.
            hub = None;
        }
        let told = |line: &str| shell(line, folder.path()).1;
        if name == "hub hold" {
            for (store, officer) in [("may-2", "Hà Văn Sơn"), ("may-3", "Lò Thị Hoa")] {
                let code = format!("yenban hub enrol --dir xa-mai-chau --hamlet 'Nà Phòn' --role officer --name '{officer}' | tail -n 1");
                told(&format!("yenban phone --store {store} enrol \"$({code})\""));
            }
        }
        if name == "hub sms" {
            let (_, listed) = shell("yenban --json phone --store may-1 incidents", folder.path());
            let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
            told(&format!("yenban phone --store may-1 sms {} | tail -n 1 > tin-nhan.txt", listed[0]["id"].as_str().unwrap()));
        }
        if name == "phone alert" || name == "phone witness" {
            told("yenban phone --store may-1 sync");
        }
        for example in examples(&helps[name]) {
            // Names that only this evening has.
            let own = |text: &str, list: &str, field: &str| {
                let (_, listed) = shell(&format!("yenban --json {list}"), folder.path());
                let listed: serde_json::Value = serde_json::from_str(&listed).unwrap_or_default();
                example.replace(text, listed[0][field].as_str().unwrap_or(text))
            };
            let line = match name {
                "phone amend" | "phone sms" | "hub answer" => own("0123456789abcdef:7", "phone --store may-1 incidents", "id"),
                "hub hold" | "hub erase" => own("0123456789abcdef:7", "hub list --dir xa-mai-chau evidence", "id"),
                "hub revoke" => own("0123456789abcdef", "hub list --dir xa-mai-chau devices", "id"),
                name if name.starts_with("phone alert ") || name == "phone alert" => own("yb-05200-1", "phone --store may-1 alerts", "id"),
                _ => example.clone(),
            };
            // What is held for a case is let go before it may be erased.
            if name == "hub erase" {
                shell(&line.replace("hub erase", "hub hold --release"), folder.path());
            }
            let (code, told) = shell(&line, folder.path());
            // A patrol that was left open is finished before the replay, as the refusal says.
            let (code, told) = if name == "phone replay" && code == 2 {
                shell("yenban phone --store may-1 patrol finish", folder.path());
                shell(&line, folder.path())
            } else {
                (code, told)
            };
            assert_eq!(code, 0, "{name}: {line}\n{told}");
        }
        done.push(name);
    }
    drop(hub);
    for name in helps.keys() {
        assert!(done.contains(&name.as_str()) || name == "phone patrol start", "no test runs the example of {name}");
    }
}
