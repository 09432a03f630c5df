//! What the stories share: the real binary, a hub in a process of its own, walks and photographs.

#![allow(dead_code, reason = "each story uses its part")]

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// The binary under test, in Vietnamese unless a story says otherwise, without the caller's environment.
pub(crate) fn yenban() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_yenban"));
    for name in ["LC_ALL", "LC_MESSAGES", "LANG", "YENBAN_PIN"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    command
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// The one document of `--json`.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The last line of people's text.
    pub(crate) fn last_line(&self) -> String {
        self.out.lines().last().unwrap_or_default().to_owned()
    }
}

/// Runs a command to its end.
pub(crate) fn run<S: AsRef<OsStr>>(args: &[S]) -> Ended {
    let output = yenban().args(args).output().expect("the binary starts");
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).expect("UTF-8"),
        err: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs a command that must succeed.
pub(crate) fn ok<S: AsRef<OsStr> + std::fmt::Debug>(args: &[S]) -> Ended {
    let ended = run(args);
    assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
    ended
}

/// Runs a command that must succeed and gives its document.
pub(crate) fn json<S: AsRef<OsStr> + std::fmt::Debug>(args: &[S]) -> Value {
    let mut all: Vec<&OsStr> = vec![OsStr::new("--json")];
    all.extend(args.iter().map(AsRef::as_ref));
    ok(&all).json()
}

/// A hub in a process of its own. It ends with the story, whether that ends well or not.
pub(crate) struct Serving {
    child: Child,
    /// The first line it printed: where it listens.
    pub(crate) told: String,
}

impl Serving {
    /// Starts `hub serve` and waits until it listens.
    pub(crate) fn begin(mut serve: Command) -> Self {
        let mut child = serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the hub starts");
        let out = child.stdout.take().expect("piped");
        // Made before the line is read: a story that stops here must end the hub too.
        let mut serving = Self { child, told: String::new() };
        BufReader::new(out).read_line(&mut serving.told).expect("readable");
        serving
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process that must not outlive its story.
pub(crate) struct Guarded(pub(crate) Child);

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Asks again and again until something is so; stops the story when it never is.
pub(crate) fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < until, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A commune: its folder, and its hub when it runs.
pub(crate) struct Commune {
    pub(crate) folder: tempfile::TempDir,
    hub: Option<Child>,
    pub(crate) address: String,
}

impl Commune {
    /// A new hub, not running.
    pub(crate) fn new() -> Self {
        Self::with_officer("")
    }

    /// A new hub, not running, with its first officer.
    pub(crate) fn with_officer(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let commune = Self { folder, hub: None, address: String::new() };
        let dir = commune.dir();
        let mut init = vec!["hub", "init", "--dir", &dir, "--commune", "05200", "--name", "Công an xã Mai Châu"];
        if !name.is_empty() {
            init.extend(["--officer", name]);
        }
        ok(&init);
        commune
    }

    /// A new hub that serves.
    pub(crate) fn serving() -> Self {
        let mut commune = Self::new();
        commune.serve();
        commune
    }

    /// The hub's folder.
    pub(crate) fn dir(&self) -> String {
        self.path("hub")
    }

    /// A path inside the temporary folder.
    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_string_lossy().into_owned()
    }

    /// Starts the hub, on the address it had before if it had one.
    pub(crate) fn serve(&mut self) {
        assert!(self.serve_under(yenban()), "the hub says where it listens");
    }

    /// Starts the hub through another program; `false` when it ended before it listened.
    pub(crate) fn serve_under(&mut self, mut program: Command) -> bool {
        let listen = if self.address.is_empty() { "127.0.0.1:0" } else { &self.address };
        let mut hub = program
            .args(["--json", "hub", "serve", "--dir", &self.dir(), "--listen", listen])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the hub starts");
        let (mut line, out) = (String::new(), hub.stdout.take().expect("piped"));
        self.hub = Some(hub);
        BufReader::new(out).read_line(&mut line).expect("readable");
        let Ok(told) = serde_json::from_str::<Value>(&line) else { return false };
        self.address = told["address"].as_str().expect("an address").to_owned();
        true
    }

    /// Whether the hub ends by itself, or by what it runs under, within `wait`.
    pub(crate) fn ends_within(&mut self, wait: Duration) -> bool {
        let until = Instant::now() + wait;
        let Some(hub) = &mut self.hub else { return true };
        while hub.try_wait().expect("known").is_none() {
            if Instant::now() > until {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        true
    }

    /// Kills the hub as a power cut does.
    pub(crate) fn kill(&mut self) {
        if let Some(mut hub) = self.hub.take() {
            // What it runs under would leave it running.
            let children = std::fs::read_to_string(format!("/proc/{0}/task/{0}/children", hub.id())).unwrap_or_default();
            for child in children.split_whitespace() {
                Command::new("kill").args(["-9", child]).status().expect("kill runs");
            }
            // It may be gone already.
            let _ = hub.kill();
            hub.wait().expect("gone");
        }
    }

    /// A phone of a hamlet that has joined.
    pub(crate) fn phone(&self, name: &str, hamlet: &str) -> String {
        let mut enrol = vec!["hub", "enrol", "--dir"];
        let dir = self.dir();
        enrol.extend([dir.as_str(), "--hamlet", hamlet, "--create", "--role", "member", "--name", "Lò Văn Páo"]);
        let code = ok(&enrol).last_line();
        let store = self.path(name);
        ok(&["phone", "--store", &store, "enrol", &code]);
        store
    }

    /// A list of the hub.
    pub(crate) fn list(&self, what: &str) -> Vec<Value> {
        let listed = json(&["hub", "list", "--dir", &self.dir(), what]);
        listed.as_array().expect("a list").clone()
    }
}

impl Drop for Commune {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Real walks, when they are there.
pub(crate) fn real_tracks() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gpx");
    let Ok(listing) = std::fs::read_dir(&folder) else { return Vec::new() };
    let mut tracks: Vec<PathBuf> = listing.map(|item| item.expect("listed").path()).collect();
    tracks.retain(|path| path.extension().is_some_and(|kind| kind == "gpx"));
    tracks.sort();
    tracks
}

/// A walk of `points` points, `step_m` metres and 5 seconds apart, with times of one evening.
pub(crate) fn made_track(path: &Path, points: usize, step_m: f64) {
    let mut gpx = String::from("<gpx version=\"1.1\" xmlns=\"http://www.topografix.com/GPX/1/1\"><trk><trkseg>\n");
    for n in 0..points {
        let lat = 20.66 + n as f64 * step_m / 111_000.0;
        let seconds = n * 5;
        let (h, m, s) = (12 + seconds / 3600 % 12, seconds / 60 % 60, seconds % 60);
        gpx.push_str(&format!("<trkpt lat=\"{lat:.7}\" lon=\"105.0834567\"><time>2026-02-05T{h:02}:{m:02}:{s:02}Z</time></trkpt>\n"));
    }
    gpx.push_str("</trkseg></trk></gpx>\n");
    std::fs::write(path, gpx).expect("written");
}

/// The walks of a story: the real ones, or one that is made when they are not there.
pub(crate) fn tracks(folder: &Path) -> Vec<PathBuf> {
    let real = real_tracks();
    if !real.is_empty() {
        return real;
    }
    println!("skipped: the recorded walks are not there, a made one is used");
    let path = folder.join("made.gpx");
    made_track(&path, 300, 25.0);
    vec![path]
}

/// Milliseconds since 1970 of a time in JSON.
pub(crate) fn ms(value: &Value) -> i64 {
    let text = value.as_str().unwrap_or_else(|| panic!("no time: {value}"));
    text.parse::<jiff::Timestamp>().unwrap_or_else(|error| panic!("{text}: {error}")).as_millisecond()
}

/// Every file under a folder with its bytes.
pub(crate) fn bytes_of(folder: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::from(folder)];
    while let Some(folder) = open.pop() {
        let Ok(listing) = std::fs::read_dir(&folder) else { continue };
        for item in listing {
            let path = item.expect("listed").path();
            match path.is_dir() {
                true => open.push(path),
                false => found.push((path.clone(), std::fs::read(&path).unwrap_or_default())),
            }
        }
    }
    found.sort();
    found
}

/// The names of a document's fields.
pub(crate) fn fields(value: &Value) -> Vec<String> {
    let mut names: Vec<String> = value.as_object().unwrap_or_else(|| panic!("no object: {value}")).keys().cloned().collect();
    names.sort();
    names
}

/// Asserts that a document has at least these fields.
pub(crate) fn has_fields(value: &Value, wanted: &[&str]) {
    let there = fields(value);
    for name in wanted {
        assert!(there.iter().any(|field| field == name), "{name} is missing in {value}");
    }
}
