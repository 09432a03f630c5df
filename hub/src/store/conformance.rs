//! One suite for every store: what [`HubStore`] promises, as a story that any implementation must tell alike.
//!
//! Give it an empty store; it answers with the first promise that was broken. Histories must be identical, so nothing
//! here depends on time, order of threads or chance.

use std::collections::BTreeSet;
use std::sync::Arc;

use yenban_protocol::alert::{Alert, MessageType, Severity, Status, Urgency};
use yenban_protocol::chain::{Body, Class, FIRST_LINK, Link, Part, StoredBody};
use yenban_protocol::crypto::{PublicKey, sha256};
use yenban_protocol::feed::{Item, Scope};
use yenban_protocol::id::{CommuneCode, DeviceId, Epoch, HamletNo, LogId, MemberNo, Role};
use yenban_protocol::wire::{Cursor, ItemRange};

use super::{
    AlertRow, AuditRow, Effect, HubStore, ImportTotals, ImportedPlace, ItemDraft, ItemSigner, ListQuery, NOBODY, NewCode, NewEntry, NewRun,
    QuarantineReason, QuarantinedSegment, Redeemed, Redemption, ReturnedRow, SignedItem, Taken, WhenWhere,
};
use crate::error::{HubError, Refusal};
use crate::limits::RUNS_PER_LOG_MAX;

#[path = "conformance_access.rs"]
mod conformance_access;
#[path = "conformance_alerts.rs"]
mod conformance_alerts;
#[path = "conformance_claims.rs"]
mod conformance_claims;
#[path = "conformance_objects.rs"]
mod conformance_objects;
#[path = "conformance_phones.rs"]
mod conformance_phones;
#[path = "conformance_triage.rs"]
mod conformance_triage;

/// The first promise that was broken, in words.
pub type Verdict = std::result::Result<(), String>;

const EPOCHS: [Epoch; 2] = [Epoch([1; 8]), Epoch([2; 8])];

fn ensure(holds: bool, promise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(promise.to_owned()) }
}

fn failed(error: HubError) -> String {
    format!("the store failed: {error}")
}

fn commune() -> std::result::Result<CommuneCode, String> {
    CommuneCode::new(5_200).map_err(|e| e.to_string())
}

/// A signer whose signatures are plain text: stores must not care.
fn signer(epoch: Epoch) -> ItemSigner {
    Arc::new(move |draft, number, previous| {
        let bytes = format!("{} {number} {} {previous:?}", draft.scope, draft.item.code()).into_bytes();
        Ok(SignedItem { epoch, hash: sha256(&bytes), bytes })
    })
}

/// A log to take runs from.
struct Log {
    id: LogId,
    device: DeviceId,
    bodies: Vec<Body>,
    effects: Vec<Option<Effect>>,
    links: Vec<Link>,
}

impl Log {
    fn new(id: u8, device: DeviceId) -> Self {
        Self { id: LogId([id; 8]), device, bodies: Vec::new(), effects: Vec::new(), links: Vec::new() }
    }

    fn add(&mut self, salt: u8, effect: Option<Effect>) -> std::result::Result<u64, String> {
        let seq = self.bodies.len() as u64;
        let mut bytes = vec![0x18, 0xff];
        bytes[1] = salt.max(24);
        let body = Body::new([salt; 16], vec![Part { class: Class::DUTY, bytes }]).map_err(|e| e.to_string())?;
        let previous = self.links.last().copied().unwrap_or(FIRST_LINK);
        self.links.push(body.link(self.id, seq, &previous));
        self.bodies.push(body);
        self.effects.push(effect);
        Ok(seq)
    }

    fn run(&self, first: usize, last: usize) -> NewRun {
        let entry = |at: usize| NewEntry {
            kind: 2,
            link: self.links[at],
            body: StoredBody::Whole(self.bodies[at].clone()).to_bytes(),
            head: (at == last).then(|| vec![0x80]),
            effect: self.effects[at].clone(),
        };
        let previous = first.checked_sub(1).map_or(FIRST_LINK, |at| self.links[at]);
        NewRun {
            log: self.id,
            device: self.device,
            first: first as u64,
            previous,
            entries: (first..=last).map(entry).collect(),
            received_ms: 1_000,
        }
    }
}

fn check_in(patrol_seq: Option<u64>) -> Option<Effect> {
    Some(Effect::CheckIn { patrol_seq, best_ms: 500 })
}

fn at(author: MemberNo) -> WhenWhere {
    WhenWhere { author, best_ms: 400, earliest_ms: 300, latest_ms: 1_000, position: None }
}

/// Runs the whole suite on an empty store.
pub async fn run(store: Arc<dyn HubStore>) -> Verdict {
    ensure(store.epoch().await.map_err(failed)?.is_none(), "a new store has no epoch")?;
    store.begin_epoch(EPOCHS[0], 1).await.map_err(failed)?;
    ensure(store.epoch().await.map_err(failed)? == Some(EPOCHS[0]), "the epoch that was begun is current")?;
    let device = people(&store).await?;
    runs(store.as_ref(), device).await?;
    contradictions(store.as_ref(), device).await?;
    conformance_objects::objects(store.as_ref(), device).await?;
    conformance_claims::claims(store.as_ref(), device).await?;
    conformance_triage::triage(&store, device).await?;
    conformance_access::access(store.as_ref()).await?;
    conformance_phones::phones(store.as_ref()).await?;
    orders(store.as_ref()).await?;
    conformance_alerts::alerts(store.as_ref(), device).await?;
    set_apart(store.as_ref(), device).await?;
    small_things(store.as_ref(), device).await
}

fn redemption(n: u8, token_hash: [u8; 32]) -> Redemption {
    Redemption {
        token_hash,
        hamlet_name: "Nà Phòn".to_owned(),
        role: Role::Member,
        device: DeviceId([n; 8]),
        sign_key: PublicKey([n; 33]),
        seal_key: PublicKey([n ^ 0x80; 33]),
        log: LogId([n; 8]),
        now_ms: 150,
        certificate_expires_ms: 10_000,
        certificate: Arc::new(|member, hamlet, role| Ok(format!("{member} {hamlet} {role}").into_bytes())),
        signer: signer(EPOCHS[0]),
    }
}

async fn people(store: &Arc<dyn HubStore>) -> std::result::Result<DeviceId, String> {
    let hamlet = store.add_hamlet("Nà Phòn".to_owned(), 1, commune()?, signer(EPOCHS[0])).await.map_err(failed)?;
    let again = store.add_hamlet("Na\u{300} Pho\u{300}n".to_owned(), 1, commune()?, signer(EPOCHS[0])).await.map_err(failed)?;
    ensure(hamlet == again, "the same name in other code points is the same hamlet, as first typed")?;
    let code = NewCode {
        token_hash: [9; 32],
        hamlet: hamlet.no,
        hamlet_name: hamlet.name.clone(),
        role: Role::Member,
        name: "Lò Văn Páo".to_owned(),
        member: NOBODY,
        waits: false,
        made_ms: 100,
        expires_ms: 200,
    };
    ensure(store.put_code(code).await.map_err(failed)?, "a code is kept")?;
    let redeem = |r: Redemption| store.redeem(r);
    let unknown = redeem(redemption(1, [8; 32])).await.map_err(failed)?;
    ensure(unknown == Redeemed::Unknown, "an unknown token is told")?;
    let late = redeem(Redemption { now_ms: 201, ..redemption(1, [9; 32]) }).await.map_err(failed)?;
    ensure(late == Redeemed::Expired, "a late one too")?;
    let chief = redeem(Redemption { role: Role::Chief, ..redemption(1, [9; 32]) }).await.map_err(failed)?;
    ensure(matches!(chief, Redeemed::Altered(_)), "a role that was changed by hand is noticed")?;
    let moved = redeem(Redemption { hamlet_name: "Piềng Vế".to_owned(), ..redemption(1, [9; 32]) }).await.map_err(failed)?;
    ensure(matches!(moved, Redeemed::Altered(_)), "and a hamlet")?;

    let tasks: Vec<_> = (1..=32u8)
        .map(|n| {
            let store = Arc::clone(store);
            tokio::spawn(async move { (n, store.redeem(redemption(n, [9; 32])).await) })
        })
        .collect();
    let mut winners = Vec::new();
    for task in tasks {
        let (n, outcome) = task.await.map_err(|e| e.to_string())?;
        match outcome.map_err(failed)? {
            Redeemed::Registered(registration) => winners.push((n, registration)),
            other => ensure(other == Redeemed::Used, "all but one learn that the code is used")?,
        }
    }
    ensure(winners.len() == 1, "of concurrent redemptions exactly one wins")?;
    let (n, registration) = winners.remove(0);
    ensure(registration.member_name == "Lò Văn Páo" && registration.hamlet_name == "Nà Phòn", "the winner learns its names")?;
    let again = redeem(Redemption { now_ms: 9_000, ..redemption(n, [9; 32]) }).await.map_err(failed)?;
    ensure(again == Redeemed::Registered(registration.clone()), "the same key asking again gets the same, also late")?;
    let known = store.device(registration.device.id).await.map_err(failed)?;
    ensure(known.as_deref() == Some(&registration.device), "a device can be looked up as soon as it is enrolled")?;
    let all = store.people().await.map_err(failed)?;
    ensure(all.members.len() == 1 && all.member(registration.device.member).is_some(), "one member came of it")?;
    imports(store.as_ref()).await?;
    Ok(registration.device.id)
}

async fn imports(store: &dyn HubStore) -> Verdict {
    let row = |hamlet: &str, group: Option<&str>, member: Option<&str>| ImportedPlace {
        hamlet: hamlet.to_owned(),
        centre_e7: None,
        group: group.map(str::to_owned),
        member: member.map(|name| (name.to_owned(), Role::Member)),
    };
    let rows = vec![
        row("Nà Phòn", Some("Tổ 1"), Some("Hà Thị Mai")),
        row("Piềng Vế", Some("Tổ 1"), Some("Hà Thị Mai")),
        row("Piềng Vế", Some("Tổ 1"), Some("Hà Thị Mai")),
    ];
    let code = commune()?;
    let import = |rows| store.import_people(rows, 2, code, signer(EPOCHS[0]));
    let first = import(rows.clone()).await.map_err(failed)?;
    ensure(first == ImportTotals { hamlets: 1, groups: 2, members: 2, updated: 0, unchanged: 1 }, "an import counts what it adds")?;
    let second = import(rows).await.map_err(failed)?;
    ensure(second == ImportTotals { unchanged: 3, ..ImportTotals::default() }, "the same file again changes nothing")?;
    let all = store.people().await.map_err(failed)?;
    ensure(all.hamlets.len() == 2 && all.groups.len() == 2 && all.members.len() == 3, "and people see it at once")
}

async fn runs(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut log = Log::new(0x41, device);
    log.add(0, None)?;
    let patrol = log.add(1, Some(Effect::PatrolStarted { at: at(MemberNo(1)), crew: vec![MemberNo(1), MemberNo(2)] }))?;
    for n in 2..30 {
        log.add(n, check_in((n % 2 == 0).then_some(patrol)))?;
    }
    // Out of order, overlapping, repeated: floats first, then what joins them.
    let steps = [((20, 29), 10, 1), ((10, 14), 5, 2), ((8, 12), 2, 2), ((0, 4), 5, 3), ((0, 4), 0, 3), ((3, 25), 8, 1), ((0, 29), 0, 1)];
    for ((first, last), new, held) in steps {
        match store.take_run(log.run(first, last)).await.map_err(failed)? {
            Taken::Kept { new: kept, forked, state } => {
                ensure(kept == new && !forked, &format!("of {first}..={last} {new} are new, not {kept}"))?;
                ensure(state.held.len() == held, &format!("after {first}..={last} there are {held} runs"))?;
                let kept = store.log_state(log.id).await.map_err(failed)?;
                ensure(kept.as_ref() == Some(&state), "the answer is what is kept")?;
            }
            other => return Err(format!("{first}..={last}: {other:?}")),
        }
    }
    let state = store.log_state(log.id).await.map_err(failed)?.ok_or("the log is known")?;
    ensure(state.held[0].last_link == log.links[29] && state.held[0].previous == FIRST_LINK, "the joined run has the links of its ends")?;
    let totals = store.totals().await.map_err(failed)?;
    ensure(totals.entries == 30 && totals.check_ins == 28 && totals.patrols == 1, "entries and check-ins are counted once")?;
    let patrols = store.patrols(ListQuery::default()).await.map_err(failed)?;
    ensure(patrols.len() == 1 && patrols[0].check_ins == 14, "a patrol counts its own, also those that came before it")?;
    ensure(patrols[0].crew == [1, 2] && patrols[0].state == "running", "and knows who walks")?;
    ensure(store.check_chains().await.map_err(failed)?.is_empty(), "every chain can be recomputed")
}

async fn contradictions(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut log = Log::new(0x42, device);
    for n in 0..10 {
        log.add(n, check_in(None))?;
    }
    store.take_run(log.run(0, 9)).await.map_err(failed)?;
    let mut other = Log::new(0x42, device);
    for n in (0..5).chain(100..107) {
        other.add(n, check_in(None))?;
    }
    for _ in 0..2 {
        match store.take_run(other.run(2, 11)).await.map_err(failed)? {
            Taken::Kept { state, .. } => {
                ensure(state.forked() && state.held.len() == 2, "a contradiction is kept beside what was there")?;
                ensure((state.held[1].first, state.held[1].last) == (5, 11), "from where it differs")?;
                ensure(state.held[0].last_link == log.links[9], "and what was there stays")?;
            }
            other => return Err(format!("a fork: {other:?}")),
        }
    }
    let totals = store.totals().await.map_err(failed)?;
    ensure(totals.entries == 30 + 17 && totals.forked == 1 && !totals.chains_ok, "both branches count once, and the fork is told")?;
    ensure(store.check_chains().await.map_err(failed)?.is_empty(), "each branch is whole in itself")?;
    crowd(store, device).await?;
    let thief = NewRun { device: DeviceId([0xee; 8]), ..log.run(0, 9) };
    ensure(store.take_run(thief).await.map_err(failed)? == Taken::UnknownDevice, "an unknown device writes nothing")
}

/// More loose runs than a receipt can name are refused, but never one that makes them fewer.
async fn crowd(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut log = Log::new(0x44, device);
    for n in 0..2 * RUNS_PER_LOG_MAX + 4 {
        log.add((n % 251) as u8, check_in(None))?;
    }
    for n in 1..=RUNS_PER_LOG_MAX {
        store.take_run(log.run(2 * n, 2 * n)).await.map_err(failed)?;
    }
    let before = (store.totals().await.map_err(failed)?, store.log_state(log.id).await.map_err(failed)?);
    let refused = store.take_run(log.run(0, 0)).await;
    ensure(matches!(refused, Err(HubError::Refused(Refusal::Quota(_)))), "a run too many is refused")?;
    let after = (store.totals().await.map_err(failed)?, store.log_state(log.id).await.map_err(failed)?);
    ensure(before == after, "and what is refused has changed nothing")?;
    match store.take_run(log.run(1, 3)).await.map_err(failed)? {
        Taken::Kept { state, .. } => ensure(state.held.len() == RUNS_PER_LOG_MAX - 1, "what joins runs is always taken"),
        other => Err(format!("a run that joins others: {other:?}")),
    }
}

async fn orders(store: &dyn HubStore) -> Verdict {
    let alert = Alert {
        identifier: "yb-1".to_owned(),
        sender_name: "Công an xã".to_owned(),
        sent_ms: 1_000,
        expires_ms: 2_000,
        status: Status::Actual,
        message_type: MessageType::Alert,
        severity: Severity::Severe,
        urgency: Urgency::Expected,
        headline: "Mưa lớn".to_owned(),
        description: "Lên cao".to_owned(),
        instruction: String::new(),
        hamlets: vec![HamletNo(1)],
        references: Vec::new(),
    };
    let scope = Scope::Device(DeviceId([0x77; 8]));
    let draft = ItemDraft { scope, item: Item::Alert(alert.clone()), issued_ms: 1_000 };
    let row = AlertRow { alert, officer: "A".to_owned(), second: None, cap: None };
    let raise = || store.raise_alert(row.clone(), vec![draft.clone()], signer(EPOCHS[0]));
    ensure(raise().await.map_err(failed)?, "an alert is kept")?;
    ensure(!raise().await.map_err(failed)?, "its identifier only once")?;
    ensure(store.alert("yb-1".to_owned()).await.map_err(failed)?.as_ref() == Some(&row), "and it can be read again")?;
    store.append(vec![draft.clone(), draft.clone()], signer(EPOCHS[0])).await.map_err(failed)?;
    let page = store.feed_page(scope, None, 10).await.map_err(failed)?;
    ensure(page.iter().map(|r| r.number).collect::<Vec<_>>() == [1, 2, 3], "items of a stream are numbered without a gap")?;
    ensure(page.windows(2).all(|w| w[1].bytes.ends_with(format!("{:?}", w[0].hash).as_bytes())), "each names the one before")?;
    ensure(store.append(vec![draft.clone()], signer(EPOCHS[1])).await.is_err(), "nothing is signed for another epoch")?;
    store.begin_epoch(EPOCHS[1], 5).await.map_err(failed)?;
    store.append(vec![draft], signer(EPOCHS[1])).await.map_err(failed)?;
    ensure(store.feed_head(scope).await.map_err(failed)? == Some((EPOCHS[1], 1)), "a new epoch numbers from 1")?;
    let after = |cursor| store.feed_page(scope, cursor, 10);
    let numbers = |rows: Vec<super::FeedRow>| rows.iter().map(|r| (r.epoch, r.number)).collect::<Vec<_>>();
    let rest = numbers(after(Some((EPOCHS[0], 2))).await.map_err(failed)?);
    ensure(rest == [(EPOCHS[0], 3), (EPOCHS[1], 1)], "a cursor of the old epoch goes on into the new one")?;
    let lost = numbers(after(Some((Epoch([7; 8]), 9))).await.map_err(failed)?);
    ensure(lost.len() == 4, "a cursor of an epoch that was lost begins from the start")?;
    ensure(after(Some((EPOCHS[1], 1))).await.map_err(failed)?.is_empty(), "at the end there is nothing")?;
    given_back(store, scope).await
}

/// As after a restore: a phone holds more of an earlier epoch than there is here, and all of one that was lost whole.
async fn given_back(store: &dyn HubStore, scope: Scope) -> Verdict {
    let held = |epoch, number| Cursor { scope, epoch, number };
    let lost = async |held: Vec<Cursor>| store.lost_items(held).await.map_err(failed);
    let range = |epoch, first, last| ItemRange { scope, epoch, first, last };
    let gone = Epoch([7; 8]);
    ensure(lost(vec![held(EPOCHS[0], 3), held(EPOCHS[1], 9)]).await?.is_empty(), "what is here, or is of this epoch, is not lost")?;
    let ranges = lost(vec![held(EPOCHS[0], 5), held(gone, 2)]).await?;
    ensure(ranges == [range(EPOCHS[0], 4, 5), range(gone, 1, 2)], "what is held beyond what is here is lost")?;
    let row = |epoch, number| ReturnedRow { scope, epoch, number, bytes: vec![number as u8] };
    let keep = async |rows| store.keep_returned(rows, 9).await.map_err(failed);
    ensure(keep(vec![row(EPOCHS[0], 3), row(EPOCHS[0], 5), row(gone, 1)]).await? == 2, "of what comes back, what was lost is kept")?;
    ensure(keep(vec![row(EPOCHS[0], 5)]).await? == 0, "once")?;
    let ranges = lost(vec![held(EPOCHS[0], 7), held(gone, 2)]).await?;
    let left = [range(EPOCHS[0], 4, 4), range(EPOCHS[0], 6, 7), range(gone, 2, 2)];
    ensure(ranges == left, "and is not asked for again")?;
    ensure(store.feed_head(scope).await.map_err(failed)? == Some((EPOCHS[1], 1)), "no stream goes on from it")
}

async fn set_apart(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let revoke = || store.revoke(device, 3_000, true, Vec::new(), signer(EPOCHS[1]));
    ensure(revoke().await.map_err(failed)?, "a device is revoked")?;
    ensure(!revoke().await.map_err(failed)?, "once")?;
    let known = store.device(device).await.map_err(failed)?.ok_or("the device is still known")?;
    ensure(known.revoked_ms == Some(3_000) && known.lost, "which is seen at once")?;
    let mut renewed = known.as_ref().clone();
    renewed.revoked_ms = None;
    renewed.expires_ms += 1;
    store.renew(renewed).await.map_err(failed)?;
    let known = store.device(device).await.map_err(failed)?.ok_or("known")?;
    ensure(known.revoked_ms == Some(3_000), "and no renewal undoes it")?;
    let mut log = Log::new(0x43, device);
    log.add(1, None)?;
    ensure(store.take_run(log.run(0, 0)).await.map_err(failed)? == Taken::Revoked, "from then on it writes nothing")?;
    ensure(store.log_state(log.id).await.map_err(failed)?.is_none(), "not even its log's name")?;
    let segment = QuarantinedSegment {
        reason: QuarantineReason::Revoked,
        device,
        log: log.id,
        first: 0,
        count: 1,
        received_ms: 3_100,
        sealed: vec![1, 2, 3],
    };
    for _ in 0..2 {
        ensure(store.keep_in_quarantine(segment.clone()).await.map_err(failed)?, "what it delivers is kept sealed")?;
    }
    let kept = store.quarantine(ListQuery::default()).await.map_err(failed)?;
    ensure(kept.len() == 1 && kept[0].size_bytes == 3 && kept[0].reason == "revoked", "the same bytes once")
}

async fn small_things(store: &dyn HubStore, device: DeviceId) -> Verdict {
    ensure(store.value("x").await.map_err(failed)?.is_none(), "a value that was not set is none")?;
    store.set_value("x", vec![1]).await.map_err(failed)?;
    store.set_value("x", vec![2]).await.map_err(failed)?;
    ensure(store.value("x").await.map_err(failed)? == Some(vec![2]), "the newest value counts")?;
    for n in 0..3 {
        let row = AuditRow {
            at: crate::clock::rfc3339(n),
            at_ms: n,
            actor: "a".to_owned(),
            action: format!("read {n}"),
            subject: String::new(),
            purpose: "p".to_owned(),
            outcome: None,
        };
        let row = store.note_audit(row).await.map_err(failed)?;
        if n > 0 {
            store.end_audit(row, format!("end {n}")).await.map_err(failed)?;
            store.end_audit(row, "another".to_owned()).await.map_err(failed)?;
        }
    }
    let page = ListQuery { limit: 2, offset: 1, ..ListQuery::default() };
    let rows = store.audit(page).await.map_err(failed)?;
    ensure(rows.iter().map(|r| r.at_ms).collect::<Vec<_>>() == [1, 0], "the record is read newest first, page by page")?;
    let outcomes = store.audit(ListQuery::default()).await.map_err(failed)?.into_iter().take(3).map(|row| row.outcome);
    let wanted = [Some("end 2".to_owned()), Some("end 1".to_owned()), None];
    ensure(outcomes.eq(wanted), "each has the outcome that was noted first, or none")?;
    let devices: BTreeSet<_> = store.devices().await.map_err(failed)?.into_iter().map(|known| known.id.0).collect();
    ensure(devices.contains(&device.0) && devices.len() > 1, "all devices are listed, those that joined later too")?;
    let incidents = store.incidents(ListQuery { text: Some("suoi".to_owned()), ..ListQuery::default() }).await.map_err(failed)?;
    ensure(incidents.is_empty(), "a search that finds nothing is no error")?;
    store.close().await.map_err(failed)?;
    ensure(store.set_value("x", vec![3]).await.is_err(), "a closed store takes nothing more")
}
