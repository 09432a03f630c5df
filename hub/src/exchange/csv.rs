//! Tables for spreadsheets, safe to open: a cell that a spreadsheet would run as a formula is text (ASVS 1.2.10).

use std::io::Write;

use ::csv::{QuoteStyle, Terminator, Writer, WriterBuilder};

use super::outgoing::Exporter;
use crate::error::{HubError, Result};
use crate::store::{CheckInRow, IncidentListing, PatrolListing};

/// Columns of the table; one row a patrol, check-in or incident.
pub const COLUMNS: [&str; 20] = [
    "type",
    "id",
    "patrol",
    "kind",
    "urgent",
    "hamlet",
    "author",
    "device",
    "lat",
    "lon",
    "accuracy_m",
    "recorded_at",
    "time_earliest",
    "time_latest",
    "received_at",
    "seen",
    "heard",
    "think",
    "unstated",
    "photos",
];

/// Text as a cell: with an apostrophe before anything that begins like a formula.
///
/// Spaces and hidden characters before the sign are looked through, full-width signs count: spreadsheets accept both.
pub fn cell(text: &str) -> std::borrow::Cow<'_, str> {
    let begins = text
        .chars()
        .find(|c| *c != ' ' && *c != '\u{A0}' && *c != '\u{FEFF}' && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'));
    let formula = text.starts_with(['\t', '\r', '\n', '\0'])
        || begins.is_some_and(|c| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '\0' | '＝' | '＋' | '－' | '＠'));
    if formula { format!("'{text}").into() } else { text.into() }
}

/// Writes the table, one row at a time, as UTF-8 with a byte order mark (without it spreadsheets break accents).
pub struct Csv<W: Write> {
    writer: Writer<W>,
    begun: bool,
}

impl<W: Write> Csv<W> {
    /// A table written to `out`.
    pub fn new(mut out: W) -> Result<Self> {
        out.write_all("\u{FEFF}".as_bytes()).map_err(failed)?;
        let writer = WriterBuilder::new().quote_style(QuoteStyle::NonNumeric).terminator(Terminator::CRLF).from_writer(out);
        Ok(Self { writer, begun: false })
    }

    /// A row: text cells are made safe, numbers are ours and stay numbers.
    fn row(&mut self, cells: [Cell<'_>; COLUMNS.len()]) -> Result<()> {
        self.begin()?;
        for value in cells {
            let written = match value {
                Cell::Text(text) => self.writer.write_field(cell(text).as_ref()),
                Cell::Owned(text) => self.writer.write_field(cell(&text).as_ref()),
                Cell::Number(Some(number)) => self.writer.write_field(number.to_string()),
                Cell::Number(None) => self.writer.write_field(""),
            };
            written.map_err(failed)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn begin(&mut self) -> Result<()> {
        if !self.begun {
            self.begun = true;
            self.writer.write_record(COLUMNS).map_err(failed)?;
        }
        Ok(())
    }
}

enum Cell<'a> {
    Text(&'a str),
    Owned(String),
    Number(Option<f64>),
}

fn failed(error: impl std::fmt::Display) -> HubError {
    HubError::Store(format!("CSV: {error}"))
}

const NONE: Cell<'static> = Cell::Text("");

impl<W: Write + Send> Exporter for Csv<W> {
    fn patrol(&mut self, row: &PatrolListing, _: &[CheckInRow]) -> Result<()> {
        let started = row.started.as_deref().unwrap_or_default();
        self.row([
            Cell::Text("patrol"),
            Cell::Text(&row.id),
            Cell::Text(&row.id),
            NONE,
            NONE,
            Cell::Text(&row.hamlet),
            Cell::Text(&row.author),
            Cell::Text(&row.device),
            NONE,
            NONE,
            NONE,
            Cell::Text(started),
            Cell::Text(started),
            Cell::Text(row.finished.as_deref().unwrap_or_default()),
            NONE,
            NONE,
            NONE,
            NONE,
            NONE,
            NONE,
        ])
    }

    fn check_in(&mut self, row: &CheckInRow) -> Result<()> {
        self.row([
            Cell::Text("check_in"),
            Cell::Owned(format!("{}:{}", row.log, row.seq)),
            Cell::Text(row.patrol.as_deref().unwrap_or_default()),
            NONE,
            NONE,
            NONE,
            NONE,
            Cell::Text(&row.device),
            Cell::Number(row.lat),
            Cell::Number(row.lon),
            Cell::Number(row.accuracy_m),
            Cell::Text(&row.recorded_at),
            Cell::Text(&row.time_earliest),
            Cell::Text(&row.time_latest),
            Cell::Text(&row.received_at),
            NONE,
            NONE,
            NONE,
            NONE,
            NONE,
        ])
    }

    fn incident(&mut self, row: &IncidentListing) -> Result<()> {
        let said = |basis: &str| {
            let texts: Vec<&str> = row.statements.iter().filter(|s| s.basis == basis).map(|s| s.text.as_str()).collect();
            Cell::Owned(texts.join("\n"))
        };
        self.row([
            Cell::Text("incident"),
            Cell::Text(&row.id),
            NONE,
            Cell::Text(&row.kind),
            Cell::Text(if row.urgent { "yes" } else { "no" }),
            Cell::Text(&row.hamlet),
            Cell::Text(&row.author),
            Cell::Text(&row.device),
            Cell::Number(row.lat),
            Cell::Number(row.lon),
            Cell::Number(row.accuracy_m),
            Cell::Text(&row.recorded_at),
            Cell::Text(&row.time_earliest),
            Cell::Text(&row.time_latest),
            Cell::Text(&row.received_at),
            said("seen"),
            said("heard"),
            said("think"),
            said("unstated"),
            Cell::Number(Some(row.photos as f64)),
        ])
    }

    fn finish(&mut self) -> Result<()> {
        self.begin()?;
        self.writer.flush().map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::outgoing::tests::{check_ins, incident, patrol};
    use super::*;
    use crate::store::StatementListing;

    fn table(write: impl FnOnce(&mut Csv<&mut Vec<u8>>)) -> Vec<Vec<String>> {
        let mut out = Vec::new();
        let mut csv = Csv::new(&mut out).unwrap();
        write(&mut csv);
        csv.finish().unwrap();
        drop(csv);
        assert!(out.starts_with("\u{FEFF}".as_bytes()));
        let mut reader = ::csv::ReaderBuilder::new().has_headers(false).from_reader(&out[3..]);
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
    }

    #[test]
    fn formulas_become_text() {
        for formula in
            ["=HYPERLINK(\"http://a\",\"b\")", "+84912", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\0=1", " =1", "＝1", "\u{200B}=1"]
        {
            assert_eq!(cell(formula), format!("'{formula}"));
        }
        for text in ["Nà Phòn", "a=b", "1-2", "", "Na\u{300} Pho\u{300}n", "'=1"] {
            assert_eq!(cell(text), text);
        }
    }

    #[test]
    fn a_report_that_is_a_formula_is_a_cell_of_text() {
        let mut row = incident();
        row.author = "@lò".into();
        row.hamlet = "Na\u{300} Pho\u{300}n; \"bản\"".into();
        row.statements = vec![StatementListing { basis: "heard".into(), text: "=cmd|' /C calc'!A0".into() }];
        let rows = table(|csv| csv.incident(&row).unwrap());
        let at = |name: &str| COLUMNS.iter().position(|column| *column == name).unwrap();
        assert_eq!(rows[0], COLUMNS);
        assert_eq!(rows[1][at("heard")], "'=cmd|' /C calc'!A0");
        assert_eq!(rows[1][at("author")], "'@lò");
        assert_eq!(rows[1][at("hamlet")], "Na\u{300} Pho\u{300}n; \"bản\"", "typed apart stays typed apart");
    }

    #[test]
    fn a_night_is_a_table() {
        let night = check_ins();
        let rows = table(|csv| {
            csv.patrol(&patrol(), &night).unwrap();
            night.iter().for_each(|row| csv.check_in(row).unwrap());
        });
        assert_eq!(rows.len(), 2 + night.len());
        assert_eq!(rows[2][8], "20.6601234");
        assert_eq!(rows[5][8], "", "no place, no number");
    }
}
