//! The words of every face of the product, from one source.
//!
//! Phone, console, printed page and command line must call the same thing by the same name, in
//! Vietnamese and in English; so no other part carries people's text, it carries ids of messages.
//! The messages are Fluent files, one a topic, in `vi/` and `en/`, embedded in the program.
//! Numbers, dates, distances and sizes are written by [`Words`] too ([`format`](mod@format)).
//!
//! ```
//! use yenban_locales::{Lang, Words};
//! let words = Words::new(Lang::Vi);
//! assert_eq!(words.say("word-patrol", &[]), "Đi tuần");
//! assert_eq!(
//!     words.say("phone-pin-wrong", &[("left", 3.into())]),
//!     "Chưa đúng. Còn 3 lần. Việc đã lưu không mất.",
//! );
//! assert_eq!(words.distance(1_234.0), "1,2 km");
//! ```

mod arg;
pub mod format;

use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use unic_langid::LanguageIdentifier;

pub use arg::Arg;

/// One embedded Fluent file: its name without folder, and its text.
pub type Source = (&'static str, &'static str);

macro_rules! sources {
    ($folder:literal) => {
        &[
            ("words.ftl", include_str!(concat!("../", $folder, "/words.ftl"))),
            ("kinds.ftl", include_str!(concat!("../", $folder, "/kinds.ftl"))),
            ("phone.ftl", include_str!(concat!("../", $folder, "/phone.ftl"))),
            ("prompts.ftl", include_str!(concat!("../", $folder, "/prompts.ftl"))),
            ("format.ftl", include_str!(concat!("../", $folder, "/format.ftl"))),
            ("errors.ftl", include_str!(concat!("../", $folder, "/errors.ftl"))),
            ("reasons.ftl", include_str!(concat!("../", $folder, "/reasons.ftl"))),
            ("codes.ftl", include_str!(concat!("../", $folder, "/codes.ftl"))),
            ("cli.ftl", include_str!(concat!("../", $folder, "/cli.ftl"))),
            ("demo.ftl", include_str!(concat!("../", $folder, "/demo.ftl"))),
            ("courier.ftl", include_str!(concat!("../", $folder, "/courier.ftl"))),
            ("evidence.ftl", include_str!(concat!("../", $folder, "/evidence.ftl"))),
            ("keys.ftl", include_str!(concat!("../", $folder, "/keys.ftl"))),
            ("record.ftl", include_str!(concat!("../", $folder, "/record.ftl"))),
            ("console.ftl", include_str!(concat!("../", $folder, "/console.ftl"))),
            ("phones.ftl", include_str!(concat!("../", $folder, "/phones.ftl"))),
            ("incidents.ftl", include_str!(concat!("../", $folder, "/incidents.ftl"))),
            ("warn.ftl", include_str!(concat!("../", $folder, "/warn.ftl"))),
            ("map.ftl", include_str!(concat!("../", $folder, "/map.ftl"))),
        ]
    };
}

const VI: &[Source] = sources!("vi");
const EN: &[Source] = sources!("en");

/// A language people may choose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lang {
    /// Vietnamese, the language of the product unless something says English.
    #[default]
    Vi,
    /// English.
    En,
}

impl Lang {
    /// The language of a tag such as `vi`, `en`, `en_GB.UTF-8` or `vi-VN`; `None` for any other.
    #[must_use]
    pub fn from_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['_', '-', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("vi") {
            Some(Self::Vi)
        } else if language.eq_ignore_ascii_case("en") {
            Some(Self::En)
        } else {
            None
        }
    }

    /// The language of a POSIX environment: the first of `LC_ALL`, `LC_MESSAGES`, `LANG` that is
    /// not empty decides. Anything but English, `C` too, gives Vietnamese.
    ///
    /// The values are handed in because only a program's own configuration reads the environment.
    ///
    /// ```
    /// use yenban_locales::Lang;
    /// assert_eq!(Lang::from_env(None, Some("en_GB.UTF-8"), Some("vi_VN")), Lang::En);
    /// assert_eq!(Lang::from_env(Some(""), None, Some("C.UTF-8")), Lang::Vi);
    /// ```
    #[must_use]
    pub fn from_env(lc_all: Option<&str>, lc_messages: Option<&str>, lang: Option<&str>) -> Self {
        [lc_all, lc_messages, lang].into_iter().flatten().find(|value| !value.is_empty()).and_then(Self::from_tag).unwrap_or_default()
    }

    /// The tag of the language as HTML and HTTP write it: `vi` or `en`.
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// The embedded files of this language, for tests and for tools that check them.
    #[must_use]
    pub fn sources(self) -> &'static [Source] {
        match self {
            Self::Vi => VI,
            Self::En => EN,
        }
    }

    fn identifier(self) -> LanguageIdentifier {
        self.tag().parse().expect("both tags are language identifiers, every test reads them")
    }
}

type Bundle = FluentBundle<FluentResource>;

static VI_PLAIN: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::Vi, false));
static EN_PLAIN: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En, false));
static VI_PAGES: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::Vi, true));
static EN_PAGES: LazyLock<Bundle> = LazyLock::new(|| bundle(Lang::En, true));

/// Reads the files of one language. A broken line or a second message of the same id is left out
/// here and is a failing test in `tests/tests/words.rs`: no phone stops over a word.
fn bundle(lang: Lang, isolating: bool) -> Bundle {
    let mut bundle = FluentBundle::new_concurrent(vec![lang.identifier()]);
    bundle.set_use_isolating(isolating);
    bundle.set_formatter(Some(match lang {
        Lang::Vi => |value, _| whole_number(Lang::Vi, value),
        Lang::En => |value, _| whole_number(Lang::En, value),
    }));
    for (_, text) in lang.sources() {
        let resource = match FluentResource::try_new((*text).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        // The first message of an id stays; see above for the second.
        let _ = bundle.add_resource(resource);
    }
    bundle
}

/// Groups the digits of counts inside messages; everything else is written by Fluent.
fn whole_number(lang: Lang, value: &FluentValue<'_>) -> Option<String> {
    match value {
        FluentValue::Number(number) if number.value.fract() == 0.0 => Some(format::number(lang, number.value as i64)),
        _ => None,
    }
}

/// The words of one language: a pointer, free to copy and to share between threads.
#[derive(Clone, Copy)]
pub struct Words {
    lang: Lang,
    bundle: &'static LazyLock<Bundle>,
}

impl std::fmt::Debug for Words {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Words").field("lang", &self.lang).finish_non_exhaustive()
    }
}

impl Words {
    /// Words for a terminal, a file or a printed page: no invisible marks around values.
    #[must_use]
    pub fn new(lang: Lang) -> Self {
        let bundle = match lang {
            Lang::Vi => &VI_PLAIN,
            Lang::En => &EN_PLAIN,
        };
        Self { lang, bundle }
    }

    /// Words for pages in a browser: every value stands between U+2068 and U+2069, so that a name
    /// written right to left cannot turn the sentence around it.
    #[must_use]
    pub fn for_pages(lang: Lang) -> Self {
        let bundle = match lang {
            Lang::Vi => &VI_PAGES,
            Lang::En => &EN_PAGES,
        };
        Self { lang, bundle }
    }

    /// The language these words are in.
    #[must_use]
    pub fn lang(self) -> Lang {
        self.lang
    }

    /// Whether there is a message of this id.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        self.bundle.get_message(id).is_some_and(|message| message.value().is_some())
    }

    /// The message of this id with its values put in. Counts are grouped as the language does
    /// (1.482 / 1,482); control characters in a text value come out as U+FFFD.
    ///
    /// An unknown id comes back as it is: a strange word on a screen is better than no screen.
    /// `tests/tests/words.rs` fails on every id in the sources that has no message.
    #[must_use]
    pub fn say(self, id: &str, args: &[(&str, Arg<'_>)]) -> String {
        let Some(pattern) = self.bundle.get_message(id).and_then(|message| message.value()) else {
            return id.to_owned();
        };
        let mut values = FluentArgs::with_capacity(args.len());
        for (name, value) in args {
            values.set((*name).to_owned(), value.value());
        }
        // A value that was forgotten shows as {$name}; the tests of each face catch it.
        self.bundle.format_pattern(pattern, Some(&values), &mut Vec::new()).into_owned()
    }

    /// The message of an id without values: `say(id, &[])`.
    #[must_use]
    pub fn word(self, id: &str) -> String {
        self.say(id, &[])
    }

    /// The name of a kind of incident, by its code (`fire`, `missing_person`).
    #[must_use]
    pub fn kind(self, code: &str) -> String {
        self.word(&format!("kind-{code}"))
    }

    /// What to do first at an incident of this kind.
    #[must_use]
    pub fn kind_advice(self, code: &str) -> String {
        self.word(&format!("kind-do-{code}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_shared_between_threads() {
        fn shared<T: Send + Sync + Copy>(_: T) {}
        shared(Words::new(Lang::Vi));
    }

    #[test]
    fn an_unknown_id_is_shown_and_stops_nobody() {
        assert_eq!(Words::new(Lang::Vi).say("no-such-word", &[]), "no-such-word");
        assert!(!Words::new(Lang::Vi).has("no-such-word"));
        assert_eq!(Words::new(Lang::En).kind("no such kind {"), "kind-no such kind {");
    }

    #[test]
    fn vietnamese_unless_something_says_english() {
        let lang = |a, b, c| Lang::from_env(a, b, c);
        assert_eq!(lang(None, None, None), Lang::Vi);
        assert_eq!(lang(None, None, Some("C")), Lang::Vi);
        assert_eq!(lang(None, None, Some("fr_FR.UTF-8")), Lang::Vi);
        assert_eq!(lang(None, None, Some("en_US.UTF-8")), Lang::En);
        assert_eq!(lang(Some("vi_VN.UTF-8"), None, Some("en_US.UTF-8")), Lang::Vi);
        assert_eq!(lang(Some(""), Some("en"), Some("vi_VN")), Lang::En);
        assert_eq!(Lang::from_tag("EN-gb"), Some(Lang::En));
        assert_eq!(Lang::from_tag("english"), None);
    }

    #[test]
    fn counts_are_grouped_and_english_counts_agree() {
        let unsent = |lang, n: u64| Words::new(lang).say("format-days", &[("n", n.into())]);
        assert_eq!(unsent(Lang::Vi, 1_482), "1.482 ngày");
        assert_eq!(unsent(Lang::En, 1_482), "1,482 days");
        assert_eq!(unsent(Lang::En, 1), "1 day");
    }

    #[test]
    fn only_pages_isolate_values() {
        let args = [("distance", Arg::from("12 m"))];
        assert_eq!(Words::new(Lang::Vi).say("word-accuracy", &args), "Sai số khoảng 12 m");
        assert_eq!(Words::for_pages(Lang::Vi).say("word-accuracy", &args), "Sai số khoảng \u{2068}12 m\u{2069}");
    }

    #[test]
    fn a_value_cannot_steer_the_terminal() {
        let said = Words::new(Lang::En).say("error-file-missing", &[("path", "a\u{1b}[2Jb\u{202e}c".into())]);
        assert_eq!(said, "There is no file a\u{fffd}[2Jb\u{fffd}c. Check the path.");
    }
}
