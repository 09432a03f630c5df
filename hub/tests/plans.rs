//! Patrol plans and checkpoints: entered in the console, seen by phones, compared with what was walked.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::{Browser, Page};
use support::phone::Phone;
use support::{NIGHT_MS, TestHub};
use yenban_hub::access;
use yenban_hub::admin::Admin;
use yenban_hub::clock::Clock as _;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::feed::{CheckpointEntry, Item};
use yenban_protocol::id::{HamletNo, MemberNo, Role};
use yenban_protocol::record::Act;
use yenban_protocol::text::code::CheckpointCode;

const PEOPLE: &str = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\n\
    Nà Phòn;20,66;105,08;Tổ 1;Lò Thị Hoa;tổ viên\n\
    Piềng Vế;20,67;105,09;Tổ 2;Sùng A Chớ;tổ trưởng\n";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

async fn commune() -> (TestHub, Browser) {
    let hub = TestHub::start().await;
    Admin::here(hub.hub.clone()).import(PEOPLE.as_bytes(), "vi").await.unwrap();
    let son = Browser::entered(&hub).await;
    (hub, son)
}

async fn officer(hub: &TestHub, name: &str, reach: &[HamletNo]) -> Browser {
    let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role: Role::Officer, hamlet: WHOLE_COMMUNE, group: 0 };
    let no = hub.hub.store.add_member(row).await.unwrap().no;
    hub.hub.store.plan_account(no, reach.to_vec(), NIGHT_MS).await.unwrap();
    let mut browser = Browser::new(hub);
    let page = browser.get(&access::enter_link(&hub.hub, name).await.unwrap()).await;
    browser.keep(&page);
    browser
}

async fn hamlet(hub: &TestHub, name: &str) -> HamletNo {
    hub.hub.store.people().await.unwrap().hamlet_named(name).unwrap().no
}

async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let token = browser.token().await;
    browser.post(path, &form(&[&[("token", token.as_str())], fields].concat())).await
}

/// A checkpoint of Nà Phòn, entered by clicking; its code.
async fn checkpoint(hub: &TestHub, browser: &Browser, name: &str) -> CheckpointCode {
    let no = hamlet(hub, "Nà Phòn").await.0.to_string();
    let fields = [("name", name), ("hamlet", no.as_str()), ("lat", "20,66012"), ("lon", "105.08345")];
    let page = send(browser, "/console/patrols/checkpoints", &fields).await;
    assert_eq!(page.status, 303, "{}", page.text);
    let rows = hub.hub.store.checkpoints().await.unwrap();
    rows.iter().find(|row| row.name == name).unwrap().code
}

/// The checkpoints that a phone knows by its newest directory.
async fn known(hub: &TestHub, phone: &Phone) -> Vec<CheckpointEntry> {
    let (_, items) = phone.pull(&mut hub.connect().await, Vec::new(), 256).await;
    let newest_first = items.into_iter().rev();
    let mut directories = newest_first.filter_map(|item| match item.item {
        Item::Directory(directory) if !directory.members.is_empty() => Some(directory.checkpoints),
        _ => None,
    });
    directories.next().unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_goes_to_the_phones_of_its_hamlet_and_comes_back_in_a_check_in() {
    let (hub, son) = commune().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let (far, _) = hub.phone("Piềng Vế").await;
    let code = checkpoint(&hub, &son, "Cầu treo").await;
    let entry = CheckpointEntry { code: code.to_string(), name: "Cầu treo".to_owned(), place_e7: (206_601_200, 1_050_834_500) };
    assert_eq!(known(&hub, &phone).await, [entry]);
    assert!(known(&hub, &far).await.is_empty(), "of its hamlet alone");

    let crew = vec![phone.member];
    let start = phone.record(Act::PatrolStarted { crew });
    phone.record(Act::CheckIn { patrol_seq: Some(start), checkpoint: Some(code.to_string()), note: None });
    assert_eq!(phone.push(&mut conn, 0, 2).await.status, 200);
    let rows = hub.hub.store.check_ins(ListQuery::default()).await.unwrap();
    assert_eq!(rows[0].checkpoint, Some(code.to_string()));
    let patrol = hub.hub.store.patrols(ListQuery::default()).await.unwrap().remove(0).id;
    assert!(son.get(&format!("/console/patrols/{patrol}")).await.text.contains(&format!("Điểm tuần {code} (Cầu treo)")));

    // Taken away: phones forget it, check-ins keep its name.
    let closed = send(&son, &format!("/console/patrols/checkpoints/{code}"), &[("act", "close")]).await;
    assert_eq!(closed.status, 303);
    assert!(known(&hub, &phone).await.is_empty());
    assert!(!son.get("/console/patrols/checkpoints").await.text.contains("Cầu treo"));
    assert!(son.get(&format!("/console/patrols/{patrol}")).await.text.contains("Cầu treo"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sheet_bears_codes_that_phones_read() {
    let (hub, son) = commune().await;
    let (bridge, school) = (checkpoint(&hub, &son, "Cầu treo").await, checkpoint(&hub, &son, "Trường").await);
    let sheet = son.get("/console/patrols/checkpoints/sheet").await;
    assert_eq!(sheet.text.matches("<svg class=\"qr\"").count(), 2);
    for code in [bridge, school] {
        assert!(sheet.text.contains(&format!("<code>{code}</code>")));
        assert_eq!(CheckpointCode::parse_qr(&code.qr_text()), Ok((code, None)));
        assert!(sheet.text.contains(&yenban_hub::qr::for_paper(&code.qr_text(), "Điểm tuần")));
    }
    let one = son.get(&format!("/console/patrols/checkpoints/sheet?code={bridge}")).await;
    assert_eq!(one.text.matches("<svg class=\"qr\"").count(), 1);
    // The same as a PDF; `paper` has the tests of what is drawn.
    let pdf = son.get("/console/patrols/checkpoints/sheet.pdf").await;
    assert_eq!((pdf.status, pdf.headers["content-type"].to_str().unwrap()), (200, "application/pdf"));
    assert!(pdf.text.starts_with("%PDF-") && pdf.text.contains("/Type /Page\n") && pdf.text.trim_end().ends_with("%%EOF"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_place_is_refused_and_nothing_is_kept() {
    let (hub, son) = commune().await;
    let no = hamlet(&hub, "Nà Phòn").await.0.to_string();
    let good = [("name", "Cầu"), ("hamlet", no.as_str()), ("lat", "20.66"), ("lon", "105.08")];
    for (at, value) in [(0, ""), (0, "a\u{7}b"), (1, "99"), (1, "x"), (2, ""), (2, "91"), (2, "NaN"), (3, "181")] {
        let mut fields = good;
        fields[at].1 = value;
        assert_ne!(send(&son, "/console/patrols/checkpoints", &fields).await.status, 303, "{fields:?}");
    }
    assert!(hub.hub.store.checkpoints().await.unwrap().is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_coming_due_walked_or_missed() {
    let (hub, son) = commune().await;
    let no = hamlet(&hub, "Nà Phòn").await.0.to_string();
    let daily: Vec<(&str, &str)> = ["0", "1", "2", "3", "4", "5", "6"].iter().map(|day| ("day", *day)).collect();
    let fields = [&[("who", no.as_str()), ("from", "20:00"), ("to", "23:00")][..], &daily].concat();
    let made = send(&son, "/console/patrols/plans", &fields).await;
    assert_eq!(made.status, 303, "{}", made.text);
    assert!(son.get("/console/patrols/plans").await.text.contains("20:00–23:00"));
    let begins_ms = yenban_hub::shifts::midnight(NIGHT_MS) + 20 * 60 * MINUTE_MS;
    let begins_ms = if begins_ms < NIGHT_MS { begins_ms + DAY_MS } else { begins_ms };
    assert!(son.get("/console/patrols").await.text.contains("Sắp tới"));
    let pass_to = |at_ms: i64| hub.clock.pass(at_ms - hub.clock.now_ms());

    pass_to(begins_ms + 30 * MINUTE_MS);
    let son = Browser::entered(&hub).await;
    assert!(son.get("/console/patrols").await.text.contains("Tới giờ, chưa thấy"));
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    phone.now_ms = begins_ms + 31 * MINUTE_MS;
    let crew = vec![phone.member];
    let start = phone.record(Act::PatrolStarted { crew });
    phone.check_in(Some(start));
    // It walks without signal; the shift ends and looks missed.
    pass_to(begins_ms + 5 * 60 * MINUTE_MS);
    let son = Browser::entered(&hub).await;
    assert!(son.get("/console/patrols").await.text.contains("Chưa thấy ca nào</b>"));
    // It delivers late: nothing was missed.
    let last = phone.bodies.len() as u64 - 1;
    assert_eq!(phone.push(&mut conn, 0, last).await.status, 200);
    let page = son.get("/console/patrols").await;
    assert!(!page.text.contains("Chưa thấy ca nào</b>"), "{}", page.text);
    assert!(page.text.contains("\u{2068}1\u{2069} ca, \u{2068}1\u{2069} lần"), "and it counts in its week");
    // The next day nobody walks.
    pass_to(begins_ms + DAY_MS + 5 * 60 * MINUTE_MS);
    let son = Browser::entered(&hub).await;
    assert!(son.get("/console/patrols").await.text.contains("Chưa thấy ca nào</b>"));

    let plan = hub.hub.store.plans(hub.clock.now_ms()).await.unwrap().remove(0).no;
    assert_eq!(send(&son, &format!("/console/patrols/plans/{plan}"), &[("act", "end")]).await.status, 303);
    assert!(!son.get("/console/patrols").await.text.contains("Sắp tới"), "it asks for nothing more");
    assert!(son.get("/console/patrols").await.text.contains("Chưa thấy ca nào</b>"), "what it asked for stays");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_means_nobody_is_refused_and_another_hamlets_is_not_there() {
    let (hub, son) = commune().await;
    let (here, there) = (hamlet(&hub, "Nà Phòn").await.0.to_string(), hamlet(&hub, "Piềng Vế").await);
    let people = hub.hub.store.people().await.unwrap();
    let cho = people.members.iter().find(|member| member.name == "Sùng A Chớ").unwrap();
    let strange = format!("{here}:{}:{}", cho.group, cho.no.0);
    let good = [("who", here.as_str()), ("day", "1"), ("from", "22:00"), ("to", "02:00")];
    for (at, value) in [(0, "99"), (0, strange.as_str()), (0, "x"), (0, "1:x"), (1, "9"), (2, "24:00"), (3, "")] {
        let mut fields = good;
        fields[at].1 = value;
        assert_eq!(send(&son, "/console/patrols/plans", &fields).await.status, 422, "{fields:?}");
    }
    assert_eq!(send(&son, "/console/patrols/plans", &good).await.status, 303);
    let plan = hub.hub.store.plans(0).await.unwrap().remove(0).no;
    let code = checkpoint(&hub, &son, "Cầu treo").await;
    let dao = officer(&hub, "Hà Thị Đào", &[there]).await;
    assert_eq!(send(&dao, "/console/patrols/plans", &good).await.status, 422, "she plans for her hamlet alone");
    assert_eq!(send(&dao, &format!("/console/patrols/plans/{plan}"), &[("act", "end")]).await.status, 404);
    assert_eq!(send(&dao, &format!("/console/patrols/checkpoints/{code}"), &[("act", "close")]).await.status, 404);
    for path in ["/console/patrols", "/console/patrols/plans", "/console/patrols/checkpoints", "/console/patrols/checkpoints/sheet"] {
        let page = dao.get(path).await;
        assert_eq!(page.status, 200);
        assert!(!page.text.contains("Nà Phòn") && !page.text.contains("Cầu treo"), "{path}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_looking_at() {
    let (hub, son) = commune().await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    std::fs::create_dir_all(&folder).unwrap();
    let keep = |name: &str, page: &Page| std::fs::write(folder.join(format!("{name}.html")), &page.text).unwrap();
    for name in ["Cầu treo", "Trường tiểu học", "Ngầm suối Nánh", "Nhà văn hóa"] {
        checkpoint(&hub, &son, name).await;
    }
    let no = hamlet(&hub, "Nà Phòn").await.0.to_string();
    let daily: Vec<(&str, &str)> = ["0", "1", "2", "3", "4", "5", "6"].iter().map(|day| ("day", *day)).collect();
    send(&son, "/console/patrols/plans", &[&[("who", no.as_str()), ("from", "22:00"), ("to", "02:00")][..], &daily].concat()).await;
    hub.clock.pass(3 * DAY_MS);
    let son = Browser::entered(&hub).await;
    keep("plans", &son.get("/console/patrols/plans").await);
    keep("checkpoints", &son.get("/console/patrols/checkpoints").await);
    keep("checkpoint-sheet", &son.get("/console/patrols/checkpoints/sheet").await);
    keep("patrols-planned", &son.get("/console/patrols").await);
    hub.stop().await;
}
