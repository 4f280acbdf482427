//! How a server that is to end lets go of its sockets: in batches, so that their clients do not all come back at
//! once.
//!
//! ```text
//! batch ─ interval ─▶ batch ─ interval ─▶ … ─ limit ─▶ whoever is left
//! ```
//!
//! Source: Phoenix `Socket.PoolDrainer`.

use crate::Instant;
use std::time::Duration;

/// How fast sockets are let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How many channels end in one batch: 10,000, as Phoenix `batch_size`. A batch is never less than one socket.
    pub batch_size: usize,
    /// The pause after each batch but the last: 2 s, as Phoenix `batch_interval`.
    pub interval: Duration,
    /// How long it may take in all: 30 s, as Phoenix `shutdown`. Whoever is left then ends at once.
    pub limit: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { batch_size: 10_000, interval: Duration::from_secs(2), limit: Duration::from_secs(30) }
    }
}

/// Who is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whom {
    /// Sockets that have a channel, as in Phoenix, whose drainer sees no others.
    WithChannels,
    /// All sockets; one without channels counts as one channel.
    All,
}

/// Sockets that are to end together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch<S> {
    /// The sockets, in the order in which they were named to the drain.
    pub sockets: Vec<S>,
    /// How many channels they had when the drain began.
    pub channels: usize,
    /// Which batch it is; the first is 1.
    pub index: usize,
}

/// One drain, from its first batch to its last. What `S` is, it does not ask.
///
/// ```
/// use bennu_core::Instant;
/// use bennu_core::drain::{Batch, Config, Drain, Whom};
///
/// // Each socket with the number of its channels.
/// let sockets = [("ann", 2), ("bob", 1), ("eve", 1)];
/// let config = Config { batch_size: 3, ..Config::default() };
/// let mut drain = Drain::new(config, Whom::WithChannels, sockets, Instant::EPOCH);
/// assert_eq!(drain.poll_output(), Some(Batch { sockets: vec!["ann", "bob"], channels: 3, index: 1 }));
///
/// let next = drain.poll_timeout().unwrap();
/// assert_eq!(next, Instant::EPOCH + config.interval);
/// drain.handle_timeout(next);
/// assert_eq!(drain.poll_output(), Some(Batch { sockets: vec!["eve"], channels: 1, index: 2 }));
/// assert_eq!(drain.poll_timeout(), None);
/// ```
#[derive(Clone, Debug)]
pub struct Drain<S> {
    config: Config,
    /// Who has not been in a batch yet, the next one last.
    left: Vec<(S, usize)>,
    output: Option<Batch<S>>,
    next: Instant,
    limit: Instant,
    /// How many batches there have been.
    batches: usize,
    total: usize,
    rounds: usize,
}

impl<S> Drain<S> {
    /// Begins to drain these sockets, each with the number of its channels. The first batch is due at once.
    pub fn new(
        config: Config,
        whom: Whom,
        sockets: impl IntoIterator<Item = (S, usize)>,
        now: Instant,
    ) -> Self {
        let is_meant = |(_, channels): &(S, usize)| whom == Whom::All || *channels > 0;
        let mut left: Vec<_> = sockets.into_iter().filter(is_meant).collect();
        left.reverse();
        let total = left.len();
        let weight: usize = left.iter().map(|(_, channels)| (*channels).max(1)).sum();
        let rounds = weight / config.batch_size.max(1) + 1;
        let limit = now + config.limit;
        let mut drain = Self { config, left, output: None, next: now, limit, batches: 0, total, rounds };
        drain.handle_timeout(now);
        drain
    }

    /// Makes the next batch, if it is due. An early call does nothing; a late one makes one batch, and the pause
    /// begins there.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.output.is_some() || self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        let size = if now < self.limit { self.config.batch_size } else { usize::MAX };
        self.output = Some(self.take(size));
        self.next = now + self.config.interval;
    }

    /// Who is to end now.
    pub fn poll_output(&mut self) -> Option<Batch<S>> {
        self.output.take()
    }

    /// How many sockets it lets go in all.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// How many batches there will be at most, unless time runs out.
    ///
    /// Source: Phoenix `Socket.PoolDrainer`, which counts one more behind a last batch that is full.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// When the next batch is due; `None` if nobody is left.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        (!self.left.is_empty()).then(|| self.next.min(self.limit))
    }

    /// Takes sockets until they have as many channels as a batch.
    fn take(&mut self, size: usize) -> Batch<S> {
        self.batches += 1;
        let mut batch = Batch { sockets: Vec::new(), channels: 0, index: self.batches };
        let mut weight = 0_usize;
        while let Some((socket, channels)) = self.left.pop() {
            batch.sockets.push(socket);
            batch.channels += channels;
            weight = weight.saturating_add(channels.max(1));
            if weight >= size {
                break;
            }
        }
        batch
    }
}
