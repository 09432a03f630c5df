//! A report and its photographs are one: all of them in the log, or nothing.
//!
//! A report says how many photographs belong to it, and the hub shows it as incomplete until it has them all. Written one
//! after another, a kill in between would leave a report that stays incomplete for ever, with nobody who knows what is
//! missing. So the originals are sealed first, and one synced commit names the report and all of them. Sealed files of a
//! call that was killed before it are files without a name, settled as such ([`recover`](super::recover)).

use std::path::PathBuf;

use yenban_protocol::id::EntryName;
use yenban_protocol::record::{Act, Common, Record};

use super::capture::statements;
use super::photos::SealedPhoto;
use super::{Extra, Phone, Report, Said};
use crate::error::{Error, ErrorKind, Result};
use crate::incident::check_kind;
use crate::limits::REPORT_PHOTOS_MAX;
use crate::log::{Lane, Written};

/// A report that is saved.
#[derive(Debug)]
pub struct Reported {
    /// Its name.
    pub id: String,
    /// The entries of its photographs, in the order in which they were given.
    pub photos: Vec<String>,
    /// Photographs of an urgent report that could not be taken in: it went without them, and does not count them.
    pub left_out: Vec<LeftOut>,
    pub(super) name: EntryName,
    pub(super) record: Record,
}

/// A photograph that was not taken in.
#[derive(Debug)]
pub struct LeftOut {
    /// The file that was given.
    pub path: PathBuf,
    /// Why not.
    pub error: Error,
}

/// What was added to an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amended {
    /// The entry with what is said, if something was.
    pub id: Option<String>,
    /// The entries of the photographs, in the order in which they were given.
    pub photos: Vec<String>,
}

/// What the entries of one commit have in common.
struct Together<'a> {
    /// The words; `None`: photographs alone.
    first: Option<&'a Record>,
    /// What the photographs belong to; `None`: the words written with them.
    subject: Option<EntryName>,
    urgent: bool,
    photos: &'a [SealedPhoto],
}

impl Phone {
    /// As [`Phone::report`], with its photographs, which were taken or brought elsewhere (the files stay as they are): the
    /// report is in the log with all of them, or nothing is. Only an urgent report does not wait for a photograph that
    /// cannot be taken in: it goes with the others, or alone, and says so.
    ///
    /// # Errors
    /// As [`Phone::report`], [`Error::Invalid`] for more than [`REPORT_PHOTOS_MAX`] photographs, and for a report that is
    /// not urgent whatever [`Phone::capture_photo`] says of one of them. Nothing is in the log then.
    pub fn report_with_photos(&mut self, report: &Report, photos: &[PathBuf]) -> Result<Reported> {
        // First of all: sealing takes its time, and what counts is when it was said.
        let (common, of_photos) = (self.common(report.place.as_ref())?, self.common(None)?);
        self.ready()?;
        check_kind(&report.kind)?;
        let statements = statements(&report.statements)?;
        if statements.is_empty() && !report.urgent {
            return Err(Error::invalid("text", "a report that is not urgent says what happened"));
        }
        if !report.urgent {
            self.vault()?;
        }
        check_count(photos)?;
        let record = |own: usize| {
            let attachments = report.photos.saturating_add(u32::try_from(own).unwrap_or(u32::MAX));
            let act =
                Act::IncidentReported { kind: report.kind.clone(), urgent: report.urgent, attachments, statements: statements.clone() };
            Record { common: common.clone(), act }
        };
        let (mut paths, mut sealed, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for path in photos {
            match self.seal_import(path, &of_photos, sealed_bytes(&sealed)) {
                Ok(photo) => {
                    paths.push(path);
                    sealed.push(photo);
                }
                Err(error) if report.urgent => left_out.push(LeftOut { path: path.clone(), error }),
                Err(error) => {
                    self.forget(&sealed);
                    return Err(error);
                }
            }
        }
        let mut said = record(sealed.len());
        let mut done = self.write_together(&Together { first: Some(&said), subject: None, urgent: report.urgent, photos: &sealed });
        if report.urgent && !sealed.is_empty() && done.as_ref().is_err_and(|error| error.kind() == ErrorKind::StorageFull) {
            // The room that the photographs take is what its words need.
            self.forget(&sealed);
            sealed.clear();
            left_out.extend(paths.into_iter().map(|path| LeftOut { path: path.clone(), error: Error::StorageFull }));
            said = record(0);
            done = self.write_together(&Together { first: Some(&said), subject: None, urgent: true, photos: &[] });
        }
        let written = done.inspect_err(|_| self.forget(&sealed))?;
        let Some((first, of_photos)) = written.split_first() else { return Err(Error::NotEnrolled) };
        if report.urgent || !sealed.is_empty() {
            self.sign_head_if_possible();
        }
        self.previews_of_sealed(of_photos, report.urgent, &sealed);
        Ok(Reported { id: first.name.to_string(), photos: names(of_photos), left_out, name: first.name, record: said })
    }

    /// As [`Phone::amend`], with photographs or with photographs alone, which works while locked: all of it is in the log,
    /// or nothing is.
    ///
    /// # Errors
    /// As [`Phone::amend`], where there is neither text nor a photograph; whatever [`Phone::capture_photo`] says of one of
    /// them, and [`Error::Invalid`] for more than [`REPORT_PHOTOS_MAX`].
    pub fn amend_with_photos(&mut self, incident: &str, said: &[Said], photos: &[PathBuf]) -> Result<Amended> {
        let statements = statements(said)?;
        if !statements.is_empty() || photos.is_empty() {
            self.vault()?;
        }
        let common = self.common(None)?;
        self.ready()?;
        if statements.is_empty() && photos.is_empty() {
            return Err(Error::invalid("text", "there is nothing to add"));
        }
        check_count(photos)?;
        let unknown = || Error::Unknown { what: "incident", name: incident.to_owned() };
        let (name, key) = self.find_subject(Some(incident))?.ok_or_else(unknown)?;
        let first = if statements.is_empty() {
            None
        } else if self.vault()?.vault.incident(key)?.is_none() {
            return Err(unknown());
        } else {
            Some(Record { common: common.clone(), act: Act::IncidentAmended { incident: name, statements } })
        };
        let sealed = self.seal_imports(photos, &common)?;
        let urgent = self.is_urgent(Some(name));
        let together = Together { first: first.as_ref(), subject: Some(name), urgent, photos: &sealed };
        let written = self.write_together(&together).inspect_err(|_| self.forget(&sealed))?;
        let (said, of_photos) = written.split_at(usize::from(first.is_some()));
        if !sealed.is_empty() {
            self.sign_head_if_possible();
        }
        self.previews_of_sealed(of_photos, urgent, &sealed);
        Ok(Amended { id: names(said).pop(), photos: names(of_photos) })
    }

    /// All of them, or none and nothing left of them.
    fn seal_imports(&mut self, photos: &[PathBuf], common: &Common) -> Result<Vec<SealedPhoto>> {
        let mut sealed = Vec::new();
        for path in photos {
            let photo = self.seal_import(path, common, sealed_bytes(&sealed)).inspect_err(|_| self.forget(&sealed))?;
            sealed.push(photo);
        }
        Ok(sealed)
    }

    /// One commit. Written once more when the disk was full and the reserve is given up; the names are taken from the log
    /// each time, as the photographs name what they belong to.
    fn write_together(&mut self, together: &Together<'_>) -> Result<Vec<Written>> {
        self.with_reserve(|phone| {
            phone.ready()?;
            let subject = together.subject.or_else(|| phone.log.next_name());
            let records: Vec<Record> = together.photos.iter().map(|photo| photo.record(subject)).collect();
            let files: Vec<_> = together.photos.iter().map(|photo| [photo.file(together.urgent)]).collect();
            let of_photo = |files| Extra { files, lane: Some(Lane::Evidence), ..Extra::default() };
            let extras: Vec<Extra<'_>> = files.iter().map(|files| of_photo(files.as_slice())).collect();
            let alone = Extra::default();
            let first = together.first.map(|record| (record, &alone));
            let entries: Vec<_> = first.into_iter().chain(records.iter().zip(&extras)).collect();
            phone.write_all(&entries, phone.patrol_state())
        })
    }

    /// Everything is saved. What fails here is made up for later.
    fn previews_of_sealed(&mut self, written: &[Written], urgent: bool, sealed: &[SealedPhoto]) {
        for (written, photo) in written.iter().zip(sealed) {
            let _ = self.previews_after_sealing(written, urgent, photo, None);
        }
    }

    fn forget(&mut self, sealed: &[SealedPhoto]) {
        let hashes: Vec<_> = sealed.iter().map(|photo| photo.sealed.sealed_sha256).collect();
        self.remove_unnamed(&hashes);
    }
}

fn sealed_bytes(sealed: &[SealedPhoto]) -> u64 {
    sealed.iter().map(|photo| photo.sealed.sealed_size_bytes).sum()
}

fn names(written: &[Written]) -> Vec<String> {
    written.iter().map(|written| written.name.to_string()).collect()
}

fn check_count(photos: &[PathBuf]) -> Result<()> {
    match photos.len() {
        0..=REPORT_PHOTOS_MAX => Ok(()),
        _ => Err(Error::invalid("photo", format!("at most {REPORT_PHOTOS_MAX} are taken in together"))),
    }
}
