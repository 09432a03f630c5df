//! The embedded store: one SQLCipher database, one writer thread, a few readers.
//!
//! Everything that must be the same on PostgreSQL is said by [`HubStore`](super::HubStore) and its conformance suite;
//! here stands only how this database does it.

mod access;
mod after;
mod alerts;
mod bundle;
mod check;
mod claims;
mod custody;
mod effects;
mod evidence;
mod feed;
mod hooks;
mod items;
mod lists;
mod map;
mod objects;
mod people;
mod phones;
mod plans;
mod proposals;
mod quarantine;
mod read;
mod runs;
mod schema;
mod scrubbed;
mod settings;
mod store;
mod totals;
mod triage;
mod writer;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, RwLock};

use rusqlite::Connection;
use tokio::sync::{broadcast, mpsc, oneshot};
use yenban_protocol::feed::Scope;
use yenban_protocol::id::DeviceId;
use zeroize::Zeroizing;

use crate::disk::{Disk, RealDisk};
pub(crate) use crate::error::{HubError, Result};
use crate::limits::{NEWS_MAX, READERS_MAX, WRITER_QUEUE_MAX};
use crate::store::people::{Device, People};
use writer::{Message, Task, Writer};

/// The raw key of the database.
pub type DatabaseKey = Zeroizing<[u8; 32]>;

/// The embedded store.
pub struct SqliteStore {
    queue: mpsc::Sender<Message>,
    news: broadcast::Sender<Arc<[Scope]>>,
    shared: Arc<Shared>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// What writer callbacks and readers share.
struct Shared {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    key: DatabaseKey,
    /// Held by whoever reads; alone by the writer while it opens the database again.
    reading: RwLock<()>,
    readers: Mutex<Vec<Connection>>,
    /// Devices by name: looked up for every push. Changed only after the commit that changed the row.
    devices: RwLock<HashMap<DeviceId, Arc<Device>>>,
    /// Places and people, read again after a change.
    people: RwLock<CachedPeople>,
}

/// Places and people as last read, and how often they changed since the store was opened.
#[derive(Default)]
struct CachedPeople {
    changes: u64,
    read: Option<Arc<People>>,
}

impl SqliteStore {
    /// Opens (or, when the file is not there, makes) the database at `path`.
    pub fn open(path: &Path, key: DatabaseKey) -> Result<Self> {
        Self::open_on(Arc::new(RealDisk), path, key)
    }

    /// As [`SqliteStore::open`], with a disk by which what a death left unsynced is made durable.
    pub(crate) fn open_on(disk: Arc<dyn Disk>, path: &Path, key: DatabaseKey) -> Result<Self> {
        let mut connection = settings::open_writer(disk.as_ref(), path, &key)?;
        schema::migrate(&mut connection)?;
        let devices = devices_by_name(&connection)?;
        let (queue, receiver) = mpsc::channel(WRITER_QUEUE_MAX);
        let shared = Arc::new(Shared {
            disk,
            path: path.to_owned(),
            key,
            reading: RwLock::new(()),
            readers: Mutex::new(Vec::new()),
            devices: RwLock::new(devices),
            people: RwLock::default(),
        });
        let again = Arc::clone(&shared);
        let news = broadcast::Sender::new(NEWS_MAX);
        let writer = Writer { connection: Some(connection), reopen: move || again.reopen_writer(), news: news.clone() };
        let thread = std::thread::Builder::new()
            .name("hub-writer".to_owned())
            .spawn(move || writer::run(writer, receiver))
            .map_err(HubError::file(path))?;
        Ok(Self { queue, news, shared, thread: Mutex::new(Some(thread)) })
    }

    /// Queues work for the writer; answers after its commit. `after` runs between commit and answer.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnMut(&Connection) -> Result<T> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        let task = Task { work, after: Some(after), value: None, reply };
        self.queue.send(Message::Work(Box::new(task))).await.map_err(|_| HubError::Stopping)?;
        answer.await.map_err(|_| HubError::Stopping)?
    }

    /// Reads on a connection of its own, off the async threads.
    async fn read<T: Send + 'static>(&self, work: impl FnOnce(&Connection) -> Result<T> + Send + 'static) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || shared.read(work)).await.map_err(|e| HubError::Store(e.to_string()))?
    }

    async fn stop(&self) -> Result<()> {
        let (stopped, wait) = oneshot::channel();
        if self.queue.send(Message::Stop(stopped)).await.is_ok() {
            let _ = wait.await;
        }
        lock(&self.shared.readers).clear();
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            thread.join().map_err(|_| HubError::Store("the writer ended abnormally".to_owned()))?;
        }
        Ok(())
    }
}

impl Shared {
    /// After a failure: the file again.
    fn reopen_writer(&self) -> Result<Connection> {
        let _alone = self.reading.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        lock(&self.readers).clear();
        let connection = settings::open_writer(self.disk.as_ref(), &self.path, &self.key)?;
        // What was answered as failed may be in the file all the same: nothing remembered is true without a look.
        let devices = devices_by_name(&connection)?;
        *self.devices.write().unwrap_or_else(std::sync::PoisonError::into_inner) = devices;
        let mut people = self.people.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        *people = CachedPeople { changes: people.changes + 1, read: None };
        drop(people);
        Ok(connection)
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
        let _reading = self.reading.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let idle = lock(&self.readers).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => settings::open_reader(&self.path, &self.key)?,
        };
        let value = work(&connection);
        let mut readers = lock(&self.readers);
        // One that failed may go on failing: the library's encryption remembers.
        if readers.len() < READERS_MAX && !matches!(value, Err(HubError::Store(_))) {
            readers.push(connection);
        }
        value
    }
}

/// Every device, as it is looked up.
fn devices_by_name(c: &Connection) -> Result<HashMap<DeviceId, Arc<Device>>> {
    Ok(people::all_devices(c)?.into_iter().map(|d| (d.id, Arc::new(d))).collect())
}

/// Takes a lock whose holder cannot panic half-way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A database error in the hub's words.
fn sql(error: rusqlite::Error) -> HubError {
    HubError::Store(error.to_string())
}

/// A sequence number as SQLite keeps it. Numbers beyond 2^63 never come this far: no log gets that long, and
/// ingest refuses them.
fn seq_to_sql(seq: u64) -> Result<i64> {
    i64::try_from(seq).map_err(|_| crate::error::Refusal::TooLarge("sequence number".to_owned()).into())
}

fn seq_from_sql(seq: i64) -> u64 {
    seq.max(0) as u64
}
