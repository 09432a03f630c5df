//! One value that holds everything a hub works with, so that a test can build one with its own clock and store.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use yenban_protocol::cert::Token;
use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::{FeedItem, item_hash};
use yenban_protocol::id::{CommuneCode, Epoch};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;

use crate::backup;
use crate::clock::{Clock, SharedClock, rfc3339};
use crate::disk::{Disk, RealDisk};
use crate::entropy;
use crate::error::{HubError, Result};
use crate::escalate::{MessageFile, Messenger};
use crate::folder::{Folder, Lock, read_small};
use crate::keys::{self, HubKeys, HubVerifier};
use crate::limits::{HOLD_S, LOCK_WAIT};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::storage::{OverObjectStore, SharedStorage};
use crate::store::sqlite::SqliteStore;
use crate::store::{AUDIT_DONE, AuditRow, HubStore as _, ItemSigner, LogState, SharedStore};
use crate::upload::Uploads;
use crate::waiting::Waiting;

/// Which commune a hub serves, as `hub.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Version of the folder's layout.
    pub version: u32,
    /// Five digits.
    pub commune: String,
    /// The hub's name, for people.
    pub name: String,
}

/// What a hub stands on besides its folder; a test gives its own.
pub struct Parts {
    /// Object storage; `None`: the folder's own.
    pub storage: Option<SharedStorage>,
    /// The disk that uploads are written to.
    pub disk: Arc<dyn Disk>,
    /// What carries short messages; `None`: a file in the folder.
    pub messenger: Option<Arc<dyn Messenger>>,
}

impl Default for Parts {
    fn default() -> Self {
        Self { storage: None, disk: Arc::new(RealDisk), messenger: None }
    }
}

/// Version of the folder's layout that this build makes and reads.
pub const LAYOUT_VERSION: u32 = 1;

/// A hub.
pub struct Hub {
    /// What it keeps.
    pub store: SharedStore,
    /// Its keys.
    pub keys: Arc<HubKeys>,
    /// Verifies what devices signed.
    pub verifier: HubVerifier,
    /// Its figures.
    pub metrics: Metrics,
    /// Its folder.
    pub folder: Folder,
    /// Where the bytes of sealed files lie.
    pub storage: SharedStorage,
    /// Files on their way in.
    pub uploads: Uploads,
    /// How often used codes were tried again.
    pub tries: crate::enrol::Tries,
    /// Phones that wait for news, and what each said last that it has.
    pub waiting: Waiting,
    /// Console pages that stay open.
    pub live: Live,
    /// What carries short messages to members who are silent.
    pub messenger: Arc<dyn Messenger>,
    /// The console's doors.
    pub doors: crate::access::Doors,
    /// Held by the export of an evidence bundle that is under way.
    pub(crate) exporting: tokio::sync::Mutex<()>,
    identity: Identity,
    commune: CommuneCode,
    clock: SharedClock,
    epoch: Epoch,
    _lock: Lock,
}

impl Hub {
    /// Opens the hub in `folder`: takes its lock (waiting a little), reads keys and database.
    pub async fn open(folder: Folder, clock: SharedClock) -> Result<Arc<Self>> {
        Self::open_within(folder, clock, LOCK_WAIT).await
    }

    /// Opens the hub in `folder`, waiting for its lock no longer than `wait`.
    pub async fn open_within(folder: Folder, clock: SharedClock, wait: Duration) -> Result<Arc<Self>> {
        Self::start(folder, clock, wait, false, Parts::default()).await
    }

    /// Opens the hub in `folder` on these parts.
    pub async fn open_on(folder: Folder, clock: SharedClock, parts: Parts) -> Result<Arc<Self>> {
        Self::start(folder, clock, LOCK_WAIT, false, parts).await
    }

    /// Opens a hub whose database is not there yet.
    pub(crate) async fn open_new(folder: Folder, clock: SharedClock) -> Result<Arc<Self>> {
        Self::start(folder, clock, LOCK_WAIT, true, Parts::default()).await
    }

    async fn start(folder: Folder, clock: SharedClock, wait: Duration, new: bool, parts: Parts) -> Result<Arc<Self>> {
        let lock = folder.lock(wait)?;
        let identity = read_identity(&folder)?;
        let keys = keys::load(&folder)?;
        // A lost database must never look like a hub that has received nothing. An empty file is refused before it is
        // opened: the library would take the write-ahead log beside it for a stranger's and drop it.
        let lost = || HubError::folder(folder.database(), "is missing or empty: restore a backup");
        if !new && std::fs::metadata(folder.database()).map_or(0, |file| file.len()) == 0 {
            return Err(lost());
        }
        let store = SqliteStore::open_on(parts.disk.clone(), &folder.database(), keys.database.clone())?;
        let epoch = match store.epoch().await? {
            Some(epoch) => epoch,
            None if !new => return Err(lost()),
            None => {
                let epoch = Epoch(entropy::array());
                store.begin_epoch(epoch, clock.now_ms()).await?;
                epoch
            }
        };
        let commune = keys.history.value.commune;
        folder.make_part(&folder.objects())?;
        folder.make_part(&folder.uploads())?;
        let storage = match parts.storage {
            Some(storage) => storage,
            None => Arc::new(OverObjectStore::folder(&folder.objects())?),
        };
        // The lock is held and nothing is being put: what lies there half was left by a hub that died.
        storage.tidy().await?;
        let uploads = Uploads::load(&folder.uploads(), parts.disk, &store).await?;
        let messenger = parts.messenger.unwrap_or_else(|| Arc::new(MessageFile::new(folder.messages())));
        let hub = Arc::new(Self {
            store: Arc::new(store),
            storage,
            uploads,
            keys: Arc::new(keys),
            verifier: HubVerifier::default(),
            metrics: Metrics::default(),
            folder,
            tries: crate::enrol::Tries::default(),
            waiting: Waiting::default(),
            live: Live::default(),
            messenger,
            doors: crate::access::Doors::default(),
            exporting: tokio::sync::Mutex::default(),
            identity,
            commune,
            clock,
            epoch,
            _lock: lock,
        });
        if hub.store.value(backup::UNREAD).await?.is_some_and(|mark| !mark.is_empty()) {
            // Of a restored database it is not known which files came with it: before anybody is told that one is here,
            // it is read.
            crate::scrub::objects(&hub, |_| ()).await?;
            hub.store.set_value(backup::UNREAD, Vec::new()).await?;
        }
        crate::exchange::recover(&hub).await?;
        Ok(hub)
    }

    /// Hub time, ms.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The commune.
    pub fn commune(&self) -> CommuneCode {
        self.commune
    }

    /// Commune and name.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The life of the database.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// A time token, signed.
    pub fn token(&self) -> Result<Vec<u8>> {
        let token = Token { hub_time_ms: self.now_ms(), epoch: self.epoch };
        Ok(Signed::sign(token, &self.keys.signer)?.into_bytes())
    }

    /// A receipt for what is held of a log, signed.
    pub fn receipt(&self, state: &LogState, hub_time_ms: i64, quarantined: bool) -> Result<Vec<u8>> {
        sign_receipt(&self.keys, self.epoch, state, &[], hub_time_ms, quarantined)
    }

    /// Signs feed items in the store's transaction.
    pub fn item_signer(&self) -> ItemSigner {
        let (keys, epoch) = (Arc::clone(&self.keys), self.epoch);
        Arc::new(move |draft, number, previous| {
            let item = FeedItem { scope: draft.scope, epoch, number, previous, issued_ms: draft.issued_ms, item: draft.item.clone() };
            let signed = Signed::sign(item, &keys.signer)?;
            let hash = item_hash(&signed);
            Ok(crate::store::SignedItem { epoch, hash, bytes: signed.into_bytes() })
        })
    }

    /// Notes who did or read what.
    pub async fn note(&self, actor: &str, action: &str, subject: &str, purpose: &str) -> Result<()> {
        let row = AuditRow { outcome: Some(AUDIT_DONE.to_owned()), ..self.audit_row(actor, action, subject, purpose) };
        self.store.note_audit(row).await.map(drop)
    }

    /// Notes what somebody sets about to do, does it, and notes how it ended: nothing is done unnoted, and what was refused
    /// does not look done.
    ///
    /// # Errors
    /// That it could not be noted, so was not done; else those of `work`.
    pub async fn noted<T>(
        &self,
        actor: &str,
        action: &str,
        subject: &str,
        purpose: &str,
        work: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let row = self.store.note_audit(self.audit_row(actor, action, subject, purpose)).await?;
        let done = work.await;
        let outcome = done.as_ref().map_or_else(|error| error.code().to_owned(), |_| AUDIT_DONE.to_owned());
        if let Err(error) = self.store.end_audit(row, outcome).await {
            tracing::error!(action, %error, "how it ended could not be noted");
        }
        done
    }

    fn audit_row(&self, actor: &str, action: &str, subject: &str, purpose: &str) -> AuditRow {
        let at_ms = self.now_ms();
        AuditRow {
            at: rfc3339(at_ms),
            at_ms,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            purpose: purpose.to_owned(),
            outcome: None,
        }
    }

    /// Finishes what is queued and closes the database.
    pub async fn close(&self) -> Result<()> {
        self.store.close().await
    }
}

/// Signs a receipt for what is held of a log and for these objects (sealed hash, length).
pub(crate) fn sign_receipt(
    keys: &HubKeys,
    epoch: Epoch,
    state: &LogState,
    objects: &[(Hash, u64)],
    hub_time_ms: i64,
    quarantined: bool,
) -> Result<Vec<u8>> {
    let held = |run: &crate::store::Held| Held { first: run.first, last: run.last, last_link: run.last_link };
    let joined = |run: &&crate::store::Held| run.branch == 0 && run.first == 0;
    let receipt = Receipt {
        log: state.log,
        epoch,
        ranges: state.held.iter().filter(joined).map(held).collect(),
        floating: state.held.iter().filter(|run| !joined(run)).map(held).collect(),
        objects: objects.to_vec(),
        hub_time_ms,
        hold_s: HOLD_S.into(),
        fork_at: state.held.iter().filter(|run| run.branch > 0).map(|run| run.first).min(),
        quarantined,
    };
    Ok(Signed::sign(receipt, &keys.signer)?.into_bytes())
}

/// Reads `hub.json`.
pub fn read_identity(folder: &Folder) -> Result<Identity> {
    let path = folder.identity();
    let identity: Identity = serde_json::from_slice(&read_small(&path)?)
        .map_err(|_| HubError::folder(&path, "is not the identity of a hub; restore a backup"))?;
    if identity.version != LAYOUT_VERSION {
        return Err(HubError::folder(
            &path,
            format!("has layout {}, this program knows {LAYOUT_VERSION}: use a newer program", identity.version),
        ));
    }
    Ok(identity)
}
