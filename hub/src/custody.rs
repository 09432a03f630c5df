//! Heads over the custody record: one for every day that ended, and one for each export, so that its newest records are
//! under a signature that phones remember.

use yenban_protocol::feed::Scope;

use crate::app::Hub;
use crate::clock::{DAY_MS, ZONE_MS};
use crate::error::Result;
use crate::store::{CustodyHeadRow, CustodyNote};

/// The day of a moment in Viet Nam: year * 10,000 + month * 100 + day.
pub fn day_of(at_ms: i64) -> u32 {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(7));
    let Ok(moment) = jiff::Timestamp::from_millisecond(at_ms) else { return 0 };
    let date = moment.to_zoned(zone).date();
    let year = u32::from(date.year().unsigned_abs());
    year * 10_000 + u32::from(date.month().unsigned_abs()) * 100 + u32::from(date.day().unsigned_abs())
}

/// Makes the head of the day that ended, if it was not made yet and there is anything to vouch for; whether it was.
///
/// # Errors
/// When the store fails; nothing was signed then.
pub async fn close_day(hub: &Hub) -> Result<bool> {
    let now_ms = hub.now_ms();
    let midnight_ms = (now_ms + ZONE_MS).div_euclid(DAY_MS) * DAY_MS - ZONE_MS;
    let newest = hub.store.custody_head().await?;
    if newest.is_some_and(|row| row.head.at_ms >= midnight_ms) || hub.store.custody_leaves(i64::MAX).await?.is_empty() {
        return Ok(false);
    }
    make(hub, Vec::new(), day_of(midnight_ms - 1), now_ms).await?;
    Ok(true)
}

/// Appends `notes` and puts everything under a new head at once.
///
/// # Errors
/// When the store fails; nothing was appended or signed then.
pub async fn close_now(hub: &Hub, notes: Vec<CustodyNote>, now_ms: i64) -> Result<CustodyHeadRow> {
    make(hub, notes, day_of(now_ms), now_ms).await
}

async fn make(hub: &Hub, notes: Vec<CustodyNote>, day: u32, at_ms: i64) -> Result<CustodyHeadRow> {
    hub.store.make_custody_head(notes, day, at_ms, Scope::Commune(hub.commune()), hub.item_signer()).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_midnight_in_viet_nam() {
        assert_eq!(day_of(1_795_000_000_000), 20_261_118);
        assert_eq!(day_of(1_795_021_199_999), 20_261_118);
        assert_eq!(day_of(1_795_021_200_000), 20_261_119);
    }
}
