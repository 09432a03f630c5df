//! What a damaged spool still holds, and a new spool made of it.
//!
//! Every page that opens is read alone, and every record in it put where its columns say that it belongs. What stands in
//! a record of the log proves itself later: its body opens under its session's key or not at all, and the hub compares
//! links and signatures. Three things are left behind on purpose: what the hub has received (asked again, as after a
//! restore of the hub), cursors of the feed (it comes again) and attempts.

mod pages;
mod shapes;
mod tree;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Transaction;
use rusqlite::types::Value;
use yenban_protocol::id::LogId;
use yenban_protocol::range::RangeSet;

use self::shapes::{Table, row, shape};
use super::marker::Doubt;
use super::spool::Spool;
use super::{Key, schema};
use crate::disk::RealDisk;
use crate::error::{Error, Result};
use crate::keys::{Secret32, files};
use crate::limits::{LOGS_MAX, LOST_TOLD_MAX, RESCUE_READ_MAX_BYTES};

/// Why an entry that could not be read is set aside.
const LOST: &str = "lost: it could not be read in the damaged store, which was kept";
/// Settings that belong to the life that is over.
const LEFT_BEHIND: [&str; 3] = ["doubt", "epoch", FIRST_LOG];
/// The name of the first log; a log that begins now must not get it again.
const FIRST_LOG: &str = "log.next";

/// Everything that was read.
pub(crate) struct Found {
    /// Rows in the order in which they were written, as far as pages say; later ones replace earlier ones.
    rows: Vec<(Table, Vec<Value>)>,
    /// Pages of the database.
    pub pages: u32,
    /// Pages that do not open.
    pub unreadable: u32,
    /// Whether the write-ahead log is damaged: the library would leave out what comes after.
    pub log_damaged: bool,
}

/// Rows by table and what names them there.
type Rows = BTreeMap<(Table, Vec<u8>), Vec<Value>>;

/// What else is known of a store whose spool lost rows.
#[derive(Default)]
pub(crate) struct Beside {
    /// The newest log, as the marker names it.
    pub newest_log: Option<LogId>,
    /// Settings that are kept a second time outside the spool.
    pub meta: Vec<(String, Vec<u8>)>,
}

/// Entries that were written and could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Missing {
    /// The log; `None` when its name is lost too.
    pub log: Option<LogId>,
    /// Its local number.
    pub number: u32,
    /// First missing entry.
    pub first: u64,
    /// Last missing entry.
    pub last: u64,
    /// How many of them the hub had signed for.
    pub received: u64,
}

/// What of the log was put together again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Mended {
    /// Entries that are there again.
    pub entries: u64,
    /// Entries that were written, as something else says, and are not.
    pub missing: Vec<Missing>,
}

/// Reads the spool at `path` and its write-ahead log, page by page.
///
/// # Errors
/// The files cannot be read at all, are larger than any spool, or were written by a newer program.
pub(crate) fn read(path: &Path, key: &Secret32) -> Result<Found> {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let pages = pages::open(&whole(path)?, &whole(Path::new(&log))?, key);
    if pages.schema > schema::spool_schema() {
        return Err(Error::SchemaTooNew { path: path.to_path_buf() });
    }
    let (mut rows, mut newest_only) = (Vec::new(), BTreeSet::new());
    newest_only.extend([Table::Meta, Table::Member, Table::Received, Table::FeedItem, Table::Capture, Table::Carried]);
    for (at, (number, content)) in pages.read.iter().enumerate() {
        // What is never taken back is read from older versions of a page too; of the rest only its last word counts.
        let stands = pages.newest.get(number) == Some(&at) && !pages.free.contains(number);
        let found = tree::records(*number, content, &pages);
        rows.extend(found.into_iter().filter_map(row).filter(|(table, _)| stands || !newest_only.contains(table)));
    }
    Ok(Found { rows, pages: pages.count, unreadable: pages.unreadable, log_damaged: pages.log_damaged })
}

fn whole(path: &Path) -> Result<Vec<u8>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(Error::io("open", path, e)),
    };
    let mut bytes = Vec::new();
    file.take(RESCUE_READ_MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|e| Error::io("read", path, e))?;
    if bytes.len() as u64 > RESCUE_READ_MAX_BYTES {
        return Err(Error::StoreDamaged { path: path.to_path_buf(), why: format!("it is longer than {RESCUE_READ_MAX_BYTES} bytes") });
    }
    Ok(bytes)
}

/// Makes a new spool at `path`, which must be free, of what was found. Closed, whole and synced when this returns.
pub(crate) fn put_together(found: Found, beside: Beside, path: &Path, key: &Secret32, wall_ms: i64) -> Result<Mended> {
    let (rows, mended) = chosen(found, beside);
    let mut spool = Spool::open(Arc::new(RealDisk), path.to_path_buf(), key.clone())?;
    spool.transaction("put a spool together", |tx| {
        rows.iter().try_for_each(|(table, row)| insert(tx, *table, row))?;
        mended.missing.iter().try_for_each(|missing| tell(tx, missing, wall_ms))
    })?;
    // So that the next entry begins a log of its own, even if the marker should be there.
    spool.set_meta(&[("doubt", Some(Doubt::Damaged.code().as_bytes()))])?;
    spool.fold()?;
    drop(spool);
    for ending in ["-wal", "-shm"] {
        let mut side = path.as_os_str().to_owned();
        side.push(ending);
        // Emptied above, so nothing of the spool is in it.
        let _ = std::fs::remove_file(&side);
    }
    files::sync_parent(path)?;
    Ok(mended)
}

/// The rows that stand, in the order in which they have to be put in, and what is missing.
fn chosen(found: Found, beside: Beside) -> (Vec<(Table, Vec<Value>)>, Mended) {
    let mut keyed = Rows::new();
    let (mut received, mut known): (BTreeMap<u32, RangeSet>, BTreeMap<u32, u64>) = (BTreeMap::new(), BTreeMap::new());
    let mut know = |log: u32, len: u64| {
        if (1..LOGS_MAX).contains(&log) {
            let longest = known.entry(log).or_default();
            *longest = len.max(*longest);
        }
    };
    for (table, row) in found.rows {
        match (table, integer(&row, 0), integer(&row, 1), integer(&row, 2)) {
            (Table::Entry | Table::Head | Table::Object, Some(key), ..) | (Table::File, _, Some(key), _) => {
                know(Key(key).log(), Key(key).seq() + 1);
            }
            (Table::Received, Some(log), Some(first), Some(last)) => {
                let log = u32::try_from(log).unwrap_or(0);
                know(log, last.cast_unsigned() + 1);
                received.entry(log).or_default().insert(first.cast_unsigned(), last.cast_unsigned());
                continue;
            }
            (Table::Log, Some(log), ..) => know(u32::try_from(log).unwrap_or(0), 0),
            _ => {}
        }
        keyed.insert((table, primary(table, &row)), row);
    }
    for (key, value) in beside.meta {
        let row = vec![Value::Text(key.clone()), Value::Blob(value)];
        keyed.insert((Table::Meta, key.into_bytes()), row);
    }
    let names = name_logs(&mut keyed, &mut known, beside.newest_log);
    keyed.retain(|(table, key), _| *table != Table::Meta || !LEFT_BEHIND.iter().any(|name| name.as_bytes() == key.as_slice()));
    let sessions: BTreeSet<i64> =
        keyed.iter().filter(|((table, _), _)| *table == Table::Session).filter_map(|(_, row)| integer(row, 0)).collect();
    // Without its log's name or its session's key nobody can open an entry.
    keyed.retain(|(table, _), row| {
        *table != Table::Entry
            || integer(row, 0).is_some_and(|key| names.contains_key(&Key(key).log()))
                && integer(row, 2).is_some_and(|session| sessions.contains(&session))
    });
    let mut here: BTreeMap<u32, RangeSet> = BTreeMap::new();
    for row in keyed.iter().filter(|((table, _), _)| *table == Table::Entry).map(|(_, row)| row) {
        let key = Key(integer(row, 0).unwrap_or_default());
        here.entry(key.log()).or_default().insert(key.seq(), key.seq());
    }
    let none = RangeSet::new();
    let mut mended = Mended { entries: here.values().map(RangeSet::count).sum(), missing: Vec::new() };
    for (log, len) in &known {
        let signed = received.get(log).unwrap_or(&none);
        for (first, last) in here.get(log).unwrap_or(&none).missing_below(*len) {
            let both = |run: (u64, u64)| (run.1.min(last) + 1).saturating_sub(run.0.max(first));
            let received = signed.iter().map(both).sum();
            mended.missing.push(Missing { log: names.get(log).copied(), number: *log, first, last, received });
        }
    }
    (keyed.into_iter().map(|((table, _), row)| (table, row)).collect(), mended)
}

/// The names of all logs that left a trace. One whose row is lost is named by what else knows of it; where nothing does,
/// its number is taken by a name that nobody has, so that no other log gets it.
fn name_logs(keyed: &mut Rows, known: &mut BTreeMap<u32, u64>, newest_log: Option<LogId>) -> BTreeMap<u32, LogId> {
    let mut names = BTreeMap::new();
    if known.is_empty() && newest_log.is_some() {
        known.insert(1, 0);
    }
    for row in keyed.iter().filter(|((table, _), _)| *table == Table::Log).map(|(_, row)| row) {
        if let (Some(id), Some(Value::Blob(name))) = (integer(row, 0).and_then(|id| u32::try_from(id).ok()), row.get(1))
            && let Ok(name) = name.as_slice().try_into()
        {
            names.insert(id, LogId(name));
        }
    }
    let first = keyed.get(&(Table::Meta, FIRST_LOG.into())).and_then(|row| match row.get(1) {
        Some(Value::Blob(name)) => name.as_slice().try_into().ok().map(LogId),
        _ => None,
    });
    let newest = known.keys().next_back().copied();
    for id in known.keys().filter(|id| !keyed.contains_key(&(Table::Log, primary_integer(i64::from(**id))))).copied().collect::<Vec<_>>() {
        let free = |name: &LogId, names: &BTreeMap<u32, LogId>| !names.values().any(|other| other == name);
        let name = newest_log.filter(|_| Some(id) == newest).or(first.filter(|_| id == 1)).filter(|name| free(name, &names));
        let (bytes, reason) = match name {
            Some(name) => (name.0, "rescued"),
            // No log has a name that begins like this but by a chance of one in 2^32.
            None => ([&[0; 4][..], &id.to_be_bytes()].concat().try_into().unwrap_or_default(), "lost"),
        };
        let row =
            vec![Value::Integer(i64::from(id)), Value::Blob(bytes.to_vec()), Value::Blob(vec![0; 16]), Value::Text(reason.to_owned())];
        keyed.insert((Table::Log, primary(Table::Log, &row)), row);
        if let Some(name) = name {
            names.insert(id, name);
        }
    }
    names
}

fn integer(row: &[Value], at: usize) -> Option<i64> {
    match row.get(at) {
        Some(Value::Integer(n)) => Some(*n),
        _ => None,
    }
}

fn primary_integer(n: i64) -> Vec<u8> {
    // In the order of the numbers themselves.
    (n.cast_unsigned() ^ (1 << 63)).to_be_bytes().to_vec()
}

/// What names a row in its table.
fn primary(table: Table, row: &[Value]) -> Vec<u8> {
    let columns = match table {
        Table::FeedItem | Table::Received => 3,
        Table::Witness => 2,
        _ => 1,
    };
    let bytes = |value: &Value| match value {
        Value::Integer(n) => primary_integer(*n),
        Value::Text(text) => text.as_bytes().to_vec(),
        Value::Blob(bytes) => bytes.clone(),
        Value::Null | Value::Real(_) => Vec::new(),
    };
    row.iter().take(columns).flat_map(bytes).collect()
}

/// Sets aside what is missing, where people see it in the outbox; a receipt of the hub that has it takes it from there.
fn tell(tx: &Transaction<'_>, missing: &Missing, wall_ms: i64) -> rusqlite::Result<()> {
    let mut statement = tx.prepare_cached("INSERT OR REPLACE INTO parked(entry, reason, wall_ms) VALUES (?1, ?2, ?3)")?;
    let last = missing.last.min(missing.first.saturating_add(LOST_TOLD_MAX - 1));
    (missing.first..=last).try_for_each(|seq| statement.execute((Key::new(missing.number, seq).0, LOST, wall_ms)).map(drop))
}

fn insert(tx: &Transaction<'_>, table: Table, row: &[Value]) -> rusqlite::Result<()> {
    if table == Table::Object {
        let file = "INSERT OR IGNORE INTO file(sealed_sha256, entry, photo, kind, size_bytes, urgent) VALUES (?2, ?1, ?1, 2, ?3, 0)";
        return tx.prepare_cached(file)?.execute(rusqlite::params_from_iter(row.iter().take(3))).map(drop);
    }
    let shape = shape(table);
    let columns: Vec<&str> = shape.columns().take(row.len()).collect();
    let places = vec!["?"; columns.len()].join(", ");
    let again = if table == Table::Session { Some("session_again") } else { None };
    for name in [Some(shape.name), again].into_iter().flatten() {
        let sql = format!("INSERT OR REPLACE INTO {name}({}) VALUES ({places})", columns.join(", "));
        tx.prepare_cached(&sql)?.execute(rusqlite::params_from_iter(row))?;
    }
    if table == Table::File {
        // No receipt of a life that is over counts, and what was parked is tried again.
        let again = "UPDATE file SET epoch = NULL, hub_ms = NULL, hold_s = NULL, parked = NULL, attempts = 0 WHERE sealed_sha256 = ?1";
        tx.prepare_cached(again)?.execute([&row[0]])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
