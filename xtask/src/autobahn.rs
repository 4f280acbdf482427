//! `cargo xtask autobahn`: the Autobahn suite against the echo example, in both roles.

mod report;
mod role;
mod runner;

use std::fs;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::repository::{self, Build, Workspace};
use report::Report;
pub(crate) use report::Summary;
use role::Role;
pub(crate) use runner::Runner;

/// Where the last recorded results lie, below the root of the repository.
const RECORDED: &str = "examples/echo/autobahn.txt";

/// Runs the Autobahn suite against the echo example, as server and as client; installs the suite if need be.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// Writes the results to examples/echo/autobahn.txt.
    #[arg(long)]
    record: bool,
}

/// Runs the suite, and ends with how many cases went how.
///
/// # Errors
/// If there is no suite and none can be installed, or it does not run to its end. A case that fails is no error: the
/// exit code tells.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let runner = match Runner::find(&workspace)? {
        Some(runner) => runner,
        None => Runner::install(&workspace)?,
    };
    let summary = play(&workspace, &runner)?;
    if arguments.record {
        let path = repository::path(RECORDED);
        fs::write(&path, summary.recording()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for failure in summary.failures() {
        println!("{failure}");
    }
    println!("{summary}");
    Ok(if summary.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays all cases, first with the echo as the server, then with the echo as the client.
pub(crate) fn play(workspace: &Workspace, runner: &Runner) -> Result<Summary> {
    if !workspace.has("echo") {
        bail!("the workspace has no package `echo`");
    }
    // With its assertions: it is the suite that is slow.
    let echo = workspace.build("echo", Build::Debug)?;
    let report = |role: Role| {
        let directory = workspace.scratch("autobahn-reports").join(role.name());
        println!("the echo as {}: the suite's output and reports go to {}", role.name(), directory.display());
        let index = role.play(runner, &echo, &directory)?;
        Report::parse(&index).with_context(|| format!("the report on the {}", role.name()))
    };
    Ok(Summary { server: report(Role::Server)?, client: report(Role::Client)? })
}
