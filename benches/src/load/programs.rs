//! Where the programs under test are, and that they are not stale.

use super::server_process::ServerCommand;
use crate::floor::Writes;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Why a program cannot be tested.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// Cargo could not be run, or this program's own path is not known.
    #[error("cannot find or build {package}")]
    Io {
        /// The cargo package.
        package: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It does not compile, or there is no such package.
    #[error("cargo could not build {package}")]
    Build {
        /// The cargo package.
        package: &'static str,
    },
    /// It is not beside this program, which does not run under cargo.
    #[error("{} is missing: `cargo xtask bench` builds it", path.display())]
    Missing {
        /// The cargo package.
        package: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
}

/// The package of this program, of the floor, and of the server for TLS.
pub(super) const OWN: &str = "bennu-benches";

/// The floor.
pub(super) fn floor(writes: Writes) -> Result<ServerCommand, ProgramError> {
    let (name, mode) = match writes {
        Writes::Direct => ("floor, direct", "--direct"),
        Writes::Coalesced => ("floor, coalesced", "--coalesce"),
    };
    command(name, OWN, "floor", &["--port", "{port}", mode])
}

/// Where reports are kept unless another place is asked for: `target/bench`, as this program lies in `target/release`.
pub(super) fn report_directory() -> Result<PathBuf, ProgramError> {
    let own = env::current_exe().map_err(|source| ProgramError::Io { package: OWN, source })?;
    Ok(own.parent().and_then(Path::parent).map_or_else(|| "bench".into(), |target| target.join("bench")))
}

/// The program of a package, called `name` in the table.
pub(super) fn command(
    name: &str,
    package: &'static str,
    binary: &str,
    arguments: &[&str],
) -> Result<ServerCommand, ProgramError> {
    let path = beside_this(package, binary)?;
    build(package, binary, &path, &[])?;
    present(package, path).map(|path| server(name, &path, arguments))
}

/// The same of a package whose features choose what it runs on. Each build takes the place of the one before, so each is
/// kept under a name of its own.
pub(super) fn on_runtime(
    name: &str,
    package: &'static str,
    runtime: &str,
    arguments: &[&str],
) -> Result<ServerCommand, ProgramError> {
    let path = beside_this(package, package)?;
    let kept = path.with_file_name(format!("{package}-{runtime}"));
    if build(package, package, &path, &["--no-default-features", "--features", runtime])? == Built::Now {
        keep(&path, &kept).map_err(|source| ProgramError::Io { package, source })?;
    }
    present(package, kept).map(|kept| server(name, &kept, arguments))
}

/// Whether a program is known to be that of the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Built {
    Now,
    /// There is no cargo to do it with.
    Before,
}

fn server(name: &str, path: &Path, arguments: &[&str]) -> ServerCommand {
    let program = path.to_string_lossy();
    let words = [&*program].into_iter().chain(arguments.iter().copied()).map(str::to_owned);
    ServerCommand { name: name.to_owned(), words: words.collect() }
}

/// Where the program of that name is, or will be: in this program's directory.
fn beside_this(package: &'static str, binary: &str) -> Result<PathBuf, ProgramError> {
    let own = env::current_exe().map_err(|source| ProgramError::Io { package, source })?;
    Ok(own.with_file_name(binary))
}

/// Builds a program if this one runs under `cargo run`, in the profile that this one was built in: a figure of yesterday's
/// server is worse than none.
fn build(package: &'static str, binary: &str, path: &Path, features: &[&str]) -> Result<Built, ProgramError> {
    let Some(cargo) = env::var_os("CARGO") else { return Ok(Built::Before) };
    let mut build = Command::new(cargo);
    build.args(["build", "--package", package, "--bin", binary]).args(features);
    if path.parent().is_some_and(|directory| directory.ends_with("release")) {
        build.arg("--release");
    }
    // What cargo has told this program about its package would make build scripts that look at it run again, as in
    // `xtask/src/repository.rs`.
    for (name, _) in env::vars_os() {
        if ["CARGO_MANIFEST_", "CARGO_PKG_"].iter().any(|start| name.to_string_lossy().starts_with(start)) {
            build.env_remove(name);
        }
    }
    match build.status() {
        Ok(status) if status.success() => Ok(Built::Now),
        Ok(_) => Err(ProgramError::Build { package }),
        Err(source) => Err(ProgramError::Io { package, source }),
    }
}

/// Copies a program. The old copy is not written over: it may be running.
fn keep(path: &Path, copy: &Path) -> io::Result<()> {
    match fs::remove_file(copy) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    fs::copy(path, copy).map(drop)
}

fn present(package: &'static str, path: PathBuf) -> Result<PathBuf, ProgramError> {
    if path.exists() { Ok(path) } else { Err(ProgramError::Missing { package, path }) }
}
