//! What a run prints, and what it counts.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use super::failure::Failure;
use super::scenario::Scenario;

/// How a run went: how often scenarios had which outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// As recorded.
    pub passed: usize,
    /// Neither as recorded, nor known to differ.
    pub failed: usize,
    /// Not as recorded, on purpose.
    pub differs: usize,
    /// Not played.
    pub skipped: usize,
    /// How each went, by its file; the worst, if it was played more than once.
    pub outcomes: BTreeMap<String, Outcome>,
}

/// How one scenario went, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It was not played.
    Skipped,
    /// As recorded.
    Passed,
    /// Not as recorded, on purpose.
    Differs,
    /// Neither as recorded, nor known to differ.
    Failed,
}

impl Summary {
    fn enter(&mut self, scenario: &Scenario, outcome: Outcome) {
        let count = match outcome {
            Outcome::Skipped => &mut self.skipped,
            Outcome::Passed => &mut self.passed,
            Outcome::Differs => &mut self.differs,
            Outcome::Failed => &mut self.failed,
        };
        *count += 1;
        let worst = self.outcomes.entry(scenario.file.clone()).or_insert(outcome);
        *worst = outcome.max(*worst);
    }

    /// Whether something was played or skipped, and nothing failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.failed == 0 && *self != Self::default()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.differs > 0 {
            write!(f, ", {} differ on purpose", self.differs)?;
        }
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Which lines are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// One for each scenario.
    #[default]
    Full,
    /// Failures and the summary.
    Quiet,
}

/// Writes a line for each scenario as its outcome becomes known.
pub(super) struct Report<'a> {
    out: &'a mut dyn Write,
    verbosity: Verbosity,
    summary: Summary,
    /// How many were skipped for which reason.
    reasons: BTreeMap<String, usize>,
}

impl<'a> Report<'a> {
    pub(super) fn new(out: &'a mut dyn Write, verbosity: Verbosity) -> Self {
        Self { out, verbosity, summary: Summary::default(), reasons: BTreeMap::new() }
    }

    pub(super) fn skipped(&mut self, scenario: &Scenario, why: &str) -> io::Result<()> {
        self.summary.enter(scenario, Outcome::Skipped);
        *self.reasons.entry(why.to_owned()).or_default() += 1;
        self.detail(format_args!("skip  {} ({why})", scenario.file))
    }

    /// `known` is the reason why the scenario is expected to fail, if it is.
    pub(super) fn played(
        &mut self,
        scenario: &Scenario,
        outcome: &Result<(), Failure>,
        known: Option<&str>,
        took: Duration,
    ) -> io::Result<()> {
        let file = &scenario.file;
        match (outcome, known) {
            (Ok(()), None) => {
                self.summary.enter(scenario, Outcome::Passed);
                self.detail(format_args!("ok    {file} ({} ms)", took.as_millis()))
            }
            (Ok(()), Some(_)) => {
                self.summary.enter(scenario, Outcome::Passed);
                writeln!(self.out, "ok    {file}: it passes, though it is listed as a known difference")
            }
            (Err(_), Some(reason)) => {
                self.summary.enter(scenario, Outcome::Differs);
                self.detail(format_args!("diff  {file}: differs on purpose: {reason}"))
            }
            (Err(failure), None) => {
                self.summary.enter(scenario, Outcome::Failed);
                writeln!(self.out, "FAIL  {}", failure.under(&format!("{file}: {}", scenario.about)))
            }
        }
    }

    pub(super) fn finish(self) -> io::Result<Summary> {
        let reasons: Vec<String> = self.reasons.iter().map(|(why, count)| format!("{count} {why}")).collect();
        if !reasons.is_empty() {
            writeln!(self.out, "skipped: {}", reasons.join(", "))?;
        }
        writeln!(self.out, "{}", self.summary)?;
        self.out.flush()?;
        Ok(self.summary)
    }

    fn detail(&mut self, line: fmt::Arguments<'_>) -> io::Result<()> {
        match self.verbosity {
            Verbosity::Full => writeln!(self.out, "{line}"),
            Verbosity::Quiet => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summary_names_what_there_is() {
        let mut summary = Summary { passed: 3, ..Summary::default() };
        assert_eq!(summary.to_string(), "3 passed, 0 failed");

        summary.differs = 1;
        summary.skipped = 2;
        assert_eq!(summary.to_string(), "3 passed, 0 failed, 1 differ on purpose, 2 skipped");
        assert!(summary.is_success());
    }

    #[test]
    fn run_without_any_scenario_is_no_success() {
        assert!(!Summary::default().is_success());
        assert!(!Summary { passed: 1, failed: 1, ..Summary::default() }.is_success());
    }

    #[test]
    fn known_difference_is_no_failure_and_one_that_passes_is_named_even_when_quiet() {
        let mut out = Vec::new();
        let mut report = Report::new(&mut out, Verbosity::Quiet);
        let mut scenario: Scenario =
            serde_json::from_str(r#"{"name": "x", "about": "a", "steps": []}"#).unwrap();
        scenario.file = "050-x".to_owned();

        report.played(&scenario, &Err(Failure::new("f")), Some("reason"), Duration::ZERO).unwrap();
        report.played(&scenario, &Ok(()), Some("reason"), Duration::ZERO).unwrap();
        report.played(&scenario, &Err(Failure::new("f")), None, Duration::ZERO).unwrap();
        let summary = report.finish().unwrap();

        let outcomes = [("050-x".to_owned(), Outcome::Failed)].into();
        assert_eq!(summary, Summary { passed: 1, failed: 1, differs: 1, skipped: 0, outcomes });
        let out = String::from_utf8(out).unwrap();
        assert_eq!(
            out,
            "ok    050-x: it passes, though it is listed as a known difference\n\
             FAIL  050-x: a\n  f\n\
             1 passed, 1 failed, 1 differ on purpose\n"
        );
    }
}
