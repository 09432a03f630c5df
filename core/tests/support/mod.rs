//! A commune for tests: root, hub keys, enrolment codes and signed answers, in memory.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test binary uses its own part")]

use std::path::Path;
use std::sync::Arc;

use rand_core::{TryCryptoRng, TryRng};
use yenban_core::Phone;
use yenban_core::app::{IfAbsent, Place};
use yenban_core::clock::VirtualClock;
use yenban_core::store::Folder;
use yenban_protocol::cert::{DeviceCertificate, Token};
use yenban_protocol::crypto::{SecretKey, Signer, SoftwareVerifier};
use yenban_protocol::enrol::{EnrolAnswer, EnrolRequest, EnrolmentCode};
use yenban_protocol::id::{CommuneCode, DeviceId, Epoch, HamletNo, MemberNo, Role};
use yenban_protocol::keys::{HubKey, KeyHistory, Purpose, root_hash};
use yenban_protocol::record::Provider;
use yenban_protocol::signed::Signed;

/// 22 November 2026, 21:52 in Vietnam.
pub const EVENING_MS: i64 = 1_795_359_120_000;

/// A small generator with a seed, for keys of the test commune only.
pub struct Seeded(pub u64);

impl TryRng for Seeded {
    type Error = std::convert::Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok((self.try_next_u64()? >> 32) as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Ok(z ^ (z >> 31))
    }
    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        for chunk in out.chunks_mut(8) {
            let bytes = self.try_next_u64()?.to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}
impl TryCryptoRng for Seeded {}

/// The commune's side.
pub struct Commune {
    pub root: SecretKey,
    pub sign: SecretKey,
    pub seal: SecretKey,
    pub tls: SecretKey,
    pub epoch: Epoch,
    pub devices: u8,
}

impl Commune {
    pub fn new() -> Commune {
        let mut rng = Seeded(2026);
        let mut key = || SecretKey::generate(&mut rng);
        Commune { root: key(), sign: key(), seal: key(), tls: key(), epoch: Epoch([5; 8]), devices: 0 }
    }

    pub fn code_text(&self) -> String {
        EnrolmentCode {
            addresses: vec!["127.0.0.1:8443".into()],
            root_hash: root_hash(&self.root.public_key()),
            token: [9; 16],
            commune: CommuneCode::new(5_200).unwrap(),
            hamlet: "Bản Nà Phòn".into(),
            role: Role::Member,
            expires_ms: EVENING_MS + 600_000,
        }
        .to_text()
    }

    pub fn history(&self) -> Signed<KeyHistory> {
        let key = |purpose, key: &SecretKey| HubKey { purpose, key: key.public_key(), since_ms: 0, retired_ms: None };
        let history = KeyHistory {
            commune: CommuneCode::new(5_200).unwrap(),
            name: "Công an xã Bao La".into(),
            root: self.root.public_key(),
            number: 1,
            keys: vec![key(Purpose::Tls, &self.tls), key(Purpose::Seal, &self.seal), key(Purpose::Sign, &self.sign)],
        };
        Signed::sign(history, &self.root).unwrap()
    }

    pub fn token(&self, hub_time_ms: i64) -> Signed<Token> {
        Signed::sign(Token { hub_time_ms, epoch: self.epoch }, &self.sign).unwrap()
    }

    /// Answers an enrolment request for `member`.
    pub fn answer(&mut self, request: &[u8], member: u32) -> EnrolAnswer {
        let request = Signed::<EnrolRequest>::verify(request, &SoftwareVerifier, |r, _| Some(r.sign_key)).unwrap();
        self.devices += 1;
        let certificate = DeviceCertificate {
            device: DeviceId([self.devices; 8]),
            sign_key: request.value.sign_key,
            seal_key: request.value.seal_key,
            commune: CommuneCode::new(5_200).unwrap(),
            hamlet: HamletNo(3),
            member: MemberNo(member),
            role: Role::Member,
            issued_ms: EVENING_MS,
            expires_ms: EVENING_MS + 180 * 86_400_000,
        };
        EnrolAnswer {
            certificate: Signed::sign(certificate, &self.sign).unwrap().into_bytes(),
            history: self.history().into_bytes(),
            token: self.token(EVENING_MS).into_bytes(),
            member: MemberNo(member),
            member_name: "Lò Văn Páo".into(),
            hamlet: HamletNo(3),
            hamlet_name: "Bản Nà Phòn".into(),
        }
    }

    /// Enrols a phone for `member`.
    pub fn enrol(&mut self, phone: &mut Phone, member: u32) {
        let (code, request) = phone.enrol_request(&self.code_text()).unwrap();
        let answer = self.answer(&request, member);
        phone.enrolled(&code, &answer).unwrap();
    }
}

/// Opens (or makes) a phone in `dir`.
pub fn open(dir: &Path, clock: &Arc<VirtualClock>) -> Phone {
    Phone::open_software(Folder::at(dir), Box::new(clock.clone()), IfAbsent::Create).unwrap()
}

/// A new enrolled phone of member 7.
pub fn enrolled(dir: &Path, clock: &Arc<VirtualClock>) -> Phone {
    let mut phone = open(dir, clock);
    Commune::new().enrol(&mut phone, 7);
    phone
}

/// A place `metres` north of the culture house.
pub fn place(metres: i32) -> Place {
    let mut place = Place::new(206_601_200 + metres * 90, 1_050_834_500, Provider::Gnss);
    place.accuracy_cm = Some(800);
    place
}
