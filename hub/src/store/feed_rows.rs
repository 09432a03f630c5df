//! Feed items and alerts as the store keeps them.

use std::sync::Arc;

use yenban_protocol::alert::Alert;
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::Epoch;

use super::ladder::Rungs;
use super::lists::AlertListing;
use super::people::People;
use crate::clock::rfc3339;
use crate::error::Result;

/// An item that is to be appended; number, link and signature come in the transaction.
#[derive(Debug, Clone)]
pub struct ItemDraft {
    /// The stream.
    pub scope: Scope,
    /// What it says.
    pub item: Item,
    /// Hub time.
    pub issued_ms: i64,
}

/// An item that was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedItem {
    /// The epoch in which it is numbered.
    pub epoch: Epoch,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
    /// The hash by which the next item names it.
    pub hash: Hash,
}

/// Signs an item under its number and the hash of the one before.
pub type ItemSigner = Arc<dyn Fn(&ItemDraft, u64, Hash) -> Result<SignedItem> + Send + Sync>;

/// An item as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRow {
    /// The stream, [`Scope::to_bytes`].
    pub scope: Vec<u8>,
    /// The epoch in which it is numbered.
    pub epoch: Epoch,
    /// Its number, from 1.
    pub number: u64,
    /// The hash by which the next item names it.
    pub hash: Hash,
    /// The bytes that travel.
    pub bytes: Vec<u8>,
}

/// An item of an earlier epoch that this hub had signed and lost, and a phone gave back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedRow {
    /// The stream.
    pub scope: Scope,
    /// The epoch in which it is numbered.
    pub epoch: Epoch,
    /// Its number.
    pub number: u64,
    /// The bytes that travel, as they were signed.
    pub bytes: Vec<u8>,
}

/// A stream as it stands, and what of it comes after a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamPage {
    /// Newest epoch and number; `None`: nothing was ever appended.
    pub head: Option<(Epoch, u64)>,
    /// Items after the place, in their order.
    pub items: Vec<FeedRow>,
}

/// Streams that commits appended to.
pub type News = tokio::sync::broadcast::Receiver<Arc<[Scope]>>;

/// An alert as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertRow {
    /// What it says.
    pub alert: Alert,
    /// Who sent it.
    pub officer: String,
    /// The second officer, for the whole commune.
    pub second: Option<String>,
    /// The CAP document it was read from, as it came; `None`: written here.
    pub cap: Option<Vec<u8>>,
}

/// A CAP document that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapKept {
    /// The identifier in it.
    pub alert: String,
    /// `read`: it became an alert, or may; `identifier`: another alert has its name; `future`: its time has not come.
    pub reason: String,
    /// Who brought it.
    pub officer: String,
    /// When, hub time.
    pub at_ms: i64,
    /// As it came.
    pub body: Vec<u8>,
}

impl AlertRow {
    /// It as lists show it, without answers.
    pub fn listing(self, people: &People) -> AlertListing {
        let Self { alert, officer, second, cap: _ } = self;
        AlertListing {
            answers: Vec::new(),
            delivered: Vec::new(),
            rungs: Rungs::default(),
            replaced_by: Vec::new(),
            hamlet_nos: alert.hamlets.iter().map(|no| no.0).collect(),
            hamlets: alert.hamlets.iter().map(|no| people.hamlet_name(*no)).collect(),
            drill: alert.is_drill(),
            severity: alert.severity.code().to_owned(),
            message_type: alert.message_type.code().to_owned(),
            sent: rfc3339(alert.sent_ms),
            expires: rfc3339(alert.expires_ms),
            id: alert.identifier,
            headline: alert.headline,
            description: alert.description,
            instruction: alert.instruction,
            references: alert.references,
            officer,
            second,
        }
    }
}
