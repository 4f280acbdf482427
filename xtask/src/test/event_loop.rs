//! The recorded scenarios against the examples that have an event loop of their own.

use std::fs;
use std::io;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::conformance::{self, Options, Verbosity};
use crate::process::{ServerProcess, Started};
use crate::repository::{self, Build, Workspace};

/// The package on mio, which has a part of the conformance app.
const MIO: &str = "mio-example";

/// The one on io_uring, which has the same.
const IO_URING: &str = "io-uring-example";

/// With which a program says that the system refuses it what it is made for.
const UNAVAILABLE: i32 = 69;

/// Once may be luck.
const REPEAT: usize = 5;

pub(super) fn mio(workspace: &Workspace) -> Result<Outcome> {
    run(workspace, MIO)
}

pub(super) fn io_uring(workspace: &Workspace) -> Result<Outcome> {
    run(workspace, IO_URING)
}

fn run(workspace: &Workspace, package: &str) -> Result<Outcome> {
    if !workspace.has(package) {
        return Ok(Outcome::skipped(format!("the workspace has no package `{package}`")));
    }
    let binary = workspace.build(package, Build::Debug)?;
    let server = match ServerProcess::start(&binary, &["--port", "0"])? {
        Started::Listening(server) => server,
        Started::Ended(status) if status.code() == Some(UNAVAILABLE) => {
            return Ok(Outcome::skipped("the system refuses it"));
        }
        Started::Ended(status) => {
            return Ok(Outcome::failed(format!("the server ended before it listened: {status}")));
        }
    };
    let url = server.url().parse().context("the server printed a URL that cannot be used")?;
    let options = Options {
        known_differences: Some(repository::path("conformance/known-differences.txt")),
        repeat: REPEAT,
        verbosity: Verbosity::Quiet,
        ..Options::new(url, files(&listed()?))
    };
    let summary = conformance::run(&options, &mut io::stdout())?;
    let verdict = if summary.is_success() { Outcome::passed } else { Outcome::failed };
    Ok(verdict(summary.to_string()))
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
