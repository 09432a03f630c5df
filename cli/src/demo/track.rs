//! The demonstration's own walk: a round through the paddies of a commune that exists, made by arithmetic alone, so
//! that every run of one evening walks the same way and no file is needed.

use yenban_core::place::LatLon;
use yenban_core::place::gpx::{Recording, Track, TrackPoint};

/// Points of the walk, a recording break in the middle.
const POINTS: usize = 260;
/// Points lost at the break: the path goes through a gorge.
const BREAK: usize = 24;
/// Milliseconds between two points.
const STEP_MS: i64 = 15_000;
/// Metres in a degree of latitude, near enough for a path that never was.
const METRES_PER_DEGREE: f64 = 110_700.0;
/// Mean radius of the round, metres.
const RADIUS_M: f64 = 520.0;

/// A round of about three and a half kilometres around `centre`, its last point at `end_ms`.
pub(crate) fn round(centre: LatLon, end_ms: i64) -> Recording {
    let first = point_number(centre, end_ms, 0..POINTS / 2);
    let second = point_number(centre, end_ms, POINTS / 2 + BREAK..POINTS);
    Recording { tracks: vec![Track { name: None, segments: vec![first, second] }], ..Recording::default() }
}

fn point_number(centre: LatLon, end_ms: i64, numbers: std::ops::Range<usize>) -> Vec<TrackPoint> {
    numbers
        .filter_map(|number| {
            let turn = number as f64 / POINTS as f64 * std::f64::consts::TAU;
            // A path follows the foot of the hills, and a receiver is off by some metres.
            let radius_m = RADIUS_M * (1.0 + 0.16 * (3.0 * turn).sin() + 0.07 * (7.0 * turn).cos());
            let noise_m = 3.0 * (number as f64 * 12.9898).sin();
            let north_m = (radius_m + noise_m) * turn.cos();
            let east_m = (radius_m - noise_m) * turn.sin();
            let lat = centre.lat() + north_m / METRES_PER_DEGREE;
            let lon = centre.lon() + east_m / (METRES_PER_DEGREE * centre.lat().to_radians().cos());
            let place = LatLon::from_e7((lat * 1e7).round() as i32, (lon * 1e7).round() as i32).ok()?;
            let left = i64::try_from(POINTS - 1 - number).unwrap_or(0);
            Some(TrackPoint { place, time_ms: Some(end_ms - left * STEP_MS), elevation_cm: None, hdop_e2: Some(160) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_core::place::{Spacing, distance_m, every};

    #[test]
    fn the_round_stays_in_the_commune_and_ends_when_it_should() {
        let commune = yenban_protocol::directory::by_code("05200").unwrap();
        let walk = round(commune.centre(), 1_795_359_120_000);
        let picked = every(&walk, Spacing::Metres(200.0)).unwrap();
        assert!((14..30).contains(&picked.len()), "{}", picked.len());
        assert_eq!(picked.iter().filter(|point| point.after_gap).count(), 1);
        assert_eq!(walk.points().last().unwrap().time_ms, Some(1_795_359_120_000));
        for point in walk.points() {
            assert!(distance_m(commune.centre(), point.place) < 800.0);
        }
        assert_eq!(walk, round(commune.centre(), 1_795_359_120_000));
    }
}
