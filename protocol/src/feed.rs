//! The feed: what comes back to the phones, one numbered and chained stream per scope.
//!
//! Each item names the one before it by hash, so a gap in the numbers a phone sees is a gap of its own,
//! and an item that the hub forgot after a restore can be given back by a phone and still be believed.

use crate::alert::Alert;
use crate::cbor::{Reader, Writer};
use crate::crypto::{Hash, sha256};
use crate::custody::DayHead;
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::{CommuneCode, DeviceId, EntryName, Epoch, HamletNo, LogId, MemberNo, Role};
use crate::limits::{MAX_ITEM_BYTES, MAX_NAME_BYTES, MAX_OBJECTS_ASKED, MAX_PLACES, MAX_TEXT_BYTES};
use crate::signed::{Signed, Statement};

/// For whom a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Several communes that share a hub or a feed.
    Cluster(u32),
    /// A commune.
    Commune(CommuneCode),
    /// A hamlet.
    Hamlet(HamletNo),
    /// Everybody with a role.
    Role(Role),
    /// One member.
    Member(MemberNo),
    /// One device.
    Device(DeviceId),
}

impl Scope {
    /// Writes `[kind, id]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(2);
        match self {
            Scope::Cluster(n) => w.uint(0).uint((*n).into()),
            Scope::Commune(code) => w.uint(1).uint(code.get().into()),
            Scope::Hamlet(no) => w.uint(2).uint(no.0.into()),
            Scope::Role(role) => w.uint(3).uint(role.number()),
            Scope::Member(no) => w.uint(4).uint(no.0.into()),
            Scope::Device(id) => w.uint(5).bytes(&id.0),
        };
    }

    /// Reads what [`Scope::write`] wrote.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(2, "scope")?;
        Ok(match r.uint("kind of scope")? {
            0 => Scope::Cluster(r.u32("cluster")?),
            1 => Scope::Commune(CommuneCode::new(r.u32("commune")?)?),
            2 => Scope::Hamlet(HamletNo(r.u32("hamlet")?)),
            3 => Scope::Role(Role::from_number(r.uint("role")?)?),
            4 => Scope::Member(MemberNo(r.u32("member")?)),
            5 => Scope::Device(DeviceId(r.fixed("device")?)),
            _ => return Err(Error::Malformed { what: "kind of scope", at: r.position() }),
        })
    }

    /// As bytes, for keys in stores.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(16);
        self.write(&mut w);
        w.into_bytes()
    }

    /// From [`Scope::to_bytes`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let scope = Self::read(&mut r)?;
        r.end("scope")?;
        Ok(scope)
    }
}

impl core::fmt::Display for Scope {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Scope::Cluster(n) => write!(f, "cluster.{n}"),
            Scope::Commune(code) => write!(f, "commune.{code}"),
            Scope::Hamlet(no) => write!(f, "hamlet.{no}"),
            Scope::Role(role) => write!(f, "role.{role}"),
            Scope::Member(no) => write!(f, "member.{no}"),
            Scope::Device(id) => write!(f, "device.{id}"),
        }
    }
}

/// A hamlet, as phones know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HamletEntry {
    /// Its number.
    pub no: HamletNo,
    /// Its name with its word (bản, xóm, thôn).
    pub name: String,
    /// Its centre, 1e-7 degree (latitude, longitude).
    pub centre_e7: Option<(i32, i32)>,
}

/// A member of a group, as the phones of the hamlet know him or her.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberEntry {
    /// The number.
    pub no: MemberNo,
    /// The name.
    pub name: String,
    /// The role.
    pub role: Role,
}

/// A place where patrols check in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// The code on its sheet.
    pub code: String,
    /// Its name.
    pub name: String,
    /// Where, 1e-7 degree (latitude, longitude).
    pub place_e7: (i32, i32),
}

/// Names and places that phones need. An item replaces the one before it in the same stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Directory {
    /// Hamlets of the commune.
    pub hamlets: Vec<HamletEntry>,
    /// Members of the hamlet's group.
    pub members: Vec<MemberEntry>,
    /// Checkpoints of the hamlet.
    pub checkpoints: Vec<CheckpointEntry>,
}

/// What became of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// The incident.
    pub incident: EntryName,
    /// `received`, `in_hand`, `needs_more`, `resolved` or `not_for_us`.
    pub state: String,
    /// A line from the police to the reporter.
    pub note: String,
}

/// What an item says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// 0: names and places.
    Directory(Directory),
    /// 1: an alert.
    Alert(Alert),
    /// 2: what became of an incident.
    Fate(Fate),
    /// 3: a device is revoked; `lost` when it is out of its owner's hands.
    Revocation {
        /// The device.
        device: DeviceId,
        /// Out of its owner's hands.
        lost: bool,
    },
    /// 4: a member's role or hamlet changed.
    Membership {
        /// The member.
        member: MemberNo,
        /// The role now.
        role: Role,
        /// The hamlet now.
        hamlet: HamletNo,
    },
    /// 5: the state of all custody records at the end of a day; phones remember it.
    CustodyHead(DayHead),
    /// 6: objects that the hub lost or cannot verify: whoever still has them sends them again.
    ObjectsWanted {
        /// Hashes of the sealed files.
        objects: Vec<Hash>,
    },
    /// A kind this build does not know: kept and counted, not shown.
    Unknown {
        /// Its number.
        kind: u64,
    },
}

/// One item of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedItem {
    /// The stream.
    pub scope: Scope,
    /// The life of the hub's database in which it was numbered.
    pub epoch: Epoch,
    /// Its number, from 1.
    pub number: u64,
    /// Hash of the item before it ([`item_hash`]); zeros for number 1.
    pub previous: Hash,
    /// When it was issued, hub time, ms.
    pub issued_ms: i64,
    /// What it says.
    pub item: Item,
}

/// The hash by which the next item names this one.
pub fn item_hash(signed: &Signed<FeedItem>) -> Hash {
    sha256(signed.bytes())
}

impl Item {
    /// The kind's number.
    pub fn kind(&self) -> u64 {
        match self {
            Item::Directory(_) => 0,
            Item::Alert(_) => 1,
            Item::Fate(_) => 2,
            Item::Revocation { .. } => 3,
            Item::Membership { .. } => 4,
            Item::CustodyHead(_) => 5,
            Item::ObjectsWanted { .. } => 6,
            Item::Unknown { kind } => *kind,
        }
    }

    /// The kind's word in JSON.
    pub fn code(&self) -> &'static str {
        match self {
            Item::Directory(_) => "directory",
            Item::Alert(_) => "alert",
            Item::Fate(_) => "incident_fate",
            Item::Revocation { .. } => "revocation",
            Item::Membership { .. } => "membership",
            Item::CustodyHead(_) => "custody_head",
            Item::ObjectsWanted { .. } => "objects_wanted",
            Item::Unknown { .. } => "unknown",
        }
    }

    fn write(&self, w: &mut Writer) {
        match self {
            Item::Directory(d) => write_directory(w, d),
            Item::Alert(alert) => alert.write(w),
            Item::Fate(fate) => {
                w.map(3).uint(0).array(2).bytes(&fate.incident.log.0).uint(fate.incident.seq);
                w.uint(1).text(&fate.state).uint(2).text(&fate.note);
            }
            Item::Revocation { device, lost } => {
                w.map(2).uint(0).bytes(&device.0).uint(1).bool(*lost);
            }
            Item::Membership { member, role, hamlet } => {
                w.map(3).uint(0).uint(member.0.into()).uint(1).uint(role.number()).uint(2).uint(hamlet.0.into());
            }
            Item::CustodyHead(head) => head.write(w),
            Item::ObjectsWanted { objects } => {
                w.map(1).uint(0);
                write_list(w, objects, |w, hash| {
                    w.bytes(hash);
                });
            }
            Item::Unknown { .. } => {
                w.null();
            }
        }
    }

    fn read(kind: u64, r: &mut Reader<'_>) -> Result<Self> {
        Ok(match kind {
            0 => Item::Directory(read_directory(r)?),
            1 => Item::Alert(Alert::read(r)?),
            2 => Item::Fate(read_fate(r)?),
            3 => {
                let (mut device, mut lost) = (None, false);
                let mut fields = r.map("revocation")?;
                while let Some(key) = fields.key(r)? {
                    match key {
                        0 => device = Some(DeviceId(r.fixed("device")?)),
                        1 => lost = r.bool("lost")?,
                        _ => drop(r.item("revocation field")?),
                    }
                }
                Item::Revocation { device: need(device, "device")?, lost }
            }
            4 => {
                let (mut member, mut role, mut hamlet) = (None, None, None);
                let mut fields = r.map("membership")?;
                while let Some(key) = fields.key(r)? {
                    match key {
                        0 => member = Some(MemberNo(r.u32("member")?)),
                        1 => role = Some(Role::from_number(r.uint("role")?)?),
                        2 => hamlet = Some(HamletNo(r.u32("hamlet")?)),
                        _ => drop(r.item("membership field")?),
                    }
                }
                Item::Membership { member: need(member, "member")?, role: need(role, "role")?, hamlet: need(hamlet, "hamlet")? }
            }
            5 => Item::CustodyHead(DayHead::read(r)?),
            6 => {
                let mut objects = Vec::new();
                let mut fields = r.map("objects wanted")?;
                while let Some(key) = fields.key(r)? {
                    match key {
                        0 => objects = list(r, MAX_OBJECTS_ASKED, "objects wanted", |r| r.fixed("object hash"))?,
                        _ => drop(r.item("objects wanted field")?),
                    }
                }
                Item::ObjectsWanted { objects }
            }
            kind => {
                r.item("item")?;
                Item::Unknown { kind }
            }
        })
    }
}

fn write_place(w: &mut Writer, place: Option<(i32, i32)>) {
    match place {
        Some((lat, lon)) => w.array(2).int(lat.into()).int(lon.into()),
        None => w.null(),
    };
}

fn read_place(r: &mut Reader<'_>) -> Result<Option<(i32, i32)>> {
    if r.null() {
        return Ok(None);
    }
    r.tuple(2, "place")?;
    let at = r.position();
    let pair = (i32::try_from(r.int("latitude")?), i32::try_from(r.int("longitude")?));
    match pair {
        (Ok(lat), Ok(lon)) => Ok(Some((lat, lon))),
        _ => Err(Error::Malformed { what: "place", at }),
    }
}

fn write_directory(w: &mut Writer, d: &Directory) {
    w.map(3).uint(0);
    write_list(w, &d.hamlets, |w, h| {
        w.array(3).uint(h.no.0.into()).text(&h.name);
        write_place(w, h.centre_e7);
    });
    w.uint(1);
    write_list(w, &d.members, |w, m| {
        w.array(3).uint(m.no.0.into()).text(&m.name).uint(m.role.number());
    });
    w.uint(2);
    write_list(w, &d.checkpoints, |w, c| {
        w.array(3).text(&c.code).text(&c.name);
        write_place(w, Some(c.place_e7));
    });
}

fn read_directory(r: &mut Reader<'_>) -> Result<Directory> {
    let mut d = Directory::default();
    let mut fields = r.map("directory")?;
    while let Some(key) = fields.key(r)? {
        match key {
            0 => {
                d.hamlets = list(r, MAX_PLACES, "hamlets", |r| {
                    r.tuple(3, "hamlet")?;
                    let (no, name) = (HamletNo(r.u32("hamlet")?), r.text_up_to(MAX_NAME_BYTES, "hamlet name")?.to_owned());
                    Ok(HamletEntry { no, name, centre_e7: read_place(r)? })
                })?;
            }
            1 => {
                d.members = list(r, MAX_PLACES, "members", |r| {
                    r.tuple(3, "member")?;
                    let (no, name) = (MemberNo(r.u32("member")?), r.text_up_to(MAX_NAME_BYTES, "member name")?.to_owned());
                    Ok(MemberEntry { no, name, role: Role::from_number(r.uint("role")?)? })
                })?;
            }
            2 => {
                d.checkpoints = list(r, MAX_PLACES, "checkpoints", |r| {
                    r.tuple(3, "checkpoint")?;
                    let code = r.text_up_to(MAX_NAME_BYTES, "checkpoint code")?.to_owned();
                    let name = r.text_up_to(MAX_NAME_BYTES, "checkpoint name")?.to_owned();
                    Ok(CheckpointEntry { code, name, place_e7: need(read_place(r)?, "checkpoint place")? })
                })?;
            }
            _ => drop(r.item("directory field")?),
        }
    }
    Ok(d)
}

fn read_fate(r: &mut Reader<'_>) -> Result<Fate> {
    let (mut incident, mut state, mut note) = (None, None, String::new());
    let mut fields = r.map("fate")?;
    while let Some(key) = fields.key(r)? {
        match key {
            0 => {
                r.tuple(2, "incident")?;
                incident = Some(EntryName { log: LogId(r.fixed("log")?), seq: r.uint("sequence number")? });
            }
            1 => state = Some(r.text_up_to(MAX_NAME_BYTES, "state")?.to_owned()),
            2 => note = r.text_up_to(MAX_TEXT_BYTES, "note")?.to_owned(),
            _ => drop(r.item("fate field")?),
        }
    }
    Ok(Fate { incident: need(incident, "incident")?, state: need(state, "state")?, note })
}

impl Statement for FeedItem {
    const PURPOSE: &'static str = "yb1/item";

    fn write(&self, w: &mut Writer) {
        w.map(7).uint(0);
        self.scope.write(w);
        w.uint(1).bytes(&self.epoch.0).uint(2).uint(self.number).uint(3).bytes(&self.previous);
        w.uint(4).int(self.issued_ms).uint(5).uint(self.item.kind()).uint(6);
        self.item.write(w);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut scope, mut epoch, mut number, mut previous, mut issued) = (None, None, None, None, None);
        let (mut kind, mut item) = (None, None);
        let mut fields = r.map("feed item")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => scope = Some(Scope::read(r)?),
                1 => epoch = Some(Epoch(r.fixed("epoch")?)),
                2 => number = Some(r.uint("item number")?),
                3 => previous = Some(r.fixed("previous item")?),
                4 => issued = Some(r.int("issued")?),
                5 => kind = Some(r.uint("kind of item")?),
                6 => {
                    let start = r.position();
                    item = Some(Item::read(need(kind, "kind of item")?, r)?);
                    if r.position() - start > MAX_ITEM_BYTES {
                        return Err(Error::Limit { what: "feed item", limit: MAX_ITEM_BYTES });
                    }
                }
                _ => drop(r.item("feed item field")?),
            }
        }
        Ok(Self {
            scope: need(scope, "scope")?,
            epoch: need(epoch, "epoch")?,
            number: need(number, "item number")?,
            previous: need(previous, "previous item")?,
            issued_ms: need(issued, "issued")?,
            item: need(item, "item")?,
        })
    }
}
