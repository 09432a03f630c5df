//! Phones that wait, and what is awaited of phones, in the embedded database.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};
use yenban_protocol::id::DeviceId;

use super::{Result, SqliteStore, people, sql};
use crate::store::phones::{Awaited, PhoneStore};
use crate::store::{CodeRow, Device, ItemSigner, Reply, WHOLE_COMMUNE};

fn confirm(c: &Connection, id: DeviceId, at_ms: i64, signer: &ItemSigner) -> Result<Option<Device>> {
    let found = people::device_where(c, "device", &id.0)?.filter(|device| device.waiting && device.revoked_ms.is_none());
    let Some(device) = found.map(|device| Device { waiting: false, ..device }) else { return Ok(None) };
    people::put_device(c, &device)?;
    if device.hamlet != WHOLE_COMMUNE {
        people::publish(c, None, &[device.hamlet], at_ms, signer)?;
    }
    Ok(Some(device))
}

/// Adds up a query's rows of device and number.
fn count(c: &Connection, query: &str, mut add: impl FnMut(DeviceId, u64)) -> Result<()> {
    let row = |row: &Row<'_>| Ok((DeviceId(row.get(0)?), row.get::<_, i64>(1)?));
    let mut statement = c.prepare_cached(query).map_err(sql)?;
    for found in statement.query_map([], row).map_err(sql)? {
        let (device, n) = found.map_err(sql)?;
        add(device, n.max(0).unsigned_abs());
    }
    Ok(())
}

fn awaited(c: &Connection) -> Result<Vec<(DeviceId, Awaited)>> {
    let mut all: BTreeMap<DeviceId, Awaited> = BTreeMap::new();
    // A log begins at 0: what lies before the last that is here and in no run has not come.
    let gaps = "SELECT l.device, sum(gap) FROM log l
        JOIN (SELECT log, max(last) + 1 - sum(last - first + 1) AS gap FROM run WHERE branch = 0 GROUP BY log) r ON r.log = l.log
        WHERE gap > 0 GROUP BY l.device";
    count(c, gaps, |device, n| all.entry(device).or_default().entries = n)?;
    let files = "SELECT device, count(DISTINCT sealed_sha256) FROM object WHERE state IN ('expected', 'partial') GROUP BY device";
    count(c, files, |device, n| all.entry(device).or_default().files = n)?;
    Ok(all.into_iter().collect())
}

impl PhoneStore for SqliteStore {
    fn confirm_device(&self, device: DeviceId, at_ms: i64, signer: ItemSigner) -> Reply<'_, bool> {
        let shared = self.shared();
        Box::pin(async move {
            let confirmed = self.write(
                move |c| confirm(c, device, at_ms, &signer),
                move |confirmed: &Option<Device>| confirmed.iter().for_each(|device| shared.remember(device.clone())),
            );
            Ok(confirmed.await?.is_some())
        })
    }

    fn codes(&self, since_ms: i64) -> Reply<'_, Vec<CodeRow>> {
        Box::pin(self.read(move |c| people::codes(c, since_ms)))
    }

    fn awaited(&self) -> Reply<'_, Vec<(DeviceId, Awaited)>> {
        Box::pin(self.read(awaited))
    }
}
