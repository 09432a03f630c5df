//! What must hold of the console against an officer who may do a little and wants more.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use browser::Browser;
use night::night;
use support::phone::Phone;
use support::{NIGHT_MS, TestHub};
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::enrol::{CodeWanted, make_waiting_code};
use yenban_hub::limits::SILENCE_EXTREME_MS;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_hub::{access, escalate};
use yenban_protocol::id::{HamletNo, MemberNo, Role};

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
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

/// A chief's phone waits; an officer of one hamlet is at the console.
async fn chiefs_phone(hub: &TestHub) -> Phone {
    let wanted = CodeWanted {
        hamlet: String::new(),
        create: false,
        role: Role::Chief,
        name: "Quàng Thị Mai".to_owned(),
        addresses: vec![hub.address.to_string()],
    };
    let code = make_waiting_code(&hub.hub, wanted, MemberNo(0)).await.unwrap();
    let mut phone = Phone::new(NIGHT_MS);
    assert_eq!(phone.enrol(&mut hub.connect().await, &code.text).await.status, 200);
    phone
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_confirms_no_chief() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let dao = officer(&hub, "Hà Thị Đào", &[phone.certificate.as_ref().unwrap().value.hamlet]).await;
    let chief = chiefs_phone(&hub).await;
    let token = dao.token().await;
    // What that officer may not make a code for.
    let made = dao.post("/console/people/codes", &form(&[("token", &token), ("name", "Ai Đó"), ("role", "chief")])).await;
    assert_ne!(made.status, 303);
    let agreed = dao.post(&format!("/console/people/words/{}", chief.device), &form(&[("token", &token), ("act", "agree")])).await;
    let device = hub.hub.store.device(chief.device).await.unwrap().unwrap();
    assert!(device.waiting, "confirmed by an officer of one hamlet: {}", agreed.status);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_shuts_no_chiefs_phone_out() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let dao = officer(&hub, "Hà Thị Đào", &[phone.certificate.as_ref().unwrap().value.hamlet]).await;
    let chief = chiefs_phone(&hub).await;
    yenban_hub::phones::confirm(&hub.hub, "Hà Văn Sơn", chief.device).await.unwrap();
    let token = dao.token().await;
    let given_up = dao.post(&format!("/console/people/phones/{}", chief.device), &form(&[("token", &token), ("act", "lost")])).await;
    let device = hub.hub.store.device(chief.device).await.unwrap().unwrap();
    assert!(device.revoked_ms.is_none(), "{}", given_up.status);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reports_say_leaves_only_for_a_purpose() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let page = son.get("/console/features/collections/incidents/items?limit=1000").await;
    let audit = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    let row = audit.iter().find(|row| row.action == "export features").unwrap();
    assert!(
        !page.text.contains("Đất lấp đường vào suối") || !row.purpose.is_empty(),
        "{}: content without a purpose ({row:?})",
        page.status
    );
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_takes_no_real_alert_back() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let hamlet = phone.certificate.as_ref().unwrap().value.hamlet.0.to_string();
    let wanted = AlertWanted {
        headline: "Sạt lở".to_owned(),
        description: "Đất lấp đường".to_owned(),
        instruction: "Rời chân dốc".to_owned(),
        severity: "Extreme".to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        ..AlertWanted::default()
    };
    let sent = Admin::here(hub.hub.clone()).alert(wanted).await.unwrap();
    let son = Browser::entered(&hub).await;
    let token = son.token().await;
    let fields = [
        ("token", token.as_str()),
        ("headline", "Thôi"),
        ("instruction", "Thôi"),
        ("severity", "Minor"),
        ("hours", "6"),
        ("hamlet", &hamlet),
        ("kind", "Cancel"),
        ("references", &sent.id),
        ("drill", "1"),
    ];
    let answer = son.post("/console/alerts/send", &form(&fields)).await;
    hub.clock.pass(SILENCE_EXTREME_MS + 60_000);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 1, "the real alert stands ({}): nobody answered it", answer.status);
    hub.stop().await;
}

/// Whoever has a code that was used (each member has one) tries it again and again.
#[tokio::test(flavor = "multi_thread")]
async fn a_used_code_fills_no_record() {
    let hub = TestHub::start().await;
    let text = hub.code("Nà Phòn", Role::Member).await;
    let code = yenban_protocol::enrol::EnrolmentCode::from_text(&text).unwrap();
    let mut conn = hub.connect().await;
    assert_eq!(Phone::new(NIGHT_MS).enrol(&mut conn, &text).await.status, 200);
    let stranger = Phone::new(NIGHT_MS).enrol_body(&code);
    for _ in 0..300 {
        assert!(yenban_hub::enrol::redeem(&hub.hub, &stranger).await.is_err());
    }
    let audit = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    let tries = audit.iter().filter(|row| row.action == yenban_hub::enrol::CODE_USED_AGAIN).count();
    let page = Browser::entered(&hub).await.get("/console/people/codes").await;
    let shown = page.text.matches("role=\"alert\"").count();
    assert!(
        (1..=10).contains(&tries) && (1..=10).contains(&shown),
        "{tries} lines in the record, {shown} on the page, {} bytes",
        page.text.len()
    );
    hub.stop().await;
}
