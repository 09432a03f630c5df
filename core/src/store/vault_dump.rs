//! Everything derived, in one order: two vaults that followed the same entries are equal, or one of
//! them is wrong.

use sha2::{Digest, Sha256};

use super::vault::Vault;
use crate::error::{Result, SqlContext};

/// Derived tables and the order in which their rows are compared.
pub(crate) const TABLES: [(&str, &str); 13] = [
    ("patrol", "key"),
    ("crew", "patrol, member, joined"),
    ("check_in", "patrol, key"),
    ("incident", "key"),
    ("statement", "incident, entry, place"),
    ("telling", "entry"),
    ("incident_text", "rowid"),
    ("pin", "cell, key"),
    ("photo", "key"),
    ("preview", "photo, kind"),
    ("answer", "alert, key"),
    ("handover", "key"),
    ("confirmed", "key"),
];

/// Rows and a hash of one table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableDigest {
    pub table: &'static str,
    pub rows: u64,
    pub hash: [u8; 32],
}

impl Vault {
    /// A digest of each derived table.
    pub(crate) fn digest(&self) -> Result<Vec<TableDigest>> {
        TABLES.iter().map(|(table, order)| self.digest_table(table, order)).collect()
    }

    fn digest_table(&self, table: &'static str, order: &str) -> Result<TableDigest> {
        let what = "compare the vault";
        let mut statement = self.conn().prepare(&format!("SELECT * FROM {table} ORDER BY {order}")).doing(what)?;
        let columns = statement.column_count();
        let mut rows = statement.query([]).doing(what)?;
        let (mut hash, mut count) = (Sha256::new(), 0);
        while let Some(row) = rows.next().doing(what)? {
            count += 1;
            for column in 0..columns {
                use rusqlite::types::ValueRef;
                let (tag, bytes): (u8, Vec<u8>) = match row.get_ref(column).doing(what)? {
                    ValueRef::Null => (0, Vec::new()),
                    ValueRef::Integer(n) => (1, n.to_be_bytes().to_vec()),
                    ValueRef::Real(x) => (2, x.to_be_bytes().to_vec()),
                    ValueRef::Text(t) => (3, t.to_vec()),
                    ValueRef::Blob(b) => (4, b.to_vec()),
                };
                hash.update([tag]);
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(&bytes);
            }
        }
        Ok(TableDigest { table, rows: count, hash: hash.finalize().into() })
    }
}
