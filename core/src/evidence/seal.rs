//! Sealing a file in one pass and reading it again: chunks of the form that `protocol::object` describes.
//!
//! Chunks and hashes are made with ring, whose code is written for each processor; the test below holds the bytes
//! against the `aead-stream` crate. Two chunks are in memory at a time, whatever the size of the file.

use std::io::{self, BufRead, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256};
use yenban_protocol::crypto::{Hash, Opener, PublicKey};
use yenban_protocol::object::{CHUNK_BYTES, CHUNK_TAG_BYTES, ContentKey, HEAD_BYTES, Head, PREFIX_BYTES};
use yenban_protocol::planted::{Bug, planted};
use zeroize::Zeroizing;

use super::ahead::{Growing, Progress, SoFar};
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::keys::{Drawn, KeyStore, new_secret, random};
use crate::limits::PHOTO_MAX_BYTES;

/// Name of a file that is being written; what a killed capture leaves is removed at the next start.
pub(crate) const UNFINISHED: &str = ".unfinished-";

/// Sees each chunk before it is sealed, and what there is of the sealed file.
pub(crate) type Watch<'a> = dyn FnMut(&[u8], &SoFar<'_>) + 'a;

/// What sealing needs besides the bytes.
pub(crate) struct Sealing<'a> {
    pub disk: &'a dyn Disk,
    pub keys: &'a dyn KeyStore,
    /// Folder of sealed files.
    pub objects: &'a Path,
    /// The hub and the author's vault.
    pub to: [&'a PublicKey; 2],
}

/// A file that lies sealed on the disk under its name; the folder is not synced yet.
pub(crate) struct Sealed {
    pub sha256: Hash,
    pub size_bytes: u64,
    pub sealed_sha256: Hash,
    pub sealed_size_bytes: u64,
    pub key: ContentKey,
}

/// Path of a sealed file.
pub(crate) fn object_path(objects: &Path, sealed_sha256: &Hash) -> PathBuf {
    objects.join(data_encoding::HEXLOWER.encode(sealed_sha256))
}

impl Sealing<'_> {
    /// Reads `source` to its end, shows each chunk to `look` before it is sealed, and leaves the sealed file synced under the name of its
    /// hash. The caller syncs the folder ([`Sealing::sync_folder`]) before it names the file in the log.
    pub(crate) fn seal(&self, source: &mut dyn Read, source_path: &Path, look: &mut Watch<'_>) -> Result<Sealed> {
        let unfinished = self.objects.join(format!("{UNFINISHED}{}", data_encoding::HEXLOWER.encode(&random::<8>(self.keys)?)));
        let done = self.seal_into(source, source_path, &unfinished, look).and_then(|sealed| {
            let path = object_path(self.objects, &sealed.sealed_sha256);
            self.disk.rename(&unfinished, &path).map_err(|e| Error::io("rename", &path, e))?;
            Ok(sealed)
        });
        if done.is_err() {
            // Nothing was acknowledged; what stays is swept at the next start.
            let _ = self.disk.remove(&unfinished);
        }
        done
    }

    pub(crate) fn sync_folder(&self) -> Result<()> {
        if planted(Bug::FolderNotSynced) {
            return Ok(());
        }
        self.disk.sync_folder(self.objects).map_err(|e| Error::io("sync folder", self.objects, e))
    }

    fn seal_into(&self, source: &mut dyn Read, source_path: &Path, target: &Path, look: &mut Watch<'_>) -> Result<Sealed> {
        let key = new_secret(self.keys)?;
        let prefix: [u8; PREFIX_BYTES] = random(self.keys)?;
        let head = Head::seal(&mut Drawn::new(self.keys)?, &key, prefix, self.to).map_err(|e| Error::KeyStore(e.to_string()))?;
        let file = self.disk.create_new(target).map_err(|e| Error::io("create", target, e))?;
        let progress = Arc::new(Progress::default());
        let so_far = SoFar { path: target, key: &key, progress: &progress };
        let mut out = Out { file, path: target, hash: Context::new(&SHA256), size_bytes: 0, progress: &progress };
        out.write(head.bytes())?;
        let mut chunks = Chunks::new(&key, prefix);
        let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0u64);
        // The last chunk is known by the empty one after it, so one is read ahead.
        let (mut chunk, mut next) = (new_buffer(), new_buffer());
        let read = |source: &mut dyn Read, into: &mut Vec<u8>| {
            into.clear();
            source.take(CHUNK_BYTES as u64).read_to_end(into).map_err(|e| Error::io("read photo", source_path, e))
        };
        read(source, &mut chunk)?;
        loop {
            hash.update(&chunk);
            look(&chunk, &so_far);
            size_bytes += chunk.len() as u64;
            if size_bytes > PHOTO_MAX_BYTES {
                return Err(Error::invalid("photo", format!("it is larger than {PHOTO_MAX_BYTES} bytes")));
            }
            read(source, &mut next)?;
            let last = next.is_empty();
            chunks.seal(last, &mut chunk)?;
            out.write(&chunk)?;
            if last {
                break;
            }
            std::mem::swap(&mut chunk, &mut next);
        }
        if size_bytes == 0 {
            return Err(Error::invalid("photo", "the file is empty"));
        }
        progress.end();
        if planted(Bug::OriginalNotSynced) {
            return Ok(Sealed {
                sha256: finish(hash),
                size_bytes,
                sealed_sha256: finish(out.hash),
                sealed_size_bytes: out.size_bytes,
                key,
            });
        }
        out.file.sync().map_err(|e| Error::io("sync", target, e))?;
        Ok(Sealed { sha256: finish(hash), size_bytes, sealed_sha256: finish(out.hash), sealed_size_bytes: out.size_bytes, key })
    }
}

fn new_buffer() -> Zeroizing<Vec<u8>> {
    Zeroizing::new(Vec::with_capacity(CHUNK_BYTES + CHUNK_TAG_BYTES))
}

fn finish(hash: Context) -> Hash {
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

struct Out<'a> {
    file: Box<dyn DiskFile>,
    path: &'a Path,
    hash: Context,
    size_bytes: u64,
    progress: &'a Progress,
}

impl Out<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.hash.update(bytes);
        self.size_bytes += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|e| Error::io("write", self.path, e))?;
        self.progress.written(self.size_bytes);
        Ok(())
    }
}

/// The chunk cipher of one file: STREAM with a counter of 32 bits, big endian, and a mark on the last chunk.
struct Chunks {
    key: LessSafeKey,
    prefix: [u8; PREFIX_BYTES],
    counter: u32,
}

impl Chunks {
    fn new(key: &ContentKey, prefix: [u8; PREFIX_BYTES]) -> Self {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).expect("a content key has the 32 bytes of this cipher");
        Chunks { key: LessSafeKey::new(key), prefix, counter: 0 }
    }

    fn nonce(&mut self, last: bool) -> Result<Nonce> {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..11].copy_from_slice(&self.counter.to_be_bytes());
        nonce[11] = u8::from(last);
        self.counter = self.counter.checked_add(1).ok_or_else(|| Error::invalid("photo", "it has too many chunks"))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    fn seal(&mut self, last: bool, chunk: &mut Vec<u8>) -> Result<()> {
        let nonce = self.nonce(last)?;
        let sealed = self.key.seal_in_place_append_tag(nonce, Aad::empty(), chunk);
        sealed.map_err(|_| Error::KeyStore("sealing a photo failed".into()))
    }

    /// Length of the plain bytes, which then stand at the start of `chunk`; `None` when it was altered.
    fn open(&mut self, last: bool, chunk: &mut [u8]) -> Result<Option<usize>> {
        let nonce = self.nonce(last)?;
        Ok(self.key.open_in_place(nonce, Aad::empty(), chunk).ok().map(|plain| plain.len()))
    }
}

/// Reads the original bytes out of a sealed file; each chunk is authenticated before a byte of it is given out.
pub(crate) struct SealedReader {
    file: Box<dyn Read + Send>,
    path: PathBuf,
    chunks: Chunks,
    plain: Zeroizing<Vec<u8>>,
    /// Given out of `plain`.
    used: usize,
    /// Plain bytes at the start of `plain`.
    len: usize,
    next: Zeroizing<Vec<u8>>,
    begun: bool,
    ended: bool,
    failed: Option<io::ErrorKind>,
}

impl SealedReader {
    /// Opens with the hub's or the vault's key.
    pub(crate) fn open(disk: &dyn Disk, path: &Path, opener: &dyn Opener) -> Result<SealedReader> {
        let file = disk.open(path).map_err(|e| Error::io("open", path, e))?;
        Self::over(Box::new(file), path, |head| head.open(opener).ok())
    }

    /// Opens with the content key itself, just after sealing.
    pub(crate) fn with_key(disk: &dyn Disk, path: &Path, key: &ContentKey) -> Result<SealedReader> {
        let file = disk.open(path).map_err(|e| Error::io("open", path, e))?;
        Self::over(Box::new(file), path, |_| Some(key.clone()))
    }

    /// Opens a file that is still being sealed; each read waits for what it asks for.
    pub(crate) fn while_sealing(disk: &dyn Disk, so_far: &SoFar<'_>) -> Result<SealedReader> {
        let file = disk.open(so_far.path).map_err(|e| Error::io("open", so_far.path, e))?;
        Self::over(Box::new(Growing::new(file, so_far.progress.clone())), so_far.path, |_| Some(so_far.key.clone()))
    }

    fn over(mut file: Box<dyn Read + Send>, path: &Path, key: impl FnOnce(&Head) -> Option<ContentKey>) -> Result<SealedReader> {
        let bad = |why: &str| Error::StoreDamaged { path: path.to_path_buf(), why: why.to_owned() };
        let mut head = [0; HEAD_BYTES];
        file.read_exact(&mut head).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => bad("it is too short"),
            _ => Error::io("read", path, e),
        })?;
        let head = Head::read(&head).map_err(|_| bad("it is not a sealed file"))?;
        let key = key(&head).ok_or_else(|| bad("it is not sealed to this vault"))?;
        Ok(SealedReader {
            file,
            path: path.to_path_buf(),
            chunks: Chunks::new(&key, head.prefix()),
            plain: new_buffer(),
            used: 0,
            len: 0,
            next: new_buffer(),
            begun: false,
            ended: false,
            failed: None,
        })
    }

    /// What failed in reading: then it is not the decoder that disliked the file.
    pub(crate) fn failed(&self) -> Option<Error> {
        self.failed.map(|kind| self.error(kind.into()))
    }

    fn error(&self, e: io::Error) -> Error {
        match e.kind() {
            io::ErrorKind::InvalidData => Error::StoreDamaged { path: self.path.clone(), why: "it was altered or cut".into() },
            _ => Error::io("read", &self.path, e),
        }
    }

    /// Reads everything into `out`; the hash of it.
    pub(crate) fn copy_to(&mut self, out: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> Result<Hash> {
        let mut hash = Context::new(&SHA256);
        loop {
            if let Err(e) = self.fill_buf() {
                return Err(self.error(e));
            }
            let chunk = &self.plain[self.used..self.len];
            if chunk.is_empty() {
                return Ok(finish(hash));
            }
            hash.update(chunk);
            out(chunk).map_err(|e| Error::io("write photo", &self.path, e))?;
            let given = chunk.len();
            self.consume(given);
        }
    }

    fn read_ahead(&mut self) -> io::Result<()> {
        self.next.clear();
        (&mut self.file).take((CHUNK_BYTES + CHUNK_TAG_BYTES) as u64).read_to_end(&mut self.next).map(|_| ())
    }

    fn advance(&mut self) -> io::Result<()> {
        if !std::mem::replace(&mut self.begun, true) {
            self.read_ahead()?;
        }
        std::mem::swap(&mut self.plain, &mut self.next);
        (self.used, self.len) = (0, 0);
        self.read_ahead()?;
        self.ended = self.next.is_empty();
        let opened = self.chunks.open(self.ended, &mut self.plain).map_err(io::Error::other)?;
        self.len = opened.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it was altered or cut"))?;
        Ok(())
    }
}

impl BufRead for SealedReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used == self.len
            && !self.ended
            && let Err(error) = self.advance()
        {
            (self.failed, self.ended) = (Some(error.kind()), true);
            return Err(error);
        }
        Ok(&self.plain[self.used..self.len])
    }

    fn consume(&mut self, bytes: usize) {
        self.used = (self.used + bytes).min(self.len);
    }
}

impl Read for SealedReader {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        // Decoders ask byte by byte.
        if let ([byte], Some(next)) = (&mut *out, self.plain[..self.len].get(self.used)) {
            *byte = *next;
            self.used += 1;
            return Ok(1);
        }
        let ready = self.fill_buf()?;
        let count = ready.len().min(out.len());
        out[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }

    // Decoders ask for a byte at a time, two million times a photograph: what lies ready is given where they ask.
    #[inline]
    fn read_exact(&mut self, out: &mut [u8]) -> io::Result<()> {
        if self.used < self.len
            && let [byte] = &mut *out
            && let Some(next) = self.plain.get(self.used)
        {
            *byte = *next;
            self.used += 1;
            return Ok(());
        }
        self.read_on(out)
    }
}

impl SealedReader {
    #[inline(never)]
    fn read_on(&mut self, mut out: &mut [u8]) -> io::Result<()> {
        while !out.is_empty() {
            match self.read(out)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                count => out = &mut out[count..],
            }
        }
        Ok(())
    }
}

/// SHA-256 and length of a file's bytes.
pub(crate) fn hash_file(disk: &dyn Disk, path: &Path) -> Result<(Hash, u64)> {
    let mut file = disk.open(path).map_err(|e| Error::io("open", path, e))?;
    let (mut hash, mut size_bytes) = (Context::new(&SHA256), 0);
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let count = match file.read(&mut chunk) {
            Ok(0) => return Ok((finish(hash), size_bytes)),
            Ok(count) => count,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(Error::io("read", path, e)),
        };
        hash.update(&chunk[..count]);
        size_bytes += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use aead_stream::{DecryptorBE32, EncryptorBE32};
    use chacha20poly1305::ChaCha20Poly1305;
    use yenban_protocol::crypto::{SecretKey, Signer};
    use yenban_protocol::object::sealed_len;

    use super::*;
    use crate::disk::RealDisk;
    use crate::keys::SeededKeyStore;

    struct World {
        dir: tempfile::TempDir,
        keys: SeededKeyStore,
        hub: SecretKey,
        vault: SecretKey,
    }

    impl World {
        fn new() -> World {
            let keys = SeededKeyStore::new(1);
            let key = || SecretKey::generate(&mut Drawn::new(&keys).unwrap());
            let (hub, vault) = (key(), key());
            World { dir: tempfile::tempdir().unwrap(), keys, hub, vault }
        }

        fn seal(&self, bytes: &[u8]) -> Sealed {
            let (hub, vault) = (self.hub.public_key(), self.vault.public_key());
            let sealing = Sealing { disk: &RealDisk, keys: &self.keys, objects: self.dir.path(), to: [&hub, &vault] };
            sealing.seal(&mut &*bytes, Path::new("a.jpg"), &mut |_, _| ()).unwrap()
        }

        fn path(&self, sealed: &Sealed) -> PathBuf {
            object_path(self.dir.path(), &sealed.sealed_sha256)
        }
    }

    fn bytes(len: usize) -> Vec<u8> {
        (0..len).map(|n| (n * 31 % 251) as u8).collect()
    }

    #[test]
    fn the_chunks_are_those_of_the_stream_crate_at_every_edge() {
        let world = World::new();
        for len in [1, 15, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES, 2 * CHUNK_BYTES + 7] {
            let plain = bytes(len);
            let sealed = world.seal(&plain);
            let file = std::fs::read(world.path(&sealed)).unwrap();
            assert_eq!(file.len() as u64, sealed.sealed_size_bytes);
            assert_eq!(file.len() as u64, sealed_len(len as u64));
            assert_eq!(hash_file(&RealDisk, &world.path(&sealed)).unwrap(), (sealed.sealed_sha256, file.len() as u64));
            let head = Head::read(file[..HEAD_BYTES].try_into().unwrap()).unwrap();
            let key = head.open(&world.hub).unwrap();
            let mut stream = DecryptorBE32::<ChaCha20Poly1305>::new((&*key).into(), (&head.prefix()).into());
            let mut ahead = EncryptorBE32::<ChaCha20Poly1305>::new((&*key).into(), (&head.prefix()).into());
            let mut chunks: Vec<&[u8]> = file[HEAD_BYTES..].chunks(CHUNK_BYTES + CHUNK_TAG_BYTES).collect();
            let last = chunks.pop().unwrap();
            let mut again = Vec::new();
            for chunk in chunks {
                again.extend(stream.decrypt_next(chunk).unwrap());
                assert_eq!(ahead.encrypt_next(&again[again.len() - CHUNK_BYTES..]).unwrap(), chunk);
            }
            let tail = stream.decrypt_last(last).unwrap();
            assert_eq!(ahead.encrypt_last(tail.as_slice()).unwrap(), last);
            again.extend(tail);
            assert!(again == plain, "{len}");
            let mut read = Vec::new();
            SealedReader::open(&RealDisk, &world.path(&sealed), &world.vault).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == plain, "{len}");
        }
    }

    #[test]
    fn nothing_of_an_altered_or_cut_file_is_given_out_as_whole() {
        let world = World::new();
        let sealed = world.seal(&bytes(3 * CHUNK_BYTES));
        let path = world.path(&sealed);
        let whole = std::fs::read(&path).unwrap();
        let read = |file: &[u8]| {
            std::fs::write(&path, file).unwrap();
            SealedReader::open(&RealDisk, &path, &world.vault).and_then(|mut r| r.copy_to(&mut |_| Ok(())))
        };
        assert_eq!(read(&whole).unwrap(), sealed.sha256);
        for at in [HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + CHUNK_BYTES + 20, whole.len() - 1] {
            let mut file = whole.clone();
            file[at] ^= 1;
            assert!(matches!(read(&file), Err(Error::StoreDamaged { .. })), "{at}");
        }
        for cut in [0, HEAD_BYTES - 1, HEAD_BYTES, HEAD_BYTES + CHUNK_BYTES + CHUNK_TAG_BYTES, whole.len() - 1] {
            assert!(matches!(read(&whole[..cut]), Err(Error::StoreDamaged { .. })), "{cut}");
        }
        assert!(SealedReader::open(&RealDisk, &path, &SecretKey::generate(&mut Drawn::new(&world.keys).unwrap())).is_err());
    }

    #[test]
    fn an_empty_source_leaves_nothing() {
        let world = World::new();
        let (hub, vault) = (world.hub.public_key(), world.vault.public_key());
        let sealing = Sealing { disk: &RealDisk, keys: &world.keys, objects: world.dir.path(), to: [&hub, &vault] };
        assert!(sealing.seal(&mut &b""[..], Path::new("a.jpg"), &mut |_, _| ()).is_err());
        assert_eq!(RealDisk.list(world.dir.path()).unwrap().len(), 0);
    }
}
