//! One hub, reached over whichever of its addresses answers; bounded in time and in bytes.
//!
//! Slices of files are streamed from the disk, and what is handed to the road is counted. Over HTTP/2 the hub's window
//! bounds how much of that can be on its way unread (docs/adr/0013).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use tokio::sync::watch;
use yenban_protocol::crypto::{Hash, SoftwareVerifier};
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::limits::MAX_ANSWER_BYTES;
use yenban_protocol::signed::Signed;
use yenban_protocol::upload::RECEIPT_HEADER;
use yenban_protocol::wire::{KeysAnswer, MEDIA_TYPE, path};

use super::slice::{self, Handed};
use super::tls::Pin;
use crate::error::{Error, Result};
use crate::limits::{
    ANSWER_HEADERS_MAX_BYTES, CONNECT_TIMEOUT_MS, PROBLEM_MAX_BYTES, REQUEST_TIMEOUT_MS, RETRY_AFTER_MAX_MS, SYNC_IN_FLIGHT,
};
use crate::sync::{Body, Failure, Method, Problem, Reply, Request};

const PROBLEM_TYPE: &str = "application/problem+json";

/// A hub behind a pin.
pub struct HubClient {
    http: reqwest::Client,
    pin: Arc<Pin>,
    addresses: Vec<String>,
    /// The address that answered last.
    preferred: AtomicUsize,
    /// Whether anything was ever answered.
    answered: AtomicBool,
    /// The last connection that did not come about, for those that wait for it too.
    unconnected: watch::Sender<Option<(String, Failure)>>,
}

impl HubClient {
    /// A client that speaks only to a holder of a TLS key of `history`.
    ///
    /// # Errors
    /// No address, or TLS settings that the system refuses.
    pub fn pinned(history: &KeyHistory, addresses: &[String]) -> Result<HubClient> {
        Self::with(Pin::new(Some(history.clone())), addresses)
    }

    fn with(pin: Arc<Pin>, addresses: &[String]) -> Result<HubClient> {
        if addresses.is_empty() {
            return Err(Error::invalid("hub", "it has no address"));
        }
        let tls = pin.config().map_err(|e| Error::Offline(e.to_string()))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(Duration::from_millis(CONNECT_TIMEOUT_MS))
            .timeout(Duration::from_millis(REQUEST_TIMEOUT_MS))
            // Requests that leave together share one connection: a second handshake costs a thin link a second.
            .http2_prior_knowledge()
            .pool_max_idle_per_host(SYNC_IN_FLIGHT)
            .http2_max_header_list_size(ANSWER_HEADERS_MAX_BYTES)
            .user_agent(concat!("yenban/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Error::Offline(sentence(&e)))?;
        Ok(HubClient {
            http,
            pin,
            addresses: addresses.to_vec(),
            preferred: AtomicUsize::new(0),
            answered: AtomicBool::new(false),
            unconnected: watch::Sender::new(None),
        })
    }

    /// Fetches the key history from a hub whose key is not known yet, and believes it only if the commune of
    /// `root_hash` signed it and the connection's own key stands in it. Tries every address.
    ///
    /// # Errors
    /// [`Error::Offline`]; [`Error::Refused`] with code `hub_mismatch` when somebody else answers.
    pub async fn bootstrap(root_hash: &Hash, addresses: &[String]) -> Result<Signed<KeyHistory>> {
        let mut last = Error::invalid("hub", "it has no address");
        for address in addresses {
            // A client of its own: it makes one connection, so the key seen is that connection's.
            let client = Self::with(Pin::new(None), std::slice::from_ref(address))?;
            match client.fetch_history(root_hash).await {
                Ok(history) => return Ok(history),
                Err(e) => last = e,
            }
        }
        Err(last)
    }

    async fn fetch_history(&self, root_hash: &Hash) -> Result<Signed<KeyHistory>> {
        let request = Request::alone(Method::Get, path::KEYS, Vec::new());
        let reply = self.carry(&request).await.map_err(offline)?;
        let reply = answered(reply)?;
        let mismatch = |why: String| Error::Refused { code: "hub_mismatch".into(), detail: why };
        let answer = KeysAnswer::from_bytes(&reply).map_err(|e| mismatch(format!("what answers is no hub: {e}")))?;
        let history = KeyHistory::verify(&answer.history, &SoftwareVerifier, root_hash)
            .map_err(|_| mismatch("what answers is not the hub of this commune: its keys are not signed by the commune root".into()))?;
        let known = self.pin.seen().is_some_and(|key| history.value.allows_tls(&key));
        if !known {
            return Err(mismatch("somebody stands between this phone and the hub: the connection's key is not the hub's".into()));
        }
        Ok(history)
    }

    /// Carries one request: to the address that answered last, else to the others in order.
    ///
    /// # Errors
    /// A [`Failure`] that says whether anything was sent.
    pub async fn carry(&self, request: &Request) -> Result<Reply, Failure> {
        let start = self.preferred.load(Ordering::Relaxed);
        let mut last = Failure::Unreachable("the hub has no address".into());
        for step in 0..self.addresses.len() {
            let index = (start + step) % self.addresses.len();
            match self.carry_to(&self.addresses[index], request).await {
                Err(failure @ (Failure::Unreachable(_) | Failure::WrongHub(_))) => last = failure,
                other => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return other;
                }
            }
        }
        Err(last)
    }

    async fn carry_to(&self, address: &str, request: &Request) -> Result<Reply, Failure> {
        let url = format!("https://{address}{}", request.path);
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut http = self.http.request(method, url);
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        let handed = Handed::default();
        http = match &request.body {
            Body::Bytes(bytes) if bytes.is_empty() => http,
            Body::Bytes(bytes) => http.header(CONTENT_TYPE, MEDIA_TYPE).body(bytes.clone()),
            Body::File(part) => {
                let body = slice::body(part, &handed).await.map_err(|e| Failure::NoFile(e.to_string()))?;
                http.header(CONTENT_LENGTH, part.length).body(body)
            }
        };
        let response = self.connected(address, http).await.map_err(|failure| handed.explain(failure))?;
        let reply = read(response).await.map_err(|failure| handed.explain(failure))?;
        Ok(Reply { handed_bytes: handed.bytes(), ..reply })
    }

    /// Sends a request. While no connection ever stood, all requests wait for the same one: what keeps it from coming about
    /// is told to all of them at once, or each would try for itself until its time is up.
    async fn connected(&self, address: &str, request: reqwest::RequestBuilder) -> Result<reqwest::Response, Failure> {
        let mut others = self.unconnected.subscribe();
        let sent = request.send();
        tokio::pin!(sent);
        let result = tokio::select! {
            biased;
            result = &mut sent => result,
            failure = told(address, &mut others), if !self.answered.load(Ordering::Relaxed) => return Err(failure),
        };
        if result.is_ok() {
            self.answered.store(true, Ordering::Relaxed);
        }
        result.map_err(|e| {
            let failure = self.failure(&e);
            if matches!(failure, Failure::Unreachable(_) | Failure::WrongHub(_)) {
                self.unconnected.send_replace(Some((address.to_owned(), failure.clone())));
            }
            failure
        })
    }

    fn failure(&self, error: &reqwest::Error) -> Failure {
        if error.is_connect() && self.pin.met_a_stranger() {
            return Failure::WrongHub("the key of whoever answers is not among the hub's keys".into());
        }
        if error.is_connect() || error.is_builder() {
            return Failure::Unreachable(sentence(error));
        }
        Failure::lost(sentence(error))
    }
}

/// The next failure at `address` that another request tells of; never ends without one.
async fn told(address: &str, others: &mut watch::Receiver<Option<(String, Failure)>>) -> Failure {
    loop {
        if others.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
        // What keeps one address from answering says nothing of the next.
        if let Some((at, failure)) = others.borrow_and_update().clone()
            && at == address
        {
            return failure;
        }
    }
}

/// The body of a good answer, or the error that a problem document stands for.
pub(super) fn answered(reply: Reply) -> Result<Vec<u8>> {
    match (reply.status, reply.problem) {
        (200, None) => Ok(reply.body),
        (_, Some(problem)) => Err(Error::Refused { code: problem.code, detail: problem.detail }),
        (status, None) => Err(Error::Refused { code: format!("status_{status}"), detail: format!("the hub answered {status}") }),
    }
}

pub(super) fn offline(failure: Failure) -> Error {
    match failure {
        Failure::Unreachable(why) | Failure::Lost { why, .. } | Failure::NoFile(why) => Error::Offline(why),
        Failure::WrongHub(why) => Error::Refused { code: "hub_mismatch".into(), detail: why },
    }
}

async fn read(mut response: reqwest::Response) -> Result<Reply, Failure> {
    let status = response.status().as_u16();
    let header = |name: &str| response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned();
    let (kind, retry) = (header(CONTENT_TYPE.as_str()), header(RETRY_AFTER.as_str()));
    let number = |name| header(name).parse::<u64>().ok();
    let facts = Reply {
        status,
        retry_after_ms: retry.parse::<u64>().ok().map(|s| s.saturating_mul(1_000).min(RETRY_AFTER_MAX_MS)),
        upload_offset: number("upload-offset"),
        receipt: data_encoding::BASE64URL_NOPAD.decode(header(RECEIPT_HEADER).as_bytes()).ok().filter(|bytes| !bytes.is_empty()),
        ..Reply::default()
    };
    let is_problem = kind.starts_with(PROBLEM_TYPE);
    // Whatever is not for us is not read to its end: a captive portal has pages of any length.
    let limit = if kind.starts_with(MEDIA_TYPE) { MAX_ANSWER_BYTES } else { PROBLEM_MAX_BYTES };
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|e| Failure::lost(sentence(&e)))? {
        if body.len() + chunk.len() > limit {
            return Err(Failure::lost(format!("an answer of more than {limit} bytes was not read")));
        }
        body.extend_from_slice(&chunk);
    }
    // An answer that says all in its status and headers.
    let bare = body.is_empty() && (200..300).contains(&status);
    if kind.starts_with(MEDIA_TYPE) || bare {
        return Ok(Reply { body, ..facts });
    }
    let problem = if is_problem { parse_problem(&body) } else { None };
    let problem = problem.unwrap_or_else(|| Problem {
        code: format!("status_{status}"),
        detail: format!("the hub answered {status} in a form that is not its own"),
    });
    Ok(Reply { problem: Some(problem), ..facts })
}

fn parse_problem(body: &[u8]) -> Option<Problem> {
    let value: serde_json::Value = serde_json::from_slice(body).ok()?;
    let text = |key: &str| value.get(key).and_then(serde_json::Value::as_str).map(str::to_owned);
    Some(Problem { code: text("code")?, detail: text("detail").or_else(|| text("title")).unwrap_or_default() })
}

/// An error with what is behind it: the outer one alone says only that something failed.
fn sentence(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut inner = std::error::Error::source(error);
    while let Some(cause) = inner {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        inner = cause.source();
    }
    text
}
