//! Everything is read again: what is altered, gone or not to be read is found, named and asked for; what nothing names is
//! swept; a backup has the files.

mod support;

use std::sync::Arc;

use support::phone::{Conn, Phone};
use support::scene::{only_object, scene};
use support::upload::{Sealed, Tus, content, facts, record, seal};
use yenban_hub::admin::Admin;
use yenban_hub::folder::Folder;
use yenban_hub::limits::{ASK_AGAIN_MS, ORPHAN_GRACE_MS};
use yenban_hub::storage::OverObjectStore;
use yenban_hub::store::{Wrong, WrongCode};
use yenban_hub::{jobs, scrub};
use yenban_protocol::custody::Action;
use yenban_protocol::upload as wire;

/// A file that is there and gives an error to whoever reads it, also to root.
fn make_unreadable(path: &std::path::Path) {
    std::fs::remove_file(path).expect("removed");
    std::os::unix::fs::symlink(path.file_name().expect("name"), path).expect("a link to itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_or_gone_is_named_asked_for_and_mended() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let clean = scrub::objects(&s.hub.hub, |_| ()).await.expect("checked");
    assert_eq!((clean.objects, clean.wrong.len(), clean.asked, clean.orphans), (3, 0, 0, 0));
    let path = only_object(&s.hub);
    let good = std::fs::read(&path).expect("read");
    let mut bad = good.clone();
    bad[50_000] ^= 1;
    let cases: [(&str, &dyn Fn()); 4] = [
        ("altered", &|| std::fs::write(&path, &bad).expect("altered")),
        ("altered", &|| std::fs::write(&path, &good[..good.len() - 1]).expect("cut")),
        ("altered", &|| std::fs::write(&path, [&good[..], &[0]].concat()).expect("longer")),
        ("missing", &|| std::fs::remove_file(&path).expect("removed")),
    ];
    for (n, (state, harm)) in cases.iter().enumerate() {
        harm();
        let mut seen = 0;
        let checked = scrub::objects(&s.hub.hub, |read| seen = read).await.expect("checked");
        assert_eq!((seen, checked.wrong.len()), (3, 1), "{state}");
        let wrong = &checked.wrong[0];
        assert_eq!((wrong.code.code(), wrong.subject.clone()), (format!("file_{state}").as_str(), s.photo.to_string()));
        assert_eq!((wrong.file.as_deref(), wrong.device.clone()), (Some("original"), Some(s.phone.device.to_string())));
        assert_eq!(checked.asked, u64::from(n == 0), "asked again at most once a day");
        assert_eq!(s.evidence().await.state, *state);
        let told = s.incident().await;
        // The other photograph that the report announced has not come.
        let counted = (told.missing.iter().filter(|one| one.id.is_some()).count(), told.altered.len(), told.complete);
        assert_eq!(counted, if *state == "altered" { (0, 1, false) } else { (1, 0, false) });
        let totals = s.hub.hub.store.totals().await.expect("totals").evidence;
        assert_eq!((totals.missing, totals.altered), if *state == "altered" { (0, 1) } else { (1, 0) });
    }
    assert_eq!(s.wanted().await, [s.files[0].hash]);
    s.hub.clock.pass(ASK_AGAIN_MS);
    assert_eq!(scrub::ask(&s.hub.hub).await.expect("asked"), 1);
    assert_eq!(s.wanted().await, [s.files[0].hash; 2]);
    let asked = s.tus.objects(&[s.files[0].hash]).await;
    assert_eq!(asked.states, [wire::ObjectState::Partial(0)]);
    assert!(asked.receipts.is_empty(), "no receipt for what is not there");
    assert_eq!(s.tus.upload(&s.files[0]).await.status, 204);
    assert_eq!(s.evidence().await.state, "verified");
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").wrong.len(), 0);
    assert_eq!(scrub::ask(&s.hub.hub).await.expect("asked"), 0);
    let record = s.actions().await;
    for action in [Action::Received, Action::Verified, Action::FoundAltered, Action::FoundMissing, Action::Asked] {
        assert!(record.contains(&action), "{action:?} in {record:?}");
    }
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), []);
    // The operator's check says the same, chains and files together.
    let checked = Admin::here(Arc::clone(&s.hub.hub)).check().await.expect("checked");
    assert!(checked.ok && checked.objects == 3, "{checked:?}");
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_cannot_be_read_is_found_and_the_check_goes_on() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    jobs::due(&s.hub.hub).await.expect("due");
    make_unreadable(&only_object(&s.hub));
    let gone = s.hub.hub.store.objects_named(vec![s.files[1].hash]).await.expect("rows")[0].stored.clone().expect("stored").name;
    std::fs::remove_file(s.hub.temp.path().join("hub/objects").join(gone.to_string())).expect("removed");
    let checked = scrub::objects(&s.hub.hub, |_| ()).await.expect("the check goes on");
    assert_eq!((checked.objects, checked.wrong.len(), checked.asked), (3, 3, 2), "both files, and the link: {checked:?}");
    let mut wanted = s.wanted().await;
    wanted.sort();
    let mut lost = [s.files[0].hash, s.files[1].hash];
    lost.sort();
    assert_eq!(wanted, lost);
    s.hub.clock.pass(24 * 3_600_000);
    assert!(jobs::due(&s.hub.hub).await.expect("due"), "the night ends");
    assert!(!jobs::due(&s.hub.hub).await.expect("due"), "and is not begun again");
    assert_eq!(s.tus.upload(&s.files[0]).await.status, 204);
    assert_eq!(s.evidence().await.state, "verified");
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn orphans_are_named_and_swept_late() {
    let s = scene().await;
    s.tus.upload(&s.files[0]).await;
    let stray = s.hub.temp.path().join("hub/objects").join("cd".repeat(32));
    std::fs::write(&stray, b"left by a hub that died").expect("written");
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").orphans, 1);
    for (pass, stays) in [(0, true), (ORPHAN_GRACE_MS - 1, true), (1, false)] {
        s.hub.clock.pass(pass);
        scrub::sweep_orphans(&s.hub.hub).await.expect("swept");
        assert_eq!(stray.exists(), stays);
    }
    // The same name seen again is seen for the first time.
    std::fs::write(&stray, b"again").expect("written");
    scrub::sweep_orphans(&s.hub.hub).await.expect("swept");
    assert!(stray.exists());
    assert_eq!(s.evidence().await.state, "verified");
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").wrong.len(), 0);
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_night_reads_everything_once() {
    let s = scene().await;
    s.tus.upload(&s.files[0]).await;
    jobs::due(&s.hub.hub).await.expect("due");
    assert!(!jobs::due(&s.hub.hub).await.expect("due"), "once a night");
    std::fs::remove_file(only_object(&s.hub)).expect("removed");
    s.hub.clock.pass(24 * 3_600_000);
    assert!(jobs::due(&s.hub.hub).await.expect("due"));
    assert_eq!(s.evidence().await.state, "missing");
    assert_eq!(s.wanted().await, [s.files[0].hash]);
    assert!(!jobs::due(&s.hub.hub).await.expect("due"));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_the_files_and_a_restored_hub_has_read_them() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let whole = s.hub.temp.path().join("whole.backup");
    yenban_hub::backup::write(&s.hub.hub, &whole).await.expect("backed up");
    std::fs::remove_file(only_object(&s.hub)).expect("removed");
    let lacking = s.hub.temp.path().join("lacking.backup");
    yenban_hub::backup::write(&s.hub.hub, &lacking).await.expect("backed up");
    let recovery = s.hub.temp.path().join("hub.recovery");
    let clock = || Arc::new(s.hub.clock.clone());
    for (n, (file, missing)) in [(&whole, 0), (&lacking, 1)].into_iter().enumerate() {
        let dir = s.hub.temp.path().join(format!("restored-{n}"));
        let restored = yenban_hub::backup::restore(&dir, file, Some(&recovery), clock()).await.expect("restored");
        assert_eq!((restored.objects, restored.missing), (3, missing));
        let hub = yenban_hub::Hub::open(yenban_hub::folder::Folder::new(&dir), clock()).await.expect("opens");
        let tus = Tus::new(&hub);
        let answer = tus.objects(&[s.files[0].hash, s.files[1].hash]).await;
        let first = if missing == 0 { wire::ObjectState::Verified } else { wire::ObjectState::Partial(0) };
        assert_eq!(answer.states, [first, wire::ObjectState::Verified]);
        let receipt = support::upload::checked(&s.phone, &answer.receipts[0]);
        assert_eq!(receipt.epoch, hub.epoch(), "the receipt is of the new epoch");
        assert_eq!(receipt.objects.len(), if missing == 0 { 2 } else { 1 });
        assert_eq!(tus.upload(&s.files[0]).await.status, 204);
        hub.close().await.expect("closes");
        let rests = std::fs::read_dir(&dir).expect("dir").map(|e| e.expect("entry").file_name().to_string_lossy().into_owned());
        assert_eq!(rests.filter(|name| name.contains("restored")).count(), 0);
    }
    // A restore that was killed before it had read its files: the next start reads them before it tells of any.
    let dir = s.hub.temp.path().join("killed");
    yenban_hub::backup::restore(&dir, &whole, Some(&recovery), clock()).await.expect("restored");
    let open = async || yenban_hub::Hub::open(yenban_hub::folder::Folder::new(&dir), clock()).await.expect("opens");
    let hub = open().await;
    let gone = hub.store.objects_named(vec![s.files[0].hash]).await.expect("rows")[0].stored.clone().expect("stored").name;
    hub.store.set_value("restored_unread", vec![1]).await.expect("marked");
    hub.close().await.expect("closes");
    drop(hub);
    std::fs::remove_file(dir.join("objects").join(gone.to_string())).expect("removed");
    let hub = open().await;
    assert_eq!(Tus::new(&hub).objects(&[s.files[0].hash]).await.states, [wire::ObjectState::Partial(0)]);
    assert_eq!(hub.store.value("restored_unread").await.expect("value"), Some(Vec::new()));
    hub.close().await.expect("closes");
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_file_is_told_and_waited_for_by_nobody() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let folder = s.hub.temp.path().join("hub/objects");
    let pipe = |path: &std::path::Path| {
        let made = std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo");
        assert!(made.success());
    };
    // A pipe in the place of an original, one under a name that nothing names, a socket, a folder.
    let original = only_object(&s.hub);
    std::fs::remove_file(&original).expect("removed");
    pipe(&original);
    let unnamed = "ab".repeat(32);
    pipe(&folder.join(&unnamed));
    let _socket = std::os::unix::net::UnixListener::bind(folder.join("socket")).expect("bound");
    std::fs::create_dir(folder.join("folder")).expect("made");
    let soon = async {
        let checked = scrub::objects(&s.hub.hub, |_| ()).await.expect("checked");
        let of = |name: &str| Wrong::new(WrongCode::NotAFile, name);
        let named = original.file_name().expect("name").to_string_lossy().into_owned();
        let mut strange = [of(&named), of(&unnamed), of("socket"), of("folder")];
        strange.sort_by(|a, b| a.subject.cmp(&b.subject));
        assert_eq!(checked.wrong[1..], strange, "each once");
        assert_eq!((checked.wrong[0].code, checked.wrong[0].file.as_deref()), (WrongCode::FileAltered, Some("original")));
        assert_eq!((checked.objects, checked.asked, checked.orphans), (3, 1, 0));
        let backup = s.hub.temp.path().join("a.backup");
        let written = yenban_hub::backup::write(&s.hub.hub, &backup).await.expect("backed up");
        assert_eq!(written.unread, 2, "the rest is in it");
        assert_eq!(s.tus.upload(&s.files[0]).await.status, 204, "the phone sends it again");
        assert_eq!(s.evidence().await.state, "verified");
    };
    tokio::time::timeout(std::time::Duration::from_secs(60), soon).await.expect("nobody waits for a pipe");
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_not_there_ends_a_check_and_calls_nothing_missing() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let folder = s.hub.temp.path().join("hub/objects");
    std::fs::rename(&folder, s.hub.temp.path().join("unmounted")).expect("moved");
    assert!(scrub::objects(&s.hub.hub, |_| ()).await.is_err());
    assert_eq!((s.evidence().await.state, s.wanted().await.len()), ("verified".to_owned(), 0));
    std::fs::rename(s.hub.temp.path().join("unmounted"), &folder).expect("moved back");
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").wrong, []);
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_takes_files_from_whatever_storage_there_is() {
    let mut s = scene().await;
    s.hub.halt().await;
    let dir = s.hub.temp.path().join("elsewhere");
    let clock = || Arc::new(s.hub.clock.clone());
    let new = yenban_hub::init::NewHub {
        dir: dir.clone(),
        commune: "05200".to_owned(),
        name: "Công an xã".to_owned(),
        recovery_file: None,
        officer: "Hà Văn Sơn".to_owned(),
    };
    yenban_hub::init::init(new, clock()).await.expect("init");
    let parts = || yenban_hub::app::Parts { storage: Some(Arc::new(OverObjectStore::memory())), ..Default::default() };
    let hub = yenban_hub::Hub::open_on(Folder::new(&dir), clock(), parts()).await.expect("opens");
    let code = yenban_hub::enrol::CodeWanted {
        hamlet: "Nà Phòn".to_owned(),
        create: true,
        role: yenban_protocol::id::Role::Member,
        name: String::new(),
        addresses: vec!["127.0.0.1:1".to_owned()],
    };
    let code = yenban_hub::enrol::make_code(&hub, code).await.expect("code").text;
    let serving = yenban_hub::server::serve(Arc::clone(&hub), "127.0.0.1:0").await.expect("serves");
    let mut phone = Phone::new(support::NIGHT_MS);
    let mut conn = Conn::open(serving.address(), &hub.keys.certificate).await.expect("connects");
    assert_eq!(phone.enrol(&mut conn, &code).await.status, 200);
    phone.start_log();
    let files: Vec<Sealed> = [6_000_000, 400].into_iter().zip(1..).map(|(n, seed)| seal(&phone, &content(seed, n))).collect();
    for file in &files {
        record(&mut phone, None, facts(file));
    }
    let segment = phone.segment(0, phone.bodies.len() as u64 - 1);
    yenban_hub::ingest::deliver(&hub, &segment).await.expect("delivered");
    for file in &files {
        assert_eq!(Tus::new(&hub).upload(file).await.status, 204);
    }
    assert_eq!(std::fs::read_dir(dir.join("objects")).expect("dir").count(), 0, "nothing lies in the folder");
    let file = s.hub.temp.path().join("b.backup");
    assert_eq!(yenban_hub::backup::write(&hub, &file).await.expect("backed up").unread, 0);
    serving.stop().await;
    hub.close().await.expect("closes");
    let recovery = s.hub.temp.path().join("elsewhere.recovery");
    let restored = s.hub.temp.path().join("restored");
    let done = yenban_hub::backup::restore(&restored, &file, Some(&recovery), clock()).await.expect("restored");
    assert_eq!((done.objects, done.missing), (2, 0));
    // And into a storage that is no folder.
    let again = s.hub.temp.path().join("again");
    let done = yenban_hub::backup::restore_on(&again, &file, Some(&recovery), clock(), parts()).await.expect("restored");
    assert_eq!((done.objects, done.missing), (2, 0));
    assert_eq!(std::fs::read_dir(again.join("objects")).expect("dir").count(), 0);
}
