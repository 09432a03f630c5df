//! Photographs as a phone seals them, and a client of the upload resource that talks to the router without a network.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request};
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use yenban_hub::app::Hub;
use yenban_hub::server::router;
use yenban_hub::store::ObjectState;
use yenban_protocol::crypto::{Hash, Signer as _, sha256};
use yenban_protocol::id::EntryName;
use yenban_protocol::object::{CHUNK_BYTES, ContentKey, Head};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::record::{Act, PhotoFacts, Preview, PreviewKind, Previews};
use yenban_protocol::upload::{
    CHUNK_TYPE, METADATA_HASH, OBJECTS_PATH, ObjectsAnswer, ObjectsQuestion, RECEIPT_HEADER, UPLOADS_PATH, resource,
};

use super::TestHub;
use super::phone::{Phone, Random, random};

/// A sealed file and what its entry says of it.
#[derive(Clone)]
pub struct Sealed {
    pub plain: Vec<u8>,
    pub bytes: Vec<u8>,
    pub hash: Hash,
}

/// Seals `plain` as the phone does: STREAM over ChaCha20-Poly1305, a head for the hub and for the member's vault.
pub fn seal(phone: &Phone, plain: &[u8]) -> Sealed {
    let key: [u8; 32] = random();
    let prefix: [u8; 7] = random();
    let content = ContentKey::from(key);
    let head = Head::seal(&mut Random, &content, prefix, [&phone.hub_key(), &phone.seal.public_key()]).expect("head");
    let cipher = ChaCha20Poly1305::new(&key.into());
    let mut bytes = head.bytes().to_vec();
    let chunks: Vec<&[u8]> = if plain.is_empty() { vec![&[]] } else { plain.chunks(CHUNK_BYTES).collect() };
    for (n, chunk) in chunks.iter().enumerate() {
        let mut nonce = [0; 12];
        nonce[..7].copy_from_slice(&prefix);
        nonce[7..11].copy_from_slice(&(n as u32).to_be_bytes());
        nonce[11] = u8::from(n + 1 == chunks.len());
        bytes.extend(cipher.encrypt(&Nonce::from(nonce), *chunk).expect("seals"));
    }
    Sealed { plain: plain.to_vec(), hash: sha256(&bytes), bytes }
}

/// The facts of a photograph in this file.
pub fn facts(file: &Sealed) -> PhotoFacts {
    PhotoFacts {
        sha256: sha256(&file.plain),
        size_bytes: file.plain.len() as u64,
        sealed_sha256: file.hash,
        sealed_size_bytes: file.bytes.len() as u64,
        media_type: "image/jpeg".to_owned(),
        from_camera: true,
        ..PhotoFacts::default()
    }
}

/// Records a photograph; gives its entry.
pub fn record(phone: &mut Phone, subject: Option<EntryName>, facts: PhotoFacts) -> EntryName {
    let seq = phone.record(Act::PhotoCaptured { subject, photo: Some(facts) });
    EntryName { log: phone.log, seq }
}

/// Records smaller copies of a photograph.
pub fn record_previews(phone: &mut Phone, photo: EntryName, parent: &Sealed, copies: &[(PreviewKind, &Sealed)]) -> EntryName {
    let made = copies.iter().map(|(kind, file)| Preview {
        kind: *kind,
        sha256: sha256(&file.plain),
        size_bytes: file.plain.len() as u64,
        sealed_sha256: file.hash,
        sealed_size_bytes: file.bytes.len() as u64,
        size_px: (256, 192),
    });
    let previews = Previews { parent_sha256: sha256(&parent.plain), tool: "test".to_owned(), made: made.collect(), missing: None };
    let seq = phone.record(Act::PreviewsMade { photo, previews: Some(previews) });
    EntryName { log: phone.log, seq }
}

/// Plain bytes that look like nothing in particular, the same for the same seed.
pub fn content(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as u8
        })
        .collect()
}

/// An answer with its headers.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    pub fn offset(&self) -> u64 {
        self.header("upload-offset").and_then(|v| v.parse().ok()).ok_or(self).expect("an offset")
    }

    /// The code of a problem document.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).map_err(|_| self).expect("a problem");
        problem["code"].as_str().expect("code").to_owned()
    }

    /// The receipt in the header, its signature checked.
    pub fn receipt(&self, phone: &Phone) -> Option<Receipt> {
        let bytes = BASE64URL_NOPAD.decode(self.header(RECEIPT_HEADER)?.as_bytes()).expect("base64url");
        Some(checked(phone, &bytes))
    }
}

/// A receipt, its signature checked.
pub fn checked(phone: &Phone, bytes: &[u8]) -> Receipt {
    let history = &phone.history.as_ref().expect("enrolled").value;
    yenban_protocol::signed::Signed::verify(bytes, &yenban_protocol::crypto::SoftwareVerifier, |_: &Receipt, id| history.signing_key(id))
        .expect("receipt by the hub")
        .value
}

/// A client without a network.
#[derive(Clone)]
pub struct Tus {
    router: axum::Router,
}

impl Tus {
    pub fn new(hub: &Arc<Hub>) -> Self {
        Self { router: router(Arc::clone(hub)) }
    }

    /// Any request; `tus` says the version unless it is empty.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Reply {
        let mut request = Request::builder().method(Method::from_bytes(method.as_bytes()).expect("method")).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.router.clone().oneshot(request.body(body).expect("request")).await.expect("answer");
        let (parts, body) = response.into_parts();
        Reply { status: parts.status.as_u16(), headers: parts.headers, body: body.collect().await.expect("body").to_bytes() }
    }

    pub async fn create(&self, hash: &Hash, length: u64) -> Reply {
        let metadata = format!("{METADATA_HASH} {}", BASE64.encode(HEXLOWER.encode(hash).as_bytes()));
        let length = length.to_string();
        let headers = [("tus-resumable", "1.0.0"), ("upload-length", length.as_str()), ("upload-metadata", metadata.as_str())];
        self.send("POST", UPLOADS_PATH, &headers, Body::empty()).await
    }

    pub async fn head(&self, hash: &Hash) -> Reply {
        self.send("HEAD", &resource(hash), &[("tus-resumable", "1.0.0")], Body::empty()).await
    }

    pub async fn delete(&self, hash: &Hash) -> Reply {
        self.send("DELETE", &resource(hash), &[("tus-resumable", "1.0.0")], Body::empty()).await
    }

    pub async fn patch(&self, hash: &Hash, offset: u64, bytes: &[u8]) -> Reply {
        self.patch_body(hash, offset, Body::from(bytes.to_vec())).await
    }

    pub async fn patch_body(&self, hash: &Hash, offset: u64, body: Body) -> Reply {
        let offset = offset.to_string();
        let headers = [("tus-resumable", "1.0.0"), ("content-type", CHUNK_TYPE), ("upload-offset", offset.as_str())];
        self.send("PATCH", &resource(hash), &headers, body).await
    }

    pub async fn patch_checked(&self, hash: &Hash, offset: u64, bytes: &[u8], checksum: &str) -> Reply {
        let offset = offset.to_string();
        let headers =
            [("tus-resumable", "1.0.0"), ("content-type", CHUNK_TYPE), ("upload-offset", offset.as_str()), ("upload-checksum", checksum)];
        self.send("PATCH", &resource(hash), &headers, Body::from(bytes.to_vec())).await
    }

    /// Begins and sends a whole file.
    pub async fn upload(&self, file: &Sealed) -> Reply {
        let created = self.create(&file.hash, file.bytes.len() as u64).await;
        assert_eq!(created.status, 201, "{created:?}");
        self.patch(&file.hash, created.offset(), &file.bytes[created.offset() as usize..]).await
    }

    pub async fn objects(&self, hashes: &[Hash]) -> ObjectsAnswer {
        let body = ObjectsQuestion { objects: hashes.to_vec() }.to_bytes();
        let reply = self.send("POST", OBJECTS_PATH, &[("content-type", "application/cbor")], Body::from(body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        ObjectsAnswer::from_bytes(&reply.body).expect("objects answer")
    }
}

/// A body that gives `bytes` frame by frame and then breaks off.
pub fn broken(bytes: Vec<u8>, frame: usize) -> Body {
    let frames: Vec<Result<Bytes, std::io::Error>> = bytes
        .chunks(frame.max(1))
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .chain([Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset))])
        .collect();
    Body::from_stream(futures_util::stream::iter(frames))
}

/// A body that gives `bytes` and then never anything more.
pub fn stalled(bytes: Vec<u8>) -> Body {
    use futures_util::StreamExt as _;
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    Body::from_stream(first.chain(futures_util::stream::pending()))
}

/// A hub, a phone and one photograph whose entry was delivered.
pub async fn with_photo(len: usize) -> (TestHub, Phone, Sealed, Tus) {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let file = seal(&phone, &content(1, len));
    record(&mut phone, None, facts(&file));
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    (hub, phone, file, tus)
}

pub async fn state(hub: &TestHub, file: &Sealed) -> ObjectState {
    hub.hub.store.objects_named(vec![file.hash]).await.expect("rows").first().expect("a row").state
}

/// What lies in storage under an object's row, opened.
pub async fn kept(hub: &TestHub, file: &Sealed) -> Vec<u8> {
    let rows = hub.hub.store.objects_named(vec![file.hash]).await.expect("rows");
    let stored = rows[0].stored.clone().expect("stored");
    let mut plain = Vec::new();
    let read = yenban_hub::storage::sealed::read(hub.hub.storage.as_ref(), &stored, |part| {
        plain.extend_from_slice(part);
        Ok(())
    });
    let read = read.await.expect("reads");
    assert_eq!(read, yenban_hub::storage::sealed::Read::Whole(sha256(&plain), plain.len() as u64));
    plain
}
