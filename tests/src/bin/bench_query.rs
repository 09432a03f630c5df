//! What a screen waits for: a page of 50 incidents, the pins of a map, a search without diacritics, all among
//! 100,000 incidents in the encrypted vault of a phone.
//!
//! *Warm* asks for the same few places again and again, as somebody does who scrolls, pans and searches; *anywhere*
//! asks for any place of the whole set, most of which is in no cache. The measure beside both is bare SQLite:
//! unencrypted, the index each query needs, the same rows and words, in turns with ours in the same run.
//!
//! `bench-query [--incidents N] [--queries N] [--dir DIR]`

#[path = "../../../core/tests/support/mod.rs"]
mod support;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};
use yenban_core::Phone;
use yenban_core::app::{IfAbsent, Place, Report, Said};
use yenban_core::clock::SystemClock;
use yenban_core::store::Folder;
use yenban_protocol::record::Provider;
use yenban_protocol::text::fold;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

const PAGE: u32 = 50;
const PINS_MAX: u32 = 200;
/// Side of the box, 1e-7 degree: about 400 m.
const BOX_E7: i32 = 40_000;
/// What a page, the pins of a box and a search may take, milliseconds.
const AIMS_MS: [f64; QUERIES] = [0.05, 0.05, 0.25, f64::INFINITY];
const NAMES: [&str; QUERIES] = ["page of 50", "pins in a box", "text search", "text search, worst"];
const QUERIES: usize = 4;
/// Queries of one kind in a row.
const BLOCK: u32 = 100;
const KINDS: [&str; 5] = ["landslide", "theft", "fire", "dispute", "road_power"];
/// Places that are asked for again and again when warm.
const WARM_PLACES: usize = 16;
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

fn main() -> Fallible<()> {
    let (mut incidents, mut queries, mut dir) = (100_000u32, 2_000u32, std::env::temp_dir());
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --incidents N, --queries N, --dir DIR")?;
        match flag.as_str() {
            "--incidents" => incidents = value.parse()?,
            "--queries" => queries = value.parse()?,
            "--dir" => dir = PathBuf::from(value),
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = dir.join(format!("yenban-bench-query-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let outcome = run(incidents, queries, &dir);
    std::fs::remove_dir_all(&dir)?;
    outcome
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

/// An incident of a commune 20 km wide: ten words, one of them a place name that about a hundred others share.
fn report(dice: &mut Dice, n: u32) -> Report {
    let words: Vec<&str> = (0..9).map(|_| dice.pick(&WORDS)).collect();
    let text = format!("{} xóm Nánh{}", words.join(" "), 100 + n % 900);
    let lat_e7 = 206_000_000 + i32::try_from(dice.below(2_000_000)).unwrap_or(0);
    let lon_e7 = 1_050_000_000 + i32::try_from(dice.below(2_000_000)).unwrap_or(0);
    Report {
        kind: dice.pick(&KINDS).to_owned(),
        urgent: n.is_multiple_of(20),
        statements: vec![Said { basis: "seen".to_owned(), text }],
        place: Some(Place::new(lat_e7, lon_e7, Provider::Gnss)),
        photos: 0,
    }
}

fn run(incidents: u32, queries: u32, dir: &Path) -> Fallible<()> {
    let mut phone = Phone::open_software(Folder::at(dir.join("phone")), Box::new(SystemClock::new()), IfAbsent::Create)?;
    support::Commune::new().enrol(&mut phone, 7);
    let mut bare = Bare::open(&dir.join("bare.db"))?;
    eprintln!("recording {incidents} incidents ...");
    seed(&mut phone, &mut bare, incidents)?;

    let anchors = pages(&mut phone, incidents)?;
    println!("query, {incidents} incidents, {queries} of each; milliseconds");
    println!("{:<28} {:>6} {:>9} {:>9} {:>10} {:>10} {:>8} {:>8}", "", "rows", "p50", "p99", "bare p50", "bare p99", "ratio", "aim p50");
    let warm = ask(&mut phone, &bare, &anchors, WARM_PLACES, queries)?;
    ask(&mut phone, &bare, &anchors, usize::MAX, queries)?;
    println!("warm p50 within the aims: {}", if warm { "held" } else { "MISSED" });
    Ok(())
}

/// What is asked at one place.
struct Asked<'a> {
    after: Option<&'a Anchor>,
    corner: (i32, i32),
    /// A place's name with a word that a third of the reports have, and with one that all of them have.
    words: [String; 2],
}

impl<'a> Asked<'a> {
    fn new(seed: u64, anchors: &'a [Anchor]) -> Self {
        let mut dice = Dice(seed);
        dice.below(2);
        let after = anchors.get(dice.below(anchors.len().max(1)));
        let corner = (206_000_000 + dice.below(1_960_000) as i32, 1_050_000_000 + dice.below(1_960_000) as i32);
        let place = format!("nanh{}", 100 + dice.below(900));
        Self { after, corner, words: [format!("suoi {place}"), format!("xom {place}")] }
    }

    fn here(&self, query: usize, phone: &mut Phone) -> Fallible<usize> {
        let (south, west) = self.corner;
        Ok(match query {
            0 => phone.incidents(self.after.map(|a| a.name.as_str()), PAGE)?.len(),
            1 => phone.pins(south, west, south + BOX_E7, west + BOX_E7, PINS_MAX)?.len(),
            _ => phone.search(&self.words[query - 2], PAGE)?.len(),
        })
    }

    fn there(&self, query: usize, bare: &Bare) -> Fallible<usize> {
        match query {
            0 => bare.page(self.after),
            1 => bare.pins(self.corner),
            _ => bare.search(&self.words[query - 2]),
        }
    }
}

/// Asks each query `queries` times for one of `places` places, ours and bare SQLite in blocks by turns; whether p50
/// was within the aims.
fn ask(phone: &mut Phone, bare: &Bare, anchors: &[Anchor], places: usize, queries: u32) -> Fallible<bool> {
    let mut ours: [Vec<Duration>; QUERIES] = Default::default();
    let mut theirs: [Vec<Duration>; QUERIES] = Default::default();
    let mut rows = [0usize; QUERIES];
    let mut which = Dice(3);
    for query in 0..QUERIES {
        for block in 0..=queries / BLOCK {
            let asked: Vec<Asked<'_>> = (0..BLOCK).map(|_| Asked::new(which.below(places) as u64, anchors)).collect();
            let (mut found, mut there) = (0, 0);
            // The first block warms up.
            let counted = block > 0;
            for one in &asked {
                let start = Instant::now();
                found += one.here(query, phone)?;
                if counted {
                    ours[query].push(start.elapsed());
                }
            }
            for one in &asked {
                let start = Instant::now();
                there += one.there(query, bare)?;
                if counted {
                    theirs[query].push(start.elapsed());
                }
            }
            if found != there {
                return Err(format!("{}: {found} rows here, {there} in bare SQLite", NAMES[query]).into());
            }
            rows[query] += if counted { found } else { 0 };
        }
    }
    let kind = if places == usize::MAX { "anywhere" } else { "warm" };
    let mut held = true;
    for query in 0..QUERIES {
        let (p50, p99) = (at(&mut ours[query], 50), at(&mut ours[query], 99));
        let (bare50, bare99) = (at(&mut theirs[query], 50), at(&mut theirs[query], 99));
        let each = rows[query] as f64 / f64::from(queries);
        held &= p50 <= AIMS_MS[query];
        let (name, aim) = (format!("{}, {kind}", NAMES[query]), AIMS_MS[query]);
        println!("{name:<28} {each:>6.0} {p50:>9.3} {p99:>9.3} {bare50:>10.3} {bare99:>10.3} {:>8.2} {aim:>8.2}", p50 / bare50);
    }
    Ok(held)
}

fn seed(phone: &mut Phone, bare: &mut Bare, incidents: u32) -> Fallible<()> {
    let mut dice = Dice(1);
    phone.set_relaxed_for_benchmark(true)?;
    bare.conn.execute_batch("BEGIN")?;
    for n in 0..incidents {
        let report = report(&mut dice, n);
        phone.report(&report)?;
        bare.insert(n, &report)?;
    }
    bare.conn.execute_batch("COMMIT")?;
    phone.set_relaxed_for_benchmark(false)?;
    Ok(())
}

/// Where a page may begin: a name, and what bare SQLite needs to begin at the same row.
struct Anchor {
    name: String,
    urgent: bool,
    number: i64,
}

/// Places all over the list, from which pages go on.
fn pages(phone: &mut Phone, incidents: u32) -> Fallible<Vec<Anchor>> {
    let (mut anchors, mut last) = (Vec::new(), None::<String>);
    loop {
        let page = phone.incidents(last.as_deref(), 500)?;
        let Some(end) = page.last() else { break };
        // Entry 0 begins the log, so incident n is entry n + 1.
        let number = end.id.rsplit(':').next().and_then(|seq| seq.parse::<i64>().ok()).ok_or("a name without number")? - 1;
        if anchors.len() * 500 + 500 + PAGE as usize <= incidents as usize {
            anchors.push(Anchor { name: end.id.clone(), urgent: end.urgent, number });
        }
        last = Some(end.id.clone());
    }
    Ok(anchors)
}

fn at(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    times.get(times.len() * percent / 100).map_or(0.0, |d| d.as_secs_f64() * 1_000.0)
}

/// The measure: unencrypted, one table, an index a query.
struct Bare {
    conn: Connection,
}

impl Bare {
    fn open(path: &Path) -> Fallible<Bare> {
        let conn = Connection::open(path)?;
        conn.execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA cache_size=-8192;
             CREATE TABLE incident(number INTEGER PRIMARY KEY, at_ms INTEGER, kind TEXT, urgent INTEGER, lat_e7 INTEGER, lon_e7 INTEGER, headline TEXT);
             CREATE INDEX incident_order ON incident(urgent DESC, at_ms DESC, number DESC);
             CREATE VIRTUAL TABLE pin USING rtree_i32(number, south, north, west, east, +kind TEXT, +urgent INTEGER);
             CREATE VIRTUAL TABLE words USING fts5(folded, content='', tokenize='unicode61 remove_diacritics 0');",
        )?;
        Ok(Bare { conn })
    }

    fn insert(&mut self, n: u32, report: &Report) -> Fallible<()> {
        let text = report.statements.first().map_or("", |s| s.text.as_str());
        let (lat, lon) = report.place.as_ref().map_or((0, 0), |p| (p.lat_e7, p.lon_e7));
        let insert = "INSERT INTO incident VALUES (?1, ?1, ?2, ?3, ?4, ?5, ?6)";
        self.conn.prepare_cached(insert)?.execute(params![n, report.kind, report.urgent, lat, lon, text])?;
        let insert = "INSERT INTO pin VALUES (?1, ?2, ?2, ?3, ?3, ?4, ?5)";
        self.conn.prepare_cached(insert)?.execute(params![n, lat, lon, report.kind, report.urgent])?;
        self.conn.prepare_cached("INSERT INTO words(rowid, folded) VALUES (?1, ?2)")?.execute(params![n, fold(text)])?;
        Ok(())
    }

    fn page(&self, after: Option<&Anchor>) -> Fallible<usize> {
        let (urgent, number) = after.map_or((true, i64::MAX), |a| (a.urgent, a.number));
        let select = "SELECT number, kind, urgent, lat_e7, lon_e7, headline FROM incident
             WHERE (urgent, at_ms, number) < (?1, ?2, ?2) ORDER BY urgent DESC, at_ms DESC, number DESC LIMIT ?3";
        let mut select = self.conn.prepare_cached(select)?;
        let rows = select.query_map(params![urgent, number, PAGE], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?, row.get::<_, bool>(2)?, row.get::<_, String>(5)?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }

    fn pins(&self, (south, west): (i32, i32)) -> Fallible<usize> {
        let select = "SELECT number, south, west, kind, urgent FROM pin
             WHERE south >= ?1 AND north <= ?2 AND west >= ?3 AND east <= ?4 LIMIT ?5";
        let mut select = self.conn.prepare_cached(select)?;
        let rows = select.query_map(params![south, south + BOX_E7, west, west + BOX_E7, PINS_MAX], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i32>(1)?, row.get::<_, i32>(2)?, row.get::<_, String>(3)?))
        })?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }

    fn search(&self, words: &str) -> Fallible<usize> {
        let quoted: Vec<String> = words.split(' ').map(|w| format!("\"{w}\"")).collect();
        let select = "SELECT i.number, i.kind, i.headline FROM words w JOIN incident i ON i.number = w.rowid
             WHERE words MATCH ?1 ORDER BY w.rowid DESC LIMIT ?2";
        let mut select = self.conn.prepare_cached(select)?;
        let rows = select.query_map(params![quoted.join(" "), PAGE], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(2)?)))?;
        Ok(rows.collect::<Result<Vec<_>, _>>()?.len())
    }
}
