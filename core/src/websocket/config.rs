//! The limits and times of a connection.

use std::num::NonZeroU32;
use std::time::Duration;

/// What a connection puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// The longest message in bytes, all fragments together; past it, 1009. 1 MiB.
    pub max_message: u32,
    /// The most fragments in a message; past it, 1008. 1,024.
    pub max_fragments: u32,
    /// The most empty fragments of a message in a row; past it, 1008. 16; more than 65,535 are as many.
    pub max_empty_fragments: u32,
    /// How long the peer may be silent; `None` for ever. 60 s, as Phoenix's `timeout`.
    pub idle_timeout: Option<Duration>,
    /// The code that a silent peer is closed with. 1002, as Bandit; 1000 would keep the JavaScript
    /// client from connecting again.
    pub idle_code: u16,
    /// How long to wait for the peer's part of the closing handshake. 5 s.
    pub close_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message: 1 << 20,
            max_fragments: 1024,
            max_empty_fragments: 16,
            idle_timeout: Some(Duration::from_secs(60)),
            idle_code: 1002,
            close_timeout: Duration::from_secs(5),
        }
    }
}

/// A [`Config`] in half the room, for as long as a connection lives. Times are kept in milliseconds, up to
/// seven weeks; empty fragments are counted up to 65,535.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_message: u32,
    pub(super) max_fragments: u32,
    idle_ms: Option<NonZeroU32>,
    close_ms: u32,
    pub(super) max_empty_fragments: u16,
    pub(super) idle_code: u16,
}

impl Bounds {
    pub(super) fn idle_timeout(&self) -> Option<Duration> {
        self.idle_ms.map(|ms| Duration::from_millis(ms.get().into()))
    }

    pub(super) fn close_timeout(&self) -> Duration {
        Duration::from_millis(self.close_ms.into())
    }
}

impl From<Config> for Bounds {
    fn from(config: Config) -> Self {
        let ms = |time: Duration| u32::try_from(time.as_millis()).unwrap_or(u32::MAX);
        // No time at all is one millisecond: zero would mean for ever.
        let idle_ms = config.idle_timeout.map(|time| NonZeroU32::new(ms(time)).unwrap_or(NonZeroU32::MIN));
        Self {
            max_message: config.max_message,
            max_fragments: config.max_fragments,
            max_empty_fragments: u16::try_from(config.max_empty_fragments).unwrap_or(u16::MAX),
            idle_ms,
            close_ms: ms(config.close_timeout),
            idle_code: config.idle_code,
        }
    }
}
