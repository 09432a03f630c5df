//! Uploads whose bytes are gone: somebody took the file away, or a disk did. Nothing was promised of them, so they begin
//! anew; but it is noticed before anybody is told of an offset that is not there, and a check tells it.

use std::collections::BTreeSet;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use yenban_protocol::crypto::Hash;

use super::partial::Looked;
use super::{Claim, Upload, blocking, lock};
use crate::app::Hub;
use crate::error::{Refusal, Result};
use crate::limits::FINISH_WAIT;
use crate::store::{HubStore, Wrong, WrongCode};

/// Takes an upload over from whoever has it, for going on with it. When its bytes are gone it begins anew.
pub(super) async fn claim(hub: &Hub, upload: &Arc<Upload>) -> Result<Claim> {
    let mut claim = tokio::time::timeout(FINISH_WAIT, upload.claim()).await.map_err(|_| Refusal::Busy)?;
    // One that was finished or given up meanwhile has no file, and wants none.
    if !hub.uploads.has(upload) {
        return Ok(claim);
    }
    match claim.partial.look() {
        Looked::Same => return Ok(claim),
        Looked::Shorter => {
            note(hub, upload.sealed);
            return Ok(claim);
        }
        Looked::Gone => note(hub, upload.sealed),
    }
    let (claim, restarted) = blocking(move || {
        let restarted = claim.partial.restart();
        (claim, restarted)
    })
    .await?;
    restarted.map(|()| claim)
}

fn note(hub: &Hub, sealed: Hash) {
    if lock(&hub.uploads.lost).insert(sealed) {
        tracing::error!(upload = %HEXLOWER.encode(&sealed), "what had come of a file is gone from the uploads folder; it is sent again");
    }
}

/// Uploads that the database knows as begun and of which no file was found at the start; they are begun no more.
pub(super) async fn without_file(store: &dyn HubStore, found: impl Fn(&Hash) -> bool) -> Result<BTreeSet<Hash>> {
    let begun = store.begun_uploads().await?;
    let lost: BTreeSet<Hash> = begun.into_iter().filter(|sealed| !found(sealed)).collect();
    for sealed in &lost {
        store.upload_begun(*sealed, false).await?;
    }
    Ok(lost)
}

/// Uploads whose bytes are gone, found now or since the last time this was asked.
pub fn check(hub: &Hub) -> Vec<Wrong> {
    let all: Vec<Arc<Upload>> = lock(&hub.uploads.all).values().cloned().collect();
    for upload in all {
        // One that somebody works on is looked at by him.
        let Ok(mut partial) = Arc::clone(&upload.partial).try_lock_owned() else { continue };
        if hub.uploads.has(&upload) && partial.look() != Looked::Same {
            note(hub, upload.sealed);
        }
    }
    let lost = std::mem::take(&mut *lock(&hub.uploads.lost));
    lost.iter().map(|sealed| Wrong::new(WrongCode::UploadGone, HEXLOWER.encode(sealed))).collect()
}
