//! The crates as they will lie in the registry.

use anyhow::{Context as _, Result, bail};

use super::outcome::Outcome;
use crate::repository::{LIBRARIES, Workspace, cargo, for_libraries};

/// What a package has to hold, beside its code.
const REQUIRED: [&str; 4] = ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "src/lib.rs"];

/// What a package may hold: its code, and what cargo adds.
const ALLOWED: [&str; 5] = [".cargo_vcs_info.json", "Cargo.lock", "Cargo.toml", "Cargo.toml.orig", "src/"];

/// Looks at the files of each package, then builds the packages from their archives, each on those below it.
pub(super) fn run(_: &Workspace) -> Result<Outcome> {
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
    let status = for_libraries(cargo().args(["package", "--quiet", "--allow-dirty", "--all-features"]))
        .status()
        .context("cannot run cargo")?;
    let detail = counts.join(", ");
    println!("{detail}");
    Ok(Outcome::of(status, detail))
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
