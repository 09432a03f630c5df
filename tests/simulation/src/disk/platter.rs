//! What of a folder is on the medium, and what a power cut would take: every change since the last sync can be
//! undone, in whole or in part.
//!
//! The files of a node lie as real files in a folder in memory and always show what the program sees. Beside them
//! stands here the list of changes that no sync has covered yet. A power cut undoes all of them, none, any part of
//! them, or half of the last write, as disks do. A sync that failed covers nothing, and no later one covers what it
//! was for: the system has forgotten which pages were dirty.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::undo::{Change, put, redo_some, remove_shared_memory, rest_of, torn_at, undo_all};
use crate::chance::Chance;

/// What a disk with room says is free.
const PLENTY_BYTES: u64 = 8 << 30;

/// What a call to the disk does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Call {
    /// Reads bytes.
    Read,
    /// Writes bytes.
    Write,
    /// Cuts a file.
    Truncate,
    /// Makes a file or a folder.
    Create,
    /// Removes a file.
    Remove,
    /// Gives a file another name.
    Rename,
    /// Makes the bytes of a file durable.
    Sync,
    /// Makes the names in a folder durable.
    SyncFolder,
}

/// What becomes of unsynced changes when the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The program alone died: what it had written is there, synced or not.
    AllKept,
    /// Only what was synced is there.
    OnlySynced,
    /// Any of the writes, in any order; some of them in part, up to the end of a sector.
    Some,
    /// All but the last write, of which a part is there.
    Torn,
}

impl Cut {
    /// All four.
    pub const ALL: [Cut; 4] = [Cut::AllKept, Cut::OnlySynced, Cut::Some, Cut::Torn];
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// EIO.
    Broken,
    /// ENOSPC.
    Full,
    /// Half of a write, then ENOSPC.
    Half,
}

/// Where the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The call does not happen.
    Before,
    /// The call happens; nothing after it does.
    After,
}

/// What is wrong with a disk.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    /// The power goes at the call with this number (counted from now, reads left out).
    pub dies: Option<(u64, When)>,
    /// The call with this number (counted from now, reads left out) fails thus, once.
    pub fails: Option<(u64, Failure)>,
    /// The sync with this number (counted from now) fails, once.
    pub sync_fails: Option<u64>,
    /// From the failing call on all such calls fail thus.
    pub fails_on: bool,
    /// Reads fail in so many of a thousand cases.
    pub reads_per_mille: u32,
    /// Writes and syncs fail in so many of a thousand cases.
    pub writes_per_mille: u32,
    /// Files may grow by so many bytes in all; then the disk is full. What lies there may be written over, and what is
    /// removed or cut off gives its room back.
    pub room_bytes: Option<u64>,
}

/// How a call is to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Go {
    /// As asked.
    On,
    /// It fails.
    Fails(Failure),
    /// It happens, and then the power is gone.
    Last,
    /// Nothing happens any more.
    Dead,
}

/// Changes that no sync has covered.
#[derive(Debug, Clone, Default)]
pub struct Unsynced(Vec<(Change, bool)>);

#[derive(Debug)]
struct State {
    /// Not yet durable, oldest first; `true`: a sync for it failed, and none will cover it any more.
    pending: Vec<(Change, bool)>,
    faults: Faults,
    chance: Chance,
    dead: bool,
    calls: u64,
    hit: u64,
    trace: u64,
}

/// The medium under one node's folder.
#[derive(Debug)]
pub struct Platter {
    root: PathBuf,
    state: Mutex<State>,
}

/// All that are spinning: SQLite's calls find theirs by path.
static SPINNING: Mutex<Vec<Arc<Platter>>> = Mutex::new(Vec::new());

impl Platter {
    /// Begins to watch `root`. What lies there now is durable.
    pub fn spin(root: &Path, chance: Chance) -> Arc<Platter> {
        let state = State { pending: Vec::new(), faults: Faults::default(), chance, dead: false, calls: 0, hit: 0, trace: 0 };
        let platter = Arc::new(Platter { root: root.to_path_buf(), state: Mutex::new(state) });
        let mut spinning = all();
        // One that was left behind would hide this one from SQLite's calls.
        spinning.retain(|other| other.root != root);
        spinning.push(platter.clone());
        drop(spinning);
        platter
    }

    /// The one under which `path` lies.
    pub fn under(path: &Path) -> Option<Arc<Platter>> {
        all().iter().find(|platter| path.starts_with(&platter.root)).cloned()
    }

    /// Stops watching.
    pub fn stop(&self) {
        all().retain(|platter| platter.root != self.root);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong from now on; call numbers start again.
    pub fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.calls = 0;
    }

    /// Lets the power go now: nothing that follows happens.
    pub fn die(&self) {
        self.state().dead = true;
    }

    /// Whether the power is gone.
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Calls that change something or sync, since faults were set last.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// How many calls were made to fail since the last question.
    pub fn take_hits(&self) -> u64 {
        std::mem::take(&mut self.state().hit)
    }

    /// As [`Platter::take_hits`], and they still count.
    pub fn hits(&self) -> u64 {
        self.state().hit
    }

    /// Whether a sync failed and what it was for was never written again.
    pub fn has_lost(&self) -> bool {
        self.state().pending.iter().any(|(_, lost)| *lost)
    }

    /// Bytes beside watched files are kept now, or are gone.
    pub fn room_for(&self, more_bytes: u64, less_bytes: u64) {
        self.state().take_room(more_bytes, less_bytes);
    }

    /// A hash over kind, file, offset and length of all calls so far but reads (the hub reads on many threads): two runs
    /// of a seed must agree on it.
    pub fn trace(&self) -> u64 {
        self.state().trace
    }

    /// Bytes that may still be written.
    pub fn room_bytes(&self) -> u64 {
        self.state().faults.room_bytes.unwrap_or(PLENTY_BYTES)
    }

    /// As [`Platter::room_bytes`], for a program that lets the answer keep it from writing: a small disk is met by asking.
    pub fn ask_for_room(&self) -> u64 {
        let mut state = self.state();
        state.hit += u64::from(state.faults.room_bytes.is_some());
        state.faults.room_bytes.unwrap_or(PLENTY_BYTES)
    }

    /// Whether the disk has an end that can be met.
    pub fn is_small(&self) -> bool {
        self.state().faults.room_bytes.is_some()
    }

    /// Says how a call is to go on.
    pub fn gate(&self, call: Call, path: &Path, offset: u64, len: usize) -> Go {
        let mut state = self.state();
        if state.dead {
            return Go::Dead;
        }
        if call != Call::Read {
            state.note(call, path.strip_prefix(&self.root).unwrap_or(path), offset, len);
        }
        let grows = match call {
            Call::Write if state.faults.room_bytes.is_some() => {
                (offset + len as u64).saturating_sub(fs::metadata(path).map_or(0, |file| file.len()))
            }
            Call::Create => len as u64,
            _ => 0,
        };
        let go = state.decide(call, grows);
        match go {
            Go::Dead => state.dead = true,
            Go::Fails(_) => state.hit += 1,
            _ => {}
        }
        go
    }

    /// After a call that went on: the power may go now.
    pub fn done(&self, go: Go) {
        if go == Go::Last {
            self.state().dead = true;
        }
    }

    /// A write is about to happen: `old` is what stands there now, of a file of `old_len` bytes.
    pub fn wrote(&self, path: &Path, offset: u64, old: Vec<u8>, old_len: u64, new: &[u8]) {
        let mut state = self.state();
        state.take_room((offset + new.len() as u64).saturating_sub(old_len), 0);
        state.pending.push((Change::Write { path: path.to_path_buf(), offset, old, old_len, new: new.to_vec() }, false));
    }

    /// A file was cut; `tail` is what was behind `len`.
    pub fn cut(&self, path: &Path, len: u64, tail: Vec<u8>) {
        let mut state = self.state();
        state.take_room(0, tail.len() as u64);
        state.pending.push((Change::Truncate { path: path.to_path_buf(), len, tail }, false));
    }

    /// A file was made.
    pub fn created(&self, path: &Path) {
        self.state().pending.push((Change::Create { path: path.to_path_buf() }, false));
    }

    /// A file is about to be removed.
    pub fn removing(&self, path: &Path) {
        let (len, blocks) = fs::metadata(path).map_or((0, 0), |file| (file.len(), file.blocks()));
        // A reserve is nothing but its length.
        let bytes = if blocks == 0 { Vec::new() } else { fs::read(path).unwrap_or_default() };
        let mut state = self.state();
        state.take_room(0, len);
        state.pending.push((Change::Remove { path: path.to_path_buf(), bytes, len }, false));
    }

    /// A file is about to get another name.
    pub fn renaming(&self, from: &Path, to: &Path) {
        let over = fs::read(to).ok();
        let mut state = self.state();
        state.pending.push((Change::Rename { from: from.to_path_buf(), to: to.to_path_buf(), over }, false));
    }

    /// The bytes of a file were synced.
    pub fn synced(&self, path: &Path) {
        let mut state = self.state();
        // A file keeps its bytes under whatever name it has now.
        let written = state.written_of(path);
        let cuts = state.cuts_of(path);
        let mut at = 0;
        state.pending.retain_mut(|(change, lost)| {
            at += 1;
            // Lengths are the file system's own: what was forgotten are pages.
            let shortest = cuts.iter().filter(|(place, _)| *place >= at).map(|(_, len)| *len).min();
            !change.of_bytes(path) || (*lost && rest_of(change, &written, shortest))
        });
    }

    /// A sync of a file failed: what it was for is never made durable by another.
    pub fn sync_failed(&self, path: &Path) {
        let mut state = self.state();
        state.pending.iter_mut().filter(|(change, _)| change.of_bytes(path)).for_each(|(_, lost)| *lost = true);
    }

    /// The names of a folder were synced.
    pub fn folder_synced(&self, folder: &Path) {
        let mut state = self.state();
        let names: Vec<bool> = state.pending.iter().map(|(change, _)| change.of_names(folder)).collect();
        // Bytes written before a rename stand under the old name in the list; the new name is durable now.
        for (at, _) in names.iter().enumerate().filter(|(_, is_name)| **is_name) {
            if let Change::Rename { from, to, .. } = &state.pending[at].0 {
                let (from, to) = (from.clone(), to.clone());
                state.pending[..at].iter_mut().for_each(|(change, _)| change.moved(&from, &to));
            }
        }
        let mut names = names.into_iter();
        state.pending.retain(|_| !names.next().unwrap_or(false));
    }

    /// The power comes back: the folder is as the medium has it. Everything in it must be closed.
    ///
    /// # Errors
    /// When the folder in memory itself fails.
    pub fn restart(&self, cut: Cut) -> io::Result<()> {
        let mut state = self.state();
        state.dead = false;
        state.faults = Faults::default();
        state.calls = 0;
        if cut == Cut::AllKept {
            // Nothing of it is durable for that: the power may go later.
            return Ok(());
        }
        let pending = std::mem::take(&mut state.pending);
        let mut chance = state.chance.fork();
        match cut {
            Cut::AllKept => {}
            Cut::OnlySynced => undo_all(&pending)?,
            Cut::Some => {
                undo_all(&pending)?;
                redo_some(&pending, &mut chance)?;
            }
            Cut::Torn => {
                let last = pending.iter().rposition(|(change, _)| matches!(change, Change::Write { .. }));
                if let Some(last) = last {
                    undo_all(&pending[last..])?;
                    if let Change::Write { path, offset, new, .. } = &pending[last].0 {
                        put(path, *offset, &new[..torn_at(*offset, new.len(), &mut chance)])?;
                    }
                }
            }
        }
        remove_shared_memory(&self.root)
    }

    /// What no sync has covered, to go with a copy of the folder.
    pub fn unsynced(&self) -> Unsynced {
        Unsynced(self.state().pending.clone())
    }

    /// Everything that lies there is durable now: somebody put other files in its place.
    pub fn replaced(&self) {
        self.replaced_by(&Unsynced::default());
    }

    /// Somebody put the files back to what they were, with what of them was not durable then.
    pub fn replaced_by(&self, unsynced: &Unsynced) {
        let mut state = self.state();
        state.pending.clone_from(&unsynced.0);
        state.dead = false;
        state.faults = Faults::default();
        state.calls = 0;
    }
}

impl State {
    fn note(&mut self, call: Call, path: &Path, offset: u64, len: usize) {
        let mut hash = self.trace ^ (call as u64).wrapping_mul(0x100_0000_01B3);
        for byte in path.as_os_str().as_encoded_bytes() {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
        self.trace = (hash ^ offset ^ ((len as u64) << 40)).wrapping_mul(0x100_0000_01B3).rotate_left(17);
    }

    fn take_room(&mut self, more: u64, less: u64) {
        if let Some(room) = &mut self.faults.room_bytes {
            *room = room.saturating_sub(more).saturating_add(less);
        }
    }

    /// `grows`: bytes by which the files grow.
    fn decide(&mut self, call: Call, grows: u64) -> Go {
        if call == Call::Read {
            let fails = self.faults.reads_per_mille > 0 && self.chance.happens(self.faults.reads_per_mille);
            return if fails { Go::Fails(Failure::Broken) } else { Go::On };
        }
        let number = self.calls;
        self.calls += 1;
        match self.faults.dies {
            Some((at, When::Before)) if number >= at => return Go::Dead,
            Some((at, When::After)) if number >= at => return Go::Last,
            _ => {}
        }
        if call == Call::Sync
            && let Some(before) = self.faults.sync_fails
        {
            self.faults.sync_fails = before.checked_sub(1);
            if before == 0 {
                return Go::Fails(Failure::Broken);
            }
        }
        if let Some((at, how)) = self.faults.fails
            && (number == at || (self.faults.fails_on && number > at))
        {
            // Removing makes room; it does not fail for want of it.
            if how == Failure::Broken || matches!(call, Call::Write | Call::Create) {
                return Go::Fails(if call == Call::Write { how } else { how.plain() });
            }
        }
        if let Some(room) = self.faults.room_bytes
            && grows > room
        {
            // A write that meets the end has come as far as it could.
            return Go::Fails(if call == Call::Write && room > 0 { Failure::Half } else { Failure::Full });
        }
        if self.faults.writes_per_mille > 0 && self.chance.happens(self.faults.writes_per_mille) {
            let how = match (call, self.chance.below(3)) {
                (Call::Write, 0) => Failure::Full,
                (Call::Write, 1) => Failure::Half,
                _ => Failure::Broken,
            };
            return Go::Fails(how);
        }
        Go::On
    }

    /// Where in the list a file was cut, and to what length.
    fn cuts_of(&self, path: &Path) -> Vec<(usize, u64)> {
        let of = |(at, (change, _)): (usize, &(Change, bool))| match change {
            Change::Truncate { path: file, len, .. } if file == path => Some((at, *len)),
            _ => None,
        };
        self.pending.iter().enumerate().filter_map(of).collect()
    }

    /// The ranges of a file that were written and not lost, since the last sync.
    fn written_of(&self, path: &Path) -> Vec<(u64, u64)> {
        let of = |(change, lost): &(Change, bool)| match change {
            Change::Write { path: file, offset, new, .. } if file == path && !lost => Some((*offset, *offset + new.len() as u64)),
            _ => None,
        };
        self.pending.iter().filter_map(of).collect()
    }
}

impl Failure {
    fn plain(self) -> Failure {
        if self == Failure::Half { Failure::Full } else { self }
    }
}

fn all() -> MutexGuard<'static, Vec<Arc<Platter>>> {
    SPINNING.lock().unwrap_or_else(PoisonError::into_inner)
}
