//! Honest time: what a phone knew when it recorded, and the interval in which it truly happened.
//!
//! A wall clock may be years off, so an entry freezes everything that was known: the wall clock, the
//! monotonic clock with its boot, the last contact with the hub in that boot, and satellite time. From
//! these, and from two facts that the hub signs (a token: "not before"; a receipt: "not after"), comes
//! `[earliest, latest]`. All times are milliseconds since 1970-01-01T00:00:00Z, without leap seconds.

use crate::cbor::{Reader, Writer};
use crate::error::Result;
use crate::id::BootId;

/// Drift of a phone's monotonic clock that we allow for, in parts per million.
pub const DRIFT_PPM: u64 = 100;
/// Uncertainty of a live satellite time, milliseconds.
pub const GNSS_UNCERTAINTY_MS: i64 = 2_000;

/// A contact with the hub within the same boot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// The hub's time in its answer.
    pub hub_ms: i64,
    /// The phone's monotonic clock when the answer came.
    pub monotonic_ms: u64,
    /// Time between asking and answer: the uncertainty.
    pub rtt_ms: u64,
}

/// What a phone's clocks said when an entry was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The wall clock, whatever it said.
    pub wall_ms: i64,
    /// Since boot, suspended time included.
    pub monotonic_ms: u64,
    /// Which boot.
    pub boot: BootId,
    /// The last contact with the hub in this boot.
    pub anchor: Option<Anchor>,
    /// Satellite time of the fix, where there was one.
    pub gnss_ms: Option<i64>,
}

/// Between when and when something happened, and the best single figure for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    /// Not before.
    pub earliest_ms: i64,
    /// Not after.
    pub latest_ms: i64,
    /// For people to read; lies within the interval.
    pub best_ms: i64,
    /// Satellite time contradicts what the hub's signatures allow.
    pub gnss_conflict: bool,
}

/// What the hub's signatures add.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Hub time of the newest token in the chain before the entry.
    pub not_before_ms: Option<i64>,
    /// Hub time of the receipt.
    pub not_after_ms: Option<i64>,
}

impl Anchor {
    /// Writes `[hub_ms, monotonic_ms, rtt_ms]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(3).int(self.hub_ms).uint(self.monotonic_ms).uint(self.rtt_ms);
    }

    /// Reads what [`Anchor::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(3, "anchor")?;
        Ok(Self { hub_ms: r.int("hub time")?, monotonic_ms: r.uint("anchor clock")?, rtt_ms: r.uint("round trip")? })
    }
}

impl Stamp {
    /// The interval of a thing recorded live. `imported` marks a recorded track played back: its satellite
    /// time is a claim about an earlier day, so the interval is the hull of that claim and of the writing.
    pub fn interval(&self, bounds: Bounds, imported: bool) -> Interval {
        let written = self.written(bounds);
        let Some(gnss) = self.gnss_ms else { return written };
        let claim = (gnss.saturating_sub(GNSS_UNCERTAINTY_MS), gnss.saturating_add(GNSS_UNCERTAINTY_MS));
        if imported {
            let outside = claim.1 < written.earliest_ms || claim.0 > written.latest_ms;
            return Interval {
                earliest_ms: written.earliest_ms.min(claim.0),
                latest_ms: written.latest_ms.max(claim.1),
                best_ms: gnss,
                gnss_conflict: outside,
            };
        }
        let (earliest, latest) = (written.earliest_ms.max(claim.0), written.latest_ms.min(claim.1));
        if earliest > latest {
            return Interval { gnss_conflict: true, ..written };
        }
        Interval { earliest_ms: earliest, latest_ms: latest, best_ms: gnss.clamp(earliest, latest), gnss_conflict: false }
    }

    /// When the entry was written, without satellites.
    fn written(&self, bounds: Bounds) -> Interval {
        let not_before = bounds.not_before_ms.unwrap_or(i64::MIN);
        let not_after = bounds.not_after_ms.unwrap_or(i64::MAX).max(not_before);
        let (from, to, best) = match self.anchor {
            Some(anchor) if self.monotonic_ms >= anchor.monotonic_ms => {
                let elapsed = self.monotonic_ms - anchor.monotonic_ms;
                // The round trip was measured by the same clock, so it drifts too.
                let measured = elapsed.saturating_add(anchor.rtt_ms);
                let drift = measured / 1_000_000 * DRIFT_PPM + measured % 1_000_000 * DRIFT_PPM / 1_000_000;
                let slack = clamp_i64(anchor.rtt_ms.saturating_add(drift).saturating_add(1));
                let now = anchor.hub_ms.saturating_add(clamp_i64(elapsed));
                (now.saturating_sub(slack), now.saturating_add(slack), now)
            }
            // A wall clock alone bounds nothing: it may have been set to anything.
            _ => (i64::MIN, i64::MAX, self.wall_ms),
        };
        let (mut earliest, mut latest) = (from.max(not_before), to.min(not_after));
        if earliest > latest {
            // The anchor contradicts the signatures (another epoch's clock): the signatures hold.
            (earliest, latest) = (not_before, not_after);
        }
        Interval { earliest_ms: earliest, latest_ms: latest, best_ms: best.clamp(earliest, latest), gnss_conflict: false }
    }
}

fn clamp_i64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}
