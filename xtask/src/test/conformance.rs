//! The recorded scenarios against the conformance example, as either of the releases that they hold for.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::outcome::{Outcome, REFUSED};
use super::scores::Score;
use crate::conformance::{self, Need, Options, Profile, Verbosity};
use crate::process::{ServerProcess, Started};
use crate::repository::{self, Build, Runtime, Workspace};

/// Once may be luck.
const REPEAT: usize = 5;

pub(super) fn run(workspace: &Workspace, runtime: Runtime) -> Result<Outcome> {
    play_all(workspace, runtime, Profile::V1_8_12)
}

pub(super) fn older(workspace: &Workspace) -> Result<Outcome> {
    play_all(workspace, Runtime::Tokio, Profile::V1_8_9)
}

fn play_all(workspace: &Workspace, runtime: Runtime, profile: Profile) -> Result<Outcome> {
    if !workspace.has("conformance") {
        return Ok(Outcome::skipped("the workspace has no package `conformance`"));
    }
    let binary = workspace.build_on(runtime, "conformance", Build::Debug)?;
    let arguments = ["--port", "0", "--compat", profile.name()];
    play(runtime.name(), &binary, &arguments, repository::scenarios(), profile)
}

/// Plays scenarios against a server that is started for them.
pub(super) fn play(
    name: &'static str,
    binary: &Path,
    arguments: &[&str],
    scenarios: Vec<PathBuf>,
    profile: Profile,
) -> Result<Outcome> {
    let server = match ServerProcess::start(binary, arguments)? {
        Started::Listening(server) => server,
        Started::Refused => return Ok(Outcome::skipped(REFUSED)),
        Started::Ended(status) => {
            return Ok(Outcome::failed(format!("the server ended before it listened: {status}")));
        }
    };
    let url = server.url().parse().context("the server printed a URL that cannot be used")?;
    let options = Options {
        known_differences: Some(repository::path("conformance/known-differences.txt")),
        without: vec![Need::Presence, Need::Cluster],
        profile,
        repeat: REPEAT,
        verbosity: Verbosity::Quiet,
        ..Options::new(url, scenarios)
    };
    let summary = conformance::run(&options, &mut io::stdout())?;
    let outcome = if summary.is_success() { Outcome::passed } else { Outcome::failed };
    let score = Score { server: name, profile, outcomes: summary.outcomes.clone() };
    Ok(Outcome { score: Some(score), ..outcome(summary.to_string()) })
}
