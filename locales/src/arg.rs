//! Values put into messages. Their own type, so that no other part needs to know Fluent, and so
//! that text from people and files is made harmless in one place before it reaches a terminal.

use std::borrow::Cow;

use fluent_bundle::FluentValue;

/// One value of a message: text, or a number that takes part in plural forms.
#[derive(Clone, Debug)]
pub struct Arg<'a>(FluentValue<'a>);

impl Arg<'_> {
    pub(crate) fn value(&self) -> FluentValue<'_> {
        self.0.clone()
    }
}

impl<'a> From<Cow<'a, str>> for Arg<'a> {
    fn from(text: Cow<'a, str>) -> Self {
        // Isolates that open and close belong to text that was made safe before, or to a message inside a message;
        // one alone would swallow or free what stands after it.
        let closed = isolates_close(&text);
        let steers = |c: char| is_steering(c) && !(closed && matches!(c, ISOLATE | POP));
        let text = if text.contains(steers) { Cow::Owned(text.replace(steers, "\u{fffd}")) } else { text };
        Self(FluentValue::String(text))
    }
}

const ISOLATE: char = '\u{2068}';
const POP: char = '\u{2069}';

/// Whether every first-strong isolate is closed, none is closed before it is opened, and no other kind is opened.
fn isolates_close(text: &str) -> bool {
    let mut open = 0_u32;
    for c in text.chars() {
        match c {
            ISOLATE => open += 1,
            POP if open == 0 => return false,
            POP => open -= 1,
            '\u{2066}' | '\u{2067}' => return false,
            _ => {}
        }
    }
    open == 0
}

/// Characters that move the cursor, ring, or turn the direction of writing. Line breaks and tabs
/// stay, people's reports have them.
fn is_steering(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl<'a> From<&'a str> for Arg<'a> {
    fn from(text: &'a str) -> Self {
        Cow::Borrowed(text).into()
    }
}

impl<'a> From<&'a String> for Arg<'a> {
    fn from(text: &'a String) -> Self {
        text.as_str().into()
    }
}

impl From<String> for Arg<'_> {
    fn from(text: String) -> Self {
        Cow::<str>::Owned(text).into()
    }
}

macro_rules! from_numbers {
    ($($number:ty),*) => {$(
        impl From<$number> for Arg<'_> {
            fn from(number: $number) -> Self {
                Self(FluentValue::from(number))
            }
        }
    )*};
}

from_numbers!(i32, i64, u8, u16, u32, u64, usize);

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        match Arg::from(text).value() {
            FluentValue::String(text) => text.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn isolates_that_close_stay_and_others_do_not() {
        assert_eq!(shown("a \u{2068}b \u{2068}c\u{2069}\u{2069}"), "a \u{2068}b \u{2068}c\u{2069}\u{2069}");
        assert_eq!(shown("a\u{2069}b\u{2068}"), "a\u{fffd}b\u{fffd}");
        assert_eq!(shown("\u{2068}a"), "\u{fffd}a");
        assert_eq!(shown("\u{2067}a\u{2069}"), "\u{fffd}a\u{fffd}");
        assert_eq!(shown("\u{2068}a\u{202e}\u{2069}"), "\u{2068}a\u{fffd}\u{2069}");
    }
}
