//! Four words that two people compare aloud when a phone joins: one reads them from the phone, the other from the hub.
//!
//! They stand for the commune root that the phone pinned and for the key with which it signs, so they agree only when the
//! phone spoke with this hub and this hub registered this phone. Whoever photographed a code and was faster has another
//! key and other words.
//!
//! Somebody who gave the phone a false code knows its words before he joins with the real one, and may try keys until
//! one has the same 32 bits, for the ten minutes that a code lives. So each try costs time and memory (Argon2id, RFC 9106):
//! four billion of them are years on a large machine, and one is nothing on a phone.

use std::sync::OnceLock;

use argon2::{Algorithm, Argon2, Params, Version};

use crate::cbor::Writer;
use crate::crypto::{Hash, PublicKey};

/// Words that are compared.
pub const WORDS_COMPARED: usize = 4;
/// Words to draw from: one byte names one.
const WORDS_KNOWN: usize = 256;
/// Memory for one try, KiB.
const TRY_KIB: u32 = 19 * 1_024;
/// Passes over it.
const TRY_PASSES: u32 = 2;

fn known() -> &'static [&'static str; WORDS_KNOWN] {
    static KNOWN: OnceLock<[&str; WORDS_KNOWN]> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut lines = include_str!("../data/four_words.txt").lines();
        // A list of another length is refused by the tests; here it would only repeat no word twice.
        std::array::from_fn(|_| lines.next().unwrap_or_default())
    })
}

/// The words of a device that signs with `sign_key` in the commune whose root has this hash. Takes some 30 ms and 19 MiB.
pub fn four_words(root_hash: &Hash, sign_key: &PublicKey) -> [&'static str; WORDS_COMPARED] {
    let mut w = Writer::with_capacity(128);
    w.array(3).text("yb1/words").bytes(root_hash).bytes(&sign_key.0);
    let mut hash = [0; WORDS_COMPARED];
    Params::new(TRY_KIB, TRY_PASSES, 1, Some(WORDS_COMPARED))
        .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
        .and_then(|argon2| argon2.hash_password_into(w.as_bytes(), b"yb1/words", &mut hash))
        .expect("these sizes are within the bounds of Argon2");
    std::array::from_fn(|place| known()[usize::from(hash[place])])
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::text::{compare_key, fold};

    /// A word as a northern ear may take it: without marks, initials that are not told apart put together.
    fn heard(word: &str) -> String {
        let folded = fold(word);
        let (first, rest) = match folded.as_str() {
            _ if word.starts_with('đ') => ("D", &folded[1..]),
            f if f.starts_with("tr") => ("ch", &folded[2..]),
            f if f.starts_with('x') => ("s", &folded[1..]),
            f if f.starts_with("gi") => ("z", &folded[2..]),
            f if f.starts_with(['r', 'd']) => ("z", &folded[1..]),
            f if f.starts_with('l') => ("n", &folded[1..]),
            _ => ("", &folded[..]),
        };
        format!("{first}{rest}").replace('y', "i")
    }

    #[test]
    fn no_two_words_are_taken_for_each_other() {
        let lines: Vec<&str> = include_str!("../data/four_words.txt").lines().collect();
        assert_eq!(lines.len(), WORDS_KNOWN);
        for word in &lines {
            assert!(
                compare_key(word) == *word && word.chars().all(char::is_lowercase) && (1..=6).contains(&word.chars().count()),
                "{word}"
            );
        }
        let distinct = |of: &dyn Fn(&str) -> String| lines.iter().map(|word| of(word)).collect::<HashSet<_>>().len();
        assert_eq!(distinct(&|word| fold(word)), WORDS_KNOWN, "without marks");
        assert_eq!(distinct(&heard), WORDS_KNOWN, "to the ear");
    }

    #[test]
    fn the_words_follow_root_and_key() {
        let key = |byte| PublicKey([byte; 33]);
        let words = four_words(&[7; 32], &key(2));
        assert_eq!(words, four_words(&[7; 32], &key(2)));
        assert_ne!(words, four_words(&[7; 32], &key(3)), "another phone");
        assert_ne!(words, four_words(&[8; 32], &key(2)), "another commune");
        // Order and words are part of the protocol.
        assert_eq!(words.join(" "), "túi chảo vách cải");
    }
}
