//! From the last byte to the receipt.
//!
//! The sealed hash agrees; it opens; what is in it has the hash the entry names; it is sealed again under a key of its
//! own and stored; it is read again from where it lies; and then one transaction makes it evidence and signs. A hub that
//! dies anywhere before that transaction has promised nothing and begins here again.

use std::fs::File;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::digest;
use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedMutexGuard, mpsc};
use yenban_protocol::crypto::Hash;
use yenban_protocol::object::{HEAD_BYTES, Head, PREFIX_BYTES};

use super::partial::Partial;
use super::{Upload, blocking};
use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::keys::HubKeys;
use crate::limits::STORAGE_PART_BYTES;
use crate::storage::Part;
use crate::storage::sealed::{self, Chunks, Read, SEALED_CHUNK_BYTES};
use crate::store::{Arrival, ObjectRow, ObjectState, StoredAs};

/// What a file holds.
type Content = (Hash, u64);

/// Finishes an upload whose bytes are all here; gives a receipt.
pub(super) async fn finish(hub: &Hub, upload: &Upload, mut partial: OwnedMutexGuard<Partial>) -> Result<Vec<u8>> {
    if let Some(why) = partial.wrong() {
        return Err(why.clone().into());
    }
    let permit = hub.uploads.finishing.acquire().await.map_err(|_| HubError::Stopping)?;
    let (mut partial, hash) = blocking(move || {
        let hash = partial.hash();
        (partial, hash)
    })
    .await?;
    let outcome = match hash {
        Ok(hash) if hash == upload.sealed => evidence(hub, upload, partial.path().to_owned()).await,
        Ok(_) => Err(Refusal::WrongHash.into()),
        Err(e) => Err(e),
    };
    drop(permit);
    let receipt = outcome.inspect_err(|e| match e {
        HubError::Refused(why @ (Refusal::WrongHash | Refusal::WrongContent)) => {
            partial.set_wrong(why.clone());
            hub.metrics.uploads_wrong.inc();
            tracing::warn!(code = why.code(), device = %upload.device, "an upload is not what its entry names");
        }
        other => tracing::warn!(code = other.code(), "an upload cannot be finished now"),
    })?;
    hub.metrics.uploads_verified.inc();
    // The receipt is true whether or not this file goes; the next start removes it otherwise.
    if let Err(e) = super::remove(hub, upload, partial).await {
        tracing::warn!(error = %e, "an upload that was taken over stays beside it until the next start");
    }
    Ok(receipt)
}

async fn evidence(hub: &Hub, upload: &Upload, path: PathBuf) -> Result<Vec<u8>> {
    let rows = hub.store.objects_named(vec![upload.sealed]).await?;
    let wanted: Vec<Content> = rows.iter().filter(|row| is_wanted(row, upload)).map(|row| (row.sha256, row.size_bytes)).collect();
    let most = wanted.iter().map(|(_, size)| *size).max().ok_or(Refusal::Erased)?;
    hub.uploads.room_for(most)?;
    let (mut stored, prefix) = sealed::fresh(most);
    let (sender, parts) = mpsc::channel(1);
    let (keys, seal_under) = (Arc::clone(&hub.keys), stored.clone());
    let source = blocking(move || reseal(&keys, path, &wanted, &seal_under, prefix, &sender));
    let (put, resealed) = tokio::join!(hub.storage.put(stored.name, parts), source);
    // Which end gave up first decides what is told: a wrong file ends the parts, a full disk ends the reader.
    let (sha256, size_bytes) = match (resealed?, &put) {
        (Ok(content), _) => content,
        (Err(HubError::Stopping), Err(_)) => return put.map(|_| Vec::new()),
        (Err(e), _) => return Err(e),
    };
    stored.size_bytes = put?;
    let again = sealed::read(hub.storage.as_ref(), &stored, |_| Ok(())).await?;
    if again != Read::Whole(sha256, size_bytes) {
        hub.storage.remove(stored.name).await?;
        return Err(HubError::Storage(format!("{} is not what was written", stored.name)));
    }
    commit(hub, upload, sha256, size_bytes, stored).await
}

fn is_wanted(row: &ObjectRow, upload: &Upload) -> bool {
    row.state != ObjectState::Erased && row.sealed_size_bytes == upload.length
}

async fn commit(hub: &Hub, upload: &Upload, sha256: Hash, size_bytes: u64, stored: StoredAs) -> Result<Vec<u8>> {
    let (keys, epoch, now_ms) = (Arc::clone(&hub.keys), hub.epoch(), hub.now_ms());
    let arrival = Arrival {
        sealed_sha256: upload.sealed,
        sealed_size_bytes: upload.length,
        sha256,
        size_bytes,
        stored,
        received_ms: now_ms,
        receipt: Arc::new(move |state, objects| crate::app::sign_receipt(&keys, epoch, state, objects, now_ms, false)),
    };
    let arrived = hub.store.object_arrived(arrival).await?;
    for name in arrived.unnamed {
        // Bytes that nothing names are noise without their key; the nightly look finds what stays.
        if let Err(e) = hub.storage.remove(name).await {
            tracing::warn!(error = %e, "bytes that nothing names could not be removed");
        }
    }
    // What is kept for bundles also says how far the log had come; the answer to whoever sent the bytes does not.
    let (log, _) = arrived.receipts.into_iter().next().ok_or(Refusal::Erased)?;
    hub.object_receipt(log, &[(upload.sealed, upload.length)])
}

/// Opens the sealed file chunk by chunk and seals each again on its way into storage. Only content that an entry wants
/// is ended with [`Part::End`]: anything else leaves nothing in storage.
fn reseal(
    keys: &HubKeys,
    path: PathBuf,
    wanted: &[Content],
    stored: &StoredAs,
    prefix: [u8; PREFIX_BYTES],
    parts: &mpsc::Sender<Part>,
) -> Result<Content> {
    let failed = || HubError::file(&path);
    let mut source = File::open(&path).map_err(failed())?;
    let mut head = [0; HEAD_BYTES];
    let mut rest = source.metadata().map_err(failed())?.len();
    if rest <= HEAD_BYTES as u64 {
        return Err(Refusal::WrongContent.into());
    }
    source.read_exact(&mut head).map_err(failed())?;
    rest -= HEAD_BYTES as u64;
    let wrong = |_| HubError::from(Refusal::WrongContent);
    let head = Head::read(&head).map_err(wrong)?;
    let key = head.open(&keys.opener).map_err(wrong)?;
    let (mut opened, mut resealed) = (Chunks::new(&key, head.prefix())?, Chunks::new(&stored.key, prefix)?);
    let (mut context, mut plain_bytes) = (digest::Context::new(&digest::SHA256), 0);
    let mut out = BytesMut::with_capacity(STORAGE_PART_BYTES + SEALED_CHUNK_BYTES);
    out.extend_from_slice(&prefix);
    let gone = |_| HubError::Stopping;
    while rest > 0 {
        let mut chunk = vec![0; rest.min(SEALED_CHUNK_BYTES as u64) as usize];
        source.read_exact(&mut chunk).map_err(failed())?;
        rest -= chunk.len() as u64;
        opened.open(&mut chunk, rest == 0).map_err(|_| Refusal::WrongContent)?;
        context.update(&chunk);
        plain_bytes += chunk.len() as u64;
        resealed.seal(&mut chunk, rest == 0)?;
        out.extend_from_slice(&chunk);
        while out.len() >= STORAGE_PART_BYTES {
            let part: Bytes = out.split_to(STORAGE_PART_BYTES).freeze();
            parts.blocking_send(Part::Bytes(part)).map_err(gone)?;
        }
    }
    let hash: Hash = context.finish().as_ref().try_into().map_err(|_| HubError::Keys("SHA-256".to_owned()))?;
    if !wanted.contains(&(hash, plain_bytes)) {
        return Err(Refusal::WrongContent.into());
    }
    if !out.is_empty() {
        parts.blocking_send(Part::Bytes(out.freeze())).map_err(gone)?;
    }
    parts.blocking_send(Part::End).map_err(gone)?;
    Ok((hash, plain_bytes))
}
