//! What leaves along with the feed, and whose answers wait for it.
//!
//! On a thin link a round trip costs as much as five kilobytes. So the first segments do not wait for the feed's answer, yet
//! nothing is made of *their* answers before it: then the epoch, the keys and the receipts are known under which they are
//! to be read, in whatever order they arrived. A refusal counts against no entry, for it may be owed to what was not known.
//! After any failure, and while something is without an answer from before, the feed is heard first.

use super::machine::{Errand, Sync};
use super::store::SyncStore;
use crate::error::Result;

impl Sync {
    /// Whether a segment may leave though the feed was not heard yet.
    pub(super) fn goes_along(&self) -> bool {
        self.may_go_along && self.flying.values().any(|f| f.errand == Errand::Feed)
    }

    /// Takes the answers that were kept, once the feed was heard or nothing is to be heard any more.
    pub(super) fn take_kept(&mut self, store: &mut dyn SyncStore) -> Result<()> {
        if !self.feed_heard && !self.stopping {
            return Ok(());
        }
        let kept: Vec<u64> = self.flying.iter().filter(|(_, f)| f.kept.is_some()).map(|(id, _)| *id).collect();
        for id in kept {
            let Some(mut flight) = self.flying.remove(&id) else { continue };
            let Some(reply) = flight.kept.take() else { continue };
            match flight.errand.span() {
                Some(span) if !self.feed_heard => {
                    if Self::problem_of(&reply).is_none() {
                        self.on_answer_alone(span, &reply.body, store)?;
                    }
                }
                _ => self.take(flight, reply, store)?,
            }
        }
        Ok(())
    }
}
