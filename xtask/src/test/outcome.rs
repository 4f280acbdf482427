//! How the parts went, as a table.

use std::fmt;
use std::process::ExitStatus;

use super::scores::Score;

/// Why a part is skipped whose program says that it cannot run here.
pub(super) const REFUSED: &str = "the system refuses it";

/// How one part went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    /// Counts, or the reason.
    pub(super) detail: String,
    /// If it has played the recorded scenarios.
    pub(super) score: Option<Score>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed,
    /// It could not run here; the detail says why.
    Skipped,
}

impl Outcome {
    pub(super) fn passed(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Passed, detail: detail.into(), score: None }
    }

    pub(super) fn failed(detail: impl Into<String>) -> Self {
        Self { verdict: Verdict::Failed, detail: detail.into(), score: None }
    }

    pub(super) fn skipped(reason: impl Into<String>) -> Self {
        Self { verdict: Verdict::Skipped, detail: reason.into(), score: None }
    }

    /// What the exit of a program means.
    pub(super) fn of(status: ExitStatus, detail: impl Into<String>) -> Self {
        let verdict = if status.success() { Verdict::Passed } else { Verdict::Failed };
        Self { verdict, detail: detail.into(), score: None }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        })
    }
}

/// One line for each part, and last the parts by their verdict.
pub(super) fn table(rows: &[(String, Outcome)]) -> String {
    let mut lines = vec![format!("{:<24}{:<9}counts", "part", "result")];
    for (name, outcome) in rows {
        lines.push(format!("{name:<24}{:<9}{}", outcome.verdict, outcome.detail).trim_end().to_owned());
    }
    let count = |verdict| rows.iter().filter(|(_, outcome)| outcome.verdict == verdict).count();
    lines.push(String::new());
    lines.push(format!(
        "{} passed, {} failed, {} skipped",
        count(Verdict::Passed),
        count(Verdict::Failed),
        count(Verdict::Skipped)
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_ends_with_the_counts_of_the_parts() {
        let rows = [
            ("unit tests".to_owned(), Outcome::passed("3 passed, 0 failed, 0 ignored")),
            ("format".to_owned(), Outcome::failed("")),
            ("browser test".to_owned(), Outcome::skipped("npm is not installed")),
        ];

        assert_eq!(
            table(&rows),
            "part                    result   counts\n\
             unit tests              passed   3 passed, 0 failed, 0 ignored\n\
             format                  failed\n\
             browser test            skipped  npm is not installed\n\
             \n\
             1 passed, 1 failed, 1 skipped"
        );
    }
}
