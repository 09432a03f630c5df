//! What a bundle is and holds, signed by the hub.

use crate::cbor::{Reader, Writer};
use crate::crypto::Hash;
use crate::custody::Item;
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::{CommuneCode, EntryName, Epoch, LogId};
use crate::limits::{MAX_BUNDLE_MEMBERS, MAX_NAME_BYTES, MAX_PURPOSE_BYTES};
use crate::record::PreviewKind;
use crate::signed::Statement;

use super::{MANIFEST, tar};

/// The version of the format that this build makes and reads.
const VERSION: u64 = 1;

/// A member as the manifest lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNamed {
    /// Its name.
    pub name: String,
    /// Its length.
    pub size_bytes: u64,
    /// Its hash.
    pub sha256: Hash,
}

/// A photograph of the bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemNamed {
    /// Its name.
    pub item: Item,
    /// The member that holds its bytes; `None` when the hub does not have them.
    pub original: Option<String>,
}

/// A smaller copy of a photograph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyNamed {
    /// Of which photograph.
    pub item: Item,
    /// Its size class.
    pub kind: PreviewKind,
    /// The member that holds it.
    pub file: String,
}

/// What a bundle is and holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The commune.
    pub commune: CommuneCode,
    /// The hub's name, for people.
    pub hub: String,
    /// The life of the hub's database.
    pub epoch: Epoch,
    /// When it was exported, hub time, ms.
    pub exported_ms: i64,
    /// For which purpose, as typed.
    pub purpose: String,
    /// Which incidents; `None`: the whole commune.
    pub incidents: Option<Vec<EntryName>>,
    /// Every other member, in ascending order of names.
    pub files: Vec<FileNamed>,
    /// The photographs, ascending.
    pub items: Vec<ItemNamed>,
    /// Smaller copies, in ascending order of their files.
    pub copies: Vec<CopyNamed>,
}

impl Manifest {
    /// The listed member of this name.
    pub fn file(&self, name: &str) -> Option<&FileNamed> {
        self.files.binary_search_by(|file| file.name.as_str().cmp(name)).ok().and_then(|at| self.files.get(at))
    }

    /// Whether this photograph is one of the bundle's.
    pub fn has_item(&self, item: &Item) -> bool {
        self.items.binary_search_by(|named| named.item.cmp(item)).is_ok()
    }

    fn check(self) -> Result<Self> {
        let ascending = self.files.windows(2).all(|pair| pair[0].name < pair[1].name)
            && self.items.windows(2).all(|pair| pair[0].item < pair[1].item)
            && self.copies.windows(2).all(|pair| pair[0].file < pair[1].file);
        let named = self.files.iter().all(|file| tar::is_name(&file.name) && file.name != MANIFEST);
        let owned = self.copies.iter().all(|copy| self.has_item(&copy.item));
        let some = self.incidents.as_ref().is_none_or(|incidents| !incidents.is_empty());
        if ascending && named && owned && some { Ok(self) } else { Err(Error::Mismatch { what: "the lists of the manifest" }) }
    }
}

fn read_name(r: &mut Reader<'_>) -> Result<String> {
    r.text_up_to(MAX_NAME_BYTES, "name of a member").map(str::to_owned)
}

fn kind_number(kind: PreviewKind) -> u64 {
    match kind {
        PreviewKind::Preview => 1,
        PreviewKind::Thumbnail => 2,
    }
}

impl Statement for Manifest {
    const PURPOSE: &'static str = "yb1/bundle";

    fn write(&self, w: &mut Writer) {
        w.map(10).uint(0).uint(VERSION).uint(1).uint(self.commune.get().into()).uint(2).text(&self.hub);
        w.uint(3).bytes(&self.epoch.0).uint(4).int(self.exported_ms).uint(5).text(&self.purpose).uint(6);
        match &self.incidents {
            Some(incidents) => write_list(w, incidents, |w, name| {
                w.array(2).bytes(&name.log.0).uint(name.seq);
            }),
            None => drop(w.null()),
        }
        w.uint(7);
        write_list(w, &self.files, |w, file| {
            w.array(3).text(&file.name).uint(file.size_bytes).bytes(&file.sha256);
        });
        w.uint(8);
        write_list(w, &self.items, |w, named| {
            w.array(4);
            named.item.write(w);
            match &named.original {
                Some(name) => w.text(name),
                None => w.null(),
            };
        });
        w.uint(9);
        write_list(w, &self.copies, |w, copy| {
            w.array(5);
            copy.item.write(w);
            w.uint(kind_number(copy.kind)).text(&copy.file);
        });
    }

    /// # Errors
    /// [`Error::Version`] before anything else is read, when the version is another.
    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut version, mut commune, mut hub, mut epoch, mut exported, mut purpose) = (None, None, None, None, None, None);
        let (mut incidents, mut files, mut items, mut copies) = (None, None, None, None);
        let mut fields = r.map("manifest")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => match r.uint("version")? {
                    VERSION => version = Some(()),
                    found => return Err(Error::Version { found }),
                },
                1 => commune = Some(CommuneCode::new(r.u32("commune code")?)?),
                2 => hub = Some(r.text_up_to(MAX_NAME_BYTES, "hub name")?.to_owned()),
                3 => epoch = Some(Epoch(r.fixed("epoch")?)),
                4 => exported = Some(r.int("time of the export")?),
                5 => purpose = Some(r.text_up_to(MAX_PURPOSE_BYTES, "purpose")?.to_owned()),
                6 if r.null() => incidents = Some(None),
                6 => incidents = Some(Some(list(r, MAX_BUNDLE_MEMBERS, "incidents", read_entry)?)),
                7 => files = Some(list(r, MAX_BUNDLE_MEMBERS, "files", read_file)?),
                8 => items = Some(list(r, MAX_BUNDLE_MEMBERS, "items", read_item)?),
                9 => copies = Some(list(r, MAX_BUNDLE_MEMBERS, "copies", read_copy)?),
                _ => drop(r.item("manifest field")?),
            }
        }
        need(version, "version")?;
        let manifest = Self {
            commune: need(commune, "commune code")?,
            hub: need(hub, "hub name")?,
            epoch: need(epoch, "epoch")?,
            exported_ms: need(exported, "time of the export")?,
            purpose: need(purpose, "purpose")?,
            incidents: need(incidents, "incidents")?,
            files: need(files, "files")?,
            items: need(items, "items")?,
            copies: need(copies, "copies")?,
        };
        manifest.check()
    }
}

fn read_entry(r: &mut Reader<'_>) -> Result<EntryName> {
    r.tuple(2, "entry name")?;
    Ok(EntryName { log: LogId(r.fixed("log")?), seq: r.uint("sequence number")? })
}

fn read_file(r: &mut Reader<'_>) -> Result<FileNamed> {
    r.tuple(3, "file")?;
    Ok(FileNamed { name: read_name(r)?, size_bytes: r.uint("size")?, sha256: r.fixed("hash")? })
}

fn read_item(r: &mut Reader<'_>) -> Result<ItemNamed> {
    r.tuple(4, "item")?;
    Ok(ItemNamed { item: Item::read(r)?, original: if r.null() { None } else { Some(read_name(r)?) } })
}

fn read_copy(r: &mut Reader<'_>) -> Result<CopyNamed> {
    r.tuple(5, "copy")?;
    let item = Item::read(r)?;
    let at = r.position();
    let kind = match r.uint("kind of copy")? {
        1 => PreviewKind::Preview,
        2 => PreviewKind::Thumbnail,
        _ => return Err(Error::Malformed { what: "kind of copy", at }),
    };
    Ok(CopyNamed { item, kind, file: read_name(r)? })
}
