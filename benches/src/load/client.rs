//! One client: reads its frames, and checks their order.

use super::session::Session;
use crate::websocket::{CLOSE, Span, TEXT};
use mio::net::TcpStream;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::rc::Rc;

/// A connection that has joined one topic.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    session: Rc<Session>,
    /// The start of a frame whose end has not come.
    partial: Vec<u8>,
    ledger: Ledger,
}

/// In which order numbers are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// One after the other: they have one sender.
    Strict,
    /// At most 127 apart: they have many senders.
    Loose,
}

/// Why a client gives up.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    #[error("refused: {answer}")]
    Refused { answer: String },
    #[error("no answer in time")]
    Silent,
    #[error("closed by the server")]
    Closed,
    #[error("closed by the server with {code}")]
    ClosedWith { code: u16 },
    #[error("not a frame that was asked for: {body}")]
    Garbled { body: String },
    #[error("number {found} came where {expected} was due: lost or out of order")]
    Lost { expected: u32, found: u32 },
    #[error("number {found} came again, {expected} was due")]
    Duplicated { expected: u32, found: u32 },
    #[error("a write of {bytes} bytes does not fit the send buffer")]
    BufferFull { bytes: usize },
    #[error(transparent)]
    Tls(rustls::Error),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Which numbers have come.
#[derive(Debug, Default)]
struct Ledger {
    /// The lowest that has not.
    due: u32,
    /// Those above it, counted from it: bit 0 is the due one, and clear between two calls.
    early: u128,
}

impl Client {
    pub(super) fn new(stream: TcpStream, session: Rc<Session>) -> Self {
        Self { stream, session, partial: Vec::new(), ledger: Ledger::default() }
    }

    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Sends all of `bytes` in one write.
    ///
    /// # Errors
    /// [`ClientError::BufferFull`] if the kernel takes a part of it only: no scenario sends that much.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), ClientError> {
        match self.stream.write(bytes) {
            Ok(written) if written == bytes.len() => Ok(()),
            Ok(_) => Err(ClientError::BufferFull { bytes: bytes.len() }),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(ClientError::BufferFull { bytes: bytes.len() })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Reads what has come, and returns how many frames that were.
    ///
    /// # Errors
    /// [`ClientError`] at the first frame that is lost, repeated, out of order or not expected at all.
    pub(super) fn receive(&mut self, scratch: &mut [u8], order: Order) -> Result<usize, ClientError> {
        let mut frames = 0;
        loop {
            let kept = self.partial.len();
            scratch[..kept].copy_from_slice(&self.partial);
            let room = &mut scratch[kept..];
            let size = room.len();
            let read = match self.stream.read(room) {
                Ok(0) => return Err(ClientError::Closed),
                Ok(read) => read,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(frames),
                Err(error) => return Err(error.into()),
            };
            let filled = &mut scratch[..kept + read];
            let (count, used) = self.take(filled, order)?;
            frames += count;
            self.partial.clear();
            self.partial.extend_from_slice(&filled[used..]);
            if read < size {
                return Ok(frames);
            }
        }
    }

    /// Checks whole frames; returns their number, and their length in bytes.
    fn take(&mut self, bytes: &mut [u8], order: Order) -> Result<(usize, usize), ClientError> {
        let (mut count, mut used) = (0, 0);
        while let Some(span) = Span::of(&bytes[used..]) {
            let body = span.unmask(&mut bytes[used..]);
            if span.first != TEXT {
                return Err(not_text(span.first, body));
            }
            let Some(number) = self.session.number(body) else {
                return Err(ClientError::Garbled { body: String::from_utf8_lossy(body).into_owned() });
            };
            self.ledger.enter(number, order)?;
            count += 1;
            used += span.end;
        }
        Ok((count, used))
    }
}

impl Ledger {
    fn enter(&mut self, number: u32, order: Order) -> Result<(), ClientError> {
        let (expected, found) = (self.due, number);
        let Some(ahead) = number.checked_sub(self.due) else {
            return Err(ClientError::Duplicated { expected, found });
        };
        if ahead >= u128::BITS || (order == Order::Strict && ahead > 0) {
            return Err(ClientError::Lost { expected, found });
        }
        if self.early & (1 << ahead) != 0 {
            return Err(ClientError::Duplicated { expected, found });
        }
        self.early |= 1 << ahead;
        let passed = self.early.trailing_ones();
        self.early = self.early.checked_shr(passed).unwrap_or(0);
        self.due += passed;
        Ok(())
    }
}

fn not_text(first: u8, body: &[u8]) -> ClientError {
    match body.first_chunk::<2>() {
        Some(code) if first == CLOSE => ClientError::ClosedWith { code: u16::from_be_bytes(*code) },
        None if first == CLOSE => ClientError::Closed,
        Some(_) | None => ClientError::Garbled { body: format!("{first:#04x} {body:?}") },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(numbers: &[u32], order: Order) -> Result<u32, ClientError> {
        let mut ledger = Ledger::default();
        numbers.iter().try_for_each(|&number| ledger.enter(number, order))?;
        Ok(ledger.due)
    }

    #[test]
    fn gap_is_a_loss() {
        assert!(matches!(enter(&[0, 1, 3], Order::Strict), Err(ClientError::Lost { expected: 2, found: 3 })));
    }

    #[test]
    fn number_that_comes_twice_is_a_duplicate() {
        assert!(matches!(enter(&[0, 1, 1], Order::Strict), Err(ClientError::Duplicated { .. })));
        assert!(matches!(enter(&[3, 3], Order::Loose), Err(ClientError::Duplicated { .. })));
        assert!(matches!(enter(&[1, 0, 1], Order::Loose), Err(ClientError::Duplicated { .. })));
    }

    #[test]
    fn many_senders_may_overtake_one_another() {
        assert_eq!(enter(&[2, 0, 1, 4, 3], Order::Loose).unwrap(), 5);
        let backwards: Vec<u32> = (0..128).rev().collect();
        assert_eq!(enter(&backwards, Order::Loose).unwrap(), 128);
        assert!(matches!(enter(&[128], Order::Loose), Err(ClientError::Lost { .. })));
    }

    #[test]
    fn one_sender_keeps_its_order() {
        assert_eq!(enter(&[0, 1, 2], Order::Strict).unwrap(), 3);
        assert!(enter(&[1, 0], Order::Strict).is_err());
    }
}
