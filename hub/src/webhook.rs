//! Another program is told when a report is complete: all that its phone announced is here and verified.
//!
//! What is told is opaque (a report's name and state); whoever wants more asks the hub for it, with rights of its own. The
//! form is that of Standard Webhooks: `webhook-id`, `webhook-timestamp` and `webhook-signature`, an HMAC-SHA256 over id,
//! moment and body, so that a receiver needs no code of ours. It comes at least once: the id is the same at each try, and
//! a receiver that knows it already passes it over.
//!
//! Where to is the operator's alone: `webhook.json` in the hub's folder, readable by its owner only. No page and no
//! report can name or change an address. Nothing leads elsewhere: no redirect is followed, no proxy asked, an answer's
//! body is not read; HTTPS goes only to the certificate that the file names, plain HTTP only to this machine itself.

use std::net::IpAddr;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

use aws_lc_rs::hmac;
use data_encoding::BASE64;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::json;
use yenban_protocol::crypto::sha256;

use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{HubError, Refusal, Result};
use crate::folder::read_small;
use crate::limits::{HOOK_TIME, HOOK_WAITS_MS, HOOKS_AT_ONCE};
use crate::store::ListQuery;
use crate::store::hooks::{HookEnd, HookRow};
use crate::triage::find;

/// Who did it, in the record.
const HUB: &str = "hub";
/// Bytes of a secret, at least.
const SECRET_MIN_BYTES: usize = 24;
/// How secrets of Standard Webhooks begin.
const SECRET_PREFIX: &str = "whsec_";

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    url: String,
    secret: String,
    /// Certificates in PEM, of the receiver or of who vouches for it.
    #[serde(default)]
    certificate: Option<String>,
}

/// Where to tell, and how.
struct Hook {
    url: Url,
    secret: hmac::Key,
    client: Client,
}

fn wrong(hub: &Hub, what: &str) -> HubError {
    HubError::folder(hub.folder.webhook(), what.to_owned())
}

/// What the operator wrote; `None`: nobody is to be told.
fn read(hub: &Hub) -> Result<Option<Hook>> {
    let path = hub.folder.webhook();
    let about = match std::fs::symlink_metadata(&path) {
        Ok(about) => about,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(HubError::file(&path)(e)),
    };
    if !about.is_file() || about.mode() & 0o077 != 0 {
        return Err(wrong(hub, "holds a secret: make it a file that its owner alone may read (chmod 600)"));
    }
    let written: Written =
        serde_json::from_slice(&read_small(&path)?).map_err(|_| wrong(hub, "is not { \"url\": ..., \"secret\": \"whsec_...\" }"))?;
    let url = Url::parse(&written.url).map_err(|_| wrong(hub, "has no address in `url`"))?;
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err(wrong(hub, "has a name, password or fragment in `url`: the signature says who tells"));
    }
    let here = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok()).is_some_and(|ip| ip.is_loopback());
    let certificate = written.certificate.as_deref().unwrap_or_default();
    match url.scheme() {
        "https" if certificate.is_empty() => return Err(wrong(hub, "needs the receiver's certificate (PEM) in `certificate`")),
        "https" => {}
        "http" if here => {}
        _ => return Err(wrong(hub, "has an address that is neither https nor http to 127.0.0.1 or ::1")),
    }
    let secret = written.secret.strip_prefix(SECRET_PREFIX).and_then(|text| BASE64.decode(text.as_bytes()).ok());
    let secret = secret.filter(|bytes| bytes.len() >= SECRET_MIN_BYTES);
    let secret = secret.ok_or_else(|| wrong(hub, "has no secret of 24 bytes or more (whsec_ and Base64)"))?;
    let client = client(certificate).map_err(|what| wrong(hub, &what))?;
    Ok(Some(Hook { url, secret: hmac::Key::new(hmac::HMAC_SHA256, &secret), client }))
}

fn client(certificate: &str) -> std::result::Result<Client, String> {
    let mut roots = RootCertStore::empty();
    for one in CertificateDer::pem_slice_iter(certificate.as_bytes()) {
        let one = one.map_err(|e| format!("has a certificate that cannot be read: {e}"))?;
        roots.add(one).map_err(|e| format!("has a certificate that cannot be used: {e}"))?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(|e| format!("TLS: {e}"))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::builder()
        .tls_backend_preconfigured(tls)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(HOOK_TIME)
        .build()
        .map_err(|e| format!("client: {e}"))
}

/// Tells of every report that is due; how many receivers took.
///
/// # Errors
/// When the file is wrong or the store fails. A receiver that fails is tried again later.
pub async fn tell(hub: &Arc<Hub>) -> Result<u64> {
    let Some(hook) = read(hub)? else {
        if !hub.store.hooks_due(i64::MAX, 1).await?.is_empty() {
            hub.store.forget_hooks().await?;
        }
        return Ok(0);
    };
    let mut told = 0;
    for row in hub.store.hooks_due(hub.now_ms(), HOOKS_AT_ONCE).await? {
        let end = match find(hub, &row.incident.entry.to_string(), ListQuery::default()).await {
            Ok(report) if report.complete || (report.attachments == 0 && report.photos == 0 && report.report == "here") => {
                one(hub, &hook, row, &report.state).await?
            }
            Ok(_) => HookEnd::NotYet,
            Err(HubError::Refused(Refusal::NotFound { .. })) => HookEnd::NotYet,
            Err(error) => return Err(error),
        };
        told += u64::from(end == HookEnd::Over);
        hub.store.hook_ended(row.incident, end).await?;
        if matches!(end, HookEnd::Again { .. }) {
            // Whoever does not answer one does not answer the next either: the others wait with it.
            break;
        }
    }
    Ok(told)
}

/// The same for the same report at each try, and nothing that could be guessed from another.
fn event_id(report: &str) -> String {
    let hash = sha256(format!("yenban report.complete {report}").as_bytes());
    format!("msg_{}", data_encoding::HEXLOWER.encode(hash.get(..16).unwrap_or_default()))
}

async fn one(hub: &Hub, hook: &Hook, row: HookRow, state: &str) -> Result<HookEnd> {
    let now_ms = hub.now_ms();
    let name = row.incident.entry.to_string();
    let (id, at) = (event_id(&name), (now_ms / 1_000).to_string());
    let body = json!({ "type": "report.complete", "timestamp": rfc3339(now_ms), "data": { "id": name, "state": state } }).to_string();
    let signed = hmac::sign(&hook.secret, format!("{id}.{at}.{body}").as_bytes());
    let request = hook
        .client
        .post(hook.url.clone())
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", &at)
        .header("webhook-signature", format!("v1,{}", BASE64.encode(signed.as_ref())))
        .body(body);
    let why = match request.send().await {
        Ok(answer) if answer.status().is_success() => return Ok(HookEnd::Over),
        Ok(answer) => answer.status().to_string(),
        // Without the address: it stands in the file, and logs go further than the file.
        Err(error) => error.without_url().to_string(),
    };
    tracing::warn!(report = name, tries = row.tries + 1, why, "the webhook's receiver did not take it");
    match HOOK_WAITS_MS.get(row.tries as usize) {
        Some(wait_ms) => Ok(HookEnd::Again { next_ms: now_ms + wait_ms }),
        None => {
            hub.note(HUB, "webhook given up", &name, "").await?;
            Ok(HookEnd::Over)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_keeps_its_id_and_has_its_own() {
        assert_eq!(event_id("0102030405060708:3"), event_id("0102030405060708:3"));
        assert_ne!(event_id("0102030405060708:3"), event_id("0102030405060708:4"));
        assert_eq!(event_id("a").len(), 36);
    }
}
