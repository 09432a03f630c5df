//! A custody chain as a bundle carries it, with the proofs that it is under the signed heads.

use crate::cbor::{Reader, Writer};
use crate::crypto::Hash;
use crate::custody::{CHAIN_START, CustodyFacts, CustodyRecord, Item, Proof};
use crate::error::Result;
use crate::fields::{list, write_list};
use crate::limits::MAX_CUSTODY_RECORDS;

use super::CUSTODY;

/// The custody chain of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyFile {
    /// Whose.
    pub item: Item,
    /// The records in their order, each with the facts it holds.
    pub records: Vec<(CustodyRecord, CustodyFacts)>,
    /// Proofs, in ascending order of heads.
    pub proofs: Vec<Proof>,
}

impl CustodyFile {
    /// The member's name.
    pub fn name(item: &Item) -> String {
        format!("{CUSTODY}{}.cbor", item.file_stem())
    }

    /// The link after each record.
    pub fn links(&self) -> Vec<Hash> {
        let mut previous = CHAIN_START;
        (0u64..)
            .zip(&self.records)
            .map(|(number, (record, _))| {
                previous = record.link(&self.item, number, &previous);
                previous
            })
            .collect()
    }

    /// The member's content.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(5);
        self.item.write(&mut w);
        write_list(&mut w, &self.records, |w, (record, _)| record.write(w));
        write_list(&mut w, &self.proofs, |w, proof| proof.write(w));
        w.into_bytes()
    }

    /// Reads a member's content. Whether it fits the heads is judged, not read.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        r.tuple(5, "custody chain")?;
        let item = Item::read(&mut r)?;
        let records = list(&mut r, MAX_CUSTODY_RECORDS, "custody records", CustodyRecord::read)?;
        let proofs = list(&mut r, MAX_CUSTODY_RECORDS, "custody proofs", Proof::read)?;
        r.end("custody chain")?;
        Ok(Self { item, records, proofs })
    }
}
