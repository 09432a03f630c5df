//! Scaling and writing one picture on two cores: the least that a phone has. The result is that of one core, pixel for
//! pixel; the written file differs by one restart marker between its halves.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::preview::{Pixels, reasons};
use crate::limits::PREVIEW_QUALITY;

/// Rows and columns that a block of 4:2:0 covers.
const BLOCK_PX: usize = 16;
/// Of 16 parts of the rows, those that one core writes; the other makes the smallest copy besides.
const FIRST_PARTS: usize = 9;
/// Pictures with fewer rows are not worth a second thread.
const ROWS_MIN: usize = 512;

type Fallible<T> = Result<T, &'static str>;

/// Two pieces of work side by side; the second on a thread of its own.
pub(super) fn both<A, B: Send>(first: impl FnOnce() -> Fallible<A>, second: impl FnOnce() -> Fallible<B> + Send) -> Fallible<(A, B)> {
    let (first, second) = std::thread::scope(|scope| {
        let second = scope.spawn(second);
        (first(), second.join().unwrap_or(Err(reasons::NOT_DECODABLE)))
    });
    Ok((first?, second?))
}

fn options() -> ResizeOptions {
    ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3))
}

/// Scales to `width` and `height`: first down, by halves of the columns, then across, by halves of the rows, as the filter
/// does it on one core.
pub(super) fn scale(pixels: &Pixels, width: u32, height: u32) -> Fallible<Vec<u8>> {
    let kind = if pixels.channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
    let row = |columns: u32| columns as usize * usize::from(pixels.channels);
    let resized = |bytes: &[u8], size: (u32, u32), out: &mut [u8], to: (u32, u32), options: &ResizeOptions| {
        let source = ImageRef::new(size.0, size.1, bytes, kind).map_err(|_| reasons::NOT_DECODABLE)?;
        let mut target = Image::from_slice_u8(to.0, to.1, out, kind).map_err(|_| reasons::NOT_DECODABLE)?;
        Resizer::new().resize(&source, &mut target, options).map_err(|_| reasons::NOT_DECODABLE)
    };
    let size = (pixels.width, pixels.height);
    let mut out = vec![0; row(width) * height as usize];
    if (pixels.height as usize) < ROWS_MIN || pixels.width < 2 || height < 2 {
        resized(&pixels.bytes, size, &mut out, (width, height), &options())?;
        return Ok(out);
    }
    let left = pixels.width / 2;
    let side = |from: u32, columns: u32| {
        let mut side = vec![0; row(columns) * height as usize];
        let options = options().crop(f64::from(from), 0.0, f64::from(columns), f64::from(pixels.height));
        resized(&pixels.bytes, size, &mut side, (columns, height), &options)?;
        Ok(side)
    };
    let (lefts, rights) = both(|| side(0, left), || side(left, pixels.width - left))?;
    let upper = height / 2;
    let (upper_out, lower_out) = out.split_at_mut(row(width) * upper as usize);
    let rows = |from: u32, count: u32, out: &mut [u8]| {
        let mut whole = Vec::with_capacity(row(pixels.width) * count as usize);
        let lefts = lefts.chunks(row(left)).zip(rights.chunks(row(pixels.width - left)));
        for (left_row, right_row) in lefts.skip(from as usize).take(count as usize) {
            whole.extend_from_slice(left_row);
            whole.extend_from_slice(right_row);
        }
        resized(&whole, (pixels.width, count), out, (width, count), &options())
    };
    both(|| rows(0, upper, upper_out), || rows(upper, height - upper, lower_out))?;
    Ok(out)
}

/// Writes a picture as JPEG on two cores, and does `beside` on the one that has less to write.
pub(super) fn write<T: Send>(pixels: &Pixels, beside: impl FnOnce() -> Fallible<T> + Send) -> Fallible<(Vec<u8>, T)> {
    let (width, height) = (pixels.width as usize, pixels.height as usize);
    let first = (height * FIRST_PARTS / 16).next_multiple_of(BLOCK_PX);
    let blocks = width.div_ceil(BLOCK_PX) * (first / BLOCK_PX);
    let (Ok(blocks), true) = (u16::try_from(blocks), pixels.channels == 3 && height >= ROWS_MIN) else {
        return both(|| jpeg(pixels, &pixels.bytes, height), beside);
    };
    let (upper, lower) = pixels.bytes.split_at(first * width * 3);
    let (upper, (besides, lower)) = both(|| jpeg(pixels, upper, first), || Ok((beside()?, jpeg(pixels, lower, height - first)?)))?;
    Ok((joined(&upper, &lower, pixels.height, blocks).ok_or(reasons::NOT_DECODABLE)?, besides))
}

fn jpeg(pixels: &Pixels, rows: &[u8], height: usize) -> Fallible<Vec<u8>> {
    let side = |n: usize| u16::try_from(n).map_err(|_| reasons::NOT_DECODABLE);
    let (width, height) = (side(pixels.width as usize)?, side(height)?);
    let mut out = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut out, PREVIEW_QUALITY);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::F_2_2);
    if let Some(profile) = &pixels.profile {
        encoder.add_icc_profile(profile).map_err(|_| reasons::NOT_DECODABLE)?;
    }
    let colours = if pixels.channels == 1 { jpeg_encoder::ColorType::Luma } else { jpeg_encoder::ColorType::Rgb };
    encoder.encode(rows, width, height, colours).map_err(|_| reasons::NOT_DECODABLE)?;
    Ok(out)
}

/// Two files of the same width and tables as one: the frame has the rows of both, a restart interval of `blocks` ends
/// where the lower begins.
fn joined(upper: &[u8], lower: &[u8], height: u32, blocks: u16) -> Option<Vec<u8>> {
    let (frame, scan) = places(upper)?;
    let (_, lower_scan) = places(lower)?;
    let mut out = Vec::with_capacity(upper.len() + lower.len());
    out.extend_from_slice(&upper[..scan]);
    // Marker, length of the segment, precision; then the height.
    out.get_mut(frame + 5..frame + 7)?.copy_from_slice(&u16::try_from(height).ok()?.to_be_bytes());
    out.extend([0xFF, 0xDD, 0, 4]);
    out.extend(blocks.to_be_bytes());
    out.extend_from_slice(upper[scan..].strip_suffix(&[0xFF, 0xD9])?);
    out.extend([0xFF, 0xD0]);
    let lower = &lower[lower_scan..];
    let header = usize::from(u16::from_be_bytes([*lower.get(2)?, *lower.get(3)?]));
    out.extend_from_slice(lower.get(2 + header..)?);
    Some(out)
}

/// Where the frame and the scan of a file of ours begin.
fn places(jpeg: &[u8]) -> Option<(usize, usize)> {
    let (mut at, mut frame) = (2, None);
    loop {
        match jpeg.get(at..at + 4)? {
            [0xFF, 0xDA, ..] => return Some((frame?, at)),
            [0xFF, marker, high, low] => {
                frame = if *marker == 0xC0 { Some(at) } else { frame };
                at += 2 + usize::from(u16::from_be_bytes([*high, *low]));
            }
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, height: u32, channels: u8) -> Pixels {
        let len = width as usize * height as usize * usize::from(channels);
        let bytes = (0..len).map(|n| ((n * n / 977) % 251) as u8 ^ (n % 13) as u8).collect();
        Pixels { width, height, channels, bytes, profile: None }
    }

    #[test]
    fn halves_scale_to_the_very_pixels_of_the_whole() {
        for (width, height, channels, to) in
            [(800, 601, 3, (641, 480)), (701, 999, 1, (257, 366)), (1_000, 512, 3, (3, 2)), (600, 700, 3, (600, 300))]
        {
            let source = picture(width, height, channels);
            let kind = if channels == 1 { PixelType::U8 } else { PixelType::U8x3 };
            let mut whole = Image::new(to.0, to.1, kind);
            let of = ImageRef::new(width, height, &source.bytes, kind).unwrap();
            Resizer::new().resize(&of, &mut whole, &options()).unwrap();
            assert!(scale(&source, to.0, to.1).unwrap() == whole.into_vec(), "{width} x {height}");
        }
    }

    #[test]
    fn halves_are_written_to_the_very_picture_of_the_whole() {
        for (width, height) in [(640, 512), (333, 777), (1_600, 1_200)] {
            let source = picture(width, height, 3);
            let (halves, besides) = write(&source, || Ok(7)).unwrap();
            let whole = jpeg(&source, &source.bytes, height as usize).unwrap();
            let decoded = |file: &[u8]| jpeg_decoder::Decoder::new(file).decode().unwrap();
            assert!(decoded(&halves) == decoded(&whole), "{width} x {height}");
            assert!(halves != whole && besides == 7);
        }
        for (small, channels) in [(picture(640, 100, 3), 3), (picture(640, 600, 1), 1)] {
            assert!(write(&small, || Ok(())).unwrap().0 == jpeg(&small, &small.bytes, small.height as usize).unwrap(), "{channels}");
        }
    }
}
