//! What the hub says about a device and about its own time; what a device says about its request key.

use crate::cbor::{Reader, Writer};
use crate::crypto::PublicKey;
use crate::error::Result;
use crate::fields::need;
use crate::id::{CommuneCode, DeviceId, Epoch, HamletNo, MemberNo, Role};
use crate::limits::MAX_REQUEST_BYTES;
use crate::signed::Statement;

/// A time token: the hub's time, signed. Whatever commits to a token was made after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// The hub's time, ms.
    pub hub_time_ms: i64,
    /// The life of the hub's database.
    pub epoch: Epoch,
}

impl Statement for Token {
    const PURPOSE: &'static str = "yb1/token";

    fn write(&self, w: &mut Writer) {
        w.map(2).uint(0).int(self.hub_time_ms).uint(1).bytes(&self.epoch.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut time, mut epoch) = (None, None);
        let mut fields = r.map("token")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => time = Some(r.int("hub time")?),
                1 => epoch = Some(Epoch(r.fixed("epoch")?)),
                _ => drop(r.item("token field")?),
            }
        }
        Ok(Self { hub_time_ms: need(time, "hub time")?, epoch: need(epoch, "epoch")? })
    }
}

/// A device's certificate, signed by the hub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCertificate {
    /// The device.
    pub device: DeviceId,
    /// Its signing key (hardware).
    pub sign_key: PublicKey,
    /// Its sealing key (software, wrapped by hardware).
    pub seal_key: PublicKey,
    /// The commune.
    pub commune: CommuneCode,
    /// The hamlet; 0 for the commune itself.
    pub hamlet: HamletNo,
    /// The member it was enrolled for.
    pub member: MemberNo,
    /// That member's role.
    pub role: Role,
    /// From when, hub time, ms.
    pub issued_ms: i64,
    /// Until when: expired it may renew and deliver, but receives nothing.
    pub expires_ms: i64,
}

impl Statement for DeviceCertificate {
    const PURPOSE: &'static str = "yb1/device";

    fn write(&self, w: &mut Writer) {
        w.map(9).uint(0).bytes(&self.device.0).uint(1).bytes(&self.sign_key.0).uint(2).bytes(&self.seal_key.0);
        w.uint(3).uint(self.commune.get().into()).uint(4).uint(self.hamlet.0.into()).uint(5).uint(self.member.0.into());
        w.uint(6).uint(self.role.number()).uint(7).int(self.issued_ms).uint(8).int(self.expires_ms);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut device, mut sign_key, mut seal_key, mut commune, mut hamlet) = (None, None, None, None, None);
        let (mut member, mut role, mut issued, mut expires) = (None, None, None, None);
        let mut fields = r.map("device certificate")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => device = Some(DeviceId(r.fixed("device")?)),
                1 => sign_key = Some(PublicKey(r.fixed("signing key")?)),
                2 => seal_key = Some(PublicKey(r.fixed("sealing key")?)),
                3 => commune = Some(CommuneCode::new(r.u32("commune code")?)?),
                4 => hamlet = Some(HamletNo(r.u32("hamlet")?)),
                5 => member = Some(MemberNo(r.u32("member")?)),
                6 => role = Some(Role::from_number(r.uint("role")?)?),
                7 => issued = Some(r.int("issued")?),
                8 => expires = Some(r.int("expires")?),
                _ => drop(r.item("certificate field")?),
            }
        }
        Ok(Self {
            device: need(device, "device")?,
            sign_key: need(sign_key, "signing key")?,
            seal_key: need(seal_key, "sealing key")?,
            commune: need(commune, "commune code")?,
            hamlet: need(hamlet, "hamlet")?,
            member: need(member, "member")?,
            role: need(role, "role")?,
            issued_ms: need(issued, "issued")?,
            expires_ms: need(expires, "expires")?,
        })
    }
}

/// How long a request key serves after the token it was certified with, ms.
pub const REQUEST_KEY_MS: i64 = 24 * 3_600_000;

/// A device certifies a request key, so that the hardware key signs once a day and not at every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestCertificate {
    /// The device.
    pub device: DeviceId,
    /// The request key.
    pub key: PublicKey,
    /// A token of the hub (`Signed<Token>`): the key serves for 24 hours from its time, by the hub's clock.
    pub token: Vec<u8>,
}

impl Statement for RequestCertificate {
    const PURPOSE: &'static str = "yb1/request-key";

    fn write(&self, w: &mut Writer) {
        w.map(3).uint(0).bytes(&self.device.0).uint(1).bytes(&self.key.0).uint(2).bytes(&self.token);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut device, mut public, mut token) = (None, None, None);
        let mut fields = r.map("request certificate")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => device = Some(DeviceId(r.fixed("device")?)),
                1 => public = Some(PublicKey(r.fixed("request key")?)),
                2 => token = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "token")?.to_vec()),
                _ => drop(r.item("request certificate field")?),
            }
        }
        Ok(Self { device: need(device, "device")?, key: need(public, "request key")?, token: need(token, "token")? })
    }
}
