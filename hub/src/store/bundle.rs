//! What an evidence bundle reads of the store: entries as they are kept, and which belong together.

use yenban_protocol::chain::Link;

use super::objects::ItemName;

/// An entry as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its place in the log.
    pub seq: u64,
    /// The link after it.
    pub link: Link,
    /// Salt and parts as `StoredBody::to_bytes` writes them.
    pub body: Vec<u8>,
    /// The signed head at it, if one stands here.
    pub head: Option<Vec<u8>>,
    /// When the hub had it, ms.
    pub received_ms: i64,
}

/// What belongs to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Belongings {
    /// Entries: the report, amendments, photographs, smaller copies.
    pub entries: Vec<ItemName>,
    /// The photographs among them.
    pub photos: Vec<ItemName>,
}
