//! What messages claim and what devices ask through couriers, as the store takes and reports them.

use yenban_protocol::crypto::Hash;
use yenban_protocol::id::{DeviceId, EntryName};
use yenban_protocol::sms::FIELDS_BYTES;

use super::effect::WhenWhere;

/// What a verified message says of an entry.
#[derive(Debug, Clone)]
pub struct NewClaim {
    /// The device that signed.
    pub device: DeviceId,
    /// The entry it claims.
    pub name: EntryName,
    /// Code of the kind.
    pub kind: String,
    /// Urgent.
    pub urgent: bool,
    /// When and where.
    pub at: WhenWhere,
    /// The fields as the message carried them.
    pub fields: [u8; FIELDS_BYTES],
    /// When the message came, hub time.
    pub received_ms: i64,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claimed {
    /// A new incident, its report to come.
    New,
    /// The report is here; the incident now says that a message told of it.
    Here,
    /// The same message came before: nothing changed.
    Known,
    /// The device said something else about this entry before: nothing changed.
    Differs,
    /// The log belongs to another device: nothing changed.
    WrongDevice,
    /// The device was revoked in the meantime: nothing kept here.
    Revoked,
    /// The device is not known: nothing kept here.
    UnknownDevice,
}

/// What a device asked through a courier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CourierAsked {
    /// The device.
    pub device: DeviceId,
    /// `Signed<CourierRequest>`, verified when it came.
    pub request: Vec<u8>,
    /// Files of its last parcels, newest last.
    pub objects: Vec<Hash>,
    /// When it came, hub time.
    pub asked_ms: i64,
}
