//! Runs of entries as the store takes and reports them.

use yenban_protocol::chain::Link;
use yenban_protocol::id::{DeviceId, LogId};

use super::effect::Effect;

/// One entry of a run, its link recomputed.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// Number of the kind, known or not.
    pub kind: u64,
    /// The link after this entry.
    pub link: Link,
    /// Salt and parts as `StoredBody::to_bytes` writes them.
    pub body: Vec<u8>,
    /// The signed head at this entry, if one stands here.
    pub head: Option<Vec<u8>>,
    /// What the entry changes beside its own row.
    pub effect: Option<Effect>,
}

/// A run of entries whose chain and signature were checked.
#[derive(Debug, Clone)]
pub struct NewRun {
    /// The log.
    pub log: LogId,
    /// The device that signed.
    pub device: DeviceId,
    /// Sequence number of the first entry.
    pub first: u64,
    /// The link before the first entry.
    pub previous: Link,
    /// The entries; never empty.
    pub entries: Vec<NewEntry>,
    /// When the run arrived, hub time.
    pub received_ms: i64,
}

impl NewRun {
    /// Sequence number of the last entry.
    pub fn last(&self) -> u64 {
        self.first + (self.entries.len() as u64).saturating_sub(1)
    }

    /// The link before entry `seq`, which lies in the run (or right after it).
    pub fn link_before(&self, seq: u64) -> Link {
        match seq.checked_sub(self.first).map(|at| at as usize) {
            Some(0) | None => self.previous,
            Some(at) => self.entries.get(at - 1).map_or(self.previous, |entry| entry.link),
        }
    }
}

/// A run that is held: first and last sequence number with the links around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// 0: the log as it was first seen; above: a branch that contradicts it.
    pub branch: u32,
    /// First sequence number.
    pub first: u64,
    /// Last sequence number.
    pub last: u64,
    /// The link before the first.
    pub previous: Link,
    /// The link of the last.
    pub last_link: Link,
}

/// What is held of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogState {
    /// The log.
    pub log: LogId,
    /// Its device.
    pub device: DeviceId,
    /// Runs by branch and first sequence number.
    pub held: Vec<Held>,
}

impl LogState {
    /// Whether the log contradicts itself.
    pub fn forked(&self) -> bool {
        self.held.iter().any(|run| run.branch > 0)
    }
}

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// Kept; `new` of its entries were not held before.
    Kept {
        /// Entries that are new.
        new: u64,
        /// Whether a part of the run went to a new or known branch.
        forked: bool,
        /// What is held now.
        state: LogState,
    },
    /// The log belongs to another device.
    WrongDevice,
    /// The device was revoked in the meantime: nothing kept here.
    Revoked,
    /// The device is not known: nothing kept here.
    UnknownDevice,
}

/// Why a segment is not shown as normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum QuarantineReason {
    /// Its device was revoked.
    Revoked,
    /// Its device is not known here.
    UnknownDevice,
}

impl QuarantineReason {
    /// The word of JSON and the table.
    pub fn code(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::UnknownDevice => "unknown_device",
        }
    }
}

/// A segment kept sealed.
#[derive(Debug, Clone)]
pub struct QuarantinedSegment {
    /// Why.
    pub reason: QuarantineReason,
    /// The device it names.
    pub device: DeviceId,
    /// The log it names.
    pub log: LogId,
    /// First sequence number it names.
    pub first: u64,
    /// How many entries it names.
    pub count: u64,
    /// When it arrived.
    pub received_ms: i64,
    /// As it arrived, sealed.
    pub sealed: Vec<u8>,
}
