//! `phone sync --wait`: a phone that stays connected, with the real programs.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use support::{Commune, Guarded, json, ok, run, wait_until, yenban};

const WITHIN: Duration = Duration::from_secs(1);

fn warn(dir: &str, headline: &str, drill: bool) -> String {
    let mut order = vec!["hub", "alert", "--dir", dir, "--headline", headline, "--description", "Suối dâng", "--severity", "Extreme"];
    order.extend(["--hamlet", "Nà Phòn"]);
    if drill {
        order.push("--drill");
    }
    json(&order)["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_alert_is_told_while_the_phone_waits() {
    let commune = Commune::serving();
    let (phone, dir) = (commune.phone("may-1", "Nà Phòn"), commune.dir());
    let waits = yenban().args(["phone", "--store", &phone, "sync", "--wait", "12"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut waits = Guarded(waits);
    let (lines, heard) = channel();
    let out = BufReader::new(waits.0.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        for line in out.lines() {
            lines.send((line.unwrap(), Instant::now())).unwrap();
        }
    });
    // Its first sync is over when its log has come; from then on it waits.
    wait_until("the phone came", || json(&["hub", "status", "--dir", &dir])["entries"].as_u64() > Some(0));
    let mut took = Vec::new();
    for n in 1..=3 {
        warn(&dir, &format!("Lũ về, tin {n}"), n == 3);
        let sent = Instant::now();
        let (line, at) = loop {
            let (line, at) = heard.recv_timeout(Duration::from_secs(10)).unwrap();
            if line.contains("Lũ về") {
                break (line, at);
            }
        };
        assert!(line.contains(&format!("tin {n}")) && line.contains("Nguy cấp, làm ngay"), "{line}");
        assert_eq!(line.contains("DIỄN TẬP"), n == 3, "a drill says so: {line}");
        took.push(at.saturating_duration_since(sent));
    }
    // The command that sends ends after it was sent; the best of three, because the machine may be busy with others.
    assert!(took.iter().any(|took| *took < WITHIN), "{took:?}");
    assert_eq!(waits.0.wait().unwrap().code(), Some(0));
    reader.join().unwrap();
    let rows = commune.list("alerts");
    assert!(rows.iter().all(|row| row["rungs"]["delivered"] == 1), "and the hub knows: {rows:?}");
}

#[test]
fn what_came_while_it_stayed_is_in_the_document_and_wrong_use_is_told() {
    let mut commune = Commune::serving();
    let (phone, dir) = (commune.phone("may-1", "Nà Phòn"), commune.dir());
    let id = warn(&dir, "Lũ về", false);
    let told = json(&["phone", "--store", &phone, "sync", "--wait", "1"]);
    assert_eq!((&told["alerts"][0], &told["outcome"]), (&id.as_str().into(), &"up_to_date".into()), "{told}");
    let told = json(&["phone", "--store", &phone, "sync", "--wait", "1"]);
    assert_eq!(told["alerts"].as_array().map(Vec::len), Some(0), "it was told before: {told}");
    for wrong in [&["--wait", "0"][..], &["--wait", "x"], &["--wait", "100000"], &["--wait", "5", "--once"], &["--wait"]] {
        assert_eq!(run(&[&["phone", "--store", &phone, "sync"], wrong].concat()).code, 2, "{wrong:?}");
    }
    // A hub that is away is told as that, after the time was up.
    commune.kill();
    let away = run(&["phone", "--store", &phone, "sync", "--wait", "1"]);
    assert_eq!(away.code, 3, "{away:?}");
    commune.serve();
    ok(&["phone", "--store", &phone, "sync", "--wait", "1"]);
}
