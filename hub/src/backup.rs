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

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use yenban_protocol::crypto::{self, ENC_BYTES, TAG_BYTES};
use yenban_protocol::id::Epoch;
use zeroize::Zeroizing;

use crate::app::{Hub, read_identity};
use crate::clock::SharedClock;
use crate::entropy::{self, Entropy};
use crate::error::{HubError, Result};
use crate::folder::Folder;
use crate::keys;
use crate::limits::CHECK_PAGE;
use crate::storage::ObjectName;
use crate::store::sqlite::SqliteStore;
use crate::store::{HubStore as _, ObjectState};

const MAGIC: [u8; 4] = *b"YBB\x01";
const INFO: &[u8] = b"yb1/backup";
const CHUNK_BYTES: usize = 1 << 20;
const KEY_BYTES: usize = 32;
const NAME_MAX_BYTES: usize = 512;

/// Name of the database.
const DATABASE: &str = "hub.db";

/// Before the names of sealed files.
const OBJECTS: &str = "objects/";

/// Where the copy of the database lies while a backup is written, inside the hub's folder.
const COPY: &str = "backup.tmp";

/// The unpacked database until it has its new epoch: a restore that was cut off leaves no hub that would go on in the old.
const RESTORED: &str = "hub.db.restored";

/// In the store: files were not read since a restore.
pub(crate) const UNREAD: &str = "restored_unread";

/// Writes a backup to `file`, which must not exist; gives its size in bytes.
pub async fn write(hub: &Hub, file: &Path) -> Result<u64> {
    if file.exists() {
        return Err(HubError::folder(file, "exists already: a backup never replaces another"));
    }
    let copy = hub.folder.root().join(COPY);
    // The rest of a backup that was interrupted.
    let _ = fs::remove_file(&copy);
    hub.store.copy_to(copy.clone()).await?;
    let (folder, recovery, target) = (hub.folder.clone(), hub.keys.recovery, file.to_owned());
    let database = copy.clone();
    let written = tokio::task::spawn_blocking(move || seal_all(&folder, &database, &recovery, &target)).await;
    let _ = fs::remove_file(&copy);
    let written = written.map_err(|e| HubError::Store(e.to_string()))?;
    if written.is_err() {
        // Half a backup is none; the error says why.
        let _ = fs::remove_file(file);
    }
    written
}

/// Every file of a backup: its name in the folder and where its bytes are now.
fn contents(folder: &Folder, database: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut all = vec![("hub.json".to_owned(), folder.identity())];
    all.extend(keys::FILES.iter().map(|name| (format!("keys/{name}"), folder.key(name))).filter(|(_, path)| path.exists()));
    let objects = folder.objects();
    for entry in fs::read_dir(&objects).map_err(HubError::file(&objects))? {
        let entry = entry.map_err(HubError::file(&objects))?;
        // What a put is writing at this moment has another name yet; what came after the database was copied is only
        // carried along, and phones send it again.
        if let Some(name) = entry.file_name().to_str().and_then(ObjectName::parse) {
            all.push((format!("{OBJECTS}{name}"), entry.path()));
        }
    }
    all.push((DATABASE.to_owned(), database.to_owned()));
    Ok(all)
}

fn seal_all(folder: &Folder, database: &Path, recovery: &crypto::PublicKey, target: &Path) -> Result<u64> {
    let failed = || HubError::file(target);
    let key = Zeroizing::new(entropy::array::<KEY_BYTES>());
    let wrapped = crypto::seal(&mut Entropy, recovery, INFO, &MAGIC, key.as_ref())?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(target).map_err(failed())?;
    let mut out = BufWriter::new(file);
    let header = [&MAGIC[..], &wrapped.enc, &wrapped.ciphertext].concat();
    out.write_all(&header).map_err(failed())?;
    let mut sealer = Sealer { out, cipher: ChaCha20Poly1305::new(&(*key).into()), plain: Vec::with_capacity(CHUNK_BYTES), number: 0 };
    for (name, path) in contents(folder, database)? {
        let mut source = match File::open(&path) {
            Ok(source) => source,
            // Destroyed since the database was copied: a restored hub finds it missing and says so.
            Err(e) if e.kind() == std::io::ErrorKind::NotFound && name.starts_with(OBJECTS) => continue,
            Err(e) => return Err(HubError::file(&path)(e)),
        };
        let size = source.metadata().map_err(HubError::file(&path))?.len();
        let mut head = u16::try_from(name.len()).unwrap_or(u16::MAX).to_be_bytes().to_vec();
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(&size.to_be_bytes());
        sealer.write_all(&head).map_err(failed())?;
        let copied = std::io::copy(&mut Read::by_ref(&mut source).take(size), &mut sealer).map_err(failed())?;
        if copied != size {
            return Err(HubError::folder(&path, "changed while it was copied; try again"));
        }
    }
    let mut out = sealer.finish().map_err(failed())?;
    out.flush().map_err(failed())?;
    out.get_ref().sync_all().map_err(failed())?;
    Ok(out.get_ref().metadata().map_err(failed())?.len())
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    bytes.into()
}

struct Sealer<W: Write> {
    out: W,
    cipher: ChaCha20Poly1305,
    plain: Vec<u8>,
    number: u64,
}

impl<W: Write> Sealer<W> {
    fn chunk(&mut self, last: bool) -> std::io::Result<()> {
        let payload = Payload { msg: &self.plain, aad: &[u8::from(last)] };
        let sealed = self.cipher.encrypt(&nonce(self.number), payload).map_err(|_| std::io::Error::other("sealing failed"))?;
        let length = u32::try_from(sealed.len()).map_err(std::io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&sealed)?;
        self.plain.clear();
        self.number += 1;
        Ok(())
    }

    fn finish(mut self) -> std::io::Result<W> {
        self.chunk(true)?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.plain.len() == CHUNK_BYTES {
            self.chunk(false)?;
        }
        let taken = bytes.len().min(CHUNK_BYTES - self.plain.len());
        self.plain.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Unsealer<R: Read> {
    source: R,
    cipher: ChaCha20Poly1305,
    plain: Vec<u8>,
    at: usize,
    number: u64,
    ended: bool,
}

impl<R: Read> Unsealer<R> {
    fn chunk(&mut self) -> std::io::Result<()> {
        let damaged = || std::io::Error::other("the backup is damaged or was cut short");
        let mut length = [0; 4];
        self.source.read_exact(&mut length).map_err(|_| damaged())?;
        let length = u32::from_be_bytes(length) as usize;
        if !(TAG_BYTES..=CHUNK_BYTES + TAG_BYTES).contains(&length) {
            return Err(damaged());
        }
        let mut sealed = vec![0; length];
        self.source.read_exact(&mut sealed).map_err(|_| damaged())?;
        let open = |last: bool| self.cipher.decrypt(&nonce(self.number), Payload { msg: &sealed, aad: &[u8::from(last)] });
        (self.plain, self.ended) = match open(false) {
            Ok(plain) => (plain, false),
            Err(_) => (open(true).map_err(|_| damaged())?, true),
        };
        if self.ended && self.source.read(&mut [0])? != 0 {
            return Err(damaged());
        }
        self.at = 0;
        self.number += 1;
        Ok(())
    }
}

impl<R: Read> Read for Unsealer<R> {
    fn read(&mut self, target: &mut [u8]) -> std::io::Result<usize> {
        while self.at == self.plain.len() {
            if self.ended {
                return Ok(0);
            }
            self.chunk()?;
        }
        let n = target.len().min(self.plain.len() - self.at);
        target[..n].copy_from_slice(&self.plain[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}

/// What a restore did.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// The folder.
    pub dir: PathBuf,
    /// The commune.
    pub commune: String,
    /// The hub's name.
    pub name: String,
    /// The new epoch.
    pub epoch: String,
    /// Entries it holds.
    pub entries: u64,
    /// Files of evidence it holds; every one was read.
    pub objects: u64,
    /// Files that the backup should hold and does not, or not as they were; phones are asked for them.
    pub missing: u64,
}

/// Restores the backup in `file` to `dir`, which must not exist or be empty, and begins a new epoch: phones then offer
/// again what this backup does not hold.
pub async fn restore(dir: &Path, file: &Path, recovery_file: Option<&Path>, clock: SharedClock) -> Result<Restored> {
    let folder = Folder::new(dir);
    let recovery_file = recovery_file.map_or_else(|| folder.default_recovery_file(), Path::to_path_buf);
    let recovery = keys::read_recovery(&recovery_file)?;
    let mut source = BufReader::new(File::open(file).map_err(HubError::file(file))?);
    let not_ours = || HubError::folder(file, "is not a backup of a hub");
    let mut header = [0; MAGIC.len() + ENC_BYTES + KEY_BYTES + TAG_BYTES];
    source.read_exact(&mut header).map_err(|_| not_ours())?;
    let (magic, rest) = header.split_at(MAGIC.len());
    let (enc, wrapped) = rest.split_first_chunk::<ENC_BYTES>().ok_or_else(not_ours)?;
    if magic != MAGIC {
        return Err(not_ours());
    }
    let other_key = |_| HubError::folder(&recovery_file, "is not the recovery key of this backup");
    let key = recovery.open_sealed(enc, INFO, &MAGIC, wrapped).map_err(other_key)?;
    let key: [u8; KEY_BYTES] = key.as_slice().try_into().map_err(|_| not_ours())?;
    let cipher = ChaCha20Poly1305::new(&key.into());
    folder.create()?;
    let unpacked = unpack(&folder, Unsealer { source, cipher, plain: Vec::new(), at: 0, number: 0, ended: false });
    if let Err(e) = unpacked {
        // Nothing half restored stays behind; the folder was empty before.
        let _ = fs::remove_dir_all(dir);
        return Err(match e {
            HubError::File { source, .. } => HubError::folder(file, source.to_string()),
            other => other,
        });
    }
    let identity = read_identity(&folder)?;
    let keys = keys::load(&folder)?;
    let database = folder.root().join(RESTORED);
    let store = SqliteStore::open(&database, keys.database)?;
    store.set_value(UNREAD, vec![1]).await?;
    let epoch = Epoch(entropy::array());
    store.begin_epoch(epoch, clock.now_ms()).await?;
    let entries = store.totals().await?.entries;
    store.close().await?;
    drop(store);
    fs::rename(&database, folder.database()).map_err(HubError::file(&database))?;
    sync(folder.root())?;
    // Opening it reads every file.
    let hub = Hub::open(folder, clock).await?;
    let (mut objects, mut missing, mut after) = (0, 0, 0);
    loop {
        let rows = hub.store.stored_objects(after, CHECK_PAGE).await?;
        let Some(last) = rows.last() else { break };
        after = last.id;
        objects += rows.len() as u64;
        missing += rows.iter().filter(|row| row.state != ObjectState::Verified).count() as u64;
    }
    hub.close().await?;
    Ok(Restored {
        dir: dir.to_owned(),
        commune: identity.commune,
        name: identity.name,
        epoch: epoch.to_string(),
        entries,
        objects,
        missing,
    })
}

/// Makes the names in a folder durable.
fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(HubError::file(folder))
}

fn unpack(folder: &Folder, mut source: Unsealer<impl Read>) -> Result<()> {
    let root = folder.root();
    let failed = || HubError::file(root);
    let bad_name = || HubError::folder(root, "the backup names a file that no hub has");
    loop {
        let mut length = [0; 2];
        if source.read(&mut length[..1]).map_err(failed())? == 0 {
            [folder.objects(), root.join("keys"), root.to_owned()].iter().try_for_each(|folder| sync(folder))?;
            return root.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync);
        }
        source.read_exact(&mut length[1..]).map_err(failed())?;
        let length = usize::from(u16::from_be_bytes(length));
        if length > NAME_MAX_BYTES {
            return Err(bad_name());
        }
        let mut name = vec![0; length];
        source.read_exact(&mut name).map_err(failed())?;
        let mut size = [0; 8];
        source.read_exact(&mut size).map_err(failed())?;
        let name = String::from_utf8(name).map_err(|_| bad_name())?;
        let path = match safe_name(&name).ok_or_else(bad_name)? {
            DATABASE => root.join(RESTORED),
            name => root.join(name),
        };
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(HubError::file(&path))?;
        let size = u64::from_be_bytes(size);
        let copied = std::io::copy(&mut Read::by_ref(&mut source).take(size), &mut file).map_err(failed())?;
        if copied != size {
            return Err(HubError::folder(root, "the backup is damaged or was cut short"));
        }
        file.sync_all().map_err(HubError::file(&path))?;
    }
}

/// Only names a backup writes: at most one folder deep, in the folders a hub has, no dots to climb.
fn safe_name(name: &str) -> Option<&str> {
    let plain = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(['/', '\\', '\0']);
    match name.split_once('/') {
        None => ["hub.json", DATABASE].contains(&name).then_some(name),
        Some(("keys" | "objects", file)) => plain(file).then_some(name),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::safe_name;

    #[test]
    fn no_name_climbs_out_of_the_folder() {
        for bad in ["", "..", "../x", "keys/../x", "keys/..", "keys//x", "/etc/passwd", "lock", "keys/a/b", "keys/a\\b"] {
            assert_eq!(safe_name(bad), None, "{bad}");
        }
        assert_eq!(safe_name("keys/root"), Some("keys/root"));
    }
}
