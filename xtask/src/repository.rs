//! Where things are in this repository.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

/// The crates that are published, each behind those that it depends on.
pub(crate) const LIBRARIES: [&str; 4] = ["bennu-core", "bennu", "bennu-tokio", "bennu-async-std"];

/// A path below the root of the repository.
pub(crate) fn path(below: &str) -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().expect("xtask lies in the repository").join(below)
}

/// Every directory of scenarios that Bennu is held to.
pub(crate) fn scenarios() -> Vec<PathBuf> {
    vec![path("conformance/scenarios"), path("conformance/bennu")]
}

/// The cargo that runs this program, in the root of the repository.
pub(crate) fn cargo() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(path(""));
    for name in told_by_cargo() {
        command.env_remove(name);
    }
    command
}

/// What cargo has told this program about its package. Build scripts that look at such variables would run again, and
/// what depends on them be compiled again, whenever another program or a shell runs cargo. `benches/src/load/programs.rs` has to
/// leave out the same.
fn told_by_cargo() -> impl Iterator<Item = String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| name.starts_with(start)))
}

/// Lets a cargo command see the published crates alone.
pub(crate) fn for_libraries(command: &mut Command) -> &mut Command {
    command.args(LIBRARIES.into_iter().flat_map(|library| ["--package", library]))
}

/// What cargo knows about the workspace.
#[derive(Debug, Deserialize)]
pub(crate) struct Workspace {
    packages: Vec<Package>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    version: String,
    rust_version: Option<String>,
}

/// How a binary is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// Quickly, with its assertions.
    Debug,
    Release,
}

/// What an example runs on: a feature of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runtime {
    Tokio,
    AsyncStd,
    Smol,
}

impl Runtime {
    /// The one that others are held against comes first.
    pub(crate) const ALL: [Self; 3] = [Self::Tokio, Self::AsyncStd, Self::Smol];

    /// What it is called, by its feature as well.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Tokio => "tokio",
            Self::AsyncStd => "async-std",
            Self::Smol => "smol",
        }
    }

    /// What chooses it for a build.
    pub(crate) fn arguments(self) -> [&'static str; 3] {
        ["--no-default-features", "--features", self.name()]
    }
}

impl Workspace {
    pub(crate) fn read() -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .output()
            .context("cannot run cargo")?;
        if !output.status.success() {
            bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim());
        }
        serde_json::from_slice(&output.stdout).context("cannot read the output of cargo metadata")
    }

    pub(crate) fn has(&self, package: &str) -> bool {
        self.packages.iter().any(|found| found.name == package)
    }

    /// The version that all crates carry.
    pub(crate) fn version(&self) -> &str {
        self.packages.first().map_or("", |package| &package.version)
    }

    /// The oldest Rust that the crates promise to build with, such as `1.88`: one for all of them.
    pub(crate) fn rust_version(&self) -> Option<&str> {
        self.packages.iter().find_map(|package| package.rust_version.as_deref())
    }

    /// A directory that is kept from run to run, and that git ignores.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.target_directory.join(name)
    }

    /// Where cargo puts what it builds, and others what they find.
    pub(crate) fn target_directory(&self) -> &Path {
        &self.target_directory
    }

    /// Builds the binary of a package that has the same name, and returns where it lies.
    pub(crate) fn build(&self, package: &str, build: Build) -> Result<PathBuf> {
        self.build_with(package, build, &[])
    }

    /// The same for an example that can do with any runtime. The next build for another one takes its place.
    pub(crate) fn build_on(&self, runtime: Runtime, package: &str, build: Build) -> Result<PathBuf> {
        self.build_with(package, build, &runtime.arguments())
    }

    fn build_with(&self, package: &str, build: Build, arguments: &[&str]) -> Result<PathBuf> {
        let mut command = cargo();
        command.args(["build", "--package", package, "--bin", package]).args(arguments);
        let directory = match build {
            Build::Debug => "debug",
            Build::Release => {
                command.arg("--release");
                "release"
            }
        };
        let status = command.status().context("cannot run cargo")?;
        if !status.success() {
            bail!("cannot build {package}");
        }
        let binary = format!("{package}{}", std::env::consts::EXE_SUFFIX);
        Ok(self.target_directory.join(directory).join(binary))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_of_the_package_that_runs_it() {
        let command = cargo();
        let removed: Vec<_> =
            command.get_envs().filter(|(_, value)| value.is_none()).map(|(name, _)| name).collect();

        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        assert!(["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR"].iter().all(|name| removed.contains(&name.as_ref())));
    }
}
