//! What a check finds wrong: a code for programs, what it is about, and what belongs to it. People's words for each stand
//! where people read them; here is none.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::objects::{ObjectRow, ObjectState};

/// What is wrong. A contract: add, never rename.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WrongCode {
    /// Entries before this one are missing.
    EntriesMissing,
    /// The entry does not give the link that was signed.
    EntryLink,
    /// The run of entries does not end as recorded.
    RunEnd,
    /// The record of this number of an item's custody does not follow.
    CustodyRecord,
    /// The head of this number over all custody does not follow.
    CustodyHead,
    /// A stored file is not there any more.
    FileMissing,
    /// A stored file is not what it was.
    FileAltered,
    /// What had come of an upload is gone.
    UploadGone,
    /// Something lies among the objects that is no file.
    NotAFile,
}

impl WrongCode {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::EntriesMissing,
        Self::EntryLink,
        Self::RunEnd,
        Self::CustodyRecord,
        Self::CustodyHead,
        Self::FileMissing,
        Self::FileAltered,
        Self::UploadGone,
        Self::NotAFile,
    ];

    /// The word of JSON.
    pub fn code(self) -> &'static str {
        match self {
            Self::EntriesMissing => "entries_missing",
            Self::EntryLink => "entry_link",
            Self::RunEnd => "run_end",
            Self::CustodyRecord => "custody_record",
            Self::CustodyHead => "custody_head",
            Self::FileMissing => "file_missing",
            Self::FileAltered => "file_altered",
            Self::UploadGone => "upload_gone",
            Self::NotAFile => "not_a_file",
        }
    }
}

/// One thing that a check found wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// What is wrong.
    pub code: WrongCode,
    /// With what: an entry, an item of evidence, a log of custody heads (`heads`), an upload, a name among the objects.
    pub subject: String,
    /// Which file of the item: `original`, `preview` or `thumbnail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The device that may still have it, 16 hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// The number of the custody record or head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<u64>,
}

impl Wrong {
    /// A finding about `subject`.
    pub fn new(code: WrongCode, subject: impl fmt::Display) -> Self {
        Self { code, subject: subject.to_string(), file: None, device: None, number: None }
    }

    /// The same, about this number of it.
    #[must_use]
    pub fn at(self, number: u64) -> Self {
        Self { number: Some(number), ..self }
    }

    /// A stored file that is missing or altered; `None` for any other state.
    pub fn file(row: &ObjectRow, state: ObjectState) -> Option<Self> {
        let code = match state {
            ObjectState::Missing => WrongCode::FileMissing,
            ObjectState::Altered => WrongCode::FileAltered,
            _ => return None,
        };
        Some(Self { file: Some(row.kind.code().to_owned()), device: Some(row.device.to_string()), ..Self::new(code, row.item) })
    }
}

/// For logs and tests: codes and names, no sentence.
impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.code.code(), self.subject)?;
        if let Some(number) = self.number {
            write!(f, " {number}")?;
        }
        match (&self.file, &self.device) {
            (Some(file), Some(device)) => write!(f, " {file} {device}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_words_of_json() {
        for code in WrongCode::ALL {
            assert_eq!(serde_json::to_value(code).expect("JSON"), code.code());
        }
        let head = Wrong::new(WrongCode::CustodyHead, "heads").at(4);
        assert_eq!(serde_json::to_string(&head).expect("JSON"), r#"{"code":"custody_head","subject":"heads","number":4}"#);
        assert_eq!(head.to_string(), "custody_head heads 4");
    }
}
