//! A damaged store: set aside as it is, put together again, everything that is left goes on, what is not is named.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

mod support;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::*;
use yenban_core::app::{CheckIn, IfAbsent, Report, Rescue, Said};
use yenban_core::clock::VirtualClock;
use yenban_core::store::Folder;
use yenban_core::{Error, Phone};
use yenban_protocol::parcel::{Outer, Parcel};
use yenban_protocol::segment;

#[path = "support/faulty.rs"]
mod faulty;
use faulty::{copy_store, jpeg};

const PAGE: usize = 2_048;

fn rescue(dir: &Path, clock: &Arc<VirtualClock>) -> yenban_core::Result<(Phone, Rescue)> {
    Phone::rescue_software(Folder::at(dir), Box::new(clock.clone()))
}

fn reopen(dir: &Path, clock: &Arc<VirtualClock>) -> yenban_core::Result<Phone> {
    Phone::open_software(Folder::at(dir), Box::new(clock.clone()), IfAbsent::Refuse)
}

fn told(phone: &mut Phone, text: &str) {
    let said = vec![Said { basis: "seen".into(), text: text.into() }];
    phone.report(&Report { kind: "theft".into(), urgent: true, statements: said, place: Some(place(9)), photos: 0 }).unwrap();
}

/// A store with a walk, reports and a photograph; the names of its entries; everything in its spool file.
fn walked(dir: &Path, clock: &Arc<VirtualClock>) -> BTreeSet<String> {
    let mut phone = enrolled(dir, clock);
    phone.patrol_start(&[], None).unwrap();
    for n in 0..24 {
        let note = if n == 11 { "dài ".repeat(900) } else { format!("ghi chú {n}") };
        phone.check_in(&CheckIn { place: Some(place(n * 60)), note: Some(note), ..CheckIn::default() }).unwrap();
    }
    told(&mut phone, "mất một con trâu ở bãi Co Lương");
    let photo = dir.parent().unwrap().join("anh.jpg");
    std::fs::write(&photo, jpeg(3)).unwrap();
    phone.capture_photo(&photo, None, false).unwrap();
    phone.patrol_finish().unwrap();
    let entries = phone.outbox(1_000).unwrap().into_iter().map(|item| format!("{}:{}", item.log, item.seq)).collect();
    drop(phone);
    // Folds the write-ahead log.
    drop(reopen(dir, clock).unwrap());
    entries
}

/// The entries in parcels, as the hub of the test commune opens them; each must verify, and none may stand in two.
fn entries_in(parcels: &[Vec<u8>], phone: &Phone) -> BTreeSet<String> {
    let commune = Commune::new();
    let mut entries = BTreeSet::new();
    let key = phone.enrolment().unwrap().certificate.value.sign_key;
    for bytes in parcels {
        let parcel = Parcel::open(&Outer::of(bytes).unwrap(), &commune.seal).unwrap();
        for sealed in &parcel.segments {
            let (run, _) = segment::open(sealed, &commune.seal).unwrap();
            run.verify(&yenban_protocol::crypto::SoftwareVerifier, |_| Some(key)).unwrap();
            for seq in run.first..=run.last() {
                assert!(entries.insert(format!("{}:{seq}", run.log)), "{}:{seq} twice", run.log);
            }
        }
    }
    entries
}

fn names(rescue: &Rescue) -> BTreeSet<String> {
    rescue.lost.iter().flat_map(|lost| (lost.first..=lost.last).map(|seq| format!("{}:{seq}", lost.log))).collect()
}

fn files_of(dir: &Path) -> BTreeSet<String> {
    std::fs::read_dir(dir).unwrap().map(|item| item.unwrap().file_name().into_string().unwrap()).collect()
}

fn kept(dir: &Path) -> Option<PathBuf> {
    let name = files_of(dir).into_iter().find(|name| name.starts_with("damaged-"))?;
    Some(dir.join(name))
}

#[test]
fn whatever_page_is_damaged_the_phone_goes_on_and_every_entry_is_packed_or_named() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let whole = dir.path().join("whole");
    let all = walked(&whole, &clock);
    let pages = std::fs::metadata(whole.join("spool.db")).unwrap().len() as usize / PAGE;
    let (mut lost_somewhere, mut of) = (0, 0);
    for page in 0..pages {
        let store = copy_store(&whole, &dir.path().join("store"));
        let mut bytes = std::fs::read(store.join("spool.db")).unwrap();
        match page % 3 {
            0 => bytes[page * PAGE..(page + 1) * PAGE].fill(0),
            1 => bytes[page * PAGE + 37 * page % PAGE] ^= 4,
            _ if page + 4 > pages => bytes.truncate(page * PAGE + 100),
            _ => bytes[page * PAGE..(page + 1) * PAGE].fill(0x5A),
        }
        std::fs::write(store.join("spool.db"), &bytes).unwrap();
        let (mut phone, rescue) = rescue(&store, &clock).unwrap_or_else(|e| panic!("page {page}: {e}"));
        assert!(rescue.unreadable_pages > 0, "page {page}");
        // As it was, byte by byte.
        assert_eq!(std::fs::read(kept(&store).unwrap().join("spool.db")).unwrap(), bytes, "page {page}");
        let parcels = phone.rescue_out().unwrap().parcels;
        let (packed, lost) = (entries_in(&parcels, &phone), names(&rescue));
        assert!(packed.is_disjoint(&lost), "page {page}");
        let missing: Vec<_> = all.iter().filter(|name| !packed.contains(*name) && !lost.contains(*name)).collect();
        assert!(missing.is_empty(), "page {page}: {missing:?}");
        lost_somewhere += lost.len();
        of += all.len();
        // The new log is another one, the phone captures and walks on, and nothing is left of the rescue.
        let newest = phone.status().unwrap().log;
        assert!(!all.iter().any(|name| name.starts_with(&newest)), "page {page}");
        told(&mut phone, "sau khi cứu");
        assert!(!files_of(&store).iter().any(|name| name.starts_with("rescuing") || name.starts_with("spool.db.new")));
        drop(phone);
        let mut phone = reopen(&store, &clock).unwrap();
        assert_eq!(phone.status().unwrap().log, newest, "page {page}: one new log is enough");
        let told = phone.outbox(1_000).unwrap().into_iter().filter(|item| item.reason.starts_with("lost")).count();
        assert!(told <= lost.len() && (told > 0 || lost.is_empty() || lost.len() < 3), "page {page}: {told} told of {}", lost.len());
    }
    println!("{pages} pages damaged one at a time: {lost_somewhere} of {of} entries could not be read, each named");
    assert!(lost_somewhere > 0 && lost_somewhere * 10 < of);
}

#[test]
fn a_store_that_is_whole_is_only_packed() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let store = dir.path().join("store");
    let all = walked(&store, &clock);
    let before = std::fs::read(store.join("spool.db")).unwrap();
    let (mut phone, done) = rescue(&store, &clock).unwrap();
    assert_eq!((done.kept_in, done.unreadable_pages, done.lost, done.entries), (None, 0, Vec::new(), all.len() as u64));
    let packed = phone.rescue_out().unwrap();
    assert_eq!(packed.files, 3, "the photograph and its copies");
    assert_eq!(phone.files_left_by_rescue(&packed).unwrap(), 0);
    assert_eq!(entries_in(&packed.parcels, &phone), all);
    drop(phone);
    assert_eq!(std::fs::read(store.join("spool.db")).unwrap().len(), before.len());
    assert!(kept(&store).is_none());
}

#[test]
fn a_rescue_that_was_killed_anywhere_is_begun_again_from_the_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let whole = dir.path().join("whole");
    let all = walked(&whole, &clock);
    // Something lies in the write-ahead log alone.
    let mut phone = reopen(&whole, &clock).unwrap();
    told(&mut phone, "chỉ có trong sổ ghi trước");
    let all: BTreeSet<String> =
        all.into_iter().chain(phone.outbox(1).unwrap().into_iter().map(|_| String::new())).filter(|n| !n.is_empty()).collect();
    let newest = phone.status().unwrap();
    drop(phone);
    let mut bytes = std::fs::read(whole.join("spool.db")).unwrap();
    // The page of the schema.
    bytes[..PAGE].fill(0);
    std::fs::write(whole.join("spool.db"), &bytes).unwrap();
    assert!(matches!(reopen(&whole, &clock), Err(Error::StoreDamaged { .. })));
    let aside = |store: &Path, names: &[&str]| {
        std::fs::create_dir_all(store.join("rescuing")).unwrap();
        for name in names {
            std::fs::rename(store.join(name), store.join("rescuing").join(name)).unwrap();
        }
    };
    let steps: [&dyn Fn(&Path); 5] = [
        &|store| aside(store, &[]),
        &|store| aside(store, &["spool.db-wal"]),
        &|store| aside(store, &["spool.db-wal", "marker"]),
        &|store| aside(store, &["spool.db-wal", "marker", "spool.db"]),
        &|store| {
            aside(store, &["spool.db-wal", "marker", "spool.db"]);
            // The new one is in place, whole or not: nothing was captured into it.
            std::fs::write(store.join("spool.db.new"), b"half").unwrap();
            std::fs::write(store.join("spool.db"), b"put together").unwrap();
        },
    ];
    for (step, stop) in steps.iter().enumerate() {
        let store = copy_store(&whole, &dir.path().join("store"));
        stop(&store);
        assert!(matches!(reopen(&store, &clock), Err(Error::StoreDamaged { .. })), "step {step}: opens for nothing else");
        let (mut phone, done) = rescue(&store, &clock).unwrap();
        assert_eq!((done.entries, done.lost), (newest.entries, Vec::new()), "step {step}");
        let packed = phone.rescue_out().unwrap().parcels;
        assert!(entries_in(&packed, &phone).is_superset(&all), "step {step}");
        assert_eq!(std::fs::read(kept(&store).unwrap().join("spool.db")).unwrap(), bytes, "step {step}");
    }
}

#[test]
fn who_the_phone_is_and_its_vault_survive_the_loss_of_their_pages() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let store = dir.path().join("store");
    walked(&store, &clock);
    let device = reopen(&store, &clock).unwrap().identity().unwrap().device;
    // Nothing is left of the database but the side files.
    for bytes in [vec![0x77; 9 * PAGE], Vec::new()] {
        let copy = copy_store(&store, &dir.path().join("copy"));
        std::fs::write(copy.join("spool.db"), bytes).unwrap();
        let (mut phone, done) = rescue(&copy, &clock).unwrap();
        assert_eq!(done.entries, 0);
        assert_eq!(phone.identity().unwrap().device, device);
        told(&mut phone, "vẫn ghi được");
        assert!(!phone.rescue_out().unwrap().parcels.is_empty());
    }
    // Nor that much: the database is gone altogether.
    let copy = copy_store(&store, &dir.path().join("copy"));
    std::fs::remove_file(copy.join("spool.db")).unwrap();
    let _ = std::fs::remove_file(copy.join("spool.db-wal"));
    assert_eq!(rescue(&copy, &clock).unwrap().0.identity().unwrap().device, device);
    // A key that is not this store's opens nothing, and nothing is touched.
    std::fs::write(store.join("spool.key"), b"not a key").unwrap();
    let before = files_of(&store);
    assert!(rescue(&store, &clock).is_err());
    assert_eq!(files_of(&store), before);
}
