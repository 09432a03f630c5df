//! Failing runs that were mended, as the steps that were enough to show them: each is lived through again, for ever.

use crate::step::{Kind, Step};

const FILE: &str = include_str!("../regressions.txt");

/// One of them.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The promise it broke.
    pub promise: String,
    /// The seed of its world.
    pub seed: u64,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// All that are kept.
///
/// # Panics
/// On a line that is none: it would pass in silence.
#[must_use]
pub fn all() -> Vec<Kept> {
    let lines = FILE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse(line).unwrap_or_else(|| panic!("regressions.txt: not a kept failure: {line}"))).collect()
}

/// What a line keeps: the promise, the seed, the steps.
pub(crate) fn parse(line: &str) -> Option<Kept> {
    let mut words = line.split_whitespace();
    let (promise, seed) = (words.next()?.to_owned(), words.next()?.parse().ok()?);
    let steps = words.map(step).collect::<Option<Vec<_>>>()?;
    Some(Kept { promise, seed, steps })
}

fn step(word: &str) -> Option<Step> {
    let mut parts = word.split(':');
    let (kind, who, dice) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    let kind = Kind::ALL.into_iter().find(|one| format!("{one:?}") == kind)?;
    Some(Step { kind, who, dice })
}

/// The line that keeps a failure.
#[must_use]
pub fn line(promise: &str, seed: u64, steps: &[Step]) -> String {
    let steps: Vec<String> = steps.iter().map(|step| format!("{:?}:{}:{}", step.kind, step.who, step.dice)).collect();
    format!("{promise} {seed} {}", steps.join(" "))
}
