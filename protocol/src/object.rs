//! Sealed files: how a photograph lies on the phone and travels, whoever carries it.
//!
//! A content key of its own seals the file in chunks (STREAM over ChaCha20-Poly1305 with a 32-bit counter and a
//! last-chunk mark, so nothing can be cut, moved or mixed unseen). The head carries that key twice: sealed to the
//! hub, and to the vault of the member who took the picture.
//!
//! ```text
//! "YBO1" | wrap to the hub (121) | wrap to the vault (121) | nonce prefix (7) | chunks (65,536 + 16; the last shorter)
//! wrap = key id (8) | encapsulated key (65) | sealed content key (48)
//! ```

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::crypto::{self, ENC_BYTES, Opener, PublicKey, TAG_BYTES};
use crate::error::{Error, Result};
use crate::id::KeyId;

/// How a sealed file begins.
pub const MAGIC: &[u8; 4] = b"YBO1";
/// Bytes of a content key.
pub const KEY_BYTES: usize = 32;
/// Bytes of the random part of a chunk's nonce; counter and last mark follow.
pub const PREFIX_BYTES: usize = 7;
/// Plain bytes in every chunk but the last.
pub const CHUNK_BYTES: usize = 64 * 1024;
/// What sealing adds to a chunk.
pub const CHUNK_TAG_BYTES: usize = TAG_BYTES;
const WRAP_BYTES: usize = 8 + ENC_BYTES + KEY_BYTES + TAG_BYTES;
/// Bytes before the first chunk.
pub const HEAD_BYTES: usize = MAGIC.len() + 2 * WRAP_BYTES + PREFIX_BYTES;
const INFO: &[u8] = b"yb1/object";

/// A content key.
pub type ContentKey = Zeroizing<[u8; KEY_BYTES]>;

/// Length of the sealed file for `plain_bytes` of content (at least one).
pub fn sealed_len(plain_bytes: u64) -> u64 {
    let chunks = plain_bytes.div_ceil(CHUNK_BYTES as u64).max(1);
    HEAD_BYTES as u64 + plain_bytes + chunks * CHUNK_TAG_BYTES as u64
}

/// The head of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    bytes: [u8; HEAD_BYTES],
}

impl Head {
    /// A head that carries `key` to the hub and to a vault.
    ///
    /// # Errors
    /// When one of the keys is not a point of the curve.
    pub fn seal<R: CryptoRng>(rng: &mut R, key: &ContentKey, prefix: [u8; PREFIX_BYTES], to: [&PublicKey; 2]) -> Result<Self> {
        let mut out = Vec::with_capacity(HEAD_BYTES);
        out.extend_from_slice(MAGIC);
        for recipient in to {
            let sealed = crypto::seal(rng, recipient, INFO, b"", key.as_ref())?;
            out.extend_from_slice(&recipient.id().0);
            out.extend_from_slice(&sealed.enc);
            out.extend_from_slice(&sealed.ciphertext);
        }
        out.extend_from_slice(&prefix);
        let bytes = out.as_slice().try_into().map_err(|_| Error::Malformed { what: "head of a sealed file", at: 0 })?;
        Ok(Self { bytes })
    }

    /// Reads the head from the first [`HEAD_BYTES`] of a sealed file.
    ///
    /// # Errors
    /// When it begins otherwise.
    pub fn read(bytes: &[u8; HEAD_BYTES]) -> Result<Self> {
        if bytes.starts_with(MAGIC) { Ok(Self { bytes: *bytes }) } else { Err(Error::Malformed { what: "head of a sealed file", at: 0 }) }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8; HEAD_BYTES] {
        &self.bytes
    }

    /// The random part of the chunks' nonces.
    pub fn prefix(&self) -> [u8; PREFIX_BYTES] {
        let mut prefix = [0; PREFIX_BYTES];
        prefix.copy_from_slice(&self.bytes[HEAD_BYTES - PREFIX_BYTES..]);
        prefix
    }

    /// Whose keys open it: the hub's and the vault's.
    pub fn recipients(&self) -> [KeyId; 2] {
        [0, 1].map(|index| {
            let mut id = [0; 8];
            id.copy_from_slice(&self.wrap(index)[..8]);
            KeyId(id)
        })
    }

    fn wrap(&self, index: usize) -> &[u8] {
        let start = MAGIC.len() + index * WRAP_BYTES;
        &self.bytes[start..start + WRAP_BYTES]
    }

    /// The content key, opened with whichever wrap `opener` has the key for.
    ///
    /// # Errors
    /// [`Error::Unsealed`] when it has neither.
    pub fn open(&self, opener: &dyn Opener) -> Result<ContentKey> {
        for (index, recipient) in self.recipients().into_iter().enumerate() {
            let wrap = self.wrap(index);
            let mut enc = [0; ENC_BYTES];
            enc.copy_from_slice(&wrap[8..8 + ENC_BYTES]);
            let Ok(plain) = opener.open(recipient, &enc, INFO, b"", &wrap[8 + ENC_BYTES..]) else { continue };
            if let Ok(key) = plain.as_slice().try_into() {
                return Ok(Zeroizing::new(key));
            }
        }
        Err(Error::Unsealed { what: "sealed file" })
    }
}
