//! Photographs in the console, the minute on paper, and pages that stay open: what leaves is noted first, goes to whoever
//! may see it, and a stream ends with its session.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use std::time::Duration;

use axum::body::{Body, Bytes};
use browser::Browser;
use http_body_util::BodyExt as _;
use support::TestHub;
use support::scene::{Scene, only_object, scene};
use support::upload::{Tus, facts, record, record_previews, seal};
use tower::ServiceExt as _;
use yenban_hub::store::{ItemName, ListQuery};
use yenban_protocol::crypto::sha256;
use yenban_protocol::custody::Action;
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, Basis, PreviewKind, Statement};

struct File {
    status: u16,
    headers: axum::http::HeaderMap,
    bytes: Bytes,
}

impl File {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn file(browser: &Browser, path: &str) -> File {
    let request = browser.request("GET", path).body(Body::empty()).unwrap();
    let (parts, body) = browser.router.clone().oneshot(request).await.unwrap().into_parts();
    File { status: parts.status.as_u16(), headers: parts.headers, bytes: body.collect().await.unwrap().to_bytes() }
}

/// A picture as a phone makes it, as far as its first bytes tell.
fn jpeg(seed: u32, len: usize) -> Vec<u8> {
    let mut bytes = support::upload::content(seed, len);
    bytes[..4].copy_from_slice(&[0xff, 0xd8, 0xff, 0xe0]);
    bytes
}

async fn open(officer: &Browser, incident: EntryName) {
    let token = officer.token().await;
    let path = format!("/console/incidents/{incident}");
    assert_eq!(officer.post(&path, &format!("token={token}&purpose=duty")).await.status, 303);
}

async fn views(hub: &TestHub, photo: EntryName) -> Vec<Option<String>> {
    let chain = hub.hub.store.custody(ItemName { entry: photo, branch: 0 }, i64::MAX).await.unwrap();
    chain.into_iter().filter(|row| row.facts.action == Action::Viewed).map(|row| row.facts.note).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_picture_leaves_for_a_purpose_after_its_record_says_so() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: false, attachments: 1, statements: Vec::new() });
    let incident = EntryName { log: phone.log, seq };
    let [original, preview, thumbnail] = [(1, 300_000), (2, 9_000), (3, 900)].map(|(seed, len)| seal(&phone, &jpeg(seed, len)));
    let photo = record(&mut phone, Some(incident), facts(&original));
    record_previews(&mut phone, photo, &original, &[(PreviewKind::Preview, &preview), (PreviewKind::Thumbnail, &thumbnail)]);
    let other = phone.record(Act::IncidentReported { kind: "theft".to_owned(), urgent: false, attachments: 0, statements: Vec::new() });
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    for sealed in [&original, &thumbnail] {
        assert_eq!(tus.upload(sealed).await.status, 204);
    }
    let officer = Browser::entered(&hub).await;
    let path = |kind: &str| format!("/console/incidents/{incident}/photos/{photo}/{kind}");

    // Not before somebody said what for; nothing is noted of what did not leave.
    let asked = file(&officer, &path("thumbnail")).await;
    assert_eq!((asked.status, asked.header("location")), (303, format!("/console/incidents/{incident}").as_str()));
    assert_eq!(views(&hub, photo).await, Vec::<Option<String>>::new());
    open(&officer, incident).await;
    let opened = views(&hub, photo).await.len();

    let small = file(&officer, &path("thumbnail")).await;
    assert_eq!((small.status, small.header("content-type"), small.header("cache-control")), (200, "image/jpeg", "no-store"));
    assert_eq!(small.header("x-content-type-options"), "nosniff");
    assert!(small.header("content-disposition").starts_with("inline") && small.bytes == thumbnail.plain.as_slice());
    let whole = file(&officer, &path("original")).await;
    assert!(whole.header("content-disposition").starts_with("attachment") && whole.bytes == original.plain.as_slice());
    assert_eq!(whole.header("content-length"), original.plain.len().to_string());
    let noted = views(&hub, photo).await;
    assert_eq!(noted[opened..], [Some("thumbnail".to_owned()), Some("original".to_owned())]);
    assert_eq!(hub.hub.store.check_custody().await.unwrap(), []);

    // What is not here, not of this report, or not a name, is not there.
    open(&officer, EntryName { log: phone.log, seq: other }).await;
    let elsewhere = format!("/console/incidents/{}:{other}/photos/{photo}/thumbnail", phone.log);
    for wrong in [path("preview"), path("../original"), path("full"), elsewhere, path("thumbnail").replace("photos/", "photos/x")] {
        assert_eq!(file(&officer, &wrong).await.status, 404, "{wrong}");
    }
    assert_eq!(file(&Browser::new(&hub), &path("thumbnail")).await.status, 303, "nor for a stranger");

    let page = officer.get(&format!("/console/incidents/{incident}")).await.text.replace(['\u{2068}', '\u{2069}'], "");
    assert!(page.contains(&format!("<img src=\"{}\" alt=\"Ảnh hiện trường 1, bản nhỏ\"", path("thumbnail"))), "{page}");
    assert!(page.contains("Sổ lưu giữ") && page.contains("Xem: bản gốc") && page.contains("Hà Văn Sơn · duty"));
    assert!(page.contains("Ảnh 1 tới xã, nguyên vẹn"), "the timeline tells when it came");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_picture_is_never_drawn_and_what_changed_never_leaves() {
    let Scene { hub, phone: _phone, tus, photo, incident, files } = scene().await;
    for sealed in &files {
        assert_eq!(tus.upload(sealed).await.status, 204);
    }
    let officer = Browser::entered(&hub).await;
    open(&officer, incident).await;
    let path = |kind: &str| format!("/console/incidents/{incident}/photos/{photo}/{kind}");
    let strange = file(&officer, &path("preview")).await;
    assert_eq!((strange.status, strange.header("content-type")), (200, "application/octet-stream"));
    assert!(strange.header("content-disposition").starts_with("attachment"));

    let stored = only_object(&hub);
    let mut bytes = std::fs::read(&stored).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&stored, bytes).unwrap();
    let before = views(&hub, photo).await.len();
    let changed = file(&officer, &path("original")).await;
    assert_eq!(changed.status, 409);
    assert!(String::from_utf8_lossy(&changed.bytes).contains("không còn nguyên"));
    assert_eq!(views(&hub, photo).await.len(), before, "what did not leave was not seen");
    let evidence = hub.hub.store.evidence(ListQuery::default()).await.unwrap();
    assert_eq!(evidence[0].state, "altered", "the hub knows from then on");
    assert_eq!(sha256(&files[0].plain).len(), 32);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_minute_is_a_draft_with_its_head_and_places_to_sign() {
    let night = night::night().await;
    let officer = Browser::entered(&night.hub).await;
    let path = format!("/console/incidents/{}/print", night.landslide);
    assert_eq!(officer.get(&path).await.status, 303, "what for is asked first");
    let token = officer.token().await;
    officer.post(&format!("/console/incidents/{}", night.landslide), &format!("token={token}&purpose=duty")).await;
    let page = officer.get(&path).await;
    let at = |text: &str| page.text.find(text).unwrap_or_else(|| panic!("{text} is not on the paper: {}", page.text));
    for part in [
        "NHÁP",
        "ỦY BAN NHÂN DÂN",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "BIÊN BẢN",
        "Số: …/BB-…",
        "NGƯỜI GHI",
        "NGƯỜI CHỨNG KIẾN",
        "CHỦ TRÌ",
        "(Ký, ghi rõ họ tên)",
        "Nơi nhận:",
        "đã đọc lại cho mọi người cùng nghe",
    ] {
        at(part);
    }
    assert!(at("1. Thấy") < at("Đất lấp đường") && at("Đất lấp đường") < at("2. Nghe kể") && at("2. Nghe kể") < at("còn ba nhà"));
    assert!(at("còn ba nhà") < at("chưa phải sự việc") && at("chưa phải sự việc") < at("Có thể còn lở nữa"));
    assert!(!page.text.contains("vi phạm hành chính"));
    let audit = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(audit.iter().any(|row| row.action == "print incident" && row.subject == night.landslide));
    night.hub.stop().await;
}

/// The events of a page, piece by piece.
struct Events(Body);

impl Events {
    async fn of(browser: &Browser, since: &str) -> Self {
        let request = browser.request("GET", &format!("/console/live?since={since}")).body(Body::empty()).unwrap();
        let response = browser.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(response.into_body())
    }

    /// The next piece; `None`: the stream is over.
    async fn next(&mut self) -> Option<String> {
        let frame = tokio::time::timeout(Duration::from_secs(10), self.0.frame()).await.expect("something comes")?;
        Some(String::from_utf8(frame.unwrap().into_data().unwrap().to_vec()).unwrap().replace(['\u{2068}', '\u{2069}'], ""))
    }
}

fn report(phone: &mut support::phone::Phone, urgent: bool) -> EntryName {
    let statements = vec![Statement { basis: Basis::Seen, text: "Khói ở nương".to_owned() }];
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent, attachments: 0, statements });
    EntryName { log: phone.log, seq }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_inbox_is_told_what_comes_and_changes_and_ends_with_its_session() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let first = report(&mut phone, false);
    hub.deliver(&phone).await;
    let officer = Browser::entered(&hub).await;
    let page = officer.get("/console/").await.text;
    let since = page.split("data-since=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(
        page.contains(&format!("data-id=\"{first}\"")) && page.contains("aria-live=\"polite\"") && page.contains("aria-live=\"assertive\"")
    );

    let mut events = Events::of(&officer, &since).await;
    assert_eq!(events.next().await.unwrap(), "retry: 5000\n\n", "nothing came since the page was made");
    assert_eq!(hub.hub.live.listeners(), 1);
    report(&mut phone, true);
    hub.deliver(&phone).await;
    let told = events.next().await.unwrap();
    assert!(told.contains("event: arrived") && told.contains("1 mới · Xem") && told.contains("Có 1 việc khẩn mới"), "{told}");
    assert!(!told.contains("Khói"), "no content");
    // A page that was away counts from where it stood.
    let mut again = Events::of(&officer, &since).await;
    assert!(again.next().await.unwrap().contains("1 mới · Xem"));
    drop(again);

    let token = officer.token().await;
    officer.post(&format!("/console/incidents/{first}/answer"), &format!("token={token}&seen=0&state=in_hand")).await;
    let told = events.next().await.unwrap();
    assert!(told.contains("event: changed") && told.contains(&first.to_string()) && told.contains("Đang xử lý"), "{told}");

    // Looking on keeps no session alive: an hour later the next news ends it.
    hub.clock.pass(61 * 60_000);
    report(&mut phone, false);
    hub.deliver(&phone).await;
    assert!(events.next().await.unwrap().contains("event: over"));
    assert_eq!(events.next().await, None);
    drop(events);
    assert_eq!(hub.hub.live.listeners(), 0, "and its place is free");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_keep_to_their_reach_and_end_when_the_hub_stops() {
    let hub = TestHub::start().await;
    let (mut near, _) = hub.phone("Nà Phòn").await;
    let (mut far, _) = hub.phone("Piềng Vế").await;
    let officer = Browser::entered(&hub).await;
    let people = hub.hub.store.people().await.unwrap();
    let own = people.hamlet_named("Nà Phòn").unwrap().no;
    let member = people.members.iter().find(|m| m.name == "Hà Văn Sơn").unwrap().no;
    hub.hub.store.plan_account(member, vec![own], hub.hub.now_ms()).await.unwrap();
    let mut events = Events::of(&officer, "0").await;
    events.next().await.unwrap();
    report(&mut far, true);
    hub.deliver(&far).await;
    report(&mut near, false);
    hub.deliver(&near).await;
    let told = events.next().await.unwrap();
    assert!(told.contains("1 mới") && told.contains("\"urgent\":null"), "{told}");

    let mut all = Vec::new();
    while let Ok(events) = tokio::time::timeout(Duration::from_secs(5), stream(&officer)).await {
        match events {
            Some(body) => all.push(body),
            None => break,
        }
    }
    assert_eq!(all.len() + 1, yenban_hub::limits::LIVE_STREAMS_PER_SESSION_MAX, "one session takes no room from the others");
    all.pop();
    assert!(stream(&officer).await.is_some(), "a page that was closed makes room for the next");
    drop(all);
    hub.hub.live.end();
    assert_eq!(events.next().await, None, "a stop waits for nobody who looks on");
    hub.stop().await;
}

async fn stream(browser: &Browser) -> Option<Body> {
    let request = browser.request("GET", "/console/live?since=0").body(Body::empty()).unwrap();
    let response = browser.router.clone().oneshot(request).await.unwrap();
    (response.status() == 200).then(|| response.into_body())
}
