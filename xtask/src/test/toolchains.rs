//! Other compilers and targets than the one at hand: the oldest that is promised, and wasm.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::repository::{Workspace, cargo, for_libraries, path};

const WASM: &str = "wasm32-unknown-unknown";

/// The libraries build with the oldest Rust that they promise. What of the standard library is younger,
/// clippy finds anyway (`incompatible_msrv`).
pub(super) fn msrv(workspace: &Workspace) -> Result<Outcome> {
    let Some(oldest) = workspace.rust_version() else {
        return Ok(Outcome::failed("the workspace names no rust-version"));
    };
    let Some(toolchain) = Toolchain::find(oldest) else {
        return Ok(Outcome::skipped(format!("Rust {oldest} is not installed; clippy alone looks at it")));
    };
    let mut check = toolchain.cargo();
    check.current_dir(path("")).args(["check", "--quiet", "--all-features"]);
    check.env("CARGO_TARGET_DIR", workspace.scratch("msrv"));
    let status = for_libraries(&mut check).status().context("cannot run rustup")?;
    let detail = format!("Rust {oldest}");
    println!("{detail}");
    Ok(Outcome::of(status, detail))
}

/// The core builds where there are no sockets, threads and clocks.
pub(super) fn wasm(_: &Workspace) -> Result<Outcome> {
    if !rustup(&["target", "list", "--installed"]).lines().any(|target| target == WASM) {
        return Ok(Outcome::skipped(format!("the target {WASM} is not installed")));
    }
    let status = cargo()
        .args(["check", "--quiet", "--package", "bennu-core", "--all-features", "--target", WASM])
        .status()
        .context("cannot run cargo")?;
    let detail = format!("bennu-core for {WASM}");
    println!("{detail}");
    Ok(Outcome::of(status, detail))
}

/// A toolchain of rustup's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    name: String,
}

impl Toolchain {
    /// Looks for `nightly`, or for a version such as `1.88` with whatever patch.
    pub(super) fn find(wanted: &str) -> Option<Self> {
        Self::find_in(&rustup(&["toolchain", "list"]), wanted)
    }

    fn find_in(list: &str, wanted: &str) -> Option<Self> {
        let mut names = list.lines().filter_map(|line| line.split_whitespace().next());
        let name = names.find(|name| {
            let rest = name.strip_prefix(wanted);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '.']))
        })?;
        Some(Self { name: name.to_owned() })
    }

    /// Its cargo.
    pub(super) fn cargo(&self) -> Command {
        let mut command = Command::new("rustup");
        command.args(["run", &self.name, "cargo"]);
        command
    }
}

/// What rustup says; nothing where there is none.
fn rustup(arguments: &[&str]) -> String {
    let output = Command::new("rustup").args(arguments).output();
    output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn toolchain_is_found_by_its_version_with_any_patch() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default)\n1.88.1-x86_64-unknown-linux-gnu\nnightly-x86_64\n";
        let name = |wanted| Toolchain::find_in(list, wanted).map(|toolchain| toolchain.name);

        assert_eq!(name("1.88").as_deref(), Some("1.88.1-x86_64-unknown-linux-gnu"));
        assert_eq!(name("nightly").as_deref(), Some("nightly-x86_64"));
        assert_eq!(name("1.8"), None);
        assert_eq!(name("1.89"), None);
    }
}
