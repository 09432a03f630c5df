//! Whom a connection trusts: a TLS key of the root-signed history, nobody else.

use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use yenban_protocol::crypto::PublicKey;
use yenban_protocol::keys::KeyHistory;

/// DER of a P-256 SubjectPublicKeyInfo up to the uncompressed point.
const P256_SPKI: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
    0x07, 0x03, 0x42, 0x00,
];

/// Verifies the other side by its key alone. The certificate's names and dates are not looked at: a hub moves
/// between addresses, and a phone's calendar may stand in 1970.
#[derive(Debug)]
pub(super) struct Pin {
    /// The keys that are let in; `None` lets any in and only remembers it.
    history: Option<KeyHistory>,
    provider: Arc<CryptoProvider>,
    seen: Mutex<Option<PublicKey>>,
}

impl Pin {
    /// Lets in the TLS keys of `history`; with `None` any key, for fetching a history alone.
    pub(super) fn new(history: Option<KeyHistory>) -> Arc<Pin> {
        Arc::new(Pin { history, provider: Arc::new(rustls::crypto::ring::default_provider()), seen: Mutex::new(None) })
    }

    /// The key that the other side showed last.
    pub(super) fn seen(&self) -> Option<PublicKey> {
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether somebody answered who is not let in.
    pub(super) fn met_a_stranger(&self) -> bool {
        self.seen().is_some_and(|key| !self.lets_in(&key))
    }

    fn lets_in(&self, key: &PublicKey) -> bool {
        self.history.as_ref().is_none_or(|history| history.allows_tls(key))
    }

    /// The TLS settings of a client with this pin.
    pub(super) fn config(self: &Arc<Self>) -> Result<ClientConfig, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::clone(&self.provider));
        let builder = builder.with_protocol_versions(&[&rustls::version::TLS13])?;
        let mut config = builder.dangerous().with_custom_certificate_verifier(Arc::<Pin>::clone(self)).with_no_client_auth();
        // Nobody on the way needs to know which hub is meant.
        config.enable_sni = false;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(config)
    }
}

/// The P-256 key of a certificate.
fn key_of(certificate: &CertificateDer<'_>) -> Option<PublicKey> {
    let info = ParsedCertificate::try_from(certificate).ok()?.subject_public_key_info();
    PublicKey::from_sec1(info.as_ref().strip_prefix(&P256_SPKI)?).ok()
}

impl ServerCertVerifier for Pin {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let key = key_of(end_entity).ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))?;
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Some(key);
        if self.lets_in(&key) {
            Ok(ServerCertVerified::assertion())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.3 only".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
