//! The steps of CI, each alone, and the benchmarks: one place that knows the commands, so that a
//! developer, `.ci/run` and the README all run the same thing.

mod bench;
mod ci;
mod directory;
mod phones;
mod readme;
mod run;
mod summary;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  ci [STEP]...        every step of CI, or the named ones alone
  ci --list           the steps and what they do
  bench NAME [ARG]... capture, sync, edge, hub, alert, query, photo or console, in release; arguments go to the benchmark
  directory --communes FILE.csv --former FILE.csv [--out DIR]
                      makes the data of communes in protocol/data from the published tables
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["ci", "--list"] => {
            ci::list();
            ExitCode::SUCCESS
        }
        ["ci", steps @ ..] => ci::run(steps),
        ["bench", name, rest @ ..] => bench::run(name, rest),
        ["directory", rest @ ..] => match directory::run(rest) {
            Ok(()) => ExitCode::SUCCESS,
            Err(reason) => {
                eprintln!("{reason}");
                ExitCode::from(ci::COULD_NOT)
            }
        },
        ["help" | "--help" | "-h"] => {
            print!("{HELP}");
            ExitCode::SUCCESS
        }
        _ => {
            eprint!("{HELP}");
            ExitCode::from(ci::WRONG_USE)
        }
    }
}
