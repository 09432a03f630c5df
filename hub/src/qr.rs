//! A QR code as a drawing for a page.

use qrcode::{Color, EcLevel, QrCode};

/// Light modules around the code; readers need four (ISO/IEC 18004).
const QUIET_ZONE: usize = 4;

/// The code as an SVG with black on white whatever the page's colours are, and `about` for who cannot see it; empty for a
/// text longer than a code can bear.
pub fn svg(text: &str, about: &str) -> String {
    drawn(text, about, EcLevel::M)
}

/// The same for paper that hangs in the rain: a quarter of it may be gone.
pub fn for_paper(text: &str, about: &str) -> String {
    drawn(text, about, EcLevel::Q)
}

fn drawn(text: &str, about: &str, level: EcLevel) -> String {
    let Ok(code) = QrCode::with_error_correction_level(text, level) else { return String::new() };
    let width = code.width();
    let side = width + 2 * QUIET_ZONE;
    let mut path = String::new();
    for (row, colors) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in colors.chunk_by(|left, right| left == right) {
            if run[0] == Color::Dark {
                path.push_str(&format!("M{} {}h{}v1h-{}z", column + QUIET_ZONE, row + QUIET_ZONE, run.len(), run.len()));
            }
            column += run.len();
        }
    }
    let about = about.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    format!(
        "<svg class=\"qr\" role=\"img\" aria-label=\"{about}\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
         <rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/><path d=\"{path}\" fill=\"#000\"/></svg>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dark_module_is_drawn_once() {
        let text = "yb1.AAAA";
        let code = QrCode::with_error_correction_level(text, EcLevel::M).unwrap();
        let dark = code.to_colors().iter().filter(|color| **color == Color::Dark).count();
        let drawn = svg(text, "a \"code\" <b>");
        let runs: usize = drawn.split('h').filter_map(|part| part.split_once("v1").and_then(|(n, _)| n.parse::<usize>().ok())).sum();
        assert_eq!(runs, dark);
        assert!(drawn.contains("aria-label=\"a &quot;code&quot; &lt;b>\""));
        assert_eq!(svg(&"x".repeat(5000), ""), "");
    }
}
