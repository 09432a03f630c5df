//! A hub that gets new keys keeps its phones: those that were away meanwhile follow the commune root, and what they had
//! sealed to older keys still opens.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use std::sync::Arc;

use commune::{Commune, sync, walk};
use yenban_core::app::{Report, Said};
use yenban_core::sync::Verdict;
use yenban_hub::alert::{AlertWanted, send};
use yenban_hub::clock::SystemClock;
use yenban_hub::init::replace_keys;
use yenban_hub::store::ListQuery;

/// Stops the hub, gives it new keys and starts it again; the number of its history.
fn replace(commune: &mut Commune) -> u64 {
    let dir = commune.hub().folder.root().to_owned();
    let beside = std::fs::read_dir(commune.temp.path()).unwrap().count();
    let backup = commune.temp.path().join(format!("keys-{beside}.backup"));
    let running = commune.runtime.block_on(replace_keys(&dir, None, &backup, Arc::new(SystemClock)));
    assert!(running.is_err() && !backup.exists(), "not under a hub that runs");
    commune.close();
    let replaced = commune.runtime.block_on(replace_keys(&dir, None, &backup, Arc::new(SystemClock))).unwrap();
    assert!(replaced.backup.unwrap().size_bytes > 0 && backup.exists());
    commune.open();
    replaced.history.number
}

#[test]
fn a_phone_that_was_away_follows_keys_that_were_replaced_twice() {
    let mut commune = Commune::start();
    let mut away = commune.phone();
    walk(&mut away, 3);
    assert_eq!(sync(&mut away).verdict, Verdict::UpToDate);

    // Sealed to the first keys: words, a photograph, a message.
    let photo = commune.temp.path().join("photo.jpg");
    std::fs::write(&photo, [b"\xff\xd8\xff\xe0".as_slice(), &[7; 200_000]].concat()).unwrap();
    let statements = vec![Said { basis: "seen".into(), text: "Đất lấp đường".into() }];
    let told = Report { kind: "landslide".into(), urgent: true, statements, place: None, photos: 1 };
    let (incident, message) = away.report_with_message(&told).unwrap();
    away.capture_photo(&photo, Some(&incident), true).unwrap();
    walk(&mut away, 4);

    let first = replace(&mut commune);
    let second = replace(&mut commune);
    assert!(second > first && first > 1);
    let taken = commune.runtime.block_on(yenban_hub::sms::take(commune.hub(), &message.unwrap())).unwrap();
    assert_eq!((taken.state.as_str(), taken.incident.as_str()), ("to_come", incident.as_str()));
    let wanted = AlertWanted {
        headline: "Mưa lớn".into(),
        description: "Suối dâng".into(),
        severity: "Severe".into(),
        hamlets: vec!["Nà Phòn".into()],
        ..AlertWanted::default()
    };
    commune.runtime.block_on(send(commune.hub(), wanted)).unwrap();

    let outcome = sync(&mut away);
    assert_eq!(outcome.verdict, Verdict::UpToDate, "{outcome:?}");
    assert_eq!(away.alerts().unwrap().len(), 1, "signed with keys that it had to learn");
    let rows = commune.runtime.block_on(commune.hub().store.incidents(ListQuery::default())).unwrap();
    assert_eq!((rows.len(), rows[0].photos, rows[0].complete, rows[0].report.as_str()), (1, 1, true, "here"));
    assert_eq!(commune.totals().check_ins, 7);

    // From here on with the newest keys, in a backup of after the change too.
    walk(&mut away, 2);
    let backup = commune.back_up();
    commune.restore(&backup);
    assert_eq!(sync(&mut away).verdict, Verdict::UpToDate);
    assert_eq!(commune.totals().check_ins, 9);
    let mut late = commune.phone();
    assert_eq!(sync(&mut late).verdict, Verdict::UpToDate);
    commune.close();
}

#[test]
fn a_backup_of_before_needs_new_keys_once_more_and_the_phones_follow() {
    let mut commune = Commune::start();
    let mut phone = commune.phone();
    let backup = commune.back_up();
    let lost = replace(&mut commune);
    walk(&mut phone, 2);
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);

    commune.restore(&backup);
    walk(&mut phone, 3);
    assert_ne!(sync(&mut phone).verdict, Verdict::UpToDate, "keys that were retired are believed no more");
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    assert!(replace(&mut commune) > lost);
    assert_eq!(sync(&mut phone).verdict, Verdict::UpToDate);
    assert_eq!(commune.totals().check_ins, 5, "what was sealed to the keys that got lost is sealed anew");
    commune.close();
}
