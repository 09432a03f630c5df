//! The phone: a log that only grows, and everything a volunteer sees derived from it.
//!
//! A module uses only those above it in this list. SQL stands in `store` alone, only `clock` reads
//! the time, only `keys` draws randomness.

pub mod clock;
pub mod error;
pub mod keys;
pub mod limits;
pub mod store;
