//! A phone in trouble: what is left of a damaged spool is put together again, and everything unsent leaves in parcels.
//!
//! The damaged spool is set aside as it is, never written to. Another is made of every page that opens, with the same
//! device and the same keys; its next entry begins a new log, because nobody can say what the old one held last. What is
//! missing is named. A rescue that is killed is begun again from the same bytes: they lie in `rescuing` from its first
//! step to its last, and until then the store opens for nothing else.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yenban_protocol::id::LogId;

use super::courier::CourierOut;
use super::enrol::{Enrolment, read_joined};
use super::{Phone, SPOOL_PURPOSE};
use crate::clock::Clock;
use crate::disk::RealDisk;
use crate::error::{Error, Result};
use crate::keys::{KeyStore, Secret32, SoftwareKeyStore, files, unwrap32};
use crate::limits::{KEPT_DAMAGED_MAX, SIDE_FILE_MAX_BYTES};
use crate::store::salvage::{self, Beside, Found, Mended, Missing};
use crate::store::spool::Spool;
use crate::store::{Folder, StoreLock, marker};
use crate::sync::Bounds;

/// Entries that were captured once and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The log; empty when its name could not be read either.
    pub log: String,
    /// First of them.
    pub first: u64,
    /// Last of them.
    pub last: u64,
    /// How many of them the hub had signed for, as far as that could be read.
    pub received: u64,
}

/// What a rescue found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rescue {
    /// Where the damaged spool is kept; `None`: nothing was damaged.
    pub kept_in: Option<PathBuf>,
    /// Pages of the spool.
    pub pages: u32,
    /// Pages that could not be read.
    pub unreadable_pages: u32,
    /// Entries that were read.
    pub entries: u64,
    /// Entries that were not.
    pub lost: Vec<Lost>,
}

impl Phone {
    /// Opens the store in `folder`, of software keys beside it, whatever state its spool is in. A damaged spool is set
    /// aside, and what is left of it put together again.
    ///
    /// # Errors
    /// [`Error::NoStore`], [`Error::StoreBusy`]; the keys are gone, so that nothing can be read; or there is no room. The
    /// damaged spool is whole whenever this fails, and the rescue can be begun again.
    pub fn rescue_software(folder: Folder, clock: Box<dyn Clock>) -> Result<(Phone, Rescue)> {
        let lock = locked(&folder)?;
        let keys = SoftwareKeyStore::open(&folder.keys())?;
        Self::rescue_locked(folder, Box::new(keys), clock, lock)
    }

    /// As [`Phone::rescue_software`], with the key store of the shell.
    ///
    /// # Errors
    /// As [`Phone::rescue_software`], and [`Error::KeyMismatch`] when the key store is another one.
    pub fn rescue(folder: Folder, keys: Box<dyn KeyStore>, clock: Box<dyn Clock>) -> Result<(Phone, Rescue)> {
        let lock = locked(&folder)?;
        Self::rescue_locked(folder, keys, clock, lock)
    }

    fn rescue_locked(folder: Folder, keys: Box<dyn KeyStore>, clock: Box<dyn Clock>, lock: StoreLock) -> Result<(Phone, Rescue)> {
        // Made with the store, never here: another key opens nothing.
        let key = unwrap32(keys.as_ref(), SPOOL_PURPOSE, &files::read_small(&folder.spool_key(), SIDE_FILE_MAX_BYTES)?)?;
        let aside = folder.rescuing();
        let begun = aside.root().exists();
        if begun {
            set_aside(&folder, &aside)?;
        }
        let found = salvage::read(&if begun { aside.spool() } else { folder.spool() }, &key)?;
        let mut rescue = Rescue { pages: found.pages, unreadable_pages: found.unreadable, ..Rescue::default() };
        if begun || found.unreadable > 0 || found.log_damaged || !is_sound(&folder, &key)? {
            set_aside(&folder, &aside)?;
            let mended = put_in_place(found, &folder, &aside, keys.as_ref(), &key, clock.wall_ms())?;
            rescue.kept_in = Some(keep(&folder, &aside, clock.wall_ms())?);
            rescue.entries = mended.entries;
            rescue.lost = mended.missing.into_iter().map(told).collect();
        }
        let phone = Self::open_locked(folder, keys, clock, Arc::new(RealDisk), lock)?;
        if rescue.kept_in.is_none() {
            rescue.entries = phone.entries_here()?;
        }
        rescue.lost.extend(phone.shown_and_gone()?);
        Ok((phone, rescue))
    }

    /// Everything that waits here, as far as parcels hold it, for another road than a sync. Works while locked.
    ///
    /// # Errors
    /// As [`Phone::courier_out`].
    pub fn rescue_out(&mut self) -> Result<CourierOut> {
        self.give_along(Bounds::RESCUE)
    }

    /// Sealed files that wait and were too large for the parcels of a rescue, or too many.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn files_left_by_rescue(&self, packed: &CourierOut) -> Result<u64> {
        Ok(self.log.spool.files_waiting()?.saturating_sub(packed.files))
    }

    /// The end of a log may be lost without a trace in the spool; a vault that is open has seen it.
    fn shown_and_gone(&self) -> Result<Vec<Lost>> {
        let mut lost = Vec::new();
        let Some(open) = &self.open else { return Ok(lost) };
        for (number, name, _) in self.log.spool.logs()? {
            let (here, shown) = (self.log.spool.len_of(number)?, open.vault.watermark(number));
            // What is missing below is told already.
            let first = here.max(self.log.spool.parked(number)?.last().map_or(0, |(seq, _)| seq + 1));
            if first < shown {
                lost.push(Lost { log: LogId(name).to_string(), first, last: shown - 1, received: 0 });
            }
        }
        Ok(lost)
    }

    fn entries_here(&self) -> Result<u64> {
        let mut entries = 0;
        for (number, ..) in self.log.spool.logs()? {
            entries += self.log.spool.len_of(number)?;
        }
        Ok(entries)
    }
}

fn locked(folder: &Folder) -> Result<StoreLock> {
    // A log has begun where a marker lies, whatever became of its database.
    if !folder.has_store() && !folder.rescuing().root().exists() && !folder.marker().exists() {
        return Err(Error::NoStore { path: folder.root().to_path_buf() });
    }
    folder.lock()
}

/// Whether a spool of which every page opens is also one that a phone can go on with.
fn is_sound(folder: &Folder, key: &Secret32) -> Result<bool> {
    let looked = folder.check().and_then(|()| Spool::open(Arc::new(RealDisk), folder.spool(), key.clone())).and_then(|spool| {
        spool.verify()?;
        Ok(Enrolment::load(&spool)?.is_some() || !folder.marker().exists())
    });
    match looked {
        // Of a newer program: not damaged, and none of ours to take apart.
        Err(error @ (Error::SchemaTooNew { .. } | Error::Io { .. } | Error::StorageFull)) => Err(error),
        looked => Ok(looked.unwrap_or(false)),
    }
}

/// Moves the spool and what belongs to it out of the way; what was moved before stays as it is.
fn set_aside(folder: &Folder, aside: &Folder) -> Result<()> {
    files::create_private_folder(aside.root())?;
    // The log first: a database without it is an older one, and nobody may take it for the newest.
    for (from, to) in [
        (with_ending(&folder.spool(), "-wal"), with_ending(&aside.spool(), "-wal")),
        (folder.marker(), aside.marker()),
        (folder.spool(), aside.spool()),
    ] {
        // Once the spool lies there, what stands in its place is one that was put together.
        if aside.spool().exists() || !from.exists() {
            continue;
        }
        fs::rename(&from, &to).map_err(|e| Error::io("rename", &from, e))?;
    }
    files::sync_parent(&aside.spool())?;
    files::sync_parent(&folder.spool())
}

/// Makes the new spool beside and puts it in place whole.
fn put_in_place(found: Found, folder: &Folder, aside: &Folder, keys: &dyn KeyStore, key: &Secret32, wall_ms: i64) -> Result<Mended> {
    let newest_log = marker::read(&aside.marker())?.map(|marker| marker.log).filter(|log| log.0 != [0; 8]);
    let beside = Beside { newest_log, meta: read_joined(folder, keys) };
    let new = with_ending(&folder.spool(), ".new");
    for leftover in ["", "-wal", "-shm"] {
        let _ = fs::remove_file(with_ending(&new, leftover));
    }
    let mended = salvage::put_together(found, beside, &new, key, wall_ms)?;
    let _ = fs::remove_file(with_ending(&folder.spool(), "-shm"));
    files::put_in_place(&new, &folder.spool())?;
    Ok(mended)
}

/// Gives the folder of the damaged spool the name under which it is kept.
fn keep(folder: &Folder, aside: &Folder, wall_ms: i64) -> Result<PathBuf> {
    let time =
        jiff::Timestamp::from_millisecond(wall_ms).map_or_else(|_| wall_ms.to_string(), |at| at.strftime("%Y%m%dT%H%M%SZ").to_string());
    let names = std::iter::once(time.clone()).chain((2..=KEPT_DAMAGED_MAX).map(|n| format!("{time}-{n}")));
    let free = names.map(|name| folder.damaged(&name)).find(|path| !path.exists());
    let kept = free.ok_or_else(|| Error::invalid("store", "too many damaged stores are kept here"))?;
    fs::rename(aside.root(), &kept).map_err(|e| Error::io("rename", &kept, e))?;
    files::sync_parent(&kept)?;
    Ok(kept)
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn told(missing: Missing) -> Lost {
    let log = missing.log.map_or_else(String::new, |log| log.to_string());
    Lost { log, first: missing.first, last: missing.last, received: missing.received }
}
