//! What phone and hub must agree on, once.
//!
//! A phone is an append-only log. This crate has the exact form of its entries and their chain
//! ([`chain`], [`record`]), of the segments in which they travel ([`segment`]), of the receipts that answer
//! them ([`receipt`]), of the feed that brings orders back ([`feed`]), and of the keys and certificates that
//! make all of it provable ([`keys`], [`cert`]). Where there is no network, parcels ([`parcel`]) and one short
//! message ([`sms`]) carry what matters. It does no I/O, reads no clock and draws no randomness:
//! whoever calls passes them in. docs/PROTOCOL.md tells the same with bytes.

mod fields;

pub mod alert;
pub mod bundle;
pub mod cbor;
pub mod cert;
pub mod chain;
pub mod crypto;
pub mod custody;
pub mod directory;
pub mod enrol;
pub mod error;
pub mod feed;
pub mod id;
pub mod keys;
pub mod limits;
pub mod object;
pub mod pack;
pub mod parcel;
pub mod planted;
pub mod range;
pub mod receipt;
pub mod record;
pub mod seal;
pub mod segment;
pub mod signed;
pub mod sms;
pub mod text;
pub mod time;
pub mod upload;
pub mod wire;
pub mod words;

pub use error::{Error, Result};
