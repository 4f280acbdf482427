//! How far a connection's life has come, and its two timers.

use super::skipper::Skipper;
use crate::Instant;
use std::time::Duration;

/// The diagram is at [`Connection`](super::Connection).
#[derive(Debug)]
pub(super) enum State {
    /// Messages come and go.
    Open(Idle),
    /// This end's close frame is made.
    Closing(Box<Closing>),
    /// The stream is to be shut down, or is.
    Closed,
}

/// The end has begun. Boxed, since connections live longer than they end.
#[derive(Debug)]
pub(super) struct Closing {
    /// When the stream ends in any case.
    pub(super) deadline: Instant,
    pub(super) awaits: Awaits,
}

/// What ends [`State::Closing`], besides the end of the stream.
#[derive(Debug)]
pub(super) enum Awaits {
    /// The peer's close frame.
    CloseFrame(Skipper),
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
    /// The embedder does not read, so silence proves nothing. This much is left, counted from the epoch: half
    /// as long as a [`Duration`].
    Paused { left: Instant },
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
            (Self::Paused { .. }, Some(left)) => Self::Paused { left: Instant::from_epoch(left) },
            _ => Self::running(timeout, now),
        };
    }

    pub(super) fn pause(&mut self, now: Instant) {
        if let Self::Running { deadline } = *self {
            *self = Self::Paused { left: Instant::from_epoch(deadline.duration_since(now)) };
        }
    }

    pub(super) fn resume(&mut self, now: Instant) {
        if let Self::Paused { left } = *self {
            *self = Self::Running { deadline: now + left.since_epoch() };
        }
    }
}
