//! What a running hub does by itself: reminding whoever is silent on an alert, sweeping uploads and expired evidence every hour, reading everything again every
//! night. Each step may be repeated or cut off anywhere; when it ran last stands in the database, so a restart neither
//! skips nor doubles a night. A step that fails is told and keeps no other from its work, and what takes all night does
//! not wait for what comes every hour, nor the other way round.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::app::Hub;
use crate::clock::{DAY_MS, HOUR_MS, ZONE_MS};
use crate::error::{HubError, Result};
use crate::limits::{JOB_TICK, NIGHTLY_HOUR};
use crate::{custody, escalate, retention, scrub, upload, webhook};

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
///
/// # Errors
/// When the store cannot say when it was done last. What fails in a step is told in the log.
pub async fn due(hub: &Arc<Hub>) -> Result<bool> {
    // One after the other: both use the one writer, and a hub that does the same twice can be simulated.
    let (hour, night) = (hourly(hub).await, nightly(hub).await);
    hour?;
    night
}

/// Tells of a step that failed.
fn told<T>(step: &'static str, outcome: Result<T>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(HubError::Stopping) => None,
        Err(e) => {
            tracing::error!(step, error = %e, "a job failed");
            None
        }
    }
}

async fn hourly(hub: &Arc<Hub>) -> Result<()> {
    let now_ms = hub.now_ms();
    // A clock that was set back does not stop the work: only the future counts as long ago.
    if last(hub, HOURLY).await?.is_some_and(|last| now_ms >= last && now_ms - last < HOUR_MS) {
        return Ok(());
    }
    told("sweep uploads", upload::sweep(hub).await);
    told("expire evidence", retention::expire(hub).await);
    told("erase names of custody", retention::erase_names(hub).await);
    told("fold the database", retention::fold(hub).await);
    told("close the day of custody", custody::close_day(hub).await);
    hub.store.set_value(HOURLY, now_ms.to_be_bytes().to_vec()).await
}

/// The night's work: everything in storage is read, phones are asked, rests are swept.
async fn nightly(hub: &Arc<Hub>) -> Result<bool> {
    let now_ms = hub.now_ms();
    let before = last(hub, NIGHTLY).await?;
    if before.is_some_and(|before| night(before) == night(now_ms)) {
        return Ok(false);
    }
    // A hub that is new, or was off all night, has had no time for faults: its first night is the next one.
    if before.is_some() {
        let checked = told("read files again", scrub::objects(hub, |_| ()).await);
        told("sweep orphans", scrub::sweep_orphans(hub).await);
        let wrong = told("recompute chains", hub.store.check_chains().await);
        match (checked, wrong) {
            (Some(checked), Some(wrong)) if wrong.is_empty() && checked.wrong.is_empty() => {
                tracing::info!(objects = checked.objects, "everything was read again; all is well");
            }
            (checked, wrong) => {
                let (files, asked) = checked.map_or((0, 0), |checked| (checked.wrong.len(), checked.asked));
                let chains = wrong.map_or(0, |wrong| wrong.len());
                tracing::error!(files, chains, asked, "the night's check found something, or could not end");
            }
        }
    }
    // Also after a step that failed: it was told, and reading everything from the start every half minute mends nothing.
    hub.store.set_value(NIGHTLY, now_ms.to_be_bytes().to_vec()).await?;
    Ok(before.is_some())
}

/// Runs the jobs until stopped. What fails is told and tried again when it is due again.
pub(crate) fn run(hub: Arc<Hub>, mut stopped: watch::Receiver<bool>) -> JoinHandle<()> {
    tokio::spawn(async move {
        let work = async {
            told("finish uploads", upload::recover(&hub).await);
            let hours = async {
                loop {
                    told("remind the silent", escalate::remind(&hub).await);
                    told("tell of complete reports", webhook::tell(&hub).await);
                    told("hourly work", hourly(&hub).await);
                    tokio::time::sleep(JOB_TICK).await;
                }
            };
            let nights = async {
                loop {
                    told("nightly work", nightly(&hub).await);
                    tokio::time::sleep(JOB_TICK).await;
                }
            };
            tokio::join!(hours, nights)
        };
        tokio::select! {
            ((), ()) = work => {}
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
