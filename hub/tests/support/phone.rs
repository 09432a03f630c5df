//! The smallest phone: it enrols, records, seals, sends and pulls, with nothing but the protocol crate and a socket.
//! What the hub promises is shown against this, not against the phone we ship.

#![allow(dead_code, unreachable_pub, missing_docs)] // Each test uses its part of it.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use yenban_protocol::cert::{DeviceCertificate, RequestCertificate};
use yenban_protocol::chain::{Body, FIRST_LINK, Link, Part};
use yenban_protocol::crypto::{PublicKey, SecretKey, Signer as _, SoftwareVerifier};
use yenban_protocol::enrol::{EnrolAnswer, EnrolRequest, EnrolmentCode};
use yenban_protocol::feed::{FeedItem, Scope};
use yenban_protocol::id::{BootId, DeviceId, EntryName, LogId, MemberNo};
use yenban_protocol::keys::{KeyHistory, Purpose};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::record::{Act, Common, Position, Provider, Record};
use yenban_protocol::segment::{Head, Run};
use yenban_protocol::signed::Signed;
use yenban_protocol::time::Stamp;
use yenban_protocol::wire::{AuthorisedRequest, Cursor, FeedAnswer, FeedRequest, path};

/// The operating system's randomness for protocol functions.
pub struct Random;

impl rand_core::TryRng for Random {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut b = [0; 4];
        getrandom::fill(&mut b).expect("random");
        Ok(u32::from_le_bytes(b))
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut b = [0; 8];
        getrandom::fill(&mut b).expect("random");
        Ok(u64::from_le_bytes(b))
    }
    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(target).expect("random");
        Ok(())
    }
}
impl rand_core::TryCryptoRng for Random {}

/// Random bytes.
pub fn random<const N: usize>() -> [u8; N] {
    let mut b = [0; N];
    getrandom::fill(&mut b).expect("random");
    b
}

/// Trusts exactly one certificate.
#[derive(Debug)]
struct Pinned(CertificateDer<'static>, Arc<CryptoProvider>);

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.0 { Ok(ServerCertVerified::assertion()) } else { Err(rustls::Error::General("another hub".to_owned())) }
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("TLS 1.2 is not spoken".to_owned()))
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, cert, dss, &self.1.signature_verification_algorithms)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.1.signature_verification_algorithms.supported_schemes()
    }
}

/// TLS 1.3 to the hub with this certificate and to no other.
pub fn tls_of(certificate: &CertificateDer<'static>) -> ClientConfig {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Pinned(certificate.clone(), provider)))
        .with_no_client_auth()
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    /// Status line and headers as they came.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The code of a problem document.
    pub fn code(&self) -> String {
        assert_eq!(self.kind, "application/problem+json", "status {}", self.status);
        let problem: serde_json::Value = serde_json::from_slice(&self.body).expect("json");
        for field in ["type", "title", "detail"] {
            assert!(problem[field].is_string(), "{field} in {problem}");
        }
        problem["code"].as_str().expect("code").to_owned()
    }
}

/// One TLS connection, HTTP/1.1.
pub struct Conn {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Conn {
    /// Connects to a hub with this certificate.
    pub async fn open(address: SocketAddr, certificate: &CertificateDer<'static>) -> std::io::Result<Self> {
        let config = tls_of(certificate);
        let tcp = TcpStream::connect(address).await?;
        tcp.set_nodelay(true)?;
        let name = ServerName::try_from("hub.yenban").expect("name");
        let stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends bytes as they are.
    pub async fn raw(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }

    /// Posts a CBOR body.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> std::io::Result<Answer> {
        self.send("POST", path, "content-type: application/cbor\r\n", body).await
    }

    /// Gets.
    pub async fn get(&mut self, path: &str) -> std::io::Result<Answer> {
        self.send("GET", path, "", &[]).await
    }

    /// Any request.
    pub async fn send(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> std::io::Result<Answer> {
        let mut request = format!("{method} {path} HTTP/1.1\r\nhost: hub\r\n{headers}content-length: {}\r\n\r\n", body.len()).into_bytes();
        request.extend_from_slice(body);
        self.raw(&request).await?;
        self.answer().await
    }

    /// Reads one answer.
    pub async fn answer(&mut self) -> std::io::Result<Answer> {
        let end = loop {
            if let Some(at) = self.buffer.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let came = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let head = came.to_ascii_lowercase();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).unwrap_or(0);
        let field = |name: &str| head.lines().find_map(|l| l.strip_prefix(name)).map(|v| v.trim().to_owned());
        let length: usize = field("content-length:").and_then(|v| v.parse().ok()).unwrap_or(0);
        let kind = field("content-type:").unwrap_or_default();
        while self.buffer.len() < end + length {
            self.fill().await?;
        }
        let body = self.buffer[end..end + length].to_vec();
        self.buffer.drain(..end + length);
        Ok(Answer { status, kind, head: came, body })
    }

    async fn fill(&mut self) -> std::io::Result<()> {
        let n = self.stream.read_buf(&mut self.buffer).await?;
        if n == 0 { Err(std::io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }
}

/// A phone.
pub struct Phone {
    pub sign: SecretKey,
    pub seal: SecretKey,
    pub log: LogId,
    pub device: DeviceId,
    pub member: MemberNo,
    pub history: Option<Signed<KeyHistory>>,
    pub token: Vec<u8>,
    pub certificate: Option<Signed<DeviceCertificate>>,
    pub bodies: Vec<Body>,
    pub links: Vec<Link>,
    pub now_ms: i64,
    pub boot: BootId,
}

impl Phone {
    /// A phone that is not enrolled yet.
    pub fn new(now_ms: i64) -> Self {
        Self {
            sign: SecretKey::generate(&mut Random),
            seal: SecretKey::generate(&mut Random),
            log: LogId(random()),
            device: DeviceId::default(),
            member: MemberNo(0),
            history: None,
            token: Vec::new(),
            certificate: None,
            bodies: Vec::new(),
            links: Vec::new(),
            now_ms,
            boot: BootId(random()),
        }
    }

    /// The key it signs with.
    pub fn sign_public(&self) -> PublicKey {
        self.sign.public_key()
    }

    /// The body that redeems `code`.
    pub fn enrol_body(&self, code: &EnrolmentCode) -> Vec<u8> {
        let request = EnrolRequest {
            token: code.token,
            root_hash: code.root_hash,
            hamlet: code.hamlet.clone(),
            role: code.role,
            sign_key: self.sign.public_key(),
            seal_key: self.seal.public_key(),
            log: self.log,
        };
        Signed::sign(request, &self.sign).expect("signs").into_bytes()
    }

    /// Redeems the text of a code.
    pub async fn enrol(&mut self, conn: &mut Conn, text: &str) -> Answer {
        let code = EnrolmentCode::from_text(text).expect("code");
        let answer = conn.post(path::ENROL, &self.enrol_body(&code)).await.expect("answer");
        if answer.status == 200 {
            self.enrolled(&code, &answer.body);
        }
        answer
    }

    /// Takes the hub's answer to a code.
    pub fn enrolled(&mut self, code: &EnrolmentCode, body: &[u8]) {
        let answer = EnrolAnswer::from_bytes(body).expect("enrolment answer");
        let history = KeyHistory::verify(&answer.history, &SoftwareVerifier, &code.root_hash).expect("history under the pinned root");
        let certificate = Signed::verify(&answer.certificate, &SoftwareVerifier, |_: &DeviceCertificate, id| history.value.signing_key(id));
        let certificate = certificate.expect("certificate by the hub");
        assert_eq!(certificate.value.sign_key, self.sign.public_key());
        self.device = certificate.value.device;
        self.member = answer.member;
        self.token = answer.token;
        self.certificate = Some(certificate);
        self.history = Some(history);
    }

    /// The hub's key to seal to.
    pub fn hub_key(&self) -> PublicKey {
        self.history.as_ref().and_then(|h| h.value.current(Purpose::Seal)).expect("enrolled").key
    }

    /// Records an act; gives its sequence number.
    pub fn record(&mut self, act: Act) -> u64 {
        self.record_at(act, Some((206_601_200, 1_050_834_500)))
    }

    /// Records an act at a place.
    pub fn record_at(&mut self, act: Act, place_e7: Option<(i32, i32)>) -> u64 {
        self.now_ms += 1_000;
        let position = place_e7.map(|(lat, lon)| Position {
            accuracy_cm: Some(800),
            fix_age_ms: Some(200),
            ..Position::new(lat, lon, Provider::Gnss).expect("on earth")
        });
        let stamp =
            Stamp { wall_ms: self.now_ms, monotonic_ms: self.now_ms as u64 % 100_000_000, boot: self.boot, anchor: None, gnss_ms: None };
        let record = Record { common: Common { author: self.member, unconfirmed: false, stamp, position }, act };
        self.append(record.to_parts().expect("parts"))
    }

    /// Appends an entry of these parts.
    pub fn append(&mut self, parts: Vec<Part>) -> u64 {
        let body = Body::new(random(), parts).expect("body");
        let seq = self.bodies.len() as u64;
        let previous = self.links.last().copied().unwrap_or(FIRST_LINK);
        self.links.push(body.link(self.log, seq, &previous));
        self.bodies.push(body);
        seq
    }

    /// `log_started`, as every log begins.
    pub fn start_log(&mut self) {
        let device_key = self.sign.public_key();
        self.record_at(Act::LogStarted { device_key, continues: None, reason: "enrolled".to_owned() }, None);
    }

    /// A check-in of a patrol.
    pub fn check_in(&mut self, patrol_seq: Option<u64>) -> u64 {
        let n = self.bodies.len() as i32;
        let place = (206_601_200 + n * 731, 1_050_834_500 - n * 577);
        self.record_at(Act::CheckIn { patrol_seq, checkpoint: None, note: None }, Some(place))
    }

    /// The signed run of entries `first..=last`.
    pub fn run(&self, first: u64, last: u64) -> Run {
        let (from, to) = (first as usize, last as usize);
        let previous = if from == 0 { FIRST_LINK } else { self.links[from - 1] };
        let name = EntryName { log: self.log, seq: last };
        let head = Head::sign(name, &self.links[to], self.device, Some(self.token.clone()), &self.sign).expect("signs");
        Run { log: self.log, first, previous, bodies: self.bodies[from..=to].to_vec(), heads: vec![head] }
    }

    /// The sealed segment of entries `first..=last`.
    pub fn segment(&self, first: u64, last: u64) -> Vec<u8> {
        self.run(first, last).seal(&mut Random, &self.hub_key()).expect("seals")
    }

    /// Sends entries `first..=last`.
    pub async fn push(&self, conn: &mut Conn, first: u64, last: u64) -> Answer {
        conn.post(path::SEGMENTS, &self.segment(first, last)).await.expect("answer")
    }

    /// Reads a receipt and checks the hub's signature.
    pub fn receipt(&self, answer: &Answer) -> Receipt {
        assert_eq!(answer.kind, "application/cbor", "{}", String::from_utf8_lossy(&answer.body));
        let history = &self.history.as_ref().expect("enrolled").value;
        Signed::verify(&answer.body, &SoftwareVerifier, |_: &Receipt, id| history.signing_key(id)).expect("receipt by the hub").value
    }

    /// The body that pulls the feed.
    pub fn feed_body(&self, cursors: Vec<Cursor>, limit: u64) -> Vec<u8> {
        let request_key = SecretKey::generate(&mut Random);
        let certificate = RequestCertificate { device: self.device, key: request_key.public_key(), token: self.token.clone() };
        let certificate = Signed::sign(certificate, &self.sign).expect("signs");
        let request = FeedRequest { device: self.device, cursors, limit, logs: vec![self.log], history_number: 0, held: Vec::new() };
        AuthorisedRequest::new(&certificate, request, &request_key).expect("signs").to_bytes()
    }

    /// Pulls the feed; every item's signature is checked.
    pub async fn pull(&self, conn: &mut Conn, cursors: Vec<Cursor>, limit: u64) -> (FeedAnswer, Vec<FeedItem>) {
        let answer = conn.post(path::FEED, &self.feed_body(cursors, limit)).await.expect("answer");
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let answer = FeedAnswer::from_bytes(&answer.body).expect("feed answer");
        let history = &self.history.as_ref().expect("enrolled").value;
        let item = |bytes: &Vec<u8>| {
            Signed::verify(bytes, &SoftwareVerifier, |_: &FeedItem, id| history.signing_key(id)).expect("item by the hub").value
        };
        let items = answer.items.iter().map(item).collect();
        (answer, items)
    }
}

/// Whether a stream belongs to this phone.
pub fn is_mine(phone: &Phone, scope: &Scope) -> bool {
    let certificate = &phone.certificate.as_ref().expect("enrolled").value;
    match scope {
        Scope::Cluster(_) => false,
        Scope::Commune(code) => *code == certificate.commune,
        Scope::Hamlet(no) => *no == certificate.hamlet,
        Scope::Role(role) => *role == certificate.role,
        Scope::Member(no) => *no == certificate.member,
        Scope::Device(id) => *id == certificate.device,
    }
}
