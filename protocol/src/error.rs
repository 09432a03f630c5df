//! The one error of the protocol: what was wrong with bytes that somebody sent.

use core::fmt;

/// Why bytes were refused. Never carries content, so it can be logged as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Error {
    /// Not deterministic CBOR, or not the shape that is expected here; `at` is the byte offset.
    Malformed {
        /// What was being read.
        what: &'static str,
        /// Byte offset in the input.
        at: usize,
    },
    /// A bound of [`crate::limits`] was passed.
    Limit {
        /// What there was too much of.
        what: &'static str,
        /// The bound.
        limit: usize,
    },
    /// A version or suite this build does not know.
    Version {
        /// The version found.
        found: u64,
    },
    /// A signature is missing or wrong.
    Signature {
        /// Whose signature.
        what: &'static str,
    },
    /// Sealed bytes could not be opened: altered, or sealed to another key.
    Unsealed {
        /// What was to be opened.
        what: &'static str,
    },
    /// A key is not a valid point or scalar.
    Key,
    /// Values that must agree do not.
    Mismatch {
        /// What differs.
        what: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Malformed { what, at } => write!(f, "malformed {what} at byte {at}"),
            Error::Limit { what, limit } => write!(f, "too much: {what}, at most {limit}"),
            Error::Version { found } => write!(f, "unknown version {found}"),
            Error::Signature { what } => write!(f, "the signature of the {what} does not hold"),
            Error::Unsealed { what } => write!(f, "the {what} cannot be opened with this key"),
            Error::Key => write!(f, "not a valid P-256 key"),
            Error::Mismatch { what } => write!(f, "{what} does not agree"),
        }
    }
}

impl std::error::Error for Error {}

/// Result of this crate.
pub type Result<T> = core::result::Result<T, Error>;
