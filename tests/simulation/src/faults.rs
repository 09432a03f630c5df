//! Planted faults: a run is kept for each that was found, as the few steps that show it, so that the gate need not search
//! again. A kept run must hold without the fault and break one of the fault's promises with it.

use yenban_protocol::planted::{Bug, plant};

use crate::regressions::{self, Kept};
use crate::run::{Ground, steps_of};
use crate::world::Violation;

/// Where the runs are kept, for `simulate --planted --search`, which writes it anew.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/planted.txt");
/// The first lines of that file.
pub const FILE_HEAD: &str =
    "# What finds each planted fault: its name, the promise, the seed of the world, the steps. See src/faults.rs.\n";
const LINES: &str = include_str!("../planted.txt");
/// Runs that shrinking one of them may take: a few steps more do no harm.
const SHRINK_RUNS: usize = 120;

/// How a planted fault was found.
#[derive(Debug)]
pub enum Found {
    /// By the run that is kept for it.
    Kept(Violation),
    /// By a seed, the so-manyth that was tried.
    Seed(u64, Violation),
    /// By none.
    Not,
    /// The run that is kept for it breaks something without it.
    Unsound(Violation),
}

impl Found {
    /// The promise that was seen broken.
    #[must_use]
    pub fn promise(&self) -> Option<&'static str> {
        match self {
            Found::Kept(violation) | Found::Seed(_, violation) => Some(violation.promise),
            Found::Not | Found::Unsound(_) => None,
        }
    }

    /// Whether the fault was seen under one of its promises.
    #[must_use]
    pub fn is_understood(&self, bug: Bug) -> bool {
        self.promise().is_some_and(|promise| bug.promises().contains(&promise))
    }

    /// Whether a run of the suite fails of it: what must be found is not, or something else is seen than what is wrong.
    #[must_use]
    pub fn is_wrong(&self, bug: Bug) -> bool {
        match self {
            Found::Not => bug.must(),
            Found::Unsound(_) => true,
            _ => !self.is_understood(bug),
        }
    }
}

/// The run that is kept for a fault.
///
/// # Panics
/// On a line that is none: it would pass in silence.
#[must_use]
pub fn kept(bug: Bug) -> Option<Kept> {
    let mut lines = LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let name = format!("{bug:?} ");
    let line = lines.find_map(|line| line.strip_prefix(&name))?;
    Some(regressions::parse(line).unwrap_or_else(|| panic!("planted.txt: not a run: {line}")))
}

/// Looks for a fault: with the run that is kept for it, then with seeds.
pub fn look(ground: &Ground, bug: Bug, seeds: std::ops::Range<u64>, steps: usize) -> Found {
    if let Some(kept) = kept(bug) {
        plant(None);
        if let Err(violation) = ground.run(kept.seed, &kept.steps).ended {
            return Found::Unsound(violation);
        }
        plant(Some(bug));
        let ended = ground.run(kept.seed, &kept.steps).ended;
        plant(None);
        if let Err(violation) = ended {
            return Found::Kept(violation);
        }
    }
    search(ground, bug, seeds, steps).map_or(Found::Not, |(tried, _, violation)| Found::Seed(tried, violation))
}

/// Lives through seeds with a fault until one breaks a promise: how many it took, the seed, what was seen.
fn search(ground: &Ground, bug: Bug, mut seeds: std::ops::Range<u64>, steps: usize) -> Option<(u64, u64, Violation)> {
    let first = seeds.start;
    plant(Some(bug));
    let hit = seeds.find_map(|seed| ground.run_seed(seed, steps).ended.err().map(|violation| (seed - first + 1, seed, violation)));
    plant(None);
    hit
}

/// Looks for a fault anew; the line that keeps what found it, with as few steps as will do.
pub fn line(ground: &Ground, bug: Bug, seeds: std::ops::Range<u64>, steps: usize) -> Option<String> {
    let (_, seed, violation) = search(ground, bug, seeds, steps)?;
    plant(Some(bug));
    let few = ground.shrink(seed, steps_of(seed, steps), violation.promise, SHRINK_RUNS);
    plant(None);
    Some(format!("{bug:?} {}", regressions::line(violation.promise, seed, &few)))
}
