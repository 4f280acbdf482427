//! The suite's program, `wstest`: where it is, or how it comes here.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::process::is_installed;
use crate::repository::Workspace;

/// What is installed: the last of the suite, and the last tool that makes environments for its Python.
const SUITE: &str = "autobahntestsuite==25.10.1";
const VIRTUALENV: &str = "virtualenv==16.7.12";

/// The suite is written in Python 2; with PyPy, it is several times as fast.
const PYTHONS: [&str; 3] = ["pypy", "python2.7", "python2"];

/// `wstest`, ready to be run.
#[derive(Debug)]
pub(crate) struct Runner {
    program: PathBuf,
}

impl Runner {
    /// Looks where the variable WSTEST points, then where [`Runner::install`] puts it, then along the PATH.
    ///
    /// # Errors
    /// If WSTEST names no file: somebody wants that one, and no other.
    pub(crate) fn find(workspace: &Workspace) -> Result<Option<Self>> {
        Self::among(env::var_os("WSTEST").map(PathBuf::from), environment(workspace).join("bin/wstest"))
    }

    fn among(named: Option<PathBuf>, own: PathBuf) -> Result<Option<Self>> {
        let program = match named {
            Some(named) if named.is_file() => Some(named),
            Some(named) => bail!("WSTEST names no file: {}", named.display()),
            None if own.is_file() => Some(own),
            None => is_installed("wstest").then(|| "wstest".into()),
        };
        Ok(program.map(|program| Self { program }))
    }

    /// Installs the suite below the target directory.
    pub(crate) fn install(workspace: &Workspace) -> Result<Self> {
        let Some(python) = PYTHONS.into_iter().find(|python| runs(python)) else {
            bail!("wstest is not installed, nor is any of {} to install it with", PYTHONS.join(", "));
        };
        let environment = environment(workspace);
        let tool = workspace.scratch("autobahn-setup");
        println!("installing {SUITE} below {}", environment.display());
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        succeed(Command::new(python).args(pip).arg("--target").arg(&tool).arg(VIRTUALENV))?;
        let make = ["-m", "virtualenv", "--quiet"];
        succeed(Command::new(python).args(make).arg(&environment).env("PYTHONPATH", &tool))?;
        succeed(Command::new(environment.join("bin/python")).args(pip).arg(SUITE))?;
        Ok(Self { program: environment.join("bin/wstest") })
    }

    /// The program in one of its modes, with its specification.
    pub(super) fn command(&self, mode: &str, spec: &Path) -> Command {
        let mut command = Command::new(&self.program);
        // Neither mode has a web server of its own; Python would buffer what it prints.
        command.args(["--webport", "0", "--mode", mode, "--spec"]).arg(spec).env("PYTHONUNBUFFERED", "1");
        command.stdin(Stdio::null());
        command
    }
}

/// Whether a Python can be started: a shim of a version manager may be there and have nothing behind it.
fn runs(python: &str) -> bool {
    let output = Command::new(python).arg("--version").output();
    output.is_ok_and(|output| output.status.success())
}

fn environment(workspace: &Workspace) -> PathBuf {
    workspace.scratch("autobahn")
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {name}"))?;
    if !status.success() {
        bail!("{name} could not install the suite: {status}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suite_that_is_named_is_taken_or_nothing_at_all() {
        let file = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));

        let named = Runner::among(Some(file.clone()), "/nowhere".into()).unwrap().unwrap();
        assert_eq!(named.program, file);
        let error = Runner::among(Some("/nowhere/wstest".into()), file).unwrap_err();
        assert_eq!(error.to_string(), "WSTEST names no file: /nowhere/wstest");
    }
}
