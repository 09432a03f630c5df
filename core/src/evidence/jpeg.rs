//! Decoding a JPEG at the scale that a preview needs: an eighth, a quarter, half or all of its size, straight from
//! the coefficients, so that the memory of a 48 megapixel picture is that of its preview.

use std::io::Read;

use jpeg_decoder::{Decoder, PixelFormat};

use super::preview::{Pixels, fit, kept_profile, reasons};
use crate::limits::PREVIEW_MEMORY_BYTES;

/// Decodes so that the longest side is at least `longest` pixels, where the picture has them.
pub(super) fn decode(source: &mut (impl Read + Send), longest: u32) -> Result<Pixels, &'static str> {
    let mut decoder = Decoder::new(source);
    decoder.read_info().map_err(reason)?;
    let info = decoder.info().ok_or(reasons::NOT_DECODABLE)?;
    let channels = match info.pixel_format {
        PixelFormat::L8 => 1,
        PixelFormat::RGB24 => 3,
        PixelFormat::L16 | PixelFormat::CMYK32 => return Err(reasons::COLOURS),
    };
    let (width, height) = fit(info.width.into(), info.height.into(), longest);
    // Both fit: they are no larger than the sides of the picture.
    let (width, height) = decoder.scale(width as u16, height as u16).map_err(reason)?;
    // Planes and the picture made of them stand side by side for a moment.
    if u64::from(width) * u64::from(height) * u64::from(channels) * 2 > PREVIEW_MEMORY_BYTES {
        return Err(reasons::TOO_LARGE);
    }
    let bytes = decoder.decode().map_err(reason)?;
    let profile = decoder.icc_profile().and_then(kept_profile);
    if bytes.len() != usize::from(width) * usize::from(height) * usize::from(channels) || bytes.is_empty() {
        return Err(reasons::NOT_DECODABLE);
    }
    Ok(Pixels { width: width.into(), height: height.into(), channels, bytes, profile })
}

fn reason(error: jpeg_decoder::Error) -> &'static str {
    match error {
        jpeg_decoder::Error::Unsupported(_) => reasons::FORMAT,
        _ => reasons::NOT_DECODABLE,
    }
}
