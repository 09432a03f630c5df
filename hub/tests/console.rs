//! The commune's pages, asked in process: nobody without a session sees anything, nothing that was written in the
//! hills runs in the browser, and content opens for a purpose that stands in the read log first.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use browser::{Browser, Page};
use night::{NASTY, Night, night};
use support::TestHub;
use support::upload::{Tus, content, facts, record, seal};
use yenban_hub::clock::{Clock as _, SystemClock};
use yenban_hub::store::{Effect, ListQuery, NewEntry, NewRun, ReportRow, WhenWhere};
use yenban_protocol::chain::FIRST_LINK;
use yenban_protocol::custody::Action;
use yenban_protocol::id::{EntryName, LogId, MemberNo};
use yenban_protocol::record::Act;

async fn audit(hub: &TestHub, action: &str) -> Vec<(String, String, String)> {
    let rows = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    rows.into_iter().filter(|row| row.action == action).map(|row| (row.actor, row.subject, row.purpose)).collect()
}

/// A page without the scripts that are ours: named by their address, carrying the number of this answer.
fn without_ours(page: &Page) -> String {
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
    let ours = |name| format!("<script src=\"/console/assets/{name}.js\" nonce=\"{nonce}\" type=\"module\"></script>");
    page.text.replace(&ours("inbox"), "").replace(&ours("map"), "")
}

fn pages(night: &Night) -> Vec<(&'static str, String)> {
    vec![
        ("inbox", "/console/".into()),
        ("incident", format!("/console/incidents/{}", night.landslide)),
        ("map", "/console/map".into()),
        ("patrols", "/console/patrols".into()),
        ("patrol", format!("/console/patrols/{}", night.patrol)),
        ("alerts", "/console/alerts".into()),
        ("compose", "/console/alerts/new".into()),
        ("people", "/console/people".into()),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_there_is_a_door_and_nothing_behind_it() {
    let night = night().await;
    let stranger = Browser::new(&night.hub);
    for (name, path) in pages(&night) {
        let page = stranger.get(&path).await;
        assert_eq!((page.status, page.way().starts_with("/console/sign-in")), (303, true), "{name}");
        for inside in ["Nà Phòn", "Piềng Vế", "Lò Văn Páo", "Sạt lở", "name=\"token\""] {
            assert!(!page.text.contains(inside), "{name} shows {inside}");
        }
        assert_eq!(page.headers["cache-control"], "no-store");
    }
    assert_eq!(stranger.get("/console/enter/AAAA").await.status, 401);
    assert_eq!(stranger.post(&format!("/console/incidents/{}", night.landslide), "purpose=x&token=").await.status, 401);
    assert_eq!(stranger.post("/console/alerts/send", "headline=x").await.status, 401);
    assert!(audit(&night.hub, "read incident").await.is_empty());
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_has_its_policy_its_landmarks_and_no_script() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    for (name, path) in pages(&night).into_iter().chain([("none", "/console/nothing".to_owned())]) {
        let page = officer.get(&path).await;
        assert_eq!(page.status, if name == "none" { 404 } else { 200 }, "{name}: {}", page.text);
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'") && policy.contains("form-action 'self'"));
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "no-referrer");
        assert_eq!(page.headers["cache-control"], "no-store");
        for never in ["<script", "style=", "<style", "javascript:", " onclick", "http://", "https://", "{$", "{ $"] {
            let text = without_ours(&page).replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
            assert!(!text.contains(never), "{name} has {never}");
        }
        assert_eq!(page.text.matches("<h1").count(), 1, "{name}: one first heading");
        for part in ["<html lang=\"vi\">", "<main id=\"main\"", "class=\"skip\"", "<title>"] {
            assert!(page.text.contains(part), "{name} lacks {part}");
        }
        if name != "none" {
            assert_eq!(page.text.matches("aria-current=\"page\"").count(), 1, "{name}");
            assert_eq!(page.text.matches("<table").count(), page.text.matches("<caption>").count(), "{name}");
        }
        // Every message was found: an unknown id shows as itself.
        for id in ["console-", "word-", "kind-", "format-"] {
            for (at, _) in page.text.match_indices(id) {
                let before = &page.text[at.saturating_sub(1)..at];
                assert!(before == "/" || before == "-" || before == "<", "{name} shows an id: {}", &page.text[at..at + 30]);
            }
        }
    }
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn content_opens_for_a_purpose_and_the_log_has_it_first() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let path = format!("/console/incidents/{}", night.landslide);
    let page = officer.get(&path).await;
    assert!(page.text.contains("Xem để làm gì?") && page.text.contains("Lượt xem này được ghi lại."));
    assert!(!page.text.contains("Đất lấp đường") && !page.text.contains("suối Nánh"));
    assert!(audit(&night.hub, "read incident").await.is_empty());

    let token = officer.token().await;
    assert_eq!(officer.post(&path, "purpose=x&token=wrong").await.status, 403);
    assert_eq!(officer.post(&path, &format!("purpose=&other=+&token={token}")).await.status, 422);
    let long = "a".repeat(201);
    assert_eq!(officer.post(&path, &format!("other={long}&token={token}")).await.status, 422);
    assert!(!officer.get(&path).await.text.contains("Đất lấp đường"));

    let sent = officer.post(&path, &format!("purpose=&other=C%E1%BB%AD+ng%C6%B0%E1%BB%9Di+gi%C3%BAp&token={token}")).await;
    assert_eq!((sent.status, sent.headers["location"].to_str().unwrap()), (303, path.as_str()));
    let page = officer.get(&path).await;
    let at = |text: &str| page.text.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    assert!(at("Tôi thấy") < at("Đất lấp đường") && at("Nghe kể") < at("còn ba nhà"));
    assert!(at("còn ba nhà") < at("Suy nghĩ, chưa phải sự việc") && at("Tôi nghĩ") < at("Có thể còn lở nữa"));
    assert!(at("Cả ba nhà đã ra") < at("Suy nghĩ, chưa phải sự việc"), "an amendment's facts are facts");
    assert!(page.text.contains("Thiếu") && page.text.contains("còn ở máy") && page.text.contains("2,4 MB"));
    assert!(page.text.contains("Sai số khoảng") && page.text.contains("<svg class=\"sketch\""));
    assert_eq!(audit(&night.hub, "read incident").await, [("Hà Văn Sơn".to_owned(), night.landslide.clone(), "Cử người giúp".to_owned())]);

    // Another report asks again; ten minutes later this one does too.
    assert!(officer.get(&format!("/console/incidents/{}", night.quarrel)).await.text.contains("Xem để làm gì?"));
    night.hub.clock.pass(11 * 60_000);
    assert!(!officer.get(&path).await.text.contains("Đất lấp đường"));
    for id in ["..%2f..", "x", "00a1b2c3d4e5f607:99999999999999999999", "ffffffffffffffff:1"] {
        assert_eq!(officer.get(&format!("/console/incidents/{id}")).await.status, 404, "{id}");
    }
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_opens_a_report_stands_in_the_record_of_its_photographs() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: false, attachments: 2, statements: Vec::new() });
    let incident = EntryName { log: phone.log, seq };
    let [here, away] = [1, 2].map(|seed| seal(&phone, &content(seed, 3_000)));
    let items = [&here, &away].map(|file| record(&mut phone, Some(incident), facts(file)));
    hub.deliver(&phone).await;
    assert_eq!(Tus::new(&hub.hub).upload(&here).await.status, 204);
    let officer = Browser::entered(&hub).await;
    let path = format!("/console/incidents/{incident}");
    officer.get(&path).await;
    let views = async |item: EntryName| {
        let chain = hub.hub.store.custody(item.to_string().parse().unwrap(), i64::MAX).await.unwrap();
        chain.into_iter().filter(|row| row.facts.action == Action::Viewed).count()
    };
    assert_eq!(views(items[0]).await, 0, "nothing was opened yet");
    let token = officer.token().await;
    assert_eq!(officer.post(&path, &format!("purpose=duty&token={token}")).await.status, 303);
    officer.get(&path).await;
    officer.get(&path).await;
    assert_eq!((views(items[0]).await, views(items[1]).await), (1, 0), "once for one purpose, and only of what is here");
    assert_eq!(hub.hub.store.check_custody().await.unwrap(), []);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_that_was_destroyed_is_a_tombstone_and_one_never_named_is_said_plainly() {
    let scene = support::scene::scene().await;
    for file in &scene.files {
        assert_eq!(scene.tus.upload(file).await.status, 204);
    }
    let officer = Browser::entered(&scene.hub).await;
    let path = format!("/console/incidents/{}", scene.incident);
    let token = officer.token().await;
    assert_eq!(officer.post(&path, &format!("token={token}&purpose=Xác+minh")).await.status, 303);
    let hash = data_encoding::HEXLOWER.encode(&yenban_protocol::crypto::sha256(&scene.files[0].plain));
    // Figures stand in marks that keep their direction; they are not what is looked for.
    let plain = async |path: &str| officer.get(path).await.text.replace(['\u{2068}', '\u{2069}'], "");
    let before = plain(&path).await;
    assert!(before.contains(&hash));
    // Two were announced, one came: of the other it is not claimed that a phone has it.
    let unnamed = "báo trước 2 ảnh, 1 ảnh chưa thấy ghi: chưa chụp xong, chưa gửi, hoặc máy tắt giữa chừng";
    assert!(before.contains("1/1 ảnh nguyên vẹn") && before.contains(unnamed) && !before.contains("còn ở máy"), "{before}");
    assert!(plain("/console/").await.contains(unnamed), "in the inbox too");
    let listed = scene.incident().await;
    assert_eq!((listed.unnamed, listed.missing.len(), listed.complete), (1, 1, false));

    yenban_hub::retention::erase(&scene.hub.hub, scene.order("Quyết định 15")).await.unwrap();
    let after = plain(&path).await;
    assert!(after.contains("Đã hủy lúc ") && after.contains("theo quyết định"), "{after}");
    for page in [&after, &plain("/console/").await] {
        assert!(page.contains("đã hủy 1/1 ảnh") && !page.contains("ảnh nguyên vẹn"), "{page}");
    }
    for gone in [hash.as_str(), "SHA-256", "lua.jpg"] {
        assert!(!after.contains(gone), "{gone} in {after}");
    }
    let evidence = scene.evidence().await;
    assert_eq!((evidence.sha256.as_str(), evidence.sealed_sha256.as_str(), evidence.size_bytes), ("", "", 0));
    assert!(evidence.erased_at.is_some() && evidence.previews.is_empty());
    scene.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_in_the_hills_does_not_run_here() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    let path = format!("/console/incidents/{}", night.nasty);
    officer.post(&path, &format!("purpose=duty&token={token}")).await;
    let mut page = officer.get(&path).await;
    page.text = without_ours(&page);
    assert!(page.text.contains("&#60;script&#62;alert(1)") || page.text.contains("&lt;script&gt;alert(1)"), "{}", page.text);
    assert!(!page.text.contains(NASTY) && !page.text.contains("<script") && !page.text.contains('\u{202E}'));
    assert!(page.text.contains("Na\u{300} Pho\u{300}n"), "typed apart stays typed apart");

    // The same through the search, in the page and in its links.
    let mut page = officer.get("/console/?q=%3Cscript%3E%E2%80%AE%22%3E").await;
    page.text = without_ours(&page);
    assert_eq!(page.status, 200);
    assert!(!page.text.contains("<script") && !page.text.contains("\">\""));
    assert!(!page.text.contains('\u{202E}') || page.text.contains("value="), "only the field holds what was typed");
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_inbox_is_urgent_first_and_found_without_diacritics() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let page = officer.get("/console/").await;
    let at = |text: &str| page.text.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    assert!(at("Sạt lở") < at("Nghi mất trộm") && at("Nghi mất trộm") < at("Mâu thuẫn"), "urgent, then newest");
    assert!(page.text.contains("Thiếu") && page.text.contains("DIỄN TẬP") && page.text.contains("Đang đi tuần"));
    assert!(!page.text.contains("Lò Văn Páo"), "who reported opens with the report");

    let found = officer.get("/console/?q=dat+lap+duong").await;
    assert!(found.text.contains("Sạt lở") && !found.text.contains("Mâu thuẫn"), "{}", found.text);
    assert!(officer.get("/console/?q=kh%C3%B4ng+c%C3%B3+g%C3%AC").await.text.contains("Không có việc nào khớp."));
    let searches = audit(&night.hub, "search incidents").await;
    assert_eq!(searches[1].1, "dat lap duong");
    let english = officer.get("/console/?lang=en").await;
    assert!(english.text.contains("<html lang=\"en\">") && english.text.contains("Landslide"));
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_commune_is_calm() {
    let hub = TestHub::start().await;
    let officer = Browser::entered(&hub).await;
    assert!(officer.get("/console/").await.text.contains("Chưa có việc mới. Bản yên."));
    assert!(officer.get("/console/alerts").await.text.contains("Không có cảnh báo."));
    assert!(officer.get("/console/patrols").await.text.contains("Chưa có ca tuần nào."));
    assert!(officer.get("/console/people").await.text.contains("Hà Văn Sơn"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patrol_is_dots_and_lines_with_its_gap_said() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let page = officer.get(&format!("/console/patrols/{}", night.patrol)).await;
    assert_eq!(page.text.matches("<polyline").count(), 2, "never across the gap");
    assert_eq!(page.text.matches("class=\"cap\"").count(), 2);
    assert!(page.text.contains("class=\"incident urgent\"") && page.text.contains("Không rõ vị trí"));
    assert_eq!(page.text.matches("<th scope=\"row\" class=\"number\">").count(), 11, "the table has every check-in");
    assert_eq!(page.text.matches("class=\"gap\"").count(), 1);
    assert_eq!(audit(&night.hub, "read patrol").await.len(), 1);
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_is_looked_at_before_it_is_sent() {
    let night = night().await;
    let officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    let fields = "headline=Lũ+về+%3Cb%3E&instruction=Lên+cao&description=&severity=Extreme&hours=2&hamlet=1&drill=1";
    assert_eq!(officer.post("/console/alerts/preview", fields).await.status, 403, "no token");
    let page = officer.post("/console/alerts/preview", &format!("{fields}&token={token}")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.text.matches("DIỄN TẬP").count(), 2, "above and below");
    assert!(
        page.text.contains("Nguy cấp, làm ngay")
            && page.text.contains("Gửi cho")
            && !page.text.contains("<b>&#62;")
            && !page.text.contains("về <b>")
    );
    let before = night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len();

    for missing in ["headline", "instruction", "severity", "hours", "hamlet"] {
        let form: Vec<String> = fields.split('&').filter(|field| !field.starts_with(missing)).map(str::to_owned).collect();
        let page = officer.post("/console/alerts/send", &format!("{}&token={token}", form.join("&"))).await;
        assert_eq!(page.status, 422, "{missing}");
        assert!(page.text.contains("role=\"alert\"") && page.text.contains("console/alerts/preview"));
    }
    assert_eq!(officer.post("/console/alerts/send", &format!("{fields}&hamlet=999&token={token}")).await.status, 422);
    assert_eq!(night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len(), before);

    let sent = officer.post("/console/alerts/send", &format!("{fields}&token={token}")).await;
    assert_eq!((sent.status, sent.headers["location"].to_str().unwrap()), (303, "/console/alerts"));
    let alerts = night.hub.hub.store.alerts(ListQuery::default()).await.unwrap();
    let new = alerts.iter().find(|alert| alert.headline == "Lũ về <b>").expect("kept");
    assert!(new.drill && new.officer == "Hà Văn Sơn" && new.hamlets == ["Nà Phòn"]);
    assert_eq!(audit(&night.hub, "drill").await.len(), 1);
    let page = officer.get("/console/alerts").await;
    assert!(page.text.contains("Toàn xã") || page.text.contains("Nà Phòn"));
    assert!(officer.get("/console/alerts/new").await.text.contains("cần một cán bộ khác đồng ý"));
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_ends_the_session() {
    let hub = TestHub::start().await;
    let officer = Browser::entered(&hub).await;
    let token = officer.token().await;
    assert_eq!(officer.post("/console/leave", "token=x").await.status, 403);
    let left = officer.post("/console/leave", &format!("token={token}")).await;
    assert_eq!(left.status, 200);
    assert!(left.headers["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(officer.get("/console/").await.way(), "/console/sign-in");
    hub.stop().await;
}

/// Runs of reports straight into the store: what a commune gathers in many years.
async fn many_incidents(hub: &TestHub, count: u64) {
    const RUN: u64 = 5_000;
    let device = hub.phone("Nà Phòn").await.0.device;
    for run in 0..count.div_ceil(RUN) {
        let log = LogId(support::phone::random());
        let entries = (0..RUN.min(count - run * RUN)).map(|n| {
            let at_ms = support::NIGHT_MS + ((run * RUN + n) * 7_919 % 10_000_000) as i64;
            let at = WhenWhere { author: MemberNo(1), best_ms: at_ms, earliest_ms: at_ms, latest_ms: at_ms, position: None };
            let report = ReportRow { folded: "suoi da ban".to_owned() };
            let effect = Effect::Incident { at, kind: "flood".to_owned(), urgent: n % 50 == 0, report, attachments: 0 };
            NewEntry { kind: 7, link: support::phone::random(), body: Vec::new(), head: None, effect: Some(effect) }
        });
        let run = NewRun { log, device, first: 0, previous: FIRST_LINK, entries: entries.collect(), received_ms: support::NIGHT_MS };
        hub.hub.store.take_run(run).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_go_on_without_repeating_or_missing_a_report() {
    let hub = TestHub::start().await;
    many_incidents(&hub, 173).await;
    let officer = Browser::entered(&hub).await;
    let mut path = "/console/".to_owned();
    let mut seen = Vec::new();
    // Four pages of 50; a page that leads nowhere new would go on for ever.
    for _ in 0..4 {
        let page = officer.get(&path).await;
        assert_eq!(page.status, 200);
        seen.extend(page.text.split("href=\"/console/incidents/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()));
        match page.text.split("<p class=\"next\"><a class=\"button\" href=\"").nth(1) {
            Some(rest) => path = rest.split('"').next().unwrap().replace("&#38;", "&").replace("&amp;", "&"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 173);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 173);
    for nonsense in ["after=x", "after=ffffffffffffffff%3A1", "after=%2F%2F"] {
        assert!([404, 422].contains(&officer.get(&format!("/console/?{nonsense}")).await.status), "{nonsense}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_page_of_a_hundred_thousand_reports_is_there_at_once() {
    let hub = TestHub::start().await;
    many_incidents(&hub, 100_000).await;
    let officer = Browser::entered(&hub).await;
    officer.get("/console/").await;
    let started = SystemClock.now_ms();
    let page = officer.get("/console/").await;
    let took_ms = SystemClock.now_ms() - started;
    println!("first page of 100,000 incidents in {took_ms} ms");
    assert_eq!(page.text.matches("href=\"/console/incidents/").count(), 50);
    assert!(took_ms < 500, "{took_ms} ms, unoptimised build");
    hub.stop().await;
}

/// Leaves every page as a file, for eyes and for a browser's own checks.
#[tokio::test(flavor = "multi_thread")]
async fn pages_for_looking_at() {
    let night = night().await;
    let mut officer = Browser::entered(&night.hub).await;
    let token = officer.token().await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    std::fs::create_dir_all(&folder).unwrap();
    let path = format!("/console/incidents/{}", night.landslide);
    let mut left = pages(&night);
    left.push(("door", "/console/enter/x".into()));
    let ask = officer.get(&path).await;
    std::fs::write(folder.join("ask.html"), ask.text).unwrap();
    officer.post(&path, &format!("purpose=Tr%E1%BB%B1c+ban&token={token}")).await;
    let fields = "headline=Sạt+lở+ở+suối+Nánh&instruction=Rời+chân+dốc.+Lên+nhà+văn+hóa.&description=Mưa+lớn+từ+chiều.&severity=Extreme&hours=6&hamlet=1&hamlet=2";
    let preview = officer.post("/console/alerts/preview", &format!("{fields}&drill=1&token={token}")).await;
    std::fs::write(folder.join("preview.html"), preview.text).unwrap();
    for (name, path) in &left {
        let page = officer.get(path).await;
        std::fs::write(folder.join(format!("{name}.html")), page.text).unwrap();
    }
    officer.language = "en";
    for (name, path) in &left {
        let page = officer.get(path).await;
        std::fs::write(folder.join(format!("{name}.en.html")), page.text).unwrap();
    }
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_pasted_and_leads_to_its_incident() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let act = Act::IncidentReported { kind: "flood".into(), urgent: true, attachments: 0, statements: Vec::new() };
    let seq = phone.record(act);
    let parts: Vec<_> = phone.bodies[seq as usize].parts.iter().map(Some).collect();
    let record = yenban_protocol::record::Record::from_parts(&parts).unwrap();
    let name = EntryName { log: phone.log, seq };
    let claim = yenban_protocol::sms::Claim::of(&record, name, phone.device).unwrap();
    let text = yenban_protocol::sms::Sms::seal(&claim, &phone.seal, &phone.hub_key(), &phone.sign).unwrap().to_text();

    let browser = Browser::entered(&hub).await;
    let token = browser.token().await;
    let form = |token: &str, text: &str| format!("token={token}&text={}", text.replace('*', "%2A"));
    assert_eq!(browser.post("/console/sms", &form("", &text)).await.status, 403, "not without this session's form");
    assert_eq!(Browser::new(&hub).post("/console/sms", &form(&token, &text)).await.status, 401);
    let mistyped = browser.post("/console/sms", &form(&token, &text[..159])).await;
    assert!(mistyped.status == 422 && mistyped.text.contains("160 chữ, tin này có"), "{}", mistyped.text);
    assert!(audit(&hub, "sms").await.is_empty());
    let taken = browser.post("/console/sms", &form(&token, &text)).await;
    assert_eq!((taken.status, taken.headers["location"].to_str().unwrap()), (303, format!("/console/incidents/{name}").as_str()));
    assert_eq!(audit(&hub, "sms").await, [("Hà Văn Sơn".to_owned(), name.to_string(), String::new())]);
    for page in ["/console/".to_owned(), format!("/console/incidents/{name}")] {
        assert!(browser.get(&page).await.text.contains("Theo tin nhắn SMS, chờ báo cáo đầy đủ"), "{page}");
    }
    hub.deliver(&phone).await;
    assert!(!browser.get("/console/").await.text.contains("chờ báo cáo đầy đủ"));
    hub.stop().await;
}
