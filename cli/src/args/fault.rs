//! What the reader of the command line says, as one sentence in the person's language.

use clap::error::{ContextKind, ContextValue, Error, ErrorKind};
use clap::{ArgMatches, Command};
use std::ffi::OsString;
use yenban_locales::Words;

use crate::fault::Fault;

/// Reads the command line: what was chosen, or a text to show (help, version), or a refusal.
pub(crate) fn understood(command: Command, args: &[OsString], words: Words) -> Result<ArgMatches, Said> {
    command.try_get_matches_from(args).map_err(|error| match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Said::Text(plain(&error, words)),
        _ => Said::Fault(Box::new(fault(&error))),
    })
}

/// Something to say instead of doing.
pub(crate) enum Said {
    /// Help or version: done.
    Text(String),
    /// A refusal.
    Fault(Box<Fault>),
}

/// Help without the two words the library writes itself.
fn plain(error: &Error, words: Words) -> String {
    let options = format!("[{}]", words.word("help-options-short"));
    error.render().to_string().replace("[OPTIONS]", &options).trim_end().to_owned()
}

fn fault(error: &Error) -> Fault {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => texts.first().cloned(),
        _ => None,
    };
    // "--text <TEXT>" is told as "--text": the value's name adds nothing to the sentence.
    let option = |kind: ContextKind| text(kind).map(|text| text.split(" <").next().unwrap_or_default().to_owned());
    let named = option(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => match option(ContextKind::SuggestedArg) {
            Some(near) => Fault::usage("error-option-unknown-near").told("option", &named).with("near", near),
            None => Fault::usage("error-option-unknown").told("option", &named),
        },
        ErrorKind::InvalidSubcommand => {
            let typed = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            match text(ContextKind::SuggestedSubcommand) {
                Some(near) => Fault::usage("error-command-unknown-near").told("command", &typed).with("near", near),
                None => Fault::usage("error-command-unknown").told("command", &typed),
            }
        }
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Fault::usage("error-command-missing"),
        ErrorKind::MissingRequiredArgument => Fault::usage("error-option-missing").told("option", &named),
        ErrorKind::ArgumentConflict => match option(ContextKind::PriorArg) {
            Some(other) if other != named => Fault::usage("error-options-conflict").told("option", &named).told("other", &other),
            _ => Fault::usage("error-option-twice").told("option", &named),
        },
        ErrorKind::InvalidValue => match text(ContextKind::InvalidValue).filter(|value| !value.is_empty()) {
            Some(value) => {
                let choices = match error.get(ContextKind::ValidValue) {
                    Some(ContextValue::Strings(choices)) => choices.join(", "),
                    _ => String::new(),
                };
                Fault::usage("error-choice-unknown").with("option", named).told("value", &value).with("choices", choices)
            }
            None => Fault::usage("error-value-missing").told("option", &named),
        },
        ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues | ErrorKind::NoEquals => {
            Fault::usage("error-value-missing").told("option", &named)
        }
        ErrorKind::TooManyValues => Fault::usage("error-option-twice").told("option", &named),
        ErrorKind::InvalidUtf8 => Fault::usage("error-args-not-utf8"),
        _ => Fault::usage("error-usage"),
    }
}
