//! Answering reports in the console: the reporter's phone hears every answer, two officers never write over each other, and
//! an officer of one hamlet finds nothing of another's.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use browser::Browser;
use night::{Night, night};
use support::TestHub;
use yenban_hub::admin::Admin;
use yenban_hub::clock::Clock as _;
use yenban_hub::store::{IncidentListing, ListQuery};
use yenban_protocol::feed::{Fate, Item};
use yenban_protocol::id::{EntryName, HamletNo, MemberNo};
use yenban_protocol::record::{Act, Basis, Statement};

fn form(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        let bytes = text.bytes();
        bytes.map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect::<String>()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect::<Vec<_>>().join("&")
}

async fn listed(hub: &TestHub, id: &str) -> IncidentListing {
    let query = ListQuery { name: Some(id.to_owned()), ..ListQuery::default() };
    hub.hub.store.incidents(query).await.unwrap().remove(0)
}

/// What stands on a page without the marks that keep directions.
fn plain(text: &str) -> String {
    text.replace(['\u{2068}', '\u{2069}'], "")
}

async fn audit(hub: &TestHub) -> Vec<(String, String, String, Option<String>)> {
    let rows = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    rows.into_iter().map(|row| (row.actor, row.action, row.subject, row.outcome)).collect()
}

/// Opens the content of a report.
async fn opened(officer: &Browser, path: &str) -> String {
    let token = officer.token().await;
    assert_eq!(officer.post(path, &form(&[("purpose", "Trực ban tiếp nhận"), ("token", &token)])).await.status, 303);
    plain(&officer.get(path).await.text)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reporter_hears_every_answer_from_the_page_and_the_inbox() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let statements = vec![Statement { basis: Basis::Heard, text: "Mất ba con gà".to_owned() }];
    let seq = phone.record(Act::IncidentReported { kind: "theft".to_owned(), urgent: false, attachments: 0, statements });
    let name = EntryName { log: phone.log, seq };
    hub.deliver(&phone).await;
    let officer = Browser::entered(&hub).await;
    let token = officer.token().await;
    let path = format!("/console/incidents/{name}");

    let inbox = plain(&officer.get("/console/").await.text);
    assert!(inbox.contains("Mới") && inbox.contains("Tiếp nhận"), "{inbox}");
    let take = form(&[("token", &token), ("seen", "0"), ("from", "inbox"), ("state", "received")]);
    let taken = officer.post(&format!("{path}/answer"), &take).await;
    assert_eq!((taken.status, taken.way()), (303, "/console/"));
    let page = officer.get("/console/").await.text;
    assert!(plain(&page).contains("Công an đã xem") && !page.contains("data-key=\"r\""));

    let ask = [("token", token.as_str()), ("seen", "1"), ("state", "needs_more")];
    let without = officer.post(&format!("{path}/answer"), &form(&ask)).await;
    assert_eq!(without.status, 422, "a question needs its words");
    let ask = form(&[ask.as_slice(), &[("note", "Gà màu gì?\r\nMấy con?")]].concat());
    let asked = officer.post(&format!("{path}/answer"), &ask).await;
    assert_eq!((asked.status, asked.way()), (303, path.as_str()));
    hub.clock.pass(60_000);
    phone.record(Act::IncidentAmended {
        incident: name,
        statements: vec![Statement { basis: Basis::Seen, text: "Gà mía, ba con".to_owned() }],
    });
    hub.deliver(&phone).await;
    hub.clock.pass(60_000);
    let done = form(&[("token", &token), ("seen", "2"), ("state", "resolved"), ("note", "Đã tìm thấy gà")]);
    assert_eq!(officer.post(&format!("{path}/answer"), &done).await.status, 303);

    let (_, items) = phone.pull(&mut conn, Vec::new(), 100).await;
    let fate = |state: &str, note: &str| Fate { incident: name, state: state.to_owned(), note: note.to_owned() };
    let heard: Vec<Fate> = items.into_iter().filter_map(|item| if let Item::Fate(fate) = item.item { Some(fate) } else { None }).collect();
    assert_eq!(heard, [fate("received", ""), fate("needs_more", "Gà màu gì?\nMấy con?"), fate("resolved", "Đã tìm thấy gà")]);
    let row = listed(&hub, &name.to_string()).await;
    assert_eq!((row.state.as_str(), row.steps), ("resolved", 3));
    assert!(!plain(&officer.get("/console/").await.text).contains("Nghi mất trộm"), "what is done leaves the list");
    assert!(plain(&officer.get("/console/?all=1").await.text).contains("Nghi mất trộm"), "and is found among all");
    assert!(plain(&officer.get("/console/?q=ga").await.text).contains("Nghi mất trộm"), "and by its words");

    let page = opened(&officer, &path).await;
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page: {page}"));
    assert!(at("Gà màu gì?") < at("<span class=\"basis\">Tôi thấy:</span> Gà mía, ba con"), "in the order in which it was said");
    assert!(at("<span class=\"basis\">Tôi thấy:</span> Gà mía, ba con") < at("Đã tìm thấy gà"));
    assert!(at("Dòng thời gian") < at("Ghi trên điện thoại") && page.matches("Hà Văn Sơn").count() >= 4, "who and when");
    let noted = audit(&hub).await;
    for state in ["received", "needs_more", "resolved"] {
        let row = ("Hà Văn Sơn".to_owned(), format!("fate {state}"), name.to_string(), Some("done".to_owned()));
        assert!(noted.contains(&row), "{state}: {noted:?}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_of_two_officers_is_told_what_the_first_decided() {
    let night = night().await;
    let (first, second) = (Browser::entered(&night.hub).await, Browser::entered(&night.hub).await);
    let path = format!("/console/incidents/{}", night.quarrel);
    let (first_token, second_token) = (first.token().await, second.token().await);
    let page = opened(&second, &path).await;
    assert!(page.contains("name=\"seen\" value=\"0\""));
    let answer = |token: &str, state: &str, note: &str| form(&[("token", token), ("seen", "0"), ("state", state), ("note", note)]);
    let to = format!("{path}/answer");
    assert_eq!(first.post(&to, &answer(&first_token, "in_hand", "Tổ đang tới")).await.status, 303);
    let late = second.post(&to, &answer(&second_token, "not_for_us", "Chuyển lên huyện")).await;
    let text = plain(&late.text);
    assert_eq!(late.status, 409);
    assert!(text.contains("Hà Văn Sơn đã làm trước") && text.contains(": Đang xử lý.") && text.contains("role=\"alert\""), "{text}");
    assert!(text.contains(">Chuyển lên huyện</textarea>"), "what was typed is not lost");
    assert!(text.contains("Tổ đang tới") && text.contains("name=\"seen\" value=\"1\""), "and the page is the newest");
    assert_eq!(listed(&night.hub, &night.quarrel).await.state, "in_hand", "nothing was written over");
    let refused = audit(&night.hub).await;
    assert!(refused.iter().any(|row| row.1 == "fate not_for_us" && row.3.as_deref() == Some("conflict")), "{refused:?}");
    // From a list that was opened before: told too, and without the content.
    let take = form(&[("token", &first_token), ("seen", "0"), ("from", "inbox"), ("state", "received")]);
    let late = first.post(&to, &take).await;
    assert_eq!(late.status, 409);
    assert!(plain(&late.text).contains("đã làm trước") && !late.text.contains("Tổ đang tới"), "content asks for its purpose");
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_answers_nothing_of_another() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    // This officer sees Piềng Vế alone from now on.
    let people = night.hub.hub.store.people().await.unwrap();
    let own = people.hamlet_named("Piềng Vế").unwrap().no;
    let member = people.members.iter().find(|m| m.name == "Hà Văn Sơn").unwrap().no;
    reach(&night, member, own).await;
    for (what, fields) in
        [("answer", vec![("state", "received")]), ("assign", vec![("to", "h1")]), ("link", vec![("other", night.quarrel.as_str())])]
    {
        let fields = [vec![("token", token.as_str()), ("seen", "0")], fields].concat();
        let page = officer.post(&format!("/console/incidents/{}/{what}", night.landslide), &form(&fields)).await;
        assert_eq!(page.status, 404, "{what}");
    }
    let path = format!("/console/incidents/{}", night.quarrel);
    let away = form(&[("token", &token), ("seen", "0"), ("to", "h1")]);
    assert_eq!(officer.post(&format!("{path}/assign"), &away).await.status, 404, "nor sends somebody of another");
    let link = form(&[("token", &token), ("seen", "0"), ("other", &night.landslide)]);
    assert_eq!(officer.post(&format!("{path}/link"), &link).await.status, 422, "nor links to what is not in reach");
    assert_eq!(listed(&night.hub, &night.landslide).await.steps, 0);
    assert_eq!(listed(&night.hub, &night.quarrel).await.steps, 0);
    for bad in ["token=x&seen=0&state=received", "seen=0&state=received"] {
        assert_eq!(officer.post(&format!("{path}/answer"), bad).await.status, 403);
    }
    for bad in ["", "new", "gone", "<b>"] {
        let page = officer.post(&format!("{path}/answer"), &form(&[("token", &token), ("seen", "0"), ("state", bad)])).await;
        assert_eq!(page.status, 422, "{bad}");
    }
    assert_eq!(
        officer.post(&format!("{path}/answer"), &form(&[("token", &token), ("seen", "0"), ("state", "received")])).await.status,
        303
    );
    night.hub.stop().await;
}

async fn reach(night: &Night, member: MemberNo, hamlet: HamletNo) {
    night.hub.hub.store.plan_account(member, vec![hamlet], night.hub.clock.now_ms()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn words_about_people_are_asked_about_and_stay_with_their_reason() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    let path = format!("/console/incidents/{}", night.quarrel);
    opened(&officer, &path).await;
    let note = ("note", "Gọi người Mông ở bản trên xuống nói chuyện");
    let base = [("token", token.as_str()), ("seen", "0"), ("state", "in_hand"), note];
    let page = officer.post(&format!("{path}/answer"), &form(&base)).await;
    assert_eq!(page.status, 422);
    let text = plain(&page.text);
    assert!(text.contains("Câu này nhắc tới dân tộc, tôn giáo, bệnh. Có cần không?") && text.contains("name=\"keep\""), "{text}");
    assert!(text.contains(note.1) && listed(&night.hub, &night.quarrel).await.steps == 0, "nothing was sent, nothing is lost");
    let kept = form(&[base.as_slice(), &[("keep", "Cần phiên dịch")]].concat());
    assert_eq!(officer.post(&format!("{path}/answer"), &kept).await.status, 303);
    assert!(plain(&officer.get(&path).await.text).contains("Giữ lại vì: Cần phiên dịch"));
    let rows = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(rows.iter().any(|row| row.action == "fate in_hand" && row.purpose == "Cần phiên dịch"), "for the oversight");
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_is_sent_and_two_reports_of_one_event_lead_to_each_other() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    let path = format!("/console/incidents/{}", night.landslide);
    let page = opened(&officer, &path).await;
    let group = page.split("<option value=\"g").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let give = form(&[("token", &token), ("seen", "0"), ("to", &format!("g{group}"))]);
    assert_eq!(officer.post(&format!("{path}/assign"), &give).await.status, 303);
    let row = listed(&night.hub, &night.landslide).await;
    assert_eq!(row.state, "in_hand", "whoever is sent works on it");
    let inbox = plain(&officer.get("/console/").await.text);
    assert!(row.assigned.as_deref().is_some_and(|name| inbox.contains(name)), "{:?}", row.assigned);
    for bad in ["g999", "h999", "x1", "g", "é"] {
        let give = form(&[("token", &token), ("seen", "1"), ("to", bad)]);
        assert_eq!(officer.post(&format!("{path}/assign"), &give).await.status, 404, "{bad}");
    }

    let link = form(&[("token", &token), ("seen", "1"), ("other", &night.quarrel)]);
    assert_eq!(officer.post(&format!("{path}/link"), &link).await.status, 303);
    let here = plain(&officer.get(&path).await.text);
    let there = opened(&officer, &format!("/console/incidents/{}", night.quarrel)).await;
    assert!(here.contains("Báo cáo khác về cùng việc") && here.contains(&format!("href=\"/console/incidents/{}\"", night.quarrel)));
    assert!(there.contains("Báo cáo khác về cùng việc") && there.contains(&format!("href=\"{path}\"")), "both ways");
    assert!(there.contains("Mâu thuẫn") && listed(&night.hub, &night.quarrel).await.state == "new", "nothing of it is gone");
    let unlink = form(&[("token", &token), ("seen", "1"), ("act", "unlink"), ("other", &night.landslide)]);
    assert_eq!(officer.post(&format!("/console/incidents/{}/link", night.quarrel), &unlink).await.status, 303);
    assert!(!plain(&officer.get(&path).await.text).contains("id=\"twins\""));
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_answers_and_the_list_says_so() {
    let night = night().await;
    let mut admin = Admin::here(night.hub.hub.clone());
    let told = admin.answer(&night.quarrel, "in_hand", "Mai xuống", "").await.unwrap();
    assert_eq!((told.before.as_str(), told.state.as_str()), ("new", "in_hand"));
    let said = admin.answer(&night.quarrel, "in_hand", "Hỏi người Dao ở gần", "").await.unwrap_err();
    assert_eq!(said.code(), "invalid");
    admin.answer(&night.quarrel, "in_hand", "Hỏi người Dao ở gần", "phiên dịch").await.unwrap();
    assert_eq!(admin.answer(&night.quarrel, "new", "", "").await.unwrap_err().code(), "invalid");
    let row = listed(&night.hub, &night.quarrel).await;
    assert_eq!((row.state.as_str(), row.steps), ("in_hand", 2));
    night.hub.stop().await;
}
