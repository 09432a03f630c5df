//! One night as an operator and a volunteer live it, each step a process of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{Commune, fields, has_fields, json, ms, ok, run};

#[test]
fn from_an_empty_folder_to_the_commune_s_list() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let on = |args: &[&str]| {
        let mut all = vec!["phone", "--store", phone.as_str()];
        all.extend_from_slice(args);
        json(&all)
    };

    let patrol = on(&["patrol", "start"])["patrol"].as_str().unwrap().to_owned();
    on(&["patrol", "check-in", "--lat", "20.6601234", "--lon", "105.0834567", "--accuracy-m", "8"]);
    on(&["patrol", "check-in", "--lat", "-0.0000001", "--lon", "179.9999999", "--note", "đi vòng suối đá bạn"]);
    let photo = commune.path("anh.jpg");
    std::fs::write(&photo, b"\xff\xd8\xff\xe0 not much of a picture").unwrap();
    let report = on(&["report", "--kind", "theft", "--text", "Mất xe ở suối đá bạn", "--basis", "seen", "--photo", &photo]);
    let incident = report["incident"].as_str().unwrap().to_owned();
    on(&["amend", &incident, "--text", "Xe màu đỏ", "--basis", "heard"]);
    on(&["patrol", "pause"]);
    on(&["patrol", "resume"]);
    let status = on(&["status"]);
    assert_eq!(status["patrol"]["id"], patrol.as_str());
    assert_eq!(status["patrol"]["check_ins"], 2);
    let finished = on(&["patrol", "finish"]);
    assert_eq!(finished["check_ins"], 2);

    // Found without diacritics, kept as typed.
    let found = on(&["search", "suoi da ban"]);
    assert_eq!(found[0]["id"], incident.as_str());
    assert_eq!(found[0]["headline"], "Mất xe ở suối đá bạn");

    let before = on(&["status"]);
    has_fields(
        &before,
        &["device", "log", "enrolled", "entries", "unsent", "received", "parked", "patrol", "alerts", "evidence", "chain_head", "words"],
    );
    assert_eq!(before["words"].as_array().map(Vec::len), Some(4), "read aloud, compared with the hub's");
    assert_eq!(fields(&before["alerts"]), ["total", "unread"]);
    assert_eq!(fields(&before["evidence"]), ["captured", "uploaded"]);
    assert_eq!(before["patrol"], serde_json::Value::Null);
    assert_eq!(before["evidence"]["captured"], 1);
    assert_eq!(before["unsent"], before["entries"]);
    assert_eq!(before["received"], 0);

    let synced = on(&["sync", "--until-empty"]);
    let names = [
        "pushed_entries",
        "pushed_bytes",
        "pulled_items",
        "pulled_bytes",
        "requests",
        "evidence_bytes",
        "resent_bytes",
        "unsent",
        "evidence_waiting",
        "parked",
        "outcome",
    ];
    has_fields(&synced, &names);
    assert_eq!(synced["outcome"], "up_to_date");
    assert_eq!(synced["pushed_entries"], before["entries"]);
    let after = on(&["status"]);
    assert_eq!(after["received"], before["entries"]);
    assert_eq!(after["unsent"], 0);
    let outbox = on(&["outbox"]);
    for row in outbox.as_array().unwrap() {
        has_fields(row, &["log", "seq", "kind", "state", "reason", "attempts"]);
        assert_eq!(row["state"], "received");
    }

    let listed = commune.list("check-ins");
    assert_eq!(listed.len(), 2);
    for row in &listed {
        let wanted =
            ["device", "log", "seq", "patrol", "lat", "lon", "accuracy_m", "recorded_at", "received_at", "time_earliest", "time_latest"];
        has_fields(row, &wanted);
        assert!(ms(&row["time_earliest"]) <= ms(&row["recorded_at"]) && ms(&row["recorded_at"]) <= ms(&row["time_latest"]), "{row}");
        assert_eq!(row["patrol"], patrol.as_str());
    }
    assert_eq!(listed[0]["lat"], 20.660_123_4);
    assert_eq!(listed[1]["lat"], -0.000_000_1);
    assert_eq!(listed[1]["lon"], 179.999_999_9);

    let evidence = commune.list("evidence");
    assert_eq!(evidence.len(), 1);
    has_fields(&evidence[0], &["id", "incident", "device", "log", "seq", "sha256", "size_bytes", "state", "original_name"]);
    assert_eq!(evidence[0]["state"], "verified");
    assert_eq!(evidence[0]["incident"], incident.as_str());
    assert_eq!(evidence[0]["original_name"], "anh.jpg");
    let incidents = commune.list("incidents");
    assert_eq!(incidents.len(), 1);
    assert_eq!(incidents[0]["kind"], "theft");

    let status = json(&["hub", "status", "--dir", &commune.dir()]);
    let names =
        ["devices", "revoked", "entries", "patrols", "check_ins", "incidents", "evidence", "quarantine", "alerts", "receipts", "chains_ok"];
    has_fields(&status, &names);
    has_fields(&status["evidence"], &["verified", "expected", "missing"]);
    assert_eq!(status["check_ins"], 2);
    assert_eq!(status["chains_ok"], true);
    for what in ["patrols", "alerts", "devices", "quarantine", "audit"] {
        commune.list(what);
    }

    // Again: nothing to do, nothing doubled.
    assert_eq!(on(&["sync"])["pushed_entries"], 0);
    assert_eq!(commune.list("check-ins").len(), 2);
    ok(&["phone", "--store", &phone, "check"]);
}

#[test]
fn an_alert_goes_out_and_is_answered() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    let other = commune.phone("may-2", "Piềng Vế");
    let dir = commune.dir();
    let alert = [
        "hub",
        "alert",
        "--dir",
        &dir,
        "--headline",
        "Mưa lớn",
        "--description",
        "Suối Nánh dâng nhanh",
        "--severity",
        "Severe",
        "--hamlet",
        "Nà Phòn",
    ];
    ok(&alert);
    for store in [&phone, &other] {
        ok(&["phone", "--store", store, "sync"]);
    }
    let alerts = json(&["phone", "--store", &phone, "alerts"]);
    assert_eq!(alerts[0]["headline"], "Mưa lớn");
    assert_eq!(json(&["phone", "--store", &phone, "status"])["alerts"]["unread"], 1);
    assert_eq!(json(&["phone", "--store", &other, "alerts"]).as_array().unwrap().len(), 0, "another hamlet's alert");
    let id = alerts[0]["id"].as_str().unwrap();
    for answer in ["seen", "going"] {
        ok(&["phone", "--store", &phone, "alert", answer, id]);
    }
    ok(&["phone", "--store", &phone, "sync"]);
    let listed = commune.list("alerts");
    let answers: Vec<&str> = listed[0]["answers"].as_array().unwrap().iter().map(|a| a["answer"].as_str().unwrap()).collect();
    assert!(answers.contains(&"going"), "{listed:?}");
    assert_eq!(json(&["phone", "--store", &phone, "status"])["alerts"]["unread"], 0);

    // The whole commune needs two people.
    let alone = ["hub", "alert", "--dir", &dir, "--headline", "Lũ", "--description", "Lũ", "--severity", "Extreme"];
    let ended = run(&alone);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(commune.list("alerts").len(), 1);
}

#[test]
fn a_revoked_phone_delivers_into_quarantine() {
    let commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    ok(&["phone", "--store", &phone, "sync"]);
    let device = json(&["phone", "--store", &phone, "status"])["device"].as_str().unwrap().to_owned();
    ok(&["hub", "revoke", "--dir", &commune.dir(), &device, "--lost"]);
    ok(&["phone", "--store", &phone, "report", "--kind", "other", "--text", "Việc sau khi báo mất", "--basis", "seen"]);
    run(&["phone", "--store", &phone, "sync"]);
    assert_eq!(commune.list("incidents").len(), 0);
    assert_eq!(commune.list("quarantine").len(), 1);
    let status = json(&["hub", "status", "--dir", &commune.dir()]);
    assert_eq!((&status["revoked"], &status["quarantine"]), (&1.into(), &1.into()));
}

#[test]
fn a_stopped_hub_is_worked_through_its_folder() {
    let mut commune = Commune::serving();
    let phone = commune.phone("may-1", "Nà Phòn");
    ok(&["phone", "--store", &phone, "report", "--kind", "fire", "--urgent"]);
    ok(&["phone", "--store", &phone, "sync"]);
    commune.kill();
    assert_eq!(commune.list("incidents").len(), 1);
    ok(&["hub", "check", "--dir", &commune.dir()]);
    for (format, out) in [("geojson", "a.geojson"), ("gpx", "a.gpx"), ("csv", "a.csv")] {
        let out = commune.path(out);
        ok(&["hub", "export", "--dir", &commune.dir(), "--format", format, "--out", &out]);
        assert!(std::fs::metadata(&out).unwrap().len() > 0);
    }
    let backup = commune.path("sao-luu");
    ok(&["hub", "backup", "--dir", &commune.dir(), "--file", &backup]);
    let (again, recovery) = (commune.path("hub-2"), format!("{}.recovery", commune.dir()));
    ok(&["hub", "restore", "--dir", &again, "--file", &backup, "--recovery-file", &recovery]);
    assert_eq!(json(&["hub", "list", "--dir", &again, "incidents"]).as_array().unwrap().len(), 1);
    // A phone without a hub waits: could not, and everything is still there.
    ok(&["phone", "--store", &phone, "report", "--kind", "fire", "--urgent"]);
    let offline = run(&["--json", "phone", "--store", &phone, "sync"]);
    assert_eq!((offline.code, &offline.json()["outcome"]), (3, &"offline".into()));
    assert_eq!(offline.json()["unsent"], 1);
}
