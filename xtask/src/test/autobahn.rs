//! The Autobahn suite against the echo example, where the suite is installed.

use anyhow::Result;

use super::outcome::Outcome;
use crate::autobahn::{self, Runner};
use crate::repository::Workspace;

pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    let Some(runner) = Runner::find(workspace)? else {
        return Ok(Outcome::skipped("wstest is not installed: `cargo xtask autobahn` does that"));
    };
    let summary = autobahn::play(workspace, &runner)?;
    for failure in summary.failures() {
        println!("{failure}");
    }
    let verdict = if summary.is_success() { Outcome::passed } else { Outcome::failed };
    Ok(verdict(summary.to_string()))
}
