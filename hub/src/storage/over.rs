//! Object storage over the `object_store` crate: a folder now, S3 by the same code later.

use std::fs;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::StreamExt as _;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutPayload};

use super::{Later, Listing, ObjectName, ObjectStorage, Part, Parts};
use crate::error::{HubError, Refusal, Result};
use crate::folder::PRIVATE_MODE;
use crate::limits::{STORAGE_PART_BYTES, STORAGE_READ_MAX_BYTES};

/// Under this ending a file in several parts is gathered before it gets its name.
const STAGING: &str = ".part";

/// Object storage over any store of the `object_store` crate.
pub struct OverObjectStore {
    store: Arc<dyn ObjectStore>,
    /// The folder, where it is one: `object_store` does not sync it after a removal, nor list what a killed put left.
    folder: Option<PathBuf>,
}

fn path(name: ObjectName) -> Path {
    Path::from(name.to_string())
}

fn failed(error: Error) -> HubError {
    match error {
        Error::AlreadyExists { .. } => Refusal::Conflict("an object of this name").into(),
        other => match no_room(&other) {
            true => Refusal::StorageFull.into(),
            false => HubError::Storage(other.to_string()),
        },
    }
}

/// Whether a full disk stands somewhere behind an error.
fn no_room(error: &Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.downcast_ref::<std::io::Error>().is_some_and(crate::disk::is_full) {
            return true;
        }
        source = error.source();
    }
    false
}

impl OverObjectStore {
    /// Storage in a folder that exists. Every put syncs the file and the folder.
    pub fn folder(folder: &FilePath) -> Result<Self> {
        let store = LocalFileSystem::new_with_prefix(folder).map_err(failed)?.with_fsync(true);
        Ok(Self { store: Arc::new(store), folder: Some(folder.to_owned()) })
    }

    /// Storage in memory, for tests.
    pub fn memory() -> Self {
        Self { store: Arc::new(InMemory::new()), folder: None }
    }

    async fn put_all(&self, name: ObjectName, mut parts: Parts) -> Result<u64> {
        let cut = || HubError::Storage("the file did not come whole".to_owned());
        let first = match parts.recv().await {
            Some(Part::Bytes(bytes)) => bytes,
            Some(Part::End) => Bytes::new(),
            None => return Err(cut()),
        };
        let second = if first.len() < STORAGE_PART_BYTES { None } else { parts.recv().await };
        match second {
            // The usual photograph is one part, created at once under its name.
            None if first.len() < STORAGE_PART_BYTES => {
                if !first.is_empty() && !matches!(parts.recv().await, Some(Part::End)) {
                    return Err(cut());
                }
                self.put_one(name, first).await
            }
            Some(Part::End) => self.put_one(name, first).await,
            None => Err(cut()),
            Some(Part::Bytes(second)) => self.put_many(name, first, second, parts).await,
        }
    }

    async fn put_one(&self, name: ObjectName, bytes: Bytes) -> Result<u64> {
        let size = bytes.len() as u64;
        self.store.put_opts(&path(name), PutPayload::from_bytes(bytes), PutMode::Create.into()).await.map_err(failed)?;
        self.make_private(name)?;
        Ok(size)
    }

    async fn put_many(&self, name: ObjectName, first: Bytes, second: Bytes, mut parts: Parts) -> Result<u64> {
        // Parts are gathered under another name and get their own only if it is free: no route overwrites a file.
        let staging = Path::from(format!("{name}{STAGING}"));
        let mut upload = self.store.put_multipart(&staging).await.map_err(failed)?;
        let mut size = 0;
        let mut next = [Some(first), Some(second)].into_iter().flatten();
        let sent = loop {
            let part = match next.next() {
                Some(bytes) => Some(Part::Bytes(bytes)),
                None => parts.recv().await,
            };
            match part {
                Some(Part::Bytes(bytes)) => {
                    size += bytes.len() as u64;
                    if let Err(e) = upload.put_part(PutPayload::from_bytes(bytes)).await {
                        break Err(failed(e));
                    }
                }
                Some(Part::End) => break Ok(()),
                None => break Err(HubError::Storage("the file did not come whole".to_owned())),
            }
        };
        if let Err(e) = sent {
            // What cannot be taken back now is taken back by the next tidying.
            drop(upload.abort().await);
            return Err(e);
        }
        upload.complete().await.map_err(failed)?;
        if let Err(e) = self.store.rename_if_not_exists(&staging, &path(name)).await {
            drop(self.store.delete(&staging).await);
            return Err(failed(e));
        }
        self.make_private(name)?;
        self.sync_folder()?;
        Ok(size)
    }

    /// Lets nobody but its owner read a file; the crate makes them as the process makes any. The folder is closed to
    /// others already: this holds for copies of it.
    fn make_private(&self, name: ObjectName) -> Result<()> {
        let Some(folder) = &self.folder else { return Ok(()) };
        let file = folder.join(name.to_string());
        fs::set_permissions(&file, fs::Permissions::from_mode(PRIVATE_MODE)).map_err(HubError::file(&file))
    }

    /// Whether what lies under a name in the folder may be opened: a pipe or a device would keep whoever opens it waiting,
    /// a link leads elsewhere. `false`: nothing lies there.
    fn is_file(&self, name: ObjectName) -> Result<bool> {
        let Some(folder) = &self.folder else { return Ok(true) };
        let file = folder.join(name.to_string());
        match fs::symlink_metadata(&file) {
            Ok(found) if found.is_file() => Ok(true),
            Ok(_) => Err(HubError::folder(file, "it is not a file")),
            // A folder that is not there is a disk that is not mounted: no file of it is called missing for that.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => match folder.is_dir() {
                true => Ok(false),
                false => Err(HubError::file(folder)(e)),
            },
            Err(e) => Err(HubError::file(file)(e)),
        }
    }

    fn sync_folder(&self) -> Result<()> {
        match &self.folder {
            Some(folder) => fs::File::open(folder).and_then(|dir| dir.sync_all()).map_err(HubError::file(folder)),
            None => Ok(()),
        }
    }

    /// Everything a killed put left: gathered parts, and the crate's own staging files (`name#n`), which it does not list.
    async fn tidy_all(&self) -> Result<()> {
        let mut all = self.store.list(None);
        while let Some(found) = all.next().await {
            let location = found.map_err(failed)?.location;
            if location.as_ref().ends_with(STAGING) {
                self.store.delete(&location).await.map_err(failed)?;
            }
        }
        let Some(folder) = &self.folder else { return Ok(()) };
        for entry in fs::read_dir(folder).map_err(HubError::file(folder))? {
            let entry = entry.map_err(HubError::file(folder))?;
            let left = entry.file_name().to_str().and_then(|name| name.split_once('#').map(|(before, _)| before.to_owned()));
            if left.is_some_and(|before| ObjectName::parse(before.trim_end_matches(STAGING)).is_some()) {
                fs::remove_file(entry.path()).map_err(HubError::file(entry.path()))?;
            }
        }
        self.sync_folder()
    }
}

impl ObjectStorage for OverObjectStore {
    fn put(&self, name: ObjectName, parts: Parts) -> Later<'_, u64> {
        Box::pin(self.put_all(name, parts))
    }

    fn read(&self, name: ObjectName, range: Range<u64>) -> Later<'_, Option<Bytes>> {
        Box::pin(async move {
            if range.end.saturating_sub(range.start) > STORAGE_READ_MAX_BYTES {
                return Err(HubError::Storage(format!("at most {STORAGE_READ_MAX_BYTES} bytes are read at once")));
            }
            let Some(size) = self.size(name).await? else { return Ok(None) };
            let range = range.start.min(size)..range.end.min(size);
            if range.is_empty() {
                return Ok(Some(Bytes::new()));
            }
            match self.store.get_range(&path(name), range).await {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(e) => Err(failed(e)),
            }
        })
    }

    fn size(&self, name: ObjectName) -> Later<'_, Option<u64>> {
        Box::pin(async move {
            if !self.is_file(name)? {
                return Ok(None);
            }
            match self.store.head(&path(name)).await {
                Ok(meta) => Ok(Some(meta.size)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(e) => Err(failed(e)),
            }
        })
    }

    fn remove(&self, name: ObjectName) -> Later<'_, bool> {
        Box::pin(async move {
            // S3 does not say whether there was one; the memory store neither. What is no file is removed unopened.
            if let Some(folder) = &self.folder {
                let found = fs::symlink_metadata(folder.join(name.to_string()));
                if found.is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
                    return Ok(false);
                }
            } else if self.size(name).await?.is_none() {
                return Ok(false);
            }
            match self.store.delete(&path(name)).await {
                Ok(()) => self.sync_folder().map(|()| true),
                Err(Error::NotFound { .. }) => Ok(false),
                Err(e) => Err(failed(e)),
            }
        })
    }

    fn list(&self) -> Later<'_, Listing> {
        Box::pin(async move {
            let mut listing = Listing::default();
            if let Some(folder) = &self.folder {
                // Names alone: the crate asks after each file, and one that cannot be asked after would end the list.
                for entry in fs::read_dir(folder).map_err(HubError::file(folder))? {
                    let entry = entry.map_err(HubError::file(folder))?;
                    let name = entry.file_name();
                    match entry.file_type().map_err(HubError::file(folder))?.is_file() {
                        true => listing.names.extend(name.to_str().and_then(ObjectName::parse)),
                        false => listing.strangers.push(name.to_string_lossy().into_owned()),
                    }
                }
            } else {
                let mut all = self.store.list(None);
                while let Some(found) = all.next().await {
                    listing.names.extend(ObjectName::parse(found.map_err(failed)?.location.as_ref()));
                }
            }
            listing.names.sort_unstable();
            listing.strangers.sort_unstable();
            Ok(listing)
        })
    }

    fn tidy(&self) -> Later<'_, ()> {
        Box::pin(self.tidy_all())
    }
}
