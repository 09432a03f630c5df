//! The container: a POSIX ustar archive in which names and contents determine every byte.
//!
//! Nothing of an archive's freedom is left (owners, times, modes, padding, what follows the end), so a changed byte
//! anywhere is found, while everybody's `tar` still opens it.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::crypto::Hash;
use crate::limits::{MAX_BUNDLE_MEMBERS, MAX_KEPT_BYTES, MAX_KEPT_TOTAL_BYTES, MAX_OBJECT_BYTES};

use super::{COPIES, MANIFEST, ORIGINALS};

/// Bytes of a header, and what contents are padded to.
pub const BLOCK_BYTES: usize = 512;
/// Zero bytes after the last member.
pub const END_BYTES: usize = 2 * BLOCK_BYTES;
/// Bytes a name may have.
pub const MAX_NAME_BYTES: usize = 99;

/// Whether a member may have this name.
pub fn is_name(name: &str) -> bool {
    let fits = !name.is_empty() && name.len() <= MAX_NAME_BYTES;
    let known = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/');
    fits && name.bytes().all(known) && name.split('/').all(|piece| !piece.is_empty() && !piece.starts_with('.'))
}

/// Whether a member is only hashed while a bundle is read, because it may be large.
pub fn is_hashed_only(name: &str) -> bool {
    name.starts_with(ORIGINALS) || name.starts_with(COPIES)
}

/// The header of a member; `None` when name or size have no place in one.
pub fn header(name: &str, size_bytes: u64) -> Option<[u8; BLOCK_BYTES]> {
    if !is_name(name) || size_bytes >= 1 << 33 {
        return None;
    }
    let mut block = [0; BLOCK_BYTES];
    let mut put = |at: usize, text: &[u8]| block[at..at + text.len()].copy_from_slice(text);
    put(0, name.as_bytes());
    put(100, b"0000644\x000000000\x000000000\x00");
    put(124, format!("{size_bytes:011o}").as_bytes());
    put(136, b"00000000000");
    put(148, b"        0");
    put(257, b"ustar\x0000");
    put(329, b"0000000\x000000000");
    let sum: u32 = block.iter().map(|b| u32::from(*b)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Zero bytes after a content of this length.
pub fn padding(size_bytes: u64) -> usize {
    let over = (size_bytes % BLOCK_BYTES as u64) as usize;
    (BLOCK_BYTES - over) % BLOCK_BYTES
}

/// A member as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its length.
    pub size_bytes: u64,
    /// Its hash.
    pub sha256: Hash,
    /// Its content, unless it is only hashed ([`is_hashed_only`]).
    pub bytes: Option<Vec<u8>>,
}

/// How reading ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Where and as it should.
    Whole,
    /// The file ended too early.
    Cut,
    /// The bytes before this offset are the last that are as they should be.
    Form {
        /// Offset of the block that is not.
        at: u64,
    },
}

/// What was found in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Members that were read whole.
    pub members: BTreeMap<String, Member>,
    /// How reading ended.
    pub end: End,
}

enum State {
    Header,
    Content { left: u64 },
    Padding { left: usize, zero: bool },
    LastBlock,
    After,
    Wrong { at: u64 },
}

/// Reads a bundle piece by piece, in whatever pieces it comes, and hashes while it reads.
///
/// ```
/// use yenban_protocol::bundle::tar::{End, Scanner, header, padding};
/// let mut scanner = Scanner::default();
/// scanner.feed(&header("manifest.cbor", 3).ok_or("a good name")?);
/// scanner.feed(b"abc");
/// scanner.feed(&vec![0; padding(3) + 1024]);
/// let contents = scanner.finish();
/// assert_eq!(contents.end, End::Whole);
/// assert_eq!(contents.members["manifest.cbor"].bytes.as_deref(), Some(&b"abc"[..]));
/// # Ok::<(), &str>(())
/// ```
pub struct Scanner {
    state: State,
    block: [u8; BLOCK_BYTES],
    filled: usize,
    at: u64,
    name: String,
    size_bytes: u64,
    hash: Sha256,
    kept: Option<Vec<u8>>,
    kept_total: u64,
    members: BTreeMap<String, Member>,
}

impl Default for Scanner {
    fn default() -> Self {
        Self {
            state: State::Header,
            block: [0; BLOCK_BYTES],
            filled: 0,
            at: 0,
            name: String::new(),
            size_bytes: 0,
            hash: Sha256::new(),
            kept: None,
            kept_total: 0,
            members: BTreeMap::new(),
        }
    }
}

impl Scanner {
    /// Takes the next bytes of the file.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match self.state {
                State::Header | State::LastBlock => self.fill(bytes),
                State::Content { left } => self.content(bytes, left),
                State::Padding { left, zero } => self.padding(bytes, left, zero),
                State::After => {
                    self.state = State::Wrong { at: self.at };
                    return;
                }
                State::Wrong { .. } => return,
            };
            self.at += taken as u64;
            bytes = &bytes[taken..];
        }
    }

    /// Whether nothing that follows can change what was found.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Wrong { .. })
    }

    /// The file is over.
    pub fn finish(self) -> Contents {
        let end = match self.state {
            State::After => End::Whole,
            State::Wrong { at } => End::Form { at },
            _ => End::Cut,
        };
        Contents { members: self.members, end }
    }

    fn fill(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(BLOCK_BYTES - self.filled);
        self.block[self.filled..self.filled + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        if self.filled == BLOCK_BYTES {
            self.filled = 0;
            let zero = self.block.iter().all(|b| *b == 0);
            let start = (self.at + taken as u64).saturating_sub(BLOCK_BYTES as u64);
            let next = match (&self.state, zero) {
                (State::LastBlock, true) => Some(State::After),
                (State::Header, true) => Some(State::LastBlock),
                (State::Header, false) => self.begin(),
                _ => None,
            };
            self.state = next.unwrap_or(State::Wrong { at: start });
            self.end_of_content();
        }
        taken
    }

    /// Reads the header in `block`; `None` when it is not what name and size make.
    fn begin(&mut self) -> Option<State> {
        let name = self.block[..100].split(|b| *b == 0).next().and_then(|name| core::str::from_utf8(name).ok())?;
        let digits = &self.block[124..135];
        if !digits.iter().all(|b| (b'0'..=b'7').contains(b)) {
            return None;
        }
        let size_bytes = digits.iter().fold(0, |size, b| (size << 3) | u64::from(b - b'0'));
        let order = match self.members.len() {
            0 => name == MANIFEST,
            1 => name != MANIFEST,
            _ => name != MANIFEST && self.name.as_str() < name,
        };
        let hashed_only = is_hashed_only(name);
        let limit = if hashed_only { MAX_OBJECT_BYTES } else { MAX_KEPT_BYTES };
        if header(name, size_bytes)? != self.block || !order || size_bytes > limit || self.members.len() >= MAX_BUNDLE_MEMBERS {
            return None;
        }
        if !hashed_only {
            self.kept_total += size_bytes;
            if self.kept_total > MAX_KEPT_TOTAL_BYTES {
                return None;
            }
        }
        self.name = name.to_owned();
        self.size_bytes = size_bytes;
        self.hash = Sha256::new();
        // Grows with what really comes: a claimed length alone reserves nothing.
        self.kept = (!hashed_only).then(Vec::new);
        Some(State::Content { left: size_bytes })
    }

    fn content(&mut self, bytes: &[u8], left: u64) -> usize {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        self.hash.update(&bytes[..taken]);
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(&bytes[..taken]);
        }
        self.state = State::Content { left: left - taken as u64 };
        self.end_of_content();
        taken
    }

    /// Goes on to the padding, or to the next header, once nothing of the content is left.
    fn end_of_content(&mut self) {
        if matches!(self.state, State::Content { left: 0 }) {
            match padding(self.size_bytes) {
                0 => self.keep(),
                left => self.state = State::Padding { left, zero: true },
            }
        }
    }

    fn padding(&mut self, bytes: &[u8], left: usize, zero: bool) -> usize {
        let taken = left.min(bytes.len());
        let zero = zero && bytes[..taken].iter().all(|b| *b == 0);
        self.state = State::Padding { left: left - taken, zero };
        if left == taken {
            if zero {
                self.keep();
            } else {
                self.state = State::Wrong { at: self.at + taken as u64 - padding(self.size_bytes) as u64 };
            }
        }
        taken
    }

    /// The member was read whole.
    fn keep(&mut self) {
        let sha256 = core::mem::take(&mut self.hash).finalize().into();
        let member = Member { size_bytes: self.size_bytes, sha256, bytes: self.kept.take() };
        self.members.insert(self.name.clone(), member);
        self.state = State::Header;
    }
}
