//! Sets of sequence numbers as sorted, disjoint, non-adjacent ranges: what was received is derived from
//! these, so no row per entry is written twice.

/// A set of sequence numbers.
///
/// ```
/// use yenban_protocol::range::RangeSet;
/// let mut held = RangeSet::new();
/// held.insert(0, 9);
/// held.insert(20, 29);
/// held.insert(10, 19);
/// assert_eq!(held.iter().collect::<Vec<_>>(), [(0, 29)]);
/// assert!(held.contains(29) && !held.contains(30));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RangeSet {
    ranges: Vec<(u64, u64)>,
}

impl RangeSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `first..=last`; an inverted range adds nothing.
    pub fn insert(&mut self, first: u64, last: u64) {
        if first > last {
            return;
        }
        let from = self.ranges.partition_point(|&(_, l)| l < first && l + 1 < first);
        let to = from + self.ranges[from..].partition_point(|&(f, _)| f <= last.saturating_add(1));
        let merged = self.ranges[from..to].iter().fold((first, last), |(f, l), &(a, b)| (f.min(a), l.max(b)));
        self.ranges.splice(from..to, [merged]);
    }

    /// Whether `seq` is in the set.
    pub fn contains(&self, seq: u64) -> bool {
        let i = self.ranges.partition_point(|&(_, last)| last < seq);
        self.ranges.get(i).is_some_and(|&(first, _)| first <= seq)
    }

    /// The ranges, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().copied()
    }

    /// How many numbers are in the set.
    pub fn count(&self) -> u64 {
        self.ranges.iter().fold(0, |n, (first, last)| n.saturating_add((last - first).saturating_add(1)))
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// The ranges of `0..end` that are not in the set, ascending.
    pub fn missing_below(&self, end: u64) -> Vec<(u64, u64)> {
        let mut missing = Vec::new();
        let mut next = 0;
        for &(first, last) in &self.ranges {
            if first >= end {
                break;
            }
            if next < first {
                missing.push((next, first - 1));
            }
            next = last.saturating_add(1);
        }
        if next < end {
            missing.push((next, end - 1));
        }
        missing
    }
}

impl FromIterator<(u64, u64)> for RangeSet {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> Self {
        let mut set = Self::new();
        for (first, last) in ranges {
            set.insert(first, last);
        }
        set
    }
}
