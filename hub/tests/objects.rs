//! Object storage, and what lists say of photographs while their files come.

mod support;

use std::sync::Arc;

use support::scene::{only_object, scene};
use support::upload::{Sealed, content, facts, record, record_previews, seal};
use yenban_hub::limits::COPIES_PER_ITEM_MAX;
use yenban_hub::storage::{OverObjectStore, conformance};
use yenban_hub::store::ListQuery;
use yenban_protocol::custody::Action;
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, PreviewKind};
use yenban_protocol::upload as wire;

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
    let before = again.list().await.expect("list");
    again.tidy().await.expect("tidies");
    assert_eq!(again.list().await.expect("list"), before);
    let left: Vec<String> =
        std::fs::read_dir(temp.path()).expect("dir").map(|e| e.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    assert!(left.iter().all(|n| !n.contains('#') && !n.ends_with(".part")), "{left:?}");
    assert!(left.contains(&"not-ours.txt".to_owned()));
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
