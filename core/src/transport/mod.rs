//! Transport: the one place of the phone that speaks over the network.
//!
//! TLS 1.3 to a hub whose key stands in the key history that the commune root signed; names, certificate
//! authorities and the phone's calendar have no say. Only [`KEYS`](yenban_protocol::wire::path::KEYS) may be
//! asked over a connection whose key is not known yet, because its answer is verified under the root that the
//! enrolment code pinned, and the connection's key has to stand in it.

mod client;
mod drive;
mod enrol;
mod parcels;
mod slice;
mod tls;

pub use client::HubClient;
pub use drive::{Shared, Until, run, stay};
pub use enrol::enrol;
pub use parcels::{Deliverer, Handed};
