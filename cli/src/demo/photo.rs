//! The demonstration's own photographs: real JPEG files of a night that never was, each different, so that nobody's
//! picture has to be shipped and the hashes are those of real files.

use jpeg_encoder::{ColorType, Encoder};

use crate::fault::{Fault, Result};

const WIDTH: usize = 960;
const HEIGHT: usize = 640;
const QUALITY: u8 = 88;
/// Height of the band with the date at the foot of the picture.
const BAND: usize = 48;
/// Pixels of one dot of a drawn digit.
const DOT: usize = 6;

/// Three columns and five rows of the digits and of `/`, `:` and the blank, a bit a dot, left column highest.
const GLYPHS: [(char, [u8; 5]); 13] = [
    ('0', [7, 5, 5, 5, 7]),
    ('1', [2, 6, 2, 2, 7]),
    ('2', [7, 1, 7, 4, 7]),
    ('3', [7, 1, 7, 1, 7]),
    ('4', [5, 5, 7, 1, 1]),
    ('5', [7, 4, 7, 1, 7]),
    ('6', [7, 4, 7, 5, 7]),
    ('7', [7, 1, 1, 2, 2]),
    ('8', [7, 5, 7, 5, 7]),
    ('9', [7, 5, 7, 1, 7]),
    ('/', [1, 1, 2, 4, 4]),
    (':', [0, 2, 0, 2, 0]),
    (' ', [0, 0, 0, 0, 0]),
];

/// A picture of hills under the moon with `stamp` (digits, `/`, `:`) in the band at its foot. Another `number` gives
/// another landscape.
pub(crate) fn landscape(number: u32, stamp: &str) -> Result<Vec<u8>> {
    let mut pixels = vec![0_u8; WIDTH * HEIGHT * 3];
    let shift = f64::from(number) * 1.7;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let colour = colour_at(x as f64 / WIDTH as f64, y as f64 / HEIGHT as f64, shift);
            pixels[(y * WIDTH + x) * 3..][..3].copy_from_slice(&colour);
        }
    }
    band(&mut pixels, stamp);
    let mut jpeg = Vec::new();
    Encoder::new(&mut jpeg, QUALITY)
        .encode(&pixels, WIDTH as u16, HEIGHT as u16, ColorType::Rgb)
        .map_err(|error| Fault::could_not("error-inside").with("reason", error))?;
    Ok(jpeg)
}

/// Sky, moon and three ridges, nearer ones darker.
fn colour_at(x: f64, y: f64, shift: f64) -> [u8; 3] {
    let moon = 0.2 + 0.6 * (shift * 0.37).sin().abs();
    if (x - moon).hypot((y - 0.2) * 0.67) < 0.04 {
        return [240, 236, 210];
    }
    for (ridge, base) in [(1.0, 0.78), (2.0, 0.64), (3.0, 0.5)] {
        let height = base + 0.06 * (x * 7.0 * ridge + shift).sin() + 0.03 * (x * 23.0 + shift * ridge).cos();
        if y > height {
            let depth = (y - height) * 60.0;
            return [10 + 14 * ridge as u8, (24.0 + 16.0 * ridge + depth) as u8, (22.0 + 12.0 * ridge) as u8];
        }
    }
    let glow = y * 150.0;
    [(14.0 + glow * 0.5) as u8, (22.0 + glow * 0.6) as u8, (52.0 + glow) as u8]
}

fn band(pixels: &mut [u8], stamp: &str) {
    let top = HEIGHT - BAND;
    pixels[top * WIDTH * 3..].fill(18);
    let (mut left, foot) = (DOT * 2, top + (BAND - 5 * DOT) / 2);
    for drawn in stamp.chars() {
        let rows = GLYPHS.iter().find(|(known, _)| *known == drawn).map_or([7, 7, 7, 7, 7], |(_, rows)| *rows);
        for (row, bits) in rows.into_iter().enumerate() {
            for column in (0..3).filter(|column| bits & (4 >> column) != 0) {
                for dy in 0..DOT {
                    let at = ((foot + row * DOT + dy) * WIDTH + left + column * DOT) * 3;
                    if let Some(dots) = pixels.get_mut(at..at + DOT * 3) {
                        dots.fill(235);
                    }
                }
            }
        }
        left += DOT * 4;
        if left + DOT * 4 > WIDTH {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn photographs_are_jpeg_and_differ() {
        let first = landscape(1, "22/11/2026 21:52").unwrap();
        let second = landscape(2, "22/11/2026 21:52").unwrap();
        let later = landscape(1, "22/11/2026 21:53").unwrap();
        for jpeg in [&first, &second, &later] {
            assert_eq!(jpeg[..3], [0xff, 0xd8, 0xff]);
            assert_eq!(jpeg[jpeg.len() - 2..], [0xff, 0xd9]);
            assert!(jpeg.len() > 10_000);
        }
        assert!(first != second && first != later);
        // A stamp longer than the picture is cut, not a fault.
        assert!(landscape(3, &"2".repeat(500)).is_ok());
    }
}
