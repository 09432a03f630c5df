//! The PIN takes part in making the vault's key; it is never stored and never compared.
//!
//! `KEK = HKDF-SHA256(hw_secret || Argon2id(PIN, salt))` wraps the vault's secrets. Without the
//! hardware secret no offline search of PINs can start; with it, each try costs 19 MiB and two
//! passes. Without a PIN the hardware secret alone makes the key, so the vault opens by itself.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{KeyStore, Secret32, new_secret, random, unwrap32};
use crate::error::{Error, Result};
use crate::limits::{PIN_DIGITS, PIN_MEMORY_KIB, PIN_PASSES};

const PURPOSE: &str = "yb1/vault-hardware-secret";
const NONCE_BYTES: usize = 12;

/// What of a member's vault key lies on the disk: useless without the key store, and without the PIN
/// where one is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinSlot {
    /// The hardware secret, wrapped by the key store.
    pub hardware: Vec<u8>,
    /// Salt of Argon2id.
    pub salt: [u8; 16],
    /// Nonce and sealed vault secrets.
    pub sealed: Vec<u8>,
    /// Whether a PIN took part.
    pub has_pin: bool,
}

impl PinSlot {
    /// Seals `secret` for `member` under a new hardware secret and `pin`, if any.
    pub fn seal(keys: &dyn KeyStore, member: u32, pin: Option<&str>, secret: &[u8]) -> Result<PinSlot> {
        let hardware_secret = new_secret(keys)?;
        let hardware = keys.wrap(PURPOSE, hardware_secret.as_ref())?;
        let salt = random(keys)?;
        let kek = kek(&hardware_secret, pin, &salt)?;
        let nonce: [u8; NONCE_BYTES] = random(keys)?;
        let payload = Payload { msg: secret, aad: &aad(member, pin.is_some()) };
        let boxed = ChaCha20Poly1305::new(&Key::from(*kek))
            .encrypt(&Nonce::from(nonce), payload)
            .map_err(|_| Error::KeyStore("sealing the vault key failed".into()))?;
        Ok(PinSlot { hardware, salt, sealed: [&nonce[..], &boxed].concat(), has_pin: pin.is_some() })
    }

    /// Opens the secrets. `Ok(None)` means that the PIN does not fit; the caller has counted the try
    /// on the disk already.
    pub fn open(&self, keys: &dyn KeyStore, member: u32, pin: Option<&str>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let hardware_secret = unwrap32(keys, PURPOSE, &self.hardware)?;
        let kek = kek(&hardware_secret, pin, &self.salt)?;
        let (nonce, boxed) = self.sealed.split_first_chunk::<NONCE_BYTES>().ok_or(Error::KeyMismatch)?;
        let payload = Payload { msg: boxed, aad: &aad(member, self.has_pin) };
        Ok(ChaCha20Poly1305::new(&Key::from(*kek)).decrypt(&Nonce::from(*nonce), payload).ok().map(Zeroizing::new))
    }
}

fn aad(member: u32, has_pin: bool) -> [u8; 16] {
    let mut out = *b"yb1/vault\0\0\0\0\0\0\0";
    out[10] = u8::from(has_pin);
    out[12..].copy_from_slice(&member.to_be_bytes());
    out
}

fn kek(hardware_secret: &Secret32, pin: Option<&str>, salt: &[u8; 16]) -> Result<Secret32> {
    let mut material = Zeroizing::new([0u8; 64]);
    material[..32].copy_from_slice(hardware_secret.as_ref());
    if let Some(pin) = pin {
        let params = Params::new(PIN_MEMORY_KIB, PIN_PASSES, 1, Some(32)).map_err(|e| Error::KeyStore(e.to_string()))?;
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(pin.as_bytes(), salt, &mut material[32..])
            .map_err(|e| Error::KeyStore(e.to_string()))?;
    }
    let mut out = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(Some(salt), material.as_ref()).expand(b"yb1/vault-kek", out.as_mut()).expect("32 bytes are within what HKDF gives");
    Ok(out)
}

/// Whether a new PIN may be used: 6 to 12 digits, and none of those that everybody tries first.
pub fn check_pin(pin: &str) -> Result<()> {
    let refuse = |why| Err(Error::PinRefused { why });
    if !pin.bytes().all(|b| b.is_ascii_digit()) || !PIN_DIGITS.contains(&pin.len()) {
        return refuse("a PIN has 6 to 12 digits");
    }
    let digits: Vec<i16> = pin.bytes().map(|b| i16::from(b - b'0')).collect();
    let step = |by: i16| digits.windows(2).all(|w| (w[1] - w[0] + 10) % 10 == by);
    if step(0) || step(1) || step(9) {
        return refuse("all the same or in a row is tried first");
    }
    let repeats = |n: usize| pin.len().is_multiple_of(n) && pin.as_bytes().chunks(n).all(|c| c == &pin.as_bytes()[..n]);
    if repeats(2) || repeats(3) {
        return refuse("a short pattern repeated is tried first");
    }
    if is_birthday(pin) {
        return refuse("a date or a birth year is tried first");
    }
    Ok(())
}

/// Day-month-year in the orders people write them, and two years in a row (19801985).
fn is_birthday(pin: &str) -> bool {
    let number = |from: usize, to: usize| pin.get(from..to).and_then(|s| s.parse::<u32>().ok()).unwrap_or(0);
    let day = |n: u32| (1..=31).contains(&n);
    let month = |n: u32| (1..=12).contains(&n);
    let year = |n: u32| (1930..=2035).contains(&n);
    match pin.len() {
        6 => {
            (day(number(0, 2)) && month(number(2, 4)))
                || (month(number(2, 4)) && day(number(4, 6)))
                || (year(number(0, 4)) && month(number(4, 6)))
                || (month(number(0, 2)) && year(number(2, 6)))
        }
        8 => {
            (day(number(0, 2)) && month(number(2, 4)) && year(number(4, 8)))
                || (year(number(0, 4)) && month(number(4, 6)) && day(number(6, 8)))
                || (year(number(0, 4)) && year(number(4, 8)))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::SeededKeyStore;

    #[test]
    fn pins_that_everybody_tries_are_refused() {
        for pin in [
            "123456",
            "000000",
            "654321",
            "121212",
            "123123",
            "150890",
            "19801985",
            "01021990",
            "890123",
            "12345",
            "12345a",
            "1234567890123",
            "",
            "１２３４５６",
        ] {
            assert!(check_pin(pin).is_err(), "{pin}");
        }
        for pin in ["739168", "904817", "58203947"] {
            check_pin(pin).unwrap();
        }
    }

    #[test]
    fn a_slot_opens_with_its_pin_its_member_and_its_key_store_only() {
        let keys = SeededKeyStore::new(1);
        let slot = PinSlot::seal(&keys, 5, Some("739168"), b"vault").unwrap();
        assert_eq!(&slot.open(&keys, 5, Some("739168")).unwrap().unwrap()[..], b"vault");
        assert!(slot.open(&keys, 5, Some("739169")).unwrap().is_none());
        assert!(slot.open(&keys, 5, None).unwrap().is_none());
        assert!(slot.open(&keys, 6, Some("739168")).unwrap().is_none());
        assert!(slot.open(&SeededKeyStore::new(2), 5, Some("739168")).is_err());
    }

    #[test]
    fn without_a_pin_the_key_store_alone_opens() {
        let keys = SeededKeyStore::new(1);
        let slot = PinSlot::seal(&keys, 5, None, b"vault").unwrap();
        assert_eq!(&slot.open(&keys, 5, None).unwrap().unwrap()[..], b"vault");
        assert!(slot.open(&keys, 5, Some("739168")).unwrap().is_none());
    }
}
