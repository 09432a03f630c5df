//! Where the bytes of sealed files lie, behind one trait: a folder for a commune, S3 for a province later
//! ([`conformance`] holds every one to the same promises).
//!
//! Storage knows names and bytes, nothing else. A name is drawn at random for each file, so it says nothing of what
//! lies under it and is never used twice; what opens the bytes stands in the database alone ([`sealed`]).

pub mod conformance;
mod over;
pub mod sealed;

pub use over::OverObjectStore;

use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use data_encoding::HEXLOWER;
use tokio::sync::mpsc;

use crate::entropy;
use crate::error::Result;

/// Name of a stored file: 64 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectName([u8; 32]);

impl ObjectName {
    /// A new name.
    pub(crate) fn random() -> Self {
        Self(entropy::array())
    }

    /// The name with these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From its text; anything but exactly 64 lower-case digits is none.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 64 {
            return None;
        }
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl std::fmt::Display for ObjectName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An answer that comes later.
pub type Later<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Storage shared by everything that serves.
pub type SharedStorage = Arc<dyn ObjectStorage>;

/// The parts of a file on their way into storage. Every part but the last has
/// [`crate::limits::STORAGE_PART_BYTES`]; an error, or a sender that goes before it said [`Part::End`], means that
/// nothing is to be kept.
pub type Parts = mpsc::Receiver<Part>;

/// What lies in storage.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Names of files, ascending.
    pub names: Vec<ObjectName>,
    /// Names under which something lies that is no file: pipes, sockets, devices, links, folders. Whoever opens them may wait
    /// for ever, so nobody does. Storage that knows only files has none.
    pub strangers: Vec<String>,
}

/// One step of a file into storage.
#[derive(Debug)]
pub enum Part {
    /// More bytes.
    Bytes(Bytes),
    /// All of it was sent.
    End,
}

/// Object storage. Every call that changes something answers after the change is durable.
pub trait ObjectStorage: Send + Sync + 'static {
    /// Keeps the parts as a whole under a name that is not taken, and gives the length. Nothing is seen under the name
    /// before everything is durable. A name that is taken is [`crate::error::Refusal::Conflict`], and what lies there stays.
    fn put(&self, name: ObjectName, parts: Parts) -> Later<'_, u64>;

    /// Bytes `range` of a file, fewer at its end; `None`: there is no such file. At most
    /// [`crate::limits::STORAGE_READ_MAX_BYTES`] at once.
    fn read(&self, name: ObjectName, range: Range<u64>) -> Later<'_, Option<Bytes>>;

    /// Its length; `None`: there is no such file.
    fn size(&self, name: ObjectName) -> Later<'_, Option<u64>>;

    /// Removes a file; `false`: there was none.
    fn remove(&self, name: ObjectName) -> Later<'_, bool>;

    /// Everything that lies here, from one look: a name takes 32 bytes, the files of a year of a large commune some
    /// megabytes.
    fn list(&self) -> Later<'_, Listing>;

    /// Removes what interrupted puts left behind. Only while nothing is being put.
    fn tidy(&self) -> Later<'_, ()>;
}
