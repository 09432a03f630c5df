//! What can go wrong at the hub, in two rings: [`HubError`] inside, one problem document (RFC 9457) outside.
//!
//! A [`Refusal`] is the sender's affair and has no effect; everything else is ours, is logged, and the
//! sender may try again. Neither carries content of a report or a name of a person.

use std::path::PathBuf;

/// Why something that was asked for is not done. Each has one code (for programs) and one HTTP status.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Bytes that are not what they claim to be.
    #[error("not understood: {0}")]
    Malformed(String),
    /// A bound was passed.
    #[error("too large: {0}")]
    TooLarge(String),
    /// Sealed to another key, or altered on the way.
    #[error("this cannot be opened with the keys of this hub")]
    Unsealed,
    /// A signature does not hold.
    #[error("the signature of the {0} does not hold")]
    Signature(&'static str),
    /// The entries do not give the link that was signed.
    #[error("the entries do not give the signed link")]
    Chain,
    /// The log belongs to another device.
    #[error("this log belongs to another device")]
    WrongDevice,
    /// Content encodings are not accepted.
    #[error("bodies are not compressed here: send without Content-Encoding")]
    Encoding,
    /// The body is of another media type.
    #[error("the body must be application/cbor")]
    MediaType,
    /// A chunk is of another media type.
    #[error("a chunk is sent as {}", yenban_protocol::upload::CHUNK_TYPE)]
    ChunkType,
    /// The enrolment code was used.
    #[error("this enrolment code was used already; ask for a new one")]
    TokenUsed,
    /// The enrolment code has expired by the hub's clock.
    #[error("this enrolment code has expired; ask for a new one")]
    TokenExpired,
    /// No such enrolment code here.
    #[error("this hub did not make this enrolment code")]
    TokenUnknown,
    /// The code was changed: role, hamlet or commune are not those it was made with.
    #[error("the enrolment code was altered: {0} is not what the hub wrote")]
    TokenAltered(&'static str),
    /// The code names another hub.
    #[error("this enrolment code is for another hub")]
    HubMismatch,
    /// The device is not known, or not allowed to receive.
    #[error("this device is not known here")]
    UnknownDevice,
    /// The device was revoked.
    #[error("this device was revoked")]
    Revoked,
    /// Its four words have not been compared yet.
    #[error("nobody has compared the four words of this device with the hub's yet; what it sends is taken after that")]
    Unconfirmed,
    /// The certificate has expired: it may deliver and renew, not receive.
    #[error("the certificate of this device has expired; it receives nothing until renewed")]
    CertificateExpired,
    /// The request key is not valid now.
    #[error("the request key is not valid at this time")]
    RequestKey,
    /// A place that does not exist here.
    #[error("there is no hamlet \"{name}\" here{}", nearest_words(.nearest))]
    UnknownHamlet {
        /// What was typed.
        name: String,
        /// The nearest names there are.
        nearest: Vec<String>,
    },
    /// A person who is no officer of this hub.
    #[error("there is no officer \"{name}\" here{}", nearest_words(.nearest))]
    UnknownOfficer {
        /// What was typed.
        name: String,
        /// The nearest names of officers.
        nearest: Vec<String>,
    },
    /// A thing named that does not exist (or is not for the asker).
    #[error("there is no {what} \"{name}\"")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Its name as asked for.
        name: String,
    },
    /// A value that cannot be.
    #[error("{field}: {reason}")]
    Invalid {
        /// Which field.
        field: &'static str,
        /// Why not.
        reason: String,
    },
    /// An alert for the whole commune needs a second officer.
    #[error("an alert for the whole commune needs a second officer")]
    SecondOfficer,
    /// Rows of an imported file that cannot be taken; nothing was imported.
    #[error("nothing was imported: {} of the rows cannot be taken, the first is line {}: {}",
        .0.len(), .0.first().map_or(0, |r| r.line), .0.first().map_or("", |r| r.reason.as_str()))]
    BadRows(Vec<BadRow>),
    /// A kept amount is reached.
    #[error("the limit for {0} is reached")]
    Quota(&'static str),
    /// The hub is at its limit of work; try again soon.
    #[error("the hub is busy; try again soon")]
    Busy,
    /// No accepted entry names this file (yet).
    #[error("no entry that was accepted names this file")]
    NotNamed,
    /// The file came, was verified, and was destroyed when its time was over or by an order.
    #[error("this file was destroyed here and is not wanted again")]
    Erased,
    /// The item of evidence was destroyed: nothing can be done with it any more.
    #[error("the item was destroyed at {at}{why}")]
    Destroyed {
        /// When, RFC 3339.
        at: String,
        /// Why, as the end of the sentence.
        why: String,
    },
    /// The file is complete and verified: no route changes it.
    #[error("this file is complete and verified; nothing changes it")]
    Complete,
    /// Another length than the entry names.
    #[error("the entry names a file of {named} bytes")]
    WrongLength {
        /// What the entry names.
        named: u64,
    },
    /// A chunk that does not begin where the last one ended.
    #[error("the next byte wanted is {offset}")]
    WrongOffset {
        /// Bytes that are here.
        offset: u64,
    },
    /// A newer request took the upload over.
    #[error("a newer request goes on with this upload")]
    Superseded,
    /// All bytes came and do not give the hash the entry names.
    #[error("the bytes that came do not give the hash that the entry names; delete the upload and begin again")]
    WrongHash,
    /// The sealed file is the one the entry names, but what is in it is not.
    #[error("what is in the sealed file is not what the entry names")]
    WrongContent,
    /// The checksum of a chunk does not agree.
    #[error("the checksum does not agree with the chunk; nothing of it was kept")]
    Checksum,
    /// Another version of the upload protocol.
    #[error("uploads speak tus {}", yenban_protocol::upload::TUS_VERSION)]
    TusVersion,
    /// Nearly nothing came for a minute.
    #[error("too little came for a minute; what came is kept")]
    TooSlow,
    /// The disk is full but for what reports and alerts need.
    #[error("the hub has no room for files now; what came is kept, reports still go through")]
    StorageFull,
    /// The item is held for a case.
    #[error("the item is held for a case until {until}")]
    Held {
        /// Until when.
        until: String,
    },
    /// A text that is no report by message.
    #[error("{0}")]
    Sms(yenban_protocol::sms::SmsError),
    /// The same name with another content.
    #[error("{0} exists already with another content")]
    Conflict(&'static str),
}

/// A row of an imported file that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct BadRow {
    /// Line in the file, from 1 (the head is line 1).
    pub line: u64,
    /// Why.
    pub reason: String,
}

fn nearest_words(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; nearest: {}", nearest.join(", ")) }
}

impl Refusal {
    /// The code programs decide by. A contract: add, never rename.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::TooLarge(_) => "too_large",
            Self::Unsealed => "unsealed",
            Self::Signature(_) => "signature",
            Self::Chain => "chain",
            Self::WrongDevice => "wrong_device",
            Self::Encoding => "encoding",
            Self::MediaType | Self::ChunkType => "media_type",
            Self::TokenUsed => "token_used",
            Self::TokenExpired => "expired",
            Self::TokenUnknown => "token_unknown",
            Self::TokenAltered(_) => "token_altered",
            Self::HubMismatch => "hub_mismatch",
            Self::UnknownDevice => "unknown_device",
            Self::Revoked => "revoked",
            Self::Unconfirmed => "unconfirmed",
            Self::CertificateExpired => "certificate_expired",
            Self::RequestKey => "request_key",
            Self::UnknownHamlet { .. } => "unknown_hamlet",
            Self::UnknownOfficer { .. } => "unknown_officer",
            Self::NotFound { .. } => "not_found",
            Self::Invalid { .. } => "invalid",
            Self::SecondOfficer => "second_officer",
            Self::BadRows(_) => "bad_rows",
            Self::Quota(_) => "quota",
            Self::Busy => "busy",
            Self::NotNamed => "not_named",
            Self::Erased | Self::Destroyed { .. } => "erased",
            Self::Complete => "complete",
            Self::WrongLength { .. } => "wrong_length",
            Self::WrongOffset { .. } => "wrong_offset",
            Self::Superseded => "superseded",
            Self::WrongHash => "wrong_hash",
            Self::WrongContent => "wrong_content",
            Self::Checksum => "checksum",
            Self::TusVersion => "tus_version",
            Self::TooSlow => "too_slow",
            Self::StorageFull => "storage_full",
            Self::Held { .. } => "held",
            Self::Sms(_) => "sms_text",
            Self::Conflict(_) => "conflict",
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::TooLarge(_) => 413,
            Self::Encoding | Self::MediaType | Self::ChunkType => 415,
            Self::Unsealed | Self::Signature(_) | Self::Chain | Self::Invalid { .. } | Self::SecondOfficer | Self::BadRows(_) => 422,
            Self::WrongDevice | Self::TokenUsed | Self::Conflict(_) => 409,
            Self::TokenExpired => 410,
            Self::TokenUnknown | Self::TokenAltered(_) | Self::HubMismatch => 403,
            Self::UnknownDevice | Self::Revoked | Self::Unconfirmed | Self::CertificateExpired | Self::RequestKey => 403,
            Self::UnknownHamlet { .. } | Self::UnknownOfficer { .. } | Self::NotFound { .. } => 404,
            Self::Quota(_) => 429,
            Self::Busy => 503,
            Self::NotNamed => 404,
            Self::Erased | Self::Destroyed { .. } => 410,
            Self::Complete => 403,
            Self::WrongLength { .. } | Self::WrongOffset { .. } | Self::Superseded | Self::Held { .. } => 409,
            Self::WrongHash | Self::WrongContent | Self::Sms(_) => 422,
            Self::Checksum => 460,
            Self::TusVersion => 412,
            Self::TooSlow => 408,
            Self::StorageFull => 507,
            Self::Malformed(_) => 400,
        }
    }
}

/// Anything that can go wrong at the hub.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// The asker's affair: no effect.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error("the hub's database: {0}")]
    Store(String),
    /// A file or folder.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The storage of sealed files.
    #[error("object storage: {0}")]
    Storage(String),
    /// The folder is not a hub's, or a file of it is damaged.
    #[error("{path}: {reason}")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Another process works on this hub.
    #[error("{0} is in use by another process")]
    Locked(PathBuf),
    /// The network: address in use, no listener.
    #[error("network: {0}")]
    Network(String),
    /// A hub in another process ended, or was ended, while it worked for this one.
    #[error("the running hub ended before it answered")]
    Ended,
    /// A hub in another process answered what is no answer.
    #[error("the hub answered in another form: {0}")]
    Answer(String),
    /// Cryptography that cannot fail with good keys failed.
    #[error("keys: {0}")]
    Keys(String),
    /// The hub is stopping.
    #[error("the hub is stopping")]
    Stopping,
    /// What a running hub answered to an operator.
    #[error("{}", .0.detail)]
    Told(Box<Problem>),
}

/// Result of this crate.
pub type Result<T> = std::result::Result<T, HubError>;

impl HubError {
    /// The code programs decide by.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused(refusal) => refusal.code(),
            Self::Told(problem) => &problem.code,
            Self::Store(_) => "store",
            Self::Storage(_) => "storage",
            Self::File { .. } => "file",
            Self::Folder { .. } => "folder",
            Self::Locked(_) => "locked",
            Self::Network(_) => "network",
            Self::Ended => "hub_ended",
            Self::Answer(_) => "hub_answer",
            Self::Keys(_) => "keys",
            Self::Stopping => "stopping",
        }
    }

    /// A file error with its path.
    pub fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File { path, source }
    }

    /// A damaged or foreign folder.
    pub fn folder(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        Self::Folder { path: path.into(), reason: reason.into() }
    }
}

/// The outer ring: what leaves over HTTP or the control socket.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Problem {
    /// A name of the problem's type.
    #[serde(rename = "type")]
    pub kind: String,
    /// One short sentence, the same for every case of the type.
    pub title: String,
    /// What was wrong this time.
    pub detail: String,
    /// The code programs decide by.
    pub code: String,
    /// HTTP status.
    pub status: u16,
    /// Names offered instead (unknown hamlet or officer).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nearest: Vec<String>,
    /// Rows refused (import).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<BadRow>,
}

impl Problem {
    /// The problem as the operator of this hub may see it: nothing is hidden.
    pub fn for_operator(error: &HubError) -> Self {
        let problem = Self::from(error);
        Self { detail: error.to_string(), ..problem }
    }

    /// A problem from its code, status and sentence.
    pub fn new(code: &str, status: u16, detail: impl Into<String>) -> Self {
        let title = title(status);
        Self {
            kind: format!("urn:yenban:problem:{code}"),
            title: title.to_owned(),
            detail: detail.into(),
            code: code.to_owned(),
            status,
            nearest: Vec::new(),
            rows: Vec::new(),
        }
    }
}

fn title(status: u16) -> &'static str {
    match status {
        400 => "The request was not understood",
        403 => "Not allowed",
        404 => "Not found",
        405 => "Method not allowed",
        408 => "The request took too long",
        409 => "In conflict with what is held",
        410 => "No longer valid",
        412 => "Another version is spoken here",
        413 => "Too large",
        415 => "Not in this form",
        422 => "Understood, but wrong",
        429 => "Too much",
        460 => "The checksum does not agree",
        503 => "Try again soon",
        507 => "No room",
        _ => "The hub could not do this",
    }
}

/// The one function between the rings. What is ours is told without detail: it stands in the hub's log.
impl From<&HubError> for Problem {
    fn from(error: &HubError) -> Self {
        match error {
            HubError::Refused(refusal) => {
                let mut problem = Self::new(refusal.code(), refusal.status(), refusal.to_string());
                match refusal {
                    Refusal::UnknownHamlet { nearest, .. } | Refusal::UnknownOfficer { nearest, .. } => problem.nearest.clone_from(nearest),
                    Refusal::BadRows(rows) => problem.rows.clone_from(rows),
                    _ => {}
                }
                problem
            }
            HubError::Told(problem) => (**problem).clone(),
            HubError::Stopping => Self::new("stopping", 503, "the hub is stopping; try again soon"),
            other => Self::new(other.code(), 500, "the hub could not do this; its log has the reason"),
        }
    }
}

impl From<yenban_protocol::Error> for Refusal {
    fn from(error: yenban_protocol::Error) -> Self {
        use yenban_protocol::Error;
        match error {
            Error::Limit { .. } => Self::TooLarge(error.to_string()),
            Error::Signature { what } => Self::Signature(what),
            Error::Unsealed { .. } => Self::Unsealed,
            Error::Mismatch { .. } => Self::Chain,
            other => Self::Malformed(other.to_string()),
        }
    }
}

impl From<yenban_protocol::Error> for HubError {
    fn from(error: yenban_protocol::Error) -> Self {
        Self::Refused(error.into())
    }
}
