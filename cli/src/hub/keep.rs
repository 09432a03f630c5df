//! Making a hub, looking whether it is whole, and keeping a copy.

use std::sync::Arc;

use serde_json::json;
use yenban_hub::clock::SystemClock;
use yenban_hub::folder::Folder;
use yenban_hub::init::{self, NewHub};
use yenban_hub::{HubError, backup as copies};
use yenban_protocol::directory;
use yenban_protocol::text::Limit;

use super::{Job, wait_for};
use crate::fault::{Fault, Result};
use crate::output::clean;
use crate::reason::found;

/// A folder for a new hub is absent or empty; said before anything is made.
fn need_room(job: &Job<'_>) -> Result<()> {
    if Folder::new(job.dir).exists() {
        return Err(Fault::usage("error-hub-exists").at(job.dir));
    }
    match std::fs::read_dir(job.dir) {
        Ok(listing) => match listing.count() {
            0 => Ok(()),
            _ => Err(Fault::usage("error-folder-not-empty").at(job.dir)),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => Err(Fault::usage("error-folder-not-empty").at(job.dir)),
        _ => Ok(()),
    }
}

/// `init`.
pub(super) fn init(job: &Job<'_>) -> Result<()> {
    let code = job.values.need("commune")?;
    let commune = directory::by_code(code).ok_or_else(|| Fault::usage("error-commune-unknown").told("code", code))?;
    let name = job.values.need_bounded("name", Limit::NAME)?;
    need_room(job)?;
    let new = NewHub {
        dir: job.dir.to_path_buf(),
        commune: code.to_owned(),
        name: name.to_owned(),
        recovery_file: job.values.path("recovery-file")?,
        officer: job.values.bounded("officer", Limit::NAME)?.unwrap_or_default().to_owned(),
    };
    let made = wait_for(init::init(new, Arc::new(SystemClock)))?.map_err(|error| job.fault(&error))?;
    job.out.document(&json!(made))?;
    let path = made.dir.display().to_string();
    job.out.say("cli-hub-made", &[("name", made.name.into()), ("commune", commune.full_name().into()), ("path", path.into())])?;
    job.out.say("cli-hub-root", &[("root", made.root_fingerprint.into())])?;
    job.out.say("cli-hub-recovery", &[("path", made.recovery_file.display().to_string().into())])?;
    let link = format!("https://{}{}", yenban_hub::limits::DEFAULT_LISTEN, made.first_link);
    job.out.say("cli-hub-first-link", &[("link", link.into())])
}

/// `check`.
pub(super) fn check(job: &Job<'_>) -> Result<()> {
    let checked = job.at_the_hub(async |admin| admin.check().await)?;
    job.out.document(&json!(checked))?;
    job.out.say("cli-hub-checked", &[("entries", checked.entries.into()), ("files", checked.objects.into())])?;
    if checked.asked > 0 {
        job.out.say("cli-hub-asked", &[("n", checked.asked.into())])?;
    }
    if checked.orphans > 0 {
        job.out.say("cli-hub-orphans", &[("n", checked.orphans.into())])?;
    }
    for wrong in &checked.wrong {
        job.out.line(&format!("  ✗ {}", clean(&found(wrong, job.words()))))?;
    }
    match checked.ok {
        true => job.out.line(&job.words().word("cli-all-agrees")),
        false => Err(Fault::no("error-hub-check").at(job.dir).count("n", checked.wrong.len() as u64)),
    }
}

/// `backup`.
pub(super) fn backup(job: &Job<'_>) -> Result<()> {
    let file = job.values.need_path("file")?;
    crate::files::free(&file)?;
    let made = job.at_the_hub(async |admin| admin.backup(&file).await)?;
    job.out.document(&json!(made))?;
    let size = job.words().size(made.size_bytes);
    job.out.say("cli-hub-backed-up", &[("path", made.file.display().to_string().into()), ("size", size.into())])?;
    match made.unread {
        0 => Ok(()),
        unread => job.out.say("cli-hub-backup-unread", &[("n", unread.into())]),
    }
}

/// `restore`.
pub(super) fn restore(job: &Job<'_>) -> Result<()> {
    let file = job.values.need_path("file")?;
    let recovery = job.values.path("recovery-file")?;
    crate::files::open(&file, job.words())?;
    if Folder::new(job.dir).exists() {
        return Err(Fault::could_not("error-hub-exists").at(job.dir));
    }
    need_room(job)?;
    let recovery_file = recovery.unwrap_or_else(|| Folder::new(job.dir).default_recovery_file());
    crate::files::open(&recovery_file, job.words())?;
    let restored = wait_for(copies::restore(job.dir, &file, Some(&recovery_file), Arc::new(SystemClock)))?;
    let restored = restored.map_err(|error: HubError| job.fault(&error))?;
    job.out.document(&json!(restored))?;
    let path = restored.dir.display().to_string();
    job.out.say("cli-hub-restored", &[("name", restored.name.into()), ("entries", restored.entries.into()), ("path", path.into())])
}
