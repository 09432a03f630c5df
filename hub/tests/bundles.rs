//! Evidence bundles of a real hub: found good by the rules of docs/EVIDENCE.md, and what changes at the hub is found.

mod support;

use std::path::PathBuf;

use support::TestHub;
use support::upload::{Sealed, Tus, content, facts, record, record_previews, seal};
use yenban_hub::exchange::{Scope, bundle};
use yenban_hub::retention;
use yenban_hub::store::ListQuery;
use yenban_hub::{HubError, custody};
use yenban_protocol::bundle::tar::Scanner;
use yenban_protocol::bundle::{Kind, Report, Trust, Verdict, judge};
use yenban_protocol::crypto::SoftwareVerifier;
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, Basis, PreviewKind, Statement};

const SECRET: &str = "bí mật của nhà khác";

struct Scene {
    hub: TestHub,
    incident: EntryName,
    files: Vec<Sealed>,
}

/// A real picture for people to look at, where there is one.
fn picture() -> Option<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos");
    let mut names: Vec<PathBuf> = std::fs::read_dir(folder).ok()?.map(|entry| entry.expect("entry").path()).collect();
    names.sort();
    let small = |path: &PathBuf| std::fs::metadata(path).is_ok_and(|file| file.len() < 60_000);
    names
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "jpg"))
        .find(|path| small(path))
        .and_then(|path| std::fs::read(path).ok())
}

async fn scene() -> Scene {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let said = |text: &str| vec![Statement { basis: Basis::Seen, text: text.to_owned() }];
    let report =
        |attachments, text: &str| Act::IncidentReported { kind: "landslide".to_owned(), urgent: true, attachments, statements: said(text) };
    phone.record(report(0, SECRET));
    let seq = phone.record(report(1, "Đất lấp nửa đường ở suối Nánh, xe máy không qua được."));
    let incident = EntryName { log: phone.log, seq };
    let thumbnail = picture().unwrap_or_else(|| content(3, 900));
    let files: Vec<Sealed> = [content(1, 90_000), content(2, 9_000), thumbnail].iter().map(|plain| seal(&phone, plain)).collect();
    let photo = record(&mut phone, Some(incident), facts(&files[0]));
    record_previews(&mut phone, photo, &files[0], &[(PreviewKind::Preview, &files[1]), (PreviewKind::Thumbnail, &files[2])]);
    phone.record(report(0, SECRET));
    hub.deliver(&phone).await;
    Scene { hub, incident, files }
}

impl Scene {
    async fn upload(&self) {
        let tus = Tus::new(&self.hub.hub);
        for file in &self.files {
            assert_eq!(tus.upload(file).await.status, 204);
        }
    }

    async fn export(&self, incident: Option<EntryName>) -> (Vec<u8>, bundle::BundleTotals) {
        let out = self.hub.temp.path().join("vu-viec.tar");
        let scope = Scope { since_ms: None, incident: incident.map(|name| name.to_string()) };
        let totals = bundle::export(&self.hub.hub, &scope, &out, "Hà Văn Sơn", "vụ 12/2026").await.expect("exported");
        let bytes = std::fs::read(&out).expect("written");
        std::fs::remove_file(&out).expect("removed: nothing is written over");
        assert_eq!(bytes.len() as u64, totals.size_bytes);
        (bytes, totals)
    }
}

fn verdict(bytes: &[u8], witness: &[&[u8]]) -> Report {
    let mut scanner = Scanner::default();
    scanner.feed(bytes);
    judge(&scanner.finish(), Trust { root: None, witness }, &SoftwareVerifier)
}

fn told(report: &Report) -> Vec<(&'static str, &'static str, Option<&'static str>)> {
    let bad = report.lines.iter().filter(|line| line.verdict > Verdict::Intact);
    bad.map(|line| (line.kind.code(), line.verdict.code(), line.reason)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_incident_and_the_whole_commune_are_found_intact() {
    let scene = scene().await;
    scene.upload().await;
    assert!(custody::close_day(&scene.hub.hub).await.expect("a head"), "the day before has records");
    assert!(!custody::close_day(&scene.hub.hub).await.expect("no head"), "once a day");
    let (one, totals) = scene.export(Some(scene.incident)).await;
    assert_eq!(told(&verdict(&one, &[])), []);
    assert_eq!((totals.incidents, totals.photos, totals.originals), (1, 1, 1));
    assert!(!String::from_utf8_lossy(&one).contains(SECRET), "neighbours stay secret");
    assert!(String::from_utf8_lossy(&one).contains("suối Nánh"), "the incident is disclosed");
    if let Some(path) = std::env::var_os("YENBAN_KEEP_BUNDLE") {
        std::fs::write(path, &one).expect("kept");
    }
    scene.hub.clock.pass(2 * 86_400_000);
    assert!(custody::close_day(&scene.hub.hub).await.expect("a head"));
    let (all, totals) = scene.export(None).await;
    let report = verdict(&all, &[]);
    assert_eq!(told(&report), []);
    assert_eq!((totals.incidents, totals.photos), (3, 1));
    assert!(String::from_utf8_lossy(&all).contains(SECRET));
    let photo = report.lines.iter().find(|line| line.kind == Kind::Photo).expect("a photograph");
    assert!(photo.not_after_ms.is_some());
    // Heads that a phone kept agree; custody tells of both exports.
    let heads = scene.hub.hub.store.custody_heads(0).await.expect("heads");
    let kept: Vec<&[u8]> = heads.iter().map(|row| row.bytes.as_slice()).collect();
    assert_eq!(told(&verdict(&all, &kept)), []);
    assert_eq!(scene.hub.hub.store.check_custody().await.expect("checked"), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_raises_no_alarm() {
    const DAYS: i64 = 86_400_000;
    let scene = scene().await;
    // A head is made while the clock is nine days ahead; then the clock is set right and the photograph comes.
    scene.export(Some(scene.incident)).await;
    scene.hub.clock.pass(9 * DAYS);
    assert!(custody::close_day(&scene.hub.hub).await.expect("a head"));
    scene.hub.clock.pass(-9 * DAYS);
    scene.upload().await;
    for days in [1, 3, 30] {
        scene.export(Some(scene.incident)).await;
        scene.hub.clock.pass(days * DAYS);
    }
    let (bytes, totals) = scene.export(None).await;
    assert_eq!(totals.originals, 1);
    let heads = scene.hub.hub.store.custody_heads(0).await.expect("heads");
    assert!(heads.windows(2).all(|pair| pair[0].head.at_ms <= pair[1].head.at_ms), "custody never runs back");
    let kept: Vec<&[u8]> = heads.iter().map(|row| row.bytes.as_slice()).collect();
    assert_eq!(told(&verdict(&bytes, &kept)), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_here_or_was_erased_is_told_as_such() {
    let scene = scene().await;
    let (before, totals) = scene.export(Some(scene.incident)).await;
    assert_eq!(totals.originals, 0);
    assert_eq!(told(&verdict(&before, &[])), [("photo", "incomplete", Some("not_received"))]);
    scene.upload().await;
    scene.hub.clock.pass(yenban_hub::limits::EVIDENCE_RETENTION_MS + 1);
    assert_eq!(retention::expire(&scene.hub.hub).await.expect("expired"), 1);
    let (after, _) = scene.export(Some(scene.incident)).await;
    let report = verdict(&after, &[]);
    assert_eq!(report.verdict, Verdict::Erased, "{:?}", told(&report));
    assert!(told(&report).contains(&("photo", "erased", Some("facts_erased"))));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaves_without_a_purpose_or_for_an_incident_that_is_not_there() {
    let scene = scene().await;
    let out = scene.hub.temp.path().join("none.tar");
    let nothing = bundle::export(&scene.hub.hub, &Scope::default(), &out, "Hà Văn Sơn", "  ").await;
    assert!(matches!(nothing, Err(HubError::Refused(_))), "{nothing:?}");
    let scope = Scope { since_ms: None, incident: Some("00a1b2c3d4e5f607:9".to_owned()) };
    assert!(bundle::export(&scene.hub.hub, &scope, &out, "Hà Văn Sơn", "vụ 12").await.is_err());
    assert!(!out.exists());
    let audit = scene.hub.hub.store.audit(ListQuery::default()).await.expect("audit");
    assert!(audit.iter().all(|row| row.action != "export bundle"), "what was refused did not happen");
}
