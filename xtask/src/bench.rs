//! Starts the benchmarks (binaries of `tests/`), always in release: other figures mean nothing.

use std::process::ExitCode;

use crate::ci::{COULD_NOT, WRONG_USE};
use crate::run;

/// The benchmarks of docs/BENCHMARKS.md.
const NAMES: [&str; 8] = ["capture", "sync", "edge", "hub", "alert", "query", "photo", "console"];

/// Builds and runs one benchmark with the arguments it is given.
pub(crate) fn run(name: &str, args: &[&str]) -> ExitCode {
    if !NAMES.contains(&name) {
        eprintln!("There is no benchmark {name}. Choose one of: {}.", NAMES.join(", "));
        return ExitCode::from(WRONG_USE);
    }
    let binary = format!("bench-{name}");
    let mut line = vec!["cargo", "run", "--release", "--package", "yenban-tests", "--bin", &binary];
    line.push("--");
    line.extend(args);
    match run::shown(&mut run::command(&line)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::from(COULD_NOT)
        }
    }
}
