//! What other programs read: patrols, check-ins and incidents as OGC API – Features, and the document of all interfaces.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use browser::{Browser, Page};
use http_body_util::BodyExt as _;
use night::night;
use serde_json::Value;
use support::{NIGHT_MS, TestHub};
use tower::ServiceExt as _;
use yenban_hub::access;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::id::{HamletNo, MemberNo, Role};

const ROOT: &str = "/console/features";

fn json(page: &Page) -> Value {
    assert_eq!(page.status, 200, "{}", page.text);
    serde_json::from_str(&page.text).unwrap()
}

async fn entered(hub: &TestHub, name: &str, role: Role, reach: &[HamletNo]) -> Browser {
    let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role, hamlet: WHOLE_COMMUNE, group: 0 };
    let no = hub.hub.store.add_member(row).await.unwrap().no;
    hub.hub.store.plan_account(no, reach.to_vec(), NIGHT_MS).await.unwrap();
    let mut browser = Browser::new(hub);
    let page = browser.get(&access::enter_link(&hub.hub, name).await.unwrap()).await;
    browser.keep(&page);
    browser
}

/// The path of a link, which has its whole address.
fn path_of(link: &Value) -> String {
    let href = link["href"].as_str().unwrap();
    href.strip_prefix("https://hub.test:8443").unwrap_or_else(|| panic!("{href} is not a whole address")).to_owned()
}

async fn items(browser: &Browser, collection: &str, query: &str) -> Vec<Value> {
    let mut found = Vec::new();
    let mut path = format!("{ROOT}/collections/{collection}/items{query}");
    loop {
        let page = browser.get(&path).await;
        let document = json(&page);
        assert_eq!(page.headers["content-type"], "application/geo+json");
        let features = document["features"].as_array().unwrap();
        assert_eq!(document["numberReturned"], features.len());
        found.extend(features.iter().cloned());
        match document["links"].as_array().unwrap().iter().find(|link| link["rel"] == "next") {
            Some(next) => path = path_of(next),
            None => return found,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_map_program_finds_its_way_from_the_landing_page() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let landing = json(&son.get(ROOT).await);
    let href = |document: &Value, rel: &str| path_of(document["links"].as_array().unwrap().iter().find(|link| link["rel"] == rel).unwrap());
    assert_eq!(json(&son.get(&href(&landing, "service-desc")).await)["openapi"], "3.1.0");
    let classes = json(&son.get(&href(&landing, "conformance")).await);
    assert!(classes["conformsTo"].as_array().unwrap().iter().any(|class| class.as_str().unwrap().ends_with("/conf/core")));
    let collections = json(&son.get(&href(&landing, "data")).await);
    for collection in collections["collections"].as_array().unwrap() {
        let items = json(&son.get(&href(collection, "items")).await);
        assert_eq!(items["type"], "FeatureCollection");
        assert!(!items["features"].as_array().unwrap().is_empty(), "{}", collection["id"]);
        for feature in items["features"].as_array().unwrap() {
            let own = format!("{ROOT}/collections/{}/items/{}", collection["id"].as_str().unwrap(), feature["id"].as_str().unwrap());
            let one = json(&son.get(&own).await);
            assert_eq!(one["properties"], feature["properties"]);
        }
    }
    for nothing in ["/collections/people", "/collections/incidents/items/x", "/collections/check-ins/items/0102030405060708:1"] {
        assert_eq!(son.get(&format!("{ROOT}{nothing}")).await.status, 404, "{nothing}");
    }
    let noted = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    assert!(noted.iter().any(|row| row.action == "export features" && row.actor == "Hà Văn Sơn" && row.subject == "incidents"));
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_boxes_and_times_select_and_lose_nothing() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    for collection in ["incidents", "check-ins", "patrols"] {
        let all: Vec<Value> = items(&son, collection, "").await;
        let one_by_one = items(&son, collection, "?limit=1").await;
        assert_eq!(all, one_by_one, "{collection}");
        let earth = items(&son, collection, "?limit=2&bbox=-180,-90,180,90").await;
        // A patrol with one place has no line and a place all the same.
        let placed = all.iter().filter(|feature| !feature["geometry"].is_null() || collection == "patrols").count();
        assert_eq!(earth.len(), placed, "{collection}");
        assert!(items(&son, collection, "?bbox=0,0,1,1").await.is_empty());
        assert!(items(&son, collection, "?datetime=../2020-01-01T00:00:00Z").await.is_empty());
        assert_eq!(items(&son, collection, "?datetime=2020-01-01T00:00:00Z/..").await, all, "{collection}");
    }
    for wrong in ["?bbox=1,2,3", "?datetime=yesterday", "?bbbox=1,2,3,4", "?limit=x", "?after=x"] {
        let page = son.get(&format!("{ROOT}/collections/check-ins/items{wrong}")).await;
        assert!((400..500).contains(&page.status), "{wrong}: {}", page.status);
        assert_eq!(page.headers["content-type"], "application/problem+json");
    }
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn features_are_within_right_and_reach() {
    let night = night().await;
    let stranger = Browser::new(&night.hub);
    let auditor = entered(&night.hub, "Bùi Văn Minh", Role::Auditor, &[]).await;
    let there = night.hub.hub.store.people().await.unwrap().hamlet_named("Piềng Vế").unwrap().no;
    let dao = entered(&night.hub, "Hà Thị Đào", Role::Officer, &[there]).await;
    for path in ["", "/conformance", "/collections", "/collections/incidents", "/collections/incidents/items"] {
        assert_eq!(stranger.get(&format!("{ROOT}{path}")).await.status, 303, "{path}");
        assert_eq!(auditor.get(&format!("{ROOT}{path}")).await.status, 404, "{path}");
    }
    let mine = items(&dao, "incidents", "").await;
    assert!(!mine.is_empty() && mine.iter().all(|feature| feature["properties"]["hamlet"] == "Piềng Vế"));
    let all = items(&Browser::entered(&night.hub).await, "check-ins", "").await;
    assert!(items(&dao, "check-ins", "").await.len() < all.len());
    for name in [&night.landslide, &night.patrol] {
        for collection in ["incidents", "patrols", "check-ins"] {
            assert_eq!(dao.get(&format!("{ROOT}/collections/{collection}/items/{name}")).await.status, 404, "{collection} {name}");
        }
    }
    night.hub.stop().await;
}

/// Reviewed by reading the difference: `hub/tests/openapi.json`. Every address in it is one that the hub answers.
#[tokio::test(flavor = "multi_thread")]
async fn the_document_of_interfaces_is_the_one_that_was_reviewed() {
    let hub = TestHub::start().await;
    let son = Browser::entered(&hub).await;
    let served = json(&Browser::new(&hub).get("/openapi.json").await);
    let text = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    let snapshot = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/openapi.json");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(snapshot, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(snapshot).unwrap_or_default();
    assert!(reviewed == text, "the document changed: look at it, then run this test with UPDATE_SNAPSHOTS=1");
    for (path, operations) in served["paths"].as_object().unwrap() {
        let path = path.replace("{id}", "incidents").replace("{name}", "0102030405060708:1").replace("{sha256}", &"0".repeat(64));
        for method in ["get", "post", "head", "patch", "delete", "options", "put"] {
            let request = son.request(&method.to_uppercase(), &path).body(axum::body::Body::empty()).unwrap();
            let (parts, body) = son.router.clone().oneshot(request).await.unwrap().into_parts();
            let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
            let known = operations.get(method).is_some();
            let answered = parts.status != 405 && !text.contains("nothing at this address");
            // A server answers HEAD wherever it answers GET.
            let implied = method == "head" && operations.get("get").is_some();
            assert_eq!(known || implied, answered, "{method} {path}: {} {text}", parts.status);
        }
    }
    hub.stop().await;
}
