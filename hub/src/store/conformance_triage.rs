//! Answers to reports, as every store must keep them: in order, none over another, and the reporter told in the same
//! transaction.

use std::sync::Arc;

use yenban_protocol::feed::{Fate, Item, Scope};
use yenban_protocol::id::{DeviceId, EntryName, HamletNo, LogId};

use super::super::triage::Act;
use super::super::{
    Assigned, Effect, HubStore, IncidentListing, IncidentName, ItemDraft, ItemSigner, ListQuery, NewStep, ReportRow, Stepped, Taken, Triage,
};
use super::{EPOCHS, Log, MemberNo, Verdict, at, ensure, failed, signer};
use crate::error::HubError;

fn step(incident: IncidentName, seen: Option<u32>, act: Act, state: Option<Triage>) -> NewStep {
    NewStep {
        incident,
        seen,
        at_ms: 900,
        member: MemberNo(1),
        officer: "Hà Văn Sơn".to_owned(),
        act,
        state,
        note: "Mai xuống".to_owned(),
        kept: String::new(),
        told: None,
    }
}

fn told(incident: IncidentName) -> ItemDraft {
    let fate = Fate { incident: incident.entry, state: String::new(), note: "Mai xuống".to_owned() };
    ItemDraft { scope: Scope::Member(MemberNo(1)), item: Item::Fate(fate), issued_ms: 900 }
}

async fn listed(store: &dyn HubStore, incident: IncidentName) -> std::result::Result<IncidentListing, String> {
    let query = ListQuery { name: Some(incident.entry.to_string()), ..ListQuery::default() };
    store.incidents(query).await.map_err(failed)?.into_iter().next().ok_or_else(|| "the report is listed".to_owned())
}

pub(super) async fn triage(store: &Arc<dyn HubStore>, device: DeviceId) -> Verdict {
    let mut log = Log::new(0x61, device);
    log.add(60, None)?;
    for urgent in [true, false] {
        let report = ReportRow { folded: String::new() };
        log.add(61, Some(Effect::Incident { at: at(MemberNo(1)), kind: "fire".to_owned(), urgent, report, attachments: 0 }))?;
    }
    let before = store.waiting(ListQuery::default()).await.map_err(failed)?;
    let taken = store.take_run(log.run(0, 2)).await.map_err(failed)?;
    ensure(matches!(taken, Taken::Kept { new: 3, .. }), "two reports come")?;
    let after = store.waiting(ListQuery::default()).await.map_err(failed)?;
    ensure(after == (before.0 + 2, before.1 + 1), "and wait")?;
    let name = |seq| IncidentName { entry: EntryName { log: LogId([0x61; 8]), seq }, branch: 0 };
    let (one, two) = (name(1), name(2));
    let take = async |step: NewStep| store.take_step(step, signer(EPOCHS[0])).await.map_err(failed);

    answers(store, one).await?;
    let missing = take(step(name(9), None, Act::Answered, Some(Triage::Received))).await?;
    ensure(missing == Stepped::Missing, "of a report that is not here nothing is kept")?;

    let to = Assigned { hamlet: HamletNo(1), group: 0 };
    take(step(two, Some(0), Act::Assigned(Some(to)), Some(Triage::InHand))).await?;
    let shown = listed(store.as_ref(), two).await?;
    ensure(shown.assigned.as_deref() == Some("Nà Phòn") && shown.state == "in_hand", "who is to go stands on the report")?;
    take(step(two, Some(1), Act::Assigned(None), None)).await?;
    let shown = listed(store.as_ref(), two).await?;
    ensure(shown.assigned.is_none() && shown.state == "in_hand", "and is taken back without another word")?;

    ensure(matches!(take(step(one, None, Act::Linked(two), None)).await?, Stepped::Done(_)), "two reports of one event are linked")?;
    ensure(take(step(two, None, Act::Linked(one), None)).await? == Stepped::Same, "a link has no direction")?;
    ensure(take(step(one, None, Act::Linked(one), None)).await? == Stepped::Same, "nothing is its own double")?;
    for (here, there) in [(one, two), (two, one)] {
        let thread = store.thread(here).await.map_err(failed)?;
        ensure(thread.twins == [there], "both say so")?;
        ensure(thread.steps.last().is_some_and(|row| row.act == Act::Linked(there)), "and so do both histories")?;
    }
    ensure(listed(store.as_ref(), two).await?.linked == 1, "and the list")?;
    ensure(matches!(take(step(two, None, Act::Unlinked(one), None)).await?, Stepped::Done(_)), "a link is taken back from either end")?;
    ensure(store.thread(one).await.map_err(failed)?.twins.is_empty(), "for both")?;
    ensure(listed(store.as_ref(), one).await?.state == "resolved", "a link changes no state")?;
    let open = ListQuery { open: true, ..ListQuery::default() };
    let open = store.incidents(open).await.map_err(failed)?;
    ensure(open.iter().any(|row| row.id == two.entry.to_string()), "what is in hand is open")?;
    ensure(open.iter().all(|row| row.id != one.entry.to_string()), "what is resolved is not")
}

async fn answers(store: &Arc<dyn HubStore>, one: IncidentName) -> Verdict {
    let stream = Scope::Member(MemberNo(1));
    let page = async || store.feed_page(stream, None, 100).await.map_err(failed).map(|rows| rows.len());
    let heard = page().await?;
    ensure(listed(store.as_ref(), one).await?.state == "new", "nobody looked at it yet")?;
    // Of any number who decide on the same view one is heard.
    let tasks: Vec<_> = [Triage::Received, Triage::InHand, Triage::NeedsMore, Triage::Resolved]
        .into_iter()
        .map(|state| {
            let store = Arc::clone(store);
            let step = NewStep { told: Some(told(one)), ..step(one, Some(0), Act::Answered, Some(state)) };
            tokio::spawn(async move { store.take_step(step, signer(EPOCHS[0])).await })
        })
        .collect();
    let mut done = Vec::new();
    let mut since = Vec::new();
    for task in tasks {
        match task.await.map_err(|e| e.to_string())?.map_err(failed)? {
            Stepped::Done(row) => done.push(row),
            Stepped::Since(row) => since.push(row),
            other => return Err(format!("an answer: {other:?}")),
        }
    }
    ensure(done.len() == 1 && since.len() == 3 && since.iter().all(|row| *row == done[0]), "the others learn what the first said")?;
    ensure(listed(store.as_ref(), one).await?.state == done[0].state.code(), "and nothing of the first was written over")?;
    ensure(page().await? == heard + 1, "its reporter hears once")?;

    let broken: ItemSigner = Arc::new(|_, _, _| Err(HubError::Keys("no signature".to_owned())));
    let unheard = NewStep { told: Some(told(one)), ..step(one, Some(1), Act::Answered, Some(Triage::Resolved)) };
    ensure(store.take_step(unheard, broken).await.is_err(), "what cannot be told")?;
    ensure(store.thread(one).await.map_err(failed)?.steps.len() == 1, "is not done either")?;
    ensure(listed(store.as_ref(), one).await?.steps == 1, "and leaves no trace")?;

    let last = NewStep { told: Some(told(one)), ..step(one, Some(1), Act::Answered, Some(Triage::Resolved)) };
    let last = store.take_step(last, signer(EPOCHS[0])).await.map_err(failed)?;
    ensure(matches!(last, Stepped::Done(row) if row.number == 2), "a second answer stands after the first")?;
    let history = store.thread(one).await.map_err(failed)?.steps;
    ensure(history.len() == 2 && history[0] == done[0] && history[1].note == "Mai xuống", "and the history has both")
}
