//! Photographs: what a file is and says, how it is sealed, and the smaller copies of it.
//!
//! The bytes that the camera gave are the evidence; they are hashed and sealed in one pass ([`seal`]) and never
//! refused because a reader dislikes them. What is remarkable about them becomes a flag, and what cannot be decoded
//! has no previews, with the reason.

pub(crate) mod ahead;
mod exif;
mod format;
mod halves;
mod jpeg;
pub(crate) mod look;
pub(crate) mod preview;
pub(crate) mod seal;

use yenban_protocol::record::{Act, Declared, Exif, Position, Previews, Record};
use yenban_protocol::text::degrees::LatLon;

use crate::error::Result;
use crate::limits::GPS_CONFLICT_M;
use crate::patrol::time_of;
use crate::place::distance_m;
use crate::store::Key;
use crate::store::vault::{PhotoRow, PreviewRow, Vault};

use look::{Format, Seen};
pub(crate) use seal::object_path;

/// What is remarkable about a file, as it stands in the log.
pub(crate) mod flags {
    /// The picture has no end: the camera was killed, the card was full.
    pub(crate) const TRUNCATED: &str = "truncated";
    /// Something follows the picture: the video of a motion photo, a second picture.
    pub(crate) const TRAILING_DATA: &str = "trailing_data";
    /// The EXIF cannot be read, or not to its end.
    pub(crate) const EXIF_MALFORMED: &str = "exif_malformed";
    /// The EXIF has more entries than a camera writes; none was read.
    pub(crate) const EXIF_TOO_MANY: &str = "exif_too_many";
    /// The place in the EXIF is none on earth; it was not taken over.
    pub(crate) const GPS_INVALID: &str = "gps_invalid";
    /// The place in the EXIF is far from the device's own; both are kept.
    pub(crate) const GPS_CONFLICT: &str = "gps_conflict";
    /// The first bytes say another type than the camera software or the file's name.
    pub(crate) const TYPE_DIFFERS: &str = "type_differs";
    /// A progressive picture has more scans than an encoder makes.
    pub(crate) const TOO_MANY_SCANS: &str = "too_many_scans";
}

/// What goes into the log of what was seen.
#[derive(Debug, Default)]
pub(crate) struct Judged {
    pub media_type: String,
    pub exif: Option<Exif>,
    pub flags: Vec<String>,
}

/// Judges a file by its own bytes, by what was said of it and by where the device was.
pub(crate) fn judge(seen: &Seen, declared: Option<&Declared>, name: Option<&str>, position: Option<&Position>) -> Judged {
    let (exif, mut flags) = match &seen.exif {
        Some(tiff) => exif::read(tiff.clone()),
        None => (None, Vec::new()),
    };
    let media_type = seen.format.media_type();
    let said = declared.and_then(|d| d.media_type.as_deref()).or_else(|| name.and_then(type_of_name));
    let far = |place: (i32, i32)| position.is_some_and(|position| conflicts(place, position));
    let remarks = [
        (flags::TRUNCATED, seen.truncated),
        (flags::TRAILING_DATA, seen.trailing),
        (flags::TOO_MANY_SCANS, seen.scans > crate::limits::PREVIEW_SCANS_MAX),
        (flags::TYPE_DIFFERS, said.is_some_and(|said| !said.eq_ignore_ascii_case(media_type))),
        (flags::GPS_CONFLICT, exif.as_ref().and_then(|exif| exif.place_e7).is_some_and(far)),
    ];
    flags.extend(remarks.into_iter().filter(|(_, holds)| *holds).map(|(flag, _)| flag));
    Judged { media_type: media_type.to_owned(), exif, flags: flags.into_iter().map(str::to_owned).collect() }
}

/// Whether a file that is brought in is surely something else than a picture: what it is then. A camera's file is
/// never asked.
pub(crate) fn no_picture(start: &[u8]) -> Option<&'static str> {
    match Format::of(start) {
        Format::NoPicture(what) => Some(what),
        _ => None,
    }
}

fn type_of_name(name: &str) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once('.')?;
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => Some("image/jpeg"),
        "png" => Some("image/png"),
        "webp" => Some("image/webp"),
        "heic" => Some("image/heic"),
        "gif" => Some("image/gif"),
        _ => None,
    }
}

fn conflicts(place: (i32, i32), position: &Position) -> bool {
    let own = LatLon::from_e7(position.lat_e7, position.lon_e7);
    let theirs = LatLon::from_e7(place.0, place.1);
    let accuracy_m = f64::from(position.accuracy_cm.unwrap_or(0)) / 100.0;
    own.ok().zip(theirs.ok()).is_some_and(|(own, theirs)| distance_m(own, theirs) > GPS_CONFLICT_M + accuracy_m)
}

/// Follows a photograph or its smaller copies into the vault; anything else is left alone.
pub(crate) fn project(
    vault: &Vault,
    key: Key,
    record: &Record,
    key_of: &dyn Fn(yenban_protocol::id::EntryName) -> Result<Option<Key>>,
) -> Result<()> {
    match &record.act {
        Act::PhotoCaptured { subject, photo: Some(photo) } => {
            let subject = subject.map(key_of).transpose()?.flatten();
            vault.put_photo(&PhotoRow {
                key,
                subject,
                at_ms: time_of(&record.common).at_ms,
                sha256: photo.sha256,
                size_bytes: photo.size_bytes,
                sealed_sha256: photo.sealed_sha256,
                sealed_size_bytes: photo.sealed_size_bytes,
                media_type: &photo.media_type,
                from_camera: photo.from_camera,
                original_name: photo.original_name.as_deref(),
                flags: &photo.flags.join(" "),
                recovered: photo.recovered,
                turn: turn_of(photo.exif.as_ref(), photo.declared.as_ref()),
            })
        }
        Act::PreviewsMade { photo, previews: Some(previews) } => match key_of(*photo)? {
            Some(photo) => project_previews(vault, photo, previews),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}

fn project_previews(vault: &Vault, photo: Key, previews: &Previews) -> Result<()> {
    for preview in &previews.made {
        vault.put_preview(&PreviewRow {
            photo,
            kind: preview.kind.code(),
            sha256: preview.sha256,
            size_bytes: preview.size_bytes,
            sealed_sha256: preview.sealed_sha256,
            size_px: preview.size_px,
        })?;
    }
    vault.settle_previews(photo, previews.missing.as_deref().unwrap_or(""))
}

/// How a picture is turned upright, as an EXIF orientation: by the file, else by what the camera software said.
pub(crate) fn turn_of(exif: Option<&Exif>, declared: Option<&Declared>) -> u8 {
    let of_file = exif.and_then(|exif| exif.orientation).and_then(|n| u8::try_from(n).ok());
    of_file.unwrap_or(match declared.and_then(|d| d.rotation_deg) {
        Some(90) => 6,
        Some(180) => 3,
        Some(270) => 8,
        _ => 1,
    })
}

#[cfg(test)]
mod tests {
    use yenban_protocol::record::Provider;

    use super::*;

    fn seen() -> Seen {
        let mut look = look::Look::default();
        look.feed(b"\xFF\xD8\xFF\xD9");
        look.end()
    }

    #[test]
    fn what_was_said_of_a_file_is_held_against_its_bytes() {
        let declared = |media_type: &str| Declared { media_type: Some(media_type.into()), ..Declared::default() };
        let flags = |declared: Option<&Declared>, name| judge(&seen(), declared, name, None).flags;
        assert_eq!(flags(Some(&declared("image/JPEG")), None), [""; 0]);
        assert_eq!(flags(Some(&declared("image/heic")), None), [flags::TYPE_DIFFERS]);
        assert_eq!(flags(None, Some("a.PNG")), [flags::TYPE_DIFFERS]);
        assert_eq!(flags(None, Some("a.jpeg")), [""; 0]);
        assert_eq!(flags(None, Some("jpeg")), [""; 0]);
    }

    #[test]
    fn a_place_far_from_the_device_is_a_conflict() {
        // B-012: two degrees north are some 220 km.
        let mut position = Position::new(206_601_200, 1_050_834_500, Provider::Network).unwrap();
        assert!(conflicts((226_601_200, 1_050_834_500), &position));
        assert!(!conflicts((210_000_000, 1_050_834_500), &position));
        position.accuracy_cm = Some(30_000_000);
        assert!(!conflicts((226_601_200, 1_050_834_500), &position));
    }
}
