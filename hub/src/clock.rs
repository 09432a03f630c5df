//! The hub's only view of time, so that tests can let ten minutes or half a year pass at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// An hour, in milliseconds.
pub const HOUR_MS: i64 = 3_600_000;
/// A day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// How far Viet Nam is ahead of UTC, all year, in milliseconds.
pub const ZONE_MS: i64 = 7 * HOUR_MS;

/// Says what time it is, in milliseconds since 1970-01-01 UTC.
pub trait Clock: Send + Sync + 'static {
    /// Now, in milliseconds.
    fn now_ms(&self) -> i64;
}

/// A shared clock.
pub type SharedClock = Arc<dyn Clock>;

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        // A machine set before 1970 gives a negative number: wrong, but no reason to fall over.
        match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// The whole second that a moment lies in, in milliseconds: CAP counts whole seconds.
#[must_use]
pub fn whole_second_ms(ms: i64) -> i64 {
    ms - ms.rem_euclid(1_000)
}

/// How long something takes, unmoved by changes of the machine's clock: for time limits and figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(std::time::Instant);

impl Stopwatch {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Since the start.
    pub(crate) fn elapsed(self) -> std::time::Duration {
        self.0.elapsed()
    }
}

/// A clock that stands still until it is moved.
#[derive(Clone, Debug, Default)]
pub struct ManualClock(Arc<AtomicI64>);

impl ManualClock {
    /// A clock that stands at `now_ms`.
    #[must_use]
    pub fn at(now_ms: i64) -> Self {
        Self(Arc::new(AtomicI64::new(now_ms)))
    }

    /// Lets `ms` milliseconds pass (negative: turns back).
    pub fn pass(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// A moment as people and JSON read it: RFC 3339, always +07:00, milliseconds kept when present.
#[must_use]
pub fn rfc3339(ms: i64) -> String {
    use jiff::{Timestamp, tz};
    let zone = tz::TimeZone::fixed(tz::offset(7));
    match Timestamp::from_millisecond(ms) {
        Ok(moment) => {
            let zoned = moment.to_zoned(zone);
            if ms.rem_euclid(1000) == 0 {
                zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
            } else {
                zoned.strftime("%Y-%m-%dT%H:%M:%S%.3f%:z").to_string()
            }
        }
        // Only reachable for years beyond 9999: the number itself is then the honest answer.
        Err(_) => ms.to_string(),
    }
}

/// Hub time as the time of a file, and back.
pub(crate) mod file_time {
    use super::{Duration, SystemTime, UNIX_EPOCH};

    /// The file time of a moment, ms since 1970 UTC.
    pub(crate) fn of(ms: i64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(ms.max(0) as u64)
    }

    /// The moment of a file time; one before 1970 is read as 1970.
    pub(crate) fn ms(time: SystemTime) -> i64 {
        time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

/// A moment as HTTP headers carry it (RFC 9110): GMT, whole seconds.
#[must_use]
pub fn http_date(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(moment) => moment.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_in_vietnamese_time() {
        assert_eq!(rfc3339(0), "1970-01-01T07:00:00+07:00");
        assert_eq!(rfc3339(1_770_306_845_250), "2026-02-05T22:54:05.250+07:00");
    }

    #[test]
    fn a_header_carries_gmt() {
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_second_begins_before_what_lies_in_it() {
        assert_eq!([1_999, 2_000, 2_001, -1].map(whole_second_ms), [1_000, 2_000, 2_000, -1_000]);
    }

    #[test]
    fn a_manual_clock_moves_only_when_told() {
        let clock = ManualClock::at(5);
        clock.pass(10);
        assert_eq!(clock.now_ms(), 15);
    }
}
