//! Bodies at rest on the phone: each part sealed alone under a session key that is wrapped to the hub.
//!
//! A session begins at start, lock, hand-over and after 24 hours. Its key is wrapped by HPKE to the hub and to
//! the author's vault key, so that a body can be sent, and opened at the hub, while the vault is locked or
//! after the phone's hardware key was lost. The salt stands in a box of its own: erasing one part must not
//! touch its siblings.

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::cbor::{Reader, Writer};
use crate::chain::{Body, Class, Part, SALT_BYTES};
use crate::crypto::{self, ENC_BYTES, Opener, PublicKey, TAG_BYTES};
use crate::error::{Error, Result};
use crate::id::{EntryName, KeyId, LogId, SessionId};
use crate::limits::{MAX_PART_BYTES, MAX_PARTS};

/// Index in the associated data of the box that holds the entry salt.
const SALT_INDEX: u64 = 255;
/// Bytes of a nonce.
pub const NONCE_BYTES: usize = 12;

/// A session key. Zeroised when dropped.
#[derive(Clone)]
pub struct SessionKey {
    /// Its name.
    pub id: SessionId,
    key: Zeroizing<[u8; 32]>,
}

impl core::fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "SessionKey({})", self.id)
    }
}

/// A session key wrapped to one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWrap {
    /// The session.
    pub session: SessionId,
    /// The recipient's key.
    pub recipient: KeyId,
    /// HPKE's encapsulated key.
    pub enc: [u8; ENC_BYTES],
    /// The wrapped key, 48 bytes.
    pub ciphertext: Vec<u8>,
}

fn wrap_aad(log: LogId, session: SessionId) -> Vec<u8> {
    let mut w = Writer::new();
    w.array(2).bytes(&log.0).bytes(&session.0);
    w.into_bytes()
}

const WRAP_INFO: &[u8] = b"yb1/session";

impl SessionKey {
    /// A new session key from `rng`.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        let (mut id, mut key) = ([0; 8], Zeroizing::new([0; 32]));
        rng.fill_bytes(&mut id);
        rng.fill_bytes(key.as_mut());
        Self { id: SessionId(id), key }
    }

    /// Wraps this key of `log` to `recipient`.
    pub fn wrap<R: CryptoRng>(&self, rng: &mut R, log: LogId, recipient: &PublicKey) -> Result<SessionWrap> {
        let sealed = crypto::seal(rng, recipient, WRAP_INFO, &wrap_aad(log, self.id), self.key.as_ref())?;
        Ok(SessionWrap { session: self.id, recipient: recipient.id(), enc: sealed.enc, ciphertext: sealed.ciphertext })
    }

    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&(*self.key).into())
    }

    /// Seals `body` as entry `name`.
    pub fn seal<R: CryptoRng>(&self, rng: &mut R, name: EntryName, body: &Body) -> Result<SealedBody> {
        let cipher = self.cipher();
        let mut boxes = Vec::with_capacity(1 + body.parts.len());
        boxes.push(seal_box(&cipher, rng, name, SALT_INDEX, None, &body.salt)?);
        for (index, part) in body.parts.iter().enumerate() {
            boxes.push(seal_box(&cipher, rng, name, index as u64, Some(part.class), &part.bytes)?);
        }
        Ok(SealedBody { boxes })
    }

    /// Opens a body that was sealed as entry `name`.
    pub fn open(&self, name: EntryName, sealed: &SealedBody) -> Result<Body> {
        let cipher = self.cipher();
        open_body(sealed, |index, sealed| {
            let payload = Payload { msg: &sealed.ciphertext, aad: &box_aad(name, index, sealed.class) };
            cipher.decrypt(&sealed.nonce.into(), payload).ok()
        })
    }

    /// As [`SessionKey::open`], by another implementation of the same algorithm.
    pub fn open_with(&self, name: EntryName, sealed: &SealedBody, boxes: &dyn BoxOpener) -> Result<Body> {
        open_body(sealed, |index, sealed| boxes.open_box(&self.key, &sealed.nonce, &box_aad(name, index, sealed.class), &sealed.ciphertext))
    }
}

/// Opens ChaCha20-Poly1305 boxes (RFC 8439).
pub trait BoxOpener {
    /// What `ciphertext` (with its tag) holds, or `None` when it was not sealed with these.
    fn open_box(&self, key: &[u8; 32], nonce: &[u8; NONCE_BYTES], aad: &[u8], ciphertext: &[u8]) -> Option<Vec<u8>>;
}

fn open_body(sealed: &SealedBody, open: impl Fn(u64, &SealedBox) -> Option<Vec<u8>>) -> Result<Body> {
    let unsealed = |index, sealed| open(index, sealed).ok_or(Error::Unsealed { what: "sealed body" });
    let Some((salt, parts)) = sealed.boxes.split_first() else {
        return Err(Error::Malformed { what: "sealed body", at: 0 });
    };
    let salt = unsealed(SALT_INDEX, salt)?;
    let salt = salt.as_slice().try_into().map_err(|_| Error::Malformed { what: "sealed salt", at: 0 })?;
    let mut opened = Vec::with_capacity(parts.len());
    for (index, sealed) in parts.iter().enumerate() {
        let class = sealed.class.ok_or(Error::Malformed { what: "sealed part", at: 0 })?;
        opened.push(Part { class, bytes: unsealed(index as u64, sealed)? });
    }
    Body::new(salt, opened)
}

impl SessionWrap {
    /// Opens the wrap with a key this side holds.
    pub fn open(&self, log: LogId, opener: &dyn Opener) -> Result<SessionKey> {
        let plain = opener.open(self.recipient, &self.enc, WRAP_INFO, &wrap_aad(log, self.session), &self.ciphertext)?;
        let key: [u8; 32] = plain.as_slice().try_into().map_err(|_| Error::Unsealed { what: "session key" })?;
        Ok(SessionKey { id: self.session, key: Zeroizing::new(key) })
    }

    /// Writes `[session, recipient, enc, ciphertext]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(4).bytes(&self.session.0).bytes(&self.recipient.0).bytes(&self.enc).bytes(&self.ciphertext);
    }

    /// Reads what [`SessionWrap::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(4, "session wrap")?;
        Ok(Self {
            session: SessionId(r.fixed("session")?),
            recipient: KeyId(r.fixed("recipient")?),
            enc: r.fixed("encapsulated key")?,
            ciphertext: r.bytes_up_to(32 + TAG_BYTES, "wrapped key")?.to_vec(),
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct SealedBox {
    class: Option<Class>,
    nonce: [u8; NONCE_BYTES],
    ciphertext: Vec<u8>,
}

/// A body as the spool keeps it: the salt's box and one box a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedBody {
    boxes: Vec<SealedBox>,
}

fn box_aad(name: EntryName, index: u64, class: Option<Class>) -> Vec<u8> {
    let mut w = Writer::with_capacity(40);
    w.array(5).text("yb1/sealed").bytes(&name.log.0).uint(name.seq).uint(index);
    match class {
        Some(class) => w.uint(class.0.into()),
        None => w.null(),
    };
    w.into_bytes()
}

fn seal_box<R: CryptoRng>(
    cipher: &ChaCha20Poly1305,
    rng: &mut R,
    name: EntryName,
    index: u64,
    class: Option<Class>,
    plain: &[u8],
) -> Result<SealedBox> {
    let mut nonce = [0; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let payload = Payload { msg: plain, aad: &box_aad(name, index, class) };
    let ciphertext = cipher.encrypt(&nonce.into(), payload).map_err(|_| Error::Limit { what: "sealed part", limit: MAX_PART_BYTES })?;
    Ok(SealedBox { class, nonce, ciphertext })
}

impl SealedBody {
    /// Writes `[[null, nonce, salt box], [class, nonce, part box] ..]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(self.boxes.len());
        for sealed in &self.boxes {
            w.array(3);
            match sealed.class {
                Some(class) => w.uint(class.0.into()),
                None => w.null(),
            };
            w.bytes(&sealed.nonce).bytes(&sealed.ciphertext);
        }
    }

    /// The bytes the spool keeps.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(192);
        self.write(&mut w);
        w.into_bytes()
    }

    /// Reads what [`SealedBody::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let sealed = Self::read(&mut r)?;
        r.end("sealed body")?;
        Ok(sealed)
    }

    /// Reads one sealed body.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let n = r.array(MAX_PARTS + 1, "sealed body")?;
        if n < 2 {
            return Err(Error::Malformed { what: "sealed body", at: r.position() });
        }
        let mut boxes = Vec::with_capacity(n);
        for index in 0..n {
            r.tuple(3, "sealed part")?;
            let at = r.position();
            let class = if r.null() {
                None
            } else {
                Some(Class(u8::try_from(r.uint("class")?).map_err(|_| Error::Malformed { what: "class", at })?))
            };
            if class.is_none() != (index == 0) {
                return Err(Error::Malformed { what: "sealed part", at });
            }
            let limit = if index == 0 { SALT_BYTES } else { MAX_PART_BYTES } + TAG_BYTES;
            boxes.push(SealedBox { class, nonce: r.fixed("nonce")?, ciphertext: r.bytes_up_to(limit, "sealed part")?.to_vec() });
        }
        Ok(Self { boxes })
    }
}
