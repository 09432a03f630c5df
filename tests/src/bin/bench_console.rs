//! What an officer waits for: inbox, search, map, patrols and a page for map programs, from a hub that holds 100,000
//! incidents and 1,000,000 check-ins of a commune, delivered to it as phones deliver them.
//!
//! Every answer is asked over TLS on one connection and read whole, so the figures hold all that the server does: session,
//! read log (synced to disk where a page writes it), queries, page. The machine asks itself; the asking is in the figures.
//!
//! `bench-console [--incidents N] [--check-ins N] [--rounds N] [--dir DIR]`

#[path = "../../../hub/tests/support/phone.rs"]
mod phone;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use phone::{Conn, Phone};
use yenban_hub::app::Hub;
use yenban_hub::clock::ManualClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::folder::Folder;
use yenban_hub::init::{NewHub, init};
use yenban_hub::server::serve;
use yenban_hub::store::ListQuery;
use yenban_hub::{access, ingest};
use yenban_protocol::id::Role;
use yenban_protocol::limits::MAX_SEGMENT_ENTRIES;
use yenban_protocol::record::{Act, Basis, Statement};

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// What an answer may take at the server, milliseconds (p99).
const AIM_MS: f64 = 100.0;
/// Phones of the commune.
const PHONES: usize = 200;
/// Hamlets.
const HAMLETS: usize = 25;
/// Check-ins of one patrol.
const PATROL: usize = 50;
/// A night of November 2026, in milliseconds.
const BEGAN_MS: i64 = 1_795_000_000_000;
const DAY_MS: i64 = 24 * 3_600_000;
/// Days over which everything is spread.
const DAYS: i64 = 120;
const KINDS: [&str; 5] = ["landslide", "theft", "fire", "dispute", "road_power"];
const WORDS: [&str; 24] = [
    "đất",
    "lấp",
    "đường",
    "suối",
    "đá",
    "bạn",
    "cầu",
    "gỗ",
    "nương",
    "trâu",
    "đèn",
    "điện",
    "mưa",
    "lớn",
    "bản",
    "nhà",
    "rẫy",
    "khe",
    "dốc",
    "xe",
    "máy",
    "chợ",
    "trường",
    "rừng",
];

struct Options {
    incidents: usize,
    check_ins: usize,
    rounds: usize,
    dir: PathBuf,
}

/// A small generator, the same sequence in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or("")
    }
}

fn main() -> Fallible<()> {
    let mut options = Options { incidents: 100_000, check_ins: 1_000_000, rounds: 200, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --incidents N, --check-ins N, --rounds N, --dir DIR")?;
        match flag.as_str() {
            "--incidents" => options.incidents = value.parse()?,
            "--check-ins" => options.check_ins = value.parse()?,
            "--rounds" => options.rounds = value.parse()?,
            "--dir" => options.dir = PathBuf::from(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-console-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let outcome = runtime.block_on(run(&options, &dir));
    std::fs::remove_dir_all(&dir)?;
    outcome
}

async fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let clock = ManualClock::at(BEGAN_MS);
    let new = NewHub {
        dir: dir.join("hub"),
        commune: "05200".to_owned(),
        name: "Công an xã".to_owned(),
        recovery_file: None,
        officer: "Hà Văn Sơn".to_owned(),
    };
    init(new, Arc::new(clock.clone())).await?;
    let hub = Hub::open(Folder::new(dir.join("hub")), Arc::new(clock.clone())).await?;
    let serving = serve(Arc::clone(&hub), "127.0.0.1:0").await?;
    let mut conn = Conn::open(serving.address(), &hub.keys.certificate).await?;
    let mut phones = Vec::new();
    for n in 0..PHONES {
        let hamlet = format!("Bản {}", n % HAMLETS + 1);
        let wanted =
            CodeWanted {
                hamlet, create: true, role: Role::Member, name: format!("Người {n}"), addresses: vec!["127.0.0.1:1".to_owned()]
            };
        let code = make_code(&hub, wanted).await?.text;
        let mut phone = Phone::new(BEGAN_MS);
        let answer = phone.enrol(&mut conn, &code).await;
        if answer.status != 200 {
            return Err(format!("enrolment answered {}", answer.status).into());
        }
        phones.push(phone);
    }
    clock.pass(DAYS * DAY_MS);
    let began = Instant::now();
    for (n, phone) in phones.iter_mut().enumerate() {
        live(phone, n, options);
        let last = phone.bodies.len() as u64 - 1;
        for first in (0..=last).step_by(MAX_SEGMENT_ENTRIES) {
            ingest::deliver(&hub, &phone.segment(first, last.min(first + MAX_SEGMENT_ENTRIES as u64 - 1))).await?;
        }
        (phone.bodies, phone.links) = (Vec::new(), Vec::new());
        if n % 20 == 19 {
            eprintln!("{} of {PHONES} phones delivered after {:.0} s", n + 1, began.elapsed().as_secs_f64());
        }
    }
    let totals = hub.store.totals().await?;
    println!(
        "{} incidents, {} check-ins, {} patrols; {} answers of each; milliseconds",
        totals.incidents, totals.check_ins, totals.patrols, options.rounds
    );
    // The one of the beginning was closed by the hub, as idle ones are.
    let mut conn = Conn::open(serving.address(), &hub.keys.certificate).await?;
    let held = ask(&hub, &mut conn, options).await?;
    println!("p99 within {AIM_MS} ms: {}", if held { "held" } else { "MISSED" });
    drop(conn);
    serving.stop().await;
    hub.close().await?;
    Ok(())
}

/// The months of one phone: patrols along a valley, and incidents among them.
fn live(phone: &mut Phone, n: usize, options: &Options) {
    let mut dice = Dice(n as u64 + 1);
    phone.start_log();
    let (patrols, incidents) = ((options.check_ins / PHONES / PATROL).max(1), options.incidents / PHONES);
    let mut reported = 0;
    for patrol in 0..patrols {
        phone.now_ms = BEGAN_MS + DAYS * DAY_MS * patrol as i64 / patrols as i64 + n as i64 * 60_000;
        let started = phone.record(Act::PatrolStarted { crew: vec![phone.member] });
        let (mut lat, mut lon) = (206_000_000 + dice.below(2_000_000) as i32, 1_050_000_000 + dice.below(2_000_000) as i32);
        for _ in 0..PATROL {
            phone.now_ms += 120_000;
            lat += dice.below(4_000) as i32 - 1_900;
            lon += dice.below(4_000) as i32 - 2_000;
            phone.record_at(Act::CheckIn { patrol_seq: Some(started), checkpoint: None, note: None }, Some((lat, lon)));
        }
        // The last patrols of the last phones are still out.
        if patrol + 1 < patrols || n + 10 < PHONES {
            phone.record(Act::PatrolFinished { patrol_seq: started, distance_m: 4_000 });
        }
        while reported * patrols < incidents * (patrol + 1) {
            reported += 1;
            report(phone, &mut dice);
        }
    }
}

fn report(phone: &mut Phone, dice: &mut Dice) {
    let words: Vec<&str> = (0..9).map(|_| dice.pick(&WORDS)).collect();
    let mut text = format!("{} xóm Nánh{}", words.join(" "), 100 + dice.below(900));
    // One in a thousand says what is looked for.
    if dice.below(1_000) == 0 {
        text = format!("Sạt lở ở suối, {text}");
    }
    let act = Act::IncidentReported {
        kind: dice.pick(&KINDS).to_owned(),
        urgent: dice.below(20) == 0,
        attachments: 0,
        statements: vec![Statement { basis: Basis::Seen, text }],
    };
    // The valleys are full, the ridges empty: half of all within 2 km of one place.
    let spread = if dice.below(2) == 0 { 200_000 } else { 2_000_000 };
    let place = (206_000_000 + dice.below(spread) as i32, 1_050_000_000 + dice.below(spread) as i32);
    phone.record_at(act, (dice.below(50) > 0).then_some(place));
}

/// Asks for everything in turns; whether p99 was within the aim.
async fn ask(hub: &Hub, conn: &mut Conn, options: &Options) -> Fallible<bool> {
    let link = access::enter_link(hub, "Hà Văn Sơn").await?;
    let entered = conn.get(&link).await?;
    let cookie = entered.head.split("__Host-yenban=").nth(1).and_then(|rest| rest.split(';').next()).ok_or("no session")?;
    let header = format!("cookie: __Host-yenban={cookie}\r\n");
    let deep = hub.store.incidents(ListQuery { offset: options.incidents as u32 / 2, limit: 1, ..ListQuery::default() }).await?;
    let deep = deep.first().map(|row| row.id.clone()).ok_or("no incident in the middle")?;
    let patrol = hub.store.patrols(ListQuery { limit: 1, ..ListQuery::default() }).await?;
    let patrol = patrol.first().map(|row| row.id.clone()).ok_or("no patrol")?;
    let items = "/console/features/collections";
    let questions = [
        ("inbox, first page", "/console/".to_owned()),
        ("inbox, all, first page", "/console/?all=1".to_owned()),
        ("inbox, a page in the middle", format!("/console/?all=1&after={deep}")),
        ("search: sat lo suoi", "/console/?q=sat+lo+suoi".to_owned()),
        ("search: nanh117 (one in 900)", "/console/?q=nanh117".to_owned()),
        ("search: suoi (one in three)", "/console/?q=suoi".to_owned()),
        ("map, page", "/console/map".to_owned()),
        ("map, whole commune", "/console/map/data?bbox=104.9,20.5,105.3,20.9&zoom=10".to_owned()),
        ("map, a valley", "/console/map/data?bbox=105.0,20.6,105.05,20.65&zoom=13".to_owned()),
        ("map, a hamlet", "/console/map/data?bbox=105.010,20.610,105.016,20.616&zoom=16".to_owned()),
        ("patrols, page", "/console/patrols".to_owned()),
        ("patrol, its way", format!("/console/patrols/{patrol}")),
        ("figures", "/console/figures".to_owned()),
        ("OGC incidents, 100", format!("{items}/incidents/items?limit=100")),
        ("OGC incidents in a box, 100", format!("{items}/incidents/items?limit=100&bbox=105.0,20.6,105.01,20.61")),
        ("OGC check-ins, 100", format!("{items}/check-ins/items?limit=100")),
        ("OGC patrols, 100", format!("{items}/patrols/items?limit=100")),
    ];
    println!("{:<32} {:>9} {:>8} {:>8} {:>8}", "", "bytes", "p50", "p95", "p99");
    let mut held = true;
    for (name, path) in questions {
        let (mut times, mut bytes) = (Vec::new(), 0);
        for round in 0..=options.rounds {
            let start = Instant::now();
            let answer = conn.send("GET", &path, &header, &[]).await?;
            // The first one warms up.
            if round > 0 {
                times.push(start.elapsed());
            }
            if answer.status != 200 {
                return Err(format!("{name}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)).into());
            }
            bytes = answer.body.len();
        }
        let (p50, p95, p99) = (at(&mut times, 50), at(&mut times, 95), at(&mut times, 99));
        held &= p99 <= AIM_MS;
        println!("{name:<32} {bytes:>9} {p50:>8.1} {p95:>8.1} {p99:>8.1}");
    }
    Ok(held)
}

fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times.get(times.len().saturating_sub(1) * percent / 100).map_or(0.0, |d| d.as_secs_f64() * 1_000.0)
}
