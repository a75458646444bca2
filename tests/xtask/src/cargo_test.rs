//! Runs `cargo test`, passing its output through, and reads from it what came of it.

use std::fmt;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// One `cargo test`, summed up over its test binaries.
#[derive(Debug)]
pub(crate) struct Outcome {
    name: String,
    passed: u64,
    failed: Vec<String>,
    /// False also where a crate did not compile or a test binary crashed.
    success: bool,
    took: Duration,
}

/// Runs the command; a failed test is an outcome, not an error.
pub(crate) fn run(name: &str, command: &mut Command) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no stdout")?;
    let (mut passed, mut failed) = (0, Vec::new());
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        passed += parse_passed(&line).unwrap_or(0);
        failed.extend(parse_failed(&line).map(str::to_owned));
    }
    let success = child.wait()?.success();
    Ok(Outcome {
        name: name.to_owned(),
        passed,
        failed,
        success,
        took: started.elapsed(),
    })
}

impl Outcome {
    /// Also where no test ran: that is asked apart, by [`Outcome::ran_any`].
    pub(crate) fn is_success(&self) -> bool {
        self.success
    }

    pub(crate) fn ran_any(&self) -> bool {
        self.passed > 0 || !self.failed.is_empty()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, passed, failed) = (&self.name, self.passed, self.failed.len());
        let secs = self.took.as_secs();
        if self.success && !self.ran_any() {
            return write!(f, "  – {name}: no test ran, {secs} s");
        }
        let mark = if self.success { '✓' } else { '✗' };
        write!(
            f,
            "  {mark} {name}: {passed} passed, {failed} failed, {secs} s"
        )?;
        if !self.success && failed == 0 {
            write!(f, " (a crate did not compile or a test crashed, see above)")?;
        }
        self.failed
            .iter()
            .try_for_each(|test| write!(f, "\n      {test}"))
    }
}

/// The count in `test result: ok. 12 passed; 0 failed; …`.
fn parse_passed(line: &str) -> Option<u64> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    counts.split_once(" passed")?.0.parse().ok()
}

/// The name in `test some::test ... FAILED`.
fn parse_failed(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?.strip_suffix(" ... FAILED")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_of_a_run_without_a_test_that_there_was_none() {
        let outcome = run("nothing", &mut Command::new("true")).unwrap();
        assert!(outcome.is_success() && !outcome.ran_any());
        assert!(outcome.to_string().contains("no test ran"), "{outcome}");
    }

    #[test]
    fn reads_the_lines_that_libtest_prints() {
        assert_eq!(
            parse_passed("test result: ok. 12 passed; 0 failed; 1 ignored"),
            Some(12)
        );
        assert_eq!(
            parse_passed("test result: FAILED. 3 passed; 2 failed"),
            Some(3)
        );
        assert_eq!(parse_passed("test prints_12 passed ... ok"), None);
        assert_eq!(parse_failed("test a::b ... FAILED"), Some("a::b"));
        assert_eq!(parse_failed("test a::b ... ok"), None);
    }
}
