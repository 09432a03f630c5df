//! The rules, as functions from a file's path and text to what breaks them.

use std::fmt;

use crate::lexer::take_apart;

/// One breach: where, and what is wrong.
pub struct Finding {
    path: String,
    line: usize,
    what: String,
}

impl Finding {
    /// A breach that concerns a whole file.
    pub fn whole(path: &str, what: &str) -> Self {
        Self { path: path.into(), line: 1, what: what.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// Which part may use which: shells -> bindings -> core -> protocol <- hub.
const MAY_USE: [(&str, &[&str]); 8] = [
    ("protocol", &[]),
    ("locales", &[]),
    ("core", &["protocol"]),
    ("hub", &["protocol", "locales"]),
    ("bindings", &["core"]),
    ("cli", &["protocol", "core", "hub", "locales"]),
    ("tests", &["protocol", "core", "hub", "locales", "bindings"]),
    ("xtask", &["protocol"]),
];

/// The core's modules; each uses only those before it. `limits` and `error` belong to all.
const CORE_ORDER: [&str; 17] = [
    "limits",
    "error",
    "clock",
    "keys",
    "disk",
    "store",
    "log",
    "place",
    "patrol",
    "incident",
    "evidence",
    "alert",
    "outbox",
    "sync",
    "transport",
    "notify",
    "app",
];

fn part_of(path: &str) -> &str {
    path.split('/').next().unwrap_or_default()
}

fn may_use(part: &str) -> Option<&'static [&'static str]> {
    MAY_USE.iter().find(|(name, _)| *name == part).map(|(_, parts)| *parts)
}

/// Dependencies between our packages, development ones too.
pub fn manifest_arrows(path: &str, text: &str) -> Vec<Finding> {
    let part = part_of(path);
    let Some(allowed) = may_use(part) else {
        return vec![Finding::whole(path, "a part that docs/ARCHITECTURE.md does not know")];
    };
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let Some(used) = line.trim().strip_prefix("yenban-") else { continue };
        let used: String = used.chars().take_while(char::is_ascii_alphanumeric).collect();
        if !allowed.contains(&used.as_str()) {
            let what = format!("{part} may not use {used}");
            findings.push(Finding { path: path.into(), line: index + 1, what });
        }
    }
    findings
}

/// The feature with which faults can be planted stands where it is declared and in the simulation's own manifest.
pub fn simulation_place(path: &str, text: &str) -> Vec<Finding> {
    if path == "tests/simulation/Cargo.toml" {
        return Vec::new();
    }
    let turned_on = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        let declared = line.strip_prefix("simulation").is_some_and(|rest| rest.trim_start().starts_with('='));
        !declared && (line.contains("\"simulation\"") || (line.contains("yenban-") && line.contains("/simulation\"")))
    };
    let lines = text.lines().enumerate().filter(|(_, line)| turned_on(line));
    lines.map(|(at, _)| Finding { path: path.into(), line: at + 1, what: "turns on planted faults".into() }).collect()
}

/// Places in `code` where a path such as `Instant::now` or `std::env` stands as whole words.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |at| !code[..*at].chars().next_back().is_some_and(part) && !code[at + word.len()..].chars().next().is_some_and(part))
}

fn found(path: &str, code: &str, at: usize, what: String) -> Finding {
    Finding { path: path.into(), line: code[..at].matches('\n').count() + 1, what }
}

fn forbid(path: &str, text: &str, names: &[&str], why: &str) -> Vec<Finding> {
    let code = take_apart(text).code;
    let mut findings = Vec::new();
    for name in names {
        findings.extend(words(&code, name).map(|at| found(path, &code, at, format!("{name}: {why}"))));
    }
    findings
}

/// Paths that reach into another part (`yenban_core::...`).
pub fn source_arrows(path: &str, text: &str) -> Vec<Finding> {
    let part = part_of(path);
    let allowed = may_use(part).unwrap_or_default();
    let others = MAY_USE.iter().map(|(name, _)| *name);
    let forbidden: Vec<String> =
        others.filter(|other| *other != part && !allowed.contains(other)).map(|other| format!("yenban_{other}")).collect();
    let forbidden: Vec<&str> = forbidden.iter().map(String::as_str).collect();
    forbid(path, text, &forbidden, "an arrow the other way (docs/ARCHITECTURE.md)")
}

/// The order of the core's modules.
pub fn core_order(path: &str, text: &str) -> Vec<Finding> {
    let Some(inside) = path.strip_prefix("core/src/") else { return Vec::new() };
    let module = inside.split(['/', '.']).next().unwrap_or_default();
    if module == "lib" {
        return Vec::new();
    }
    let order = |name: &str| CORE_ORDER.iter().position(|known| *known == name);
    let Some(own) = order(module) else {
        return vec![Finding::whole(path, "a module that docs/ARCHITECTURE.md does not know")];
    };
    let code = take_apart(text).code;
    let mut findings = Vec::new();
    for at in words(&code, "crate") {
        for used in named_after(&code[at + "crate".len()..]) {
            if order(&used).is_some_and(|used| used > own) {
                findings.push(found(path, &code, at, format!("{module} may not use {used}")));
            }
        }
    }
    findings
}

/// The first names after `crate`: one, or those of a group `::{a::b, c}`.
fn named_after(code: &str) -> Vec<String> {
    let Some(code) = code.strip_prefix("::") else { return Vec::new() };
    let ident = |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = code.strip_prefix('{') else { return vec![ident(code)] };
    let mut names = vec![ident(group)];
    let mut depth = 1;
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 1 => names.push(ident(&group[at + 1..])),
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

/// The protocol decides, others do: no files, sockets, threads or databases.
pub fn pure_protocol(path: &str, text: &str) -> Vec<Finding> {
    if part_of(path) != "protocol" {
        return Vec::new();
    }
    let names = [
        "std::fs",
        "std::net",
        "std::io",
        "std::thread",
        "std::process",
        "std::env",
        "std::time",
        "tokio",
        "rusqlite",
        "reqwest",
        "println",
        "eprintln",
    ];
    forbid(path, text, &names, "the protocol does no input or output")
}

/// SQL text outside `store`.
pub fn sql_place(path: &str, text: &str) -> Vec<Finding> {
    if path.contains("/store/") || path.ends_with("/store.rs") {
        return Vec::new();
    }
    let starts = [
        "SELECT ",
        "INSERT INTO ",
        "INSERT OR ",
        "REPLACE INTO ",
        "UPDATE ",
        "DELETE FROM ",
        "CREATE TABLE ",
        "CREATE INDEX ",
        "CREATE UNIQUE ",
        "CREATE VIRTUAL ",
        "CREATE TRIGGER ",
        "ALTER TABLE ",
        "DROP TABLE ",
        "PRAGMA ",
        "BEGIN IMMEDIATE",
        "ATTACH ",
        "VACUUM",
        "WITH RECURSIVE ",
    ];
    let strings = take_apart(text).strings;
    let is_sql = |text: &str| starts.iter().any(|start| text.trim_start().starts_with(start));
    strings
        .into_iter()
        .filter(|(_, text)| is_sql(text))
        .map(|(line, _)| Finding { path: path.into(), line, what: "SQL outside a store folder".into() })
        .collect()
}

/// Reading the time outside `clock`.
pub fn clock_place(path: &str, text: &str) -> Vec<Finding> {
    if path.contains("/clock") {
        return Vec::new();
    }
    let names = ["SystemTime", "Instant::now", "Utc::now", "Local::now", "Timestamp::now", "Zoned::now", "clock_gettime"];
    forbid(path, text, &names, "only clock modules read the time")
}

/// Reading randomness outside `keys` (phone) and `entropy` (hub).
pub fn entropy_place(path: &str, text: &str) -> Vec<Finding> {
    if path.starts_with("core/src/keys") || path.starts_with("hub/src/entropy") {
        return Vec::new();
    }
    let names = ["getrandom", "SysRng", "OsRng", "ThreadRng", "thread_rng", "rand::rng", "rand::random", "SystemRandom"];
    forbid(path, text, &names, "only keys (phone) and entropy (hub) read randomness")
}

/// Reading the environment outside the command line's configuration.
pub fn environment_place(path: &str, text: &str) -> Vec<Finding> {
    if path == "cli/src/main.rs" || path.starts_with("cli/src/config") {
        return Vec::new();
    }
    forbid(path, text, &["std::env", "env::var", "env::args"], "only the cli's main and config read it")
}

/// no name of a field, key, tag, filter or figure on traits of people, and none
/// that scores them. Vietnamese without accents, as identifiers are written.
const TRAITS: [&str; 40] = [
    "ethnic",
    "ethnicity",
    "ethnicities",
    "minority",
    "race",
    "tribe",
    "caste",
    "religion",
    "religions",
    "religious",
    "faith",
    "church",
    "political",
    "politics",
    "ideology",
    "sexual",
    "sexuality",
    "gender",
    "biometric",
    "biometrics",
    "faceprint",
    "voiceprint",
    "illness",
    "disease",
    "diagnosis",
    "disability",
    "watchlist",
    "blacklist",
    "dan_toc",
    "ton_giao",
    "tin_nguong",
    "dao_giao",
    "chinh_tri",
    "dang_phai",
    "sinh_trac",
    "gioi_tinh",
    "benh_tat",
    "suc_khoe",
    "risk_score",
    "suspect_score",
];

/// Names after traits of people, in code and in SQL.
pub fn traits_of_people(path: &str, text: &str) -> Vec<Finding> {
    let mut names: Vec<(usize, String)> = Vec::new();
    let mut collect = |line: usize, text: &str| {
        let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
        names.extend(words.filter(|word| !word.is_empty()).map(|word| (line, snake(word))));
    };
    if path.ends_with(".sql") {
        text.lines().enumerate().for_each(|(index, line)| collect(index + 1, line));
    } else {
        let source = take_apart(text);
        source.code.lines().enumerate().for_each(|(index, line)| collect(index + 1, line));
        if path.contains("/store") {
            source.strings.iter().for_each(|(line, text)| collect(*line, text));
        }
    }
    names
        .into_iter()
        .filter(|(_, name)| {
            let padded = format!("_{name}_");
            TRAITS.iter().any(|word| padded.contains(&format!("_{word}_")))
        })
        .map(|(line, name)| Finding { path: path.into(), line, what: format!("{name}: nothing is named after traits of people (R-05)") })
        .collect()
}

/// `MemberFaith` and `memberFaith` as `member_faith`.
fn snake(word: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in word.chars() {
        if c.is_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = c.is_lowercase() || c.is_numeric();
        out.extend(c.to_lowercase());
    }
    out
}

/// A file opens with why it exists.
pub fn opens_with_reason(path: &str, text: &str) -> Vec<Finding> {
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with("#!["));
    if first.is_some_and(|line| line.starts_with("//! ") && line.len() > "//! yenban".len()) {
        return Vec::new();
    }
    vec![Finding::whole(path, "the file does not open with why it exists (`//! ...`)")]
}

/// Paths of one machine, and notes of unfinished work.
pub fn finished_and_nowhere(path: &str, text: &str) -> Vec<Finding> {
    let places = ["/work/", "/root/"];
    let notes = ["TODO", "FIXME", "XXX", "HACK"];
    let mut findings = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let mut tell = |what: String| {
            findings.push(Finding { path: path.into(), line: index + 1, what });
        };
        if let Some(place) = places.iter().find(|place| line.contains(**place)) {
            tell(format!("{place}: a path of one machine"));
        }
        if let Some(note) = notes.iter().find(|note| words(line, note).next().is_some()) {
            tell(format!("{note}: unfinished work belongs into an issue"));
        }
    }
    findings
}
