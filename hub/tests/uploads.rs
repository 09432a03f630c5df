//! The upload resource: every rule of tus 1.0 that is spoken here, who may begin what, and what is done with it.

mod support;

use axum::body::Body;
use data_encoding::{BASE64, HEXLOWER};
use support::TestHub;
use support::upload::{Sealed, Tus, checked, content, facts, kept, record, seal, state, with_photo};
use yenban_hub::limits::UPLOADS_PER_DEVICE_MAX;
use yenban_hub::store::{ListQuery, ObjectState as State};
use yenban_protocol::upload::{CHUNK_TYPE, ObjectState, UPLOADS_PATH, resource};

const TUS: (&str, &str) = ("tus-resumable", "1.0.0");

/// Who asks about files need not say who he is: how much of a log is here he is not told.
fn told_only_of_files(receipt: &yenban_protocol::receipt::Receipt) {
    assert!(receipt.ranges.is_empty() && receipt.floating.is_empty() && receipt.fork_at.is_none(), "{receipt:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_comes_in_chunks_and_ends_with_a_receipt() {
    let (hub, phone, file, tus) = with_photo(200_000).await;
    let created = tus.create(&file.hash, file.bytes.len() as u64).await;
    assert_eq!((created.status, created.offset()), (201, 0));
    assert_eq!(created.header("location"), Some(resource(&file.hash).as_str()));
    assert_eq!(created.header("tus-resumable"), Some("1.0.0"));
    assert_eq!(created.header("cache-control"), Some("no-store"));
    assert!(created.header("upload-expires").expect("expires").ends_with(" GMT"));
    assert_eq!(state(&hub, &file).await, State::Partial);
    let mut offset = 0;
    for part in file.bytes.chunks(70_000) {
        let before = tus.head(&file.hash).await;
        assert_eq!((before.status, before.offset()), (200, offset));
        assert_eq!(before.header("upload-length"), Some(file.bytes.len().to_string().as_str()));
        assert!(before.header("upload-metadata").is_some() && before.header("yenban-receipt").is_none());
        let reply = tus.patch(&file.hash, offset, part).await;
        offset += part.len() as u64;
        assert_eq!((reply.status, reply.offset()), (204, offset), "{reply:?}");
        let receipt = reply.receipt(&phone);
        assert_eq!(receipt.is_some(), offset == file.bytes.len() as u64);
        if let Some(receipt) = receipt {
            assert_eq!(receipt.objects, [(file.hash, file.bytes.len() as u64)]);
            assert_eq!((receipt.log, receipt.quarantined), (phone.log, false));
            told_only_of_files(&receipt);
        }
    }
    assert_eq!(state(&hub, &file).await, State::Verified);
    assert_eq!(kept(&hub, &file).await, file.plain);
    // The bytes in storage are neither the plain ones nor those that came.
    let stored = std::fs::read_dir(hub.temp.path().join("hub/objects")).expect("objects").next().expect("one").expect("entry").path();
    let raw = std::fs::read(&stored).expect("raw");
    assert!(!raw.windows(64).any(|w| w == &file.plain[..64] || w == &file.bytes[1_000..1_064]));
    assert_eq!(std::fs::read_dir(hub.temp.path().join("hub/uploads")).expect("uploads").count(), 0);
    // Asked again, however it is asked, the answer is the same and has a receipt.
    for reply in
        [tus.head(&file.hash).await, tus.create(&file.hash, file.bytes.len() as u64).await, tus.patch(&file.hash, offset, &[]).await]
    {
        assert!([200, 201, 204].contains(&reply.status), "{reply:?}");
        assert_eq!(reply.offset(), offset);
        told_only_of_files(&reply.receipt(&phone).expect("a receipt"));
        assert!(reply.header("upload-expires").is_none());
    }
    let answer = tus.objects(&[file.hash, [7; 32]]).await;
    assert_eq!(answer.states, [ObjectState::Verified, ObjectState::NotNamed]);
    let receipt = checked(&phone, &answer.receipts[0]);
    assert_eq!(receipt.objects, [(file.hash, file.bytes.len() as u64)]);
    told_only_of_files(&receipt);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_that_begin_one_file_at_once_begin_it_once() {
    let (hub, mut phone, first, tus) = with_photo(3_000).await;
    let others: Vec<Sealed> = (2..14).map(|n| seal(&phone, &content(n, 3_000))).collect();
    for file in &others {
        record(&mut phone, None, facts(file));
    }
    hub.deliver(&phone).await;
    for file in std::iter::once(&first).chain(&others) {
        let length = file.bytes.len() as u64;
        let all: Vec<_> = (0..16)
            .map(|_| {
                let (tus, hash) = (tus.clone(), file.hash);
                tokio::spawn(async move { tus.create(&hash, length).await })
            })
            .collect();
        for one in all {
            let reply = one.await.expect("answers");
            assert_eq!((reply.status, reply.offset()), (201, 0), "{reply:?}");
        }
        assert_eq!(tus.patch(&file.hash, 0, &file.bytes).await.status, 204);
    }
    // A device's room is counted with the same hand that gives a place away.
    let room: Vec<Sealed> = (0..UPLOADS_PER_DEVICE_MAX as u32 + 8).map(|n| seal(&phone, &content(1_000 + n, 900))).collect();
    for files in room.chunks(40) {
        let from = phone.bodies.len() as u64;
        for file in files {
            record(&mut phone, None, facts(file));
        }
        let segment = phone.segment(from, phone.bodies.len() as u64 - 1);
        yenban_hub::ingest::deliver(&hub.hub, &segment).await.expect("delivered");
    }
    let all: Vec<_> = room
        .iter()
        .map(|file| {
            let (tus, hash, length) = (tus.clone(), file.hash, file.bytes.len() as u64);
            tokio::spawn(async move { tus.create(&hash, length).await.status })
        })
        .collect();
    let mut begun = 0;
    for one in all {
        begun += usize::from(one.await.expect("answers") == 201);
    }
    assert_eq!(begun, UPLOADS_PER_DEVICE_MAX);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_lies_in_the_way_stops_nobody() {
    let (hub, _, file, tus) = with_photo(3_000).await;
    let path = hub.temp.path().join("hub/uploads").join(HEXLOWER.encode(&file.hash));
    std::fs::write(&path, b"the rest of one that could not be removed").expect("written");
    let created = tus.create(&file.hash, file.bytes.len() as u64).await;
    assert_eq!((created.status, created.offset()), (201, 0));
    std::fs::remove_file(&path).expect("removed");
    assert_eq!(tus.delete(&file.hash).await.status, 204, "what is gone is removed");
    assert_eq!(tus.upload(&file).await.status, 204);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tus_asks_is_answered_as_tus_asks() {
    let (hub, _, file, tus) = with_photo(10_000).await;
    let options = tus.send("OPTIONS", UPLOADS_PATH, &[], Body::empty()).await;
    assert_eq!(options.status, 204);
    assert_eq!(options.header("tus-version"), Some("1.0.0"));
    assert_eq!(options.header("tus-extension"), Some("creation,checksum,expiration,termination"));
    assert_eq!(options.header("tus-checksum-algorithm"), Some("sha1,sha256"));
    assert_eq!(options.header("tus-max-size"), Some((272 * 1024 * 1024).to_string().as_str()));

    let path = resource(&file.hash);
    let length = file.bytes.len().to_string();
    let meta = format!("name eA==,sealed_sha256 {}", BASE64.encode(HEXLOWER.encode(&file.hash).as_bytes()));
    let unnamed = format!("sealed_sha256 {}", BASE64.encode(HEXLOWER.encode(&[9; 32]).as_bytes()));
    let (m, l) = (("upload-metadata", meta.as_str()), ("upload-length", length.as_str()));
    let (chunk, zero) = (("content-type", CHUNK_TYPE), ("upload-offset", "0"));
    type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, u16, &'a str);
    let before: Vec<Case<'_>> = vec![
        ("POST", UPLOADS_PATH, vec![m, l], 412, "tus_version"),
        ("POST", UPLOADS_PATH, vec![("tus-resumable", "0.2.2"), m, l], 412, "tus_version"),
        ("PATCH", &path, vec![chunk, zero], 412, "tus_version"),
        ("DELETE", &path, vec![], 412, "tus_version"),
        ("POST", UPLOADS_PATH, vec![TUS, m], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, m, l, ("upload-defer-length", "1")], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, m, ("upload-length", "-1")], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, m, ("upload-length", "99999999999999999999")], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, l], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, l, ("upload-metadata", "sealed_sha256 !!!")], 400, "malformed"),
        ("POST", UPLOADS_PATH, vec![TUS, l, ("upload-metadata", unnamed.as_str())], 404, "not_named"),
        ("POST", UPLOADS_PATH, vec![TUS, m, ("upload-length", "5")], 409, "wrong_length"),
        ("POST", UPLOADS_PATH, vec![TUS, m, l, ("content-encoding", "gzip")], 415, "encoding"),
        ("PUT", UPLOADS_PATH, vec![TUS], 405, "method_not_allowed"),
        ("PATCH", &path, vec![TUS, chunk, zero], 404, "not_found"),
        ("DELETE", &path, vec![TUS], 404, "not_found"),
        ("PATCH", "/v1/uploads/%2e%2e%2fhub.db", vec![TUS, chunk, zero], 404, "not_found"),
        ("DELETE", "/v1/uploads/ABCDEF", vec![TUS], 404, "not_found"),
    ];
    let run = async |cases: &[Case<'_>]| {
        for (method, at, headers, status, code) in cases {
            let reply = tus.send(method, at, headers, Body::empty()).await;
            assert_eq!((reply.status, reply.code().as_str()), (*status, *code), "{method} {at} {headers:?}");
            assert_eq!(reply.header("cache-control"), Some("no-store"), "{method} {at}");
            if *status == 412 {
                assert_eq!(reply.header("tus-version"), Some("1.0.0"));
            }
        }
    };
    run(&before).await;
    let upper = HEXLOWER.encode(&file.hash).to_uppercase();
    for (at, status) in [(path.as_str(), 404), ("/v1/uploads/xyz", 404), (&format!("{UPLOADS_PATH}/{upper}"), 404)] {
        let reply = tus.send("HEAD", at, &[TUS], Body::empty()).await;
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{at}");
    }
    assert_eq!(std::fs::read_dir(hub.temp.path().join("hub/uploads")).expect("uploads").count(), 0, "nothing was begun");

    assert_eq!(tus.create(&file.hash, file.bytes.len() as u64).await.status, 201);
    let during: Vec<Case<'_>> = vec![
        ("PATCH", &path, vec![TUS, zero], 415, "media_type"),
        ("PATCH", &path, vec![TUS, zero, ("content-type", "application/octet-stream")], 415, "media_type"),
        ("PATCH", &path, vec![TUS, chunk], 400, "malformed"),
        ("PATCH", &path, vec![TUS, chunk, ("upload-offset", "1")], 409, "wrong_offset"),
        ("PATCH", &path, vec![TUS, chunk, zero, ("upload-checksum", "md5 AAAA")], 400, "malformed"),
        ("PATCH", &path, vec![TUS, chunk, zero, ("upload-checksum", "sha256 AAAA")], 400, "malformed"),
        ("PATCH", &path, vec![TUS, chunk, zero, ("content-encoding", "br")], 415, "encoding"),
        ("PATCH", &path, vec![TUS, chunk, zero, ("content-length", "999999999")], 413, "too_large"),
    ];
    run(&during).await;
    let long = tus.patch(&file.hash, 0, &[&file.bytes[..], &[0]].concat()).await;
    assert_eq!((long.status, long.code().as_str()), (413, "too_large"));
    assert_eq!(tus.head(&file.hash).await.offset(), 0, "of what is too long nothing is taken");
    assert_eq!(tus.delete(&file.hash).await.status, 204);
    assert_eq!(tus.head(&file.hash).await.status, 404);
    assert_eq!(state(&hub, &file).await, State::Expected);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_changes_what_is_complete() {
    let (hub, _, file, tus) = with_photo(5_000).await;
    assert_eq!(tus.upload(&file).await.status, 204);
    let length = file.bytes.len() as u64;
    for (offset, bytes) in [(0, &file.bytes[..]), (0, &[][..]), (length, &[1][..]), (3, &file.bytes[3..])] {
        let reply = tus.patch(&file.hash, offset, bytes).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "complete"));
    }
    let deleted = tus.delete(&file.hash).await;
    assert_eq!((deleted.status, deleted.code().as_str()), (403, "complete"));
    for wrong in [length - 1, length + 1, 1] {
        let other = tus.create(&file.hash, wrong).await;
        assert_eq!((other.status, other.code().as_str()), (409, "wrong_length"), "{wrong}");
    }
    assert_eq!(tus.create(&file.hash, length).await.status, 201);
    assert_eq!(kept(&hub, &file).await, file.plain);
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn quotas_and_a_full_disk_are_told_before_anything_is_taken() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let files: Vec<Sealed> = (0..=UPLOADS_PER_DEVICE_MAX as u32).map(|n| seal(&phone, &content(n, 40))).collect();
    for file in &files {
        record(&mut phone, None, facts(file));
    }
    let huge: Vec<Sealed> = (0..17).map(|n| seal(&phone, &content(1_000 + n, 50))).collect();
    let big = |file: &Sealed| {
        let mut facts = facts(file);
        facts.sealed_size_bytes = 260 << 20;
        facts
    };
    for file in &huge {
        let facts = big(file);
        record(&mut phone, None, facts);
    }
    let run: Vec<u64> = (0..phone.bodies.len() as u64).collect();
    for part in run.chunks(100) {
        let segment = phone.segment(part[0], part[part.len() - 1]);
        yenban_hub::ingest::deliver(&hub.hub, &segment).await.expect("delivered");
    }
    let tus = Tus::new(&hub.hub);
    for file in &files[..UPLOADS_PER_DEVICE_MAX] {
        assert_eq!(tus.create(&file.hash, file.bytes.len() as u64).await.status, 201);
    }
    let over = tus.create(&files[UPLOADS_PER_DEVICE_MAX].hash, files[0].bytes.len() as u64).await;
    assert_eq!((over.status, over.code().as_str()), (429, "quota"));
    for file in &files {
        tus.delete(&file.hash).await;
    }
    let mut last = 201;
    for file in &huge {
        let reply = tus.create(&file.hash, 260 << 20).await;
        last = reply.status;
        if last != 201 {
            assert!(["quota", "storage_full"].contains(&reply.code().as_str()), "{reply:?}");
            break;
        }
    }
    assert!([429, 507].contains(&last), "four gigabytes of one device, or what the disk has, are the end: {last}");
    hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_sealed_file_in_two_entries_is_stored_once() {
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let file = seal(&phone, &content(1, 7_000));
    record(&mut phone, None, facts(&file));
    record(&mut phone, None, facts(&file));
    // Distinct captures with equal bytes are distinct files.
    let twin = seal(&phone, &content(1, 7_000));
    record(&mut phone, None, facts(&twin));
    hub.deliver(&phone).await;
    let tus = Tus::new(&hub.hub);
    tus.upload(&file).await;
    tus.upload(&twin).await;
    let late = record(&mut phone, None, facts(&file));
    hub.deliver(&phone).await;
    let rows = hub.hub.store.objects_named(vec![file.hash]).await.expect("rows");
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.state == State::Verified && row.stored == rows[0].stored), "{rows:?}");
    assert_eq!(rows[2].named_by.entry, late);
    assert_eq!(hub.hub.storage.list().await.expect("list").names.len(), 2);
    let evidence = hub.hub.store.evidence(ListQuery::default()).await.expect("evidence");
    assert_eq!(evidence.len(), 4);
    assert!(evidence.iter().all(|row| row.state == "verified"));
    hub.stop().await;
}
