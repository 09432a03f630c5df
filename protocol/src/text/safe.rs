//! Showing text that somebody else typed: nothing in it may rearrange, hide or overflow what stands beside it.
//!
//! These functions are the last step before drawing. Their result is for the eye: it is never stored, compared or
//! hashed, so what was typed is never lost.

use unicode_normalization::char::is_combining_mark;

const REPLACED: char = '\u{FFFD}';
/// What a mark without a letter is drawn on, by Unicode's convention.
const DOTTED_CIRCLE: char = '\u{25CC}';
const FIRST_STRONG_ISOLATE: char = '\u{2068}';
const POP_ISOLATE: char = '\u{2069}';

/// More marks than this on one letter are a drawing over other people's lines, not writing.
/// (Vietnamese typed apart needs 2, Tai Viet and Lao 2, phonetic notes 4.)
const MARKS_ON_A_LETTER: usize = 6;

/// A single line, safe to draw beside other text: names, headlines, cells of a table.
///
/// Bidirectional controls, control characters, hidden characters and non-characters become U+FFFD; line breaks and
/// tabs a space; a mark without a letter gets a dotted circle; marks piled on one letter are cut; text with letters
/// that run from right to left is enclosed in an isolate, so that its neighbours keep their order. Joiners and
/// variation selectors stay, emoji need them.
///
/// ```
/// use yenban_protocol::text::display_safe;
/// assert_eq!(display_safe("Nà\u{202E}Phòn"), "Nà\u{FFFD}Phòn");
/// assert_eq!(display_safe("Nà Phòn"), "Nà Phòn");
/// ```
pub fn display_safe(text: &str) -> String {
    shown(text, |c| matches!(c, '\n' | '\r' | '\t' | '\u{0B}' | '\u{0C}' | '\u{85}' | '\u{2028}' | '\u{2029}').then_some(' '))
}

/// Several lines, safe to draw in a box of their own: reports, descriptions. As [`display_safe`], but line breaks
/// stay (every kind as one `\n`) and each line is isolated by itself.
pub fn display_safe_lines(text: &str) -> String {
    let unified = text.replace("\r\n", "\n").replace(['\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{0B}', '\u{0C}'], "\n");
    let lines: Vec<String> = unified.split('\n').map(display_safe).collect();
    lines.join("\n")
}

/// A line from a keyboard or a platform that counts in UTF-16: an unpaired surrogate is shown as U+FFFD.
///
/// ```
/// use yenban_protocol::text::display_safe_utf16;
/// assert_eq!(display_safe_utf16(&[0x004E, 0xD83D, 0x00E0]), "N\u{FFFD}à");
/// ```
pub fn display_safe_utf16(units: &[u16]) -> String {
    display_safe(&String::from_utf16_lossy(units))
}

fn shown(text: &str, as_space: impl Fn(char) -> Option<char>) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut marks = 0;
    let mut has_base = false;
    let mut right_to_left = false;
    for c in text.chars() {
        if let Some(space) = as_space(c) {
            out.push(space);
            has_base = false;
            continue;
        }
        if is_dangerous(c) {
            out.push(REPLACED);
            has_base = true;
            marks = 0;
            continue;
        }
        if is_combining_mark(c) {
            if !has_base {
                out.push(DOTTED_CIRCLE);
                has_base = true;
                marks = 0;
            }
            marks += 1;
            if marks <= MARKS_ON_A_LETTER {
                out.push(c);
            }
            continue;
        }
        right_to_left |= is_right_to_left(c);
        has_base = !c.is_whitespace();
        marks = 0;
        out.push(c);
    }
    if right_to_left {
        out.insert(0, FIRST_STRONG_ISOLATE);
        out.push(POP_ISOLATE);
    }
    out
}

/// Controls, bidirectional formatting, characters without room, non-characters and private use.
fn is_dangerous(c: char) -> bool {
    c.is_control()
        || is_bidi_control(c)
        || matches!(c, '\u{00AD}' | '\u{034F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}'
            | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{3164}' | '\u{FEFF}'
            | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FDD0}'..='\u{FDEF}' | '\u{E000}'..='\u{F8FF}'
            | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E00FF}' | '\u{F0000}'..)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// The characters that set the direction of text by order and not by what is written.
pub(super) fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFC}'
        | '\u{10800}'..='\u{10FFF}' | '\u{1E800}'..='\u{1EFFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_override_cannot_turn_a_name_round() {
        assert_eq!(display_safe("Bản \u{202E}nòhP àN"), "Bản \u{FFFD}nòhP àN");
        assert_eq!(display_safe("\u{2067}x\u{2069}"), "\u{FFFD}x\u{FFFD}");
        assert_eq!(display_safe("a\u{0}b\u{1B}[31mc\u{7F}\u{9B}"), "a\u{FFFD}b\u{FFFD}[31mc\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn honest_text_is_shown_as_it_is() {
        for honest in ["Bản Nà Phòn", "Na\u{300} Pho\u{300}n", "ꪹꪎꪲꪀ", "𖬌𖬣𖬵", "👩‍🌾 gặt lúa ❤️", "20:41–22:05, \u{201C}cầu\u{201D}"]
        {
            assert_eq!(display_safe(honest), honest);
        }
    }

    #[test]
    fn right_to_left_letters_stay_among_themselves() {
        assert_eq!(display_safe("\u{0645}\u{0631}\u{062D} 12"), "\u{2068}\u{0645}\u{0631}\u{062D} 12\u{2069}");
    }

    #[test]
    fn one_line_stays_one_line_and_lines_stay_lines() {
        assert_eq!(display_safe("một\nhai\tba\u{2028}bốn"), "một hai ba bốn");
        assert_eq!(display_safe_lines("một\r\nhai\rba\u{2029}\u{202E}bốn"), "một\nhai\nba\n\u{FFFD}bốn");
    }

    #[test]
    fn marks_need_a_letter_and_do_not_pile_up() {
        assert_eq!(display_safe("\u{0301}a"), "\u{25CC}\u{0301}a");
        let tower = format!("a{}b", "\u{0301}".repeat(500));
        assert_eq!(display_safe(&tower), format!("a{}b", "\u{0301}".repeat(MARKS_ON_A_LETTER)));
    }

    #[test]
    fn half_a_pair_is_one_replacement() {
        let units: Vec<u16> = "Nà 👍".encode_utf16().collect();
        assert_eq!(display_safe_utf16(&units), "Nà 👍");
        assert_eq!(display_safe_utf16(&units[..units.len() - 1]), "Nà \u{FFFD}");
    }

    proptest! {
        #[test]
        fn nothing_dangerous_is_ever_drawn(text in proptest::collection::vec(any::<char>(), 0..60)) {
            let text: String = text.into_iter().collect();
            let line = display_safe(&text);
            let inner = line.strip_prefix(FIRST_STRONG_ISOLATE).and_then(|rest| rest.strip_suffix(POP_ISOLATE));
            prop_assert!(!inner.unwrap_or(&line).chars().any(is_dangerous));
            prop_assert!(!display_safe_lines(&text).chars().any(|c| c.is_control() && c != '\n'));
        }
    }
}
