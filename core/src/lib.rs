//! The phone: a log that only grows, and everything a volunteer sees derived from it.
//!
//! A module uses only those above it in this list. SQL stands in `store` alone, only `clock` reads
//! the time, only `keys` draws randomness.

pub(crate) mod alert;
pub mod app;
pub mod clock;
pub mod disk;
pub mod error;
pub(crate) mod evidence;
pub mod incident;
pub mod keys;
pub mod limits;
pub(crate) mod log;
pub(crate) mod outbox;
pub(crate) mod patrol;
pub mod place;
pub mod store;
pub mod sync;
pub mod transport;

pub use app::Phone;
pub use error::{Error, ErrorKind, Result};
