//! A log as a bundle discloses it: whole bodies where something is shown, 32 salted bytes where nothing is, as far as
//! a head that the device signed.

use crate::cbor::{Kind, Reader, Writer};
use crate::chain::{Link, StoredBody, link};
use crate::crypto::Hash;
use crate::error::{Error, Result};
use crate::fields::{list, write_list};
use crate::id::LogId;
use crate::limits::{MAX_BUNDLE_RUNS, MAX_BUNDLE_STEPS};
use crate::segment::Head;

use super::LOGS;

/// One entry of a disclosed log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An entry of others: its commitment, which tells nothing.
    Commit(Hash),
    /// An entry that is disclosed.
    Body(StoredBody),
}

impl Step {
    /// The commitment, the same either way.
    pub fn commit(&self) -> Hash {
        match self {
            Step::Commit(hash) => *hash,
            Step::Body(body) => body.commit(),
        }
    }
}

/// A stretch of a log that ends at a signed head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRun {
    /// Sequence number of the first step.
    pub first: u64,
    /// The link before it.
    pub previous: Link,
    /// The entries; at least one.
    pub steps: Vec<Step>,
    /// Heads within the run, ascending; the last at the last step.
    pub heads: Vec<Head>,
}

impl LogRun {
    /// Sequence number of the last step.
    pub fn last(&self) -> u64 {
        self.first.saturating_add((self.steps.len() as u64).saturating_sub(1))
    }

    /// The link after each step.
    pub fn links(&self, log: LogId) -> Vec<Link> {
        let mut previous = self.previous;
        (self.first..)
            .zip(&self.steps)
            .map(|(seq, step)| {
                previous = link(log, seq, &previous, &step.commit());
                previous
            })
            .collect()
    }
}

/// What a bundle discloses of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// The log.
    pub log: LogId,
    /// The branch.
    pub branch: u32,
    /// Runs, ascending; at least one.
    pub runs: Vec<LogRun>,
}

/// Sequence numbers stay below this.
const SEQ_END: u64 = 1 << 63;

impl LogFile {
    /// The member's name.
    pub fn name(log: LogId, branch: u32) -> String {
        format!("{LOGS}{log}-{branch}.cbor")
    }

    /// The log and branch that a member's name says.
    pub fn named(name: &str) -> Option<(LogId, u32)> {
        let (log, branch) = name.strip_prefix(LOGS)?.strip_suffix(".cbor")?.split_once('-')?;
        let (log, branch) = (log.parse().ok()?, branch.parse().ok()?);
        (Self::name(log, branch) == name).then_some((log, branch))
    }

    /// The member's content.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.array(3).bytes(&self.log.0).uint(self.branch.into());
        write_list(&mut w, &self.runs, |w, run| {
            w.array(4).uint(run.first).bytes(&run.previous);
            write_list(w, &run.steps, |w, step| {
                match step {
                    Step::Commit(hash) => w.bytes(hash),
                    Step::Body(body) => w.raw(&body.to_bytes()),
                };
            });
            write_list(w, &run.heads, |w, head| head.write(w));
        });
        w.into_bytes()
    }

    /// Reads a member's content. Order and signatures are judged, not read.
    ///
    /// # Errors
    /// When it is not of this form.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let mut r = Reader::new(bytes);
        r.tuple(3, "log of a bundle")?;
        let (log, branch) = (LogId(r.fixed("log")?), r.u32("branch")?);
        let runs = list(&mut r, MAX_BUNDLE_RUNS, "runs", read_run)?;
        r.end("log of a bundle")?;
        if runs.is_empty() { Err(Error::Malformed { what: "log without a run", at: 0 }) } else { Ok(Self { log, branch, runs }) }
    }
}

fn read_run(r: &mut Reader<'_>) -> Result<LogRun> {
    r.tuple(4, "run")?;
    let at = r.position();
    let (first, previous) = (r.uint("first entry")?, r.fixed("previous link")?);
    let steps = list(r, MAX_BUNDLE_STEPS, "entries of a run", |r| match r.kind("entry")? {
        Kind::Bytes => Ok(Step::Commit(r.fixed("commitment")?)),
        _ => Ok(Step::Body(StoredBody::read(r)?)),
    })?;
    let end = first.checked_add(steps.len() as u64).filter(|end| *end <= SEQ_END && !steps.is_empty());
    end.ok_or(Error::Malformed { what: "run", at })?;
    Ok(LogRun { first, previous, steps, heads: list(r, MAX_BUNDLE_RUNS, "heads of a run", Head::read)? })
}
