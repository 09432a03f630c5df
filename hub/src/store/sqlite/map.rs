//! Incidents in a box, counted by squares: one walk over an index that holds all it needs, then a look at the few that
//! stand by themselves.

use std::collections::HashMap;

use rusqlite::{Connection, params_from_iter};
use yenban_protocol::id::{EntryName, HamletNo, LogId};

use super::lists::Filter;
use super::read::metres;
use super::{Result, seq_from_sql, sql, triage};
use crate::store::lists::ListQuery;
use crate::store::map::{MapCell, MapPin, MapQuery, OnMap};

/// A square while it is being counted.
#[derive(Default)]
struct Sum {
    count: u64,
    urgent: u64,
    lat: i64,
    lon: i64,
    /// The first few of its rows.
    rows: Vec<i64>,
}

impl Sum {
    fn mean(&self) -> (i32, i32) {
        let mean = |sum: i64| i32::try_from(sum / i64::try_from(self.count.max(1)).unwrap_or(1)).unwrap_or_default();
        (mean(self.lat), mean(self.lon))
    }
}

/// What the asker may see and wants.
fn wanted(query: &MapQuery) -> Filter {
    let mut filter = Filter::default();
    filter.within("hamlet", &ListQuery { within: query.within.clone(), ..ListQuery::default() });
    if query.open {
        filter.add("state < 4", []);
    }
    filter
}

pub(super) fn on_map(c: &Connection, query: &MapQuery) -> Result<OnMap> {
    let mut found = OnMap::default();
    let (mut squares, mut first) = (HashMap::<(i32, i32), Sum>::new(), Vec::new());
    let side = i32::try_from(query.cell_e7.max(1)).unwrap_or(i32::MAX);
    let (south, west, north, east) = query.box_e7;
    let mut filter = wanted(query);
    filter.add("lat_e7 BETWEEN ? AND ? AND lon_e7 BETWEEN ? AND ?", [south.into(), north.into(), west.into(), east.into()]);
    // Every column stands in this index, so that a walk over 100,000 rows reads no row.
    let statement = format!("SELECT incident, lat_e7, lon_e7, urgent FROM incident INDEXED BY incident_map WHERE {}", filter.sql());
    let mut statement = c.prepare_cached(&statement).map_err(sql)?;
    let mut rows = statement.query(params_from_iter(filter.values())).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        let read =
            || Ok::<_, rusqlite::Error>((row.get::<_, i64>(0)?, row.get::<_, i32>(1)?, row.get::<_, i32>(2)?, row.get::<_, bool>(3)?));
        let (incident, lat, lon, urgent) = read().map_err(sql)?;
        found.count += 1;
        found.urgent += u64::from(urgent);
        if first.len() < query.pins_max {
            first.push(incident);
        }
        let square = squares.entry((lat.div_euclid(side), lon.div_euclid(side))).or_default();
        square.count += 1;
        square.urgent += u64::from(urgent);
        square.lat += i64::from(lat);
        square.lon += i64::from(lon);
        if square.count < query.cell_min {
            square.rows.push(incident);
        }
    }
    if found.count > query.pins_max as u64 {
        first.clear();
        let mut squares: Vec<_> = squares.into_iter().collect();
        // In an order of its own, whatever the map's: the same question has the same answer.
        squares.sort_by_key(|(at, square)| (std::cmp::Reverse(square.count), *at));
        for (_, square) in squares {
            if square.count >= query.cell_min {
                found.cells.push(MapCell { place_e7: square.mean(), count: square.count, urgent: square.urgent });
            } else if first.len() + square.rows.len() <= query.pins_max {
                first.extend(square.rows);
            }
        }
    }
    found.pins = pins(c, &first)?;
    let mut filter = wanted(query);
    filter.add("lat_e7 IS NULL", []);
    let statement = format!("SELECT count(*) FROM incident INDEXED BY incident_map WHERE {}", filter.sql());
    let count: i64 =
        c.prepare_cached(&statement).and_then(|mut s| s.query_row(params_from_iter(filter.values()), |row| row.get(0))).map_err(sql)?;
    found.unplaced = count.max(0) as u64;
    Ok(found)
}

fn pins(c: &Connection, rows: &[i64]) -> Result<Vec<MapPin>> {
    let named = rows.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let mut statement = c
        .prepare_cached(
            "SELECT log, seq, lat_e7, lon_e7, accuracy_cm, kind, urgent, state, hamlet, best_ms FROM incident
               WHERE incident IN (SELECT value FROM json_each(?)) ORDER BY urgent DESC, best_ms DESC, incident",
        )
        .map_err(sql)?;
    let pin = |row: &rusqlite::Row<'_>| {
        Ok(MapPin {
            entry: EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(1)?) },
            place_e7: (row.get(2)?, row.get(3)?),
            accuracy_m: row.get::<_, Option<u32>>(4)?.map(metres),
            kind: row.get(5)?,
            urgent: row.get(6)?,
            state: triage::state_of(row.get(7)?),
            hamlet: HamletNo(row.get(8)?),
            best_ms: row.get(9)?,
        })
    };
    statement.query_map([format!("[{named}]")], pin).and_then(Iterator::collect).map_err(sql)
}
