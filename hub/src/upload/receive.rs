//! One chunk: from the wire to the disk, with everything that can go wrong with it.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedMutexGuard, SemaphorePermit};
use yenban_protocol::crypto::Hash;

use super::partial::{Apart, Partial};
use super::{Claim, Known, Standing, Turn, Upload, blocking, finish, known, lost, standing};
use crate::app::Hub;
use crate::error::{HubError, Refusal, Result};
use crate::limits::{CHUNK_WINDOW, CHUNK_WINDOW_BYTES_MIN, CHUNK_WRITE_BYTES};

/// The checksum that a sender gave with a chunk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checksum {
    /// SHA-1, which tus asks every server to know. It guards against a bad line, not against anybody.
    Sha1(Vec<u8>),
    /// SHA-256.
    Sha256(Vec<u8>),
}

impl Checksum {
    /// From `Upload-Checksum`: an algorithm and a value in base64. `None`: not one that is spoken here.
    pub fn parse(header: &str) -> Option<Self> {
        let (algorithm, value) = header.trim().split_once(' ')?;
        let value = data_encoding::BASE64.decode(value.trim().as_bytes()).ok()?;
        match algorithm {
            "sha1" if value.len() == 20 => Some(Self::Sha1(value)),
            "sha256" if value.len() == 32 => Some(Self::Sha256(value)),
            _ => None,
        }
    }

    fn context(&self) -> digest::Context {
        digest::Context::new(match self {
            Self::Sha1(_) => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256(_) => &digest::SHA256,
        })
    }

    fn agrees(&self, context: digest::Context) -> bool {
        let (Self::Sha1(value) | Self::Sha256(value)) = self;
        context.finish().as_ref() == value
    }
}

/// What became of a chunk: how the upload stands now, and what was wrong, if anything was.
#[derive(Debug)]
pub struct Received {
    /// How the upload stands.
    pub standing: Standing,
    /// Why the chunk did not end well. What came of it is kept all the same, unless it was under a checksum.
    pub refused: Option<HubError>,
}

/// Takes a chunk of an upload. It is worked on in a task of its own: a line that breaks drops the request that waits
/// here, and what came must still reach the disk.
pub async fn receive(hub: Arc<Hub>, sealed: Hash, offset: u64, checksum: Option<Checksum>, body: Body) -> Result<Received> {
    let task = tokio::spawn(async move { receive_here(&hub, sealed, offset, checksum, body).await });
    task.await.map_err(|e| HubError::Storage(e.to_string()))?
}

async fn receive_here(hub: &Hub, sealed: Hash, offset: u64, checksum: Option<Checksum>, body: Body) -> Result<Received> {
    match known(hub, &sealed).await? {
        // A last chunk whose answer was lost is asked again; with no byte more it is no attempt to change anything.
        Known::Verified(standing) if offset == standing.length && axum::body::HttpBody::is_end_stream(&body) => {
            return Ok(Received { standing, refused: None });
        }
        Known::Verified(_) => return Err(Refusal::Complete.into()),
        Known::Wanted(_) => {}
    }
    let nothing = || Refusal::NotFound { what: "upload", name: data_encoding::HEXLOWER.encode(&sealed) };
    let upload = hub.uploads.get(&sealed).ok_or_else(nothing)?;
    let claim = lost::claim(hub, &upload).await?;
    if !hub.uploads.has(&upload) {
        // Finished, or given up, while this waited.
        return match known(hub, &sealed).await? {
            Known::Verified(_) => Err(Refusal::Complete.into()),
            Known::Wanted(_) => Err(nothing().into()),
        };
    }
    let here = claim.partial.offset();
    if offset != here {
        let refused = Some(Refusal::WrongOffset { offset: here }.into());
        return Ok(Received { standing: standing(&upload, &claim.partial), refused });
    }
    if let Err(full) = hub.uploads.room_for(0) {
        return Ok(Received { standing: standing(&upload, &claim.partial), refused: Some(full) });
    }
    let Claim { turn, partial } = claim;
    let desk = Desk { partial, apart: None };
    let mut chunk = Chunk { hub, length: upload.length, turn, desk: Some(desk), gathered: BytesMut::new(), taken: 0, thin: None };
    let outcome = chunk.take(checksum, body).await;
    hub.metrics.upload_bytes.inc_by(chunk.taken);
    let Some(desk) = chunk.desk.take() else { return Err(outcome.err().unwrap_or(HubError::Stopping)) };
    settle(hub, upload, desk, outcome).await
}

/// Makes durable what came, and finishes the upload if it is whole.
async fn settle(hub: &Hub, upload: Arc<Upload>, mut desk: Desk, outcome: Result<()>) -> Result<Received> {
    let now_ms = hub.now_ms();
    let (desk, settled) = blocking(move || {
        let settled = desk.partial.settle(now_ms);
        (desk, settled)
    })
    .await?;
    let now = standing(&upload, &desk.partial);
    if let Err(e) = outcome.and(settled) {
        return Ok(Received { standing: now, refused: Some(e) });
    }
    if !desk.partial.is_complete() {
        return Ok(Received { standing: now, refused: None });
    }
    match finish::finish(hub, &upload, desk.partial).await {
        Ok(receipt) => Ok(Received { standing: Standing { receipt: Some(receipt), expires_ms: None, ..now }, refused: None }),
        Err(e) => Ok(Received { standing: now, refused: Some(e) }),
    }
}

/// What is written to: lent to a thread that may wait for the disk, and taken back.
struct Desk {
    partial: OwnedMutexGuard<Partial>,
    apart: Option<(Checksum, digest::Context, Apart)>,
}

impl Desk {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        match &mut self.apart {
            None => self.partial.append(bytes),
            Some((_, context, apart)) => {
                context.update(bytes);
                self.partial.append_apart(apart, bytes)
            }
        }
    }

    /// Bytes that are here, with those that wait for their checksum.
    fn offset(&self) -> u64 {
        self.partial.offset() + self.apart.as_ref().map_or(0, |(.., apart)| apart.length())
    }

    /// Ends a chunk: one under a checksum counts only now.
    fn end(&mut self, outcome: Result<()>) -> Result<()> {
        let Some((checksum, context, apart)) = self.apart.take() else { return outcome };
        let agreed = outcome.is_ok() && checksum.agrees(context);
        self.partial.join(&apart, agreed)?;
        outcome.and(if agreed { Ok(()) } else { Err(Refusal::Checksum.into()) })
    }
}

struct Chunk<'a> {
    hub: &'a Hub,
    length: u64,
    turn: Turn,
    desk: Option<Desk>,
    gathered: BytesMut,
    taken: u64,
    thin: Option<SemaphorePermit<'a>>,
}

impl Chunk<'_> {
    /// Takes the body to its end. An error tells why it ended early; everything before that was written.
    async fn take(&mut self, checksum: Option<Checksum>, mut body: Body) -> Result<()> {
        if let (Some(checksum), Some(desk)) = (checksum, &mut self.desk) {
            let apart = desk.partial.apart()?;
            desk.apart = Some((checksum.clone(), checksum.context(), apart));
        }
        let streamed = self.stream(&mut body, CHUNK_WINDOW).await;
        let written = self.write().await;
        let outcome = streamed.and(written);
        self.lend(move |desk| desk.end(outcome)).await
    }

    async fn stream(&mut self, body: &mut Body, window: Duration) -> Result<()> {
        let mut speed = tokio::time::interval(window);
        // The first tick comes at once; measuring begins with it.
        speed.tick().await;
        let mut in_window = 0;
        loop {
            let frame = tokio::select! {
                biased;
                () = self.turn.over() => return Err(Refusal::Superseded.into()),
                frame = body.frame() => frame,
                _ = speed.tick() => {
                    self.living(in_window)?;
                    in_window = 0;
                    continue;
                }
            };
            let bytes = match frame {
                None => return Ok(()),
                Some(Err(_)) => return Err(Refusal::Malformed("the chunk did not arrive whole; what came is kept".to_owned()).into()),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(bytes) => bytes,
                    Err(_trailers) => continue,
                },
            };
            in_window += bytes.len() as u64;
            self.gather(&bytes).await?;
        }
    }

    /// Whether a chunk that brought so many bytes in a window may go on.
    fn living(&mut self, bytes: u64) -> Result<()> {
        if bytes >= CHUNK_WINDOW_BYTES_MIN {
            self.thin = None;
            return Ok(());
        }
        if bytes > 0 && self.thin.is_none() {
            self.thin = self.hub.uploads.thin.try_acquire().ok();
        }
        if bytes > 0 && self.thin.is_some() { Ok(()) } else { Err(Refusal::TooSlow.into()) }
    }

    async fn gather(&mut self, bytes: &Bytes) -> Result<()> {
        let here = self.desk.as_ref().map_or(self.length, Desk::offset) + self.gathered.len() as u64;
        if here + bytes.len() as u64 > self.length {
            return Err(Refusal::TooLarge("the chunk goes beyond the end of the file".to_owned()).into());
        }
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= CHUNK_WRITE_BYTES { self.write().await } else { Ok(()) }
    }

    async fn write(&mut self) -> Result<()> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let bytes = self.gathered.split().freeze();
        self.taken += bytes.len() as u64;
        self.lend(move |desk| desk.append(&bytes)).await
    }

    /// Lets a thread that may wait for the disk work on the desk.
    async fn lend(&mut self, work: impl FnOnce(&mut Desk) -> Result<()> + Send + 'static) -> Result<()> {
        let mut desk = self.desk.take().ok_or(HubError::Stopping)?;
        let (desk, outcome) = blocking(move || {
            let outcome = work(&mut desk);
            (desk, outcome)
        })
        .await?;
        self.desk = Some(desk);
        outcome
    }
}
