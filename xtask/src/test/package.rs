//! The crates as they will lie in the registry.

use std::fs;
use std::process::{Command, ExitStatus};

use anyhow::{Context as _, Result, bail};

use super::outcome::Outcome;
use crate::repository::{LIBRARIES, Workspace, cargo, for_libraries, path};

/// What a package has to hold, beside its code.
const REQUIRED: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

/// What a package may hold: its code, and what cargo adds.
const ALLOWED: [&str; 5] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "src/"];

/// Looks at the files of each package, then builds all of them from their archives.
pub(super) fn run(workspace: &Workspace) -> Result<Outcome> {
    let mut counts = Vec::new();
    for library in LIBRARIES {
        let output = cargo()
            .args(["package", "--list", "--allow-dirty", "--package", library])
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo package --list failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        let list = String::from_utf8_lossy(&output.stdout);
        let faults = faults(&list);
        if !faults.is_empty() {
            return Ok(Outcome::failed(format!("{library}: {}", faults.join(", "))));
        }
        counts.push(format!("{library} {} files", list.lines().count()));
    }
    let mut package = cargo();
    package.args(["package", "--quiet", "--allow-dirty", "--no-verify"]);
    if !for_libraries(&mut package).status().context("cannot run cargo")?.success() {
        return Ok(Outcome::failed("cannot be packaged"));
    }
    let status = build(workspace)?;
    let detail = counts.join(", ");
    println!("{detail}");
    Ok(Outcome::of(status, detail))
}

/// Unpacks the archives side by side, and builds each on the others. Cargo's own verification would take a
/// package of the same version from its cache, as it was before the last change.
fn build(workspace: &Workspace) -> Result<ExitStatus> {
    let packages = workspace.scratch("package");
    let unpacked = packages.join("unpacked");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked).context("cannot remove what was unpacked last")?;
    }
    fs::create_dir_all(&unpacked)?;
    let version = workspace.version();
    let mut manifest =
        String::from("[workspace]\nresolver = \"3\"\nmembers = [\"*-*\"]\n\n[patch.crates-io]\n");
    for library in LIBRARIES {
        let name = format!("{library}-{version}");
        // With the time of now on all files, or cargo would not see that they have changed.
        let status = Command::new("tar")
            .arg("-xmf")
            .arg(packages.join(format!("{name}.crate")))
            .current_dir(&unpacked)
            .status()
            .context("cannot run tar")?;
        if !status.success() {
            bail!("tar cannot unpack {name}.crate");
        }
        manifest.push_str(&format!("{library} = {{ path = \"{name}\" }}\n"));
    }
    fs::write(unpacked.join("Cargo.toml"), manifest)?;
    fs::copy(path("Cargo.lock"), unpacked.join("Cargo.lock"))?;
    // In the usual place, where the dependencies are built already.
    cargo()
        .args(["check", "--quiet", "--workspace", "--all-features"])
        .current_dir(&unpacked)
        .env("CARGO_TARGET_DIR", workspace.scratch(""))
        .status()
        .context("cannot run cargo")
}

/// What is missing in a list of files, and what should not be there.
fn faults(list: &str) -> Vec<String> {
    let missing = REQUIRED
        .into_iter()
        .filter(|required| list.lines().all(|file| file != *required))
        .map(|file| format!("{file} is missing"));
    let is_expected =
        |file: &&str| REQUIRED.contains(file) || ALLOWED.iter().any(|allowed| file.starts_with(allowed));
    let surplus = list.lines().filter(|file| !is_expected(file)).map(|file| format!("{file} is in it"));
    missing.chain(surplus).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_without_a_licence_or_with_tests_is_faulty() {
        let whole = "Cargo.lock\nCargo.toml\nLICENSE-APACHE\nLICENSE-MIT\nREADME.md\nsrc/lib.rs\n";
        let wrong = "Cargo.toml\nLICENSE-APACHE\nREADME.md\nsrc/lib.rs\ntests/it/main.rs\n";

        assert_eq!(faults(whole), [""; 0]);
        assert_eq!(faults(wrong), ["LICENSE-MIT is missing", "tests/it/main.rs is in it"]);
    }
}
