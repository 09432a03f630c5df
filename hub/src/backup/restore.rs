//! Unpacking a backup into a new folder, and reading everything in it before anybody is told of it.

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit as _;
use tokio::sync::mpsc;
use yenban_protocol::crypto::{ENC_BYTES, TAG_BYTES};
use yenban_protocol::id::Epoch;
use yenban_protocol::planted::{Bug, planted};

use super::chunks::Unsealer;
use super::{DATABASE, INFO, KEY_BYTES, MAGIC, NAME_MAX_BYTES, OBJECTS, UNREAD};
use crate::app::{Hub, Parts, read_identity};
use crate::clock::SharedClock;
use crate::entropy;
use crate::error::{HubError, Result};
use crate::folder::{Folder, create_private};
use crate::keys;
use crate::limits::{CHECK_PAGE, STORAGE_PART_BYTES};
use crate::storage::{ObjectName, OverObjectStore, Part, Parts as FileParts, SharedStorage};
use crate::store::sqlite::SqliteStore;
use crate::store::{HubStore as _, ObjectState};

/// The unpacked database until it has its new epoch: a restore that was cut off leaves no hub that would go on in the old.
const RESTORED: &str = "hub.db.restored";

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// The folder.
    pub dir: PathBuf,
    /// The commune.
    pub commune: String,
    /// The hub's name.
    pub name: String,
    /// The new epoch.
    pub epoch: String,
    /// Entries it holds.
    pub entries: u64,
    /// Files of evidence it holds; every one was read.
    pub objects: u64,
    /// Files that the backup should hold and does not, or not as they were; phones are asked for them.
    pub missing: u64,
}

/// Restores the backup in `file` to `dir`, which must not exist or be empty, and begins a new epoch: phones then offer
/// again what this backup does not hold.
///
/// # Errors
/// When the backup or its key is not what it should be, or nothing can be written; then nothing stays in `dir`.
pub async fn restore(dir: &Path, file: &Path, recovery_file: Option<&Path>, clock: SharedClock) -> Result<Restored> {
    restore_on(dir, file, recovery_file, clock, Parts::default()).await
}

/// The same, with files of evidence in the storage of `parts`. What a restore that failed put there is an orphan.
///
/// # Errors
/// As for [`restore`].
pub async fn restore_on(dir: &Path, file: &Path, recovery_file: Option<&Path>, clock: SharedClock, parts: Parts) -> Result<Restored> {
    let folder = Folder::new(dir);
    let recovery_file = recovery_file.map_or_else(|| folder.default_recovery_file(), Path::to_path_buf);
    let recovery = keys::read_recovery(&recovery_file)?;
    let mut source = BufReader::new(File::open(file).map_err(HubError::file(file))?);
    let not_ours = || HubError::folder(file, "is not a backup of a hub");
    let mut header = [0; MAGIC.len() + ENC_BYTES + KEY_BYTES + TAG_BYTES];
    source.read_exact(&mut header).map_err(|_| not_ours())?;
    let (magic, rest) = header.split_at(MAGIC.len());
    let (enc, wrapped) = rest.split_first_chunk::<ENC_BYTES>().ok_or_else(not_ours)?;
    if magic != MAGIC {
        return Err(not_ours());
    }
    let other_key = |_| HubError::folder(&recovery_file, "is not the recovery key of this backup");
    let key = recovery.open_sealed(enc, INFO, &MAGIC, wrapped).map_err(other_key)?;
    let key: [u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| not_ours())?;
    let cipher = ChaCha20Poly1305::new(&key.into());
    folder.create()?;
    if let Err(e) = unpack_all(&folder, parts.storage.clone(), Unsealer::new(source, cipher)).await {
        // Nothing half restored stays behind; the folder was empty before.
        let _ = fs::remove_dir_all(dir);
        return Err(match e {
            HubError::File { source, .. } => HubError::folder(file, source.to_string()),
            other => other,
        });
    }
    let identity = read_identity(&folder)?;
    let keys = keys::load(&folder)?;
    let database = folder.root().join(RESTORED);
    let store = SqliteStore::open(&database, keys.database)?;
    store.set_value(UNREAD, vec![1]).await?;
    let epoch = Epoch(entropy::array());
    if !planted(Bug::EpochStays) {
        store.begin_epoch(epoch, clock.now_ms()).await?;
    }
    let entries = store.totals().await?.entries;
    store.close().await?;
    drop(store);
    fs::rename(&database, folder.database()).map_err(HubError::file(&database))?;
    sync(folder.root())?;
    // Opening it reads every file.
    let hub = Hub::open_on(folder, clock, parts).await?;
    let (mut objects, mut missing, mut after) = (0, 0, 0);
    loop {
        let rows = hub.store.stored_objects(after, CHECK_PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        objects += rows.len() as u64;
        missing += rows.iter().filter(|row| row.state != ObjectState::Verified).count() as u64;
    }
    hub.close().await?;
    Ok(Restored {
        dir: dir.to_owned(),
        commune: identity.commune,
        name: identity.name,
        epoch: epoch.to_string(),
        entries,
        objects,
        missing,
    })
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(HubError::file(folder))
}

/// An object on its way into storage.
type Object = (ObjectName, FileParts);

/// Unpacks on a thread that may wait for the disk, and puts objects into storage as they come by.
async fn unpack_all(folder: &Folder, storage: Option<SharedStorage>, source: Unsealer<impl Read + Send + 'static>) -> Result<()> {
    let storage = match storage {
        Some(storage) => storage,
        None => Arc::new(OverObjectStore::folder(&folder.objects())?),
    };
    let (sender, mut objects) = mpsc::channel::<Object>(1);
    let folder = folder.clone();
    let unpacked = tokio::task::spawn_blocking(move || unpack(&folder, source, &sender));
    let put = async {
        while let Some((name, parts)) = objects.recv().await {
            storage.put(name, parts).await?;
        }
        Ok(())
    };
    let put: Result<()> = put.await;
    // What ended the reading is the reason, unless it ended because nobody took what it read.
    drop(objects);
    match unpacked.await.map_err(|e| HubError::Store(e.to_string()))? {
        Err(HubError::Stopping) => put.and(Err(HubError::Stopping)),
        Err(e) => Err(e),
        Ok(()) => put,
    }
}

fn unpack(folder: &Folder, mut source: Unsealer<impl Read>, objects: &mpsc::Sender<Object>) -> Result<()> {
    let root = folder.root();
    let failed = || HubError::file(root);
    let bad_name = || HubError::folder(root, "the backup names a file that no hub has");
    loop {
        let mut length = [0; 2];
        if source.read(&mut length[..1]).map_err(failed())? == 0 {
            [root.join("keys"), root.to_owned()].iter().try_for_each(|folder| sync(folder))?;
            return root.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync);
        }
        source.read_exact(&mut length[1..]).map_err(failed())?;
        let length = usize::from(u16::from_be_bytes(length));
        if length > NAME_MAX_BYTES {
            return Err(bad_name());
        }
        let mut name = vec![0; length];
        source.read_exact(&mut name).map_err(failed())?;
        let mut size = [0; 8];
        source.read_exact(&mut size).map_err(failed())?;
        let name = String::from_utf8(name).map_err(|_| bad_name())?;
        let size = u64::from_be_bytes(size);
        let path = match safe_name(&name).ok_or_else(bad_name)? {
            DATABASE => root.join(RESTORED),
            name => match name.strip_prefix(OBJECTS) {
                Some(object) => {
                    let object = ObjectName::parse(object).ok_or_else(bad_name)?;
                    hand_over(&mut source, size, object, objects)
                        .map_err(|e| if let Some(e) = e { failed()(e) } else { HubError::Stopping })?;
                    continue;
                }
                None => root.join(name),
            },
        };
        let mut file = create_private(&path).map_err(HubError::file(&path))?;
        let copied = std::io::copy(&mut Read::by_ref(&mut source).take(size), &mut file).map_err(failed())?;
        if copied != size {
            return Err(HubError::folder(root, "the backup is damaged or was cut short"));
        }
        file.sync_all().map_err(HubError::file(&path))?;
    }
}

/// Gives one object of the backup to whoever puts it into storage. `None`: he takes no more.
fn hand_over(
    source: &mut impl Read,
    size: u64,
    name: ObjectName,
    objects: &mpsc::Sender<Object>,
) -> std::result::Result<(), Option<io::Error>> {
    let (sender, parts) = mpsc::channel(1);
    objects.blocking_send((name, parts)).map_err(|_| None)?;
    let mut left = size;
    while left > 0 {
        let mut part = vec![0; left.min(STORAGE_PART_BYTES as u64) as usize];
        source.read_exact(&mut part).map_err(Some)?;
        left -= part.len() as u64;
        sender.blocking_send(Part::Bytes(part.into())).map_err(|_| None)?;
    }
    sender.blocking_send(Part::End).map_err(|_| None)
}

/// Only names a backup writes: at most one folder deep, in the folders a hub has, no dots to climb.
fn safe_name(name: &str) -> Option<&str> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\\', '\0']);
    match name.split_once('/') {
        None => ["hub.json", DATABASE].contains(&name).then_some(name),
        Some(("keys" | "objects", file)) => plain(file).then_some(name),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn no_name_climbs_out_of_the_folder() {
        for bad in ["", "..", "../x", "keys/../x", "keys/..", "keys//x", "/etc/passwd", "lock", "keys/a/b", "keys/a\\b"] {
            assert_eq!(safe_name(bad), None, "{bad}");
        }
        assert_eq!(safe_name("keys/root"), Some("keys/root"));
    }
}
