//! Redeeming an enrolment code over the network.

use yenban_protocol::enrol::{EnrolAnswer, EnrolmentCode};
use yenban_protocol::wire::path;

use super::client::{HubClient, answered, offline};
use super::drive::runtime;
use crate::error::{Error, Result};
use crate::sync::{Method, Request};

/// Sends the signed request (`Signed<EnrolRequest>`) to the hub of `code` and reads its answer. Blocks.
///
/// The hub's keys are verified under the root of the code before the one-use token leaves the phone. What the
/// answer says of the device is for the caller to verify, who holds the device's keys.
///
/// # Errors
/// [`Error::Offline`]; [`Error::Refused`] with the hub's code, or `hub_mismatch` when somebody else answers.
pub fn enrol(code: &EnrolmentCode, request: Vec<u8>) -> Result<EnrolAnswer> {
    runtime()?.block_on(async {
        let history = HubClient::bootstrap(&code.root_hash, &code.addresses).await?;
        let client = HubClient::pinned(&history.value, &code.addresses)?;
        let request = Request::alone(Method::Post, path::ENROL, request);
        let body = answered(client.carry(&request).await.map_err(offline)?)?;
        EnrolAnswer::from_bytes(&body).map_err(|e| Error::untrusted("enrolment answer", e))
    })
}
