//! The spool's write-ahead log: it stays small however long a run is, an end that was cut off costs the newest entries and
//! no other, and what must leave no older page leaves none.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly, their helpers too")]

#[path = "support/faulty.rs"]
mod faulty;
mod support;

use std::path::Path;

use faulty::copy_store;
use support::{EVENING_MS, enrolled, open};
use yenban_core::Phone;
use yenban_core::app::CheckIn;
use yenban_core::clock::VirtualClock;
use yenban_core::limits::{PAGE_SIZE_BYTES, WAL_CHECKPOINT_PAGES};

const RUN: u64 = 2_500;
/// A frame is a page and its header.
const FRAME_BYTES: u64 = PAGE_SIZE_BYTES as u64 + 24;
/// Frames of one commit and those that a checkpoint waits for.
const SLACK_FRAMES: u64 = 64;

fn size(store: &Path, name: &str) -> u64 {
    std::fs::metadata(store.join(name)).map_or(0, |metadata| metadata.len())
}

fn walk(phone: &mut Phone, check_ins: u64) {
    for number in 0..check_ins {
        let note = Some(format!("{number}: {}", "đường mòn bên suối ".repeat(20)));
        phone.check_in(&CheckIn { place: None, checkpoint: None, note }).unwrap();
    }
}

#[test]
fn a_large_run_keeps_the_write_ahead_log_small_and_loses_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = (dir.path().join("store"), VirtualClock::starting_at(EVENING_MS));
    let mut phone = enrolled(&store, &clock);
    phone.patrol_start(&[], None).unwrap();
    let began = phone.status().unwrap().entries;
    let most_bytes = 32 + (u64::from(WAL_CHECKPOINT_PAGES) + SLACK_FRAMES) * FRAME_BYTES;
    let mut largest = 0;
    for _ in 0..RUN / 100 {
        walk(&mut phone, 100);
        largest = largest.max(size(&store, "spool.db-wal"));
    }
    let (file, entries) = (size(&store, "spool.db"), began + RUN);
    println!("{entries} entries, {file} bytes, write-ahead log at most {largest} bytes of {most_bytes}");
    assert!(largest <= most_bytes && file > most_bytes / 2, "{largest} {file}");
    drop(phone);
    // It is kept when the program ends, for the next one to go on with.
    assert!(size(&store, "spool.db-wal") > 0);
    let mut phone = open(&store, &clock);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.verified == entries && phone.status().unwrap().entries == entries, "{check:?}");
    phone.set_pin("739168").unwrap();
    assert_eq!(size(&store, "spool.db-wal"), 0, "no older page of a key stays");
    walk(&mut phone, 10);
    drop(phone);
    let mut phone = open(&store, &clock);
    phone.unlock("739168", yenban_core::app::KeepOpen::ThisProcess).unwrap();
    assert_eq!(phone.check().unwrap().verified, entries + 10);
}

#[test]
fn a_write_ahead_log_that_lost_its_end_costs_the_newest_entries_and_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = (dir.path().join("store"), VirtualClock::starting_at(EVENING_MS));
    let mut phone = enrolled(&store, &clock);
    phone.patrol_start(&[], None).unwrap();
    // A PIN copies everything into the file: from there on the write-ahead log holds what is new, and it alone.
    walk(&mut phone, 100);
    phone.set_pin("739168").unwrap();
    let safe = phone.status().unwrap().entries;
    walk(&mut phone, 40);
    let all = phone.status().unwrap().entries;
    drop(phone);
    let whole = size(&store, "spool.db-wal");
    assert!(whole > 40 * FRAME_BYTES, "{whole}");
    let (mut last, mut lost) = (0, 0);
    for step in 0..=40 {
        let cut = copy_store(&store, &dir.path().join("cut"));
        // No vault knows better here: what is left is judged by itself.
        let vaults = std::fs::read_dir(&cut).unwrap().flatten().filter(|item| item.file_name().to_string_lossy().starts_with("vault"));
        vaults.for_each(|item| std::fs::remove_file(item.path()).unwrap());
        // Seldom at the edge of a frame.
        let length = whole * step / 40 - u64::from(step % 40 != 0) * (step * 7 % 100);
        std::fs::OpenOptions::new().write(true).open(cut.join("spool.db-wal")).unwrap().set_len(length).unwrap();
        let mut phone = open(&cut, &clock);
        phone.unlock("739168", yenban_core::app::KeepOpen::ThisProcess).unwrap();
        let there = phone.status().unwrap().entries;
        assert!((safe..=all).contains(&there) && there >= last, "{there} of {all} at {length} of {whole}");
        lost += u64::from(there < all);
        last = there;
        let check = phone.check().unwrap();
        assert!(check.faults.is_empty() && check.verified == there, "{check:?}");
        walk(&mut phone, 1);
        assert_eq!(phone.check().unwrap().verified, there + 1);
    }
    assert_eq!((last, lost > 30), (all, true));
}
