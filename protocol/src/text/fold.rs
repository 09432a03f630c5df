//! Comparing and finding: the NFC key, and the folded form that answers "suoi da ban" with "suối đá bạn".
//!
//! Only Latin letters lose their marks. Marks of other scripts are letters in their own right (the vowels of
//! Tai Viet, the tones of Pahawh Hmong), so the fold takes away the combining blocks that Latin uses and nothing else.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The form in which two texts are compared: Unicode NFC. Borrowed when the text is in that form already.
///
/// ```
/// use yenban_protocol::text::compare_key;
/// assert_eq!(compare_key("Na\u{300} Pho\u{300}n"), "Nà Phòn");
/// ```
pub fn compare_key(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        IsNormalized::No | IsNormalized::Maybe => Cow::Owned(text.nfc().collect()),
    }
}

/// Whether two texts are the same to a reader: equal in NFC, whatever keyboard typed them.
pub fn same(left: &str, right: &str) -> bool {
    left == right || compare_key(left) == compare_key(right)
}

/// The form in which text is searched: no diacritics, `đ` as `d`, lower case, single spaces, no hidden characters.
///
/// Folding is idempotent, and letters of scripts without case or accents come through unchanged.
///
/// ```
/// use yenban_protocol::text::fold;
/// assert_eq!(fold("Suối  Đá Bạn"), "suoi da ban");
/// assert_eq!(fold("ꪹꪝꪸꪉ"), "ꪹꪝꪸꪉ");
/// ```
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut space_due = false;
    // Hidden characters and marks typed apart go first: taken away after decomposition they could change the
    // canonical order of what stays, and folding twice would differ from folding once.
    let bare = text.chars().filter(|&c| !is_hidden(c) && !is_latin_mark(c));
    for letter in bare.nfd().filter(|&c| !is_latin_mark(c)) {
        if letter.is_whitespace() || letter.is_control() {
            space_due = !folded.is_empty();
            continue;
        }
        if space_due {
            folded.push(' ');
            space_due = false;
        }
        match plain_letter(letter) {
            Some(plain) => folded.push(plain),
            None => folded.extend(letter.to_lowercase()),
        }
    }
    folded
}

/// Whether `text` contains what somebody typed into a search field; an empty query is found everywhere.
pub fn folded_contains(text: &str, query: &str) -> bool {
    fold(text).contains(&fold(query))
}

/// Letters that carry their difference in a stroke or a hook, which no decomposition takes off.
fn plain_letter(letter: char) -> Option<char> {
    match letter {
        // Eth and the African d look the same as Đ and come from wrong keyboard layouts and from PDF text.
        'đ' | 'Đ' | 'ð' | 'Ð' | 'ɖ' | 'Ɖ' => Some('d'),
        // Ê Đê, Ba Na and Gia Rai names.
        'ƀ' | 'Ƀ' => Some('b'),
        'ł' | 'Ł' => Some('l'),
        'ø' | 'Ø' => Some('o'),
        // One apostrophe for "Ea H'Leo", whichever of them the keyboard offers.
        '\u{2018}' | '\u{2019}' | '\u{02BC}' | '\u{02B9}' | '\u{0060}' | '\u{00B4}' => Some('\''),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        _ => None,
    }
}

/// The combining blocks Latin text uses. Marks of other scripts lie in those scripts' own blocks and stay.
pub(super) fn is_latin_mark(c: char) -> bool {
    matches!(c, '\u{0300}'..='\u{036F}' | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}'
        | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

/// Characters that take no room and carry no letter: they must not hide a name from a search.
pub(super) fn is_hidden(c: char) -> bool {
    matches!(c, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}'
        | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF9}'..='\u{FFFB}'
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_search_without_diacritics_finds_the_stream() {
        assert_eq!(fold("suối đá bạn"), "suoi da ban");
        assert!(folded_contains("Lở ở Suối Đá Bạn, gần cầu", "suoi da ban"));
        assert!(!folded_contains("Suối Nánh", "suoi da"));
        assert_eq!(fold("ĐƯỜNG Ngã Ba"), "duong nga ba");
    }

    #[test]
    fn both_ways_of_typing_are_the_same_name() {
        let composed = "Nà Phòn";
        let decomposed: String = composed.nfd().collect();
        assert_ne!(composed, decomposed);
        assert!(same(composed, &decomposed));
        assert_eq!(fold(composed), fold(&decomposed));
        assert!(!same("Nà Phòn", "Na Phon"), "diacritics decide what is the same");
    }

    #[test]
    fn letters_of_the_mountain_peoples_stay() {
        // Tai Viet, whose vowel marks are combining characters; Pahawh Hmong; Hmông in Latin; Ê Đê.
        for kept in ["ꪹꪎꪲꪀ ꪼꪕ", "𖬌𖬣𖬵", "moob dawb"] {
            assert_eq!(fold(kept), kept);
        }
        assert_eq!(fold("Čư Ƀao"), "cu bao");
        assert_eq!(fold("Mường Bi, pơkhờ"), "muong bi, pokho");
        assert_eq!(fold("Ea H\u{2019}Leo"), "ea h'leo");
    }

    #[test]
    fn space_and_hidden_characters_do_not_hide_a_name() {
        assert_eq!(fold("  Nà\u{00A0}\t Ph\u{200B}òn \n"), "na phon");
        assert_eq!(fold("Nà \u{202E}Phòn"), "na phon");
        assert_eq!(fold("\u{0}\u{7}"), "");
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,40}") {
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn folding_any_characters_twice_is_folding_once(text in proptest::collection::vec(any::<char>(), 0..40)) {
            let text: String = text.into_iter().collect();
            let once = fold(&text);
            prop_assert_eq!(fold(&once), once);
        }

        #[test]
        fn the_fold_does_not_see_how_it_was_typed(text in proptest::collection::vec(any::<char>(), 0..20)) {
            let text: String = text.into_iter().filter(|&c| !is_hidden(c)).collect();
            let decomposed: String = text.nfd().collect();
            let composed: String = text.nfc().collect();
            prop_assert_eq!(fold(&decomposed), fold(&composed));
            prop_assert!(same(&decomposed, &composed));
        }
    }
}
