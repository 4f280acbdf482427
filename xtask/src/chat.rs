//! `cargo xtask chat`: builds the example and runs it.

use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::Args;

use crate::process::{self, ServerProcess, Started};
use crate::repository::{self, Build, Workspace};

/// Builds the chat and runs it, set-up included.
#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// The port to listen on; 0 takes any that is free.
    #[arg(long, default_value_t = 4000)]
    port: u16,
}

/// Installs the page's packages, builds the server, and runs it until it ends.
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
    let status = match ServerProcess::start(&binary, &["--port", &arguments.port.to_string()])? {
        Started::Listening(mut server) => {
            println!("Open {} in two tabs of a browser. Ctrl-C stops the server.", server.url());
            server.wait()?
        }
        Started::Ended(status) => status,
    };
    // A signal leaves no code behind.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1);
    Ok(ExitCode::from(code))
}
