//! What fuzzing needs beside cargo.

use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::process;
use crate::repository;

/// Makes sure that there are a nightly toolchain and cargo-fuzz; the latter is installed if it is missing.
pub(super) fn provide() -> Result<()> {
    if !process::is_installed("rustup") {
        bail!("rustup is not installed: it is how `cargo +nightly` finds the nightly toolchain");
    }
    if !succeeds(nightly().arg("--version"))? {
        bail!("the nightly toolchain is missing: rustup toolchain install nightly");
    }
    if succeeds(nightly().args(["fuzz", "--version"]))? {
        return Ok(());
    }
    println!("cargo-fuzz is missing, and is installed now");
    let status = Command::new("cargo").args(["install", "cargo-fuzz", "--locked"]).status();
    if !status.context("cannot run cargo")?.success() {
        bail!("cargo-fuzz is missing and could not be installed: cargo install cargo-fuzz");
    }
    Ok(())
}

/// `cargo +nightly`, in the root of the repository.
///
/// The variables by which the stable cargo that runs this program tells its own toolchain would lead astray.
pub(super) fn nightly() -> Command {
    let mut command = Command::new("cargo");
    command.arg("+nightly").current_dir(repository::path(""));
    for variable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN", "RUSTDOC"] {
        command.env_remove(variable);
    }
    command
}

fn succeeds(command: &mut Command) -> Result<bool> {
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    Ok(status.context("cannot run cargo")?.success())
}
