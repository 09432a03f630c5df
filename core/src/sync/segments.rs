//! Segments on the road: what is sealed for the room in the air, and what becomes of a run that is refused.

use yenban_protocol::keys::Purpose;
use yenban_protocol::wire::path;

use super::Method;
use super::machine::{Chosen, Errand, Sync};
use super::outcome::Reason;
use super::plan::{Piece, Span};
use super::seal::{Job, Sender, prepare, seal_all};
use super::store::SyncStore;
use crate::error::{Error, Result};
use crate::limits::{PARK_AFTER_REJECTIONS, SYNC_REJECTIONS_IN_ROW_MAX};

impl Sync {
    pub(super) fn choose_segment(&mut self, store: &mut dyn SyncStore) -> Result<Option<Chosen>> {
        if self.ready.is_empty() {
            self.plan.look(store)?;
            self.make_ready(store)?;
        }
        let Some((piece, bytes)) = self.ready.pop_front() else { return Ok(None) };
        let size_bytes = bytes.len() as u64;
        self.outcome.pushed_bytes += size_bytes;
        if self.plan.mark_sent(piece.span) {
            self.outcome.resent_bytes += size_bytes;
        }
        Ok(Some(Chosen::bytes(Errand::Segment(piece), Method::Post, path::SEGMENTS, bytes)))
    }

    /// Seals as many segments as may fly now.
    fn make_ready(&mut self, store: &mut dyn SyncStore) -> Result<()> {
        let room = self.in_flight.saturating_sub(self.flying.len());
        let mut jobs: Vec<(Piece, Job)> = Vec::new();
        // A run that cannot be sealed is set apart, which may leave others to seal: so until one is ready.
        while self.ready.is_empty() {
            while jobs.len() < room
                && let Some(job) = self.next_job(store, &jobs)?
            {
                jobs.push(job);
            }
            if jobs.is_empty() {
                return Ok(());
            }
            for (piece, sealed) in seal_all(std::mem::take(&mut jobs)) {
                match sealed {
                    Ok(bytes) => self.ready.push_back((piece, bytes)),
                    Err(e) => self.set_damaged_apart(store, piece, e)?,
                }
            }
        }
        Ok(())
    }

    fn next_job(&mut self, store: &mut dyn SyncStore, jobs: &[(Piece, Job)]) -> Result<Option<(Piece, Job)>> {
        let mut taken: Vec<Span> = jobs.iter().map(|(piece, _)| piece.span).collect();
        taken.extend(self.flying.values().filter_map(|f| f.errand.span()));
        while let Some(piece) = self.plan.next(&taken) {
            if self.plan.is_settled(piece.span) {
                continue;
            }
            let token = store.token()?;
            let Some(identity) = &self.identity else { return Ok(None) };
            let Some(hub) = identity.history.value.current(Purpose::Seal) else {
                self.halt(Reason::new("no_seal_key", "the hub's key history has no key to seal to"));
                return Ok(None);
            };
            let sender = Sender { device: identity.device, hub: hub.key, token: token.as_ref() };
            match prepare(store, &sender, piece.span) {
                Ok(Some(job)) => {
                    if piece.rejections > 0 && job.span.last < piece.span.last {
                        self.plan.give_back(Piece { span: Span { first: job.span.last + 1, ..piece.span }, ..piece });
                    }
                    return Ok(Some((Piece { span: job.span, ..piece }, job)));
                }
                Ok(None) => self.skip_absent(store, piece)?,
                Err(e) => self.set_damaged_apart(store, piece, e)?,
            }
        }
        Ok(None)
    }

    /// What this phone itself cannot read is halved as if the hub had refused it; other errors go up.
    fn set_damaged_apart(&mut self, store: &mut dyn SyncStore, piece: Piece, error: Error) -> Result<()> {
        match error {
            Error::LogBroken { why, .. } => {
                let piece = Piece { rejections: PARK_AFTER_REJECTIONS, ..piece };
                self.set_apart(store, piece, &Reason::new("damaged", why))
            }
            other => Err(other),
        }
    }

    /// Entries that were pruned (received under an earlier epoch, and their hold is over) cannot be sent.
    fn skip_absent(&mut self, store: &dyn SyncStore, piece: Piece) -> Result<()> {
        let present = store.entries(piece.span.log, piece.span.first, 1)?.first().map_or(u64::MAX, |e| e.seq);
        self.plan.settle(piece.span.log, piece.span.first, piece.span.last.min(present.saturating_sub(1)));
        if piece.rejections > 0 && present <= piece.span.last {
            self.plan.give_back(Piece { span: Span { first: present, ..piece.span }, ..piece });
        }
        Ok(())
    }

    /// What is sealed and not sent is sealed again: to another key, or under another token.
    pub(super) fn seal_anew(&mut self) {
        for (piece, _) in self.ready.drain(..) {
            self.plan.give_back(piece);
        }
    }

    /// The hub has taken a run.
    pub(super) fn accepted(&mut self) {
        self.rejections_in_row = 0;
    }

    /// The hub has refused the content of a run.
    pub(super) fn reject(&mut self, store: &mut dyn SyncStore, piece: Piece, reason: Reason) -> Result<()> {
        let Span { log, first, last } = piece.span;
        let told = store.note_rejection(log, first, last, &format!("{}: {}", reason.code, reason.detail))?;
        self.set_apart(store, Piece { rejections: told.max(piece.rejections + 1), ..piece }, &reason)?;
        self.rejections_in_row += 1;
        if self.rejections_in_row > SYNC_REJECTIONS_IN_ROW_MAX {
            // Not one bad entry but a hub (or a phone) that is wrong about everything: park nothing more.
            self.refuse(reason);
            self.stopping = true;
        }
        Ok(())
    }

    fn set_apart(&mut self, store: &mut dyn SyncStore, piece: Piece, reason: &Reason) -> Result<()> {
        if piece.span.count() == 1 && piece.rejections >= PARK_AFTER_REJECTIONS {
            store.park(piece.span.log, piece.span.first, &format!("{}: {}", reason.code, reason.detail))?;
            self.plan.settle(piece.span.log, piece.span.first, piece.span.last);
        } else {
            self.plan.again(piece);
        }
        Ok(())
    }
}
