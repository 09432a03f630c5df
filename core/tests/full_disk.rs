//! A real file system that is full, to the last block: a hundred fill levels for each thing that a phone does. Words are
//! saved into the reserve, what is not saved is told, nothing is half, and when there is room again everything goes on.
//!
//! The file system is one in memory, mounted by the test in a mount namespace of its own (`unshare`, no rights needed);
//! where the system does not allow that, the test says so and passes nothing off as tried.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use support::*;
use yenban_core::app::{CaptureStart, CheckIn, IfAbsent, Report, Said, Shutter};
use yenban_core::clock::VirtualClock;
use yenban_core::disk::{Disk, RealDisk};
use yenban_core::store::Folder;
use yenban_core::sync::store::SyncStore;
use yenban_core::{ErrorKind, Phone};
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{CommuneCode, Epoch};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;

#[path = "support/faulty.rs"]
mod faulty;
use faulty::{copy_store, jpeg};

const INSIDE: &str = "YENBAN_FULL_DISK";
const NAME: &str = "a_full_disk_takes_words_tells_what_it_does_not_take_and_keeps_nothing_half";
const LEVELS: u64 = 100;
/// Room that is left grows by one block of the file system.
const BLOCK: u64 = 4_096;
/// The longest text that a statement may have.
const LONG_BYTES: usize = 16 * 1024;

/// What was told as saved.
type Ticked = BTreeSet<String>;

struct Disks {
    /// In memory, with room for a phone and its reserves.
    full: PathBuf,
    /// Outside of it.
    templates: PathBuf,
    clock: Arc<VirtualClock>,
}

impl Disks {
    fn store(&self) -> PathBuf {
        self.full.join("store")
    }

    fn open(&self) -> Phone {
        Phone::open_software(Folder::at(self.store()), Box::new(self.clock.clone()), IfAbsent::Refuse).unwrap()
    }

    /// Fills the file system until `left` bytes are free.
    fn fill(&self, left: u64) {
        let _ = std::fs::remove_file(self.full.join("ballast"));
        let free = RealDisk.free_bytes(&self.full).unwrap();
        RealDisk.preallocate(&self.full.join("ballast"), free - left).unwrap();
        assert!(RealDisk.free_bytes(&self.full).unwrap().abs_diff(left) <= BLOCK, "{left}");
    }

    fn empty(&self) {
        std::fs::remove_file(self.full.join("ballast")).unwrap();
    }
}

/// Takes what was ticked, and makes sure that whatever was not says that it is for want of room.
fn tick(ticked: &mut Ticked, what: &str, done: yenban_core::Result<String>) -> bool {
    match done {
        Ok(name) => ticked.insert(name),
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::StorageFull, "{what}: {e:?}");
            false
        }
    }
}

fn long(n: usize, urgent: bool) -> Report {
    let mut text = format!("{n} {}", "đất lấp đường ở suối Nánh ".repeat(700));
    text.truncate(text.floor_char_boundary(LONG_BYTES));
    let said = vec![Said { basis: "seen".into(), text }];
    Report { kind: "landslide".into(), urgent, statements: said, place: None, photos: 0 }
}

fn note(n: u32) -> CheckIn {
    CheckIn { place: Some(place(n.cast_signed() * 60)), note: Some(format!("ghi chú {n}")), ..CheckIn::default() }
}

type Script = fn(&Disks, u64, &mut Ticked);

/// 16 KiB of words at every level; then as many as go.
fn words(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    disks.fill(left);
    let saved = (0..200).take_while(|n| tick(ticked, "words", phone.report(&long(*n, n % 2 == 0)))).count();
    assert!((1..200).contains(&saved), "{left} bytes left and a reserve: {saved} texts of 16 KiB");
    // What was told as not saved does not come later by itself, and goes on telling the same.
    tick(ticked, "words again", phone.report(&long(999, true)));
}

/// A patrol from its start to its end.
fn patrol(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    disks.fill(left);
    let mut step = |what, done| assert!(tick(ticked, what, done), "{what} with {left} bytes left and a reserve");
    step("start", phone.patrol_start(&[], None));
    (0..20).for_each(|n| step("check-in", phone.check_in(&note(n))));
    step("pause", phone.patrol_pause());
    step("resume", phone.patrol_resume());
    step("finish", phone.patrol_finish());
}

/// A report with two photographs: all of it or nothing; an urgent one at least in words.
fn report(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    let photos: Vec<PathBuf> = (0..2_u8).map(|n| disks.templates.join(format!("anh-{n}.jpg"))).collect();
    disks.fill(left);
    for urgent in [false, true] {
        let before = phone.status().unwrap();
        let done = phone.report_with_photos(&Report { photos: 0, ..long(7, urgent) }, &photos);
        let after = phone.status().unwrap();
        let (entries, captured) = (after.entries - before.entries, after.evidence_captured - before.evidence_captured);
        match done {
            Ok(reported) => {
                assert!(urgent || reported.left_out.is_empty());
                assert_eq!(captured, 2 - reported.left_out.len() as u64);
                assert!(entries > captured);
                ticked.insert(reported.id);
                ticked.extend(reported.photos);
            }
            Err(e) => {
                assert_eq!((e.kind(), urgent, entries, captured), (ErrorKind::StorageFull, false, 0, 0), "{left}: {e:?}");
            }
        }
    }
}

/// A capture in hand when the disk fills up.
fn in_hand(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    let start = CaptureStart { from_camera: true, ..CaptureStart::default() };
    let capture = phone.begin_capture(&start).unwrap();
    std::fs::write(&capture.path, jpeg(5)).unwrap();
    disks.fill(left);
    assert!(tick(ticked, "capture in hand", phone.finish_capture(&capture.id, &Shutter::default())), "{left}");
}

/// A start on a full disk, after a death that left its write-ahead log.
fn start(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    ticked.extend((0..30).map(|n| phone.check_in(&note(n)).unwrap()));
    assert!(tick(ticked, "before", phone.report(&long(1, true))));
    drop(phone);
    disks.fill(left);
    let mut phone = disks.open();
    assert!(tick(ticked, "after a start", phone.report(&long(2, true))), "{left} bytes left and a reserve");
}

/// What a sync brings: time, receipts, items.
fn sync(disks: &Disks, left: u64, ticked: &mut Ticked) {
    let mut phone = disks.open();
    phone.patrol_start(&[], None).unwrap();
    ticked.extend((0..5).map(|n| phone.check_in(&note(n)).unwrap()));
    let commune = Commune::new();
    let log = SyncStore::logs(&phone).unwrap()[0];
    let last_link = SyncStore::link(&phone, log.log, log.len - 1).unwrap().unwrap();
    disks.fill(left);
    let full = |what: &str, done: yenban_core::Result<()>| match done {
        Ok(()) => true,
        Err(e) => {
            assert_eq!(e.kind(), ErrorKind::StorageFull, "{what} with {left} left: {e:?}");
            false
        }
    };
    let contact = Anchor { hub_ms: EVENING_MS + 5_000, monotonic_ms: 1_000, rtt_ms: 40 };
    let epoch = full("epoch", SyncStore::begin_epoch(&mut phone, commune.epoch));
    full("time", SyncStore::set_token(&mut phone, &commune.token(EVENING_MS + 5_000), contact));
    let held = Held { first: 0, last: log.len - 1, last_link };
    let receipt = Receipt {
        log: log.log,
        epoch: commune.epoch,
        ranges: vec![held],
        floating: Vec::new(),
        objects: Vec::new(),
        hub_time_ms: EVENING_MS + 5_000,
        hold_s: 3_600,
        fork_at: None,
        quarantined: false,
    };
    let receipt = Signed::sign(receipt, &commune.sign).unwrap();
    let received = |phone: &Phone| SyncStore::received(phone, log.log).unwrap().count();
    if epoch {
        let applied = full("receipt", SyncStore::apply_receipt(&mut phone, &receipt, &[held]));
        assert_eq!(received(&phone), if applied { log.len } else { 0 }, "{left}");
    }
    let item = FeedItem {
        scope: Scope::Commune(CommuneCode::new(5_200).unwrap()),
        epoch: Epoch([5; 8]),
        number: 1,
        previous: [0; 32],
        issued_ms: EVENING_MS,
        item: Item::ObjectsWanted { objects: vec![[7; 32]; 40] },
    };
    let item = Signed::sign(item, &commune.sign).unwrap();
    full("items", SyncStore::apply_items(&mut phone, std::slice::from_ref(&item), &[], &[]).map(drop));
    // Words come first even now.
    assert!(tick(ticked, "words", phone.report(&long(3, true))), "{left}");
    disks.fill(2 << 20);
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    SyncStore::apply_receipt(&mut phone, &receipt, &[held]).unwrap();
    assert_eq!(received(&phone), log.len);
    SyncStore::apply_items(&mut phone, &[item], &[], &[]).unwrap();
}

/// Everything ticked is there, nothing else is half, and with room again the phone goes on as if nothing had been.
fn looked_at(disks: &Disks, ticked: &Ticked, what: &str) {
    for full in [true, false] {
        if !full {
            disks.empty();
        }
        let mut phone = disks.open();
        let there: Ticked = phone.outbox(10_000).unwrap().into_iter().map(|item| format!("{}:{}", item.log, item.seq)).collect();
        let gone: Vec<_> = ticked.difference(&there).collect();
        assert!(gone.is_empty(), "{what}: {gone:?} (full: {full})");
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty(), "{what}: {:?} (full: {full})", check.faults);
        assert!(phone.captures().unwrap().is_empty(), "{what}");
        if !full {
            phone.report(&long(5, false)).unwrap();
            assert!(phone.space().unwrap().reserve_bytes >= 1 << 20, "{what}: the reserve is there again");
        }
    }
}

fn inside() {
    let (full, templates) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mount = |options: &str| {
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "full"]).arg(full.path()).status();
        assert!(mounted.is_ok_and(|status| status.success()), "no file system to fill");
    };
    mount("size=8m");
    let clock = VirtualClock::starting_at(EVENING_MS);
    let disks = Disks { full: full.path().to_path_buf(), templates: templates.path().to_path_buf(), clock };
    for n in 0..2_u8 {
        std::fs::write(disks.templates.join(format!("anh-{n}.jpg")), jpeg(n)).unwrap();
    }
    let template = disks.templates.join("store");
    drop(enrolled(&template, &disks.clock));
    let walking = disks.templates.join("walking");
    let mut phone = {
        copy_store(&template, &walking);
        Phone::open_software(Folder::at(&walking), Box::new(disks.clock.clone()), IfAbsent::Refuse).unwrap()
    };
    phone.patrol_start(&[], None).unwrap();
    drop(phone);
    // With the room of the whole file system in MiB, and by how much more is left at each level. A photograph is not begun
    // without some 80 MiB, so its levels go up to there.
    let scripts: [(&str, &Path, Script, u64, u64); 6] = [
        ("words", &template, words, 8, BLOCK),
        ("patrol", &template, patrol, 8, BLOCK),
        ("start", &walking, start, 8, BLOCK),
        ("sync", &template, sync, 8, BLOCK),
        ("report", &template, report, 112, 1 << 20),
        ("capture in hand", &template, in_hand, 112, BLOCK),
    ];
    for (name, from, script, size_mib, step) in scripts {
        mount(&format!("remount,size={size_mib}m"));
        let mut all = 0;
        for level in 0..LEVELS {
            let _ = std::fs::remove_file(disks.full.join("ballast"));
            copy_store(from, &disks.store());
            let mut ticked = Ticked::new();
            script(&disks, level * step, &mut ticked);
            looked_at(&disks, &ticked, &format!("{name} with {} bytes left", level * step));
            all += ticked.len();
        }
        println!("{name}: {LEVELS} levels, {all} ticks, all of them kept");
    }
}

#[test]
fn a_full_disk_takes_words_tells_what_it_does_not_take_and_keeps_nothing_half() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let this = std::env::current_exe().unwrap();
    let allowed = Command::new("unshare").args(["-Urm", "--", "sh", "-c", "mount -t tmpfs -o size=1m full /mnt"]).output();
    if !allowed.is_ok_and(|tried| tried.status.success()) {
        println!("skipped: this system lets nobody mount a file system in a namespace of his own");
        return;
    }
    let status = Command::new("unshare").args(["-Urm", "--"]).arg(this).args(["--exact", NAME, "--nocapture"]).env(INSIDE, "1").status();
    assert!(status.unwrap().success());
}
