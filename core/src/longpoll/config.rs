//! The limits and times of a session.

use std::time::Duration;

/// What a session puts up with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How long a poll waits for frames, and a message of a POST until it is taken. 10 s, as Phoenix's
    /// `window_ms`.
    pub window: Duration,
    /// How long a session lives without a poll: 15 s, one and a half windows.
    ///
    /// Phoenix looks once in such a time whether there was a poll within it, so that a session lives 15 to 30 s
    /// after its last poll came. Here it lives so long after its last poll ended, which is within that.
    pub inactive: Duration,
    /// How much may wait for a poll behind the first frame, in bytes; past it, the session ends. 1 MiB. What the
    /// client itself has caused does not count: while more than half of this waits, no message is taken from it.
    pub max_queue: usize,
    /// How much of POSTs may wait to be taken, in bytes, each message counted with 64 more; the POST past it is
    /// answered 408 at once, unless no message waits. 1 MiB.
    pub max_input: usize,
    /// How many polls may wait that a newer one has taken the place of; past it, the oldest ends early. 8.
    pub max_replaced: usize,
    /// What frames it takes: text alone, as the answer to a poll is JSON.
    pub carries: Carries,
}

/// What frames a session takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carries {
    /// Text alone.
    Text,
    /// Text and bytes: for whoever hands them on otherwise than in an [`Answer`](super::Answer).
    TextAndBytes,
}

impl Config {
    /// The defaults for this window: a session lives one and a half of it without a poll.
    #[must_use]
    pub fn with_window(window: Duration) -> Self {
        Self {
            window,
            inactive: window.saturating_add(window / 2),
            max_queue: 1 << 20,
            max_input: 1 << 20,
            max_replaced: 8,
            carries: Carries::Text,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::with_window(Duration::from_secs(10))
    }
}
