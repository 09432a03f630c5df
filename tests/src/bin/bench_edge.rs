//! A sync over a thin link: 200 check-ins of a walk from a phone to a hub, until their receipts are verified.
//!
//! Phone and hub are the real ones in one process; between them lies the link of `yenban_tests::link`. The phone joined and
//! synced where there was network, walked, and has the thin link alone. Beside it, in the same round, over a link of its
//! own with the same seed: the same check-ins as plain JSON in one POST over HTTPS to the same hub's key, as they are
//! and with gzip. That server only answers: it stores nothing, and what it gets is neither sealed nor signed. Time runs from
//! the first byte to the verified receipt, to the answer there; bytes are those on the line both ways, headers of packets,
//! repetitions, acknowledgements, opening and closing included.
//!
//! `bench-edge [--entries N] [--rounds N] [--track FILE.gpx] [--link edge|2g|4g|satellite] [--dir DIR]`

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned};
use yenban_core::Phone;
use yenban_core::app::{CheckIn, IfAbsent, Place};
use yenban_core::clock::{Clock, SystemClock as PhoneClock};
use yenban_core::store::Folder;
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};
use yenban_hub::Hub;
use yenban_hub::clock::SystemClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::init::{self, NewHub};
use yenban_hub::server::{serve, tls_config};
use yenban_protocol::id::Role;
use yenban_tests::link::lane::Traffic;
use yenban_tests::link::{EDGE, EDGE_OF_4G, GPRS, Kind, Link, SATELLITE};
use yenban_tests::walk::{Noise, Walk};

const AIM_S: f64 = 3.5;
const AIM_BYTES: f64 = 12_000.0;
/// Round trips after which the closing of a connection has passed the link as well.
const CLOSING_ROUND_TRIPS: u32 = 3;

type Fallible<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

struct Options {
    entries: u32,
    rounds: u32,
    track: PathBuf,
    kind: Kind,
    dir: PathBuf,
}

fn main() -> Fallible<()> {
    let track = PathBuf::from("../shared/data/gpx/korita-zbevnica.gpx");
    let mut options = Options { entries: 200, rounds: 41, track, kind: EDGE, dir: std::env::temp_dir() };
    let mut args = std::env::args().skip(1);
    while let Some(flag) = args.next() {
        let value = args.next().ok_or("each option takes a value: --entries N, --rounds N, --track FILE, --link KIND, --dir DIR")?;
        match flag.as_str() {
            "--entries" => options.entries = value.parse()?,
            "--rounds" => options.rounds = value.parse::<u32>()?.max(1),
            "--track" => options.track = PathBuf::from(value),
            "--dir" => options.dir = PathBuf::from(value),
            "--link" => {
                options.kind = match value.as_str() {
                    "edge" => EDGE,
                    "2g" => GPRS,
                    "4g" => EDGE_OF_4G,
                    "satellite" => SATELLITE,
                    other => return Err(format!("unknown link {other}: edge, 2g, 4g or satellite").into()),
                }
            }
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    let dir = options.dir.join(format!("yenban-bench-edge-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let outcome = run(&options, &dir);
    std::fs::remove_dir_all(&dir)?;
    outcome
}

fn run(options: &Options, dir: &Path) -> Fallible<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let new =
        NewHub { dir: dir.join("hub"), commune: "05200".into(), name: "Công an xã".into(), recovery_file: None, officer: String::new() };
    runtime.block_on(init::init(new, Arc::new(SystemClock)))?;
    let hub = runtime.block_on(Hub::open(yenban_hub::folder::Folder::new(dir.join("hub")), Arc::new(SystemClock)))?;
    let serving = runtime.block_on(serve(Arc::clone(&hub), "127.0.0.1:0"))?;
    let plain = plain_server(tls_config(&hub)?)?;
    let trust = trusting(hub.keys.certificate.clone())?;
    let walk = Walk::read(&options.track);
    let kind = options.kind;
    println!(
        "{} check-ins {} over {}: {} kbit/s up, {} down, round trip {} ms, loss {} %; {} rounds",
        options.entries,
        walk.name(),
        kind.name,
        kind.up_bits_per_s / 1_000,
        kind.down_bits_per_s / 1_000,
        kind.round_trip_ms,
        f64::from(kind.loss_per_mille) / 10.0,
        options.rounds
    );
    let (mut ours, mut json, mut gzip) = (Figures::default(), Figures::default(), Figures::default());
    let mut last = None;
    for seed in 1..=u64::from(options.rounds) {
        let wanted = CodeWanted {
            hamlet: "Nà Phòn".into(),
            create: true,
            role: Role::Member,
            name: String::new(),
            addresses: vec![serving.address().to_string()],
        };
        let code = runtime.block_on(make_code(&hub, wanted))?.text;
        let mut walker = Walker::join(&dir.join(format!("phone-{seed}")), &code)?;
        walker.sync(serving.address())?;
        walker.walk(&walk, options.entries)?;
        let bodies = (walker.json()?, gzipped(&walker.json()?)?);
        let over = |hub: SocketAddr| Link::to(hub, kind, seed);
        let (synced, plainly, small) = std::thread::scope(|threads| {
            let plainly = threads.spawn(|| measured(over(plain)?, kind, |to| post(&trust, to, &bodies.0, false)));
            let small = threads.spawn(|| measured(over(plain)?, kind, |to| post(&trust, to, &bodies.1, true)));
            let synced = over(serving.address()).map_err(Into::into).and_then(|link| measured(link, kind, |to| walker.sync(to)));
            (synced, plainly.join(), small.join())
        });
        let gone = |_| "a thread of the benchmark ended";
        last = Some(ours.take(synced?));
        json.take(plainly.map_err(gone)??);
        gzip.take(small.map_err(gone)??);
    }
    let last = last.ok_or("no round")?;
    println!("                            median s     p90 s   bytes on the line   of the streams: up + down   packets lost   connections");
    ours.print("ours, to verified receipts");
    json.print("plain JSON");
    gzip.print("plain JSON, gzip");
    let (seconds, bytes) = (median(&mut ours.seconds), median(&mut ours.line_bytes));
    if kind == EDGE && options.entries == 200 {
        println!("aim {AIM_S} s: {}", if seconds <= AIM_S { "reached" } else { "MISSED" });
        println!("aim {AIM_BYTES} bytes: {}", if bytes <= AIM_BYTES { "reached" } else { "MISSED" });
    }
    println!(
        "bodies of the last sync: {} bytes of segments, {} of the feed, {} requests",
        last.pushed_bytes, last.pulled_bytes, last.requests
    );
    runtime.block_on(async {
        serving.stop().await;
        hub.close().await
    })?;
    Ok(())
}

/// What one round over one link gave.
struct Measured<T> {
    took: Duration,
    up: Traffic,
    down: Traffic,
    connections: usize,
    outcome: T,
}

fn measured<T>(link: Link, kind: Kind, work: impl FnOnce(SocketAddr) -> Fallible<T>) -> Fallible<Measured<T>> {
    let started = Instant::now();
    let outcome = work(link.address())?;
    let took = started.elapsed();
    std::thread::sleep(Duration::from_millis(kind.round_trip_ms) * CLOSING_ROUND_TRIPS);
    Ok(Measured { took, up: link.up(), down: link.down(), connections: link.connections(), outcome })
}

#[derive(Default)]
struct Figures {
    seconds: Vec<f64>,
    line_bytes: Vec<f64>,
    up_bytes: Vec<f64>,
    down_bytes: Vec<f64>,
    lost: u64,
    connections: usize,
}

impl Figures {
    fn take<T>(&mut self, measured: Measured<T>) -> T {
        let Measured { took, up, down, connections, outcome } = measured;
        self.seconds.push(took.as_secs_f64());
        self.line_bytes.push((up.line_bytes + down.line_bytes) as f64);
        self.up_bytes.push(up.payload_bytes as f64);
        self.down_bytes.push(down.payload_bytes as f64);
        self.lost += up.lost + down.lost;
        self.connections += connections;
        outcome
    }

    fn print(&mut self, what: &str) {
        let (half, most) = (median(&mut self.seconds), self.seconds[(self.seconds.len() * 9 / 10).min(self.seconds.len() - 1)]);
        let (line, up, down) = (median(&mut self.line_bytes), median(&mut self.up_bytes), median(&mut self.down_bytes));
        println!("{what:<26} {half:>9.2} {most:>9.2} {line:>19.0} {up:>19.0} + {down:<5.0} {:>14} {:>13}", self.lost, self.connections);
    }
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(0.0)
}

/// The machine's clocks, moved on while nothing happens.
struct Hurried {
    clock: PhoneClock,
    ahead_ms: AtomicU64,
}

impl Clock for Hurried {
    fn wall_ms(&self) -> i64 {
        self.clock.wall_ms().saturating_add_unsigned(self.ahead_ms.load(Ordering::Relaxed))
    }
    fn monotonic_ms(&self) -> u64 {
        self.clock.monotonic_ms() + self.ahead_ms.load(Ordering::Relaxed)
    }
    fn boot_id(&self) -> [u8; 8] {
        self.clock.boot_id()
    }
}

/// A phone that walks.
struct Walker {
    phone: Phone,
    clock: Arc<Hurried>,
    walked: Vec<(i64, Place)>,
}

impl Walker {
    fn join(dir: &Path, code: &str) -> Fallible<Walker> {
        let clock = Arc::new(Hurried { clock: PhoneClock::new(), ahead_ms: AtomicU64::new(0) });
        let mut phone = Phone::open_software(Folder::at(dir), Box::new(Arc::clone(&clock)), IfAbsent::Create)?;
        let (code, request) = phone.enrol_request(code)?;
        let answer = transport::enrol(&code, request)?;
        phone.enrolled(&code, &answer)?;
        Ok(Walker { phone, clock, walked: Vec::new() })
    }

    fn walk(&mut self, walk: &Walk, check_ins: u32) -> Fallible<()> {
        let mut noise = Noise::new(42);
        self.phone.patrol_start(&[], None)?;
        for n in 0..check_ins {
            // A check-in every minute or two, by hand.
            self.clock.ahead_ms.fetch_add(60_000 + u64::from(noise.below(60_000)), Ordering::Relaxed);
            let place = walk.place(n as usize, &mut noise);
            self.walked.push((self.clock.wall_ms(), place.clone()));
            self.phone.check_in(&CheckIn { place: Some(place), ..CheckIn::default() })?;
        }
        self.phone.patrol_finish()?;
        Ok(())
    }

    fn sync(&mut self, to: SocketAddr) -> Fallible<Outcome> {
        let outcome = transport::run(&mut self.phone, &[to.to_string()], Until::Once, None)?;
        if outcome.verdict != Verdict::UpToDate || outcome.unsent > 0 {
            return Err(format!("the sync did not end well: {outcome:?}").into());
        }
        Ok(outcome)
    }

    /// The walk as most systems send it: one object a record, each with an identifier of its own.
    fn json(&self) -> Fallible<Vec<u8>> {
        let mut noise = Noise::new(9);
        let mut identifier = || {
            let part = |noise: &mut Noise| noise.below(1 << 16);
            let p: Vec<u32> = (0..8).map(|_| part(&mut noise)).collect();
            format!(
                "{:04x}{:04x}-{:04x}-4{:03x}-a{:03x}-{:04x}{:04x}{:04x}",
                p[0],
                p[1],
                p[2],
                p[3] & 0xfff,
                p[4] & 0xfff,
                p[5],
                p[6],
                p[7]
            )
        };
        let (device, patrol) = (identifier(), identifier());
        let records: Vec<_> = self
            .walked
            .iter()
            .map(|(at_ms, place)| {
                serde_json::json!({
                    "id": identifier(), "type": "check_in", "patrol_id": patrol, "recorded_at": at_ms,
                    "latitude": f64::from(place.lat_e7) / 1e7, "longitude": f64::from(place.lon_e7) / 1e7,
                    "accuracy_m": place.accuracy_cm.map(|cm| f64::from(cm) / 100.0), "fix_age_ms": place.fix_age_ms,
                    "provider": "gnss",
                })
            })
            .collect();
        Ok(serde_json::to_vec(&serde_json::json!({ "device_id": device, "records": records }))?)
    }
}

fn gzipped(bytes: &[u8]) -> Fallible<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

/// A server that takes one POST a connection and says that it has it.
fn plain_server(mut config: ServerConfig) -> Fallible<SocketAddr> {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = Arc::clone(&config);
            // A client that goes away is no concern of the others.
            std::thread::spawn(move || drop(answer(config, stream)));
        }
    });
    Ok(address)
}

fn answer(config: Arc<ServerConfig>, stream: TcpStream) -> Fallible<()> {
    stream.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ServerConnection::new(config)?, stream);
    read_message(&mut tls)?;
    let body = br#"{"status":"ok","received":200}"#;
    write!(tls, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len())?;
    tls.write_all(body)?;
    tls.flush()?;
    let _ = tls.read(&mut [0; 1]);
    Ok(())
}

/// A head and as many bytes as it announces.
fn read_message(from: &mut impl Read) -> Fallible<Vec<u8>> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    loop {
        let n = from.read(&mut buffer)?;
        if n == 0 {
            return Err("the connection ended within a message".into());
        }
        bytes.extend_from_slice(&buffer[..n]);
        let Some(head) = bytes.windows(4).position(|w| w == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")).ok_or("a message without length")?;
        if bytes.len() >= head + 4 + length.trim().parse::<usize>()? {
            return Ok(bytes);
        }
    }
}

fn trusting(certificate: CertificateDer<'static>) -> Fallible<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(&[&rustls::version::TLS13])?;
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn post(config: &Arc<ClientConfig>, to: SocketAddr, body: &[u8], is_gzip: bool) -> Fallible<()> {
    let stream = TcpStream::connect(to)?;
    stream.set_nodelay(true)?;
    let mut tls = StreamOwned::new(ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?, stream);
    let encoding = if is_gzip { "Content-Encoding: gzip\r\n" } else { "" };
    write!(
        tls,
        "POST /api/v1/records HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n{encoding}Content-Length: {}\r\n\r\n",
        body.len()
    )?;
    tls.write_all(body)?;
    tls.flush()?;
    let answer = read_message(&mut tls)?;
    tls.conn.send_close_notify();
    tls.flush()?;
    if answer.starts_with(b"HTTP/1.1 200") { Ok(()) } else { Err("the plain server refused".into()) }
}
