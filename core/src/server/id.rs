//! Names for what a server holds, never used twice.

use std::fmt;

/// One socket: a connection, or a long-poll session.
///
/// Carries the machine it belongs to ([`SocketId::shard`]) and is never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId {
    pub(super) shard: u32,
    pub(super) index: u32,
    pub(super) serial: u64,
}

/// One life of a channel: from a join to its end. A topic that is joined anew is another channel.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChannelId {
    pub(super) shard: u32,
    pub(super) index: u32,
    pub(super) serial: u64,
}

/// One run of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId {
    pub(super) channel: ChannelId,
    pub(super) number: u32,
}

/// One scheduled message, to cancel it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TimerId {
    pub(super) channel: ChannelId,
    pub(super) at: crate::Instant,
    pub(super) number: u64,
}

impl SocketId {
    /// The machine that the socket belongs to.
    #[must_use]
    pub fn shard(self) -> u32 {
        self.shard
    }
}

impl ChannelId {
    /// The machine that the channel belongs to.
    #[must_use]
    pub fn shard(self) -> u32 {
        self.shard
    }

    /// Its number, which no other channel of that machine has, or ever had.
    #[must_use]
    pub fn serial(self) -> u64 {
        self.serial
    }
}

impl CallId {
    /// The channel whose handler runs.
    #[must_use]
    pub fn channel(self) -> ChannelId {
        self.channel
    }
}

impl TimerId {
    /// The channel that the message will go to.
    #[must_use]
    pub fn channel(self) -> ChannelId {
        self.channel
    }
}

impl fmt::Debug for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "socket {}.{}", self.shard, self.serial)
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}.{}", self.shard, self.serial)
    }
}
