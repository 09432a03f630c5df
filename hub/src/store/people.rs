//! Places, people and devices as the store keeps them.

use yenban_protocol::crypto::{Hash, PublicKey};
use yenban_protocol::feed::{Directory, HamletEntry, Item, MemberEntry};
use yenban_protocol::id::{DeviceId, HamletNo, LogId, MemberNo, Role};

use super::feed_rows::ItemSigner;
use super::plans::CheckpointRow;
use super::triage::Assigned;
use crate::error::Result;

/// A hamlet of the commune.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HamletRow {
    /// Its number, given by the store, from 1.
    pub no: HamletNo,
    /// Its name as typed.
    pub name: String,
    /// Its centre, 1e-7 degree (latitude, longitude).
    pub centre_e7: Option<(i32, i32)>,
}

/// A security-and-order group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRow {
    /// Its number, given by the store, from 1.
    pub no: u32,
    /// Its hamlet.
    pub hamlet: HamletNo,
    /// Its name as typed.
    pub name: String,
}

/// A member of a group, or an officer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The number, given by the store, from 1.
    pub no: MemberNo,
    /// The name as typed; may be empty until it is known.
    pub name: String,
    /// What the person may do.
    pub role: Role,
    /// The hamlet, 0 for the commune.
    pub hamlet: HamletNo,
    /// The group, 0 for none.
    pub group: u32,
}

/// Everything about places and people, read together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// Hamlets by number.
    pub hamlets: Vec<HamletRow>,
    /// Groups by number.
    pub groups: Vec<GroupRow>,
    /// Members by number.
    pub members: Vec<MemberRow>,
}

impl People {
    /// The hamlet with this number.
    pub fn hamlet(&self, no: HamletNo) -> Option<&HamletRow> {
        self.hamlets.binary_search_by_key(&no, |h| h.no).ok().and_then(|at| self.hamlets.get(at))
    }

    /// The hamlet with this name, compared as people compare (NFC).
    pub fn hamlet_named(&self, name: &str) -> Option<&HamletRow> {
        self.hamlets.iter().find(|h| yenban_protocol::text::same(&h.name, name))
    }

    /// The member with this number.
    pub fn member(&self, no: MemberNo) -> Option<&MemberRow> {
        self.members.binary_search_by_key(&no, |m| m.no).ok().and_then(|at| self.members.get(at))
    }

    /// Name of a hamlet, empty for the commune itself.
    pub fn hamlet_name(&self, no: HamletNo) -> String {
        self.hamlet(no).map(|h| h.name.clone()).unwrap_or_default()
    }

    /// Name of whoever is to go: the group with its hamlet, or the hamlet.
    pub fn assigned_name(&self, to: Assigned) -> String {
        let hamlet = self.hamlet_name(to.hamlet);
        match self.groups.iter().find(|group| to.group > 0 && group.no == to.group) {
            // Groups are often named after their hamlet already.
            Some(group) if group.name.contains(&hamlet) => group.name.clone(),
            Some(group) => format!("{}, {hamlet}", group.name),
            None => hamlet,
        }
    }

    /// Name of a member, empty when not known.
    pub fn member_name(&self, no: MemberNo) -> String {
        self.member(no).map(|m| m.name.clone()).unwrap_or_default()
    }
}

/// The directory item of the commune: its hamlets.
pub(crate) fn commune_directory(hamlets: &[HamletRow]) -> Item {
    Item::Directory(Directory {
        hamlets: hamlets.iter().map(|h| HamletEntry { no: h.no, name: h.name.clone(), centre_e7: h.centre_e7 }).collect(),
        ..Directory::default()
    })
}

/// The directory item of one hamlet: itself, its people and its checkpoints.
pub(crate) fn hamlet_directory(hamlet: &HamletRow, members: &[MemberRow], checkpoints: &[CheckpointRow]) -> Item {
    let own = members.iter().filter(|m| m.hamlet == hamlet.no);
    Item::Directory(Directory {
        hamlets: vec![HamletEntry { no: hamlet.no, name: hamlet.name.clone(), centre_e7: hamlet.centre_e7 }],
        members: own.map(|m| MemberEntry { no: m.no, name: m.name.clone(), role: m.role }).collect(),
        checkpoints: checkpoints.iter().map(CheckpointRow::entry).collect(),
    })
}

/// A device that was enrolled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its name.
    pub id: DeviceId,
    /// Its signing key.
    pub sign_key: PublicKey,
    /// Its sealing key.
    pub seal_key: PublicKey,
    /// The member it was enrolled for.
    pub member: MemberNo,
    /// That member's hamlet.
    pub hamlet: HamletNo,
    /// That member's role.
    pub role: Role,
    /// The signed certificate.
    pub certificate: Vec<u8>,
    /// First enrolled, hub time.
    pub enrolled_ms: i64,
    /// The certificate holds until, hub time.
    pub expires_ms: i64,
    /// Revoked at.
    pub revoked_ms: Option<i64>,
    /// Out of its owner's hands.
    pub lost: bool,
    /// No officer has confirmed yet that its four words are those that the hub shows: nothing of it is taken.
    pub waiting: bool,
}

/// A new enrolment code. The token itself is never kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCode {
    /// SHA-256 of the token.
    pub token_hash: Hash,
    /// The hamlet it is for, 0 for the commune.
    pub hamlet: HamletNo,
    /// The hamlet's name as it stands in the code.
    pub hamlet_name: String,
    /// The role it gives.
    pub role: Role,
    /// The person it is for, or empty.
    pub name: String,
    /// The member it is for; nobody: the one of that name, or a new one.
    pub member: MemberNo,
    /// Whoever redeems it waits until an officer has compared the four words.
    pub waits: bool,
    /// Made at, hub time.
    pub made_ms: i64,
    /// Holds until, hub time.
    pub expires_ms: i64,
}

/// A code as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeRow {
    /// What it was made with.
    pub code: NewCode,
    /// The device that used it, and when.
    pub used: Option<(DeviceId, i64)>,
}

/// Makes the signed certificate once the member's number is known.
pub type CertificateMaker = std::sync::Arc<dyn Fn(MemberNo, HamletNo, Role) -> Result<Vec<u8>> + Send + Sync>;

/// A phone redeems a code.
#[derive(Clone)]
pub struct Redemption {
    /// SHA-256 of the token.
    pub token_hash: Hash,
    /// The hamlet's name the phone read in the code.
    pub hamlet_name: String,
    /// The role the phone read in the code.
    pub role: Role,
    /// The name the hub gives the device if this succeeds.
    pub device: DeviceId,
    /// The phone's signing key.
    pub sign_key: PublicKey,
    /// The phone's sealing key.
    pub seal_key: PublicKey,
    /// The log it will write.
    pub log: LogId,
    /// Hub time.
    pub now_ms: i64,
    /// Until when the certificate holds.
    pub certificate_expires_ms: i64,
    /// Makes the certificate.
    pub certificate: CertificateMaker,
    /// Signs the directory item that names the new member.
    pub signer: ItemSigner,
}

/// A device and its member, as the phone is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The device.
    pub device: Device,
    /// The member's name.
    pub member_name: String,
    /// The hamlet's name.
    pub hamlet_name: String,
}

/// What became of a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redeemed {
    /// The device is enrolled. The same phone asking again (it lost the answer) gets the same.
    Registered(Box<Registration>),
    /// No such code.
    Unknown,
    /// Used by another phone.
    Used,
    /// Too late.
    Expired,
    /// The words in the code are not those it was made with.
    Altered(&'static str),
    /// The log or key belongs to another device already.
    KeyInUse,
}

/// One row of an imported file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedPlace {
    /// Hamlet.
    pub hamlet: String,
    /// Its centre.
    pub centre_e7: Option<(i32, i32)>,
    /// Group, if the row names one.
    pub group: Option<String>,
    /// Member and role, if the row names one.
    pub member: Option<(String, Role)>,
}
