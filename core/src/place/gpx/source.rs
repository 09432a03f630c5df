//! Bytes on their way to the XML parser: counted, bounded, with the line they stand on.

use std::io::{self, BufRead, Read};

use super::GpxFault;
use crate::place::limits::{GPX_MAX_BYTES, GPX_TOKEN_MAX_BYTES};

/// Most bytes handed out at once.
const PIECE_BYTES: usize = 16 * 1024;

/// A reader that stops at the limits and remembers why.
pub(super) struct Source<R> {
    inner: R,
    /// Bytes handed out so far.
    total: u64,
    /// Bytes handed out since the last [`Source::next_token`].
    token: u64,
    /// The line of the next byte, from 1.
    pub(super) line: u64,
    /// The line of the first control character.
    control_line: Option<u64>,
    /// Why the reader stopped.
    pub(super) stopped: Option<GpxFault>,
}

impl<R: BufRead> Source<R> {
    pub(super) fn new(inner: R) -> Source<R> {
        Source { inner, total: 0, token: 0, line: 1, control_line: None, stopped: None }
    }

    /// The parser begins another tag or text.
    pub(super) fn next_token(&mut self) {
        self.token = 0;
    }

    /// The line of a control character that has been handed out.
    pub(super) fn control_line(&self) -> Option<u64> {
        self.control_line
    }

    fn stop(&mut self, fault: GpxFault) -> io::Error {
        self.stopped = Some(fault);
        io::Error::other("stopped at a limit")
    }
}

impl<R: BufRead> BufRead for Source<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.total > GPX_MAX_BYTES {
            return Err(self.stop(GpxFault::TooLarge));
        }
        if self.token > GPX_TOKEN_MAX_BYTES {
            return Err(self.stop(GpxFault::TokenTooLong));
        }
        // In pieces, so that the bounds hold for a file that is in memory already, too.
        let available = self.inner.fill_buf()?;
        Ok(&available[..available.len().min(PIECE_BYTES)])
    }

    fn consume(&mut self, amount: usize) {
        // Already filled, so this neither reads nor fails.
        if let Ok(bytes) = self.inner.fill_buf() {
            for &byte in bytes.iter().take(amount) {
                match byte {
                    b'\n' => self.line += 1,
                    b'\t' | b'\r' => {}
                    0..=31 | 127 => self.control_line = self.control_line.or(Some(self.line)),
                    _ => {}
                }
            }
        }
        self.total += amount as u64;
        self.token += amount as u64;
        self.inner.consume(amount);
    }
}

impl<R: BufRead> Read for Source<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let amount = available.len().min(into.len());
        into[..amount].copy_from_slice(&available[..amount]);
        self.consume(amount);
        Ok(amount)
    }
}
