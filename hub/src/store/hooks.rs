//! Reports that became complete and of which another program is to be told, as the store keeps them: with the row that made
//! them complete, so that neither a restart nor a power cut forgets one.

use super::Reply;
use super::triage::IncidentName;

/// A report that may be complete, and how often somebody was told in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HookRow {
    /// The report.
    pub incident: IncidentName,
    /// Times that telling failed.
    pub tries: u32,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookEnd {
    /// It was told, or given up: it is not told again.
    Over,
    /// It failed and is tried again at this hub time.
    Again {
        /// Not before, milliseconds.
        next_ms: i64,
    },
    /// It is not complete: it comes again when its next photograph does.
    NotYet,
}

/// What the store promises of them; part of [`HubStore`](super::HubStore).
pub trait HookStore: Send + Sync + 'static {
    /// Reports of which somebody is to be told now, oldest first, at most `limit`.
    fn hooks_due(&self, now_ms: i64, limit: u32) -> Reply<'_, Vec<HookRow>>;

    /// Notes what became of one.
    fn hook_ended(&self, incident: IncidentName, end: HookEnd) -> Reply<'_, ()>;

    /// Nobody is told: forgets what waits.
    fn forget_hooks(&self) -> Reply<'_, ()>;
}
