//! The custody record as the store keeps it: one chain for each item of evidence, and the signed heads over all.

use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::{Action, CustodyFacts, CustodyRecord, DayHead, Leaf};

use super::objects::ItemName;

/// Something that was done with an item and goes into its chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyNote {
    /// The item.
    pub item: ItemName,
    /// What was done.
    pub action: Action,
    /// Hub time, ms.
    pub at_ms: i64,
    /// Hash and length of what it is about; `None`: of the original, as its entry says.
    pub about: Option<(Hash, u64)>,
    /// More on it, as a code.
    pub code: Option<String>,
    /// Who: a device (`device 0123456789abcdef`), an officer, or `hub`. Cut to what a record holds.
    pub actor: String,
    /// For which purpose, as given. Cut likewise.
    pub purpose: String,
}

/// A record of a chain, read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyRow {
    /// Its place in the order of all records of the hub.
    pub place: i64,
    /// Its number in the chain, from 0.
    pub number: u64,
    /// The link after it.
    pub link: Hash,
    /// What it says.
    pub facts: CustodyFacts,
    /// The record.
    pub record: CustodyRecord,
}

/// A signed head over all chains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyHeadRow {
    /// What it says.
    pub head: DayHead,
    /// Place of the newest record under it.
    pub place: i64,
    /// The signed feed item.
    pub bytes: Vec<u8>,
}

/// The chains under a head: their leaves in ascending order of items.
pub type CustodyLeaves = Vec<Leaf>;
