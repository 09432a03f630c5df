//! Pushes a second: 64 TLS connections deliver pre-sealed segments of 20 check-ins to a hub with an encrypted
//! database, the load on the same machine as the hub.
//!
//! Every push is the whole way: TLS, opening, chain, signature, one durable commit, signed receipt. The measure beside
//! it is bare SQLite (unencrypted, WAL, FULL) inserting the same rows, one commit a push, in the same run on the same
//! disk.
//!
//! `bench-hub [--connections N] [--pushes N] [--entries N] [--dir DIR]`

#[path = "../../../hub/tests/support/phone.rs"]
mod phone;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use phone::{Conn, Phone};
use rusqlite::{Connection, params};
use yenban_hub::Hub;
use yenban_hub::clock::SystemClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::init::{self, NewHub};
use yenban_hub::server::serve;
use yenban_protocol::chain::StoredBody;
use yenban_protocol::id::Role;
use yenban_protocol::record::Act;
use yenban_protocol::wire::path as route;

const AIM_PUSHES_PER_S: f64 = 4_000.0;
const AIM_P99_MS: f64 = 30.0;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone)]
struct Options {
    connections: usize,
    pushes: usize,
    entries: usize,
    dir: PathBuf,
}

fn main() -> Fallible<()> {
    let mut options = Options { connections: 64, pushes: 400, entries: 20, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --connections N, --pushes N, --entries N, --dir DIR")?;
        match flag.as_str() {
            "--connections" => options.connections = value.parse()?,
            "--pushes" => options.pushes = value.parse()?,
            "--entries" => options.entries = value.parse()?,
            "--dir" => options.dir = PathBuf::from(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-hub-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(&options, &dir));
    std::fs::remove_dir_all(&dir)?;
    outcome
}

/// One phone's work: its connection and its sealed segments in order.
struct Load {
    phone: Phone,
    conn: Conn,
    segments: Vec<Vec<u8>>,
}

async fn prepare(hub: &Hub, address: std::net::SocketAddr, options: &Options) -> Fallible<Load> {
    let wanted = CodeWanted {
        hamlet: "Nà Phòn".to_owned(),
        create: true,
        role: Role::Member,
        name: String::new(),
        addresses: vec![address.to_string()],
    };
    let code = make_code(hub, wanted).await?;
    let mut conn = Conn::open(address, &hub.keys.certificate).await?;
    let mut phone = Phone::new(hub.now_ms());
    let answer = phone.enrol(&mut conn, &code.text).await;
    if answer.status != 200 {
        return Err(format!("enrolment answered {}", answer.status).into());
    }
    phone.start_log();
    let patrol = phone.record(Act::PatrolStarted { crew: vec![phone.member] });
    for _ in 0..options.pushes * options.entries {
        phone.check_in(Some(patrol));
    }
    let answer = phone.push(&mut conn, 0, patrol).await;
    if answer.status != 200 {
        return Err(format!("the first push answered {}", answer.status).into());
    }
    Ok(Load { phone, conn, segments: Vec::new() })
}

fn seal_all(load: &mut Load, options: &Options) {
    let first = 2;
    let segment = |n: usize| {
        let from = (first + n * options.entries) as u64;
        load.phone.segment(from, from + options.entries as u64 - 1)
    };
    load.segments = (0..options.pushes).map(segment).collect();
}

async fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let new = NewHub {
        dir: dir.join("hub"),
        commune: "05200".to_owned(),
        name: "Công an xã".to_owned(),
        recovery_file: None,
        officer: String::new(),
    };
    init::init(new, Arc::new(SystemClock)).await?;
    let hub = init::open(&dir.join("hub")).await?;
    let serving = serve(Arc::clone(&hub), "127.0.0.1:0").await?;
    let mut loads = Vec::new();
    for _ in 0..options.connections {
        loads.push(prepare(&hub, serving.address(), options).await?);
    }
    eprintln!("sealing {} segments ...", options.connections * options.pushes);
    let sealing = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in loads.chunks_mut(options.connections.div_ceil(sealing)) {
            scope.spawn(move || part.iter_mut().for_each(|load| seal_all(load, options)));
        }
    });
    let bytes: usize = loads.iter().flat_map(|l| &l.segments).map(Vec::len).sum();
    let half = loads.len() / 2;
    let bare_before = bare(&dir.join("bare1.db"), &loads[..half], options)?;

    // Connections anew: those from before the sealing may have been closed as idle.
    for load in &mut loads {
        load.conn = Conn::open(serving.address(), &hub.keys.certificate).await?;
    }
    let before = hub.store.totals().await?;
    let (started, cpu) = (Instant::now(), cpu_time());
    let tasks: Vec<_> = loads.into_iter().map(|load| tokio::spawn(push_all(load))).collect();
    let (mut times, mut loads) = (Vec::new(), Vec::new());
    for task in tasks {
        let (load, own) = task.await??;
        times.extend(own);
        loads.push(load);
    }
    let (took, cpu) = (started.elapsed(), cpu_time().saturating_sub(cpu));
    let after = hub.store.totals().await?;
    let bare_after = bare(&dir.join("bare2.db"), &loads[half..], options)?;

    let pushes = options.connections * options.pushes;
    let kept = after.check_ins - before.check_ins;
    if kept != (pushes * options.entries) as u64 || after.receipts - before.receipts != pushes as u64 {
        return Err(format!("{kept} check-ins were kept of {}", pushes * options.entries).into());
    }
    let wrong = hub.store.check_chains().await?;
    if !wrong.is_empty() {
        return Err(format!("chains: {wrong:?}").into());
    }
    report(options, bytes, took, cpu, &mut times, (bare_before + bare_after) / 2.0);
    serving.stop().await;
    hub.close().await?;
    Ok(())
}

async fn push_all(mut load: Load) -> Fallible<(Load, Vec<Duration>)> {
    let mut times = Vec::with_capacity(load.segments.len());
    let mut last = None;
    for segment in &load.segments {
        let started = Instant::now();
        let answer = load.conn.post(route::SEGMENTS, segment).await?;
        times.push(started.elapsed());
        if answer.status != 200 {
            return Err(format!("a push answered {}", answer.status).into());
        }
        last = Some(answer);
    }
    // The last receipt of each phone is verified in full: everything is held and joined.
    let receipt = load.phone.receipt(&last.ok_or("no push")?);
    let newest = load.phone.bodies.len() as u64 - 1;
    if receipt.ranges.first().map(|r| (r.first, r.last)) != Some((0, newest)) || !receipt.floating.is_empty() {
        return Err("a receipt does not name everything that was sent".into());
    }
    Ok((load, times))
}

/// The same rows into bare SQLite; pushes a second.
fn bare(file: &Path, loads: &[Load], options: &Options) -> Fallible<f64> {
    let db = Connection::open(file)?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE entry (log BLOB, branch INTEGER, seq INTEGER, kind INTEGER, received_ms INTEGER, link BLOB, body BLOB, head BLOB,
           PRIMARY KEY (log, branch, seq)) WITHOUT ROWID;",
    )?;
    let mut insert = db.prepare("INSERT INTO entry VALUES (?1, 0, ?2, 2, ?3, ?4, ?5, NULL)")?;
    let rounds = options.pushes.min(50);
    let bodies: Vec<Vec<Vec<u8>>> = loads
        .iter()
        .map(|l| l.phone.bodies.iter().skip(2).take(rounds * options.entries).map(|b| StoredBody::Whole(b.clone()).to_bytes()).collect())
        .collect();
    let started = Instant::now();
    for round in 0..rounds {
        for (load, bodies) in loads.iter().zip(&bodies) {
            db.execute_batch("BEGIN IMMEDIATE")?;
            let rows = bodies.iter().zip(&load.phone.links).enumerate();
            for (at, (body, link)) in rows.skip(round * options.entries).take(options.entries) {
                insert.execute(params![load.phone.log.0, at as i64, load.phone.now_ms, link, body])?;
            }
            db.execute_batch("COMMIT")?;
        }
    }
    Ok((rounds * loads.len()) as f64 / started.elapsed().as_secs_f64())
}

/// CPU time of this process so far, in ticks of 10 ms.
fn cpu_time() -> Duration {
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default();
    let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * TICK_MS)
}

fn report(options: &Options, bytes: usize, took: Duration, cpu: Duration, times: &mut [Duration], bare: f64) {
    times.sort();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share) as usize;
        times[index].as_secs_f64() * 1_000.0
    };
    let rate = times.len() as f64 / took.as_secs_f64();
    println!("| figure | value | aim |");
    println!("|---|---|---|");
    println!("| connections, check-ins a push | {}, {} | 64, 20 |", options.connections, options.entries);
    println!("| pushes | {} in {:.2} s | |", times.len(), took.as_secs_f64());
    println!("| pushes/s | {rate:.0} | >= {AIM_PUSHES_PER_S:.0} |");
    println!("| check-ins/s | {:.0} | |", rate * options.entries as f64);
    println!("| bytes a check-in on the wire | {:.1} | |", bytes as f64 / (times.len() * options.entries) as f64);
    println!("| CPU a push, load included | {:.0} µs | |", cpu.as_secs_f64() * 1e6 / times.len() as f64);
    println!("| p50 | {:.1} ms | |", at(0.5));
    println!("| p99 | {:.1} ms | <= {AIM_P99_MS:.0} ms |", at(0.99));
    println!("| longest | {:.1} ms | |", at(1.0));
    println!("| bare SQLite, the same rows, one commit a push | {bare:.0} pushes/s | |");
    println!("| ratio to bare SQLite | {:.2} | |", rate / bare);
    let held = rate >= AIM_PUSHES_PER_S && at(0.99) <= AIM_P99_MS;
    println!("{}", if held { "Both aims hold." } else { "An aim is missed." });
}
