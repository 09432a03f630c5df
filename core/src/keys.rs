//! Keys and randomness: the only module that draws random bytes, and the trait behind which a phone's
//! hardware stands.
//!
//! Hardware signs and wraps; it does nothing else, because StrongBox and the Secure Enclave offer
//! little more on the phones we serve. Everything that needs a key in software (databases, sealing)
//! keeps it wrapped by [`KeyStore::wrap`].

pub(crate) mod files;
mod pin;
mod software;
mod swift;

use std::convert::Infallible;

use rand_core::{TryCryptoRng, TryRng};
use yenban_protocol::crypto::{PublicKey, Signature, Signer};
use zeroize::{Zeroize, Zeroizing};

use crate::error::{Error, Result};

pub use pin::{PinSlot, check_pin};
pub use software::{SeededKeyStore, SoftwareKeyStore};
pub use swift::Swift;

/// A 32-byte secret that is wiped when dropped.
pub type Secret32 = Zeroizing<[u8; 32]>;

/// What the core asks of a phone's key hardware. Implemented by the shells over Android Keystore and
/// the Secure Enclave, and in software for the command line and tests.
pub trait KeyStore: Send + Sync {
    /// Public half of the device's signing key (P-256).
    fn device_key(&self) -> PublicKey;
    /// Signs `message` (SHA-256 inside) with the device key, low s.
    fn sign(&self, message: &[u8]) -> Result<Signature>;
    /// Encrypts a small secret under a key that never leaves the key store. `purpose` is bound to
    /// the result: unwrapping for another purpose fails.
    fn wrap(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>>;
    /// Opens what [`KeyStore::wrap`] made.
    fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>>;
    /// Fills `out` with random bytes fit for keys.
    fn random(&self, out: &mut [u8]) -> Result<()>;
}

/// Reads a wrapped 32-byte secret.
pub(crate) fn unwrap32(keys: &dyn KeyStore, purpose: &str, wrapped: &[u8]) -> Result<Secret32> {
    let plain = keys.unwrap(purpose, wrapped)?;
    let mut out = Zeroizing::new([0; 32]);
    if plain.len() != out.len() {
        return Err(Error::KeyMismatch);
    }
    out.copy_from_slice(&plain);
    Ok(out)
}

/// A new random 32-byte secret.
pub(crate) fn new_secret(keys: &dyn KeyStore) -> Result<Secret32> {
    let mut out = Zeroizing::new([0; 32]);
    keys.random(out.as_mut())?;
    Ok(out)
}

/// Random bytes as an array.
pub(crate) fn random<const N: usize>(keys: &dyn KeyStore) -> Result<[u8; N]> {
    let mut out = [0; N];
    keys.random(&mut out)?;
    Ok(out)
}

/// Random bytes drawn ahead, because cryptographic libraries want a source that cannot fail and ours
/// can: the failure happens here, as an error, before anything is sealed.
pub struct Drawn {
    bytes: Zeroizing<[u8; Drawn::BYTES]>,
    used: usize,
}

impl Drawn {
    const BYTES: usize = 256;

    /// Draws enough for one key generation or one sealing.
    pub fn new(keys: &dyn KeyStore) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        keys.random(bytes.as_mut())?;
        Ok(Drawn { bytes, used: 0 })
    }
}

impl TryRng for Drawn {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut out = [0; 4];
        self.try_fill_bytes(&mut out)?;
        Ok(u32::from_le_bytes(out))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut out = [0; 8];
        self.try_fill_bytes(&mut out)?;
        Ok(u64::from_le_bytes(out))
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let end = self.used + out.len();
        let source = self.bytes.get_mut(self.used..end).expect("256 bytes are more than one key or one sealing ever takes");
        out.copy_from_slice(source);
        source.zeroize();
        self.used = end;
        Ok(())
    }
}

impl TryCryptoRng for Drawn {}

/// A [`KeyStore`] as the protocol's signer.
pub struct DeviceSigner<'a>(pub &'a dyn KeyStore);

impl Signer for DeviceSigner<'_> {
    fn public_key(&self) -> PublicKey {
        self.0.device_key()
    }

    fn sign(&self, message: &[u8]) -> yenban_protocol::Result<Signature> {
        self.0.sign(message).map_err(|_| yenban_protocol::Error::Signature { what: "device key" })
    }
}
