//! A client that knows nothing of Yên Bản but tus: tus-js-client of npm uploads over TLS, breaks off and goes on.
//!
//! Needs node, and the packages of tests/foreign/tus installed (`npm ci`) in target/foreign-tus, where the repository does
//! not end up full of them; says so and passes where they are not there.

mod support;

use std::path::Path;
use std::process::Command;

use data_encoding::{BASE64, BASE64URL_NOPAD, HEXLOWER};
use support::TestHub;
use support::upload::{checked, content, facts, record, seal};
use yenban_hub::store::ObjectState;

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_of_npm_uploads_and_resumes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folder = root.join("target/foreign-tus");
    if !folder.join("node_modules/tus-js-client").is_dir() || Command::new("node").arg("--version").output().is_err() {
        println!("skipped: node with tus-js-client is not here (copy tests/foreign/tus to target/foreign-tus and run npm ci there)");
        return;
    }
    // Node looks for packages beside the script.
    std::fs::copy(root.join("tests/foreign/tus/upload.mjs"), folder.join("upload.mjs")).expect("copied");
    let hub = TestHub::start().await;
    let (mut phone, _) = hub.phone("Nà Phòn").await;
    let photo = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/photos/DSCN0010.jpg"));
    let plain = photo.unwrap_or_else(|_| {
        println!("the real photograph is not here; bytes of a generator take its place");
        content(1, 1_000_000)
    });
    // Long enough to break off in the middle: a few photographs' worth.
    let file = seal(&phone, &plain.repeat(6 * 161_713 / plain.len() + 1));
    record(&mut phone, None, facts(&file));
    hub.deliver(&phone).await;
    let (sealed, certificate) = (hub.temp.path().join("sealed"), hub.temp.path().join("hub.pem"));
    std::fs::write(&sealed, &file.bytes).expect("written");
    let pem = BASE64.encode(&hub.hub.keys.certificate);
    let lines: Vec<&str> = pem.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64")).collect();
    std::fs::write(&certificate, format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n")))
        .expect("written");
    let mut node = Command::new("node");
    node.arg(folder.join("upload.mjs")).arg(format!("https://localhost:{}/v1/uploads", hub.address.port()));
    node.arg(&sealed).arg(HEXLOWER.encode(&file.hash)).env("NODE_EXTRA_CA_CERTS", &certificate);
    let ran = tokio::task::spawn_blocking(move || node.output()).await.expect("ran").expect("node");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("json");
    assert!(seen["brokenOffAt"].as_u64().expect("number") > file.bytes.len() as u64 / 2, "{seen}");
    assert_eq!(seen["resumedAt"], seen["brokenOffAt"], "{seen}");
    let receipt = checked(&phone, &BASE64URL_NOPAD.decode(seen["receipt"].as_str().expect("receipt").as_bytes()).expect("base64url"));
    assert_eq!(receipt.objects, [(file.hash, file.bytes.len() as u64)]);
    let rows = hub.hub.store.objects_named(vec![file.hash]).await.expect("rows");
    assert_eq!(rows[0].state, ObjectState::Verified);
    hub.stop().await;
}
