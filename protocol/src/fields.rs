//! Small helpers for reading structures: lists with a bound, and fields that must be there.

use crate::cbor::{Reader, Writer};
use crate::error::{Error, Result};

/// Reads a list of at most `limit` items.
pub(crate) fn list<T>(
    r: &mut Reader<'_>,
    limit: usize,
    what: &'static str,
    mut read: impl FnMut(&mut Reader<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let n = r.array(limit, what)?;
    // Grows with what is really there: a claimed length alone reserves nothing.
    let mut items = Vec::new();
    for _ in 0..n {
        items.push(read(r)?);
    }
    Ok(items)
}

/// Writes a list.
pub(crate) fn write_list<T>(w: &mut Writer, items: &[T], mut write: impl FnMut(&mut Writer, &T)) {
    w.array(items.len());
    for item in items {
        write(w, item);
    }
}

/// The value of a field that must be there.
pub(crate) fn need<T>(value: Option<T>, what: &'static str) -> Result<T> {
    value.ok_or(Error::Malformed { what, at: 0 })
}
