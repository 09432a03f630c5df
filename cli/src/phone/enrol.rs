//! Joining a group with a code.

use serde_json::json;
use yenban_core::app::{IfAbsent, Phone};
use yenban_core::error::Error;
use yenban_core::transport;
use yenban_protocol::enrol::EnrolmentCode;
use yenban_protocol::words::{self, WORDS_COMPARED};

use super::Job;
use crate::fault::{Fault, Result};
use crate::output::clean;

/// `enrol`.
pub(super) fn enrol(job: &Job<'_>) -> Result<()> {
    let typed = job.values.need("code")?;
    // Read before the store is made: a slip of the finger leaves no folder behind.
    let code = EnrolmentCode::from_text(typed).map_err(|_| Fault::usage("error-code-unreadable"))?;
    let mut phone = super::open(job.store, IfAbsent::Create, job.words())?;
    let joined = phone.identity().is_some();
    let address = code.addresses.join(", ");
    join(&mut phone, typed).map_err(|error| match error {
        Error::Offline(_) => Fault::could_not("error-hub-unreachable").told("address", &address),
        // The hub knows this phone: nothing has changed.
        Error::Refused { code, .. } if code == "conflict" && joined => job.fault(&Error::AlreadyEnrolled),
        Error::Refused { code, .. } if code == "hub_mismatch" => Fault::no("error-hub-mismatch").told("address", &address).coded(&code),
        error => job.fault(&error),
    })?;
    let identity = phone.identity();
    let device = identity.as_ref().map(|identity| identity.device.clone()).unwrap_or_default();
    let words = four_words(&phone);
    job.out.document(&json!({
        "device": device, "commune": identity.as_ref().map(|i| &i.commune), "hub": identity.as_ref().map(|i| &i.hub_name),
        "hamlet": identity.as_ref().map(|i| &i.hamlet_name), "member": identity.as_ref().map(|i| i.member),
        "name": identity.as_ref().map(|i| &i.member_name), "role": identity.as_ref().map(|i| i.role), "words": words,
    }))?;
    let place = identity.map(|identity| match identity.hamlet_name.is_empty() {
        true => clean(&identity.hub_name),
        false => format!("{} ({})", clean(&identity.hamlet_name), clean(&identity.hub_name)),
    });
    job.settle(phone)?;
    job.out.say("cli-joined", &[("place", place.unwrap_or_default().into()), ("device", device.into())])?;
    match words {
        Some(words) => job.out.say("cli-four-words", &[("words", words.join(" ").into())]),
        None => Ok(()),
    }
}

/// The words that whoever holds this phone reads to an officer; none before it has joined.
pub(super) fn four_words(phone: &Phone) -> Option<[&'static str; WORDS_COMPARED]> {
    phone.enrolment().map(|known| words::four_words(&known.root_hash, &known.certificate.value.sign_key))
}

/// Redeems a code over the network.
pub(crate) fn join(phone: &mut Phone, typed: &str) -> yenban_core::error::Result<()> {
    let (code, request) = phone.enrol_request(typed)?;
    let answer = transport::enrol(&code, request)?;
    phone.enrolled(&code, &answer)
}
