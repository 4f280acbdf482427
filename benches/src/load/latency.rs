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
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// A client on a topic of its own, in threads of its own: it does not wait for the load generator.
///
/// One echo is sent per millisecond, answered or not, and its time counts from when it was due: a server that stands
/// still for 20 ms is late with 20 echoes, not with one.
#[derive(Debug)]
pub(super) struct Probe {
    stop: Arc<AtomicBool>,
    sender: JoinHandle<Result<(), ClientError>>,
    receiver: JoinHandle<Result<Vec<Duration>, ClientError>>,
}

/// Half and all but a hundredth of the echoes were at most this long under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

/// When echoes are due.
#[derive(Clone, Copy, Debug)]
struct Schedule {
    start: Instant,
}

const TOPIC: &str = "latency";
const PACE: Duration = Duration::from_millis(1);
/// The number of the last echo, while it is not known.
const OPEN: u32 = u32::MAX;

impl Probe {
    /// Joins, and starts.
    ///
    /// # Errors
    /// [`ClientError`] if the server refuses.
    pub(super) fn start(server: SocketAddr) -> Result<Self, ClientError> {
        let mut streams = opening::upgrade(server, 1)?;
        opening::join(&mut streams, &[Rc::new(Session::new(TOPIC))])?;
        let mut incoming = streams.pop().ok_or(ClientError::Closed)?;
        let mut outgoing = incoming.try_clone()?;

        let stop = Arc::new(AtomicBool::new(false));
        let last = Arc::new(AtomicU32::new(OPEN));
        let schedule = Schedule { start: Instant::now() };
        let (stop_seen, last_seen) = (Arc::clone(&stop), Arc::clone(&last));
        let sender = thread::spawn(move || send(&mut outgoing, schedule, &stop_seen, &last));
        let receiver = thread::spawn(move || receive(&mut incoming, schedule, &last_seen));
        Ok(Self { stop, sender, receiver })
    }

    /// Stops once every echo is answered.
    ///
    /// # Errors
    /// What befell the client.
    pub(super) fn stop(self) -> Result<Tail, PopulationError> {
        self.stop.store(true, Ordering::Relaxed);
        self.sender.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        let times = self.receiver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        Ok(Tail::of(times).ok_or(ClientError::Silent)?)
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

impl Schedule {
    fn due(self, number: u32) -> Instant {
        self.start + PACE * number
    }
}

fn send(
    stream: &mut TcpStream,
    schedule: Schedule,
    stop: &AtomicBool,
    last: &AtomicU32,
) -> Result<(), ClientError> {
    let session = Session::new(TOPIC);
    let mut frame = Vec::new();
    for number in 0..OPEN {
        thread::sleep(schedule.due(number).saturating_duration_since(Instant::now()));
        let stopping = stop.load(Ordering::Relaxed);
        if stopping {
            // Before it is sent: who reads its answer knows that it is the last one.
            last.store(number, Ordering::Release);
        }
        frame.clear();
        session.push_echo(&mut frame, number);
        stream.write_all(&frame)?;
        if stopping {
            break;
        }
    }
    Ok(())
}

fn receive(
    stream: &mut TcpStream,
    schedule: Schedule,
    last: &AtomicU32,
) -> Result<Vec<Duration>, ClientError> {
    let session = Session::new(TOPIC);
    let mut times = Vec::new();
    let mut scratch = [0; 16 * 1024];
    let mut filled = 0;
    for expected in 0..OPEN {
        let span = loop {
            if let Some(span) = Span::of(&scratch[..filled]) {
                break span;
            }
            match stream.read(&mut scratch[filled..])? {
                0 => return Err(ClientError::Closed),
                read => filled += read,
            }
        };
        let body = span.unmask(&mut scratch);
        if session.number(body) != Some(expected) {
            return Err(ClientError::Garbled { body: String::from_utf8_lossy(body).into_owned() });
        }
        times.push(schedule.due(expected).elapsed());
        if last.load(Ordering::Acquire) == expected {
            break;
        }
        scratch.copy_within(span.end..filled, 0);
        filled -= span.end;
    }
    Ok(times)
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
