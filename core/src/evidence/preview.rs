//! The smaller copies: 1,600 and 256 pixels on the longest side, upright, without metadata.
//!
//! The decoder works in a thread-safe corner: what a header promises is weighed before a pixel is decoded, and a
//! decoder that stops with a panic costs the previews, not the capture. Budgets are counted in bytes, pixels and scans
//! rather than in seconds, so that the same file has the same answer on every phone. Of metadata only a small colour
//! profile stays, without which a wide-gamut picture would be shown in wrong colours; sRGB needs none.

use std::io::{BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use image::{DynamicImage, ImageDecoder, ImageReader};
use yenban_protocol::record::PreviewKind;

use super::look::{Format, Frame, Seen};
use super::{halves, jpeg};
use crate::limits::{
    PREVIEW_MEMORY_BYTES, PREVIEW_PIXELS_MAX, PREVIEW_PROFILE_MAX_BYTES, PREVIEW_SCANNED_PIXELS_MAX, PREVIEW_SCANS_MAX,
    PREVIEW_WHOLE_FILE_MAX_BYTES,
};

/// What made the copies, as it stands in the log.
pub(crate) const TOOL: &str = concat!("yenban ", env!("CARGO_PKG_VERSION"), ": scaled DCT, Lanczos3, JPEG q80 4:2:0");

/// Why there are no previews, as it stands in the log.
pub(crate) mod reasons {
    /// Nothing is known of these bytes.
    pub(crate) const NOT_AN_IMAGE: &str = "not_an_image";
    /// A picture, but of a kind that this phone does not decode.
    pub(crate) const FORMAT: &str = "format_unsupported";
    /// More pixels or bytes than the memory for previews holds.
    pub(crate) const TOO_LARGE: &str = "too_large";
    /// A progressive JPEG whose coefficients alone are too much.
    pub(crate) const PROGRESSIVE: &str = "progressive_too_large";
    /// More scans than an encoder makes.
    pub(crate) const SCANS: &str = "too_many_scans";
    /// The file ends inside the picture.
    pub(crate) const TRUNCATED: &str = "truncated";
    /// Four colours, as for print.
    pub(crate) const COLOURS: &str = "colours_unsupported";
    /// The decoder gave up.
    pub(crate) const NOT_DECODABLE: &str = "not_decodable";
    /// The decoder ended the program again and again.
    pub(crate) const DECODER_DIED: &str = "decoder_died";
}

/// A smaller copy, encoded.
pub(crate) struct Copy {
    pub kind: PreviewKind,
    pub jpeg: Vec<u8>,
    pub size_px: (u32, u32),
}

/// Pixels, rows from the top, one byte a channel.
pub(super) struct Pixels {
    pub width: u32,
    pub height: u32,
    /// 1 for grey, 3 for red, green and blue.
    pub channels: u8,
    pub bytes: Vec<u8>,
    /// Colour profile, if it is one to keep.
    pub profile: Option<Vec<u8>>,
}

/// A picture at the size of the larger copy, as it lies in its file.
pub(crate) struct Shrunk(Pixels);

/// Makes both copies of a picture, turned by `turn` (an EXIF orientation), or says why not.
pub(crate) fn make(seen: &Seen, turn: u8, source: &mut (impl BufRead + Send)) -> Result<Vec<Copy>, &'static str> {
    match refusal(seen) {
        Some(reason) => Err(reason),
        None => finish(seen, turn, shrink(seen.format, source)),
    }
}

/// Whether the frame alone allows decoding before the rest of the file is known. Progressive files are weighed by their
/// scans, which are counted at the end.
pub(crate) fn may_begin(frame: &Frame) -> bool {
    !frame.progressive && pixels_of(frame) <= PREVIEW_PIXELS_MAX
}

/// Decodes a picture at the size of the larger copy.
pub(crate) fn shrink(format: Format, source: &mut (impl BufRead + Send)) -> Result<Shrunk, &'static str> {
    guarded(|| {
        let pixels = match format {
            Format::Jpeg => jpeg::decode(source, PreviewKind::Preview.longest_px())?,
            format => decode_whole(format, source)?,
        };
        let shrunk = smaller(&pixels, PreviewKind::Preview)?;
        Ok(Shrunk(shrunk.unwrap_or(pixels)))
    })
}

/// Makes both copies of what was decoded; what the whole file says has the last word.
pub(crate) fn finish(seen: &Seen, turn: u8, shrunk: Result<Shrunk, &'static str>) -> Result<Vec<Copy>, &'static str> {
    if let Some(reason) = refusal(seen) {
        return Err(reason);
    }
    let made = shrunk.and_then(|Shrunk(pixels)| guarded(|| make_both(pixels, turn)));
    if made.is_err() && seen.truncated { Err(reasons::TRUNCATED) } else { made }
}

/// Decoders are other people's code on hostile bytes. Nothing of ours is shared with them but the reader, which is
/// dropped after this, so nothing can be left half changed.
fn guarded<T>(work: impl FnOnce() -> Result<T, &'static str>) -> Result<T, &'static str> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Err(reasons::NOT_DECODABLE))
}

fn pixels_of(frame: &Frame) -> u64 {
    u64::from(frame.width) * u64::from(frame.height)
}

/// What the header alone rules out.
fn refusal(seen: &Seen) -> Option<&'static str> {
    match seen.format {
        Format::Unknown | Format::NoPicture(_) => return Some(reasons::NOT_AN_IMAGE),
        Format::OtherPicture(_) => return Some(reasons::FORMAT),
        Format::Png | Format::WebP => {
            if seen.truncated {
                return Some(reasons::TRUNCATED);
            }
            return (seen.size_bytes > PREVIEW_WHOLE_FILE_MAX_BYTES).then_some(reasons::TOO_LARGE);
        }
        Format::Jpeg => {}
    }
    let Some(frame) = seen.frame else {
        return Some(if seen.truncated { reasons::TRUNCATED } else { reasons::NOT_DECODABLE });
    };
    let pixels = pixels_of(&frame);
    if pixels > PREVIEW_PIXELS_MAX {
        return Some(reasons::TOO_LARGE);
    }
    if seen.scans > PREVIEW_SCANS_MAX {
        return Some(reasons::SCANS);
    }
    if frame.progressive && frame.coefficient_bytes > PREVIEW_MEMORY_BYTES * 3 / 4 {
        return Some(reasons::PROGRESSIVE);
    }
    (frame.progressive && pixels * u64::from(seen.scans) > PREVIEW_SCANNED_PIXELS_MAX).then_some(reasons::SCANS)
}

fn make_both(pixels: Pixels, turn: u8) -> Result<Vec<Copy>, &'static str> {
    let preview = upright(pixels, turn);
    let thumbnail = || {
        let small = smaller(&preview, PreviewKind::Thumbnail)?;
        let small = small.as_ref().unwrap_or(&preview);
        Ok((halves::write(small, || Ok(()))?.0, (small.width, small.height)))
    };
    let (jpeg, (small_jpeg, small_px)) = halves::write(&preview, thumbnail)?;
    let first = Copy { kind: PreviewKind::Preview, jpeg, size_px: (preview.width, preview.height) };
    Ok(vec![first, Copy { kind: PreviewKind::Thumbnail, jpeg: small_jpeg, size_px: small_px }])
}

/// PNG and WebP are decoded at full size: they are rare, they come from screens and messages.
fn decode_whole(format: Format, source: &mut impl BufRead) -> Result<Pixels, &'static str> {
    let mut file = Vec::new();
    source.take(PREVIEW_WHOLE_FILE_MAX_BYTES).read_to_end(&mut file).map_err(|_| reasons::NOT_DECODABLE)?;
    let format = if format == Format::Png { image::ImageFormat::Png } else { image::ImageFormat::WebP };
    let mut reader = ImageReader::with_format(std::io::Cursor::new(file), format);
    let mut limits = image::Limits::no_limits();
    limits.max_alloc = Some(PREVIEW_MEMORY_BYTES);
    (limits.max_image_width, limits.max_image_height) = (Some(32_768), Some(32_768));
    reader.limits(limits);
    let bad = |error: image::ImageError| match error {
        image::ImageError::Limits(_) => reasons::TOO_LARGE,
        _ => reasons::NOT_DECODABLE,
    };
    let mut decoder = reader.into_decoder().map_err(bad)?;
    let (width, height) = decoder.dimensions();
    // Its own pixels and the three bytes each that they become.
    let each = u64::from(decoder.color_type().bytes_per_pixel()) + 3;
    if u64::from(width) * u64::from(height) * each > PREVIEW_MEMORY_BYTES {
        return Err(reasons::TOO_LARGE);
    }
    let profile = decoder.icc_profile().ok().flatten().and_then(kept_profile);
    let picture = DynamicImage::from_decoder(decoder).map_err(bad)?;
    let bytes = match picture {
        DynamicImage::ImageRgb8(rgb) => rgb.into_raw(),
        picture if picture.color().has_alpha() => over_white(&picture),
        picture => picture.into_rgb8().into_raw(),
    };
    Ok(Pixels { width, height, channels: 3, bytes, profile })
}

/// JPEG knows no transparency; drawings are made to be seen on white.
fn over_white(picture: &DynamicImage) -> Vec<u8> {
    let mut out = Vec::with_capacity(picture.width() as usize * picture.height() as usize * 3);
    for pixel in image::GenericImageView::pixels(picture) {
        let [red, green, blue, alpha] = pixel.2.0.map(u32::from);
        out.extend([red, green, blue].map(|c| ((c * alpha + 255 * (255 - alpha)) / 255) as u8));
    }
    out
}

/// A profile worth its bytes: small, and not the one that is taken for granted.
pub(super) fn kept_profile(profile: Vec<u8>) -> Option<Vec<u8>> {
    let is_profile = profile.get(36..40) == Some(b"acsp") && profile.len() <= PREVIEW_PROFILE_MAX_BYTES;
    let ordinary = profile.windows(4).any(|w| w == b"sRGB");
    (is_profile && !ordinary).then_some(profile)
}

/// Sides of a picture whose longest is at most `longest`; never larger than it is.
pub(super) fn fit(width: u32, height: u32, longest: u32) -> (u32, u32) {
    let most = width.max(height);
    if most <= longest {
        return (width, height);
    }
    let side = |n: u32| ((u64::from(n) * u64::from(longest) + u64::from(most) / 2) / u64::from(most)).clamp(1, u64::from(longest)) as u32;
    (side(width), side(height))
}

/// The picture at the size of `kind`; `None` when it is that small already.
fn smaller(pixels: &Pixels, kind: PreviewKind) -> Result<Option<Pixels>, &'static str> {
    let (width, height) = fit(pixels.width, pixels.height, kind.longest_px());
    if (width, height) == (pixels.width, pixels.height) {
        return Ok(None);
    }
    let bytes = halves::scale(pixels, width, height)?;
    Ok(Some(Pixels { width, height, channels: pixels.channels, bytes, profile: pixels.profile.clone() }))
}

/// Turns and mirrors as an EXIF orientation says.
fn upright(pixels: Pixels, turn: u8) -> Pixels {
    if !(2..=8).contains(&turn) {
        return pixels;
    }
    let (width, height, channels) = (pixels.width as usize, pixels.height as usize, usize::from(pixels.channels));
    let swapped = turn >= 5;
    let (out_width, out_height) = if swapped { (height, width) } else { (width, height) };
    let mut bytes = Vec::with_capacity(pixels.bytes.len());
    for y in 0..out_height {
        for x in 0..out_width {
            let (from_x, from_y) = match turn {
                2 => (width - 1 - x, y),
                3 => (width - 1 - x, height - 1 - y),
                4 => (x, height - 1 - y),
                5 => (y, x),
                6 => (y, height - 1 - x),
                7 => (width - 1 - y, height - 1 - x),
                _ => (width - 1 - y, x),
            };
            let at = (from_y * width + from_x) * channels;
            bytes.extend_from_slice(&pixels.bytes[at..at + channels]);
        }
    }
    let (width, height) = if swapped { (pixels.height, pixels.width) } else { (pixels.width, pixels.height) };
    Pixels { width, height, bytes, ..pixels }
}

#[cfg(test)]
mod tests {
    use super::super::look::Look;
    use super::*;

    #[test]
    fn every_orientation_turns_the_same_picture_upright() {
        // Upright: 3 x 2, numbered 1 to 6 row by row. Stored as each orientation has it.
        let stored: [(u8, u32, u32, [u8; 6]); 8] = [
            (1, 3, 2, [1, 2, 3, 4, 5, 6]),
            (2, 3, 2, [3, 2, 1, 6, 5, 4]),
            (3, 3, 2, [6, 5, 4, 3, 2, 1]),
            (4, 3, 2, [4, 5, 6, 1, 2, 3]),
            (5, 2, 3, [1, 4, 2, 5, 3, 6]),
            (6, 2, 3, [3, 6, 2, 5, 1, 4]),
            (7, 2, 3, [6, 3, 5, 2, 4, 1]),
            (8, 2, 3, [4, 1, 5, 2, 6, 3]),
        ];
        for (turn, width, height, bytes) in stored {
            let out = upright(Pixels { width, height, channels: 1, bytes: bytes.to_vec(), profile: None }, turn);
            assert_eq!((out.width, out.height, out.bytes), (3, 2, vec![1, 2, 3, 4, 5, 6]), "{turn}");
        }
        let strange = upright(Pixels { width: 1, height: 2, channels: 1, bytes: vec![1, 2], profile: None }, 9);
        assert_eq!(strange.bytes, [1, 2]);
    }

    #[test]
    fn sides_keep_their_ratio_and_never_grow_or_vanish() {
        assert_eq!(fit(4_000, 3_000, 1_600), (1_600, 1_200));
        assert_eq!(fit(640, 480, 1_600), (640, 480));
        assert_eq!(fit(60_000, 3, 1_600), (1_600, 1));
        assert_eq!(fit(1, 65_535, 256), (1, 256));
    }

    fn reason(file: &[u8]) -> &'static str {
        let mut look = Look::default();
        look.feed(file);
        make(&look.end(), 1, &mut &file[..]).err().unwrap_or("")
    }

    fn header(sof: u8, width: u16, height: u16, scans: usize) -> Vec<u8> {
        let mut out = vec![0xFF, 0xD8, 0xFF, sof, 0, 17, 8];
        out.extend(height.to_be_bytes());
        out.extend(width.to_be_bytes());
        out.extend([3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1]);
        for _ in 0..scans {
            out.extend([0xFF, 0xDA, 0, 3, 9, 1]);
        }
        out.extend([0xFF, 0xD9]);
        out
    }

    #[test]
    fn headers_are_weighed_before_anything_is_decoded() {
        assert_eq!(reason(&header(0xC0, 65_000, 65_000, 1)), reasons::TOO_LARGE);
        assert_eq!(reason(&header(0xC2, 8_000, 6_000, 3)), reasons::PROGRESSIVE);
        // B-016.
        assert_eq!(reason(&header(0xC2, 100, 100, 10_000)), reasons::SCANS);
        assert_eq!(reason(&header(0xC2, 4_000, 3_000, 40)), reasons::SCANS);
        assert!([reasons::FORMAT, reasons::NOT_DECODABLE].contains(&reason(&header(0xC0, 0, 0, 1))));
        assert_eq!(reason(b"nho mua muoi"), reasons::NOT_AN_IMAGE);
        assert_eq!(reason(b"GIF89a......"), reasons::FORMAT);
        let whole = header(0xC0, 100, 100, 1);
        assert_eq!(reason(&whole[..whole.len() - 2]), reasons::TRUNCATED);
        // B-004: a PNG header of a few bytes that asks for gigabytes.
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0DIHDR".to_vec();
        png.extend([0, 0, 0x7F, 0xFF, 0, 0, 0x7F, 0xFF, 8, 6, 0, 0, 0]);
        png.extend([0x7D, 0x60, 0x36, 0x65]);
        png.extend(b"\0\0\0\0IEND\xAE\x42\x60\x82");
        assert!([reasons::TOO_LARGE, reasons::NOT_DECODABLE].contains(&reason(&png)));
    }
}
