//! The only place that reads the environment: arguments, language, PIN and what the terminal is.

use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::PathBuf;

use yenban_locales::Lang;

/// What the process was started with.
#[derive(Debug, Clone)]
pub(crate) struct Environment {
    /// The command line, the program's name first.
    pub(crate) args: Vec<OsString>,
    /// The language of the locale; `--lang` comes before it.
    pub(crate) lang: Lang,
    /// `YENBAN_PIN`, if it is set and not empty.
    pub(crate) pin: Option<String>,
    /// Whether standard error is a terminal: only then is progress shown.
    pub(crate) stderr_is_terminal: bool,
    /// Where the demonstration makes its folder.
    pub(crate) temporary: PathBuf,
}

impl Environment {
    /// Reads it once.
    pub(crate) fn read() -> Self {
        let var = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let lang = Lang::from_env(var("LC_ALL").as_deref(), var("LC_MESSAGES").as_deref(), var("LANG").as_deref());
        Self {
            args: std::env::args_os().collect(),
            lang,
            pin: var("YENBAN_PIN"),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            temporary: std::env::temp_dir(),
        }
    }

    /// The language asked for by `--lang`, before the command line is understood: its own refusals are told in it.
    pub(crate) fn asked_lang(&self) -> Lang {
        let mut args = self.args.iter().skip(1).map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--");
        let mut lang = None;
        while let Some(arg) = args.next() {
            let tag = match arg.strip_prefix("--lang") {
                Some("") => args.next().map(|tag| tag.into_owned()),
                Some(rest) => rest.strip_prefix('=').map(str::to_owned),
                None => None,
            };
            lang = tag.and_then(|tag| Lang::from_tag(&tag)).or(lang);
        }
        lang.unwrap_or(self.lang)
    }

    /// Whether `--json` stands on the command line, for refusals before it is understood.
    pub(crate) fn asked_json(&self) -> bool {
        self.args.iter().skip(1).take_while(|arg| *arg != "--").any(|arg| arg == "--json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(args: &[&str]) -> Environment {
        Environment {
            args: args.iter().map(OsString::from).collect(),
            lang: Lang::Vi,
            pin: None,
            stderr_is_terminal: false,
            temporary: PathBuf::new(),
        }
    }

    #[test]
    fn the_language_is_known_before_the_command_line_is_understood() {
        let lang = |args: &[&str]| environment(args).asked_lang();
        assert_eq!(lang(&["yenban", "--lang", "en", "nonsense"]), Lang::En);
        assert_eq!(lang(&["yenban", "nonsense", "--lang=en"]), Lang::En);
        assert_eq!(lang(&["yenban", "--lang", "fr"]), Lang::Vi);
        assert_eq!(lang(&["yenban", "--", "--lang", "en"]), Lang::Vi);
        assert!(environment(&["yenban", "x", "--json"]).asked_json());
        assert!(!environment(&["yenban", "--", "--json"]).asked_json());
    }
}
