//! The feed as the phone keeps it: items as they were signed, and where each stream stands.

use rusqlite::{Transaction, params};
use yenban_protocol::planted::{Bug, planted};

use super::spool::Spool;
use super::spool_files::offer_again;
use crate::error::{Result, SqlContext};
use crate::limits::{FEED_ITEMS_PER_SCOPE, WITNESS_HEADS_PER_NUMBER};

/// What a new item changes beside the feed itself.
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// The hub wants files again, by an item issued at this time (hub time, ms); `here` are those of them that lie here.
    Wanted { files: Vec<[u8; 32]>, here: Vec<[u8; 32]>, issued_ms: i64 },
    /// A head of custody: its number and hash, with the signed item that brought it.
    Head { number: u64, hash: [u8; 32], item: Vec<u8> },
}

/// An item to be kept.
pub(crate) struct NewItem {
    pub scope: Vec<u8>,
    pub epoch: [u8; 8],
    pub number: u64,
    pub kind: u64,
    /// Sealed to the vault: of member or role scope.
    pub sealed: bool,
    pub body: Vec<u8>,
    pub effect: Effect,
}

/// An item read back.
#[derive(Debug, Clone)]
pub(crate) struct ItemRow {
    pub sealed: bool,
    pub body: Vec<u8>,
}

/// Where a stream stands: (scope, epoch, number, hash of the newest item).
pub(crate) type StreamRow = (Vec<u8>, [u8; 8], u64, [u8; 32]);
/// The newest item of a stream in one epoch: (scope, epoch, number).
pub(crate) type CursorRow = (Vec<u8>, [u8; 8], u64);
/// Missing items: (scope, epoch, first, last).
pub(crate) type GapRow = (Vec<u8>, [u8; 8], u64, u64);

impl Spool {
    /// Keeps items, moves cursors and records gaps in one transaction. Answers how many items were new.
    pub(crate) fn apply_items(&mut self, items: &[NewItem], streams: &[StreamRow], gaps: &[GapRow]) -> Result<u64> {
        if planted(Bug::CursorFirst) && !items.is_empty() {
            self.apply_items(&[], streams, gaps)?;
        }
        self.transaction("keep the feed", |tx| {
            let mut new = 0;
            for item in items.iter().skip(usize::from(planted(Bug::ItemDropped) && items.len() > 1)) {
                let number = item.number.cast_signed();
                let added = tx
                    .prepare_cached(
                        "INSERT OR IGNORE INTO feed_item(scope, epoch, number, kind, sealed, body)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                    )?
                    .execute(params![item.scope, item.epoch, number, item.kind.cast_signed(), item.sealed, item.body])?;
                if added > 0 {
                    new += added;
                    apply(tx, &item.effect)?;
                }
                tx.prepare_cached("DELETE FROM gap WHERE scope = ?1 AND epoch = ?2 AND first = ?3 AND last = ?3")?
                    .execute(params![item.scope, item.epoch, number])?;
            }
            for (scope, epoch, number, hash) in streams {
                tx.prepare_cached(
                    "INSERT INTO stream(scope, epoch, number, hash) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT(scope) DO UPDATE SET epoch = ?2, number = ?3, hash = ?4",
                )?
                .execute(params![scope, epoch, number.cast_signed(), hash])?;
                tx.prepare_cached("DELETE FROM feed_item WHERE scope = ?1 AND epoch = ?2 AND number <= ?3")?.execute(params![
                    scope,
                    epoch,
                    number.cast_signed() - i64::from(FEED_ITEMS_PER_SCOPE)
                ])?;
            }
            for (scope, epoch, first, last) in gaps {
                tx.prepare_cached("INSERT OR REPLACE INTO gap(scope, epoch, first, last) VALUES (?1, ?2, ?3, ?4)")?.execute(params![
                    scope,
                    epoch,
                    first.cast_signed(),
                    last.cast_signed()
                ])?;
            }
            Ok(new as u64)
        })
    }

    /// Heads of custody in signed feed items, by their numbers.
    pub(crate) fn witness(&self) -> Result<Vec<Vec<u8>>> {
        let mut statement = self.conn()?.prepare_cached("SELECT item FROM witness ORDER BY number, head").doing("read heads of custody")?;
        let rows = statement.query_map([], |r| r.get(0));
        rows.and_then(Iterator::collect).doing("read heads of custody")
    }

    /// Closes every stream but these; their items go.
    pub(crate) fn keep_streams(&mut self, open: &[Vec<u8>]) -> Result<()> {
        let known: Vec<Vec<u8>> = self.streams()?.into_iter().map(|s| s.0).collect();
        let closed: Vec<Vec<u8>> = known.into_iter().filter(|scope| !open.contains(scope)).collect();
        if closed.is_empty() {
            return Ok(());
        }
        self.transaction("close streams", |tx| {
            for scope in &closed {
                for table in ["stream", "feed_item", "gap"] {
                    tx.prepare_cached(&format!("DELETE FROM {table} WHERE scope = ?1"))?.execute([scope])?;
                }
            }
            Ok(())
        })
    }

    /// Where the streams stand.
    pub(crate) fn streams(&self) -> Result<Vec<StreamRow>> {
        let mut statement =
            self.conn()?.prepare_cached("SELECT scope, epoch, number, hash FROM stream ORDER BY scope").doing("read streams")?;
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?.cast_unsigned(), r.get(3)?)));
        rows.and_then(Iterator::collect).doing("read streams")
    }

    /// Items that should be there and are not.
    pub(crate) fn gaps(&self) -> Result<Vec<GapRow>> {
        let mut statement = self.conn()?.prepare_cached("SELECT scope, epoch, first, last FROM gap").doing("read gaps")?;
        let rows = statement
            .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?.cast_unsigned(), r.get::<_, i64>(3)?.cast_unsigned())));
        rows.and_then(Iterator::collect).doing("read gaps")
    }

    /// Items of one kind, or all, in the order of their streams.
    pub(crate) fn items(&self, kind: Option<u64>) -> Result<Vec<ItemRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached("SELECT sealed, body FROM feed_item WHERE ?1 IS NULL OR kind = ?1 ORDER BY scope, epoch, number")
            .doing("read the feed")?;
        let rows = statement.query_map([kind.map(u64::cast_signed)], |r| Ok(ItemRow { sealed: r.get(0)?, body: r.get(1)? }));
        rows.and_then(Iterator::collect).doing("read the feed")
    }

    /// The newest item of these kinds in each stream of each epoch but `epoch`; with or without what is sealed to a vault.
    pub(crate) fn earlier_items(&self, epoch: [u8; 8], kinds: &[u64; 4], sealed: bool) -> Result<Vec<CursorRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached(
                "SELECT scope, epoch, max(number) FROM feed_item WHERE epoch <> ?1 AND kind IN (?2, ?3, ?4, ?5) AND sealed <= ?6
                 GROUP BY scope, epoch ORDER BY scope, epoch",
            )
            .doing("read the feed")?;
        let [a, b, c, d] = kinds.map(u64::cast_signed);
        let rows =
            statement.query_map(params![epoch, a, b, c, d, sealed], |r| Ok((r.get(0)?, r.get(1)?, r.get::<_, i64>(2)?.cast_unsigned())));
        rows.and_then(Iterator::collect).doing("read the feed")
    }

    /// Items of these kinds in one stream of one epoch, from the first to the last of `range`.
    pub(crate) fn items_in(&self, scope: &[u8], epoch: [u8; 8], range: (u64, u64), kinds: &[u64; 4]) -> Result<Vec<ItemRow>> {
        let mut statement = self
            .conn()?
            .prepare_cached(
                "SELECT sealed, body FROM feed_item
                 WHERE scope = ?1 AND epoch = ?2 AND number BETWEEN ?3 AND ?4 AND kind IN (?5, ?6, ?7, ?8) ORDER BY number",
            )
            .doing("read the feed")?;
        let [a, b, c, d] = kinds.map(u64::cast_signed);
        let (first, last) = (range.0.cast_signed(), range.1.cast_signed());
        let rows =
            statement.query_map(params![scope, epoch, first, last, a, b, c, d], |r| Ok(ItemRow { sealed: r.get(0)?, body: r.get(1)? }));
        rows.and_then(Iterator::collect).doing("read the feed")
    }

    /// Another life of the hub's database: what was received counts no more, cursors start again.
    /// Entries and items stay.
    pub(crate) fn begin_epoch(&mut self, epoch: [u8; 8]) -> Result<()> {
        self.transaction("begin an epoch", |tx| {
            for table in ["received", "receipt", "stream", "attempt"].into_iter().skip(usize::from(planted(Bug::EpochKeepsReceipts))) {
                tx.execute(&format!("DELETE FROM {table}"), [])?;
            }
            tx.execute("UPDATE file SET epoch = NULL, hub_ms = NULL, hold_s = NULL WHERE epoch IS NOT NULL", [])?;
            tx.execute("INSERT INTO meta(key, value) VALUES ('epoch', ?1) ON CONFLICT(key) DO UPDATE SET value = ?1", [epoch])?;
            Ok(())
        })
    }
}

fn apply(tx: &Transaction<'_>, effect: &Effect) -> rusqlite::Result<()> {
    match effect {
        Effect::None => Ok(()),
        Effect::Wanted { .. } if planted(Bug::HoldIgnored) => Ok(()),
        Effect::Wanted { files, here, issued_ms } => offer_again(tx, files, here, *issued_ms),
        Effect::Head { number, hash, item } => {
            tx.prepare_cached(
                "INSERT OR IGNORE INTO witness(number, head, item)
                 SELECT ?1, ?2, ?3 WHERE (SELECT count(*) FROM witness WHERE number = ?1) < ?4",
            )?
            .execute(params![number.cast_signed(), hash, item, WITNESS_HEADS_PER_NUMBER])?;
            Ok(())
        }
    }
}
