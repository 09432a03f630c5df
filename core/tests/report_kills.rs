//! A report and its photographs are one: the program ends at every call to the disk of writing them, the disk refuses
//! each, the spool is full at each size. Afterwards a report is there with all its photographs, or nothing of it is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

#[path = "support/faulty.rs"]
mod faulty;
mod support;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use faulty::{Fault, FaultyDisk, NEVER, copy_store, jpeg, quiet_deaths};
use support::{EVENING_MS, enrolled};
use yenban_core::app::{IfAbsent, KeepOpen, Report, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::disk::{Disk, RealDisk};
use yenban_core::limits::REPORT_PHOTOS_MAX;
use yenban_core::store::Folder;
use yenban_core::{Error, ErrorKind, Phone};

const PIN: &str = "739168";
/// Photographs of the report, and of what is added to it.
const REPORTED: usize = 2;
const ADDED: usize = 1;

/// A night with one enrolled phone that every run starts from.
struct Night {
    dir: tempfile::TempDir,
    clock: Arc<VirtualClock>,
    photos: Vec<PathBuf>,
}

fn said(text: &str) -> Vec<Said> {
    vec![Said { basis: "seen".into(), text: text.into() }]
}

fn theft() -> Report {
    Report { kind: "theft".into(), urgent: false, statements: said("Mất hai con trâu"), place: None, photos: 0 }
}

fn fire() -> Report {
    Report { kind: "fire".into(), urgent: true, statements: vec![], place: None, photos: 0 }
}

fn objects(store: &Path) -> usize {
    std::fs::read_dir(store.join("objects")).map_or(0, Iterator::count)
}

impl Night {
    fn new() -> Night {
        quiet_deaths();
        let dir = tempfile::tempdir().unwrap();
        let clock = VirtualClock::starting_at(EVENING_MS);
        drop(enrolled(&dir.path().join("first"), &clock));
        let photos: Vec<PathBuf> = (0..REPORTED + ADDED).map(|number| dir.path().join(format!("{number}.jpg"))).collect();
        photos.iter().enumerate().for_each(|(number, path)| std::fs::write(path, jpeg(number as u8)).unwrap());
        Night { dir, clock, photos }
    }

    fn store(&self, name: &str) -> PathBuf {
        copy_store(&self.dir.path().join("first"), &self.dir.path().join(name))
    }

    fn open(&self, store: &Path, disk: impl Disk + 'static) -> Result<Phone, Error> {
        Phone::open_software_on(Arc::new(disk), Folder::at(store), Box::new(self.clock.clone()), IfAbsent::Refuse)
    }

    fn reported(&self) -> &[PathBuf] {
        &self.photos[..REPORTED]
    }

    fn added(&self) -> &[PathBuf] {
        &self.photos[REPORTED..]
    }

    /// A report with photographs, then words and a photograph added to it; what of it was acknowledged.
    fn evening(&self, store: &Path, disk: &FaultyDisk) -> (bool, bool) {
        let (mut reported, mut added) = (false, false);
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let Ok(mut phone) = self.open(store, disk.clone()) else { return };
            let Ok(done) = phone.report_with_photos(&theft(), self.reported()) else { return };
            assert_eq!((done.photos.len(), done.left_out.len()), (REPORTED, 0));
            reported = true;
            added = phone.amend_with_photos(&done.id, &said("Thấy dấu xe"), self.added()).is_ok();
        }));
        (reported, added)
    }

    /// Everything that must hold with a disk that works: of each write all or nothing, and what was acknowledged is there.
    fn holds(&self, store: &Path, (reported, added): (bool, bool), what: &str) {
        let mut phone = self.open(store, RealDisk).unwrap();
        phone.make_previews(10).unwrap();
        let incidents = phone.incidents(None, 10).unwrap();
        assert!(incidents.len() <= 1 && incidents.len() >= usize::from(reported), "{what}: {incidents:?}");
        for incident in &incidents {
            let expected = REPORTED + ADDED * incident.amendments as usize;
            assert!(incident.amendments >= u32::from(added), "{what}");
            assert_eq!(incident.photos as usize, expected, "{what}: a report with fewer photographs than it says");
            let photos = phone.photos(Some(&incident.id)).unwrap();
            assert_eq!(photos.len(), expected, "{what}");
            for (photo, path) in photos.iter().rev().zip(&self.photos) {
                let mut out = Vec::new();
                phone.open_photo(&photo.id, &mut out).unwrap();
                assert!(out == std::fs::read(path).unwrap(), "{what}");
                assert_eq!(photo.previews.len(), 2, "{what}");
            }
        }
        let all = phone.photos(None).unwrap().len();
        assert_eq!(all, incidents.iter().map(|incident| incident.photos as usize).sum::<usize>(), "{what}: none without its report");
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty() && check.verified == check.entries, "{what}: {check:?}");
        // What was sealed and never named lies there as such, until it is settled.
        assert_eq!(check.unnamed.len(), objects(store) - 3 * all, "{what}: {:?}", check.unnamed);
        assert!(phone.report_with_photos(&theft(), self.added()).is_ok(), "{what}");
    }
}

#[test]
fn a_kill_at_any_call_leaves_a_report_with_all_its_photographs_or_none() {
    let night = Night::new();
    let whole = FaultyDisk::new(Fault::DiesBefore, NEVER);
    let store = night.store("whole");
    let done = night.evening(&store, &whole);
    assert_eq!(done, (true, true));
    night.holds(&store, done, "no fault");
    let (mut without, mut with) = (0, 0);
    for at in 0..whole.calls() {
        for fault in [Fault::DiesBefore, Fault::DiesAfter] {
            let what = format!("{fault:?} at call {at}");
            let store = night.store("killed");
            let disk = FaultyDisk::new(fault, at);
            let acked = night.evening(&store, &disk);
            assert!(disk.calls() > at, "{what} was never reached");
            let there = night.open(&store, RealDisk).unwrap().incidents(None, 10).unwrap().len();
            *(if there == 0 { &mut without } else { &mut with }) += 1;
            night.holds(&store, acked, &what);
        }
    }
    println!("{} calls, each before and after: {without} without the report, {with} with all of it", whole.calls());
    assert!(without > 20 && with > 20);
}

#[test]
fn a_disk_that_refuses_any_call_refuses_the_whole_report_and_never_an_urgent_one() {
    let night = Night::new();
    let whole = FaultyDisk::new(Fault::DiesBefore, NEVER);
    night.open(&night.store("whole"), whole.clone()).unwrap().report_with_photos(&theft(), night.reported()).unwrap();
    let (mut refused, mut fewer) = (0, 0);
    for fault in [Fault::FailsOnce(io::ErrorKind::StorageFull), Fault::Fails(io::ErrorKind::Other), Fault::Short] {
        for at in 0..whole.calls() {
            let what = format!("{fault:?} at call {at}");
            let store = night.store("refused");
            let disk = FaultyDisk::new(fault, at);
            let mut phone = night.open(&store, disk.clone()).unwrap();
            let done = phone.report_with_photos(&theft(), night.reported());
            disk.heal();
            if done.is_err() {
                refused += 1;
                assert_eq!(phone.status().unwrap().evidence_captured, 0, "{what}: nothing of it is in the log");
                assert!(phone.incidents(None, 10).unwrap().is_empty(), "{what}");
            }
            assert!(phone.check().unwrap().faults.is_empty(), "{what}");

            let store = night.store("urgent");
            let disk = FaultyDisk::new(fault, at);
            let mut phone = night.open(&store, disk.clone()).unwrap();
            let done = phone.report_with_photos(&fire(), night.reported()).unwrap();
            assert_eq!(done.photos.len() + done.left_out.len(), REPORTED, "{what}");
            fewer += usize::from(!done.left_out.is_empty());
            disk.heal();
            assert_eq!(phone.photos(Some(&done.id)).unwrap().len(), done.photos.len(), "{what}");
            assert!(phone.check().unwrap().faults.is_empty(), "{what}");
        }
    }
    println!("{refused} refused, {fewer} urgent ones with fewer photographs, each told");
    assert!(refused > 20 && fewer > 20);
}

#[test]
fn a_spool_without_room_takes_all_of_a_report_or_nothing_and_an_urgent_one_alone() {
    let night = Night::new();
    for (report, urgent) in [(theft(), false), (fire(), true)] {
        let store = night.store("full");
        let mut phone = night.open(&store, RealDisk).unwrap();
        // As many as there are: a report carries more, so that its photographs are what has no room.
        let many: Vec<PathBuf> = night.photos.iter().cycle().take(12).cloned().collect();
        let (mut refused, mut alone) = (0, 0);
        for pages in 1..2_000 {
            phone.limit_spool_for_test(Some(pages)).unwrap();
            let (before, entries) = (objects(&store), phone.status().unwrap().entries);
            let done = phone.report_with_photos(&report, &many);
            match done {
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::StorageFull, "{error}");
                    assert_eq!((objects(&store), phone.status().unwrap().entries), (before, entries), "nothing is left of it");
                    refused += 1;
                }
                Ok(done) if done.photos.is_empty() => {
                    assert!(urgent && done.left_out.len() == many.len());
                    assert!(done.left_out.iter().all(|left| left.error.kind() == ErrorKind::StorageFull));
                    assert_eq!((objects(&store), phone.status().unwrap().entries), (before, entries + 1));
                    alone += 1;
                }
                Ok(done) => {
                    assert_eq!((done.photos.len(), done.left_out.len()), (many.len(), 0));
                    break;
                }
            }
        }
        phone.limit_spool_for_test(None).unwrap();
        println!("urgent {urgent}: {refused} refused, {alone} alone");
        assert!(refused > 0 && (alone > 0) == urgent);
        let with = phone.incidents(None, 500).unwrap().iter().filter(|incident| incident.photos as usize == many.len()).count();
        assert_eq!(with, 1);
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty() && check.unnamed.is_empty() && check.verified == check.entries, "{check:?}");
    }
}

#[test]
fn what_is_no_photograph_keeps_a_report_back_and_an_urgent_one_says_what_it_left_out() {
    let night = Night::new();
    let store = night.store("wrong");
    let mut phone = night.open(&store, RealDisk).unwrap();
    let script = night.dir.path().join("a.jpg");
    std::fs::write(&script, b"<svg xmlns='http://www.w3.org/2000/svg'>").unwrap();
    let gone = night.dir.path().join("gone.jpg");
    let given = [night.photos[0].clone(), script.clone(), gone.clone(), night.photos[1].clone()];
    assert_eq!(phone.report_with_photos(&theft(), &given).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!((phone.incidents(None, 10).unwrap().len(), objects(&store)), (0, 0));
    let done = phone.report_with_photos(&fire(), &given).unwrap();
    let left: Vec<&Path> = done.left_out.iter().map(|left| left.path.as_path()).collect();
    assert_eq!((done.photos.len(), left), (2, vec![script.as_path(), gone.as_path()]));
    assert_eq!(phone.amend_with_photos(&done.id, &said("thêm"), &given).unwrap_err().kind(), ErrorKind::Invalid);
    let incident = &phone.incidents(None, 10).unwrap()[0];
    assert_eq!((incident.photos, incident.amendments), (2, 0));
    let many = vec![night.photos[0].clone(); REPORT_PHOTOS_MAX + 1];
    for error in [phone.report_with_photos(&fire(), &many).unwrap_err(), phone.amend_with_photos(&done.id, &[], &many).unwrap_err()] {
        assert_eq!(error.kind(), ErrorKind::Invalid);
    }
    assert_eq!(phone.amend_with_photos(&done.id, &[], &[]).unwrap_err().kind(), ErrorKind::Invalid);
    assert_eq!(objects(&store), 6);
}

/// Nobody looks at what a locked phone has taken in, and nothing of it lies there in clear; it is all there afterwards.
#[test]
fn a_locked_phone_takes_photographs_in_and_shows_none() {
    let night = Night::new();
    let store = night.store("locked");
    let mut phone = night.open(&store, RealDisk).unwrap();
    let before = phone.report_with_photos(&theft(), &night.photos[..1]).unwrap();
    phone.set_pin(PIN).unwrap();
    phone.lock().unwrap();
    drop(phone);
    let mut phone = night.open(&store, RealDisk).unwrap();
    assert!(phone.is_locked());
    let count = objects(&store);
    assert!(matches!(phone.report_with_photos(&theft(), night.added()), Err(Error::Locked)));
    assert!(matches!(phone.amend_with_photos(&before.id, &said("thêm"), night.added()), Err(Error::Locked)));
    assert_eq!(objects(&store), count, "nothing is sealed for what is refused");
    let urgent = phone.report_with_photos(&fire(), night.reported()).unwrap();
    let added = phone.amend_with_photos(&before.id, &[], night.added()).unwrap();
    let alone = phone.capture_photo(&night.photos[0], None, true).unwrap();
    assert_eq!((urgent.photos.len(), added.id.as_ref(), added.photos.len()), (2, None, 1));
    for id in [&urgent.photos[0], &before.photos[0], &alone] {
        assert!(matches!(phone.open_photo(id, &mut Vec::new()), Err(Error::Locked)));
    }
    assert!(matches!(phone.photos(None), Err(Error::Locked)) && matches!(phone.make_previews(9), Err(Error::Locked)));
    assert_eq!((objects(&store), phone.status().unwrap().evidence_captured), (15, 5));
    let telling: Vec<Vec<u8>> = night.photos.iter().map(|path| std::fs::read(path).unwrap()[700..732].to_vec()).collect();
    let mut folders = vec![store.clone()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap().flatten() {
            if item.file_type().unwrap().is_dir() {
                folders.push(item.path());
                continue;
            }
            let bytes = std::fs::read(item.path()).unwrap();
            assert!(!telling.iter().any(|part| bytes.windows(part.len()).any(|w| w == part)), "{}", item.path().display());
        }
    }
    drop(phone);
    let mut phone = night.open(&store, RealDisk).unwrap();
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    let photos = phone.photos(None).unwrap();
    assert_eq!(photos.len(), 5);
    assert!(photos.iter().all(|photo| photo.previews.len() == 2));
    for (id, path) in urgent.photos.iter().zip(night.reported()).chain([(&added.photos[0], &night.photos[REPORTED])]) {
        let mut out = Vec::new();
        phone.open_photo(id, &mut out).unwrap();
        assert!(out == std::fs::read(path).unwrap());
    }
    let incidents = phone.incidents(None, 10).unwrap();
    let of = |id: &str| incidents.iter().find(|incident| incident.id == id).map(|i| (i.photos, i.unconfirmed)).unwrap();
    assert_eq!((of(&urgent.id), of(&before.id)), ((2, true), (2, false)));
    // The report, four photographs; the copies are the phone's own act.
    assert_eq!(phone.confirm_locked_captures().unwrap(), 5);
}
