//! The points of a recorded walk at which somebody would have checked in: every so many metres, or minutes.

use std::fmt;

use super::{
    gpx::{Recording, TrackPoint},
    plane::step_m,
};

/// How far apart check-ins stand.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Spacing {
    /// Metres along the track.
    Metres(f64),
    /// Minutes by the receiver's clock.
    Minutes(f64),
}

/// The least spacing, in metres and in minutes: closer points are not check-ins but the track itself.
const LEAST: f64 = 0.1;
/// Moves shorter than this do not count as way: a resting receiver makes them all the time.
const STEP_LEAST_M: f64 = 10.0;
const MILLISECONDS_PER_MINUTE: f64 = 60_000.0;

impl Spacing {
    /// Reads `200m`, `1.5km`, `5min`, `1h`.
    ///
    /// # Errors
    /// [`SpacingError::Unreadable`] for anything else.
    ///
    /// ```
    /// use yenban_core::place::Spacing;
    /// assert_eq!(Spacing::parse("200m"), Ok(Spacing::Metres(200.0)));
    /// assert_eq!(Spacing::parse("5 min"), Ok(Spacing::Minutes(5.0)));
    /// ```
    pub fn parse(text: &str) -> Result<Spacing, SpacingError> {
        let text = text.trim().to_ascii_lowercase();
        // The unit, and what it is in metres or in minutes. Longer names before those they end with.
        const UNITS: [(&str, bool, f64); 7] = [
            ("km", true, 1_000.0),
            ("min", false, 1.0),
            ("phút", false, 1.0),
            ("giờ", false, 60.0),
            ("h", false, 60.0),
            ("s", false, 1.0 / 60.0),
            ("m", true, 1.0),
        ];
        let (number, metres, factor) = UNITS
            .iter()
            .find_map(|&(name, metres, factor)| Some((text.strip_suffix(name)?, metres, factor)))
            .ok_or(SpacingError::Unreadable)?;
        let number = number.trim();
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(SpacingError::Unreadable);
        }
        let value = number.parse::<f64>().map_err(|_| SpacingError::Unreadable)? * factor;
        if metres { Spacing::Metres(value) } else { Spacing::Minutes(value) }.checked()
    }

    fn checked(self) -> Result<Spacing, SpacingError> {
        let (Spacing::Metres(value) | Spacing::Minutes(value)) = self;
        if value.is_finite() && value >= LEAST { Ok(self) } else { Err(SpacingError::Unreadable) }
    }
}

/// A point of the walk at which to check in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Picked {
    /// The point as recorded.
    pub point: TrackPoint,
    /// Between this point and the picked one before it the recording was interrupted.
    pub after_gap: bool,
}

/// Why a walk cannot be thinned as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpacingError {
    /// Not a spacing.
    Unreadable,
    /// The recording has no track, only so many planned routes.
    NoTrack {
        /// Routes in the file.
        routes: usize,
    },
    /// Minutes were asked for, and a part of the track has no times.
    NoTimes {
        /// Points without a time.
        without: usize,
        /// All points.
        of: usize,
    },
}

impl fmt::Display for SpacingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("a spacing is a number of metres or minutes, such as 200m or 5min"),
            Self::NoTrack { routes: 0 } => f.write_str("the file has no recorded track"),
            Self::NoTrack { routes } => write!(f, "the file has no recorded track, only {routes} planned routes"),
            Self::NoTimes { without, of } => {
                write!(f, "{without} of the {of} points have no time: give the spacing in metres, such as 200m")
            }
        }
    }
}

impl std::error::Error for SpacingError {}

/// The first point of each run, then one every `spacing`, and the last point of each run.
///
/// With minutes, points without a time are passed over as long as their run has some with one; a clock that jumps
/// back counts as the time it shows from there on.
///
/// # Errors
/// [`SpacingError`] when there is no track, when minutes are asked for and a run has no times at all, or when the
/// spacing is not a positive number.
pub fn every(recording: &Recording, spacing: Spacing) -> Result<Vec<Picked>, SpacingError> {
    let spacing = spacing.checked()?;
    let of = recording.points().count();
    if of == 0 {
        return Err(SpacingError::NoTrack { routes: recording.routes });
    }
    let timeless = |run: &[TrackPoint]| run.iter().all(|point| point.time_ms.is_none());
    if matches!(spacing, Spacing::Minutes(_)) && recording.segments().any(timeless) {
        let without = recording.points().filter(|point| point.time_ms.is_none()).count();
        return Err(SpacingError::NoTimes { without, of });
    }
    let mut picked: Vec<Picked> = Vec::new();
    for run in recording.segments() {
        let chosen = match spacing {
            Spacing::Metres(metres) => by_metres(run, metres),
            Spacing::Minutes(minutes) => by_minutes(run, minutes),
        };
        let before = picked.len();
        picked.extend(chosen.into_iter().map(|point| Picked { point, after_gap: false }));
        if before > 0
            && let Some(first) = picked.get_mut(before)
        {
            first.after_gap = true;
        }
    }
    Ok(picked)
}

fn by_metres(run: &[TrackPoint], metres: f64) -> Vec<TrackPoint> {
    let least_step = STEP_LEAST_M.min(metres / 4.0);
    let mut chosen = Vec::new();
    let Some((&first, rest)) = run.split_first() else { return chosen };
    chosen.push(first);
    let mut way_m = 0.0;
    let mut corner = first.place;
    for point in rest {
        let step = step_m(corner, point.place);
        if step < least_step {
            continue;
        }
        way_m += step;
        corner = point.place;
        if way_m >= metres {
            chosen.push(*point);
            way_m = 0.0;
        }
    }
    push_last(&mut chosen, rest.last());
    chosen
}

fn by_minutes(run: &[TrackPoint], minutes: f64) -> Vec<TrackPoint> {
    let span_ms = minutes * MILLISECONDS_PER_MINUTE;
    let mut chosen: Vec<TrackPoint> = Vec::new();
    let mut last_ms = None;
    let mut end = None;
    for point in run {
        let Some(time_ms) = point.time_ms else { continue };
        let due = last_ms.is_none_or(|last: i64| time_ms.abs_diff(last) as f64 >= span_ms);
        if due {
            chosen.push(*point);
            last_ms = Some(time_ms);
        }
        end = Some(point);
    }
    push_last(&mut chosen, end);
    chosen
}

fn push_last(chosen: &mut Vec<TrackPoint>, last: Option<&TrackPoint>) {
    if let Some(last) = last
        && chosen.last() != Some(last)
    {
        chosen.push(*last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::LatLon;

    /// A run to the north, a point every 30 m and 25 s.
    fn run(points: i32, from_ms: Option<i64>) -> String {
        let times = |n: i32| from_ms.map(|from| jiff::Timestamp::from_millisecond(from + i64::from(n) * 25_000).expect("in range"));
        let point = |n: i32| {
            let place = LatLon::from_e7(206_600_000 + n * 2_710, 1_050_800_000).expect("in range");
            let time = times(n).map_or(String::new(), |time| format!("<time>{time}</time>"));
            format!("<trkpt lat=\"{}\" lon=\"{}\">{time}</trkpt>", place.lat(), place.lon())
        };
        format!("<trkseg>{}</trkseg>", (0..points).map(point).collect::<String>())
    }

    fn recording(runs: &[String]) -> Recording {
        let text = format!("<gpx version=\"1.1\"><trk>{}</trk></gpx>", runs.concat());
        Recording::read(text.as_bytes()).expect("well-formed")
    }

    #[test]
    fn check_ins_stand_about_as_far_apart_as_asked() {
        let recording = recording(&[run(101, None)]);
        let picked = every(&recording, Spacing::Metres(200.0)).expect("a track");
        assert_eq!(picked.len(), 16, "3 km in steps of 210 m, and the end");
        assert_eq!(picked.first().map(|picked| picked.point), recording.points().next().copied());
        assert_eq!(picked.last().map(|picked| picked.point), recording.points().last().copied());
        for pair in picked.windows(2) {
            assert!(step_m(pair[0].point.place, pair[1].point.place) < 232.0);
        }
    }

    #[test]
    fn a_rest_is_no_way() {
        let still: String = (0..500).map(|n| format!("<trkpt lat=\"20.66{:05}\" lon=\"105.08\"/>", (n * 7) % 80)).collect();
        let recording = recording(&[format!("<trkseg>{still}</trkseg>")]);
        assert_eq!(every(&recording, Spacing::Metres(200.0)).map(|picked| picked.len()), Ok(2));
    }

    #[test]
    fn minutes_need_times() {
        let timed = recording(&[run(101, Some(1_790_000_000_000))]);
        assert_eq!(every(&timed, Spacing::Minutes(5.0)).map(|picked| picked.len()), Ok(10), "2,500 s");
        let half = recording(&[run(10, Some(0)), run(10, None)]);
        let error = every(&half, Spacing::Minutes(5.0)).expect_err("no times");
        assert_eq!(error.to_string(), "10 of the 20 points have no time: give the spacing in metres, such as 200m");
    }

    #[test]
    fn a_gap_is_marked() {
        let recording = recording(&[run(20, None), "<trkseg/>".to_owned(), run(20, None)]);
        let picked = every(&recording, Spacing::Metres(200.0)).expect("a track");
        assert_eq!(picked.iter().filter(|picked| picked.after_gap).count(), 1);
        assert!(!picked[0].after_gap);
    }

    #[test]
    fn spacings_are_read_or_refused() {
        assert_eq!(Spacing::parse(" 1.5 km "), Ok(Spacing::Metres(1_500.0)));
        assert_eq!(Spacing::parse("2h"), Ok(Spacing::Minutes(120.0)));
        assert_eq!(Spacing::parse("10 phút"), Ok(Spacing::Minutes(10.0)));
        for text in ["", "200", "m", "-5m", "0m", "nanm", "infmin", "1e9m", "5 leagues", "1.2.3m"] {
            assert_eq!(Spacing::parse(text), Err(SpacingError::Unreadable), "{text}");
        }
        let none = Recording { routes: 2, ..Recording::default() };
        assert_eq!(every(&none, Spacing::Metres(9.0)), Err(SpacingError::NoTrack { routes: 2 }));
        assert_eq!(every(&none, Spacing::Metres(f64::NAN)), Err(SpacingError::Unreadable));
    }
}
