//! Coordinates and distances as text: read exactly, shown as SCREENS section 7 asks.
//!
//! A coordinate is a whole number of 1e-7 degree (about a centimetre) from the first reading to the last export.
//! Reading goes over decimal digits, never over binary fractions, so what a file says is what is stored.

use std::fmt;

/// Units of a stored coordinate in one degree.
pub const UNITS_PER_DEGREE: i32 = 10_000_000;
/// Decimals that are kept; further ones are rounded, a half away from zero.
const DECIMALS_KEPT: i64 = 7;
/// Longest text that is read as a number: no honest coordinate is longer.
const NUMBER_BYTES_MAX: usize = 64;
/// Largest power of ten a number in exponent form may carry, either way.
const EXPONENT_MAX: i64 = 400;

/// Which of the two a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Axis {
    /// North positive, ±90°.
    Latitude,
    /// East positive, ±180°.
    Longitude,
}

impl Axis {
    /// The largest magnitude, in 1e-7 degree.
    pub const fn most_e7(self) -> i32 {
        match self {
            Axis::Latitude => 90 * UNITS_PER_DEGREE,
            Axis::Longitude => 180 * UNITS_PER_DEGREE,
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Axis::Latitude => "latitude",
            Axis::Longitude => "longitude",
        })
    }
}

/// Why a text is no coordinate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DegreesError {
    /// Nothing there.
    Empty(Axis),
    /// A decimal comma, which coordinates do not use.
    Comma(Axis),
    /// Not a decimal number; also NaN, infinity, degree signs and texts longer than any coordinate.
    NotANumber(Axis),
    /// A number beyond ±90° or ±180°.
    OutOfRange(Axis),
}

impl fmt::Display for DegreesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty(axis) => write!(f, "the {axis} is missing"),
            Self::Comma(axis) => write!(f, "the {axis} is written with a comma: write it with a point, as 20.66012"),
            Self::NotANumber(axis) => {
                write!(f, "the {axis} is not a number of degrees: write it as 20.66012, south and west with a minus")
            }
            Self::OutOfRange(axis) => {
                write!(f, "the {axis} is out of range: it lies between -{0} and {0}", axis.most_e7() / UNITS_PER_DEGREE)
            }
        }
    }
}

impl std::error::Error for DegreesError {}

/// Reads decimal degrees exactly into 1e-7 degree: `"20.66012"` is `206_601_200`.
///
/// # Errors
/// [`DegreesError`] says what is wrong; the range is judged before rounding, so 90.00000001 is out of range.
///
/// ```
/// use yenban_protocol::text::degrees::{Axis, parse_degrees};
/// assert_eq!(parse_degrees("105.08345", Axis::Longitude), Ok(1_050_834_500));
/// assert!(parse_degrees("91", Axis::Latitude).is_err());
/// ```
pub fn parse_degrees(text: &str, axis: Axis) -> Result<i32, DegreesError> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Err(DegreesError::Empty(axis));
    }
    let number = Decimal::parse(text).ok_or_else(|| {
        let with_point = text.replace(',', ".");
        match text.contains(',') && text.len() <= NUMBER_BYTES_MAX && Decimal::parse(&with_point).is_some() {
            true => DegreesError::Comma(axis),
            false => DegreesError::NotANumber(axis),
        }
    })?;
    number.scaled(DECIMALS_KEPT, i64::from(axis.most_e7())).and_then(|e7| i32::try_from(e7).ok()).ok_or(DegreesError::OutOfRange(axis))
}

/// Reads any decimal number exactly, scaled by a power of ten and rounded: `parse_scaled("4.97", 2, 1000)` is 497.
/// `None` when the text is no number or its magnitude passes `most`.
pub fn parse_scaled(text: &str, decimals: u8, most: i64) -> Option<i64> {
    Decimal::parse(text.trim_matches([' ', '\t', '\r', '\n']))?.scaled(i64::from(decimals), most)
}

/// A decimal number as its digits: `0.digits * 10^point`, the digits without superfluous zeros.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        if text.len() > NUMBER_BYTES_MAX {
            return None;
        }
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return None;
        }
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let mut digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let mut point = i64::try_from(whole.len()).ok()? + exponent;
        let zeros = digits.iter().take_while(|&&digit| digit == 0).count();
        digits.drain(..zeros);
        point -= i64::try_from(zeros).ok()?;
        while digits.last() == Some(&0) {
            digits.pop();
        }
        Some(Decimal { negative, digits, point })
    }

    /// The value times `10^decimals`, a half rounded away from zero; `None` when the exact magnitude passes `most`.
    fn scaled(&self, decimals: i64, most: i64) -> Option<i64> {
        let kept = self.point + decimals;
        let mut value: i64 = 0;
        let mut remainder = false;
        let mut half = false;
        for (place, &digit) in (0_i64..).zip(&self.digits) {
            if place < kept {
                value = value.checked_mul(10)?.checked_add(i64::from(digit))?;
            } else {
                half |= place == kept && digit >= 5;
                remainder |= digit != 0;
            }
        }
        let written = i64::try_from(self.digits.len()).ok()?;
        for _ in written..kept {
            if value == 0 {
                break;
            }
            value = value.checked_mul(10)?;
        }
        if value > most || (value == most && remainder) {
            return None;
        }
        value += i64::from(half);
        Some(if self.negative { -value } else { value })
    }
}

fn parse_exponent(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.is_empty() || unsigned.len() > 4 || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let exponent: i64 = unsigned.parse().ok()?;
    (exponent <= EXPONENT_MAX).then_some(if text.starts_with('-') { -exponent } else { exponent })
}

/// A place on the earth, WGS 84, in 1e-7 degree. Only made in range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LatLon {
    lat_e7: i32,
    lon_e7: i32,
}

impl LatLon {
    /// A place from stored numbers.
    ///
    /// # Errors
    /// [`DegreesError::OutOfRange`] for the axis that is beyond its range.
    pub fn from_e7(lat_e7: i32, lon_e7: i32) -> Result<LatLon, DegreesError> {
        for (value, axis) in [(lat_e7, Axis::Latitude), (lon_e7, Axis::Longitude)] {
            if value.unsigned_abs() > axis.most_e7().unsigned_abs() {
                return Err(DegreesError::OutOfRange(axis));
            }
        }
        Ok(LatLon { lat_e7, lon_e7 })
    }

    /// A place from two texts, such as `--lat 20.66 --lon 105.08` or the attributes of a track point.
    ///
    /// # Errors
    /// The first of the two that is no coordinate.
    pub fn parse(lat: &str, lon: &str) -> Result<LatLon, DegreesError> {
        Ok(LatLon { lat_e7: parse_degrees(lat, Axis::Latitude)?, lon_e7: parse_degrees(lon, Axis::Longitude)? })
    }

    /// Degrees north times 1e7.
    pub fn lat_e7(self) -> i32 {
        self.lat_e7
    }

    /// Degrees east times 1e7.
    pub fn lon_e7(self) -> i32 {
        self.lon_e7
    }

    /// Degrees north, for reckoning; text and storage use the whole numbers.
    pub fn lat(self) -> f64 {
        f64::from(self.lat_e7) / f64::from(UNITS_PER_DEGREE)
    }

    /// Degrees east, for reckoning.
    pub fn lon(self) -> f64 {
        f64::from(self.lon_e7) / f64::from(UNITS_PER_DEGREE)
    }

    /// Great-circle distance in metres on a sphere of the mean radius: good for ranking and sentences (within 0.6 %),
    /// not for adding up a walk.
    pub fn sphere_distance_m(self, other: LatLon) -> f64 {
        const MEAN_RADIUS_M: f64 = 6_371_008.8;
        let (lat_a, lat_b) = (self.lat().to_radians(), other.lat().to_radians());
        let half_lat = ((lat_b - lat_a) / 2.0).sin();
        let half_lon = ((other.lon() - self.lon()).to_radians() / 2.0).sin();
        let h = half_lat * half_lat + lat_a.cos() * lat_b.cos() * half_lon * half_lon;
        2.0 * MEAN_RADIUS_M * h.sqrt().min(1.0).asin()
    }
}

/// As on screens: five decimals (a metre), with points in every language: `20.66012, 105.08345`.
impl fmt::Display for LatLon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", five_decimals(self.lat_e7), five_decimals(self.lon_e7))
    }
}

fn five_decimals(e7: i32) -> String {
    let rounded = (u64::from(e7.unsigned_abs()) + 50) / 100;
    let sign = if e7 < 0 && rounded != 0 { "-" } else { "" };
    format!("{sign}{}.{:05}", rounded / 100_000, rounded % 100_000)
}

/// All that is stored, for files and machines: `20.66012` has no superfluous zeros, and reads back exactly.
///
/// ```
/// use yenban_protocol::text::degrees::exact_degrees;
/// assert_eq!(exact_degrees(206_601_200), "20.66012");
/// assert_eq!(exact_degrees(-1), "-0.0000001");
/// ```
pub fn exact_degrees(e7: i32) -> String {
    let magnitude = e7.unsigned_abs();
    let units = UNITS_PER_DEGREE.unsigned_abs();
    let sign = if e7 < 0 { "-" } else { "" };
    let fraction = format!("{:07}", magnitude % units);
    match fraction.trim_end_matches('0') {
        "" => format!("{sign}{}", magnitude / units),
        decimals => format!("{sign}{}.{decimals}", magnitude / units),
    }
}

/// How numbers are written: the decimal and the thousands mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NumberStyle {
    /// `1,2 km`, `1.482 km`.
    Vietnamese,
    /// `1.2 km`, `1,482 km`.
    English,
}

/// A distance as on screens: whole metres below a kilometre, then kilometres with one decimal, whole from 100 km.
/// Negative and impossible distances are shown as 0 m.
///
/// ```
/// use yenban_protocol::text::degrees::{NumberStyle, distance_text};
/// assert_eq!(distance_text(850.2, NumberStyle::Vietnamese), "850 m");
/// assert_eq!(distance_text(1_234.0, NumberStyle::Vietnamese), "1,2 km");
/// ```
pub fn distance_text(metres: f64, style: NumberStyle) -> String {
    // The circumference of the earth bounds every distance, and the casts below.
    let metres = if metres.is_finite() { metres.clamp(0.0, 40_100_000.0) } else { 0.0 };
    let whole_metres = metres.round() as u64;
    if whole_metres < 1_000 {
        return format!("{whole_metres} m");
    }
    let tenths = (metres / 100.0).round() as u64;
    let (decimal, thousands) = match style {
        NumberStyle::Vietnamese => (',', '.'),
        NumberStyle::English => ('.', ','),
    };
    if tenths < 1_000 {
        return format!("{}{decimal}{} km", tenths / 10, tenths % 10);
    }
    let km = (metres / 1_000.0).round() as u64;
    match km / 1_000 {
        0 => format!("{km} km"),
        thousand => format!("{thousand}{thousands}{:03} km", km % 1_000),
    }
}

#[cfg(test)]
#[path = "degrees_tests.rs"]
mod tests;
