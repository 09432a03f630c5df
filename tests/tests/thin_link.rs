//! Syncs over links of the field: what they cost there, and that what is lost on them is only late.

#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;
#[path = "support/roads.rs"]
mod roads;

use std::time::{Duration, Instant};

use commune::{Commune, sync, walk};
use yenban_core::sync::{Outcome, Verdict};
use yenban_core::transport::{self, Until};
use yenban_tests::link::{EDGE, Kind, Link};

const AIM_BYTES: u64 = 12_000;

fn sync_over(phone: &mut yenban_core::Phone, address: String) -> Outcome {
    transport::run(phone, &[address], Until::Once, None).unwrap()
}

#[test]
fn two_hundred_check_ins_take_one_connection_and_twelve_kilobytes() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    sync(&mut phone);
    walk(&mut phone, 200);
    let link = Link::to(commune.address, Kind { loss_per_mille: 0, ..EDGE }, 1).unwrap();
    let started = Instant::now();
    let outcome = sync_over(&mut phone, link.address().to_string());
    // Opening, TLS, and one flight with everything in it: the link adds what it says.
    assert!(started.elapsed() > Duration::from_millis(1_800), "{:?}", started.elapsed());
    assert_eq!((outcome.verdict, outcome.unsent, outcome.requests), (Verdict::UpToDate, 0, 2));
    let bytes = link.up().line_bytes + link.down().line_bytes;
    assert!(bytes <= AIM_BYTES, "{bytes} bytes");
    assert_eq!(link.connections(), 1);
}

#[test]
fn on_a_link_that_loses_every_fifth_packet_everything_arrives_once() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    walk(&mut phone, 300);
    let bad = Kind { loss_per_mille: 200, round_trip_ms: 100, ..EDGE };
    let link = Link::to(commune.address, bad, 4).unwrap();
    let outcome = sync_over(&mut phone, link.address().to_string());
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0));
    assert!(link.up().lost + link.down().lost > 0);
    // The log itself, the start and the end of the patrol.
    assert_eq!(commune.totals().entries, 303);
}

#[test]
fn a_link_that_is_cut_in_the_middle_is_taken_up_again() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    sync(&mut phone);
    walk(&mut phone, 400);
    let link = Link::to(commune.address, EDGE, 2).unwrap();
    let address = link.address().to_string();
    let outcome = std::thread::scope(|threads| {
        let syncing = threads.spawn(|| sync_over(&mut phone, address));
        while link.up().payload_bytes < 4_000 {
            std::thread::sleep(Duration::from_millis(10));
        }
        link.cut();
        syncing.join().unwrap()
    });
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::UpToDate, 0));
    assert!(link.connections() > 1);
    assert_eq!(commune.totals().entries, 403);
}

/// What leaves together waits for one connection together: being offline is not said once for each request.
#[test]
fn a_road_that_stays_silent_is_left_after_the_time_for_one_connection() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    sync(&mut phone);
    walk(&mut phone, 3);
    let started = Instant::now();
    let outcome = sync_over(&mut phone, roads::silent().to_string());
    assert_eq!((outcome.verdict, outcome.unsent), (Verdict::Offline, 5));
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
}
