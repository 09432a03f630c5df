//! The hamlets of a commune as the phone knows them: names people use, found however they are typed.

use std::fmt;

use yenban_protocol::text::{Limit, Near, ScriptWarning, TooLong, compare_key, degrees::LatLon, fold, nearest, script_warning};

use super::limits::HAMLETS_MAX;

/// A hamlet (bản, xóm, thôn: the word is part of the name where people say it so).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hamlet {
    number: u32,
    name: String,
    centre: Option<LatLon>,
}

/// Why a hamlet was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HamletError {
    /// No letter or digit in the name.
    NoName,
    /// The name is longer than a name may be.
    TooLong(TooLong),
    /// A control character or a character that turns writing round stands in the name.
    Unwritable(ScriptWarning),
    /// Another hamlet of the commune has this name.
    Twice,
    /// Another hamlet of the commune has this number.
    NumberTwice,
    /// The commune has more hamlets than a phone keeps.
    TooMany,
}

impl fmt::Display for HamletError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoName => f.write_str("a hamlet needs a name with a letter or a digit"),
            Self::TooLong(error) => write!(f, "the name of the hamlet is too long: {error}"),
            Self::Unwritable(warning) => write!(f, "the name of the hamlet cannot be kept: {warning}"),
            Self::Twice => f.write_str("another hamlet of the commune has this name"),
            Self::NumberTwice => f.write_str("another hamlet of the commune has this number"),
            Self::TooMany => write!(f, "a commune has at most {HAMLETS_MAX} hamlets here"),
        }
    }
}

impl std::error::Error for HamletError {}

impl Hamlet {
    /// A hamlet with the number the hub gave it. The name is kept as typed.
    ///
    /// # Errors
    /// [`HamletError`] for a name that is empty, too long, or cannot be shown as it stands.
    pub fn new(number: u32, name: &str, centre: Option<LatLon>) -> Result<Hamlet, HamletError> {
        Limit::NAME.check(name).map_err(HamletError::TooLong)?;
        // Borrowed letters are a matter for the reader's eye, not for refusal.
        if let Some(warning @ (ScriptWarning::Direction { .. } | ScriptWarning::Hidden { .. })) = script_warning(name) {
            return Err(HamletError::Unwritable(warning));
        }
        if !name.chars().any(char::is_alphanumeric) {
            return Err(HamletError::NoName);
        }
        Ok(Hamlet { number, name: name.to_owned(), centre })
    }

    /// The number within the commune.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The name as typed.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is about, when somebody has said so.
    pub fn centre(&self) -> Option<LatLon> {
        self.centre
    }

    /// What a reader should be told about the letters of the name, if anything.
    pub fn warning(&self) -> Option<ScriptWarning> {
        script_warning(&self.name)
    }
}

/// The hamlets of one commune, no name or number twice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hamlets {
    hamlets: Vec<Hamlet>,
}

/// What looking a typed name up came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<'a> {
    /// This one: the same name, or the only one that is the same without diacritics.
    One(&'a Hamlet),
    /// Several are the same without diacritics, and none is the same with them.
    Several(Vec<&'a Hamlet>),
    /// None; these are the nearest.
    None {
        /// Names near what was typed, nearest first, for the sentence that says so.
        nearest: Vec<&'a str>,
    },
}

/// Names offered for a mistyped one.
const NAMES_OFFERED: usize = 3;

impl Hamlets {
    /// Adds a hamlet.
    ///
    /// # Errors
    /// [`HamletError::Twice`], [`HamletError::NumberTwice`] or [`HamletError::TooMany`]; nothing is added then.
    pub fn add(&mut self, hamlet: Hamlet) -> Result<(), HamletError> {
        if self.hamlets.len() >= HAMLETS_MAX {
            return Err(HamletError::TooMany);
        }
        let key = compare_key(&hamlet.name);
        if self.hamlets.iter().any(|known| compare_key(&known.name) == key) {
            return Err(HamletError::Twice);
        }
        if self.hamlets.iter().any(|known| known.number == hamlet.number) {
            return Err(HamletError::NumberTwice);
        }
        self.hamlets.push(hamlet);
        Ok(())
    }

    /// All of them, in the order they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Hamlet> {
        self.hamlets.iter()
    }

    /// The hamlet with this number.
    pub fn by_number(&self, number: u32) -> Option<&Hamlet> {
        self.hamlets.iter().find(|hamlet| hamlet.number == number)
    }

    /// Looks up what somebody typed.
    pub fn look_up(&self, typed: &str) -> Lookup<'_> {
        let key = compare_key(typed.trim());
        if let Some(same) = self.hamlets.iter().find(|hamlet| compare_key(&hamlet.name) == key) {
            return Lookup::One(same);
        }
        let folded = fold(typed);
        let alike: Vec<&Hamlet> = self.hamlets.iter().filter(|hamlet| fold(&hamlet.name) == folded).collect();
        match alike[..] {
            [] => {
                let near = nearest(typed, self.hamlets.iter().map(Hamlet::name), NAMES_OFFERED);
                Lookup::None { nearest: near.into_iter().map(|Near { text, .. }| text).collect() }
            }
            [one] => Lookup::One(one),
            _ => Lookup::Several(alike),
        }
    }

    /// The hamlet whose known centre is nearest to a place, and the metres to it.
    pub fn nearest_to(&self, place: LatLon) -> Option<(&Hamlet, f64)> {
        let with_distance = |hamlet| Some((hamlet, super::distance_m(place, Hamlet::centre(hamlet)?)));
        self.hamlets.iter().filter_map(with_distance).min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commune(names: &[&str]) -> Hamlets {
        let mut hamlets = Hamlets::default();
        for (number, name) in (1..).zip(names) {
            hamlets.add(Hamlet::new(number, name, None).expect("a good name")).expect("a new name");
        }
        hamlets
    }

    #[test]
    fn a_hamlet_is_found_however_it_is_typed() {
        let hamlets = commune(&["Nà Phòn", "Nà Phon", "Piềng Vế"]);
        let number = |typed: &str| match hamlets.look_up(typed) {
            Lookup::One(hamlet) => Some(hamlet.number()),
            _ => None,
        };
        assert_eq!(number("Na\u{300} Pho\u{300}n"), Some(1));
        assert_eq!(number("pieng ve"), Some(3));
        assert!(matches!(hamlets.look_up("na phon"), Lookup::Several(both) if both.len() == 2));
        assert_eq!(hamlets.look_up("Pieng Ven"), Lookup::None { nearest: vec!["Piềng Vế"] });
    }

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let mut hamlets = commune(&["Nà Phòn"]);
        let again = Hamlet::new(2, "Na\u{300} Pho\u{300}n", None).expect("a good name");
        assert_eq!(hamlets.add(again), Err(HamletError::Twice));
        let number = Hamlet::new(1, "Xóm Pheo", None).expect("a good name");
        assert_eq!(hamlets.add(number), Err(HamletError::NumberTwice));
        assert_eq!(hamlets.iter().len(), 1);
    }

    #[test]
    fn names_are_kept_as_typed_or_refused() {
        assert_eq!(Hamlet::new(1, "Na\u{300} Phòn ", None).map(|hamlet| hamlet.name), Ok("Na\u{300} Phòn ".to_owned()));
        assert_eq!(Hamlet::new(1, " - ", None), Err(HamletError::NoName));
        assert!(matches!(Hamlet::new(1, "Nà\u{202E}", None), Err(HamletError::Unwritable(_))));
        assert!(matches!(Hamlet::new(1, &"à".repeat(81), None), Err(HamletError::TooLong(_))));
        let borrowed = Hamlet::new(1, "N\u{0430} Phon", None).expect("kept, with a warning");
        assert!(borrowed.warning().is_some());
    }

    #[test]
    fn the_nearest_centre_is_offered() {
        let mut hamlets = commune(&["Không rõ nơi"]);
        let here = LatLon::parse("20.66", "105.08").expect("in range");
        hamlets.add(Hamlet::new(7, "Nà Phòn", Some(here)).expect("a good name")).expect("a new name");
        assert_eq!(hamlets.nearest_to(here).map(|(hamlet, metres)| (hamlet.number(), metres)), Some((7, 0.0)));
        assert_eq!(commune(&["A"]).nearest_to(here), None);
    }
}
