//! "Which one was meant?": the names nearest to what was typed, for the sentence that refuses an unknown name.

use super::fold::fold;

/// Texts are compared over at most this many characters: names are shorter, and the cost is quadratic.
const COMPARED_CHARACTERS: usize = 96;

/// Words that stand before a hamlet's name and are left out as often as typed ("Bản Nà Phòn", "Nà Phòn").
const HAMLET_WORDS: [&str; 10] = ["ban", "xom", "thon", "buon", "ap", "lang", "plei", "khu pho", "khu", "to dan pho"];

/// A candidate and how far it is from what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Near<'a> {
    /// The candidate as it was given.
    pub text: &'a str,
    /// Its place among the candidates.
    pub index: usize,
    /// Edits between the folded texts; 0 is the same text but for diacritics, case and space.
    pub edits: usize,
}

/// The `n` candidates nearest to `query`, nearest first, equals in the order given.
///
/// Candidates with nothing in common are left out: more than half of the letters differ. A candidate that contains
/// the whole query counts as one edit, so a part of a long name finds it.
///
/// ```
/// use yenban_protocol::text::nearest;
/// let hamlets = ["Piềng Vế", "Bản Nà Phòn", "Nà Thia"];
/// assert_eq!(nearest("na phong", hamlets, 1)[0].text, "Bản Nà Phòn");
/// ```
pub fn nearest<'a>(query: &str, candidates: impl IntoIterator<Item = &'a str>, n: usize) -> Vec<Near<'a>> {
    let folded_query = fold(query);
    let bare_query = without_hamlet_word(&folded_query);
    let mut near: Vec<Near<'a>> = Vec::new();
    if folded_query.is_empty() || n == 0 {
        return near;
    }
    for (index, text) in candidates.into_iter().enumerate() {
        let folded = fold(text);
        let bare = without_hamlet_word(&folded);
        let edits = edits_between(bare_query, bare);
        let longest = bare_query.chars().count().max(bare.chars().count());
        let contained = bare_query.chars().count() >= 2 && bare.contains(bare_query);
        if contained {
            near.push(Near { text, index, edits: edits.min(1) });
        } else if edits * 2 <= longest {
            near.push(Near { text, index, edits });
        }
    }
    near.sort_by_key(|found| (found.edits, found.index));
    near.truncate(n);
    near
}

/// Edits (letters changed, added, left out, or two neighbours swapped) between two texts as people compare them:
/// without diacritics, case and superfluous space.
pub fn distance(left: &str, right: &str) -> usize {
    edits_between(&fold(left), &fold(right))
}

fn without_hamlet_word(folded: &str) -> &str {
    HAMLET_WORDS.iter().find_map(|word| folded.strip_prefix(word)?.strip_prefix(' ')).filter(|rest| !rest.is_empty()).unwrap_or(folded)
}

/// Optimal string alignment over three rows.
fn edits_between(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().take(COMPARED_CHARACTERS).collect();
    let right: Vec<char> = right.chars().take(COMPARED_CHARACTERS).collect();
    let mut before_last = vec![0; right.len() + 1];
    let mut last: Vec<usize> = (0..=right.len()).collect();
    let mut row = vec![0; right.len() + 1];
    for (i, &a) in left.iter().enumerate() {
        row[0] = i + 1;
        for (j, &b) in right.iter().enumerate() {
            let changed = last[j] + usize::from(a != b);
            let mut best = changed.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a == right[j - 1] && left[i - 1] == b {
                best = best.min(before_last[j - 1] + 1);
            }
            row[j + 1] = best;
        }
        std::mem::swap(&mut before_last, &mut last);
        std::mem::swap(&mut last, &mut row);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_people_make_them() {
        assert_eq!(distance("Nà Phòn", "na phon"), 0);
        assert_eq!(distance("na phno", "na phon"), 1, "two neighbours swapped");
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn a_mistyped_hamlet_is_answered_with_the_one_meant() {
        let hamlets = ["Bản Nà Phòn", "Xóm Piềng Vế", "Bản Nà Thia", "Xóm Pheo"];
        let texts = |query| nearest(query, hamlets, 2).iter().map(|near| near.text).collect::<Vec<_>>();
        assert_eq!(texts("Na Phong").first(), Some(&"Bản Nà Phòn"));
        assert_eq!(texts("xom na phon").first(), Some(&"Bản Nà Phòn"), "the wrong word before it");
        assert_eq!(texts("vế").first(), Some(&"Xóm Piềng Vế"), "a part of the name");
        assert!(nearest("Thủ Dầu Một", hamlets, 3).is_empty(), "nothing near is better than nonsense");
        assert!(nearest("", hamlets, 3).is_empty());
    }

    #[test]
    fn a_very_long_text_costs_little() {
        let long = "a".repeat(100_000);
        assert_eq!(nearest(&long, [long.as_str()], 1)[0].edits, 0);
    }
}
