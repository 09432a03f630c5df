//! The directory of communes: every place that can have a hub, known to a phone that has never had a signal.
//!
//! The 3,321 communes (xã, phường, đặc khu) in force since 1 July 2025 with the statistics office's codes, and the
//! former communes by whose names people still go. The data stand in `data/` as text, one line a commune, so that a
//! change can be read in review; `cargo xtask directory` makes them and `data/README.md` names the source.
//! They are read once, when first asked for: about 300 KB in memory, a search well under a millisecond.
//!
//! Centres are centres of areas, not of villages, and some in the source are rough: good for "which commune is this
//! about?", never for deciding where something happened.

mod read;
mod search;

use std::sync::OnceLock;

use crate::text::degrees::LatLon;
pub use search::{Found, search};

/// The kinds of commune, present and former.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CommuneKind {
    /// Xã: rural commune.
    Xa,
    /// Phường: ward.
    Phuong,
    /// Đặc khu: special zone (islands).
    DacKhu,
    /// Thị trấn: township; none since 1 July 2025.
    ThiTran,
}

impl CommuneKind {
    /// The word that stands before the name.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Xa => "Xã",
            Self::Phuong => "Phường",
            Self::DacKhu => "Đặc khu",
            Self::ThiTran => "Thị trấn",
        }
    }

    const fn folded_word(self) -> &'static str {
        match self {
            Self::Xa => "xa",
            Self::Phuong => "phuong",
            Self::DacKhu => "dac khu",
            Self::ThiTran => "thi tran",
        }
    }
}

/// A province or city under the central government.
#[derive(Debug, PartialEq, Eq)]
pub struct Province {
    code: &'static str,
    name: &'static str,
    folded: String,
}

impl Province {
    /// The statistics office's code, two digits.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The name with its kind: "Tỉnh Phú Thọ".
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// A commune in force.
#[derive(Debug, PartialEq, Eq)]
pub struct Commune {
    code: &'static str,
    name: &'static str,
    kind: CommuneKind,
    /// Place of the province in the directory.
    province: u8,
    centre: LatLon,
    /// Hectares times 100; 0 where the source has none.
    area_m2_e2: u32,
}

impl Commune {
    /// The statistics office's code, five digits.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The name without its kind: "Mai Châu".
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Xã, phường or đặc khu.
    pub fn kind(&self) -> CommuneKind {
        self.kind
    }

    /// The name with its kind: "Xã Mai Châu".
    pub fn full_name(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }

    /// The province it lies in.
    pub fn province(&self) -> &'static Province {
        &data().provinces[usize::from(self.province)]
    }

    /// The centre of its area, WGS 84, rounded by the source to some 10 to 100 metres.
    pub fn centre(&self) -> LatLon {
        self.centre
    }

    /// Its area in square kilometres; `None` where the source has no figure.
    pub fn area_km2(&self) -> Option<f64> {
        (self.area_m2_e2 > 0).then(|| f64::from(self.area_m2_e2) / 10_000.0)
    }
}

/// A commune of before 1 July 2025, whose name people still use.
#[derive(Debug, PartialEq, Eq)]
pub struct FormerCommune {
    code: &'static str,
    name: &'static str,
    kind: CommuneKind,
    district: &'static str,
    province_name: &'static str,
    /// Place of the province it became part of.
    province: u8,
    centre: LatLon,
}

impl FormerCommune {
    /// The statistics office's code until 30 June 2025, five digits. Often the code of the commune it went into.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The name without its kind.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Xã, phường or thị trấn.
    pub fn kind(&self) -> CommuneKind {
        self.kind
    }

    /// The name with its kind: "Thị trấn Mai Châu".
    pub fn full_name(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }

    /// The district it belonged to: "Huyện Mai Châu".
    pub fn district(&self) -> &'static str {
        self.district
    }

    /// The province it belonged to: "Tỉnh Hòa Bình".
    pub fn former_province(&self) -> &'static str {
        self.province_name
    }

    /// The centre of its area.
    pub fn centre(&self) -> LatLon {
        self.centre
    }

    /// The commune that this one is **about** in today. The source has no legal succession, so this is a pointer for
    /// a person to confirm: the commune that took over its code, else the nearest centre in the province it joined.
    pub fn today(&self) -> Today {
        match by_code(self.code) {
            Some(commune) => Today { commune, by: TodayBy::Code },
            None => {
                let nearest = nearest_among(in_province_at(self.province), self.centre, 1);
                let nearby = nearest.into_iter().next().expect("a province of the directory has communes");
                Today { commune: nearby.commune, by: TodayBy::NearestCentre { centre_distance_m: nearby.centre_distance_m } }
            }
        }
    }
}

/// What a former commune is about in today, and why that is believed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Today {
    /// The commune in force.
    pub commune: &'static Commune,
    /// The reason.
    pub by: TodayBy,
}

/// Why a former commune is taken for part of one in force.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TodayBy {
    /// The commune in force carries its code.
    Code,
    /// Its centre is the nearest.
    NearestCentre {
        /// Metres between the two centres.
        centre_distance_m: f64,
    },
}

/// A commune and how far its centre is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nearby {
    /// The commune.
    pub commune: &'static Commune,
    /// Metres from the place asked about to its centre.
    pub centre_distance_m: f64,
}

/// The commune with this code of five digits.
///
/// ```
/// use yenban_protocol::directory;
/// let commune = directory::by_code("05200").expect("in the directory");
/// assert_eq!(commune.full_name(), "Xã Mai Châu");
/// assert_eq!(commune.province().name(), "Tỉnh Phú Thọ");
/// ```
pub fn by_code(code: &str) -> Option<&'static Commune> {
    let data = data();
    let at = data.by_code.binary_search_by(|&place| data.communes[usize::from(place)].code.cmp(code)).ok()?;
    Some(&data.communes[usize::from(data.by_code[at])])
}

/// All communes, by province code, then by commune code.
pub fn iter() -> impl ExactSizeIterator<Item = &'static Commune> {
    data().communes.iter()
}

/// All provinces, by code.
pub fn provinces() -> impl ExactSizeIterator<Item = &'static Province> {
    data().provinces.iter()
}

/// The communes of the province with this code of two digits, by code; none when there is no such province.
pub fn in_province(code: &str) -> &'static [Commune] {
    match data().provinces.iter().position(|province| province.code == code) {
        Some(place) => in_province_at(u8::try_from(place).expect("there are fewer than 256 provinces")),
        None => &[],
    }
}

/// The former communes that are kept, by code.
pub fn former() -> impl ExactSizeIterator<Item = &'static FormerCommune> {
    data().former.iter()
}

/// The `n` communes whose centres are nearest, nearest first. The nearest centre is a good guess, not a border.
///
/// ```
/// use yenban_protocol::{directory, text::degrees::LatLon};
/// let place = LatLon::parse("20.66012", "105.08345").expect("in range");
/// assert_eq!(directory::nearest_to(place, 1)[0].commune.code(), "05200");
/// ```
pub fn nearest_to(place: LatLon, n: usize) -> Vec<Nearby> {
    nearest_among(&data().communes, place, n)
}

fn nearest_among(communes: &'static [Commune], place: LatLon, n: usize) -> Vec<Nearby> {
    let mut nearby: Vec<Nearby> =
        communes.iter().map(|commune| Nearby { commune, centre_distance_m: place.sphere_distance_m(commune.centre) }).collect();
    nearby.sort_unstable_by(|a, b| a.centre_distance_m.total_cmp(&b.centre_distance_m).then_with(|| a.commune.code.cmp(b.commune.code)));
    nearby.truncate(n);
    nearby
}

fn in_province_at(province: u8) -> &'static [Commune] {
    let communes = &data().communes;
    let start = communes.partition_point(|commune| commune.province < province);
    let end = communes.partition_point(|commune| commune.province <= province);
    &communes[start..end]
}

/// Everything that was read from the embedded text.
struct Data {
    provinces: Vec<Province>,
    /// By province, then by code.
    communes: Vec<Commune>,
    /// Places in `communes`, by code.
    by_code: Vec<u16>,
    former: Vec<FormerCommune>,
    /// The folded names, communes first, then former ones, one after another.
    folded: String,
    /// Where each folded name ends.
    folded_ends: Vec<u32>,
}

fn data() -> &'static Data {
    static DATA: OnceLock<Data> = OnceLock::new();
    DATA.get_or_init(|| {
        read::read(include_str!("../data/communes.tsv"), include_str!("../data/former_communes.tsv"))
            .expect("the embedded directory is made by xtask and read whole by a test")
    })
}

#[cfg(test)]
mod tests;
