//! How long an echo takes for somebody who has nothing to do with the load.

use super::client::ClientError;
use super::opening;
use super::population::PopulationError;
use super::session::Session;
use crate::websocket::Span;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A client on a topic of its own, with one echo after the other, in a thread of its own: it does not wait for the
/// load generator, only for the server.
#[derive(Debug)]
pub(super) struct Probe {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Vec<Duration>, ClientError>>,
}

/// Half and all but a hundredth of the echoes were at most this long under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Probe {
    /// Joins, and starts.
    ///
    /// # Errors
    /// [`ClientError`] if the server refuses.
    pub(super) fn start(server: SocketAddr) -> Result<Self, ClientError> {
        let mut streams = opening::upgrade(server, 1)?;
        opening::join(&mut streams, &[Rc::new(Session::new(TOPIC))])?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            let mut times = Vec::new();
            let session = Session::new(TOPIC);
            for stream in &mut streams {
                while !seen.load(Ordering::Relaxed) {
                    times.push(echo(stream, &session, u32::try_from(times.len()).unwrap_or(u32::MAX))?);
                }
            }
            Ok(times)
        });
        Ok(Self { stop, thread })
    }

    /// Stops after the echo that is under way.
    ///
    /// # Errors
    /// [`PopulationError::Late`] if there was none, or what befell the client.
    pub(super) fn stop(self) -> Result<Tail, PopulationError> {
        self.stop.store(true, Ordering::Relaxed);
        let times = self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Tail::of(times).ok_or(PopulationError::Late { found: 0, wanted: 1 })
    }
}

impl Tail {
    fn of(mut times: Vec<Duration>) -> Option<Self> {
        times.sort();
        let at =
            |hundredths: usize| times.get((times.len() * hundredths).div_ceil(100).checked_sub(1)?).copied();
        Some(Self { p50: at(50)?, p99: at(99)? })
    }
}

const TOPIC: &str = "latency";

fn echo(stream: &mut TcpStream, session: &Session, number: u32) -> Result<Duration, ClientError> {
    let mut frame = Vec::new();
    session.push_echo(&mut frame, number);
    let start = Instant::now();
    stream.write_all(&frame)?;

    let mut scratch = [0; 1024];
    let mut filled = 0;
    let span = loop {
        match stream.read(&mut scratch[filled..])? {
            0 => return Err(ClientError::Closed),
            read => filled += read,
        }
        if let Some(span) = Span::of(&scratch[..filled]) {
            break span;
        }
    };
    let time = start.elapsed();
    let body = span.unmask(&mut scratch);
    match session.number(body) {
        Some(found) if found == number => Ok(time),
        _ => Err(ClientError::Garbled { body: String::from_utf8_lossy(body).into_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_a_hundred_may_be_slower_than_p99() {
        let times = (1..=100).rev().map(Duration::from_millis).collect();

        let tail = Tail::of(times).unwrap();

        assert_eq!(tail, Tail { p50: Duration::from_millis(50), p99: Duration::from_millis(99) });
    }

    #[test]
    fn no_echo_has_no_tail() {
        assert_eq!(Tail::of(Vec::new()), None);
    }
}
