//! How large the next chunk of a file is: so many seconds of road, as the chunks before it were measured.
//!
//! A chunk is what an urgent entry may have to wait for, so a slow road gets small ones; each costs a request of its
//! own, so a fast road gets large ones. What is lost in a cut does not depend on it: the hub keeps what arrived.

use crate::limits::{CHUNK_AIM_MS, CHUNK_FIRST_BYTES, CHUNK_MAX_BYTES, CHUNK_MIN_BYTES, CHUNK_STEP};

/// The size of chunks on this road.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pace {
    chunk_bytes: u64,
}

impl Pace {
    pub(super) fn unknown() -> Self {
        Pace { chunk_bytes: CHUNK_FIRST_BYTES }
    }

    pub(super) fn chunk_bytes(self) -> u64 {
        self.chunk_bytes
    }

    /// So many bytes took so long, from their first byte to the answer. Moves by a factor of [`CHUNK_STEP`] at
    /// most: one answer that hung in a queue says little.
    pub(super) fn took(self, bytes: u64, ms: u64) -> Self {
        // What was left of a file says nothing about larger chunks: most of its time is the road's delay.
        if bytes < CHUNK_MIN_BYTES.min(self.chunk_bytes) {
            return self;
        }
        let fits = bytes.saturating_mul(CHUNK_AIM_MS) / ms.max(1);
        let fits = fits.clamp(self.chunk_bytes / CHUNK_STEP, self.chunk_bytes.saturating_mul(CHUNK_STEP));
        Pace { chunk_bytes: fits.clamp(CHUNK_MIN_BYTES, CHUNK_MAX_BYTES) }
    }

    /// A chunk was cut: shorter ones have a better chance to get their answer.
    pub(super) fn cut(self) -> Self {
        Pace { chunk_bytes: (self.chunk_bytes / 2).max(CHUNK_MIN_BYTES) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Chunks that a road of so many bytes a second and so much delay settles to, and how long the last took.
    fn settled(bytes_per_s: u64, delay_ms: u64) -> (u64, u64) {
        let mut pace = Pace::unknown();
        let mut ms = 0;
        for _ in 0..12 {
            ms = delay_ms + pace.chunk_bytes() * 1_000 / bytes_per_s;
            pace = pace.took(pace.chunk_bytes(), ms);
        }
        (pace.chunk_bytes(), ms)
    }

    #[test]
    fn a_slow_road_gets_small_chunks_and_a_fast_one_large_ones() {
        assert_eq!(Pace::unknown().chunk_bytes(), 64 * 1024);
        // 2 kB/s: the least there is, though it takes longer than aimed at.
        assert_eq!(settled(2_000, 300).0, CHUNK_MIN_BYTES);
        let (chunk, ms) = settled(40_000, 300);
        assert!((100_000..200_000).contains(&chunk) && ms.abs_diff(CHUNK_AIM_MS) < 500, "{chunk} bytes in {ms} ms");
        assert_eq!(settled(5_000_000, 20).0, CHUNK_MAX_BYTES);
        // A long delay alone keeps no chunk small.
        assert_eq!(settled(5_000_000, 900).0, CHUNK_MAX_BYTES);
    }

    #[test]
    fn a_cut_halves_and_the_rest_of_a_file_says_nothing() {
        let pace = Pace::unknown();
        assert_eq!(pace.cut().chunk_bytes(), CHUNK_FIRST_BYTES / 2);
        assert_eq!(pace.cut().cut().cut().chunk_bytes(), CHUNK_MIN_BYTES);
        assert_eq!(pace.took(900, 1), pace);
        assert_eq!(pace.took(0, 0), pace);
    }

    proptest! {
        #[test]
        fn always_within_its_bounds(measured in prop::collection::vec((any::<u64>(), any::<u64>(), any::<bool>()), 0..60)) {
            let mut pace = Pace::unknown();
            for (bytes, ms, cut) in measured {
                let before = pace.chunk_bytes();
                pace = if cut { pace.cut() } else { pace.took(bytes, ms) };
                prop_assert!((CHUNK_MIN_BYTES..=CHUNK_MAX_BYTES).contains(&pace.chunk_bytes()));
                prop_assert!(pace.chunk_bytes() <= before * CHUNK_STEP && pace.chunk_bytes() >= before / CHUNK_STEP);
            }
        }
    }
}
