//! Deliberate faults, one at a time, so that the simulation can show that it would notice each of them.
//!
//! They exist only where the feature `simulation` is on, which no program for people has: without it [`planted`] is
//! `false` at compile time and nothing of a fault is left. `simulate --planted` lists them and what found them.

macro_rules! bugs {
    ($($name:ident: $what:literal,)*) => {
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
        }
    };
}

bugs! {
    TickWithoutSync: "phone: an entry is ticked before it is synced",
    GoOnAfterFailure: "phone: after a failed commit the same connection goes on",
    FoldSkipped: "phone: after a failed sync the write-ahead log is built upon",
    HeadNotReadAgain: "phone: after a failure the log's head is taken from memory",
    SessionSurvives: "phone: after a failure the session that may not be on the disk seals on",
    SaltRepeated: "phone: every entry has the same salt",
    EpochKeepsReceipts: "phone: receipts of a lost life of the hub still count",
    ReceiptOneMore: "phone: a receipt is taken for one entry more than it names",
    ReceiptForAnyLink: "phone: a receipt is not compared with the own links",
    DoubtForgotten: "phone: a hub that is ahead raises no doubt",
    MarkerIgnored: "phone: a store that is a copy is not noticed",
    OriginalNotSynced: "phone: the sealed photograph is named before its bytes are synced",
    FolderNotSynced: "phone: the sealed photograph is named before its name is synced",
    ReportApart: "phone: a report is committed before its photographs",
    FileRowApart: "phone: the row of a sealed file stands in no commit with its entry",
    EvictsUnconfirmed: "phone: originals make room without a receipt",
    HoldIgnored: "phone: the hub asks for a file again and is not heard",
    CursorFirst: "phone: a stream's cursor moves before its items are kept",
    ItemDropped: "phone: the first item of a page of the feed is dropped",
    OfflineCounts: "phone: no answer counts as a rejection, and five of them park an entry",
    BusyForever: "phone: what was sent and not answered is not sent again",
    RoundTripIgnored: "phone: the time of a round trip is no uncertainty",
    AnchorOutlivesBoot: "phone: an anchor counts after a restart",
    VaultSkips: "phone: the vault takes an entry for followed that it has not read",
    HubWithoutSync: "hub: commits are not synced",
    AnswerBeforeCommit: "hub: the answer goes out before the commit",
    OldConnection: "hub: after a failure of the database the same connection goes on",
    HubFoldSkipped: "hub: after a failed sync the write-ahead log is built upon",
    TakenTwice: "hub: what comes again is kept again",
    EffectForgotten: "hub: what joins a run has no effect",
    BranchDropped: "hub: what contradicts is dropped and signed for",
    RangeLost: "hub: a run that grew is not written down",
    EpochStays: "hub: a restored hub goes on in the old epoch",
    PageSkips: "hub: a page of the feed begins one item too late",
    AlertApart: "hub: a warning is kept before its items, in a commit of its own",
    ExpiresEarly: "hub: evidence is destroyed before its time",
    CustodyLost: "hub: arrivals leave no record of custody",
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
