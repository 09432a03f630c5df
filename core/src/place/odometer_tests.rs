//! A night on a bench adds nothing, a walk has its length, and nothing is invented in a gap.

use std::{fs, path::PathBuf};

use super::*;
use crate::place::gpx::Recording;

const METRE_LAT_E7: f64 = 1e7 / 110_700.0;
const METRE_LON_E7: f64 = 1e7 / 104_200.0;

/// A generator of its own, so that a failing seed can be named and run again.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Noise of one receiver: part of it new each second, part of it wandering over a minute, as it does under trees.
struct Receiver {
    noise: Noise,
    wander: (f64, f64),
    sigma_m: f64,
    wandering: f64,
}

impl Receiver {
    fn new(seed: u64, sigma_m: f64, wandering: f64) -> Receiver {
        Receiver { noise: Noise(seed.wrapping_mul(7_919).wrapping_add(1)), wander: (0.0, 0.0), sigma_m, wandering }
    }

    fn fix(&mut self, east_m: f64, north_m: f64, time_s: f64, step_s: f64) -> Fix {
        let keep = (-step_s / 60.0).exp();
        let fresh = (1.0 - keep * keep).sqrt() * self.sigma_m * self.wandering;
        self.wander.0 = self.wander.0 * keep + fresh * self.noise.normal();
        self.wander.1 = self.wander.1 * keep + fresh * self.noise.normal();
        let white = self.sigma_m * (1.0 - self.wandering * self.wandering).max(0.0).sqrt();
        let east = east_m + self.wander.0 + white * self.noise.normal();
        let north = north_m + self.wander.1 + white * self.noise.normal();
        let e7 = |start: i32, metres: f64, per: f64| start + (metres * per).round() as i32;
        let place = LatLon::from_e7(e7(206_601_200, north, METRE_LAT_E7), e7(1_050_834_500, east, METRE_LON_E7)).expect("in range");
        // Sixty-eight of a hundred fixes lie within 1.5 times the spread along one axis.
        Fix { place, accuracy_m: Some(1.5 * self.sigma_m), time_ms: Some((time_s * 1_000.0) as i64) }
    }
}

#[test]
fn a_night_on_a_bench_adds_nothing() {
    let mut worst: f64 = 0.0;
    for (wandering, step_s) in [(0.0, 1.0), (0.7, 1.0), (1.0, 1.0), (0.7, 5.0), (1.0, 30.0), (0.0, 300.0)] {
        for seed in 0..6 {
            // Ten metres of spread along either axis: 15 m of accuracy.
            for sigma_m in [3.0, 6.7, 10.0] {
                let mut receiver = Receiver::new(seed, sigma_m, wandering);
                let mut odometer = Odometer::new();
                let mut most: f64 = 0.0;
                let fixes = (8.0 * 3_600.0 / step_s) as u32;
                for n in 0..fixes {
                    let time_s = f64::from(n) * step_s;
                    odometer.push(receiver.fix(0.0, 0.0, time_s, step_s));
                    most = most.max(odometer.distance_m());
                }
                assert!(most < 50.0, "{most} m: seed {seed}, wandering {wandering}, every {step_s} s, spread {sigma_m} m");
                worst = worst.max(most);
            }
        }
    }
    println!("worst of all nights: {worst:.1} m");
}

/// A hill path: bends of a radius of some 40 m, 1.1 m/s, a rest of 15 minutes in the middle.
fn path(second: f64) -> (f64, f64, f64) {
    const REST_FROM: f64 = 2_400.0;
    const REST: f64 = 900.0;
    let walking = if second < REST_FROM { second } else { (second - REST).max(REST_FROM) };
    let along = walking * 1.1;
    (along * 0.9, 18.0 * (along / 38.0).sin() + 60.0 * (along / 310.0).cos(), walking)
}

#[test]
fn a_walk_has_its_length() {
    let true_m: f64 = (1..5_400)
        .map(|second| {
            let (a, b) = (path(f64::from(second - 1)), path(f64::from(second)));
            (b.0 - a.0).hypot(b.1 - a.1)
        })
        .sum();
    for (sigma_m, wandering, step_s) in [(2.0, 0.5, 1), (4.0, 0.7, 1), (6.7, 0.7, 1), (4.0, 0.7, 5), (4.0, 0.7, 15), (10.0, 0.7, 1)] {
        for seed in 0..4 {
            let mut receiver = Receiver::new(seed, sigma_m, wandering);
            let mut odometer = Odometer::new();
            let mut raw_m = 0.0;
            let mut before: Option<LatLon> = None;
            for second in (0..5_400).step_by(step_s) {
                let (east, north, _) = path(f64::from(second));
                let fix = receiver.fix(east, north, f64::from(second), step_s as f64);
                raw_m += before.map_or(0.0, |before| step_m(before, fix.place));
                before = Some(fix.place);
                odometer.push(fix);
            }
            let off = odometer.distance_m() / true_m - 1.0;
            println!("spread {sigma_m} m every {step_s} s: {:+.1} % (added up: {:+.0} %)", off * 100.0, (raw_m / true_m - 1.0) * 100.0);
            assert!(off.abs() < 0.05, "{off}: seed {seed}, spread {sigma_m} m, every {step_s} s, true {true_m:.0} m");
        }
    }
}

fn at(lat: &str, minute: i64) -> Fix {
    Fix { place: LatLon::parse(lat, "105.08").expect("in range"), accuracy_m: Some(10.0), time_ms: Some(minute * 60_000) }
}

#[test]
fn check_ins_far_apart_count_at_once() {
    let mut odometer = Odometer::new();
    odometer.push(at("20.660", 0));
    odometer.push(at("20.662", 5));
    assert_eq!(odometer.distance_m().round(), 221.0);
    odometer.push(at("20.664", 10));
    assert_eq!(odometer.distance_m().round(), 443.0);
    odometer.push(at("20.664", 14));
    assert_eq!(odometer.distance_m().round(), 443.0);
    assert!(odometer.gaps().is_empty());
}

#[test]
fn nothing_is_counted_in_a_gap() {
    let mut odometer = Odometer::new();
    odometer.push(at("20.660", 0));
    odometer.push(at("20.662", 3));
    odometer.interrupt();
    odometer.push(at("20.672", 6));
    odometer.push(at("20.674", 9));
    odometer.push(at("20.684", 9 + 16));
    assert_eq!(odometer.distance_m().round(), 443.0);
    let kinds: Vec<GapKind> = odometer.gaps().iter().map(|gap| gap.kind).collect();
    assert_eq!(kinds, [GapKind::Interrupted, GapKind::Silence]);
    assert_eq!(odometer.gaps()[0].straight_m.round(), 1_107.0);
}

#[test]
fn a_single_fix_elsewhere_is_passed_over() {
    let mut odometer = Odometer::new();
    odometer.push(at("20.660", 0));
    odometer.push(at("20.662", 3));
    odometer.push(at("25.000", 4));
    odometer.push(at("20.664", 6));
    assert_eq!(odometer.distance_m().round(), 443.0);
    assert_eq!((odometer.passed_over(), odometer.gap_count()), (1, 0));
}

#[test]
fn a_jump_that_stays_is_a_gap() {
    let mut odometer = Odometer::new();
    for (lat, minute) in [("20.660", 0), ("20.662", 3), ("25.000", 4), ("25.002", 7), ("25.004", 10)] {
        odometer.push(at(lat, minute));
    }
    assert_eq!(odometer.gaps().iter().map(|gap| gap.kind).collect::<Vec<_>>(), [GapKind::Jump]);
    assert_eq!(odometer.distance_m().round(), 665.0, "before it and after it");
}

#[test]
fn useless_fixes_do_no_harm() {
    let mut odometer = Odometer::new();
    odometer.interrupt();
    odometer.push(Fix { accuracy_m: Some(5_000.0), ..at("20.660", 0) });
    odometer.push(Fix { accuracy_m: Some(f64::NAN), ..at("20.660", 1) });
    odometer.push(Fix { time_ms: Some(i64::MIN), ..at("20.662", 2) });
    odometer.push(Fix { time_ms: Some(i64::MAX), ..at("20.664", 3) });
    odometer.push(Fix { time_ms: None, accuracy_m: Some(-1.0), ..at("20.664", 3) });
    assert!(odometer.distance_m().is_finite());
    assert_eq!(odometer.passed_over(), 1);
}

#[test]
fn real_walks_keep_their_length() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/gpx");
    for name in ["Mojstrovka.gpx", "cerknicko-jezero.gpx", "korita-zbevnica.gpx", "track-with-extremes.gpx"] {
        let Ok(file) = fs::read(folder.join(name)) else {
            println!("skipped: {name} is not there");
            continue;
        };
        let recording = Recording::read(&file[..]).expect("a good file");
        let mut odometer = Odometer::new();
        let (mut smooth_m, mut raw_m) = (0.0, 0.0);
        for run in recording.segments() {
            let places: Vec<LatLon> = run.iter().map(|point| point.place).collect();
            let smooth: Vec<LatLon> = places.windows(3).map(|three| mean(three.iter().copied()).expect("three places")).collect();
            let ends = |smooth: &[LatLon]| match (places.first(), smooth.first(), smooth.last(), places.last()) {
                (Some(&a), Some(&b), Some(&c), Some(&d)) => step_m(a, b) + step_m(c, d),
                _ => 0.0,
            };
            smooth_m += smooth.windows(2).map(|two| step_m(two[0], two[1])).sum::<f64>() + ends(&smooth);
            raw_m += places.windows(2).map(|two| step_m(two[0], two[1])).sum::<f64>();
            odometer.interrupt();
            for point in run {
                odometer.push(Fix { place: point.place, accuracy_m: point.accuracy_m(), time_ms: point.time_ms });
            }
        }
        let off = odometer.distance_m() / smooth_m - 1.0;
        println!(
            "{name}: {:.0} m, smoothed {smooth_m:.0} m, added up {raw_m:.0} m, {:+.1} %, gaps {}, passed over {}",
            odometer.distance_m(),
            off * 100.0,
            odometer.gap_count(),
            odometer.passed_over()
        );
        // This one is drawn, not recorded: corners 100 m apart, which the mean of three would cut off.
        let off = if name == "track-with-extremes.gpx" { odometer.distance_m() / raw_m - 1.0 } else { off };
        assert!(off.abs() < 0.05, "{name}: {off}");
    }
}
