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

/// The core, and all that may be below it. A line more is a decision; what is behind the empty line comes with `token`
/// alone.
#[rustfmt::skip]
const CORE: [&str; 43] = [
    "base64", "bennu-core", "block-buffer", "bytes", "cfg-if", "cpufeatures", "crypto-common", "digest", "hashbrown",
    "http", "hybrid-array", "itoa", "memchr", "proc-macro2", "quote", "serde", "serde_core", "serde_derive",
    "serde_json", "sha1", "siphasher", "slab", "smallvec", "smol_str", "syn", "triomphe", "typenum", "unicode-ident",
    "zmij",

    "adler2", "aead", "chacha20", "chacha20poly1305", "cipher", "cmov", "ctutils", "hmac", "inout", "miniz_oxide",
    "pbkdf2", "poly1305", "sha2", "universal-hash",
];

/// Picks from a tree of crates what may not be in it.
type Rule = fn(&str) -> Vec<&str>;

pub(super) fn clippy(_: &Workspace) -> Result<Outcome> {
    check(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"], &[])
}

pub(super) fn format(_: &Workspace) -> Result<Outcome> {
    check(&["fmt", "--all", "--check"], &[])
}

pub(super) fn docs(_: &Workspace) -> Result<Outcome> {
    check(&["doc", "--workspace", "--all-features", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])
}

/// The core's tree is as short as it was, and reaches no runtime, whatever its dependencies become; below what channels are written against, and
/// tested with, nothing is that could run them; and below the adapter of another runtime, nothing is of tokio's.
pub(super) fn purity(workspace: &Workspace) -> Result<Outcome> {
    let mut details = Vec::new();
    let rules: [(&str, Rule); 3] =
        [("bennu-core", unlisted_in), ("bennu", drivers_in), ("bennu-async-std", tokio_in)];
    for (package, forbidden) in rules {
        if !workspace.has(package) {
            return Ok(Outcome::skipped(format!("the workspace has no package `{package}`")));
        }
        let tree = tree(package)?;
        let found = forbidden(&tree);
        if !found.is_empty() {
            return Ok(Outcome::failed(format!("{package} depends on {}", found.join(", "))));
        }
        details.push(format!(
            "nothing of the kind below {package}, {} crates looked at",
            crates_in(&tree).len()
        ));
    }
    let detail = details.join("; ");
    println!("{detail}");
    Ok(Outcome::passed(detail))
}

/// A package and all below it, with their features: `tokio v1.0.0 default,sync`.
fn tree(package: &str) -> Result<String> {
    let output = cargo()
        .args(["tree", "--package", package, "--edges", "normal", "--all-features", "--prefix", "none"])
        .args(["--format", "{p} {f}"])
        .output()
        .context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn check(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Outcome> {
    let status =
        cargo().args(arguments).envs(environment.iter().copied()).status().context("cannot run cargo")?;
    Ok(Outcome::of(status, ""))
}

fn runtimes_in(tree: &str) -> Vec<&str> {
    crates_in(tree).into_iter().filter(|name| RUNTIMES.contains(name)).collect()
}

fn unlisted_in(tree: &str) -> Vec<&str> {
    crates_in(tree).into_iter().filter(|name| !CORE.contains(name)).collect()
}

/// The runtimes, but for what `hyper` is made of: it brings tokio's channels, which run nothing and wait for nothing
/// of the system.
fn drivers_in(tree: &str) -> Vec<&str> {
    let has_a_driver = |line: &str| {
        let features = line.split_whitespace().next_back().unwrap_or_default();
        features.split(',').any(|feature| ["rt", "rt-multi-thread", "net", "time"].contains(&feature))
    };
    let drives = |name: &&str| match *name {
        "hyper" => false,
        "tokio" => tree.lines().filter(|line| line.starts_with("tokio ")).any(has_a_driver),
        _ => true,
    };
    runtimes_in(tree).into_iter().filter(drives).collect()
}

/// Tokio, where it is more than channels, and what it waits with.
fn tokio_in(tree: &str) -> Vec<&str> {
    drivers_in(tree).into_iter().filter(|name| ["tokio", "mio"].contains(name)).collect()
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

    #[test]
    fn crate_that_is_new_below_the_core_is_found() {
        let tree = "bennu-core v0.1.0 (/x)\nbytes v1.0.0\nrand v0.9.0\n";

        assert_eq!(unlisted_in(tree), ["rand"]);
        assert!(RUNTIMES.iter().all(|name| !CORE.contains(name)));
    }

    #[test]
    fn tokio_without_a_driver_is_no_runtime() {
        let tree = "bennu v0.1.0 (/x) test\nhyper v1.0.0 http1\ntokio v1.0.0 default,sync\nmio v1.0.0 net\n";

        assert_eq!(drivers_in(tree), ["mio"]);
        assert_eq!(drivers_in("tokio v1.0.0 default,rt,sync\n"), ["tokio"]);
        assert_eq!(drivers_in("tokio v1.0.0 time\n"), ["tokio"]);
    }

    #[test]
    fn another_runtime_is_none_of_tokio_s() {
        let tree = "bennu-async-std v0.1.0 (/x)\nasync-io v2.0.0\nsmol v2.0.0\ntokio v1.0.0 default,sync\n";

        assert_eq!(tokio_in(tree), [""; 0]);
        assert_eq!(tokio_in(&tree.replace("sync", "net")), ["tokio"]);
    }
}
