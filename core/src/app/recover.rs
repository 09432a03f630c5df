//! What a kill left behind, settled at the next start: captures are taken in, leftovers are swept.
//!
//! Nothing here can keep a phone from opening, and every step may be killed and repeated: a capture's row goes in the
//! same commit that names its photograph. What no entry names is never removed at a start, because a spool that lost its
//! end names nothing of it either.

use std::collections::HashSet;
use std::io::Write as _;
use std::path::Path;

use data_encoding::HEXLOWER;
use yenban_protocol::record::Common;

use super::Phone;
use super::photos::Taking;
use crate::error::{Error, Result};
use crate::evidence::object_path;
use crate::evidence::seal::{SealedReader, UNFINISHED, hash_file};
use crate::limits::{PREVIEWS_AT_OPEN, UNNAMED_KEEP_MS};
use crate::store::spool_capture::CaptureRow;

/// Sealed files that no entry names, each with the hub time at which it was first noticed.
const NOTICED: &str = "unnamed-files";
const NOTICED_BYTES: usize = 32 + 8;

impl Phone {
    /// At a start, after enrolment, member and vault are known.
    pub(super) fn recover_captures(&mut self) {
        // Whatever fails here (no room, a damaged file) is tried again at the next start.
        for row in self.log.spool.captures().unwrap_or_default() {
            let _ = self.recover_capture(&row);
        }
        let _ = self.sweep();
        let _ = self.make_previews(PREVIEWS_AT_OPEN);
    }

    fn recover_capture(&mut self, row: &CaptureRow) -> Result<()> {
        let path = self.capture_path(row);
        match self.disk.size_bytes(&path) {
            Ok(Some(size_bytes)) if size_bytes > 0 => {}
            // No shutter, or a camera that was killed before its first byte.
            Ok(Some(_)) => {
                self.disk.remove(&path).map_err(|e| crate::Error::io("remove", &path, e))?;
                return self.log.spool.cancel_capture(row.id);
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return self.log.spool.cancel_capture(row.id),
            Ok(None) | Err(_) => return Ok(()),
        }
        self.ready()?;
        // The clocks of this start come after the shutter, those of the row before it; the place is the row's alone.
        let position = row.position.map(|position| self.aged(position, &row.begun));
        let taking = Taking {
            path: &path,
            subject: row.subject,
            from_camera: row.from_camera,
            original_name: None,
            common: Common { position, ..self.common(None)? },
            begun: Some(row.begun),
            heading_cdeg: row.heading_cdeg,
            declared: None,
            recovered: true,
            capture: Some(row.id),
        };
        self.take_in(taking).map(|_| ())
    }

    /// Removes what is surely kept elsewhere or never was anything: unfinished files, files that were to be evicted, clear
    /// files whose photograph is sealed and named. A sealed file that the log does not name stays: a spool that lost its
    /// end looks just the same, and the file may be all that is left of a photograph that was acknowledged.
    pub(super) fn sweep(&mut self) -> Result<()> {
        let objects = self.folder.objects();
        let names = self.disk.list(&objects).unwrap_or_default();
        // A decoder may have ended the program.
        self.decodes_apart |= names.iter().any(|name| name.starts_with(UNFINISHED));
        let files = self.log.spool.files()?;
        let (evicted, unsigned): (Vec<_>, Vec<_>) = files.iter().filter(|file| file.evicted_ms.is_some()).partition(|file| file.received);
        let evicted: HashSet<String> = evicted.into_iter().map(|file| HEXLOWER.encode(&file.sealed_sha256)).collect();
        // The hub has begun another life since, or wants them again: what was to go is offered once more.
        let kept: Vec<_> = unsigned.into_iter().map(|file| file.sealed_sha256).filter(|hash| self.lies_here(hash)).collect();
        if !kept.is_empty() {
            self.log.spool.keep_after_all(&kept)?;
        }
        for name in names.iter().filter(|name| name.starts_with(UNFINISHED) || evicted.contains(*name)) {
            // A file that stays does no harm; the next start tries again.
            let _ = self.disk.remove(&objects.join(name));
        }
        let capturing = self.folder.capturing();
        // What a kill left of taking a nameless file in again: the sealed one is still here.
        for name in self.disk.list(&capturing).unwrap_or_default().iter().filter(|name| name.starts_with(UNFINISHED)) {
            let _ = self.disk.remove(&capturing.join(name));
        }
        for name in self.stray_clear_files()? {
            let _ = self.settle_clear_file(&capturing.join(name), true);
        }
        Ok(())
    }

    /// Files in the folder of the camera that belong to no capture under way.
    pub(super) fn stray_clear_files(&self) -> Result<Vec<String>> {
        let waiting: HashSet<String> = self.log.spool.captures()?.iter().map(|row| HEXLOWER.encode(&row.id)).collect();
        let mut names = self.disk.list(&self.folder.capturing()).unwrap_or_default();
        names.retain(|name| !waiting.contains(name) && !name.starts_with(UNFINISHED));
        Ok(names)
    }

    /// A clear file without a capture: what a finished capture left goes, anything else is taken in as found. With a
    /// closed vault nobody can tell which it is, so it waits.
    fn settle_clear_file(&mut self, path: &Path, from_camera: bool) -> Result<()> {
        let size_bytes = self.disk.size_bytes(path).map_err(|e| Error::io("look at", path, e))?;
        let Some(size_bytes) = size_bytes else { return Ok(()) };
        if size_bytes > 0 {
            let sha256 = hash_file(self.disk.as_ref(), path)?.0;
            let known = self.vault()?.vault.photos_with(&sha256)?;
            let mut kept = false;
            for photo in known {
                kept |= self.is_kept(&photo.sealed_sha256)?;
            }
            if !kept {
                self.ready()?;
                self.take_in(Taking {
                    path,
                    subject: None,
                    from_camera,
                    original_name: None,
                    common: self.common(None)?,
                    begun: None,
                    heading_cdeg: None,
                    declared: None,
                    recovered: true,
                    capture: None,
                })?;
            }
        }
        self.disk.remove(path).map_err(|e| Error::io("remove", path, e))
    }

    /// Whether a sealed file of this hash is on the disk, by its name.
    pub(super) fn lies_here(&self, sealed_sha256: &[u8; 32]) -> bool {
        let path = object_path(&self.folder.objects(), sealed_sha256);
        self.disk.size_bytes(&path).is_ok_and(|size| size.is_some())
    }

    /// Whether the spool names a sealed file that lies here or that the hub has signed for.
    fn is_kept(&self, sealed_sha256: &[u8; 32]) -> Result<bool> {
        let Some(file) = self.log.spool.files()?.into_iter().find(|file| file.sealed_sha256 == *sealed_sha256) else {
            return Ok(false);
        };
        let here = self.disk.size_bytes(&object_path(&self.folder.objects(), sealed_sha256));
        Ok(file.received || here.is_ok_and(|size| size == Some(file.size_bytes)))
    }

    /// Those of `names` in the folder of sealed files that the log does not name.
    pub(super) fn unnamed(&self, names: &[String]) -> Result<Vec<String>> {
        let named = self.log.spool.files()?;
        let named: HashSet<String> = named.iter().map(|file| HEXLOWER.encode(&file.sealed_sha256)).collect();
        Ok(names.iter().filter(|name| !name.starts_with(UNFINISHED) && !named.contains(*name)).cloned().collect())
    }

    /// Settles sealed files that no entry names, at the end of a sync: when nothing says that the spool lost entries (the
    /// open vault is not ahead, no second log was begun, a receipt of this process found nothing that is not here) and
    /// the file was first noticed [`UNNAMED_KEEP_MS`] ago by the hub's time, which nobody here can set.
    pub(super) fn settle_unnamed_when_sure(&mut self) -> Result<()> {
        let Some(hub_ms) = self.enrolment.as_ref().and_then(|e| e.token.as_ref()).map(|token| token.value.hub_time_ms) else {
            return Ok(());
        };
        let objects = self.folder.objects();
        let names = self.disk.list(&objects).map_err(|e| Error::io("list", &objects, e))?;
        let noticed = self.log.spool.meta(NOTICED)?.unwrap_or_default();
        let first_ms = |hash: &[u8; 32]| {
            let lines = noticed.as_chunks::<NOTICED_BYTES>().0.iter();
            let line = lines.filter_map(|line| line.split_first_chunk::<32>()).find(|(of, _)| *of == hash)?.1;
            Some(i64::from_be_bytes(line.try_into().ok()?))
        };
        let (sure, mut waiting) = (self.nothing_was_lost()?, Vec::new());
        let mut unnamed: Vec<(u64, String)> = Vec::new();
        for name in self.unnamed(&names)? {
            unnamed.push((self.disk.size_bytes(&objects.join(&name)).ok().flatten().unwrap_or(0), name));
        }
        // An original is taken in before its copies, which are known as such when they have been made again.
        unnamed.sort_unstable_by_key(|(size_bytes, _)| std::cmp::Reverse(*size_bytes));
        for (_, name) in unnamed {
            // What has not even the name of a sealed file is none of ours.
            let Some(hash) = HEXLOWER.decode(name.as_bytes()).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()) else { continue };
            let since_ms = first_ms(&hash).unwrap_or(hub_ms);
            let due = sure && hub_ms.saturating_sub(since_ms) >= UNNAMED_KEEP_MS;
            if due && self.settle_unnamed(&objects.join(&name)).is_ok() {
                continue;
            }
            waiting.extend(hash);
            waiting.extend(since_ms.to_be_bytes());
        }
        if waiting != noticed {
            self.log.spool.set_meta(&[(NOTICED, Some(&waiting).filter(|lines| !lines.is_empty()).map(Vec::as_slice))])?;
        }
        Ok(())
    }

    /// A sealed file that no entry names goes only when its very bytes are kept under a name. Else a locked phone may have
    /// lost the entry, or a kill came before it: the photograph is taken in as recovered. What this vault cannot open
    /// stays as it is.
    fn settle_unnamed(&mut self, path: &Path) -> Result<()> {
        let disk = self.disk.clone();
        let opener = &self.vault()?.opener;
        let sha256 = SealedReader::open(disk.as_ref(), path, opener)?.copy_to(&mut |_| Ok(()))?;
        let copies: Vec<_> = self.vault()?.vault.previews_with(&sha256)?;
        let mut kept = false;
        for sealed in copies {
            kept |= self.is_kept(&sealed)?;
        }
        if !kept {
            let clear = self.folder.capturing().join(format!("{UNFINISHED}{}", HEXLOWER.encode(&sha256)));
            let folder = self.folder.capturing();
            disk.create_folder(&folder).map_err(|e| Error::io("create folder", &folder, e))?;
            let done = self.unseal(path, &clear).and_then(|()| self.settle_clear_file(&clear, false));
            // Sealed it lies here still; a clear copy without an entry would be taken in at the next start besides.
            let _ = disk.remove(&clear);
            done?;
        }
        disk.remove(path).map_err(|e| Error::io("remove", path, e))
    }

    fn unseal(&mut self, sealed: &Path, clear: &Path) -> Result<()> {
        let disk = self.disk.clone();
        let mut file = disk.create_new(clear).map_err(|e| Error::io("create", clear, e))?;
        let opener = &self.vault()?.opener;
        SealedReader::open(disk.as_ref(), sealed, opener)?.copy_to(&mut |chunk| file.write_all(chunk)).map(|_| ())
    }

    fn nothing_was_lost(&self) -> Result<bool> {
        Ok(self.hub_agrees && self.follows_its_vault()?)
    }

    /// Whether nothing in this store speaks for entries that were lost.
    pub(super) fn follows_its_vault(&self) -> Result<bool> {
        let (Some(open), Some(head)) = (&self.open, self.log.head()) else { return Ok(false) };
        let follows = open.vault.watermark(head.log) <= head.next_seq;
        // A store that began a second log was once restored, copied or set back.
        Ok(follows && self.doubt.is_none() && self.log.spool.logs()?.len() == 1)
    }
}
