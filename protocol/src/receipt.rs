//! Receipts: what the hub holds of one log, signed after it is durable.
//!
//! A receipt states the whole, not what one request added, so losing, repeating or reordering receipts
//! does no harm. It permits deletion on the phone only for joined ranges, only under the current epoch and
//! only after `hold_s`.

use crate::cbor::{Reader, Writer};
use crate::chain::Link;
use crate::crypto::Hash;
use crate::error::Result;
use crate::fields::{list, need, write_list};
use crate::id::{Epoch, LogId};
use crate::limits::{MAX_OBJECTS, MAX_RANGES};
use crate::signed::Statement;

/// A run of entries that the hub holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// First sequence number.
    pub first: u64,
    /// Last sequence number.
    pub last: u64,
    /// The link of the last.
    pub last_link: Link,
}

/// What the hub holds of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The log.
    pub log: LogId,
    /// The life of the hub's database.
    pub epoch: Epoch,
    /// Runs joined to the start of the log: these may be deleted after the hold.
    pub ranges: Vec<Held>,
    /// Signed runs not joined yet: held, but nothing may be deleted for them.
    pub floating: Vec<Held>,
    /// Sealed objects held: (hash, size).
    pub objects: Vec<(Hash, u64)>,
    /// The hub's time, ms: everything named existed by then ("not after").
    pub hub_time_ms: i64,
    /// How long the phone keeps its copy after `hub_time_ms`, seconds.
    pub hold_s: u64,
    /// The log differs from what the hub holds from this sequence number on: both branches are kept, the
    /// commune is told, and the phone begins a new log.
    pub fork_at: Option<u64>,
    /// The device is revoked: what came lies in quarantine.
    pub quarantined: bool,
}

fn write_held(w: &mut Writer, held: &Held) {
    w.array(3).uint(held.first).uint(held.last).bytes(&held.last_link);
}

fn read_held(r: &mut Reader<'_>) -> Result<Held> {
    r.tuple(3, "range")?;
    Ok(Held { first: r.uint("first")?, last: r.uint("last")?, last_link: r.fixed("link")? })
}

impl Statement for Receipt {
    const PURPOSE: &'static str = "yb1/receipt";

    fn write(&self, w: &mut Writer) {
        w.map(7 + usize::from(self.fork_at.is_some()) + usize::from(self.quarantined));
        w.uint(0).bytes(&self.log.0).uint(1).bytes(&self.epoch.0).uint(2);
        write_list(w, &self.ranges, write_held);
        w.uint(3);
        write_list(w, &self.floating, write_held);
        w.uint(4);
        write_list(w, &self.objects, |w, (hash, size)| {
            w.array(2).bytes(hash).uint(*size);
        });
        w.uint(5).int(self.hub_time_ms).uint(6).uint(self.hold_s);
        if let Some(seq) = self.fork_at {
            w.uint(7).uint(seq);
        }
        if self.quarantined {
            w.uint(8).bool(true);
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut log, mut epoch, mut ranges, mut floating, mut objects) = (None, None, Vec::new(), Vec::new(), Vec::new());
        let (mut time, mut hold, mut fork_at, mut quarantined) = (None, None, None, false);
        let mut fields = r.map("receipt")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => log = Some(LogId(r.fixed("log")?)),
                1 => epoch = Some(Epoch(r.fixed("epoch")?)),
                2 => ranges = list(r, MAX_RANGES, "ranges", read_held)?,
                3 => floating = list(r, MAX_RANGES, "floating runs", read_held)?,
                4 => {
                    objects = list(r, MAX_OBJECTS, "objects", |r| {
                        r.tuple(2, "object")?;
                        Ok((r.fixed("object hash")?, r.uint("object size")?))
                    })?;
                }
                5 => time = Some(r.int("hub time")?),
                6 => hold = Some(r.uint("hold")?),
                7 => fork_at = Some(r.uint("fork")?),
                8 => quarantined = r.bool("quarantined")?,
                _ => drop(r.item("receipt field")?),
            }
        }
        Ok(Self {
            log: need(log, "log")?,
            epoch: need(epoch, "epoch")?,
            ranges,
            floating,
            objects,
            hub_time_ms: need(time, "hub time")?,
            hold_s: need(hold, "hold")?,
            fork_at,
            quarantined,
        })
    }
}
