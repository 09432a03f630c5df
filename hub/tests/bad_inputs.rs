//! What arrives at the door, the console and the phones' addresses that should not: each case under its number. Cases of
//! alerts stand in `cap.rs`, of photographs with the phone, of joining in `joining.rs` and `enrol.rs`.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use axum::body::Body;
use browser::{Browser, Page};
use night::night;
use support::TestHub;
use support::phone::{Conn, Phone};
use yenban_hub::clock::Clock as _;
use yenban_hub::limits::{CONSOLE_FORM_MAX_BYTES, CONSOLE_IDLE_MS};
use yenban_hub::store::ListQuery;
use yenban_protocol::id::Role;
use yenban_protocol::record::Act;
use yenban_protocol::wire::path;

const FORM: &str = "application/x-www-form-urlencoded";

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Sends bytes as they are and reads what comes back; what the hub cut off is 400 too.
async fn raw(hub: &TestHub, bytes: &[u8]) -> u16 {
    let mut conn = hub.connect().await;
    if conn.raw(bytes).await.is_err() {
        return 400;
    }
    conn.answer().await.map_or(400, |answer| answer.status)
}

/// B-030: one bit of the root's hash is another hub.
#[tokio::test(flavor = "multi_thread")]
async fn b_030_a_code_for_another_root() {
    let hub = TestHub::start().await;
    let good = yenban_protocol::enrol::EnrolmentCode::from_text(&hub.code("Nà Phòn", Role::Member).await).unwrap();
    let mut conn = hub.connect().await;
    for bit in [0_usize, 7, 100, 255] {
        let mut code = good.clone();
        code.root_hash[bit / 8] ^= 1 << (bit % 8);
        let answer = conn.post(path::ENROL, &Phone::new(support::NIGHT_MS).enrol_body(&code)).await.unwrap();
        assert_eq!(answer.code(), "hub_mismatch", "bit {bit}");
    }
    assert_eq!(Phone::new(support::NIGHT_MS).enrol(&mut conn, &good.to_text()).await.status, 200, "the code was not used up");
    hub.stop().await;
}

/// B-068, B-070: the same name with another content, as a phone restored from a copy says it.
#[tokio::test(flavor = "multi_thread")]
async fn b_068_b_070_one_name_two_contents() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    assert_eq!(phone.push(&mut conn, 0, 1).await.status, 200);
    phone.bodies.truncate(1);
    phone.links.truncate(1);
    phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: true, attachments: 0, statements: Vec::new() });
    assert_eq!(phone.push(&mut conn, 0, 1).await.status, 409);
    assert!(phone.push(&mut conn, 0, 1).await.status < 500, "again");
    let totals = hub.hub.store.totals().await.unwrap();
    assert_eq!((totals.forked, totals.incidents), (1, 1), "both branches are kept");
    hub.stop().await;
}

/// B-072: lengths that lie, two at once, both ways of saying one; the connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn b_072_lengths_that_lie() {
    let hub = TestHub::start().await;
    let at = path::SEGMENTS;
    let head = |more: &str| format!("POST {at} HTTP/1.1\r\nhost: hub\r\ncontent-type: application/cbor\r\n{more}\r\n");
    for (what, text) in [
        ("two lengths", head("content-length: 5\r\ncontent-length: 6\r\n") + "abcdef"),
        ("no number", head("content-length: +5\r\n") + "abcde"),
        ("chunked inside chunked", head("transfer-encoding: chunked, chunked\r\n") + "0\r\n\r\n"),
        ("an unknown coding", head("transfer-encoding: xchunked\r\n") + "0\r\n\r\n"),
        ("a chunk without a size", head("transfer-encoding: chunked\r\n") + "zz\r\nabc\r\n0\r\n\r\n"),
        ("a header with a line end", head("x: a\rb\r\n")),
        ("no host", format!("GET {} HTTP/1.1\r\n\0\r\n\r\n", path::KEYS)),
    ] {
        let status = raw(&hub, text.as_bytes()).await;
        assert!(matches!(status, 400 | 501), "{what}: {status}");
    }
    // Both at once: whatever wins, what follows the body is never read as a second request.
    let smuggled = head("content-length: 4\r\ntransfer-encoding: chunked\r\n") + "0\r\n\r\nGET /healthz HTTP/1.1\r\nhost: hub\r\n\r\n";
    let mut conn = hub.connect().await;
    conn.raw(smuggled.as_bytes()).await.unwrap();
    let first = conn.answer().await.map_or(400, |answer| answer.status);
    assert_eq!(first, 400);
    assert!(conn.answer().await.map_or(true, |answer| answer.status != 200), "nothing was smuggled in");
    hub.stop().await;
}

/// B-078: what is packed is not unpacked.
#[tokio::test(flavor = "multi_thread")]
async fn b_078_packed_bodies() {
    let hub = TestHub::start().await;
    for encoding in ["gzip", "br", "br, gzip, gzip", "deflate", "zstd", "x"] {
        for at in [path::ENROL, path::SEGMENTS, path::FEED, path::ITEMS, "/console/sign-in", "/console/alerts/cap"] {
            let mut conn = hub.connect().await;
            let headers = format!("content-type: application/cbor\r\ncontent-encoding: {encoding}\r\n");
            assert_eq!(conn.send("POST", at, &headers, &[31, 139, 8]).await.unwrap().status, 415, "{encoding} at {at}");
        }
    }
    hub.stop().await;
}

/// B-080: forms of CBOR that say one thing in two ways, or claim more than can be.
#[tokio::test(flavor = "multi_thread")]
async fn b_080_cbor_that_is_not_deterministic() {
    let hub = TestHub::start().await;
    let cases: [(&str, &[u8]); 9] = [
        ("a list without an end", &[0x9f, 0x01, 0xff]),
        ("a map without an end", &[0xbf, 0x00, 0x01, 0xff]),
        ("bytes without an end", &[0x5f, 0x41, 0x00, 0xff]),
        ("a bignum of a gigabyte", &[0xc2, 0x5a, 0x40, 0x00, 0x00, 0x00]),
        ("a map of 2^32", &[0xbb, 0, 0, 0, 1, 0, 0, 0, 0]),
        ("a list of 2^63", &[0x9b, 0x80, 0, 0, 0, 0, 0, 0, 0]),
        ("a long form of one", &[0x18, 0x01]),
        ("a float", &[0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        ("a thousand lists in each other", &[0x81; 1000]),
    ];
    for (what, body) in cases {
        for at in [path::ENROL, path::SEGMENTS, path::FEED, path::ITEMS] {
            let answer = hub.connect().await.post(at, body).await.unwrap();
            assert!((400..500).contains(&answer.status), "{what} at {at}: {}", answer.status);
        }
    }
    hub.stop().await;
}

/// B-082: addresses that try to climb, to hide, or to be long.
#[tokio::test(flavor = "multi_thread")]
async fn b_082_addresses_that_climb() {
    let hub = TestHub::start().await;
    let browser = Browser::entered(&hub).await;
    let names = [
        "%2e%2e%2f",
        "..%2f..%2fetc%2fpasswd",
        "%252e%252e%252f",
        "a;b",
        "0:0%00",
        "%00",
        "0123456789abcdef",
        ":",
        "::",
        "-1:-1",
        "0123456789abcdef:99999999999999999999",
        "0123456789abcdeg:1",
        "%F0%9F%94%A5",
        "%FF%FE",
        "' OR 1=1 --",
        "0123456789abcdef:1/../2",
    ];
    for name in names {
        let name = name.replace(' ', "%20");
        for at in [
            format!("/console/incidents/{name}"),
            format!("/console/incidents/{name}/print"),
            format!("/console/incidents/{name}/photos/{name}/original"),
            format!("/console/patrols/{name}"),
            format!("/console/people/{name}"),
            format!("/console/people/codes/{name}"),
            format!("/console/people/phones/{name}"),
            format!("/console/accounts/{name}"),
            format!("/console/alerts/one/{name}"),
            format!("/console/alerts/second/{name}"),
            format!("/console/features/collections/incidents/items/{name}"),
            format!("/v1/uploads/{name}"),
        ] {
            let page = browser.get(&at).await;
            assert!(matches!(page.status, 400 | 404 | 405), "{at}: {}", page.status);
        }
    }
    let long = format!("GET /console/incidents/{} HTTP/1.1\r\nhost: hub\r\n\r\n", "a".repeat(64 * 1024));
    let status = raw(&hub, long.as_bytes()).await;
    assert!((400..500).contains(&status), "{status}");
    hub.stop().await;
}

/// B-084: what is out of reach is not there, and the record says who asked. (Every address: `reach.rs`.)
#[tokio::test(flavor = "multi_thread")]
async fn b_084_what_is_out_of_reach_is_not_there_and_noted() {
    let night = night().await;
    let far = night.hub.hub.store.people().await.unwrap().hamlet_named("Khu dân cư Suối Đá Bạn Thượng Huổi Lót").unwrap().no;
    let row = yenban_hub::store::MemberRow {
        no: yenban_protocol::id::MemberNo(0),
        name: "Bùi Văn Minh".to_owned(),
        role: Role::Officer,
        hamlet: yenban_hub::store::WHOLE_COMMUNE,
        group: 0,
    };
    let no = night.hub.hub.store.add_member(row).await.unwrap().no;
    night.hub.hub.store.plan_account(no, vec![far], night.hub.clock.now_ms()).await.unwrap();
    let mut minh = Browser::new(&night.hub);
    let page = minh.get(&yenban_hub::access::enter_link(&night.hub.hub, "Bùi Văn Minh").await.unwrap()).await;
    minh.keep(&page);
    let at = format!("/console/incidents/{}", night.landslide);
    let there = minh.get(&at).await;
    let nowhere = minh.get("/console/incidents/0000000000000000:0").await;
    assert_eq!((there.status, nowhere.status), (404, 404));
    assert_eq!(there.text.replace(&night.landslide, ""), nowhere.text.replace("0000000000000000:0", ""), "the two look alike");
    let rows = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(
        rows.iter().any(|row| row.action == "not there" && row.actor == "Bùi Văn Minh" && row.subject == at.replace("/console", "")),
        "it is noted"
    );
    // A stranger's wrong addresses fill no record.
    Browser::new(&night.hub).get("/console/khong-co").await;
    let again = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert_eq!(again.len(), rows.len());
    night.hub.stop().await;
}

/// B-088, B-090: what was typed stands as it was typed and breaks no line.
#[tokio::test(flavor = "multi_thread")]
async fn b_088_b_090_names_in_every_script() {
    let hub = TestHub::start().await;
    let son = Browser::entered(&hub).await;
    let token = son.token().await;
    for (n, name) in [
        "Nà Phòn".to_owned(),
        "Na\u{300} Pho\u{300}n 2".to_owned(),
        "ꪀꪱꪙ ꪹꪎꪷ".to_owned(),
        "Bản 👨‍👩‍👧 \u{1F525}".to_owned(),
        "a\u{202E}b".to_owned(),
        "Mông \u{200D}x".to_owned(),
    ]
    .iter()
    .enumerate()
    {
        let who = format!("Người {n}");
        let page =
            son.post("/console/people/codes", &form(&[("token", &token), ("name", &who), ("new_hamlet", name), ("role", "member")])).await;
        assert_eq!(page.status, 200, "{name}: {}", page.text);
        assert!(!page.text.contains('\u{202E}'), "no mark of direction reaches the page");
    }
    // The same name in the other form of Unicode is the same hamlet.
    let before = hub.hub.store.people().await.unwrap().hamlets.len();
    let page = son
        .post(
            "/console/people/codes",
            &form(&[("token", &token), ("name", "Ai Đó"), ("new_hamlet", "Na\u{300} Pho\u{300}n"), ("role", "member")]),
        )
        .await;
    assert_eq!(page.status, 200);
    assert_eq!(hub.hub.store.people().await.unwrap().hamlets.len(), before);
    hub.stop().await;
}

async fn posted(browser: &Browser, at: &str, kind: &str, body: Vec<u8>) -> Page {
    let request = browser.request("POST", at).header("content-type", kind).header("content-length", body.len());
    browser.send(request.body(Body::from(body)).unwrap()).await
}

/// Siblings: forms that are too long, in another charset, of another kind, half a form, fields twice.
#[tokio::test(flavor = "multi_thread")]
async fn forms_that_are_no_forms_change_nothing() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let token = son.token().await;
    let before = night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len();
    let fields =
        form(&[("token", &token), ("headline", "Bão"), ("instruction", "Ở nhà"), ("severity", "Severe"), ("hours", "6"), ("hamlet", "1")]);
    let ten_megabytes = format!("{fields}&description={}", "a".repeat(10 * 1024 * 1024)).into_bytes();
    let just_over = format!("{fields}&description={}", "a".repeat(CONSOLE_FORM_MAX_BYTES)).into_bytes();
    let latin1: Vec<u8> = fields.replace("B%C3%A3o", "B\u{e3}o").chars().map(|c| c as u8).collect();
    let utf16: Vec<u8> = fields.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (what, kind, body) in [
        ("ten megabytes", FORM, ten_megabytes),
        ("a byte too many", FORM, just_over),
        ("UTF-16", FORM, utf16),
        ("JSON", "application/json", b"{\"token\":\"x\"}".to_vec()),
        ("another kind", "text/plain", fields.clone().into_bytes()),
        ("nothing", FORM, Vec::new()),
        ("half a letter", FORM, format!("{}&description=%C3", fields.replace("hamlet=1", "hamlet=x")).into_bytes()),
        ("a number that is none", FORM, fields.replace("hours=6", "hours=99999999999").into_bytes()),
        ("NUL in a line", FORM, fields.replace("B%C3%A3o", "B%00o").into_bytes()),
        ("no such hamlet", FORM, fields.replace("hamlet=1", "hamlet=4294967295").into_bytes()),
    ] {
        let page = posted(&son, "/console/alerts/send", kind, body).await;
        assert!((400..500).contains(&page.status), "{what}: {}", page.status);
    }
    // A letter in another charset is no letter; the page says so or shows it as unreadable, but sends nothing broken.
    let page = posted(&son, "/console/alerts/preview", FORM, latin1).await;
    assert!(page.status < 500, "{}", page.status);
    assert_eq!(night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len(), before, "nothing went out");
    night.hub.stop().await;
}

/// Siblings: the same click twice, the back button, two tabs.
#[tokio::test(flavor = "multi_thread")]
async fn a_double_click_and_two_tabs_do_one_thing() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let token = son.token().await;
    let at = format!("/console/incidents/{}", night.landslide);
    let taken = form(&[("token", &token), ("seen", "0"), ("state", "received")]);
    let first = son.post(&format!("{at}/answer"), &taken).await;
    let second = son.post(&format!("{at}/answer"), &taken).await;
    assert_eq!(first.status, 303);
    assert!(matches!(second.status, 303 | 409), "{}", second.status);
    let told = |rows: &[yenban_hub::store::AuditRow]| rows.iter().filter(|row| row.action == "fate received").count();
    assert_eq!(told(&night.hub.hub.store.audit(ListQuery::default()).await.unwrap()), 1, "the reporter is told once");
    // Another tab still shows the report as new: what it sends is not taken over what was decided since.
    assert_eq!(son.post(&at, &form(&[("token", &token), ("purpose", "duty")])).await.status, 303);
    let stale = form(&[("token", &token), ("seen", "0"), ("state", "resolved"), ("note", "Đã xong từ tối")]);
    let late = son.post(&format!("{at}/answer"), &stale).await;
    assert!(late.status == 409 && late.text.contains("Đã xong từ tối"), "what was written is still in the form: {}", late.status);
    night.hub.stop().await;
}

/// Siblings: the session ends while somebody writes. Nothing is sent, nothing is lost, and no page of somebody else can
/// make one of ours that shows words.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_when_the_session_ended_is_given_back() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let token = son.token().await;
    night.hub.clock.pass(CONSOLE_IDLE_MS);
    let at = format!("/console/incidents/{}/answer", night.landslide);
    let written = form(&[("token", &token), ("seen", "0"), ("state", "in_hand"), ("note", "Tổ Nà Phòn đang lên <b>ngay</b>")]);
    let page = posted(&son, &at, FORM, written.clone().into_bytes()).await;
    assert_eq!(page.status, 401);
    assert!(
        page.text.contains("Tổ Nà Phòn đang lên &#60;b&#62;ngay") || page.text.contains("Tổ Nà Phòn đang lên &lt;b&gt;ngay"),
        "{}",
        page.text
    );
    assert!(page.text.contains(&format!("to=%2Fincidents%2F{}", night.landslide.replace(':', "%3A"))), "{}", page.text);
    assert!(!page.text.contains(&token), "its token is not shown again");
    let state = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(!state.iter().any(|row| row.action.starts_with("fate")), "nothing was sent");
    // Without words there is only the door.
    let bare = posted(&son, &at, FORM, form(&[("token", &token), ("state", "received")]).into_bytes()).await;
    assert!(bare.status == 401 && !bare.text.contains("<textarea"));
    let request = son
        .request("POST", &at)
        .header("content-type", FORM)
        .header("content-length", written.len())
        .header("sec-fetch-site", "cross-site");
    let foreign = son.send(request.body(Body::from(written)).unwrap()).await;
    assert!(foreign.status == 403 && foreign.text.is_empty());
    night.hub.stop().await;
}

/// B-028 and siblings: a code is over by the hub's clock, whatever the phone's clock says, and used once.
#[tokio::test(flavor = "multi_thread")]
async fn b_028_a_code_is_over_by_the_hubs_clock() {
    let hub = TestHub::start().await;
    let code = hub.code("Nà Phòn", Role::Member).await;
    let mut conn: Conn = hub.connect().await;
    hub.clock.pass(10 * 60_000 + 1);
    for phone_ms in [0, support::NIGHT_MS, support::NIGHT_MS - 365 * 86_400_000, support::NIGHT_MS + 365 * 86_400_000] {
        assert_eq!(Phone::new(phone_ms).enrol(&mut conn, &code).await.code(), "expired");
    }
    let fresh = hub.code("Nà Phòn", Role::Member).await;
    assert_eq!(Phone::new(0).enrol(&mut conn, &fresh).await.status, 200, "a wrong clock keeps nobody out");
    assert_eq!(Phone::new(0).enrol(&mut conn, &fresh).await.code(), "token_used");
    hub.stop().await;
}
