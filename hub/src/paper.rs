//! Checkpoint codes as a PDF for A4: six cards a page to cut out and hang up, with letters of its own, so that it prints the
//! same from any computer and can be sent to a print shop.
//!
//! Two fonts are embedded (`assets/fonts/NOTICE`): Latin with every letter of Vietnamese, and Tai Viet. A letter that
//! neither has is drawn as a box, never left out.

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Finish as _, Name, Pdf, Rect, Ref, Str, TextStr};
use qrcode::{Color, EcLevel, QrCode};
use ttf_parser::{Face, GlyphId};
use unicode_normalization::UnicodeNormalization as _;

use crate::error::{HubError, Result};

/// A card of the sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Name of the checkpoint.
    pub name: String,
    /// What it is and of which hamlet, in one line.
    pub about: String,
    /// The code as it is typed.
    pub code: String,
    /// The code as it is scanned.
    pub qr: String,
}

const LATIN: &[u8] = include_bytes!("../assets/fonts/NotoSans-Bold.ttf");
const TAI_VIET: &[u8] = include_bytes!("../assets/fonts/NotoSansTaiViet-Regular.ttf");

/// A4 in points.
const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 36.0;
const COLUMNS: usize = 2;
const ROWS: usize = 3;
/// Side of a code with its quiet zone, points (6.3 cm: read from two metres).
const CODE: f32 = 180.0;
/// Light modules around the code; readers need four (ISO/IEC 18004).
const QUIET: usize = 4;
/// Letters: name, about, code.
const SIZES: [f32; 3] = [17.0, 11.0, 15.0];
/// Letters never get smaller than this; longer lines are cut and say so.
const LEAST: f32 = 8.0;

/// A font as the sheet uses it.
struct Font {
    face: Face<'static>,
    name: &'static str,
    resource: &'static str,
    bytes: &'static [u8],
    id: Ref,
}

impl Font {
    fn new(bytes: &'static [u8], name: &'static str, resource: &'static str, id: i32) -> Result<Self> {
        let face = Face::parse(bytes, 0).map_err(|e| HubError::Store(format!("{name}: {e}")))?;
        Ok(Self { face, name, resource, bytes, id: Ref::new(id) })
    }

    /// Width of a glyph in thousandths of the size of its letters.
    fn width(&self, glyph: GlyphId) -> f32 {
        f32::from(self.face.glyph_hor_advance(glyph).unwrap_or(0)) * 1_000.0 / f32::from(self.face.units_per_em())
    }

    /// Writes its objects: the file, its description, and which letter each glyph is, so that text can be searched.
    fn embed(&self, pdf: &mut Pdf) {
        let part = |n: i32| Ref::new(self.id.get() + n);
        let (cid, descriptor, map, file) = (part(1), part(2), part(3), part(4));
        let system = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"Identity"), supplement: 0 };
        let name = Name(self.name.as_bytes());
        pdf.type0_font(self.id).base_font(name).encoding_predefined(Name(b"Identity-H")).descendant_font(cid).to_unicode(map);
        let mut font = pdf.cid_font(cid);
        font.subtype(CidFontType::Type2).base_font(name).system_info(system).font_descriptor(descriptor).default_width(0.0);
        font.cid_to_gid_map_predefined(Name(b"Identity"));
        font.widths().consecutive(0, (0..self.face.number_of_glyphs()).map(|n| self.width(GlyphId(n))));
        font.finish();
        let scale = 1_000.0 / f32::from(self.face.units_per_em());
        let of = |units: i16| f32::from(units) * scale;
        let bounds = self.face.global_bounding_box();
        pdf.font_descriptor(descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(of(bounds.x_min), of(bounds.y_min), of(bounds.x_max), of(bounds.y_max)))
            .italic_angle(0.0)
            .ascent(of(self.face.ascender()))
            .descent(of(self.face.descender()))
            .cap_height(of(self.face.capital_height().unwrap_or_else(|| self.face.ascender())))
            .stem_v(120.0)
            .font_file2(file);
        let mut letters = UnicodeCmap::<u16>::new(Name(b"Letters"), system);
        let mut known = Vec::new();
        for table in self.face.tables().cmap.iter().flat_map(|cmap| cmap.subtables).filter(|table| table.is_unicode()) {
            table.codepoints(|code| {
                if let (Some(letter), Some(glyph)) = (char::from_u32(code), table.glyph_index(code)) {
                    known.push((glyph.0, letter));
                }
            });
        }
        known.sort_unstable();
        known.dedup_by_key(|(glyph, _)| *glyph);
        known.iter().for_each(|(glyph, letter)| letters.pair(*glyph, *letter));
        pdf.cmap(map, &letters.finish());
        pdf.stream(file, self.bytes).pair(Name(b"Length1"), i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }
}

/// A run of glyphs of one font.
struct Run {
    font: usize,
    glyphs: Vec<GlyphId>,
}

/// Fonts in the order in which a letter is looked for.
struct Fonts([Font; 2]);

impl Fonts {
    fn new() -> Result<Self> {
        Ok(Self([Font::new(LATIN, "YBSUBA+NotoSans-Bold", "F0", 10)?, Font::new(TAI_VIET, "YBSUBB+NotoSansTaiViet", "F1", 20)?]))
    }

    fn runs(&self, text: &str) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for letter in text.nfc() {
            let found = self.0.iter().enumerate().find_map(|(n, font)| Some((n, font.face.glyph_index(letter)?)));
            // The first glyph of a font stands for what it does not have: an empty box.
            let (font, glyph) = found.unwrap_or((0, GlyphId(0)));
            match runs.last_mut() {
                Some(run) if run.font == font => run.glyphs.push(glyph),
                _ => runs.push(Run { font, glyphs: vec![glyph] }),
            }
        }
        runs
    }

    fn width(&self, runs: &[Run], size: f32) -> f32 {
        let of = |run: &Run| run.glyphs.iter().map(|glyph| self.0[run.font].width(*glyph)).sum::<f32>();
        runs.iter().map(of).sum::<f32>() * size / 1_000.0
    }

    /// A line in the middle of a card: smaller when it is long, cut when it would get too small.
    fn line(&self, content: &mut Content, text: &str, size: f32, middle: f32, y: f32, room: f32) {
        let mut text = text.to_owned();
        let mut runs = self.runs(&text);
        let size = (size * (room / self.width(&runs, size).max(1.0)).min(1.0)).max(LEAST);
        while self.width(&runs, size) > room && text.pop().is_some() {
            runs = self.runs(&format!("{text}…"));
        }
        content.begin_text();
        content.next_line(middle - self.width(&runs, size) / 2.0, y);
        for run in &runs {
            content.set_font(Name(self.0[run.font].resource.as_bytes()), size);
            let bytes: Vec<u8> = run.glyphs.iter().flat_map(|glyph| glyph.0.to_be_bytes()).collect();
            content.show(Str(&bytes));
        }
        content.end_text();
    }
}

/// The dark modules of a code, its lower left corner at (`left`, `bottom`).
fn code(content: &mut Content, text: &str, left: f32, bottom: f32) -> Result<()> {
    // For paper that hangs in the rain: a quarter of it may be gone.
    let code = QrCode::with_error_correction_level(text, EcLevel::Q).map_err(|e| HubError::Store(format!("QR code: {e}")))?;
    let width = code.width();
    let module = CODE / (width + 2 * QUIET) as f32;
    for (row, colors) in code.to_colors().chunks(width).enumerate() {
        let mut column = 0;
        for run in colors.chunk_by(|one, other| one == other) {
            if run.first() == Some(&Color::Dark) {
                let (x, y) = ((column + QUIET) as f32 * module, (width + QUIET - 1 - row) as f32 * module);
                content.rect(left + x, bottom + y, run.len() as f32 * module, module);
            }
            column += run.len();
        }
    }
    content.fill_nonzero();
    Ok(())
}

/// The sheet. Without cards it is one empty page.
///
/// # Errors
/// When a code is too long to be drawn.
pub fn sheet(title: &str, cards: &[Card]) -> Result<Vec<u8>> {
    let fonts = Fonts::new()?;
    let mut pdf = Pdf::new();
    let (catalog, tree, info) = (Ref::new(1), Ref::new(2), Ref::new(3));
    let pages: Vec<&[Card]> = if cards.is_empty() { vec![&[]] } else { cards.chunks(COLUMNS * ROWS).collect() };
    let page_id = |n: usize| Ref::new(100 + 2 * i32::try_from(n).unwrap_or(i32::MAX / 4));
    pdf.catalog(catalog).pages(tree);
    pdf.pages(tree).kids((0..pages.len()).map(page_id)).count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    pdf.document_info(info).title(TextStr(title)).producer(TextStr("Yên Bản"));
    let (wide, high) = ((PAGE.0 - 2.0 * MARGIN) / COLUMNS as f32, (PAGE.1 - 2.0 * MARGIN) / ROWS as f32);
    for (n, cards) in pages.into_iter().enumerate() {
        let contents = Ref::new(page_id(n).get() + 1);
        let mut page = pdf.page(page_id(n));
        page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(contents);
        let mut resources = page.resources();
        let mut named = resources.fonts();
        fonts.0.iter().for_each(|font| {
            named.pair(Name(font.resource.as_bytes()), font.id);
        });
        named.finish();
        resources.finish();
        page.finish();
        let mut content = Content::new();
        for (at, card) in cards.iter().enumerate() {
            let left = MARGIN + (at % COLUMNS) as f32 * wide;
            let bottom = PAGE.1 - MARGIN - (at / COLUMNS + 1) as f32 * high;
            content
                .save_state()
                .set_line_width(0.7)
                .set_dash_pattern([4.0, 4.0], 0.0)
                .rect(left, bottom, wide, high)
                .stroke()
                .restore_state();
            code(&mut content, &card.qr, left + (wide - CODE) / 2.0, bottom + high - CODE - 4.0)?;
            let (middle, room) = (left + wide / 2.0, wide - 24.0);
            for (text, size, y) in [(&card.name, SIZES[0], 50.0), (&card.about, SIZES[1], 32.0), (&card.code, SIZES[2], 11.0)] {
                fonts.line(&mut content, text, size, middle, bottom + y, room);
            }
        }
        pdf.stream(contents, &content.finish());
    }
    fonts.0.iter().for_each(|font| font.embed(&mut pdf));
    Ok(pdf.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTICE: &str = include_str!("../assets/fonts/NOTICE");

    fn card(name: &str) -> Card {
        Card {
            name: name.to_owned(), about: "Điểm tuần · Nà Phòn".to_owned(), code: "15N-M7J".to_owned(), qr: "yb1.c.15NM7J".to_owned()
        }
    }

    /// The page's drawing as text.
    fn content(pdf: &[u8]) -> String {
        let text = String::from_utf8_lossy(pdf).into_owned();
        text.split("stream\n").nth(1).expect("the first stream is a page").split("\nendstream").next().expect("its end").to_owned()
    }

    /// The code as a camera sees it: every module of the drawn rectangles, against the code itself.
    #[test]
    fn what_is_drawn_is_the_code() {
        let drawn = content(&sheet("Tờ mã", &[card("Cầu treo")]).unwrap());
        let known = QrCode::with_error_correction_level("yb1.c.15NM7J", EcLevel::Q).unwrap();
        let width = known.width();
        let module = CODE / (width + 2 * QUIET) as f32;
        let mut seen = vec![Color::Light; width * width];
        let boxes = drawn.lines().filter_map(|line| line.strip_suffix(" re")).skip(1);
        let boxes: Vec<Vec<f32>> = boxes.map(|line| line.split(' ').map(|part| part.parse().unwrap()).collect()).collect();
        let left = boxes.iter().map(|b| b[0]).fold(f32::MAX, f32::min);
        let top = boxes.iter().map(|b| b[1] + b[3]).fold(0.0, f32::max);
        for b in &boxes {
            let (row, column) = (((top - b[1]) / module).round() as usize - 1, ((b[0] - left) / module).round() as usize);
            for n in 0..(b[2] / module).round() as usize {
                seen[row * width + column + n] = Color::Dark;
            }
        }
        assert_eq!(seen, known.to_colors());
    }

    #[test]
    fn every_letter_of_vietnamese_and_tai_viet_is_in_a_font() {
        let fonts = Fonts::new().unwrap();
        let letters = "AĂÂBCDĐEÊGHIKLMNOÔƠPQRSTUƯVXYaăâbcdđeêghiklmnoôơpqrstuưvxyẮẰẲẴẶẤẦẨẪẬẾỀỂỄỆỐỒỔỖỘỚỜỞỠỢỨỪỬỮỰỲÝỶỸỴắằẳẵặấầẩẫậếềểễệốồổỗộớờởỡợứừửữựỳýỷỹỵ·–…0123456789-";
        for letter in letters.chars() {
            assert!(fonts.0[0].face.glyph_index(letter).is_some(), "{letter}");
        }
        assert_eq!(fonts.runs("ꪼꪕ").iter().map(|run| run.font).collect::<Vec<_>>(), [1]);
        // Typed with marks apart it is drawn as one letter; what no font has is a box.
        assert_eq!(fonts.runs("Nà").iter().map(|run| run.glyphs.len()).sum::<usize>(), 2);
        assert_eq!(fonts.runs("Na\u{300}").iter().map(|run| run.glyphs.len()).sum::<usize>(), 2);
        let boxed = fonts.runs("ก");
        assert_eq!(boxed[0].glyphs, [GlyphId(0)]);
    }

    #[test]
    fn long_names_stay_inside_their_card_and_seven_cards_take_two_pages() {
        let fonts = Fonts::new().unwrap();
        let mut drawn = Content::new();
        fonts.line(&mut drawn, &"Khu dân cư Suối Đá Bạn ".repeat(12), 17.0, 100.0, 0.0, 150.0);
        let text = String::from_utf8_lossy(&drawn.finish()).into_owned();
        let at: f32 =
            text.lines().find_map(|line| line.strip_suffix(" Td")).and_then(|line| line.split(' ').next()).unwrap().parse().unwrap();
        assert!((25.0..=100.0).contains(&at), "{at}");
        let pages = |n: usize| String::from_utf8_lossy(&sheet("x", &vec![card("a"); n]).unwrap()).matches("/Type /Page\n").count();
        assert_eq!((pages(0), pages(6), pages(7)), (1, 1, 2));
    }

    #[test]
    fn fonts_are_the_ones_named() {
        for (name, bytes) in [("NotoSans-Bold.ttf", LATIN), ("NotoSansTaiViet-Regular.ttf", TAI_VIET)] {
            let sum: String = yenban_protocol::crypto::sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            assert!(NOTICE.lines().any(|line| line.starts_with(name) && line.ends_with(&sum)), "{name} {sum}");
        }
    }
}
