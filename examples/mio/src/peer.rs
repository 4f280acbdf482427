//! One client: its stream, and what waits on either side of it.

use bennu_core::connect::Params;
use bennu_core::outbox::{Batch, Outbox, Stuck, Verdict, Written};
use bennu_core::server::SocketId;
use bennu_core::websocket::Connection;
use bennu_core::{Instant, Serializer};
use mio::net::TcpStream;
use smallvec::SmallVec;
use std::io::{self, ErrorKind, IoSlice, Read as _, Write as _};
use std::mem;
use std::time::Duration;

/// How long a client has from its accept until its connection is a WebSocket.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long anything may wait for a client that takes too little.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may wait for a client, in bytes.
const OUTBOX: usize = 1 << 20;

pub(crate) struct Peer {
    stream: TcpStream,
    pub(crate) stage: Stage,
    pub(crate) outbox: Outbox,
    /// What was read and not taken in: a request head in part, or what waits until less else waits.
    pub(crate) input: Vec<u8>,
    /// Since when the stream does not take all that waits.
    stuck: Option<Stuck>,
    /// When the loop looks at this peer next.
    pub(crate) armed: Option<Instant>,
    /// The stream may have bytes: the system tells of that once, and again only when all were read.
    pub(crate) readable: bool,
    /// The client has ended its side, so that a short read is not the last.
    pub(crate) half_closed: bool,
    /// Too much of what it sent waits for handlers.
    pub(crate) paused: bool,
    /// It was not read from, though it could have been.
    pub(crate) held: bool,
    /// It is among those that are to be written to.
    pub(crate) dirty: bool,
}

pub(crate) enum Stage {
    /// HTTP: the whole request head has to be there by then.
    Head {
        until: Instant,
    },
    Open(Box<Open>),
    /// What waits is written, then the stream ends.
    Ending,
    /// The stream ends, whatever waits.
    Lost,
}

/// A WebSocket, and who it is to the server.
pub(crate) struct Open {
    pub(crate) connection: Connection,
    pub(crate) socket: SocketId,
    pub(crate) serializer: Serializer,
    pub(crate) params: Params,
}

/// What a read came to.
pub(crate) enum Read {
    /// So many bytes at the front of the buffer, those kept from the last time among them.
    Bytes(usize),
    /// Nothing more for now.
    Nothing,
    /// The stream has ended.
    End,
}

impl Peer {
    pub(crate) fn new(stream: TcpStream, now: Instant) -> Self {
        Self {
            stream,
            stage: Stage::Head { until: now + HANDSHAKE },
            outbox: Outbox::new(OUTBOX),
            input: Vec::new(),
            stuck: None,
            armed: None,
            readable: false,
            half_closed: false,
            paused: false,
            held: false,
            dirty: false,
        }
    }

    /// Who it is to the server, if it is a WebSocket yet, and still.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        match &self.stage {
            Stage::Open(open) => Some(open.socket),
            Stage::Head { .. } | Stage::Ending | Stage::Lost => None,
        }
    }

    /// Whether nothing is to be read: too much waits for the client, or for its handlers.
    pub(crate) fn holds(&self) -> bool {
        self.paused || self.outbox.is_congested()
    }

    /// Whether it takes less than it is sent.
    pub(crate) fn is_stuck(&self) -> bool {
        self.stuck.is_some()
    }

    /// When something has to have happened.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let stage = match &self.stage {
            Stage::Head { until } => Some(*until),
            Stage::Open(open) => open.connection.poll_timeout(),
            Stage::Ending | Stage::Lost => None,
        };
        stage.into_iter().chain(self.patience()).min()
    }

    /// Until when a client that is stuck has to take more.
    pub(crate) fn patience(&self) -> Option<Instant> {
        self.stuck.map(|stuck| self.outbox.patience(stuck, PATIENCE.into()))
    }

    /// Whether a client whose time is up is to be cut off.
    pub(crate) fn is_too_slow(&mut self, now: Instant) -> bool {
        let Some(stuck) = self.stuck else { return false };
        match self.outbox.handle_timeout(stuck, PATIENCE.into(), now) {
            Verdict::TooSlow => true,
            Verdict::Spared { stuck, .. } => {
                self.stuck = Some(stuck);
                false
            }
        }
    }

    /// Reads once, behind what was kept of a request head. What was kept of frames comes first, and alone.
    pub(crate) fn read(&mut self, scratch: &mut [u8]) -> Read {
        if self.is_open() && !self.input.is_empty() {
            let kept = mem::take(&mut self.input);
            scratch[..kept.len()].copy_from_slice(&kept);
            return Read::Bytes(kept.len());
        }
        if !self.readable {
            return Read::Nothing;
        }
        let kept = self.input.len();
        scratch[..kept].copy_from_slice(&self.input);
        let room = &mut scratch[kept..];
        loop {
            match self.stream.read(room) {
                Ok(0) => return Read::End,
                Ok(read) => {
                    // Only where short reads tell: elsewhere it takes one more read to be told again.
                    self.readable = read == room.len() || self.half_closed || !cfg!(unix);
                    return Read::Bytes(kept + read);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    return Read::Nothing;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Read::End,
            }
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Whether it is a WebSocket whose end has begun.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(&self.stage, Stage::Open(open) if open.connection.is_closing())
    }

    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.stage, Stage::Lost)
    }

    /// Whether nothing is left but to end the stream.
    pub(crate) fn has_ended(&self) -> bool {
        self.is_lost() || (matches!(self.stage, Stage::Ending) && self.outbox.is_empty())
    }

    /// Answers a request head: the first that is written to a stream, which has room for it.
    pub(crate) fn answer(&mut self, answer: &str) -> io::Result<()> {
        self.stream.write_all(answer.as_bytes())
    }

    /// Writes what is queued, up to a run that is open, as far as the stream takes it.
    pub(crate) fn flush(&mut self, now: Instant) -> io::Result<()> {
        let mut taken = 0;
        while let Some(batch) = self.outbox.begin() {
            let result = write(&mut self.stream, &batch);
            let bytes = *result.as_ref().unwrap_or(&0);
            taken += bytes;
            let written = self.outbox.finish(batch, bytes);
            match result {
                Err(error) if error.kind() != ErrorKind::WouldBlock => return Err(error),
                Ok(_) | Err(_) => {}
            }
            if written == Written::Blocked {
                self.stuck = Some(self.outbox.stuck(self.stuck, taken, now));
                return Ok(());
            }
        }
        self.stuck = None;
        Ok(())
    }

    /// Has the stream end with a reset: what the system still holds for a client that does not read is dropped.
    pub(crate) fn abort(&self) {
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }
}

fn write(stream: &mut TcpStream, batch: &Batch) -> io::Result<usize> {
    let mut slices: SmallVec<[IoSlice<'_>; 32]> = SmallVec::new();
    slices.extend(batch.slices().map(IoSlice::new));
    loop {
        let result = match &*slices {
            [only] => stream.write(only),
            several => stream.write_vectored(several),
        };
        match result {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            other => return other,
        }
    }
}
