//! Making a hub: folder, keys, database, first officer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use yenban_protocol::id::{CommuneCode, MemberNo, Role};

use crate::access;
use crate::app::{Hub, Identity, LAYOUT_VERSION};
use crate::backup;
use crate::clock::SharedClock;
use crate::enrol::checked_name;
use crate::error::{HubError, Refusal, Result};
use crate::folder::{Folder, write_private};
use crate::keys;
use crate::limits::LOCK_WAIT;
use crate::store::{MemberRow, WHOLE_COMMUNE};

/// What a new hub is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHub {
    /// The folder; must not exist, or be empty.
    pub dir: PathBuf,
    /// Five digits of the statistics office.
    pub commune: String,
    /// The hub's name, for people.
    pub name: String,
    /// Where the recovery key goes; `None`: beside the folder.
    pub recovery_file: Option<PathBuf>,
    /// Name of the first officer (the chief); may be empty.
    pub officer: String,
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// The folder.
    pub dir: PathBuf,
    /// The commune's code.
    pub commune: String,
    /// The commune's full name in the directory.
    pub commune_name: String,
    /// The hub's name.
    pub name: String,
    /// The commune root's fingerprint, to be printed and hung up at the office.
    pub root_fingerprint: String,
    /// Where the recovery key was written; keep it elsewhere.
    pub recovery_file: PathBuf,
    /// Number of the first officer.
    pub first_officer: u32,
    /// Path of the one-use link, under the hub's address, with which the first officer opens an account within 24 hours.
    pub first_link: String,
}

fn invalid(field: &'static str, reason: &str) -> HubError {
    Refusal::Invalid { field, reason: reason.to_owned() }.into()
}

/// Makes a hub. Nothing is left behind when the commune or a name is refused.
pub async fn init(new: NewHub, clock: SharedClock) -> Result<Made> {
    let code: CommuneCode = new.commune.parse().map_err(|_| invalid("commune", "is a code of five digits, such as 05200"))?;
    let commune = yenban_protocol::directory::by_code(&new.commune)
        .ok_or_else(|| invalid("commune", "is not in the directory of communes in force since 1 July 2025"))?;
    let name = checked_name("name", &new.name)?;
    if name.is_empty() {
        return Err(invalid("name", "is empty: give the hub a name people know, such as \"Công an xã ...\""));
    }
    let officer = checked_name("officer", &new.officer)?;
    let folder = Folder::new(&new.dir);
    let recovery_file = new.recovery_file.unwrap_or_else(|| folder.default_recovery_file());
    if recovery_file.starts_with(&new.dir) {
        return Err(invalid("recovery-file", "lies in the hub's own folder, where it protects nothing"));
    }
    folder.create()?;
    let keys = keys::create(&folder, code, &name, clock.now_ms(), &recovery_file).inspect_err(|_| {
        // It was absent or empty before; what stayed would be in the way of the next try.
        let _ = std::fs::remove_dir_all(&new.dir);
    })?;
    let identity = Identity { version: LAYOUT_VERSION, commune: new.commune.clone(), name: name.clone() };
    // Written last: a folder without it is no hub, so an interrupted init is never taken for one.
    write_identity(&folder.identity(), &identity)?;
    let hub = Hub::open_new(folder, clock).await?;
    let chief = MemberRow { no: MemberNo(0), name: officer, role: Role::Chief, hamlet: WHOLE_COMMUNE, group: 0 };
    let first_officer = hub.store.add_member(chief).await?.no.0;
    let first_link = access::join_link(&hub, MemberNo(first_officer)).await?;
    hub.note("operator", "init", &new.commune, "").await?;
    hub.close().await?;
    Ok(Made {
        dir: new.dir,
        commune: new.commune,
        commune_name: commune.full_name(),
        name,
        root_fingerprint: keys.fingerprint(),
        recovery_file,
        first_officer,
        first_link,
    })
}

/// What came of new keys.
#[derive(Debug)]
pub struct KeysReplaced {
    /// The history that names them.
    pub history: keys::Replaced,
    /// The backup that has them.
    pub backup: Result<backup::Written>,
}

/// Gives the hub in `dir`, which must not be running, new keys, and writes a backup with them into `file` before a phone can
/// have heard of them: with a disk that is lost after that, what phones sealed to the new keys would be lost too. `root`:
/// where the commune root lies, if not in the folder.
///
/// # Errors
/// As [`keys::replace`]; the hub then has its old keys, or all of the new ones.
pub async fn replace_keys(dir: &Path, root: Option<&Path>, file: &Path, clock: SharedClock) -> Result<KeysReplaced> {
    let folder = Folder::new(dir);
    if file.exists() {
        return Err(HubError::folder(file, "exists already: a backup never replaces another"));
    }
    let lock = folder.lock(LOCK_WAIT)?;
    let history = keys::replace(&folder, root, clock.now_ms())?;
    drop(lock);
    let hub = Hub::open(folder, clock).await?;
    hub.note("operator", "replace keys", &history.number.to_string(), "").await?;
    let backup = backup::write(&hub, file).await;
    hub.close().await?;
    Ok(KeysReplaced { history, backup })
}

/// Opens a hub with the machine's clock.
pub async fn open(dir: &Path) -> Result<Arc<Hub>> {
    Hub::open(Folder::new(dir), Arc::new(crate::clock::SystemClock)).await
}

pub(crate) fn write_identity(path: &Path, identity: &Identity) -> Result<()> {
    let mut bytes = serde_json::to_vec_pretty(identity).map_err(|e| HubError::Store(e.to_string()))?;
    bytes.push(b'\n');
    write_private(path, &bytes)
}
