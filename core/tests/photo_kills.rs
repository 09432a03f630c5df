//! The program ends at every call to the disk, or the disk refuses: of captures, previews and recovery, and of the
//! recovery of a recovery. What was acknowledged is there, what the camera wrote is there once, nothing is half.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

#[path = "support/faulty.rs"]
mod faulty;
mod support;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use faulty::{Fault, FaultyDisk, Killed, NEVER, copy_store, jpeg, quiet_deaths};
use support::{EVENING_MS, enrolled, place};
use yenban_core::app::{CaptureStart, IfAbsent, Shutter};
use yenban_core::clock::VirtualClock;
use yenban_core::disk::{Disk, DiskFile, RealDisk};
use yenban_core::store::Folder;
use yenban_core::{ErrorKind, Phone};

/// A death leaves an original or the two copies of one photograph without a name; the death of a recovery as many again.
const UNNAMED_MAX: usize = 4;

/// A patrol's night with one enrolled phone that every run starts from.
struct Night {
    dir: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    camera: Vec<u8>,
    import: PathBuf,
}

/// What a run has acknowledged, and whether the camera had written its file.
#[derive(Default)]
struct Run {
    acked: Vec<String>,
    shutter: bool,
    started: bool,
}

impl Night {
    fn new() -> Night {
        quiet_deaths();
        let dir = tempfile::tempdir().unwrap();
        let clock = VirtualClock::starting_at(EVENING_MS);
        drop(enrolled(&dir.path().join("first"), &clock));
        let import = dir.path().join("import.jpg");
        std::fs::write(&import, jpeg(40)).unwrap();
        Night { dir, clock, camera: jpeg(3), import }
    }

    fn copy(&self, from: &str, to: &str) -> PathBuf {
        copy_store(&self.dir.path().join(from), &self.dir.path().join(to))
    }

    fn open(&self, store: &Path, disk: impl Disk + 'static) -> Result<Phone, yenban_core::Error> {
        Phone::open_software_on(Arc::new(disk), Folder::at(store), Box::new(self.clock.clone()), IfAbsent::Refuse)
    }

    /// One photograph of the camera and one that is brought in; ends where the disk ends it.
    fn evening(&self, store: &Path, disk: &FaultyDisk) -> Run {
        let mut run = Run::default();
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let Ok(mut phone) = self.open(store, disk.clone()) else { return };
            run.started = true;
            let start = CaptureStart { from_camera: true, place: Some(place(4)), ..CaptureStart::default() };
            if let Ok(capture) = phone.begin_capture(&start) {
                // The camera writes by itself, through no call of ours.
                std::fs::write(&capture.path, &self.camera).unwrap();
                run.shutter = true;
                run.acked.extend(phone.finish_capture(&capture.id, &Shutter::default()).ok());
            }
            run.acked.extend(phone.capture_photo(&self.import, None, false).ok());
        }));
        run
    }

    /// Everything that must hold after the program has come back with a disk that works.
    fn holds(&self, store: &Path, run: &Run, what: &str) {
        let mut phone = self.open(store, RealDisk).unwrap();
        phone.make_previews(10).unwrap();
        let photos = phone.photos(None).unwrap();
        for id in &run.acked {
            assert!(photos.iter().any(|p| p.id == *id), "{what}: {id} was acknowledged");
        }
        assert_eq!(photos.iter().filter(|p| p.from_camera).count(), usize::from(run.shutter), "{what}: the camera's photograph");
        assert!(photos.iter().filter(|p| !p.from_camera).count() <= 1, "{what}");
        for photo in &photos {
            let mut out = Vec::new();
            phone.open_photo(&photo.id, &mut out).unwrap();
            let expected = if photo.from_camera { self.camera.clone() } else { std::fs::read(&self.import).unwrap() };
            assert!(out == expected, "{what}");
            assert_eq!((photo.previews.len(), photo.previews_missing.as_deref()), (2, None), "{what}");
        }
        // What was sealed and never named stays, because a spool that lost its end looks the same; `check` tells of it.
        let check = phone.check().unwrap();
        let count = |folder: &str| std::fs::read_dir(store.join(folder)).map_or(0, Iterator::count);
        let unnamed = count("objects") - 3 * photos.len();
        assert!(check.faults.is_empty(), "{what}: {:?}", check.faults);
        assert_eq!(check.unnamed.len(), unnamed, "{what}: {:?}", check.unnamed);
        assert!(unnamed <= UNNAMED_MAX, "{what}: {:?}", check.unnamed);
        assert!(phone.captures().unwrap().is_empty(), "{what}");
        assert_eq!(count("capturing"), 0, "{what}");
        assert_eq!(check.files as usize, 3 * photos.len(), "{what}");
        phone.capture_photo(&self.import, None, false).unwrap();
    }
}

#[test]
fn a_kill_at_any_call_loses_nothing_and_leaves_nothing_half() {
    let night = Night::new();
    let whole = FaultyDisk::new(Fault::DiesBefore, NEVER);
    let store = night.copy("first", "whole");
    let run = night.evening(&store, &whole);
    assert_eq!(run.acked.len(), 2);
    night.holds(&store, &run, "no fault");
    let (mut nested, step) = (0, if std::env::var_os("YENBAN_LONG").is_some() { 1 } else { 7 });
    for at in 0..whole.calls() {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            let what = format!("{fault:?} at call {at}");
            let store = night.copy("first", "killed");
            let disk = FaultyDisk::new(fault, at);
            let run = night.evening(&store, &disk);
            assert!(disk.calls() > at, "{what} was never reached");
            // What the program left, before anybody comes back to it.
            if at % step == 0 && fault == Fault::DiesAfter {
                nested += night.recoveries(&run, &what);
            }
            night.holds(&store, &run, &what);
        }
    }
    println!("{} calls, each before and after; {nested} deaths inside recovery", whole.calls());
    assert!(whole.calls() > 50 && nested > 50);
}

/// A program that ends while it decodes may have been ended by anybody. It takes three deaths over one photograph, one at
/// each start, before it is the decoder's: then the photograph has no copies, for good. After fewer it gets them.
#[test]
fn a_photograph_is_given_up_after_three_deaths_over_it_and_not_before() {
    let night = Night::new();
    let store = night.copy("first", "dying");
    let import = FaultyDisk::new(Fault::DiesBefore, NEVER);
    let mut phone = night.open(&store, import.clone()).unwrap();
    let before = import.calls();
    phone.capture_photo(&night.import, None, false).unwrap();
    drop(phone);
    // Death at the last calls of a capture: the original is named, the copies are not.
    let last = import.calls() - 6;
    assert!(last > before);
    for deaths in 0..=5 {
        let store = night.copy("first", "dying");
        let disk = FaultyDisk::new(Fault::DiesBefore, last);
        let _ = catch_unwind(AssertUnwindSafe(|| night.open(&store, disk.clone()).unwrap().capture_photo(&night.import, None, false)));
        for death in 0..deaths {
            let disk = ReadsKill(FaultyDisk::new(Fault::DiesBefore, NEVER));
            let opened = catch_unwind(AssertUnwindSafe(|| drop(night.open(&store, disk))));
            assert_eq!(opened.is_ok(), death >= 3, "start {death}: one that was given up is not decoded again");
        }
        let mut phone = night.open(&store, RealDisk).unwrap();
        let photos = phone.photos(None).unwrap();
        let told = (photos.len(), photos[0].previews.len(), photos[0].previews_missing.as_deref());
        assert_eq!(told, if deaths < 3 { (1, 2, None) } else { (1, 0, Some("decoder_died")) }, "after {deaths} deaths");
        // The copy that was sealed before the first death is told.
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty() && check.unnamed.len() <= UNNAMED_MAX, "{check:?}");
    }
}

/// A decoder that ends the program while its file is being sealed does so once: the next program puts the photograph into
/// the log before it decodes.
#[test]
fn a_decoder_that_dies_beside_sealing_keeps_no_photograph_out_of_the_log() {
    let night = Night::new();
    let store = night.copy("first", "beside");
    let photos = || night.open(&store, RealDisk).unwrap().photos(None).unwrap().len();
    for _ in 0..2 {
        let disk = ReadsKill(FaultyDisk::new(Fault::DiesBefore, NEVER));
        let took = catch_unwind(AssertUnwindSafe(|| night.open(&store, disk).unwrap().capture_photo(&night.import, None, false)));
        assert!(took.is_err(), "the decoder ends the program");
    }
    assert_eq!(photos(), 1);
}

/// A disk on which opening a sealed file ends the program, as a decoder does that takes all memory.
struct ReadsKill(FaultyDisk);

impl Disk for ReadsKill {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.0.create_new(path)
    }
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if path.parent().is_some_and(|folder| folder.ends_with("objects")) {
            std::panic::panic_any(Killed);
        }
        self.0.open(path)
    }
    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        self.0.size_bytes(path)
    }
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        self.0.create_folder(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.remove(path)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.sync_folder(folder)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.list(folder)
    }
    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        self.0.free_bytes(folder)
    }
    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        self.0.preallocate(path, size_bytes)
    }
    fn renew(&self, path: &Path) -> io::Result<()> {
        self.0.renew(path)
    }
}

impl Night {
    /// The recovery of `killed` dies too, at every call.
    fn recoveries(&self, run: &Run, what: &str) -> u64 {
        let mut deaths = 0;
        for at in 0.. {
            let store = self.copy("killed", "again");
            let disk = FaultyDisk::new(Fault::DiesAfter, at);
            let opened = catch_unwind(AssertUnwindSafe(|| drop(self.open(&store, disk.clone()))));
            self.holds(&store, run, &format!("{what}, then at call {at} of recovery"));
            if opened.is_ok() && disk.calls() <= at {
                return deaths;
            }
            deaths += 1;
        }
        deaths
    }
}

#[test]
fn a_disk_that_refuses_any_call_costs_no_photograph_that_the_camera_wrote() {
    let night = Night::new();
    let whole = FaultyDisk::new(Fault::DiesBefore, NEVER);
    night.evening(&night.copy("first", "whole"), &whole);
    let kinds = [io::ErrorKind::StorageFull, io::ErrorKind::Other];
    let faults = kinds.into_iter().flat_map(|kind| [Fault::FailsOnce(kind), Fault::Fails(kind)]).chain([Fault::Short]);
    for fault in faults {
        for at in 0..whole.calls() {
            let what = format!("{fault:?} at call {at}");
            let store = night.copy("first", "refused");
            let disk = FaultyDisk::new(fault, at);
            let Ok(mut phone) = night.open(&store, disk.clone()) else { panic!("{what}: a phone must open") };
            let mut run = Run { started: true, ..Run::default() };
            let typed = |error: &yenban_core::Error| {
                assert!(matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::NotSaved | ErrorKind::Damaged), "{what}: {error}");
            };
            let begun = phone.begin_capture(&CaptureStart { from_camera: true, ..CaptureStart::default() });
            if let Ok(capture) = begun.inspect_err(&typed) {
                std::fs::write(&capture.path, &night.camera).unwrap();
                run.shutter = true;
                let finished = phone.finish_capture(&capture.id, &Shutter::default()).inspect_err(&typed);
                run.acked.extend(finished.as_ref().ok().cloned());
                if finished.is_err() {
                    assert_eq!(phone.captures().unwrap(), std::slice::from_ref(&capture), "{what}");
                    assert_eq!(std::fs::read(&capture.path).unwrap(), night.camera, "{what}");
                    // There is room again, in the same program.
                    disk.heal();
                    run.acked.push(phone.finish_capture(&capture.id, &Shutter::default()).unwrap());
                }
            }
            run.acked.extend(phone.capture_photo(&night.import, None, false).inspect_err(&typed).ok());
            drop(phone);
            night.holds(&store, &run, &what);
        }
    }
}

#[test]
fn originals_that_cannot_be_read_now_keep_no_other_from_its_previews() {
    let night = Night::new();
    let store = night.copy("first", "unreadable");
    let disk = FaultyDisk::new(Fault::Fails(io::ErrorKind::Other), NEVER);
    let mut phone = night.open(&store, disk.clone()).unwrap();
    let before = disk.calls();
    phone.capture_photo(&night.import, None, false).unwrap();
    let capture_calls = disk.calls() - before;
    let objects = store.join("objects");
    let names = |dir: &Path| -> Vec<PathBuf> { std::fs::read_dir(dir).unwrap().flatten().map(|item| item.path()).collect() };
    for number in 0..3 {
        let had = names(&objects);
        disk.fail_at(disk.calls() + capture_calls - 6);
        phone.capture_photo(&night.import, None, false).unwrap();
        disk.heal();
        if number < 2 {
            for sealed in names(&objects).into_iter().filter(|path| !had.contains(path)) {
                // A folder opens and cannot be read, as a bad sector does.
                std::fs::remove_file(&sealed).unwrap();
                std::fs::create_dir(&sealed).unwrap();
            }
        }
    }
    let with_copies = |phone: &mut Phone| phone.photos(None).unwrap().iter().filter(|photo| photo.previews.len() == 2).count();
    assert_eq!(with_copies(&mut phone), 1);
    assert_eq!((phone.make_previews(2).unwrap(), phone.make_previews(2).unwrap()), (0, 1));
    assert_eq!(with_copies(&mut phone), 2);
}
