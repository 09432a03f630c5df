//! Boxes: what a map shows, what a walk covers.

use yenban_protocol::text::degrees::{Axis, LatLon};

/// A box between two parallels and two meridians, edges included. It never crosses the date line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    south_e7: i32,
    west_e7: i32,
    north_e7: i32,
    east_e7: i32,
}

/// Metres of one degree of latitude, the shortest it gets; a box grown with it is never too small.
const LEAST_DEGREE_M: f64 = 110_574.0;

impl Bounds {
    /// The box with these two corners, whichever they are.
    pub fn of_corners(a: LatLon, b: LatLon) -> Bounds {
        Bounds {
            south_e7: a.lat_e7().min(b.lat_e7()),
            west_e7: a.lon_e7().min(b.lon_e7()),
            north_e7: a.lat_e7().max(b.lat_e7()),
            east_e7: a.lon_e7().max(b.lon_e7()),
        }
    }

    /// The smallest box around all places; `None` when there are none.
    pub fn of(places: impl IntoIterator<Item = LatLon>) -> Option<Bounds> {
        let mut places = places.into_iter();
        let first = places.next()?;
        Some(places.fold(Bounds::of_corners(first, first), |bounds, place| bounds.with(place)))
    }

    /// The smallest box around this one and a place.
    pub fn with(self, place: LatLon) -> Bounds {
        Bounds {
            south_e7: self.south_e7.min(place.lat_e7()),
            west_e7: self.west_e7.min(place.lon_e7()),
            north_e7: self.north_e7.max(place.lat_e7()),
            east_e7: self.east_e7.max(place.lon_e7()),
        }
    }

    /// The box with at least `metres` more on every side, within the earth's degrees. Negative metres add nothing.
    pub fn grown(self, metres: f64) -> Bounds {
        let degrees = metres.max(0.0) / LEAST_DEGREE_M;
        let farthest = f64::from(self.north_e7.unsigned_abs().max(self.south_e7.unsigned_abs())) / 1e7;
        let narrowing = (farthest + degrees).min(89.9).to_radians().cos();
        let north = e7(degrees);
        let east = e7(degrees / narrowing);
        let within = |value: i32, axis: Axis| value.clamp(-axis.most_e7(), axis.most_e7());
        Bounds {
            south_e7: within(self.south_e7.saturating_sub(north), Axis::Latitude),
            west_e7: within(self.west_e7.saturating_sub(east), Axis::Longitude),
            north_e7: within(self.north_e7.saturating_add(north), Axis::Latitude),
            east_e7: within(self.east_e7.saturating_add(east), Axis::Longitude),
        }
    }

    /// Whether a place lies in the box.
    pub fn contains(self, place: LatLon) -> bool {
        (self.south_e7..=self.north_e7).contains(&place.lat_e7()) && (self.west_e7..=self.east_e7).contains(&place.lon_e7())
    }

    /// Whether two boxes have a place in common.
    pub fn intersects(self, other: Bounds) -> bool {
        self.south_e7 <= other.north_e7 && other.south_e7 <= self.north_e7 && self.west_e7 <= other.east_e7 && other.west_e7 <= self.east_e7
    }

    /// The corner with the least numbers.
    pub fn south_west(self) -> LatLon {
        LatLon::from_e7(self.south_e7, self.west_e7).expect("a box is made of places")
    }

    /// The corner with the greatest numbers.
    pub fn north_east(self) -> LatLon {
        LatLon::from_e7(self.north_e7, self.east_e7).expect("a box is made of places")
    }
}

fn e7(degrees: f64) -> i32 {
    // The cast saturates, and a box is then clamped to the earth.
    (degrees * 1e7).ceil() as i32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::place::distance_m;

    fn place(lat: &str, lon: &str) -> LatLon {
        LatLon::parse(lat, lon).expect("in range")
    }

    #[test]
    fn a_box_holds_its_places_and_no_others() {
        let bounds = Bounds::of([place("20.6", "105.1"), place("20.7", "105.0")]).expect("two places");
        assert!(bounds.contains(place("20.6", "105.0")), "edges belong to it");
        assert!(!bounds.contains(place("20.7000001", "105.0")));
        assert_eq!(bounds.south_west(), place("20.6", "105.0"));
        assert_eq!(bounds.north_east(), place("20.7", "105.1"));
        assert_eq!(Bounds::of([]), None);
    }

    #[test]
    fn a_grown_box_reaches_as_far_as_asked() {
        let here = place("20.66012", "105.08345");
        let bounds = Bounds::of_corners(here, here).grown(1_000.0);
        for edge in [place("20.66012", "105.0929"), place("20.6691", "105.08345")] {
            assert!(bounds.contains(edge) && distance_m(here, edge) < 1_000.0, "{edge}");
        }
        assert!(distance_m(here, bounds.north_east()) < 1_450.0);
        let pole = Bounds::of_corners(place("89.9999", "10"), place("89.9999", "10")).grown(1e12);
        assert_eq!((pole.north_e7, pole.east_e7), (900_000_000, 1_800_000_000));
    }

    #[test]
    fn boxes_meet_at_their_edges() {
        let bounds = |a, b| Bounds::of_corners(a, b);
        let left = bounds(place("20", "105"), place("21", "106"));
        assert!(left.intersects(bounds(place("21", "106"), place("22", "107"))));
        assert!(!left.intersects(bounds(place("21.1", "105"), place("22", "106"))));
    }
}
