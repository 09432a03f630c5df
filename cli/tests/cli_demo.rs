//! The newcomer's command: it ends well by itself, in a pipe, in both languages, with files of one's own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{made_track, run};

#[test]
fn the_demonstration_ends_with_every_check_held() {
    let ended = run(&["demo"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.lines().filter(|line| line.contains('✓')).count() >= 8, "{}", ended.out);
    assert!(
        !ended.out.contains('✗') && !ended.out.replace("/yenban-demo-", "").contains("demo-") && !ended.out.contains("{ $"),
        "{}",
        ended.out
    );
    assert!(!ended.out.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn with_files_of_one_s_own_and_as_a_document() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    made_track(std::path::Path::new(&at("walk.gpx")), 80, 50.0);
    std::fs::write(at("photo.jpg"), b"\xff\xd8\xff\xe0 one's own").unwrap();
    let ended = run(&["--json", "demo", "--dir", &at("kept"), "--track", &at("walk.gpx"), "--photo", &at("photo.jpg")]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let document = ended.json();
    assert_eq!(document["held"], true);
    let checks = document["checks"].as_array().unwrap();
    assert!(checks.len() >= 8 && checks.iter().all(|check| check["held"] == true), "{document}");
    assert!(std::path::Path::new(&at("kept")).is_dir());
    // Every photograph's own hash stands at the hub.
    let listed = run(&["--json", "hub", "list", "--dir", document["hub"].as_str().unwrap(), "evidence"]).json();
    assert_eq!(listed[0]["original_name"], "photo.jpg");
    // A folder that is in use is not written into.
    assert_eq!(run(&["demo", "--dir", &at("kept")]).code, 2);
}

#[test]
fn bad_files_are_refused_before_the_story_begins() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    std::fs::write(at("empty.gpx"), "<gpx version=\"1.1\"/>").unwrap();
    assert_eq!(run(&["demo", "--track", &at("empty.gpx")]).code, 2);
    assert_eq!(run(&["demo", "--track", &at("none.gpx")]).code, 3);
    assert_eq!(run(&["demo", "--photo", &at("none.jpg")]).code, 3);
    let english = run(&["--lang", "en", "demo", "--photo", &at("none.jpg")]);
    assert!(english.err.starts_with("There is no file"), "{english:?}");
}
