//! Receipts: believed when the hub's key of the root-signed history signed them for one of our logs, and
//! applied as far as they name our own links.

use yenban_protocol::chain::Link;
use yenban_protocol::planted::{Bug, planted};
use yenban_protocol::receipt::{Held, Receipt};
use yenban_protocol::signed::Signed;

use super::machine::Sync;
use super::outcome::Reason;
use super::plan::{Piece, Span};
use super::store::{Identity, LogDoubt, SyncStore};
use crate::error::Result;
use crate::keys::Swift;
use crate::limits::SYNC_EPOCHS_MAX;

const NOT_OURS: &str = "it is about a log that is not ours";

/// What became of a receipt.
enum Taken {
    /// Verified and applied.
    Applied(Box<Receipt>),
    /// Of another life of the hub's database than we know: ask first.
    OtherEpoch,
    /// Not from our hub, or not about our logs.
    Untrusted(&'static str),
    /// The hub's, about the log of another phone, whose entries name the same file.
    Foreign,
}

impl Sync {
    /// The answer to a segment.
    pub(super) fn on_receipt_for(&mut self, piece: Piece, body: &[u8], store: &mut dyn SyncStore) -> Result<()> {
        let taken = self.take_receipt(body, store, Some(piece.span))?;
        match taken {
            Taken::Applied(receipt) => {
                self.accepted();
                if self.plan.is_settled(piece.span) {
                    return Ok(());
                }
                if receipt.quarantined {
                    // Taken into quarantine, not into the log: kept here, not offered twice in one sync.
                    self.plan.deliver(piece.span);
                    return Ok(());
                }
                self.reject(store, piece, Reason::new("not_in_receipt", "the hub's receipt does not name what was sent"))
            }
            Taken::OtherEpoch => {
                self.plan.give_back(piece);
                self.other_epoch();
                Ok(())
            }
            Taken::Untrusted(_) | Taken::Foreign => {
                let why = if let Taken::Untrusted(why) = taken { why } else { NOT_OURS };
                self.plan.give_back(piece);
                self.halt(Reason::new("untrusted_receipt", why));
                Ok(())
            }
        }
    }

    /// The answer to what went along with a feed that was never heard: it counts if it holds by itself, and what does not may
    /// only be signed with a key not known here yet.
    pub(super) fn on_answer_alone(&mut self, span: Span, body: &[u8], store: &mut dyn SyncStore) -> Result<()> {
        if !matches!(self.take_receipt(body, store, Some(span))?, Taken::Applied(_)) || !self.plan.is_settled(span) {
            store.note_unanswered(span.log, span.first, span.last)?;
        }
        Ok(())
    }

    /// A receipt that came with the feed.
    pub(super) fn on_receipt(&mut self, bytes: &[u8], store: &mut dyn SyncStore) -> Result<()> {
        match self.take_receipt(bytes, store, None)? {
            // The feed's token has just set the epoch: a receipt of another one has no say.
            Taken::Applied(_) | Taken::OtherEpoch => {}
            Taken::Untrusted(why) => self.halt(Reason::new("untrusted_receipt", why)),
            Taken::Foreign => self.halt(Reason::new("untrusted_receipt", NOT_OURS)),
        }
        Ok(())
    }

    /// A receipt that came with an answer about files. Answers whether the sync goes on; one about the log of another
    /// phone, which may have named the same file, says nothing of ours.
    pub(super) fn take_file_receipt(&mut self, bytes: &[u8], store: &mut dyn SyncStore) -> Result<bool> {
        match self.take_receipt(bytes, store, None)? {
            Taken::Applied(_) | Taken::Foreign => return Ok(true),
            Taken::OtherEpoch => self.other_epoch(),
            Taken::Untrusted(why) => self.halt(Reason::new("untrusted_receipt", why)),
        }
        Ok(false)
    }

    fn other_epoch(&mut self) {
        self.epochs += 1;
        if self.epochs > SYNC_EPOCHS_MAX {
            self.halt(Reason::new("epoch", "the hub's receipts keep naming another life of its database"));
        } else {
            self.ask_again();
        }
    }

    fn take_receipt(&mut self, bytes: &[u8], store: &mut dyn SyncStore, answers: Option<Span>) -> Result<Taken> {
        let Some(signed) = self.identity.as_ref().and_then(|identity| verify(bytes, identity)) else {
            return Ok(Taken::Untrusted("its signature is not the hub's"));
        };
        let receipt = &signed.value;
        if answers.is_some_and(|span| span.log != receipt.log) {
            return Ok(Taken::Untrusted("it answers for another log"));
        }
        let logs = store.logs()?;
        let Some(state) = logs.iter().find(|s| s.log == receipt.log) else {
            return Ok(Taken::Foreign);
        };
        if store.epoch()? != Some(receipt.epoch) {
            return Ok(Taken::OtherEpoch);
        }
        let (mut held, mut doubt) = (Vec::new(), receipt.fork_at.map(|_| LogDoubt::Fork));
        for run in receipt.ranges.iter().chain(&receipt.floating) {
            if run.last >= state.len {
                doubt = doubt.or(Some(LogDoubt::HubAhead));
            } else if store.link(receipt.log, run.last)?.is_none_or(|ours| ours == run.last_link || planted(Bug::ReceiptForAnyLink)) {
                held.push(*run);
            } else {
                doubt = Some(LogDoubt::Fork);
            }
        }
        if let Some(span) = answers {
            held.extend(answered(receipt, span, store.link(span.log, span.last)?));
        }
        // Only the log that is being written can be doubted; older ones were replaced already.
        if let Some(doubt) = doubt
            && !planted(Bug::DoubtForgotten)
            && logs.last().is_some_and(|newest| newest.log == receipt.log)
        {
            self.in_doubt(store, doubt)?;
        }
        if receipt.quarantined {
            self.refuse(Reason::new("revoked", "this device was revoked: what it sends is kept apart at the hub"));
        }
        store.apply_receipt(&signed, &held)?;
        for run in &held {
            self.outcome.pushed_entries += self.plan.settle(receipt.log, run.first, run.last);
        }
        Ok(Taken::Applied(Box::new(signed.value)))
    }
}

fn verify(bytes: &[u8], identity: &Identity) -> Option<Signed<Receipt>> {
    Signed::verify(bytes, &Swift, |receipt: &Receipt, key| identity.history.value.signing_key_at(key, receipt.hub_time_ms)).ok()
}

/// What an answer without complaint says about the run it answers, even where the receipt's ranges end at
/// entries that are not ours: the hub compared this run link by link before it signed. From a fork on, the
/// run is held as a branch of its own.
fn answered(receipt: &Receipt, span: Span, link: Option<Link>) -> Option<Held> {
    let covers = |run: &Held| run.first <= span.first && span.last <= run.last;
    let held = receipt.ranges.iter().chain(&receipt.floating).any(covers);
    let branch = receipt.fork_at.is_some_and(|at| at <= span.last);
    Some(Held { first: span.first, last: span.last, last_link: link? }).filter(|_| held || branch)
}
