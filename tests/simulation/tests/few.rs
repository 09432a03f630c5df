//! A few seeds in every run of the tests; thousands with `cargo run -p yenban-simulation`.
#![allow(clippy::unwrap_used, reason = "tests may stop loudly")]

use std::fs;
use std::io::Write as _;

use yenban_core::disk::Disk as _;
use yenban_protocol::planted::{Bug, plant};
use yenban_simulation::chance::Chance;
use yenban_simulation::disk::{Cut, Faults, Platter, Watching, When};
use yenban_simulation::run::Ground;
use yenban_simulation::{kill_map, regressions};

const SEEDS: u64 = 12;
const STEPS: usize = 200;

// One test for everything that lives in a world: the hub's chance and the planted fault belong to the process.
#[test]
fn a_few_worlds_hold_a_planted_fault_is_found_and_a_seed_is_the_same_twice() {
    let ground = Ground::new().unwrap();
    for seed in 0..SEEDS {
        let ran = ground.run_seed(seed, STEPS);
        assert_eq!(ran.ended, Ok(()), "seed {seed}: cargo run -p yenban-simulation -- --seed {seed}");
        if seed < 3 {
            assert_eq!(ground.run_seed(seed, STEPS).trace, ran.trace, "two runs of seed {seed} differ");
        }
    }
    for kept in regressions::all() {
        assert_eq!(ground.run(kept.seed, &kept.steps).ended, Ok(()), "a kept failure is back: {}", kept.promise);
    }
    plant(Some(Bug::TickWithoutSync));
    let found = (0..SEEDS).find_map(|seed| ground.run_seed(seed, STEPS).ended.err());
    plant(None);
    assert!(found.is_some_and(|violation| violation.promise == "I-01"), "a tick without a sync must be noticed");
    let check_in = kill_map::CASES.iter().find(|case| case.name == "check-in").unwrap();
    let mapped = ground.map(check_in).unwrap();
    assert!(mapped.broken.is_empty() && mapped.points >= 64, "{} points, {} broken", mapped.points, mapped.broken.len());
}

#[test]
fn the_document_counts_the_cells_that_a_run_must_meet() {
    let document = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/RELIABILITY.md")).unwrap();
    let cells = yenban_simulation::coverage::Coverage::wanted().len();
    assert!(document.contains(&format!(" {cells} cells")), "a run must meet {cells} cells");
}

#[test]
fn a_power_cut_takes_what_no_sync_covered_and_a_failed_sync_covers_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let platter = Platter::spin(dir.path(), Chance::new(1));
    let disk = Watching::over(platter.clone());
    let path = dir.path().join("note");
    let mut file = disk.create_new(&path).unwrap();
    file.write_all(b"kept").unwrap();
    file.sync().unwrap();
    disk.sync_folder(dir.path()).unwrap();
    file.write_all(b" lost").unwrap();
    platter.restart(Cut::OnlySynced).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"kept");

    let mut file = disk.create_new(&dir.path().join("second")).unwrap();
    file.write_all(b"never on the medium").unwrap();
    // Calls count from here: the next one is the sync.
    platter.set_faults(Faults { fails: Some((0, yenban_simulation::disk::Failure::Broken)), ..Faults::default() });
    assert!(file.sync().is_err());
    file.sync().unwrap();
    disk.sync_folder(dir.path()).unwrap();
    platter.restart(Cut::OnlySynced).unwrap();
    assert_eq!(fs::read(dir.path().join("second")).unwrap(), b"", "its name was synced, its bytes never were");

    platter.set_faults(Faults { dies: Some((1, When::Before)), ..Faults::default() });
    let mut file = disk.create_new(&dir.path().join("third")).unwrap();
    assert!(file.write_all(b"x").is_err() && platter.is_dead());
    platter.restart(Cut::OnlySynced).unwrap();
    assert!(!dir.path().join("third").exists(), "a name that was not synced");
    platter.stop();
}
