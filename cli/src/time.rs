//! Moments in JSON: RFC 3339 in UTC, to the millisecond.

use jiff::Timestamp;

/// Milliseconds since 1970 UTC as `2026-11-22T14:52:00.000Z`; times beyond the calendar are held at its ends.
pub(crate) fn rfc3339(time_ms: i64) -> String {
    let end = if time_ms < 0 { Timestamp::MIN } else { Timestamp::MAX };
    format!("{:.3}", Timestamp::from_millisecond(time_ms).unwrap_or(end))
}

/// The same for a moment that may not be known.
pub(crate) fn rfc3339_opt(time_ms: Option<i64>) -> Option<String> {
    time_ms.map(rfc3339)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_to_the_millisecond() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(1_795_359_120_005), "2026-11-22T14:52:00.005Z");
        assert_eq!(rfc3339_opt(None), None);
        assert!(!rfc3339(i64::MIN).is_empty() && !rfc3339(i64::MAX).is_empty());
    }
}
