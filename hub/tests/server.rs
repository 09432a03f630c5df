//! The edge: what strangers can send, and that a stop finishes what was begun.

mod support;

use std::time::Duration;

use support::TestHub;
use support::phone::Conn;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use yenban_protocol::keys::KeyHistory;
use yenban_protocol::wire::{KeysAnswer, path};

#[tokio::test(flavor = "multi_thread")]
async fn every_wrong_request_has_its_status_and_code() {
    let hub = TestHub::start().await;
    let cbor = "content-type: application/cbor\r\n";
    let cases = [
        ("GET", "/v1", "", 404, "not_found"),
        ("GET", "/v1/%2e%2e/keys", "", 404, "not_found"),
        ("GET", "/v1/keys/", "", 404, "not_found"),
        ("GET", path::SEGMENTS, "", 405, "method_not_allowed"),
        ("DELETE", path::KEYS, "", 405, "method_not_allowed"),
        ("POST", path::SEGMENTS, "", 415, "media_type"),
        ("POST", path::SEGMENTS, "content-type: text/plain\r\n", 415, "media_type"),
        ("POST", path::SEGMENTS, "content-type: application/cbor\r\ncontent-encoding: gzip\r\n", 415, "encoding"),
        ("POST", path::ENROL, cbor, 400, "malformed"),
        ("POST", path::FEED, cbor, 400, "malformed"),
    ];
    for (method, at, headers, status, code) in cases {
        let mut conn = hub.connect().await;
        let answer = conn.send(method, at, headers, b"x").await.expect("answer");
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{method} {at} {headers}");
    }
    let mut conn = hub.connect().await;
    let long = format!("/v1/{}", "a".repeat(64 * 1024));
    let answer = conn.get(&long).await.map(|a| a.status).unwrap_or(400);
    assert!((400..500).contains(&answer), "a path of 64 KiB: {answer}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_counted_on_the_stream() {
    let hub = TestHub::start().await;
    let most = yenban_protocol::limits::MAX_SEGMENT_BYTES;
    // As the header claims.
    let mut conn = hub.connect().await;
    let head =
        format!("POST {} HTTP/1.1\r\nhost: hub\r\ncontent-type: application/cbor\r\ncontent-length: {}\r\n\r\n", path::SEGMENTS, most + 1);
    conn.raw(head.as_bytes()).await.expect("sent");
    assert_eq!(conn.answer().await.expect("answer").code(), "too_large");
    // And when it claims nothing.
    let mut conn = hub.connect().await;
    let head =
        format!("POST {} HTTP/1.1\r\nhost: hub\r\ncontent-type: application/cbor\r\ntransfer-encoding: chunked\r\n\r\n", path::SEGMENTS);
    conn.raw(head.as_bytes()).await.expect("sent");
    let chunk = vec![0u8; 64 * 1024];
    for _ in 0..=most / chunk.len() + 1 {
        let sent = conn.raw(&[format!("{:x}\r\n", chunk.len()).as_bytes(), &chunk, b"\r\n"].concat()).await;
        if sent.is_err() {
            break;
        }
    }
    assert_eq!(conn.answer().await.expect("answer").code(), "too_large");
    // Smuggling: two lengths that disagree, and both forms at once.
    for headers in ["content-length: 5\r\ncontent-length: 6\r\n", "content-length: x\r\n"] {
        let mut conn = hub.connect().await;
        conn.raw(format!("POST {} HTTP/1.1\r\nhost: hub\r\n{headers}\r\nabcdef", path::SEGMENTS).as_bytes()).await.expect("sent");
        let status = conn.answer().await.map(|a| a.status).unwrap_or(400);
        assert_eq!(status, 400, "{headers}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_health_and_figures_are_open_and_plain_http_is_not_spoken() {
    let hub = TestHub::start().await;
    let mut conn = hub.connect().await;
    let answer = conn.get(path::KEYS).await.expect("answer");
    let keys = KeysAnswer::from_bytes(&answer.body).expect("keys");
    let verifier = yenban_protocol::crypto::SoftwareVerifier;
    let history = KeyHistory::verify(&keys.history, &verifier, &hub.hub.keys.root_hash()).expect("under the root");
    assert!(KeyHistory::verify(&keys.history, &verifier, &[1; 32]).is_err());
    assert_eq!(history.value.commune.to_string(), "05200");
    assert_eq!(conn.get("/healthz").await.expect("answer").body, b"ok\n");
    let text = String::from_utf8(conn.get("/metrics").await.expect("answer").body).expect("text");
    assert!(text.contains("yenban_hub_answers_total{route=\"keys\",status=\"200\"} 1"), "{text}");
    assert!(text.ends_with("# EOF\n"));
    let mut plain = tokio::net::TcpStream::connect(hub.address).await.expect("connects");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nhost: hub\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer).await;
    assert!(!answer.starts_with(b"HTTP"), "nothing without TLS");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_finishes_what_is_being_answered() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    for _ in 0..63 {
        phone.check_in(None);
    }
    let segments: Vec<Vec<u8>> = (0..64).map(|seq| phone.segment(seq, seq)).collect();
    let mut conns = Vec::new();
    for _ in &segments {
        conns.push(hub.connect().await);
    }
    let tasks: Vec<_> = conns
        .into_iter()
        .zip(segments)
        .map(|(mut conn, segment): (Conn, Vec<u8>)| {
            tokio::spawn(async move { conn.post(path::SEGMENTS, &segment).await.map(|a| a.status).unwrap_or(0) })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let restarted = hub.restart().await;
    let entries = restarted.hub.store.totals().await.expect("totals").entries;
    let mut answered = 0;
    for task in tasks {
        answered += u64::from(task.await.expect("task") == 200);
    }
    assert!(answered <= entries, "every receipt stands for a kept entry: {answered} of {entries}");
    assert!(restarted.hub.store.check_chains().await.expect("checked").is_empty());
    restarted.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_connections_at_once_lose_and_double_nothing() {
    let hub = TestHub::start().await;
    let mut tasks = Vec::new();
    for _ in 0..64 {
        let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
        tasks.push(tokio::spawn(async move {
            for _ in 0..5 {
                let first = phone.check_in(None);
                for _ in 0..4 {
                    phone.check_in(None);
                }
                let from = if first == 1 { 0 } else { first };
                // Each run twice, as after a lost answer.
                for _ in 0..2 {
                    let receipt = phone.receipt(&phone.push(&mut conn, from, first + 4).await);
                    assert_eq!(receipt.ranges[0].last, first + 4);
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("task");
    }
    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.entries, totals.check_ins, totals.receipts), (64 * 26, 64 * 25, 64 * 10));
    assert!(hub.hub.store.check_chains().await.expect("checked").is_empty());
    hub.stop().await;
}
