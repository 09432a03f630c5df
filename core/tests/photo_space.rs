//! Room: refused before the shutter, kept for words, and given back only for what the hub truly has.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

mod support;

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use support::{Commune, EVENING_MS, enrolled, open};
use yenban_core::app::{CaptureStart, CheckIn, IfAbsent, Shutter};
use yenban_core::clock::VirtualClock;
use yenban_core::disk::{Disk, DiskFile, RealDisk};
use yenban_core::store::Folder;
use yenban_core::sync::store::{LogDoubt, SyncStore};
use yenban_core::{Error, ErrorKind, Phone};
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{CommuneCode, Epoch};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Anchor;

const HOLD_S: u64 = 3_600;
const DAY_MS: i64 = 86_400_000;

fn jpeg() -> Vec<u8> {
    let mut out = Vec::new();
    jpeg_encoder::Encoder::new(&mut out, 90).encode(&[90; 64 * 48 * 3], 64, 48, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

fn start() -> CaptureStart {
    CaptureStart { from_camera: true, ..CaptureStart::default() }
}

/// One photograph through the camera.
fn capture(phone: &mut Phone) -> yenban_core::Result<String> {
    let capture = phone.begin_capture(&start())?;
    std::fs::write(&capture.path, jpeg()).unwrap();
    phone.finish_capture(&capture.id, &Shutter::default())
}

/// A disk that says how much is free, and whose camera may still write.
struct Filling {
    free: Arc<AtomicU64>,
    growing: Option<Growing>,
}

impl Filling {
    fn roomy() -> Filling {
        Filling { free: Arc::new(AtomicU64::new(1 << 40)), growing: None }
    }
}

impl Disk for Filling {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.create_new(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        RealDisk.open(path)
    }
    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        if let Some(growing) = &self.growing {
            growing.grow(path);
        }
        RealDisk.size_bytes(path)
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        RealDisk.create_folder(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealDisk.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        RealDisk.sync_folder(folder)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealDisk.list(folder)
    }
    fn free_bytes(&self, _: &Path) -> io::Result<u64> {
        Ok(self.free.load(Ordering::Relaxed))
    }
    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        RealDisk.preallocate(path, size_bytes)
    }
    fn renew(&self, path: &Path) -> io::Result<()> {
        RealDisk.renew(path)
    }
}

/// A camera that writes on while its file is being sealed: a little more each time that its length is asked.
struct Growing {
    path: std::path::PathBuf,
    left: AtomicU64,
}

impl Growing {
    fn grow(&self, path: &Path) {
        if path == self.path && self.left.load(Ordering::Relaxed) > 0 {
            self.left.fetch_sub(1, Ordering::Relaxed);
            let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
            io::Write::write_all(&mut file, b"more").unwrap();
        }
    }
}

#[test]
fn a_file_that_grows_while_it_is_sealed_is_taken_again_and_refused_when_it_does_not_end() {
    let (dir, camera) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let clock = VirtualClock::starting_at(EVENING_MS);
    drop(enrolled(dir.path(), &clock));
    let path = camera.path().join("anh.jpg");
    for (times, taken) in [(0, true), (3, true), (5, true), (100, false)] {
        std::fs::write(&path, jpeg()).unwrap();
        let disk = Growing { path: path.clone(), left: AtomicU64::new(times) };
        let mut phone = Phone::open_software_on(
            Arc::new(Filling { growing: Some(disk), ..Filling::roomy() }),
            Folder::at(dir.path()),
            Box::new(clock.clone()),
            IfAbsent::Refuse,
        )
        .unwrap();
        let before = sealed_files(dir.path()).len();
        let done = phone.capture_photo(&path, None, true);
        assert_eq!(done.is_ok(), taken, "{times}: {done:?}");
        match done {
            Ok(id) => {
                let mut out = Vec::new();
                phone.open_photo(&id, &mut out).unwrap();
                assert!(out == std::fs::read(&path).unwrap(), "all of it, {times}");
            }
            Err(error) => {
                assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("still being written"), "{error}");
                assert_eq!(sealed_files(dir.path()).len(), before, "nothing is left of what was half");
            }
        }
    }
}

#[test]
fn a_full_phone_says_so_before_the_shutter_and_how_much_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    drop(enrolled(dir.path(), &clock));
    let free = Arc::new(AtomicU64::new(1 << 40));
    let mut phone = Phone::open_software_on(
        Arc::new(Filling { free: free.clone(), growing: None }),
        Folder::at(dir.path()),
        Box::new(clock),
        IfAbsent::Refuse,
    )
    .unwrap();
    capture(&mut phone).unwrap();
    let space = phone.status().unwrap().space;
    assert!(space.can_capture && space.originals_bytes > 0 && space.previews_bytes > 0);
    assert_eq!((space.reserve_bytes, space.missing_bytes), (32 << 20, 0));
    free.store(20_000_000, Ordering::Relaxed);
    let error = capture(&mut phone).unwrap_err();
    let Error::NoRoom { missing_bytes } = error else { panic!("{error}") };
    let space = phone.space().unwrap();
    assert_eq!((space.can_capture, space.reason, space.missing_bytes), (false, Some("disk"), missing_bytes));
    assert_eq!(missing_bytes, 2 * (24 << 20) - 20_000_000);
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    // Nothing was prepared, the reserve stays, words are saved.
    assert!(phone.captures().unwrap().is_empty());
    phone.patrol_start(&[], None).unwrap();
    phone.check_in(&CheckIn::default()).unwrap();
    assert_eq!(phone.space().unwrap().reserve_bytes, 32 << 20);
    free.store(1 << 40, Ordering::Relaxed);
    phone.set_originals_quota(25 << 20);
    capture(&mut phone).unwrap();
    phone.set_originals_quota(1 << 20);
    assert!(matches!(capture(&mut phone), Err(Error::NoRoom { .. })));
    assert_eq!(phone.space().unwrap().reason, Some("quota"));
}

#[test]
fn a_capture_in_hand_is_finished_when_there_is_room_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let prepared = phone.begin_capture(&start()).unwrap();
    std::fs::write(&prepared.path, jpeg()).unwrap();
    phone.limit_spool_for_test(Some(1)).unwrap();
    // Until its few free pages are used up the spool takes photographs.
    let mut saved = 0;
    while phone.capture_photo(&prepared.path, None, true).is_ok() {
        saved += 1;
        assert!(saved < 500);
    }
    assert_eq!(phone.finish_capture(&prepared.id, &Shutter::default()).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(phone.captures().unwrap(), std::slice::from_ref(&prepared));
    assert_eq!(std::fs::read(&prepared.path).unwrap(), jpeg());
    // The reserve was given up for it.
    assert_eq!(phone.space().unwrap().reserve_bytes, 0);
    phone.limit_spool_for_test(None).unwrap();
    let id = phone.finish_capture(&prepared.id, &Shutter::default()).unwrap();
    assert!(!prepared.path.exists());
    assert!(phone.photos(None).unwrap().iter().any(|p| p.id == id && !p.recovered));
    capture(&mut phone).unwrap();
    assert_eq!(phone.space().unwrap().reserve_bytes, 32 << 20);
}

/// All sealed files of a store, as a receipt names them.
fn sealed_files(store: &Path) -> Vec<(Hash, u64)> {
    std::fs::read_dir(store.join("objects"))
        .unwrap()
        .flatten()
        .map(|file| {
            let name = file.file_name().into_string().unwrap();
            let hash = data_encoding::HEXLOWER.decode(name.as_bytes()).unwrap();
            (hash.try_into().unwrap(), file.metadata().unwrap().len())
        })
        .collect()
}

fn receipt(commune: &Commune, phone: &mut Phone, objects: Vec<(Hash, u64)>) -> Signed<Receipt> {
    let log = phone.status().unwrap().log.parse().unwrap();
    let value = Receipt {
        log,
        epoch: commune.epoch,
        ranges: Vec::new(),
        floating: Vec::new(),
        objects,
        hub_time_ms: EVENING_MS,
        hold_s: HOLD_S,
        fork_at: None,
        quarantined: false,
    };
    Signed::sign(value, &commune.sign).unwrap()
}

fn hub_time(commune: &Commune, phone: &mut Phone, ms: i64) {
    let contact = Anchor { hub_ms: ms, monotonic_ms: 0, rtt_ms: 100 };
    SyncStore::set_token(phone, &commune.token(ms), contact).unwrap();
}

#[test]
fn an_original_goes_only_after_its_own_receipt_and_the_hold() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let mut commune = Commune::new();
    let (first, second) = (capture(&mut phone).unwrap(), capture(&mut phone).unwrap());
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    let gone = |phone: &mut Phone| phone.evict_what_may_go().unwrap().files;
    let late_ms = EVENING_MS + 30 * DAY_MS;
    // No receipt; one of another size; one of a time that is not over.
    hub_time(&commune, &mut phone, late_ms);
    assert_eq!(gone(&mut phone), 0);
    let files = sealed_files(dir.path());
    assert_eq!(files.len(), 6);
    let longer = files.iter().map(|(hash, size)| (*hash, size + 1)).collect();
    let wrong = receipt(&commune, &mut phone, longer);
    SyncStore::apply_receipt(&mut phone, &wrong, &[]).unwrap();
    assert_eq!(gone(&mut phone), 0);
    hub_time(&commune, &mut phone, EVENING_MS + 1_000);
    let all = receipt(&commune, &mut phone, files.clone());
    SyncStore::apply_receipt(&mut phone, &all, &[]).unwrap();
    assert_eq!(phone.status().unwrap().evidence_uploaded, 2);
    assert_eq!(gone(&mut phone), 0, "the hold is not over");
    // Another life of the hub: what it had counts no more.
    commune.epoch = Epoch([6; 8]);
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    hub_time(&commune, &mut phone, late_ms);
    assert_eq!(gone(&mut phone), 0, "the receipts are of a life that ended");
    hub_time(&commune, &mut phone, EVENING_MS + i64::try_from(HOLD_S).unwrap() * 1_000);
    let again = receipt(&commune, &mut phone, files);
    SyncStore::apply_receipt(&mut phone, &again, &[]).unwrap();
    let evicted = phone.evict_what_may_go().unwrap();
    assert_eq!(evicted.files, 2, "originals; smaller copies stay readable");
    assert_eq!(sealed_files(dir.path()).len(), 4);
    assert!(phone.open_photo(&first, &mut Vec::new()).is_err());
    let photo = phone.photos(None).unwrap().into_iter().find(|p| p.id == second).unwrap();
    assert!(photo.received && photo.evicted && photo.previews.iter().all(|p| p.received && !p.evicted));
    assert_eq!(phone.space().unwrap().originals_bytes, 0);
    hub_time(&commune, &mut phone, EVENING_MS + 7 * DAY_MS);
    assert_eq!(gone(&mut phone), 4);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty(), "{:?}", check.faults);
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert_eq!((phone.photos(None).unwrap().len(), sealed_files(dir.path()).len()), (2, 0));
}

const PIN: &str = "739168";

/// A phone, locked, whose spool lost the newest photograph, of which nobody else knows: its three sealed files lie here.
fn with_nameless(mut phone: Phone, dir: &Path, clock: &Arc<VirtualClock>, picture: &[u8]) -> Phone {
    phone.set_pin(PIN).unwrap();
    drop(phone);
    let kept = tempfile::tempdir().unwrap();
    let names = ["spool.db", "spool.db-wal"];
    let there: Vec<_> = names.into_iter().filter(|name| dir.join(name).exists()).collect();
    let copy = |from: &Path, to: &Path| {
        for name in &there {
            std::fs::copy(from.join(name), to.join(name)).unwrap();
        }
    };
    copy(dir, kept.path());
    let mut phone = open(dir, clock);
    let path = kept.path().join("anh.jpg");
    std::fs::write(&path, picture).unwrap();
    phone.capture_photo(&path, None, false).unwrap();
    drop(phone);
    for name in ["spool.db", "spool.db-wal", "spool.db-shm"] {
        let _ = std::fs::remove_file(dir.join(name));
    }
    copy(kept.path(), dir);
    open(dir, clock)
}

fn unlock(phone: &mut Phone) {
    phone.unlock(PIN, yenban_core::app::KeepOpen::ThisProcess).unwrap();
}

/// Until a day has gone by on the hub's clock, the hub's receipt agrees, and the vault is open, nothing of them is touched.
#[test]
fn sealed_files_without_a_name_are_settled_when_nothing_speaks_for_lost_entries() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let commune = Commune::new();
    capture(&mut phone).unwrap();
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    let mut phone = with_nameless(phone, dir.path(), &clock, &jpeg());
    unlock(&mut phone);
    let agree = |phone: &mut Phone| {
        let receipt = receipt(&commune, phone, Vec::new());
        SyncStore::apply_receipt(phone, &receipt, &[]).unwrap();
    };
    let mut files = 6;
    let mut stays = |phone: &mut Phone, ms: i64| {
        files = files.max(sealed_files(dir.path()).len());
        hub_time(&commune, phone, EVENING_MS + ms);
        SyncStore::make_room(phone);
        sealed_files(dir.path()).len() == files
    };
    agree(&mut phone);
    // The phone's own clock has no say, and what was noticed outlives the program.
    clock.advance_ms(30 * 86_400_000);
    assert!(stays(&mut phone, 0) && stays(&mut phone, DAY_MS - 1));
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    assert!(stays(&mut phone, DAY_MS), "no receipt in this process, and the vault is locked");
    agree(&mut phone);
    assert!(stays(&mut phone, DAY_MS), "the vault is locked");
    unlock(&mut phone);
    SyncStore::doubt(&mut phone, LogDoubt::HubAhead).unwrap();
    assert!(stays(&mut phone, DAY_MS), "the hub knows more than the phone");
    capture(&mut phone).unwrap();
    agree(&mut phone);
    assert!(stays(&mut phone, DAY_MS), "a second log was begun");
}

/// What is kept under a name gives its room back; what is the only one of its kind comes into the log as recovered.
#[test]
fn a_nameless_file_goes_when_its_bytes_are_kept_and_is_taken_in_when_they_are_not() {
    let other = {
        let mut out = Vec::new();
        jpeg_encoder::Encoder::new(&mut out, 90).encode(&[30; 640 * 480 * 3], 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
        out
    };
    for (picture, photos) in [(jpeg(), 1), (other, 2)] {
        let dir = tempfile::tempdir().unwrap();
        let clock = VirtualClock::starting_at(EVENING_MS);
        let mut phone = enrolled(dir.path(), &clock);
        let commune = Commune::new();
        capture(&mut phone).unwrap();
        SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
        let mut phone = with_nameless(phone, dir.path(), &clock, &picture);
        // One that no vault opens is left alone for ever.
        let foreign = dir.path().join("objects").join("ab".repeat(32));
        std::fs::write(&foreign, b"x").unwrap();
        unlock(&mut phone);
        for (ms, files) in [(0, 7), (DAY_MS - 1, 7), (DAY_MS, 3 * photos + 1), (2 * DAY_MS, 3 * photos + 1)] {
            let agrees = receipt(&commune, &mut phone, Vec::new());
            SyncStore::apply_receipt(&mut phone, &agrees, &[]).unwrap();
            hub_time(&commune, &mut phone, EVENING_MS + ms);
            SyncStore::make_room(&mut phone);
            assert_eq!(sealed_files(dir.path()).len(), files, "{ms}");
        }
        let known = phone.photos(None).unwrap();
        assert_eq!((known.len(), known[0].recovered, known[0].from_camera), (photos, photos == 2, photos == 1));
        let mut out = Vec::new();
        phone.open_photo(&known[0].id, &mut out).unwrap();
        assert!(out == picture);
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty() && check.unnamed.len() == 1 && foreign.exists(), "{check:?}");
        assert_eq!(std::fs::read_dir(dir.path().join("capturing")).unwrap().count(), 0);
    }
}

/// The program ended between the note that a file goes and its going, and meanwhile the hub has lost its own.
#[test]
fn a_file_that_was_to_go_and_is_still_here_is_offered_when_the_hub_needs_it() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let mut commune = Commune::new();
    capture(&mut phone).unwrap();
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    let (log, last) = (phone.status().unwrap().log.parse().unwrap(), phone.status().unwrap().entries - 1);
    let objects = dir.path().join("objects");
    let files = sealed_files(dir.path());
    let bytes: Vec<_> = std::fs::read_dir(&objects).unwrap().flatten().map(|f| (f.path(), std::fs::read(f.path()).unwrap())).collect();
    let arrives = |commune: &Commune, phone: &mut Phone, objects: Vec<(Hash, u64)>| {
        let held = Held { first: 0, last, last_link: SyncStore::link(phone, log, last).unwrap().unwrap() };
        let receipt = receipt(commune, phone, objects);
        SyncStore::apply_receipt(phone, &receipt, &[held]).unwrap();
    };
    let killed_while_evicting = |commune: &Commune, phone: &mut Phone| {
        arrives(commune, phone, files.clone());
        hub_time(commune, phone, EVENING_MS + 30 * DAY_MS);
        assert_eq!(phone.evict_what_may_go().unwrap().files, 3);
        bytes.iter().for_each(|(path, bytes)| std::fs::write(path, bytes).unwrap());
    };
    let offered = |phone: &Phone| SyncStore::files(phone, 10).unwrap().iter().filter(|file| file.here).count();
    killed_while_evicting(&commune, &mut phone);
    let item = Item::ObjectsWanted { objects: files.iter().map(|(hash, _)| *hash).collect() };
    let issued_ms = EVENING_MS;
    let (scope, epoch) = (Scope::Commune(CommuneCode::new(5_200).unwrap()), commune.epoch);
    let value = FeedItem { scope, epoch, number: 1, previous: [0; 32], issued_ms, item };
    let wanted = Signed::sign(value, &commune.sign).unwrap();
    SyncStore::apply_items(&mut phone, &[wanted], &[], &[]).unwrap();
    assert_eq!(offered(&phone), 3);
    // The same when the hub begins another life instead: the next start does not remove what no receipt names.
    killed_while_evicting(&commune, &mut phone);
    commune.epoch = Epoch([6; 8]);
    SyncStore::begin_epoch(&mut phone, commune.epoch).unwrap();
    drop(phone);
    let mut phone = open(dir.path(), &clock);
    arrives(&commune, &mut phone, Vec::new());
    assert_eq!((offered(&phone), sealed_files(dir.path()).len()), (3, 3));
}
