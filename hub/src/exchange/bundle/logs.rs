//! What a bundle discloses of logs: whole bodies of what belongs to it, 32 salted bytes of everything else, as far as
//! the next head that the device signed.

use std::collections::{BTreeMap, BTreeSet};

use yenban_protocol::bundle::{LogFile, LogRun, Step};
use yenban_protocol::cbor::Reader;
use yenban_protocol::chain::{Class, StoredBody};
use yenban_protocol::id::LogId;
use yenban_protocol::segment::Head;

use crate::error::{HubError, Result};
use crate::limits::BUNDLE_PAGE;
use crate::store::{EntryRow, Held, HubStore, ItemName};

/// Which entries of which log and branch are disclosed; `None`: all of them.
pub(super) type Shown = BTreeMap<(LogId, u32), Option<BTreeSet<u64>>>;

/// Everything of every log.
pub(super) async fn everything(store: &dyn HubStore) -> Result<Shown> {
    let mut shown = Shown::new();
    for log in store.logs().await? {
        let held = store.log_state(log).await?.map(|state| state.held).unwrap_or_default();
        shown.extend(held.iter().map(|run| ((log, run.branch), None)));
    }
    Ok(shown)
}

/// These entries and no other.
pub(super) fn only(entries: &[ItemName]) -> Shown {
    let mut shown = Shown::new();
    for name in entries {
        if let Some(seqs) = shown.entry((name.entry.log, name.branch)).or_insert_with(|| Some(BTreeSet::new())) {
            seqs.insert(name.entry.seq);
        }
    }
    shown
}

/// The disclosed part of one log; `None` when nothing of it is held.
pub(super) async fn disclose(store: &dyn HubStore, log: LogId, branch: u32, shown: Option<&BTreeSet<u64>>) -> Result<Option<LogFile>> {
    let Some(state) = store.log_state(log).await? else { return Ok(None) };
    let mut runs = Vec::new();
    for held in state.held.iter().filter(|run| run.branch == branch) {
        let mut next = held.first;
        while let Some(first) = first_shown(shown, next, held.last) {
            let run = read_run(store, log, held, first, shown).await?;
            next = run.last() + 1;
            runs.push(run);
        }
    }
    Ok((!runs.is_empty()).then_some(LogFile { log, branch, runs }))
}

fn first_shown(shown: Option<&BTreeSet<u64>>, from: u64, last: u64) -> Option<u64> {
    let first = match shown {
        None => Some(from),
        Some(seqs) => seqs.range(from..).next().copied(),
    };
    first.filter(|first| *first <= last)
}

/// From `first` to the head after which nothing is shown next.
async fn read_run(store: &dyn HubStore, log: LogId, held: &Held, first: u64, shown: Option<&BTreeSet<u64>>) -> Result<LogRun> {
    let before = match first.checked_sub(1).filter(|_| first > held.first) {
        Some(seq) => store.entries(log, held.branch, seq, 1).await?.first().map(|row| row.link),
        None => Some(held.previous),
    };
    let previous = before.ok_or_else(|| HubError::Store(format!("{log}: the entry before {first} is not there")))?;
    let mut run = LogRun { first, previous, steps: Vec::new(), heads: Vec::new() };
    let is_shown = |seq: u64| shown.is_none_or(|seqs| seqs.contains(&seq));
    loop {
        let next = first + run.steps.len() as u64;
        let page = store.entries(log, held.branch, next, BUNDLE_PAGE).await?;
        if page.is_empty() {
            return Ok(run);
        }
        for (seq, row) in (next..).zip(page) {
            if row.seq != seq {
                return Ok(run);
            }
            run.steps.push(step(&row, is_shown(seq))?);
            let head = row.head.as_deref().map(|bytes| Head::read(&mut Reader::new(bytes))).transpose()?;
            let ends = seq == held.last || head.is_some() && !is_shown(seq + 1);
            run.heads.extend(head);
            if ends {
                return Ok(run);
            }
        }
    }
}

/// What is about a source is for one role alone and never leaves.
fn step(row: &EntryRow, shown: bool) -> Result<Step> {
    let mut body = StoredBody::from_bytes(&row.body)?;
    if !shown {
        return Ok(Step::Commit(body.commit()));
    }
    for index in 0..body.len() {
        if body.part(index).is_some_and(|part| part.class == Class::SOURCE) {
            body = body.erase(index);
        }
    }
    Ok(Step::Body(body))
}
