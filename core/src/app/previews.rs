//! The smaller copies of photographs: made right after sealing, or later by whoever opens the vault.
//!
//! Both ways decode what was sealed, out of the sealed file: so a copy is of the bytes that the log names, whatever
//! became of the camera's file meanwhile, and no clear file is needed.

use std::io::Write;

use yenban_protocol::id::EntryName;
use yenban_protocol::object::ContentKey;
use yenban_protocol::record::{Act, Common, Preview, PreviewKind, Previews, Record};

use super::photos::SealedPhoto;
use super::{Extra, Phone, PhotoInfo, PreviewInfo};
use crate::error::{Error, Result};
use crate::evidence::ahead::Ahead;
use crate::evidence::look::{Look, Seen};
use crate::evidence::object_path;
use crate::evidence::preview::{self, Copy, TOOL, reasons};
use crate::evidence::seal::{Sealed, SealedReader, Sealing};
use crate::limits::{PAGE_ROWS, PREVIEW_TRIES_MAX, PREVIEWS_QUOTA_BYTES, PREVIEWS_ROOM_BYTES};
use crate::log::{Lane, Written};
use crate::store::Key;
use crate::store::spool_capture::{FileKind, NewFile};
use crate::store::vault_read::PhotoView;

/// The photograph whose previews are being made once more, and how often: a decoder that ends the program must not do so
/// at every start.
const TRYING: &str = "previews-trying";
/// Why an original that is no longer here has no previews.
const ORIGINAL_GONE: &str = "original_gone";

/// The photograph that copies are made of.
struct Parent {
    name: EntryName,
    key: Key,
    sha256: [u8; 32],
    urgent: bool,
}

impl Phone {
    /// Makes the copies of a photograph that was just sealed, of what `ahead` has decoded meanwhile if it did.
    pub(super) fn previews_after_sealing(
        &mut self,
        written: &Written,
        urgent: bool,
        photo: &SealedPhoto,
        ahead: Option<Ahead>,
    ) -> Result<()> {
        let SealedPhoto { sealed, seen, turn, .. } = photo;
        if !self.room_for_previews()? {
            return Ok(());
        }
        let parent = Parent { name: written.name, key: written.key, sha256: sealed.sha256, urgent };
        let copies = match ahead {
            Some(ahead) => preview::finish(seen, *turn, ahead.finish()?),
            None => self.copies(&sealed.sealed_sha256, &sealed.key, seen, *turn)?,
        };
        self.record_previews(&parent, copies)
    }

    /// Makes previews of up to `limit` photographs that have none yet, oldest first: after a kill, or when there was no
    /// room. For idle times. Returns how many photographs were answered for.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::StorageFull`], or not saved.
    pub fn make_previews(&mut self, limit: u32) -> Result<u32> {
        let unreadable = u32::try_from(self.unreadable.len()).unwrap_or(u32::MAX);
        let mut waiting = self.vault()?.vault.photos_without_previews(limit.saturating_add(unreadable))?;
        waiting.retain(|photo| !self.unreadable.contains(&photo.key));
        let mut answered = 0;
        for photo in waiting.into_iter().take(limit as usize) {
            if !self.room_for_previews()? {
                break;
            }
            self.ready()?;
            match self.previews_of(&photo) {
                // A medium that cannot be read now: at another start, and the next photograph all the same.
                Err(Error::Io { .. }) => drop(self.unreadable.insert(photo.key)),
                done => {
                    done?;
                    answered += 1;
                }
            }
        }
        Ok(answered)
    }

    fn previews_of(&mut self, photo: &PhotoView) -> Result<()> {
        let name = self.log.name_of(photo.key)?;
        let files = self.log.spool.files_of(photo.key)?;
        let original = files.iter().find(|file| file.kind == FileKind::Original);
        let parent = Parent { name, key: photo.key, sha256: photo.sha256, urgent: original.is_some_and(|file| file.urgent) };
        let tries = self.log.spool.meta(TRYING)?.and_then(|bytes| {
            let (key, tries) = bytes.split_first_chunk::<8>()?;
            (*key == photo.key.0.to_be_bytes()).then(|| tries.first().copied()).flatten()
        });
        let tries = tries.unwrap_or(0);
        if tries >= PREVIEW_TRIES_MAX {
            self.record_previews(&parent, Err(reasons::DECODER_DIED))?;
            return self.log.spool.set_meta(&[(TRYING, None)]);
        }
        let trying = [&photo.key.0.to_be_bytes()[..], &[tries + 1]].concat();
        self.log.spool.set_meta(&[(TRYING, Some(&trying))])?;
        let copies = self.copies_of_stored(photo);
        // It came back, whatever it said.
        self.log.spool.set_meta(&[(TRYING, None)])?;
        let copies = match copies {
            // Missing or damaged, which `check` tells: it must not keep the others waiting.
            Err(Error::StoreDamaged { .. }) => Err(ORIGINAL_GONE),
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Err(ORIGINAL_GONE),
            copies => copies?,
        };
        self.record_previews(&parent, copies)
    }

    fn copies_of_stored(&mut self, photo: &PhotoView) -> Result<Result<Vec<Copy>, &'static str>> {
        let path = object_path(&self.folder.objects(), &photo.sealed_sha256);
        let disk = self.disk.clone();
        let opener = &self.vault()?.opener;
        let mut look = Look::default();
        SealedReader::open(disk.as_ref(), &path, opener)?.copy_to(&mut |chunk| {
            look.feed(chunk);
            Ok(())
        })?;
        let seen = look.end();
        let mut reader = SealedReader::open(disk.as_ref(), &path, opener)?;
        let copies = preview::make(&seen, photo.turn, &mut reader);
        reader.failed().map_or(Ok(copies), Err)
    }

    fn copies(&self, sealed_sha256: &[u8; 32], key: &ContentKey, seen: &Seen, turn: u8) -> Result<Result<Vec<Copy>, &'static str>> {
        let path = object_path(&self.folder.objects(), sealed_sha256);
        let mut reader = SealedReader::with_key(self.disk.as_ref(), &path, key)?;
        let copies = preview::make(seen, turn, &mut reader);
        reader.failed().map_or(Ok(copies), Err)
    }

    /// Seals the copies and names them in the log, or says there why there are none.
    fn record_previews(&mut self, parent: &Parent, copies: Result<Vec<Copy>, &'static str>) -> Result<()> {
        let mut previews = Previews { parent_sha256: parent.sha256, tool: TOOL.to_owned(), made: Vec::new(), missing: None };
        let mut files = Vec::new();
        match copies {
            Err(reason) => previews.missing = Some(reason.to_owned()),
            Ok(copies) => {
                for (copy, sealed) in self.seal_copies(&copies)? {
                    previews.made.push(Preview {
                        kind: copy.kind,
                        sha256: sealed.sha256,
                        size_bytes: sealed.size_bytes,
                        sealed_sha256: sealed.sealed_sha256,
                        sealed_size_bytes: sealed.sealed_size_bytes,
                        size_px: copy.size_px,
                    });
                    files.push(NewFile {
                        sealed_sha256: sealed.sealed_sha256,
                        size_bytes: sealed.sealed_size_bytes,
                        kind: file_kind(copy.kind),
                        photo: Some(parent.key),
                        urgent: parent.urgent,
                    });
                }
            }
        }
        // The phone's own act: nobody has to confirm it.
        let common = Common { unconfirmed: false, ..self.common(None)? };
        let record = Record { common, act: Act::PreviewsMade { photo: parent.name, previews: Some(previews) } };
        let extra = Extra { files: &files, lane: Some(Lane::Evidence), ..Extra::default() };
        let hashes: Vec<_> = files.iter().map(|file| file.sealed_sha256).collect();
        self.write_record(&record, self.patrol_state(), &extra).inspect_err(|_| self.remove_unnamed(&hashes))?;
        Ok(())
    }

    /// All of them, or none and nothing left of them.
    fn seal_copies<'a>(&mut self, copies: &'a [Copy]) -> Result<Vec<(&'a Copy, Sealed)>> {
        let mut sealed = Vec::new();
        self.seal_each(copies, &mut sealed).inspect_err(|_| {
            let hashes: Vec<_> = sealed.iter().map(|(_, sealed): &(&Copy, Sealed)| sealed.sealed_sha256).collect();
            self.remove_unnamed(&hashes);
        })?;
        Ok(sealed)
    }

    fn seal_each<'a>(&self, copies: &'a [Copy], done: &mut Vec<(&'a Copy, Sealed)>) -> Result<()> {
        let to = self.recipients()?;
        let objects = self.folder.objects();
        let sealing = Sealing { disk: self.disk.as_ref(), keys: self.keys.as_ref(), objects: &objects, to: [&to.hub, &to.vault] };
        for copy in copies {
            done.push((copy, sealing.seal(&mut copy.jpeg.as_slice(), &objects, &mut |_, _| ())?));
        }
        sealing.sync_folder()
    }

    pub(super) fn room_for_previews(&self) -> Result<bool> {
        Ok(self.log.spool.held()?.previews + PREVIEWS_ROOM_BYTES <= PREVIEWS_QUOTA_BYTES)
    }

    /// Photographs, newest first; of one subject, or all.
    ///
    /// # Errors
    /// [`Error::Locked`].
    pub fn photos(&mut self, subject: Option<&str>) -> Result<Vec<PhotoInfo>> {
        let key = subject.map(|s| self.find_entry("incident", s)).transpose()?.map(|(_, key)| key);
        let rows = self.vault()?.vault.photos(key, PAGE_ROWS)?;
        rows.into_iter().map(|row| self.photo_info(row)).collect()
    }

    fn photo_info(&mut self, row: PhotoView) -> Result<PhotoInfo> {
        let files = self.log.spool.files_of(row.key)?;
        let original = files.iter().find(|file| file.kind == FileKind::Original);
        let previews = self.vault()?.vault.previews(row.key)?;
        let previews = previews.into_iter().map(|preview| {
            let file = files.iter().find(|file| file.sealed_sha256 == preview.sealed_sha256);
            PreviewInfo {
                kind: preview.kind,
                width_px: preview.size_px.0,
                height_px: preview.size_px.1,
                size_bytes: preview.size_bytes,
                received: file.is_some_and(|file| file.received),
                evicted: file.is_some_and(|file| file.evicted_ms.is_some()),
            }
        });
        Ok(PhotoInfo {
            id: self.log.name_of(row.key)?.to_string(),
            subject: row.subject.map(|k| self.log.name_of(k)).transpose()?.map(|n| n.to_string()),
            at_ms: row.at_ms,
            sha256: data_encoding::HEXLOWER.encode(&row.sha256),
            size_bytes: row.size_bytes,
            media_type: row.media_type,
            from_camera: row.from_camera,
            original_name: row.original_name,
            flags: row.flags.split_whitespace().map(str::to_owned).collect(),
            recovered: row.recovered,
            received: original.is_some_and(|file| file.received),
            evicted: original.is_some_and(|file| file.evicted_ms.is_some()),
            previews: previews.collect(),
            previews_missing: row.previews_missing.filter(|reason| !reason.is_empty()),
        })
    }

    /// Writes the original bytes of a photograph to `out`, verified against the log.
    ///
    /// # Errors
    /// [`Error::Locked`], [`Error::Unknown`], [`Error::StoreDamaged`] when the file was altered.
    pub fn open_photo(&mut self, photo: &str, out: &mut dyn Write) -> Result<()> {
        let (_, key) = self.find_entry("photo", photo)?;
        let Some(row) = self.vault()?.vault.photo(key)? else {
            return Err(Error::Unknown { what: "photo", name: photo.to_owned() });
        };
        self.open_sealed(&row.sealed_sha256, &row.sha256, out)
    }

    /// Writes a smaller copy of a photograph (a JPEG) to `out`, verified against the log.
    ///
    /// # Errors
    /// As [`Phone::open_photo`]; [`Error::Unknown`] also when there is no such copy.
    pub fn open_preview(&mut self, photo: &str, kind: PreviewKind, out: &mut dyn Write) -> Result<()> {
        let (_, key) = self.find_entry("photo", photo)?;
        let previews = self.vault()?.vault.previews(key)?;
        let Some(row) = previews.into_iter().find(|preview| preview.kind == kind.code()) else {
            return Err(Error::Unknown { what: "preview of photo", name: photo.to_owned() });
        };
        self.open_sealed(&row.sealed_sha256, &row.sha256, out)
    }

    fn open_sealed(&mut self, sealed_sha256: &[u8; 32], sha256: &[u8; 32], out: &mut dyn Write) -> Result<()> {
        let path = object_path(&self.folder.objects(), sealed_sha256);
        let disk = self.disk.clone();
        let hash = SealedReader::open(disk.as_ref(), &path, &self.vault()?.opener)?.copy_to(&mut |chunk| out.write_all(chunk))?;
        if hash != *sha256 {
            return Err(Error::StoreDamaged { path, why: "its bytes are not those that were hashed".into() });
        }
        Ok(())
    }
}

fn file_kind(kind: PreviewKind) -> FileKind {
    match kind {
        PreviewKind::Preview => FileKind::Preview,
        PreviewKind::Thumbnail => FileKind::Thumbnail,
    }
}
