//! One message for one incident, when nothing else goes through: 160 characters of GSM-7 that carry 95 bytes.
//!
//! ```text
//! text    = "V1*" | 152 symbols of Crockford's base 32 | "*" | 4 check symbols
//! bytes   = device (8) | log (8) | seq (4) | sealed fields (11) | signature (64)
//! fields  = 88 bits, high first: message 4 (0), kind 6, urgent 1, unconfirmed 1, clock 2, provider 3,
//!           accuracy 4, latitude 21, longitude 22, minute 24
//! ```
//!
//! A message stays in the sender's folder, at the operator and on the receiving phone, so what happened and where is
//! sealed: a pad from the static agreement of the device's sealing key with the hub's, one for each entry's name, takes
//! no room. What is in clear are random names. The signature covers a second half of that derivation, so only
//! the hub can tell whether a guess at the fields is right, and it knows by it which of its keys was meant (ADR 0014).
//!
//! The message is a **claim** about the entry it names. When the entry arrives the two are one incident, and what the
//! entry says counts; until then the claim stands alone. The same claim again, at any time, changes nothing.

use core::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::crypto::{Agreement, PublicKey, Signature, Signer, Verifier, message, sha256};
use crate::error::{Error, Result};
use crate::id::{DeviceId, EntryName, LogId};
use crate::limits::MAX_SMS_TEXT_BYTES;
use crate::record::{Act, Position, Provider, Record};
use crate::text::code::{exact_value_of, meant, symbol};
use crate::time::Bounds;

/// Characters of a message, each one septet of GSM-7.
pub const TEXT_CHARS: usize = 160;
/// Bytes that a message carries.
pub const SMS_BYTES: usize = 95;
/// Bytes in front of the signature.
const CLAIM_BYTES: usize = SMS_BYTES - 64;
/// Bytes of the sealed fields.
pub const FIELDS_BYTES: usize = 11;
const PREFIX: &str = "V1*";
const DATA_SYMBOLS: usize = SMS_BYTES * 8 / 5;
const CHECK_SYMBOLS: usize = 4;

/// Kinds of incident by their number in a message. Numbers are never given again; new ones are added at the end.
pub const KINDS: [&str; 20] = [
    "fire",
    "flood",
    "landslide",
    "accident",
    "medical",
    "missing_person",
    "fight",
    "family_violence",
    "weapon_found",
    "trafficking",
    "theft",
    "fraud",
    "drugs_sign",
    "gambling",
    "disorder",
    "dispute",
    "border",
    "forest",
    "road_power",
    "other",
];
/// A kind that has no number: the report will name it.
const KIND_ELSEWHERE: u8 = 63;

/// Minutes are counted from 2024-01-01T00:00:00Z, modulo 2^24 (almost 32 years).
const MINUTES_FROM_MS: i64 = 1_704_067_200_000;
const MINUTE_MS: i64 = 60_000;
const MINUTES: i64 = 1 << 24;
/// Side of a cell, 1e-7 degree: 11 m of latitude, 10 m of longitude in Vietnam.
const CELL_E7: i32 = 1_000;
const LAT_CELLS: u32 = 1_800_000;
const LON_CELLS: u32 = 3_600_000;
const NO_LAT: u32 = (1 << 21) - 1;
const NO_LON: u32 = (1 << 22) - 1;
const PROVIDER_OTHER: u8 = 7;

/// Why a text is no message of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SmsError {
    /// It does not begin as our messages do.
    NotOurs,
    /// A message of a version that this build does not know.
    Version,
    /// Cut off, or longer than a message.
    Length {
        /// Characters found.
        found: usize,
    },
    /// A character that stands in no message.
    Symbol {
        /// Its place, from 1.
        place: usize,
    },
    /// The check symbols do not fit: something was mistyped or altered.
    Check,
}

impl fmt::Display for SmsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => write!(f, "this is no report by message: one begins with {PREFIX}"),
            Self::Version => f.write_str("a report by message of a later version: this program must be renewed first"),
            Self::Length { found } => write!(f, "a report by message has {TEXT_CHARS} characters, this has {found}"),
            Self::Symbol { place } => write!(f, "character {place} stands in no report by message"),
            Self::Check => f.write_str("the message was altered or mistyped: its check symbols do not fit"),
        }
    }
}

impl std::error::Error for SmsError {}

/// How well the sender knew the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Its own clock alone.
    Wall,
    /// Contact with the hub since it was switched on.
    Anchored,
    /// Satellites.
    Gnss,
}

/// Where, in a cell of about 10 m.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Centre of the cell, 1e-7 degree.
    pub lat_e7: i32,
    /// Centre of the cell, 1e-7 degree.
    pub lon_e7: i32,
    /// At most so far off, metres: a power of two from 2 to 32,768, rounded up; the cell's own size comes on top.
    pub accuracy_m: Option<u32>,
    /// Where the position came from.
    pub provider: Provider,
}

/// What a message says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The device that signed.
    pub device: DeviceId,
    /// The entry of the full report.
    pub name: EntryName,
    /// What happened, by the code of the kinds; `None` when the kind has no number.
    pub kind: Option<&'static str>,
    /// Urgent.
    pub urgent: bool,
    /// Recorded while the phone was locked.
    pub unconfirmed: bool,
    /// The best single time, ms, to the minute.
    pub at_ms: i64,
    /// How well that is known.
    pub clock: Clock,
    /// Where, if known.
    pub place: Option<Place>,
}

impl Claim {
    /// The claim about an incident report of this phone. Nothing of its text goes along, nor who wrote it.
    ///
    /// # Errors
    /// The record is no incident report, or its number does not fit in 32 bits.
    pub fn of(record: &Record, name: EntryName, device: DeviceId) -> Result<Self> {
        let Act::IncidentReported { kind, urgent, .. } = &record.act else {
            return Err(Error::Mismatch { what: "the entry and an incident report" });
        };
        if u32::try_from(name.seq).is_err() {
            return Err(Error::Limit { what: "sequence number in a message", limit: u32::MAX as usize });
        }
        let stamp = &record.common.stamp;
        let clock = match (stamp.gnss_ms, stamp.anchor) {
            (Some(_), _) => Clock::Gnss,
            (None, Some(_)) => Clock::Anchored,
            (None, None) => Clock::Wall,
        };
        Ok(Self {
            device,
            name,
            kind: KINDS.iter().find(|known| *known == kind).copied(),
            urgent: *urgent,
            unconfirmed: record.common.unconfirmed,
            at_ms: stamp.interval(Bounds::default(), false).best_ms.div_euclid(MINUTE_MS).saturating_mul(MINUTE_MS),
            clock,
            place: record.common.position.as_ref().map(place_of),
        })
    }

    /// The fields as they are sealed: equal for equal claims about one entry.
    pub fn fields(&self) -> [u8; FIELDS_BYTES] {
        let kind = self.kind.and_then(|kind| KINDS.iter().position(|known| *known == kind));
        let kind = kind.and_then(|n| u8::try_from(n).ok()).unwrap_or(KIND_ELSEWHERE);
        let clock = match self.clock {
            Clock::Wall => 0,
            Clock::Anchored => 1,
            Clock::Gnss => 2,
        };
        let minute = self.at_ms.saturating_sub(MINUTES_FROM_MS).div_euclid(MINUTE_MS).rem_euclid(MINUTES);
        let (provider, accuracy, lat, lon) = match &self.place {
            None => (0, 0, NO_LAT, NO_LON),
            Some(place) => (
                place.provider.number().min(PROVIDER_OTHER),
                place.accuracy_m.map_or(0, accuracy_exponent),
                cell(place.lat_e7, 900_000_000, LAT_CELLS),
                cell(place.lon_e7, 1_800_000_000, LON_CELLS),
            ),
        };
        let mut bits = Bits(0);
        bits.put(4, 0);
        bits.put(6, kind.into());
        bits.put(1, u32::from(self.urgent));
        bits.put(1, u32::from(self.unconfirmed));
        bits.put(2, clock);
        bits.put(3, provider.into());
        bits.put(4, accuracy);
        bits.put(21, lat);
        bits.put(22, lon);
        bits.put(24, u32::try_from(minute).unwrap_or(0));
        let mut out = [0; FIELDS_BYTES];
        out.copy_from_slice(&bits.0.to_be_bytes()[16 - FIELDS_BYTES..]);
        out
    }

    fn from_fields(fields: &[u8; FIELDS_BYTES], device: DeviceId, name: EntryName, received_ms: i64) -> Result<Self> {
        let mut wide = [0; 16];
        wide[16 - FIELDS_BYTES..].copy_from_slice(fields);
        let mut bits = Bits(u128::from_be_bytes(wide));
        // Taken from the low end: the reverse of how they were put.
        let (minute, lon, lat, accuracy) = (bits.take(24), bits.take(22), bits.take(21), bits.take(4));
        let (provider, clock, unconfirmed, urgent) = (bits.take(3), bits.take(2), bits.take(1), bits.take(1));
        let (kind, form) = (bits.take(6), bits.take(4));
        let bad = |what| Error::Malformed { what, at: 0 };
        if form != 0 {
            return Err(Error::Version { found: form.into() });
        }
        let place = if (lat, lon) == (NO_LAT, NO_LON) {
            if (provider, accuracy) != (0, 0) {
                return Err(bad("place of a message"));
            }
            None
        } else if lat <= LAT_CELLS && lon <= LON_CELLS {
            Some(Place {
                lat_e7: centre(lat, 900_000_000),
                lon_e7: centre(lon, 1_800_000_000),
                accuracy_m: (accuracy > 0).then(|| 1 << accuracy),
                provider: Provider::from_number(u8::try_from(provider).unwrap_or(PROVIDER_OTHER)),
            })
        } else {
            return Err(bad("place of a message"));
        };
        let clock = match clock {
            0 => Clock::Wall,
            1 => Clock::Anchored,
            2 => Clock::Gnss,
            _ => return Err(bad("clock of a message")),
        };
        let at_ms = nearest_time(minute.into(), received_ms);
        let kind = usize::try_from(kind).ok().and_then(|n| KINDS.get(n).copied());
        Ok(Self { device, name, kind, urgent: urgent == 1, unconfirmed: unconfirmed == 1, at_ms, clock, place })
    }
}

/// A place as a message carries it: the centre of its cell, what is known of it rounded up.
fn place_of(position: &Position) -> Place {
    let accuracy_m = position.accuracy_cm.map(|cm| 1 << accuracy_exponent(cm.div_ceil(100)));
    Place {
        lat_e7: centre(cell(position.lat_e7, 900_000_000, LAT_CELLS), 900_000_000),
        lon_e7: centre(cell(position.lon_e7, 1_800_000_000, LON_CELLS), 1_800_000_000),
        accuracy_m,
        provider: Provider::from_number(position.provider.number().min(PROVIDER_OTHER)),
    }
}

/// The smallest n from 1 to 15 with `metres` <= 2^n; 15 for whatever is larger.
fn accuracy_exponent(metres: u32) -> u32 {
    (1..15).find(|n| metres <= 1 << n).unwrap_or(15)
}

fn cell(e7: i32, half_e7: i32, cells: u32) -> u32 {
    // Both are within 1.8e9, so the sum fits in 64 bits and the quotient in 22.
    let cell = (i64::from(e7) + i64::from(half_e7)).div_euclid(CELL_E7.into());
    u32::try_from(cell).unwrap_or(0).min(cells)
}

fn centre(cell: u32, half_e7: i32) -> i32 {
    let e7 = i64::from(cell) * i64::from(CELL_E7) + i64::from(CELL_E7 / 2) - i64::from(half_e7);
    i32::try_from(e7.min(half_e7.into())).unwrap_or(half_e7)
}

/// The time nearest to `received_ms` whose minute is `minute` modulo 2^24: a report is meant for the time around its
/// arrival, and no other that could be meant is nearer than 16 years.
fn nearest_time(minute: i64, received_ms: i64) -> i64 {
    let now = received_ms.saturating_sub(MINUTES_FROM_MS).div_euclid(MINUTE_MS);
    let ahead = (minute - now).rem_euclid(MINUTES);
    let offset = if ahead > MINUTES / 2 { ahead - MINUTES } else { ahead };
    now.saturating_add(offset).saturating_mul(MINUTE_MS).saturating_add(MINUTES_FROM_MS)
}

/// Fields of fixed width in one number, put at and taken from its low end.
struct Bits(u128);

impl Bits {
    fn put(&mut self, width: u32, value: u32) {
        self.0 = (self.0 << width) | u128::from(value & ((1 << width) - 1));
    }

    fn take(&mut self, width: u32) -> u32 {
        let value = self.0 & ((1 << width) - 1);
        self.0 >>= width;
        u32::try_from(value).unwrap_or(0)
    }
}

/// A message, taken apart but not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sms {
    /// The device that says it signed.
    pub device: DeviceId,
    /// The entry that is claimed.
    pub name: EntryName,
    sealed: [u8; FIELDS_BYTES],
    signature: Signature,
}

/// What both sides derive for one entry: the pad of the fields, and what the signature covers beside them.
struct Derived {
    pad: [u8; FIELDS_BYTES],
    confirm: [u8; 32 - FIELDS_BYTES],
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

/// HKDF-SHA256 (RFC 5869) without salt, one block.
fn derive(shared: &Zeroizing<[u8; 32]>, phone: &PublicKey, hub: &PublicKey, device: DeviceId, name: EntryName) -> Derived {
    let mut info = message("yb1/sms-seal", 5);
    info.bytes(&phone.0).bytes(&hub.0).bytes(&device.0).bytes(&name.log.0).uint(name.seq);
    let extracted = Zeroizing::new(hmac(&[0; 32], &[shared.as_ref()]));
    let block = Zeroizing::new(hmac(extracted.as_ref(), &[info.as_bytes(), &[1]]));
    let (mut pad, mut confirm) = ([0; FIELDS_BYTES], [0; 32 - FIELDS_BYTES]);
    pad.copy_from_slice(&block[..FIELDS_BYTES]);
    confirm.copy_from_slice(&block[FIELDS_BYTES..]);
    Derived { pad, confirm }
}

fn xor(bytes: &[u8; FIELDS_BYTES], pad: &[u8; FIELDS_BYTES]) -> [u8; FIELDS_BYTES] {
    core::array::from_fn(|i| bytes[i] ^ pad[i])
}

impl Sms {
    /// Seals and signs a claim. `phone` is the device's sealing key, `hub` the hub's, `signer` the device's signing key.
    pub fn seal(claim: &Claim, phone: &dyn Agreement, hub: &PublicKey, signer: &dyn Signer) -> Result<Self> {
        let derived = derive(&phone.agree(hub)?, &phone.agreement_key(), hub, claim.device, claim.name);
        let sealed = xor(&claim.fields(), &derived.pad);
        let unsigned = Self { device: claim.device, name: claim.name, sealed, signature: Signature([0; 64]) };
        let signature = signer.sign(&unsigned.signed_text(&derived))?;
        Ok(Self { signature, ..unsigned })
    }

    /// Verifies and opens with one of the hub's sealing keys. `seal_key` and `sign_key` are those of the device's
    /// certificate; `received_ms` is the hub's time, to which the minute is taken to be near.
    ///
    /// # Errors
    /// [`Error::Signature`] when this key was not meant, or anything was altered.
    pub fn open(
        &self,
        hub: &dyn Agreement,
        seal_key: &PublicKey,
        sign_key: &PublicKey,
        verifier: &dyn Verifier,
        received_ms: i64,
    ) -> Result<Claim> {
        let derived = derive(&hub.agree(seal_key)?, seal_key, &hub.agreement_key(), self.device, self.name);
        if !verifier.verify(sign_key, &self.signed_text(&derived), &self.signature) {
            return Err(Error::Signature { what: "message" });
        }
        Claim::from_fields(&xor(&self.sealed, &derived.pad), self.device, self.name, received_ms)
    }

    fn signed_text(&self, derived: &Derived) -> Vec<u8> {
        let mut w = message("yb1/sms", 5);
        w.bytes(&self.device.0).bytes(&self.name.log.0).uint(self.name.seq).bytes(&self.sealed).bytes(&derived.confirm);
        w.into_bytes()
    }

    /// The 95 bytes.
    pub fn to_bytes(&self) -> [u8; SMS_BYTES] {
        let mut out = [0; SMS_BYTES];
        out[..8].copy_from_slice(&self.device.0);
        out[8..16].copy_from_slice(&self.name.log.0);
        // A claim is made only for a number of 32 bits, and read from one.
        out[16..20].copy_from_slice(&u32::try_from(self.name.seq).unwrap_or(u32::MAX).to_be_bytes());
        out[20..CLAIM_BYTES].copy_from_slice(&self.sealed);
        out[CLAIM_BYTES..].copy_from_slice(&self.signature.0);
        out
    }

    /// From the 95 bytes; nothing is verified.
    pub fn from_bytes(bytes: &[u8; SMS_BYTES]) -> Self {
        let (mut device, mut log, mut seq, mut sealed, mut signature) = ([0; 8], [0; 8], [0; 4], [0; FIELDS_BYTES], [0; 64]);
        device.copy_from_slice(&bytes[..8]);
        log.copy_from_slice(&bytes[8..16]);
        seq.copy_from_slice(&bytes[16..20]);
        sealed.copy_from_slice(&bytes[20..CLAIM_BYTES]);
        signature.copy_from_slice(&bytes[CLAIM_BYTES..]);
        let name = EntryName { log: LogId(log), seq: u32::from_be_bytes(seq).into() };
        Self { device: DeviceId(device), name, sealed, signature: Signature(signature) }
    }

    /// The text of the message: 160 characters, all of GSM-7's basic set.
    pub fn to_text(&self) -> String {
        let bytes = self.to_bytes();
        format!("{PREFIX}{}*{}", base32(&bytes), base32(&check_bits(&bytes)).get(..CHECK_SYMBOLS).unwrap_or_default())
    }

    /// Reads the text of a message, exactly as it was written; see [`tidied`] for what people or phones add.
    pub fn from_text(text: &str) -> core::result::Result<Self, SmsError> {
        let rest = text.strip_prefix(PREFIX).ok_or_else(|| not_ours(text))?;
        let found = text.chars().count();
        if found != TEXT_CHARS {
            return Err(SmsError::Length { found });
        }
        let mut values = [0_u8; DATA_SYMBOLS + 1 + CHECK_SYMBOLS];
        for (at, (character, value)) in rest.chars().zip(&mut values).enumerate() {
            let wrong = SmsError::Symbol { place: PREFIX.len() + at + 1 };
            *value = match (at, character) {
                (DATA_SYMBOLS, '*') => 0,
                (DATA_SYMBOLS, _) => return Err(wrong),
                (_, character) => exact_value_of(character).ok_or(wrong)?,
            };
        }
        let bytes = from_base32(&values);
        let check = base32(&check_bits(&bytes));
        let told = rest.get(DATA_SYMBOLS + 1..).unwrap_or_default();
        if check.get(..CHECK_SYMBOLS) == Some(told) { Ok(Self::from_bytes(&bytes)) } else { Err(SmsError::Check) }
    }
}

fn not_ours(text: &str) -> SmsError {
    let mut start = text.chars();
    match (start.next(), start.next(), start.next()) {
        (Some('V'), Some('0'..='9'), Some('*')) => SmsError::Version,
        _ => SmsError::NotOurs,
    }
}

/// 20 bits over the whole, to tell a mistyped message from a forged one; the signature decides.
fn check_bits(bytes: &[u8; SMS_BYTES]) -> [u8; 5] {
    let mut w = message("yb1/sms-check", 1);
    w.bytes(bytes);
    let hash = sha256(w.as_bytes());
    core::array::from_fn(|i| hash[i])
}

/// Five bytes are eight symbols.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5);
    for group in bytes.chunks_exact(5) {
        let bits = group.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        text.extend((0..8).rev().map(|place| symbol(u8::try_from((bits >> (5 * place)) & 31).unwrap_or(0))));
    }
    text
}

fn from_base32(values: &[u8]) -> [u8; SMS_BYTES] {
    let mut bytes = [0; SMS_BYTES];
    for (group, out) in values.chunks_exact(8).zip(bytes.chunks_exact_mut(5)) {
        let bits = group.iter().fold(0_u64, |bits, value| (bits << 5) | u64::from(*value));
        out.copy_from_slice(&bits.to_be_bytes()[3..]);
    }
    bytes
}

/// The message within what was pasted or typed: what stands before it, white space and what follows are left out; any
/// case, O for 0, I and L for 1. The result is for [`Sms::from_text`] to judge.
pub fn tidied(text: &str) -> String {
    let mut end = text.len().min(MAX_SMS_TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let plain: String = text[..end].chars().filter(|c| !c.is_whitespace()).map(meant).collect();
    let from = plain.find(PREFIX).unwrap_or(0);
    plain[from..].chars().take(TEXT_CHARS).collect()
}
