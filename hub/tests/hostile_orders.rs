//! What must hold of orders that phones give back to a restored hub.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use support::{NIGHT_MS, TestHub};
use yenban_hub::Hub;
use yenban_hub::admin::Admin;
use yenban_hub::alert::AlertWanted;
use yenban_hub::clock::Clock;
use yenban_hub::folder::Folder;
use yenban_hub::store::{IncidentListing, IncidentName, ItemDraft, ListQuery};
use yenban_hub::{backup, escalate, orders};
use yenban_protocol::feed::{Fate, Item, Scope};
use yenban_protocol::id::{DeviceId, EntryName, Epoch};
use yenban_protocol::record::Act;
use yenban_protocol::wire::{Cursor, ReturnedItems};

/// A backup of now.
async fn back_up(hub: &TestHub) -> std::path::PathBuf {
    let file = hub.temp.path().join("hub.backup");
    backup::write(&hub.hub, &file).await.unwrap();
    file
}

/// The hub is lost and comes back from the backup.
async fn restored(mut hub: TestHub, file: &std::path::Path) -> TestHub {
    hub.halt().await;
    let dir = hub.temp.path().join("again");
    let recovery = hub.temp.path().join("hub.recovery");
    backup::restore(&dir, file, Some(&recovery), Arc::new(hub.clock.clone())).await.unwrap();
    TestHub::serve_folder(hub, dir).await
}

/// Items of a stream, as phones hold them.
async fn held(hub: &TestHub, scope: Scope) -> Vec<Vec<u8>> {
    hub.hub.store.feed_page(scope, None, 1_000).await.unwrap().into_iter().map(|row| row.bytes).collect()
}

async fn give(hub: &Hub, items: Vec<Vec<u8>>) -> yenban_hub::Result<u64> {
    orders::take_back(hub, &ReturnedItems(items).to_bytes()).await.map(|answer| answer.taken)
}

async fn incident(hub: &TestHub) -> IncidentListing {
    hub.hub.store.incidents(ListQuery::default()).await.unwrap().remove(0)
}

fn report() -> Act {
    Act::IncidentReported { kind: "theft".to_owned(), urgent: false, attachments: 0, statements: Vec::new() }
}

fn warning() -> AlertWanted {
    AlertWanted {
        headline: "Sạt lở".to_owned(),
        description: "Đất lấp đường".to_owned(),
        instruction: "Rời chân dốc".to_owned(),
        severity: "Extreme".to_owned(),
        hamlets: vec!["Nà Phòn".to_owned()],
        ..AlertWanted::default()
    }
}

/// A report of after the backup was answered; the answer comes back before the report does (by another phone of the same
/// member, by the same phone while its segment is in the air).
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_back_before_its_report_is_not_forgotten() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let file = back_up(&hub).await;
    let seq = phone.record(report());
    hub.deliver(&phone).await;
    let name = EntryName { log: phone.log, seq };
    Admin::here(hub.hub.clone()).answer(&name.to_string(), "resolved", "Đã xong", "").await.unwrap();
    let items = held(&hub, Scope::Member(phone.member)).await;
    assert_eq!(items.len(), 1);
    hub.clock.pass(60_000);
    let hub = restored(hub, &file).await;
    give(&hub.hub, items.clone()).await.unwrap();
    hub.deliver(&phone).await;
    // The phone that has the report says what it holds: is it asked for the answer?
    let lost = hub.hub.store.lost_items(vec![cursor(&items[0])]).await.unwrap();
    if !lost.is_empty() {
        give(&hub.hub, items).await.unwrap();
    }
    assert_eq!(incident(&hub).await.state, "resolved", "its reporter was told so");
    hub.stop().await;
}

fn cursor(bytes: &[u8]) -> Cursor {
    let item = yenban_protocol::signed::Signed::<yenban_protocol::feed::FeedItem>::trusted(bytes).unwrap().value;
    Cursor { scope: item.scope, epoch: item.epoch, number: item.number }
}

/// A clock that never says the same twice.
struct Ticking(AtomicI64);

impl Clock for Ticking {
    fn now_ms(&self) -> i64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// What was never lost is given "back" by anybody who has it.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_never_lost_is_not_entered_twice() {
    let mut hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(report());
    hub.deliver(&phone).await;
    let name = EntryName { log: phone.log, seq };
    hub.halt().await;
    let TestHub { temp, clock, hub: old, .. } = hub;
    drop(old);
    let open = async |dir| Hub::open(Folder::new(dir), Arc::new(Ticking(AtomicI64::new(NIGHT_MS + 60_000)))).await.unwrap();
    let first = open(temp.path().join("hub")).await;
    let mut admin = Admin::here(first.clone());
    admin.answer(&name.to_string(), "resolved", "Đã xong", "").await.unwrap();
    let items: Vec<_> =
        first.store.feed_page(Scope::Member(phone.member), None, 9).await.unwrap().into_iter().map(|row| row.bytes).collect();
    let file = temp.path().join("hub.backup");
    backup::write(&first, &file).await.unwrap();
    first.close().await.unwrap();
    let (dir, recovery) = (temp.path().join("again"), temp.path().join("hub.recovery"));
    backup::restore(&dir, &file, Some(&recovery), Arc::new(clock.clone())).await.unwrap();
    let again = open(dir).await;
    give(&again, items).await.unwrap();
    let thread = again.store.thread(IncidentName { entry: name, branch: 0 }).await.unwrap();
    assert_eq!(thread.steps.len(), 1, "{:?}", thread.steps);
    again.close().await.unwrap();
}

/// One phone missed the cancel (or keeps it to itself).
#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_sends_no_messages_to_telephones() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let file = back_up(&hub).await;
    let mut admin = Admin::here(hub.hub.clone());
    let sent = admin.alert(warning()).await.unwrap();
    let hamlet = Scope::Hamlet(phone.certificate.as_ref().unwrap().value.hamlet);
    let alert = held(&hub, hamlet).await.pop().unwrap();
    admin.alert(AlertWanted { references: vec![sent.id.clone()], cancel: true, ..warning() }).await.unwrap();
    drop(admin);
    hub.clock.pass(3_600_000);
    let hub = restored(hub, &file).await;
    assert_eq!(give(&hub.hub, vec![alert]).await.unwrap(), 1);
    assert_eq!(escalate::remind(&hub.hub).await.unwrap(), 0, "an alert that was taken back an hour ago");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_who_revoked() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    let file = back_up(&hub).await;
    Admin::here(hub.hub.clone()).revoke(&phone.device.to_string(), true).await.unwrap();
    let items = held(&hub, Scope::Commune(hub.hub.commune())).await;
    let hub = restored(hub, &file).await;
    give(&hub.hub, items).await.unwrap();
    let audit = hub.hub.store.audit(ListQuery::default()).await.unwrap();
    let row = audit.iter().find(|row| row.action == "revoke lost").unwrap();
    assert_ne!(row.actor, "operator", "no operator did anything since the restore");
    hub.stop().await;
}

/// An item that cannot be obeyed takes nobody with it.
#[tokio::test(flavor = "multi_thread")]
async fn one_item_that_cannot_be_obeyed_keeps_no_other_back() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let (stolen, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(report());
    hub.deliver(&phone).await;
    let name = EntryName { log: phone.log, seq };
    for _ in 0..500 {
        Admin::here(hub.hub.clone()).answer(&name.to_string(), "received", "x", "").await.unwrap();
    }
    let file = back_up(&hub).await;
    hub.clock.pass(60_000);
    let fate = Item::Fate(Fate { incident: name, state: "resolved".to_owned(), note: String::new() });
    let draft = ItemDraft { scope: Scope::Member(phone.member), item: fate, issued_ms: hub.clock.now_ms() };
    hub.hub.store.append(vec![draft], hub.hub.item_signer()).await.unwrap();
    Admin::here(hub.hub.clone()).revoke(&stolen.device.to_string(), true).await.unwrap();
    let mut items = vec![held(&hub, Scope::Member(phone.member)).await.pop().unwrap()];
    items.extend(held(&hub, Scope::Device(stolen.device)).await);
    let hub = restored(hub, &file).await;
    let given = give(&hub.hub, items).await;
    let revoked = hub.hub.store.device(stolen.device).await.unwrap().unwrap().revoked_ms.is_some();
    assert!(revoked, "{given:?}");
    hub.stop().await;
}

/// Between lost orders stand lost directories, which nobody gives back: each is a hole of its own.
#[tokio::test(flavor = "multi_thread")]
async fn holes_that_nobody_fills_hide_no_order() {
    let hub = TestHub::start().await;
    let gone = Epoch([7; 8]);
    let commune = Scope::Commune(hub.hub.commune());
    let hamlet = Scope::Hamlet(yenban_protocol::id::HamletNo(1));
    // One phone gave back what was an order: every second item. The others were directories and heads.
    let row = |number| yenban_hub::store::ReturnedRow { scope: commune, epoch: gone, number, bytes: vec![1] };
    hub.hub.store.keep_returned((1..=65).map(|n| row(2 * n)).collect(), 9).await.unwrap();
    let held = |scope, number| Cursor { scope, epoch: gone, number };
    let wanted = hub.hub.store.lost_items(vec![held(commune, 130), held(hamlet, 3)]).await.unwrap();
    assert!(wanted.iter().any(|range| range.scope == hamlet), "the second phone is asked for what its hamlet was told: {}", wanted.len());
    hub.stop().await;
}

/// Anybody at all, without a key, posts one item that he once received, as often as it fits.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_request_of_a_stranger_costs() {
    let hub = TestHub::start().await;
    let (phone, _) = hub.phone("Nà Phòn").await;
    Admin::here(hub.hub.clone()).revoke(&phone.device.to_string(), true).await.unwrap();
    let item = held(&hub, Scope::Device(phone.device)).await.pop().unwrap();
    let body = ReturnedItems(vec![item.clone(); 500]).to_bytes();
    let started = std::time::Instant::now();
    give(&hub.hub, vec![item.clone(); 500]).await.unwrap();
    println!("never restored: {} bytes, 500 items: {:?}", body.len(), started.elapsed());
    let file = back_up(&hub).await;
    let hub = restored(hub, &file).await;
    for _ in 0..3 {
        let started = std::time::Instant::now();
        give(&hub.hub, vec![item.clone(); 500]).await.unwrap();
        println!("restored once: {:?}", started.elapsed());
    }
    let alert = Admin::here(hub.hub.clone()).alert(warning()).await.unwrap();
    let _ = (alert, DeviceId([0; 8]));
    hub.stop().await;
}
