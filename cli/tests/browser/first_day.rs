//! A new hub, by clicking: from the link that `hub init` prints to the first alert that somebody answers "I'm going".

use fantoccini::Locator;
use serde_json::Value;
use yenban_hub::access::proofs::{code_now, secret_from_text};

use crate::screen::{Driver, Screen};
use crate::support::{Serving, json, ok, yenban};

const PASSWORD: &str = "ruộng bậc thang xanh";

/// Opens an account by its link, as its page asks; gives its recovery codes.
async fn open_account(screen: &Screen, link: &str) -> Vec<String> {
    screen.open(link).await;
    screen.write("Mật khẩu", PASSWORD).await;
    screen.write("Gõ lại mật khẩu", PASSWORD).await;
    assert!(screen.client.find(Locator::Css(".qr-card svg")).await.is_ok(), "something to scan");
    // What the app with which the code is scanned does.
    let secret = screen.script("return document.querySelector('[name=secret]').value").await;
    let secret = secret_from_text(secret.as_str().unwrap()).expect("a secret");
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    screen.write("Mã đang hiện trên ứng dụng", &code_now(&secret, i64::try_from(now_ms).unwrap()).unwrap()).await;
    screen.click("Mở tài khoản").await;
    screen.sees("Trang này không hiện lại").await;
    let codes = screen.script("return [...document.querySelectorAll('.codes code')].map((c) => c.textContent)").await;
    screen.click("Đã cất mã, vào trang").await;
    screen.sees("Hộp việc").await;
    codes.as_array().unwrap().iter().map(|code| code.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn from_the_first_link_to_the_first_answer_by_clicking() {
    let Some(driver) = Driver::start() else { return };
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (dir, phone) = (path("hub"), path("may-1"));
    let made = json(&["hub", "init", "--dir", &dir, "--commune", "05200", "--name", "Công an xã Mai Châu", "--officer", "Hà Văn Sơn"]);
    let mut serve = yenban();
    serve.args(["--json", "hub", "serve", "--dir", &dir, "--listen", "127.0.0.1:0"]);
    let serving = Serving::begin(serve);
    let told: Value = serde_json::from_str(&serving.told).unwrap();
    let port = told["address"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let base = format!("https://localhost:{port}");

    // The first officer: password and code, recovery codes, then a key of this PC.
    let son = driver.screen(&base).await;
    son.plug_in_keys().await;
    let recovery = open_account(&son, made["first_link"].as_str().unwrap()).await;
    assert_eq!(recovery.len(), 10);
    son.sees("Chưa có việc mới. Bản yên.").await;
    son.click("Hà Văn Sơn").await;
    son.write("Tên của khóa", "Máy trực ban").await;
    son.click("Thêm khóa của máy này").await;
    son.sees("Máy trực ban ·").await;
    son.click("Rời trang").await;
    son.sees("Đã rời trang ở máy này.").await;
    son.open("/console/").await;
    son.write("Tên vào trang", "ha.van.son").await;
    son.click("Vào bằng khóa của máy").await;
    son.sees("Chưa có việc mới. Bản yên.").await;

    // A second officer, whose link is handed over.
    son.click("Cán bộ").await;
    son.write("Họ tên", "Hà Thị Đào").await;
    son.choose("Cán bộ công an xã").await;
    son.click("Thêm và tạo liên kết").await;
    let link = son.text_of("code.link").await;
    let link = link.strip_prefix(&base).expect("an address under which this hub is found").to_owned();
    let dao = driver.screen(&base).await;
    open_account(&dao, &link).await;

    // A hamlet, a member, a code; the phone of that member joins when four words agree.
    son.click("Người và máy").await;
    son.click("Mã vào tổ").await;
    son.write("Họ tên", "Lò Văn Páo").await;
    son.write("Hoặc bản mới", "Nà Phòn").await;
    son.click("Làm mã").await;
    son.sees("Lò Văn Páo · Nà Phòn").await;
    assert!(son.client.find(Locator::Css(".qr-card svg")).await.is_ok(), "something to scan");
    son.click("Chữ của mã, khi không quét được").await;
    let code = son.text_of("details code.link").await;
    let joined = json(&["phone", "--store", &phone, "enrol", &code]);
    assert_eq!((joined["hamlet"].as_str(), joined["name"].as_str()), (Some("Nà Phòn"), Some("Lò Văn Páo")));
    let read_out: Vec<&str> = joined["words"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    son.click("Xem bốn từ").await;
    assert_eq!(son.text_of(".four-words").await, read_out.join(" "));
    son.click("Bốn từ khớp").await;
    son.sees("Máy đã vào tổ.").await;

    // An alert for everybody needs two.
    son.click("Cảnh báo").await;
    son.click("Soạn cảnh báo").await;
    son.write("Việc gì", "Sạt lở ở suối Nánh").await;
    son.write("Phải làm gì", "Rời chân dốc. Lên nhà văn hóa.").await;
    son.choose("Nguy cấp, làm ngay").await;
    son.choose("Toàn xã").await;
    son.click("Xem trước").await;
    son.sees("Rời chân dốc. Lên nhà văn hóa.").await;
    son.click("Gửi cho người thứ hai xem").await;
    son.sees("Sạt lở ở suối Nánh").await;
    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    assert_eq!(json(&["phone", "--store", &phone, "alerts"]), serde_json::json!([]), "one officer is not enough");
    dao.click("Cảnh báo").await;
    dao.client.find(Locator::Css("section[aria-labelledby=waiting] a.button")).await.unwrap().click().await.unwrap();
    dao.click("Đồng ý và phát").await;
    dao.sees("Sạt lở ở suối Nánh").await;

    // The phone has it, its member looks, and goes; the page says each.
    let rung = async |expected: &str| {
        dao.click("Cảnh báo").await;
        dao.click("Sạt lở ở suối Nánh").await;
        let row = dao.client.find(Locator::XPath("//tr[.//bdi[contains(., 'Lò Văn Páo')]]")).await.unwrap();
        let text = row.text().await.unwrap();
        assert!(text.contains(expected), "{expected}: {text}");
    };
    rung("Chưa tới máy").await;
    let sync = || ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    sync();
    let alerts = json(&["phone", "--store", &phone, "alerts"]);
    assert_eq!(alerts[0]["headline"], "Sạt lở ở suối Nánh");
    let id = alerts[0]["id"].as_str().unwrap().to_owned();
    sync();
    rung("Đã tới máy").await;
    ok(&["phone", "--store", &phone, "alert", "seen", &id]);
    sync();
    rung("Đã xem").await;
    ok(&["phone", "--store", &phone, "alert", "going", &id]);
    sync();
    rung("Tôi tới").await;
    drop(serving);
}
