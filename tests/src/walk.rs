//! Walks for benchmarks: along a recorded track where there is one, never twice over the same spot.

use std::path::Path;

use yenban_core::app::Place;
use yenban_protocol::record::Provider;

/// Where a walk goes.
#[derive(Debug)]
pub struct Walk {
    name: String,
    points_e7: Vec<(i32, i32)>,
}

impl Walk {
    /// The points of a recorded track, or of a made one where there is no file.
    pub fn read(track: &Path) -> Walk {
        let text = std::fs::read_to_string(track).unwrap_or_default();
        let points: Vec<(i32, i32)> = text.split("<trkpt").skip(1).filter_map(point).collect();
        if points.is_empty() {
            let mut noise = Noise::new(7);
            let mut at = (206_600_000, 1_050_800_000);
            let mut points_e7 = Vec::new();
            for _ in 0..1_000 {
                at = (at.0 + 900 + noise.around(1_500), at.1 + 700 + noise.around(1_500));
                points_e7.push(at);
            }
            return Walk { name: "on a made track".into(), points_e7 };
        }
        let name = track.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        Walk { name: format!("along {name} ({} points)", points.len()), points_e7: points }
    }

    /// What it is along, for a table's head.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The `n`-th stop: there and back again, never exactly where one stood before.
    pub fn place(&self, n: usize, noise: &mut Noise) -> Place {
        let lap = self.points_e7.len();
        let index = if (n / lap).is_multiple_of(2) { n % lap } else { lap - 1 - n % lap };
        let (lat, lon) = self.points_e7[index];
        let mut place = Place::new(lat + noise.around(300), lon + noise.around(300), Provider::Gnss);
        place.accuracy_cm = Some(380 + 101 * noise.below(12));
        place.fix_age_ms = Some(noise.below(1_000));
        place
    }
}

fn point(text: &str) -> Option<(i32, i32)> {
    let degrees = |name: &str| {
        let value = text.split_once(name)?.1.split('"').nth(1)?;
        Some((value.parse::<f64>().ok()? * 1e7).round() as i32)
    };
    Some((degrees("lat=")?, degrees("lon=")?))
}

/// Small repeatable noise.
#[derive(Debug)]
pub struct Noise(u64);

impl Noise {
    /// Noise that is the same for the same seed.
    pub fn new(seed: u64) -> Noise {
        Noise(seed)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % end
    }

    /// A number from `-reach` to `reach`.
    pub fn around(&mut self, reach: i32) -> i32 {
        self.below((2 * reach + 1) as u32) as i32 - reach
    }
}
