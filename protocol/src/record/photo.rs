//! Facts of a photograph and of the smaller copies made of it.
//!
//! What the camera gave, what the file says of itself and what the phone measured stand apart: a reader can
//! see on what each of them rests. Only the bytes that were hashed are evidence; everything else is a claim.

use crate::cbor::{Reader, Writer};
use crate::chain::{Class, Part};
use crate::crypto::Hash;
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::BootId;
use crate::limits::{MAX_FLAGS, MAX_NAME_BYTES, MAX_PREVIEWS};

use super::acts::fits;

/// Clocks at the moment a capture was prepared, before the shutter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Begun {
    /// Wall clock, ms since 1970 UTC.
    pub wall_ms: i64,
    /// Monotonic clock, ms since boot.
    pub monotonic_ms: u64,
    /// The boot.
    pub boot: BootId,
}

/// What the camera software said of the file, before anybody looked into it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Declared {
    /// Media type.
    pub media_type: Option<String>,
    /// Width and height in pixels.
    pub size_px: Option<(u32, u32)>,
    /// Clockwise turn that shows the picture upright, degrees: 0, 90, 180 or 270.
    pub rotation_deg: Option<u32>,
}

/// What the file says of itself (EXIF 2.32). Times and names as written there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exif {
    /// `DateTimeOriginal`, such as `2026:11:22 21:04:11`.
    pub taken: Option<String>,
    /// `OffsetTimeOriginal`, such as `+07:00`.
    pub offset: Option<String>,
    /// Position, 1e-7 degree (latitude, longitude), WGS 84.
    pub place_e7: Option<(i32, i32)>,
    /// `Make`.
    pub make: Option<String>,
    /// `Model`.
    pub model: Option<String>,
    /// `Orientation`, 1 to 8; others are read as absent.
    pub orientation: Option<u32>,
    /// `PixelXDimension` and `PixelYDimension`.
    pub size_px: Option<(u32, u32)>,
}

/// Facts of a photograph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PhotoFacts {
    /// SHA-256 of the bytes the camera gave.
    pub sha256: Hash,
    /// Their length.
    pub size_bytes: u64,
    /// SHA-256 of the sealed file.
    pub sealed_sha256: Hash,
    /// Its length.
    pub sealed_size_bytes: u64,
    /// Media type by its first bytes (`image/jpeg`, or `application/octet-stream`).
    pub media_type: String,
    /// Taken with the camera of the app; otherwise brought in from elsewhere.
    pub from_camera: bool,
    /// The name it had, if it was brought in.
    pub original_name: Option<String>,
    /// When the capture was prepared: the shutter lies between this and the entry's own clocks.
    pub begun: Option<Begun>,
    /// Direction of the camera, hundredths of a degree clockwise from true north, 0 to 35,999.
    pub heading_cdeg: Option<u32>,
    /// What the camera software said.
    pub declared: Option<Declared>,
    /// What the file says of itself.
    pub exif: Option<Exif>,
    /// What is remarkable about the file (`truncated`, `gps_conflict` ..), as codes.
    pub flags: Vec<String>,
    /// Taken in at a later start, because the app ended between shutter and entry: the entry's clocks are later.
    pub recovered: bool,
}

/// Size class of a smaller copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreviewKind {
    /// Longest side 1,600 px.
    Preview,
    /// Longest side 256 px.
    Thumbnail,
}

impl PreviewKind {
    /// Longest side, px.
    pub fn longest_px(self) -> u32 {
        match self {
            PreviewKind::Preview => 1_600,
            PreviewKind::Thumbnail => 256,
        }
    }

    /// The word of JSON.
    pub fn code(self) -> &'static str {
        match self {
            PreviewKind::Preview => "preview",
            PreviewKind::Thumbnail => "thumbnail",
        }
    }

    fn number(self) -> u64 {
        match self {
            PreviewKind::Preview => 1,
            PreviewKind::Thumbnail => 2,
        }
    }

    fn from_number(n: u64) -> Option<Self> {
        [PreviewKind::Preview, PreviewKind::Thumbnail].into_iter().find(|kind| kind.number() == n)
    }
}

/// A smaller copy of a photograph, turned upright and without metadata, sealed in a file of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// Its size class.
    pub kind: PreviewKind,
    /// SHA-256 of the copy.
    pub sha256: Hash,
    /// Its length.
    pub size_bytes: u64,
    /// SHA-256 of the sealed file.
    pub sealed_sha256: Hash,
    /// Its length.
    pub sealed_size_bytes: u64,
    /// Width and height, px.
    pub size_px: (u32, u32),
}

/// The smaller copies of one photograph, or why there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Previews {
    /// SHA-256 of the photograph they were made of.
    pub parent_sha256: Hash,
    /// What made them.
    pub tool: String,
    /// The copies.
    pub made: Vec<Preview>,
    /// Why there are none, as a code (`truncated`, `too_large`, `not_an_image` ..).
    pub missing: Option<String>,
}

fn write_size(w: &mut Writer, size: Option<(u32, u32)>) {
    match size {
        Some((width, height)) => w.array(2).uint(width.into()).uint(height.into()),
        None => w.null(),
    };
}

fn read_size(r: &mut Reader<'_>) -> Result<Option<(u32, u32)>> {
    if r.null() {
        return Ok(None);
    }
    r.tuple(2, "size in pixels")?;
    Ok(Some((r.u32("width")?, r.u32("height")?)))
}

fn read_text(r: &mut Reader<'_>, what: &'static str) -> Result<String> {
    r.text_up_to(MAX_NAME_BYTES, what).map(str::to_owned)
}

impl Begun {
    fn write(&self, w: &mut Writer) {
        w.array(3).int(self.wall_ms).uint(self.monotonic_ms).bytes(&self.boot.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(3, "start of the capture")?;
        Ok(Self { wall_ms: r.int("wall clock")?, monotonic_ms: r.uint("monotonic clock")?, boot: BootId(r.fixed("boot")?) })
    }
}

impl Declared {
    fn write(&self, w: &mut Writer) {
        w.array(3);
        match &self.media_type {
            Some(media_type) => w.text(media_type),
            None => w.null(),
        };
        write_size(w, self.size_px);
        match self.rotation_deg {
            Some(degrees) => w.uint(degrees.into()),
            None => w.null(),
        };
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(3, "declared facts")?;
        let media_type = if r.null() { None } else { Some(read_text(r, "media type")?) };
        let size_px = read_size(r)?;
        let rotation_deg = if r.null() { None } else { Some(r.u32("rotation")?) };
        Ok(Self { media_type, size_px, rotation_deg })
    }
}

impl Exif {
    fn texts(&self) -> [(u64, Option<&str>); 4] {
        [(0, self.taken.as_deref()), (1, self.offset.as_deref()), (3, self.make.as_deref()), (4, self.model.as_deref())]
    }

    fn write(&self, w: &mut Writer) {
        let texts = self.texts().iter().filter(|(_, text)| text.is_some()).count();
        let others = usize::from(self.place_e7.is_some()) + usize::from(self.orientation.is_some()) + usize::from(self.size_px.is_some());
        w.map(texts + others);
        for (key, text) in self.texts() {
            if let (3, Some((lat, lon))) = (key, self.place_e7) {
                w.uint(2).array(2).int(lat.into()).int(lon.into());
            }
            if let Some(text) = text {
                w.uint(key).text(text);
            }
        }
        if let Some(orientation) = self.orientation {
            w.uint(5).uint(orientation.into());
        }
        if self.size_px.is_some() {
            w.uint(6);
            write_size(w, self.size_px);
        }
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let mut exif = Self::default();
        let mut fields = r.map("file's own facts")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => exif.taken = Some(read_text(r, "time in the file")?),
                1 => exif.offset = Some(read_text(r, "offset in the file")?),
                2 => {
                    r.tuple(2, "place in the file")?;
                    let at = r.position();
                    let bad = |_| Error::Malformed { what: "place in the file", at };
                    let lat = i32::try_from(r.int("latitude")?).map_err(bad)?;
                    exif.place_e7 = Some((lat, i32::try_from(r.int("longitude")?).map_err(bad)?));
                }
                3 => exif.make = Some(read_text(r, "make")?),
                4 => exif.model = Some(read_text(r, "model")?),
                5 => exif.orientation = Some(r.u32("orientation")?),
                6 => exif.size_px = read_size(r)?,
                _ => drop(r.item("field of the file's own facts")?),
            }
        }
        Ok(exif)
    }
}

impl PhotoFacts {
    pub(super) fn check(&self) -> Result<()> {
        fits(&self.media_type, MAX_NAME_BYTES, "media type")?;
        fits(self.original_name.as_deref().unwrap_or(""), MAX_NAME_BYTES, "file name")?;
        let declared = self.declared.as_ref().and_then(|d| d.media_type.as_deref());
        fits(declared.unwrap_or(""), MAX_NAME_BYTES, "declared media type")?;
        let texts = self.exif.iter().flat_map(|exif| exif.texts()).filter_map(|(_, text)| text);
        texts.chain(self.flags.iter().map(String::as_str)).try_for_each(|text| fits(text, MAX_NAME_BYTES, "text of a photograph"))?;
        if self.flags.len() > MAX_FLAGS { Err(Error::Limit { what: "flags of a photograph", limit: MAX_FLAGS }) } else { Ok(()) }
    }

    pub(super) fn to_part(&self) -> Part {
        let mut w = Writer::new();
        let present = [
            self.original_name.is_some(),
            self.begun.is_some(),
            self.heading_cdeg.is_some(),
            self.declared.is_some(),
            self.exif.is_some(),
            !self.flags.is_empty(),
            self.recovered,
        ];
        w.map(6 + present.iter().filter(|p| **p).count());
        w.uint(0).bytes(&self.sha256).uint(1).uint(self.size_bytes);
        w.uint(2).bytes(&self.sealed_sha256).uint(3).uint(self.sealed_size_bytes);
        w.uint(4).text(&self.media_type).uint(5).bool(self.from_camera);
        if let Some(name) = &self.original_name {
            w.uint(6).text(name);
        }
        if let Some(begun) = &self.begun {
            w.uint(7);
            begun.write(&mut w);
        }
        if let Some(heading) = self.heading_cdeg {
            w.uint(8).uint(heading.into());
        }
        if let Some(declared) = &self.declared {
            w.uint(9);
            declared.write(&mut w);
        }
        if let Some(exif) = &self.exif {
            w.uint(10);
            exif.write(&mut w);
        }
        if !self.flags.is_empty() {
            w.uint(11);
            write_list(&mut w, &self.flags, |w, flag| {
                w.text(flag);
            });
        }
        if self.recovered {
            w.uint(12).bool(true);
        }
        Part { class: Class::EVIDENCE, bytes: w.into_bytes() }
    }

    pub(super) fn from_part(part: &Part) -> Result<Self> {
        let mut r = Reader::new(&part.bytes);
        let mut fields = r.map("photograph")?;
        let (mut sha256, mut size_bytes, mut sealed_sha256, mut sealed_size_bytes) = (None, None, None, None);
        let mut facts = Self::default();
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => sha256 = Some(r.fixed("hash")?),
                1 => size_bytes = Some(r.uint("size")?),
                2 => sealed_sha256 = Some(r.fixed("sealed hash")?),
                3 => sealed_size_bytes = Some(r.uint("sealed size")?),
                4 => facts.media_type = read_text(&mut r, "media type")?,
                5 => facts.from_camera = r.bool("source")?,
                6 => facts.original_name = Some(read_text(&mut r, "file name")?),
                7 => facts.begun = Some(Begun::read(&mut r)?),
                8 => facts.heading_cdeg = Some(r.u32("heading")?),
                9 => facts.declared = Some(Declared::read(&mut r)?),
                10 => facts.exif = Some(Exif::read(&mut r)?),
                11 => facts.flags = list(&mut r, MAX_FLAGS, "flags of a photograph", |r| read_text(r, "flag"))?,
                12 => facts.recovered = r.bool("recovered")?,
                _ => drop(r.item("photograph field")?),
            }
        }
        r.end("photograph")?;
        Ok(Self {
            sha256: need(sha256, "hash of a photograph")?,
            size_bytes: need(size_bytes, "size of a photograph")?,
            sealed_sha256: need(sealed_sha256, "sealed hash of a photograph")?,
            sealed_size_bytes: need(sealed_size_bytes, "sealed size of a photograph")?,
            ..facts
        })
    }
}

impl Previews {
    pub(super) fn check(&self) -> Result<()> {
        fits(&self.tool, MAX_NAME_BYTES, "tool")?;
        fits(self.missing.as_deref().unwrap_or(""), MAX_NAME_BYTES, "reason")?;
        if self.made.len() > MAX_PREVIEWS { Err(Error::Limit { what: "previews", limit: MAX_PREVIEWS }) } else { Ok(()) }
    }

    pub(super) fn to_part(&self) -> Part {
        let mut w = Writer::new();
        w.map(3 + usize::from(self.missing.is_some()));
        w.uint(0).bytes(&self.parent_sha256).uint(1).text(&self.tool).uint(2);
        write_list(&mut w, &self.made, |w, p| {
            w.array(7).uint(p.kind.number()).bytes(&p.sha256).uint(p.size_bytes);
            w.bytes(&p.sealed_sha256).uint(p.sealed_size_bytes).uint(p.size_px.0.into()).uint(p.size_px.1.into());
        });
        if let Some(reason) = &self.missing {
            w.uint(3).text(reason);
        }
        Part { class: Class::EVIDENCE, bytes: w.into_bytes() }
    }

    pub(super) fn from_part(part: &Part) -> Result<Self> {
        let mut r = Reader::new(&part.bytes);
        let mut fields = r.map("previews")?;
        let (mut parent, mut previews) = (None, Self::default());
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => parent = Some(r.fixed("hash of the parent")?),
                1 => previews.tool = read_text(&mut r, "tool")?,
                2 => previews.made = list(&mut r, MAX_PREVIEWS, "previews", read_preview)?.into_iter().flatten().collect(),
                3 => previews.missing = Some(read_text(&mut r, "reason")?),
                _ => drop(r.item("previews field")?),
            }
        }
        r.end("previews")?;
        Ok(Self { parent_sha256: need(parent, "hash of the parent")?, ..previews })
    }
}

/// `None` for a size class of a later version: its bytes stay in the entry, nothing is shown of it.
fn read_preview(r: &mut Reader<'_>) -> Result<Option<Preview>> {
    r.tuple(7, "preview")?;
    let kind = PreviewKind::from_number(r.uint("kind of preview")?);
    let (sha256, size_bytes) = (r.fixed("hash")?, r.uint("size")?);
    let (sealed_sha256, sealed_size_bytes) = (r.fixed("sealed hash")?, r.uint("sealed size")?);
    let size_px = (r.u32("width")?, r.u32("height")?);
    Ok(kind.map(|kind| Preview { kind, sha256, size_bytes, sealed_sha256, sealed_size_bytes, size_px }))
}
