//! Every address of the hub, asked by everybody: each role, an officer of another hamlet, nobody, and a session that is
//! over. The list is held against the router's own text and the OpenAPI document: a route without a row fails.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
mod support;

use std::collections::BTreeSet;

use axum::body::Body;
use browser::{Browser, Page};
use http_body_util::BodyExt as _;
use support::TestHub;
use support::phone::Phone;
use support::scene::{Scene, scene};
use tower::ServiceExt as _;
use yenban_hub::access;
use yenban_hub::clock::Clock as _;
use yenban_hub::limits::CONSOLE_IDLE_MS;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::id::{HamletNo, MemberNo, Role};
use yenban_protocol::record::Act;

use access::rights::Right;

/// Who may have something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Anybody, signed in or not.
    All,
    /// Whoever is signed in.
    Inside,
    /// Whoever has the right.
    Holders(Right),
    /// Whoever has the right and sees the hamlet that it is about.
    There(Right),
    /// Whoever has the right and sees the whole commune.
    Whole(Right),
    /// Phones, by what they sign: a session opens nothing here.
    Phones,
}

use For::{All, Holders, Inside, Phones, There, Whole};
use Right::{Accounts, Answer, Export, Figures, Read, ReadLog, Warn, WarnAll};

/// Method, address as the router has it, who may, what whoever may is answered to a request with a good token and nothing
/// else in it.
const ROWS: &[(&str, &str, For, u16)] = &[
    ("GET", "/", All, 303),
    ("GET", "/console", All, 303),
    ("GET", "/console/", Holders(Read), 200),
    ("GET", "/console/incidents/{id}", There(Read), 200),
    ("POST", "/console/incidents/{id}", There(Read), 422),
    ("POST", "/console/incidents/{id}/answer", There(Answer), 422),
    ("POST", "/console/incidents/{id}/assign", There(Answer), 303),
    ("POST", "/console/incidents/{id}/link", There(Answer), 422),
    ("GET", "/console/incidents/{id}/print", There(Read), 200),
    ("GET", "/console/incidents/{id}/photos/{photo}/{file}", There(Read), 200),
    ("GET", "/console/live", Holders(Read), 200),
    ("POST", "/console/sms", Holders(Read), 422),
    ("GET", "/console/patrols", Holders(Read), 200),
    ("GET", "/console/patrols/{id}", There(Read), 200),
    ("GET", "/console/patrols/plans", Holders(Answer), 200),
    ("POST", "/console/patrols/plans", Holders(Answer), 422),
    ("POST", "/console/patrols/plans/{no}", There(Answer), 303),
    ("GET", "/console/patrols/checkpoints", Holders(Answer), 200),
    ("POST", "/console/patrols/checkpoints", Holders(Answer), 422),
    ("GET", "/console/patrols/checkpoints/sheet", Holders(Answer), 200),
    ("GET", "/console/patrols/checkpoints/sheet.pdf", Holders(Answer), 200),
    ("POST", "/console/patrols/checkpoints/{code}", There(Answer), 303),
    ("GET", "/console/map", Holders(Read), 200),
    ("GET", "/console/map/data", Holders(Read), 422),
    ("GET", "/console/map/ground", Holders(Read), 200),
    // Of this hub nobody has given a base map.
    ("GET", "/console/map/base", Holders(Read), 404),
    ("GET", "/console/alerts", Holders(Read), 200),
    ("GET", "/console/alerts/new", Holders(Warn), 200),
    ("POST", "/console/alerts/new", Holders(Warn), 200),
    ("POST", "/console/alerts/preview", Holders(Warn), 422),
    ("POST", "/console/alerts/send", Holders(Warn), 422),
    ("GET", "/console/alerts/cap", Holders(Warn), 200),
    ("POST", "/console/alerts/cap", Holders(Warn), 400),
    ("GET", "/console/alerts/one/{id}", There(Read), 200),
    ("GET", "/console/alerts/one/{id}/{what}", There(Warn), 200),
    ("GET", "/console/alerts/second/{no}", Whole(WarnAll), 200),
    ("POST", "/console/alerts/second/{no}", Whole(WarnAll), 422),
    ("GET", "/console/people", Holders(Right::Phones), 200),
    ("GET", "/console/people/{member}", There(Right::Phones), 200),
    ("GET", "/console/people/codes", Holders(Right::Phones), 200),
    ("POST", "/console/people/codes", Holders(Right::Phones), 422),
    ("GET", "/console/people/codes/{name}", There(Right::Phones), 200),
    ("POST", "/console/people/words/{device}", There(Right::Phones), 422),
    ("GET", "/console/people/chief/{no}", Whole(Right::Phones), 200),
    ("POST", "/console/people/chief/{no}", Whole(Right::Phones), 422),
    ("GET", "/console/people/phones/{device}", There(Right::Phones), 200),
    ("POST", "/console/people/phones/{device}", There(Right::Phones), 422),
    ("GET", "/console/accounts", Holders(Accounts), 200),
    ("POST", "/console/accounts", Holders(Accounts), 422),
    ("GET", "/console/accounts/{member}", Holders(Accounts), 200),
    ("POST", "/console/accounts/{member}", Holders(Accounts), 422),
    ("GET", "/console/account", Inside, 200),
    ("POST", "/console/account", Inside, 422),
    ("POST", "/console/account/passkeys/ask", Inside, 400),
    ("POST", "/console/account/passkeys/answer", Inside, 400),
    ("GET", "/console/features", Holders(Export), 200),
    ("GET", "/console/features/conformance", Holders(Export), 200),
    ("GET", "/console/features/collections", Holders(Export), 200),
    ("GET", "/console/features/collections/{id}", Holders(Export), 200),
    ("GET", "/console/features/collections/{id}/items", Holders(Export), 200),
    ("GET", "/console/features/collections/{id}/items/{name}", There(Export), 200),
    ("GET", "/console/figures", Holders(Figures), 200),
    ("GET", "/console/reads", Holders(ReadLog), 200),
    ("GET", "/console/sign-in", All, 200),
    ("POST", "/console/sign-in", All, 401),
    ("POST", "/console/sign-in/ask", All, 400),
    ("POST", "/console/sign-in/answer", All, 400),
    ("GET", "/console/join/{token}", All, 401),
    ("POST", "/console/join/{token}", All, 401),
    ("GET", "/console/enter/{token}", All, 401),
    ("GET", "/console/assets/console.css", All, 200),
    ("GET", "/console/assets/print.css", All, 200),
    ("GET", "/console/assets/inbox.js", All, 200),
    ("GET", "/console/assets/passkeys.js", All, 200),
    ("GET", "/console/assets/map.js", All, 200),
    ("GET", "/console/assets/communes.csv", All, 200),
    ("GET", "/console/assets/vendor/{name}", All, 200),
    ("GET", "/console/assets/mark.svg", All, 200),
    ("GET", "/healthz", All, 200),
    ("GET", "/metrics", All, 200),
    ("GET", "/openapi.json", All, 200),
    ("GET", "/v1/keys", All, 200),
    ("POST", "/v1/enrol", Phones, 415),
    ("POST", "/v1/segments", Phones, 415),
    ("POST", "/v1/feed", Phones, 415),
    ("POST", "/v1/items", Phones, 415),
    ("POST", "/v1/parcels", Phones, 415),
    // Last: it ends the session that asks.
    ("POST", "/console/leave", Inside, 200),
];

/// Forms of one button whose object is gone once they were sent.
const ENDS: [&str; 2] = ["/console/patrols/plans/{no}", "/console/patrols/checkpoints/{code}"];

/// Addresses of uploads, which have a protocol and tests of their own (`uploads_refused.rs`): no session plays a part.
const UPLOADS: &str = "/v1/uploads";
const OBJECTS: &str = "/v1/objects";

/// Methods and addresses that the console's router names in its text.
fn console_routes() -> BTreeSet<(String, String)> {
    let text = include_str!("../src/console/mod.rs");
    let router = text.split("pub fn router").nth(1).expect("the router").split("async fn asset").next().expect("its end");
    let mut found = BTreeSet::new();
    let (inner, _) = router
        .split_once("let pages")
        .and_then(|(_, rest)| rest.split_once("Router::new()\n        .route(\"/\", get(||"))
        .unwrap_or((router, ""));
    for (at, part) in router.split(".route(\"").enumerate().skip(1) {
        let (path, rest) = part.split_once('"').expect("a path");
        let nested = at < inner.split(".route(\"").count();
        let handlers = rest.split("\n        .").next().unwrap_or(rest);
        for (method, name) in [("get(", "GET"), ("post(", "POST"), ("put(", "PUT"), ("delete(", "DELETE"), ("patch(", "PATCH")] {
            if handlers.contains(method) {
                found.insert((name.to_owned(), if nested { format!("/console{path}") } else { path.to_owned() }));
            }
        }
    }
    found
}

/// Methods and addresses that programs use.
fn documented_routes() -> BTreeSet<(String, String)> {
    let document: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).expect("json");
    let paths = document["paths"].as_object().expect("paths");
    let of = |(path, operations): (&String, &serde_json::Value)| {
        let methods = operations
            .as_object()
            .expect("operations")
            .keys()
            .filter(|key| ["get", "post", "put", "patch", "head", "delete"].contains(&key.as_str()));
        methods.map(|method| (method.to_uppercase(), path.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(of).filter(|(_, path)| !path.starts_with(UPLOADS) && !path.starts_with(OBJECTS)).collect()
}

#[test]
fn every_route_has_its_row() {
    let rows: BTreeSet<(String, String)> = ROWS.iter().map(|(method, path, ..)| ((*method).to_owned(), (*path).to_owned())).collect();
    assert_eq!(rows.len(), ROWS.len(), "a row stands twice");
    let mut routes = console_routes();
    assert!(routes.len() > 55, "the router's text was not understood: {routes:?}");
    routes.extend(documented_routes());
    // The documented landing address of features is the console's.
    let missing: Vec<_> = routes.difference(&rows).collect();
    assert!(missing.is_empty(), "no row: {missing:?}");
    let gone: Vec<_> = rows.difference(&routes).filter(|(_, path)| path != "/console/").collect();
    assert!(gone.is_empty(), "no such route: {gone:?}");
}

/// What stands in the hamlet that the officer of another one must not find.
struct There_ {
    hub: TestHub,
    _phone: Phone,
    names: Vec<(&'static str, String)>,
}

fn form(fields: &[(&str, &str)]) -> String {
    let encoded = |text: &str| -> String {
        text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&")
}

/// Sends a form with the session's token.
async fn send(browser: &Browser, path: &str, fields: &[(&str, &str)]) -> Page {
    let token = browser.token().await;
    let mut all = vec![("token", token.as_str())];
    all.extend(fields);
    browser.post(path, &form(&all)).await
}

/// Somebody with an account who comes in.
async fn officer(hub: &TestHub, name: &str, role: Role, reach: &[HamletNo]) -> Browser {
    let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role, hamlet: WHOLE_COMMUNE, group: 0 };
    let no = hub.hub.store.add_member(row).await.unwrap().no;
    hub.hub.store.plan_account(no, reach.to_vec(), hub.clock.now_ms()).await.unwrap();
    again(hub, name).await
}

/// The same person in another browser.
async fn again(hub: &TestHub, name: &str) -> Browser {
    let mut browser = Browser::new(hub);
    let page = browser.get(&access::enter_link(&hub.hub, name).await.unwrap()).await;
    browser.keep(&page);
    browser
}

async fn there() -> (There_, Browser) {
    let Scene { hub, mut phone, tus, photo, incident, files } = scene().await;
    for sealed in &files {
        assert_eq!(tus.upload(sealed).await.status, 204);
    }
    let crew = vec![phone.member];
    let patrol = phone.record(Act::PatrolStarted { crew });
    phone.check_in(Some(patrol));
    hub.deliver(&phone).await;
    let son = Browser::entered(&hub).await;
    let near = hub.hub.store.people().await.unwrap().hamlet_named("Nà Phòn").unwrap().no.0.to_string();
    let who = near.as_str();
    let code = send(&son, "/console/people/codes", &[("name", "Vì Văn Tiến"), ("hamlet", who), ("role", "member")]).await;
    assert_eq!(code.status, 200, "{}", code.text);
    let code = code.text.split("/console/people/codes/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let point = [("name", "Cầu suối"), ("hamlet", who), ("lat", "20.66"), ("lon", "105.08")];
    assert_eq!(send(&son, "/console/patrols/checkpoints", &point).await.status, 303);
    let plan = [("who", who), ("from", "22:00"), ("to", "01:00"), ("day", "1")];
    assert_eq!(send(&son, "/console/patrols/plans", &plan).await.status, 303);
    let warn = |more: &'static str| [("headline", "Lũ"), ("instruction", "Lên cao"), ("severity", "Severe"), ("hours", "6"), (more, "1")];
    let sent = send(&son, "/console/alerts/send", &[&warn("")[..4], &[("hamlet", who)]].concat()).await;
    assert_eq!(sent.status, 303, "{}", sent.text);
    let second = send(&son, "/console/alerts/send", &warn("whole")).await.way().to_owned();
    let wish = send(&son, "/console/people/codes", &[("name", "Vì Thị Lan"), ("role", "chief")]).await.way().to_owned();
    let last = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let alert = hub.hub.store.alerts(ListQuery::default()).await.unwrap().remove(0).id;
    let checkpoint = hub.hub.store.checkpoints().await.unwrap().remove(0).code.to_string();
    let plan = hub.hub.store.plans(0).await.unwrap().remove(0).no.to_string();
    let names = vec![
        ("incident", incident.to_string()),
        ("photo", photo.to_string()),
        ("patrol", format!("{}:{patrol}", phone.log)),
        ("plan", plan),
        ("checkpoint", checkpoint),
        ("alert", alert),
        ("second", last(&second)),
        ("wish", last(&wish)),
        ("member", phone.member.0.to_string()),
        ("code", code),
        ("device", phone.device.to_string()),
    ];
    (There_ { hub, _phone: phone, names }, son)
}

impl There_ {
    fn name(&self, what: &str) -> &str {
        &self.names.iter().find(|(name, _)| *name == what).unwrap().1
    }

    /// An address with its names filled in.
    fn path(&self, pattern: &str) -> String {
        let by = |part: &str| match part {
            _ if pattern.starts_with("/console/incidents") => self.name("incident"),
            _ if pattern.contains("/patrols/plans/") => self.name("plan"),
            _ if pattern.contains("/alerts/second/") => self.name("second"),
            _ if pattern.contains("/people/chief/") => self.name("wish"),
            _ if pattern.contains("/alerts/one/") => self.name("alert"),
            "{id}" if pattern.contains("/features/") => "incidents",
            "{id}" => self.name("patrol"),
            "{code}" => self.name("checkpoint"),
            "{name}" if pattern.contains("/features/") => self.name("incident"),
            "{name}" if pattern.contains("/vendor/") => "pmtiles-4.5.0.js",
            "{name}" => self.name("code"),
            "{device}" => self.name("device"),
            "{member}" if pattern.contains("/accounts/") => "1",
            "{member}" => self.name("member"),
            _ => "khong-co",
        };
        let filled: Vec<&str> = pattern
            .split('/')
            .map(|part| match part {
                "{photo}" => self.name("photo"),
                "{file}" => "thumbnail",
                "{what}" => "update",
                part if part.starts_with('{') => by(part),
                part => part,
            })
            .collect();
        filled.join("/")
    }
}

/// The status of an answer; its body is read only when it ends.
async fn ask(browser: &Browser, method: &str, path: &str, token: &str) -> (u16, String) {
    let mut request = browser.request(method, path);
    let body = match method {
        "POST" if path.starts_with("/v1/") => Body::empty(),
        "POST" => {
            request = request.header("content-type", "application/x-www-form-urlencoded");
            Body::from(form(&[("token", token)]))
        }
        _ => Body::empty(),
    };
    let response = browser.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let way = response.headers().get("location").map_or(String::new(), |way| way.to_str().unwrap().to_owned());
    if !path.ends_with("/live") {
        response.into_body().collect().await.unwrap();
    }
    (status, way)
}

/// What this role is answered.
fn expected(whom: For, role: Role, narrow: bool, good: u16) -> u16 {
    let may = |right| access::rights::may(role, right);
    let fits = match whom {
        All | Phones | Inside => true,
        Holders(right) => may(right),
        There(right) | Whole(right) => may(right) && !narrow,
    };
    if fits { good } else { 404 }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_is_asked_by_every_role() {
    let (there, son) = there().await;
    let hub = &there.hub;
    let far =
        hub.hub.store.add_hamlet("Piềng Vế".to_owned(), hub.clock.now_ms(), hub.hub.commune(), hub.hub.item_signer()).await.unwrap().no;
    let roles = [
        ("chief", Role::Chief, false, son),
        ("officer of the commune", Role::Officer, false, officer(hub, "Hà Thị Đào", Role::Officer, &[]).await),
        ("officer of another hamlet", Role::Officer, true, officer(hub, "Bùi Văn Minh", Role::Officer, &[far]).await),
        ("auditor", Role::Auditor, false, officer(hub, "Lò Thị Én", Role::Auditor, &[]).await),
    ];
    let mut wrong = Vec::new();
    // From the narrowest to the widest: what the chief ends is there for the others to ask for.
    let mut ended = BTreeSet::new();
    for (who, role, narrow, browser) in roles.iter().rev() {
        let token = browser.token().await;
        // What opens for a purpose was opened, for whoever may.
        let opened =
            browser.post(&format!("/console/incidents/{}", there.name("incident")), &form(&[("token", &token), ("purpose", "duty")])).await;
        assert_eq!(opened.status == 303, access::rights::may(*role, Right::Read) && !narrow, "{who}: {}", opened.text);
        for (method, pattern, whom, good) in ROWS {
            let path = there.path(pattern);
            let mut wanted = expected(*whom, *role, *narrow, *good);
            if *pattern == "/console/" && *role == Role::Auditor {
                wanted = 303; // to the figures
            }
            // Without its token no form of anybody inside does anything, whether or not it may be sent.
            if *method == "POST" && !matches!(whom, All | Phones) && !pattern.contains("/passkeys/") && *pattern != "/console/alerts/cap" {
                let (bare, _) = ask(browser, method, &path, "").await;
                if !matches!(bare, 403 | 404) {
                    wrong.push(format!("{who}: {method} {path} without a token: {bare}"));
                }
            }
            let (status, way) = ask(browser, method, &path, &token).await;
            // What one of them ended is not there for the next; what one of them decided is told to the next.
            if ENDS.contains(pattern) && status == 303 {
                ended.insert(*pattern);
            } else if ended.contains(pattern) && wanted == 303 {
                wanted = 404;
            }
            if wanted == 303 && status == 409 {
                wanted = 409;
            }
            if status != wanted {
                wrong.push(format!("{who}: {method} {path}: {status} {way}, not {wanted}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    hub.hub.close().await.ok();
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_and_a_session_that_is_over_are_led_to_the_door() {
    let (there, son) = there().await;
    let stranger = Browser::new(&there.hub);
    let token = son.token().await;
    let mut forged = Browser::new(&there.hub);
    forged.cookie = "__Host-yenban=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    there.hub.clock.pass(CONSOLE_IDLE_MS);
    for (who, browser) in [("nobody", &stranger), ("a made-up session", &forged), ("a session that is over", &son)] {
        for (method, pattern, whom, good) in ROWS {
            let path = there.path(pattern);
            let (status, way) = ask(browser, method, &path, &token).await;
            match (whom, *method) {
                (All | Phones, _) => assert_eq!(status, *good, "{who}: {method} {path}"),
                (_, "GET") => {
                    assert_eq!(status, 303, "{who}: {path}");
                    assert!(way.starts_with("/console/sign-in"), "{who}: {path} leads to {way}");
                }
                _ => assert_eq!(status, 401, "{who}: {method} {path}"),
            }
        }
    }
}

/// Lists have nothing of another hamlet in them either, nor have events and files.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_learns_nothing_of_another_from_any_list() {
    let (there, _) = there().await;
    let hub = &there.hub;
    let far =
        hub.hub.store.add_hamlet("Piềng Vế".to_owned(), hub.clock.now_ms(), hub.hub.commune(), hub.hub.item_signer()).await.unwrap().no;
    let minh = officer(hub, "Bùi Văn Minh", Role::Officer, &[far]).await;
    let secrets =
        ["Nà Phòn", "Vì Văn Tiến", "Cầu suối", there.name("incident"), there.name("patrol"), there.name("device"), there.name("alert")];
    let lists = ROWS.iter().filter(|(method, path, whom, _)| {
        *method == "GET" && !path.contains('{') && matches!(whom, Holders(_)) && !path.ends_with("/live")
    });
    let more = [
        "/console/?q=chay",
        "/console/?all=1",
        "/console/people?q=vi",
        "/console/features/collections/incidents/items",
        "/console/features/collections/check-ins/items",
        "/console/features/collections/patrols/items",
        "/console/patrols?page=0",
    ];
    for path in lists.map(|(_, path, ..)| *path).chain(more) {
        let page = minh.get(path).await;
        for secret in secrets {
            // Where a hamlet lies and what it is called stands on every map, and on the ground of this one.
            if path.ends_with("/map/ground") && secret == "Nà Phòn" {
                continue;
            }
            assert!(!page.text.contains(secret), "{path} shows {secret}");
        }
    }
    // Files, and names of things of another hamlet inside an address of one's own.
    let incident = there.name("incident");
    for path in [
        format!("/console/incidents/{incident}/photos/{}/original", there.name("photo")),
        format!("/console/alerts/one/{}/cap", there.name("alert")),
        format!("/console/features/collections/patrols/items/{}", there.name("patrol")),
        format!("/console/patrols/checkpoints/sheet?code={}", there.name("checkpoint")),
    ] {
        let page = minh.get(&path).await;
        assert!(page.status == 404 || !secrets.iter().any(|secret| page.text.contains(secret)), "{path}: {}", page.status);
    }
    // The stream of the open inbox says nothing of what came there.
    let request = minh.request("GET", "/console/live?since=0").body(Body::empty()).unwrap();
    let mut events = minh.router.clone().oneshot(request).await.unwrap().into_body();
    let first = events.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(!String::from_utf8_lossy(&first).contains("event: arrived"), "{first:?}");
    // Forms that name something there do nothing there.
    let people = hub.hub.store.people().await.unwrap();
    let near = people.hamlet_named("Nà Phòn").unwrap().no.0.to_string();
    for (path, fields) in [
        ("/console/people/codes", vec![("name", "Ai Đó"), ("hamlet", near.as_str()), ("role", "member")]),
        ("/console/people/codes", vec![("name", "Ai Đó"), ("new_hamlet", "Bản Mới"), ("role", "member")]),
        ("/console/people/codes", vec![("member", there.name("member"))]),
        ("/console/patrols/checkpoints", vec![("name", "X"), ("hamlet", near.as_str()), ("lat", "20.6"), ("lon", "105")]),
        ("/console/patrols/plans", vec![("who", near.as_str()), ("from", "22:00"), ("to", "23:00"), ("day", "1")]),
        (
            "/console/alerts/send",
            vec![("headline", "X"), ("instruction", "X"), ("severity", "Minor"), ("hours", "6"), ("hamlet", near.as_str())],
        ),
        ("/console/alerts/send", vec![("headline", "X"), ("instruction", "X"), ("severity", "Minor"), ("hours", "6"), ("whole", "1")]),
    ] {
        assert_eq!(send(&minh, path, &fields).await.status, 422, "{path} {fields:?}");
    }
    assert!(hub.hub.store.people().await.unwrap().hamlet_named("Bản Mới").is_none());
}

/// Phones of the commune's own officers are not an affair of one hamlet.
#[tokio::test(flavor = "multi_thread")]
async fn an_officer_of_one_hamlet_neither_admits_nor_gives_up_a_phone_of_the_commune() {
    let (there, son) = there().await;
    let hub = &there.hub;
    let far =
        hub.hub.store.add_hamlet("Piềng Vế".to_owned(), hub.clock.now_ms(), hub.hub.commune(), hub.hub.item_signer()).await.unwrap().no;
    let minh = officer(hub, "Bùi Văn Minh", Role::Officer, &[far]).await;
    let made = send(&son, "/console/people/codes", &[("name", "Hà Thị Đào"), ("role", "officer")]).await;
    let code = made.text.split("class=\"link\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let mut phone = Phone::new(support::NIGHT_MS);
    assert_eq!(phone.enrol(&mut hub.connect().await, &code).await.status, 200);
    let words = format!("/console/people/words/{}", phone.device);
    let lost = format!("/console/people/phones/{}", phone.device);
    for act in ["agree", "differ"] {
        assert_eq!(send(&minh, &words, &[("act", act)]).await.status, 404, "{act}");
    }
    assert_eq!(minh.get(&lost).await.status, 404);
    assert_eq!(send(&minh, &lost, &[("act", "lost")]).await.status, 404);
    for path in ["/console/people", "/console/people/codes"] {
        assert!(!minh.get(path).await.text.contains(&words), "{path} offers it");
    }
    assert_eq!(send(&son, &words, &[("act", "agree")]).await.status, 200);
    assert!(!hub.hub.store.device(phone.device).await.unwrap().unwrap().waiting);
}
