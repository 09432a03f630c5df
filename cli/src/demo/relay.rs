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

    /// How many connections it broke.
    pub(super) fn broken(&self) -> u32 {
        self.road().broken
    }

    fn road(&self) -> std::sync::MutexGuard<'_, Road> {
        lock(&self.road)
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
    let out = tokio::spawn(async move {
        // Either end may go away at any time; then the road ends too.
        let _ = tokio::io::copy(&mut from_phone, &mut to_hub).await;
    });
    let mut chunk = vec![0_u8; CHUNK_BYTES];
    while let Ok(length @ 1..) = from_hub.read(&mut chunk).await {
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
