//! The hub's folder: what lies where, who may read it, and who works on it.
//!
//! ```text
//! DIR/hub.json        commune and name
//! DIR/lock            held by the process that works on this hub
//! DIR/hub.db          everything, encrypted
//! DIR/keys/           root, seal, sign, tls, database (0600); certificate, history, recovery.pub
//! DIR/objects/        sealed files, each under a key that the database has
//! DIR/uploads/        what has come of files on their way in
//! DIR/address         where the hub listens, or last did
//! DIR/control.sock    the running hub's control socket
//! DIR/map.pmtiles     a base map, if the operator put one there
//! DIR/webhook.json    who is told of complete reports, if the operator wrote it
//! ```

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::clock::Stopwatch;
use crate::error::{HubError, Result};

/// The paths of one hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    root: PathBuf,
}

/// The lock of a folder; released when dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Largest small file (keys, identity, address) read into memory.
const SMALL_FILE_MAX: u64 = 256 * 1024;
/// Read and written by the owner alone.
pub(crate) const PRIVATE_MODE: u32 = 0o600;
const LOCK_RETRY: Duration = Duration::from_millis(50);

impl Folder {
    /// The folder at `dir`; nothing is read or made yet.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { root: dir.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Commune and name.
    pub fn identity(&self) -> PathBuf {
        self.root.join("hub.json")
    }

    /// The database.
    pub fn database(&self) -> PathBuf {
        self.root.join("hub.db")
    }

    /// Keys and certificate.
    pub fn keys(&self) -> PathBuf {
        self.root.join("keys")
    }

    /// A key or certificate by its file name.
    pub fn key(&self, name: &str) -> PathBuf {
        self.keys().join(name)
    }

    /// Sealed files.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// Files on their way in.
    pub fn uploads(&self) -> PathBuf {
        self.root.join("uploads")
    }

    /// Makes a part of the folder that an older hub did not have.
    pub(crate) fn make_part(&self, part: &Path) -> Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(part).map_err(HubError::file(part))
    }

    /// Where the hub listens, or last did.
    pub fn address(&self) -> PathBuf {
        self.root.join("address")
    }

    /// Messages that wait for whatever carries them.
    pub fn messages(&self) -> PathBuf {
        self.root.join("messages.jsonl")
    }

    /// The operator's base map; need not be there.
    pub fn base_map(&self) -> PathBuf {
        self.root.join("map.pmtiles")
    }

    /// Who is told of complete reports; need not be there.
    pub fn webhook(&self) -> PathBuf {
        self.root.join("webhook.json")
    }

    /// The socket by which commands reach a running hub.
    pub fn control_socket(&self) -> PathBuf {
        self.root.join("control.sock")
    }

    /// Where the recovery key is written when nothing else is said: beside the folder, never in it.
    pub fn default_recovery_file(&self) -> PathBuf {
        let mut name = self.root.file_name().map(|n| n.to_os_string()).unwrap_or_else(|| "hub".into());
        name.push(".recovery");
        self.root.with_file_name(name)
    }

    /// Makes the folder with its parts. It must not exist, or be empty.
    pub fn create(&self) -> Result<()> {
        match fs::read_dir(&self.root) {
            Ok(mut entries) => {
                if entries.next().is_some() {
                    return Err(HubError::folder(&self.root, "is not empty: choose a folder that does not exist yet"));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => {
                return Err(HubError::folder(&self.root, "is a file: choose a folder that does not exist yet"));
            }
            Err(e) => return Err(HubError::file(&self.root)(e)),
        }
        for dir in [self.root.clone(), self.keys(), self.objects(), self.uploads()] {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir).map_err(HubError::file(&dir))?;
        }
        fs::set_permissions(&self.root, fs::Permissions::from_mode(0o700)).map_err(HubError::file(&self.root))
    }

    /// Whether a hub stands here.
    pub fn exists(&self) -> bool {
        self.identity().is_file()
    }

    /// Takes the folder's lock, waiting up to `wait`.
    pub fn lock(&self, wait: Duration) -> Result<Lock> {
        if !self.exists() {
            return Err(HubError::folder(&self.root, "no hub here: make one with `yenban hub init`"));
        }
        let path = self.root.join("lock");
        let file = OpenOptions::new().create(true).truncate(false).read(true).write(true).mode(PRIVATE_MODE).open(&path);
        let file = file.map_err(HubError::file(&path))?;
        let waited = Stopwatch::start();
        loop {
            if file.try_lock().is_ok() {
                return Ok(Lock { _file: file });
            }
            if waited.elapsed() >= wait {
                return Err(HubError::Locked(self.root.clone()));
            }
            std::thread::sleep(LOCK_RETRY);
        }
    }
}

/// Makes a file that only its owner may read and write. Nothing may lie under its name, nor a link that leads elsewhere:
/// the one place where the hub makes such files.
///
/// # Errors
/// When there is something, among others.
pub fn create_private(path: &Path) -> std::io::Result<File> {
    // `create_new` follows no link either: the system refuses whatever has this name.
    OpenOptions::new().read(true).write(true).create_new(true).mode(PRIVATE_MODE).open(path)
}

/// Writes a small file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut name = path.as_os_str().to_os_string();
    name.push(".new");
    let new = PathBuf::from(name);
    // A rest of an interrupted write may lie here; it was never in use.
    let _ = fs::remove_file(&new);
    let write = || -> std::io::Result<()> {
        let mut file = create_private(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
            _ => Ok(()),
        }
    };
    write().map_err(HubError::file(path))
}

/// Reads a small file.
pub fn read_small(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(HubError::file(path))?;
    file.take(SMALL_FILE_MAX + 1).read_to_end(&mut bytes).map_err(HubError::file(path))?;
    if bytes.len() as u64 > SMALL_FILE_MAX {
        return Err(HubError::folder(path, "is larger than such a file can be"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_is_not_empty_is_left_alone() {
        let dir = tempfile::tempdir().expect("temp");
        fs::write(dir.path().join("mine.txt"), "mine").expect("write");
        let folder = Folder::new(dir.path());
        assert!(matches!(folder.create(), Err(HubError::Folder { .. })));
        assert_eq!(fs::read_dir(dir.path()).expect("read").count(), 1);
    }

    #[test]
    fn private_files_are_private_and_the_lock_is_exclusive() {
        let dir = tempfile::tempdir().expect("temp");
        let folder = Folder::new(dir.path().join("hub"));
        folder.create().expect("created");
        write_private(&folder.identity(), b"{}").expect("written");
        let mode = fs::metadata(folder.identity()).expect("meta").permissions().mode();
        assert_eq!(mode & 0o777, PRIVATE_MODE);
        let elsewhere = dir.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, dir.path().join("link")).expect("a link");
        for taken in [folder.identity(), dir.path().join("link")] {
            let refused = create_private(&taken).expect_err("taken");
            assert_eq!(refused.kind(), std::io::ErrorKind::AlreadyExists, "{}", taken.display());
        }
        assert!(!elsewhere.exists(), "no link is followed");
        let held = folder.lock(Duration::ZERO).expect("free");
        assert!(matches!(folder.lock(Duration::ZERO), Err(HubError::Locked(_))));
        drop(held);
        folder.lock(Duration::ZERO).expect("free again");
        assert_eq!(folder.default_recovery_file(), dir.path().join("hub.recovery"));
    }
}
