//! A commune's hub that really serves over TLS, and phones that really join it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses its own part")]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::runtime::Runtime;
use yenban_core::Phone;
use yenban_core::app::{CheckIn, IfAbsent};
use yenban_core::clock::{Clock, SystemClock};
use yenban_core::store::Folder as PhoneFolder;
use yenban_core::sync::Outcome;
use yenban_core::transport::{self, Until};
use yenban_hub::Hub;

use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::folder::Folder;
use yenban_hub::init::{NewHub, init};
use yenban_hub::server::{Serving, serve};
use yenban_hub::store::Totals;
use yenban_protocol::id::Role;

/// A phone whose calendar stands in 1970; its other clock runs.
pub struct Seventies(SystemClock);

impl Seventies {
    pub fn now() -> Seventies {
        Seventies(SystemClock::new())
    }
}

impl Clock for Seventies {
    fn wall_ms(&self) -> i64 {
        0
    }
    fn monotonic_ms(&self) -> u64 {
        self.0.monotonic_ms()
    }
    fn boot_id(&self) -> [u8; 8] {
        self.0.boot_id()
    }
}

pub struct Commune {
    pub runtime: Runtime,
    pub temp: tempfile::TempDir,
    pub hub: Option<Arc<Hub>>,
    serving: Option<Serving>,
    pub address: SocketAddr,
    phones: u32,
}

impl Commune {
    pub fn start() -> Commune {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let temp = tempfile::tempdir().unwrap();
        let new = NewHub {
            dir: temp.path().join("hub"),
            commune: "05200".into(),
            name: "Công an xã".into(),
            recovery_file: None,
            officer: "Hà Văn Sơn".into(),
        };
        runtime.block_on(init(new, Arc::new(yenban_hub::clock::SystemClock))).unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let mut commune = Commune { runtime, temp, hub: None, serving: None, address, phones: 0 };
        commune.open();
        commune
    }

    fn dir(&self) -> PathBuf {
        self.temp.path().join("hub")
    }

    pub fn open(&mut self) {
        let (dir, listen) = (self.dir(), self.address.to_string());
        let (hub, serving) = self.runtime.block_on(async {
            let hub = Hub::open(Folder::new(dir), Arc::new(yenban_hub::clock::SystemClock)).await.unwrap();
            let serving = serve(Arc::clone(&hub), &listen).await.unwrap();
            (hub, serving)
        });
        self.address = serving.address();
        (self.hub, self.serving) = (Some(hub), Some(serving));
    }

    pub fn close(&mut self) {
        let (hub, serving) = (self.hub.take().unwrap(), self.serving.take().unwrap());
        self.runtime.block_on(async {
            serving.stop().await;
            hub.close().await.unwrap();
        });
    }

    /// A backup of now, beside the hub's folder.
    pub fn back_up(&self) -> PathBuf {
        let file = self.temp.path().join("hub.backup");
        self.runtime.block_on(yenban_hub::backup::write(self.hub(), &file)).unwrap();
        file
    }

    /// The hub is lost and comes back from a backup, at the same address.
    pub fn restore(&mut self, backup: &std::path::Path) {
        self.close();
        std::fs::rename(self.dir(), self.temp.path().join("lost")).unwrap();
        let clock = Arc::new(yenban_hub::clock::SystemClock);
        self.runtime.block_on(yenban_hub::backup::restore(&self.dir(), backup, None, clock)).unwrap();
        self.open();
    }

    pub fn hub(&self) -> &Arc<Hub> {
        self.hub.as_ref().unwrap()
    }

    pub fn code(&self, addresses: Vec<String>) -> String {
        self.code_for("Lò Văn Páo", addresses)
    }

    pub fn code_for(&self, name: &str, addresses: Vec<String>) -> String {
        let wanted = CodeWanted { hamlet: "Nà Phòn".into(), create: true, role: Role::Member, name: name.into(), addresses };
        self.runtime.block_on(make_code(self.hub(), wanted)).unwrap().text
    }

    /// A phone without a group.
    pub fn new_phone(&mut self, clock: Box<dyn Clock>) -> Phone {
        self.phones += 1;
        let folder = PhoneFolder::at(self.temp.path().join(format!("phone-{}", self.phones)));
        Phone::open_software(folder, clock, IfAbsent::Create).unwrap()
    }

    /// A phone that has joined; its calendar stands in 1970.
    pub fn phone(&mut self) -> Phone {
        let address = self.address.to_string();
        self.phone_at(vec![address])
    }

    /// A phone that has joined a hub with these addresses.
    pub fn phone_at(&mut self, addresses: Vec<String>) -> Phone {
        let mut phone = self.new_phone(Box::new(Seventies::now()));
        join(&mut phone, &self.code(addresses)).unwrap();
        phone
    }

    pub fn totals(&self) -> Totals {
        self.runtime.block_on(self.hub().store.totals()).unwrap()
    }
}

pub fn join(phone: &mut Phone, code: &str) -> yenban_core::Result<()> {
    let (code, request) = phone.enrol_request(code)?;
    let answer = transport::enrol(&code, request)?;
    phone.enrolled(&code, &answer)
}

pub fn walk(phone: &mut Phone, check_ins: u32) {
    phone.patrol_start(&[], None).unwrap();
    for n in 0..check_ins {
        check_in(phone, n);
    }
    phone.patrol_finish().unwrap();
}

pub fn check_in(phone: &mut Phone, n: u32) {
    let lat_e7 = 206_600_000 + i32::try_from(n).unwrap() * 1_800;
    let mut place = yenban_core::app::Place::new(lat_e7, 1_050_800_000, yenban_protocol::record::Provider::Gnss);
    place.accuracy_cm = Some(800);
    phone.check_in(&CheckIn { place: Some(place), ..CheckIn::default() }).unwrap();
}

pub fn sync(phone: &mut Phone) -> Outcome {
    let addresses = phone.enrolment().unwrap().addresses.clone();
    transport::run(phone, &addresses, Until::Once, None).unwrap()
}
