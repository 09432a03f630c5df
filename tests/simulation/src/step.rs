//! What can happen next. A run is a list of steps drawn from its seed before it begins; each step carries dice of its own,
//! so that one can be left out (to shrink a failing run) without changing what the others do.

use crate::chance::Chance;

/// One thing that happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// What.
    pub kind: Kind,
    /// To which phone, where it matters.
    pub who: u8,
    /// What decides the rest.
    pub dice: u64,
}

/// Kinds of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A member does something.
    Act,
    /// A message moves: a request goes out or reaches the hub, an answer reaches the phone.
    Talk,
    /// Time passes.
    Pass,
    /// Somebody sets the phone's calendar.
    SetClock,
    /// The phone restarts.
    Reboot,
    /// The phone goes behind the ridge, or comes back.
    Ridge,
    /// An old request arrives again.
    Replay,
    /// A phone's disk begins to fail: once, always, or by chance.
    PhoneDisk,
    /// A phone's disk has so much room left.
    PhoneFull,
    /// A phone will lose power at some call to its disk.
    PhoneDies,
    /// A phone's program is ended between two calls.
    PhoneKilled,
    /// The hub's disk begins to fail.
    HubDisk,
    /// The hub's disk has so much room left.
    HubFull,
    /// The hub will lose power at some call to its disk.
    HubDies,
    /// The hub's program is ended between two calls.
    HubKilled,
    /// An operator stops the hub and starts it again.
    HubRestarts,
    /// An officer warns the hamlet.
    Warn,
    /// The hub does what it does every hour and night.
    Jobs,
    /// A backup of the hub is written.
    BackUp,
    /// The hub's disk is lost; the last backup is restored.
    Restore,
    /// An operator gives the hub new keys, and makes a backup with them.
    NewKeys,
    /// The hub's storage loses a file, and somebody has the hub look.
    Loses,
    /// An image of a phone is kept.
    Image,
    /// A phone is put back to its image.
    RollBack,
    /// A phone is put back to how it was a moment ago, and nothing tells.
    TwoLives,
    /// A sync of a phone fails, work goes on, later the power goes.
    PhoneFalters,
    /// A sync of the hub fails, phones go on, later the power goes.
    HubFalters,
    /// For a while what is large gets lost on a phone's road.
    Narrow,
    /// Parcels are given along, brought, taken.
    Courier,
    /// Disks work again.
    Mend,
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 30] = [
        Kind::Act,
        Kind::Talk,
        Kind::Pass,
        Kind::SetClock,
        Kind::Reboot,
        Kind::Ridge,
        Kind::Replay,
        Kind::PhoneDisk,
        Kind::PhoneFull,
        Kind::PhoneDies,
        Kind::PhoneKilled,
        Kind::HubDisk,
        Kind::HubFull,
        Kind::HubDies,
        Kind::HubKilled,
        Kind::HubRestarts,
        Kind::Warn,
        Kind::Jobs,
        Kind::BackUp,
        Kind::Restore,
        Kind::NewKeys,
        Kind::Loses,
        Kind::Image,
        Kind::RollBack,
        Kind::TwoLives,
        Kind::PhoneFalters,
        Kind::HubFalters,
        Kind::Narrow,
        Kind::Courier,
        Kind::Mend,
    ];
}

/// Kinds and how often they come, in parts of a thousand.
const OFTEN: [(Kind, u32); 30] = [
    (Kind::Act, 300),
    (Kind::Talk, 404),
    (Kind::Pass, 60),
    (Kind::SetClock, 10),
    (Kind::Reboot, 10),
    (Kind::Ridge, 20),
    (Kind::Replay, 30),
    (Kind::PhoneDisk, 15),
    (Kind::PhoneFull, 8),
    (Kind::PhoneDies, 25),
    (Kind::PhoneKilled, 15),
    (Kind::HubDisk, 8),
    (Kind::HubFull, 12),
    (Kind::HubDies, 18),
    (Kind::HubKilled, 8),
    (Kind::HubRestarts, 4),
    (Kind::Warn, 20),
    (Kind::Jobs, 6),
    (Kind::BackUp, 4),
    (Kind::Restore, 3),
    (Kind::NewKeys, 2),
    (Kind::Loses, 6),
    (Kind::Image, 10),
    (Kind::RollBack, 8),
    (Kind::TwoLives, 3),
    (Kind::PhoneFalters, 4),
    (Kind::HubFalters, 4),
    (Kind::Narrow, 2),
    (Kind::Courier, 12),
    (Kind::Mend, 10),
];

/// The steps of a run.
#[must_use]
pub fn plan(chance: &mut Chance, steps: usize, phones: u8) -> Vec<Step> {
    let all: u32 = OFTEN.iter().map(|(_, often)| often).sum();
    let mut draw = || {
        let mut at = chance.below(u64::from(all)) as u32;
        let mut kind = Kind::Talk;
        for (one, often) in OFTEN {
            if at < often {
                kind = one;
                break;
            }
            at -= often;
        }
        Step { kind, who: chance.below(u64::from(phones)) as u8, dice: chance.number() }
    };
    (0..steps).map(|_| draw()).collect()
}
