//! Reads what an export covers page by page, hands it to the writer of its format, and lets the file appear at the
//! end. Who exported what for which purpose goes into the read log before the first row is read.

use std::collections::VecDeque;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::csv::Csv;
use super::file::Outgoing;
use super::geojson::GeoJson;
use super::gpx::Gpx;
use super::under_way::UnderWay;
use crate::app::Hub;
use crate::clock::rfc3339;
use crate::error::{Refusal, Result};
use crate::limits::EXPORT_PAGE;
use crate::store::{CheckInRow, HubStore, IncidentListing, ListQuery, PatrolListing};

/// A format of exported files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// GeoJSON, RFC 7946.
    GeoJson,
    /// GPX 1.1.
    Gpx,
    /// A table for spreadsheets.
    Csv,
}

impl Format {
    /// From the word of the command line.
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "geojson" => Some(Self::GeoJson),
            "gpx" => Some(Self::Gpx),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The word of the command line, and the ending of the file.
    pub fn code(self) -> &'static str {
        match self {
            Self::GeoJson => "geojson",
            Self::Gpx => "gpx",
            Self::Csv => "csv",
        }
    }
}

/// What an export covers: everything, or less.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Only what happened at or after this hub time, milliseconds.
    #[serde(default)]
    pub since_ms: Option<i64>,
    /// Only this incident, `log:seq`.
    #[serde(default)]
    pub incident: Option<String>,
}

/// What a file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportTotals {
    /// Patrols.
    pub patrols: u64,
    /// Check-ins.
    pub check_ins: u64,
    /// Incidents.
    pub incidents: u64,
}

/// A format being written. Calls come one row at a time; `finish` ends the document.
pub trait Exporter: Send {
    /// A patrol with its check-ins, in the order of their log.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn patrol(&mut self, patrol: &PatrolListing, check_ins: &[CheckInRow]) -> Result<()>;

    /// A check-in, of a patrol or outside one.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn check_in(&mut self, row: &CheckInRow) -> Result<()>;

    /// An incident.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn incident(&mut self, row: &IncidentListing) -> Result<()>;

    /// The end of the document.
    ///
    /// # Errors
    /// When the file cannot be written.
    fn finish(&mut self) -> Result<()>;

    /// Whether check-ins outside patrols must come before the patrols (GPX: waypoints before tracks).
    fn points_first(&self) -> bool {
        false
    }
}

/// Writes a file of everything in `scope` to `out`; `actor` goes into the read log with `purpose`.
///
/// # Errors
/// [`Refusal::NotFound`] for an incident that is not there; no file then, nor after any other error.
pub async fn export(hub: &Hub, format: Format, scope: &Scope, out: &Path, actor: &str, purpose: &str) -> Result<ExportTotals> {
    let subject = scope.incident.clone().unwrap_or_else(|| scope.since_ms.map(rfc3339).unwrap_or_else(|| "all".into()));
    let work = async {
        let _alone = hub.exporting.lock().await;
        let mut file = Outgoing::begin(out)?;
        let under_way = UnderWay::begin(hub, file.partial(), &[], actor, purpose).await?;
        let done = write(hub.store.as_ref(), format, scope, &mut file).await;
        under_way.ended(hub, done).await
    };
    hub.noted(actor, &format!("export {}", format.code()), &subject, purpose, work).await
}

async fn write(store: &dyn HubStore, format: Format, scope: &Scope, file: &mut Outgoing) -> Result<ExportTotals> {
    file.create()?;
    let totals = {
        let mut exporter: Box<dyn Exporter + '_> = match format {
            Format::GeoJson => Box::new(GeoJson::new(&mut *file)),
            Format::Gpx => Box::new(Gpx::new(&mut *file)),
            Format::Csv => Box::new(Csv::new(&mut *file)?),
        };
        let mut totals = ExportTotals::default();
        incidents(store, scope, exporter.as_mut(), &mut totals).await?;
        if scope.incident.is_none() {
            if exporter.points_first() {
                walk(store, scope, exporter.as_mut(), &mut totals, Pass::OutsidePatrols).await?;
                walk(store, scope, exporter.as_mut(), &mut totals, Pass::Patrols).await?;
            } else {
                walk(store, scope, exporter.as_mut(), &mut totals, Pass::All).await?;
            }
        }
        exporter.finish()?;
        totals
    };
    file.finish()?;
    Ok(totals)
}

async fn incidents(store: &dyn HubStore, scope: &Scope, exporter: &mut dyn Exporter, totals: &mut ExportTotals) -> Result<()> {
    let mut query = ListQuery { limit: EXPORT_PAGE, since_ms: scope.since_ms, name: scope.incident.clone(), ..ListQuery::default() };
    loop {
        let page = store.incidents(query.clone()).await?;
        for row in &page {
            // A name of a patrol or log would match too; one incident was asked for.
            if scope.incident.as_ref().is_some_and(|id| *id != row.id) {
                continue;
            }
            exporter.incident(row)?;
            totals.incidents += 1;
        }
        match page.last() {
            Some(last) if page.len() == EXPORT_PAGE as usize => query.after = Some(format!("{}/{}", last.id, last.branch)),
            _ => break,
        }
    }
    match &scope.incident {
        Some(id) if totals.incidents == 0 => Err(Refusal::NotFound { what: "incident", name: id.clone() }.into()),
        _ => Ok(()),
    }
}

/// Which check-ins a walk through the list hands on.
#[derive(Clone, Copy, PartialEq)]
enum Pass {
    All,
    OutsidePatrols,
    Patrols,
}

/// Walks through the check-ins in the order of their logs. A log has one patrol at a time, so a patrol is complete
/// when another one begins.
async fn walk(store: &dyn HubStore, scope: &Scope, exporter: &mut dyn Exporter, totals: &mut ExportTotals, pass: Pass) -> Result<()> {
    let mut query = ListQuery { limit: EXPORT_PAGE, since_ms: scope.since_ms, ..ListQuery::default() };
    let mut under_way: Vec<CheckInRow> = Vec::new();
    loop {
        let mut page: VecDeque<CheckInRow> = store.check_ins(query.clone()).await?.into();
        let full = page.len() == EXPORT_PAGE as usize;
        query.after = page.back().map(|last| format!("{}:{}/{}", last.log, last.seq, last.branch));
        while let Some(row) = page.pop_front() {
            let wanted = match pass {
                Pass::All => true,
                Pass::OutsidePatrols => row.patrol.is_none(),
                Pass::Patrols => row.patrol.is_some(),
            };
            if !wanted {
                continue;
            }
            exporter.check_in(&row)?;
            totals.check_ins += 1;
            if row.patrol.is_none() {
                continue;
            }
            if under_way.first().is_some_and(|first| first.patrol != row.patrol) {
                patrol(store, exporter, totals, &mut under_way).await?;
            }
            under_way.push(row);
        }
        if !full {
            break;
        }
    }
    patrol(store, exporter, totals, &mut under_way).await
}

async fn patrol(store: &dyn HubStore, exporter: &mut dyn Exporter, totals: &mut ExportTotals, rows: &mut Vec<CheckInRow>) -> Result<()> {
    let Some(id) = rows.first().and_then(|row| row.patrol.clone()) else { return Ok(()) };
    let found = store.patrols(ListQuery { limit: 1, name: Some(id), ..ListQuery::default() }).await?;
    if let Some(listing) = found.first() {
        exporter.patrol(listing, rows)?;
        totals.patrols += 1;
    }
    rows.clear();
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::track::tests::check_in;
    use super::*;
    use crate::store::StatementListing;

    pub(crate) fn patrol() -> PatrolListing {
        PatrolListing {
            id: "00a1b2c3d4e5f607:1".into(),
            device: "d0d0d0d0d0d0d0d0".into(),
            log: "00a1b2c3d4e5f607".into(),
            seq: 1,
            branch: 0,
            hamlet: "Bản Nà Phòn".into(),
            author: "Lò Văn Páo".into(),
            crew: vec![1, 2],
            started: Some("2026-11-22T20:00:00+07:00".into()),
            finished: None,
            state: "running".into(),
            check_ins: 6,
            distance_m: None,
            last_check_in: None,
        }
    }

    /// Three places, one check-in without a place, two places.
    pub(crate) fn check_ins() -> Vec<CheckInRow> {
        vec![
            check_in(2, 0, Some((20.660_123_4, 105.083_456_7))),
            check_in(3, 5, Some((20.6610, 105.0840))),
            check_in(4, 10, Some((20.6620, 105.0845))),
            check_in(5, 15, None),
            check_in(6, 20, Some((20.6630, 105.0850))),
            check_in(7, 25, Some((20.6640, 105.0855))),
        ]
    }

    pub(crate) fn incident() -> IncidentListing {
        let at = "2026-11-22T20:52:00+07:00".to_owned();
        IncidentListing {
            sms_at: None,
            report: "here".to_owned(),
            id: "00a1b2c3d4e5f607:8".into(),
            device: "d0d0d0d0d0d0d0d0".into(),
            log: "00a1b2c3d4e5f607".into(),
            seq: 8,
            branch: 0,
            kind: "landslide".into(),
            urgent: true,
            hamlet: "Bản Nà Phòn".into(),
            author: "Lò Văn Páo".into(),
            author_no: 1,
            lat: Some(20.6630),
            lon: Some(105.0850),
            accuracy_m: Some(12.0),
            recorded_at: at.clone(),
            received_at: at.clone(),
            time_earliest: at.clone(),
            time_latest: at,
            statements: vec![StatementListing {
                basis: "seen".into(), text: "Đất lấp đường, \"cầu\" Suối Nánh </script>".into()
            }],
            amendments: 0,
            photos: 0,
            attachments: 0,
            complete: true,
            erased: 0,
            missing: Vec::new(),
            altered: Vec::new(),
            unnamed: 0,
            state: "new".to_owned(),
            steps: 0,
            assigned: None,
            linked: 0,
        }
    }

    #[test]
    fn formats_have_the_words_of_the_command_line() {
        for format in [Format::GeoJson, Format::Gpx, Format::Csv] {
            assert_eq!(Format::from_code(format.code()), Some(format));
        }
        assert_eq!(Format::from_code("bundle"), None);
    }
}
