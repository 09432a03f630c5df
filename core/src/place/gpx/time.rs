//! The time of a fix: what devices write where the schema asks for a date and time.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// No honest time is longer.
const TIME_BYTES_MAX: usize = 48;
const NANOSECONDS_PER_MILLISECOND: i128 = 1_000_000;

/// Milliseconds since 1970 UTC, finer digits cut off towards the past. A time without a zone is UTC, as GPX has it.
/// `None` when the text is no time of day on a date.
pub(super) fn parse_time_ms(text: &str) -> Option<i64> {
    if text.len() > TIME_BYTES_MAX || !text.contains(':') || text.contains('[') {
        return None;
    }
    let timestamp: Timestamp = match text.parse() {
        Ok(timestamp) => timestamp,
        Err(_) => {
            let civil: DateTime = text.parse().ok()?;
            TimeZone::UTC.to_timestamp(civil).ok()?
        }
    };
    i64::try_from(timestamp.as_nanosecond().div_euclid(NANOSECONDS_PER_MILLISECOND)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_devices_write_them() {
        assert_eq!(parse_time_ms("2010-12-14T06:17:04Z"), Some(1_292_307_424_000));
        assert_eq!(parse_time_ms("2013-01-01T12:00:04"), Some(1_357_041_604_000), "no zone is UTC");
        assert_eq!(parse_time_ms("2026-11-22T21:52:00+07:00"), parse_time_ms("2026-11-22T14:52:00Z"));
        assert_eq!(parse_time_ms("2026-11-22T14:52:00.1239Z"), Some(1_795_359_120_123));
        // A receiver that had not seen the sky yet: decades off, and finer than a millisecond.
        assert_eq!(parse_time_ms("1901-12-13T20:45:52.2073437Z"), Some(-2_147_483_647_793));
        assert_eq!(parse_time_ms("1969-12-31T23:59:59.9999Z"), Some(-1));
        assert_eq!(parse_time_ms("2016-12-31T23:59:60Z"), Some(1_483_228_799_000), "a leap second");
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in ["", "hôm qua", "2026-11-22", "2026-13-01T00:00:00Z", "25:00", "1e9", "2026-11-22T14:52:00Z[Asia/Ho_Chi_Minh]"] {
            assert_eq!(parse_time_ms(text), None, "{text}");
        }
        assert_eq!(parse_time_ms(&"2".repeat(1_000_000)), None);
    }
}
