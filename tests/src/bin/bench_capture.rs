//! Capture against bare SQLite, in one run on one disk: what does a tick cost?
//!
//! Ours: `check_in` through the public API, sealed, chained, one synced commit in the encrypted spool,
//! visible in the encrypted vault when the call returns. The measure: an unencrypted SQLite database
//! (WAL, FULL) with one row and one outbox row a commit. The two take turns in blocks, so that a disk
//! that is slow for a while is slow for both.
//!
//! `bench-capture [--entries N] [--flat N] [--dir DIR]`

#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use yenban_core::Phone;
use yenban_core::app::CheckIn;
use yenban_core::clock::SystemClock;
use yenban_core::store::Folder;

const BLOCK: u32 = 100;
const AIM: f64 = 0.90;
const FLAT: f64 = 0.20;
type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let mut options = Options { entries: 10_000, flat: 1_000_000, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --entries N, --flat N, --dir DIR")?;
        match flag.as_str() {
            "--entries" => options.entries = value.parse()?,
            "--flat" => options.flat = value.parse()?,
            "--dir" => options.dir = PathBuf::from(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-capture-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let result = run(&options, &dir);
    std::fs::remove_dir_all(&dir)?;
    result
}

struct Options {
    entries: u32,
    flat: u32,
    dir: PathBuf,
}

fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let mut phone = new_phone(&dir.join("phone"))?;
    let mut bare = Bare::open(&dir.join("bare.db"))?;
    // Both warm: statements prepared, caches filled, write-ahead logs grown.
    capture(&mut phone, 2 * BLOCK, 0)?;
    bare.insert(2 * BLOCK)?;
    let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for block in 0..options.entries.div_ceil(BLOCK) {
        let (a, b) = if block % 2 == 0 {
            let a = capture(&mut phone, BLOCK, block * BLOCK)?;
            (a, bare.insert(BLOCK)?)
        } else {
            let b = bare.insert(BLOCK)?;
            (capture(&mut phone, BLOCK, block * BLOCK)?, b)
        };
        ratios.push(rate(&a) / rate(&b));
        ours.extend(a);
        theirs.extend(b);
    }
    println!("capture, {} check-ins, each synced and shown when the call returns", ours.len());
    println!("{:<28} {:>9} {:>9} {:>9} {:>9}", "", "a second", "p50 ms", "p99 ms", "max ms");
    let (rate_ours, rate_theirs) = (rate(&ours), rate(&theirs));
    line("yenban (sealed, encrypted)", &mut ours, rate_ours);
    line("bare SQLite (row + outbox)", &mut theirs, rate_theirs);
    // A stall of the disk hits one side of one pair; the median of the pairs does not see it.
    ratios.sort_unstable_by(f64::total_cmp);
    let ratio = ratios.get(ratios.len() / 2).copied().unwrap_or(0.0);
    println!("ratio of all {:.1} %", rate_ours / rate_theirs * 100.0);
    println!(
        "ratio, median of {} neighbouring blocks: {:.1} % (aim {:.0} %): {}",
        ratios.len(),
        ratio * 100.0,
        AIM * 100.0,
        verdict(ratio >= AIM)
    );
    work_without_disk(&mut phone, &mut bare, options.entries)?;
    drop(phone);
    if options.flat > 0 {
        flatness(options, dir)?;
    }
    Ok(())
}

/// The same without syncing: what is left is our work and SQLite's, and tells where a miss comes from.
fn work_without_disk(phone: &mut Phone, bare: &mut Bare, entries: u32) -> Fallible<()> {
    phone.set_relaxed_for_benchmark(true)?;
    bare.conn.execute_batch("PRAGMA synchronous=OFF")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for block in 0..entries.div_ceil(BLOCK) {
        ours.extend(capture(phone, BLOCK, block * BLOCK)?);
        theirs.extend(bare.insert(BLOCK)?);
    }
    phone.set_relaxed_for_benchmark(false)?;
    println!("without syncing: {:.1} and {:.1} microseconds a tick", 1e6 / rate(&ours), 1e6 / rate(&theirs));
    Ok(())
}

/// The cost of a capture at 1,000 entries and at `--flat` entries, bare SQLite beside it as the measure
/// of the disk.
fn flatness(options: &Options, dir: &Path) -> Fallible<()> {
    let mut phone = new_phone(&dir.join("flat"))?;
    let mut bare = Bare::open(&dir.join("flat-bare.db"))?;
    println!("\nflatness, blocks of {} check-ins", 10 * BLOCK);
    println!("{:>12} {:>12} {:>12} {:>12}", "entries", "ms a tick", "bare ms", "ratio");
    let mut first = None;
    let mut held = 0;
    let mut worst: f64 = 0.0;
    for size in [1_000, 10_000, 100_000, 1_000_000] {
        if size > options.flat {
            break;
        }
        phone.set_relaxed_for_benchmark(true)?;
        seed(&mut phone, held, size)?;
        phone.set_relaxed_for_benchmark(false)?;
        // What seeding left in the page cache goes to the disk now, not into the figures.
        sync_files(dir)?;
        capture(&mut phone, BLOCK, size)?;
        bare.insert(BLOCK)?;
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..10 {
            let (a, b) = (capture(&mut phone, BLOCK, size)?, bare.insert(BLOCK)?);
            ratios.push(rate(&b) / rate(&a));
            ours.extend(a);
            theirs.extend(b);
        }
        ratios.sort_unstable_by(f64::total_cmp);
        held = size + 11 * BLOCK;
        let (a, b) = (1_000.0 / rate(&ours), 1_000.0 / rate(&theirs));
        // Against the disk of the moment, so that a slow minute is not taken for growth.
        let relative = ratios.get(ratios.len() / 2).copied().unwrap_or(0.0);
        let base = *first.get_or_insert(relative);
        worst = worst.max(relative / base - 1.0);
        println!("{size:>12} {a:>12.4} {b:>12.4} {relative:>12.3}");
    }
    println!("growth at most {:.1} % (aim {:.0} %): {}", worst * 100.0, FLAT * 100.0, verdict(worst <= FLAT));
    Ok(())
}

fn sync_files(dir: &Path) -> Fallible<()> {
    for item in std::fs::read_dir(dir)? {
        let item = item?;
        if item.file_type()?.is_dir() {
            sync_files(&item.path())?;
        } else {
            std::fs::File::open(item.path())?.sync_all()?;
        }
    }
    Ok(())
}

fn verdict(held: bool) -> &'static str {
    if held { "held" } else { "MISSED" }
}

fn new_phone(dir: &Path) -> Fallible<Phone> {
    let clock = Box::new(SystemClock::new());
    let mut phone = Phone::open_software(Folder::at(dir), clock, yenban_core::app::IfAbsent::Create)?;
    support::Commune::new().enrol(&mut phone, 7);
    phone.patrol_start(&[], None)?;
    Ok(phone)
}

fn check_in(n: u32) -> CheckIn {
    CheckIn { place: Some(support::place(i32::try_from(n % 100_000).unwrap_or(0) * 7)), ..CheckIn::default() }
}

fn seed(phone: &mut Phone, from: u32, to: u32) -> Fallible<()> {
    for n in from..to {
        // A patrol of a night, not one of a lifetime: what a log of years holds is many patrols.
        if n % 2_000 == 1_999 {
            phone.patrol_finish()?;
            phone.patrol_start(&[], None)?;
        }
        phone.check_in(&check_in(n))?;
    }
    Ok(())
}

fn capture(phone: &mut Phone, count: u32, from: u32) -> Fallible<Vec<Duration>> {
    let mut times = Vec::with_capacity(count as usize);
    for n in from..from + count {
        let input = check_in(n);
        let start = Instant::now();
        phone.check_in(&input)?;
        times.push(start.elapsed());
    }
    Ok(times)
}

/// The measure: unencrypted, one row and one outbox row a commit.
struct Bare {
    conn: Connection,
    next: i64,
}

impl Bare {
    fn open(path: &Path) -> Fallible<Bare> {
        let conn = Connection::open(path)?;
        conn.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000;
             CREATE TABLE entry(seq INTEGER PRIMARY KEY, link BLOB NOT NULL, body BLOB NOT NULL);
             CREATE TABLE outbox(seq INTEGER PRIMARY KEY, state INTEGER NOT NULL, attempts INTEGER NOT NULL);",
        )?;
        Ok(Bare { conn, next: 0 })
    }

    fn insert(&mut self, count: u32) -> Fallible<Vec<Duration>> {
        let body = [0x5A_u8; 128];
        let mut times = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let start = Instant::now();
            let tx = self.conn.transaction()?;
            tx.prepare_cached("INSERT INTO entry(seq, link, body) VALUES (?1, ?2, ?3)")?.execute(params![
                self.next,
                &body[..32],
                &body[..]
            ])?;
            tx.prepare_cached("INSERT INTO outbox(seq, state, attempts) VALUES (?1, 0, 0)")?.execute([self.next])?;
            tx.commit()?;
            times.push(start.elapsed());
            self.next += 1;
        }
        Ok(times)
    }
}

fn rate(times: &[Duration]) -> f64 {
    times.len() as f64 / times.iter().sum::<Duration>().as_secs_f64()
}

fn line(name: &str, times: &mut [Duration], rate: f64) {
    times.sort_unstable();
    let at = |p: usize| times.get(times.len() * p / 100).map_or(0.0, |d| d.as_secs_f64() * 1_000.0);
    let max = times.last().map_or(0.0, |d| d.as_secs_f64() * 1_000.0);
    println!("{name:<28} {rate:>9.0} {:>9.3} {:>9.3} {max:>9.3}", at(50), at(99));
}
