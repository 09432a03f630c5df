//! `simulate`: lives through seeds in several processes at once, counts what was met, tells what broke and how to see it
//! again.
//!
//! A process of its own for each worker: a world has one default VFS and one stream of the hub's chance.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio, exit};
use std::time::Instant;

use yenban_protocol::planted::{self, Bug};
use yenban_simulation::coverage::Coverage;
use yenban_simulation::faults::{self, Found};
use yenban_simulation::kill_map::CASES;
use yenban_simulation::regressions;
use yenban_simulation::run::{Ground, Ran, SHRINK_RUNS, steps_of};

const USAGE: &str = "usage: simulate [--first SEED] [--seeds N] [--steps N] [--jobs N] [--need TIMES]
       one seed again:  simulate --seed SEED [--steps N]
       kept failures:   simulate --kept
       kill maps:       simulate --kills
       planted faults:  simulate --planted [--seeds N_FOR_EACH] [--need HOW_MANY_ARE_FOUND]
       their runs anew: simulate --planted --search [--seeds N_FOR_EACH]
       --long after any of them: as many as a night has room for

--need TIMES   every fault must meet every activity so often, or the run does not count (usual: 1; 0: it need not)
A failing seed is shrunk; the line it prints goes into tests/simulation/regressions.txt.";

/// One run in so many is lived through twice; both must be the same to the last call.
const TWICE_ONE_IN: u64 = 100;
/// Failing seeds that are shrunk; more of them say the same.
const SHRUNK_MAX: usize = 3;

/// What a broken map or a fault that is not found as it must be counts: more than any number of points.
const BROKEN: u64 = 1 << 40;
/// Seeds for each planted fault, and how many of the faults must be found.
const PLANTED_SEEDS: u64 = 60;
const PLANTED_FOUND: u64 = 25;

#[derive(Clone, Copy)]
struct Wanted {
    first: u64,
    seeds: u64,
    steps: usize,
    jobs: u64,
    need: u64,
    stride: u64,
    /// This process's share of a task, and of how many.
    share: Option<(usize, usize)>,
    /// Runs that show planted faults are looked for anew.
    search: bool,
}

enum Task {
    All,
    Worker,
    One,
    Kept,
    Kills,
    Planted,
}

fn main() {
    let (task, wanted) = arguments();
    let ground = Ground::new().unwrap_or_else(|e| fail(&format!("no folder for the simulation: {e}")));
    let good = match task {
        Task::Worker => work(&ground, wanted),
        Task::One => one(&ground, wanted),
        Task::Kept => kept(&ground),
        Task::Kills => kills(&ground, wanted),
        Task::Planted => faults(&ground, wanted),
        Task::All => kept(&ground) & all(&ground, wanted),
    };
    exit(i32::from(!good));
}

fn arguments() -> (Task, Wanted) {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let mut wanted = Wanted { first: 0, seeds: 2_000, steps: 200, jobs: cores, need: 1, stride: 1, share: None, search: false };
    let mut task = Task::All;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut number = || args.next().and_then(|n| n.parse::<u64>().ok()).unwrap_or_else(|| fail(USAGE));
        match arg.as_str() {
            "--first" => wanted.first = number(),
            "--seeds" => wanted.seeds = number(),
            "--steps" => wanted.steps = number() as usize,
            "--jobs" => wanted.jobs = number().max(1),
            "--need" => wanted.need = number(),
            "--seed" => (task, wanted.first) = (Task::One, number()),
            "--kept" => task = Task::Kept,
            "--kills" => task = Task::Kills,
            "--planted" => (task, wanted.seeds, wanted.need) = (Task::Planted, PLANTED_SEEDS, PLANTED_FOUND),
            "--long" => (wanted.seeds, wanted.need) = if matches!(task, Task::Planted) { (2_000, 29) } else { (1_000_000, 20) },
            "--share" => wanted.share = Some((number() as usize, number().max(1) as usize)),
            "--search" => wanted.search = true,
            "--bug" => planted::plant(Bug::ALL.get(number() as usize).copied()),
            "--worker" => (task, wanted.stride) = (Task::Worker, number()),
            _ => fail(USAGE),
        }
    }
    (task, wanted)
}

/// A worker's share: every `stride`th seed. What it says is for [`all`] to read.
fn work(ground: &Ground, wanted: Wanted) -> bool {
    let mut coverage = Coverage::default();
    let mut out = std::io::stdout();
    for seed in (wanted.first..wanted.first + wanted.seeds).step_by(wanted.stride as usize) {
        // Told first: one that takes the process with it must be known too.
        let _ = writeln!(out, "begin {seed}");
        let ran = ground.run_seed(seed, wanted.steps);
        coverage.add(&ran.coverage);
        let failed = failure_of(ground, seed, wanted.steps, &ran);
        let line =
            failed.map_or_else(|| format!("ran {seed}"), |(promise, seen)| format!("failed {seed} {promise} {}", seen.replace('\n', " ")));
        // A parent that is gone needs no answer.
        let _ = writeln!(out, "{line}");
    }
    coverage.lines().iter().for_each(|line| drop(writeln!(out, "met {line}")));
    true
}

fn failure_of(ground: &Ground, seed: u64, steps: usize, ran: &Ran) -> Option<(String, String)> {
    if let Err(violation) = &ran.ended {
        return Some((violation.promise.to_owned(), violation.seen.clone()));
    }
    if seed.is_multiple_of(TWICE_ONE_IN) && ground.run_seed(seed, steps).trace != ran.trace {
        return Some(("simulation".to_owned(), "two runs of this seed differ".to_owned()));
    }
    None
}

fn one(ground: &Ground, wanted: Wanted) -> bool {
    let ran = ground.run_seed(wanted.first, wanted.steps);
    println!("{}", ran.coverage.table());
    match ran.ended {
        Ok(()) => println!("seed {}: everything holds", wanted.first),
        Err(violation) => {
            tell_failure(ground, wanted.first, wanted.steps, violation.promise, &violation.seen);
            return false;
        }
    }
    true
}

fn tell_failure(ground: &Ground, seed: u64, steps: usize, promise: &str, seen: &str) {
    println!("seed {seed}: {promise}: {seen}");
    let few = ground.shrink(seed, steps_of(seed, steps), promise, SHRINK_RUNS);
    println!("  {} steps are enough; to keep it, add to tests/simulation/regressions.txt:", few.len());
    println!("  {}", regressions::line(promise, seed, &few));
}

/// Failures of before, which must not come back.
fn kept(ground: &Ground) -> bool {
    let kept = regressions::all();
    let mut back = 0;
    for one in &kept {
        if let Err(violation) = ground.run(one.seed, &one.steps).ended {
            back += 1;
            println!("a kept failure is back ({}, seed {}): {}: {}", one.promise, one.seed, violation.promise, violation.seen);
        }
    }
    println!("{} kept failures, {back} came back", kept.len());
    back == 0
}

/// Each planted fault, until something finds it: this process's share of them, or all by several processes.
fn faults(ground: &Ground, wanted: Wanted) -> bool {
    let Some((share, of)) = wanted.share else {
        if wanted.search {
            return search(wanted);
        }
        let sum = shared(wanted, "--planted", |line| println!("{line}"));
        let (found, wrong) = (sum % BROKEN, sum / BROKEN);
        println!("planted faults: {found} of {} found; {} are enough; {wrong} not as they must be", Bug::ALL.len(), wanted.need);
        return found >= wanted.need && wrong == 0;
    };
    let seeds = wanted.first..wanted.first + wanted.seeds;
    for bug in Bug::ALL.iter().copied().skip(share).step_by(of) {
        if wanted.search {
            faults::line(ground, bug, seeds.clone(), wanted.steps).into_iter().for_each(|line| println!("{line}"));
            continue;
        }
        let found = faults::look(ground, bug, seeds.clone(), wanted.steps);
        let how = match &found {
            Found::Kept(violation) => format!("{} in its kept run", violation.promise),
            Found::Seed(tried, violation) => format!("{} after {tried} seeds", violation.promise),
            Found::Not => format!("not found in {} seeds", wanted.seeds),
            Found::Unsound(violation) => format!("its kept run breaks {} without it", violation.promise),
        };
        println!("{:<20} {:<5}{how:<26} {}", format!("{bug:?}"), if bug.must() { "must" } else { "" }, bug.what());
        if found.is_wrong(bug) {
            println!("{:<20} is not found as it must be: {:?} expected, {found:?}", format!("{bug:?}"), bug.promises());
        }
        println!("count {}", u64::from(found.is_understood(bug)) + if found.is_wrong(bug) { BROKEN } else { 0 });
    }
    true
}

/// Writes the file of runs that show planted faults anew.
fn search(wanted: Wanted) -> bool {
    let (sender, lines) = std::sync::mpsc::channel();
    shared(wanted, "--planted", move |line| drop(sender.send(line.to_owned())));
    let place = |line: &String| Bug::ALL.iter().position(|bug| line.starts_with(&format!("{bug:?} ")));
    let mut lines: Vec<String> = lines.try_iter().collect();
    lines.sort_by_key(place);
    let text: String = std::iter::once(faults::FILE_HEAD.to_owned()).chain(lines.iter().map(|line| format!("{line}\n"))).collect();
    println!("{} of {} found, kept in {}", lines.len(), Bug::ALL.len(), faults::FILE);
    std::fs::write(faults::FILE, text).is_ok()
}

/// Each operation stopped at each of its calls: this process's share of them, or all by several processes.
fn kills(ground: &Ground, wanted: Wanted) -> bool {
    let Some((share, of)) = wanted.share else {
        let points = shared(wanted, "--kills", |line| println!("{line}"));
        println!("kill maps: {} operations, {points} points", CASES.len());
        return (1..BROKEN).contains(&points);
    };
    for case in CASES.iter().skip(share).step_by(of) {
        let started = Instant::now();
        match ground.map(case) {
            Ok(mapped) => {
                let took = started.elapsed().as_secs_f64();
                println!(
                    "{:<44} {:>4} calls {:>6} points {:>3} broken {took:>6.1} s",
                    case.name,
                    mapped.calls,
                    mapped.points,
                    mapped.broken.len()
                );
                for (call, when, cut, violation) in mapped.broken.iter().take(SHRUNK_MAX) {
                    println!("    {when:?} call {call}, {cut:?}: {}: {}", violation.promise, violation.seen);
                }
                println!("count {}", if mapped.broken.is_empty() && mapped.points > 0 { mapped.points } else { BROKEN });
            }
            Err(violation) => {
                println!("{:<44} does not work with nothing the matter: {}: {}", case.name, violation.promise, violation.seen);
                println!("count {BROKEN}");
            }
        }
    }
    true
}

/// Has a task done in shares by several processes; shows what they say and sums what they count.
fn shared(wanted: Wanted, task: &str, told: impl Fn(&str) + Clone + Send + 'static) -> u64 {
    let program = std::env::current_exe().unwrap_or_else(|e| fail(&e.to_string()));
    let start = |share: u64| {
        let mut command = Command::new(&program);
        command.arg(task).arg("--share").arg(share.to_string()).arg(wanted.jobs.to_string());
        command.arg("--first").arg(wanted.first.to_string()).arg("--seeds").arg(wanted.seeds.to_string());
        command.arg("--steps").arg(wanted.steps.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        if wanted.search {
            command.arg("--search");
        }
        command.spawn().unwrap_or_else(|e| fail(&format!("a worker does not start: {e}")))
    };
    let readers: Vec<_> = (0..wanted.jobs)
        .map(start)
        .map(|mut child| {
            let told = told.clone();
            std::thread::spawn(move || {
                let mut sum = 0;
                for line in child.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok) {
                    match line.strip_prefix("count ").and_then(|n| n.parse::<u64>().ok()) {
                        Some(n) => sum += n,
                        None => told(&line),
                    }
                }
                if child.wait().is_ok_and(|status| status.success()) { sum } else { BROKEN }
            })
        })
        .collect();
    readers.into_iter().map(|reader| reader.join().unwrap_or(BROKEN)).sum()
}

fn all(ground: &Ground, wanted: Wanted) -> bool {
    let started = Instant::now();
    let workers: Vec<Child> = (0..wanted.jobs).filter(|n| *n < wanted.seeds).map(|n| start(wanted, n)).collect();
    let (sender, lines) = std::sync::mpsc::channel();
    let readers: Vec<_> = workers
        .into_iter()
        .map(|mut child| {
            let (sender, out) = (sender.clone(), child.stdout.take());
            std::thread::spawn(move || {
                let mut begun = String::new();
                for line in out.into_iter().flat_map(|out| BufReader::new(out).lines()).map_while(Result::ok) {
                    match line.strip_prefix("begin ") {
                        Some(seed) => seed.clone_into(&mut begun),
                        None => drop(sender.send(line)),
                    }
                }
                let status = child.wait();
                if status.as_ref().is_ok_and(std::process::ExitStatus::success) { None } else { Some((begun, status)) }
            })
        })
        .collect();
    drop(sender);
    let mut coverage = Coverage::default();
    let (mut ran, mut failures) = (0u64, Vec::new());
    for line in lines {
        match line.split_once(' ') {
            Some(("met", cell)) => coverage.add_line(cell),
            Some(("failed", rest)) => failures.push(rest.to_owned()),
            _ => {}
        }
        ran += u64::from(line.starts_with("ran ") || line.starts_with("failed "));
        if ran > 0 && ran % 100 == 0 && line.starts_with("ran ") {
            eprintln!("{ran} of {} seeds, {} failed, {} s", wanted.seeds, failures.len(), started.elapsed().as_secs());
        }
    }
    let ended: Vec<_> = readers.into_iter().filter_map(|reader| reader.join().unwrap_or_else(|_| fail("a reader ended"))).collect();
    println!("{}", coverage.table());
    // A run that need not meet every cell still says which it missed.
    let missed = coverage.missed(wanted.need.max(1));
    missed.iter().for_each(|(side, fault, doing)| println!("not met: {fault:?} in the middle of {doing:?} ({side:?})"));
    for (n, failure) in failures.iter().enumerate() {
        let mut words = failure.splitn(3, ' ');
        let seed = words.next().and_then(|n| n.parse().ok()).unwrap_or_default();
        let (promise, seen) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if n < SHRUNK_MAX {
            tell_failure(ground, seed, wanted.steps, promise, seen);
        } else {
            println!("seed {seed}: {promise}: {seen}");
        }
    }
    let took = started.elapsed().as_secs_f64();
    println!(
        "simulation: {ran} seeds x {} steps, {} failed; {} of {} cells of fault x activity met; {took:.0} s",
        wanted.steps,
        failures.len(),
        Coverage::wanted().len() - missed.len(),
        Coverage::wanted().len(),
    );
    for (seed, status) in &ended {
        println!("a worker ended before its time, in the middle of seed {seed}: {status:?}");
    }
    let met = wanted.need == 0 || missed.is_empty();
    ended.is_empty() && failures.is_empty() && met && ran == wanted.seeds
}

fn start(wanted: Wanted, number: u64) -> Child {
    let program = std::env::current_exe().unwrap_or_else(|e| fail(&e.to_string()));
    let mut command = Command::new(program);
    command.arg("--worker").arg(wanted.jobs.to_string());
    command.arg("--first").arg((wanted.first + number).to_string());
    command.arg("--seeds").arg((wanted.seeds - number).to_string());
    command.arg("--steps").arg(wanted.steps.to_string());
    // What a dying program says on its way down belongs to the simulated night.
    command.stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap_or_else(|e| fail(&format!("a worker does not start: {e}")))
}

fn fail(why: &str) -> ! {
    eprintln!("{why}");
    exit(2)
}
