//! One night.

mod photo;

use crate::args::Values;
use crate::config::Environment;
use crate::fault::{Fault, Result};
use crate::output::Output;

pub(crate) fn run(_values: Values<'_>, _environment: &Environment, _out: &Output) -> Result<()> {
    Err(Fault::usage("error-command-missing"))
}
