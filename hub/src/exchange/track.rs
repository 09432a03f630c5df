//! Where a patrol is known to have been, cut wherever it is not known: maps and exported lines never cross a gap,
//! because a line there would claim a way that nobody saw.

use crate::limits::{TRACK_GAP_M, TRACK_GAP_MS};
use crate::store::CheckInRow;

/// One known place of a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fix {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Metres, when known.
    pub accuracy_m: Option<f64>,
    /// Best single moment, milliseconds since 1970.
    pub at_ms: i64,
    /// Place of its check-in among the rows it was made from.
    pub row: usize,
}

/// A stretch in which the place is not known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// The last known place before it.
    pub from: Fix,
    /// The first known place after it.
    pub to: Fix,
}

/// A patrol's way: stretches with a known place, and the gaps between them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Track {
    /// Stretches in order; never empty ones. A single place is a stretch of one.
    pub stretches: Vec<Vec<Fix>>,
    /// `gaps[i]` lies between `stretches[i]` and `stretches[i + 1]`.
    pub gaps: Vec<Gap>,
}

/// Milliseconds of an RFC 3339 moment; `None` for anything else.
pub fn millis(moment: &str) -> Option<i64> {
    moment.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond)
}

/// Mean radius of the earth, metres.
const EARTH_M: f64 = 6_371_008.8;

/// Distance on a sphere, metres.
pub fn distance_m(a: (f64, f64), b: (f64, f64)) -> f64 {
    let (lat_a, lat_b) = (a.0.to_radians(), b.0.to_radians());
    let half = |x: f64| (x / 2.0).sin().powi(2);
    let chord = half(lat_b - lat_a) + lat_a.cos() * lat_b.cos() * half((b.1 - a.1).to_radians());
    2.0 * EARTH_M * chord.clamp(0.0, 1.0).sqrt().asin()
}

impl Track {
    /// The way through check-ins in the order of their log.
    ///
    /// A new stretch begins after a check-in without a place, after more than [`TRACK_GAP_MS`] (either way: a clock
    /// that was set back hides as much), and after more than [`TRACK_GAP_M`].
    pub fn of(rows: &[CheckInRow]) -> Self {
        let mut track = Self::default();
        let mut place_lost = false;
        for (row, check_in) in rows.iter().enumerate() {
            let (Some(lat), Some(lon), Some(at_ms)) = (check_in.lat, check_in.lon, millis(&check_in.recorded_at)) else {
                place_lost = true;
                continue;
            };
            let fix = Fix { lat, lon, accuracy_m: check_in.accuracy_m, at_ms, row };
            let last = track.stretches.last().and_then(|stretch| stretch.last()).copied();
            match (last, track.stretches.last_mut()) {
                (Some(last), Some(stretch)) if !place_lost && joins(&last, &fix) => stretch.push(fix),
                (Some(last), _) => {
                    track.gaps.push(Gap { from: last, to: fix });
                    track.stretches.push(vec![fix]);
                }
                _ => track.stretches.push(vec![fix]),
            }
            place_lost = false;
        }
        track
    }
}

fn joins(last: &Fix, next: &Fix) -> bool {
    next.at_ms.abs_diff(last.at_ms) <= TRACK_GAP_MS.unsigned_abs() && distance_m((last.lat, last.lon), (next.lat, next.lon)) <= TRACK_GAP_M
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A check-in `minutes` after 22/11/2026 20:00 in the hills above Nà Phòn.
    pub(crate) fn check_in(seq: u64, minutes: i64, place: Option<(f64, f64)>) -> CheckInRow {
        let at = crate::clock::rfc3339(1_795_352_400_000 + minutes * 60_000);
        CheckInRow {
            device: "d0d0d0d0d0d0d0d0".into(),
            log: "00a1b2c3d4e5f607".into(),
            seq,
            branch: 0,
            patrol: Some("00a1b2c3d4e5f607:1".into()),
            lat: place.map(|p| p.0),
            lon: place.map(|p| p.1),
            accuracy_m: place.map(|_| 8.0),
            recorded_at: at.clone(),
            received_at: at.clone(),
            time_earliest: at.clone(),
            time_latest: at,
            checkpoint: None,
            author_no: 1,
            provider: Some("gnss".into()),
            time_conflict: false,
        }
    }

    #[test]
    fn a_line_ends_where_the_place_is_unknown() {
        let rows = [
            check_in(2, 0, Some((20.6600, 105.0830))),
            check_in(3, 5, Some((20.6610, 105.0840))),
            check_in(4, 10, None),
            check_in(5, 14, Some((20.6620, 105.0850))),
            check_in(6, 19, Some((20.6630, 105.0850))),
            check_in(7, 50, Some((20.6640, 105.0850))),
            check_in(8, 52, Some((20.7640, 105.0850))),
            check_in(9, 22, Some((20.7641, 105.0850))),
        ];
        let track = Track::of(&rows);
        let sizes: Vec<usize> = track.stretches.iter().map(Vec::len).collect();
        assert_eq!(sizes, [2, 2, 1, 1, 1], "no place, long pause, long way, clock set back");
        assert_eq!(track.gaps.len(), 4);
        assert_eq!((track.gaps[0].from.row, track.gaps[0].to.row), (1, 3));
    }

    #[test]
    fn a_track_of_nothing_is_empty() {
        assert_eq!(Track::of(&[]), Track::default());
        assert_eq!(Track::of(&[check_in(1, 0, None)]), Track::default());
    }

    #[test]
    fn distances_are_those_of_the_earth() {
        let degree = distance_m((20.0, 105.0), (21.0, 105.0));
        assert!((degree - 111_195.0).abs() < 10.0, "{degree}");
        assert_eq!(distance_m((20.0, 105.0), (20.0, 105.0)), 0.0);
    }
}
