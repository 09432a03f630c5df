//! The enrolment code (the text of the QR) and what is said when it is redeemed.
//!
//! The code pins the commune root by its hash. Hamlet and role in it are for the person who scans: the hub
//! knows what the token stands for, and refuses a code whose words were changed by hand.

use data_encoding::BASE64URL_NOPAD;

use crate::cbor::{Reader, Writer};
use crate::crypto::{Hash, PublicKey};
use crate::error::{Error, Result};
use crate::fields::{list, need, write_list};
use crate::id::{CommuneCode, HamletNo, LogId, MemberNo, Role};
use crate::limits::{MAX_CODE_CHARS, MAX_HISTORY_BYTES, MAX_NAME_BYTES, MAX_REQUEST_BYTES};
use crate::signed::Statement;

/// How every code begins.
pub const CODE_PREFIX: &str = "yb1.";
/// How long a code may be redeemed, ms, by the hub's clock.
pub const CODE_VALID_MS: i64 = 10 * 60_000;
const MAX_ADDRESSES: usize = 4;

/// An enrolment code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolmentCode {
    /// Where the hub listens: `host:port`, first one first.
    pub addresses: Vec<String>,
    /// Hash of the commune root.
    pub root_hash: Hash,
    /// One use.
    pub token: [u8; 16],
    /// The commune.
    pub commune: CommuneCode,
    /// The hamlet's name, for the person who scans.
    pub hamlet: String,
    /// The role, for the person who scans.
    pub role: Role,
    /// Until when, hub time, ms.
    pub expires_ms: i64,
}

impl EnrolmentCode {
    /// The text of the code.
    pub fn to_text(&self) -> String {
        let mut w = Writer::with_capacity(160);
        w.array(7);
        write_list(&mut w, &self.addresses, |w, a| {
            w.text(a);
        });
        w.bytes(&self.root_hash).bytes(&self.token).uint(self.commune.get().into()).text(&self.hamlet);
        w.uint(self.role.number()).int(self.expires_ms);
        format!("{CODE_PREFIX}{}", BASE64URL_NOPAD.encode(w.as_bytes()))
    }

    /// Reads the text of a code; white space around and within (line breaks of a message) is ignored.
    pub fn from_text(text: &str) -> Result<Self> {
        let bad = Error::Malformed { what: "enrolment code", at: 0 };
        if text.len() > MAX_CODE_CHARS {
            return Err(Error::Limit { what: "characters of an enrolment code", limit: MAX_CODE_CHARS });
        }
        let text: String = text.split_whitespace().collect();
        let body = text.strip_prefix(CODE_PREFIX).ok_or(bad.clone())?;
        let bytes = BASE64URL_NOPAD.decode(body.as_bytes()).map_err(|_| bad)?;
        let mut r = Reader::new(&bytes);
        r.tuple(7, "enrolment code")?;
        let code = Self {
            addresses: list(&mut r, MAX_ADDRESSES, "addresses", |r| r.text_up_to(MAX_NAME_BYTES, "address").map(str::to_owned))?,
            root_hash: r.fixed("commune root")?,
            token: r.fixed("token")?,
            commune: CommuneCode::new(r.u32("commune")?)?,
            hamlet: r.text_up_to(MAX_NAME_BYTES, "hamlet")?.to_owned(),
            role: Role::from_number(r.uint("role")?)?,
            expires_ms: r.int("expires")?,
        };
        r.end("enrolment code")?;
        if code.addresses.is_empty() {
            return Err(Error::Malformed { what: "enrolment code without address", at: 0 });
        }
        Ok(code)
    }
}

/// What a phone says to redeem a code, signed by its device key (which proves that it holds it).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolRequest {
    /// The code's token.
    pub token: [u8; 16],
    /// The root it pins.
    pub root_hash: Hash,
    /// The hamlet as the code says.
    pub hamlet: String,
    /// The role as the code says.
    pub role: Role,
    /// The device's signing key.
    pub sign_key: PublicKey,
    /// The device's sealing key.
    pub seal_key: PublicKey,
    /// The log it will write.
    pub log: LogId,
}

impl Statement for EnrolRequest {
    const PURPOSE: &'static str = "yb1/enrol";

    fn write(&self, w: &mut Writer) {
        w.map(7).uint(0).bytes(&self.token).uint(1).bytes(&self.root_hash).uint(2).text(&self.hamlet);
        w.uint(3).uint(self.role.number()).uint(4).bytes(&self.sign_key.0).uint(5).bytes(&self.seal_key.0).uint(6).bytes(&self.log.0);
    }

    fn read(r: &mut Reader<'_>) -> Result<Self> {
        let (mut token, mut root, mut hamlet, mut role) = (None, None, None, None);
        let (mut sign_key, mut seal_key, mut log) = (None, None, None);
        let mut fields = r.map("enrolment")?;
        while let Some(key) = fields.key(r)? {
            match key {
                0 => token = Some(r.fixed("token")?),
                1 => root = Some(r.fixed("commune root")?),
                2 => hamlet = Some(r.text_up_to(MAX_NAME_BYTES, "hamlet")?.to_owned()),
                3 => role = Some(Role::from_number(r.uint("role")?)?),
                4 => sign_key = Some(PublicKey(r.fixed("signing key")?)),
                5 => seal_key = Some(PublicKey(r.fixed("sealing key")?)),
                6 => log = Some(LogId(r.fixed("log")?)),
                _ => drop(r.item("enrolment field")?),
            }
        }
        Ok(Self {
            token: need(token, "token")?,
            root_hash: need(root, "commune root")?,
            hamlet: need(hamlet, "hamlet")?,
            role: need(role, "role")?,
            sign_key: need(sign_key, "signing key")?,
            seal_key: need(seal_key, "sealing key")?,
            log: need(log, "log")?,
        })
    }
}

/// The hub's answer to a redeemed code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnrolAnswer {
    /// `Signed<DeviceCertificate>`.
    pub certificate: Vec<u8>,
    /// `Signed<KeyHistory>`.
    pub history: Vec<u8>,
    /// `Signed<Token>`.
    pub token: Vec<u8>,
    /// The member.
    pub member: MemberNo,
    /// The member's name.
    pub member_name: String,
    /// The hamlet.
    pub hamlet: HamletNo,
    /// The hamlet's name.
    pub hamlet_name: String,
}

impl EnrolAnswer {
    /// The answer's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::with_capacity(1024);
        w.map(7).uint(0).bytes(&self.certificate).uint(1).bytes(&self.history).uint(2).bytes(&self.token);
        w.uint(3).uint(self.member.0.into()).uint(4).text(&self.member_name);
        w.uint(5).uint(self.hamlet.0.into()).uint(6).text(&self.hamlet_name);
        w.into_bytes()
    }

    /// Reads what [`EnrolAnswer::to_bytes`] gave.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        let (mut certificate, mut history, mut token, mut member) = (None, None, None, None);
        let (mut member_name, mut hamlet, mut hamlet_name) = (String::new(), None, None);
        let mut fields = r.map("enrolment answer")?;
        while let Some(key) = fields.key(&mut r)? {
            match key {
                0 => certificate = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "certificate")?.to_vec()),
                1 => history = Some(r.bytes_up_to(MAX_HISTORY_BYTES, "key history")?.to_vec()),
                2 => token = Some(r.bytes_up_to(MAX_REQUEST_BYTES, "token")?.to_vec()),
                3 => member = Some(MemberNo(r.u32("member")?)),
                4 => member_name = r.text_up_to(MAX_NAME_BYTES, "member name")?.to_owned(),
                5 => hamlet = Some(HamletNo(r.u32("hamlet")?)),
                6 => hamlet_name = Some(r.text_up_to(MAX_NAME_BYTES, "hamlet")?.to_owned()),
                _ => drop(r.item("answer field")?),
            }
        }
        r.end("enrolment answer")?;
        Ok(Self {
            certificate: need(certificate, "certificate")?,
            history: need(history, "key history")?,
            token: need(token, "token")?,
            member: need(member, "member")?,
            member_name,
            hamlet: need(hamlet, "hamlet")?,
            hamlet_name: need(hamlet_name, "hamlet")?,
        })
    }
}
