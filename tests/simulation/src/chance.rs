//! Chance with a seed: the same seed, the same world. Nothing in a simulation draws numbers from anywhere else.

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};

/// SplitMix64: small, fast, and good enough to choose faults with. No key of anybody comes from it.
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// Everything from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Chance(seed)
    }

    /// A stream of its own for one purpose, so that drawing more here moves nothing there.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Chance(self.number())
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end` (0 when `end` is 0).
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.number() % end }
    }

    /// An index of `len` things (0 when there are none).
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// True in `per_mille` of a thousand cases.
    pub fn happens(&mut self, per_mille: u32) -> bool {
        self.below(1_000) < u64::from(per_mille)
    }
}

impl TryRng for Chance {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.number() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.number())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.number().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// The hub's tests use the same stream where the protocol asks for a generator.
impl TryCryptoRng for Chance {}
