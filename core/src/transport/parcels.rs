//! Delivering for phones that have no network: one parcel, one answer. The phone itself is not held meanwhile.

use yenban_protocol::keys::KeyHistory;
use yenban_protocol::parcel::PARCELS_PATH;

use super::client::HubClient;
use super::drive::runtime;
use crate::error::Result;
use crate::sync::{Failure, Method, Request};

/// What became of a parcel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// The hub has it; the sealed answer for its sender, empty where there is none.
    Taken(Vec<u8>),
    /// The hub will never take it.
    Refused {
        /// The hub's code.
        code: String,
        /// One sentence.
        detail: String,
    },
    /// Not now: it stays.
    NotNow(String),
}

/// Hands parcels to the hub, one after another.
pub struct Deliverer {
    client: HubClient,
}

impl Deliverer {
    /// To the hub of this key history.
    ///
    /// # Errors
    /// No address, or TLS settings that the system refuses.
    pub fn new(history: &KeyHistory, addresses: &[String]) -> Result<Self> {
        HubClient::pinned(history, addresses).map(|client| Self { client })
    }

    /// Hands over one parcel. Blocks.
    ///
    /// # Errors
    /// The network's threads cannot be started.
    pub fn hand(&self, parcel: Vec<u8>) -> Result<Handed> {
        let request = Request::alone(Method::Post, PARCELS_PATH, parcel);
        Ok(match runtime()?.block_on(self.client.carry(&request)) {
            Ok(reply) if reply.problem.is_none() && matches!(reply.status, 200 | 204) => Handed::Taken(reply.body),
            Ok(reply) => {
                let problem = reply.problem.unwrap_or(crate::sync::Problem {
                    code: format!("status_{}", reply.status),
                    detail: format!("the hub answered {}", reply.status),
                });
                // What is malformed, too large or sealed to no key of the hub stays so.
                match reply.status {
                    400 | 413 | 422 => Handed::Refused { code: problem.code, detail: problem.detail },
                    _ => Handed::NotNow(problem.detail),
                }
            }
            Err(Failure::Unreachable(why) | Failure::WrongHub(why) | Failure::NoFile(why) | Failure::Lost { why, .. }) => {
                Handed::NotNow(why)
            }
        })
    }
}
