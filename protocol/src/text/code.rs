//! The code of a checkpoint: short enough to be typed with cold hands, checked so that a wrong one is noticed.
//!
//! Six symbols of Crockford's base 32 (no I, L, O, U), five for the number and one to check them. The check symbol is
//! a weighted sum over the field of 32 elements with a different weight for each place, so every single wrong symbol
//! and every swap of two symbols is noticed. The code names a checkpoint; it is no secret and proves nothing.

use std::fmt;

const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const DATA_SYMBOLS: usize = 5;
const CODE_SYMBOLS: usize = DATA_SYMBOLS + 1;
/// Typed text longer than this is no code, whatever it is.
const TYPED_BYTES_MAX: usize = 64;
/// What the text of a checkpoint's QR begins with: product, version of the form, kind.
const QR_PREFIX: &str = "YB1:C:";
/// Longest signature text that may follow a code in a QR.
const QR_SIGNATURE_BYTES_MAX: usize = 256;

/// A checkpoint's code. Shown in two groups (`15N-M7J`), typed as one likes.
///
/// ```
/// use yenban_protocol::text::code::CheckpointCode;
/// let code = CheckpointCode::new(1_234_567).expect("fits in 25 bits");
/// assert_eq!(CheckpointCode::parse(&code.to_string().to_lowercase()), Ok(code));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckpointCode(u32);

/// Why a typed code was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeError {
    /// Not six symbols.
    Length {
        /// Symbols found, spaces and hyphens not counted.
        found: usize,
    },
    /// A character that no code contains.
    Symbol {
        /// The character.
        character: char,
        /// Its place among the symbols, from 1.
        place: usize,
    },
    /// The check symbol does not fit: one symbol is wrong, or two are swapped.
    Check,
    /// A QR that is not a checkpoint's.
    NotACheckpoint,
}

impl fmt::Display for CodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { found } => write!(f, "a checkpoint code has {CODE_SYMBOLS} symbols, this has {found}"),
            Self::Symbol { character, place } => {
                write!(f, "symbol {place} of the checkpoint code (U+{:04X}) is in no code", u32::from(*character))
            }
            Self::Check => f.write_str("the checkpoint code is mistyped: one symbol is wrong or two are swapped"),
            Self::NotACheckpoint => f.write_str("this is not the code of a checkpoint"),
        }
    }
}

impl std::error::Error for CodeError {}

impl CheckpointCode {
    /// Numbers run below this.
    pub const NUMBERS: u32 = 1 << (5 * DATA_SYMBOLS);

    /// The code of checkpoint `number` of a commune; `None` when the number does not fit in 25 bits.
    pub fn new(number: u32) -> Option<CheckpointCode> {
        (number < Self::NUMBERS).then_some(CheckpointCode(number))
    }

    /// The number the commune's hub gave the checkpoint.
    pub fn number(self) -> u32 {
        self.0
    }

    /// Reads a code as people type it: any case, spaces and hyphens anywhere, O for 0, I and L for 1.
    ///
    /// # Errors
    /// [`CodeError`] says which symbol, or that the check failed.
    pub fn parse(typed: &str) -> Result<CheckpointCode, CodeError> {
        let symbols: Vec<char> = typed
            .chars()
            .take(TYPED_BYTES_MAX)
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}' | '.' | '_'))
            .collect();
        let mut values = [0_u8; CODE_SYMBOLS];
        for (place, &character) in symbols.iter().enumerate() {
            let value = value_of(character).ok_or(CodeError::Symbol { character, place: place + 1 })?;
            if let Some(slot) = values.get_mut(place) {
                *slot = value;
            }
        }
        if symbols.len() != CODE_SYMBOLS {
            return Err(CodeError::Length { found: symbols.len() });
        }
        let number = values[..DATA_SYMBOLS].iter().fold(0, |sum, &value| (sum << 5) | u32::from(value));
        let code = CheckpointCode(number);
        if code.values() == values { Ok(code) } else { Err(CodeError::Check) }
    }

    /// The text of the checkpoint's QR. It uses only characters of QR's dense alphanumeric mode.
    pub fn qr_text(self) -> String {
        let symbols: String = self.values().iter().map(|&value| symbol(value)).collect();
        format!("{QR_PREFIX}{symbols}")
    }

    /// Reads the text of a QR, or a code typed by hand.
    ///
    /// A QR may carry a signature after the code (`YB1:C:15NM7J:…`). It is handed back **unverified**; a QR without
    /// one is as good as a typed code.
    ///
    /// # Errors
    /// [`CodeError::NotACheckpoint`] for another product's or another kind's QR, otherwise as [`Self::parse`].
    pub fn parse_qr(text: &str) -> Result<(CheckpointCode, Option<&str>), CodeError> {
        let text = text.trim();
        let Some(start) = text.get(..QR_PREFIX.len()).filter(|start| start.eq_ignore_ascii_case(QR_PREFIX)) else {
            return if text.contains(':') { Err(CodeError::NotACheckpoint) } else { Ok((Self::parse(text)?, None)) };
        };
        let rest = &text[start.len()..];
        match rest.split_once(':') {
            None => Ok((Self::parse(rest)?, None)),
            Some((_, signature)) if signature.len() > QR_SIGNATURE_BYTES_MAX => Err(CodeError::NotACheckpoint),
            Some((code, signature)) => Ok((Self::parse(code)?, Some(signature))),
        }
    }

    fn values(self) -> [u8; CODE_SYMBOLS] {
        let mut values = [0; CODE_SYMBOLS];
        for (place, slot) in values.iter_mut().take(DATA_SYMBOLS).enumerate() {
            let shift = 5 * (DATA_SYMBOLS - 1 - place);
            *slot = u8::try_from((self.0 >> shift) & 31).expect("five bits fit in a byte");
        }
        values[DATA_SYMBOLS] = check_symbol(&values[..DATA_SYMBOLS]);
        values
    }
}

impl fmt::Display for CheckpointCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, value) in self.values().into_iter().enumerate() {
            if place == CODE_SYMBOLS / 2 {
                f.write_str("-")?;
            }
            write!(f, "{}", symbol(value))?;
        }
        Ok(())
    }
}

/// The symbol of the low five bits of `value`.
pub(crate) fn symbol(value: u8) -> char {
    char::from(SYMBOLS[usize::from(value & 31)])
}

/// What a typed character was meant to be: upper case, O for 0, I and L for 1.
pub(crate) fn meant(character: char) -> char {
    match character.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    }
}

/// The five bits of a symbol as it is written, not as it may be typed.
pub(crate) fn exact_value_of(character: char) -> Option<u8> {
    SYMBOLS.iter().position(|&known| char::from(known) == character).and_then(|place| u8::try_from(place).ok())
}

fn value_of(character: char) -> Option<u8> {
    exact_value_of(meant(character))
}

/// Sum of the symbols, each times another power (1 to 5) of the field's generator: the check itself has weight 1, so
/// all six weights differ and no swap cancels out.
fn check_symbol(data: &[u8]) -> u8 {
    let mut weighted = 0;
    for &value in data {
        weighted = times_generator(weighted ^ value);
    }
    weighted
}

/// Multiplication by x in GF(32) = GF(2)[x] / (x^5 + x^2 + 1).
fn times_generator(value: u8) -> u8 {
    let doubled = value << 1;
    if doubled & 32 == 0 { doubled } else { (doubled ^ 0b10_0101) & 31 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_typed_as_people_type() {
        let code = CheckpointCode::new(33).expect("fits");
        let shown = code.to_string();
        assert_eq!(shown.len(), 7);
        assert_eq!(&shown[..3], "000");
        let untidy = shown.to_lowercase().replace('0', "o").replace('1', " l ").replace('-', "\u{2013} ");
        assert_eq!(CheckpointCode::parse(&untidy), Ok(code), "{untidy}");
        assert_eq!(CheckpointCode::new(CheckpointCode::NUMBERS), None);
    }

    #[test]
    fn golden_codes_never_change() {
        let shown = |number| CheckpointCode::new(number).map(|code| code.to_string());
        assert_eq!(shown(0).as_deref(), Some("000-000"));
        assert_eq!(shown(1).as_deref(), Some("000-012"));
        assert_eq!(shown(1_234_567).as_deref(), Some("15N-M7J"));
        assert_eq!(CheckpointCode::new(1).map(CheckpointCode::qr_text).as_deref(), Some("YB1:C:000012"));
    }

    #[test]
    fn refusals_say_what_is_wrong() {
        assert_eq!(CheckpointCode::parse(""), Err(CodeError::Length { found: 0 }));
        assert_eq!(CheckpointCode::parse("000-01"), Err(CodeError::Length { found: 5 }));
        assert_eq!(CheckpointCode::parse(&"0".repeat(1_000_000)), Err(CodeError::Length { found: 64 }));
        assert_eq!(CheckpointCode::parse("00U-012"), Err(CodeError::Symbol { character: 'U', place: 3 }));
        assert_eq!(CheckpointCode::parse("000-013"), Err(CodeError::Check));
    }

    #[test]
    fn a_qr_is_ours_or_named() {
        let code = CheckpointCode::new(77).expect("fits");
        assert_eq!(CheckpointCode::parse_qr(&code.qr_text()), Ok((code, None)));
        assert_eq!(CheckpointCode::parse_qr(&code.to_string()), Ok((code, None)));
        let signed = format!("{}:ABCD", code.qr_text());
        assert_eq!(CheckpointCode::parse_qr(&signed), Ok((code, Some("ABCD"))));
        assert_eq!(CheckpointCode::parse_qr("https://example.vn/x"), Err(CodeError::NotACheckpoint));
        assert_eq!(CheckpointCode::parse_qr("YB1:E:000012"), Err(CodeError::NotACheckpoint));
        assert!(CheckpointCode::parse_qr(&format!("{signed}{}", "A".repeat(300))).is_err());
    }

    proptest! {
        #[test]
        fn every_code_reads_back(number in 0..CheckpointCode::NUMBERS) {
            let code = CheckpointCode::new(number).expect("in range");
            prop_assert_eq!(CheckpointCode::parse(&code.to_string()), Ok(code));
            let qr = code.qr_text();
            prop_assert_eq!(CheckpointCode::parse_qr(&qr), Ok((code, None)));
        }

        #[test]
        fn one_wrong_symbol_is_noticed(number in 0..CheckpointCode::NUMBERS, place in 0..CODE_SYMBOLS, by in 1_u8..32) {
            let mut values = CheckpointCode(number).values();
            values[place] ^= by;
            let text: String = values.into_iter().map(symbol).collect();
            prop_assert_eq!(CheckpointCode::parse(&text), Err(CodeError::Check));
        }

        #[test]
        fn any_swap_is_noticed(number in 0..CheckpointCode::NUMBERS, a in 0..CODE_SYMBOLS, b in 0..CODE_SYMBOLS) {
            let mut values = CheckpointCode(number).values();
            prop_assume!(values[a] != values[b]);
            values.swap(a, b);
            let text: String = values.into_iter().map(symbol).collect();
            prop_assert_eq!(CheckpointCode::parse(&text), Err(CodeError::Check));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,30}") {
            let _ = CheckpointCode::parse_qr(&text);
        }
    }
}
