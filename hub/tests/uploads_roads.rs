//! What becomes of bytes on a bad road: cut, wrong, late, overtaken, and of a hub that stops in between.

mod support;

use std::sync::Arc;

use data_encoding::{BASE64, HEXLOWER};
use support::TestHub;
use support::upload::{Sealed, Tus, broken, checked, content, facts, kept, record, seal, stalled, state, with_photo};
use yenban_hub::admin::Admin;
use yenban_hub::limits::{UPLOAD_TTL_MS, WRONG_UPLOAD_TTL_MS};
use yenban_hub::store::{ObjectState as State, Wrong, WrongCode};
use yenban_protocol::crypto::sha256;
use yenban_protocol::upload::{CHUNK_TYPE, ObjectState, resource};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

impl Tus {
    /// Bytes of an upload that are on the disk, looked at from outside.
    async fn hub_has_begun(&self, hub: &TestHub, file: &Sealed) -> u64 {
        // The handler gathers up to 64 KiB before it writes: it has begun when its claim made the file its own.
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        std::fs::metadata(hub.temp.path().join("hub/uploads").join(HEXLOWER.encode(&file.hash))).map_or(0, |_| 1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_of_a_cut_chunk_is_kept_and_of_a_checked_one_nothing() {
    let (hub, phone, file, tus) = with_photo(150_000).await;
    let length = file.bytes.len() as u64;
    tus.create(&file.hash, length).await;
    let cut = tus.patch_body(&file.hash, 0, broken(file.bytes[..100_001].to_vec(), 4_096)).await;
    assert_eq!((cut.status, cut.offset()), (400, 100_001));
    assert_eq!(tus.head(&file.hash).await.offset(), 100_001);

    let sums = |bytes: &[u8]| format!("sha256 {}", BASE64.encode(&sha256(bytes)));
    let part = &file.bytes[100_001..120_000];
    let wrong = tus.patch_checked(&file.hash, 100_001, part, &sums(b"other")).await;
    assert_eq!((wrong.status, wrong.code().as_str(), wrong.offset()), (460, "checksum", 100_001));
    let offset = "100001";
    let headers = [TUS, ("content-type", CHUNK_TYPE), ("upload-offset", offset), ("upload-checksum", &sums(part))];
    let cut = tus.send("PATCH", &resource(&file.hash), &headers, broken(part.to_vec(), 1_000)).await;
    assert_eq!((cut.status, cut.offset()), (400, 100_001), "with a checksum a cut chunk is dropped");
    let good = tus.patch_checked(&file.hash, 100_001, part, &sums(part)).await;
    assert_eq!((good.status, good.offset()), (204, 120_000));
    let sha1 = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, &file.bytes[120_000..]);
    let last = tus.patch_checked(&file.hash, 120_000, &file.bytes[120_000..], &format!("sha1 {}", BASE64.encode(sha1.as_ref()))).await;
    assert_eq!(last.status, 204);
    assert!(last.receipt(&phone).is_some());
    assert_eq!(kept(&hub, &file).await, file.plain);
    assert_eq!(std::fs::read_dir(hub.temp.path().join("hub/uploads")).expect("uploads").count(), 0);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newer_of_two_requests_wins_at_once() {
    let (hub, phone, file, tus) = with_photo(90_000).await;
    let length = file.bytes.len() as u64;
    tus.create(&file.hash, length).await;
    // A line that died: the hub still waits for the rest of the chunk.
    let old = tokio::spawn({
        let (tus, hash, part) = (tus.clone(), file.hash, file.bytes[..40_000].to_vec());
        async move { tus.patch_body(&hash, 0, stalled(part)).await }
    });
    while tus.hub_has_begun(&hub, &file).await == 0 {
        tokio::task::yield_now().await;
    }
    let now = tus.head(&file.hash).await;
    assert_eq!((now.status, now.offset()), (200, 40_000), "what came on the dead line is there");
    let old = old.await.expect("ends");
    assert_eq!((old.status, old.code().as_str(), old.offset()), (409, "superseded", 40_000));

    // Two that send the same thing at once: neither spoils the other, and one of them ends it.
    let racers: Vec<_> = (0..4)
        .map(|_| {
            let (tus, file) = (tus.clone(), file.clone());
            tokio::spawn(async move {
                loop {
                    let at = tus.head(&file.hash).await.offset();
                    let end = (at as usize + 7_000).min(file.bytes.len());
                    let reply = tus.patch(&file.hash, at, &file.bytes[at as usize..end]).await;
                    match reply.status {
                        204 if reply.offset() == file.bytes.len() as u64 => return,
                        204 | 409 => {}
                        403 if reply.code() == "complete" => return,
                        404 => {}
                        _ => panic!("{reply:?}"),
                    }
                }
            })
        })
        .collect();
    for racer in racers {
        racer.await.expect("ends");
    }
    assert!(tus.head(&file.hash).await.receipt(&phone).is_some());
    assert_eq!(kept(&hub, &file).await, file.plain);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_never_evidence() {
    let (hub, phone, file, tus) = with_photo(30_000).await;
    let length = file.bytes.len() as u64;
    tus.create(&file.hash, length).await;
    let mut wrong = file.bytes.clone();
    wrong[20_000] ^= 1;
    let reply = tus.patch(&file.hash, 0, &wrong).await;
    assert_eq!((reply.status, reply.code().as_str(), reply.offset()), (422, "wrong_hash", length));
    let head = tus.head(&file.hash).await;
    assert_eq!((head.status, head.offset()), (200, length));
    assert!(head.receipt(&phone).is_none());
    assert_eq!(state(&hub, &file).await, State::Partial);
    let again = tus.patch(&file.hash, length, &[]).await;
    assert_eq!((again.status, again.code().as_str()), (422, "wrong_hash"));
    // It is kept for a day, then swept; deleting it begins again at once.
    hub.clock.pass(WRONG_UPLOAD_TTL_MS - 1_000);
    assert_eq!(yenban_hub::upload::sweep(&hub.hub).await.expect("sweeps"), 0);
    assert_eq!(tus.delete(&file.hash).await.status, 204);
    assert_eq!(tus.upload(&file).await.status, 204);

    // The sealed file is what the entry names, what is in it is not.
    let (mut other, _) = hub.phone("Nà Phòn").await;
    let liar = seal(&other, &content(9, 8_000));
    let mut lie = facts(&liar);
    lie.sha256 = [3; 32];
    record(&mut other, None, lie);
    let foreign = seal(&other, &content(10, 8_000));
    let mut bytes = foreign.bytes.clone();
    bytes[300] ^= 1;
    let broken = Sealed { hash: sha256(&bytes), bytes, plain: foreign.plain };
    record(&mut other, None, facts(&broken));
    hub.deliver(&other).await;
    for file in [&liar, &broken] {
        let reply = tus.upload(file).await;
        assert_eq!((reply.status, reply.code().as_str()), (422, "wrong_content"), "{reply:?}");
        assert_eq!(state(&hub, file).await, State::Partial);
    }
    assert_eq!(hub.hub.storage.list().await.expect("list").names.len(), 1, "nothing of them is in storage");
    hub.clock.pass(WRONG_UPLOAD_TTL_MS + 1_000);
    assert_eq!(yenban_hub::upload::sweep(&hub.hub).await.expect("sweeps"), 2);
    assert_eq!(state(&hub, &liar).await, State::Expected);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_survive_a_restart_wherever_it_comes() {
    let (mut hub, phone, file, _) = with_photo(100_000).await;
    let length = file.bytes.len() as u64;
    Tus::new(&hub.hub).create(&file.hash, length).await;
    let mut at = 0;
    for end in [1, 2, 240, 60_000, file.bytes.len() - 1] {
        let reply = Tus::new(&hub.hub).patch(&file.hash, at, &file.bytes[at as usize..end]).await;
        assert_eq!(reply.status, 204, "{reply:?}");
        hub = hub.restart().await;
        at = Tus::new(&hub.hub).head(&file.hash).await.offset();
        assert_eq!(at, end as u64);
    }
    // The last byte came and the hub died before it could say so.
    std::fs::write(hub.temp.path().join("hub/uploads").join(HEXLOWER.encode(&file.hash)), &file.bytes).expect("written");
    hub = hub.restart().await;
    let tus = Tus::new(&hub.hub);
    let head = tus.head(&file.hash).await;
    assert_eq!(head.offset(), length);
    assert!(head.receipt(&phone).is_some(), "it was finished after the restart");
    assert_eq!(kept(&hub, &file).await, file.plain);
    hub.stop().await;
}

/// I-25: cut at every byte of a sealed file of 16 KiB; after every cut the hub says where to go on and nothing is lost
/// or sent twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_every_byte_costs_nothing() {
    let (hub, phone, file, tus) = with_photo(16 * 1024 - 269).await;
    assert_eq!(file.bytes.len(), 16 * 1024);
    let length = file.bytes.len() as u64;
    // One file that grows by one byte with every broken line ...
    tus.create(&file.hash, length).await;
    let mut at = 0;
    while at < length {
        let rest = file.bytes[at as usize..].to_vec();
        let one = rest[..1].to_vec();
        let reply =
            if at + 1 == length { tus.patch(&file.hash, at, &one).await } else { tus.patch_body(&file.hash, at, broken(one, 1)).await };
        at += 1;
        assert_eq!(reply.offset(), at, "{reply:?}");
    }
    assert!(tus.head(&file.hash).await.receipt(&phone).is_some());
    assert_eq!(kept(&hub, &file).await, file.plain);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_nobody_goes_on_with_is_swept() {
    let (hub, _, file, tus) = with_photo(9_000).await;
    tus.create(&file.hash, file.bytes.len() as u64).await;
    tus.patch(&file.hash, 0, &file.bytes[..5_000]).await;
    hub.clock.pass(UPLOAD_TTL_MS - 1_000);
    assert_eq!(yenban_hub::upload::sweep(&hub.hub).await.expect("sweeps"), 0);
    assert_eq!(tus.patch(&file.hash, 5_000, &file.bytes[5_000..6_000]).await.status, 204);
    hub.clock.pass(UPLOAD_TTL_MS - 1_000);
    assert_eq!(yenban_hub::upload::sweep(&hub.hub).await.expect("sweeps"), 0, "a byte that comes gives it time again");
    hub.clock.pass(2_000);
    assert_eq!(yenban_hub::upload::sweep(&hub.hub).await.expect("sweeps"), 1);
    assert_eq!(tus.head(&file.hash).await.status, 404);
    assert_eq!(std::fs::read_dir(hub.temp.path().join("hub/uploads")).expect("uploads").count(), 0);
    assert_eq!(tus.upload(&file).await.status, 204, "and can be begun again");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_device_has_its_accepted_files_taken_and_no_others() {
    let (hub, mut phone, file, tus) = with_photo(4_000).await;
    yenban_hub::admin::revoke(&hub.hub, phone.device, true).await.expect("revoked");
    let late = seal(&phone, &content(5, 4_000));
    record(&mut phone, None, facts(&late));
    let delivered = yenban_hub::ingest::deliver(&hub.hub, &phone.segment(0, 2)).await.expect("kept apart");
    assert!(checked(&phone, &delivered.receipt).quarantined);
    assert_eq!(tus.upload(&file).await.status, 204, "its entry was accepted before");
    let refused = tus.create(&late.hash, late.bytes.len() as u64).await;
    assert_eq!((refused.status, refused.code().as_str()), (404, "not_named"));
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_out_of_the_folder_is_sent_again() {
    let (mut hub, phone, file, _) = with_photo(150_000).await;
    let path = hub.temp.path().join("hub/uploads").join(HEXLOWER.encode(&file.hash));
    let length = file.bytes.len() as u64;
    let check = async |hub: &TestHub| Admin::here(Arc::clone(&hub.hub)).check().await.expect("checked").wrong;
    let gone = [Wrong::new(WrongCode::UploadGone, HEXLOWER.encode(&file.hash))];
    for round in 0..4 {
        let tus = Tus::new(&hub.hub);
        assert_eq!(tus.create(&file.hash, length).await.status, 201);
        assert_eq!(tus.patch(&file.hash, 0, &file.bytes[..100_000]).await.offset(), 100_000);
        assert_eq!(check(&hub).await, []);
        std::fs::remove_file(&path).expect("removed");
        match round {
            0 => {
                // A chunk that goes on from what is not there is told the truth.
                let refused = tus.patch(&file.hash, 100_000, &file.bytes[100_000..]).await;
                assert_eq!((refused.status, refused.code().as_str(), refused.offset()), (409, "wrong_offset", 0));
                assert_eq!(check(&hub).await, gone, "told once, also when somebody else found it first");
            }
            1 => assert_eq!(check(&hub).await, gone),
            2 => {
                // Another file has its name: of what there is the hub goes on, and the hash of the whole decides.
                std::fs::write(&path, &file.bytes[..40_000]).expect("written");
                assert_eq!(tus.head(&file.hash).await.offset(), 40_000);
                std::fs::write(&path, vec![0; file.bytes.len() + 1]).expect("longer than any part of it");
            }
            _ => {
                drop(tus);
                hub = hub.restart().await;
                assert_eq!(state(&hub, &file).await, State::Expected);
                assert_eq!(check(&hub).await, gone, "a start finds it too");
                assert_eq!(Tus::new(&hub.hub).create(&file.hash, length).await.status, 201);
            }
        }
        let tus = Tus::new(&hub.hub);
        assert_eq!(tus.objects(&[file.hash]).await.states, [ObjectState::Partial(0)], "round {round}");
        assert_eq!(tus.head(&file.hash).await.offset(), 0, "round {round}");
        drop(check(&hub).await);
        assert_eq!(tus.patch(&file.hash, 0, &file.bytes[..60_000]).await.offset(), 60_000);
        assert_eq!(tus.delete(&file.hash).await.status, 204);
    }
    let tus = Tus::new(&hub.hub);
    tus.create(&file.hash, length).await;
    tus.patch(&file.hash, 0, &file.bytes[..100_000]).await;
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(tus.head(&file.hash).await.offset(), 0);
    let whole = tus.patch(&file.hash, 0, &file.bytes).await;
    assert!(whole.status == 204 && whole.receipt(&phone).is_some(), "{whole:?}");
    assert_eq!(kept(&hub, &file).await, file.plain);
    hub.stop().await;
}
