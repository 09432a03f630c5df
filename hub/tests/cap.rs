//! CAP: what other services send is read or refused with its reason, what goes out can be read again, and the officers'
//! page for it keeps what must not be lost.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::path::PathBuf;

use axum::body::Body;
use browser::{Browser, Page};
use support::TestHub;
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::cap::{self, Document};
use yenban_hub::clock::{Clock as _, HOUR_MS, rfc3339};
use yenban_hub::escalate;
use yenban_hub::limits::{CAP_MAX_BYTES, SILENCE_EXTREME_MS, SILENCE_SEVERE_MS};
use yenban_hub::store::ListQuery;
use yenban_protocol::alert::{MessageType, Severity, Status};
use yenban_protocol::record::{Act, Answer};

fn code(text: &str) -> String {
    match cap::read(text.as_bytes()) {
        Ok(_) => "read".to_owned(),
        Err(fault) if fault.element.is_empty() => fault.code.to_owned(),
        Err(fault) => format!("{} {}", fault.code, fault.element),
    }
}

/// A good document with one line replaced.
fn with(line: &str, by: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    GOOD.replace(line, by)
}

const GOOD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">
<identifier>KTTV-2026-41</identifier>
<sender>kttv@mt.gov.vn</sender>
<sent>2026-02-05T20:00:00+07:00</sent>
<status>Actual</status>
<msgType>Alert</msgType>
<scope>Public</scope>
<info>
<language>vi-VN</language>
<category>Met</category>
<event>Mưa lớn</event>
<urgency>Expected</urgency>
<severity>Severe</severity>
<certainty>Likely</certainty>
<senderName>Đài khí tượng</senderName>
<headline>Mưa lớn ở Nà Phòn</headline>
<description>Gọi 0912 345 678. &lt;a href=\"http://x.vn\"&gt;Xem&lt;/a&gt; \u{202E}bidi</description>
<instruction>Rời bờ suối.</instruction>
<area><areaDesc>Bản Nà Phòn</areaDesc></area>
</info>
</alert>";

#[test]
fn every_real_document_is_read_or_refused_with_its_reason() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cap");
    let Ok(files) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return;
    };
    let mut seen = Vec::new();
    for file in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|kind| kind == "cap")) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let told = match cap::read(&std::fs::read(&file).unwrap()) {
            Ok(Document { info: Some(info), .. }) => format!("read: {} {}", info.severity.code(), info.event),
            Ok(_) => "read: says nothing".to_owned(),
            Err(fault) => format!("{} {}", fault.code, fault.element),
        };
        seen.push(format!("{name}: {told}"));
    }
    seen.sort();
    let wanted = [
        "australia.cap: read: Minor Fire",
        "canada_errors.cap: missing references",
        "earthquake.cap: read: Unknown Earthquake",
        "invalid.cap: missing scope",
        "no_optional_fields.cap: read: says nothing",
        "weather.cap: read: Severe Flash Flood Watch",
    ];
    assert_eq!(seen, wanted);
}

/// B-054, B-056, B-058, and their siblings.
#[test]
fn what_is_wrong_is_named() {
    assert_eq!(code(GOOD), "read");
    let dtd =
        "<!DOCTYPE alert [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">&x;</alert>";
    assert_eq!(code(dtd), "dtd");
    assert_eq!(code(&dtd.replace("file:///etc/passwd", "http://example.org/x")), "dtd");
    assert_eq!(code(&with("<event>Mưa lớn</event>", "<event>&x;</event>")), "malformed", "no entity but XML's own");
    assert_eq!(cap::read(b"<alert>\xff</alert>").unwrap_err().code, "encoding");
    let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(GOOD.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    assert_eq!(cap::read(&utf16).unwrap_err().code, "encoding");
    for control in ["\0", "\u{1b}", "&#7;"] {
        assert_eq!(code(&with("Mưa lớn ở", control)), "encoding", "{control:?}");
    }
    assert_eq!(code(&GOOD.replace("UTF-8", "ISO-8859-1")), "encoding");
    assert_eq!(cap::read(&[b"\xEF\xBB\xBF", GOOD.as_bytes()].concat()).map(|_| ()), Ok(()), "a mark of UTF-8 is none");
    let sent = |text: &str| cap::read(with("2026-02-05T20:00:00+07:00", text).as_bytes()).map(|document| document.sent_ms);
    assert_eq!(sent("2026-02-05T20:00:00+07:00"), sent("2026-02-05T13:00:00-00:00"));
    for wrong in ["2026-02-05T20:00:00", "2026-02-05T20:00:00Z", "2026-02-05T20:00:00.5+07:00", "2026-02-30T20:00:00+07:00", "hôm nay"] {
        assert_eq!(sent(wrong).unwrap_err().element, "sent", "{wrong}");
    }
    for (line, by, told) in [
        ("<scope>Public</scope>", "", "missing scope"),
        ("<identifier>KTTV-2026-41</identifier>", "<identifier>a b</identifier>", "value identifier"),
        ("<status>Actual</status>", "<status>System</status>", "not_for_people status"),
        ("<status>Actual</status>", "<status>Real</status>", "value status"),
        ("<msgType>Alert</msgType>", "<msgType>Ack</msgType>", "not_for_people msgType"),
        ("<msgType>Alert</msgType>", "<msgType>Cancel</msgType>", "missing references"),
        ("<severity>Severe</severity>", "<severity>Bad</severity>", "value severity"),
        (
            "<area><areaDesc>Bản Nà Phòn</areaDesc></area>",
            "<area><areaDesc>x</areaDesc><polygon>1,2 3,4 1,2</polygon></area>",
            "value polygon",
        ),
        ("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", "<area><areaDesc>x</areaDesc><circle>91,2 3</circle></area>", "value circle"),
        ("cap:1.2", "cap:9", "not_cap"),
        ("</alert>", "", "malformed"),
    ] {
        assert_eq!(code(&with(line, by)), told, "{line} -> {by}");
    }
    assert_eq!(cap::read(&vec![b' '; CAP_MAX_BYTES + 1]).unwrap_err().code, "too_large");
    let deep = format!("<alert xmlns=\"{}\">{}", cap::NAMESPACE, "<info>".repeat(50_000));
    assert_eq!(code(&deep[..CAP_MAX_BYTES.min(deep.len())]), "malformed", "bounded in depth");
    for cut in 0..GOOD.len() {
        assert!(!GOOD.is_char_boundary(cut) || cap::read(&GOOD.as_bytes()[..cut]).is_err(), "cut at {cut}");
    }
}

/// B-064: what is not real is a test.
#[test]
fn a_draft_is_never_real() {
    let status = |status: &str| cap::read(with("Actual", status).as_bytes()).unwrap().status;
    assert_eq!([status("Exercise"), status("Test"), status("Draft")], [Status::Exercise, Status::Test, Status::Test]);
}

#[test]
fn areas_hold_what_lies_in_them() {
    let square = "<area><areaDesc>x</areaDesc><polygon>20,105 20,106 21,106 21,105 20,105</polygon><circle>10,100 11.2</circle></area>";
    let document = cap::read(with("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", square).as_bytes()).unwrap();
    let area = &document.info.unwrap().areas[0];
    let inside = |lat: f64, lon: f64| area.holds(lat, lon);
    assert!(inside(20.5, 105.5) && !inside(21.5, 105.5) && !inside(20.5, 106.5));
    assert!(inside(10.1, 100.0) && !inside(10.11, 100.0));
}

/// The officer's page, with a document in the form's file.
async fn brought(officer: &Browser, document: &str) -> Page {
    let token = officer.token().await;
    let part = |name: &str, text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n{text}\r\n");
    let body = format!("{}{}--b--\r\n", part("token", &token), part("file", document));
    let request = officer.request("POST", "/console/alerts/cap").header("content-type", "multipart/form-data; boundary=b");
    officer.send(request.body(Body::from(body)).unwrap()).await
}

fn encoded(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Sends what the form on a page is filled with.
async fn send(officer: &Browser, page: &Page, hamlet: u32) -> Page {
    let mut body = format!("token={}&headline={}&hours=6&hamlet={hamlet}", page.field("token"), encoded(page.value("headline")));
    for name in ["kind", "references", "identifier", "sender"] {
        if page.text.contains(&format!("name=\"{name}\" value=")) {
            body += &format!("&{name}={}", encoded(page.field(name)));
        }
    }
    if page.text.contains("name=\"drill\" value=\"1\" checked") {
        body += "&drill=1";
    }
    officer.post("/console/alerts/send", &format!("{body}&instruction=L%C3%AAn+cao&severity=Severe")).await
}

async fn alerts(hub: &TestHub) -> Vec<yenban_hub::store::AlertListing> {
    hub.hub.store.alerts(ListQuery::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_reads_a_document_looks_at_it_and_sends_it() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    let now = |ms: i64| rfc3339(hub.clock.now_ms() / 1_000 * 1_000 + ms);
    let document = |id: &str, rest: &str| with("KTTV-2026-41", id).replace("2026-02-05T20:00:00+07:00", &now(0)).replace("<x/>", rest);

    // B-066: links, numbers and marks of direction stay text. The hamlet that it names is chosen beforehand.
    let page = brought(&officer, &document("a-1", "")).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!((page.value("headline"), page.field("identifier"), page.field("sender")), ("Mưa lớn ở Nà Phòn", "a-1", "Đài khí tượng"));
    assert!(page.text.contains(&format!("name=\"hamlet\" value=\"{hamlet}\" checked")), "{}", page.text);
    assert!(!page.text.contains("<a href=\"http") && !page.text.contains("tel:") && page.text.contains("Đài khí tượng"));
    assert!(alerts(&hub).await.is_empty(), "nothing is sent by reading");
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    let row = alerts(&hub).await.remove(0);
    assert_eq!((row.id.as_str(), row.message_type.as_str(), row.drill), ("a-1", "Alert", false));
    assert!(hub.hub.store.alert("a-1".to_owned()).await.unwrap().unwrap().cap.is_some(), "the document is kept");

    // B-062: the same again is known; another one of that name is set aside, and the record says so.
    assert!(brought(&officer, &document("a-1", "")).await.text.contains("Tin này đã có ở đây."));
    let other = brought(&officer, &document("a-1", "").replace("Rời bờ suối", "Ở yên")).await;
    assert!(other.status == 422 && other.text.contains("để riêng"), "{}", other.text);
    let kept = hub.hub.store.caps("a-1".to_owned()).await.unwrap();
    assert_eq!(kept.iter().filter(|cap| cap.reason == "identifier").count(), 1);

    // B-058: from the future it is held and told.
    let future = brought(&officer, &document("a-2", "").replace(&now(0), &now(11 * 60 * 1_000))).await;
    assert!(future.status == 422 && future.text.contains("chưa tới"));
    assert_eq!(brought(&officer, &document("a-3", "").replace(&now(0), &now(9 * 60 * 1_000))).await.status, 200);

    // B-060: its end first, then it: it is never sent.
    let end = document("a-5", "").replace("<msgType>Alert</msgType>", "<msgType>Cancel</msgType>");
    let end = end
        .replace("<scope>Public</scope>", &format!("<scope>Public</scope><references>kttv@mt.gov.vn,a-4,{}</references>", now(-HOUR_MS)));
    let page = brought(&officer, &end).await;
    assert_eq!((page.field("kind"), page.field("references")), ("Cancel", "a-4"), "{}", page.text);
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    assert!(brought(&officer, &document("a-4", "")).await.text.contains("đã thôi cảnh báo này trước"));

    // B-064: an exercise fills the form as a drill, and goes out as one.
    let page = brought(&officer, &document("a-6", "").replace("Actual", "Exercise")).await;
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    assert!(alerts(&hub).await.iter().any(|row| row.id == "a-6" && row.drill));

    // B-054: refused before anything is looked at.
    let dtd = brought(&officer, "<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><alert/>").await;
    assert!(dtd.status == 422 && dtd.text.contains("DTD"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_updated_and_taken_back_from_its_page_and_written_as_cap() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    hub.phone("Piềng Vế").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    let wanted = AlertWanted {
        headline: "Sạt lở & lũ".to_owned(),
        description: "Đất lấp đường".to_owned(),
        instruction: "Rời chân dốc".to_owned(),
        severity: "Extreme".to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        ..AlertWanted::default()
    };
    let sent = Admin::here(hub.hub.clone()).alert(wanted).await.unwrap();
    let path = format!("/console/alerts/one/{}", sent.id);
    let page = officer.get(&path).await;
    assert!(page.status == 200 && page.text.contains("Chưa tới máy") && page.text.contains("Sạt lở &#38; lũ"), "{}", page.text);
    let form = officer.get(&format!("{path}/update")).await;
    assert_eq!((form.field("kind"), form.field("references")), ("Update", sent.id.as_str()));
    // Whoever was told must be told what replaces it.
    let elsewhere = hub.hub.store.people().await.unwrap().hamlet_named("Piềng Vế").unwrap().no.0;
    assert_eq!(send(&officer, &form, elsewhere).await.status, 422);
    assert_eq!(send(&officer, &form, hamlet).await.status, 303);
    let form = officer.get(&format!("{path}/cancel")).await;
    assert_eq!(form.field("kind"), "Cancel");
    assert_eq!(send(&officer, &form, hamlet).await.status, 303);
    let rows = alerts(&hub).await;
    assert_eq!(rows.iter().find(|row| row.id == sent.id).unwrap().replaced_by.len(), 2);
    let end = rows.iter().find(|row| row.message_type == "Cancel").unwrap();

    // What goes out can be read, says the same, and refers to the one before.
    let out = officer.get(&format!("/console/alerts/one/{}/cap", end.id)).await;
    assert_eq!(out.headers["content-type"], "application/cap+xml; charset=utf-8");
    let document = cap::read(out.text.as_bytes()).unwrap();
    assert_eq!((document.message_type, document.references[0].identifier.as_str()), (MessageType::Cancel, sent.id.as_str()));
    let out = officer.get(&format!("{path}/cap")).await;
    let document = cap::read(out.text.as_bytes()).unwrap();
    let info = document.info.unwrap();
    assert_eq!((document.identifier, document.status, info.severity), (sent.id, Status::Actual, Severity::Extreme));
    assert_eq!(
        (info.headline.as_str(), info.instruction.as_str(), info.areas[0].name.as_str()),
        ("Sạt lở & lũ", "Rời chân dốc", "Nà Phòn")
    );
    assert_eq!(rfc3339(info.expires_ms.unwrap()), sent.expires);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_silent_is_reminded_once_and_a_drill_reminds_nobody() {
    let hub = TestHub::start().await;
    let (mut answers, mut conn) = hub.phone("Nà Phòn").await;
    let (silent, _) = hub.phone("Nà Phòn").await;
    let warn = |headline: &str, severity: &str, drill: bool| AlertWanted {
        headline: headline.to_owned(),
        description: "Lò Văn Páo thấy".to_owned(),
        instruction: "Rời chân dốc".to_owned(),
        severity: severity.to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        drill,
        ..AlertWanted::default()
    };
    let mut admin = Admin::here(hub.hub.clone());
    let sent = admin.alert(warn("Sạt lở", "Extreme", false)).await.unwrap();
    admin.alert(warn("Diễn tập", "Extreme", true)).await.unwrap();
    admin.alert(warn("Lịch họp", "Minor", false)).await.unwrap();
    let seq = answers.record(Act::AlertAnswered { alert: sent.id.clone(), answer: Answer::Seen });
    assert_eq!(answers.push(&mut conn, 0, seq).await.status, 200);

    let file = hub.temp.path().join("hub/messages.jsonl");
    hub.clock.pass(SILENCE_EXTREME_MS - 2_000);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 0, "there is time to answer");
    hub.clock.pass(4_000);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 1);
    hub.clock.pass(SILENCE_SEVERE_MS);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 0, "once");
    let lines = std::fs::read_to_string(file).unwrap();
    let message: serde_json::Value = serde_json::from_str(lines.trim()).unwrap();
    assert_eq!((message["to"].as_u64(), message["alert"].as_str()), (Some(u64::from(silent.member.0)), Some(sent.id.as_str())));
    assert_eq!(message["text"], "Nguy cấp, làm ngay: Sạt lở. Nà Phòn. Mở máy xem và trả lời.", "headline and place, nobody's name");
    let audit = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    let reminder = audit.iter().find(|row| row.action == "alert reminder").unwrap();
    assert_eq!((reminder.actor.as_str(), reminder.subject.as_str(), reminder.purpose.as_str()), ("hub", sent.id.as_str(), "1"));
    let page = Browser::entered(&hub).await.get(&format!("/console/alerts/one/{}", sent.id)).await;
    // Pages isolate what they fill in.
    let shown = page.text.replace(['\u{2068}', '\u{2069}'], "");
    assert!(shown.contains("1 người im lặng") && shown.contains("Đã nhắc 1 người"), "{shown}");
    hub.stop().await;
}
