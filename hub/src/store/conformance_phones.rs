//! Phones that wait, what is awaited of phones, checkpoints, plans and what was walked, as every store must keep them.

use yenban_protocol::feed::Scope;
use yenban_protocol::id::{DeviceId, HamletNo, MemberNo, Role};
use yenban_protocol::text::code::CheckpointCode;

use super::super::{Awaited, CheckpointRow, Coverage, Effect, HubStore, NOBODY, NewCode, PlanRow, Redeemed, Redemption};
use super::{EPOCHS, Log, Verdict, at, check_in, ensure, failed, redemption, signer};
use crate::limits::{CHECKPOINTS_PER_HAMLET_MAX, WEEK_MS};

const HERE: HamletNo = HamletNo(1);
const PAO: MemberNo = MemberNo(1);
/// Well after everything else that the suite tells of.
const MONDAY_MS: i64 = 1_795_366_800_000;

pub(super) async fn phones(store: &dyn HubStore) -> Verdict {
    let (joined, refused) = (waiting(store, 0xd1).await?, waiting(store, 0xd2).await?);
    let confirm = async |device, at_ms| store.confirm_device(device, at_ms, signer(EPOCHS[0])).await.map_err(failed);
    let told = || store.feed_head(Scope::Hamlet(HERE));
    let before = told().await.map_err(failed)?;
    ensure(confirm(joined, 200).await?, "a device that waits is confirmed")?;
    ensure(told().await.map_err(failed)? > before, "and its hamlet learns of its member then")?;
    ensure(!confirm(joined, 201).await? && !confirm(DeviceId([0xdd; 8]), 201).await?, "once, and none that is not known")?;
    let known = store.device(joined).await.map_err(failed)?.ok_or("known")?;
    ensure(!known.waiting && known.member == PAO, "it waits no more, and is the member's that the code named")?;
    store.revoke(refused, 210, false, Vec::new(), signer(EPOCHS[0])).await.map_err(failed)?;
    ensure(!confirm(refused, 220).await?, "what was revoked is never confirmed")?;
    let codes = store.codes(1_000).await.map_err(failed)?;
    ensure(codes.iter().map(|row| row.code.made_ms).eq([0xd2 + 1_000, 0xd1 + 1_000]), "codes are listed newest first")?;
    ensure(codes[1].used.is_some_and(|(device, _)| device == joined), "with what used them")?;

    let mut log = Log::new(0xd1, joined);
    for n in 0..5 {
        log.add(n, check_in(None))?;
    }
    store.take_run(log.run(3, 4)).await.map_err(failed)?;
    let awaited = store.awaited().await.map_err(failed)?;
    let of = |device| awaited.iter().find(|(known, _)| *known == device).map(|(_, awaited)| *awaited);
    ensure(of(joined) == Some(Awaited { entries: 3, files: 0 }), "what lies before the last that came is awaited")?;
    ensure(of(refused).is_none(), "and nothing of whom nothing came")?;
    walks(store, joined).await?;
    checkpoints(store).await?;
    plans(store).await
}

/// A device that redeemed a code of the console for a member.
async fn waiting(store: &dyn HubStore, n: u8) -> std::result::Result<DeviceId, String> {
    let made_ms = i64::from(n) + 1_000;
    let code = NewCode {
        token_hash: [n; 32],
        hamlet: HERE,
        hamlet_name: "Nà Phòn".to_owned(),
        role: Role::Member,
        name: "Somebody".to_owned(),
        member: PAO,
        waits: true,
        made_ms,
        expires_ms: made_ms + 1_000,
    };
    ensure(store.put_code(code).await.map_err(failed)?, "a code is kept")?;
    let members = store.people().await.map_err(failed)?.members.len();
    let head = store.feed_head(Scope::Hamlet(HERE)).await.map_err(failed)?;
    match store.redeem(Redemption { now_ms: made_ms, ..redemption(n, [n; 32]) }).await.map_err(failed)? {
        Redeemed::Registered(registration) => {
            ensure(registration.device.waiting, "whoever redeems a code that waits, waits")?;
            ensure(store.people().await.map_err(failed)?.members.len() == members, "and is nobody new")?;
            ensure(store.feed_head(Scope::Hamlet(HERE)).await.map_err(failed)? == head, "and is named to nobody")?;
            Ok(registration.device.id)
        }
        other => Err(format!("a code: {other:?}")),
    }
}

async fn walks(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut log = Log::new(0xd3, device);
    let started = |best_ms| Some(Effect::PatrolStarted { at: super::WhenWhere { best_ms, ..at(PAO) }, crew: vec![MemberNo(77)] });
    let first = log.add(1, started(MONDAY_MS + 5))?;
    log.add(2, Some(Effect::CheckIn { patrol_seq: Some(first), best_ms: MONDAY_MS + 50 }))?;
    log.add(3, Some(Effect::PatrolFinished { patrol_seq: first, best_ms: MONDAY_MS + 100, distance_m: 5 }))?;
    log.add(4, started(MONDAY_MS + WEEK_MS))?;
    store.take_run(log.run(0, 3)).await.map_err(failed)?;
    let walked = async |from, to| store.walked(MONDAY_MS + from, MONDAY_MS + to).await.map_err(failed);
    let found = walked(100, 200).await?;
    ensure(found.len() == 1 && !found[0].under_way, "a patrol is found to its last moment")?;
    ensure(found[0].hamlet == HERE && found[0].members == [MemberNo(77), PAO], "with its hamlet and who walked")?;
    ensure((found[0].from_ms, found[0].to_ms) == (MONDAY_MS + 5, MONDAY_MS + 100), "and its time")?;
    ensure(walked(101, 200).await?.is_empty() && walked(0, 4).await?.is_empty(), "and not before or after it")?;
    let open = walked(WEEK_MS, WEEK_MS + 1).await?;
    ensure(open.len() == 1 && open[0].under_way, "one that has not ended is under way")?;
    let row = |week, check_ins| Coverage { hamlet: HERE, week, patrols: 1, check_ins };
    let covered = store.coverage(MONDAY_MS, 2).await.map_err(failed)?;
    ensure(covered == [row(0, 1), row(1, 0)], "patrols and check-ins count in the week in which the patrol began")?;
    ensure(store.coverage(MONDAY_MS, 1).await.map_err(failed)? == [row(0, 1)], "of the weeks asked for")
}

async fn checkpoints(store: &dyn HubStore) -> Verdict {
    let row = |number: usize| {
        let code = CheckpointCode::new(number as u32).ok_or("a code")?;
        Ok::<_, String>(CheckpointRow { code, hamlet: HERE, name: format!("{number}"), place_e7: (1, 2), made_ms: 5, closed_ms: None })
    };
    let add = async |number| store.add_checkpoint(row(number)?, signer(EPOCHS[0])).await.map_err(failed);
    let told = async || store.feed_head(Scope::Hamlet(HERE)).await.map_err(failed);
    let before = told().await?;
    ensure(add(7).await?, "a checkpoint is kept")?;
    let after = told().await?;
    ensure(after > before, "and its hamlet's directory goes out")?;
    ensure(!add(7).await? && told().await? == after, "a number is given once, and a refusal tells nobody")?;
    let close = async |at_ms| store.close_checkpoint(row(7)?.code, at_ms, signer(EPOCHS[0])).await.map_err(failed);
    ensure(close(9).await? && !close(10).await?, "it is taken away once")?;
    ensure(!add(7).await?, "and its number is not given again")?;
    ensure(store.checkpoints().await.map_err(failed)? == [CheckpointRow { closed_ms: Some(9), ..row(7)? }], "its name is kept")?;
    for number in 100..100 + CHECKPOINTS_PER_HAMLET_MAX {
        ensure(add(number).await?, "a hamlet has many")?;
    }
    ensure(!add(99).await?, "and not too many")
}

async fn plans(store: &dyn HubStore) -> Verdict {
    let checkpoints: Vec<CheckpointCode> = [7, 100].into_iter().filter_map(CheckpointCode::new).collect();
    let plan = |no| PlanRow {
        no,
        hamlet: HERE,
        group: 0,
        member: NOBODY,
        days: 0b111,
        from_min: 1_320,
        to_min: 120,
        checkpoints: checkpoints.clone(),
        made_ms: 5,
        ended_ms: None,
    };
    let add = async || store.add_plan(plan(0)).await.map_err(failed)?.ok_or("a plan is kept".to_owned());
    let (first, second) = (add().await?, add().await?);
    ensure(store.end_plan(first, 50).await.map_err(failed)?, "a plan is ended")?;
    ensure(!store.end_plan(first, 60).await.map_err(failed)? && !store.end_plan(99, 60).await.map_err(failed)?, "once")?;
    let held = async |since_ms| store.plans(since_ms).await.map_err(failed);
    ensure(held(40).await? == [PlanRow { ended_ms: Some(50), ..plan(first) }, plan(second)], "plans are kept as they were made")?;
    ensure(held(50).await? == [plan(second)], "and those that ended are of the past")
}
