//! Enrolment: making one-use codes and redeeming them.
//!
//! The token in a code is 128 random bits, kept only as a hash. What it stands for (hamlet, role, person) is what the
//! hub wrote when it was made; a code whose words were changed by hand is refused, whoever signs the request.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::HEXLOWER;
use yenban_protocol::cert::DeviceCertificate;
use yenban_protocol::crypto::Hash;
use yenban_protocol::enrol::{EnrolAnswer, EnrolRequest, EnrolmentCode};
use yenban_protocol::id::{DeviceId, HamletNo, MemberNo, Role};
use yenban_protocol::signed::Signed;
use yenban_protocol::text::nearest;

use crate::app::Hub;
use crate::entropy;
use crate::error::{Refusal, Result};
use crate::keys::token_hash;
use crate::limits::{CERTIFICATE_TTL_MS, CODE_TTL_MS, NAME_MAX_CHARS, NEAREST_NAMES, TRIED_CODES_MAX, TRIES_NOTED_MAX};
use crate::store::{HamletRow, NOBODY, NewCode, Redeemed, Redemption, WHOLE_COMMUNE};

/// What the record says when a code that was used is tried by another phone.
pub const CODE_USED_AGAIN: &str = "enrol refused: token used";

/// The name of a code that gives nothing of it away: the first eight bytes of what is kept of it, hexadecimal.
pub fn code_name(token_hash: &Hash) -> String {
    HEXLOWER.encode(&token_hash[..8])
}

/// For whom a code is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeWanted {
    /// The hamlet's name; empty for the commune itself (officers).
    pub hamlet: String,
    /// Make the hamlet if it is not there.
    pub create: bool,
    /// The role.
    pub role: Role,
    /// The person; may be empty.
    pub name: String,
    /// Addresses the phone will try, `host:port`.
    pub addresses: Vec<String>,
}

/// A code that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeMade {
    /// The text of the QR.
    pub text: String,
    /// The hamlet's name as it is kept.
    pub hamlet: String,
    /// Until when it holds, hub time, ms.
    pub expires_ms: i64,
    /// Under which it is kept.
    pub token_hash: Hash,
}

/// Checks a name that a person typed.
pub fn checked_name(field: &'static str, name: &str) -> Result<String> {
    let name = name.trim();
    let refuse = |reason: &str| Err(Refusal::Invalid { field, reason: reason.to_owned() }.into());
    if name.chars().count() > NAME_MAX_CHARS || name.len() > yenban_protocol::limits::MAX_NAME_BYTES {
        return refuse("is too long");
    }
    if name.chars().any(char::is_control) {
        return refuse("has control characters");
    }
    Ok(name.to_owned())
}

async fn hamlet(hub: &Hub, wanted: &CodeWanted) -> Result<Option<HamletRow>> {
    let name = checked_name("hamlet", &wanted.hamlet)?;
    if name.is_empty() {
        return match wanted.role {
            Role::Member | Role::Leader => {
                Err(Refusal::Invalid { field: "hamlet", reason: "members and leaders belong to a hamlet: name it".to_owned() }.into())
            }
            _ => Ok(None),
        };
    }
    let people = hub.store.people().await?;
    if let Some(found) = people.hamlet_named(&name) {
        return Ok(Some(found.clone()));
    }
    if wanted.create {
        return hub.store.add_hamlet(name, hub.now_ms(), hub.commune(), hub.item_signer()).await.map(Some);
    }
    let names = people.hamlets.iter().map(|h| h.name.as_str());
    let nearest = nearest(&name, names, NEAREST_NAMES).into_iter().map(|near| near.text.to_owned()).collect();
    Err(Refusal::UnknownHamlet { name, nearest }.into())
}

/// Makes a code whose phone belongs to the commune as soon as it is redeemed: for whoever stands at the hub's machine.
pub async fn make_code(hub: &Hub, wanted: CodeWanted) -> Result<CodeMade> {
    make(hub, wanted, NOBODY, false).await
}

/// Makes a code whose phone waits until an officer has compared the four words; for this member, or for the one of that
/// name or a new one.
pub async fn make_waiting_code(hub: &Hub, wanted: CodeWanted, member: MemberNo) -> Result<CodeMade> {
    make(hub, wanted, member, true).await
}

async fn make(hub: &Hub, wanted: CodeWanted, member: MemberNo, waits: bool) -> Result<CodeMade> {
    let name = checked_name("name", &wanted.name)?;
    if wanted.addresses.is_empty() {
        return Err(Refusal::Invalid { field: "address", reason: "not known: start the hub once, or give --address".to_owned() }.into());
    }
    let hamlet = hamlet(hub, &wanted).await?;
    let token: [u8; 16] = entropy::array();
    let made_ms = hub.now_ms();
    let expires_ms = made_ms + CODE_TTL_MS;
    let token_hash = token_hash(&token);
    let (no, hamlet_name) = hamlet.map_or((WHOLE_COMMUNE, String::new()), |h| (h.no, h.name));
    let code =
        NewCode { token_hash, hamlet: no, hamlet_name: hamlet_name.clone(), role: wanted.role, name, member, waits, made_ms, expires_ms };
    if !hub.store.put_code(code).await? {
        return Err(Refusal::Quota("open enrolment codes").into());
    }
    let text = EnrolmentCode {
        addresses: wanted.addresses,
        root_hash: hub.keys.root_hash(),
        token,
        commune: hub.commune(),
        hamlet: hamlet_name.clone(),
        role: wanted.role,
        expires_ms,
    }
    .to_text();
    Ok(CodeMade { text, hamlet: hamlet_name, expires_ms, token_hash })
}

/// How often used codes were tried again since the hub started: everybody who joined has one, and each line in the record
/// costs room that is never given back.
#[derive(Debug, Default)]
pub struct Tries(Mutex<HashMap<Hash, u32>>);

impl Tries {
    /// Counts one more try of a code.
    fn count(&self, code: Hash) -> u32 {
        let mut tries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= TRIED_CODES_MAX {
            tries.clear();
        }
        let tried = tries.entry(code).or_default();
        *tried = tried.saturating_add(1);
        *tried
    }
}

/// Redeems a code: the body is `Signed<EnrolRequest>`, by the key it names.
pub async fn redeem(hub: &Hub, body: &[u8]) -> Result<EnrolAnswer> {
    let request = Signed::verify(body, &hub.verifier, |r: &EnrolRequest, _| Some(r.sign_key))?.value;
    if request.root_hash != hub.keys.root_hash() {
        return Err(Refusal::HubMismatch.into());
    }
    if request.sign_key == request.seal_key || request.seal_key.uncompressed().is_err() {
        return Err(Refusal::Malformed("two different keys are needed, for signing and for sealing".to_owned()).into());
    }
    let now_ms = hub.now_ms();
    let device = DeviceId(entropy::array());
    let expires_ms = now_ms + CERTIFICATE_TTL_MS;
    let (keys, commune) = (Arc::clone(&hub.keys), hub.commune());
    let (sign_key, seal_key) = (request.sign_key, request.seal_key);
    let certificate = Arc::new(move |member, hamlet: HamletNo, role| {
        let certificate = DeviceCertificate { device, sign_key, seal_key, commune, hamlet, member, role, issued_ms: now_ms, expires_ms };
        Ok(Signed::sign(certificate, &keys.signer)?.into_bytes())
    });
    let redemption = Redemption {
        token_hash: token_hash(&request.token),
        hamlet_name: request.hamlet,
        role: request.role,
        device,
        sign_key,
        seal_key,
        log: request.log,
        now_ms,
        certificate_expires_ms: expires_ms,
        certificate,
        signer: hub.item_signer(),
    };
    let refusal = match hub.store.redeem(redemption).await? {
        Redeemed::Registered(registration) => {
            tracing::info!(waiting = registration.device.waiting, device = %registration.device.id, role = registration.device.role.code(), "device enrolled");
            return Ok(EnrolAnswer {
                certificate: registration.device.certificate,
                history: hub.keys.history.bytes().to_vec(),
                token: hub.token()?,
                member: registration.device.member,
                member_name: registration.member_name,
                hamlet: registration.device.hamlet,
                hamlet_name: registration.hamlet_name,
            });
        }
        Redeemed::Unknown => Refusal::TokenUnknown,
        Redeemed::Used => Refusal::TokenUsed,
        Redeemed::Expired => Refusal::TokenExpired,
        Redeemed::Altered(what) => Refusal::TokenAltered(what),
        Redeemed::KeyInUse => Refusal::Conflict("a device with this key or log"),
    };
    if refusal == Refusal::TokenUsed && hub.tries.count(token_hash(&request.token)) <= TRIES_NOTED_MAX {
        // Somebody photographed the code, or it was passed on: the chief sees it in the record.
        hub.note("hub", CODE_USED_AGAIN, &code_name(&token_hash(&request.token)), "").await?;
    }
    tracing::warn!(code = refusal.code(), "enrolment refused");
    Err(refusal.into())
}
