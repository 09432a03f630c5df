//! The protocol's cryptography by aws-lc: four times as fast as the portable code on the same curve, which decides
//! how many pushes a small machine takes.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, ParsedPublicKey, UnparsedPublicKey};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_CHACHA20_POLY1305;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey};
use yenban_protocol::crypto::{ENC_BYTES, Opener, PublicKey, SecretKey, Signature, Signer, Verifier};
use yenban_protocol::id::KeyId;
use yenban_protocol::{Error, Result};
use zeroize::Zeroizing;

use crate::entropy;

/// Public keys kept decoded: more than a province has devices. When full it starts afresh.
const PARSED_KEYS_MAX: usize = 16 * 1024;

/// Signs for the hub.
pub struct HubSigner {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl HubSigner {
    /// A signer with this key.
    pub fn new(key: &SecretKey) -> Result<Self> {
        let public = key.public_key();
        let pair =
            EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P256_SHA256_FIXED_SIGNING, key.scalar().as_ref(), &public.uncompressed()?)
                .map_err(|_| Error::Key)?;
        Ok(Self { pair, public })
    }
}

impl Signer for HubSigner {
    fn public_key(&self) -> PublicKey {
        self.public
    }

    fn sign(&self, message: &[u8]) -> Result<Signature> {
        let failed = Error::Signature { what: "signer" };
        let signature = self.pair.sign(&entropy::for_signatures(), message).map_err(|_| failed.clone())?;
        let signature = Signature(signature.as_ref().try_into().map_err(|_| failed)?);
        if signature.is_low_s() { Ok(signature) } else { signature.normalised() }
    }
}

/// Verifies, remembering decoded keys: decompressing a point costs half as much as a verification.
#[derive(Default)]
pub struct HubVerifier {
    parsed: RwLock<HashMap<PublicKey, Arc<ParsedPublicKey>>>,
}

impl HubVerifier {
    fn parsed(&self, key: &PublicKey) -> Option<Arc<ParsedPublicKey>> {
        if let Some(parsed) = self.parsed.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Some(Arc::clone(parsed));
        }
        let parsed = Arc::new(UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.uncompressed().ok()?).parse().ok()?);
        let mut all = self.parsed.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= PARSED_KEYS_MAX {
            all.clear();
        }
        all.insert(*key, Arc::clone(&parsed));
        Some(parsed)
    }
}

impl Verifier for HubVerifier {
    fn verify(&self, key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        signature.is_low_s() && self.parsed(key).is_some_and(|key| key.verify_sig(message, &signature.0).is_ok())
    }
}

/// Opens what phones sealed, to any of the hub's sealing keys.
pub struct HubOpener {
    keys: Vec<(KeyId, HpkePrivateKey)>,
}

impl HubOpener {
    /// An opener with these keys.
    pub fn new(keys: &[&SecretKey]) -> Self {
        Self { keys: keys.iter().map(|key| (key.public_key().id(), HpkePrivateKey::from(key.scalar().to_vec()))).collect() }
    }
}

impl Opener for HubOpener {
    fn open(&self, key: KeyId, enc: &[u8; ENC_BYTES], info: &[u8], aad: &[u8], ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let failed = || Error::Unsealed { what: "sealed box" };
        let (_, secret) = self.keys.iter().find(|(id, _)| *id == key).ok_or_else(failed)?;
        DH_KEM_P256_HKDF_SHA256_CHACHA20_POLY1305
            .open(&EncapsulatedSecret(enc.to_vec()), info, aad, ciphertext, secret)
            .map(Zeroizing::new)
            .map_err(|_| failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::Entropy;
    use yenban_protocol::crypto::{SoftwareVerifier, seal};

    #[test]
    fn both_libraries_understand_each_other() {
        let key = SecretKey::generate(&mut Entropy);
        let signer = HubSigner::new(&key).expect("key");
        let verifier = HubVerifier::default();
        for n in 0..64u8 {
            let (ours, theirs) = (signer.sign(&[n]).expect("signs"), key.sign(&[n]).expect("signs"));
            assert!(SoftwareVerifier.verify(&key.public_key(), &[n], &ours));
            assert!(verifier.verify(&key.public_key(), &[n], &theirs));
            assert!(!verifier.verify(&key.public_key(), &[n, 0], &theirs));
        }
        let opener = HubOpener::new(&[&key]);
        let sealed = seal(&mut Entropy, &key.public_key(), b"info", b"aad", b"suoi").expect("seals");
        let open = |aad: &[u8]| opener.open(key.public_key().id(), &sealed.enc, b"info", aad, &sealed.ciphertext);
        assert_eq!(open(b"aad").expect("opens").as_slice(), b"suoi");
        assert!(open(b"other").is_err());
    }
}
