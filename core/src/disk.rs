//! Every call that capture, recovery, previews, sweeping and eviction make to the file system, as a trait:
//! tests put a disk behind it that fails, fills up or dies at the Nth call.
//!
//! Databases are not behind it: they have layers of their own for that. Only what they must find durable when they are
//! opened is made so through it ([`Disk::renew`]).

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek as _, SeekFrom, Write};
use std::path::Path;

use crate::keys::files;
use crate::limits::RENEW_PART_BYTES;

/// An open file.
pub trait DiskFile: Read + Write + Send {
    /// Waits until everything written is on the medium.
    ///
    /// # Errors
    /// Whatever the system says; what was written may then be lost.
    fn sync(&mut self) -> io::Result<()>;
}

/// A file system.
pub trait Disk: Send + Sync {
    /// A new file that only its owner can read.
    ///
    /// # Errors
    /// When there is one already, among others.
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// A file for reading.
    ///
    /// # Errors
    /// As the system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;
    /// Length of a file in bytes; `None` for a folder, a pipe and the like.
    ///
    /// # Errors
    /// `NotFound` when nothing has this name.
    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>>;
    /// A folder that only its owner can read; no error when it is there.
    ///
    /// # Errors
    /// As the system says.
    fn create_folder(&self, path: &Path) -> io::Result<()>;
    /// Gives a file another name in the same file system.
    ///
    /// # Errors
    /// As the system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    ///
    /// # Errors
    /// As the system says.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Waits until names made or removed in `folder` are on the medium.
    ///
    /// # Errors
    /// As the system says.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
    /// Names in `folder` that are UTF-8, as all of ours are.
    ///
    /// # Errors
    /// As the system says.
    fn list(&self, folder: &Path) -> io::Result<Vec<String>>;
    /// Bytes that this program may still write in the file system of `folder`.
    ///
    /// # Errors
    /// As the system says.
    fn free_bytes(&self, folder: &Path) -> io::Result<u64>;
    /// A new file that takes `size_bytes` of room.
    ///
    /// # Errors
    /// As the system says; what there is of it then stays.
    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()>;
    /// Writes what a file holds once more to where it stands, and waits until bytes and name are on the medium. After a sync
    /// that failed, or a program that was killed before its sync, this alone makes durable what can be read: the system has
    /// forgotten which pages it could not write. No error when there is no such file; a file that is there does not grow.
    ///
    /// # Errors
    /// As the system says; what can be read may then still be lost.
    fn renew(&self, path: &Path) -> io::Result<()>;
}

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealDisk;

impl DiskFile for fs::File {
    fn sync(&mut self) -> io::Result<()> {
        self.sync_all()
    }
}

impl Disk for RealDisk {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(files::private_new().open(path)?))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(OpenOptions::new().read(true).open(path)?))
    }

    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        let metadata = fs::metadata(path)?;
        Ok(metadata.is_file().then_some(metadata.len()))
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        match builder.create(path) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
            done => done,
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        fs::File::open(folder)?.sync_all()
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(folder)?.map(|item| item.map(|item| item.file_name().into_string().ok()));
        names.filter_map(Result::transpose).collect()
    }

    fn free_bytes(&self, folder: &Path) -> io::Result<u64> {
        let figures = rustix::fs::statvfs(folder)?;
        Ok(figures.f_bavail.saturating_mul(figures.f_frsize))
    }

    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        let mut file = files::private_new().open(path)?;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size_bytes) {
            Err(rustix::io::Errno::OPNOTSUPP | rustix::io::Errno::NOSYS) => {}
            done => return done.map_err(io::Error::from).and_then(|()| file.sync_all()),
        }
        // Where room cannot be asked for, it is taken: a sparse file would hold none.
        io::copy(&mut io::repeat(0).take(size_bytes), &mut file)?;
        file.sync_all()
    }

    fn renew(&self, path: &Path) -> io::Result<()> {
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let mut part = vec![0; RENEW_PART_BYTES];
        let mut at = 0;
        loop {
            file.seek(SeekFrom::Start(at))?;
            let read = file.read(&mut part)?;
            if read == 0 {
                break;
            }
            file.seek(SeekFrom::Start(at))?;
            file.write_all(&part[..read])?;
            at += read as u64;
        }
        if at == 0 {
            return Ok(());
        }
        file.sync_all()?;
        path.parent().map_or(Ok(()), |folder| self.sync_folder(folder))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_takes_room_and_a_folder_is_no_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("reserve");
        RealDisk.preallocate(&path, 1 << 20).unwrap();
        assert_eq!(RealDisk.size_bytes(&path).unwrap(), Some(1 << 20));
        #[cfg(unix)]
        assert!(std::os::unix::fs::MetadataExt::blocks(&fs::metadata(&path).unwrap()) * 512 >= 1 << 20);
        assert_eq!(RealDisk.size_bytes(dir.path()).unwrap(), None);
        assert!(RealDisk.free_bytes(dir.path()).unwrap() > 0);
        assert!(RealDisk.create_new(&path).is_err());
        RealDisk.create_folder(dir.path()).unwrap();
        assert_eq!(RealDisk.list(dir.path()).unwrap(), ["reserve"]);
    }
}
