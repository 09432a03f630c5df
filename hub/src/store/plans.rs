//! Checkpoints, plans of who walks when, and what was walked, as the store keeps them.

use yenban_protocol::feed::CheckpointEntry;
use yenban_protocol::id::{HamletNo, MemberNo};
use yenban_protocol::text::code::CheckpointCode;

use super::{ItemSigner, Reply};

/// A checkpoint: a spot worth passing, with a code to scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// The number its code bears; drawn at random, so that a restored hub gives none a second time.
    pub code: CheckpointCode,
    /// Its hamlet.
    pub hamlet: HamletNo,
    /// Its name as typed.
    pub name: String,
    /// Where, 1e-7 degree (latitude, longitude).
    pub place_e7: (i32, i32),
    /// Entered at, hub time.
    pub made_ms: i64,
    /// Taken away at, hub time; check-ins there keep its name.
    pub closed_ms: Option<i64>,
}

impl CheckpointRow {
    /// As phones are told.
    pub(crate) fn entry(&self) -> CheckpointEntry {
        CheckpointEntry { code: self.code.to_string(), name: self.name.clone(), place_e7: self.place_e7 }
    }
}

/// Who is to walk when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRow {
    /// Its number, given by the store.
    pub no: i64,
    /// The hamlet.
    pub hamlet: HamletNo,
    /// The group; 0: any of the hamlet.
    pub group: u32,
    /// The member; nobody: any of the group.
    pub member: MemberNo,
    /// Days of the week on which it begins, bit 0 is Monday.
    pub days: u8,
    /// Begins, minutes of the day in Viet Nam.
    pub from_min: u16,
    /// Ends, minutes of the day; not after the beginning: on the next day.
    pub to_min: u16,
    /// Checkpoints to pass.
    pub checkpoints: Vec<CheckpointCode>,
    /// Made at, hub time: holds from then on.
    pub made_ms: i64,
    /// Ended at, hub time.
    pub ended_ms: Option<i64>,
}

/// A patrol that was walked, as plans compare it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Walked {
    /// Its hamlet.
    pub hamlet: HamletNo,
    /// Who walked.
    pub members: Vec<MemberNo>,
    /// Began, hub time as far as known.
    pub from_ms: i64,
    /// Ended, or the newest sign of it.
    pub to_ms: i64,
    /// It has not ended.
    pub under_way: bool,
}

/// What was walked in one hamlet in one week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Coverage {
    /// The hamlet.
    pub hamlet: HamletNo,
    /// Which week, counted from the one asked for as 0.
    pub week: u32,
    /// Patrols that began in it.
    pub patrols: u64,
    /// Check-ins of these.
    pub check_ins: u64,
}

/// What the store promises of them; part of [`HubStore`](super::HubStore) and its conformance suite.
pub trait PlanStore: Send + Sync + 'static {
    /// Keeps a checkpoint and sends its hamlet's directory out anew. `false`: its number is taken, or its hamlet has as many
    /// as phones are told; nothing is done then.
    fn add_checkpoint(&self, new: CheckpointRow, signer: ItemSigner) -> Reply<'_, bool>;

    /// Takes a checkpoint away from this moment and sends its hamlet's directory out anew; `false`: there is none.
    fn close_checkpoint(&self, code: CheckpointCode, at_ms: i64, signer: ItemSigner) -> Reply<'_, bool>;

    /// All checkpoints, those that were taken away among them, in the order of their numbers.
    fn checkpoints(&self) -> Reply<'_, Vec<CheckpointRow>>;

    /// Keeps a plan (its number is the store's); `None`: there are too many.
    fn add_plan(&self, new: PlanRow) -> Reply<'_, Option<i64>>;

    /// Ends a plan from this moment; `false`: there is none that holds.
    fn end_plan(&self, no: i64, at_ms: i64) -> Reply<'_, bool>;

    /// Plans that hold at `since_ms` or later, oldest first.
    fn plans(&self, since_ms: i64) -> Reply<'_, Vec<PlanRow>>;

    /// Patrols that were under way at some moment from `from_ms` to `to_ms`.
    fn walked(&self, from_ms: i64, to_ms: i64) -> Reply<'_, Vec<Walked>>;

    /// What was walked in each hamlet in each of the `weeks` weeks from `from_ms` on, where anything was.
    fn coverage(&self, from_ms: i64, weeks: u32) -> Reply<'_, Vec<Coverage>>;
}
