//! The tests of all crates.

use std::fmt;

use anyhow::Result;

use super::outcome::{Outcome, REFUSED};
use crate::process::{self, ServerProcess, Started};
use crate::repository::{Build, Workspace, cargo};

const IO_URING: &str = "io-uring-example";

pub(super) fn run(_: &Workspace) -> Result<Outcome> {
    test(&["--workspace", "--exclude", IO_URING])
}

/// Those of the example that not every system can run: a part of its own, so that it can be skipped by name.
pub(super) fn io_uring(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.has(IO_URING) {
        return Ok(Outcome::skipped(format!("the workspace has no package `{IO_URING}`")));
    }
    let binary = workspace.build(IO_URING, Build::Debug)?;
    match ServerProcess::start(&binary, &["--port", "0"])? {
        Started::Listening(server) => drop(server),
        Started::Refused => return Ok(Outcome::skipped(REFUSED)),
        Started::Ended(status) => {
            return Ok(Outcome::failed(format!("it ended before it listened: {status}")));
        }
    }
    test(&["--package", IO_URING])
}

/// The adapter of async-std once more, on smol: with all features it is async-std's tasks that it has.
pub(super) fn on_smol(_: &Workspace) -> Result<Outcome> {
    test_with(&["--no-default-features", "--features", "smol,tls", "--package", "bennu-async-std"])
}

/// The core and its proofs as they are shipped: a compiler's optimisations have broken correct code before.
pub(super) fn optimised(_: &Workspace) -> Result<Outcome> {
    test(&["--release", "--package", "bennu-core", "--package", "bennu-proof"])
}

fn test(what: &[&str]) -> Result<Outcome> {
    test_with(&[&["--all-features"], what].concat())
}

fn test_with(arguments: &[&str]) -> Result<Outcome> {
    let run = process::run(cargo().args(["test", "--no-fail-fast"]).args(arguments))?;
    let counts = Counts::of(&run.lines);
    println!("{counts}");
    Ok(Outcome::of(run.status, counts.to_string()))
}

/// The numbers of one `test result:` line, or of all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    passed: usize,
    failed: usize,
    ignored: usize,
}

impl Counts {
    /// Adds up what `cargo test` has printed.
    pub(super) fn of(lines: &[String]) -> Self {
        lines.iter().filter_map(|line| Self::parse(line)).fold(Self::default(), Self::plus)
    }

    /// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
    fn parse(line: &str) -> Option<Self> {
        let (_, numbers) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let number =
            |label: &str| numbers.split("; ").find_map(|part| part.strip_suffix(label)?.trim().parse().ok());
        Some(Self { passed: number("passed")?, failed: number("failed")?, ignored: number("ignored")? })
    }

    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
            ignored: self.ignored + other.ignored,
        }
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} ignored", self.passed, self.failed, self.ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_line_of_a_test_binary_is_read() {
        let line = "test result: FAILED. 12 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s";

        assert_eq!(Counts::parse(line), Some(Counts { passed: 12, failed: 3, ignored: 1 }));
        assert_eq!(Counts::parse("test result_is_read ... ok"), None);
    }
}
