//! Working a hub: making one, asking a running and a stopped one the same, backing up and restoring.

mod support;

use std::sync::Arc;

use support::TestHub;
use yenban_hub::HubError;
use yenban_hub::admin::{Admin, EnrolWanted, ListKind};
use yenban_hub::backup::restore;
use yenban_hub::clock::SystemClock;
use yenban_hub::init::{NewHub, init};
use yenban_hub::store::{DeviceListing, IncidentListing, ListQuery};
use yenban_protocol::enrol::EnrolmentCode;
use yenban_protocol::record::{Act, Basis, Statement};

fn wanted(hamlet: &str) -> EnrolWanted {
    EnrolWanted { hamlet: hamlet.to_owned(), create: true, role: "member".to_owned(), ..EnrolWanted::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_and_a_stopped_hub_answer_alike() {
    let hub = TestHub::start().await;
    let dir = hub.temp.path().join("hub");
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let statements = vec![Statement { basis: Basis::Seen, text: "Cháy rừng".to_owned() }];
    phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: true, attachments: 0, statements });
    phone.push(&mut conn, 0, 1).await;

    let mut admin = Admin::open(&dir).await.expect("over the socket");
    assert!(admin.is_remote());
    let made = admin.enrol(wanted("Piềng Vế")).await.expect("code");
    let code = EnrolmentCode::from_text(&made.code).expect("code");
    assert_eq!(code.addresses, [hub.address.to_string()], "the running listener stands in the code");
    let running = admin.status().await.expect("status");
    let incidents: Vec<IncidentListing> = admin.list(ListKind::Incidents, ListQuery::default(), "trực đêm").await.expect("list");
    assert_eq!(incidents[0].kind, "fire");
    let refused = admin.revoke("ffffffffffffffff", false).await.expect_err("unknown");
    assert_eq!(refused.code(), "not_found");
    let refused = admin.enrol(EnrolWanted { create: false, ..wanted("Pieng Ve Xa") }).await.expect_err("unknown");
    match refused {
        HubError::Told(problem) => assert_eq!(problem.nearest, ["Piềng Vế"]),
        other => panic!("{other:?}"),
    }
    admin.close().await.expect("closes");

    let TestHub { temp, .. } = {
        let mut hub = hub;
        hub.halt().await;
        hub
    };
    let mut admin = Admin::open(&dir).await.expect("in this process");
    assert!(!admin.is_remote());
    assert_eq!(admin.status().await.expect("status"), running);
    let devices: Vec<DeviceListing> = admin.list(ListKind::Devices, ListQuery::default(), "").await.expect("list");
    assert_eq!((devices.len(), devices[0].entries), (1, 2));
    let audit: Vec<yenban_hub::store::AuditRow> = admin.list(ListKind::Audit, ListQuery::default(), "").await.expect("list");
    let reads: Vec<_> = audit.iter().filter(|row| row.action == "list incidents").map(|row| row.purpose.as_str()).collect();
    assert_eq!(reads, ["trực đêm"], "who reads is noted, with the purpose");
    assert!(admin.check().await.expect("checked").ok);
    admin.close().await.expect("closes");
    drop(temp);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_hub_begins_a_new_epoch_and_takes_again_what_it_forgot() {
    let mut hub = TestHub::start().await;
    let dir = hub.temp.path().join("hub");
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    for _ in 0..9 {
        phone.check_in(None);
    }
    phone.push(&mut conn, 0, 4).await;
    let file = hub.temp.path().join("xa.backup");
    let mut admin = Admin::open(&dir).await.expect("opens");
    admin.backup(&file).await.expect("backup");
    assert!(admin.backup(&file).await.is_err(), "a backup never replaces another");
    admin.close().await.expect("closes");
    let before = phone.receipt(&phone.push(&mut conn, 5, 9).await);
    hub.halt().await;

    let recovery = hub.temp.path().join("hub.recovery");
    let clock = || Arc::new(SystemClock);
    let second = hub.temp.path().join("hub2");
    let wrong = hub.temp.path().join("wrong.recovery");
    std::fs::write(&wrong, format!("yenban-recovery-1 {}\n", "11".repeat(32))).expect("written");
    assert!(restore(&second, &file, Some(&wrong), clock()).await.is_err());
    assert!(restore(&dir, &file, Some(&recovery), clock()).await.is_err(), "a hub stands there");
    let mut cut = std::fs::read(&file).expect("read");
    for (name, change) in [("cut", 1usize), ("flip", 0)] {
        let bad = hub.temp.path().join(name);
        let at = cut.len() / 2;
        cut[at] ^= 1 - change as u8;
        std::fs::write(&bad, &cut[..cut.len() - change]).expect("written");
        assert!(restore(&second, &bad, Some(&recovery), clock()).await.is_err(), "{name}");
        assert!(!second.exists(), "nothing half restored stays");
    }
    let restored = restore(&second, &file, Some(&recovery), clock()).await.expect("restored");
    assert_eq!(restored.entries, 5);
    let text = std::fs::read(&file).expect("read");
    assert!(!text.windows(13).any(|w| w == b"SQLite format"), "sealed");

    let hub2 = TestHub::serve_folder(hub, second).await;
    let mut conn = hub2.connect().await;
    let receipt = phone.receipt(&phone.push(&mut conn, 9, 9).await);
    assert_ne!(receipt.epoch, before.epoch);
    assert_eq!((receipt.ranges[0].last, receipt.floating[0].first), (4, 9), "the phone sees what is missing");
    let receipt = phone.receipt(&phone.push(&mut conn, 0, 9).await);
    assert_eq!((receipt.ranges[0].last, receipt.fork_at), (9, None));
    hub2.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_is_made_only_where_none_is() {
    let temp = tempfile::tempdir().expect("temp");
    let new = |commune: &str, name: &str, dir: &str| NewHub {
        dir: temp.path().join(dir),
        commune: commune.to_owned(),
        name: name.to_owned(),
        recovery_file: None,
        officer: String::new(),
    };
    for (commune, name) in [("5200", "x"), ("99999", "x"), ("05200", " "), ("05200", "a\u{1}")] {
        let refused = init(new(commune, name, "a"), Arc::new(SystemClock)).await;
        assert_eq!(refused.expect_err("refused").code(), "invalid");
        assert!(!temp.path().join("a").exists(), "nothing is left behind");
    }
    for recovery in [temp.path().join("nowhere/key"), temp.path().to_path_buf()] {
        let refused = init(NewHub { recovery_file: Some(recovery), ..new("05200", "x", "a") }, Arc::new(SystemClock)).await;
        assert!(refused.is_err() && !temp.path().join("a").exists(), "nothing is left behind");
    }
    let made = init(new("05200", "Công an xã", "a"), Arc::new(SystemClock)).await.expect("made");
    assert!(made.recovery_file.ends_with("a.recovery") && made.recovery_file.exists());
    assert!(init(new("05200", "Công an xã", "a"), Arc::new(SystemClock)).await.is_err());
    for file in ["hub.db", "keys/root", "keys/seal", "keys/sign", "keys/database", "keys/tls", "hub.json"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(temp.path().join("a").join(file)).expect(file).permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} is for its owner only");
    }
    let database = std::fs::read(temp.path().join("a/hub.db")).expect("read");
    assert!(!database.starts_with(b"SQLite format"), "the database is encrypted");
    assert!(Admin::open(&temp.path().join("nowhere")).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_database_or_key_is_told_and_nothing_is_made_in_its_place() {
    let hub = TestHub::start().await;
    let dir = hub.temp.path().join("hub");
    let TestHub { temp, .. } = {
        let mut hub = hub;
        hub.halt().await;
        hub
    };
    let database = dir.join("hub.db");
    let bytes = std::fs::read(&database).expect("read");
    std::fs::remove_file(&database).expect("removed");
    assert_eq!(Admin::open(&dir).await.map(|_| ()).expect_err("refused").code(), "folder");
    assert!(!database.exists(), "no empty hub takes the place of the lost one");
    std::fs::write(&database, b"").expect("emptied");
    assert_eq!(Admin::open(&dir).await.map(|_| ()).expect_err("refused").code(), "folder");
    assert_eq!(std::fs::metadata(&database).expect("there").len(), 0);
    std::fs::write(&database, bytes).expect("back");

    // A sealing key that no phone seals to would open nothing of what they deliver.
    std::fs::copy(dir.join("keys/sign"), dir.join("keys/seal")).expect("swapped");
    assert_eq!(Admin::open(&dir).await.map(|_| ()).expect_err("refused").code(), "folder");
    drop(temp);
}
