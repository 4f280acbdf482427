//! The libraries on the oldest dependencies that their manifests allow.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::outcome::Outcome;
use super::toolchains::Toolchain;
use super::unit::Counts;
use crate::process;
use crate::repository::{Workspace, cargo, for_libraries, path};

/// Resolves a copy of the repository to the lower bounds of its direct dependencies, and tests it there: only
/// nightly's cargo can choose them so, but it is the compiler at hand that builds.
pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    let Some(nightly) = Toolchain::find("nightly") else {
        return Ok(Outcome::skipped("nightly is not installed"));
    };
    let scratch = workspace.scratch("minimal-versions");
    let copy = scratch.join("repository");
    copy_repository(&copy)?;
    let mut update = nightly.cargo();
    update.current_dir(&copy).args(["update", "--quiet", "-Z", "direct-minimal-versions"]);
    if !update.status().context("cannot run rustup")?.success() {
        return Ok(Outcome::failed("no versions can be chosen"));
    }
    let mut test = cargo();
    test.current_dir(&copy).args(["test", "--quiet", "--lib", "--tests", "--all-features"]);
    // Built from nothing, as it shares no dependency with the usual build; so at least without what debuggers read.
    test.env("CARGO_TARGET_DIR", scratch.join("target")).env("CARGO_PROFILE_DEV_DEBUG", "0");
    let run = process::run(for_libraries(&mut test))?;
    let counts = Counts::of(&run.lines);
    println!("{counts}");
    Ok(Outcome::of(run.status, counts.to_string()))
}

/// Copies all files but those that git ignores, and the lock file, which is to be written anew.
fn copy_repository(to: &Path) -> Result<()> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(path(""))
        .output()
        .context("cannot run git")?;
    if !output.status.success() {
        bail!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    if to.exists() {
        fs::remove_dir_all(to).context("cannot remove the last copy")?;
    }
    let files = String::from_utf8_lossy(&output.stdout);
    for file in files.split_terminator('\0').filter(|file| *file != "Cargo.lock") {
        let (from, to) = (path(file), to.join(file));
        // Deleted, and git has not been told yet.
        if !from.is_file() {
            continue;
        }
        let directory = to.parent().expect("a file lies in a directory");
        fs::create_dir_all(directory)?;
        fs::copy(&from, &to).with_context(|| format!("cannot copy {}", from.display()))?;
    }
    Ok(())
}
