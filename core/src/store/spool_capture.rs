//! Sealed files as the spool knows them: what a capture adds, and what lies there.

use rusqlite::{Connection, params};

use super::Key;
use super::spool::Spool;
use crate::error::{Result, SqlContext};

/// Size class of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum FileKind {
    /// Longest side 256 px.
    Thumbnail = 0,
    /// Longest side 1,600 px.
    Preview = 1,
    /// The bytes the camera gave.
    Original = 2,
}

impl FileKind {
    /// The class with this number in the database.
    pub(crate) fn from_number(number: u8) -> FileKind {
        match number {
            0 => FileKind::Thumbnail,
            1 => FileKind::Preview,
            _ => FileKind::Original,
        }
    }
}

/// A sealed file that the entry being written names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewFile {
    pub sealed_sha256: [u8; 32],
    pub size_bytes: u64,
    pub kind: FileKind,
    /// The photograph it is a copy of; `None`: the entry being written is that photograph.
    pub photo: Option<Key>,
    /// Belongs to an urgent incident: overtakes when sending.
    pub urgent: bool,
}

/// A sealed file that the log names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRow {
    pub sealed_sha256: [u8; 32],
    /// The entry that names it.
    pub entry: Key,
    /// The photograph whose original or copy it is.
    pub photo: Key,
    pub kind: FileKind,
    pub size_bytes: u64,
    pub urgent: bool,
    /// A receipt of the epoch that the phone follows names it.
    pub received: bool,
    /// When it was removed from this phone, after its receipt; wall clock, ms.
    pub evicted_ms: Option<i64>,
}

pub(super) fn insert_files(conn: &Connection, entry: Key, files: &[NewFile]) -> rusqlite::Result<()> {
    for file in files {
        conn.prepare_cached("INSERT INTO file(sealed_sha256, entry, photo, kind, size_bytes, urgent) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                file.sealed_sha256,
                entry.0,
                file.photo.unwrap_or(entry).0,
                file.kind as u8,
                file.size_bytes.cast_signed(),
                file.urgent
            ])?;
    }
    Ok(())
}

impl Spool {
    /// All sealed files that the log names, in its order.
    pub(crate) fn files(&self) -> Result<Vec<FileRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached(
                "SELECT sealed_sha256, entry, photo, kind, size_bytes, urgent, epoch IS NOT NULL, evicted_ms FROM file
                 ORDER BY entry, kind",
            )
            .doing("list sealed files")?;
        let rows = statement.query_map([], |r| {
            Ok(FileRow {
                sealed_sha256: r.get(0)?,
                entry: Key(r.get(1)?),
                photo: Key(r.get(2)?),
                kind: FileKind::from_number(r.get(3)?),
                size_bytes: r.get::<_, i64>(4)?.cast_unsigned(),
                urgent: r.get(5)?,
                received: r.get(6)?,
                evicted_ms: r.get(7)?,
            })
        });
        rows.and_then(Iterator::collect).doing("list sealed files")
    }
}
