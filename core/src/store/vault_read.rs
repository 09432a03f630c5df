//! What screens ask of the vault: pages, boxes, words. Every answer is bounded.

use rusqlite::{OptionalExtension, params};

use super::Key;
use super::vault::{CELL_E7, CELLS_ACROSS, PlaceColumns, TimeColumns, Vault, cell};
use crate::error::{Result, SqlContext};
use crate::limits::{PAGE_ROWS, PINS_MAX};

/// A patrol as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PatrolView {
    pub key: Key,
    pub author: u32,
    pub state: u8,
    pub started_ms: i64,
    pub ended_ms: Option<i64>,
    pub check_ins: u64,
    pub distance_m: u32,
    pub last_check_in_ms: Option<i64>,
}

/// A check-in as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckInView {
    pub key: Key,
    pub time: TimeColumns,
    pub place: PlaceColumns,
    pub unconfirmed: bool,
    pub checkpoint: Option<String>,
    pub note: Option<String>,
}

/// An incident as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IncidentView {
    pub key: Key,
    pub kind: String,
    pub urgent: bool,
    pub author: u32,
    pub unconfirmed: bool,
    pub time: TimeColumns,
    pub place: PlaceColumns,
    pub amendments: u32,
    pub photos: u32,
    pub headline: String,
}

/// A pin on the map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PinView {
    pub key: Key,
    pub lat_e7: i32,
    pub lon_e7: i32,
    pub kind: String,
    pub urgent: bool,
    pub at_ms: i64,
}

/// A photograph as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PhotoView {
    pub key: Key,
    pub subject: Option<Key>,
    pub at_ms: i64,
    pub sha256: [u8; 32],
    pub size_bytes: u64,
    pub sealed_sha256: [u8; 32],
    pub media_type: String,
    pub from_camera: bool,
    pub original_name: Option<String>,
    /// Codes, with spaces between them.
    pub flags: String,
    pub recovered: bool,
    /// EXIF orientation that turns it upright.
    pub turn: u8,
    /// `None`: not looked at yet; empty: there are previews; else why there are none.
    pub previews_missing: Option<String>,
}

/// A smaller copy as the vault keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PreviewView {
    pub kind: String,
    pub sha256: [u8; 32],
    pub size_bytes: u64,
    pub sealed_sha256: [u8; 32],
    pub size_px: (u32, u32),
}

const PATROL: &str = "SELECT key, author, state, started_ms, ended_ms, check_ins, distance_m, last_check_in_ms FROM patrol";
const INCIDENT: &str = "SELECT i.key, i.kind, i.urgent, i.author, i.unconfirmed, i.at_ms, i.earliest_ms, i.latest_ms,
     i.lat_e7, i.lon_e7, i.accuracy_cm, i.provider, i.amendments, i.photos, i.headline FROM incident i";
const PHOTO: &str = "SELECT key, subject, at_ms, sha256, size_bytes, sealed_sha256, media_type, from_camera,
     original_name, flags, recovered, turn, previews_missing FROM photo";

impl Vault {
    fn list<T>(
        &self,
        sql: &str,
        values: impl rusqlite::Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn().prepare_cached(sql).doing("read the vault")?;
        let rows = statement.query_map(values, read);
        rows.and_then(Iterator::collect).doing("read the vault")
    }

    pub(crate) fn patrol(&self, key: Key) -> Result<Option<PatrolView>> {
        self.conn()
            .prepare_cached(&format!("{PATROL} WHERE key = ?1"))
            .and_then(|mut s| s.query_row([key.0], read_patrol).optional())
            .doing("read a patrol")
    }

    /// Newest first.
    pub(crate) fn patrols(&self, before: Option<Key>, limit: u32) -> Result<Vec<PatrolView>> {
        let sql = format!("{PATROL} WHERE key < ?1 ORDER BY key DESC LIMIT ?2");
        self.list(&sql, [before.map_or(i64::MAX, |k| k.0), i64::from(limit.min(PAGE_ROWS))], read_patrol)
    }

    /// In the order in which they were recorded.
    pub(crate) fn check_ins(&self, patrol: Key, after: Option<Key>, limit: u32) -> Result<Vec<CheckInView>> {
        self.list(
            "SELECT key, at_ms, earliest_ms, latest_ms, lat_e7, lon_e7, accuracy_cm, provider, unconfirmed,
             checkpoint, note FROM check_in WHERE patrol = ?1 AND key > ?2 ORDER BY key LIMIT ?3",
            [patrol.0, after.map_or(-1, |k| k.0), i64::from(limit)],
            |r| {
                Ok(CheckInView {
                    key: Key(r.get(0)?),
                    time: TimeColumns { at_ms: r.get(1)?, earliest_ms: r.get(2)?, latest_ms: r.get(3)? },
                    place: read_place(r, 4)?,
                    unconfirmed: r.get(8)?,
                    checkpoint: r.get(9)?,
                    note: r.get(10)?,
                })
            },
        )
    }

    /// Members walking now.
    pub(crate) fn crew(&self, patrol: Key) -> Result<Vec<u32>> {
        self.list("SELECT DISTINCT member FROM crew WHERE patrol = ?1 AND left IS NULL ORDER BY member", [patrol.0], |r| r.get(0))
    }

    pub(crate) fn incident(&self, key: Key) -> Result<Option<IncidentView>> {
        self.conn()
            .prepare_cached(&format!("{INCIDENT} WHERE i.key = ?1"))
            .and_then(|mut s| s.query_row([key.0], read_incident).optional())
            .doing("read an incident")
    }

    /// Urgent first, then newest; `after` is the last row of the page before.
    pub(crate) fn incidents(&self, after: Option<(bool, i64, Key)>, limit: u32) -> Result<Vec<IncidentView>> {
        let (urgent, at_ms, key) = after.unwrap_or((true, i64::MAX, Key(i64::MAX)));
        let sql = format!(
            "{INCIDENT} WHERE (i.urgent, i.at_ms, i.key) < (?1, ?2, ?3)
             ORDER BY i.urgent DESC, i.at_ms DESC, i.key DESC LIMIT ?4"
        );
        self.list(&sql, params![urgent, at_ms, key.0, limit.min(PAGE_ROWS)], read_incident)
    }

    /// (entry, basis, text) of an incident, in order.
    pub(crate) fn statements(&self, incident: Key) -> Result<Vec<(Key, u8, String)>> {
        self.list("SELECT entry, basis, text FROM statement WHERE incident = ?1 ORDER BY entry, place", [incident.0], |r| {
            Ok((Key(r.get(0)?), r.get(1)?, r.get(2)?))
        })
    }

    /// Incidents whose text has all words of `folded`, what was told last first. The words are quoted, so
    /// nothing that is typed is read as a search language.
    pub(crate) fn search(&self, folded: &str, limit: u32) -> Result<Vec<IncidentView>> {
        let query = match_query(folded);
        if query.is_empty() {
            return Ok(Vec::new());
        }
        let hits: Vec<i64> = self.list(
            "SELECT DISTINCT t.incident FROM (SELECT -rowid AS entry FROM incident_text WHERE incident_text MATCH ?1
             ORDER BY rowid LIMIT ?2) m JOIN telling t ON t.entry = m.entry",
            params![query, limit.min(PAGE_ROWS)],
            |r| r.get(0),
        )?;
        let mut found = Vec::with_capacity(hits.len());
        for key in hits {
            found.extend(self.incident(Key(key))?);
        }
        Ok(found)
    }

    /// Pins in a box (1e-7 degree), from the covering cell table.
    pub(crate) fn pins(&self, south: i32, west: i32, north: i32, east: i32, limit: u32) -> Result<Vec<PinView>> {
        let limit = usize::try_from(limit.min(PINS_MAX)).unwrap_or(0);
        let mut pins = Vec::new();
        let (mut first, last) = (cell(south, west), cell(north, east));
        let width = (i64::from(east) + 1_800_000_000) / CELL_E7 - (i64::from(west) + 1_800_000_000) / CELL_E7;
        while first <= last && pins.len() < limit {
            let room = i64::try_from(limit - pins.len()).unwrap_or(0);
            pins.extend(self.list(
                "SELECT key, lat_e7, lon_e7, kind, urgent, at_ms FROM pin WHERE cell BETWEEN ?1 AND ?2
                 AND lat_e7 BETWEEN ?3 AND ?4 AND lon_e7 BETWEEN ?5 AND ?6 LIMIT ?7",
                params![first, first + width, south, north, west, east, room],
                |r| {
                    Ok(PinView {
                        key: Key(r.get(0)?),
                        lat_e7: r.get(1)?,
                        lon_e7: r.get(2)?,
                        kind: r.get(3)?,
                        urgent: r.get(4)?,
                        at_ms: r.get(5)?,
                    })
                },
            )?);
            first += CELLS_ACROSS;
        }
        Ok(pins)
    }

    pub(crate) fn photos(&self, subject: Option<Key>, limit: u32) -> Result<Vec<PhotoView>> {
        match subject {
            Some(key) => self.list(
                &format!("{PHOTO} WHERE subject = ?1 ORDER BY key DESC LIMIT ?2"),
                [key.0, i64::from(limit.min(PAGE_ROWS))],
                read_photo,
            ),
            None => self.list(&format!("{PHOTO} ORDER BY key DESC LIMIT ?1"), [limit.min(PAGE_ROWS)], read_photo),
        }
    }

    pub(crate) fn photo(&self, key: Key) -> Result<Option<PhotoView>> {
        Ok(self.list(&format!("{PHOTO} WHERE key = ?1"), [key.0], read_photo)?.pop())
    }

    /// Photographs of exactly these bytes.
    pub(crate) fn photos_with(&self, sha256: &[u8; 32]) -> Result<Vec<PhotoView>> {
        self.list(&format!("{PHOTO} WHERE sha256 = ?1 ORDER BY key"), [sha256], read_photo)
    }

    /// Sealed names of the smaller copies of exactly these bytes.
    pub(crate) fn previews_with(&self, sha256: &[u8; 32]) -> Result<Vec<[u8; 32]>> {
        self.list("SELECT sealed_sha256 FROM preview WHERE sha256 = ?1", [sha256], |r| r.get(0))
    }

    /// The oldest photographs whose previews nobody has answered for.
    pub(crate) fn photos_without_previews(&self, limit: u32) -> Result<Vec<PhotoView>> {
        self.list(&format!("{PHOTO} WHERE previews_missing IS NULL ORDER BY key LIMIT ?1"), [limit], read_photo)
    }

    /// Smaller copies of a photograph, the larger first.
    pub(crate) fn previews(&self, photo: Key) -> Result<Vec<PreviewView>> {
        self.list(
            "SELECT kind, sha256, size_bytes, sealed_sha256, width_px, height_px FROM preview WHERE photo = ?1 ORDER BY kind",
            [photo.0],
            |r| {
                Ok(PreviewView {
                    kind: r.get(0)?,
                    sha256: r.get(1)?,
                    size_bytes: r.get::<_, i64>(2)?.cast_unsigned(),
                    sealed_sha256: r.get(3)?,
                    size_px: (r.get(4)?, r.get(5)?),
                })
            },
        )
    }

    /// The newest answer to an alert.
    pub(crate) fn answer(&self, alert: &str) -> Result<Option<(u8, i64)>> {
        self.conn()
            .prepare_cached("SELECT answer, at_ms FROM answer WHERE alert = ?1 ORDER BY key DESC LIMIT 1")
            .and_then(|mut s| s.query_row([alert], |r| Ok((r.get(0)?, r.get(1)?))).optional())
            .doing("read an answer")
    }
}

/// Quotes each word for FTS5; the last one may be the beginning of a word.
fn match_query(folded: &str) -> String {
    let words: Vec<&str> = folded.split_whitespace().filter(|w| w.chars().any(char::is_alphanumeric)).collect();
    let mut out = String::new();
    for (i, word) in words.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        out.push('"');
        out.push_str(&word.replace('"', "\"\""));
        out.push('"');
        if i + 1 == words.len() {
            out.push('*');
        }
    }
    out
}

fn read_place(r: &rusqlite::Row<'_>, from: usize) -> rusqlite::Result<PlaceColumns> {
    Ok(PlaceColumns { lat_e7: r.get(from)?, lon_e7: r.get(from + 1)?, accuracy_cm: r.get(from + 2)?, provider: r.get(from + 3)? })
}

fn read_patrol(r: &rusqlite::Row<'_>) -> rusqlite::Result<PatrolView> {
    Ok(PatrolView {
        key: Key(r.get(0)?),
        author: r.get(1)?,
        state: r.get(2)?,
        started_ms: r.get(3)?,
        ended_ms: r.get(4)?,
        check_ins: r.get::<_, i64>(5)?.cast_unsigned(),
        distance_m: r.get(6)?,
        last_check_in_ms: r.get(7)?,
    })
}

fn read_incident(r: &rusqlite::Row<'_>) -> rusqlite::Result<IncidentView> {
    Ok(IncidentView {
        key: Key(r.get(0)?),
        kind: r.get(1)?,
        urgent: r.get(2)?,
        author: r.get(3)?,
        unconfirmed: r.get(4)?,
        time: TimeColumns { at_ms: r.get(5)?, earliest_ms: r.get(6)?, latest_ms: r.get(7)? },
        place: read_place(r, 8)?,
        amendments: r.get(12)?,
        photos: r.get(13)?,
        headline: r.get(14)?,
    })
}

fn read_photo(r: &rusqlite::Row<'_>) -> rusqlite::Result<PhotoView> {
    Ok(PhotoView {
        key: Key(r.get(0)?),
        subject: r.get::<_, Option<i64>>(1)?.map(Key),
        at_ms: r.get(2)?,
        sha256: r.get(3)?,
        size_bytes: r.get::<_, i64>(4)?.cast_unsigned(),
        sealed_sha256: r.get(5)?,
        media_type: r.get(6)?,
        from_camera: r.get(7)?,
        original_name: r.get(8)?,
        flags: r.get(9)?,
        recovered: r.get(10)?,
        turn: r.get(11)?,
        previews_missing: r.get(12)?,
    })
}
