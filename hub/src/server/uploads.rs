//! The upload resource: tus 1.0 (core, creation, checksum, expiration, termination) under `/v1/uploads`, and the question
//! about many files at once. What happens to the bytes stands in [`crate::upload`]; here stands how tus says it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{options, post};
use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use yenban_protocol::crypto::Hash;
use yenban_protocol::limits::{MAX_OBJECT_BYTES, MAX_REQUEST_BYTES};
use yenban_protocol::upload::{
    CHUNK_TYPE, METADATA_HASH, OBJECTS_PATH, ObjectsQuestion, RECEIPT_HEADER, TUS_VERSION, UPLOADS_PATH, resource,
};

use super::answer;
use super::routes::{Shared, body};
use crate::clock::http_date;
use crate::error::{HubError, Refusal, Result};
use crate::limits::UPLOAD_METADATA_MAX_BYTES;
use crate::upload::{self, Checksum, Standing};

const EXTENSIONS: &str = "creation,checksum,expiration,termination";
const ALGORITHMS: &str = "sha1,sha256";
const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_DEFER_LENGTH: HeaderName = HeaderName::from_static("upload-defer-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const UPLOAD_CHECKSUM: HeaderName = HeaderName::from_static("upload-checksum");
const UPLOAD_EXPIRES: HeaderName = HeaderName::from_static("upload-expires");

/// The routes of uploads.
pub(super) fn router() -> Router<Shared> {
    let uploads = Router::new()
        .route(UPLOADS_PATH, options(abilities).post(create))
        .route(&format!("{UPLOADS_PATH}/{{id}}"), options(abilities).head(stand).patch(chunk).delete(terminate))
        .layer(middleware::from_fn(speak_tus));
    uploads.route(OBJECTS_PATH, post(objects))
}

/// Whether a request is a chunk: those have their own rule of time.
pub(super) fn is_chunk(method: &Method, path: &str) -> bool {
    method == Method::PATCH && path.starts_with(UPLOADS_PATH)
}

/// Every answer at the address of an upload says which version is spoken here, whoever gives it.
pub(super) fn say_version(response: &mut Response) {
    response.headers_mut().insert(TUS_RESUMABLE, HeaderValue::from_static(TUS_VERSION));
}

/// Every request but `OPTIONS` says which version it speaks.
async fn speak_tus(request: Request, next: Next) -> Response {
    let speaks = request.headers().get(TUS_RESUMABLE).is_some_and(|version| version.as_bytes() == TUS_VERSION.as_bytes());
    let (asked, head) = (request.method() == Method::OPTIONS, request.method() == Method::HEAD);
    let mut response = if asked || speaks {
        next.run(request).await
    } else {
        let mut response = Refusal::TusVersion.into_response();
        response.headers_mut().insert("tus-version", HeaderValue::from_static(TUS_VERSION));
        response
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if head {
        // An answer to HEAD has no body, also when it tells of a problem: the status says which.
        *response.body_mut() = Body::empty();
        response.headers_mut().remove(CONTENT_LENGTH);
    }
    response
}

/// `OPTIONS`: what is spoken here.
async fn abilities() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert("tus-version", HeaderValue::from_static(TUS_VERSION));
    headers.insert("tus-extension", HeaderValue::from_static(EXTENSIONS));
    headers.insert("tus-checksum-algorithm", HeaderValue::from_static(ALGORITHMS));
    headers.insert("tus-max-size", HeaderValue::from(MAX_OBJECT_BYTES));
    response
}

/// `POST`: begins an upload, or finds the one there is.
async fn create(State(Shared { hub, .. }): State<Shared>, request: Request) -> Result<Response> {
    let headers = request.headers();
    if headers.contains_key(UPLOAD_DEFER_LENGTH) {
        return Err(invalid("Upload-Defer-Length", "the length is known before: send Upload-Length"));
    }
    if number(headers, &CONTENT_LENGTH)?.is_some_and(|n| n > 0) {
        return Err(invalid("body", "bytes are sent by PATCH, not when the upload is made"));
    }
    let length = number(headers, &UPLOAD_LENGTH)?.ok_or_else(|| invalid("Upload-Length", "is missing"))?;
    let sealed = hash_in(headers)?;
    let standing = upload::begin(&hub, sealed, length).await?;
    let mut response = StatusCode::CREATED.into_response();
    let location = HeaderValue::from_str(&resource(&sealed)).map_err(|e| HubError::Network(e.to_string()))?;
    response.headers_mut().insert(LOCATION, location);
    stands(&mut response, &standing);
    Ok(response)
}

/// `HEAD`: how far it is.
async fn stand(State(Shared { hub, .. }): State<Shared>, Path(id): Path<String>) -> Result<Response> {
    let sealed = hash_of(&id)?;
    let standing = match upload::stand(&hub, sealed).await {
        // Who asks for an upload gets the same answer for all that is not there.
        Err(HubError::Refused(Refusal::NotNamed)) => return Err(nothing(&id)),
        other => other?,
    };
    let mut response = StatusCode::OK.into_response();
    stands(&mut response, &standing);
    let metadata = format!("{METADATA_HASH} {}", BASE64.encode(id.as_bytes()));
    let headers = response.headers_mut();
    headers.insert(UPLOAD_LENGTH, HeaderValue::from(standing.length));
    headers.insert(UPLOAD_METADATA, HeaderValue::from_str(&metadata).map_err(|e| HubError::Network(e.to_string()))?);
    Ok(response)
}

/// `PATCH`: a chunk.
async fn chunk(State(Shared { hub, .. }): State<Shared>, Path(id): Path<String>, request: Request) -> Result<Response> {
    let sealed = hash_of(&id)?;
    let headers = request.headers();
    if headers.get(CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != CHUNK_TYPE.as_bytes()) {
        return Err(Refusal::ChunkType.into());
    }
    let offset = number(headers, &UPLOAD_OFFSET)?.ok_or_else(|| invalid("Upload-Offset", "is missing"))?;
    let checksum = match headers.get(UPLOAD_CHECKSUM).map(|value| value.to_str().ok().and_then(Checksum::parse)) {
        None => None,
        Some(None) => return Err(invalid("Upload-Checksum", "is sha1 or sha256 and its value in base64")),
        Some(checksum) => checksum,
    };
    // A chunk that cannot fit is refused before a byte of it is taken.
    if let Some(length) = number(headers, &CONTENT_LENGTH)?
        && offset.saturating_add(length) > MAX_OBJECT_BYTES
    {
        return Err(Refusal::TooLarge(format!("files of at most {MAX_OBJECT_BYTES} bytes are taken")).into());
    }
    let received = match upload::receive(Arc::clone(&hub), sealed, offset, checksum, request.into_body()).await {
        Err(HubError::Refused(Refusal::NotNamed)) => return Err(nothing(&id)),
        other => other?,
    };
    let mut response = match received.refused {
        None => StatusCode::NO_CONTENT.into_response(),
        Some(error) => error.into_response(),
    };
    stands(&mut response, &received.standing);
    Ok(response)
}

/// `DELETE`: gives an unfinished upload up.
async fn terminate(State(Shared { hub, .. }): State<Shared>, Path(id): Path<String>) -> Result<Response> {
    match upload::terminate(&hub, hash_of(&id)?).await {
        Err(HubError::Refused(Refusal::NotNamed)) => Err(nothing(&id)),
        other => other.map(|()| StatusCode::NO_CONTENT.into_response()),
    }
}

/// `POST /v1/objects`.
async fn objects(State(Shared { hub, .. }): State<Shared>, request: Request) -> Result<Response> {
    let question = ObjectsQuestion::from_bytes(&body(request, MAX_REQUEST_BYTES).await?)?;
    Ok(answer::cbor(StatusCode::OK, upload::asked(&hub, &question).await?.to_bytes()))
}

/// How an upload stands, as headers.
fn stands(response: &mut Response, standing: &Standing) {
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, HeaderValue::from(standing.offset));
    if let Some(expires) = standing.expires_ms.and_then(|ms| HeaderValue::from_str(&http_date(ms)).ok()) {
        headers.insert(UPLOAD_EXPIRES, expires);
    }
    if let Some(receipt) = &standing.receipt
        && let Ok(value) = HeaderValue::from_str(&BASE64URL_NOPAD.encode(receipt))
    {
        headers.insert(HeaderName::from_static(RECEIPT_HEADER), value);
    }
}

fn invalid(field: &'static str, reason: &str) -> HubError {
    HubError::from(Refusal::Malformed(format!("{field}: {reason}")))
}

fn nothing(id: &str) -> HubError {
    Refusal::NotFound { what: "upload", name: id.to_owned() }.into()
}

/// The hash in a path: exactly 64 lower-case digits, anything else is not there.
fn hash_of(id: &str) -> Result<Hash> {
    let none = || HubError::from(Refusal::NotFound { what: "upload", name: "of this form".to_owned() });
    HEXLOWER.decode(id.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(none)
}

/// A header that is a plain number.
fn number(headers: &HeaderMap, name: &HeaderName) -> Result<Option<u64>> {
    let Some(value) = headers.get(name) else { return Ok(None) };
    let digits = value.to_str().ok().filter(|text| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let number = digits.and_then(|text| text.parse().ok());
    number.map(Some).ok_or_else(|| Refusal::Malformed(format!("{name} is a whole number")).into())
}

/// The sealed hash in `Upload-Metadata`. Other keys are nobody's business here.
fn hash_in(headers: &HeaderMap) -> Result<Hash> {
    let metadata = headers.get(UPLOAD_METADATA).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if metadata.len() > UPLOAD_METADATA_MAX_BYTES {
        return Err(Refusal::TooLarge("Upload-Metadata".to_owned()).into());
    }
    let missing = || invalid("Upload-Metadata", "has sealed_sha256, the hash of the sealed file as 64 hexadecimal digits in base64");
    let value = metadata.split(',').find_map(|pair| pair.trim().strip_prefix(METADATA_HASH)?.strip_prefix(' ')).ok_or_else(missing)?;
    let text = BASE64.decode(value.trim().as_bytes()).map_err(|_| missing())?;
    HEXLOWER.decode(&text).ok().and_then(|bytes| bytes.try_into().ok()).ok_or_else(missing)
}
