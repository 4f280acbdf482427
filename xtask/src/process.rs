//! Programs that are run, and servers that are started and always stopped.

use std::io::{BufRead as _, BufReader, ErrorKind};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a server may take until it says where it listens.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// With which a program says that the system refuses it what it is made for. The same number stands in
/// `examples/io_uring/src/main.rs` and `benches/src/load/server_process.rs`.
const UNAVAILABLE: i32 = 69;

/// A server that runs until this value is dropped, or the server ends by itself.
#[derive(Debug)]
pub(crate) struct ServerProcess {
    child: Child,
    url: String,
}

/// How a start went.
#[derive(Debug)]
pub(crate) enum Started {
    Listening(ServerProcess),
    /// The system refuses it what it is made for: so it has said itself.
    Refused,
    /// It ended before it listened, and has said why on its standard error.
    Ended(ExitStatus),
}

impl ServerProcess {
    /// Starts a server, and waits for the line that holds its URL. What it prints goes through.
    pub(crate) fn start(program: &Path, arguments: &[&str]) -> Result<Started> {
        let mut child = Command::new(program)
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let stdout = child.stdout.take().expect("the output is piped");
        let mut server = Self { child, url: String::new() };

        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                println!("{line}");
                // Nobody listens once the URL is known, and the lines still have to be read.
                let _ = sender.send(line);
            }
        });
        let deadline = Instant::now() + START_PATIENCE;
        loop {
            match lines.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    if let Some(url) = url_in(&line) {
                        server.url = url.to_owned();
                        return Ok(Started::Listening(server));
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(Started::ended(server.child.wait()?)),
                Err(RecvTimeoutError::Timeout) => {
                    bail!("{} did not say within {START_PATIENCE:?} where it listens", program.display())
                }
            }
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Started {
    fn ended(status: ExitStatus) -> Self {
        if status.code() == Some(UNAVAILABLE) { Self::Refused } else { Self::Ended(status) }
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Both fail only if it has ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a program did that was run to its end, its standard output printed through and read.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: ExitStatus,
    pub(crate) lines: Vec<String>,
}

/// Runs a program to its end.
pub(crate) fn run(command: &mut Command) -> Result<Run> {
    let name = command.get_program().to_string_lossy().into_owned();
    let cannot = || format!("cannot run {name}");
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(cannot)?;
    let stdout = child.stdout.take().expect("the output is piped");
    let mut lines = Vec::new();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line.with_context(cannot)?).into_owned();
        println!("{line}");
        lines.push(line);
    }
    Ok(Run { status: child.wait()?, lines })
}

/// Runs a program in the place of this one, so that nothing stands between it and who started it.
pub(crate) fn become_program(command: &mut Command) -> Result<ExitCode> {
    let name = command.get_program().to_string_lossy().into_owned();
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;

        // Returns only if the program could not be started.
        Err(anyhow::Error::new(command.exec()).context(format!("cannot run {name}")))
    }
    #[cfg(not(unix))]
    {
        let status = command.status().with_context(|| format!("cannot run {name}"))?;
        Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// Whether a program can be started at all.
pub(crate) fn is_installed(program: &str) -> bool {
    let started = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    !matches!(started, Err(error) if error.kind() == ErrorKind::NotFound)
}

/// Installs the packages that a lock file names.
pub(crate) fn npm_ci(directory: &Path) -> Result<()> {
    for (program, what) in [("node", "Node.js"), ("npm", "npm, which comes with Node.js,")] {
        if !is_installed(program) {
            bail!("{program} is not installed: {what} is needed in {}", directory.display());
        }
    }
    let status = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund"])
        .current_dir(directory)
        .status()
        .context("cannot run npm")?;
    if !status.success() {
        bail!("npm ci failed in {}", directory.display());
    }
    Ok(())
}

fn url_in(line: &str) -> Option<&str> {
    let start = line.find("http://")?;
    let url = line[start..].split(|c: char| c.is_whitespace() || matches!(c, '"' | ',' | ')')).next()?;
    Some(url.trim_end_matches(['/', '.']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_found_within_a_line() {
        assert_eq!(
            url_in("listening on http://127.0.0.1:4100/ (ctrl-c stops)"),
            Some("http://127.0.0.1:4100")
        );
        assert_eq!(url_in("http://127.0.0.1:1"), Some("http://127.0.0.1:1"));
        assert_eq!(url_in("starting"), None);
    }

    #[test]
    fn server_that_ends_early_is_reported_with_its_status() {
        let started = ServerProcess::start(Path::new("sh"), &["-c", "echo starting; exit 3"]).unwrap();

        let Started::Ended(status) = started else { panic!("it said nothing of a URL") };
        assert_eq!(status.code(), Some(3));
    }

    #[test]
    fn server_that_the_system_refuses_what_it_needs_has_not_failed() {
        let started = ServerProcess::start(Path::new("sh"), &["-c", "exit 69"]).unwrap();

        assert!(matches!(started, Started::Refused), "{started:?}");
    }

    #[test]
    fn server_is_stopped_when_it_is_dropped() {
        let script = "echo http://127.0.0.1:1; exec sleep 600";
        let Started::Listening(server) = ServerProcess::start(Path::new("sh"), &["-c", script]).unwrap()
        else {
            panic!("it has said where it listens");
        };
        assert_eq!(server.url(), "http://127.0.0.1:1");
        let process = Path::new("/proc").join(server.child.id().to_string());
        let existed = process.exists();

        drop(server);

        assert!(existed || !Path::new("/proc/self").exists());
        assert!(!process.exists());
    }
}
