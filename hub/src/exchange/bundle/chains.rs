//! Custody chains of a bundle's photographs, and the proofs that they are under the signed heads.

use std::collections::BTreeMap;

use yenban_protocol::bundle::CustodyFile;
use yenban_protocol::custody::{Item, Leaf, Proof, Tree};

use crate::error::Result;
use crate::store::{CustodyHeadRow, CustodyRow, HubStore, ItemName};

/// The heads and chains of a bundle.
pub(super) struct Custody {
    /// Signed heads, consecutive, from the first that covers a record of the bundle's, or was made after one.
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
    let place = rows.values().flatten().map(|row| row.place).min().unwrap_or(newest.place);
    let since_ms = rows.values().flatten().map(|row| row.facts.at_ms).min().unwrap_or(newest.head.at_ms);
    let mut heads = store.custody_heads(0).await?;
    heads.retain(|row| row.head.number <= newest.head.number);
    let first = heads.iter().position(|row| row.place >= place || row.head.at_ms > since_ms).unwrap_or(heads.len());
    heads.drain(..first);

    let mut proofs: BTreeMap<Item, Vec<Proof>> = BTreeMap::new();
    let mut under: Option<(i64, Vec<Leaf>, Tree)> = None;
    for row in &heads {
        // Nothing is recorded on most days: their heads stand over the same tree.
        let (_, leaves, tree) = match under.take().filter(|(place, _, _)| *place == row.place) {
            Some(same) => under.insert(same),
            None => {
                let leaves = store.custody_leaves(row.place).await?;
                let tree = Tree::new(leaves.iter().map(Leaf::hash).collect());
                under.insert((row.place, leaves, tree))
            }
        };
        prove(row.head.number, leaves, tree, &rows, &mut proofs);
    }
    let chain = |(item, rows): (Item, Vec<CustodyRow>)| {
        let proofs = proofs.remove(&item).unwrap_or_default();
        let records = rows.into_iter().map(|row| (row.record, row.facts)).collect();
        (item, CustodyFile { item, records, proofs })
    };
    Ok(Custody { heads, chains: rows.into_iter().map(chain).collect() })
}

/// Proofs under one head, for each chain that stood under it: one that is left out could hide what the chain said then.
fn prove(head: u64, leaves: &[Leaf], tree: &Tree, rows: &BTreeMap<Item, Vec<CustodyRow>>, proofs: &mut BTreeMap<Item, Vec<Proof>>) {
    for item in rows.keys() {
        let Ok(at) = leaves.binary_search_by(|leaf| leaf.item.cmp(item)) else { continue };
        let index = at as u64;
        let proof = Proof { head, records: leaves[at].records, index, path: tree.path(index) };
        proofs.entry(*item).or_default().push(proof);
    }
}
