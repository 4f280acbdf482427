//! What a shard's lock has kept from the recorder, which is the application's.

use crate::metrics::{Dropped, Growth, Limit, Metrics, Tally};

/// What is to be told when the lock of a shard is released.
#[derive(Debug, Default)]
pub(super) struct Untold {
    pub(super) tally: Tally,
    /// By how much the shard's channels and topics have grown.
    pub(super) growth: Growth,
    pub(super) met: Met,
}

/// What somebody has met with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// How many may not be read from.
    pub(super) paused: usize,
    /// How many are cut off, as they take their messages too slowly.
    pub(super) slow: usize,
    /// How many broadcasts were dropped for those that may lose them.
    pub(super) lost: usize,
}

impl Untold {
    pub(super) fn add(&mut self, Met { paused, slow, lost }: Met) {
        self.met.paused += paused;
        self.met.slow += slow;
        self.met.lost += lost;
    }
}

/// Tells it when dropped: behind the lock.
pub(super) struct AtRelease<'a> {
    pub(super) metrics: &'a Metrics,
    pub(super) untold: Option<Untold>,
}

impl Drop for AtRelease<'_> {
    fn drop(&mut self) {
        let Some(Untold { mut tally, growth, met: Met { paused, slow, lost } }) = self.untold.take() else {
            return;
        };
        self.metrics.tell(&mut tally);
        self.metrics.resize(growth);
        (0..paused).for_each(|_| self.metrics.limit(Limit::Input));
        (0..slow).for_each(|_| self.metrics.limit(Limit::Outbox));
        self.metrics.dropped(Dropped::Slow, lost);
    }
}
