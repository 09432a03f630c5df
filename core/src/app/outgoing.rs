//! What is on its way: the outbox as people see it, and which reports have not arrived whole.

use std::collections::HashSet;

use yenban_protocol::id::{EntryName, LogId};
use yenban_protocol::range::RangeSet;
use yenban_protocol::record::Act;

use super::{OutboxItem, Phone, session_key};
use crate::error::{Error, Result};
use crate::log::{open_body, read_record};
use crate::outbox::{SendState, send_state, with_files};
use crate::store::Key;
use crate::store::spool_capture::FileKind;
use crate::store::spool_files::OpenFile;
use crate::store::spool_send::AttemptRow;

/// What is needed to tell the send state of any entry of a log.
pub(super) struct Delivery {
    number: u32,
    received: RangeSet,
    parked: Vec<(u64, String)>,
    attempts: Vec<AttemptRow>,
    /// Files that entries of this log name and that have not arrived, by entry.
    files: Vec<OpenFile>,
}

impl Delivery {
    /// How an entry stands, with the files that it names.
    pub(super) fn state_of(&self, seq: u64) -> SendState {
        let parked = self.parked.iter().find(|(of, _)| *of == seq).map(|(_, why)| why.as_str());
        let key = Key::new(self.number, seq);
        let from = self.files.partition_point(|file| file.entry < key);
        let files = self.files[from..].iter().take_while(|file| file.entry == key);
        with_files(send_state(seq, &self.received, parked, &self.attempts), files)
    }
}

impl Phone {
    /// The outbox, at most `limit` lines: set aside first, then what waits in the order of the log, then entries that
    /// have arrived and whose files have not, then the newest of what arrived. Kinds are named as far as they can be
    /// read now.
    ///
    /// # Errors
    /// [`Error::NotEnrolled`], or the store cannot be read.
    pub fn outbox(&mut self, limit: u32) -> Result<Vec<OutboxItem>> {
        self.enrolled_or_refuse()?;
        let limit = limit as usize;
        let (mut parked, mut waiting, mut incomplete, mut arrived) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (number, name, _) in self.log.spool.logs()? {
            let log = LogId(name);
            let delivery = self.delivery(number)?;
            let len = self.log.spool.len_of(number)?;
            for (seq, _) in delivery.parked.iter().filter(|(seq, _)| !delivery.received.contains(*seq)) {
                parked.push(self.outbox_item(EntryName { log, seq: *seq }, &delivery)?);
            }
            for (first, last) in delivery.received.missing_below(len) {
                for seq in first..=last {
                    if waiting.len() >= limit {
                        break;
                    }
                    if delivery.parked.iter().any(|(p, _)| *p == seq) {
                        continue;
                    }
                    waiting.push(self.outbox_item(EntryName { log, seq }, &delivery)?);
                }
            }
            let mut seqs: Vec<u64> = delivery.files.iter().map(|file| file.entry.seq()).collect();
            seqs.dedup();
            let mut shown = HashSet::new();
            for seq in seqs.into_iter().filter(|seq| delivery.received.contains(*seq)).take(limit) {
                let item = self.outbox_item(EntryName { log, seq }, &delivery)?;
                match item.state {
                    "received" => continue,
                    "parked" => parked.push(item),
                    _ => incomplete.push(item),
                }
                shown.insert(seq);
            }
            let ranges: Vec<(u64, u64)> = delivery.received.iter().collect();
            let newest = ranges.iter().rev().flat_map(|(first, last)| (*first..=*last).rev());
            for seq in newest.filter(|seq| *seq < len && !shown.contains(seq)).take(limit) {
                arrived.push(self.outbox_item(EntryName { log, seq }, &delivery)?);
            }
        }
        let mut shown = parked;
        for more in [waiting, incomplete, arrived] {
            shown.extend(more);
            shown.truncate(limit);
        }
        Ok(shown)
    }

    pub(super) fn delivery(&self, number: u32) -> Result<Delivery> {
        let mut files = self.log.spool.open_files()?;
        files.retain(|file| file.entry.log() == number);
        Ok(Delivery {
            number,
            received: self.log.spool.received(number)?,
            parked: self.log.spool.parked(number)?,
            attempts: self.log.spool.attempts(number)?,
            files,
        })
    }

    fn outbox_item(&mut self, name: EntryName, delivery: &Delivery) -> Result<OutboxItem> {
        let SendState { state, reason, attempts } = delivery.state_of(name.seq);
        let kind = self.kind_of(Key::new(delivery.number, name.seq), name)?;
        Ok(OutboxItem { log: name.log.to_string(), seq: name.seq, kind, state, reason, attempts })
    }

    /// Word of an entry's kind; `sealed` when it cannot be read now, or not any more: it hides no other.
    fn kind_of(&mut self, key: Key, name: EntryName) -> Result<&'static str> {
        match self.read_kind(key, name) {
            Err(Error::LogBroken { .. }) => Ok("sealed"),
            read => read,
        }
    }

    fn read_kind(&mut self, key: Key, name: EntryName) -> Result<&'static str> {
        let member = self.member;
        let Some(open) = self.open.as_mut() else { return Ok("sealed") };
        let Some(row) = self.log.spool.entry(key)? else { return Ok("sealed") };
        let Some(session) = session_key(&self.log, member, open, row.session)? else { return Ok("sealed") };
        let record = read_record(name, &open_body(&session, name, &row.body)?)?;
        Ok(Act::kind_code(record.act.kind()))
    }

    /// Incidents and patrols of which a photograph has not arrived. Smaller copies do not count: they prove nothing.
    pub(super) fn incomplete_subjects(&mut self) -> Result<HashSet<Key>> {
        let mut files = self.log.spool.open_files()?;
        files.retain(|file| file.kind == FileKind::Original && !file.is_erased());
        let vault = &self.vault()?.vault;
        let mut subjects = HashSet::new();
        for file in files {
            subjects.extend(vault.photo(file.photo)?.and_then(|photo| photo.subject));
        }
        Ok(subjects)
    }
}
