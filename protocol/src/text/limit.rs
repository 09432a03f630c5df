//! Length limits with one clear error: a name is bounded where it enters, so that nothing later has to ask.

use std::fmt;

use crate::limits::{MAX_NAME_BYTES, MAX_TEXT_BYTES};

/// How long a text may be. Both bounds hold: bytes bound storage and the wire, characters bound the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Most UTF-8 bytes.
    pub bytes: usize,
    /// Most characters (Unicode scalar values as typed, so a letter with two marks typed apart counts three).
    pub characters: usize,
}

impl Limit {
    /// A name of a person, a hamlet, a checkpoint, a group: one line on a card.
    pub const NAME: Limit = Limit { bytes: MAX_NAME_BYTES, characters: 80 };
    /// A note of a check-in: a sentence or two.
    pub const NOTE: Limit = Limit { bytes: 2_000, characters: 500 };
    /// The story of an incident: several pages of typing.
    pub const REPORT: Limit = Limit { bytes: MAX_TEXT_BYTES, characters: MAX_TEXT_BYTES };
    /// What may be typed into a search field.
    pub const QUERY: Limit = Limit { bytes: 400, characters: 100 };

    /// The text itself when it fits.
    ///
    /// # Errors
    /// [`TooLong`] names the bound that was passed, the bound and the length found.
    ///
    /// ```
    /// use yenban_protocol::text::Limit;
    /// assert!(Limit::NAME.check("Nà Phòn").is_ok());
    /// assert!(Limit::NAME.check(&"à".repeat(81)).is_err());
    /// ```
    pub fn check(self, text: &str) -> Result<&str, TooLong> {
        if text.len() > self.bytes {
            return Err(TooLong { unit: "bytes", most: self.bytes, found: text.len() });
        }
        let characters = text.chars().count();
        if characters > self.characters {
            return Err(TooLong { unit: "characters", most: self.characters, found: characters });
        }
        Ok(text)
    }

    /// As much of the text from its beginning as fits, never cutting a character in two.
    pub fn cut(self, text: &str) -> &str {
        let by_characters = text.char_indices().nth(self.characters).map_or(text.len(), |(at, _)| at);
        let mut end = by_characters.min(self.bytes).min(text.len());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        &text[..end]
    }
}

/// A text is longer than its place allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong {
    /// `"bytes"` or `"characters"`.
    pub unit: &'static str,
    /// The bound.
    pub most: usize,
    /// The length of the text that was refused.
    pub found: usize,
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the text has {} {}, at most {} fit", self.found, self.unit, self.most)
    }
}

impl std::error::Error for TooLong {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_hold_and_are_named() {
        let limit = Limit { bytes: 10, characters: 6 };
        assert_eq!(limit.check("Bản"), Ok("Bản"));
        assert_eq!(limit.check("abcdefg"), Err(TooLong { unit: "characters", most: 6, found: 7 }));
        assert_eq!(limit.check("ạạạạ"), Err(TooLong { unit: "bytes", most: 10, found: 12 }));
        assert_eq!(limit.check("ạạạạ").map_err(|e| e.to_string()), Err("the text has 12 bytes, at most 10 fit".to_owned()));
    }

    #[test]
    fn a_cut_never_splits_a_letter() {
        let limit = Limit { bytes: 10, characters: 6 };
        assert_eq!(limit.cut("ạạạạ"), "ạạạ");
        assert_eq!(limit.cut("abcdefghi"), "abcdef");
        assert_eq!(limit.cut("Bản"), "Bản");
        assert_eq!(limit.cut(""), "");
    }
}
