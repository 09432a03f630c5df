//! Captures under way, and sealed files as the spool knows them: what a capture adds, what lies there, what may go.

use rusqlite::{Connection, OptionalExtension, params};
use yenban_protocol::cbor::{Reader, Writer};
use yenban_protocol::id::{BootId, EntryName, LogId};
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::record::{Begun, Position};

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

/// A capture that was prepared: its row is on the disk before the shutter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CaptureRow {
    pub id: [u8; 8],
    pub subject: Option<EntryName>,
    pub from_camera: bool,
    /// The clocks then.
    pub begun: Begun,
    pub position: Option<Position>,
    /// Hundredths of a degree clockwise from true north.
    pub heading_cdeg: Option<u32>,
}

/// Bytes of sealed files that lie on this phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Held {
    pub originals: u64,
    pub previews: u64,
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

pub(super) fn remove_capture(conn: &Connection, id: [u8; 8]) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM capture WHERE id = ?1")?.execute([id])?;
    Ok(())
}

const FILE: &str = "SELECT sealed_sha256, entry, photo, kind, size_bytes, urgent, epoch IS NOT NULL, evicted_ms FROM file";

fn read_file(r: &rusqlite::Row<'_>) -> rusqlite::Result<FileRow> {
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
}

fn read_capture(r: &rusqlite::Row<'_>) -> rusqlite::Result<CaptureRow> {
    let subject: Option<Vec<u8>> = r.get(1)?;
    let subject = subject.and_then(|bytes| {
        let (log, seq) = bytes.split_first_chunk::<8>()?;
        Some(EntryName { log: LogId(*log), seq: u64::from_be_bytes(seq.try_into().ok()?) })
    });
    let position: Option<Vec<u8>> = r.get(6)?;
    Ok(CaptureRow {
        id: r.get(0)?,
        subject,
        from_camera: r.get(2)?,
        begun: Begun { wall_ms: r.get(3)?, monotonic_ms: r.get::<_, i64>(4)?.cast_unsigned(), boot: BootId(r.get(5)?) },
        // A place that cannot be read is as good as none.
        position: position.and_then(|bytes| Position::read(&mut Reader::new(&bytes)).ok()),
        heading_cdeg: r.get(7)?,
    })
}

const CAPTURE: &str = "SELECT id, subject, from_camera, wall_ms, monotonic_ms, boot, position, heading_cdeg FROM capture";

impl Spool {
    /// Prepares a capture, synced.
    pub(crate) fn begin_capture(&mut self, row: &CaptureRow) -> Result<()> {
        let subject = row.subject.map(|name| [&name.log.0[..], &name.seq.to_be_bytes()].concat());
        let position = row.position.map(|position| {
            let mut w = Writer::new();
            position.write(&mut w);
            w.into_bytes()
        });
        self.transaction("prepare a capture", |tx| {
            tx.prepare_cached(
                "INSERT INTO capture(id, subject, from_camera, wall_ms, monotonic_ms, boot, position, heading_cdeg)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                row.id,
                subject,
                row.from_camera,
                row.begun.wall_ms,
                row.begun.monotonic_ms.cast_signed(),
                row.begun.boot.0,
                position,
                row.heading_cdeg
            ])?;
            Ok(())
        })
    }

    /// Captures under way.
    pub(crate) fn captures(&self) -> Result<Vec<CaptureRow>> {
        let mut statement = self.conn()?.prepare_cached(&format!("{CAPTURE} ORDER BY wall_ms, id")).doing("list captures")?;
        let rows = statement.query_map([], read_capture);
        rows.and_then(Iterator::collect).doing("list captures")
    }

    /// One of them.
    pub(crate) fn capture(&self, id: [u8; 8]) -> Result<Option<CaptureRow>> {
        self.conn()?
            .prepare_cached(&format!("{CAPTURE} WHERE id = ?1"))
            .and_then(|mut s| s.query_row([id], read_capture).optional())
            .doing("read a capture")
    }

    /// Forgets a capture of which nothing came.
    pub(crate) fn cancel_capture(&mut self, id: [u8; 8]) -> Result<()> {
        self.transaction("cancel a capture", |tx| remove_capture(tx, id))
    }

    /// Bytes of the sealed files that lie here.
    pub(crate) fn held(&self) -> Result<Held> {
        let sum = "SELECT coalesce(sum(size_bytes) FILTER (WHERE kind = 2), 0), coalesce(sum(size_bytes) FILTER (WHERE kind < 2), 0)
             FROM file WHERE evicted_ms IS NULL";
        self.conn()?
            .prepare_cached(sum)
            .and_then(|mut s| {
                s.query_row([], |r| {
                    Ok(Held { originals: r.get::<_, i64>(0)?.cast_unsigned(), previews: r.get::<_, i64>(1)?.cast_unsigned() })
                })
            })
            .doing("count sealed files")
    }

    /// Originals captured, and those of them that the hub has receipted.
    pub(crate) fn originals(&self) -> Result<(u64, u64)> {
        self.conn()?
            .prepare_cached("SELECT count(*), count(epoch) FROM file WHERE kind = 2")
            .and_then(|mut s| s.query_row([], |r| Ok((r.get::<_, i64>(0)?.cast_unsigned(), r.get::<_, i64>(1)?.cast_unsigned()))))
            .doing("count photographs")
    }

    /// Sealed files that may go at hub time `hub_ms`: a receipt of the epoch that the phone follows names them, and
    /// their hold is over; smaller copies after the time in which they stay readable.
    pub(crate) fn may_go(&self, epoch: [u8; 8], hub_ms: i64, readable_ms: i64) -> Result<Vec<FileRow>> {
        if planted(Bug::EvictsUnconfirmed) {
            let kept = self.files()?;
            return Ok(kept.into_iter().filter(|file| file.evicted_ms.is_none()).collect());
        }
        let mut statement = self
            .conn()?
            .prepare_cached(&format!(
                "{FILE} WHERE evicted_ms IS NULL AND epoch = ?1 AND hub_ms + hold_s * 1000 <= ?2
                 AND (kind = 2 OR hub_ms + ?3 <= ?2) ORDER BY entry, kind"
            ))
            .doing("look for what may go")?;
        let rows = statement.query_map(params![epoch, hub_ms, readable_ms], read_file);
        rows.and_then(Iterator::collect).doing("look for what may go")
    }

    /// Notes that sealed files are removed from this phone, before they are.
    pub(crate) fn note_evicted(&mut self, files: &[FileRow], wall_ms: i64) -> Result<()> {
        self.transaction("note what is removed", |tx| {
            for file in files {
                tx.prepare_cached("UPDATE file SET evicted_ms = ?2 WHERE sealed_sha256 = ?1 AND epoch IS NOT NULL")?
                    .execute(params![file.sealed_sha256, wall_ms])?;
            }
            Ok(())
        })
    }

    /// Whether the log names a sealed file.
    pub(crate) fn is_file_named(&self, sealed_sha256: &[u8; 32]) -> Result<bool> {
        self.conn()?
            .prepare_cached("SELECT 1 FROM file WHERE sealed_sha256 = ?1")
            .and_then(|mut s| s.exists([sealed_sha256]))
            .doing("look for a sealed file")
    }

    /// The sealed files of one photograph.
    pub(crate) fn files_of(&self, photo: Key) -> Result<Vec<FileRow>> {
        let mut statement =
            self.conn()?.prepare_cached(&format!("{FILE} WHERE photo = ?1 ORDER BY kind")).doing("list files of a photo")?;
        let rows = statement.query_map([photo.0], read_file);
        rows.and_then(Iterator::collect).doing("list files of a photo")
    }

    /// All sealed files that the log names, in its order.
    pub(crate) fn files(&self) -> Result<Vec<FileRow>> {
        let mut statement = self.conn()?.prepare_cached(&format!("{FILE} ORDER BY entry, kind")).doing("list sealed files")?;
        let rows = statement.query_map([], read_file);
        rows.and_then(Iterator::collect).doing("list sealed files")
    }
}
