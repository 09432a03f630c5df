//! Numbers, dates, distances and sizes as a reader in the hamlet or at the commune expects them:
//! 22/11/2026 21:52, 1.482, 1,2 km, 1,1 MB; in English with a decimal point.
//!
//! Times are always those of Vietnam (+07:00, no summer time), whatever the machine believes, so
//! that a phone, the console and a printed page name the same minute.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};

use crate::{Lang, Words};

/// Vietnam keeps +07:00 all year.
const VIETNAM: Offset = Offset::constant(7);
/// Below this a distance is told in metres.
const KILOMETRE_M: f64 = 1_000.0;
/// Storage is told in decimal units, as phones and their boxes do.
const BYTE_STEP: u64 = 1_000;
const BYTE_UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
/// Digits of a coordinate after the point: about one metre.
const COORDINATE_UNIT_E7: i64 = 100;

const SECOND_MS: u64 = 1_000;
const MINUTE_MS: u64 = 60 * SECOND_MS;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// A whole number with its digits in groups of three: 1.482 in Vietnamese, 1,482 in English.
#[must_use]
pub fn number(lang: Lang, number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let separator = match lang {
        Lang::Vi => '.',
        Lang::En => ',',
    };
    let mut out = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        out.push('-');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(separator);
        }
        out.push(digit);
    }
    out
}

/// Tenths with one digit after the decimal sign: 12 is 1,2 in Vietnamese, 1.2 in English.
fn tenths(lang: Lang, tenths: u64) -> String {
    let sign = match lang {
        Lang::Vi => ',',
        Lang::En => '.',
    };
    let whole = number(lang, i64::try_from(tenths / 10).unwrap_or(i64::MAX));
    format!("{whole}{sign}{}", tenths % 10)
}

/// The civil time in Vietnam of milliseconds since 1970 UTC; times beyond the calendar are held at
/// its ends (a clock that is off by millennia still has an order).
fn in_vietnam(time_ms: i64) -> DateTime {
    let end = if time_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    let timestamp = Timestamp::from_millisecond(time_ms).unwrap_or(end);
    timestamp.to_zoned(TimeZone::fixed(VIETNAM)).datetime()
}

impl Words {
    /// A whole number, its digits grouped: 1.482.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        self::number(self.lang(), number)
    }

    /// A share, rounded to whole percent: 85%. A whole of 0 gives 0%.
    #[must_use]
    pub fn percent(self, part: u64, whole: u64) -> String {
        let (part, whole) = (u128::from(part), u128::from(whole));
        let percent = (part * 100 + whole / 2).checked_div(whole).unwrap_or(0);
        format!("{}%", self.number(i64::try_from(percent).unwrap_or(i64::MAX)))
    }

    /// An amount of đồng: 150.000 đ.
    #[must_use]
    pub fn money(self, dong: i64) -> String {
        format!("{} đ", self.number(dong))
    }

    /// A distance in metres: 850 m, 1,2 km. Less than nothing and not-a-number give 0 m.
    #[must_use]
    pub fn distance(self, distance_m: f64) -> String {
        let distance_m = if distance_m > 0.0 { distance_m } else { 0.0 };
        if distance_m.round() < KILOMETRE_M {
            format!("{} m", distance_m.round())
        } else {
            // A float beyond the range becomes the end of the range, never a wrong small number.
            let tenths_km = (distance_m / (KILOMETRE_M / 10.0)).round() as u64;
            format!("{} km", tenths(self.lang(), tenths_km))
        }
    }

    /// A size in bytes: 850 B, 1,1 MB.
    #[must_use]
    pub fn size(self, size_bytes: u64) -> String {
        if size_bytes < BYTE_STEP {
            return format!("{size_bytes} B");
        }
        let mut unit_bytes = BYTE_STEP;
        for (index, unit) in BYTE_UNITS.iter().enumerate() {
            let tenth_bytes = unit_bytes / 10;
            let rounds_up = size_bytes % tenth_bytes >= tenth_bytes / 2;
            let in_tenths = size_bytes / tenth_bytes + u64::from(rounds_up);
            if in_tenths < BYTE_STEP * 10 || index + 1 == BYTE_UNITS.len() {
                return format!("{} {unit}", tenths(self.lang(), in_tenths));
            }
            unit_bytes *= BYTE_STEP;
        }
        // The loop ends at its last unit; this line only tells the compiler so.
        format!("{size_bytes} B")
    }

    /// Date and time in Vietnam of milliseconds since 1970 UTC: 22/11/2026 21:52.
    #[must_use]
    pub fn date_time(self, time_ms: i64) -> String {
        format!("{} {}", self.date(time_ms), self.time(time_ms))
    }

    /// The same to the second, cut: 22/11/2026 21:52:03.
    #[must_use]
    pub fn date_time_seconds(self, time_ms: i64) -> String {
        format!("{}:{:02}", self.date_time(time_ms), in_vietnam(time_ms).second())
    }

    /// The same with "(giờ VN)", for a phone whose own zone differs.
    #[must_use]
    pub fn date_time_abroad(self, time_ms: i64) -> String {
        self.say("format-vietnam-time", &[("time", self.date_time(time_ms).into())])
    }

    /// The date in Vietnam: 22/11/2026.
    #[must_use]
    pub fn date(self, time_ms: i64) -> String {
        let time = in_vietnam(time_ms);
        format!("{:02}/{:02}/{:04}", time.day(), time.month(), time.year())
    }

    /// The time of day in Vietnam: 21:52.
    #[must_use]
    pub fn time(self, time_ms: i64) -> String {
        let time = in_vietnam(time_ms);
        format!("{:02}:{:02}", time.hour(), time.minute())
    }

    /// A time known only to lie between two others: "khoảng 21:40–21:55", with dates when they
    /// fall on two days; a plain date and time when both are the same minute.
    #[must_use]
    pub fn between(self, earliest_ms: i64, latest_ms: i64) -> String {
        let range = self.range(earliest_ms, latest_ms);
        if self.date_time(earliest_ms) == self.date_time(latest_ms) {
            return range;
        }
        self.say("format-about", &[("what", range.into())])
    }

    /// A time in which nothing is known: "không rõ 21:40–22:05".
    #[must_use]
    pub fn unknown_between(self, from_ms: i64, to_ms: i64) -> String {
        let (from, to) = self.ends(from_ms, to_ms);
        self.say("format-unknown-between", &[("from", from.into()), ("to", to.into())])
    }

    fn range(self, from_ms: i64, to_ms: i64) -> String {
        if self.date_time(from_ms) == self.date_time(to_ms) {
            return self.date_time(from_ms);
        }
        let (from, to) = self.ends(from_ms, to_ms);
        self.say("format-between", &[("from", from.into()), ("to", to.into())])
    }

    fn ends(self, from_ms: i64, to_ms: i64) -> (String, String) {
        if in_vietnam(from_ms).date() == in_vietnam(to_ms).date() {
            (self.time(from_ms), self.time(to_ms))
        } else {
            (self.date_time(from_ms), self.date_time(to_ms))
        }
    }

    /// A length of time in its two largest units: "1 giờ 20 phút", "3 ngày".
    #[must_use]
    pub fn duration(self, duration_ms: u64) -> String {
        let units = [
            ("format-days", duration_ms / DAY_MS),
            ("format-hours", duration_ms % DAY_MS / HOUR_MS),
            ("format-minutes", duration_ms % HOUR_MS / MINUTE_MS),
            ("format-seconds", duration_ms % MINUTE_MS / SECOND_MS),
        ];
        let unit = |index: usize| {
            let (id, n) = units[index];
            self.say(id, &[("n", n.into())])
        };
        let first = units.iter().position(|(_, n)| *n > 0).unwrap_or(units.len() - 1);
        match units.get(first + 1) {
            // Seconds matter to nobody once there are minutes.
            Some((_, n)) if *n > 0 && first + 1 < units.len() - 1 => {
                format!("{} {}", unit(first), unit(first + 1))
            }
            _ => unit(first),
        }
    }

    /// A position from units of 1e-7 degree, with points in both languages, as every map takes it:
    /// 20.66012, 105.08345.
    #[must_use]
    pub fn coordinates(self, lat_e7: i32, lon_e7: i32) -> String {
        let degrees = |e7: i32| {
            let size = i64::from(e7).abs();
            let e5 = (size + COORDINATE_UNIT_E7 / 2) / COORDINATE_UNIT_E7;
            let sign = if e7 < 0 && e5 > 0 { "-" } else { "" };
            format!("{sign}{}.{:05}", e5 / 100_000, e5 % 100_000)
        };
        format!("{}, {}", degrees(lat_e7), degrees(lon_e7))
    }

    /// A telephone number as people read it: 0912 345 678. Short and foreign ones stay as they are.
    #[must_use]
    pub fn phone_number(self, digits: &str) -> String {
        match digits.as_bytes() {
            number if number.len() == 10 && number.iter().all(u8::is_ascii_digit) => {
                format!("{} {} {}", &digits[..4], &digits[4..7], &digits[7..])
            }
            _ => digits.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VI: fn() -> Words = || Words::new(Lang::Vi);
    const EN: fn() -> Words = || Words::new(Lang::En);
    /// 22/11/2026 14:52 UTC, 21:52 in Vietnam.
    const EVENING_MS: i64 = 1_795_359_120_000;

    #[test]
    fn numbers() {
        assert_eq!(VI().number(1_482), "1.482");
        assert_eq!(EN().number(1_482), "1,482");
        assert_eq!(VI().number(0), "0");
        assert_eq!(VI().number(-150_000), "-150.000");
        assert_eq!(VI().number(i64::MIN), "-9.223.372.036.854.775.808");
        assert_eq!(VI().money(150_000), "150.000 đ");
        assert_eq!(VI().percent(85, 100), "85%");
        assert_eq!(VI().percent(1, 0), "0%");
        assert_eq!(VI().percent(u64::MAX, u64::MAX), "100%");
    }

    #[test]
    fn distances() {
        assert_eq!(VI().distance(850.0), "850 m");
        assert_eq!(VI().distance(12.4), "12 m");
        assert_eq!(VI().distance(999.4), "999 m");
        assert_eq!(VI().distance(999.6), "1,0 km");
        assert_eq!(VI().distance(1_234.0), "1,2 km");
        assert_eq!(EN().distance(1_234.0), "1.2 km");
        assert_eq!(VI().distance(1_482_300.0), "1.482,3 km");
        assert_eq!(VI().distance(f64::NAN), "0 m");
        assert_eq!(VI().distance(-3.0), "0 m");
    }

    #[test]
    fn sizes() {
        assert_eq!(VI().size(0), "0 B");
        assert_eq!(VI().size(999), "999 B");
        assert_eq!(VI().size(1_000), "1,0 KB");
        assert_eq!(VI().size(1_100_000), "1,1 MB");
        assert_eq!(EN().size(1_100_000), "1.1 MB");
        assert_eq!(VI().size(999_960), "1,0 MB");
        assert_eq!(VI().size(999_940), "999,9 KB");
        assert_eq!(VI().size(u64::MAX), "18.446.744,1 TB");
    }

    #[test]
    fn dates_are_those_of_vietnam() {
        assert_eq!(VI().date_time(EVENING_MS), "22/11/2026 21:52");
        assert_eq!(EN().date_time(EVENING_MS), "22/11/2026 21:52");
        assert_eq!(VI().date_time_seconds(EVENING_MS + 3_999), "22/11/2026 21:52:03");
        assert!(!VI().date_time_seconds(i64::MIN).is_empty());
        assert_eq!(VI().date_time_abroad(EVENING_MS), "22/11/2026 21:52 (giờ VN)");
        assert_eq!(VI().date_time(0), "01/01/1970 07:00");
        // Clocks that are off by millennia do not stop a screen.
        assert!(!VI().date_time(i64::MIN).is_empty());
        assert!(!VI().date_time(i64::MAX).is_empty());
    }

    #[test]
    fn unsure_times_are_told_as_such() {
        let from = EVENING_MS - 12 * 60_000;
        let to = EVENING_MS + 3 * 60_000;
        assert_eq!(VI().between(from, to), "khoảng 21:40–21:55");
        assert_eq!(EN().between(from, to), "about 21:40–21:55");
        assert_eq!(VI().between(EVENING_MS, EVENING_MS + 999), "22/11/2026 21:52");
        assert_eq!(VI().between(EVENING_MS, EVENING_MS + 3 * 3_600_000), "khoảng 22/11/2026 21:52–23/11/2026 00:52");
        assert_eq!(VI().unknown_between(from, EVENING_MS + 13 * 60_000), "không rõ 21:40–22:05");
    }

    #[test]
    fn lengths_of_time() {
        assert_eq!(VI().duration(80 * MINUTE_MS), "1 giờ 20 phút");
        assert_eq!(EN().duration(80 * MINUTE_MS), "1 h 20 min");
        assert_eq!(VI().duration(3 * DAY_MS), "3 ngày");
        assert_eq!(VI().duration(3 * DAY_MS + MINUTE_MS), "3 ngày");
        assert_eq!(VI().duration(61 * SECOND_MS), "1 phút");
        assert_eq!(VI().duration(0), "0 giây");
        assert_eq!(EN().duration(DAY_MS), "1 day");
    }

    #[test]
    fn positions_keep_points_in_both_languages() {
        assert_eq!(VI().coordinates(206_601_200, 1_050_834_500), "20.66012, 105.08345");
        assert_eq!(EN().coordinates(206_601_200, 1_050_834_500), "20.66012, 105.08345");
        assert_eq!(VI().coordinates(-1, -15_000_060), "0.00000, -1.50001");
    }

    #[test]
    fn telephone_numbers() {
        assert_eq!(VI().phone_number("0912345678"), "0912 345 678");
        assert_eq!(VI().phone_number("113"), "113");
        assert_eq!(VI().phone_number("năm số mười"), "năm số mười");
    }
}
