//! The Merkle tree over all custody chains (RFC 6962): one root to sign, and short proofs that a chain is under it.

use crate::cbor::{Reader, Writer};
use crate::crypto::{Hash, message, sha256};
use crate::error::Result;
use crate::fields::{list, write_list};
use crate::limits::MAX_PROOF_HASHES;

use super::Item;

/// One chain under the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Whose chain.
    pub item: Item,
    /// Records so far.
    pub records: u64,
    /// The link of the last of them.
    pub link: Hash,
}

impl Leaf {
    /// The leaf's hash.
    pub fn hash(&self) -> Hash {
        let mut w = message("yb1/custody-leaf", 5);
        self.item.write(&mut w);
        w.uint(self.records).bytes(&self.link);
        let mut bytes = Vec::with_capacity(w.as_bytes().len() + 1);
        bytes.push(0);
        bytes.extend_from_slice(w.as_bytes());
        sha256(&bytes)
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    sha256(&bytes)
}

/// A tree over leaves in ascending order of their items; every level is kept, so that a proof costs a walk.
#[derive(Debug, Clone)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// A tree over the hashes of leaves that stand in ascending order of their items.
    ///
    /// An odd node at the end of a level moves up as it is, which gives the tree of RFC 6962: its left half is the
    /// largest power of two below the size.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(level) = levels.last().filter(|level| level.len() > 1) {
            let above = level.chunks(2).map(|pair| if let [left, right] = pair { node(left, right) } else { pair[0] }).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// The root; of no leaves the hash of nothing.
    pub fn root(&self) -> Hash {
        self.levels.last().and_then(|level| level.first().copied()).unwrap_or_else(|| sha256(b""))
    }

    /// How many leaves.
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, |level| level.len() as u64)
    }

    /// Whether there is no leaf.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The hashes beside the way from leaf `index` to the root.
    pub fn path(&self, index: u64) -> Vec<Hash> {
        let mut at = usize::try_from(index).unwrap_or(usize::MAX);
        let mut path = Vec::new();
        for level in &self.levels {
            path.extend(level.get(at ^ 1).copied());
            at /= 2;
        }
        path
    }
}

/// That a chain stood at so many records under a signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Number of the head.
    pub head: u64,
    /// Records of the chain then.
    pub records: u64,
    /// Which leaf, from 0.
    pub index: u64,
    /// The hashes beside the way to the root.
    pub path: Vec<Hash>,
}

impl Proof {
    /// Whether `leaf` (a leaf's hash) is leaf `index` of a tree of `size` leaves with this root (RFC 9162, 2.1.3.2).
    pub fn holds(&self, leaf: Hash, size: u64, root: &Hash) -> bool {
        if self.index >= size {
            return false;
        }
        let (mut at, mut last, mut hash) = (self.index, size - 1, leaf);
        for beside in &self.path {
            if last == 0 {
                return false;
            }
            if at & 1 == 1 || at == last {
                hash = node(beside, &hash);
                while at & 1 == 0 && at != 0 {
                    at >>= 1;
                    last >>= 1;
                }
            } else {
                hash = node(&hash, beside);
            }
            at >>= 1;
            last >>= 1;
        }
        last == 0 && hash == *root
    }

    /// Writes `[head, records, index, path]`.
    pub fn write(&self, w: &mut Writer) {
        w.array(4).uint(self.head).uint(self.records).uint(self.index);
        write_list(w, &self.path, |w, hash| {
            w.bytes(hash);
        });
    }

    /// Reads what [`Proof::write`] wrote.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn read(r: &mut Reader<'_>) -> Result<Self> {
        r.tuple(4, "custody proof")?;
        Ok(Self {
            head: r.uint("number of the head")?,
            records: r.uint("records")?,
            index: r.uint("leaf")?,
            path: list(r, MAX_PROOF_HASHES, "hashes of a proof", |r| r.fixed("hash"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 9162, 2.1.1, word for word.
    fn by_definition(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => sha256(b""),
            [one] => *one,
            many => {
                let half = many.len().next_power_of_two() / 2;
                node(&by_definition(&many[..half]), &by_definition(&many[half..]))
            }
        }
    }

    #[test]
    fn trees_of_every_size_and_their_proofs() {
        for size in 0u64..70 {
            let leaves: Vec<Hash> = (0..size).map(|n| sha256(&n.to_be_bytes())).collect();
            let tree = Tree::new(leaves.clone());
            assert_eq!((tree.root(), tree.len()), (by_definition(&leaves), size));
            for index in 0..size {
                let proof = Proof { head: 0, records: 1, index, path: tree.path(index) };
                let leaf = leaves[index as usize];
                assert!(proof.holds(leaf, size, &tree.root()), "{index} of {size}");
                assert!(!proof.holds(sha256(b"other"), size, &tree.root()));
                for other in (0..size).filter(|other| *other != index) {
                    assert!(!Proof { index: other, ..proof.clone() }.holds(leaf, size, &tree.root()), "{other} for {index} of {size}");
                }
            }
        }
    }
}
