//! Giving back: what a hub had signed and lost with its disk, phones still hold.
//!
//! A hub that comes from a backup begins another epoch. Each phone then says once which items of earlier epochs it keeps;
//! the hub asks for those it lost, and gets them as they were signed. Whether that is done stands in the store under the
//! epoch, so a sync that ends half-way only begins anew.

use std::collections::VecDeque;

use yenban_protocol::limits::MAX_ITEMS;
use yenban_protocol::wire::{ItemRange, ReturnedItems, path};

use super::Method;
use super::machine::{Chosen, Errand, Sync};
use super::store::SyncStore;
use crate::error::Result;
use crate::limits::RETURNED_BATCH_BYTES;

/// What is on its way back to the hub.
#[derive(Debug, Default)]
pub(super) struct Orders {
    /// The request in the air says what is held.
    pub offered: bool,
    batches: VecDeque<Vec<Vec<u8>>>,
}

impl Sync {
    /// The hub has said which items it lost.
    pub(super) fn give_back(&mut self, wanted: &[ItemRange], store: &mut dyn SyncStore) -> Result<()> {
        let (mut batches, mut batch_bytes) = (VecDeque::new(), usize::MAX);
        for range in wanted {
            for item in store.items_in(range)? {
                if batch_bytes.saturating_add(item.len()) > RETURNED_BATCH_BYTES
                    || batches.back().is_some_and(|b: &Vec<_>| b.len() >= MAX_ITEMS)
                {
                    batches.push_back(Vec::new());
                    batch_bytes = 0;
                }
                batch_bytes += item.len();
                if let Some(batch) = batches.back_mut() {
                    batch.push(item);
                }
            }
        }
        self.orders.batches = batches;
        self.given_back_if_all(store)
    }

    /// The next batch, one at a time.
    pub(super) fn choose_orders(&mut self) -> Option<Chosen> {
        // One at a time, and behind the reports in the air: an answer to a report that is not there yet is to nothing.
        if self.flying.values().any(|flight| matches!(flight.errand, Errand::Orders | Errand::Segment(_))) {
            return None;
        }
        let batch = self.orders.batches.pop_front()?;
        Some(Chosen::bytes(Errand::Orders, Method::Post, path::ITEMS, ReturnedItems(batch).to_bytes()))
    }

    /// The hub has taken a batch.
    pub(super) fn given_back_if_all(&mut self, store: &mut dyn SyncStore) -> Result<()> {
        if self.orders.batches.is_empty() { store.given_back() } else { Ok(()) }
    }

    /// A batch came to no end: the next sync begins anew.
    pub(super) fn keep_orders(&mut self) {
        self.orders.batches.clear();
    }
}
