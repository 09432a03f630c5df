//! A hamlet without network: a stick goes down and comes back, and one message goes ahead. Each step a process of its own.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops loudly")]

mod support;

use support::{Commune, has_fields, json, ok, run};

#[test]
fn a_stick_goes_down_and_comes_back() {
    let commune = Commune::serving();
    let (phone, other) = (commune.phone("may-1", "Nà Phòn"), commune.phone("may-2", "Nà Phòn"));
    let dir = commune.dir();
    let on = |store: &str, args: &[&str]| {
        let mut all = vec!["phone", "--store", store];
        all.extend_from_slice(args);
        json(&all)
    };
    let report =
        on(&phone, &["report", "--kind", "landslide", "--text", "Đất lấp đường", "--urgent", "--lat", "20.66", "--lon", "105.08", "--sms"]);
    let (incident, message) = (report["incident"].as_str().unwrap().to_owned(), report["sms"].as_str().unwrap().to_owned());
    assert_eq!(message.chars().count(), 160);

    // The message first, typed in with a line break.
    let taken = json(&["hub", "sms", "--dir", &dir, &format!("{}\n{}", &message[..80], &message[80..])]);
    has_fields(&taken, &["incident", "state", "device", "kind", "urgent"]);
    assert_eq!((&taken["incident"], &taken["state"]), (&incident.as_str().into(), &"to_come".into()));
    let listed = commune.list("incidents");
    assert_eq!((listed.len(), &listed[0]["report"]), (1, &"to_come".into()));
    let told = ok(&["--lang", "vi", "hub", "list", "--dir", &dir, "incidents"]);
    assert!(told.out.contains("Theo tin nhắn SMS, chờ báo cáo đầy đủ"), "{told:?}");
    let wrong = run(&["--lang", "vi", "hub", "sms", "--dir", &dir, &message[..159]]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.err.contains("160 chữ"), "{}", wrong.err);
    let forged = message.replacen(&message[100..101], if &message[100..101] == "0" { "1" } else { "0" }, 1);
    assert_eq!(run(&["hub", "sms", "--dir", &dir, &forged]).code, 2);

    // A stick is a folder.
    let stick = commune.path("the");
    std::fs::create_dir(&stick).unwrap();
    let packed = on(&phone, &["courier", "out", "--to", &stick]);
    has_fields(&packed, &["path", "parcels", "own", "entries", "files", "carried", "written_bytes", "more"]);
    assert_eq!((&packed["own"], &packed["entries"]), (&1.into(), &on(&phone, &["status"])["entries"]));
    assert_eq!(on(&phone, &["outbox"])[0]["state"], "sent");

    // Another phone takes it up and reads nothing; the hub gets it from the stick all the same.
    let carried = on(&other, &["courier", "in", &stick]);
    assert_eq!((&carried["carried"], &carried["answers"]), (&1.into(), &0.into()));
    assert_eq!(on(&other, &["incidents"]).as_array().unwrap().len(), 0);
    let taken = json(&["hub", "courier", "in", "--dir", &dir, &stick]);
    has_fields(&taken, &["path", "parcels", "answers", "new_entries", "files", "devices", "refused"]);
    assert_eq!((&taken["parcels"], &taken["new_entries"]), (&1.into(), &packed["entries"]));
    let again = json(&["hub", "courier", "in", "--dir", &dir, &stick]);
    assert_eq!(again["new_entries"], 0);
    let answers = json(&["hub", "courier", "out", "--dir", &dir, &stick]);
    assert_eq!(answers["answers"], 1);
    let listed = commune.list("incidents");
    assert_eq!((listed.len(), &listed[0]["report"], &listed[0]["id"]), (1, &"here".into(), &incident.as_str().into()));

    let back = on(&phone, &["courier", "in", &stick]);
    assert_eq!((&back["answers"], &back["received_entries"], &back["known"]), (&1.into(), &packed["entries"], &1.into()));
    assert_eq!(on(&phone, &["status"])["unsent"], 0);
    // The carrier meets the network: what it carries is delivered again, and changes nothing.
    let synced = on(&other, &["sync"]);
    assert_eq!(synced["carried"]["delivered"], 1);
    assert_eq!(commune.list("incidents").len(), 1);

    // Damage is told, and the rest is taken.
    let file = commune.path("goi.ybp");
    ok(&["phone", "--store", &other, "courier", "out", &file]);
    assert_eq!(run(&["phone", "--store", &other, "courier", "out", &file]).code, 2, "never written over");
    let mut bytes = std::fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(commune.path("hong.ybp"), &bytes).unwrap();
    for command in [vec!["phone", "--store", &phone, "courier", "in"], vec!["hub", "courier", "in", "--dir", &dir]] {
        let path = commune.path("hong.ybp");
        let mut args = command;
        args.push(&path);
        assert_eq!(run(&args).code, 1, "{args:?}");
        args.pop();
        let nothing = commune.path("khong-co.ybp");
        args.push(&nothing);
        assert_ne!(run(&args).code, 0);
    }
    let empty = commune.path("trong");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(run(&["phone", "--store", &phone, "courier", "in", &empty]).code, 2);
}
