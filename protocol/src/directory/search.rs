//! Finding a commune by what somebody types: a name without diacritics, with or without its kind and province, a
//! former name, or a code.

use super::{Commune, CommuneKind, Data, FormerCommune, data};
use crate::text::{Limit, fold};

/// What a search found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A commune in force.
    Commune(&'static Commune),
    /// A former one; [`FormerCommune::today`] says where it is about in today.
    Former(&'static FormerCommune),
}

impl Found {
    /// The name with its kind.
    pub fn full_name(self) -> String {
        match self {
            Self::Commune(commune) => commune.full_name(),
            Self::Former(former) => former.full_name(),
        }
    }

    /// The commune in force to offer: the one found, or what the former one is about in today.
    pub fn commune(self) -> &'static Commune {
        match self {
            Self::Commune(commune) => commune,
            Self::Former(former) => former.today().commune,
        }
    }
}

/// The best `limit` finds: the same name first, then names that begin so, then names with such a word, then the rest;
/// communes in force before former ones, short names before long ones.
///
/// Words of the query may also be the kind, the province or a former district ("xa mai chau phu tho"). Text beyond
/// [`Limit::QUERY`] is not looked at. An empty query finds nothing.
///
/// ```
/// use yenban_protocol::directory;
/// let found = directory::search("mai chau", 10);
/// assert_eq!(found[0].full_name(), "Xã Mai Châu");
/// assert_eq!(found[1].full_name(), "Thị trấn Mai Châu");
/// ```
pub fn search(query: &str, limit: usize) -> Vec<Found> {
    let query = Query::new(query);
    let data = data();
    if query.folded.is_empty() {
        return Vec::new();
    }
    // (rank, former, length of the name, place): whole numbers sort fast, and the order is the same everywhere.
    let mut hits: Vec<(u8, bool, u32, u16)> = Vec::new();
    for ((place, name), length) in (0_u16..).zip(names(data)).zip(lengths(data)) {
        let row = Row::new(data, usize::from(place), name);
        if let Some(rank) = query.rank(&row) {
            hits.push((rank, usize::from(place) >= data.communes.len(), length, place));
        }
    }
    hits.sort_unstable();
    hits.truncate(limit);
    hits.into_iter().map(|(_, _, _, place)| found(data, usize::from(place))).collect()
}

fn found(data: &'static Data, place: usize) -> Found {
    match place.checked_sub(data.communes.len()) {
        None => Found::Commune(&data.communes[place]),
        Some(former) => Found::Former(&data.former[former]),
    }
}

fn names(data: &'static Data) -> impl Iterator<Item = &'static str> {
    let mut start = 0;
    data.folded_ends.iter().map(move |&end| {
        let end = end as usize;
        let name = &data.folded[start..end];
        start = end;
        name
    })
}

fn lengths(data: &'static Data) -> impl Iterator<Item = u32> {
    let mut start = 0;
    data.folded_ends.iter().map(move |&end| end - std::mem::replace(&mut start, end))
}

/// One line of the directory as a search sees it.
struct Row {
    code: &'static str,
    kind: CommuneKind,
    name: &'static str,
    province: &'static str,
    former: Option<&'static FormerCommune>,
}

impl Row {
    fn new(data: &'static Data, place: usize, name: &'static str) -> Row {
        match place.checked_sub(data.communes.len()) {
            None => {
                let commune = &data.communes[place];
                let province = &data.provinces[usize::from(commune.province)].folded;
                Row { code: commune.code, kind: commune.kind, name, province, former: None }
            }
            Some(at) => {
                let former = &data.former[at];
                let province = &data.provinces[usize::from(former.province)].folded;
                Row { code: former.code, kind: former.kind, name, province, former: Some(former) }
            }
        }
    }

    /// Whether a word begins a word of the kind, the name, the province, or a former one's district and province.
    fn has_word(&self, word: &str) -> bool {
        let begins = |text: &str| text.split(' ').any(|own| own.starts_with(word));
        begins(self.name)
            || begins(self.province)
            || begins(self.kind.folded_word())
            || self.former.is_some_and(|former| begins(&fold(former.district)) || begins(&fold(former.province_name)))
    }
}

struct Query {
    folded: String,
    /// The query without the kind it began with.
    name: String,
    kind: Option<CommuneKind>,
    /// The name as it stands inside another: after a space.
    inside: String,
}

impl Query {
    fn new(typed: &str) -> Query {
        let folded = fold(Limit::QUERY.cut(typed)).replace(',', " ");
        let folded = fold(&folded);
        let kinds = [CommuneKind::Xa, CommuneKind::Phuong, CommuneKind::DacKhu, CommuneKind::ThiTran];
        let split = kinds.into_iter().find_map(|kind| Some((kind, folded.strip_prefix(kind.folded_word())?.strip_prefix(' ')?.to_owned())));
        let (kind, name) = match split {
            Some((kind, rest)) => (Some(kind), rest),
            None => (None, folded.clone()),
        };
        let inside = format!(" {name}");
        Query { folded, name, kind, inside }
    }

    fn rank(&self, row: &Row) -> Option<u8> {
        const OTHER_KIND: u8 = 7;
        if row.code == self.folded {
            return Some(0);
        }
        let rank = self.name_rank(row)?;
        match self.kind {
            // "Xã" was typed for what is a phường now: still the likeliest thing meant, but after the exact ones.
            Some(kind) if kind != row.kind => Some(rank + OTHER_KIND),
            _ => Some(rank),
        }
    }

    fn name_rank(&self, row: &Row) -> Option<u8> {
        if let Some(rest) = row.name.strip_prefix(self.name.as_str()) {
            return Some(if rest.is_empty() {
                1
            } else if rest.starts_with(' ') {
                2
            } else {
                3
            });
        }
        if row.name.contains(&self.inside) {
            return Some(4);
        }
        if self.name.len() > 1 && row.name.contains(&self.name) {
            return Some(5);
        }
        // Several words may name the province or the district too, but one of them must be of the name.
        let mut words = self.name.split(' ');
        let first = words.next()?;
        let begins_name = row.name.starts_with(first) || row.name.split(' ').any(|own| own.starts_with(first));
        (self.name.contains(' ') && begins_name && words.all(|word| row.has_word(word))).then_some(6)
    }
}
