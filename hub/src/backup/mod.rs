//! Backups sealed to the recovery key, and restoring one under a new epoch.
//!
//! ```text
//! file  = "YBB" 0x01 | enc (65) | wrapped content key (48) | chunk ...
//! chunk = length (4, big endian, of the ciphertext) | ciphertext; nonce = its number; AAD = 1 for the last, else 0
//! plain = (name length (2) | name | size (8) | bytes) ...
//! ```
//! Files of evidence are in it as they lie in storage, sealed; the keys that open them are in the database. Unfinished
//! uploads are not: phones go on from the start.
//!
//! The last chunk says so under its seal, so a file that was cut short is told from a whole one. The hub itself cannot
//! open its backups: whoever steals them needs the recovery key, which lies elsewhere.

mod chunks;
mod restore;

pub use restore::{Restored, restore, restore_on};

use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chacha20poly1305::ChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit as _;
use tokio::sync::mpsc;
use yenban_protocol::crypto;
use zeroize::Zeroizing;

use crate::app::Hub;
use crate::entropy::{self, Entropy};
use crate::error::{HubError, Result};
use crate::folder::{Folder, create_private};
use crate::keys;
use crate::limits::STORAGE_READ_MAX_BYTES;
use crate::storage::{ObjectName, ObjectStorage};
use chunks::Sealer;

const MAGIC: [u8; 4] = *b"YBB\x01";
const INFO: &[u8] = b"yb1/backup";
const KEY_BYTES: usize = 32;
const NAME_MAX_BYTES: usize = 512;

/// Name of the database.
const DATABASE: &str = "hub.db";

/// Before the names of sealed files.
const OBJECTS: &str = "objects/";

/// Where the copy of the database lies while a backup is written, inside the hub's folder.
const COPY: &str = "backup.tmp";

/// In the store: files were not read since a restore.
pub(crate) const UNREAD: &str = "restored_unread";

/// A backup that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Its length.
    pub size_bytes: u64,
    /// Files of evidence that lie in storage and could not be read: it has them not, or not whole. A check names them.
    pub unread: u64,
}

/// Writes a backup to `file`, which must not exist.
///
/// # Errors
/// When the database, the storage as a whole or `file` fails; there is no backup then. One file of evidence that cannot be
/// read keeps no other out of the backup.
pub async fn write(hub: &Hub, file: &Path) -> Result<Written> {
    if file.exists() {
        return Err(HubError::folder(file, "exists already: a backup never replaces another"));
    }
    let copy = hub.folder.root().join(COPY);
    // The rest of a backup that was interrupted.
    let _ = fs::remove_file(&copy);
    hub.store.copy_to(copy.clone()).await?;
    let (folder, recovery, target) = (hub.folder.clone(), hub.keys.recovery, file.to_owned());
    let (database, (sender, pieces)) = (copy.clone(), mpsc::channel(1));
    let sealing = tokio::task::spawn_blocking(move || seal_all(&folder, &database, &recovery, &target, pieces));
    let read = read_all(hub.storage.as_ref(), sender).await;
    let sealed = sealing.await.map_err(|e| HubError::Store(e.to_string()));
    let _ = fs::remove_file(&copy);
    let written = match sealed.flatten() {
        // It ended because nothing more came: why that was stands on the other side.
        Err(HubError::Stopping) => read.and(Err(HubError::Stopping)),
        Err(e) => Err(e),
        Ok(size_bytes) => read.map(|unread| Written { size_bytes, unread }),
    };
    if written.is_err() {
        // Half a backup is none; the error says why.
        let _ = fs::remove_file(file);
    }
    written
}

/// A step on the way from storage into the backup.
enum Piece {
    /// A file with its length, and its bytes as they come. What is missing at the end is filled with zeros: the file then
    /// does not open, and the restored hub asks phones for it.
    Object(ObjectName, u64, mpsc::Receiver<Bytes>),
    /// All of them came.
    End,
}

/// Reads every file in storage; how many could not be read.
async fn read_all(storage: &dyn ObjectStorage, pieces: mpsc::Sender<Piece>) -> Result<u64> {
    let listing = storage.list().await?;
    // What has the name of a file and is none.
    let mut unread = listing.strangers.iter().filter(|name| ObjectName::parse(name).is_some()).count() as u64;
    for name in listing.names {
        let size = match storage.size(name).await {
            Ok(Some(size)) => size,
            // Destroyed since the database was copied: a restored hub finds it missing and says so.
            Ok(None) => continue,
            Err(e) => {
                // Of a name that is not there a storage that works says so.
                storage.size(ObjectName::random()).await?;
                tracing::error!(%name, error = %e, "a file is not in the backup: it cannot be read");
                unread += 1;
                continue;
            }
        };
        let (sender, bytes) = mpsc::channel(1);
        if pieces.send(Piece::Object(name, size, bytes)).await.is_err() {
            return Ok(unread);
        }
        let mut at = 0;
        while at < size {
            match storage.read(name, at..size.min(at + STORAGE_READ_MAX_BYTES)).await {
                Ok(Some(bytes)) if !bytes.is_empty() => {
                    at += bytes.len() as u64;
                    if sender.send(bytes).await.is_err() {
                        return Ok(unread);
                    }
                }
                cut => {
                    tracing::error!(%name, at, error = ?cut.err(), "a file is not whole in the backup: it cannot be read");
                    unread += 1;
                    break;
                }
            }
        }
    }
    drop(pieces.send(Piece::End).await);
    Ok(unread)
}

/// Small files of a backup: their names in it and where their bytes are now.
fn small_files(folder: &Folder) -> Vec<(String, PathBuf)> {
    let mut all = vec![("hub.json".to_owned(), folder.identity())];
    all.extend(keys::FILES.iter().map(|name| (format!("keys/{name}"), folder.key(name))).filter(|(_, path)| path.exists()));
    all
}

fn seal_all(
    folder: &Folder,
    database: &Path,
    recovery: &crypto::PublicKey,
    target: &Path,
    mut pieces: mpsc::Receiver<Piece>,
) -> Result<u64> {
    let failed = || HubError::file(target);
    let key = Zeroizing::new(entropy::array::<KEY_BYTES>());
    let wrapped = crypto::seal(&mut Entropy, recovery, INFO, &MAGIC, key.as_ref())?;
    let mut out = BufWriter::new(create_private(target).map_err(failed())?);
    let header = [&MAGIC[..], &wrapped.enc, &wrapped.ciphertext].concat();
    out.write_all(&header).map_err(failed())?;
    let mut sealer = Sealer::new(out, ChaCha20Poly1305::new(&(*key).into()));
    for (name, path) in small_files(folder) {
        seal_file(&name, &path, &mut sealer, target)?;
    }
    loop {
        match pieces.blocking_recv() {
            None => return Err(HubError::Stopping),
            Some(Piece::End) => break,
            Some(Piece::Object(name, size, mut bytes)) => {
                begin(&format!("{OBJECTS}{name}"), size, &mut sealer).map_err(failed())?;
                let mut left = size;
                while let Some(bytes) = bytes.blocking_recv() {
                    left = left.saturating_sub(bytes.len() as u64);
                    sealer.write_all(&bytes).map_err(failed())?;
                }
                io::copy(&mut io::repeat(0).take(left), &mut sealer).map_err(failed())?;
            }
        }
    }
    seal_file(DATABASE, database, &mut sealer, target)?;
    let mut out = sealer.finish().map_err(failed())?;
    out.flush().map_err(failed())?;
    out.get_ref().sync_all().map_err(failed())?;
    Ok(out.get_ref().metadata().map_err(failed())?.len())
}

/// Name and length of the file that follows.
fn begin(name: &str, size: u64, sealer: &mut impl Write) -> io::Result<()> {
    let mut head = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
    head.extend_from_slice(name.as_bytes());
    head.extend_from_slice(&size.to_be_bytes());
    sealer.write_all(&head)
}

fn seal_file(name: &str, path: &Path, sealer: &mut impl Write, target: &Path) -> Result<()> {
    let mut source = File::open(path).map_err(HubError::file(path))?;
    let size = source.metadata().map_err(HubError::file(path))?.len();
    begin(name, size, sealer).map_err(HubError::file(target))?;
    let copied = io::copy(&mut Read::by_ref(&mut source).take(size), sealer).map_err(HubError::file(target))?;
    if copied != size {
        return Err(HubError::folder(path, "changed while it was copied; try again"));
    }
    Ok(())
}
