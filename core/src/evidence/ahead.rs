//! Decoding a picture while its file is being sealed: two cores, and a decoder that takes longer than everything else.
//!
//! The decoder reads the sealed file as it grows, so a copy is of the sealed bytes here too, memory stays flat, and
//! sealing never waits for it. A decoder may end the whole program. That must not keep a photograph out of the log at
//! every try, so a mark lies in the folder of sealed files while one works beside sealing; a program that finds such a
//! mark at its start ([`UNFINISHED`](super::seal::UNFINISHED) files) decodes after the entry is on the disk.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use yenban_protocol::object::ContentKey;

use super::look::{Format, Look};
use super::preview::{self, Shrunk, reasons};
use super::seal::{SealedReader, UNFINISHED};
use crate::disk::{Disk, DiskFile};
use crate::error::Result;

/// A file while it is being sealed.
pub(crate) struct SoFar<'a> {
    pub path: &'a Path,
    pub key: &'a ContentKey,
    pub progress: &'a Arc<Progress>,
}

/// How much of a file can be read, between who writes it and who reads it.
#[derive(Default)]
pub(crate) struct Progress {
    state: Mutex<State>,
    moved: Condvar,
}

#[derive(Default)]
struct State {
    written_bytes: u64,
    ended: bool,
    given_up: bool,
}

impl Progress {
    /// The file has this many bytes now.
    pub(crate) fn written(&self, bytes: u64) {
        self.change(|state| state.written_bytes = bytes);
    }

    /// No more come.
    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    fn give_up(&self) {
        self.change(|state| state.given_up = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.moved.notify_all();
    }

    /// Nothing that can panic runs while it is held, so a poisoned lock is as good as another.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until bytes from `at` on can be read, and how many; 0 at the end.
    fn readable(&self, at: u64) -> io::Result<u64> {
        let waiting = |state: &mut State| state.written_bytes <= at && !state.ended && !state.given_up;
        let state = self.moved.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner);
        if state.given_up {
            return Err(io::Error::other("sealing was given up"));
        }
        Ok(state.written_bytes.saturating_sub(at))
    }
}

/// A file that is being written by somebody else.
pub(super) struct Growing {
    file: Box<dyn DiskFile>,
    at: u64,
    progress: Arc<Progress>,
}

impl Growing {
    pub(super) fn new(file: Box<dyn DiskFile>, progress: Arc<Progress>) -> Growing {
        Growing { file, at: 0, progress }
    }
}

impl Read for Growing {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let readable = usize::try_from(self.progress.readable(self.at)?).unwrap_or(usize::MAX).min(out.len());
        let count = self.file.read(&mut out[..readable])?;
        self.at += count as u64;
        Ok(count)
    }
}

/// A decoder at work beside the sealing of its file.
pub(crate) struct Ahead {
    disk: Arc<dyn Disk>,
    mark: PathBuf,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<Result<Decoded>>>,
}

/// What came of decoding.
pub(crate) type Decoded = std::result::Result<Shrunk, &'static str>;

impl Ahead {
    /// Starts a decoder when the frame in sight allows it; `None` when it does not, or when there is no mark to be had.
    pub(crate) fn begin(disk: &Arc<dyn Disk>, objects: &Path, look: &Look, so_far: &SoFar<'_>) -> Option<Ahead> {
        look.frame().filter(preview::may_begin)?;
        let mark = objects.join(format!("{UNFINISHED}decoding"));
        drop(disk.create_new(&mark).ok()?);
        let mut ahead = Ahead { disk: disk.clone(), mark, progress: so_far.progress.clone(), thread: None };
        let mut reader = SealedReader::while_sealing(disk.as_ref(), so_far).ok()?;
        let work = move || {
            let shrunk = preview::shrink(Format::Jpeg, &mut reader);
            reader.failed().map_or(Ok(shrunk), Err)
        };
        ahead.thread = Some(std::thread::Builder::new().name("decode".into()).spawn(work).ok()?);
        Some(ahead)
    }

    /// Waits for the decoder.
    ///
    /// # Errors
    /// The sealed file could not be read.
    pub(crate) fn finish(mut self) -> Result<Decoded> {
        let decoded = self.thread.take().map(JoinHandle::join);
        decoded.and_then(std::result::Result::ok).unwrap_or(Ok(Err(reasons::NOT_DECODABLE)))
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.progress.give_up();
        let _ = self.thread.take().map(JoinHandle::join);
        // One that stays is swept at the next start, and until then nothing is decoded ahead. A program that unwinds ends.
        if !std::thread::panicking() {
            let _ = self.disk.remove(&self.mark);
        }
    }
}
