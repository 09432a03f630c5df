//! The commune's keys: a history signed by the commune root, which the enrolment code pins.
//!
//! The whole history is one statement with a rising number, so that a phone that was away for years reads
//! one document and knows every key, old ones included (for what they signed then). A phone never goes
//! back to a lower number.

use crate::cbor::{Reader, Writer};
use crate::crypto::{Hash, PublicKey, Verifier, message, sha256};
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::{CommuneCode, KeyId};
use crate::limits::{MAX_HISTORY_BYTES, MAX_KEYS, MAX_NAME_BYTES};
use crate::signed::{Signed, Statement};

/// By how much the time of a statement may lie outside the life of the key that signed it, ms: clocks get set.
pub const KEY_SLACK_MS: i64 = 24 * 3_600_000;

/// What a hub key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// TLS: the key of the hub's certificate.
    Tls,
    /// HPKE: what phones seal to.
    Seal,
    /// Receipts, tokens, feed items and device certificates.
    Sign,
    /// Anonymous tips (reserved).
    Tips,
    /// A purpose this build does not know.
    Other(u8),
}

impl Purpose {
    fn number(self) -> u8 {
        match self {
            Purpose::Tls => 0,
            Purpose::Seal => 1,
            Purpose::Sign => 2,
            Purpose::Tips => 3,
            Purpose::Other(n) => n,
        }
    }

    fn from_number(n: u8) -> Self {
        match n {
            0 => Purpose::Tls,
            1 => Purpose::Seal,
            2 => Purpose::Sign,
            3 => Purpose::Tips,
            n => Purpose::Other(n),
        }
    }
}

/// One key of the hub.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HubKey {
    /// What it is for.
    pub purpose: Purpose,
    /// The key.
    pub key: PublicKey,
    /// In use since (hub time, ms).
    pub since_ms: i64,
    /// Retired at. What it signed before still counts; it opens no TLS and nothing new is sealed to it.
    pub retired_ms: Option<i64>,
}

/// Every key a commune's hub has had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    /// The commune.
    pub commune: CommuneCode,
    /// The hub's name, for people.
    pub name: String,
    /// The commune root.
    pub root: PublicKey,
    /// Rises with each change.
    pub number: u64,
    /// All keys, oldest first.
    pub keys: Vec<HubKey>,
}

/// The hash of a commune root, which the enrolment code pins.
pub fn root_hash(root: &PublicKey) -> Hash {
    let mut w = message("yb1/root", 1);
    w.bytes(&root.0);
    sha256(w.as_bytes())
}

impl KeyHistory {
    /// The newest key in use for `purpose`.
    pub fn current(&self, purpose: Purpose) -> Option<&HubKey> {
        self.keys.iter().rev().find(|k| k.purpose == purpose && k.retired_ms.is_none())
    }

    /// A signing key by its id, retired ones included.
    pub fn signing_key(&self, id: KeyId) -> Option<PublicKey> {
        self.keys.iter().find(|k| k.purpose == Purpose::Sign && k.key.id() == id).map(|k| k.key)
    }

    /// A signing key by its id, if it was in use at `at_ms` (hub time), give or take [`KEY_SLACK_MS`].
    pub fn signing_key_at(&self, id: KeyId, at_ms: i64) -> Option<PublicKey> {
        let in_use = |k: &HubKey| {
            let retired = k.retired_ms.is_none_or(|retired| at_ms <= retired.saturating_add(KEY_SLACK_MS));
            k.since_ms.saturating_sub(KEY_SLACK_MS) <= at_ms && retired
        };
        self.keys.iter().find(|k| k.purpose == Purpose::Sign && k.key.id() == id && in_use(k)).map(|k| k.key)
    }

    /// Whether `key` may serve TLS now.
    pub fn allows_tls(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|k| k.purpose == Purpose::Tls && k.retired_ms.is_none() && k.key == *key)
    }

    /// Reads a history and verifies it under the pinned root.
    pub fn verify(bytes: &[u8], verifier: &dyn Verifier, pinned: &Hash) -> Result<Signed<KeyHistory>> {
        if bytes.len() > MAX_HISTORY_BYTES {
            return Err(Error::Limit { what: "key history", limit: MAX_HISTORY_BYTES });
        }
        Signed::verify(bytes, verifier, |history: &KeyHistory, _| Some(history.root).filter(|root| root_hash(root) == *pinned))
    }
}

impl Statement for KeyHistory {
    const PURPOSE: &'static str = "yb1/keys";

    fn write(&self, w: &mut Writer) {
        w.map(5).uint(0).uint(self.commune.get().into()).uint(1).text(&self.name);
        w.uint(2).bytes(&self.root.0).uint(3).uint(self.number).uint(4);
        write_list(w, &self.keys, |w, k| {
            w.array(4).uint(k.purpose.number().into()).bytes(&k.key.0).int(k.since_ms);
            match k.retired_ms {
                Some(ms) => w.int(ms),
                None => w.null(),
            };
        });
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut commune, mut name, mut root, mut number, mut keys) = (None, None, None, None, None);
        let mut fields = r.map("key history")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => commune = Some(CommuneCode::new(r.u32("commune code")?)?),
                1 => name = Some(r.text_up_to(MAX_NAME_BYTES, "hub name")?.to_owned()),
                2 => root = Some(PublicKey(r.fixed("commune root")?)),
                3 => number = Some(r.uint("history number")?),
                4 => keys = Some(list(r, MAX_KEYS, "keys", read_key)?),
                _ => drop(r.item("key history field")?),
            }
        }
        Ok(Self {
            commune: need(commune, "commune code")?,
            name: need(name, "hub name")?,
            root: need(root, "commune root")?,
            number: need(number, "history number")?,
            keys: need(keys, "keys")?,
        })
    }
}

fn read_key(r: &mut Reader<'_>) -> Result<HubKey> {
    r.tuple(4, "hub key")?;
    let at = r.position();
    let purpose = u8::try_from(r.uint("purpose of key")?).map_err(|_| Error::Malformed { what: "purpose of key", at })?;
    Ok(HubKey {
        purpose: Purpose::from_number(purpose),
        key: PublicKey(r.fixed("key")?),
        since_ms: r.int("since")?,
        retired_ms: if r.null() { None } else { Some(r.int("retired")?) },
    })
}
