//! Delivering: exactly once, in any order, through restarts; what contradicts is kept, what is revoked is set apart.

mod support;

use support::TestHub;
use support::phone::random;
use yenban_hub::store::ListQuery;
use yenban_protocol::chain::{Class, Part};
use yenban_protocol::record::{Act, Basis, Statement};
use yenban_protocol::wire::path;

#[tokio::test(flavor = "multi_thread")]
async fn a_patrol_is_kept_once_however_often_it_is_sent() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let patrol = phone.record(Act::PatrolStarted { crew: vec![phone.member] });
    for _ in 0..20 {
        phone.check_in(Some(patrol));
    }
    let last = phone.record(Act::PatrolFinished { patrol_seq: patrol, distance_m: 3_400 });
    for _ in 0..3 {
        let answer = phone.push(&mut conn, 0, last).await;
        assert_eq!(answer.status, 200);
        let receipt = phone.receipt(&answer);
        assert_eq!((receipt.ranges.len(), receipt.floating.len()), (1, 0));
        assert_eq!((receipt.ranges[0].first, receipt.ranges[0].last), (0, last));
        assert_eq!(receipt.ranges[0].last_link, phone.links[last as usize]);
        assert_eq!(receipt.epoch, hub.hub.epoch());
    }
    // Overlaps: a part again, and a part with something new.
    assert_eq!(phone.push(&mut conn, 3, 9).await.status, 200);
    let more = phone.check_in(None);
    assert_eq!(phone.push(&mut conn, 10, more).await.status, 200);

    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.entries, totals.patrols, totals.check_ins), (more + 1, 1, 21));
    assert!(totals.chains_ok);
    let patrols = hub.hub.store.patrols(ListQuery::default()).await.expect("patrols");
    assert_eq!((patrols[0].check_ins, patrols[0].state.as_str(), patrols[0].distance_m), (20, "finished", Some(3_400)));
    let check_ins = hub.hub.store.check_ins(ListQuery::default()).await.expect("check-ins");
    assert_eq!(check_ins.len(), 21);
    assert_eq!(check_ins[0].lat, Some(20.660_120_0 + 2.0 * 0.000_073_1));
    assert!(hub.hub.store.check_chains().await.expect("checked").is_empty());
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn early_runs_float_and_are_joined_after_a_restart_too() {
    let mut hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    for _ in 0..29 {
        phone.check_in(None);
    }
    for (first, last, ranges, floating) in [(20, 29, 0, 1), (10, 14, 0, 2), (0, 4, 1, 2)] {
        let receipt = phone.receipt(&phone.push(&mut conn, first, last).await);
        assert_eq!((receipt.ranges.len(), receipt.floating.len()), (ranges, floating), "after {first}");
    }
    hub = hub.restart().await;
    conn = hub.connect().await;
    let receipt = phone.receipt(&phone.push(&mut conn, 15, 19).await);
    assert_eq!((receipt.floating[0].first, receipt.floating[0].last), (10, 29));
    let receipt = phone.receipt(&phone.push(&mut conn, 5, 9).await);
    assert_eq!((receipt.ranges[0].first, receipt.ranges[0].last, receipt.floating.len()), (0, 29, 0));
    assert_eq!(receipt.fork_at, None);
    assert_eq!(hub.hub.store.totals().await.expect("totals").check_ins, 29);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_phone_forks_its_log_and_both_branches_stay() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    for _ in 0..9 {
        phone.check_in(None);
    }
    let image = (phone.bodies.clone(), phone.links.clone());
    for _ in 0..5 {
        phone.check_in(None);
    }
    assert_eq!(phone.push(&mut conn, 0, 14).await.status, 200);
    (phone.bodies, phone.links) = image;
    for _ in 0..8 {
        phone.check_in(None);
    }
    for _ in 0..2 {
        let answer = phone.push(&mut conn, 5, 17).await;
        let receipt = phone.receipt(&answer);
        assert_eq!(receipt.fork_at, Some(10));
        assert_eq!((receipt.ranges[0].last, receipt.floating[0].first, receipt.floating[0].last), (14, 10, 17));
    }
    // The branch goes on where it stands.
    phone.check_in(None);
    let receipt = phone.receipt(&phone.push(&mut conn, 18, 18).await);
    assert_eq!((receipt.floating.len(), receipt.floating[0].last), (1, 18));
    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.entries, totals.check_ins, totals.forked, totals.chains_ok), (15 + 9, 14 + 9, 1, false));
    assert!(hub.hub.store.check_chains().await.expect("checked").is_empty(), "both branches are whole in themselves");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn incidents_amendments_photos_and_unknown_kinds() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    let said = |text: &str| vec![Statement { basis: Basis::Seen, text: text.to_owned() }];
    let seq = phone.record(Act::IncidentReported {
        kind: "landslide".to_owned(),
        urgent: true,
        attachments: 0,
        statements: said("Sạt lở ở suối Đá Bạn"),
    });
    let incident = yenban_protocol::id::EntryName { log: phone.log, seq };
    phone.record(Act::IncidentAmended { incident, statements: said("Đất lấp đường") });
    // A kind of the future, with a class of the future.
    phone.append(vec![Part { class: Class(9), bytes: vec![0xa1, 0x00, 0x19, 0x03, 0xe8] }]);
    phone.append(vec![Part { class: Class::DUTY, bytes: vec![0x83, 1, 2, 3] }]);
    // The amendment arrives first.
    assert_eq!(phone.push(&mut conn, seq + 1, seq + 3).await.status, 200);
    assert_eq!(phone.push(&mut conn, 0, seq).await.status, 200);

    let find = |text: &str| ListQuery { text: Some(text.to_owned()), ..ListQuery::default() };
    for (words, hits) in [("suoi da ban", 1), ("SUỐI ĐÁ", 1), ("dat lap", 1), ("lua", 0), ("\" OR 1", 0)] {
        let found = hub.hub.store.incidents(find(words)).await.expect("search");
        assert_eq!(found.len(), hits, "{words}");
    }
    let incident = &hub.hub.store.incidents(ListQuery::default()).await.expect("list")[0];
    let texts: Vec<&str> = incident.statements.iter().map(|s| s.text.as_str()).collect();
    assert_eq!(texts, ["Sạt lở ở suối Đá Bạn", "Đất lấp đường"]);
    assert_eq!((incident.amendments, incident.urgent, incident.hamlet.as_str()), (1, true, "Nà Phòn"));
    let receipt = phone.receipt(&phone.push(&mut conn, seq + 3, seq + 3).await);
    assert_eq!(receipt.ranges[0].last, seq + 3, "what is not understood is kept and receipted");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_altered_or_foreign_is_refused_without_effect() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    for _ in 0..5 {
        phone.check_in(None);
    }
    let good = phone.segment(0, 5);
    for at in [0, 3, 5, 13, 40, 100, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        let answer = conn.post(path::SEGMENTS, &bad).await.expect("answer");
        assert!((400..500).contains(&answer.status), "byte {at}: {}", answer.status);
        assert!(["malformed", "unsealed", "too_large"].contains(&answer.code().as_str()), "byte {at}: {}", answer.code());
    }
    assert_eq!(conn.post(path::SEGMENTS, &good[..good.len() - 1]).await.expect("answer").code(), "unsealed");
    assert_eq!(conn.post(path::SEGMENTS, &[]).await.expect("answer").code(), "malformed");
    // Signed by another key, about other entries, by an unknown device.
    let mut run = phone.run(0, 5);
    run.heads[0].signature.0[40] ^= 1;
    let bad = run.seal(&mut support::phone::Random, &phone.hub_key()).expect("seals");
    assert_eq!(conn.post(path::SEGMENTS, &bad).await.expect("answer").code(), "signature");
    let mut run = phone.run(0, 5);
    run.bodies[2].salt = random();
    let bad = run.seal(&mut support::phone::Random, &phone.hub_key()).expect("seals");
    assert_eq!(conn.post(path::SEGMENTS, &bad).await.expect("answer").code(), "signature");
    assert_eq!(hub.hub.store.totals().await.expect("totals").entries, 0);
    // Another phone's log.
    assert_eq!(phone.push(&mut conn, 0, 5).await.status, 200);
    let (mut thief, mut other) = hub.phone("Nà Phòn").await;
    (thief.log, thief.bodies, thief.links) = (phone.log, phone.bodies.clone(), phone.links.clone());
    assert_eq!(thief.push(&mut other, 0, 5).await.code(), "wrong_device");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_and_unknown_devices_deliver_into_quarantine() {
    let hub = TestHub::start().await;
    let (mut phone, mut conn) = hub.phone("Nà Phòn").await;
    for _ in 0..9 {
        phone.check_in(None);
    }
    assert_eq!(phone.push(&mut conn, 0, 4).await.status, 200);
    yenban_hub::admin::revoke(&hub.hub, phone.device, true).await.expect("revoked");
    let sealed = phone.segment(0, 9);
    for _ in 0..2 {
        let answer = conn.post(path::SEGMENTS, &sealed).await.expect("answer");
        assert_eq!(answer.status, 200);
        let receipt = phone.receipt(&answer);
        assert!(receipt.quarantined);
        assert_eq!(receipt.ranges[0].last, 4, "nothing new is taken for normal");
    }
    assert_eq!(conn.post(path::FEED, &phone.feed_body(Vec::new(), 10)).await.expect("answer").code(), "revoked");
    phone.device = yenban_protocol::id::DeviceId(random());
    assert_eq!(phone.push(&mut conn, 5, 9).await.code(), "unknown_device");
    let kept = hub.hub.store.quarantine(ListQuery::default()).await.expect("list");
    let reasons: Vec<&str> = kept.iter().map(|q| q.reason.as_str()).collect();
    assert_eq!(reasons, ["unknown_device", "revoked"]);
    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.entries, totals.quarantine, totals.devices, totals.revoked), (5, 2, 1, 1));
    hub.stop().await;
}
