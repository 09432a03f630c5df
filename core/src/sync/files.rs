//! What this sync knows of files at the hub: nothing is kept of it, because the hub is asked again next time.

use std::collections::{HashMap, HashSet};

use yenban_protocol::crypto::Hash;

use super::outcome::Reason;
use super::pace::Pace;
use crate::limits::{FILE_LOST_MAX, FILE_STRIKES_MAX};

/// Why a request about files is in the air. One at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileErrand {
    /// What has the hub of the files in [`Files::asked`]?
    Ask,
    /// Begins an upload.
    Create(Hash),
    /// Sends bytes.
    Chunk(Chunk),
    /// Gives an upload up that came to the wrong hash.
    Drop(Hash),
}

/// A part of a file on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub file: Hash,
    pub size_bytes: u64,
    pub offset: u64,
    pub length: u64,
}

impl FileErrand {
    pub(super) fn file(self) -> Option<Hash> {
        match self {
            FileErrand::Ask => None,
            FileErrand::Create(file) | FileErrand::Drop(file) => Some(file),
            FileErrand::Chunk(chunk) => Some(chunk.file),
        }
    }
}

/// How a file stands at the hub, as far as the last answer goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stands {
    /// Never asked about, or something was sent and not answered: the hub is asked before anything is sent.
    Unsure,
    /// No upload was begun, or it is gone.
    NotBegun,
    /// So many bytes are there.
    At(u64),
    /// All bytes are there and are not those of this file.
    Wrong,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    stands: Stands,
    /// End of what was handed to the road, until the hub says how much of it arrived.
    handed_to: u64,
    /// The most that ever was there.
    reached: u64,
    /// Answers in a row that moved nothing.
    strikes: u32,
    /// Breaks of the road in a row that moved nothing.
    lost: u32,
    /// It was begun anew after a wrong hash in this sync.
    renewed: bool,
}

/// The files of one sync.
#[derive(Debug)]
pub(super) struct Files {
    known: HashMap<Hash, Known>,
    /// Not offered again in this sync.
    later: HashSet<Hash>,
    /// What the question in the air is about, in its order.
    pub asked: Vec<Hash>,
    pub pace: Pace,
    pub wait_until_ms: u64,
    /// Answers "later" in a row.
    pub busy: u32,
    /// Files in a row with which the hub failed.
    pub failed: u32,
    /// Segments sent since a chunk was: steady text must not stop files for ever.
    pub segments_since: u32,
    /// The hub takes no more files now.
    pub closed: bool,
    /// Why a file waits, for the outcome.
    pub reason: Option<Reason>,
}

impl Files {
    pub(super) fn new() -> Self {
        Files {
            known: HashMap::new(),
            later: HashSet::new(),
            asked: Vec::new(),
            pace: Pace::unknown(),
            wait_until_ms: 0,
            busy: 0,
            failed: 0,
            segments_since: 0,
            closed: false,
            reason: None,
        }
    }

    pub(super) fn stands(&self, file: &Hash) -> Stands {
        self.known.get(file).map_or(Stands::Unsure, |known| known.stands)
    }

    pub(super) fn is_later(&self, file: &Hash) -> bool {
        self.later.contains(file)
    }

    /// The hub asked for a pause that is not over.
    pub(super) fn waits(&self, now_ms: u64) -> bool {
        !self.closed && now_ms < self.wait_until_ms
    }

    /// How many files were set aside in this sync.
    pub(super) fn later(&self) -> usize {
        self.later.len()
    }

    pub(super) fn set_later(&mut self, file: Hash, reason: Reason) {
        self.pass_over(file);
        self.reason.get_or_insert(reason);
    }

    /// There is nothing to do for it.
    pub(super) fn pass_over(&mut self, file: Hash) {
        self.later.insert(file);
    }

    /// Everything is asked anew: another epoch began.
    pub(super) fn forget_all(&mut self) {
        self.known.clear();
        self.later.clear();
    }

    /// The hub wants this one again.
    pub(super) fn forget(&mut self, file: &Hash) {
        self.known.remove(file);
        self.later.remove(file);
    }

    fn entry(&mut self, file: Hash) -> &mut Known {
        self.known.entry(file).or_insert(Known { stands: Stands::Unsure, handed_to: 0, reached: 0, strikes: 0, lost: 0, renewed: false })
    }

    /// Notes an answer; answers how many bytes were handed to the road in vain.
    pub(super) fn learn(&mut self, file: Hash, stands: Stands) -> u64 {
        let known = self.entry(file);
        if let Stands::At(offset) = stands
            && offset > known.reached
        {
            (known.reached, known.strikes, known.lost) = (offset, 0, 0);
        }
        known.stands = stands;
        let arrived = match stands {
            Stands::Unsure => return 0,
            Stands::NotBegun => 0,
            Stands::At(offset) => offset,
            Stands::Wrong => known.handed_to,
        };
        std::mem::take(&mut known.handed_to).saturating_sub(arrived)
    }

    /// A chunk left; so much of it was handed to the road before its answer, or before the road broke.
    pub(super) fn handed(&mut self, chunk: &Chunk, bytes: u64) {
        let known = self.entry(chunk.file);
        known.handed_to = known.handed_to.max(chunk.offset + bytes.min(chunk.length));
    }

    /// An answer that moved nothing; `true` when there were too many of them for this sync.
    pub(super) fn strike(&mut self, file: Hash) -> bool {
        let known = self.entry(file);
        known.strikes += 1;
        known.strikes > FILE_STRIKES_MAX
    }

    /// The road broke while a chunk was on it; `true` when that was too often for this sync without moving anything.
    pub(super) fn lost(&mut self, file: Hash) -> bool {
        let known = self.entry(file);
        known.lost += 1;
        known.lost >= FILE_LOST_MAX
    }

    /// The bytes at the hub were not those of this file; `true` when that happened before in this sync.
    pub(super) fn wrong(&mut self, file: Hash) -> bool {
        self.learn(file, Stands::Wrong);
        let known = self.entry(file);
        known.reached = 0;
        std::mem::replace(&mut known.renewed, true)
    }
}
