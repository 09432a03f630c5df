//! I-22: nothing but the hub's own word of this life, about this log and this file, marks a file as received.

use proptest::test_runner::{RngAlgorithm, TestRng};
use rand_core::Rng as _;
use yenban_protocol::cert::Token;
use yenban_protocol::crypto::{Hash, Signer as _};
use yenban_protocol::feed::{FeedItem, Item, Scope};
use yenban_protocol::id::{Epoch, LogId};
use yenban_protocol::keys::{HubKey, KEY_SLACK_MS, Purpose};
use yenban_protocol::receipt::Receipt;
use yenban_protocol::signed::Signed;
use yenban_protocol::wire::{Cursor, FeedAnswer, KeysAnswer};

use super::hub::{Hub, epoch};
use super::phone::{DEVICE, LOG, Phone, key};
use super::road::{Luck, drive, sync};
use crate::sync::{Sync, SyncStore as _};

const FORGERIES: usize = 50_000;

/// A sync that knows whom it talks to.
pub(super) fn ready(phone: &mut Phone) -> Sync {
    let mut run = Sync::new();
    run.identity = Some(phone.identity().unwrap());
    run.plan.load(phone).unwrap();
    run
}

fn none_marked(phone: &Phone) -> bool {
    phone.files.iter().all(|f| !f.received)
}

#[test]
fn no_forgery_marks_a_file() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(1);
    let files: Vec<Hash> = (0..4).map(|_| phone.photograph(3_000, 2, false)).collect();
    phone.begin_log(LogId([8; 8]));
    let other = phone.photograph(3_000, 2, false);
    let luck = |path: &str| if path.starts_with("/v1/uploads") || path.starts_with("/v1/objects") { Luck::NoRoad } else { Luck::Through };
    drive(&mut Sync::with_in_flight(1), &mut phone, &mut hub, &mut |_, request| (0, luck(&request.path)));
    assert!(none_marked(&phone) && phone.epoch.is_some());
    let named = |hash: Hash| (hash, 3_000);
    let good = Receipt { objects: files.iter().copied().map(named).collect(), ..hub.state(LOG) };
    let sign = |receipt: &Receipt, signer: u8| Signed::sign(receipt.clone(), &key(signer)).unwrap().into_bytes();
    let true_bytes = sign(&good, 2);
    let mut rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut run = ready(&mut phone);
    // A receipt of another purpose under the right key: a token reads like nothing of the kind.
    let token = hub.token().into_bytes();
    for n in 0..FORGERIES {
        let bytes = match n % 10 {
            // Flipped anywhere.
            0..=3 => {
                let mut bytes = true_bytes.clone();
                let at = rng.next_u32() as usize % bytes.len();
                bytes[at] ^= 1 << (rng.next_u32() % 8);
                bytes
            }
            4 => true_bytes[..rng.next_u32() as usize % true_bytes.len()].to_vec(),
            // Another hub, or the right one's name over another's signature.
            5 => sign(&good, 20 + (n % 50) as u8),
            6 => {
                let mut bytes = sign(&good, 99);
                let foreign = key(99).public_key().id().0;
                let at = bytes.windows(8).position(|w| w == foreign).unwrap();
                bytes[at..at + 8].copy_from_slice(&key(2).public_key().id().0);
                bytes
            }
            // Truly signed, and of another life, log, size or file.
            7 => match n / 10 % 5 {
                0 => sign(&Receipt { epoch: Epoch([(n % 200) as u8 + 20; 8]), ..good.clone() }, 2),
                1 => sign(&Receipt { log: LogId([8; 8]), ..good.clone() }, 2),
                2 => sign(&Receipt { log: LogId([rng.next_u32() as u8 | 1; 8]), ..good.clone() }, 2),
                3 => sign(
                    &Receipt { objects: files.iter().map(|f| (*f, 3_001 + n as u64)).chain([named(other)]).collect(), ..good.clone() },
                    2,
                ),
                _ => sign(&Receipt { objects: vec![([n as u8; 32], 3_000)], ..good.clone() }, 2),
            },
            8 => token.clone(),
            _ => (0..rng.next_u32() % 400).map(|_| rng.next_u32() as u8).collect(),
        };
        if bytes == true_bytes {
            continue;
        }
        let _ = run.take_file_receipt(&bytes, &mut phone).unwrap();
        assert!(none_marked(&phone), "forgery {n} marked a file");
        if run.epochs > 0 || run.stopping {
            run = ready(&mut phone);
        }
    }
    // The true one does what the forgeries could not, in this life only.
    assert!(run.take_file_receipt(&true_bytes, &mut phone).unwrap());
    assert!(files.iter().all(|hash| phone.files.iter().any(|f| f.hash == *hash && f.received)));
    assert!(phone.files.iter().any(|f| f.hash == other && !f.received));
    phone.begin_epoch(epoch(9)).unwrap();
    let _ = ready(&mut phone).take_file_receipt(&true_bytes, &mut phone).unwrap();
    assert!(none_marked(&phone));
}

/// A key that was retired, and may lie in an old backup or in wrong hands, vouches for nothing after its time.
#[test]
fn a_retired_key_signs_nothing_of_today() {
    let mut hub = Hub::new();
    let mut phone = hub.enrol(3);
    let file = phone.photograph(3_000, 2, false);
    sync(&mut phone, &mut hub);
    let retired_ms = hub.now_ms;
    let mut history = hub.history().value;
    history.number += 1;
    let (old, new) = (key(2), key(12));
    history.keys[0].retired_ms = Some(retired_ms);
    history.keys.push(HubKey { purpose: Purpose::Sign, key: new.public_key(), since_ms: retired_ms, retired_ms: None });
    phone.identity.history = Signed::sign(history, &key(1)).unwrap();
    let later_ms = retired_ms + KEY_SLACK_MS + 1;
    for (signer, at_ms, believed) in [(&old, later_ms, false), (&old, retired_ms, true), (&new, later_ms, true)] {
        let value = Receipt { objects: vec![(file, 3_000)], hub_time_ms: at_ms, ..hub.state(LOG) };
        let receipt = Signed::sign(value, signer).unwrap().into_bytes();
        let mut run = ready(&mut phone);
        assert_eq!(run.take_file_receipt(&receipt, &mut phone).unwrap(), believed, "receipt");
        let token = Signed::sign(Token { hub_time_ms: at_ms, epoch: hub.epoch }, signer).unwrap().into_bytes();
        let history = phone.identity.history.clone().into_bytes();
        let mut run = ready(&mut phone);
        run.on_keys(&KeysAnswer { history, token }.to_bytes(), &mut phone, 0, 0).unwrap();
        assert_eq!(!run.stopping, believed, "token");
        phone.streams.clear();
        let scope = Scope::Device(DEVICE);
        let item = Item::ObjectsWanted { objects: vec![file] };
        let value = FeedItem { scope, epoch: hub.epoch, number: 1, previous: [0; 32], issued_ms: at_ms, item };
        let items = vec![Signed::sign(value, signer).unwrap().into_bytes()];
        let token = Signed::sign(Token { hub_time_ms: later_ms, epoch: hub.epoch }, &new).unwrap().into_bytes();
        let streams = vec![Cursor { scope, epoch: hub.epoch, number: 0 }];
        let answer = FeedAnswer { items, streams, more: false, token, receipts: Vec::new(), history: None, wanted: Vec::new() };
        let mut run = ready(&mut phone);
        run.on_feed(&answer.to_bytes(), &mut phone, 0, 0).unwrap();
        assert_eq!(run.refused.is_none(), believed, "item");
    }
}
