//! The table at the end: one line a check, with its mark.

use super::proof::Check;
use crate::fault::Result;
use crate::output::Output;

/// Prints the table.
pub(super) fn table(checks: &[Check], out: &Output) -> Result<()> {
    out.line("")?;
    out.line(&out.words.word("demo-proved"))?;
    for check in checks {
        let mark = out.words.word(if check.held { "demo-check-held" } else { "demo-check-broken" });
        out.line(&format!("  {mark}  {}", check.said))?;
    }
    out.line("")
}
