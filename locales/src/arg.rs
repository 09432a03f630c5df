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
        let text = if text.contains(is_steering) { Cow::Owned(text.replace(is_steering, "\u{fffd}")) } else { text };
        Self(FluentValue::String(text))
    }
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
