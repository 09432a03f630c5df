//! Object storage, reading again, holds and the end of evidence.

mod support;

use std::sync::Arc;

use support::TestHub;
use support::upload::{Sealed, Tus, content, facts, record, record_previews, seal};
use yenban_hub::admin::{Admin, ListKind};
use yenban_hub::limits::{ASK_AGAIN_MS, COPIES_PER_ITEM_MAX, CUSTODY_NAMES_MS, EVIDENCE_RETENTION_MS, HOLD_MAX_MS, ORPHAN_GRACE_MS};
use yenban_hub::retention::{self, ItemOrder};
use yenban_hub::storage::{OverObjectStore, conformance};
use yenban_hub::store::{ListQuery, ObjectState};
use yenban_hub::{HubError, jobs, scrub};
use yenban_protocol::custody::Action;
use yenban_protocol::feed::Item;
use yenban_protocol::id::{EntryName, Role};
use yenban_protocol::record::{Act, PreviewKind};
use yenban_protocol::upload as wire;

use support::phone::Phone;

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_and_memory_keep_the_same_promises() {
    assert_eq!(conformance::run(Arc::new(OverObjectStore::memory())).await, Ok(()));
    let temp = tempfile::tempdir().expect("temp");
    assert_eq!(conformance::run(Arc::new(OverObjectStore::folder(temp.path()).expect("opens"))).await, Ok(()));
    // What a killed put leaves is not seen, and goes with the next start.
    let name = "ab".repeat(32);
    for rest in [format!("{name}#1"), format!("{name}.part#2"), format!("{name}.part")] {
        std::fs::write(temp.path().join(rest), b"half").expect("written");
    }
    std::fs::write(temp.path().join("not-ours.txt"), b"mine").expect("written");
    let again: Arc<dyn yenban_hub::storage::ObjectStorage> = Arc::new(OverObjectStore::folder(temp.path()).expect("opens"));
    let before = again.list(None, 100).await.expect("list");
    again.tidy().await.expect("tidies");
    assert_eq!(again.list(None, 100).await.expect("list"), before);
    let left: Vec<String> =
        std::fs::read_dir(temp.path()).expect("dir").map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|n| !n.contains('#') && !n.ends_with(".part")), "{left:?}");
    assert!(left.contains(&"not-ours.txt".to_owned()));
}

/// A hub with a second officer, and a photograph with its smaller copies, all delivered.
struct Scene {
    hub: TestHub,
    phone: Phone,
    tus: Tus,
    photo: EntryName,
    incident: EntryName,
    files: Vec<Sealed>,
}

async fn scene() -> Scene {
    let hub = TestHub::start().await;
    let second = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\nNà Phòn;20,66;105,08;Tổ 1;Lò Thị Hoa;tổ viên\n";
    Admin::here(Arc::clone(&hub.hub)).import(second.as_bytes(), "vi").await.expect("imported");
    let mut officer = Phone::new(support::NIGHT_MS);
    let wanted = yenban_hub::enrol::CodeWanted {
        hamlet: String::new(),
        create: false,
        role: Role::Officer,
        name: "Vì Văn Khương".to_owned(),
        addresses: vec![hub.address.to_string()],
    };
    let code = yenban_hub::enrol::make_code(&hub.hub, wanted).await.expect("code").text;
    assert_eq!(officer.enrol(&mut hub.connect().await, &code).await.status, 200);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: true, attachments: 2, statements: Vec::new() });
    let incident = EntryName { log: phone.log, seq };
    let files: Vec<Sealed> = [90_000, 9_000, 900].into_iter().zip(1..).map(|(n, seed)| seal(&phone, &content(seed, n))).collect();
    let mut first = facts(&files[0]);
    first.original_name = Some("lua.jpg".to_owned());
    let photo = record(&mut phone, Some(incident), first);
    record_previews(&mut phone, photo, &files[0], &[(PreviewKind::Preview, &files[1]), (PreviewKind::Thumbnail, &files[2])]);
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    Scene { hub, phone, tus, photo, incident, files }
}

impl Scene {
    async fn incident(&self) -> yenban_hub::store::IncidentListing {
        self.hub.hub.store.incidents(ListQuery::default()).await.expect("incidents").remove(0)
    }

    async fn evidence(&self) -> yenban_hub::store::EvidenceListing {
        self.hub.hub.store.evidence(ListQuery::default()).await.expect("evidence").remove(0)
    }

    fn order(&self, reason: &str) -> ItemOrder {
        ItemOrder {
            id: self.photo.to_string(),
            reason: reason.to_owned(),
            officer: "Hà Văn Sơn".to_owned(),
            second: "Vì Văn Khương".to_owned(),
            for_ms: None,
        }
    }

    async fn actions(&self) -> Vec<Action> {
        let item = self.photo.to_string().parse().expect("item");
        self.hub.hub.store.custody(item, i64::MAX).await.expect("custody").iter().map(|row| row.facts.action).collect()
    }

    async fn wanted(&self) -> Vec<[u8; 32]> {
        let mut conn = self.hub.connect().await;
        let (_, items) = self.phone.pull(&mut conn, Vec::new(), 256).await;
        items
            .into_iter()
            .filter_map(|item| match item.item {
                Item::ObjectsWanted { objects } => Some(objects),
                _ => None,
            })
            .flatten()
            .collect()
    }
}

fn only_object(hub: &TestHub) -> std::path::PathBuf {
    let largest = std::fs::read_dir(hub.temp.path().join("hub/objects")).expect("objects").map(|e| e.expect("entry").path());
    largest.max_by_key(|path| std::fs::metadata(path).expect("meta").len()).expect("an object")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_incomplete_until_every_photograph_is_verified() {
    let mut s = scene().await;
    let before = s.incident().await;
    assert!(!before.complete);
    assert_eq!((before.photos, before.attachments, before.missing.len()), (1, 2, 2));
    assert_eq!(before.missing[0].id, Some(s.photo.to_string()));
    assert!(before.missing.iter().all(|m| m.device == s.phone.device.to_string() && m.member_no == s.phone.member.0));
    for file in s.files.iter().rev() {
        assert_eq!(s.tus.upload(file).await.status, 204);
    }
    let during = s.incident().await;
    assert!(!during.complete, "the second photograph's entry has not come");
    assert_eq!((during.missing.len(), during.missing[0].id.as_deref()), (1, None));
    let second = seal(&s.phone, &content(7, 5_000));
    record(&mut s.phone, Some(s.incident), facts(&second));
    s.hub.deliver(&s.phone).await;
    assert!(!s.incident().await.complete);
    s.tus.upload(&second).await;
    let after = s.incident().await;
    assert!(after.complete && after.missing.is_empty());
    let evidence = s.evidence().await;
    assert_eq!(evidence.state, "verified");
    let previews: Vec<(&str, &str)> = evidence.previews.iter().map(|p| (p.kind.as_str(), p.state.as_str())).collect();
    assert_eq!(previews, [("thumbnail", "verified"), ("preview", "verified")]);
    assert!(evidence.received_at.is_some() && evidence.expires_at.is_some() && evidence.held_until.is_none());
    // Another phone's photograph of the same report is not one of those the report counted.
    let (mut other, _) = s.hub.phone("Piềng Vế").await;
    let more = s.phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: false, attachments: 1, statements: Vec::new() });
    let more = EntryName { log: s.phone.log, seq: more };
    let theirs = seal(&other, &content(8, 5_000));
    record(&mut other, Some(more), facts(&theirs));
    s.hub.deliver(&s.phone).await;
    s.hub.deliver(&other).await;
    s.tus.upload(&theirs).await;
    let query = ListQuery { name: Some(more.to_string()), ..ListQuery::default() };
    let listed = s.hub.hub.store.incidents(query).await.expect("incidents").remove(0);
    assert_eq!((listed.photos, listed.missing.len(), listed.complete), (1, 1, false));
    let record = s.actions().await;
    assert_eq!(record.iter().filter(|action| **action == Action::Derived).count(), 2, "both copies: {record:?}");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(std::fs::metadata(only_object(&s.hub)).expect("meta").permissions().mode() & 0o777, 0o600);
    let totals = s.hub.hub.store.totals().await.expect("totals").evidence;
    assert_eq!((totals.verified, totals.expected, totals.missing, totals.erased), (3, 0, 0, 0));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_copies_of_anothers_photograph() {
    let s = scene().await;
    let (mut other, _) = s.hub.phone("Piềng Vế").await;
    let fake = seal(&other, &content(50, 500));
    record_previews(&mut other, s.photo, &s.files[0], &[(PreviewKind::Thumbnail, &fake)]);
    s.hub.deliver(&other).await;
    assert_eq!(s.tus.upload(&fake).await.status, 204, "it is kept: an entry names it");
    assert_eq!(s.evidence().await.previews.len(), 2, "but it is no copy of this photograph");
    assert!(s.actions().await.is_empty(), "and nothing of its custody");
    s.hub.stop().await;
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
        assert!(checked.wrong[0].contains(state) && checked.wrong[0].contains(&s.phone.device.to_string()));
        assert_eq!(checked.asked, u64::from(n == 0), "asked again at most once a day");
        assert_eq!(s.evidence().await.state, *state);
        assert!(!s.incident().await.complete);
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
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), Vec::<String>::new());
    // The operator's check says the same, chains and files together.
    let checked = Admin::here(Arc::clone(&s.hub.hub)).check().await.expect("checked");
    assert!(checked.ok && checked.objects == 3, "{checked:?}");
    s.hub.stop().await;
}

/// A file that is there and gives an error to whoever reads it, also to root.
fn make_unreadable(path: &std::path::Path) {
    std::fs::remove_file(path).expect("removed");
    std::os::unix::fs::symlink(path.file_name().expect("name"), path).expect("a link to itself");
}

/// The hub's database, for doing to it what a disk may do.
fn database(hub: &TestHub) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(hub.temp.path().join("hub/hub.db")).expect("opens");
    let key = data_encoding::HEXLOWER.encode(hub.hub.keys.database.as_ref());
    let open = format!("PRAGMA key = \"x'{key}'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;");
    connection.execute_batch(&open).expect("its key");
    connection
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
    assert_eq!((checked.objects, checked.wrong.len(), checked.asked), (3, 2, 2), "{checked:?}");
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
async fn one_item_that_cannot_be_destroyed_keeps_no_other() {
    let mut s = scene().await;
    let other = seal(&s.phone, &content(60, 700));
    let second = record(&mut s.phone, None, facts(&other));
    s.hub.deliver(&s.phone).await;
    s.tus.upload(&s.files[0]).await;
    s.tus.upload(&other).await;
    // Its entry is not one that can be read: nothing may be taken out of it.
    let spoiled = database(&s.hub).execute(
        "UPDATE entry SET body = x'00' WHERE log = ?1 AND seq = ?2",
        rusqlite::params![s.photo.log.0, i64::try_from(s.photo.seq).expect("small")],
    );
    assert_eq!(spoiled.expect("spoiled"), 1);
    s.hub.clock.pass(EVIDENCE_RETENTION_MS);
    for _ in 0..2 {
        s.hub.clock.pass(3_600_000);
        assert!(jobs::due(&s.hub.hub).await.is_ok());
    }
    let left: Vec<(String, String)> =
        s.hub.hub.store.evidence(ListQuery::default()).await.expect("evidence").into_iter().map(|e| (e.id, e.state)).collect();
    assert_eq!(left, [(s.photo.to_string(), "verified".to_owned()), (second.to_string(), "erased".to_owned())]);
    let audit = s.hub.hub.store.audit(ListQuery::default()).await.expect("audit");
    assert_eq!(audit.iter().filter(|row| row.action == "expire").count(), 1, "only what was done is noted");
    assert!(s.hub.hub.store.custody_head().await.expect("head").is_some(), "the day was closed all the same");
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_after_the_end_does_not_come_back() {
    let mut s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    // Half of a copy has come when the photograph is destroyed.
    let [half, late, stray] = [70, 71, 72].map(|seed| seal(&s.phone, &content(seed, 4_000)));
    record_previews(&mut s.phone, s.photo, &s.files[0], &[(PreviewKind::Preview, &half)]);
    s.hub.deliver(&s.phone).await;
    s.tus.create(&half.hash, half.bytes.len() as u64).await;
    assert_eq!(s.tus.patch(&half.hash, 0, &half.bytes[..2_000]).await.status, 204);
    retention::erase(&s.hub.hub, s.order("Quyết định 15")).await.expect("erased");
    let here = |folder: &str| std::fs::read_dir(s.hub.temp.path().join("hub").join(folder)).expect("folder").count();
    assert_eq!((here("uploads"), here("objects")), (0, 0));
    assert_eq!(std::fs::metadata(s.hub.temp.path().join("hub/hub.db-wal")).map_or(0, |meta| meta.len()), 0, "no older state with its keys");

    let named = record_previews(&mut s.phone, s.photo, &s.files[0], &[(PreviewKind::Thumbnail, &late)]);
    s.hub.deliver(&s.phone).await;
    assert_eq!(s.tus.objects(&[half.hash, late.hash]).await.states, [wire::ObjectState::Erased; 2]);
    let refused = s.tus.create(&late.hash, late.bytes.len() as u64).await;
    assert_eq!((refused.status, refused.code().as_str()), (410, "erased"));
    let sealed = |name: EntryName| -> Vec<u8> {
        let row = database(&s.hub).query_row(
            "SELECT body FROM entry WHERE log = ?1 AND seq = ?2",
            rusqlite::params![name.log.0, i64::try_from(name.seq).expect("small")],
            |row| row.get(0),
        );
        row.expect("an entry")
    };
    assert!(!sealed(named).windows(32).any(|w| w == late.hash), "nothing in its entry tells of the copy any more");
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), Vec::<String>::new());

    // A copy of a photograph that is not its device's belongs to no item, and ends by itself.
    let (mut other, _) = s.hub.phone("Piềng Vế").await;
    let claimed = record_previews(&mut other, s.photo, &s.files[0], &[(PreviewKind::Thumbnail, &stray)]);
    s.hub.deliver(&other).await;
    s.hub.clock.pass(1_000);
    s.tus.upload(&stray).await;
    s.hub.clock.pass(EVIDENCE_RETENTION_MS - 1);
    assert_eq!(retention::expire(&s.hub.hub).await.expect("expires"), 0);
    s.hub.clock.pass(1);
    assert_eq!(retention::expire(&s.hub.hub).await.expect("expires"), 1);
    assert_eq!(here("objects"), 0);
    assert_eq!(s.tus.objects(&[stray.hash]).await.states, [wire::ObjectState::Erased]);
    assert!(!sealed(claimed).windows(32).any(|w| w == stray.hash));
    assert_eq!(retention::expire(&s.hub.hub).await.expect("expires"), 0);
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photograph_has_room_for_so_many_copies() {
    let mut s = scene().await;
    let copies: Vec<Sealed> = (0..COPIES_PER_ITEM_MAX).map(|n| seal(&s.phone, &content(200 + n, 300))).collect();
    for copy in &copies {
        record_previews(&mut s.phone, s.photo, &s.files[0], &[(PreviewKind::Thumbnail, copy)]);
    }
    s.hub.deliver(&s.phone).await;
    let answer = s.tus.objects(&copies.iter().map(|copy| copy.hash).collect::<Vec<_>>()).await;
    // Two are there already.
    let taken = answer.states.iter().filter(|state| **state == wire::ObjectState::Partial(0)).count();
    assert_eq!(taken as u32, COPIES_PER_ITEM_MAX - 2);
    assert_eq!(answer.states.last(), Some(&wire::ObjectState::Erased));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_did_it_is_forgotten_after_two_years() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let told = async |s: &Scene| {
        let item = s.photo.to_string().parse().expect("item");
        let chain = s.hub.hub.store.custody(item, i64::MAX).await.expect("custody");
        chain.iter().filter(|row| matches!(row.record.who, yenban_protocol::custody::Commit::Told { .. })).count()
    };
    let before = told(&s).await;
    assert!(before > 0);
    s.hub.clock.pass(CUSTODY_NAMES_MS);
    jobs::due(&s.hub.hub).await.expect("due");
    // The photograph ended on the way; only what was done now names anybody.
    assert!(told(&s).await >= before, "not a moment too early");
    s.hub.clock.pass(3_600_000);
    jobs::due(&s.hub.hub).await.expect("due");
    assert_eq!(told(&s).await, 1);
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), Vec::<String>::new());
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
        scrub::orphans(&s.hub.hub, true).await.expect("swept");
        assert_eq!(stray.exists(), stays);
    }
    // The same name seen again is seen for the first time.
    std::fs::write(&stray, b"again").expect("written");
    scrub::orphans(&s.hub.hub, true).await.expect("swept");
    assert!(stray.exists());
    assert_eq!(s.evidence().await.state, "verified");
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").wrong.len(), 0);
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn time_ends_evidence_and_a_case_holds_it() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let stored = only_object(&s.hub);
    // The original came half a year after the entry: its time runs from then.
    s.hub.clock.pass(EVIDENCE_RETENTION_MS - 1);
    assert_eq!(retention::expire(&s.hub.hub).await.expect("expires"), 0);
    let held = retention::hold(&s.hub.hub, s.order("12/2026")).await.expect("held");
    assert_eq!((held.done.as_str(), held.officers.as_str()), ("held", "Hà Văn Sơn, Vì Văn Khương"));
    s.hub.clock.pass(HOLD_MAX_MS - 1);
    assert_eq!(retention::expire(&s.hub.hub).await.expect("expires"), 0, "held");
    assert!(stored.exists());
    let refused = retention::erase(&s.hub.hub, s.order("nhầm")).await;
    assert_eq!(refused.expect_err("held").code(), "held");
    let released = retention::release(&s.hub.hub, s.order("án đã xong")).await.expect("released");
    assert_eq!(released.done, "released");
    retention::hold(&s.hub.hub, s.order("12/2026")).await.expect("held again");
    s.hub.clock.pass(HOLD_MAX_MS + 1);
    assert!(jobs::due(&s.hub.hub).await.is_ok());
    let gone = s.evidence().await;
    assert_eq!((gone.state.as_str(), gone.original_name.as_deref()), ("erased", None));
    assert!(gone.erased_at.is_some() && gone.previews.iter().all(|p| p.state == "erased"));
    assert!(!stored.exists());
    assert_eq!(std::fs::read_dir(s.hub.temp.path().join("hub/objects")).expect("objects").count(), 0);
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), Vec::<String>::new(), "the chain still verifies");
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), Vec::<String>::new());
    let rows = s.hub.hub.store.objects_named(vec![s.files[0].hash]).await.expect("rows");
    assert!(rows[0].stored.is_none() && rows[0].state == ObjectState::Erased);
    assert_eq!(s.tus.objects(&[s.files[0].hash]).await.states, [wire::ObjectState::Erased]);
    let again = s.tus.create(&s.files[0].hash, s.files[0].bytes.len() as u64).await;
    assert_eq!((again.status, again.code().as_str()), (410, "erased"));
    let record = s.actions().await;
    assert_eq!(record.iter().filter(|a| **a == Action::Deleted).count(), 1);
    assert!(record.contains(&Action::Held) && record.contains(&Action::Released));
    s.hub.hub.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_officers_destroy_one_item_and_no_other() {
    let mut s = scene().await;
    let twin = record(&mut s.phone, None, facts(&s.files[0]));
    s.hub.deliver(&s.phone).await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    for (officer, second, code) in [
        ("Hà Văn Sơn", "Hà Văn Sơn", "invalid"),
        ("Hà Văn Sơn", "", "invalid"),
        ("Hà Văn Sơn", "Lò Thị Hoa", "unknown_officer"),
        ("Người Lạ", "Vì Văn Khương", "unknown_officer"),
    ] {
        let order = ItemOrder { officer: officer.to_owned(), second: second.to_owned(), ..s.order("x") };
        assert_eq!(retention::erase(&s.hub.hub, order).await.expect_err("refused").code(), code, "{officer} {second}");
    }
    let unknown = ItemOrder { id: "0123456789abcdef:9".to_owned(), ..s.order("x") };
    assert_eq!(retention::erase(&s.hub.hub, unknown).await.expect_err("unknown").code(), "not_found");
    let empty = retention::erase(&s.hub.hub, s.order(" ")).await;
    assert!(matches!(empty, Err(HubError::Refused(_))));
    let done = retention::erase(&s.hub.hub, s.order("Quyết định 15")).await.expect("erased");
    assert_eq!(done.done, "erased");
    assert_eq!(retention::erase(&s.hub.hub, s.order("x")).await.expect_err("twice").code(), "erased");
    // The same sealed file in the other entry is still what it was.
    let rows = s.hub.hub.store.objects_named(vec![s.files[0].hash]).await.expect("rows");
    let states: Vec<(EntryName, ObjectState)> = rows.iter().map(|r| (r.named_by.entry, r.state)).collect();
    assert_eq!(states, [(s.photo, ObjectState::Erased), (twin, ObjectState::Verified)]);
    assert_eq!(scrub::objects(&s.hub.hub, |_| ()).await.expect("checked").wrong.len(), 0);
    assert_eq!(s.hub.hub.storage.list(None, 10).await.expect("list").len(), 1, "its own copies are gone");
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), Vec::<String>::new());
    let audit: Vec<yenban_hub::store::AuditRow> =
        Admin::here(Arc::clone(&s.hub.hub)).list(ListKind::Audit, ListQuery::default(), "").await.expect("audit");
    assert!(audit.iter().any(|row| row.action == "erase" && row.actor.contains("Vì Văn Khương") && row.purpose == "Quyết định 15"));
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
