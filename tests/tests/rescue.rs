//! What is rescued of damaged stores, at a real hub: taken whole, each entry and file once, and the phone goes on.
#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use std::path::Path;

use commune::{Commune, Seventies, check_in, sync};
use yenban_core::Phone;
use yenban_core::app::{Report, Rescue, Said};
use yenban_core::store::Folder;
use yenban_core::sync::Verdict;
use yenban_hub::courier::take;
use yenban_protocol::parcel::Outer;

const PAGE: usize = 2_048;

fn told(phone: &mut Phone, text: &str) {
    let said = vec![Said { basis: "seen".into(), text: text.into() }];
    phone.report(&Report { kind: "theft".into(), urgent: false, statements: said, place: None, photos: 0 }).unwrap();
}

fn rescue(store: &Path) -> (Phone, Rescue) {
    Phone::rescue_software(Folder::at(store), Box::new(Seventies::now())).unwrap()
}

/// Brings parcels to the hub; answers new entries, files, and files that no entry names, and gives the answers to the phone.
fn bring(commune: &Commune, parcels: &[Vec<u8>], phone: &mut Phone) -> (u64, u64, u64) {
    let (mut entries, mut files, mut unnamed) = (0, 0, 0);
    for bytes in parcels {
        let taken = commune.runtime.block_on(take(commune.hub(), Outer::of(bytes).unwrap().bytes())).unwrap();
        // A file whose entry is lost is nobody's.
        assert!(taken.refused.iter().all(|part| part.part == "file" && part.code == "not_named"), "{:?}", taken.refused);
        unnamed += taken.refused.len() as u64;
        entries += taken.new_entries;
        files += taken.files;
        assert!(phone.courier_in(&taken.answer.unwrap()).unwrap().refused.is_empty());
    }
    (entries, files, unnamed)
}

#[test]
fn a_hub_takes_what_was_rescued_once_and_a_sync_brings_the_rest() {
    let mut commune = Commune::start();
    let mut all_lost = 0;
    // The first page, pages of the log, and one after another of whatever else there is.
    for round in 0..8_usize {
        let before = commune.totals();
        let mut phone = commune.phone();
        let store = phone.folder().root().to_path_buf();
        phone.patrol_start(&[], None).unwrap();
        (0..20).for_each(|n| check_in(&mut phone, n));
        // Half of it has arrived before.
        assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
        (20..40).for_each(|n| check_in(&mut phone, n));
        told(&mut phone, "mất xe ở đầu bản");
        let photo = commune.temp.path().join("anh.jpg");
        std::fs::write(&photo, format!("\u{ff}\u{d8}\u{ff} no picture {round}")).unwrap();
        phone.capture_photo(&photo, None, false).unwrap();
        let entries = phone.status().unwrap().entries;
        drop(phone);
        // Folds the write-ahead log.
        drop(rescue(&store));
        let path = store.join("spool.db");
        let mut bytes = std::fs::read(&path).unwrap();
        let pages = bytes.len() / PAGE;
        let page = pages * round / 8;
        bytes[page * PAGE..(page + 1) * PAGE].fill(0);
        std::fs::write(&path, &bytes).unwrap();

        let (mut phone, done) = rescue(&store);
        assert!(done.kept_in.is_some(), "round {round}");
        let packed = phone.rescue_out().unwrap();
        let (_, files, unnamed) = bring(&commune, &packed.parcels, &mut phone);
        let lost: u64 = done.lost.iter().map(|lost| lost.last - lost.first + 1 - lost.received).sum();
        let named: u64 = done.lost.iter().map(|lost| lost.last - lost.first + 1).sum();
        assert!(named <= 8, "round {round}: a page holds few entries: {done:?}");
        all_lost += lost;
        // The first entry of the new log comes along; a walk that goes on begins again in it.
        let arrived = commune.totals().entries - before.entries;
        let (own, new) = (entries - lost, arrived + lost - entries);
        assert!((1..=2).contains(&new), "round {round}, page {page}: {arrived} arrived of {own}, {done:?}");
        assert_eq!((files + unnamed, commune.totals().forked), (1, before.forked), "round {round}: no contradiction");
        assert!(unnamed == 0 || lost > 0, "round {round}");
        // Again, and over the network: nothing comes twice, and what is captured now arrives.
        assert_eq!(bring(&commune, &packed.parcels, &mut phone).0, 0, "round {round}");
        told(&mut phone, "sau khi cứu");
        let outcome = sync(&mut phone);
        // What is lost is not passed off as arrived.
        let expected = if lost == 0 { Verdict::UpToDate } else { Verdict::Partial };
        assert_eq!((outcome.verdict, outcome.unsent), (expected, 0), "round {round}: {:?}", outcome.reason);
        assert_eq!(commune.totals().entries, before.entries + arrived + 1, "round {round}");
        // Set aside is what could not be read; what the hub says that it holds stands there no longer.
        let parked = phone.status().unwrap().parked;
        assert!((lost..=named).contains(&parked), "round {round}: {parked} of {done:?}");
    }
    println!("8 stores with a page lost: {all_lost} entries neither rescued nor at the hub before");
}
