//! Phones that stay connected: a request for the feed that waits until there is something new for its device.
//!
//! Whoever waits holds one place and its connection, no thread and no connection to the database. Places are bounded; who
//! finds none is answered at once and told when to come again. A device has one place: a newer request ends the older one.
//! News come from the store after each commit, so nothing is asked for while nothing happens. A stop of the hub ends every
//! wait with an ordinary answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, oneshot, watch};
use yenban_protocol::feed::Scope;
use yenban_protocol::id::DeviceId;
use yenban_protocol::wire::{Cursor, FeedAnswer};

use crate::app::Hub;
use crate::error::Result;
use crate::feed::{self, Asked};
use crate::limits::{WAITERS_MAX, WOKEN_AT_ONCE_MAX};
use crate::store::News;

/// Everybody who waits.
pub struct Waiting {
    room: Arc<Semaphore>,
    /// Room for looks of those who were woken.
    looks: Semaphore,
    ended: watch::Sender<bool>,
    number: AtomicU64,
    /// The newest wait of each device, and what tells it that a newer one came.
    places: Mutex<HashMap<DeviceId, (u64, oneshot::Sender<()>)>>,
    /// What each device said last that it has stored: said again, it is no news for the database.
    said: Mutex<HashMap<DeviceId, Vec<Cursor>>>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(WAITERS_MAX)),
            looks: Semaphore::new(WOKEN_AT_ONCE_MAX),
            ended: watch::Sender::new(false),
            number: AtomicU64::new(0),
            places: Mutex::default(),
            said: Mutex::default(),
        }
    }
}

/// What a request that would wait ended with.
pub(crate) struct Heard {
    /// The answer.
    pub(crate) answer: FeedAnswer,
    /// There was no room to wait.
    pub(crate) turned_away: bool,
}

/// One place among those who wait.
struct Place<'a> {
    waiting: &'a Waiting,
    device: DeviceId,
    number: u64,
    newer: oneshot::Receiver<()>,
    _room: OwnedSemaphorePermit,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut places = lock(&self.waiting.places);
        if places.get(&self.device).is_some_and(|(number, _)| *number == self.number) {
            places.remove(&self.device);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Waiting {
    /// How many wait now.
    pub fn waiters(&self) -> usize {
        WAITERS_MAX - self.room.available_permits()
    }

    /// Ends every wait, now and from now on: the hub stops.
    pub fn end(&self) {
        self.ended.send_replace(true);
    }

    fn place(&self, device: DeviceId) -> Option<Place<'_>> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        let (tell, newer) = oneshot::channel();
        if let Some((_, older)) = lock(&self.places).insert(device, (number, tell)) {
            // It may have ended just now.
            let _ = older.send(());
        }
        Some(Place { waiting: self, device, number, newer, _room: room })
    }

    pub(crate) fn said_before(&self, device: DeviceId, cursors: &[Cursor]) -> bool {
        lock(&self.said).get(&device).is_some_and(|said| said == cursors)
    }

    pub(crate) fn said(&self, device: DeviceId, cursors: &[Cursor]) {
        lock(&self.said).insert(device, cursors.to_vec());
    }
}

/// Whether an answer tells more than the time.
fn is_news(answer: &FeedAnswer) -> bool {
    !answer.items.is_empty() || answer.more || answer.history.is_some()
}

/// Answers a request as soon as there is something new for its device, at the latest after `wait`. `inside`, the room that it
/// came in by, is given back before it waits; for looks after that there is room of its own, so that an alert which wakes
/// everybody keeps no report out.
///
/// # Errors
/// As without waiting; also when the device may not receive any more at the end of the wait.
pub(crate) async fn pull(hub: &Hub, body: &[u8], wait: Duration, inside: impl Send) -> Result<Heard> {
    // Before the first look: what is appended after it is heard of.
    let mut news = hub.store.news();
    let mut ended = hub.waiting.ended.subscribe();
    let Asked { device, request } = feed::asked(hub, body).await?;
    feed::confirmed(hub, device.id, &request).await?;
    let found = feed::look(hub, &device, &request).await?;
    let at_once = is_news(&found) || *ended.borrow();
    let place = if at_once { None } else { hub.waiting.place(device.id) };
    let Some(mut place) = place else {
        let answer = feed::signed(hub, &device, &request, found, hub.now_ms()).await?;
        return Ok(Heard { answer, turned_away: !at_once });
    };
    drop((found, inside));
    let scopes = feed::scopes(hub, &device);
    let mut long_enough = std::pin::pin!(tokio::time::sleep(wait));
    loop {
        let over = tokio::select! {
            () = one_of(&mut news, &scopes) => false,
            () = &mut long_enough => true,
            _ = &mut place.newer => true,
            _ = ended.wait_for(|ended| *ended) => true,
        };
        let _work = hub.waiting.looks.acquire().await;
        // The device as it is now: it may have been revoked meanwhile.
        let device = hub.store.device(device.id).await?.ok_or(crate::error::Refusal::UnknownDevice)?;
        feed::may_receive(&device, hub.now_ms())?;
        let found = feed::look(hub, &device, &request).await?;
        if over || is_news(&found) {
            let answer = feed::signed(hub, &device, &request, found, hub.now_ms()).await?;
            return Ok(Heard { answer, turned_away: false });
        }
    }
}

/// Returns when something was appended to one of these streams, or may have been.
async fn one_of(news: &mut News, scopes: &[Scope]) {
    loop {
        match news.recv().await {
            Ok(appended) if !appended.iter().any(|scope| scopes.contains(scope)) => {}
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
            // The store is closing; the end is told by another way.
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}
