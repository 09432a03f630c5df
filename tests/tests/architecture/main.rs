//! Holds the shape of docs/ARCHITECTURE.md: which part may use which, and where SQL, clocks,
//! randomness and the environment may stand. Reads manifests and sources as text, so that a breach
//! fails here with its file and line instead of in a review; each rule is proved on a planted one.
#![allow(clippy::unwrap_used, unreachable_pub, reason = "a test may stop loudly, its helpers too")]

mod lexer;
mod planted;
mod rules;

use std::fs;
use std::path::{Path, PathBuf};

use rules::Finding;

/// Folders whose sources are shipped, and therefore held to every rule.
const SHIPPED: [&str; 6] = ["protocol", "core", "bindings", "hub", "cli", "locales"];
/// Longer files are told in the output: time to make a folder of them.
const LINES_TOLD: usize = 500;
/// Longer files fail.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}

/// All files of the repository that people write, as paths from its top, with their text.
fn files(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, wanted: &dyn Fn(&str) -> bool, out: &mut Vec<(String, String)>) {
        let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "artifacts", "corpus"].contains(&name.as_str()) {
                    walk(root, &path, wanted, out);
                }
                continue;
            }
            let from_top = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            if wanted(&from_top)
                && let Ok(text) = fs::read_to_string(&path)
            {
                out.push((from_top, text));
            }
        }
    }
    let mut out = Vec::new();
    walk(&root(), &root(), &wanted, &mut out);
    out
}

/// Sources of the product itself: no tests, no benchmarks, no tools.
fn shipped() -> Vec<(String, String)> {
    let files = files(|path| {
        path.ends_with(".rs")
            && SHIPPED.iter().any(|part| path.starts_with(&format!("{part}/src/")))
            && !path.ends_with("/tests.rs")
            && !path.contains("/tests/")
    });
    assert!(files.len() > 5, "the sources were not found under {}", root().display());
    files
}

fn hold(findings: &[Finding]) {
    let told: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "\n{}\n", told.join("\n"));
}

fn every(rule: impl Fn(&str, &str) -> Vec<Finding>) {
    let findings: Vec<Finding> = shipped().iter().flat_map(|(path, text)| rule(path, text)).collect();
    hold(&findings);
}

#[test]
fn manifests_point_one_way() {
    let manifests = files(|path| path.ends_with("Cargo.toml") && path.matches('/').count() == 1);
    assert!(manifests.len() >= 6, "too few manifests: {}", manifests.len());
    let findings: Vec<Finding> = manifests.iter().flat_map(|(path, text)| rules::manifest_arrows(path, text)).collect();
    hold(&findings);
}

#[test]
fn planted_faults_reach_no_program_for_people() {
    let manifests = files(|path| path.ends_with("Cargo.toml"));
    let findings: Vec<Finding> = manifests.iter().flat_map(|(path, text)| rules::simulation_place(path, text)).collect();
    hold(&findings);
    // What cargo makes of them, whichever way a feature might come.
    for package in ["yenban", "yenban-core", "yenban-hub"] {
        let line = ["tree", "--locked", "--offline", "--edges", "normal,build,features", "--package", package, "--prefix", "none"];
        let told = std::process::Command::new(env!("CARGO")).args(line).current_dir(root()).output().expect("cargo runs");
        let tree = String::from_utf8_lossy(&told.stdout);
        assert!(tree.contains("yenban-protocol"), "cargo tree: {}", String::from_utf8_lossy(&told.stderr));
        assert!(!tree.contains("feature \"simulation\""), "{package} is built with faults that can be planted:\n{tree}");
    }
}

#[test]
fn sources_point_one_way() {
    every(rules::source_arrows);
}

#[test]
fn modules_of_the_core_use_only_those_above() {
    every(rules::core_order);
}

#[test]
fn the_protocol_does_no_input_or_output() {
    every(rules::pure_protocol);
}

#[test]
fn sql_stands_in_store_folders() {
    every(rules::sql_place);
}

#[test]
fn time_is_read_in_clock_modules() {
    every(rules::clock_place);
}

#[test]
fn randomness_is_read_in_one_module_a_part() {
    every(rules::entropy_place);
}

#[test]
fn the_environment_is_read_by_configuration() {
    every(rules::environment_place);
}

#[test]
fn nothing_is_named_after_traits_of_people() {
    every(rules::traits_of_people);
    let schemas = files(|path| path.ends_with(".sql"));
    let findings: Vec<Finding> = schemas.iter().flat_map(|(path, text)| rules::traits_of_people(path, text)).collect();
    hold(&findings);
}

#[test]
fn every_file_says_why_it_exists() {
    // Fuzz targets are one line each and named after the decoder they feed.
    let exempt = |path: &str| path.ends_with("build.rs") || path.contains("/fuzz_targets/");
    let sources = files(|path| path.ends_with(".rs") && !exempt(path));
    let findings: Vec<Finding> = sources.iter().flat_map(|(path, text)| rules::opens_with_reason(path, text)).collect();
    hold(&findings);
}

#[test]
fn files_can_be_read_in_one_sitting() {
    let mut findings = Vec::new();
    for (path, text) in files(|path| path.ends_with(".rs") || path.ends_with(".sh")) {
        let lines = text.lines().count();
        if lines > LINES_TOLD {
            println!("over {LINES_TOLD} lines: {path} ({lines})");
        }
        if lines > LINES_MAX {
            findings.push(Finding::whole(&path, &format!("{lines} lines, at most {LINES_MAX}")));
        }
    }
    hold(&findings);
}

#[test]
fn the_repository_names_no_machine_and_leaves_nothing_undone() {
    let texts = files(|path| {
        let kinds = [".rs", ".md", ".toml", ".sh", ".ftl", ".html", ".css", ".js", ".sql", "/run"];
        // What others wrote stands as they wrote it.
        let ours = !path.starts_with("tests/tests/architecture") && !path.contains("/vendor/");
        kinds.iter().any(|kind| path.ends_with(kind)) && ours
    });
    let findings: Vec<Finding> = texts.iter().flat_map(|(path, text)| rules::finished_and_nowhere(path, text)).collect();
    hold(&findings);
}
