//! The store: one folder a phone, the only place of the core where SQL stands.
//!
//! ```text
//! DIR/lock               held while a process owns the store
//! DIR/marker             the log's name a second time; backups leave it out
//! DIR/spool.db           the sealed log; its one fsynced commit is the tick
//! DIR/vault-<member>.db  what screens show; follows the spool, can be rebuilt
//! DIR/keys/              software key store (a phone's hardware holds no files)
//! DIR/objects/           sealed photographs and their smaller copies
//! DIR/capturing/         what the camera is writing, until it is sealed
//! DIR/reserve            room for text and a capture in hand on a full disk
//! DIR/joined             who this phone is, a second time, wrapped by the key store
//! DIR/damaged-<time>/    a damaged spool that was set aside; DIR/rescuing while that happens
//! ```

pub(crate) mod cipher;
pub(crate) mod folder;
pub(crate) mod marker;
pub(crate) mod salvage;
pub(crate) mod schema;
pub(crate) mod spool;
pub(crate) mod spool_capture;
pub(crate) mod spool_carried;
pub(crate) mod spool_feed;
pub(crate) mod spool_files;
pub(crate) mod spool_member;
pub(crate) mod spool_send;
pub(crate) mod vault;
pub(crate) mod vault_dump;
pub(crate) mod vault_read;

pub use folder::{Folder, StoreLock};

/// The place of an entry inside one store: the log's local number and the sequence number in one
/// integer, which is SQLite's cheapest key and keeps inserts at the end of the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub(crate) i64);

impl Key {
    /// Key of entry `seq` of the log with local number `log` (from 1).
    pub(crate) fn new(log: u32, seq: u64) -> Key {
        debug_assert!(seq <= crate::limits::SEQ_MAX && log < crate::limits::LOGS_MAX);
        Key((i64::from(log) << 40) | (seq & crate::limits::SEQ_MAX).cast_signed())
    }

    /// Local number of the log.
    pub(crate) fn log(self) -> u32 {
        u32::try_from(self.0 >> 40).unwrap_or(0)
    }

    /// Sequence number in the log.
    pub(crate) fn seq(self) -> u64 {
        self.0.cast_unsigned() & crate::limits::SEQ_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::Key;

    #[test]
    fn keys_order_by_log_then_sequence() {
        let key = Key::new(3, 42);
        assert_eq!((key.log(), key.seq()), (3, 42));
        assert!(Key::new(1, crate::limits::SEQ_MAX) < Key::new(2, 0));
    }
}
