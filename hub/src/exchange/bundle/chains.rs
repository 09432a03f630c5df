//! Custody chains of a bundle's photographs, and the proofs that they are under the signed heads.

use std::collections::BTreeMap;

use yenban_protocol::bundle::CustodyFile;
use yenban_protocol::custody::{Item, Leaf, Proof, Tree};

use crate::error::Result;
use crate::store::{CustodyHeadRow, CustodyRow, HubStore, ItemName};

/// A hash in CBOR, with something to spare.
const NODE_BYTES: u64 = 40;
/// A proof without its hashes: numbers and heads of arrays.
const PROOF_BYTES: u64 = 40;
/// At most so much is added by the export itself: to each chain two records, to the heads one.
const EXPORT_BYTES: u64 = 4 * 1024;

/// The heads and chains of a bundle.
pub(super) struct Custody {
    /// Signed heads, consecutive, from the first that covers a record of the bundle's, or was made after one.
    pub(super) heads: Vec<CustodyHeadRow>,
    /// One chain for each photograph.
    pub(super) chains: BTreeMap<Item, CustodyFile>,
}

/// At most so many bytes of chains, proofs and heads a bundle of `items` will hold, once its own record and head are made.
pub(super) async fn most_bytes(store: &dyn HubStore, items: &[ItemName]) -> Result<u64> {
    let heads = store.custody_heads(0).await?;
    let depth = u64::from(u64::BITS - (store.custody_leaves(i64::MAX).await?.len() as u64).leading_zeros());
    let proof_bytes = PROOF_BYTES + depth * NODE_BYTES;
    let mut most: u64 = heads.iter().map(|row| row.bytes.len() as u64 + NODE_BYTES).sum::<u64>() + EXPORT_BYTES;
    for name in items {
        let rows = store.custody(*name, i64::MAX).await?;
        let first = rows.first().map_or(i64::MAX, |row| row.place);
        let proofs = heads.iter().filter(|head| head.place >= first).count() as u64 + 1;
        let records = rows.into_iter().map(|row| (row.record, row.facts)).collect();
        let chain = CustodyFile { item: Item { entry: name.entry, branch: name.branch }, records, proofs: Vec::new() };
        most += chain.to_bytes().len() as u64 + EXPORT_BYTES + proofs * proof_bytes;
    }
    Ok(most)
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
