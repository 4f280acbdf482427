//! Settings of transports, and limits.

mod drain;
mod longpoll;
mod request;

pub(crate) use drain::Batches;
pub use drain::Drain;
pub use longpoll::LongPoll;
pub use request::RequestLimits;

use crate::Rate;
use bennu_core::outbox::SlowConsumer;
use bennu_core::wire::DecodeLimits;
use bennu_core::{server, websocket};
use std::time::Duration;

/// Settings of the WebSocket transport.
#[derive(Clone, Debug)]
#[must_use]
pub struct WebSocket {
    pub(crate) path: String,
    pub(crate) subprotocols: Option<Vec<String>>,
    pub(crate) config: websocket::Config,
}

impl Default for WebSocket {
    fn default() -> Self {
        Self { path: "websocket".to_owned(), subprotocols: None, config: websocket::Config::default() }
    }
}

impl WebSocket {
    /// The defaults, each of them said at its method.
    pub fn new() -> Self {
        Self::default()
    }

    /// The path below the mount: `websocket`. May have variables: `units/{unit}/live`.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// The longest message, in bytes: 1 MiB. Longer ones end the connection with 1009.
    pub fn max_message(mut self, bytes: u32) -> Self {
        self.config.max_message = bytes;
        self
    }

    /// The most fragments a message may come in: 1,024. More end the connection with 1008.
    pub fn max_fragments(mut self, fragments: u32) -> Self {
        self.config.max_fragments = fragments;
        self
    }

    /// The most empty fragments of a message in a row: 16, and never more than 65,535. More end the connection
    /// with 1008.
    pub fn max_empty_fragments(mut self, fragments: u32) -> Self {
        self.config.max_empty_fragments = fragments;
        self
    }

    /// How long the client may be silent: 60 s, as Phoenix. Then the connection ends with 1002. phoenix.js
    /// sends a heartbeat every 30 s.
    pub fn idle_timeout(mut self, timeout: Duration) -> Self {
        self.config.idle_timeout = Some(timeout);
        self
    }

    /// How long the closing handshake may take, once this server has begun it: 5 s. A client that has not answered by then is
    /// not waited for. Up to seven weeks.
    pub fn close_timeout(mut self, timeout: Duration) -> Self {
        self.config.close_timeout = timeout;
        self
    }

    /// The subprotocols that may be agreed on, in the order of this server's preference: by default none,
    /// and what the client asks for is ignored.
    pub fn subprotocols<I>(mut self, subprotocols: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.subprotocols = Some(subprotocols.into_iter().map(Into::into).collect());
        self
    }
}

/// What one client may grow, and how far; and how fast it may speak.
///
/// ```
/// use bennu::{Limits, Open};
///
/// let limits = Limits::new().channels(500).outbox(4 << 20);
/// let socket = bennu::socket(Open).limits(limits);
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Limits {
    pub(crate) machine: server::Limits,
    pub(crate) decode: DecodeLimits,
    pub(crate) outbox: usize,
    pub(crate) outbox_age: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            machine: server::Limits::default(),
            decode: DecodeLimits::default(),
            outbox: 1 << 20,
            outbox_age: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// The defaults, each of them said at its method.
    pub fn new() -> Self {
        Self::default()
    }

    /// Channels, pending joins counted: 100. A further join is answered `too many channels joined`.
    pub fn channels(mut self, channels: usize) -> Self {
        self.machine.max_channels = channels;
        self
    }

    /// Channels that have closed and whose `terminate` still runs: 100. Further joins wait until one of them
    /// has come to its end.
    pub fn terminating(mut self, channels: usize) -> Self {
        self.machine.max_terminating = channels;
        self
    }

    /// The longest topic of a message, in bytes: 1,024, and never more. A longer one is answered `topic too
    /// long`.
    pub fn topic(mut self, bytes: usize) -> Self {
        self.machine.max_topic = bytes;
        self
    }

    /// The longest event of a message, in bytes: 1,024, never more, and never less than the 9 of `phx_leave`. A
    /// longer one is answered `event too long`.
    pub fn event(mut self, bytes: usize) -> Self {
        self.machine.max_event = bytes;
        self
    }

    /// The longest ref or join ref of a message, in bytes as JSON text, its quotes counted: 64, and never more than 255. A
    /// longer one ends the connection with 1011, or the session of a client that polls.
    ///
    /// phoenix.js counts its refs up from `"1"`: seven digits and the quotes are nine bytes.
    pub fn refs(mut self, bytes: usize) -> Self {
        self.decode.max_ref = u8::try_from(bytes).unwrap_or(u8::MAX);
        self
    }

    /// How deep the JSON of a message may be nested, the message itself counted: 128, never more, and never less than 2, of
    /// which an empty object is one. What is deeper ends the connection with 1011, or the session of a client that polls, and is
    /// not read on.
    ///
    /// A reply puts one more level around what it returns.
    pub fn depth(mut self, levels: usize) -> Self {
        self.decode.max_depth = u8::try_from(levels).unwrap_or(u8::MAX);
        self
    }

    /// Bytes that wait for the client to take them, those of the first frame not counted: 1 MiB. One who
    /// falls further behind is cut off with 1013. Past half of it, reading from the client pauses.
    ///
    /// Replies to what it has sent itself do not count: while they wait, it is not read from. What is queued
    /// at once, before the client is known to lag, it has a second to take. Broadcasts that it may
    /// [lose](Self::slow_consumer) do not keep it from being read from, and are dropped before it is cut off.
    pub fn outbox(mut self, bytes: usize) -> Self {
        self.outbox = bytes;
        self
    }

    /// How long anything may wait for a client that does not take it, however little it is: 10 s. Then the client
    /// is cut off with 1013. While all that waits are answers to itself, it need only go on taking some of them; and
    /// so while there are broadcasts that it may [lose](Self::slow_consumer). These do not cut it off.
    pub fn outbox_age(mut self, age: Duration) -> Self {
        self.outbox_age = age;
        self
    }

    /// What becomes of broadcasts for a client that takes too little, past [`outbox`](Self::outbox) or
    /// [`outbox_age`](Self::outbox_age): it is cut off, unless a policy is chosen here that drops some of them. For single
    /// events a channel chooses otherwise by [`Channel::LOSSY`](crate::Channel::LOSSY).
    ///
    /// ```
    /// use bennu::{Limits, Open, SlowConsumer};
    ///
    /// // A ticker: whoever is behind wants the latest, and not much of what was before.
    /// let limits = Limits::new().slow_consumer(SlowConsumer::DropOldest).outbox(64 * 1024);
    /// let socket = bennu::socket(Open).limits(limits);
    /// ```
    ///
    /// What a client has lost is counted: [`JoinContext::lost`](crate::JoinContext::lost),
    /// [`Endpoint::lost`](crate::Endpoint::lost).
    pub fn slow_consumer(mut self, policy: SlowConsumer) -> Self {
        self.machine.slow_consumer = policy;
        self
    }

    /// What the client has sent and no handler has taken yet, over all channels of its connection, in
    /// messages: 1,024. Reading pauses there, and goes on at half. After a pause of 10 s the channel that
    /// holds most of it ends with `phx_error`.
    pub fn input_messages(mut self, messages: usize) -> Self {
        self.machine.input_messages = messages;
        self
    }

    /// The same in bytes: 1 MiB.
    pub fn input_bytes(mut self, bytes: usize) -> Self {
        self.machine.input_bytes = bytes;
        self
    }

    /// How long reading may pause for that: 10 s. Then the channel for which most waits ends with
    /// `phx_error`, and the others of its connection are heard again.
    pub fn overload(mut self, pause: Duration) -> Self {
        self.machine.overload = pause;
        self
    }

    /// Messages for [`HandleInfo`](crate::HandleInfo) and intercepted broadcasts that wait at one channel:
    /// 1,024. Past that it ends with `phx_error`.
    pub fn channel_messages(mut self, messages: usize) -> Self {
        self.machine.channel_messages = messages;
        self
    }

    /// The same in bytes: 1 MiB. Only broadcasts have any; how large a message of the application is, nobody
    /// knows.
    pub fn channel_bytes(mut self, bytes: usize) -> Self {
        self.machine.channel_bytes = bytes;
        self
    }

    /// How often the client may send a message, joins among them: by default as often as it likes. One too many is
    /// answered with the error `rate limit`, and nothing else comes of it.
    ///
    /// Shape of the answer: `["1","5","room:lobby","phx_reply",{"response":{"reason":"rate limit"},"status":"error"}]`.
    ///
    /// Heartbeats and leaves do not count, and are always taken: without an answer, phoenix.js would connect anew, or take
    /// a channel for left that is not. Nor does what is refused here; a join that is past its
    /// [own rate](Self::join_rate) has counted. A message without a ref is answered without one. A client that sends on
    /// all the same is heard on, and answered one by one, as far as it takes the answers.
    ///
    /// Messages count as they arrive here. All those of one post come together, as do those of a client that was not
    /// read from for a while: let the burst be as large as either.
    ///
    /// ```
    /// use bennu::{Limits, Open, Rate};
    ///
    /// let limits = Limits::new().message_rate(Rate::per_second(50).burst(200)).join_rate(Rate::per_second(10));
    /// let socket = bennu::socket(Open).limits(limits);
    /// ```
    pub fn message_rate(mut self, rate: Rate) -> Self {
        self.machine.message_rate = Some(rate);
        self
    }

    /// How often the client may ask to join, with whatever outcome: by default as often as it likes. One too many is
    /// answered with the error `rate limit`; phoenix.js asks again after a while. A channel that it was to replace goes on.
    ///
    /// A client that comes back joins all its channels at once: let the burst be as large as they are many.
    pub fn join_rate(mut self, rate: Rate) -> Self {
        self.machine.join_rate = Some(rate);
        self
    }
}
