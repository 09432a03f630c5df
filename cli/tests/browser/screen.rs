//! A browser, and what a person can do with it.
//!
//! The driver listens on a port of loopback that it chose itself and tells; it and every process it began end with the
//! story, by their numbers.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

/// How long a page may take to show something.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// Where the driver and the browser stand, or a line that says what is missing.
fn programs() -> Result<(String, String), String> {
    let found = |names: &[&str]| -> Option<String> {
        let path = std::env::var_os("PATH")?;
        let folders: Vec<_> = std::env::split_paths(&path).collect();
        names.iter().find_map(|name| folders.iter().map(|f| f.join(name)).find(|p| p.is_file())).map(|p| p.display().to_string())
    };
    let browser = found(&["chromium", "chromium-browser"]).ok_or("chromium is not installed")?;
    let driver = found(&["chromedriver"]).ok_or("chromedriver (package chromium-driver) is not installed")?;
    Ok((driver, browser))
}

/// The driver's process, and with it every browser that it began.
pub(crate) struct Driver {
    child: Child,
    address: String,
    browser: String,
}

impl Driver {
    /// Starts the driver; `None`, after saying why, where it or the browser is missing.
    pub(crate) fn start() -> Option<Self> {
        let (driver, browser) = match programs() {
            Ok(found) => found,
            Err(missing) => {
                println!("skipped: the console in a real browser: {missing}");
                return None;
            }
        };
        let mut child =
            Command::new(driver).arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the driver starts");
        let out = child.stdout.take().expect("piped");
        let mut started = Self { child, address: String::new(), browser };
        let told = BufReader::new(out).lines().map_while(Result::ok).find_map(|line| {
            let port = line.rsplit_once(" on port ")?.1.trim_end_matches('.').parse::<u16>().ok()?;
            (port != 0).then_some(port)
        });
        started.address = format!("http://127.0.0.1:{}", told.expect("the driver tells its port"));
        Some(started)
    }

    /// A new browser with nothing remembered, in Vietnamese.
    pub(crate) async fn screen(&self, base: &str) -> Screen {
        self.screen_with(base, 16).await
    }

    /// A new browser whose reader has set this size of letters, in pixels.
    pub(crate) async fn screen_with(&self, base: &str, letters_px: u32) -> Screen {
        let wanted = json!({
            "acceptInsecureCerts": true,
            "goog:chromeOptions": {
                "binary": self.browser,
                // The hub's certificate is its own: phones pin it, a browser is told to take it.
                "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars", "--ignore-certificate-errors", "--window-size=1280,900"],
                "prefs": { "intl.accept_languages": "vi", "webkit.webprefs.default_font_size": letters_px },
            },
        });
        let wanted = wanted.as_object().expect("an object").clone();
        let client = ClientBuilder::new(HttpConnector::new()).capabilities(wanted).connect(&self.address).await.expect("a session");
        Screen { client, base: base.to_owned() }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let mut begun = Vec::new();
        below(self.child.id(), &mut begun);
        // Any of them may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        for id in begun {
            let _ = Command::new("kill").args(["-9", &id.to_string()]).stderr(Stdio::null()).status();
        }
    }
}

/// Every process that this one began, and those they began.
fn below(id: u32, into: &mut Vec<u32>) {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{id}/task")) else { return };
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|child| child.parse().ok()) {
            into.push(child);
            below(child, into);
        }
    }
}

/// A command of the driver that the library has no name for.
#[derive(Debug)]
struct Raw(&'static str, Value);

impl WebDriverCompatibleCommand for Raw {
    fn endpoint(&self, base: &url::Url, session: Option<&str>) -> Result<url::Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.0))
    }

    fn method_and_body(&self, _: &url::Url) -> (http::Method, Option<String>) {
        (http::Method::POST, Some(self.1.to_string()))
    }
}

/// One window of a browser.
pub(crate) struct Screen {
    pub(crate) client: Client,
    base: String,
}

/// XPath of the text that a person reads in an element: without marks of direction, spaces as one.
const SHOWN: &str = "normalize-space(translate(., '\u{2068}\u{2069}\u{200E}', ''))";

impl Screen {
    /// Opens an address of the hub.
    pub(crate) async fn open(&self, path: &str) {
        self.client.goto(&format!("{}{path}", self.base)).await.unwrap_or_else(|error| panic!("{path}: {error}"));
    }

    /// The path that is open.
    pub(crate) async fn path(&self) -> String {
        self.client.current_url().await.unwrap().path().to_owned()
    }

    async fn first_shown(&self, xpath: &str) -> Element {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::XPath(xpath)).await;
        if found.is_err() {
            panic!("nothing on {} is {xpath}: {}", self.path().await, self.text().await);
        }
        for element in self.client.find_all(Locator::XPath(xpath)).await.unwrap() {
            if element.is_displayed().await.unwrap_or(false) {
                return element;
            }
        }
        panic!("hidden on {}: {xpath}", self.path().await);
    }

    /// Clicks; what still moves because a map above it has just appeared is tried again, as a person would.
    pub(crate) async fn clicked(&self, element: &Element) -> Result<(), CmdError> {
        let until = std::time::Instant::now() + PATIENCE;
        loop {
            match element.click().await {
                Err(error) if error.to_string().contains("click intercepted") && std::time::Instant::now() < until => {
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
                ended => return ended,
            }
        }
    }

    /// Clicks the first link, button or fold that says this.
    pub(crate) async fn click(&self, words: &str) {
        let xpath = format!("//*[self::a or self::button or self::summary][contains({SHOWN}, \"{words}\")]");
        let found = self.first_shown(&xpath).await;
        self.clicked(&found).await.unwrap_or_else(|error| panic!("{words}: {error}"));
    }

    /// Ticks or chooses what stands beside this.
    pub(crate) async fn choose(&self, words: &str) {
        self.first_shown(&format!("//label[.//input][contains({SHOWN}, \"{words}\")]")).await.click().await.unwrap();
    }

    /// The field under this label.
    pub(crate) async fn field(&self, label: &str) -> Element {
        let xpath = format!("//*[@id = //label[starts-with({SHOWN}, \"{label}\")]/@for]");
        self.first_shown(&xpath).await
    }

    /// Writes into the field under this label what a person would.
    pub(crate) async fn write(&self, label: &str, text: &str) {
        let field = self.field(label).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    /// Picks from the list under this label the line that says this.
    pub(crate) async fn pick(&self, label: &str, words: &str) {
        let list = self.field(label).await;
        let xpath = format!(".//option[contains({SHOWN}, \"{words}\")]");
        list.find(Locator::XPath(&xpath)).await.unwrap_or_else(|_| panic!("{label} has no {words}")).click().await.unwrap();
    }

    /// Waits until the page shows this.
    pub(crate) async fn sees(&self, words: &str) {
        let xpath = format!("//body//*[contains({SHOWN}, \"{words}\")][not(*[contains({SHOWN}, \"{words}\")])]");
        self.first_shown(&xpath).await;
    }

    /// What the page says now, as a person reads it.
    pub(crate) async fn text(&self) -> String {
        let text = self.client.find(Locator::Css("body")).await.unwrap().text().await.unwrap();
        text.replace(['\u{2068}', '\u{2069}', '\u{200E}'], "")
    }

    /// The text of the first of these.
    pub(crate) async fn text_of(&self, css: &str) -> String {
        let found = self.client.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await;
        found.unwrap_or_else(|_| panic!("no {css}")).text().await.unwrap()
    }

    /// What a script says.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, vec![]).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// What a script says when its promise is kept.
    pub(crate) async fn promised(&self, script: &str) -> Value {
        let script = format!("const done = arguments[arguments.length - 1]; ({script}).then(done, (e) => done(String(e)));");
        self.client.execute_async(&script, vec![]).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// A key or passkey store such as a phone or a PC has.
    pub(crate) async fn plug_in_keys(&self) {
        let kind = json!({ "protocol": "ctap2", "transport": "internal", "hasResidentKey": true, "hasUserVerification": true, "isUserVerified": true });
        self.client.issue_cmd(Raw("webauthn/authenticator", kind)).await.expect("a virtual authenticator");
    }

    /// A command of the browser's own protocol.
    pub(crate) async fn tell(&self, cmd: &str, params: Value) -> Value {
        let sent = json!({ "cmd": cmd, "params": params });
        self.client.issue_cmd(Raw("goog/cdp/execute", sent)).await.unwrap_or_else(|error| panic!("{cmd}: {error}"))
    }

    /// A screen of this size, in pixels of the page.
    pub(crate) async fn size(&self, width: u64, height: u64) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// By night or by day.
    pub(crate) async fn night(&self, night: bool) {
        let scheme = if night { "dark" } else { "light" };
        let features = json!({ "media": "", "features": [{ "name": "prefers-color-scheme", "value": scheme }, { "name": "prefers-reduced-motion", "value": "reduce" }] });
        self.tell("Emulation.setEmulatedMedia", features).await;
    }
}
