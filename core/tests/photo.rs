//! Photographs as they come: broken, turned, huge, disguised. Each is evidence; what a reader dislikes costs the
//! smaller copies at most.
#![allow(clippy::unwrap_used, clippy::type_complexity, reason = "tests may stop loudly, their helpers too")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use support::{EVENING_MS, enrolled, open, place};
use yenban_core::app::{CaptureStart, KeepOpen, PhotoInfo, Report, Shutter};
use yenban_core::clock::VirtualClock;
use yenban_core::{ErrorKind, Phone};
use yenban_protocol::record::{Declared, PreviewKind};

const PIN: &str = "739168";

fn clock() -> Arc<VirtualClock> {
    VirtualClock::starting_at(EVENING_MS)
}

/// Real photographs beside the repository, if they are there.
fn real_photos() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos");
    let Ok(listing) = std::fs::read_dir(&folder) else {
        println!("skipped: no real photographs at {}", folder.display());
        return Vec::new();
    };
    let mut photos: Vec<PathBuf> =
        listing.flatten().map(|item| item.path()).filter(|p| p.extension().is_some_and(|e| e == "jpg")).collect();
    photos.sort();
    photos
}

fn info(phone: &mut Phone, id: &str) -> PhotoInfo {
    phone.photos(None).unwrap().into_iter().find(|p| p.id == id).unwrap()
}

fn preview(phone: &mut Phone, id: &str, kind: PreviewKind) -> Vec<u8> {
    let mut out = Vec::new();
    phone.open_preview(id, kind, &mut out).unwrap();
    out
}

fn import(phone: &mut Phone, dir: &Path, name: &str, bytes: &[u8]) -> Result<String, yenban_core::Error> {
    let path = dir.join(name);
    std::fs::write(&path, bytes).unwrap();
    phone.capture_photo(&path, None, false)
}

/// A JPEG of `width` x `height` with a bright corner at the top left, stored upright.
fn jpeg(width: u16, height: u16, progressive: bool) -> Vec<u8> {
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            let corner = x < u32::from(width) / 4 && y < u32::from(height) / 4;
            let shade = ((x * 7 + y * 13) % 64) as u8;
            pixels.extend(if corner { [250, 20, 20] } else { [20, shade, 200] });
        }
    }
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, 85);
    encoder.set_progressive(progressive);
    encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    out
}

/// The same with an EXIF orientation.
fn turned(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut out = vec![0xFF, 0xD8, 0xFF, 0xE1];
    out.extend((exif.len() as u16 + 2).to_be_bytes());
    out.extend(exif);
    out.extend(&jpeg[2..]);
    out
}

/// Pixels of a JPEG: width, height, and whether the corner at the given place is the bright one.
fn decoded(bytes: &[u8]) -> (usize, usize, Vec<u8>) {
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    let pixels = decoder.decode().unwrap();
    let info = decoder.info().unwrap();
    (info.width.into(), info.height.into(), pixels)
}

#[test]
fn every_real_photograph_is_kept_bit_by_bit_with_copies_or_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    let show = std::env::var_os("YENBAN_SHOW_PREVIEWS").map(PathBuf::from);
    for path in real_photos() {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let id = phone.capture_photo(&path, None, true).unwrap();
        let mut out = Vec::new();
        phone.open_photo(&id, &mut out).unwrap();
        assert!(out == std::fs::read(&path).unwrap(), "{name}");
        let info = info(&mut phone, &id);
        println!(
            "{name}: {:?} {:?} {:?}",
            info.flags,
            info.previews_missing,
            info.previews.iter().map(|p| (p.width_px, p.height_px, p.size_bytes)).collect::<Vec<_>>()
        );
        assert_eq!(info.previews.is_empty(), info.previews_missing.is_some(), "{name}");
        for kind in [PreviewKind::Preview, PreviewKind::Thumbnail] {
            if info.previews.is_empty() {
                continue;
            }
            let copy = preview(&mut phone, &id, kind);
            let (width, height, _) = decoded(&copy);
            assert!(width.max(height) <= kind.longest_px() as usize, "{name}");
            // Stripped: no EXIF, no XMP, no comment.
            for mark in [&b"Exif"[..], b"http://ns.adobe.com", b"Photoshop"] {
                assert!(!copy.windows(mark.len()).any(|w| w == mark), "{name}");
            }
            // A phone of HMD writes its place in signed numbers.
            assert!(!info.flags.contains(&"gps_invalid".to_owned()), "{name}");
            // Upright: the pictures are called by their shape and the orientation they are stored in.
            match name.split('_').next() {
                Some("landscape") => assert!(width > height, "{name}"),
                Some("portrait") => assert!(height > width, "{name}"),
                _ => {}
            }
            if let Some(show) = &show {
                std::fs::write(show.join(format!("{}-{name}", kind.code())), &copy).unwrap();
            }
        }
    }
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty(), "{:?}", check.faults);
}

#[test]
fn every_orientation_is_shown_upright() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    let stored = jpeg(320, 200, false);
    // Where the bright corner, stored at the top left, is to be seen: right?, bottom?
    for (orientation, right, bottom) in [
        (1, false, false),
        (2, true, false),
        (3, true, true),
        (4, false, true),
        (5, false, false),
        (6, true, false),
        (7, true, true),
        (8, false, true),
    ] {
        let id = import(&mut phone, dir.path(), "a.jpg", &turned(&stored, orientation)).unwrap();
        let (width, height, pixels) = decoded(&preview(&mut phone, &id, PreviewKind::Preview));
        assert_eq!((width, height), if orientation < 5 { (320, 200) } else { (200, 320) }, "{orientation}");
        for (at_right, at_bottom) in [(false, false), (true, false), (false, true), (true, true)] {
            let (x, y) = (if at_right { width - 10 } else { 10 }, if at_bottom { height - 10 } else { 10 });
            let red = pixels[(y * width + x) * 3];
            assert_eq!(red > 150, (at_right, at_bottom) == (right, bottom), "{orientation} {at_right} {at_bottom} {red}");
        }
    }
    // B-018: what is no orientation counts as upright; what the camera software said counts where the file says nothing.
    for strange in [0, 9, 255] {
        let id = import(&mut phone, dir.path(), "a.jpg", &turned(&stored, strange)).unwrap();
        assert_eq!(decoded(&preview(&mut phone, &id, PreviewKind::Thumbnail)).0, 256);
    }
    let capture = phone.begin_capture(&CaptureStart { from_camera: true, ..CaptureStart::default() }).unwrap();
    std::fs::write(&capture.path, &stored).unwrap();
    let declared = Declared { rotation_deg: Some(90), ..Declared::default() };
    let id = phone.finish_capture(&capture.id, &Shutter { declared: Some(declared), ..Shutter::default() }).unwrap();
    assert_eq!(decoded(&preview(&mut phone, &id, PreviewKind::Preview)).0, 200);
}

#[test]
fn broken_and_hostile_files_are_evidence_with_a_flag_or_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    let whole = jpeg(640, 480, false);
    let scans = {
        let progressive = jpeg(64, 64, true);
        let body = progressive.len() - 2;
        let last = progressive[..body].windows(2).rposition(|w| w == [0xFF, 0xDA]).unwrap();
        let mut out = progressive[..body].to_vec();
        (0..10_000).for_each(|_| out.extend(&progressive[last..body]));
        out.extend([0xFF, 0xD9]);
        out
    };
    let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\x01\0\0\0\x01\0\0\x08\x06\0\0\0\0\0\0\0".to_vec();
    let endless = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR\0\0\0\x10\0\0\0\x10\x08\x02\0\0\0\0\0\0\0\xFF\xFF\xFF\xFFIDATabc".to_vec();
    let motion = [&whole[..], b"\0\0\0\x18ftypmp42", &[7; 5_000]].concat();
    let cases: [(&str, &str, Vec<u8>, &[&str], Option<&str>); 8] = [
        ("B-002 cut in the scan", "a.jpg", whole[..whole.len() * 2 / 3].to_vec(), &["truncated"], Some("truncated")),
        ("B-002 cut in the header", "a.jpg", whole[..60].to_vec(), &["truncated"], Some("truncated")),
        ("B-004 PNG bomb", "a.png", bomb, &["truncated"], Some("truncated")),
        ("B-006 endless PNG chunk", "a.png", endless, &["truncated"], Some("truncated")),
        ("B-016 ten thousand scans", "a.jpg", scans, &["too_many_scans"], Some("too_many_scans")),
        ("B-022 motion photo", "a.jpg", motion, &["trailing_data"], None),
        ("another type than its name", "a.png", whole.clone(), &["type_differs"], None),
        ("nobody knows what", "a.raw", vec![7; 70_000], &[], Some("not_an_image")),
    ];
    for (what, name, bytes, flags, missing) in cases {
        let id = import(&mut phone, dir.path(), name, &bytes).unwrap();
        let info = info(&mut phone, &id);
        assert_eq!(
            (info.flags.as_slice(), info.previews_missing.as_deref()),
            (&flags.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()[..], missing),
            "{what}"
        );
        let mut out = Vec::new();
        phone.open_photo(&id, &mut out).unwrap();
        assert!(out == bytes, "{what}");
        if missing.is_none() {
            assert!(preview(&mut phone, &id, PreviewKind::Preview).ends_with(&[0xFF, 0xD9]), "{what}");
        }
    }
}

#[test]
fn what_is_surely_no_picture_is_not_imported_but_a_camera_is_never_asked() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    // B-014.
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>";
    for (name, bytes, what) in [
        ("a.jpg", &svg[..], "SVG"),
        ("b.jpg", b"<!DOCTYPE html><p>", "HTML"),
        ("c.jpg", b"%PDF-1.7\n", "PDF"),
        ("d.jpg", b"PK\x03\x04zip", "ZIP"),
        ("e.jpg", b"\x7FELF\x02", "ELF"),
    ] {
        let error = import(&mut phone, dir.path(), name, bytes).unwrap_err();
        assert!(error.kind() == ErrorKind::Invalid && error.to_string().ends_with(what), "{error}");
    }
    assert_eq!(phone.status().unwrap().evidence_captured, 0);
    let id = phone.capture_photo(&dir.path().join("a.jpg"), None, true).unwrap();
    assert_eq!(info(&mut phone, &id).previews_missing.as_deref(), Some("not_an_image"));
}

#[test]
fn large_pictures_fit_the_memory_for_previews_or_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    let id = import(&mut phone, dir.path(), "a.jpg", &jpeg(4_800, 3_200, true)).unwrap();
    let progressive = info(&mut phone, &id);
    assert_eq!((progressive.previews.len(), progressive.previews_missing), (2, None));
    // 48 megapixels by their header alone.
    let mut large = jpeg(64, 48, true);
    let frame = large.windows(2).position(|w| w == [0xFF, 0xC2]).unwrap();
    large[frame + 5..frame + 9].copy_from_slice(&[0x17, 0x70, 0x1F, 0x40]);
    let id = import(&mut phone, dir.path(), "a.jpg", &large).unwrap();
    assert_eq!(info(&mut phone, &id).previews_missing.as_deref(), Some("progressive_too_large"));
}

#[test]
fn png_and_webp_have_previews_on_white() {
    let dir = tempfile::tempdir().unwrap();
    let mut phone = enrolled(&dir.path().join("store"), &clock());
    let picture = image::RgbaImage::from_fn(2_000, 1_000, |x, _| image::Rgba(if x < 1_000 { [0, 160, 0, 255] } else { [0, 0, 0, 0] }));
    for (name, format) in [("a.png", image::ImageFormat::Png), ("a.webp", image::ImageFormat::WebP)] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        let id = import(&mut phone, dir.path(), name, bytes.get_ref()).unwrap();
        let (width, height, pixels) = decoded(&preview(&mut phone, &id, PreviewKind::Preview));
        assert_eq!((width, height), (1_600, 800));
        assert!(pixels[300 * 3 + 1] > 120 && pixels[300 * 3] < 40, "{name}");
        assert!(pixels[1_500 * 3..1_500 * 3 + 3].iter().all(|c| *c > 240), "{name}");
    }
}

#[test]
fn sensor_values_are_frozen_when_the_capture_begins_and_when_the_shutter_closes() {
    let dir = tempfile::tempdir().unwrap();
    let clock = clock();
    let mut phone = enrolled(&dir.path().join("store"), &clock);
    let fire = Report { kind: "fire".into(), urgent: true, statements: vec![], place: None, photos: 1 };
    let incident = phone.report(&fire).unwrap();
    phone.set_pin(PIN).unwrap();
    phone.lock().unwrap();
    let start = CaptureStart { subject: Some(incident.clone()), from_camera: true, place: Some(place(40)), heading_cdeg: Some(9_000) };
    let capture = phone.begin_capture(&start).unwrap();
    assert_eq!(phone.captures().unwrap(), std::slice::from_ref(&capture));
    clock.advance_ms(4_000);
    std::fs::write(&capture.path, jpeg(64, 64, false)).unwrap();
    let id = phone.finish_capture(&capture.id, &Shutter::default()).unwrap();
    assert!(!capture.path.exists() && phone.captures().unwrap().is_empty());
    assert_eq!(phone.finish_capture(&capture.id, &Shutter::default()).unwrap_err().kind(), ErrorKind::Invalid);
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    let photo = info(&mut phone, &id);
    assert_eq!((photo.subject, photo.at_ms, photo.previews.len()), (Some(incident), EVENING_MS + 4_000, 2));
    for wrong in [
        CaptureStart { heading_cdeg: Some(36_000), ..CaptureStart::default() },
        CaptureStart { subject: Some("0011223344556677:9".into()), ..CaptureStart::default() },
    ] {
        assert_eq!(phone.begin_capture(&wrong).unwrap_err().kind(), ErrorKind::Invalid);
    }
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.verified == check.entries, "{check:?}");
}

#[test]
fn a_capture_is_cancelled_or_found_again_after_the_program_ended() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = (dir.path().join("store"), clock());
    let mut phone = enrolled(&store, &clock);
    let begin = |phone: &mut Phone| {
        phone.begin_capture(&CaptureStart { from_camera: true, place: Some(place(7)), ..CaptureStart::default() }).unwrap()
    };
    let known = jpeg(48, 48, false);
    import(&mut phone, dir.path(), "known.jpg", &known).unwrap();
    let cancelled = begin(&mut phone);
    std::fs::write(&cancelled.path, b"half").unwrap();
    phone.cancel_capture(&cancelled.id).unwrap();
    assert!(!cancelled.path.exists());
    assert!(phone.cancel_capture(&cancelled.id).is_err());
    let (taken, never, empty) = (begin(&mut phone), begin(&mut phone), begin(&mut phone));
    let bytes = jpeg(320, 240, false);
    std::fs::write(&taken.path, &bytes).unwrap();
    std::fs::write(&empty.path, b"").unwrap();
    assert!(phone.finish_capture(&empty.id, &Shutter::default()).is_err() && phone.finish_capture(&never.id, &Shutter::default()).is_err());
    assert_eq!(phone.captures().unwrap().len(), 3);
    drop(phone);
    // One whose entry is there, and one that nobody knows: the first goes, the second is taken in.
    std::fs::write(store.join("capturing/left-by-a-finished-capture"), &known).unwrap();
    std::fs::write(store.join("capturing/left-by-nobody"), b"x").unwrap();
    clock.advance_ms(60_000);
    let mut phone = open(&store, &clock);
    assert!(phone.captures().unwrap().is_empty());
    assert_eq!(std::fs::read_dir(store.join("capturing")).unwrap().count(), 0);
    let photos: Vec<_> = phone.photos(None).unwrap().into_iter().filter(|photo| photo.recovered).collect();
    assert_eq!((photos.len(), phone.status().unwrap().evidence_captured), (2, 3));
    assert!(photos.iter().all(|photo| photo.from_camera));
    assert_eq!(photos[1].previews.len(), 2);
    for (photo, expected) in photos.iter().zip([&b"x"[..], &bytes]) {
        let mut out = Vec::new();
        phone.open_photo(&photo.id, &mut out).unwrap();
        assert_eq!(out, expected);
    }
}

#[test]
fn a_sealed_file_without_a_name_is_told_by_check_and_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (store, clock) = (dir.path().join("store"), clock());
    let mut phone = enrolled(&store, &clock);
    let id = import(&mut phone, dir.path(), "a.jpg", &jpeg(64, 64, false)).unwrap();
    let orphan = store.join("objects").join("ab".repeat(32));
    std::fs::write(&orphan, b"x").unwrap();
    drop(phone);
    let mut phone = open(&store, &clock);
    let check = phone.check().unwrap();
    assert!(check.faults.is_empty() && check.unnamed.len() == 1 && check.unnamed[0].contains(&"ab".repeat(32)), "{check:?}");
    assert_eq!(std::fs::read_dir(store.join("objects")).unwrap().count(), 4);
    std::fs::read_dir(store.join("objects")).unwrap().flatten().for_each(|file| std::fs::remove_file(file.path()).unwrap());
    let faults = phone.check().unwrap().faults;
    assert!(faults.len() == 3 && faults.iter().any(|f| f.starts_with(&id)), "{faults:?}");
}

/// A spool that lost its end, as after a flipped bit in its write-ahead log, with and without a vault that knows better.
#[test]
fn a_spool_that_lost_its_end_costs_no_sealed_photograph() {
    for locked in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let (store, clock) = (dir.path().join("store"), clock());
        let mut phone = enrolled(&store, &clock);
        import(&mut phone, dir.path(), "a.jpg", &jpeg(64, 64, false)).unwrap();
        phone.set_pin(PIN).unwrap();
        drop(phone);
        let spool = |name: &str| store.join(format!("spool.db{name}"));
        let copy = |name: &str| dir.path().join(format!("spool{name}"));
        let there: Vec<&str> = ["", "-wal"].into_iter().filter(|name| spool(name).exists()).collect();
        for name in &there {
            std::fs::copy(spool(name), copy(name)).unwrap();
        }
        let mut phone = open(&store, &clock);
        if !locked {
            phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
        }
        let taken = jpeg(80, 48, false);
        import(&mut phone, dir.path(), "b.jpg", &taken).unwrap();
        let sealed = std::fs::read_dir(store.join("objects")).unwrap().count();
        drop(phone);
        for name in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(spool(name));
        }
        for name in &there {
            std::fs::copy(copy(name), spool(name)).unwrap();
        }
        for _ in 0..3 {
            let mut phone = open(&store, &clock);
            phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
            phone.make_previews(9).unwrap();
            let report = Report { kind: "fire".into(), urgent: true, statements: vec![], place: None, photos: 0 };
            phone.report(&report).unwrap();
            assert_eq!(std::fs::read_dir(store.join("objects")).unwrap().count(), sealed, "locked: {locked}");
            // With a vault that knows better it is a fault; else it is told.
            let check = phone.check().unwrap();
            let told = if locked { &check.unnamed } else { &check.faults };
            assert_eq!(told.iter().filter(|line| line.contains("does not name")).count(), sealed - 3, "{check:?}");
        }
    }
}
