//! What a [`Server`](super::Server) is told of its mounts, and of a socket that connects.

use super::mailbox::Load;
use crate::Compat;
use crate::outbox::SlowConsumer;
use crate::rate::Rate;
use crate::router::Router;
use crate::topic::MAX_NAME;
use crate::wire::Serializer;
use std::time::Duration;

/// Settings of a [`Server`](super::Server).
#[derive(Clone, Debug)]
pub struct Config {
    /// Which of several machines this is; carried by its ids.
    pub shard: u32,
    /// Seeds the hash of the topic table: 16 bytes, random, and secret from clients.
    pub hash_key: (u64, u64),
    /// The mounts that sockets connect to: at most [`Config::MAX_MOUNTS`].
    pub mounts: Vec<Mount>,
}

impl Config {
    /// The most mounts of one machine: 65,535.
    pub const MAX_MOUNTS: usize = u16::MAX as usize;
}

/// What the sockets of one mount have in common.
#[derive(Clone, Debug, Default)]
pub struct Mount {
    /// Which handler a topic belongs to.
    pub router: Router,
    /// What a client may grow.
    pub limits: Limits,
    /// Which release of Phoenix its sockets follow.
    pub compat: Compat,
}

/// What a client can grow, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Channels of one socket, pending joins counted: 100, as Phoenix `max_channels_per_transport`.
    pub max_channels: usize,
    /// Channels of one socket that have closed and whose terminate still runs: 100. Further joins wait.
    pub max_terminating: usize,
    /// Bytes of a topic that a client may name: [`MAX_NAME`], and never more.
    pub max_topic: usize,
    /// The same of an event; and never less than the nine of `phx_leave`.
    pub max_event: usize,
    /// Messages of one client that wait for handlers: 1,024. Reading pauses there, and goes on at half.
    pub input_messages: usize,
    /// The same in bytes: 1 MiB.
    pub input_bytes: usize,
    /// How long reading pauses before the channel that holds most is ended: 10 s.
    pub overload: Duration,
    /// Broadcasts to intercept and messages of the application that wait at one channel: 1,024. It ends there.
    pub channel_messages: usize,
    /// The same in bytes: 1 MiB.
    pub channel_bytes: usize,
    /// What becomes of a broadcast for a client that takes too little, unless its route
    /// [says](Router::set_lossy) otherwise: the client is cut off.
    pub slow_consumer: SlowConsumer,
    /// How often one socket may send a message, joins among them: no limit. One too many is answered with the error
    /// `rate limit`, and leaves no trace; the client goes on to be heard. Heartbeats and leaves do not count, and are
    /// never refused. What counts is when the machine is told: who was not read from for a while, catches up at once.
    pub message_rate: Option<Rate>,
    /// How often one socket may ask to join, refused joins and those of a joined topic counted: no limit. Past it as
    /// for messages, of which it has been one; the channel that a join was to replace goes on.
    pub join_rate: Option<Rate>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_channels: 100,
            max_terminating: 100,
            max_topic: MAX_NAME,
            max_event: MAX_NAME,
            input_messages: 1024,
            input_bytes: 1 << 20,
            overload: Duration::from_secs(10),
            channel_messages: 1024,
            channel_bytes: 1 << 20,
            slow_consumer: SlowConsumer::Disconnect,
            message_rate: None,
            join_rate: None,
        }
    }
}

impl Mount {
    /// What becomes of a broadcast for a client of this mount that takes too little.
    #[must_use]
    pub fn slow_consumer(&self, topic: &str, event: &str) -> SlowConsumer {
        self.router.slow_consumer(topic, event).unwrap_or(self.limits.slow_consumer)
    }

    /// Whether that can be anything but the client's end, for any broadcast.
    #[must_use]
    pub fn is_lossy(&self) -> bool {
        self.limits.slow_consumer != SlowConsumer::Disconnect || self.router.is_any_lossy()
    }
}

impl Limits {
    pub(super) fn input(&self) -> Load {
        Load { messages: self.input_messages, bytes: self.input_bytes }
    }

    pub(super) fn channel(&self) -> Load {
        Load { messages: self.channel_messages, bytes: self.channel_bytes }
    }
}

/// A socket that connects.
#[derive(Debug)]
pub struct SocketConfig<'a, H> {
    /// The driver's own handle of it: what a fan-out visits.
    pub handle: H,
    /// How its messages are written.
    pub serializer: Serializer,
    /// Its place in [`Config::mounts`].
    pub mount: usize,
    /// Its id, if it has one: broadcasting `disconnect` to that topic ends it.
    pub id: Option<&'a str>,
}
