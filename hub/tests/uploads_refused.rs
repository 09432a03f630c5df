//! What is refused before its body was read is answered all the same: over HTTP/2 and HTTP/1.1, to a client that has more
//! to send than the hub wants to take, also to one that sends everything before it listens.

#![allow(clippy::panic)] // Tests may stop loudly.

mod support;

use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, Version};
use support::TestHub;
use support::phone::{Phone, tls_of};
use support::upload::{Sealed, Tus, content, facts, record, seal};
use yenban_protocol::limits::MAX_OBJECT_BYTES;
use yenban_protocol::upload::{CHUNK_TYPE, UPLOADS_PATH, resource};
use yenban_protocol::wire::path;

/// A chunk of the largest size a phone sends.
const BODY_BYTES: usize = 1 << 20;
/// Each case as often: what is lost is lost by a race.
const ROUNDS: usize = 25;

fn client(hub: &TestHub) -> Client {
    let mut tls = tls_of(&hub.hub.keys.certificate);
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let certificates = Client::builder().tls_backend_preconfigured(tls).no_proxy();
    certificates.resolve("hub.yenban", hub.address).build().expect("a client")
}

struct Road<'a> {
    hub: &'a TestHub,
    client: Client,
}

impl Road<'_> {
    async fn send(&self, method: &str, at: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Response {
        let url = format!("https://hub.yenban:{}{at}", self.hub.address.port());
        let mut request = self.client.request(Method::from_bytes(method.as_bytes()).expect("method"), url).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("{method} {at} {headers:?}: {e:?}"));
        assert_eq!(response.version(), Version::HTTP_2);
        response
    }
}

async fn with_photos() -> (TestHub, Phone, Sealed, Sealed) {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let (begun, complete) = (seal(&phone, &content(1, 2_000_000)), seal(&phone, &content(2, 5_000)));
    for file in [&begun, &complete] {
        record(&mut phone, None, facts(file));
    }
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    assert_eq!(tus.create(&begun.hash, begun.bytes.len() as u64).await.status, 201);
    assert_eq!(tus.upload(&complete).await.status, 204);
    (hub, phone, begun, complete)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_early_refusal_arrives() {
    let (hub, _, begun, complete) = with_photos().await;
    let (here, done, none) = (resource(&begun.hash), resource(&complete.hash), resource(&[7; 32]));
    let beyond = MAX_OBJECT_BYTES.to_string();
    let (tus, chunk, zero) = (("tus-resumable", "1.0.0"), ("content-type", CHUNK_TYPE), ("upload-offset", "0"));
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, u16, &'a str);
    let cases: Vec<Case<'_>> = vec![
        ("PATCH", &here, vec![tus, chunk, ("upload-offset", "5")], 409, "wrong_offset"),
        ("PATCH", &none, vec![tus, chunk, zero], 404, "not_found"),
        ("PATCH", &here, vec![tus, chunk, ("upload-offset", &beyond)], 413, "too_large"),
        ("PATCH", &done, vec![tus, chunk, zero], 403, "complete"),
        ("PATCH", &here, vec![tus, zero], 415, "media_type"),
        ("PATCH", &here, vec![tus, chunk, zero, ("content-encoding", "gzip")], 415, "encoding"),
        ("PATCH", &here, vec![tus, chunk], 400, "malformed"),
        ("PATCH", &here, vec![chunk, zero], 412, "tus_version"),
        ("PUT", &here, vec![tus], 405, "method_not_allowed"),
        ("POST", path::SEGMENTS, vec![], 415, "media_type"),
        ("POST", path::SEGMENTS, vec![("content-type", "application/cbor")], 413, "too_large"),
        ("POST", "/nowhere", vec![], 404, "not_found"),
    ];
    let began = Instant::now();
    for round in 0..ROUNDS {
        // A connection of its own now and then: what is lost must not hide behind one that is warm.
        let road = Road { hub: &hub, client: client(&hub) };
        for (method, at, headers, status, code) in &cases {
            let response = road.send(method, at, headers, vec![1; BODY_BYTES]).await;
            assert_eq!(response.status().as_u16(), *status, "{method} {at} {headers:?}, round {round}");
            let of_tus: HeaderMap = response.headers().clone();
            assert_eq!(of_tus.contains_key("tus-resumable"), at.starts_with(UPLOADS_PATH), "{method} {at}");
            let body = response.bytes().await.unwrap_or_else(|e| panic!("{method} {at}, round {round}: {e:?}"));
            let problem: serde_json::Value = serde_json::from_slice(&body).expect("a problem document");
            assert_eq!(problem["code"], *code, "{method} {at}");
        }
    }
    println!("{} refusals of {BODY_BYTES} bytes each in {:?}", ROUNDS * cases.len(), began.elapsed());
    // A connection on which much was refused still works.
    let road = Road { hub: &hub, client: client(&hub) };
    let wrong = [tus, chunk, ("upload-offset", "5")];
    for _ in 0..100 {
        assert_eq!(road.send("PATCH", &here, &wrong, vec![1; BODY_BYTES]).await.status().as_u16(), 409);
    }
    let right = [tus, chunk, zero];
    let good = road.send("PATCH", &here, &right, begun.bytes.clone());
    let good = tokio::time::timeout(Duration::from_secs(30), good).await.expect("the connection is not clogged");
    assert_eq!(good.status().as_u16(), 204);
    drop(road);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_client_that_sends_before_it_listens_is_answered() {
    let (hub, _, begun, _) = with_photos().await;
    let headers = format!("tus-resumable: 1.0.0\r\ncontent-type: {CHUNK_TYPE}\r\nupload-offset: 5\r\n");
    for round in 0..ROUNDS {
        let mut conn = hub.connect().await;
        // Twice: the connection goes on after what was refused.
        for _ in 0..2 {
            let answer = conn.send("PATCH", &resource(&begun.hash), &headers, &vec![1; BODY_BYTES - 1]).await;
            let answer = answer.unwrap_or_else(|e| panic!("round {round}: {e}"));
            assert_eq!((answer.status, answer.code().as_str()), (409, "wrong_offset"), "round {round}");
        }
    }
    hub.stop().await;
}
