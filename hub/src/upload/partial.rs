//! What has come of one sealed file: a file of the same bytes under the uploads folder, and the state of its hash.
//!
//! The file alone says how far an upload is; the hash is rebuilt from it after a restart. Its time of change is hub time,
//! so that a clock that a test moves decides when it has expired.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use yenban_protocol::crypto::Hash;
use yenban_protocol::object::HEAD_BYTES;

use crate::clock::file_time;
use crate::disk::{Disk, is_full};
use crate::error::{HubError, Refusal, Result};
use crate::limits::CHUNK_WRITE_BYTES;

/// The bytes of a sealed file that are here.
pub(super) struct Partial {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    length: u64,
    offset: u64,
    /// Open while in use, with the hash of everything before `offset`.
    open: Option<(File, digest::Context)>,
    /// When the last byte came, hub time.
    touched_ms: i64,
    /// The bytes are complete and are not what the entry names.
    wrong: Option<Refusal>,
}

/// What became of the bytes that were here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    /// They are here, and perhaps some more that a failed write left.
    Same,
    /// Some are not here any more; the others may be gone on from.
    Shorter,
    /// None is here, or what lies there is no file of ours.
    Gone,
}

/// A chunk under a checksum, kept apart until the checksum agrees.
pub(super) struct Apart {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Partial {
    /// A file of `length` bytes at `path` that is about to be made.
    pub(super) fn new(disk: Arc<dyn Disk>, path: PathBuf, length: u64, now_ms: i64) -> Self {
        Self { disk, path, length, offset: 0, open: None, touched_ms: now_ms, wrong: None }
    }

    /// Makes the file. Only for who has its place: a file that lies there is then nobody's, the rest of one that could
    /// not be removed, and goes.
    pub(super) fn create(&mut self) -> Result<()> {
        let path = self.path.clone();
        let file = match self.disk.create(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                self.disk.remove(&path).and_then(|()| self.disk.create(&path)).map_err(|e| told(&path, e))?
            }
            other => other.map_err(|e| told(&path, e))?,
        };
        self.open = Some((file, digest::Context::new(&digest::SHA256)));
        self.settle(self.touched_ms)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        self.disk.sync_folder(folder).map_err(|e| told(folder, e))
    }

    /// Looks at the file again before anybody goes on with it. It alone says how far an upload is: one that was taken
    /// away or cut behind the hub's back must not go on from bytes that are not there.
    pub(super) fn look(&mut self) -> Looked {
        let meta = std::fs::symlink_metadata(&self.path).ok().filter(|meta| meta.is_file() && meta.len() <= self.length);
        let Some(meta) = meta else { return Looked::Gone };
        let same = |file: &File| file.metadata().is_ok_and(|open| (open.dev(), open.ino()) == (meta.dev(), meta.ino()));
        let known = self.open.as_ref().is_none_or(|(file, _)| same(file)) && meta.len() == self.offset;
        if known {
            return Looked::Same;
        }
        let before = std::mem::replace(&mut self.offset, meta.len());
        (self.open, self.wrong) = (None, None);
        if self.offset < before { Looked::Shorter } else { Looked::Same }
    }

    /// Goes on from nothing, with a new file.
    pub(super) fn restart(&mut self) -> Result<()> {
        (self.open, self.offset, self.wrong) = (None, 0, None);
        self.create()
    }

    /// The file that lies at `path` since an earlier start.
    pub(super) fn found(disk: Arc<dyn Disk>, path: PathBuf, length: u64) -> Result<Self> {
        let meta = std::fs::metadata(&path).map_err(HubError::file(&path))?;
        let touched_ms = meta.modified().map_or(0, file_time::ms);
        Ok(Self { disk, path, length, offset: meta.len(), open: None, touched_ms, wrong: None })
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    pub(super) fn is_complete(&self) -> bool {
        self.offset == self.length
    }

    pub(super) fn touched_ms(&self) -> i64 {
        self.touched_ms
    }

    pub(super) fn wrong(&self) -> Option<&Refusal> {
        self.wrong.as_ref()
    }

    pub(super) fn set_wrong(&mut self, why: Refusal) {
        self.wrong = Some(why);
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file and hashes what is in it, unless that was done.
    fn opened(&mut self) -> Result<&mut (File, digest::Context)> {
        let open = match self.open.take() {
            Some(open) => open,
            None => {
                let file = OpenOptions::new().read(true).write(true).open(&self.path).map_err(HubError::file(&self.path))?;
                let mut context = digest::Context::new(&digest::SHA256);
                let mut source = file.try_clone().map_err(HubError::file(&self.path))?;
                let (mut buffer, mut offset) = (vec![0; CHUNK_WRITE_BYTES], 0);
                loop {
                    let n = source.read(&mut buffer).map_err(HubError::file(&self.path))?;
                    if n == 0 {
                        break;
                    }
                    context.update(&buffer[..n]);
                    offset += n as u64;
                }
                self.offset = offset;
                (file, context)
            }
        };
        Ok(self.open.insert(open))
    }

    /// Appends bytes. What was not written whole is cut off again.
    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let (disk, path, offset) = (Arc::clone(&self.disk), self.path.clone(), self.offset);
        let (file, context) = self.opened()?;
        if let Err(e) = disk.write(file, offset, bytes) {
            if disk.truncate(file, offset).is_err() {
                // What lies there now is read again before anybody goes on.
                self.open = None;
            }
            return Err(told(&path, e));
        }
        context.update(bytes);
        self.offset += bytes.len() as u64;
        Ok(())
    }

    /// Makes everything that came durable and notes when.
    pub(super) fn settle(&mut self, now_ms: i64) -> Result<()> {
        let (disk, path) = (Arc::clone(&self.disk), self.path.clone());
        let Some((file, _)) = &self.open else { return Ok(()) };
        // The time is a help for sweeping; a file system that does not keep it only keeps uploads longer.
        let _ = file.set_modified(file_time::of(now_ms));
        let synced = disk.sync(file);
        self.touched_ms = now_ms;
        if let Err(e) = synced {
            // After a failed sync nothing is known of what lies on the disk: it is closed, and read again.
            self.open = None;
            self.offset = std::fs::metadata(&path).map_or(0, |meta| meta.len());
            return Err(told(&path, e));
        }
        Ok(())
    }

    /// A place for a chunk that counts only if its checksum agrees.
    pub(super) fn apart(&self) -> Result<Apart> {
        let mut name = self.path.as_os_str().to_os_string();
        name.push(super::APART);
        let path = PathBuf::from(name);
        // The rest of a chunk that was cut.
        let _ = self.disk.remove(&path);
        let file = self.disk.create(&path).map_err(|e| told(&path, e))?;
        Ok(Apart { path, file, length: 0 })
    }

    /// Writes on in a chunk that is kept apart.
    pub(super) fn append_apart(&self, apart: &mut Apart, bytes: &[u8]) -> Result<()> {
        self.disk.write(&apart.file, apart.length, bytes).map_err(|e| told(&apart.path, e))?;
        apart.length += bytes.len() as u64;
        Ok(())
    }

    /// Takes a chunk over whose checksum agreed, or drops it.
    pub(super) fn join(&mut self, apart: &Apart, agreed: bool) -> Result<()> {
        let mut outcome = Ok(());
        if agreed {
            let mut source = File::open(&apart.path).map_err(HubError::file(&apart.path))?;
            let (mut buffer, start) = (vec![0; CHUNK_WRITE_BYTES], self.offset);
            outcome = loop {
                match source.read(&mut buffer) {
                    Ok(0) => break Ok(()),
                    Ok(n) => match self.append(&buffer[..n]) {
                        Ok(()) => {}
                        Err(e) => break Err(e),
                    },
                    Err(e) => break Err(told(&apart.path, e)),
                }
            };
            if outcome.is_err() && self.offset > start {
                // A chunk under a checksum is taken whole or not at all.
                if let Some((file, _)) = self.open.take() {
                    self.disk.truncate(&file, start).map_err(|e| told(&self.path, e))?;
                }
                self.offset = start;
            }
        }
        let _ = self.disk.remove(&apart.path);
        outcome
    }

    /// SHA-256 of everything that came.
    pub(super) fn hash(&mut self) -> Result<Hash> {
        let (_, context) = self.opened()?;
        context.clone().finish().as_ref().try_into().map_err(|_| HubError::Keys("SHA-256".to_owned()))
    }

    /// Removes the file. Its head, which carries the key, is overwritten first. One that is not there is removed.
    pub(super) fn remove(&mut self) -> Result<()> {
        let path = self.path.clone();
        let n = HEAD_BYTES.min(usize::try_from(self.offset).unwrap_or(HEAD_BYTES));
        let file = match self.open.take() {
            Some((file, _)) => file,
            None => match OpenOptions::new().write(true).open(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
                other => other.map_err(HubError::file(&path))?,
            },
        };
        self.disk.write(&file, 0, &vec![0; n]).and_then(|()| self.disk.sync(&file)).map_err(|e| told(&path, e))?;
        match self.disk.remove(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(told(&path, e)),
            _ => {}
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        self.disk.sync_folder(folder).map_err(|e| told(folder, e))
    }
}

impl Apart {
    /// Bytes of it.
    pub(super) fn length(&self) -> u64 {
        self.length
    }
}

/// A disk error; a full disk is the sender's to know.
fn told(path: &Path, error: io::Error) -> HubError {
    if is_full(&error) { Refusal::StorageFull.into() } else { HubError::file(path)(error) }
}
