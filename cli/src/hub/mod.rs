//! Commands for whoever runs the commune's hub.

use crate::args::Values;
use crate::fault::{Fault, Result};
use crate::output::Output;

pub(crate) fn run(_path: &[&str], _values: Values<'_>, _out: &Output) -> Result<()> {
    Err(Fault::usage("error-command-missing"))
}
