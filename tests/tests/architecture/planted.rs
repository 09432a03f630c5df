//! Proves that the rules bite: each is shown a breach and its lawful neighbour.

use crate::rules::{self, Finding};

fn told(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(ToString::to_string).collect()
}

type Rule = fn(&str, &str) -> Vec<Finding>;

/// The rule finds exactly one breach, on this line.
fn bites(rule: Rule, path: &str, text: &str, line: usize) {
    let told = told(&rule(path, text));
    assert_eq!(told.len(), 1, "{path}: {text}: {told:?}");
    assert!(told[0].starts_with(&format!("{path}:{line}: ")), "{told:?}");
}

fn passes(rule: Rule, path: &str, text: &str) {
    assert_eq!(told(&rule(path, text)), Vec::<String>::new(), "{path}: {text}");
}

#[test]
fn arrows() {
    let core = "[dependencies]\nyenban-protocol.workspace = true\nyenban-hub = { path = \"../hub\" }\n";
    bites(rules::manifest_arrows, "core/Cargo.toml", core, 3);
    passes(rules::manifest_arrows, "tests/Cargo.toml", core);
    bites(rules::manifest_arrows, "spy/Cargo.toml", "", 1);
    bites(rules::source_arrows, "protocol/src/a.rs", "//! x\nuse yenban_core::App;\n", 2);
    bites(rules::source_arrows, "hub/src/a.rs", "fn f() { yenban_core::f(); }", 1);
    passes(rules::source_arrows, "hub/src/a.rs", "use yenban_protocol::f; // not yenban_core::g");
}

#[test]
fn planted_faults() {
    let used = "[dependencies]\nyenban-protocol = { workspace = true, features = [\"simulation\"] }\n";
    bites(rules::simulation_place, "cli/Cargo.toml", used, 2);
    bites(rules::simulation_place, "core/Cargo.toml", "default = [\"simulation\"]", 1);
    bites(rules::simulation_place, "hub/Cargo.toml", "default = [\"yenban-protocol/simulation\"]", 1);
    passes(rules::simulation_place, "tests/simulation/Cargo.toml", used);
    passes(rules::simulation_place, "hub/Cargo.toml", "simulation = [\"yenban-protocol/simulation\"]");
    passes(rules::simulation_place, "Cargo.toml", "members = [\"cli\", \"tests/simulation\"]");
}

#[test]
fn order_inside_the_core() {
    bites(rules::core_order, "core/src/store/spool.rs", "\nuse crate::sync::Plan;", 2);
    bites(rules::core_order, "core/src/log.rs", "use crate::{error::Error, app::{App, x}};", 1);
    passes(rules::core_order, "core/src/sync/mod.rs", "use crate::{error, store::Spool, log};");
    passes(rules::core_order, "core/src/lib.rs", "pub use crate::app::App;");
    passes(rules::core_order, "core/src/log.rs", "#[cfg(test)]\nmod tests { use crate::app::App; }");
    bites(rules::core_order, "core/src/spy.rs", "", 1);
}

#[test]
fn places() {
    bites(rules::pure_protocol, "protocol/src/a.rs", "use std::fs::File;", 1);
    passes(rules::pure_protocol, "core/src/a.rs", "use std::fs::File;");
    let sql = "let q = \"\n  SELECT seq FROM entry\";";
    bites(rules::sql_place, "hub/src/feed.rs", sql, 1);
    passes(rules::sql_place, "hub/src/store/sqlite/feed.rs", sql);
    passes(rules::sql_place, "hub/src/feed.rs", "let q = \"Select a hamlet\";");
    bites(rules::clock_place, "core/src/patrol.rs", "let t = std::time::Instant::now();", 1);
    passes(rules::clock_place, "core/src/clock.rs", "let t = std::time::Instant::now();");
    bites(rules::entropy_place, "hub/src/enrol.rs", "let dice = OsRng;\n", 1);
    passes(rules::entropy_place, "core/src/keys/mod.rs", "use getrandom::SysRng;");
    bites(rules::environment_place, "hub/src/app.rs", "use std::env;", 1);
    passes(rules::environment_place, "cli/src/main.rs", "std::env::args()");
    passes(rules::environment_place, "hub/src/app.rs", "env!(\"CARGO_PKG_VERSION\")");
}

#[test]
fn traits() {
    bites(rules::traits_of_people, "protocol/src/a.rs", "struct P {\n  member_religion: u8 }", 2);
    bites(rules::traits_of_people, "core/src/a.rs", "enum Field { DanToc }", 1);
    bites(rules::traits_of_people, "hub/src/store/a.rs", "const S: &str = \"name, ton_giao\";", 1);
    bites(rules::traits_of_people, "hub/src/store/v1.sql", "CREATE TABLE a (\n  ethnicity TEXT)", 2);
    passes(rules::traits_of_people, "core/src/a.rs", "fn trace(faithful: u8) {} // religion");
}

#[test]
fn reasons_and_remains() {
    bites(rules::opens_with_reason, "core/src/a.rs", "use x;\n//! late", 1);
    passes(rules::opens_with_reason, "core/src/a.rs", "//! Keeps the order of entries.\n");
    bites(rules::finished_and_nowhere, "docs/a.md", "fine\n// TODO later", 2);
    bites(rules::finished_and_nowhere, "docs/a.md", "see /root/x", 1);
    passes(rules::finished_and_nowhere, "docs/a.md", "a todo list is a list");
}
