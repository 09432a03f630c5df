//! Room on the phone: who may use how much, what is refused before the shutter, what may go.
//!
//! Text keeps a reserve of its own on the disk, a file that is given up when a text or a capture in hand finds no room
//! and made again when there is some. Originals and smaller copies have quotas; an original goes only after a receipt
//! of the epoch that the phone follows and the hold time that the hub asked for.

use super::{Evicted, Phone, Space};
use crate::error::{Error, Result};
use crate::evidence::object_path;
use crate::limits::{ORIGINALS_QUOTA_BYTES, PHOTO_ROOM_BYTES, PREVIEWS_QUOTA_BYTES, PREVIEWS_READABLE_MS, RESERVE_PHOTO_BYTES};

impl Phone {
    /// How much room there is and who has it; whether a photograph can be taken now, and why not.
    ///
    /// # Errors
    /// The file system or the store does not answer.
    pub fn space(&self) -> Result<Space> {
        self.space_for(PHOTO_ROOM_BYTES, 2 * PHOTO_ROOM_BYTES)
    }

    /// Sets how many bytes of originals this phone keeps at most; new ones are refused above it.
    pub fn set_originals_quota(&mut self, bytes: u64) {
        self.originals_quota_bytes = Some(bytes);
    }

    /// `more` bytes of originals that need `room` bytes of the disk.
    fn space_for(&self, more: u64, room: u64) -> Result<Space> {
        let root = self.folder.root();
        let free_bytes = self.disk.free_bytes(root).map_err(|e| Error::io("look at", root, e))?;
        let reserve_bytes = self.reserve_bytes();
        let held = self.log.spool.held()?;
        let originals_quota_bytes = self.originals_quota_bytes.unwrap_or(ORIGINALS_QUOTA_BYTES);
        // What the reserve lacks is not free for photographs.
        let needed = room.saturating_add(RESERVE_PHOTO_BYTES.saturating_sub(reserve_bytes));
        let disk_lacks = needed.saturating_sub(free_bytes);
        let quota_lacks = held.originals.saturating_add(more).saturating_sub(originals_quota_bytes);
        let reason = match (disk_lacks, quota_lacks) {
            (0, 0) => None,
            (0, _) => Some("quota"),
            _ => Some("disk"),
        };
        Ok(Space {
            free_bytes,
            reserve_bytes,
            originals_bytes: held.originals,
            originals_quota_bytes,
            previews_bytes: held.previews,
            previews_quota_bytes: PREVIEWS_QUOTA_BYTES,
            can_capture: reason.is_none(),
            reason,
            missing_bytes: disk_lacks.max(quota_lacks),
        })
    }

    /// Makes sure that a photograph fits, before the shutter; removes what may go if it has to.
    pub(super) fn make_room(&mut self, more: u64, room: u64) -> Result<()> {
        self.keep_reserve(RESERVE_PHOTO_BYTES);
        if self.space_for(more, room)?.can_capture {
            return Ok(());
        }
        self.evict_what_may_go()?;
        match self.space_for(more, room)? {
            space if space.can_capture => Ok(()),
            space => Err(Error::NoRoom { missing_bytes: space.missing_bytes }),
        }
    }

    /// Removes sealed files that may go by the hub's newest time: originals that a receipt of the current epoch names
    /// and whose hold is over, smaller copies after seven days besides. Anything else is never removed.
    ///
    /// # Errors
    /// The store cannot be read, or not saved: then nothing was removed.
    pub fn evict_what_may_go(&mut self) -> Result<Evicted> {
        self.log.ready()?;
        let Some(token) = self.enrolment.as_ref().and_then(|e| e.token.as_ref()) else { return Ok(Evicted::default()) };
        let (epoch, hub_ms) = (token.value.epoch.0, token.value.hub_time_ms);
        // Between a hub's restart from a backup and its first token of the new epoch, nothing is certain.
        if self.log.spool.meta("epoch")?.is_some_and(|current| current != epoch) {
            return Ok(Evicted::default());
        }
        let files = self.log.spool.may_go(epoch, hub_ms, PREVIEWS_READABLE_MS)?;
        if files.is_empty() {
            return Ok(Evicted::default());
        }
        // Noted first: a kill in between leaves files that the next start removes, never an entry whose file is
        // missing without a word.
        self.log.spool.note_evicted(&files, self.clock.wall_ms())?;
        let objects = self.folder.objects();
        for file in &files {
            let _ = self.disk.remove(&object_path(&objects, &file.sealed_sha256));
        }
        Ok(Evicted { files: files.len() as u64, bytes: files.iter().map(|file| file.size_bytes).sum() })
    }

    fn reserve_bytes(&self) -> u64 {
        self.disk.size_bytes(&self.folder.reserve()).ok().flatten().unwrap_or(0)
    }

    /// Makes the reserve, or makes it larger, where there is room; without it nothing but a full disk is worse.
    pub(super) fn keep_reserve(&self, bytes: u64) {
        let (path, held) = (self.folder.reserve(), self.reserve_bytes());
        let free = self.disk.free_bytes(self.folder.root()).unwrap_or(0);
        if held >= bytes || free < 2 * bytes {
            return;
        }
        let _ = self.disk.remove(&path);
        if self.disk.preallocate(&path, bytes).is_err() {
            // Half a reserve would be taken for a whole one of its length.
            let _ = self.disk.remove(&path);
        }
    }

    /// Gives up the reserve; whether there was one.
    pub(super) fn give_up_reserve(&self) -> bool {
        self.reserve_bytes() > 0 && self.disk.remove(&self.folder.reserve()).is_ok()
    }
}
