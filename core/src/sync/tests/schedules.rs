//! Any schedule of losses, repeats, overtaking, kills, restores and captures: in the end the hub holds each
//! entry exactly once a life, and the phone knows it.

use proptest::prelude::*;

use super::hub::{Hub, epoch};
use super::phone::LOG;
use super::road::{Luck, drive, next, sync};
use crate::sync::{Step, Sync, Verdict};

#[derive(Debug, Clone)]
enum Event {
    Record {
        count: u64,
        urgent: bool,
    },
    Lock(bool),
    /// A sync over a road with this luck, request by request.
    Sync(Vec<(usize, Luck)>),
    /// A sync whose process dies after so many steps, answers unheard.
    Killed(usize),
    Restore(u64),
}

fn luck() -> impl Strategy<Value = Luck> {
    prop_oneof![4 => Just(Luck::Through), 1 => Just(Luck::Lost), 2 => Just(Luck::ReplyLost), 1 => Just(Luck::Twice), 1 => Just(Luck::NoRoad)]
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (1..400u64, prop::bool::weighted(0.2)).prop_map(|(count, urgent)| Event::Record { count: if urgent { 1 + count % 3 } else { count }, urgent }),
        1 => any::<bool>().prop_map(Event::Lock),
        3 => prop::collection::vec((0..4usize, luck()), 0..40).prop_map(Event::Sync),
        1 => (0..12usize).prop_map(Event::Killed),
        1 => (0..600u64).prop_map(Event::Restore),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn in_the_end_each_entry_is_held_once_and_known(events in prop::collection::vec(event(), 1..14), poison in prop::option::of(0..600u64)) {
        let mut hub = Hub::new();
        let mut phone = hub.enrol(77);
        hub.poison.extend(poison);
        let mut life = 1;
        for event in events {
            match event {
                Event::Record { count, urgent } => (0..count).for_each(|_| { phone.record(urgent); }),
                Event::Lock(locked) => phone.locked = locked,
                Event::Sync(lucks) => {
                    let mut lucks = lucks.into_iter();
                    drive(&mut Sync::new(), &mut phone, &mut hub, &mut |_, _| lucks.next().unwrap_or((0, Luck::Through)));
                }
                Event::Killed(steps) => {
                    let mut run = Sync::new();
                    for _ in 0..steps {
                        if let Step::Send(request) = next(&mut run, &mut phone) {
                            let answer = hub.handle(&request, &phone);
                            if steps % 2 == 0 {
                                super::road::reply(&mut run, &mut phone, request.id, answer);
                            }
                        }
                    }
                }
                Event::Restore(kept) => {
                    life += 1;
                    hub.restore(kept, epoch(life));
                }
            }
        }
        let outcome = sync(&mut phone, &mut hub);
        let parked: Vec<u64> = phone.log().parked.keys().copied().collect();
        let expected: Vec<u64> = (0..phone.log().len).filter(|seq| !parked.contains(seq)).collect();
        prop_assert_eq!(outcome.unsent, 0);
        prop_assert_eq!(outcome.verdict == Verdict::UpToDate, parked.is_empty());
        prop_assert!(parked.iter().all(|seq| Some(*seq) == poison), "parked without being poison: {:?}", parked);
        prop_assert_eq!(hub.holds(LOG), expected.clone());
        prop_assert!(hub.stored.values().all(|n| *n == 1), "stored twice");
        for seq in expected {
            prop_assert_eq!(hub.link(LOG, seq), phone.log().entries.get(&seq).map(|e| e.link));
            prop_assert!(phone.log().received.contains(seq));
        }
        prop_assert!(phone.doubts.is_empty(), "doubt without a reason");
    }
}
