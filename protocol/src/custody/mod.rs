//! The custody record: who did what with a piece of evidence since it came, as a chain of its own for each item.
//!
//! Every day, and for every export, the hub puts the heads of all these chains under one Merkle tree (RFC 6962), signs
//! its root and sends it out in the feed. Phones remember it: a record that is changed later no longer fits what
//! they hold. docs/EVIDENCE.md tells the same with bytes.

mod record;
mod tree;

pub use record::{Action, CHAIN_START, Commit, CustodyFacts, CustodyRecord, Item, Who};
pub use tree::{Leaf, Proof, Tree};

use crate::cbor::{Reader, Writer};
use crate::crypto::Hash;
use crate::error::Result;
use crate::fields::need;

/// Note of a record that is about the original, not about a smaller copy.
pub const ORIGINAL_NOTE: &str = "original";

/// The state of all custody records at the end of a day, or when an export was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayHead {
    /// The newest day of which it holds records, in Viet Nam: year * 10,000 + month * 100 + day. A day may have several
    /// heads; what names one is its number.
    pub day: u32,
    /// Custody chains in the tree.
    pub items: u64,
    /// Root of the tree over their heads, in ascending order of the items' names.
    pub root: Hash,
    /// Hash of the head before this one ([`DayHead::hash`]); zeros for the first.
    pub previous: Hash,
    /// When it was made, hub time, ms.
    pub at_ms: i64,
    /// Its number, from 0.
    pub number: u64,
}

impl DayHead {
    /// Writes it as a map.
    pub fn write(&self, w: &mut Writer) {
        w.map(6).uint(0).uint(self.day.into()).uint(1).uint(self.items).uint(2).bytes(&self.root);
        w.uint(3).bytes(&self.previous).uint(4).int(self.at_ms).uint(5).uint(self.number);
    }

    /// Reads what [`DayHead::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut day, mut items, mut root, mut previous, mut at_ms, mut number) = (None, None, None, None, None, None);
        let mut fields = r.map("day head")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => day = Some(r.u32("day")?),
                1 => items = Some(r.uint("items")?),
                2 => root = Some(r.fixed("root")?),
                3 => previous = Some(r.fixed("previous day head")?),
                4 => at_ms = Some(r.int("time")?),
                5 => number = Some(r.uint("number of the head")?),
                _ => drop(r.item("day head field")?),
            }
        }
        Ok(Self {
            day: need(day, "day")?,
            items: need(items, "items")?,
            root: need(root, "root")?,
            previous: need(previous, "previous day head")?,
            at_ms: need(at_ms, "time of the day head")?,
            number: need(number, "number of the head")?,
        })
    }

    /// The hash by which the next head names this one.
    pub fn hash(&self) -> Hash {
        let mut w = crate::crypto::message("yb1/day", 6);
        w.uint(self.number).uint(self.day.into()).uint(self.items).bytes(&self.root).bytes(&self.previous).int(self.at_ms);
        crate::crypto::sha256(w.as_bytes())
    }
}
