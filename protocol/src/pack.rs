//! The packing filter: lossless, knows no kinds of entry, turns a run of similar entries into columns.
//!
//! Each body is split into a **shape** (its CBOR structure with a marker for each value) and its values.
//! Equal shapes share a table row; the values of one place in one shape form a column. Integer columns are
//! written as differences (to the row above, to its difference, or to the change of the column before:
//! whichever is shortest), text and byte columns as "same as above" or the bytes. All of that is deflated;
//! salts are random and stand outside. Measured on real tracks: docs/BENCHMARKS.md.

use crate::cbor::{Kind, Reader, Writer};
use crate::chain::{Body, Class, Part, SALT_BYTES};
use crate::error::{Error, Result};
use crate::limits::{MAX_DEPTH, MAX_OPENED_BYTES, MAX_PARTS, MAX_SEGMENT_ENTRIES, MAX_SHAPES};

/// Deflate's effort, 0 to 10: above 6 the gain is under a percent, the time double.
const LEVEL: u8 = 6;

/// Markers in shapes: simple values that deterministic CBOR of the log never has.
const INT: u8 = 0xe0;
const BYTES: u8 = 0xe1;
const TEXT: u8 = 0xe2;
/// Ends one part within a shape.
const END: u8 = 0xff;

/// A packed run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Shapes and columns, deflated.
    pub columns: Vec<u8>,
    /// 16 bytes an entry, in order.
    pub salts: Vec<u8>,
}

enum Column<'a> {
    Ints(Vec<i64>),
    Blobs(Vec<&'a [u8]>),
}

#[derive(Default)]
struct Shape<'a> {
    bytes: Vec<u8>,
    columns: Vec<Column<'a>>,
}

/// Packs bodies, or `None` where the filter would not give back exactly the same (then send them raw).
pub fn pack(bodies: &[Body]) -> Option<Packed> {
    let mut shapes: Vec<Shape<'_>> = Vec::new();
    let mut rows = Vec::with_capacity(bodies.len());
    let mut salts = Vec::with_capacity(bodies.len() * SALT_BYTES);
    let (mut shape, mut values) = (Vec::new(), Vec::new());
    for body in bodies {
        salts.extend_from_slice(&body.salt);
        shape.clear();
        values.clear();
        for part in &body.parts {
            shape.push(part.class.0);
            let mut r = Reader::new(&part.bytes);
            split(&mut r, &mut shape, &mut values, 0).ok()?;
            r.end("part").ok()?;
            shape.push(END);
        }
        let known = shapes.iter().position(|s| s.bytes == shape);
        let row = known.unwrap_or(shapes.len());
        if known.is_none() {
            shapes.push(Shape { bytes: shape.clone(), columns: Vec::new() });
        }
        rows.push(row);
        keep(&mut shapes[row], &values)?;
    }
    if shapes.len() > MAX_SHAPES {
        return None;
    }
    let columns = miniz_oxide::deflate::compress_to_vec(&write(&shapes, &rows), LEVEL);
    let packed = Packed { columns, salts };
    // What the filter does not give back exactly is sent raw.
    (unpack(&packed.columns, &packed.salts).ok()? == bodies).then_some(packed)
}

#[derive(Clone, Copy)]
enum Value<'a> {
    Int(i64),
    Blob(&'a [u8]),
}

/// Splits one item into its shape and its values.
fn split<'a>(r: &mut Reader<'a>, shape: &mut Vec<u8>, values: &mut Vec<Value<'a>>, depth: usize) -> Result<()> {
    if depth >= MAX_DEPTH {
        return Err(Error::Limit { what: "nesting", limit: MAX_DEPTH });
    }
    match r.kind("part")? {
        Kind::Uint | Kind::Nint => {
            let mut literal = r.clone();
            match r.int("integer") {
                Ok(n) => {
                    shape.push(INT);
                    values.push(Value::Int(n));
                }
                // Beyond 64 signed bits: rare enough to stand in the shape itself.
                Err(_) => {
                    shape.extend_from_slice(literal.item("integer")?);
                    *r = literal;
                }
            }
        }
        Kind::Bytes => {
            shape.push(BYTES);
            values.push(Value::Blob(r.bytes("bytes")?));
        }
        Kind::Text => {
            shape.push(TEXT);
            values.push(Value::Blob(r.text("text")?.as_bytes()));
        }
        Kind::Bool | Kind::Null => shape.extend_from_slice(r.item("simple value")?),
        Kind::Array => {
            let n = r.array(usize::MAX, "array")?;
            let mut w = Writer::new();
            shape.extend_from_slice(w.array(n).as_bytes());
            for _ in 0..n {
                split(r, shape, values, depth + 1)?;
            }
        }
        Kind::Map => {
            let mut ahead = r.clone();
            let whole = ahead.item("map")?;
            let mut inner = Reader::new(whole);
            let n = inner.pairs("map")?;
            let mut w = Writer::new();
            shape.extend_from_slice(w.map(n).as_bytes());
            for _ in 0..n {
                shape.extend_from_slice(inner.item("key")?);
                split(&mut inner, shape, values, depth + 1)?;
            }
            *r = ahead;
        }
    }
    Ok(())
}

fn keep<'a>(shape: &mut Shape<'a>, values: &[Value<'a>]) -> Option<()> {
    if shape.columns.is_empty() {
        shape.columns = values
            .iter()
            .map(|v| match v {
                Value::Int(_) => Column::Ints(Vec::new()),
                Value::Blob(_) => Column::Blobs(Vec::new()),
            })
            .collect();
    }
    for (column, value) in shape.columns.iter_mut().zip(values) {
        match (column, value) {
            (Column::Ints(ints), Value::Int(n)) => ints.push(*n),
            (Column::Blobs(blobs), Value::Blob(b)) => blobs.push(b),
            // Equal shapes have equal kinds of values.
            _ => return None,
        }
    }
    Some(())
}

fn put_varint(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

fn zigzag(n: i64) -> u64 {
    ((n << 1) ^ (n >> 63)) as u64
}

fn unzigzag(n: u64) -> i64 {
    (n >> 1) as i64 ^ -((n & 1) as i64)
}

/// How an integer column is predicted. All arithmetic wraps, so every column can be written.
#[derive(Clone, Copy)]
enum Predictor {
    /// By the row above.
    Delta,
    /// By the row above and its own difference.
    DeltaOfDelta,
    /// By the row above and the change of the integer column before.
    Sibling,
}

const PREDICTORS: [Predictor; 3] = [Predictor::Delta, Predictor::DeltaOfDelta, Predictor::Sibling];

/// The prediction of row `i`, from the rows above and the column before.
fn predict(p: Predictor, column: &[i64], sibling: Option<&[i64]>, i: usize) -> i64 {
    let at = |rows: &[i64], back: usize| i.checked_sub(back).and_then(|i| rows.get(i).copied()).unwrap_or(0);
    let above = at(column, 1);
    match p {
        Predictor::Delta => above,
        Predictor::DeltaOfDelta => above.wrapping_add(above.wrapping_sub(at(column, 2))),
        Predictor::Sibling => above.wrapping_add(sibling.map_or(0, |s| at(s, 0).wrapping_sub(at(s, 1)))),
    }
}

fn encode_ints(p: Predictor, column: &[i64], sibling: Option<&[i64]>) -> Vec<u8> {
    let mut out = Vec::with_capacity(column.len() * 2);
    for (i, n) in column.iter().enumerate() {
        put_varint(&mut out, zigzag(n.wrapping_sub(predict(p, column, sibling, i))));
    }
    out
}

fn write(shapes: &[Shape<'_>], rows: &[usize]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 32);
    put_varint(&mut out, shapes.len() as u64);
    for shape in shapes {
        put_varint(&mut out, shape.bytes.len() as u64);
        out.extend_from_slice(&shape.bytes);
    }
    for row in rows {
        put_varint(&mut out, *row as u64);
    }
    for shape in shapes {
        let mut sibling: Option<&[i64]> = None;
        for column in &shape.columns {
            match column {
                Column::Ints(ints) => {
                    let tries = PREDICTORS.map(|p| encode_ints(p, ints, sibling));
                    let best = (0..tries.len()).min_by_key(|i| tries[*i].len()).unwrap_or(0);
                    out.push(best as u8);
                    out.extend_from_slice(&tries[best]);
                    sibling = Some(ints);
                }
                Column::Blobs(blobs) => {
                    let mut above: Option<&[u8]> = None;
                    for blob in blobs {
                        if above == Some(blob) {
                            put_varint(&mut out, 0);
                        } else {
                            put_varint(&mut out, blob.len() as u64 + 1);
                            out.extend_from_slice(blob);
                        }
                        above = Some(blob);
                    }
                }
            }
        }
    }
    out
}

const BAD: Error = Error::Malformed { what: "packed entries", at: 0 };

struct Input<'a> {
    buf: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn varint(&mut self) -> Result<u64> {
        let mut n = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.buf.get(self.at).ok_or(BAD)?;
            self.at += 1;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(BAD);
            }
            n |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(BAD)
    }

    fn take(&mut self, n: u64) -> Result<&'a [u8]> {
        let end = usize::try_from(n).ok().and_then(|n| self.at.checked_add(n)).ok_or(BAD)?;
        let slice = self.buf.get(self.at..end).ok_or(BAD)?;
        self.at = end;
        Ok(slice)
    }
}

/// Unpacks what [`pack`] packed. Bounded: at most [`MAX_SEGMENT_ENTRIES`] entries of together
/// [`MAX_OPENED_BYTES`], whatever the input claims.
pub fn unpack(columns: &[u8], salts: &[u8]) -> Result<Vec<Body>> {
    let (salts, rest) = salts.as_chunks::<SALT_BYTES>();
    if !rest.is_empty() || salts.len() > MAX_SEGMENT_ENTRIES {
        return Err(Error::Limit { what: "entries of a segment", limit: MAX_SEGMENT_ENTRIES });
    }
    let inflated = miniz_oxide::inflate::decompress_to_vec_with_limit(columns, MAX_OPENED_BYTES).map_err(|_| BAD)?;
    let mut input = Input { buf: &inflated, at: 0 };
    let count = input.varint()?;
    if count > MAX_SHAPES as u64 {
        return Err(Error::Limit { what: "shapes", limit: MAX_SHAPES });
    }
    let mut shapes = Vec::new();
    for _ in 0..count {
        let n = input.varint()?;
        shapes.push(input.take(n)?);
    }
    let mut rows = Vec::with_capacity(salts.len());
    let mut used = vec![0usize; shapes.len()];
    for _ in salts {
        let row = usize::try_from(input.varint()?).map_err(|_| BAD)?;
        *used.get_mut(row).ok_or(BAD)? += 1;
        rows.push(row);
    }
    let mut tables = Vec::with_capacity(shapes.len());
    for (shape, rows) in shapes.iter().zip(&used) {
        tables.push(read_columns(&mut input, shape, *rows)?);
    }
    if input.at != inflated.len() {
        return Err(BAD);
    }
    let mut next = vec![0usize; shapes.len()];
    let mut budget = MAX_OPENED_BYTES;
    let mut bodies = Vec::with_capacity(salts.len());
    for (row, salt) in rows.into_iter().zip(salts) {
        let parts = render(shapes[row], &tables[row], next[row], &mut budget)?;
        next[row] += 1;
        bodies.push(Body::new(*salt, parts)?);
    }
    Ok(bodies)
}

/// Walks a shape: its literal bytes and its markers, in order. Literals are CBOR heads and keys, whose
/// arguments may hold any byte, so they are stepped over by their length.
fn walk(shape: &[u8], mut visit: impl FnMut(Piece<'_>) -> Result<()>) -> Result<()> {
    let mut at = 0;
    while at < shape.len() {
        visit(Piece::Class(shape[at]))?;
        at += 1;
        loop {
            let first = *shape.get(at).ok_or(BAD)?;
            if first == END {
                at += 1;
                break;
            }
            if matches!(first, INT | BYTES | TEXT) {
                visit(Piece::Value(first))?;
                at += 1;
                continue;
            }
            let argument = match first & 31 {
                0..=23 => 0,
                n @ 24..=27 => 1usize << (n - 24),
                _ => return Err(BAD),
            };
            let mut end = at.checked_add(1 + argument).ok_or(BAD)?;
            if matches!(first >> 5, 2 | 3) {
                // A map's key that is a string: its content follows.
                let mut r = Reader::new(shape.get(at..).ok_or(BAD)?);
                end = at + r.item("key")?.len();
            }
            visit(Piece::Literal(shape.get(at..end).ok_or(BAD)?))?;
            at = end;
        }
    }
    Ok(())
}

enum Piece<'a> {
    Class(u8),
    Literal(&'a [u8]),
    Value(u8),
}

fn read_columns<'a>(input: &mut Input<'a>, shape: &[u8], rows: usize) -> Result<Vec<Column<'a>>> {
    let mut columns: Vec<Column<'a>> = Vec::new();
    let mut sibling: Option<usize> = None;
    walk(shape, |piece| {
        let Piece::Value(marker) = piece else { return Ok(()) };
        if marker == INT {
            let p = *PREDICTORS.get(usize::from(input.take(1)?[0])).ok_or(BAD)?;
            let mut ints: Vec<i64> = Vec::with_capacity(rows);
            let before = sibling.and_then(|i| match &columns[i] {
                Column::Ints(ints) => Some(ints.as_slice()),
                Column::Blobs(_) => None,
            });
            for i in 0..rows {
                let value = predict(p, &ints, before, i).wrapping_add(unzigzag(input.varint()?));
                ints.push(value);
            }
            sibling = Some(columns.len());
            columns.push(Column::Ints(ints));
        } else {
            let mut blobs: Vec<&'a [u8]> = Vec::with_capacity(rows);
            for _ in 0..rows {
                let blob = match input.varint()? {
                    0 => *blobs.last().ok_or(BAD)?,
                    n => input.take(n - 1)?,
                };
                blobs.push(blob);
            }
            columns.push(Column::Blobs(blobs));
        }
        Ok(())
    })?;
    Ok(columns)
}

fn render(shape: &[u8], columns: &[Column<'_>], row: usize, budget: &mut usize) -> Result<Vec<Part>> {
    let mut parts: Vec<(Class, Writer)> = Vec::with_capacity(2);
    let mut values = columns.iter();
    walk(shape, |piece| {
        if let Piece::Class(class) = piece {
            if parts.len() == MAX_PARTS {
                return Err(Error::Limit { what: "parts of an entry", limit: MAX_PARTS });
            }
            parts.push((Class(class), Writer::with_capacity(96)));
            return Ok(());
        }
        let (_, w) = parts.last_mut().ok_or(BAD)?;
        let before = w.as_bytes().len();
        match piece {
            Piece::Literal(bytes) => w.raw(bytes),
            Piece::Value(marker) => match (values.next(), marker) {
                (Some(Column::Ints(ints)), INT) => w.int(*ints.get(row).ok_or(BAD)?),
                (Some(Column::Blobs(blobs)), BYTES) => w.bytes(blobs.get(row).ok_or(BAD)?),
                (Some(Column::Blobs(blobs)), TEXT) => {
                    let text = core::str::from_utf8(blobs.get(row).ok_or(BAD)?).map_err(|_| BAD)?;
                    w.text(text)
                }
                _ => return Err(BAD),
            },
            Piece::Class(_) => return Err(BAD),
        };
        let grown = w.as_bytes().len() - before;
        *budget = budget.checked_sub(grown).ok_or(Error::Limit { what: "bytes of a segment, opened", limit: MAX_OPENED_BYTES })?;
        Ok(())
    })?;
    Ok(parts.into_iter().map(|(class, w)| Part { class, bytes: w.into_bytes() }).collect())
}
