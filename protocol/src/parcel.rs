//! Parcels: what a phone without network gives to another phone, or to a USB stick, and what comes back.
//!
//! ```text
//! parcel  = "YB" 0x01 kind | length of the ciphertext (4) | key id (8) | enc (65) | ciphertext | SHA-256 of all before
//! file    = parcels one after another
//! to hub  = content {0 courier request, 1 [sealed segment ..], 2 [sealed object ..]}     kind 2, info "yb1/parcel"
//! answer  = content the hub's answer of the feed, receipts among it                      kind 3, info "yb1/answer"
//! ```
//!
//! The content is padded and sealed once more as a whole: to the hub's sealing key, or to that of the device that
//! asked. Whoever carries a parcel sees for which key it is and about how large it is, and can tell by the hash at its
//! end whether it is whole; nothing else. Everything in it proves itself, so a parcel that is lost, comes twice, late
//! or in another order is what it would be on any other road: entries that the hub has or has not yet.
//!
//! An answer is no contact: its time token says "not before" and must not set a clock, and a stream that it leaves
//! out is not closed by it.

use rand_core::CryptoRng;

use crate::cbor::{Reader, Writer};
use crate::crypto::{self, ENC_BYTES, Hash, Opener, PublicKey, Signer, TAG_BYTES, Verifier, sha256};
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::KeyId;
use crate::limits::{
    MAX_FILE_PARCELS, MAX_PARCEL_BYTES, MAX_PARCEL_CONTENT_BYTES, MAX_PARCEL_OBJECT_BYTES, MAX_PARCEL_OBJECTS, MAX_PARCEL_SEGMENTS,
    MAX_REQUEST_BYTES, MAX_SEGMENT_BYTES,
};
use crate::segment::padded_len;
use crate::signed::{Signed, Statement};
use crate::wire::{FeedAnswer, FeedRequest};

/// First bytes of every parcel: name and version; the kind follows.
pub const MAGIC: [u8; 3] = [b'Y', b'B', 1];
/// `POST`: one parcel to the hub; the answer is the parcel for its sender.
pub const PARCELS_PATH: &str = "/v1/parcels";

const LENGTH_AT: usize = MAGIC.len() + 1;
const KEY_AT: usize = LENGTH_AT + 4;
const HEADER_BYTES: usize = KEY_AT + 8;
const CIPHERTEXT_AT: usize = HEADER_BYTES + ENC_BYTES;
const HASH_BYTES: usize = 32;

/// Which way a parcel goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// From a phone to its hub.
    ToHub,
    /// From the hub to a device.
    Answer,
}

impl Kind {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Kind::ToHub => 2,
            Kind::Answer => 3,
        }
    }

    fn info(self) -> &'static [u8] {
        match self {
            Kind::ToHub => b"yb1/parcel",
            Kind::Answer => b"yb1/answer",
        }
    }
}

/// A parcel as whoever carries it sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outer<'a> {
    /// Which way it goes.
    pub kind: Kind,
    /// The key that opens it: one of the hub's, or the sealing key of the device that asked.
    pub key: KeyId,
    bytes: &'a [u8],
}

impl<'a> Outer<'a> {
    /// Takes the first parcel off `bytes`; what follows it is given back.
    ///
    /// # Errors
    /// The bytes are no parcel, or not a whole and unaltered one.
    pub fn split(bytes: &'a [u8]) -> Result<(Self, &'a [u8])> {
        let (kind, len) = measure(bytes)?;
        let (parcel, rest) = bytes.split_at_checked(len).ok_or(Error::Malformed { what: "parcel (cut off)", at: bytes.len() })?;
        let (signed, hash) = parcel.split_at(len - HASH_BYTES);
        if sha256(signed)[..] != *hash {
            return Err(Error::Malformed { what: "parcel (altered)", at: 0 });
        }
        let mut key = [0; 8];
        key.copy_from_slice(&parcel[KEY_AT..HEADER_BYTES]);
        Ok((Self { kind, key: KeyId(key), bytes: parcel }, rest))
    }

    /// Reads bytes that are exactly one parcel.
    ///
    /// # Errors
    /// As [`Outer::split`], and when something follows.
    pub fn of(bytes: &'a [u8]) -> Result<Self> {
        match Self::split(bytes)? {
            (outer, []) => Ok(outer),
            (outer, _) => Err(Error::Malformed { what: "parcel (something follows)", at: outer.bytes.len() }),
        }
    }

    /// The parcel's bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The parcel's name: the hash at its end.
    pub fn name(&self) -> Hash {
        let mut name = [0; HASH_BYTES];
        name.copy_from_slice(&self.bytes[self.bytes.len() - HASH_BYTES..]);
        name
    }

    fn open(&self, kind: Kind, opener: &dyn Opener) -> Result<zeroize::Zeroizing<Vec<u8>>> {
        if self.kind != kind {
            return Err(Error::Mismatch { what: "the way this parcel goes" });
        }
        let mut enc = [0; ENC_BYTES];
        enc.copy_from_slice(&self.bytes[HEADER_BYTES..CIPHERTEXT_AT]);
        let ciphertext = &self.bytes[CIPHERTEXT_AT..self.bytes.len() - HASH_BYTES];
        opener.open(self.key, &enc, kind.info(), &self.bytes[..HEADER_BYTES], ciphertext)
    }
}

/// Kind and length of the parcel at the start of `bytes`, which need not be there as a whole.
fn measure(bytes: &[u8]) -> Result<(Kind, usize)> {
    let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(Error::Malformed { what: "parcel (cut off)", at: bytes.len() })?;
    if header[..2] != MAGIC[..2] {
        return Err(Error::Malformed { what: "parcel", at: 0 });
    }
    if header[2] != MAGIC[2] {
        return Err(Error::Version { found: header[2].into() });
    }
    let kind = [Kind::ToHub, Kind::Answer].into_iter().find(|kind| kind.number() == header[3]);
    let kind = kind.ok_or(Error::Malformed { what: "kind of parcel", at: 3 })?;
    let claimed = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    let len = usize::try_from(claimed).ok().and_then(|n| n.checked_add(CIPHERTEXT_AT + HASH_BYTES));
    match len {
        Some(len) if len <= MAX_PARCEL_BYTES => Ok((kind, len)),
        _ => Err(Error::Limit { what: "bytes of a parcel", limit: MAX_PARCEL_BYTES }),
    }
}

/// One place of a file in which a parcel stands, or should stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<'a> {
    /// Where it begins.
    pub at: usize,
    /// The parcel, or why there is none.
    pub parcel: Result<Outer<'a>>,
}

/// The parcels of a file. An altered one is told and passed over; after what has no readable head nothing more is looked for.
pub fn file(bytes: &[u8]) -> Vec<Found<'_>> {
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if found.len() == MAX_FILE_PARCELS {
            found.push(Found { at, parcel: Err(Error::Limit { what: "parcels of a file", limit: MAX_FILE_PARCELS }) });
            break;
        }
        let rest = &bytes[at..];
        let parcel = Outer::split(rest).map(|(outer, _)| outer);
        found.push(Found { at, parcel });
        match measure(rest) {
            Ok((_, len)) => at = at.saturating_add(len),
            Err(_) => break,
        }
    }
    found
}

/// What a phone asks of the hub through a courier: as for the feed, but signed by the device key itself, because a
/// request key of 24 hours would be over before a stick arrives. It gives nothing to whoever repeats it: the answer is
/// sealed to the device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourierRequest(pub FeedRequest);

impl Statement for CourierRequest {
    const PURPOSE: &'static str = "yb1/courier";

    fn write(&self, w: &mut Writer) {
        self.0.write(w);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        FeedRequest::read(r).map(Self)
    }
}

/// What travels to the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// `Signed<CourierRequest>`.
    pub request: Vec<u8>,
    /// Sealed segments, as they would go over the network.
    pub segments: Vec<Vec<u8>>,
    /// Whole sealed objects that entries name: smaller copies of photographs.
    pub objects: Vec<Vec<u8>>,
}

impl Parcel {
    /// A parcel with nothing in it but the signed request.
    pub fn new(request: FeedRequest, device: &dyn Signer) -> Result<Self> {
        let request = Signed::sign(CourierRequest(request), device)?.into_bytes();
        Ok(Self { request, segments: Vec::new(), objects: Vec::new() })
    }

    /// Bytes of the content if `more` were added: for filling a parcel up to [`MAX_PARCEL_CONTENT_BYTES`].
    pub fn content_bytes_with(&self, more: usize) -> usize {
        // Nine bytes stand for the longest head of a byte string; the map and the heads of its lists take less than 64.
        let all = self.segments.iter().chain(&self.objects).map(|bytes| bytes.len() + 9).sum::<usize>();
        64 + self.request.len() + all + more + 9
    }

    /// Seals the parcel to the hub.
    ///
    /// # Errors
    /// More or larger things in it than a parcel may have.
    pub fn seal<R: CryptoRng>(&self, rng: &mut R, hub: &PublicKey) -> Result<Vec<u8>> {
        within(self.segments.len(), MAX_PARCEL_SEGMENTS, "segments of a parcel")?;
        within(self.objects.len(), MAX_PARCEL_OBJECTS, "objects of a parcel")?;
        self.segments.iter().try_for_each(|s| within(s.len(), MAX_SEGMENT_BYTES, "bytes of a segment"))?;
        self.objects.iter().try_for_each(|o| within(o.len(), MAX_PARCEL_OBJECT_BYTES, "bytes of an object in a parcel"))?;
        let mut w = Writer::with_capacity(self.content_bytes_with(0));
        w.map(3).uint(0).bytes(&self.request).uint(1);
        let write = |w: &mut Writer, bytes: &Vec<u8>| {
            w.bytes(bytes);
        };
        write_list(&mut w, &self.segments, write);
        w.uint(2);
        write_list(&mut w, &self.objects, write);
        seal(rng, Kind::ToHub, hub, w.into_bytes())
    }

    /// Opens a parcel at the hub. Nothing in it is verified yet.
    pub fn open(outer: &Outer<'_>, opener: &dyn Opener) -> Result<Self> {
        read_content(&outer.open(Kind::ToHub, opener)?)
    }

    /// The request, verified. `key_of` finds a device's signing key.
    pub fn verify_request(
        &self,
        verifier: &dyn Verifier,
        key_of: impl FnOnce(&FeedRequest) -> Option<PublicKey>,
    ) -> Result<Signed<CourierRequest>> {
        Signed::verify(&self.request, verifier, |request: &CourierRequest, _| key_of(&request.0))
    }
}

/// Reads what a parcel to the hub holds once its seal is open. Apart from [`Parcel::open`] so that the fuzzer reaches it.
pub fn read_content(content: &[u8]) -> Result<Parcel> {
    let mut r = Reader::new(opened_item(content, "parcel")?);
    let (mut request, mut segments, mut objects) = (None, Vec::new(), Vec::new());
    let mut fields = r.map("parcel")?;
    while let Some(key) = fields.key(&mut r)? {
        match key {
            0 => request = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "courier request")?.to_vec()),
            1 => segments = list(&mut r, MAX_PARCEL_SEGMENTS, "segments", |r| Ok(r.bytes_up_to(MAX_SEGMENT_BYTES, "segment")?.to_vec()))?,
            2 => {
                objects = list(&mut r, MAX_PARCEL_OBJECTS, "objects", |r| Ok(r.bytes_up_to(MAX_PARCEL_OBJECT_BYTES, "object")?.to_vec()))?;
            }
            _ => drop(r.item("parcel field")?),
        }
    }
    Ok(Parcel { request: need(request, "courier request")?, segments, objects })
}

/// Seals the hub's answer to the device that asked.
pub fn seal_answer<R: CryptoRng>(rng: &mut R, device_seal_key: &PublicKey, answer: &FeedAnswer) -> Result<Vec<u8>> {
    seal(rng, Kind::Answer, device_seal_key, answer.to_bytes())
}

/// Opens an answer on the device that asked. What is in it is verified as in any answer of the feed.
pub fn open_answer(outer: &Outer<'_>, opener: &dyn Opener) -> Result<FeedAnswer> {
    let content = outer.open(Kind::Answer, opener)?;
    FeedAnswer::from_bytes(opened_item(&content, "answer")?)
}

/// The one item of a content that zeros follow.
fn opened_item<'a>(content: &'a [u8], what: &'static str) -> Result<&'a [u8]> {
    let mut r = Reader::new(content);
    let item = r.item(what)?;
    match content[item.len()..].iter().all(|byte| *byte == 0) {
        true => Ok(item),
        false => Err(Error::Malformed { what: "padding", at: item.len() }),
    }
}

fn within(n: usize, limit: usize, what: &'static str) -> Result<()> {
    if n > limit { Err(Error::Limit { what, limit }) } else { Ok(()) }
}

fn seal<R: CryptoRng>(rng: &mut R, kind: Kind, to: &PublicKey, mut content: Vec<u8>) -> Result<Vec<u8>> {
    within(content.len(), MAX_PARCEL_CONTENT_BYTES, "bytes of a parcel's content")?;
    content.resize(padded_len(content.len()), 0);
    let too_long = Error::Limit { what: "bytes of a parcel", limit: MAX_PARCEL_BYTES };
    let ciphertext_bytes = u32::try_from(content.len() + TAG_BYTES).map_err(|_| too_long)?;
    let mut out = Vec::with_capacity(CIPHERTEXT_AT + content.len() + TAG_BYTES + HASH_BYTES);
    out.extend_from_slice(&MAGIC);
    out.push(kind.number());
    out.extend_from_slice(&ciphertext_bytes.to_be_bytes());
    out.extend_from_slice(&to.id().0);
    let sealed = crypto::seal(rng, to, kind.info(), &out, &content)?;
    out.extend_from_slice(&sealed.enc);
    out.extend_from_slice(&sealed.ciphertext);
    let hash = sha256(&out);
    out.extend_from_slice(&hash);
    Ok(out)
}
