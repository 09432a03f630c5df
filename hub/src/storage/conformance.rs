//! One suite for every object storage: what [`ObjectStorage`] promises. Give it an empty one; it answers with the first
//! promise that was broken.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::{ObjectName, ObjectStorage, Part, Parts};
use crate::error::{HubError, Refusal};
use crate::limits::{STORAGE_PART_BYTES, STORAGE_READ_MAX_BYTES};

/// The first promise that was broken, in words.
pub type Verdict = std::result::Result<(), String>;

fn ensure(holds: bool, promise: &str) -> Verdict {
    if holds { Ok(()) } else { Err(promise.to_owned()) }
}

fn failed(error: HubError) -> String {
    format!("the storage failed: {error}")
}

fn name(n: u8) -> ObjectName {
    ObjectName::from_bytes([n; 32])
}

/// Parts of `content` as a sender gives them; cut off before the end when it is not `whole`.
fn parts(content: &[u8], whole: bool) -> Parts {
    let chunks: Vec<Bytes> = content.chunks(STORAGE_PART_BYTES).map(Bytes::copy_from_slice).collect();
    let (sender, receiver) = mpsc::channel(chunks.len() + 1);
    for chunk in chunks {
        // The channel has room for all of them.
        drop(sender.try_send(Part::Bytes(chunk)));
    }
    if whole {
        drop(sender.try_send(Part::End));
    }
    receiver
}

/// Reads a whole file by ranges.
async fn whole(storage: &dyn ObjectStorage, name: ObjectName) -> std::result::Result<Option<Vec<u8>>, String> {
    let mut all = Vec::new();
    loop {
        let from = all.len() as u64;
        match storage.read(name, from..from + STORAGE_READ_MAX_BYTES).await.map_err(failed)? {
            None => return Ok(None),
            Some(bytes) if bytes.is_empty() => return Ok(Some(all)),
            Some(bytes) => all.extend_from_slice(&bytes),
        }
    }
}

/// Runs the whole suite on an empty storage.
pub async fn run(storage: Arc<dyn ObjectStorage>) -> Verdict {
    let s = storage.as_ref();
    ensure(s.list().await.map_err(failed)?.names.is_empty(), "a new storage is empty")?;
    ensure(s.size(name(1)).await.map_err(failed)?.is_none(), "what is not there has no size")?;
    ensure(s.read(name(1), 0..10).await.map_err(failed)?.is_none(), "and nothing to read")?;
    ensure(!s.remove(name(1)).await.map_err(failed)?, "and cannot be removed")?;

    let content = |n: usize| (0..n).map(|i| (i % 251) as u8).collect::<Vec<_>>();
    let sizes =
        [1, 1_000, STORAGE_PART_BYTES - 1, STORAGE_PART_BYTES, STORAGE_PART_BYTES + 1, 2 * STORAGE_PART_BYTES, 3 * STORAGE_PART_BYTES + 7];
    for (n, size) in (1..).zip(sizes) {
        let put = s.put(name(n), parts(&content(size), true)).await.map_err(failed)?;
        ensure(put == size as u64, &format!("a file of {size} bytes is kept whole"))?;
        ensure(s.size(name(n)).await.map_err(failed)? == Some(size as u64), &format!("its size is {size}"))?;
        ensure(whole(s, name(n)).await? == Some(content(size)), &format!("and what is read of {size} bytes is what was put"))?;
        let again = s.put(name(n), parts(&[9; 3], true)).await;
        ensure(matches!(again, Err(HubError::Refused(Refusal::Conflict(_)))), "a name that is taken is refused")?;
        ensure(s.size(name(n)).await.map_err(failed)? == Some(size as u64), "and what lies there stays")?;
    }
    let long = s.put(name(3), parts(&content(2 * STORAGE_PART_BYTES), true)).await;
    ensure(matches!(long, Err(HubError::Refused(Refusal::Conflict(_)))), "nor is it overwritten by a file in many parts")?;
    ensure(whole(s, name(3)).await? == Some(content(STORAGE_PART_BYTES - 1)), "which changes nothing")?;

    let middle = s.read(name(5), 100..110).await.map_err(failed)?;
    ensure(middle.as_deref() == Some(&content(110)[100..]), "a range is read alone")?;
    let end = s.read(name(1), 0..50).await.map_err(failed)?;
    ensure(end.as_deref() == Some(&content(1)[..]), "a range beyond the end is cut")?;
    ensure(s.read(name(5), 0..STORAGE_READ_MAX_BYTES + 1).await.is_err(), "a range that is too long is refused")?;

    for size in [10, STORAGE_PART_BYTES, 2 * STORAGE_PART_BYTES] {
        ensure(s.put(name(60), parts(&content(size), false)).await.is_err(), "a file that was cut is not kept")?;
        ensure(s.size(name(60)).await.map_err(failed)?.is_none(), "nor seen")?;
    }

    let racers: Vec<_> = (0..8u8)
        .map(|n| {
            let storage = Arc::clone(&storage);
            tokio::spawn(async move { storage.put(name(61), parts(&[n; 2_000], true)).await.is_ok() })
        })
        .collect();
    let mut won = 0;
    for racer in racers {
        won += u32::from(racer.await.map_err(|e| e.to_string())?);
    }
    ensure(won == 1, "of several puts under one name exactly one wins")?;
    let kept = whole(s, name(61)).await?.unwrap_or_default();
    ensure(kept.len() == 2_000 && kept.iter().all(|byte| *byte == kept[0]), "and its bytes are its own")?;

    let all = s.list().await.map_err(failed)?;
    ensure(all.names == [1, 2, 3, 4, 5, 6, 7, 61].map(name), "all are listed in order, and nothing else")?;
    ensure(all.strangers.is_empty(), "what was put is a file")?;
    s.tidy().await.map_err(failed)?;
    ensure(s.list().await.map_err(failed)? == all, "tidying removes no file")?;
    ensure(s.remove(name(2)).await.map_err(failed)?, "a file is removed")?;
    ensure(s.size(name(2)).await.map_err(failed)?.is_none(), "and then gone")?;
    s.put(name(2), parts(&[5; 5], true)).await.map_err(failed)?;
    ensure(whole(s, name(2)).await? == Some(vec![5; 5]), "its name is free again")
}
