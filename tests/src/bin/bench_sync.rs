//! The first sync: 10,000 check-ins of a walk, from the phone's encrypted store over TLS into the hub's.
//!
//! Both sides are the real ones, in one process, on loopback; the clock runs from the call of sync to its
//! outcome, with every receipt applied. The measure beside it is bare SQLite (unencrypted, WAL, FULL) that
//! inserts the same rows in as many transactions, in the same run on the same disk. Positions are those of
//! a recorded walk where one is given, each passed again with fresh noise until there are enough.
//!
//! `bench-sync [--entries N] [--runs N] [--track FILE.gpx] [--dir DIR]`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use yenban_core::Phone;
use yenban_core::app::{CheckIn, IfAbsent};
use yenban_core::clock::VirtualClock;
use yenban_core::store::Folder;
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};
use yenban_hub::Hub;
use yenban_hub::clock::SystemClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::init::{self, NewHub};
use yenban_hub::server::serve;
use yenban_protocol::id::Role;
use yenban_tests::walk::{Noise, Walk};

const AIM_RECORDS_PER_S: f64 = 100_000.0;
const AIM_BYTES_EACH: f64 = 42.0;
const AIM_BYTES_EACH_OF_20: f64 = 70.0;
const AIM_REQUESTS: u64 = 21;
/// 22 November 2026, 21:52 in Vietnam.
const EVENING_MS: i64 = 1_795_359_120_000;
/// Entries of a log beside its check-ins: the log itself, the patrol's start and end.
const FRAME: u64 = 3;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Options {
    entries: u32,
    runs: u32,
    track: PathBuf,
    dir: PathBuf,
}

fn main() -> Fallible<()> {
    let track = PathBuf::from("../shared/data/gpx/korita-zbevnica.gpx");
    let mut options = Options { entries: 10_000, runs: 7, track, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --entries N, --runs N, --track FILE, --dir DIR")?;
        match flag.as_str() {
            "--entries" => options.entries = value.parse()?,
            "--runs" => options.runs = value.parse()?,
            "--track" => options.track = PathBuf::from(value),
            "--dir" => options.dir = PathBuf::from(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-sync-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let outcome = run(&options, &dir);
    std::fs::remove_dir_all(&dir)?;
    outcome
}

fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let clock = || Arc::new(SystemClock);
    let new =
        NewHub { dir: dir.join("hub"), commune: "05200".into(), name: "Công an xã".into(), recovery_file: None, officer: String::new() };
    runtime.block_on(init::init(new, clock()))?;
    let hub = runtime.block_on(Hub::open(yenban_hub::folder::Folder::new(dir.join("hub")), clock()))?;
    let serving = runtime.block_on(serve(Arc::clone(&hub), "127.0.0.1:0"))?;
    let address = serving.address().to_string();
    let join = |name: &str| -> Fallible<Walker> {
        let wanted = CodeWanted {
            hamlet: "Nà Phòn".into(),
            create: true,
            role: Role::Member,
            name: String::new(),
            addresses: vec![address.clone()],
        };
        let code = runtime.block_on(make_code(&hub, wanted))?.text;
        Walker::join(&dir.join(name), &code, &address)
    };
    let walk = Walk::read(&options.track);
    println!("first sync of {} check-ins, {}", options.entries, walk.name());
    let (mut rates, mut bare, mut last) = (Vec::new(), Vec::new(), None);
    for n in 0..=options.runs {
        let mut walker = join(&format!("phone-{n}"))?;
        walker.walk(&walk, options.entries)?;
        let (outcome, took) = walker.sync()?;
        let theirs = insert_bare(&dir.join(format!("bare-{n}.db")), options.entries)?;
        if n > 0 {
            // The first one fills caches and starts threads on both sides.
            rates.push(f64::from(options.entries) / took.as_secs_f64());
            bare.push(f64::from(options.entries) / theirs.as_secs_f64());
        }
        last = Some(outcome);
    }
    let last = last.ok_or("no run")?;
    let (ours, theirs) = (median(&mut rates), median(&mut bare));
    let each = last.pushed_bytes as f64 / last.pushed_entries as f64;
    let best = rates.last().copied().unwrap_or(0.0);
    row("records a second, median", format!("{ours:.0}"), ours >= AIM_RECORDS_PER_S, "100,000 or more");
    row("records a second, best", format!("{best:.0}"), true, "");
    row("against bare SQLite", format!("{:.2} ({theirs:.0} rows a second)", ours / theirs), true, "");
    row("bytes a record", format!("{each:.1}"), each <= AIM_BYTES_EACH, "42 or less");
    row("requests", last.requests.to_string(), last.requests <= AIM_REQUESTS, "21 or less");
    let small = batches_of_20(join("phone-20")?, &walk)?;
    row("bytes a record, 20 at a time", format!("{small:.1}"), small <= AIM_BYTES_EACH_OF_20, "70 or less");
    runtime.block_on(async {
        serving.stop().await;
        hub.close().await
    })?;
    Ok(())
}

fn row(what: &str, figure: String, reached: bool, aim: &str) {
    let verdict = if aim.is_empty() { String::new() } else { format!("aim {aim}: {}", if reached { "reached" } else { "MISSED" }) };
    println!("{what:<30} {figure:>32}   {verdict}");
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// A phone that walks.
struct Walker {
    phone: Phone,
    clock: Arc<VirtualClock>,
    addresses: Vec<String>,
    noise: Noise,
}

impl Walker {
    fn join(dir: &Path, code: &str, address: &str) -> Fallible<Walker> {
        let clock = VirtualClock::starting_at(EVENING_MS);
        let mut phone = Phone::open_software(Folder::at(dir), Box::new(Arc::clone(&clock)), IfAbsent::Create)?;
        let (code, request) = phone.enrol_request(code)?;
        let answer = transport::enrol(&code, request)?;
        phone.enrolled(&code, &answer)?;
        Ok(Walker { phone, clock, addresses: vec![address.to_owned()], noise: Noise::new(42) })
    }

    /// A patrol with so many check-ins. Syncing is off meanwhile: capture has its own benchmark.
    fn walk(&mut self, walk: &Walk, check_ins: u32) -> Fallible<()> {
        self.phone.set_relaxed_for_benchmark(true)?;
        self.phone.patrol_start(&[], None)?;
        self.check_ins(walk, check_ins)?;
        self.phone.patrol_finish()?;
        self.phone.set_relaxed_for_benchmark(false)?;
        Ok(())
    }

    fn check_ins(&mut self, walk: &Walk, count: u32) -> Fallible<()> {
        for n in 0..count {
            // A check-in every minute or two, by hand.
            self.clock.advance_ms(60_000 + u64::from(self.noise.below(60_000)));
            let place = walk.place(n as usize, &mut self.noise);
            self.phone.check_in(&CheckIn { place: Some(place), ..CheckIn::default() })?;
        }
        Ok(())
    }

    fn sync(&mut self) -> Fallible<(Outcome, Duration)> {
        let started = Instant::now();
        let outcome = transport::run(&mut self.phone, &self.addresses, Until::Once, None)?;
        let took = started.elapsed();
        if outcome.verdict != Verdict::UpToDate || outcome.unsent > 0 {
            return Err(format!("the sync did not end well: {outcome:?}").into());
        }
        Ok((outcome, took))
    }
}

fn batches_of_20(mut walker: Walker, walk: &Walk) -> Fallible<f64> {
    const BATCHES: u32 = 20;
    walker.phone.patrol_start(&[], None)?;
    walker.sync()?;
    let (mut bytes, mut entries) = (0, 0);
    for _ in 0..BATCHES {
        walker.check_ins(walk, 20)?;
        let (outcome, _) = walker.sync()?;
        bytes += outcome.pushed_bytes;
        entries += outcome.pushed_entries;
    }
    Ok(bytes as f64 / entries as f64)
}

/// The same rows as the hub keeps, by SQLite alone: one row an entry, one transaction a run of 512.
fn insert_bare(path: &Path, entries: u32) -> Fallible<Duration> {
    let mut conn = Connection::open(path)?;
    conn.execute_batch(
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
         CREATE TABLE entry(log BLOB NOT NULL, seq INTEGER NOT NULL, kind INTEGER NOT NULL, body BLOB NOT NULL,
             PRIMARY KEY(log, seq)) WITHOUT ROWID;",
    )?;
    let body = [7u8; 96];
    let total = u64::from(entries) + FRAME;
    let started = Instant::now();
    let mut seq = 0;
    while seq < total {
        let tx = conn.transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO entry(log, seq, kind, body) VALUES (?1, ?2, 2, ?3)")?;
            for seq in seq..total.min(seq + 512) {
                insert.execute(params![[1u8; 8], seq.cast_signed(), body])?;
            }
        }
        tx.commit()?;
        seq += 512;
    }
    Ok(started.elapsed())
}
