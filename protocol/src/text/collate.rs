//! Sorting lists as a Vietnamese reader expects.
//!
//! The rule: letters first, through the whole text, in the order
//! `a ă â b c d đ e ê f g h i j k l m n o ô ơ p q r s t u ư v w x y z`; only among texts with the same letters the
//! tones decide, from the first syllable on: none, huyền, hỏi, ngã, sắc, nặng; then lower case before upper case.
//! Space sorts before everything, numbers by their value ("Xóm 2" before "Xóm 10") and before letters, other scripts
//! after z by code point. Punctuation is a space. Texts that differ in nothing of this compare by their NFC form, so
//! the order is total.

use std::cmp::Ordering;

use unicode_normalization::UnicodeNormalization;

use super::fold::{compare_key, is_hidden};

const LETTERS: &str = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz";

/// A text's place in a sorted list; make it once per row, then compare.
///
/// ```
/// use yenban_protocol::text::CollationKey;
/// let mut names = ["Xóm 10", "Đá Đỏ", "Xóm 2", "Dân Chủ", "Ân", "An"];
/// names.sort_by_cached_key(|name| CollationKey::new(name));
/// assert_eq!(names, ["An", "Ân", "Dân Chủ", "Đá Đỏ", "Xóm 2", "Xóm 10"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CollationKey {
    letters: Vec<u32>,
    tones: Vec<u8>,
    capitals: Vec<bool>,
    text: String,
}

/// Ranks of the first level: space 0, then digits, the alphabet, and other characters by code point.
const SPACE: u32 = 0;
const NUMBER: u32 = 1;
const ALPHABET: u32 = 16;
const OTHER: u32 = 64;

impl CollationKey {
    /// The key of a text.
    pub fn new(text: &str) -> CollationKey {
        let nfc = compare_key(text);
        let mut key = CollationKey { letters: Vec::new(), tones: Vec::new(), capitals: Vec::new(), text: String::new() };
        let mut digits = String::new();
        for letter in nfc.chars().filter(|&c| !is_hidden(c)) {
            if letter.is_ascii_digit() {
                digits.push(letter);
                continue;
            }
            key.push_number(&mut digits);
            key.push(letter);
        }
        key.push_number(&mut digits);
        while key.letters.last() == Some(&SPACE) {
            key.letters.pop();
            key.tones.pop();
            key.capitals.pop();
        }
        key.text = nfc.into_owned();
        key
    }

    /// A run of digits sorts by value: its length without leading zeros, then its digits.
    fn push_number(&mut self, digits: &mut String) {
        if digits.is_empty() {
            return;
        }
        let value = digits.trim_start_matches('0');
        self.letters.push(NUMBER);
        self.letters.push(u32::try_from(value.len()).unwrap_or(u32::MAX));
        self.letters.extend(value.bytes().map(|digit| NUMBER + u32::from(digit - b'0')));
        digits.clear();
    }

    fn push(&mut self, letter: char) {
        let (base, tone) = take_tone(letter);
        let lower = base.to_lowercase().next().unwrap_or(base);
        if !lower.is_alphanumeric() && !is_mark(lower) {
            if self.letters.last().is_some_and(|&last| last != SPACE) {
                self.letters.push(SPACE);
                self.tones.push(0);
                self.capitals.push(false);
            }
            return;
        }
        let rank = match LETTERS.chars().position(|known| known == lower) {
            Some(place) => ALPHABET + u32::try_from(place).unwrap_or(0),
            None => OTHER + u32::from(lower),
        };
        self.letters.push(rank);
        self.tones.push(tone);
        self.capitals.push(base != lower);
    }
}

/// Compares two texts once; sorting a list is cheaper with [`CollationKey`].
pub fn vietnamese_order(left: &str, right: &str) -> Ordering {
    CollationKey::new(left).cmp(&CollationKey::new(right))
}

/// A letter without its tone, and the tone's rank; other marks stay on the letter.
fn take_tone(letter: char) -> (char, u8) {
    let mut tone = 0;
    let base: String = std::iter::once(letter)
        .nfd()
        .filter(|&mark| match tone_rank(mark) {
            Some(rank) => {
                tone = rank;
                false
            }
            None => true,
        })
        .nfc()
        .collect();
    match (tone, base.chars().next()) {
        (0, _) | (_, None) => (letter, 0),
        (_, Some(bare)) => (bare, tone),
    }
}

fn tone_rank(mark: char) -> Option<u8> {
    match mark {
        '\u{0300}' => Some(1),
        '\u{0309}' => Some(2),
        '\u{0303}' => Some(3),
        '\u{0301}' => Some(4),
        '\u{0323}' => Some(5),
        _ => None,
    }
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sorted(mut names: Vec<&str>) -> Vec<&str> {
        names.sort_by_cached_key(|name| CollationKey::new(name));
        names
    }

    #[test]
    fn the_alphabet_has_its_own_letters() {
        let order = vec!["An", "Ăn", "Ân", "Ba", "Da", "Đa", "Em", "Êm", "Ong", "Ông", "Ơn", "Un", "Ưn", "Va"];
        let mut shuffled = order.clone();
        shuffled.reverse();
        assert_eq!(sorted(shuffled), order);
    }

    #[test]
    fn tones_decide_only_among_the_same_letters() {
        assert_eq!(sorted(vec!["mạ", "má", "mã", "mả", "mà", "ma"]), ["ma", "mà", "mả", "mã", "má", "mạ"]);
        assert_eq!(sorted(vec!["mạ a", "ma b"]), ["mạ a", "ma b"], "letters of the whole text first");
        assert_eq!(sorted(vec!["Ma", "mà", "ma"]), ["ma", "Ma", "mà"], "case last of all");
    }

    #[test]
    fn numbers_sort_by_value_and_words_before_longer_words() {
        assert_eq!(sorted(vec!["Xóm 10", "Xóm 2", "Xóm Mới", "Xóm", "Xóm 02a"]), ["Xóm", "Xóm 2", "Xóm 02a", "Xóm 10", "Xóm Mới"]);
        assert_eq!(sorted(vec!["Nàng", "Nà Phòn"]), ["Nà Phòn", "Nàng"]);
        assert_eq!(sorted(vec!["ꪀ", "Z", "-Y"]), ["-Y", "Z", "ꪀ"]);
    }

    #[test]
    fn both_ways_of_typing_sort_alike() {
        let decomposed: String = "Nà Phòn".nfd().collect();
        assert_eq!(vietnamese_order("Nà Phòn", &decomposed), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn equal_keys_mean_equal_texts(left in "[a-cđăâ0-9 À-ỹ]{0,6}", right in "[a-cđăâ0-9 À-ỹ]{0,6}") {
            let equal = vietnamese_order(&left, &right) == Ordering::Equal;
            prop_assert_eq!(equal, super::super::same(&left, &right));
        }
    }
}
