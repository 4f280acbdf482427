//! What is checked without running anything.

use anyhow::{Context as _, Result, bail};

use super::outcome::Outcome;
use crate::repository::{Workspace, cargo};

/// Crates that bring a runtime, or that wait for sockets: none of them may be below the core.
const RUNTIMES: [&str; 9] = [
    "tokio",
    "async-std",
    "smol",
    "async-io",
    "async-executor",
    "mio",
    "polling",
    "hyper",
    "futures-executor",
];

pub(super) fn clippy(_: &Workspace) -> Result<Outcome> {
    check(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"], &[])
}

pub(super) fn format(_: &Workspace) -> Result<Outcome> {
    check(&["fmt", "--all", "--check"], &[])
}

pub(super) fn docs(_: &Workspace) -> Result<Outcome> {
    check(&["doc", "--workspace", "--all-features", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])
}

/// The core reaches no runtime, whatever its dependencies become.
pub(super) fn purity(workspace: &Workspace) -> Result<Outcome> {
    if !workspace.has("bennu-core") {
        return Ok(Outcome::skipped("the workspace has no package `bennu-core`"));
    }
    let output = cargo()
        .args(["tree", "--package", "bennu-core", "--edges", "normal", "--all-features", "--prefix", "none"])
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    let tree = String::from_utf8_lossy(&output.stdout);
    let found = runtimes_in(&tree);
    if !found.is_empty() {
        return Ok(Outcome::failed(format!("bennu-core depends on {}", found.join(", "))));
    }
    let detail = format!("no runtime below bennu-core, {} crates looked at", crates_in(&tree).len());
    println!("{detail}");
    Ok(Outcome::passed(detail))
}

fn check(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Outcome> {
    let status =
        cargo().args(arguments).envs(environment.iter().copied()).status().context("cannot run cargo")?;
    Ok(Outcome::of(status, ""))
}

fn runtimes_in(tree: &str) -> Vec<&str> {
    crates_in(tree).into_iter().filter(|name| RUNTIMES.contains(name)).collect()
}

fn crates_in(tree: &str) -> Vec<&str> {
    let mut crates: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    crates.sort_unstable();
    crates.dedup();
    crates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_is_found_by_its_whole_name() {
        let tree = "bennu-core v0.1.0 (/x)\nbytes v1.0.0\ntokio-util v0.7.0\nmio v1.0.0\nmio v1.0.0 (*)\n";

        assert_eq!(runtimes_in(tree), ["mio"]);
        assert_eq!(crates_in(tree).len(), 4);
    }
}
