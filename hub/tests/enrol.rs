//! Joining: a code is used once, within ten minutes, as the hub wrote it.

mod support;

use std::collections::HashSet;

use support::phone::{Conn, Phone};
use support::{NIGHT_MS, TestHub};
use yenban_hub::HubError;
use yenban_hub::enrol::{CodeWanted, make_code};
use yenban_hub::error::Refusal;
use yenban_protocol::enrol::EnrolmentCode;
use yenban_protocol::id::Role;
use yenban_protocol::wire::path;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_hundred_phones_with_one_code_exactly_one_joins() {
    let hub = TestHub::start().await;
    let code = EnrolmentCode::from_text(&hub.code("Nà Phòn", Role::Member).await).expect("code");
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let (address, certificate, code) = (hub.address, hub.hub.keys.certificate.clone(), code.clone());
            tokio::spawn(async move {
                let mut conn = Conn::open(address, &certificate).await.expect("connects");
                let phone = Phone::new(NIGHT_MS);
                let answer = conn.post(path::ENROL, &phone.enrol_body(&code)).await.expect("answer");
                if answer.status == 200 { "joined".to_owned() } else { answer.code() }
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.expect("task"));
    }
    assert_eq!(outcomes.iter().filter(|o| *o == "joined").count(), 1);
    assert_eq!(outcomes.iter().collect::<HashSet<_>>(), HashSet::from([&"joined".to_owned(), &"token_used".to_owned()]));
    assert_eq!(hub.hub.store.totals().await.expect("totals").devices, 1);
    assert_eq!(hub.hub.store.people().await.expect("people").members.len(), 2, "the first officer and the one who joined");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_phone_that_lost_the_answer_gets_it_again() {
    let hub = TestHub::start().await;
    let mut conn = hub.connect().await;
    let text = hub.code("Nà Phòn", Role::Leader).await;
    let mut phone = Phone::new(NIGHT_MS);
    assert_eq!(phone.enrol(&mut conn, &text).await.status, 200);
    let device = phone.device;
    assert_eq!(phone.enrol(&mut conn, &text).await.status, 200);
    assert_eq!(phone.device, device);
    hub.clock.pass(60 * 60_000);
    assert_eq!(phone.enrol(&mut conn, &text).await.status, 200, "what was redeemed in time stays redeemed");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_changed_in_a_code_by_hand_is_refused() {
    let hub = TestHub::start().await;
    let mut conn = hub.connect().await;
    let good = EnrolmentCode::from_text(&hub.code("Nà Phòn", Role::Member).await).expect("code");
    let phone = Phone::new(NIGHT_MS);
    let altered = [
        (EnrolmentCode { role: Role::Chief, ..good.clone() }, "token_altered"),
        (EnrolmentCode { hamlet: "Piềng Vế".to_owned(), ..good.clone() }, "token_altered"),
        (EnrolmentCode { token: [7; 16], ..good.clone() }, "token_unknown"),
        (
            EnrolmentCode {
                root_hash: {
                    let mut h = good.root_hash;
                    h[31] ^= 1;
                    h
                },
                ..good.clone()
            },
            "hub_mismatch",
        ),
    ];
    for (code, expected) in altered {
        assert_eq!(conn.post(path::ENROL, &phone.enrol_body(&code)).await.expect("answer").code(), expected);
    }
    // Signed by another key than the one it names.
    let mut body = phone.enrol_body(&good);
    *body.last_mut().expect("bytes") ^= 1;
    assert_eq!(conn.post(path::ENROL, &body).await.expect("answer").code(), "signature");
    assert_eq!(conn.post(path::ENROL, b"yb1.").await.expect("answer").code(), "malformed");
    // None of it used the code up; ten minutes and a moment do.
    hub.clock.pass(10 * 60_000 + 1);
    assert_eq!(conn.post(path::ENROL, &phone.enrol_body(&good)).await.expect("answer").code(), "expired");
    assert_eq!(hub.hub.store.totals().await.expect("totals").devices, 0);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_hamlet_is_refused_with_the_nearest_names() {
    let hub = TestHub::start().await;
    hub.code("Nà Phòn", Role::Member).await;
    hub.code("Piềng Vế", Role::Member).await;
    let wanted = |hamlet: &str, role| CodeWanted {
        hamlet: hamlet.to_owned(),
        create: false,
        role,
        name: String::new(),
        addresses: vec!["hub:1".to_owned()],
    };
    match make_code(&hub.hub, wanted("na phong", Role::Member)).await {
        Err(HubError::Refused(Refusal::UnknownHamlet { nearest, .. })) => assert_eq!(nearest, ["Nà Phòn"]),
        other => panic!("{other:?}"),
    }
    // The same name composed of other code points is the same hamlet.
    make_code(&hub.hub, wanted("Na\u{300} Pho\u{300}n", Role::Member)).await.expect("the same name");
    assert_eq!(hub.hub.store.people().await.expect("people").hamlets.len(), 2);
    make_code(&hub.hub, wanted("", Role::Officer)).await.expect("officers belong to the commune");
    for (hamlet, role) in [("", Role::Member), ("Nà\u{7}Phòn", Role::Member), (&"x".repeat(300), Role::Member)] {
        let refused = make_code(&hub.hub, wanted(hamlet, role)).await;
        assert!(matches!(refused, Err(HubError::Refused(Refusal::Invalid { .. }))), "{hamlet:?}");
    }
    hub.stop().await;
}
