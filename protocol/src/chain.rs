//! Entries, their salted parts and the chain of links; erasing a part without breaking the chain.
//!
//! ```text
//! salt_i = HMAC-SHA-256(entry_salt, cbor(i))[..16]
//! part_i = SHA-256(cbor["yb1/part", class, salt_i, bytes])
//! commit = SHA-256(cbor["yb1/body", n, part_1 .. part_n])
//! link   = SHA-256(cbor["yb1/link", log, seq, previous link, commit])
//! ```
//!
//! The salt hides low-entropy content from somebody who holds only hashes; deriving one salt a part lets a
//! single part be disclosed, or erased, without its siblings.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::cbor::{self, Reader, Writer};
use crate::crypto::{Hash, sha256};
use crate::error::{Error, Result};
use crate::id::LogId;
use crate::limits::{MAX_PART_BYTES, MAX_PARTS};

/// Bytes of a salt.
pub const SALT_BYTES: usize = 16;
/// A salt.
pub type Salt = [u8; SALT_BYTES];
/// A link: the hash that commits to an entry and all before it.
pub type Link = Hash;
/// The link before the first entry.
pub const FIRST_LINK: Link = [0; 32];

/// What a part is about. The class, not the kind, decides who may read a part and how long it is kept, so
/// a hub that does not know a kind still treats it rightly. Numbers above the known ones are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u8);

impl Class {
    /// Patrol duty: presence, check-ins, what kind of thing happened when. 12 months.
    pub const DUTY: Class = Class(0);
    /// Breadcrumbs between check-ins. 72 hours.
    pub const TRACK: Class = Class(1);
    /// What a report says. 90 days unless a signed triage extends it.
    pub const REPORT: Class = Class(2);
    /// Who a source is. One officer role.
    pub const SOURCE: Class = Class(3);
    /// Photographs and their facts. Until the case closes.
    pub const EVIDENCE: Class = Class(4);
    /// Other work of a group. 12 months.
    pub const ACTIVITY: Class = Class(5);
    /// The log about itself.
    pub const SYSTEM: Class = Class(6);
}

/// One part of an entry: a class and recorded bytes (deterministic CBOR).
#[derive(Clone, PartialEq, Eq)]
pub struct Part {
    /// What it is about.
    pub class: Class,
    /// Recorded bytes, kept as they are on both sides.
    pub bytes: Vec<u8>,
}

impl core::fmt::Debug for Part {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Part(class {}, {} bytes)", self.class.0, self.bytes.len())
    }
}

/// A whole entry body, as a phone records it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Body {
    /// 16 random bytes, from which each part's salt is derived.
    pub salt: Salt,
    /// 1 to 8 parts.
    pub parts: Vec<Part>,
}

/// A part as it stands after something was erased from its entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeptPart {
    /// Still here, with its own salt, because the entry's is gone.
    Present {
        /// The part.
        part: Part,
        /// Its salt.
        salt: Salt,
    },
    /// Gone; its hash keeps the chain whole.
    Erased {
        /// What it was about.
        class: Class,
        /// `part_i`.
        hash: Hash,
    },
}

/// An entry body as a hub stores it: whole, or with parts erased.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StoredBody {
    /// Nothing erased yet.
    Whole(Body),
    /// At least one part erased; the entry salt is destroyed.
    Redacted(Vec<KeptPart>),
}

/// The salt of part `index` (from 0).
pub fn part_salt(entry_salt: &Salt, index: usize) -> Salt {
    let mut w = Writer::with_capacity(9);
    w.uint(index as u64);
    let mut mac = Hmac::<Sha256>::new_from_slice(entry_salt).expect("HMAC takes a key of any length");
    mac.update(w.as_bytes());
    let mut salt = [0; SALT_BYTES];
    salt.copy_from_slice(&mac.finalize().into_bytes()[..SALT_BYTES]);
    salt
}

/// The hash of one part under its salt.
pub fn part_hash(class: Class, salt: &Salt, bytes: &[u8]) -> Hash {
    let mut w = Writer::with_capacity(bytes.len() + 40);
    w.array(4).text("yb1/part").uint(u64::from(class.0)).bytes(salt).bytes(bytes);
    sha256(w.as_bytes())
}

/// The commitment to all parts of an entry.
pub fn commit(parts: &[Hash]) -> Hash {
    let mut w = Writer::with_capacity(16 + parts.len() * 34);
    w.array(2 + parts.len()).text("yb1/body").uint(parts.len() as u64);
    for part in parts {
        w.bytes(part);
    }
    sha256(w.as_bytes())
}

/// The link of entry (log, seq) after `previous`.
pub fn link(log: LogId, seq: u64, previous: &Link, commit: &Hash) -> Link {
    let mut w = Writer::with_capacity(100);
    w.array(5).text("yb1/link").bytes(&log.0).uint(seq).bytes(previous).bytes(commit);
    sha256(w.as_bytes())
}

impl Body {
    /// A body, checked: 1 to 8 parts, each within its bound and one deterministic CBOR item.
    pub fn new(salt: Salt, parts: Vec<Part>) -> Result<Self> {
        if parts.is_empty() || parts.len() > MAX_PARTS {
            return Err(Error::Limit { what: "parts of an entry", limit: MAX_PARTS });
        }
        for part in &parts {
            if part.bytes.len() > MAX_PART_BYTES {
                return Err(Error::Limit { what: "bytes of a part", limit: MAX_PART_BYTES });
            }
            cbor::check(&part.bytes)?;
        }
        Ok(Self { salt, parts })
    }

    /// The commitment to this body.
    pub fn commit(&self) -> Hash {
        let mut hashes = [[0; 32]; MAX_PARTS];
        for (index, part) in self.parts.iter().take(MAX_PARTS).enumerate() {
            hashes[index] = part_hash(part.class, &part_salt(&self.salt, index), &part.bytes);
        }
        commit(&hashes[..self.parts.len().min(MAX_PARTS)])
    }

    /// The link of this body as entry (log, seq) after `previous`.
    pub fn link(&self, log: LogId, seq: u64, previous: &Link) -> Link {
        link(log, seq, previous, &self.commit())
    }

    /// Bytes of all parts together.
    pub fn size_bytes(&self) -> usize {
        self.parts.iter().map(|p| p.bytes.len()).sum()
    }

    /// Writes `[salt, [class, bytes], ...]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(1 + self.parts.len()).bytes(&self.salt);
        for part in &self.parts {
            w.array(2).uint(u64::from(part.class.0)).bytes(&part.bytes);
        }
    }
}

impl StoredBody {
    /// The commitment, the same before and after any erasure.
    pub fn commit(&self) -> Hash {
        match self {
            StoredBody::Whole(body) => body.commit(),
            StoredBody::Redacted(parts) => {
                let hashes: Vec<Hash> = parts
                    .iter()
                    .map(|part| match part {
                        KeptPart::Present { part, salt } => part_hash(part.class, salt, &part.bytes),
                        KeptPart::Erased { hash, .. } => *hash,
                    })
                    .collect();
                commit(&hashes)
            }
        }
    }

    /// How many parts there are, erased ones included.
    pub fn len(&self) -> usize {
        match self {
            StoredBody::Whole(body) => body.parts.len(),
            StoredBody::Redacted(parts) => parts.len(),
        }
    }

    /// Whether there is no part (never true of a body that was decoded).
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part `index`, unless erased.
    pub fn part(&self, index: usize) -> Option<&Part> {
        match self {
            StoredBody::Whole(body) => body.parts.get(index),
            StoredBody::Redacted(parts) => match parts.get(index)? {
                KeptPart::Present { part, .. } => Some(part),
                KeptPart::Erased { .. } => None,
            },
        }
    }

    /// The same body without the content of part `index`; the commitment stays as it was. Erasing what is
    /// erased already, or an index there is not, changes nothing.
    pub fn erase(self, index: usize) -> Self {
        let parts = match self {
            StoredBody::Whole(body) if index >= body.parts.len() => return StoredBody::Whole(body),
            StoredBody::Whole(body) => {
                let salt = body.salt;
                body.parts.into_iter().enumerate().map(|(i, part)| KeptPart::Present { part, salt: part_salt(&salt, i) }).collect()
            }
            StoredBody::Redacted(parts) => parts,
        };
        let kept = parts.into_iter().enumerate().map(|(i, part)| match part {
            KeptPart::Present { part, salt } if i == index => {
                KeptPart::Erased { class: part.class, hash: part_hash(part.class, &salt, &part.bytes) }
            }
            other => other,
        });
        StoredBody::Redacted(kept.collect())
    }

    /// Bytes for storage: `[salt, [class, bytes] ..]`, or `[null, [class, bytes, salt] | [class, null, hash] ..]`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(160);
        match self {
            StoredBody::Whole(body) => body.write(&mut w),
            StoredBody::Redacted(parts) => {
                w.array(1 + parts.len()).null();
                for part in parts {
                    match part {
                        KeptPart::Present { part, salt } => w.array(3).uint(u64::from(part.class.0)).bytes(&part.bytes).bytes(salt),
                        KeptPart::Erased { class, hash } => w.array(3).uint(u64::from(class.0)).null().bytes(hash),
                    };
                }
            }
        }
        w.into_bytes()
    }

    /// Reads what [`StoredBody::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let stored = Self::read(&mut r)?;
        r.end("entry body")?;
        Ok(stored)
    }

    /// Reads one body.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let n = r.array(MAX_PARTS + 1, "entry body")?;
        if n < 2 {
            return Err(Error::Malformed { what: "entry body", at: r.position() });
        }
        if r.null() {
            let parts = (1..n).map(|_| read_kept(r)).collect::<Result<_>>()?;
            return Ok(StoredBody::Redacted(parts));
        }
        let salt = r.fixed("entry salt")?;
        let mut parts = Vec::with_capacity(n - 1);
        for _ in 1..n {
            r.tuple(2, "part")?;
            parts.push(read_part(r)?);
        }
        Ok(StoredBody::Whole(Body { salt, parts }))
    }
}

fn read_class(r: &mut Reader<'_>) -> Result<Class> {
    let at = r.position();
    u8::try_from(r.uint("class")?).map(Class).map_err(|_| Error::Malformed { what: "class", at })
}

fn read_part(r: &mut Reader<'_>) -> Result<Part> {
    let class = read_class(r)?;
    let bytes = r.bytes_up_to(MAX_PART_BYTES, "part")?;
    cbor::check(bytes)?;
    Ok(Part { class, bytes: bytes.to_vec() })
}

fn read_kept(r: &mut Reader<'_>) -> Result<KeptPart> {
    r.tuple(3, "kept part")?;
    let before = r.clone();
    let class = read_class(r)?;
    if r.null() {
        return Ok(KeptPart::Erased { class, hash: r.fixed("part hash")? });
    }
    *r = before;
    let part = read_part(r)?;
    Ok(KeptPart::Present { part, salt: r.fixed("part salt")? })
}
