//! Alerts on real phones: what replaces what, in whatever order it comes. Bad ones by their number; what the hub does with
//! the same stands in hub/tests/cap_bad_inputs.rs.
#![allow(clippy::unwrap_used, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use commune::{Commune, sync};
use yenban_core::Phone;
use yenban_hub::alert::raise;
use yenban_hub::store::AlertRow;
use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};

/// An alert for the whole commune, given to the hub as if somebody had got it past every form.
fn send(commune: &Commune, id: &str, kind: MessageType, of: &[&str], status: Status) {
    let sent_ms = commune.hub().now_ms() / 1_000 * 1_000;
    let alert = Alert {
        identifier: id.into(),
        sender_name: "Công an xã".into(),
        sent_ms,
        expires_ms: sent_ms + 3_600_000,
        status,
        message_type: kind,
        severity: if status == Status::Actual { Severity::Severe } else { Severity::Extreme },
        urgency: Urgency::Expected,
        headline: format!("Lũ, tin {id}"),
        description: String::new(),
        instruction: "Lên cao".into(),
        hamlets: Vec::new(),
        references: of.iter().map(|id| (*id).to_owned()).collect(),
    };
    let row = AlertRow { alert, officer: "Hà Văn Sơn".into(), second: None, cap: None };
    commune.runtime.block_on(raise(commune.hub(), row)).unwrap();
    // The next one is issued later by the hub's clock.
    let now_ms = commune.hub().now_ms();
    while commune.hub().now_ms() == now_ms {
        std::thread::yield_now();
    }
}

fn shown(phone: &mut Phone) -> Vec<(String, &'static str)> {
    phone.alerts().unwrap().into_iter().map(|alert| (alert.id, alert.state)).collect()
}

fn told(id: &str, state: &'static str) -> (String, &'static str) {
    (id.to_owned(), state)
}

use MessageType::{Cancel, Update};
const NEW: MessageType = MessageType::Alert;
const REAL: Status = Status::Actual;

#[test]
fn an_update_replaces_and_a_cancel_ends_it() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    send(&commune, "a", NEW, &[], REAL);
    sync(&mut phone);
    assert_eq!(shown(&mut phone), [told("a", "live")]);
    send(&commune, "b", Update, &["a"], REAL);
    sync(&mut phone);
    assert_eq!(shown(&mut phone), [told("b", "live"), told("a", "updated")]);
    send(&commune, "c", Cancel, &["a", "b"], REAL);
    sync(&mut phone);
    let now = shown(&mut phone);
    assert!(now.len() == 2 && now.iter().all(|(_, state)| *state == "cancelled"), "{now:?}");
    // A phone that was off for all of it shows the same.
    let mut late = commune.phone();
    sync(&mut late);
    assert_eq!(shown(&mut late), now);
}

#[test]
fn b_060_an_alert_whose_end_came_first_is_never_shown() {
    let mut commune = Commune::start();
    let (mut here, mut late) = (commune.phone(), commune.phone());
    send(&commune, "end", Cancel, &["a"], REAL);
    sync(&mut here);
    send(&commune, "a", NEW, &[], REAL);
    sync(&mut here);
    sync(&mut late);
    assert_eq!((shown(&mut here), shown(&mut late)), (Vec::new(), Vec::new()));
    // An update may come first as well: what it replaces is not live for a moment.
    send(&commune, "new", Update, &["old"], REAL);
    send(&commune, "old", NEW, &[], REAL);
    sync(&mut here);
    assert_eq!(shown(&mut here), [told("new", "live"), told("old", "updated")]);
}

#[test]
fn b_062_one_name_is_one_alert() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    send(&commune, "a", NEW, &[], REAL);
    let again = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| send(&commune, "a", NEW, &[], Status::Test)));
    assert!(again.is_err(), "the hub takes no second one of a name");
    sync(&mut phone);
    assert_eq!(shown(&mut phone), [told("a", "live")]);
}

#[test]
fn b_064_a_drill_is_one_stands_below_and_ends_nothing_real() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    send(&commune, "real", NEW, &[], REAL);
    send(&commune, "drill", NEW, &[], Status::Exercise);
    send(&commune, "test", NEW, &[], Status::Test);
    send(&commune, "end", Cancel, &["real"], Status::Exercise);
    send(&commune, "newer", Update, &["real"], Status::Test);
    send(&commune, "real-end", Cancel, &["drill"], REAL);
    sync(&mut phone);
    let alerts = phone.alerts().unwrap();
    assert_eq!((alerts[0].id.as_str(), alerts[0].state, alerts[0].drill), ("real", "live", false), "before drills of any level");
    assert!(alerts[1..].iter().all(|alert| alert.drill && alert.state == "live"), "{:?}", shown(&mut phone));
    assert_eq!(alerts.len(), 4);
}
