//! The kinds of entry and their recorded bytes.
//!
//! A record is what a person or the phone did; [`Record::to_parts`] gives the parts of the entry, and
//! [`Record::from_parts`] reads them again. Part 0 always holds the [`Common`] fields under keys 0 to 15 and
//! the kind's own from 16; keys a reader does not know are left alone, because the recorded bytes
//! themselves are what is kept and passed on. Positions are integers of 1e-7 degree, WGS 84.

use crate::cbor::{Reader, Writer};
use crate::chain::{Class, Part};
use crate::crypto::PublicKey;
use crate::error::{Error, Result};
use crate::id::{BootId, EntryName, LogId, MemberNo};
use crate::limits::{MAX_CREW, MAX_NAME_BYTES, MAX_STATEMENTS, MAX_TEXT_BYTES};
use crate::time::{Anchor, Stamp};

mod acts;
mod photo;
pub use acts::{Act, Answer, Basis, CrewChange, Statement, Subject};
pub use photo::{Begun, Declared, Exif, PhotoFacts, Preview, PreviewKind, Previews};

/// Where a position came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Satellites.
    Gnss,
    /// Cell or Wi-Fi network.
    Network,
    /// Typed in or pointed at on a map.
    Typed,
    /// A recorded track, played back.
    Imported,
    /// Another app said so ("mock location").
    Mock,
    /// A number this build does not know.
    Other(u8),
}

impl Provider {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Provider::Gnss => 0,
            Provider::Network => 1,
            Provider::Typed => 2,
            Provider::Imported => 3,
            Provider::Mock => 4,
            Provider::Other(n) => n,
        }
    }

    /// From the number on the wire.
    pub fn from_number(n: u8) -> Self {
        match n {
            0 => Provider::Gnss,
            1 => Provider::Network,
            2 => Provider::Typed,
            3 => Provider::Imported,
            4 => Provider::Mock,
            n => Provider::Other(n),
        }
    }
}

/// A place on earth and what is known of its quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Latitude, 1e-7 degree, -900,000,000 to 900,000,000.
    pub lat_e7: i32,
    /// Longitude, 1e-7 degree, -1,800,000,000 to 1,800,000,000.
    pub lon_e7: i32,
    /// Radius of 68 % confidence, centimetres.
    pub accuracy_cm: Option<u32>,
    /// Age of the fix when it was used, milliseconds.
    pub fix_age_ms: Option<u32>,
    /// Where it came from.
    pub provider: Provider,
}

impl Position {
    /// A position, checked to be on earth.
    pub fn new(lat_e7: i32, lon_e7: i32, provider: Provider) -> Result<Self> {
        let on_earth = lat_e7.unsigned_abs() <= 900_000_000 && lon_e7.unsigned_abs() <= 1_800_000_000;
        if !on_earth {
            return Err(Error::Malformed { what: "position", at: 0 });
        }
        Ok(Self { lat_e7, lon_e7, accuracy_cm: None, fix_age_ms: None, provider })
    }

    /// Latitude in degrees.
    pub fn lat_deg(&self) -> f64 {
        f64::from(self.lat_e7) / 1e7
    }

    /// Longitude in degrees.
    pub fn lon_deg(&self) -> f64 {
        f64::from(self.lon_e7) / 1e7
    }

    /// Writes it as one value.
    pub fn write(&self, w: &mut Writer) {
        w.array(5).int(self.lat_e7.into()).int(self.lon_e7.into());
        for value in [self.accuracy_cm, self.fix_age_ms] {
            match value {
                Some(n) => w.uint(n.into()),
                None => w.null(),
            };
        }
        w.uint(self.provider.number().into());
    }

    /// Reads it back.
    ///
    /// # Errors
    /// Any other form, or a place off the earth.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        let at = r.position();
        let bad = |_| Error::Malformed { what: "position", at };
        r.tuple(5, "position")?;
        let lat = i32::try_from(r.int("latitude")?).map_err(bad)?;
        let lon = i32::try_from(r.int("longitude")?).map_err(bad)?;
        let accuracy_cm = if r.null() { None } else { Some(r.u32("accuracy")?) };
        let fix_age_ms = if r.null() { None } else { Some(r.u32("age of fix")?) };
        let provider = u8::try_from(r.uint("provider")?).map_err(bad)?;
        Ok(Self { accuracy_cm, fix_age_ms, ..Self::new(lat, lon, Provider::from_number(provider))? })
    }
}

/// What every entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Who, by the hub's number. A claim by PIN: the device alone signs.
    pub author: MemberNo,
    /// Recorded while the vault was locked: the author is the last member and has yet to confirm.
    pub unconfirmed: bool,
    /// When.
    pub stamp: Stamp,
    /// Where, if known.
    pub position: Option<Position>,
}

/// One entry's meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What every entry says.
    pub common: Common,
    /// What was done.
    pub act: Act,
}

impl Record {
    /// The parts of the entry.
    pub fn to_parts(&self) -> Result<Vec<Part>> {
        self.act.check()?;
        let mut w = Writer::with_capacity(96);
        let own = self.act.own_fields();
        let c = &self.common;
        let optional = usize::from(c.stamp.anchor.is_some()) + usize::from(c.stamp.gnss_ms.is_some());
        let optional = optional + usize::from(c.unconfirmed) + usize::from(c.position.is_some());
        w.map(5 + optional + own.count);
        w.uint(0).uint(self.act.kind());
        w.uint(1).uint(c.author.0.into());
        w.uint(2).int(c.stamp.wall_ms);
        w.uint(3).uint(c.stamp.monotonic_ms);
        w.uint(4).bytes(&c.stamp.boot.0);
        if let Some(anchor) = &c.stamp.anchor {
            w.uint(5);
            anchor.write(&mut w);
        }
        if let Some(gnss_ms) = c.stamp.gnss_ms {
            w.uint(6).int(gnss_ms);
        }
        if c.unconfirmed {
            w.uint(7).bool(true);
        }
        if let Some(position) = &c.position {
            w.uint(8);
            position.write(&mut w);
        }
        w.raw(&own.bytes);
        let mut parts = vec![Part { class: self.act.class(), bytes: w.into_bytes() }];
        parts.extend(self.act.further_part());
        Ok(parts)
    }

    /// Reads the parts again. A part that was erased is given as `None`; what stood in it is then absent
    /// from the record. An unknown kind reads as [`Act::Unknown`].
    pub fn from_parts(parts: &[Option<&Part>]) -> Result<Self> {
        let Some(Some(first)) = parts.first() else {
            return Err(Error::Malformed { what: "first part", at: 0 });
        };
        let mut r = Reader::new(&first.bytes);
        let mut fields = r.map("record")?;
        let (mut kind, mut author, mut wall_ms, mut monotonic_ms, mut boot) = (None, None, None, None, None);
        let (mut anchor, mut gnss_ms, mut unconfirmed, mut position) = (None, None, false, None);
        let mut own = acts::Own::default();
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => kind = Some(r.uint("kind")?),
                1 => author = Some(MemberNo(r.u32("author")?)),
                2 => wall_ms = Some(r.int("wall clock")?),
                3 => monotonic_ms = Some(r.uint("monotonic clock")?),
                4 => boot = Some(BootId(r.fixed("boot")?)),
                5 => anchor = Some(Anchor::read(&mut r)?),
                6 => gnss_ms = Some(r.int("satellite time")?),
                7 => unconfirmed = r.bool("unconfirmed")?,
                8 => position = Some(Position::read(&mut r)?),
                key => own.keep(key, r.item("field")?),
            }
        }
        r.end("record")?;
        let missing = Error::Malformed { what: "record without kind, author or clocks", at: 0 };
        let (Some(kind), Some(author), Some(wall_ms), Some(monotonic_ms), Some(boot)) = (kind, author, wall_ms, monotonic_ms, boot) else {
            return Err(missing);
        };
        let stamp = Stamp { wall_ms, monotonic_ms, boot, anchor, gnss_ms };
        let act = Act::read(kind, &own, parts.get(1).copied().flatten())?;
        Ok(Self { common: Common { author, unconfirmed, stamp, position }, act })
    }
}
