//! The command line itself: names and flags are a contract, their explanations stand in the words of the product.
//!
//! The tree is built by hand and not derived, because its texts depend on the language asked for.

mod fault;
mod hub;
mod phone;
mod values;

use clap::{Arg, ArgAction, ArgMatches, ColorChoice, Command};
use yenban_locales::Words;

pub(crate) use fault::{Said, understood};
pub(crate) use hub::LISTEN;
pub(crate) use values::{Values, bounded, duration_ms, invalid, nearest_choice};

/// Options that every command has stand after its own.
const LAST: usize = 900;

/// Builds commands and options in one language.
#[derive(Clone, Copy)]
pub(crate) struct Builder {
    words: Words,
}

impl Builder {
    /// A command with its explanation and an example that runs as it stands.
    fn command(self, name: &'static str, about: &'static str, example: &'static str) -> Command {
        debug_assert!(self.words.has(about), "{about}");
        let examples: Vec<String> = example.lines().map(|line| format!("  {line}")).collect();
        let template = format!(
            "{{about}}\n\n{}: {{usage}}\n\n{{all-args}}\n\n{}:\n{}\n",
            self.words.word("help-usage"),
            self.words.word("help-example"),
            examples.join("\n")
        );
        Command::new(name)
            .about(self.words.word(about))
            .help_template(template)
            .color(ColorChoice::Never)
            .disable_help_flag(true)
            .disable_help_subcommand(true)
            .disable_version_flag(true)
            .subcommand_help_heading(self.words.word("help-commands"))
            .subcommand_value_name(self.words.word("help-command"))
            .arg_required_else_help(false)
    }

    fn arg(self, name: &'static str, help: &'static str) -> Arg {
        debug_assert!(self.words.has(help), "{help}");
        Arg::new(name).help(self.words.word(help))
    }

    /// An option with a value.
    fn option(self, name: &'static str, value: &'static str, help: &'static str) -> Arg {
        self.arg(name, help)
            .long(name)
            .value_name(value)
            .num_args(1)
            .allow_hyphen_values(true)
            .action(ArgAction::Set)
            .help_heading(self.words.word("help-options"))
    }

    /// An option that may stand several times.
    fn options(self, name: &'static str, value: &'static str, help: &'static str) -> Arg {
        self.option(name, value, help).action(ArgAction::Append)
    }

    /// A switch.
    fn switch(self, name: &'static str, help: &'static str) -> Arg {
        self.arg(name, help).long(name).action(ArgAction::SetTrue).help_heading(self.words.word("help-options"))
    }

    /// A value that stands alone.
    fn value(self, name: &'static str, shown: &'static str, help: &'static str) -> Arg {
        self.arg(name, help).value_name(shown).required(true).help_heading(self.words.word("help-values"))
    }
}

/// The whole tree in one language.
pub(crate) fn command(words: Words) -> Command {
    let b = Builder { words };
    b.command("yenban", "help-yenban", "yenban demo")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg(b.switch("json", "help-json").display_order(LAST).global(true))
        .arg(
            b.option("lang", "vi|en", "help-lang")
                .allow_hyphen_values(false)
                .value_parser(["vi", "en"])
                .hide_possible_values(true)
                .display_order(LAST)
                .global(true),
        )
        .arg(
            b.arg("help", "help-help")
                .long("help")
                .short('h')
                .action(ArgAction::Help)
                .display_order(LAST)
                .global(true)
                .help_heading(words.word("help-options")),
        )
        .arg(
            b.arg("version", "help-version").long("version").short('V').action(ArgAction::Version).help_heading(words.word("help-options")),
        )
        .subcommand(demo(b))
        .subcommand(hub::command(b))
        .subcommand(phone::command(b))
        .subcommand(verify(b))
}

fn verify(b: Builder) -> Command {
    b.command("verify", "help-verify", "yenban verify xa-mai-chau.tar")
        .arg(b.value("bundle", "BUNDLE", "help-verify-bundle"))
        .arg(b.option("root", "FINGERPRINT|FILE", "help-verify-root"))
        .arg(b.option("witness", "FILE", "help-verify-witness"))
}

fn demo(b: Builder) -> Command {
    b.command("demo", "help-demo", "yenban demo\nyenban demo --dir dem-tuan --lang en")
        .arg(b.option("dir", "DIR", "help-demo-dir"))
        .arg(b.options("track", "FILE.gpx", "help-demo-track"))
        .arg(b.options("photo", "FILE.jpg", "help-demo-photo"))
        .arg(b.switch("open", "help-demo-open"))
}

/// The names of the commands that were chosen, outermost first, with what the last of them was given.
pub(crate) fn chosen(matches: &ArgMatches) -> (Vec<&str>, &ArgMatches) {
    let mut path = Vec::new();
    let mut last = matches;
    while let Some((name, inner)) = last.subcommand() {
        path.push(name);
        last = inner;
    }
    (path, last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn the_tree_holds_together_in_both_languages() {
        for lang in [Lang::Vi, Lang::En] {
            command(Words::new(lang)).debug_assert();
        }
    }
}
