//! New keys in place of those in use: when somebody who had them left, when a copy of the folder got lost, or every few years.
//!
//! The commune root signs a history with the old keys as retired and the new ones; whoever pinned the root follows, however
//! long it was away. Old sealing keys stay, since phones may deliver for years what they sealed to them; old signing and
//! TLS keys go.
//!
//! All key files change together. The new folder is made whole beside the old one and synced, then the two change places:
//! `keys` becomes `keys.before`, `keys.next` becomes `keys`. Whoever finds no `keys` ends that; a `keys.next` beside
//! `keys` was never in use.

use std::fs::{self, DirBuilder, File};
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use yenban_protocol::crypto::SecretKey;
use yenban_protocol::crypto::Signer as _;
use yenban_protocol::keys::{HubKey, Purpose};
use yenban_protocol::limits::MAX_KEYS;
use yenban_protocol::signed::Signed;

use super::{CERTIFICATE, HISTORY, Paper, ROOT, SEAL, SIGN, TLS, load, seal_text, secret_key, write_secret};
use crate::entropy::Entropy;
use crate::error::{HubError, Refusal, Result};
use crate::folder::{Folder, read_small, write_private};

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Replaced {
    /// Number of the key history from now on.
    pub number: u64,
    /// Keys that the history names, retired ones included.
    pub keys: usize,
}

const PURPOSES: [Purpose; 3] = [Purpose::Tls, Purpose::Seal, Purpose::Sign];

/// Replaces the keys of a hub that is not running; the caller holds its lock. `root`: where the commune root lies, if not in
/// the folder.
///
/// # Errors
/// Without the commune root, or with another commune's; when there were too many keys already; when the folder cannot be
/// written. Whatever the error, the hub has all its old keys or all its new ones.
pub fn replace(folder: &Folder, root: Option<&Path>, now_ms: i64) -> Result<Replaced> {
    let old = load(folder)?;
    let root_path = root.map_or_else(|| folder.key(ROOT), Path::to_owned);
    let root = secret_key(&root_path)?;
    let mut history = old.history.value.clone();
    if root.public_key() != history.root {
        return Err(HubError::folder(&root_path, "is not the root of this commune"));
    }
    if history.keys.len() + PURPOSES.len() > MAX_KEYS {
        return Err(Refusal::Quota("keys in the history").into());
    }
    let (seal, sign) = (SecretKey::generate(&mut Entropy), SecretKey::generate(&mut Entropy));
    let paper = Paper::new(history.commune)?;
    for key in history.keys.iter_mut().filter(|key| PURPOSES.contains(&key.purpose) && key.retired_ms.is_none()) {
        // A clock that was set back must not make a life that ends before it began.
        key.retired_ms = Some(now_ms.max(key.since_ms));
    }
    let public = [paper.public, seal.public_key(), sign.public_key()];
    history.keys.extend(PURPOSES.into_iter().zip(public).map(|(purpose, key)| HubKey { purpose, key, since_ms: now_ms, retired_ms: None }));
    // Above any number that was given out and lost with a disk: phones go to a higher one only.
    history.number = (history.number + 1).max(u64::try_from(now_ms / 1_000).unwrap_or(0));
    let replaced = Replaced { number: history.number, keys: history.keys.len() };
    let history = Signed::sign(history, &root)?;

    let (keys, next) = (folder.keys(), folder.root().join(NEXT));
    clear(&next)?;
    DirBuilder::new().mode(0o700).create(&next).map_err(HubError::file(&next))?;
    for entry in fs::read_dir(&keys).map_err(HubError::file(&keys))? {
        let name = entry.map_err(HubError::file(&keys))?.file_name();
        write_private(&next.join(&name), &zeroize::Zeroizing::new(read_small(&keys.join(&name))?))?;
    }
    let sealing: Vec<&SecretKey> = std::iter::once(&seal).chain(&old.agreements).collect();
    write_private(&next.join(SEAL), seal_text(&sealing).as_bytes())?;
    write_secret(&next.join(SIGN), sign.scalar())?;
    paper.write(&next.join(TLS), &next.join(CERTIFICATE))?;
    write_private(&next.join(HISTORY), history.bytes())?;
    synced(folder.root())?;
    let before = folder.root().join(BEFORE);
    clear(&before)?;
    fs::rename(&keys, &before).map_err(HubError::file(&keys))?;
    end_what_was_begun(folder)?;
    Ok(replaced)
}

const NEXT: &str = "keys.next";
const BEFORE: &str = "keys.before";

/// Ends a replacement that was interrupted: forward when the old keys were set aside, back when they were not.
pub(super) fn end_what_was_begun(folder: &Folder) -> Result<()> {
    let (keys, next, before) = (folder.keys(), folder.root().join(NEXT), folder.root().join(BEFORE));
    if !keys.exists() && next.exists() {
        fs::rename(&next, &keys).map_err(HubError::file(&keys))?;
        synced(folder.root())?;
    }
    if keys.exists() {
        clear(&next)?;
        clear(&before)?;
    }
    Ok(())
}

/// Removes a folder of keys if it is there; what it held is written over first, for what that is worth on this medium.
fn clear(dir: &Path) -> Result<()> {
    let entries = match fs::read_dir(dir) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(HubError::file(dir))?,
    };
    for entry in entries {
        let path = entry.map_err(HubError::file(dir))?.path();
        let len = fs::metadata(&path).map_err(HubError::file(&path))?.len();
        let file = fs::OpenOptions::new().write(true).open(&path).map_err(HubError::file(&path))?;
        std::io::copy(&mut std::io::Read::take(std::io::repeat(0), len), &mut &file).map_err(HubError::file(&path))?;
        file.sync_all().map_err(HubError::file(&path))?;
    }
    fs::remove_dir_all(dir).map_err(HubError::file(dir))
}

fn synced(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(HubError::file(dir))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};
    use yenban_protocol::id::CommuneCode;

    fn made() -> (tempfile::TempDir, Folder) {
        let dir = tempfile::tempdir().expect("temp");
        let folder = Folder::new(dir.path().join("hub"));
        folder.create().expect("creates");
        let commune = CommuneCode::new(5_200).expect("code");
        super::super::create(&folder, commune, "Công an xã", SystemClock.now_ms(), &dir.path().join("recovery")).expect("keys");
        (dir, folder)
    }

    fn copy(from: &Path, to: &Path) {
        fs::create_dir(to).expect("folder");
        for entry in fs::read_dir(from).expect("reads") {
            let name = entry.expect("entry").file_name();
            fs::copy(from.join(&name), to.join(&name)).expect("copies");
        }
    }

    #[test]
    fn the_root_signs_new_keys_and_old_sealing_keys_still_open() {
        let (_dir, folder) = made();
        let old = load(&folder).expect("loads");
        for round in 1..=2_usize {
            let replaced = replace(&folder, None, SystemClock.now_ms()).expect("replaces");
            let new = load(&folder).expect("loads");
            assert_eq!((replaced.number, replaced.keys), (new.history.value.number, 3 + 3 * round));
            assert_eq!(new.agreements.len(), 1 + round);
        }
        let new = load(&folder).expect("loads");
        assert_eq!(new.root_hash(), old.root_hash());
        assert!(new.history.value.number > old.history.value.number + 1, "a clock of its own: {}", new.history.value.number);
        let opens = new.agreements.iter().any(|key| key.public_key() == old.agreements[0].public_key());
        assert!(opens && new.signer.public_key() != old.signer.public_key() && new.certificate != old.certificate);
        let retired = new.history.value.keys.iter().filter(|key| key.retired_ms.is_some()).count();
        assert_eq!(retired, 6);
    }

    #[test]
    fn another_root_changes_nothing_and_a_root_elsewhere_serves() {
        let (dir, folder) = made();
        let before = load(&folder).expect("loads").history.into_bytes();
        let elsewhere = dir.path().join("root");
        fs::rename(folder.key(ROOT), &elsewhere).expect("moves");
        assert!(replace(&folder, None, 1).is_err());
        let foreign = dir.path().join("foreign");
        write_secret(&foreign, SecretKey::generate(&mut Entropy).scalar()).expect("writes");
        assert!(replace(&folder, Some(&foreign), 1).is_err());
        assert_eq!(load(&folder).expect("loads").history.into_bytes(), before);
        replace(&folder, Some(&elsewhere), SystemClock.now_ms()).expect("replaces");
        assert!(!folder.key(ROOT).exists(), "the root stays where it is kept");
    }

    #[test]
    fn wherever_it_is_cut_off_all_keys_are_old_or_all_are_new() {
        let (dir, folder) = made();
        let old = dir.path().join("old");
        copy(&folder.keys(), &old);
        replace(&folder, None, SystemClock.now_ms()).expect("replaces");
        let new = dir.path().join("new");
        copy(&folder.keys(), &new);
        let number = |folder: &Folder| load(folder).expect("loads").history.value.number;
        let (first, second) = (1, number(&folder));
        let (keys, next, before) = (folder.keys(), folder.root().join(NEXT), folder.root().join(BEFORE));
        // The old keys, half of the new ones beside them.
        fs::remove_dir_all(&keys).expect("removes");
        copy(&old, &keys);
        copy(&new, &next);
        fs::remove_file(next.join(HISTORY)).expect("removes");
        assert_eq!((number(&folder), next.exists()), (first, false));
        // Set aside, the new ones not yet in place.
        fs::rename(&keys, &before).expect("moves");
        copy(&new, &next);
        assert_eq!((number(&folder), next.exists(), before.exists()), (second, false, false));
        // In place, the old ones not yet gone.
        copy(&old, &before);
        assert_eq!((number(&folder), before.exists()), (second, false));
    }
}
