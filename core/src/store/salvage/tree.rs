//! The cells of one page of a tree, and the record in each, without the pages around it.
//!
//! Only what overflows needs other pages. Whatever does not fit the format ends the cell, never the reading.

use rusqlite::types::Value;

use super::pages::{Content, Pages};
use crate::limits::RECORD_MAX_BYTES;

/// A record of a leaf, with its row number where the table has one.
pub(super) struct Record {
    pub rowid: Option<i64>,
    pub values: Vec<Value>,
}

const TABLE_LEAF: u8 = 0x0d;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INNER: u8 = 0x02;
/// Bytes of the database's header on the first page.
const HEADER: usize = 100;
/// The most columns a record of ours has.
const COLUMNS_MAX: usize = 32;

/// The records on a page; what overflows is taken from the newest content of other ones.
pub(super) fn records(number: u32, content: &Content, pages: &Pages) -> Vec<Record> {
    let head = if number == 1 { HEADER } else { 0 };
    let Some(kind) = content.get(head).copied() else { return Vec::new() };
    let inner = match kind {
        TABLE_LEAF | INDEX_LEAF => 0,
        INDEX_INNER => 4,
        _ => return Vec::new(),
    };
    let cells = u16_at(content, head + 3);
    let first = head + 8 + inner;
    let cell = |i: usize| {
        let at = u16_at(content, first + 2 * i) + inner;
        read_cell(content.get(at..)?, kind == TABLE_LEAF, pages)
    };
    (0..cells.min(pages.usable / 2)).filter_map(cell).collect()
}

fn read_cell(mut cell: &[u8], table: bool, pages: &Pages) -> Option<Record> {
    let len = usize::try_from(varint(&mut cell)?).ok().filter(|len| *len <= RECORD_MAX_BYTES)?;
    let rowid = if table { Some(varint(&mut cell)?.cast_signed()) } else { None };
    let here = local(len, table, pages.usable);
    let mut payload = cell.get(..here)?.to_vec();
    if here < len {
        let mut next = u32::from_be_bytes(*cell.get(here..)?.first_chunk()?);
        while payload.len() < len {
            let content = pages.page(next)?;
            let more = content.get(4..pages.usable)?;
            payload.extend_from_slice(&more[..more.len().min(len - payload.len())]);
            next = u32::from_be_bytes(*content.first_chunk()?);
        }
    }
    Some(Record { rowid, values: values(&payload)? })
}

/// How much of a payload of `len` bytes stands in the cell itself.
fn local(len: usize, table: bool, usable: usize) -> usize {
    let most = if table { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
    if len <= most {
        return len;
    }
    let least = (usable - 12) * 32 / 255 - 23;
    let fitting = least + (len - least) % (usable - 4);
    if fitting <= most { fitting } else { least }
}

fn values(payload: &[u8]) -> Option<Vec<Value>> {
    let mut rest = payload;
    let head = usize::try_from(varint(&mut rest)?).ok()?;
    let read = payload.len() - rest.len();
    let mut types = payload.get(read..head)?;
    let mut body = payload.get(head..)?;
    let mut out = Vec::new();
    while !types.is_empty() {
        let kind = varint(&mut types)?;
        out.push(value(kind, &mut body)?);
        if out.len() > COLUMNS_MAX {
            return None;
        }
    }
    Some(out)
}

fn value(kind: u64, body: &mut &[u8]) -> Option<Value> {
    let mut take = |n: usize| {
        let (value, rest) = body.split_at_checked(n)?;
        *body = rest;
        Some(value)
    };
    let integer = |bytes: &[u8]| {
        let sign = if bytes.first().is_some_and(|byte| byte & 0x80 != 0) { -1 } else { 0 };
        bytes.iter().fold(sign, |all, byte| (all << 8) | i64::from(*byte))
    };
    Some(match kind {
        0 => Value::Null,
        1..=4 => Value::Integer(integer(take(usize::try_from(kind).ok()?)?)),
        5 => Value::Integer(integer(take(6)?)),
        6 => Value::Integer(integer(take(8)?)),
        8 | 9 => Value::Integer(i64::from(kind == 9)),
        n if n >= 12 => {
            let bytes = take(usize::try_from((n - 12) / 2).ok()?)?.to_vec();
            if n % 2 == 0 { Value::Blob(bytes) } else { Value::Text(String::from_utf8(bytes).ok()?) }
        }
        // Nothing of ours is a fraction.
        _ => return None,
    })
}

/// Up to nine bytes, seven bits each, the ninth whole.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut out = 0;
    for place in 0..9 {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        if place == 8 {
            return Some((out << 8) | u64::from(*byte));
        }
        out = (out << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some(out);
        }
    }
    None
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |two| usize::from(u16::from_be_bytes(*two)))
}
