//! The lock of a shard, and what it keeps from the recorder, which is the application's.

use super::{Hub, Shard};
use crate::letter::Locked;
use crate::metrics::{Growth, Limit, Tally};
use crate::sync::MutexGuard;
use std::ops::{Deref, DerefMut};

/// A shard that is locked. What an application has sent and nobody gets is dropped behind the lock, and its recorder told
/// what there is to tell.
pub(crate) struct ShardGuard<'a> {
    // In this order: the lock is released first.
    shard: MutexGuard<'a, Shard>,
    _locked: Locked,
    told: AtRelease<'a>,
}

impl<'a> ShardGuard<'a> {
    pub(super) fn new(shard: MutexGuard<'a, Shard>, hub: &'a Hub) -> Self {
        Self { shard, _locked: Locked::new(), told: AtRelease { hub, untold: None } }
    }
}

impl Drop for ShardGuard<'_> {
    fn drop(&mut self) {
        self.told.untold = self.shard.untold.take();
    }
}

impl Deref for ShardGuard<'_> {
    type Target = Shard;

    fn deref(&self) -> &Shard {
        &self.shard
    }
}

impl DerefMut for ShardGuard<'_> {
    fn deref_mut(&mut self) -> &mut Shard {
        &mut self.shard
    }
}

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
struct AtRelease<'a> {
    hub: &'a Hub,
    untold: Option<Untold>,
}

impl Drop for AtRelease<'_> {
    fn drop(&mut self) {
        let Some(Untold { mut tally, growth, met: Met { paused, slow, lost } }) = self.untold.take() else {
            return;
        };
        let metrics = &self.hub.metrics;
        metrics.tell(&mut tally);
        metrics.resize(growth);
        (0..paused).for_each(|_| metrics.limit(Limit::Input));
        (0..slow).for_each(|_| metrics.limit(Limit::Outbox));
        if lost > 0 {
            self.hub.count_lost(lost);
        }
    }
}
