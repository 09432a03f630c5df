//! Which table a record is of, told by its columns alone: the page that says so may be the one that is lost.
//!
//! No two tables or indexes of a spool have records of one shape; `shapes_are_told_apart` in the tests of this folder
//! holds that against the schema.

use rusqlite::types::Value;

use super::tree::Record;
use crate::limits::SEQ_MAX;

/// The tables that are read back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Table {
    Meta,
    Log,
    Session,
    Entry,
    Object,
    Member,
    Received,
    Head,
    FeedItem,
    Capture,
    File,
    Witness,
    Carried,
}

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    /// A blob of this length.
    Bytes(usize),
    Blob,
    Text,
    /// The same, or nothing.
    MaybeInteger,
    MaybeBlob,
    MaybeText,
}

use Kind::{Blob, Bytes, Integer, MaybeBlob, MaybeInteger, MaybeText, Text};

pub(super) struct Shape {
    pub table: Table,
    pub name: &'static str,
    /// Whether its first column is the row number.
    rowid: bool,
    /// Columns that every record has; later ones were added by migrations.
    least: usize,
    columns: &'static [(&'static str, Kind)],
}

impl Shape {
    pub(super) fn columns(&self) -> impl Iterator<Item = &'static str> {
        self.columns.iter().map(|column| column.0)
    }

    fn fits(&self, record: &Record) -> bool {
        let values = &record.values;
        self.rowid == record.rowid.is_some()
            && (self.least..=self.columns.len()).contains(&values.len())
            && values.iter().zip(self.columns).skip(usize::from(self.rowid)).all(|(value, column)| column.1.fits(value))
            && (!self.rowid || values.first() == Some(&Value::Null))
            && self.is_possible(values)
    }

    /// What the columns alone leave open.
    fn is_possible(&self, values: &[Value]) -> bool {
        let integer = |at: usize| matches!(values.get(at), Some(Value::Integer(n)) if (0..=SEQ_MAX.cast_signed()).contains(n));
        // The index of waiting files has the same columns; its third is an entry's key, which lies above every number.
        self.table != Table::Received || (integer(0) && integer(1) && integer(2))
    }
}

impl Kind {
    fn fits(self, value: &Value) -> bool {
        match (self, value) {
            (MaybeInteger | MaybeBlob | MaybeText, Value::Null) => true,
            (Integer | MaybeInteger, Value::Integer(_)) => true,
            (Bytes(n), Value::Blob(bytes)) => bytes.len() == n,
            (Blob | MaybeBlob, Value::Blob(_)) => true,
            (Text | MaybeText, Value::Text(_)) => true,
            _ => false,
        }
    }
}

const SHAPES: &[Shape] = &[
    Shape { table: Table::Meta, name: "meta", rowid: false, least: 2, columns: &[("key", Text), ("value", Blob)] },
    Shape {
        table: Table::Log,
        name: "log",
        rowid: true,
        least: 4,
        columns: &[("id", Integer), ("name", Bytes(8)), ("nonce", Bytes(16)), ("reason", Text)],
    },
    Shape {
        table: Table::Session,
        name: "session",
        rowid: true,
        least: 6,
        columns: &[("id", Integer), ("name", Bytes(8)), ("log", Integer), ("member", Integer), ("for_hub", Blob), ("for_vault", MaybeBlob)],
    },
    Shape {
        table: Table::Entry,
        name: "entry",
        rowid: true,
        least: 9,
        columns: &[
            ("key", Integer),
            ("link", Bytes(32)),
            ("session", Integer),
            ("lane", Integer),
            ("author", Integer),
            ("unconfirmed", Integer),
            ("patrol", MaybeInteger),
            ("paused", Integer),
            ("body", Blob),
            ("previous", MaybeBlob),
        ],
    },
    Shape {
        table: Table::Object,
        name: "object",
        rowid: true,
        least: 4,
        columns: &[("entry", Integer), ("sealed_sha256", Bytes(32)), ("size_bytes", Integer), ("delivered", Integer)],
    },
    Shape {
        table: Table::Member,
        name: "member",
        rowid: true,
        least: 9,
        columns: &[
            ("member", Integer),
            ("vault_key", Bytes(33)),
            ("hardware", Blob),
            ("salt", Blob),
            ("sealed", Blob),
            ("has_pin", Integer),
            ("tries", Integer),
            ("kept_open", MaybeBlob),
            ("kept_open_boot", MaybeBlob),
        ],
    },
    Shape {
        table: Table::Received,
        name: "received",
        rowid: false,
        least: 4,
        columns: &[("log", Integer), ("first", Integer), ("last", Integer), ("last_link", Bytes(32))],
    },
    Shape { table: Table::Head, name: "head", rowid: true, least: 2, columns: &[("key", Integer), ("bytes", Blob)] },
    Shape {
        table: Table::FeedItem,
        name: "feed_item",
        rowid: false,
        least: 6,
        columns: &[("scope", Blob), ("epoch", Bytes(8)), ("number", Integer), ("kind", Integer), ("sealed", Integer), ("body", Blob)],
    },
    Shape {
        table: Table::Capture,
        name: "capture",
        rowid: false,
        least: 8,
        columns: &[
            ("id", Bytes(8)),
            ("subject", MaybeBlob),
            ("from_camera", Integer),
            ("wall_ms", Integer),
            ("monotonic_ms", Integer),
            ("boot", Bytes(8)),
            ("position", MaybeBlob),
            ("heading_cdeg", MaybeInteger),
        ],
    },
    Shape {
        table: Table::File,
        name: "file",
        rowid: false,
        least: 12,
        columns: &[
            ("sealed_sha256", Bytes(32)),
            ("entry", Integer),
            ("photo", Integer),
            ("kind", Integer),
            ("size_bytes", Integer),
            ("urgent", Integer),
            ("epoch", MaybeBlob),
            ("hub_ms", MaybeInteger),
            ("hold_s", MaybeInteger),
            ("attempts", Integer),
            ("parked", MaybeText),
            ("evicted_ms", MaybeInteger),
            ("reason", MaybeText),
            ("wanted_ms", MaybeInteger),
        ],
    },
    Shape {
        table: Table::Witness,
        name: "witness",
        rowid: false,
        least: 3,
        columns: &[("number", Integer), ("head", Bytes(32)), ("item", Blob)],
    },
    Shape {
        table: Table::Carried,
        name: "carried",
        rowid: false,
        least: 5,
        columns: &[("name", Bytes(32)), ("kind", Integer), ("key", Blob), ("bytes", Blob), ("since_ms", Integer)],
    },
];

/// The shape of a table.
pub(super) fn shape(table: Table) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.table == table).expect("every table stands in SHAPES")
}

/// The table of a record and its row, with the row number in its place.
pub(super) fn row(mut record: Record) -> Option<(Table, Vec<Value>)> {
    let shape = SHAPES.iter().find(|shape| shape.fits(&record))?;
    if let (Some(rowid), Some(first)) = (record.rowid, record.values.first_mut()) {
        *first = Value::Integer(rowid);
    }
    Some((shape.table, record.values))
}
