//! Honest time: the truth lies inside the interval, whatever the clocks said.

use proptest::prelude::*;
use yenban_protocol::id::BootId;
use yenban_protocol::time::{Anchor, Bounds, GNSS_UNCERTAINTY_MS, Stamp};

const NOW: i64 = 1_763_744_400_000;
const TEN_YEARS: i64 = 315_576_000_000;

fn stamp(wall_ms: i64, monotonic_ms: u64, anchor: Option<Anchor>, gnss_ms: Option<i64>) -> Stamp {
    Stamp { wall_ms, monotonic_ms, boot: BootId([1; 8]), anchor, gnss_ms }
}

proptest! {
    #[test]
    fn with_an_anchor_in_the_same_boot_the_truth_is_inside_and_near(
        elapsed in 0u64..7 * 86_400_000, rtt in 0u64..20_000, lag in 0.0f64..1.0, drift in -100.0f64..100.0, wall_off in -TEN_YEARS..TEN_YEARS
    ) {
        // The hub read its clock `lag` of the round trip before the answer came; the phone's clock drifts.
        let hub_ms = NOW - (rtt as f64 * lag) as i64;
        let truth = NOW + (elapsed as f64 / (1.0 + drift / 1e6)) as i64;
        let anchor = Anchor { hub_ms, monotonic_ms: 5_000, rtt_ms: rtt };
        let i = stamp(NOW + wall_off, 5_000 + elapsed, Some(anchor), None).interval(Bounds::default(), false);
        prop_assert!(i.earliest_ms <= truth && truth <= i.latest_ms, "{truth} not in {i:?}");
        prop_assert!(i.latest_ms - i.earliest_ms <= 2 * (rtt as i64 + (elapsed + rtt) as i64 / 10_000 + 2));
    }

    #[test]
    fn the_best_figure_lies_within_the_interval(
        wall in any::<i64>(), mono in any::<u64>(), hub in any::<i64>(), at in any::<u64>(), rtt in any::<u64>(), gnss in proptest::option::of(any::<i64>()),
        from in proptest::option::of(any::<i64>()), to in proptest::option::of(any::<i64>()), imported in any::<bool>(), anchored in any::<bool>()
    ) {
        let anchor = anchored.then_some(Anchor { hub_ms: hub, monotonic_ms: at, rtt_ms: rtt });
        let i = stamp(wall, mono, anchor, gnss).interval(Bounds { not_before_ms: from, not_after_ms: to }, imported);
        prop_assert!(i.earliest_ms <= i.best_ms && i.best_ms <= i.latest_ms, "{i:?}");
    }
}

#[test]
fn without_anchor_only_the_hubs_signatures_bound_the_time() {
    let born_in_1970 = stamp(0, 1_000, None, None);
    let i = born_in_1970.interval(Bounds { not_before_ms: Some(NOW), not_after_ms: Some(NOW + 60_000) }, false);
    assert_eq!((i.earliest_ms, i.latest_ms, i.best_ms), (NOW, NOW + 60_000, NOW));
    let i = born_in_1970.interval(Bounds::default(), false);
    assert_eq!((i.earliest_ms, i.latest_ms), (i64::MIN, i64::MAX), "a wall clock alone bounds nothing");
}

#[test]
fn satellite_time_narrows_unless_it_contradicts() {
    let bounds = Bounds { not_before_ms: Some(NOW - 3_600_000), not_after_ms: Some(NOW + 3_600_000) };
    let i = stamp(0, 1_000, None, Some(NOW)).interval(bounds, false);
    assert_eq!((i.earliest_ms, i.latest_ms, i.gnss_conflict), (NOW - GNSS_UNCERTAINTY_MS, NOW + GNSS_UNCERTAINTY_MS, false));
    // A receiver whose week counter rolled over is 19.6 years back: the signatures hold.
    let rolled_over = NOW - 1_024 * 7 * 86_400_000;
    let i = stamp(0, 1_000, None, Some(rolled_over)).interval(bounds, false);
    assert_eq!((i.earliest_ms, i.latest_ms, i.gnss_conflict), (NOW - 3_600_000, NOW + 3_600_000, true));
}

#[test]
fn an_imported_track_keeps_both_its_claim_and_the_day_it_was_written() {
    let claim = NOW - TEN_YEARS;
    let bounds = Bounds { not_before_ms: Some(NOW), not_after_ms: Some(NOW + 60_000) };
    let i = stamp(NOW + 10, 1_000, None, Some(claim)).interval(bounds, true);
    assert_eq!((i.earliest_ms, i.latest_ms, i.best_ms), (claim - GNSS_UNCERTAINTY_MS, NOW + 60_000, claim));
    assert!(i.gnss_conflict);
}
