//! Why a command did not do what was asked: one sentence in the person's language and one exit code.

use std::fmt::Display;
use std::path::Path;

use serde_json::json;
use yenban_locales::{Arg, Words};
use yenban_protocol::text::degrees::DegreesError;

use crate::limits::TOLD_CHARS;

/// The exit codes. A contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The answer is no: altered, rejected, unsent.
    No,
    /// Wrong use.
    Usage,
    /// Could not: files, network.
    Could,
}

impl Exit {
    /// The number the process ends with.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::No => 1,
            Self::Usage => 2,
            Self::Could => 3,
        }
    }

    fn title_id(self) -> &'static str {
        match self {
            Self::No => "error-title-no",
            Self::Usage => "error-title-usage",
            Self::Could => "error-title-could-not",
        }
    }
}

/// Result of a command.
pub(crate) type Result<T, E = Fault> = std::result::Result<T, E>;

/// A refusal: which sentence, with which values, and how the process ends.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// How the process ends.
    pub(crate) exit: Exit,
    id: &'static str,
    code: String,
    values: Vec<(&'static str, String)>,
    counts: Vec<(&'static str, i64)>,
    listed: Option<(&'static str, serde_json::Value)>,
}

impl Fault {
    fn new(exit: Exit, id: &'static str) -> Self {
        let code = id.strip_prefix("error-").unwrap_or(id).to_owned();
        Self { exit, id, code, values: Vec::new(), counts: Vec::new(), listed: None }
    }

    /// Wrong use: exit 2.
    pub(crate) fn usage(id: &'static str) -> Self {
        Self::new(Exit::Usage, id)
    }

    /// The answer is no: exit 1.
    pub(crate) fn no(id: &'static str) -> Self {
        Self::new(Exit::No, id)
    }

    /// Could not: exit 3.
    pub(crate) fn could_not(id: &'static str) -> Self {
        Self::new(Exit::Could, id)
    }

    /// A value of the sentence. Values come from people and files, so only their beginning is repeated.
    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Display) -> Self {
        self.values.push((name, value.to_string()));
        self
    }

    /// A path of the sentence.
    #[must_use]
    pub(crate) fn at(self, path: &Path) -> Self {
        self.with("path", path.display())
    }

    /// A value typed by a person, cut to what a sentence can hold.
    #[must_use]
    pub(crate) fn told(self, name: &'static str, value: &str) -> Self {
        let mut cut: String = value.chars().take(TOLD_CHARS).collect();
        if cut.len() < value.len() {
            cut.push('…');
        }
        self.with(name, cut.replace(['\n', '\r', '\t'], " "))
    }

    /// A number of the sentence.
    #[must_use]
    pub(crate) fn count(mut self, name: &'static str, value: u64) -> Self {
        self.counts.push((name, i64::try_from(value).unwrap_or(i64::MAX)));
        self
    }

    /// Another code than the one of the sentence, where the other side named it.
    #[must_use]
    pub(crate) fn coded(mut self, code: &str) -> Self {
        code.clone_into(&mut self.code);
        self
    }

    /// A member of the problem document that has no place in a sentence.
    #[must_use]
    pub(crate) fn listing(mut self, name: &'static str, rows: serde_json::Value) -> Self {
        self.listed = Some((name, rows));
        self
    }

    /// The one sentence.
    pub(crate) fn sentence(&self, words: Words) -> String {
        let values = self.values.iter().map(|(name, value)| (*name, Arg::from(value.as_str())));
        let counts = self.counts.iter().map(|(name, value)| (*name, Arg::from(*value)));
        let args: Vec<(&str, Arg<'_>)> = values.chain(counts).collect();
        words.say(self.id, &args)
    }

    /// The problem document (RFC 9457).
    pub(crate) fn document(&self, words: Words) -> serde_json::Value {
        let mut document = json!({
            "type": format!("urn:yenban:problem:{}", self.code),
            "title": words.word(self.exit.title_id()),
            "detail": self.sentence(words),
            "code": self.code,
        });
        if let (Some((name, rows)), Some(members)) = (&self.listed, document.as_object_mut()) {
            members.insert((*name).to_owned(), rows.clone());
        }
        document
    }
}

/// What the system said about a file, as a phrase of a sentence.
pub(crate) fn io_reason(error: &std::io::Error, words: Words) -> String {
    use std::io::ErrorKind;
    let id = match error.kind() {
        ErrorKind::NotFound => "error-io-not-found",
        ErrorKind::PermissionDenied => "error-io-permission",
        ErrorKind::IsADirectory => "error-io-folder",
        ErrorKind::NotADirectory => "error-io-not-a-folder",
        ErrorKind::AlreadyExists => "error-io-exists",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "error-io-full",
        ErrorKind::ReadOnlyFilesystem => "error-io-read-only",
        ErrorKind::UnexpectedEof => "error-io-cut",
        ErrorKind::InvalidFilename => "error-io-name",
        ErrorKind::FileTooLarge => "error-io-too-large",
        ErrorKind::AddrInUse => "error-io-address-in-use",
        ErrorKind::AddrNotAvailable => "error-io-address-none",
        ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => "error-io-no-connection",
        ErrorKind::TimedOut => "error-io-time-out",
        ErrorKind::ResourceBusy | ErrorKind::ExecutableFileBusy => "error-io-busy",
        _ => return words.say("reason-foreign", &[("said", error.to_string().into())]),
    };
    words.word(id)
}

/// A file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error, words: Words) -> Fault {
    match error.kind() {
        std::io::ErrorKind::NotFound => Fault::could_not("error-file-missing").at(path),
        _ => Fault::could_not("error-file-unreadable").at(path).with("reason", io_reason(error, words)),
    }
}

/// A file that cannot be written.
pub(crate) fn unwritable(path: &Path, error: &std::io::Error, words: Words) -> Fault {
    Fault::could_not("error-file-unwritable").at(path).with("reason", io_reason(error, words))
}

/// A coordinate that is none.
pub(crate) fn position(error: DegreesError, typed: &str) -> Fault {
    let id = match error {
        DegreesError::Comma(_) => "error-position-comma",
        DegreesError::Empty(_) | DegreesError::NotANumber(_) => "error-position-unreadable",
        DegreesError::OutOfRange(_) => "error-position-invalid",
    };
    Fault::usage(id).told("value", typed)
}

/// A coordinate that is none, as a phrase of a longer sentence.
pub(crate) fn position_phrase(error: DegreesError, words: Words) -> String {
    words.word(match error {
        DegreesError::Empty(_) => "error-place-missing",
        DegreesError::Comma(_) | DegreesError::NotANumber(_) => "error-place-no-number",
        DegreesError::OutOfRange(_) => "error-place-off-earth",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn a_fault_is_one_sentence_and_one_document() {
        let fault = Fault::could_not("error-file-missing").at(Path::new("a\u{1b}b"));
        assert_eq!(fault.sentence(Words::new(Lang::En)), "There is no file a\u{fffd}b. Check the path.");
        let document = fault.document(Words::new(Lang::Vi));
        assert_eq!(document["type"], "urn:yenban:problem:file-missing");
        assert_eq!(fault.exit.code(), 3);
        assert!(!document["title"].as_str().unwrap().starts_with("error-"));
    }

    #[test]
    fn long_values_are_cut() {
        let fault = Fault::usage("error-kind-unknown").told("kind", &"đ".repeat(500)).with("kinds", "fire");
        assert!(fault.sentence(Words::new(Lang::Vi)).chars().count() < 200);
    }
}
