//! Reports by message and couriers, as every store must tell them.

use yenban_protocol::id::{DeviceId, EntryName, LogId};

use super::super::{Claimed, CourierAsked, Effect, HubStore, ListQuery, NewClaim, ReportRow, Taken};
use super::{Log, Verdict, at, ensure, failed};

fn claim(device: DeviceId, name: EntryName, kind: &str) -> NewClaim {
    NewClaim {
        device,
        name,
        kind: kind.to_owned(),
        urgent: true,
        at: at(super::MemberNo(1)),
        fields: [kind.len() as u8; yenban_protocol::sms::FIELDS_BYTES],
        received_ms: 700,
    }
}

pub(super) async fn claims(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let name = EntryName { log: LogId([0x51; 8]), seq: 1 };
    let take = async |claim: NewClaim| store.take_claim(claim).await.map_err(failed);
    ensure(take(claim(DeviceId([0xee; 8]), name, "fire")).await? == Claimed::UnknownDevice, "nobody unknown claims anything")?;
    let before = store.totals().await.map_err(failed)?;
    ensure(take(claim(device, name, "fire")).await? == Claimed::New, "a claim is an incident")?;
    ensure(take(claim(device, name, "fire")).await? == Claimed::Known, "the same again changes nothing")?;
    ensure(take(claim(device, name, "theft")).await? == Claimed::Differs, "nor does one that says something else")?;
    let query = || ListQuery { name: Some(name.to_string()), ..ListQuery::default() };
    let listed = store.incidents(query()).await.map_err(failed)?;
    ensure(listed.len() == 1 && listed[0].report == "to_come" && listed[0].kind == "fire", "and it is listed as what it is")?;

    let mut log = Log::new(0x51, device);
    log.add(60, None)?;
    let report = ReportRow { folded: "lua".to_owned() };
    log.add(61, Some(Effect::Incident { at: at(super::MemberNo(1)), kind: "flood".to_owned(), urgent: false, report, attachments: 0 }))?;
    let taken = store.take_run(log.run(0, 1)).await.map_err(failed)?;
    ensure(matches!(taken, Taken::Kept { new: 2, .. }), "its entry comes")?;
    let listed = store.incidents(query()).await.map_err(failed)?;
    ensure(listed.len() == 1 && listed[0].report == "here" && listed[0].kind == "flood", "and fills the same incident")?;
    ensure(listed[0].sms_at.is_some(), "which says that a message told of it")?;
    ensure(take(claim(device, name, "fire")).await? == Claimed::Known, "the message may come again")?;
    let totals = store.totals().await.map_err(failed)?;
    ensure(totals.incidents == before.incidents + 1 && totals.by_sms == before.by_sms, "it is counted once")?;

    let asked = |object: u8| CourierAsked { device, request: vec![object], objects: vec![[object; 32]], asked_ms: 700 };
    for object in [1, 2, 1] {
        store.note_courier(asked(object)).await.map_err(failed)?;
    }
    let remembered = store.courier_asked(700).await.map_err(failed)?;
    let expected = CourierAsked { objects: vec![[2; 32], [1; 32]], ..asked(1) };
    ensure(remembered == [expected], "of each device the newest request and the files of all")?;
    ensure(store.courier_asked(701).await.map_err(failed)?.is_empty(), "and none that is older than asked for")
}
