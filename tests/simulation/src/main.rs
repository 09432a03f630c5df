//! `simulate`: runs seeds, tells what broke and how to see it again.

use yenban_simulation::coverage::Coverage;
use yenban_simulation::run::{Ground, steps_of};

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut first, mut seeds, mut steps, mut shrink, mut twice) = (0u64, 20u64, 200usize, false, false);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or_else(|| usage());
        match arg.as_str() {
            "--first" => first = number(),
            "--seeds" => seeds = number(),
            "--steps" => steps = number() as usize,
            "--shrink" => shrink = true,
            "--twice" => twice = true,
            _ => usage(),
        }
    }
    let ground = Ground::new().unwrap_or_else(|e| fail(&format!("no folder for the simulation: {e}")));
    let mut coverage = Coverage::default();
    let mut failed = 0;
    let started = std::time::Instant::now();
    for seed in first..first + seeds {
        let ran = ground.run_seed(seed, steps);
        if twice {
            let again = ground.run_seed(seed, steps);
            if again.trace != ran.trace {
                println!("seed {seed}: two runs differ: {:x} and {:x}", ran.trace, again.trace);
            }
        }
        coverage.add(&ran.coverage);
        if let Err(violation) = ran.ended {
            failed += 1;
            println!("seed {seed}: {} after {} steps: {}", violation.promise, ran.steps, violation.seen);
            if shrink {
                let few = ground.shrink(seed, steps_of(seed, steps)[..(ran.steps + 1).min(steps)].to_vec(), violation.promise);
                let again = ground.run(seed, &few);
                println!("  {} steps are enough: {:?}", few.len(), few.iter().map(|s| (s.kind, s.who)).collect::<Vec<_>>());
                println!("  {:?}", again.ended);
            }
        }
    }
    println!("{}", coverage.table());
    let missed = coverage.missed(1);
    println!("not met: {} of {}: {missed:?}", missed.len(), Coverage::wanted().len());
    println!("{seeds} seeds, {failed} failed, {:.1} s", started.elapsed().as_secs_f64());
    std::process::exit(i32::from(failed > 0));
}

fn usage() -> ! {
    fail("usage: simulate [--first SEED] [--seeds N] [--steps N] [--shrink]")
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2)
}
