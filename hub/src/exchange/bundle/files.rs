//! Originals and smaller copies: read from storage once to know that they are what their entries say, a second time
//! to write them out.

use std::io::Write;

use yenban_protocol::bundle::{COPIES, ORIGINALS};
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::{Action, Item};

use crate::error::{HubError, Result};
use crate::storage::ObjectStorage;
use crate::storage::sealed::{Read, read};
use crate::store::{ObjectKind, ObjectRow, ObjectState, StoredAs};

/// First bytes that tell the kind of a picture.
const SNIFF_BYTES: usize = 12;

/// A stored file that goes into a bundle.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    pub(super) at: StoredAs,
    pub(super) sha256: Hash,
    pub(super) size_bytes: u64,
}

/// What reading an object found.
pub(super) enum Found {
    /// It is what its entry says; its first bytes, for the ending of its name.
    Good(Stored, &'static str),
    /// It is not there, and never came, or is expected to be gone.
    NotHere,
    /// It should be there: what to note in the custody record.
    Lost(Action),
}

/// Reads an object whole.
pub(super) async fn look(storage: &dyn ObjectStorage, row: &ObjectRow) -> Result<Found> {
    let lost = match row.state {
        ObjectState::Verified => Found::Lost(Action::FoundMissing),
        _ => Found::NotHere,
    };
    let (ObjectState::Verified, Some(stored)) = (row.state, &row.stored) else { return Ok(lost) };
    let mut first = Vec::with_capacity(SNIFF_BYTES);
    let found = read(storage, stored, |chunk| {
        let more = SNIFF_BYTES.saturating_sub(first.len()).min(chunk.len());
        first.extend_from_slice(&chunk[..more]);
        Ok(())
    });
    Ok(match found.await? {
        Read::Whole(hash, size) if (hash, size) == (row.sha256, row.size_bytes) => {
            Found::Good(Stored { at: stored.clone(), sha256: hash, size_bytes: size }, ending(&first))
        }
        Read::Missing => lost,
        Read::Whole(..) | Read::Altered => Found::Lost(Action::FoundAltered),
    })
}

/// The ending that lets a viewer open the file; nothing else rests on it.
fn ending(first: &[u8]) -> &'static str {
    match first {
        [0xff, 0xd8, 0xff, ..] => "jpg",
        [0x89, b'P', b'N', b'G', ..] => "png",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
        [_, _, _, _, b'f', b't', b'y', b'p', b'h', b'e' | b'm', ..] => "heic",
        _ => "bin",
    }
}

/// Name of an original's member.
pub(super) fn original_name(item: &Item, ending: &str) -> String {
    format!("{ORIGINALS}{}.{ending}", item.file_stem())
}

/// Name of a copy's member.
pub(super) fn copy_name(item: &Item, kind: ObjectKind, ending: &str) -> String {
    format!("{COPIES}{}-{}.{ending}", item.file_stem(), kind.code())
}

/// Writes a stored file out. What was written counts only if this succeeds.
pub(super) async fn write(storage: &dyn ObjectStorage, stored: &Stored, out: &mut (dyn Write + Send)) -> Result<()> {
    let mut failed = None;
    let found = read(storage, &stored.at, |chunk| {
        if let (None, Err(error)) = (&failed, out.write_all(chunk)) {
            failed = Some(error);
        }
        Ok(())
    })
    .await?;
    if let Some(error) = failed {
        return Err(HubError::file(std::path::Path::new("bundle"))(error));
    }
    match found {
        Read::Whole(hash, size) if (hash, size) == (stored.sha256, stored.size_bytes) => Ok(()),
        _ => Err(HubError::Store("a file changed while it was exported; run `hub check`".to_owned())),
    }
}
