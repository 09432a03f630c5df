//! What a phone does after something failed half-way: it goes on, loses nothing, and locks when told to.
#![allow(clippy::unwrap_used)]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use support::*;
use yenban_core::app::{CheckIn, IfAbsent, KeepOpen};
use yenban_core::clock::VirtualClock;
use yenban_core::keys::{KeyStore, SeededKeyStore, SoftwareKeyStore};
use yenban_core::store::Folder;
use yenban_core::sync::SyncStore;
use yenban_core::{Error, ErrorKind, Phone};
use yenban_protocol::crypto::{PublicKey, Signature};
use yenban_protocol::feed::{Fate, FeedItem, Item, Scope};
use yenban_protocol::id::{EntryName, Epoch, HamletNo, LogId};
use yenban_protocol::signed::Signed;

const PIN: &str = "739168";

/// Key hardware that stops signing when it is told to.
struct Failing(SeededKeyStore, Arc<AtomicBool>);

impl KeyStore for Failing {
    fn device_key(&self) -> PublicKey {
        self.0.device_key()
    }
    fn sign(&self, message: &[u8]) -> yenban_core::Result<Signature> {
        if self.1.load(Ordering::Relaxed) {
            return Err(Error::KeyStore("the hardware does not answer".into()));
        }
        self.0.sign(message)
    }
    fn wrap(&self, purpose: &str, secret: &[u8]) -> yenban_core::Result<Vec<u8>> {
        self.0.wrap(purpose, secret)
    }
    fn unwrap(&self, purpose: &str, wrapped: &[u8]) -> yenban_core::Result<zeroize::Zeroizing<Vec<u8>>> {
        self.0.unwrap(purpose, wrapped)
    }
    fn random(&self, out: &mut [u8]) -> yenban_core::Result<()> {
        self.0.random(out)
    }
}

/// The spool as somebody with its key sees it.
fn spool(dir: &Path) -> rusqlite::Connection {
    let wrapped = std::fs::read(dir.join("spool.key")).unwrap();
    let key = SoftwareKeyStore::open(&dir.join("keys")).unwrap().unwrap("yb1/spool", &wrapped).unwrap();
    let conn = rusqlite::Connection::open(dir.join("spool.db")).unwrap();
    let key = data_encoding::HEXLOWER.encode(&key);
    let settings = format!("PRAGMA key=\"x'{key}'\";PRAGMA cipher_page_size=2048;PRAGMA cipher_hmac_algorithm=HMAC_SHA256;");
    conn.execute_batch(&settings).unwrap();
    conn
}

fn remove_vaults(dir: &Path) {
    for item in std::fs::read_dir(dir).unwrap().flatten() {
        if item.file_name().to_string_lossy().starts_with("vault-") {
            std::fs::remove_file(item.path()).unwrap();
        }
    }
}

fn noted(n: u32) -> CheckIn {
    CheckIn { place: Some(place(0)), note: Some(format!("ghi chú {n}")), ..CheckIn::default() }
}

#[test]
fn locking_does_not_depend_on_a_signature() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let silent = Arc::new(AtomicBool::new(false));
    let keys = Box::new(Failing(SeededKeyStore::new(4), silent.clone()));
    let mut phone = Phone::open(Folder::at(dir.path().join("p")), keys, Box::new(clock), IfAbsent::Create).unwrap();
    Commune::new().enrol(&mut phone, 7);
    phone.set_pin(PIN).unwrap();
    silent.store(true, Ordering::Relaxed);
    phone.lock().unwrap();
    assert!(phone.is_locked());
}

#[test]
fn setting_a_pin_and_locking_leave_no_older_page_of_the_keys() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let left = || std::fs::metadata(dir.path().join("spool.db-wal")).unwrap().len();
    assert!(left() > 0);
    phone.set_pin(PIN).unwrap();
    assert_eq!(left(), 0);
    phone.unlock(PIN, KeepOpen::UntilLocked).unwrap();
    phone.lock().unwrap();
    assert_eq!(left(), 0);
}

#[test]
fn after_a_capture_that_found_no_room_everything_else_still_works() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.set_pin(PIN).unwrap();
    phone.patrol_start(&[], None).unwrap();
    phone.limit_spool_for_test(Some(1)).unwrap();
    let long = CheckIn { note: Some("ghi chú ".repeat(300)), ..CheckIn::default() };
    let saved = (0..1_000).find(|_| phone.check_in(&long).is_err()).unwrap();
    assert_eq!(phone.outbox(5_000).unwrap().len(), saved + 2);
    phone.limit_spool_for_test(None).unwrap();
    assert!(phone.alerts().unwrap().is_empty() && phone.has_pin().unwrap());
    phone.lock().unwrap();
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
}

#[test]
fn a_photo_that_was_not_saved_keeps_no_room() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let store = dir.path().join("store");
    let mut phone = enrolled(&store, &clock);
    let source = dir.path().join("a.jpg");
    std::fs::write(&source, [&[0xFF, 0xD8, 0xFF][..], &[7; 5_000]].concat()).unwrap();
    let mut saved = 0;
    let error = loop {
        phone.limit_spool_for_test(Some(1)).unwrap();
        match phone.capture_photo(&source, None, true) {
            Ok(_) => saved += 1,
            Err(error) => break error,
        }
        assert!(saved < 500);
    };
    assert_eq!(error.kind(), ErrorKind::StorageFull);
    assert_eq!(std::fs::read_dir(store.join("objects")).unwrap().count(), saved);
}

#[test]
fn a_log_that_could_not_begin_at_enrolment_begins_with_the_first_entry() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = open(dir.path(), &clock);
    let mut commune = Commune::new();
    let (code, request) = phone.enrol_request(&commune.code_text()).unwrap();
    let answer = commune.answer(&request, 7);
    // The marker cannot be written.
    let in_the_way = dir.path().join("marker.new");
    std::fs::create_dir(&in_the_way).unwrap();
    phone.enrolled(&code, &answer).unwrap_err();
    std::fs::remove_dir(&in_the_way).unwrap();
    phone.patrol_start(&[], None).unwrap();
    assert_eq!(phone.status().unwrap().entries, 2);
}

#[test]
fn the_rescue_key_that_a_killed_enrolment_left_out_is_made_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    drop(enrolled(dir.path(), &clock));
    let rescue = dir.path().join("spool.rescue");
    std::fs::remove_file(&rescue).unwrap();
    drop(open(dir.path(), &clock));
    assert!(rescue.exists());
}

#[test]
fn a_patrol_goes_on_when_the_phone_died_between_the_new_log_and_its_patrol() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    phone.patrol_start(&[], None).unwrap();
    drop(phone);
    std::fs::remove_file(dir.path().join("marker")).unwrap();
    drop(open(dir.path(), &clock));
    // Take the patrol that went on away again, as if the power had failed before it was written.
    spool(dir.path()).execute("DELETE FROM entry WHERE key = (SELECT max(key) FROM entry)", []).unwrap();
    remove_vaults(dir.path());
    open(dir.path(), &clock).check_in(&noted(1)).unwrap();
}

#[test]
fn a_spool_set_back_to_an_older_copy_uses_no_number_twice() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let store = dir.path().join("store");
    let mut phone = enrolled(&store, &clock);
    phone.patrol_start(&[], None).unwrap();
    drop(phone);
    let names = ["spool.db", "spool.db-wal"];
    let copies: Vec<(PathBuf, Vec<u8>)> = names.iter().map(|n| (store.join(n), std::fs::read(store.join(n)).unwrap())).collect();
    let mut phone = open(&store, &clock);
    let lost = phone.check_in(&noted(1)).unwrap();
    drop(phone);
    for (path, bytes) in copies {
        std::fs::write(path, bytes).unwrap();
    }
    assert_ne!(open(&store, &clock).check_in(&noted(2)).unwrap(), lost);
}

#[test]
fn a_vault_damaged_in_its_middle_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let patrol = phone.patrol_start(&[], None).unwrap();
    (0..200).for_each(|n| drop(phone.check_in(&noted(n)).unwrap()));
    phone.set_pin(PIN).unwrap();
    phone.lock().unwrap();
    phone.check_in(&noted(200)).unwrap();
    drop(phone);
    let path = dir.path().join("vault-7.db");
    let mut bytes = std::fs::read(&path).unwrap();
    // Not the first pages: what is there is missed as soon as the file is opened.
    let from = bytes.len() / 2;
    bytes.iter_mut().skip(from).step_by(100).for_each(|b| *b ^= 1);
    std::fs::write(&path, bytes).unwrap();
    let mut phone = open(dir.path(), &clock);
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    assert_eq!(phone.patrol(&patrol).unwrap().check_ins, 201);
    assert!(phone.check().unwrap().faults.is_empty());
    phone.lock().unwrap();
    phone.unlock(PIN, KeepOpen::ThisProcess).unwrap();
    phone.rebuild().unwrap();
    assert_eq!(phone.patrol(&patrol).unwrap().check_ins, 201);
}

#[test]
fn one_damaged_entry_hides_no_other_and_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let mut phone = enrolled(dir.path(), &clock);
    let patrol = phone.patrol_start(&[], None).unwrap();
    (0..3).for_each(|n| drop(phone.check_in(&noted(n)).unwrap()));
    drop(phone);
    let key: i64 = 1 << 40 | 3;
    assert_eq!(spool(dir.path()).execute("UPDATE entry SET body = zeroblob(90) WHERE key = ?1", [key]).unwrap(), 1);
    remove_vaults(dir.path());
    let mut phone = open(dir.path(), &clock);
    phone.check_in(&noted(3)).unwrap();
    assert_eq!(phone.patrol(&patrol).unwrap().check_ins, 3);
    assert_eq!(phone.check().unwrap().faults.len(), 1);
}

#[test]
fn after_a_restore_of_the_hub_the_newest_word_comes_last() {
    let dir = tempfile::tempdir().unwrap();
    let clock = VirtualClock::starting_at(EVENING_MS);
    let commune = Commune::new();
    let mut phone = enrolled(dir.path(), &clock);
    let told = |epoch: u8, number: u64, issued_ms: i64, state: &str| {
        let fate = Fate { incident: EntryName { log: LogId([1; 8]), seq: 4 }, state: state.into(), note: String::new() };
        let scope = Scope::Hamlet(HamletNo(3));
        let item = FeedItem { scope, epoch: Epoch([epoch; 8]), number, previous: [0; 32], issued_ms, item: Item::Fate(fate) };
        Signed::sign(item, &commune.sign).unwrap()
    };
    let items = [told(9, 1, EVENING_MS, "received"), told(9, 2, EVENING_MS + 1, "in_hand"), told(1, 2, EVENING_MS + 60_000, "resolved")];
    SyncStore::apply_items(&mut phone, &items, &[], &[]).unwrap();
    let lines: Vec<String> = phone.feed().unwrap().into_iter().map(|item| item.line).collect();
    let words: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(words, ["received", "in_hand", "resolved"]);
}
