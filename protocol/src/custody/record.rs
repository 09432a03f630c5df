//! One record of a custody chain.
//!
//! What was done stands in the open; who did it and for which purpose is committed to under a salt, so that a name can
//! be erased when its time is over (record of reads: 24 months) while the chain still verifies.

use core::fmt;
use core::str::FromStr;

use crate::cbor::{Reader, Writer, check};
use crate::chain::{SALT_BYTES, Salt};
use crate::crypto::{Hash, message, sha256};
use crate::error::{Error, Result};
use crate::fields::need;
use crate::id::{EntryName, LogId};
use crate::limits::{MAX_CUSTODY_BYTES, MAX_NAME_BYTES, MAX_PURPOSE_BYTES};

/// The link before the first record.
pub const CHAIN_START: Hash = [0; 32];

/// A piece of evidence: the entry of its photograph, on its branch. Written `log:seq`, or `log:seq/branch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// The entry.
    pub entry: EntryName,
    /// 0: the log as the hub first saw it; above: a branch that contradicts it.
    pub branch: u32,
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.branch {
            0 => self.entry.fmt(f),
            branch => write!(f, "{}/{branch}", self.entry),
        }
    }
}

impl FromStr for Item {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self> {
        let bad = Error::Malformed { what: "name of an item", at: 0 };
        let Some((entry, branch)) = s.split_once('/') else { return Ok(Self { entry: s.parse()?, branch: 0 }) };
        let canonical = branch.bytes().all(|b| b.is_ascii_digit()) && !branch.starts_with('0');
        let branch = branch.parse().ok().filter(|_| canonical).ok_or(bad)?;
        Ok(Self { entry: entry.parse()?, branch })
    }
}

impl Item {
    /// Writes log, seq and branch as three items of whatever list stands around them.
    pub fn write(&self, w: &mut Writer) {
        w.bytes(&self.entry.log.0).uint(self.entry.seq).uint(self.branch.into());
    }

    /// Reads what [`Item::write`] wrote.
    ///
    /// # Errors
    /// When the three are not there in their forms.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let entry = EntryName { log: LogId(r.fixed("log")?), seq: r.uint("sequence number")? };
        Ok(Self { entry, branch: r.u32("branch")? })
    }

    /// The name as it stands in names of files: `log-seq-branch`.
    pub fn file_stem(&self) -> String {
        format!("{}-{}-{}", self.entry.log, self.entry.seq, self.branch)
    }
}

/// What was done with a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// The sealed file came in whole.
    Received,
    /// It was opened, read back and its hash is that of the entry.
    Verified,
    /// Somebody looked at it.
    Viewed,
    /// A copy was made of it; hash and size are the copy's.
    Derived,
    /// It left in an export.
    Exported,
    /// It was put under a hold.
    Held,
    /// A hold ended.
    Released,
    /// Bytes and key were destroyed.
    Deleted,
    /// Read again, it was not what it was; hash and size are those found.
    FoundAltered,
    /// It was not where it should be.
    FoundMissing,
    /// The phones were asked for it.
    Asked,
    /// An action of a later version.
    Other(u64),
}

impl Action {
    const KNOWN: [(Action, &str); 11] = [
        (Action::Received, "received"),
        (Action::Verified, "verified"),
        (Action::Viewed, "viewed"),
        (Action::Derived, "derived"),
        (Action::Exported, "exported"),
        (Action::Held, "held"),
        (Action::Released, "released"),
        (Action::Deleted, "deleted"),
        (Action::FoundAltered, "found_altered"),
        (Action::FoundMissing, "found_missing"),
        (Action::Asked, "asked"),
    ];

    /// The number on the wire.
    pub fn number(self) -> u64 {
        match self {
            Action::Other(n) => n,
            known => Self::KNOWN.iter().position(|(action, _)| *action == known).unwrap_or(0) as u64,
        }
    }

    /// From the number on the wire.
    pub fn from_number(n: u64) -> Self {
        usize::try_from(n).ok().and_then(|n| Self::KNOWN.get(n)).map_or(Action::Other(n), |(action, _)| *action)
    }

    /// The word of JSON.
    pub fn code(self) -> &'static str {
        Self::KNOWN.iter().find(|(action, _)| *action == self).map_or("other", |(_, code)| code)
    }
}

/// What was done, when, and with which bytes. Names nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyFacts {
    /// What was done.
    pub action: Action,
    /// When, hub time, ms.
    pub at_ms: i64,
    /// SHA-256 of what the record is about.
    pub sha256: Hash,
    /// Its length.
    pub size_bytes: u64,
    /// More on it, as a code.
    pub note: Option<String>,
}

impl CustodyFacts {
    /// The recorded bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(64);
        w.map(4 + usize::from(self.note.is_some())).uint(0).uint(self.action.number()).uint(1).int(self.at_ms);
        w.uint(2).bytes(&self.sha256).uint(3).uint(self.size_bytes);
        if let Some(note) = &self.note {
            w.uint(4).text(note);
        }
        w.into_bytes()
    }

    /// Reads the recorded bytes.
    ///
    /// # Errors
    /// When they are not of this form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let (mut action, mut at_ms, mut sha256, mut size_bytes, mut note) = (None, None, None, None, None);
        let mut fields = r.map("custody facts")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => action = Some(Action::from_number(r.uint("action")?)),
                1 => at_ms = Some(r.int("time")?),
                2 => sha256 = Some(r.fixed("hash")?),
                3 => size_bytes = Some(r.uint("size")?),
                4 => note = Some(r.text_up_to(MAX_NAME_BYTES, "note")?.to_owned()),
                _ => drop(r.item("custody field")?),
            }
        }
        r.end("custody facts")?;
        Ok(Self {
            action: need(action, "action")?,
            at_ms: need(at_ms, "time")?,
            sha256: need(sha256, "hash")?,
            size_bytes: need(size_bytes, "size")?,
            note,
        })
    }
}

/// Who did it and for which purpose.
#[derive(Clone, PartialEq, Eq)]
pub struct Who {
    /// Device (`device 0123456789abcdef`), officer, or the hub itself, as the hub names them.
    pub actor: String,
    /// The purpose that was given; may be empty.
    pub purpose: String,
}

impl fmt::Debug for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Who(..)")
    }
}

impl Who {
    /// The recorded bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(32);
        w.array(2).text(&self.actor).text(&self.purpose);
        w.into_bytes()
    }

    /// Reads the recorded bytes.
    ///
    /// # Errors
    /// When they are not of this form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        r.tuple(2, "who")?;
        let actor = r.text_up_to(MAX_NAME_BYTES, "actor")?.to_owned();
        let purpose = r.text_up_to(MAX_PURPOSE_BYTES, "purpose")?.to_owned();
        r.end("who")?;
        Ok(Self { actor, purpose })
    }
}

/// Who did it, or what is left of that after it was erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Still told.
    Told {
        /// 16 random bytes.
        salt: Salt,
        /// [`Who::to_bytes`].
        who: Vec<u8>,
    },
    /// Erased; the commitment keeps the chain whole.
    Erased(Hash),
}

/// One record of a custody chain, with the bytes that are hashed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustodyRecord {
    /// [`CustodyFacts::to_bytes`], kept as they were written.
    pub facts: Vec<u8>,
    /// Who.
    pub who: Commit,
}

impl CustodyRecord {
    /// A record; `salt` is random.
    pub fn new(facts: &CustodyFacts, salt: Salt, who: &Who) -> Self {
        Self { facts: facts.to_bytes(), who: Commit::Told { salt, who: who.to_bytes() } }
    }

    /// The commitment to who did it, the same before and after erasing.
    pub fn commit(&self) -> Hash {
        match &self.who {
            Commit::Erased(hash) => *hash,
            Commit::Told { salt, who } => {
                let mut w = message("yb1/custody-who", 2);
                w.bytes(salt).bytes(who);
                sha256(w.as_bytes())
            }
        }
    }

    /// The link of this record as number `number` (from 0) of the item's chain, after `previous`.
    pub fn link(&self, item: &Item, number: u64, previous: &Hash) -> Hash {
        let mut w = message("yb1/custody", 7);
        item.write(&mut w);
        w.uint(number).bytes(previous).bytes(&self.facts).bytes(&self.commit());
        sha256(w.as_bytes())
    }

    /// The same record without who did it; links stay what they were.
    pub fn erased(&self) -> Self {
        Self { facts: self.facts.clone(), who: Commit::Erased(self.commit()) }
    }

    /// Writes `[facts, salt, who]` or `[facts, null, commit]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(3).bytes(&self.facts);
        match &self.who {
            Commit::Told { salt, who } => w.bytes(salt).bytes(who),
            Commit::Erased(hash) => w.null().bytes(hash),
        };
    }

    /// Reads what [`CustodyRecord::write`] wrote, with the facts it holds.
    ///
    /// # Errors
    /// When record, facts or who are not of their form.
    pub fn read(r: &mut Reader<'_>) -> Result<(Self, CustodyFacts)> {
        r.tuple(3, "custody record")?;
        let bytes = r.bytes_up_to(MAX_CUSTODY_BYTES, "custody facts")?;
        check(bytes)?;
        let facts = CustodyFacts::from_bytes(bytes)?;
        let who = if r.null() {
            Commit::Erased(r.fixed("commitment")?)
        } else {
            let salt = r.fixed::<SALT_BYTES>("salt")?;
            let who = r.bytes_up_to(MAX_CUSTODY_BYTES, "who")?;
            Who::from_bytes(who)?;
            Commit::Told { salt, who: who.to_vec() }
        };
        Ok((Self { facts: bytes.to_vec(), who }, facts))
    }
}
