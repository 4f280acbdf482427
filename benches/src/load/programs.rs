//! Where the programs under test are, and that they are not stale.

use super::server_process::ServerCommand;
use crate::floor::Writes;
use std::env;
use std::ffi::OsString;
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
    /// It is not beside this program.
    #[error("{} is missing: build {package} first", path.display())]
    Missing {
        /// The cargo package.
        package: &'static str,
        /// Where it should be.
        path: PathBuf,
    },
}

/// The floor.
pub(super) fn floor(writes: Writes) -> Result<ServerCommand, ProgramError> {
    let (name, mode) = match writes {
        Writes::Direct => ("floor, direct", "--direct"),
        Writes::Coalesced => ("floor, coalesced", "--coalesce"),
    };
    command(name, "bennu-benches", "floor", &["--port", "{port}", mode])
}

/// Bennu's conformance app.
pub(super) fn bennu() -> Result<ServerCommand, ProgramError> {
    command("bennu", "conformance", "conformance", &["--port", "{port}"])
}

/// The core in an event loop of its own, in one thread as the floor is.
pub(super) fn mio() -> Result<ServerCommand, ProgramError> {
    command("mio", "mio-example", "mio-example", &["--port", "{port}"])
}

/// The same on io_uring.
pub(super) fn io_uring() -> Result<ServerCommand, ProgramError> {
    command("io_uring", "io-uring-example", "io-uring-example", &["--port", "{port}"])
}

/// Bennu over TLS.
pub(super) fn secure() -> Result<ServerCommand, ProgramError> {
    command("bennu, TLS", "bennu-benches", "secure", &["--port", "{port}"])
}

/// Where reports are kept unless another place is asked for: `target/bench`, as this program lies in `target/release`.
pub(super) fn report_directory() -> Result<PathBuf, ProgramError> {
    let own = env::current_exe().map_err(|source| ProgramError::Io { package: "bennu-benches", source })?;
    Ok(own.parent().and_then(Path::parent).map_or_else(|| "bench".into(), |target| target.join("bench")))
}

fn command(
    name: &str,
    package: &'static str,
    binary: &str,
    arguments: &[&str],
) -> Result<ServerCommand, ProgramError> {
    let path = beside_this(package, binary)?;
    let words =
        [path.to_string_lossy().as_ref()].iter().chain(arguments).map(|&word| word.to_owned()).collect();
    Ok(ServerCommand { name: name.to_owned(), words })
}

/// The program of that name in this program's directory. Under `cargo run` it is built first: a figure of yesterday's
/// server is worse than none.
fn beside_this(package: &'static str, binary: &str) -> Result<PathBuf, ProgramError> {
    let failed = |source| ProgramError::Io { package, source };
    let path = env::current_exe().map_err(failed)?.with_file_name(binary);
    if let Some(cargo) = env::var_os("CARGO")
        && !build(&cargo, package, binary, &path).map_err(failed)?
    {
        return Err(ProgramError::Build { package });
    }
    if !path.exists() {
        return Err(ProgramError::Missing { package, path });
    }
    Ok(path)
}

/// Whether cargo has built it, in the profile that this program was built in.
fn build(cargo: &OsString, package: &str, binary: &str, path: &Path) -> io::Result<bool> {
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--package", package, "--bin", binary]);
    if path.parent().is_some_and(|directory| directory.ends_with("release")) {
        build.arg("--release");
    }
    Ok(build.status()?.success())
}
