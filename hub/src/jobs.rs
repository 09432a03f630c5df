//! What a running hub does by itself: sweeping uploads and expired evidence every hour, reading everything again every
//! night. Each step may be repeated or cut off anywhere; when it ran last stands in the database, so a restart neither
//! skips nor doubles a night.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::limits::{JOB_TICK, NIGHTLY_HOUR};
use crate::{custody, retention, scrub, upload};

const HOUR_MS: i64 = 3_600_000;
const DAY_MS: i64 = 24 * HOUR_MS;
/// Viet Nam is seven hours ahead of UTC, all year.
const ZONE_MS: i64 = 7 * HOUR_MS;
const HOURLY: &str = "job_hourly_ms";
const NIGHTLY: &str = "job_nightly_ms";

/// Number of the night at hub time `now_ms`: it changes at [`NIGHTLY_HOUR`], Viet Nam time.
fn night(now_ms: i64) -> i64 {
    (now_ms + ZONE_MS - NIGHTLY_HOUR * HOUR_MS).div_euclid(DAY_MS)
}

async fn last(hub: &Hub, name: &'static str) -> Result<Option<i64>> {
    Ok(hub.store.value(name).await?.and_then(|bytes| bytes.try_into().ok()).map(i64::from_be_bytes))
}

/// Does what is due at the hub's time; `true` when the night's work was done.
pub async fn due(hub: &Arc<Hub>) -> Result<bool> {
    let now_ms = hub.now_ms();
    // A clock that was set back does not stop the work: only the future counts as long ago.
    let since = |last: Option<i64>| last.is_none_or(|last| now_ms < last || now_ms - last >= HOUR_MS);
    if since(last(hub, HOURLY).await?) {
        upload::sweep(hub).await?;
        retention::expire(hub).await?;
        custody::close_day(hub).await?;
        hub.store.set_value(HOURLY, now_ms.to_be_bytes().to_vec()).await?;
    }
    let before = last(hub, NIGHTLY).await?;
    if before.is_some_and(|before| night(before) == night(now_ms)) {
        return Ok(false);
    }
    // A hub that is new, or was off all night, has had no time for faults: its first night is the next one.
    if before.is_some() {
        nightly(hub).await?;
    }
    hub.store.set_value(NIGHTLY, now_ms.to_be_bytes().to_vec()).await?;
    Ok(before.is_some())
}

/// The night's work: everything in storage is read, phones are asked, rests are swept.
async fn nightly(hub: &Arc<Hub>) -> Result<()> {
    let checked = scrub::objects(hub, |_| ()).await?;
    scrub::orphans(hub, true).await?;
    let wrong = hub.store.check_chains().await?;
    if wrong.is_empty() && checked.wrong.is_empty() {
        tracing::info!(objects = checked.objects, "everything was read again; all is well");
    } else {
        tracing::error!(files = checked.wrong.len(), chains = wrong.len(), asked = checked.asked, "the night's check found something");
    }
    Ok(())
}

/// Runs the jobs until stopped. What fails is told and tried again at the next look.
pub(crate) fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let work = async {
            if let Err(e) = upload::recover(&hub).await {
                tracing::error!(error = %e, "uploads that were complete could not be finished");
            }
            loop {
                match due(&hub).await {
                    Ok(_) | Err(HubError::Stopping) => {}
                    Err(e) => tracing::error!(error = %e, "a job failed; it is tried again"),
                }
                tokio::time::sleep(JOB_TICK).await;
            }
        };
        tokio::select! {
            () = work => {}
            _ = stopped.wait_for(|stop| *stop) => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_begins_at_three_in_viet_nam() {
        // 2026-11-22T02:59:59+07:00 and a second later.
        let before = 1_795_291_199_000;
        assert_eq!(night(before) + 1, night(before + 1_000));
        assert_eq!(night(before + 1_000), night(before + DAY_MS));
    }
}
