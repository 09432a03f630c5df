//! The console's colours, recomputed from the style sheet: contrasts as the visual system states them, by day and by
//! night, and nothing in the sheet that loads or hides.

#![allow(clippy::unwrap_used, clippy::panic)] // Tests may stop loudly.

const SHEET: &str = include_str!("../assets/console.css");

/// The tokens of the first block (day) and of the first block for dark schemes (night).
fn tokens(night: bool) -> Vec<(String, [f64; 3])> {
    let from = if night { SHEET.find("prefers-color-scheme: dark").expect("a night") } else { 0 };
    let block = SHEET[from..].split(":root {").nth(1).expect("tokens").split('}').next().expect("an end");
    let lines = block.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": #"));
    lines
        .map(|(name, hex)| {
            let part = |at: usize| f64::from(u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")) / 255.0;
            (name.to_owned(), [part(0), part(2), part(4)])
        })
        .collect()
}

/// WCAG 2.2 relative luminance.
fn luminance(colour: [f64; 3]) -> f64 {
    let linear = |c: f64| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    0.2126 * linear(colour[0]) + 0.7152 * linear(colour[1]) + 0.0722 * linear(colour[2])
}

fn ratio(night: bool, one: &str, other: &str) -> f64 {
    let tokens = tokens(night);
    let of = |name: &str| luminance(tokens.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}")).1);
    let (a, b) = (of(one), of(other));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn contrasts_are_those_of_the_visual_system() {
    // Colour, ground (or the letters on a fill), by day, by night: one decimal, cut, as the table has them.
    let table = [
        ("primary", "on-primary", 7.9, 8.4),
        ("urgent", "on-urgent", 7.6, 8.7),
        ("caution", "on-caution", 7.4, 11.4),
        ("info", "on-info", 8.4, 9.4),
        ("drill", "on-drill", 9.9, 9.9),
    ];
    for (one, other, day, night) in table {
        for (dark, stated) in [(false, day), (true, night)] {
            let found = ratio(dark, one, other);
            assert!((found - stated).abs() < 0.1, "{one} on {other}, night {dark}: {found:.2}, stated {stated}");
        }
    }
    // On the poorer of both grounds.
    for (name, day, night) in [("text", 15.9, 14.5), ("text-2", 7.8, 8.9), ("line", 4.5, 4.8)] {
        for (dark, stated) in [(false, day), (true, night)] {
            let found = ratio(dark, name, "background").min(ratio(dark, name, "surface"));
            assert!((found - stated).abs() < 0.1, "{name}, night {dark}: {found:.2}, stated {stated}");
        }
    }
}

#[test]
fn everything_that_is_read_is_legible_where_it_stands() {
    for dark in [false, true] {
        for letters in ["text", "text-2", "primary", "urgent", "caution", "info", "drill"] {
            for ground in ["background", "surface", "wash"] {
                let found = ratio(dark, letters, ground);
                assert!(found >= 6.1, "{letters} on {ground}, night {dark}: {found:.2}");
            }
        }
        // The word of a drill stands on its stripes too.
        assert!(ratio(dark, "drill", "hair") >= 4.5, "{:.2}", ratio(dark, "drill", "hair"));
        for ground in ["background", "surface", "wash"] {
            assert!(ratio(dark, "line", ground) >= 3.0, "line on {ground}");
        }
    }
}

#[test]
fn colours_stand_once_and_the_sheet_loads_nothing() {
    let after_tokens = SHEET.split("*, *::before").nth(1).expect("rules");
    let screen = after_tokens.split("@media print").next().expect("rules for screens");
    assert!(!screen.contains(": #") && !screen.contains("rgb("), "a colour that is no token");
    for never in ["@import", "url(", "http", "!important", "display: none; /*", "animation", "transition"] {
        assert!(!SHEET.contains(never), "{never}");
    }
    assert!(SHEET.contains(":focus-visible { outline: 3px"));
    assert_eq!(SHEET.matches('{').count(), SHEET.matches('}').count());
}
