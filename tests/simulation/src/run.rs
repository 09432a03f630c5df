//! One run of a seed, and what to do when it fails: the same steps again with some left out, until none can be.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Mutex, Once, PoisonError};

use crate::chance::Chance;
use crate::coverage::Coverage;
use crate::kill_map::{Case, Mapped};
use crate::step::{Step, plan};
use crate::world::{Holds, Violation, World, broken};

/// Phones of a run.
const PHONES: u8 = 3;
/// Runs that shrinking a failing one may take.
pub const SHRINK_RUNS: usize = 300;

/// What a run was.
pub struct Ran {
    /// How it ended.
    pub ended: Result<(), Violation>,
    /// What it met.
    pub coverage: Coverage,
    /// A hash over all that happened.
    pub trace: u64,
}

/// Where runs happen: a folder in memory, removed at the end.
pub struct Ground {
    dir: tempfile::TempDir,
}

impl Ground {
    /// A new one.
    ///
    /// # Errors
    /// When there is no room for it.
    pub fn new() -> std::io::Result<Ground> {
        listen_for_panics();
        let memory = PathBuf::from("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory)? } else { tempfile::tempdir()? };
        Ok(Ground { dir })
    }

    /// Runs these steps in the world of `seed`.
    pub fn run(&self, seed: u64, steps: &[Step]) -> Ran {
        let root = self.dir.path().join("world");
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(&root).expect("a folder in memory can be made");
        let mut chance = Chance::new(seed);
        let template = self.dir.path().join("template");
        take_panics();
        let world = catch_unwind(AssertUnwindSafe(|| World::new(&root, &template, &mut chance, PHONES)));
        let mut ran = Ran { ended: Ok(()), coverage: Coverage::default(), trace: 0 };
        match world {
            Ok(Ok(mut world)) => {
                let done = catch_unwind(AssertUnwindSafe(|| {
                    for step in steps {
                        world.step(*step)?;
                    }
                    world.come_to_rest()
                }));
                ran.ended = done.unwrap_or_else(|e| Err(panicked(e.as_ref())));
                ran.coverage = world.coverage.clone();
                ran.trace = world.trace;
            }
            Ok(Err(violation)) => ran.ended = Err(violation),
            Err(e) => ran.ended = Err(panicked(e.as_ref())),
        }
        // Of a thread of the hub nobody hears otherwise, and one that is caught is a panic all the same.
        if let (true, Some(panic)) = (ran.ended.is_ok(), take_panics().into_iter().next()) {
            ran.ended = broken("I-11", format!("a panic: {panic}"));
        }
        ran
    }

    /// Stops an operation at each of its calls to the disk.
    ///
    /// # Errors
    /// When the operation does not work with nothing the matter.
    pub fn map(&self, case: &Case) -> Holds<Mapped> {
        case.map(&self.dir.path().join("map"), &self.dir.path().join("template"), 7)
    }

    /// Runs a seed with `steps` steps drawn from it.
    pub fn run_seed(&self, seed: u64, steps: usize) -> Ran {
        self.run(seed, &steps_of(seed, steps))
    }

    /// Leaves out steps of a failing run as long as it fails with the same promise, in `runs_max` runs at most.
    pub fn shrink(&self, seed: u64, steps: Vec<Step>, promise: &str, runs_max: usize) -> Vec<Step> {
        let fails = |steps: &[Step]| self.run(seed, steps).ended.is_err_and(|violation| violation.promise == promise);
        let (mut steps, mut runs, mut part) = (steps, 0, 2);
        while part <= steps.len().max(2) && runs < runs_max {
            let size = steps.len().div_ceil(part);
            let mut at = 0;
            let before = steps.len();
            while at < steps.len() && runs < runs_max {
                let mut fewer = steps.clone();
                fewer.drain(at..(at + size).min(steps.len()));
                runs += 1;
                if fails(&fewer) { steps = fewer } else { at += size }
            }
            if size <= 1 && steps.len() == before {
                break;
            }
            part = if steps.len() < before { part } else { part * 2 };
        }
        steps
    }
}

/// The steps of a seed.
#[must_use]
pub fn steps_of(seed: u64, steps: usize) -> Vec<Step> {
    plan(&mut Chance::new(seed ^ 0x5EED_5EED_5EED_5EED), steps, PHONES)
}

fn panicked(e: &(dyn std::any::Any + Send)) -> Violation {
    let said = e.downcast_ref::<String>().cloned().or_else(|| e.downcast_ref::<&str>().map(|s| (*s).to_owned()));
    Violation { promise: "I-11", seen: format!("a panic: {}", said.unwrap_or_default()) }
}

/// What panicked since it was asked last, on any thread.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn listen_for_panics() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.lock().unwrap_or_else(PoisonError::into_inner).push(panic.to_string());
            before(panic);
        }));
    });
}

fn take_panics() -> Vec<String> {
    std::mem::take(&mut PANICS.lock().unwrap_or_else(PoisonError::into_inner))
}
