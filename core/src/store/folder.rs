//! The folder of a store: its names, what is accepted as one, and its lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Error, Result};
use crate::keys::files;
use crate::limits::{STORE_POLL_MS, STORE_WAIT_MS};

const PLAIN_SQLITE: &[u8; 16] = b"SQLite format 3\0";

/// The names inside a store's folder.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Names under `root`; touches nothing.
    pub fn at(root: impl Into<PathBuf>) -> Folder {
        Folder { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The sealed log.
    pub fn spool(&self) -> PathBuf {
        self.root.join("spool.db")
    }

    /// A member's vault.
    pub fn vault(&self, member: u32) -> PathBuf {
        self.root.join(format!("vault-{member}.db"))
    }

    /// The marker.
    pub fn marker(&self) -> PathBuf {
        self.root.join("marker")
    }

    /// The spool's key, wrapped by the key store.
    pub fn spool_key(&self) -> PathBuf {
        self.root.join("spool.key")
    }

    /// The spool's key, sealed to the hub: what a rescue parcel is opened with.
    pub fn spool_rescue(&self) -> PathBuf {
        self.root.join("spool.rescue")
    }

    /// Who this phone is, a second time, wrapped by the key store: a spool that loses its page about it is still ours.
    pub fn joined(&self) -> PathBuf {
        self.root.join("joined")
    }

    /// Where a damaged spool lies while another is made of it.
    pub(crate) fn rescuing(&self) -> Folder {
        Folder { root: self.root.join("rescuing") }
    }

    /// Where it is kept from then on.
    pub(crate) fn damaged(&self, time: &str) -> PathBuf {
        self.root.join(format!("damaged-{time}"))
    }

    /// Keys of the software key store.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// Sealed photographs.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Where the camera writes, one file a capture; empty but between shutter and seal.
    pub fn capturing(&self) -> PathBuf {
        self.root.join("capturing")
    }

    /// Room kept for what must not wait: a text, a capture in hand.
    pub fn reserve(&self) -> PathBuf {
        self.root.join("reserve")
    }

    fn lock_file(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Whether a store lies here.
    pub fn has_store(&self) -> bool {
        self.spool().exists()
    }

    /// Checks, without changing anything, that this is a store or a place where one may be made: a
    /// folder that is absent, empty, or ours. Anything else is refused, because a slip of a path must
    /// not scatter files over someone's home.
    pub fn check(&self) -> Result<()> {
        let refuse = |path: &Path, why| Err(Error::NotAStore { path: path.to_path_buf(), why });
        let metadata = match std::fs::metadata(&self.root) {
            Ok(metadata) => metadata,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(e) => return Err(Error::io("look at", &self.root, e)),
        };
        if !metadata.is_dir() {
            return refuse(&self.root, "it is a file, not a folder");
        }
        let spool = self.spool();
        if self.rescuing().root.exists() {
            return Err(Error::StoreDamaged { path: spool, why: "a rescue of it was interrupted: begin the rescue again".into() });
        }
        if spool.exists() {
            // A log has begun here, so an empty file is no beginning. Said before the database library sees it:
            // it would take the write-ahead log, which may hold every entry, for a leftover.
            if self.marker().exists() && std::fs::metadata(&spool).is_ok_and(|m| m.len() == 0) {
                return Err(Error::StoreDamaged { path: spool, why: "the file is empty, and a log has begun here".into() });
            }
            return check_spool_file(&spool);
        }
        let listing = std::fs::read_dir(&self.root).map_err(|e| Error::io("list", &self.root, e))?;
        for item in listing {
            let item = item.map_err(|e| Error::io("list", &self.root, e))?;
            // What a killed first start leaves behind.
            if !matches!(item.file_name().to_str(), Some("lock" | "keys" | "objects" | "spool.key" | "spool.key.new")) {
                return refuse(&self.root, "the folder holds other files and no spool.db");
            }
        }
        Ok(())
    }

    /// Makes the folders.
    pub(crate) fn create(&self) -> Result<()> {
        files::create_private_folder(&self.root)?;
        files::create_private_folder(&self.objects())
    }

    /// Takes the store for this process; waits up to `STORE_WAIT_MS`, then says that it is in use.
    pub(crate) fn lock(&self) -> Result<StoreLock> {
        let path = self.lock_file();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(|e| Error::io("open", &path, e))?;
        for _ in 0..=STORE_WAIT_MS / STORE_POLL_MS {
            match file.try_lock() {
                Ok(()) => return Ok(StoreLock { _file: file }),
                Err(TryLockError::WouldBlock) => {
                    std::thread::sleep(Duration::from_millis(STORE_POLL_MS));
                }
                Err(TryLockError::Error(e)) => return Err(Error::io("lock", &path, e)),
            }
        }
        Err(Error::StoreBusy { path: self.root.clone(), waited_ms: STORE_WAIT_MS })
    }
}

/// Ownership of a store by this process; ends when dropped, or when the process dies.
#[derive(Debug)]
pub struct StoreLock {
    _file: File,
}

/// Refuses what is plainly no spool before any library opens it. What is encrypted with another key
/// cannot be told from damage here; the first read does that.
fn check_spool_file(path: &Path) -> Result<()> {
    let refuse = |why| Err(Error::NotAStore { path: path.to_path_buf(), why });
    let mut head = [0; 16];
    let mut file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let metadata = file.metadata().map_err(|e| Error::io("look at", path, e))?;
    if !metadata.is_file() {
        return refuse("spool.db is not a file");
    }
    // An empty file is what a kill between creation and the first commit leaves.
    if metadata.len() == 0 {
        return Ok(());
    }
    if file.read_exact(&mut head).is_err() {
        return refuse("spool.db is too short for a database");
    }
    if &head == PLAIN_SQLITE {
        return refuse("spool.db is a plain database, not a sealed one");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_places_are_refused_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("notes.txt");
        std::fs::write(&file, "nhớ mua muối").unwrap();
        assert!(Folder::at(&file).check().is_err());
        assert!(Folder::at(dir.path()).check().is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        Folder::at(dir.path().join("new")).check().unwrap();
        let plain = dir.path().join("plain");
        std::fs::create_dir(&plain).unwrap();
        rusqlite::Connection::open(plain.join("spool.db")).unwrap().execute_batch("CREATE TABLE t(x)").unwrap();
        let error = Folder::at(&plain).check().unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Damaged);
    }

    #[test]
    fn a_second_owner_is_told_after_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::at(dir.path());
        let held = folder.lock().unwrap();
        let error = folder.lock().unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Busy);
        drop(held);
        folder.lock().unwrap();
    }
}
