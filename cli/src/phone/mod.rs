//! Commands of the headless phone: it does what a screen would do, through the same core.

mod alerts;
mod courier;
pub(crate) mod enrol;
pub(crate) mod fault;
mod guard;
mod patrol;
pub(crate) mod replay;
mod report;
mod rescue;
mod show;
pub(crate) mod sync;
mod witness;

use std::path::{Path, PathBuf};

use yenban_core::app::{IfAbsent, KeepOpen, Phone};
use yenban_core::clock::SystemClock;
use yenban_core::store::Folder;
use yenban_locales::Words;

use crate::args::Values;
use crate::config::Environment;
use crate::fault::{Fault, Result, unreadable};
use crate::limits::PIN_FILE_MAX_BYTES;
use crate::output::Output;

/// Runs one command of the phone.
pub(crate) fn run(path: &[&str], values: Values<'_>, environment: &Environment, out: &Output) -> Result<()> {
    let store = values.need_path("store")?;
    let pin = pin(values, environment, out.words)?;
    let job = Job { store: &store, pin: pin.as_deref(), values, out };
    match path {
        ["enrol"] => enrol::enrol(&job),
        ["patrol", step] => patrol::run(&job, step),
        ["replay"] => replay::run(&job),
        ["report"] => report::report(&job),
        ["amend"] => report::amend(&job),
        ["sync"] => sync::run(&job),
        ["courier", "out"] => courier::out(&job),
        ["courier", "in"] => courier::take(&job),
        ["rescue"] => rescue::rescue(&job),
        ["sms"] => report::sms(&job),
        ["status"] => show::status(&job),
        ["outbox"] => show::outbox(&job),
        ["incidents"] => show::incidents(&job),
        ["patrols"] => show::patrols(&job),
        ["search"] => show::search(&job),
        ["alerts"] => alerts::list(&job),
        ["feed"] => alerts::feed(&job),
        ["alert", answer] => alerts::answer(&job, answer),
        ["handover"] => guard::hand_over(&job),
        ["set-pin"] => guard::set_pin(&job),
        ["lock"] => guard::lock(&job),
        ["unlock"] => guard::unlock(&job),
        ["witness"] => witness::witness(&job),
        ["check"] => guard::check(&job),
        _ => Err(Fault::usage("error-command-missing")),
    }
}

/// One command with everything it was given.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    store: &'a Path,
    pin: Option<&'a str>,
    values: Values<'a>,
    out: &'a Output,
}

impl Job<'_> {
    fn words(&self) -> Words {
        self.out.words
    }

    /// The sentence for an error of this store.
    fn fault(&self, error: &yenban_core::error::Error) -> Fault {
        fault::of(error, self.store, self.words())
    }

    /// Opens the store; with a PIN at hand a locked vault is unlocked for this command.
    fn open(&self) -> Result<Phone> {
        let mut phone = open(self.store, IfAbsent::Refuse, self.words())?;
        if let Some(pin) = self.pin
            && phone.is_locked()
        {
            phone.unlock(pin, KeepOpen::ThisProcess).map_err(|error| self.fault(&error))?;
        }
        Ok(phone)
    }

    /// Commits what the vault follows, so that the next command need not follow it again.
    fn settle(&self, mut phone: Phone) -> Result<()> {
        phone.settle().map_err(|error| self.fault(&error))
    }
}

/// Opens the store in a folder.
pub(crate) fn open(store: &Path, absent: IfAbsent, words: Words) -> Result<Phone> {
    let clock = Box::new(SystemClock::new());
    Phone::open_software(Folder::at(store), clock, absent).map_err(|error| fault::of(&error, store, words))
}

fn pin(values: Values<'_>, environment: &Environment, words: Words) -> Result<Option<String>> {
    let Some(path): Option<PathBuf> = values.path("pin-file")? else { return Ok(environment.pin.clone()) };
    let bytes = crate::files::read_bounded(&path, PIN_FILE_MAX_BYTES, words)?;
    let text = String::from_utf8(bytes).map_err(|_| Fault::usage("error-file-not-utf8").at(&path).count("line", 1))?;
    let pin = text.trim();
    if pin.is_empty() {
        let empty = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        return Err(unreadable(&path, &empty, words));
    }
    Ok(Some(pin.to_owned()))
}
