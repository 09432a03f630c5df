//! Reports by message: exactly one incident whatever comes first, nothing from what was altered.

mod support;

use support::TestHub;
use support::phone::Phone;
use yenban_hub::HubError;
use yenban_hub::sms::take;
use yenban_hub::store::{IncidentListing, ListQuery};
use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, Basis, Record, Statement};
use yenban_protocol::sms::{Claim, SMS_BYTES, Sms};

/// A report of a landslide; the newest entry of the phone.
fn report(phone: &mut Phone, kind: &str) -> u64 {
    let statements = vec![Statement { basis: Basis::Seen, text: "đất lấp đường ở suối Nánh".into() }];
    phone.record(Act::IncidentReported { kind: kind.into(), urgent: true, attachments: 0, statements })
}

fn message_of(phone: &Phone, seq: u64) -> Sms {
    let parts: Vec<_> = phone.bodies[seq as usize].parts.iter().map(Some).collect();
    let record = Record::from_parts(&parts).expect("a record");
    let claim = Claim::of(&record, EntryName { log: phone.log, seq }, phone.device).expect("an incident");
    Sms::seal(&claim, &phone.seal, &phone.hub_key(), &phone.sign).expect("seals")
}

async fn incidents(hub: &TestHub) -> Vec<IncidentListing> {
    hub.hub.store.incidents(ListQuery::default()).await.expect("incidents")
}

async fn state(hub: &TestHub, text: &str) -> String {
    take(&hub.hub, text).await.expect("taken").state
}

fn code(error: HubError) -> String {
    error.code().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_tells_of_an_incident_until_its_report_comes() {
    let mut hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "landslide");
    let text = message_of(&phone, seq).to_text();
    assert_eq!(state(&hub, &text).await, "to_come");
    let told = &incidents(&hub).await[0];
    assert_eq!((told.id.clone(), told.report.as_str()), (format!("{}:{seq}", phone.log), "to_come"));
    assert_eq!((told.kind.as_str(), told.urgent, told.hamlet.as_str()), ("landslide", true, "Nà Phòn"));
    assert!(told.sms_at.is_some() && !told.complete && told.statements.is_empty());
    // In a cell of 11 m, within what the phone knew and the cell adds.
    assert!((told.lat.expect("a place") - 20.660_12).abs() < 0.000_06, "{told:?}");
    assert_eq!(told.accuracy_m, Some(16.0 + 0.0 - 8.0 + 8.0));
    assert_eq!(hub.hub.store.totals().await.expect("totals").by_sms, 1);
    for _ in 0..3 {
        assert_eq!(state(&hub, &text).await, "known");
    }
    hub = hub.restart().await;
    assert_eq!(state(&hub, &text).await, "known");

    // Entries before it are no report; the report makes it whole, in the same row.
    yenban_hub::ingest::deliver(&hub.hub, &phone.segment(0, seq - 1)).await.expect("delivered");
    assert_eq!(incidents(&hub).await[0].report, "to_come");
    yenban_hub::ingest::deliver(&hub.hub, &phone.segment(seq, seq)).await.expect("delivered");
    let rows = incidents(&hub).await;
    assert_eq!((rows.len(), rows[0].report.as_str(), rows[0].statements.len()), (1, "here", 1));
    assert!(rows[0].sms_at.is_some() && rows[0].complete);
    assert_eq!(rows[0].accuracy_m, Some(8.0), "the report's own words count");
    assert_eq!(state(&hub, &text).await, "known");
    let totals = hub.hub.store.totals().await.expect("totals");
    assert_eq!((totals.incidents, totals.by_sms), (1, 0));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_first_the_end_is_the_same() {
    let hub = TestHub::start().await;
    let mut ends = Vec::new();
    for order in ["sms report", "report sms", "sms sms report sms", "report sms report sms", "report"] {
        let (mut phone, _) = hub.phone("Nà Phòn").await;
        let seq = report(&mut phone, "flood");
        let text = message_of(&phone, seq).to_text();
        for step in order.split(' ') {
            match step {
                "sms" => drop(take(&hub.hub, &text).await.expect("taken")),
                _ => hub.deliver(&phone).await,
            }
        }
        let own: Vec<IncidentListing> = incidents(&hub).await.into_iter().filter(|row| row.device == phone.device.to_string()).collect();
        assert_eq!(own.len(), 1, "{order}");
        let row = own.into_iter().next().expect("one");
        assert_eq!(row.sms_at.is_some(), order.contains("sms"), "{order}");
        ends.push(IncidentListing {
            id: String::new(),
            device: String::new(),
            log: String::new(),
            author_no: 0,
            sms_at: None,
            author: String::new(),
            time_earliest: String::new(),
            ..row
        });
    }
    for end in &ends {
        assert_eq!(end, &ends[0]);
    }
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_altered_message_is_taken() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "fire");
    let sms = message_of(&phone, seq);
    let text = sms.to_text();
    for (place, bit) in (0..text.len()).flat_map(|place| (0..7).map(move |bit| (place, bit))) {
        let mut altered = text.clone().into_bytes();
        altered[place] ^= 1 << bit;
        let altered = String::from_utf8(altered).expect("seven bits");
        // A letter that became small is still the letter, to whoever types it in.
        if yenban_protocol::sms::tidied(&altered) != text {
            assert!(take(&hub.hub, &altered).await.is_err(), "character {place}, bit {bit}: {altered}");
        }
    }
    // A forger sets the check symbols right.
    for bit in 0..SMS_BYTES * 8 {
        let mut altered = sms.to_bytes();
        altered[bit / 8] ^= 1 << (bit % 8);
        let refused = take(&hub.hub, &Sms::from_bytes(&altered).to_text()).await.map_err(code);
        let expected = if bit < 64 { "unknown_device" } else { "signature" };
        assert_eq!(refused, Err(expected.to_owned()), "bit {bit}");
    }
    assert!(incidents(&hub).await.is_empty());
    assert_eq!(hub.hub.store.totals().await.expect("totals").quarantine, 64, "of devices that nobody knows");
    for text in ["", "Chào công an xã", &text[..100], "V2*ABC"] {
        assert_eq!(take(&hub.hub, text).await.map_err(code), Err("sms_text".to_owned()), "{text}");
    }
    assert_eq!(state(&hub, &format!("Tu 0912345678:\n{} {}", &text[..40], text[40..].to_lowercase())).await, "to_come");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_phone_reports_into_quarantine() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "fire");
    let text = message_of(&phone, seq).to_text();
    yenban_hub::admin::revoke(&hub.hub, phone.device, true).await.expect("revoked");
    for _ in 0..2 {
        assert_eq!(state(&hub, &text).await, "quarantined");
    }
    assert!(incidents(&hub).await.is_empty());
    let kept = hub.hub.store.quarantine(ListQuery::default()).await.expect("quarantine");
    assert_eq!((kept.len(), kept[0].reason.as_str(), kept[0].first, kept[0].size_bytes), (1, "revoked", seq, 95));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_claims_an_entry_of_another_phone() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let (mut other, _) = hub.phone("Piềng Vế").await;
    let seq = report(&mut phone, "fire");
    let own = message_of(&phone, seq).to_text();
    // The other phone knows the log's name and is first.
    let false_seq = report(&mut other, "theft");
    let parts: Vec<_> = other.bodies[false_seq as usize].parts.iter().map(Some).collect();
    let record = Record::from_parts(&parts).expect("a record");
    let claim = Claim::of(&record, EntryName { log: phone.log, seq }, other.device).expect("an incident");
    let false_one = Sms::seal(&claim, &other.seal, &other.hub_key(), &other.sign).expect("seals").to_text();
    assert_eq!(state(&hub, &false_one).await, "to_come");
    assert_eq!(state(&hub, &own).await, "to_come", "nobody's report is kept out");
    assert_eq!(incidents(&hub).await.len(), 2);
    hub.deliver(&phone).await;
    let rows = incidents(&hub).await;
    assert_eq!((rows.len(), rows[0].kind.as_str(), rows[0].report.as_str(), rows[0].branch), (1, "fire", "here", 0));
    assert_eq!(take(&hub.hub, &false_one).await.map_err(code), Err("wrong_device".to_owned()));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_entry_in_its_place_contradicts_and_the_report_is_found_in_its_branch() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "fire");
    let text = message_of(&phone, seq).to_text();
    // The phone's image was set back: under the same number stands a check-in, which the hub gets first.
    let (bodies, links) = (phone.bodies.clone(), phone.links.clone());
    phone.bodies.truncate(seq as usize);
    phone.links.truncate(seq as usize);
    phone.check_in(None);
    hub.deliver(&phone).await;
    assert_eq!(state(&hub, &text).await, "to_come");
    assert_eq!(incidents(&hub).await[0].report, "contradicted");
    // What was set back comes from the old image after all, as a branch.
    (phone.bodies, phone.links) = (bodies, links);
    hub.deliver(&phone).await;
    let rows = incidents(&hub).await;
    assert_eq!((rows.len(), rows[0].report.as_str(), rows[0].branch), (1, "here", 1));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_message_that_says_something_else_is_refused() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "fire");
    let sms = message_of(&phone, seq);
    assert_eq!(state(&hub, &sms.to_text()).await, "to_come");
    let parts: Vec<_> = phone.bodies[seq as usize].parts.iter().map(Some).collect();
    let claim = Claim::of(&Record::from_parts(&parts).expect("a record"), EntryName { log: phone.log, seq }, phone.device).expect("one");
    let other = Claim { kind: Some("theft"), ..claim };
    let other = Sms::seal(&other, &phone.seal, &phone.hub_key(), &phone.sign).expect("seals").to_text();
    assert_eq!(take(&hub.hub, &other).await.map_err(code), Err("conflict".to_owned()));
    assert_eq!(incidents(&hub).await[0].kind, "fire");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_by_message_has_no_evidence_and_spoils_no_export() {
    use yenban_hub::admin::Admin;
    use yenban_hub::exchange::{Format, Scope};
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let seq = report(&mut phone, "fire");
    take(&hub.hub, &message_of(&phone, seq).to_text()).await.expect("taken");
    let mut admin = Admin::here(std::sync::Arc::clone(&hub.hub));
    for (format, name) in [(Format::Csv, "a.csv"), (Format::GeoJson, "a.geojson")] {
        admin.export(format, Scope::default(), &hub.temp.path().join(name), "").await.expect("exports");
    }
    let scope = Scope { incident: Some(format!("{}:{seq}", phone.log)), ..Scope::default() };
    assert!(admin.bundle(scope, &hub.temp.path().join("a.tar"), "vụ 12/2026").await.is_err(), "there is nothing that proves it");
    admin.bundle(Scope::default(), &hub.temp.path().join("b.tar"), "vụ 12/2026").await.expect("the rest goes out");
    hub.stop().await;
}
