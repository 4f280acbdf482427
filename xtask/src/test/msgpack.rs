//! A serializer of one's own in a client that nobody here wrote.

use std::process::Command;

use anyhow::Result;

use super::node;
use super::outcome::Outcome;
use crate::process;
use crate::repository::{self, Build, Workspace};

pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.has("msgpack") {
        return Ok(Outcome::skipped("the workspace has no package `msgpack`"));
    }
    if let Some(program) = node::missing() {
        return Ok(Outcome::skipped(format!("{program} is not installed")));
    }
    let directory = repository::path("examples/msgpack/phoenix-js");
    process::npm_ci(&directory)?;
    let msgpack = workspace.build("msgpack", Build::Debug)?;
    let mut command = Command::new("node");
    command.args(["--test", "msgpack.test.mjs"]).current_dir(&directory).env("MSGPACK_BIN", msgpack);
    node::run(&mut command)
}
