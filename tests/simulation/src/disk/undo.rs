//! Changes to files that can be taken back, in whole or in part: what a power cut does to them.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use crate::chance::Chance;

/// Disks write sectors of this size whole.
const SECTOR: u64 = 512;
/// So many of a thousand writes that reached the medium did so in part.
const TORN_PER_MILLE: u32 = 200;

/// One change that no sync has covered, with what it takes to undo it.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Write { path: PathBuf, offset: u64, old: Vec<u8>, old_len: u64, new: Vec<u8> },
    Truncate { path: PathBuf, len: u64, tail: Vec<u8> },
    Create { path: PathBuf },
    Remove { path: PathBuf, bytes: Vec<u8>, len: u64 },
    Rename { from: PathBuf, to: PathBuf, over: Option<Vec<u8>> },
}

impl Change {
    /// Whether it changed the bytes of this file.
    pub(super) fn of_bytes(&self, file: &Path) -> bool {
        matches!(self, Change::Write { path, .. } | Change::Truncate { path, .. } if path == file)
    }

    /// Whether it changed a name in this folder.
    pub(super) fn of_names(&self, folder: &Path) -> bool {
        match self {
            Change::Create { path } | Change::Remove { path, .. } => path.parent() == Some(folder),
            Change::Rename { to, .. } => to.parent() == Some(folder),
            _ => false,
        }
    }

    /// The file has another name now.
    pub(super) fn moved(&mut self, from: &Path, to: &Path) {
        if let Change::Write { path, .. } | Change::Truncate { path, .. } | Change::Create { path } = self
            && path == from
        {
            *path = to.to_path_buf();
        }
    }
}

/// Cuts out of a lost write what later writes put on the medium and what was cut off since; whether anything is left.
pub(super) fn rest_of(change: &mut Change, written: &[(u64, u64)], shortest: Option<u64>) -> bool {
    let Change::Write { offset, old, new, .. } = change else { return false };
    if let Some(len) = shortest {
        let left = len.saturating_sub(*offset) as usize;
        new.truncate(left);
        old.truncate(left);
        if new.is_empty() {
            return false;
        }
    }
    for (first, end) in written {
        let own_end = *offset + new.len() as u64;
        if *first <= *offset && *end >= own_end {
            return false;
        }
        if *first <= *offset && *end > *offset {
            let gone = (*end - *offset) as usize;
            new.drain(..gone);
            old.drain(..gone.min(old.len()));
            *offset = *end;
        } else if *first < own_end && *end >= own_end {
            let left = (*first - *offset) as usize;
            new.truncate(left);
            old.truncate(left);
        }
        // A hole in the middle stays lost as a whole: rare, and the stricter reading.
    }
    !new.is_empty()
}

pub(super) fn undo_all(changes: &[(Change, bool)]) -> io::Result<()> {
    changes.iter().rev().try_for_each(|(change, _)| undo(change))
}

fn undo(change: &Change) -> io::Result<()> {
    match change {
        Change::Write { path, offset, old, old_len, new } => {
            let Ok(file) = OpenOptions::new().read(true).write(true).open(path) else { return Ok(()) };
            let (len, end) = (file.metadata()?.len(), *offset + new.len() as u64);
            file.write_all_at(old, *offset)?;
            if len <= end.max(*old_len) {
                file.set_len((*old_len).min(len))?;
            } else if (old.len() as u64) < end - *offset {
                // Something behind it is durable: what was never written reads as zeros.
                file.write_all_at(&vec![0; new.len() - old.len()], *offset + old.len() as u64)?;
            }
            Ok(())
        }
        Change::Truncate { path, len, tail } => {
            let Ok(file) = OpenOptions::new().write(true).open(path) else { return Ok(()) };
            file.write_all_at(tail, *len)
        }
        Change::Create { path } => gone(fs::remove_file(path)),
        Change::Remove { path, bytes, len } => {
            fs::write(path, bytes)?;
            OpenOptions::new().write(true).open(path)?.set_len(*len)
        }
        Change::Rename { from, to, over } => {
            gone(fs::rename(to, from))?;
            over.as_ref().map_or(Ok(()), |bytes| fs::write(to, bytes))
        }
    }
}

/// How much of a write of `len` bytes is on the medium when the power goes in its middle: it ends where a sector of the
/// file does.
pub(super) fn torn_at(offset: u64, len: usize, chance: &mut Chance) -> usize {
    let sectors = (offset + len as u64).div_ceil(SECTOR) - offset / SECTOR;
    let end = (offset / SECTOR + chance.below(sectors + 1)) * SECTOR;
    (end.saturating_sub(offset) as usize).min(len)
}

/// Names are kept up to some moment, as a journal does; bytes of files that exist write by write, whichever they are: a
/// later page may be there and an earlier one not.
pub(super) fn redo_some(changes: &[(Change, bool)], chance: &mut Chance) -> io::Result<()> {
    let names_until = chance.index(changes.len() + 1);
    for (at, (change, _)) in changes.iter().enumerate() {
        match change {
            Change::Write { path, offset, new, .. } if chance.happens(500) => {
                let kept = if chance.happens(TORN_PER_MILLE) { torn_at(*offset, new.len(), chance) } else { new.len() };
                put(path, *offset, &new[..kept])?;
            }
            Change::Truncate { path, len, .. } if chance.happens(500) => {
                if let Ok(file) = OpenOptions::new().write(true).open(path)
                    && file.metadata()?.len() > *len
                {
                    file.set_len(*len)?;
                }
            }
            Change::Create { path } if at < names_until && !path.exists() => drop(File::create(path)?),
            Change::Remove { path, .. } if at < names_until => gone(fs::remove_file(path))?,
            Change::Rename { from, to, .. } if at < names_until => gone(fs::rename(from, to))?,
            _ => {}
        }
    }
    Ok(())
}

pub(super) fn put(path: &Path, offset: u64, bytes: &[u8]) -> io::Result<()> {
    match OpenOptions::new().write(true).open(path) {
        Ok(file) => file.write_all_at(bytes, offset),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}

fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// SQLite's index of a write-ahead log lives in memory; it is made anew after a restart.
pub(super) fn remove_shared_memory(folder: &Path) -> io::Result<()> {
    for item in fs::read_dir(folder)? {
        let path = item?.path();
        if path.to_string_lossy().ends_with("-shm") {
            gone(fs::remove_file(path))?;
        }
    }
    Ok(())
}
