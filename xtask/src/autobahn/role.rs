//! Which end of the connection the echo is; the suite is the other one.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::json;

use super::report::AGENT;
use super::runner::Runner;
use crate::process::{ServerProcess, Started};

/// How long the suite may take until it listens.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// How long all cases may take: a program that hangs would take for ever.
const PLAY_PATIENCE: Duration = Duration::from_secs(1800);

/// What the echo is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Server,
    Client,
}

impl Role {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }

    /// Plays all cases, and returns the index of the suite's reports, which it has written below `directory`.
    pub(super) fn play(self, runner: &Runner, echo: &Path, directory: &Path) -> Result<String> {
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => fs::create_dir_all(directory)?,
        }
        match self {
            Self::Server => against_client(runner, echo, directory)?,
            Self::Client => against_server(runner, echo, directory)?,
        }
        let index = directory.join("index.json");
        fs::read_to_string(&index).with_context(|| format!("the suite has not written {}", index.display()))
    }
}

fn against_client(runner: &Runner, echo: &Path, directory: &Path) -> Result<()> {
    let echo = match ServerProcess::start(echo, &["--port", "0"])? {
        Started::Listening(server) => server,
        Started::Refused => bail!("the system refuses the echo what it needs"),
        Started::Ended(status) => bail!("the echo ended before it listened: {status}"),
    };
    let spec = directory.join("spec.json");
    let url = echo.url().replacen("http", "ws", 1);
    let servers = json!([{ "agent": AGENT, "url": url }]);
    let all = json!({ "outdir": directory, "servers": servers, "cases": ["*"], "exclude-cases": [] });
    fs::write(&spec, all.to_string())?;
    let status =
        Program(logged(&mut runner.command("fuzzingclient", &spec), directory)?).wait(PLAY_PATIENCE)?;
    if !status.success() {
        bail!("the suite has failed: {status}");
    }
    Ok(())
}

fn against_server(runner: &Runner, echo: &Path, directory: &Path) -> Result<()> {
    let address = free_address()?;
    let url = format!("ws://{address}");
    let spec = directory.join("spec.json");
    let all = json!({ "outdir": directory, "url": url, "cases": ["*"], "exclude-cases": [] });
    fs::write(&spec, all.to_string())?;
    let mut suite = Program(logged(&mut runner.command("fuzzingserver", &spec), directory)?);
    suite.wait_until_it_listens(address)?;
    let status =
        Program(logged(Command::new(echo).args(["--connect", &url]), directory)?).wait(PLAY_PATIENCE)?;
    if !status.success() {
        bail!("the echo has failed: {status}");
    }
    Ok(())
}

/// A program that runs until it ends or this value is dropped.
struct Program(Child);

impl Program {
    fn wait(&mut self, patience: Duration) -> Result<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            if start.elapsed() > patience {
                bail!("the cases have not ended after {patience:?}");
            }
            thread::sleep(Duration::from_millis(100));
        }
    }

    fn wait_until_it_listens(&mut self, address: SocketAddr) -> Result<()> {
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if let Some(status) = self.0.try_wait()? {
                bail!("the suite ended before it listened: {status}");
            }
            if start.elapsed() > START_PATIENCE {
                bail!("the suite does not listen on {address} after {START_PATIENCE:?}");
            }
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program whose output goes to a file of its name.
fn logged(command: &mut Command, directory: &Path) -> Result<Child> {
    let program = Path::new(command.get_program()).to_owned();
    let name = program.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let log = File::create(directory.join(format!("{name}.log")))?;
    command
        .stderr(log.try_clone()?)
        .stdout(log)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

/// An address that nobody listens on just now: the suite cannot choose one itself.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn program_that_does_not_end_in_time_is_ended() {
        let mut program = Program(Command::new("sleep").arg("600").spawn().unwrap());

        let error = program.wait(Duration::ZERO).unwrap_err();

        assert_eq!(error.to_string(), "the cases have not ended after 0ns");
        let entry = format!("/proc/{}", program.0.id());
        let is_there = || cfg!(target_os = "linux") && Path::new(&entry).exists();
        assert_eq!(is_there(), cfg!(target_os = "linux"));
        drop(program);
        assert!(!is_there());
    }

    #[test]
    fn program_that_ends_is_waited_for() {
        let mut program = Program(Command::new("false").spawn().unwrap());

        assert_eq!(program.wait(START_PATIENCE).unwrap().code(), Some(1));
    }
}
