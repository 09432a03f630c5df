//! Signed statements: one form for everything that hub, device or commune root signs.
//!
//! On the wire `[key id, payload, signature]`; the payload is `[purpose, value]` in deterministic CBOR and is
//! kept as it came, so fields of a later version survive being stored and passed on. The only ways to a
//! [`Signed`] are to sign one and to verify one.

use crate::cbor::{Reader, Writer};
use crate::crypto::{PublicKey, Signature, Signer, Verifier};
use crate::error::{Error, Result};
use crate::id::KeyId;
use crate::limits::MAX_ANSWER_BYTES;

/// Something that can be signed.
pub trait Statement: Sized {
    /// Told in the payload, so that a signature serves one purpose.
    const PURPOSE: &'static str;
    /// Writes the value as one item.
    fn write(&self, w: &mut Writer);
    /// Reads the value; unknown fields are skipped.
    fn read(r: &mut Reader<'_>) -> Result<Self>;
}

/// A statement whose signature holds, with the bytes that were signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed<T> {
    /// What is stated.
    pub value: T,
    /// Who signed.
    pub key: KeyId,
    bytes: Vec<u8>,
}

fn payload_of<T: Statement>(value: &T) -> Vec<u8> {
    let mut w = Writer::with_capacity(128);
    w.array(2).text(T::PURPOSE);
    value.write(&mut w);
    w.into_bytes()
}

impl<T: Statement> Signed<T> {
    /// Signs `value`.
    pub fn sign(value: T, signer: &dyn Signer) -> Result<Self> {
        let payload = payload_of(&value);
        let signature = signer.sign(&payload)?;
        let key = signer.public_key().id();
        let mut w = Writer::with_capacity(payload.len() + 80);
        w.array(3).bytes(&key.0).bytes(&payload).bytes(&signature.0);
        Ok(Self { value, key, bytes: w.into_bytes() })
    }

    /// Reads and verifies. `key_of` finds the key that must have signed, from the value and the id that the
    /// envelope names; nothing of the value may be used for anything else before this returns.
    pub fn verify(bytes: &[u8], verifier: &dyn Verifier, key_of: impl FnOnce(&T, KeyId) -> Option<PublicKey>) -> Result<Self> {
        let (value, key, payload, signature) = Self::parse(bytes)?;
        let bad = Error::Signature { what: T::PURPOSE };
        let public = key_of(&value, key).ok_or(bad.clone())?;
        if public.id() != key || !verifier.verify(&public, payload, &signature) {
            return Err(bad);
        }
        Ok(Self { value, key, bytes: bytes.to_vec() })
    }

    /// Reads back bytes that this side verified before and has kept in its own encrypted store.
    pub fn trusted(bytes: &[u8]) -> Result<Self> {
        let (value, key, ..) = Self::parse(bytes)?;
        Ok(Self { value, key, bytes: bytes.to_vec() })
    }

    fn parse(bytes: &[u8]) -> Result<(T, KeyId, &[u8], Signature)> {
        let mut r = Reader::new(bytes);
        r.tuple(3, T::PURPOSE)?;
        let key = KeyId(r.fixed("key id")?);
        let payload = r.bytes_up_to(MAX_ANSWER_BYTES, T::PURPOSE)?;
        let signature = Signature(r.fixed("signature")?);
        r.end(T::PURPOSE)?;
        let mut r = Reader::new(payload);
        r.tuple(2, T::PURPOSE)?;
        if r.text("purpose")? != T::PURPOSE {
            return Err(Error::Mismatch { what: "purpose" });
        }
        let value = T::read(&mut r)?;
        r.end(T::PURPOSE)?;
        Ok((value, key, payload, signature))
    }

    /// The wire form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The wire form, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
