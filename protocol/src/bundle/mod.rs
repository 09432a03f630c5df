//! Evidence bundles: one file that proves a photograph to somebody who trusts neither phone nor hub.
//!
//! docs/EVIDENCE.md is the format, complete enough to write another verifier from it. Here stand its parts: the
//! container ([`tar`]), the signed list of what is in it ([`Manifest`]), logs of which most entries stay secret
//! ([`LogFile`]), custody chains ([`CustodyFile`]), and the rules that turn all of it into a verdict ([`judge`]). No I/O:
//! whoever verifies feeds bytes to [`tar::Scanner`], whoever exports writes what the parts say.

mod custody;
mod judge;
mod log;
mod manifest;
mod says;
pub mod tar;

pub use custody::CustodyFile;
pub use judge::{About, Kind, Line, Report, Trust, Verdict, judge};
pub use log::{LogFile, LogRun, Step};
pub use manifest::{CopyNamed, FileNamed, ItemNamed, Manifest};

use crate::cbor::{Reader, Writer};
use crate::error::Result;
use crate::limits::{MAX_ANSWER_BYTES, MAX_BUNDLE_STATEMENTS};

/// The signed list, first of all members.
pub const MANIFEST: &str = "manifest.cbor";
/// The commune's key history.
pub const KEYS: &str = "keys.cbor";
/// Certificates of the devices that signed.
pub const CERTIFICATES: &str = "certificates.cbor";
/// What the hub signed when it had received a file.
pub const RECEIPTS: &str = "receipts.cbor";
/// Signed heads over all custody chains.
pub const HEADS: &str = "heads.cbor";
/// The minute for people.
pub const MINUTE: &str = "minute.html";
/// Folder of disclosed logs.
pub const LOGS: &str = "logs/";
/// Folder of custody chains.
pub const CUSTODY: &str = "custody/";
/// Folder of originals.
pub const ORIGINALS: &str = "originals/";
/// Folder of smaller copies.
pub const COPIES: &str = "copies/";

/// Writes a list of statements, as certificates, receipts, heads and a witness's file hold them.
pub fn write_statements<'a>(statements: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut w = Writer::new();
    w.array(statements.len());
    for statement in statements {
        w.bytes(statement);
    }
    w.into_bytes()
}

/// Reads what [`write_statements`] wrote; the statements themselves are not looked into.
///
/// # Errors
/// When it is not of this form or longer than a bundle may hold.
pub fn read_statements(bytes: &[u8]) -> Result<Vec<&[u8]>> {
    let mut r = Reader::new(bytes);
    let n = r.array(MAX_BUNDLE_STATEMENTS, "statements")?;
    let mut statements = Vec::new();
    for _ in 0..n {
        statements.push(r.bytes_up_to(2 * MAX_ANSWER_BYTES, "statement")?);
    }
    r.end("statements")?;
    Ok(statements)
}
