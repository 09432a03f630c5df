//! Another program is told of complete reports: signed, with nothing of anybody in it, at least once, across failures and
//! restarts; and nobody but the operator says where to.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

mod support;

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use support::TestHub;
use support::phone::Phone;
use yenban_hub::store::ListQuery;
use yenban_hub::webhook::tell;
use yenban_protocol::record::{Act, Basis, Statement};

/// 32 bytes, as the receiver has them too.
const SECRET: &str = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// A receiver on this machine that answers with these codes, then with 204.
struct Receiver {
    url: String,
    came: Arc<Mutex<Vec<(HeaderMap, String)>>>,
}

async fn receiver(codes: Vec<u16>) -> Receiver {
    let came = Arc::new(Mutex::new(Vec::new()));
    let (list, codes) = (Arc::clone(&came), Arc::new(Mutex::new(codes)));
    let take = move |headers: HeaderMap, body: Bytes| async move {
        list.lock().unwrap().push((headers, String::from_utf8(body.to_vec()).unwrap()));
        let mut codes = codes.lock().unwrap();
        let code = if codes.is_empty() { 204 } else { codes.remove(0) };
        (StatusCode::from_u16(code).unwrap(), [("location", "http://127.0.0.1:1/elsewhere")])
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/told", listener.local_addr().unwrap());
    tokio::spawn(async move { axum_serve(listener, Router::new().route("/told", post(take))).await });
    Receiver { url, came }
}

/// Connections one after the other: all that these tests need of a server.
async fn axum_serve(listener: tokio::net::TcpListener, router: Router) {
    while let Ok((stream, _)) = listener.accept().await {
        let service = hyper_util::service::TowerToHyperService::new(router.clone());
        let io = hyper_util::rt::TokioIo::new(stream);
        tokio::spawn(async move {
            let builder = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
            let _ = builder.serve_connection(io, service).await;
        });
    }
}

impl Receiver {
    fn bodies(&self) -> Vec<String> {
        self.came.lock().unwrap().iter().map(|(_, body)| body.clone()).collect()
    }

    fn header(&self, n: usize, name: &str) -> String {
        self.came.lock().unwrap()[n].0[name].to_str().unwrap().to_owned()
    }
}

fn written(hub: &TestHub, text: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = hub.temp.path().join("hub/webhook.json");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

fn configured(hub: &TestHub, url: &str) {
    written(hub, &format!("{{ \"url\": \"{url}\", \"secret\": \"{SECRET}\" }}"));
}

fn report(phone: &mut Phone, attachments: u32) -> String {
    let statements = vec![Statement { basis: Basis::Seen, text: "Sạt lở ở suối, nhà ông Páo".to_owned() }];
    let seq = phone.record(Act::IncidentReported { kind: "landslide".to_owned(), urgent: true, attachments, statements });
    format!("{}:{seq}", phone.log)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_complete_report_is_told_once_signed_and_opaque() {
    let hub = TestHub::start().await;
    let receiver = receiver(Vec::new()).await;
    configured(&hub, &receiver.url);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let name = report(&mut phone, 0);
    let waits = report(&mut phone, 2);
    hub.deliver(&phone).await;
    assert_eq!(tell(&hub.hub).await.unwrap(), 1);
    assert_eq!(tell(&hub.hub).await.unwrap(), 0, "once");
    let [body] = receiver.bodies().try_into().unwrap();
    assert!(body.contains(&name) && body.contains("\"state\":\"new\"") && !body.contains(&waits), "{body}");
    for never in ["Páo", "suối", "landslide", "Nà Phòn", "urgent", "lat"] {
        assert!(!body.contains(never), "{never} in {body}");
    }
    // As any library of Standard Webhooks recomputes it.
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"0123456789abcdef0123456789abcdef");
    let signed = format!("{}.{}.{body}", receiver.header(0, "webhook-id"), receiver.header(0, "webhook-timestamp"));
    let signature = data_encoding::BASE64.encode(aws_lc_rs::hmac::sign(&key, signed.as_bytes()).as_ref());
    assert_eq!(receiver.header(0, "webhook-signature"), format!("v1,{signature}"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_fails_is_told_again_after_a_restart_with_the_same_id() {
    let mut hub = TestHub::start().await;
    let receiver = receiver(vec![500, 307]).await;
    configured(&hub, &receiver.url);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    report(&mut phone, 0);
    hub.deliver(&phone).await;
    assert_eq!(tell(&hub.hub).await.unwrap(), 0);
    assert_eq!(tell(&hub.hub).await.unwrap(), 0, "not before its time");
    assert_eq!(receiver.bodies().len(), 1);
    hub = hub.restart().await;
    // The hub's own jobs may be at it too: who of both asks does not matter. A redirect is no answer; nobody goes there.
    for (wait_ms, tries) in [(61_000, 2), (301_000, 3)] {
        hub.clock.pass(wait_ms);
        tell(&hub.hub).await.unwrap();
        assert!(receiver.bodies().len() >= tries, "{tries}");
    }
    hub.clock.pass(24 * 3_600_000);
    let told = receiver.bodies().len();
    assert_eq!(tell(&hub.hub).await.unwrap(), 0);
    assert_eq!(receiver.bodies().len(), told, "what was taken is not told again");
    for n in 1..told {
        assert_eq!(receiver.header(0, "webhook-id"), receiver.header(n, "webhook-id"));
    }
    assert_ne!(receiver.header(0, "webhook-timestamp"), receiver.header(told - 1, "webhook-timestamp"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_never_answers_is_given_up_and_it_is_noted() {
    let hub = TestHub::start().await;
    let receiver = receiver(vec![503; 40]).await;
    configured(&hub, &receiver.url);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let name = report(&mut phone, 0);
    hub.deliver(&phone).await;
    for _ in 0..14 {
        tell(&hub.hub).await.unwrap();
        hub.clock.pass(24 * 3_600_000);
    }
    assert_eq!(receiver.bodies().len(), 11, "one try and ten more");
    let noted = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(noted.iter().any(|row| row.action == "webhook given up" && row.subject == name));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_may_not_write_is_refused_and_nothing_is_told() {
    let hub = TestHub::start().await;
    let receiver = receiver(Vec::new()).await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    report(&mut phone, 0);
    hub.deliver(&phone).await;
    for wrong in [
        "http://192.168.1.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost/x",
        "https://example.org/x",
        "file:///etc/passwd",
        "http://a:b@127.0.0.1/x",
        "nonsense",
    ] {
        configured(&hub, wrong);
        assert!(tell(&hub.hub).await.is_err(), "{wrong}");
    }
    written(&hub, &format!("{{ \"url\": \"{}\", \"secret\": \"whsec_c2hvcnQ=\" }}", receiver.url));
    assert!(tell(&hub.hub).await.is_err(), "a short secret");
    written(&hub, "{}");
    assert!(tell(&hub.hub).await.is_err());
    let path = hub.temp.path().join("hub/webhook.json");
    configured(&hub, &receiver.url);
    std::fs::set_permissions(&path, <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o644)).unwrap();
    assert!(tell(&hub.hub).await.is_err(), "a secret that others may read");
    assert!(receiver.bodies().is_empty());
    // Without the file nobody is told, and what was complete until then is not told later.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(tell(&hub.hub).await.unwrap(), 0);
    configured(&hub, &receiver.url);
    assert_eq!(tell(&hub.hub).await.unwrap(), 0);
    assert!(receiver.bodies().is_empty());
    hub.stop().await;
}
