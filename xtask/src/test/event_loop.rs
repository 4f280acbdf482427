//! The recorded scenarios against the example that has an event loop of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::conformance;
use super::outcome::Outcome;
use crate::conformance::Profile;
use crate::repository::{self, Build, Workspace};

/// The package, which has a part of the conformance app.
const PACKAGE: &str = "mio-example";

pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.has(PACKAGE) {
        return Ok(Outcome::skipped(format!("the workspace has no package `{PACKAGE}`")));
    }
    let binary = workspace.build(PACKAGE, Build::Debug)?;
    conformance::play("mio", &binary, &["--port", "0"], files(&listed()?), Profile::default())
}

/// The names in the example's list.
fn listed() -> Result<Vec<String>> {
    let list = repository::path("examples/mio/scenarios.txt");
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

    /// What the example has: `room:*`, `join:*`, `monitor:*` and `bench:*` at one path.
    const EXCERPT: Excerpt = Excerpt {
        path: "/socket/websocket",
        lacks: &["room:exact", "exact", "bye:", "intercept:", "presence:", "rich_presence:", "wild", "user:"],
    };

    #[test]
    fn list_has_each_scenario_that_keeps_to_what_the_example_has_and_no_other() {
        let chosen = EXCERPT.scenarios(&repository::scenarios()).unwrap();

        assert_eq!(listed().unwrap(), chosen);
        assert!(files(&chosen).iter().all(|file| file.is_file()));
    }
}
