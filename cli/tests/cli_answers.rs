//! What the police answer at the hub is read on the phone that reported, and what the phone adds stands at the hub.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{Commune, json, ok, run};

#[test]
fn an_answer_at_the_hub_is_read_on_the_phone() {
    let mut commune = Commune::with_officer("Hà Văn Sơn");
    commune.serve();
    let dir = commune.dir();
    let phone = commune.phone("may-1", "Nà Phòn");
    let incident = json(&["phone", "--store", &phone, "report", "--kind", "theft", "--text", "Mất ba con gà"]);
    let incident = incident["incident"].as_str().unwrap().to_owned();
    let answer = |state: &str, more: &[&str]| run(&[&["hub", "answer", "--dir", &dir, &incident, "--state", state], more].concat());
    assert_eq!(answer("in_hand", &[]).code, 2, "of a report that has not come nothing can be said");
    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    assert_eq!(commune.list("incidents")[0]["state"], "new");

    assert_eq!(answer("received", &[]).code, 0);
    let asked = answer("needs_more", &["--note", "Gà màu gì?"]);
    assert!(asked.code == 0 && asked.out.contains("công an đã xem → cần thêm tin"), "{}{}", asked.out, asked.err);
    let unsaid = answer("needs_more", &["--note", "Có phải người Mông không?"]);
    assert!(unsaid.code == 2 || unsaid.code == 1, "{}", unsaid.code);
    assert!(unsaid.err.contains("--keep"), "{}", unsaid.err);
    assert_eq!(answer("solved", &[]).code, 2);
    assert_eq!(commune.list("incidents")[0]["state"], "needs_more");

    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    let listed = json(&["phone", "--store", &phone, "incidents"]);
    assert_eq!((listed[0]["fate"].as_str(), listed[0]["fate_note"].as_str()), (Some("needs_more"), Some("Gà màu gì?")));
    let told = ok(&["phone", "--store", &phone, "incidents"]).out;
    assert!(told.contains("Công an xã · cần thêm tin: Gà màu gì?"), "{told}");

    ok(&["phone", "--store", &phone, "amend", &incident, "--text", "Gà mía"]);
    ok(&["phone", "--store", &phone, "sync", "--until-empty"]);
    assert_eq!(commune.list("incidents")[0]["amendments"], 1);
    let audit = commune.list("audit");
    assert!(audit.iter().any(|row| row["action"] == "fate needs_more" && row["subject"] == incident.as_str()));
}
