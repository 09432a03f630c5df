//! The road between phone and hub, which the demonstration can break: a relay of bytes that understands none of them.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Asks whether the road breaks before the next answer gets through.
pub(super) type Breaks = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = bool> + Send>> + Send + Sync>;

/// Bytes passed on at once.
const CHUNK_BYTES: usize = 16 * 1024;

#[derive(Default)]
struct Road {
    hub: Option<SocketAddr>,
    breaks: Option<Breaks>,
    /// Bytes from the phone that still pass before the road breaks, once.
    left: Option<u64>,
    broken: u32,
}

/// A relay that listens until the program ends.
#[derive(Clone)]
pub(super) struct Relay {
    road: Arc<Mutex<Road>>,
    address: SocketAddr,
}

impl Relay {
    /// Starts listening on a free port of this machine.
    pub(super) async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let relay = Self { road: Arc::default(), address: listener.local_addr()? };
        let road = Arc::clone(&relay.road);
        tokio::spawn(async move {
            while let Ok((phone, _)) = listener.accept().await {
                tokio::spawn(pass(phone, Arc::clone(&road)));
            }
        });
        Ok(relay)
    }

    /// Where phones find it.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads to the hub from now on, or nowhere.
    pub(super) fn lead_to(&self, hub: Option<SocketAddr>) {
        self.road().hub = hub;
    }

    /// Breaks each connection, before an answer gets through, when `breaks` says so.
    pub(super) fn break_when(&self, breaks: Option<Breaks>) {
        self.road().breaks = breaks;
    }

    /// Breaks the road once, after so many bytes more from the phone.
    pub(super) fn break_after(&self, bytes: u64) {
        self.road().left = Some(bytes);
    }

    /// How many connections it broke.
    pub(super) fn broken(&self) -> u32 {
        self.road().broken
    }

    fn road(&self) -> std::sync::MutexGuard<'_, Road> {
        lock(&self.road)
    }
}

impl Road {
    /// Takes `length` bytes from what may still pass; `true` when that was the end of it.
    fn ends_after(&mut self, length: u64) -> bool {
        let Some(left) = self.left else { return false };
        self.left = left.checked_sub(length);
        if self.left.is_none() {
            self.broken += 1;
        }
        self.left.is_none()
    }
}

fn lock(road: &Mutex<Road>) -> std::sync::MutexGuard<'_, Road> {
    road.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn pass(phone: TcpStream, road: Arc<Mutex<Road>>) {
    let hub = lock(&road).hub;
    let Some(hub) = hub else { return };
    let Ok(hub) = TcpStream::connect(hub).await else { return };
    let (mut from_phone, mut to_phone) = phone.into_split();
    let (mut from_hub, mut to_hub) = hub.into_split();
    let (breaking, mut broke) = tokio::sync::oneshot::channel::<()>();
    let way = Arc::clone(&road);
    let out = tokio::spawn(async move {
        let mut chunk = vec![0_u8; CHUNK_BYTES];
        // Either end may go away at any time; then the road ends too.
        while let Ok(length @ 1..) = from_phone.read(&mut chunk).await {
            if lock(&way).ends_after(length as u64) {
                let _ = breaking.send(());
                return;
            }
            if to_hub.write_all(&chunk[..length]).await.is_err() {
                return;
            }
        }
    });
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    loop {
        let length = tokio::select! {
            Ok(()) = &mut broke => break,
            read = from_hub.read(&mut chunk) => match read {
                Ok(length @ 1..) => length,
                _ => break,
            },
        };
        let breaks = lock(&road).breaks.clone();
        if let Some(breaks) = breaks
            && breaks().await
        {
            lock(&road).broken += 1;
            break;
        }
        if to_phone.write_all(&chunk[..length]).await.is_err() {
            break;
        }
    }
    out.abort();
}
