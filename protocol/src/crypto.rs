//! The algorithms of version 1 and who carries them out.
//!
//! One scheme everywhere: ECDSA P-256 with SHA-256 (raw `r||s`, low s) for signatures, HPKE (RFC 9180, base
//! mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305) for sealing to a key. The phone's
//! hardware signs behind [`Signer`]; the hub verifies and opens with a faster library behind [`Verifier`]
//! and [`Opener`]. The software here serves phones, the verifier and tests.

use hpke::{Deserializable as _, OpModeR, OpModeS, Serializable as _};
use p256::ecdsa::signature::{Signer as _, Verifier as _};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use rand_core::CryptoRng;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::cbor::Writer;
use crate::error::{Error, Result};
use crate::id::KeyId;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// Bytes that HPKE's encapsulation takes on the wire (an uncompressed point).
pub const ENC_BYTES: usize = 65;
/// Bytes that sealing adds to what is sealed.
pub const TAG_BYTES: usize = 16;

type SealKem = hpke::kem::DhP256HkdfSha256;
type SealKdf = hpke::kdf::HkdfSha256;
type SealAead = hpke::aead::ChaCha20Poly1305;

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> Hash {
    Sha256::digest(bytes).into()
}

/// A P-256 public key, compressed (SEC 1, 33 bytes). Any 33 bytes can stand here: a key that is no point
/// verifies nothing and seals nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 33]);

impl core::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PublicKey({})", self.id())
    }
}

impl PublicKey {
    /// From a SEC 1 point, compressed or not; refuses what is not on the curve.
    pub fn from_sec1(point: &[u8]) -> Result<Self> {
        let key = p256::PublicKey::from_sec1_bytes(point).map_err(|_| Error::Key)?;
        let compressed = key.to_sec1_point(true);
        compressed.as_bytes().try_into().map(Self).map_err(|_| Error::Key)
    }

    /// The point uncompressed (65 bytes), as X.509 and HPKE write it.
    pub fn uncompressed(&self) -> Result<[u8; 65]> {
        let key = p256::PublicKey::from_sec1_bytes(&self.0).map_err(|_| Error::Key)?;
        key.to_sec1_point(false).as_bytes().try_into().map_err(|_| Error::Key)
    }

    /// The key's short name.
    pub fn id(&self) -> KeyId {
        let mut id = [0; 8];
        id.copy_from_slice(&sha256(&self.0)[..8]);
        KeyId(id)
    }
}

/// A signature, raw `r||s`, low s.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl core::fmt::Debug for Signature {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Signature({:02x}{:02x}..)", self.0[0], self.0[1])
    }
}

/// Half the order of P-256, rounded down: the largest low s.
const HALF_ORDER: [u8; 32] = [
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b,
    0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8,
];

impl Signature {
    /// Whether s is in the lower half. A verifier refuses the other half, so that one signature has one form.
    pub fn is_low_s(&self) -> bool {
        self.0[32..] <= HALF_ORDER[..]
    }

    /// The same signature with low s, for signers (most hardware) that do not care.
    pub fn normalised(self) -> Result<Self> {
        let sig = p256::ecdsa::Signature::from_slice(&self.0).map_err(|_| Error::Signature { what: "signer" })?;
        Ok(Self(sig.normalize_s().to_bytes().into()))
    }
}

/// Signs with a key that may live in hardware.
pub trait Signer {
    /// The key's public half.
    fn public_key(&self) -> PublicKey;
    /// Signs `message` (hashed with SHA-256 inside), low s.
    fn sign(&self, message: &[u8]) -> Result<Signature>;
}

/// Verifies signatures.
pub trait Verifier {
    /// Whether `signature` is `key`'s over `message`. Must refuse a high s.
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool;
}

/// Opens what was sealed to a key that this side holds.
pub trait Opener {
    /// Opens `ciphertext` sealed to the key named `key`.
    fn open(&self, key: KeyId, enc: &[u8; ENC_BYTES], info: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>>;
}

/// Agrees with another key on a secret that both can compute alone (ECDH P-256), for what is too short for HPKE.
pub trait Agreement {
    /// The public half of the key of this side.
    fn agreement_key(&self) -> PublicKey;
    /// The shared secret with `other`: the x coordinate, never to be used but through a key derivation.
    fn agree(&self, other: &PublicKey) -> Result<Zeroizing<[u8; 32]>>;
}

/// What [`seal`] gives: the encapsulated key and the ciphertext.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Encapsulated key.
    pub enc: [u8; ENC_BYTES],
    /// Ciphertext with its tag.
    pub ciphertext: Vec<u8>,
}

/// Seals `plain` to `to`, HPKE base mode.
pub fn seal<R: CryptoRng>(rng: &mut R, to: &PublicKey, info: &[u8], aad: &[u8], plain: &[u8]) -> Result<Sealed> {
    let key = <SealKem as hpke::Kem>::PublicKey::from_bytes(&to.uncompressed()?).map_err(|_| Error::Key)?;
    let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<SealAead, SealKdf, SealKem>(&OpModeS::Base, &key, info, plain, aad, rng)
        .map_err(|_| Error::Key)?;
    let mut out = [0; ENC_BYTES];
    out.copy_from_slice(&enc.to_bytes());
    Ok(Sealed { enc: out, ciphertext })
}

/// A software P-256 key: signs, or opens, never both with the same key.
pub struct SecretKey {
    scalar: Zeroizing<[u8; 32]>,
    signing: p256::ecdsa::SigningKey,
    public: PublicKey,
}

impl core::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SecretKey({})", self.public.id())
    }
}

impl SecretKey {
    /// A new key from `rng`.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        loop {
            let mut scalar = Zeroizing::new([0u8; 32]);
            rng.fill_bytes(scalar.as_mut());
            // Fails only for zero or a value above the order: about once in 2^32 tries.
            if let Ok(key) = Self::from_scalar(&scalar) {
                return key;
            }
        }
    }

    /// From its 32-byte big-endian scalar.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self> {
        let signing = p256::ecdsa::SigningKey::from_slice(scalar).map_err(|_| Error::Key)?;
        let point = signing.verifying_key().to_sec1_point(true);
        let public = point.as_bytes().try_into().map(PublicKey).map_err(|_| Error::Key)?;
        Ok(Self { scalar: Zeroizing::new(*scalar), signing, public })
    }

    /// The scalar, to be stored wrapped.
    pub fn scalar(&self) -> &Zeroizing<[u8; 32]> {
        &self.scalar
    }

    /// Opens what [`seal`] sealed to this key.
    pub fn open_sealed(&self, enc: &[u8; ENC_BYTES], info: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let bad = Error::Unsealed { what: "sealed box" };
        let key = <SealKem as hpke::Kem>::PrivateKey::from_bytes(self.scalar.as_ref()).map_err(|_| Error::Key)?;
        let enc = <SealKem as hpke::Kem>::EncappedKey::from_bytes(enc).map_err(|_| bad.clone())?;
        hpke::single_shot_open::<SealAead, SealKdf, SealKem>(&OpModeR::Base, &key, &enc, info, ciphertext, aad)
            .map(Zeroizing::new)
            .map_err(|_| bad)
    }
}

impl Signer for SecretKey {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        let sig: p256::ecdsa::Signature = self.signing.try_sign(message).map_err(|_| Error::Signature { what: "signer" })?;
        Ok(Signature(sig.normalize_s().to_bytes().into()))
    }
}

impl Opener for SecretKey {
    fn open(&self, key: KeyId, enc: &[u8; ENC_BYTES], info: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        if key != self.public.id() {
            return Err(Error::Unsealed { what: "sealed box (other key)" });
        }
        self.open_sealed(enc, info, aad, ciphertext)
    }
}

impl Agreement for SecretKey {
    fn agreement_key(&self) -> PublicKey {
        self.public
    }

    fn agree(&self, other: &PublicKey) -> Result<Zeroizing<[u8; 32]>> {
        let other = p256::PublicKey::from_sec1_bytes(&other.0).map_err(|_| Error::Key)?;
        let secret = p256::SecretKey::from_slice(self.scalar.as_ref()).map_err(|_| Error::Key)?;
        let shared = p256::ecdh::diffie_hellman(secret.to_nonzero_scalar(), other.as_affine());
        shared.raw_secret_bytes().as_slice().try_into().map(Zeroizing::new).map_err(|_| Error::Key)
    }
}

/// Verifies in portable Rust.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoftwareVerifier;

impl Verifier for SoftwareVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let Ok(key) = p256::ecdsa::VerifyingKey::from_sec1_bytes(&key.0) else { return false };
        let Ok(parsed) = p256::ecdsa::Signature::from_slice(&signature.0) else { return false };
        signature.is_low_s() && key.verify(message, &parsed).is_ok()
    }
}

/// Starts the one form that every signed or hashed message has: a CBOR array of `fields + 1` items whose
/// first is the purpose, so that bytes signed for one purpose can't be shown for another.
pub fn message(purpose: &str, fields: usize) -> Writer {
    let mut w = Writer::with_capacity(128);
    w.array(fields + 1).text(purpose);
    w
}
