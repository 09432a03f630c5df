//! A hundred photographs over a road that breaks every 2 MB: all of them verified at the hub, bytes equal, and no more
//! sent twice than one window of the road a cut.
//!
//! The road is a loopback proxy between the real phone and the real hub (TLS, HTTP/2). It counts what the phone sends
//! and closes both sides of a connection when its budget is used up. What was sent twice is counted by the phone
//! (`resent_bytes`) and held against the proxy's own count: everything that passed is the files once, what was sent
//! twice, and the frames around it (allowance below).
//!
//! The photographs are those of `../shared/data/photos`, taken in again and again as captures of their own, when they
//! are there; made ones otherwise. `YENBAN_UPLOAD_CUTS_MB` sets how many megabytes of originals there are at least
//! (usually 30); `YENBAN_UPLOAD_CUTS_MB=1000` is the long run, of some minutes.
#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;
#[path = "support/roads.rs"]
mod roads;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use commune::{Commune, sync};
use roads::Meter;
use yenban_core::Phone;
use yenban_core::app::{Report, Said};
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};
use yenban_hub::Hub;
use yenban_hub::storage::sealed;
use yenban_hub::store::ListQuery;
use yenban_protocol::crypto::{Hash, sha256};

const PHOTOS: usize = 100;
const EVERY_BYTES: u64 = 2_000_000;
/// What may be on the road unread: the hub's window for one stream.
const WINDOW_BYTES: u64 = 64 * 1024;
/// Frames around the bytes: 9 of HTTP/2 and 22 of TLS for each 4,096, rounded up.
const FRAMES_PERCENT: u64 = 2;
/// Headers of a request, its share of acknowledgements, and questions about files.
const REQUEST_BYTES: u64 = 2_048;
/// A handshake, and the settings of a connection.
const CONNECTION_BYTES: u64 = 8_192;

/// The photographs there are, else made ones: (path, SHA-256 of the bytes).
fn photographs(dir: &Path) -> Vec<(PathBuf, Hash)> {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&shared).into_iter().flatten().flatten().map(|f| f.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "jpg"));
    paths.sort();
    if paths.is_empty() {
        println!("no photographs in {}: made ones are used, and nothing is shown of real ones", shared.display());
        for n in 0..20u64 {
            let bytes: Vec<u8> = (0..200_000 + n * 17_171).map(|i| (i.wrapping_mul(2_654_435_761 + n) >> 11) as u8).collect();
            let path = dir.join(format!("made-{n}.jpg"));
            std::fs::write(&path, [&[0xFF, 0xD8, 0xFF, 0xE0], bytes.as_slice()].concat()).unwrap();
            paths.push(path);
        }
    }
    paths.into_iter().map(|path| (path.clone(), sha256(&std::fs::read(path).unwrap()))).collect()
}

/// Takes `count` photographs of one report, or more until there are `at_least` bytes; what each must be at the hub.
fn captured(phone: &mut Phone, dir: &Path, count: usize, at_least: u64) -> Vec<(String, Hash)> {
    let said = vec![Said { basis: "seen".into(), text: "Đất lở xuống đường".into() }];
    let report = Report { kind: "landslide".into(), urgent: false, statements: said, place: None, photos: count as u32 };
    let incident = phone.report(&report).unwrap();
    let photographs = photographs(dir);
    let (mut taken, mut bytes) = (Vec::new(), 0);
    for (path, hash) in photographs.iter().cycle() {
        if taken.len() >= count && bytes >= at_least {
            break;
        }
        bytes += std::fs::metadata(path).unwrap().len();
        taken.push((phone.capture_photo(path, Some(&incident), false).unwrap(), *hash));
    }
    taken
}

/// What lies in the hub's storage, opened: name of the photograph, SHA-256 of its bytes.
fn at_the_hub(commune: &Commune) -> BTreeMap<String, Hash> {
    let hub = commune.hub();
    commune.runtime.block_on(async {
        let mut found = BTreeMap::new();
        let mut offset = 0;
        loop {
            let page = hub.store.evidence(ListQuery { limit: 100, offset, ..ListQuery::default() }).await.unwrap();
            if page.is_empty() {
                return found;
            }
            offset += page.len() as u32;
            for item in page {
                assert_eq!(item.state, "verified", "{}", item.id);
                found.insert(item.id, content(hub, &item.sealed_sha256).await);
            }
        }
    })
}

async fn content(hub: &Hub, sealed_sha256: &str) -> Hash {
    let bytes = (0..32).map(|i| u8::from_str_radix(&sealed_sha256[2 * i..2 * i + 2], 16).unwrap()).collect::<Vec<u8>>();
    let rows = hub.store.objects_named(vec![bytes.try_into().unwrap()]).await.unwrap();
    let stored = rows[0].stored.clone().unwrap();
    let mut plain = Vec::new();
    let read = sealed::read(hub.storage.as_ref(), &stored, |part| {
        plain.extend_from_slice(part);
        Ok(())
    });
    assert_eq!(read.await.unwrap(), sealed::Read::Whole(sha256(&plain), plain.len() as u64));
    sha256(&plain)
}

/// Length of all sealed files of the store.
fn sealed_bytes(phone: &Phone) -> u64 {
    let objects = std::fs::read_dir(phone.folder().objects()).unwrap();
    objects.flatten().map(|f| f.metadata().unwrap().len()).sum()
}

fn assert_all_there(commune: &Commune, taken: &[(String, Hash)], phone: &mut Phone) {
    let there = at_the_hub(commune);
    assert_eq!(there.len(), taken.len(), "distinct captures stay distinct, also with equal bytes");
    for (id, hash) in taken {
        assert_eq!(there.get(id), Some(hash), "{id}: its bytes at the hub");
    }
    let status = phone.status().unwrap();
    assert_eq!((status.evidence_captured, status.evidence_uploaded), (taken.len() as u64, taken.len() as u64));
}

#[test]
fn a_hundred_photographs_over_a_road_that_breaks_every_two_megabytes() {
    let megabytes: u64 = std::env::var("YENBAN_UPLOAD_CUTS_MB").ok().and_then(|v| v.parse().ok()).unwrap_or(30);
    let mut commune = Commune::start();
    let (road, meter) = roads::metered(commune.address, EVERY_BYTES);
    let live = commune.address.to_string();
    let mut phone = commune.phone_at(vec![live]);
    let dir = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let taken = captured(&mut phone, dir.path(), PHOTOS, megabytes * 1_000_000);
    let (size_bytes, captured) = (sealed_bytes(&phone), started.elapsed());
    let outcome = transport::run(&mut phone, &[road.to_string()], Until::Empty, Some(3_600_000)).unwrap();
    println!("taken in within {captured:?}, all at the hub after {:?}", started.elapsed());
    assert_eq!((outcome.verdict, outcome.evidence_waiting), (Verdict::UpToDate, 0), "{outcome:?}");
    assert_all_there(&commune, &taken, &mut phone);
    within_bounds(&outcome, &meter, size_bytes);
}

fn within_bounds(outcome: &Outcome, meter: &Meter, size_bytes: u64) {
    let (cuts, connections, passed) = (meter.cuts.load(Relaxed), meter.connections.load(Relaxed), meter.sent_bytes.load(Relaxed));
    println!(
        "{size_bytes} bytes of files; {cuts} cuts, {connections} connections, {} requests; sent twice {} bytes ({} a cut); {passed} bytes passed the proxy",
        outcome.requests,
        outcome.resent_bytes,
        outcome.resent_bytes / cuts.max(1),
    );
    assert!(cuts >= size_bytes / EVERY_BYTES / 2, "the road did break: {cuts} cuts");
    assert!(outcome.resent_bytes <= cuts * WINDOW_BYTES, "{} bytes sent twice in {cuts} cuts", outcome.resent_bytes);
    assert!(outcome.evidence_bytes - size_bytes <= cuts * WINDOW_BYTES, "the phone handed {} bytes to the road", outcome.evidence_bytes);
    // The proxy has counted for itself.
    let bytes = size_bytes + outcome.pushed_bytes + cuts * WINDOW_BYTES;
    let allowed = bytes + bytes * FRAMES_PERCENT / 100 + outcome.requests * REQUEST_BYTES + connections * CONNECTION_BYTES;
    assert!(passed <= allowed, "{passed} bytes passed the proxy, {allowed} are explained");
}

#[test]
fn an_urgent_report_leaves_while_photographs_are_on_a_bad_road() {
    let mut commune = Commune::start();
    let (road, meter) = roads::metered(commune.address, 300_000);
    let live = commune.address.to_string();
    let mut phone = commune.phone_at(vec![live]);
    let dir = tempfile::tempdir().unwrap();
    captured(&mut phone, dir.path(), 4, 0);
    let phone = std::sync::Mutex::new(phone);
    std::thread::scope(|threads| {
        let syncing = threads.spawn(|| transport::run(&mut &phone, &[road.to_string()], Until::Empty, Some(120_000)));
        meter.wait_for(350_000);
        let said = vec![Said { basis: "seen".into(), text: "Cháy nhà".into() }];
        let report = Report { kind: "fire".into(), urgent: true, statements: said, place: None, photos: 0 };
        phone.lock().unwrap().report(&report).unwrap();
        let outcome = syncing.join().unwrap().unwrap();
        assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0), "{outcome:?}");
    });
    assert_eq!(commune.totals().incidents, 2);
}

#[test]
fn a_hub_that_stops_and_starts_between_chunks_goes_on_where_it_was() {
    let mut commune = Commune::start();
    let (road, meter) = roads::metered(commune.address, u64::MAX);
    let live = commune.address.to_string();
    let mut phone = commune.phone_at(vec![live]);
    let dir = tempfile::tempdir().unwrap();
    let taken = captured(&mut phone, dir.path(), 8, 6_000_000);
    let size_bytes = sealed_bytes(&phone);
    let phone = std::sync::Mutex::new(phone);
    let outcome = std::thread::scope(|threads| {
        let syncing = threads.spawn(|| transport::run(&mut &phone, &[road.to_string()], Until::Empty, Some(600_000)));
        for stop in 1..=8 {
            meter.wait_for(stop * size_bytes / 10);
            commune.close();
            commune.open();
        }
        syncing.join().unwrap().unwrap()
    });
    let mut phone = phone.into_inner().unwrap();
    assert_eq!(outcome.verdict, Verdict::UpToDate, "{outcome:?}");
    assert_all_there(&commune, &taken, &mut phone);
    assert!(meter.connections.load(Relaxed) > 3, "the hub's stops were felt: {} connections", meter.connections.load(Relaxed));
    assert!(outcome.evidence_bytes <= size_bytes + 8 * WINDOW_BYTES, "{outcome:?}");
    assert_eq!(sync(&mut phone).requests, 1, "all is known to be there");
}
