//! Key stores without hardware: files for the command line, a seeded one for tests.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Key, Nonce};
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use yenban_protocol::crypto::{PublicKey, SecretKey, Signature, Signer};
use zeroize::Zeroizing;

use super::{KeyStore, Secret32, files};
use crate::error::{Error, Result};
use crate::limits::SIDE_FILE_MAX_BYTES;

const MAGIC: &[u8; 4] = b"YBK1";
const NONCE_BYTES: usize = 12;

/// Keys in files with mode 0600 inside the store's `keys/` folder: as safe as the computer's disk,
/// which is what a headless phone has.
pub struct SoftwareKeyStore {
    device: SecretKey,
    wrapping: Secret32,
}

impl SoftwareKeyStore {
    /// Makes the folder and both keys, each file written, synced and renamed into place. Keys that
    /// exist are kept: making keys twice never loses any.
    pub fn create(folder: &Path) -> Result<Self> {
        files::create_private_folder(folder)?;
        for name in ["device.key", "wrap.key"] {
            let path = folder.join(name);
            if path.exists() {
                continue;
            }
            let mut secret = Zeroizing::new([0u8; 32]);
            loop {
                os_random(secret.as_mut())?;
                if SecretKey::from_scalar(&secret).is_ok() {
                    break;
                }
            }
            files::write_private(&path, &encode(&secret))?;
        }
        Self::open(folder)
    }

    /// Opens keys made before. Missing or damaged files are an error, never replaced: a new key would
    /// make what the old one wrapped unreadable for ever.
    pub fn open(folder: &Path) -> Result<Self> {
        let device = decode(&folder.join("device.key"))?;
        let wrapping = decode(&folder.join("wrap.key"))?;
        let device = SecretKey::from_scalar(&device).map_err(|_| damaged(&folder.join("device.key"), "it holds no P-256 key"))?;
        Ok(SoftwareKeyStore { device, wrapping })
    }
}

fn os_random(out: &mut [u8]) -> Result<()> {
    getrandom::fill(out).map_err(|e| Error::KeyStore(e.to_string()))
}

fn checksum(secret: &[u8]) -> [u8; 4] {
    let hash = Sha256::digest(secret);
    [hash[0], hash[1], hash[2], hash[3]]
}

fn encode(secret: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    let mut out = Zeroizing::new(Vec::with_capacity(40));
    out.extend_from_slice(MAGIC);
    out.extend_from_slice(secret);
    out.extend_from_slice(&checksum(secret));
    out
}

fn damaged(path: &Path, why: &str) -> Error {
    Error::StoreDamaged { path: path.to_path_buf(), why: why.to_owned() }
}

fn decode(path: &Path) -> Result<Secret32> {
    let bytes = Zeroizing::new(files::read_small(path, SIDE_FILE_MAX_BYTES)?);
    let secret = bytes
        .strip_prefix(MAGIC)
        .and_then(|rest| rest.split_first_chunk::<32>())
        .filter(|(secret, sum)| *sum == checksum(*secret))
        .map(|(secret, _)| Zeroizing::new(*secret));
    secret.ok_or_else(|| damaged(path, "it is not a key file"))
}

fn seal(key: &[u8; 32], nonce: [u8; NONCE_BYTES], purpose: &str, secret: &[u8]) -> Result<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(&Key::from(*key));
    let payload = Payload { msg: secret, aad: purpose.as_bytes() };
    let boxed = cipher.encrypt(&Nonce::from(nonce), payload).map_err(|_| Error::KeyStore("wrapping failed".into()))?;
    Ok([&nonce[..], &boxed].concat())
}

fn open(key: &[u8; 32], purpose: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let (nonce, boxed) = wrapped.split_first_chunk::<NONCE_BYTES>().ok_or(Error::KeyMismatch)?;
    let payload = Payload { msg: boxed, aad: purpose.as_bytes() };
    ChaCha20Poly1305::new(&Key::from(*key)).decrypt(&Nonce::from(*nonce), payload).map(Zeroizing::new).map_err(|_| Error::KeyMismatch)
}

impl KeyStore for SoftwareKeyStore {
    fn device_key(&self) -> PublicKey {
        self.device.public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.device.sign(message).map_err(|e| Error::KeyStore(e.to_string()))
    }
    fn wrap(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        os_random(&mut nonce)?;
        seal(&self.wrapping, nonce, purpose, secret)
    }
    fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.wrapping, purpose, wrapped)
    }
    fn random(&self, out: &mut [u8]) -> Result<()> {
        os_random(out)
    }
}

/// Same seed, same keys and same "random" bytes: a failing simulation can be run again. For tests.
pub struct SeededKeyStore {
    device: SecretKey,
    wrapping: Secret32,
    stream: Mutex<(Secret32, u64)>,
}

impl SeededKeyStore {
    /// Everything from `seed`.
    pub fn new(seed: u64) -> Self {
        let derive = |label: &str, n: u64| -> Secret32 { Zeroizing::new(block(&seed.to_be_bytes(), label, n)) };
        let mut n = 0;
        let device = loop {
            match SecretKey::from_scalar(&derive("device", n)) {
                Ok(key) => break key,
                Err(_) => n += 1,
            }
        };
        SeededKeyStore { device, wrapping: derive("wrap", 0), stream: Mutex::new((derive("random", 0), 0)) }
    }
}

fn block(key: &[u8], label: &str, n: u64) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(label.as_bytes());
    mac.update(&n.to_be_bytes());
    mac.finalize().into_bytes().into()
}

impl KeyStore for SeededKeyStore {
    fn device_key(&self) -> PublicKey {
        self.device.public_key()
    }
    fn sign(&self, message: &[u8]) -> Result<Signature> {
        self.device.sign(message).map_err(|e| Error::KeyStore(e.to_string()))
    }
    fn wrap(&self, purpose: &str, secret: &[u8]) -> Result<Vec<u8>> {
        let mut nonce = [0; NONCE_BYTES];
        self.random(&mut nonce)?;
        seal(&self.wrapping, nonce, purpose, secret)
    }
    fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        open(&self.wrapping, purpose, wrapped)
    }
    fn random(&self, out: &mut [u8]) -> Result<()> {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in out.chunks_mut(32) {
            let bytes = block(stream.0.as_ref(), "next", stream.1);
            stream.1 += 1;
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_reopening_and_are_private() {
        let dir = tempfile::tempdir().unwrap();
        let folder = dir.path().join("keys");
        let made = SoftwareKeyStore::create(&folder).unwrap();
        let wrapped = made.wrap("spool", b"secret").unwrap();
        let again = SoftwareKeyStore::create(&folder).unwrap();
        assert_eq!(again.device_key(), made.device_key());
        assert_eq!(&again.unwrap("spool", &wrapped).unwrap()[..], b"secret");
        assert!(again.unwrap("vault", &wrapped).is_err());
        #[cfg(unix)]
        for name in ["device.key", "wrap.key"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(folder.join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }

    #[test]
    fn a_damaged_key_file_is_refused_and_left_as_it_is() {
        let dir = tempfile::tempdir().unwrap();
        SoftwareKeyStore::create(dir.path()).unwrap();
        let path = dir.path().join("wrap.key");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[10] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(SoftwareKeyStore::create(dir.path()).is_err());
        assert_eq!(std::fs::read(&path).unwrap(), bytes);
    }

    #[test]
    fn one_seed_gives_one_phone() {
        let (a, b) = (SeededKeyStore::new(7), SeededKeyStore::new(7));
        assert_eq!(a.device_key(), b.device_key());
        let (mut x, mut y) = ([0; 40], [0; 40]);
        a.random(&mut x).unwrap();
        b.random(&mut y).unwrap();
        assert_eq!(x, y);
        b.random(&mut y).unwrap();
        assert_ne!(x, y);
        assert_ne!(SeededKeyStore::new(8).device_key(), a.device_key());
    }
}
