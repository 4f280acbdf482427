//! What libFuzzer prints while it runs.

/// The latest figures of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) executions: u64,
    pub(super) edges: u64,
    /// Inputs in memory: those of the committed corpus that reach anything new, and those that were found.
    pub(super) inputs: u64,
}

/// A line that says something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Progress(Progress),
    /// How many inputs were tried, at the end.
    Done(u64),
    /// An input that breaks a rule was written to this file.
    Finding(String),
}

impl Line {
    /// Reads `#2048 NEW    cov: 123 ft: 456 corp: 78/910b …`, `Done 4096 runs in …` or `… written to FILE`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        if let Some((_, file)) = line.split_once("Test unit written to ") {
            return Some(Self::Finding(file.trim().to_owned()));
        }
        if let Some(rest) = line.strip_prefix("Done ") {
            return rest.split(' ').next()?.parse().ok().map(Self::Done);
        }
        let (executions, rest) = line.strip_prefix('#')?.split_once(char::is_whitespace)?;
        let number = |label: &str| {
            let (_, behind) = rest.split_once(label)?;
            let digits = behind.trim_start().split(|char: char| !char.is_ascii_digit()).next()?;
            digits.parse().ok()
        };
        Some(Self::Progress(Progress {
            executions: executions.parse().ok()?,
            edges: number("cov:")?,
            inputs: number("corp:")?,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_from_a_line_of_progress() {
        let line =
            "#4096\tREDUCE cov: 912 ft: 3456 corp: 78/910b lim: 43 exec/s: 2048 rss: 60Mb L: 5/43 MS: 1";

        let expected = Progress { executions: 4096, edges: 912, inputs: 78 };
        assert_eq!(Line::parse(line), Some(Line::Progress(expected)));
    }

    #[test]
    fn end_and_finding_are_told_from_it() {
        assert_eq!(Line::parse("Done 123 runs in 4 second(s)"), Some(Line::Done(123)));
        assert_eq!(
            Line::parse("artifact_prefix='/a/'; Test unit written to /a/crash-0"),
            Some(Line::Finding("/a/crash-0".to_owned()))
        );
        for other in ["INFO: Seed: 1", "#x", "#7\tINITED exec/s: 0", "stat::peak_rss_mb: 1"] {
            assert_eq!(Line::parse(other), None, "{other}");
        }
    }
}
