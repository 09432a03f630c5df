//! Photographs through the phone: capture, list, open again.

use std::io::Write;
use std::path::Path;

use yenban_protocol::limits::MAX_NAME_BYTES;
use yenban_protocol::record::{Act, PhotoFacts};
use yenban_protocol::text::Limit;

use super::{Extra, Phone, PhotoInfo};
use crate::error::{Error, Result};
use crate::evidence::{self, SealedPhoto, UNFINISHED};
use crate::limits::PAGE_ROWS;
use crate::log::Lane;
use crate::store::spool_capture::{FileKind, NewFile};

impl Phone {
    /// Takes in the photograph at `source` for an incident or patrol (`subject`, an entry name) or for
    /// none. The file is hashed while it is read and sealed under `objects/`, synced, then named in
    /// the log; `source` is left as it is. Works while locked. Returns the entry's name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty or too large file, [`Error::Unknown`] for the subject,
    /// [`Error::StorageFull`], or not saved: then nothing of it is in the log.
    pub fn capture_photo(&mut self, source: &Path, subject: Option<&str>, from_camera: bool) -> Result<String> {
        self.ready()?;
        let to = self.recipients()?;
        let subject = subject.map(|s| self.find_entry("incident", s)).transpose()?;
        if let Some((name, key)) = subject
            && self.log.spool.entry(key)?.is_none()
        {
            return Err(Error::Unknown { what: "incident", name: name.to_string() });
        }
        let photo = evidence::seal_file(self.keys.as_ref(), source, &self.folder.objects(), &to.hub, &to.vault)?;
        let original_name = source.file_name().map(|n| n.to_string_lossy().into_owned());
        let original_name = original_name
            .filter(|_| !from_camera)
            .map(|name| Limit { bytes: MAX_NAME_BYTES, characters: MAX_NAME_BYTES }.cut(&name).to_owned());
        let facts = PhotoFacts {
            sha256: photo.sha256,
            size_bytes: photo.size_bytes,
            sealed_sha256: photo.sealed_sha256,
            sealed_size_bytes: photo.sealed_size_bytes,
            media_type: photo.media_type.to_owned(),
            from_camera,
            original_name,
            ..PhotoFacts::default()
        };
        let files = [NewFile {
            sealed_sha256: photo.sealed_sha256,
            size_bytes: photo.sealed_size_bytes,
            kind: FileKind::Original,
            photo: None,
            urgent: false,
        }];
        let act = Act::PhotoCaptured { subject: subject.map(|(name, _)| name), photo: Some(facts) };
        let extra = Extra { files: &files, lane: Some(Lane::Evidence), ..Extra::default() };
        let written = self.write(act, None, self.patrol_state(), extra).inspect_err(|_| self.remove_unnamed(&photo))?;
        self.sign_head_if_possible();
        Ok(written.name.to_string())
    }

    /// Photographs, newest first; of one subject, or all.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn photos(&mut self, subject: Option<&str>) -> Result<Vec<PhotoInfo>> {
        let key = subject.map(|s| self.find_entry("incident", s)).transpose()?.map(|(_, key)| key);
        let rows = self.vault()?.vault.photos(key, PAGE_ROWS)?;
        rows.into_iter()
            .map(|row| {
                Ok(PhotoInfo {
                    id: self.log.name_of(row.key)?.to_string(),
                    subject: row.subject.map(|k| self.log.name_of(k)).transpose()?.map(|n| n.to_string()),
                    at_ms: row.at_ms,
                    sha256: data_encoding::HEXLOWER.encode(&row.sha256),
                    size_bytes: row.size_bytes,
                    media_type: row.media_type,
                    from_camera: row.from_camera,
                    original_name: row.original_name,
                })
            })
            .collect()
    }

    /// Writes the original bytes of a photograph to `out`, verified against the log.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`], [`Error::StoreDamaged`] when the file was altered.
    pub fn open_photo(&mut self, photo: &str, out: &mut dyn Write) -> Result<()> {
        let (_, key) = self.find_entry("photo", photo)?;
        let objects = self.folder.objects();
        let open = self.vault()?;
        let Some(row) = open.vault.photo(key)? else {
            return Err(Error::Unknown { what: "photo", name: photo.to_owned() });
        };
        let path = evidence::object_path(&objects, &row.sealed_sha256);
        let hash = evidence::open_file(&path, &open.opener, out)?;
        if hash != row.sha256 {
            return Err(Error::StoreDamaged { path, why: "its bytes are not those that were hashed".into() });
        }
        Ok(())
    }

    /// Removes a sealed file whose entry was not saved: on a full disk it would keep the room that the next
    /// capture needs. Only when the log, read again, truly does not name it.
    fn remove_unnamed(&mut self, photo: &SealedPhoto) {
        let named = self.log.ready().and_then(|()| self.log.spool.files());
        if named.is_ok_and(|files| files.iter().all(|file| file.sealed_sha256 != photo.sealed_sha256)) {
            let _ = std::fs::remove_file(evidence::object_path(&self.folder.objects(), &photo.sealed_sha256));
        }
    }

    /// Removes what a killed capture left unfinished: it was never acknowledged nor named in the log.
    pub(super) fn sweep_unfinished_photos(&self) {
        let Ok(listing) = std::fs::read_dir(self.folder.objects()) else { return };
        for item in listing.flatten() {
            if item.file_name().to_string_lossy().starts_with(UNFINISHED) {
                // A file that stays does no harm; the next start tries again.
                let _ = std::fs::remove_file(item.path());
            }
        }
    }
}
