//! Originals and smaller copies: read from storage once to know that they are what their entries say, a second time
//! to write them out.

use std::io::Write;

use yenban_protocol::bundle::{COPIES, ORIGINALS};
use yenban_protocol::crypto::Hash;
use yenban_protocol::custody::Item;

use crate::app::Hub;
use crate::error::{HubError, Result};
use crate::scrub;
use crate::storage::sealed::{Read, read};
use crate::store::{Found, ObjectKind, ObjectRow, ObjectState, StoredAs};

/// Said when a file that was good a moment ago is not any more. Faces know it by these words.
const CHANGED: &str = "a file changed while it was exported; run `hub check`";

/// First bytes that tell the kind of a picture.
const SNIFF_BYTES: usize = 12;

/// A stored file that goes into a bundle: its row, where [`look`] found it good.
#[derive(Debug, Clone)]
pub(super) struct Stored(Box<ObjectRow>, StoredAs);

impl Stored {
    pub(super) fn sha256(&self) -> Hash {
        self.0.sha256
    }

    pub(super) fn size_bytes(&self) -> u64 {
        self.0.size_bytes
    }
}

/// What reading an object found.
pub(super) enum Looked {
    /// It is what its entry says; its first bytes, for the ending of its name.
    Good(Stored, &'static str),
    /// It is not there, and never came, or is known to be gone or altered.
    NotHere,
    /// It should be there and is not, or not as it was.
    Lost(Box<Found>),
}

/// Reads an object whole.
pub(super) async fn look(hub: &Hub, row: &ObjectRow) -> Result<Looked> {
    if row.state != ObjectState::Verified {
        return Ok(Looked::NotHere);
    }
    let mut first = Vec::with_capacity(SNIFF_BYTES);
    let found = scrub::read_again(hub, row.clone(), |chunk| {
        let more = SNIFF_BYTES.saturating_sub(first.len()).min(chunk.len());
        first.extend_from_slice(&chunk[..more]);
        Ok(())
    });
    let found = found.await?;
    Ok(match (found.state, found.row.stored.clone()) {
        (ObjectState::Verified, Some(at)) => Looked::Good(Stored(Box::new(found.row), at), ending(&first)),
        _ => Looked::Lost(Box::new(found)),
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
///
/// # Errors
/// When it cannot be written, or is not what [`look`] found any more: that is noted and asked for before this answers,
/// so the next export knows it.
pub(super) async fn write(hub: &Hub, Stored(row, at): &Stored, out: &mut (dyn Write + Send)) -> Result<()> {
    let mut failed = None;
    let found = read(hub.storage.as_ref(), at, |chunk| {
        if let (None, Err(error)) = (&failed, out.write_all(chunk)) {
            failed = Some(error);
        }
        Ok(())
    })
    .await?;
    if let Some(error) = failed {
        return Err(HubError::file(std::path::Path::new("bundle"))(error));
    }
    if found == Read::Whole(row.sha256, row.size_bytes) {
        return Ok(());
    }
    let again = scrub::read_again(hub, ObjectRow::clone(row), |_| Ok(())).await?;
    scrub::settle(hub, vec![again]).await?;
    Err(HubError::Store(CHANGED.to_owned()))
}
