//! Which shards have a topic.

use crate::sync::RwLock;
use bennu_core::Topic;
use std::collections::HashMap;

/// For every topic that somebody on this node has joined: the shards, as bits.
///
/// Changed under the lock of the shard whose bit it is, so that a topic is found here before the reply
/// to its join is sent.
#[derive(Debug, Default)]
pub(crate) struct TopicIndex {
    shards: RwLock<HashMap<Topic, u64>>,
}

impl TopicIndex {
    /// How many shards there can be.
    pub(crate) const MAX_SHARDS: usize = 63;

    /// The bit of those who subscribed from outside of channels.
    pub(crate) const OUTSIDE: u32 = 63;

    pub(crate) fn set(&self, topic: &Topic, shard: u32, wanted: bool) {
        let mut shards = self.shards.write();
        if wanted {
            *shards.entry(topic.clone()).or_default() |= 1 << shard;
            return;
        }
        let Some(bits) = shards.get_mut(topic) else { return };
        *bits &= !(1 << shard);
        if *bits == 0 {
            shards.remove(topic);
        }
    }

    pub(crate) fn get(&self, topic: &Topic) -> Shards {
        Shards(self.shards.read().get(topic).copied().unwrap_or(0))
    }
}

/// Shards, in ascending order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shards(u64);

impl Shards {
    pub(crate) fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl Iterator for Shards {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        if self.0 == 0 {
            return None;
        }
        let shard = self.0.trailing_zeros();
        self.0 &= self.0 - 1;
        Some(shard)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_is_forgotten_with_its_last_shard() {
        let (index, topic) = (TopicIndex::default(), Topic::from("room:a"));
        index.set(&topic, 5, true);
        index.set(&topic, 0, true);
        assert_eq!(index.get(&topic).collect::<Vec<_>>(), [0, 5]);

        index.set(&topic, 0, false);
        index.set(&topic, 5, false);

        assert_eq!(index.get(&topic).next(), None);
        assert!(index.shards.read().is_empty());
    }
}
