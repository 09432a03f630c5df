//! Who comes into the console, by which proofs, and what each role finds there: every route asked by every role.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use axum::body::Body;
use browser::{Browser, Page};
use night::{Night, night};
use support::TestHub;
use yenban_hub::access::proofs::{code_now, secret_from_text};
use yenban_hub::access::{self, rights};
use yenban_hub::clock::Clock as _;
use yenban_hub::limits::{CONSOLE_IDLE_MS, CONSOLE_SESSION_TTL_MS, FREE_TRIES, JOIN_TTL_MS, RECOVERY_CODES, TRY_WAIT_MS};
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::id::{HamletNo, MemberNo, Role};

const PASSWORD: &str = "ruộng bậc thang xanh";

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Somebody with an account: what that person would type.
struct Officer {
    member: MemberNo,
    login: String,
    secret: Vec<u8>,
    recovery: Vec<String>,
    browser: Browser,
}

impl Officer {
    fn code(&self, hub: &TestHub) -> String {
        code_now(&self.secret, hub.clock.now_ms()).unwrap()
    }

    async fn sign_in(&self, hub: &TestHub, password: &str, code: &str) -> (Browser, Page) {
        let mut browser = Browser::new(hub);
        let page = browser.post("/console/sign-in", &form(&[("login", &self.login), ("password", password), ("code", code)])).await;
        if page.status == 303 {
            browser.keep(&page);
        }
        (browser, page)
    }
}

/// A member with this role and reach opens an account by its link.
async fn opened(hub: &TestHub, name: &str, role: Role, reach: &[HamletNo]) -> Officer {
    let people = hub.hub.store.people().await.unwrap();
    let known = people.members.iter().find(|member| member.name == name).map(|member| member.no);
    let member = match known {
        Some(no) => no,
        None => {
            let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role, hamlet: WHOLE_COMMUNE, group: 0 };
            hub.hub.store.add_member(row).await.unwrap().no
        }
    };
    hub.hub.store.plan_account(member, reach.to_vec(), hub.clock.now_ms()).await.unwrap();
    let link = access::join_link(&hub.hub, member).await.unwrap();
    let mut browser = Browser::new(hub);
    let asked = browser.get(&link).await;
    assert_eq!(asked.status, 200, "{}", asked.text);
    let (login, secret) = (asked.value("login").to_owned(), asked.field("secret").to_owned());
    let bytes = secret_from_text(&secret).unwrap();
    let code = code_now(&bytes, hub.clock.now_ms()).unwrap();
    let sent = form(&[("login", &login), ("password", PASSWORD), ("again", PASSWORD), ("secret", &secret), ("code", &code)]);
    let done = browser.post(&link, &sent).await;
    assert_eq!(done.status, 200, "{}", done.text);
    browser.keep(&done);
    let recovery: Vec<String> = done.text.split("<li><code>").skip(1).map(|part| part.split('<').next().unwrap().to_owned()).collect();
    assert_eq!(recovery.len(), RECOVERY_CODES);
    assert_eq!(browser.get(&link).await.status, 401, "a link opens one account once");
    Officer { member, login, secret: bytes, recovery, browser }
}

async fn chief(hub: &TestHub) -> Officer {
    opened(hub, "Hà Văn Sơn", Role::Chief, &[]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_link_of_a_new_hub_opens_the_first_account() {
    let hub = TestHub::start().await;
    let mut browser = Browser::new(&hub);
    assert_eq!(browser.get("/console/").await.way(), "/console/sign-in");
    let link = hub.first_link.clone();
    let asked = browser.get(&link).await;
    assert!(asked.text.contains("Hà Văn Sơn") && asked.text.contains("class=\"qr\""), "{}", asked.text);
    let secret = asked.field("secret").to_owned();
    let code = code_now(&secret_from_text(&secret).unwrap(), hub.clock.now_ms()).unwrap();
    let good = [("login", "son"), ("password", PASSWORD), ("again", PASSWORD), ("secret", secret.as_str()), ("code", code.as_str())];
    for (field, value, said) in [
        ("again", "khác", "Hai lần gõ mật khẩu chưa giống nhau"),
        ("login", "s", "từ 2 đến 60 ký tự"),
        ("code", "000000", "Mã 6 số chưa đúng"),
        ("secret", "AAAA", "Mã 6 số chưa đúng"),
    ] {
        let sent: Vec<_> = good.iter().map(|(name, kept)| (*name, if *name == field { value } else { kept })).collect();
        let page = browser.post(&link, &form(&sent)).await;
        assert!(page.status == 422 && page.text.contains(said), "{field}: {}", page.text);
    }
    let weak: Vec<_> =
        good.iter().map(|(name, kept)| (*name, if matches!(*name, "password" | "again") { "matkhau123456" } else { kept })).collect();
    assert!(browser.post(&link, &form(&weak)).await.text.contains("dễ đoán"));
    let page = browser.post(&link, &form(&good)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    browser.keep(&page);
    assert_eq!(browser.get("/console/").await.status, 200);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_nobody_opened_ends() {
    let hub = TestHub::start().await;
    hub.clock.pass(JOIN_TTL_MS);
    let page = Browser::new(&hub).get(&hub.first_link).await;
    assert!(page.status == 401 && page.text.contains("Liên kết đã dùng hoặc đã hết hạn"), "{}", page.text);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn password_and_code_come_in_and_each_code_once() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    let (_, used) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    assert_eq!(used.status, 401, "the code that opened the account is used");
    hub.clock.pass(30_000);
    let code = son.code(&hub);
    let (browser, page) = son.sign_in(&hub, PASSWORD, &code).await;
    assert_eq!((page.status, page.way()), (303, "/console/"));
    assert_eq!(browser.get("/console/").await.status, 200);
    let (_, again) = son.sign_in(&hub, PASSWORD, &code).await;
    assert_eq!(again.status, 401, "read over a shoulder it is worth nothing");

    let (_, page) = son.sign_in(&hub, PASSWORD, &son.recovery[4].to_uppercase()).await;
    assert_eq!(page.status, 303, "a recovery code stands in");
    let (_, page) = son.sign_in(&hub, PASSWORD, &son.recovery[4]).await;
    assert_eq!(page.status, 401, "once");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_is_wrong_at_the_door_the_answer_is_the_same_and_wrong_tries_wait() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    hub.clock.pass(60_000);
    let mut answers = Vec::new();
    for (login, password) in [(son.login.as_str(), "khác hẳn nhau"), ("nobody", PASSWORD), ("nobody", "")] {
        let page =
            Browser::new(&hub).post("/console/sign-in", &form(&[("login", login), ("password", password), ("code", "123456")])).await;
        assert_eq!(page.status, 401);
        answers.push(page.text.replace(login, "LOGIN"));
    }
    assert!(answers.windows(2).all(|pair| pair[0] == pair[1]), "nothing tells who has an account");

    for _ in 1..FREE_TRIES {
        assert_eq!(son.sign_in(&hub, "khác hẳn nhau", "123456").await.1.status, 401);
    }
    let (_, waits) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    assert!(waits.status == 429 && waits.text.replace(['\u{2068}', '\u{2069}'], "").contains("Chờ 15 giây"), "{}", waits.text);
    hub.clock.pass(TRY_WAIT_MS);
    let (_, page) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    assert_eq!(page.status, 303, "nobody is kept out for good");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_with_its_day_with_its_silence_and_with_its_account() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    let inside = async |browser: &Browser| browser.get("/console/account").await.status == 200;
    let began_ms = hub.clock.now_ms();
    while hub.clock.now_ms() - began_ms < CONSOLE_SESSION_TTL_MS - CONSOLE_IDLE_MS {
        hub.clock.pass(CONSOLE_IDLE_MS - 1);
        assert!(inside(&son.browser).await, "used, it goes on");
    }
    hub.clock.pass(began_ms + CONSOLE_SESSION_TTL_MS - 1 - hub.clock.now_ms());
    assert!(inside(&son.browser).await);
    hub.clock.pass(1);
    assert!(!inside(&son.browser).await, "to the end of its day");

    hub.clock.pass(30_000);
    let (browser, _) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    hub.clock.pass(CONSOLE_IDLE_MS);
    assert!(!inside(&browser).await, "a screen that nobody uses shuts");

    hub.clock.pass(30_000);
    let (browser, _) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    let dao = opened(&hub, "Hà Thị Đào", Role::Officer, &[]).await;
    let token = browser.token().await;
    let path = format!("/console/accounts/{}", dao.member.0);
    assert!(inside(&dao.browser).await);
    assert_eq!(browser.post(&path, &form(&[("token", &token), ("act", "close")])).await.status, 303);
    assert!(!inside(&dao.browser).await, "in one click, everywhere");
    hub.clock.pass(30_000);
    assert_eq!(dao.sign_in(&hub, PASSWORD, &dao.code(&hub)).await.1.status, 401);
    let own = format!("/console/accounts/{}", son.member.0);
    assert_eq!(
        browser.post(&own, &form(&[("token", &token), ("act", "close")])).await.status,
        422,
        "nobody shuts the last door from inside"
    );
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_asks_for_the_old_one_and_ends_other_sessions() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    hub.clock.pass(30_000);
    let (other, _) = son.sign_in(&hub, PASSWORD, &son.code(&hub)).await;
    let token = son.browser.token().await;
    let change = async |old: &str, new: &str| {
        let sent = form(&[("token", &token), ("act", "password"), ("old", old), ("password", new), ("again", new)]);
        son.browser.post("/console/account", &sent).await
    };
    assert!(change("không phải", "mây trắng trên đồi chè").await.text.contains("Mật khẩu đang dùng chưa đúng"));
    assert!(change(PASSWORD, "ha van son 123").await.text.contains("dễ đoán"));
    let changed = change(PASSWORD, "mây trắng trên đồi chè").await;
    assert!(changed.status == 200 && changed.text.contains("Đã đổi mật khẩu"), "{}", changed.text);
    assert_eq!(other.get("/console/account").await.status, 303, "other places sign in again");
    assert_eq!(son.browser.get("/console/account").await.status, 200);
    hub.stop().await;
}

/// What each role may open, from the table of rights.
fn routes(night: &Night) -> Vec<(String, Option<rights::Right>)> {
    use rights::Right;
    let incident = format!("/console/incidents/{}", night.landslide);
    vec![
        (incident, Some(Right::Read)),
        ("/console/map".into(), Some(Right::Read)),
        ("/console/map/ground".into(), Some(Right::Read)),
        ("/console/map/data?bbox=105,20,106,21&zoom=10".into(), Some(Right::Read)),
        ("/console/patrols".into(), Some(Right::Read)),
        (format!("/console/patrols/{}", night.patrol), Some(Right::Read)),
        ("/console/patrols/plans".into(), Some(Right::Answer)),
        ("/console/patrols/checkpoints".into(), Some(Right::Answer)),
        ("/console/patrols/checkpoints/sheet".into(), Some(Right::Answer)),
        ("/console/patrols/checkpoints/sheet.pdf".into(), Some(Right::Answer)),
        ("/console/alerts".into(), Some(Right::Read)),
        ("/console/alerts/new".into(), Some(Right::Warn)),
        ("/console/people".into(), Some(Right::Phones)),
        ("/console/people/2".into(), Some(Right::Phones)),
        ("/console/people/codes".into(), Some(Right::Phones)),
        ("/console/accounts".into(), Some(Right::Accounts)),
        ("/console/accounts/1".into(), Some(Right::Accounts)),
        ("/console/figures".into(), Some(Right::Figures)),
        ("/console/reads".into(), Some(Right::ReadLog)),
        ("/console/account".into(), None),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_tried_from_every_role() {
    let night = night().await;
    let officers = [
        (Role::Chief, opened(&night.hub, "Hà Văn Sơn", Role::Chief, &[]).await),
        (Role::Officer, opened(&night.hub, "Hà Thị Đào", Role::Officer, &[]).await),
        (Role::Auditor, opened(&night.hub, "Bùi Văn Minh", Role::Auditor, &[]).await),
    ];
    for (role, officer) in &officers {
        for (path, right) in routes(&night) {
            let page = officer.browser.get(&path).await;
            let expected = if right.is_none_or(|right| rights::may(*role, right)) { 200 } else { 404 };
            assert_eq!(page.status, expected, "{} at {path}: {}", role.code(), page.text);
        }
        let home = officer.browser.get("/console/").await;
        if *role == Role::Auditor {
            assert_eq!(home.way(), "/console/figures");
            let figures = officer.browser.get("/console/figures").await;
            for name in ["Lò Văn Páo", "Nà Phòn", "Sạt lở"] {
                assert!(!figures.text.contains(name), "figures have no content");
            }
        } else {
            assert_eq!(home.status, 200);
        }
        // The forms too: sent with a good token, refused by the right alone.
        let token = officer.browser.token().await;
        for (path, right) in [
            (format!("/console/incidents/{}", night.landslide), rights::Right::Read),
            ("/console/sms".to_owned(), rights::Right::Read),
            ("/console/alerts/preview".to_owned(), rights::Right::Warn),
            ("/console/alerts/send".to_owned(), rights::Right::Warn),
            ("/console/people/codes".to_owned(), rights::Right::Phones),
            ("/console/patrols/plans".to_owned(), rights::Right::Answer),
            ("/console/patrols/checkpoints".to_owned(), rights::Right::Answer),
            ("/console/accounts".to_owned(), rights::Right::Accounts),
            ("/console/accounts/1".to_owned(), rights::Right::Accounts),
        ] {
            let page = officer.browser.post(&path, &form(&[("token", &token)])).await;
            assert_eq!(page.status == 404, !rights::may(*role, right), "{} at {path}: {}", role.code(), page.status);
        }
    }
    let tried = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(tried.iter().any(|row| row.action == "not allowed" && row.actor == "Bùi Văn Minh"), "what was tried is noted");

    let leader = night.hub.hub.store.people().await.unwrap().members.iter().find(|m| m.role == Role::Leader).unwrap().no;
    assert!(access::join_link(&night.hub.hub, leader).await.is_err(), "leaders and members work on the phone");
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_sees_nothing_of_another() {
    let night = night().await;
    let people = night.hub.hub.store.people().await.unwrap();
    let far = people.hamlet_named("Khu dân cư Suối Đá Bạn Thượng Huổi Lót").unwrap().no;
    let officer = opened(&night.hub, "Hà Thị Đào", Role::Officer, &[far]).await;
    for path in [format!("/console/incidents/{}", night.landslide), format!("/console/patrols/{}", night.patrol)] {
        assert_eq!(officer.browser.get(&path).await.status, 404, "{path}");
    }
    let token = officer.browser.token().await;
    let sent = form(&[("token", &token), ("purpose", "duty")]);
    assert_eq!(officer.browser.post(&format!("/console/incidents/{}", night.landslide), &sent).await.status, 404);
    for path in ["/console/", "/console/?q=sat", "/console/patrols", "/console/people", "/console/alerts", "/console/alerts/new"] {
        let page = officer.browser.get(path).await;
        for hidden in ["Nà Phòn", "Piềng Vế", "Lò Văn Páo"] {
            assert!(!page.text.contains(hidden), "{path} shows {hidden}");
        }
    }
    let other = people.hamlet_named("Nà Phòn").unwrap().no.0.to_string();
    let alert =
        form(&[("token", &token), ("headline", "Thử"), ("instruction", "Thử"), ("severity", "Minor"), ("hours", "6"), ("hamlet", &other)]);
    let page = officer.browser.post("/console/alerts/send", &alert).await;
    assert_eq!(page.status, 422, "nor warns it: {}", page.text);
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chief_adds_an_officer_by_clicking() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    let token = son.browser.token().await;
    let page = son.browser.post("/console/accounts", &form(&[("token", &token), ("name", "Hà Thị Đào"), ("role", "officer")])).await;
    assert_eq!(page.status, 200, "{}", page.text);
    let link = page.text.split("class=\"link\">").nth(1).unwrap().split('<').next().unwrap();
    let path = link.strip_prefix("https://hub.test:8443").expect("an address to hand over");
    assert_eq!(Browser::new(&hub).get(path).await.status, 200);
    for (name, role) in [("Hà Thị Đào", "officer"), ("", "officer"), ("Mới", "chief"), ("Mới", "leader"), ("Mới", "")] {
        let page = son.browser.post("/console/accounts", &form(&[("token", &token), ("name", name), ("role", role)])).await;
        assert_eq!(page.status, 422, "{name} as {role}");
    }
    let unguarded = son.browser.post("/console/accounts", &form(&[("name", "Ai đó"), ("role", "officer")])).await;
    assert_eq!(unguarded.status, 403, "no form without its token");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_commune_is_warned_by_two() {
    let night = night().await;
    let son = opened(&night.hub, "Hà Văn Sơn", Role::Chief, &[]).await;
    let dao = opened(&night.hub, "Hà Thị Đào", Role::Officer, &[]).await;
    let people = night.hub.hub.store.people().await.unwrap();
    let near = people.hamlet_named("Nà Phòn").unwrap().no;
    let far = opened(&night.hub, "Lò Thị Én", Role::Officer, &[near]).await;
    let before = night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len();
    let sent = async || night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().len() - before;
    let fields = |token: &str| {
        form(&[
            ("token", token),
            ("headline", "Bão vào"),
            ("instruction", "Ở trong nhà"),
            ("severity", "Extreme"),
            ("hours", "6"),
            ("whole", "1"),
        ])
    };
    let narrow = far.browser.post("/console/alerts/send", &fields(&far.browser.token().await)).await;
    assert_eq!(narrow.status, 422, "who sees one hamlet warns one hamlet");
    let asked = son.browser.post("/console/alerts/send", &fields(&son.browser.token().await)).await;
    let path = asked.way().to_owned();
    assert!(path.starts_with("/console/alerts/second/"), "{}", asked.text);
    assert_eq!(sent().await, 0, "one is not enough");
    let answer = async |who: &Officer, act: &str| {
        let token = who.browser.token().await;
        who.browser.post(&path, &form(&[("token", &token), ("act", act)])).await
    };
    assert_eq!(answer(&son, "agree").await.status, 422);
    assert_eq!(answer(&far, "agree").await.status, 404);
    assert_eq!(sent().await, 0, "nor the same one twice");
    assert!(dao.browser.get("/console/alerts").await.text.contains(&path), "the other officer finds it");
    night.hub.clock.pass(60_000);
    assert_eq!(answer(&dao, "agree").await.status, 303);
    assert_eq!(sent().await, 1);
    let alert = night.hub.hub.store.alerts(ListQuery::default()).await.unwrap().remove(0);
    assert_eq!((alert.officer.as_str(), alert.second.as_deref(), alert.hamlets.len()), ("Hà Văn Sơn", Some("Hà Thị Đào"), 0));
    assert_eq!(alert.sent, yenban_hub::clock::rfc3339(night.hub.clock.now_ms() / 1000 * 1000), "it is sent when the second agrees");
    let again = answer(&dao, "agree").await;
    assert!(again.text.contains("Đã đồng ý và đã phát"), "{}", again.text);
    assert_eq!(sent().await, 1, "once");
    let asked = son.browser.post("/console/alerts/send", &fields(&son.browser.token().await)).await;
    let token = son.browser.token().await;
    assert_eq!(son.browser.post(asked.way(), &form(&[("token", &token), ("act", "not")])).await.status, 303, "it can be taken back");
    assert_eq!(sent().await, 1);
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_site_is_refused_before_it_is_read() {
    let hub = TestHub::start().await;
    let son = chief(&hub).await;
    for (header, value) in [("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")] {
        let request = son.browser.request("POST", "/console/sign-in").header(header, value);
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(Body::from("login=x")).unwrap();
        assert_eq!(son.browser.send(request).await.status, 403, "{header}");
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_for_looking_at() {
    let night = night().await;
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("console");
    std::fs::create_dir_all(&folder).unwrap();
    let keep = |name: &str, page: &Page| std::fs::write(folder.join(format!("{name}.html")), &page.text).unwrap();
    let dao = MemberRow { no: MemberNo(0), name: "Hà Thị Đào".to_owned(), role: Role::Officer, hamlet: WHOLE_COMMUNE, group: 0 };
    let dao = night.hub.hub.store.add_member(dao).await.unwrap().no;
    let link = access::join_link(&night.hub.hub, dao).await.unwrap();
    let mut stranger = Browser::new(&night.hub);
    keep("sign-in", &stranger.get("/console/sign-in").await);
    keep("sign-in-wrong", &stranger.post("/console/sign-in", "login=son&password=x&code=1").await);
    let asked = stranger.get(&link).await;
    keep("join", &asked);
    let secret = asked.field("secret").to_owned();
    let code = code_now(&secret_from_text(&secret).unwrap(), night.hub.clock.now_ms()).unwrap();
    let fields = [("login", "dao"), ("password", PASSWORD), ("again", PASSWORD), ("secret", secret.as_str()), ("code", code.as_str())];
    let done = stranger.post(&link, &form(&fields)).await;
    keep("recovery", &done);
    stranger.keep(&done);
    let son = chief(&night.hub).await;
    for (name, path) in [
        ("accounts", "/console/accounts".to_owned()),
        ("officer", format!("/console/accounts/{}", dao.0)),
        ("account", "/console/account".to_owned()),
        ("figures", "/console/figures".to_owned()),
        ("reads", "/console/reads".to_owned()),
    ] {
        keep(name, &son.browser.get(&path).await);
    }
    let token = son.browser.token().await;
    let sent = form(&[("token", &token), ("act", "link")]);
    keep("officer-link", &son.browser.post(&format!("/console/accounts/{}", dao.0), &sent).await);
    night.hub.stop().await;
}

/// The table in docs/OPERATIONS.md is the one of the program.
#[test]
fn the_document_shows_the_rights_as_they_are() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/OPERATIONS.md");
    let text = std::fs::read_to_string(path).unwrap();
    for right in rights::Right::ALL {
        let yes = |role| if rights::may(role, right) { "yes" } else { "–" };
        let row = format!("| `{}` | {} | {} | {} |", right.code(), yes(Role::Chief), yes(Role::Officer), yes(Role::Auditor));
        assert!(text.contains(&row), "docs/OPERATIONS.md lacks: {row}");
    }
}
