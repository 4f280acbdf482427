//! Those who share a connection or a node, in all their interleavings.

use std::env;
use std::fmt;

use anyhow::Result;

use super::outcome::Outcome;
use crate::process;
use crate::repository::{Workspace, cargo};

pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    let mut command = cargo();
    command
        .args(["test", "--package", "bennu", "--lib", "--", "interleavings::", "--nocapture"])
        .env("RUSTFLAGS", format!("{flags} --cfg bennu_loom"))
        // A directory of its own: other flags, other builds, and the usual ones are kept.
        .env("CARGO_TARGET_DIR", workspace.scratch("loom"))
        // There are many, one after the other.
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
    let run = process::run(&mut command)?;
    let counts = Counts::of(&run.lines);
    println!("{counts}");
    Ok(Outcome::of(run.status, counts.to_string()))
}

/// How many models were run, and how often in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    models: usize,
    interleavings: usize,
}

impl Counts {
    /// Reads the lines `…: 966 interleavings`.
    fn of(lines: &[String]) -> Self {
        let count =
            |line: &String| line.strip_suffix(" interleavings")?.rsplit_once(' ')?.1.parse::<usize>().ok();
        let counts = lines.iter().filter_map(count);
        counts.fold(Self::default(), |sum, count| Self {
            models: sum.models + 1,
            interleavings: sum.interleavings + count,
        })
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} models, {} interleavings", self.models, self.interleavings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interleavings_of_all_models_are_counted() {
        let lines = [
            "running 2 tests",
            "interleavings::a: 966 interleavings",
            "test interleavings::a ... ok",
            "interleavings::b: 34 interleavings",
        ];

        assert_eq!(Counts::of(&lines.map(str::to_owned)), Counts { models: 2, interleavings: 1000 });
    }
}
