//! What just happened to reports, for pages that stay open: told after it was kept, to whoever listens.
//!
//! What is told says only that something came or changed; each listener asks the store for what its officer may see. So
//! nothing is lost with a message: a listener that was too slow, or came back, counts again from where its page stood.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use yenban_protocol::crypto::Hash;
use yenban_protocol::id::EntryName;

use crate::limits::{LIVE_NEWS_MAX, LIVE_STREAMS_MAX, LIVE_STREAMS_PER_SESSION_MAX};
use crate::store::{Effect, NewRun};

/// Something that happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// A report came.
    Arrived,
    /// A report was answered, given to somebody, or has more words or photographs.
    Changed(EntryName),
}

/// Everybody who listens.
pub struct Live {
    news: broadcast::Sender<Happened>,
    room: Arc<Semaphore>,
    /// How many pages of each session stay open.
    pages: Arc<Mutex<HashMap<Hash, usize>>>,
    ended: watch::Sender<bool>,
}

impl Default for Live {
    fn default() -> Self {
        Self {
            news: broadcast::Sender::new(LIVE_NEWS_MAX),
            room: Arc::new(Semaphore::new(LIVE_STREAMS_MAX)),
            pages: Arc::default(),
            ended: watch::Sender::new(false),
        }
    }
}

/// A place among those who listen.
pub(crate) struct Listening {
    /// What happens from now on.
    pub(crate) news: broadcast::Receiver<Happened>,
    /// The hub stops.
    pub(crate) ended: watch::Receiver<bool>,
    session: Hash,
    pages: Arc<Mutex<HashMap<Hash, usize>>>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = pages.get_mut(&self.session) {
            *open -= 1;
            if *open == 0 {
                pages.remove(&self.session);
            }
        }
    }
}

impl Live {
    /// Tells everybody. Nobody listens most of the time, which is no failure.
    pub fn tell(&self, happened: Happened) {
        let _ = self.news.send(happened);
    }

    /// How many listen now.
    pub fn listeners(&self) -> usize {
        LIVE_STREAMS_MAX - self.room.available_permits()
    }

    /// Ends every stream, now and from now on: the hub stops.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    /// A place for a page of this session, while there is room for it.
    pub(crate) fn listen(&self, session: Hash) -> Option<Listening> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let open = pages.entry(session).or_default();
        if *open >= LIVE_STREAMS_PER_SESSION_MAX {
            return None;
        }
        *open += 1;
        let pages = Arc::clone(&self.pages);
        Some(Listening { news: self.news.subscribe(), ended: self.ended.subscribe(), session, pages, _room: room })
    }
}

/// What a run will tell of once it is kept.
pub(crate) fn of_run(run: &NewRun) -> Vec<Happened> {
    let mut all = Vec::new();
    for effect in run.entries.iter().filter_map(|entry| entry.effect.as_ref()) {
        let happened = match effect {
            Effect::Incident { .. } => Happened::Arrived,
            Effect::Amendment { incident, .. } => Happened::Changed(*incident),
            Effect::Photo { photo, .. } => match photo.subject {
                Some(subject) => Happened::Changed(subject),
                None => continue,
            },
            _ => continue,
        };
        if !all.contains(&happened) {
            all.push(happened);
        }
    }
    all
}
