//! What a file says of itself: the few EXIF fields that go into the log, read with bounds.
//!
//! The reader of the library follows directories that may overlap, so the entries of all of them are counted before
//! it sees a byte. What cannot be read costs these facts, never the photograph.

use exif::{In, Reader, Tag, Value};
use yenban_protocol::record::Exif;
use yenban_protocol::text::Limit;

use super::flags;
use crate::limits::{EXIF_ENTRIES_MAX, EXIF_TEXT_MAX_BYTES};

/// Tags that point to another directory: EXIF, GPS, interoperability.
const POINTERS: [u16; 3] = [0x8769, 0x8825, 0xA005];
/// Directories that one file may have; the library stops at eight in a row, each with three below it.
const DIRECTORIES_MAX: usize = 32;
/// Where GPS seconds count as too many: some cameras round up to 60.
const SEXAGESIMAL_MAX: f64 = 60.0;

/// Reads a TIFF block. The facts, if there are any, and flags.
pub(super) fn read(tiff: Vec<u8>) -> (Option<Exif>, Vec<&'static str>) {
    let mut found = Vec::new();
    match count_entries(&tiff) {
        None => return (None, vec![flags::EXIF_MALFORMED]),
        Some(entries) if entries > EXIF_ENTRIES_MAX => return (None, vec![flags::EXIF_TOO_MANY]),
        Some(_) => {}
    }
    let parsed = Reader::new().continue_on_error(true).read_raw(tiff);
    let parsed = parsed.or_else(|e| e.distill_partial_result(|_| found.push(flags::EXIF_MALFORMED)));
    found.dedup();
    let Ok(parsed) = parsed else { return (None, vec![flags::EXIF_MALFORMED]) };
    let field = |tag: Tag| parsed.get_field(tag, In::PRIMARY).map(|field| &field.value);
    let text = |tag: Tag| field(tag).and_then(text_of);
    let number = |tag: Tag| field(tag).and_then(|value| value.get_uint(0));
    let place = Place {
        lat: field(Tag::GPSLatitude),
        lat_ref: field(Tag::GPSLatitudeRef),
        lon: field(Tag::GPSLongitude),
        lon_ref: field(Tag::GPSLongitudeRef),
    };
    let place_e7 = place.read().unwrap_or_else(|()| {
        found.push(flags::GPS_INVALID);
        None
    });
    let exif = Exif {
        taken: text(Tag::DateTimeOriginal),
        offset: text(Tag::OffsetTimeOriginal),
        place_e7,
        make: text(Tag::Make),
        model: text(Tag::Model),
        orientation: number(Tag::Orientation).filter(|n| (1..=8).contains(n)),
        size_px: number(Tag::PixelXDimension).zip(number(Tag::PixelYDimension)),
    };
    (Some(exif).filter(|exif| *exif != Exif::default()), found)
}

/// Entries of all directories, counted no further than one above the limit; `None` when the first cannot be found.
fn count_entries(tiff: &[u8]) -> Option<usize> {
    let big = match tiff.get(..4)? {
        b"MM\0*" => true,
        b"II*\0" => false,
        _ => return None,
    };
    let u16_at = |at: usize| -> Option<u16> {
        let bytes: [u8; 2] = tiff.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    };
    let u32_at = |at: usize| {
        Some(if big {
            u32::from(u16_at(at)?) << 16 | u32::from(u16_at(at + 2)?)
        } else {
            u32::from(u16_at(at)?) | u32::from(u16_at(at + 2)?) << 16
        })
    };
    let mut open = vec![u32_at(4)? as usize];
    let (mut seen, mut entries) = (Vec::new(), 0_usize);
    while let Some(at) = open.pop() {
        let Some(count) = u16_at(at) else { continue };
        if seen.contains(&at) {
            continue;
        }
        seen.push(at);
        entries += usize::from(count);
        if entries > EXIF_ENTRIES_MAX || seen.len() > DIRECTORIES_MAX {
            return Some(EXIF_ENTRIES_MAX + 1);
        }
        for entry in 0..usize::from(count) {
            let entry = at + 2 + entry * 12;
            if let (Some(tag), Some(value)) = (u16_at(entry), u32_at(entry + 8))
                && POINTERS.contains(&tag)
            {
                open.push(value as usize);
            }
        }
        open.extend(u32_at(at + 2 + usize::from(count) * 12).filter(|next| *next != 0).map(|next| next as usize));
    }
    Some(entries)
}

fn text_of(value: &Value) -> Option<String> {
    let Value::Ascii(parts) = value else { return None };
    let text: String = String::from_utf8_lossy(parts.first()?).chars().filter(|c| !c.is_control()).collect();
    let text = Limit { bytes: EXIF_TEXT_MAX_BYTES, characters: EXIF_TEXT_MAX_BYTES }.cut(text.trim());
    (!text.is_empty()).then(|| text.to_owned())
}

struct Place<'a> {
    lat: Option<&'a Value>,
    lat_ref: Option<&'a Value>,
    lon: Option<&'a Value>,
    lon_ref: Option<&'a Value>,
}

impl Place<'_> {
    /// `Ok(None)` when there is none; an error when it is no place on earth.
    fn read(&self) -> Result<Option<(i32, i32)>, ()> {
        if self.lat.is_none() && self.lon.is_none() {
            return Ok(None);
        }
        let lat = degrees(self.lat, self.lat_ref, [b'N', b'S'], 90.0);
        let lon = degrees(self.lon, self.lon_ref, [b'E', b'W'], 180.0);
        lat.zip(lon).map(Some).ok_or(())
    }
}

/// Degrees, minutes and seconds with their direction, in 1e-7 degree.
fn degrees(value: Option<&Value>, direction: Option<&Value>, letters: [u8; 2], most: f64) -> Option<i32> {
    let Some(Value::Ascii(direction)) = direction else { return None };
    let letter = direction.first()?.first()?.to_ascii_uppercase();
    // The standard wants them unsigned; some phones write signed ones.
    let parts: Vec<(f64, bool)> = match value? {
        Value::Rational(parts) => parts.iter().map(|part| (part.to_f64(), part.denom != 0)).collect(),
        Value::SRational(parts) => parts.iter().map(|part| (part.to_f64(), part.denom != 0)).collect(),
        _ => return None,
    };
    let mut degrees = 0.0;
    for ((part, is_number), unit) in parts.iter().take(3).zip([1.0, 60.0, 3_600.0]) {
        if !is_number || *part < 0.0 || (unit > 1.0 && *part > SEXAGESIMAL_MAX) {
            return None;
        }
        degrees += part / unit;
    }
    if parts.is_empty() || !degrees.is_finite() || degrees > most || !letters.contains(&letter) {
        return None;
    }
    let sign = if letter == letters[1] { -1.0 } else { 1.0 };
    // At most 180 degrees, so it fits.
    Some((sign * degrees * 1e7).round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One directory and a GPS directory, big endian: (tag, type, count, four bytes of value).
    fn tiff(main: &[(u16, u16, u32, [u8; 4])], gps: &[(u16, u16, u32, [u8; 4])], values: &[u8]) -> Vec<u8> {
        let mut out = b"MM\0*\0\0\0\x08".to_vec();
        let mut main = main.to_vec();
        let gps_at = 8 + 2 + (main.len() as u32 + 1) * 12 + 4;
        main.push((0x8825, 4, 1, gps_at.to_be_bytes()));
        for directory in [&main[..], gps] {
            out.extend((directory.len() as u16).to_be_bytes());
            for (tag, kind, count, value) in directory {
                out.extend(tag.to_be_bytes());
                out.extend(kind.to_be_bytes());
                out.extend(count.to_be_bytes());
                out.extend(value);
            }
            out.extend([0; 4]);
        }
        out.extend(values);
        out
    }

    fn with_place(lat: [(u32, u32); 3], lon: [(u32, u32); 3], letters: [&[u8; 4]; 2]) -> (Option<Exif>, Vec<&'static str>) {
        let values_at = 8 + 2 + 2 * 12 + 4 + 2 + 4 * 12 + 4;
        let values: Vec<u8> = lat.iter().chain(&lon).flat_map(|(n, d)| [n.to_be_bytes(), d.to_be_bytes()].concat()).collect();
        let at = |offset: u32| (values_at + offset).to_be_bytes();
        let gps = [(1, 2, 2, *letters[0]), (2, 5, 3, at(0)), (3, 2, 2, *letters[1]), (4, 5, 3, at(24))];
        read(tiff(&[(0x0112, 3, 1, [0, 6, 0, 0])], &gps, &values))
    }

    #[test]
    fn a_place_is_read_and_one_off_the_earth_is_not() {
        let north_east = [b"N\0\0\0", b"E\0\0\0"];
        let (exif, found) = with_place([(20, 1), (39, 1), (36_432, 1_000)], [(105, 1), (5, 1), (42, 100)], north_east);
        assert_eq!((exif.unwrap().place_e7, found), (Some((206_601_200, 1_050_834_500)), Vec::new()));
        let (exif, _) = with_place([(20, 1), (0, 1), (0, 1)], [(105, 1), (0, 1), (0, 1)], [b"S\0\0\0", b"w\0\0\0"]);
        assert_eq!(exif.unwrap().place_e7, Some((-200_000_000, -1_050_000_000)));
        // B-010: 91 degrees north, 181 degrees east, 0/0, letters that are none.
        let good = [(20, 1), (0, 1), (0, 1)];
        for (lat, lon, letters) in [
            ([(91, 1), (0, 1), (0, 1)], good, north_east),
            (good, [(181, 1), (0, 1), (0, 1)], north_east),
            ([(20, 1), (0, 1), (0, 0)], good, north_east),
            ([(20, 1), (75, 1), (0, 1)], good, north_east),
            ([(u32::MAX, 1), (0, 1), (0, 1)], good, north_east),
            (good, good, [b"?\0\0\0", b"E\0\0\0"]),
        ] {
            let (exif, found) = with_place(lat, lon, letters);
            assert_eq!((exif.unwrap().place_e7, found), (None, vec![flags::GPS_INVALID]));
        }
    }

    #[test]
    fn an_orientation_that_is_none_counts_as_absent() {
        // B-018.
        for (value, expected) in [(0_u16, None), (1, Some(1)), (8, Some(8)), (9, None), (255, None)] {
            let [high, low] = value.to_be_bytes();
            let (exif, found) = read(tiff(&[(0x0112, 3, 1, [high, low, 0, 0]), (0x010F, 2, 3, *b"HMD\0")], &[], &[]));
            assert_eq!(exif.unwrap().orientation, expected);
            assert!(found.is_empty());
        }
    }

    #[test]
    fn directories_that_are_too_long_overlap_or_run_in_circles_cost_the_facts_alone() {
        // B-008.
        let long = |count: u16| {
            let mut out = b"MM\0*\0\0\0\x08".to_vec();
            out.extend(count.to_be_bytes());
            for _ in 0..count.min(5_000) {
                out.extend([0x01, 0x0F, 0, 2, 0, 0, 0, 2, b'H', 0, 0, 0]);
            }
            out.extend([0; 4]);
            out
        };
        assert!(read(long(512)).0.is_some());
        for count in [513, 5_000, 65_535] {
            assert_eq!(read(long(count)), (None, vec![flags::EXIF_TOO_MANY]));
        }
        // Pointers into each other, a million entries by overlap, an offset and a count beyond the end.
        let circle = tiff(&[(0x8769, 4, 1, [0, 0, 0, 8])], &[(0x8769, 4, 1, [0, 0, 0, 9])], &[]);
        let _ = read(circle);
        let many: Vec<_> = (0..400_u32).map(|n| (0x8769, 4, 1, (8 + n * 12).to_be_bytes())).collect();
        assert_eq!(read(tiff(&many, &[], &[])).1, [flags::EXIF_TOO_MANY]);
        let beyond = read(tiff(&[(0x010F, 2, u32::MAX, [0xFF; 4]), (0x0112, 3, 1, [0, 3, 0, 0])], &[], &[]));
        assert_eq!(beyond.1, [flags::EXIF_MALFORMED]);
        assert_eq!(beyond.0.unwrap().orientation, Some(3));
        for bad in [&b""[..], b"MM", b"MM\0*\xFF\xFF\xFF\xFF", b"XX*\0\0\0\0\x08"] {
            let (exif, found) = read(bad.to_vec());
            assert!(exif.is_none() && found == [flags::EXIF_MALFORMED], "{bad:?} {found:?}");
        }
    }

    #[test]
    fn texts_are_cut_and_cleaned() {
        let text = |bytes: &[u8]| text_of(&Value::Ascii(vec![bytes.to_vec()]));
        assert_eq!(text(b"  HMD\x07 Global "), Some("HMD Global".into()));
        assert_eq!(text(b""), None);
        assert_eq!(text(b"\xFF\xFE"), Some("\u{FFFD}\u{FFFD}".into()));
        assert!(text(&[b'x'; 1_000]).unwrap().len() <= EXIF_TEXT_MAX_BYTES);
        assert_eq!(text_of(&Value::Ascii(Vec::new())), None);
    }
}
