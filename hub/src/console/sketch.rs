//! A map sketch without a map: where a patrol was, drawn by the server as inline SVG, with a scale and north, and
//! with honest ends where the place is not known. A line never crosses a gap.
//!
//! Drawn in units that fit a narrow phone; the style sheet makes marks and letters finer on wide screens. No style
//! stands in the drawing itself, because the pages' policy allows none.

use std::fmt::Write as _;

use yenban_locales::Words;

use crate::exchange::track::{Fix, Track, distance_m};
use crate::limits::{SKETCH_DOTS_MAX, SKETCH_GAP_WORDS_MAX};

/// Width of the drawing, in its own units.
const WIDTH: f64 = 360.0;
/// Height of the drawing.
const HEIGHT: f64 = 300.0;
/// Free border, so that caps, words and circles stay inside.
const BORDER: f64 = 40.0;
/// Ground shown at least, metres: a patrol around one house is not blown up to noise.
const LEAST_GROUND_M: f64 = 120.0;
/// Longest scale bar, in units.
const SCALE_MAX: f64 = 110.0;
/// Half the length of a gap's cap, in units.
const CAP: f64 = 7.0;
/// Accuracy circles smaller than this would hide behind their dot.
const CIRCLE_LEAST: f64 = 4.0;

/// An incident on a sketch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mark {
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lon: f64,
    /// Metres.
    pub accuracy_m: Option<f64>,
    /// Drawn as the urgent shape.
    pub urgent: bool,
    /// Its words.
    pub label: String,
}

/// Metres east and south of the middle, to units of the drawing.
struct Ground {
    lat: f64,
    lon: f64,
    east_m_per_degree: f64,
    north_m_per_degree: f64,
    units_per_m: f64,
}

impl Ground {
    fn of(places: &[(f64, f64)]) -> Option<Self> {
        let (first, rest) = places.split_first()?;
        let mut low = *first;
        let mut high = *first;
        for place in rest {
            low = (low.0.min(place.0), low.1.min(place.1));
            high = (high.0.max(place.0), high.1.max(place.1));
        }
        let (lat, lon) = (f64::midpoint(low.0, high.0), f64::midpoint(low.1, high.1));
        let north_m_per_degree = distance_m((lat - 0.5, lon), (lat + 0.5, lon)).max(1.0);
        // Near a pole a degree east is nothing; the sketch then only stays finite.
        let east_m_per_degree = (north_m_per_degree * lat.to_radians().cos()).max(1.0);
        let wide_m = ((high.1 - low.1) * east_m_per_degree).max(LEAST_GROUND_M);
        let high_m = ((high.0 - low.0) * north_m_per_degree).max(LEAST_GROUND_M);
        let units_per_m = ((WIDTH - 2.0 * BORDER) / wide_m).min((HEIGHT - 2.0 * BORDER) / high_m);
        Some(Self { lat, lon, east_m_per_degree, north_m_per_degree, units_per_m })
    }

    fn at(&self, lat: f64, lon: f64) -> (f64, f64) {
        let x = WIDTH / 2.0 + (lon - self.lon) * self.east_m_per_degree * self.units_per_m;
        let y = HEIGHT / 2.0 - (lat - self.lat) * self.north_m_per_degree * self.units_per_m;
        (x, y)
    }

    fn circle(&self, accuracy_m: Option<f64>) -> Option<f64> {
        // A circle larger than the sketch says no more than one as large as the sketch.
        accuracy_m.map(|m| (m * self.units_per_m).min(WIDTH)).filter(|r| *r >= CIRCLE_LEAST)
    }
}

/// The sketch as SVG, or `None` when no place is known. `title` is its spoken name.
pub(super) fn draw(track: &Track, marks: &[Mark], title: &str, words: Words) -> Option<String> {
    let fixes = || track.stretches.iter().flatten();
    let places: Vec<(f64, f64)> = fixes().map(|fix| (fix.lat, fix.lon)).chain(marks.iter().map(|m| (m.lat, m.lon))).collect();
    let ground = Ground::of(&places)?;
    let mut svg = Svg::begin(title);
    let every = places.len().div_ceil(SKETCH_DOTS_MAX).max(1);
    for fix in fixes().step_by(every) {
        svg.circle(&ground, fix.lat, fix.lon, fix.accuracy_m);
    }
    for mark in marks {
        svg.circle(&ground, mark.lat, mark.lon, mark.accuracy_m);
    }
    for stretch in &track.stretches {
        svg.line(&ground, stretch);
    }
    for fix in fixes().step_by(every) {
        let (x, y) = ground.at(fix.lat, fix.lon);
        svg.add(format_args!("<circle class=\"dot\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"));
    }
    svg.ends(&ground, track, words);
    for (index, gap) in track.gaps.iter().enumerate() {
        let said = (index < SKETCH_GAP_WORDS_MAX).then(|| words.unknown_between(gap.from.at_ms, gap.to.at_ms));
        svg.gap(&ground, track, index, said.as_deref());
    }
    for mark in marks {
        svg.mark(&ground, mark);
    }
    svg.scale_and_north(&ground, words);
    Some(svg.end())
}

struct Svg(String);

impl Svg {
    fn begin(title: &str) -> Self {
        let mut svg = Self(String::new());
        let title = escaped(title);
        svg.add(format_args!(
            "<svg class=\"sketch\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\" xmlns=\"http://www.w3.org/2000/svg\">\
             <rect class=\"ground\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"8\"/>"
        ));
        svg
    }

    fn add(&mut self, part: std::fmt::Arguments<'_>) {
        self.0.write_fmt(part).expect("a String takes every write");
    }

    fn end(mut self) -> String {
        self.0.push_str("</svg>");
        self.0
    }

    fn circle(&mut self, ground: &Ground, lat: f64, lon: f64, accuracy_m: Option<f64>) {
        if let Some(r) = ground.circle(accuracy_m) {
            let (x, y) = ground.at(lat, lon);
            self.add(format_args!("<circle class=\"accuracy\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"{r:.1}\"/>"));
        }
    }

    fn line(&mut self, ground: &Ground, stretch: &[Fix]) {
        if stretch.len() < 2 {
            return;
        }
        self.0.push_str("<polyline class=\"way\" points=\"");
        for fix in stretch {
            let (x, y) = ground.at(fix.lat, fix.lon);
            self.add(format_args!("{x:.1},{y:.1} "));
        }
        self.0.push_str("\"/>");
    }

    /// First and last known place, by shape and word.
    fn ends(&mut self, ground: &Ground, track: &Track, words: Words) {
        let first = track.stretches.first().and_then(|stretch| stretch.first());
        let last = track.stretches.last().and_then(|stretch| stretch.last());
        let (Some(first), Some(last)) = (first, last) else { return };
        let (x, y) = ground.at(first.lat, first.lon);
        self.add(format_args!("<circle class=\"start\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"6\"/>"));
        self.words(x, y + 18.0, &words.word("console-sketch-start"));
        if first.row != last.row {
            let (x, y) = ground.at(last.lat, last.lon);
            self.add(format_args!("<rect class=\"finish\" x=\"{:.1}\" y=\"{:.1}\" width=\"10\" height=\"10\"/>", x - 5.0, y - 5.0));
            self.words(x, y - 10.0, &words.word("console-sketch-end"));
        }
    }

    /// Two caps where the known way stops and goes on, and the words beside the first.
    fn gap(&mut self, ground: &Ground, track: &Track, index: usize, said: Option<&str>) {
        let Some(gap) = track.gaps.get(index) else { return };
        let from = ground.at(gap.from.lat, gap.from.lon);
        let to = ground.at(gap.to.lat, gap.to.lon);
        let before = track.stretches.get(index).and_then(|s| s.len().checked_sub(2).and_then(|at| s.get(at)));
        let after = track.stretches.get(index + 1).and_then(|s| s.get(1));
        // A cap stands across the way that ends there; without a way, across the direction of the gap.
        let across = |at: (f64, f64), other: Option<&Fix>, else_to: (f64, f64)| {
            let (x, y) = other.map_or(else_to, |fix| ground.at(fix.lat, fix.lon));
            let (dx, dy) = (x - at.0, y - at.1);
            let long = dx.hypot(dy);
            if long < 0.1 { (0.0, CAP) } else { (-dy / long * CAP, dx / long * CAP) }
        };
        for (at, (dx, dy)) in [(from, across(from, before, to)), (to, across(to, after, from))] {
            self.add(format_args!(
                "<line class=\"cap\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\"/>",
                at.0 - dx,
                at.1 - dy,
                at.0 + dx,
                at.1 + dy
            ));
        }
        if let Some(said) = said {
            let (x, y) = (f64::midpoint(from.0, to.0), f64::midpoint(from.1, to.1));
            self.classed("words unknown", x, y + 4.0, said);
        }
    }

    fn mark(&mut self, ground: &Ground, mark: &Mark) {
        let (x, y) = ground.at(mark.lat, mark.lon);
        if mark.urgent {
            let corners = [(-4.0, -9.0), (4.0, -9.0), (9.0, -4.0), (9.0, 4.0), (4.0, 9.0), (-4.0, 9.0), (-9.0, 4.0), (-9.0, -4.0)];
            self.0.push_str("<polygon class=\"incident urgent\" points=\"");
            for (dx, dy) in corners {
                self.add(format_args!("{:.1},{:.1} ", x + dx, y + dy));
            }
            self.0.push_str("\"/>");
            self.add(format_args!("<text class=\"on-urgent\" x=\"{x:.1}\" y=\"{:.1}\">!!</text>", y + 4.5));
        } else {
            self.add(format_args!(
                "<rect class=\"incident\" x=\"{:.1}\" y=\"{:.1}\" width=\"15\" height=\"15\" rx=\"2\"/>",
                x - 7.5,
                y - 7.5
            ));
        }
        self.words(x, y - 13.0, &mark.label);
    }

    /// Words centred at a place, kept inside the drawing, on a halo of the ground's colour.
    fn words(&mut self, x: f64, y: f64, words: &str) {
        self.classed("words", x, y, words);
    }

    fn classed(&mut self, class: &str, x: f64, y: f64, words: &str) {
        let anchor = if x < WIDTH * 0.3 {
            "start"
        } else if x > WIDTH * 0.7 {
            "end"
        } else {
            "middle"
        };
        let x = x.clamp(6.0, WIDTH - 6.0);
        let y = y.clamp(16.0, HEIGHT - 8.0);
        let words = escaped(words);
        self.add(format_args!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"));
    }

    fn scale_and_north(&mut self, ground: &Ground, words: Words) {
        let metres = round_length(SCALE_MAX / ground.units_per_m);
        let long = metres * ground.units_per_m;
        let (x, y) = (12.0, HEIGHT - 12.0);
        self.add(format_args!("<path class=\"scale\" d=\"M{x} {:.1}v5h{long:.1}v-5\"/>", y - 5.0));
        let said = escaped(&words.distance(metres));
        self.add(format_args!("<text class=\"words\" x=\"{:.1}\" y=\"{y:.1}\">{said}</text>", x + long + 6.0));
        let (x, y) = (WIDTH - 20.0, 14.0);
        self.add(format_args!("<path class=\"north\" d=\"M{x} {y}l-6 16 6 -4 6 4z\"/>"));
        let said = escaped(&words.word("console-sketch-north"));
        self.add(format_args!("<text class=\"words\" x=\"{x}\" y=\"{}\" text-anchor=\"middle\">{said}</text>", y + 30.0));
    }
}

/// The largest of 1, 2, 5 times a power of ten that is at most `metres`.
fn round_length(metres: f64) -> f64 {
    let power = 10f64.powf(metres.max(1.0).log10().floor());
    [5.0, 2.0, 1.0].into_iter().map(|step| step * power).find(|length| *length <= metres).unwrap_or(1.0)
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use yenban_locales::Lang;

    use super::*;
    use crate::exchange::track::tests::check_in;

    const VI: fn() -> Words = || Words::for_pages(Lang::Vi);

    #[test]
    fn no_line_crosses_a_gap_and_the_gap_is_said() {
        let rows = [
            check_in(2, 0, Some((20.6600, 105.0830))),
            check_in(3, 5, Some((20.6610, 105.0840))),
            check_in(4, 40, Some((20.6650, 105.0880))),
            check_in(5, 45, Some((20.6660, 105.0890))),
        ];
        let svg = draw(&Track::of(&rows), &[], "Ca tuần", VI()).unwrap();
        assert_eq!(svg.matches("<polyline").count(), 2);
        for line in svg.split("<polyline").skip(1) {
            assert_eq!(line.split("/>").next().unwrap().matches(',').count(), 2, "two places a line");
        }
        assert_eq!(svg.matches("class=\"cap\"").count(), 2);
        assert!(svg.contains("không rõ"), "{svg}");
        assert!(svg.contains("20:05") && svg.contains("20:40"));
    }

    #[test]
    fn everything_lies_inside_the_drawing() {
        for rows in [
            vec![check_in(2, 0, Some((90.0, 180.0)))],
            vec![check_in(2, 0, Some((20.66, 105.08))), check_in(3, 1, Some((20.66, 105.08)))],
            vec![check_in(2, 0, Some((-90.0, -180.0))), check_in(3, 1, Some((90.0, 180.0)))],
        ] {
            let svg = draw(&Track::of(&rows), &[], "x", VI()).unwrap();
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
            for part in svg.split("cx=\"").skip(1) {
                let x: f64 = part.split('"').next().unwrap().parse().unwrap();
                assert!((0.0..=WIDTH).contains(&x), "{x}");
            }
        }
        assert_eq!(draw(&Track::default(), &[], "x", VI()), None);
    }

    #[test]
    fn incidents_differ_by_shape_and_their_words_are_escaped() {
        let mark = |urgent| Mark { lat: 20.66, lon: 105.08, accuracy_m: Some(30.0), urgent, label: "<script>\"&".into() };
        let svg = draw(&Track::default(), &[mark(true), mark(false)], "a\"b", VI()).unwrap();
        assert!(svg.contains("<polygon class=\"incident urgent\"") && svg.contains("<rect class=\"incident\""));
        assert!(!svg.contains("<script") && svg.contains("&lt;script&gt;&quot;&amp;") && svg.contains("a&quot;b"));
        assert!(!svg.contains("style="));
    }

    #[test]
    fn ten_thousand_check_ins_make_a_bounded_drawing() {
        let rows: Vec<_> =
            (0..10_000).map(|n| check_in(n, n as i64 / 60, Some((20.66 + n as f64 * 1e-6, 105.08 + (n % 50) as f64 * 1e-5)))).collect();
        let svg = draw(&Track::of(&rows), &[], "x", VI()).unwrap();
        assert!(svg.matches("<circle class=\"dot\"").count() <= SKETCH_DOTS_MAX);
        assert!(svg.len() < 400_000, "{}", svg.len());
    }

    #[test]
    fn scale_bars_are_round() {
        for (at_most, round) in [(1_234.0, 1_000.0), (99.0, 50.0), (25.0, 20.0), (1.0, 1.0), (0.2, 1.0)] {
            assert_eq!(round_length(at_most), round);
        }
    }
}
