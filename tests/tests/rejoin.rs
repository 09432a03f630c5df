//! A phone that joined after the backup from which its hub was restored: it joins once more with a new code, in place, and
//! everything it holds arrives. What the backup knows of codes and numbers comes to life a second time nowhere.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may stop loudly, its helpers too")]

#[path = "support/commune.rs"]
mod commune;

use commune::{Commune, Seventies, join, sync, walk};
use yenban_core::Error;
use yenban_core::sync::Verdict;

fn refused(done: yenban_core::Result<()>) -> String {
    match done {
        Err(Error::Refused { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_phone_that_joined_after_the_backup_joins_once_more_and_loses_nothing() {
    let mut commune = Commune::start();
    let address = vec![commune.address.to_string()];
    let mut before = commune.phone();
    walk(&mut before, 5);
    assert_eq!(sync(&mut before).verdict, Verdict::UpToDate);
    let open_then = commune.code(address.clone());
    let backup = commune.back_up();

    // After it: the open code is used, another phone joins and works.
    let mut by_old_code = commune.new_phone(Box::new(Seventies::now()));
    join(&mut by_old_code, &open_then).unwrap();
    let mut after = commune.new_phone(Box::new(Seventies::now()));
    join(&mut after, &commune.code_for("Hà Thị Mai", address.clone())).unwrap();
    let (device, member) = (after.identity().unwrap().device, after.member());
    walk(&mut after, 20);
    assert_eq!(sync(&mut after).verdict, Verdict::UpToDate);
    walk(&mut after, 3);
    let all = commune.totals().entries + 5;
    // While the hub knows it, it cannot join again, and its code stays good for somebody else.
    let spare = commune.code(address.clone());
    assert_eq!(refused(join(&mut after, &spare)), "conflict");
    assert_eq!(after.identity().unwrap().device, device);

    commune.restore(&backup);
    // The code that was open in the backup was used since: nobody joins with it now.
    let mut thief = commune.new_phone(Box::new(Seventies::now()));
    assert_eq!(refused(join(&mut thief, &open_then)), "expired");
    // Unknown, so nothing of it is shown, and it keeps everything.
    let outcome = sync(&mut after);
    assert_ne!(outcome.verdict, Verdict::UpToDate, "{:?}", outcome.reason);
    assert!(after.status().unwrap().unsent > 0);

    let code = commune.code_for("Hà Thị Mai", vec![commune.address.to_string()]);
    join(&mut after, &code).unwrap();
    let again = after.identity().unwrap();
    assert_ne!(again.device, device);
    assert!(again.member > member + 900, "{} after {member}: no number twice", again.member);
    assert_eq!(refused(join(&mut thief, &code)), "token_used");
    for phone in [&mut before, &mut after] {
        let outcome = sync(phone);
        assert_eq!(outcome.verdict, Verdict::UpToDate, "{:?}", outcome.reason);
        assert_eq!(phone.status().unwrap().unsent, 0);
    }
    let totals = commune.totals();
    assert_eq!((totals.forked, totals.floating, totals.chains_ok), (0, 0, true));
    // Both walks of the one phone, the walk of the other; the third never synced.
    assert_eq!(totals.entries, all, "everything that was there, and what was recorded since");
    walk(&mut after, 2);
    assert_eq!(sync(&mut after).verdict, Verdict::UpToDate);
    // A start later it is still who it is now.
    let folder = after.folder().clone();
    drop(after);
    let clock = Box::new(Seventies::now());
    let after = yenban_core::Phone::open_software(folder, clock, yenban_core::app::IfAbsent::Refuse).unwrap();
    assert_eq!(after.identity().unwrap().device, again.device);
}
