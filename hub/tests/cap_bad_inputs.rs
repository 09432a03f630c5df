//! What must not be believed of a warning: every even-numbered case of bad alerts, by its number, and its siblings.
//! What phones do with the same stands in tests/tests/alerts.rs.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/cap_page.rs"]
mod cap_page;
mod support;

use std::time::{Duration, Instant};

use browser::Browser;
use cap_page::{GOOD, alerts, brought, code, encoded, send, with};
use support::TestHub;
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::cap;
use yenban_hub::clock::{Clock as _, DAY_MS, HOUR_MS, rfc3339};
use yenban_hub::escalate;
use yenban_hub::limits::{CAP_MAX_BYTES, SILENCE_SEVERE_MS};
use yenban_protocol::alert::Status;

const HEAD: &str = "<alert xmlns=\"urn:oasis:names:tc:emergency:cap:1.2\">";
const MINUTE_MS: i64 = 60_000;

/// A document of this hour under a name of its own.
fn named(hub: &TestHub, id: &str) -> String {
    with("KTTV-2026-41", id).replace("2026-02-05T20:00:00+07:00", &second(hub, 0))
}

fn second(hub: &TestHub, later_ms: i64) -> String {
    rfc3339((hub.clock.now_ms() + later_ms) / 1_000 * 1_000)
}

/// The same document with what it refers to.
fn about(document: &str, kind: &str, id: &str) -> String {
    let document = document.replace("<msgType>Alert</msgType>", &format!("<msgType>{kind}</msgType>"));
    let references = format!("<scope>Public</scope><references>kttv@mt.gov.vn,{id},2026-02-05T19:00:00+07:00</references>");
    document.replace("<scope>Public</scope>", &references)
}

fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

#[test]
fn b_054_what_would_pull_in_a_file_is_refused_unread() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "bí mật").unwrap();
    let file = format!("file://{}", secret.path().display());
    for doctype in [
        format!("<!DOCTYPE alert [<!ENTITY x SYSTEM \"{file}\">]>"),
        "<!DOCTYPE alert [<!ENTITY x SYSTEM \"http://127.0.0.1:9/x\">]>".to_owned(),
        "<!DOCTYPE alert SYSTEM \"http://127.0.0.1:9/cap.dtd\">".to_owned(),
        format!("<!DOCTYPE alert PUBLIC \"-//x\" \"{file}\">"),
        format!("<!DOCTYPE alert [<!ENTITY % x SYSTEM \"{file}\"> %x;]>"),
        "<!DOCTYPE alert [<!ENTITY x \"harmless\">]>".to_owned(),
        "<!DOCTYPE alert>".to_owned(),
    ] {
        let document = with(HEAD, &format!("{doctype}{HEAD}")).replace("Mưa lớn</event>", "&x;</event>");
        assert_eq!(code(&document), "dtd", "{doctype}");
    }
    // Ten to the ninth power of laughs, and no second to count them.
    let mut bomb = "<!DOCTYPE alert [<!ENTITY a \"ha\">".to_owned();
    for n in 0..9 {
        let (from, to) = (char::from(b'a' + n), char::from(b'b' + n));
        bomb += &format!("<!ENTITY {to} \"{}\">", format!("&{from};").repeat(10));
    }
    let started = Instant::now();
    assert_eq!(code(&with(HEAD, &format!("{bomb}]>{HEAD}"))), "dtd");
    assert!(started.elapsed() < Duration::from_secs(2));
    // Roads without a DTD: none leads anywhere.
    assert_eq!(code(&with("Mưa lớn</event>", "&secret;</event>")), "malformed");
    let include = format!("<xi:include xmlns:xi=\"http://www.w3.org/2001/XInclude\" href=\"{file}\" parse=\"text\"/>");
    let read = cap::read(with("Rời bờ suối.", &format!("Rời bờ suối.{include}")).as_bytes()).unwrap();
    assert_eq!(read.info.unwrap().instruction, "Rời bờ suối.");
    let style = format!("<?xml-stylesheet href=\"{file}\"?>{HEAD}");
    assert_eq!(code(&with(HEAD, &style)), "read");
}

#[test]
fn b_056_what_is_not_plain_utf_8_is_refused() {
    let wide =
        |first: &[u8], bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { first.iter().copied().chain(GOOD.encode_utf16().flat_map(bytes)).collect() };
    let utf_32 = GOOD.chars().flat_map(|c| u32::from(c).to_be_bytes());
    for (what, bytes) in [
        ("UTF-16, little end first", wide(&[0xFF, 0xFE], u16::to_le_bytes)),
        ("UTF-16, big end first", wide(&[0xFE, 0xFF], u16::to_be_bytes)),
        ("UTF-16 without its mark", wide(&[], u16::to_be_bytes)),
        ("UTF-32", [0, 0, 0xFE, 0xFF].into_iter().chain(utf_32).collect()),
        ("a cut character", GOOD.as_bytes().split_inclusive(|b| *b == 0xC6).next().unwrap().to_vec()),
        ("an overlong slash", [GOOD.as_bytes(), b"<!-- \xC0\xAF -->"].concat()),
        ("half of a pair", [GOOD.as_bytes(), b"<!-- \xED\xA0\x80 -->"].concat()),
    ] {
        assert_eq!(cap::read(&bytes).unwrap_err().code, "encoding", "{what}");
    }
    for control in ["\0", "\u{1b}[2J", "\u{7f}", "\u{9b}", "&#0;", "&#7;", "&#x1B;", "&#x9B;"] {
        let told = code(&with("Mưa lớn ở", control));
        assert!(told == "encoding" || told == "malformed", "{control:?}: {told}");
        assert_ne!(code(&GOOD.replace("KTTV", control)), "read", "{control:?}");
    }
    for declared in ["ISO-8859-1", "UTF-16", "UTF-7", "windows-1258"] {
        assert_eq!(code(&GOOD.replace("UTF-8", declared)), "encoding", "{declared}");
    }
    assert_eq!(code(&format!("\u{FEFF}{GOOD}")), "read", "the mark of UTF-8 says nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn b_058_the_moment_of_sending_has_an_offset_and_has_come() {
    let sent = |text: &str| cap::read(with("2026-02-05T20:00:00+07:00", text).as_bytes()).map(|document| document.sent_ms);
    for same in ["2026-02-05T13:00:00-00:00", "2026-02-05T13:00:00+00:00", "2026-02-05T06:30:00-06:30"] {
        assert_eq!(sent(same), sent("2026-02-05T20:00:00+07:00"), "{same}");
    }
    for wrong in [
        "2026-02-05T20:00:00",
        "2026-02-05T20:00:00Z",
        "2026-02-05T20:00:00.5+07:00",
        "2026-02-05T20:00+07:00",
        "2026-02-05 20:00:00+07:00",
        "2026-02-30T20:00:00+07:00",
        "2026-02-05T25:00:00+07:00",
        "2026-02-05T20:00:00+99:00",
        "-026-02-05T20:00:00+07:00",
        "+2026-02-05T20:00:00+07:00",
        "９999-02-05T20:00:00+07:00",
        "1738760400",
        "hôm nay",
    ] {
        assert_eq!(sent(wrong).unwrap_err().element, "sent", "{wrong}");
    }
    let hub = TestHub::start().await;
    let officer = Browser::entered(&hub).await;
    let at = |id: &str, later_ms: i64| named(&hub, id).replace(&second(&hub, 0), &second(&hub, later_ms));
    for (id, later_ms) in [("year", 365 * DAY_MS), ("minutes", 11 * MINUTE_MS)] {
        let held = brought(&officer, &at(id, later_ms)).await;
        assert!(held.status == 422 && held.text.contains("chưa tới"), "{}", held.text);
        let kept = hub.hub.store.caps(id.to_owned()).await.unwrap();
        assert_eq!((kept.len(), kept[0].reason.as_str()), (1, "future"), "held, not lost");
    }
    assert_eq!(brought(&officer, &at("little", 9 * MINUTE_MS)).await.status, 200, "clocks differ");
    // When its time has come, the one that was held is taken.
    let held = at("minutes", 11 * MINUTE_MS);
    hub.clock.pass(11 * MINUTE_MS);
    assert_eq!(brought(&officer, &held).await.status, 200);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b_060_what_was_taken_back_before_it_came_is_not_sent() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    let page = brought(&officer, &about(&named(&hub, "end"), "Cancel", "first")).await;
    assert_eq!((page.field("kind"), page.field("references")), ("Cancel", "first"), "{}", page.text);
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    let late = brought(&officer, &named(&hub, "first")).await;
    assert!(late.status == 422 && late.text.contains("đã thôi cảnh báo này trước"), "{}", late.text);
    assert_eq!(alerts(&hub).await.len(), 1, "the end alone");
    // An update that came first takes nothing away: there may be hamlets that only the first one names.
    let page = brought(&officer, &about(&named(&hub, "newer"), "Update", "older")).await;
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    assert_eq!(brought(&officer, &named(&hub, "older")).await.status, 200);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b_062_two_warnings_of_one_name_are_told_apart() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    let kept = async |id: &str| hub.hub.store.caps(id.to_owned()).await.unwrap().iter().filter(|cap| cap.reason == "identifier").count();
    let first = named(&hub, "a");
    let page = brought(&officer, &first).await;
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    for same in [first.clone(), first.replace('\n', "\r\n")] {
        assert!(brought(&officer, &same).await.text.contains("Tin này đã có ở đây."), "however it came");
    }
    let other = first.replace("Rời bờ suối", "Ở yên");
    let told = brought(&officer, &other).await;
    assert!(told.status == 422 && told.text.contains("để riêng"), "{}", told.text);
    assert_eq!((kept("a").await, alerts(&hub).await.len()), (1, 1));
    let audit = hub.hub.store.audit(yenban_hub::store::ListQuery::default()).await.unwrap();
    assert!(audit.iter().any(|row| row.action == "cap set aside" && row.subject == "a" && row.purpose == "identifier"));
    // The other comes while the first is looked at: neither replaces the other unseen.
    let waiting = brought(&officer, &named(&hub, "b")).await;
    assert_eq!(brought(&officer, &named(&hub, "b").replace("Severe", "Minor")).await.status, 422);
    assert_eq!(kept("b").await, 1);
    // Both forms lie open: whoever sends second is told.
    let body = |page: &browser::Page| {
        let fields = [("token", page.field("token")), ("headline", page.value("headline")), ("identifier", page.field("identifier"))];
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        format!("{}&instruction=L%C3%AAn+cao&severity=Severe&hours=6&hamlet={hamlet}", fields.join("&"))
    };
    assert_eq!(officer.post("/console/alerts/send", &body(&waiting)).await.status, 303);
    assert_eq!(officer.post("/console/alerts/send", &body(&waiting)).await.status, 409);
    assert_eq!(alerts(&hub).await.len(), 2);
    // Our own, written as CAP and brought back, is known.
    let wanted = AlertWanted {
        headline: "Sạt lở".to_owned(),
        description: "Đất lấp đường".to_owned(),
        severity: "Severe".to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        ..AlertWanted::default()
    };
    let own = Admin::here(hub.hub.clone()).alert(wanted).await.unwrap().id;
    let out = officer.get(&format!("/console/alerts/one/{own}/cap")).await.text;
    assert!(brought(&officer, &out).await.text.contains("Tin này đã có ở đây."));
    assert!(brought(&officer, &out.replace("Sạt lở", "Hết")).await.text.contains("để riêng"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b_064_what_is_not_real_never_sounds_as_real() {
    let status = |status: &str| cap::read(with("Actual", status).as_bytes()).map(|document| document.status).map_err(|fault| fault.code);
    assert_eq!([status("Exercise"), status("Test"), status("Draft")], [Ok(Status::Exercise), Ok(Status::Test), Ok(Status::Test)]);
    assert_eq!([status("System"), status("actual"), status("")], [Err("not_for_people"), Err("value"), Err("missing")]);
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    for status in ["Exercise", "Test", "Draft"] {
        let page = brought(&officer, &named(&hub, status).replace("Actual", status)).await;
        assert!(page.text.contains("name=\"drill\" value=\"1\" checked"), "{status}: {}", page.text);
        assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    }
    assert!(alerts(&hub).await.iter().all(|row| row.drill));
    let list = officer.get("/console/alerts").await.text;
    assert_eq!(list.matches("drill-word").count(), 6, "the word above and below each");
    hub.clock.pass(SILENCE_SEVERE_MS + 1_000);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 0, "nobody is called out of bed");

    // A drill takes nothing real off the phones, and nothing real a drill.
    let page = brought(&officer, &named(&hub, "real")).await;
    assert_eq!(send(&officer, &page, hamlet).await.status, 303);
    let end = |id: &str, of: &str, status: &str| about(&named(&hub, id).replace("Actual", status), "Cancel", of);
    for document in [end("end-1", "real", "Exercise"), end("end-2", "Exercise", "Actual")] {
        let page = brought(&officer, &document).await;
        let refused = send(&officer, &page, hamlet).await;
        assert!(refused.status == 422 && refused.text.contains("không thay được tin"), "{}", refused.text);
    }
    assert!(alerts(&hub).await.iter().all(|row| row.replaced_by.is_empty()));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn b_066_texts_stay_texts() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0;
    let officer = Browser::entered(&hub).await;
    let nasty =
        "&lt;script&gt;alert(1)&lt;/script&gt; &lt;a href=\"javascript:1\"&gt;x&lt;/a&gt; http://x.vn tel:0912345678 \u{202E}tam\u{2066}";
    let document = named(&hub, "a")
        .replace("Mưa lớn ở Nà Phòn", nasty)
        .replace("Đài khí tượng", nasty)
        .replace("Bản Nà Phòn", nasty)
        .replace("Rời bờ suối.", nasty);
    let form = brought(&officer, &document).await;
    assert_eq!(form.status, 200);
    let text = encoded("<script>alert(1)</script> http://x.vn tel:0912345678 \u{202E}tam\u{2066}");
    let body = format!("token={}&headline={text}&instruction={text}&description={text}&severity=Severe&hours=6", form.field("token"));
    let body = format!("{body}&hamlet={hamlet}&sender={text}&identifier=a");
    let preview = officer.post("/console/alerts/preview", &body).await;
    assert_eq!(officer.post("/console/alerts/send", &body).await.status, 303);
    let mut pages = vec![form, preview];
    for path in ["/console/alerts", "/console/alerts/one/a", "/console/alerts/one/a/update"] {
        pages.push(officer.get(path).await);
    }
    for page in pages {
        let text = &page.text;
        assert!(text.contains("alert(1)") && !text.contains("<script>alert"), "{text}");
        assert!(!text.contains("href=\"http") && !text.contains("href=\"tel") && !text.contains("href=\"javascript"), "no link: {text}");
        // In what is shown, marks of direction are replaced; a form gives back what was written.
        let shown: String = text.lines().filter(|line| !line.contains("<input") && !line.contains("<textarea")).collect();
        assert!(!shown.contains('\u{202E}') && !shown.contains('\u{2066}'), "{shown}");
    }
    let out = officer.get("/console/alerts/one/a/cap").await.text;
    assert_eq!(cap::read(out.as_bytes()).unwrap().info.unwrap().headline.matches("<script>").count(), 1, "as it was said");
    hub.stop().await;
}

#[test]
fn what_has_no_measure_is_refused_in_time() {
    let started = Instant::now();
    assert_eq!(cap::read(&vec![b' '; CAP_MAX_BYTES + 1]).unwrap_err().code, "too_large");
    for many in ["<info>", "<a xmlns=\"x\">", "<!-- -->", "<![CDATA[x]]>", "&#65;", "<x/>", "<x", "]]>", "\"", "<info a=\"1\" "] {
        let document = format!("{HEAD}{}", many.repeat(CAP_MAX_BYTES / many.len()));
        assert_ne!(code(&document[..CAP_MAX_BYTES.min(document.len())]), "read", "{many}");
    }
    let corner = |n: usize| format!("{}.{n},105.{n} ", 10 + n % 10);
    let corners: String = (0..15_000).map(corner).collect();
    let polygon = format!("<polygon>{corners}{}</polygon>", corner(0));
    let area = cap::read(with("</areaDesc>", &format!("</areaDesc>{polygon}")).as_bytes());
    if let Ok(document) = area {
        let area = &document.info.as_ref().unwrap().areas[0];
        assert!((0..500).filter(|n| area.holds(15.0, 105.0 + f64::from(*n) / 500.0)).count() <= 500);
    }
    assert!(started.elapsed() < Duration::from_secs(20), "all of them together, unoptimised, on a busy machine");
}

#[test]
fn two_of_what_there_is_one_of_are_refused() {
    for element in
        ["identifier", "sender", "sent", "status", "msgType", "scope", "event", "severity", "headline", "instruction", "areaDesc"]
    {
        let line = GOOD.split(&format!("<{element}>")).nth(1).unwrap().split("</").next().unwrap();
        let one = format!("<{element}>{line}</{element}>");
        assert_eq!(code(&with(&one, &format!("{one}<{element}>x</{element}>"))), format!("value {element}"));
    }
    // What stands in a namespace of its own says nothing for CAP.
    for foreign in [
        "<info xmlns=\"urn:evil\"><severity>Minor</severity></info>",
        "<x:info xmlns:x=\"urn:evil\"><x:severity>Minor</x:severity></x:info>",
        "<Signature xmlns=\"http://www.w3.org/2000/09/xmldsig#\"><identifier>x</identifier></Signature>",
    ] {
        let document = cap::read(with("</scope>", &format!("</scope>{foreign}")).as_bytes()).unwrap();
        assert_eq!(document, cap::read(GOOD.as_bytes()).unwrap(), "{foreign}");
    }
    assert_eq!(code(&GOOD.replace("<alert xmlns", "<alert xmlns:c=\"x\" xmlns").replace("<event>", "<c:event>")), "malformed");
    for id in [".", "..", "a b", "a,b", "a&lt;b", "&#xA0;"] {
        assert_eq!(code(&with("KTTV-2026-41", id)).split(' ').next_back(), Some("identifier"), "{id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_too_long_or_cut_is_told_on_the_page() {
    let hub = TestHub::start().await;
    let officer = Browser::entered(&hub).await;
    let long = brought(&officer, &"x".repeat(CAP_MAX_BYTES + 70_000)).await;
    assert!(long.status == 422 && long.text.contains("dài quá"), "{}: {}", long.status, long.text);
    assert!(brought(&officer, "").await.text.contains("Chưa có tệp"));
    let expired = named(&hub, "old").replace("<senderName>", &format!("<expires>{}</expires><senderName>", second(&hub, -HOUR_MS)));
    assert!(plain(&brought(&officer, &expired).await.text).contains("đã hết hạn"));
    hub.stop().await;
}
