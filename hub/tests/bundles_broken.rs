//! Evidence bundles of a hub whose storage fails it: what is altered or gone is noted, asked for and named, the rest goes
//! out, and the custody record tells of no export that made no file.

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use support::TestHub;
use support::phone::Phone;
use support::upload::{Sealed, Tus, content, facts, record, record_previews, seal};
use tokio::sync::Notify;
use yenban_hub::app::Parts;
use yenban_hub::exchange::bundle::{self, Lacking};
use yenban_hub::exchange::{Scope, bundle::BundleTotals};
use yenban_hub::folder::Folder;
use yenban_hub::storage::{Later, Listing, ObjectName, ObjectStorage, OverObjectStore, Parts as FileParts};
use yenban_hub::store::{ItemName, ObjectRow, ObjectState};
use yenban_hub::{Hub, HubError};
use yenban_protocol::bundle::tar::Scanner;
use yenban_protocol::bundle::{Trust, Verdict, judge};
use yenban_protocol::crypto::SoftwareVerifier;
use yenban_protocol::custody::Action;
use yenban_protocol::feed::Item;
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, PreviewKind};

struct Scene {
    hub: TestHub,
    phone: Phone,
    photo: EntryName,
    files: Vec<Sealed>,
}

/// One photograph with two copies, all delivered.
async fn scene() -> Scene {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: true, attachments: 1, statements: Vec::new() });
    let incident = EntryName { log: phone.log, seq };
    let files: Vec<Sealed> = [90_000, 9_000, 900].into_iter().zip(1..).map(|(n, seed)| seal(&phone, &content(seed, n))).collect();
    let photo = record(&mut phone, Some(incident), facts(&files[0]));
    record_previews(&mut phone, photo, &files[0], &[(PreviewKind::Preview, &files[1]), (PreviewKind::Thumbnail, &files[2])]);
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    for file in &files {
        assert_eq!(tus.upload(file).await.status, 204);
    }
    Scene { hub, phone, photo, files }
}

impl Scene {
    fn item(&self) -> ItemName {
        ItemName { entry: self.photo, branch: 0 }
    }

    async fn row(&self, file: &Sealed) -> ObjectRow {
        self.hub.hub.store.objects_named(vec![file.hash]).await.expect("rows").remove(0)
    }

    async fn path(&self, file: &Sealed) -> PathBuf {
        let name = self.row(file).await.stored.expect("stored").name;
        self.hub.hub.folder.objects().join(name.to_string())
    }

    async fn wanted(&self) -> Vec<[u8; 32]> {
        let (_, items) = self.phone.pull(&mut self.hub.connect().await, Vec::new(), 256).await;
        let objects = items.into_iter().filter_map(|item| match item.item {
            Item::ObjectsWanted { objects } => Some(objects),
            _ => None,
        });
        objects.flatten().collect()
    }
}

async fn export(hub: &Hub, out: &Path) -> yenban_hub::error::Result<(Vec<u8>, BundleTotals)> {
    let totals = bundle::export(hub, &Scope::default(), out, "Hà Văn Sơn", "vụ 12/2026").await?;
    let bytes = std::fs::read(out).expect("written");
    std::fs::remove_file(out).expect("removed: nothing is written over");
    Ok((bytes, totals))
}

fn told(bytes: &[u8]) -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let mut scanner = Scanner::default();
    scanner.feed(bytes);
    let report = judge(&scanner.finish(), Trust { root: None, witness: &[] }, &SoftwareVerifier);
    let bad = report.lines.iter().filter(|line| line.verdict > Verdict::Intact);
    bad.map(|line| (line.kind.code(), line.verdict.code(), line.reason)).collect()
}

/// Exports in the custody record of an item: what each says beside that it was one.
async fn exports(hub: &Hub, item: ItemName) -> Vec<Option<String>> {
    let rows = hub.store.custody(item, i64::MAX).await.expect("custody");
    rows.into_iter().filter(|row| row.facts.action == Action::Exported).map(|row| row.facts.note).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_export_finds_broken_is_noted_asked_for_and_named() {
    let scene = scene().await;
    let out = scene.hub.temp.path().join("vu-viec.tar");
    let (good, totals) = export(&scene.hub.hub, &out).await.expect("exported");
    assert_eq!((told(&good), totals.originals, totals.lacking), (vec![], 1, vec![]));

    let original = scene.path(&scene.files[0]).await;
    let mut bytes = std::fs::read(&original).expect("there");
    bytes[20_000] ^= 1;
    std::fs::write(&original, bytes).expect("changed");
    std::fs::remove_file(scene.path(&scene.files[1]).await).expect("removed");
    let (tar, totals) = export(&scene.hub.hub, &out).await.expect("what is good goes out");
    assert_eq!((totals.photos, totals.originals), (1, 0));
    let lacking = |file: &str, state: &str| Lacking {
        item: scene.photo.to_string(),
        file: file.to_owned(),
        state: state.to_owned(),
        device: scene.phone.device.to_string(),
    };
    assert_eq!(totals.lacking, [lacking("preview", "missing"), lacking("original", "altered")]);
    // The manifest names no copy that is not there: nothing is claimed of it.
    assert_eq!(told(&tar), [("photo", "altered", Some("altered_at_hub"))]);
    assert_eq!(scene.row(&scene.files[0]).await.state, ObjectState::Altered);
    assert_eq!(scene.row(&scene.files[1]).await.state, ObjectState::Missing);
    assert_eq!(scene.row(&scene.files[2]).await.state, ObjectState::Verified);
    let (mut wanted, mut lost) = (scene.wanted().await, [scene.files[0].hash, scene.files[1].hash]);
    wanted.sort();
    lost.sort();
    assert_eq!(wanted, lost, "the phone that still has them is asked");

    // A second export finds the same without noting it again; the phone sends, and the third is whole.
    let (again, totals) = export(&scene.hub.hub, &out).await.expect("exported");
    assert_eq!((told(&again), totals.lacking.len()), (vec![("photo", "altered", Some("altered_at_hub"))], 2));
    let found = scene.hub.hub.store.custody(scene.item(), i64::MAX).await.expect("custody");
    let of = |action| found.iter().filter(|row| row.facts.action == action).count();
    assert_eq!((of(Action::FoundAltered), of(Action::FoundMissing), of(Action::Asked)), (1, 1, 2));
    let tus = Tus::new(&scene.hub.hub);
    for file in &scene.files[..2] {
        assert_eq!(tus.upload(file).await.status, 204);
    }
    let (whole, totals) = export(&scene.hub.hub, &out).await.expect("exported");
    assert_eq!((told(&whole), totals.originals, totals.lacking), (vec![], 1, vec![]));
    assert_eq!(exports(&scene.hub.hub, scene.item()).await, [None, None, None, None]);
    scene.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_copy_says_nothing_of_an_original_that_never_came() {
    let mut scene = scene().await;
    let later = seal(&scene.phone, &content(9, 5_000));
    let copy = seal(&scene.phone, &content(10, 500));
    let photo = record(&mut scene.phone, None, facts(&later));
    record_previews(&mut scene.phone, photo, &later, &[(PreviewKind::Thumbnail, &copy)]);
    scene.hub.deliver(&scene.phone).await;
    assert_eq!(Tus::new(&scene.hub.hub).upload(&copy).await.status, 204);
    std::fs::remove_file(scene.path(&copy).await).expect("removed");
    let (tar, totals) = export(&scene.hub.hub, &scene.hub.temp.path().join("a.tar")).await.expect("exported");
    let named: Vec<(&str, &str)> = totals.lacking.iter().map(|one| (one.file.as_str(), one.state.as_str())).collect();
    assert_eq!(named, [("thumbnail", "missing"), ("original", "expected")]);
    assert_eq!(told(&tar), [("photo", "incomplete", Some("not_received"))]);
    let minute = String::from_utf8_lossy(&tar).into_owned();
    assert!(minute.contains("Chưa tới máy xã") && minute.contains("Phát hiện bị thiếu"), "the minute tells them apart too");
    scene.hub.stop().await;
}

/// What becomes of an original that is read a second time (as it is written out), or at the first (as it is looked at).
#[derive(Clone, Copy, PartialEq)]
enum Second {
    Altered,
    Endless,
    EndlessAtOnce,
}

/// A folder whose large files are not on the second reading what they were on the first.
struct Fickle {
    inner: OverObjectStore,
    second: Second,
    reads: AtomicU32,
    hangs: Arc<Notify>,
}

impl ObjectStorage for Fickle {
    fn put(&self, name: ObjectName, parts: FileParts) -> Later<'_, u64> {
        self.inner.put(name, parts)
    }
    fn read(&self, name: ObjectName, range: std::ops::Range<u64>) -> Later<'_, Option<Bytes>> {
        Box::pin(async move {
            let large = self.inner.size(name).await?.is_some_and(|size| size > 50_000);
            let reads = if large && range.start == 0 { self.reads.fetch_add(1, Ordering::SeqCst) + 1 } else { 0 };
            let bytes = self.inner.read(name, range).await?;
            let from = if self.second == Second::EndlessAtOnce { 1 } else { 2 };
            match (self.second, reads >= from) {
                (_, false) => Ok(bytes),
                (Second::Endless | Second::EndlessAtOnce, true) => {
                    self.hangs.notify_one();
                    std::future::pending().await
                }
                (Second::Altered, true) => Ok(bytes.map(|bytes| bytes.iter().map(|byte| byte ^ 1).collect())),
            }
        })
    }
    fn size(&self, name: ObjectName) -> Later<'_, Option<u64>> {
        self.inner.size(name)
    }
    fn remove(&self, name: ObjectName) -> Later<'_, bool> {
        self.inner.remove(name)
    }
    fn list(&self) -> Later<'_, Listing> {
        self.inner.list()
    }
    fn tidy(&self) -> Later<'_, ()> {
        self.inner.tidy()
    }
}

async fn fickle(scene: &mut Scene, second: Second) -> (Arc<Hub>, Arc<Notify>) {
    scene.hub.halt().await;
    let folder = Folder::new(scene.hub.temp.path().join("hub"));
    let inner = OverObjectStore::folder(&folder.objects()).expect("opens");
    let hangs = Arc::new(Notify::new());
    let storage = Fickle { inner, second, reads: AtomicU32::new(0), hangs: Arc::clone(&hangs) };
    let parts = Parts { storage: Some(Arc::new(storage)), ..Parts::default() };
    // The halted hub holds the folder's lock for as long as it lives: a copy is another hub's.
    let copy = copy_of(folder.root(), &scene.hub.temp.path().join("copy"));
    (Hub::open_on(Folder::new(copy), Arc::new(scene.hub.clock.clone()), parts).await.expect("opens"), hangs)
}

/// A folder as a disk has it at this moment.
fn copy_of(from: &Path, to: &Path) -> PathBuf {
    std::fs::create_dir(to).expect("made");
    for entry in std::fs::read_dir(from).expect("read") {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name())).expect("entry");
        if path.is_dir() {
            copy_of(&path, &to.join(name));
        } else if path.is_file() {
            std::fs::copy(&path, to.join(name)).expect("copied");
        }
    }
    to.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_fails_after_it_was_noted_is_taken_back() {
    let mut scene = scene().await;
    let (hub, _) = fickle(&mut scene, Second::Altered).await;
    let out = scene.hub.temp.path().join("a.tar");
    let failed = export(&hub, &out).await.expect_err("the file changed on its way");
    assert!(matches!(failed, HubError::Store(_)), "{failed}");
    let rests: Vec<_> = std::fs::read_dir(scene.hub.temp.path()).expect("dir").map(|e| e.expect("entry").file_name()).collect();
    assert!(rests.iter().all(|name| !name.to_string_lossy().contains("a.tar")), "{rests:?}");
    assert_eq!(exports(&hub, scene.item()).await, [None, Some("failed".to_owned())]);
    assert_eq!(hub.store.objects_named(vec![scene.files[0].hash]).await.expect("rows")[0].state, ObjectState::Altered);
    assert_eq!(hub.store.check_custody().await.expect("checked"), []);
    // The next one knows, and goes out with what is good.
    let (tar, totals) = export(&hub, &out).await.expect("exported");
    assert_eq!((told(&tar), totals.lacking.len()), (vec![("photo", "altered", Some("altered_at_hub"))], 1));
    assert!(String::from_utf8_lossy(&tar).contains("Trích xuất không thành"), "the minute says it too");
    assert_eq!(exports(&hub, scene.item()).await, [None, Some("failed".to_owned()), None]);
    hub.close().await.expect("closes");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_the_hub_died_over_at_once_leaves_no_file() {
    let mut scene = scene().await;
    let (hub, hangs) = fickle(&mut scene, Second::EndlessAtOnce).await;
    let out = scene.hub.temp.path().join("a.tar");
    let running = tokio::spawn({
        let (hub, out) = (Arc::clone(&hub), out.clone());
        async move { export(&hub, &out).await.map(drop) }
    });
    hangs.notified().await;
    let lies = || {
        let names = std::fs::read_dir(scene.hub.temp.path()).expect("dir").map(|entry| entry.expect("entry").file_name());
        names.filter(|name| name.to_string_lossy().contains("a.tar")).count()
    };
    assert_eq!((lies(), exports(&hub, scene.item()).await), (1, vec![]), "made, and nothing is noted of any photograph");
    let left = copy_of(hub.folder.root(), &scene.hub.temp.path().join("left"));
    let next = Hub::open(Folder::new(left), Arc::new(scene.hub.clock.clone())).await.expect("opens");
    assert_eq!((lies(), exports(&next, scene.item()).await), (0, vec![]), "nothing stays, and nothing is taken back");
    next.close().await.expect("closes");
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_that_the_hub_died_over_is_taken_back_by_the_next_start() {
    let mut scene = scene().await;
    let (hub, hangs) = fickle(&mut scene, Second::Endless).await;
    let out = scene.hub.temp.path().join("a.tar");
    let running = tokio::spawn({
        let (hub, out) = (Arc::clone(&hub), out.clone());
        async move { export(&hub, &out).await.map(drop) }
    });
    hangs.notified().await;
    assert_eq!(exports(&hub, scene.item()).await, [None], "noted, and now it is written");
    let partial = |folder: &Path| {
        let names = std::fs::read_dir(folder).expect("dir").map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned());
        names.filter(|name| name.contains("a.tar")).collect::<Vec<_>>()
    };
    assert_eq!(partial(scene.hub.temp.path()).len(), 1, "half a file lies there");
    // What the disk has now is what a killed hub leaves.
    let left = copy_of(hub.folder.root(), &scene.hub.temp.path().join("left"));
    let next = Hub::open(Folder::new(left), Arc::new(scene.hub.clock.clone())).await.expect("opens");
    assert_eq!(partial(scene.hub.temp.path()), Vec::<String>::new(), "evidence in the clear does not stay");
    assert_eq!(exports(&next, scene.item()).await, [None, Some("failed".to_owned())]);
    next.close().await.expect("closes");
    drop(next);
    let again = Hub::open(Folder::new(scene.hub.temp.path().join("left")), Arc::new(scene.hub.clock.clone())).await.expect("opens");
    assert_eq!(exports(&again, scene.item()).await.len(), 2, "once");
    again.close().await.expect("closes");
    running.abort();
}
