//! Values of options: read exactly, refused with a sentence that says how to write them.

use std::path::PathBuf;

use clap::ArgMatches;
use yenban_protocol::text::degrees::{LatLon, parse_scaled};
use yenban_protocol::text::{Limit, nearest};

use crate::fault::{Fault, Result, position};
use crate::limits::NEAREST_NAMES;

/// What one command was given.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a>(pub(crate) &'a ArgMatches);

impl<'a> Values<'a> {
    /// The text of an option, as typed.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        self.0.try_get_one::<String>(name).ok().flatten().map(String::as_str)
    }

    /// An option this command cannot do without.
    pub(crate) fn need(self, name: &'static str) -> Result<&'a str> {
        self.text(name).ok_or_else(|| Fault::usage("error-option-missing").with("option", format!("--{name}")))
    }

    /// All values of an option that may stand several times.
    pub(crate) fn all(self, name: &str) -> Vec<&'a str> {
        self.0.try_get_many::<String>(name).ok().flatten().map(|values| values.map(String::as_str).collect()).unwrap_or_default()
    }

    /// Whether a switch is on.
    pub(crate) fn on(self, name: &str) -> bool {
        self.0.try_get_one::<bool>(name).ok().flatten().copied().unwrap_or(false)
    }

    /// A path; an empty one is none.
    pub(crate) fn path(self, name: &'static str) -> Result<Option<PathBuf>> {
        match self.text(name) {
            Some("") => Err(Fault::usage("error-value-missing").with("option", format!("--{name}"))),
            path => Ok(path.map(PathBuf::from)),
        }
    }

    /// A path this command cannot do without.
    pub(crate) fn need_path(self, name: &'static str) -> Result<PathBuf> {
        self.need(name)?;
        self.path(name).map(Option::unwrap_or_default)
    }

    /// A text with something in it that fits its bounds.
    pub(crate) fn bounded(self, name: &'static str, limit: Limit) -> Result<Option<&'a str>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        if text.trim().is_empty() {
            return Err(Fault::usage("error-value-missing").with("option", format!("--{name}")));
        }
        bounded(text, limit).map(Some)
    }

    /// The same for one this command cannot do without.
    pub(crate) fn need_bounded(self, name: &'static str, limit: Limit) -> Result<&'a str> {
        self.need(name)?;
        self.bounded(name, limit).map(Option::unwrap_or_default)
    }

    /// A place typed as `--lat` and `--lon`, both or none.
    pub(crate) fn place(self) -> Result<Option<LatLon>> {
        let (lat, lon) = match (self.text("lat"), self.text("lon")) {
            (None, None) => return Ok(None),
            (Some(lat), Some(lon)) => (lat, lon),
            (Some(_), None) => return Err(Fault::usage("error-option-missing").with("option", "--lon")),
            (None, Some(_)) => return Err(Fault::usage("error-option-missing").with("option", "--lat")),
        };
        LatLon::parse(lat, lon).map(Some).map_err(|error| position(error, &format!("{lat} {lon}")))
    }

    /// Metres with decimals, as whole centimetres.
    pub(crate) fn centimetres(self, name: &'static str) -> Result<Option<u32>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let centimetres = parse_scaled(text, 2, ACCURACY_MAX_CM).and_then(|value| u32::try_from(value).ok());
        centimetres.map(Some).ok_or_else(|| invalid(name, text, "8"))
    }

    /// A whole number.
    pub(crate) fn number(self, name: &'static str, example: &str) -> Result<Option<u64>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(name, text, example))
    }
}

/// Beyond the circumference of the earth an accuracy says nothing.
const ACCURACY_MAX_CM: i64 = 4_000_000_000;

/// A value that is not understood, with one that would be.
pub(crate) fn invalid(option: &str, value: &str, example: &str) -> Fault {
    Fault::usage("error-value-invalid").with("option", format!("--{option}")).told("value", value).with("example", example)
}

/// A text with something in it that fits its bounds.
pub(crate) fn bounded(text: &str, limit: Limit) -> Result<&str> {
    if text.trim().is_empty() {
        return Err(Fault::usage("error-text-empty"));
    }
    limit.check(text).map_err(|long| {
        let id = if long.unit == "bytes" { "error-text-too-many-bytes" } else { "error-text-too-long" };
        Fault::usage(id).count("length", long.found as u64).count("limit", long.most as u64)
    })
}

/// One of a fixed set of words, or a refusal that names the nearest.
pub(crate) fn nearest_choice<'c>(option: &str, typed: &str, choices: impl IntoIterator<Item = &'c str>) -> Result<&'c str> {
    let choices: Vec<&str> = choices.into_iter().collect();
    if let Some(choice) = choices.iter().find(|choice| choice.eq_ignore_ascii_case(typed)) {
        return Ok(choice);
    }
    let fault = Fault::usage("error-choice-unknown").with("option", format!("--{option}")).told("value", typed);
    let offered = if choices.len() > 8 {
        nearest(typed, choices.iter().copied(), NEAREST_NAMES).into_iter().map(|near| near.text).collect()
    } else {
        choices
    };
    Err(fault.with("choices", offered.join(", ")))
}

/// A length of time as people write it: `90s`, `5min`, `6h`, `2d`; `None` when it is none. One of centuries is told as
/// some: whether it is too long is said by who knows how long it may be.
pub(crate) fn duration_ms(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 7] =
        [("ms", 1), ("min", 60_000), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("ngày", 86_400_000)];
    const LONGEST_MS: u64 = 1_000 * 366 * 86_400_000;
    let at = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(at);
    let unit_ms = UNITS.iter().find(|(name, _)| *name == unit.trim())?.1;
    // Digits alone: what does not parse is too large.
    let ms = number.parse::<u64>().unwrap_or(if number.is_empty() { 0 } else { u64::MAX }).saturating_mul(unit_ms).min(LONGEST_MS);
    (ms > 0).then_some(ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        assert_eq!(duration_ms("6h"), Some(21_600_000));
        assert_eq!(duration_ms("5min"), Some(300_000));
        assert_eq!(duration_ms("90s"), Some(90_000));
        assert_eq!(duration_ms("400d"), Some(400 * 86_400_000));
        assert_eq!(duration_ms("99999999999999999999d"), duration_ms("9999999d"));
        for bad in ["", "6", "h", "-6h", "6 parsecs", "0s", "d"] {
            assert_eq!(duration_ms(bad), None, "{bad}");
        }
    }

    #[test]
    fn texts_need_content_and_have_bounds() {
        assert!(bounded(" \n\t", Limit::NOTE).is_err());
        assert!(bounded("đã thấy", Limit::NOTE).is_ok());
        assert!(bounded(&"a".repeat(501), Limit::NOTE).is_err());
    }

    #[test]
    fn an_unknown_word_is_answered_with_the_choices() {
        assert_eq!(nearest_choice("role", "Member", ["member", "leader"]).unwrap(), "member");
        let fault = nearest_choice("role", "membr", ["member", "leader"]).unwrap_err();
        let sentence = fault.sentence(yenban_locales::Words::new(yenban_locales::Lang::En));
        assert!(sentence.contains("member, leader"), "{sentence}");
    }
}
