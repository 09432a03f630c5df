//! A report arrives in an inbox that is open, without a reload; it is taken, answered and given to a group, and the phone
//! shows what was said.

use fantoccini::Locator;
use serde_json::Value;

use crate::screen::{Driver, Screen};
use crate::support::{Commune, json, ok};

/// A hub with two hamlets and two phones, and its chief in front of a browser.
pub(crate) async fn commune(driver: &Driver) -> (Commune, String, Screen) {
    let mut commune = Commune::with_officer("Hà Văn Sơn");
    commune.serve();
    let phone = commune.phone("may-1", "Nà Phòn");
    let screen = chief(driver, &commune).await;
    (commune, phone, screen)
}

/// The chief, come in by the operator's link.
pub(crate) async fn chief(driver: &Driver, commune: &Commune) -> Screen {
    let screen = driver.screen(&format!("https://{}", commune.address)).await;
    let link = json(&["hub", "console", "--dir", &commune.dir()]);
    let link = link["link"].as_str().expect("a link").to_owned();
    screen.open(link.strip_prefix(&format!("https://{}", commune.address)).expect("an address")).await;
    screen
}

/// A picture that is one: terraces in two colours.
pub(crate) fn picture(path: &str) {
    const SIDE: u16 = 640;
    let mut pixels = Vec::new();
    for y in 0..SIDE {
        for x in 0..SIDE {
            let step = (y + x / 3) / 40 % 2 == 0;
            pixels.extend(if step { [96, 140, 84] } else { [150, 118, 72] });
        }
    }
    jpeg_encoder::Encoder::new_file(path, 80).unwrap().encode(&pixels, SIDE, SIDE, jpeg_encoder::ColorType::Rgb).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_arrives_live_and_its_answer_is_read_on_the_phone() {
    let Some(driver) = Driver::start() else { return };
    let (commune, phone, son) = commune(&driver).await;
    son.sees("Chưa có việc mới. Bản yên.").await;
    son.script("window.stillHere = true").await;

    let photo = commune.path("anh.jpg");
    picture(&photo);
    let place = ["--lat", "20.6612", "--lon", "105.0851", "--accuracy-m", "12"];
    let report = [
        "phone",
        "--store",
        &phone,
        "report",
        "--kind",
        "landslide",
        "--urgent",
        "--text",
        "Đất lấp đường vào suối Nánh",
        "--basis",
        "seen",
        "--photo",
        &photo,
    ];
    json(&[&report[..], &place[..]].concat());
    let sync = || ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    sync();
    son.sees("1 mới · Xem").await;
    son.sees("Có 1 việc khẩn mới").await;
    assert_eq!(son.script("return [window.stillHere, scrollY]").await, serde_json::json!([true, 0]), "the page was not loaded again");
    assert!(!son.text().await.contains("Sạt lở · Nà Phòn"), "what is read does not move");
    son.click("1 mới · Xem").await;
    son.sees("Sạt lở · Nà Phòn").await;
    son.click("Tiếp nhận").await;
    son.sees("Công an đã xem").await;
    sync();
    let fate = |n: usize| json(&["phone", "--store", &phone, "incidents"])[n].clone();
    assert_eq!(fate(0)["fate"], "received");

    // Its content opens for a purpose; the page stays open while the phone adds something.
    son.click("Sạt lở · Nà Phòn").await;
    assert!(!son.text().await.contains("Đất lấp đường"), "not before it is said what for");
    son.choose("Trực ban tiếp nhận").await;
    son.click("Mở nội dung").await;
    son.sees("Đất lấp đường vào suối Nánh").await;
    son.choose("Đang xử lý").await;
    son.write("Lời nhắn", "Tổ Nà Phòn đang lên.").await;
    son.click("Gửi cho người báo").await;
    son.sees("Tổ Nà Phòn đang lên.").await;
    son.click("Giao cho ai tới").await;
    son.pick("Ai tới", "Nà Phòn").await;
    son.client.find(Locator::XPath("//form[contains(@action, '/assign')]//button")).await.unwrap().click().await.unwrap();
    son.sees("Giao: ").await;
    sync();
    let told = fate(0);
    assert_eq!(told["fate"], "in_hand", "{told}");
    let said = ok(&["phone", "--store", &phone, "incidents"]).out;
    assert!(said.contains("Tổ Nà Phòn đang lên.") || said.contains("Người tới giúp"), "{said}");

    // The photograph: drawn, enlarged, with its custody record; the minute on paper.
    let drawn = son.promised("(async () => { const i = document.querySelector('.picture img'); i.scrollIntoView(); await i.decode(); return i.naturalWidth; })()").await;
    assert!(drawn.as_u64().is_some_and(|width| width > 100), "{drawn}");
    son.click("Sổ lưu giữ").await;
    son.sees("nguyên vẹn").await;
    let incident = son.path().await;
    son.client.find(Locator::Css("a.picture")).await.unwrap().click().await.unwrap();
    let shown = son.script("return [document.contentType, document.images[0] && document.images[0].naturalWidth]").await;
    assert!(shown[0] == "image/jpeg" && shown[1].as_u64().is_some_and(|width| width >= 320), "{shown}");
    son.client.back().await.unwrap();
    assert_eq!(son.path().await, incident);
    son.click("In biên bản").await;
    son.sees("CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM").await;
    son.sees("Đất lấp đường vào suối Nánh").await;
    let reads = commune.list("audit");
    assert!(
        reads.iter().any(|row| row["purpose"] == "Trực ban tiếp nhận" || row["action"].as_str().is_some_and(|a| a.contains("view"))),
        "{:?}",
        reads.iter().map(Value::to_string).collect::<Vec<_>>()
    );
}
