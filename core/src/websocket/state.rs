//! How far a connection's life has come, and its two timers.

use super::skipper::Skipper;
use crate::Instant;
use std::time::Duration;

/// The diagram is at [`Connection`](super::Connection).
#[derive(Debug)]
pub(super) enum State {
    /// Messages come and go.
    Open(Idle),
    /// This end's close frame is made; at `deadline` the stream ends in any case.
    Closing { deadline: Instant, awaits: Awaits },
    /// The stream is to be shut down, or is.
    Closed,
}

/// What ends [`State::Closing`], besides the end of the stream.
#[derive(Debug)]
pub(super) enum Awaits {
    /// The peer's close frame.
    CloseFrame(Box<Skipper>),
    /// Nothing: only the end of the stream does.
    EndOfStream,
}

/// The timer that closes a connection whose peer has been silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// There is no limit.
    Off,
    /// Due at `deadline` unless data comes.
    Running { deadline: Instant },
    /// The embedder does not read, so silence proves nothing.
    Paused { left: Duration },
}

impl Idle {
    pub(super) fn running(timeout: Option<Duration>, now: Instant) -> Self {
        timeout.map_or(Self::Off, |timeout| Self::Running { deadline: now + timeout })
    }

    pub(super) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Running { deadline } => Some(deadline),
            Self::Off | Self::Paused { .. } => None,
        }
    }

    /// Data has come.
    pub(super) fn restart(&mut self, timeout: Option<Duration>, now: Instant) {
        *self = match (*self, timeout) {
            (Self::Paused { .. }, Some(left)) => Self::Paused { left },
            _ => Self::running(timeout, now),
        };
    }

    pub(super) fn pause(&mut self, now: Instant) {
        if let Self::Running { deadline } = *self {
            *self = Self::Paused { left: deadline.duration_since(now) };
        }
    }

    pub(super) fn resume(&mut self, now: Instant) {
        if let Self::Paused { left } = *self {
            *self = Self::Running { deadline: now + left };
        }
    }
}
