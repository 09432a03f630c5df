//! The marker: the log's name kept a second time, outside the database.
//!
//! A store that was copied, restored from a backup or rolled back carries the database without its
//! marker or with an old one. Going on under the same log would use sequence numbers twice; so a
//! missing or different marker is doubt, and doubt starts a new log.

use std::path::Path;

use yenban_protocol::id::LogId;

use crate::error::{Error, Result};
use crate::keys::files;
use crate::limits::SIDE_FILE_MAX_BYTES;

const MAGIC: &[u8; 4] = b"YBM1";

/// What the marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    /// The log that this store writes.
    pub log: LogId,
    /// Made anew with each log, so that two copies of one store tell each other apart.
    pub nonce: [u8; 16],
}

/// What opening a store finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The marker is gone.
    MarkerMissing,
    /// The marker is another one.
    MarkerDiffers,
    /// The hub holds more of this log than this store does.
    HubAhead,
    /// The hub holds other entries under the same numbers.
    Fork,
    /// The spool was damaged and put together again.
    Damaged,
}

impl Doubt {
    /// The word in the first entry of the new log.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Doubt::MarkerMissing => "marker_missing",
            Doubt::MarkerDiffers => "marker_differs",
            Doubt::HubAhead => "hub_ahead",
            Doubt::Fork => "fork",
            Doubt::Damaged => "damaged",
        }
    }
}

impl Doubt {
    /// From its word.
    pub(crate) fn from_code(code: &str) -> Option<Doubt> {
        [Doubt::MarkerMissing, Doubt::MarkerDiffers, Doubt::HubAhead, Doubt::Fork, Doubt::Damaged].into_iter().find(|d| d.code() == code)
    }
}

/// Reads the marker; `None` when there is none or it is not one.
pub(crate) fn read(path: &Path) -> Result<Option<Marker>> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = match files::read_small(path, SIDE_FILE_MAX_BYTES) {
        Ok(bytes) => bytes,
        // A marker that is no marker differs; it is not a reason to refuse work.
        Err(Error::StoreDamaged { .. }) => Vec::new(),
        Err(other) => return Err(other),
    };
    Ok(Some(parse(&bytes).unwrap_or(Marker { log: LogId([0; 8]), nonce: [0; 16] })))
}

fn parse(bytes: &[u8]) -> Option<Marker> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (log, nonce) = rest.split_first_chunk::<8>()?;
    Some(Marker { log: LogId(*log), nonce: nonce.try_into().ok()? })
}

/// Writes the marker durably.
pub(crate) fn write(path: &Path, marker: &Marker) -> Result<()> {
    files::write_private(path, &[&MAGIC[..], &marker.log.0, &marker.nonce].concat())
}

/// Compares what the spool remembers with what lies beside it.
pub(crate) fn compare(expected: &Marker, found: Option<&Marker>) -> Option<Doubt> {
    match found {
        None => Some(Doubt::MarkerMissing),
        Some(found) if found != expected => Some(Doubt::MarkerDiffers),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_that_is_gone_or_another_raises_doubt() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("marker");
        let mine = Marker { log: LogId([1; 8]), nonce: [2; 16] };
        assert_eq!(compare(&mine, read(&path).unwrap().as_ref()), Some(Doubt::MarkerMissing));
        write(&path, &mine).unwrap();
        assert_eq!(compare(&mine, read(&path).unwrap().as_ref()), None);
        write(&path, &Marker { nonce: [3; 16], ..mine }).unwrap();
        assert_eq!(compare(&mine, read(&path).unwrap().as_ref()), Some(Doubt::MarkerDiffers));
        std::fs::write(&path, vec![7; 100_000]).unwrap();
        assert_eq!(compare(&mine, read(&path).unwrap().as_ref()), Some(Doubt::MarkerDiffers));
    }
}
