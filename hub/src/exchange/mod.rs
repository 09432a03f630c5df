//! What goes in and out as files: the commune's hamlets, groups and members from a spreadsheet; patrols,
//! check-ins and incidents to maps, navigation devices and spreadsheets.
//!
//! A file comes in whole or not at all; a file goes out complete or does not appear. Nothing here knows SQL: rows
//! come from the [store](crate::store) page by page, so that an export of a year needs no more memory than one of
//! a night.

pub mod bundle;
pub mod csv;
mod file;
pub mod geojson;
pub mod gpx;
mod outgoing;
pub mod people;
pub mod track;
mod under_way;

pub(crate) use under_way::recover;

pub use outgoing::{ExportTotals, Exporter, Format, Scope, export};
