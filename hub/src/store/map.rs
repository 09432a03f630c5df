//! What a map shows of incidents: each by itself where there are few, counted by squares of a grid where there are many.

use yenban_protocol::id::{EntryName, HamletNo};

use super::triage::Triage;

/// Which incidents a map asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MapQuery {
    /// South, west, north, east in 1e-7 degree, all included.
    pub box_e7: (i32, i32, i32, i32),
    /// Side of a square of the grid, 1e-7 degree; at least 1.
    pub cell_e7: u32,
    /// Only what is not done yet.
    pub open: bool,
    /// Only of these hamlets and of the commune itself, as the asker's reach is; none: all.
    pub within: Vec<u32>,
    /// At most so many incidents by themselves.
    pub pins_max: usize,
    /// Squares with fewer incidents are not counted: their incidents stand by themselves.
    pub cell_min: u64,
}

/// One incident on a map.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPin {
    /// Its name.
    pub entry: EntryName,
    /// Where, 1e-7 degree (latitude, longitude).
    pub place_e7: (i32, i32),
    /// Metres.
    pub accuracy_m: Option<f64>,
    /// Code of the kind.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
    /// Where it stands with the police.
    pub state: Triage,
    /// Its hamlet.
    pub hamlet: HamletNo,
    /// Best single moment.
    pub best_ms: i64,
}

/// The incidents of one square of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MapCell {
    /// Middle of its incidents, 1e-7 degree (latitude, longitude).
    pub place_e7: (i32, i32),
    /// How many.
    pub count: u64,
    /// Urgent ones among them.
    pub urgent: u64,
}

/// What lies in a box.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OnMap {
    /// Incidents by themselves: urgent first, then newest.
    pub pins: Vec<MapPin>,
    /// Squares with many, most first.
    pub cells: Vec<MapCell>,
    /// Incidents in the box.
    pub count: u64,
    /// Urgent ones among them.
    pub urgent: u64,
    /// Incidents in reach that no map can show: nobody knows where they were.
    pub unplaced: u64,
}
