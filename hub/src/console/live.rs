//! The inbox while it stays open: server-sent events that say how many reports came since the page was made, and which
//! lines changed. They say numbers and states, never content; the page asks for everything else as always.
//!
//! A stream ends with its session (looking on is not being at work: it keeps no session alive), with a stop of the hub,
//! and when nobody reads it. Streams are bounded; a page that gets none works as it did before.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use yenban_locales::Words;

use super::guard::{Asked, May, Read};
use super::thread;
use crate::access::{self, Session};
use crate::app::Hub;
use crate::error::Result;
use crate::limits::LIVE_BEAT;
use crate::live::{Happened, Listening};
use crate::triage::find;

/// What a page says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Since {
    since: i64,
}

/// One stream.
struct Stream {
    hub: Arc<Hub>,
    session: Session,
    words: Words,
    since: i64,
    place: Listening,
    begun: bool,
    over: bool,
}

/// The events of one page.
pub(super) async fn stream(State(hub): State<Arc<Hub>>, asked: Asked, May(session, _): May<Read>, Query(from): Query<Since>) -> Response {
    let Some(place) = hub.live.listen(session.key) else { return StatusCode::SERVICE_UNAVAILABLE.into_response() };
    let stream = Stream { hub, session, words: asked.words, since: from.since, place, begun: false, over: false };
    let body = futures_util::stream::unfold(stream, |mut stream| async move {
        let text = stream.next().await?;
        Some((Ok::<_, Infallible>(text), stream))
    });
    let mut response = Response::new(Body::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// One event; its data is one line of JSON.
fn event(name: &str, data: &serde_json::Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

impl Stream {
    /// The next piece; `None`: it is over.
    async fn next(&mut self) -> Option<String> {
        if self.over {
            return None;
        }
        if !self.begun {
            self.begun = true;
            // What came between the page and this stream, if anything; and how soon to come back.
            let arrived = self.arrived().await.ok()?;
            return Some(format!("retry: 5000\n\n{}", arrived.unwrap_or_default()));
        }
        loop {
            let happened = tokio::select! {
                biased;
                _ = self.place.ended.wait_for(|ended| *ended) => return None,
                happened = self.place.news.recv() => match happened {
                    Ok(happened) => Some(vec![happened]),
                    Err(RecvError::Lagged(_)) => Some(vec![Happened::Arrived]),
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep(LIVE_BEAT) => None,
            };
            match access::still(&self.hub, &self.session).await {
                Ok(true) => {}
                // The page learns that it is over, and does not come back by itself.
                Ok(false) => {
                    self.over = true;
                    return Some(event("over", &json!({ "told": self.words.word("incident-live-over") })));
                }
                Err(_) => return None,
            }
            let Some(happened) = happened else { return Some(": beat\n\n".to_owned()) };
            match self.told(happened).await {
                Ok(text) if text.is_empty() => {}
                Ok(text) => return Some(text),
                Err(_) => return None,
            }
        }
    }

    async fn told(&mut self, mut happened: Vec<Happened>) -> Result<String> {
        // A whole patrol may come at once: it is one look, not a hundred.
        loop {
            match self.place.news.try_recv() {
                Ok(one) if !happened.contains(&one) => happened.push(one),
                Ok(_) => {}
                Err(TryRecvError::Lagged(_)) => happened.push(Happened::Arrived),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let mut text = String::new();
        for one in &happened {
            if let Happened::Changed(name) = one
                // What is not in reach is not there.
                && let Ok(row) = find(&self.hub, &name.to_string(), self.session.query()).await
            {
                let state = thread::state(self.words, &row.state);
                let told = self.words.word("incident-live-changed");
                text.push_str(&event("changed", &json!({ "id": row.id, "state": state, "told": told })));
            }
        }
        if happened.contains(&Happened::Arrived) {
            text.push_str(&self.arrived().await?.unwrap_or_default());
        }
        Ok(text)
    }

    /// How many came since the page was made, if any.
    async fn arrived(&self) -> Result<Option<String>> {
        let (_, n, urgent) = self.hub.store.arrived(self.session.query(), self.since).await?;
        let told = |id: &str, n: u64| self.words.say(id, &[("n", n.into())]);
        Ok((n > 0).then(|| {
            let urgent = (urgent > 0).then(|| told("incident-live-urgent", urgent));
            event("arrived", &json!({ "n": n, "told": told("incident-live-new", n), "urgent": urgent }))
        }))
    }
}
