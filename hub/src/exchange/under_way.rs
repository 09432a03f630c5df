//! Exports that did not come to their end: what they left, and what the custody record says of them.
//!
//! What is exported lies in the clear while it is gathered, so the hub knows where before there is a byte. A bundle carries
//! the record of its own export under a signed head, so "exported" has to be written before the file is there. Where the
//! file then never appears, a second record takes it back: action exported, note `failed`. A hub that dies in between finds
//! on its next start what it was about, removes the half of the file (it is evidence in the clear), and appends that record
//! then.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use yenban_protocol::custody::Action;

use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::store::{CustodyNote, ItemName};

/// Note of a record that says: the export noted before made no file.
pub(in crate::exchange) const FAILED_NOTE: &str = "failed";

/// In the store: the export that is under way.
const UNDER_WAY: &str = "export_under_way";

/// An export between its custody records and its file.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::exchange) struct UnderWay {
    /// Where its bytes gather; it is gone once the file has its name.
    partial: PathBuf,
    actor: String,
    purpose: String,
    /// Each item, and how many records its chain had before.
    items: Vec<(String, u64)>,
}

impl UnderWay {
    /// Notes what is about to be exported: where, before the file is made, and again with its items before the custody
    /// record does.
    pub(in crate::exchange) async fn begin(hub: &Hub, partial: &Path, items: &[ItemName], actor: &str, purpose: &str) -> Result<Self> {
        let mut known = Vec::with_capacity(items.len());
        for item in items {
            known.push((item.to_string(), hub.store.custody(*item, i64::MAX).await?.len() as u64));
        }
        let begun = Self { partial: partial.to_owned(), actor: actor.to_owned(), purpose: purpose.to_owned(), items: known };
        let bytes = serde_json::to_vec(&begun).map_err(|e| HubError::Store(format!("export: {e}")))?;
        hub.store.set_value(UNDER_WAY, bytes).await?;
        Ok(begun)
    }

    /// Ends it as `done` says. The file must still lie there when it failed: should the hub die here, its next start finds
    /// that and notes it.
    pub(in crate::exchange) async fn ended<T>(self, hub: &Hub, done: Result<T>) -> Result<T> {
        match done {
            Ok(done) => {
                // The file has its name: from here on nothing can take that back.
                if let Err(e) = Self::done(hub).await {
                    tracing::warn!(error = %e, "the end of an export could not be noted");
                }
                Ok(done)
            }
            Err(error) => {
                self.failed(hub).await?;
                Err(error)
            }
        }
    }

    async fn done(hub: &Hub) -> Result<()> {
        hub.store.set_value(UNDER_WAY, Vec::new()).await
    }

    /// Ends it without a file. Only items whose export was noted get the record that takes it back.
    async fn failed(self, hub: &Hub) -> Result<()> {
        let mut notes = Vec::new();
        for (name, before) in &self.items {
            let item: ItemName = name.parse()?;
            let since = hub.store.custody(item, i64::MAX).await?.into_iter().skip(usize::try_from(*before).unwrap_or(usize::MAX));
            if since.filter(|row| row.facts.action == Action::Exported).count() % 2 == 1 {
                notes.push(note(item, Some(FAILED_NOTE), hub.now_ms(), &self.actor, &self.purpose));
            }
        }
        hub.store.note_custody(notes).await?;
        Self::done(hub).await
    }
}

/// The record of an export.
pub(in crate::exchange) fn note(item: ItemName, code: Option<&str>, at_ms: i64, actor: &str, purpose: &str) -> CustodyNote {
    CustodyNote {
        item,
        action: Action::Exported,
        at_ms,
        about: None,
        code: code.map(str::to_owned),
        actor: actor.to_owned(),
        purpose: purpose.to_owned(),
    }
}

/// Takes up an export that the hub died over.
pub(crate) async fn recover(hub: &Hub) -> Result<()> {
    let Some(bytes) = hub.store.value(UNDER_WAY).await?.filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
    let Ok(begun) = serde_json::from_slice::<UnderWay>(&bytes) else { return UnderWay::done(hub).await };
    match std::fs::remove_file(&begun.partial) {
        // It got its name, or somebody else cleaned up: that it failed is not known, and not said.
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return UnderWay::done(hub).await,
        Err(e) => tracing::error!(path = %begun.partial.display(), error = %e, "half an export stays: remove it by hand"),
        Ok(()) => tracing::warn!(path = %begun.partial.display(), "half an export of an earlier run was removed"),
    }
    begun.failed(hub).await
}
