//! A hub on a port of its own, with a clock that only moves when told.

#![allow(dead_code, unreachable_pub, missing_docs)] // Each test uses its part of it.

pub mod phone;
pub mod scene;
pub mod upload;

use std::path::PathBuf;
use std::sync::Arc;

use phone::{Conn, Phone};
use yenban_hub::clock::ManualClock;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::folder::Folder;
use yenban_hub::init::{NewHub, init};
use yenban_hub::server::{Serving, serve};
use yenban_hub::{Hub, app};
use yenban_protocol::id::Role;

/// A night in November 2026.
pub const NIGHT_MS: i64 = 1_795_000_000_000;

/// A hub that serves.
pub struct TestHub {
    pub temp: tempfile::TempDir,
    pub clock: ManualClock,
    pub hub: Arc<app::Hub>,
    serving: Option<Serving>,
    pub address: std::net::SocketAddr,
    /// The link that `init` gave for the first officer.
    pub first_link: String,
}

impl TestHub {
    /// A new hub of Xã Vân Hồ ... served on a free port.
    pub async fn start() -> Self {
        let temp = tempfile::tempdir().expect("temp");
        let clock = ManualClock::at(NIGHT_MS);
        let new = NewHub {
            dir: temp.path().join("hub"),
            commune: "05200".to_owned(),
            name: "Công an xã".to_owned(),
            recovery_file: None,
            officer: "Hà Văn Sơn".to_owned(),
        };
        let first_link = init(new, Arc::new(clock.clone())).await.expect("init").first_link;
        let (hub, serving) = Self::open(temp.path().join("hub"), &clock).await;
        let address = serving.address();
        Self { temp, clock, hub, serving: Some(serving), address, first_link }
    }

    async fn open(dir: PathBuf, clock: &ManualClock) -> (Arc<Hub>, Serving) {
        let hub = Hub::open(Folder::new(dir), Arc::new(clock.clone())).await.expect("opens");
        let serving = serve(Arc::clone(&hub), "127.0.0.1:0").await.expect("serves");
        (hub, serving)
    }

    /// Enters the whole log of a phone, as if it had been delivered.
    pub async fn deliver(&self, phone: &Phone) {
        let last = phone.bodies.len() as u64 - 1;
        yenban_hub::ingest::deliver(&self.hub, &phone.segment(0, last)).await.expect("delivered");
    }

    /// Stops and starts again on the same folder.
    pub async fn restart(self) -> Self {
        let Self { temp, clock, hub, serving, first_link, .. } = self;
        if let Some(serving) = serving {
            serving.stop().await;
        }
        hub.close().await.expect("closes");
        drop(hub);
        let (hub, serving) = Self::open(temp.path().join("hub"), &clock).await;
        let address = serving.address();
        Self { temp, clock, hub, serving: Some(serving), address, first_link }
    }

    /// Stops serving and closes; the folder stays.
    pub async fn halt(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.stop().await;
        }
        self.hub.close().await.expect("closes");
    }

    /// Serves another folder in the place of a halted hub.
    pub async fn serve_folder(halted: Self, dir: PathBuf) -> Self {
        let Self { temp, clock, first_link, .. } = halted;
        let (hub, serving) = Self::open(dir, &clock).await;
        let address = serving.address();
        Self { temp, clock, hub, serving: Some(serving), address, first_link }
    }

    /// Stops serving and closes.
    pub async fn stop(mut self) {
        if let Some(serving) = self.serving.take() {
            serving.stop().await;
        }
        self.hub.close().await.expect("closes");
    }

    pub async fn connect(&self) -> Conn {
        Conn::open(self.address, &self.hub.keys.certificate).await.expect("connects")
    }

    /// A code for a hamlet (made if it is not there).
    pub async fn code(&self, hamlet: &str, role: Role) -> String {
        let wanted =
            CodeWanted { hamlet: hamlet.to_owned(), create: true, role, name: String::new(), addresses: vec![self.address.to_string()] };
        make_code(&self.hub, wanted).await.expect("code").text
    }

    /// An enrolled member of a hamlet with a started log, and a connection.
    pub async fn phone(&self, hamlet: &str) -> (Phone, Conn) {
        let mut conn = self.connect().await;
        let mut phone = Phone::new(NIGHT_MS);
        let answer = phone.enrol(&mut conn, &self.code(hamlet, Role::Member).await).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        phone.start_log();
        (phone, conn)
    }
}
