//! The server: TLS 1.3 with the hub's own key, limits on everything a stranger can make it do, a graceful stop.

mod answer;
mod conn;
mod leftover;
mod routes;
mod uploads;

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::admin::{self, Control};
use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::folder::write_private;
use crate::jobs;

pub use routes::router;

/// A running server.
pub struct Serving {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    jobs: JoinHandle<()>,
    control: Control,
    hub: Arc<Hub>,
}

impl Serving {
    /// Where it listens: the real port, also when 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops taking connections, finishes what is being answered (up to the grace period) and returns.
    pub async fn stop(self) {
        self.control.stop().await;
        self.hub.waiting.end();
        // Nobody listens any more only when the server ended already.
        let _ = self.stop.send(true);
        // Ends by the same signal, wherever it stood: every job may be cut off.
        drop(self.jobs.await);
        if let Err(e) = self.task.await {
            tracing::error!(error = %e, "the server ended abnormally");
        }
    }
}

/// The hub's TLS settings: TLS 1.3 only, the provider named explicitly (two are linked into one program).
pub fn tls_config(hub: &Hub) -> Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(|e| HubError::Keys(format!("TLS: {e}")))?
        .with_no_client_auth()
        .with_single_cert(vec![hub.keys.certificate.clone()], hub.keys.tls_key.clone_key())
        .map_err(|e| HubError::Keys(format!("TLS key and certificate: {e}")))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

/// Listens on `listen` (`host:port`, port 0: any) and serves until stopped.
pub async fn serve(hub: Arc<Hub>, listen: &str) -> Result<Serving> {
    let config = Arc::new(tls_config(&hub)?);
    let listener = TcpListener::bind(listen).await.map_err(|e| HubError::Network(format!("cannot listen on {listen}: {e}")))?;
    let address = listener.local_addr().map_err(|e| HubError::Network(e.to_string()))?;
    write_private(&hub.folder.address(), address.to_string().as_bytes())?;
    let (stop, stopped) = watch::channel(false);
    let app = router(Arc::clone(&hub));
    let control = admin::listen(Arc::clone(&hub))?;
    let jobs = jobs::run(Arc::clone(&hub), stopped.clone());
    let task = tokio::spawn(conn::accept(Arc::clone(&hub), listener, config, app, stopped));
    tracing::info!(%address, "listening");
    Ok(Serving { address, stop, task, jobs, control, hub })
}

/// Waits for SIGTERM or SIGINT.
pub async fn signalled() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let network = |e: std::io::Error| HubError::Network(e.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(network)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(network)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
