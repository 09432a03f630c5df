//! Joining a group with a code.
use super::Job;
use crate::fault::Result;
pub(super) fn enrol(_job: &Job<'_>) -> Result<()> { Ok(()) }
