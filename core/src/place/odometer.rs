//! How far somebody walked, when every fix is a few metres wrong.
//!
//! Adding up the steps between fixes makes a phone on a table walk kilometres in a night. So the odometer is a small
//! state machine. At rest it keeps an anchor, the mean of the fixes around it. Leaving the anchor is believed only
//! when it leads somewhere: an outing counts, from its first step, once it has been farther from the anchor than noise
//! ever reaches, or has come to rest at another place; an outing that returns before that never was. On the way, chords
//! of about twice the accuracy are added, so noise lengthens them by a few per cent at most; two minutes within one
//! small circle are a rest, and what they added is taken back. `distance_m` can therefore step back by what the last
//! minutes had added.
//!
//! Where nothing is known, nothing is counted: an interrupted recording, a long silence, a jump that nobody can walk
//! or drive are reported as gaps.

use std::collections::VecDeque;

use yenban_protocol::text::degrees::LatLon;

use super::{limits::GAPS_KEPT, plane::step_m};

/// Accuracy assumed when a fix has none, in metres.
const ACCURACY_UNKNOWN_M: f64 = 6.0;
/// No phone is better than this, whatever it says.
const ACCURACY_BEST_M: f64 = 3.0;
/// A fix worse than this says nothing about a walk.
const ACCURACY_WORST_M: f64 = 150.0;
/// Time taken to lie between fixes without times, or whose clock stands still or runs back.
const UNTIMED_STEP_MS: i64 = 5_000;
/// How far such a fix may be from the one before.
const UNTIMED_REACH_M: f64 = 1_500.0;
/// Nobody on a patrol is faster: a motorbike on a good road.
const SPEED_MAX_M_PER_S: f64 = 40.0;
/// Silence after which the way between two fixes is unknown.
const SILENCE_MAX_MS: i64 = 15 * 60_000;
/// Fixes are averaged over this time...
const SMOOTH_MS: i64 = 10_000;
/// ...and at most this many of them.
const SMOOTH_FIXES: usize = 8;
/// The time within one circle that makes a rest.
const REST_MS: i64 = 120_000;
/// Least time between two remembered places of the way, which bounds the memory.
const TRAIL_STEP_MS: i64 = 1_000;
/// Fixes after which the anchor's mean no longer becomes stiffer.
const ANCHOR_WEIGHT_MAX: f64 = 300.0;

/// Distances of the state machine for fixes of a given accuracy, in metres.
struct Radii {
    /// The chord that is added while moving.
    chord: f64,
    /// The circle of a rest.
    rest: f64,
    /// The distance from the anchor at which an outing begins.
    leave: f64,
    /// The distance from the anchor at which an outing is believed.
    believe: f64,
}

impl Radii {
    fn of(accuracy_m: f64) -> Radii {
        Radii {
            chord: (2.0 * accuracy_m).max(10.0),
            rest: (2.5 * accuracy_m).max(12.0),
            leave: (3.0 * accuracy_m).max(15.0),
            believe: (6.0 * accuracy_m).max(50.0),
        }
    }
}

/// One fix on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fix {
    /// Where.
    pub place: LatLon,
    /// Radius in metres within which the place lies in two cases of three, when known.
    pub accuracy_m: Option<f64>,
    /// When, in milliseconds on any clock that runs evenly; only differences are used.
    pub time_ms: Option<i64>,
}

/// Why the way between two fixes is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GapKind {
    /// The recording was interrupted.
    Interrupted,
    /// No fix for a quarter of an hour, and then one elsewhere.
    Silence,
    /// Farther than anybody could have come in the time.
    Jump,
}

/// A part of the walk that nobody recorded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// Why.
    pub kind: GapKind,
    /// The last fix before it.
    pub from: Fix,
    /// The first fix after it.
    pub to: Fix,
    /// Metres in a straight line between the two; not part of the distance.
    pub straight_m: f64,
}

/// Adds up a walk, fix by fix.
///
/// ```
/// use yenban_core::place::{Fix, LatLon, Odometer};
/// let mut odometer = Odometer::new();
/// for (minute, lat) in ["20.6600", "20.6618", "20.6636"].into_iter().enumerate() {
///     let place = LatLon::parse(lat, "105.08").expect("in range");
///     odometer.push(Fix { place, accuracy_m: Some(8.0), time_ms: Some(minute as i64 * 180_000) });
/// }
/// assert_eq!(odometer.distance_m().round(), 399.0);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Odometer {
    state: State,
    total_m: f64,
    /// Milliseconds since the first fix, as far as the fixes tell.
    now_ms: i64,
    last: Option<Seen>,
    /// A fix that cannot be, until the next one says which of the two was wrong.
    suspect: Option<Seen>,
    recent: VecDeque<Seen>,
    interrupted: bool,
    gaps: Vec<Gap>,
    gap_count: usize,
    passed_over: usize,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    fix: Fix,
    accuracy_m: f64,
    at_ms: i64,
}

#[derive(Clone, Debug, Default)]
enum State {
    #[default]
    Nowhere,
    Resting(Anchor),
    Moving(Outing),
}

#[derive(Clone, Copy, Debug)]
struct Anchor {
    place: LatLon,
    weight: f64,
}

#[derive(Clone, Debug)]
struct Outing {
    anchor: Anchor,
    /// The total when it began: what counts until it is believed.
    total_before_m: f64,
    believed: bool,
    corner: LatLon,
    trail: VecDeque<Trail>,
}

#[derive(Clone, Copy, Debug)]
struct Trail {
    at_ms: i64,
    place: LatLon,
    total_m: f64,
}

impl Odometer {
    /// An odometer that has seen nothing.
    pub fn new() -> Odometer {
        Odometer::default()
    }

    /// The way so far in metres, without gaps and without what may be noise.
    pub fn distance_m(&self) -> f64 {
        match &self.state {
            State::Moving(outing) if !outing.believed => outing.total_before_m,
            _ => self.total_m,
        }
    }

    /// The gaps so far, the first 1,000 of them.
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// How many gaps there were.
    pub fn gap_count(&self) -> usize {
        self.gap_count
    }

    /// How many fixes were passed over: too inaccurate, or single ones somewhere else entirely.
    pub fn passed_over(&self) -> usize {
        self.passed_over
    }

    /// The recording is interrupted here: the way to the next fix is not known.
    pub fn interrupt(&mut self) {
        self.interrupted = self.last.is_some();
    }

    /// Takes the next fix.
    pub fn push(&mut self, fix: Fix) {
        let accuracy_m = fix.accuracy_m.filter(|accuracy| accuracy.is_finite()).unwrap_or(ACCURACY_UNKNOWN_M).max(ACCURACY_BEST_M);
        if accuracy_m > ACCURACY_WORST_M {
            self.passed_over += 1;
            return;
        }
        let before = self.suspect.or(self.last);
        let step_ms = before.and_then(|before| timed_step_ms(&before.fix, &fix));
        self.now_ms = self.now_ms.saturating_add(step_ms.unwrap_or(UNTIMED_STEP_MS));
        let seen = Seen { fix, accuracy_m, at_ms: self.now_ms };
        let Some(last) = self.last else { return self.start(seen) };
        if std::mem::take(&mut self.interrupted) {
            return self.start_after_gap(GapKind::Interrupted, last, seen);
        }
        let timed = step_ms.is_some();
        if !within_reach(&last, &seen, timed) {
            match self.suspect.take() {
                Some(suspect) if within_reach(&suspect, &seen, timed) => {
                    self.start_after_gap(GapKind::Jump, last, suspect);
                    self.follow(seen);
                }
                other => {
                    self.passed_over += usize::from(other.is_some());
                    self.suspect = Some(seen);
                }
            }
            return;
        }
        self.passed_over += usize::from(self.suspect.take().is_some());
        let away = step_m(last.fix.place, fix.place) > Radii::of(accuracy_m.max(last.accuracy_m)).leave;
        if seen.at_ms - last.at_ms > SILENCE_MAX_MS && away {
            return self.start_after_gap(GapKind::Silence, last, seen);
        }
        self.follow(seen);
    }

    fn start(&mut self, seen: Seen) {
        self.state = State::Resting(Anchor { place: seen.fix.place, weight: 1.0 });
        self.recent.clear();
        self.recent.push_back(seen);
        self.last = Some(seen);
    }

    fn start_after_gap(&mut self, kind: GapKind, last: Seen, seen: Seen) {
        self.total_m = self.settled_m(last.accuracy_m);
        self.suspect = None;
        self.gap_count += 1;
        if self.gaps.len() < GAPS_KEPT {
            let straight_m = super::distance_m(last.fix.place, seen.fix.place);
            self.gaps.push(Gap { kind, from: last.fix, to: seen.fix, straight_m });
        }
        self.start(seen);
    }

    /// The way up to here when nothing more will be known about it: an outing that nobody saw end counts in a straight
    /// line, if it left the anchor at all.
    fn settled_m(&self, accuracy_m: f64) -> f64 {
        match &self.state {
            State::Moving(outing) if !outing.believed => {
                let away_m = step_m(outing.anchor.place, outing.corner);
                outing.total_before_m + if away_m > Radii::of(accuracy_m).leave { away_m } else { 0.0 }
            }
            _ => self.total_m,
        }
    }

    fn follow(&mut self, seen: Seen) {
        self.last = Some(seen);
        let place = self.smoothed(seen);
        let radii = Radii::of(seen.accuracy_m);
        match std::mem::take(&mut self.state) {
            State::Nowhere => self.start(seen),
            State::Resting(anchor) => self.rest(anchor, place, &radii),
            State::Moving(outing) => self.go_on(outing, place, &radii),
        }
    }

    /// The mean of the last seconds' fixes around this one: noise averages out, a fast walker is not held back.
    fn smoothed(&mut self, seen: Seen) -> LatLon {
        self.recent.push_back(seen);
        while self.recent.len() > SMOOTH_FIXES || self.recent.front().is_some_and(|old| seen.at_ms - old.at_ms > SMOOTH_MS) {
            self.recent.pop_front();
        }
        let near = |old: &&Seen| step_m(old.fix.place, seen.fix.place) <= 2.0 * seen.accuracy_m;
        mean(self.recent.iter().filter(near).map(|old| old.fix.place)).unwrap_or(seen.fix.place)
    }

    fn rest(&mut self, mut anchor: Anchor, place: LatLon, radii: &Radii) {
        let away_m = step_m(anchor.place, place);
        if away_m <= radii.leave {
            anchor.weight = (anchor.weight + 1.0).min(ANCHOR_WEIGHT_MAX);
            anchor.place = towards(anchor.place, place, 1.0 / anchor.weight);
            self.state = State::Resting(anchor);
            return;
        }
        let total_before_m = self.total_m;
        self.total_m += away_m;
        let trail = VecDeque::from([Trail { at_ms: self.now_ms, place, total_m: self.total_m }]);
        let believed = away_m >= radii.believe;
        self.state = State::Moving(Outing { anchor, total_before_m, believed, corner: place, trail });
    }

    fn go_on(&mut self, mut outing: Outing, place: LatLon, radii: &Radii) {
        let chord_m = step_m(outing.corner, place);
        if chord_m >= radii.chord {
            self.total_m += chord_m;
            outing.corner = place;
        }
        outing.believed |= step_m(outing.anchor.place, place) >= radii.believe;
        outing.remember(Trail { at_ms: self.now_ms, place, total_m: self.total_m });
        let Some((circle, begun)) = outing.rested_in(self.now_ms, radii.rest) else {
            self.state = State::Moving(outing);
            return;
        };
        let from_anchor_m = step_m(outing.anchor.place, circle);
        if outing.believed {
            let last_leg_m = step_m(begun.place, circle);
            self.total_m = begun.total_m + if last_leg_m >= radii.chord { last_leg_m } else { 0.0 };
            self.state = State::Resting(Anchor { place: circle, weight: 1.0 });
        } else if from_anchor_m > radii.leave {
            self.total_m = outing.total_before_m + from_anchor_m;
            self.state = State::Resting(Anchor { place: circle, weight: 1.0 });
        } else {
            self.total_m = outing.total_before_m;
            self.state = State::Resting(outing.anchor);
        }
    }
}

impl Outing {
    /// Keeps the places of the last two minutes and one before them.
    fn remember(&mut self, here: Trail) {
        if self.trail.back().is_none_or(|last| here.at_ms - last.at_ms >= TRAIL_STEP_MS) {
            self.trail.push_back(here);
        }
        while self.trail.get(1).is_some_and(|second| here.at_ms - second.at_ms >= REST_MS) {
            self.trail.pop_front();
        }
    }

    /// The middle of the circle in which the last two minutes passed, and their beginning; `None` while under way.
    fn rested_in(&self, now_ms: i64, radius_m: f64) -> Option<(LatLon, Trail)> {
        let begun = *self.trail.front()?;
        if now_ms - begun.at_ms < REST_MS {
            return None;
        }
        let middle = mean(self.trail.iter().map(|trail| trail.place))?;
        self.trail.iter().all(|trail| step_m(middle, trail.place) <= radius_m).then_some((middle, begun))
    }
}

/// The time between two fixes, when both have one and it passed.
fn timed_step_ms(before: &Fix, fix: &Fix) -> Option<i64> {
    fix.time_ms?.checked_sub(before.time_ms?).filter(|&step| step > 0)
}

fn within_reach(from: &Seen, to: &Seen, timed: bool) -> bool {
    let slack_m = from.accuracy_m + to.accuracy_m;
    let reach_m = if timed { (to.at_ms - from.at_ms) as f64 / 1_000.0 * SPEED_MAX_M_PER_S } else { UNTIMED_REACH_M };
    step_m(from.fix.place, to.fix.place) <= slack_m + reach_m
}

fn mean(places: impl Iterator<Item = LatLon>) -> Option<LatLon> {
    let (count, lat, lon) = places.fold((0_i64, 0_i64, 0_i64), |(count, lat, lon), place| {
        (count + 1, lat + i64::from(place.lat_e7()), lon + i64::from(place.lon_e7()))
    });
    let part = |sum: i64| i32::try_from(sum.checked_div(count)?).ok();
    LatLon::from_e7(part(lat)?, part(lon)?).ok()
}

/// A place a part of the way from one to another.
fn towards(from: LatLon, to: LatLon, part: f64) -> LatLon {
    let between = |a: i32, b: i32| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as i32;
    LatLon::from_e7(between(from.lat_e7(), to.lat_e7()), between(from.lon_e7(), to.lon_e7()))
        .expect("between two places of the earth lies a place of the earth")
}

#[cfg(test)]
#[path = "odometer_tests.rs"]
mod tests;
