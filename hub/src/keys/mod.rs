//! The hub's keys: made once at init, read at every start, never leaving the process.
//!
//! The commune root signs the key history and nothing else, so it can lie elsewhere once that is done: a hub without
//! `keys/root` works, it only cannot change its keys.

mod aws;
mod replace;

pub use aws::{HubOpener, HubSigner, HubVerifier};
pub use replace::{Replaced, replace};

use std::path::Path;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use yenban_protocol::crypto::{PublicKey, SecretKey, Signer as _, sha256};
use yenban_protocol::id::CommuneCode;
use yenban_protocol::keys::{HubKey, KeyHistory, Purpose, root_hash};
use yenban_protocol::signed::Signed;
use zeroize::Zeroizing;

use crate::entropy::{self, Entropy};
use crate::error::{HubError, Result};
use crate::folder::{Folder, read_small, write_private};
use crate::store::sqlite::DatabaseKey;

const ROOT: &str = "root";
const SEAL: &str = "seal";
const SIGN: &str = "sign";
const DATABASE: &str = "database";
const TLS: &str = "tls";
const CERTIFICATE: &str = "certificate";
const HISTORY: &str = "history";
const RECOVERY: &str = "recovery.pub";
/// How a recovery file begins.
const RECOVERY_PREFIX: &str = "yenban-recovery-1 ";

/// Everything a running hub needs.
pub struct HubKeys {
    /// Signs receipts, tokens, feed items and certificates.
    pub signer: HubSigner,
    /// Opens what phones sealed.
    pub opener: HubOpener,
    /// The same keys, the newest first, for what is too short for that: a report by message.
    pub agreements: Vec<SecretKey>,
    /// The root-signed key history.
    pub history: Signed<KeyHistory>,
    /// The TLS certificate.
    pub certificate: CertificateDer<'static>,
    /// The TLS key.
    pub tls_key: PrivateKeyDer<'static>,
    /// Key of the database.
    pub database: DatabaseKey,
    /// Backups are sealed to this key.
    pub recovery: PublicKey,
}

fn keys_error(what: &str) -> impl Fn(&dyn std::fmt::Display) -> HubError + '_ {
    move |e| HubError::Keys(format!("{what}: {e}"))
}

fn write_secret(path: &Path, secret: &[u8; 32]) -> Result<()> {
    let text = Zeroizing::new(format!("{}\n", data_encoding::HEXLOWER.encode(secret)));
    write_private(path, text.as_bytes())
}

fn read_secret(path: &Path) -> Result<Zeroizing<[u8; 32]>> {
    let text = Zeroizing::new(read_small(path)?);
    secret_from_text(&text).ok_or_else(|| HubError::folder(path, "is not a key of a hub; restore a backup"))
}

fn secret_from_text(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(data_encoding::HEXLOWER.decode(text.trim_ascii()).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

fn secret_key(path: &Path) -> Result<SecretKey> {
    SecretKey::from_scalar(&*read_secret(path)?).map_err(|_| HubError::folder(path, "is not a key of a hub; restore a backup"))
}

/// The keys that phones seal to: a line each, the newest first. Older ones open what was sealed before they were replaced.
fn seal_keys(path: &Path) -> Result<Vec<SecretKey>> {
    let text = Zeroizing::new(read_small(path)?);
    let lines = text.trim_ascii().split(|byte| *byte == b'\n');
    let keys: Option<Vec<SecretKey>> = lines.map(|line| SecretKey::from_scalar(&*secret_from_text(line)?).ok()).collect();
    keys.ok_or_else(|| HubError::folder(path, "is not a key of a hub; restore a backup"))
}

fn seal_text(keys: &[&SecretKey]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 65));
    for key in keys {
        let line = Zeroizing::new(data_encoding::HEXLOWER.encode(key.scalar().as_ref()));
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// A TLS key with the paper that carries it.
struct Paper {
    key: rcgen::KeyPair,
    certificate: rcgen::Certificate,
    public: PublicKey,
}

impl Paper {
    fn new(commune: CommuneCode) -> Result<Self> {
        let key = rcgen::KeyPair::generate().map_err(|e| keys_error("TLS key")(&e))?;
        let names = vec!["hub.yenban".to_owned(), "localhost".to_owned()];
        let mut request = rcgen::CertificateParams::new(names).map_err(|e| keys_error("certificate")(&e))?;
        request.distinguished_name.push(rcgen::DnType::CommonName, format!("Yên Bản {commune}"));
        // Phones trust the key that the commune root names, not this paper: its dates only must not get in the way.
        request.not_before = rcgen::date_time_ymd(2025, 1, 1);
        request.not_after = rcgen::date_time_ymd(2125, 1, 1);
        let certificate = request.self_signed(&key).map_err(|e| keys_error("certificate")(&e))?;
        let public = PublicKey::from_sec1(key.public_key_raw())?;
        Ok(Self { key, certificate, public })
    }

    /// Writes both files.
    fn write(&self, key: &Path, certificate: &Path) -> Result<()> {
        write_private(key, &Zeroizing::new(self.key.serialize_der()))?;
        write_private(certificate, self.certificate.der())
    }
}

/// Makes every key of a new hub in `folder` and writes the recovery key to `recovery_file`, which must not exist.
pub fn create(folder: &Folder, commune: CommuneCode, name: &str, now_ms: i64, recovery_file: &Path) -> Result<HubKeys> {
    if recovery_file.exists() {
        return Err(HubError::folder(recovery_file, "exists already: it may be the only key to another hub's backups; name another file"));
    }
    let (root, seal, sign) = (SecretKey::generate(&mut Entropy), SecretKey::generate(&mut Entropy), SecretKey::generate(&mut Entropy));
    let recovery = SecretKey::generate(&mut Entropy);
    let paper = Paper::new(commune)?;
    let key = |purpose, key| HubKey { purpose, key, since_ms: now_ms, retired_ms: None };
    let history = KeyHistory {
        commune,
        name: name.to_owned(),
        root: root.public_key(),
        number: 1,
        keys: vec![key(Purpose::Tls, paper.public), key(Purpose::Seal, seal.public_key()), key(Purpose::Sign, sign.public_key())],
    };
    let history = Signed::sign(history, &root)?;

    for (file, secret) in [(ROOT, &root), (SEAL, &seal), (SIGN, &sign)] {
        write_secret(&folder.key(file), secret.scalar())?;
    }
    paper.write(&folder.key(TLS), &folder.key(CERTIFICATE))?;
    write_secret(&folder.key(DATABASE), &Zeroizing::new(entropy::array()))?;
    write_private(&folder.key(HISTORY), history.bytes())?;
    write_private(&folder.key(RECOVERY), &recovery.public_key().0)?;
    let text = Zeroizing::new(format!("{RECOVERY_PREFIX}{}\n", data_encoding::HEXLOWER.encode(recovery.scalar().as_ref())));
    write_private(recovery_file, text.as_bytes())?;
    load(folder)
}

/// Reads the keys of a hub.
pub fn load(folder: &Folder) -> Result<HubKeys> {
    replace::end_what_was_begun(folder)?;
    let history_path = folder.key(HISTORY);
    let history = read_small(&history_path)?;
    let damaged = |_| HubError::folder(&history_path, "is damaged; restore a backup");
    let pinned = Signed::<KeyHistory>::trusted(&history).map(|h| root_hash(&h.value.root)).map_err(damaged)?;
    let history = KeyHistory::verify(&history, &HubVerifier::default(), &pinned).map_err(damaged)?;
    let signer = HubSigner::new(&secret_key(&folder.key(SIGN))?)?;
    let agreements = seal_keys(&folder.key(SEAL))?;
    let opener = HubOpener::new(&agreements.iter().collect::<Vec<_>>());
    // With others the hub would serve, and phones believe nothing that it signs and seal what it cannot open.
    let current = |purpose, key: Option<PublicKey>| key.is_some() && history.value.current(purpose).map(|k| k.key) == key;
    let newest = agreements.first().map(|key| key.public_key());
    for (file, agrees) in [(SIGN, current(Purpose::Sign, Some(signer.public_key()))), (SEAL, current(Purpose::Seal, newest))] {
        if !agrees {
            return Err(HubError::folder(folder.key(file), "is not a key that the commune root signed; restore a backup"));
        }
    }
    let recovery_path = folder.key(RECOVERY);
    let recovery = PublicKey::from_sec1(&read_small(&recovery_path)?).map_err(|_| HubError::folder(&recovery_path, "is damaged"))?;
    Ok(HubKeys {
        signer,
        opener,
        agreements,
        history,
        certificate: CertificateDer::from(read_small(&folder.key(CERTIFICATE))?),
        tls_key: PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(read_small(&folder.key(TLS))?)),
        database: read_secret(&folder.key(DATABASE))?,
        recovery,
    })
}

impl HubKeys {
    /// The hash of the commune root, which codes pin.
    pub fn root_hash(&self) -> [u8; 32] {
        root_hash(&self.history.value.root)
    }

    /// The root's fingerprint for people: eight groups of four digits of its hash.
    pub fn fingerprint(&self) -> String {
        let hash = self.root_hash();
        hash.chunks(2).map(|pair| data_encoding::HEXLOWER.encode(pair)).collect::<Vec<_>>().join(" ")
    }
}

/// Reads a recovery file.
pub fn read_recovery(path: &Path) -> Result<SecretKey> {
    let text = Zeroizing::new(read_small(path)?);
    let secret = text.strip_prefix(RECOVERY_PREFIX.as_bytes()).and_then(secret_from_text);
    let bad = || HubError::folder(path, "is not a recovery key: it is the file that `hub init` wrote beside the folder");
    SecretKey::from_scalar(&*secret.ok_or_else(bad)?).map_err(|_| bad())
}

/// Names of the key files, for backups.
pub const FILES: [&str; 8] = [ROOT, SEAL, SIGN, DATABASE, TLS, CERTIFICATE, HISTORY, RECOVERY];

/// The hash under which a token is kept.
pub fn token_hash(token: &[u8; 16]) -> [u8; 32] {
    sha256(token)
}
