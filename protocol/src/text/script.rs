//! A name that only looks like another: letters borrowed from a look-alike script, characters that cannot be seen.
//!
//! A hamlet's name comes to a phone in an enrolment code, and a group leader trusts it at a glance. The warning is
//! about writing, never about people: every script that Việt Nam's peoples write in passes when it stands by itself.

use std::fmt;

use super::{fold::is_hidden, safe::is_bidi_control};

/// Writing systems as far as they matter for telling look-alikes apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Script {
    /// Vietnamese, Mường, Hmông in Latin letters and most of the country's languages.
    Latin,
    /// The script of the Thái.
    TaiViet,
    /// Pahawh and Nyiakeng Puachue Hmong.
    Hmong,
    /// Lao, Thai, Khmer, Cham, Myanmar, New Tai Lue, Tai Le, Tai Tham.
    SouthEastAsian,
    /// Han characters, also those of Nôm, Kana, Hangul, Yi, Miao.
    EastAsian,
    /// Greek: most of its capitals look Latin.
    Greek,
    /// Cyrillic: a third of its letters look Latin.
    Cyrillic,
    /// Armenian, Cherokee, Coptic, Lisu, Georgian and other scripts with letters that look Latin.
    LookAlike,
    /// Any other letters.
    Other,
}

/// Why a name should be looked at twice. The first reason found, the gravest kind first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScriptWarning {
    /// A character that changes the direction of writing.
    Direction {
        /// The character.
        character: char,
    },
    /// A character that cannot be seen.
    Hidden {
        /// The character.
        character: char,
    },
    /// Letters of two scripts within one word.
    MixedWord {
        /// The script the word began in.
        first: Script,
        /// The letter that does not belong to it.
        letter: char,
    },
    /// Letters, however consistent, of a script whose letters look Latin.
    LooksLatin {
        /// The first such letter.
        letter: char,
    },
    /// A digit 0 or 1 between letters, where an o or an l may be meant.
    DigitInWord {
        /// The digit.
        digit: char,
    },
}

impl fmt::Display for ScriptWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Direction { character } => {
                write!(f, "the name contains U+{:04X}, which turns writing round", u32::from(*character))
            }
            Self::Hidden { character } => {
                write!(f, "the name contains U+{:04X}, which cannot be seen", u32::from(*character))
            }
            Self::MixedWord { letter, .. } => {
                write!(f, "a word mixes letters of two scripts (U+{:04X})", u32::from(*letter))
            }
            Self::LooksLatin { letter } => {
                write!(f, "U+{:04X} only looks like a Latin letter", u32::from(*letter))
            }
            Self::DigitInWord { digit } => write!(f, "the digit {digit} stands among letters"),
        }
    }
}

/// What is suspicious in a name's writing, if anything.
///
/// ```
/// use yenban_protocol::text::{ScriptWarning, script_warning};
/// assert_eq!(script_warning("Nà Phòn"), None);
/// assert!(matches!(script_warning("N\u{0430} Phon"), Some(ScriptWarning::MixedWord { .. })));
/// ```
pub fn script_warning(name: &str) -> Option<ScriptWarning> {
    if let Some(character) = name.chars().find(|&c| is_bidi_control(c)) {
        return Some(ScriptWarning::Direction { character });
    }
    if let Some(character) = name.chars().find(|&c| c.is_control() || (is_hidden(c) && !is_joiner(c))) {
        return Some(ScriptWarning::Hidden { character });
    }
    let words = || name.split(|c: char| !c.is_alphanumeric() && !is_attached(c));
    words().find_map(mixed_word).or_else(|| name.chars().find_map(looks_latin)).or_else(|| words().find_map(digit_in_word))
}

fn mixed_word(word: &str) -> Option<ScriptWarning> {
    let mut first = None;
    for letter in word.chars().filter(|&c| c.is_alphabetic()) {
        let Some(script) = script_of(letter) else { continue };
        match first {
            None => first = Some(script),
            Some(known) if known != script => return Some(ScriptWarning::MixedWord { first: known, letter }),
            Some(_) => {}
        }
    }
    None
}

fn looks_latin(letter: char) -> Option<ScriptWarning> {
    let suspicious = matches!(script_of(letter), Some(Script::Greek | Script::Cyrillic | Script::LookAlike)) || is_latin_look_alike(letter);
    suspicious.then_some(ScriptWarning::LooksLatin { letter })
}

fn digit_in_word(word: &str) -> Option<ScriptWarning> {
    let letters: Vec<char> = word.chars().filter(|&c| c.is_alphanumeric()).collect();
    letters.windows(3).find_map(|three| match three {
        [before, digit @ ('0' | '1'), after] if before.is_alphabetic() && after.is_alphabetic() => {
            Some(ScriptWarning::DigitInWord { digit: *digit })
        }
        _ => None,
    })
}

/// Joiners and variation selectors have honest work to do, in emoji and in several scripts.
fn is_joiner(c: char) -> bool {
    matches!(c, '\u{200C}' | '\u{200D}' | '\u{FE00}'..='\u{FE0F}')
}

/// Marks and joiners do not end a word.
fn is_attached(c: char) -> bool {
    is_joiner(c) || unicode_normalization::char::is_combining_mark(c)
}

/// Latin in Unicode's eyes, but forms that no Vietnamese keyboard writes and that look like plain letters.
fn is_latin_look_alike(c: char) -> bool {
    matches!(c, 'ı' | 'ȷ' | 'ɑ' | 'ɡ' | 'ɩ' | 'ʋ' | 'ꞵ' | 'Ɩ' | '\u{01C0}' | '\u{A731}'
        | '\u{1D00}'..='\u{1D2B}' | '\u{2100}'..='\u{214F}' | '\u{FF21}'..='\u{FF3A}' | '\u{FF41}'..='\u{FF5A}'
        | '\u{1D400}'..='\u{1D7FF}')
}

/// The script of a letter; `None` for letters that belong to all (modifiers such as the apostrophe letter).
fn script_of(letter: char) -> Option<Script> {
    Some(match letter {
        '\u{02B0}'..='\u{02FF}' | '\u{00AA}' | '\u{00BA}' => return None,
        'A'..='Z'
        | 'a'..='z'
        | '\u{00C0}'..='\u{02AF}'
        | '\u{1D00}'..='\u{1D25}'
        | '\u{1D2C}'..='\u{1EFF}'
        | '\u{2C60}'..='\u{2C7F}'
        | '\u{A720}'..='\u{A7FF}'
        | '\u{AB30}'..='\u{AB6F}'
        | '\u{FB00}'..='\u{FB06}'
        | '\u{FF21}'..='\u{FF3A}'
        | '\u{FF41}'..='\u{FF5A}'
        | '\u{2100}'..='\u{214F}'
        | '\u{1D400}'..='\u{1D7FF}' => Script::Latin,
        '\u{AA80}'..='\u{AADF}' => Script::TaiViet,
        '\u{16B00}'..='\u{16B8F}' | '\u{1E100}'..='\u{1E14F}' => Script::Hmong,
        '\u{0E00}'..='\u{0EFF}'
        | '\u{1000}'..='\u{109F}'
        | '\u{1780}'..='\u{17FF}'
        | '\u{1950}'..='\u{19FF}'
        | '\u{1A20}'..='\u{1AAF}'
        | '\u{A9E0}'..='\u{A9FF}'
        | '\u{AA00}'..='\u{AA7F}' => Script::SouthEastAsian,
        '\u{1100}'..='\u{11FF}'
        | '\u{2E80}'..='\u{31FF}'
        | '\u{3400}'..='\u{9FFF}'
        | '\u{A000}'..='\u{A4CF}'
        | '\u{AC00}'..='\u{D7FF}'
        | '\u{F900}'..='\u{FAFF}'
        | '\u{16F00}'..='\u{16F9F}'
        | '\u{20000}'..='\u{3FFFF}' => Script::EastAsian,
        '\u{0370}'..='\u{03FF}' | '\u{1F00}'..='\u{1FFF}' | '\u{1D26}'..='\u{1D2A}' => Script::Greek,
        '\u{0400}'..='\u{052F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' | '\u{A640}'..='\u{A69F}' => Script::Cyrillic,
        '\u{0530}'..='\u{058F}'
        | '\u{10A0}'..='\u{10FF}'
        | '\u{13A0}'..='\u{13FF}'
        | '\u{AB70}'..='\u{ABBF}'
        | '\u{2C80}'..='\u{2CFF}'
        | '\u{A4D0}'..='\u{A4FF}'
        | '\u{2D00}'..='\u{2D7F}'
        | '\u{10280}'..='\u{1031F}'
        | '\u{10400}'..='\u{1044F}'
        | '\u{118A0}'..='\u{118FF}' => Script::LookAlike,
        _ => Script::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_every_people_pass() {
        for name in [
            "Bản Nà Phòn",
            "Na\u{300} Pho\u{300}n",
            "Xóm 2",
            "Khu 3A",
            "Ea H'Leo",
            "Ea H\u{2019}Leo",
            "Čư Ƀao",
            "Văn Miếu - Quốc Tử Giám",
            "ꪹꪎꪲꪀ ꪼꪕ",
            "ꪹꪎꪲꪀ (Chiềng)",
            "𖬌𖬣𖬵",
            "ບ້ານ",
            "บ้าน",
            "ភូមិ",
            "村 Nà Phòn",
            "",
            "K10",
            "🏔️ Pà Cò",
        ] {
            assert_eq!(script_warning(name), None, "{name}");
        }
    }

    #[test]
    fn borrowed_letters_are_named() {
        assert_eq!(script_warning("Nà Ph\u{043E}n"), Some(ScriptWarning::MixedWord { first: Script::Latin, letter: '\u{043E}' }));
        assert_eq!(script_warning("\u{0391}n"), Some(ScriptWarning::MixedWord { first: Script::Greek, letter: 'n' }));
        // A whole word in Cyrillic that reads as a Latin one.
        assert_eq!(script_warning("Bản \u{041D}\u{0410}"), Some(ScriptWarning::LooksLatin { letter: '\u{041D}' }));
        assert_eq!(script_warning("Ｎà Phòn"), Some(ScriptWarning::LooksLatin { letter: 'Ｎ' }));
        assert_eq!(script_warning("Bản 𝐍à"), Some(ScriptWarning::LooksLatin { letter: '𝐍' }));
        assert_eq!(script_warning("Nà Ph0n"), Some(ScriptWarning::DigitInWord { digit: '0' }));
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(script_warning("Nà\u{202E} Phòn"), Some(ScriptWarning::Direction { character: '\u{202E}' }));
        assert_eq!(script_warning("Nà\u{200B}Phòn"), Some(ScriptWarning::Hidden { character: '\u{200B}' }));
        assert_eq!(script_warning("Nà\u{0}"), Some(ScriptWarning::Hidden { character: '\0' }));
        assert_eq!(
            script_warning("Nà\u{202E} Phòn").map(|warning| warning.to_string()),
            Some("the name contains U+202E, which turns writing round".to_owned())
        );
    }
}
