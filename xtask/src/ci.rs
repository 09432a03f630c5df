//! The gate: a fixed list of steps. Every step runs even when one before it failed, so that one run
//! tells everything; the run ends with a table and the count of tests as its last line.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::summary::Summary;
use crate::{phones, readme, run};

/// Exit code: used wrongly (an unknown step).
pub(crate) const WRONG_USE: u8 = 2;
/// Exit code: a program could not be run to a good end.
pub(crate) const COULD_NOT: u8 = 3;

/// The README's command for all tests, word for word.
pub(crate) const TEST_COMMAND: &[&str] = &["cargo", "test", "--workspace"];

/// How a step ended.
pub(crate) enum Outcome {
    /// It holds.
    Ok,
    /// It does not, and why.
    Failed(String),
    /// A tool that this machine lacks; never used for our own code.
    Skipped(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Ok,
            Err(reason) => Self::Failed(reason),
        }
    }
}

struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Context) -> Outcome,
}

/// What steps leave for the end of the run.
#[derive(Default)]
struct Context {
    tests: Cell<Option<Summary>>,
    /// What tests said that they skipped, and why.
    skipped: RefCell<BTreeSet<String>>,
}

const STEPS: &[Step] = &[
    Step { name: "fmt", about: "every file is as rustfmt writes it", run: |_| fmt() },
    Step { name: "lint", about: "clippy has nothing to say", run: |_| lint() },
    Step { name: "build", about: "everything builds, Cargo.lock as it is", run: |_| build() },
    Step { name: "test", about: "the README's test command", run: test },
    Step { name: "rules", about: "arrows, clocks, file sizes, words: the list of findings", run: |_| rules() },
    Step { name: "readme", about: "commands and flags of README.md exist", run: |_| readme::run() },
    Step { name: "doc", about: "the documentation builds without a warning", run: |_| doc() },
    Step { name: "deny", about: "licences, sources, banned crates, advisories", run: |_| deny() },
    Step { name: "android", about: "the core type-checks for Android phones", run: |_| phones::android() },
    Step { name: "ios", about: "the core type-checks for iPhones", run: |_| phones::ios() },
    Step { name: "fuzz-build", about: "the fuzz targets build", run: |_| fuzz_build() },
    Step { name: "simulation", about: "phones, hub, roads and disks that fail: seeds, planted faults, kill maps", run: |_| simulation() },
];

/// Prints the steps and what each one shows.
pub(crate) fn list() {
    for step in STEPS {
        println!("{:<12}{}", step.name, step.about);
    }
}

/// Runs the named steps in their order, all of them when none is named.
pub(crate) fn run(names: &[&str]) -> ExitCode {
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        eprintln!("There is no step {unknown}. The steps:");
        list();
        return ExitCode::from(WRONG_USE);
    }
    let context = Context::default();
    let mut rows = Vec::new();
    for step in STEPS.iter().filter(|step| names.is_empty() || names.contains(&step.name)) {
        println!("\n== {} ==", step.name);
        let start = Instant::now();
        let outcome = (step.run)(&context);
        let elapsed = start.elapsed();
        println!("== {}: {} ==", step.name, told(&outcome, elapsed));
        rows.push((step.name, outcome, elapsed));
    }
    println!();
    for (name, outcome, elapsed) in &rows {
        println!("{name:<12}{}", told(outcome, *elapsed));
    }
    for reason in context.skipped.borrow().iter() {
        println!("a test said: {reason}");
    }
    let all_hold = !rows.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Failed(_)));
    if let Some(tests) = context.tests.get() {
        println!("{tests}");
    }
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn told(outcome: &Outcome, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64();
    match outcome {
        Outcome::Ok => format!("ok       {seconds:>7.1} s"),
        Outcome::Failed(reason) => format!("FAILED   {seconds:>7.1} s  {reason}"),
        Outcome::Skipped(reason) => format!("skipped  {seconds:>7.1} s  {reason}"),
    }
}

fn fmt() -> Outcome {
    run::shown(&mut run::command(&["cargo", "fmt", "--all", "--check"])).into()
}

fn lint() -> Outcome {
    let line = ["cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
    run::shown(&mut run::command(&line)).into()
}

fn build() -> Outcome {
    run::shown(&mut run::command(&["cargo", "build", "--workspace", "--locked"])).into()
}

fn test(context: &Context) -> Outcome {
    let mut summary = Summary::default();
    let mut command = run::command(TEST_COMMAND);
    // The runner keeps back what a good test prints, and with it what the test left out.
    command.env("RUST_TEST_NOCAPTURE", "1");
    let result = run::read(&mut command, |line| {
        summary.add_line(line);
        if let Some(at) = line.to_ascii_lowercase().find("skipped") {
            // A name of a test may stand before it on the line; a table of results is no skip.
            if !line.starts_with("test result") {
                context.skipped.borrow_mut().insert(line[at..].to_owned());
            }
        }
    });
    context.tests.set(Some(summary));
    if result.is_ok() && summary.passed == 0 {
        return Outcome::Failed("no test ran".into());
    }
    result.into()
}

/// The sizes for the gate, as docs/RELIABILITY.md tells them: all 2,000 seeds, every planted fault, every kill map.
fn simulation() -> Outcome {
    let lived = run::built("simulate").and_then(|simulate| {
        let tasks = [&[][..], &["--planted"], &["--kills"]];
        tasks.iter().try_for_each(|task| run::shown(&mut run::command(&[&[simulate.as_str()], *task].concat())))
    });
    lived.into()
}

fn rules() -> Outcome {
    // The whole workspace is named so that nothing is built again with other features.
    let line =
        ["cargo", "test", "--workspace", "--locked", "--test", "architecture", "--test", "words", "--", "--nocapture", "--test-threads=1"];
    run::shown(&mut run::command(&line)).into()
}

fn doc() -> Outcome {
    let mut command = run::command(&["cargo", "doc", "--workspace", "--no-deps", "--locked"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    run::shown(&mut command).into()
}

fn deny() -> Outcome {
    if run::quiet(&mut run::command(&["cargo", "deny", "--version"])).is_none() {
        return Outcome::Skipped("cargo-deny is not installed".into());
    }
    let checked = run::shown(&mut run::command(&["cargo", "deny", "--all-features", "check", "licenses", "sources", "bans"]));
    if checked.is_err() {
        return checked.into();
    }
    // Advisories come over the network; a machine without one has still checked the rest.
    if run::quiet(&mut run::command(&["cargo", "deny", "fetch", "db"])).is_none() {
        return Outcome::Skipped("licences, sources and bans hold; the database of advisories cannot be fetched".into());
    }
    run::shown(&mut run::command(&["cargo", "deny", "--all-features", "check", "advisories"])).into()
}

fn fuzz_build() -> Outcome {
    if !run::root().join("tests/fuzz/Cargo.toml").exists() {
        return Outcome::Failed("tests/fuzz is missing".into());
    }
    let nightly = run::quiet(&mut run::command(&["rustup", "run", "nightly", "rustc", "--version"]));
    if nightly.is_none() {
        return Outcome::Skipped("no nightly toolchain is installed".into());
    }
    if run::quiet(&mut run::command(&["cargo", "fuzz", "--version"])).is_none() {
        return Outcome::Skipped("cargo-fuzz is not installed".into());
    }
    let line = ["rustup", "run", "nightly", "cargo", "fuzz", "build", "--fuzz-dir", "tests/fuzz"];
    run::shown(&mut run::command(&line)).into()
}
