//! What went wrong, and in the middle of what: a run that never met some of it proves less than it seems to.

use std::collections::BTreeMap;

use yenban_core::sync::{Method, Request};
use yenban_protocol::upload::{OBJECTS_PATH, UPLOADS_PATH};
use yenban_protocol::wire::path;

use crate::disk::Cut;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// A request does not arrive.
    RequestLost,
    /// An answer does not arrive.
    AnswerLost,
    /// A request arrives in part.
    Truncated,
    /// A request arrives twice.
    Doubled,
    /// An old request arrives again.
    Replay,
    /// A later message overtakes an earlier one.
    Reordered,
    /// No road for a while.
    Partition,
    /// A read fails.
    ReadError,
    /// A write or sync fails.
    WriteError,
    /// The disk is full.
    DiskFull,
    /// The power will go at a call; what became of it is counted below.
    Power,
    /// The program dies at a call to the disk; everything written is kept.
    DiesAllKept,
    /// The power goes at a call to the disk; only what was synced is kept.
    DiesOnlySynced,
    /// The power goes; any part of what was not synced is kept.
    DiesSome,
    /// The power goes in the middle of a write.
    DiesTorn,
    /// The program is ended between two calls.
    Kill,
    /// The calendar is set.
    ClockSet,
    /// The phone restarts.
    Reboot,
    /// The hub's backup is restored.
    Restore,
    /// The hub gets new keys.
    NewKeys,
    /// The phone is put back to an older image.
    RollBack,
}

/// In the middle of what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doing {
    /// Nothing.
    Idle,
    /// Words are recorded.
    Capture,
    /// A photograph is taken in.
    Photo,
    /// A store is opened.
    Opening,
    /// The next request is made.
    Asking,
    /// The hub's keys.
    Keys,
    /// The feed.
    Feed,
    /// A segment of entries.
    Segment,
    /// Where files stand.
    Objects,
    /// An upload is begun.
    Create,
    /// A chunk of a file.
    Chunk,
    /// An upload is given up.
    Discard,
    /// A warning is sent.
    Alert,
    /// The hub's hourly and nightly work.
    Jobs,
    /// Parcels on a stick.
    Courier,
}

impl Doing {
    /// By what a request is for.
    #[must_use]
    pub fn of(request: &Request) -> Doing {
        match (request.method, request.path.as_str()) {
            (_, path::KEYS) => Doing::Keys,
            (_, path::FEED) => Doing::Feed,
            (_, path::SEGMENTS) => Doing::Segment,
            (_, OBJECTS_PATH) => Doing::Objects,
            (Method::Patch, _) => Doing::Chunk,
            (Method::Delete, _) => Doing::Discard,
            (_, name) if name.starts_with(UPLOADS_PATH) => Doing::Create,
            _ => Doing::Idle,
        }
    }
}

impl Fault {
    /// What a power cut with this outcome is called.
    #[must_use]
    pub fn of_cut(cut: Cut) -> Fault {
        match cut {
            Cut::AllKept => Fault::DiesAllKept,
            Cut::OnlySynced => Fault::DiesOnlySynced,
            Cut::Some => Fault::DiesSome,
            Cut::Torn => Fault::DiesTorn,
        }
    }
}

/// Where something went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Side {
    /// On a phone or its road.
    Phone,
    /// At the hub.
    Hub,
}

/// How often each fault met each activity.
#[derive(Debug, Clone, Default)]
pub struct Coverage(BTreeMap<(Side, Fault, Doing), u64>);

const ROAD: [Doing; 5] = [Doing::Feed, Doing::Segment, Doing::Objects, Doing::Create, Doing::Chunk];

impl Coverage {
    /// Counts one on a phone's side.
    pub fn hit(&mut self, fault: Fault, doing: Doing) {
        *self.0.entry((Side::Phone, fault, doing)).or_default() += 1;
    }

    /// Counts one at the hub.
    pub fn hit_hub(&mut self, fault: Fault, doing: Doing) {
        *self.0.entry((Side::Hub, fault, doing)).or_default() += 1;
    }

    /// Adds what another run met.
    pub fn add(&mut self, other: &Coverage) {
        for (cell, times) in &other.0 {
            *self.0.entry(*cell).or_default() += times;
        }
    }

    /// Cells as lines, to pass them between processes.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(|((side, fault, doing), times)| format!("{side:?} {fault:?} {doing:?} {times}")).collect()
    }

    /// Adds what [`Coverage::lines`] said.
    pub fn add_line(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [side, fault, doing, times] = words[..] else { return };
        let side = Side::ALL.into_iter().find(|one| format!("{one:?}") == side);
        let fault = Fault::ALL.into_iter().find(|one| format!("{one:?}") == fault);
        let doing = Doing::ALL.into_iter().find(|one| format!("{one:?}") == doing);
        if let (Some(side), Some(fault), Some(doing), Ok(times)) = (side, fault, doing, times.parse::<u64>()) {
            *self.0.entry((side, fault, doing)).or_default() += times;
        }
    }

    /// Every cell that a set of runs must meet.
    #[must_use]
    pub fn wanted() -> Vec<(Side, Fault, Doing)> {
        use Doing::{Alert, Asking, Capture, Chunk, Courier, Create, Feed, Idle, Jobs, Objects, Opening, Photo, Segment};
        use Fault::{
            AnswerLost, ClockSet, DiesAllKept, DiesOnlySynced, DiesSome, DiesTorn, DiskFull, Doubled, Kill, NewKeys, Partition, ReadError,
            Reboot, Reordered, Replay, RequestLost, Restore, RollBack, Truncated, WriteError,
        };
        let mut cells = Vec::new();
        let mut all = |side, faults: &[Fault], doings: &[Doing]| {
            cells.extend(faults.iter().flat_map(|fault| doings.iter().map(move |doing| (side, *fault, *doing))));
        };
        all(Side::Phone, &[RequestLost, AnswerLost, Doubled, Replay, Partition], &ROAD);
        all(Side::Phone, &[Truncated], &[Feed, Segment, Objects, Chunk]);
        all(Side::Phone, &[Reordered], &[Segment]);
        all(Side::Phone, &[RequestLost, AnswerLost, Doubled, Truncated, Reordered, WriteError], &[Courier]);
        all(Side::Phone, &[WriteError, DiskFull], &[Capture, Photo, Feed, Segment, Chunk]);
        all(Side::Phone, &[ReadError], &[Capture, Photo, Feed, Segment]);
        all(
            Side::Phone,
            &[DiesAllKept, DiesOnlySynced, DiesSome, DiesTorn],
            &[Capture, Photo, Opening, Asking, Feed, Segment, Chunk, Courier],
        );
        all(Side::Phone, &[Kill, ClockSet, Reboot, RollBack, NewKeys], &[Idle, Feed, Segment, Chunk]);
        all(Side::Hub, &[WriteError], &[Courier]);
        all(Side::Hub, &[WriteError, DiskFull], &[Feed, Segment, Create, Chunk]);
        all(Side::Hub, &[ReadError], &[Feed, Segment, Chunk]);
        all(Side::Hub, &[DiesAllKept, DiesOnlySynced, DiesSome, DiesTorn], &[Segment, Create, Chunk, Alert, Jobs, Courier]);
        all(Side::Hub, &[Kill, Restore], &[Idle]);
        cells
    }

    /// Cells that were met less than `times`.
    #[must_use]
    pub fn missed(&self, times: u64) -> Vec<(Side, Fault, Doing)> {
        Self::wanted().into_iter().filter(|cell| self.0.get(cell).copied().unwrap_or(0) < times).collect()
    }

    /// The table, for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        for side in [Side::Phone, Side::Hub] {
            let cells: Vec<_> = self.0.iter().filter(|((s, ..), _)| *s == side).collect();
            let mut doings: Vec<Doing> = cells.iter().map(|((_, _, doing), _)| *doing).collect();
            doings.sort_unstable();
            doings.dedup();
            let mut faults: Vec<Fault> = cells.iter().map(|((_, fault, _), _)| *fault).collect();
            faults.dedup();
            text += &format!("{:<16}", format!("{side:?}"));
            doings.iter().for_each(|doing| text += &format!("{:>9}", format!("{doing:?}")));
            text.push('\n');
            for fault in faults {
                text += &format!("{:<16}", format!("{fault:?}"));
                for doing in &doings {
                    let times = self.0.get(&(side, fault, *doing)).copied().unwrap_or(0);
                    text += &format!("{:>9}", if times == 0 { "·".to_owned() } else { times.to_string() });
                }
                text.push('\n');
            }
        }
        text
    }
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 21] = [
        Self::RequestLost,
        Self::AnswerLost,
        Self::Truncated,
        Self::Doubled,
        Self::Replay,
        Self::Reordered,
        Self::Partition,
        Self::ReadError,
        Self::WriteError,
        Self::DiskFull,
        Self::Power,
        Self::DiesAllKept,
        Self::DiesOnlySynced,
        Self::DiesSome,
        Self::DiesTorn,
        Self::Kill,
        Self::ClockSet,
        Self::Reboot,
        Self::Restore,
        Self::NewKeys,
        Self::RollBack,
    ];
}

impl Doing {
    /// All of them.
    pub const ALL: [Doing; 15] = [
        Self::Idle,
        Self::Capture,
        Self::Photo,
        Self::Opening,
        Self::Asking,
        Self::Keys,
        Self::Feed,
        Self::Segment,
        Self::Objects,
        Self::Create,
        Self::Chunk,
        Self::Discard,
        Self::Alert,
        Self::Jobs,
        Self::Courier,
    ];
}

impl Side {
    /// All of them.
    pub const ALL: [Side; 2] = [Self::Phone, Self::Hub];
}
