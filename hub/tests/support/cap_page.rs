//! A CAP document, and the officer's page to which it is brought.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::panic)] // Each test uses its part of it.

use axum::body::Body;
use yenban_hub::cap;
use yenban_hub::store::{AlertListing, ListQuery};

use crate::browser::{Browser, Page};
use crate::support::TestHub;

pub const GOOD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>
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

pub fn code(text: &str) -> String {
    match cap::read(text.as_bytes()) {
        Ok(_) => "read".to_owned(),
        Err(fault) if fault.element.is_empty() => fault.code.to_owned(),
        Err(fault) => format!("{} {}", fault.code, fault.element),
    }
}

/// A good document with one line replaced.
pub fn with(line: &str, by: &str) -> String {
    assert!(GOOD.contains(line), "{line}");
    GOOD.replace(line, by)
}

/// The officer's page, with a document in the form's file.
pub async fn brought(officer: &Browser, document: &str) -> Page {
    let token = officer.token().await;
    let part = |name: &str, text: &str| format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n{text}\r\n");
    let body = format!("{}{}--b--\r\n", part("token", &token), part("file", document));
    let request = officer.request("POST", "/console/alerts/cap").header("content-type", "multipart/form-data; boundary=b");
    officer.send(request.body(Body::from(body)).unwrap()).await
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// Sends what the form on a page is filled with.
pub async fn send(officer: &Browser, page: &Page, hamlet: u32) -> Page {
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

pub async fn alerts(hub: &TestHub) -> Vec<AlertListing> {
    hub.hub.store.alerts(ListQuery::default()).await.unwrap()
}
