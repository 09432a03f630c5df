//! The part of the suite about files that entries name: expected, arrived, lost, held, destroyed.

use std::sync::Arc;

use yenban_protocol::crypto::Hash;
use yenban_protocol::feed::Scope;
use yenban_protocol::id::MemberNo;
use yenban_protocol::id::{DeviceId, EntryName};
use zeroize::Zeroizing;

use super::{EPOCHS, HubStore, Log, Verdict, at, ensure, failed, signer};
use crate::limits::EVIDENCE_RETENTION_MS;
use crate::storage::ObjectName;
use crate::store::{
    Arrival, Effect, Ending, Erased, Erasure, FileNamed, Found, Freed, Hold, HoldOrder, ItemHeld, ItemName, ObjectKind, ObjectState,
    PhotoRow, StoredAs,
};

fn file(kind: ObjectKind, n: u8) -> FileNamed {
    FileNamed { kind, sha256: [n; 32], size_bytes: 10, sealed_sha256: [n ^ 0x80; 32], sealed_size_bytes: 20 }
}

fn arrival(n: u8, name: u8) -> Arrival {
    Arrival {
        sealed_sha256: [n ^ 0x80; 32],
        sealed_size_bytes: 20,
        sha256: [n; 32],
        size_bytes: 10,
        stored: StoredAs { name: ObjectName::from_bytes([name; 32]), key: Zeroizing::new([name; 32]), size_bytes: 30 },
        received_ms: 5_000,
        receipt: Arc::new(|state, objects| Ok(format!("{} {}", state.log, objects.len()).into_bytes())),
    }
}

async fn states(store: &dyn HubStore, sealed: Hash) -> std::result::Result<Vec<ObjectState>, String> {
    Ok(store.objects_named(vec![sealed]).await.map_err(failed)?.iter().map(|row| row.state).collect())
}

/// Files from the entry that names them to their end.
pub(super) async fn objects(store: &dyn HubStore, device: DeviceId) -> Verdict {
    let mut log = Log::new(0x45, device);
    let photo = |n| {
        let row =
            PhotoRow { subject: None, original: file(ObjectKind::Original, n), media_type: "image/jpeg".to_owned(), original_name: None };
        Some(Effect::Photo { at: at(MemberNo(1)), photo: row })
    };
    log.add(0, photo(1))?;
    // A second entry names the same file, a third the smaller copy of the first.
    log.add(1, photo(1))?;
    let entry = EntryName { log: log.id, seq: 0 };
    log.add(2, Some(Effect::Previews { photo: entry, files: vec![file(ObjectKind::Preview, 2)], missing: None }))?;
    store.take_run(log.run(0, 2)).await.map_err(failed)?;
    let (item, twin) = (ItemName { entry, branch: 0 }, ItemName { entry: EntryName { seq: 1, ..entry }, branch: 0 });
    let sealed = [1 ^ 0x80; 32];
    ensure(states(store, sealed).await? == [ObjectState::Expected; 2], "an entry that names a file expects it")?;
    store.upload_begun(sealed, true).await.map_err(failed)?;
    ensure(states(store, sealed).await? == [ObjectState::Partial; 2], "an upload that was begun is seen")?;
    ensure(store.begun_uploads().await.map_err(failed)? == [sealed], "and told, once")?;

    let other = Arrival { sha256: [9; 32], ..arrival(1, 0x31) };
    let refused = store.object_arrived(other).await.map_err(failed)?;
    ensure(refused.receipts.is_empty() && refused.unnamed.len() == 1, "content that no entry names is no evidence")?;
    let first = store.object_arrived(arrival(1, 0x32)).await.map_err(failed)?;
    ensure(first.receipts.len() == 1 && first.unnamed.is_empty(), "a file that came has one receipt for each log")?;
    ensure(states(store, sealed).await? == [ObjectState::Verified; 2], "and is there for every entry that names it")?;
    let again = store.object_arrived(arrival(1, 0x33)).await.map_err(failed)?;
    ensure(again.receipts.len() == 1, "a second copy is answered alike")?;
    ensure(again.unnamed == [ObjectName::from_bytes([0x33; 32])], "and let go")?;
    store.object_arrived(arrival(2, 0x34)).await.map_err(failed)?;
    ensure(store.objects_of(item).await.map_err(failed)?.len() == 2, "an item has its original and its copies")?;

    lost(store, sealed).await?;
    let order = |hold| HoldOrder { item, hold, actor: "A, B".to_owned(), reason: "12".to_owned(), at_ms: 6_000 };
    let hold = Hold { case: "12".to_owned(), officers: "A, B".to_owned(), until_ms: 1_000 + 2 * EVIDENCE_RETENTION_MS };
    ensure(store.hold_item(order(None)).await.map_err(failed)? == ItemHeld::NotFound, "there is no hold to end yet")?;
    ensure(store.hold_item(order(Some(hold.clone()))).await.map_err(failed)? == ItemHeld::Done, "an item is held")?;
    let late = 5_000 + EVIDENCE_RETENTION_MS;
    let over = store.expired_items(late, 10).await.map_err(failed)?;
    ensure(over == [twin], "time ends what nothing holds, counted from the last file that came")?;
    let erasure = |item, at_ms| Erasure { item, actor: "hub".to_owned(), expired: true, reason: "R-21".to_owned(), at_ms };
    let held = store.erase_item(erasure(item, late)).await.map_err(failed)?;
    ensure(matches!(held, Erased::Held(_)), "a held item is not destroyed")?;
    let before = store.check_chains().await.map_err(failed)?;
    let done = store.erase_item(erasure(twin, late)).await.map_err(failed)?;
    ensure(done == Erased::Done(Freed::default()), "bytes that another entry names stay")?;
    ensure(store.hold_item(order(None)).await.map_err(failed)? == ItemHeld::Done, "the hold ends")?;
    let done = store.erase_item(erasure(item, late)).await.map_err(failed)?;
    let gone = [0x35, 0x34].map(|n| ObjectName::from_bytes([n; 32]));
    ensure(
        matches!(done, Erased::Done(freed) if gone.iter().all(|name| freed.stored.contains(name)) && freed.uploads.contains(&sealed)),
        "the last one lets bytes and keys go",
    )?;
    let ending = Ending { at_ms: late, expired: true, reason: "R-21".to_owned() };
    ensure(store.erase_item(erasure(item, late)).await.map_err(failed)? == Erased::Already(ending.clone()), "once")?;
    for hold in [Some(hold), None] {
        let told = store.hold_item(order(hold)).await.map_err(failed)?;
        ensure(told == ItemHeld::Destroyed(ending.clone()), "nothing holds what was destroyed")?;
    }
    ensure(states(store, sealed).await? == [ObjectState::Erased; 2], "and the state says so")?;
    ensure(store.objects_named(vec![sealed]).await.map_err(failed)?.iter().all(|row| row.stored.is_none()), "no key is left")?;
    ensure(store.check_chains().await.map_err(failed)? == before, "every chain still verifies")?;
    ensure(store.check_custody().await.map_err(failed)?.is_empty(), "and so does the custody record")?;
    let names = vec![ObjectName::from_bytes([0x35; 32]), ObjectName::from_bytes([0x77; 32])];
    ensure(store.unnamed(names.clone()).await.map_err(failed)? == names, "what nothing names is an orphan")?;
    ensure(store.orphans(names.clone(), 100, 50).await.map_err(failed)?.is_empty(), "seen for the first time it is left alone")?;
    ensure(store.orphans(names.clone(), 200, 100).await.map_err(failed)? == names, "and later named for removal")
}

/// A file that is found missing is asked for once, and comes again under another name.
async fn lost(store: &dyn HubStore, sealed: Hash) -> Verdict {
    let rows = store.stored_objects(0, 100).await.map_err(failed)?;
    ensure(rows.len() == 3, "rows of stored files can be read one after another")?;
    let gone = |row: &&super::super::ObjectRow| row.sealed_sha256 == sealed;
    let found = rows.iter().filter(gone).map(|row| Found { row: row.clone(), state: ObjectState::Missing, bytes: None }).collect();
    store.objects_checked(found, 5_500).await.map_err(failed)?;
    ensure(states(store, sealed).await? == [ObjectState::Missing; 2], "what is gone is said to be")?;
    let scope = Scope::Device(rows[0].device);
    ensure(store.want_objects(6_000, 5_000, signer(EPOCHS[0])).await.map_err(failed)? == 1, "its phone is asked")?;
    ensure(store.want_objects(6_100, 5_000, signer(EPOCHS[0])).await.map_err(failed)? == 0, "once")?;
    ensure(store.want_objects(9_000, 6_000, signer(EPOCHS[0])).await.map_err(failed)? == 1, "and again later")?;
    ensure(store.feed_head(scope).await.map_err(failed)? == Some((EPOCHS[0], 2)), "in its own stream")?;
    let again = store.object_arrived(arrival(1, 0x35)).await.map_err(failed)?;
    ensure(again.unnamed == [ObjectName::from_bytes([0x32; 32])], "what lay there before is let go")?;
    ensure(states(store, sealed).await? == [ObjectState::Verified; 2], "and the file is there again")
}
