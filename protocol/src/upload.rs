//! How sealed files reach the hub: one resource that speaks tus 1.0, and one question that saves asking file by file.
//!
//! Uploading is authenticated by its content: a resource can be made only for a sealed hash that an accepted entry
//! names, under [`resource`]. Whatever arrived of a chunk that was cut is kept. The answer to the last chunk, and to
//! `HEAD` on a complete upload, carries the hub's signed receipt in [`RECEIPT_HEADER`], base64url without padding.

use crate::cbor::{Reader, Writer};
use crate::crypto::Hash;
use crate::error::{Error, Result};
use crate::fields::{list, write_list};
use crate::limits::{MAX_ANSWER_BYTES, MAX_OBJECTS_ASKED};

/// `OPTIONS`, `POST`: tus creation. An upload lies under it by its sealed hash, 64 hex digits.
pub const UPLOADS_PATH: &str = "/v1/uploads";
/// `POST`: what the hub has of up to 256 objects.
pub const OBJECTS_PATH: &str = "/v1/objects";
/// The version of tus that is spoken.
pub const TUS_VERSION: &str = "1.0.0";
/// Media type of a `PATCH` body.
pub const CHUNK_TYPE: &str = "application/offset+octet-stream";
/// Key of `Upload-Metadata` that holds the sealed hash, as 64 hex digits in base64.
pub const METADATA_HASH: &str = "sealed_sha256";
/// Header that carries `Signed<Receipt>` in base64url without padding.
pub const RECEIPT_HEADER: &str = "yenban-receipt";

/// Path of the upload of an object.
pub fn resource(sealed_sha256: &Hash) -> String {
    format!("{UPLOADS_PATH}/{}", data_encoding::HEXLOWER.encode(sealed_sha256))
}

/// What the hub has of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectState {
    /// No accepted entry names it (yet).
    NotNamed,
    /// So many bytes have arrived; zero when no upload was begun.
    Partial(u64),
    /// It is there and verified; the receipt that comes along names it.
    Verified,
    /// It was there and was destroyed when its time was over, or by an order: it is not wanted again.
    Erased,
}

/// "What have you of these?"
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectsQuestion {
    /// Hashes of sealed files, at most [`MAX_OBJECTS_ASKED`].
    pub objects: Vec<Hash>,
}

/// The answer, one state an object, in the order asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectsAnswer {
    /// The states.
    pub states: Vec<ObjectState>,
    /// `Signed<Receipt>`, one for each log of which a verified object was asked about.
    pub receipts: Vec<Vec<u8>>,
}

impl ObjectsQuestion {
    /// The question's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.map(1).uint(0);
        write_list(&mut w, &self.objects, |w, hash| {
            w.bytes(hash);
        });
        w.into_bytes()
    }

    /// Reads what [`ObjectsQuestion::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let mut objects = Vec::new();
        let mut fields = r.map("objects question")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => objects = list(&mut r, MAX_OBJECTS_ASKED, "objects asked about", |r| r.fixed("object hash"))?,
                _ => drop(r.item("question field")?),
            }
        }
        r.end("objects question")?;
        Ok(Self { objects })
    }
}

impl ObjectsAnswer {
    /// The answer's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.map(2).uint(0);
        write_list(&mut w, &self.states, |w, state| {
            let (number, offset) = match state {
                ObjectState::NotNamed => (0, 0),
                ObjectState::Partial(offset) => (1, *offset),
                ObjectState::Verified => (2, 0),
                ObjectState::Erased => (3, 0),
            };
            w.array(2).uint(number).uint(offset);
        });
        w.uint(1);
        write_list(&mut w, &self.receipts, |w, receipt| {
            w.bytes(receipt);
        });
        w.into_bytes()
    }

    /// Reads what [`ObjectsAnswer::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let (mut states, mut receipts) = (Vec::new(), Vec::new());
        let mut fields = r.map("objects answer")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => {
                    states = list(&mut r, MAX_OBJECTS_ASKED, "states of objects", |r| {
                        r.tuple(2, "state of an object")?;
                        let (at, number) = (r.position(), r.uint("state")?);
                        let offset = r.uint("offset")?;
                        Ok(match number {
                            0 => ObjectState::NotNamed,
                            1 => ObjectState::Partial(offset),
                            2 => ObjectState::Verified,
                            3 => ObjectState::Erased,
                            _ => return Err(Error::Malformed { what: "state of an object", at }),
                        })
                    })?;
                }
                1 => {
                    receipts = list(&mut r, MAX_OBJECTS_ASKED, "receipts", |r| Ok(r.bytes_up_to(MAX_ANSWER_BYTES, "receipt")?.to_vec()))?;
                }
                _ => drop(r.item("answer field")?),
            }
        }
        r.end("objects answer")?;
        Ok(Self { states, receipts })
    }
}
