//! A TCP stream that is read up to a deadline.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use socket2::SockRef;

use super::failure::Failure;
use super::server::Server;

/// A stream and the bytes that were read from it and not yet used.
#[derive(Debug)]
pub(crate) struct Stream {
    stream: TcpStream,
    pub(crate) unread: Vec<u8>,
}

/// What reading brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Read {
    More,
    TimedOut,
    /// Also when the peer reset the stream.
    Ended,
}

impl Stream {
    pub(crate) fn connect(server: &Server, timeout: Duration) -> Result<Self, Failure> {
        let stream = TcpStream::connect_timeout(&server.address()?, timeout)
            .map_err(|error| Failure::new(format!("cannot connect to {server}: {error}")))?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, unread: Vec::new() })
    }

    /// Waits for more bytes.
    pub(crate) fn fill(&mut self, deadline: Instant) -> Result<Read, Failure> {
        let mut chunk = [0; 16 * 1024];
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Read::TimedOut);
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(&mut chunk) {
                Ok(0) => return Ok(Read::Ended),
                Ok(count) => {
                    self.unread.extend_from_slice(&chunk[..count]);
                    return Ok(Read::More);
                }
                Err(error) if is_retried(&error) => {}
                Err(_) => return Ok(Read::Ended),
            }
        }
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Takes bytes from the front of what was read.
    pub(crate) fn take(&mut self, count: usize) -> Vec<u8> {
        let rest = self.unread.split_off(count);
        std::mem::replace(&mut self.unread, rest)
    }

    /// Ends the stream with a reset, so that the server sees a loss and not a goodbye.
    pub(crate) fn reset(self) -> io::Result<()> {
        SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))
    }
}

/// A read that ran out of time is repeated, and finds the deadline passed.
fn is_retried(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
