//! Files on the road: which request about them comes next, and what to make of the answers.
//!
//! Everything is read from the tables and from the hub's answers: which files wait the store says, how much of one is
//! there the hub says. Failures of the road are no rejections; a file that the hub refuses blocks no other.

use yenban_protocol::crypto::Hash;
use yenban_protocol::limits::MAX_OBJECTS_ASKED;
use yenban_protocol::upload::{
    CHUNK_TYPE, METADATA_HASH, OBJECTS_PATH, ObjectState, ObjectsAnswer, ObjectsQuestion, TUS_VERSION, UPLOADS_PATH, resource,
};

use super::files::{Chunk, FileErrand, Stands};
use super::machine::{Chosen, Errand, Sync, backoff_ms};
use super::outcome::Reason;
use super::store::{SyncStore, WaitingFile};
use super::{Body, Failure, FileSlice, Method, Reply};
use crate::error::Result;
use crate::limits::{FILE_LOCKED_WAIT_MS, FILES_FAILED_MAX, PARK_AFTER_REJECTIONS, SYNC_BUSY_MAX};
use crate::store::spool_files::ERASED;

impl Sync {
    /// The next request about a file, unless one is in the air.
    pub(super) fn choose_file(&mut self, store: &mut dyn SyncStore, now_ms: u64) -> Result<Option<Chosen>> {
        // While the hub's life and keys are asked about, an answer about a file may be one of another life.
        if self.files.closed || self.files.waits(now_ms) || self.asks_or_carries_a_file() {
            return Ok(None);
        }
        // Of one more than were set aside, at least one was not.
        while let Some(file) = store.files(self.files.later() + 1)?.into_iter().find(|f| !self.files.is_later(&f.sealed_sha256)) {
            match self.files.stands(&file.sealed_sha256) {
                Stands::Unsure => return self.ask(store).map(Some),
                _ if !file.here => {
                    // Nothing can be sent of what is not here; there is nothing to wait for either.
                    store.note_file(&file.sealed_sha256, "gone: the hub lacks it, and it is not on this phone any more")?;
                    self.files.pass_over(file.sealed_sha256);
                }
                Stands::NotBegun => return Ok(Some(begin(&file))),
                Stands::At(offset) if offset <= file.size_bytes => return Ok(Some(self.chunk(file, offset))),
                // More than the file has is not this file.
                Stands::At(_) | Stands::Wrong => return Ok(Some(give_up(&file))),
            }
        }
        Ok(None)
    }

    fn ask(&mut self, store: &mut dyn SyncStore) -> Result<Chosen> {
        let listed = store.files(self.files.later() + MAX_OBJECTS_ASKED)?.into_iter().map(|f| f.sealed_sha256);
        let unknown = listed.filter(|hash| !self.files.is_later(hash) && self.files.stands(hash) == Stands::Unsure);
        self.files.asked = unknown.take(MAX_OBJECTS_ASKED).collect();
        let body = ObjectsQuestion { objects: self.files.asked.clone() }.to_bytes();
        Ok(Chosen::bytes(Errand::File(FileErrand::Ask), Method::Post, OBJECTS_PATH, body))
    }

    fn chunk(&mut self, file: WaitingFile, offset: u64) -> Chosen {
        let WaitingFile { sealed_sha256: hash, size_bytes, path, .. } = file;
        let length = self.files.pace.chunk_bytes().min(size_bytes - offset);
        self.files.segments_since = 0;
        // With nothing left to send, an empty chunk asks the hub to look at the whole.
        let body = if length == 0 { Body::Bytes(Vec::new()) } else { Body::File(FileSlice { path, offset, length }) };
        let errand = FileErrand::Chunk(Chunk { file: hash, size_bytes, offset, length });
        let headers = vec![("upload-offset", offset.to_string()), ("content-type", CHUNK_TYPE.to_owned())];
        tus(errand, Method::Patch, resource(&hash), headers, body)
    }

    /// Takes an answer about files.
    pub(super) fn on_file_reply(
        &mut self,
        errand: FileErrand,
        reply: &Reply,
        store: &mut dyn SyncStore,
        asked_ms: u64,
        now_ms: u64,
    ) -> Result<()> {
        if let FileErrand::Chunk(chunk) = &errand {
            self.outcome.evidence_bytes += reply.handed_bytes;
            self.files.handed(chunk, reply.handed_bytes);
        }
        let reason = refusal(reply);
        match reply.status {
            // A hub without room for files may have room for text.
            507 => self.close_files(errand, reason, store),
            429 if reason.code == "quota" => self.close_files(errand, reason, store),
            423 => {
                let wait_ms = reply.retry_after_ms.unwrap_or(FILE_LOCKED_WAIT_MS);
                self.files.wait_until_ms = now_ms.saturating_add(wait_ms);
                self.stuck(errand, Stands::Unsure, reason, store)
            }
            // No word of "later": the hub may have failed with this one file, and the others go on.
            500.. if reply.retry_after_ms.is_none() && errand.file().is_some() => self.hub_failed(errand, reason, store),
            408 | 500.. => self.files_wait(errand, reply, reason, store, now_ms),
            _ if reply.retry_after_ms.is_some() => self.files_wait(errand, reply, reason, store, now_ms),
            status => {
                // A question costs a hub little: that it answers one says nothing of files.
                if errand != FileErrand::Ask {
                    (self.files.busy, self.files.failed) = (0, 0);
                }
                match errand {
                    FileErrand::Ask if status == 200 => self.on_objects(&reply.body, store),
                    // A hub that does not know the question takes no files.
                    FileErrand::Ask => self.close_files(errand, reason, store),
                    _ if status == 410 && reason.code == ERASED => self.erased(errand, store),
                    FileErrand::Create(file) => self.on_created(file, reply, reason, store),
                    FileErrand::Chunk(chunk) => self.on_chunk(&chunk, reply, reason, store, now_ms.saturating_sub(asked_ms)),
                    FileErrand::Drop(file) => match status {
                        200 | 204 | 404 | 410 => {
                            self.learn(errand, Stands::NotBegun);
                            Ok(())
                        }
                        // What cannot be given up is complete.
                        403 => self.stuck(errand, Stands::Unsure, reason, store),
                        _ => self.reject_file(file, reason, store),
                    },
                }
            }
        }
    }

    /// The hub asks to be asked later about files. Text does not wait for that.
    fn files_wait(&mut self, errand: FileErrand, reply: &Reply, reason: Reason, store: &mut dyn SyncStore, now_ms: u64) -> Result<()> {
        self.files.busy += 1;
        if self.files.busy > SYNC_BUSY_MAX {
            return self.close_files(errand, reason, store);
        }
        self.learn(errand, reply.upload_offset.map_or(Stands::Unsure, Stands::At));
        self.files.wait_until_ms = now_ms.saturating_add(reply.retry_after_ms.unwrap_or_else(|| backoff_ms(self.files.busy)));
        Ok(())
    }

    /// The hub failed with one file, which waits for another sync; a hub that fails with all of them is left alone.
    fn hub_failed(&mut self, errand: FileErrand, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        self.files.failed += 1;
        if self.files.failed > FILES_FAILED_MAX {
            return self.close_files(errand, reason, store);
        }
        self.learn(errand, Stands::Unsure);
        self.leave_for_later(errand.file(), reason, store)
    }

    fn leave_for_later(&mut self, file: Option<Hash>, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        let Some(file) = file else { return Ok(()) };
        store.note_file(&file, &reason.told())?;
        self.files.set_later(file, reason);
        Ok(())
    }

    /// No file goes any more in this sync.
    fn close_files(&mut self, errand: FileErrand, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        self.files.closed = true;
        self.learn(errand, Stands::Unsure);
        if let Some(file) = errand.file() {
            store.note_file(&file, &reason.told())?;
        }
        self.files.reason.get_or_insert(reason);
        Ok(())
    }

    fn on_objects(&mut self, body: &[u8], store: &mut dyn SyncStore) -> Result<()> {
        let asked = std::mem::take(&mut self.files.asked);
        let answer = ObjectsAnswer::from_bytes(body).ok().filter(|answer| answer.states.len() == asked.len());
        let Some(answer) = answer else {
            self.halt(Reason::new("malformed_answer", "the hub's answer about files cannot be read"));
            return Ok(());
        };
        for receipt in &answer.receipts {
            if !self.take_file_receipt(receipt, store)? {
                return Ok(());
            }
        }
        for (file, state) in asked.into_iter().zip(answer.states) {
            match state {
                ObjectState::Partial(0) => self.note(file, Stands::NotBegun),
                ObjectState::Partial(offset) => self.note(file, Stands::At(offset)),
                ObjectState::Verified if store.file_waits(&file)? => self.not_in_receipt(file, store)?,
                ObjectState::Verified => {}
                ObjectState::Erased => self.erased(FileErrand::Drop(file), store)?,
                ObjectState::NotNamed => self.not_named(file, store)?,
            }
        }
        Ok(())
    }

    fn on_created(&mut self, file: Hash, reply: &Reply, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        match reply.status {
            200 | 201 => {
                self.note(file, Stands::At(reply.upload_offset.unwrap_or(0)));
                self.complete(file, reply, store)
            }
            404 => self.not_named(file, store),
            403 | 409 | 410 => {
                self.note(file, Stands::Unsure);
                self.struck(file, reason, store)
            }
            413 => self.park_file(file, &reason, store),
            _ => self.reject_file(file, reason, store),
        }
    }

    fn on_chunk(&mut self, chunk: &Chunk, reply: &Reply, reason: Reason, store: &mut dyn SyncStore, took_ms: u64) -> Result<()> {
        let file = chunk.file;
        let end = chunk.offset + chunk.length;
        match (reply.status, reply.upload_offset) {
            (200 | 204, Some(offset)) if offset > chunk.offset || chunk.length == 0 => {
                if offset == end {
                    self.files.pace = self.files.pace.took(chunk.length, took_ms);
                }
                self.note(file, Stands::At(offset));
                if offset < chunk.size_bytes {
                    return Ok(());
                }
                self.complete(file, reply, store)?;
                // The whole is there and no receipt came: the answer to a question brings one.
                if reply.receipt.is_none() {
                    self.note(file, Stands::Unsure);
                    return self.struck(file, Reason::new("no_receipt", "the hub has the whole file and gave no receipt"), store);
                }
                Ok(())
            }
            (409, Some(offset)) => {
                self.note(file, Stands::At(offset));
                self.struck(file, reason, store)
            }
            (404 | 410, _) => {
                self.note(file, Stands::NotBegun);
                self.struck(file, reason, store)
            }
            (422, _) => {
                let again = !self.files.wrong(file);
                if !store.is_file_whole(&file)? {
                    let why = "the file on this phone is damaged: its bytes are not those that were sealed";
                    return self.park_file(file, &Reason::new("damaged_here", why), store);
                }
                // Bytes may have been spoiled on the hub's side: once more from the start, then it counts.
                if again { Ok(()) } else { self.reject_file(file, reason, store) }
            }
            (413, _) => self.park_file(file, &reason, store),
            (200..=299 | 403 | 409, _) => {
                self.note(file, Stands::Unsure);
                self.struck(file, reason, store)
            }
            _ => self.reject_file(file, reason, store),
        }
    }

    /// What becomes of a file errand that has no answer.
    pub(super) fn on_file_failure(&mut self, errand: FileErrand, failure: &Failure, store: &mut dyn SyncStore) -> Result<()> {
        self.learn(errand, Stands::Unsure);
        match (errand, failure) {
            (FileErrand::Chunk(chunk), Failure::Lost { handed_bytes, .. }) => {
                self.outcome.evidence_bytes += handed_bytes;
                self.files.handed(&chunk, *handed_bytes);
                self.files.pace = self.files.pace.cut();
                // A road that breaks hits every file; one on which only this file breaks is told by where it stands.
                if self.files.lost(chunk.file) {
                    let reason = Reason::new("no_answer", "the connection broke each time while this file was sent");
                    return self.leave_for_later(Some(chunk.file), reason, store);
                }
                Ok(())
            }
            (FileErrand::Chunk(chunk), Failure::NoFile(why)) => self.reject_file(chunk.file, Reason::new("damaged", why), store),
            _ => Ok(()),
        }
    }

    /// Takes the receipt that came with an answer about `file`, if one did.
    fn complete(&mut self, file: Hash, reply: &Reply, store: &mut dyn SyncStore) -> Result<()> {
        let Some(receipt) = &reply.receipt else { return Ok(()) };
        if self.take_file_receipt(receipt, store)? && store.file_waits(&file)? { self.not_in_receipt(file, store) } else { Ok(()) }
    }

    /// What the hub says and what it signs differ: the file waits for a word that counts.
    fn not_in_receipt(&mut self, file: Hash, store: &mut dyn SyncStore) -> Result<()> {
        let reason = Reason::new("not_in_receipt", "the hub says that it has this file, and its receipt does not count for it");
        self.note(file, Stands::Unsure);
        self.leave_for_later(Some(file), reason, store)
    }

    fn note(&mut self, file: Hash, stands: Stands) {
        self.outcome.resent_bytes += self.files.learn(file, stands);
    }

    fn learn(&mut self, errand: FileErrand, stands: Stands) {
        if let Some(file) = errand.file() {
            self.note(file, stands);
        }
    }

    fn stuck(&mut self, errand: FileErrand, stands: Stands, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        self.learn(errand, stands);
        errand.file().map_or(Ok(()), |file| self.struck(file, reason, store))
    }

    /// An answer that moved nothing: after too many the file is left for another sync.
    fn struck(&mut self, file: Hash, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        if self.files.strike(file) { self.leave_for_later(Some(file), reason, store) } else { Ok(()) }
    }

    fn not_named(&mut self, file: Hash, store: &mut dyn SyncStore) -> Result<()> {
        let reason = Reason::new("not_named", "the hub has taken no entry yet that names this file");
        self.leave_for_later(Some(file), reason, store)
    }

    /// Destroyed at the hub when its time was over: not wanted again, and not received either.
    fn erased(&mut self, errand: FileErrand, store: &mut dyn SyncStore) -> Result<()> {
        let reason = Reason::new(ERASED, "the hub has destroyed this file, as its time was over");
        errand.file().map_or(Ok(()), |file| store.park_file(&file, &reason.told()))
    }

    fn park_file(&mut self, file: Hash, reason: &Reason, store: &mut dyn SyncStore) -> Result<()> {
        self.note(file, Stands::Unsure);
        store.park_file(&file, &reason.told())
    }

    /// The hub has refused a file: five times, and it is set aside.
    fn reject_file(&mut self, file: Hash, reason: Reason, store: &mut dyn SyncStore) -> Result<()> {
        self.note(file, Stands::Unsure);
        let told = reason.told();
        if store.note_file_rejection(&file, &told)? >= PARK_AFTER_REJECTIONS {
            store.park_file(&file, &told)?;
        }
        self.files.set_later(file, reason);
        Ok(())
    }
}

fn begin(file: &WaitingFile) -> Chosen {
    let hash = file.sealed_sha256;
    let hex = data_encoding::HEXLOWER.encode(&hash);
    let metadata = format!("{METADATA_HASH} {}", data_encoding::BASE64.encode(hex.as_bytes()));
    let headers = vec![("upload-length", file.size_bytes.to_string()), ("upload-metadata", metadata)];
    tus(FileErrand::Create(hash), Method::Post, UPLOADS_PATH.to_owned(), headers, Body::Bytes(Vec::new()))
}

fn give_up(file: &WaitingFile) -> Chosen {
    let hash = file.sealed_sha256;
    tus(FileErrand::Drop(hash), Method::Delete, resource(&hash), Vec::new(), Body::Bytes(Vec::new()))
}

fn tus(errand: FileErrand, method: Method, path: String, mut headers: Vec<(&'static str, String)>, body: Body) -> Chosen {
    headers.push(("tus-resumable", TUS_VERSION.to_owned()));
    Chosen { errand: Errand::File(errand), method, path, headers, body }
}

fn refusal(reply: &Reply) -> Reason {
    match &reply.problem {
        Some(problem) => Reason::new(&problem.code, problem.detail.clone()),
        None => Reason::new(&format!("status_{}", reply.status), format!("the hub answered {}", reply.status)),
    }
}
