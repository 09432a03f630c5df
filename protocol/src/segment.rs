//! Segments: a run of the log, packed, its head signed by the device key, sealed to the hub.
//!
//! ```text
//! sealed  = "YB" 0x01 0x01 | key id (8) | enc (65) | ciphertext
//! content = cbor[mode, log, first, previous link | null, heads, payload] | zeros up to the Padmé length
//! head    = cbor[seq, device, token | null, signature]
//! ```
//!
//! Links are not sent: whoever opens a segment recomputes them, and the last head's signature covers the
//! last link. Opening is bounded by [`crate::limits`] whatever a segment claims.

use rand_core::CryptoRng;

use crate::cbor::{Reader, Writer};
use crate::chain::{Body, FIRST_LINK, Link, StoredBody};
use crate::crypto::{self, ENC_BYTES, Opener, PublicKey, Signature, Signer, TAG_BYTES, Verifier, message};
use crate::error::{Error, Result};
use crate::fields::{list, write_list};
use crate::id::{DeviceId, EntryName, KeyId, LogId};
use crate::limits::{MAX_HEADS, MAX_OPENED_BYTES, MAX_REQUEST_BYTES, MAX_SEGMENT_BYTES, MAX_SEGMENT_ENTRIES, MAX_WRAPS};
use crate::pack;
use crate::seal::{SealedBody, SessionKey, SessionWrap};

/// First bytes of every sealed segment: name, version, kind.
pub const MAGIC: [u8; 4] = [b'Y', b'B', 1, 1];
const HEADER_BYTES: usize = MAGIC.len() + 8;
const INFO: &[u8] = b"yb1/segment";

/// How entries travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Through the packing filter.
    Packed,
    /// As they are: what the filter does not give back exactly.
    Raw,
    /// As the spool keeps them: sent while the vault is locked.
    AsStored,
}

/// A signed head: the device vouches for the chain up to `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Up to and including this entry.
    pub seq: u64,
    /// By this device.
    pub device: DeviceId,
    /// The newest time token of the hub that the device had (`Signed<Token>`): the head was made after it.
    pub token: Option<Vec<u8>>,
    /// Over log, seq, link, device and token.
    pub signature: Signature,
}

fn head_message(log: LogId, seq: u64, link: &Link, device: DeviceId, token: Option<&[u8]>) -> Vec<u8> {
    let mut w = message("yb1/head", 5);
    w.bytes(&log.0).uint(seq).bytes(link).bytes(&device.0);
    match token {
        Some(token) => w.bytes(token),
        None => w.null(),
    };
    w.into_bytes()
}

impl Head {
    /// Signs the head at entry `name`.
    pub fn sign(name: EntryName, link: &Link, device: DeviceId, token: Option<Vec<u8>>, signer: &dyn Signer) -> Result<Self> {
        let signature = signer.sign(&head_message(name.log, name.seq, link, device, token.as_deref()))?;
        Ok(Self { seq: name.seq, device, token, signature })
    }

    /// Whether `key` signed this head over `link`.
    pub fn verify(&self, log: LogId, link: &Link, key: &PublicKey, verifier: &dyn Verifier) -> bool {
        verifier.verify(key, &head_message(log, self.seq, link, self.device, self.token.as_deref()), &self.signature)
    }

    /// Writes `[seq, device, token | null, signature]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(4).uint(self.seq).bytes(&self.device.0);
        match &self.token {
            Some(token) => w.bytes(token),
            None => w.null(),
        };
        w.bytes(&self.signature.0);
    }

    /// Reads what [`Head::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(4, "head")?;
        Ok(Self {
            seq: r.uint("head's entry")?,
            device: DeviceId(r.fixed("device")?),
            token: if r.null() { None } else { Some(r.bytes_up_to(MAX_REQUEST_BYTES, "token")?.to_vec()) },
            signature: Signature(r.fixed("signature")?),
        })
    }
}

/// A run of the log, ready to be sealed or just opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// The log.
    pub log: LogId,
    /// Sequence number of the first entry.
    pub first: u64,
    /// The link before the first entry.
    pub previous: Link,
    /// The entries.
    pub bodies: Vec<Body>,
    /// Signed heads within the run, ascending; the last one is at the last entry.
    pub heads: Vec<Head>,
}

impl Run {
    /// Sequence number of the last entry.
    pub fn last(&self) -> u64 {
        self.first + (self.bodies.len() as u64).saturating_sub(1)
    }

    /// The link of every entry, recomputed.
    pub fn links(&self) -> Vec<Link> {
        let mut previous = self.previous;
        let link = |(i, body): (usize, &Body)| {
            previous = body.link(self.log, self.first + i as u64, &previous);
            previous
        };
        self.bodies.iter().enumerate().map(link).collect()
    }

    /// Recomputes the links and verifies every head. `key_of` finds a device's key.
    pub fn verify(&self, verifier: &dyn Verifier, mut key_of: impl FnMut(DeviceId) -> Option<PublicKey>) -> Result<Vec<Link>> {
        let links = self.links();
        if self.heads.last().map(|h| h.seq) != Some(self.last()) {
            return Err(Error::Mismatch { what: "the last head and the last entry" });
        }
        for head in &self.heads {
            let index = head.seq.checked_sub(self.first).and_then(|i| usize::try_from(i).ok());
            let link = index.and_then(|i| links.get(i)).ok_or(Error::Mismatch { what: "a head and its entry" })?;
            let key = key_of(head.device).ok_or(Error::Signature { what: "unknown device" })?;
            if !head.verify(self.log, link, &key, verifier) {
                return Err(Error::Signature { what: "head" });
            }
        }
        Ok(links)
    }

    fn check(&self, entries: usize) -> Result<()> {
        if entries == 0 || entries > MAX_SEGMENT_ENTRIES {
            return Err(Error::Limit { what: "entries of a segment", limit: MAX_SEGMENT_ENTRIES });
        }
        if self.first.checked_add(entries as u64).is_none() {
            return Err(Error::Limit { what: "sequence number", limit: usize::MAX });
        }
        if self.first == 0 && self.previous != FIRST_LINK {
            return Err(Error::Mismatch { what: "the first entry's previous link" });
        }
        Ok(())
    }

    fn write_preamble(&self, w: &mut Writer, mode: Mode) {
        w.array(6).uint(mode as u64).bytes(&self.log.0).uint(self.first);
        if self.first == 0 {
            w.null()
        } else {
            w.bytes(&self.previous)
        };
        write_list(w, &self.heads, |w, head| head.write(w));
    }

    /// Seals this run to the hub's key: packed where the filter gives back the same bytes, raw otherwise.
    pub fn seal<R: CryptoRng>(&self, rng: &mut R, hub: &PublicKey) -> Result<Vec<u8>> {
        self.check(self.bodies.len())?;
        let mut w = Writer::with_capacity(48 * self.bodies.len() + 512);
        match pack::pack(&self.bodies) {
            Some(packed) => {
                self.write_preamble(&mut w, Mode::Packed);
                w.array(2).bytes(&packed.columns).bytes(&packed.salts);
            }
            None => {
                self.write_preamble(&mut w, Mode::Raw);
                write_list(&mut w, &self.bodies, |w, body| body.write(w));
            }
        }
        seal_content(rng, hub, w.into_bytes())
    }

    /// Seals a run of bodies as the spool keeps them; `self.bodies` is empty. The wraps are those to the hub.
    pub fn seal_as_stored<R: CryptoRng>(
        &self,
        rng: &mut R,
        hub: &PublicKey,
        wraps: &[SessionWrap],
        bodies: &[(SessionIndex, SealedBody)],
    ) -> Result<Vec<u8>> {
        self.check(bodies.len())?;
        let mut w = Writer::with_capacity(256 * bodies.len() + 512);
        self.write_preamble(&mut w, Mode::AsStored);
        w.array(2);
        write_list(&mut w, wraps, |w, wrap| wrap.write(w));
        write_list(&mut w, bodies, |w, (index, body)| {
            w.array(2).uint((*index).into());
            body.write(w);
        });
        seal_content(rng, hub, w.into_bytes())
    }
}

/// Which of a segment's wraps opens a body.
pub type SessionIndex = u32;

/// The Padmé length of `n` bytes: at most 12 % more, and it tells only O(log log n) bits of the size.
pub fn padded_len(n: usize) -> usize {
    if n < 2 {
        return n;
    }
    let exponent = n.ilog2();
    let low_bits = exponent - (exponent.max(1).ilog2() + 1).min(exponent);
    let mask = (1usize << low_bits) - 1;
    (n + mask) & !mask
}

fn seal_content<R: CryptoRng>(rng: &mut R, hub: &PublicKey, mut content: Vec<u8>) -> Result<Vec<u8>> {
    content.resize(padded_len(content.len()), 0);
    let mut out = Vec::with_capacity(HEADER_BYTES + ENC_BYTES + content.len() + TAG_BYTES);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&hub.id().0);
    let sealed = crypto::seal(rng, hub, INFO, &out, &content)?;
    out.extend_from_slice(&sealed.enc);
    out.extend_from_slice(&sealed.ciphertext);
    if out.len() > MAX_SEGMENT_BYTES {
        return Err(Error::Limit { what: "bytes of a segment", limit: MAX_SEGMENT_BYTES });
    }
    Ok(out)
}

/// A sealed segment, taken apart but not opened.
struct Outer<'a> {
    header: &'a [u8],
    key: KeyId,
    enc: &'a [u8; ENC_BYTES],
    ciphertext: &'a [u8],
}

/// The key a sealed segment is sealed to, without opening it.
pub fn sealed_to(sealed: &[u8]) -> Result<KeyId> {
    split(sealed).map(|outer| outer.key)
}

fn split(sealed: &[u8]) -> Result<Outer<'_>> {
    if sealed.len() > MAX_SEGMENT_BYTES {
        return Err(Error::Limit { what: "bytes of a segment", limit: MAX_SEGMENT_BYTES });
    }
    let short = Error::Malformed { what: "sealed segment", at: sealed.len() };
    let (header, rest) = sealed.split_at_checked(HEADER_BYTES).ok_or(short.clone())?;
    if header[..2] != MAGIC[..2] || header[3] != MAGIC[3] {
        return Err(Error::Malformed { what: "sealed segment", at: 0 });
    }
    if header[2] != MAGIC[2] {
        return Err(Error::Version { found: header[2].into() });
    }
    let (enc, ciphertext) = rest.split_first_chunk::<ENC_BYTES>().ok_or(short)?;
    let mut key = [0; 8];
    key.copy_from_slice(&header[MAGIC.len()..]);
    Ok(Outer { header, key: KeyId(key), enc, ciphertext })
}

/// Opens a sealed segment. Heads are not verified yet: see [`Run::verify`].
pub fn open(sealed: &[u8], opener: &dyn Opener) -> Result<(Run, Mode)> {
    let outer = split(sealed)?;
    read_content(&opener.open(outer.key, outer.enc, INFO, outer.header, outer.ciphertext)?, opener)
}

/// Reads a segment's content once the outer seal is open; `opener` opens the session keys of the as-stored
/// mode. Apart from [`open`] so that the fuzzer reaches it.
pub fn read_content(content: &[u8], opener: &dyn Opener) -> Result<(Run, Mode)> {
    let mut r = Reader::new(content);
    let opened = read_run(&mut r, opener)?;
    if content[r.position()..].iter().any(|b| *b != 0) {
        return Err(Error::Malformed { what: "padding", at: r.position() });
    }
    Ok(opened)
}

fn read_run(r: &mut Reader<'_>, opener: &dyn Opener) -> Result<(Run, Mode)> {
    r.tuple(6, "segment")?;
    let mode = r.uint("mode")?;
    let log = LogId(r.fixed("log")?);
    let first = r.uint("first")?;
    let previous = if r.null() { FIRST_LINK } else { r.fixed("previous link")? };
    let heads = list(r, MAX_HEADS, "heads", Head::read)?;
    let mut run = Run { log, first, previous, bodies: Vec::new(), heads };
    let mode = match mode {
        0 => {
            r.tuple(2, "packed entries")?;
            run.bodies = pack::unpack(r.bytes("columns")?, r.bytes("salts")?)?;
            Mode::Packed
        }
        1 => {
            run.bodies = list(r, MAX_SEGMENT_ENTRIES, "entries", |r| match StoredBody::read(r)? {
                StoredBody::Whole(body) => Ok(body),
                StoredBody::Redacted(_) => Err(Error::Malformed { what: "entry", at: r.position() }),
            })?;
            Mode::Raw
        }
        2 => {
            run.bodies = open_as_stored(r, opener, &run)?;
            Mode::AsStored
        }
        found => return Err(Error::Version { found }),
    };
    run.check(run.bodies.len())?;
    if run.bodies.iter().map(Body::size_bytes).sum::<usize>() > MAX_OPENED_BYTES {
        return Err(Error::Limit { what: "bytes of a segment, opened", limit: MAX_OPENED_BYTES });
    }
    Ok((run, mode))
}

fn open_as_stored(r: &mut Reader<'_>, opener: &dyn Opener, run: &Run) -> Result<Vec<Body>> {
    r.tuple(2, "stored entries")?;
    let wraps = list(r, MAX_WRAPS, "session wraps", SessionWrap::read)?;
    let keys: Vec<SessionKey> = wraps.iter().map(|wrap| wrap.open(run.log, opener)).collect::<Result<_>>()?;
    let mut seq = run.first;
    list(r, MAX_SEGMENT_ENTRIES, "entries", |r| {
        r.tuple(2, "stored entry")?;
        let index = r.u32("session")?;
        let sealed = SealedBody::read(r)?;
        let key = keys.get(index as usize).ok_or(Error::Mismatch { what: "an entry and its session" })?;
        let body = key.open(EntryName { log: run.log, seq }, &sealed)?;
        seq = seq.checked_add(1).ok_or(Error::Limit { what: "sequence number", limit: usize::MAX })?;
        Ok(body)
    })
}
