//! What is left of a body when a request was answered before it was read.
//!
//! Over HTTP/2 a server that lets go of an unread body resets the stream, and a client that is still sending may take
//! the reset for the end of everything and never look at the answer. So the rest of a body outlives its request: a
//! bounded part of it is read (a client that sends before it listens gets to its end), and what is longer is held,
//! unread, until the answer has surely arrived.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::extract::Request;
use http_body::{Body as HttpBody, Frame, SizeHint};
use http_body_util::BodyExt as _;

use crate::limits::{LEFTOVER_BYTES_MAX, LEFTOVER_TIME};

/// A body whose rest is taken care of when it is dropped.
struct Cared(Option<Body>);

/// Gives a request a body that may be dropped at any time.
pub(super) fn care(request: Request) -> Request {
    request.map(|body| if body.is_end_stream() { body } else { Body::new(Cared(Some(body))) })
}

impl HttpBody for Cared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let frame = std::task::ready!(Pin::new(body).poll_frame(cx));
        if !matches!(frame, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Cared {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        // Outside a runtime there is no stream either.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { drop(tokio::time::timeout(LEFTOVER_TIME, drain(body)).await) });
        }
    }
}

/// Reads what may be read and then waits to be cut off.
async fn drain(mut body: Body) {
    let mut read = 0;
    while let Some(Ok(frame)) = body.frame().await {
        read += frame.data_ref().map_or(0, Bytes::len);
        if read >= LEFTOVER_BYTES_MAX {
            std::future::pending::<()>().await;
        }
    }
}
