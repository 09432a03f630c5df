//! What a verifier reads of an entry: no more than the verdict needs, so that fields of later versions, and mistakes in
//! fields that prove nothing, do not stand between a photograph and its proof.

use crate::cbor::Reader;
use crate::chain::{Part, StoredBody};
use crate::crypto::{Hash, PublicKey};
use crate::error::{Error, Result};
use crate::fields::{list, need};
use crate::id::{EntryName, LogId};
use crate::limits::MAX_PREVIEWS;

/// What part 0 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Says {
    /// Kind 0, with the device's key.
    LogStarted(PublicKey),
    /// Kind 7, with the number of photographs it announces.
    Incident(u32),
    /// Kind 9, with its subject.
    Photo(Option<EntryName>),
    /// Kind 13, with the photograph.
    Copies(EntryName),
}

/// What the facts of a photograph say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) sha256: Hash,
    pub(super) size_bytes: u64,
    pub(super) sealed_sha256: Hash,
    pub(super) sealed_size_bytes: u64,
}

/// What the facts of smaller copies say: of which photograph, and (kind, hash, size) of each.
pub(super) struct CopyFacts {
    pub(super) parent: Hash,
    pub(super) made: Vec<(u64, Hash, u64)>,
}

fn entry_name(mut r: Reader<'_>) -> Result<EntryName> {
    r.tuple(2, "entry name")?;
    Ok(EntryName { log: LogId(r.fixed("log")?), seq: r.uint("sequence number")? })
}

/// Whether part `index` was erased.
pub(super) fn is_erased(body: &StoredBody, index: usize) -> bool {
    index < body.len() && body.part(index).is_none()
}

/// What part 0 says; `None` when it is erased, of another kind, or not of its form.
pub(super) fn says(body: &StoredBody) -> Option<Says> {
    read_says(body.part(0)?).ok().flatten()
}

fn read_says(part: &Part) -> Result<Option<Says>> {
    let mut r = Reader::new(&part.bytes);
    let mut fields = r.map("record")?;
    let (mut kind, mut first, mut third) = (None, None, None);
    while let Some(key) = fields.key(&mut r)? {
        match key {
            0 => kind = Some(r.uint("kind")?),
            16 => first = Some(Reader::new(r.item("field")?)),
            18 => third = Some(Reader::new(r.item("field")?)),
            _ => drop(r.item("field")?),
        }
    }
    r.end("record")?;
    Ok(Some(match kind {
        Some(0) => Says::LogStarted(PublicKey(need(first, "device key")?.fixed("device key")?)),
        Some(7) => Says::Incident(third.map_or(Ok(0), |mut r| r.u32("attachments"))?),
        Some(9) => Says::Photo(first.map(entry_name).transpose()?),
        Some(13) => Says::Copies(entry_name(need(first, "photograph")?)?),
        _ => return Ok(None),
    }))
}

/// The facts of a photograph; `None` when they are not there or not of their form.
pub(super) fn facts(body: &StoredBody) -> Option<Facts> {
    let read = |part: &Part| -> Result<Facts> {
        let mut r = Reader::new(&part.bytes);
        let (mut sha256, mut size_bytes, mut sealed_sha256, mut sealed_size_bytes) = (None, None, None, None);
        let mut fields = r.map("photograph")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => sha256 = Some(r.fixed("hash")?),
                1 => size_bytes = Some(r.uint("size")?),
                2 => sealed_sha256 = Some(r.fixed("sealed hash")?),
                3 => sealed_size_bytes = Some(r.uint("sealed size")?),
                _ => drop(r.item("photograph field")?),
            }
        }
        r.end("photograph")?;
        Ok(Facts {
            sha256: need(sha256, "hash")?,
            size_bytes: need(size_bytes, "size")?,
            sealed_sha256: need(sealed_sha256, "sealed hash")?,
            sealed_size_bytes: need(sealed_size_bytes, "sealed size")?,
        })
    };
    read(body.part(1)?).ok()
}

/// The facts of smaller copies; `None` when they are not there or not of their form.
pub(super) fn copy_facts(body: &StoredBody) -> Option<CopyFacts> {
    let read = |part: &Part| -> Result<CopyFacts> {
        let mut r = Reader::new(&part.bytes);
        let (mut parent, mut made) = (None, Vec::new());
        let mut fields = r.map("previews")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => parent = Some(r.fixed("hash of the parent")?),
                2 => made = list(&mut r, MAX_PREVIEWS, "previews", read_made)?,
                _ => drop(r.item("previews field")?),
            }
        }
        r.end("previews")?;
        Ok(CopyFacts { parent: parent.ok_or(Error::Malformed { what: "previews", at: 0 })?, made })
    };
    read(body.part(1)?).ok()
}

fn read_made(r: &mut Reader<'_>) -> Result<(u64, Hash, u64)> {
    r.tuple(7, "preview")?;
    let made = (r.uint("kind of preview")?, r.fixed("hash")?, r.uint("size")?);
    let _: Hash = r.fixed("sealed hash")?;
    for what in ["sealed size", "width", "height"] {
        r.uint(what)?;
    }
    Ok(made)
}
