//! `cargo xtask bench`: the load runs beside their floor.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Args;

use crate::process;
use crate::repository::{Build, Workspace, cargo};

/// Measures the server under load, beside the floor.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// What the load generator is given, such as `--quick`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Builds the server and the load generator, and runs the latter with the arguments it was given.
///
/// # Errors
/// If one of them is missing or cannot be built.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    if !workspace.has("bennu-benches") {
        bail!("the workspace has no package `bennu-benches`");
    }
    let built = cargo().args(["build", "--release", "--package", "bennu-benches", "--bins"]).status();
    if !built.context("cannot run cargo")?.success() {
        bail!("cannot build bennu-benches");
    }
    if workspace.has("conformance") {
        workspace.build("conformance", Build::Release)?;
    }
    let mut load = cargo();
    load.args(["run", "--quiet", "--release", "--package", "bennu-benches", "--bin", "load", "--"]);
    process::become_program(load.args(&arguments.arguments))
}
