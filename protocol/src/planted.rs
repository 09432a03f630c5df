//! Deliberate faults, one at a time, so that the simulation can show that it would notice each of them.
//!
//! They exist only where the feature `simulation` is on, which no program for people has: without it [`planted`] is
//! `false` at compile time and nothing of a fault is left. `simulate --planted` lists them and what found them.

macro_rules! bugs {
    ($($name:ident: $must:ident $($promise:literal)|+, $what:literal;)*) => {
        /// A fault that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Bug {
            $(#[doc = $what] $name,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &'static [Bug] = &[$(Bug::$name,)*];

            /// What is wrong, for the table.
            pub fn what(self) -> &'static str {
                match self {
                    $(Bug::$name => $what,)*
                }
            }

            /// Whether every run of the suite must find it, the shortest too.
            pub fn must(self) -> bool {
                match self {
                    $(Bug::$name => matches!(stringify!($must), "must"),)*
                }
            }

            /// The promises of docs/RELIABILITY.md that it breaks, whichever is seen first. Found under another one it is
            /// not understood.
            pub fn promises(self) -> &'static [&'static str] {
                match self {
                    $(Bug::$name => &[$($promise),+],)*
                }
            }
        }
    };
}

bugs! {
    TickWithoutSync: must "I-01", "phone: an entry is ticked before it is synced";
    GoOnAfterFailure: must "I-01" | "I-03" | "I-21", "phone: after a failed commit the same connection goes on";
    FoldSkipped: must "I-01" | "I-20", "phone: after a failed sync the write-ahead log is built upon";
    HeadNotReadAgain: must "I-03" | "I-01" | "I-14", "phone: after a failure the log's head is taken from memory";
    SessionSurvives: must "I-03" | "I-08", "phone: after a failure the session that may not be on the disk seals on";
    SaltRepeated: must "I-32", "phone: every entry has the same salt";
    EpochKeepsReceipts: must "I-20" | "I-19" | "I-23", "phone: receipts of a lost life of the hub still count";
    ReceiptOneMore: must "I-20" | "I-19", "phone: a receipt is taken for one entry more than it names";
    ReceiptForAnyLink: must "I-20" | "I-19", "phone: a receipt is not compared with the own links";
    DoubtForgotten: must "I-14" | "I-19" | "I-21", "phone: a hub that is ahead raises no doubt";
    MarkerIgnored: must "I-14", "phone: a store that is a copy is not noticed";
    OriginalNotSynced: must "I-05" | "I-08" | "I-13" | "I-21", "phone: the sealed photograph is named before its bytes are synced";
    FolderNotSynced: must "I-05" | "I-08" | "I-13" | "I-21", "phone: the sealed photograph is named before its name is synced";
    ReportApart: must "I-05" | "I-01", "phone: a report is committed before its photographs";
    FileRowApart: must "I-05" | "I-13" | "I-08", "phone: the row of a sealed file stands in no commit with its entry";
    EvictsUnconfirmed: must "I-21" | "I-13" | "I-22" | "I-08", "phone: originals make room without a receipt";
    HoldIgnored: must "I-14" | "I-13" | "I-22", "phone: the hub asks for a file again and is not heard";
    CursorFirst: must "I-29", "phone: a stream's cursor moves before its items are kept";
    ItemDropped: must "I-29", "phone: the first item of a page of the feed is dropped";
    OfflineCounts: must "I-21", "phone: no answer counts as a rejection, and five of them park an entry";
    BusyForever: must "I-21" | "I-19", "phone: what was sent and not answered is not sent again";
    RoundTripIgnored: must "I-18", "phone: the time of a round trip is no uncertainty";
    AnchorOutlivesBoot: must "I-18", "phone: an anchor counts after a restart";
    VaultSkips: may "I-07", "phone: the vault takes an entry for followed that it has not read";
    HubWithoutSync: must "I-20" | "I-19" | "I-29", "hub: commits are not synced";
    AnswerBeforeCommit: must "I-20" | "I-19" | "I-29", "hub: the answer goes out before the commit";
    OldConnection: must "I-21" | "I-29" | "I-20", "hub: after a failure of the database the same connection goes on";
    HubFoldSkipped: may "I-20" | "I-19" | "I-29", "hub: after a failed sync the write-ahead log is built upon";
    TakenTwice: must "I-19" | "I-21" | "I-20", "hub: what comes again is kept again";
    EffectForgotten: must "I-21" | "I-19" | "I-05" | "I-13", "hub: what joins a run has no effect";
    BranchDropped: must "I-28" | "I-19" | "I-20", "hub: what contradicts is dropped and signed for";
    RangeLost: must "I-21" | "I-19" | "I-20" | "I-14", "hub: a run that grew is not written down";
    EpochStays: must "I-20" | "I-23" | "I-19" | "I-21", "hub: a restored hub goes on in the old epoch";
    PageSkips: must "I-29" | "I-21", "hub: a page of the feed begins one item too late";
    AlertApart: must "I-29", "hub: a warning is kept before its items, in a commit of its own";
    ExpiresEarly: must "I-13" | "I-14", "hub: evidence is destroyed before its time";
    CustodyLost: must "I-14", "hub: arrivals leave no record of custody";
}

#[cfg(feature = "simulation")]
static PLANTED: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(usize::MAX);

/// Plants a fault in this process, or takes it out.
#[cfg(feature = "simulation")]
pub fn plant(bug: Option<Bug>) {
    PLANTED.store(bug.map_or(usize::MAX, |bug| bug as usize), std::sync::atomic::Ordering::SeqCst);
}

/// Whether a fault is planted.
#[cfg(feature = "simulation")]
pub fn planted(bug: Bug) -> bool {
    PLANTED.load(std::sync::atomic::Ordering::Relaxed) == bug as usize
}

/// Whether a fault is planted: never.
#[cfg(not(feature = "simulation"))]
#[inline(always)]
pub const fn planted(_: Bug) -> bool {
    false
}
