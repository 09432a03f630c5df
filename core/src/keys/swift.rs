//! The protocol's algorithms by the library that TLS brings along: a third of the time of portable code, and
//! opening sealed bodies is most of what a sync costs a phone.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use yenban_protocol::crypto::{PublicKey, Signature, Verifier};
use yenban_protocol::seal::{BoxOpener, NONCE_BYTES};

/// Verifies and opens as the protocol's portable code does, only faster.
#[derive(Debug, Clone, Copy, Default)]
pub struct Swift;

impl Verifier for Swift {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let Ok(point) = key.uncompressed() else { return false };
        // One signature has one form: the library takes the other half too.
        signature.is_low_s() && UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, &signature.0).is_ok()
    }
}

impl BoxOpener for Swift {
    fn open_box(&self, key: &[u8; 32], nonce: &[u8; NONCE_BYTES], aad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>> {
        let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).ok()?);
        let mut bytes = ciphertext.to_vec();
        let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut bytes).ok()?.len();
        bytes.truncate(plain);
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use yenban_protocol::chain::{Body, Class, Part};
    use yenban_protocol::crypto::{SecretKey, Signer as _, SoftwareVerifier};
    use yenban_protocol::id::{EntryName, LogId};
    use yenban_protocol::seal::{SealedBody, SessionKey};

    use super::*;
    use crate::keys::{Drawn, SeededKeyStore};

    #[test]
    fn both_implementations_open_the_same_boxes_and_no_others() {
        let mut random = Drawn::new(&SeededKeyStore::new(5)).unwrap();
        let (session, other) = (SessionKey::generate(&mut random), SessionKey::generate(&mut random));
        let part = Part { class: Class::DUTY, bytes: vec![0x63, b'a', b'b', b'c'] };
        let body = Body::new([9; 16], vec![part.clone(), part]).unwrap();
        let name = EntryName { log: LogId([1; 8]), seq: 3 };
        let sealed = session.seal(&mut random, name, &body).unwrap();
        assert_eq!(session.open_with(name, &sealed, &Swift), Ok(body.clone()));
        assert_eq!(session.open(name, &sealed), Ok(body));
        assert!(other.open_with(name, &sealed, &Swift).is_err());
        assert!(session.open_with(EntryName { seq: 4, ..name }, &sealed, &Swift).is_err());
        let mut bytes = sealed.to_bytes();
        *bytes.last_mut().unwrap() ^= 1;
        assert!(session.open_with(name, &SealedBody::from_bytes(&bytes).unwrap(), &Swift).is_err());
    }

    #[test]
    fn both_implementations_believe_the_same_signatures() {
        let key = SecretKey::from_scalar(&[7; 32]).unwrap();
        let public = key.public_key();
        let good = key.sign(b"receipt").unwrap();
        let agree = |message: &[u8], signature: &Signature| {
            let verdict = Swift.verify(&public, message, signature);
            assert_eq!(verdict, SoftwareVerifier.verify(&public, message, signature));
            verdict
        };
        assert!(agree(b"receipt", &good));
        assert!(!agree(b"Receipt", &good));
        let order = [
            0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e,
            0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51u8,
        ];
        let mut high = good;
        let mut borrow = 0i16;
        for i in (0..32).rev() {
            let digit = i16::from(order[i]) - i16::from(good.0[32 + i]) - borrow;
            borrow = i16::from(digit < 0);
            high.0[32 + i] = digit.rem_euclid(256) as u8;
        }
        assert!(!agree(b"receipt", &high), "the other form of the same signature");
        assert!(!Swift.verify(&PublicKey([0; 33]), b"receipt", &good));
    }
}
