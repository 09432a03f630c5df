//! The calls by which uploads touch the disk, so that a test can let each of them fail or be the last one. The database has
//! a layer of its own for that; only what it must find durable when it is opened is made so through this one.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use crate::folder;
use crate::limits::RENEW_PART_BYTES;

/// What the hub itself does to a disk.
pub trait Disk: Send + Sync + 'static {
    /// Makes a file that only its owner may read; it must not exist.
    fn create(&self, path: &Path) -> io::Result<File>;
    /// Writes all of `bytes` at `offset`.
    fn write(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts the file to `length`.
    fn truncate(&self, file: &File, length: u64) -> io::Result<()>;
    /// Makes what was written durable.
    fn sync(&self, file: &File) -> io::Result<()>;
    /// Makes names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Bytes that are free where `path` lies.
    fn free_bytes(&self, path: &Path) -> io::Result<u64>;

    /// Writes what a file holds once more to where it stands, and waits until bytes and name are on the medium. After a sync
    /// that failed, or a program that was killed before its sync, this alone makes durable what can be read: the system has
    /// forgotten which pages it could not write. No error when there is no such file; a file that is there does not grow.
    fn renew(&self, path: &Path) -> io::Result<()> {
        let file = match File::options().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let mut part = vec![0; RENEW_PART_BYTES];
        let mut at = 0;
        loop {
            let read = file.read_at(&mut part, at)?;
            if read == 0 {
                break;
            }
            self.write(&file, at, &part[..read])?;
            at += read as u64;
        }
        if at == 0 {
            return Ok(());
        }
        self.sync(&file)?;
        path.parent().map_or(Ok(()), |folder| self.sync_folder(folder))
    }
}

/// The machine's disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        folder::create_private(path)
    }

    fn write(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        file.set_len(length)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        fs4::available_space(path)
    }
}

/// Whether an error says that there is no room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}
