//! What can go wrong on the phone: rich inside, few kinds outside.
//!
//! [`Error`] says what happened; [`Error::kind`] says what a screen would do about it, and is the
//! only thing that crosses into the shells. The match is exhaustive on purpose: a new error has to
//! choose its kind.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Result of the core.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What a screen does about an error. One variant for one reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong: show the sentence beside the field.
    Invalid,
    /// Right input, wrong moment (no open patrol, already answered): show the sentence.
    NotNow,
    /// The phone has not joined a group yet: go to the joining screen.
    NotEnrolled,
    /// The vault is locked or the PIN did not fit: show the lock screen.
    Locked,
    /// Nothing was saved; the content is still on the screen: offer to try again.
    NotSaved,
    /// The storage of the phone is full: offer to report in words only.
    StorageFull,
    /// Another process holds the store: wait and try again.
    Busy,
    /// The store is damaged, foreign or newer than this program: offer the rescue export.
    Damaged,
    /// No network or no hub: work goes on, sending comes later.
    Offline,
    /// The hub said no, or what it said could not be believed.
    Refused,
}

/// Everything that can go wrong, with what a developer needs to know.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another process owns the store.
    #[error("the store {} is in use by another command; waited {waited_ms} ms", path.display())]
    StoreBusy {
        /// Folder of the store.
        path: PathBuf,
        /// How long we waited, in milliseconds.
        waited_ms: u64,
    },
    /// The folder or file is not a store of this program.
    #[error("{} is not a phone store: {why}", path.display())]
    NotAStore {
        /// What was given.
        path: PathBuf,
        /// Why it is none.
        why: &'static str,
    },
    /// There is no store yet where one was expected.
    #[error("there is no phone store at {}", path.display())]
    NoStore {
        /// What was given.
        path: PathBuf,
    },
    /// A file of the store cannot be read as what it should be.
    #[error("{} is damaged: {why}; nothing was changed", path.display())]
    StoreDamaged {
        /// The file.
        path: PathBuf,
        /// What does not fit.
        why: String,
    },
    /// A newer program wrote this store.
    #[error("{} was written by a newer version of this program; update the program, nothing was changed", path.display())]
    SchemaTooNew {
        /// The file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{what} {}: {source}", path.display())]
    Io {
        /// The act that failed.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The database refused.
    #[error("{what}: {source}")]
    Sql {
        /// The act that failed.
        what: &'static str,
        /// What the database said.
        source: rusqlite::Error,
    },
    /// No room for what should be written.
    #[error("the storage is full; nothing was saved")]
    StorageFull,
    /// No room for a photograph, said before the shutter.
    #[error("there is no room for a photograph: {} MB are missing; words can still be saved", missing_bytes.div_ceil(1_000_000))]
    NoRoom {
        /// How much is missing, in bytes.
        missing_bytes: u64,
    },
    /// A commit failed: nothing was acknowledged.
    #[error("the entry could not be saved: {source}")]
    NotSaved {
        /// What the database said.
        source: rusqlite::Error,
    },
    /// The key store failed or lost a key.
    #[error("key store: {0}")]
    KeyStore(String),
    /// A secret does not unwrap: the key store is another one.
    #[error("the key store does not belong to this store")]
    KeyMismatch,
    /// The vault is locked.
    #[error("the vault is locked; unlock it with the PIN")]
    Locked,
    /// The PIN does not fit.
    #[error("the PIN does not fit; {left} tries left")]
    PinWrong {
        /// Tries left before the PIN is disabled.
        left: u32,
    },
    /// All tries are used up.
    #[error("the PIN is disabled after too many tries; what was saved is kept, capture goes on")]
    PinDisabled,
    /// The PIN is on the list of those tried first, or not made of digits.
    #[error("this PIN cannot be used: {why}")]
    PinRefused {
        /// Why not.
        why: &'static str,
    },
    /// Locking needs a PIN, else the vault opens by itself.
    #[error("no PIN is set, so the vault opens by itself; set a PIN first")]
    NoPin,
    /// Capture before enrolment.
    #[error("this phone has not joined a group; enrol it first")]
    NotEnrolled,
    /// Enrolment of a store that is enrolled.
    #[error("this phone has already joined a group")]
    AlreadyEnrolled,
    /// A patrol act without a patrol.
    #[error("no patrol is under way")]
    NoPatrol,
    /// A second patrol on the same phone.
    #[error("a patrol is under way since entry {patrol}; finish it first")]
    PatrolUnderWay {
        /// Name of the open patrol's first entry.
        patrol: String,
    },
    /// A check-in or pause while paused.
    #[error("the patrol is paused; resume it first")]
    PatrolPaused,
    /// Resuming what is not paused.
    #[error("the patrol is not paused")]
    PatrolNotPaused,
    /// A name that no record of this phone has.
    #[error("this phone has no {what} {name}")]
    Unknown {
        /// Noun: incident, alert, patrol, photo, member.
        what: &'static str,
        /// The name given.
        name: String,
    },
    /// Input that breaks a rule or a limit.
    #[error("{what}: {why}")]
    Invalid {
        /// The field.
        what: &'static str,
        /// The rule.
        why: String,
    },
    /// Something signed or sealed by others does not verify.
    #[error("{what} does not verify: {why}")]
    Untrusted {
        /// Receipt, feed item, certificate, key history.
        what: &'static str,
        /// Reason.
        why: String,
    },
    /// Our own records contradict each other.
    #[error("the log contradicts itself at {at}: {why}")]
    LogBroken {
        /// Name of the entry.
        at: String,
        /// What does not fit.
        why: String,
    },
    /// The network or the hub could not be reached.
    #[error("no connection to the hub: {0}")]
    Offline(String),
    /// The hub refused.
    #[error("the hub refused: {code}: {detail}")]
    Refused {
        /// Stable code of the problem document.
        code: String,
        /// The hub's sentence.
        detail: String,
    },
}

impl Error {
    /// What a screen does about this error.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Error::StoreBusy { .. } => ErrorKind::Busy,
            Error::NotAStore { .. }
            | Error::StoreDamaged { .. }
            | Error::SchemaTooNew { .. }
            | Error::LogBroken { .. }
            | Error::KeyMismatch => ErrorKind::Damaged,
            Error::NoStore { .. } | Error::NotEnrolled => ErrorKind::NotEnrolled,
            Error::Io { source, .. } if is_full(source) => ErrorKind::StorageFull,
            Error::StorageFull | Error::NoRoom { .. } => ErrorKind::StorageFull,
            Error::Io { .. } | Error::Sql { .. } | Error::NotSaved { .. } | Error::KeyStore(_) => ErrorKind::NotSaved,
            Error::Locked | Error::PinWrong { .. } | Error::PinDisabled => ErrorKind::Locked,
            Error::PinRefused { .. } | Error::Invalid { .. } | Error::Unknown { .. } => ErrorKind::Invalid,
            Error::NoPin
            | Error::AlreadyEnrolled
            | Error::NoPatrol
            | Error::PatrolUnderWay { .. }
            | Error::PatrolPaused
            | Error::PatrolNotPaused => ErrorKind::NotNow,
            Error::Offline(_) => ErrorKind::Offline,
            Error::Refused { .. } | Error::Untrusted { .. } => ErrorKind::Refused,
        }
    }

    /// Stable short name, the key of the translated sentence.
    pub fn code(&self) -> &'static str {
        match self {
            Error::StoreBusy { .. } => "store-busy",
            Error::NotAStore { .. } => "not-a-store",
            Error::NoStore { .. } => "no-store",
            Error::StoreDamaged { .. } => "store-damaged",
            Error::SchemaTooNew { .. } => "schema-too-new",
            Error::Io { .. } => "io",
            Error::Sql { .. } => "database",
            Error::StorageFull => "storage-full",
            Error::NoRoom { .. } => "no-room",
            Error::NotSaved { .. } => "not-saved",
            Error::KeyStore(_) => "key-store",
            Error::KeyMismatch => "key-mismatch",
            Error::Locked => "locked",
            Error::PinWrong { .. } => "pin-wrong",
            Error::PinDisabled => "pin-disabled",
            Error::PinRefused { .. } => "pin-refused",
            Error::NoPin => "no-pin",
            Error::NotEnrolled => "not-enrolled",
            Error::AlreadyEnrolled => "already-enrolled",
            Error::NoPatrol => "no-patrol",
            Error::PatrolUnderWay { .. } => "patrol-under-way",
            Error::PatrolPaused => "patrol-paused",
            Error::PatrolNotPaused => "patrol-not-paused",
            Error::Unknown { .. } => "unknown-name",
            Error::Invalid { .. } => "invalid",
            Error::Untrusted { .. } => "untrusted",
            Error::LogBroken { .. } => "log-broken",
            Error::Offline(_) => "offline",
            Error::Refused { .. } => "refused",
        }
    }

    pub(crate) fn io(what: &'static str, path: &Path, source: std::io::Error) -> Error {
        if is_full(&source) {
            return Error::StorageFull;
        }
        Error::Io { what, path: path.to_path_buf(), source }
    }

    pub(crate) fn invalid(what: &'static str, why: impl Into<String>) -> Error {
        Error::Invalid { what, why: why.into() }
    }

    pub(crate) fn untrusted(what: &'static str, why: impl ToString) -> Error {
        Error::Untrusted { what, why: why.to_string() }
    }
}

fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded)
}

/// Turns what the database says into an [`Error`] with the act that failed; a full disk is told
/// apart because the screen says something else then.
pub(crate) trait SqlContext<T> {
    /// Names the act that failed.
    fn doing(self, what: &'static str) -> Result<T>;
}

impl<T> SqlContext<T> for rusqlite::Result<T> {
    fn doing(self, what: &'static str) -> Result<T> {
        self.map_err(|source| {
            TROUBLES.fetch_add(1, Ordering::Relaxed);
            match source.sqlite_error_code() {
                Some(rusqlite::ErrorCode::DiskFull) => Error::StorageFull,
                _ => Error::Sql { what, source },
            }
        })
    }
}

static TROUBLES: AtomicU64 = AtomicU64::new(0);

/// How often a database has failed in this process. The library's encryption remembers a read that failed once and then
/// refuses everything, so a connection that is older than the newest failure is not to be trusted.
pub(crate) fn troubles() -> u64 {
    TROUBLES.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_apart_from_other_failures() {
        let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(Error::io("write", Path::new("x"), full).kind(), ErrorKind::StorageFull);
        let other = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        assert_eq!(Error::io("write", Path::new("x"), other).kind(), ErrorKind::NotSaved);
    }
}
