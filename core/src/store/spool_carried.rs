//! What this phone carries for others: sealed parcels and answers, which it cannot read. Loss is harmless, so there are
//! bounds in number, bytes and time, and the oldest go.

use rusqlite::params;
use yenban_protocol::crypto::Hash;

use super::spool::Spool;
use crate::error::{Result, SqlContext};
use crate::limits::{CARRIED_BYTES_MAX, CARRIED_MAX, CARRIED_MS};

/// Something carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CarriedRow {
    pub name: Hash,
    pub kind: u8,
    pub key: [u8; 8],
    pub size_bytes: u64,
    pub since_ms: i64,
}

/// The kind under which this phone's own parcels are known, so that it does not carry them for itself.
const OWN: u8 = 0;

impl Spool {
    /// Remembers the name of a parcel of this phone.
    pub(crate) fn know_own(&mut self, name: &Hash, key: &[u8; 8], now_ms: i64) -> Result<()> {
        self.carry(name, OWN, key, &[], now_ms).map(drop)
    }

    /// Takes something along; `false` when it is here already. What is too old, and the oldest of what is too much, goes.
    pub(crate) fn carry(&mut self, name: &Hash, kind: u8, key: &[u8; 8], bytes: &[u8], now_ms: i64) -> Result<bool> {
        self.transaction("carry a parcel", |tx| {
            tx.prepare_cached("DELETE FROM carried WHERE since_ms < ?1")?.execute([now_ms.saturating_sub(CARRIED_MS)])?;
            let new = tx
                .prepare_cached("INSERT OR IGNORE INTO carried(name, kind, key, bytes, since_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![name, kind, key, bytes, now_ms])?;
            // What just came stays, whatever the clock says of it.
            let mut rows = tx.prepare_cached("SELECT name, length(bytes) FROM carried ORDER BY name = ?1 DESC, since_ms DESC, name")?;
            let mut rows = rows.query([name])?;
            let (mut kept, mut size_bytes, mut gone) = (0, 0, Vec::new());
            while let Some(row) = rows.next()? {
                kept += 1;
                size_bytes += row.get::<_, i64>(1)?.cast_unsigned();
                if kept > CARRIED_MAX || size_bytes > CARRIED_BYTES_MAX {
                    gone.push(row.get::<_, Hash>(0)?);
                }
            }
            let mut delete = tx.prepare_cached("DELETE FROM carried WHERE name = ?1")?;
            gone.iter().try_for_each(|name| delete.execute([name]).map(|_| ()))?;
            Ok(new > 0)
        })
    }

    /// Everything that is carried, the oldest first.
    pub(crate) fn carried(&self) -> Result<Vec<CarriedRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT name, kind, key, length(bytes), since_ms FROM carried WHERE kind <> 0 ORDER BY since_ms, name")
            .doing("list what is carried")?;
        let rows = statement.query_map([], |r| {
            Ok(CarriedRow {
                name: r.get(0)?,
                kind: r.get(1)?,
                key: r.get(2)?,
                size_bytes: r.get::<_, i64>(3)?.cast_unsigned(),
                since_ms: r.get(4)?,
            })
        });
        rows.and_then(Iterator::collect).doing("list what is carried")
    }

    /// The bytes of something carried.
    pub(crate) fn carried_bytes(&self, name: &Hash) -> Result<Option<Vec<u8>>> {
        use rusqlite::OptionalExtension as _;
        self.conn()?
            .prepare_cached("SELECT bytes FROM carried WHERE name = ?1")
            .and_then(|mut s| s.query_row([name], |r| r.get(0)).optional())
            .doing("read what is carried")
    }

    /// It was handed over for good, or will never be wanted.
    pub(crate) fn put_down(&mut self, name: &Hash) -> Result<()> {
        self.transaction("put a parcel down", |tx| tx.prepare_cached("DELETE FROM carried WHERE name = ?1")?.execute([name]).map(|_| ()))
    }
}
