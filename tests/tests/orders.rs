//! A hub restored from a backup is given back, by the phones, what it had ordered since: a lost phone stays shut out, a
//! warning stands in the list again, and no phone hears anything twice.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use commune::{Commune, sync, walk};
use yenban_core::sync::Verdict;
use yenban_hub::store::{AlertRow, ItemDraft, ListQuery};
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::DeviceId;

fn warn(commune: &Commune, identifier: &str) {
    let hub = commune.hub();
    let alert = Alert {
        identifier: identifier.to_owned(),
        sender_name: "Công an xã".to_owned(),
        sent_ms: hub.now_ms(),
        expires_ms: hub.now_ms() + 3_600_000,
        status: Status::Actual,
        message_type: MessageType::Alert,
        severity: Severity::Severe,
        urgency: Urgency::Expected,
        headline: "Mưa lớn".to_owned(),
        description: "Lên cao".to_owned(),
        instruction: String::new(),
        hamlets: Vec::new(),
        references: Vec::new(),
    };
    let item = ItemDraft { scope: Scope::Commune(hub.commune()), item: Item::Alert(alert.clone()), issued_ms: alert.sent_ms };
    let row = AlertRow { alert, officer: "Đại úy Lò Văn Thành".to_owned(), second: None, cap: None };
    assert!(commune.runtime.block_on(hub.store.raise_alert(row, vec![item], hub.item_signer())).unwrap());
}

fn alerts(commune: &Commune) -> Vec<String> {
    let rows = commune.runtime.block_on(commune.hub().store.alerts(ListQuery::default())).unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

fn is_revoked(commune: &Commune, device: DeviceId) -> bool {
    commune.runtime.block_on(commune.hub().store.device(device)).unwrap().unwrap().revoked_ms.is_some()
}

#[test]
fn what_a_restored_hub_had_ordered_comes_back_from_the_phones() {
    let mut commune = Commune::start();
    let (mut ours, mut stolen) = (commune.phone(), commune.phone());
    for phone in [&mut ours, &mut stolen] {
        walk(phone, 3);
        assert_eq!(sync(phone).verdict, Verdict::UpToDate);
    }
    warn(&commune, "before");
    let device = stolen.identity().unwrap().device.parse::<DeviceId>().unwrap();
    let backup = commune.back_up();

    warn(&commune, "after");
    assert!(commune.runtime.block_on(yenban_hub::admin::revoke(commune.hub(), device, true)).unwrap());
    assert_eq!(sync(&mut ours).verdict, Verdict::UpToDate);
    let heard = ours.feed().unwrap().len();

    commune.restore(&backup);
    assert_eq!((alerts(&commune), is_revoked(&commune, device)), (vec!["before".to_owned()], false));
    assert_eq!(sync(&mut ours).verdict, Verdict::UpToDate);
    assert_eq!(alerts(&commune), ["after", "before"]);
    assert!(is_revoked(&commune, device), "the stolen phone is shut out again");
    assert_ne!(sync(&mut stolen).verdict, Verdict::UpToDate);
    let audit = commune.runtime.block_on(commune.hub().store.audit(ListQuery::default())).unwrap();
    let taken: Vec<_> = audit.iter().filter(|row| row.action == "take back").map(|row| row.subject.as_str()).collect();
    assert_eq!(taken, ["2"], "the warning and the revocation, once");

    // Both are told again to every phone, which shows them once; nothing is given back twice.
    assert_eq!(sync(&mut ours).verdict, Verdict::UpToDate);
    assert_eq!((ours.feed().unwrap().len(), ours.alerts().unwrap().len()), (heard + 2, 2));
    let mut late = commune.phone();
    assert_eq!(sync(&mut late).verdict, Verdict::UpToDate);
    assert_eq!(late.alerts().unwrap().len(), 2);
    let again = commune.runtime.block_on(commune.hub().store.audit(ListQuery::default())).unwrap();
    assert_eq!(again.iter().filter(|row| row.action == "take back").count(), 1);
    commune.close();
}

#[test]
fn what_this_hub_never_signed_is_left() {
    let commune = Commune::start();
    let (ours, strangers) = (commune.hub(), Commune::start());
    let device = DeviceId([7; 8]);
    let draft = ItemDraft { scope: Scope::Device(device), item: Item::Revocation { device, lost: true }, issued_ms: ours.now_ms() };
    let signed = (strangers.hub().item_signer())(&draft, 1, [0; 32]).unwrap();
    let body = yenban_protocol::wire::ReturnedItems(vec![signed.bytes, vec![1, 2, 3]]).to_bytes();
    assert_eq!(commune.runtime.block_on(yenban_hub::orders::take_back(ours, &body)).unwrap().taken, 0);
    assert!(commune.runtime.block_on(yenban_hub::orders::take_back(ours, b"noise")).is_err());
    // Of the current epoch nothing can have been lost.
    let signed = (ours.item_signer())(&draft, 1, [0; 32]).unwrap();
    let body = yenban_protocol::wire::ReturnedItems(vec![signed.bytes]).to_bytes();
    assert_eq!(commune.runtime.block_on(yenban_hub::orders::take_back(ours, &body)).unwrap().taken, 0);
}
