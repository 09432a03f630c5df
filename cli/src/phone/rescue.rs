//! A phone in trouble: what is damaged is set aside, the rest goes on, and what is unsent leaves in a file.

use serde_json::json;
use yenban_core::app::{Lost, Phone};
use yenban_core::clock::SystemClock;
use yenban_core::error::Error;
use yenban_core::store::Folder;

use super::{Job, fault};
use crate::fault::{Fault, Result};
use crate::parcels;

/// `rescue`.
pub(super) fn rescue(job: &Job<'_>) -> Result<()> {
    let path = job.values.need_path("out")?;
    if !path.is_dir() {
        crate::files::free(&path)?;
    }
    let opened = Phone::rescue_software(Folder::at(job.store), Box::new(SystemClock::new()));
    let (mut phone, rescue) = opened.map_err(|error| fault::of(&error, job.store, job.words()))?;
    let packed = match phone.rescue_out() {
        Ok(packed) => Some(packed),
        // Who the phone was is lost: what is left lies in the folder that was kept.
        Err(Error::NotEnrolled) if rescue.kept_in.is_some() => None,
        Err(error) => return Err(job.fault(&error)),
    };
    let (mut written_bytes, mut files_left) = (0, 0);
    if let Some(packed) = &packed {
        written_bytes = parcels::write(&path, &packed.parcels, job.words())?;
        files_left = phone.files_left_by_rescue(packed).map_err(|error| job.fault(&error))?;
    }
    job.settle(phone)?;
    let counted = |of: fn(&Lost) -> u64| rescue.lost.iter().map(of).sum::<u64>();
    let lost = counted(|lost| lost.last - lost.first + 1 - lost.received);
    let kept_in = rescue.kept_in.as_ref().map(|path| path.display().to_string());
    let runs = rescue.lost.iter().map(|l| json!({ "log": l.log, "first": l.first, "last": l.last, "received": l.received }));
    let out = packed.unwrap_or_default();
    job.out.document(&json!({
        "path": path.display().to_string(), "damaged": kept_in.is_some(), "kept_in": kept_in, "pages": rescue.pages,
        "unreadable_pages": rescue.unreadable_pages, "entries": rescue.entries, "lost": runs.collect::<Vec<_>>(),
        "parcels": out.parcels.len(), "packed_entries": out.entries, "files": out.files, "files_left": files_left,
        "more": out.more, "written_bytes": written_bytes,
    }))?;
    if let Some(kept_in) = &kept_in {
        let figures = [
            ("path", kept_in.as_str().into()),
            ("pages", rescue.unreadable_pages.into()),
            ("all", rescue.pages.into()),
            ("entries", rescue.entries.into()),
        ];
        job.out.say("cli-rescue-kept", &figures)?;
    }
    if written_bytes == 0 && out.parcels.is_empty() {
        return Err(Fault::could_not("error-rescue-not-joined").at(job.store));
    }
    let figures = [("path", path.display().to_string().into()), ("entries", out.entries.into()), ("files", out.files.into())];
    job.out.say("cli-rescue-out", &figures)?;
    if files_left > 0 {
        job.out.say("cli-rescue-files-left", &[("n", files_left.into())])?;
    }
    if out.more {
        job.out.line(&job.words().word("cli-courier-more"))?;
    }
    for run in &rescue.lost {
        let of = |seq: u64| if run.log.is_empty() { seq.to_string() } else { format!("{}:{seq}", run.log) };
        let figures = [("first", of(run.first).into()), ("last", of(run.last).into()), ("received", run.received.into())];
        job.out.say("cli-rescue-lost", &figures)?;
    }
    if lost > 0 { Err(Fault::no("error-rescue-lost").count("n", lost)) } else { Ok(()) }
}
