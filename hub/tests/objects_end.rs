//! Holds, and the end of evidence: by time, by an order, and of what comes after it.

mod support;

use std::sync::Arc;

use support::TestHub;
use support::scene::{Scene, only_object, scene};
use support::upload::{content, facts, record, record_previews, seal};
use yenban_hub::admin::{Admin, ListKind};
use yenban_hub::limits::{CUSTODY_NAMES_MS, EVIDENCE_RETENTION_MS, HOLD_MAX_MS};
use yenban_hub::retention::{self, ItemOrder};
use yenban_hub::store::{AuditRow, ListQuery, ObjectState, Wrong, WrongCode};
use yenban_hub::{HubError, jobs, scrub};
use yenban_protocol::custody::Action;
use yenban_protocol::id::EntryName;
use yenban_protocol::record::PreviewKind;
use yenban_protocol::upload as wire;

/// The hub's database, for doing to it what a disk may do.
fn database(hub: &TestHub) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(hub.temp.path().join("hub/hub.db")).expect("opens");
    let key = data_encoding::HEXLOWER.encode(hub.hub.keys.database.as_ref());
    let open = format!("PRAGMA key = \"x'{key}'\"; PRAGMA cipher_hmac_algorithm = HMAC_SHA256;");
    connection.execute_batch(&open).expect("its key");
    connection
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
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), []);

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
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), []);
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
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), [], "the chain still verifies");
    assert_eq!(s.hub.hub.store.check_custody().await.expect("checked"), []);
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
    assert_eq!(s.hub.hub.storage.list().await.expect("list").names.len(), 1, "its own copies are gone");
    assert_eq!(s.hub.hub.store.check_chains().await.expect("checked"), []);
    let audit: Vec<yenban_hub::store::AuditRow> =
        Admin::here(Arc::clone(&s.hub.hub)).list(ListKind::Audit, ListQuery::default(), "").await.expect("audit");
    assert!(audit.iter().any(|row| row.action == "erase" && row.actor.contains("Vì Văn Khương") && row.purpose == "Quyết định 15"));
    s.hub.stop().await;
}

/// Orders as the record tells them, oldest first: what, and how it ended.
async fn orders(s: &Scene) -> Vec<(String, Option<String>)> {
    let rows: Vec<AuditRow> = s.hub.hub.store.audit(ListQuery::default()).await.expect("audit");
    let ordered = rows.into_iter().rev().filter(|row| ["hold", "release", "erase"].contains(&row.action.as_str()));
    ordered.map(|row| (row.action, row.outcome)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_tells_refused_orders_from_done_ones() {
    let s = scene().await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let hub = &s.hub.hub;
    assert!(retention::release(hub, s.order("nhầm")).await.is_err());
    assert!(retention::hold(hub, s.order("12/2026")).await.is_ok());
    assert!(retention::erase(hub, s.order("Quyết định 15")).await.is_err());
    assert!(retention::release(hub, s.order("án đã xong")).await.is_ok());
    assert!(retention::erase(hub, s.order("Quyết định 15")).await.is_ok());
    assert!(retention::erase(hub, s.order("Quyết định 16")).await.is_err());
    let unknown = ItemOrder { id: "0123456789abcdef:9".to_owned(), ..s.order("13/2026") };
    assert!(retention::hold(hub, unknown).await.is_err());
    let told = |action: &str, outcome: &str| (action.to_owned(), Some(outcome.to_owned()));
    let wanted = [
        told("release", "not_found"),
        told("hold", "done"),
        told("erase", "held"),
        told("release", "done"),
        told("erase", "done"),
        told("erase", "erased"),
        told("hold", "not_found"),
    ];
    assert_eq!(orders(&s).await, wanted);
    // What is done over which the hub ends has no outcome: nobody knows it.
    let ended = tokio::time::timeout(
        std::time::Duration::from_millis(50),
        hub.noted("operator", "erase", "x", "", std::future::pending::<yenban_hub::error::Result<()>>()),
    );
    assert!(ended.await.is_err());
    assert_eq!(orders(&s).await.last(), Some(&("erase".to_owned(), None)));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_about_what_was_destroyed_says_when_and_why() {
    let mut s = scene().await;
    let other = seal(&s.phone, &content(60, 700));
    let second = record(&mut s.phone, None, facts(&other));
    s.hub.deliver(&s.phone).await;
    s.tus.upload(&s.files[0]).await;
    s.tus.upload(&other).await;
    let hub = &s.hub.hub;
    retention::erase(hub, s.order("Quyết định 15")).await.expect("erased");
    let at = s.evidence().await.erased_at.expect("destroyed");
    for told in
        [retention::hold(hub, s.order("x")).await, retention::release(hub, s.order("x")).await, retention::erase(hub, s.order("x")).await]
    {
        let told = told.expect_err("destroyed before");
        assert_eq!((told.code(), told.to_string()), ("erased", format!("the item was destroyed at {at} by an order: Quyết định 15")));
    }
    s.hub.clock.pass(EVIDENCE_RETENTION_MS);
    assert_eq!(retention::expire(hub).await.expect("expires"), 1);
    let order = || ItemOrder { id: second.to_string(), ..s.order("x") };
    let told = retention::hold(hub, order()).await.expect_err("destroyed before").to_string();
    assert!(told.ends_with(", because its time was over"), "{told}");
    // The words of an order go with the names of who gave it.
    s.hub.clock.pass(CUSTODY_NAMES_MS);
    retention::erase_names(hub).await.expect("forgotten");
    let told = retention::hold(hub, s.order("x")).await.expect_err("destroyed before").to_string();
    assert_eq!(told, format!("the item was destroyed at {at} by an order"));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_destroyed_completes_no_report() {
    let mut s = scene().await;
    // The second photograph of the report is announced and never comes.
    let second = seal(&s.phone, &content(7, 5_000));
    let second = record(&mut s.phone, Some(s.incident), facts(&second));
    s.hub.deliver(&s.phone).await;
    for file in &s.files {
        s.tus.upload(file).await;
    }
    let told = async |s: &Scene| {
        let row = s.incident().await;
        (row.photos, row.missing.len(), row.altered.len(), row.erased, row.complete)
    };
    assert_eq!(told(&s).await, (2, 1, 0, 0, false));
    retention::erase(&s.hub.hub, ItemOrder { id: second.to_string(), ..s.order("Quyết định 15") }).await.expect("erased");
    assert_eq!(told(&s).await, (2, 0, 0, 1, false), "one that never came is not here either");
    retention::erase(&s.hub.hub, s.order("Quyết định 16")).await.expect("erased");
    assert_eq!(told(&s).await, (2, 0, 0, 2, false));
    let totals = s.hub.hub.store.totals().await.expect("totals").evidence;
    assert_eq!((totals.verified, totals.expected, totals.missing, totals.altered, totals.erased), (0, 0, 0, 0, 2));
    s.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_or_a_head_that_was_changed_is_named_and_no_other() {
    let mut s = scene().await;
    let other = seal(&s.phone, &content(60, 700));
    let second = record(&mut s.phone, None, facts(&other));
    s.hub.deliver(&s.phone).await;
    // Heads before, between and after the records of two items, and two over the same records.
    for file in s.files.iter().chain([&other]) {
        s.tus.upload(file).await;
        s.hub.clock.pass(86_400_000);
        assert!(yenban_hub::custody::close_day(&s.hub.hub).await.expect("a head"));
    }
    s.hub.clock.pass(86_400_000);
    assert!(yenban_hub::custody::close_day(&s.hub.hub).await.expect("a head"));
    let check = async || s.hub.hub.store.check_custody().await.expect("checked");
    assert_eq!(check().await, []);
    let first = s.photo.to_string();
    let record = |item: &str, number| Wrong::new(WrongCode::CustodyRecord, item).at(number);
    let head = |number| Wrong::new(WrongCode::CustodyHead, "heads").at(number);
    // What is changed, and what is said: a link changes what stands under every head from its record on.
    let cases = [
        ("UPDATE custody SET facts = x'00' WHERE place = 1", record(&first, 0)),
        ("UPDATE custody SET number = 90 WHERE place = 2", record(&first, 1)),
        ("UPDATE custody_head SET root = zeroblob(32) WHERE number = 1", head(1)),
        ("UPDATE custody_head SET items = 9 WHERE number = 4", head(4)),
        ("UPDATE custody SET link = zeroblob(32) WHERE place = (SELECT max(place) FROM custody)", record(&second.to_string(), 1)),
    ];
    for (change, said) in cases {
        let database = database(&s.hub);
        database
            .execute_batch("CREATE TABLE kept AS SELECT * FROM custody; CREATE TABLE kept_head AS SELECT * FROM custody_head;")
            .expect("kept");
        assert_eq!(database.execute(change, []).expect("changed"), 1, "{change}");
        let wrong = check().await;
        assert!(wrong.contains(&said), "{change}: {wrong:?}");
        let chains = wrong.iter().filter(|one| one.code == WrongCode::CustodyRecord).count();
        assert!(chains <= 1, "the other chain is well: {wrong:?}");
        let back = "DELETE FROM custody; INSERT INTO custody SELECT * FROM kept; DROP TABLE kept;
            DELETE FROM custody_head; INSERT INTO custody_head SELECT * FROM kept_head; DROP TABLE kept_head;";
        database.execute_batch(back).expect("put back");
        assert_eq!(check().await, [], "{change}");
    }
    s.hub.stop().await;
}
