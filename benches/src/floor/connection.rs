//! One socket of the floor.

use mio::net::TcpStream;
use std::io::{ErrorKind, Read as _, Write as _};

#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    stage: Stage,
    /// The start of a frame, or of the request, whose end has not come.
    partial: Vec<u8>,
    /// What the kernel had no room for.
    backlog: Vec<u8>,
    /// The topic it joined, by number.
    pub(super) topic: Option<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Stage {
    Request,
    Frames,
}

/// How a read ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// The socket has no more for now: the read was short.
    Drained,
    More,
    Ended,
}

impl Connection {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, stage: Stage::Request, partial: Vec::new(), backlog: Vec::new(), topic: None }
    }

    /// Reads once, behind what an earlier read has left; also returns how much of `scratch` is filled.
    pub(super) fn receive(&mut self, scratch: &mut [u8]) -> (usize, Received) {
        let kept = self.partial.len();
        scratch[..kept].copy_from_slice(&self.partial);
        let room = &mut scratch[kept..];
        match self.stream.read(room) {
            Ok(0) => (kept, Received::Ended),
            Ok(read) if read < room.len() => (kept + read, Received::Drained),
            Ok(read) => (kept + read, Received::More),
            Err(error) if error.kind() == ErrorKind::WouldBlock => (kept, Received::Drained),
            Err(_) => (kept, Received::Ended),
        }
    }

    /// Keeps what is no whole frame yet.
    pub(super) fn keep(&mut self, rest: &[u8]) {
        self.partial = rest.to_vec();
    }

    pub(super) fn awaits_upgrade(&self) -> bool {
        self.stage == Stage::Request
    }

    pub(super) fn upgraded(&mut self, response: &[u8]) {
        self.stage = Stage::Frames;
        self.send(response);
    }

    /// Writes once; what does not fit follows when the socket is writable again.
    pub(super) fn send(&mut self, bytes: &[u8]) {
        if !self.backlog.is_empty() {
            self.backlog.extend_from_slice(bytes);
            return;
        }
        match self.stream.write(bytes) {
            Ok(written) => self.backlog.extend_from_slice(&bytes[written..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.backlog.extend_from_slice(bytes),
            // A broken socket is readable, too: that side ends it.
            Err(_) => {}
        }
    }

    /// Writes what an earlier send has left.
    pub(super) fn flush(&mut self) {
        if !self.backlog.is_empty() {
            let backlog = std::mem::take(&mut self.backlog);
            self.send(&backlog);
        }
    }
}
