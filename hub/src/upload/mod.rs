//! Taking files in: what is begun, how far it is, and who works on it now.
//!
//! An upload is named by the hash of the sealed file and needs no other permission than that an accepted entry names
//! that hash. Of two requests on one upload the newer wins: on a line that broke, the older one is a connection that
//! nobody listens to any more. The older keeps what came, makes it durable and lets go at once.

mod finish;
mod lost;
mod partial;
mod receive;

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use tokio::sync::{OwnedMutexGuard, Semaphore, SemaphorePermit, watch};
use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{DeviceId, LogId};
use yenban_protocol::limits::MAX_OBJECT_BYTES;
use yenban_protocol::upload::{ObjectState as Asked, ObjectsAnswer, ObjectsQuestion};

use crate::app::Hub;
use crate::disk::Disk;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{
    CHUNKS_AT_ONCE_MAX, DISK_RESERVE_BYTES, FINISHING_AT_ONCE_MAX, THIN_CHUNKS_MAX, UPLOAD_BYTES_MAX, UPLOAD_BYTES_PER_DEVICE_MAX,
    UPLOAD_TTL_MS, UPLOADS_MAX, UPLOADS_PER_DEVICE_MAX, WRONG_UPLOAD_TTL_MS,
};
use crate::store::{HubStore, LogState, ObjectRow, ObjectState};
use partial::Partial;

pub use lost::check;
pub use receive::{Checksum, Received, receive};

/// Ending of a file that holds a chunk apart until its checksum agrees.
const APART: &str = ".chunk";

/// One upload under way.
struct Upload {
    sealed: Hash,
    device: DeviceId,
    length: u64,
    /// Counts requests: who sees a higher number than his own lets go.
    newest: watch::Sender<u64>,
    partial: Arc<tokio::sync::Mutex<Partial>>,
}

/// The place of a request among those that want one upload.
struct Turn {
    number: u64,
    newest: watch::Receiver<u64>,
}

/// An upload in the hands of one request.
struct Claim {
    turn: Turn,
    partial: OwnedMutexGuard<Partial>,
}

impl Upload {
    /// Takes the upload over from whoever has it.
    async fn claim(&self) -> Claim {
        let mut number = 0;
        self.newest.send_modify(|newest| {
            *newest += 1;
            number = *newest;
        });
        let turn = Turn { number, newest: self.newest.subscribe() };
        Claim { turn, partial: Arc::clone(&self.partial).lock_owned().await }
    }
}

impl Turn {
    /// Returns once a newer request wants the upload.
    async fn over(&mut self) {
        let number = self.number;
        // The sender lives as long as the upload.
        drop(self.newest.wait_for(|newest| *newest > number).await);
    }
}

/// All uploads of a hub.
pub struct Uploads {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
    all: Mutex<HashMap<Hash, Arc<Upload>>>,
    finishing: Semaphore,
    thin: Semaphore,
    chunks: Semaphore,
    /// Of which it was found that their bytes are gone, and nobody was told yet.
    lost: Mutex<BTreeSet<Hash>>,
}

/// How an upload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Bytes that are here.
    pub offset: u64,
    /// Bytes of the whole file.
    pub length: u64,
    /// When it is swept if nothing more comes, hub time; `None`: it is verified.
    pub expires_ms: Option<i64>,
    /// `Signed<Receipt>` when it is verified.
    pub receipt: Option<Vec<u8>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs work that waits for the disk or computes long, off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(|e| HubError::Storage(e.to_string()))
}

impl Uploads {
    /// Takes up what lies in `folder` since an earlier start. Rests that belong to no entry, or to a file that is
    /// complete, are removed.
    pub(crate) async fn load(folder: &Path, disk: Arc<dyn Disk>, store: &dyn HubStore) -> Result<Self> {
        let mut all = HashMap::new();
        for entry in std::fs::read_dir(folder).map_err(HubError::file(folder))? {
            let path = entry.map_err(HubError::file(folder))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let sealed: Option<Hash> = HEXLOWER.decode(name.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
            let Some(sealed) = sealed else {
                if name.ends_with(APART) {
                    disk.remove(&path).map_err(HubError::file(&path))?;
                }
                continue;
            };
            let rows = store.objects_named(vec![sealed]).await?;
            let found = std::fs::symlink_metadata(&path).map_err(HubError::file(&path))?;
            if !found.is_file() {
                // Nothing that a hub made: opening it could wait for ever. What had come is told as lost below.
                disk.remove(&path).map_err(HubError::file(&path))?;
                continue;
            }
            let size = found.len();
            let wanted = rows.iter().any(|row| row.state != ObjectState::Verified && row.state != ObjectState::Erased);
            let first = rows.first().filter(|row| wanted && size <= row.sealed_size_bytes);
            let length = first.map_or(0, |row| row.sealed_size_bytes);
            let mut partial = Partial::found(Arc::clone(&disk), path, length)?;
            match first {
                Some(row) => drop(all.insert(sealed, Arc::new(Upload::new(sealed, row.device, length, partial)))),
                None => partial.remove()?,
            }
        }
        let lost = lost::without_file(store, |sealed| all.contains_key(sealed)).await?;
        Ok(Self {
            folder: folder.to_owned(),
            disk,
            all: Mutex::new(all),
            finishing: Semaphore::new(FINISHING_AT_ONCE_MAX),
            thin: Semaphore::new(THIN_CHUNKS_MAX),
            chunks: Semaphore::new(CHUNKS_AT_ONCE_MAX),
            lost: Mutex::new(lost),
        })
    }

    /// Room for one more chunk.
    pub(crate) fn chunk_room(&self) -> Option<SemaphorePermit<'_>> {
        self.chunks.try_acquire().ok()
    }

    fn get(&self, sealed: &Hash) -> Option<Arc<Upload>> {
        lock(&self.all).get(sealed).cloned()
    }

    fn forget(&self, sealed: &Hash) {
        lock(&self.all).remove(sealed);
    }

    /// Whether this very upload still has its place: it may have been given up, and begun anew, while somebody waited.
    fn has(&self, upload: &Arc<Upload>) -> bool {
        lock(&self.all).get(&upload.sealed).is_some_and(|now| Arc::ptr_eq(now, upload))
    }

    fn path(&self, sealed: &Hash) -> PathBuf {
        self.folder.join(HEXLOWER.encode(sealed))
    }

    /// Refuses what would leave too little room for reports.
    fn room_for(&self, bytes: u64) -> Result<()> {
        let free = self.disk.free_bytes(&self.folder).map_err(HubError::file(&self.folder))?;
        if free < DISK_RESERVE_BYTES.saturating_add(bytes) { Err(Refusal::StorageFull.into()) } else { Ok(()) }
    }

    /// Unfinished uploads, and the bytes they announce.
    pub fn open_totals(&self) -> (usize, u64) {
        let all = lock(&self.all);
        (all.len(), all.values().map(|upload| upload.length).sum())
    }

    /// Takes the place of a new upload under its hash, in the hands of whoever asked: of any number of requests that
    /// begin one file at the same moment one gets it, and the others wait for what he does. `None`: it is taken.
    fn reserve(&self, sealed: Hash, device: DeviceId, length: u64, now_ms: i64) -> Result<Option<(Arc<Upload>, OwnedMutexGuard<Partial>)>> {
        let mut all = lock(&self.all);
        match all.get(&sealed) {
            Some(upload) if upload.length == length => return Ok(None),
            // Two entries give one hash two lengths; only one of them can be true, and its file ends the other's.
            Some(_) => return Err(Refusal::Busy.into()),
            None => quota(&all, device, length)?,
        }
        let partial = Partial::new(Arc::clone(&self.disk), self.path(&sealed), length, now_ms);
        let upload = Arc::new(Upload::new(sealed, device, length, partial));
        // Nobody else has it yet.
        let Ok(mine) = Arc::clone(&upload.partial).try_lock_owned() else { return Ok(None) };
        all.insert(sealed, Arc::clone(&upload));
        Ok(Some((upload, mine)))
    }
}

/// Refuses what would be more than a device, or all together, may have under way.
fn quota(all: &HashMap<Hash, Arc<Upload>>, device: DeviceId, length: u64) -> Result<()> {
    let own = || all.values().filter(|upload| upload.device == device);
    let sum = |uploads: &mut dyn Iterator<Item = &Arc<Upload>>| uploads.map(|u| u.length).sum::<u64>().saturating_add(length);
    if own().count() >= UPLOADS_PER_DEVICE_MAX || sum(&mut own()) > UPLOAD_BYTES_PER_DEVICE_MAX {
        return Err(Refusal::Quota("unfinished uploads of this device").into());
    }
    if all.len() >= UPLOADS_MAX || sum(&mut all.values()) > UPLOAD_BYTES_MAX {
        return Err(Refusal::Quota("unfinished uploads").into());
    }
    Ok(())
}

impl Upload {
    fn new(sealed: Hash, device: DeviceId, length: u64, partial: Partial) -> Self {
        Self { sealed, device, length, newest: watch::channel(0).0, partial: Arc::new(tokio::sync::Mutex::new(partial)) }
    }
}

fn standing(upload: &Upload, partial: &Partial) -> Standing {
    let ttl_ms = if partial.wrong().is_some() { WRONG_UPLOAD_TTL_MS } else { UPLOAD_TTL_MS };
    Standing { offset: partial.offset(), length: upload.length, expires_ms: Some(partial.touched_ms() + ttl_ms), receipt: None }
}

/// What the store says of a hash: verified (with a receipt of now), or the rows that want it.
enum Known {
    Verified(Standing),
    Wanted(Vec<ObjectRow>),
}

async fn known(hub: &Hub, sealed: &Hash) -> Result<Known> {
    let rows = hub.store.objects_named(vec![*sealed]).await?;
    if rows.is_empty() {
        return Err(Refusal::NotNamed.into());
    }
    if let Some(row) = rows.iter().find(|row| row.state == ObjectState::Verified) {
        let receipt = receipts(hub, std::slice::from_ref(row))?.into_iter().next();
        let length = row.sealed_size_bytes;
        return Ok(Known::Verified(Standing { offset: length, length, expires_ms: None, receipt }));
    }
    if rows.iter().all(|row| row.state == ObjectState::Erased) {
        return Err(Refusal::Erased.into());
    }
    Ok(Known::Wanted(rows.into_iter().filter(|row| row.state != ObjectState::Erased).collect()))
}

/// A receipt for each log that names one of these verified files. It tells of these files alone: whoever knows a hash
/// may ask, and how much of a log is here is its own phone's to know.
fn receipts(hub: &Hub, rows: &[ObjectRow]) -> Result<Vec<Vec<u8>>> {
    let mut logs: Vec<_> = rows.iter().map(|row| row.named_by.entry.log).collect();
    logs.sort();
    logs.dedup();
    let of_log = |log: LogId| {
        let mut objects: Vec<(Hash, u64)> =
            rows.iter().filter(|row| row.named_by.entry.log == log).map(|row| (row.sealed_sha256, row.sealed_size_bytes)).collect();
        objects.sort();
        objects.dedup();
        hub.object_receipt(log, &objects)
    };
    logs.into_iter().map(of_log).collect()
}

/// Begins an upload of `length` bytes, or tells how far it is.
pub async fn begin(hub: &Arc<Hub>, sealed: Hash, length: u64) -> Result<Standing> {
    let rows = match known(hub, &sealed).await? {
        Known::Verified(standing) if standing.length == length => return Ok(standing),
        Known::Verified(standing) => return Err(Refusal::WrongLength { named: standing.length }.into()),
        Known::Wanted(rows) => rows,
    };
    let Some(row) = rows.iter().find(|row| row.sealed_size_bytes == length) else {
        return Err(Refusal::WrongLength { named: rows.first().map_or(0, |row| row.sealed_size_bytes) }.into());
    };
    if length > MAX_OBJECT_BYTES || length == 0 {
        return Err(Refusal::TooLarge(format!("files of at most {MAX_OBJECT_BYTES} bytes are taken")).into());
    }
    let uploads = &hub.uploads;
    let reserve = || uploads.reserve(sealed, row.device, length, hub.now_ms());
    let Some((upload, partial)) = reserve()? else { return stand(hub, sealed).await };
    // In a task of its own: whoever asked may be gone by now, and a place that was taken is filled or given back.
    let task = tokio::spawn({
        let hub = Arc::clone(hub);
        async move { fill(&hub, &upload, partial).await }
    });
    task.await.map_err(|e| HubError::Storage(e.to_string()))?
}

/// Makes the file of an upload whose place was just taken.
async fn fill(hub: &Hub, upload: &Upload, mut partial: OwnedMutexGuard<Partial>) -> Result<Standing> {
    let room = hub.uploads.room_for(upload.length);
    let made = blocking(move || {
        let made = room.and_then(|()| partial.create());
        (partial, made)
    });
    let (partial, made) = made.await?;
    let begun = match made {
        Ok(()) => hub.store.upload_begun(upload.sealed, true).await,
        Err(e) => Err(e),
    };
    if let Err(e) = begun {
        // While it is still in these hands, so that those who wait find it gone.
        return match drop_upload(hub, upload, partial).await {
            Ok(()) | Err(_) => Err(e),
        };
    }
    hub.metrics.uploads_begun.inc();
    Ok(standing(upload, &partial))
}

/// How far an upload is. One that is complete is finished first, if that is soon done.
pub async fn stand(hub: &Arc<Hub>, sealed: Hash) -> Result<Standing> {
    let nothing = || Refusal::NotFound { what: "upload", name: HEXLOWER.encode(&sealed) };
    if let Known::Verified(standing) = known(hub, &sealed).await? {
        return Ok(standing);
    }
    let upload = hub.uploads.get(&sealed).ok_or_else(nothing)?;
    let claim = lost::claim(hub, &upload).await?;
    // It may have been finished while this waited.
    if !hub.uploads.has(&upload) {
        return match known(hub, &sealed).await? {
            Known::Verified(standing) => Ok(standing),
            Known::Wanted(_) => Err(nothing().into()),
        };
    }
    let now = standing(&upload, &claim.partial);
    if !claim.partial.is_complete() || claim.partial.wrong().is_some() {
        return Ok(now);
    }
    // In a task of its own: whoever asks may stop waiting, and what was begun is brought to its end all the same.
    let finishing = {
        let hub = Arc::clone(hub);
        tokio::spawn(async move { finish::finish(&hub, &upload, claim.partial).await })
    };
    match tokio::time::timeout(crate::limits::FINISH_WAIT, finishing).await {
        Ok(Ok(Ok(receipt))) => Ok(Standing { receipt: Some(receipt), expires_ms: None, ..now }),
        // How far it is stays true whatever is wrong with it; who sends the last chunk again is told.
        Ok(Ok(Err(HubError::Refused(_)))) | Err(_) => Ok(now),
        Ok(Ok(Err(e))) => Err(e),
        Ok(Err(e)) => Err(HubError::Storage(e.to_string())),
    }
}

/// Gives up an unfinished upload.
pub async fn terminate(hub: &Arc<Hub>, sealed: Hash) -> Result<()> {
    if let Known::Verified(_) = known(hub, &sealed).await? {
        return Err(Refusal::Complete.into());
    }
    let nothing = || Refusal::NotFound { what: "upload", name: HEXLOWER.encode(&sealed) };
    let upload = hub.uploads.get(&sealed).ok_or_else(nothing)?;
    let claim = tokio::time::timeout(crate::limits::FINISH_WAIT, upload.claim()).await.map_err(|_| Refusal::Busy)?;
    if !hub.uploads.has(&upload) {
        return Err(nothing().into());
    }
    let task = tokio::spawn({
        let hub = Arc::clone(hub);
        async move { drop_upload(&hub, &upload, claim.partial).await }
    });
    task.await.map_err(|e| HubError::Storage(e.to_string()))?
}

/// Removes what came of an upload and gives its place back.
async fn drop_upload(hub: &Hub, upload: &Upload, partial: OwnedMutexGuard<Partial>) -> Result<()> {
    remove(hub, upload, partial).await?;
    hub.store.upload_begun(upload.sealed, false).await
}

/// Removes the file of an upload and forgets it, in this order and in one hand: who waits for it finds neither, and who
/// begins it anew finds no file in his way. The place is given back also when the file stays; the next to begin it
/// removes the file first.
async fn remove(hub: &Hub, upload: &Upload, mut partial: OwnedMutexGuard<Partial>) -> Result<()> {
    let (partial, removed) = blocking(move || {
        let removed = partial.remove();
        (partial, removed)
    })
    .await?;
    hub.uploads.forget(&upload.sealed);
    drop(partial);
    removed
}

/// Removes what came so far of these files: the photograph they belong to was destroyed.
pub(crate) async fn destroy(hub: &Hub, sealed: &[Hash]) -> Result<()> {
    for sealed in sealed {
        let Some(upload) = hub.uploads.get(sealed) else { continue };
        let claim = upload.claim().await;
        if hub.uploads.has(&upload) {
            remove(hub, &upload, claim.partial).await?;
        }
    }
    Ok(())
}

/// Removes unfinished uploads whose time is over; how many.
pub async fn sweep(hub: &Hub) -> Result<u64> {
    let all: Vec<Arc<Upload>> = lock(&hub.uploads.all).values().cloned().collect();
    let mut swept = 0;
    for upload in all {
        // One that somebody works on is alive.
        let Ok(partial) = Arc::clone(&upload.partial).try_lock_owned() else { continue };
        if standing(&upload, &partial).expires_ms.is_none_or(|expires_ms| expires_ms > hub.now_ms()) {
            continue;
        }
        if let Err(e) = drop_upload(hub, &upload, partial).await {
            tracing::error!(error = %e, "an upload whose time is over could not be removed");
            continue;
        }
        hub.metrics.uploads_expired.inc();
        swept += 1;
    }
    Ok(swept)
}

/// Finishes what was complete when the hub went down.
pub async fn recover(hub: &Hub) -> Result<()> {
    let all: Vec<Arc<Upload>> = lock(&hub.uploads.all).values().cloned().collect();
    for upload in all {
        let Ok(partial) = upload.partial.try_lock() else { continue };
        let complete = partial.is_complete();
        drop(partial);
        if complete {
            // What is wrong with it is told to whoever asks.
            let claim = upload.claim().await;
            if let Err(e) = finish::finish(hub, &upload, claim.partial).await {
                tracing::warn!(error = %e, "an upload that was complete cannot be finished");
            }
        }
    }
    Ok(())
}

/// Answers what the hub has of many files at once.
pub async fn asked(hub: &Hub, question: &ObjectsQuestion) -> Result<ObjectsAnswer> {
    let rows = hub.store.objects_named(question.objects.clone()).await?;
    let mut states = Vec::with_capacity(question.objects.len());
    for sealed in &question.objects {
        let of = || rows.iter().filter(|row| row.sealed_sha256 == *sealed);
        states.push(if of().next().is_none() {
            Asked::NotNamed
        } else if of().any(|row| row.state == ObjectState::Verified) {
            Asked::Verified
        } else if of().all(|row| row.state == ObjectState::Erased) {
            Asked::Erased
        } else {
            Asked::Partial(offset(hub, sealed).await)
        });
    }
    let verified: Vec<ObjectRow> = rows.iter().filter(|row| row.state == ObjectState::Verified).cloned().collect();
    Ok(ObjectsAnswer { states, receipts: receipts(hub, &verified)? })
}

/// How far an upload is, after whoever works on it let go: a question comes after a line broke.
async fn offset(hub: &Hub, sealed: &Hash) -> u64 {
    let Some(upload) = hub.uploads.get(sealed) else { return 0 };
    match tokio::time::timeout(crate::limits::HANDSHAKE_TIMEOUT, upload.claim()).await {
        // Whoever goes on with one whose bytes are gone begins anew.
        Ok(mut claim) => match claim.partial.look() {
            partial::Looked::Gone => 0,
            partial::Looked::Same | partial::Looked::Shorter => claim.partial.offset(),
        },
        // It is being finished: everything is here.
        Err(_) => upload.length,
    }
}

impl Hub {
    /// A receipt that names objects of a log and nothing else of it, signed now.
    fn object_receipt(&self, log: LogId, objects: &[(Hash, u64)]) -> Result<Vec<u8>> {
        let state = LogState { log, device: DeviceId([0; 8]), held: Vec::new() };
        crate::app::sign_receipt(&self.keys, self.epoch(), &state, objects, self.now_ms(), false)
    }
}
