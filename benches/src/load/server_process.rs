//! A server as a child process: started on a free port, killed when dropped.

use super::usage::{self, Memory};
use std::env;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroUsize;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// What a server is called in the table, and how it is started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerCommand {
    pub(super) name: String,
    /// Program and arguments; `{port}` in any of them is replaced.
    pub(super) words: Vec<String>,
}

/// Why a server does not run.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("cannot start `{program}`")]
    Spawn { program: String, source: io::Error },
    #[error("no free port")]
    Port(#[source] io::Error),
    #[error("{name} ended before it listened: {status}")]
    Ended { name: String, status: ExitStatus },
    #[error("{name} does not listen on port {port} after {} s", START_LIMIT.as_secs())]
    Silent { name: String, port: u16 },
}

/// A running server.
#[derive(Debug)]
pub(super) struct ServerProcess {
    child: Child,
    port: u16,
}

/// What the runtimes read how many workers they are to have from. Left alone, smol would take one, the others one for each
/// core.
const WORKERS: [&str; 3] = ["TOKIO_WORKER_THREADS", "ASYNC_STD_THREAD_COUNT", "SMOL_THREADS"];

const START_LIMIT: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(5);

/// With which a server says that the system refuses it what it is made for. The same number stands in
/// `examples/io_uring/src/main.rs` and `xtask/src/process.rs`.
const UNAVAILABLE: i32 = 69;

impl ServerCommand {
    /// A command as on a shell's line, split at spaces.
    pub(super) fn parse(name: &str, line: &str) -> Self {
        Self { name: name.to_owned(), words: line.split_whitespace().map(str::to_owned).collect() }
    }

    /// Whether the system refuses it what it is made for, as it says itself when it is started.
    pub(super) fn is_refused(&self) -> bool {
        matches!(self.start(), Err(StartError::Ended { status, .. }) if status.code() == Some(UNAVAILABLE))
    }

    /// Starts it and returns once it accepts connections.
    ///
    /// # Errors
    /// [`StartError`] if it does not within 20 s.
    pub(super) fn start(&self) -> Result<ServerProcess, StartError> {
        let port = free_port().map_err(StartError::Port)?;
        let mut words = self.words.iter().map(|word| word.replace("{port}", &port.to_string()));
        let program = words.next().unwrap_or_default();
        let child = Command::new(&program)
            .args(words)
            .envs(WORKERS.map(|variable| (variable, workers().to_string())))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| StartError::Spawn { program, source })?;
        let mut process = ServerProcess { child, port };
        process.wait_until_it_listens(&self.name)?;
        Ok(process)
    }
}

impl ServerProcess {
    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// CPU time that it has used since it started.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub(super) fn cpu(&self) -> io::Result<Duration> {
        usage::cpu(self.child.id())
    }

    /// Memory that it holds now.
    ///
    /// # Errors
    /// Those of reading `/proc`.
    pub(super) fn memory(&self) -> io::Result<Memory> {
        Memory::of(self.child.id())
    }

    fn wait_until_it_listens(&mut self, name: &str) -> Result<(), StartError> {
        let deadline = Instant::now() + START_LIMIT;
        while !is_listened_on(self.port) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(StartError::Ended { name: name.to_owned(), status });
            }
            if Instant::now() > deadline {
                return Err(StartError::Silent { name: name.to_owned(), port: self.port });
            }
            thread::sleep(POLL);
        }
        Ok(())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // It has ended by itself, or it ends now; there is nobody to tell about a third case.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many workers each runtime gets: as many as tokio would take, one for each core unless its variable says otherwise.
pub(super) fn workers() -> usize {
    let asked = env::var(WORKERS[0]).ok().and_then(|text| text.parse().ok());
    asked.unwrap_or_else(|| thread::available_parallelism().map_or(1, NonZeroUsize::get))
}

/// A port that nobody had a moment ago.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// Whether some socket listens on `port`. To connect and see would disturb: on a port that nobody listens on, a socket
/// can even connect to itself.
fn is_listened_on(port: u16) -> bool {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| fs::read_to_string(path).unwrap_or_default());
    tables.iter().flat_map(|table| table.lines()).any(|line| is_listener(line, port))
}

/// Shape: `   0: 0100007F:1F90 00000000:0000 0A …`.
fn is_listener(line: &str, port: u16) -> bool {
    const LISTEN: &str = "0A";

    let mut words = line.split_ascii_whitespace().skip(1);
    let local = words.next().and_then(|address| address.rsplit_once(':'));
    let state = words.nth(1);
    state == Some(LISTEN) && local.and_then(|(_, hex)| u16::from_str_radix(hex, 16).ok()) == Some(port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_listened_on_while_its_socket_lives() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(is_listened_on(port));
    }

    #[test]
    fn listener_is_told_from_a_connection_and_from_other_ports() {
        let listener = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000";
        let connection = "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000";

        assert!(is_listener(listener, 0x1f90));
        assert!(!is_listener(listener, 0x1f91));
        assert!(!is_listener(connection, 0x1f90));
    }

    #[test]
    fn command_that_ends_is_told_from_one_that_is_silent() {
        let error = ServerCommand::parse("liar", "true {port}").start().unwrap_err();

        assert!(matches!(error, StartError::Ended { .. }), "{error}");
    }

    #[test]
    fn all_runtimes_are_told_the_same_number_of_workers() {
        let script = "test $TOKIO_WORKER_THREADS -gt 0 -a $TOKIO_WORKER_THREADS = $SMOL_THREADS -a $SMOL_THREADS = $ASYNC_STD_THREAD_COUNT";
        let words = ["sh", "-c", script].map(str::to_owned).into();

        let error = ServerCommand { name: "sh".to_owned(), words }.start().unwrap_err();

        assert!(matches!(error, StartError::Ended { status, .. } if status.success()), "{error}");
    }

    #[test]
    fn program_that_does_not_exist_is_named() {
        let error = ServerCommand::parse("none", "/no/such/program").start().unwrap_err();

        assert_eq!(error.to_string(), "cannot start `/no/such/program`");
    }
}
