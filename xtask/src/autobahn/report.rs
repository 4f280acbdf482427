//! What the suite says of each case, and whether that is as it has to be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::str::FromStr;

use anyhow::{Context as _, Result, anyhow};
use serde::Deserialize;

/// What the suite files the echo's results under.
pub(super) const AGENT: &str = "bennu";

/// How many cases there are: a run that ends early has fewer.
const CASES: usize = 517;

/// How all cases went, in one role.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Report(BTreeMap<CaseId, Verdict>);

/// The number of a case, such as `6.4.1`; ordered as numbers are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct CaseId(Vec<u32>);

/// How one case went, in the suite's words: `OK`, `NON-STRICT`, `INFORMATIONAL`, `UNIMPLEMENTED`, `FAILED`, …
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Verdict {
    behavior: String,
    #[serde(rename = "behaviorClose")]
    close: String,
}

impl Report {
    /// Reads the suite's `index.json`: `{"bennu": {"1.1.1": {"behavior": "OK", "behaviorClose": "OK"}}}`.
    pub(super) fn parse(index: &str) -> Result<Self> {
        let mut agents: BTreeMap<String, BTreeMap<String, Verdict>> = serde_json::from_str(index)?;
        let cases = agents.remove(AGENT).with_context(|| format!("nothing is said of {AGENT}"))?;
        let cases = cases.into_iter().map(|(id, verdict)| Ok((id.parse()?, verdict)));
        Ok(Self(cases.collect::<Result<_>>()?))
    }
}

impl CaseId {
    /// Whether it is about compression, which is not implemented.
    fn is_compression(&self) -> bool {
        matches!(self.0.first(), Some(12 | 13))
    }
}

impl Verdict {
    fn is_met(&self, id: &CaseId) -> bool {
        let is_met = |word: &str| match word {
            "OK" | "INFORMATIONAL" => true,
            "UNIMPLEMENTED" => id.is_compression(),
            _ => false,
        };
        // How a case ends that is not implemented, the suite does not judge.
        is_met(&self.behavior) && (self.behavior == "UNIMPLEMENTED" || is_met(&self.close))
    }
}

impl FromStr for CaseId {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts = text.split('.').map(str::parse).collect::<Result<_, _>>();
        parts.map(Self).map_err(|_| anyhow!("{text:?} is no number of a case"))
    }
}

impl fmt::Display for CaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(u32::to_string).collect::<Vec<_>>().join("."))
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / {}", self.behavior, self.close)
    }
}

/// How all cases went, in both roles.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(super) server: Report,
    pub(super) client: Report,
}

impl Summary {
    fn roles(&self) -> [(&'static str, &Report); 2] {
        [("server", &self.server), ("client", &self.client)]
    }

    pub(crate) fn is_success(&self) -> bool {
        self.failures().is_empty()
    }

    /// What is not as it has to be, a line each.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        for (role, Report(cases)) in self.roles() {
            if cases.len() < CASES {
                failures.push(format!("{role}: {} of {CASES} cases were played", cases.len()));
            }
            let missed = cases.iter().filter(|(id, verdict)| !verdict.is_met(id));
            failures.extend(missed.map(|(id, verdict)| format!("{role}: {id}: {verdict}")));
        }
        failures
    }

    /// All results as a text to be kept: a line for each case, `1.1.1: OK / OK, OK / OK`.
    pub(super) fn recording(&self) -> String {
        let mut text = String::from(
            "# What the Autobahn suite says of this echo: behaviour / close, as server, then as client.\n\
             # Written by `cargo xtask autobahn --record`.\n",
        );
        let _ = writeln!(text, "# {self}");
        let absent = || "-".to_owned();
        let ids: BTreeSet<_> = self.server.0.keys().chain(self.client.0.keys()).collect();
        for id in ids {
            let said = |report: &Report| report.0.get(id).map_or_else(absent, Verdict::to_string);
            let _ = writeln!(text, "{id}: {}, {}", said(&self.server), said(&self.client));
        }
        text
    }
}

impl fmt::Display for Summary {
    /// Shape: `server: 298 OK, 3 INFORMATIONAL, 216 UNIMPLEMENTED; client: …`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (role, Report(cases))) in self.roles().into_iter().enumerate() {
            let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
            for verdict in cases.values() {
                *counts.entry(&verdict.behavior).or_default() += 1;
            }
            let counts: Vec<_> = counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect();
            let separator = if at == 0 { "" } else { "; " };
            write!(f, "{separator}{role}: {}", counts.join(", "))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_compression_may_be_unimplemented() {
        assert!(!missed("12.1.1", "UNIMPLEMENTED", "UNIMPLEMENTED"));
        assert!(missed("1.1.1", "UNIMPLEMENTED", "UNIMPLEMENTED"));
        assert!(missed("13.1.1", "FAILED", "OK"));
    }

    #[test]
    fn what_is_not_strict_is_missed_as_what_failed_is() {
        assert!(!missed("6.4.1", "OK", "OK"));
        assert!(!missed("7.1.6", "INFORMATIONAL", "INFORMATIONAL"));
        assert!(missed("6.4.1", "NON-STRICT", "OK"));
        assert!(missed("7.7.1", "OK", "WRONG CODE"));
    }

    #[test]
    fn run_that_ended_early_has_failed() {
        let report = || report("1.1.1", "OK", "OK");
        let summary = Summary { server: report(), client: report() };

        assert_eq!(summary.failures()[0], "server: 1 of 517 cases were played");
    }

    #[test]
    fn recording_has_the_cases_in_their_order() {
        let index = r#"{"bennu": {
            "1.10.1": {"behavior": "OK", "behaviorClose": "OK", "duration": 3},
            "1.2.1": {"behavior": "FAILED", "behaviorClose": "UNCLEAN", "duration": 3}
        }}"#;
        let server = Report::parse(index).unwrap();
        let Report(mut cases) = report("1.2.1", "OK", "OK");
        cases.extend(report("1.9.1", "OK", "OK").0);
        let client = Report(cases);

        let recording = Summary { server, client }.recording();

        let lines: Vec<_> = recording.lines().skip(2).collect();
        assert_eq!(
            lines,
            [
                "# server: 1 FAILED, 1 OK; client: 2 OK",
                "1.2.1: FAILED / UNCLEAN, OK / OK",
                "1.9.1: -, OK / OK",
                "1.10.1: OK / OK, -",
            ]
        );
    }

    #[test]
    fn report_on_somebody_else_is_none() {
        assert!(Report::parse(r#"{"other": {}}"#).is_err());
        assert!(Report::parse(r#"{"bennu": {"1.x": {"behavior": "OK", "behaviorClose": "OK"}}}"#).is_err());
    }

    fn missed(id: &str, behavior: &str, close: &str) -> bool {
        let Report(cases) = report(id, behavior, close);
        cases.iter().any(|(id, verdict)| !verdict.is_met(id))
    }

    fn report(id: &str, behavior: &str, close: &str) -> Report {
        let verdict = Verdict { behavior: behavior.to_owned(), close: close.to_owned() };
        Report([(id.parse().unwrap(), verdict)].into())
    }
}
