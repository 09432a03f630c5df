//! Deterministic CBOR (RFC 8949, 4.2.1), the subset of the log: integers, byte and text strings, arrays,
//! maps, true, false and null. No floats, tags, indefinite lengths or other simple values.
//!
//! Our own, because what is hashed must have exactly one encoding: [`Reader`] refuses every other one while
//! it reads, in one pass and without allocation (ADR 0002).
//!
//! ```
//! use yenban_protocol::cbor::{Reader, Writer};
//! let mut w = Writer::new();
//! w.map(2).uint(0).uint(500).uint(1).text("suối");
//! let bytes = w.into_bytes();
//! let mut r = Reader::new(&bytes);
//! let mut m = r.map("example")?;
//! assert_eq!(m.key(&mut r)?, Some(0));
//! assert_eq!(r.uint("count")?, 500);
//! assert_eq!(m.key(&mut r)?, Some(1));
//! assert_eq!(r.text("name")?, "suối");
//! assert_eq!(m.key(&mut r)?, None);
//! r.end("example")?;
//! # Ok::<(), yenban_protocol::Error>(())
//! ```

use crate::error::{Error, Result};
use crate::limits::MAX_DEPTH;

/// Writes deterministic CBOR. The caller keeps map keys in ascending order.
#[derive(Debug, Default, Clone)]
pub struct Writer {
    out: Vec<u8>,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for `size_bytes`.
    pub fn with_capacity(size_bytes: usize) -> Self {
        Self { out: Vec::with_capacity(size_bytes) }
    }

    fn head(&mut self, major: u8, n: u64) -> &mut Self {
        let m = major << 5;
        if n < 24 {
            self.out.push(m | n as u8);
        } else if n <= 0xff {
            self.out.extend_from_slice(&[m | 24, n as u8]);
        } else if n <= 0xffff {
            self.out.push(m | 25);
            self.out.extend_from_slice(&(n as u16).to_be_bytes());
        } else if n <= 0xffff_ffff {
            self.out.push(m | 26);
            self.out.extend_from_slice(&(n as u32).to_be_bytes());
        } else {
            self.out.push(m | 27);
            self.out.extend_from_slice(&n.to_be_bytes());
        }
        self
    }

    /// An unsigned integer.
    pub fn uint(&mut self, n: u64) -> &mut Self {
        self.head(0, n)
    }

    /// A signed integer.
    pub fn int(&mut self, n: i64) -> &mut Self {
        if n < 0 { self.head(1, !(n as u64)) } else { self.head(0, n as u64) }
    }

    /// The integer -1 - n, for values below the range of `i64`.
    pub fn nint(&mut self, n: u64) -> &mut Self {
        self.head(1, n)
    }

    /// A byte string.
    pub fn bytes(&mut self, b: &[u8]) -> &mut Self {
        self.head(2, b.len() as u64);
        self.out.extend_from_slice(b);
        self
    }

    /// A text string.
    pub fn text(&mut self, s: &str) -> &mut Self {
        self.head(3, s.len() as u64);
        self.out.extend_from_slice(s.as_bytes());
        self
    }

    /// The head of an array of `n` items, which the caller writes next.
    pub fn array(&mut self, n: usize) -> &mut Self {
        self.head(4, n as u64)
    }

    /// The head of a map of `n` pairs, which the caller writes next with ascending keys.
    pub fn map(&mut self, n: usize) -> &mut Self {
        self.head(5, n as u64)
    }

    /// True or false.
    pub fn bool(&mut self, b: bool) -> &mut Self {
        self.out.push(if b { 0xf5 } else { 0xf4 });
        self
    }

    /// Null.
    pub fn null(&mut self) -> &mut Self {
        self.out.push(0xf6);
        self
    }

    /// Bytes that are deterministic CBOR already.
    pub fn raw(&mut self, item: &[u8]) -> &mut Self {
        self.out.extend_from_slice(item);
        self
    }

    /// What has been written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.out
    }

    /// What has been written, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.out
    }
}

/// One item's kind, seen without consuming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Unsigned integer.
    Uint,
    /// Negative integer.
    Nint,
    /// Byte string.
    Bytes,
    /// Text string.
    Text,
    /// Array.
    Array,
    /// Map.
    Map,
    /// True or false.
    Bool,
    /// Null.
    Null,
}

/// Reads deterministic CBOR and refuses everything else.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    buf: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the start of `buf`.
    pub fn new(buf: &'a [u8]) -> Self {
        Self { buf, at: 0 }
    }

    /// Offset of the next byte.
    pub fn position(&self) -> usize {
        self.at
    }

    fn bad<T>(&self, what: &'static str) -> Result<T> {
        Err(Error::Malformed { what, at: self.at })
    }

    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8]> {
        match self.at.checked_add(n).and_then(|end| self.buf.get(self.at..end)) {
            Some(slice) => {
                self.at += n;
                Ok(slice)
            }
            None => self.bad(what),
        }
    }

    fn head(&mut self, what: &'static str) -> Result<(u8, u64)> {
        let start = self.at;
        let first = self.take(1, what)?[0];
        let (major, info) = (first >> 5, first & 31);
        let n = match info {
            0..=23 => u64::from(info),
            24..=27 => {
                let raw = self.take(1 << (info - 24), what)?;
                let n = raw.iter().fold(0u64, |n, b| (n << 8) | u64::from(*b));
                let least = [24, 0x100, 0x1_0000, 0x1_0000_0000][usize::from(info - 24)];
                // Majors 0 to 5 must use the shortest form; floats and tags are refused by the callers.
                if n < least {
                    self.at = start;
                    return self.bad(what);
                }
                n
            }
            _ => {
                self.at = start;
                return self.bad(what);
            }
        };
        Ok((major, n))
    }

    fn expect(&mut self, major: u8, what: &'static str) -> Result<u64> {
        let start = self.at;
        let (found, n) = self.head(what)?;
        if found != major {
            self.at = start;
            return self.bad(what);
        }
        Ok(n)
    }

    /// The kind of the next item.
    pub fn kind(&self, what: &'static str) -> Result<Kind> {
        match self.buf.get(self.at).copied() {
            Some(b) if b >> 5 < 6 => Ok([Kind::Uint, Kind::Nint, Kind::Bytes, Kind::Text, Kind::Array, Kind::Map][usize::from(b >> 5)]),
            Some(0xf4 | 0xf5) => Ok(Kind::Bool),
            Some(0xf6) => Ok(Kind::Null),
            _ => self.bad(what),
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, what: &'static str) -> Result<u64> {
        self.expect(0, what)
    }

    /// An unsigned integer that fits `u32`.
    pub fn u32(&mut self, what: &'static str) -> Result<u32> {
        let at = self.at;
        u32::try_from(self.uint(what)?).map_err(|_| Error::Malformed { what, at })
    }

    /// A signed integer that fits `i64`.
    pub fn int(&mut self, what: &'static str) -> Result<i64> {
        let start = self.at;
        let (major, n) = self.head(what)?;
        let value = i64::try_from(n).ok().and_then(|n| match major {
            0 => Some(n),
            1 => Some(-1 - n),
            _ => None,
        });
        value.ok_or(Error::Malformed { what, at: start })
    }

    /// The argument of a negative integer (its value is -1 - n).
    pub fn nint(&mut self, what: &'static str) -> Result<u64> {
        self.expect(1, what)
    }

    /// A byte string.
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8]> {
        let n = self.expect(2, what)?;
        self.take(usize::try_from(n).unwrap_or(usize::MAX), what)
    }

    /// A byte string of exactly `N` bytes.
    pub fn fixed<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N]> {
        let at = self.at;
        self.bytes(what)?.try_into().map_err(|_| Error::Malformed { what, at })
    }

    /// A byte string of at most `limit` bytes.
    pub fn bytes_up_to(&mut self, limit: usize, what: &'static str) -> Result<&'a [u8]> {
        let b = self.bytes(what)?;
        if b.len() > limit { Err(Error::Limit { what, limit }) } else { Ok(b) }
    }

    /// A text string.
    pub fn text(&mut self, what: &'static str) -> Result<&'a str> {
        let at = self.at;
        let n = self.expect(3, what)?;
        let raw = self.take(usize::try_from(n).unwrap_or(usize::MAX), what)?;
        core::str::from_utf8(raw).map_err(|_| Error::Malformed { what, at })
    }

    /// A text string of at most `limit` bytes.
    pub fn text_up_to(&mut self, limit: usize, what: &'static str) -> Result<&'a str> {
        let s = self.text(what)?;
        if s.len() > limit { Err(Error::Limit { what, limit }) } else { Ok(s) }
    }

    /// The head of an array: how many items follow, at most `limit`.
    pub fn array(&mut self, limit: usize, what: &'static str) -> Result<usize> {
        let n = usize::try_from(self.expect(4, what)?).unwrap_or(usize::MAX);
        if n > limit { Err(Error::Limit { what, limit }) } else { Ok(n) }
    }

    /// The head of an array of exactly `n` items.
    pub fn tuple(&mut self, n: usize, what: &'static str) -> Result<()> {
        let at = self.at;
        if self.expect(4, what)? == n as u64 { Ok(()) } else { Err(Error::Malformed { what, at }) }
    }

    /// The head of a map with unsigned integer keys; see [`Fields`].
    pub fn map(&mut self, what: &'static str) -> Result<Fields> {
        let left = self.expect(5, what)?;
        Ok(Fields { left, last: None, what })
    }

    /// The head of a map whose keys may be of any kind: how many pairs follow.
    pub fn pairs(&mut self, what: &'static str) -> Result<usize> {
        let n = self.expect(5, what)?;
        Ok(usize::try_from(n).unwrap_or(usize::MAX))
    }

    /// True or false.
    pub fn bool(&mut self, what: &'static str) -> Result<bool> {
        match self.take(1, what)?[0] {
            0xf4 => Ok(false),
            0xf5 => Ok(true),
            _ => {
                self.at -= 1;
                self.bad(what)
            }
        }
    }

    /// Consumes a null if one is next.
    pub fn null(&mut self) -> bool {
        let is = self.buf.get(self.at) == Some(&0xf6);
        self.at += usize::from(is);
        is
    }

    /// Reads over one item of any kind, checking it, and gives its bytes.
    pub fn item(&mut self, what: &'static str) -> Result<&'a [u8]> {
        let start = self.at;
        self.skip(what, 0)?;
        Ok(&self.buf[start..self.at])
    }

    fn skip(&mut self, what: &'static str, depth: usize) -> Result<()> {
        if depth >= MAX_DEPTH {
            return Err(Error::Limit { what: "nesting", limit: MAX_DEPTH });
        }
        match self.kind(what)? {
            Kind::Uint | Kind::Nint => self.head(what).map(drop),
            Kind::Bytes => self.bytes(what).map(drop),
            Kind::Text => self.text(what).map(drop),
            Kind::Bool | Kind::Null => self.take(1, what).map(drop),
            Kind::Array => {
                let n = self.expect(4, what)?;
                (0..n).try_for_each(|_| self.skip(what, depth + 1))
            }
            Kind::Map => {
                let n = self.expect(5, what)?;
                let mut last: Option<&[u8]> = None;
                for _ in 0..n {
                    let start = self.at;
                    self.skip(what, depth + 1)?;
                    let key = &self.buf[start..self.at];
                    if last.is_some_and(|l| l >= key) {
                        return Err(Error::Malformed { what, at: start });
                    }
                    last = Some(key);
                    self.skip(what, depth + 1)?;
                }
                Ok(())
            }
        }
    }

    /// Nothing may follow.
    pub fn end(&self, what: &'static str) -> Result<()> {
        if self.at == self.buf.len() { Ok(()) } else { self.bad(what) }
    }
}

/// Walks a map's unsigned integer keys in order. A key that the caller does not know is skipped with
/// [`Reader::item`]: unknown fields are kept, because the bytes themselves are kept.
#[derive(Debug)]
pub struct Fields {
    left: u64,
    last: Option<u64>,
    what: &'static str,
}

impl Fields {
    /// The next key, or `None` at the end of the map.
    pub fn key(&mut self, r: &mut Reader<'_>) -> Result<Option<u64>> {
        if self.left == 0 {
            return Ok(None);
        }
        let at = r.at;
        let key = r.uint(self.what)?;
        if self.last.is_some_and(|l| l >= key) {
            return Err(Error::Malformed { what: self.what, at });
        }
        self.left -= 1;
        self.last = Some(key);
        Ok(Some(key))
    }
}

/// Checks that `bytes` are exactly one deterministic item.
pub fn check(bytes: &[u8]) -> Result<()> {
    let mut r = Reader::new(bytes);
    r.item("item")?;
    r.end("item")
}
