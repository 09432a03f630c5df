//! Reading everything again: what lies in storage is opened and hashed, chains are recomputed, and phones are asked for
//! what is gone while they still have it.

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use yenban_protocol::crypto::Hash;

use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::limits::{ASK_AGAIN_MS, CHECK_PAGE, ORPHAN_GRACE_MS, ORPHANS_AT_ONCE, STORAGE_READ_MAX_BYTES};
use crate::storage::ObjectName;
use crate::storage::sealed::{self, Read};
use crate::store::{Found, ObjectRow, ObjectState, Wrong, WrongCode};

/// What reading all files again found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectsChecked {
    /// Files read.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is missing or altered, and which phone may still have it; what lies there and is no file.
    pub wrong: Vec<Wrong>,
    /// Files that phones were asked for now.
    pub asked: u64,
    /// Files in storage that nothing names.
    pub orphans: u64,
}

/// Reads every stored file again, notes what changed, and asks for what is gone. `progress` hears how many files were
/// read.
pub async fn objects(hub: &Hub, mut progress: impl FnMut(u64) + Send) -> Result<ObjectsChecked> {
    let mut checked = ObjectsChecked::default();
    let mut after = 0;
    loop {
        let rows = hub.store.stored_objects(after, CHECK_PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            let one = read_again(hub, row, |_| Ok(())).await?;
            checked.objects += 1;
            checked.bytes += one.row.size_bytes;
            if let Some(wrong) = Wrong::file(&one.row, one.state) {
                checked.wrong.push(wrong);
                told(hub, &one);
            }
            found.push(one);
            progress(checked.objects);
        }
        hub.store.objects_checked(found, hub.now_ms()).await?;
    }
    checked.asked = ask(hub).await?;
    let listing = hub.storage.list().await?;
    checked.orphans = orphans(hub, &listing.names, false).await?;
    checked.wrong.extend(listing.strangers.iter().map(|name| Wrong::new(WrongCode::NotAFile, name)));
    Ok(checked)
}

/// Reads one file again and gives its chunks to `take`; what it got is good only if the state found is
/// [`ObjectState::Verified`].
pub(crate) async fn read_again(hub: &Hub, row: ObjectRow, take: impl FnMut(&[u8]) -> Result<()> + Send) -> Result<Found> {
    let Some(stored) = &row.stored else { return Ok(Found { row, state: ObjectState::Missing, bytes: None }) };
    // A task of its own lets other work go on between two reads of a long file.
    tokio::task::yield_now().await;
    let (state, bytes) = match sealed::read(hub.storage.as_ref(), stored, take).await? {
        Read::Whole(hash, size) if (hash, size) == (row.sha256, row.size_bytes) => (ObjectState::Verified, None),
        Read::Missing => (ObjectState::Missing, None),
        Read::Whole(..) | Read::Altered => (ObjectState::Altered, raw(hub, stored.name).await?),
    };
    Ok(Found { row, state, bytes })
}

/// Tells of a file that was found altered or missing for the first time.
fn told(hub: &Hub, Found { row, state, .. }: &Found) {
    if row.state == ObjectState::Verified && *state != ObjectState::Verified {
        hub.metrics.objects_lost.inc();
        tracing::error!(item = %row.item, kind = row.kind.code(), state = state.code(), "a file is not what it was");
    }
}

/// Notes what a look on another errand found altered or missing, and asks the phones for it at once: an export that
/// steps on a broken file knows as much as a check does.
pub(crate) async fn settle(hub: &Hub, lost: Vec<Found>) -> Result<()> {
    if lost.is_empty() {
        return Ok(());
    }
    lost.iter().for_each(|one| told(hub, one));
    hub.store.objects_checked(lost, hub.now_ms()).await?;
    ask(hub).await.map(drop)
}

/// Hash and length of the bytes as they lie in storage; `None`: they cannot be read.
async fn raw(hub: &Hub, name: ObjectName) -> Result<Option<(Hash, u64)>> {
    let (mut context, mut at) = (digest::Context::new(&digest::SHA256), 0);
    loop {
        match hub.storage.read(name, at..at + STORAGE_READ_MAX_BYTES).await {
            Err(_) | Ok(None) => return Ok(None),
            Ok(Some(bytes)) if bytes.is_empty() => break,
            Ok(Some(bytes)) => {
                at += bytes.len() as u64;
                context.update(&bytes);
            }
        }
    }
    let hash = context.finish().as_ref().try_into().map_err(|_| HubError::Keys("SHA-256".to_owned()))?;
    Ok(Some((hash, at)))
}

/// Asks phones for what is missing or altered, each at most once a day.
pub async fn ask(hub: &Hub) -> Result<u64> {
    let now_ms = hub.now_ms();
    hub.store.want_objects(now_ms, now_ms - ASK_AGAIN_MS, hub.item_signer()).await
}

/// How many files in storage no row names. With `sweep`, those that were seen so long ago are removed: their key never
/// came into the database, so nobody can open them.
async fn orphans(hub: &Hub, names: &[ObjectName], sweep: bool) -> Result<u64> {
    let mut count = 0;
    for names in names.chunks(ORPHANS_AT_ONCE) {
        let now_ms = hub.now_ms();
        let unnamed = hub.store.unnamed(names.to_vec()).await?;
        count += unnamed.len() as u64;
        if sweep {
            let mut swept = Vec::new();
            for name in hub.store.orphans(unnamed, now_ms, now_ms - ORPHAN_GRACE_MS).await? {
                // One that cannot be removed stays noted, and is tried again the next night.
                match hub.storage.remove(name).await {
                    Ok(_) => swept.push(name),
                    Err(e) => tracing::error!(%name, error = %e, "bytes that nothing names could not be removed"),
                }
            }
            count -= swept.len() as u64;
            hub.store.swept(swept).await?;
        }
    }
    Ok(count)
}

/// Removes what nothing names and was seen so long ago; how much of it stays.
pub async fn sweep_orphans(hub: &Hub) -> Result<u64> {
    orphans(hub, &hub.storage.list().await?.names, true).await
}
