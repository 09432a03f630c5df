//! Evidence bundles made in memory: a hub, a few phones, a night with incidents and photographs, custody, an export.
//!
//! A shape says how many of each; the same seed gives the same bytes. What a test wants to be wrong it changes between
//! [`Village::bundle`] and [`Bundle::to_tar`].

use std::collections::BTreeMap;

use yenban_protocol::bundle::tar::{header, padding};
use yenban_protocol::bundle::{
    CERTIFICATES, CopyNamed, CustodyFile, FileNamed, HEADS, ItemNamed, KEYS, LogFile, LogRun, MANIFEST, MINUTE, Manifest, RECEIPTS, Step,
    write_statements,
};
use yenban_protocol::cert::{DeviceCertificate, Token};
use yenban_protocol::chain::{Body, FIRST_LINK, StoredBody};
use yenban_protocol::crypto::{Hash, SecretKey, Signer, sha256};
use yenban_protocol::custody::{Action, CHAIN_START, CustodyFacts, CustodyRecord, DayHead, Item, Leaf, Proof, Tree, Who};
use yenban_protocol::feed::{self, FeedItem, Scope, item_hash};
use yenban_protocol::id::{CommuneCode, DeviceId, EntryName, Epoch, HamletNo, LogId, MemberNo, Role};
use yenban_protocol::keys::{HubKey, KeyHistory, Purpose, root_hash};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::record::{Act, Basis, Common, PhotoFacts, Preview, PreviewKind, Previews, Record, Statement};
use yenban_protocol::segment::Head;
use yenban_protocol::signed::Signed;

use super::{Seeded, stamp};

pub const T0: i64 = 1_763_740_800_000;
pub const EXPORTED: i64 = T0 + 30 * 86_400_000;

/// How many of each.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Phones, each with a log of its own.
    pub phones: u64,
    /// Incidents on each phone.
    pub incidents: u64,
    /// At most so many photographs for each incident.
    pub photos: u64,
    /// At most so many other entries between.
    pub others: u64,
    /// Rounds of custody, each with a head.
    pub days: u64,
    /// At most so many bytes in a photograph.
    pub photo_bytes: u64,
}

pub const SMALL: Shape = Shape { phones: 1, incidents: 1, photos: 1, others: 1, days: 1, photo_bytes: 40 };
pub const MIDDLE: Shape = Shape { phones: 2, incidents: 2, photos: 3, others: 4, days: 3, photo_bytes: 3_000 };

struct Entry {
    body: Body,
    head: Option<Head>,
}

struct Phone {
    device: DeviceId,
    key: SecretKey,
    log: LogId,
    entries: Vec<Entry>,
}

struct Photo {
    item: Item,
    incident: EntryName,
    bytes: Vec<u8>,
    facts: PhotoFacts,
    copies: Vec<(PreviewKind, Vec<u8>)>,
    gone: Gone,
    records: Vec<(CustodyRecord, CustodyFacts)>,
    lengths: Vec<u64>,
}

/// What became of a photograph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// It is there.
    Here,
    /// Destroyed in order.
    Erased,
    /// It never came.
    NotReceived,
    /// It came and was lost.
    Missing,
}

/// Everybody and everything.
pub struct Village {
    pub root: SecretKey,
    pub hub: SecretKey,
    pub rng: Seeded,
    phones: Vec<Phone>,
    photos: Vec<Photo>,
    pub incidents: Vec<EntryName>,
    heads: Vec<(DayHead, Vec<u8>)>,
    item_hash: Hash,
}

/// A bundle before it becomes one file: members beside the manifest, and what the manifest says of them.
#[derive(Clone)]
pub struct Bundle {
    pub members: BTreeMap<String, Vec<u8>>,
    pub manifest: Manifest,
}

pub fn commune() -> CommuneCode {
    "05200".parse().expect("a code")
}

fn common(rng: &mut Seeded) -> Common {
    Common { author: MemberNo(7), unconfirmed: false, stamp: stamp(T0 + 3_600_000, 7_200_000 + rng.below(1_000)), position: None }
}

impl Village {
    pub fn new(seed: &str, shape: Shape) -> Self {
        Self::with_loss(seed, shape, Gone::Here)
    }

    /// A village in which this became of its first photograph.
    pub fn with_loss(seed: &str, shape: Shape, gone: Gone) -> Self {
        let mut rng = Seeded::new(seed);
        let (root, hub) = (SecretKey::generate(&mut rng), SecretKey::generate(&mut rng));
        let mut village =
            Self { root, hub, rng, phones: Vec::new(), photos: Vec::new(), incidents: Vec::new(), heads: Vec::new(), item_hash: [0; 32] };
        for _ in 0..shape.phones {
            village.night(shape);
        }
        village.photos.sort_by_key(|photo| photo.item);
        village.photos[0].gone = gone;
        for day in 0..shape.days {
            village.day(day);
        }
        match gone {
            Gone::Erased => village.note(0, Action::Deleted, EXPORTED - 2),
            Gone::Missing => village.note(0, Action::FoundMissing, EXPORTED - 2),
            Gone::NotReceived | Gone::Here => {}
        }
        village
    }

    fn push(&mut self, phone: &mut Phone, act: Act) -> EntryName {
        let record = Record { common: common(&mut self.rng), act };
        let body = Body::new(self.rng.bytes(), record.to_parts().expect("parts")).expect("body");
        phone.entries.push(Entry { body, head: None });
        EntryName { log: phone.log, seq: phone.entries.len() as u64 - 1 }
    }

    /// Signs a head at the newest entry.
    fn vouch(&mut self, phone: &mut Phone) {
        let token = Token { hub_time_ms: T0 + self.rng.below(1_000) as i64, epoch: Epoch([3; 8]) };
        let token = (self.rng.below(4) > 0).then(|| Signed::sign(token, &self.hub).expect("signs").into_bytes());
        let link = links(phone).pop().expect("an entry");
        let name = EntryName { log: phone.log, seq: phone.entries.len() as u64 - 1 };
        let head = Head::sign(name, &link, phone.device, token, &phone.key).expect("signs");
        phone.entries.last_mut().expect("an entry").head = Some(head);
    }

    fn others(&mut self, phone: &mut Phone, most: u64) {
        for _ in 0..self.rng.below(most + 1) {
            let act = Act::CheckIn { patrol_seq: None, checkpoint: None, note: Some(format!("bí mật {}", self.rng.below(1 << 60))) };
            self.push(phone, act);
            if self.rng.below(3) == 0 {
                self.vouch(phone);
            }
        }
    }

    fn night(&mut self, shape: Shape) {
        let key = SecretKey::generate(&mut self.rng);
        let mut phone = Phone { device: DeviceId(self.rng.bytes()), log: LogId(self.rng.bytes()), key, entries: Vec::new() };
        let device_key = phone.key.public_key();
        self.push(&mut phone, Act::LogStarted { device_key, continues: None, reason: "enrolled".into() });
        for _ in 0..shape.incidents {
            self.others(&mut phone, shape.others);
            let photos = self.rng.below(shape.photos) + 1;
            let statements = vec![Statement { basis: Basis::Seen, text: format!("đất lấp đường {}", self.rng.below(1 << 60)) }];
            let act = Act::IncidentReported { kind: "landslide".into(), urgent: true, attachments: photos as u32, statements };
            let incident = self.push(&mut phone, act);
            self.incidents.push(incident);
            for _ in 0..photos {
                self.others(&mut phone, shape.others);
                self.photo(&mut phone, incident, shape.photo_bytes);
            }
            self.others(&mut phone, shape.others);
            self.vouch(&mut phone);
        }
        self.phones.push(phone);
    }

    fn photo(&mut self, phone: &mut Phone, incident: EntryName, most: u64) {
        let bytes: Vec<u8> = (0..self.rng.below(most) + 1).map(|_| self.rng.below(256) as u8).collect();
        let facts = PhotoFacts {
            sha256: sha256(&bytes),
            size_bytes: bytes.len() as u64,
            sealed_sha256: self.rng.bytes(),
            sealed_size_bytes: bytes.len() as u64 + 269,
            media_type: "image/jpeg".into(),
            from_camera: true,
            ..PhotoFacts::default()
        };
        let name = self.push(phone, Act::PhotoCaptured { subject: Some(incident), photo: Some(facts.clone()) });
        self.vouch(phone);
        let mut copies = Vec::new();
        for kind in [PreviewKind::Preview, PreviewKind::Thumbnail].into_iter().take(self.rng.below(3) as usize) {
            copies.push((kind, (0..40).map(|_| self.rng.below(256) as u8).collect::<Vec<u8>>()));
        }
        if !copies.is_empty() {
            let made = copies.iter().map(|(kind, bytes)| Preview {
                kind: *kind,
                sha256: sha256(bytes),
                size_bytes: bytes.len() as u64,
                sealed_sha256: sha256(&sha256(bytes)),
                sealed_size_bytes: 400,
                size_px: (256, 192),
            });
            let previews = Previews { parent_sha256: facts.sha256, tool: "test".into(), made: made.collect(), missing: None };
            self.push(phone, Act::PreviewsMade { photo: name, previews: Some(previews) });
        }
        let item = Item { entry: name, branch: 0 };
        self.photos.push(Photo { item, incident, bytes, facts, copies, gone: Gone::Here, records: Vec::new(), lengths: Vec::new() });
    }

    fn note(&mut self, index: usize, action: Action, at_ms: i64) {
        let salt = self.rng.bytes();
        let photo = &mut self.photos[index];
        let facts = CustodyFacts { action, at_ms, sha256: photo.facts.sha256, size_bytes: photo.facts.size_bytes, note: None };
        let who = Who { actor: "hub".into(), purpose: String::new() };
        photo.records.push((CustodyRecord::new(&facts, salt, &who), facts));
    }

    fn day(&mut self, day: u64) {
        let at_ms = T0 + (day as i64 + 1) * 86_400_000;
        for index in 0..self.photos.len() {
            if self.photos[index].gone == Gone::NotReceived {
                continue;
            }
            if self.photos[index].records.is_empty() {
                if day == 0 || self.rng.below(2) == 0 {
                    self.note(index, Action::Received, at_ms - 2_000);
                    self.note(index, Action::Verified, at_ms - 1_999);
                }
            } else if self.rng.below(2) == 0 {
                self.note(index, Action::Viewed, at_ms - 1_000);
                if self.rng.below(4) == 0 {
                    let (record, facts) = self.photos[index].records.pop().expect("just noted");
                    self.photos[index].records.push((record.erased(), facts));
                }
            }
        }
        self.head(20_251_122 + day as u32, at_ms);
    }

    fn head(&mut self, day: u32, at_ms: i64) {
        let tree = self.tree(None);
        let head = DayHead {
            day,
            items: tree.len(),
            root: tree.root(),
            previous: self.heads.last().map_or(CHAIN_START, |(head, _)| head.hash()),
            at_ms,
            number: self.heads.len() as u64,
        };
        for photo in &mut self.photos {
            photo.lengths.push(photo.records.len() as u64);
        }
        let item = FeedItem {
            scope: Scope::Commune(commune()),
            epoch: Epoch([3; 8]),
            number: 2 * self.heads.len() as u64 + 1,
            previous: self.item_hash,
            issued_ms: at_ms,
            item: feed::Item::CustodyHead(head),
        };
        let signed = Signed::sign(item, &self.hub).expect("signs");
        self.item_hash = item_hash(&signed);
        self.heads.push((head, signed.into_bytes()));
    }

    /// The tree under a head, or over everything now.
    fn tree(&self, head: Option<usize>) -> Tree {
        let leaf = |photo: &Photo| {
            let records = head.map_or(photo.records.len() as u64, |head| photo.lengths[head]);
            let file = CustodyFile { item: photo.item, records: photo.records.clone(), proofs: Vec::new() };
            let link = file.links()[usize::try_from(records.checked_sub(1)?).expect("small")];
            Some(Leaf { item: photo.item, records, link }.hash())
        };
        Tree::new(self.photos.iter().filter_map(leaf).collect())
    }

    fn proofs(&self, photo: &Photo) -> Vec<Proof> {
        let covered = photo.lengths.iter().enumerate().filter(|(_, records)| **records > 0);
        covered
            .map(|(head, records)| {
                let index = self.photos.iter().filter(|other| other.item < photo.item && other.lengths[head] > 0).count() as u64;
                Proof { head: head as u64, records: *records, index, path: self.tree(Some(head)).path(index) }
            })
            .collect()
    }

    /// Exports one incident, or everything.
    pub fn bundle(&mut self, incident: Option<EntryName>) -> Bundle {
        let wanted = |photo: &Photo| incident.is_none_or(|name| photo.incident == name);
        for index in 0..self.photos.len() {
            if wanted(&self.photos[index]) {
                self.note(index, Action::Exported, EXPORTED);
            }
        }
        self.head(20_251_222, EXPORTED);
        let mut members = BTreeMap::new();
        let history = KeyHistory {
            commune: commune(),
            name: "Công an xã Bao La".into(),
            root: self.root.public_key(),
            number: 1,
            keys: vec![HubKey { purpose: Purpose::Sign, key: self.hub.public_key(), since_ms: T0 - 1_000, retired_ms: None }],
        };
        members.insert(KEYS.to_owned(), Signed::sign(history, &self.root).expect("signs").into_bytes());
        members.insert(MINUTE.to_owned(), b"<!doctype html><title>bien ban</title>\n".to_vec());
        let statements = |all: Vec<Vec<u8>>| write_statements(all.iter().map(Vec::as_slice));
        members.insert(HEADS.to_owned(), statements(self.heads.iter().map(|(_, bytes)| bytes.clone()).collect()));
        let (mut receipts, mut items, mut copies) = (Vec::new(), Vec::new(), Vec::new());
        for photo in self.photos.iter().filter(|photo| wanted(photo)) {
            let here = photo.gone == Gone::Here;
            let original = here.then(|| format!("originals/{}.jpg", photo.item.file_stem()));
            if let Some(name) = &original {
                members.insert(name.clone(), photo.bytes.clone());
                receipts.push(self.receipt(photo));
            }
            for (kind, bytes) in photo.copies.iter().filter(|_| here) {
                let file = format!("copies/{}-{}.jpg", photo.item.file_stem(), kind.code());
                members.insert(file.clone(), bytes.clone());
                copies.push(CopyNamed { item: photo.item, kind: *kind, file });
            }
            let file = CustodyFile { item: photo.item, records: photo.records.clone(), proofs: self.proofs(photo) };
            members.insert(CustodyFile::name(&photo.item), file.to_bytes());
            items.push(ItemNamed { item: photo.item, original });
        }
        copies.sort_by(|a, b| a.file.cmp(&b.file));
        let mut certificates = Vec::new();
        for phone in &self.phones {
            if let Some(file) = self.log(phone, incident) {
                members.insert(LogFile::name(phone.log, 0), file.to_bytes());
                certificates.push(self.certificate(phone));
            }
        }
        members.insert(CERTIFICATES.to_owned(), statements(certificates));
        members.insert(RECEIPTS.to_owned(), statements(receipts));
        let manifest = Manifest {
            commune: commune(),
            hub: "Công an xã Bao La".into(),
            epoch: Epoch([3; 8]),
            exported_ms: EXPORTED,
            purpose: "vụ 12/2025".into(),
            incidents: incident.map(|name| vec![name]),
            files: Vec::new(),
            items,
            copies,
        };
        Bundle { members, manifest }
    }

    fn receipt(&self, photo: &Photo) -> Vec<u8> {
        let receipt = Receipt {
            log: photo.item.entry.log,
            epoch: Epoch([3; 8]),
            ranges: Vec::new(),
            floating: Vec::new(),
            objects: vec![(photo.facts.sealed_sha256, photo.facts.sealed_size_bytes)],
            hub_time_ms: photo.records.first().map_or(EXPORTED, |(_, facts)| facts.at_ms),
            hold_s: 1_209_600,
            fork_at: None,
            quarantined: false,
        };
        Signed::sign(receipt, &self.hub).expect("signs").into_bytes()
    }

    fn certificate(&self, phone: &Phone) -> Vec<u8> {
        let certificate = DeviceCertificate {
            device: phone.device,
            sign_key: phone.key.public_key(),
            seal_key: self.root.public_key(),
            commune: commune(),
            hamlet: HamletNo(3),
            member: MemberNo(7),
            role: Role::Member,
            issued_ms: T0,
            expires_ms: T0 + 1,
        };
        Signed::sign(certificate, &self.hub).expect("signs").into_bytes()
    }

    /// Entries that belong to the incident as bodies, the rest as commitments, as far as the next head.
    fn log(&self, phone: &Phone, incident: Option<EntryName>) -> Option<LogFile> {
        let photo_at = |seq: u64| self.photos.iter().find(|photo| photo.item.entry == EntryName { log: phone.log, seq });
        let mut shown = vec![incident.is_none(); phone.entries.len()];
        if let Some(incident) = incident {
            for (seq, shown) in (0u64..).zip(&mut shown) {
                let of_photo = |seq: u64| photo_at(seq).is_some_and(|photo| photo.incident == incident);
                let copies = seq > 0 && of_photo(seq - 1) && photo_at(seq - 1).is_some_and(|photo| !photo.copies.is_empty());
                *shown = incident == EntryName { log: phone.log, seq } || of_photo(seq) || copies;
            }
        }
        let links = links(phone);
        let mut runs = Vec::new();
        let mut seq = 0;
        while let Some(first) = (seq..shown.len()).find(|seq| shown[*seq]) {
            let Some(end) = (first..shown.len())
                .find(|seq| phone.entries[*seq].head.is_some() && (*seq + 1 == shown.len() || incident.is_some() && !shown[*seq + 1]))
            else {
                break;
            };
            let steps = (first..=end).map(|seq| self.step(phone, seq, shown[seq], photo_at)).collect();
            let heads = (first..=end).filter_map(|seq| phone.entries[seq].head.clone()).collect();
            let previous = if first == 0 { FIRST_LINK } else { links[first - 1] };
            runs.push(LogRun { first: first as u64, previous, steps, heads });
            seq = end + 1;
        }
        (!runs.is_empty()).then_some(LogFile { log: phone.log, branch: 0, runs })
    }

    fn step<'a>(&self, phone: &Phone, seq: usize, shown: bool, photo_at: impl Fn(u64) -> Option<&'a Photo>) -> Step {
        let body = StoredBody::Whole(phone.entries[seq].body.clone());
        let erased = |seq: u64| photo_at(seq).is_some_and(|photo| photo.gone == Gone::Erased);
        match shown {
            false => Step::Commit(body.commit()),
            true if erased(seq as u64) => Step::Body(body.erase(1)),
            true => Step::Body(body),
        }
    }

    /// The heads, as a phone of the commune keeps them.
    pub fn witness(&self) -> Vec<Vec<u8>> {
        self.heads.iter().map(|(_, bytes)| bytes.clone()).collect()
    }

    pub fn fingerprint(&self) -> Hash {
        root_hash(&self.root.public_key())
    }
}

fn links(phone: &Phone) -> Vec<Hash> {
    let mut previous = FIRST_LINK;
    (0u64..)
        .zip(&phone.entries)
        .map(|(seq, entry)| {
            previous = entry.body.link(phone.log, seq, &previous);
            previous
        })
        .collect()
}

impl Bundle {
    /// One file, its manifest signed with this key.
    pub fn to_tar(&self, signer: &dyn Signer) -> Vec<u8> {
        let listed =
            |(name, bytes): (&String, &Vec<u8>)| FileNamed { name: name.clone(), size_bytes: bytes.len() as u64, sha256: sha256(bytes) };
        let manifest = Manifest { files: self.members.iter().map(listed).collect(), ..self.manifest.clone() };
        let manifest = Signed::sign(manifest, signer).expect("signs").into_bytes();
        let members: Vec<(&str, &[u8])> = self.members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        pack(&[&[(MANIFEST, manifest.as_slice())], members.as_slice()].concat())
    }
}

/// Members in this order as one file.
pub fn pack(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        out.extend_from_slice(&header(name, bytes.len() as u64).expect("a good name"));
        out.extend_from_slice(bytes);
        out.resize(out.len() + padding(bytes.len() as u64), 0);
    }
    out.resize(out.len() + 1_024, 0);
    out
}

/// The members of a good file, in their order.
pub fn unpack(tar: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut at = 0;
    let mut members = Vec::new();
    while tar[at] != 0 {
        let name = tar[at..at + 100].split(|b| *b == 0).next().expect("a name");
        let size = std::str::from_utf8(&tar[at + 124..at + 135]).expect("octal");
        let size = usize::from_str_radix(size, 8).expect("octal");
        members.push((String::from_utf8(name.to_vec()).expect("text"), tar[at + 512..at + 512 + size].to_vec()));
        at += 512 + size.next_multiple_of(512);
    }
    members
}
