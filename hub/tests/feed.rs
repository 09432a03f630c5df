//! Hearing: alerts, names and fates come back in order, once, and only to whom they concern.

mod support;

use support::phone::is_mine;
use support::{NIGHT_MS, TestHub};
use yenban_hub::HubError;
use yenban_hub::admin::{Admin, Operation};
use yenban_hub::alert::AlertWanted;
use yenban_hub::error::Refusal;
use yenban_hub::store::{ListQuery, MemberRow, WHOLE_COMMUNE};
use yenban_protocol::crypto::sha256;
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{MemberNo, Role};
use yenban_protocol::record::{Act, Answer, Basis, Statement};
use yenban_protocol::wire::{Cursor, path};

fn storm(hamlets: &[&str]) -> AlertWanted {
    AlertWanted {
        headline: "Mưa lớn đêm nay".to_owned(),
        description: "Suối Nánh dâng nhanh. Lên cao.".to_owned(),
        severity: "Severe".to_owned(),
        hamlets: hamlets.iter().map(|h| (*h).to_owned()).collect(),
        ..AlertWanted::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_reaches_its_hamlet_and_is_answered() {
    let hub = TestHub::start().await;
    let (mut near, mut conn) = hub.phone("Nà Phòn").await;
    let (far, mut far_conn) = hub.phone("Piềng Vế").await;
    let mut admin = Admin::here(hub.hub.clone());
    let sent = admin.alert(storm(&["nà phòn"])).await;
    assert!(sent.is_err(), "names are compared as typed, not guessed");
    let sent = admin.alert(storm(&["Nà Phòn"])).await.expect("sent");

    let (answer, items) = near.pull(&mut conn, Vec::new(), 100).await;
    let alert = items.iter().find_map(|i| if let Item::Alert(a) = &i.item { Some(a) } else { None }).expect("the alert");
    assert_eq!((alert.identifier.as_str(), alert.headline.as_str()), (sent.id.as_str(), "Mưa lớn đêm nay"));
    assert!(items.iter().all(|i| is_mine(&near, &i.scope)));
    assert!(!answer.more);
    // Every stream is numbered from 1 without a gap, each item naming the one before it.
    for stream in &answer.streams {
        let own: Vec<_> = answer.items.iter().zip(&items).filter(|(_, i)| i.scope == stream.scope).collect();
        assert_eq!(own.len() as u64, stream.number);
        let mut previous = [0; 32];
        for (n, (bytes, item)) in own.iter().enumerate() {
            assert_eq!((item.number, item.previous), (n as u64 + 1, previous));
            previous = sha256(bytes);
        }
    }
    let (_, far_items) = far.pull(&mut far_conn, Vec::new(), 100).await;
    assert!(!far_items.iter().any(|i| matches!(i.item, Item::Alert(_))), "it is not for the other hamlet");
    assert!(far_items.iter().all(|i| is_mine(&far, &i.scope)));

    // Asking for other people's streams gives one's own.
    let foreign =
        Cursor { scope: Scope::Hamlet(near.certificate.as_ref().expect("enrolled").value.hamlet), epoch: hub.hub.epoch(), number: 0 };
    let (_, items) = far.pull(&mut far_conn, vec![foreign], 100).await;
    assert!(items.iter().all(|i| is_mine(&far, &i.scope)));

    // From the cursor nothing comes twice; page by page everything comes.
    let (again, items) = near.pull(&mut conn, answer.streams.clone(), 100).await;
    assert_eq!((items.len(), again.streams == answer.streams), (0, true));
    let (mut cursors, mut pulled) = (Vec::<Cursor>::new(), 0);
    loop {
        let (page, items) = near.pull(&mut conn, cursors.clone(), 1).await;
        for item in &items {
            cursors.retain(|c| c.scope != item.scope);
            cursors.push(Cursor { scope: item.scope, epoch: item.epoch, number: item.number });
        }
        pulled += items.len();
        if !page.more {
            break;
        }
    }
    assert_eq!(pulled, answer.items.len());

    let seq = near.record(Act::AlertAnswered { alert: sent.id.clone(), answer: Answer::Going });
    assert_eq!(near.push(&mut conn, 0, seq).await.status, 200);
    let listed = hub.hub.store.alerts(ListQuery::default()).await.expect("alerts");
    assert_eq!((listed[0].answers[0].answer.as_str(), listed[0].answers[0].member_no), ("going", near.member.0));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_commune_needs_a_second_officer() {
    let hub = TestHub::start().await;
    let (phone, mut conn) = hub.phone("Nà Phòn").await;
    let mut admin = Admin::here(hub.hub.clone());
    let wanted = AlertWanted { officer: "Hà Văn Sơn".to_owned(), ..storm(&[]) };
    for (name, role) in [("Bùi Thị Lan", Role::Officer), ("Lò Văn Páo", Role::Leader)] {
        let officer = MemberRow { no: MemberNo(0), name: name.to_owned(), role, hamlet: WHOLE_COMMUNE, group: 0 };
        hub.hub.store.add_member(officer).await.expect("a member");
    }
    for (second, expected) in [
        (None, "second_officer"),
        (Some("Hà Văn Sơn"), "invalid"),
        (Some("  "), "invalid"),
        (Some("bui thi lan"), "unknown_officer"),
        (Some("Lò Văn Páo"), "unknown_officer"),
        (Some("0"), "unknown_officer"),
    ] {
        let refused = admin.alert(AlertWanted { second: second.map(str::to_owned), ..wanted.clone() }).await;
        assert_eq!(refused.expect_err("refused").code(), expected);
    }
    for bad in [
        AlertWanted { headline: " ".to_owned(), ..storm(&["Nà Phòn"]) },
        AlertWanted { severity: "bad".to_owned(), ..storm(&["Nà Phòn"]) },
        AlertWanted { ttl_ms: Some(0), ..storm(&["Nà Phòn"]) },
        AlertWanted { ttl_ms: Some(i64::MAX), ..storm(&["Nà Phòn"]) },
        AlertWanted { description: "x".repeat(5_000), ..storm(&["Nà Phòn"]) },
        AlertWanted { headline: "a\u{0}b".to_owned(), ..storm(&["Nà Phòn"]) },
        AlertWanted { headline: "a\nb".to_owned(), ..storm(&["Nà Phòn"]) },
    ] {
        assert_eq!(admin.alert(bad).await.expect_err("refused").code(), "invalid");
    }
    assert_eq!(hub.hub.store.totals().await.expect("totals").alerts, 0, "what was refused had no effect");
    admin.alert(AlertWanted { second: Some("Bùi Thị Lan".to_owned()), drill: true, ..wanted }).await.expect("two officers");
    let (_, items) = phone.pull(&mut conn, Vec::new(), 100).await;
    let scopes: Vec<Scope> = items.iter().filter(|i| matches!(i.item, Item::Alert(_))).map(|i| i.scope).collect();
    assert_eq!(scopes, [Scope::Commune(hub.hub.commune())]);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_key_serves_a_day_and_a_certificate_half_a_year() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    phone.pull(&mut conn, Vec::new(), 10).await;
    hub.clock.pass(24 * 3_600_000 + 11 * 60_000);
    assert_eq!(conn.post(path::FEED, &phone.feed_body(Vec::new(), 10)).await.expect("answer").code(), "request_key");
    let keys = conn.get(path::KEYS).await.expect("answer");
    phone.token = yenban_protocol::wire::KeysAnswer::from_bytes(&keys.body).expect("keys").token;
    phone.pull(&mut conn, Vec::new(), 10).await;
    hub.clock.pass(180 * 24 * 3_600_000);
    let keys = conn.get(path::KEYS).await.expect("answer");
    phone.token = yenban_protocol::wire::KeysAnswer::from_bytes(&keys.body).expect("keys").token;
    assert_eq!(conn.post(path::FEED, &phone.feed_body(Vec::new(), 10)).await.expect("answer").code(), "certificate_expired");
    assert_eq!(phone.push(&mut conn, 0, 0).await.status, 200, "it still delivers");
    // Somebody else's request key.
    let mut body = phone.feed_body(Vec::new(), 10);
    *body.last_mut().expect("bytes") ^= 1;
    assert_eq!(conn.post(path::FEED, &body).await.expect("answer").code(), "signature");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fate_of_an_incident_goes_to_its_reporter() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let statements = vec![Statement { basis: Basis::Heard, text: "Mất trâu".to_owned() }];
    let seq = phone.record(Act::IncidentReported { kind: "theft".to_owned(), urgent: false, attachments: 0, statements });
    phone.push(&mut conn, 0, seq).await;
    let mut admin = Admin::here(hub.hub.clone());
    let fate = |state: &str, incident: String| Operation::Fate {
        incident,
        state: state.to_owned(),
        note: "Mai xuống".to_owned(),
        keep: String::new(),
    };
    let name = yenban_protocol::id::EntryName { log: phone.log, seq }.to_string();
    admin.call(fate("in_hand", name.clone())).await.expect("told");
    let missing = admin.call(fate("in_hand", name.replace(":1", ":9"))).await;
    assert!(matches!(missing, Err(HubError::Refused(Refusal::NotFound { .. }))));
    assert_eq!(admin.call(fate("gone", name)).await.expect_err("no such state").code(), "invalid");
    let (answer, items) = phone.pull(&mut conn, Vec::new(), 100).await;
    let fates: Vec<_> = items.iter().filter_map(|i| if let Item::Fate(f) = &i.item { Some(f.state.as_str()) } else { None }).collect();
    assert_eq!(fates, ["in_hand"]);
    assert_eq!(answer.receipts.len(), 1, "receipts come with the feed");
    assert!(NIGHT_MS < phone.now_ms);
    hub.stop().await;
}
