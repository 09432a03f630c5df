//! Which run goes next: urgent entries in runs of their own, then pieces of rejected runs, then the rest in
//! order. Everything is derived from what the hub holds and what is in the air now.

use std::collections::VecDeque;

use yenban_protocol::id::LogId;
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::range::RangeSet;

use super::store::SyncStore;
use crate::error::Result;
use crate::limits::SEGMENT_ENTRIES_MAX;

/// Consecutive entries of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub log: LogId,
    pub first: u64,
    pub last: u64,
}

impl Span {
    pub(super) fn count(&self) -> u64 {
        self.last - self.first + 1
    }

    /// Both halves of a span of more than one entry.
    pub(super) fn halves(&self) -> (Span, Span) {
        let middle = self.first + (self.last - self.first) / 2;
        (Span { last: middle, ..*self }, Span { first: middle + 1, ..*self })
    }
}

/// A piece of a rejected run, with the rejections it has been part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece {
    pub span: Span,
    pub rejections: u32,
}

/// One log within this sync.
#[derive(Debug)]
struct LogPlan {
    log: LogId,
    len: u64,
    /// Held by the hub, parked, or not here any more: nothing to send.
    settled: RangeSet,
    /// Sent at least once, in this sync or an earlier one that had no answer.
    sent: RangeSet,
    /// Taken by the hub without being held (quarantine): not offered twice in one sync.
    delivered: RangeSet,
    urgent: Vec<u64>,
    looked_to: u64,
}

/// What there is to send.
#[derive(Debug, Default)]
pub(super) struct Plan {
    logs: Vec<LogPlan>,
    pieces: VecDeque<Piece>,
}

impl Plan {
    /// Reads the state anew: at the start, and after an epoch began.
    pub(super) fn load(&mut self, store: &dyn SyncStore) -> Result<()> {
        let before = std::mem::take(&mut self.logs);
        self.pieces.clear();
        self.look(store)?;
        for plan in &mut self.logs {
            let known = before.iter().find(|p| p.log == plan.log);
            for (first, last) in known.iter().flat_map(|p| p.sent.iter()) {
                plan.sent.insert(first, last);
            }
        }
        Ok(())
    }

    /// Notices entries and logs that were written since the last look.
    pub(super) fn look(&mut self, store: &dyn SyncStore) -> Result<()> {
        for state in store.logs()? {
            let index = match self.logs.iter().position(|p| p.log == state.log) {
                Some(index) => index,
                None => {
                    self.logs.push(LogPlan::load(state.log, store)?);
                    self.logs.len() - 1
                }
            };
            let plan = &mut self.logs[index];
            plan.len = state.len;
            if plan.looked_to < state.len {
                // What is settled below needs no look: the first unsettled entry bounds the search.
                let from = plan.settled.missing_below(state.len).first().map_or(state.len, |m| m.0);
                plan.urgent.extend(store.urgent(state.log, from.max(plan.looked_to))?);
                plan.looked_to = state.len;
            }
        }
        Ok(())
    }

    /// The next run to send, given those in the air; its length is bounded by entries only.
    pub(super) fn next(&mut self, flying: &[Span]) -> Option<Piece> {
        if let Some(span) = self.next_urgent(flying) {
            return Some(Piece { span, rejections: 0 });
        }
        if let Some(piece) = self.pieces.pop_front() {
            return Some(piece);
        }
        for plan in &self.logs {
            let taken = plan.taken(flying, &self.pieces);
            if let Some((first, last)) = taken.missing_below(plan.len).first().copied() {
                let last = last.min(first + SEGMENT_ENTRIES_MAX - 1);
                return Some(Piece { span: Span { log: plan.log, first, last }, rejections: 0 });
            }
        }
        None
    }

    /// Whether something was sent of which it is not known whether the hub has it.
    pub(super) fn awaits_answers(&self) -> bool {
        let settled = |log: LogId, (first, last)| self.is_settled(Span { log, first, last });
        self.logs.iter().any(|plan| plan.sent.iter().any(|run| !settled(plan.log, run)))
    }

    /// Whether an urgent entry waits that is not in the air.
    pub(super) fn urgent_waits(&mut self, flying: &[Span]) -> bool {
        self.next_urgent(flying).is_some()
    }

    fn next_urgent(&mut self, flying: &[Span]) -> Option<Span> {
        // The newest log first: what is urgent is what just happened.
        for plan in self.logs.iter_mut().rev() {
            if plan.urgent.is_empty() {
                continue;
            }
            let taken = plan.taken(flying, &self.pieces);
            plan.urgent.retain(|seq| !plan.settled.contains(*seq));
            let Some(first) = plan.urgent.iter().copied().find(|seq| !taken.contains(*seq)) else { continue };
            let together = plan.urgent.iter().filter(|seq| **seq >= first && !taken.contains(**seq));
            let count = together.zip(first..).take_while(|(seq, expected)| **seq == *expected).count() as u64;
            return Some(Span { log: plan.log, first, last: first + count.min(SEGMENT_ENTRIES_MAX) - 1 });
        }
        None
    }

    /// A rejected run, to be sent again in parts (or again whole, when it is a single entry).
    pub(super) fn again(&mut self, piece: Piece) {
        if piece.span.count() == 1 {
            self.pieces.push_back(piece);
            return;
        }
        let (a, b) = piece.span.halves();
        self.pieces.push_back(Piece { span: a, ..piece });
        self.pieces.push_back(Piece { span: b, ..piece });
    }

    /// Puts a piece that was not answered back in front.
    pub(super) fn give_back(&mut self, piece: Piece) {
        // Whole runs are found again by themselves; only what is being split has to be remembered.
        if piece.rejections > 0 {
            self.pieces.push_front(piece);
        }
    }

    /// Marks a run as settled; answers how many of its entries were sent in this sync and not settled yet.
    pub(super) fn settle(&mut self, log: LogId, first: u64, last: u64) -> u64 {
        let Some(plan) = self.plan(log) else { return 0 };
        let both = |a: (u64, u64), b: (u64, u64)| (a.1.min(b.1) + 1).saturating_sub(a.0.max(b.0));
        let sent_within = |span: (u64, u64)| plan.sent.iter().map(|s| both(s, span)).sum::<u64>();
        let already = plan.settled.iter().filter(|s| both(*s, (first, last)) > 0);
        let already: u64 = already.map(|s| sent_within((s.0.max(first), s.1.min(last)))).sum();
        let new = sent_within((first, last)) - already;
        plan.settled.insert(first, last);
        new
    }

    /// Marks a run as delivered without being held.
    pub(super) fn deliver(&mut self, span: Span) {
        if let Some(plan) = self.plan(span.log) {
            plan.delivered.insert(span.first, span.last);
        }
    }

    /// Notes that a run is sent; answers whether any of it was sent before in this sync.
    pub(super) fn mark_sent(&mut self, span: Span) -> bool {
        let Some(plan) = self.plan(span.log) else { return false };
        let before = plan.sent.count();
        plan.sent.insert(span.first, span.last);
        plan.sent.count() < before + span.count()
    }

    /// Whether nothing of a span is left to send.
    pub(super) fn is_settled(&self, span: Span) -> bool {
        let plan = self.logs.iter().find(|p| p.log == span.log);
        plan.is_some_and(|p| p.settled.iter().any(|(first, last)| first <= span.first && span.last <= last))
    }

    /// How many entries wait over all logs.
    pub(super) fn unsettled(&self) -> u64 {
        self.logs.iter().map(|p| p.len.saturating_sub(p.settled.count())).sum()
    }

    fn plan(&mut self, log: LogId) -> Option<&mut LogPlan> {
        self.logs.iter_mut().find(|p| p.log == log)
    }
}

impl LogPlan {
    fn load(log: LogId, store: &dyn SyncStore) -> Result<Self> {
        let mut settled = store.received(log)?;
        for (first, last) in store.parked(log)?.iter() {
            settled.insert(first, last);
        }
        let sent = store.unanswered(log)?;
        Ok(LogPlan { log, len: 0, settled, sent, delivered: RangeSet::new(), urgent: Vec::new(), looked_to: 0 })
    }

    fn taken(&self, flying: &[Span], pieces: &VecDeque<Piece>) -> RangeSet {
        let mut taken = self.settled.clone();
        if planted(Bug::BusyForever) {
            self.sent.iter().for_each(|(first, last)| taken.insert(first, last));
        }
        for (first, last) in self.delivered.iter() {
            taken.insert(first, last);
        }
        let waiting = pieces.iter().map(|p| p.span);
        for span in flying.iter().copied().chain(waiting).filter(|s| s.log == self.log) {
            taken.insert(span.first, span.last);
        }
        taken
    }
}
