//! What a kill left behind, settled at the next start: captures are taken in, leftovers are swept.
//!
//! Nothing here can keep a phone from opening, and every step may be killed and repeated: a capture's row goes in the
//! same commit that names its photograph, and only what no row and no entry names is ever removed.

use std::collections::HashSet;

use yenban_protocol::record::Common;

use super::Phone;
use super::photos::Taking;
use crate::error::Result;
use crate::evidence::seal::UNFINISHED;
use crate::limits::PREVIEWS_AT_OPEN;
use crate::store::spool_capture::CaptureRow;

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

    /// Removes what was never acknowledged: unfinished files, clear files whose capture is finished, sealed files that
    /// the log does not name, files that were to be evicted.
    fn sweep(&mut self) -> Result<()> {
        let objects = self.folder.objects();
        let names = self.disk.list(&objects).unwrap_or_default();
        let (unfinished, sealed): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| name.starts_with(UNFINISHED));
        let mut gone = unfinished;
        let unnamed = self.unnamed(&sealed)?;
        // A store that began a second log was once restored or copied: what its log does not name may be evidence of
        // the time that was lost. `check` tells of it.
        if self.log.spool.logs()?.len() <= 1 {
            gone.extend(unnamed);
        }
        let evicted = self.log.spool.files()?.into_iter().filter(|file| file.evicted_ms.is_some());
        let evicted: HashSet<String> = evicted.map(|file| data_encoding::HEXLOWER.encode(&file.sealed_sha256)).collect();
        gone.extend(sealed.into_iter().filter(|name| evicted.contains(name)));
        for name in gone {
            // A file that stays does no harm; the next start tries again.
            let _ = self.disk.remove(&objects.join(name));
        }
        let capturing = self.folder.capturing();
        let waiting: Vec<_> = self.log.spool.captures()?.iter().map(|row| data_encoding::HEXLOWER.encode(&row.id)).collect();
        for name in self.disk.list(&capturing).unwrap_or_default() {
            if !waiting.contains(&name) {
                let _ = self.disk.remove(&capturing.join(name));
            }
        }
        Ok(())
    }

    /// Those of `names` in the folder of sealed files that the log does not name.
    pub(super) fn unnamed(&self, names: &[String]) -> Result<Vec<String>> {
        let named = self.log.spool.files()?;
        let named: HashSet<String> = named.iter().map(|file| data_encoding::HEXLOWER.encode(&file.sealed_sha256)).collect();
        Ok(names.iter().filter(|name| !name.starts_with(UNFINISHED) && !named.contains(*name)).cloned().collect())
    }

    /// Removes sealed files that no entry names, after previews that could not be recorded.
    pub(super) fn remove_unnamed_files(&mut self) {
        let _ = self.log.ready().and_then(|()| self.sweep());
    }
}
