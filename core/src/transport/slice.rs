//! A slice of a file as the body of a request: read while it is sent, a few KiB at a time, and counted.

use std::io::SeekFrom;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncSeekExt, BufReader, ReadBuf};
use tokio_util::io::ReaderStream;

use crate::limits::{READ_BYTES, ROAD_BYTES};
use crate::sync::{Failure, FileSlice};

/// What was read for the road so far, and why reading ended early, if it did.
#[derive(Debug, Clone, Default)]
pub(super) struct Handed(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    bytes: AtomicU64,
    broken: OnceLock<String>,
}

impl Handed {
    /// Bytes handed to the road. At most one piece of [`ROAD_BYTES`] of them has not left yet: the next is taken when
    /// the road has room for more.
    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }

    /// A failure of the request, told by its cause: the road sees only that the body ended, also where it was this
    /// phone's file that could not be read to its end.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        match (failure, self.0.broken.get()) {
            (Failure::Lost { .. }, Some(why)) => Failure::NoFile(why.clone()),
            (Failure::Lost { why, .. }, None) => Failure::Lost { why, handed_bytes: self.bytes() },
            (other, _) => other,
        }
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
    let counted = Counted { inner, handed: handed.clone(), length: slice.length };
    Ok(reqwest::Body::wrap_stream(ReaderStream::with_capacity(counted, ROAD_BYTES)))
}

struct Counted<R> {
    inner: R,
    handed: Handed,
    length: u64,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let before = out.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, out);
        let read = out.filled().len() - before;
        let counts = &self.handed.0;
        let sum = counts.bytes.fetch_add(read as u64, Ordering::Relaxed) + read as u64;
        // Only the first reason is kept: it is the cause.
        match &polled {
            Poll::Ready(Err(e)) => drop(counts.broken.set(format!("the file cannot be read: {e}"))),
            Poll::Ready(Ok(())) if read == 0 && out.remaining() > 0 && sum < self.length => {
                drop(counts.broken.set(format!("the file ends after {sum} of {} bytes", self.length)));
            }
            _ => {}
        }
        polled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Some bytes, then an error of the medium.
    struct Failing(bool);

    impl AsyncRead for Failing {
        fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
            if std::mem::replace(&mut self.0, true) {
                return Poll::Ready(Err(std::io::Error::other("input/output error")));
            }
            out.put_slice(&[7; 20]);
            Poll::Ready(Ok(()))
        }
    }

    fn sent<R: AsyncRead + Unpin>(inner: R, length: u64) -> Handed {
        let handed = Handed::default();
        let mut counted = Counted { inner, handed: handed.clone(), length };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let _ = runtime.block_on(counted.read_to_end(&mut Vec::new()));
        handed
    }

    #[test]
    fn what_breaks_on_this_phone_is_no_fault_of_the_road() {
        for (handed, bytes) in [(sent(Failing(false), 500), 20), (sent(&[7; 40][..], 500), 40)] {
            assert_eq!(handed.bytes(), bytes);
            assert!(matches!(handed.explain(Failure::lost("body ended")), Failure::NoFile(_)));
        }
        let whole = sent(&[7; 40][..], 40);
        assert_eq!(whole.explain(Failure::lost("cut")), Failure::Lost { why: "cut".into(), handed_bytes: 40 });
    }
}
