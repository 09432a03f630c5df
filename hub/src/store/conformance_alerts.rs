//! What the store promises of alerts: who may see which, which phones have them, and that whoever waits hears of them.

use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{DeviceId, Epoch, HamletNo, MemberNo};
use yenban_protocol::wire::Cursor;

use super::super::{AlertRow, HubStore, ItemDraft, ListQuery};
use super::{EPOCHS, Verdict, commune, ensure, failed, signer};

const EPOCH: Epoch = EPOCHS[1];

fn alert(id: &str, sent_ms: i64, hamlets: &[u32], references: &[&str]) -> Alert {
    Alert {
        identifier: id.to_owned(),
        sender_name: "Công an xã".to_owned(),
        sent_ms,
        expires_ms: sent_ms + 1_000,
        status: Status::Actual,
        message_type: if references.is_empty() { MessageType::Alert } else { MessageType::Cancel },
        severity: Severity::Severe,
        urgency: Urgency::Expected,
        headline: "Mưa lớn".to_owned(),
        description: String::new(),
        instruction: "Lên cao".to_owned(),
        hamlets: hamlets.iter().copied().map(HamletNo).collect(),
        references: references.iter().map(|id| (*id).to_owned()).collect(),
    }
}

async fn raise(store: &dyn HubStore, alert: Alert) -> Verdict {
    let item = |scope| ItemDraft { scope, item: Item::Alert(alert.clone()), issued_ms: alert.sent_ms };
    let items = match alert.hamlets.as_slice() {
        [] => vec![item(Scope::Commune(commune()?))],
        hamlets => hamlets.iter().map(|no| item(Scope::Hamlet(*no))).collect(),
    };
    let row = AlertRow { alert, officer: "A".to_owned(), second: None, cap: Some(b"<alert/>".to_vec()) };
    let raised = store.raise_alert(row.clone(), items, signer(EPOCH)).await.map_err(failed)?;
    let kept = store.alert(row.alert.identifier.clone()).await.map_err(failed)?;
    ensure(raised && kept == Some(row), "an alert is kept as it is, with the document it was read from")
}

async fn listed(store: &dyn HubStore, query: ListQuery) -> std::result::Result<Vec<String>, String> {
    Ok(store.alerts(query).await.map_err(failed)?.into_iter().map(|row| row.id).collect())
}

pub(super) async fn alerts(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut news = store.news();
    let of_hamlet = Scope::Hamlet(HamletNo(901));
    let before = store.feed_head(of_hamlet).await.map_err(failed)?;
    ensure(before.is_none(), "a stream that nobody wrote to has no head")?;
    raise(store, alert("far", 10_000, &[902], &[])).await?;
    for (n, id) in ["one", "two", "three"].into_iter().enumerate() {
        raise(store, alert(id, 10_001 + n as i64, &[901], &[])).await?;
    }
    let mut heard = Vec::new();
    while let Ok(scopes) = news.try_recv() {
        heard.extend_from_slice(&scopes);
    }
    let wanted = [Scope::Hamlet(HamletNo(902)), of_hamlet, of_hamlet, of_hamlet];
    ensure(heard == wanted, "whoever waits hears of each stream that a commit appended to")?;

    let within = |hamlet: u32, limit| ListQuery { within: vec![hamlet], since_ms: Some(10_000), limit, ..ListQuery::default() };
    ensure(listed(store, within(902, 1)).await? == ["far"], "a page is filled from what is in reach")?;
    ensure(listed(store, within(901, 0)).await? == ["three", "two", "one"], "newest first")?;
    let named = ListQuery { name: Some("two".to_owned()), ..ListQuery::default() };
    ensure(listed(store, named).await? == ["two"], "one by its name")?;

    let pages = store.feed_pages(vec![(of_hamlet, Some((EPOCH, 2))), (of_hamlet, Some((EPOCH, 3)))], 10).await.map_err(failed)?;
    let numbers: Vec<Vec<u64>> = pages.iter().map(|page| page.items.iter().map(|item| item.number).collect()).collect();
    ensure(pages.iter().all(|page| page.head == Some((EPOCH, 3))), "several streams are read at once")?;
    ensure(numbers == [vec![3], vec![]], "each after its own place")?;
    delivered(store, device, of_hamlet).await?;

    raise(store, alert("back", 10_010, &[901], &["one", "to come"])).await?;
    ensure(store.alerts_referring("one".to_owned()).await.map_err(failed)? == ["back"], "what takes an alert back is known")?;
    ensure(store.alerts_referring("to come".to_owned()).await.map_err(failed)? == ["back"], "also of one that is not here yet")?;
    let remind = |members: &[u32], at_ms| store.remind("one".to_owned(), members.iter().copied().map(MemberNo).collect(), at_ms);
    ensure(remind(&[1, 2], 5).await.map_err(failed)? == [MemberNo(1), MemberNo(2)], "members are reminded")?;
    ensure(remind(&[2, 3], 6).await.map_err(failed)? == [MemberNo(3)], "each once")?;
    let reminded = store.reminded("one".to_owned()).await.map_err(failed)?;
    ensure(reminded == [(MemberNo(1), 5), (MemberNo(2), 5), (MemberNo(3), 6)], "and it is known when")
}

/// Which phones have an alert.
async fn delivered(store: &dyn HubStore, device: DeviceId, scope: Scope) -> Verdict {
    let says = |epoch, number| store.note_pulled(device, vec![Cursor { scope, epoch, number }], 20_000);
    let having = async || {
        let rows = store.alerts(ListQuery { within: vec![901], since_ms: Some(10_000), ..ListQuery::default() }).await.map_err(failed)?;
        Ok::<_, String>(rows.into_iter().filter(|row| !row.delivered.is_empty()).map(|row| row.id).collect::<Vec<_>>())
    };
    ensure(says(EPOCH, 0).await.map_err(failed)? == 0, "a phone that has nothing has no alert")?;
    ensure(says(EPOCH, 4).await.map_err(failed)? == 0, "nobody has what was not written")?;
    ensure(says(Epoch([9; 8]), 3).await.map_err(failed)? == 0, "a life of the hub that is not known proves nothing")?;
    ensure(says(EPOCHS[0], 3).await.map_err(failed)? == 0, "an older life ends before this one")?;
    let before = store.totals().await.map_err(failed)?.delivered;
    ensure(says(EPOCH, 2).await.map_err(failed)? == 2, "what lies before its place has come")?;
    ensure(store.totals().await.map_err(failed)?.delivered == before + 2, "and is counted")?;
    ensure(says(EPOCH, 2).await.map_err(failed)? == 0, "once")?;
    ensure(says(EPOCH, 1).await.map_err(failed)? == 0, "a phone put back to an older state has nothing new")?;
    // The device's own hamlet decides who may see that it has one.
    let hamlet = store.device(device).await.map_err(failed)?.ok_or("the device is known")?.hamlet;
    let rows = store.alerts(ListQuery { name: Some("two".to_owned()), ..ListQuery::default() }).await.map_err(failed)?;
    let one = rows.first().and_then(|row| row.delivered.first()).ok_or("it is shown who has it")?;
    ensure(one.device == device.to_string() && one.at == crate::clock::rfc3339(20_000), "which phone, since when")?;
    ensure(hamlet.0 == 901 || having().await?.is_empty(), "not to an officer of another hamlet")?;
    let all = ListQuery { since_ms: Some(10_000), ..ListQuery::default() };
    let having: Vec<_> =
        store.alerts(all).await.map_err(failed)?.into_iter().filter(|row| !row.delivered.is_empty()).map(|row| row.id).collect();
    ensure(having == ["two", "one"], "and takes nothing back")
}
