//! Commands for whoever runs the commune's hub: on a stopped one through its folder, on a running one through its
//! control socket; which of the two makes no difference here.

mod courier;
pub(crate) mod fault;
mod keep;
mod lists;
mod serve;
mod work;

use std::future::Future;
use std::path::Path;

use yenban_hub::admin::Admin;
use yenban_hub::folder::Folder;
use yenban_locales::Words;

use crate::args::Values;
use crate::fault::{Fault, Result};
use crate::output::Output;
pub(crate) use serve::console;

/// Runs one command of the hub.
pub(crate) fn run(path: &[&str], values: Values<'_>, out: &Output) -> Result<()> {
    let dir = values.need_path("dir")?;
    let job = Job { dir: &dir, values, out };
    match path {
        ["init"] => keep::init(&job),
        ["serve"] => serve::run(&job),
        ["import"] => work::import(&job),
        ["enrol"] => work::enrol(&job),
        ["alert"] => work::alert(&job),
        ["revoke"] => work::revoke(&job),
        ["answer"] => work::answer(&job),
        ["console"] => work::console(&job),
        ["status"] => lists::status(&job),
        ["list"] => lists::list(&job),
        ["export"] => lists::export(&job),
        ["check"] => keep::check(&job),
        ["hold"] => work::hold(&job),
        ["erase"] => work::erase(&job),
        ["courier", "in"] => courier::take(&job),
        ["courier", "out"] => courier::out(&job),
        ["sms"] => courier::sms(&job),
        ["backup"] => keep::backup(&job),
        ["restore"] => keep::restore(&job),
        ["replace-keys"] => keep::replace_keys(&job),
        _ => Err(Fault::usage("error-command-missing")),
    }
}

/// One command with everything it was given.
#[derive(Clone, Copy)]
pub(crate) struct Job<'a> {
    dir: &'a Path,
    values: Values<'a>,
    out: &'a Output,
}

impl Job<'_> {
    fn words(&self) -> Words {
        self.out.words
    }

    fn fault(&self, error: &yenban_hub::HubError) -> Fault {
        fault::of(error, self.dir, self.words())
    }

    /// Refuses a folder in which there is no hub.
    fn need_hub(&self) -> Result<()> {
        if Folder::new(self.dir).exists() { Ok(()) } else { Err(Fault::usage("error-hub-missing").at(self.dir)) }
    }

    /// Does something at the hub, running or not.
    fn at_the_hub<T>(&self, work: impl AsyncFnOnce(&mut Admin) -> yenban_hub::Result<T>) -> Result<T> {
        self.need_hub()?;
        let done = wait_for(async {
            let mut admin = Admin::open(self.dir).await?;
            let done = work(&mut admin).await;
            admin.close().await?;
            done
        })?;
        done.map_err(|error| self.fault(&error))
    }
}

/// Runs the hub's side of a command to its end.
pub(crate) fn wait_for<T>(work: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Fault::could_not("error-inside").with("reason", error))?;
    Ok(runtime.block_on(work))
}
