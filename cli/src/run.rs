//! From the command line to one exit code: nothing that goes wrong, foreseen or not, ends in anything but one sentence.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use yenban_locales::Words;

use crate::args::{self, Said, Values};
use crate::config::Environment;
use crate::fault::{Fault, Result};
use crate::output::Output;
use crate::{demo, hub, phone, verify};

/// Where the program stopped when it met what nobody foresaw.
static STOPPED_AT: Mutex<Option<String>> = Mutex::new(None);

/// Runs the command and says how it ended.
pub(crate) fn run(environment: Environment) -> ExitCode {
    let words = Words::new(environment.asked_lang());
    let out = Output::new(words, environment.asked_json(), environment.stderr_is_terminal);
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(|at| format!("{}:{}", at.file(), at.line()));
        *STOPPED_AT.lock().unwrap_or_else(PoisonError::into_inner) = at;
    }));
    let ended = catch_unwind(AssertUnwindSafe(|| obey(&environment, &out))).unwrap_or_else(|_| {
        let at = STOPPED_AT.lock().unwrap_or_else(PoisonError::into_inner).take();
        Err(Fault::could_not("error-inside").with("reason", at.unwrap_or_default()))
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            out.refuse(&fault);
            ExitCode::from(fault.exit.code())
        }
    }
}

fn obey(environment: &Environment, out: &Output) -> Result<()> {
    let matches = match args::understood(args::command(out.words), &environment.args, out.words) {
        Ok(matches) => matches,
        Err(Said::Text(text)) => {
            // Help is asked for by people, whatever else stands on the line.
            return Output::new(out.words, false, false).line(&text);
        }
        Err(Said::Fault(fault)) => return Err(*fault),
    };
    let (path, last) = args::chosen(&matches);
    let values = Values(last);
    match path.as_slice() {
        ["demo"] => demo::run(values, environment, out),
        ["hub", rest @ ..] => hub::run(rest, values, out),
        ["verify"] => verify::run(values, out),
        ["phone", rest @ ..] => phone::run(rest, values, environment, out),
        _ => Err(Fault::usage("error-command-missing")),
    }
}
