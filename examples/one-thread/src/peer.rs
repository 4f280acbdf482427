//! One client: what waits on either side of its stream.

use bennu_core::connect::Params;
use bennu_core::outbox::{Batch, Outbox, Stuck, Verdict, Written};
use bennu_core::server::SocketId;
use bennu_core::websocket::Connection;
use bennu_core::{Frame, Instant, Serializer};
use std::time::Duration;

/// How long a client has from its accept until its connection is a WebSocket.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long anything may wait for a client that takes too little.
const PATIENCE: Duration = Duration::from_secs(10);

/// What may wait for a client, in bytes.
const OUTBOX: usize = 1 << 20;

pub(crate) struct Peer {
    pub(crate) stage: Stage,
    pub(crate) outbox: Outbox,
    /// What was read and not taken in: a request head in part, or what waits until less else waits.
    pub(crate) input: Vec<u8>,
    /// Since when the stream does not take all that waits.
    stuck: Option<Stuck>,
    /// When the loop looks at this peer next.
    pub(crate) armed: Option<Instant>,
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
    /// What waits is tried once, then the stream is reset.
    Farewell,
    /// The stream ends, whatever waits.
    Lost(End),
}

/// How a stream ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As usual: the system sends what it still holds.
    Close,
    /// With a reset: what the system still holds for a client that does not read is dropped.
    Reset,
}

/// A WebSocket, and who it is to the server.
pub(crate) struct Open {
    pub(crate) connection: Connection,
    pub(crate) socket: SocketId,
    pub(crate) serializer: Serializer,
    pub(crate) params: Params,
}

impl Peer {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            stage: Stage::Head { until: now + HANDSHAKE },
            outbox: Outbox::new(OUTBOX),
            input: Vec::new(),
            stuck: None,
            armed: None,
            paused: false,
            held: false,
            dirty: false,
        }
    }

    /// Who it is to the server, if it is a WebSocket yet, and still.
    pub(crate) fn socket(&self) -> Option<SocketId> {
        match &self.stage {
            Stage::Open(open) => Some(open.socket),
            Stage::Head { .. } | Stage::Ending | Stage::Farewell | Stage::Lost(_) => None,
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
            Stage::Ending | Stage::Farewell | Stage::Lost(_) => None,
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

    pub(crate) fn is_open(&self) -> bool {
        matches!(self.stage, Stage::Open(_))
    }

    /// Whether it is a WebSocket whose end has begun.
    pub(crate) fn is_closing(&self) -> bool {
        matches!(&self.stage, Stage::Open(open) if open.connection.is_closing())
    }

    /// How its stream is to be ended now, if it is.
    pub(crate) fn end(&self) -> Option<End> {
        match &self.stage {
            Stage::Ending if self.outbox.is_empty() && !self.outbox.is_leased() => Some(End::Close),
            Stage::Lost(end) => Some(*end),
            Stage::Head { .. } | Stage::Open(_) | Stage::Ending | Stage::Farewell => None,
        }
    }

    /// Answers a request head.
    pub(crate) fn answer(&mut self, answer: String) {
        // As a run, which is bytes that stand alone already.
        let frame = Frame::open();
        frame.seal(answer.into_bytes());
        self.outbox.push(frame);
    }

    /// What is to be written, up to a run that is open.
    pub(crate) fn begin(&mut self) -> Option<Batch> {
        // Of a write that is under way, the end is waited for.
        if matches!(self.stage, Stage::Farewell) && self.outbox.is_empty() && !self.outbox.is_leased() {
            self.stage = Stage::Lost(End::Reset);
        }
        if matches!(self.stage, Stage::Lost(_)) { None } else { self.outbox.begin() }
    }

    /// So many bytes of it were written.
    pub(crate) fn finish(&mut self, batch: Batch, bytes: usize, now: Instant) -> Written {
        let written = self.outbox.finish(batch, bytes);
        if matches!(self.stage, Stage::Farewell) {
            self.stage = Stage::Lost(End::Reset);
        }
        self.stuck = match written {
            Written::Everything => None,
            // Only what is stuck already has to show that it takes something.
            Written::More => self.stuck.map(|stuck| self.outbox.stuck(Some(stuck), bytes, now)),
            Written::Blocked => Some(self.outbox.stuck(self.stuck, bytes, now)),
        };
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bennu_core::Kind;

    #[test]
    fn farewell_is_over_when_the_write_is_that_is_under_way() {
        let mut peer = Peer::new(Instant::EPOCH);
        peer.outbox.push(Frame::new(Kind::Text, b"x"));
        let batch = peer.begin().unwrap();

        peer.stage = Stage::Farewell;
        assert!(peer.begin().is_none());
        assert_eq!(peer.end(), None);

        peer.finish(batch, 3, Instant::EPOCH);
        assert_eq!(peer.end(), Some(End::Reset));
    }
}
