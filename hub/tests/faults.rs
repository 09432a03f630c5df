//! The hub dies, or its disk fails, at every call that receiving a file makes; and nothing that was promised is lost.

mod support;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use support::TestHub;
use support::upload::{Reply, Sealed, Tus, content, facts, record, seal};
use yenban_hub::Hub;
use yenban_hub::app::Parts;
use yenban_hub::disk::{Disk, RealDisk};
use yenban_hub::folder::Folder;
use yenban_hub::limits::DISK_RESERVE_BYTES;
use yenban_hub::storage::sealed::Read;
use yenban_hub::storage::{Later, Listing, ObjectName, ObjectStorage, OverObjectStore, Parts as FileParts};
use yenban_hub::store::ObjectState;
use yenban_protocol::crypto::sha256;

use support::phone::Phone;

/// What happens at the call on which the plan falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Everything fails from this call on, which itself did nothing: the hub was killed before it.
    DieBefore,
    /// This call was done, and everything after fails: the hub was killed after it.
    DieAfter,
    /// This call alone fails for want of room, writes half-way.
    Full,
    /// This call alone fails.
    Broken,
}

/// Counts calls and lets one of them fail.
struct Plan {
    calls: AtomicU64,
    at: u64,
    fault: Fault,
}

impl Plan {
    fn new(at: u64, fault: Fault) -> Arc<Self> {
        Arc::new(Self { calls: AtomicU64::new(0), at, fault })
    }

    /// `Ok(true)`: do it; `Ok(false)`: do it and then fail; an error: do not.
    fn step(&self) -> io::Result<bool> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst) + 1;
        let dead = || io::Error::other("dead");
        match self.fault {
            Fault::DieBefore if call >= self.at => Err(dead()),
            Fault::DieAfter if call > self.at => Err(dead()),
            Fault::DieAfter if call == self.at => Ok(false),
            Fault::Full if call == self.at => Err(io::ErrorKind::StorageFull.into()),
            Fault::Broken if call == self.at => Err(io::Error::from_raw_os_error(5)),
            _ => Ok(true),
        }
    }

    fn around<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let alive = self.step()?;
        let value = work()?;
        if alive { Ok(value) } else { Err(io::Error::other("dead")) }
    }
}

struct FaultyDisk(Arc<Plan>);

impl Disk for FaultyDisk {
    fn create(&self, path: &Path) -> io::Result<File> {
        self.0.around(|| RealDisk.create(path))
    }
    fn write(&self, file: &File, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let done = self.0.around(|| RealDisk.write(file, offset, bytes));
        if done.is_err() && self.0.fault == Fault::Full {
            // A full disk takes what it can.
            RealDisk.write(file, offset, &bytes[..bytes.len() / 2])?;
        }
        done
    }
    fn truncate(&self, file: &File, length: u64) -> io::Result<()> {
        self.0.around(|| RealDisk.truncate(file, length))
    }
    fn sync(&self, file: &File) -> io::Result<()> {
        self.0.around(|| RealDisk.sync(file))
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.around(|| RealDisk.sync_folder(folder))
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.around(|| RealDisk.remove(path))
    }
    fn free_bytes(&self, path: &Path) -> io::Result<u64> {
        RealDisk.free_bytes(path).map(|free| free.max(2 * DISK_RESERVE_BYTES))
    }
}

struct FaultyStorage(Arc<Plan>, OverObjectStore);

impl FaultyStorage {
    fn failed(e: io::Error) -> yenban_hub::HubError {
        yenban_hub::HubError::Storage(e.to_string())
    }
}

impl ObjectStorage for FaultyStorage {
    fn put(&self, name: ObjectName, parts: FileParts) -> Later<'_, u64> {
        Box::pin(async move {
            let alive = self.0.step().map_err(Self::failed)?;
            let size = self.1.put(name, parts).await?;
            if alive { Ok(size) } else { Err(Self::failed(io::Error::other("dead"))) }
        })
    }
    fn read(&self, name: ObjectName, range: std::ops::Range<u64>) -> Later<'_, Option<bytes::Bytes>> {
        Box::pin(async move {
            let alive = self.0.step().map_err(Self::failed)?;
            let read = self.1.read(name, range).await?;
            if alive { Ok(read) } else { Err(Self::failed(io::Error::other("dead"))) }
        })
    }
    fn size(&self, name: ObjectName) -> Later<'_, Option<u64>> {
        self.1.size(name)
    }
    fn remove(&self, name: ObjectName) -> Later<'_, bool> {
        Box::pin(async move {
            let alive = self.0.step().map_err(Self::failed)?;
            let removed = self.1.remove(name).await?;
            if alive { Ok(removed) } else { Err(Self::failed(io::Error::other("dead"))) }
        })
    }
    fn list(&self) -> Later<'_, Listing> {
        self.1.list()
    }
    fn tidy(&self) -> Later<'_, ()> {
        self.1.tidy()
    }
}

/// The folder of a stopped hub.
struct Ground {
    temp: tempfile::TempDir,
    clock: yenban_hub::clock::ManualClock,
}

/// A stopped hub with one delivered entry, and its file.
async fn halted() -> (Ground, Phone, Sealed) {
    let mut hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let file = seal(&phone, &content(3, 150_000));
    record(&mut phone, None, facts(&file));
    hub.deliver(&phone).await;
    hub.halt().await;
    let TestHub { temp, clock, hub, .. } = hub;
    drop(hub);
    // A job that was still reading when the hub stopped keeps the log of the database from being folded in, and the next
    // opening would write it again: that has tests of its own.
    let dir = temp.path().join("hub");
    while dir.join("hub.db-wal").exists() {
        let hub = Hub::open(Folder::new(dir.clone()), Arc::new(clock.clone())).await.expect("opens");
        hub.close().await.expect("closes");
    }
    (Ground { temp, clock }, phone, file)
}

/// Sends the file in three chunks (the second under a checksum) until something refuses; gives the last answer.
async fn send(tus: &Tus, file: &Sealed) -> Reply {
    let created = tus.create(&file.hash, file.bytes.len() as u64).await;
    if created.status != 201 {
        return created;
    }
    let mut at = created.offset() as usize;
    let mut last = created;
    while at < file.bytes.len() {
        let end = (at + 70_000).min(file.bytes.len());
        let part = &file.bytes[at..end];
        let sum = format!("sha256 {}", data_encoding::BASE64.encode(&sha256(part)));
        last = match at {
            60_000..=100_000 => tus.patch_checked(&file.hash, at as u64, part, &sum).await,
            _ => tus.patch(&file.hash, at as u64, part).await,
        };
        if last.status != 204 {
            return last;
        }
        at = last.offset() as usize;
    }
    last
}

async fn open(hub: &Ground, plan: &Arc<Plan>) -> yenban_hub::Result<Arc<Hub>> {
    let dir = hub.temp.path().join("hub");
    let storage = OverObjectStore::folder(&dir.join("objects"))?;
    let parts = Parts {
        storage: Some(Arc::new(FaultyStorage(Arc::clone(plan), storage))),
        disk: Arc::new(FaultyDisk(Arc::clone(plan))),
        ..Parts::default()
    };
    Hub::open_on(Folder::new(dir), Arc::new(hub.clock.clone()), parts).await
}

/// What must hold whatever happened: a receipt means that the bytes are there; what is shown as verified is whole.
async fn hold(hub: &Hub, file: &Sealed, promised: bool, what: &str) -> bool {
    let row = hub.store.objects_named(vec![file.hash]).await.expect("rows").remove(0);
    assert!(!promised || row.state == ObjectState::Verified, "{what}: a receipt was given for what is {:?}", row.state);
    if row.state == ObjectState::Verified {
        let stored = row.stored.expect("stored");
        let read = yenban_hub::storage::sealed::read(hub.storage.as_ref(), &stored, |_| Ok(())).await.expect("reads");
        assert_eq!(read, Read::Whole(sha256(&file.plain), file.plain.len() as u64), "{what}");
    }
    row.state == ObjectState::Verified
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_call_of_the_disk() {
    let mut places = 0;
    for fault in [Fault::DieBefore, Fault::DieAfter, Fault::Full, Fault::Broken] {
        for at in 1.. {
            let (hub, phone, file) = halted().await;
            let plan = Plan::new(at, fault);
            let what = format!("{fault:?} at call {at}");
            let mut promised = false;
            let faulty = open(&hub, &plan).await.expect("an empty folder opens");
            let reply = send(&Tus::new(&faulty), &file).await;
            promised |= reply.receipt(&phone).is_some();
            if reply.status != 204 {
                assert!(reply.status >= 400 && !promised, "{what}: {reply:?}");
            }
            faulty.close().await.expect("closes");
            drop(faulty);
            let reached = plan.calls.load(Ordering::SeqCst) >= at;
            // The hub starts again on a good disk; the phone asks and goes on.
            let good = open(&hub, &Plan::new(0, Fault::Full)).await.expect("opens");
            hold(&good, &file, promised, &what).await;
            let reply = send(&Tus::new(&good), &file).await;
            assert!([201, 204].contains(&reply.status), "{what}: {reply:?}");
            assert!(reply.receipt(&phone).is_some(), "{what}: {reply:?}");
            assert!(hold(&good, &file, true, &what).await, "{what}");
            good.close().await.expect("closes");
            places += 1;
            if !reached {
                break;
            }
        }
    }
    assert!(places > 60, "only {places} places were tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_for_a_moment_costs_only_that_chunk() {
    for at in 3..9 {
        let (hub, phone, file) = halted().await;
        let open = open(&hub, &Plan::new(at, Fault::Full)).await.expect("opens");
        let tus = Tus::new(&open);
        let mut reply = send(&tus, &file).await;
        if reply.status != 204 {
            assert_eq!((reply.status, reply.code().as_str()), (507, "storage_full"), "{at}: {reply:?}");
            reply = send(&tus, &file).await;
        }
        assert!(reply.receipt(&phone).is_some(), "{at}: {reply:?}");
        assert!(hold(&open, &file, true, "after").await);
        open.close().await.expect("closes");
    }
}
