//! The pages of an encrypted database and of its write-ahead log, each opened alone.
//!
//! ```text
//! page  = ciphertext | IV (16) | HMAC-SHA-256 of ciphertext, IV and page number (32)      AES-256-CBC
//! first = salt of the HMAC key (16) | the rest of the page, of which the salt takes the first 16 bytes
//! log   = header (32) | frames: page number, pages after commit or 0, salts, checksums (24) | page
//! ```
//!
//! The database's library gives a file up at the first page that does not authenticate, and with a page of a tree all
//! that hangs below it. Here a page that is whole is read whatever lies around it. Where the salt is gone too, nothing
//! authenticates; what then looks like a row is taken, because everything in a row of ours proves itself later.

use std::collections::{BTreeMap, BTreeSet};

use aes::Aes256;
use aes::cipher::{Array, BlockCipherDecrypt, KeyInit as _};
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha512};

use crate::keys::Secret32;
use crate::limits::PAGE_SIZE_BYTES;

const PAGE: usize = PAGE_SIZE_BYTES as usize;
const BLOCK: usize = 16;
const TAG: usize = 32;
/// Bytes of a page that are enciphered.
const SEALED: usize = PAGE - BLOCK - TAG;
/// Bytes of a page that a tree uses, where the first page does not say it: the room that the library keeps at a page's end
/// when its key is given is for the longest HMAC it knows, and stays so with a shorter one.
const USABLE: usize = PAGE - 80;
/// Bytes of the first page that are the salt.
const SALT: usize = 16;
const LOG_HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// What each byte of the salt is changed by for the HMAC's key.
const SALT_MASK: u8 = 0x3a;

/// A page's content.
pub(super) type Content = Vec<u8>;

/// Everything that could be opened.
pub(super) struct Pages {
    /// Readable versions of pages, the oldest first: number and content.
    pub read: Vec<(u32, Content)>,
    /// Where in `read` the newest readable version of each page stands.
    pub newest: BTreeMap<u32, usize>,
    /// Pages that hold nothing.
    pub free: BTreeSet<u32>,
    /// Bytes of each page that its trees use.
    pub usable: usize,
    /// The number of its schema, 0 where that is not known.
    pub schema: u32,
    /// Pages that the database has, as far as that is known.
    pub count: u32,
    /// How many of them do not open in their newest version.
    pub unreadable: u32,
    /// Whether a frame of the write-ahead log that counts, or the log's header, does not say what it should.
    pub log_damaged: bool,
}

impl Pages {
    /// The newest readable content of a page.
    pub(super) fn page(&self, number: u32) -> Option<&Content> {
        self.newest.get(&number).map(|at| &self.read[*at].1)
    }
}

/// A page as it lies in a file.
struct Raw<'a> {
    number: u32,
    /// 0: a leftover in the log from before; 1: the database; above: frames of the log.
    age: u64,
    bytes: &'a [u8],
}

/// Opens every page of a database file and its write-ahead log. Total: whatever the bytes are.
pub(super) fn open(database: &[u8], log: &[u8], key: &Secret32) -> Pages {
    let cipher = Aes256::new(&Array::from(**key));
    let mut raw: Vec<Raw<'_>> = Vec::new();
    for (number, bytes) in (1..).zip(database.chunks(PAGE)) {
        raw.push(Raw { number, age: 1, bytes });
    }
    let frames = frames(log);
    let committed = frames.committed;
    // No page has a higher number than this, whatever a damaged frame says.
    let highest = u32::try_from(raw.len() + frames.raw.len()).unwrap_or(u32::MAX);
    raw.extend(frames.raw.into_iter().filter(|page| (1..=highest).contains(&page.number)));
    let salts = raw.iter().filter(|page| page.number == 1).filter_map(|page| page.bytes.first_chunk::<SALT>());
    let salts: Vec<[u8; SALT]> = salts.copied().collect();
    let mac_key = salts.iter().map(|salt| mac_key(key, salt)).find(|mac| raw.iter().any(|page| is_whole(page, mac)));
    let opens = |page: &Raw<'_>| match &mac_key {
        Some(mac) => is_whole(page, mac),
        // Without a salt to check with, whatever is there is looked at.
        None => page.bytes.len() == PAGE && page.bytes.iter().any(|byte| *byte != 0),
    };
    raw.sort_by_key(|page| page.age);
    let mut pages = Pages {
        read: Vec::new(),
        newest: BTreeMap::new(),
        free: BTreeSet::new(),
        usable: USABLE,
        schema: 0,
        count: 0,
        unreadable: 0,
        log_damaged: frames.damaged,
    };
    let mut sound: BTreeMap<u32, bool> = BTreeMap::new();
    for page in &raw {
        let whole = opens(page);
        if page.age > 0 {
            sound.insert(page.number, whole && mac_key.is_some());
        }
        if whole {
            pages.newest.insert(page.number, pages.read.len());
            pages.read.push((page.number, content(page, &cipher)));
        }
    }
    if let Some(first) = pages.page(1).filter(|page| mac_key.is_some() && usize::from(page[20]) < PAGE - 480) {
        pages.usable = PAGE - usize::from(first[20]);
    }
    pages.schema = pages.page(1).filter(|_| mac_key.is_some()).map_or(0, |page| number_at(page, 60));
    pages.count = count(&pages, committed, highest);
    pages.free = free_pages(&pages);
    let is_lost = |number: &u32| !sound.get(number).copied().unwrap_or(false) && !pages.free.contains(number);
    pages.unreadable = u32::try_from((1..=pages.count).filter(is_lost).count()).unwrap_or(u32::MAX);
    pages
}

fn mac_key(key: &Secret32, salt: &[u8; SALT]) -> [u8; 32] {
    // PBKDF2 with HMAC-SHA-512 and two rounds, one block of it.
    let prf = |message: &[&[u8]]| {
        let mut mac = Hmac::<Sha512>::new_from_slice(key.as_ref()).expect("HMAC takes a key of any length");
        message.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes()
    };
    let first = prf(&[&salt.map(|byte| byte ^ SALT_MASK), &1_u32.to_be_bytes()]);
    let second = prf(&[&first]);
    std::array::from_fn(|i| first[i] ^ second[i])
}

/// Where the ciphertext of a page begins.
fn begin(number: u32) -> usize {
    if number == 1 { SALT } else { 0 }
}

fn is_whole(page: &Raw<'_>, mac_key: &[u8; 32]) -> bool {
    if page.bytes.len() != PAGE {
        return false;
    }
    let (signed, tag) = page.bytes.split_at(PAGE - TAG);
    let mut mac = Hmac::<Sha256>::new_from_slice(mac_key).expect("HMAC takes a key of any length");
    mac.update(&signed[begin(page.number)..]);
    mac.update(&page.number.to_le_bytes());
    mac.verify_slice(tag).is_ok()
}

fn content(page: &Raw<'_>, cipher: &Aes256) -> Content {
    let from = begin(page.number);
    let mut previous: [u8; BLOCK] = std::array::from_fn(|i| page.bytes[SEALED + i]);
    let mut out = vec![0; from];
    for sealed in page.bytes[from..SEALED].as_chunks::<BLOCK>().0 {
        let mut block = Array::from(*sealed);
        cipher.decrypt_block(&mut block);
        out.extend(block.iter().zip(previous).map(|(byte, before)| byte ^ before));
        previous = *sealed;
    }
    out
}

#[derive(Default)]
struct Frames<'a> {
    raw: Vec<Raw<'a>>,
    /// Pages of the database after the newest commit.
    committed: Option<u32>,
    damaged: bool,
}

/// The frames of a log. Up to the newest commit they count, and after it those that something damaged; what a program
/// had begun to write and not committed does not, and what an earlier round of the log left is older than the database.
fn frames(log: &[u8]) -> Frames<'_> {
    let Some((header, rest)) = log.split_at_checked(LOG_HEADER) else { return Frames::default() };
    let all: Vec<&[u8]> = rest.chunks(FRAME_HEADER + PAGE).filter(|frame| frame.len() > FRAME_HEADER).collect();
    let Some(first) = all.first() else { return Frames::default() };
    // The first frame is of the newest round, and so says the header, unless either is damaged.
    let agrees = |salts: &[u8]| all.iter().filter(|frame| frame[8..16] == *salts).count();
    let salts = if agrees(&first[8..16]) >= agrees(&header[16..24]) { &first[8..16] } else { &header[16..24] };
    let big_endian = header[3] & 1 == 1;
    let mut before = &header[24..32];
    let mut sound = Vec::with_capacity(all.len());
    for frame in &all {
        sound.push(frame[8..16] == *salts && frame[16..24] == checksum(&[&frame[..8], &frame[FRAME_HEADER..]], before, big_endian));
        before = &frame[16..24];
    }
    let is_commit = |frame: &[u8]| frame[8..16] == *salts && number_at(frame, 4) != 0;
    let last_commit = all.iter().rposition(|frame| is_commit(frame));
    let committed = last_commit.map(|at| number_at(all[at], 4));
    let header_sound = header[24..32] == checksum(&[&header[..24]], &[0; 8], big_endian) && header[16..24] == *salts;
    let mut found = Frames { raw: Vec::with_capacity(all.len()), committed, damaged: !header_sound };
    for (at, frame) in all.iter().enumerate() {
        let counts = last_commit.is_some_and(|last| at <= last);
        let current = counts || frame[8..16] == *salts;
        if current && !counts && sound[at] {
            continue;
        }
        found.damaged |= current && !sound[at];
        let age = if current { at as u64 + 2 } else { 0 };
        found.raw.push(Raw { number: number_at(frame, 0), age, bytes: &frame[FRAME_HEADER..] });
    }
    found
}

fn number_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |four| u32::from_be_bytes(*four))
}

/// The log's running checksum over `parts`, from `before` on.
fn checksum(parts: &[&[u8]], before: &[u8], big_endian: bool) -> [u8; 8] {
    let (mut a, mut b) = (number_at(before, 0), number_at(before, 4));
    for pair in parts.iter().flat_map(|part| part.as_chunks::<8>().0) {
        let word = |at: usize| {
            let four = [pair[at], pair[at + 1], pair[at + 2], pair[at + 3]];
            if big_endian { u32::from_be_bytes(four) } else { u32::from_le_bytes(four) }
        };
        a = a.wrapping_add(word(0)).wrapping_add(b);
        b = b.wrapping_add(word(4)).wrapping_add(a);
    }
    let mut out = [0; 8];
    out[..4].copy_from_slice(&a.to_be_bytes());
    out[4..].copy_from_slice(&b.to_be_bytes());
    out
}

/// How many pages the database has: as the newest commit says, else its first page, else as many as there can be.
fn count(pages: &Pages, committed: Option<u32>, highest: u32) -> u32 {
    let first = pages.page(1).map(|page| number_at(page, 28)).filter(|n| *n > 0);
    // A number that damage made up must not be counted up to.
    committed.or(first).unwrap_or(highest).min(highest.saturating_mul(64).saturating_add(1_024))
}

/// Pages that hold nothing.
fn free_pages(pages: &Pages) -> BTreeSet<u32> {
    let mut free = BTreeSet::new();
    let mut trunk = pages.page(1).map_or(0, |page| number_at(page, 32));
    while let Some(page) = pages.page(trunk).filter(|_| free.insert(trunk)) {
        let leaves = (number_at(page, 4) as usize).min(pages.usable / 4);
        free.extend((0..leaves).map(|i| number_at(page, 8 + 4 * i)));
        trunk = number_at(page, 0);
    }
    free
}
