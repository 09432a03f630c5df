//! Every page of the console, looked at: axe finds nothing at either width, by day or by night, in either language;
//! with letters of twice the size a narrow phone needs no scrolling sideways; Tab reaches everything and shows where it
//! is. The pictures under `target/screens` are for people to look at.

use std::path::{Path, PathBuf};

use fantoccini::Locator;
use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};
use yenban_hub::access::proofs::{code_now, secret_from_text};

use crate::live_report::{chief, picture};
use crate::screen::{Driver, Screen};
use crate::support::{Commune, json, made_track, ok};

/// Not in the product: finds what keeps people out of a page (vendor/README.md).
const AXE: &str = include_str!("vendor/axe.min.js");

/// A narrow phone and a desk.
const WIDTHS: [u64; 2] = [360, 1920];

/// Tallest picture that is kept, in pixels.
const TALLEST: u64 = 9_000;

const PEOPLE: &str = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\n\
    Nà Phòn;20,6612;105,0851;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Lò Văn Páo;tổ trưởng\n\
    Nà Phòn;;;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Hà Thị Dơ;tổ phó\n\
    Nà Phòn;;;Tổ bảo vệ an ninh, trật tự bản Nà Phòn;Vì Văn Khương;tổ viên\n\
    Piềng Vế;20,6701;105,0912;Tổ bảo vệ an ninh, trật tự bản Piềng Vế;Sùng A Chớ;tổ trưởng\n\
    Piềng Vế;;;Tổ bảo vệ an ninh, trật tự bản Piềng Vế;Nguyễn Hoàng Phương Thảo Nguyên;tổ viên\n\
    Khu dân cư Suối Đá Bạn Thượng Huổi Lót;20,6433;105,1121;Tổ bảo vệ an ninh, trật tự khu dân cư Suối Đá Bạn Thượng Huổi Lót;Lường Thị Bích Hường;tổ trưởng\n";

/// Everything that has an address of its own; `{...}` is filled in from the scene.
const AT: &[(&str, &str)] = &[
    ("sign-in", "/console/sign-in"),
    ("link-closed", "/console/join/khong-co"),
    ("nothing-here", "/console/khong-co"),
    ("inbox", "/console/"),
    ("inbox-all", "/console/?all=1"),
    ("inbox-found", "/console/?q=suoi"),
    ("inbox-found-nothing", "/console/?q=khongcogi"),
    ("incident-ask", "/console/incidents/{other}"),
    ("incident", "/console/incidents/{incident}"),
    ("minute", "/console/incidents/{incident}/print"),
    ("map", "/console/map"),
    ("patrols", "/console/patrols"),
    ("patrol", "/console/patrols/{patrol}"),
    ("plans", "/console/patrols/plans"),
    ("checkpoints", "/console/patrols/checkpoints"),
    ("checkpoint-sheet", "/console/patrols/checkpoints/sheet"),
    ("alerts", "/console/alerts"),
    ("alert-form", "/console/alerts/new"),
    ("alert-cap", "/console/alerts/cap"),
    ("alert", "/console/alerts/one/{alert}"),
    ("alert-update", "/console/alerts/one/{alert}/update"),
    ("alert-cancel", "/console/alerts/one/{alert}/cancel"),
    ("alert-second", "{second}"),
    ("people", "/console/people"),
    ("member", "/console/people/{member}"),
    ("phone-lost", "/console/people/phones/{device}?act=lost"),
    ("codes", "/console/people/codes"),
    ("chief-wish", "{wish}"),
    ("accounts", "/console/accounts"),
    ("officer", "/console/accounts/{officer}"),
    ("account", "/console/account"),
    ("figures", "/console/figures"),
    ("reads", "/console/reads"),
];

/// Pages that only a form leads to.
const SENT: &[&str] = &[
    "sign-in-wrong",
    "alert-preview",
    "alert-preview-drill",
    "alert-form-wrong",
    "code",
    "accounts-wrong",
    "officer-link",
    "join",
    "join-wrong",
    "recovery",
    "left",
];

/// A commune after a busy night, and the names of what stands in it.
struct Scene {
    commune: Commune,
    names: Vec<(&'static str, String)>,
}

impl Scene {
    fn path(&self, pattern: &str) -> String {
        self.names.iter().fold(pattern.to_owned(), |path, (name, value)| path.replace(&format!("{{{name}}}"), value))
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

/// A phone of somebody on the clerk's list.
fn phone_of(commune: &Commune, store: &str, hamlet: &str, name: &str) -> String {
    let dir = commune.dir();
    let made = ok(&["hub", "enrol", "--dir", &dir, "--hamlet", hamlet, "--role", "leader", "--name", name]);
    let store = commune.path(store);
    ok(&["phone", "--store", &store, "enrol", &made.last_line()]);
    store
}

/// What the night left: reports with and without photographs, patrols, alerts with answers, phones.
fn night() -> (Commune, String) {
    let mut commune = Commune::with_officer("Hà Văn Sơn");
    let list = commune.path("danh-sach.csv");
    std::fs::write(&list, PEOPLE).unwrap();
    let dir = commune.dir();
    ok(&["hub", "import", "--dir", &dir, &list]);
    commune.serve();
    let first = phone_of(&commune, "may-1", "Nà Phòn", "Lò Văn Páo");
    let second = phone_of(&commune, "may-2", "Piềng Vế", "Sùng A Chớ");
    let track = commune.path("dem.gpx");
    made_track(Path::new(&track), 120, 25.0);
    ok(&["phone", "--store", &first, "replay", &track]);
    let photos: Vec<String> = (0..2).map(|n| commune.path(&format!("anh-{n}.jpg"))).collect();
    photos.iter().for_each(|path| picture(path));
    let place = ["--lat", "20.6612", "--lon", "105.0851", "--accuracy-m", "12"];
    let said = "Đất lấp đường vào suối Nánh chừng 20 m, cây đổ ngang đường. Nước đục, dâng nhanh.";
    let report = [
        "phone",
        "--store",
        &first,
        "report",
        "--kind",
        "landslide",
        "--urgent",
        "--text",
        said,
        "--basis",
        "seen",
        "--photo",
        &photos[0],
        "--photo",
        &photos[1],
    ];
    let incident = text(&json(&[&report[..], &place[..]].concat())["incident"]);
    ok(&[
        "phone",
        "--store",
        &first,
        "amend",
        &incident,
        "--text",
        "Anh Chớ ở Piềng Vế gọi: còn ba nhà dưới dốc chưa ra.",
        "--basis",
        "heard",
    ]);
    ok(&["phone", "--store", &first, "amend", &incident, "--text", "Có thể còn lở nữa nếu mưa tiếp.", "--basis", "think"]);
    ok(&[
        "phone",
        "--store",
        &second,
        "report",
        "--kind",
        "dispute",
        "--text",
        "Hai nhà tranh nhau mương nước, đã mời hòa giải viên.",
        "--basis",
        "heard",
    ]);
    ok(&[
        "phone",
        "--store",
        &second,
        "report",
        "--kind",
        "theft",
        "--text",
        "Na\u{300} Pho\u{300}n mất xe máy <script>alert(1)</script>",
        "--basis",
        "seen",
    ]);
    ok(&["phone", "--store", &second, "patrol", "start"]);
    ok(&["phone", "--store", &second, "patrol", "check-in", "--lat", "20.6702", "--lon", "105.0913", "--accuracy-m", "8"]);
    let sync = |phone: &str| ok(&["phone", "--store", phone, "sync", "--until-empty"]);
    sync(&first);
    sync(&second);
    let warn = |headline: &str, severity: &str, more: &[&str]| {
        let fixed = [
            "hub",
            "alert",
            "--dir",
            &dir,
            "--headline",
            headline,
            "--description",
            "Mưa lớn từ chiều, đất đã lấp đường vào suối Nánh.",
            "--instruction",
            "Rời chân dốc. Lên nhà văn hóa bản.",
            "--severity",
            severity,
            "--hamlet",
            "Nà Phòn",
            "--hamlet",
            "Piềng Vế",
            "--expires",
            "6h",
        ];
        ok(&[&fixed[..], more].concat())
    };
    warn("Tập sơ tán khi có lũ quét", "Moderate", &["--drill"]);
    warn("Sạt lở ở suối Nánh, mưa còn to", "Severe", &[]);
    sync(&first);
    let alerts = json(&["phone", "--store", &first, "alerts"]);
    let live = alerts.as_array().unwrap().iter().find(|alert| alert["drill"] == false).expect("an alert");
    ok(&["phone", "--store", &first, "alert", "going", &text(&live["id"])]);
    sync(&first);
    sync(&second);
    ok(&["hub", "answer", "--dir", &dir, &incident, "--state", "needs_more", "--note", "Còn ai dưới dốc không?"]);
    let alert = text(&live["id"]);
    (commune, format!("{incident}\n{alert}"))
}

/// The same night with what only the console makes: plans, checkpoints, a phone that waits, acts that wait for a second.
async fn scene(driver: &Driver) -> Scene {
    let (commune, names) = night();
    let (incident, alert) = names.split_once('\n').expect("two names");
    let son = chief(driver, &commune).await;
    son.open("/console/patrols/checkpoints").await;
    son.fill("#name", "Cầu suối Nánh").await;
    son.fill("#lat", "20.66012").await;
    son.fill("#lon", "105.08345").await;
    son.press("main form.ask button").await;
    son.open("/console/patrols/plans").await;
    for day in ["0", "2", "4"] {
        son.press(&format!("input[name=day][value='{day}']")).await;
    }
    son.fill_time("#from", "22:00").await;
    son.fill_time("#to", "01:00").await;
    son.press("main form.ask button").await;
    son.open("/console/people/codes").await;
    son.fill("#name", "Hà Văn Tiến").await;
    son.press("main form.ask button").await;
    let code = son.script("return document.querySelector('details code.link').textContent").await;
    ok(&["phone", "--store", &commune.path("may-3"), "enrol", &text(&code)]);
    son.open("/console/people/codes").await;
    son.fill("#name", "Vì Thị Lan").await;
    son.press("#role option[value=chief]").await;
    son.press("main form.ask button").await;
    let wish = son.path().await;
    son.open("/console/accounts").await;
    son.fill("#name", "Hà Thị Đào").await;
    son.press("main form.ask button").await;
    let officer = son.path().await;
    son.alert("Bão vào đêm nay", "whole", "Extreme").await;
    son.press("main form button.primary").await;
    let second = son.path().await;
    let listed = commune.list("incidents");
    let other = listed.iter().find(|row| row["kind"] == "theft").map(|row| text(&row["id"])).expect("a theft");
    let patrol = text(&commune.list("patrols").last().expect("a patrol")["id"]);
    let device = &commune.list("devices")[0];
    let people = son.first_link_like("/console/people", r"^/console/people/\\d+$").await;
    let officer_link = match officer.strip_prefix("/console/accounts/") {
        Some(no) => no.to_owned(),
        None => {
            son.first_link_like("/console/accounts", r"^/console/accounts/\\d+$").await.rsplit('/').next().unwrap_or_default().to_owned()
        }
    };
    let names = vec![
        ("incident", incident.to_owned()),
        ("other", other),
        ("patrol", patrol),
        ("alert", alert.to_owned()),
        ("second", second),
        ("wish", wish),
        ("member", people.rsplit('/').next().unwrap_or_default().to_owned()),
        ("device", text(&device["id"])),
        ("officer", officer_link),
    ];
    son.client.close().await.unwrap();
    Scene { commune, names }
}

impl Screen {
    /// Presses; after a button the next page is there.
    async fn press(&self, css: &str) {
        let sends = css.contains("button");
        if sends {
            self.script("window.before = true").await;
        }
        let found = self.client.find(Locator::Css(css)).await;
        let pressed = match found {
            Ok(element) => self.clicked(&element).await,
            Err(error) => Err(error),
        };
        if let Err(error) = pressed {
            panic!("{css} on {}: {error}\n{}", self.path().await, self.text().await);
        }
        let until = std::time::Instant::now() + crate::screen::PATIENCE;
        while sends && self.script("return window.before === true || document.readyState !== 'complete'").await == true {
            assert!(std::time::Instant::now() < until, "{css} leads nowhere on {}", self.path().await);
        }
    }

    async fn fill(&self, css: &str, text: &str) {
        let field = self.client.find(Locator::Css(css)).await.unwrap_or_else(|error| panic!("{css}: {error}"));
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// A field for a time takes its digits in the order of the reader's language; its value is always the same.
    async fn fill_time(&self, css: &str, time: &str) {
        self.script(&format!("document.querySelector('{css}').value = '{time}'")).await;
    }

    /// Opens a page and gives the first link on it that is like this.
    async fn first_link_like(&self, page: &str, like: &str) -> String {
        self.open(page).await;
        let script = format!(
            "return [...document.querySelectorAll('main a')].map((a) => a.pathname).find((p) => new RegExp('{like}').test(p)) || ''"
        );
        text(&self.script(&script).await)
    }

    /// Composes an alert and looks at it.
    async fn alert(&self, headline: &str, to: &str, severity: &str) {
        self.open("/console/alerts/new").await;
        self.fill("#headline", headline).await;
        self.fill("#instruction", "Rời chân dốc. Lên nhà văn hóa bản.").await;
        self.press(&format!("input[name=severity][value={severity}]")).await;
        self.press(&format!("input[name={to}]")).await;
        if to != "whole" {
            self.press("input[name=drill]").await;
        }
        self.press("main form.ask button.primary").await;
    }
}

/// Goes to a page; gives `false` when there is none of that name.
async fn visit(scene: &Scene, screen: &Screen, name: &str) {
    if let Some((_, pattern)) = AT.iter().find(|(known, _)| *known == name) {
        screen.open(&scene.path(pattern)).await;
        // The content of a report is opened for a purpose, once in a session.
        if name == "incident" && screen.client.find(Locator::Css("input[name=purpose]")).await.is_ok() {
            screen.press("input[name=purpose]").await;
            screen.press("main form.ask button.primary").await;
        }
        return;
    }
    match name {
        "sign-in-wrong" => {
            screen.open("/console/sign-in").await;
            screen.fill("#login", "ai.do").await;
            screen.fill("#password", "không phải").await;
            screen.fill("#code", "000000").await;
            screen.press("main form.ask button.primary").await;
        }
        "alert-preview" => screen.alert("Sạt lở ở suối Nánh", "whole", "Severe").await,
        "alert-preview-drill" => screen.alert("Tập sơ tán", "hamlet", "Extreme").await,
        "alert-form-wrong" => {
            screen.open("/console/alerts/new").await;
            screen.fill("#headline", "Không nói gửi cho ai").await;
            screen.fill("#instruction", "Chờ").await;
            screen.press("input[name=severity]").await;
            screen.press("main form.ask button.primary").await;
        }
        "code" => {
            screen.open("/console/people/codes").await;
            screen.fill("#name", "Bùi Thị Mai").await;
            screen.press("main form.ask button").await;
        }
        "accounts-wrong" => {
            screen.open("/console/accounts").await;
            screen.fill("#name", "Hà Thị Đào").await;
            screen.press("main form.ask button").await;
        }
        "officer-link" => {
            screen.open(&scene.path("/console/accounts/{officer}")).await;
            screen.press("main form.inline button").await;
        }
        "join" => {
            let link = screen.script("return document.querySelector('code.link').textContent").await;
            let link = text(&link);
            screen.open(link.strip_prefix(&format!("https://{}", scene.commune.address)).expect("an address of this hub")).await;
        }
        "join-wrong" | "recovery" => {
            screen.fill("#password", "ruộng bậc thang xanh").await;
            let again = if name == "recovery" { "ruộng bậc thang xanh" } else { "khác" };
            screen.fill("#again", again).await;
            let secret = text(&screen.script("return document.querySelector('[name=secret]').value").await);
            let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
            let code = code_now(&secret_from_text(&secret).unwrap(), i64::try_from(now_ms).unwrap()).unwrap();
            screen.fill("#code", &code).await;
            screen.press("main form.ask button.primary").await;
        }
        "left" => {
            screen.open("/console/").await;
            screen.press("header form button").await;
        }
        other => panic!("no page {other}"),
    }
}

fn screens() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder").join("screens");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Keeps a picture of the whole page.
async fn keep(screen: &Screen, name: &str, width: u64) {
    let height = screen.script("return document.documentElement.scrollHeight").await.as_u64().unwrap_or(800);
    screen.size(width, height.clamp(640, TALLEST)).await;
    std::fs::write(screens().join(format!("{name}.png")), screen.client.screenshot().await.unwrap()).unwrap();
    screen.size(width, 800).await;
}

/// What axe finds on the page as it stands; with `colours` only what depends on them.
async fn axe(screen: &Screen, colours: bool) -> Vec<String> {
    if screen.script("return typeof axe").await != "object" {
        screen.client.execute(AXE, vec![]).await.expect("axe");
    }
    let only = if colours { ", runOnly: { type: 'rule', values: ['color-contrast'] }" } else { "" };
    let run = format!(
        "axe.run(document, {{ resultTypes: ['violations']{only} }}).then((r) => r.violations.map((v) => v.id + ': ' + v.help + ' | ' + v.nodes.map((n) => n.html.slice(0, 160) + ' ' + (n.any[0] || {{message: ''}}).message).slice(0, 3).join(' || ')))"
    );
    let found = screen.promised(&run).await;
    found.as_array().unwrap_or_else(|| panic!("axe: {found}")).iter().map(text).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn axe_finds_nothing_on_any_page() {
    let Some(driver) = Driver::start() else { return };
    let scene = scene(&driver).await;
    let mut wrong = Vec::new();
    for lang in ["vi", "en"] {
        let screen = chief(&driver, &scene.commune).await;
        screen.open(&format!("/console/?lang={lang}")).await;
        for name in AT.iter().map(|(name, _)| *name).chain(SENT.iter().copied()) {
            screen.size(1280, 900).await;
            screen.night(false).await;
            visit(&scene, &screen, name).await;
            for (width, night, whole) in [(360, false, true), (1920, true, true), (360, true, false), (1920, false, false)] {
                screen.size(width, 800).await;
                screen.night(night).await;
                for found in axe(&screen, !whole).await {
                    wrong.push(format!("{name}, {width} px, {lang}, night {night}: {found}"));
                }
                let wide = screen.script("return document.documentElement.scrollWidth").await;
                if wide.as_u64().is_none_or(|wide| wide > width) {
                    wrong.push(format!("{name}, {width} px, {lang}: {wide} px wide"));
                }
                if lang == "vi" || !night {
                    let light = if night { "-night" } else { "" };
                    keep(&screen, &format!("{name}-{width}-{lang}{light}"), width).await;
                }
            }
        }
        screen.client.close().await.unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_of_twice_the_size_fit_a_narrow_phone() {
    let Some(driver) = Driver::start() else { return };
    let scene = scene(&driver).await;
    let screen = driver.screen_with(&format!("https://{}", scene.commune.address), 32).await;
    enter(&screen, &scene.commune).await;
    let mut wrong = Vec::new();
    for name in AT.iter().map(|(name, _)| *name).chain(SENT.iter().copied()) {
        // Room enough that nothing lies under the tabs while the page is led to.
        screen.size(1280, 4_000).await;
        visit(&scene, &screen, name).await;
        screen.size(WIDTHS[0], 800).await;
        let letters = screen.script("return getComputedStyle(document.documentElement).fontSize").await;
        if letters != "32px" && name != "minute" {
            wrong.push(format!("{name}: letters of {letters}"));
        }
        // Whatever is wider than the screen must have a place of its own to scroll in.
        let wide = "const over = [...document.querySelectorAll('main *')].filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest('.scroll, .unseen, thead, svg')); \
                    return [document.documentElement.scrollWidth, over.slice(0, 3).map((e) => e.outerHTML.slice(0, 120))]";
        let wide = screen.script(wide).await;
        if wide[0].as_u64().is_none_or(|px| px > WIDTHS[0]) {
            wrong.push(format!("{name}: {wide}"));
        }
        keep(&screen, &format!("{name}-360-vi-large"), WIDTHS[0]).await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Comes in by the operator's link.
async fn enter(screen: &Screen, commune: &Commune) {
    let link = text(&json(&["hub", "console", "--dir", &commune.dir()])["link"]);
    screen.open(link.strip_prefix(&format!("https://{}", commune.address)).expect("an address")).await;
}

/// Numbers everything that can be worked with, and notes what the focus comes to and whether it shows.
const WATCH: &str = "
const shown = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !e.disabled;
const names = new Set();
window.wanted = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]')]
  .filter(shown)
  .filter((e) => { if (e.type !== 'radio') return true; const key = e.form + e.name; if (names.has(key)) return false; names.add(key); return true; });
window.reached = new Set(); window.unseen = new Set();
document.addEventListener('focusin', (event) => {
  const e = event.target, radio = e.type === 'radio';
  window.reached.add(radio ? window.wanted.find((w) => w.type === 'radio' && w.name === e.name && w.form === e.form) : e);
  const ring = (x) => { const s = x && getComputedStyle(x); return s && s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2; };
  if (!ring(e) && !ring(e.closest('.card'))) window.unseen.add(e);
});
return window.wanted.length;";

#[tokio::test(flavor = "multi_thread")]
async fn tab_reaches_everything_and_shows_where_it_is() {
    let Some(driver) = Driver::start() else { return };
    let scene = scene(&driver).await;
    let screen = chief(&driver, &scene.commune).await;
    screen.tell("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
    let mut wrong = Vec::new();
    for name in AT.iter().map(|(name, _)| *name).chain(SENT.iter().copied()) {
        screen.size(1280, 900).await;
        visit(&scene, &screen, name).await;
        screen.size(WIDTHS[0], 800).await;
        screen.script("document.activeElement.blur(); scrollTo(0, 0)").await;
        let wanted = screen.script(WATCH).await.as_u64().unwrap();
        // Fields for times have parts of their own.
        let presses = wanted + 12;
        let mut keys = KeyActions::new("keys".to_owned());
        for _ in 0..presses {
            keys = keys.then(KeyAction::Down { value: '\u{E004}' }).then(KeyAction::Up { value: '\u{E004}' });
        }
        screen.client.perform_actions(keys).await.unwrap();
        let said = screen
            .script("const html = (e) => e.outerHTML.slice(0, 140); return [window.wanted.filter((e) => !window.reached.has(e)).map(html), [...window.unseen].map(html)]")
            .await;
        for missed in said[0].as_array().unwrap() {
            wrong.push(format!("{name}: Tab does not reach {missed}"));
        }
        for unseen in said[1].as_array().unwrap() {
            wrong.push(format!("{name}: the focus does not show on {unseen}"));
        }
        assert!(wanted > 0, "{name} has nothing to work with");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
