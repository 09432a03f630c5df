//! CAP: what other services send is read or refused with its reason, what goes out can be read again, and the officers'
//! page for it keeps what must not be lost.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/cap_page.rs"]
mod cap_page;
mod support;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;

use browser::Browser;
use cap_page::{GOOD, alerts, brought, code, encoded, send, with};
use support::TestHub;
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::cap::{self, Document};
use yenban_hub::clock::{Clock as _, HOUR_MS, rfc3339};
use yenban_hub::escalate;
use yenban_hub::limits::{CAP_MAX_BYTES, SILENCE_EXTREME_MS, SILENCE_SEVERE_MS};
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::alert::{MessageType, Severity, Status};
use yenban_protocol::id::{MemberNo, Role};
use yenban_protocol::record::{Act, Answer};

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

#[test]
fn areas_hold_what_lies_in_them() {
    let square = "<area><areaDesc>x</areaDesc><polygon>20,105 20,106 21,106 21,105 20,105</polygon><circle>10,100 11.2</circle></area>";
    let document = cap::read(with("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", square).as_bytes()).unwrap();
    let area = &document.info.unwrap().areas[0];
    let inside = |lat: f64, lon: f64| area.holds(lat, lon);
    assert!(inside(20.5, 105.5) && !inside(21.5, 105.5) && !inside(20.5, 106.5));
    assert!(inside(10.1, 100.0) && !inside(10.11, 100.0));
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

/// Whether the schema of CAP 1.2 holds a document for good; `None`: the schema or its judge is not here.
fn valid(document: &str) -> Option<bool> {
    let schema = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/cap/cap12.xsd");
    if !schema.exists() {
        println!("skipped: {} is not there", schema.display());
        return None;
    }
    let mut judge = std::process::Command::new("xmllint");
    judge.args(["--nonet", "--noout", "--schema"]).arg(&schema).arg("-");
    let pipes = judge.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let Ok(mut judge) = pipes else {
        println!("skipped: xmllint is not installed (Debian: libxml2-utils)");
        return None;
    };
    judge.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let told = judge.wait_with_output().unwrap();
    let valid = told.status.success();
    if !valid {
        println!("{}", String::from_utf8_lossy(&told.stderr));
    }
    Some(valid)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_out_is_valid_by_the_schema() {
    if valid(GOOD).is_none() {
        return;
    }
    assert_eq!((valid(GOOD), valid(&with("<scope>Public</scope>", ""))), (Some(true), Some(false)), "the judge judges");
    let hub = TestHub::start().await;
    hub.phone("Nà Phòn").await;
    let officer = Browser::entered(&hub).await;
    let mut admin = Admin::here(hub.hub.clone());
    admin.import("bản,vĩ độ,kinh độ,họ tên\nPiềng Vế,20.71,105.02,Lò Văn Páo\n".as_bytes(), "vi").await.unwrap();
    let wanted = |headline: &str, severity: &str, hamlets: &[&str]| AlertWanted {
        headline: headline.to_owned(),
        description: "Đất <lấp> \"đường\" & suối\n\nhai dòng ]]>".to_owned(),
        instruction: if severity == "Minor" { String::new() } else { "Rời chân dốc".to_owned() },
        severity: severity.to_owned(),
        hamlets: hamlets.iter().map(|name| (*name).to_owned()).collect(),
        second: hamlets.is_empty().then(|| "Hà Văn Sơn".to_owned()),
        ..AlertWanted::default()
    };
    let first = admin.alert(wanted("Sạt lở", "Extreme", &["Nà Phòn", "Piềng Vế"])).await.unwrap().id;
    let whole = admin.alert(wanted("Mưa ".repeat(50).trim(), "Unknown", &[])).await.unwrap().id;
    let all = [
        admin.alert(AlertWanted { references: vec![first.clone()], ..wanted("Sạt thêm", "Severe", &["Nà Phòn", "Piềng Vế"]) }).await,
        admin.alert(AlertWanted { references: vec![first.clone(), whole.clone()], cancel: true, ..wanted("Hết", "Minor", &[]) }).await,
        admin.alert(AlertWanted { drill: true, ..wanted("Tập sơ tán", "Moderate", &["Nà Phòn"]) }).await,
    ];
    let ids = all.map(|sent| sent.unwrap().id);
    for id in [first.clone(), whole.clone()].iter().chain(&ids) {
        let out = officer.get(&format!("/console/alerts/one/{id}/cap")).await.text;
        assert_eq!(valid(&out), Some(true), "{out}");
    }
    // A hamlet is a point and no number: a number of the commune would call everybody.
    let areas = async |id: &str| {
        let out = officer.get(&format!("/console/alerts/one/{id}/cap")).await.text;
        cap::read(out.as_bytes()).unwrap().info.unwrap().areas
    };
    let two = areas(&first).await;
    assert_eq!((two.len(), two[1].circles.as_slice()), (2, &[(20.71, 105.02, 0.0)][..]));
    assert!(two.iter().all(|area| area.geocodes.is_empty()) && two[1].holds(20.71, 105.02));
    let one = areas(&whole).await;
    assert_eq!(one[0].geocodes, [("VN-GSO-XA".to_owned(), "05200".to_owned())]);
    // What leaves somebody out, or makes a drill of it, replaces nothing.
    for wrong in [wanted("Hết", "Minor", &["Nà Phòn"]), AlertWanted { drill: true, ..wanted("Hết", "Minor", &[]) }] {
        assert!(admin.alert(AlertWanted { references: vec![first.clone()], cancel: true, ..wrong }).await.is_err());
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn places_of_a_document_become_hamlets_that_the_officer_sees() {
    let hub = TestHub::start().await;
    let table = "bản,vĩ độ,kinh độ,họ tên\nNà Phòn,20.66,105.08,A\nPiềng Vế,20.71,105.02,B\nNà,20.90,105.50,C\nSuối Nánh,,,D\n";
    Admin::here(hub.hub.clone()).import(table.as_bytes(), "vi").await.unwrap();
    let officer = Browser::entered(&hub).await;
    let people = hub.hub.store.people().await.unwrap();
    let now = rfc3339(hub.clock.now_ms() / 1_000 * 1_000);
    let mut n = 0;
    let mut brought = async |area: &str| {
        n += 1;
        let document = with("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", area).replace("KTTV-2026-41", &format!("p-{n}"));
        let page = brought(&officer, &document.replace("2026-02-05T20:00:00+07:00", &now)).await;
        assert_eq!(page.status, 200, "{}", page.text);
        let chosen =
            people.hamlets.iter().filter(|hamlet| page.text.contains(&format!("name=\"hamlet\" value=\"{}\" checked", hamlet.no.0)));
        let chosen: Vec<String> = chosen.map(|hamlet| hamlet.name.clone()).collect();
        let whole = page.text.contains("name=\"whole\" value=\"1\" checked");
        (chosen.join(", "), whole, page.text.replace(['\u{2068}', '\u{2069}'], ""))
    };
    let polygon = "<area><areaDesc>Vùng 1</areaDesc><polygon>20.6,105.0 20.6,105.1 20.7,105.1 20.7,105.0 20.6,105.0</polygon></area>";
    let circle = "<area><areaDesc>Tâm bão</areaDesc><circle>20.71,105.02 1.5</circle></area>";
    let (chosen, whole, text) = brought(polygon).await;
    assert_eq!((chosen.as_str(), whole), ("Nà Phòn", false));
    assert!(text.contains("1 bản chưa có tọa độ") && text.contains("Vùng 1"), "{text}");
    assert_eq!(brought(circle).await.0, "Piềng Vế");
    assert_eq!(brought(&format!("{polygon}{circle}")).await.0, "Nà Phòn, Piềng Vế");
    assert_eq!(brought("<area><areaDesc>Các bản Na Phon và SUỐI NÁNH</areaDesc></area>").await.0, "Nà Phòn, Suối Nánh", "by name, not Nà");
    let (chosen, _, text) = brought("<area><areaDesc>Hà Nội</areaDesc></area>").await;
    assert!(chosen.is_empty() && text.contains("Không có bản nào nằm trong nơi ghi trong tin"), "{text}");
    let code = |scheme: &str, value: &str| format!("<geocode><valueName>{scheme}</valueName><value>{value}</value></geocode></area>");
    let commune = format!("<area><areaDesc>Xã Mai Châu</areaDesc>{}", code("VN-GSO-XA", "05200"));
    assert!(brought(&commune).await.1, "the commune by its number");
    assert!(!brought(&commune.replace("05200", "05201")).await.1 && !brought(&commune.replace("VN-GSO-XA", "FIPS6")).await.1);
    assert!(!brought(&commune.replace("<geocode>", "<circle>20.71,105.02 1.5</circle><geocode>")).await.1, "a shape makes it smaller");
    // Two warnings in one document: the officer is told that this is one of them.
    let second = GOOD.split("<info>").nth(1).unwrap().split("</info>").next().unwrap().replace("Mưa lớn", "Gió mạnh");
    let (_, _, text) = brought(&format!("<area><areaDesc>x</areaDesc></area></info><info>{second}")).await;
    assert!(text.contains("Tin còn 1 phần khác"), "{text}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_for_the_whole_commune_takes_two_officers_and_a_draft_can_be_changed() {
    let hub = TestHub::start().await;
    hub.phone("Nà Phòn").await;
    let son = Browser::entered(&hub).await;
    let row = MemberRow { no: MemberNo(0), name: "Hà Thị Đào".to_owned(), role: Role::Officer, hamlet: WHOLE_COMMUNE, group: 0 };
    let dao = hub.hub.store.add_member(row).await.unwrap().no;
    hub.hub.store.plan_account(dao, Vec::new(), hub.clock.now_ms()).await.unwrap();
    let link = yenban_hub::access::enter_link(&hub.hub, "Hà Thị Đào").await.unwrap();
    let mut second = Browser::new(&hub);
    let page = second.get(&link).await;
    second.keep(&page);
    let now = rfc3339(hub.clock.now_ms() / 1_000 * 1_000);
    let area = "<area><areaDesc>Xã</areaDesc><geocode><valueName>VN-GSO-XA</valueName><value>05200</value></geocode></area>";
    let document = with("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", area).replace("2026-02-05T20:00:00+07:00", &now);
    let page = brought(&son, &document).await;
    let fields = |page: &browser::Page| {
        format!(
            "token={}&headline={}&instruction=x&severity=Severe&hours=6&whole=1&identifier={}&sender={}",
            page.field("token"),
            encoded(page.value("headline")),
            encoded(page.field("identifier")),
            encoded(page.field("sender"))
        )
    };
    let preview = son.post("/console/alerts/preview", &fields(&page)).await;
    assert!(preview.status == 200 && preview.text.contains("Toàn xã") && preview.text.contains("Đài khí tượng"), "{}", preview.text);
    // Back from the preview nothing is lost, least of all whose warning it is.
    let again = son.post("/console/alerts/new", &fields(&page)).await;
    assert_eq!((again.value("headline"), again.field("identifier")), (page.value("headline"), page.field("identifier")));
    assert!(again.text.contains("name=\"whole\" value=\"1\" checked") && again.text.contains("Tin của"), "{}", again.text);
    let asked = son.post("/console/alerts/send", &fields(&page)).await;
    assert!(asked.way().starts_with("/console/alerts/second/"), "{}", asked.text);
    assert!(alerts(&hub).await.is_empty(), "one is not enough");
    let answer = async |who: &Browser| who.post(asked.way(), &format!("token={}&act=agree", who.token().await)).await;
    assert_eq!(answer(&son).await.status, 422);
    assert!(alerts(&hub).await.is_empty(), "nor the same one twice");
    // Somebody sends another warning of this name meanwhile: what was agreed to is not said to have gone out.
    let id = page.field("identifier").to_owned();
    let send_other = format!("token={}&headline=Khac&instruction=x&severity=Minor&hours=6&identifier={id}", son.token().await);
    let hamlet = hub.hub.store.people().await.unwrap().hamlet_named("Nà Phòn").unwrap().no.0;
    let open = hub.hub.store.proposals(hub.clock.now_ms()).await.unwrap().len();
    assert_eq!(son.post("/console/alerts/send", &format!("{send_other}&hamlet={hamlet}")).await.status, 303);
    assert_eq!(answer(&second).await.status, 409);
    assert_eq!(hub.hub.store.proposals(hub.clock.now_ms()).await.unwrap().len(), open, "it is still open");
    // One that nobody crossed goes out, once.
    let asked = son.post("/console/alerts/send", &fields(&page).replace(&encoded(&id), "w-2")).await;
    let agreed = second.post(asked.way(), &format!("token={}&act=agree", second.token().await)).await;
    assert_eq!(agreed.status, 303, "{}", agreed.text);
    let row = alerts(&hub).await.into_iter().find(|row| row.id == "w-2").unwrap();
    assert_eq!((row.officer.as_str(), row.second.as_deref(), row.hamlets.len()), ("Hà Văn Sơn", Some("Hà Thị Đào"), 0));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_looking_at() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("alerts");
    std::fs::create_dir_all(&folder).unwrap();
    let hub = TestHub::start().await;
    let table = "bản,vĩ độ,kinh độ,họ tên,vai trò\nNà Phòn,20.66,105.08,Lò Văn Páo,tổ trưởng\nNà Phòn,,,Hà Thị Mai,tổ viên\n\
                 Piềng Vế,20.71,105.02,Vì Văn Khương,tổ viên\nSuối Nánh,,,Lò Thị Én,tổ viên\n";
    let mut admin = Admin::here(hub.hub.clone());
    admin.import(table.as_bytes(), "vi").await.unwrap();
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let mut officer = Browser::entered(&hub).await;
    let wanted = |headline: &str, severity: &str, hamlets: &[&str], drill: bool| AlertWanted {
        headline: headline.to_owned(),
        description: "Mưa lớn từ chiều, đất đã lấp đường vào suối Nánh.".to_owned(),
        instruction: "Rời chân dốc. Lên nhà văn hóa bản.\nKhông quay lại lấy đồ.".to_owned(),
        severity: severity.to_owned(),
        hamlets: hamlets.iter().map(|name| (*name).to_owned()).collect(),
        second: hamlets.is_empty().then(|| "Hà Văn Sơn".to_owned()),
        drill,
        ..AlertWanted::default()
    };
    let first = admin.alert(wanted("Sạt lở ở suối Nánh, mưa còn to", "Extreme", &["Nà Phòn", "Piềng Vế"], false)).await.unwrap().id;
    let drill = admin.alert(wanted("Tập sơ tán khi có lũ quét", "Severe", &["Nà Phòn"], true)).await.unwrap().id;
    let seq = phone.record(Act::AlertAnswered { alert: first.clone(), answer: Answer::Going });
    phone.push(&mut conn, 0, seq).await;
    hub.clock.pass(SILENCE_EXTREME_MS + 1_000);
    escalate::remind(&hub.hub).await.unwrap();
    let now = rfc3339(hub.clock.now_ms() / 1_000 * 1_000);
    let area = "<area><areaDesc>Vùng ven suối Nánh, xã Mai Châu</areaDesc><circle>20.66,105.08 3</circle></area>";
    let document = with("<area><areaDesc>Bản Nà Phòn</areaDesc></area>", area).replace("2026-02-05T20:00:00+07:00", &now);
    for language in ["vi", "en"] {
        officer.language = language;
        let keep = |name: &str, page: &browser::Page| {
            assert!(page.text.contains("</h1>") && page.text.trim_end().ends_with("</html>"), "{name}: {}", page.text);
            std::fs::write(folder.join(format!("{name}.{language}.html")), &page.text).unwrap();
        };
        for (name, path) in [
            ("alerts", "/console/alerts".to_owned()),
            ("new", "/console/alerts/new".to_owned()),
            ("cap", "/console/alerts/cap".to_owned()),
            ("one", format!("/console/alerts/one/{first}")),
            ("drill", format!("/console/alerts/one/{drill}")),
            ("update", format!("/console/alerts/one/{first}/update")),
        ] {
            keep(name, &officer.get(&path).await);
        }
        keep("cap-wrong", &brought(&officer, "<!DOCTYPE alert><alert/>").await);
        let read = brought(&officer, &document).await;
        keep("cap-read", &read);
        let numbers: Vec<u32> = hub.hub.store.people().await.unwrap().hamlets.iter().take(2).map(|hamlet| hamlet.no.0).collect();
        let fields = format!(
            "token={}&headline={}&instruction={}&description={}&severity=Extreme&hours=6&hamlet={}&hamlet={}",
            read.field("token"),
            encoded("Sạt lở ở suối Nánh, đường đã thông một phần"),
            encoded("Chỉ đi đường trên. Chờ tổ trưởng gọi."),
            encoded("Mưa đã ngớt."),
            numbers[0],
            numbers[1]
        );
        let update = format!("{fields}&kind=Update&references={}", encoded(&first));
        keep("preview-update", &officer.post("/console/alerts/preview", &update).await);
        keep("preview-drill", &officer.post("/console/alerts/preview", &format!("{fields}&drill=1")).await);
        keep("refused", &officer.post("/console/alerts/preview", &format!("{update}&drill=1")).await);
        let asked = officer.post("/console/alerts/send", &format!("{fields}&whole=1")).await;
        let second = officer.get(asked.way()).await;
        let (word, wrong) = if language == "vi" { ("Chưa phát", "Còn hiệu lực") } else { ("Not sent yet", ">Live<") };
        assert!(second.text.contains(word) && !second.text.contains(wrong), "{}", second.text);
        keep("second", &second);
    }
    hub.stop().await;
}
