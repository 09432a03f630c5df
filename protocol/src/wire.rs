//! Requests and answers between phone and hub, other than segments and receipts.

use crate::cbor::{Reader, Writer};
use crate::cert::{REQUEST_KEY_MS, RequestCertificate, Token};
use crate::crypto::{PublicKey, Signer, Verifier};
use crate::error::{Error, Result};
use crate::feed::Scope;
use crate::fields::{list, need, write_list};
use crate::id::{DeviceId, Epoch, KeyId, LogId};
use crate::limits::{MAX_ANSWER_BYTES, MAX_HISTORY_BYTES, MAX_ITEM_BYTES, MAX_ITEMS, MAX_REQUEST_BYTES, MAX_STREAMS};
use crate::signed::{Signed, Statement};

/// Media type of every body but problem documents.
pub const MEDIA_TYPE: &str = "application/cbor";

/// Paths of the hub.
pub mod path {
    /// `GET`: key history and time token, without authentication.
    pub const KEYS: &str = "/v1/keys";
    /// `POST`: redeems an enrolment code.
    pub const ENROL: &str = "/v1/enrol";
    /// `POST`: a sealed segment; answers with a receipt.
    pub const SEGMENTS: &str = "/v1/segments";
    /// `POST`: pulls the feed.
    pub const FEED: &str = "/v1/feed";
    /// `POST`: items of the feed that the hub had signed and lost ([`ReturnedItems`](super::ReturnedItems)); answers with how
    /// many it took ([`ReturnedAnswer`](super::ReturnedAnswer)). Their signatures speak for them, whoever brings them.
    pub const ITEMS: &str = "/v1/items";
}

/// Answer of [`path::KEYS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysAnswer {
    /// `Signed<KeyHistory>`.
    pub history: Vec<u8>,
    /// `Signed<Token>`.
    pub token: Vec<u8>,
}

impl KeysAnswer {
    /// The answer's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.map(2).uint(0).bytes(&self.history).uint(1).bytes(&self.token);
        w.into_bytes()
    }

    /// Reads what [`KeysAnswer::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let (mut history, mut token) = (None, None);
        let mut fields = r.map("keys answer")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => history = Some(r.bytes_up_to(MAX_HISTORY_BYTES, "key history")?.to_vec()),
                1 => token = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "token")?.to_vec()),
                _ => drop(r.item("answer field")?),
            }
        }
        r.end("keys answer")?;
        Ok(Self { history: need(history, "key history")?, token: need(token, "token")? })
    }
}

/// Up to where a phone has a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The stream.
    pub scope: Scope,
    /// The epoch of what it has.
    pub epoch: Epoch,
    /// The number of the newest item it has.
    pub number: u64,
}

impl Cursor {
    fn write(&self, w: &mut Writer) {
        w.array(3);
        self.scope.write(w);
        w.bytes(&self.epoch.0).uint(self.number);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(3, "cursor")?;
        Ok(Self { scope: Scope::read(r)?, epoch: Epoch(r.fixed("epoch")?), number: r.uint("number")? })
    }
}

/// A request for the feed, signed by the request key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedRequest {
    /// Who asks.
    pub device: DeviceId,
    /// Up to where it has each stream; streams it does not name are sent from the start.
    pub cursors: Vec<Cursor>,
    /// At most so many items.
    pub limit: u64,
    /// Logs whose receipts are wanted.
    pub logs: Vec<LogId>,
    /// Number of the key history it has.
    pub history_number: u64,
    /// The newest item it keeps of each stream in each earlier epoch, once after a new one began: what the hub lost of them
    /// it asks for ([`FeedAnswer::wanted`]).
    pub held: Vec<Cursor>,
}

impl Statement for FeedRequest {
    const PURPOSE: &'static str = "yb1/feed-request";

    fn write(&self, w: &mut Writer) {
        w.map(5 + usize::from(!self.held.is_empty())).uint(0).bytes(&self.device.0).uint(1);
        write_list(w, &self.cursors, |w, c| c.write(w));
        w.uint(2).uint(self.limit).uint(3);
        write_list(w, &self.logs, |w, log| {
            w.bytes(&log.0);
        });
        w.uint(4).uint(self.history_number);
        if !self.held.is_empty() {
            write_list(w.uint(5), &self.held, |w, c| c.write(w));
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut device, mut cursors, mut limit, mut logs, mut history) = (None, Vec::new(), None, Vec::new(), 0);
        let mut held = Vec::new();
        let mut fields = r.map("feed request")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => device = Some(DeviceId(r.fixed("device")?)),
                1 => cursors = list(r, MAX_STREAMS, "cursors", Cursor::read)?,
                2 => limit = Some(r.uint("limit")?),
                3 => logs = list(r, MAX_STREAMS, "logs", |r| r.fixed("log").map(LogId))?,
                4 => history = r.uint("history number")?,
                5 => held = list(r, MAX_STREAMS, "items held", Cursor::read)?,
                _ => drop(r.item("request field")?),
            }
        }
        Ok(Self { device: need(device, "device")?, cursors, limit: need(limit, "limit")?, logs, history_number: history, held })
    }
}

/// A feed request as it travels: `[request certificate, signed request]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorisedRequest {
    /// `Signed<RequestCertificate>`.
    pub certificate: Vec<u8>,
    /// `Signed<FeedRequest>`.
    pub request: Vec<u8>,
}

impl AuthorisedRequest {
    /// Signs `request` with a certified request key.
    pub fn new(certificate: &Signed<RequestCertificate>, request: FeedRequest, request_key: &dyn Signer) -> Result<Self> {
        Ok(Self { certificate: certificate.bytes().to_vec(), request: Signed::sign(request, request_key)?.into_bytes() })
    }

    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(2).bytes(&self.certificate).bytes(&self.request);
        w.into_bytes()
    }

    /// Reads what [`AuthorisedRequest::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        r.tuple(2, "authorised request")?;
        let certificate = r.bytes_up_to(MAX_REQUEST_BYTES, "request certificate")?.to_vec();
        let request = r.bytes_up_to(MAX_REQUEST_BYTES, "request")?.to_vec();
        r.end("authorised request")?;
        Ok(Self { certificate, request })
    }

    /// Verifies the whole of it at the hub. `device_key` finds a device's signing key, `hub_key` one of the
    /// hub's own signing keys; `now_ms` is the hub's clock.
    pub fn verify(
        &self,
        verifier: &dyn Verifier,
        device_key: impl FnOnce(DeviceId) -> Option<PublicKey>,
        hub_key: impl FnOnce(KeyId) -> Option<PublicKey>,
        now_ms: i64,
    ) -> Result<Signed<FeedRequest>> {
        let certificate = Signed::verify(&self.certificate, verifier, |c: &RequestCertificate, _| device_key(c.device))?;
        let token = Signed::verify(&certificate.value.token, verifier, |_: &Token, id| hub_key(id))?;
        let age_ms = now_ms.saturating_sub(token.value.hub_time_ms);
        if age_ms > REQUEST_KEY_MS {
            return Err(Error::Signature { what: "expired request key" });
        }
        let request = Signed::verify(&self.request, verifier, |_: &FeedRequest, _| Some(certificate.value.key))?;
        if request.value.device != certificate.value.device {
            return Err(Error::Mismatch { what: "the device of the request and of its key" });
        }
        Ok(request)
    }
}

/// Where a stream stands at the hub.
pub type StreamHead = Cursor;

/// Answer of [`path::FEED`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedAnswer {
    /// `Signed<FeedItem>`s, ascending within each stream.
    pub items: Vec<Vec<u8>>,
    /// Where each of the device's streams stands; a stream not named here is closed to the device.
    pub streams: Vec<StreamHead>,
    /// There is more: ask again.
    pub more: bool,
    /// `Signed<Token>`.
    pub token: Vec<u8>,
    /// `Signed<Receipt>` for each log that was asked for and is known.
    pub receipts: Vec<Vec<u8>>,
    /// `Signed<KeyHistory>`, if newer than the phone's.
    pub history: Option<Vec<u8>>,
    /// Of the items that the phone said it holds, the ones that this hub lost.
    pub wanted: Vec<ItemRange>,
}

/// A run of items in one stream of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ItemRange {
    /// The stream.
    pub scope: Scope,
    /// The epoch.
    pub epoch: Epoch,
    /// Number of the first.
    pub first: u64,
    /// Number of the last, at least `first`.
    pub last: u64,
}

impl ItemRange {
    fn write(&self, w: &mut Writer) {
        w.array(4);
        self.scope.write(w);
        w.bytes(&self.epoch.0).uint(self.first).uint(self.last);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(4, "range of items")?;
        let (scope, epoch) = (Scope::read(r)?, Epoch(r.fixed("epoch")?));
        let (first, last) = (r.uint("first item")?, r.uint("last item")?);
        if first > last {
            return Err(Error::Malformed { what: "range of items", at: r.position() });
        }
        Ok(Self { scope, epoch, first, last })
    }
}

impl FeedAnswer {
    /// The answer's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(1024);
        w.map(5 + usize::from(self.history.is_some()) + usize::from(!self.wanted.is_empty())).uint(0);
        write_list(&mut w, &self.items, |w, item| {
            w.bytes(item);
        });
        w.uint(1);
        write_list(&mut w, &self.streams, |w, s| s.write(w));
        w.uint(2).bool(self.more).uint(3).bytes(&self.token).uint(4);
        write_list(&mut w, &self.receipts, |w, receipt| {
            w.bytes(receipt);
        });
        if let Some(history) = &self.history {
            w.uint(5).bytes(history);
        }
        if !self.wanted.is_empty() {
            write_list(w.uint(6), &self.wanted, |w, range| range.write(w));
        }
        w.into_bytes()
    }

    /// Reads what [`FeedAnswer::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_ANSWER_BYTES {
            return Err(Error::Limit { what: "answer", limit: MAX_ANSWER_BYTES });
        }
        let mut r = Reader::new(bytes);
        let (mut items, mut streams, mut more, mut token) = (Vec::new(), Vec::new(), false, None);
        let (mut receipts, mut history, mut wanted) = (Vec::new(), None, Vec::new());
        let mut fields = r.map("feed answer")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => items = list(&mut r, MAX_ITEMS, "items", |r| r.bytes_up_to(MAX_ITEM_BYTES + 1024, "item").map(<[u8]>::to_vec))?,
                1 => streams = list(&mut r, MAX_STREAMS, "streams", Cursor::read)?,
                2 => more = r.bool("more")?,
                3 => token = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "token")?.to_vec()),
                4 => receipts = list(&mut r, MAX_STREAMS, "receipts", |r| r.bytes("receipt").map(<[u8]>::to_vec))?,
                5 => history = Some(r.bytes_up_to(MAX_HISTORY_BYTES, "key history")?.to_vec()),
                6 => wanted = list(&mut r, MAX_STREAMS, "wanted items", ItemRange::read)?,
                _ => drop(r.item("answer field")?),
            }
        }
        r.end("feed answer")?;
        Ok(Self { items, streams, more, token: need(token, "token")?, receipts, history, wanted })
    }
}

/// Body of [`path::ITEMS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReturnedItems(
    /// `Signed<FeedItem>`s.
    pub Vec<Vec<u8>>,
);

impl ReturnedItems {
    /// The body's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(1024);
        write_list(&mut w, &self.0, |w, item| {
            w.bytes(item);
        });
        w.into_bytes()
    }

    /// Reads what [`ReturnedItems::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let items = list(&mut r, MAX_ITEMS, "items", |r| r.bytes_up_to(MAX_ITEM_BYTES + 1024, "item").map(<[u8]>::to_vec))?;
        r.end("returned items")?;
        Ok(Self(items))
    }
}

/// Answer of [`path::ITEMS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnedAnswer {
    /// Items that are kept now and were not before.
    pub taken: u64,
}

impl ReturnedAnswer {
    /// The answer's bytes.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut w = Writer::new();
        w.map(1).uint(0).uint(self.taken);
        w.into_bytes()
    }
}
