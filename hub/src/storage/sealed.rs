//! How a stored file is sealed: chunks under a content key of its own, which stands in the database alone.
//!
//! The same chunks as a file on its way ([`yenban_protocol::object`]), so one reader opens both: there behind a head
//! that carries the key, here behind the random part of the nonces.
//!
//! ```text
//! nonce prefix (7) | chunks (65,536 + 16; the last shorter)
//! ```

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::digest;
use bytes::Bytes;
use futures_util::Stream;
use yenban_protocol::crypto::Hash;
use yenban_protocol::object::{CHUNK_BYTES, CHUNK_TAG_BYTES, ContentKey, KEY_BYTES, PREFIX_BYTES};
use zeroize::Zeroizing;

use super::{ObjectName, ObjectStorage, SharedStorage};
use crate::entropy;
use crate::error::{HubError, Refusal, Result};
use crate::limits::STORAGE_READ_MAX_BYTES;
use crate::store::StoredAs;

/// Bytes of a sealed chunk that is not the last.
pub const SEALED_CHUNK_BYTES: usize = CHUNK_BYTES + CHUNK_TAG_BYTES;

/// A new content key.
pub(crate) fn new_key() -> ContentKey {
    Zeroizing::new(entropy::array::<KEY_BYTES>())
}

/// Length in storage of `plain_bytes`.
pub fn stored_len(plain_bytes: u64) -> u64 {
    PREFIX_BYTES as u64 + plain_bytes + plain_bytes.div_ceil(CHUNK_BYTES as u64).max(1) * CHUNK_TAG_BYTES as u64
}

/// Seals or opens chunks in their order.
pub struct Chunks {
    key: LessSafeKey,
    prefix: [u8; PREFIX_BYTES],
    number: u32,
}

impl Chunks {
    /// From the first chunk on.
    pub fn new(key: &ContentKey, prefix: [u8; PREFIX_BYTES]) -> Result<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, key.as_ref()).map_err(|_| HubError::Keys("content key".to_owned()))?;
        Ok(Self { key: LessSafeKey::new(key), prefix, number: 0 })
    }

    fn nonce(&mut self, last: bool) -> Result<Nonce> {
        let mut nonce = [0; 12];
        nonce[..PREFIX_BYTES].copy_from_slice(&self.prefix);
        nonce[PREFIX_BYTES..PREFIX_BYTES + 4].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(last);
        // 2^32 chunks are 256 TiB: a sender that gets here is wrong.
        self.number = self.number.checked_add(1).ok_or_else(|| Refusal::TooLarge("chunks of a file".to_owned()))?;
        Ok(Nonce::assume_unique_for_key(nonce))
    }

    /// Seals `chunk` in place; the tag is appended.
    pub fn seal(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<()> {
        let nonce = self.nonce(last)?;
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), chunk).map_err(|_| HubError::Keys("sealing a chunk".to_owned()))
    }

    /// Opens `chunk` in place and cuts its tag off.
    pub fn open(&mut self, chunk: &mut Vec<u8>, last: bool) -> Result<()> {
        let nonce = self.nonce(last)?;
        let plain = self.key.open_in_place(nonce, Aad::empty(), chunk).map_err(|_| Refusal::Unsealed)?.len();
        chunk.truncate(plain);
        Ok(())
    }
}

/// What reading a stored file again found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// Whole, with this hash and length of the content.
    Whole(Hash, u64),
    /// There is no such file.
    Missing,
    /// It is there and not what was put: cut, longer, changed, or not to be read.
    Altered,
}

/// Opens a stored file from its first to its last chunk and gives every plain chunk to `take`, in order. What `take`
/// got is good only if the answer is [`Read::Whole`].
///
/// # Errors
/// What `take` answers, and a storage of which nothing can be read. One file that cannot be read while its storage
/// answers is [`Read::Altered`]: it is there and is not what was put, and all others can still be looked at.
pub async fn read(storage: &dyn ObjectStorage, stored: &StoredAs, take: impl FnMut(&[u8]) -> Result<()> + Send) -> Result<Read> {
    match opened(storage, stored, take).await {
        Err(Failed::Reading(e)) => {
            // Of a name that is not there a storage that works says so.
            storage.size(ObjectName::random()).await?;
            tracing::error!(name = %stored.name, error = %e, "a stored file cannot be read");
            Ok(Read::Altered)
        }
        Err(Failed::Taking(e)) => Err(e),
        Ok(read) => Ok(read),
    }
}

/// Which side of reading a file failed.
enum Failed {
    Reading(HubError),
    Taking(HubError),
}

async fn opened(
    storage: &dyn ObjectStorage,
    stored: &StoredAs,
    mut take: impl FnMut(&[u8]) -> Result<()> + Send,
) -> std::result::Result<Read, Failed> {
    let chunks_at_once = STORAGE_READ_MAX_BYTES as usize / SEALED_CHUNK_BYTES;
    let prefix = match storage.read(stored.name, 0..PREFIX_BYTES as u64).await.map_err(Failed::Reading)? {
        None => return Ok(Read::Missing),
        Some(bytes) => match <[u8; PREFIX_BYTES]>::try_from(bytes.as_ref()) {
            Ok(prefix) => prefix,
            Err(_) => return Ok(Read::Altered),
        },
    };
    match storage.size(stored.name).await.map_err(Failed::Reading)? {
        None => return Ok(Read::Missing),
        Some(size) if size != stored.size_bytes => return Ok(Read::Altered),
        Some(_) => {}
    }
    let mut chunks = Chunks::new(&stored.key, prefix).map_err(Failed::Taking)?;
    let (mut at, mut digest, mut plain_bytes) = (PREFIX_BYTES as u64, digest::Context::new(&digest::SHA256), 0);
    while at < stored.size_bytes {
        let end = (at + (chunks_at_once * SEALED_CHUNK_BYTES) as u64).min(stored.size_bytes);
        let Some(bytes) = storage.read(stored.name, at..end).await.map_err(Failed::Reading)? else { return Ok(Read::Missing) };
        if bytes.len() as u64 != end - at {
            return Ok(Read::Altered);
        }
        at = end;
        let mut pieces = bytes.chunks(SEALED_CHUNK_BYTES).peekable();
        while let Some(piece) = pieces.next() {
            let mut chunk = piece.to_vec();
            let last = at == stored.size_bytes && pieces.peek().is_none();
            if chunks.open(&mut chunk, last).is_err() {
                return Ok(Read::Altered);
            }
            digest.update(&chunk);
            plain_bytes += chunk.len() as u64;
            take(&chunk).map_err(Failed::Taking)?;
        }
    }
    let hash = digest.finish().as_ref().try_into().map_err(|_| Failed::Taking(HubError::Keys("SHA-256".to_owned())))?;
    Ok(if plain_bytes == 0 && stored.size_bytes == PREFIX_BYTES as u64 { Read::Altered } else { Read::Whole(hash, plain_bytes) })
}

/// Name, key and prefix for a file that is about to be stored.
pub(crate) fn fresh(plain_bytes: u64) -> (StoredAs, [u8; PREFIX_BYTES]) {
    (StoredAs { name: ObjectName::random(), key: new_key(), size_bytes: stored_len(plain_bytes) }, entropy::array())
}

/// The content of a stored file, some chunks at a time, for whoever sends it on. It ends with an error at the first chunk
/// that is not what was put, so nobody takes a changed or cut file for a whole one; [`read`] it before to say so early.
pub fn contents(storage: SharedStorage, stored: StoredAs) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let start = Contents { storage, stored, at: 0, chunks: None };
    futures_util::stream::try_unfold(start, |mut contents| async move {
        let next = contents.next().await?;
        Ok(next.map(|bytes| (bytes, contents)))
    })
}

/// How far [`contents`] got.
struct Contents {
    storage: SharedStorage,
    stored: StoredAs,
    at: u64,
    chunks: Option<Chunks>,
}

impl Contents {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let gone = || HubError::Storage("a stored file changed while it was read".to_owned());
        let (name, size) = (self.stored.name, self.stored.size_bytes);
        if self.chunks.is_none() {
            let prefix = self.storage.read(name, 0..PREFIX_BYTES as u64).await?.ok_or_else(gone)?;
            let prefix = <[u8; PREFIX_BYTES]>::try_from(prefix.as_ref()).map_err(|_| gone())?;
            self.chunks = Some(Chunks::new(&self.stored.key, prefix)?);
            self.at = PREFIX_BYTES as u64;
        }
        if self.at >= size {
            return Ok(None);
        }
        let at_once = (STORAGE_READ_MAX_BYTES as usize / SEALED_CHUNK_BYTES) * SEALED_CHUNK_BYTES;
        let end = (self.at + at_once as u64).min(size);
        let sealed = self.storage.read(name, self.at..end).await?.ok_or_else(gone)?;
        if sealed.len() as u64 != end - self.at {
            return Err(gone());
        }
        self.at = end;
        let mut plain = Vec::with_capacity(sealed.len());
        let mut pieces = sealed.chunks(SEALED_CHUNK_BYTES).peekable();
        while let (Some(piece), Some(chunks)) = (pieces.next(), self.chunks.as_mut()) {
            let mut chunk = piece.to_vec();
            chunks.open(&mut chunk, end == size && pieces.peek().is_none())?;
            plain.extend_from_slice(&chunk);
        }
        Ok(Some(plain.into()))
    }
}
