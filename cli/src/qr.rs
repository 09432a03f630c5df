//! The enrolment code as a picture: for the screen of a terminal, and as a PNG to print or to send.

use std::io::BufWriter;
use std::path::Path;

use qrcode::{Color, EcLevel, QrCode};
use yenban_locales::Words;

use crate::fault::{Fault, Result, unwritable};

/// Light modules around the code; readers need four.
const QUIET_ZONE: usize = 4;
/// Pixels of one module in the PNG: large enough to be read from paper.
const MODULE_PIXELS: usize = 8;

/// The modules of a code with the quiet zone around it: rows of dark (`true`) and light.
fn modules(text: &str) -> Result<Vec<Vec<bool>>> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(|_| Fault::could_not("error-qr-too-long"))?;
    let width = code.width() + 2 * QUIET_ZONE;
    let mut rows = vec![vec![false; width]; width];
    for (index, dark) in code.to_colors().into_iter().enumerate() {
        rows[QUIET_ZONE + index / code.width()][QUIET_ZONE + index % code.width()] = dark == Color::Dark;
    }
    Ok(rows)
}

/// The code in half blocks, two rows of modules a line, light on dark as terminals are.
pub(crate) fn for_terminal(text: &str) -> Result<String> {
    let rows = modules(text)?;
    let lines = rows.chunks(2).map(|pair| {
        let upper = &pair[0];
        (0..upper.len())
            .map(|x| match (upper[x], pair.get(1).is_some_and(|lower| lower[x])) {
                (false, false) => '█',
                (false, true) => '▀',
                (true, false) => '▄',
                (true, true) => ' ',
            })
            .collect::<String>()
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// Writes the code as a black and white PNG.
pub(crate) fn write_png(text: &str, path: &Path, words: Words) -> Result<()> {
    let rows = modules(text)?;
    let side = rows.len() * MODULE_PIXELS;
    let mut pixels = Vec::with_capacity(side * side);
    for row in &rows {
        let line: Vec<u8> = row.iter().flat_map(|dark| [if *dark { 0 } else { 255 }; MODULE_PIXELS]).collect();
        for _ in 0..MODULE_PIXELS {
            pixels.extend_from_slice(&line);
        }
    }
    let file = std::fs::File::create(path).map_err(|error| unwritable(path, &error, words))?;
    let side = u32::try_from(side).expect("a QR code has at most 177 modules a side");
    let mut encoder = png::Encoder::new(BufWriter::new(file), side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let written = encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels));
    written.map_err(|error| Fault::could_not("error-file-unwritable").at(path).with("reason", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn the_picture_is_square_and_has_its_corner_mark() {
        let shown = for_terminal("yb1.test").unwrap();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()));
        // Four light modules, then the seven dark ones of the corner mark.
        assert_eq!(modules("yb1.test").unwrap()[QUIET_ZONE][..12].iter().filter(|dark| **dark).count(), 7);
    }

    #[test]
    fn a_text_that_no_code_holds_is_refused() {
        assert!(for_terminal(&"x".repeat(10_000)).is_err());
    }

    #[test]
    fn the_png_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("code.png");
        write_png("yb1.test", &path, Words::new(Lang::Vi)).unwrap();
        let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap()));
        let reader = decoder.read_info().unwrap();
        assert_eq!(reader.info().width, reader.info().height);
        assert!(write_png("x", folder.path(), Words::new(Lang::Vi)).is_err());
    }
}
