//! One client: its stream, and what waits for it.

use bennu_core::outbox::{Batch, Outbox, Stuck, Verdict};
use bennu_core::server::SocketId;
use bennu_core::websocket::Connection;
use bennu_core::{Frame, Instant, Serializer};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem;
use std::time::Duration;

/// How long a client has until its stream is a WebSocket.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long what must not be lost may wait for a client that takes too little.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may wait for a client, in bytes. Of positions it is one or two: see [`Peer::push`].
pub(crate) const OUTBOX: usize = 8 * 1024;

#[derive(Debug)]
pub(crate) struct Peer<S> {
    stream: S,
    pub(crate) stage: Stage,
    outbox: Outbox,
    /// What was read and not taken in: a request head in part, or messages, until less waits for the client.
    input: Vec<u8>,
    /// Since when the stream does not take all that waits.
    stuck: Option<Stuck>,
}

#[derive(Debug)]
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
#[derive(Debug)]
pub(crate) struct Open {
    pub(crate) connection: Connection,
    pub(crate) socket: SocketId,
    pub(crate) serializer: Serializer,
}

/// What a read came to.
pub(crate) enum Input {
    /// So many bytes at the front of the buffer, and how many of them were read before.
    Bytes { len: usize, known: usize },
    /// None for now.
    Nothing,
    /// The stream has ended.
    End,
}

/// What became of a frame that was queued.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    Waits,
    /// More waits than may, and none of it may be dropped.
    TooMuch,
}

impl<S> Peer<S> {
    pub(crate) fn new(stream: S, now: Instant) -> Self {
        let stage = Stage::Head { until: now + HANDSHAKE };
        Self { stream, stage, outbox: Outbox::new(OUTBOX), input: Vec::new(), stuck: None }
    }

    /// Whether more waits for the client than it should be asked to answer for: it is not listened to then.
    pub(crate) fn is_congested(&self) -> bool {
        self.outbox.is_congested()
    }

    /// What waits for it, in bytes.
    pub(crate) fn waiting(&self) -> usize {
        self.outbox.waiting()
    }

    /// Queues what all get, or what nobody has asked for. If that is positions and the client has not taken the last ones
    /// yet, it will not get those.
    pub(crate) fn push(&mut self, frame: Frame) -> Queued {
        self.outbox.push(frame);
        if self.stuck.is_none() {
            return Queued::Waits; // The stream may well have room for it: that shows when it is written.
        }
        self.outbox.drop_stale();
        if self.outbox.make_room().is_ok() { Queued::Waits } else { Queued::TooMuch }
    }

    /// Queues what the client has caused itself: for that it is not cut off, but listened to later.
    pub(crate) fn push_owed(&mut self, frame: Frame) {
        self.outbox.push_owed(frame);
    }

    /// Drops all that waits, but for what the client has a part of.
    pub(crate) fn clear(&mut self) {
        self.outbox.clear();
    }

    /// Keeps what was read for later.
    pub(crate) fn keep(&mut self, input: &[u8]) {
        self.input = input.to_vec();
    }

    /// Whether the stream is of no use any more.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.stage, Stage::Lost)
    }

    /// Whether nothing is left but to end the stream.
    pub(crate) fn has_ended(&self) -> bool {
        match self.stage {
            Stage::Lost => true,
            Stage::Ending => self.outbox.is_empty(),
            Stage::Head { .. } | Stage::Open(_) => false,
        }
    }

    /// Whether it takes too little, and is to be cut off. Else positions may have been dropped for it.
    pub(crate) fn is_too_slow(&mut self, now: Instant) -> bool {
        let Some(stuck) = self.stuck else { return false };
        if now < self.outbox.patience(stuck, PATIENCE.into()) {
            return false;
        }
        match self.outbox.handle_timeout(stuck, PATIENCE.into(), now) {
            Verdict::TooSlow => true,
            Verdict::Spared { stuck, .. } => {
                self.stuck = Some(stuck);
                false
            }
        }
    }
}

impl<S: Read + Write> Peer<S> {
    /// Reads once, behind what was kept of a request head. Messages that were kept come first, and alone.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Input {
        let kept = mem::take(&mut self.input);
        buffer[..kept.len()].copy_from_slice(&kept);
        if !kept.is_empty() && matches!(self.stage, Stage::Open(_)) {
            return Input::Bytes { len: kept.len(), known: kept.len() };
        }
        match self.stream.read(&mut buffer[kept.len()..]) {
            Ok(0) => Input::End,
            Ok(read) => Input::Bytes { len: kept.len() + read, known: kept.len() },
            Err(error) if is_for_later(&error) => {
                self.input = kept;
                Input::Nothing
            }
            Err(_) => Input::End,
        }
    }

    /// Answers a request head: the first that is written to a stream, which has room for it.
    pub(crate) fn answer(&mut self, answer: &str) -> io::Result<()> {
        self.stream.write_all(answer.as_bytes())
    }

    /// Writes what waits, as far as the stream takes it.
    pub(crate) fn write(&mut self, now: Instant) -> io::Result<()> {
        let mut taken = 0;
        while let Some(batch) = self.outbox.begin() {
            let result = write(&mut self.stream, &batch);
            let bytes = *result.as_ref().unwrap_or(&0);
            taken += bytes;
            self.outbox.finish(batch, bytes);
            match result {
                // If that was not all of it, there may be room still: not every stream takes several frames at once.
                Ok(_) => {}
                Err(error) if is_for_later(&error) => {
                    self.stuck = Some(self.outbox.stuck(self.stuck, taken, now));
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        self.stuck = None;
        Ok(())
    }
}

fn write(stream: &mut impl Write, batch: &Batch) -> io::Result<usize> {
    let slices: Vec<IoSlice<'_>> = batch.slices().map(IoSlice::new).collect();
    match stream.write_vectored(&slices)? {
        0 => Err(ErrorKind::WriteZero.into()),
        bytes => Ok(bytes),
    }
}

/// Whether a stream only has nothing, or no room, just now. There is another tick.
fn is_for_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
