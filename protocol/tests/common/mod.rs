//! A small hamlet for the tests: a seeded source of bytes, keys, and a night patrol.

#![allow(dead_code, unreachable_pub)]

pub mod village;

use rand_core::{Infallible, TryCryptoRng, TryRng};
use yenban_protocol::chain::{Body, FIRST_LINK};
use yenban_protocol::crypto::{SecretKey, sha256};
use yenban_protocol::id::{BootId, DeviceId, EntryName, LogId, MemberNo};
use yenban_protocol::record::{Act, Common, Position, Provider, Record};
use yenban_protocol::segment::{Head, Run};
use yenban_protocol::time::{Anchor, Stamp};

/// SHA-256 in counter mode over a seed: the same bytes on every machine, for ever.
pub struct Seeded {
    seed: [u8; 32],
    counter: u64,
    left: Vec<u8>,
}

impl Seeded {
    pub fn new(seed: &str) -> Self {
        Self { seed: sha256(seed.as_bytes()), counter: 0, left: Vec::new() }
    }

    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    pub fn below(&mut self, n: u64) -> u64 {
        u64::from_be_bytes(self.bytes()) % n
    }

    fn fill(&mut self, out: &mut [u8]) {
        for byte in out {
            if self.left.is_empty() {
                let mut block = self.seed.to_vec();
                block.extend_from_slice(&self.counter.to_be_bytes());
                self.counter += 1;
                self.left = sha256(&block).to_vec();
            }
            *byte = self.left.pop().expect("just refilled");
        }
    }
}

impl TryRng for Seeded {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(self.bytes()))
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(self.bytes()))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.fill(out);
        Ok(())
    }
}
impl TryCryptoRng for Seeded {}

pub const LOG: LogId = LogId([0x5a, 1, 2, 3, 4, 5, 6, 7]);
pub const DEVICE: DeviceId = DeviceId([0xde, 1, 2, 3, 4, 5, 6, 7]);

pub fn stamp(wall_ms: i64, monotonic_ms: u64) -> Stamp {
    Stamp {
        wall_ms,
        monotonic_ms,
        boot: BootId([9; 8]),
        anchor: Some(Anchor { hub_ms: 1_763_740_800_000, monotonic_ms: 1_000, rtt_ms: 180 }),
        gnss_ms: None,
    }
}

/// A walk with noise in place, time and accuracy, as cheap phones record it.
pub fn check_ins(rng: &mut Seeded, n: usize) -> Vec<Body> {
    let (mut wall, mut mono, mut lat, mut lon) = (1_763_744_400_000i64, 3_600_000u64, 206_601_200i64, 1_050_834_500i64);
    (0..n)
        .map(|_| {
            let step = 60_000 + rng.below(240_000);
            wall += step as i64 + rng.below(3) as i64 - 1;
            mono += step;
            lat += rng.below(20_000) as i64 - 8_000;
            lon += rng.below(20_000) as i64 - 8_000;
            let mut position = Position::new(lat as i32, lon as i32, Provider::Gnss).expect("on earth");
            position.accuracy_cm = Some(300 + 10 * rng.below(120) as u32);
            position.fix_age_ms = Some(rng.below(4_000) as u32);
            let mut stamp = stamp(wall, mono);
            stamp.gnss_ms = Some((wall / 1_000) * 1_000);
            let record = Record {
                common: Common { author: MemberNo(7), unconfirmed: false, stamp, position: Some(position) },
                act: Act::CheckIn { patrol_seq: Some(1), checkpoint: None, note: None },
            };
            Body::new(rng.bytes(), record.to_parts().expect("within bounds")).expect("a body")
        })
        .collect()
}

/// A run with its signed head.
pub fn run(bodies: Vec<Body>, first: u64, device: &SecretKey, token: Option<Vec<u8>>) -> Run {
    let mut run = Run { log: LOG, first, previous: if first == 0 { FIRST_LINK } else { [0x11; 32] }, bodies, heads: Vec::new() };
    let link = *run.links().last().expect("at least one entry");
    let name = EntryName { log: LOG, seq: run.last() };
    run.heads.push(Head::sign(name, &link, DEVICE, token, device).expect("signs"));
    run
}
