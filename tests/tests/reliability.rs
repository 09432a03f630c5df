//! docs/RELIABILITY.md says what holds each promise; here it is held to that.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may stop loudly")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const DOCUMENT: &str = "docs/RELIABILITY.md";
const SIMULATION: &str = "tests/simulation/src";
/// What the issue of reliability asks for; the others are welcome.
const ASKED: [&str; 20] = [
    "I-01", "I-02", "I-03", "I-04", "I-05", "I-06", "I-07", "I-08", "I-09", "I-10", "I-11", "I-12", "I-19", "I-20", "I-21", "I-22", "I-23",
    "I-24", "I-25", "I-28",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Promises of the table: their number and what holds them.
fn promises() -> Vec<(String, String)> {
    let rows = read(DOCUMENT);
    let rows = rows.lines().filter(|line| line.starts_with("| I-"));
    rows.map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| (cells[1].to_owned(), cells.get(3).copied().unwrap_or_default().to_owned()))
        .collect()
}

/// Every `"I-nn"` in the simulation's sources.
fn spoken_of() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for item in fs::read_dir(root().join(SIMULATION)).unwrap().flatten() {
        if item.path().extension().is_some_and(|end| end == "rs") {
            let text = fs::read_to_string(item.path()).unwrap();
            let numbers = text.match_indices("\"I-").filter_map(|(at, _)| text.get(at + 1..at + 5));
            found.extend(numbers.map(str::to_owned));
        }
    }
    found
}

#[test]
fn each_promise_stands_there_once_and_is_held_by_something() {
    let rows = promises();
    for id in ASKED.iter().map(|id| (*id).to_owned()).chain(spoken_of()) {
        let held = rows.iter().filter(|(row, _)| *row == id).collect::<Vec<_>>();
        assert_eq!(held.len(), 1, "{DOCUMENT}: {id} must stand there once");
        assert!(!held[0].1.is_empty(), "{DOCUMENT}: nothing holds {id}");
    }
}

#[test]
fn each_test_that_is_named_is_there() {
    let mut named = 0;
    for (id, held) in promises() {
        for test in held.split('`').skip(1).step_by(2) {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("{id}: `{test}` is no file::test"));
            assert!(read(file).contains(&format!("fn {name}(")), "{id}: {file} has no test {name}");
            named += 1;
        }
    }
    assert!(named >= ASKED.len());
}

#[test]
fn the_numbers_are_those_of_the_sources() {
    let document = read(DOCUMENT);
    let count = |path: &str, start: &str, end: &str, mark: &str| {
        let text = read(path);
        let part = text.split_once(start).unwrap_or_else(|| panic!("{path} has no {start}")).1;
        part.split_once(end).unwrap().0.matches(mark).count()
    };
    let faults = count("protocol/src/planted.rs", "bugs! {\n", "\n}", "\";");
    assert!(document.contains(&format!("| P | {faults} planted faults")), "{faults} faults are planted");
    let must = count("protocol/src/planted.rs", "bugs! {\n", "\n}", ": must ");
    assert!(document.contains(&format!("{must} must be found")), "{must} faults must be found");
    let kept = read("tests/simulation/planted.txt").lines().filter(|line| !line.starts_with('#')).count();
    assert!(document.contains(&format!("a run is kept for {kept}")), "a run is kept for {kept} faults");
    let maps = count("tests/simulation/src/kill_map.rs", "CASES: &[Case]", "\n];", "Case { name");
    assert!(document.contains(&format!("| K | Kill maps: {maps} operations")), "{maps} operations are mapped");
    let main = read("tests/simulation/src/main.rs");
    for (said, source) in
        [("(2000 seeds)", "seeds: 2_000"), ("find 25 of", "PLANTED_FOUND: u64 = 25"), ("within 60 seeds", "PLANTED_SEEDS: u64 = 60")]
    {
        assert!(document.contains(said) && main.contains(source), "{said} and {source} must agree");
    }
}

#[test]
fn a_promise_without_a_row_would_be_noticed() {
    assert!(spoken_of().len() >= 10 && !promises().iter().any(|(id, _)| id == "I-99"));
}
