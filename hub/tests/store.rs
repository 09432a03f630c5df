//! The embedded store keeps every promise of the suite, and opens nothing but its own files.

use std::sync::Arc;

use yenban_hub::store::HubStore as _;
use yenban_hub::store::conformance;
use yenban_hub::store::sqlite::SqliteStore;
use zeroize::Zeroizing;

#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_store_conforms() {
    let temp = tempfile::tempdir().expect("temp");
    let store = SqliteStore::open(&temp.path().join("hub.db"), Zeroizing::new([5; 32])).expect("opens");
    assert_eq!(conformance::run(Arc::new(store)).await, Ok(()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_key_and_a_foreign_file_are_told() {
    let temp = tempfile::tempdir().expect("temp");
    let path = temp.path().join("hub.db");
    SqliteStore::open(&path, Zeroizing::new([5; 32])).expect("opens").close().await.expect("closes");
    assert!(SqliteStore::open(&path, Zeroizing::new([6; 32])).is_err());
    SqliteStore::open(&path, Zeroizing::new([5; 32])).expect("still opens").close().await.expect("closes");
    std::fs::write(&path, b"SQLite format 3\0 of somebody else").expect("written");
    assert!(SqliteStore::open(&path, Zeroizing::new([5; 32])).is_err());
}
