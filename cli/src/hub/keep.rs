//! Making a hub, looking whether it is whole, and keeping a copy.

use std::sync::Arc;

use serde_json::json;
use yenban_hub::clock::SystemClock;
use yenban_hub::folder::Folder;
use yenban_hub::init::{self, NewHub, replace_keys as replace};
use yenban_hub::store::{Wrong, WrongCode};
use yenban_hub::{HubError, backup as copies};
use yenban_locales::{Arg, Words};
use yenban_protocol::directory;
use yenban_protocol::text::Limit;

use super::{Job, wait_for};
use crate::fault::{Fault, Result};
use crate::output::clean;
use crate::reason::code;

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
        job.out.line(&format!("  ✗ {}", clean(&told(wrong, job.words()))))?;
    }
    match checked.ok {
        true => job.out.line(&job.words().word("cli-all-agrees")),
        false => Err(disagrees(&checked.wrong, job.words()).at(job.dir)),
    }
}

/// One thing that is wrong.
fn told(wrong: &Wrong, words: Words) -> String {
    let mut values: Vec<(&str, Arg<'_>)> = vec![("subject", wrong.subject.as_str().into())];
    values.extend(wrong.file.as_ref().map(|file| ("file", code("file", file, words).into())));
    values.extend(wrong.device.as_ref().map(|device| ("device", device.as_str().into())));
    values.extend(wrong.number.map(|number| ("number", number.into())));
    words.say(&format!("wrong-{}", wrong.code.code().replace('_', "-")), &values)
}

/// How many of each sort, and what to do: one advice that fits all of them.
fn disagrees(wrong: &[Wrong], words: Words) -> Fault {
    let count = |sort: fn(WrongCode) -> bool| wrong.iter().filter(|wrong| sort(wrong.code)).count() as u64;
    let altered = count(|code| code == WrongCode::FileAltered);
    let missing = count(|code| code == WrongCode::FileMissing);
    let uploads = count(|code| code == WrongCode::UploadGone);
    let others = count(|code| code == WrongCode::NotAFile);
    let chains = wrong.len() as u64 - altered - missing - uploads - others;
    let sorts = [
        ("hub-check-altered", altered),
        ("hub-check-missing", missing),
        ("hub-check-chains", chains),
        ("hub-check-uploads", uploads),
        ("hub-check-others", others),
    ];
    let found = sorts.iter().filter(|(_, n)| *n > 0).map(|(id, n)| words.say(id, &[("n", (*n).into())]));
    // A folder whose chains do not agree is kept as it is: nobody is told to tidy it up as well.
    let advice = [
        ("hub-check-advice-chains", chains > 0),
        ("hub-check-advice-files", altered + missing > 0),
        ("hub-check-advice-uploads", uploads > 0 && altered + missing + chains == 0),
        ("hub-check-advice-others", others > 0 && chains == 0),
    ];
    let advice = advice.iter().filter(|(_, fits)| *fits).map(|(id, _)| words.word(id));
    Fault::no("error-hub-check").with("found", found.collect::<Vec<_>>().join(", ")).with("advice", advice.collect::<Vec<_>>().join(" "))
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

/// `replace-keys`.
pub(super) fn replace_keys(job: &Job<'_>) -> Result<()> {
    let (file, root) = (job.values.need_path("backup")?, job.values.path("root")?);
    job.need_hub()?;
    crate::files::free(&file)?;
    if let Some(root) = &root {
        crate::files::open(root, job.words())?;
    }
    let replaced = wait_for(replace(job.dir, root.as_deref(), &file, Arc::new(SystemClock)))?;
    let replaced = replaced.map_err(|error: HubError| job.fault(&error))?;
    job.out.document(&json!({ "number": replaced.history.number, "keys": replaced.history.keys, "backup": file }))?;
    job.out.say("cli-keys-replaced", &[("number", replaced.history.number.into())])?;
    let backup = replaced.backup.map_err(|error| job.fault(&error))?;
    let size = job.words().size(backup.size_bytes);
    job.out.say("cli-hub-backed-up", &[("path", file.display().to_string().into()), ("size", size.into())])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use yenban_locales::Lang;

    #[test]
    fn everything_that_can_be_wrong_has_words() {
        for lang in [Lang::Vi, Lang::En] {
            for code in WrongCode::ALL {
                let wrong = Wrong { file: Some("original".into()), device: Some("0d".into()), ..Wrong::new(code, "0a:7").at(3) };
                let told = told(&wrong, Words::new(lang));
                assert!(!told.contains("wrong-") && !told.contains('{'), "{told}");
                assert!(told.contains("0a:7") || [WrongCode::CustodyHead, WrongCode::UploadGone].contains(&code), "{told}");
            }
        }
    }

    #[test]
    fn the_last_sentence_counts_each_sort_and_gives_one_advice() {
        let say = |codes: &[WrongCode]| {
            let wrong: Vec<Wrong> = codes.iter().map(|code| Wrong::new(*code, "x")).collect();
            disagrees(&wrong, Words::new(Lang::En)).at(Path::new("xa")).sentence(Words::new(Lang::En))
        };
        use WrongCode::{EntryLink, FileAltered, FileMissing, NotAFile, UploadGone};
        let files = say(&[FileAltered, FileAltered, FileMissing, UploadGone]);
        assert!(files.contains("2 photo files altered, 1 photo file missing, 1 upload begun anew"), "{files}");
        assert!(files.contains("asked") && !files.contains("as it is"), "{files}");
        let others = say(&[NotAFile]);
        assert!(others.contains("Move") && !others.contains("as it is") && !others.contains("asked"), "{others}");
        let all = say(&[NotAFile, EntryLink]);
        assert!(all.contains("as it is") && !all.contains("Move"), "{all}");
    }
}
