//! The map: what it shows of a commune, to whom, and that nothing of it comes from elsewhere.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

#[path = "support/browser.rs"]
mod browser;
#[path = "support/night.rs"]
mod night;
mod support;

use browser::Browser;
use night::{Night, night};
use serde_json::Value;
use support::NIGHT_MS;
use yenban_hub::access;
use yenban_hub::store::{ListQuery, MapQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::id::{HamletNo, MemberNo, Role};

const NOTICE: &str = include_str!("../assets/vendor/NOTICE");
const VALLEY: &str = "/console/map/data?bbox=105.0,20.5,105.3,20.9&zoom=12";

async fn data(browser: &Browser, path: &str) -> Value {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text);
    assert_eq!(page.headers["content-type"], "application/geo+json");
    serde_json::from_str(&page.text).unwrap()
}

fn of<'a>(document: &'a Value, what: &str) -> Vec<&'a Value> {
    document["features"].as_array().unwrap().iter().filter(|feature| feature["properties"]["what"] == what).collect()
}

async fn entered(night: &Night, name: &str, reach: &[HamletNo]) -> Browser {
    let row = MemberRow { no: MemberNo(0), name: name.to_owned(), role: Role::Officer, hamlet: WHOLE_COMMUNE, group: 0 };
    let no = night.hub.hub.store.add_member(row).await.unwrap().no;
    night.hub.hub.store.plan_account(no, reach.to_vec(), NIGHT_MS).await.unwrap();
    let mut browser = Browser::new(&night.hub);
    let page = browser.get(&access::enter_link(&night.hub.hub, name).await.unwrap()).await;
    browser.keep(&page);
    browser
}

async fn looked(night: &Night) -> Vec<String> {
    let rows = night.hub.hub.store.audit(ListQuery::default()).await.unwrap();
    rows.into_iter().filter(|row| row.action == "read map").map(|row| row.actor).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_shows_incidents_and_the_patrol_that_is_out() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let page = son.get("/console/map").await;
    assert_eq!(page.status, 200);
    for words in
        ["Sạt lở", "Nà Phòn", "Khẩn", "Đang đi tuần", "Piềng Vế", "không rõ vị trí nên không có trên bản đồ", "Lượt xem này được ghi lại."]
    {
        assert!(page.text.contains(words), "{words} is not on the page");
    }
    let document = data(&son, VALLEY).await;
    let incidents = of(&document, "incident");
    assert_eq!(incidents.len(), 2, "the third has no place: {document}");
    let landslide = incidents.iter().find(|feature| feature["properties"]["urgent"] == true).unwrap();
    assert_eq!(landslide["properties"]["path"], format!("/console/incidents/{}", night.landslide));
    assert_eq!((&landslide["properties"]["label"], landslide["properties"]["accuracy"].as_f64()), (&"Sạt lở".into(), Some(12.0)));
    assert!(!document.to_string().contains("suối Nánh"), "what was said opens for a purpose alone");
    let walking = of(&document, "walking");
    assert_eq!(walking.len(), 1, "the finished patrol is on its own page: {document}");
    assert_eq!(walking[0]["properties"]["label"], "Piềng Vế");
    let said = document["said"].as_str().unwrap().replace(['\u{2068}', '\u{2069}'], "").replace('\u{a0}', " ");
    assert_eq!(said, "Trong khung: 2 vụ, 1 khẩn");
    // Another frame, and one of all that is done.
    assert!(of(&data(&son, "/console/map/data?bbox=100,10,101,11&zoom=9").await, "incident").is_empty());
    // Opened twice within minutes: one line; an hour later: another.
    assert_eq!(looked(&night).await, ["Hà Văn Sơn"]);
    night.hub.clock.pass(11 * 60_000);
    data(&son, VALLEY).await;
    assert_eq!(looked(&night).await.len(), 2);
    for wrong in ["", "?bbox=1,2,3&zoom=1", "?bbox=a,b,c,d", "?bbox=105,20,106,21&zoom=-1", "?bbox=105,20,106,21&zoom=x"] {
        let page = son.get(&format!("/console/map/data{wrong}")).await;
        assert_eq!((page.status, page.headers["content-type"].to_str().unwrap()), (422, "application/problem+json"), "{wrong}");
    }
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patrol_out_for_a_day_without_a_word_is_not_on_the_map() {
    let night = night().await;
    night.hub.clock.pass(25 * 3_600_000);
    let son = Browser::entered(&night.hub).await;
    assert!(of(&data(&son, VALLEY).await, "walking").is_empty());
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_officer_sees_on_the_map_what_is_in_reach() {
    let night = night().await;
    let there = night.hub.hub.store.people().await.unwrap().hamlet_named("Nà Phòn").unwrap().no;
    let dao = entered(&night, "Hà Thị Đào", &[there]).await;
    let document = data(&dao, VALLEY).await;
    assert_eq!(of(&document, "incident").len(), 1);
    assert!(of(&document, "walking").is_empty(), "the patrol is of another hamlet");
    let page = dao.get("/console/map").await;
    assert!(page.text.contains("Nà Phòn") && !page.text.contains("Mâu thuẫn"), "{}", page.text);
    let stranger = Browser::new(&night.hub);
    for path in ["/console/map", VALLEY, "/console/map/ground", "/console/map/base"] {
        assert_eq!(stranger.get(path).await.status, 303, "{path}");
    }
    night.hub.stop().await;
}

/// Squares of the grid: many are counted and few stand by themselves, whatever the frame; nothing is lost between them.
#[tokio::test(flavor = "multi_thread")]
async fn many_are_counted_and_few_stand_by_themselves() {
    let night = night().await;
    let all = MapQuery {
        box_e7: (200_000_000, 1_040_000_000, 210_000_000, 1_060_000_000),
        cell_e7: 10_000_000,
        open: true,
        within: Vec::new(),
        pins_max: 1,
        cell_min: 2,
    };
    let store = &night.hub.hub.store;
    let found = store.on_map(all.clone()).await.unwrap();
    assert_eq!((found.count, found.urgent, found.unplaced, found.pins.len()), (2, 1, 1, 0));
    assert_eq!(found.cells.iter().map(|cell| (cell.count, cell.urgent)).collect::<Vec<_>>(), [(2, 1)]);
    let found = store.on_map(MapQuery { cell_min: 3, pins_max: 2, ..all.clone() }).await.unwrap();
    assert_eq!((found.cells.len(), found.pins.len()), (0, 2));
    assert!(found.pins[0].urgent, "urgent first");
    let apart = store.on_map(MapQuery { cell_e7: 10, pins_max: 1, ..all.clone() }).await.unwrap();
    assert_eq!((apart.cells.len(), apart.pins.len(), apart.count), (0, 1, 2), "never more than asked for");
    let people = store.people().await.unwrap();
    let other = people.hamlet_named("Piềng Vế").unwrap().no.0;
    assert_eq!(store.on_map(MapQuery { within: vec![other], ..all }).await.unwrap().count, 1);
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_map_of_the_operator_is_given_in_ranges() {
    let night = night().await;
    let son = Browser::entered(&night.hub).await;
    let ground = |text: &str| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!(ground(&son.get("/console/map/ground").await.text)["base"], false);
    assert_eq!(son.get("/console/map/base").await.status, 404);
    let path = night.hub.temp.path().join("hub/map.pmtiles");
    std::fs::write(&path, b"PMTiles and what follows").unwrap();
    let own = ground(&son.get("/console/map/ground").await.text);
    assert_eq!((&own["base"], own["hamlets"].as_array().unwrap().len()), (&true.into(), 3));
    let ranged = async |range: &str| {
        let request = son.request("GET", "/console/map/base").header("range", range).body(axum::body::Body::empty()).unwrap();
        son.send(request).await
    };
    let piece = ranged("bytes=0-6").await;
    assert_eq!((piece.status, piece.text.as_str(), piece.headers["content-range"].to_str().unwrap()), (206, "PMTiles", "bytes 0-6/24"));
    assert_eq!(ranged("bytes=20-900").await.text, "lows");
    assert_eq!(ranged("bytes=24-").await.status, 416);
    assert_eq!(ranged("bytes=0-1,4-5").await.status, 416);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink(night.hub.temp.path().join("hub/hub.json"), &path).unwrap();
    assert_eq!(ranged("bytes=0-6").await.status, 404, "a link leads nowhere");
    night.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn vendored_files_are_the_ones_named() {
    let files = [
        ("maplibre-gl.mjs", "maplibre-gl-6.17.0.mjs", include_bytes!("../assets/vendor/maplibre-gl.mjs").as_slice()),
        ("maplibre-gl-worker.mjs", "maplibre-gl-worker-6.17.0.mjs", include_bytes!("../assets/vendor/maplibre-gl-worker.mjs").as_slice()),
        ("pmtiles.js", "pmtiles-4.5.0.js", include_bytes!("../assets/vendor/pmtiles.js").as_slice()),
    ];
    let hub = support::TestHub::start().await;
    let browser = Browser::new(&hub);
    for (name, address, bytes) in files {
        let row = NOTICE.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap_or_else(|| panic!("{name} is not in NOTICE"));
        let sum: String = yenban_protocol::crypto::sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert!(row.ends_with(&sum) && row.contains("BSD-3-Clause"), "{row}: {sum}");
        let served = browser.get(&format!("/console/assets/vendor/{address}")).await;
        assert_eq!((served.status, served.text.as_bytes() == bytes), (200, true), "{address}");
        let version = address.rsplit_once('-').unwrap().1.trim_end_matches(".mjs").trim_end_matches(".js");
        assert!(row.contains(version), "{row}: {version}");
    }
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/vendor");
    for file in std::fs::read_dir(here).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(name == "NOTICE" || NOTICE.contains(&name), "{name} is not in NOTICE");
    }
    assert_eq!(browser.get("/console/assets/vendor/none.js").await.status, 404);
    hub.stop().await;
}

#[test]
fn the_script_asks_nobody_but_this_hub() {
    let script = include_str!("../assets/map.js");
    for never in ["http://", "https://", "//cdn", "eval(", "innerHTML", "insertAdjacentHTML", "document.write", "glyphs:"] {
        assert!(!script.contains(never), "{never}");
    }
}
