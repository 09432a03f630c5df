//! A thin link to a hub: a proxy on loopback that lets bytes through as slowly, as late and with as much loss as the field.
//!
//! What loss looks like on a stream stands in [`lane`]. Each link is a proxy of its own, with both directions' lines shared
//! by all connections over it. The n-th packet of a direction meets the same fate whenever the seed is the same; times
//! are real ones and differ by what the machine adds.

pub mod lane;

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Runtime;
use tokio::task::{AbortHandle, JoinHandle};

use lane::{BUFFER_BYTES, HEADER_BYTES, Lane, Line, Traffic};

/// A kind of link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its name in tables.
    pub name: &'static str,
    /// From the phone, bits a second.
    pub up_bits_per_s: u64,
    /// To the phone, bits a second.
    pub down_bits_per_s: u64,
    /// There and back with nothing in the way, milliseconds.
    pub round_trip_ms: u64,
    /// Packets lost of a thousand.
    pub loss_per_mille: u32,
}

/// EDGE at the border of a cell.
pub const EDGE: Kind = Kind { name: "EDGE", up_bits_per_s: 64_000, down_bits_per_s: 64_000, round_trip_ms: 600, loss_per_mille: 20 };
/// GPRS.
pub const GPRS: Kind = Kind { name: "2G", up_bits_per_s: 20_000, down_bits_per_s: 40_000, round_trip_ms: 900, loss_per_mille: 30 };
/// 4G where it ends.
pub const EDGE_OF_4G: Kind =
    Kind { name: "edge of 4G", up_bits_per_s: 256_000, down_bits_per_s: 1_000_000, round_trip_ms: 300, loss_per_mille: 100 };
/// A geostationary satellite.
pub const SATELLITE: Kind =
    Kind { name: "satellite", up_bits_per_s: 256_000, down_bits_per_s: 1_000_000, round_trip_ms: 650, loss_per_mille: 5 };

/// Both lines of a link.
struct Lines {
    up: Mutex<Line>,
    down: Mutex<Line>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// A proxy that is a thin link. Ends with everything on it when it is dropped.
pub struct Link {
    address: SocketAddr,
    lines: Arc<Lines>,
    connections: Arc<Mutex<Vec<AbortHandle>>>,
    // Last: ends the tasks.
    _runtime: Background,
}

/// A runtime that may be dropped anywhere.
struct Background(Option<Runtime>);

impl Drop for Background {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl Link {
    /// A link of this kind to `hub`.
    ///
    /// # Errors
    /// No socket or thread can be had.
    pub fn to(hub: SocketAddr, kind: Kind, seed: u64) -> io::Result<Link> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        // The system's own buffers would swallow what the link cannot carry yet.
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(BUFFER_BYTES as u32)?;
        socket.bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let listener = {
            let _inside = runtime.enter();
            socket.listen(64)?
        };
        let address = listener.local_addr()?;
        let lines = Arc::new(Lines {
            up: Mutex::new(Line::new(kind.up_bits_per_s, kind.loss_per_mille, spread(seed))),
            down: Mutex::new(Line::new(kind.down_bits_per_s, kind.loss_per_mille, spread(!seed))),
        });
        let connections = Arc::new(Mutex::new(Vec::new()));
        runtime.spawn(accept(listener, hub, kind.round_trip_ms * 1_000, Arc::clone(&lines), Arc::clone(&connections)));
        Ok(Link { address, lines, connections, _runtime: Background(Some(runtime)) })
    }

    /// Where phones connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went from phones to the hub.
    pub fn up(&self) -> Traffic {
        locked(&self.lines.up).traffic()
    }

    /// What went from the hub to phones.
    pub fn down(&self) -> Traffic {
        locked(&self.lines.down).traffic()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        locked(&self.connections).len()
    }

    /// Breaks every connection, wherever it stands; what was on its way is gone. New ones go through.
    pub fn cut(&self) {
        locked(&self.connections).iter().for_each(AbortHandle::abort);
    }
}

/// Neighbouring seeds far apart.
fn spread(seed: u64) -> u64 {
    let mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn accept(listener: TcpListener, hub: SocketAddr, rtt_us: u64, lines: Arc<Lines>, connections: Arc<Mutex<Vec<AbortHandle>>>) {
    let clock = Clock(Instant::now());
    while let Ok((phone, _)) = listener.accept().await {
        let task: JoinHandle<io::Result<()>> = tokio::spawn(connection(phone, hub, rtt_us, Arc::clone(&lines), clock));
        locked(&connections).push(task.abort_handle());
    }
}

/// A connection of a phone: on loopback it stands at once, over the link it takes a round trip before a byte may leave.
async fn connection(phone: TcpStream, hub: SocketAddr, rtt_us: u64, lines: Arc<Lines>, clock: Clock) -> io::Result<()> {
    let (heard_us, open_us) = lane::open(clock.now_us(), rtt_us, &mut locked(&lines.up), &mut locked(&lines.down));
    clock.sleep_until(heard_us).await;
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(BUFFER_BYTES as u32)?;
    let server = socket.connect(hub).await?;
    phone.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let ((from_phone, to_phone), (from_hub, to_hub)) = (phone.into_split(), server.into_split());
    let up = carry(Way::Up, from_phone, to_hub, Lane::new(rtt_us, open_us), &lines, clock);
    let down = carry(Way::Down, from_hub, to_phone, Lane::new(rtt_us, heard_us), &lines, clock);
    tokio::try_join!(up, down).map(drop)
}

async fn carry(way: Way, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut lane: Lane, lines: &Lines, clock: Clock) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut ended = false;
    loop {
        let (arrived, next_us) = {
            // Always in this order: two lanes never wait for each other.
            let (mut up, mut down) = (locked(&lines.up), locked(&lines.down));
            let (line, back) = if way == Way::Up { (&mut *up, &mut *down) } else { (&mut *down, &mut *up) };
            (lane.run(clock.now_us(), line, back), lane.next_us(line))
        };
        if !arrived.is_empty() {
            // A receiver that does not read holds the lane up, and the lane its sender.
            to.write_all(&arrived).await?;
            continue;
        }
        if ended && lane.is_empty() {
            break;
        }
        let room = lane.room();
        tokio::select! {
            read = from.read(&mut buffer[..room]), if room > 0 && !ended => match read {
                Ok(0) | Err(_) => ended = true,
                Ok(n) => lane.offer(clock.now_us(), &buffer[..n]),
            },
            () = clock.sleep_until(next_us.unwrap_or(u64::MAX)), if next_us.is_some() => {}
        }
    }
    let line = if way == Way::Up { &lines.up } else { &lines.down };
    locked(line).pass(clock.now_us(), HEADER_BYTES);
    to.shutdown().await
}

#[derive(Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now_us(self) -> u64 {
        u64::try_from(self.0.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    async fn sleep_until(self, at_us: u64) {
        tokio::time::sleep_until((self.0 + Duration::from_micros(at_us)).into()).await;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{Shutdown, TcpListener, TcpStream};

    use super::*;

    const QUICK: Kind = Kind { name: "quick", up_bits_per_s: 800_000, down_bits_per_s: 800_000, round_trip_ms: 100, loss_per_mille: 0 };

    /// A hub that says everything again.
    fn echo() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut reader = stream.try_clone().unwrap();
                    let _ = io::copy(&mut reader, &mut stream);
                    let _ = stream.shutdown(Shutdown::Write);
                });
            }
        });
        address
    }

    fn ask(link: &Link, bytes: usize) -> (Vec<u8>, Duration) {
        let started = Instant::now();
        let mut stream = TcpStream::connect(link.address()).unwrap();
        stream.write_all(&vec![5; bytes]).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        (answer, started.elapsed())
    }

    #[test]
    fn a_question_and_its_answer_take_two_round_trips_and_the_time_of_the_lines() {
        let link = Link::to(echo(), QUICK, 1).unwrap();
        let (answer, took) = ask(&link, 1_000);
        assert_eq!(answer.len(), 1_000);
        // Opening, there and back; 1,052 bytes each way at 100 bytes a millisecond.
        assert!((220..400).contains(&took.as_millis()), "{took:?}");
        assert_eq!((link.up().payload_bytes, link.down().payload_bytes, link.connections()), (1_000, 1_000, 1));
    }

    #[test]
    fn loss_delays_and_changes_nothing() {
        let link = Link::to(echo(), Kind { loss_per_mille: 200, ..QUICK }, 3).unwrap();
        let (answer, took) = ask(&link, 30_000);
        assert_eq!(answer.len(), 30_000);
        assert!(link.up().lost > 0 && took.as_millis() > 600, "{took:?}");
        assert!(link.up().line_bytes > 31_000);
    }

    #[test]
    fn a_sender_is_held_back_and_a_cut_ends_it() {
        let slow = Kind { up_bits_per_s: 8_000, ..QUICK };
        let link = Link::to(echo(), slow, 1).unwrap();
        let mut stream = TcpStream::connect(link.address()).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let mut taken = 0;
        let refused = loop {
            match stream.write(&[0; 64 * 1024]) {
                Ok(n) => taken += n,
                Err(e) => break e,
            }
        };
        // What the sender's own system keeps, not what the link passed on.
        assert!(taken < 16 * 1024 * 1024 && link.up().payload_bytes < 4_000, "{taken}: {refused}");
        link.cut();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let ended = stream.read(&mut [0; 16]);
        assert!(!matches!(ended, Ok(1..)), "{ended:?}");
        assert_eq!(ask(&Link::to(echo(), QUICK, 1).unwrap(), 10).0.len(), 10);
    }
}
