//! What the crates below are allowed to be: `.deny.toml` says it, cargo-deny looks.

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::process::is_installed;
use crate::repository::{Workspace, cargo};

pub(super) fn run(_: &Workspace) -> Result<Outcome> {
    if !is_installed("cargo-deny") {
        return Ok(Outcome::skipped("cargo-deny is not installed"));
    }
    let status = cargo()
        .args(["deny", "check", "bans", "licenses", "sources"])
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        return Ok(Outcome::of(status, ""));
    }
    // Apart, since these alone need the network.
    let output = cargo().args(["deny", "check", "advisories"]).output().context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let detail = if output.status.success() {
        "bans, licences, sources, advisories"
    } else if lacks_advisories(&said) {
        "bans, licences, sources; advisories skipped: their database cannot be fetched"
    } else {
        eprint!("{said}");
        return Ok(Outcome::failed("advisories"));
    };
    println!("{detail}");
    Ok(Outcome::passed(detail))
}

fn lacks_advisories(said: &str) -> bool {
    said.contains("failed to fetch advisory database")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_advisory_database_out_of_reach_is_forgiven() {
        let offline =
            "2026-01-01 00:00:00 [ERROR] failed to fetch advisory database https://example.org/db with cli";

        assert!(lacks_advisories(offline));
        assert!(!lacks_advisories("error[vulnerability]: a panic\nadvisories FAILED"));
    }
}
