//! Custody chains in the embedded database. A record is appended in the transaction of the act that it tells of.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use yenban_protocol::chain::Salt;
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::{Action, CHAIN_START, Commit, CustodyFacts, CustodyRecord, DayHead, Item, Leaf, Tree, Who};
use yenban_protocol::feed::{self as wire, Scope};
use yenban_protocol::id::{EntryName, LogId};
use yenban_protocol::limits::{MAX_CUSTODY_RECORDS, MAX_NAME_BYTES, MAX_PURPOSE_BYTES};

use super::{HubError, Result, feed, seq_from_sql, seq_to_sql, sql};
use crate::entropy;
use crate::store::custody::{CustodyHeadRow, CustodyLeaves, CustodyNote, CustodyRow};
use crate::store::objects::{ItemName, ObjectKind};
use crate::store::{ItemDraft, ItemSigner, Wrong, WrongCode};

/// What a wrong head is a head of.
const HEADS: &str = "heads";

/// The name of an item in protocol's words.
fn named(item: ItemName) -> Item {
    Item { entry: item.entry, branch: item.branch }
}

/// A text cut to `limit` bytes at a boundary of characters.
fn cut(text: &str, limit: usize) -> String {
    text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= limit).map(|(_, c)| c).collect()
}

/// The time of what is recorded at `at_ms`: custody never runs back behind the newest head, whatever the clock does,
/// so that a verifier can tell a record that a head should have covered from one that came after it.
fn never_back(at_ms: i64, newest: Option<&CustodyHeadRow>) -> i64 {
    newest.map_or(at_ms, |row| row.head.at_ms.max(at_ms))
}

/// Appends records, each to the chain of its item.
///
/// # Errors
/// When the database fails, or a chain is as long as a bundle can carry: then nothing of the act may count either.
pub(super) fn append(c: &Connection, notes: &[CustodyNote]) -> Result<()> {
    let mut last = c
        .prepare_cached("SELECT number, link FROM custody WHERE log = ?1 AND branch = ?2 AND seq = ?3 ORDER BY number DESC LIMIT 1")
        .map_err(sql)?;
    let mut insert = c
        .prepare_cached("INSERT INTO custody (log, branch, seq, number, link, facts, salt, who) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
        .map_err(sql)?;
    let head = newest(c)?;
    for note in notes {
        let item = note.item;
        let seq = seq_to_sql(item.entry.seq)?;
        let last_of_it: Option<(i64, Hash)> =
            last.query_row(params![item.entry.log.0, item.branch, seq], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(sql)?;
        let (number, previous) = last_of_it.map_or((0, CHAIN_START), |(number, link)| (seq_from_sql(number) + 1, link));
        // The last place is for the end of the item: a full chain keeps nothing alive.
        let room = MAX_CUSTODY_RECORDS as u64 - u64::from(note.action != Action::Deleted);
        if number >= room {
            if of_a_look(note.action) {
                tracing::error!(%item, "its custody record is full: what a look found is not noted");
                continue;
            }
            return Err(HubError::Store(format!("{item}: its custody record is full")));
        }
        let (sha256, size_bytes) = match note.about {
            Some(about) => about,
            None => original(c, item)?,
        };
        let code = note.code.as_deref().map(|code| cut(code, MAX_NAME_BYTES));
        let facts = CustodyFacts { action: note.action, at_ms: never_back(note.at_ms, head.as_ref()), sha256, size_bytes, note: code };
        let who = Who { actor: cut(&note.actor, MAX_NAME_BYTES), purpose: cut(&note.purpose, MAX_PURPOSE_BYTES) };
        let salt: Salt = entropy::array();
        let record = CustodyRecord::new(&facts, salt, &who);
        let link = record.link(&named(item), number, &previous);
        let number = seq_to_sql(number)?;
        insert.execute(params![item.entry.log.0, item.branch, seq, number, link, record.facts, salt, who.to_bytes()]).map_err(sql)?;
    }
    Ok(())
}

/// Whether a record only says what looking at many files found: a full chain must not end the look for all others.
fn of_a_look(action: Action) -> bool {
    matches!(action, Action::FoundMissing | Action::FoundAltered | Action::Asked | Action::Verified)
}

/// Hash and length of an item's original, as its entry said.
fn original(c: &Connection, item: ItemName) -> Result<(Hash, u64)> {
    let found: Option<(Hash, i64)> = c
        .prepare_cached(
            "SELECT sha256, size_bytes FROM object WHERE photo_log = ?1 AND photo_branch = ?2 AND photo_seq = ?3 AND kind = ?4
               AND log = ?1 AND branch = ?2 AND seq = ?3 LIMIT 1",
        )
        .and_then(|mut s| {
            let seq = i64::try_from(item.entry.seq).unwrap_or(i64::MAX);
            let kind = ObjectKind::Original.number();
            s.query_row(params![item.entry.log.0, item.branch, seq, kind], |row| Ok((row.get(0)?, row.get(1)?))).optional()
        })
        .map_err(sql)?;
    let (hash, size) = found.ok_or_else(|| HubError::Store(format!("{item} is no item of evidence")))?;
    Ok((hash, seq_from_sql(size)))
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<(i64, i64, Hash, CustodyRecord)> {
    let salt: Option<Salt> = row.get(4)?;
    let who = match salt {
        Some(salt) => Commit::Told { salt, who: row.get(5)? },
        None => Commit::Erased(row.get(5)?),
    };
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, CustodyRecord { facts: row.get(3)?, who }))
}

/// The chain of an item, up to the record at `place`.
pub(super) fn chain(c: &Connection, item: ItemName, place: i64) -> Result<Vec<CustodyRow>> {
    let seq = seq_to_sql(item.entry.seq)?;
    let mut statement = c
        .prepare_cached(
            "SELECT place, number, link, facts, salt, who FROM custody WHERE log = ?1 AND branch = ?2 AND seq = ?3 AND place <= ?4
             ORDER BY number",
        )
        .map_err(sql)?;
    let rows = statement.query_map(params![item.entry.log.0, item.branch, seq, place], record_row);
    let rows: Vec<_> = rows.and_then(Iterator::collect).map_err(sql)?;
    rows.into_iter()
        .map(|(place, number, link, record)| {
            let facts = CustodyFacts::from_bytes(&record.facts).map_err(|e| HubError::Store(format!("custody of {item}: {e}")))?;
            Ok(CustodyRow { place, number: seq_from_sql(number), link, facts, record })
        })
        .collect()
}

/// All chains as they stood when the record at `place` was the newest, in ascending order of items.
pub(super) fn leaves(c: &Connection, place: i64) -> Result<CustodyLeaves> {
    // The number of a chain's newest record is its length less one; `max` takes its row's link along.
    let mut statement = c
        .prepare_cached(
            "SELECT log, seq, branch, max(number), link FROM custody WHERE place <= ? GROUP BY log, seq, branch ORDER BY log, seq, branch",
        )
        .map_err(sql)?;
    let rows = statement.query_map([place], |row| {
        let entry = EntryName { log: LogId(row.get(0)?), seq: seq_from_sql(row.get(1)?) };
        let records = seq_from_sql(row.get(3)?) + 1;
        Ok(Leaf { item: Item { entry, branch: row.get(2)? }, records, link: row.get(4)? })
    });
    rows.and_then(Iterator::collect).map_err(sql)
}

/// Signed heads from number `from` on.
pub(super) fn heads(c: &Connection, from: u64) -> Result<Vec<CustodyHeadRow>> {
    let mut statement = c
        .prepare_cached(
            "SELECT number, place, day, items, root, previous, at_ms, bytes FROM custody_head WHERE number >= ? ORDER BY number",
        )
        .map_err(sql)?;
    let rows = statement.query_map([i64::try_from(from).unwrap_or(i64::MAX)], head_row);
    rows.and_then(Iterator::collect).map_err(sql)
}

fn head_row(row: &Row<'_>) -> rusqlite::Result<CustodyHeadRow> {
    let head = DayHead {
        number: seq_from_sql(row.get(0)?),
        day: row.get(2)?,
        items: seq_from_sql(row.get(3)?),
        root: row.get(4)?,
        previous: row.get(5)?,
        at_ms: row.get(6)?,
    };
    Ok(CustodyHeadRow { head, place: row.get(1)?, bytes: row.get(7)? })
}

/// The newest head.
pub(super) fn newest(c: &Connection) -> Result<Option<CustodyHeadRow>> {
    c.prepare_cached("SELECT number, place, day, items, root, previous, at_ms, bytes FROM custody_head ORDER BY number DESC LIMIT 1")
        .and_then(|mut s| s.query_row([], head_row).optional())
        .map_err(sql)
}

/// Appends `notes`, puts all chains under a new head, signs it and sends it out in the commune's stream.
pub(super) fn make_head(
    c: &Connection,
    notes: &[CustodyNote],
    day: u32,
    at_ms: i64,
    scope: Scope,
    signer: &ItemSigner,
) -> Result<CustodyHeadRow> {
    append(c, notes)?;
    let place: i64 =
        c.prepare_cached("SELECT ifnull(max(place), 0) FROM custody").and_then(|mut s| s.query_row([], |row| row.get(0))).map_err(sql)?;
    let tree = Tree::new(leaves(c, place)?.iter().map(Leaf::hash).collect());
    let before = newest(c)?;
    let head = DayHead {
        number: before.as_ref().map_or(0, |row| row.head.number + 1),
        day,
        items: tree.len(),
        root: tree.root(),
        previous: before.as_ref().map_or(CHAIN_START, |row| row.head.hash()),
        at_ms: never_back(at_ms, before.as_ref()),
    };
    let draft = ItemDraft { scope, item: wire::Item::CustodyHead(head), issued_ms: at_ms };
    let signed = feed::append(c, &[draft], signer)?.pop().ok_or_else(|| HubError::Store("a head of custody was not signed".to_owned()))?;
    c.prepare_cached(
        "INSERT INTO custody_head (number, place, day, items, root, previous, at_ms, bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
    )
    .and_then(|mut s| {
        let (number, items) = (seq_to_sql(head.number).unwrap_or(i64::MAX), i64::try_from(head.items).unwrap_or(i64::MAX));
        s.execute(params![number, place, head.day, items, head.root, head.previous, head.at_ms, signed.bytes])
    })
    .map_err(sql)?;
    Ok(CustodyHeadRow { head, place, bytes: signed.bytes })
}

/// Erases who did what before `before_ms`; what was done, and every link, stays.
pub(super) fn erase_who(c: &Connection, before_ms: i64, limit: u32) -> Result<u64> {
    let mut statement = c
        .prepare_cached("SELECT place, number, link, facts, salt, who FROM custody WHERE salt IS NOT NULL ORDER BY place LIMIT ?")
        .map_err(sql)?;
    let rows: Vec<_> = statement.query_map([limit], record_row).and_then(Iterator::collect).map_err(sql)?;
    let mut update = c.prepare_cached("UPDATE custody SET salt = NULL, who = ?2 WHERE place = ?1").map_err(sql)?;
    let mut erased = 0;
    for (place, _, _, record) in rows {
        let facts = CustodyFacts::from_bytes(&record.facts).map_err(|e| HubError::Store(format!("custody record {place}: {e}")))?;
        if facts.at_ms >= before_ms {
            break;
        }
        update.execute(params![place, record.commit()]).map_err(sql)?;
        erased += 1;
    }
    Ok(erased)
}

/// Where a chain stands while all records pass by in the order in which they were made.
struct Stands {
    number: u64,
    /// As it is computed from the records.
    computed: Hash,
    /// Hash of its leaf, as the records say it.
    leaf: Hash,
    /// It differs already: one line for a chain is enough.
    wrong: bool,
}

/// Recomputes every chain and every head; names of what does not agree. Each record is read once: heads are compared as
/// the records under them have passed by. What is left to do for a head is its tree over the hashes of the leaves.
pub(super) fn check(c: &Connection) -> Result<Vec<Wrong>> {
    let (mut wrong, mut wrong_heads) = (Vec::new(), Vec::new());
    let mut chains: BTreeMap<Item, Stands> = BTreeMap::new();
    let mut heads = heads(c, 0)?.into_iter().peekable();
    let (mut previous, mut tree) = (CHAIN_START, None);
    let mut close = |row: CustodyHeadRow, chains: &BTreeMap<Item, Stands>, tree: &mut Option<Tree>| {
        let tree = tree.get_or_insert_with(|| Tree::new(chains.values().map(|stands| stands.leaf).collect()));
        if row.head.previous != previous || row.head.root != tree.root() || row.head.items != tree.len() {
            wrong_heads.push(Wrong::new(WrongCode::CustodyHead, HEADS).at(row.head.number));
        }
        previous = row.head.hash();
    };
    let mut statement =
        c.prepare_cached("SELECT place, number, link, facts, salt, who, log, seq, branch FROM custody ORDER BY place").map_err(sql)?;
    let mut rows = statement.query([]).map_err(sql)?;
    while let Some(row) = rows.next().map_err(sql)? {
        let (place, number, link, record) = record_row(row).map_err(sql)?;
        let item = || -> rusqlite::Result<Item> {
            Ok(Item { entry: EntryName { log: LogId(row.get(6)?), seq: seq_from_sql(row.get(7)?) }, branch: row.get(8)? })
        };
        let item = item().map_err(sql)?;
        while let Some(head) = heads.next_if(|head| head.place < place) {
            close(head, &chains, &mut tree);
        }
        tree = None;
        let stands = chains.entry(item).or_insert(Stands { number: 0, computed: CHAIN_START, leaf: CHAIN_START, wrong: false });
        stands.computed = record.link(&item, stands.number, &stands.computed);
        if !stands.wrong && (seq_from_sql(number) != stands.number || link != stands.computed) {
            wrong.push(Wrong::new(WrongCode::CustodyRecord, item).at(stands.number));
            stands.wrong = true;
        }
        stands.leaf = Leaf { item, records: seq_from_sql(number) + 1, link }.hash();
        stands.number += 1;
    }
    for head in heads {
        close(head, &chains, &mut tree);
    }
    wrong.extend(wrong_heads);
    Ok(wrong)
}
