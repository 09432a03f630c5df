//! A slice of a file as the body of a request: read while it is sent, a few KiB at a time, and counted.

use std::io::SeekFrom;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, BufReader, ReadBuf};
use tokio_util::io::ReaderStream;

use crate::limits::{READ_BYTES, ROAD_BYTES};
use crate::sync::FileSlice;

/// Bytes handed to the road so far. At most one piece of [`ROAD_BYTES`] of them has not left yet: the next is taken
/// when the road has room for more.
#[derive(Debug, Clone, Default)]
pub(super) struct Handed(Arc<AtomicU64>);

impl Handed {
    pub(super) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The body that sends `slice`. Refuses a file that is shorter than that.
pub(super) async fn body(slice: &FileSlice, handed: &Handed) -> std::io::Result<reqwest::Body> {
    let mut file = tokio::fs::File::open(&slice.path).await?;
    let size_bytes = file.metadata().await?.len();
    if slice.offset.checked_add(slice.length).is_none_or(|end| end > size_bytes) {
        let why = format!("{} has only {size_bytes} bytes", slice.path.display());
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, why));
    }
    file.seek(SeekFrom::Start(slice.offset)).await?;
    let inner = BufReader::with_capacity(READ_BYTES, file.take(slice.length));
    Ok(reqwest::Body::wrap_stream(ReaderStream::with_capacity(Counted { inner, handed: handed.clone() }, ROAD_BYTES)))
}

struct Counted<R> {
    inner: R,
    handed: Handed,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = out.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, out);
        let read = out.filled().len() - before;
        self.handed.0.fetch_add(read as u64, Ordering::Relaxed);
        polled
    }
}
