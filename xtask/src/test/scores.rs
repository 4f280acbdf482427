//! How the recorded scenarios went on each server, as one table.

use std::collections::BTreeMap;
use std::fmt;

use super::outcome::Outcome;
use crate::conformance::{self, Profile};

/// How the scenarios went on one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Score {
    pub(super) server: &'static str,
    pub(super) profile: Profile,
    /// By the name of the scenario. What a server is not asked for is not in it.
    pub(super) outcomes: BTreeMap<String, conformance::Outcome>,
}

/// Those of all servers that have played.
#[derive(Debug)]
pub(super) struct Scores<'a>(Vec<&'a Score>);

impl<'a> Scores<'a> {
    /// Those among the outcomes of all parts.
    pub(super) fn of(rows: &'a [(String, Outcome)]) -> Self {
        Self(rows.iter().filter_map(|(_, outcome)| outcome.score.as_ref()).collect())
    }

    /// Whether each scenario went on each server as it did on the first one that played the same release; `None` if
    /// there were no two of them.
    pub(super) fn verdict(&self) -> Option<Outcome> {
        let pairs = || self.0.iter().filter_map(|score| Some((score, self.model_of(score)?)));
        pairs().next()?;
        let unlike: Vec<String> = pairs()
            .flat_map(|(score, model)| {
                score.unlike(model).map(|file| format!("{file} on {} and {}", model.server, score.server))
            })
            .collect();
        if !unlike.is_empty() {
            return Some(Outcome::failed(unlike.join(", ")));
        }
        let alike: Vec<String> =
            pairs().map(|(score, model)| format!("{} as {}", score.server, model.server)).collect();
        Some(Outcome::passed(alike.join(", ")))
    }

    /// The one that this one is held against.
    fn model_of(&self, score: &Score) -> Option<&'a Score> {
        let first = *self.0.iter().find(|first| first.profile == score.profile)?;
        (first != score).then_some(first)
    }
}

impl Score {
    fn count(&self, outcome: conformance::Outcome) -> usize {
        self.named(outcome).count()
    }

    fn named(&self, outcome: conformance::Outcome) -> impl Iterator<Item = &str> {
        self.outcomes.iter().filter(move |(_, found)| **found == outcome).map(|(file, _)| file.as_str())
    }

    /// The scenarios of both that did not go as they did there.
    fn unlike<'a>(&'a self, model: &'a Self) -> impl Iterator<Item = &'a str> {
        let differs = |(file, outcome): &(&String, &conformance::Outcome)| {
            model.outcomes.get(*file).is_some_and(|found| found != *outcome)
        };
        self.outcomes.iter().filter(differs).map(|(file, _)| file.as_str())
    }
}

impl fmt::Display for Scores<'_> {
    /// A line for each server, then the names of what did not pass; nothing, if nobody has played.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use conformance::Outcome::{Differs, Failed, Passed, Skipped};

        let Some(most) = self.0.iter().map(|score| score.outcomes.len()).max() else { return Ok(()) };
        writeln!(f, "{:<24}passed  differ  failed  skipped  not asked", "scenarios")?;
        for score in &self.0 {
            let name = format!("{}, as {}", score.server, score.profile.name());
            let [passed, differ, failed, skipped] =
                [Passed, Differs, Failed, Skipped].map(|outcome| score.count(outcome));
            let not_asked = most - score.outcomes.len();
            writeln!(f, "{name:<24}{passed:>6}  {differ:>6}  {failed:>6}  {skipped:>7}  {not_asked:>9}")?;
        }
        for (outcome, what) in [(Differs, "differ on purpose"), (Failed, "failed"), (Skipped, "skipped")] {
            self.names(f, outcome, what)?;
        }
        Ok(())
    }
}

impl Scores<'_> {
    /// The scenarios with that outcome, each with the servers if it was not on all that were asked for it.
    fn names(&self, f: &mut fmt::Formatter<'_>, outcome: conformance::Outcome, what: &str) -> fmt::Result {
        let mut files: Vec<&str> = self.0.iter().flat_map(|score| score.named(outcome)).collect();
        files.sort_unstable();
        files.dedup();
        if files.is_empty() {
            return Ok(());
        }
        let named: Vec<String> = files.into_iter().map(|file| self.name(file, outcome)).collect();
        writeln!(f, "{what}: {}", named.join(", "))
    }

    fn name(&self, file: &str, outcome: conformance::Outcome) -> String {
        let asked = || self.0.iter().filter(|score| score.outcomes.contains_key(file));
        let had: Vec<&Score> =
            asked().filter(|score| score.outcomes.get(file) == Some(&outcome)).copied().collect();
        if had.len() == asked().count() {
            return file.to_owned();
        }
        let servers: Vec<String> =
            had.iter().map(|score| format!("{} as {}", score.server, score.profile.name())).collect();
        format!("{file} ({})", servers.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Outcome::{Differs, Failed, Passed, Skipped};

    fn row(
        server: &'static str,
        profile: Profile,
        outcomes: &[(&str, conformance::Outcome)],
    ) -> (String, Outcome) {
        let outcomes = outcomes.iter().map(|&(file, outcome)| (file.to_owned(), outcome)).collect();
        let score = Some(Score { server, profile, outcomes });
        (server.to_owned(), Outcome { score, ..Outcome::passed("") })
    }

    #[test]
    fn table_counts_scenarios_and_names_those_that_did_not_pass() {
        let rows = [
            ("format".to_owned(), Outcome::passed("")),
            row("tokio", Profile::V1_8_12, &[("1", Passed), ("2", Differs), ("3", Skipped), ("4", Passed)]),
            row("mio", Profile::V1_8_12, &[("1", Passed), ("4", Passed)]),
            row("tokio", Profile::V1_8_9, &[("1", Passed), ("2", Differs), ("3", Skipped), ("4", Skipped)]),
        ];

        assert_eq!(
            Scores::of(&rows).to_string(),
            "scenarios               passed  differ  failed  skipped  not asked\n\
             tokio, as 1.8.12             2       1       0        1          0\n\
             mio, as 1.8.12               2       0       0        0          2\n\
             tokio, as 1.8.9              1       1       0        2          0\n\
             differ on purpose: 2\n\
             skipped: 3, 4 (tokio as 1.8.9)\n"
        );
    }

    #[test]
    fn scenario_that_went_otherwise_than_on_the_first_server_is_named() {
        let tokio = row("tokio", Profile::V1_8_12, &[("1", Differs), ("2", Passed)]);
        let like = row("smol", Profile::V1_8_12, &[("2", Passed)]);
        let unlike = row("mio", Profile::V1_8_12, &[("1", Passed)]);

        let verdict = |rows: &[(String, Outcome)]| Scores::of(rows).verdict();
        assert_eq!(verdict(&[tokio.clone(), like]), Some(Outcome::passed("smol as tokio")));
        assert_eq!(verdict(&[tokio, unlike]), Some(Outcome::failed("1 on tokio and mio")));
    }

    #[test]
    fn releases_are_not_held_against_one_another() {
        let rows = [
            row("tokio", Profile::V1_8_12, &[("1", Passed)]),
            row("tokio", Profile::V1_8_9, &[("1", Failed)]),
        ];

        assert_eq!(Scores::of(&rows).verdict(), None);
    }

    #[test]
    fn nobody_who_has_played_is_no_table() {
        assert_eq!(Scores::of(&[("format".to_owned(), Outcome::passed(""))]).to_string(), "");
    }
}
