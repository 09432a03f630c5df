//! The hub's only source of randomness: keys, codes, epochs and nonces all come from here, so that
//! a reviewer has one file to read and a test can see that nothing else draws numbers.

use std::convert::Infallible;

/// The operating system's generator, in the form the protocol's functions take.
///
/// It panics when the operating system cannot give random bytes: no key or code may ever be made
/// from anything weaker, and a hub that cannot draw numbers cannot serve anyone.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Entropy;

impl rand_core::TryRng for Entropy {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_le_bytes(array()))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_le_bytes(array()))
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        fill(target);
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Entropy {}

/// The generator that signatures draw their nonces from.
pub(crate) fn for_signatures() -> aws_lc_rs::rand::SystemRandom {
    aws_lc_rs::rand::SystemRandom::new()
}

/// Numbers from a seed, so that a simulated hub does the same twice.
#[cfg(feature = "simulation")]
pub mod seeded {
    use std::sync::{Mutex, PoisonError};

    use yenban_protocol::crypto::sha256;

    static STREAM: Mutex<Option<(u64, u64)>> = Mutex::new(None);

    /// From now on everything that this process draws follows from `seed`.
    pub fn begin(seed: u64) {
        *STREAM.lock().unwrap_or_else(PoisonError::into_inner) = Some((seed, 0));
    }

    /// Fills `target` if a seed was given.
    pub(super) fn fill(target: &mut [u8]) -> bool {
        let mut stream = STREAM.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((seed, counter)) = stream.as_mut() else { return false };
        for chunk in target.chunks_mut(32) {
            *counter += 1;
            let block = sha256(&[seed.to_be_bytes(), counter.to_be_bytes()].concat());
            chunk.copy_from_slice(&block[..chunk.len()]);
        }
        true
    }
}

/// Fills `target` with random bytes.
pub(crate) fn fill(target: &mut [u8]) {
    #[cfg(feature = "simulation")]
    if seeded::fill(target) {
        return;
    }
    getrandom::fill(target).expect("the operating system gives random bytes on every platform served");
}

/// `N` random bytes.
pub(crate) fn array<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_draws_differ() {
        assert_ne!(array::<16>(), array::<16>());
    }
}
