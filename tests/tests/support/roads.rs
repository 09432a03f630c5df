//! Bad roads to a hub: one that breaks, one that is silent, one with somebody on it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses its own part")]

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme, version};
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::commune::Commune;

/// Forwards to `hub`; the n-th connection is cut once so many bytes of answers came through, all after the
/// last one go through whole.
pub fn breaking(hub: SocketAddr, budgets: &'static [usize]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut budgets = budgets.iter().copied();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let budget = budgets.next().unwrap_or(usize::MAX);
            let Ok(server) = TcpStream::connect(hub) else { continue };
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || pump(from, to, usize::MAX));
            thread::spawn(move || pump(server, client, budget));
        }
    });
    address
}

fn pump(mut from: TcpStream, mut to: TcpStream, mut budget: usize) {
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let n = n.min(budget);
        budget -= n;
        if to.write_all(&buffer[..n]).is_err() || budget == 0 {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Takes connections and never answers.
pub fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || listener.incoming().flatten().collect::<Vec<_>>());
    address
}

/// Somebody who answers with the key of `own` and passes everything on to `hub`.
pub fn relay(hub: &Commune, own: &Commune) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(yenban_hub::server::tls_config(own.hub()).unwrap()));
    let (to, runtime) = (hub.address, own.runtime.handle().clone());
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut inner) = acceptor.accept(client).await else { return };
                let server = tokio::net::TcpStream::connect(to).await.unwrap();
                let mut outer = trusting().connect(ServerName::try_from("hub").unwrap(), server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut inner, &mut outer).await;
            });
        }
    });
    address
}

fn trusting() -> TlsConnector {
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(&[&version::TLS13]).unwrap();
    let config = builder.dangerous().with_custom_certificate_verifier(Arc::new(Anybody(provider))).with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// What a metered road has seen.
#[derive(Default)]
pub struct Meter {
    /// Connections that came about.
    pub connections: AtomicU64,
    /// Connections that were cut.
    pub cuts: AtomicU64,
    /// Bytes that went from phones to the hub.
    pub sent_bytes: AtomicU64,
    moved: (Mutex<()>, Condvar),
}

impl Meter {
    /// Waits until so many bytes went to the hub.
    pub fn wait_for(&self, bytes: u64) {
        let mut held = self.moved.0.lock().unwrap();
        while self.sent_bytes.load(Ordering::Relaxed) < bytes {
            held = self.moved.1.wait(held).unwrap();
        }
    }

    fn count(&self, bytes: usize) {
        let _held = self.moved.0.lock().unwrap();
        self.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        self.moved.1.notify_all();
    }
}

/// Forwards to `hub` and cuts each connection, both ways at once, after so many bytes towards the hub.
pub fn metered(hub: SocketAddr, every_bytes: u64) -> (SocketAddr, Arc<Meter>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let meter = Arc::new(Meter::default());
    let seen = Arc::clone(&meter);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(hub) else { continue };
            seen.connections.fetch_add(1, Ordering::Relaxed);
            let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
            let seen = Arc::clone(&seen);
            thread::spawn(move || pump_metered(from, to, every_bytes, &seen));
            thread::spawn(move || pump(server, client, usize::MAX));
        }
    });
    (address, meter)
}

fn pump_metered(mut from: TcpStream, mut to: TcpStream, mut budget: u64, meter: &Meter) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let n = n.min(usize::try_from(budget).unwrap_or(usize::MAX));
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
        meter.count(n);
        budget -= n as u64;
        if budget == 0 {
            meter.cuts.fetch_add(1, Ordering::Relaxed);
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
