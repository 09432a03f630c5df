//! Evidence bundles go out: photographs with everything that proves them, in one file (docs/EVIDENCE.md).
//!
//! What is exported is first read whole: what is altered or missing is noted, asked for and named in the answer, and the
//! rest goes on. Then the export itself is noted and a head is signed over all custody, and only then are the members
//! collected, listed, signed and written. A file that changes in between ends the export: nothing appears, and the
//! custody record says so.

mod chains;
mod files;
mod logs;
mod minute;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use yenban_protocol::bundle::tar::{END_BYTES, header, padding};
use yenban_protocol::bundle::{
    CERTIFICATES, CopyNamed, CustodyFile, FileNamed, HEADS, ItemNamed, KEYS, LogFile, MANIFEST, MINUTE, Manifest, RECEIPTS,
    write_statements,
};
use yenban_protocol::crypto::sha256;
use yenban_protocol::custody::{Action, Item};
use yenban_protocol::id::{DeviceId, EntryName};
use yenban_protocol::keys::{KEY_SLACK_MS, root_hash};
use yenban_protocol::limits::{MAX_BUNDLE_MEMBERS, MAX_KEPT_TOTAL_BYTES};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::record::PreviewKind;
use yenban_protocol::signed::Signed;

use super::Scope;
use super::file::Outgoing;
use super::under_way::{self, UnderWay};
use crate::app::{Hub, sign_receipt};
use crate::custody;
use crate::error::{HubError, Refusal, Result};
use crate::limits::EXPORT_PAGE;
use crate::scrub;
use crate::store::{Found, ItemName, ListQuery, LogState, ObjectKind, ObjectRow, ObjectState};
use chains::Custody;
use files::{Looked, Stored};

/// What a bundle holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleTotals {
    /// Incidents.
    pub incidents: u64,
    /// Photographs, whether their bytes are here or not.
    pub photos: u64,
    /// Originals among them that are in the bundle.
    pub originals: u64,
    /// Members of the file.
    pub members: u64,
    /// Length of the file.
    pub size_bytes: u64,
    /// Fingerprint of the commune's root, hexadecimal: whoever verifies compares it.
    pub root: String,
    /// Files that it should hold and does not.
    #[serde(default)]
    pub lacking: Vec<Lacking>,
}

/// A file that a bundle does not hold although an entry names it: what it is, what became of it, who may still have it.
/// Phones were asked for what is altered or missing; once they have sent it again it can be exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lacking {
    /// The photograph, as `hub list evidence` shows it.
    pub item: String,
    /// `original`, `preview` or `thumbnail`.
    pub file: String,
    /// `altered` or `missing`; of an original also `expected` or `partial`.
    pub state: String,
    /// The phone that has it, or may still have it.
    pub device: String,
}

/// One member of the file before it is written.
enum Member {
    Bytes(Vec<u8>),
    Stored(Stored),
}

/// Manifest, keys, certificates, receipts, heads and the minute.
const OTHER_MEMBERS: usize = 6;

/// One photograph and what was found of its files.
struct Photo {
    name: ItemName,
    rows: Vec<ObjectRow>,
    original: Option<(Stored, &'static str)>,
    copies: Vec<(PreviewKind, Stored, &'static str)>,
}

impl Photo {
    /// Its chain and its files.
    fn members(&self) -> usize {
        1 + usize::from(self.original.is_some()) + self.copies.len()
    }

    fn item(&self) -> Item {
        Item { entry: self.name.entry, branch: self.name.branch }
    }
}

/// What a verifier still reads beside what was collected. It is looked at before anything is noted: a bundle that nobody
/// could read was never exported, and no custody record may say so.
struct Room {
    members: usize,
    kept_bytes: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self { members: MAX_BUNDLE_MEMBERS.saturating_sub(OTHER_MEMBERS), kept_bytes: MAX_KEPT_TOTAL_BYTES }
    }
}

impl Room {
    fn take(&mut self, members: usize, kept_bytes: u64) -> Result<()> {
        let left = self.members.checked_sub(members).zip(self.kept_bytes.checked_sub(kept_bytes));
        let (members, kept_bytes) = left.ok_or_else(too_large)?;
        (self.members, self.kept_bytes) = (members, kept_bytes);
        Ok(())
    }
}

fn too_large() -> HubError {
    Refusal::TooLarge("one bundle: export one incident, or less time".to_owned()).into()
}

/// Writes a bundle of everything in `scope` to `out`. `actor` and `purpose` go into the read log, and into the custody
/// record of every photograph.
///
/// # Errors
/// [`Refusal::Invalid`] without a purpose, [`Refusal::NotFound`] for an incident that is not there,
/// [`Refusal::TooLarge`] when it would hold more than a verifier reads; no file then, nor after any other error, and if
/// the custody record had it already, a second record says that it failed.
pub async fn export(hub: &Hub, scope: &Scope, out: &Path, actor: &str, purpose: &str) -> Result<BundleTotals> {
    if purpose.trim().is_empty() {
        return Err(
            Refusal::Invalid { field: "purpose", reason: "is kept in the record of everything exported: say what for".to_owned() }.into()
        );
    }
    let incidents = incidents(hub, scope).await?;
    let subject = scope.incident.clone().unwrap_or_else(|| scope.since_ms.map_or_else(|| "all".to_owned(), crate::clock::rfc3339));
    let work = async {
        // One at a time: each reads everything twice, and its custody records belong together.
        let _alone = hub.exporting.lock().await;
        let mut file = Outgoing::begin(out)?;
        let mut under_way = UnderWay::begin(hub, file.partial(), &[], actor, purpose).await?;
        let done = async {
            file.create()?;
            let collected = collect(hub, incidents).await?;
            let items: Vec<ItemName> = collected.photos.iter().map(|photo| photo.name).collect();
            under_way = UnderWay::begin(hub, file.partial(), &items, actor, purpose).await?;
            noted(hub, collected, &items, actor, purpose, &mut file).await
        };
        let done = done.await;
        under_way.ended(hub, done).await
    };
    // On the heap: it holds everything that is gathered.
    hub.noted(actor, "export bundle", &subject, purpose, Box::pin(work)).await
}

/// Everything of a scope before its export is noted.
struct Collected {
    incidents: Option<Vec<EntryName>>,
    photos: Vec<Photo>,
    lacking: Vec<Lacking>,
    disclosed: Vec<LogFile>,
    devices: BTreeSet<DeviceId>,
    members: BTreeMap<String, Member>,
}

async fn collect(hub: &Hub, incidents: Option<Vec<EntryName>>) -> Result<Collected> {
    let (shown, names) = match &incidents {
        None => (logs::everything(hub.store.as_ref()).await?, hub.store.items().await?),
        Some(incidents) => {
            let (mut entries, mut photos) = (Vec::new(), Vec::new());
            for incident in incidents {
                let found = hub.store.belongings(*incident).await?;
                entries.extend(found.entries);
                photos.extend(found.photos);
            }
            photos.sort_by_key(|name| (name.entry, name.branch));
            photos.dedup();
            (logs::only(&entries), photos)
        }
    };
    let (mut photos, mut lost) = (Vec::with_capacity(names.len()), Vec::new());
    for name in &names {
        photos.push(look_at(hub, *name, &mut lost).await?);
    }
    scrub::settle(hub, lost).await?;
    let lacking = photos.iter().flat_map(lacking).collect();
    let mut members: BTreeMap<String, Member> = BTreeMap::new();
    let mut room = Room::default();
    room.take(photos.iter().map(Photo::members).sum(), chains::most_bytes(hub.store.as_ref(), &names).await?)?;
    let mut devices = BTreeSet::new();
    let mut disclosed = Vec::new();
    for ((log, branch), seqs) in &shown {
        let Some(found) = logs::disclose(hub.store.as_ref(), *log, *branch, seqs.as_ref()).await? else { continue };
        devices.extend(found.runs.iter().flat_map(|run| run.heads.iter().map(|head| head.device)));
        let (name, bytes) = (LogFile::name(*log, *branch), found.to_bytes());
        let _ = header(&name, bytes.len() as u64).ok_or_else(|| Refusal::TooLarge(name.clone()))?;
        room.take(1, bytes.len() as u64)?;
        members.insert(name, Member::Bytes(bytes));
        disclosed.push(found);
    }
    Ok(Collected { incidents, photos, lacking, disclosed, devices, members })
}

/// Notes the export, and writes the file to its end.
async fn noted(
    hub: &Hub,
    collected: Collected,
    items: &[ItemName],
    actor: &str,
    purpose: &str,
    file: &mut Outgoing,
) -> Result<BundleTotals> {
    let Collected { incidents, photos, lacking, disclosed, devices, mut members } = collected;
    let now_ms = hub.now_ms();
    let notes = items.iter().map(|item| under_way::note(*item, None, now_ms, actor, purpose)).collect();
    let newest = custody::close_now(hub, notes, now_ms).await?;
    // As the record tells it, which never runs back.
    let exported_ms = newest.head.at_ms;

    members.insert(KEYS.to_owned(), Member::Bytes(hub.keys.history.bytes().to_vec()));
    let custody = chains::collect(hub.store.as_ref(), items, &newest).await?;
    members.insert(HEADS.to_owned(), Member::Bytes(write_statements(custody.heads.iter().map(|row| row.bytes.as_slice()))));
    for (item, chain) in &custody.chains {
        members.insert(CustodyFile::name(item), Member::Bytes(chain.to_bytes()));
    }
    members.insert(CERTIFICATES.to_owned(), Member::Bytes(certificates(hub, &devices).await?));
    members.insert(RECEIPTS.to_owned(), Member::Bytes(receipts(hub, &photos, &custody, exported_ms)?));
    let manifest = Manifest {
        commune: hub.commune(),
        hub: hub.keys.history.value.name.clone(),
        epoch: hub.epoch(),
        exported_ms,
        purpose: purpose.to_owned(),
        incidents,
        files: Vec::new(),
        items: Vec::new(),
        copies: Vec::new(),
    };
    let told = minute::Told { manifest: &manifest, photos: &photos, logs: &disclosed, custody: &custody, actor };
    members.insert(MINUTE.to_owned(), Member::Bytes(minute::write(hub, &told).await?));
    let mut totals = BundleTotals {
        incidents: minute::incidents(&disclosed, &manifest),
        photos: photos.len() as u64,
        root: data_encoding::HEXLOWER.encode(&root_hash(&hub.keys.history.value.root)),
        lacking,
        ..BundleTotals::default()
    };
    let manifest = list(manifest, photos, &mut members);
    totals.originals = manifest.items.iter().filter(|named| named.original.is_some()).count() as u64;
    write(hub, manifest, members, file, &mut totals).await?;
    file.finish()?;
    Ok(totals)
}

/// The incidents of a scope; `None`: the whole commune.
async fn incidents(hub: &Hub, scope: &Scope) -> Result<Option<Vec<EntryName>>> {
    if let Some(id) = &scope.incident {
        let not_found = || Refusal::NotFound { what: "incident", name: id.clone() };
        let name: EntryName = id.parse().map_err(|_| not_found())?;
        let query = ListQuery { limit: 1, name: Some(id.clone()), ..ListQuery::default() };
        // Of what so far a message alone tells there is nothing that proves it.
        let here = hub.store.incidents(query).await?.iter().any(|row| row.report == "here");
        return if here { Ok(Some(vec![name])) } else { Err(not_found().into()) };
    }
    if scope.since_ms.is_none() {
        return Ok(None);
    }
    let mut names = Vec::new();
    let mut query = ListQuery { limit: EXPORT_PAGE, since_ms: scope.since_ms, ..ListQuery::default() };
    loop {
        let page = hub.store.incidents(query.clone()).await?;
        for row in page.iter().filter(|row| row.report == "here") {
            names.push(row.id.parse::<EntryName>()?);
        }
        match page.last() {
            Some(last) if page.len() == EXPORT_PAGE as usize => query.after = Some(format!("{}/{}", last.id, last.branch)),
            _ => break,
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Err(Refusal::NotFound { what: "incident", name: scope.since_ms.map(crate::clock::rfc3339).unwrap_or_default() }.into());
    }
    Ok(Some(names))
}

/// Reads the files of a photograph. What is not what it should be goes to `lost`, and its row says so.
async fn look_at(hub: &Hub, name: ItemName, lost: &mut Vec<Found>) -> Result<Photo> {
    let mut photo = Photo { name, rows: hub.store.objects_of(name).await?, original: None, copies: Vec::new() };
    for row in &mut photo.rows {
        let (stored, ending) = match files::look(hub, row).await? {
            Looked::Good(stored, ending) => (stored, ending),
            Looked::NotHere => continue,
            Looked::Lost(found) => {
                row.state = found.state;
                lost.push(*found);
                continue;
            }
        };
        match row.kind {
            ObjectKind::Original if row.named_by == name => photo.original = Some((stored, ending)),
            ObjectKind::Original => {}
            ObjectKind::Preview => photo.copies.push((PreviewKind::Preview, stored, ending)),
            ObjectKind::Thumbnail => photo.copies.push((PreviewKind::Thumbnail, stored, ending)),
        }
    }
    Ok(photo)
}

/// What of a photograph should be in the bundle and is not. A copy that never came is no loss: the original is what counts.
fn lacking(photo: &Photo) -> impl Iterator<Item = Lacking> + '_ {
    let told = |row: &&ObjectRow| match row.state {
        ObjectState::Altered | ObjectState::Missing => true,
        ObjectState::Expected | ObjectState::Partial => row.kind == ObjectKind::Original,
        ObjectState::Verified | ObjectState::Erased => false,
    };
    photo.rows.iter().filter(told).map(|row| Lacking {
        item: photo.name.to_string(),
        file: row.kind.code().to_owned(),
        state: row.state.code().to_owned(),
        device: row.device.to_string(),
    })
}

async fn certificates(hub: &Hub, devices: &BTreeSet<DeviceId>) -> Result<Vec<u8>> {
    let mut found = Vec::new();
    for id in devices {
        found.extend(hub.store.device(*id).await?);
    }
    Ok(write_statements(found.iter().map(|device| device.certificate.as_slice())))
}

/// The receipts of the originals. One that is named a second time was received once, and one that came while the clock
/// stood behind the record is told later by the record than by its receipt: the hub says now that it has it.
fn receipts(hub: &Hub, photos: &[Photo], custody: &Custody, now_ms: i64) -> Result<Vec<u8>> {
    let mut receipts = BTreeSet::new();
    for photo in photos.iter().filter(|photo| photo.original.is_some()) {
        let records = custody.chains.get(&photo.item()).map(|chain| chain.records.as_slice()).unwrap_or_default();
        for row in photo.rows.iter().filter(|row| row.kind == ObjectKind::Original && row.named_by == photo.name) {
            let came = records.iter().filter(|(_, facts)| facts.action == Action::Received && facts.sha256 == row.sha256);
            let came_ms = came.map(|(_, facts)| facts.at_ms).min();
            let kept = row.receipt.as_deref().map(Signed::<Receipt>::trusted).transpose()?;
            let kept_ms = kept.map(|receipt| receipt.value.hub_time_ms);
            if kept_ms.is_none_or(|kept_ms| came_ms.is_some_and(|came_ms| came_ms > kept_ms.saturating_add(KEY_SLACK_MS))) {
                let state = LogState { log: photo.name.entry.log, device: row.device, held: Vec::new() };
                let object = (row.sealed_sha256, row.sealed_size_bytes);
                receipts.insert(sign_receipt(&hub.keys, hub.epoch(), &state, &[object], now_ms, false)?);
            }
            receipts.extend(row.receipt.clone());
        }
    }
    Ok(write_statements(receipts.iter().map(Vec::as_slice)))
}

/// Names originals and copies in the manifest and lists every member.
fn list(mut manifest: Manifest, photos: Vec<Photo>, members: &mut BTreeMap<String, Member>) -> Manifest {
    for photo in photos {
        let item = photo.item();
        let original = photo.original.map(|(stored, ending)| {
            let name = files::original_name(&item, ending);
            members.insert(name.clone(), Member::Stored(stored));
            name
        });
        manifest.items.push(ItemNamed { item, original });
        for (kind, stored, ending) in photo.copies {
            let object = if kind == PreviewKind::Preview { ObjectKind::Preview } else { ObjectKind::Thumbnail };
            let file = files::copy_name(&item, object, ending);
            // Two entries may each name a copy of this kind: one of them is enough.
            if members.insert(file.clone(), Member::Stored(stored)).is_none() {
                manifest.copies.push(CopyNamed { item, kind, file });
            }
        }
    }
    manifest.items.sort_by_key(|named| named.item);
    manifest.copies.sort_by(|a, b| a.file.cmp(&b.file));
    let listed = |(name, member): (&String, &Member)| {
        let (size_bytes, sha256) = match member {
            Member::Bytes(bytes) => (bytes.len() as u64, sha256(bytes)),
            Member::Stored(stored) => (stored.size_bytes(), stored.sha256()),
        };
        FileNamed { name: name.clone(), size_bytes, sha256 }
    };
    manifest.files = members.iter().map(listed).collect();
    manifest
}

async fn write(
    hub: &Hub,
    manifest: Manifest,
    members: BTreeMap<String, Member>,
    out: &mut Outgoing,
    totals: &mut BundleTotals,
) -> Result<()> {
    let kept: u64 = members.values().map(|member| if let Member::Bytes(bytes) = member { bytes.len() as u64 } else { 0 }).sum();
    totals.members = members.len() as u64 + 1;
    if totals.members > MAX_BUNDLE_MEMBERS as u64 || kept > MAX_KEPT_TOTAL_BYTES {
        return Err(too_large());
    }
    let manifest = Signed::sign(manifest, &hub.keys.signer)?.into_bytes();
    let first = (MANIFEST.to_owned(), Member::Bytes(manifest));
    for (name, member) in std::iter::once(first).chain(members) {
        let size_bytes = match &member {
            Member::Bytes(bytes) => bytes.len() as u64,
            Member::Stored(stored) => stored.size_bytes(),
        };
        let head = header(&name, size_bytes).ok_or_else(|| Refusal::TooLarge(name.clone()))?;
        out.put(&head)?;
        match &member {
            Member::Bytes(bytes) => out.put(bytes)?,
            Member::Stored(stored) => files::write(hub, stored, out).await?,
        }
        out.put(&vec![0; padding(size_bytes)])?;
        totals.size_bytes += (head.len() + padding(size_bytes)) as u64 + size_bytes;
    }
    totals.size_bytes += END_BYTES as u64;
    out.put(&[0; END_BYTES])
}

impl Outgoing {
    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let target = self.target().to_owned();
        self.write_all(bytes).map_err(HubError::file(target))
    }
}
