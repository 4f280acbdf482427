//! The list of scenarios that Bennu answers differently on purpose.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Scenarios by file name, each with the reason why it differs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct KnownDifferences(BTreeMap<String, String>);

impl KnownDifferences {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("in {}", path.display()))
    }

    pub(crate) fn reason(&self, file: &str) -> Option<&str> {
        self.0.get(file).map(String::as_str)
    }

    /// Each line is `file: reason`; empty lines and those that begin with `#` say nothing.
    fn parse(text: &str) -> Result<Self> {
        let mut reasons = BTreeMap::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let Some((file, reason)) = line.split_once(": ") else {
                bail!("a line is `scenario: reason`, not `{line}`");
            };
            if reasons.insert(file.to_owned(), reason.trim().to_owned()).is_some() {
                bail!("{file} is listed twice");
            }
        }
        Ok(Self(reasons))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_is_a_scenario_and_a_reason() {
        let known = KnownDifferences::parse("# why\n\n050-x: it is: better\n").unwrap();

        assert_eq!(known.reason("050-x"), Some("it is: better"));
        assert_eq!(known.reason("051-y"), None);
    }

    #[test]
    fn difference_without_a_reason_or_listed_twice_is_refused() {
        assert!(KnownDifferences::parse("050-x").is_err());
        assert!(KnownDifferences::parse("050-x: a\n050-x: b").is_err());
    }
}
