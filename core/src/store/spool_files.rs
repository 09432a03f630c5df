//! Sealed files on their way: which wait, why, and which the hub has signed for. Nothing here says how far one has
//! come: the hub knows, and is asked.

use rusqlite::{OptionalExtension, Transaction, params};

use super::Key;
use super::spool::Spool;
use super::spool_capture::FileKind;
use super::spool_send::ReceiptRow;
use crate::error::{Result, SqlContext};
use crate::limits::SEQ_MAX;

/// A file that may be offered: (sealed hash, size in bytes, still here).
pub(crate) type OfferRow = ([u8; 32], u64, bool);

/// A file that no receipt of this epoch names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenFile {
    /// The entry that names it.
    pub entry: Key,
    /// The photograph whose original or copy it is.
    pub photo: Key,
    pub kind: FileKind,
    /// Rejections by the hub.
    pub attempts: u32,
    /// Why it was set aside.
    pub parked: Option<String>,
    /// Why it waits, as the hub said last.
    pub reason: Option<String>,
}

impl OpenFile {
    /// The hub destroyed it when its time was over: nothing is on its way.
    pub(crate) fn is_erased(&self) -> bool {
        self.parked.as_deref().is_some_and(|why| why.starts_with(ERASED))
    }
}

/// How the reason begins with which a destroyed file is set aside.
pub(crate) const ERASED: &str = "erased";

const OFFERED: &str = "SELECT sealed_sha256, size_bytes FROM file
     WHERE epoch IS NULL AND parked IS NULL AND (evicted_ms IS NULL) = ?1
         AND EXISTS (SELECT 1 FROM received WHERE log = entry >> 40 AND entry & ?2 BETWEEN first AND last)
     ORDER BY urgent DESC, kind, entry LIMIT ?3";

impl Spool {
    /// Up to `limit` files without a receipt whose entry the hub holds, in the order of sending; those that are not
    /// here any more come last.
    pub(crate) fn files_to_offer(&self, limit: usize) -> Result<Vec<OfferRow>> {
        let mut statement = self.conn()?.prepare_cached(OFFERED).doing("list files to send")?;
        let mut rows: Vec<OfferRow> = Vec::new();
        for here in [true, false] {
            let left = limit.saturating_sub(rows.len());
            if left > 0 {
                let found = statement.query_map(params![here, SEQ_MAX.cast_signed(), i64::try_from(left).unwrap_or(i64::MAX)], |r| {
                    Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned(), here))
                });
                rows.extend(found.and_then(Iterator::collect::<rusqlite::Result<Vec<_>>>).doing("list files to send")?);
            }
        }
        Ok(rows)
    }

    /// Files of at most `most_bytes` that are here and wait, in the order of sending.
    pub(crate) fn small_files(&self, limit: usize, most_bytes: u64) -> Result<Vec<([u8; 32], u64)>> {
        let mut statement = self
            .conn()?
            .prepare_cached(
                "SELECT sealed_sha256, size_bytes FROM file
                 WHERE epoch IS NULL AND parked IS NULL AND evicted_ms IS NULL AND size_bytes <= ?1
                 ORDER BY urgent DESC, kind, entry LIMIT ?2",
            )
            .doing("list files for a courier")?;
        let bounds = params![i64::try_from(most_bytes).unwrap_or(i64::MAX), i64::try_from(limit).unwrap_or(i64::MAX)];
        let rows = statement.query_map(bounds, |r| Ok((r.get(0)?, r.get::<_, i64>(1)?.cast_unsigned())));
        rows.and_then(Iterator::collect).doing("list files for a courier")
    }

    /// Whether a file has no receipt of this epoch.
    pub(crate) fn file_waits(&self, sealed_sha256: &[u8; 32]) -> Result<bool> {
        let waits: Option<bool> = self
            .conn()?
            .prepare_cached("SELECT epoch IS NULL FROM file WHERE sealed_sha256 = ?1")
            .and_then(|mut s| s.query_row([sealed_sha256], |r| r.get(0)).optional())
            .doing("read a file's state")?;
        Ok(waits.unwrap_or(false))
    }

    /// How many files wait that are here and not set aside.
    pub(crate) fn files_waiting(&self) -> Result<u64> {
        let count: i64 = self
            .conn()?
            .prepare_cached("SELECT count(*) FROM file WHERE epoch IS NULL AND parked IS NULL AND evicted_ms IS NULL")
            .and_then(|mut s| s.query_row([], |r| r.get(0)))
            .doing("count waiting files")?;
        Ok(count.cast_unsigned())
    }

    /// Every file without a receipt of this epoch.
    pub(crate) fn open_files(&self) -> Result<Vec<OpenFile>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT entry, photo, kind, attempts, parked, reason FROM file WHERE epoch IS NULL ORDER BY entry")
            .doing("list files on their way")?;
        let rows = statement.query_map([], |r| {
            Ok(OpenFile {
                entry: Key(r.get(0)?),
                photo: Key(r.get(1)?),
                kind: FileKind::from_number(r.get(2)?),
                attempts: r.get(3)?,
                parked: r.get(4)?,
                reason: r.get(5)?,
            })
        });
        rows.and_then(Iterator::collect).doing("list files on their way")
    }

    /// Notes why a file waits.
    pub(crate) fn note_file(&mut self, sealed_sha256: &[u8; 32], why: &str) -> Result<()> {
        self.transaction("note why a file waits", |tx| {
            tx.prepare_cached("UPDATE file SET reason = ?2 WHERE sealed_sha256 = ?1 AND reason IS NOT ?2")?
                .execute(params![sealed_sha256, why])
                .map(|_| ())
        })
    }

    /// Counts a rejection of a file; answers how many there were.
    pub(crate) fn note_file_rejection(&mut self, sealed_sha256: &[u8; 32], why: &str) -> Result<u32> {
        self.transaction("note a rejected file", |tx| {
            tx.prepare_cached("UPDATE file SET attempts = attempts + 1, reason = ?2 WHERE sealed_sha256 = ?1 RETURNING attempts")?
                .query_row(params![sealed_sha256, why], |r| r.get(0))
                .optional()
                .map(Option::unwrap_or_default)
        })
    }

    /// Sets a file aside.
    pub(crate) fn park_file(&mut self, sealed_sha256: &[u8; 32], why: &str) -> Result<()> {
        self.transaction("set a file aside", |tx| {
            tx.prepare_cached("UPDATE file SET parked = ?2 WHERE sealed_sha256 = ?1")?.execute(params![sealed_sha256, why]).map(|_| ())
        })
    }

    /// Takes back that files were removed: they lie here, and no receipt of this epoch names them.
    pub(crate) fn keep_after_all(&mut self, files: &[[u8; 32]]) -> Result<()> {
        self.transaction("keep a file after all", |tx| files.iter().try_for_each(|file| keep(tx, file)))
    }

    /// Takes the files that an entry names back from where they were set aside; `false` when none was.
    pub(crate) fn unpark_files(&mut self, entry: Key) -> Result<bool> {
        self.transaction("take a file back", |tx| {
            let taken = tx
                .prepare_cached("UPDATE file SET parked = NULL, attempts = 0, reason = NULL WHERE entry = ?1 AND parked IS NOT NULL")?
                .execute([entry.0])?;
            Ok(taken > 0)
        })
    }
}

/// Marks the files of a verified receipt: named by an entry of its log, of the size it says, under the epoch that the
/// phone follows, and not asked for by the hub since. The first receipt stays: from it the hold counts.
pub(super) fn mark_received(tx: &Transaction<'_>, receipt: &ReceiptRow<'_>) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached(
        "UPDATE file SET epoch = ?3, hub_ms = ?4, hold_s = ?5, parked = NULL, reason = NULL
         WHERE sealed_sha256 = ?1 AND size_bytes = ?2 AND epoch IS NULL AND entry BETWEEN ?6 AND ?7
             AND ?3 = (SELECT value FROM meta WHERE key = 'epoch') AND (wanted_ms IS NULL OR wanted_ms <= ?4)",
    )?;
    let (first, last) = (Key::new(receipt.log, 0), Key::new(receipt.log, SEQ_MAX));
    for (hash, size_bytes) in receipt.objects {
        let size_bytes = size_bytes.cast_signed();
        statement.execute(params![hash, size_bytes, receipt.epoch, receipt.hub_ms, receipt.hold_s.cast_signed(), first.0, last.0])?;
    }
    Ok(())
}

/// The hub has lost these: what is still here is offered again, and no receipt from before counts for it. `here`: a file
/// noted as removed that was not, because the program ended in between.
pub(super) fn offer_again(tx: &Transaction<'_>, files: &[[u8; 32]], here: &[[u8; 32]], issued_ms: i64) -> rusqlite::Result<()> {
    here.iter().try_for_each(|file| keep(tx, file))?;
    let mut statement = tx.prepare_cached(
        "UPDATE file SET epoch = NULL, hub_ms = NULL, hold_s = NULL, parked = NULL, attempts = 0, reason = NULL, wanted_ms = ?2
         WHERE sealed_sha256 = ?1 AND evicted_ms IS NULL",
    )?;
    files.iter().try_for_each(|file| statement.execute(params![file, issued_ms]).map(|_| ()))
}

fn keep(tx: &Transaction<'_>, file: &[u8; 32]) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE file SET evicted_ms = NULL WHERE sealed_sha256 = ?1")?.execute([file]).map(|_| ())
}
