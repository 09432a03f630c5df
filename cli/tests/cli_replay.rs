//! Recorded walks through the whole product: every check-in once, positions exact, times honest; and again with the
//! hub killed, with replies lost, with the phone killed.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use support::{Commune, Guarded, json, made_track, ms, ok, run, tracks, wait_until, yenban};
use yenban_core::place::gpx::Recording;
use yenban_core::place::{Spacing, every};

/// Where and when the check-ins of a walk must be, in order.
fn expected(track: &Path, every_m: f64) -> Vec<(i32, i32, Option<i64>)> {
    let file = std::io::BufReader::new(std::fs::File::open(track).unwrap());
    let recording = Recording::read(file).unwrap();
    let picked = every(&recording, Spacing::Metres(every_m)).unwrap();
    let points: Vec<_> = recording.points().collect();
    assert_eq!((picked[0].point, picked.last().unwrap().point), (*points[0], **points.last().unwrap()), "both ends are checked in");
    picked.iter().map(|p| (p.point.place.lat_e7(), p.point.place.lon_e7(), p.point.time_ms)).collect()
}

/// The coordinates that stand in the file, read by nothing of ours.
fn raw_coordinates(track: &Path) -> Vec<(f64, f64)> {
    let text = String::from_utf8_lossy(&std::fs::read(track).unwrap()).into_owned();
    let value = |tag: &str, name: &str| -> f64 {
        let at = tag.find(&format!("{name}=")).unwrap() + name.len() + 2;
        tag[at..].split(['"', '\'']).next().unwrap().trim().parse().unwrap()
    };
    text.match_indices("<trkpt").map(|(at, _)| &text[at..]).map(|tag| (value(tag, "lat"), value(tag, "lon"))).collect()
}

/// Holds the hub's list against the walk.
fn hold(commune: &Commune, track: &Path, every_m: f64) {
    let expected = expected(track, every_m);
    let raw = raw_coordinates(track);
    let mut rows = commune.list("check-ins");
    rows.sort_by_key(|row| row["seq"].as_u64().unwrap());
    assert_eq!(rows.len(), expected.len(), "{}: every check-in once", track.display());
    for (row, (lat_e7, lon_e7, time_ms)) in rows.iter().zip(&expected) {
        let (lat, lon) = (row["lat"].as_f64().unwrap(), row["lon"].as_f64().unwrap());
        assert_eq!(((lat * 1e7).round() as i32, (lon * 1e7).round() as i32), (*lat_e7, *lon_e7), "{}: {row}", track.display());
        let near = |(a, b): &(f64, f64)| (a - lat).abs() <= 1e-7 && (b - lon).abs() <= 1e-7;
        assert!(raw.iter().any(near), "{}: not in the file: {row}", track.display());
        let (earliest, at, latest) = (ms(&row["time_earliest"]), ms(&row["recorded_at"]), ms(&row["time_latest"]));
        assert!(earliest <= at && at <= latest, "{}: {row}", track.display());
        assert!(latest <= ms(&row["received_at"]).max(time_ms.unwrap_or(i64::MIN)) + 5_000, "{}: {row}", track.display());
        if let Some(time_ms) = time_ms {
            assert!(earliest <= *time_ms && *time_ms <= latest, "the walk's own time lies in the interval: {row}");
        }
    }
    let mut names: Vec<(&str, u64)> = rows.iter().map(|row| (row["log"].as_str().unwrap(), row["seq"].as_u64().unwrap())).collect();
    names.dedup();
    assert_eq!(names.len(), expected.len());
    assert_eq!(json(&["hub", "status", "--dir", &commune.dir()])["chains_ok"], true);
    assert_eq!(commune.list("patrols").len(), 1);
}

/// Syncs until nothing waits; how often it took.
fn sync_to_the_end(phone: &str) -> usize {
    for tries in 1..=200 {
        let ended = run(&["--json", "phone", "--store", phone, "sync", "--max-seconds", "20"]);
        if ended.code == 0 {
            assert_eq!(ended.json()["outcome"], "up_to_date");
            return tries;
        }
        assert!([1, 3].contains(&ended.code), "{ended:?}");
    }
    panic!("never up to date");
}

#[test]
fn every_walk_arrives_once_exact_and_with_honest_times() {
    let folder = tempfile::tempdir().unwrap();
    for track in tracks(folder.path()) {
        let commune = Commune::serving();
        let phone = commune.phone("may-1", "Nà Phòn");
        let told = json(&["phone", "--store", &phone, "replay", track.to_str().unwrap()]);
        assert_eq!(told["check_ins"], expected(&track, 200.0).len());
        assert_eq!(sync_to_the_end(&phone), 1);
        hold(&commune, &track, 200.0);
        ok(&["phone", "--store", &phone, "check"]);
        ok(&["hub", "check", "--dir", &commune.dir()]);
    }
}

#[test]
fn a_hub_killed_again_and_again_during_the_sync_loses_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for track in tracks(folder.path()) {
        let mut commune = Commune::serving();
        let phone = commune.phone("may-1", "Nà Phòn");
        ok(&["phone", "--store", &phone, "replay", track.to_str().unwrap()]);
        for writes in 1..=3 {
            let database = commune.path("hub/hub.db");
            let mut seen = Writes::of(&database);
            let sync = yenban().args(["--json", "phone", "--store", &phone, "sync"]).stdout(std::process::Stdio::null()).spawn().unwrap();
            let mut sync = Guarded(sync);
            wait_until("the hub wrote, or the sync is over", || seen.count() >= writes || sync.0.try_wait().unwrap().is_some());
            commune.kill();
            sync.0.wait().unwrap();
            commune.serve();
        }
        sync_to_the_end(&phone);
        hold(&commune, &track, 200.0);
    }
}

/// How often a database was seen to be written: its file and the log written ahead of it.
struct Writes {
    files: [PathBuf; 2],
    last: [Option<(u64, std::time::SystemTime)>; 2],
    count: usize,
}

impl Writes {
    fn of(database: &str) -> Self {
        let files = [PathBuf::from(database), PathBuf::from(format!("{database}-wal"))];
        let mut writes = Self { files, last: [None; 2], count: 0 };
        writes.count();
        writes.count = 0;
        writes
    }

    /// The writes seen since the beginning; several between two looks count once.
    fn count(&mut self) -> usize {
        for (file, last) in self.files.iter().zip(&mut self.last) {
            let now = std::fs::metadata(file).ok().and_then(|metadata| Some((metadata.len(), metadata.modified().ok()?)));
            if now != *last {
                (*last, self.count) = (now, self.count + 1);
            }
        }
        self.count
    }
}

/// A relay that loses the second answer of every connection (and the first of the first): so each request's answer is
/// lost once, after the hub has done its work. After `losses` it only relays.
fn losing_relay(hub: String, losses: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let lost = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&lost);
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (hub, lost) = (hub.clone(), Arc::clone(&counter));
            std::thread::spawn(move || {
                let Ok(client) = client else { return };
                let Ok(server) = TcpStream::connect(hub) else { return };
                relay(client, server, &lost, losses);
            });
        }
    });
    (address, lost)
}

fn relay(client: TcpStream, server: TcpStream, lost: &AtomicUsize, losses: usize) {
    // How often the client has spoken: the handshake is two times, then one request each.
    let spoken = Arc::new(AtomicUsize::new(0));
    let (mut from, mut to, counter) = (client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&spoken));
    std::thread::spawn(move || {
        let mut buffer = [0_u8; 65_536];
        while let Ok(n @ 1..) = from.read(&mut buffer) {
            counter.fetch_add(1, Ordering::SeqCst);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
    let (mut from, mut to) = (server, client);
    let allowed = if lost.load(Ordering::SeqCst) == 0 { 2 } else { 4 };
    let mut buffer = [0_u8; 65_536];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        if spoken.load(Ordering::SeqCst) > allowed && lost.load(Ordering::SeqCst) < losses {
            lost.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = from.shutdown(std::net::Shutdown::Both);
}

#[test]
fn replies_that_are_lost_lose_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for track in tracks(folder.path()) {
        let commune = Commune::serving();
        let losses = 40;
        let (relay, lost) = losing_relay(commune.address.clone(), losses);
        let enrol = ["hub", "enrol", "--dir", &commune.dir(), "--hamlet", "Nà Phòn", "--create", "--role", "member", "--address", &relay];
        let code = ok(&enrol).last_line();
        let phone = commune.path("may-1");
        // Enrolling loses answers too, and asks again with the same code: on a busy machine the relay may spend all its
        // losses on it.
        let joined = (0..=losses).any(|_| run(&["phone", "--store", &phone, "enrol", &code]).code == 0);
        assert!(joined, "joined in the end");
        ok(&["phone", "--store", &phone, "replay", track.to_str().unwrap()]);
        sync_to_the_end(&phone);
        assert!(lost.load(Ordering::SeqCst) > 0, "the relay lost something");
        hold(&commune, &track, 200.0);
    }
}

#[test]
fn a_phone_killed_during_capture_goes_on_where_it_stopped() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let track: PathBuf = commune.folder.path().join("long.gpx");
    made_track(&track, 4_000, 12.0);
    let replay = ["phone", "--store", &phone, "replay", track.to_str().unwrap(), "--every", "10m"];
    let mut cut = 0;
    for writes in [1, 20, 60, 5, 35] {
        let mut seen = Writes::of(&format!("{phone}/spool.db"));
        let child = yenban().args(replay).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn().unwrap();
        let mut child = Guarded(child);
        wait_until("the log was written, or the walk is over", || seen.count() >= writes || child.0.try_wait().unwrap().is_some());
        let _ = child.0.kill();
        if child.0.wait().unwrap().code() == Some(0) {
            break;
        }
        cut += 1;
        ok(&["phone", "--store", &phone, "check"]);
    }
    assert!(cut > 0, "the walk is long enough to be cut");
    if json(&["phone", "--store", &phone, "patrols"])[0]["state"] != "finished" {
        ok(&replay);
    }
    sync_to_the_end(&phone);
    hold(&commune, &track, 10.0);
}
