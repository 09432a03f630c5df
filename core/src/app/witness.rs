//! The phone as a witness: the heads of custody that the hub signed day by day, remembered for good.
//!
//! A hub that rewrites its record later no longer agrees with what phones hold; a phone that holds two heads of one
//! number, or one that does not follow the one before it, holds the proof that its hub contradicts itself.

use yenban_protocol::cbor::Writer;
use yenban_protocol::custody::DayHead;
use yenban_protocol::feed::{FeedItem, Item};
use yenban_protocol::signed::Signed;

use super::Phone;
use crate::error::Result;

/// A head of custody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessInfo {
    /// Its number, from 0.
    pub number: u64,
    /// The newest day under it, in Viet Nam: year * 10,000 + month * 100 + day.
    pub day: u32,
    /// Custody chains under it.
    pub items: u64,
    /// Root of their tree, in hex.
    pub root: String,
    /// When the hub made it, hub time, ms.
    pub at_ms: i64,
    /// The hub signed another head of this number too, or none of those before it is the one that this one names.
    pub contradicted: bool,
}

impl Phone {
    /// The heads that this phone remembers, by their numbers.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn witness(&self) -> Result<Vec<WitnessInfo>> {
        let rows = self.log.spool.witness()?;
        let heads: Vec<DayHead> = rows.iter().filter_map(|item| head_of(item)).collect();
        Ok(heads.iter().map(|head| info(head, &heads)).collect())
    }

    /// The same as bytes for a verifier: a CBOR list of the feed items as the hub signed them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn witness_export(&self) -> Result<Vec<u8>> {
        let rows = self.log.spool.witness()?;
        let mut w = Writer::new();
        w.array(rows.len());
        for item in &rows {
            w.bytes(item);
        }
        Ok(w.into_bytes())
    }
}

fn head_of(item: &[u8]) -> Option<DayHead> {
    match Signed::<FeedItem>::trusted(item).ok()?.value.item {
        Item::CustodyHead(head) => Some(head),
        _ => None,
    }
}

/// `heads` are in the order of their numbers.
fn info(head: &DayHead, heads: &[DayHead]) -> WitnessInfo {
    let of = |number: u64| {
        let from = heads.partition_point(|h| h.number < number);
        heads[from..].iter().take_while(move |h| h.number == number)
    };
    let before: Vec<_> = head.number.checked_sub(1).into_iter().flat_map(of).map(DayHead::hash).collect();
    let follows = before.is_empty() || before.contains(&head.previous);
    WitnessInfo {
        number: head.number,
        day: head.day,
        items: head.items,
        root: data_encoding::HEXLOWER.encode(&head.root),
        at_ms: head.at_ms,
        contradicted: of(head.number).count() > 1 || !follows,
    }
}
