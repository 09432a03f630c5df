//! How long an alert takes from the officer's word to the store of each of a thousand phones that stay connected.
//!
//! The hub is a process of its own; the phones are the real ones, in this process on the same cores, each with an encrypted
//! store and a TLS connection of its own on which its request for news waits. Time runs from the moment the order to send is
//! given to the hub until the alert stands in the phone's store: signature and place in the stream verified, synced to disk.
//! A receipt is the phone's next request, which says what it has stored; the round is over when the hub has counted all of
//! them. Phones that were off sync once at the end, and must then have every alert.
//!
//! `bench-alert [--phones N] [--off N] [--rounds N] [--dir DIR]`

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use yenban_core::app::IfAbsent;
use yenban_core::clock::SystemClock as PhoneClock;
use yenban_core::store::Folder;
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};
use yenban_core::{Error, Phone};
use yenban_hub::admin::{Admin, EnrolWanted, ListKind};
use yenban_hub::alert::AlertWanted;
use yenban_hub::clock::SystemClock;
use yenban_hub::init::{self, NewHub};
use yenban_hub::server::serve;
use yenban_hub::store::{AlertListing, ListQuery};

const AIM_P99_MS: f64 = 2_000.0;
const OFFICER: &str = "Hà Văn Sơn";
/// Members of one hamlet, as in a commune of some forty hamlets.
const PER_HAMLET: usize = 25;
/// What the last alert says: whoever has it hangs up.
const END: &str = "Hết đo";
/// Nobody waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than any run; [`END`] ends it.
const STAY_MS: u64 = 3_600_000;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[derive(Clone)]
struct Options {
    phones: usize,
    off: usize,
    rounds: usize,
    dir: PathBuf,
}

fn main() -> Fallible<()> {
    let mut options = Options { phones: 1_000, off: 100, rounds: 5, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --phones N, --off N, --rounds N, --dir DIR")?;
        match flag.as_str() {
            "--phones" => options.phones = value.parse::<usize>()?.max(1),
            "--off" => options.off = value.parse()?,
            "--rounds" => options.rounds = value.parse::<usize>()?.max(1),
            "--dir" => options.dir = PathBuf::from(value),
            // The other half of this program: the hub.
            "--serve" => return be_the_hub(Path::new(&value)),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-alert-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let outcome = run(&options, &dir);
    std::fs::remove_dir_all(&dir)?;
    outcome
}

/// Serves until its input ends; tells where, and at each line how many phones wait.
fn be_the_hub(dir: &Path) -> Fallible<()> {
    let runtime = Runtime::new()?;
    let (hub, serving) = runtime.block_on(async {
        let hub = init::open(dir).await?;
        let serving = serve(Arc::clone(&hub), "127.0.0.1:0").await?;
        Fallible::Ok((hub, serving))
    })?;
    let mut out = std::io::stdout();
    writeln!(out, "{}", serving.address())?;
    for line in std::io::stdin().lines() {
        line?;
        writeln!(out, "{}", hub.waiting.waiters())?;
    }
    runtime.block_on(async {
        serving.stop().await;
        hub.close().await
    })?;
    Ok(())
}

/// The hub's process.
struct HubProcess {
    child: Child,
    ask: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
    address: String,
}

impl HubProcess {
    fn start(dir: &Path) -> Fallible<Self> {
        let own = std::env::current_exe()?;
        let mut child = Command::new(own).arg("--serve").arg(dir).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let ask = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("no output")?);
        let mut hub = Self { child, ask, answers, address: String::new() };
        hub.address = hub.line()?;
        Ok(hub)
    }

    fn line(&mut self) -> Fallible<String> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() { Err("the hub's process ended".into()) } else { Ok(line.trim().to_owned()) }
    }

    /// Waits until so many phones wait.
    fn until_waiting(&mut self, phones: usize) -> Fallible<()> {
        let started = Instant::now();
        loop {
            writeln!(self.ask.as_mut().ok_or("no input")?)?;
            let waiters: usize = self.line()?.parse()?;
            if waiters >= phones {
                return Ok(());
            }
            if started.elapsed() > PATIENCE {
                return Err(format!("{waiters} of {phones} phones wait").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// CPU time so far, in ticks of 10 ms.
    fn cpu_time(&self) -> Duration {
        const TICK_MS: u64 = 10;
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let fields = stat.rsplit(") ").next().unwrap_or_default();
        let ticks: u64 = fields.split(' ').skip(11).take(2).filter_map(|n| n.parse::<u64>().ok()).sum();
        Duration::from_millis(ticks * TICK_MS)
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // Its input ends, and with it the hub; it may have ended already.
        drop(self.ask.take());
        let _ = self.child.wait();
    }
}

fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let hub_dir = dir.join("hub");
    let new =
        NewHub { dir: hub_dir.clone(), commune: "05200".into(), name: "Công an xã".into(), recovery_file: None, officer: OFFICER.into() };
    runtime.block_on(init::init(new, Arc::new(SystemClock)))?;
    let mut hub = HubProcess::start(&hub_dir)?;
    let address = hub.address.clone();
    eprintln!("{} phones join ...", options.phones + options.off);
    join_all(options, dir, &hub_dir, &address)?;

    let (told, heard) = channel();
    let phones: Vec<_> = (0..options.phones)
        .map(|n| {
            let (folder, address, told) = (folder(dir, n), address.clone(), told.clone());
            std::thread::Builder::new().name(format!("phone {n}")).spawn(move || stay(&folder, address, &told))
        })
        .collect::<Result<_, _>>()?;
    drop(told);

    let mut admin = runtime.block_on(Admin::open(&hub_dir))?;
    let (mut all, mut rows, mut sent) = (Vec::new(), Vec::new(), Vec::new());
    for n in 1..=options.rounds {
        hub.until_waiting(options.phones)?;
        let cpu = hub.cpu_time();
        let started = Instant::now();
        let alert = runtime.block_on(admin.alert(wanted(&format!("Lũ trên suối Nánh, tin {n}"))))?;
        let told = started.elapsed();
        let mut times = collect(&heard, &alert.id, options.phones, started)?;
        let row = counted(&runtime, &mut admin, &alert.id, options.phones)?;
        let counted_after = started.elapsed();
        let rungs = row.rungs;
        if rungs.none != options.off as u64 || row.delivered.len() != options.phones {
            return Err(format!("the hub counted {rungs:?}, {} phones", row.delivered.len()).into());
        }
        times.sort();
        let cpu = hub.cpu_time().saturating_sub(cpu);
        rows.push(format!(
            "| {n} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {} in {:.0} | {:.0} |",
            ms(told),
            at(&times, 0.5),
            at(&times, 0.95),
            at(&times, 0.99),
            at(&times, 1.0),
            rungs.delivered,
            ms(counted_after),
            ms(cpu)
        ));
        all.extend(times);
        sent.push(alert.id);
    }
    let late = next_contact(&runtime, &mut admin, options, dir, &sent)?;
    hub.until_waiting(options.phones)?;
    runtime.block_on(admin.alert(wanted(END)))?;
    for phone in phones {
        phone.join().map_err(|_| "a phone's thread ended")??;
    }
    runtime.block_on(admin.close())?;
    report(options, &rows, &mut all, late);
    Ok(())
}

fn wanted(headline: &str) -> AlertWanted {
    AlertWanted {
        headline: headline.into(),
        description: "Nước dâng nhanh, đã ngập ngầm Đá Bạn.".into(),
        instruction: "Rời bờ suối. Lên nhà văn hóa bản.".into(),
        severity: "Extreme".into(),
        second: Some(OFFICER.into()),
        ..AlertWanted::default()
    }
}

fn folder(dir: &Path, n: usize) -> PathBuf {
    dir.join(format!("phone-{n}"))
}

fn open(folder: &Path, if_absent: IfAbsent) -> Fallible<Phone> {
    Ok(Phone::open_software(Folder::at(folder), Box::new(PhoneClock::new()), if_absent)?)
}

/// All phones join and sync, so that all have the whole directory; those that stay off are among them.
fn join_all(options: &Options, dir: &Path, hub_dir: &Path, address: &str) -> Fallible<()> {
    let all = options.phones + options.off;
    let hands = std::thread::available_parallelism().map_or(1, usize::from);
    let each = |work: &(dyn Fn(usize, &Runtime, &mut Admin) -> Fallible<()> + Sync)| -> Fallible<()> {
        std::thread::scope(|scope| {
            let hand = |hand: usize| {
                move || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    let mut admin = runtime.block_on(Admin::open(hub_dir))?;
                    (hand..all).step_by(hands).try_for_each(|n| work(n, &runtime, &mut admin))
                }
            };
            let hands: Vec<_> = (0..hands).map(|n| scope.spawn(hand(n))).collect();
            hands.into_iter().try_for_each(|hand| hand.join().map_err(|_| "a thread of the benchmark ended")?)
        })
    };
    each(&|n, runtime, admin| {
        let wanted = EnrolWanted {
            hamlet: format!("Bản {}", n / PER_HAMLET + 1),
            create: true,
            role: "member".into(),
            name: format!("Người {n}"),
            address: Some(address.to_owned()),
        };
        let code = runtime.block_on(admin.enrol(wanted))?.code;
        let mut phone = open(&folder(dir, n), IfAbsent::Create)?;
        let (code, request) = phone.enrol_request(&code)?;
        let answer = transport::enrol(&code, request)?;
        phone.enrolled(&code, &answer)?;
        Ok(())
    })?;
    each(&|n, _, _| sync(&mut open(&folder(dir, n), IfAbsent::Refuse)?, address).map(drop))
}

fn sync(phone: &mut Phone, address: &str) -> Fallible<Outcome> {
    let outcome = transport::run(phone, &[address.to_owned()], Until::Once, None)?;
    if outcome.verdict != Verdict::UpToDate {
        return Err(format!("a sync did not end well: {outcome:?}").into());
    }
    Ok(outcome)
}

/// One phone's life: it waits, tells of each alert when it stands in its store, and waits again.
fn stay(folder: &Path, address: String, told: &Sender<(String, Instant)>) -> Fallible<()> {
    let mut phone = open(folder, IfAbsent::Refuse)?;
    let (mut known, mut over) = (BTreeSet::new(), false);
    let mut heard = |phone: &mut Phone, outcome: &Outcome| {
        let stored = Instant::now();
        if outcome.pulled_items > 0 {
            for alert in phone.alerts()? {
                over |= alert.headline == END;
                if known.insert(alert.id.clone()) {
                    // Nobody listens any more when the run has failed elsewhere.
                    let _ = told.send((alert.id, stored));
                }
            }
        }
        if over { Err(Error::Offline("hangs up".into())) } else { Ok(()) }
    };
    let ended = transport::stay(&mut phone, &[address], STAY_MS, &mut heard);
    match ended {
        Err(Error::Offline(_)) if over => Ok(()),
        other => Err(format!("a phone did not stay: {other:?}").into()),
    }
}

/// Times of one alert on every phone.
fn collect(heard: &Receiver<(String, Instant)>, id: &str, phones: usize, started: Instant) -> Fallible<Vec<Duration>> {
    let mut times = Vec::with_capacity(phones);
    while times.len() < phones {
        let (which, at) = heard.recv_timeout(PATIENCE).map_err(|_| format!("{} of {phones} phones have it", times.len()))?;
        if which == id {
            times.push(at.duration_since(started));
        }
    }
    Ok(times)
}

/// Waits until the hub has counted so many receipts of an alert.
fn counted(runtime: &Runtime, admin: &mut Admin, id: &str, receipts: usize) -> Fallible<AlertListing> {
    let started = Instant::now();
    loop {
        let query = ListQuery { name: Some(id.to_owned()), ..ListQuery::default() };
        let row = runtime.block_on(admin.list::<AlertListing>(ListKind::Alerts, query, ""))?.pop().ok_or("the alert is not in the list")?;
        if row.rungs.delivered >= receipts as u64 {
            return Ok(row);
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("{} of {receipts} receipts were counted", row.rungs.delivered).into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Phones that were off sync once; how many then had every alert. Their receipts are counted with the sync after it.
fn next_contact(runtime: &Runtime, admin: &mut Admin, options: &Options, dir: &Path, sent: &[String]) -> Fallible<usize> {
    let mut late = 0;
    for n in options.phones..options.phones + options.off {
        let mut phone = open(&folder(dir, n), IfAbsent::Refuse)?;
        let addresses = phone.enrolment().ok_or("not enrolled")?.addresses.clone();
        let address = addresses.first().ok_or("no address")?;
        sync(&mut phone, address)?;
        let has: BTreeSet<String> = phone.alerts()?.into_iter().filter(|alert| alert.state == "live").map(|alert| alert.id).collect();
        late += usize::from(sent.iter().all(|id| has.contains(id)));
        sync(&mut phone, address)?;
    }
    for id in sent {
        let row = counted(runtime, admin, id, options.phones + options.off)?;
        if row.rungs.none > 0 {
            return Err(format!("{} members are said not to have it", row.rungs.none).into());
        }
    }
    Ok(late)
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn at(sorted: &[Duration], share: f64) -> f64 {
    ms(sorted[((sorted.len() - 1) as f64 * share).ceil() as usize])
}

fn report(options: &Options, rows: &[String], all: &mut [Duration], late: usize) {
    all.sort();
    println!("{} phones connected, {} off; milliseconds from the order to send", options.phones, options.off);
    println!("| alert | hub said sent | p50 | p95 | p99 | last phone | receipts counted | CPU of the hub |");
    println!("|---|---|---|---|---|---|---|---|");
    rows.iter().for_each(|row| println!("{row}"));
    let p99 = at(all, 0.99);
    println!("all {}: p50 {:.0}, p95 {:.0}, p99 {p99:.0}, last {:.0}", all.len(), at(all, 0.5), at(all, 0.95), at(all, 1.0));
    println!("phones that were off and had every alert at their next contact: {late} of {}", options.off);
    let held = p99 < AIM_P99_MS && late == options.off;
    println!("aim p99 < {AIM_P99_MS:.0} ms, all late ones served: {}", if held { "reached" } else { "MISSED" });
}
