//! `cargo xtask chat`: builds the example and runs it.

use std::process::{Command, ExitCode};

use anyhow::{Result, bail};
use clap::Args;

use crate::process;
use crate::repository::{self, Build, Workspace};

/// Builds the chat and runs it, set-up included.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = 4000)]
    port: u16,
}

/// Installs the page's packages, builds the server, and becomes it: signals, errors and exit code are its own.
///
/// # Errors
/// If something that the chat needs is missing, or cannot be built.
pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    if !workspace.has("chat") {
        bail!("the workspace has no package `chat`");
    }
    process::npm_ci(&repository::path("examples/chat/page"))?;
    let binary = workspace.build("chat", Build::Release)?;
    println!("Open the URL below in two tabs of a browser; Ctrl-C stops the server.");
    process::become_program(Command::new(binary).args(["--port", &arguments.port.to_string()]))
}
