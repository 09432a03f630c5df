//! The files that phone and hub write themselves (photographs, uploads) on a [`Platter`].

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yenban_core::disk::{Disk as PhoneDisk, DiskFile, RealDisk as RealPhoneDisk};
use yenban_core::limits::RENEW_PART_BYTES;
use yenban_hub::disk::{Disk as HubDisk, RealDisk as RealHubDisk};

use super::platter::{Call, Failure, Go, Platter};

/// A phone's or a hub's disk.
#[derive(Clone)]
pub struct Watching {
    platter: Arc<Platter>,
}

impl Watching {
    /// The disk over `platter`.
    pub fn over(platter: Arc<Platter>) -> Self {
        Watching { platter }
    }

    /// Lets a call through the gate; `work` tells the platter what it changes and does it.
    fn call<T>(&self, call: Call, path: &Path, len: usize, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let go = self.platter.gate(call, path, 0, len);
        match go {
            Go::On | Go::Last => {
                let done = work();
                self.platter.done(go);
                done
            }
            Go::Fails(how) => Err(error(how)),
            Go::Dead => Err(dead()),
        }
    }

    fn sync_folder_of(&self, folder: &Path) -> io::Result<()> {
        self.call(Call::SyncFolder, folder, 0, || {
            self.platter.folder_synced(folder);
            Ok(())
        })
    }

    fn write_again(&self, path: &Path) -> io::Result<()> {
        if self.platter.is_dead() {
            return Err(dead());
        }
        let file = match File::options().read(true).write(true).open(path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
            file => file?,
        };
        let bytes = standing(path, 0, file.metadata()?.len())?;
        for (part, at) in bytes.chunks(RENEW_PART_BYTES).zip((0..).step_by(RENEW_PART_BYTES)) {
            if write_at(&self.platter, path, &file, at, part)? < part.len() {
                return Err(error(Failure::Full));
            }
        }
        if bytes.is_empty() {
            return Ok(());
        }
        sync(&self.platter, path)?;
        path.parent().map_or(Ok(()), |folder| self.sync_folder_of(folder))
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.call(Call::Remove, path, 0, || {
            std::fs::metadata(path)?;
            self.platter.removing(path);
            std::fs::remove_file(path)
        })
    }
}

fn error(how: Failure) -> io::Error {
    match how {
        Failure::Broken => io::Error::other("the medium failed"),
        Failure::Full | Failure::Half => io::ErrorKind::StorageFull.into(),
    }
}

fn dead() -> io::Error {
    io::Error::other("the power is gone")
}

/// What stands in a file now; it may be open for writing only.
fn standing(path: &Path, offset: u64, len: u64) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; len as usize];
    File::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Writes into a file through the gate; how many bytes got there.
fn write_at(platter: &Platter, path: &Path, file: &File, offset: u64, bytes: &[u8]) -> io::Result<usize> {
    let go = platter.gate(Call::Write, path, offset, bytes.len());
    let len = match go {
        Go::On | Go::Last => bytes.len(),
        Go::Fails(Failure::Half) if bytes.len() > 1 => bytes.len() / 2,
        Go::Fails(how) => return Err(error(how)),
        Go::Dead => return Err(dead()),
    };
    let file_len = file.metadata()?.len();
    let old = standing(path, offset, file_len.saturating_sub(offset).min(len as u64))?;
    platter.wrote(path, offset, old, file_len, &bytes[..len]);
    file.write_all_at(&bytes[..len], offset)?;
    platter.done(go);
    Ok(len)
}

/// An open file of a phone.
struct Open {
    platter: Arc<Platter>,
    path: PathBuf,
    file: File,
    at: u64,
}

impl Read for Open {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self.platter.gate(Call::Read, &self.path, self.at, out.len()) {
            Go::On | Go::Last => {}
            Go::Fails(how) => return Err(error(how)),
            Go::Dead => return Err(dead()),
        }
        let read = self.file.read_at(out, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Write for Open {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = write_at(&self.platter, &self.path, &self.file, self.at, bytes)?;
        self.at += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for Open {
    fn sync(&mut self) -> io::Result<()> {
        sync(&self.platter, &self.path)
    }
}

fn sync(platter: &Platter, path: &Path) -> io::Result<()> {
    let go = platter.gate(Call::Sync, path, 0, 0);
    match go {
        Go::On | Go::Last => {
            platter.synced(path);
            platter.done(go);
            Ok(())
        }
        Go::Fails(how) => {
            platter.sync_failed(path);
            Err(error(how))
        }
        Go::Dead => Err(dead()),
    }
}

impl PhoneDisk for Watching {
    fn create_new(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        self.call(Call::Create, path, 1, || {
            drop(RealPhoneDisk.create_new(path)?);
            self.platter.created(path);
            let file = File::options().read(true).write(true).open(path)?;
            Ok(Box::new(Open { platter: self.platter.clone(), path: path.to_path_buf(), file, at: 0 }) as Box<dyn DiskFile>)
        })
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        if self.platter.is_dead() {
            return Err(dead());
        }
        let file = File::open(path)?;
        Ok(Box::new(Open { platter: self.platter.clone(), path: path.to_path_buf(), file, at: 0 }))
    }

    fn size_bytes(&self, path: &Path) -> io::Result<Option<u64>> {
        if self.platter.is_dead() { Err(dead()) } else { RealPhoneDisk.size_bytes(path) }
    }

    fn create_folder(&self, path: &Path) -> io::Result<()> {
        // Made once, at the first start; its name counts as durable.
        self.call(Call::Create, path, 1, || RealPhoneDisk.create_folder(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(Call::Rename, to, 0, || {
            std::fs::metadata(from)?;
            self.platter.renaming(from, to);
            RealPhoneDisk.rename(from, to)
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.sync_folder_of(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        if self.platter.is_dead() {
            return Err(dead());
        }
        let mut names = RealPhoneDisk.list(folder)?;
        // A folder has no order; a seed must have one.
        names.sort();
        Ok(names)
    }

    fn free_bytes(&self, _folder: &Path) -> io::Result<u64> {
        Ok(self.platter.room_bytes())
    }

    fn preallocate(&self, path: &Path, size_bytes: u64) -> io::Result<()> {
        // Sparse: it takes room of the platter, not of this machine.
        self.call(Call::Create, path, size_bytes as usize, || {
            drop(RealPhoneDisk.create_new(path)?);
            self.platter.created(path);
            File::options().write(true).open(path)?.set_len(size_bytes)?;
            self.platter.room_for(size_bytes, 0);
            Ok(())
        })?;
        sync(&self.platter, path)
    }

    fn renew(&self, path: &Path) -> io::Result<()> {
        self.write_again(path)
    }
}

/// The hub's disk is given files, not names; the system knows them.
fn name_of(file: &File) -> PathBuf {
    use std::os::fd::AsRawFd as _;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).unwrap_or_default()
}

impl HubDisk for Watching {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.call(Call::Create, path, 1, || {
            let file = RealHubDisk.create(path)?;
            self.platter.created(path);
            Ok(file)
        })
    }

    fn write(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let path = name_of(file);
        let written = write_at(&self.platter, &path, file, offset, bytes)?;
        if written == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        let path = name_of(file);
        self.call(Call::Truncate, &path, 0, || {
            let file_len = file.metadata()?.len();
            let tail = standing(&path, length.min(file_len), file_len.saturating_sub(length))?;
            self.platter.cut(&path, length, tail);
            RealHubDisk.truncate(file, length)
        })
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        sync(&self.platter, &name_of(file))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.sync_folder_of(folder)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.remove_file(path)
    }

    fn free_bytes(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.platter.ask_for_room())
    }
}
