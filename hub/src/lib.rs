//! The commune's side of Yên Bản: what phones deliver to and hear from.
//!
//! A hub is a folder ([`folder`]) with keys ([`keys`]) and a store ([`store`]). It takes sealed segments ([`ingest`]),
//! enrols devices ([`enrol`]), answers the feed ([`feed`]) over TLS ([`server`]) and is worked by officers and operators
//! through one set of operations ([`admin`]), in this process or over a socket of a running hub.

pub mod access;
pub mod admin;
pub mod alert;
pub mod app;
pub mod backup;
pub mod cap;
pub mod clock;
pub mod console;
pub mod courier;
pub mod custody;
pub mod disk;
pub mod enrol;
#[cfg(not(feature = "simulation"))]
mod entropy;
#[cfg(feature = "simulation")]
pub mod entropy;
pub mod error;
pub mod escalate;
pub mod exchange;
pub mod feed;
pub mod folder;
pub mod ingest;
pub mod init;
pub mod jobs;
pub mod keys;
pub mod limits;
pub mod live;
pub mod metrics;
pub mod openapi;
pub mod orders;
pub mod paper;
pub mod phones;
pub mod qr;
pub mod retention;
pub mod scrub;
pub mod sensitive;
pub mod server;
pub mod shifts;
pub mod sms;
pub mod storage;
pub mod store;
pub mod triage;
pub mod upload;
pub mod waiting;
pub mod webhook;

pub use app::Hub;
pub use error::{HubError, Problem, Refusal, Result};
