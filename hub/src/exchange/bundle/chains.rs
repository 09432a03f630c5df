//! Custody chains of a bundle's photographs, and the proofs that they are under the signed heads.

use std::collections::{BTreeMap, BTreeSet};

use yenban_protocol::bundle::CustodyFile;
use yenban_protocol::custody::{Item, Leaf, Proof, Tree};

use crate::error::Result;
use crate::store::{CustodyHeadRow, CustodyRow, HubStore, ItemName};

/// The heads and chains of a bundle.
pub(super) struct Custody {
    /// Signed heads, consecutive, from the first that covers a record of the bundle's.
    pub(super) heads: Vec<CustodyHeadRow>,
    /// One chain for each photograph.
    pub(super) chains: BTreeMap<Item, CustodyFile>,
}

/// Reads the chains of `items` as they stood under `newest`.
pub(super) async fn collect(store: &dyn HubStore, items: &[ItemName], newest: &CustodyHeadRow) -> Result<Custody> {
    let mut rows: BTreeMap<Item, Vec<CustodyRow>> = BTreeMap::new();
    for name in items {
        rows.insert(Item { entry: name.entry, branch: name.branch }, store.custody(*name, newest.place).await?);
    }
    let places: BTreeSet<i64> = rows.values().flatten().map(|row| row.place).collect();
    let mut heads = store.custody_heads(0).await?;
    heads.retain(|row| row.head.number <= newest.head.number);
    let first = places.first().copied().unwrap_or(newest.place);
    heads.retain(|row| row.place >= first);

    let mut proofs: BTreeMap<Item, Vec<Proof>> = BTreeMap::new();
    let mut before = i64::MIN;
    for row in &heads {
        let last = row.head.number == newest.head.number;
        let changed = before < row.place && places.range(before.saturating_add(1)..=row.place).next().is_some();
        if changed || last {
            prove(store, row, last, &rows, &mut proofs).await?;
        }
        before = row.place;
    }
    let chain = |(item, rows): (Item, Vec<CustodyRow>)| {
        let proofs = proofs.remove(&item).unwrap_or_default();
        let records = rows.into_iter().map(|row| (row.record, row.facts)).collect();
        (item, CustodyFile { item, records, proofs })
    };
    Ok(Custody { heads, chains: rows.into_iter().map(chain).collect() })
}

/// Proofs under one head: for each chain that changed since the head before, under the last for all.
async fn prove(
    store: &dyn HubStore,
    row: &CustodyHeadRow,
    last: bool,
    rows: &BTreeMap<Item, Vec<CustodyRow>>,
    proofs: &mut BTreeMap<Item, Vec<Proof>>,
) -> Result<()> {
    let leaves = store.custody_leaves(row.place).await?;
    let tree = Tree::new(leaves.iter().map(Leaf::hash).collect());
    for item in rows.keys() {
        let Ok(index) = leaves.binary_search_by(|leaf| leaf.item.cmp(item)) else { continue };
        let so_far = proofs.entry(*item).or_default();
        let records = leaves[index].records;
        if last || so_far.last().is_none_or(|proof| proof.records < records) {
            let index = index as u64;
            so_far.push(Proof { head: row.head.number, records, index, path: tree.path(index) });
        }
    }
    Ok(())
}
