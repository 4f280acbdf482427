//! How the connections of a socket are let go.

use bennu_core::drain;
use std::time::Duration;

/// How the connections of one socket are let go when the node drains: in batches, so that their clients do not all
/// come back at once.
///
/// ```
/// use bennu::{Drain, Open};
/// use std::time::Duration;
///
/// let drain = Drain::new().batch_size(500).interval(Duration::from_secs(1));
/// let socket = bennu::socket(Open).drain(drain);
/// ```
///
/// Source: the option `drainer` of `Phoenix.Socket`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Drain {
    pub(crate) config: drain::Config,
    pub(crate) batches: Batches,
}

/// Whether there are batches at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Batches {
    On,
    Off,
}

impl Default for Drain {
    fn default() -> Self {
        Self { config: drain::Config::default(), batches: Batches::On }
    }
}

impl Drain {
    /// The defaults, each of them said at its method.
    pub fn new() -> Self {
        Self::default()
    }

    /// No batches: [`Endpoint::drain_socket`](crate::Endpoint::drain_socket) leaves the connections alone, and
    /// [`Endpoint::drain`](crate::Endpoint::drain) ends them together, when it has drained the other sockets.
    pub fn off() -> Self {
        Self { batches: Batches::Off, ..Self::default() }
    }

    /// How many channels end in one batch: 10,000, as in Phoenix. With a channel ends its whole connection.
    pub fn batch_size(mut self, channels: usize) -> Self {
        self.config.batch_size = channels;
        self
    }

    /// The pause after each batch but the last: 2 s, as in Phoenix.
    pub fn interval(mut self, pause: Duration) -> Self {
        self.config.interval = pause;
        self
    }

    /// How long all batches may take together: 30 s, as in Phoenix. Whoever is left then ends at once.
    pub fn limit(mut self, limit: Duration) -> Self {
        self.config.limit = limit;
        self
    }
}
