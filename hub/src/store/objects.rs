//! Files that entries name, as the store keeps them: what is expected, what came, what is gone, and for how long.
//!
//! An item of evidence is a photograph (the name of its entry) with its files. One sealed file may be named by several
//! entries: it is stored once and has a row for each, so that destroying one item leaves the others what they were.

use std::sync::Arc;

use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{DeviceId, EntryName, LogId};
use yenban_protocol::object::ContentKey;

use super::run::LogState;
use crate::error::Result;
use crate::storage::ObjectName;

/// What a file is to its photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectKind {
    /// Longest side 256 px.
    Thumbnail,
    /// Longest side 1,600 px.
    Preview,
    /// As the camera gave it.
    Original,
}

impl ObjectKind {
    /// The number of the table.
    pub fn number(self) -> u8 {
        match self {
            Self::Thumbnail => 0,
            Self::Preview => 1,
            Self::Original => 2,
        }
    }

    /// From its number; others are read as the original, which is never taken for a working copy.
    pub fn from_number(n: u8) -> Self {
        match n {
            0 => Self::Thumbnail,
            1 => Self::Preview,
            _ => Self::Original,
        }
    }

    /// The word of JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::Thumbnail => "thumbnail",
            Self::Preview => "preview",
            Self::Original => "original",
        }
    }
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ObjectState {
    /// Named, nothing of it has come.
    Expected,
    /// An upload was begun.
    Partial,
    /// It came, its hash agreed, and it was read again from where it lies.
    Verified,
    /// It was verified once and is not there any more.
    Missing,
    /// It was verified once and is not what it was.
    Altered,
    /// Destroyed, because its time was over or by an order.
    Erased,
}

impl ObjectState {
    /// All states.
    pub const ALL: [Self; 6] = [Self::Expected, Self::Partial, Self::Verified, Self::Missing, Self::Altered, Self::Erased];

    /// The word of JSON and the table.
    pub fn code(self) -> &'static str {
        match self {
            Self::Expected => "expected",
            Self::Partial => "partial",
            Self::Verified => "verified",
            Self::Missing => "missing",
            Self::Altered => "altered",
            Self::Erased => "erased",
        }
    }

    /// From its word.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }
}

/// An item of evidence: the entry of a photograph, and the branch it stands in (0: the log as first seen).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ItemName {
    /// The entry.
    pub entry: EntryName,
    /// The branch.
    pub branch: u32,
}

impl std::fmt::Display for ItemName {
    /// `log:seq`, or `log:seq/branch` where a log contradicts itself.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.branch {
            0 => write!(f, "{}", self.entry),
            branch => write!(f, "{}/{branch}", self.entry),
        }
    }
}

impl std::str::FromStr for ItemName {
    type Err = yenban_protocol::Error;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        let (name, branch) = text.split_once('/').unwrap_or((text, "0"));
        let bad = |_| yenban_protocol::Error::Malformed { what: "name of an item", at: name.len() };
        Ok(Self { entry: name.parse()?, branch: branch.parse().map_err(bad)? })
    }
}

/// Where and how the bytes of a file lie in object storage.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredAs {
    /// The name in storage.
    pub name: ObjectName,
    /// What opens it; it stands nowhere else.
    pub key: ContentKey,
    /// Length in storage.
    pub size_bytes: u64,
}

impl std::fmt::Debug for StoredAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredAs").field("name", &self.name).field("size_bytes", &self.size_bytes).finish_non_exhaustive()
    }
}

/// A file that an entry names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRow {
    /// The row's number.
    pub id: i64,
    /// The device whose entry names it.
    pub device: DeviceId,
    /// The entry that names it.
    pub named_by: ItemName,
    /// What it is.
    pub kind: ObjectKind,
    /// The item it belongs to.
    pub item: ItemName,
    /// SHA-256 of the sealed file.
    pub sealed_sha256: Hash,
    /// Its length.
    pub sealed_size_bytes: u64,
    /// SHA-256 of the bytes.
    pub sha256: Hash,
    /// Their length.
    pub size_bytes: u64,
    /// What became of it.
    pub state: ObjectState,
    /// Where it lies.
    pub stored: Option<StoredAs>,
    /// `Signed<Receipt>` as it was given when it was verified.
    pub receipt: Option<Vec<u8>>,
    /// When it was verified for the first time, hub time.
    pub received_ms: Option<i64>,
}

/// Signs a receipt for a log that names these objects (sealed hash, length).
pub type ReceiptMaker = Arc<dyn Fn(&LogState, &[(Hash, u64)]) -> Result<Vec<u8>> + Send + Sync>;

/// A file that came whole, was verified, stored and read again.
#[derive(Clone)]
pub struct Arrival {
    /// SHA-256 of the sealed file.
    pub sealed_sha256: Hash,
    /// Its length.
    pub sealed_size_bytes: u64,
    /// SHA-256 of what it held.
    pub sha256: Hash,
    /// Its length.
    pub size_bytes: u64,
    /// Where it lies now.
    pub stored: StoredAs,
    /// Hub time.
    pub received_ms: i64,
    /// Signs in the transaction.
    pub receipt: ReceiptMaker,
}

/// What became of a file that came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Arrived {
    /// `Signed<Receipt>` for each log that names it, the first to name it first. Empty: no entry wants it (any more).
    pub receipts: Vec<(LogId, Vec<u8>)>,
    /// Bytes in storage that no row names now: they may be removed.
    pub unnamed: Vec<ObjectName>,
}

/// What reading a stored file again found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The row, as it was read.
    pub row: ObjectRow,
    /// What became of it.
    pub state: ObjectState,
    /// SHA-256 and length of the bytes in storage, where they are not what was put there.
    pub bytes: Option<(Hash, u64)>,
}

/// A stop on expiry and erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Number of the case.
    pub case: String,
    /// The two officers who ordered it, as the record names them.
    pub officers: String,
    /// Until when, hub time.
    pub until_ms: i64,
}

/// An item of evidence as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemRow {
    /// Its name.
    pub name: ItemName,
    /// The device.
    pub device: DeviceId,
    /// When its time is over, hub time.
    pub expires_ms: i64,
    /// When it was destroyed.
    pub erased_ms: Option<i64>,
    /// What stops that.
    pub hold: Option<Hold>,
}

/// A hold that is put on an item or taken off it, for the custody record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HoldOrder {
    /// The item.
    pub item: ItemName,
    /// The hold; `None`: the one it has ends.
    pub hold: Option<Hold>,
    /// Who: the officers.
    pub actor: String,
    /// Why.
    pub reason: String,
    /// Hub time.
    pub at_ms: i64,
}

/// Why an item is destroyed, for the custody record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The item.
    pub item: ItemName,
    /// Who: the officers, or the hub itself.
    pub actor: String,
    /// Its time is over; `false`: an order.
    pub expired: bool,
    /// Why.
    pub reason: String,
    /// Hub time.
    pub at_ms: i64,
}

/// What nothing names any more after an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Freed {
    /// Bytes in storage.
    pub stored: Vec<ObjectName>,
    /// Sealed files that nothing wants: what came of them so far goes too.
    pub uploads: Vec<Hash>,
}

/// How an item was destroyed, as its custody record tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// When, hub time.
    pub at_ms: i64,
    /// Its time was over; `false`: an order.
    pub expired: bool,
    /// What the order said; empty when that was forgotten with the names.
    pub reason: String,
}

/// What an order about a hold did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemHeld {
    /// It is held, or held no longer.
    Done,
    /// There is no such item, or no hold to end.
    NotFound,
    /// It was destroyed before.
    Destroyed(Ending),
}

/// What an erasure did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Erased {
    /// Rows, keys and the facts in the entry are gone; this is named by nothing now.
    Done(Freed),
    /// There is no such item.
    NotFound,
    /// It was destroyed before.
    Already(Ending),
    /// It is held until this hub time.
    Held(i64),
}
