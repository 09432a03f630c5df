//! What leaves the process: people's text or one JSON document on standard output, progress and refusals on
//! standard error. A reader that goes away early (a closed pipe) ends the output, not the work.

use std::cell::Cell;
use std::io::Write;

use serde_json::Value;
use yenban_core::clock::{Clock, SystemClock};
use yenban_locales::{Arg, Words};

use crate::fault::{Fault, Result};
use crate::limits::{PROGRESS_MS, QUIET_MS};

/// Where a command speaks.
pub(crate) struct Output {
    /// The words of the person's language.
    pub(crate) words: Words,
    /// One JSON document instead of people's text.
    pub(crate) json: bool,
    progress: bool,
}

impl Output {
    /// An output; `progress` says whether anybody sees standard error.
    pub(crate) fn new(words: Words, json: bool, stderr_is_terminal: bool) -> Self {
        Self { words, json, progress: stderr_is_terminal }
    }

    /// A line of people's text; nothing under `--json`.
    pub(crate) fn line(&self, text: &str) -> Result<()> {
        if self.json { Ok(()) } else { write_out(text) }
    }

    /// A message as a line of people's text.
    pub(crate) fn say(&self, id: &str, args: &[(&str, Arg<'_>)]) -> Result<()> {
        self.line(&self.words.say(id, args))
    }

    /// The one document; nothing without `--json`.
    pub(crate) fn document(&self, document: &Value) -> Result<()> {
        if self.json { write_out(&document.to_string()) } else { Ok(()) }
    }

    /// Tells a refusal on standard error.
    pub(crate) fn refuse(&self, fault: &Fault) {
        let text = if self.json { fault.document(self.words).to_string() } else { fault.sentence(self.words) };
        // Nobody is left to be told when standard error is closed.
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    /// Progress of something that may take long.
    pub(crate) fn progress(&self) -> Progress {
        let clock = SystemClock::new();
        let now = clock.monotonic_ms();
        Progress { shown: self.progress && !self.json, clock, started_ms: now, told_ms: Cell::new(now), told: Cell::new(false) }
    }
}

fn write_out(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Fault::could_not("error-output").with("reason", error)),
    }
}

/// One line on the terminal that is written over; silent in the first second and when nobody looks.
pub(crate) struct Progress {
    shown: bool,
    clock: SystemClock,
    started_ms: u64,
    told_ms: Cell<u64>,
    told: Cell<bool>,
}

impl Progress {
    /// Tells how far the work is.
    pub(crate) fn step(&self, text: impl FnOnce() -> String) {
        let now = self.clock.monotonic_ms();
        let too_early = now.saturating_sub(self.started_ms) < QUIET_MS || now.saturating_sub(self.told_ms.get()) < PROGRESS_MS;
        if !self.shown || too_early {
            return;
        }
        self.told_ms.set(now);
        self.told.set(true);
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "\r\u{1b}[K{}", text()).and_then(|()| err.flush());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.told.get() {
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\u{1b}[K").and_then(|()| err.flush());
        }
    }
}

/// Text of others on one line of a terminal, with nothing in it that steers the cursor or the reader.
pub(crate) fn clean(text: &str) -> String {
    yenban_protocol::text::display_safe(text)
}
