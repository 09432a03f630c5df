//! A hub with a second officer, and a report of two photographs of which one came with its smaller copies.

#![allow(dead_code, unreachable_pub, missing_docs)] // Each test uses its part of it.

use std::sync::Arc;

use yenban_hub::admin::Admin;
use yenban_hub::retention::ItemOrder;
use yenban_hub::store::ListQuery;
use yenban_protocol::custody::Action;
use yenban_protocol::feed::Item;
use yenban_protocol::id::{EntryName, Role};
use yenban_protocol::record::{Act, PreviewKind};

use crate::support::phone::Phone;
use crate::support::upload::{Sealed, Tus, content, facts, record, record_previews, seal};
use crate::support::{NIGHT_MS, TestHub};

/// A hub with a second officer, and a photograph with its smaller copies, all delivered.
pub struct Scene {
    pub hub: TestHub,
    pub phone: Phone,
    pub tus: Tus,
    pub photo: EntryName,
    pub incident: EntryName,
    pub files: Vec<Sealed>,
}

pub async fn scene() -> Scene {
    let hub = TestHub::start().await;
    let second = "bản;vĩ độ;kinh độ;tổ;họ tên;vai trò\nNà Phòn;20,66;105,08;Tổ 1;Lò Thị Hoa;tổ viên\n";
    Admin::here(Arc::clone(&hub.hub)).import(second.as_bytes(), "vi").await.expect("imported");
    let mut officer = Phone::new(NIGHT_MS);
    let wanted = yenban_hub::enrol::CodeWanted {
        hamlet: String::new(),
        create: false,
        role: Role::Officer,
        name: "Vì Văn Khương".to_owned(),
        addresses: vec![hub.address.to_string()],
    };
    let code = yenban_hub::enrol::make_code(&hub.hub, wanted).await.expect("code").text;
    assert_eq!(officer.enrol(&mut hub.connect().await, &code).await.status, 200);
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = phone.record(Act::IncidentReported { kind: "fire".to_owned(), urgent: true, attachments: 2, statements: Vec::new() });
    let incident = EntryName { log: phone.log, seq };
    let files: Vec<Sealed> = [90_000, 9_000, 900].into_iter().zip(1..).map(|(n, seed)| seal(&phone, &content(seed, n))).collect();
    let mut first = facts(&files[0]);
    first.original_name = Some("lua.jpg".to_owned());
    let photo = record(&mut phone, Some(incident), first);
    record_previews(&mut phone, photo, &files[0], &[(PreviewKind::Preview, &files[1]), (PreviewKind::Thumbnail, &files[2])]);
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    Scene { hub, phone, tus, photo, incident, files }
}

impl Scene {
    pub async fn incident(&self) -> yenban_hub::store::IncidentListing {
        self.hub.hub.store.incidents(ListQuery::default()).await.expect("incidents").remove(0)
    }

    pub async fn evidence(&self) -> yenban_hub::store::EvidenceListing {
        self.hub.hub.store.evidence(ListQuery::default()).await.expect("evidence").remove(0)
    }

    pub fn order(&self, reason: &str) -> ItemOrder {
        ItemOrder {
            id: self.photo.to_string(),
            reason: reason.to_owned(),
            officer: "Hà Văn Sơn".to_owned(),
            second: "Vì Văn Khương".to_owned(),
            for_ms: None,
        }
    }

    pub async fn actions(&self) -> Vec<Action> {
        let item = self.photo.to_string().parse().expect("item");
        self.hub.hub.store.custody(item, i64::MAX).await.expect("custody").iter().map(|row| row.facts.action).collect()
    }

    pub async fn wanted(&self) -> Vec<[u8; 32]> {
        let mut conn = self.hub.connect().await;
        let (_, items) = self.phone.pull(&mut conn, Vec::new(), 256).await;
        items
            .into_iter()
            .filter_map(|item| match item.item {
                Item::ObjectsWanted { objects } => Some(objects),
                _ => None,
            })
            .flatten()
            .collect()
    }
}

pub fn only_object(hub: &TestHub) -> std::path::PathBuf {
    let largest = std::fs::read_dir(hub.temp.path().join("hub/objects")).expect("objects").map(|e| e.expect("entry").path());
    largest.max_by_key(|path| std::fs::metadata(path).expect("meta").len()).expect("an object")
}
