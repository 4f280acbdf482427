//! Why a scenario failed, for a person to read.

use std::{fmt, io};

/// What went wrong, in one or several lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// One line per difference.
    pub(crate) fn lines(lines: &[String]) -> Self {
        Self(lines.join("\n"))
    }

    /// Puts a headline above the failure, which moves in by two spaces.
    pub(crate) fn under(&self, headline: &str) -> Self {
        let indented: Vec<String> = self.0.lines().map(|line| format!("  {line}")).collect();
        Self(format!("{headline}\n{}", indented.join("\n")))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
