//! Photographs: hashed while the camera's file is read, sealed in chunks, synced, then named in the log.
//!
//! The file under `objects/` is called by the hash of its sealed bytes. Its head carries the content
//! key twice, sealed to the hub and to the author's vault; each chunk is authenticated with its place
//! and whether it is the last, so that nothing can be cut, moved or mixed unseen.
//!
//! ```text
//! "YBO1" | wrap to the hub (121) | wrap to the vault (121) | nonce prefix (7) | chunks (64 KiB + 16)
//! wrap = key id (8) | encapsulated key (65) | sealed content key (48)
//! ```

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use aead_stream::{DecryptorBE32, EncryptorBE32};
use chacha20poly1305::ChaCha20Poly1305;
use sha2::{Digest, Sha256};
use yenban_protocol::crypto::{self, ENC_BYTES, Hash, PublicKey, SecretKey};
use yenban_protocol::id::KeyId;
use yenban_protocol::record::{Act, Record};
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keys::{Drawn, KeyStore, files, new_secret, random};
use crate::limits::{PHOTO_CHUNK_BYTES, PHOTO_MAX_BYTES};
use crate::patrol::time_of;
use crate::store::Key;
use crate::store::vault::{PhotoRow, Vault};

const MAGIC: &[u8; 4] = b"YBO1";
const WRAP_BYTES: usize = 8 + ENC_BYTES + 48;
const PREFIX_BYTES: usize = 7;
const HEAD_BYTES: usize = MAGIC.len() + 2 * WRAP_BYTES + PREFIX_BYTES;
const TAG_BYTES: usize = 16;
const INFO: &[u8] = b"yb1/object";
/// Name of a file that is being written; what a killed capture leaves is removed at the next start.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// A photograph that lies sealed on the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SealedPhoto {
    pub sha256: Hash,
    pub size_bytes: u64,
    pub sealed_sha256: Hash,
    pub sealed_size_bytes: u64,
    pub media_type: &'static str,
}

/// Path of a sealed file.
pub(crate) fn object_path(objects: &Path, sealed_sha256: &Hash) -> PathBuf {
    objects.join(data_encoding::HEXLOWER.encode(sealed_sha256))
}

/// Reads `source` once: hashes and seals it into `objects`, synced before this returns.
pub(crate) fn seal_file(keys: &dyn KeyStore, source: &Path, objects: &Path, hub: &PublicKey, vault: &PublicKey) -> Result<SealedPhoto> {
    // Before it is opened: opening a pipe would wait for ever.
    let metadata = std::fs::metadata(source).map_err(|e| Error::io("open photo", source, e))?;
    if !metadata.is_file() {
        return Err(Error::invalid("photo", "it is not a file"));
    }
    if metadata.len() == 0 {
        return Err(Error::invalid("photo", "the file is empty"));
    }
    if metadata.len() > PHOTO_MAX_BYTES {
        return Err(Error::invalid("photo", format!("it is larger than {PHOTO_MAX_BYTES} bytes")));
    }
    let file = File::open(source).map_err(|e| Error::io("open photo", source, e))?;
    let number = data_encoding::HEXLOWER.encode(&random::<8>(keys)?);
    let unfinished = objects.join(format!("{UNFINISHED}{number}"));
    let done = seal_into(keys, &mut BufReader::new(file), source, &unfinished, hub, vault);
    let done = done.and_then(|photo| {
        files::put_in_place(&unfinished, &object_path(objects, &photo.sealed_sha256))?;
        Ok(photo)
    });
    if done.is_err() {
        // Nothing was acknowledged; what stays is swept at the next start.
        let _ = std::fs::remove_file(&unfinished);
    }
    done
}

fn seal_into(
    keys: &dyn KeyStore,
    source: &mut impl Read,
    source_path: &Path,
    target: &Path,
    hub: &PublicKey,
    vault: &PublicKey,
) -> Result<SealedPhoto> {
    let content_key = new_secret(keys)?;
    let prefix: [u8; PREFIX_BYTES] = random(keys)?;
    let mut drawn = Drawn::new(keys)?;
    let mut head = Vec::with_capacity(HEAD_BYTES);
    head.extend_from_slice(MAGIC);
    for to in [hub, vault] {
        let sealed = crypto::seal(&mut drawn, to, INFO, b"", content_key.as_ref()).map_err(|e| Error::KeyStore(e.to_string()))?;
        head.extend_from_slice(&to.id().0);
        head.extend_from_slice(&sealed.enc);
        head.extend_from_slice(&sealed.ciphertext);
    }
    head.extend_from_slice(&prefix);
    let file = files::private_new().open(target).map_err(|e| Error::io("create", target, e))?;
    let mut out = Out { file, path: target, hash: Sha256::new(), size_bytes: 0 };
    out.write(&head)?;
    let mut stream = EncryptorBE32::<ChaCha20Poly1305>::new((&*content_key).into(), (&prefix).into());
    let (mut hash, mut size_bytes, mut media_type) = (Sha256::new(), 0u64, "application/octet-stream");
    let read = |source: &mut dyn Read| read_chunk(source).map_err(|e| Error::io("read photo", source_path, e));
    let mut chunk = read(source)?;
    media_type = media_type_of(&chunk).unwrap_or(media_type);
    loop {
        hash.update(chunk.as_slice());
        size_bytes += chunk.len() as u64;
        if size_bytes > PHOTO_MAX_BYTES {
            return Err(Error::invalid("photo", format!("it is larger than {PHOTO_MAX_BYTES} bytes")));
        }
        let next = read(source)?;
        let failed = |_| Error::KeyStore("sealing a photo failed".into());
        if next.is_empty() {
            out.write(&stream.encrypt_last(chunk.as_slice()).map_err(failed)?)?;
            break;
        }
        out.write(&stream.encrypt_next(chunk.as_slice()).map_err(failed)?)?;
        chunk = next;
    }
    out.file.sync_all().map_err(|e| Error::io("sync", target, e))?;
    Ok(SealedPhoto {
        sha256: hash.finalize().into(),
        size_bytes,
        sealed_sha256: out.hash.finalize().into(),
        sealed_size_bytes: out.size_bytes,
        media_type,
    })
}

struct Out<'a> {
    file: File,
    path: &'a Path,
    hash: Sha256,
    size_bytes: u64,
}

impl Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.size_bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| Error::io("write", self.path, e))
    }
}

fn read_chunk(source: &mut dyn Read) -> std::io::Result<Zeroizing<Vec<u8>>> {
    let mut chunk = Zeroizing::new(Vec::with_capacity(PHOTO_CHUNK_BYTES));
    source.take(PHOTO_CHUNK_BYTES as u64).read_to_end(&mut chunk)?;
    Ok(chunk)
}

/// Media type by the first bytes; never by the name, and never refused: the bytes are evidence.
fn media_type_of(start: &[u8]) -> Option<&'static str> {
    match start {
        [0xFF, 0xD8, 0xFF, ..] => Some("image/jpeg"),
        [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e', b'i' | b'v', ..] => Some("image/heic"),
        _ => None,
    }
}

/// Opens a sealed file with the vault's key and writes the original bytes to `out`. Returns their hash.
pub(crate) fn open_file(path: &Path, opener: &SecretKey, out: &mut dyn Write) -> Result<Hash> {
    let bad = |why: &str| Error::StoreDamaged { path: path.to_path_buf(), why: why.to_owned() };
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut source = BufReader::new(file);
    let mut head = [0; HEAD_BYTES];
    source.read_exact(&mut head).map_err(|_| bad("it is too short"))?;
    if !head.starts_with(MAGIC) {
        return Err(bad("it is not a sealed file"));
    }
    let own = yenban_protocol::crypto::Signer::public_key(opener).id();
    let content_key = head[MAGIC.len()..HEAD_BYTES - PREFIX_BYTES]
        .chunks_exact(WRAP_BYTES)
        .find_map(|wrap| unwrap(wrap, own, opener))
        .ok_or_else(|| bad("it is not sealed to this vault"))?;
    let prefix: &[u8; PREFIX_BYTES] = head[HEAD_BYTES - PREFIX_BYTES..].try_into().expect("the head ends with the prefix");
    let mut stream = DecryptorBE32::<ChaCha20Poly1305>::new((&*content_key).into(), prefix.into());
    let read = |source: &mut dyn Read| -> Result<Vec<u8>> {
        let mut chunk = Vec::with_capacity(PHOTO_CHUNK_BYTES + TAG_BYTES);
        source.take((PHOTO_CHUNK_BYTES + TAG_BYTES) as u64).read_to_end(&mut chunk).map_err(|e| Error::io("read", path, e))?;
        Ok(chunk)
    };
    let mut hash = Sha256::new();
    let mut take = |plain: &[u8]| {
        hash.update(plain);
        out.write_all(plain).map_err(|e| Error::io("write photo", path, e))
    };
    let mut chunk = read(&mut source)?;
    loop {
        let next = read(&mut source)?;
        let altered = |_| bad("it was altered or cut");
        if next.is_empty() {
            take(&Zeroizing::new(stream.decrypt_last(chunk.as_slice()).map_err(altered)?))?;
            break;
        }
        take(&Zeroizing::new(stream.decrypt_next(chunk.as_slice()).map_err(altered)?))?;
        chunk = next;
    }
    Ok(hash.finalize().into())
}

fn unwrap(wrap: &[u8], own: KeyId, opener: &SecretKey) -> Option<Zeroizing<[u8; 32]>> {
    let (id, rest) = wrap.split_first_chunk::<8>()?;
    let (enc, sealed) = rest.split_first_chunk::<ENC_BYTES>()?;
    if KeyId(*id) != own {
        return None;
    }
    let plain = opener.open_sealed(enc, INFO, b"", sealed).ok()?;
    plain.as_slice().try_into().ok().map(Zeroizing::new)
}

/// SHA-256 and length of a file's bytes.
pub(crate) fn hash_file(path: &Path) -> Result<(Hash, u64)> {
    let file = File::open(path).map_err(|e| Error::io("open", path, e))?;
    let mut source = BufReader::with_capacity(PHOTO_CHUNK_BYTES, file);
    let (mut hash, mut size_bytes) = (Sha256::new(), 0);
    loop {
        let chunk = read_chunk(&mut source).map_err(|e| Error::io("read", path, e))?;
        if chunk.is_empty() {
            return Ok((hash.finalize().into(), size_bytes));
        }
        hash.update(chunk.as_slice());
        size_bytes += chunk.len() as u64;
    }
}

/// Follows a photograph into the vault; anything else is left alone.
pub(crate) fn project(
    vault: &Vault,
    key: Key,
    record: &Record,
    key_of: &dyn Fn(yenban_protocol::id::EntryName) -> Result<Option<Key>>,
) -> Result<()> {
    let Act::PhotoCaptured { subject, photo: Some(photo) } = &record.act else { return Ok(()) };
    let subject = subject.map(key_of).transpose()?.flatten();
    vault.put_photo(&PhotoRow {
        key,
        subject,
        at_ms: time_of(&record.common).at_ms,
        sha256: photo.sha256,
        size_bytes: photo.size_bytes,
        sealed_sha256: photo.sealed_sha256,
        sealed_size_bytes: photo.sealed_size_bytes,
        media_type: &photo.media_type,
        from_camera: photo.from_camera,
        original_name: photo.original_name.as_deref(),
    })
}
