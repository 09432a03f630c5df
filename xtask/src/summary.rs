//! Reads the test runner's own summary lines, so that the end of a long run can say in one plain
//! line how many tests passed.

/// Sums over all test binaries of one run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Tests that held.
    pub(crate) passed: u64,
    /// Tests that did not.
    pub(crate) failed: u64,
    /// Tests marked as ignored.
    pub(crate) skipped: u64,
}

impl Summary {
    /// Adds a line such as `test result: ok. 14 passed; 0 failed; 1 ignored; ...`; other lines
    /// change nothing.
    pub(crate) fn add_line(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else {
            return;
        };
        let Some((_, counts)) = result.split_once(". ") else {
            return;
        };
        for part in counts.split("; ") {
            let mut words = part.split(' ');
            let (Some(count), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let count: u64 = count.parse().unwrap_or(0);
            match what {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_every_summary_line_and_nothing_else() {
        let mut summary = Summary::default();
        for line in [
            "running 3 tests",
            "test result: ok. 14 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.07s",
            "test words::result ... ok",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 5 filtered out; finished in 1s",
        ] {
            summary.add_line(line);
        }
        assert_eq!(summary.to_string(), "16 passed, 1 failed, 1 skipped");
    }
}
