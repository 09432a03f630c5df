//! What a picture may ask of a phone, with whole files (the readers of headers have tests of their own): what is refused
//! before anything is written, and what is evidence all the same, with a flag or a reason.
#![allow(clippy::unwrap_used, reason = "tests may stop loudly, their helpers too")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use support::{EVENING_MS, enrolled, place};
use yenban_core::app::{CaptureStart, PhotoInfo, Shutter};
use yenban_core::clock::VirtualClock;
use yenban_core::limits::{CAPTURES_MAX, EXIF_ENTRIES_MAX, PHOTO_MAX_BYTES, PREVIEW_SCANS_MAX, PREVIEW_WHOLE_FILE_MAX_BYTES};
use yenban_core::{ErrorKind, Phone};

/// An entry of a directory: (tag, type, count, value).
type Field = (u16, u16, u32, [u8; 4]);

fn jpeg(progressive: bool) -> Vec<u8> {
    let pixels: Vec<u8> = (0..64 * 48 * 3).map(|n| (n % 89) as u8).collect();
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 85);
    encoder.set_progressive(progressive);
    encoder.encode(&pixels, 64, 48, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// A picture with an EXIF block.
fn with_exif(tiff: &[u8]) -> Vec<u8> {
    let picture = jpeg(false);
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1];
    out.extend((tiff.len() as u16 + 8).to_be_bytes());
    out.extend(b"Exif\0\0");
    out.extend(tiff);
    out.extend(&picture[2..]);
    out
}

fn directory(fields: &[Field]) -> Vec<u8> {
    let mut out = (fields.len() as u16).to_be_bytes().to_vec();
    for (tag, kind, count, value) in fields {
        out.extend(tag.to_be_bytes());
        out.extend(kind.to_be_bytes());
        out.extend(count.to_be_bytes());
        out.extend(value);
    }
    out.extend([0; 4]);
    out
}

/// A place north and east, in whole degrees over `unit`.
fn at(lat: u32, lon: u32, unit: u32) -> Vec<u8> {
    let gps_at = 8 + 2 + 12 + 4;
    let values_at = gps_at + 2 + 4 * 12 + 4;
    let gps = [
        (1, 2, 2, *b"N\0\0\0"),
        (2, 5, 3, (values_at as u32).to_be_bytes()),
        (3, 2, 2, *b"E\0\0\0"),
        (4, 5, 3, (values_at as u32 + 24).to_be_bytes()),
    ];
    let mut out = b"MM\0*\0\0\0\x08".to_vec();
    out.extend(directory(&[(0x8825, 4, 1, (gps_at as u32).to_be_bytes())]));
    out.extend(directory(&gps));
    for degrees in [lat, lon] {
        for part in [degrees, 0, 0] {
            out.extend(part.to_be_bytes());
            out.extend(unit.to_be_bytes());
        }
    }
    out
}

/// A directory that says it has `count` entries and has as many as fit.
fn crowded(count: u16) -> Vec<u8> {
    let mut out = b"MM\0*\0\0\0\x08".to_vec();
    out.extend(count.to_be_bytes());
    (0..count.min(5_000)).for_each(|_| out.extend([0x01, 0x0F, 0, 2, 0, 0, 0, 2, b'H', 0, 0, 0]));
    out.extend([0; 4]);
    out
}

fn png(size_px: u32, filler: usize) -> Vec<u8> {
    let mut small = std::io::Cursor::new(Vec::new());
    image::RgbaImage::new(4, 4).write_to(&mut small, image::ImageFormat::Png).unwrap();
    let small = small.into_inner();
    let mut out = small[..33].to_vec();
    out[16..24].copy_from_slice(&[size_px.to_be_bytes(), size_px.to_be_bytes()].concat());
    if filler > 0 {
        // A chunk that every reader passes over; the sum of it is looked at by none.
        out.extend((filler as u32).to_be_bytes());
        out.extend(b"fiLl");
        out.extend(std::iter::repeat_n(0, filler + 4));
    }
    out.extend(&small[33..]);
    out
}

/// Takes a photograph with the device's own place and gives what is known of it; its bytes are kept.
fn taken(phone: &mut Phone, bytes: &[u8]) -> PhotoInfo {
    let start = CaptureStart { from_camera: true, place: Some(place(4)), ..CaptureStart::default() };
    let capture = phone.begin_capture(&start).unwrap();
    std::fs::write(&capture.path, bytes).unwrap();
    let began = Instant::now();
    let id = phone.finish_capture(&capture.id, &Shutter::default()).unwrap();
    assert!(began.elapsed() < Duration::from_secs(60));
    let mut out = Vec::new();
    phone.open_photo(&id, &mut out).unwrap();
    assert!(out == bytes);
    phone.photos(None).unwrap().into_iter().find(|photo| photo.id == id).unwrap()
}

fn flags(photo: &PhotoInfo) -> Vec<&str> {
    photo.flags.iter().map(String::as_str).collect()
}

fn phone(dir: &Path) -> Phone {
    enrolled(&dir.join("store"), &VirtualClock::starting_at(EVENING_MS))
}

#[test]
fn what_a_file_says_of_itself_costs_its_facts_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(dir.path());
    for (what, tiff, expected) in [
        ("as many entries as there may be", crowded(EXIF_ENTRIES_MAX as u16), &[][..]),
        ("B-008 one more", crowded(EXIF_ENTRIES_MAX as u16 + 1), &["exif_too_many"]),
        ("B-008 65,535 entries", crowded(u16::MAX), &["exif_too_many"]),
        ("here", at(20, 105, 1), &[]),
        ("B-010 91 degrees north", at(91, 105, 1), &["gps_invalid"]),
        ("B-010 181 degrees east", at(20, 181, 1), &["gps_invalid"]),
        ("B-010 a part of nothing", at(20, 105, 0), &["gps_invalid"]),
        ("B-012 two degrees south of the device", at(18, 105, 1), &["gps_conflict"]),
    ] {
        let photo = taken(&mut phone, &with_exif(&tiff));
        // The device stands north of 20 degrees, less than two thirds of a degree away.
        let found: Vec<&str> = flags(&photo).into_iter().filter(|flag| what != "here" || *flag != "gps_conflict").collect();
        assert_eq!((found.as_slice(), photo.previews.len()), (expected, 2), "{what}");
    }
}

#[test]
fn pictures_that_ask_for_too_much_are_kept_and_not_decoded() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(dir.path());
    let mut huge = jpeg(false);
    let frame = huge.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    huge[frame + 5..frame + 9].copy_from_slice(&[0xFF; 4]);
    let with_scans = |scans: u32| {
        let picture = jpeg(true);
        let body = picture.len() - 2;
        let mark = |w: &[u8]| w == [0xFF, 0xDA];
        let has = picture[..body].windows(2).filter(|w| mark(w)).count() as u32;
        let last = picture[..body].windows(2).rposition(mark).unwrap();
        let mut out = picture[..body].to_vec();
        (has..scans).for_each(|_| out.extend(&picture[last..body]));
        out.extend([0xFF, 0xD9]);
        out
    };
    let filler = PREVIEW_WHOLE_FILE_MAX_BYTES as usize;
    for (what, bytes, missing) in [
        // Its header's sum is wrong too, which the decoder says first; the bound itself is tested with headers.
        ("B-004 a PNG of 60,000 by 60,000", png(60_000, 0), Some("not_decodable")),
        ("a JPEG of 65,535 by 65,535", huge, Some("too_large")),
        ("B-016 one scan too many", with_scans(PREVIEW_SCANS_MAX + 1), Some("too_many_scans")),
        ("a PNG that would be held in memory whole", png(4, filler), Some("too_large")),
    ] {
        let photo = taken(&mut phone, &bytes);
        assert_eq!((photo.previews.len(), photo.previews_missing.as_deref()), (0, missing), "{what}");
    }
    assert_ne!(taken(&mut phone, &with_scans(PREVIEW_SCANS_MAX)).previews_missing.as_deref(), Some("too_many_scans"));
}

#[test]
fn too_large_a_file_and_too_many_captures_are_refused_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = phone(dir.path());
    let large = dir.path().join("large.jpg");
    // Without a byte on the disk.
    std::fs::File::create(&large).unwrap().set_len(PHOTO_MAX_BYTES + 1).unwrap();
    assert_eq!(phone.check_photo(&large).unwrap_err().kind(), ErrorKind::Invalid);
    for from_camera in [false, true] {
        let error = phone.capture_photo(&large, None, from_camera).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().contains("larger than"), "{error}");
    }
    assert!(std::fs::read_dir(dir.path().join("store/objects")).map_or(0, Iterator::count) == 0);
    let begin = |phone: &mut Phone| phone.begin_capture(&CaptureStart::default());
    let captures: Vec<_> = (0..CAPTURES_MAX).map(|_| begin(&mut phone).unwrap()).collect();
    assert_eq!(begin(&mut phone).unwrap_err().kind(), ErrorKind::Invalid);
    phone.cancel_capture(&captures[0].id).unwrap();
    begin(&mut phone).unwrap();
    assert_eq!(phone.status().unwrap().evidence_captured, 0);
}
