//! What the demonstration proves, each line computed from what both sides really hold.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use yenban_core::place::Picked;
use yenban_hub::store::CheckInRow;

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    /// Stable name for programs.
    pub(super) name: &'static str,
    /// The sentence.
    pub(super) said: String,
    /// Whether it holds.
    pub(super) held: bool,
}

/// Whether the hub's check-ins are the walk's points: as many, in this order, at the same 1e-7 degree.
pub(super) fn exact(rows: &[CheckInRow], walks: &[Vec<Picked>]) -> bool {
    let mut rows: Vec<&CheckInRow> = rows.iter().collect();
    rows.sort_by_key(|row| (row.log.clone(), row.seq));
    let points: Vec<&Picked> = walks.iter().flatten().collect();
    let unit = |degrees: Option<f64>| degrees.map(|degrees| (degrees * 1e7).round() as i64);
    rows.len() == points.len()
        && rows.iter().zip(points).all(|(row, picked)| {
            let place = picked.point.place;
            unit(row.lat) == Some(place.lat_e7().into()) && unit(row.lon) == Some(place.lon_e7().into())
        })
}

/// Whether every check-in has an interval around its moment, and the walk's own time lies in it.
pub(super) fn honest(rows: &[CheckInRow]) -> bool {
    let ms = |text: &str| text.parse::<jiff::Timestamp>().map(jiff::Timestamp::as_millisecond).ok();
    rows.iter().all(|row| match (ms(&row.time_earliest), ms(&row.recorded_at), ms(&row.time_latest)) {
        (Some(earliest), Some(at), Some(latest)) => earliest <= at && at <= latest,
        _ => false,
    })
}

/// Whether no entry stands twice in the list.
pub(super) fn once(rows: &[CheckInRow]) -> bool {
    let names: BTreeSet<(&str, u64)> = rows.iter().map(|row| (row.log.as_str(), row.seq)).collect();
    names.len() == rows.len()
}

/// Whether none of the `secrets` stands in clear in any file under the folders.
pub(super) fn nowhere_in_clear(folders: &[&Path], secrets: &[Vec<u8>]) -> bool {
    let mut open: Vec<PathBuf> = folders.iter().map(|folder| folder.to_path_buf()).collect();
    let mut files = 0;
    while let Some(path) = open.pop() {
        if let Ok(listing) = std::fs::read_dir(&path) {
            open.extend(listing.flatten().map(|item| item.path()));
            continue;
        }
        // A socket holds nothing.
        if !path.is_file() {
            continue;
        }
        let Ok(bytes) = std::fs::read(&path) else { return false };
        files += 1;
        if secrets.iter().any(|secret| contains(&bytes, secret)) {
            return false;
        }
    }
    files > 0
}

/// Length of all these files.
pub(super) fn size_of(files: &[PathBuf]) -> u64 {
    files.iter().filter_map(|path| std::fs::metadata(path).ok()).map(|metadata| metadata.len()).sum()
}

/// Bytes of a photograph that are looked for in clear.
const TELLING_BYTES: usize = 48;
/// Fewer different bytes than this may stand anywhere by chance.
const DIFFERENT_BYTES: usize = 16;

/// A piece of a file, from its middle on, that no other file has by chance; `None` when there is none.
pub(super) fn telling(bytes: &[u8]) -> Option<&[u8]> {
    let middle = bytes.get(bytes.len() / 2..)?;
    middle.windows(TELLING_BYTES).find(|piece| piece.iter().collect::<BTreeSet<_>>().len() >= DIFFERENT_BYTES)
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    let Some(first) = wanted.first() else { return false };
    let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.map(|(at, _)| &bytes[at..]).any(|rest| rest.starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_that_could_stand_anywhere_tells_nothing() {
        assert_eq!(telling(&[0; 4_000]), None);
        assert_eq!(telling(b"short"), None);
        let mixed: Vec<u8> = (0..=255).cycle().take(1_000).collect();
        assert_eq!(telling(&mixed).map(<[u8]>::len), Some(TELLING_BYTES));
    }

    #[test]
    fn a_secret_in_clear_is_found() {
        let folder = tempfile::tempdir().unwrap();
        assert!(!nowhere_in_clear(&[folder.path()], &[b"abc".to_vec()]), "no file proves nothing");
        std::fs::write(folder.path().join("a"), b"xxabcxx").unwrap();
        assert!(!nowhere_in_clear(&[folder.path()], &[b"abc".to_vec()]));
        assert!(nowhere_in_clear(&[folder.path()], &[b"abd".to_vec()]));
    }
}
