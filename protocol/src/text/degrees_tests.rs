//! What a coordinate's text may be, to the last digit.

use proptest::prelude::*;

use super::*;

fn lat(text: &str) -> Result<i32, DegreesError> {
    parse_degrees(text, Axis::Latitude)
}

#[test]
fn decimals_are_read_exactly() {
    assert_eq!(lat("20.66012"), Ok(206_601_200));
    assert_eq!(lat("46.434981000"), Ok(464_349_810));
    assert_eq!(lat("-0.0000001"), Ok(-1));
    assert_eq!(lat("+12"), Ok(120_000_000));
    assert_eq!(lat(" .5\n"), Ok(5_000_000));
    assert_eq!(lat("5."), Ok(50_000_000));
    assert_eq!(lat("00020.5"), Ok(205_000_000));
    // 45.3806095 cannot be written in binary single precision: the nearest is 45.380608 or 45.380611.
    assert_eq!(lat("45.3806095"), Ok(453_806_095));
}

#[test]
fn further_decimals_are_rounded_half_away_from_zero() {
    assert_eq!(lat("45.380600095"), Ok(453_806_001));
    assert_eq!(lat("0.00000005"), Ok(1));
    assert_eq!(lat("-0.00000005"), Ok(-1));
    assert_eq!(lat("0.000000049999999999999999999999"), Ok(0));
}

#[test]
fn exponents_of_careless_writers_are_read_exactly_too() {
    assert_eq!(lat("2.066012e1"), Ok(206_601_200));
    assert_eq!(lat("1E-7"), Ok(1));
    assert_eq!(lat("1e-400"), Ok(0));
    assert_eq!(lat("0e400"), Ok(0));
    assert_eq!(lat("1e400"), Err(DegreesError::OutOfRange(Axis::Latitude)));
    assert_eq!(lat("1e401"), Err(DegreesError::NotANumber(Axis::Latitude)));
    assert_eq!(lat("1e"), Err(DegreesError::NotANumber(Axis::Latitude)));
}

#[test]
fn the_range_is_judged_before_rounding() {
    assert_eq!(lat("90"), Ok(900_000_000));
    assert_eq!(lat("90.000000000"), Ok(900_000_000));
    assert_eq!(lat("90.00000001"), Err(DegreesError::OutOfRange(Axis::Latitude)));
    assert_eq!(lat("-91"), Err(DegreesError::OutOfRange(Axis::Latitude)));
    assert_eq!(parse_degrees("180", Axis::Longitude), Ok(1_800_000_000));
    assert_eq!(parse_degrees("181", Axis::Longitude), Err(DegreesError::OutOfRange(Axis::Longitude)));
    assert_eq!(lat("99999999999999999999999999"), Err(DegreesError::OutOfRange(Axis::Latitude)));
}

#[test]
fn what_is_no_number_is_refused_in_one_sentence() {
    for text in ["NaN", "inf", "-inf", "1.2.3", "--1", "20°39'36\"", "0x10", "½", "٢٠", "1 2", "-", ".", &"1".repeat(65)] {
        assert_eq!(lat(text), Err(DegreesError::NotANumber(Axis::Latitude)), "{text}");
    }
    assert_eq!(lat("  "), Err(DegreesError::Empty(Axis::Latitude)));
    assert_eq!(lat("20,66"), Err(DegreesError::Comma(Axis::Latitude)));
    assert_eq!(DegreesError::OutOfRange(Axis::Longitude).to_string(), "the longitude is out of range: it lies between -180 and 180");
}

#[test]
fn places_are_shown_with_points_and_five_decimals() {
    let place = LatLon::parse("20.66012", "105.08345").expect("in range");
    assert_eq!(place.to_string(), "20.66012, 105.08345");
    let near_zero = LatLon::from_e7(-49, -51).expect("in range");
    assert_eq!(near_zero.to_string(), "0.00000, -0.00001");
    assert!(LatLon::from_e7(i32::MIN, 0).is_err());
    assert!(LatLon::from_e7(0, i32::MAX).is_err());
}

#[test]
fn distances_are_shown_as_people_say_them() {
    let vi = |metres| distance_text(metres, NumberStyle::Vietnamese);
    assert_eq!(vi(0.0), "0 m");
    assert_eq!(vi(999.4), "999 m");
    assert_eq!(vi(999.6), "1,0 km");
    assert_eq!(vi(1_249.0), "1,2 km");
    assert_eq!(vi(3_400.0), "3,4 km");
    assert_eq!(vi(99_960.0), "100 km");
    assert_eq!(vi(1_482_000.0), "1.482 km");
    assert_eq!(distance_text(1_482_000.0, NumberStyle::English), "1,482 km");
    assert_eq!(distance_text(1_234.0, NumberStyle::English), "1.2 km");
    assert_eq!(vi(f64::NAN), "0 m");
    assert_eq!(vi(-5.0), "0 m");
}

#[test]
fn the_sphere_is_near_enough_for_a_sentence() {
    let hanoi = LatLon::parse("21.0285", "105.8542").expect("in range");
    let saigon = LatLon::parse("10.7769", "106.7009").expect("in range");
    let metres = hanoi.sphere_distance_m(saigon);
    assert!((1_137_000.0..1_145_000.0).contains(&metres), "{metres}");
    assert_eq!(hanoi.sphere_distance_m(hanoi), 0.0);
}

proptest! {
    #[test]
    fn every_stored_coordinate_reads_back(lat_e7 in -900_000_000..=900_000_000_i32, lon_e7 in -1_800_000_000..=1_800_000_000_i32) {
        prop_assert_eq!(parse_degrees(&exact_degrees(lat_e7), Axis::Latitude), Ok(lat_e7));
        prop_assert_eq!(parse_degrees(&exact_degrees(lon_e7), Axis::Longitude), Ok(lon_e7));
        let place = LatLon::from_e7(lat_e7, lon_e7);
        prop_assert_eq!(LatLon::parse(&exact_degrees(lat_e7), &exact_degrees(lon_e7)), place);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,20}|[-+0-9.eE,]{0,20}") {
        let _ = parse_degrees(&text, Axis::Longitude);
        let _ = parse_scaled(&text, 2, i64::MAX);
    }
}
