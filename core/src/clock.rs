//! The only module that reads the time.
//!
//! Three facts are kept apart because each lies in its own way: the wall clock can be set by
//! anyone, the monotonic clock means nothing after a restart, and the boot id says which restart
//! it counts from.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the core takes time from.
pub trait Clock: Send + Sync {
    /// Wall clock, milliseconds since 1970-01-01 UTC; negative before it. May jump.
    fn wall_ms(&self) -> i64;
    /// Milliseconds since the phone started, sleep included. Never goes back within a boot.
    fn monotonic_ms(&self) -> u64;
    /// Eight bytes that differ at every start of the phone.
    fn boot_id(&self) -> [u8; 8];
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn wall_ms(&self) -> i64 {
        (**self).wall_ms()
    }
    fn monotonic_ms(&self) -> u64 {
        (**self).monotonic_ms()
    }
    fn boot_id(&self) -> [u8; 8] {
        (**self).boot_id()
    }
}

/// The clocks of the operating system.
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot_id: [u8; 8],
}

impl SystemClock {
    /// Reads the boot id once. Where the system names none, the moment of the start stands for it: if
    /// the wall clock is set in between, two processes take the boots for different ones, and times
    /// become wider, never wrong.
    pub fn new() -> Self {
        let named = read_boot_id();
        let clock = SystemClock { boot_id: [0; 8] };
        let started_s = (clock.wall_ms() - i64::try_from(clock.monotonic_ms()).unwrap_or(0)) / 1_000;
        SystemClock { boot_id: named.unwrap_or(started_s.to_be_bytes()) }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

/// First eight bytes of the kernel's boot id (Linux, Android).
fn read_boot_id() -> Option<[u8; 8]> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let hex: String = text.chars().filter(char::is_ascii_hexdigit).take(16).collect();
    let number = u64::from_str_radix(&hex, 16).ok()?;
    (hex.len() == 16).then(|| number.to_be_bytes())
}

impl Clock for SystemClock {
    fn wall_ms(&self) -> i64 {
        match std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
            Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
        }
    }

    fn monotonic_ms(&self) -> u64 {
        // CLOCK_BOOTTIME goes on while the phone sleeps; Apple's CLOCK_MONOTONIC does too.
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let clock = rustix::time::ClockId::Boottime;
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let clock = rustix::time::ClockId::Monotonic;
        let now = rustix::time::clock_gettime(clock);
        let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
        let millis = u64::try_from(now.tv_nsec / 1_000_000).unwrap_or(0);
        seconds.saturating_mul(1_000).saturating_add(millis)
    }

    fn boot_id(&self) -> [u8; 8] {
        self.boot_id
    }
}

/// A clock that stands until it is told to go, for tests and simulations.
#[derive(Debug)]
pub struct VirtualClock {
    inner: Mutex<VirtualState>,
    reads: AtomicU64,
}

#[derive(Debug)]
struct VirtualState {
    wall_ms: i64,
    monotonic_ms: u64,
    boot: u64,
}

impl VirtualClock {
    /// Starts at `wall_ms`, one second after a boot.
    pub fn starting_at(wall_ms: i64) -> Arc<Self> {
        Arc::new(VirtualClock { inner: Mutex::new(VirtualState { wall_ms, monotonic_ms: 1_000, boot: 1 }), reads: AtomicU64::new(0) })
    }

    fn with<T>(&self, change: impl FnOnce(&mut VirtualState) -> T) -> T {
        let mut state = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state)
    }

    /// Lets both clocks go on by `ms`.
    pub fn advance_ms(&self, ms: u64) {
        self.with(|s| {
            s.wall_ms = s.wall_ms.saturating_add_unsigned(ms);
            s.monotonic_ms = s.monotonic_ms.saturating_add(ms);
        });
    }

    /// Sets the wall clock only, as a user or a network does.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.with(|s| s.wall_ms = wall_ms);
    }

    /// Restarts the phone: new boot id, monotonic clock near zero.
    pub fn reboot(&self) {
        self.with(|s| {
            s.boot += 1;
            s.monotonic_ms = 1_000;
        });
    }

    /// How often the wall clock was read.
    pub fn reads(&self) -> u64 {
        self.reads.load(Ordering::Relaxed)
    }
}

impl Clock for VirtualClock {
    fn wall_ms(&self) -> i64 {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.with(|s| s.wall_ms)
    }
    fn monotonic_ms(&self) -> u64 {
        self.with(|s| s.monotonic_ms)
    }
    fn boot_id(&self) -> [u8; 8] {
        self.with(|s| s.boot.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_keeps_its_boot_id_and_never_goes_back() {
        let clock = SystemClock::new();
        assert_eq!(clock.boot_id(), SystemClock::new().boot_id());
        let first = clock.monotonic_ms();
        assert!(clock.monotonic_ms() >= first);
        assert!(clock.wall_ms() > 1_700_000_000_000);
    }

    #[test]
    fn a_restart_changes_the_boot_id_and_keeps_the_wall_clock() {
        let clock = VirtualClock::starting_at(5_000);
        clock.advance_ms(60_000);
        let before = (clock.boot_id(), clock.wall_ms(), clock.monotonic_ms());
        clock.reboot();
        assert_ne!(clock.boot_id(), before.0);
        assert_eq!(clock.wall_ms(), before.1);
        assert!(clock.monotonic_ms() < before.2);
    }
}
