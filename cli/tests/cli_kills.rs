//! Photographs under kill -9 and failing disks, with the real processes: the phone's at every disk call of a capture,
//! the hub's at every disk call of receiving, and both hundreds of times at random moments.
//!
//! What must hold afterwards is always the same: whatever was acknowledged is at the hub once, bit by bit, and nothing
//! is shown half. The exhaustive stories put `strace` between program and system and are skipped, and say so, where it
//! is missing. `YENBAN_LONG=1`: the random story kills 500 times instead of 150.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use support::{Commune, Ended, json, ok, run, yenban};

/// Calls that change what is on the disk.
const DISK_CALLS: [&str; 14] = [
    "openat",
    "write",
    "pwrite64",
    "pwritev",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "ftruncate",
    "mkdir",
    "fallocate",
];
/// A call is made less often than this in one command.
const CALLS_MAX: usize = 2_000;

fn traced() -> bool {
    let there = Command::new("strace").args(["-qq", "-o", "/dev/null", "true"]).status().is_ok_and(|s| s.success());
    if !there {
        println!("skipped: strace is not here or may not trace");
    }
    there
}

/// The real binary, where the `nth` call of `call` is answered as `fault` says.
fn faulty(call: &str, nth: usize, fault: &str) -> Command {
    let plain = yenban();
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")]);
    command.args(["-e", &format!("inject={call}:{fault}:when={nth}")]).arg(plain.get_program());
    for (name, value) in plain.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command.stdin(Stdio::null()).stderr(Stdio::piped()).stdout(Stdio::piped());
    command
}

fn killed(status: ExitStatus) -> bool {
    use std::os::unix::process::ExitStatusExt as _;
    // The tracer ends as its child did; a shell would say 137.
    status.signal().is_some() || status.code() == Some(137)
}

/// A photograph nobody else has: real where there are some, made otherwise, told apart by what trails it.
struct Photos {
    folder: PathBuf,
    real: Vec<PathBuf>,
    number: u64,
}

impl Photos {
    fn new(folder: &Path) -> Self {
        let real = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos"));
        let mut real: Vec<PathBuf> = real.into_iter().flatten().map(|item| item.unwrap().path()).collect();
        // The small ones: what is tested is the order of things, not their size.
        real.retain(|path| path.extension().is_some_and(|kind| kind == "jpg") && path.metadata().unwrap().len() < 150_000);
        real.sort();
        if real.is_empty() {
            println!("skipped: the real photographs are not there, made ones are used");
        }
        Self { folder: folder.to_path_buf(), real, number: 0 }
    }

    fn next(&mut self) -> (PathBuf, String) {
        self.number += 1;
        let mut bytes = match self.real.get(self.number as usize % self.real.len().max(1)) {
            Some(path) => std::fs::read(path).unwrap(),
            None => [&[0xFF, 0xD8, 0xFF, 0xE0][..], &[7; 40_000]].concat(),
        };
        bytes.extend_from_slice(format!("number {}", self.number).as_bytes());
        let path = self.folder.join(format!("anh-{}.jpg", self.number));
        std::fs::write(&path, &bytes).unwrap();
        (path, data_encoding::HEXLOWER.encode(&Sha256::digest(&bytes)))
    }
}

/// What was acknowledged: the incident with the hash of its photograph.
type Acknowledged = BTreeMap<String, String>;

fn id_of(told: &Value) -> String {
    told["id"].as_str().or_else(|| told["incident"].as_str()).unwrap_or_else(|| panic!("no name: {told}")).to_owned()
}

fn sync_to_the_end(phone: &str) {
    for _ in 0..200 {
        let ended = run(&["--json", "phone", "--store", phone, "sync", "--max-seconds", "60"]);
        if ended.code == 0 {
            return;
        }
        assert!([1, 3].contains(&ended.code), "{ended:?}");
    }
    panic!("never up to date");
}

/// Both sides after everything went through.
fn hold(commune: &Commune, phone: &str, acknowledged: &Acknowledged) {
    sync_to_the_end(phone);
    ok(&["phone", "--store", phone, "check"]);
    ok(&["hub", "check", "--dir", &commune.dir()]);
    let status = json(&["phone", "--store", phone, "status"]);
    assert_eq!(status["evidence"]["captured"], status["evidence"]["uploaded"], "{status}");
    let evidence = commune.list("evidence");
    for row in &evidence {
        assert_eq!(row["state"], "verified", "{row}");
    }
    let incidents = commune.list("incidents");
    for row in &incidents {
        // A report that was never acknowledged may be there too, but never one whose photographs nobody will bring.
        assert_eq!((&row["complete"], &row["attachments"], &row["photos"]), (&true.into(), &1.into(), &1.into()), "{row}");
    }
    for (incident, sha256) in acknowledged {
        let shown = incidents.iter().filter(|row| row["id"] == incident.as_str()).count();
        assert_eq!(shown, 1, "{incident} is at the hub once");
        let of_it: Vec<&Value> = evidence.iter().filter(|row| row["incident"] == incident.as_str()).collect();
        let same = of_it.iter().filter(|row| row["sha256"] == sha256.as_str()).count();
        assert_eq!(same, 1, "{incident}: its photograph once, bit by bit: {of_it:?}");
    }
    let totals = json(&["hub", "status", "--dir", &commune.dir()]);
    assert_eq!((&totals["evidence"]["missing"], &totals["chains_ok"]), (&0.into(), &true.into()), "{totals}");
}

fn report_args<'a>(phone: &'a str, text: &'a str, photo: &'a str) -> [&'a str; 11] {
    ["--json", "phone", "--store", phone, "report", "--kind", "theft", "--text", text, "--photo", photo]
}

fn told(output: std::process::Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_phone_killed_at_every_disk_call_of_a_capture_loses_nothing_it_acknowledged() {
    if !traced() {
        return;
    }
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let mut photos = Photos::new(commune.folder.path());
    let (mut acknowledged, mut kills) = (Acknowledged::new(), 0);
    for call in DISK_CALLS {
        for nth in 1..CALLS_MAX {
            let (photo, sha256) = photos.next();
            let text = format!("{call} {nth}");
            let output = faulty(call, nth, "signal=KILL").args(report_args(&phone, &text, photo.to_str().unwrap())).output().unwrap();
            if killed(output.status) {
                kills += 1;
                continue;
            }
            let ended = told(output);
            assert_eq!(ended.code, 0, "{text}: {ended:?}");
            acknowledged.insert(id_of(&ended.json()), sha256);
            break;
        }
        ok(&["phone", "--store", &phone, "check"]);
    }
    println!("{kills} kills");
    assert!(kills > 60, "a capture has more disk calls than {kills}");
    hold(&commune, &phone, &acknowledged);
}

#[test]
fn a_disk_that_fails_at_every_call_of_a_capture_is_told_and_loses_nothing() {
    if !traced() {
        return;
    }
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let mut photos = Photos::new(commune.folder.path());
    let (mut acknowledged, mut faults) = (Acknowledged::new(), 0);
    // Opening a file that is not there is no fault of the disk, so `openat` is left to the kills.
    for call in &DISK_CALLS[1..] {
        for error in ["EIO", "ENOSPC"] {
            let mut quiet = 0;
            for nth in 1..CALLS_MAX {
                let (photo, sha256) = photos.next();
                let text = format!("{call} {nth} {error}");
                let fault = format!("error={error}");
                let output = faulty(call, nth, &fault).args(report_args(&phone, &text, photo.to_str().unwrap())).output().unwrap();
                let ended = told(output);
                assert!([0, 3].contains(&ended.code), "{text}: {ended:?}");
                assert!(!ended.err.contains("panicked"), "{text}: {ended:?}");
                if ended.code == 0 {
                    acknowledged.insert(id_of(&ended.json()), sha256);
                    // A few faults are harmless (a file that may go later): several good runs end the row.
                    quiet += 1;
                    if quiet > 3 {
                        break;
                    }
                } else {
                    quiet = 0;
                    faults += 1;
                }
            }
        }
        ok(&["phone", "--store", &phone, "check"]);
    }
    println!("{faults} faults told");
    assert!(faults > 30, "a capture can fail in more places than {faults}");
    hold(&commune, &phone, &acknowledged);
}

#[test]
fn a_hub_killed_at_every_disk_call_of_receiving_loses_nothing_it_receipted() {
    if !traced() {
        return;
    }
    let mut commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let mut photos = Photos::new(commune.folder.path());
    let (mut acknowledged, mut kills) = (Acknowledged::new(), 0);
    commune.kill();
    // What opens a file only to read it is most of `openat`; what creates one goes on to write it.
    for call in &DISK_CALLS[1..] {
        // Calls are counted by thread, and several threads share the work: the count a receive reaches is found by trying.
        let mut survived = 0;
        for nth in 1..CALLS_MAX {
            let evidence = json(&["phone", "--store", &phone, "status"])["evidence"].clone();
            if evidence["captured"] == evidence["uploaded"] {
                let (photo, sha256) = photos.next();
                let told = json(&report_args(&phone, &format!("{call} {nth}"), photo.to_str().unwrap())[1..]);
                acknowledged.insert(id_of(&told), sha256);
            }
            let gone = !commune.serve_under(faulty(call, nth, "signal=KILL")) || hub_ends_first(&mut commune, &phone);
            commune.kill();
            kills += usize::from(gone);
            survived = if gone { 0 } else { survived + 1 };
            if survived > 1 {
                break;
            }
        }
    }
    println!("{kills} kills");
    assert!(kills > 40, "receiving has more disk calls than {kills}");
    commune.serve();
    hold(&commune, &phone, &acknowledged);
}

/// Syncs as far as the hub lives; `true` when it died before the sync was over. The sync ends as hard as the hub.
fn hub_ends_first(commune: &mut Commune, phone: &str) -> bool {
    let args = ["--json", "phone", "--store", phone, "sync", "--once", "--max-seconds", "20"];
    let mut sync = yenban().args(args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    loop {
        let gone = commune.ends_within(Duration::from_millis(1));
        if gone || sync.try_wait().unwrap().is_some() {
            let _ = sync.kill();
            sync.wait().unwrap();
            return gone;
        }
    }
}

/// A small generator of numbers that anybody can repeat (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

#[test]
fn hundreds_of_kills_at_random_moments_lose_and_double_nothing() {
    let wanted: usize = if std::env::var_os("YENBAN_LONG").is_some() { 500 } else { 150 };
    let seed = 0x5EED_0004;
    println!("seed {seed:#x}, {wanted} kills");
    let mut numbers = Numbers(seed);
    let mut commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let mut photos = Photos::new(commune.folder.path());
    let mut acknowledged = Acknowledged::new();
    let (mut kills, mut hub_kills, started) = (0, 0, Instant::now());
    // The longest a command takes undisturbed, so that kills fall everywhere in it.
    let mut capture_us = 60_000;
    let mut sync_us = 120_000;
    while kills < wanted {
        let (photo, sha256) = photos.next();
        let began = Instant::now();
        let capture = yenban()
            .args(report_args(&phone, &format!("lần {kills}"), photo.to_str().unwrap()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let output = end_after(capture, numbers.below(capture_us * 2));
        match output.status.code() {
            Some(0) => {
                capture_us = (capture_us * 7 + began.elapsed().as_micros() as u64) / 8;
                acknowledged.insert(id_of(&told(output).json()), sha256);
            }
            Some(code) => panic!("{code}: {output:?}"),
            // Killed ones tell nothing of how long it takes; without this, moments would shrink towards the start.
            None => (kills, capture_us) = (kills + 1, capture_us + capture_us / 20),
        }
        if numbers.below(3) > 0 {
            continue;
        }
        let sync = yenban()
            .args(["--json", "phone", "--store", &phone, "sync", "--once", "--max-seconds", "20"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        if numbers.below(2) == 0 {
            std::thread::sleep(Duration::from_micros(numbers.below(sync_us)));
            commune.kill();
            kills += 1;
            hub_kills += 1;
            end_after(sync, 20_000_000);
            commune.serve();
        } else {
            let output = end_after(sync, numbers.below(sync_us * 3 / 2));
            match output.status.code() {
                Some(_) => sync_us = (sync_us * 7 + began.elapsed().as_micros() as u64) / 8,
                None => kills += 1,
            }
        }
    }
    println!("{kills} kills ({hub_kills} of the hub) in {:.1?}, {} reports acknowledged", started.elapsed(), acknowledged.len());
    assert!(acknowledged.len() > wanted / 10 && hub_kills > wanted / 20);
    hold(&commune, &phone, &acknowledged);
}

/// Waits so long, then kills.
fn end_after(mut child: std::process::Child, micros: u64) -> std::process::Output {
    let until = Instant::now() + Duration::from_micros(micros);
    while Instant::now() < until {
        if child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_micros(500));
    }
    let _ = child.kill();
    child.wait_with_output().unwrap()
}
