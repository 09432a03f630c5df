//! Officers' accounts, links and sessions, as every store must keep them.

use yenban_protocol::id::{HamletNo, MemberNo};

use super::super::{
    AccountChange, Decided, HubStore, Joined, LinkKind, LinkRow, PasskeyRow, Proofs, ProposalKind, ProposalRow, SessionRow,
};
use super::{Verdict, ensure, failed};
use crate::limits::{PASSKEYS_MAX, PROPOSALS_MAX, SESSIONS_PER_MEMBER_MAX, VIEWS_PER_SESSION_MAX};

const SON: MemberNo = MemberNo(901);
const DAO: MemberNo = MemberNo(902);

fn link(token: u8, member: MemberNo, kind: LinkKind) -> LinkRow {
    LinkRow { token_hash: [token; 32], member, kind, expires_ms: 1_000 }
}

fn proofs(login: &str) -> Proofs {
    let recovery = vec![[1; 32], [2; 32]];
    Proofs { login: login.to_owned(), password: "$argon2id$".to_owned(), totp: vec![7; 20], totp_step: 10, recovery }
}

fn session(key: u8, seen_ms: i64) -> SessionRow {
    SessionRow { key: [key; 32], member: SON, how: "password".to_owned(), began_ms: seen_ms, seen_ms }
}

pub(super) async fn access(store: &dyn HubStore) -> Verdict {
    links(store).await?;
    accounts(store).await?;
    passkeys(store).await?;
    sessions(store).await?;
    proposals(store).await?;
    let change = AccountChange::Closed(9_000);
    ensure(store.change_account(SON, change).await.map_err(failed)?, "an account is closed")?;
    let closed = store.account(SON).await.map_err(failed)?.ok_or("and is still there")?;
    ensure(closed.closed_ms == Some(9_000) && closed.password.is_none() && closed.totp.is_none(), "without its proofs")?;
    ensure(store.sessions_of(SON).await.map_err(failed)?.is_empty(), "nobody is inside any more")?;
    ensure(store.passkeys(SON).await.map_err(failed)?.is_empty() && closed.recovery_left == 0, "no key and no code is left")?;
    ensure(!store.change_account(SON, AccountChange::Succeeded).await.map_err(failed)?, "and it changes no more")
}

async fn links(store: &dyn HubStore) -> Verdict {
    store.put_link(link(1, SON, LinkKind::Enter), 0).await.map_err(failed)?;
    store.put_link(link(2, SON, LinkKind::Enter), 0).await.map_err(failed)?;
    ensure(store.link([1; 32], 0).await.map_err(failed)?.is_none(), "a new link replaces the one before")?;
    ensure(store.use_link([2; 32], 1_000).await.map_err(failed)?.is_none(), "a link ends when its time is over")?;
    ensure(store.use_link([2; 32], 999).await.map_err(failed)?.is_some(), "and opens before")?;
    ensure(store.use_link([2; 32], 999).await.map_err(failed)?.is_none(), "once")?;
    store.put_link(link(3, SON, LinkKind::Join), 0).await.map_err(failed)?;
    ensure(store.use_link([3; 32], 0).await.map_err(failed)?.is_none(), "a link that opens an account lets nobody in")
}

async fn accounts(store: &dyn HubStore) -> Verdict {
    let join = async |token: u8, proofs: Proofs| store.join([token; 32], proofs, 50).await.map_err(failed);
    store.plan_account(SON, vec![HamletNo(2)], 40).await.map_err(failed)?;
    ensure(join(3, proofs("Hà Văn Sơn")).await? == Joined::Open(SON), "a link opens an account")?;
    ensure(join(3, proofs("x y")).await? == Joined::NoLink, "once")?;
    store.put_link(link(4, DAO, LinkKind::Join), 0).await.map_err(failed)?;
    ensure(join(4, proofs("HA VAN SON")).await? == Joined::LoginTaken, "a login is one person's, however it is typed")?;
    ensure(join(4, proofs("dao")).await? == Joined::Open(DAO), "and a refusal leaves the link")?;
    let found = store.account_called("ha van son".to_owned()).await.map_err(failed)?.ok_or("an account is found by its login")?;
    ensure(found.member == SON && found.reach == [HamletNo(2)] && found.recovery_left == 2, "with its reach and its codes")?;
    ensure(store.accounts().await.map_err(failed)?.len() == 2, "all are listed")?;

    let change = async |change: AccountChange| store.change_account(SON, change).await.map_err(failed);
    ensure(!change(AccountChange::TotpUsed(10)).await?, "the code that opened the account is used")?;
    ensure(change(AccountChange::TotpUsed(11)).await?, "a later one holds")?;
    ensure(!change(AccountChange::TotpUsed(11)).await? && !change(AccountChange::TotpUsed(10)).await?, "once, and no earlier one")?;
    ensure(change(AccountChange::RecoveryUsed([1; 32])).await?, "a recovery code holds")?;
    ensure(!change(AccountChange::RecoveryUsed([1; 32])).await?, "once")?;
    change(AccountChange::Failed(60)).await?;
    change(AccountChange::Failed(70)).await?;
    let tried = store.account(SON).await.map_err(failed)?.ok_or("there")?;
    ensure((tried.failed, tried.failed_ms) == (2, 70), "wrong tries are counted")?;
    change(AccountChange::Succeeded).await?;
    ensure(store.account(SON).await.map_err(failed)?.is_some_and(|account| account.failed == 0), "until a right one")
}

async fn passkeys(store: &dyn HubStore) -> Verdict {
    let key = |id: u8| PasskeyRow { id: [id; 32], label: "máy".to_owned(), body: vec![id], made_ms: id.into(), used_ms: None };
    let change = async |member, change: AccountChange| store.change_account(member, change).await.map_err(failed);
    for id in 0..PASSKEYS_MAX as u8 {
        ensure(change(SON, AccountChange::Passkey(key(id))).await?, "a passkey is added")?;
    }
    ensure(!change(SON, AccountChange::Passkey(key(99))).await?, "and not too many")?;
    ensure(!change(DAO, AccountChange::Passkey(key(0))).await?, "nor one that another account has")?;
    ensure(change(SON, AccountChange::PasskeyUsed([0; 32], vec![7], 80)).await?, "its use is kept")?;
    ensure(!change(DAO, AccountChange::PasskeyGone([0; 32])).await?, "nobody takes another's away")?;
    let first = store.passkeys(SON).await.map_err(failed)?.into_iter().next().ok_or("there")?;
    ensure(first.body == [7] && first.used_ms == Some(80), "with what came of it")?;
    ensure(change(SON, AccountChange::PasskeyGone([0; 32])).await?, "its owner does")
}

async fn proposals(store: &dyn HubStore) -> Verdict {
    let row =
        |expires_ms| ProposalRow { no: 0, kind: ProposalKind::Alert, body: vec![1, 2], by: SON, made_ms: 10, expires_ms, decided: None };
    let propose = async |expires_ms| store.propose(row(expires_ms)).await.map_err(failed)?.ok_or("an act waits".to_owned());
    let decide = async |no, by, agrees, now_ms| store.decide(no, by, agrees, now_ms).await.map_err(failed);
    let (first, second, third) = (propose(100).await?, propose(100).await?, propose(50).await?);
    let waiting: Vec<i64> = store.proposals(50).await.map_err(failed)?.iter().map(|row| row.no).collect();
    ensure(waiting == [first, second], "what waits is listed until its time is over")?;
    ensure(decide(first, SON, true, 20).await? == Decided::Own, "whoever asked is no second person")?;
    ensure(decide(first, DAO, true, 20).await? == Decided::Counts, "another one is")?;
    ensure(decide(first, DAO, false, 20).await? == Decided::Gone, "the first decision counts")?;
    ensure(decide(second, SON, false, 20).await? == Decided::Counts, "whoever asked may take it back")?;
    ensure(decide(third, DAO, true, 50).await? == Decided::Gone, "nobody agrees too late")?;
    let kept = store.proposal(first).await.map_err(failed)?.ok_or("what was decided is kept")?;
    ensure(kept == ProposalRow { no: first, decided: Some((DAO, true, 20)), ..row(100) }, "with who decided")?;
    // The third still waits at the moment of these.
    for _ in 1..PROPOSALS_MAX {
        propose(200).await?;
    }
    ensure(store.propose(row(200)).await.map_err(failed)?.is_none(), "and not too many wait")
}

async fn sessions(store: &dyn HubStore) -> Verdict {
    for key in 1..=SESSIONS_PER_MEMBER_MAX as u8 + 1 {
        store.begin_session(session(key, i64::from(key)), 0).await.map_err(failed)?;
    }
    let inside = store.sessions_of(SON).await.map_err(failed)?;
    ensure(inside.len() == SESSIONS_PER_MEMBER_MAX as usize && inside[0].seen_ms > 1, "the session unused for longest ends for a new one")?;
    ensure(store.session([1; 32]).await.map_err(failed)?.is_none(), "and opens nothing")?;
    store.session_seen([2; 32], 500).await.map_err(failed)?;
    let (row, reach) = store.session([2; 32]).await.map_err(failed)?.ok_or("a session is found by its key")?;
    ensure(row.seen_ms == 500 && reach == [HamletNo(2)], "with when it was used, and its account's reach")?;

    let open = async |subject: &str| store.open_view([2; 32], subject.to_owned(), "trực ban".to_owned(), 600).await.map_err(failed);
    let view = async |key: u8, at| store.view([key; 32], "a:1".to_owned(), at).await.map_err(failed);
    open("a:1").await?;
    ensure(view(2, 599).await?.as_deref() == Some("trực ban"), "a purpose opens one subject")?;
    ensure(view(2, 600).await?.is_none() && view(3, 599).await?.is_none(), "for a while, and for one session")?;
    for n in 0..VIEWS_PER_SESSION_MAX + 5 {
        open(&format!("b:{n}")).await?;
    }
    store.open_view([77; 32], "a:1".to_owned(), "x".to_owned(), 600).await.map_err(failed)?;
    ensure(view(77, 0).await?.is_none(), "nobody outside opens anything")?;

    store
        .change_account(SON, {
            let phc = proofs("").password;
            AccountChange::Password(phc, [2; 32])
        })
        .await
        .map_err(failed)?;
    ensure(store.sessions_of(SON).await.map_err(failed)?.len() == 1, "a new password ends the other sessions")?;
    store.change_account(SON, AccountChange::Reach(Vec::new())).await.map_err(failed)?;
    ensure(store.session([2; 32]).await.map_err(failed)?.is_none(), "another reach ends them all")?;
    store.begin_session(session(2, 700), 0).await.map_err(failed)?;
    ensure(view(2, 599).await?.is_none(), "what a session opened ends with it")?;
    store.begin_session(session(3, 900), 800).await.map_err(failed)?;
    ensure(store.session([2; 32]).await.map_err(failed)?.is_none(), "old sessions go")?;
    store.end_session([3; 32]).await.map_err(failed)?;
    ensure(store.session([3; 32]).await.map_err(failed)?.is_none(), "and so does one that is left")?;
    store.begin_session(session(4, 950), 0).await.map_err(failed)
}
