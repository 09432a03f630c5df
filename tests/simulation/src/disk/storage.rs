//! The hub's object storage on a [`Platter`]: the real one, with a gate before each change.
//!
//! What it keeps is durable when it answers, as the library promises; the power may go before and after, and the disk
//! may refuse.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use yenban_hub::storage::{Later, Listing, ObjectName, ObjectStorage, OverObjectStore, Parts};
use yenban_hub::{HubError, Refusal, Result};

use super::platter::{Call, Failure, Go, Platter};

/// Object storage behind the gate.
pub struct Gated {
    inner: OverObjectStore,
    folder: PathBuf,
    platter: Arc<Platter>,
}

impl Gated {
    /// The storage in `folder`, which exists.
    ///
    /// # Errors
    /// As the hub's.
    pub fn over(platter: Arc<Platter>, folder: &Path) -> Result<Gated> {
        Ok(Gated { inner: OverObjectStore::folder(folder)?, folder: folder.to_path_buf(), platter })
    }

    fn gate(&self, call: Call, name: ObjectName) -> Result<Go> {
        match self.platter.gate(call, &self.folder.join(name.to_string()), 0, 1) {
            Go::Fails(Failure::Full | Failure::Half) => Err(Refusal::StorageFull.into()),
            Go::Fails(Failure::Broken) => Err(HubError::Storage("the medium failed".into())),
            Go::Dead => Err(HubError::Storage("the power is gone".into())),
            go => Ok(go),
        }
    }
}

impl ObjectStorage for Gated {
    fn put(&self, name: ObjectName, parts: Parts) -> Later<'_, u64> {
        Box::pin(async move {
            let go = self.gate(Call::Create, name)?;
            let done = self.inner.put(name, parts).await;
            self.platter.room_for(done.as_ref().copied().unwrap_or(0), 0);
            self.platter.done(go);
            done
        })
    }

    fn read(&self, name: ObjectName, range: Range<u64>) -> Later<'_, Option<Bytes>> {
        Box::pin(async move {
            self.gate(Call::Read, name)?;
            self.inner.read(name, range).await
        })
    }

    fn size(&self, name: ObjectName) -> Later<'_, Option<u64>> {
        self.inner.size(name)
    }

    fn remove(&self, name: ObjectName) -> Later<'_, bool> {
        Box::pin(async move {
            let go = self.gate(Call::Remove, name)?;
            let size = self.inner.size(name).await?.unwrap_or(0);
            self.platter.room_for(0, size);
            let done = self.inner.remove(name).await;
            self.platter.done(go);
            done
        })
    }

    fn list(&self) -> Later<'_, Listing> {
        self.inner.list()
    }

    fn tidy(&self) -> Later<'_, ()> {
        self.inner.tidy()
    }
}
