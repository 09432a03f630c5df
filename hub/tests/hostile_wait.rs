//! What phones that wait for news, or pretend to, may cost everybody else.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use support::phone::{Phone, Random};
use support::{NIGHT_MS, TestHub};
use tower::ServiceExt as _;
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::limits::REQUESTS_MAX;
use yenban_protocol::cert::RequestCertificate;
use yenban_protocol::crypto::{SecretKey, Signer as _};
use yenban_protocol::enrol::EnrolmentCode;
use yenban_protocol::id::Role;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest, path};

const WAITERS: usize = REQUESTS_MAX + 700;

fn body(phone: &Phone, cursors: Vec<Cursor>) -> Vec<u8> {
    let key = SecretKey::generate(&mut Random);
    let certificate = RequestCertificate { device: phone.device, key: key.public_key(), token: phone.token.clone() };
    let certificate = Signed::sign(certificate, &phone.sign).unwrap();
    let history_number = phone.history.as_ref().unwrap().value.number;
    let request = FeedRequest { device: phone.device, cursors, limit: 100, logs: Vec::new(), history_number, held: Vec::new() };
    AuthorisedRequest::new(&certificate, request, &key).unwrap().to_bytes()
}

fn feed(body: Body, wait: bool) -> Request<Body> {
    let request = Request::builder().method("POST").uri(path::FEED).header("content-type", "application/cbor");
    let request = if wait { request.header("prefer", "wait=25") } else { request };
    request.body(body).unwrap()
}

/// An alert wakes every phone of the commune; a report and the console come in the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_that_wakes_everybody_keeps_no_report_out() {
    let hub = TestHub::start().await;
    let router = yenban_hub::server::router(Arc::clone(&hub.hub));
    let mut phones = Vec::new();
    for _ in 0..WAITERS {
        let text = hub.code("Nà Phòn", Role::Member).await;
        let code = EnrolmentCode::from_text(&text).unwrap();
        let mut phone = Phone::new(NIGHT_MS);
        let answer = yenban_hub::enrol::redeem(&hub.hub, &phone.enrol_body(&code)).await.unwrap();
        phone.enrolled(&code, &answer.to_bytes());
        phones.push(phone);
    }
    // Where the streams stand now: that of the phone that asks first.
    let mut waits = Vec::new();
    for phone in &phones {
        let answer = yenban_hub::feed::pull(&hub.hub, &body(phone, Vec::new())).await.unwrap();
        let streams = FeedAnswer::from_bytes(&answer.to_bytes()).unwrap().streams;
        let request = feed(Body::from(body(phone, streams)), true);
        let router = router.clone();
        waits.push(tokio::spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() }));
    }
    let started = Instant::now();
    while hub.hub.waiting.waiters() < WAITERS && started.elapsed() < Duration::from_secs(10) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    println!("{} wait", hub.hub.waiting.waiters());
    let wanted = AlertWanted {
        headline: "Lũ".to_owned(),
        description: "Lũ".to_owned(),
        severity: "Extreme".to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        ..AlertWanted::default()
    };
    Admin::here(hub.hub.clone()).alert(wanted).await.unwrap();
    let (mut busy, mut asked, started) = (0, 0, Instant::now());
    let mut last = Duration::ZERO;
    while started.elapsed() < Duration::from_secs(5) && hub.hub.waiting.waiters() > 0 {
        let response = router.clone().oneshot(Request::builder().uri("/healthz").body(Body::empty()).unwrap()).await.unwrap();
        asked += 1;
        if response.status() == 503 {
            busy += 1;
            last = started.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    println!("{busy} of {asked} refused, the last after {last:?}");
    assert_eq!(busy, 0, "of {asked}, until {last:?} after the alert");
    for wait in waits {
        wait.abort();
    }
    hub.stop().await;
}

/// Bodies that never end, from nobody at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_pretends_to_wait_is_counted_as_everybody_else() {
    let hub = TestHub::start().await;
    let router = yenban_hub::server::router(Arc::clone(&hub.hub));
    for wait in [false, true] {
        let mut held = Vec::new();
        for _ in 0..2 * REQUESTS_MAX {
            let never = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
            let (router, request) = (router.clone(), feed(never, wait));
            held.push(tokio::spawn(async move { router.oneshot(request).await.unwrap().status().as_u16() }));
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
        let inside = held.iter().filter(|task| !task.is_finished()).count();
        println!("prefer: wait = {wait}: {inside} inside");
        held.iter().for_each(tokio::task::JoinHandle::abort);
        assert!(inside <= REQUESTS_MAX, "{inside} bodies are being read");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    hub.stop().await;
}
