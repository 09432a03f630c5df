//! Phones that join by a code of the console: nothing of them is taken before somebody has compared four words.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
mod support;

use browser::{Browser, Page};
use support::phone::{Conn, Phone, Random};
use support::{NIGHT_MS, TestHub};
use yenban_hub::access;
use yenban_hub::admin::Admin;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::enrol::EnrolmentCode;
use yenban_protocol::feed::Item;
use yenban_protocol::id::{EntryName, HamletNo, MemberNo, Role};
use yenban_protocol::parcel::Parcel;
use yenban_protocol::record::{Act, Record};
use yenban_protocol::sms::{Claim, Sms};
use yenban_protocol::wire::{FeedRequest, path};
use yenban_protocol::words::four_words;

const PEOPLE: &str = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\n\
    Nà Phòn;20,66;105,08;Tổ 1;Lò Thị Hoa;tổ viên\n\
    Piềng Vế;20,67;105,09;Tổ 2;Sùng A Chớ;tổ trưởng\n";

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// A hub with two hamlets and its chief at the console.
async fn commune() -> (TestHub, Browser) {
    let hub = TestHub::start().await;
    Admin::here(hub.hub.clone()).import(PEOPLE.as_bytes(), "vi").await.unwrap();
    let son = Browser::entered(&hub).await;
    (hub, son)
}

/// Another officer at the console, who sees these hamlets.
async fn officer(hub: &TestHub, name: &str, reach: &[HamletNo]) -> Browser {
    let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role: Role::Officer, hamlet: WHOLE_COMMUNE, group: 0 };
    let no = hub.hub.store.add_member(row).await.unwrap().no;
    hub.hub.store.plan_account(no, reach.to_vec(), NIGHT_MS).await.unwrap();
    let mut browser = Browser::new(hub);
    let page = browser.get(&access::enter_link(&hub.hub, name).await.unwrap()).await;
    browser.keep(&page);
    browser
}

async fn member(hub: &TestHub, name: &str) -> MemberRow {
    hub.hub.store.people().await.unwrap().members.iter().find(|member| member.name == name).unwrap().clone()
}

async fn hamlet(hub: &TestHub, name: &str) -> HamletNo {
    hub.hub.store.people().await.unwrap().hamlet_named(name).unwrap().no
}

/// The text of the code on a page.
fn code_on(page: &Page) -> String {
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(page.text.contains("<svg class=\"qr\""), "the code is drawn");
    page.text.split("<code class=\"link\">").nth(1).unwrap().split('<').next().unwrap().to_owned()
}

async fn make(browser: &Browser, fields: &[(&str, &str)]) -> Page {
    let token = browser.token().await;
    browser.post("/console/people/codes", &form(&[&[("token", token.as_str())], fields].concat())).await
}

async fn compare(browser: &Browser, phone: &Phone, act: &str) -> Page {
    let token = browser.token().await;
    browser.post(&format!("/console/people/words/{}", phone.device), &form(&[("token", &token), ("act", act)])).await
}

async fn audit(hub: &TestHub, action: &str) -> Vec<String> {
    let rows = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    rows.into_iter().filter(|row| row.action == action).map(|row| format!("{} {}", row.actor, row.subject)).collect()
}

/// A phone that redeemed a code of the console for Lò Thị Hoa and has a check-in to send.
async fn waiting_phone(hub: &TestHub, browser: &Browser) -> (Phone, Conn) {
    let hoa = member(hub, "Lò Thị Hoa").await.no.0.to_string();
    let text = code_on(&make(browser, &[("member", &hoa)]).await);
    let mut conn = hub.connect().await;
    let mut phone = Phone::new(NIGHT_MS);
    assert_eq!(phone.enrol(&mut conn, &text).await.status, 200);
    phone.start_log();
    phone.check_in(None);
    (phone, conn)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_waits_until_the_words_agree_and_then_everything_is_taken() {
    let (hub, son) = commune().await;
    let (phone, mut conn) = waiting_phone(&hub, &son).await;
    assert_eq!(phone.member, member(&hub, "Lò Thị Hoa").await.no, "for her, not for a new one of that name");
    for _ in 0..2 {
        let pushed = phone.push(&mut conn, 0, 1).await;
        assert_eq!((pushed.status, pushed.code().as_str()), (403, "unconfirmed"));
    }
    let pulled = conn.post(path::FEED, &phone.feed_body(Vec::new(), 64)).await.unwrap();
    assert_eq!((pulled.status, pulled.code().as_str()), (403, "unconfirmed"));
    let totals = hub.hub.store.totals().await.unwrap();
    assert_eq!((totals.entries, totals.quarantine), (0, 0), "nothing of it is here");

    let words = four_words(&hub.hub.keys.root_hash(), &phone.sign_public()).join(" ");
    for path in ["/console/people", "/console/people/codes", &format!("/console/people/{}", phone.member.0)] {
        assert!(son.get(path).await.text.contains(&format!(">{words}<")), "{path} shows the words");
    }
    let agreed = compare(&son, &phone, "agree").await;
    assert_eq!(agreed.status, 200, "{}", agreed.text);
    assert!(!agreed.text.contains(&words), "it waits no more");
    assert_eq!(phone.push(&mut conn, 0, 1).await.status, 200);
    assert_eq!(hub.hub.store.totals().await.unwrap().entries, 2);
    let (_, items) = phone.pull(&mut conn, Vec::new(), 64).await;
    assert!(items.iter().any(|item| matches!(&item.item, Item::Directory(d) if d.members.iter().any(|m| m.no == phone.member))));
    assert_eq!(audit(&hub, "words agree").await, [format!("Hà Văn Sơn {}", phone.device)]);
    // Late and doubled clicks change nothing.
    for act in ["agree", "differ"] {
        assert_eq!(compare(&son, &phone, act).await.status, 200);
    }
    assert_eq!(phone.push(&mut conn, 0, 1).await.status, 200);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_whose_words_differ_is_revoked_at_once() {
    let (hub, son) = commune().await;
    // A bystander photographed the code and was faster.
    let (phone, mut conn) = waiting_phone(&hub, &son).await;
    assert_eq!(compare(&son, &phone, "differ").await.status, 200);
    assert!(hub.hub.store.device(phone.device).await.unwrap().unwrap().revoked_ms.is_some());
    let pulled = conn.post(path::FEED, &phone.feed_body(Vec::new(), 64)).await.unwrap();
    assert_eq!(pulled.code(), "revoked");
    assert_eq!(phone.push(&mut conn, 0, 1).await.code(), "revoked");
    let totals = hub.hub.store.totals().await.unwrap();
    assert_eq!((totals.entries, totals.quarantine, totals.revoked), (0, 0, 1), "it was never one of ours: nothing of it is kept");
    assert_eq!(compare(&son, &phone, "agree").await.status, 200);
    assert!(hub.hub.store.device(phone.device).await.unwrap().unwrap().revoked_ms.is_some(), "nothing brings it back");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_survives_a_restart_and_no_other_road_leads_around_it() {
    let (hub, son) = commune().await;
    let (mut phone, _) = waiting_phone(&hub, &son).await;
    drop(son);
    let hub = hub.restart().await;
    let kind = "fire".to_owned();
    let seq = phone.record(Act::IncidentReported { kind, urgent: true, attachments: 0, statements: Vec::new() });
    let mut conn = hub.connect().await;
    assert_eq!(phone.push(&mut conn, 0, 2).await.code(), "unconfirmed");
    let request =
        FeedRequest { device: phone.device, cursors: Vec::new(), limit: 9, logs: vec![phone.log], history_number: 1, held: Vec::new() };
    let mut parcel = Parcel::new(request, &phone.sign).unwrap();
    parcel.segments.push(phone.segment(0, 2));
    let taken = yenban_hub::courier::take(&hub.hub, &parcel.seal(&mut Random, &phone.hub_key()).unwrap()).await.unwrap();
    let refused: Vec<&str> = taken.refused.iter().map(|part| part.code.as_str()).collect();
    assert_eq!((taken.answer, refused), (None, vec!["unconfirmed", "unconfirmed"]), "by courier");
    let parts: Vec<_> = phone.bodies[seq as usize].parts.iter().map(Some).collect();
    let claim = Claim::of(&Record::from_parts(&parts).unwrap(), EntryName { log: phone.log, seq }, phone.device).unwrap();
    let message = Sms::seal(&claim, &phone.seal, &phone.hub_key(), &phone.sign).unwrap().to_text();
    assert_eq!(yenban_hub::sms::take(&hub.hub, &message).await.unwrap_err().code(), "unconfirmed", "by message");
    assert_eq!(hub.hub.store.totals().await.unwrap().incidents, 0);
    hub.stop().await;
}

/// B-026: the chief is told that somebody else has the code. B-028 (expired) stands in `enrol.rs`.
#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_is_tried_again_is_told_to_the_chief() {
    let (hub, son) = commune().await;
    let page = make(&son, &[("name", "Vì Văn Khương"), ("hamlet", &hamlet(&hub, "Nà Phòn").await.0.to_string()), ("role", "member")]).await;
    let text = code_on(&page);
    let mut conn = hub.connect().await;
    let (mut first, mut second) = (Phone::new(NIGHT_MS), Phone::new(NIGHT_MS));
    assert_eq!(first.enrol(&mut conn, &text).await.status, 200);
    assert!(!son.get("/console/people/codes").await.text.contains("role=\"alert\""));
    assert_eq!(second.enrol(&mut conn, &text).await.code(), "token_used");
    let page = son.get("/console/people/codes").await;
    assert!(page.text.contains("<p class=\"warn\" role=\"alert\">"), "{}", page.text);
    assert_eq!(hub.hub.store.people().await.unwrap().members.iter().filter(|m| m.name == "Vì Văn Khương").count(), 1);
    hub.stop().await;
}

/// B-032, B-036: role and hamlet are the hub's; a code of another hamlet ends at the words.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_code_says_is_what_the_hub_wrote() {
    let (hub, son) = commune().await;
    let hoa = member(&hub, "Lò Thị Hoa").await.no.0.to_string();
    let good = EnrolmentCode::from_text(&code_on(&make(&son, &[("member", &hoa)]).await)).unwrap();
    let mut conn = hub.connect().await;
    let phone = Phone::new(NIGHT_MS);
    for altered in [EnrolmentCode { role: Role::Chief, ..good.clone() }, EnrolmentCode { hamlet: "Piềng Vế".to_owned(), ..good.clone() }]
    {
        assert_eq!(conn.post(path::ENROL, &phone.enrol_body(&altered)).await.unwrap().code(), "token_altered");
    }
    assert_eq!(good.hamlet, "Nà Phòn");
    assert!(good.addresses.contains(&hub.address.to_string()) && good.addresses.contains(&"hub.test:8443".to_owned()));
    // Cho of Piềng Vế scanned a picture of it: his words are not those beside the phone that Hoa's officer sees.
    let mut stranger = Phone::new(NIGHT_MS);
    assert_eq!(stranger.enrol(&mut conn, &good.to_text()).await.status, 200);
    let mine = four_words(&hub.hub.keys.root_hash(), &phone.sign_public());
    assert!(!son.get("/console/people/codes").await.text.contains(&mine.join(" ")));
    assert_eq!(compare(&son, &stranger, "differ").await.status, 200);
    hub.stop().await;
}

/// B-034: names that look like others are shown with a warning and cannot turn the line round.
#[tokio::test(flavor = "multi_thread")]
async fn a_hamlet_that_looks_like_another_is_marked() {
    let (hub, son) = commune().await;
    let commune = hub.hub.commune();
    let odd = "N\u{430} Ph\u{f2}n\u{202E}";
    let no = hub.hub.store.add_hamlet(odd.to_owned(), NIGHT_MS, commune, hub.hub.item_signer()).await.unwrap().no.0.to_string();
    let page = make(&son, &[("name", "Lò Văn Páo"), ("hamlet", &no), ("role", "member")]).await;
    assert!(page.text.contains("class=\"warn\""), "{}", page.text);
    assert!(!page.text.contains('\u{202E}'), "nothing turns the line round");
    assert!(son.get("/console/people/codes").await.text.contains("class=\"warn\""));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_makes_no_code_and_confirms_no_phone_of_another() {
    let (hub, son) = commune().await;
    let (phone, _) = waiting_phone(&hub, &son).await;
    let dao = officer(&hub, "Hà Thị Đào", &[hamlet(&hub, "Piềng Vế").await]).await;
    let hoa = phone.member.0.to_string();
    assert_eq!(make(&dao, &[("member", &hoa)]).await.status, 422);
    let there = hamlet(&hub, "Nà Phòn").await.0.to_string();
    assert_eq!(make(&dao, &[("name", "Ai Đó"), ("hamlet", &there), ("role", "member")]).await.status, 422);
    for act in ["agree", "differ"] {
        assert_eq!(compare(&dao, &phone, act).await.status, 404);
    }
    let token = dao.token().await;
    for path in [format!("/console/people/{hoa}"), format!("/console/people/phones/{}", phone.device)] {
        assert_eq!(dao.get(&path).await.status, 404, "{path}");
    }
    let lost = form(&[("token", &token), ("act", "lost")]);
    assert_eq!(dao.post(&format!("/console/people/phones/{}", phone.device), &lost).await.status, 404);
    for path in ["/console/people", "/console/people/codes"] {
        let page = dao.get(path).await;
        for hidden in ["Lò Thị Hoa", "Nà Phòn"] {
            assert!(!page.text.contains(hidden), "{path} shows {hidden}");
        }
    }
    let device = hub.hub.store.device(phone.device).await.unwrap().unwrap();
    assert!(device.waiting && device.revoked_ms.is_none());
    // Only the chief names officers, and an old form does nothing.
    for role in ["officer", "chief", "auditor", "king"] {
        assert_eq!(make(&dao, &[("name", "Ai Đó"), ("role", role)]).await.status, 422, "{role}");
    }
    assert_eq!(son.post("/console/people/codes", &form(&[("token", "x"), ("member", &hoa)])).await.status, 403);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chief_joins_by_the_word_of_two() {
    let (hub, son) = commune().await;
    let dao = officer(&hub, "Hà Thị Đào", &[]).await;
    let far = officer(&hub, "Bùi Văn Minh", &[hamlet(&hub, "Piềng Vế").await]).await;
    let asked = make(&son, &[("name", "Vì Thị Lan"), ("role", "chief")]).await;
    assert_eq!(asked.status, 303, "no code yet: {}", asked.text);
    let wish = asked.way().to_owned();
    let answer = async |browser: &Browser, act: &str| browser.post(&wish, &form(&[("token", &browser.token().await), ("act", act)])).await;
    assert_eq!(answer(&son, "agree").await.status, 422, "not by whoever asked");
    assert_eq!(answer(&far, "agree").await.status, 404, "nor by somebody who sees a part");
    assert!(dao.get("/console/people/codes").await.text.contains(&wish));
    assert_eq!(dao.get(&wish.replace("people/chief", "alerts/second")).await.status, 404, "it is no alert");
    let text = code_on(&answer(&dao, "agree").await);
    assert_eq!(answer(&dao, "agree").await.status, 200, "a second code is not made");
    let code = EnrolmentCode::from_text(&text).unwrap();
    assert_eq!((code.role, code.hamlet.as_str()), (Role::Chief, ""));
    let mut phone = Phone::new(NIGHT_MS);
    assert_eq!(phone.enrol(&mut hub.connect().await, &text).await.status, 200);
    assert!(hub.hub.store.device(phone.device).await.unwrap().unwrap().waiting, "a chief's words are compared too");
    assert_eq!(hub.hub.store.codes(0).await.unwrap().len(), 1);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_phone_is_given_up_in_two_taps() {
    let (hub, son) = commune().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    phone.check_in(None);
    phone.check_in(None);
    phone.check_in(None);
    // The last entry came before the ones ahead of it: two are known to be on the phone still.
    assert_eq!(phone.push(&mut conn, 0, 0).await.status, 200);
    assert_eq!(phone.push(&mut conn, 3, 3).await.status, 200);
    let page = son.get(&format!("/console/people/{}", phone.member.0)).await;
    assert!(page.text.contains("\u{2068}2\u{2069} mục"), "{}", page.text);
    let path = format!("/console/people/phones/{}", phone.device);
    assert!(page.text.contains(&format!("{path}?act=lost")));
    let sure = son.get(&format!("{path}?act=lost")).await;
    assert_eq!(sure.status, 200);
    assert!(hub.hub.store.device(phone.device).await.unwrap().unwrap().revoked_ms.is_none(), "a look does nothing");
    let done = son.post(&path, &form(&[("token", sure.field("token")), ("act", "lost")])).await;
    assert_eq!((done.status, done.way()), (303, format!("/console/people/{}", phone.member.0).as_str()));
    let device = hub.hub.store.device(phone.device).await.unwrap().unwrap();
    assert!(device.lost && device.revoked_ms == Some(NIGHT_MS));
    assert_eq!(audit(&hub, "revoke lost").await, [format!("Hà Văn Sơn {}", phone.device)]);
    let pulled = conn.post(path::FEED, &phone.feed_body(Vec::new(), 64)).await.unwrap();
    assert_eq!(pulled.code(), "revoked");
    assert!(son.get(done.way()).await.text.contains("Đã báo mất"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_looking_at() {
    let (hub, son) = commune().await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    std::fs::create_dir_all(&folder).unwrap();
    let keep = |name: &str, page: &Page| std::fs::write(folder.join(format!("{name}.html")), &page.text).unwrap();
    let (phone, _) = waiting_phone(&hub, &son).await;
    let no = hamlet(&hub, "Nà Phòn").await.0.to_string();
    keep("code", &make(&son, &[("name", "Vì Văn Khương"), ("hamlet", &no), ("role", "member")]).await);
    keep("codes", &son.get("/console/people/codes").await);
    let asked = make(&son, &[("name", "Vì Thị Lan"), ("role", "chief")]).await;
    keep("chief", &officer(&hub, "Hà Thị Đào", &[]).await.get(asked.way()).await);
    keep("member", &son.get(&format!("/console/people/{}", phone.member.0)).await);
    keep("phone-lost", &son.get(&format!("/console/people/phones/{}?act=lost", phone.device)).await);
    keep("people-waiting", &son.get("/console/people").await);
    hub.stop().await;
}
