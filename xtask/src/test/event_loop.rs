//! The recorded scenarios against the examples that have an event loop of their own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::conformance;
use super::outcome::Outcome;
use crate::conformance::Profile;
use crate::repository::{self, Build, Workspace};

pub(super) fn mio(workspace: &Workspace) -> Result<Outcome> {
    run(workspace, "mio", "mio-example")
}

pub(super) fn io_uring(workspace: &Workspace) -> Result<Outcome> {
    run(workspace, "io_uring", "io-uring-example")
}

/// Plays them against a package that has a part of the conformance app.
fn run(workspace: &Workspace, name: &'static str, package: &str) -> Result<Outcome> {
    if !workspace.has(package) {
        return Ok(Outcome::skipped(format!("the workspace has no package `{package}`")));
    }
    let binary = workspace.build(package, Build::Debug)?;
    conformance::play(name, &binary, &["--port", "0"], files(&listed()?), Profile::default())
}

/// The names in the list of all of them.
fn listed() -> Result<Vec<String>> {
    let list = repository::path("examples/one-thread/scenarios.txt");
    let text = fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
    Ok(text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect())
}

/// Where these scenarios lie.
fn files(names: &[String]) -> Vec<PathBuf> {
    let directories = repository::scenarios();
    let file = |name: &String| {
        let mut places = directories.iter().map(|directory| directory.join(format!("{name}.json")));
        places.find(|file| file.is_file()).unwrap_or_else(|| name.into())
    };
    names.iter().map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Excerpt;

    /// What they have: `room:*`, `join:*`, `monitor:*` and `bench:*` at one path.
    const EXCERPT: Excerpt = Excerpt {
        path: "/socket/websocket",
        lacks: &["room:exact", "exact", "bye:", "intercept:", "presence:", "rich_presence:", "wild", "user:"],
    };

    #[test]
    fn list_has_each_scenario_that_keeps_to_what_the_examples_have_and_no_other() {
        let chosen = EXCERPT.scenarios(&repository::scenarios()).unwrap();

        assert_eq!(listed().unwrap(), chosen);
        assert!(files(&chosen).iter().all(|file| file.is_file()));
    }
}
