//! Photographs are taken in: prepared before the shutter, sealed in one pass, named in the log.
//!
//! A capture's row is on the disk before the camera is asked for anything, so that whatever it has written when the
//! program ends is found again ([`recover`](super::recover)). The clear file goes when the entry is on the disk; the
//! smaller copies come last and can always be made later.

use std::io::Read;
use std::path::{Path, PathBuf};

use yenban_protocol::id::{BootId, EntryName};
use yenban_protocol::limits::MAX_NAME_BYTES;
use yenban_protocol::record::{Act, Begun, Common, Declared, PhotoFacts, Position, Record};
use yenban_protocol::text::Limit;

use super::{Capture, CaptureStart, Extra, Phone, Shutter};
use crate::error::{Error, ErrorKind, Result};
use crate::evidence::ahead::Ahead;
use crate::evidence::look::{Look, Seen};
use crate::evidence::object_path;
use crate::evidence::seal::{Sealed, Sealing};
use crate::evidence::{judge, no_picture, turn_of};
use crate::limits::{CAPTURES_MAX, KIND_BYTES, PHOTO_MAX_BYTES, PHOTO_ROOM_BYTES, SEAL_TRIES};
use crate::log::{Lane, Written};
use crate::store::Key;
use crate::store::spool_capture::{CaptureRow, FileKind, NewFile};

/// A file to be taken in, and everything that is known of it besides its bytes.
pub(super) struct Taking<'a> {
    pub path: &'a Path,
    pub subject: Option<EntryName>,
    pub from_camera: bool,
    pub original_name: Option<String>,
    /// The clocks, place and author as they were when the camera gave the file.
    pub common: Common,
    pub begun: Option<Begun>,
    pub heading_cdeg: Option<u32>,
    pub declared: Option<Declared>,
    pub recovered: bool,
    pub capture: Option<[u8; 8]>,
}

impl Taking<'_> {
    /// A file of which nothing more is known than where it lies.
    fn of_file(path: &Path, from_camera: bool, common: Common) -> Taking<'_> {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        Taking {
            path,
            subject: None,
            from_camera,
            original_name: name.as_deref().filter(|_| !from_camera).map(kept_name),
            common,
            begun: None,
            heading_cdeg: None,
            declared: None,
            recovered: false,
            capture: None,
        }
    }
}

/// A photograph that is sealed and synced, and not named by any entry yet.
pub(super) struct SealedPhoto {
    common: Common,
    facts: PhotoFacts,
    pub sealed: Sealed,
    pub seen: Seen,
    pub turn: u8,
}

impl SealedPhoto {
    /// The entry that names it.
    pub(super) fn record(&self, subject: Option<EntryName>) -> Record {
        Record { common: self.common.clone(), act: Act::PhotoCaptured { subject, photo: Some(self.facts.clone()) } }
    }

    pub(super) fn file(&self, urgent: bool) -> NewFile {
        NewFile {
            sealed_sha256: self.sealed.sealed_sha256,
            size_bytes: self.sealed.sealed_size_bytes,
            kind: FileKind::Original,
            photo: None,
            urgent,
        }
    }
}

impl Phone {
    /// Prepares a capture before the shutter: there is room, its row is on the disk, and the camera may write one file
    /// at the path that is given. Works while locked.
    ///
    /// # Errors
    /// [`Error::NoRoom`] when there is no room for a photograph; [`Error::Unknown`] for the subject; [`Error::Invalid`]
    /// for a place off the earth, a heading of 36,000 or more, or when too many captures are under way; or not saved.
    pub fn begin_capture(&mut self, start: &CaptureStart) -> Result<Capture> {
        self.ready()?;
        let subject = self.find_subject(start.subject.as_deref())?.map(|(name, _)| name);
        let position = start.place.as_ref().map(super::Place::position).transpose()?;
        check_heading(start.heading_cdeg)?;
        if self.log.spool.captures()?.len() as u64 >= CAPTURES_MAX {
            return Err(Error::invalid("capture", "too many are under way; finish or cancel them first"));
        }
        self.make_room(PHOTO_ROOM_BYTES, 2 * PHOTO_ROOM_BYTES)?;
        let folder = self.folder.capturing();
        self.disk.create_folder(&folder).map_err(|e| Error::io("create folder", &folder, e))?;
        self.disk.sync_folder(self.folder.root()).map_err(|e| Error::io("sync folder", self.folder.root(), e))?;
        let row = CaptureRow {
            id: crate::keys::random(self.keys.as_ref())?,
            subject,
            from_camera: start.from_camera,
            begun: self.begun(),
            position,
            heading_cdeg: start.heading_cdeg,
        };
        self.with_reserve(|phone| phone.log.spool.begin_capture(&row))?;
        Ok(self.capture_of(&row))
    }

    /// Takes in what the camera wrote for a capture: hashed and sealed in one pass, named in the log, synced when this
    /// returns. The clear file is gone then; the smaller copies are made if they can be. Returns the entry's name.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a capture that is not under way; [`Error::Invalid`] when the camera left no file or an
    /// empty one; [`Error::StorageFull`] or not saved: the file and the capture stay and can be finished later.
    pub fn finish_capture(&mut self, id: &str, shutter: &Shutter) -> Result<String> {
        // First of all: sealing a large file takes seconds, and what counts is the shutter.
        let common = self.common(shutter.place.as_ref())?;
        self.ready()?;
        let row = self.find_capture(id)?;
        check_heading(shutter.heading_cdeg)?;
        let position = common.position.or_else(|| row.position.map(|position| self.aged(position, &row.begun)));
        let original_name = shutter.original_name.as_deref().filter(|_| !row.from_camera).map(kept_name);
        let path = self.capture_path(&row);
        let taking = Taking {
            path: &path,
            subject: row.subject,
            from_camera: row.from_camera,
            original_name,
            common: Common { position, ..common },
            begun: Some(row.begun),
            heading_cdeg: shutter.heading_cdeg.or(row.heading_cdeg),
            declared: shutter.declared.clone(),
            recovered: false,
            capture: Some(row.id),
        };
        Ok(self.take_in(taking)?.name.to_string())
    }

    /// Gives up a capture; what the camera wrote for it is removed.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a capture that is not under way; [`Error::Io`], or not saved: it stays under way.
    pub fn cancel_capture(&mut self, id: &str) -> Result<()> {
        self.ready()?;
        let row = self.find_capture(id)?;
        let path = self.capture_path(&row);
        match self.disk.remove(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &path, e)),
            _ => self.log.spool.cancel_capture(row.id),
        }
    }

    /// Captures under way: prepared, neither finished nor cancelled.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or the store cannot be read.
    pub fn captures(&mut self) -> Result<Vec<Capture>> {
        self.enrolled_or_refuse()?;
        self.log.ready()?;
        Ok(self.log.spool.captures()?.iter().map(|row| self.capture_of(row)).collect())
    }

    /// Looks at a file before anything is written: whether [`Phone::capture_photo`] would take it in as an import.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what is no file, empty, too large or surely no picture; or it cannot be read.
    pub fn check_photo(&self, source: &Path) -> Result<()> {
        self.file_size(source)?;
        self.refuse_no_picture(source)
    }

    /// Takes in the photograph at `source` for an incident or patrol (`subject`, an entry name) or for none; `source`
    /// is left as it is. Works while locked. Returns the entry's name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for an empty or too large file, and for one that is surely no picture unless the camera made
    /// it; [`Error::Unknown`] for the subject; [`Error::NoRoom`], [`Error::StorageFull`], or not saved: then nothing of
    /// it is in the log.
    pub fn capture_photo(&mut self, source: &Path, subject: Option<&str>, from_camera: bool) -> Result<String> {
        let common = self.common(None)?;
        self.ready()?;
        let subject = self.find_subject(subject)?.map(|(name, _)| name);
        let sealed_bytes = yenban_protocol::object::sealed_len(self.file_size(source)?);
        if !from_camera {
            self.refuse_no_picture(source)?;
        }
        self.make_room(sealed_bytes, sealed_bytes)?;
        Ok(self.take_in(Taking { subject, ..Taking::of_file(source, from_camera, common) })?.name.to_string())
    }

    /// Seals the file of an import for an entry that is still to be written; `before_bytes` of others are sealed for it
    /// already. Nothing is decoded meanwhile: whatever a decoder does, the words come first.
    pub(super) fn seal_import(&mut self, source: &Path, common: &Common, before_bytes: u64) -> Result<SealedPhoto> {
        let sealed_bytes = yenban_protocol::object::sealed_len(self.file_size(source)?);
        self.refuse_no_picture(source)?;
        self.make_room(before_bytes.saturating_add(sealed_bytes), sealed_bytes)?;
        Ok(self.seal_photo(Taking::of_file(source, false, common.clone()), false)?.0)
    }

    /// Seals, names in the log, removes the clear file of a capture, makes the smaller copies, signs the head.
    pub(super) fn take_in(&mut self, taking: Taking<'_>) -> Result<Written> {
        let decode = !taking.recovered && !self.decodes_apart && self.room_for_previews()?;
        let (path, subject, capture) = (taking.path, taking.subject, taking.capture);
        let (photo, ahead) = self.seal_photo(taking, decode)?;
        let urgent = self.is_urgent(subject);
        let extra = Extra { files: &[photo.file(urgent)], capture, lane: Some(Lane::Evidence), ..Extra::default() };
        let written = self
            .write_record(&photo.record(subject), self.patrol_state(), &extra)
            .inspect_err(|_| self.remove_unnamed(&[photo.sealed.sealed_sha256]))?;
        if capture.is_some() {
            // It is sealed and named; a clear copy that stays is removed at the next start.
            let _ = self.disk.remove(path);
        }
        // The photograph is saved. What fails from here on is made up for later.
        let _ = self.previews_after_sealing(&written, urgent, &photo, ahead);
        self.sign_head_if_possible();
        Ok(written)
    }

    fn seal_photo(&mut self, taking: Taking<'_>, decode: bool) -> Result<(SealedPhoto, Option<Ahead>)> {
        let (sealed, seen, ahead) = self.with_reserve(|phone| phone.seal(taking.path, decode))?;
        let judged = judge(&seen, taking.declared.as_ref(), taking.original_name.as_deref(), taking.common.position.as_ref());
        let turn = turn_of(judged.exif.as_ref(), taking.declared.as_ref());
        let facts = PhotoFacts {
            sha256: sealed.sha256,
            size_bytes: sealed.size_bytes,
            sealed_sha256: sealed.sealed_sha256,
            sealed_size_bytes: sealed.sealed_size_bytes,
            media_type: judged.media_type,
            from_camera: taking.from_camera,
            original_name: taking.original_name,
            begun: taking.begun,
            heading_cdeg: taking.heading_cdeg,
            declared: taking.declared,
            exif: judged.exif,
            flags: judged.flags,
            recovered: taking.recovered,
        };
        Ok((SealedPhoto { common: taking.common, facts, sealed, seen, turn }, ahead))
    }

    /// Seals a file; with `decode` a decoder begins meanwhile. A file that somebody still writes is taken once more, and
    /// refused when it has no end: half a picture must not be named as if it were the whole.
    fn seal(&self, path: &Path, decode: bool) -> Result<(Sealed, Seen, Option<Ahead>)> {
        for _ in 0..SEAL_TRIES {
            let done = self.seal_once(path, decode)?;
            if self.file_size(path)? == done.0.size_bytes {
                return Ok(done);
            }
            let half = object_path(&self.folder.objects(), &done.0.sealed_sha256);
            self.disk.remove(&half).map_err(|e| Error::io("remove", &half, e))?;
        }
        Err(Error::invalid("photo", "is still being written: take it in when the camera has finished"))
    }

    fn seal_once(&self, path: &Path, decode: bool) -> Result<(Sealed, Seen, Option<Ahead>)> {
        let to = self.recipients()?;
        let objects = self.folder.objects();
        let sealing = Sealing { disk: self.disk.as_ref(), keys: self.keys.as_ref(), objects: &objects, to: [&to.hub, &to.vault] };
        self.file_size(path)?;
        let mut file = self.disk.open(path).map_err(|e| Error::io("open photo", path, e))?;
        let (mut look, mut ahead, mut asked) = (Look::default(), None, !decode);
        let sealed = sealing.seal(&mut file, path, &mut |chunk, so_far| {
            look.feed(chunk);
            if !asked && look.frame().is_some() {
                asked = true;
                ahead = Ahead::begin(&self.disk, &objects, &look, so_far);
            }
        })?;
        sealing.sync_folder()?;
        Ok((sealed, look.end(), ahead))
    }

    /// Length of a photograph's file. Asked before it is opened: opening a pipe would wait for ever.
    fn file_size(&self, path: &Path) -> Result<u64> {
        match self.disk.size_bytes(path).map_err(|e| Error::io("open photo", path, e))? {
            None => Err(Error::invalid("photo", "it is not a file")),
            Some(0) => Err(Error::invalid("photo", "the file is empty")),
            Some(size) if size > PHOTO_MAX_BYTES => Err(Error::invalid("photo", format!("it is larger than {PHOTO_MAX_BYTES} bytes"))),
            Some(size) => Ok(size),
        }
    }

    fn refuse_no_picture(&self, path: &Path) -> Result<()> {
        let mut start = Vec::with_capacity(KIND_BYTES);
        let file = self.disk.open(path).map_err(|e| Error::io("open photo", path, e))?;
        file.take(KIND_BYTES as u64).read_to_end(&mut start).map_err(|e| Error::io("read photo", path, e))?;
        no_picture(&start).map_or(Ok(()), |what| Err(Error::invalid("photo", format!("it is no picture but {what}"))))
    }

    /// Removes sealed files of this call whose entry was not saved: on a full disk they would keep the room that the next
    /// capture needs, and nobody was told that they are saved. Only when the log, read again, truly does not name them.
    pub(super) fn remove_unnamed(&mut self, sealed: &[[u8; 32]]) {
        if self.log.ready().is_err() {
            return;
        }
        for hash in sealed {
            if self.log.spool.is_file_named(hash).is_ok_and(|named| !named) {
                let _ = self.disk.remove(&object_path(&self.folder.objects(), hash));
            }
        }
    }

    /// An entry of this store that a photograph may belong to.
    pub(super) fn find_subject(&self, written: Option<&str>) -> Result<Option<(EntryName, Key)>> {
        let Some(written) = written else { return Ok(None) };
        let (name, key) = self.find_entry("incident", written)?;
        if self.log.spool.entry(key)?.is_none() {
            return Err(Error::Unknown { what: "incident", name: name.to_string() });
        }
        Ok(Some((name, key)))
    }

    /// Whether a photograph overtakes: its subject does.
    pub(super) fn is_urgent(&self, subject: Option<EntryName>) -> bool {
        let key = subject.and_then(|name| self.log.key_of(name).ok().flatten());
        let entry = key.and_then(|key| self.log.spool.entry(key).ok().flatten());
        entry.is_some_and(|entry| entry.lane == Lane::Urgent as u8)
    }

    fn find_capture(&self, id: &str) -> Result<CaptureRow> {
        let unknown = || Error::Unknown { what: "capture", name: id.to_owned() };
        let bytes = data_encoding::HEXLOWER.decode(id.as_bytes()).map_err(|_| unknown())?;
        let bytes = bytes.as_slice().try_into().map_err(|_| unknown())?;
        self.log.spool.capture(bytes)?.ok_or_else(unknown)
    }

    fn capture_of(&self, row: &CaptureRow) -> Capture {
        Capture { id: data_encoding::HEXLOWER.encode(&row.id), path: self.capture_path(row) }
    }

    pub(super) fn capture_path(&self, row: &CaptureRow) -> PathBuf {
        self.folder.capturing().join(data_encoding::HEXLOWER.encode(&row.id))
    }

    fn begun(&self) -> Begun {
        Begun { wall_ms: self.clock.wall_ms(), monotonic_ms: self.clock.monotonic_ms(), boot: BootId(self.clock.boot_id()) }
    }

    /// A place known at the start of a capture, as old as it is now: an old fix is never called a new one.
    pub(super) fn aged(&self, position: Position, begun: &Begun) -> Position {
        let now = self.begun();
        let passed_ms = if now.boot == begun.boot {
            now.monotonic_ms.saturating_sub(begun.monotonic_ms)
        } else {
            u64::try_from(now.wall_ms.saturating_sub(begun.wall_ms)).unwrap_or(0)
        };
        let age_ms = u64::from(position.fix_age_ms.unwrap_or(0)).saturating_add(passed_ms);
        Position { fix_age_ms: Some(u32::try_from(age_ms).unwrap_or(u32::MAX)), ..position }
    }

    /// Does something that may find the disk full; then once more with the reserve given up.
    pub(super) fn with_reserve<T>(&mut self, work: impl Fn(&mut Phone) -> Result<T>) -> Result<T> {
        match work(self) {
            Err(e) if e.kind() == ErrorKind::StorageFull && self.give_up_reserve() => {
                self.log.ready()?;
                work(self)
            }
            done => done,
        }
    }
}

fn check_heading(heading_cdeg: Option<u32>) -> Result<()> {
    match heading_cdeg {
        Some(36_000..) => Err(Error::invalid("heading", "it is less than 36,000 hundredths of a degree")),
        _ => Ok(()),
    }
}

fn kept_name(name: &str) -> String {
    Limit { bytes: MAX_NAME_BYTES, characters: MAX_NAME_BYTES }.cut(name).to_owned()
}
